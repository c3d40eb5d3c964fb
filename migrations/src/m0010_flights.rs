//! What callers ask most, each in one flight: a record, the newest of a kind, and what was answered before.

use sea_orm_migration::prelude::*;

/// Adds the looks of every table, and the memory of keyed requests.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The login comes without a role and takes it here, for one statement: a function that acts with the rights of its
/// caller, and whose settings end with the transaction that the statement is.
const ENTER: &str = "
    CREATE SCHEMA look;
    GRANT USAGE ON SCHEMA look TO PUBLIC;
    CREATE FUNCTION look.enter(tenant uuid, dealer uuid, technician uuid) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('role', 'aftercare_app', true),
                set_config('ac.tenant', tenant::text, true),
                set_config('ac.dealer', coalesce(dealer::text, ''), true),
                set_config('ac.technician', coalesce(technician::text, ''), true),
                set_config('lock_timeout', '5s', true),
                set_config('plan_cache_mode', 'force_generic_plan', true);
    END $$;
    COMMENT ON FUNCTION look.enter IS 'Takes the role and the scope for the rest of this transaction.';";

/// The functions of every table that a tenant owns and that is known by `(tenant_id, id)`. To be repeated by each
/// later migration that adds such a table; a test of the schema says so when one is forgotten.
pub(crate) const LOOKS: &str = "
    DO $do$
    DECLARE shown text;
    BEGIN
        FOR shown IN
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
              AND pg_get_indexdef(i.indexrelid) LIKE '%(tenant_id, id)'
        LOOP
            EXECUTE format($sql$
                CREATE OR REPLACE FUNCTION look.%1$I(tenant uuid, dealer uuid, technician uuid, wanted uuid)
                    RETURNS SETOF public.%1$I ROWS 1 LANGUAGE plpgsql AS $look$
                BEGIN
                    PERFORM look.enter($1, $2, $3);
                    RETURN QUERY SELECT t.* FROM public.%1$I t WHERE t.tenant_id = $1 AND t.id = $4;
                END $look$;
                CREATE OR REPLACE FUNCTION look.%2$I(tenant uuid, dealer uuid, technician uuid, before uuid, most bigint)
                    RETURNS SETOF public.%1$I ROWS 50 LANGUAGE plpgsql AS $look$
                BEGIN
                    PERFORM look.enter($1, $2, $3);
                    IF $4 IS NULL THEN
                        RETURN QUERY SELECT t.* FROM public.%1$I t WHERE t.tenant_id = $1
                            ORDER BY t.id DESC LIMIT $5;
                    ELSE
                        RETURN QUERY SELECT t.* FROM public.%1$I t WHERE t.tenant_id = $1 AND t.id < $4
                            ORDER BY t.id DESC LIMIT $5;
                    END IF;
                END $look$;
                $sql$, shown, shown || '__newest');
        END LOOP;
    END $do$;";

/// Holds the name of a key until the transaction ends, and finds what was answered under it. No row says that
/// somebody else holds it. A statement of its own finds the answer, so that it sees what the holder before has
/// committed.
const RECALL: &str = "
    CREATE FUNCTION ac.recall(name text, caller text, key text, now timestamptz)
        RETURNS TABLE (route text, fingerprint bytea, status integer, headers jsonb, body bytea)
        LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtextextended($1, 0)) THEN
            RETURN;
        END IF;
        -- An answer whose time is over is replaced, so it must not be in the way.
        DELETE FROM public.idempotency i
            WHERE i.tenant_id = ac.tenant() AND i.caller = $2 AND i.key = $3 AND i.expires_at <= $4;
        RETURN QUERY SELECT i.route, i.fingerprint, i.status, i.headers, i.body FROM public.idempotency i
            WHERE i.tenant_id = ac.tenant() AND i.caller = $2 AND i.key = $3;
        IF NOT FOUND THEN
            RETURN QUERY SELECT NULL::text, NULL::bytea, NULL::integer, NULL::jsonb, NULL::bytea;
        END IF;
    END $$;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [ENTER, LOOKS, RECALL] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
