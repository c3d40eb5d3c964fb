//! Who did what.

use crate::{
    customers::Shop,
    house::{Client, House},
    maintenance::{Service, filter},
    voice::{act, complains, link, sends, surveys_after},
};
use domain::identity::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_stranger_is_asked_to_sign_in() {
    let house = House::opens().await;
    house.brand("clearwater").await;
    house.settle().await;
    let reply = house.stranger().get("/v1/audit-entries").await.refused(401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"aftercare\"");
    assert_eq!(reply["request_id"], reply.header("x-request-id"));
}

#[tokio::test]
async fn every_change_of_every_record_is_one_line_of_its_timeline() {
    let service = Service::opens().await;
    for trigger in ["visit_completed", "complaint_resolved"] {
        surveys_after(&service.key, trigger).await;
    }
    sells_and_visits(&service).await;
    gives(&service).await;
    complains_and_is_heard(&service).await;

    let (mut met, mut wrong) = (BTreeSet::new(), Vec::new());
    for record in everything(&service).await {
        let id = record["id"].as_str().unwrap();
        let kind = id.split('_').next().unwrap().to_owned();
        let timeline = format!("/v1/audit-entries?limit=200&subject={id}");
        let lines = service.list(&timeline).await.len();
        let changes = record["version"].as_u64().unwrap_or(1);
        // Looking ahead moves an enrolment on without anybody deciding anything.
        let fits = if kind == "enr" { lines > 0 } else { lines.to_string() == changes.to_string() };
        if !fits {
            wrong.push(format!("{id}: {lines} lines, {changes} changes"));
        }
        met.insert(kind);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let kinds = "acc alp apt ast cmp cus dlr enr fnd ges inv key lim occ ord pla prd rem res rsp run \
                 sit sop sov stf sur wor";
    assert_eq!(met.into_iter().collect::<Vec<_>>().join(" "), kinds);
}

/// What is told about a record, the newest first.
async fn timeline(who: &Client, subject: &str) -> Vec<String> {
    let reply = who.get(&format!("/v1/audit-entries?subject={subject}")).await.expect(200);
    reply.data().iter().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_dealer_s_people_read_the_timelines_of_their_dealer_and_no_more() {
    let shop = Shop::opens().await;
    let (neighbour, next_door) = shop.neighbour().await;
    let ours = shop.customer("C-1").await;
    let theirs = next_door.post("/v1/customers", json!({"name": "王伟"})).await.expect(201).id();
    let person = |role: Role, dealer: Option<&str>| {
        let nobody_else = uuid::Uuid::from_u128(1).into();
        let dealer = dealer.map(|dealer| dealer.parse().unwrap());
        shop.house.person(shop.tenant, role, nobody_else, dealer)
    };
    for role in [Role::SupportAgent, Role::Manager, Role::Owner] {
        let person = person(role, Some(&shop.dealer));
        let log = person.get("/v1/audit-entries?limit=200").await.expect(200);
        let dealers: BTreeSet<_> =
            log.data().iter().map(|line| line["dealer_id"].as_str().unwrap()).collect();
        assert_eq!(dealers, BTreeSet::from([&*shop.dealer]), "{role:?}");
        assert_eq!(timeline(&person, &ours).await, ["create"], "{role:?}");
        for others in [&theirs, &neighbour, &shop.purifier] {
            assert_eq!(timeline(&person, others).await, [""; 0], "{role:?}");
        }
    }
    for role in [Role::BrandSupport, Role::BrandAdmin, Role::Auditor] {
        let person = person(role, None);
        for anybody_s in [&ours, &theirs, &neighbour, &shop.purifier] {
            assert_eq!(timeline(&person, anybody_s).await, ["create"], "{role:?}");
        }
    }
    for role in [Role::Clerk, Role::Technician] {
        let reply = person(role, Some(&shop.dealer)).get("/v1/audit-entries").await;
        assert_eq!(reply.refused(403, "forbidden")["required_scope"], "audit:read");
    }

    // A customer who goes to another dealer takes along what happens from now on.
    let path = format!("/v1/customers/{ours}");
    let moves = json!({"dealer_id": neighbour});
    shop.key.patch(&path, "*", moves).await.expect(200);
    assert_eq!(timeline(&person(Role::Manager, Some(&shop.dealer)), &ours).await, ["create"]);
    assert_eq!(timeline(&person(Role::Manager, Some(&neighbour)), &ours).await, ["update"]);
}

#[tokio::test]
async fn an_edit_names_its_fields_and_one_that_changes_nothing_is_none() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let hired = json!({"dealer_id": shop.dealer, "name": "张敏", "role": "manager"});
    let staff = shop.key.post("/v1/staff", hired).await.expect(201).id();
    let edits = [
        (
            format!("/v1/customers/{customer}"),
            json!({"phone": "+8613900000000", "tier": "gold"}),
            "update",
        ),
        (
            format!("/v1/products/{}", shop.purifier),
            json!({"name": "RO", "category": "water"}),
            "update",
        ),
        (
            format!("/v1/dealers/{}", shop.dealer),
            json!({"name": "一店", "tz": "Asia/Shanghai"}),
            "change",
        ),
        (format!("/v1/sites/{}", shop.site), json!({"name": "西湖", "code": "west"}), "change"),
        (format!("/v1/staff/{staff}"), json!({"external_id": "E-1", "name": "张敏敏"}), "change"),
        ("/v1/brand".to_owned(), json!({"gesture_escalation_hours": 48, "name": "清泉"}), "change"),
    ];
    for (path, edit, action) in edits {
        let before = shop.key.get(&path).await.expect(200);
        let changed = shop.key.patch(&path, before.etag(), edit.clone()).await.expect(200);
        assert_eq!(changed["version"], before["version"].as_i64().unwrap() + 1, "{path}");
        let again = shop.key.patch(&path, changed.etag(), edit.clone()).await.expect(200);
        assert_eq!((again.etag(), &again.body), (changed.etag(), &changed.body), "{path}");
        let nothing = shop.key.patch(&path, changed.etag(), json!({})).await.expect(200);
        assert_eq!(nothing.body, changed.body, "{path}");

        let lines = format!("/v1/audit-entries?subject={}", changed.id());
        let lines = shop.key.get(&lines).await.expect(200);
        let edited = lines.data().iter().filter(|line| line["action"] == action);
        let facts: Vec<_> = edited.map(|line| line["facts"].clone()).collect();
        let mut names: Vec<_> = edit.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(facts, [json!({"fields": names})], "{path}");
    }
}

/// A purifier is sold, enters its plan and is visited.
async fn sells_and_visits(service: &Service) {
    let key = &service.key;
    let policy =
        json!({"currency": "CNY", "base": "price", "tiers": [{"from_minor": 0, "rate_bp": 1_000}]});
    let policy = key.post("/v1/allowance-policies", policy).await.expect(201).id();
    let activate = format!("/v1/allowance-policies/{policy}/activate");
    key.post(&activate, json!({})).await.expect(200);
    let mut task = filter();
    task["sop_id"] = json!(service.procedure().await);
    service.publishes(json!([task])).await;
    let asset = service.sells("SN-1", Some("2026-01-05")).await;
    let order = json!({"customer_id": service.customer, "dealer_id": service.dealer,
        "currency": "CNY", "asset_ids": [asset], "lines": [{"quantity": 1, "price_minor": 299_900}]});
    let order = key.post("/v1/orders", order).await.expect(201).id();
    for (verb, day) in [("pay", "paid_on"), ("deliver", "delivered_on")] {
        let path = format!("/v1/orders/{order}/{verb}");
        key.post(&path, json!({day: "2026-01-05"})).await.expect(200);
    }
    service.house.pass_days(45).await;
    let visit = service.list("/v1/appointments").await.remove(0);
    let technician = service.person(Role::Technician, &service.technician);
    service.carries_out(&technician, &visit).await;
}

/// A clerk gives within their authority, and asks for more than that.
async fn gives(service: &Service) {
    let key = &service.key;
    for (role, most) in [("clerk", 1_000), ("manager", 9_000)] {
        let limit = json!({"role": role, "currency": "CNY", "per_request_minor": most});
        key.post("/v1/authority-limits", limit).await.expect(201);
    }
    let (clerk, manager) = (service.hires("clerk").await, service.hires("manager").await);
    let clerk = service.person(Role::Clerk, &clerk);
    let manager = service.person(Role::Manager, &manager);
    let ask = |estimate_minor: i64| {
        let gift = json!({"customer_id": service.customer, "kind": "gift", "currency": "CNY",
            "problem_solved": "The filter came late.", "estimate_minor": estimate_minor});
        clerk.post("/v1/gestures", gift)
    };
    let (small, large) = (ask(1_000).await.expect(201).id(), ask(1_001).await.expect(201).id());
    let does = |who: &Client, gesture: &str, verb: &str, body: Value| {
        let (who, path) = (who.clone(), format!("/v1/gestures/{gesture}/{verb}"));
        async move { who.post(&path, body).await.expect(200) }
    };
    does(&clerk, &small, "fulfil", json!({"actual_minor": 800})).await;
    does(&manager, &large, "approve", json!({})).await;
    does(&clerk, &large, "cancel", json!({})).await;
}

/// The customer complains, is answered, and says that it is good now.
async fn complains_and_is_heard(service: &Service) {
    let key = &service.key;
    let complaint = complains(key, &service.customer).await.id();
    let decision = json!({"responsibility": "none", "text": "一切正常。", "recourse": "请致电 12315。",
        "remedies": [{"kind": "education"}]});
    for (verb, body) in [("acknowledge", json!({})), ("decide", decision)] {
        act(key, &complaint, verb, body).await.expect(200);
    }
    let remedies = format!("/v1/complaints/{complaint}/remedies");
    let remedy = service.list(&remedies).await.remove(0);
    let done = format!("{remedies}/{}/complete", remedy["id"].as_str().unwrap());
    key.post(&done, json!({})).await.expect(200);
    act(key, &complaint, "resolve", json!({})).await.expect(200);
    service.house.pass_hours(24).await;
    let page = link(&service.house).await;
    sends(&service.house, &page, &[("score", "5")]).await.expect(200);
    service.house.settle().await;
    let closed = service.shows(&format!("/v1/complaints/{complaint}")).await;
    assert_eq!(closed["state"], "closed");
}

/// Every record of every list, but for lines of the audit log itself and jobs, which are the following
/// up and nothing that is followed up.
async fn everything(service: &Service) -> Vec<Value> {
    let contract = service.house.stranger().get("/openapi.json").await.expect(200);
    let paths = contract["paths"].as_object().unwrap();
    let lists = paths.iter().filter(|(path, operations)| {
        path.starts_with("/v1/") && !path.contains('{') && operations.get("get").is_some()
    });
    let mut records = Vec::new();
    for (path, _) in
        lists.filter(|(path, _)| !["/v1/audit-entries", "/v1/jobs"].contains(&path.as_str()))
    {
        let reply = service.key.get(&format!("{path}?limit=200")).await;
        let Some(data) = reply.body["data"].as_array() else { continue };
        for record in data {
            let below: &[&str] = match path.as_str() {
                "/v1/complaints" => &["remedies", "resolutions"],
                "/v1/sops" => &["versions"],
                _ => &[],
            };
            for list in below {
                let path = format!("{path}/{}/{list}", record["id"].as_str().unwrap());
                records.extend(service.list(&path).await);
            }
            records.push(record.clone());
        }
    }
    records
}
