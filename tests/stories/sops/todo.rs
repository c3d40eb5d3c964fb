//! Each person's list, and what comes of it over many runs.

use super::{Shop, filter_change, step};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

fn titles(list: &Reply) -> Vec<&str> {
    list["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["step"]["title"].as_str().unwrap())
        .collect()
}

fn calls() -> Value {
    let mut steps = vec![step("Whenever"), step("Tomorrow"), step("Today")];
    steps[1]["due"] = json!({ "from": "run_start", "within_minutes": 1_440 });
    steps[2]["due"] = json!({ "from": "run_start", "within_minutes": 60 });
    json!({ "change_note": "First.", "steps": steps })
}

#[tokio::test]
async fn everybody_has_a_list_and_what_is_due_first_comes_first() {
    let shop = Shop::opens().await;
    let (id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (_, other) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let (sop, _) = shop.procedure(calls()).await;
    let run = clerk.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
    let list = clerk.get("/v1/todo").await.expect(200);
    assert_eq!(titles(&list), ["Today", "Tomorrow", "Whenever"]);
    assert_eq!(
        (&list["has_more"], &list["steps"][0]["run"]["id"]),
        (&json!(false), &json!(run.id()))
    );
    assert_eq!(list["steps"][0]["is_overdue"], json!(false));
    assert!(titles(&other.get("/v1/todo").await.expect(200)).is_empty());
    assert_eq!(titles(&clerk.get("/v1/todo?limit=1").await.expect(200)), ["Today"]);
    assert_eq!(clerk.get("/v1/todo?limit=1").await["has_more"], true);

    // Others' lists are a manager's to see.
    other.get(&format!("/v1/todo?staff_id={id}")).await.refused(403, "sop_rank_too_low");
    other.get("/v1/todo?scope=dealer").await.refused(403, "sop_rank_too_low");
    assert_eq!(titles(&manager.get(&format!("/v1/todo?staff_id={id}")).await.expect(200)).len(), 3);
    assert_eq!(titles(&manager.get("/v1/todo?scope=dealer").await.expect(200)).len(), 3);
    shop.key.get("/v1/todo").await.refused(422, "todo_of_nobody");
    let other_dealer = super::enter_dealer(&shop.key, "suzhou-01").await;
    let (_, stranger) = shop.hires(Role::Manager, &other_dealer).await;
    assert!(titles(&stranger.get("/v1/todo?scope=dealer").await.expect(200)).is_empty());

    // From its time on a step is overdue, and stands on the manager's list, too.
    shop.house.pass_hours(1).await;
    let list = clerk.get("/v1/todo").await.expect(200);
    assert_eq!(list["steps"][0]["is_overdue"], json!(true));
    assert_eq!(titles(&manager.get("/v1/todo").await.expect(200)), ["Today"]);
    for one in list["steps"].as_array().unwrap().clone() {
        let path = format!(
            "/v1/sop-runs/{}/steps/{}/complete",
            run.id(),
            one["step"]["id"].as_str().unwrap()
        );
        clerk.post(&path, json!({ "value": true })).await.expect(200);
    }
    assert!(titles(&clerk.get("/v1/todo").await.expect(200)).is_empty());
    assert!(titles(&manager.get("/v1/todo").await.expect(200)).is_empty());
}

async fn settle(caller: &Client, run: &Reply, position: usize, body: Value) -> Reply {
    let step = run["steps"][position - 1]["id"].as_str().unwrap();
    let verb = if body.get("reason").is_some() { "waive" } else { "complete" };
    let path = format!("/v1/sop-runs/{}/steps/{step}/{verb}", run.id());
    caller.post(&path, body).await.expect(200)
}

/// Carries out a filter change in which the obligation is waived, or is not.
async fn changes_filter(caller: &Client, sop: &str, misses: bool) {
    let run = caller.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
    settle(caller, &run, 1, json!({ "value": true })).await;
    let measured =
        if misses { json!({ "reason": "The meter is broken." }) } else { json!({ "value": 35 }) };
    settle(caller, &run, 2, measured).await;
    settle(caller, &run, 3, json!({ "value": "clean" })).await;
}

#[tokio::test]
async fn adherence_and_deviations_are_counted_for_each_dealer_and_version() {
    let shop = Shop::opens().await;
    let (sop, version) = shop.procedure(filter_change()).await;
    let other = super::enter_dealer(&shop.key, "suzhou-01").await;
    let (id, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let (stranger_id, stranger) = shop.hires(Role::Manager, &other).await;
    for misses in [true, false, false] {
        changes_filter(&manager, &sop, misses).await;
    }
    changes_filter(&stranger, &sop, false).await;
    let report = async |caller: &Client, by: &str| {
        caller.get(&format!("/v1/reports/sop-adherence?by={by}")).await.expect(200)
    };
    let by_dealer = report(&shop.key, "dealer").await;
    let ours = json!({ "id": shop.dealer, "runs": 3, "adherence_bp": 8_888, "steps_done": 8, "steps_failed": 0,
        "steps_waived": 1, "obligations_missed": 1, "steps_overdue": 0 });
    assert_eq!(by_dealer["rows"][0], ours);
    assert_eq!(by_dealer["rows"].as_array().unwrap().len(), 2);
    assert_eq!(report(&manager, "dealer").await["rows"], json!([ours]));
    assert_eq!(report(&shop.key, "version").await["rows"][0]["id"], json!(version));
    assert_eq!(report(&shop.key, "version").await["rows"][0]["runs"], 4);
    assert_eq!(report(&manager, "staff").await["rows"][0]["id"], json!(id));
    shop.key.get("/v1/reports/sop-adherence").await.refused(400, "invalid_parameter");

    let deviations = shop.key.get("/v1/reports/sop-deviations").await.expect(200);
    assert_eq!(deviations.data().len(), 1);
    assert_eq!(deviations.data()[0]["deviation_reason"], "The meter is broken.");
    let of_staff = async |id: &str| {
        let path = format!("/v1/reports/sop-deviations?staff_id={id}");
        shop.key.get(&path).await.expect(200).data().len()
    };
    assert_eq!((of_staff(&id).await, of_staff(&stranger_id).await), (1, 0));
    assert_eq!(report(&shop.key, "dealer").await["has_more"], false);
    assert_eq!(stranger.get("/v1/reports/sop-deviations").await.expect(200).data().len(), 0);
    let before = shop.key.get("/v1/reports/sop-deviations?to_on=2026-01-04").await.expect(200);
    assert_eq!(before.data().len(), 0);
    let before = shop.key.get("/v1/reports/sop-adherence?by=dealer&to_on=2026-01-04").await;
    assert_eq!((&before["from_on"], &before["rows"]), (&json!("2025-12-05"), &json!([])));
}

#[tokio::test]
async fn where_obligations_are_missed_people_are_shown_again() {
    let shop = Shop::opens().await;
    let (sop, version) = shop.procedure(filter_change()).await;
    let other = super::enter_dealer(&shop.key, "suzhou-01").await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let (_, careful) = shop.hires(Role::Manager, &other).await;
    for round in 0..5 {
        changes_filter(&manager, &sop, round == 0).await;
        changes_filter(&careful, &sop, false).await;
    }
    shop.house.pass_days(1).await;
    let findings = manager.get("/v1/findings?kind=training_needed").await.expect(200);
    assert_eq!(findings.data().len(), 1);
    let finding = &findings.data()[0];
    assert_eq!((&finding["subject"], &finding["period"]), (&json!(version), &json!("2026-01")));
    let numbers =
        json!({ "runs": 5, "runs_with_missed_obligations": 1, "share_bp": 2_000, "days": 30 });
    assert_eq!(finding["evidence"], numbers);
    assert_eq!(careful.get("/v1/findings").await.expect(200).data().len(), 0);
    // Every night looks again, and the month has one.
    shop.house.pass_days(5).await;
    let path = "/v1/findings?kind=training_needed";
    assert_eq!(shop.key.get(path).await.expect(200).data().len(), 1);
    // What was looked at is not told of again when the month is new and the misses are the same.
    let id = finding["id"].as_str().unwrap();
    manager.post(&format!("/v1/findings/{id}/resolve"), json!({})).await.expect(200);
    shop.house.pass_days(26).await;
    assert_eq!(shop.key.get(path).await.expect(200).data().len(), 1);
}

#[tokio::test]
async fn obligations_that_are_missed_count_though_their_runs_never_end() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    for _ in 0..5 {
        let run = manager.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
        settle(&manager, &run, 1, json!({ "value": true })).await;
        settle(&manager, &run, 2, json!({ "value": 500 })).await;
    }
    shop.house.pass_days(1).await;
    let findings = manager.get("/v1/findings?kind=training_needed").await.expect(200);
    let numbers =
        json!({ "runs": 5, "runs_with_missed_obligations": 5, "share_bp": 10_000, "days": 30 });
    assert_eq!(findings.data()[0]["evidence"], numbers);
}

#[tokio::test]
async fn a_long_list_is_gone_through_step_by_step() {
    let shop = Shop::opens().await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (sop, _) = shop.procedure(calls()).await;
    clerk.post("/v1/sop-runs", json!({ "sop_id": sop })).await.expect(201);
    let mut seen = Vec::new();
    let mut list = clerk.get("/v1/todo?limit=1").await.expect(200);
    loop {
        seen.extend(titles(&list).into_iter().map(str::to_owned));
        let Some(cursor) = list["next_cursor"].as_str() else { break };
        list = clerk.get(&format!("/v1/todo?limit=1&cursor={cursor}")).await.expect(200);
    }
    assert_eq!(seen, ["Today", "Tomorrow", "Whenever"]);
    clerk.get("/v1/todo?cursor=x").await.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn a_moment_without_a_procedure_is_told_of_until_there_is_one() {
    let shop = Shop::opens().await;
    shop.house.pass_days(1).await;
    let path = "/v1/findings?kind=sop_gap&state=open&limit=200";
    assert!(shop.key.get(path).await.expect(200).data().is_empty(), "nothing was begun");
    shop.procedure(calls()).await;
    shop.house.pass_days(2).await;
    let told = async || shop.key.get(path).await.expect(200).data().clone();
    let topics = |told: &[Value]| -> Vec<String> {
        told.iter().map(|one| one["topic"].as_str().unwrap().to_owned()).collect()
    };
    let gaps = told().await;
    assert_eq!(gaps.len(), 11);
    assert!(topics(&gaps).contains(&"after_sales/repair".to_owned()));
    assert!(!topics(&gaps).contains(&"after_sales/annual_visit".to_owned()));
    // Dealers' people have no part in it.
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    assert!(manager.get(path).await.expect(200).data().is_empty());

    let repair = json!({ "code": "repair", "name": "维修", "department": "after_sales",
        "touchpoint": "repair" });
    let sop = shop.key.post("/v1/sops", repair).await.expect(201).id();
    let version = super::draft(&shop.key, &sop, calls()).await.id();
    super::say(&shop.key, &version, "submit").await.expect(200);
    super::say(&shop.key, &version, "publish").await.expect(200);
    assert!(!topics(&told().await).contains(&"after_sales/repair".to_owned()));
    assert_eq!(told().await.len(), 10);
}
