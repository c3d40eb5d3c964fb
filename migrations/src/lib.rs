//! The history of the schema. A migration, once released, is never edited.

mod m0001_house;
mod m0002_tenancy;
mod m0003_customers;
mod m0004_sops;
mod m0005_allowances;
mod m0006_maintenance;
mod m0007_voice;
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
        ]
    }
}

/// Names the lock under which migrations run: "aftercar" in ASCII.
const LOCK: i64 = 0x6166_7465_7263_6172;

/// The names of all steps: a database that lacks one is not ready for this program.
pub fn names() -> Vec<String> {
    Migrations::migrations().iter().map(|step| step.name().to_owned()).collect()
}

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
    let migrated = Migrations::up(connection, None).await;
    let unlock = format!("SELECT pg_advisory_unlock({LOCK})");
    connection.execute_unprepared(&unlock).await?;
    migrated
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
    let sql = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    let find = Statement::from_sql_and_values(DbBackend::Postgres, sql, [login.into()]);
    let name = login.replace('"', "\"\"");
    if connection.query_one_raw(find).await?.is_none() {
        let secret =
            password.map(|password| format!(" PASSWORD '{}'", password.replace('\'', "''")));
        let create = format!(
            "DO $$ BEGIN CREATE ROLE \"{name}\" LOGIN NOINHERIT{};
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
            secret.unwrap_or_default().replace("$$", "")
        );
        connection.execute_unprepared(&create).await?;
    }
    let grant = format!("GRANT aftercare_app, aftercare_dispatch, aftercare_auth TO \"{name}\"");
    connection.execute_unprepared(&grant).await?;
    Ok(())
}
