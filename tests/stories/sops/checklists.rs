//! People do it that way, step by step.

use super::{Shop, enter_dealer, filter_change, start, step};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

/// Does what `verb` says to the step at `position` of a run.
pub(super) async fn at(
    caller: &Client,
    run: &Reply,
    position: usize,
    verb: &str,
    body: Value,
) -> Reply {
    let step = run["steps"][position - 1]["id"].as_str().unwrap();
    caller.post(&format!("/v1/sop-runs/{}/steps/{step}/{verb}", run.id()), body).await
}

fn states(run: &Reply) -> Vec<&str> {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().map(|step| step["state"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_technician_follows_the_procedure_step_by_step() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let (technician_id, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    assert_eq!((&run["staff_id"], &run["dealer_id"]), (&json!(technician_id), &json!(shop.dealer)));
    assert_eq!(states(&run), ["ready", "pending", "pending"]);

    let yes = json!({ "value": true });
    let blocked = at(&technician, &run, 2, "complete", json!({ "value": 48.5 })).await;
    assert_eq!(blocked.refused(409, "step_blocked")["stop_position"], 1);
    let text = at(&technician, &run, 1, "complete", json!({ "value": "yes" })).await;
    assert_eq!(text.refused(422, "wrong_value_type")["expected"], "bool");
    let run = at(&technician, &run, 1, "complete", yes.clone()).await.expect(200);
    assert_eq!(states(&run), ["done", "ready", "ready"]);
    at(&technician, &run, 1, "complete", yes).await.refused(409, "illegal_transition");

    let answer = json!({ "value": 50.001, "deviation_reason": "The membrane is worn." });
    let run = at(&technician, &run, 2, "complete", answer).await.expect(200);
    assert_eq!(
        (&run["steps"][1]["state"], &run["state"]),
        (&json!("failed"), &json!("in_progress"))
    );
    let run = at(&technician, &run, 2, "complete", json!({ "value": 50 })).await.expect(200);
    let unknown = at(&technician, &run, 3, "complete", json!({ "value": "spotless" })).await;
    assert_eq!(unknown.refused(422, "unknown_choice")["choices"], json!(["clean", "streaks"]));
    let run = at(&technician, &run, 3, "complete", json!({ "value": "clean" })).await.expect(200);
    assert_eq!((&run["state"], &run["adherence_bp"]), (&json!("completed"), &json!(10_000)));

    let timeline = shop.key.get(&format!("/v1/audit-entries?subject={}", run.id())).await;
    let actions: Vec<_> = timeline.data().iter().map(|line| line["action"].clone()).collect();
    let steps = ["complete_step"; 4];
    assert_eq!(actions, [&steps[..], &["create"]].concat());
}

#[tokio::test]
async fn what_must_not_be_left_out_is_waived_by_a_manager() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    let because = json!({ "reason": "The customer has no shut-off valve." });
    let refused = at(&technician, &run, 1, "waive", because.clone()).await;
    assert_eq!(refused.refused(403, "sop_rank_too_low")["required_rank"], 30);
    let run = at(&manager, &run, 1, "waive", because.clone()).await.expect(200);
    at(&technician, &run, 3, "waive", because).await.expect(200);
    let run = at(&technician, &run, 2, "complete", json!({ "value": 12 })).await.expect(200);
    assert_eq!(run["state"], "completed_with_deviation");
    assert_eq!(run["adherence_bp"], 3_333);

    let run = start(&technician, &sop).await.expect(201);
    let abort = format!("/v1/sop-runs/{}/abort", run.id());
    let because = json!({ "reason": "The customer had to leave." });
    technician.post(&abort, because.clone()).await.refused(403, "sop_rank_too_low");
    let aborted = manager.post(&abort, because).await.expect(200);
    assert_eq!((&aborted["state"], &aborted["adherence_bp"]), (&json!("aborted"), &Value::Null));
    let after = at(&technician, &run, 1, "complete", json!({ "value": true })).await;
    after.refused(409, "illegal_transition");
}

#[tokio::test]
async fn of_two_who_tick_off_the_same_step_at_once_one_has_done_it() {
    let shop = Shop::opens().await;
    let steps = json!({ "change_note": "First.", "steps": [step("One"), step("Two")] });
    let (sop, _) = shop.procedure(steps).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let ticks = (0..6).map(|_| at(&shop.key, &run, 1, "complete", json!({ "value": true })));
    let replies = futures::future::join_all(ticks).await;
    let done = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 1, "{replies:?}");
    for reply in replies.into_iter().filter(|reply| !reply.status.is_success()) {
        reply.refused(409, "illegal_transition");
    }
}

#[tokio::test]
async fn steps_ticked_off_at_once_are_all_done() {
    let shop = Shop::opens().await;
    let steps: Vec<_> = (1..=6).map(|number| step(&format!("Step {number}"))).collect();
    let (sop, _) = shop.procedure(json!({ "change_note": "First.", "steps": steps })).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let ticks =
        (1..=6).map(|place| at(&shop.key, &run, place, "complete", json!({ "value": true })));
    for reply in futures::future::join_all(ticks).await {
        reply.expect(200);
    }
    let run = shop.key.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
    assert_eq!(run["state"], "completed");
}

#[tokio::test]
async fn another_dealers_work_is_not_there() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let other_dealer = enter_dealer(&shop.key, "ningbo-01").await;
    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (colleague_id, colleague) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (stranger_id, stranger) = shop.hires(Role::Manager, &other_dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    let path = format!("/v1/sop-runs/{}", run.id());
    clerk.get(&path).await.expect(200);
    for outsider in [&stranger, &colleague] {
        outsider.get(&path).await.refused(404, "not_found");
        let tick = at(outsider, &run, 1, "complete", json!({ "value": true })).await;
        tick.refused(404, "not_found");
        assert!(outsider.get("/v1/sop-runs").await.expect(200).data().is_empty());
    }
    let other_step = start(&clerk, &sop).await.expect(201)["steps"][0]["id"].clone();
    let mixed = format!("{path}/steps/{}/complete", other_step.as_str().unwrap());
    technician.post(&mixed, json!({ "value": true })).await.refused(404, "not_found");

    let whose = |member: &str, id: &str| json!({ "sop_id": sop, member: id });
    let customer = json!({ "name": "李娜", "kind": "person", "dealer_id": other_dealer });
    let customer = shop.key.post("/v1/customers", customer).await.expect(201).id();
    let foreign = clerk.post("/v1/sop-runs", whose("customer_id", &customer)).await;
    assert_eq!(foreign.refused(422, "unknown_reference")["errors"][0]["pointer"], "/customer_id");
    stranger.post("/v1/sop-runs", whose("customer_id", &customer)).await.expect(201);
    let foreign = clerk.post("/v1/sop-runs", whose("dealer_id", &other_dealer)).await;
    foreign.refused(403, "sop_run_of_others");
    let foreign = technician.post("/v1/sop-runs", whose("staff_id", &colleague_id)).await;
    foreign.refused(403, "sop_run_of_others");
    clerk.post("/v1/sop-runs", whose("staff_id", &colleague_id)).await.expect(201);
    let foreign = clerk.post("/v1/sop-runs", whose("staff_id", &stranger_id)).await;
    assert_eq!(foreign.refused(422, "unknown_reference")["errors"][0]["pointer"], "/staff_id");
}
