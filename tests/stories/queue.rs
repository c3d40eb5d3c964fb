//! The queue: fair, fenced, and nothing lost.

use crate::{house::House, patience::until};
use domain::{
    event::{DayWork, Event},
    identity::{Actor, Reach},
    ids::TenantId,
    time::Timestamp,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait as _};
use std::collections::BTreeMap;
use store::{
    Scope,
    jobs::{Backlog, Errand, Queue},
};
use worker::{Outcome, Runner, Surroundings};

/// An event whose handling changes nothing.
fn nothing_much(at: Timestamp) -> Event {
    Event::DayWorkDue { on: at.date_in(domain::time::Zone::UTC), work: DayWork::Housekeeping }
}

async fn enqueue(house: &House, tenant: TenantId, jobs: usize) {
    let scope = Scope {
        tenant,
        actor: Actor::Operator,
        reach: Reach::default(),
        paced: false,
        request_id: None,
    };
    let tenant = house.store.enter(scope).await.unwrap();
    for _ in 0..jobs {
        tenant.emit(&nothing_much(tenant.now())).await.unwrap();
    }
    tenant.commit(()).await.unwrap();
}

async fn count(owner: &DatabaseConnection, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) AS number FROM job WHERE {condition}");
    let row = owner.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.unwrap().try_get("", "number").unwrap()
}

/// Pretends that the leases in force ran out.
async fn lapse(owner: &DatabaseConnection) {
    let sql = "UPDATE job SET lease_until = now() - interval '1 second' WHERE state = 'running'";
    owner.execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn a_tenant_with_a_long_queue_does_not_keep_others_waiting() {
    let house = House::opens().await;
    let (loud, quiet) = (house.brand("loud").await, house.brand("quiet").await);
    house.settle().await;
    enqueue(&house, loud.live, 500).await;
    enqueue(&house, quiet.live, 3).await;
    let leases = Queue::new(house.store.clone()).fetch(8).await.unwrap();
    let mut shares = BTreeMap::new();
    for lease in leases {
        *shares.entry(lease.tenant()).or_insert(0) += 1;
    }
    assert_eq!(shares, BTreeMap::from([(loud.live, 4), (quiet.live, 3)]));
}

#[tokio::test]
async fn eight_busy_sandboxes_keep_nobody_waiting() {
    let house = House::opens().await;
    let quiet = house.brand("quiet").await.live;
    let mut sandboxes = Vec::new();
    for brand in 0..8 {
        sandboxes.push(house.brand(&format!("busy-{brand}")).await.test);
    }
    house.settle().await;
    let queue = Queue::new(house.store.clone());
    for sandbox in sandboxes {
        enqueue(&house, sandbox, 2).await;
    }
    // Of each sandbox one job runs and one waits for it.
    assert_eq!(queue.fetch(16).await.unwrap().len(), 8);
    // Served later than all of them, so that they come before it.
    for round in 1..=2 {
        enqueue(&house, quiet, 1).await;
        let fetched = queue.fetch(16).await.unwrap();
        let served: Vec<_> = fetched.iter().map(store::jobs::Lease::tenant).collect();
        assert_eq!(served, [quiet], "round {round}");
    }
}

#[tokio::test]
async fn a_brand_with_all_the_jobs_it_may_run_is_passed_over() {
    let house = House::opens().await;
    let (loud, quiet) = (house.brand("loud").await.live, house.brand("quiet").await.live);
    house.settle().await;
    enqueue(&house, loud, 70).await;
    let queue = Queue::new(house.store.clone());
    assert_eq!(queue.fetch(100).await.unwrap().len(), 64);
    enqueue(&house, quiet, 2).await;
    assert_eq!(queue.fetch(1).await.unwrap()[0].tenant(), quiet);
    assert_eq!(queue.fetch(1).await.unwrap()[0].tenant(), quiet);
    assert!(queue.fetch(1).await.unwrap().is_empty());
}

/// Works, and is told to stop after the database has answered so many other questions meanwhile.
async fn works_for(house: &House, owner: &DatabaseConnection, questions: u32) {
    let owner = owner.clone();
    let stop = async move {
        for _ in 0..questions {
            owner.execute_unprepared("SELECT 1").await.unwrap();
        }
    };
    works_until(house, stop).await;
}

async fn works_until(house: &House, stop: impl Future<Output = ()> + Send + 'static) {
    let surroundings = Surroundings::without_outside(&house.url);
    let settings = worker::Settings { slots: 6 };
    worker::work(house.store.clone(), settings, surroundings, stop).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_stops_at_any_instant_leaves_nothing_running() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let owner = house.owner().await;
    for questions in (0..60).step_by(2) {
        enqueue(&house, brand.live, 20).await;
        works_for(&house, &owner, questions).await;
        let left = count(&owner, "state = 'running'").await;
        assert_eq!(left, 0, "stopped after {questions} questions");
    }
    assert!(count(&owner, "state = 'done' AND kind = 'day_work_due'").await > 0);
    assert_eq!(count(&owner, "state = 'ready' AND attempts > 0").await, 0);
    house.settle().await;
    assert_eq!(count(&owner, "crashes > 0 OR attempts > 1").await, 0);
}

#[tokio::test]
async fn orphans_come_back_later_and_later_and_not_all_at_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 20).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    for (crash, seconds) in [(1, 1), (2, 2)] {
        owner.execute_unprepared("UPDATE job SET not_before = NULL").await.unwrap();
        assert_eq!(queue.fetch(20).await.unwrap().len(), 20);
        lapse(&owner).await;
        owner.execute_unprepared("CREATE TABLE before AS SELECT now() AS at").await.unwrap();
        assert_eq!(queue.sweep().await.unwrap().len(), 20);
        let later = format!(
            "crashes = {crash} AND not_before >= (SELECT at FROM before) + interval '{seconds} s'"
        );
        assert_eq!(count(&owner, &later).await, 20);
        let twins =
            "EXISTS (SELECT 1 FROM job b WHERE b.not_before = job.not_before AND b.id <> job.id)";
        assert!(count(&owner, twins).await < 20, "after crash {crash}");
        owner.execute_unprepared("DROP TABLE before").await.unwrap();
    }
}

#[tokio::test]
async fn an_outage_of_the_database_costs_no_attempt() {
    // One connection, so that the job gets the one that is broken.
    let house = House::with_connections(1).await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 1).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    let runner = Runner::new(queue.clone(), Surroundings::without_outside(&house.url));
    // Asked to wait, the server answers once the connection has ended and not while it still works.
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE usename = 'aftercare_login' AND datname = current_database()";

    // The connection is lost, and there is a new one at once.
    let lease = queue.fetch(1).await.unwrap().remove(0);
    owner.execute_unprepared(end).await.unwrap();
    assert_eq!(runner.run(&lease.clone().into()).await, [Outcome::Untried]);
    let untried = "state = 'ready' AND attempts = 0 AND crashes = 0 AND not_before > created_at";
    assert_eq!(count(&owner, untried).await, 1);

    // Nobody gets in for a while; what was in hand then is given back afterwards.
    owner.execute_unprepared("UPDATE job SET not_before = NULL").await.unwrap();
    let lease = queue.fetch(1).await.unwrap().remove(0);
    let limit = |most: i32| {
        format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {most}', current_database()); END $$"
        )
    };
    owner.execute_unprepared(&limit(0)).await.unwrap();
    owner.execute_unprepared(end).await.unwrap();
    assert_eq!(runner.run(&lease.clone().into()).await, [Outcome::Stranded]);
    owner.execute_unprepared(&limit(-1)).await.unwrap();
    queue.postpone(&lease, "the database was out of reach").await.unwrap();
    assert_eq!(count(&owner, untried).await, 1);
}

#[tokio::test]
async fn the_operator_sees_how_far_the_queue_is_behind() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    let scheduled = queue.backlog().await.unwrap().scheduled;
    enqueue(&house, brand.live, 1).await;
    let failed = queue.fetch(1).await.unwrap().remove(0);
    queue.give_back(&failed, "the printer is on fire", true).await.unwrap();
    // A sandbox is not late: it has a clock of its own.
    enqueue(&house, brand.test, 1).await;
    house.clock.set(house.now().plus_hours(1));
    enqueue(&house, brand.live, 3).await;
    house.clock.set(house.now().plus_hours(2));
    enqueue(&house, brand.live, 1).await;
    let late = Backlog {
        due: 5.0,
        scheduled,
        running: 0.0,
        dead: 1.0,
        lag_seconds: 7_200.0,
        oldest_seconds: 7_200.0,
    };
    assert_eq!(queue.backlog().await.unwrap(), late);

    // What waits for its next attempt is old and holds nobody up.
    let retried = "UPDATE job SET not_before = now() + interval '1 hour'
                   WHERE state = 'ready' AND created_at < (SELECT max(created_at) FROM job)";
    owner.execute_unprepared(retried).await.unwrap();
    let late = queue.backlog().await.unwrap();
    assert_eq!((late.lag_seconds, late.oldest_seconds), (0.0, 7_200.0));
}

#[tokio::test]
async fn a_collector_reads_how_the_queue_and_its_jobs_are() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 5).await;
    api::metrics::collect();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let admin = api::admin(house.store.clone());
    tokio::spawn(async move { axum::serve(listener, admin).await });
    let read = async || {
        let told = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
        told.text().await.unwrap()
    };
    // The worker counts its queue beside its jobs; either may be first.
    let (enough, told_enough) = tokio::sync::oneshot::channel();
    let reads = async {
        let both = ["aftercare_jobs_total{", "aftercare_queue_oldest_seconds "];
        let told = async || {
            let told = read().await;
            both.iter().all(|name| told.contains(name)).then_some(())
        };
        until("jobs and queue are counted", told, String::new).await;
        enough.send(()).unwrap();
    };
    tokio::join!(works_until(&house, async { told_enough.await.unwrap() }), reads);

    let told = read().await;
    for line in [
        "aftercare_jobs_total{kind=\"day_work_due\",outcome=\"done\"} ",
        "aftercare_job_duration_seconds_bucket{kind=\"day_work_due\",le=\"0.001\"} ",
        "aftercare_sweeps_total ",
        "aftercare_queue_jobs{state=\"due\"} ",
        "aftercare_queue_jobs{state=\"scheduled\"} ",
        "aftercare_queue_jobs{state=\"running\"} ",
        "aftercare_queue_jobs{state=\"dead\"} ",
        "aftercare_queue_lag_seconds ",
        "aftercare_queue_oldest_seconds ",
    ] {
        assert!(told.contains(line), "{line:?} is missing in {told}");
    }
    let unnamed = |line: &&str| !line.starts_with('#') && !line.starts_with("aftercare_");
    assert_eq!(told.lines().filter(|line| !line.is_empty()).find(unnamed), None);
}

#[tokio::test]
async fn two_workers_never_hold_the_same_job() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 40).await;
    let queue = Queue::new(house.store.clone());
    let fetches = (0..8).map(|_| queue.fetch(10));
    let fetched = futures::future::join_all(fetches).await;
    let mut jobs: Vec<_> =
        fetched.into_iter().flatten().flatten().map(|lease| lease.job()).collect();
    let taken = jobs.len();
    jobs.sort();
    jobs.dedup();
    assert_eq!(jobs.len(), taken, "a job was handed out twice");
    assert!(taken > 0);
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_not_swept() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 2).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    let kept = queue.fetch(1).await.unwrap().remove(0);
    let lost = queue.fetch(1).await.unwrap().remove(0);
    assert_ne!(kept.token(), lost.token());
    lapse(&owner).await;
    queue.renew(vec![kept.token()]).await.unwrap();
    assert_eq!(queue.sweep().await.unwrap().len(), 1);
    let runner = Runner::new(queue, Surroundings::without_outside(&house.url));
    assert_eq!(runner.run(&kept.clone().into()).await, [Outcome::Done]);
    assert_eq!(runner.run(&lost.clone().into()).await, [Outcome::Lost]);
}

#[tokio::test]
async fn a_worker_that_hangs_in_its_fetch_holds_nobody_up() {
    let house = House::opens().await;
    let (held, free) = (house.brand("held").await.live, house.brand("free").await.live);
    house.settle().await;
    enqueue(&house, held, 1).await;
    enqueue(&house, free, 1).await;
    // It has taken the first brand's turn, and freezes.
    let owner = house.owner().await;
    let hangs = owner.begin().await.unwrap();
    let turn = format!(
        "SELECT 1 FROM tenant_queue WHERE tenant_id = '{}' FOR UPDATE",
        uuid::Uuid::from(held)
    );
    hangs.execute_unprepared(&turn).await.unwrap();
    let fetched = Queue::new(house.store.clone()).fetch(8).await.unwrap();
    let served: Vec<_> = fetched.iter().map(store::jobs::Lease::tenant).collect();
    assert_eq!(served, [free]);
    hangs.rollback().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_was_paused_past_its_lease_changes_nothing() {
    // Two workers: one holds its transaction while the other works.
    let house = House::with_connections(4).await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 1).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    let paused = queue.fetch(1).await.unwrap().remove(0);
    let paused = Errand::from(paused);
    let opened = queue.open(&paused).await.unwrap().unwrap();
    opened.tenant.emit(&nothing_much(house.now().plus_days(9))).await.unwrap();
    lapse(&owner).await;
    assert_eq!(queue.sweep().await.unwrap().len(), 1);
    // The other worker has it now; the paused one comes back and wants to finish.
    assert!(!queue.complete(opened.tenant, &paused).await.unwrap());
    assert_eq!(
        count(&owner, "due_at > now() + interval '1 hour' AND kind = 'day_work_due'").await,
        0
    );
    owner.execute_unprepared("UPDATE job SET not_before = NULL").await.unwrap();
    house.settle().await;
    assert_eq!(count(&owner, "state <> 'done' AND kind = 'day_work_due'").await, 0);
}

#[tokio::test]
async fn a_job_that_takes_its_worker_down_three_times_is_dead() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 1).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    for crash in 1..=3 {
        owner.execute_unprepared("UPDATE job SET not_before = NULL").await.unwrap();
        assert_eq!(queue.fetch(1).await.unwrap().len(), 1, "before crash {crash}");
        lapse(&owner).await;
        queue.sweep().await.unwrap();
    }
    assert_eq!(count(&owner, "state = 'dead' AND crashes = 3").await, 1);
    assert!(queue.fetch(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_announced_once_is_there_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    let owner = house.owner().await;
    let before = count(&owner, "kind = 'day_began'").await;
    let scope = Scope {
        tenant: brand.live,
        actor: Actor::Operator,
        reach: Reach::default(),
        paced: false,
        request_id: None,
    };
    for _ in 0..2 {
        let tenant = house.store.enter(scope.clone()).await.unwrap();
        let on = house.now().plus_days(3).date_in(domain::time::Zone::UTC);
        let event = Event::DayBegan { on };
        tenant.emit_once(&event, tenant.now().plus_days(3), "day_began:x").await.unwrap();
        tenant.commit(()).await.unwrap();
    }
    assert_eq!(count(&owner, "kind = 'day_began'").await, before + 1);
}

#[tokio::test]
async fn a_brand_s_days_follow_each_other_without_a_gap() {
    let house = House::opens().await;
    house.brand("clearwater").await;
    house.pass_days(5).await;
    let owner = house.owner().await;
    // The live brand's days: the first, one at each midnight since, and tomorrow's.
    let live = "kind = 'day_began' AND tenant_id = (SELECT id FROM tenant WHERE mode = 'live')";
    assert_eq!(count(&owner, &format!("{live} AND state = 'done'")).await, 6);
    assert_eq!(count(&owner, &format!("{live} AND state = 'ready'")).await, 1);
}

#[tokio::test]
async fn a_dead_job_is_listed_with_its_reason_and_lives_again() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 1).await;
    let (queue, key) = (Queue::new(house.store.clone()), house.brand_key(brand.live));
    let lease = queue.fetch(1).await.unwrap().remove(0);
    queue.give_back(&lease, "the printer is on fire", true).await.unwrap();

    let dead = key.get("/v1/jobs?state=dead").await.expect(200);
    assert_eq!(dead.data().len(), 1, "{dead:?}");
    assert_eq!(dead.data()[0]["last_error"], "the printer is on fire");
    let path = format!("/v1/jobs/{}/replay", dead.data()[0]["id"].as_str().unwrap());
    key.post(&path, serde_json::json!({})).await.expect(200);
    house.settle().await;
    let refused = key.post(&path, serde_json::json!({})).await.refused(409, "illegal_transition");
    assert_eq!(refused["state"], "done");
    let other = house.brand("other").await;
    house.brand_key(other.live).post(&path, serde_json::json!({})).await.refused(404, "not_found");
}
