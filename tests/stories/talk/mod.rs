//! What is said about complaints: messages, files, and the promises that hang on them.

mod attachments;
mod messages;

use crate::{
    house::{Client, House, Reply},
    voice::{act, complains, li_na},
};
use domain::ids::TenantId;
use serde_json::{Value, json};

/// A brand with a customer whose complaint somebody looks into.
struct Matter {
    house: House,
    brand: TenantId,
    key: Client,
    customer: String,
    complaint: String,
}

impl Matter {
    async fn opens() -> Self {
        let house = House::opens().await;
        let brand = house.brand("clearwater").await.live;
        let key = house.brand_key(brand);
        let customer = li_na(&key).await;
        let complaint = complains(&key, &customer).await.id();
        act(&key, &complaint, "acknowledge", json!({})).await.expect(200);
        Self { house, brand, key, customer, complaint }
    }

    /// Says something about the complaint.
    async fn says(&self, direction: &str, body: &str) -> Reply {
        self.sends(json!({"direction": direction, "body": body})).await
    }

    async fn sends(&self, message: Value) -> Reply {
        self.key.post(&self.path("messages"), message).await
    }

    async fn act(&self, verb: &str, body: Value) -> Reply {
        act(&self.key, &self.complaint, verb, body).await.expect(200)
    }

    /// Decides, resolves and closes with the customer's yes.
    async fn closes(&self) {
        crate::voice::resolves(&self.key, &self.complaint).await;
        self.act("close", json!({"customer_satisfied": true})).await;
    }

    async fn shows(&self) -> Reply {
        self.key.get(&format!("/v1/complaints/{}", self.complaint)).await.expect(200)
    }

    fn path(&self, below: &str) -> String {
        format!("/v1/complaints/{}/{below}", self.complaint)
    }
}
