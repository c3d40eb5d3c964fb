//! The two servers that programs stand on: a PostgreSQL that keeps what it confirmed, and a Redis that keeps nothing.

use crate::{
    Trouble,
    process::{Process, Recipe, User, start_until_ready},
};
use rustix::process::Signal;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long we wait for a connection of our own, in a storm.
const PATIENCE: Duration = Duration::from_secs(2);
/// The database of the programs.
pub(crate) const DATABASE: &str = "aftercare";

/// A PostgreSQL server of the storm's own.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) port: u16,
    recipe: Recipe,
    process: Option<Process>,
}

impl Postgres {
    /// Makes a cluster in `folder`, which PostgreSQL's user can reach, and starts it.
    pub(crate) async fn create(programs: &Path, folder: &Path, port: u16) -> Result<Self, Trouble> {
        let data = folder.join("data").display().to_string();
        let recipe = |name: &str, arguments: &[&str]| Recipe {
            name: name.to_owned(),
            program: programs.join(name),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            environment: vec![("LC_ALL", "C".to_owned()), ("TZ", "UTC".to_owned())],
            user: User::Server,
            log: folder.join(format!("{name}.log")),
        };
        let create = ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"];
        recipe("initdb", &create).run().await?;
        let (place, port_text) = (folder.display().to_string(), port.to_string());
        // What was confirmed is on disk: fsync, full_page_writes and synchronous_commit are on when nothing is said.
        let settings = [
            "listen_addresses=127.0.0.1",
            "max_connections=120",
            "log_timezone=UTC",
            "timezone=UTC",
        ];
        let mut arguments = vec!["-D", &data, "-p", &port_text, "-k", &place];
        arguments.extend(settings.iter().flat_map(|setting| ["-c", setting]));
        let recipe = recipe("postgres", &arguments);
        let mut postgres = Self { port, recipe, process: None };
        postgres.start().await?;
        Ok(postgres)
    }

    /// Starts it, and returns when it answers.
    pub(crate) async fn start(&mut self) -> Result<(), Trouble> {
        let options = self.superuser("postgres");
        let answers = async || {
            let connection = timeout(PATIENCE, PgConnection::connect_with(&options)).await;
            connection.is_ok_and(|connection| connection.is_ok())
        };
        self.process = Some(start_until_ready(&self.recipe, answers).await?);
        Ok(())
    }

    /// Kills it; its children notice and end.
    pub(crate) async fn kill(&mut self) -> Result<(), Trouble> {
        self.running()?.kill().await
    }

    /// Ends it in good order, which cuts everybody off.
    pub(crate) async fn end(&mut self) -> Result<(), Trouble> {
        self.running()?.end().await
    }

    fn running(&mut self) -> Result<Process, Trouble> {
        self.process.take().ok_or_else(|| "PostgreSQL does not run".into())
    }

    /// Who may see everything.
    pub(crate) fn superuser(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        options.username("postgres").database(database)
    }
}

/// A few connections for looking at everything, made again after the database was away.
pub(crate) fn looking(options: PgConnectOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(PATIENCE);
    pool.connect_lazy_with(options.application_name("storm"))
}

/// A Redis server of the storm's own.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) port: u16,
    recipe: Recipe,
    process: Option<Process>,
}

impl Redis {
    /// Starts it.
    pub(crate) async fn create(folder: &Path, port: u16) -> Result<Self, Trouble> {
        let program = ["redis-server", "valkey-server"].iter().find_map(|name| {
            let mut folders = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].iter();
            folders.find_map(|folder| Some(Path::new(folder).join(name)).filter(|it| it.exists()))
        });
        let program = program.ok_or("there is no redis-server on this machine")?;
        let words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"];
        let mut arguments: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        arguments.push(port.to_string());
        let recipe = Recipe {
            name: "redis".to_owned(),
            program,
            arguments,
            environment: Vec::new(),
            user: User::Same,
            log: folder.join("redis.log"),
        };
        let mut redis = Self { port, recipe, process: None };
        redis.start().await?;
        Ok(redis)
    }

    /// Starts it, and returns when it answers.
    pub(crate) async fn start(&mut self) -> Result<(), Trouble> {
        let port = self.port;
        let answers = async || tell(port, "PING").await.is_ok();
        self.process = Some(start_until_ready(&self.recipe, answers).await?);
        Ok(())
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) -> Result<(), Trouble> {
        self.process.take().ok_or("Redis does not run")?.kill().await
    }

    /// Stops it where it stands, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        self.process.as_ref().ok_or("Redis does not run")?.signal(signal)
    }

    /// Tells it something, which it must do.
    pub(crate) async fn tell(&self, command: &str) -> Result<(), Trouble> {
        tell(self.port, command).await
    }
}

/// Sends one command; answers whether it was carried out.
async fn tell(port: u16, command: &str) -> Result<(), Trouble> {
    let telling = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut answer = [0; 1];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(PATIENCE, telling).await??;
    if answer == *b"+" { Ok(()) } else { Err(format!("Redis refuses {command}").into()) }
}
