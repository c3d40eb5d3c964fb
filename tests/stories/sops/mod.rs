//! A brand writes down how things are done, and its people do them that way.

mod acknowledgements;
mod checklists;
mod coverage;
mod difference;
pub(crate) mod evidence;
mod hands;
mod library;
mod packs;
mod procedures;
mod runs;
mod todo;
mod triggers;

use crate::house::{Client, House, Reply};
use domain::{
    identity::Role,
    ids::{DealerId, StaffId, TenantId},
};
use serde_json::{Value, json};

/// A yes-or-no step.
pub(crate) fn step(title: &str) -> Value {
    json!({ "title": title, "standard": "Done and clean.", "measure": { "type": "bool" } })
}

/// The steps of a filter change: a stop step, an obligation with a threshold, a choice, a note.
pub(super) fn filter_change() -> Value {
    let mut shut_off = step("Shut off the water");
    shut_off["stop"] = json!(true);
    let measured = json!({
        "title": "Measure the dissolved solids",
        "standard": "As good as new.",
        "target_degree": "50 ppm or less",
        "measure": { "type": "number", "unit": "ppm", "op": "at_most", "threshold": 50 },
        "obligation": true,
    });
    let looked = json!({
        "title": "Look at the housing",
        "standard": "No streaks.",
        "measure": { "type": "choice", "choices": [
            { "answer": "clean" }, { "answer": "streaks", "meets_standard": false },
        ] },
    });
    json!({ "change_note": "First.", "steps": [shut_off, measured, looked] })
}

/// A brand with one dealer and its people.
pub(crate) struct Shop {
    pub(crate) house: House,
    pub(crate) tenant: TenantId,
    pub(crate) key: Client,
    pub(crate) dealer: String,
}

impl Shop {
    pub(crate) async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let dealer = enter_dealer(&key, "hangzhou-01").await;
        Self { house, tenant, key, dealer }
    }

    /// Hires somebody for a dealer; answers their identifier and the way they call.
    pub(crate) async fn hires(&self, role: Role, dealer: &str) -> (String, Client) {
        let details = json!({ "name": "王伟", "role": role, "dealer_id": dealer });
        let id = self.key.post("/v1/staff", details).await.expect(201).id();
        let staff: StaffId = id.parse().unwrap();
        let dealer: DealerId = dealer.parse().unwrap();
        (id, self.house.person(self.tenant, role, staff, Some(dealer)))
    }

    /// Somebody of the brand itself.
    pub(super) async fn admin(&self) -> Client {
        let details = json!({ "name": "李娜", "role": "brand_admin" });
        let id = self.key.post("/v1/staff", details).await.expect(201).id();
        self.house.person(self.tenant, Role::BrandAdmin, id.parse().unwrap(), None)
    }

    /// A procedure with one published version; answers the identifiers of both.
    pub(crate) async fn procedure(&self, details: Value) -> (String, String) {
        self.publishes("filter-change", details).await
    }

    /// A service item of the brand, called so.
    pub(super) async fn service(&self, code: &str) -> String {
        let item = json!({
            "code": code, "name": "服务", "class": "service", "category": "product", "phase": "after",
            "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
            "perceived_value_minor": 12_000, "relation_value": 3,
        });
        self.key.post("/v1/service-items", item).await.expect(201).id()
    }

    /// A purifier of a customer.
    pub(super) async fn sells(&self, customer: &str, serial: &str) -> String {
        let product = json!({
            "sku": format!("RO-{serial}"), "name": "净水器", "category": "water",
            "after_sales_need": "rigid", "price": { "amount": 299_900, "currency": "CNY" },
        });
        let product = self.key.post("/v1/products", product).await.expect(201).id();
        let asset = json!({ "customer_id": customer, "product_id": product, "serial": serial });
        self.key.post("/v1/assets", asset).await.expect(201).id()
    }

    /// Another one, called so; answers its identifier.
    pub(super) async fn procedure_called(&self, code: &str, details: Value) -> String {
        self.publishes(code, details).await.0
    }

    async fn publishes(&self, code: &str, details: Value) -> (String, String) {
        let sop = create_sop(&self.key, code).await.expect(201).id();
        let version = draft(&self.key, &sop, details).await.id();
        say(&self.key, &version, "submit").await.expect(200);
        say(&self.key, &version, "publish").await.expect(200);
        (sop, version)
    }
}

pub(super) async fn enter_dealer(key: &Client, code: &str) -> String {
    let details = json!({ "code": code, "name": "杭州一店" });
    key.post("/v1/dealers", details).await.expect(201).id()
}

pub(super) async fn create_sop(caller: &Client, code: &str) -> Reply {
    let details = json!({
        "code": code, "name": "换滤芯", "department": "after_sales", "touchpoint": "annual_visit",
    });
    caller.post("/v1/sops", details).await
}

pub(super) async fn draft(caller: &Client, sop: &str, details: Value) -> Reply {
    caller.post(&format!("/v1/sops/{sop}/versions"), details).await.expect(201)
}

/// Moves a version along.
pub(super) async fn say(caller: &Client, version: &str, verb: &str) -> Reply {
    caller.post(&format!("/v1/sop-versions/{version}/{verb}"), json!({})).await
}

pub(super) async fn start(caller: &Client, sop: &str) -> Reply {
    caller.post("/v1/sop-runs", json!({ "sop_id": sop })).await
}
