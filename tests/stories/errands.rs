//! Errands: small jobs of one brand share a transaction, and none holds another up.

use crate::{
    house::House,
    voice::{complains, li_na},
};
use domain::{
    complaints::{Complaint, FirstAnswer},
    event::{Event, SMALL},
    identity::{Actor, Reach},
    ids::{ComplaintId, TenantId},
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use store::{
    Scope, Tenant,
    complaints::Wanted,
    jobs::{Errand, MOST_TOGETHER, Queue},
};
use uuid::Uuid;
use worker::{Outcome, Runner, Surroundings};

/// A brand with complaints that nobody has answered.
struct Complaints {
    house: House,
    brand: TenantId,
    ids: Vec<ComplaintId>,
    owner: DatabaseConnection,
    queue: Queue,
    runner: Runner,
}

impl Complaints {
    async fn open(number: usize) -> Self {
        let house = House::with_connections(4).await;
        let brand = house.brand("clearwater").await.live;
        let key = house.brand_key(brand);
        let customer = li_na(&key).await;
        let mut ids = Vec::new();
        for _ in 0..number {
            ids.push(complains(&key, &customer).await.id().parse().unwrap());
        }
        house.settle().await;
        let (owner, queue) = (house.owner().await, Queue::new(house.store.clone()));
        let runner = Runner::new(queue.clone(), Surroundings::without_outside(&house.url));
        Self { house, brand, ids, owner, queue, runner }
    }

    /// The brand's door.
    async fn enters(&self) -> Tenant {
        let (tenant, actor, reach) = (self.brand, Actor::Operator, Reach::default());
        let scope = Scope { tenant, actor, reach, paced: false, request_id: None };
        self.house.store.enter(scope).await.unwrap()
    }

    /// Announces that the first answers are due.
    async fn fall_due(&self, complaints: &[ComplaintId]) {
        let tenant = self.enters().await;
        for complaint in complaints {
            tenant.emit(&Event::FirstAnswerDue { complaint: *complaint }).await.unwrap();
        }
        tenant.commit(()).await.unwrap();
    }

    /// The errand of the first answers that are due.
    async fn errand(&self) -> Errand {
        let errands = Errand::all(self.queue.fetch(16).await.unwrap());
        let is_ours = |errand: &Errand| errand.leases()[0].kind() == "first_answer_due";
        let mut ours: Vec<_> = errands.into_iter().filter(is_ours).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        ours.remove(0)
    }

    async fn count(&self, sql: &str) -> i64 {
        let asked = Statement::from_string(DbBackend::Postgres, sql.to_owned());
        self.owner.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// How many complaints were found to be unanswered.
    async fn missed(&self) -> i64 {
        self.count("SELECT count(*) FROM complaint WHERE first_answer = 'missed'").await
    }
}

/// In how many transactions they were completed.
const TRANSACTIONS: &str =
    "SELECT count(DISTINCT xmin::text) FROM job WHERE kind = 'first_answer_due' AND state = 'done'";

#[tokio::test]
async fn small_jobs_of_a_brand_are_done_in_one_transaction() {
    let complaints = Complaints::open(3).await;
    complaints.house.clock.set(complaints.house.now().plus_days(2));
    // The deadlines that were set when they complained are due, too.
    let errand = complaints.errand().await;
    assert_eq!(errand.leases().len(), 3);
    assert_eq!(complaints.runner.run(&errand).await, [Outcome::Done; 3]);
    assert_eq!(complaints.missed().await, 3);
    assert_eq!(complaints.count(TRANSACTIONS).await, 1);
}

#[tokio::test]
async fn the_second_job_about_a_record_sees_what_the_first_has_done() {
    let complaints = Complaints::open(1).await;
    complaints.house.clock.set(complaints.house.now().plus_days(2));
    // Beside the deadline that was set when they complained.
    complaints.fall_due(&complaints.ids).await;
    let errand = complaints.errand().await;
    assert_eq!(errand.leases().len(), 2);
    assert_eq!(complaints.runner.run(&errand).await, [Outcome::Done; 2]);
    let noted = "SELECT count(*) FROM audit_entry WHERE action = 'miss_first_answer'";
    assert_eq!((complaints.missed().await, complaints.count(noted).await), (1, 1));
    assert_eq!(complaints.count(TRANSACTIONS).await, 1);
}

#[tokio::test]
async fn a_record_at_hand_that_is_changed_is_asked_for_again() {
    let complaints = Complaints::open(1).await;
    complaints.house.clock.set(complaints.house.now().plus_days(2));
    let (tenant, id) = (complaints.enters().await, complaints.ids[0]);
    tenant.expect::<Complaint>(vec![id]).await.unwrap();
    let found = tenant.all::<Complaint>(Wanted::default().select()).await.unwrap();
    let change = found[0].clone().miss_first_answer(tenant.now()).unwrap();
    tenant.record(change).await.unwrap();
    let complaint: Complaint = tenant.get(id).await.unwrap();
    assert_eq!((complaint.first_answer, complaint.version.get()), (FirstAnswer::Missed, 2));
}

#[tokio::test]
async fn a_record_at_hand_is_nobody_elses_to_change() {
    let complaints = Complaints::open(1).await;
    let (tenant, id) = (complaints.enters().await, complaints.ids[0]);
    tenant.expect::<Complaint>(vec![id]).await.unwrap();
    let change = "SET lock_timeout = '1ms'; UPDATE complaint SET version = version + 1";
    assert!(complaints.owner.execute_unprepared(change).await.is_err());
    assert_eq!(tenant.get::<Complaint>(id).await.unwrap().version.get(), 1);
}

#[tokio::test]
async fn a_job_that_fails_holds_none_up_that_came_with_it() {
    let complaints = Complaints::open(2).await;
    let nobodys: ComplaintId = Uuid::now_v7().into();
    complaints.house.clock.set(complaints.house.now().plus_days(2));
    complaints.fall_due(&[nobodys]).await;
    let errand = complaints.errand().await;
    assert_eq!(errand.leases().len(), 3);
    let outcomes = complaints.runner.run(&errand).await;
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, Outcome::Dead]);
    assert_eq!(complaints.missed().await, 2);
    assert_eq!(complaints.count(TRANSACTIONS).await, 2);
}

#[tokio::test]
async fn a_job_that_somebody_else_has_by_now_leaves_the_others_to_us() {
    let complaints = Complaints::open(3).await;
    complaints.house.clock.set(complaints.house.now().plus_days(2));
    let errand = complaints.errand().await;
    let taken = "UPDATE job SET lease_token = gen_random_uuid() WHERE id = (
        SELECT id FROM job WHERE state = 'running' AND kind = 'first_answer_due' ORDER BY due_at, id LIMIT 1)";
    complaints.owner.execute_unprepared(taken).await.unwrap();
    let outcomes = complaints.runner.run(&errand).await;
    assert_eq!(outcomes, [Outcome::Lost, Outcome::Done, Outcome::Done]);
    assert_eq!(complaints.missed().await, 2);
}

#[tokio::test]
async fn a_slot_takes_many_small_jobs_or_one_that_is_not() {
    let complaints = Complaints::open(1).await;
    let (house, queue) = (&complaints.house, &complaints.queue);
    complaints.fall_due(&[complaints.ids[0]; MOST_TOGETHER + 4]).await;
    let fetched = queue.fetch(1).await.unwrap();
    assert_eq!(fetched.len(), MOST_TOGETHER);
    assert_eq!(Errand::all(fetched).len(), 1);
    assert_eq!(Errand::all(queue.fetch(8).await.unwrap()).len(), 1);

    // The day's work is in six parts, none of which is small.
    let other = house.brand("other").await.live;
    assert_ne!(other, complaints.brand);
    let fetched = queue.fetch(2).await.unwrap();
    assert!((1..=2).contains(&fetched.len()), "{fetched:?}");
    assert_eq!(Errand::all(fetched.clone()).len(), fetched.len());
}

#[test]
fn small_kinds_are_kinds_of_events() {
    let ids = serde_json::json!({
        "complaint": ComplaintId::from(Uuid::nil()), "resolution_no": 1, "refusals": 1,
        "asset": domain::ids::AssetId::from(Uuid::nil()),
        "enrolment": domain::ids::EnrolmentId::from(Uuid::nil()),
        "gesture": domain::ids::GestureId::from(Uuid::nil()),
        "message": domain::ids::ComplaintMessageId::from(Uuid::nil()),
        "publication": domain::ids::ComplaintPublicationId::from(Uuid::nil()),
        "appointment": domain::ids::AppointmentId::from(Uuid::nil()),
        "invitation": domain::ids::InvitationId::from(Uuid::nil()),
        "occurrence": domain::ids::OccurrenceId::from(Uuid::nil()),
        "customer_event": domain::ids::CustomerEventId::from(Uuid::nil()),
        "run": domain::ids::SopRunId::from(Uuid::nil()), "step": domain::ids::SopRunStepId::from(Uuid::nil()),
        "escalated_rank": null,
        "clock": domain::ids::SlaClockId::from(Uuid::nil()),
        "order": domain::ids::OrderId::from(Uuid::nil()),
        "work_order": domain::ids::WorkOrderId::from(Uuid::nil()),
    });
    for kind in SMALL {
        let mut event = ids.clone();
        event["type"] = kind.into();
        let event: Event = serde_json::from_value(event).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap()["type"], kind);
        // A narrower reach would have to be taken back for the next.
        assert_eq!(event.reach(), Reach::default(), "{kind}");
    }
}
