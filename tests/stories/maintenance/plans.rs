//! Plans are written, published and entered; dates follow.

use super::{Service, filter, told};
use serde_json::{Value, json};

fn care(service: &Service, tasks: Value) -> Value {
    json!({
        "code": "care", "name": "Purifier care", "product_id": service.product, "tasks": tasks,
    })
}

#[tokio::test]
async fn a_plan_is_drafted_looked_at_published_and_then_never_changed() {
    let service = Service::opens().await;
    let key = &service.key;
    let draft = care(&service, json!([filter()]));
    let plan = key.post("/v1/plan-templates", draft.clone()).await.expect(201);
    assert_eq!(plan["tasks"][0]["work_lead_days"], 7);
    key.post("/v1/plan-templates", draft.clone()).await.refused(409, "plan_draft_exists");

    let path = format!("/v1/plan-templates/{}", plan.id());
    let renamed = json!({"code": "other"});
    key.patch(&path, plan.etag(), renamed).await.refused(422, "plan_code_fixed");
    let wall = json!({
        "code": "wall", "title": "Wall check", "trigger": {"kind": "month_offset", "months": 3},
    });
    let twins = json!({"tasks": [wall, wall]});
    key.patch(&path, plan.etag(), twins).await.refused(422, "duplicate_plan_task");
    let wide = json!({
        "code": "check", "title": "x", "trigger": {"kind": "every_months", "months": 1},
        "early_days": 14, "late_days": 14,
    });
    let wide = json!({"tasks": [wide]});
    key.patch(&path, plan.etag(), wide).await.refused(422, "plan_window_too_wide");
    let both = json!({"tasks": [filter(), wall]});
    let plan = key.patch(&path, plan.etag(), both).await.expect(200);

    let preview = format!("{path}/dates?delivered_on=2026-08-31&limit=3");
    let preview = key.get(&preview).await.expect(200);
    let dates = told(preview["dates"].as_array().unwrap(), &["task", "nominal_on"]);
    assert_eq!(dates, ["filter 2026-10-31", "wall 2026-11-30", "filter 2026-12-31"]);

    let published = key.post(&format!("{path}/publish"), json!({})).await.expect(200);
    assert_eq!(published["state"], "published");
    let edited = key.patch(&path, published.etag(), json!({"name": "x"})).await;
    assert_eq!(edited.refused(409, "illegal_transition")["allowed_transitions"], json!(["retire"]));

    let second = key.post("/v1/plan-templates", draft).await.expect(201);
    assert_eq!((&second["number"], &plan["number"]), (&json!(2), &json!(1)));
    key.post(&format!("/v1/plan-templates/{}/publish", second.id()), json!({})).await.expect(200);
    assert_eq!(service.shows(&path).await["state"], "retired");
    let in_force = service.list("/v1/plan-templates?code=care&state=published").await;
    assert_eq!(told(&in_force, &["number"]), ["2"]);
    key.post(&format!("/v1/plan-templates/{}/retire", second.id()), json!({})).await.expect(200);
}

#[tokio::test]
async fn a_procedure_is_published_before_the_plan_that_names_it() {
    let service = Service::opens().await;
    let key = &service.key;
    let sop = json!({
        "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
    });
    let sop = key.post("/v1/sops", sop).await.expect(201).id();
    let mut task = filter();
    task["sop_id"] = json!(sop);
    let draft = care(&service, json!([task]));
    let plan = key.post("/v1/plan-templates", draft).await.expect(201).id();
    let publish = format!("/v1/plan-templates/{plan}/publish");
    key.post(&publish, json!({})).await.refused(409, "sop_not_published");
}

#[tokio::test]
async fn what_is_not_a_plan_is_pointed_at() {
    let service = Service::opens().await;
    let draft = |task: Value| {
        let body = care(&service, json!([task]));
        service.key.post("/v1/plan-templates", body)
    };
    let mut weekly = filter();
    weekly["trigger"] = json!({"kind": "every_weeks", "weeks": 1});
    draft(weekly).await.refused(422, "invalid_body");
    let mut endless = filter();
    endless["duration_minutes"] = json!(481);
    let endless = draft(endless).await.refused(422, "invalid_body");
    assert_eq!(endless["errors"][0]["pointer"], "/tasks/0/duration_minutes");
    assert_eq!(endless["errors"][0]["code"], "out_of_range");
    let mut unknown = filter();
    unknown["crew"] = json!(2);
    draft(unknown).await.refused(422, "invalid_body");
    let other = json!({
        "code": "care", "name": "x", "product_id": "prd_01h455vb4pex5vsknk084sn02q",
        "tasks": [filter()],
    });
    service.key.post("/v1/plan-templates", other).await.refused(422, "unknown_reference");
}

#[tokio::test]
async fn payment_and_delivery_enrol_once_in_either_order() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    let first = service.sells("SN-1", None).await;
    let second = service.sells("SN-2", None).await;
    let pay = |external_id: &str, asset: &str| {
        let order = json!({
            "external_id": external_id, "customer_id": service.customer,
            "dealer_id": service.dealer, "asset_ids": [asset], "currency": "CNY",
            "paid_on": "2026-01-05", "lines": [{"quantity": 1, "price_minor": 299_900}],
        });
        service.key.post("/v1/orders", order)
    };
    let deliver = async |asset: &str| {
        let day = json!({"delivered_on": "2026-01-05"});
        service.key.post(&format!("/v1/assets/{asset}/deliver"), day).await
    };
    pay("S-1", &first).await.expect(201);
    service.house.settle().await;
    assert_eq!(service.list("/v1/enrolments").await.len(), 0, "there is no day to count from");
    deliver(&first).await.expect(200);
    deliver(&second).await.expect(200);
    service.house.settle().await;
    pay("S-2", &second).await.expect(201);
    service.house.settle().await;
    let enrolments = service.list("/v1/enrolments?state=active").await;
    assert_eq!(
        told(&enrolments, &["asset_id", "anchor_on"]),
        [format!("{second} 2026-01-05"), format!("{first} 2026-01-05"),]
    );
}

#[tokio::test]
async fn dates_are_written_down_two_months_ahead_once_each() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    service.sells("SN-1", Some("2026-01-04")).await;
    service.house.settle().await;
    let dates = service.list("/v1/occurrences").await;
    let members = ["seq", "nominal_on", "window_from_on", "window_to_on", "due_at", "state"];
    let first = "1 2026-03-04 2026-02-25 2026-03-11 2026-02-17T22:00:00Z planned";
    assert_eq!(told(&dates, &members), [first]);
    service.house.pass_days(50).await;
    let dates = service.list("/v1/occurrences?due_after=2026-03-05").await;
    let second = "2 2026-05-04 2026-04-27 2026-05-11 2026-04-19T22:00:00Z planned";
    assert_eq!(told(&dates, &members), [second]);
}

#[tokio::test]
async fn a_plan_of_single_dates_ends_with_the_last_of_them() {
    let service = Service::opens().await;
    let wall = json!({
        "code": "wall", "title": "Wall check", "trigger": {"kind": "month_offset", "months": 1},
    });
    service.publishes(json!([wall])).await;
    service.sells("SN-1", Some("2026-01-04")).await;
    service.house.settle().await;
    let enrolment = service.list("/v1/enrolments").await.remove(0);
    assert_eq!(enrolment["next_due_on"], Value::Null);
    let date = service.list("/v1/occurrences").await.remove(0);
    let skip = format!("/v1/occurrences/{}/skip", date["id"].as_str().unwrap());
    let skipped = service.key.post(&skip, json!({"note": "客户出差"})).await.expect(200);
    assert_eq!(skipped["skipped_because"], "decision");
    service.key.post(&skip, json!({})).await.refused(409, "illegal_transition");
    service.house.pass_days(1).await;
    let enrolment = service.list("/v1/enrolments").await.remove(0);
    assert_eq!(enrolment["state"], "completed");
}

#[tokio::test]
async fn an_asset_that_came_before_its_plan_is_enrolled_by_hand_and_catches_up_once() {
    let service = Service::opens().await;
    let asset = service.sells("SN-1", Some("2024-01-04")).await;
    let underway = service.sells("SN-2", None).await;
    service.house.settle().await;
    let half_yearly = json!({
        "code": "filter", "title": "x", "trigger": {"kind": "every_months", "months": 5},
    });
    let plan = service.publishes(json!([half_yearly])).await;
    let enrol = |asset: &str| {
        let body = json!({"plan_template_id": plan, "asset_id": asset});
        service.key.post("/v1/enrolments", body)
    };
    let enrolled = enrol(&asset).await.expect(201);
    assert_eq!(
        (&enrolled["anchor_on"], &enrolled["enrolled_on"]),
        (&json!("2024-01-04"), &json!("2026-01-05"),)
    );
    enrol(&asset).await.refused(409, "already_enrolled");
    enrol(&underway).await.refused(409, "asset_not_delivered");
    let nowhere = enrol("ast_01h455vb4pex5vsknk084sn02q").await.refused(422, "unknown_reference");
    assert_eq!(nowhere["errors"][0]["pointer"], "/asset_id");
    service.house.settle().await;
    // Due in June, November, April, September 2025 and February 2026; the fourth had passed.
    let dates = service.list("/v1/occurrences").await;
    assert_eq!(
        told(&dates, &["seq", "nominal_on", "window_from_on", "window_to_on", "state"]),
        [
            "4 2025-09-04 2026-01-05 2026-01-19 work_created",
            "5 2026-02-04 2026-01-28 2026-02-11 planned",
        ]
    );
}

#[tokio::test]
async fn a_plan_that_rests_lets_its_dates_go() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    service.sells("SN-1", Some("2026-01-04")).await;
    service.house.settle().await;
    let enrolment = service.list("/v1/enrolments").await.remove(0);
    let path = format!("/v1/enrolments/{}", enrolment["id"].as_str().unwrap());
    let verb = async |verb: &str| service.key.post(&format!("{path}/{verb}"), json!({})).await;
    verb("suspend").await.expect(200);
    verb("suspend").await.refused(409, "illegal_transition");
    service.house.pass_days(45).await;
    let dates = service.list("/v1/occurrences").await;
    assert_eq!(told(&dates, &["seq", "state", "skipped_because"]), ["1 skipped suspended"]);
    verb("resume").await.expect(200);
    service.house.pass_days(10).await;
    let planned = service.list("/v1/occurrences?state=planned").await;
    assert_eq!(told(&planned, &["seq", "nominal_on"]), ["2 2026-05-04"]);
    assert_eq!(verb("cancel").await.expect(200)["state"], "cancelled");
    verb("cancel").await.refused(409, "illegal_transition");
    assert_eq!(service.list("/v1/occurrences?state=cancelled").await.len(), 1);
    service.house.pass_days(60).await;
    assert_eq!(service.list("/v1/occurrences").await.len(), 2);
}
