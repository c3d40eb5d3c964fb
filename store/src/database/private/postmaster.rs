//! Starting PostgreSQL so that it ends with us, and making sure that it has ended.

use std::fs::{self, File, TryLockError};
use std::io::{self, PipeWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::site::Site;
use super::{ClusterError, not_run, unusable};

/// Runs PostgreSQL, which ends when our end of the pipe on standard input is closed: the kernel
/// does that however we die.
///
/// The reader asks for a fast shutdown, and asks again, because a shell starts programs in the
/// background deaf to SIGINT and PostgreSQL needs a moment to change that. It gives up standard
/// output, which is the lock of those who run. PostgreSQL never has the pipe.
const GUARD: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
postgres=$!
{ read -r line; while kill -INT "$postgres"; do sleep 1; done; } <&3 3<&- >/dev/null 2>&1 &
reader=$!
exec 3<&-
wait "$postgres"
status=$?
kill "$reader"
exit "$status"
"#;
/// How PostgreSQL runs; told at each start, so that a new release may change it.
const SETTINGS: [&str; 17] = [
    // No network: the socket is the only way in, and its name follows from the port.
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    // A commit that was confirmed survives a power cut, here as in production.
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    // Small enough for a laptop beside other work.
    "max_connections=60",
    "shared_buffers=64MB",
    "dynamic_shared_memory_type=posix",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
    // The log goes to standard error and never quotes a statement or a row, which may be about a
    // person.
    "logging_collector=off",
    "log_checkpoints=off",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_timezone=UTC",
    "timezone=UTC",
];
const SOCKET: &str = ".s.PGSQL.5432";
/// The start-up message of protocol 3.0 for our superuser, 50 bytes, and a farewell after it.
const GREETING: &[u8] =
    b"\0\0\0\x32\0\x03\0\0user\0aftercare_cluster\0database\0postgres\0\0X\0\0\0\x04";
/// After a crash PostgreSQL first replays its log, which `max_wal_size` keeps short.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// How long it may take to end by itself, then when asked, then when told to drop everything.
const END_LIMITS: [(Duration, Signal); 3] = [
    (Duration::from_secs(3), Signal::INT),
    (Duration::from_secs(10), Signal::QUIT),
    (Duration::from_secs(5), Signal::QUIT),
];
/// How often we look while we wait: seldom enough to cost nothing, often beside a start of 100 ms.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// PostgreSQL while it runs; dropping this lets it end.
#[derive(Debug)]
pub(super) struct Running {
    shell: Child,
    _pipe: PipeWriter,
}

impl Running {
    /// Waits until PostgreSQL has ended, which we did not ask for.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.shell.wait().await
    }
}

impl Site {
    /// Starts PostgreSQL, once nothing is left of an earlier one, and returns when it answers.
    pub(super) async fn run(&self) -> Result<Running, ClusterError> {
        let lock = self.wait_for_end().await?;
        self.clear_traces()?;
        let mut running = self.spawn(lock)?;
        tokio::select! {
            () = self.wait_for_answer() => Ok(running),
            _ = running.ended() => Err(ClusterError::Ended { log: self.log() }),
            () = sleep(READY_LIMIT) => {
                Err(ClusterError::TooSlow { what: "PostgreSQL did not answer", limit: READY_LIMIT })
            }
        }
    }

    /// Waits until no process of the cluster is left, and helps if that takes long.
    ///
    /// All processes of PostgreSQL inherit the lock that is returned here, so it is free when the
    /// last of them is gone.
    pub(super) async fn wait_for_end(&self) -> Result<File, ClusterError> {
        let (path, file) = self.open_lock("postgres.lock")?;
        for (limit, signal) in END_LIMITS {
            if let Ok(locked) = timeout(limit, lock(&file)).await {
                return locked.map(|()| file).map_err(unusable(&path));
            }
            self.hurry(signal);
        }
        let limit = END_LIMITS.iter().map(|(limit, _)| *limit).sum();
        Err(ClusterError::TooSlow { what: "the PostgreSQL before did not end", limit })
    }

    fn hurry(&self, signal: Signal) {
        let Some(postmaster) = self.postmaster().filter(|pid| !self.is_stranger(*pid)) else {
            return;
        };
        let sent = kill_process(postmaster, signal);
        warn!(
            process.id = postmaster.as_raw_nonzero(),
            ?signal,
            ?sent,
            "PostgreSQL is slow to end"
        );
    }

    /// The first process of this cluster, in PostgreSQL's own words, which are out of date after a
    /// crash.
    fn postmaster(&self) -> Option<Pid> {
        let written = fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?;
        let mut lines = written.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?);
        pid.filter(|_| lines.next().is_some_and(|folder| Path::new(folder) == self.cluster))
    }

    /// Whether this process works elsewhere than in our cluster's folder, and so cannot be its
    /// postmaster.
    fn is_stranger(&self, pid: Pid) -> bool {
        let place = format!("/proc/{}/cwd", pid.as_raw_nonzero());
        fs::read_link(place).is_ok_and(|folder| folder != self.cluster)
    }

    /// Removes what a killed PostgreSQL left behind if the next would stumble over it.
    ///
    /// Process numbers are given out again. PostgreSQL believes that the number it finds is still
    /// its own, and gives up.
    fn clear_traces(&self) -> Result<(), ClusterError> {
        self.private_folder(&self.socket)?;
        remove_if_there(&self.socket.join(format!("{SOCKET}.lock")))?;
        if self.postmaster().is_some_and(|pid| self.is_stranger(pid)) {
            remove_if_there(&self.cluster.join("postmaster.pid"))?;
        }
        Ok(())
    }

    fn spawn(&self, lock: File) -> Result<Running, ClusterError> {
        let shell = Path::new("/bin/sh");
        let (theirs, ours) = io::pipe().map_err(not_run(shell))?;
        let path = self.log();
        let log = File::options().append(true).create(true).mode(0o600).open(&path);
        let mut command = self.command(shell);
        command.args(["-c", GUARD, "sh"]).arg(self.programs.folder().join("postgres"));
        command.arg("-D").arg(&self.cluster).arg("-k").arg(&self.socket);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command.stdin(theirs).stdout(lock).stderr(log.map_err(unusable(&path))?);
        let shell = command.spawn().map_err(not_run(shell))?;
        Ok(Running { shell, _pipe: ours })
    }

    async fn wait_for_answer(&self) {
        while !self.answers().await.unwrap_or(false) {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Whether PostgreSQL lets us in: its answer begins with R then, and with E while it is still
    /// starting.
    async fn answers(&self) -> io::Result<bool> {
        let mut stream = UnixStream::connect(self.socket.join(SOCKET)).await?;
        stream.write_all(GREETING).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer.starts_with(b"R"))
    }
}

async fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => sleep(LOOK_AGAIN).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn remove_if_there(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
