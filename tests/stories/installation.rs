//! The program set up as in production: a database, and real processes on it.

use crate::{
    house::{drop_database, migrating, new_database, redis, server, server_url},
    patience::until,
};
use rustix::process::{Pid, Signal, kill_process};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use std::{fs, net::TcpListener, path::PathBuf, process::Stdio};
use tokio::process::{Child, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_aftercare");
/// Where replicas say they are; nobody calls there.
const PUBLIC_URL: &str = "https://aftercare.example.com";
const SECRET: &str = "c3RvcmllcyBvZiByZXBsaWNhcyBuZWVkIGEgc2VjcmV0";
/// Ports below the range from which the system takes those of outgoing connections and of listeners that do not care:
/// there only somebody who wants this very port can be faster.
const PORT_FIRST: u16 = 20_000;
const PORT_COUNT: u16 = 12_000;
/// How often another pair of ports is tried.
const PORT_TRIES: u32 = 10;

/// A program at work. Dropped, it is killed.
pub(crate) struct Process {
    name: String,
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    admin: String,
    log: PathBuf,
}

impl Process {
    /// What it has logged.
    pub(crate) fn says(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        format!("{} says:\n{log}", self.name)
    }

    /// Asks it to end, and insists that it ends in good order.
    pub(crate) async fn ends(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{status}. {}", self.says());
    }

    /// Kills it.
    pub(crate) async fn dies(mut self) {
        self.child.kill().await.unwrap();
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("it has ended already");
        let id = Pid::from_raw(id.try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

/// An installation: a database, and how programs find it.
pub(crate) struct Installation {
    /// What the database is called.
    pub(crate) database: String,
    environment: Vec<(&'static str, String)>,
}

impl Drop for Installation {
    fn drop(&mut self) {
        drop_database(&self.database);
    }
}

impl Installation {
    /// Makes a database and lets the program migrate it.
    pub(crate) async fn is_set_up() -> Self {
        Self::is_set_up_with(&[]).await
    }

    /// The same, with these settings of its processes.
    pub(crate) async fn is_set_up_with(settings: &[(&'static str, String)]) -> Self {
        let database = new_database();
        let admin = migrating(&server()).await;
        admin.execute_unprepared(&format!("CREATE DATABASE {database}")).await.unwrap();
        let mut environment = vec![
            ("AFTERCARE_ENV", "production".to_owned()),
            ("AFTERCARE_DATABASE_URL", login_url(&database)),
            ("AFTERCARE_PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("AFTERCARE_SECRET_KEY", SECRET.to_owned()),
            ("AFTERCARE_DATA_DIR", format!("{}/{database}", env!("CARGO_TARGET_TMPDIR"))),
        ];
        if let Ok(connections) = std::env::var("AFTERCARE_TEST_POOL") {
            environment.push(("AFTERCARE_DATABASE_CONNECTIONS", connections));
        }
        environment.extend_from_slice(settings);
        environment.extend(redis().map(|url| ("AFTERCARE_REDIS_URL", url)));
        let installation = Self { database, environment };
        let owner = server_url_of(&installation.database);
        installation.runs(&["migrate", "--migration-database-url", &owner]).await;
        admin.close().await.unwrap();
        installation
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs the program to its end; answers what it printed.
    async fn runs(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the program in a role that goes on, and waits until it is ready.
    pub(crate) async fn starts(&self, role: &str) -> Process {
        for _ in 0..PORT_TRIES {
            let mut process = self.tries_to_start(role);
            let (url, browser) = (format!("{}/readyz", process.admin), reqwest::Client::new());
            let child = &mut process.child;
            let started = async || {
                let ended = child.try_wait().unwrap().is_some();
                let ready = browser.get(&url).send().await.is_ok_and(|it| it.status() == 200);
                (ended || ready).then_some(ready && !ended)
            };
            if until(role, started, String::new).await {
                return process;
            }
            let said = process.says();
            assert!(said.contains("cannot be listened on"), "{said}");
        }
        panic!("there are no free ports");
    }

    fn tries_to_start(&self, role: &str) -> Process {
        let (port, admin) = (free_port(), free_port());
        let name = format!("{role} at {admin}");
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{}-{role}-{admin}.log", self.database));
        let child = self
            .command(&[role])
            .env("AFTERCARE_BIND", format!("127.0.0.1:{port}"))
            .env("AFTERCARE_ADMIN_BIND", format!("127.0.0.1:{admin}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let at = |port| format!("http://127.0.0.1:{port}");
        Process { name, child, url: at(port), admin: at(admin), log }
    }

    /// The operator creates a brand; answers its live and its test key.
    pub(crate) async fn creates_tenant(&self, slug: &str) -> (String, String) {
        let create = ["tenants", "create", "--slug", slug, "--name", "碧水", "--json"];
        let made: Value = serde_json::from_str(&self.runs(&create).await).unwrap();
        let key = |name: &str| made[name].as_str().unwrap().to_owned();
        (key("live_key"), key("test_key"))
    }
}

/// A port that is free at this moment, somewhere in our range.
pub(crate) fn free_port() -> u16 {
    let free = || {
        let chance = u16::from_be_bytes(uuid::Uuid::new_v4().as_bytes()[..2].try_into().unwrap());
        let port = PORT_FIRST + chance % PORT_COUNT;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    };
    (0..PORT_TRIES).find_map(|_| free()).expect("there are no free ports")
}

/// The test server's URL, for its owner in this database.
fn server_url_of(database: &str) -> String {
    let url = server_url();
    let (place, _) = url.rsplit_once('/').expect("the URL names a database");
    format!("{place}/{database}")
}

/// The same, for the login role.
fn login_url(database: &str) -> String {
    let url = server_url_of(database);
    let (scheme, rest) = url.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://aftercare_login@{place}")
}
