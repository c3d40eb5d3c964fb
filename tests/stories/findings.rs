//! The service notices something, and somebody looks at it.

use crate::house::House;
use domain::{
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    identity::{Actor, Reach, Role},
    ids::{AnyId, DealerId, TenantId},
    record::Record as _,
};
use serde_json::{Value, json};
use store::Scope;

/// Lets the service notice something about a dealer, as its nightly work does; answers whether it is new.
pub(crate) async fn notices(
    house: &House,
    tenant: TenantId,
    kind: FindingKind,
    dealer: Option<DealerId>,
) -> bool {
    let scope = Scope {
        tenant,
        actor: Actor::Worker,
        reach: Reach::default(),
        paced: false,
        request_id: None,
    };
    let work = house.store.enter(scope).await.unwrap();
    let brand = work.brand().await.unwrap();
    let details = FindingDetails {
        kind,
        subject: dealer.map_or_else(|| AnyId::of(brand.id()), AnyId::of),
        dealer_id: dealer,
        topic: None,
        period: FindingPeriod::month_of(work.now().date_in(brand.details.tz)),
        evidence: FindingEvidence::from([("runs".to_owned(), 12), ("share_bp".to_owned(), 3_333)]),
    };
    let is_new = work.raise(details).await.unwrap();
    work.commit(is_new).await.unwrap().into_inner()
}

async fn enter_dealer(key: &crate::house::Client, code: &str) -> DealerId {
    let details = json!({ "code": code, "name": "杭州一店" });
    key.post("/v1/dealers", details).await.expect(201).id().parse().unwrap()
}

fn actions(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_same_is_noticed_once_in_a_period_and_again_in_the_next() {
    let house = House::opens().await;
    let tenant = house.brand("clearwater").await.live;
    let key = house.brand_key(tenant);
    let dealer = enter_dealer(&key, "hangzhou-01").await;
    assert!(notices(&house, tenant, FindingKind::TrainingNeeded, Some(dealer)).await);
    let id = key.get("/v1/findings").await.expect(200).data()[0]["id"].as_str().unwrap().to_owned();
    key.post(&format!("/v1/findings/{id}/resolve"), json!({})).await.expect(200);

    // Settled or not, it stays what it is until the month is over; and two replicas at once notice it once.
    let again = futures::future::join_all(
        (0..4).map(|_| notices(&house, tenant, FindingKind::TrainingNeeded, Some(dealer))),
    );
    assert_eq!(again.await, [false; 4]);
    let once = futures::future::join_all(
        (0..4).map(|_| notices(&house, tenant, FindingKind::SopGap, Some(dealer))),
    );
    assert_eq!(once.await.into_iter().filter(|is_new| *is_new).count(), 1);

    house.pass_days(31).await;
    assert!(notices(&house, tenant, FindingKind::TrainingNeeded, Some(dealer)).await);
    let training = key.get("/v1/findings?kind=training_needed").await.expect(200);
    let told: Vec<_> = training.data().iter().map(|one| (&one["period"], &one["state"])).collect();
    assert_eq!(
        told,
        [(&json!("2026-02"), &json!("open")), (&json!("2026-01"), &json!("resolved"))]
    );
    let open = key.get("/v1/findings?kind=training_needed&state=open").await.expect(200);
    assert_eq!(open.data().len(), 1);
    let about = key.get(&format!("/v1/findings?subject={dealer}")).await.expect(200);
    assert_eq!(about.data().len(), 3);
}

#[tokio::test]
async fn a_manager_looks_into_a_finding_and_the_timeline_says_so() {
    let house = House::opens().await;
    let tenant = house.brand("clearwater").await.live;
    let key = house.brand_key(tenant);
    let dealer = enter_dealer(&key, "hangzhou-01").await;
    let details = json!({ "name": "王伟", "role": "manager", "dealer_id": dealer.to_string() });
    let staff = key.post("/v1/staff", details).await.expect(201).id();
    let manager = house.person(tenant, Role::Manager, staff.parse().unwrap(), Some(dealer));
    notices(&house, tenant, FindingKind::TrainingNeeded, Some(dealer)).await;

    let found = manager.get("/v1/findings").await.expect(200);
    let id = found.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/findings/{id}");
    let shown = manager.get(&path).await.expect(200);
    assert_eq!(shown["evidence"], json!({ "runs": 12, "share_bp": 3_333 }));
    assert_eq!(shown["subject"], json!(dealer.to_string()));
    let acknowledged = manager.post(&format!("{path}/acknowledge"), json!({})).await.expect(200);
    assert_eq!(acknowledged["state"], "acknowledged");
    let twice = manager.post(&format!("{path}/acknowledge"), json!({})).await;
    let twice = twice.refused(409, "illegal_transition");
    assert_eq!(twice["allowed_transitions"], json!(["resolve", "dismiss"]));

    let dismiss = format!("{path}/dismiss");
    manager.post(&dismiss, json!({})).await.refused(422, "invalid_body");
    let why = json!({ "reason": "两人病假，已补做。" });
    let dismissed = manager.post(&dismiss, why.clone()).await.expect(200);
    assert_eq!((&dismissed["state"], &dismissed["reason"]), (&json!("dismissed"), &why["reason"]));
    assert_eq!(dismissed["settled_at"], json!(house.now()));

    let lines = key.get(&format!("/v1/audit-entries?subject={id}")).await.expect(200);
    assert_eq!(actions(lines.data()), ["dismiss", "acknowledge", "notice"]);
    assert_eq!(lines.data()[2]["actor"], "worker");
}

#[tokio::test]
async fn a_dealer_sees_its_own_findings_and_the_brand_sees_all() {
    let house = House::opens().await;
    let tenant = house.brand("clearwater").await.live;
    let key = house.brand_key(tenant);
    let ours = enter_dealer(&key, "hangzhou-01").await;
    let theirs = enter_dealer(&key, "suzhou-01").await;
    for dealer in [Some(ours), Some(theirs), None] {
        notices(&house, tenant, FindingKind::SopGap, dealer).await;
    }
    assert_eq!(key.get("/v1/findings").await.expect(200).data().len(), 3);
    let program = house.dealer_key(tenant, &ours.to_string());
    let seen = program.get("/v1/findings").await.expect(200);
    assert_eq!(seen.data().len(), 1);
    assert_eq!(seen.data()[0]["dealer_id"], json!(ours.to_string()));
    let others = key.get(&format!("/v1/findings?dealer_id={theirs}")).await.expect(200);
    let other = others.data()[0]["id"].as_str().unwrap();
    program.get(&format!("/v1/findings/{other}")).await.refused(404, "not_found");
    program
        .post(&format!("/v1/findings/{other}/resolve"), json!({}))
        .await
        .refused(404, "not_found");
}
