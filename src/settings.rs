//! Settings: the one place where the environment is read.
//!
//! Every setting is a flag and a variable; secrets can also come from a file. A variable that begins
//! with `AFTERCARE_` and is none of ours is refused, so that a typing error is not silently a default.

use crate::log;
use clap::{ArgMatches, Args, CommandFactory, ValueEnum};
use std::{
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};
use store::{
    database::Statements,
    files::{Files, NoFiles},
};

/// How Aftercare is set up.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where the API listens
    #[arg(long, env = "AFTERCARE_BIND", default_value = "127.0.0.1:8080", global = true)]
    pub bind: SocketAddr,
    /// Where metrics and health are answered for the operator; never open this to the world
    #[arg(long, env = "AFTERCARE_ADMIN_BIND", default_value = "127.0.0.1:9090", global = true)]
    pub admin_bind: SocketAddr,
    /// PostgreSQL 15 or newer, by the login role; without it Aftercare brings its own
    #[arg(long, env = "AFTERCARE_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<PathBuf>,
    /// The same database by the role that owns the schema; used by `migrate` only
    #[arg(long, env = "AFTERCARE_MIGRATION_DATABASE_URL", hide_env_values = true, global = true)]
    pub migration_database_url: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_MIGRATION_DATABASE_URL_FILE", global = true)]
    pub migration_database_url_file: Option<PathBuf>,
    /// Connections to the database; 8 to 16 for two cores, 1 is enough to work
    #[arg(long, env = "AFTERCARE_DATABASE_CONNECTIONS", default_value_t = 12, global = true,
        value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: u32,
    /// What stands between the program and PostgreSQL; a pooler in transaction mode keeps no statement prepared
    #[arg(long, env = "AFTERCARE_DATABASE_POOLER", default_value = "none", global = true)]
    pub database_pooler: Pooler,
    /// Redis, for wake-ups and shared limits; without it both stay in the process
    #[arg(long, env = "AFTERCARE_REDIS_URL", hide_env_values = true, global = true)]
    pub redis_url: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_REDIS_URL_FILE", global = true)]
    pub redis_url_file: Option<PathBuf>,
    /// Where a database of our own, files and the demo's key lie
    #[arg(long, env = "AFTERCARE_DATA_DIR", default_value = "./.aftercare", global = true)]
    pub data_dir: PathBuf,
    /// Where photos and signatures are kept: `file:///folder`, or `s3://bucket/folder?region=…` with the feature `s3`; by
    /// default `evidence` in the data folder
    #[arg(long, env = "AFTERCARE_STORAGE_URL", hide_env_values = true, global = true)]
    pub storage_url: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_STORAGE_URL_FILE", global = true)]
    pub storage_url_file: Option<PathBuf>,
    /// Which database Aftercare brings when none is named; by default what the machine allows
    #[arg(long, env = "AFTERCARE_OWN_DATABASE", global = true)]
    pub own_database: Option<OwnDatabase>,
    /// Where PostgreSQL's programs lie, when they are not found by themselves
    #[arg(long, env = "AFTERCARE_POSTGRES_DIR", global = true)]
    pub postgres_dir: Option<PathBuf>,
    /// The address customers and programs see, for links in messages and in tokens
    #[arg(long, env = "AFTERCARE_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Production refuses demo keys, weak secrets and a database of our own
    #[arg(long, env = "AFTERCARE_ENV", default_value = "development", global = true)]
    pub env: Environment,
    /// At least 32 characters; seals the keys that sign tokens
    #[arg(long, env = "AFTERCARE_SECRET_KEY", hide_env_values = true, global = true)]
    pub secret_key: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<PathBuf>,
    /// Requests a second that one key or person may send; four times as many at once
    #[arg(long, env = "AFTERCARE_CALLER_RATE", default_value = "100", global = true)]
    pub caller_rate: NonZeroU32,
    /// Requests a second that all keys and people of one brand may send; four times as many at once
    #[arg(long, env = "AFTERCARE_TENANT_RATE", default_value = "400", global = true)]
    pub tenant_rate: NonZeroU32,
    /// What is logged, such as `info` or `warn,worker=debug`
    #[arg(long, env = "AFTERCARE_LOG", default_value = log::DEFAULT, global = true)]
    pub log: String,
    /// How log lines look
    #[arg(long, env = "AFTERCARE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Where traces are sent by OTLP over HTTP, such as `http://127.0.0.1:4318`; needs the feature `otel`
    #[arg(long, env = "AFTERCARE_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// Where mail is handed over, such as `smtps://user:password@mail.example.com`
    #[arg(long, env = "AFTERCARE_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<Secret>,
    /// The same, read from a file
    #[arg(long, env = "AFTERCARE_SMTP_URL_FILE", global = true)]
    pub smtp_url_file: Option<PathBuf>,
    /// The sender of mail
    #[arg(
        long,
        env = "AFTERCARE_MAIL_FROM",
        default_value = "Aftercare <aftercare@localhost>",
        global = true
    )]
    pub mail_from: String,
    /// Transactions that a worker has in flight at once
    #[arg(long, env = "AFTERCARE_WORKER_SLOTS", default_value_t = 8, global = true,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub worker_slots: u16,
}

/// Where Aftercare runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// On somebody's machine, to try it or to work on it.
    Development,
    /// For customers.
    Production,
}

/// What stands between the program and PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pooler {
    /// Nothing, or a pooler that lends a connection for as long as a session, or passes prepared statements on.
    None,
    /// A pooler that lends a connection for a transaction, such as PgBouncer before 1.21.
    Transaction,
}

impl From<Pooler> for Statements {
    fn from(pooler: Pooler) -> Self {
        match pooler {
            Pooler::None => Self::Prepared,
            Pooler::Transaction => Self::Forgotten,
        }
    }
}

/// A database of the program's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OwnDatabase {
    /// A private cluster, run with the PostgreSQL of this machine.
    Private,
    /// The PostgreSQL inside the program, which is there when it was built with the feature `embedded`.
    Embedded,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one JSON object a line.
    Json,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// A variable that is none of ours.
    #[error("there is no setting {name}{}", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// The variable.
        name: String,
        /// Ours that looks most like it.
        nearest: Option<String>,
    },
    /// A secret was given twice.
    #[error("{0} is set both by value and by file")]
    Twice(&'static str),
    /// A secret's file cannot be read.
    #[error("{name} names {}, which cannot be read", path.display())]
    Unreadable {
        /// The setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Production needs what development does without.
    #[error("AFTERCARE_ENV=production needs {0}")]
    Needed(&'static str),
    /// A secret that anybody could guess.
    #[error(
        "AFTERCARE_SECRET_KEY must have at least {MOST_GUESSABLE} characters, and not be a word repeated"
    )]
    Weak,
    /// Traces were asked for, and this program cannot send any.
    #[error(
        "AFTERCARE_OTLP_ENDPOINT is set, and this program was built without traces; \
         build it with `cargo build --release --features otel`, or unset it"
    )]
    Untraced,
    /// What was named is no place for traces.
    #[error(
        "AFTERCARE_OTLP_ENDPOINT must be an address such as http://collector.example.com:4318, \
         without a name or a password"
    )]
    NoCollector,
    /// What is to be logged cannot be read.
    #[error("AFTERCARE_LOG cannot be read; it looks like `info` or `warn,worker=debug`: {0}")]
    Log(tracing_subscriber::filter::ParseError),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// Where files lie in the data folder when nothing else is said.
const EVIDENCE_FOLDER: &str = "evidence";

/// Of so many letters, one may be wrong; a name with more wrong ones is another name.
const LETTERS_A_SLIP: usize = 4;
/// Shorter secrets can be guessed.
const MOST_GUESSABLE: usize = 32;
/// A secret made of fewer different characters is a pattern, not chance.
const LEAST_VARIETY: usize = 8;

impl Settings {
    /// Reads secrets from their files and makes sure that everything fits together.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`] says what to change.
    pub fn settle(mut self) -> Result<Self, Misconfigured> {
        refuse_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let pairs = [
            ("AFTERCARE_DATABASE_URL", &mut self.database_url, &self.database_url_file),
            (
                "AFTERCARE_MIGRATION_DATABASE_URL",
                &mut self.migration_database_url,
                &self.migration_database_url_file,
            ),
            ("AFTERCARE_REDIS_URL", &mut self.redis_url, &self.redis_url_file),
            ("AFTERCARE_STORAGE_URL", &mut self.storage_url, &self.storage_url_file),
            ("AFTERCARE_SECRET_KEY", &mut self.secret_key, &self.secret_key_file),
            ("AFTERCARE_SMTP_URL", &mut self.smtp_url, &self.smtp_url_file),
        ];
        for (name, value, file) in pairs {
            if let Some(path) = file {
                if value.is_some() {
                    return Err(Misconfigured::Twice(name));
                }
                *value = Some(read_secret(name, path)?);
            }
        }
        Ok(self)
    }

    /// Refuses what the service must not run with. Who only prints something needs none of it.
    ///
    /// # Errors
    ///
    /// [`Misconfigured::Weak`], [`Misconfigured::Needed`].
    pub fn judge(&self) -> Result<(), Misconfigured> {
        if self.secret_key.as_ref().is_some_and(|secret| is_weak(secret.reveal())) {
            return Err(Misconfigured::Weak);
        }
        self.otlp_endpoint.as_deref().map_or(Ok(()), judge_collector)?;
        if self.env == Environment::Development {
            return Ok(());
        }
        let needed = [
            (self.database_url.is_none(), "AFTERCARE_DATABASE_URL: a database server of its own"),
            (self.secret_key.is_none(), "AFTERCARE_SECRET_KEY"),
            (self.public_url.is_none(), "AFTERCARE_PUBLIC_URL"),
        ];
        let missing = needed.into_iter().find(|(is_missing, _)| *is_missing);
        missing.map_or(Ok(()), |(_, what)| Err(Misconfigured::Needed(what)))
    }

    /// Where files are kept.
    ///
    /// # Errors
    ///
    /// [`NoFiles`] when what is named is no place for them.
    pub fn files(&self) -> Result<Files, NoFiles> {
        match &self.storage_url {
            Some(address) => Files::at(address.reveal()),
            None => Ok(Files::in_folder(&self.data_dir.join(EVIDENCE_FOLDER))),
        }
    }

    /// The address in links and tokens.
    pub fn public_url(&self) -> String {
        let local = || format!("http://{}", self.bind);
        self.public_url.clone().unwrap_or_else(local).trim_end_matches('/').to_owned()
    }
}

fn read_secret(name: &'static str, path: &Path) -> Result<Secret, Misconfigured> {
    let text = std::fs::read_to_string(path).map_err(|source| Misconfigured::Unreadable {
        name,
        path: path.to_owned(),
        source,
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

/// The address is printed and logged, so it must not hold a secret.
fn judge_collector(endpoint: &str) -> Result<(), Misconfigured> {
    if !cfg!(feature = "otel") {
        return Err(Misconfigured::Untraced);
    }
    let url = endpoint.parse::<reqwest::Url>().map_err(|_| Misconfigured::NoCollector)?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_place = matches!(url.scheme(), "http" | "https") && url.query().is_none();
    if is_bare && is_place { Ok(()) } else { Err(Misconfigured::NoCollector) }
}

fn is_weak(secret: &str) -> bool {
    let variety: std::collections::BTreeSet<char> = secret.chars().collect();
    secret.chars().count() < MOST_GUESSABLE || variety.len() < LEAST_VARIETY
}

/// Names of all variables that mean something.
pub fn known() -> Vec<String> {
    let command = crate::Cli::command();
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    names.filter_map(|name| name.to_str().map(str::to_owned)).collect()
}

fn refuse_unknown(names: impl Iterator<Item = String>) -> Result<(), Misconfigured> {
    let known = known();
    for name in names {
        // What tests are told is none of the program's business.
        let ours = name.starts_with("AFTERCARE_") && !name.starts_with("AFTERCARE_TEST_");
        if ours && !known.contains(&name) {
            let nearest = known.iter().min_by_key(|known| distance(known, &name));
            let nearest = nearest.filter(|known| is_near(known, &name)).cloned();
            return Err(Misconfigured::Unknown { name, nearest });
        }
    }
    Ok(())
}

/// Whether one was probably meant where the other was written. What all names begin with does not count.
fn is_near(known: &str, written: &str) -> bool {
    let letters = written.strip_prefix("AFTERCARE_").unwrap_or(written).chars().count();
    distance(known, written) <= letters.div_ceil(LETTERS_A_SLIP)
}

/// How many letters must be added, left out or changed to make one name of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut diagonal = number;
        let mut left = number.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, wanted) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = diagonal.saturating_add(usize::from(letter != wanted));
            diagonal = *above;
            left = changed.min(above.saturating_add(1)).min(left.saturating_add(1));
            *above = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The settings in force as lines of an environment file, secrets left out and what is not set as a comment.
pub fn listing(matches: &ArgMatches) -> String {
    let command = crate::Cli::command();
    let lines = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_str()?;
        let mut values = matches.try_get_raw(argument.get_id().as_str()).ok().flatten()?;
        let value = values.next()?.to_string_lossy().into_owned();
        let value = if argument.is_hide_env_values_set() { "(set)".to_owned() } else { value };
        Some((name.to_owned(), value))
    });
    let set: std::collections::BTreeMap<String, String> = lines.collect();
    let line = |name: &String| match set.get(name) {
        Some(value) => format!("{name}={value}"),
        None => format!("# {name}="),
    };
    known().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_none_of_ours_is_refused() {
        let refusal = refuse_unknown(["AFTERCARE_DATABSE_URL".to_owned()].into_iter()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "there is no setting AFTERCARE_DATABSE_URL; did you mean AFTERCARE_DATABASE_URL?"
        );
        let refusal = refuse_unknown(["AFTERCARE_COLOUR".to_owned()].into_iter()).unwrap_err();
        assert_eq!(refusal.to_string(), "there is no setting AFTERCARE_COLOUR");
        refuse_unknown(["AFTERCARE_BIND".to_owned(), "PATH".to_owned()].into_iter()).unwrap();
    }

    #[test]
    fn names_differ_by_the_letters_that_one_must_touch() {
        let distances = [("", "", 0), ("BIND", "BIND", 0), ("BIND", "BND", 1), ("", "ENV", 3)];
        for (one, other, far) in distances {
            assert_eq!((distance(one, other), distance(other, one)), (far, far), "{one} {other}");
        }
        assert_eq!(distance("DATABSE", "DATABASES"), 2);
    }

    #[test]
    fn a_secret_is_long_and_not_a_pattern() {
        assert!(is_weak("short"));
        assert!(is_weak(&"ab".repeat(40)));
        assert!(!is_weak("k3jH9-xQ2vB7nM4pL8sD1fG6hJ0kZ5cX"));
    }

    #[cfg(not(feature = "otel"))]
    #[test]
    fn a_program_without_traces_says_how_to_build_one_with_them() {
        assert_eq!(
            judge_collector("http://127.0.0.1:4318").unwrap_err().to_string(),
            "AFTERCARE_OTLP_ENDPOINT is set, and this program was built without traces; \
             build it with `cargo build --release --features otel`, or unset it"
        );
    }

    #[cfg(feature = "otel")]
    #[test]
    fn a_collector_has_an_address_and_no_secret_in_it() {
        for endpoint in ["http://127.0.0.1:4318", "https://collector.example.com/brand/"] {
            judge_collector(endpoint).unwrap();
        }
        for endpoint in ["127.0.0.1:4318", "grpc://collector", "http://name:word@collector", ""] {
            assert!(judge_collector(endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn every_setting_stands_in_the_example() {
        let example = include_str!("../.env.example");
        for name in known() {
            let line = format!("{name}=");
            assert!(
                example.lines().any(|text| text.trim_start_matches("# ").starts_with(&line)),
                "{name}"
            );
        }
    }
}
