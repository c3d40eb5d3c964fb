//! The operator: brands can be listed and suspended.

use sea_orm_migration::prelude::*;

/// Adds what the command line asks.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Jobs of a suspended brand wait in the queue. The dispatcher sees no brand, so its queue says so.
const SUSPENDED: &str = "ALTER TABLE tenant_queue ADD COLUMN suspended_at timestamptz;";

/// All brands, for the operator. The command line speaks for no brand, so the question goes over all of them,
/// by a function that tells what a list needs and nothing of what a brand keeps.
const BRANDS: &str = "
    CREATE FUNCTION ac.brands()
        RETURNS TABLE (id uuid, sandbox uuid, slug text, name text, status text, created_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, ac, pg_temp AS
        $$ SELECT t.id, s.id, t.slug, t.name, t.status, t.created_at
           FROM tenant t JOIN tenant s ON s.live_id = t.id AND s.mode = 'test'
           WHERE t.mode = 'live' ORDER BY t.slug $$;
    REVOKE ALL ON FUNCTION ac.brands() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ac.brands() TO aftercare_auth;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [SUSPENDED, BRANDS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
