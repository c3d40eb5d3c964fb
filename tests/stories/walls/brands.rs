//! Brands with something of every kind, so that there is something to reach for.

use super::operations::{Known, collect};
use crate::{
    house::{Client, House},
    sops::evidence::{PNG, attaches},
};
use domain::{findings::FindingKind, ids::TenantId};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Records of a brand by the names that the demo gives them.
pub(crate) type Names = BTreeMap<String, String>;

/// What each dealer has for itself.
const DEALERS: [&str; 5] =
    ["/v1/dealers", "/v1/staff", "/v1/customers", "/v1/assets", "/v1/orders"];

/// Furnishes a brand as the demo does, and adds what the demo has not.
pub(crate) async fn furnish(key: &Client) -> Names {
    let mut names = Names::from([("today".to_owned(), "2026-01-05".to_owned())]);
    for step in steps() {
        take(key, &step, &mut names).await;
    }
    let issuer = json!({
        "name": "sign-in", "issuer": "https://login.clearwater.example", "audience": "aftercare",
        "jwks_url": "https://login.clearwater.example/keys", "algorithm": "es256",
    });
    key.post("/v1/issuers", issuer).await.expect(201);
    let limits = json!({"role": "owner", "currency": "CNY", "per_request_minor": 50_000});
    key.post("/v1/authority-limits", limits).await.expect(201);
    let rules = json!({"currency": "CNY", "most_gift_minor": 50_000});
    key.post("/v1/gesture-rules", rules).await.expect(201);
    shares_a_budget(key, &names).await;
    let spare = json!({"code": "spare", "name": "Spare plan", "tasks": [
        {"code": "look", "title": "Look", "trigger": {"kind": "every_months", "months": 6}},
    ]});
    names.insert("draft".to_owned(), key.post("/v1/plan-templates", spare).await.expect(201).id());
    let trigger = json!({"sop_id": names["sop"], "event": "check_in"});
    key.post("/v1/sop-triggers", trigger).await.expect(201);
    keeps_a_calendar(key).await;
    promises(key).await;
    complain(key, &names).await;
    names
}

/// A calendar with days that are not like their weekday.
async fn keeps_a_calendar(key: &Client) {
    let week = json!([{"weekday": "monday", "opens": "09:00", "closes": "18:00"}]);
    let calendar = json!({"code": "office", "name": "Office", "tz": "Asia/Shanghai", "week": week});
    let calendar = key.post("/v1/calendars", calendar).await.expect(201).id();
    for day in ["2026-10-09", "2026-10-10"] {
        let path = format!("/v1/calendars/{calendar}/exceptions/{day}");
        key.put(&path, json!({"kind": "open"})).await.expect(201);
    }
}

/// What is promised to everybody who complains.
async fn promises(key: &Client) {
    let policy = json!({"code": "everybody", "name": "所有投诉", "rank": 0});
    let policy = key.post("/v1/sla-policies", policy).await.expect(201).id();
    let says = json!({"targets": [{"metric": "acknowledge", "within_minutes": 240, "working_time": true,
        "warn_at_bp": [7_500], "at_breach": ["escalate", "finding"]}]});
    let versions = format!("/v1/sla-policies/{policy}/versions");
    let version = key.post(&versions, says).await.expect(201).id();
    key.post(&format!("/v1/sla-versions/{version}/publish"), json!({})).await.expect(200);
}

/// Enters another dealer of the brand, with people, customers and sales of its own.
pub(super) async fn enter_neighbour(key: &Client, first: &Names) -> Names {
    let mut names = first.clone();
    for mut step in steps() {
        if !DEALERS.iter().any(|path| step["post"].as_str().unwrap().starts_with(path)) {
            continue;
        }
        let other = step["body"]
            .to_string()
            .replace("hangzhou", "suzhou")
            .replace("west-lake", "tiger-hill");
        let other = other.replace("RO-000", "RO-100").replace("demo-", "other-");
        step["body"] = serde_json::from_str(&other).unwrap();
        take(key, &step, &mut names).await;
    }
    shares_a_budget(key, &names).await;
    complain(key, &names).await;
    names
}

/// A team of the dealer, and money for what the dealer gives.
async fn shares_a_budget(key: &Client, names: &Names) {
    let team = json!({"dealer_id": names["dealer"], "name": "早班"});
    key.post("/v1/teams", team).await.expect(201);
    let budget = json!({"dealer_id": names["dealer"], "currency": "CNY"});
    let budget = key.post("/v1/allowance-budgets", budget).await.expect(201).id();
    let money = json!({"amount_minor": 1_000_000, "reason": "January"});
    let fund = format!("/v1/allowance-budgets/{budget}/fund");
    key.post(&fund, money).await.expect(200);
}

fn steps() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../src/demo/brand.json")).unwrap()
}

async fn take(key: &Client, step: &Value, names: &mut Names) {
    let fill = |text: &str| {
        names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    };
    let path = fill(step["post"].as_str().unwrap());
    let body = if step["body"].is_null() { json!({}) } else { step["body"].clone() };
    let body: Value = serde_json::from_str(&fill(&body.to_string())).unwrap();
    let reply = key.post(&path, body).await;
    assert!(reply.status.is_success(), "{path}: {reply:?}");
    let id = reply["id"].as_str().unwrap_or_default().to_owned();
    names.insert(step["as"].as_str().unwrap().to_owned(), id);
}

async fn complain(key: &Client, names: &Names) {
    let complaint = json!({
        "customer_id": names["li"], "order_id": names["order_li"], "source": "phone",
        "kind": "quality", "severity": 2, "description": "滤芯漏水",
    });
    let complaint = key.post("/v1/complaints", complaint).await.expect(201).id();
    let messages = format!("/v1/complaints/{complaint}/messages");
    let note = json!({"direction": "from_customer", "body": "照片见附件。"});
    let message = key.post(&messages, note).await.expect(201).id();
    let path = format!("/v1/complaints/{complaint}/attachments?message_id={message}");
    let file = key
        .request(Method::POST, &path)
        .header("content-type", "image/png")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .body(PNG.to_vec());
    key.send(file).await.expect(201);
    let public = json!({"title": "漏水", "public_ref": "碧水业主群"});
    let publish = format!("/v1/complaints/{complaint}/publish");
    key.post(&publish, public).await.expect(201);
    let board = format!("/v1/dealers/{}/complaint-board", names["dealer"]);
    let link = format!("/v1/customers/{}/complaint-link", names["li"]);
    for path in [board, link] {
        assert!(key.post(&path, json!({})).await.status.is_success(), "{path}");
    }
}

/// What only exists once the worker has done its part.
pub(crate) async fn go_on(key: &Client, names: &mut Names) {
    let gesture = json!({
        "customer_id": names["li"], "requester_id": names["clerk"], "kind": "gift",
        "currency": "CNY", "problem_solved": "等了一周。", "estimate_minor": 1_000,
    });
    key.post("/v1/gestures", gesture).await.expect(201);
    let run = json!({
        "sop_id": names["sop"], "customer_id": names["li"], "dealer_id": names["dealer"],
    });
    let run = key.post("/v1/sop-runs", run).await.expect(201);
    let (id, step) = (run.id(), run["steps"][0]["id"].as_str().unwrap());
    attaches(key, (&id, step), "photo", PNG.to_vec()).await.expect(201);
    let event = json!({
        "kind": "check_out", "customer_id": names["li"], "happened_at": "2026-01-05T00:00:00Z",
    });
    key.post("/v1/customer-events", event).await.expect(201);
    let complaints = format!("/v1/complaints?customer_id={}", names["li"]);
    let complaint = key.get(&complaints).await.expect(200).data()[0]["id"].clone();
    let complaint = complaint.as_str().unwrap();
    let decision = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "我们为您更换。",
        "recourse": "请致电 12315。", "remedies": [{"kind": "goodwill"}, {"kind": "replacement"}]});
    let assessed = json!({"severity": 2, "complexity": "simple"});
    let found = json!({"findings": "密封圈断裂。", "cause_code": "seal_torn"});
    for (verb, body) in [
        ("acknowledge", json!({})),
        ("assess", assessed),
        ("investigate", found),
        ("decide", decision),
    ] {
        key.post(&format!("/v1/complaints/{complaint}/{verb}"), body).await.expect(200);
    }
    let remedies = format!("/v1/complaints/{complaint}/remedies");
    for remedy in key.get(&remedies).await.expect(200).data() {
        let id = remedy["id"].as_str().unwrap();
        if remedy["kind"] == "replacement" {
            replaces(key, id).await;
        } else {
            key.post(&format!("{remedies}/{id}/complete"), json!({})).await.expect(200);
        }
    }
    corrects(key, names, complaint).await;
    key.post(&format!("/v1/complaints/{complaint}/resolve"), json!({})).await.expect(200);
    let file = key
        .request(Method::POST, &format!("/v1/imports?kind=customers&dealer_id={}", names["dealer"]))
        .header("content-type", "text/csv")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .body(format!("customer_external_id,name\n{},王芳\n", names["dealer"]));
    key.send(file).await.expect(202);
    let visit = json!({
        "kind": "repair", "customer_id": names["li"], "asset_id": names["asset_li"],
        "dealer_id": names["dealer"], "window_from_on": "2026-06-01", "window_to_on": "2026-06-05",
        "preferred_on": "2026-06-02",
    });
    names.insert("repair".to_owned(), key.post("/v1/work-orders", visit).await.expect(201).id());
}

/// Something is replaced that the customer may keep.
async fn replaces(key: &Client, remedy: &str) {
    let rma = json!({"remedy_id": remedy, "mode": "without_return",
        "lines": [{"item": "滤芯", "quantity": 1}]});
    let rma = key.post("/v1/rmas", rma).await.expect(201).id();
    for verb in ["authorise", "proceed", "settle"] {
        key.post(&format!("/v1/rmas/{rma}/{verb}"), json!({})).await.expect(200);
    }
}

/// A cause is looked into, and a sale that the customer does not want is called off.
async fn corrects(key: &Client, names: &Names, complaint: &str) {
    let action = json!({"cause_code": "loose_seal", "complaint_ids": [complaint], "owner_id": names["clerk"]});
    key.post("/v1/corrective-actions", action).await.expect(201);
    let order = json!({"customer_id": names["li"], "dealer_id": names["dealer"], "currency": "CNY",
        "lines": [{"quantity": 1, "price_minor": 10_000}], "paid_on": "2026-01-05"});
    let order = key.post("/v1/orders", order).await.expect(201).id();
    let case = json!({"order_id": order, "reason": "不需要了。", "deposit_minor": 10_000});
    key.post("/v1/cancellations", case).await.expect(201);
}

/// What only the service itself makes: something it noticed about the dealer.
pub(crate) async fn notice(house: &House, brand: TenantId, names: &Names) {
    let dealer = names["dealer"].parse().unwrap();
    crate::findings::notices(house, brand, FindingKind::TrainingNeeded, Some(dealer)).await;
}

/// The identifiers of a caller's own that go together: the first of each kind is what a request names.
pub(super) fn own(names: &Names, seen: &Known) -> Known {
    let mut own = Known::new();
    for name in [
        "li",
        "asset_li",
        "order_li",
        "dealer",
        "site",
        "technician",
        "purifier",
        "sop",
        "draft",
        "repair",
    ] {
        collect(&json!(names.get(name)), &mut own);
    }
    for ids in seen.values() {
        collect(&json!(ids), &mut own);
    }
    own
}

/// Removes everything that a brand has, as the owner of the database: next to nothing is deleted over HTTP, and
/// an identifier that was somebody's must read like one that never was.
pub(super) async fn bury(house: &House, brand: TenantId) {
    let owner = house.owner().await;
    let sql = "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
               WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'tenant_id'";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let tables = owner.query_all_raw(statement).await.unwrap();
    let mut away = "SET session_replication_role = replica".to_owned();
    for table in tables {
        let table: String = table.try_get_by_index(0).unwrap();
        let brand = Uuid::from(brand);
        away = format!("{away}; DELETE FROM {table} WHERE tenant_id = '{brand}'");
    }
    owner.execute_unprepared(&away).await.unwrap();
    owner.close().await.unwrap();
}
