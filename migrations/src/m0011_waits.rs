//! What goes along with the beginning or the end of a transaction, so that it needs no wait of its own; and fewer
//! indexes to keep.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, Statement},
};

/// Adds the functions, and leaves what refers to nothing out of indexes.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Keeps the answer to a keyed request.
const REMEMBER: &str = "
    CREATE OR REPLACE FUNCTION ac.remember(caller text, key text, route text, fingerprint bytea, status integer,
                                headers text, body bytea, expires_at timestamptz)
        RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.idempotency
            (tenant_id, caller, key, route, fingerprint, status, headers, body, expires_at)
            VALUES (ac.tenant(), $1, $2, $3, $4, $5, $6::jsonb, $7, $8);
    END $$;";

/// Ends the transaction when something was not found as often as it must be: it is not there any more as it was read.
const EXPECT: &str = "
    CREATE OR REPLACE FUNCTION ac.expect(seen bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF seen <> expected THEN
            RAISE EXCEPTION '% of % rows are as they were read', seen, expected
                USING ERRCODE = 'AC001';
        END IF;
    END $$;";

/// The worker's first question, and its last change. The token is the fence: who lost a lease finds nothing, and
/// completes nothing.
const JOBS: &str = "
    CREATE OR REPLACE FUNCTION ac.take_jobs(tenant uuid, jobs uuid[], token uuid)
        RETURNS TABLE (payload jsonb) LANGUAGE plpgsql AS $$
    BEGIN
        RETURN QUERY SELECT j.payload FROM public.job j
            WHERE j.tenant_id = $1 AND j.id = ANY ($2) AND j.lease_token = $3 AND j.state = 'running'
            ORDER BY j.due_at, j.id;
    END $$;
    CREATE OR REPLACE FUNCTION ac.complete_jobs(tenant uuid, jobs uuid[], token uuid) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE completed bigint;
    BEGIN
        UPDATE public.job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL,
                              last_error = NULL
            WHERE tenant_id = $1 AND id = ANY ($2) AND lease_token = $3 AND state = 'running';
        GET DIAGNOSTICS completed = ROW_COUNT;
        PERFORM ac.expect(completed, cardinality(jobs));
    END $$;";

/// For each table, the statements that replace its indexes of references that may be missing. An index holds those that
/// are there: a complaint that names no order, asset, visit or survey answer costs nothing there. And the index by which
/// a dealer's people read serves for the dealer itself.
///
/// Each table is a message and a transaction of its own, which begins with the strongest lock that it needs, so that it
/// waits for those who use the table and never they for it and it for them. Nobody uses the table meanwhile, which is as
/// long as it takes to read it once for each of these indexes.
const REPLACED: &str = "
    SELECT string_agg(format('DROP INDEX %I; ', i.relname), '') || coalesce(string_agg(
               format('CREATE INDEX %I ON %I (tenant_id, %I) WHERE %3$I IS NOT NULL; ', i.relname, t.relname, a.attname), '')
               FILTER (WHERE a.attname <> 'dealer_id' OR to_regclass('public.' || t.relname || '__by_dealer') IS NULL), '')
               AS statements
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[1]
    WHERE t.relnamespace = 'public'::regnamespace AND x.indnatts = 2 AND x.indpred IS NULL
      AND NOT a.attnotnull AND i.relname = t.relname || '__by_' || a.attname
    GROUP BY t.relname ORDER BY t.relname";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// One transaction for all tables would collect locks that somebody waits for who holds others.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for sql in [REMEMBER, EXPECT, JOBS] {
            connection.execute_unprepared(sql).await?;
        }
        let replaced = Statement::from_string(DbBackend::Postgres, REPLACED);
        for row in connection.query_all_raw(replaced).await? {
            let statements: String = row.try_get("", "statements")?;
            connection.execute_unprepared(&statements).await?;
        }
        Ok(())
    }
}
