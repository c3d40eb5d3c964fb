//! The ground the service stands on: which database it uses, and that it is fit to be used.
//!
//! A server by URL, or else a database of the program's own.

mod own;

use crate::settings::{Secret, Settings};
use own::{Own, Owned};
use std::time::Duration;
use store::{
    Chance, Clock, Store,
    database::{Address, Distrust, private::ClusterError},
    wake::Waker,
};
use tokio::time::timeout;

/// How long connections may take to close at the end. A request that was given up may hold one for longer.
const CLOSING: Duration = Duration::from_secs(3);

/// Why there is no ground to stand on.
#[derive(Debug, thiserror::Error)]
pub enum Sinking {
    /// The URL is not one.
    #[error("{name} is not the URL of a PostgreSQL database")]
    Url {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Migrating needs the owner's login.
    #[error(
        "migrate needs AFTERCARE_MIGRATION_DATABASE_URL: the same database by the role that owns the schema"
    )]
    NoOwner,
    /// There is neither a URL nor PostgreSQL on this machine.
    #[error(
        "there is no database: set AFTERCARE_DATABASE_URL, install PostgreSQL 15 or newer, or build \
         Aftercare with PostgreSQL inside (cargo build --features embedded)"
    )]
    Nowhere,
    /// The embedded database is wanted, and this program has none.
    #[error(
        "this program was built without PostgreSQL inside: build it with cargo build --features embedded"
    )]
    NotInside,
    /// The private cluster does not start.
    #[error("the private PostgreSQL does not start")]
    Private(#[from] ClusterError),
    /// The embedded PostgreSQL does not start.
    #[cfg(feature = "embedded")]
    #[error("the embedded PostgreSQL does not start")]
    Embedded(#[from] store::database::embedded::EngineError),
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database must not be used as it is.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// There is no place for files.
    #[error("AFTERCARE_STORAGE_URL is no place for files")]
    Files(#[from] store::files::NoFiles),
    /// Redis's address is not one.
    #[error("AFTERCARE_REDIS_URL is not the URL of a Redis server")]
    Redis(#[from] store::wake::NoRedis),
}

/// A database that was checked, and what keeps it alive.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The store on it.
    pub(crate) store: Store,
    /// What it is, in words for the banner.
    pub(crate) says: String,
    /// Whether the database is the program's own, and so may be seeded with the demo.
    pub(crate) is_own: bool,
    own: Option<Own>,
}

impl Ground {
    /// Finds or brings a database, and refuses one whose walls do not hold.
    ///
    /// # Errors
    ///
    /// [`Sinking`] says what is missing.
    pub(crate) async fn find(settings: &Settings) -> Result<Self, Sinking> {
        let (login, own, says) = if let Some(url) = &settings.database_url {
            (address("AFTERCARE_DATABASE_URL", url)?, None, "a PostgreSQL server".to_owned())
        } else {
            let Owned { own, login } = Own::start(settings).await?;
            let says = own.to_string();
            (login, Some(own), says)
        };
        let most = own.as_ref().and_then(Own::most_connections).unwrap_or(u32::MAX);
        store::database::check(&login, &migrations::names()).await?;
        let pool = login.pool(settings.database_connections.min(most));
        let waker = match &settings.redis_url {
            Some(url) => Waker::through(url.reveal(), login.database())?,
            None => Waker::default(),
        };
        let statements = settings.database_pooler.into();
        let store = Store::new(pool, statements, Clock::Machine, Chance::System, waker);
        let store = store.keeping(settings.files()?);
        Ok(Self { store, says, is_own: own.is_some(), own })
    }

    /// Brings the schema of a server up to date and lets the login role in.
    ///
    /// # Errors
    ///
    /// [`Sinking`] says what is missing.
    pub(crate) async fn migrate(settings: &Settings) -> Result<(), Sinking> {
        let owner = settings.migration_database_url.as_ref().ok_or(Sinking::NoOwner)?;
        let owner = address("AFTERCARE_MIGRATION_DATABASE_URL", owner)?;
        let login = settings.database_url.as_ref();
        let login = login.map(|url| address("AFTERCARE_DATABASE_URL", url)).transpose()?;
        let password = settings.database_url.as_ref().and_then(|url| password(url.reveal()));
        raise(&owner, login.as_ref().map(Address::user), password.as_deref()).await
    }

    /// Ends a database of our own in good order.
    pub(crate) async fn leave(self) {
        if timeout(CLOSING, self.store.close()).await.is_err() {
            tracing::warn!("connections to the database were still in use at the end");
        }
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

fn address(name: &'static str, url: &Secret) -> Result<Address, Sinking> {
    Address::parse(url.reveal()).map_err(|source| Sinking::Url { name, source: source.into() })
}

/// The password in a URL, for creating the login role.
fn password(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, _) = rest.rsplit_once('@')?;
    let (_, password) = credentials.split_once(':')?;
    percent_encoding::percent_decode_str(password).decode_utf8().ok().map(Into::into)
}

/// Migrates and lets the login role in.
async fn raise(
    owner: &Address,
    login: Option<&str>,
    password: Option<&str>,
) -> Result<(), Sinking> {
    let connection = owner.owner().await.map_err(|error| Sinking::Migration(error.into()))?;
    let failed = |error: migrations::DbErr| Sinking::Migration(error.into());
    migrations::migrate(&connection).await.map_err(failed)?;
    if let Some(login) = login {
        migrations::admit(&connection, login, password).await.map_err(failed)?;
    }
    // A database that has one connection is waiting for it.
    connection.close().await.map_err(failed)
}
