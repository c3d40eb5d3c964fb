//! What waits for one person, the most urgent first, and what they did.

use super::{Shop, target};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

impl Shop {
    fn calls_as(&self, role: Role, staff: &str) -> Client {
        self.house.person(self.brand, role, staff.parse().unwrap(), self.dealer.parse().ok())
    }
}

/// What each item is: the number of the complaint, what is due, and by when.
fn told(work: &Reply) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let item = |one: &Value| {
        ["complaint_number", "remedy_kind", "metric", "due_at"]
            .map(|name| text(&one[name]))
            .join(" ")
    };
    work["items"].as_array().unwrap().iter().map(item).collect()
}

#[tokio::test]
async fn what_waits_for_a_person_stands_in_the_order_in_which_it_is_due() {
    let shop = Shop::opens().await;
    let (clerk, manager) = (shop.hires("clerk").await, shop.hires("manager").await);
    let says = json!({"targets": [target("decision", 60, json!({"at_breach": ["escalate"]})),
        target("first_resolution", 600, json!({}))]});
    shop.promises("all", 0, says).await;
    let person = shop.calls_as(Role::Clerk, &clerk);
    assert_eq!(person.get("/v1/me/work").await.expect(200)["items"], json!([]));

    let early = shop.complains().await.id();
    shop.sets("2026-01-05T01:30:00Z");
    let late = shop.complains().await.id();
    let done = shop.complains().await.id();
    for id in [&early, &late, &done] {
        person.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await.expect(200);
    }
    crate::voice::resolves(&shop.key, &done).await;
    let promise = json!({"responsibility": "none", "text": "我们为您更换。", "recourse": "请致电 12315。",
        "remedies": [{"kind": "repair"}]});
    shop.act(&late, "decide", promise).await;
    let work = person.get("/v1/me/work").await.expect(200);
    assert_eq!(
        told(&work),
        [
            "C-000001 - decision 2026-01-05T02:00:00Z",
            "C-000002 - first_resolution 2026-01-06T02:30:00Z",
            "C-000002 repair first_resolution 2026-01-06T02:30:00Z",
        ],
        "what is resolved waits for nobody"
    );
    assert_eq!(
        (&work["items"][0]["is_owner"], &work["items"][0]["is_overdue"]),
        (&json!(true), &json!(false))
    );

    // What is late stands where it was, and goes up to somebody for whom it waits, too.
    shop.sets("2026-01-05T02:00:00Z");
    shop.house.settle().await;
    let work = person.get("/v1/me/work").await.expect(200);
    assert_eq!(work["items"][0]["is_overdue"], true);
    let theirs = shop.calls_as(Role::Manager, &manager);
    let theirs = theirs.get("/v1/me/work").await.expect(200);
    assert_eq!(told(&theirs), ["C-000001 - decision 2026-01-05T02:00:00Z"]);
    assert_eq!(
        (&theirs["items"][0]["is_owner"], &theirs["items"][0]["is_escalated"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn a_long_list_is_read_piece_by_piece_and_nothing_is_left_out() {
    let shop = Shop::opens().await;
    let clerk = shop.hires("clerk").await;
    let person = shop.calls_as(Role::Clerk, &clerk);
    for _ in 0..5 {
        let id = shop.complains().await.id();
        person.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await.expect(200);
    }
    let path = format!("/v1/staff/{clerk}/work");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.key.get(&format!("{path}?limit=2{cursor}")).await.expect(200);
        seen.extend(told(&page));
        assert_eq!(page["has_more"], json!(!page["next_cursor"].is_null()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    seen.sort_unstable();
    // Answered, and without a policy nothing else has a deadline.
    let expected: Vec<_> = (1..=5).map(|number| format!("C-00000{number} - - -")).collect();
    assert_eq!(seen, expected);
    shop.key.get(&format!("{path}?cursor=x")).await.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn people_see_their_own_work_and_managers_that_of_others() {
    let shop = Shop::opens().await;
    let (clerk, other) = (shop.hires("clerk").await, shop.hires("clerk").await);
    let manager = shop.hires("manager").await;
    let path = format!("/v1/staff/{clerk}/work");
    shop.calls_as(Role::Clerk, &clerk).get(&path).await.expect(200);
    shop.calls_as(Role::Clerk, &other).get(&path).await.refused(403, "sop_rank_too_low");
    shop.calls_as(Role::Manager, &manager).get(&path).await.expect(200);
    shop.key.get(&path).await.expect(200);
    shop.key.get("/v1/me/work").await.refused(422, "todo_of_nobody");
    let next = shop.key.post("/v1/dealers", json!({"code": "suzhou", "name": "苏州店"})).await;
    let elsewhere = shop.house.dealer_key(shop.brand, &next.expect(201).id());
    elsewhere.get(&path).await.refused(404, "not_found");
    elsewhere.get(&format!("/v1/staff/{clerk}/timeline")).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_a_person_did_is_told_the_newest_first_and_nobody_else_s() {
    let shop = Shop::opens().await;
    let clerk = shop.hires("clerk").await;
    let person = shop.calls_as(Role::Clerk, &clerk);
    let id = shop.complains().await.id();
    person.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await.expect(200);
    let wait = json!({"waiting_for": "customer", "reason": "批号是多少？"});
    person.post(&format!("/v1/complaints/{id}/wait"), wait).await.expect(200);
    shop.act(&id, "resume", json!({})).await;
    let path = format!("/v1/staff/{clerk}/timeline");
    let done = shop.key.get(&path).await.expect(200);
    let actions: Vec<_> = done.data().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["wait", "acknowledge"]);
    assert!(done.data().iter().all(|line| line["actor"] == json!(clerk)));
    let first = shop.key.get(&format!("{path}?limit=1")).await.expect(200);
    assert_eq!(first.data()[0]["action"], "wait");
    person.get(&path).await.refused(403, "forbidden");
}
