//! What a brand has before anything is serviced, and the verbs of its trade.

use crate::house::Client;
use serde_json::{Value, json};

/// A brand in Hangzhou with one dealer, one site, one technician, one product and one customer.
pub(crate) struct Trade {
    /// The brand's own program.
    pub(crate) key: Client,
    /// The dealer.
    pub(crate) dealer: String,
    /// The dealer's site.
    pub(crate) site: String,
    /// Who visits customers.
    pub(crate) technician: String,
    /// A purifier.
    pub(crate) product: String,
    /// A customer who can be written to.
    pub(crate) customer: String,
}

impl Trade {
    /// Enters everybody and everything.
    pub(crate) async fn begins(key: Client) -> Self {
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
        let mut trade = Self { key, dealer, site, technician, product, customer };
        trade.technician = trade.hires("technician").await;
        trade
    }

    /// Hires somebody for the dealer's site; answers their identifier.
    pub(crate) async fn hires(&self, role: &str) -> String {
        let person = json!({
            "name": "王伟", "role": role, "dealer_id": self.dealer, "site_ids": [self.site],
        });
        self.key.post("/v1/staff", person).await.expect(201).id()
    }

    /// Puts a procedure of one step in force.
    pub(crate) async fn procedure(&self) -> String {
        let key = &self.key;
        let sop = json!({
            "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
        });
        let sop = key.post("/v1/sops", sop).await.expect(201).id();
        let steps = json!({
            "change_note": "First.",
            "steps": [{"title": "Close the tap", "standard": "No drop.", "measure": {"type": "bool"}}],
        });
        let version = key.post(&format!("/v1/sops/{sop}/versions"), steps).await.expect(201).id();
        for verb in ["submit", "publish"] {
            let path = format!("/v1/sop-versions/{version}/{verb}");
            key.post(&path, json!({})).await.expect(200);
        }
        sop
    }

    /// Sees a visit through as its technician does, by its procedure.
    pub(crate) async fn carries_out(&self, technician: &Client, visit: &Value) {
        let path = format!("/v1/appointments/{}", visit["id"].as_str().unwrap());
        technician.post(&format!("{path}/begin"), json!({})).await.expect(200);
        let complete = format!("{path}/complete");
        technician.post(&complete, json!({})).await.refused(409, "procedure_unfinished");
        let order = format!("/v1/work-orders/{}", visit["work_order_id"].as_str().unwrap());
        let run = self.shows(&order).await["sop_run_id"].as_str().unwrap().to_owned();
        let run = self.shows(&format!("/v1/sop-runs/{run}")).await;
        let (run, step) = (run["id"].as_str().unwrap(), run["steps"][0]["id"].as_str().unwrap());
        let tick = format!("/v1/sop-runs/{run}/steps/{step}/complete");
        technician.post(&tick, json!({"value": true})).await.expect(200);
        technician.post(&complete, json!({})).await.expect(200);
    }

    /// Publishes a plan for the product.
    pub(crate) async fn publishes(&self, tasks: Value) -> String {
        let plan = json!({
            "code": "care", "name": "Purifier care", "product_id": self.product, "tasks": tasks,
        });
        let plan = self.key.post("/v1/plan-templates", plan).await.expect(201).id();
        let publish = format!("/v1/plan-templates/{plan}/publish");
        self.key.post(&publish, json!({})).await.expect(200);
        plan
    }

    /// Sells a purifier that was delivered on a day, if it was.
    pub(crate) async fn sells(&self, serial: &str, delivered_on: Option<&str>) -> String {
        let asset = json!({
            "customer_id": self.customer, "product_id": self.product, "dealer_id": self.dealer,
            "site_id": self.site, "serial": serial, "address": "文三路 1 号",
            "delivered_on": delivered_on,
        });
        self.key.post("/v1/assets", asset).await.expect(201).id()
    }

    /// Asks for a repair within some days.
    pub(crate) async fn asks(&self, from_on: &str, to_on: &str) -> String {
        let order = json!({
            "kind": "repair", "customer_id": self.customer, "site_id": self.site,
            "window_from_on": from_on, "window_to_on": to_on, "preferred_on": from_on,
        });
        self.key.post("/v1/work-orders", order).await.expect(201).id()
    }

    /// Asks for a repair that nobody will look for a technician for: it says no site.
    pub(crate) async fn asks_for_later(&self, from_on: &str, to_on: &str) -> String {
        let order = json!({
            "kind": "repair", "customer_id": self.customer, "dealer_id": self.dealer,
            "window_from_on": from_on, "window_to_on": to_on, "preferred_on": from_on,
        });
        let order = self.key.post("/v1/work-orders", order).await.expect(201);
        order.id()
    }

    /// Holds the technician's time for a visit.
    pub(crate) async fn holds(&self, work_order: &str, starts_at: &str) -> String {
        let choice = self.choice(work_order, starts_at);
        self.key.post("/v1/appointments", choice).await.expect(201).id()
    }

    pub(crate) fn choice(&self, work_order: &str, starts_at: &str) -> Value {
        json!({
            "work_order_id": work_order, "staff_id": self.technician, "starts_at": starts_at,
        })
    }

    /// The records of a list.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        self.key.get(path).await.expect(200).data().clone()
    }

    /// One record.
    pub(crate) async fn shows(&self, path: &str) -> Value {
        self.key.get(path).await.expect(200).body
    }
}
