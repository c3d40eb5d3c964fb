//! PostgreSQL and Redis of our own, on loopback. PostgreSQL is durable, as in production.

use crate::{
    machine,
    process::{Process, command},
    sql::Psql,
    trouble::Trouble,
};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What differs from PostgreSQL's own defaults: memory for the data, no checkpoint in the middle of a window, and
/// the instant of each commit, from which latencies are taken. `fsync` and `synchronous_commit` stay on.
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "shared_buffers=512MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "track_commit_timestamp=on",
    "max_locks_per_transaction=256",
    "timezone=UTC",
    "log_timezone=UTC",
];

/// A PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres {
    process: Process,
    /// The way to ask it.
    pub(crate) psql: Psql,
}

impl Postgres {
    /// Makes a cluster in `folder` and starts it.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Trouble> {
        let programs = machine::postgres_programs()?;
        let data = folder.join("postgres");
        let sockets = folder.join("run");
        for own in [&data, &sockets] {
            make_for_servant(own)?;
        }
        let mut initdb = command(&programs.join("initdb"), Some(machine::servant()));
        initdb.current_dir("/").arg("-D").arg(&data);
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let made = initdb.output().await.map_err(Trouble::during("initdb cannot be started"))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(Trouble::unexpected(format!("initdb failed: {said}")));
        }
        let port = machine::free_port()?;
        let mut server = command(&programs.join("postgres"), Some(machine::servant()));
        server.current_dir("/").arg("-D").arg(&data).arg("-k").arg(&sockets);
        server.arg("-p").arg(port.to_string());
        for setting in SETTINGS {
            server.arg("-c").arg(setting);
        }
        let mut process = Process::start(server, "PostgreSQL", &folder.join("postgres.log"))?;
        let psql = Psql::new(programs, port, folder.to_owned());
        process.until(|| async { psql.value("postgres", "SELECT 1").await.is_ok() }).await?;
        Ok(Self { process, psql })
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) -> Result<(), Trouble> {
        self.process.end(Signal::INT).await
    }
}

/// A Redis server that keeps nothing.
#[derive(Debug)]
pub(crate) struct Redis {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Redis {
    /// Starts one.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Trouble> {
        let mut redis = Self {
            process: None,
            program: machine::redis_program()?,
            folder: folder.to_owned(),
            port: machine::free_port()?,
        };
        redis.resume().await?;
        Ok(redis)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, as when its machine is lost.
    pub(crate) async fn kill(&mut self) -> Result<(), Trouble> {
        match self.process.take() {
            Some(process) => process.end(Signal::KILL).await,
            None => Ok(()),
        }
    }

    /// Starts it again on its port.
    pub(crate) async fn resume(&mut self) -> Result<(), Trouble> {
        let mut server = command(&self.program, Some(machine::servant()));
        server.current_dir("/").args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        server.arg("--port").arg(self.port.to_string());
        server.arg("--dir").arg(self.folder.join("run"));
        let mut process = Process::start(server, "Redis", &self.folder.join("redis.log"))?;
        let port = self.port;
        process.until(|| pings(port)).await?;
        self.process = Some(process);
        Ok(())
    }
}

async fn pings(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with(b"+PONG"))
    };
    ask.await.unwrap_or(false)
}

/// Makes a folder that belongs to the account of the servers.
fn make_for_servant(folder: &Path) -> Result<(), Trouble> {
    let failed = || Trouble::during(format!("{} cannot be made", folder.display()));
    fs::create_dir_all(folder).map_err(failed())?;
    if machine::is_root() {
        let owner =
            std::process::Command::new("chown").arg(machine::servant()).arg(folder).status();
        owner.map_err(failed())?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed())
}
