//! What is due again and again: an answer to whatever the customer says, and a report of how it goes.

use super::{MONDAY, Shop, only, target};
use crate::house::Reply;
use serde_json::{Value, json};

impl Shop {
    async fn says(&self, complaint: &str, direction: &str) -> Reply {
        let message = json!({"direction": direction, "body": "您好"});
        self.key.post(&format!("/v1/complaints/{complaint}/messages"), message).await.expect(201)
    }

    /// A complaint that was acknowledged on Monday morning, under one target.
    async fn begins(&self, promise: Value) -> String {
        self.promises("all", 1, only(promise)).await;
        self.sets(MONDAY);
        let complaint = self.complains().await.id();
        self.act(&complaint, "acknowledge", json!({})).await;
        complaint
    }
}

#[tokio::test]
async fn each_message_of_the_customer_gets_an_answer_in_time_or_is_missed_once() {
    let shop = Shop::opens().await;
    let more = json!({"warn_before_minutes": [15], "at_breach": ["finding"]});
    let complaint = shop.begins(target("next_response", 60, more)).await;
    let clock = shop.clock(&complaint, "next_response").await;
    assert_eq!(
        (&clock["state"], &clock["round"], &clock["due_at"]),
        (&json!("pending"), &json!(0), &json!(null))
    );
    assert!(shop.events(&clock).await.is_empty());

    shop.says(&complaint, "from_customer").await;
    let clock = shop.clock(&complaint, "next_response").await;
    assert_eq!(
        (&clock["state"], &clock["due_at"]),
        (&json!("running"), &json!("2026-01-12T02:30:00Z"))
    );
    shop.sets("2026-01-12T02:00:00Z");
    shop.says(&complaint, "to_customer").await;
    assert_eq!(shop.clock(&complaint, "next_response").await["state"], "met");

    shop.says(&complaint, "from_customer").await;
    shop.house.pass_hours(2).await;
    let clock = shop.clock(&complaint, "next_response").await;
    assert_eq!((&clock["state"], &clock["round"]), (&json!("breached"), &json!(2)));
    let findings = shop.key.get("/v1/findings?kind=deadline_missed").await.expect(200);
    assert_eq!((findings.data().len(), &findings.data()[0]["topic"]), (1, &json!("next_response")));
    shop.says(&complaint, "to_customer").await;
    shop.says(&complaint, "from_customer").await;
    let clock = shop.clock(&complaint, "next_response").await;
    assert_eq!(
        (&clock["state"], &clock["round"], &clock["missed_rounds"]),
        (&json!("running"), &json!(3), &json!(1))
    );
    let findings = shop.key.get("/v1/findings?kind=deadline_missed").await.expect(200);
    assert_eq!(findings.data()[0]["state"], "resolved");
    let events = ["started", "met", "started", "warned", "breached", "met", "started"];
    assert_eq!(shop.events(&clock).await, events);
}

#[tokio::test]
async fn a_question_stops_the_time_and_its_answer_begins_it() {
    let shop = Shop::opens().await;
    let complaint =
        shop.begins(target("periodic_update", 60, json!({"pause_while_waiting": true}))).await;
    let clock = shop.clock(&complaint, "periodic_update").await;
    // The first answer was a report, and the next is due an hour later.
    assert_eq!((&clock["round"], &clock["due_at"]), (&json!(2), &json!("2026-01-12T02:30:00Z")));
    shop.waits(&complaint, "customer").await;
    shop.says(&complaint, "to_customer").await;
    let clock = shop.clock(&complaint, "periodic_update").await;
    assert_eq!((&clock["state"], &clock["remaining_seconds"]), (&json!("paused"), &json!(3_600)));
    shop.sets("2026-01-12T06:00:00Z");
    shop.says(&complaint, "from_customer").await;
    let clock = shop.clock(&complaint, "periodic_update").await;
    assert_eq!(
        (&clock["state"], &clock["due_at"]),
        (&json!("running"), &json!("2026-01-12T07:00:00Z"))
    );
    crate::voice::resolves(&shop.key, &complaint).await;
    assert_eq!(shop.clock(&complaint, "periodic_update").await["state"], "met");
    shop.sets("2026-01-13T01:30:00Z");
    shop.act(&complaint, "reopen", json!({"reason": "又漏水了。"})).await;
    let clock = shop.clock(&complaint, "periodic_update").await;
    assert_eq!(
        (&clock["state"], &clock["due_at"]),
        (&json!("running"), &json!("2026-01-13T02:30:00Z"))
    );
}

#[tokio::test]
async fn a_trace_tells_all_rounds_and_counts_the_last() {
    let shop = Shop::opens().await;
    let complaint = shop.begins(target("next_response", 60, json!({}))).await;
    for _ in 0..2 {
        shop.says(&complaint, "from_customer").await;
        shop.house.clock.set(shop.house.now().plus_minutes(20));
        shop.says(&complaint, "to_customer").await;
    }
    let clock = shop.clock(&complaint, "next_response").await;
    let trace = format!("/v1/sla-clocks/{}/trace", clock["id"].as_str().unwrap());
    let trace = shop.key.get(&trace).await.expect(200);
    assert_eq!(
        (trace["events"].as_array().unwrap().len(), &trace["counted_seconds"]),
        (4, &json!(1_200))
    );
    assert_eq!(
        trace["events"][2]["zh"],
        "2026-01-12 09:50：后续答复开始计时，时限为 60 分钟（工作时间）；应于 2026-01-12 10:50 前完成。"
    );
}

#[tokio::test]
async fn what_waits_for_a_message_is_foretold_without_a_deadline() {
    let shop = Shop::opens().await;
    let targets =
        json!([target("next_response", 60, json!({})), target("periodic_update", 60, json!({}))]);
    shop.promises("all", 1, json!({"targets": targets})).await;
    let matter = json!({"kind": "quality", "source": "phone", "severity": 3, "customer_id": shop.customer,
        "start_at": MONDAY});
    let forecast = shop.key.post("/v1/sla-policies/preview", matter).await.expect(200);
    assert_eq!(forecast["targets"][0]["due_at"], json!(null));
    assert_eq!(forecast["targets"][1]["due_at"], "2026-01-12T02:30:00Z");
}
