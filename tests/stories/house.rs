//! The house of a story: a database, a service that listens, a clock that stands still.

use api::{
    access::Caller,
    identity::{Desk, RateLimits, RateQuota, Setup, SharedPlace},
};
use axum::{extract::Request, middleware::Next, response::Response};
use domain::{
    identity::{Actor, Reach, Role, Scope},
    ids::{DealerId, StaffId, TenantId},
    money::Currency,
    text::{Locale, Name, Slug},
    time::{Timestamp, Zone},
    web::Loopback,
};
use reqwest::{Method, StatusCode, header::HeaderMap, redirect::Policy};
use sea_orm::{
    ConnectionTrait, DatabaseConnection,
    sqlx::{PgPool, postgres::PgPoolOptions},
};
use serde_json::Value;
use std::{
    fmt,
    num::NonZeroU32,
    ops::Index,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{
    Chance, Clock, Store,
    database::{Address, Statements},
    jobs::{Errand, Queue},
    platform::{Founded, NewTenant, Twins},
    secrets::SecretKey,
    wake::Waker,
};
use tokio::sync::watch;
use uuid::Uuid;
use worker::{Outcome, Runner, Surroundings};

/// Logs in and owns nothing, as in production.
pub(crate) const LOGIN: &str = "aftercare_login";
/// When every story begins: a Monday morning in Shanghai.
const BEGINNING: &str = "2026-01-05T01:00:00Z";
/// More jobs than any story has; a story that needs more runs in circles.
const MOST_JOBS: usize = 200_000;
/// How long a story waits for Redis: a busy machine must not make it keep limits in the process.
const REDIS_PATIENCE: Duration = Duration::from_secs(30);

/// A client that shows where it is sent, and does not go there.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

/// A service with a database of its own.
pub(crate) struct House {
    /// What time it is in the story.
    pub(crate) clock: Clock,
    /// Where rows are, for what has no way over HTTP.
    pub(crate) store: Store,
    /// Where the service listens.
    pub(crate) url: String,
    /// Stops the service, as a signal does.
    pub(crate) stop: watch::Sender<bool>,
    web: reqwest::Client,
    runner: Arc<Runner>,
    queue: Queue,
    database: String,
    manner: Manner,
}

/// Another replica of a house's service, on the same database.
pub(crate) struct Replica {
    /// Its own connections, and its own way to wake and be woken.
    pub(crate) store: Store,
    /// Where it listens.
    pub(crate) url: String,
    /// Tells it to stop.
    pub(crate) stop: watch::Sender<bool>,
}

/// How a service is set up.
#[derive(Clone)]
pub(crate) struct Manner {
    /// How many connections to the database it has.
    pub(crate) connections: u32,
    /// Whether it may call its own machine.
    pub(crate) loopback: Loopback,
    /// How often a caller may call.
    pub(crate) quota: RateQuota,
    /// The Redis it uses, and where limits are shared.
    pub(crate) redis: Option<(String, SharedPlace)>,
    /// Another way to a database, and what becomes of statements on it.
    pub(crate) through: Option<(Address, Statements)>,
}

impl Default for Manner {
    /// As a developer has it, with the Redis of the tests where there is one.
    fn default() -> Self {
        let patient = |url: String| {
            let place = SharedPlace::at(&url).within(REDIS_PATIENCE);
            (url, place)
        };
        Self {
            connections: connections(),
            loopback: Loopback::Allowed,
            quota: often(1_000_000),
            redis: redis().map(patient),
            through: None,
        }
    }
}

impl House {
    /// Opens a house.
    pub(crate) async fn opens() -> Self {
        Self::furnished(Manner::default()).await
    }

    /// Opens a house whose service has `connections` to the database.
    pub(crate) async fn with_connections(connections: u32) -> Self {
        Self::furnished(Manner { connections, ..Manner::default() }).await
    }

    /// Opens a house as customers have it: it calls nobody on its own machine.
    pub(crate) async fn in_production() -> Self {
        Self::furnished(Manner { loopback: Loopback::Refused, ..Manner::default() }).await
    }

    /// Opens a house whose callers may call `burst` times at once, and then once a second.
    pub(crate) async fn with_limit(burst: u32) -> Self {
        let quota = RateQuota { burst: NonZeroU32::new(burst).unwrap(), ..often(1) };
        Self::furnished(Manner { quota, ..Manner::default() }).await
    }

    /// Opens a house that is set up so.
    pub(crate) async fn furnished(manner: Manner) -> Self {
        let server = server();
        let template = template(&server).await;
        let database = new_database();
        let admin = server.owner().await.unwrap();
        let create = format!("CREATE DATABASE {database} TEMPLATE {template}");
        admin.execute_unprepared(&create).await.unwrap();
        let clock = Clock::held(BEGINNING.parse().unwrap());
        let Replica { store, url, stop } = serve(&database, &clock, &manner, None).await;
        let queue = Queue::new(store.clone());
        let surroundings = Surroundings::without_outside(&url);
        let runner = Arc::new(Runner::new(queue.clone(), surroundings));
        let web = browser();
        Self { clock, store, url, stop, web, runner, queue, database, manner }
    }

    /// Opens another replica of the service, set up as this one.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_in(&self.manner).await
    }

    /// Opens another replica of the service, set up so.
    pub(crate) async fn replica_in(&self, manner: &Manner) -> Replica {
        serve(&self.database, &self.clock, manner, Some(&self.url)).await
    }

    /// A brand in Shanghai, called by its slug.
    pub(crate) async fn brand(&self, slug: &str) -> Twins {
        self.founds(slug).await.twins
    }

    /// A brand in Shanghai, called by its slug, with its first keys.
    pub(crate) async fn founds(&self, slug: &str) -> Founded {
        let new = NewTenant {
            slug: Slug::new(slug).unwrap(),
            name: Name::new(slug).unwrap(),
            tz: "Asia/Shanghai".parse::<Zone>().unwrap(),
            locale: Locale::Chinese,
            currency: Currency::CNY,
        };
        self.store.create_tenant(&new).await.unwrap()
    }

    /// The brand's own program, which may do everything.
    pub(crate) fn brand_key(&self, tenant: TenantId) -> Client {
        self.caller(&format!("test {} brand_admin", Uuid::from(tenant)))
    }

    /// A program of one dealer, which may do everything for it.
    pub(crate) fn dealer_key(&self, tenant: TenantId, dealer: &str) -> Client {
        let dealer = Uuid::from(dealer.parse::<DealerId>().unwrap());
        self.caller(&format!("test {} brand_admin - {dealer}", Uuid::from(tenant)))
    }

    /// The database as the service reaches it, by this login.
    pub(crate) fn pool_of(&self, login: &str) -> PgPool {
        let mut url: reqwest::Url = self.database_url().parse().unwrap();
        url.set_username(login).unwrap();
        PgPoolOptions::new().max_connections(1).connect_lazy(url.as_str()).unwrap()
    }

    /// The same, for what asks for an address.
    pub(crate) fn address_of(&self, login: &str) -> Address {
        server().in_database(&self.database).as_user(login)
    }

    /// The brand's own program, in its sandbox.
    pub(crate) fn sandbox_key(&self, tenant: TenantId) -> Client {
        self.caller(&format!("sandbox {} brand_admin", Uuid::from(tenant)))
    }

    /// A person who works for the brand.
    pub(crate) fn person(
        &self,
        tenant: TenantId,
        role: Role,
        staff: StaffId,
        dealer: Option<DealerId>,
    ) -> Client {
        let dealer = dealer.map(|dealer| Uuid::from(dealer).to_string()).unwrap_or_default();
        let (tenant, staff) = (Uuid::from(tenant), Uuid::from(staff));
        let role = serde_json::to_value(role).unwrap();
        let role = role.as_str().unwrap();
        self.caller(&format!("test {tenant} {role} {staff} {dealer}"))
    }

    /// Somebody who calls with these credentials (the value of the Authorization header).
    pub(crate) fn caller(&self, authorization: &str) -> Client {
        Client { authorization: Some(authorization.to_owned()), ..self.stranger() }
    }

    /// Somebody who calls with this key or token.
    pub(crate) fn bearer(&self, credential: &str) -> Client {
        self.caller(&format!("Bearer {credential}"))
    }

    /// Somebody without credentials.
    pub(crate) fn stranger(&self) -> Client {
        Client { web: self.web.clone(), ..Client::at(std::slice::from_ref(&self.url)) }
    }

    /// Lets the worker do all that is due; panics when a job fails.
    pub(crate) async fn settle(&self) {
        let failed = self.settle_somehow().await;
        assert!(failed.is_empty(), "these jobs failed: {failed:?}");
    }

    /// Lets the worker do all that is due; answers the kinds of jobs that failed.
    pub(crate) async fn settle_somehow(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for _ in 0..MOST_JOBS {
            let leases = self.queue.fetch(16).await.unwrap();
            if leases.is_empty() {
                return failed;
            }
            for errand in Errand::all(leases) {
                let outcomes = self.runner.run(&errand).await;
                let ended = errand.leases().iter().zip(outcomes);
                let not_done = ended.filter(|(_, outcome)| *outcome != Outcome::Done);
                failed.extend(not_done.map(|(lease, _)| lease.kind().to_owned()));
            }
        }
        panic!("the story runs in circles");
    }

    /// Lets the worker do the next job; panics when there is none or it fails.
    pub(crate) async fn work_once(&self) {
        let lease = self.queue.fetch(1).await.unwrap().remove(0);
        let outcomes = self.runner.run(&lease.clone().into()).await;
        assert_eq!(outcomes, [Outcome::Done], "{lease:?}");
    }

    /// Lets the worker do all that is due, as many jobs at once as there are connections; panics when
    /// one fails.
    pub(crate) async fn settle_at_once(&self) {
        loop {
            let leases = self.queue.fetch(connections().try_into().unwrap()).await.unwrap();
            if leases.is_empty() {
                return;
            }
            let errands = Errand::all(leases);
            let runs = errands.iter().map(|errand| self.runner.run(errand));
            let outcomes = futures::future::join_all(runs).await.concat();
            let done = outcomes.iter().all(|outcome| *outcome == Outcome::Done);
            assert!(done, "{outcomes:?}: {:?}", self.complaints_of_jobs().await);
        }
    }

    /// What the jobs that failed said last.
    async fn complaints_of_jobs(&self) -> Vec<String> {
        let sql = "SELECT kind || ': ' || last_error AS said FROM job WHERE last_error IS NOT NULL";
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let rows = self.owner().await.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "said").unwrap()).collect()
    }

    /// Lets days go by, one after the other, each with its work.
    pub(crate) async fn pass_days(&self, days: u32) {
        self.settle().await;
        for _ in 0..days {
            self.clock.set(self.clock.now().plus_days(1));
            self.settle().await;
        }
    }

    /// Lets hours go by, one after the other, each with its work.
    pub(crate) async fn pass_hours(&self, hours: u32) {
        self.settle().await;
        for _ in 0..hours {
            self.clock.set(self.clock.now().plus_hours(1));
            self.settle().await;
        }
    }

    /// What time it is in the story.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The database's address, for a program of its own.
    pub(crate) fn database_url(&self) -> String {
        let mut url: reqwest::Url =
            std::env::var("AFTERCARE_TEST_DATABASE_URL").unwrap().parse().unwrap();
        url.set_username(LOGIN).unwrap();
        url.set_path(&self.database);
        url.to_string()
    }

    /// The database under its owner, who is behind no wall: for looking at what no caller sees.
    pub(crate) async fn owner(&self) -> DatabaseConnection {
        server().in_database(&self.database).owner().await.unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop_database(&self.database);
    }
}

impl Replica {
    /// Somebody who calls this replica with this key or token.
    pub(crate) fn bearer(&self, credential: &str) -> Client {
        Client::at(std::slice::from_ref(&self.url)).bearer(credential)
    }
}

/// Somebody who calls the service.
#[derive(Clone)]
pub(crate) struct Client {
    web: reqwest::Client,
    doors: Arc<[String]>,
    calls: Arc<AtomicUsize>,
    authorization: Option<String>,
}

impl Client {
    /// Somebody without credentials who calls replicas at these addresses, one after the other.
    pub(crate) fn at(urls: &[String]) -> Self {
        Self { web: browser(), doors: urls.into(), calls: Arc::default(), authorization: None }
    }

    /// The same, with this key or token.
    pub(crate) fn bearer(&self, credential: &str) -> Self {
        Self { authorization: Some(format!("Bearer {credential}")), ..self.clone() }
    }

    /// Opens a page as a browser does.
    pub(crate) async fn opens(&self, path: &str, languages: &str) -> Reply {
        self.send(self.request(Method::GET, path).header("accept-language", languages)).await
    }

    /// Sends a page's form as a browser does.
    pub(crate) async fn sends(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        self.send(request).await
    }

    /// Asks for something.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts a JSON body, with an Idempotency-Key of its own.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_keyed(path, &Uuid::new_v4().to_string(), body).await
    }

    /// Posts a JSON body with this Idempotency-Key.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
    }

    /// Puts a JSON body.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Patches what the caller read as `etag`.
    pub(crate) async fn patch(&self, path: &str, etag: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).header("if-match", etag).json(&body)).await
    }

    /// A request to be completed and sent with [`Client::send`].
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let door = &self.doors[call % self.doors.len()];
        let request = self.web.request(method, format!("{door}{path}"));
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status, headers, text, body }
    }
}

/// What the service answered.
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
    /// The body as JSON; null when it is none.
    pub(crate) body: Value,
}

impl Reply {
    /// Insists on a status, and shows the body when it is another.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Insists on a problem.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        self
    }

    /// The identifier of the record in the body.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self["id"].as_str().unwrap_or_else(|| panic!("there is no id in {self:?}")).to_owned()
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The tag to send as If-Match.
    pub(crate) fn etag(&self) -> &str {
        self.header("etag")
    }

    /// The records of a list.
    #[track_caller]
    pub(crate) fn data(&self) -> &Vec<Value> {
        self["data"].as_array().unwrap_or_else(|| panic!("there is no list in {self:?}"))
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}

/// Connections of a service: a pool of one shows that nothing waits for a second.
pub(crate) fn connections() -> u32 {
    let wanted = std::env::var("AFTERCARE_TEST_POOL").ok();
    wanted.map_or(8, |wanted| wanted.parse().unwrap())
}

/// The address of the Redis of the tests, where there is one.
pub(crate) fn redis() -> Option<String> {
    std::env::var("AFTERCARE_TEST_REDIS_URL").ok().filter(|url| !url.is_empty())
}

/// The URL of the server on which databases may be created.
pub(crate) fn server_url() -> String {
    std::env::var("AFTERCARE_TEST_DATABASE_URL").expect(
        "AFTERCARE_TEST_DATABASE_URL names a PostgreSQL server for the stories; ./check starts one",
    )
}

/// The server on which databases may be created.
pub(crate) fn server() -> Address {
    Address::parse(&server_url()).unwrap()
}

/// A name for a database.
pub(crate) fn new_database() -> String {
    format!("aftercare_test_{}", Uuid::new_v4().simple())
}

/// Takes a database away, in a thread of its own because dropping cannot wait.
pub(crate) fn drop_database(database: &str) {
    let drop = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    let away = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async move {
            server().owner().await.unwrap().execute_unprepared(&drop).await.unwrap();
        });
    });
    away.join().unwrap();
}

/// Serves a database. Replicas say the same `address` of themselves; the first one says where it listens.
async fn serve(database: &str, clock: &Clock, manner: &Manner, address: Option<&str>) -> Replica {
    let direct = || (server(), Statements::Prepared);
    let (server, statements) = manner.through.clone().unwrap_or_else(direct);
    let pool = server.in_database(database).as_user(LOGIN).pool(manner.connections);
    let waker = match &manner.redis {
        Some((url, _)) => Waker::through(url, database).unwrap(),
        None => Waker::default(),
    };
    let store = Store::new(pool, statements, clock.clone(), Chance::System, waker);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let desk = desk(&store, address.unwrap_or(&url), manner);
    let (stop, stopped) = watch::channel(false);
    let service = api::service(store.clone(), desk, stopped)
        .unwrap()
        .layer(axum::middleware::from_fn(introduce));
    tokio::spawn(async move { axum::serve(listener, service).await });
    Replica { store, url, stop }
}

/// A migrated database to copy, made once for each build of the stories.
async fn template(server: &Address) -> String {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    TEMPLATE.get_or_init(|| make_template(server)).await.clone()
}

/// A connection that holds the right to migrate: roles belong to the whole server, and are made once at a time.
pub(crate) async fn migrating(server: &Address) -> DatabaseConnection {
    let admin = server.owner().await.unwrap();
    admin.execute_unprepared("SELECT pg_advisory_lock(7235)").await.unwrap();
    admin
}

async fn make_template(server: &Address) -> String {
    let built = std::env::current_exe().unwrap().metadata().unwrap().modified().unwrap();
    let age = built.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let name = format!("aftercare_template_{age}");
    let admin = migrating(server).await;
    let find = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, find);
    if admin.query_one_raw(statement).await.unwrap().is_none() {
        let draft = format!("{name}_draft");
        for sql in [format!("DROP DATABASE IF EXISTS {draft}"), format!("CREATE DATABASE {draft}")]
        {
            admin.execute_unprepared(&sql).await.unwrap();
        }
        let owner = server.in_database(&draft).owner().await.unwrap();
        migrations::migrate(&owner).await.unwrap();
        migrations::admit(&owner, LOGIN, None).await.unwrap();
        owner.close().await.unwrap();
        let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
        admin.execute_unprepared(&rename).await.unwrap();
    }
    admin.close().await.unwrap();
    name
}

/// So many times at once, and so many times a second.
pub(crate) fn often(times: u32) -> RateQuota {
    let times = NonZeroU32::new(times).unwrap();
    RateQuota { burst: times, per_second: times }
}

/// Where callers say who they are.
fn desk(store: &Store, address: &str, manner: &Manner) -> Desk {
    let setup = Setup {
        address: address.to_owned(),
        secret: SecretKey::from_text("a secret of many characters for stories").unwrap(),
        loopback: manner.loopback,
        limits: RateLimits { caller: manner.quota, tenant: often(1_000_000) },
        shared: manner.redis.as_ref().map(|(_, place)| place.clone()),
    };
    Desk::open(store.clone(), setup).unwrap()
}

/// Believes callers who say who they are. Stands in for credentials until keys and tokens are there.
async fn introduce(mut request: Request, next: Next) -> Response {
    let says = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let words: Vec<_> = says.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if words.first().is_some_and(|word| word == "test" || word == "sandbox") {
        let id = |place: usize| words.get(place).and_then(|word| Uuid::parse_str(word).ok());
        let role: Role = serde_json::from_value(words[2].clone().into()).unwrap();
        let actor = match id(3) {
            Some(staff) => Actor::Staff { id: staff.into(), rank: role.rank() },
            None => Actor::Key(id(1).unwrap().into()),
        };
        let scopes =
            if id(3).is_some() { role.scopes() } else { Scope::ALL.iter().copied().collect() };
        let technician = (role == Role::Technician).then(|| id(3).unwrap().into());
        request.extensions_mut().insert(Caller {
            tenant: id(1).unwrap().into(),
            actor,
            reach: Reach { dealer: id(4).map(Into::into), technician },
            scopes: scopes.into(),
            is_sandbox: words[0] == "sandbox",
            until: None,
        });
    }
    next.run(request).await
}
