//! A policy is applied anew to a complaint that is here already, when somebody asks for it.

use super::{FRIDAY, MONDAY, Shop, only, target};
use domain::identity::Role;
use serde_json::json;

#[tokio::test]
async fn a_newer_version_counts_from_the_beginning_once_somebody_says_so() {
    let shop = Shop::opens().await;
    let (policy, _) = shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    let longer = json!({"targets": [target("acknowledge", 90, json!({})),
        target("decision", 120, json!({}))]});
    let second = shop.publishes(&policy, longer).await;
    shop.house.settle().await;
    let clock = shop.clock(&id, "acknowledge").await;
    assert_eq!(clock["due_at"], MONDAY, "publishing moves nothing");

    let applied = shop.act(&id, "apply-policy", json!({})).await;
    assert_eq!(applied["first_answer_due_at"], "2026-01-12T02:00:00Z");
    let clock = shop.clock(&id, "acknowledge").await;
    assert_eq!(
        (&clock["due_at"], &clock["sla_version_id"], &clock["event_count"]),
        (&json!("2026-01-12T02:00:00Z"), &json!(second), &json!(2))
    );
    assert_eq!(shop.events(&clock).await, ["started", "applied"]);
    let begun = shop.clock(&id, "decision").await;
    assert_eq!(
        (&begun["started_at"], &begun["due_at"]),
        (&json!(FRIDAY), &json!("2026-01-12T02:30:00Z"))
    );
    let told = shop.timeline(&id).await;
    assert!(told.contains(&"apply_policy".to_owned()), "{told:?}");
    // Once more changes nothing.
    shop.act(&id, "apply-policy", json!({})).await;
    assert_eq!(shop.clock(&id, "acknowledge").await, clock);
    assert_eq!(shop.timeline(&id).await, told);

    // The timers have moved, too.
    shop.sets("2026-01-12T02:00:00Z");
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "acknowledge").await["state"], "breached");
    assert_eq!(shop.key.get(&format!("/v1/complaints/{id}")).await["first_answer"], "missed");
    shop.sets("2026-01-12T02:30:00Z");
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "decision").await["state"], "breached");
}

#[tokio::test]
async fn what_was_missed_stays_missed_and_what_is_done_stays_done() {
    let shop = Shop::opens().await;
    let says = json!({"targets": [target("acknowledge", 60, json!({})),
        target("first_resolution", 60, json!({})), target("decision", 600, json!({}))]});
    let (policy, first) = shop.promises("all", 0, says).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.sets(MONDAY);
    shop.house.settle().await;
    shop.publishes(&policy, only(target("first_resolution", 6_000, json!({})))).await;
    shop.act(&id, "apply-policy", json!({})).await;
    let missed = shop.clock(&id, "first_resolution").await;
    assert_eq!((&missed["state"], &missed["breached_at"]), (&json!("breached"), &json!(MONDAY)));
    let kept = shop.clock(&id, "acknowledge").await;
    assert_eq!((&kept["state"], &kept["sla_version_id"]), (&json!("met"), &json!(first)));
    assert_eq!(shop.clock(&id, "decision").await["state"], "cancelled");
    crate::voice::resolves(&shop.key, &id).await;
    assert_eq!(shop.clock(&id, "first_resolution").await["state"], "met_late");
    let settled = format!("/v1/complaints/{id}/apply-policy");
    shop.key.post(&settled, json!({})).await.refused(409, "illegal_transition");
}

#[tokio::test]
async fn a_policy_is_applied_where_one_is_for_the_complaint_and_by_whoever_may_write_it() {
    let shop = Shop::opens().await;
    let id = shop.complains().await.id();
    let apply = format!("/v1/complaints/{id}/apply-policy");
    let refused = shop.key.post(&apply, json!({})).await.refused(409, "no_sla_policy_applies");
    assert_eq!(refused["number"], "C-000001");
    shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    let other = shop.key.post("/v1/dealers", json!({"code": "suzhou", "name": "苏州店"})).await;
    let elsewhere = shop.house.dealer_key(shop.brand, &other.expect(201).id());
    elsewhere.post(&apply, json!({})).await.refused(404, "not_found");
    let auditor =
        shop.house.person(shop.brand, Role::Auditor, uuid::Uuid::from_u128(1).into(), None);
    auditor.post(&apply, json!({})).await.refused(403, "forbidden");
    // One that arrived before there was a policy gets its clocks.
    let applied = shop.key.post(&apply, json!({})).await.expect(200);
    assert_eq!(applied["first_answer_due_at"], "2026-01-05T02:00:00Z");
    assert_eq!(shop.clock(&id, "acknowledge").await["state"], "running");
}

#[tokio::test]
async fn two_who_apply_at_once_apply_once() {
    let shop = Shop::opens().await;
    let (policy, _) = shop.promises("all", 0, only(target("decision", 60, json!({})))).await;
    let id = shop.complains().await.id();
    let says = json!({"targets": [target("decision", 90, json!({})), target("acknowledge", 30, json!({}))]});
    shop.publishes(&policy, says).await;
    let apply = (0..4).map(|_| {
        let (key, path) = (shop.key.clone(), format!("/v1/complaints/{id}/apply-policy"));
        async move { key.post(&path, json!({})).await.expect(200) }
    });
    futures::future::join_all(apply).await;
    let clock = shop.clock(&id, "decision").await;
    assert_eq!(shop.events(&clock).await, ["started", "applied"]);
    let all = shop.key.get(&format!("/v1/sla-clocks?complaint_id={id}")).await.expect(200);
    assert_eq!(all.data().len(), 2);
}
