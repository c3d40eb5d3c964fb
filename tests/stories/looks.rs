//! Looks: what is asked in one flight is answered as in a transaction, behind the same walls.

use crate::house::House;
use domain::{
    customers::Customer,
    identity::{Actor, Reach},
    ids::{CustomerId, DealerId, TenantId},
};
use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use serde_json::json;
use store::{
    Scope, Tenant,
    customers::customer,
    page::{Order, Page},
    table::Table,
};

/// A worker of `tenant` who sees `dealer` only, or everything.
fn scope(tenant: TenantId, dealer: Option<DealerId>) -> Scope {
    let reach = Reach { dealer, ..Reach::default() };
    Scope { tenant, actor: Actor::Worker, reach, paced: false, request_id: None }
}

/// All customers, three to a page, the newest first.
async fn pages(open: impl AsyncFn() -> Tenant) -> Vec<Vec<Customer>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: 3, cursor };
        let all = <Customer as Table>::Entity::find();
        let order = Order::<customer::Entity>::newest();
        let slice = open().await.page::<Customer>(all, order, &page).await.unwrap();
        pages.push(slice.items);
        cursor = slice.next;
        if cursor.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_look_answers_what_a_transaction_answers_behind_the_same_walls() {
    let house = House::opens().await;
    let (clear, other) = (house.brand("clearwater").await, house.brand("stillwater").await);
    let mut dealers = vec![None];
    for (tenant, count) in [(clear.live, 4), (other.live, 5)] {
        let key = house.brand_key(tenant);
        for code in ["d1", "d2"] {
            let dealer = json!({"code": code, "name": "杭州一店"});
            let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
            dealers.push(Some(dealer.parse::<DealerId>().unwrap()));
            for number in 0..count {
                let customer = json!({"name": format!("李娜 {number}"), "dealer_id": dealer});
                key.post("/v1/customers", customer).await.expect(201);
            }
        }
    }
    let everybody: Vec<(TenantId, Customer)> = {
        let mut everybody = Vec::new();
        for tenant in [clear.live, other.live] {
            let all = pages(async || house.store.enter(scope(tenant, None)).await.unwrap()).await;
            everybody.extend(all.into_iter().flatten().map(|customer| (tenant, customer)));
        }
        everybody
    };
    assert_eq!(everybody.len(), 18);
    for tenant in [clear.live, other.live] {
        for dealer in &dealers {
            let looking = async || house.store.read(scope(tenant, *dealer)).await.unwrap();
            let asking = async || house.store.enter(scope(tenant, *dealer)).await.unwrap();
            assert_eq!(pages(looking).await, pages(asking).await, "{tenant} {dealer:?}");
            for (owner, customer) in &everybody {
                let id: CustomerId = customer.id;
                let seen = *owner == tenant
                    && dealer.is_none_or(|dealer| customer.details.dealer_id == Some(dealer));
                let (looked, asked) = (looking().await.get(id).await, asking().await.get(id).await);
                assert_eq!(looked.ok().as_ref(), Some(customer).filter(|_| seen));
                assert_eq!(asked.ok().as_ref(), Some(customer).filter(|_| seen));
            }
        }
    }
}

#[tokio::test]
async fn what_a_reading_asks_first_is_asked_in_one_flight_and_a_filter_needs_a_transaction() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = key.post("/v1/customers", json!({"name": "李娜"})).await.expect(201).id();
    let gone = "DROP FUNCTION look.customer; DROP FUNCTION look.customer__newest";
    house.owner().await.execute_unprepared(gone).await.unwrap();
    key.get(&format!("/v1/customers/{customer}")).await.expect(500);
    key.get("/v1/customers").await.expect(500);
    key.get("/v1/customers?sort=created_at").await.expect(200);
    key.get("/v1/customers?q=%E6%9D%8E").await.expect(200);
}
