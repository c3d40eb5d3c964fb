//! What goes wrong again and again is looked into, and somebody else sees whether it helped.

use crate::{
    house::{Client, Reply},
    maintenance::Service,
    voice::{act, complains},
};
use domain::identity::Role;
use serde_json::{Value, json};

/// An investigation has found a cause, or a danger.
async fn investigates(service: &Service, complaint: &str, cause: Option<&str>, safety: bool) {
    let path = format!("/v1/complaints/{complaint}");
    if service.key.get(&path).await.expect(200)["state"] == "received" {
        act(&service.key, complaint, "acknowledge", json!({})).await.expect(200);
    }
    let assessed = json!({"severity": 2, "safety": safety, "complexity": "simple"});
    act(&service.key, complaint, "assess", assessed).await.expect(200);
    let Some(cause) = cause else { return };
    let found = json!({"findings": "密封圈松动。", "cause_code": cause});
    act(&service.key, complaint, "investigate", found).await.expect(200);
}

async fn actions(service: &Service) -> Vec<Value> {
    service.list("/v1/corrective-actions?sort=created_at").await
}

async fn does(who: &Client, action: &str, verb: &str, body: Value) -> Reply {
    who.post(&format!("/v1/corrective-actions/{action}/{verb}"), body).await
}

/// What there is to say about a step.
fn says(step: &str, person: &str, on: &str) -> Value {
    let mut filling = json!({"step": step, "text": "该说的都在这里。"});
    match step {
        "d1" => filling["team_ids"] = json!([person]),
        "d6" => filling["implemented_on"] = json!(on),
        _ => {}
    }
    filling
}

/// The third complaint of the same cause in a month opens an action, which a fourth joins; its identifier.
async fn opened_by_repetition(service: &Service) -> String {
    let mut complaints = Vec::new();
    for _ in 0..2 {
        let complaint = complains(&service.key, &service.customer).await.id();
        // However often it is said, one complaint counts once.
        for _ in 0..2 {
            investigates(service, &complaint, Some("loose_seal"), false).await;
        }
        complaints.push(complaint);
        service.house.pass_days(14).await;
    }
    assert!(actions(service).await.is_empty());
    let third = complains(&service.key, &service.customer).await.id();
    investigates(service, &third, Some("loose_seal"), false).await;
    complaints.push(third);
    let opened = actions(service).await.remove(0);
    assert_eq!((&opened["origin"], &opened["state"]), (&json!("repetition"), &json!("open")));
    assert_eq!(opened["complaint_ids"], json!(complaints));
    assert_eq!(opened["dealer_id"], json!(service.dealer));
    let fourth = complains(&service.key, &service.customer).await.id();
    investigates(service, &fourth, Some("loose_seal"), false).await;
    let joined = actions(service).await;
    assert_eq!(joined.len(), 1);
    assert_eq!(joined[0]["complaint_ids"][3], json!(fourth));
    opened["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_third_leak_in_a_month_is_looked_into_until_another_person_sees_that_it_helped() {
    let service = Service::opens().await;
    let (owner, manager) = (service.hires("manager").await, service.hires("owner").await);
    let person = service.person(Role::Manager, &owner);
    let other = service.person(Role::Owner, &manager);
    let id = &opened_by_repetition(&service).await;

    let today = "2026-02-02";
    let fill = async |step: &str| does(&person, id, "fill", says(step, &owner, today)).await;
    fill("d0").await.refused(409, "corrective_action_unowned");
    let assigned = does(&person, id, "assign", json!({"owner_id": owner})).await.expect(200);
    assert_eq!(assigned["owner_id"], json!(owner));
    let early = fill("d2").await.refused(409, "d_step_too_early");
    assert_eq!(early["missing_steps"], json!(["d0", "d1"]));
    let states = [
        ("d0", "in_progress"),
        ("d1", "in_progress"),
        ("d2", "in_progress"),
        ("d3", "containment_done"),
        ("d4", "root_cause_found"),
        ("d5", "implementing"),
        ("d6", "implementing"),
        ("d7", "pending_verification"),
    ];
    for (step, state) in states {
        assert_eq!(fill(step).await.expect(200)["state"], state, "{step}");
    }
    let worked = |effective: bool| json!({"effective": effective, "note": "之后再没有漏水。"});
    let missing = does(&other, id, "verify", worked(true)).await.refused(409, "d_steps_missing");
    assert_eq!(missing["missing_steps"], json!(["d8"]));
    let whole = fill("d8").await.expect(200);
    assert_eq!(whole["verification_due_at"], "2026-03-03T16:00:00Z");
    does(&other, id, "verify", worked(true)).await.refused(409, "verification_not_due");
    let hand_over = does(&person, id, "assign", json!({"owner_id": manager})).await;
    hand_over.refused(409, "illegal_transition");

    service.house.pass_days(31).await;
    let reminds = service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(
        (&reminds[0]["kind"], &reminds[0]["state"]),
        (&json!("verification_due"), &json!("open"))
    );
    does(&person, id, "verify", worked(true)).await.refused(403, "verification_by_another");
    does(&service.key, id, "verify", worked(true)).await.refused(403, "verification_by_another");
    let closed = does(&other, id, "verify", worked(true)).await.expect(200);
    assert_eq!((&closed["state"], &closed["verified_by"]), (&json!("closed"), &json!(manager)));
    let settled = service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(settled[0]["state"], "resolved");
}

#[tokio::test]
async fn who_has_had_a_part_in_it_does_not_judge_it_and_strangers_do_not_answer_for_it() {
    let service = Service::opens().await;
    let (owner, helper) = (service.hires("manager").await, service.hires("clerk").await);
    let judge = service.hires("manager").await;
    let person = service.person(Role::Manager, &owner);
    let auditor = json!({"name": "审计员", "role": "auditor"});
    let auditor = service.key.post("/v1/staff", auditor).await.expect(201).id();
    let asked = json!({"cause_code": "noise", "dealer_id": service.dealer, "owner_id": auditor});
    let looks_on = service.key.post("/v1/corrective-actions", asked).await;
    looks_on.refused(422, "corrective_action_not_for_them");
    let asked = json!({"cause_code": "noise", "owner_id": helper});
    let id = person.post("/v1/corrective-actions", asked).await.expect(201).id();
    let named = does(&service.key, &id, "assign", json!({"owner_id": auditor})).await;
    named.refused(422, "corrective_action_not_for_them");
    does(&person, &id, "assign", json!({"owner_id": owner})).await.expect(200);
    for step in ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"] {
        does(&person, &id, "fill", says(step, &owner, "2026-01-05")).await.expect(200);
    }
    service.house.pass_days(31).await;
    let worked = || json!({"effective": true, "note": "之后再没有漏水。"});
    let helper_says = service.person(Role::Clerk, &helper);
    let own = does(&helper_says, &id, "verify", worked()).await;
    let own = own.refused(403, "verification_by_another");
    assert_eq!(own["owner_id"], json!(owner));
    let judge = service.person(Role::Manager, &judge);
    does(&judge, &id, "verify", worked()).await.expect(200);
}

#[tokio::test]
async fn a_cause_that_was_corrected_and_a_complaint_that_was_set_aside_do_not_count() {
    let service = Service::opens().await;
    let corrected = complains(&service.key, &service.customer).await.id();
    investigates(&service, &corrected, Some("loose_seal"), false).await;
    let found = json!({"findings": "其实是水管。", "cause_code": "torn_pipe"});
    act(&service.key, &corrected, "investigate", found).await.expect(200);
    let aside = complains(&service.key, &service.customer).await.id();
    investigates(&service, &aside, Some("loose_seal"), false).await;
    let withdrawn = json!({"reason": "withdrawn", "note": "客户不再追究。"});
    act(&service.key, &aside, "set-aside", withdrawn).await.expect(200);
    for _ in 0..2 {
        let complaint = complains(&service.key, &service.customer).await.id();
        investigates(&service, &complaint, Some("loose_seal"), false).await;
        assert!(actions(&service).await.is_empty());
    }
    let third = complains(&service.key, &service.customer).await.id();
    investigates(&service, &third, Some("loose_seal"), false).await;
    assert_eq!(actions(&service).await[0]["complaint_ids"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_did_not_help_is_kept_and_begun_anew() {
    let service = Service::opens().await;
    let (owner, other) = (service.hires("manager").await, service.hires("manager").await);
    let person = service.person(Role::Manager, &owner);
    let other = service.person(Role::Manager, &other);
    let opened =
        person.post("/v1/corrective-actions", json!({"cause_code": "noise"})).await.expect(201);
    assert_eq!(
        (&opened["owner_id"], &opened["dealer_id"]),
        (&json!(owner), &json!(service.dealer))
    );
    let again = person.post("/v1/corrective-actions", json!({"cause_code": "noise"})).await;
    let again = again.refused(409, "corrective_action_open");
    assert_eq!(again["corrective_action_id"], opened["id"]);
    let id = opened.id();
    for step in ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"] {
        does(&person, &id, "fill", says(step, &owner, "2026-01-05")).await.expect(200);
    }
    service.house.pass_days(31).await;
    let failed = json!({"effective": false, "note": "又响了两次。"});
    let reopened = does(&other, &id, "verify", failed).await.expect(200);
    assert_eq!((&reopened["state"], &reopened["d4"]), (&json!("reopened"), &Value::Null));
    assert_eq!(reopened["earlier_attempts"][0]["steps"]["d4"], "该说的都在这里。");
    let soon = json!({"step": "d6", "text": "…", "implemented_on": "2026-02-05", "verification_due_on": "2026-03-06"});
    for step in ["d4", "d5"] {
        does(&person, &id, "fill", says(step, &owner, "")).await.expect(200);
    }
    let soon = does(&person, &id, "fill", soon).await.refused(422, "verification_too_soon");
    assert_eq!(soon["earliest_on"], "2026-03-07");
}

#[tokio::test]
async fn a_matter_of_safety_is_looked_into_at_once_and_dealers_see_their_own() {
    let service = Service::opens().await;
    let complaint = complains(&service.key, &service.customer).await.id();
    for _ in 0..2 {
        investigates(&service, &complaint, None, true).await;
    }
    let opened = actions(&service).await;
    assert_eq!(opened.len(), 1);
    assert_eq!((&opened[0]["origin"], &opened[0]["cause_code"]), (&json!("safety"), &Value::Null));
    let found = service.list(&format!("/v1/corrective-actions?complaint_id={complaint}")).await;
    assert_eq!(found[0]["id"], opened[0]["id"]);

    let next_door = json!({"code": "suzhou", "name": "苏州店"});
    let next_door = service.key.post("/v1/dealers", next_door).await.expect(201).id();
    let stranger = service.house.dealer_key(service.tenant(), &next_door);
    let theirs = stranger.get("/v1/corrective-actions").await.expect(200);
    assert!(theirs.data().is_empty());
    let foreign = json!({"complaint_ids": [complaint]});
    stranger.post("/v1/corrective-actions", foreign).await.refused(422, "unknown_reference");
    let mixed = json!({"dealer_id": next_door, "complaint_ids": [complaint]});
    let mixed = service.key.post("/v1/corrective-actions", mixed).await;
    mixed.refused(422, "corrective_source_of_another_dealer");
}
