//! What replicas have in common: with Redis, without it, and with one that does not answer.

use crate::{
    house::{House, Manner, Replica, often, redis},
    identity::{exchanges, makes_key, manager, pass_seconds, secret, token_of},
    patience::until,
    voice::{complains, li_na},
};
use api::identity::{RateQuota, SharedPlace};
use domain::{identity::STANDING_SECONDS, ids::ApiKeyId};
use serde_json::json;
use std::{num::NonZeroU32, time::Duration};
use store::Store;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use uuid::Uuid;
use worker::Surroundings;

/// Far more than anything here takes; only what hangs takes longer.
const ENDLESS: Duration = Duration::from_mins(1);
/// How often a caller may call at once where limits are tried; more than a slow machine needs seconds for.
const BURST: u32 = 30;

/// Listens for wake-ups of other processes, as a worker does; answers once it can hear them.
async fn listens(store: &Store) {
    let waker = store.waker().clone();
    tokio::spawn(async move { waker.listen().await });
    timeout(ENDLESS, store.waker().woken()).await.expect("nobody can be heard");
}

#[tokio::test]
async fn work_that_one_process_leaves_wakes_the_worker_of_another() {
    if redis().is_none() {
        return;
    }
    let house = House::opens().await;
    let other = house.replica().await;
    listens(&other.store).await;
    house.brand("clearwater").await;
    timeout(ENDLESS, other.store.waker().woken()).await.expect("the wake-up did not arrive");
}

#[tokio::test]
async fn a_key_has_one_limit_whichever_replica_it_calls() {
    if redis().is_none() {
        return;
    }
    let house = House::with_limit(BURST).await;
    let other = house.replica().await;
    let founded = house.founds("clearwater").await;
    let (here, there) =
        (house.bearer(founded.live_key.reveal()), other.bearer(founded.live_key.reveal()));
    for _ in 0..BURST {
        here.get("/v1/brand").await.expect(200);
    }
    // One comes back each second, so a slow machine may be let through a few times, and never as often as if it
    // were a limit of its own.
    let mut let_through = 0;
    let stopped = loop {
        let reply = there.get("/v1/brand").await;
        if reply.status != 200 {
            break reply;
        }
        let_through += 1;
        assert!(let_through < BURST, "the other replica counts by itself");
    };
    stopped.refused(429, "too_many_requests");
    house.bearer(founded.test_key.reveal()).get("/v1/brand").await.expect(200);
}

#[tokio::test]
async fn a_bucket_that_was_filled_in_the_future_holds_nobody_up() {
    let Some(url) = redis() else { return };
    let house = House::with_limit(BURST).await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let keys = key.get("/v1/api-keys").await.expect(200);
    let id: ApiKeyId = keys.data()[0]["id"].as_str().unwrap().parse().unwrap();
    let bucket =
        format!("aftercare:rate:{{{}}}:{}", Uuid::from(founded.twins.live), Uuid::from(id));
    let year_3000_in_microseconds = 32_503_680_000_000_000_u64;
    let set = says(&url, &format!("SET {bucket} {year_3000_in_microseconds}")).await;
    assert_eq!(set, "+OK\r\n");
    let stopped = key.get("/v1/brand").await.refused(429, "too_many_requests");
    assert_eq!(stopped.header("retry-after"), "1");
}

/// Says a command to Redis, and hears the first line of what it answers.
pub(crate) async fn says(url: &str, command: &str) -> String {
    let mut redis = BufReader::new(TcpStream::connect(place(url)).await.unwrap());
    redis.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    redis.read_line(&mut answer).await.unwrap();
    answer
}

/// Host and port of the Redis of the tests, which has neither a password nor a name.
fn place(url: &str) -> String {
    url.trim_start_matches("redis://").trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn a_key_revoked_at_one_replica_is_refused_by_the_other() {
    let house = House::opens().await;
    let other = house.replica().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let token = exchanges(&house, &made).await;
    let (key, token) = (other.bearer(&secret(&made)), other.bearer(&token));
    key.get("/v1/dealers").await.expect(200);
    token.get("/v1/dealers").await.expect(200);
    first.post(&format!("/v1/api-keys/{}/revoke", made.id()), json!({})).await.expect(200);
    // Nobody is told; everybody looks again, Redis or no Redis.
    pass_seconds(&house, STANDING_SECONDS);
    key.get("/v1/dealers").await.refused(401, "unauthorized");
    token.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_rank_changed_at_one_replica_counts_at_the_other() {
    let house = House::opens().await;
    let other = house.replica().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.test_key.reveal());
    let (_, staff) = manager(&key).await;
    let answer = token_of(&key, &staff, json!([])).await.expect(201);
    let person = other.bearer(answer["access_token"].as_str().unwrap());
    person.get("/v1/staff").await.expect(200);
    let path = format!("/v1/staff/{staff}");
    let read = key.get(&path).await.expect(200);
    let demoted = key.patch(&path, read.etag(), json!({"role": "clerk"})).await.expect(200);
    pass_seconds(&house, STANDING_SECONDS);
    person.get("/v1/staff").await.refused(403, "forbidden");
    key.patch(&path, demoted.etag(), json!({"role": "owner"})).await.expect(200);
    pass_seconds(&house, STANDING_SECONDS);
    person.get("/v1/staff").await.expect(200);
}

/// A gate before Redis. While it is shut, whoever comes is let in and hears nothing; who is through when it is shut
/// hears nothing any more.
struct Gate {
    url: String,
    open: watch::Sender<bool>,
}

impl Gate {
    /// A gate that is shut; there may be no Redis behind it.
    async fn shut(redis: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let open = watch::Sender::new(false);
        let gate = open.clone();
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                let (mut opened, redis) = (gate.subscribe(), redis.clone());
                tokio::spawn(async move {
                    opened.wait_for(|open| *open).await.unwrap();
                    let mut redis = TcpStream::connect(place(&redis.unwrap())).await.unwrap();
                    let shut = tokio::select! {
                        _ = copy_bidirectional(&mut visitor, &mut redis) => false,
                        shut = opened.wait_for(|open| !*open) => shut.is_ok(),
                    };
                    if shut {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { url, open }
    }
}

/// An address at which nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("redis://{}", listener.local_addr().unwrap())
}

/// A replica with that Redis and the patience of production.
pub(crate) fn with_redis_at(url: &str, quota: RateQuota) -> Manner {
    Manner { quota, redis: Some((url.to_owned(), SharedPlace::at(url))), ..Manner::default() }
}

/// A worker of this replica, which stops when the story ends.
pub(crate) fn works(replica: &Replica) {
    let (store, surroundings) =
        (replica.store.clone(), Surroundings::without_outside(&replica.url));
    let waker = store.waker().clone();
    tokio::spawn(async move { waker.listen().await });
    let settings = worker::Settings { slots: 1 };
    tokio::spawn(worker::work(store, settings, surroundings, std::future::pending()));
}

/// Requests are answered, limits hold and jobs run, whatever is the matter with Redis.
pub(crate) async fn all_goes_on_with_redis_at(url: &str) {
    let quota = RateQuota { burst: NonZeroU32::new(BURST).unwrap(), ..often(1) };
    let house = House::furnished(with_redis_at(url, quota)).await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let mut let_through = 0;
    while key.get("/v1/brand").await.status == 200 {
        let_through += 1;
        assert!(let_through < 10 * BURST, "nobody counts");
    }
    assert!(let_through >= BURST, "{let_through}");

    let unlimited = with_redis_at(url, often(1_000_000));
    let other = house.replica_in(&unlimited).await;
    works(&other);
    let key = other.bearer(founded.live_key.reveal());
    let customer = li_na(&key).await;
    let complaint = complains(&key, &customer).await.id();
    let done = async || {
        let done = key.get("/v1/jobs?state=done&limit=200").await.expect(200);
        done.data().iter().any(|job| job["kind"] == "complaint_opened").then_some(())
    };
    until(&format!("{complaint} is followed up"), done, String::new).await;
}

#[tokio::test]
async fn a_redis_that_never_answers_stops_nothing() {
    let gate = Gate::shut(None).await;
    timeout(ENDLESS, all_goes_on_with_redis_at(&gate.url)).await.expect("something waits for it");
}

#[tokio::test]
async fn a_redis_that_is_not_there_stops_nothing() {
    let nowhere = nowhere().await;
    timeout(ENDLESS, all_goes_on_with_redis_at(&nowhere)).await.expect("something waits for it");
}

#[tokio::test]
async fn a_redis_that_comes_back_is_used_again() {
    let Some(url) = redis() else { return };
    let gate = Gate::shut(Some(url)).await;
    let burst = 100_000;
    let quota = RateQuota { burst: NonZeroU32::new(burst).unwrap(), ..often(1) };
    let house = House::furnished(Manner { quota, ..Manner::default() }).await;
    let behind = house.replica_in(&with_redis_at(&gate.url, quota)).await;
    let founded = house.founds("clearwater").await;
    let (near, far) =
        (house.bearer(founded.live_key.reveal()), behind.bearer(founded.live_key.reveal()));
    let mut called = 0;
    let mut shared = async || {
        called += 1;
        let reply = far.get("/v1/brand").await.expect(200);
        let left: u32 = reply.header("x-ratelimit-remaining").parse().unwrap();
        // By itself it knows of no call but its own.
        (burst - left > called).then_some(())
    };
    assert!(shared().await.is_none(), "the gate is shut");
    for outage in ["at the beginning", "in the middle"] {
        for _ in 0..300 {
            near.get("/v1/brand").await.expect(200);
        }
        gate.open.send_replace(true);
        until(&format!("limits are shared after an outage {outage}"), &mut shared, String::new)
            .await;
        gate.open.send_replace(false);
        let by_itself = async || shared().await.is_none().then_some(());
        until("the gate is shut", by_itself, String::new).await;
    }
}
