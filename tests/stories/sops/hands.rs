//! Steps change hands: a manager gives them to somebody else, and nobody takes them along when they go.

use super::{Shop, enter_dealer, step};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

async fn reassigns(caller: &Client, run: &Reply, position: usize, staff: &str) -> Reply {
    let step = run["steps"][position - 1]["id"].as_str().unwrap();
    let path = format!("/v1/sop-runs/{}/steps/{step}/reassign", run.id());
    caller.post(&path, json!({ "staff_id": staff })).await
}

fn whose(run: &Reply) -> Vec<&Value> {
    run["steps"].as_array().unwrap().iter().map(|step| &step["staff_id"]).collect()
}

/// Two steps of whoever carries out the run.
fn calls() -> Value {
    json!({ "change_note": "First.", "steps": [step("Call"), step("Write")] })
}

#[tokio::test]
async fn a_manager_gives_a_step_to_somebody_else_who_sees_the_run_then() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(calls()).await;
    let (clerk_id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (technician_id, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let run = clerk.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
    let path = format!("/v1/sop-runs/{}", run.id());
    reassigns(&clerk, &run, 1, &technician_id).await.refused(403, "sop_rank_too_low");
    technician.get(&path).await.refused(404, "not_found");
    let given = reassigns(&manager, &run, 1, &technician_id).await.expect(200);
    assert_eq!(whose(&given), [&json!(technician_id), &json!(clerk_id)]);
    technician.get(&path).await.expect(200);
    let todo = technician.get("/v1/todo").await.expect(200);
    assert_eq!(todo["steps"][0]["step"]["title"], "Call");

    // Given back, it is out of sight again.
    reassigns(&manager, &run, 1, &clerk_id).await.expect(200);
    technician.get(&path).await.refused(404, "not_found");
    let suzhou = enter_dealer(&shop.key, "suzhou-01").await;
    let (stranger, _) = shop.hires(Role::Clerk, &suzhou).await;
    let refused = reassigns(&shop.key, &run, 1, &stranger).await.refused(422, "step_not_for_them");
    assert_eq!((&refused["position"], &refused["staff_id"]), (&json!(1), &json!(stranger)));
    let unseen = reassigns(&manager, &run, 1, &stranger).await;
    unseen.refused(422, "unknown_reference");
    let lines = shop.key.get(&format!("/v1/audit-entries?subject={}", run.id())).await;
    assert_eq!(lines.data()[0]["action"], "reassign_step");
}

#[tokio::test]
async fn what_somebody_leaves_behind_is_the_manager_s() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(calls()).await;
    let (manager, _) = shop.hires(Role::Manager, &shop.dealer).await;
    let suzhou = enter_dealer(&shop.key, "suzhou-01").await;
    for moves in [false, true] {
        let (id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
        let run = clerk.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
        let done = run["steps"][0]["id"].as_str().unwrap();
        let path = format!("/v1/sop-runs/{}", run.id());
        let done = format!("{path}/steps/{done}/complete");
        clerk.post(&done, json!({ "value": true })).await.expect(200);
        if moves {
            let staff = format!("/v1/staff/{id}");
            shop.key.patch(&staff, "*", json!({ "dealer_id": suzhou })).await.expect(200);
        } else {
            shop.key.post(&format!("/v1/staff/{id}/leave"), json!({})).await.expect(200);
        }
        shop.house.settle().await;
        let run = shop.key.get(&path).await.expect(200);
        assert_eq!(whose(&run), [&json!(id), &json!(manager)], "moves: {moves}");
        assert_eq!(run["staff_id"], json!(manager));
    }
}

#[tokio::test]
async fn what_somebody_has_read_goes_with_them_to_another_dealer() {
    let shop = Shop::opens().await;
    let mut asking = calls();
    asking["quiz"] = json!([{ "question": "How long?", "choices": ["1", "5"], "answer": 1 }]);
    let (_, version) = shop.procedure(asking).await;
    let suzhou = enter_dealer(&shop.key, "suzhou-01").await;
    let (id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let path = format!("/v1/sop-versions/{version}/acknowledge");
    let missed = clerk.post(&path, json!({ "answers": [0] })).await.expect(200);
    let staff = format!("/v1/staff/{id}");
    shop.key.patch(&staff, "*", json!({ "dealer_id": suzhou })).await.expect(200);
    shop.house.settle().await;
    let dealer = Some(suzhou.parse().unwrap());
    let moved = shop.house.person(shop.tenant, Role::Clerk, id.parse().unwrap(), dealer);
    let passed = moved.post(&path, json!({ "answers": [1] })).await.expect(200);
    assert_eq!((passed.id(), &passed["attempts"]), (missed.id(), &json!(2)));
    assert_eq!(passed["dealer_id"], json!(suzhou));
}

#[tokio::test]
async fn whoever_looks_after_a_customer_in_person_does_what_is_theirs() {
    let shop = Shop::opens().await;
    let (clerk, _) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (manager, _) = shop.hires(Role::Manager, &shop.dealer).await;
    let pushed = json!({ "name": "李娜", "dealer_id": shop.dealer });
    let push = "/v1/customers/by-external-id/erp/C-1";
    let customer = shop.key.put(push, pushed.clone()).await.expect(201).id();
    let mut call = step("Call");
    call["assignee"] = json!({ "rule": "relationship_owner" });
    let (sop, _) = shop.procedure(json!({ "change_note": "First.", "steps": [call] })).await;
    let whose_it_is = async || {
        let run = json!({ "sop_id": sop, "customer_id": customer, "dealer_id": shop.dealer });
        let run = shop.key.post("/v1/sop-runs", run).await.expect(201);
        run["steps"][0]["staff_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(whose_it_is().await, manager, "nobody is named");

    let path = format!("/v1/customers/{customer}");
    let assign = format!("{path}/assign");
    let assigned = shop.key.post(&assign, json!({ "staff_id": clerk })).await.expect(200);
    assert_eq!(assigned["relationship_owner_id"], json!(clerk));
    assert_eq!(whose_it_is().await, clerk);
    let theirs = format!("/v1/customers?relationship_owner_id={clerk}");
    assert_eq!(shop.key.get(&theirs).await.data()[0]["id"], json!(customer));
    let again = shop.key.put(push, pushed).await.expect(200);
    assert_eq!(again["relationship_owner_id"], json!(clerk), "no push knows of it");

    let suzhou = enter_dealer(&shop.key, "suzhou-01").await;
    let staff = format!("/v1/staff/{clerk}");
    shop.key.patch(&staff, "*", json!({ "dealer_id": suzhou })).await.expect(200);
    assert_eq!(whose_it_is().await, manager, "they work for another dealer");
    shop.key
        .post(&assign, json!({ "staff_id": clerk }))
        .await
        .refused(422, "customer_not_for_them");
    let moved = shop.key.patch(&path, "*", json!({ "dealer_id": suzhou })).await.expect(200);
    assert_eq!(moved["relationship_owner_id"], json!(null));
}

#[tokio::test]
async fn the_brand_does_what_went_up_to_it() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(calls()).await;
    let admin = shop.admin().await;
    let run = json!({ "sop_id": sop, "dealer_id": shop.dealer });
    let run = shop.key.post("/v1/sop-runs", run).await.expect(201);
    let step = run["steps"][0]["id"].as_str().unwrap();
    let path = format!("/v1/sop-runs/{}/steps/{step}/complete", run.id());
    admin.post(&path, json!({ "value": true })).await.expect(200);
}
