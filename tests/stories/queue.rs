//! The queue: fair, fenced, and nothing lost.

use crate::house::House;
use domain::{
    event::{DayWork, Event},
    identity::{Actor, Reach},
    ids::TenantId,
    time::Timestamp,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;
use store::{Scope, jobs::Queue};
use worker::Surroundings;

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
async fn a_worker_that_was_paused_past_its_lease_changes_nothing() {
    // Two workers: one holds its transaction while the other works.
    let house = House::with_connections(4).await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    enqueue(&house, brand.live, 1).await;
    let (queue, owner) = (Queue::new(house.store.clone()), house.owner().await);
    let paused = queue.fetch(1).await.unwrap().remove(0);
    let opened = queue.open(&paused).await.unwrap().unwrap();
    opened.tenant.emit(&nothing_much(house.now().plus_days(9))).await.unwrap();
    lapse(&owner).await;
    assert_eq!(queue.sweep().await.unwrap(), 1);
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
