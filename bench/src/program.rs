//! The program that is measured, in its roles, as an operator would run it.

use crate::{
    http::{self, Answer},
    machine,
    process::{Process, command},
    servers::Redis,
    sql::{LOGIN, Psql},
    trouble::Trouble,
};
use rustix::process::Signal;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::{process::Command, time::Instant};

/// Connections that each process has: as many as pgbench has clients.
const DATABASE_CONNECTIONS: &str = "16";
/// Transactions that a worker has in flight at once: one for each connection.
const SLOTS: u32 = 16;
/// Jobs that others have in flight at once, and that a loop in SQL takes at once.
pub(crate) const BATCH: u32 = 64;
/// What one caller may send in a second: more than anything here does, for limits are not what is measured. They
/// are counted all the same.
const RATE: &str = "1000000";

/// Who issues tokens, whichever process it is.
pub(crate) const ISSUER: &str = "http://aftercare.localhost";
/// Asks whether a process is ready; the database has to answer for it.
pub(crate) const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n";

/// The role that owns the schema.
const OWNER: &str = "aftercare_owner";

/// The program, and what it stands on.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    file: PathBuf,
    folder: PathBuf,
    psql: Psql,
    redis_url: String,
}

/// A role of the program that runs.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    /// Where the API is, or would be.
    pub(crate) place: SocketAddr,
}

impl Program {
    /// The program in `file`, which keeps what it must in `folder`.
    pub(crate) fn new(file: PathBuf, folder: PathBuf, psql: Psql, redis: &Redis) -> Self {
        Self { file, folder, psql, redis_url: redis.url() }
    }

    /// Makes a database with the schema of the program and nothing in it.
    pub(crate) async fn migrate(&self, database: &str) -> Result<(), Trouble> {
        let made = format!("CREATE DATABASE {database} OWNER {OWNER} TEMPLATE template0;");
        self.psql.run("postgres", &made).await?;
        let mut migrate = self.command("migrate", database);
        migrate.env("AFTERCARE_MIGRATION_DATABASE_URL", self.psql.url(database, OWNER));
        let done = migrate.output().await;
        let done = done.map_err(Trouble::during("the program cannot be started"))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(Trouble::unexpected(format!("migrate: {}", said.trim())))
    }

    /// Makes the role that owns the schema of all databases.
    pub(crate) async fn make_owner(&self) -> Result<(), Trouble> {
        let role = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE");
        self.psql.run("postgres", &role).await.map(drop)
    }

    /// Starts the API on a database.
    pub(crate) async fn api(&self, database: &str) -> Result<Running, Trouble> {
        self.start(self.command("api", database), "api").await
    }

    /// Starts a worker on a database.
    pub(crate) async fn worker(&self, database: &str) -> Result<Running, Trouble> {
        self.start(self.command("worker", database), "worker").await
    }

    /// Starts everything in one process with a cluster of its own in `data`.
    pub(crate) async fn all(&self, data: &Path) -> Result<Running, Trouble> {
        let mut all = self.bare("all", data);
        all.env("AFTERCARE_POSTGRES_DIR", self.psql.programs());
        self.start(all, "all").await
    }

    async fn start(&self, mut command: Command, role: &str) -> Result<Running, Trouble> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (place, admin) = (loopback(machine::free_port()?), loopback(machine::free_port()?));
        command.env("AFTERCARE_BIND", place.to_string());
        command.env("AFTERCARE_ADMIN_BIND", admin.to_string());
        let log = self.folder.join(format!("{role}.log"));
        let mut process = Process::start(command, role, &log)?;
        process.until(|| async move { is_ready(admin).await }).await?;
        Ok(Running { process, place })
    }

    fn command(&self, role: &str, database: &str) -> Command {
        let mut command = self.bare(role, &self.folder.join("data"));
        command.env("AFTERCARE_DATABASE_URL", self.psql.url(database, LOGIN));
        command.env("AFTERCARE_REDIS_URL", &self.redis_url);
        command
    }

    fn bare(&self, role: &str, data: &Path) -> Command {
        let mut command = command(&self.file, None);
        command.arg(role).current_dir(&self.folder).env("AFTERCARE_DATA_DIR", data);
        command.env("AFTERCARE_DATABASE_CONNECTIONS", DATABASE_CONNECTIONS);
        command.env("AFTERCARE_WORKER_SLOTS", SLOTS.to_string());
        command.env("AFTERCARE_CALLER_RATE", RATE).env("AFTERCARE_TENANT_RATE", RATE);
        // The name in tokens, so that each process knows those of the others.
        command.env("AFTERCARE_PUBLIC_URL", ISSUER);
        command.env("AFTERCARE_LOG", "warn");
        // As the image sets them.
        command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0").env("MIMALLOC_PURGE_DELAY", "50");
        command
    }
}

/// Whether who is there is ready.
pub(crate) async fn is_ready(admin: SocketAddr) -> bool {
    let asked = http::once(admin, READY).await;
    asked.is_ok_and(|Answer { status, .. }| status == 200)
}

impl Running {
    /// The memory it has in use, in MB.
    pub(crate) fn resident_mb(&self) -> u32 {
        self.process.resident_mb()
    }

    /// Ends it in good order.
    pub(crate) async fn stop(self) -> Result<(), Trouble> {
        self.process.end(Signal::TERM).await
    }
}

/// How long something took, in milliseconds.
pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
