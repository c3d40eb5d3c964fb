//! A brand knows what it does for its customers, how that compares, and what small things it gives.

mod audits;
mod drift;
mod gifts;
mod items;
mod plans;

use crate::house::{Client, House, Reply};
use domain::{identity::Role, ids::TenantId};
use serde_json::{Value, json};

/// A brand with one dealer.
struct Shop {
    house: House,
    tenant: TenantId,
    key: Client,
    dealer: String,
}

impl Shop {
    async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let dealer = created(&key, "/v1/dealers", json!({"code": "west", "name": "西湖店"})).await;
        Self { house, tenant, key, dealer }
    }

    /// A person of the dealer; answers their identifier and the way they call.
    async fn hires(&self, role: Role) -> (String, Client) {
        let person = json!({"dealer_id": self.dealer, "name": "王伟", "role": role});
        let id = created(&self.key, "/v1/staff", person).await;
        let dealer = Some(self.dealer.parse().unwrap());
        let client = self.house.person(self.tenant, role, id.parse().unwrap(), dealer);
        (id, client)
    }

    /// A service item with this code, and with `more` said about it.
    async fn item(&self, code: &str, more: Value) -> String {
        created(&self.key, "/v1/service-items", item(code, more)).await
    }

    /// A gift that costs so much and is worth so much, with `more` said about it.
    async fn gift(&self, code: &str, amounts: (i64, i64), more: Value) -> String {
        created(&self.key, "/v1/gifts", gift(code, amounts, more)).await
    }

    async fn benchmark(&self, item: &str, peers_bp: u32, observed_on: &str) -> Reply {
        let seen = json!({
            "peers_offering_bp": peers_bp, "observed_on": observed_on, "source": "20 shops",
        });
        self.key.post(&format!("/v1/service-items/{item}/benchmarks"), seen).await
    }

    /// What the service noticed of this kind: about what, how it stands, and the numbers; the newest first.
    async fn findings(&self, kind: &str) -> Vec<(Value, Value, Value)> {
        self.house.settle().await;
        let found = self.key.get(&format!("/v1/findings?kind={kind}")).await.expect(200);
        let told =
            |one: &Value| (one["subject"].clone(), one["state"].clone(), one["evidence"].clone());
        found.data().iter().map(told).collect()
    }

    async fn class_of(&self, item: &str) -> Value {
        self.key.get(&format!("/v1/service-items/{item}")).await.expect(200)["class"].clone()
    }

    async fn class_changes(&self, item: &str) -> Vec<Value> {
        let path = format!("/v1/service-items/{item}/class-changes");
        self.key.get(&path).await.expect(200).data().clone()
    }

    /// What was done to a record, the first thing first.
    async fn timeline(&self, subject: &str) -> Vec<Value> {
        let lines = format!("/v1/audit-entries?subject={subject}");
        let lines = self.key.get(&lines).await.expect(200);
        lines.data().iter().rev().cloned().collect()
    }

    /// The codes of what is suggested, the best first.
    async fn suggested(&self, query: &str) -> Vec<String> {
        let path = format!("/v1/gift-suggestions?currency=CNY&{query}");
        let found = self.key.get(&path).await.expect(200);
        let found = found["suggestions"].as_array().unwrap();
        found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    }

    /// A plan whose tasks name these items; answers the draft.
    async fn drafts(&self, items: &[Value]) -> Reply {
        let task = |(number, item): (usize, &Value)| {
            json!({
                "code": format!("t{number}"), "title": "任务", "service_item_code": item,
                "trigger": {"kind": "month_offset", "months": 1},
            })
        };
        let tasks: Vec<_> = items.iter().enumerate().map(task).collect();
        let plan = json!({"code": "care", "name": "养护", "tasks": tasks});
        self.key.post("/v1/plan-templates", plan).await.expect(201)
    }

    async fn publishes(&self, plan: &str) {
        let path = format!("/v1/plan-templates/{plan}/publish");
        self.key.post(&path, json!({})).await.expect(200);
    }

    async fn warnings(&self, plan: &str) -> Vec<Value> {
        let path = format!("/v1/plan-templates/{plan}/warnings");
        let review = self.key.get(&path).await.expect(200);
        review["warnings"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect()
    }
}

async fn created(client: &Client, path: &str, body: Value) -> String {
    client.post(path, body).await.expect(201).id()
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn item(code: &str, more: Value) -> Value {
    let item = json!({
        "code": code, "name": "服务", "class": "service", "category": "product", "phase": "after",
        "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
        "perceived_value_minor": 12_000, "relation_value": 3,
    });
    with(item, more)
}

fn gift(code: &str, (cost, value): (i64, i64), more: Value) -> Value {
    let gift = json!({
        "code": code, "name": "礼品", "currency": "CNY", "cost_minor": cost,
        "perceived_value_minor": value,
    });
    with(gift, more)
}

/// A mistake in the body: where, and which.
fn mistake(reply: &Reply) -> (String, String) {
    let first = &reply["errors"][0];
    let text = |member: &str| first[member].as_str().unwrap_or_default().to_owned();
    (text("pointer"), text("code"))
}
