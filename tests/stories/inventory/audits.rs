//! A brand looks at its own service, and makes better what could be better.

use super::{Shop, created};
use domain::identity::Role;
use serde_json::json;

#[tokio::test]
async fn an_audit_begins_with_all_active_items_and_is_summed_up() {
    let shop = Shop::opens().await;
    let call = shop.item("call", json!({"class": "obligation"})).await;
    shop.item("wall-check", json!({})).await;
    let gone = shop.item("fax", json!({})).await;
    shop.key.post(&format!("/v1/service-items/{gone}/retire"), json!({})).await.expect(200);
    let opening = json!({
        "title": "年度盘点", "from_on": "2025-01-01", "to_on": "2025-12-31", "prefill": true,
    });
    let audit = created(&shop.key, "/v1/inventory-audits", opening).await;
    let lines = format!("/v1/inventory-audits/{audit}/lines");
    let found = shop.key.get(&lines).await.expect(200);
    let classes: Vec<_> = found.data().iter().map(|line| line["class"].clone()).collect();
    assert_eq!(classes, ["obligation", "service"]);
    assert_eq!(found.data()[0]["service_item_id"], call.as_str());
    let (owner, _) = shop.hires(Role::Manager).await;
    let idea = json!({"subject": "入住一周后回访", "class": "service", "quality": 1, "can_improve": true,
        "backlog_note": "Write a procedure.", "owner_id": owner});
    shop.key.post(&lines, idea).await.expect(201);
    let summary = shop.key.get(&format!("/v1/inventory-audits/{audit}/summary")).await.expect(200);
    assert_eq!(
        summary.body,
        json!({"lines": 3, "obligations": 1, "services": 2, "can_improve": 1, "resolved": 0, "not_rated": 2})
    );
    let twice = json!({"service_item_id": call, "class": "obligation"});
    shop.key.post(&lines, twice).await.refused(409, "already_exists");
}

#[tokio::test]
async fn what_could_be_better_is_a_list_of_its_own_until_it_is_done() {
    let shop = Shop::opens().await;
    let opening = json!({"title": "盘点", "from_on": "2026-01-01", "to_on": "2026-01-05"});
    let audit = created(&shop.key, "/v1/inventory-audits", opening).await;
    let lines = format!("/v1/inventory-audits/{audit}/lines");
    let (owner, _) = shop.hires(Role::Manager).await;
    let mut ids = Vec::new();
    for (class, owner) in [("service", Some(&owner)), ("obligation", None)] {
        let line =
            json!({"subject": "A call", "class": class, "can_improve": true, "owner_id": owner});
        ids.push(created(&shop.key, &lines, line).await);
    }
    let fine = json!({"subject": "A card", "class": "service", "quality": 5});
    let fine = created(&shop.key, &lines, fine).await;
    let backlog = async |filter: &str| -> Vec<String> {
        let found = shop.key.get(&format!("/v1/improvement-backlog?{filter}")).await.expect(200);
        found.data().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(backlog("").await, ids);
    assert_eq!(backlog("class=obligation").await, ids[1..]);
    assert_eq!(backlog(&format!("owner_id={owner}")).await, ids[..1]);
    shop.key.post(&format!("/v1/inventory-audits/{audit}/close"), json!({})).await.expect(200);
    let done = json!({"resolution": "There is a procedure now."});
    let resolve = |id: &str| format!("{lines}/{id}/resolve");
    let resolved = shop.key.post(&resolve(&ids[0]), done.clone()).await.expect(200);
    assert_eq!(resolved["resolved_at"], shop.house.now().to_string());
    assert_eq!(backlog("").await, ids[1..]);
    for id in [&ids[0], &fine] {
        shop.key.post(&resolve(id), done.clone()).await.refused(409, "nothing_to_improve");
    }
}

#[tokio::test]
async fn what_is_worse_again_is_to_be_made_better_again() {
    let shop = Shop::opens().await;
    let opening = json!({"title": "盘点", "from_on": "2026-01-01", "to_on": "2026-01-05"});
    let audit = created(&shop.key, "/v1/inventory-audits", opening).await;
    let path = format!("/v1/inventory-audits/{audit}");
    let bad = json!({"subject": "A call", "class": "service", "quality": 2, "can_improve": true});
    let line = format!("{path}/lines/{}", created(&shop.key, &format!("{path}/lines"), bad).await);
    let backlog = async || shop.key.get("/v1/improvement-backlog").await.expect(200).data().len();
    let done = json!({"resolution": "There is a procedure now."});
    shop.key.post(&format!("{line}/resolve"), done.clone()).await.expect(200);
    shop.key.patch(&line, "*", json!({"can_improve": false, "quality": 5})).await.expect(200);
    let summary = shop.key.get(&format!("{path}/summary")).await.expect(200);
    assert_eq!((&summary["can_improve"], &summary["resolved"]), (&json!(0), &json!(0)));
    assert_eq!(backlog().await, 0);
    let worse = json!({"can_improve": true, "quality": 3});
    let worse = shop.key.patch(&line, "*", worse).await.expect(200);
    assert_eq!((&worse["resolution"], &worse["resolved_at"]), (&json!(null), &json!(null)));
    assert_eq!(backlog().await, 1);
    shop.key.post(&format!("{line}/resolve"), done).await.expect(200);
    assert_eq!(backlog().await, 0);
}

#[tokio::test]
async fn a_closed_audit_stays_as_it_is() {
    let shop = Shop::opens().await;
    let opening = json!({"title": "盘点", "from_on": "2026-01-01", "to_on": "2026-01-05"});
    let path = format!(
        "/v1/inventory-audits/{}",
        created(&shop.key, "/v1/inventory-audits", opening).await
    );
    let lines = format!("{path}/lines");
    let line = json!({"subject": "A call", "class": "service"});
    let id = created(&shop.key, &lines, line.clone()).await;
    let one = format!("{lines}/{id}");
    let rated = shop.key.patch(&one, "*", json!({"quality": 4})).await.expect(200);
    assert_eq!(rated["quality"], 4);
    let closed = shop.key.post(&format!("{path}/close"), json!({})).await.expect(200);
    assert_eq!(
        (&closed["state"], &closed["closed_at"]),
        (&json!("closed"), &json!(shop.house.now().to_string()))
    );
    shop.key.post(&lines, line).await.refused(409, "audit_closed");
    shop.key.patch(&one, "*", json!({"quality": 5})).await.refused(409, "audit_closed");
    shop.key.patch(&path, "*", json!({"title": "Other"})).await.refused(409, "audit_closed");
    shop.key.post(&format!("{path}/close"), json!({})).await.refused(409, "illegal_transition");
    let other = json!({"title": "盘点", "from_on": "2026-01-05", "to_on": "2026-01-04"});
    shop.key.post("/v1/inventory-audits", other).await.refused(422, "audit_period_reversed");
    let other = json!({"title": "盘点", "from_on": "2026-01-05", "to_on": "2026-01-05"});
    let other = created(&shop.key, "/v1/inventory-audits", other).await;
    let elsewhere = format!("/v1/inventory-audits/{other}/lines/{id}");
    shop.key.get(&elsewhere).await.refused(404, "not_found");
    shop.key.patch(&elsewhere, "*", json!({"quality": 5})).await.refused(404, "not_found");
}
