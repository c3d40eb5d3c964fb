//! Real processes: started, stopped, continued, killed. None outlives the storm.

use crate::{Trouble, chance::Chance};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Ties a process to the one that started it, and runs it as another user. Where it is missing, as on macOS, a storm that
/// is killed leaves its processes behind.
const SETPRIV: &str = "/usr/bin/setpriv";
/// As whom PostgreSQL runs when we are root, which it refuses.
const SERVER_USER: &str = "postgres";
/// Below the range from which systems take ports for outgoing connections: a process that is started again must find
/// its port free.
const PORT_FIRST: u64 = 20_000;
const PORT_COUNT: u64 = 12_000;
/// How often another port is tried.
const PORT_TRIES: u32 = 100;
/// Between two looks at something that is waited for.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a process may take to be ready, on a machine that is busy.
pub(crate) const READY_LIMIT: Duration = Duration::from_mins(1);

/// As whom a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// As ourselves.
    Same,
    /// As ourselves, unless we are root.
    Server,
}

/// How a process is started.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) user: User,
    /// What it says is added to this file.
    pub(crate) log: PathBuf,
}

/// A process at work. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Recipe {
    /// Starts the process.
    pub(crate) fn start(&self) -> Result<Process, Trouble> {
        let log = self.log()?;
        let child = self.command().stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Process { name: self.name.clone(), child })
    }

    /// Runs the process to its end; answers what it printed.
    pub(crate) async fn run(&self) -> Result<String, Trouble> {
        let output = self.command().stdout(Stdio::piped()).stderr(self.log()?).output().await?;
        if !output.status.success() {
            let (name, log) = (&self.name, self.log.display());
            return Err(format!("{name} failed ({}); see {log}", output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn log(&self) -> std::io::Result<File> {
        OpenOptions::new().append(true).create(true).open(&self.log)
    }

    fn command(&self) -> Command {
        let mut command = if Path::new(SETPRIV).exists() {
            let mut command = Command::new(SETPRIV);
            command.args(["--pdeathsig", "KILL"]);
            if self.user == User::Server && geteuid().is_root() {
                command.args(["--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups"]);
            }
            command.arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.args(&self.arguments).env_clear().env("PATH", "/usr/bin:/bin");
        command.envs(self.environment.iter().cloned()).current_dir("/");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

impl Process {
    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let id = id.ok_or_else(|| format!("{} has ended by itself", self.name))?;
        Ok(kill_process(id, signal)?)
    }

    /// Kills it, and returns when it is gone.
    pub(crate) async fn kill(mut self) -> Result<(), Trouble> {
        self.signal(Signal::KILL)?;
        self.child.wait().await?;
        Ok(())
    }

    /// Asks it to end at once in good order, and returns when it has.
    pub(crate) async fn end(mut self) -> Result<(), Trouble> {
        self.signal(Signal::INT)?;
        self.child.wait().await?;
        Ok(())
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

/// Starts something again and again until it answers: what was killed may need a moment before its place is free.
pub(crate) async fn start_until_ready(
    recipe: &Recipe,
    ready: impl AsyncFn() -> bool,
) -> Result<Process, Trouble> {
    let began = Instant::now();
    let mut process = recipe.start()?;
    while began.elapsed() < READY_LIMIT {
        if process.has_ended() {
            process = recipe.start()?;
        }
        if ready().await && !process.has_ended() {
            return Ok(process);
        }
        sleep(LOOK_AGAIN).await;
    }
    Err(format!("{} is not ready; see {}", recipe.name, recipe.log.display()).into())
}

/// Ports where nobody listens. They do not follow from the seed: two storms share a machine.
#[derive(Debug)]
pub(crate) struct Ports {
    chance: Chance,
    given: BTreeSet<u16>,
}

impl Ports {
    /// Ports for one installation.
    pub(crate) fn new() -> Self {
        Self { chance: Chance::of(&[u64::from(std::process::id())]), given: BTreeSet::new() }
    }

    /// One that was not given before.
    pub(crate) fn free(&mut self) -> Result<u16, Trouble> {
        for _ in 0..PORT_TRIES {
            let port = u16::try_from(PORT_FIRST.saturating_add(self.chance.below(PORT_COUNT)))?;
            if TcpListener::bind(("127.0.0.1", port)).is_ok() && self.given.insert(port) {
                return Ok(port);
            }
        }
        Err("there are no free ports".into())
    }
}
