//! A purifier is delivered, its plan makes dates of that, the dates become visits, and nobody is
//! booked twice.

mod given_back;
mod plans;
mod races;
mod visits;

use crate::house::{Client, House};
use domain::{
    identity::Role,
    ids::{DealerId, StaffId, TenantId},
};
use serde_json::{Value, json};

/// A brand in Hangzhou with one dealer, one site and one technician.
pub(super) struct Service {
    pub(super) house: House,
    pub(super) key: Client,
    tenant: TenantId,
    pub(super) dealer: String,
    pub(super) site: String,
    pub(super) technician: String,
    pub(super) product: String,
    pub(super) customer: String,
}

impl Service {
    /// Opens the house and enters everybody.
    pub(super) async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let dealer = json!({"code": "hangzhou", "name": "杭州一店"});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let site = json!({"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai"});
        let site = key.post(&format!("/v1/dealers/{dealer}/sites"), site).await.expect(201).id();
        let product = json!({
            "sku": "RO-600G", "name": "RO-600G", "category": "purifier", "after_sales_need": "rigid",
            "price": {"amount": 299_900, "currency": "CNY"},
        });
        let product = key.post("/v1/products", product).await.expect(201).id();
        let customer = json!({"name": "李娜", "dealer_id": dealer, "email": "li.na@example.com"});
        let customer = key.post("/v1/customers", customer).await.expect(201).id();
        let technician = String::new();
        let mut service = Self { house, key, tenant, dealer, site, technician, product, customer };
        service.technician = service.hires_technician().await;
        service
    }

    /// Hires somebody who visits customers.
    pub(super) async fn hires_technician(&self) -> String {
        self.hires("technician").await
    }

    /// Hires somebody.
    pub(super) async fn hires(&self, role: &str) -> String {
        let person = json!({
            "name": "王伟", "role": role, "dealer_id": self.dealer, "site_ids": [self.site],
        });
        self.key.post("/v1/staff", person).await.expect(201).id()
    }

    /// Publishes a procedure of one step for visits.
    pub(super) async fn procedure(&self) -> String {
        let sop = json!({
            "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
        });
        let sop = self.key.post("/v1/sops", sop).await.expect(201).id();
        let steps = json!({
            "change_note": "First.",
            "steps": [{"title": "Close the tap", "standard": "No drop.", "measure": {"type": "bool"}}],
        });
        let versions = format!("/v1/sops/{sop}/versions");
        let version = self.key.post(&versions, steps).await.expect(201).id();
        for verb in ["submit", "publish"] {
            let path = format!("/v1/sop-versions/{version}/{verb}");
            self.key.post(&path, json!({})).await.expect(200);
        }
        sop
    }

    /// Carries a visit out by its procedure of one step.
    pub(super) async fn carries_out(&self, visit: &str) {
        let technician = self.person(Role::Technician, &self.technician);
        let path = format!("/v1/appointments/{visit}");
        technician.post(&format!("{path}/begin"), json!({})).await.expect(200);
        let order = self.shows(&path).await["work_order_id"].as_str().unwrap().to_owned();
        let order = self.shows(&format!("/v1/work-orders/{order}")).await;
        let run = order["sop_run_id"].as_str().unwrap().to_owned();
        let run = self.shows(&format!("/v1/sop-runs/{run}")).await;
        let (run, step) = (run["id"].as_str().unwrap(), run["steps"][0]["id"].as_str().unwrap());
        let tick = format!("/v1/sop-runs/{run}/steps/{step}/complete");
        technician.post(&tick, json!({"value": true})).await.expect(200);
        technician.post(&format!("{path}/complete"), json!({})).await.expect(200);
    }

    /// Calls as somebody of the dealer's staff.
    pub(super) fn person(&self, role: Role, staff: &str) -> Client {
        let staff: StaffId = staff.parse().unwrap();
        let dealer: DealerId = self.dealer.parse().unwrap();
        self.house.person(self.tenant, role, staff, Some(dealer))
    }

    /// Publishes a plan for the product.
    pub(super) async fn publishes(&self, tasks: Value) -> String {
        let plan = json!({
            "code": "care", "name": "Purifier care", "product_id": self.product, "tasks": tasks,
        });
        let plan = self.key.post("/v1/plan-templates", plan).await.expect(201).id();
        let publish = format!("/v1/plan-templates/{plan}/publish");
        self.key.post(&publish, json!({})).await.expect(200);
        plan
    }

    /// Sells a purifier that was delivered on a day, if it was.
    pub(super) async fn sells(&self, serial: &str, delivered_on: Option<&str>) -> String {
        let asset = json!({
            "customer_id": self.customer, "product_id": self.product, "dealer_id": self.dealer,
            "site_id": self.site, "serial": serial, "address": "文三路 1 号",
            "delivered_on": delivered_on,
        });
        self.key.post("/v1/assets", asset).await.expect(201).id()
    }

    /// Asks for a repair within some days.
    pub(super) async fn asks(&self, from_on: &str, to_on: &str) -> String {
        let order = json!({
            "kind": "repair", "customer_id": self.customer, "site_id": self.site,
            "window_from_on": from_on, "window_to_on": to_on, "preferred_on": from_on,
        });
        self.key.post("/v1/work-orders", order).await.expect(201).id()
    }

    /// Asks for a repair that nobody will look for a technician for: it says no site.
    pub(super) async fn asks_for_later(&self, from_on: &str, to_on: &str) -> String {
        let order = json!({
            "kind": "repair", "customer_id": self.customer, "dealer_id": self.dealer,
            "window_from_on": from_on, "window_to_on": to_on, "preferred_on": from_on,
        });
        let order = self.key.post("/v1/work-orders", order).await.expect(201);
        order.id()
    }

    /// Holds the technician's time for a visit.
    pub(super) async fn holds(&self, work_order: &str, starts_at: &str) -> String {
        let choice = self.choice(work_order, starts_at);
        self.key.post("/v1/appointments", choice).await.expect(201).id()
    }

    pub(super) fn choice(&self, work_order: &str, starts_at: &str) -> Value {
        json!({
            "work_order_id": work_order, "staff_id": self.technician, "starts_at": starts_at,
        })
    }

    /// The records of a list.
    pub(super) async fn list(&self, path: &str) -> Vec<Value> {
        self.key.get(path).await.expect(200).data().clone()
    }

    /// One record.
    pub(super) async fn shows(&self, path: &str) -> Value {
        self.key.get(path).await.expect(200).body
    }
}

/// Every two months, a week either way, arranged a week before.
pub(super) fn filter() -> Value {
    json!({
        "code": "filter", "title": "Change the filters",
        "trigger": {"kind": "every_months", "months": 2},
    })
}

/// Members of each record, for comparing.
pub(super) fn told(records: &[Value], members: &[&str]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let tell = |record: &Value| {
        members.iter().map(|member| text(&record[*member])).collect::<Vec<_>>().join(" ")
    };
    records.iter().map(tell).collect()
}
