//! A brand hands in files.

use crate::{
    customers::Shop,
    house::{Client, Reply},
};
use reqwest::Method;
use serde_json::{Value, json};

/// 6 919 real sales of 2 357 customers; see `tests/data/README.md`.
const SAMPLE: &str = include_str!("../data/orders-cdnow-sample.csv");

/// Hands in a file.
pub(crate) async fn hand_in(
    caller: &Client,
    query: &str,
    kind: &str,
    file: impl Into<Vec<u8>>,
) -> Reply {
    let request = caller.request(Method::POST, &format!("/v1/imports?{query}"));
    caller.send(request.header("content-type", kind).body(file.into())).await
}

impl Shop {
    async fn hands_in(&self, kind: &str, file: &str) -> Reply {
        let query = format!("kind={kind}&source=shop&dealer_id={}", self.dealer);
        hand_in(&self.key, &query, "text/csv", file).await
    }

    /// Hands in a file and waits for its end; answers the operation.
    async fn imports(&self, query: &str, file: &str) -> Reply {
        let query = format!("{query}&source=shop&dealer_id={}", self.dealer);
        let accepted = hand_in(&self.key, &query, "text/csv", file).await.expect(202);
        assert_eq!(accepted["status"], "queued");
        self.house.settle().await;
        self.key.get(accepted.header("location")).await.expect(200)
    }

    /// Hands in a file as a program of one dealer, and waits for its end; answers the outcome and what was
    /// left out.
    async fn takes_from(&self, dealer: &Client, query: &str, file: &str) -> (Value, Vec<Value>) {
        let query = format!("{query}&source=shop");
        let accepted = hand_in(dealer, &query, "text/csv", file).await.expect(202);
        self.house.settle().await;
        let done = dealer.get(accepted.header("location")).await.expect(200);
        assert_eq!(done["status"], "succeeded");
        (done["outcome"].clone(), self.errors(&done).await)
    }

    async fn errors(&self, operation: &Reply) -> Vec<Value> {
        let page = self.key.get(operation["errors_url"].as_str().unwrap()).await.expect(200);
        let told = |error: &Value| json!([error["row"], error["column"], error["code"]]);
        page.data().iter().map(told).collect()
    }
}

fn outcome(created: u32, changed: u32, unchanged: u32) -> Value {
    json!({"created": created, "changed": changed, "unchanged": unchanged})
}

#[tokio::test]
async fn the_sample_is_taken_over_once_however_often_it_is_handed_in() {
    let shop = Shop::opens().await;
    let looked_at = shop.imports("kind=orders&dry_run=true", SAMPLE).await;
    assert_eq!(looked_at["outcome"], outcome(6_919, 0, 0));
    assert_eq!(shop.announced("order_paid").await, 0);
    assert_eq!(shop.key.get("/v1/orders").await.expect(200).data().len(), 0);

    let first = shop.imports("kind=orders", SAMPLE).await;
    assert_eq!(first["status"], "succeeded");
    assert_eq!(first["outcome"], outcome(6_919, 0, 0));
    assert_eq!(first["progress"], json!({"done": 6_919, "total": 6_919, "failed": 0}));
    assert_eq!(shop.announced("order_paid").await, 6_919);

    let second = shop.imports("kind=orders", SAMPLE).await;
    assert_eq!(second["outcome"], outcome(0, 0, 6_919));
    assert_eq!(shop.announced("order_paid").await, 6_919);

    let last = shop.key.get("/v1/customers?source=shop&external_id=cdnow-23556").await.expect(200);
    assert_eq!(last.data()[0]["name"], "cdnow-23556");
    assert_eq!(last.data()[0]["lifecycle"], "buyer");
}

#[tokio::test]
async fn a_row_that_is_wrong_is_left_out_and_told_with_its_column() {
    let shop = Shop::opens().await;
    let file = "order_external_id,customer_external_id,paid_on,quantity,price_minor,currency,sku\n\
                S-1,C-1,2025-12-24,1,299900,CNY,RO-600G\n\
                S-2,C-2,2025-02-29,0,299900,CNY,\n\
                S-3,C-3,2025-12-24,1,299900,CNY,RO-400G\n\
                S-4,C-1,,2,1000,CNY,\n\
                S-5,C-5,2026-01-06,1,1000,CNY,\n";
    let done = shop.imports("kind=orders", file).await;
    assert_eq!(done["outcome"], outcome(2, 0, 0));
    assert_eq!(done["progress"], json!({"done": 5, "total": 5, "failed": 3}));
    let expected = [
        json!([2, "paid_on", "invalid_date"]),
        json!([2, "quantity", "quantity_out_of_range"]),
        json!([3, "sku", "unknown_reference"]),
        json!([5, null, "day_not_begun"]),
    ];
    assert_eq!(shop.errors(&done).await, expected);
    let customers = shop.key.get("/v1/customers").await.expect(200);
    assert_eq!(customers.data().len(), 1, "nobody is created for a row that was left out");

    let dearer = file.replace("299900,CNY,RO-600G", "309900,CNY,RO-600G");
    let again = shop.imports("kind=orders", &dearer).await;
    assert_eq!(again["outcome"], outcome(0, 0, 1));
    assert_eq!(shop.errors(&again).await[0], json!([1, null, "order_settled"]));
}

#[tokio::test]
async fn customers_and_assets_come_in_files_too() {
    let shop = Shop::opens().await;
    let people = "customer_external_id,name,phone\nC-1,\"Li, Na\",+8613800000000\nC-2,王伟,\n";
    assert_eq!(shop.imports("kind=customers", people).await["outcome"], outcome(2, 0, 0));
    let bare = "customer_external_id,name\nC-1,\"Li, Na\"\nC-2,王 伟\n";
    assert_eq!(shop.imports("kind=customers", bare).await["outcome"], outcome(0, 1, 1));

    let query = format!("kind=assets&site_id={}&product_id={}", shop.site, shop.purifier);
    let things = "asset_external_id,customer_external_id,serial,delivered_on\n\
                  A-1,C-1,SN-1,2025-12-24\nA-2,C-2,SN-1,\nA-3,C-3,SN-3,\n";
    let done = shop.imports(&query, things).await;
    assert_eq!(done["outcome"], outcome(2, 0, 0));
    assert_eq!(shop.errors(&done).await, [json!([2, null, "serial_taken"])]);
    assert_eq!(shop.announced("asset_delivered").await, 1);
    let owners = shop.key.get("/v1/customers?source=shop").await.expect(200);
    let stages: Vec<_> = owners.data().iter().map(|owner| &owner["lifecycle"]).collect();
    assert_eq!(stages, ["buyer", "lead", "buyer"]);
}

#[tokio::test]
async fn json_lines_are_a_file_as_well() {
    let shop = Shop::opens().await;
    let file = "{\"customer_external_id\": \"C-1\", \"name\": \"李娜\", \"phone\": null}\n";
    let query = "kind=customers&source=shop";
    let accepted = hand_in(&shop.key, query, "application/x-ndjson", file).await.expect(202);
    shop.house.settle().await;
    let done = shop.key.get(accepted.header("location")).await.expect(200);
    assert_eq!(done["outcome"], outcome(1, 0, 0));
    let broken = hand_in(&shop.key, query, "application/x-ndjson", format!("{file}{{\n")).await;
    assert_eq!(broken.refused(422, "line_not_an_object")["line"], 2);
    hand_in(&shop.key, query, "text/plain", file).await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_file_that_is_unusable_is_refused_as_a_whole_with_the_place() {
    let shop = Shop::opens().await;
    let columns = "customer_external_id,name\n";
    let many = (0..=100_000).fold(columns.to_owned(), |file, row| format!("{file}C-{row},x\n"));
    let files = [
        ("", "file_empty"),
        (columns, "file_empty"),
        ("name\n李娜\n", "columns_missing"),
        ("customer_external_id,name,mail\n", "column_unknown"),
        ("customer_external_id,name,name\n", "column_twice"),
        ("customer_external_id,name\nC-1,李娜\nC-2", "row_length_differs"),
        ("customer_external_id,name\nC-1,\"李娜\nC-2,王伟\n", "line_break_in_field"),
        ("customer_external_id,name\nC-1,李娜\nC-1,王伟\n", "row_repeated"),
        (many.as_str(), "too_many_rows"),
    ];
    for (file, code) in files {
        shop.hands_in("customers", file).await.refused(422, code);
    }
    let gbk = [columns.as_bytes(), b"C-1,\xc0\xee\xc4\xc8\n"].concat();
    let gbk = hand_in(&shop.key, "kind=customers", "text/csv", gbk).await;
    assert_eq!(gbk.refused(422, "file_not_utf8")["byte"], 30);
    let marked = format!("\u{feff}{columns}C-1,李娜\n");
    shop.hands_in("customers", &marked).await.expect(202);
    let large = vec![b'x'; 16 * 1024 * 1024 + 1];
    hand_in(&shop.key, "kind=customers", "text/csv", large).await.refused(413, "body_too_large");
    assert_eq!(shop.key.get("/v1/imports").await.expect(200).data().len(), 1);
}

#[tokio::test]
async fn what_is_asked_for_with_a_file_must_fit() {
    let shop = Shop::opens().await;
    let file = "order_external_id,customer_external_id,paid_on,quantity,price_minor,currency\n\
                S-1,C-1,2025-12-24,1,299900,CNY\n";
    let of = |query: &'static str| hand_in(&shop.key, query, "text/csv", file);
    of("kind=orders").await.refused(422, "import_without_dealer");
    of("kind=orders&mode=fast").await.refused(400, "invalid_parameter");
    of("kind=visits").await.refused(400, "invalid_parameter");
    of("kind=orders&dealer_id=dlr_01m80t7jx3e9vbq2f4c6d8g0hk")
        .await
        .refused(422, "unknown_reference");
    let people = "customer_external_id,name\nC-1,李娜\n";
    let query = format!("kind=customers&product_id={}", shop.purifier);
    hand_in(&shop.key, &query, "text/csv", people).await.refused(422, "import_option_unused");
}

#[tokio::test]
async fn a_dealer_s_file_of_customers_leaves_other_dealers_customers_alone() {
    let shop = Shop::opens().await;
    shop.imports("kind=customers", "customer_external_id,name\nC-1,李娜\n").await;
    let (dealer, neighbour) = shop.neighbour().await;
    let file = "customer_external_id,name\nC-1,我们的\nC-2,王伟\n";
    let taken = [json!([1, "customer_external_id", "already_exists"])];
    for query in ["kind=customers&dry_run=true", "kind=customers"] {
        let (told, errors) = shop.takes_from(&neighbour, query, file).await;
        assert_eq!((told, errors.as_slice()), (outcome(1, 0, 0), taken.as_slice()), "{query}");
    }
    let (told, errors) = shop.takes_from(&neighbour, "kind=customers", file).await;
    assert_eq!((told, errors.as_slice()), (outcome(0, 0, 1), taken.as_slice()));
    let customers = shop.key.get("/v1/customers?source=shop").await.expect(200);
    let told: Vec<_> =
        customers.data().iter().map(|one| json!([one["name"], one["dealer_id"]])).collect();
    assert_eq!(told, [json!(["王伟", dealer]), json!(["李娜", shop.dealer])]);
}

#[tokio::test]
async fn a_dealer_s_file_of_orders_sells_to_nobody_else_s_customer() {
    let shop = Shop::opens().await;
    let columns = "order_external_id,customer_external_id,paid_on,quantity,price_minor,currency\n";
    let first = format!("{columns}S-1,C-1,2025-12-24,1,1000,CNY\n");
    shop.imports("kind=orders", &first).await;
    let (_, neighbour) = shop.neighbour().await;
    let file = format!(
        "{columns}S-2,C-1,2025-12-24,1,1000,CNY\nS-1,C-2,2025-12-24,1,1000,CNY\nS-3,C-3,2025-12-24,1,1000,CNY\n"
    );
    let taken = [
        json!([1, "customer_external_id", "already_exists"]),
        json!([2, "order_external_id", "already_exists"]),
    ];
    for query in ["kind=orders&dry_run=true", "kind=orders"] {
        let (told, errors) = shop.takes_from(&neighbour, query, &file).await;
        assert_eq!((told, errors.as_slice()), (outcome(1, 0, 0), taken.as_slice()), "{query}");
    }
    let orders = neighbour.get("/v1/orders").await.expect(200);
    assert_eq!(orders.data().len(), 1);
    let customers = neighbour.get("/v1/customers").await.expect(200);
    let names: Vec<_> = customers.data().iter().map(|one| &one["external_id"]).collect();
    assert_eq!(names, ["C-3"], "nobody is created for a row that was left out");
    assert_eq!(shop.key.get("/v1/orders").await.expect(200).data().len(), 2);
}

#[tokio::test]
async fn a_dealer_s_file_of_assets_takes_no_other_dealer_s_thing_or_number() {
    let shop = Shop::opens().await;
    let columns = "asset_external_id,customer_external_id,serial\n";
    let query = format!("kind=assets&product_id={}", shop.purifier);
    shop.imports(&query, &format!("{columns}A-1,C-1,SN-1\nA-9,C-1,SN-9\n")).await;
    let (_, neighbour) = shop.neighbour().await;
    let own = format!("{columns}A-4,C-4,SN-4\n");
    shop.takes_from(&neighbour, &query, &own).await;
    let file =
        format!("{columns}A-1,C-2,SN-2\nA-2,C-1,SN-3\nA-3,C-3,SN-1\nA-4,C-4,SN-9\nA-5,C-5,SN-5\n");
    let taken = [
        json!([1, null, "already_exists"]),
        json!([2, "customer_external_id", "already_exists"]),
        json!([3, null, "already_exists"]),
        json!([4, null, "already_exists"]),
    ];
    let (told, errors) = shop.takes_from(&neighbour, &query, &file).await;
    assert_eq!((told, errors.as_slice()), (outcome(1, 0, 0), taken.as_slice()));
    let assets = neighbour.get("/v1/assets").await.expect(200);
    let serials: Vec<_> = assets.data().iter().map(|one| &one["serial"]).collect();
    assert_eq!(serials, ["SN-5", "SN-4"]);
    let theirs = shop.key.get("/v1/assets?serial=SN-1").await.expect(200);
    assert_eq!(theirs.data()[0]["dealer_id"], json!(shop.dealer));
}
