//! The sandbox: its clock is moved, and what was due has happened in order.

use crate::house::House;
use domain::identity::Role;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn ninety_days_pass_in_order_and_the_clock_arrives() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let key = house.sandbox_key(brand.test);
    let clock = key.get("/v1/test/clocks").await.expect(200).data()[0].clone();
    let path = format!("/v1/test/clocks/{}", clock["id"].as_str().unwrap());
    let sent = key.post(&format!("{path}/advance"), json!({"days": 90})).await.expect(202);
    key.post(&format!("{path}/advance"), json!({"days": 1})).await.refused(409, "clock_moving");
    house.settle().await;

    let operation = key.get(sent.header("location")).await.expect(200);
    assert_eq!(operation["status"], "succeeded", "{operation:?}");
    let arrived = key.get(&path).await.expect(200);
    assert_eq!(arrived["now_at"], "2026-04-05T01:00:00Z");
    assert_eq!(arrived["now_at"], arrived["target_at"]);
    let timeline = format!("/v1/audit-entries?subject={}", arrived.id());
    let timeline = key.get(&timeline).await.expect(200);
    let told: Vec<_> =
        timeline.data().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["arrive", "advance", "create"]);
    // Each day began at its own midnight; those of the last thirty days are still remembered.
    let half = async |which: &str| {
        let path = format!("/v1/jobs?state=done&limit=200&{which}=2026-03-20T00:00:00Z");
        key.get(&path).await.expect(200).data().clone()
    };
    let days = [half("due_before").await, half("due_after").await].concat();
    let began: Vec<_> = days.iter().filter(|job| job["kind"] == "day_began").collect();
    let dues: Vec<_> = began.iter().map(|job| job["due_at"].as_str().unwrap()).collect();
    assert_eq!(dues.len(), 31);
    assert_eq!((dues[0], dues[30]), ("2026-03-05T16:00:00Z", "2026-04-04T16:00:00Z"));
}

#[tokio::test]
async fn what_is_made_in_a_sandbox_is_made_at_its_time() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let key = house.sandbox_key(brand.test);
    let clock = key.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let path = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
    key.post(&path, json!({"days": 30})).await.expect(202);
    house.settle().await;
    let person = json!({"name": "李娜"});
    let made = key.post("/v1/customers", person.clone()).await.expect(201);
    assert_eq!(made["created_at"], "2026-02-04T01:00:00Z");
    // The brand itself lives by the time of the world.
    let made = house.brand_key(brand.live).post("/v1/customers", person).await.expect(201);
    assert_eq!(made["created_at"], "2026-01-05T01:00:00Z");
}

#[tokio::test]
async fn what_is_for_trying_out_is_refused_to_a_live_brand_in_the_same_words() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    let (live, test) = (house.brand_key(brand.live), house.sandbox_key(brand.test));
    let clock = test.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let clock = format!("/v1/test/clocks/{}", clock.as_str().unwrap());
    let refusals = [
        live.get("/v1/test/outbox").await,
        live.get("/v1/test/clocks").await,
        live.get(&clock).await,
        live.post(&format!("{clock}/advance"), json!({"days": 1})).await,
    ];
    for refusal in refusals {
        let refusal = refusal.refused(409, "only_in_sandbox");
        let says =
            "This is there for trying things out, and your credentials open the brand itself.";
        assert_eq!(refusal["detail"], says);
    }
    // Who may not look at all hears that first.
    let nobody = Uuid::from_u128(1).into();
    let auditor = house.person(brand.live, Role::Auditor, nobody, None);
    let refused = auditor.get("/v1/test/clocks").await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "sandbox:read");
}
