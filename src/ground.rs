//! The ground the service stands on: which database it uses, and that it is fit to be used.
//!
//! A server by URL; else a private cluster, where PostgreSQL's programs are on the machine.

use crate::settings::{Secret, Settings};
use store::{
    Chance, Clock, Store,
    database::{
        Address, Distrust,
        private::{Cluster, ClusterError, Programs, find_programs},
    },
    wake::Waker,
};

/// The role the service logs in as, on a database of its own.
const LOGIN: &str = "aftercare_login";
/// The role that owns the schema, on a database of its own. Not a superuser: the walls hold for it.
const OWNER: &str = "aftercare_owner";
/// The name of a database of our own.
const DATABASE: &str = "aftercare";

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
    #[error("there is no database: set AFTERCARE_DATABASE_URL or install PostgreSQL 15 or newer")]
    Nowhere,
    /// The private cluster does not start.
    #[error("the private PostgreSQL does not start")]
    Private(#[from] ClusterError),
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database must not be used as it is.
    #[error(transparent)]
    Distrust(#[from] Distrust),
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
    cluster: Option<Cluster>,
}

impl Ground {
    /// Finds or brings a database, and refuses one whose walls do not hold.
    ///
    /// # Errors
    ///
    /// [`Sinking`] says what is missing.
    pub(crate) async fn find(settings: &Settings) -> Result<Self, Sinking> {
        let (login, cluster, says) = match &settings.database_url {
            Some(url) => {
                (address("AFTERCARE_DATABASE_URL", url)?, None, "a PostgreSQL server".to_owned())
            }
            None => own(settings).await?,
        };
        let pool = login.pool(settings.database_connections);
        store::database::check(&pool, &migrations::names()).await?;
        let waker = match &settings.redis_url {
            Some(url) => Waker::through(url.reveal())?,
            None => Waker::default(),
        };
        let store = Store::new(pool, Clock::Machine, Chance::System, waker);
        Ok(Self { store, says, is_own: cluster.is_some(), cluster })
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
        self.store.close().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
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

/// A database of our own: the private cluster.
async fn own(settings: &Settings) -> Result<(Address, Option<Cluster>, String), Sinking> {
    let path = std::env::var_os("PATH");
    let programs = find_programs(path.as_deref(), settings.postgres_dir.as_deref());
    let programs = programs.ok_or(Sinking::Nowhere)?;
    let (login, cluster) = private(&programs, settings).await?;
    let says = format!("a private PostgreSQL in {}", cluster.data_dir().display());
    Ok((login, Some(cluster), says))
}

async fn private(programs: &Programs, settings: &Settings) -> Result<(Address, Cluster), Sinking> {
    let cluster = Cluster::start(programs, &settings.data_dir.join("postgres")).await?;
    let bootstrap = Address::socket(cluster.socket_dir(), cluster.superuser(), "postgres");
    furnish(&bootstrap).await?;
    let owner = bootstrap.in_database(DATABASE).as_user(OWNER);
    raise(&owner, Some(LOGIN), None).await?;
    Ok((owner.as_user(LOGIN), cluster))
}

/// Makes the owner and the database in a cluster of our own, the first time.
async fn furnish(bootstrap: &Address) -> Result<(), Sinking> {
    let failed = |error: store::database::SqlError| Sinking::Migration(error.into());
    if bootstrap.has_database(DATABASE).await.map_err(failed)? {
        return Ok(());
    }
    let role = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE");
    let database = format!("CREATE DATABASE {DATABASE} OWNER {OWNER}");
    for sql in [role, database] {
        bootstrap.execute(&sql).await.map_err(failed)?;
    }
    Ok(())
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
    Ok(())
}
