//! What complaints have come to: counted dealer by dealer, in working time, and behind the dealers' walls.

use super::{FRIDAY, MONDAY, Shop, only, target};
use crate::{house::Reply, voice::complains};
use serde_json::{Value, json};

/// The days of these stories.
const DAYS: &str = "from_on=2026-01-01&to_on=2026-01-31";

impl Shop {
    /// Acknowledges a complaint, and finds out what brought it about.
    async fn finds_out(&self, complaint: &str) {
        self.act(complaint, "acknowledge", json!({})).await;
        self.act(complaint, "assess", json!({"severity": 2, "complexity": "simple"})).await;
        let found = json!({"findings": "密封圈断裂。", "cause_code": "seal_torn"});
        self.act(complaint, "investigate", found).await;
    }

    /// Another dealer, and a customer of theirs.
    async fn neighbour(&self) -> (String, String) {
        let dealer = json!({"code": "suzhou", "name": "苏州店"});
        let dealer = self.key.post("/v1/dealers", dealer).await.expect(201).id();
        let customer = json!({"name": "王芳", "dealer_id": dealer});
        (dealer, self.key.post("/v1/customers", customer).await.expect(201).id())
    }

    async fn reports(&self, query: &str) -> Reply {
        self.key.get(&format!("/v1/reports/complaints?{DAYS}{query}")).await.expect(200)
    }

    /// Sells a thing of a product to a customer; answers it.
    async fn sells(&self, product: &str, customer: &str) -> String {
        let asset = json!({"customer_id": customer, "product_id": product});
        self.key.post("/v1/assets", asset).await.expect(201).id()
    }

    async fn complains_about(&self, asset: &str, customer: &str) -> String {
        let details = json!({"customer_id": customer, "asset_id": asset, "source": "phone",
            "kind": "quality", "severity": 3, "description": "滤芯漏水"});
        self.key.post("/v1/complaints", details).await.expect(201).id()
    }
}

fn row(reply: &Reply, dealer: &str) -> Value {
    let rows = reply["rows"].as_array().unwrap();
    rows.iter().find(|row| row["dealer_id"] == *dealer).unwrap().clone()
}

/// Two complaints here, of which one was closed with a yes and one taken up again, and an unanswered one next door.
async fn three_complaints(shop: &Shop) -> (String, String) {
    let (neighbour, customer) = shop.neighbour().await;
    shop.sets(FRIDAY);
    let content = shop.complains().await.id();
    complains(&shop.key, &customer).await;
    shop.act(&content, "acknowledge", json!({})).await;
    shop.sets(MONDAY);
    crate::voice::resolves(&shop.key, &content).await;
    let unhappy = shop.complains().await.id();
    shop.act(&unhappy, "acknowledge", json!({})).await;
    shop.sets("2026-01-12T04:30:00Z");
    crate::voice::resolves(&shop.key, &unhappy).await;
    shop.act(&content, "close", json!({"customer_satisfied": true})).await;
    shop.act(&unhappy, "reopen", json!({"reason": "又漏水了。"})).await;
    shop.house.settle().await;
    (neighbour, content)
}

#[tokio::test]
async fn a_dealer_s_complaints_are_counted_and_timed_in_working_time() {
    let shop = Shop::opens().await;
    let (neighbour, _) = three_complaints(&shop).await;
    let report = shop.reports("").await;
    assert_eq!((&report["from_on"], &report["has_more"]), (&json!("2026-01-01"), &json!(false)));
    // Half an hour before the weekend and half an hour after it, and three hours on Monday.
    assert_eq!(
        row(&report, &shop.dealer),
        json!({"dealer_id": shop.dealer, "kind": null, "received": 2, "first_answers": 2,
            "first_answers_kept": 2, "first_answers_kept_bp": 10_000, "resolved": 2,
            "resolution_median_seconds": 3_600, "resolution_p90_seconds": 10_800, "amicable": 1,
            "amicable_bp": 5_000, "reopened": 1, "reopened_bp": 5_000})
    );
    assert_eq!(
        row(&report, &neighbour),
        json!({"dealer_id": neighbour, "kind": null, "received": 1, "first_answers": 1,
            "first_answers_kept": 0, "first_answers_kept_bp": 0, "resolved": 0,
            "resolution_median_seconds": null, "resolution_p90_seconds": null, "amicable": 0,
            "amicable_bp": null, "reopened": 0, "reopened_bp": null})
    );
    let all = shop.reports("&by=brand").await;
    assert_eq!(all["rows"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&all["rows"][0]["received"], &all["rows"][0]["first_answers_kept_bp"]),
        (&json!(3), &json!(6_666))
    );
    let kinds = shop.reports("&by=kind").await;
    assert_eq!(
        (&kinds["rows"][0]["kind"], &kinds["rows"][0]["received"]),
        (&json!("quality"), &json!(3))
    );
    assert_eq!(shop.reports("&kind=billing").await["rows"], json!([]));
    // Friday's are not Monday's.
    let later = "/v1/reports/complaints?from_on=2026-01-10&to_on=2026-01-31";
    let later = shop.key.get(later).await.expect(200);
    assert_eq!(row(&later, &shop.dealer)["received"], 1);
    assert_eq!(later["rows"].as_array().unwrap().len(), 1);
    let nobody = shop.key.get("/v1/reports/complaints?from_on=2026-02-01&to_on=2026-02-02").await;
    assert_eq!(nobody.expect(200)["rows"], json!([]));
}

#[tokio::test]
async fn a_dealer_s_people_read_their_own_line_and_no_more() {
    let shop = Shop::opens().await;
    let (neighbour, _) = three_complaints(&shop).await;
    let key = shop.house.dealer_key(shop.brand, &neighbour);
    let stranger = shop.house.brand_key(shop.house.brand("other").await.live);
    for report in ["complaints", "complaints/comparison", "complaints/repeats"] {
        let path = format!("/v1/reports/{report}?{DAYS}");
        let own = key.get(&path).await.expect(200);
        let rows = own["rows"].as_array().unwrap();
        let count = rows[0].get("received").or_else(|| rows[0].get("complaints"));
        assert_eq!((rows.len(), count), (1, Some(&json!(1))), "{report}");
        assert_eq!(stranger.get(&path).await.expect(200)["rows"], json!([]));
    }
    let foreign = format!("/v1/reports/complaints?{DAYS}&dealer_id={}", shop.dealer);
    assert_eq!(key.get(&foreign).await.expect(200)["rows"], json!([]));
}

#[tokio::test]
async fn a_clock_s_own_count_leaves_out_the_wait_for_the_customer() {
    let shop = Shop::opens().await;
    let pausing = target("first_resolution", 6_000, json!({"pause_while_waiting": true}));
    shop.promises("all", 0, only(pausing)).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.waits(&id, "customer").await;
    shop.sets("2026-01-12T04:00:00Z");
    shop.act(&id, "resume", json!({})).await;
    shop.sets("2026-01-12T05:00:00Z");
    crate::voice::resolves(&shop.key, &id).await;
    let report = shop.reports("").await;
    assert_eq!(row(&report, &shop.dealer)["resolution_median_seconds"], 3_600);
    // The first resolution counts, however long the second one takes.
    shop.act(&id, "reopen", json!({"reason": "又漏水了。"})).await;
    shop.house.pass_days(2).await;
    let again = shop.reports("").await;
    assert_eq!(row(&again, &shop.dealer)["resolution_median_seconds"], 3_600);
}

#[tokio::test]
async fn dealers_are_compared_by_the_same_kind_and_product() {
    let shop = Shop::opens().await;
    let (neighbour, customer) = shop.neighbour().await;
    let product = json!({"sku": "RO-600G", "name": "RO-600G", "category": "purifier",
        "after_sales_need": "rigid", "price": {"amount": 299_900, "currency": "CNY"}});
    let product = shop.key.post("/v1/products", product).await.expect(201).id();
    let (here, there) =
        (shop.sells(&product, &shop.customer).await, shop.sells(&product, &customer).await);
    shop.sets(MONDAY);
    let first = shop.complains_about(&here, &shop.customer).await;
    let second = shop.complains_about(&here, &shop.customer).await;
    let slow = shop.complains_about(&there, &customer).await;
    shop.complains().await;
    for (id, hour) in [(&first, "02:30"), (&slow, "05:30")] {
        shop.finds_out(id).await;
        shop.sets(&format!("2026-01-12T{hour}:00Z"));
        let decision = json!({"responsibility": "supplier", "text": "我们为您更换。",
            "recourse": "请致电 12315。", "confirmed_defect": true});
        shop.act(id, "decide", decision).await;
        let remedies = format!("/v1/complaints/{id}/remedies");
        let remedy = shop.key.get(&remedies).await.expect(200).data()[0]["id"].clone();
        let complete = format!("{remedies}/{}/complete", remedy.as_str().unwrap());
        shop.key.post(&complete, json!({})).await.expect(200);
        shop.act(id, "resolve", json!({})).await;
    }
    shop.finds_out(&second).await;
    let compared = format!("/v1/reports/complaints/comparison?{DAYS}&product_id={product}");
    let compared = shop.key.get(&compared).await.expect(200);
    let line = |dealer: &str, received: u32, seconds: u32| {
        json!({"kind": "quality", "product_id": product, "dealer_id": dealer, "received": received,
            "resolved": 1, "amicable": 0, "reopened": 0, "resolution_median_seconds": seconds,
            "all_median_seconds": 3_600})
    };
    let expected = [line(&shop.dealer, 2, 3_600), line(&neighbour, 1, 4 * 3_600)];
    assert_eq!(compared["rows"], json!(expected));
    // What is about no product is a line of its own, behind what is complained about more.
    let all = shop.key.get(&format!("/v1/reports/complaints/comparison?{DAYS}")).await.expect(200);
    let rows = all["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[2]["product_id"]), (3, &Value::Null));

    let repeats = shop.key.get(&format!("/v1/reports/complaints/repeats?{DAYS}")).await.expect(200);
    assert_eq!(
        repeats["rows"],
        json!([
            {"kind": "quality", "product_id": product, "cause_code": "seal_torn", "complaints": 3,
                "confirmed_defects": 2, "things": 2, "things_repeated": 1},
            {"kind": "quality", "product_id": null, "cause_code": null, "complaints": 1, "confirmed_defects": 0,
                "things": 0, "things_repeated": 0},
        ])
    );
}
