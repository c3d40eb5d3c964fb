//! The machine: where PostgreSQL and Redis are, which ports are free, and what it is.

use crate::trouble::Trouble;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};
use store::database::private::{Programs, find_programs};

/// Environment variables of the caller that would reach the programs that are measured.
pub(crate) fn foreign_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("AFTERCARE_") || name.starts_with("PG")).collect()
}

/// The folder of PostgreSQL's programs, with pgbench among them.
pub(crate) fn postgres_programs() -> Result<PathBuf, Trouble> {
    let path = std::env::var_os("PATH");
    let found = find_programs(path.as_deref(), None);
    // What is on the path may be links; pgbench lies where the programs really are.
    let real = |programs: Programs| fs::canonicalize(programs.folder().join("postgres")).ok();
    let folder = found.and_then(real).and_then(|program| Some(program.parent()?.to_owned()));
    let folder = folder.filter(|folder| folder.join("pgbench").is_file());
    folder.ok_or_else(|| {
        Trouble::unexpected("there is no PostgreSQL 15 or newer with pgbench on this machine")
    })
}

/// The program of a Redis server.
pub(crate) fn redis_program() -> Result<PathBuf, Trouble> {
    let found = on_path("redis-server").or_else(|| on_path("valkey-server"));
    found.ok_or_else(|| {
        Trouble::unexpected("there is no redis-server or valkey-server on this machine")
    })
}

/// Where a program of this name is.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// A port on loopback that nobody listens on.
pub(crate) fn free_port() -> Result<u16, Trouble> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(Trouble::during("no port is free"))
}

/// Whether the system lets us be any user, and PostgreSQL refuses to run as ourselves.
pub(crate) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    user.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

/// The account of the servers, when we are root.
pub(crate) fn servant() -> &'static str {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if known.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

/// How many programs wanted a core at once, over the last minute; zero where the system does not say.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

/// The cores of the machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine in words, for the report.
pub(crate) fn description() -> String {
    let first = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let cores = cores();
    let processor = first("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = first("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kibibytes| kibibytes.div_euclid(1024 * 1024));
    format!("{cores} cores ({processor}), {memory} GiB of memory, {}", std::env::consts::OS)
}

/// What a program says of its version.
pub(crate) fn version(program: &Path) -> String {
    let said = Command::new(program).arg("--version").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    said.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// The day of the last commit.
pub(crate) fn day_of_commit() -> String {
    let said = Command::new("git").args(["log", "-1", "--format=%cs"]).output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    said.ok().filter(|day| !day.is_empty()).unwrap_or_else(|| "an unknown day".to_owned())
}
