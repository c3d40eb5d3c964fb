//! A plan names what is done, and is told what it lacks.

use super::Shop;
use serde_json::json;

#[tokio::test]
async fn a_plan_names_items_that_are_there_and_is_told_what_it_lacks() {
    let shop = Shop::opens().await;
    let silent = json!({"contact_mode": "none", "mode": "personalised"});
    let mail = shop.item("mail", silent).await;
    shop.item("visit", json!({"est_cost_minor": 0})).await;
    let plan = shop.drafts(&[json!("mail"), json!("mail")]).await;
    let lacking = ["contactless_plan", "no_free_item", "too_personalised"];
    assert_eq!(shop.warnings(&plan.id()).await, lacking);
    let retire = format!("/v1/service-items/{mail}/retire");
    shop.key.post(&retire, json!({})).await.expect(200);
    let publish = format!("/v1/plan-templates/{}/publish", plan.id());
    let refused = shop.key.post(&publish, json!({})).await.refused(409, "service_item_unknown");
    assert_eq!((&refused["task"], &refused["service_item_code"]), (&json!("t0"), &json!("mail")));
    let reinstate = format!("/v1/service-items/{mail}/reinstate");
    shop.key.post(&reinstate, json!({})).await.expect(200);
    // Warnings do not stand in the way.
    shop.key.post(&publish, json!({})).await.expect(200);
    let better =
        shop.drafts(&[json!("visit"), json!("visit"), json!("visit"), json!("mail")]).await;
    assert_eq!(shop.warnings(&better.id()).await, [""; 0]);
    let tasks =
        json!([{"code": "a", "title": "A", "trigger": {"kind": "month_offset", "months": 1}}]);
    let path = format!("/v1/plan-templates/{}", better.id());
    shop.key.patch(&path, better.etag(), json!({"tasks": tasks})).await.expect(200);
    assert_eq!(shop.warnings(&better.id()).await, ["no_service_items"]);
}

#[tokio::test]
async fn what_a_published_plan_lacks_is_found_until_a_version_has_it() {
    let shop = Shop::opens().await;
    shop.item("mail", json!({"contact_mode": "none", "mode": "personalised"})).await;
    let first = shop.drafts(&[json!("mail"), json!("mail"), json!(null)]).await.id();
    assert_eq!(shop.findings("contactless_plan").await, []);
    shop.publishes(&first).await;
    let (subject, tasks) = (json!(first), json!({"tasks": 3, "tasks_with_item": 2}));
    let silent = (subject.clone(), json!("open"), tasks);
    assert_eq!(shop.findings("contactless_plan").await, std::slice::from_ref(&silent));
    let numbers = json!({
        "tasks": 3, "tasks_with_item": 2, "personalised_bp": 10_000, "most_bp": 3_000,
    });
    let own = (subject.clone(), json!("open"), numbers.clone());
    assert_eq!(shop.findings("personalised_share").await, [own]);

    // The next version still lacks contact in the same month, and is as it should be otherwise.
    shop.item("letter", json!({"contact_mode": "none"})).await;
    let second = shop.drafts(&[json!("letter")]).await.id();
    shop.publishes(&second).await;
    assert_eq!(shop.findings("contactless_plan").await, [silent]);
    let settled = (subject.clone(), json!("resolved"), numbers);
    assert_eq!(shop.findings("personalised_share").await, [settled]);

    // In another month it is a finding of its own, about the version that has it; withdrawn, nothing lacks anything.
    shop.house.pass_days(31).await;
    let third = shop.drafts(&[json!("letter"), json!("letter")]).await.id();
    shop.publishes(&third).await;
    let found = shop.findings("contactless_plan").await;
    let told: Vec<_> = found.iter().map(|(subject, state, _)| (subject, state)).collect();
    assert_eq!(told, [(&json!(third), &json!("open")), (&subject, &json!("open"))]);
    let withdraw = format!("/v1/plan-templates/{third}/retire");
    shop.key.post(&withdraw, json!({})).await.expect(200);
    let found = shop.findings("contactless_plan").await;
    assert!(found.iter().all(|(_, state, _)| state == "resolved"), "{found:?}");
}
