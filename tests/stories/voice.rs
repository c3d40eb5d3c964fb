//! What stories about complaints and surveys have in common.

use crate::house::{Client, House, Reply};
use domain::{
    event::Event,
    identity::{Actor, Reach},
    ids::{TenantId, WorkOrderId},
};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use store::Scope;
use uuid::Uuid;

/// A customer who can be written to.
pub(crate) async fn li_na(key: &Client) -> String {
    let details = json!({"name": "李娜", "email": "li.na@example.com"});
    key.post("/v1/customers", details).await.expect(201).id()
}

/// Complains; answers the complaint.
pub(crate) async fn complains(key: &Client, customer: &str) -> Reply {
    let details = json!({
        "customer_id": customer, "source": "phone", "kind": "quality", "severity": 3,
        "description": "滤芯漏水", "remedy_sought": "换一台新的",
    });
    key.post("/v1/complaints", details).await.expect(201)
}

/// Does something to a complaint.
pub(crate) async fn act(key: &Client, complaint: &str, verb: &str, body: Value) -> Reply {
    key.post(&format!("/v1/complaints/{complaint}/{verb}"), body).await
}

/// Decides without any promise, and resolves.
pub(crate) async fn resolves(key: &Client, complaint: &str) {
    let decision = json!({"responsibility": "none", "text": "一切正常。",
        "recourse": "请致电 12315。"});
    act(key, complaint, "decide", decision).await.expect(200);
    act(key, complaint, "resolve", json!({})).await.expect(200);
}

/// What a survey may ask.
pub(crate) fn questions(code: &str, trigger: &str) -> Value {
    json!({
        "code": code, "name": "回访", "trigger": trigger,
        "question": {"zh": "您满意吗？", "en": "Are you satisfied?"},
        "comment": {"zh": "您想说什么？", "en": "What would you like to say?"},
        "choices": [{"code": "tidy", "wording": {"zh": "干净吗？", "en": "Was it tidy?"}, "options": [
            {"code": "yes", "wording": {"zh": "是", "en": "Yes"}},
            {"code": "no", "wording": {"zh": "否", "en": "No"}},
        ]}],
    })
}

/// Puts a survey in use; answers its identifier.
pub(crate) async fn surveys_after(key: &Client, trigger: &str) -> String {
    let code = trigger.replace('_', "-");
    let survey = key.post("/v1/surveys", questions(&code, trigger)).await.expect(201).id();
    key.post(&format!("/v1/surveys/{survey}/activate"), json!({})).await.expect(200);
    survey
}

/// The texts of the messages that were written for `purpose`, the first one first.
pub(crate) async fn letters(house: &House, purpose: &str) -> Vec<String> {
    let owner = house.owner().await;
    let sql = "SELECT body FROM message WHERE purpose = $1 ORDER BY id";
    let find = Statement::from_sql_and_values(DbBackend::Postgres, sql, [purpose.into()]);
    let rows = owner.query_all_raw(find).await.unwrap();
    let letters = rows.iter().map(|row| row.try_get("", "body").unwrap()).collect();
    owner.close().await.unwrap();
    letters
}

/// The paths of the survey pages that invitations lead to, the first one first.
pub(crate) async fn links(house: &House) -> Vec<String> {
    letters(house, "survey").await.iter().map(|letter| link_in(letter)).collect()
}

/// The path of the survey page that the last invitation leads to.
pub(crate) async fn link(house: &House) -> String {
    links(house).await.pop().expect("nobody was asked")
}

/// The path of the survey page that a letter leads to.
pub(crate) fn link_in(letter: &str) -> String {
    let start = letter.find("/s/").unwrap();
    letter[start..].split_whitespace().next().unwrap().to_owned()
}

/// A visit that was carried out at a customer's, as the worker hears of it.
pub(crate) async fn visits(house: &House, tenant: TenantId, customer: &str) -> WorkOrderId {
    let customer: domain::ids::CustomerId = customer.parse().unwrap();
    let id = Uuid::now_v7();
    let owner = house.owner().await;
    let sql = "INSERT INTO work_order (tenant_id, id, number, kind, customer_id, window_from_on,
                   window_to_on, preferred_on, duration_minutes, state, searches, completed_at,
                   version, created_at)
               VALUES ($1, $2, $2::text, 'maintenance', $3, '2026-01-05', '2026-01-06', '2026-01-05',
                   60, 'completed', 0, now(), 1, now())";
    let values = [Uuid::from(tenant).into(), id.into(), Uuid::from(customer).into()];
    let visit = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    owner.execute_raw(visit).await.unwrap();
    owner.close().await.unwrap();
    let (actor, reach) = (Actor::Worker, Reach::default());
    let scope = Scope { tenant, actor, reach, paced: false, request_id: None };
    let worker = house.store.enter(scope).await.unwrap();
    worker.emit(&Event::WorkOrderCompleted { work_order: id.into() }).await.unwrap();
    worker.commit(()).await.unwrap();
    id.into()
}

/// Opens a page as a browser does.
pub(crate) async fn opens(house: &House, path: &str, languages: &str) -> Reply {
    house.stranger().opens(path, languages).await
}

/// Sends a page's form as a browser does.
pub(crate) async fn sends(house: &House, path: &str, fields: &[(&str, &str)]) -> Reply {
    house.stranger().sends(path, fields).await
}
