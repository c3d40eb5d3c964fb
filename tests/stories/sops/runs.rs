//! Who does a step, by when, whether at all; and who answers for it when nobody does.

use super::{Shop, start, step};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

/// A step with more said about it.
fn step_with(title: &str, more: Value) -> Value {
    let mut step = step(title);
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn version(steps: Vec<Value>) -> Value {
    json!({ "change_note": "First.", "steps": steps })
}

async fn complete(caller: &Client, run: &Reply, position: usize, value: Value) -> Reply {
    let step = run["steps"][position - 1]["id"].as_str().unwrap();
    let path = format!("/v1/sop-runs/{}/steps/{step}/complete", run.id());
    caller.post(&path, json!({ "value": value })).await
}

fn each<'r>(run: &'r Reply, member: &str) -> Vec<&'r Value> {
    run["steps"].as_array().unwrap().iter().map(|step| &step[member]).collect()
}

async fn begins(shop: &Shop, sop: &str) -> Reply {
    shop.key
        .post("/v1/sop-runs", json!({ "sop_id": sop, "dealer_id": shop.dealer }))
        .await
        .expect(201)
}

#[tokio::test]
async fn a_step_is_for_whoever_of_its_role_has_the_fewest() {
    let shop = Shop::opens().await;
    let (manager, _) = shop.hires(Role::Manager, &shop.dealer).await;
    let mut clerks = [
        shop.hires(Role::Clerk, &shop.dealer).await.0,
        shop.hires(Role::Clerk, &shop.dealer).await.0,
    ];
    clerks.sort();
    let by_clerk = json!({ "assignee": { "rule": "role", "role": "clerk" } });
    let by_agent = json!({ "assignee": { "rule": "role", "role": "support_agent" } });
    let (sop, _) = shop
        .procedure(version(vec![
            step_with("One", by_clerk.clone()),
            step_with("Two", by_clerk.clone()),
            step_with("Three", by_clerk),
            step_with("Nobody's", by_agent),
            step("The runner's"),
        ]))
        .await;
    let run = begins(&shop, &sop).await;
    let staff = each(&run, "staff_id");
    assert_eq!(staff[0], staff[2], "the first of those with equally few");
    assert_ne!(staff[0], staff[1]);
    // Where nobody of the role is there, and where nobody carries out the run, it is a manager's.
    assert_eq!((staff[3], staff[4]), (&json!(manager), &json!(manager)));
    // One run later the one who had one has the fewest.
    let again = begins(&shop, &sop).await;
    assert_eq!(each(&again, "staff_id")[0], staff[1]);
}

#[tokio::test]
async fn a_technician_sees_the_run_in_which_a_step_is_theirs() {
    let shop = Shop::opens().await;
    let (id, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, other) = shop.hires(Role::Manager, &shop.dealer).await;
    let by_technician = json!({ "assignee": { "rule": "role", "role": "technician" } });
    let (sop, _) =
        shop.procedure(version(vec![step("Welcome"), step_with("Repair", by_technician)])).await;
    let run = other.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
    assert_eq!(each(&run, "staff_id")[1], &json!(id));
    let seen = technician.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
    complete(&technician, &seen, 2, json!(true)).await.expect(200);
    let plain = shop.procedure_called("plain", version(vec![step("Welcome")])).await;
    let not_theirs = other.post("/v1/sop-runs", json!({ "sop_id": plain })).await.expect(201);
    technician.get(&format!("/v1/sop-runs/{}", not_theirs.id())).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_step_whose_condition_does_not_hold_need_not_be_done() {
    let shop = Shop::opens().await;
    let (sop, _) = shop
        .procedure(version(vec![
            json!({ "key": "tds", "title": "Measure", "standard": "As good as new.",
                "measure": { "type": "number", "unit": "ppm", "op": "at_most", "threshold": 100 } }),
            step_with("Change the membrane", json!({ "condition": "step.tds > 50" })),
            step_with("Give a present", json!({ "condition": "customer.tier == \"gold\"" })),
            step("Say goodbye"),
        ]))
        .await;
    let silver = json!({ "name": "李娜", "tier": "silver" });
    let silver = shop.key.post("/v1/customers", silver).await.expect(201).id();
    let run = json!({ "sop_id": sop, "customer_id": silver });
    let run = shop.key.post("/v1/sop-runs", run).await.expect(201);
    // What asks for an earlier step waits for it, and does not hold up the others.
    assert_eq!(each(&run, "state"), ["ready", "pending", "not_applicable", "ready"]);
    let measured = complete(&shop.key, &run, 1, json!(35)).await.expect(200);
    assert_eq!(each(&measured, "state"), ["done", "not_applicable", "not_applicable", "ready"]);
    complete(&shop.key, &run, 2, json!(true)).await.refused(409, "illegal_transition");
    // Adherence counts what applies.
    let done = complete(&shop.key, &run, 4, json!(true)).await.expect(200);
    assert_eq!((&done["state"], &done["adherence_bp"]), (&json!("completed"), &json!(10_000)));

    let other = start(&shop.key, &sop).await.expect(201);
    let measured = complete(&shop.key, &other, 1, json!(51)).await.expect(200);
    assert_eq!(each(&measured, "state")[1], "ready");
}

#[tokio::test]
async fn a_run_in_which_nothing_applies_is_completed_at_once() {
    let shop = Shop::opens().await;
    let never = json!({ "condition": "customer.tier == \"gold\"" });
    let (sop, _) = shop.procedure(version(vec![step_with("Give a present", never)])).await;
    let run = start(&shop.key, &sop).await.expect(201);
    assert_eq!((&run["state"], &run["adherence_bp"]), (&json!("completed"), &json!(10_000)));
}

#[tokio::test]
async fn times_count_from_the_beginning_and_from_other_steps_in_working_time() {
    let shop = Shop::opens().await;
    let within = |from: Value, minutes: u32, working: bool| {
        let mut due = from;
        due["within_minutes"] = json!(minutes);
        due["working_time"] = json!(working);
        json!({ "due": due })
    };
    let mut first = step_with("Call", within(json!({ "from": "run_start" }), 60, false));
    first["key"] = json!("call");
    let (sop, _) = shop
        .procedure(version(vec![
            first,
            step_with("Write", within(json!({ "from": "run_start" }), 600, true)),
            step_with("Ask", within(json!({ "from": "step", "step": "call" }), 30, false)),
        ]))
        .await;
    // Monday, 09:00 in Shanghai; without a site it is worked from 9 to 18.
    let run = begins(&shop, &sop).await;
    let due = each(&run, "due_at");
    assert_eq!(due, [&json!("2026-01-05T02:00:00Z"), &json!("2026-01-06T02:00:00Z"), &Value::Null]);
    shop.house.pass_hours(1).await;
    let called = complete(&shop.key, &run, 1, json!(true)).await.expect(200);
    assert_eq!(each(&called, "due_at")[2], "2026-01-05T02:30:00Z");

    // A site with hours of its own.
    let site = json!({ "code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai",
        "hours": { "opens": "10:00", "closes": "12:00", "weekdays": ["tuesday"] } });
    shop.key.post(&format!("/v1/dealers/{}/sites", shop.dealer), site).await.expect(201);
    let run = begins(&shop, &sop).await;
    // Ten hours are five Tuesdays.
    assert_eq!(each(&run, "due_at")[1], "2026-02-03T04:00:00Z");
}

#[tokio::test]
async fn a_late_step_goes_up_a_rank_at_a_time_and_each_rank_once() {
    let shop = Shop::opens().await;
    let (clerk, _) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (manager, _) = shop.hires(Role::Manager, &shop.dealer).await;
    let (owner, _) = shop.hires(Role::Owner, &shop.dealer).await;
    let late = json!({ "assignee": { "rule": "role", "role": "clerk" },
        "due": { "from": "run_start", "within_minutes": 120 } });
    let (sop, _) = shop
        .procedure(version(vec![step_with("Call", late.clone()), step_with("Write", late)]))
        .await;
    let run = begins(&shop, &sop).await;
    let show = async || shop.key.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
    complete(&shop.key, &run, 2, json!(true)).await.expect(200);
    shop.house.pass_hours(1).await;
    assert_eq!(each(&show().await, "escalated_rank")[0], &Value::Null);
    shop.house.pass_hours(1).await;
    let up = show().await;
    assert_eq!(each(&up, "staff_id")[0], &json!(clerk));
    assert_eq!(each(&up, "escalated_rank"), [&json!(30), &Value::Null]);
    assert_eq!(each(&up, "escalated_staff_id")[0], &json!(manager));
    assert_eq!(each(&up, "overdue_at"), [&json!("2026-01-05T03:00:00Z"), &Value::Null]);
    // The same time again for each.
    shop.house.pass_hours(1).await;
    assert_eq!(each(&show().await, "escalated_rank")[0], 30);
    shop.house.pass_hours(1).await;
    let up = show().await;
    assert_eq!(
        (each(&up, "escalated_rank")[0], each(&up, "escalated_staff_id")[0]),
        (&json!(40), &json!(owner))
    );
    shop.house.pass_hours(2).await;
    assert_eq!(each(&show().await, "escalated_rank")[0], 60);
    shop.house.pass_days(3).await;

    let lines = shop.key.get(&format!("/v1/audit-entries?subject={}", run.id())).await.expect(200);
    let up: Vec<_> = lines.data().iter().filter(|line| line["action"] == "escalate_step").collect();
    let ranks: Vec<_> = up.iter().map(|line| &line["facts"]["rank"]).collect();
    assert_eq!(ranks, [&json!(60), &json!(40), &json!(30)]);
    // It can still be done, and stays late.
    let done = complete(&shop.key, &run, 1, json!(true)).await.expect(200);
    assert_eq!(
        (&done["state"], each(&done, "overdue_at")[0]),
        (&json!("completed"), &json!("2026-01-05T03:00:00Z"))
    );
}

#[tokio::test]
async fn what_is_settled_or_broken_off_goes_up_to_nobody() {
    let shop = Shop::opens().await;
    shop.hires(Role::Manager, &shop.dealer).await;
    let soon = json!({ "due": { "from": "run_start", "within_minutes": 60 } });
    let (sop, _) = shop.procedure(version(vec![step_with("Call", soon)])).await;
    let (done, aborted) = (begins(&shop, &sop).await, begins(&shop, &sop).await);
    complete(&shop.key, &done, 1, json!(true)).await.expect(200);
    let why = json!({ "reason": "The customer had to leave." });
    let broken =
        shop.key.post(&format!("/v1/sop-runs/{}/abort", aborted.id()), why).await.expect(200);
    assert_eq!(each(&broken, "staff_id")[0], &Value::Null);
    shop.house.pass_hours(3).await;
    for run in [done, aborted] {
        let run = shop.key.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
        assert_eq!(each(&run, "overdue_at"), [&Value::Null]);
    }
}

#[tokio::test]
async fn a_meter_does_not_run_backwards() {
    let shop = Shop::opens().await;
    let meter = json!({ "key": "km", "title": "Read the meter", "standard": "As it stands.",
        "measure": { "type": "meter", "unit": "km" } });
    let (sop, _) = shop.procedure(version(vec![meter])).await;
    let customer = shop.key.post("/v1/customers", json!({ "name": "李娜" })).await.expect(201).id();
    let details = json!({ "sop_id": sop, "customer_id": customer });
    let first = shop.key.post("/v1/sop-runs", details.clone()).await.expect(201);
    complete(&shop.key, &first, 1, json!(1_200)).await.expect(200);
    let second = shop.key.post("/v1/sop-runs", details).await.expect(201);
    let refused = complete(&shop.key, &second, 1, json!(1_199.5)).await;
    let refused = refused.refused(422, "meter_runs_backwards");
    assert_eq!((&refused["last"], &refused["given"]), (&json!(1_200), &json!(1_199.5)));
    complete(&shop.key, &second, 1, json!(1_200)).await.expect(200);
}

#[tokio::test]
async fn a_meter_is_compared_with_the_last_time_at_the_same_thing_whoever_read_it() {
    let shop = Shop::opens().await;
    let meter = json!({ "key": "km", "title": "Read the meter", "standard": "As it stands.",
        "measure": { "type": "meter", "unit": "km" } });
    let (sop, _) = shop.procedure(version(vec![meter])).await;
    let customer = shop.key.post("/v1/customers", json!({ "name": "李娜" })).await.expect(201).id();
    let (car, other_car) = (shop.sells(&customer, "A").await, shop.sells(&customer, "B").await);
    let suzhou = super::enter_dealer(&shop.key, "suzhou-01").await;
    let reads = async |asset: &str, dealer: &str, answer: Value| {
        let details = json!({ "sop_id": sop, "customer_id": customer, "asset_id": asset,
            "dealer_id": dealer });
        let run = shop.key.post("/v1/sop-runs", details).await.expect(201);
        let step = run["steps"][0]["id"].as_str().unwrap();
        let dealers_own = shop.house.dealer_key(shop.tenant, dealer);
        dealers_own.post(&format!("/v1/sop-runs/{}/steps/{step}/complete", run.id()), answer).await
    };
    reads(&car, &shop.dealer, json!({ "value": 1_200 })).await.expect(200);
    reads(&other_car, &shop.dealer, json!({ "value": 7 })).await.expect(200);
    // Another dealer has not seen the first reading, and it counts all the same.
    let refused = reads(&car, &suzhou, json!({ "value": 3 })).await;
    assert_eq!(refused.refused(422, "meter_runs_backwards")["last"], 1_200);
    let replaced = json!({ "value": 3, "meter_replaced": "The display was broken." });
    let done = reads(&car, &suzhou, replaced).await.expect(200);
    assert_eq!(done["steps"][0]["meter_replaced"], "The display was broken.");
    reads(&car, &shop.dealer, json!({ "value": 4 })).await.expect(200);
    let somebody = shop.key.post("/v1/customers", json!({ "name": "王伟" })).await.expect(201).id();
    let not_theirs = json!({ "sop_id": sop, "customer_id": somebody, "asset_id": car });
    let refused = shop.key.post("/v1/sop-runs", not_theirs).await;
    refused.refused(422, "asset_of_another_customer");
}

#[tokio::test]
async fn who_does_not_see_the_customer_goes_on_with_the_run_all_the_same() {
    let shop = Shop::opens().await;
    let mut measured = step("Measure");
    measured["key"] = json!("measure");
    let present = json!({ "condition": "step.measure == true && customer.tier == \"gold\"" });
    let (sop, _) =
        shop.procedure(version(vec![measured, step_with("Give a present", present)])).await;
    let (id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let suzhou = super::enter_dealer(&shop.key, "suzhou-01").await;
    for (tier, state) in [("gold", "ready"), ("silver", "not_applicable")] {
        let customer = json!({ "name": "李娜", "tier": tier, "dealer_id": suzhou });
        let customer = shop.key.post("/v1/customers", customer).await.expect(201).id();
        clerk.get(&format!("/v1/customers/{customer}")).await.refused(404, "not_found");
        let details = json!({ "sop_id": sop, "customer_id": customer, "dealer_id": shop.dealer,
            "staff_id": id });
        let run = shop.key.post("/v1/sop-runs", details).await.expect(201);
        let run = complete(&clerk, &run, 1, json!(true)).await.expect(200);
        assert_eq!(each(&run, "state")[1], state, "{tier}");
    }
}

#[tokio::test]
async fn what_failed_for_a_reason_is_no_work_any_more() {
    let shop = Shop::opens().await;
    let mut clerks =
        [shop.hires(Role::Clerk, &shop.dealer).await, shop.hires(Role::Clerk, &shop.dealer).await];
    clerks.sort_by(|one, other| one.0.cmp(&other.0));
    let by_clerk = json!({ "assignee": { "rule": "role", "role": "clerk" } });
    let steps = vec![step_with("Call", by_clerk), step("The runner's")];
    let (sop, _) = shop.procedure(version(steps)).await;
    let run = begins(&shop, &sop).await;
    assert_eq!(each(&run, "staff_id")[0], &json!(clerks[0].0));
    let id = run["steps"][0]["id"].as_str().unwrap();
    let path = format!("/v1/sop-runs/{}/steps/{id}/complete", run.id());
    let why = json!({ "value": false, "deviation_reason": "The number is wrong." });
    clerks[0].1.post(&path, why).await.expect(200);
    assert_eq!(clerks[0].1.get("/v1/todo").await.expect(200)["steps"], json!([]));
    // So they are the first again.
    assert_eq!(each(&begins(&shop, &sop).await, "staff_id")[0], &json!(clerks[0].0));
}
