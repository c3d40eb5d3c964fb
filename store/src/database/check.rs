//! The check at start-up: a process that could see past the walls does not start.

use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, PgPool, Row as _};
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

/// The login itself: it must own nothing, bypass nothing, and be nobody until it takes a role.
const LOGIN: &str = "
    SELECT 'the login ' || rolname || ' is a superuser' AS finding FROM pg_roles
        WHERE rolname = current_user AND rolsuper
    UNION ALL
    SELECT 'the login ' || rolname || ' may bypass row-level security' FROM pg_roles
        WHERE rolname = current_user AND rolbypassrls
    UNION ALL
    SELECT 'the login owns ' || count(*) || ' tables, such as ' || min(relname::text) FROM pg_class
        WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND relkind IN ('r', 'p')
        HAVING count(*) > 0
    UNION ALL
    SELECT 'the login may read ' || min(c.relname::text) || ' without taking a role' FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND has_table_privilege(c.oid, 'SELECT')
        HAVING count(*) > 0
    UNION ALL
    SELECT 'the login may not take the role ' || wanted FROM unnest(
            ARRAY['aftercare_app', 'aftercare_dispatch', 'aftercare_auth']) AS wanted
        WHERE NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = wanted
                          AND pg_has_role(r.oid, 'MEMBER'))
    UNION ALL
    SELECT 'the role ' || rolname || ' is too powerful' FROM pg_roles
        WHERE rolname IN ('aftercare_app', 'aftercare_dispatch', 'aftercare_auth')
          AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole)";

/// The tables: each that belongs to tenants must be locked by a policy for reading and for writing.
const TABLES: &str = "
    SELECT 'table ' || c.relname || ' has no forced row-level security' AS finding
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname <> 'seaql_migrations' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    UNION ALL
    SELECT 'table ' || c.relname || ' lacks its policy'
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname <> 'seaql_migrations'
      AND NOT EXISTS (
          SELECT 1 FROM pg_policy p
          WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
            AND pg_get_expr(p.polqual, p.polrelid) LIKE '%= ac.tenant()%'
            AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%= ac.tenant()%')
    UNION ALL
    SELECT 'the schema is empty: run aftercare migrate' WHERE to_regclass('public.tenant') IS NULL";

/// Refuses a database in which one tenant could see another's rows.
///
/// # Errors
///
/// [`Distrust::Walls`] with everything that was found.
pub async fn check(pool: &PgPool) -> Result<(), Distrust> {
    reach(pool).await?;
    let mut findings = Vec::new();
    for sql in [LOGIN, TABLES] {
        for row in sqlx::query(sql).fetch_all(pool).await? {
            findings.push(row.try_get("finding")?);
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Distrust::Walls(findings)) }
}

/// Connects once without the pool, which would hide behind its own patience why it cannot.
async fn reach(pool: &PgPool) -> Result<(), Distrust> {
    let connection = tokio::time::timeout(PATIENCE, pool.connect_options().connect()).await;
    Ok(connection.map_err(|_| Distrust::Silent)??.close().await?)
}
