//! PostgreSQL inside the program, for machines that have none: nothing to install, for trying the product.
//!
//! The engine is PostgreSQL 17 compiled to WebAssembly (crate `pglite-oxide`). It has one session and
//! answers bytes of PostgreSQL's protocol with bytes. `door` lets one connection after the other in to it
//! through a socket in the data folder, so that the rest of the program needs not know; `wire` reads and
//! writes the few messages that the door itself has to understand. We do not use the crate's own server: it
//! ends for good when a client goes away before it has read its answer, as cancelled requests do.
//!
//! It does not promise what a server does: there is one connection, time limits of statements and
//! transactions have no effect, and what was committed last may be lost when the machine, not the program,
//! goes down.

mod door;
#[cfg(test)]
mod tests;
mod wire;

use self::door::{Door, Visitor};
use pglite_oxide::{Pglite, extensions::BTREE_GIST};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{fs::DirBuilderExt as _, net::UnixListener},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// The engine's own superuser, which owns everything in it.
const SUPERUSER: &str = "postgres";
/// The engine's database.
const DATABASE: &str = "postgres";
/// The name under which clients look for the socket of port 5432, their default.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// Why there is no embedded PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A file or folder cannot be created or used.
    #[error("the embedded PostgreSQL cannot use {}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The engine does not start; another program that uses the folder is one reason.
    #[error("the embedded PostgreSQL does not start in {}: {why}", path.display())]
    NotStarted {
        /// Where its data lies.
        path: PathBuf,
        /// What it said.
        why: String,
    },
    /// The thread of the engine ended.
    #[error("the embedded PostgreSQL ended while it was starting")]
    Ended,
}

/// A running PostgreSQL inside the program, which ends with it.
///
/// Dropped without [`Embedded::stop`], its thread goes on until the program ends.
#[derive(Debug)]
pub struct Embedded {
    folder: PathBuf,
    visitor: Visitor,
    thread: JoinHandle<()>,
}

impl Embedded {
    /// Whether an engine has kept its data under `folder` before.
    pub fn was_here(folder: &Path) -> bool {
        data(folder).exists()
    }

    /// Starts the engine with its data under `folder`, and creates it the first time. Returns when it
    /// answers.
    ///
    /// # Errors
    ///
    /// [`EngineError`] says what the machine could not do.
    pub async fn start(folder: &Path) -> Result<Self, EngineError> {
        let folder = std::path::absolute(folder).map_err(unusable(folder))?;
        let visitor = Visitor::default();
        let (tell, told) = oneshot::channel();
        let (engine_folder, engine_visitor) = (folder.clone(), visitor.clone());
        // The engine runs WebAssembly and waits for whole statements, so it has a thread of its own.
        let thread = thread::Builder::new()
            .name("postgresql".to_owned())
            .spawn(move || run(&engine_folder, engine_visitor, tell))
            .map_err(unusable(&folder))?;
        told.await.map_err(|_| EngineError::Ended)??;
        Ok(Self { folder, visitor, thread })
    }

    /// The folder of the socket, which only its owner can open.
    pub fn socket_dir(&self) -> &Path {
        &self.folder
    }

    /// Where the data lies.
    pub fn data_dir(&self) -> &Path {
        &self.folder
    }

    /// The name under which to connect first: it may do everything, and needs no password.
    pub fn superuser(&self) -> &'static str {
        SUPERUSER
    }

    /// The database, which is there from the beginning.
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// Ends the engine in good order and waits for it; a connection that is still open is cut.
    pub async fn stop(self) {
        let socket = socket(&self.folder);
        let ended = tokio::task::spawn_blocking(move || {
            self.visitor.turn_away(&socket);
            self.thread.join()
        });
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::error!("the embedded PostgreSQL did not end in good order");
        }
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn socket(folder: &Path) -> PathBuf {
    folder.join(SOCKET_NAME)
}

/// The engine's thread: opens it, says so, and stands at the door until it is closed.
fn run(folder: &Path, visitor: Visitor, tell: oneshot::Sender<Result<(), EngineError>>) {
    // Nobody waits for an answer any more when the program was stopped meanwhile.
    match open(folder).and_then(|engine| Ok((engine, listen(folder)?))) {
        Ok((engine, listener)) => {
            drop(tell.send(Ok(())));
            Door::new(listener, visitor).keep(engine, || open(folder));
        }
        Err(error) => drop(tell.send(Err(error))),
    }
}

/// Opens the engine, which makes its data folder ours alone.
fn open(folder: &Path) -> Result<Pglite, EngineError> {
    let path = data(folder);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable(folder))?;
    let engine = Pglite::builder().path(&path).database(DATABASE).extension(BTREE_GIST).open();
    engine.map_err(|error| EngineError::NotStarted { path, why: format!("{error:#}") })
}

/// Listens on the socket; one that is there was left behind, because the data folder is ours.
fn listen(folder: &Path) -> Result<UnixListener, EngineError> {
    let socket = socket(folder);
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(&socket)(error)),
        Ok(()) | Err(_) => UnixListener::bind(&socket).map_err(unusable(&socket)),
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> EngineError {
    |source| EngineError::Unusable { path: path.to_path_buf(), source }
}
