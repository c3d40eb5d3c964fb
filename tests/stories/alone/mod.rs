//! The database alone: whatever statement reaches it, it keeps tenants apart and refuses what must never be.

mod guarded;
mod schema;
mod statements;

use crate::{
    house::House,
    voice::links,
    walls::brands::{furnish, go_on},
};
use domain::ids::TenantId;
use reqwest::Method;

/// Two brands that have lived for two months, with something in nearly every table.
struct Neighbours {
    house: House,
    ours: TenantId,
}

impl Neighbours {
    async fn settle() -> Self {
        let house = House::opens().await;
        let brands = [house.brand("ours").await.live, house.brand("theirs").await.live];
        let keys = brands.map(|brand| house.brand_key(brand));
        let mut names = [furnish(&keys[0]).await, furnish(&keys[1]).await];
        house.pass_days(60).await;
        for (key, names) in keys.iter().zip(&mut names) {
            go_on(key, names).await;
        }
        house.pass_days(2).await;
        for page in links(&house).await {
            let customer = house.stranger();
            let form = customer.request(Method::POST, &page).form(&[("score", "5")]);
            customer.send(form).await.expect(200);
        }
        house.settle().await;
        Self { house, ours: brands[0] }
    }
}
