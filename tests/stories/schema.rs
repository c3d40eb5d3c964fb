//! The schema keeps its rules: a lint over the catalogue of a migrated database.

use crate::house::House;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// Tables of the platform itself, with the reason why they may differ.
const PLATFORM: &str = "'seaql_migrations'";

/// Each query lists what breaks a rule.
const RULES: &[(&str, &str)] = &[
    (
        "row-level security is on and forced",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND relname NOT IN (PLATFORM) AND NOT (relrowsecurity AND relforcerowsecurity)",
    ),
    (
        "a policy compares the tenant for reading and for writing",
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
         AND c.relname NOT IN (PLATFORM) AND NOT EXISTS (
             SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
             AND pg_get_expr(p.polqual, c.oid) ~ '^\\((tenant_id|id) = ac.tenant\\(\\)\\)$'
             AND pg_get_expr(p.polwithcheck, c.oid) ~ '^\\((tenant_id|id) = ac.tenant\\(\\)\\)$')",
    ),
    (
        "the tenant comes first in every key, but for the platform's own: a brand's slug, a secret's hash",
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique
         AND c.relname NOT IN (PLATFORM, 'tenant', 'secret', 'signing_key')
         AND (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0]) <> 'tenant_id'",
    ),
    (
        "a reference stays within the tenant",
        "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
         AND (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) <> 'tenant_id'",
    ),
    (
        "a table with a dealer narrows to it",
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'dealer_id'
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT EXISTS (
             SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive
             AND pg_get_expr(p.polqual, c.oid) LIKE '%ac.dealer()%'
             AND pg_get_expr(p.polwithcheck, c.oid) LIKE '%ac.dealer()%')",
    ),
    (
        "views ask with the rights of whoever asks",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
         AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)",
    ),
    (
        "nobody may truncate",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND has_table_privilege('aftercare_app', oid, 'TRUNCATE')",
    ),
    (
        "the dispatcher sees the queue and nothing of the business",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND relname NOT IN ('job', 'tenant_queue')
         AND (has_table_privilege('aftercare_dispatch', oid, 'SELECT') OR has_any_column_privilege('aftercare_dispatch', oid, 'SELECT'))",
    ),
    (
        "the dispatcher never sees a payload",
        "SELECT 'job' WHERE has_column_privilege('aftercare_dispatch', 'job', 'payload', 'SELECT')",
    ),
    (
        "whoever recognises callers reads no table",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND has_any_column_privilege('aftercare_auth', oid, 'SELECT')",
    ),
    (
        "money is counted in whole minor units",
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
         AND (a.atttypid IN ('numeric'::regtype, 'real'::regtype, 'double precision'::regtype, 'money'::regtype)
              OR a.attname LIKE '%\\_minor' AND a.atttypid <> 'bigint'::regtype)",
    ),
    (
        "instants know that they are instants",
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
         AND c.relname NOT IN (PLATFORM)
         AND (a.atttypid = 'timestamp'::regtype OR a.attname LIKE '%\\_at' AND a.atttypid <> 'timestamptz'::regtype
              OR a.attname LIKE '%\\_on' AND a.atttypid <> 'date'::regtype)",
    ),
];

#[tokio::test]
async fn the_schema_keeps_its_rules() {
    let house = House::opens().await;
    let owner = house.owner().await;
    let mut broken = Vec::new();
    for (rule, sql) in RULES {
        let sql = sql.replace("PLATFORM", PLATFORM);
        let rows =
            owner.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        let places: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        if !places.is_empty() {
            broken.push(format!("{rule}: {}", places.join(", ")));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test]
async fn a_forgotten_scope_reads_and_writes_nothing() {
    let house = House::opens().await;
    let owner = house.owner().await;
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
                  AND relkind IN ('r', 'p') AND relname <> 'seaql_migrations'";
    let rows = owner
        .query_all_raw(Statement::from_string(DbBackend::Postgres, tables.to_owned()))
        .await
        .unwrap();
    assert!(rows.len() > 5, "the schema is there");
    for row in rows {
        let table: String = row.try_get_by_index(0).unwrap();
        let key = if table == "tenant" { "id" } else { "tenant_id" };
        for sql in [
            format!("SELECT count(*) FROM {table}"),
            format!("INSERT INTO {table} ({key}) VALUES (gen_random_uuid())"),
            format!("UPDATE {table} SET {key} = {key}"),
            format!("DELETE FROM {table}"),
        ] {
            let told = unscoped(&owner, &sql).await;
            assert_eq!(told, "42501", "{sql}");
        }
    }
}

/// What PostgreSQL says to the application's role without a tenant in scope.
async fn unscoped(owner: &DatabaseConnection, sql: &str) -> String {
    // An empty table would let a policy go unasked; the planner's one-time filter asks it all the same.
    let probe = format!(
        "DO $$ BEGIN SET LOCAL ROLE aftercare_app; {}; RAISE EXCEPTION 'it went through';
         EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION '%', SQLSTATE USING ERRCODE = 'P0099'; END $$",
        sql.replace("SELECT count(*)", "PERFORM count(*)")
    );
    let error = owner.execute_unprepared(&probe).await.unwrap_err().to_string();
    let mut words = error.split(|c: char| !c.is_ascii_alphanumeric());
    let code = words.find(|word| word.len() == 5 && word.starts_with(|c: char| c.is_ascii_digit()));
    code.unwrap_or(&error).to_owned()
}
