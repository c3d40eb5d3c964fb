//! Clocks run in working time, stand still while we wait for the customer, and end.

use super::{FRIDAY, MONDAY, Shop, only, target};
use crate::voice::{complains, resolves};
use domain::identity::Role;
use serde_json::{Value, json};

#[tokio::test]
async fn an_hour_from_friday_half_past_five_ends_on_monday_at_half_past_nine() {
    let shop = Shop::opens().await;
    let (policy, version) =
        shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    shop.sets(FRIDAY);
    let complaint = shop.complains().await;
    assert_eq!(complaint["first_answer_due_at"], MONDAY);
    assert_eq!(complaint["local_first_answer_due"], "2026-01-12 09:30");
    let clock = shop.clock(&complaint.id(), "acknowledge").await;
    assert_eq!((&clock["state"], &clock["due_at"]), (&json!("running"), &json!(MONDAY)));
    assert_eq!(
        (&clock["tz"], &clock["local_due"]),
        (&json!("Asia/Shanghai"), &json!("2026-01-12 09:30"))
    );
    assert_eq!(
        (&clock["sla_policy_id"], &clock["sla_version_id"]),
        (&json!(policy), &json!(version))
    );

    let preview = json!({"start_at": FRIDAY, "dealer_id": shop.dealer, "kind": "quality",
        "source": "phone", "severity": 3});
    let preview = shop.key.post("/v1/sla-policies/preview", preview).await.expect(200);
    assert_eq!(preview["sla_version_id"], json!(version));
    assert_eq!(preview["targets"][0]["due_at"], MONDAY);

    shop.sets("2026-01-12T01:29:59Z");
    let answered = shop.act(&complaint.id(), "acknowledge", json!({})).await;
    assert_eq!(answered["first_answer"], "kept");
    let clock = shop.clock(&complaint.id(), "acknowledge").await;
    assert_eq!((&clock["state"], &clock["elapsed_seconds"]), (&json!("met"), &json!(3_599)));
    assert_eq!(clock["next_fire_at"], Value::Null);
}

#[tokio::test]
async fn a_first_answer_is_missed_when_the_policy_says() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.sets("2026-01-12T01:29:59Z");
    shop.house.settle().await;
    let path = format!("/v1/complaints/{id}");
    assert_eq!(shop.key.get(&path).await["first_answer"], "due");
    shop.sets(MONDAY);
    shop.house.settle().await;
    assert_eq!(shop.key.get(&path).await["first_answer"], "missed");
    assert_eq!(shop.clock(&id, "acknowledge").await["state"], "breached");
    shop.act(&id, "acknowledge", json!({})).await;
    let clock = shop.clock(&id, "acknowledge").await;
    assert_eq!((&clock["state"], &clock["breached_at"]), (&json!("met_late"), &json!(MONDAY)));
}

#[tokio::test]
async fn a_brand_without_a_policy_answers_within_a_day_and_has_no_clock() {
    let shop = Shop::opens().await;
    let complaint = shop.complains().await;
    assert_eq!(complaint["first_answer_due_at"], "2026-01-06T01:00:00Z");
    assert!(shop.key.get("/v1/sla-clocks").await.expect(200).data().is_empty());
    let preview = json!({"kind": "quality", "source": "phone", "severity": 3});
    let preview = shop.key.post("/v1/sla-policies/preview", preview).await.expect(200);
    assert_eq!(preview["sla_policy_id"], Value::Null);
    assert_eq!(preview["targets"][0]["due_at"], "2026-01-06T01:00:00Z");
}

#[tokio::test]
async fn a_complaint_on_hold_from_february_to_august_counts_nothing_of_it() {
    let shop = Shop::opens().await;
    let hold = target("first_resolution", 2_400, json!({"pause_while_waiting": true}));
    shop.promises("all", 0, only(hold)).await;
    shop.sets("2026-02-02T01:00:00Z");
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.sets("2026-02-02T02:00:00Z");
    let waits = shop.waits(&id, "customer").await;
    assert_eq!(
        (&waits["waiting_for"], &waits["state"]),
        (&json!("customer"), &json!("acknowledged"))
    );
    let clock = shop.clock(&id, "first_resolution").await;
    assert_eq!((&clock["state"], &clock["due_at"]), (&json!("paused"), &Value::Null));
    assert_eq!(clock["remaining_seconds"], 39 * 3_600);
    let twice = json!({"waiting_for": "customer", "reason": "?"});
    let twice = shop.key.post(&format!("/v1/complaints/{id}/wait"), twice).await;
    let twice = twice.refused(409, "illegal_transition");
    assert_eq!(
        twice["allowed_transitions"],
        json!(["assess", "decide", "resume", "set-aside", "assign"])
    );

    shop.sets("2026-08-03T01:00:00Z");
    let resumed = shop.act(&id, "resume", json!({})).await;
    assert_eq!(resumed["waiting_for"], Value::Null);
    let clock = shop.clock(&id, "first_resolution").await;
    // Thirty-nine hours of working days of nine: on Friday at noon.
    assert_eq!(
        (&clock["state"], &clock["due_at"]),
        (&json!("running"), &json!("2026-08-07T04:00:00Z"))
    );
    resolves(&shop.key, &id).await;
    let clock = shop.clock(&id, "first_resolution").await;
    assert_eq!((&clock["state"], &clock["elapsed_seconds"]), (&json!("met"), &json!(3_600)));
    let trace = format!("/v1/sla-clocks/{}/trace", clock["id"].as_str().unwrap());
    let trace = shop.key.get(&trace).await.expect(200);
    assert_eq!(trace["counted_seconds"], 3_600);
    assert_eq!(trace["pauses"][0]["to_at"], "2026-08-03T01:00:00Z");
    assert_eq!(trace["events"][1]["zh"], "2026-02-02 10:00：等待客户，暂停计时；暂无截止时间。");
    shop.key
        .post(&format!("/v1/complaints/{id}/resume"), json!({}))
        .await
        .refused(409, "illegal_transition");
}

#[tokio::test]
async fn a_resolution_while_we_wait_ends_the_pause() {
    let shop = Shop::opens().await;
    let hold = target("first_resolution", 600, json!({"pause_while_waiting": true}));
    shop.promises("all", 0, only(hold)).await;
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.waits(&id, "customer").await;
    shop.sets("2026-01-20T01:00:00Z");
    resolves(&shop.key, &id).await;
    let clock = shop.clock(&id, "first_resolution").await;
    assert_eq!((&clock["state"], &clock["elapsed_seconds"]), (&json!("met"), &json!(0)));
    // Whoever waits for somebody else keeps the customer waiting.
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.waits(&id, "third_party").await;
    assert_eq!(shop.clock(&id, "first_resolution").await["state"], "running");
}

#[tokio::test]
async fn reopening_lets_the_whole_run_on_and_not_the_first() {
    let shop = Shop::opens().await;
    let says = json!({"targets": [target("first_resolution", 120, json!({})),
        target("total_resolution", 120, json!({"at_breach": ["finding"]}))]});
    shop.promises("all", 0, says).await;
    shop.sets("2026-01-06T01:00:00Z");
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.sets("2026-01-06T02:00:00Z");
    resolves(&shop.key, &id).await;
    for metric in ["first_resolution", "total_resolution"] {
        assert_eq!(shop.clock(&id, metric).await["state"], "met", "{metric}");
    }
    shop.sets("2026-01-08T01:00:00Z");
    shop.act(&id, "reopen", json!({"reason": "又漏水了。"})).await;
    assert_eq!(shop.clock(&id, "first_resolution").await["state"], "met");
    let total = shop.clock(&id, "total_resolution").await;
    assert_eq!(
        (&total["state"], &total["due_at"]),
        (&json!("running"), &json!("2026-01-08T02:00:00Z"))
    );
    shop.sets("2026-01-08T02:00:00Z");
    shop.house.settle().await;
    resolves(&shop.key, &id).await;
    let total = shop.clock(&id, "total_resolution").await;
    assert_eq!((&total["state"], &total["elapsed_seconds"]), (&json!("met_late"), &json!(7_200)));
    assert_eq!(shop.events(&total).await, ["started", "met", "resumed", "breached", "met"]);
}

#[tokio::test]
async fn decisions_and_what_the_customer_hears_of_them_have_clocks_of_their_own() {
    let shop = Shop::opens().await;
    let says = json!({"targets": [target("decision", 600, json!({})), target("first_response", 600, json!({}))]});
    shop.promises("all", 0, says).await;
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    let decision =
        json!({"responsibility": "none", "text": "一切正常。", "recourse": "请致电 12315。"});
    shop.act(&id, "decide", decision).await;
    assert_eq!(shop.clock(&id, "decision").await["state"], "met");
    // Nobody reaches them by a message.
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "first_response").await["state"], "running");
    shop.act(&id, "tell", json!({})).await;
    assert_eq!(shop.clock(&id, "first_response").await["state"], "met");
    // A customer who is content before anybody has told them needs not be told any more.
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    resolves(&shop.key, &id).await;
    shop.act(&id, "close", json!({"customer_satisfied": true})).await;
    assert_eq!(shop.clock(&id, "first_response").await["state"], "cancelled");
}

#[tokio::test]
async fn a_low_answer_opens_a_complaint_with_clocks() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    crate::voice::surveys_after(&shop.key, "visit_completed").await;
    let customer = crate::voice::li_na(&shop.key).await;
    crate::voice::visits(&shop.house, shop.brand, &customer).await;
    shop.house.pass_hours(24).await;
    let page = crate::voice::link(&shop.house).await;
    crate::voice::sends(&shop.house, &page, &[("score", "1")]).await.expect(200);
    shop.house.settle().await;
    let complaints = shop.key.get("/v1/complaints").await.expect(200);
    let complaint = &complaints.data()[0];
    let clock = shop.clock(complaint["id"].as_str().unwrap(), "acknowledge").await;
    assert_eq!(
        (&clock["state"], &clock["due_at"]),
        (&json!("running"), &complaint["first_answer_due_at"])
    );
}

#[tokio::test]
async fn a_dealer_s_people_see_the_clocks_of_their_own_complaints() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, only(target("acknowledge", 60, json!({})))).await;
    let clerk = shop.hires("clerk").await;
    let clerk = shop.house.person(
        shop.brand,
        Role::Clerk,
        clerk.parse().unwrap(),
        shop.dealer.parse().ok(),
    );
    let id = complains(&clerk, &shop.customer).await.id();
    let mine = clerk.get("/v1/sla-clocks").await.expect(200);
    assert_eq!(mine.data().len(), 1);
    let clock = format!("/v1/sla-clocks/{}", mine.data()[0]["id"].as_str().unwrap());
    clerk.get(&format!("{clock}/trace")).await.expect(200);
    clerk.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await.expect(200);
    assert_eq!(clerk.get(&clock).await["state"], "met");

    let other = shop.key.post("/v1/dealers", json!({"code": "suzhou", "name": "苏州店"})).await;
    let elsewhere = shop.house.dealer_key(shop.brand, &other.expect(201).id());
    assert!(elsewhere.get("/v1/sla-clocks").await.expect(200).data().is_empty());
    for path in [clock.clone(), format!("{clock}/trace")] {
        elsewhere.get(&path).await.refused(404, "not_found");
    }
    let stranger = shop.house.brand_key(shop.house.brand("other").await.live);
    for path in [clock.clone(), format!("{clock}/trace")] {
        stranger.get(&path).await.refused(404, "not_found");
    }
    let policy = json!({"code": "own", "name": "own", "rank": 1});
    let refused = clerk.post("/v1/sla-policies", policy).await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "tenant:write");
}
