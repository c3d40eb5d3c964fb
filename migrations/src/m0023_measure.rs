//! Deadlines that are counted anew, and what the resolution log and reports tell of them.

use sea_orm_migration::prelude::*;

/// Adds policies that are applied to running clocks, and clocks to the lines of the log.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// A log may say that another policy was applied. Clocks that are not decided are found without those that are.
const CLOCKS: &str = "
    ALTER TABLE sla_event
        DROP CONSTRAINT sla_event_kind_check,
        ADD CONSTRAINT sla_event_kind_check CHECK (kind IN
            ('started', 'paused', 'resumed', 'warned', 'breached', 'met', 'cancelled', 'applied'));
    CREATE INDEX sla_clock__by_undecided ON sla_clock (tenant_id, complaint_id, dealer_id)
        WHERE state IN ('running', 'paused');";

/// Lines of the log that are there already tell of no clocks: they were sealed without them.
const LOGGED: &str = "
    ALTER TABLE resolution ADD COLUMN clocks jsonb NOT NULL DEFAULT '[]';
    ALTER TABLE resolution ALTER COLUMN clocks DROP DEFAULT;";

/// Reports are about complaints that were received on some days; a person's timeline about what they did. Programs and
/// workers do most, and have none.
const REPORTS: &str = "
    CREATE INDEX complaint__by_created_at ON complaint (tenant_id, created_at);
    CREATE INDEX audit_entry__by_person ON audit_entry (tenant_id, actor, id) WHERE left(actor, 4) = 'stf_';";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [CLOCKS, LOGGED, REPORTS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
