//! Many callers at once: they wait for each other and not for ever, and nobody is sent away for nothing.

use crate::{customers::Shop, house::Reply};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};
use serde_json::json;

/// Callers at once.
const CLIENTS: usize = 12;
/// Rounds of calls of each of them.
const ROUNDS: usize = 10;

/// Two customers with a purifier each, about which everybody calls.
struct Crowd {
    shop: Shop,
    customers: [String; 2],
    assets: [String; 2],
}

impl Crowd {
    async fn gathers() -> Self {
        let shop = Shop::opens().await;
        let customers = [shop.customer("c-0").await, shop.customer("c-1").await];
        let crowd = Self { shop, customers, assets: Default::default() };
        let mut assets: [String; 2] = Default::default();
        for (place, asset) in assets.iter_mut().enumerate() {
            *asset = crowd.pushes_asset(place, "first").await.expect(201).id();
        }
        Self { assets, ..crowd }
    }

    async fn pushes_asset(&self, place: usize, address: &str) -> Reply {
        let details = json!({
            "customer_id": self.customers[place], "product_id": self.shop.purifier,
            "dealer_id": self.shop.dealer, "address": address,
        });
        self.shop.key.put(&format!("/v1/assets/by-external-id/erp/a-{place}"), details).await
    }

    async fn edits_asset(&self, place: usize, address: &str) -> Reply {
        let path = format!("/v1/assets/{}", self.assets[place]);
        let read = self.shop.key.get(&path).await.expect(200);
        self.shop.key.patch(&path, read.etag(), json!({"address": address})).await
    }

    async fn edits_customer(&self, place: usize, name: &str) -> Reply {
        let path = format!("/v1/customers/{}", self.customers[place]);
        let read = self.shop.key.get(&path).await.expect(200);
        self.shop.key.patch(&path, read.etag(), json!({"name": name})).await
    }

    async fn pushes_customer(&self, place: usize, name: &str) -> Reply {
        let path = format!("/v1/customers/by-external-id/erp/c-{place}");
        self.shop.key.put(&path, json!({"name": name, "dealer_id": self.shop.dealer})).await
    }

    /// Sells a purifier, and says that it has arrived.
    async fn sells(&self, place: usize) -> [Reply; 3] {
        let key = &self.shop.key;
        let sale = json!({
            "customer_id": self.customers[place], "dealer_id": self.shop.dealer,
            "currency": "CNY", "asset_ids": [self.assets[place]],
            "lines": [{"product_id": self.shop.purifier, "quantity": 1, "price_minor": 299_900}],
        });
        let placed = key.post("/v1/orders", sale).await;
        let order = format!("/v1/orders/{}", placed["id"].as_str().unwrap_or_default());
        let paid = key.post(&format!("{order}/pay"), json!({"paid_on": "2026-01-05"})).await;
        let delivered = json!({"delivered_on": "2026-01-05"});
        let delivered = key.post(&format!("{order}/deliver"), delivered).await;
        [placed, paid, delivered]
    }

    async fn complains(&self, place: usize) -> Reply {
        let details = json!({
            "customer_id": self.customers[place], "asset_id": self.assets[place],
            "source": "phone", "kind": "quality", "severity": 3, "description": "滤芯漏水",
        });
        self.shop.key.post("/v1/complaints", details).await
    }

    /// What one of them does in a round.
    async fn calls(&self, client: usize, round: usize) -> Vec<Reply> {
        let place = client.wrapping_add(round) % 2;
        let said = format!("{client}-{round}");
        match client.wrapping_add(round.wrapping_mul(5)) % 8 {
            0 | 1 => vec![self.pushes_asset(place, &said).await],
            2 | 3 => vec![self.edits_asset(place, &said).await],
            4 => vec![self.edits_customer(place, &said).await],
            5 => vec![self.pushes_customer(place, &said).await],
            6 => self.sells(place).await.into(),
            _ => vec![self.complains(place).await],
        }
    }
}

#[tokio::test]
async fn twelve_clients_at_two_customers_are_not_in_each_other_s_way() {
    let crowd = Crowd::gathers().await;
    let clients = (0..CLIENTS).map(|client| {
        let crowd = &crowd;
        async move {
            let mut replies = Vec::new();
            for round in 0..ROUNDS {
                replies.extend(crowd.calls(client, round).await);
            }
            replies
        }
    });
    let replies: Vec<_> = futures::future::join_all(clients).await.into_iter().flatten().collect();

    // Whoever edits what somebody else has edited since is told so; nobody else is sent away.
    let refused: Vec<_> = replies
        .iter()
        .filter(|reply| !reply.status.is_success() && reply["code"] != "stale_version")
        .collect();
    assert!(refused.is_empty(), "{} of {}: {refused:?}", refused.len(), replies.len());
    // A connection counts its deadlocks when it is closed, at the latest.
    crowd.shop.house.store.close().await;
    assert_eq!(deadlocks(&crowd).await, 0);
}

async fn deadlocks(crowd: &Crowd) -> i64 {
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let asked = Statement::from_string(DbBackend::Postgres, sql);
    let row = crowd.shop.house.owner().await.query_one_raw(asked).await.unwrap().unwrap();
    row.try_get("", "deadlocks").unwrap()
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_record_is_told_when_to_come_again() {
    let shop = Shop::opens().await;
    let customer = shop.customer("c-0").await;
    let path = format!("/v1/customers/{customer}");
    let read = shop.key.get(&path).await.expect(200);
    let owner = shop.house.owner().await;
    let holder = owner.begin().await.unwrap();
    holder.execute_unprepared("SELECT 1 FROM customer FOR UPDATE").await.unwrap();

    let late = shop.key.patch(&path, read.etag(), json!({"name": "李娜娜"})).await;

    assert_eq!(late.refused(503, "unavailable").header("retry-after"), "1");
    holder.rollback().await.unwrap();
    shop.key.patch(&path, read.etag(), json!({"name": "李娜娜"})).await.expect(200);
}
