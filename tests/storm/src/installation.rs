//! What is struck: an installation of real processes. Either the replicas of production, each behind proxies of ours, on
//! servers of their own; or everything in one program with its private cluster.

use crate::{
    Trouble,
    process::{Ports, Process, Recipe, User, start_until_ready},
    proxy::Proxy,
    servers::{DATABASE, Postgres, Redis, looking},
};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{
    AssertSqlSafe,
    postgres::{PgConnectOptions, PgPool},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the service says it is; nobody calls there.
const PUBLIC_URL: &str = "https://aftercare.example.com";
const SECRET: &str = "c3Rvcm1zIG5lZWQgYSBzZWNyZXQgb2YgdGhlaXIgb3du";
/// More than customers of a storm send, so that no limit hides a fault.
const RATE: &str = "100000";
/// How long one question about a program's health may take.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);
/// The superuser of a private cluster.
const CLUSTER_USER: &str = "aftercare_cluster";

/// The kinds of installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two APIs, two workers, PostgreSQL and Redis.
    Replicas,
    /// One program with a private cluster, and Redis.
    AllInOne,
}

impl Kind {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Replicas => "replicas",
            Self::AllInOne => "all in one",
        }
    }
}

/// The programs of this machine that are started.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// Aftercare.
    pub(crate) program: PathBuf,
    /// The folder of PostgreSQL's programs.
    pub(crate) postgres: PathBuf,
}

/// One of Aftercare's processes.
#[derive(Debug)]
pub(crate) struct Program {
    recipe: Recipe,
    health: String,
    web: reqwest::Client,
    process: Option<Process>,
    /// What callers pass through; absent where nobody calls.
    pub(crate) door: Option<Proxy>,
    /// What leads to the database; absent where the program has its own.
    pub(crate) to_database: Option<Proxy>,
}

impl Program {
    /// Starts it, and returns when it can serve.
    pub(crate) async fn start(&mut self) -> Result<(), Trouble> {
        let ready = async || {
            let asked = self.web.get(&self.health).timeout(HEALTH_LIMIT).send().await;
            asked.is_ok_and(|answer| answer.status() == 200)
        };
        self.process = Some(start_until_ready(&self.recipe, ready).await?);
        Ok(())
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) -> Result<(), Trouble> {
        self.process
            .take()
            .ok_or_else(|| format!("{} does not run", self.recipe.name))?
            .kill()
            .await
    }

    /// Stops it where it stands, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        let process = self.process.as_ref();
        process.ok_or_else(|| format!("{} does not run", self.recipe.name))?.signal(signal)
    }
}

/// An installation at work.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) kind: Kind,
    folder: PathBuf,
    tools: Tools,
    /// Absent where the program has its own.
    pub(crate) postgres: Option<Postgres>,
    pub(crate) redis: Redis,
    /// Those with a door.
    pub(crate) apis: Vec<Program>,
    /// Those that do jobs and nothing else.
    pub(crate) workers: Vec<Program>,
    /// Looks at everything in the database.
    pub(crate) sql: PgPool,
}

impl Installation {
    /// Sets one up in `folder`, with everything started.
    pub(crate) async fn set_up(
        kind: Kind,
        tools: &Tools,
        folder: &Path,
        ports: &mut Ports,
    ) -> Result<Self, Trouble> {
        make_folder(folder)?;
        let redis = Redis::create(folder, ports.free()?).await?;
        match kind {
            Kind::Replicas => Self::replicas(tools, folder, redis, ports).await,
            Kind::AllInOne => Self::all_in_one(tools, folder, redis, ports).await,
        }
    }

    /// One without a program.
    fn empty(kind: Kind, tools: &Tools, folder: &Path, redis: Redis, sql: PgPool) -> Self {
        Self {
            kind,
            folder: folder.to_owned(),
            tools: tools.clone(),
            postgres: None,
            redis,
            apis: Vec::new(),
            workers: Vec::new(),
            sql,
        }
    }

    async fn replicas(
        tools: &Tools,
        folder: &Path,
        redis: Redis,
        ports: &mut Ports,
    ) -> Result<Self, Trouble> {
        let place = folder.join("server");
        make_folder(&place)?;
        give_to_server(&place)?;
        let postgres = Postgres::create(&tools.postgres, &place, ports.free()?).await?;
        let options = postgres.superuser("postgres");
        let create = AssertSqlSafe(format!("CREATE DATABASE {DATABASE}"));
        sqlx::query(create).execute(&looking(options)).await?;
        let sql = looking(postgres.superuser(DATABASE));
        let mut house = Self::empty(Kind::Replicas, tools, folder, redis, sql);
        let owner = format!("postgres://postgres@127.0.0.1:{}/{DATABASE}", postgres.port);
        house.run(&["migrate", "--migration-database-url", &owner], &login(postgres.port)).await?;
        for (role, number) in [("api", 1), ("api", 2), ("worker", 1), ("worker", 2)] {
            let mut program = house.program(role, number, ports)?;
            let proxy = Proxy::open(ports.free()?, postgres.port).await?;
            let url = login(proxy.port);
            program.recipe.environment.push(("AFTERCARE_DATABASE_URL", url));
            program.recipe.environment.push(("AFTERCARE_ENV", "production".to_owned()));
            program.to_database = Some(proxy);
            house.open(program, role == "api", ports).await?;
        }
        house.postgres = Some(postgres);
        Ok(house)
    }

    async fn all_in_one(
        tools: &Tools,
        folder: &Path,
        redis: Redis,
        ports: &mut Ports,
    ) -> Result<Self, Trouble> {
        let socket = folder.join("data/postgres/socket");
        let options = PgConnectOptions::new_without_pgpass().socket(socket).port(5432);
        let sql = looking(options.username(CLUSTER_USER).database(DATABASE));
        let mut house = Self::empty(Kind::AllInOne, tools, folder, redis, sql);
        let mut program = house.program("all", 1, ports)?;
        program.recipe.environment.push(("AFTERCARE_OWN_DATABASE", "private".to_owned()));
        house.open(program, true, ports).await?;
        Ok(house)
    }

    /// A program that is not started.
    fn program(&self, role: &str, number: u32, ports: &mut Ports) -> Result<Program, Trouble> {
        let (bind, admin) = (ports.free()?, ports.free()?);
        let mut recipe = self.recipe(&format!("{role}-{number}"), &[role]);
        recipe.environment.extend([
            ("AFTERCARE_BIND", format!("127.0.0.1:{bind}")),
            ("AFTERCARE_ADMIN_BIND", format!("127.0.0.1:{admin}")),
            ("AFTERCARE_REDIS_URL", format!("redis://127.0.0.1:{}", self.redis.port)),
        ]);
        let health = format!("http://127.0.0.1:{admin}/readyz");
        let web = reqwest::Client::builder().no_proxy().build()?;
        Ok(Program { recipe, health, web, process: None, door: None, to_database: None })
    }

    /// Starts a program, with a door for callers if they come to it.
    async fn open(
        &mut self,
        mut program: Program,
        is_called: bool,
        ports: &mut Ports,
    ) -> Result<(), Trouble> {
        if is_called {
            let (_, bind) = program
                .recipe
                .environment
                .iter()
                .find(|(name, _)| *name == "AFTERCARE_BIND")
                .ok_or("no address")?;
            let bind = bind.rsplit(':').next().unwrap_or_default().parse()?;
            program.door = Some(Proxy::open(ports.free()?, bind).await?);
        }
        program.start().await?;
        if is_called {
            self.apis.push(program);
        } else {
            self.workers.push(program);
        }
        Ok(())
    }

    fn recipe(&self, name: &str, arguments: &[&str]) -> Recipe {
        Recipe {
            name: name.to_owned(),
            program: self.tools.program.clone(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            environment: vec![
                ("AFTERCARE_PUBLIC_URL", PUBLIC_URL.to_owned()),
                ("AFTERCARE_SECRET_KEY", SECRET.to_owned()),
                ("AFTERCARE_DATA_DIR", self.folder.join("data").display().to_string()),
                ("AFTERCARE_POSTGRES_DIR", self.tools.postgres.display().to_string()),
                ("AFTERCARE_CALLER_RATE", RATE.to_owned()),
                ("AFTERCARE_TENANT_RATE", RATE.to_owned()),
            ],
            user: User::Same,
            log: self.folder.join(format!("{name}.log")),
        }
    }

    /// Runs a command of the operator on the database at `url`; answers what it printed.
    async fn run(&self, arguments: &[&str], url: &str) -> Result<String, Trouble> {
        let mut recipe = self.recipe("operator", arguments);
        recipe.environment.push(("AFTERCARE_DATABASE_URL", url.to_owned()));
        recipe.run().await
    }

    /// Where commands of the operator find the database.
    fn database_url(&self) -> String {
        if let Some(postgres) = &self.postgres {
            return login(postgres.port);
        }
        let socket = self.folder.join("data/postgres/socket");
        format!("postgres://aftercare_login@localhost/{DATABASE}?host={}", socket.display())
    }

    /// The auditor compares the resolution log of a brand with its seals; a log that is not as it was sealed is an error.
    pub(crate) async fn verify_log(&self, slug: &str) -> Result<String, Trouble> {
        self.run(&["audit", "verify", "--tenant", slug], &self.database_url()).await
    }

    /// The operator creates a brand; answers its live key.
    pub(crate) async fn create_brand(&self, slug: &str) -> Result<String, Trouble> {
        let url = self.database_url();
        let create = ["tenants", "create", "--slug", slug, "--name", "碧水", "--json"];
        let made: serde_json::Value = serde_json::from_str(&self.run(&create, &url).await?)?;
        let key = made.get("live_key").and_then(serde_json::Value::as_str);
        Ok(key.ok_or("the brand has no key")?.to_owned())
    }

    /// Where callers come in.
    pub(crate) fn doors(&self) -> Vec<String> {
        let ports = self.apis.iter().filter_map(|api| Some(api.door.as_ref()?.port));
        ports.map(|port| format!("http://127.0.0.1:{port}")).collect()
    }

    /// Kills the first process of the private cluster.
    pub(crate) fn kill_cluster(&self) -> Result<(), Trouble> {
        let file = self.folder.join("data/postgres/cluster/postmaster.pid");
        let text = fs::read_to_string(file)?;
        let id = text.lines().next().and_then(|line| Pid::from_raw(line.trim().parse().ok()?));
        Ok(kill_process(id.ok_or("the private cluster does not run")?, Signal::KILL)?)
    }
}

/// The login role at the PostgreSQL, or at the proxy, that listens on `port`.
fn login(port: u16) -> String {
    format!("postgres://aftercare_login@127.0.0.1:{port}/{DATABASE}")
}

/// A folder that others may pass through: PostgreSQL's user is one of them.
fn make_folder(folder: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(folder)?;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?)
}

/// Makes the folder PostgreSQL's when we are root.
fn give_to_server(folder: &Path) -> Result<(), Trouble> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let line = accounts.lines().find(|line| line.starts_with("postgres:"));
    let mut numbers = line.ok_or("there is no user postgres")?.split(':').skip(2);
    let mut number = || numbers.next().and_then(|text| text.parse().ok());
    Ok(chown(folder, number(), number())?)
}
