//! The stage: servers of our own, the program on them, and the account of what was checked.

use crate::{
    Options,
    data::{Amount, Caller},
    http::{self, CONNECTIONS, Talk, Window},
    machine,
    numbers::float,
    process::Process,
    program::{Program, Running},
    servers::{Postgres, Redis},
    sql::{Load, Psql},
    talk::Voice,
    trouble::Trouble,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::Duration,
};

/// The database that others are made of.
const EMPTY: &str = "empty";

/// Everything that is measured, and what it is measured with.
#[derive(Debug)]
pub(crate) struct Stage {
    /// What was asked for.
    pub(crate) options: Options,
    /// The way to the database.
    pub(crate) psql: Psql,
    /// Redis.
    pub(crate) redis: Redis,
    /// The program.
    pub(crate) program: Program,
    /// What was checked.
    pub(crate) ledger: Ledger,
    /// How busy the machine was before we began.
    pub(crate) load_before: f64,
    postgres: Postgres,
    apis: BTreeMap<String, Running>,
    peers: Vec<Process>,
    windows: u64,
    /// Where everything lies. The last to go.
    pub(crate) folder: Folder,
}

/// A folder that goes with us.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one of our own.
    fn make() -> Result<Self, Trouble> {
        // A short path: that of a unix socket may have about 100 bytes.
        let folder = std::env::temp_dir().join(format!("aftercare-bench.{}", process::id()));
        let failed = || Trouble::during(format!("{} cannot be made", folder.display()));
        fs::create_dir(&folder).map_err(failed())?;
        // The servers' account passes through to what is its own.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).map_err(failed())?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A database with an API on it, and callers.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    /// The database's name.
    pub(crate) database: String,
    /// What is in it.
    pub(crate) amount: Amount,
    /// Where its API is.
    pub(crate) place: SocketAddr,
    /// Who calls.
    pub(crate) callers: Arc<[Caller]>,
}

/// What was checked, so that only work that was done counts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    passed: u32,
    failed: Vec<String>,
}

impl Ledger {
    /// Notes whether something is as it has to be.
    pub(crate) fn expect(&mut self, holds: bool, what: impl Into<String>) {
        if holds {
            self.passed = self.passed.saturating_add(1);
        } else {
            self.failed.push(what.into());
        }
    }

    /// Prints the sum, and answers whether all was as it has to be.
    pub(crate) fn tell(&self) -> bool {
        for what in &self.failed {
            println!("not as it has to be: {what}");
        }
        println!("bench: {} passed, {} failed", self.passed, self.failed.len());
        self.failed.is_empty()
    }
}

impl Stage {
    /// Starts the servers.
    pub(crate) async fn set(options: Options) -> Result<Self, Trouble> {
        let load_before = machine::load();
        if load_before > float(machine::cores()) / 2.0 {
            eprintln!(
                "bench: the machine is busy with other things (a load of {load_before}), and the program has fewer \
                 processes than pgbench to fight for it with: compare nothing with figures from now"
            );
        }
        let beside = std::env::current_exe().map_err(Trouble::during("where am I?"))?;
        let file = options.program.clone().unwrap_or_else(|| beside.with_file_name("aftercare"));
        let file = fs::canonicalize(&file)
            .map_err(Trouble::during(format!("there is no program {}", file.display())))?;
        let folder = Folder::make()?;
        let postgres = Postgres::start(folder.path()).await?;
        let psql = postgres.psql.clone();
        let redis = Redis::start(folder.path()).await?;
        let program = Program::new(file, folder.path().to_owned(), psql.clone(), &redis);
        program.make_owner().await?;
        program.migrate(EMPTY).await?;
        let (ledger, apis) = (Ledger::default(), BTreeMap::new());
        Ok(Self {
            options,
            psql,
            redis,
            program,
            ledger,
            load_before,
            postgres,
            apis,
            peers: Vec::new(),
            windows: 0,
            folder,
        })
    }

    /// One of three amounts, by what was asked for.
    pub(crate) fn by_size<T>(&self, smoke: T, usual: T, full: T) -> T {
        match (self.options.smoke, self.options.full) {
            (true, _) => smoke,
            (false, true) => full,
            (false, false) => usual,
        }
    }

    /// Whether a round goes before the others that only warms up.
    pub(crate) fn warms_up(&self) -> bool {
        !self.options.smoke
    }

    /// How often each comparison is made.
    pub(crate) fn rounds(&self) -> u32 {
        if self.options.smoke { 1 } else { self.options.rounds }
    }

    /// How long one side is measured at a time, in seconds.
    pub(crate) fn seconds(&self) -> u32 {
        if self.options.smoke { 1 } else { self.options.seconds }
    }

    /// Voices for all connections.
    pub(crate) fn voices(&mut self, ground: &Ground) -> Vec<Voice> {
        let connections = if self.options.smoke { 8 } else { CONNECTIONS };
        Voice::all(ground.amount, &ground.callers, self.next_window(), connections)
    }

    /// A number that no other window of this run has.
    pub(crate) fn next_window(&mut self) -> u64 {
        self.windows = self.windows.saturating_add(1);
        self.windows
    }

    /// A database with nothing but the schema.
    pub(crate) async fn make_database(&self, database: &str) -> Result<(), Trouble> {
        let made = format!("CREATE DATABASE {database} TEMPLATE {EMPTY}");
        self.psql.run("postgres", &made).await.map(drop)
    }

    /// A database with `amount` in it and an API on it, made when it is wanted first; with fresh tokens.
    pub(crate) async fn ground(&mut self, name: &str, amount: Amount) -> Result<Ground, Trouble> {
        if !self.apis.contains_key(name) {
            self.make_database(name).await?;
            amount.load(&self.psql, name).await?;
            let api = self.program.api(name).await?;
            self.apis.insert(name.to_owned(), api);
        }
        let api = self.apis.get(name);
        let api = api.ok_or_else(|| Trouble::unexpected(format!("{name} has no API")))?;
        let callers = amount.tokens(api).await?;
        Ok(Ground { database: name.to_owned(), amount, place: api.place, callers })
    }

    /// The database that most rows are about.
    pub(crate) async fn main(&mut self) -> Result<Ground, Trouble> {
        let amount = self.by_size(
            Amount { tenants: 4, customers_each: 100 },
            Amount { tenants: 100, customers_each: 1_000 },
            Amount { tenants: 1_000, customers_each: 1_000 },
        );
        self.ground("main", amount).await
    }

    /// Lets callers talk for a window; every answer has to be a good one.
    pub(crate) async fn talk<T: Talk>(
        &mut self,
        ground: &Ground,
        talks: Vec<T>,
        seconds: u32,
    ) -> Result<Window, Trouble> {
        let length = Duration::from_secs(seconds.into());
        let window = http::window(ground.place, talks, length).await?;
        let failed = &window.failed;
        self.ledger.expect(window.failures() == 0, format!("answers by status: {failed:?}"));
        self.ledger.expect(window.done > 0, "not one request was answered");
        Ok(window)
    }

    /// Lets pgbench work for a window; every transaction has to end well.
    pub(crate) async fn load(&mut self, load: Load<'_>) -> Result<crate::sql::Pgbench, Trouble> {
        let done = self.psql.load(&load).await?;
        let failed = format!("{} transactions of {} failed", done.failed, load.name);
        self.ledger.expect(done.failed == 0 && done.done > 0, failed);
        Ok(done)
    }

    /// Keeps a peer until the end.
    pub(crate) fn keep(&mut self, peer: Process) {
        self.peers.push(peer);
    }

    /// Ends everything that was started.
    pub(crate) async fn leave(mut self) -> Result<(), Trouble> {
        for (_, api) in std::mem::take(&mut self.apis) {
            api.stop().await?;
        }
        for peer in self.peers {
            peer.end(Signal::TERM).await?;
        }
        self.redis.kill().await?;
        self.postgres.stop().await
    }
}
