//! A PostgreSQL of the program's own: created, started, watched over and ended by the program that
//! uses it.
//!
//! `programs` finds it on the machine, `site` settles where its data lies and creates it,
//! `postmaster` starts and ends it. The data folder then holds `cluster` (the data), `socket`,
//! `postgresql.log` and two locks.

mod postmaster;
mod programs;
mod site;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::{error, info, warn};

use self::postmaster::Running;
pub use self::programs::{Programs, find_programs};
use self::site::Site;

/// The name under which the program connects first; it owns everything in the cluster.
const SUPERUSER: &str = "aftercare_cluster";
/// The pause before PostgreSQL is started again: long enough for a loop of crashes to leave the
/// machine usable.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The pause doubles while starting fails, up to this: a person who frees the disk does not wait
/// long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A file or folder of the cluster cannot be created, read or given to its user.
    #[error("the private PostgreSQL cannot use {}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another program has started this cluster and still runs.
    #[error("another program uses the data folder {}: end it, or name another folder", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// There is a cluster that somebody else created, which we leave as it is.
    #[error("{} is a PostgreSQL cluster that Aftercare did not create: name another folder", path.display())]
    Foreign {
        /// Where that cluster lies.
        path: PathBuf,
    },
    /// The cluster was created by another major version than the one that was found.
    #[error("the data is of PostgreSQL {cluster}, the programs in {} are of {programs}: name the folder of the programs of {cluster}", folder.display())]
    OtherVersion {
        /// The major version that created the cluster.
        cluster: String,
        /// The major version that was found.
        programs: u32,
        /// Where it was found.
        folder: PathBuf,
    },
    /// We run as root, which PostgreSQL refuses, and there is no other account.
    #[error("PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`")]
    NoAccount,
    /// A program cannot be run at all.
    #[error("{} cannot be run", program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// PostgreSQL did not create the cluster.
    #[error("initdb did not create a cluster: {said}")]
    NotCreated {
        /// What it said.
        said: String,
    },
    /// PostgreSQL ended before it answered.
    #[error("PostgreSQL ended while it was starting; {} says why", log.display())]
    Ended {
        /// Its log.
        log: PathBuf,
    },
    /// Something took longer than it may.
    #[error("{what} within {} seconds", limit.as_secs())]
    TooSlow {
        /// What did not happen.
        what: &'static str,
        /// How long it may take.
        limit: Duration,
    },
}

/// A running PostgreSQL that belongs to this program alone and ends with it, however the program
/// ends.
///
/// Dropped without [`Cluster::stop`], it ends as well, only nobody waits for it; until it has ended,
/// the folder is in use.
#[derive(Debug)]
pub struct Cluster {
    site: Site,
    stop: oneshot::Sender<()>,
    supervisor: JoinHandle<()>,
}

impl Cluster {
    /// Starts the cluster under `data_dir`, and creates it the first time.
    ///
    /// Returns when PostgreSQL answers. From then on a task starts it again whenever it dies.
    ///
    /// # Errors
    /// [`ClusterError::InUse`] while another program runs this cluster, [`ClusterError::Foreign`]
    /// and [`ClusterError::OtherVersion`] for data that is not ours to run, else what the machine
    /// could not do.
    pub async fn start(programs: &Programs, data_dir: &Path) -> Result<Cluster, ClusterError> {
        let site = Site::choose(programs, data_dir).await?;
        let owner = site.claim()?;
        if !site.is_created()? {
            site.create().await?;
        }
        site.set_log_aside()?;
        let running = site.run().await?;
        info!(cluster.folder = %site.folder.display(), "the private PostgreSQL answers");
        let (stop, stopped) = oneshot::channel();
        #[expect(
            clippy::disallowed_methods,
            reason = "it serves no request, holds no row, and ends with the cluster"
        )]
        let supervisor = tokio::spawn(supervise(site.clone(), owner, running, stopped));
        Ok(Cluster { site, stop, supervisor })
    }

    /// The folder of the socket, which only the cluster's user and root can open.
    pub fn socket_dir(&self) -> &Path {
        &self.site.socket
    }

    /// Where the data really lies: elsewhere than asked for if PostgreSQL's account cannot go
    /// there.
    pub fn data_dir(&self) -> &Path {
        &self.site.folder
    }

    /// The name under which to connect: it may do everything, and needs no password.
    pub fn superuser(&self) -> &'static str {
        SUPERUSER
    }

    /// Ends PostgreSQL in good order and waits for it, at most 18 seconds; open connections are
    /// cut.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.supervisor.await {
            error!(%error, "the task that watches over PostgreSQL was lost");
        }
    }
}

/// Keeps PostgreSQL running until the cluster is stopped or dropped, then waits for its end.
async fn supervise(site: Site, owner: File, first: Running, stopped: oneshot::Receiver<()>) {
    tokio::select! {
        never = keep_running(&site, first) => match never {},
        _ = stopped => {}
    }
    // What ran, or was about to run, has just been dropped, and so begins to end.
    if let Err(error) = site.wait_for_end().await {
        error!(%error, "the private PostgreSQL was left behind");
    }
    drop(owner);
}

async fn keep_running(site: &Site, mut running: Running) -> Infallible {
    loop {
        let status = running.ended().await;
        warn!(?status, log = %site.log().display(), "PostgreSQL died and is started again");
        drop(running);
        running = start_again(site).await;
    }
}

async fn start_again(site: &Site) -> Running {
    let mut pause = FIRST_PAUSE;
    loop {
        sleep(pause).await;
        match site.run().await {
            Ok(running) => return running,
            Err(fault) => {
                let error: &(dyn Error + 'static) = &fault;
                error!(error, "PostgreSQL does not start");
            }
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    |source| ClusterError::Unusable { path: path.to_path_buf(), source }
}

fn not_run(program: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    |source| ClusterError::NotRun { program: program.to_path_buf(), source }
}
