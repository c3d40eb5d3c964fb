//! The storm: real processes of Aftercare are killed, stopped, cut off and flooded, while customers of a model go on; then
//! everything that was promised is looked for.
//!
//! See `docs/proof.md`.

mod audit;
mod brand;
mod caller;
mod chance;
mod customers;
mod cycle;
mod faults;
mod installation;
mod orphans;
mod process;
mod proxy;
mod report;
mod servers;
mod told;

use clap::Parser;
use cycle::Cycle;
use installation::{Installation, Kind, Tools};
use process::Ports;
use report::{Report, Seen};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::time::Instant;

/// Why the storm could not be made.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// One of so many cycles is the all-in-one program's.
const ALL_IN_ONE_EVERY: u64 = 2;

/// Kills, stops, cuts off and floods Aftercare's processes, and looks whether everything that was promised is there
#[derive(Debug, Parser)]
#[command(name = "storm")]
struct Arguments {
    /// How many cycles
    #[arg(long, default_value_t = 12)]
    cycles: u64,
    /// The first cycle: with `--cycles 1` one alone is made again
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// What everything follows from; another one every time when nothing is said
    #[arg(long)]
    seed: Option<u64>,
    /// Aftercare; the one beside this program when nothing is said
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Violations of a cycle that are shown. One mistake may break hundreds of promises.
const MOST_SHOWN: usize = 20;
/// So much is shown of each: what was answered may be long.
const MOST_SHOWN_CHARACTERS: usize = 600;

/// A run of the storm.
#[derive(Debug)]
struct Run {
    seed: u64,
    cycles: std::ops::Range<u64>,
    tools: Tools,
    folder: PathBuf,
    ports: tokio::sync::Mutex<Ports>,
}

/// How a run ended.
#[derive(Debug, Default)]
struct Ended {
    passed: u64,
    failed: u64,
    seen: Seen,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(storm(Arguments::parse())).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            say(&format!("storm: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. When nobody can read it, the exit code still says it.
fn say(line: &str) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Makes a storm; answers whether every promise was kept.
async fn storm(arguments: Arguments) -> Result<bool, Trouble> {
    let seed = arguments.seed.unwrap_or_else(some_seed);
    // A short path: a unix socket's may have about 100 bytes.
    let folder = Path::new("/tmp").join(format!("storm-{}", std::process::id()));
    let run = Run {
        seed,
        cycles: arguments.first..arguments.first.saturating_add(arguments.cycles),
        tools: tools(arguments.program)?,
        folder: folder.clone(),
        ports: tokio::sync::Mutex::new(Ports::new()),
    };
    pass_through(&folder)?;
    say(&format!("storm: seed {seed}"));
    let logs = format!("what everybody said lies in {}", folder.display());
    let ended = tokio::select! {
        ended = run.goes() => ended.inspect_err(|_| say(&logs))?,
        _ = tokio::signal::ctrl_c() => {
            fs::remove_dir_all(&folder)?;
            return Err("it was told to end".into());
        }
    };
    say(&figures(&ended.seen));
    if ended.failed == 0 {
        fs::remove_dir_all(&folder)?;
    } else {
        say(&logs);
    }
    say(&format!("storm: {} passed, {} failed", ended.passed, ended.failed));
    Ok(ended.failed == 0)
}

/// A seed that nobody has chosen.
#[expect(clippy::disallowed_methods, reason = "the edge where chance comes in; it is printed")]
fn some_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    chance::Chance::of(&[u64::try_from(now).unwrap_or_default()]).below(1_000_000)
}

/// Finds the programs that are started.
fn tools(program: Option<PathBuf>) -> Result<Tools, Trouble> {
    let program = match program {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("aftercare"),
    };
    let program = program.canonicalize().map_err(|error| {
        format!("there is no {} (cargo build makes it): {error}", program.display())
    })?;
    let path = std::env::var_os("PATH");
    let postgres = store::database::private::find_programs(path.as_deref(), None);
    let postgres = postgres.ok_or("there is no PostgreSQL 15 or newer on this machine")?;
    Ok(Tools { program, postgres: postgres.folder().to_owned() })
}

impl Run {
    /// Lets both installations go through their cycles, beside each other.
    async fn goes(&self) -> Result<Ended, Trouble> {
        let (mut one, other) = futures::try_join!(
            Box::pin(self.of_kind(Kind::Replicas)),
            Box::pin(self.of_kind(Kind::AllInOne)),
        )?;
        one.passed = one.passed.saturating_add(other.passed);
        one.failed = one.failed.saturating_add(other.failed);
        one.seen.add(other.seen);
        Ok(one)
    }

    async fn of_kind(&self, kind: Kind) -> Result<Ended, Trouble> {
        let mut ended = Ended::default();
        let mut house = None;
        for cycle in self.cycles_of(kind) {
            let house = match &mut house {
                Some(house) => house,
                empty @ None => empty.insert(self.set_up(kind).await?),
            };
            let (report, began) = (Report::default(), Instant::now());
            let name = kind.name();
            cycle.pass(house, &report).await.map_err(|trouble| {
                format!("cycle {} ({name}): {trouble}; {}", cycle.number, self.replay(&cycle))
            })?;
            let seen = report.seen();
            say(&self.line(&cycle, house, &seen, began.elapsed()));
            if seen.violations.is_empty() {
                ended.passed = ended.passed.saturating_add(1);
            } else {
                ended.failed = ended.failed.saturating_add(1);
            }
            ended.seen.add(seen);
        }
        Ok(ended)
    }

    async fn set_up(&self, kind: Kind) -> Result<Installation, Trouble> {
        let folder = self.folder.join(kind.name().replace(' ', "-"));
        let mut ports = self.ports.lock().await;
        Installation::set_up(kind, &self.tools, &folder, &mut ports).await
    }

    fn cycles_of(&self, kind: Kind) -> Vec<Cycle> {
        let cycle = |number: u64| {
            let whole = number.checked_div(ALL_IN_ONE_EVERY).unwrap_or_default();
            let is_all = number.checked_rem(ALL_IN_ONE_EVERY) == Some(0);
            let (of, turn) = if is_all {
                (Kind::AllInOne, whole.saturating_sub(1))
            } else {
                (Kind::Replicas, number.saturating_sub(whole).saturating_sub(1))
            };
            (of == kind).then_some(Cycle { seed: self.seed, number, turn })
        };
        self.cycles.clone().filter_map(cycle).collect()
    }

    /// One line about a cycle, and one for each broken promise.
    fn line(&self, cycle: &Cycle, house: &Installation, seen: &Seen, took: Duration) -> String {
        let struck: Vec<_> = cycle.faults(house).into_iter().map(faults::Fault::name).collect();
        let mut line = format!(
            "cycle {} ({}, {} s): {}; {} requests, {} unanswered, {} orphans ({} s), quiet after {} s",
            cycle.number,
            house.kind.name(),
            took.as_secs(),
            struck.join(", "),
            seen.requests,
            seen.unanswered,
            seen.orphans,
            seconds(seen.longest_orphan),
            seconds(seen.longest_quiet),
        );
        for violation in seen.violations.iter().take(MOST_SHOWN) {
            line.push_str("\n  VIOLATION: ");
            line.extend(violation.chars().take(MOST_SHOWN_CHARACTERS));
        }
        let hidden = seen.violations.len().saturating_sub(MOST_SHOWN);
        if hidden > 0 {
            line = format!("{line}\n  and {hidden} more");
        }
        if !seen.violations.is_empty() {
            line.push_str("\n  ");
            line.push_str(&self.replay(cycle));
        }
        line
    }

    /// How a cycle is made again.
    fn replay(&self, cycle: &Cycle) -> String {
        let (seed, number) = (self.seed, cycle.number);
        format!("again: cargo run -p storm -- --seed {seed} --first {number} --cycles 1")
    }
}

/// A folder that PostgreSQL's user passes through.
fn pass_through(folder: &Path) -> Result<(), Trouble> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(folder)?;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?)
}

/// What was seen in the whole run.
fn figures(seen: &Seen) -> String {
    let text = format!(
        "{} requests ({} unanswered), {} intentions ({} repeated), {} orphans, longest orphan {} s, longest quiet {} s, {} violations",
        seen.requests,
        seen.unanswered,
        seen.intentions,
        seen.repeated,
        seen.orphans,
        seconds(seen.longest_orphan),
        seconds(seen.longest_quiet),
        seen.violations.len(),
    );
    let faults: Vec<_> =
        seen.faults.iter().map(|(fault, times)| format!("{fault} {times}")).collect();
    format!("{text}\nfaults: {}", faults.join(", "))
}

/// Seconds with one digit behind the point.
fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis().checked_div(100).unwrap_or_default();
    let (whole, tenth) = (tenths.checked_div(10), tenths.checked_rem(10));
    format!("{}.{}", whole.unwrap_or_default(), tenth.unwrap_or_default())
}
