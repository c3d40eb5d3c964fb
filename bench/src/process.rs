//! Programs that run beside us: started, watched, and ended with us.

use crate::{machine, trouble::Trouble};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How long a program may take until it answers; the machine may be busy.
const START: Duration = Duration::from_mins(1);
/// How long a program may take to end in good order.
const END: Duration = Duration::from_secs(40);
/// How often it is asked whether it answers: the time of the first answer is measured by it.
const POLL: Duration = Duration::from_millis(2);

/// Lines of a log that are shown when something went wrong.
const LAST_WORDS: usize = 12;

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

/// A command that ends with us, in an environment without the caller's own settings; as the account `servant` when
/// we are root.
pub(crate) fn command(program: &Path, servant: Option<&str>) -> Command {
    let mut command = wrapped(program, servant);
    command.stdin(Stdio::null()).kill_on_drop(true);
    for name in machine::foreign_variables() {
        command.env_remove(name);
    }
    command
}

/// The program behind `setpriv`, where there is one: then the kernel ends it should we be killed.
fn wrapped(program: &Path, servant: Option<&str>) -> Command {
    let Some(setpriv) = machine::on_path("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = servant.filter(|_| machine::is_root()) {
        let group = if user == "nobody" { "nogroup" } else { user };
        command.args(["--reuid", user, "--regid", group, "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

impl Process {
    /// Starts `command`, whose words go to the file `log`.
    pub(crate) fn start(mut command: Command, name: &str, log: &Path) -> Result<Self, Trouble> {
        let failed = || Trouble::during(format!("{name} cannot be started"));
        let file = File::options().create(true).append(true).open(log).map_err(failed())?;
        let twin = file.try_clone().map_err(failed())?;
        let child = command.stdout(file).stderr(twin).spawn().map_err(failed())?;
        Ok(Self { child, name: name.to_owned(), log: log.to_owned() })
    }

    /// Waits until `ready` says yes.
    pub(crate) async fn until<F: Future<Output = bool>>(
        &mut self,
        ready: impl Fn() -> F,
    ) -> Result<(), Trouble> {
        let began = Instant::now();
        while began.elapsed() < START {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.trouble(&format!("ended: {status}")));
            }
            if ready().await {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(self.trouble("does not answer"))
    }

    /// What it did wrong, and its last words.
    fn trouble(&self, what: &str) -> Trouble {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let skipped = said.lines().count().saturating_sub(LAST_WORDS);
        let last = said.lines().skip(skipped).collect::<Vec<_>>().join("\n");
        Trouble::unexpected(format!("{} {what}\n{last}", self.name))
    }

    /// Ends it with `signal`, and waits until it has ended.
    pub(crate) async fn end(mut self, signal: Signal) -> Result<(), Trouble> {
        let failed = || Trouble::during(format!("{} cannot be ended", self.name));
        if let Some(pid) = self.pid() {
            kill_process(pid, signal).map_err(|error| failed()(error.into()))?;
        }
        match timeout(END, self.child.wait()).await {
            Ok(ended) => ended.map(drop).map_err(failed()),
            Err(_) => Err(self.trouble("did not end when it was told to")),
        }
    }

    /// The memory it has in use, in MB.
    pub(crate) fn resident_mb(&self) -> u32 {
        let Some(pid) = self.child.id() else { return 0 };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        kibibytes.unwrap_or_default().saturating_mul(128).div_ceil(125_000)
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }
}
