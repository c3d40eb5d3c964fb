//! Others doing the same work: the servers and queues under `bench/peers`, with pinned versions.

use crate::{
    machine,
    process::{Process, command},
    program::{BATCH, ISSUER},
    report::{Line, Target},
    rows::{OURS, Sides},
    sql::{LOGIN, SUPERUSER},
    stage::{Ground, Stage},
    trouble::Trouble,
};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Connections that a peer has in all its processes: as many as ours.
const CONNECTIONS: &str = "16";
/// How long a peer may take to install what it needs, or to drain a queue.
const PATIENCE: Duration = Duration::from_mins(5);
/// Where the peers lie.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// A web server.
pub(crate) const FASTIFY: &str = "Fastify + pg";
/// A web server.
pub(crate) const FASTAPI: &str = "FastAPI + asyncpg";
/// A queue on Redis.
pub(crate) const BULLMQ: &str = "BullMQ";
/// A queue on Redis.
pub(crate) const CELERY: &str = "Celery";
/// A queue on PostgreSQL.
pub(crate) const PG_BOSS: &str = "pg-boss";
/// A queue on PostgreSQL.
pub(crate) const GRAPHILE_WORKER: &str = "graphile-worker";

/// A web server that does the same work on the same database.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where it is, with the same callers.
    pub(crate) ground: Ground,
}

/// What a queue did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drained {
    /// Jobs that were done.
    pub(crate) done: u64,
    /// Jobs a second.
    pub(crate) rate: f64,
}

/// Installs what the peers need, in folders of their own; again only when their versions have changed.
pub(crate) async fn install() -> Result<(), Trouble> {
    let (node, python) = (Path::new(FOLDER).join("node"), Path::new(FOLDER).join("python"));
    let environment = python.join(".venv");
    install_once(&node.join("package-lock.json"), &node.join("node_modules"), async || {
        run(named("npm", &node)?.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])).await
    })
    .await?;
    install_once(&python.join("requirements.txt"), &environment, async || {
        run(named("python3", &python)?.args(["-m", "venv", ".venv"])).await?;
        let mut pip = command(&environment.join("bin/pip"), None);
        run(pip.current_dir(&python).args(["install", "-q", "-r", "requirements.txt"])).await
    })
    .await
}

async fn install_once(
    pinned: &Path,
    folder: &Path,
    install: impl AsyncFnOnce() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mark = folder.join(".installed-from");
    let failed = || Trouble::during(format!("{} cannot be installed", pinned.display()));
    let wanted = fs::read(pinned).map_err(failed())?;
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install().await?;
    fs::write(mark, wanted).map_err(failed())
}

/// A program on the path, in a folder.
fn named(name: &str, folder: &Path) -> Result<Command, Trouble> {
    let program = machine::on_path(name);
    let program = program.ok_or_else(|| Trouble::unexpected(format!("{name} is missing")))?;
    let mut command = command(&program, None);
    command.current_dir(folder);
    Ok(command)
}

/// Runs a command to its end; answers what it printed.
async fn run(command: &mut Command) -> Result<(), Trouble> {
    output(command).await.map(drop)
}

async fn output(command: &mut Command) -> Result<String, Trouble> {
    let ended = timeout(PATIENCE, command.output()).await;
    let ended = ended.map_err(|_| Trouble::unexpected("a peer does not come to its end"))?;
    let ended = ended.map_err(Trouble::during("a peer cannot be started"))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let first = said.lines().find(|line| line.contains("Error"));
    let first = first.unwrap_or_else(|| said.trim());
    Err(Trouble::unexpected(format!("a peer failed: {first}")))
}

/// Starts the web servers on a database whose API runs; none unless peers are asked for.
pub(crate) async fn servers(stage: &mut Stage, ground: &Ground) -> Result<Vec<Peer>, Trouble> {
    if !stage.options.peers {
        return Ok(Vec::new());
    }
    install().await?;
    let mut peers = Vec::new();
    for name in [FASTIFY, FASTAPI] {
        let port = machine::free_port()?;
        let mut server = if name == FASTIFY {
            let mut node = named("node", &Path::new(FOLDER).join("node"))?;
            node.arg("server.mjs");
            node
        } else {
            uvicorn(port)
        };
        server.env("NODE_ENV", "production");
        server.env("PEER_DATABASE_URL", stage.psql.url(&ground.database, LOGIN));
        server.env("PEER_JWKS_URL", format!("http://{}/.well-known/jwks.json", ground.place));
        server.env("PEER_ISSUER", ISSUER).env("PEER_PORT", port.to_string());
        server.env("PEER_CONNECTIONS", CONNECTIONS);
        let place = SocketAddr::from(([127, 0, 0, 1], port));
        let log = stage.folder.path().join("peer.log");
        let mut process = Process::start(server, name, &log)?;
        process.until(|| crate::program::is_ready(place)).await?;
        stage.keep(process);
        peers.push(Peer { name, ground: Ground { place, ..ground.clone() } });
    }
    Ok(peers)
}

fn uvicorn(port: u16) -> Command {
    let python = Path::new(FOLDER).join("python");
    let mut uvicorn = command(&python.join(".venv/bin/uvicorn"), None);
    uvicorn.current_dir(&python).args(["server:app", "--workers", "2", "--loop", "uvloop"]);
    uvicorn.args(["--http", "httptools", "--log-level", "warning", "--no-access-log"]);
    uvicorn.arg("--port").arg(port.to_string());
    uvicorn
}

/// Lets a queue of others do `jobs` jobs of a database, with an effect each or none.
pub(crate) async fn drain(
    stage: &Stage,
    peer: &str,
    database: &str,
    jobs: u64,
    has_effect: bool,
) -> Result<Drained, Trouble> {
    let mut queue = if peer == CELERY {
        let python = Path::new(FOLDER).join("python");
        let mut celery = command(&interpreter(&python), None);
        celery.current_dir(&python).arg("queue_celery.py");
        celery
    } else {
        let mut node = named("node", &Path::new(FOLDER).join("node"))?;
        node.args([
            "queue.mjs",
            &peer.to_lowercase(),
            if has_effect { "effect" } else { "nothing" },
        ]);
        node
    };
    queue.env("NODE_ENV", "production");
    queue.env("PEER_DATABASE_URL", stage.psql.url(database, SUPERUSER));
    queue.env("PEER_REDIS_URL", stage.redis.url());
    queue.env("PEER_CONNECTIONS", CONNECTIONS).env("PEER_SLOTS", BATCH.to_string());
    queue.env("PEER_JOBS", jobs.to_string());
    let said = output(&mut queue).await?;
    let line = said.lines().last().unwrap_or_default();
    let said: serde_json::Value = serde_json::from_str(line)
        .map_err(|error| Trouble::unexpected(format!("{peer} said {line}: {error}")))?;
    let number = |key: &str| said.get(key).and_then(serde_json::Value::as_f64).unwrap_or_default();
    let seconds = number("seconds").max(f64::MIN_POSITIVE);
    let done = said.get("done").and_then(serde_json::Value::as_u64).unwrap_or_default();
    Ok(Drained { done, rate: number("counted") / seconds })
}

fn interpreter(python: &Path) -> PathBuf {
    python.join(".venv/bin/python")
}

/// The figures beside the peers that took part.
pub(crate) fn lines(sides: &Sides, targets: &[(&'static str, Option<f64>)]) -> Vec<Line> {
    let took_part = targets.iter().filter(|(peer, _)| sides.has(peer));
    let line = |(peer, least): &(&'static str, Option<f64>)| {
        Line::times(sides, OURS, peer, least.map(Target::AtLeast))
    };
    took_part.map(line).collect()
}
