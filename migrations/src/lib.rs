//! The history of the schema. A migration, once released, is never edited.

mod m0001_house;
mod m0002_tenancy;
mod m0003_customers;
mod m0004_sops;
mod m0005_allowances;
mod m0006_maintenance;
mod m0007_voice;
mod m0008_operator;
mod m0009_lists;
mod m0010_flights;
mod m0011_waits;
mod m0012_inventory;
mod m0013_library;
mod m0014_findings;
mod m0015_runs;
mod m0016_allowances;
mod m0017_calendars;
mod m0018_clocks;
mod m0019_sealed_log;
mod m0020_course;
mod m0021_talk;
mod m0022_quality;
mod m0023_measure;
mod m0024_complaint_pages;
mod owned;

pub use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbBackend, Statement},
};

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrations;

#[async_trait::async_trait]
impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_house::Migration),
            Box::new(m0002_tenancy::Migration),
            Box::new(m0003_customers::Migration),
            Box::new(m0004_sops::Migration),
            Box::new(m0005_allowances::Migration),
            Box::new(m0006_maintenance::Migration),
            Box::new(m0007_voice::Migration),
            Box::new(m0008_operator::Migration),
            Box::new(m0009_lists::Migration),
            Box::new(m0010_flights::Migration),
            Box::new(m0011_waits::Migration),
            Box::new(m0012_inventory::Migration),
            Box::new(m0013_library::Migration),
            Box::new(m0014_findings::Migration),
            Box::new(m0015_runs::Migration),
            Box::new(m0016_allowances::Migration),
            Box::new(m0017_calendars::Migration),
            Box::new(m0018_clocks::Migration),
            Box::new(m0019_sealed_log::Migration),
            Box::new(m0020_course::Migration),
            Box::new(m0021_talk::Migration),
            Box::new(m0022_quality::Migration),
            Box::new(m0023_measure::Migration),
            Box::new(m0024_complaint_pages::Migration),
        ]
    }
}

/// The names of all migrations, oldest first.
pub fn names() -> Vec<String> {
    Migrations::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Names the lock under which migrations run: "aftercar" in ASCII.
const LOCK: i64 = 0x6166_7465_7263_6172;

/// Three roles nobody logs in as. Every transaction takes the one it needs (`SET LOCAL ROLE`), so one that
/// forgets to can read nothing at all.
const ROLES: [&str; 3] = ["aftercare_app", "aftercare_dispatch", "aftercare_auth"];

/// Brings the schema up to date. Several programs may try at once: one migrates, the others wait and
/// find nothing to do.
///
/// `connection` must be a pool of one, because the lock belongs to the session.
///
/// # Errors
///
/// [`DbErr`] when a step fails; steps before it stay.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = format!("SELECT pg_advisory_lock({LOCK})");
    connection.execute_unprepared(&lock).await?;
    let migrated = up(connection).await;
    let unlock = format!("SELECT pg_advisory_unlock({LOCK})");
    connection.execute_unprepared(&unlock).await?;
    migrated
}

async fn up(connection: &DatabaseConnection) -> Result<(), DbErr> {
    for role in ROLES {
        create_role(connection, role, "NOLOGIN").await?;
    }
    Migrations::up(connection, None).await
}

/// Lets the role `login` do the service's work, creating it when it is not there.
///
/// It logs in, owns nothing, and inherits nothing: every transaction takes the role it needs.
///
/// # Errors
///
/// [`DbErr`] when the role of this connection may not create roles.
pub async fn admit(
    connection: &DatabaseConnection,
    login: &str,
    password: Option<&str>,
) -> Result<(), DbErr> {
    let secret = password.map(|password| format!(" PASSWORD '{}'", password.replace('\'', "''")));
    let rights = format!("LOGIN NOINHERIT{}", secret.unwrap_or_default());
    create_role(connection, login, &rights).await?;
    let grant = format!("GRANT {} TO {}", ROLES.join(", "), quoted(login));
    connection.execute_unprepared(&grant).await?;
    Ok(())
}

/// Creates a role unless it is there. Roles belong to the whole server, and the lock of a migration to one
/// database: two databases may create the same role at the same instant, and then one of them finds it made.
async fn create_role(
    connection: &DatabaseConnection,
    name: &str,
    rights: &str,
) -> Result<(), DbErr> {
    let sql = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    let find = || Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]);
    if connection.query_one_raw(find()).await?.is_some() {
        return Ok(());
    }
    let create = format!("CREATE ROLE {} {rights}", quoted(name));
    match connection.execute_unprepared(&create).await {
        Ok(_) => Ok(()),
        Err(refused) => {
            let made_meanwhile = connection.query_one_raw(find()).await?.is_some();
            if made_meanwhile { Ok(()) } else { Err(refused) }
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
