//! A noisy neighbour: one brand floods the API and fills the queue, and another hardly feels it.
//!
//! Real processes, one of the API and one of the worker, and the machine's own time; so this is a program of its own,
//! which runs beside no other test. What is felt is measured in pairs of rounds, alone and under the flood, one right
//! after the other, and only their quotients count. `AFTERCARE_TEST_JOBS` says how many jobs are queued.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    reason = "an instrument that goes wrong should say where"
)]

#[path = "../stories/house.rs"]
#[expect(dead_code, reason = "the stories need more of it")]
mod house;
#[path = "../stories/installation.rs"]
#[expect(dead_code, reason = "the stories need more of it")]
mod installation;
#[path = "../stories/patience.rs"]
mod patience;

use domain::ids::MessageId;
use futures::future::join_all;
use house::{Client, server};
use installation::{Installation, Process};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::json;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

/// Requests a second that a key may send here; its brand may send four times as many, as everywhere.
const LIMIT: u32 = 5;
/// Keys with which the quiet brand works.
const KEYS: u32 = 4;
/// The flood is so many times the limit.
const FLOOD: u32 = 20;
/// Connections through which the flood comes.
const MOUTHS: u32 = 8;
/// Pairs of rounds, alone and under the flood.
const PAIRS: usize = 5;
/// How long a round lasts.
const ROUND: Duration = Duration::from_secs(4);
/// How often the quiet brand asks; with all its keys, just within its limit.
const EVERY: Duration = Duration::from_millis(50);
/// The quiet brand's slowest answers may take so many times as long.
const MOST_FELT: f64 = 2.0;
/// The quiet brand's jobs start so soon.
const MOST_WAIT: f64 = 2.0;
/// Jobs that the loud brand queues when nobody says.
const JOBS: u32 = 20_000;
/// A queue in which nothing moves for so long has stalled.
const STALL: Duration = Duration::from_secs(5);

/// What is measured must not disturb what else is measured.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Two brands on one API and one worker.
struct Street {
    installation: Installation,
    api: Process,
    worker: Process,
    owner: DatabaseConnection,
    loud: Client,
    quiet: Client,
    keys: Vec<Client>,
    customer: String,
}

impl Street {
    async fn moves_in() -> Self {
        let limits = [
            ("AFTERCARE_CALLER_RATE", LIMIT.to_string()),
            ("AFTERCARE_TENANT_RATE", (LIMIT * KEYS).to_string()),
        ];
        let installation = Installation::is_set_up_with(&limits).await;
        let (api, worker) = tokio::join!(installation.starts("api"), installation.starts("worker"));
        let door = Client::at(std::slice::from_ref(&api.url));
        let (loud, _) = installation.creates_tenant("loud").await;
        let (quiet, _) = installation.creates_tenant("quiet").await;
        let (loud, quiet) = (door.bearer(&loud), door.bearer(&quiet));
        let customer = quiet.post("/v1/customers", json!({"name": "李娜"})).await.expect(201).id();
        let mut keys = Vec::new();
        for key in 0..KEYS {
            let made = json!({"name": format!("POS {key}"), "scopes": ["customers:read"]});
            let made = quiet.post("/v1/api-keys", made).await.expect(201);
            keys.push(door.bearer(made["secret"].as_str().unwrap()));
        }
        let owner = server().in_database(&installation.database).owner().await.unwrap();
        Self { installation, api, worker, owner, loud, quiet, keys, customer }
    }

    async fn moves_out(self) {
        self.api.ends().await;
        self.worker.ends().await;
        self.owner.close().await.unwrap();
        drop(self.installation);
    }

    /// The loud brand has so many jobs that are due: each looks at a message, and finds that it was dealt with.
    async fn queues(&self, jobs: u32) {
        let customer = json!({"name": "王伟"});
        self.loud.post("/v1/customers", customer).await.expect(201);
        let id = Uuid::new_v4();
        let add = format!(
            "INSERT INTO message (tenant_id, id, customer_id, purpose, channel, locale, headline, body,
                                 state, reason, created_at, version)
            SELECT tenant_id, '{id}', id, 'service', 'none', 'zh-CN', 'x', 'x', 'kept', 'no_address', now(), 1
            FROM customer WHERE name = '王伟'"
        );
        self.owner.execute_unprepared(&add).await.unwrap();
        let message = MessageId::from(id);
        let many = format!(
            "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
             SELECT m.tenant_id, gen_random_uuid(), 'message_queued',
                    '{{\"type\": \"message_queued\", \"message\": \"{message}\"}}',
                    now() - interval '1 second', 'ready', now()
             FROM message m, generate_series(1, {jobs}) WHERE m.id = '{id}'"
        );
        self.owner.execute_unprepared(&many).await.unwrap();
        self.owner.execute_unprepared("ANALYZE job").await.unwrap();
    }

    /// How many jobs the loud brand has left.
    async fn left(&self) -> i64 {
        let sql = "SELECT count(*) FROM job j JOIN tenant t ON t.id = j.tenant_id
                   WHERE t.slug = 'loud' AND j.state IN ('ready', 'running') AND j.due_at <= now()";
        self.asks(sql).await
    }

    /// The longest that a complaint of the quiet brand has waited for its job to start, in seconds: a job ends at
    /// the instant at which its transaction began.
    async fn longest_wait(&self) -> f64 {
        let sql = "SELECT coalesce(max(extract(epoch FROM coalesce(j.finished_at, now()) - j.created_at)), 0)::float8
                   FROM job j JOIN tenant t ON t.id = j.tenant_id
                   WHERE t.slug = 'quiet' AND j.kind = 'complaint_opened'";
        self.asks(sql).await
    }

    async fn asks<T: sea_orm::TryGetable>(&self, sql: &str) -> T {
        let asked = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.owner.query_one_raw(asked).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// The quiet brand works for a round; answers how long its slowest answers took, in seconds.
    async fn works(&self) -> f64 {
        let mut took = Vec::new();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ends = Instant::now() + ROUND;
        while Instant::now() < ends {
            ticks.tick().await;
            let began = Instant::now();
            let path = match took.len() % 2 {
                0 => format!("/v1/customers/{}", self.customer),
                _ => "/v1/customers?limit=50".to_owned(),
            };
            self.keys[took.len() % self.keys.len()].get(&path).await.expect(200);
            took.push(began.elapsed().as_secs_f64());
        }
        percentile_99(took)
    }

    async fn complains(&self) {
        let details = json!({
            "customer_id": self.customer, "source": "phone", "kind": "quality", "severity": 3,
            "description": "滤芯漏水",
        });
        self.quiet.post("/v1/complaints", details).await.expect(201);
    }

    /// The loud brand floods the API for a round; answers how often it asked, and how often it was served.
    async fn floods(&self) -> (u64, u64) {
        let (asked, served) = (AtomicU64::new(0), AtomicU64::new(0));
        let mouths = (0..MOUTHS).map(|_| async {
            let mut ticks = interval(Duration::from_secs(1) * MOUTHS / (LIMIT * FLOOD));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let ends = Instant::now() + ROUND;
            while Instant::now() < ends {
                ticks.tick().await;
                let status = self.loud.get("/v1/customers").await.status;
                assert!(status == 200 || status == 429, "{status}");
                asked.fetch_add(1, Ordering::Relaxed);
                served.fetch_add(u64::from(status == 200), Ordering::Relaxed);
            }
        });
        join_all(mouths).await;
        (asked.into_inner(), served.into_inner())
    }
}

/// Of a hundred, the slowest but one.
fn percentile_99(mut took: Vec<f64>) -> f64 {
    took.sort_by(f64::total_cmp);
    let place = (took.len() * 99).div_ceil(100).saturating_sub(1);
    took[place]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len().div_euclid(2)]
}

fn jobs() -> u32 {
    let asked = std::env::var("AFTERCARE_TEST_JOBS").ok();
    asked.map_or(JOBS, |jobs| jobs.parse().expect("AFTERCARE_TEST_JOBS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures, and wants the machine for itself: ./check --deep"]
async fn a_flood_of_one_brand_is_hardly_felt_by_another() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let street = Street::moves_in().await;
    street.works().await;
    let (mut felt, mut pairs) = (Vec::new(), Vec::new());
    let (mut asked, mut served) = (0, 0);
    for _ in 0..PAIRS {
        let alone = street.works().await;
        let (flooded, flood) = tokio::join!(street.works(), street.floods());
        asked += flood.0;
        served += flood.1;
        felt.push(flooded / alone);
        pairs.push(format!("{:.1} / {:.1} ms", flooded * 1_000.0, alone * 1_000.0));
    }
    let (seconds, felt) = (ROUND.as_secs() * u64::try_from(PAIRS).unwrap(), median(felt));
    println!("p99 flooded / alone: {}; median {felt:.2}", pairs.join(", "));
    println!("the flood: {asked} requests in {seconds} s, {served} of them served");
    let wanted = u64::from(LIMIT * FLOOD) * seconds;
    assert!(asked * 10 >= wanted * 9, "{asked} of {wanted} requests: this was no flood");
    assert!(felt <= MOST_FELT, "the neighbour's slowest answers took {felt:.2} times as long");
    street.moves_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes half a minute, with nothing beside it: ./check"]
async fn a_burst_of_one_brand_s_jobs_holds_up_nobody_else_s() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let street = Street::moves_in().await;
    let jobs = jobs();
    street.queues(jobs).await;
    let began = Instant::now();
    let (mut left, mut moved) = (i64::from(jobs), Instant::now());
    let mut complaints = 0_u32;
    while left > 0 {
        street.complains().await;
        complaints += 1;
        sleep(Duration::from_millis(500)).await;
        let now = street.left().await;
        if now < left {
            (left, moved) = (now, Instant::now());
        }
        assert!(moved.elapsed() < STALL, "{left} of {jobs} jobs are left, and nothing moves");
    }
    let wait = street.longest_wait().await;
    println!(
        "{jobs} jobs in {:.1} s; of {complaints} jobs of the neighbour the last to start waited {wait:.2} s",
        began.elapsed().as_secs_f64()
    );
    assert!(wait <= MOST_WAIT, "a neighbour's job waited {wait:.2} s");
    street.moves_out().await;
}
