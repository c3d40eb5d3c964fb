//! The database, wherever it runs: how it is reached, and whether it may be trusted.

mod check;
#[cfg(feature = "embedded")]
pub mod embedded;
pub(crate) mod pool;
pub mod private;

pub use check::{Distrust, check};
use log::LevelFilter;
pub use pool::Pool;
use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use std::{path::Path, str::FromStr as _, time::Duration};

/// What the database driver says when a statement fails.
pub type SqlError = sqlx::Error;

/// A statement is slow from here on.
const SLOW: Duration = Duration::from_secs(1);

/// What becomes of a statement that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statements {
    /// It stays prepared on its connection, for the next time.
    #[default]
    Prepared,
    /// Nothing stays: a pooler stands in between, and lends each transaction whichever connection is free.
    Forgotten,
}

/// The database's address.
#[derive(Debug, Clone)]
pub struct Address(PgConnectOptions);

impl Address {
    /// The address in a URL.
    ///
    /// # Errors
    ///
    /// When it is not the URL of a PostgreSQL database.
    pub fn parse(url: &str) -> Result<Self, sqlx::Error> {
        PgConnectOptions::from_str(url).map(Self)
    }

    /// The same place under another login.
    #[must_use]
    pub fn as_user(&self, user: &str) -> Self {
        Self(self.0.clone().username(user))
    }

    /// The same server, another database.
    #[must_use]
    pub fn in_database(&self, database: &str) -> Self {
        Self(self.0.clone().database(database))
    }

    /// The database `database` behind the socket in `folder`.
    pub fn socket(folder: &Path, user: &str, database: &str) -> Self {
        Self(
            PgConnectOptions::new_without_pgpass().socket(folder).username(user).database(database),
        )
    }

    /// Whether the server has a database of this name.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn has_database(&self, name: &str) -> Result<bool, SqlError> {
        self.finds("SELECT 1 FROM pg_database WHERE datname = $1", name).await
    }

    /// Whether the server has a role of this name.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn has_role(&self, name: &str) -> Result<bool, SqlError> {
        self.finds("SELECT 1 FROM pg_roles WHERE rolname = $1", name).await
    }

    async fn finds(&self, sql: &'static str, name: &str) -> Result<bool, SqlError> {
        let mut connection = self.0.connect().await?;
        let found = sqlx::query(sql).bind(name).fetch_optional(&mut connection).await?;
        connection.close().await?;
        Ok(found.is_some())
    }

    /// Carries out one statement as this login.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or refuses.
    pub async fn execute(&self, sql: &str) -> Result<(), SqlError> {
        let mut connection = self.0.connect().await?;
        connection.execute(AssertSqlSafe(sql.to_owned())).await?;
        connection.close().await
    }

    /// The login.
    pub fn user(&self) -> &str {
        self.0.get_username()
    }

    /// The database's name; the login's, when the address names none.
    pub fn database(&self) -> &str {
        self.0.get_database().unwrap_or_else(|| self.user())
    }

    /// Opens a pool for the service. A slow statement is logged like any other, by who wants to see statements: what
    /// callers said may stand in them.
    pub fn pool(&self, connections: u32) -> Pool {
        let options = self.0.clone().application_name("aftercare");
        let options = options.log_slow_statements(LevelFilter::Debug, SLOW);
        Pool::of(options, connections)
    }

    /// Opens one connection for the owner's work: migrations and roles.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn owner(&self) -> Result<DatabaseConnection, sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.0.clone().application_name("aftercare migrate"))
            .await?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    }
}
