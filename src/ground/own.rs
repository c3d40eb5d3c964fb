//! A database of the program's own: which one, and how it is furnished the first time.
//!
//! A private cluster where PostgreSQL's programs are on the machine; else the PostgreSQL inside the program,
//! where it was built with one. Whichever has kept data in the data folder goes on keeping it.

use super::{Sinking, raise};
use crate::settings::{OwnDatabase, Settings};
use std::fmt;
#[cfg(feature = "embedded")]
use store::database::embedded::Embedded;
use store::database::{
    Address,
    private::{Cluster, Programs, find_programs},
};

/// The role the service logs in as.
const LOGIN: &str = "aftercare_login";
/// The role that owns the schema. Not a superuser: the walls hold for it.
const OWNER: &str = "aftercare_owner";
/// The name of the database in a private cluster.
const DATABASE: &str = "aftercare";
/// Where a private cluster lies in the data folder.
const PRIVATE_FOLDER: &str = "postgres";
/// Where the PostgreSQL inside the program keeps its data in the data folder.
const EMBEDDED_FOLDER: &str = "embedded";

/// A database that lives and ends with the program.
#[derive(Debug)]
pub(super) enum Own {
    /// The machine's PostgreSQL, run by us.
    Private(Cluster),
    /// PostgreSQL inside the program.
    #[cfg(feature = "embedded")]
    Embedded(Embedded),
}

/// A database of the program's own, furnished, and where the service logs in.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) own: Own,
    pub(super) login: Address,
}

/// Which database it will be.
enum Choice {
    Private(Programs),
    Embedded,
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private(cluster) => {
                write!(f, "a private PostgreSQL in {}", cluster.data_dir().display())
            }
            #[cfg(feature = "embedded")]
            Self::Embedded(engine) => write!(
                f,
                "the PostgreSQL inside the program, with its data in {} (for trying: one connection, and the last \
                 moments may be lost with the machine)",
                engine.data_dir().display()
            ),
        }
    }
}

impl Own {
    /// Starts a database and brings its schema up to date.
    pub(super) async fn start(settings: &Settings) -> Result<Owned, Sinking> {
        match choose(settings)? {
            Choice::Private(programs) => private(&programs, settings).await,
            Choice::Embedded => embedded(settings).await,
        }
    }

    /// How many connections it can have, where that is fewer than one would like.
    pub(super) fn most_connections(&self) -> Option<u32> {
        match self {
            Self::Private(_) => None,
            #[cfg(feature = "embedded")]
            Self::Embedded(_) => Some(1),
        }
    }

    /// Ends it in good order.
    pub(super) async fn stop(self) {
        match self {
            Self::Private(cluster) => cluster.stop().await,
            #[cfg(feature = "embedded")]
            Self::Embedded(engine) => engine.stop().await,
        }
    }
}

fn choose(settings: &Settings) -> Result<Choice, Sinking> {
    let kept = |folder: &str| settings.data_dir.join(folder).exists();
    let stays = kept(EMBEDDED_FOLDER) && !kept(PRIVATE_FOLDER);
    let wanted = settings.own_database.or(stays.then_some(OwnDatabase::Embedded));
    if wanted == Some(OwnDatabase::Embedded) {
        return Ok(Choice::Embedded);
    }
    let path = std::env::var_os("PATH");
    let programs = find_programs(path.as_deref(), settings.postgres_dir.as_deref());
    match programs {
        Some(programs) => Ok(Choice::Private(programs)),
        None if wanted.is_none() && cfg!(feature = "embedded") => Ok(Choice::Embedded),
        None => Err(Sinking::Nowhere),
    }
}

async fn private(programs: &Programs, settings: &Settings) -> Result<Owned, Sinking> {
    let cluster = Cluster::start(programs, &settings.data_dir.join(PRIVATE_FOLDER)).await?;
    let bootstrap = Address::socket(cluster.socket_dir(), cluster.superuser(), "postgres");
    make_owner(&bootstrap).await?;
    if !bootstrap.has_database(DATABASE).await.map_err(unmade)? {
        let database = format!("CREATE DATABASE {DATABASE} OWNER {OWNER}");
        bootstrap.execute(&database).await.map_err(unmade)?;
    }
    let owner = bootstrap.in_database(DATABASE).as_user(OWNER);
    raise(&owner, Some(LOGIN), None).await?;
    Ok(Owned { own: Own::Private(cluster), login: owner.as_user(LOGIN) })
}

#[cfg(feature = "embedded")]
async fn embedded(settings: &Settings) -> Result<Owned, Sinking> {
    let engine = Embedded::start(&settings.data_dir.join(EMBEDDED_FOLDER)).await?;
    let bootstrap = Address::socket(engine.socket_dir(), engine.superuser(), engine.database());
    make_owner(&bootstrap).await?;
    let database = engine.database();
    let hand_over =
        format!("ALTER DATABASE {database} OWNER TO {OWNER}; ALTER SCHEMA public OWNER TO {OWNER}");
    bootstrap.execute(&hand_over).await.map_err(unmade)?;
    let owner = bootstrap.as_user(OWNER);
    raise(&owner, Some(LOGIN), None).await?;
    Ok(Owned { own: Own::Embedded(engine), login: owner.as_user(LOGIN) })
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "with the feature, it waits for the engine")]
async fn embedded(_: &Settings) -> Result<Owned, Sinking> {
    Err(Sinking::NotInside)
}

/// Makes the role that will own the schema, the first time.
async fn make_owner(bootstrap: &Address) -> Result<(), Sinking> {
    if !bootstrap.has_role(OWNER).await.map_err(unmade)? {
        let role = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE");
        bootstrap.execute(&role).await.map_err(unmade)?;
    }
    Ok(())
}

fn unmade(error: store::database::SqlError) -> Sinking {
    Sinking::Migration(error.into())
}
