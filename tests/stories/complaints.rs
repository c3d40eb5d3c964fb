//! Customers complain, and what went wrong is put right.

use crate::{
    house::House,
    voice::{act, complains, letters, li_na, link, resolves, sends, surveys_after},
};
use domain::identity::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A decision about our own mistake.
fn our_fault() -> Value {
    json!({
        "responsibility": "ours", "apology": "非常抱歉。", "text": "密封圈没有拧紧，我们为您更换。",
        "recourse": "您可致电 12315。", "confirmed_defect": true,
        "remedies": [{"kind": "refund", "amount": {"amount": 12_000, "currency": "CNY"}}],
    })
}

#[tokio::test]
async fn a_complaint_is_put_right_and_written_down_once() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let survey = surveys_after(&key, "complaint_resolved").await;
    let customer = li_na(&key).await;
    let complaint = complains(&key, &customer).await;
    let id = complaint.id();
    assert_eq!(complaint["number"], "C-000001");
    assert_eq!(complaint["first_answer_due_at"], "2026-01-06T01:00:00Z");
    house.settle().await;
    let receipt = &letters(&house, "complaint").await[0];
    assert!(receipt.contains("您希望：换一台新的"), "{receipt}");
    assert!(receipt.contains("2026-01-06 09:00 之前答复您"), "{receipt}");

    act(&key, &id, "decide", our_fault()).await.refused(409, "illegal_transition");
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    let mut curt = json!({"responsibility": "ours", "text": "我们为您更换。"});
    let silent = act(&key, &id, "decide", curt.clone()).await.refused(422, "invalid_body");
    assert!(silent.text.contains("recourse"), "{silent:?}");
    curt["recourse"] = "您可致电 12315。".into();
    act(&key, &id, "decide", curt).await.refused(422, "apology_missing");
    let decided = act(&key, &id, "decide", our_fault()).await.expect(200);
    assert_eq!(decided["decision"]["confirmed_defect"], true);

    let path = format!("/v1/complaints/{id}/remedies");
    let remedies = key.get(&path).await.expect(200);
    let promised = |at: usize| {
        let remedy = &remedies.data()[at];
        (remedy["kind"].clone(), remedy["mandatory"].clone(), remedy["id"].as_str().unwrap())
    };
    let (replacement, refund) = (promised(0), promised(1));
    assert_eq!((replacement.0, replacement.1), (json!("replacement"), json!(true)));
    assert_eq!((refund.0, refund.1), (json!("refund"), json!(false)));
    let waive = format!("{path}/{}/waive", replacement.2);
    key.post(&waive, json!({})).await.refused(409, "remedy_mandatory");
    key.post(&format!("{path}/{}/complete", refund.2), json!({})).await.expect(200);
    let early = act(&key, &id, "resolve", json!({})).await.refused(409, "remedies_due");
    assert_eq!(early["remedies"], json!(["replacement"]));
    key.post(&format!("{path}/{}/complete", replacement.2), json!({})).await.expect(200);
    act(&key, &id, "resolve", json!({})).await.expect(200);
    house.settle().await;

    let told = letters(&house, "complaint").await;
    assert!(told[1].contains("非常抱歉。\n\n密封圈没有拧紧"), "{}", told[1]);
    assert!(told[1].contains("如您不认同以上决定：您可致电 12315。"), "{}", told[1]);
    assert!(told[2].contains("处理措施：更换、退款。"), "{}", told[2]);
    let log = key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    assert_eq!(log.data().len(), 1);
    assert_eq!(log.data()[0]["cost"], json!({"amount": 12_000, "currency": "CNY"}));

    house.pass_hours(24).await;
    let asked = key.get(&format!("/v1/invitations?survey_id={survey}")).await.expect(200);
    assert_eq!(asked.data().len(), 1);
    assert_eq!(asked.data()[0]["subject"]["complaint_id"], json!(id));
    sends(&house, &link(&house).await, &[("score", "5")]).await.expect(200);
    house.settle().await;
    let closed = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!((&closed["state"], &closed["customer_satisfied"]), (&json!("closed"), &json!(true)));
}

#[tokio::test]
async fn a_first_answer_that_does_not_come_in_a_day_is_missed() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    let path = format!("/v1/complaints/{id}");
    house.pass_hours(23).await;
    assert_eq!(key.get(&path).await["first_answer"], "due");
    house.pass_hours(1).await;
    assert_eq!(key.get(&path).await["first_answer"], "missed");
    let late = act(&key, &id, "acknowledge", json!({})).await.expect(200);
    assert_eq!((&late["state"], &late["first_answer"]), (&json!("acknowledged"), &json!("missed")));
}

#[tokio::test]
async fn a_resolution_met_with_silence_closes_after_two_weeks() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &id).await;
    let silence = json!({"customer_satisfied": null});
    act(&key, &id, "close", silence.clone()).await.refused(409, "recourse_untold");
    house.settle().await;
    act(&key, &id, "close", silence).await.refused(409, "cooling_period_runs");
    let no = json!({"customer_satisfied": false});
    act(&key, &id, "close", no).await.refused(409, "customer_not_satisfied");
    let path = format!("/v1/complaints/{id}");
    house.pass_days(13).await;
    assert_eq!(key.get(&path).await["state"], "resolved");
    house.pass_days(1).await;
    let closed = key.get(&path).await;
    assert_eq!((&closed["state"], &closed["customer_satisfied"]), (&json!("closed"), &Value::Null));
}

#[tokio::test]
async fn who_objects_in_writing_is_not_silent() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &id).await;
    house.pass_days(13).await;
    let objection = json!({"direction": "from_customer", "body": "还在漏水。"});
    let path = format!("/v1/complaints/{id}");
    key.post(&format!("{path}/messages"), objection).await.expect(201);
    house.pass_days(13).await;
    assert_eq!(key.get(&path).await["state"], "resolved");
    let silence = json!({"customer_satisfied": null});
    act(&key, &id, "close", silence).await.refused(409, "cooling_period_runs");
    house.pass_days(2).await;
    assert_eq!(key.get(&path).await["state"], "closed");
}

#[tokio::test]
async fn silence_does_not_close_until_the_customer_was_told_their_recourse() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let nobody_reaches = key.post("/v1/customers", json!({"name": "王强"})).await.expect(201).id();
    let id = complains(&key, &nobody_reaches).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    act(&key, &id, "tell", json!({})).await.refused(409, "illegal_transition");
    resolves(&key, &id).await;
    let path = format!("/v1/complaints/{id}");
    house.pass_days(20).await;
    let open = key.get(&path).await.expect(200);
    assert_eq!((&open["state"], &open["told_at"]), (&json!("resolved"), &Value::Null));
    let told = act(&key, &id, "tell", json!({})).await.expect(200);
    assert_eq!(told["told_at"], house.now().to_string());
    house.pass_days(13).await;
    assert_eq!(key.get(&path).await["state"], "resolved");
    house.pass_days(2).await;
    assert_eq!(key.get(&path).await["state"], "closed");
}

#[tokio::test]
async fn a_reopened_complaint_is_resolved_and_asked_about_anew() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    surveys_after(&key, "complaint_resolved").await;
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &id).await;
    house.pass_hours(24).await;
    let first = link(&house).await;
    let again = json!({"reason": "又漏水了。"});
    let reopened = act(&key, &id, "reopen", again).await.expect(200);
    assert_eq!((&reopened["resolution_no"], &reopened["decision"]), (&json!(2), &Value::Null));
    sends(&house, &first, &[("score", "1")]).await.expect(410);

    resolves(&key, &id).await;
    let again = json!({"reason": "还是漏水。"});
    act(&key, &id, "reopen", again).await.expect(200);
    house.pass_hours(24).await;
    let log = key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    let numbers: Vec<_> = log.data().iter().map(|line| line["resolution_no"].clone()).collect();
    assert_eq!(numbers, [1, 2]);
    let asked = key.get("/v1/invitations").await.expect(200);
    let states: Vec<_> = asked.data().iter().map(|asked| asked["state"].clone()).collect();
    assert_eq!(states, ["cancelled"]);

    resolves(&key, &id).await;
    house.pass_hours(24).await;
    assert_ne!(link(&house).await, first);
    sends(&house, &link(&house).await, &[("score", "2"), ("comment", "不行")]).await.expect(200);
    house.settle().await;
    let heard = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!((&heard["state"], &heard["resolution_no"]), (&json!("reopened"), &json!(4)));
    assert_eq!(heard["reopen_reason"], "不行");
}

#[tokio::test]
async fn complaints_that_arrive_at_once_have_numbers_of_their_own() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = li_na(&key).await;
    let all = futures::future::join_all((0..10).map(|_| complains(&key, &customer))).await;
    let numbers: BTreeSet<_> = all.iter().map(|one| one["number"].to_string()).collect();
    assert_eq!(numbers.len(), 10);
    let found = key.get("/v1/complaints?number=C-000010").await.expect(200);
    assert_eq!(found.data().len(), 1);
}

#[tokio::test]
async fn a_dealers_people_answer_their_own_customers_only() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let mut dealers = Vec::new();
    for code in ["east", "west"] {
        let dealer = json!({"code": code, "name": code});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let customer = json!({"name": "李娜", "dealer_id": dealer});
        let customer = key.post("/v1/customers", customer).await.expect(201).id();
        let clerk = json!({"name": "王伟", "role": "clerk", "dealer_id": dealer});
        let staff = key.post("/v1/staff", clerk).await.expect(201).id().parse().unwrap();
        let clerk = house.person(brand, Role::Clerk, staff, dealer.parse().ok());
        dealers.push((dealer, customer, clerk));
    }
    let [(_, ours, clerk), (elsewhere, theirs, colleague)] = dealers.try_into().ok().unwrap();
    let id = complains(&clerk, &ours).await.id();
    let acknowledged = act(&clerk, &id, "acknowledge", json!({})).await.expect(200);
    assert!(acknowledged["owner_id"].as_str().unwrap().starts_with("stf_"));
    colleague.get(&format!("/v1/complaints/{id}")).await.refused(404, "not_found");
    assert_eq!(colleague.get("/v1/complaints").await.expect(200).data().len(), 0);

    let mut about = json!({
        "customer_id": theirs, "source": "app", "kind": "service", "severity": 1,
        "description": "x",
    });
    let foreign = clerk.post("/v1/complaints", about.clone()).await;
    let foreign = foreign.refused(422, "unknown_reference");
    assert_eq!(foreign["errors"][0]["pointer"], "/customer_id");
    about["customer_id"] = json!(ours);
    about["dealer_id"] = json!(elsewhere);
    let routed = clerk.post("/v1/complaints", about.clone()).await;
    assert_eq!(routed.refused(422, "unknown_reference")["field"], "dealer_id");
    about["dealer_id"] = Value::Null;
    let nobody: domain::ids::OrderId = Uuid::now_v7().into();
    about["order_id"] = json!(nobody);
    let dangling = clerk.post("/v1/complaints", about).await;
    assert_eq!(dangling.refused(422, "unknown_reference")["field"], "order_id");
}

#[tokio::test]
async fn a_complaint_is_about_the_customers_own_things() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let (mine, other) = (li_na(&key).await, li_na(&key).await);
    let product = json!({"sku": "RO-600G", "name": "净水器", "category": "water",
        "after_sales_need": "rigid", "price": {"amount": 299_900, "currency": "CNY"}});
    let product = key.post("/v1/products", product).await.expect(201).id();
    let asset = json!({"customer_id": other, "product_id": product});
    let asset = key.post("/v1/assets", asset).await.expect(201).id();
    let about = |customer: &str| {
        json!({"customer_id": customer, "asset_id": asset, "source": "store", "kind": "quality",
            "severity": 4, "description": "漏水"})
    };
    let refused = key.post("/v1/complaints", about(&mine)).await;
    let refused = refused.refused(422, "complaint_about_somebody_elses");
    assert_eq!(refused["field"], "asset_id");
    key.post("/v1/complaints", about(&other)).await.expect(201);
    let mut severe = about(&other);
    severe["severity"] = json!(5);
    let severe = key.post("/v1/complaints", severe).await.refused(422, "invalid_body");
    assert_eq!(severe["errors"][0]["pointer"], "/severity");
}
