//! Deadlines are promised, kept and missed.

mod policies;
mod rounds;
mod running;
mod timers;

use crate::{
    house::{Client, House, Reply},
    voice::act,
};
use domain::{ids::TenantId, time::Timestamp};
use serde_json::{Value, json};

/// Friday, half past five in the afternoon in Shanghai.
const FRIDAY: &str = "2026-01-09T09:30:00Z";
/// The Monday after it, half past nine in the morning.
const MONDAY: &str = "2026-01-12T01:30:00Z";

/// A dealer who works from Monday to Friday, 9 to 18, and a customer of theirs.
struct Shop {
    house: House,
    brand: TenantId,
    key: Client,
    dealer: String,
    customer: String,
}

impl Shop {
    async fn opens() -> Self {
        let house = House::opens().await;
        let brand = house.brand("clearwater").await.live;
        let key = house.brand_key(brand);
        let dealer = json!({"code": "hangzhou", "name": "杭州店"});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let site = json!({"code": "west-lake", "name": "西湖门店", "tz": "Asia/Shanghai", "hours": {
            "opens": "09:00", "closes": "18:00",
            "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"]}});
        key.post(&format!("/v1/dealers/{dealer}/sites"), site).await.expect(201);
        let customer = json!({"name": "李娜", "dealer_id": dealer, "tier": "gold"});
        let customer = key.post("/v1/customers", customer).await.expect(201).id();
        Self { house, brand, key, dealer, customer }
    }

    /// Publishes a policy; answers its identifier and that of the version.
    async fn promises(&self, code: &str, rank: u32, says: Value) -> (String, String) {
        let policy = json!({"code": code, "name": code, "rank": rank});
        let policy = self.key.post("/v1/sla-policies", policy).await.expect(201).id();
        let version = self.publishes(&policy, says).await;
        (policy, version)
    }

    /// Publishes a version of a policy.
    async fn publishes(&self, policy: &str, says: Value) -> String {
        let versions = format!("/v1/sla-policies/{policy}/versions");
        let version = self.key.post(&versions, says).await.expect(201).id();
        let publish = format!("/v1/sla-versions/{version}/publish");
        self.key.post(&publish, json!({})).await.expect(200);
        version
    }

    /// Hires somebody at the dealer's.
    async fn hires(&self, role: &str) -> String {
        let person = json!({"name": "王伟", "role": role, "dealer_id": self.dealer});
        self.key.post("/v1/staff", person).await.expect(201).id()
    }

    async fn complains(&self) -> Reply {
        crate::voice::complains(&self.key, &self.customer).await
    }

    async fn act(&self, complaint: &str, verb: &str, body: Value) -> Reply {
        act(&self.key, complaint, verb, body).await.expect(200)
    }

    async fn waits(&self, complaint: &str, whom: &str) -> Reply {
        self.act(complaint, "wait", json!({"waiting_for": whom, "reason": "批号是多少？"})).await
    }

    /// The clock of a complaint for this metric.
    async fn clock(&self, complaint: &str, metric: &str) -> Value {
        let clocks = self.key.get(&format!("/v1/sla-clocks?complaint_id={complaint}")).await;
        let clocks = clocks.expect(200);
        let found = clocks.data().iter().find(|clock| clock["metric"] == metric);
        found.unwrap_or_else(|| panic!("there is no clock for {metric}: {clocks:?}")).clone()
    }

    /// What happened to a clock, in its order.
    async fn events(&self, clock: &Value) -> Vec<String> {
        let trace = format!("/v1/sla-clocks/{}/trace", clock["id"].as_str().unwrap());
        let trace = self.key.get(&trace).await.expect(200);
        let events = trace["events"].as_array().unwrap();
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    }

    fn sets(&self, instant: &str) {
        self.house.clock.set(instant.parse::<Timestamp>().unwrap());
    }
}

/// A target of so many minutes of working time.
fn target(metric: &str, minutes: u32, more: Value) -> Value {
    let mut target = json!({"metric": metric, "within_minutes": minutes, "working_time": true});
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    target
}

/// One target for all complaints.
fn only(target: Value) -> Value {
    json!({"targets": [target]})
}
