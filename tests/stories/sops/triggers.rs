//! A procedure begins by itself when something happens, once for each time it happens.

use super::{Shop, say, step};
use serde_json::{Value, json};

async fn customer(shop: &Shop, tier: &str) -> String {
    let details = json!({ "name": "李娜", "tier": tier, "dealer_id": shop.dealer });
    shop.key.post("/v1/customers", details).await.expect(201).id()
}

fn follow_up() -> Value {
    let mut call = step("Call the guest");
    call["due"] = json!({ "from": "anchor", "within_minutes": 1_440 });
    json!({ "change_note": "First.", "steps": [call] })
}

fn check_out(customer: &str, name: &str) -> Value {
    json!({ "kind": "check_out", "customer_id": customer, "happened_at": "2026-01-05T00:00:00Z",
        "facts": { "nights": 3, "room": "suite" }, "source": "pms", "external_id": name })
}

async fn runs(shop: &Shop) -> Vec<Value> {
    shop.key.get("/v1/sop-runs").await.expect(200).data().clone()
}

#[tokio::test]
async fn each_check_out_begins_one_run_however_often_it_is_told() {
    let shop = Shop::opens().await;
    let (sop, version) = shop.procedure(follow_up()).await;
    let trigger = json!({ "sop_id": sop, "event": "check_out" });
    let trigger = shop.key.post("/v1/sop-triggers", trigger).await.expect(201).id();
    let guest = customer(&shop, "gold").await;
    let first = shop.key.post("/v1/customer-events", check_out(&guest, "stay-1")).await.expect(201);
    let again = shop.key.post("/v1/customer-events", check_out(&guest, "stay-1")).await.expect(200);
    assert_eq!(first.id(), again.id());
    let mut other = check_out(&guest, "stay-1");
    other["facts"] = json!({});
    shop.key.post("/v1/customer-events", other).await.refused(409, "already_exists");
    shop.house.settle().await;
    let begun = runs(&shop).await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0]["customer_id"], json!(guest));
    assert_eq!(begun[0]["dealer_id"], json!(shop.dealer));
    assert_eq!(begun[0]["sop_version_id"], json!(version));
    assert_eq!(begun[0]["trigger_id"], json!(trigger));
    assert_eq!(begun[0]["cause"], json!(first.id()));
    assert_eq!(begun[0]["event_facts"], json!({ "nights": 3, "room": "suite" }));
    assert_eq!(begun[0]["anchor_at"], "2026-01-05T00:00:00Z");
    let run = shop.key.get(&format!("/v1/sop-runs/{}", begun[0]["id"].as_str().unwrap())).await;
    assert_eq!(run["steps"][0]["due_at"], "2026-01-06T00:00:00Z");

    let stays: Vec<Value> = (2..6).map(|stay| check_out(&guest, &format!("stay-{stay}"))).collect();
    for stay in stays {
        shop.key.post("/v1/customer-events", stay).await.expect(201);
    }
    shop.house.settle_at_once().await;
    assert_eq!(runs(&shop).await.len(), 5);
}

#[tokio::test]
async fn an_event_that_is_worked_on_twice_begins_one_run() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(follow_up()).await;
    let trigger = json!({ "sop_id": sop, "event": "check_out" });
    shop.key.post("/v1/sop-triggers", trigger).await.expect(201);
    let guest = customer(&shop, "gold").await;
    shop.key.post("/v1/customer-events", check_out(&guest, "stay-1")).await.expect(201);
    shop.house.settle().await;
    // The queue hands every job out at least once: here, twice more at once.
    use sea_orm::ConnectionTrait as _;
    let again = "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
        SELECT tenant_id, gen_random_uuid(), kind, payload, due_at, 'ready', created_at
        FROM job, generate_series(1, 2) WHERE kind = 'customer_event_told'";
    shop.house.owner().await.execute_unprepared(again).await.unwrap();
    shop.house.settle_at_once().await;
    assert_eq!(runs(&shop).await.len(), 1);
}

#[tokio::test]
async fn a_filter_lets_through_whom_it_means() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(follow_up()).await;
    let filter = "customer.tier == \"gold\" && event.nights >= 2";
    let trigger = json!({ "sop_id": sop, "event": "check_out", "filter": filter });
    let trigger = shop.key.post("/v1/sop-triggers", trigger).await.expect(201);
    let (gold, silver) = (customer(&shop, "gold").await, customer(&shop, "silver").await);
    for (guest, stay) in [(&gold, "a"), (&silver, "b")] {
        shop.key.post("/v1/customer-events", check_out(guest, stay)).await.expect(201);
    }
    let mut other = check_out(&gold, "c");
    other["kind"] = json!("check_in");
    shop.key.post("/v1/customer-events", other).await.expect(201);
    // What cannot be decided begins nothing, and holds nothing up.
    let mut unknown = check_out(&gold, "d");
    unknown["facts"] = json!({});
    shop.key.post("/v1/customer-events", unknown).await.expect(201);
    shop.house.settle().await;
    let begun = runs(&shop).await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0]["customer_id"], json!(gold));

    let path = format!("/v1/sop-triggers/{}", trigger.id());
    let wrong = json!({ "filter": "customer.tier ==" });
    shop.key.patch(&path, trigger.etag(), wrong).await.refused(422, "invalid_body");
    let endless = json!({ "filter": "[1, 2].all(n, n > 0)" });
    let endless = shop.key.patch(&path, trigger.etag(), endless).await.refused(422, "invalid_body");
    assert_eq!(endless["errors"][0]["code"], "condition_may_not_end");
}

#[tokio::test]
async fn without_a_trigger_or_a_version_in_force_nothing_begins() {
    let shop = Shop::opens().await;
    let (sop, version) = shop.procedure(follow_up()).await;
    let guest = customer(&shop, "gold").await;
    let tell = async |stay: &str| {
        shop.key.post("/v1/customer-events", check_out(&guest, stay)).await.expect(201);
        shop.house.settle().await;
        runs(&shop).await.len()
    };
    assert_eq!(tell("a").await, 0);
    let trigger = json!({ "sop_id": sop, "event": "check_out" });
    let trigger = shop.key.post("/v1/sop-triggers", trigger).await.expect(201).id();
    let path = format!("/v1/sop-triggers/{trigger}");
    assert_eq!(tell("b").await, 1);
    shop.key.post(&format!("{path}/pause"), json!({})).await.expect(200);
    let twice = shop.key.post(&format!("{path}/pause"), json!({})).await;
    assert_eq!(twice.refused(409, "illegal_transition")["allowed_transitions"], json!(["resume"]));
    assert_eq!(tell("c").await, 1);
    shop.key.post(&format!("{path}/resume"), json!({})).await.expect(200);
    assert_eq!(tell("d").await, 2);
    say(&shop.key, &version, "retire").await.expect(200);
    assert_eq!(tell("e").await, 2);
}

#[tokio::test]
async fn what_happens_in_the_service_begins_procedures_too() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(follow_up()).await;
    let guest = customer(&shop, "gold").await;
    for event in ["complaint_opened", "order_paid"] {
        let trigger = json!({ "sop_id": sop, "event": event });
        shop.key.post("/v1/sop-triggers", trigger).await.expect(201);
    }
    let filter = "order.total_minor > 100000 && order.currency == \"CNY\"";
    let filtered = json!({ "sop_id": sop, "event": "order_paid", "filter": filter });
    shop.key.post("/v1/sop-triggers", filtered).await.expect(201);
    let complaint = json!({ "customer_id": guest, "source": "phone", "kind": "quality",
        "severity": 2, "description": "漏水" });
    let complaint = shop.key.post("/v1/complaints", complaint).await.expect(201).id();
    shop.house.settle().await;
    let begun = runs(&shop).await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0]["cause"], json!(complaint));
    assert_eq!(
        begun[0]["event_facts"],
        json!({ "kind": "quality", "source": "phone", "severity": 2 })
    );
    for (name, price) in [("small", 90_000), ("large", 299_900)] {
        let order = json!({ "source": "erp", "external_id": name, "customer_id": guest, "dealer_id": shop.dealer,
            "currency": "CNY", "paid_on": "2026-01-05", "lines": [{ "quantity": 1, "price_minor": price }] });
        shop.key.post("/v1/orders", order).await.expect(201);
    }
    shop.house.settle().await;
    assert_eq!(runs(&shop).await.len(), 4, "both sales, and the large one once more");
}

#[tokio::test]
async fn a_brand_does_not_tell_what_the_service_sees_itself() {
    let shop = Shop::opens().await;
    let guest = customer(&shop, "gold").await;
    let mut told = check_out(&guest, "stay-1");
    told["kind"] = json!("order_paid");
    let refused = shop.key.post("/v1/customer-events", told).await;
    refused.refused(422, "event_kind_reserved");
}

#[tokio::test]
async fn a_run_counts_from_when_it_happened_and_begins_by_nothing_of_long_ago() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(follow_up()).await;
    for event in ["order_paid", "check_out"] {
        let trigger = json!({ "sop_id": sop, "event": event });
        shop.key.post("/v1/sop-triggers", trigger).await.expect(201);
    }
    let guest = customer(&shop, "gold").await;
    for (name, paid_on) in
        [("history", "2025-12-05"), ("lately", "2026-01-03"), ("now", "2026-01-05")]
    {
        let order = json!({ "source": "erp", "external_id": name, "customer_id": guest,
            "dealer_id": shop.dealer, "currency": "CNY", "paid_on": paid_on,
            "lines": [{ "quantity": 1, "price_minor": 9_900 }] });
        shop.key.post("/v1/orders", order).await.expect(201);
    }
    let mut told = check_out(&guest, "history");
    told["happened_at"] = json!("2025-12-06T00:59:59Z");
    shop.key.post("/v1/customer-events", told.clone()).await.expect(201);
    for (name, beyond) in [("a", "2025-01-05T00:59:59Z"), ("b", "2026-01-06T01:00:01Z")] {
        told["external_id"] = json!(name);
        told["happened_at"] = json!(beyond);
        let refused = shop.key.post("/v1/customer-events", told.clone()).await;
        let refused = refused.refused(422, "event_time_out_of_range");
        assert_eq!(refused["earliest_at"], "2025-01-05T01:00:00Z");
    }
    shop.house.settle().await;
    let begun = runs(&shop).await;
    let mut anchors: Vec<_> = begun.iter().map(|run| run["anchor_at"].as_str().unwrap()).collect();
    anchors.sort_unstable();
    // A day is over at its end, in Shanghai; and today is not over.
    assert_eq!(anchors, ["2026-01-03T16:00:00Z", "2026-01-05T01:00:00Z"]);
}

#[tokio::test]
async fn twenty_triggers_wait_for_one_event_and_no_more_also_when_all_come_at_once() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(follow_up()).await;
    let trigger = json!({ "sop_id": sop, "event": "check_out" });
    let tries = (0..24).map(|_| shop.key.post("/v1/sop-triggers", trigger.clone()));
    let tries = futures::future::join_all(tries).await;
    assert_eq!(tries.iter().filter(|reply| reply.status == 201).count(), 20);
    let refused = shop.key.post("/v1/sop-triggers", trigger).await;
    assert_eq!(refused.refused(409, "too_many_triggers")["most"], 20);
    let other = json!({ "sop_id": sop, "event": "check_in" });
    shop.key.post("/v1/sop-triggers", other).await.expect(201);
}
