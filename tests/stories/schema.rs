//! The schema keeps its rules: a lint over the catalogue of a migrated database.

use crate::house::{House, LOGIN};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use store::database::{Distrust, check};
use uuid::Uuid;

/// Tables of the platform itself, with the reason why they may differ.
const PLATFORM: &str = "'seaql_migrations'";

/// Tables of the machinery, which no caller reads and every caller's work writes.
const EVERYBODYS: &str =
    "'secret', 'job', 'tenant_queue', 'idempotency', 'complaint_counter', 'resolution_pending'";

/// Tables without a dealer of their own: their rows are reached through the record that they belong to, which
/// narrows, and a policy that asks for it in a sub-select could not be distributed.
const REACHED: &str = "'order_line', 'allowance_lot', 'allowance_entry', 'allowance_budget_entry', 'approval', 'sop_run_step', 'row_error', 'import_chunk'";

/// Each query lists what breaks a rule. What must hold wherever the program runs is asked at every start
/// instead, by `store::database::check`.
const RULES: &[(&str, &str)] = &[
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
        "a table narrows to a dealer, is the brand's to write, or is one of those of which we know why not",
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
         AND c.relname NOT IN (PLATFORM, EVERYBODYS, REACHED) AND NOT EXISTS (
             SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive
             AND coalesce(pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)) LIKE '%ac.dealer()%')",
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
    (
        "an index of references that may be missing holds those that are there",
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[1]
         WHERE c.relnamespace = 'public'::regnamespace AND i.indnatts = 2 AND i.indpred IS NULL AND NOT a.attnotnull
         AND a.atttypid = 'uuid'::regtype",
    ),
    (
        "every record can be looked at in one flight: repeat migrations::LOOKS after a new table",
        "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace
         AND pg_get_indexdef(i.indexrelid) LIKE '%(tenant_id, id)'
         AND (to_regproc('look.' || c.relname) IS NULL OR to_regproc('look.' || c.relname || '__newest') IS NULL)",
    ),
];

#[tokio::test]
async fn the_schema_keeps_its_rules() {
    let house = House::opens().await;
    let owner = house.owner().await;
    let mut broken = Vec::new();
    for (rule, sql) in RULES {
        let sql = sql.replace("PLATFORM", PLATFORM).replace("EVERYBODYS", EVERYBODYS);
        let sql = sql.replace("REACHED", REACHED);
        let rows =
            owner.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        let places: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        if !places.is_empty() {
            broken.push(format!("{rule}: {}", places.join(", ")));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What the check at start-up finds in the house, for this login.
async fn found(house: &House, login: &str) -> Vec<String> {
    match check(&house.address_of(login), &migrations::names()).await {
        Ok(()) => Vec::new(),
        Err(Distrust::Walls(findings)) => findings,
        Err(unasked @ (Distrust::Unreachable(_) | Distrust::Silent)) => panic!("{unasked}"),
    }
}

/// Holes in the walls, as somebody might tear them, and what the check says about each.
const HOLES: &[(&str, &str)] = &[
    (
        "CREATE POLICY wide ON customer TO aftercare_app USING (true)",
        "table customer is opened by the policy wide",
    ),
    ("CREATE POLICY wide ON customer USING (true)", "table customer is opened by the policy wide"),
    (
        "CREATE POLICY wide ON customer FOR SELECT TO aftercare_dispatch USING (true)",
        "table customer is opened by the policy wide",
    ),
    (
        "ALTER POLICY customer__tenant ON customer USING (tenant_id = ac.tenant() OR name <> '')",
        "table customer lacks the policy of its tenant",
    ),
    (
        "ALTER POLICY customer__tenant ON customer WITH CHECK (true)",
        "table customer lacks the policy of its tenant",
    ),
    (
        "ALTER TABLE customer NO FORCE ROW LEVEL SECURITY",
        "table customer has no forced row-level security",
    ),
    ("DROP POLICY customer__dealer ON customer", "table customer does not narrow to a dealer"),
    (
        "ALTER POLICY customer__dealer ON customer USING (true)",
        "table customer does not narrow to a dealer",
    ),
    ("DROP POLICY dealer__dealer ON dealer", "table dealer does not narrow to a dealer"),
    ("DROP POLICY sop_run__technician ON sop_run", "table sop_run does not narrow to a technician"),
    ("DROP POLICY product__brand_update ON product", "table product is written for one dealer"),
    ("GRANT TRUNCATE ON customer TO aftercare_app", "the role aftercare_app may truncate customer"),
    ("GRANT TRUNCATE ON customer TO PUBLIC", "the role aftercare_login may truncate customer"),
    (
        "GRANT SELECT ON customer TO aftercare_login",
        "the login may use customer without taking a role",
    ),
    (
        "GRANT SELECT (name) ON customer TO aftercare_dispatch",
        "the dispatcher sees more of customer than its envelopes",
    ),
    (
        "GRANT SELECT (payload) ON job TO aftercare_dispatch",
        "the dispatcher sees more of job than its envelopes",
    ),
    ("GRANT SELECT ON customer TO aftercare_auth", "who recognises callers reads customer"),
    (
        "CREATE VIEW everybody AS SELECT * FROM customer",
        "view everybody asks with the rights of its owner",
    ),
    (
        "CREATE FUNCTION ac.everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM customer'",
        "the role aftercare_app may call everybody, which acts with the rights of its owner",
    ),
    (
        "ALTER FUNCTION look.customer SECURITY DEFINER",
        "the role aftercare_app may call customer, which acts with the rights of its owner",
    ),
    (
        "CREATE TABLE leaflet (tenant_id uuid NOT NULL)",
        "table leaflet has no forced row-level security",
    ),
    (
        "DELETE FROM seaql_migrations WHERE version = 'm0007_voice'",
        "the migration m0007_voice is missing: run aftercare migrate",
    ),
    ("DROP FUNCTION ac.migrated()", "the schema is not there: run aftercare migrate"),
];

#[tokio::test]
async fn a_database_that_leaks_is_refused() {
    let house = House::opens().await;
    assert_eq!(found(&house, LOGIN).await, Vec::<String>::new());
    // Each hole is torn in a database of its own, which is the migrated one again.
    for (hole, says) in HOLES {
        let torn = House::opens().await;
        torn.owner().await.execute_unprepared(hole).await.unwrap();
        let findings = found(&torn, LOGIN).await;
        assert!(findings.iter().any(|finding| finding == says), "{hole}: {findings:?}");
    }
}

#[tokio::test]
async fn a_login_that_can_be_somebody_else_is_refused() {
    let house = House::opens().await;
    let owner = house.owner().await;
    // Roles are shared by all databases of the server, so these are the story's own.
    let mark = Uuid::new_v4().simple().to_string();
    let (login, other) = (format!("aftercare_story_{mark}"), format!("aftercare_other_{mark}"));
    migrations::admit(&owner, &login, None).await.unwrap();
    assert_eq!(found(&house, &login).await, Vec::<String>::new());
    owner
        .execute_unprepared(&format!("CREATE ROLE {other}; GRANT {other} TO {login}"))
        .await
        .unwrap();
    let member = found(&house, &login).await;
    owner
        .execute_unprepared(&format!("REVOKE {other} FROM {login}; ALTER ROLE {login} BYPASSRLS"))
        .await
        .unwrap();
    let bypasses = found(&house, &login).await;
    let away = format!(
        "DROP ROLE {other}; ALTER ROLE {login} NOBYPASSRLS; REVOKE aftercare_auth FROM {login}"
    );
    owner.execute_unprepared(&away).await.unwrap();
    let lacks = found(&house, &login).await;
    owner.execute_unprepared(&format!("DROP ROLE {login}")).await.unwrap();
    assert_eq!(member, [format!("the login may take the role {other}")]);
    assert_eq!(bypasses, [format!("the login {login} may bypass row-level security")]);
    assert_eq!(lacks, ["the login may not take the role aftercare_auth"]);
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
