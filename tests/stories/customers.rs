//! A brand pushes its customers, products, assets and orders, as often as it likes.

use crate::house::{Client, House, Reply};
use domain::{
    identity::Role,
    ids::{DealerId, TenantId},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

/// A brand with a dealer, a site of theirs and a product.
pub(crate) struct Shop {
    /// The house it is in.
    pub(crate) house: House,
    /// The brand's own program.
    pub(crate) key: Client,
    /// The brand.
    pub(crate) tenant: TenantId,
    /// The dealer.
    pub(crate) dealer: String,
    /// The dealer's site.
    pub(crate) site: String,
    /// A purifier that costs 2 999 yuan, and the brand 1 800.
    pub(crate) purifier: String,
}

impl Shop {
    /// Opens the shop.
    pub(crate) async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let dealer = json!({"code": "hangzhou-01", "name": "杭州一店"});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let site = json!({"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai"});
        let site = key.post(&format!("/v1/dealers/{dealer}/sites"), site).await.expect(201).id();
        let purifier = key.put("/v1/products/by-sku/RO-600G", purifier()).await.expect(201).id();
        Self { house, key, tenant, dealer, site, purifier }
    }

    /// Another dealer of the brand, and a program that sees nothing but it.
    pub(crate) async fn neighbour(&self) -> (String, Client) {
        let dealer = json!({"code": "suzhou-01", "name": "苏州一店"});
        let dealer = self.key.post("/v1/dealers", dealer).await.expect(201).id();
        let key = self.house.dealer_key(self.tenant, &dealer);
        (dealer, key)
    }

    /// A customer called by an external id.
    pub(crate) async fn customer(&self, external_id: &str) -> String {
        let path = format!("/v1/customers/by-external-id/erp/{external_id}");
        let details = json!({"name": "李娜", "dealer_id": self.dealer});
        self.key.put(&path, details).await.expect(201).id()
    }

    /// Says that a purifier was sold, with `fields` said differently.
    async fn sells(&self, external_id: &str, customer: &str, fields: Value) -> Reply {
        let mut sale = json!({
            "customer_id": customer, "dealer_id": self.dealer, "site_id": self.site,
            "currency": "CNY",
            "lines": [{"product_id": self.purifier, "quantity": 1, "price_minor": 299_900}],
        });
        for (name, value) in fields.as_object().unwrap() {
            sale[name] = value.clone();
        }
        self.key.put(&format!("/v1/orders/by-external-id/erp/{external_id}"), sale).await
    }

    /// How many events of a kind were announced.
    pub(crate) async fn announced(&self, kind: &str) -> i64 {
        let owner = self.house.owner().await;
        let sql = format!("SELECT count(*) AS number FROM job WHERE kind = '{kind}'");
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = owner.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "number").unwrap()
    }
}

fn purifier() -> Value {
    json!({
        "sku": "RO-600G", "name": "净水器 RO-600G", "category": "water-purifier",
        "after_sales_need": "rigid", "price": {"amount": 299_900, "currency": "CNY"},
        "unit_cost_minor": 180_000,
    })
}

#[tokio::test]
async fn a_customer_is_pushed_again_and_again_and_stays_one() {
    let shop = Shop::opens().await;
    let path = "/v1/customers/by-external-id/erp/C-1";
    let details = json!({"name": "李娜", "phone": "+8613800000000"});
    let created = shop.key.put(path, details.clone()).await.expect(201);
    assert_eq!(created["lifecycle"], "lead");
    assert_eq!(created.header("location"), format!("/v1/customers/{}", created.id()));

    let again = shop.key.put(path, details).await.expect(200);
    assert_eq!((again.id(), &again["version"]), (created.id(), &json!(1)));
    let changed = shop.key.put(path, json!({"name": "李 娜"})).await.expect(200);
    assert_eq!((&changed["version"], &changed["phone"]), (&json!(2), &Value::Null));

    let found = shop.key.get("/v1/customers?q=%E6%9D%8E&source=erp&external_id=C-1").await;
    assert_eq!(found.expect(200).data().len(), 1);
    shop.key.get("/v1/customers?colour=red").await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn the_path_of_a_push_names_the_record() {
    let shop = Shop::opens().await;
    let path = "/v1/customers/by-external-id/erp/C-1";
    let named = json!({"name": "李娜", "source": "erp", "external_id": "C-1"});
    shop.key.put(path, named).await.expect(201);
    for other in
        [json!({"name": "李娜", "external_id": "C-2"}), json!({"name": "李娜", "source": "crm"})]
    {
        shop.key.put(path, other).await.refused(422, "path_and_body_differ");
    }
    let taken = json!({"name": "王伟", "source": "erp", "external_id": "C-1"});
    let taken = shop.key.post("/v1/customers", taken).await.refused(409, "already_exists");
    assert_eq!(taken["fields"], json!(["source", "external_id"]));
    let other_sku = shop.key.put("/v1/products/by-sku/RO-400G", purifier()).await;
    other_sku.refused(422, "path_and_body_differ");
}

#[tokio::test]
async fn twenty_first_pushes_at_once_are_one_customer() {
    let shop = Shop::opens().await;
    let push = || async {
        let details = json!({"name": "李娜"});
        shop.key.put("/v1/customers/by-external-id/erp/C-1", details).await.status.as_u16()
    };
    let mut answers = futures::future::join_all((0..20).map(|_| push())).await;
    answers.sort_unstable();
    let expected: Vec<u16> = [vec![200; 19], vec![201]].concat();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_paid_order_makes_a_buyer_and_is_announced_once() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let quoted = shop.sells("S-1", &customer, json!({})).await.expect(201);
    assert_eq!(quoted["status"], "quoted");
    assert_eq!(quoted["lines"][0]["margin_minor"], 119_900);
    assert_eq!(shop.announced("order_paid").await, 0);

    let paid = json!({"paid_on": "2026-01-04"});
    let settled = shop.sells("S-1", &customer, paid.clone()).await.expect(200);
    assert_eq!(settled["status"], "paid");
    assert_eq!(settled["lines"], quoted["lines"]);
    let again = shop.sells("S-1", &customer, paid).await.expect(200);
    assert_eq!(again["version"], settled["version"]);
    assert_eq!(shop.announced("order_paid").await, 1);
    let buyer = shop.key.get(&format!("/v1/customers/{customer}")).await.expect(200);
    assert_eq!(buyer["lifecycle"], "buyer");
}

#[tokio::test]
async fn what_was_sold_stands_once_it_is_paid() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let order = shop.sells("S-1", &customer, json!({})).await.expect(201).id();
    let dearer = json!({"lines": [{"quantity": 1, "price_minor": 309_900}]});
    shop.sells("S-1", &customer, dearer.clone()).await.expect(200);
    let pay = json!({"paid_on": "2026-01-05"});
    let paid = shop.key.post(&format!("/v1/orders/{order}/pay"), pay.clone()).await.expect(200);
    assert_eq!(paid["lines"][0]["margin_minor"], Value::Null);

    let refused = shop.sells("S-1", &customer, json!({})).await.refused(409, "order_settled");
    assert_eq!(refused["changed"], json!(["lines"]));
    let elsewhere = json!({"lines": dearer["lines"], "site_id": null});
    shop.sells("S-1", &customer, elsewhere).await.expect(200);
    let twice = shop.key.post(&format!("/v1/orders/{order}/pay"), pay).await;
    let twice = twice.refused(409, "illegal_transition");
    assert_eq!(twice["allowed_transitions"], json!(["deliver", "refund"]));
    let cancel = shop.key.post(&format!("/v1/orders/{order}/cancel"), json!({})).await;
    cancel.refused(409, "illegal_transition");
}

#[tokio::test]
async fn nobody_pays_or_receives_tomorrow() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    // It is nine in the morning of the 5th in Shanghai, and the 5th has begun everywhere to the east.
    shop.sells("S-1", &customer, json!({"paid_on": "2026-01-05"})).await.expect(201);
    let ahead = shop.sells("S-2", &customer, json!({"paid_on": "2026-01-06"})).await;
    assert_eq!(ahead.refused(422, "day_not_begun")["latest_on"], "2026-01-05");
}

#[tokio::test]
async fn a_delivered_order_delivers_its_assets() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let asset = json!({
        "customer_id": customer, "product_id": shop.purifier, "serial": "SN-1",
        "dealer_id": shop.dealer, "site_id": shop.site,
    });
    let path = "/v1/assets/by-external-id/erp/A-1";
    let id = shop.key.put(path, asset.clone()).await.expect(201).id();
    let sale = json!({"asset_ids": [id], "paid_on": "2026-01-04"});
    let order = shop.sells("S-1", &customer, sale).await.expect(201).id();
    let delivered = json!({"delivered_on": "2026-01-05"});
    shop.key.post(&format!("/v1/orders/{order}/deliver"), delivered.clone()).await.expect(200);

    let read = shop.key.get(&format!("/v1/assets/{id}")).await.expect(200);
    assert_eq!(read["delivered_on"], "2026-01-05");
    assert_eq!(shop.announced("asset_delivered").await, 1);
    let pushed = shop.key.put(path, asset).await.expect(200);
    assert_eq!(
        (&pushed["delivered_on"], &pushed["version"]),
        (&read["delivered_on"], &read["version"])
    );
    let again = shop.key.post(&format!("/v1/assets/{id}/deliver"), delivered).await;
    again.refused(409, "already_delivered");
}

#[tokio::test]
async fn an_asset_is_told_about_changed_and_retired() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let asset = json!({"customer_id": customer, "product_id": shop.purifier, "serial": "SN-1"});
    let told = shop.key.post("/v1/assets", asset.clone()).await.expect(201);
    let taken = shop.key.post("/v1/assets", asset).await.refused(409, "already_exists");
    assert_eq!(taken["fields"], json!(["serial"]));
    let path = format!("/v1/assets/{}", told.id());
    let moved = json!({"address": "西湖区文三路 1 号", "delivered_on": "2026-01-05"});
    let moved = shop.key.patch(&path, told.etag(), moved).await.expect(200);
    let other_day = json!({"delivered_on": "2026-01-04"});
    shop.key.patch(&path, moved.etag(), other_day).await.refused(409, "already_delivered");
    shop.key.post(&format!("{path}/retire"), json!({})).await.expect(200);
    shop.key.post(&format!("{path}/retire"), json!({})).await.refused(409, "illegal_transition");
}

#[tokio::test]
async fn a_body_speaks_of_records_that_are_there_and_belong_together() {
    let shop = Shop::opens().await;
    let (customer, other) = (shop.customer("C-1").await, shop.customer("C-2").await);
    let nobody = "cus_01m80t7jx3e9vbq2f4c6d8g0hk";
    let nothing = "prd_01m80t7jx3e9vbq2f4c6d8g0hk";
    let refused = shop.sells("S-1", nobody, json!({})).await.refused(422, "unknown_reference");
    assert_eq!(refused["errors"][0]["pointer"], "/customer_id");
    let lines = json!([{"product_id": nothing, "quantity": 1, "price_minor": 1}]);
    let refused = shop.sells("S-1", &customer, json!({"lines": lines})).await;
    assert_eq!(
        refused.refused(422, "unknown_reference")["errors"][0]["pointer"],
        "/lines/0/product_id"
    );
    let asset = json!({"customer_id": other, "product_id": shop.purifier});
    let asset = shop.key.post("/v1/assets", asset).await.expect(201).id();
    let theirs = shop.sells("S-1", &customer, json!({"asset_ids": [asset]})).await;
    theirs.refused(422, "asset_of_another_customer");
    let elsewhere = json!({"code": "ningbo-01", "name": "宁波一店"});
    let elsewhere = shop.key.post("/v1/dealers", elsewhere).await.expect(201).id();
    let theirs = shop.sells("S-1", &customer, json!({"dealer_id": elsewhere})).await;
    theirs.refused(422, "site_of_another_dealer");
    let negative = json!({"lines": [{"quantity": 1, "price_minor": -1}]});
    let negative = shop.sells("S-1", &customer, negative).await.refused(422, "invalid_body");
    assert_eq!(negative["errors"][0]["pointer"], "/lines/0/price_minor");
    assert_eq!(shop.key.get("/v1/orders").await.expect(200).data(), &Vec::<Value>::new());
}

#[tokio::test]
async fn a_dealers_people_see_and_make_their_dealers_records() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let other = json!({"code": "ningbo-01", "name": "宁波一店"});
    let other = shop.key.post("/v1/dealers", other).await.expect(201).id();
    let tenant = shop.key.get("/v1/brand").await.expect(200).id().parse().unwrap();
    let person = |dealer: &str| {
        let dealer: DealerId = dealer.parse().unwrap();
        shop.house.person(tenant, Role::Clerk, Uuid::from_u128(7).into(), Some(dealer))
    };
    let (ours, theirs) = (person(&shop.dealer), person(&other));
    let path = format!("/v1/customers/{customer}");
    ours.get(&path).await.expect(200);
    theirs.get(&path).await.refused(404, "not_found");
    assert_eq!(theirs.get("/v1/customers").await.expect(200).data().len(), 0);

    let met = theirs.post("/v1/customers", json!({"name": "王伟"})).await.expect(201);
    assert_eq!(met["dealer_id"], json!(other));
    let foreign = json!({"name": "王伟", "dealer_id": shop.dealer});
    theirs.post("/v1/customers", foreign).await.refused(422, "unknown_reference");
    let away = json!({"dealer_id": shop.dealer});
    let away = theirs.patch(&format!("/v1/customers/{}", met.id()), met.etag(), away).await;
    away.refused(422, "unknown_reference");
}

#[tokio::test]
async fn a_push_does_not_reach_what_another_dealer_has() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    shop.sells("S-1", &customer, json!({})).await.expect(201);
    let asset = json!({
        "customer_id": customer, "dealer_id": shop.dealer, "product_id": shop.purifier, "serial": "SN-1",
    });
    shop.key.put("/v1/assets/by-external-id/erp/A-1", asset).await.expect(201);

    let (_, neighbour) = shop.neighbour().await;
    let own = neighbour.post("/v1/customers", json!({"name": "王伟"})).await.expect(201).id();
    let path = |kind: &str, name: &str| format!("/v1/{kind}/by-external-id/erp/{name}");
    let renamed = neighbour.put(&path("customers", "C-1"), json!({"name": "王伟"})).await;
    assert_eq!(renamed.refused(409, "already_exists")["fields"], json!(["source", "external_id"]));
    let thing = |name: &'static str, serial: &'static str| {
        let asset = json!({"customer_id": own, "product_id": shop.purifier, "serial": serial});
        let (neighbour, path) = (neighbour.clone(), path("assets", name));
        async move { neighbour.put(&path, asset).await.refused(409, "already_exists") }
    };
    assert_eq!(thing("A-1", "SN-2").await["fields"], json!(["source", "external_id"]));
    assert_eq!(thing("A-2", "SN-1").await["fields"], json!(["serial"]));
    let dealer = neighbour.get("/v1/dealers").await.expect(200).data()[0]["id"].clone();
    let sale = |customer: &str| {
        json!({
            "customer_id": customer, "dealer_id": dealer, "currency": "CNY",
            "lines": [{"product_id": shop.purifier, "quantity": 1, "price_minor": 1_000}],
        })
    };
    let taken = neighbour.put(&path("orders", "S-1"), sale(&own)).await;
    taken.refused(409, "already_exists");
    let theirs = neighbour.put(&path("orders", "S-2"), sale(&customer)).await;
    theirs.refused(422, "unknown_reference");
    let found = shop.key.get(&format!("/v1/customers/{customer}")).await.expect(200);
    assert_eq!((&found["name"], &found["dealer_id"]), (&json!("李娜"), &json!(shop.dealer)));
}
