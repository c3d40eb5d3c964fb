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
