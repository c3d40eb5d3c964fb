//! A database that goes away and comes back, and one whose schema changes under everybody's hands.

use crate::{
    customers::Shop,
    house::{Client, House, Manner, Reply, server_url},
    patience::until,
    redis::works,
};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::json;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use store::database::{Address, Statements};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use uuid::Uuid;

/// How soon a caller must be told that the database is gone.
const SOON: Duration = Duration::from_secs(2);
/// How soon everything must work again once it is back.
const BACK: Duration = Duration::from_secs(5);

/// How the way to the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Everything gets through.
    Open,
    /// Nobody is there: connections end, and new ones too.
    Gone,
    /// Nothing comes back.
    Silent,
}

/// The way to the server of the tests.
struct Road {
    address: Address,
    way: watch::Sender<Way>,
}

impl Road {
    async fn opens() -> Self {
        let server: reqwest::Url = server_url().parse().unwrap();
        let place = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut here = server;
        here.set_host(Some("127.0.0.1")).unwrap();
        here.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let address = Address::parse(here.as_str()).unwrap();
        let way = watch::Sender::new(Way::Open);
        let ways = way.subscribe();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(passes(visitor, place.clone(), ways.clone()));
            }
        });
        Self { address, way }
    }
}

/// Lets a visitor through as long as the way is open.
async fn passes(mut visitor: TcpStream, place: String, mut way: watch::Receiver<Way>) {
    if *way.borrow_and_update() == Way::Open {
        let mut server = TcpStream::connect(place).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut visitor, &mut server) => return,
            changed = way.changed() => changed.unwrap_or_default(),
        }
    }
    if *way.borrow() == Way::Silent {
        // Whoever waits on this connection hears nothing any more; it ends when the way is another.
        way.changed().await.unwrap_or_default();
    }
}

/// A caller is told soon that the database is gone. One answer in three, because a machine may be busy.
async fn says_soon(ask: impl AsyncFn() -> Reply) {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        let refused = ask().await.refused(503, "unavailable");
        assert_eq!(refused.header("retry-after"), "1");
        fastest = fastest.min(began.elapsed());
    }
    assert!(fastest <= SOON, "it took {fastest:?}");
}

#[tokio::test]
async fn a_database_that_is_gone_is_said_soon_and_used_again_soon() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    house.settle().await;
    let road = Road::opens().await;
    let through = Some((road.address.clone(), Statements::Prepared));
    let replica = house.replica_in(&Manner { through, ..Manner::default() }).await;
    works(&replica);
    let key = replica.bearer(founded.live_key.reveal());
    let health = async |path: &str| {
        let client = Client::at(std::slice::from_ref(&replica.url));
        client.get(path).await.status.as_u16()
    };
    for way in [Way::Gone, Way::Silent] {
        key.get("/v1/brand").await.expect(200);
        let dealer = json!({"code": format!("{way:?}").to_lowercase(), "name": "杭州一店"});
        road.way.send_replace(way);
        says_soon(async || key.get("/v1/brand").await).await;
        says_soon(async || key.post_keyed("/v1/dealers", "k-1", dealer.clone()).await).await;
        assert_eq!((health("/healthz").await, health("/readyz").await), (200, 503), "{way:?}");
        let waiting = announces(&house, founded.twins.live.into()).await;

        road.way.send_replace(Way::Open);
        let back = Instant::now();
        let serves = async || (key.get("/v1/brand").await.status == 200).then_some(());
        until("it serves again", serves, String::new).await;
        let works = async || is_done(&house, waiting).await.then_some(());
        until("the worker works again", works, String::new).await;
        assert!(back.elapsed() <= BACK, "{way:?}: back after {:?}", back.elapsed());
        assert_eq!(health("/readyz").await, 200);
        let made = key.post("/v1/dealers", dealer).await.expect(201);
        assert_eq!(made["version"], 1);
    }
}

/// Leaves a job for the worker; answers which.
async fn announces(house: &House, tenant: Uuid) -> Uuid {
    let id = Uuid::new_v4();
    let sql = format!(
        "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
         VALUES ('{tenant}', '{id}', 'day_work_due',
                 '{{\"type\": \"day_work_due\", \"on\": \"2026-01-05\", \"work\": \"housekeeping\"}}',
                 '2026-01-05T00:00:00Z', 'ready', now())"
    );
    house.owner().await.execute_unprepared(&sql).await.unwrap();
    id
}

async fn is_done(house: &House, job: Uuid) -> bool {
    let sql = format!("SELECT state = 'done' FROM job WHERE id = '{job}'");
    let asked = Statement::from_string(DbBackend::Postgres, sql);
    let row = house.owner().await.query_one_raw(asked).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// A step of the schema as a release may take it: it adds, and a later one takes away.
const STEPS: &[&str] = &[
    "ALTER TABLE customer ADD COLUMN nickname text",
    "CREATE INDEX customer__by_nickname ON customer (tenant_id, nickname)",
    "ALTER TABLE customer ADD CONSTRAINT nickname CHECK (nickname <> '') NOT VALID",
    "ALTER TABLE customer VALIDATE CONSTRAINT nickname",
    "ALTER TABLE dealer ADD COLUMN rank integer NOT NULL DEFAULT 0",
    "ALTER TABLE customer DROP COLUMN nickname",
    "ALTER TABLE dealer DROP COLUMN rank",
];

#[tokio::test]
async fn a_step_of_the_schema_is_taken_while_everybody_works() {
    let shop = Shop::opens().await;
    let (working, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let works = |client: usize| {
        let (shop, working, over) = (&shop, &working, &over);
        async move {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                let id = shop.customer(&format!("c-{client}-{rounds}")).await;
                let path = format!("/v1/customers/{id}");
                let read = shop.key.get(&path).await.expect(200);
                shop.key.patch(&path, read.etag(), json!({"name": "王芳"})).await.expect(200);
                shop.key.get("/v1/customers?limit=20").await.expect(200);
                shop.key.get("/v1/dealers").await.expect(200);
                rounds += 1;
                working.store(true, Ordering::Relaxed);
            }
            rounds
        }
    };
    let migrates = async {
        let owner = shop.house.owner().await;
        for step in STEPS {
            // Every step finds somebody at work.
            working.store(false, Ordering::Relaxed);
            let at_work = async || working.load(Ordering::Relaxed).then_some(());
            until("somebody works", at_work, String::new).await;
            owner.execute_unprepared(step).await.unwrap();
        }
        // What was taken already is found and left, also by several at once.
        let owners = [shop.house.owner().await, shop.house.owner().await];
        for migrated in join_all(owners.iter().map(migrations::migrate)).await {
            migrated.unwrap();
        }
        over.store(true, Ordering::Relaxed);
    };
    let (rounds, ()) = tokio::join!(join_all((0..4).map(works)), migrates);
    assert!(rounds.iter().all(|rounds| *rounds > 0), "{rounds:?}");
}
