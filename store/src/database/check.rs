//! The check at start-up: a process that could see past the walls does not start.

use super::Address;
use sea_orm::sqlx::{
    self, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _,
};
use std::time::Duration;

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the database may not be used.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// It cannot be asked.
    #[error("the database cannot be reached")]
    Unreachable(#[from] sqlx::Error),
    /// It does not answer at all.
    #[error("the database does not answer within {} seconds", PATIENCE.as_secs())]
    Silent,
    /// What it says breaks the walls between tenants.
    #[error("the walls between tenants do not hold: {}", .0.join("; "))]
    Walls(Vec<String>),
}

/// The login itself: it must own nothing, bypass nothing, and be nobody until it takes one of three roles.
const LOGIN: &str = "
    WITH login AS (SELECT oid, rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user),
         ours AS (SELECT oid, rolname FROM pg_roles
                  WHERE rolname IN ('aftercare_app', 'aftercare_dispatch', 'aftercare_auth'))
    SELECT 'the login ' || rolname || ' is a superuser' AS finding FROM login WHERE rolsuper
    UNION ALL
    SELECT 'the login ' || rolname || ' may bypass row-level security' FROM login WHERE rolbypassrls
    UNION ALL
    SELECT 'the login owns ' || count(*) || ' tables, such as ' || min(relname::text) FROM pg_class
        WHERE relowner = (SELECT oid FROM login) AND relkind IN ('r', 'p')
        HAVING count(*) > 0
    UNION ALL
    SELECT 'the login may use ' || min(c.relname::text) || ' without taking a role' FROM pg_class c
        WHERE c.relnamespace IN ('public'::regnamespace, to_regnamespace('ac')) AND c.relkind IN ('r', 'p', 'v', 'm')
          AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')
        HAVING count(*) > 0
    UNION ALL
    SELECT 'the login may not take the role ' || wanted FROM unnest(
            ARRAY['aftercare_app', 'aftercare_dispatch', 'aftercare_auth']) AS wanted
        WHERE NOT EXISTS (SELECT 1 FROM ours WHERE rolname = wanted AND pg_has_role(oid, 'MEMBER'))
    UNION ALL
    SELECT 'the login may take the role ' || r.rolname FROM pg_roles r, login
        WHERE r.oid <> login.oid AND r.oid NOT IN (SELECT oid FROM ours)
          AND pg_has_role(r.oid, 'MEMBER') AND NOT login.rolsuper
    UNION ALL
    SELECT 'the role ' || ours.rolname || ' is a member of ' || pg_get_userbyid(m.roleid)
        FROM pg_auth_members m JOIN ours ON ours.oid = m.member
    UNION ALL
    SELECT 'the role ' || rolname || ' is too powerful' FROM pg_roles
        WHERE rolname IN ('aftercare_app', 'aftercare_dispatch', 'aftercare_auth')
          AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)";

/// The policies: what they open is the tenant's, exactly; and what narrows it is there. Two more open
/// something to a role of ours: the dispatcher's of the queue's envelopes, and that of the signing keys.
/// Budgets stand above dealers too: what the brand spends at most, every dealer's gestures count against.
/// A policy for the owner of a table serves a function that answers for it, and the login is not the owner.
const POLICIES: &str = "
    WITH walled AS (
        SELECT c.oid, c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS locked,
               CASE c.relname WHEN 'tenant' THEN '(id = ac.tenant())' ELSE '(tenant_id = ac.tenant())' END AS own,
               CASE c.relname WHEN 'dealer' THEN 'id' ELSE 'dealer_id' END AS dealer
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname <> 'seaql_migrations'
    ), rule AS (
        SELECT c.oid, c.relname::text AS on_table, p.polname::text AS name, p.polpermissive AS opens,
               p.polcmd::text AS command, p.polroles AS roles,
               pg_get_expr(p.polqual, c.oid) AS reads, pg_get_expr(p.polwithcheck, c.oid) AS writes
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE c.relnamespace IN ('public'::regnamespace, to_regnamespace('ac'))
    ), of_app AS (
        SELECT * FROM rule WHERE roles = ARRAY[to_regrole('aftercare_app')::oid]
    ), ours AS (
        SELECT oid FROM pg_roles
        WHERE rolname IN ('aftercare_app', 'aftercare_dispatch', 'aftercare_auth', current_user)
        UNION ALL SELECT 0
    )
    SELECT 'table ' || name || ' has no forced row-level security' AS finding FROM walled WHERE NOT locked
    UNION ALL
    SELECT 'table ' || w.name || ' lacks the policy of its tenant' FROM walled w WHERE NOT EXISTS (
        SELECT 1 FROM of_app r WHERE r.oid = w.oid AND r.opens AND r.command = '*'
        AND r.reads = w.own AND r.writes = w.own)
    UNION ALL
    SELECT 'table ' || r.on_table || ' is opened by the policy ' || r.name FROM rule r
        LEFT JOIN walled w ON w.oid = r.oid
        WHERE r.opens AND EXISTS (SELECT 1 FROM ours WHERE oid = ANY (r.roles))
          AND NOT coalesce(r.roles = ARRAY[to_regrole('aftercare_app')::oid] AND r.command = '*'
                           AND r.reads = w.own AND r.writes = w.own, false)
          AND NOT (r.on_table IN ('job', 'tenant_queue') AND r.roles = ARRAY[to_regrole('aftercare_dispatch')::oid])
          AND NOT (r.on_table = 'signing_key' AND r.roles = ARRAY[to_regrole('aftercare_auth')::oid])
    UNION ALL
    SELECT 'table ' || w.name || ' does not narrow to a dealer' FROM walled w
        WHERE (w.name = 'dealer' OR EXISTS (
            SELECT 1 FROM pg_attribute a WHERE a.attrelid = w.oid AND a.attname = 'dealer_id' AND NOT a.attisdropped))
          AND NOT EXISTS (
              SELECT 1 FROM of_app r WHERE r.oid = w.oid AND NOT r.opens AND r.command = '*' AND r.reads = r.writes
              AND r.reads = format(CASE w.name
                      WHEN 'allowance_budget'
                      THEN '((ac.dealer() IS NULL) OR (dealer_id IS NULL) OR (%s = ac.dealer()))'
                      ELSE '((ac.dealer() IS NULL) OR (%s = ac.dealer()))' END, w.dealer))
    UNION ALL
    SELECT 'table ' || w.name || ' does not narrow to a technician' FROM walled w
        WHERE w.name IN ('sop_run', 'work_order', 'appointment') AND NOT EXISTS (
            SELECT 1 FROM of_app r WHERE r.oid = w.oid AND NOT r.opens AND r.command = '*' AND r.reads = r.writes
            AND r.reads = CASE w.name
                WHEN 'sop_run' THEN '((ac.technician() IS NULL) OR (staff_id = ac.technician()) OR (ac.technician() = ANY (helper_ids)))'
                ELSE '((ac.technician() IS NULL) OR (staff_id = ac.technician()))' END)
    UNION ALL
    SELECT 'table ' || w.name || ' is written for one dealer' FROM walled w
        WHERE w.name IN ('tenant', 'issuer', 'product', 'sop', 'sop_version', 'allowance_policy', 'authority_limit',
                         'gesture_rules', 'plan_template', 'sop_trigger', 'survey', 'test_clock')
          AND 2 <> (SELECT count(*) FROM of_app r WHERE r.oid = w.oid AND NOT r.opens AND r.command IN ('a', 'w')
                    AND coalesce(r.reads, r.writes) = '(ac.dealer() IS NULL)' AND r.writes = '(ac.dealer() IS NULL)')";

/// The grants: beyond the rows of a tenant, no role of ours may do anything, nor ask somebody who may. What is personal
/// of a customer is asked beyond the dealer, because it is masked whoever masks it.
const GRANTS: &str = "
    WITH ours AS (
        SELECT oid, rolname FROM pg_roles
        WHERE rolname IN ('aftercare_app', 'aftercare_dispatch', 'aftercare_auth', current_user)
    ), here AS (
        SELECT oid, relname::text AS name, relkind, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    )
    SELECT 'the role ' || ours.rolname || ' may truncate ' || here.name AS finding FROM here, ours
        WHERE here.relkind IN ('r', 'p') AND has_table_privilege(ours.oid, here.oid, 'TRUNCATE')
    UNION ALL
    SELECT 'the role ' || ours.rolname || ' may put a trigger on ' || here.name FROM here, ours
        WHERE here.relkind IN ('r', 'p') AND has_table_privilege(ours.oid, here.oid, 'TRIGGER')
    UNION ALL
    SELECT 'the dispatcher sees more of ' || name || ' than its envelopes' FROM here
        WHERE CASE name
            WHEN 'tenant_queue' THEN false
            WHEN 'job' THEN has_column_privilege('aftercare_dispatch', here.oid, 'payload', 'SELECT')
            ELSE has_any_column_privilege('aftercare_dispatch', here.oid, 'SELECT, INSERT, UPDATE') END
    UNION ALL
    SELECT 'who recognises callers reads ' || name FROM here
        WHERE has_any_column_privilege('aftercare_auth', here.oid, 'SELECT, INSERT, UPDATE')
    UNION ALL
    SELECT 'view ' || name || ' asks with the rights of its owner' FROM here
        WHERE relkind = 'm' OR relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
    UNION ALL
    SELECT 'the role ' || ours.rolname || ' may call ' || p.proname || ', which acts with the rights of its owner'
        FROM pg_proc p, ours
        WHERE p.pronamespace IN ('public'::regnamespace, to_regnamespace('ac'), to_regnamespace('look')) AND p.prosecdef
          AND has_function_privilege(ours.oid, p.oid, 'EXECUTE')
          AND NOT (ours.rolname = 'aftercare_auth' AND p.pronamespace = to_regnamespace('ac')
                   AND p.proname IN ('brands', 'find_secret', 'knows_origin', 'migrated'))
          AND NOT (ours.rolname = 'aftercare_app' AND p.pronamespace = to_regnamespace('ac')
                   AND p.proname = 'personal_words')";

/// Whether there is anything to check. The login may not name what is in the schema `ac`, only look it up.
const IS_EMPTY: &str = "
    SELECT to_regclass('public.tenant') IS NULL OR NOT EXISTS (
        SELECT 1 FROM pg_proc WHERE pronamespace = to_regnamespace('ac') AND proname = 'migrated')";

/// Refuses a database in which one tenant could see another's rows, or which lacks one of `migrations`.
///
/// # Errors
///
/// [`Distrust::Walls`] with everything that was found.
pub async fn check(address: &Address, migrations: &[String]) -> Result<(), Distrust> {
    let mut connection = reach(address).await?;
    let found = findings(&mut connection, migrations).await?;
    connection.close().await?;
    if found.is_empty() { Ok(()) } else { Err(Distrust::Walls(found)) }
}

async fn findings(
    connection: &mut PgConnection,
    migrations: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let mut findings: Vec<String> = Vec::new();
    // Nothing is prepared: a pooler may send the next statement over another connection.
    for row in sqlx::raw_sql(LOGIN).fetch_all(&mut *connection).await? {
        findings.push(row.try_get("finding")?);
    }
    if sqlx::raw_sql(IS_EMPTY).fetch_one(&mut *connection).await?.try_get(0)? {
        findings.push("the schema is not there: run aftercare migrate".to_owned());
        return Ok(findings);
    }
    for sql in [POLICIES, GRANTS] {
        for row in sqlx::raw_sql(sql).fetch_all(&mut *connection).await? {
            findings.push(row.try_get("finding")?);
        }
    }
    // A login that may not take the role cannot ask, and was found above.
    if findings.is_empty() {
        let taken = migrated(connection).await?;
        let missing = migrations.iter().filter(|name| !taken.contains(name));
        findings.extend(
            missing.map(|name| format!("the migration {name} is missing: run aftercare migrate")),
        );
    }
    Ok(findings)
}

async fn reach(address: &Address) -> Result<PgConnection, Distrust> {
    let options = address.0.clone().application_name("aftercare");
    let connection = tokio::time::timeout(PATIENCE, options.connect()).await;
    Ok(connection.map_err(|_| Distrust::Silent)??)
}

/// The migrations that the database has.
async fn migrated(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    transaction.execute("SET LOCAL ROLE aftercare_auth").await?;
    let rows = sqlx::raw_sql("SELECT ac.migrated()").fetch_all(&mut *transaction).await?;
    transaction.rollback().await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
