//! Goods come back, and what was promised for them is done.

use crate::{
    house::{Client, Reply},
    maintenance::Service,
    voice::{act, complains},
};
use domain::identity::Role;
use serde_json::{Value, json};

/// A manager and a clerk of the dealer's.
async fn people(service: &Service) -> (Client, Client) {
    let manager = service.hires("manager").await;
    let clerk = service.hires("clerk").await;
    (service.person(Role::Manager, &manager), service.person(Role::Clerk, &clerk))
}

/// A complaint is decided: answers it, and the remedies that were promised.
async fn decided(service: &Service, confirmed: bool, remedies: Value) -> (String, Vec<Value>) {
    let id = complains(&service.key, &service.customer).await.id();
    act(&service.key, &id, "acknowledge", json!({})).await.expect(200);
    let decision = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "我们为您处理。",
        "recourse": "请致电 12315。", "confirmed_defect": confirmed, "remedies": remedies});
    act(&service.key, &id, "decide", decision).await.expect(200);
    let remedies = service.list(&format!("/v1/complaints/{id}/remedies")).await;
    (id, remedies)
}

/// One remedy, promised without a confirmed defect.
async fn promised(service: &Service, kind: &str) -> String {
    let amount = (kind == "refund").then(|| json!({"amount": 19_900, "currency": "CNY"}));
    let remedy = json!([{"kind": kind, "amount": amount}]);
    let (_, remedies) = decided(service, false, remedy).await;
    remedies[0]["id"].as_str().unwrap().to_owned()
}

fn asks(remedy: &str, mode: &str, lines: Value) -> Value {
    json!({"remedy_id": remedy, "mode": mode, "lines": lines})
}

fn shoes(quantity: u32) -> Value {
    json!([{"item": "运动鞋 42 码", "quantity": quantity}])
}

async fn does(who: &Client, rma: &str, verb: &str, body: Value) -> Reply {
    who.post(&format!("/v1/rmas/{rma}/{verb}"), body).await
}

/// Opens a return, and lets the manager authorise it; answers its identifier.
async fn authorised(service: &Service, manager: &Client, asked: Value) -> String {
    let id = service.key.post("/v1/rmas", asked).await.expect(201).id();
    does(manager, &id, "authorise", json!({})).await.expect(200);
    id
}

/// What an inspection of the first line has shown.
fn found(result: &str) -> Value {
    json!({"lines": [{"number": 1, "result": result, "disposition": "scrap"}]})
}

#[tokio::test]
async fn defective_shoes_are_replaced_although_the_customer_would_let_it_pass() {
    let service = Service::opens().await;
    let shoes = service.sells("SN-1", Some("2026-01-04")).await;
    let (complaint, remedies) = decided(&service, true, json!([])).await;
    let remedy = remedies[0]["id"].as_str().unwrap();
    let waive = format!("/v1/complaints/{complaint}/remedies/{remedy}/waive");
    service.key.post(&waive, json!({})).await.refused(409, "remedy_mandatory");

    let line = json!([{"asset_id": shoes, "quantity": 1}]);
    let asked = asks(remedy, "advance_replacement", line);
    let rma = service.key.post("/v1/rmas", asked.clone()).await.expect(201);
    assert_eq!((&rma["state"], &rma["mandatory"]), (&json!("authorised"), &json!(true)));
    assert_eq!(rma["authorised_by"], Value::Null);
    let again = service.key.post("/v1/rmas", asked).await.refused(409, "rma_open_already");
    assert_eq!(again["rma_id"], rma["id"]);
    let id = rma.id();

    // The new pair leaves before the old one is back.
    does(&service.key, &id, "proceed", json!({})).await.expect(200);
    let early = does(&service.key, &id, "settle", json!({})).await;
    let early = early.refused(409, "illegal_transition");
    assert_eq!(early["allowed_transitions"], json!(["send"]));
    let sent = does(&service.key, &id, "send", json!({})).await.expect(200);
    assert_eq!(sent["state"], "awaiting_return");
    assert_eq!(sent["replacement_sent_at"], service.house.now().to_string());

    // The old pair does not come, and nobody forgets it.
    service.house.pass_days(30).await;
    let path = format!("/v1/rmas/{id}");
    assert_eq!(service.shows(&path).await["state"], "awaiting_return");
    let noticed = service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(
        (&noticed[0]["kind"], &noticed[0]["state"]),
        (&json!("return_overdue"), &json!("open"))
    );
    // Nobody completes by hand what the return is about to complete.
    let complete = format!("/v1/complaints/{complaint}/remedies/{remedy}/complete");
    let by_hand = service.key.post(&complete, json!({})).await.refused(409, "rma_open_already");
    assert_eq!(by_hand["rma_id"], json!(id));
    let came = json!({"lines": [{"number": 1, "quantity": 1}]});
    let received = does(&service.key, &id, "receive", came).await.expect(200);
    assert_eq!(received["state"], "received");
    let noticed = service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(noticed[0]["state"], "resolved");
    does(&service.key, &id, "inspect", found("defect_confirmed")).await.expect(200);
    let due = service.list(&format!("/v1/complaints/{complaint}/remedies")).await;
    assert_eq!(due[0]["state"], "due");
    let settled = does(&service.key, &id, "settle", json!({})).await.expect(200);
    assert_eq!(
        (&settled["state"], &settled["lines"][0]["disposition"]),
        (&json!("settled"), &json!("scrap"))
    );
    let done = service.list(&format!("/v1/complaints/{complaint}/remedies")).await;
    assert_eq!(done[0]["state"], "done");
    act(&service.key, &complaint, "resolve", json!({})).await.expect(200);
    assert_eq!(does(&service.key, &id, "close", json!({})).await.expect(200)["state"], "closed");
}

#[tokio::test]
async fn old_goods_that_never_come_back_after_a_replacement_are_the_customer_s() {
    let service = Service::opens().await;
    let (manager, _) = people(&service).await;
    let remedy = promised(&service, "replacement").await;
    let asked = asks(&remedy, "advance_replacement", shoes(1));
    let id = authorised(&service, &manager, asked).await;
    let nothing = || json!({"nothing_more": true});
    for verb in ["proceed", "send"] {
        does(&manager, &id, verb, json!({})).await.expect(200);
    }
    service.house.pass_days(30).await;
    does(&manager, &id, "cancel", json!({})).await.refused(409, "goods_received");
    does(&manager, &id, "receive", json!({})).await.refused(409, "nothing_received");
    let received = does(&manager, &id, "receive", nothing()).await.expect(200);
    assert_eq!(
        (&received["state"], &received["lines"][0]["disposition"]),
        (&json!("received"), &json!("kept_by_customer"))
    );
    let noticed = service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(noticed[0]["state"], "resolved");
    let inspected = does(&manager, &id, "inspect", found("defect_disproved")).await;
    let inspected = inspected.refused(409, "illegal_transition");
    assert_eq!(inspected["allowed_transitions"], json!(["settle"]));
    does(&manager, &id, "settle", json!({})).await.expect(200);
}

/// The customer hears of a decision and refuses it, and another one takes its place.
async fn decides_anew(service: &Service, complaint: &str) -> Reply {
    service.house.settle().await;
    if service.shows(&format!("/v1/complaints/{complaint}")).await["told_at"].is_null() {
        act(&service.key, complaint, "tell", json!({})).await.expect(200);
    }
    act(&service.key, complaint, "refuse", json!({"reason": "我要退款。"})).await.expect(200);
    let decision = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "我们全额退款。",
        "recourse": "请致电 12315。", "confirmed_defect": false,
        "remedies": [{"kind": "refund", "amount": {"amount": 19_900, "currency": "CNY"}}]});
    act(&service.key, complaint, "decide", decision).await
}

#[tokio::test]
async fn a_return_ends_with_its_remedy_and_goods_that_are_here_keep_the_remedy() {
    let service = Service::opens().await;
    let (manager, _) = people(&service).await;
    let repair = json!([{"kind": "repair"}]);
    let (complaint, remedies) = decided(&service, false, repair.clone()).await;
    let remedy = remedies[0]["id"].as_str().unwrap();
    let id = authorised(&service, &manager, asks(remedy, "with_return", shoes(1))).await;
    let waive = format!("/v1/complaints/{complaint}/remedies/{remedy}/waive");
    service.key.post(&waive, json!({})).await.refused(409, "rma_open_already");
    does(&manager, &id, "proceed", json!({})).await.expect(200);
    decides_anew(&service, &complaint).await.expect(200);
    assert_eq!(service.shows(&format!("/v1/rmas/{id}")).await["state"], "cancelled");

    let (complaint, remedies) = decided(&service, false, repair).await;
    let remedy = remedies[0]["id"].as_str().unwrap();
    let id = authorised(&service, &manager, asks(remedy, "with_return", shoes(1))).await;
    does(&manager, &id, "proceed", json!({})).await.expect(200);
    let came = json!({"lines": [{"number": 1, "quantity": 1}]});
    does(&manager, &id, "receive", came).await.expect(200);
    decides_anew(&service, &complaint).await.refused(409, "goods_received");
    assert_eq!(service.shows(&format!("/v1/rmas/{id}")).await["state"], "received");
}

#[tokio::test]
async fn money_comes_back_without_the_goods() {
    let service = Service::opens().await;
    let (manager, clerk) = people(&service).await;
    let remedy = promised(&service, "refund").await;
    let asked = asks(&remedy, "without_return", shoes(1));
    let id = clerk.post("/v1/rmas", asked).await.expect(201).id();
    let refused = does(&clerk, &id, "authorise", json!({})).await.refused(403, "rma_needs_manager");
    assert_eq!((&refused["rank"], &refused["required_rank"]), (&json!(10), &json!(30)));
    does(&manager, &id, "authorise", json!({})).await.expect(200);
    let refunding = does(&clerk, &id, "proceed", json!({})).await.expect(200);
    assert_eq!(refunding["state"], "refunding");
    assert_eq!(refunding["lines"][0]["disposition"], "kept_by_customer");
    does(&clerk, &id, "settle", json!({})).await.expect(200);
    // What is settled is not waited for.
    service.house.pass_days(31).await;
    assert_eq!(service.shows(&format!("/v1/rmas/{id}")).await["state"], "settled");
}

#[tokio::test]
async fn goods_that_were_never_ordered_come_back_in_parts_and_are_exchanged() {
    let service = Service::opens().await;
    let (manager, _) = people(&service).await;
    let remedy = promised(&service, "replacement").await;
    let mut asked = asks(&remedy, "with_return", shoes(3));
    asked["replacement_item"] = "登山靴 42 码".into();
    let id = authorised(&service, &manager, asked).await;
    does(&manager, &id, "proceed", json!({})).await.expect(200);
    let came = |quantity: u32| json!({"lines": [{"number": 1, "quantity": quantity}]});
    let partly = does(&manager, &id, "receive", came(2)).await.expect(200);
    assert_eq!(
        (&partly["state"], &partly["lines"][0]["state"]),
        (&json!("awaiting_return"), &json!("partly_received"))
    );
    let beyond =
        does(&manager, &id, "receive", came(2)).await.refused(422, "rma_quantity_exceeded");
    assert_eq!((&beyond["quantity"], &beyond["possible_quantity"]), (&json!(2), &json!(1)));
    does(&manager, &id, "cancel", json!({})).await.refused(409, "goods_received");
    does(&manager, &id, "receive", json!({"nothing_more": true})).await.expect(200);
    does(&manager, &id, "inspect", found("inconclusive")).await.expect(200);
    let replacing = does(&manager, &id, "proceed", json!({})).await.expect(200);
    assert_eq!(
        (&replacing["state"], &replacing["replacement_item"]),
        (&json!("replacing"), &json!("登山靴 42 码"))
    );
    does(&manager, &id, "settle", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_rejection_needs_four_eyes_and_leaves_the_remedy_due() {
    let service = Service::opens().await;
    let (manager, clerk) = people(&service).await;
    let other = service.hires("manager").await;
    let other = service.person(Role::Manager, &other);
    let remedy = promised(&service, "repair").await;
    let id = authorised(&service, &manager, asks(&remedy, "with_return", shoes(1))).await;
    does(&clerk, &id, "proceed", json!({})).await.expect(200);
    let came = json!({"lines": [{"number": 1, "quantity": 1}]});
    does(&clerk, &id, "receive", came).await.expect(200);
    let because = || json!({"reason": "鞋底磨损，并非缺陷。"});
    // A program is nobody: a person inspects what it has inspected.
    does(&service.key, &id, "inspect", found("defect_disproved")).await.expect(200);
    let two_eyes = does(&other, &id, "reject", because()).await;
    two_eyes.refused(403, "rejection_needs_second_person");
    does(&manager, &id, "inspect", found("defect_disproved")).await.expect(200);
    let own = does(&manager, &id, "reject", because()).await;
    own.refused(403, "rejection_needs_second_person");
    let program = does(&service.key, &id, "reject", because()).await;
    program.refused(403, "rejection_needs_second_person");
    does(&clerk, &id, "reject", because()).await.refused(403, "rma_needs_manager");
    let rejected = does(&other, &id, "reject", because()).await.expect(200);
    assert_eq!(rejected["state"], "rejected");
    let again = asks(&remedy, "without_return", shoes(1));
    assert_eq!(clerk.post("/v1/rmas", again).await.expect(201)["state"], "opened");
}

#[tokio::test]
async fn a_defect_that_was_disproved_is_not_put_right_again_by_itself() {
    let service = Service::opens().await;
    let (manager, clerk) = people(&service).await;
    let (_, remedies) = decided(&service, true, json!([])).await;
    let remedy = remedies[0]["id"].as_str().unwrap();
    let asked = asks(remedy, "with_return", shoes(1));
    let id = clerk.post("/v1/rmas", asked.clone()).await.expect(201).id();
    does(&clerk, &id, "proceed", json!({})).await.expect(200);
    let came = json!({"lines": [{"number": 1, "quantity": 1}]});
    does(&clerk, &id, "receive", came).await.expect(200);
    does(&clerk, &id, "inspect", found("defect_disproved")).await.expect(200);
    let because = json!({"reason": "鞋底磨损，并非缺陷。"});
    does(&manager, &id, "reject", because).await.expect(200);
    let again = clerk.post("/v1/rmas", asked).await.expect(201);
    assert_eq!((&again["state"], &again["mandatory"]), (&json!("opened"), &json!(true)));
    does(&manager, &again.id(), "authorise", json!({})).await.expect(200);
}

#[tokio::test]
async fn what_is_not_sent_back_in_thirty_days_expires_unless_a_defect_was_confirmed() {
    let service = Service::opens().await;
    let (manager, _) = people(&service).await;
    let remedy = promised(&service, "replacement").await;
    let voluntary = authorised(&service, &manager, asks(&remedy, "with_return", shoes(1))).await;
    let (_, remedies) = decided(&service, true, json!([])).await;
    let owed = asks(remedies[0]["id"].as_str().unwrap(), "with_return", shoes(1));
    let owed = service.key.post("/v1/rmas", owed).await.expect(201).id();
    let state = async |id: &str| service.shows(&format!("/v1/rmas/{id}")).await["state"].clone();
    service.house.pass_days(29).await;
    assert_eq!(state(&voluntary).await, "authorised");
    service.house.pass_days(1).await;
    assert_eq!(state(&voluntary).await, "expired");
    assert_eq!(state(&owed).await, "authorised");
    let noticed = service.list("/v1/findings?kind=return_overdue").await;
    assert_eq!(noticed.len(), 1);
    assert_eq!(noticed[0]["subject"], json!(owed));
    does(&manager, &voluntary, "cancel", json!({})).await.expect(200);
}

#[tokio::test]
async fn of_two_who_go_on_with_a_return_at_once_one_does_and_the_other_is_told() {
    let service = Service::opens().await;
    let (manager, clerk) = people(&service).await;
    for _ in 0..5 {
        let remedy = promised(&service, "refund").await;
        let id = authorised(&service, &manager, asks(&remedy, "with_return", shoes(1))).await;
        let (one, two) = futures::join!(
            does(&manager, &id, "cancel", json!({})),
            does(&clerk, &id, "proceed", json!({})),
        );
        // Whoever was first, the goods can be awaited and cancelled, or cancelled and not awaited.
        let state = service.shows(&format!("/v1/rmas/{id}")).await["state"].clone();
        one.expect(200);
        assert_eq!(state, "cancelled");
        if two.status != 200 {
            let told = two.refused(409, "illegal_transition");
            assert_eq!(told["allowed_transitions"], json!([]));
        }
        let asked = asks(&remedy, "without_return", shoes(1));
        let (one, two) = futures::join!(
            manager.post("/v1/rmas", asked.clone()),
            clerk.post("/v1/rmas", asked.clone()),
        );
        let (opened, late) = if one.status == 201 { (one, two) } else { (two, one) };
        assert_eq!(late.refused(409, "rma_open_already")["rma_id"], opened["id"]);
        let id = opened.id();
        let authorise = || does(&manager, &id, "authorise", json!({}));
        let (one, two) = futures::join!(authorise(), authorise());
        let (first, late) = if one.status == 200 { (one, two) } else { (two, one) };
        first.expect(200);
        let told = late.refused(409, "illegal_transition");
        assert_eq!(told["allowed_transitions"], json!(["proceed", "cancel"]));
    }
}
