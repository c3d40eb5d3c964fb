//! The program as its operator meets it: what it prints, what it refuses, and how it ends.

use crate::house::House;
use rustix::process::{Pid, Signal, kill_process};
use sea_orm::ConnectionTrait as _;
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{interval, timeout},
};

/// Longer than anything here takes, and shorter than the grace of requests.
const PATIENCE: Duration = Duration::from_secs(20);
/// The head of a request whose body does not come, and what says that it is waited for.
const HALF: &str =
    "POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
const GO_ON: &str = "HTTP/1.1 100 Continue";
const SECRET: &str = "k3jH9-xQ2vB7nM4pL8sD1fG6hJ0kZ5cX";

/// The program with these words and settings, and no others.
pub(crate) fn program(words: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    let ours = |name: &str| name.starts_with("AFTERCARE_");
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.args(words).envs(settings.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the program printed, and whether it ended well.
pub(crate) struct Said {
    pub(crate) well: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

async fn heard(child: Child) -> Said {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { well: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) async fn says(words: &[&str], settings: &[(&str, &str)]) -> Said {
    heard(program(words, settings).spawn().unwrap()).await
}

/// Two addresses where nobody listens at this moment.
pub(crate) async fn two_places() -> [String; 2] {
    let (one, two) =
        tokio::join!(TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    [one, two].map(|listener| listener.unwrap().local_addr().unwrap().to_string())
}

/// Waits until the API at `place` answers, or nobody listens there any more.
pub(crate) async fn answers_at(place: &str, answers: bool) {
    let mut ticks = interval(Duration::from_millis(20));
    let waiting = async {
        while TcpStream::connect(place).await.is_ok() != answers {
            ticks.tick().await;
        }
        if answers {
            let health = reqwest::get(format!("http://{place}/healthz")).await.unwrap();
            health.error_for_status().unwrap();
        }
    };
    timeout(PATIENCE, waiting).await.expect("it answers, or stops to");
}

/// The settings of a program that listens in these places.
fn served<'a>(bind: &'a str, admin: &'a str, database: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("AFTERCARE_BIND", bind),
        ("AFTERCARE_ADMIN_BIND", admin),
        ("AFTERCARE_DATABASE_URL", database),
        ("AFTERCARE_SECRET_KEY", SECRET),
    ]
}

fn tell(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn the_first_signal_waits_for_requests_and_the_second_for_nothing() {
    let house = House::opens().await;
    let ([bind, admin], url) = (two_places().await, house.database_url());
    let settings = served(&bind, &admin, &url);
    for role in ["api", "all"] {
        let child = program(&[role], &settings).spawn().unwrap();
        answers_at(&bind, true).await;
        let mut half = TcpStream::connect(&bind).await.unwrap();
        half.write_all(HALF.as_bytes()).await.unwrap();
        let mut asked_on = [0; GO_ON.len()];
        half.read_exact(&mut asked_on).await.unwrap();
        assert_eq!(asked_on, *GO_ON.as_bytes(), "it reads the body");
        tell(&child, Signal::TERM);
        answers_at(&bind, false).await;
        tell(&child, Signal::TERM);
        let said = heard(child).await;
        assert!(
            !said.well && said.err.contains("it was told twice to end"),
            "{role}: {}",
            said.err
        );
    }
    let child = program(&["all"], &settings).spawn().unwrap();
    answers_at(&bind, true).await;
    tell(&child, Signal::INT);
    let said = heard(child).await;
    assert!(said.well, "{}", said.err);
}

#[tokio::test]
async fn a_port_that_is_taken_ends_the_program_before_it_begins() {
    let house = House::opens().await;
    let ([bind, _], url) = (two_places().await, house.database_url());
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = taken.local_addr().unwrap().to_string();
    for role in ["all", "api", "worker"] {
        let settings = served(&bind, &admin, &url);
        let said = says(&[role], &settings).await;
        assert!(!said.well, "{role}");
        assert_eq!(said.out, "", "{role} says nothing of a service that is not there");
        let wanted = format!("{admin} cannot be listened on: Address already in use");
        assert!(said.err.contains(&wanted), "{role}: {}", said.err);
    }
}

#[tokio::test]
async fn what_prints_something_needs_no_database() {
    let production = ("AFTERCARE_ENV", "production");
    let said = says(&["openapi"], &[production]).await;
    assert!(said.well && said.out.contains("\"openapi\": \"3.1.0\""), "{}", said.err);
    let said = says(&["config"], &[production, ("AFTERCARE_REDIS_URL", "redis://:pw@x")]).await;
    let lines: Vec<_> = said.out.lines().collect();
    for line in [
        "AFTERCARE_ENV=production",
        "AFTERCARE_BIND=127.0.0.1:8080",
        "AFTERCARE_REDIS_URL=(set)",
        "# AFTERCARE_DATABASE_URL=",
        "AFTERCARE_MAIL_FROM=Aftercare <aftercare@localhost>",
    ] {
        assert!(lines.contains(&line), "{line} in {}", said.out);
    }
    assert!(!said.out.contains("pw"));
    let said = says(&["api"], &[production]).await;
    assert!(
        !said.well && said.err.contains("AFTERCARE_ENV=production needs AFTERCARE_DATABASE_URL")
    );
}

#[tokio::test]
async fn mistakes_are_answered_in_a_sentence() {
    let said = says(&["config"], &[("AFTERCARE_LOG", "warn,api=loud")]).await;
    assert!(!said.well && said.out.is_empty());
    assert!(said.err.contains("AFTERCARE_LOG cannot be read"), "{}", said.err);
    assert!(said.err.contains("error parsing level filter"), "the reason: {}", said.err);
    let said = says(&["tenants", "create", "--slug", "Bad Slug", "--name", "x"], &[]).await;
    let about = "invalid value 'Bad Slug' for '--slug <SLUG>': ";
    let sentence = said.err.split_once(about).map(|(_, rest)| rest.lines().next().unwrap());
    assert!(!said.well && sentence.is_some_and(|text| text.contains(' ')), "{}", said.err);
    assert!(!said.err.contains('\u{1f}') && !said.err.contains('\u{1b}'), "{:?}", said.err);
    let said = says(&["config"], &[("AFTERCARE_PORT", "80")]).await;
    assert_eq!(said.err.trim(), "aftercare: there is no setting AFTERCARE_PORT");
}

#[tokio::test]
async fn log_lines_have_no_colours_where_nobody_looks() {
    let house = House::opens().await;
    let ([bind, admin], url) = (two_places().await, house.database_url());
    let settings = served(&bind, &admin, &url);
    let child = program(&["api"], &settings).spawn().unwrap();
    answers_at(&bind, true).await;
    reqwest::get(format!("http://{bind}/version")).await.unwrap();
    tell(&child, Signal::TERM);
    let said = heard(child).await;
    assert!(said.err.contains("route=\"/version\"") && said.err.contains("INFO"), "{}", said.err);
    assert!(!said.err.contains('\u{1b}'), "{:?}", said.err);
}

/// The line of the doctor about a matter.
fn line<'a>(said: &'a Said, matter: &str) -> &'a str {
    let mut lines = said.out.lines();
    lines
        .find(|line| line.get(9..).is_some_and(|rest| rest.starts_with(matter)))
        .unwrap_or_else(|| panic!("nothing about {matter} in {}{}", said.out, said.err))
}

#[tokio::test]
async fn the_doctor_finds_nothing_where_nothing_is_wrong() {
    let house = House::opens().await;
    let url = house.database_url();
    let settings = [("AFTERCARE_DATABASE_URL", &*url), ("AFTERCARE_SECRET_KEY", SECRET)];
    let said = says(&["doctor"], &settings).await;
    assert!(said.well, "{}{}", said.out, said.err);
    assert!(said.out.lines().all(|line| line.starts_with("ok ")), "{}", said.out);
    for matter in [
        "settings",
        "database",
        "schema",
        "clock",
        "secret key",
        "redis",
        "data folder",
        "files",
        "mail",
    ] {
        line(&said, matter);
    }
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let house = House::opens().await;
    let url = house.database_url();
    // Whoever asks for the keys makes the first one, under the house's secret.
    house.stranger().get("/.well-known/jwks.json").await.expect(200);
    let settings = [
        ("AFTERCARE_DATABASE_URL", &*url),
        ("AFTERCARE_SECRET_KEY", SECRET),
        ("AFTERCARE_REDIS_URL", "redis://127.0.0.1:1"),
        ("AFTERCARE_SMTP_URL", "smtp://127.0.0.1:1"),
    ];
    let said = says(&["doctor"], &settings).await;
    assert!(!said.well && said.err.contains("there are 3 problems"), "{}{}", said.out, said.err);
    let secret = line(&said, "secret key");
    assert!(secret.starts_with("problem") && secret.contains("it does not open sgn_"), "{secret}");
    let redis = line(&said, "redis");
    assert!(redis.starts_with("problem") && redis.contains("Connection refused"), "{redis}");
    let mail = line(&said, "mail");
    assert!(mail.starts_with("problem") && mail.contains("cannot be reached"), "{mail}");
    assert!(line(&said, "database").starts_with("ok"), "{}", said.out);

    let forget = "DELETE FROM seaql_migrations WHERE version = 'm0007_voice'";
    house.owner().await.execute_unprepared(forget).await.unwrap();
    let said = says(&["doctor"], &settings).await;
    let database = line(&said, "database");
    assert!(database.starts_with("problem"), "{database}");
    assert!(database.contains("the migration m0007_voice is missing"), "{database}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_not_to_be() {
    let settings = [("AFTERCARE_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")];
    for role in ["doctor", "worker"] {
        let [_, admin] = two_places().await;
        let settings = [settings[0], ("AFTERCARE_ADMIN_BIND", &*admin)];
        let said = says(&[role], &settings).await;
        let text = said.out + &said.err;
        assert!(!said.well && text.contains("Connection refused"), "{role}: {text}");
        assert!(!text.contains("pool timed out"), "{role}: {text}");
    }
}

#[tokio::test]
async fn the_operator_lists_suspends_and_resumes_brands() {
    let house = House::opens().await;
    let (founded, url) = (house.founds("clearwater").await, house.database_url());
    let settings = [("AFTERCARE_DATABASE_URL", &*url)];
    let tenants = async |words: &[&str]| says(&[&["tenants"], words].concat(), &settings).await;
    let listed = tenants(&["list"]).await.out;
    let id = founded.twins.live;
    assert_eq!(listed, format!("clearwater  active  {id}  clearwater\n"));
    assert!(tenants(&["suspend", "clearwater"]).await.well);
    let again = tenants(&["suspend", "clearwater"]).await;
    assert!(!again.well && again.err.contains("clearwater is suspended already"), "{}", again.err);
    let listed = tenants(&["list", "--json"]).await.out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["slug"], &listed["status"]), (&"clearwater".into(), &"suspended".into()));
    let unknown = tenants(&["resume", "nobody"]).await;
    assert!(!unknown.well && unknown.err.contains("there is no brand nobody"), "{}", unknown.err);
    assert!(tenants(&["resume", "clearwater"]).await.well);
    assert_eq!(tenants(&["list"]).await.out, format!("clearwater  active  {id}  clearwater\n"));
}
