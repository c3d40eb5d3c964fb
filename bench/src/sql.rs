//! The database, asked without the program: by psql, and under load by pgbench.

use crate::{process::command, trouble::Trouble};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::io::AsyncWriteExt as _;

/// The login of the program, for which the policies hold.
pub(crate) const LOGIN: &str = "aftercare_login";
/// The superuser, for whom no policy holds.
pub(crate) const SUPERUSER: &str = "postgres";
/// The clients of pgbench: as many as the program has connections.
pub(crate) const CLIENTS: u32 = 16;

/// Instead of a time: each client does its script once.
pub(crate) const ONCE: u32 = 0;
/// Stands before what empties tables, of which some only grow: no trigger speaks up in this session.
pub(crate) const QUIETLY: &str = "SET session_replication_role = replica;";

/// The way to a server.
#[derive(Debug, Clone)]
pub(crate) struct Psql {
    programs: PathBuf,
    port: u16,
    folder: PathBuf,
}

/// A load for pgbench.
#[derive(Debug, Clone)]
pub(crate) struct Load<'a> {
    /// Names the script.
    pub(crate) name: &'a str,
    /// Where.
    pub(crate) database: &'a str,
    /// As whom.
    pub(crate) user: &'a str,
    /// What each client does again and again.
    pub(crate) script: String,
    /// How many clients there are.
    pub(crate) clients: u32,
    /// For how long, or [`ONCE`].
    pub(crate) seconds: u32,
}

/// What pgbench did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pgbench {
    /// Transactions that came to their end.
    pub(crate) done: u64,
    /// Transactions that did not.
    pub(crate) failed: u64,
    /// Transactions a second, without the time to connect.
    pub(crate) rate: f64,
}

impl Psql {
    /// The way to the server on `port`; scripts are kept in `folder`.
    pub(crate) fn new(programs: PathBuf, port: u16, folder: PathBuf) -> Self {
        Self { programs, port, folder }
    }

    /// The URL of a database for a login.
    pub(crate) fn url(&self, database: &str, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Where PostgreSQL's programs are.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    /// Does what `sql` says as the superuser, and answers what it printed.
    pub(crate) async fn run(&self, database: &str, sql: &str) -> Result<String, Trouble> {
        let failed = || Trouble::during("psql cannot be started");
        let mut psql = command(&self.programs.join("psql"), None);
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-f", "-"]).arg(self.url(database, SUPERUSER));
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().map_err(failed())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(sql.as_bytes()).await.map_err(failed())?;
        }
        let ended = child.wait_with_output().await.map_err(failed())?;
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            return Err(Trouble::unexpected(format!("psql on {database}: {}", said.trim())));
        }
        Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// The one value that `sql` asks for.
    pub(crate) async fn value(&self, database: &str, sql: &str) -> Result<f64, Trouble> {
        let said = self.run(database, sql).await?;
        let misread = || Trouble::unexpected(format!("{sql} answered {said}"));
        if said.is_empty() { Ok(0.0) } else { said.parse().map_err(|_| misread()) }
    }

    /// How many rows there are.
    pub(crate) async fn count(&self, database: &str, from: &str) -> Result<u64, Trouble> {
        let said = self.run(database, &format!("SELECT count(*) FROM {from}")).await?;
        said.parse().map_err(|_| Trouble::unexpected(format!("counting {from} answered {said}")))
    }

    /// Lets pgbench put a load on a database.
    pub(crate) async fn load(&self, load: &Load<'_>) -> Result<Pgbench, Trouble> {
        let file = self.folder.join(format!("{}.sql", load.name));
        fs::write(&file, &load.script).map_err(Trouble::during("a script cannot be written"))?;
        let mut pgbench = command(&self.programs.join("pgbench"), None);
        pgbench.args(["-n", "-M", "prepared", "--random-seed", "1", "-D", "i=0"]);
        pgbench.arg("-c").arg(load.clients.to_string());
        match load.seconds {
            ONCE => pgbench.args(["-t", "1"]),
            seconds => pgbench.arg("-T").arg(seconds.to_string()),
        };
        pgbench.arg("-f").arg(&file).arg(self.url(load.database, load.user));
        let said = pgbench.output().await.map_err(Trouble::during("pgbench cannot be started"))?;
        let text = String::from_utf8_lossy(&said.stdout);
        let complaint = String::from_utf8_lossy(&said.stderr);
        let word = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            line.split([' ', '/']).find(|word| !word.is_empty())
        };
        let counted = |key: &str| word(key)?.parse::<u64>().ok();
        let done = counted("number of transactions actually processed:");
        let rate = word("tps =").and_then(|rate| rate.parse().ok());
        let (true, Some(done)) = (said.status.success(), done) else {
            let why = complaint.lines().find(|line| line.contains("error"));
            let why = why.unwrap_or_else(|| text.trim());
            return Err(Trouble::unexpected(format!("pgbench {}: {why}", load.name)));
        };
        let failed = counted("number of failed transactions:").unwrap_or_default();
        // Where nothing was done, nothing is said of a rate.
        Ok(Pgbench { done, failed, rate: rate.unwrap_or_default() })
    }
}
