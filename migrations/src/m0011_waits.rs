//! What goes along with the beginning or the end of a transaction, so that it needs no wait of its own; and fewer
//! indexes to keep.

use sea_orm_migration::prelude::*;

/// Adds the functions, and leaves what refers to nothing out of indexes.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Keeps the answer to a keyed request.
const REMEMBER: &str = "
    CREATE FUNCTION ac.remember(caller text, key text, route text, fingerprint bytea, status integer,
                                headers text, body bytea, expires_at timestamptz)
        RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.idempotency
            (tenant_id, caller, key, route, fingerprint, status, headers, body, expires_at)
            VALUES (ac.tenant(), $1, $2, $3, $4, $5, $6::jsonb, $7, $8);
    END $$;";

/// Ends the transaction when something was not found as often as it must be: it is not there any more as it was read.
const EXPECT: &str = "
    CREATE FUNCTION ac.expect(seen bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF seen <> expected THEN
            RAISE EXCEPTION '% of % rows are as they were read', seen, expected
                USING ERRCODE = 'AC001';
        END IF;
    END $$;";

/// The worker's first question, and its last change. Several jobs hold their records one after the other, and so in
/// another order than everybody does: they give up before the database sees a deadlock and ends whoever it likes, and
/// are done one by one. The token is the fence: who lost a lease finds nothing, and completes nothing.
const JOBS: &str = "
    CREATE FUNCTION ac.take_jobs(tenant uuid, jobs uuid[], token uuid)
        RETURNS TABLE (payload jsonb) LANGUAGE plpgsql AS $$
    BEGIN
        IF cardinality(jobs) > 1 THEN
            PERFORM set_config('lock_timeout', '100ms', true);
        END IF;
        RETURN QUERY SELECT j.payload FROM public.job j
            WHERE j.tenant_id = $1 AND j.id = ANY ($2) AND j.lease_token = $3 AND j.state = 'running'
            ORDER BY j.due_at, j.id;
    END $$;
    CREATE FUNCTION ac.complete_jobs(tenant uuid, jobs uuid[], token uuid) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE completed bigint;
    BEGIN
        UPDATE public.job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL,
                              last_error = NULL
            WHERE tenant_id = $1 AND id = ANY ($2) AND lease_token = $3 AND state = 'running';
        GET DIAGNOSTICS completed = ROW_COUNT;
        PERFORM ac.expect(completed, cardinality(jobs));
    END $$;";

/// An index of references holds those that are there: a complaint that names no order, asset, visit or survey answer
/// costs nothing there. And the index by which a dealer's people read serves for the dealer itself. While the new ones
/// are made, a second or two for each million of rows, nobody writes; the old ones go all at once after that, so that
/// readers hardly wait.
const INDEXES: &str = "
    CREATE TEMP TABLE replaced ON COMMIT DROP AS
        SELECT i.relname AS name, t.relname AS of_table, a.attname AS reference,
               a.attname = 'dealer_id' AND EXISTS (
                   SELECT 1 FROM pg_class d
                   WHERE d.relnamespace = t.relnamespace AND d.relname = t.relname || '__by_dealer') AS is_double
        FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[1]
        WHERE t.relnamespace = 'public'::regnamespace AND x.indnatts = 2 AND x.indpred IS NULL
          AND NOT a.attnotnull AND i.relname = t.relname || '__by_' || a.attname;
    DO $do$
    DECLARE one record;
    BEGIN
        FOR one IN SELECT * FROM replaced WHERE NOT is_double LOOP
            EXECUTE format('CREATE INDEX %I ON %I (tenant_id, %I) WHERE %3$I IS NOT NULL',
                           one.name || '__next', one.of_table, one.reference);
        END LOOP;
        FOR one IN SELECT * FROM replaced LOOP
            EXECUTE format('DROP INDEX %I', one.name);
            IF NOT one.is_double THEN
                EXECUTE format('ALTER INDEX %I RENAME TO %I', one.name || '__next', one.name);
            END IF;
        END LOOP;
    END $do$;
    DROP TABLE replaced;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [REMEMBER, EXPECT, JOBS, INDEXES] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
