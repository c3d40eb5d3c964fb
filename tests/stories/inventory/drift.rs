//! Yesterday's service becomes today's obligation.

use super::{Shop, mistake};
use serde_json::{Value, json};

#[tokio::test]
async fn yesterdays_service_becomes_todays_obligation_and_that_is_recorded() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 4_999, "2026-01-03").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    let seen = shop.benchmark(&item, 5_000, "2026-01-04").await.expect(201).id();
    assert_eq!(shop.class_of(&item).await, "obligation");
    let changes = shop.class_changes(&item).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["benchmark_id"], seen.as_str());
    assert_eq!(
        (&changes[0]["from_class"], &changes[0]["to_class"], &changes[0]["reason"]),
        (&json!("service"), &json!("obligation"), &Value::Null)
    );
    let told = shop.timeline(&item).await;
    assert_eq!(
        (&told[1]["action"], &told[1]["facts"]["to"]),
        (&json!("drift"), &json!("obligation"))
    );
    // It is an obligation already: nothing drifts again, nor back.
    shop.benchmark(&item, 9_000, "2026-01-05").await.expect(201);
    shop.benchmark(&item, 0, "2026-01-05").await.expect(201);
    assert_eq!(shop.class_changes(&item).await.len(), 1);
    let path = format!("/v1/service-items/{item}/benchmarks");
    let shares = shop.key.get(&path).await.expect(200);
    let shares: Vec<_> = shares.data().iter().map(|one| one["peers_offering_bp"].clone()).collect();
    assert_eq!(shares, [4_999, 5_000, 9_000, 0]);
}

#[tokio::test]
async fn an_older_observation_changes_no_class_and_nobody_has_seen_tomorrow() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 100, "2026-01-04").await.expect(201);
    shop.benchmark(&item, 9_000, "2026-01-03").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    let ahead = shop.benchmark(&item, 9_000, "2026-01-07").await.refused(422, "day_not_begun");
    assert_eq!(ahead["errors"][0]["pointer"], "/observed_on", "{ahead:?}");
}

#[tokio::test]
async fn the_brand_says_from_which_share_of_peers_on_it_is_an_obligation() {
    let shop = Shop::opens().await;
    let brand = shop.key.get("/v1/brand").await.expect(200);
    assert_eq!(
        (&brand["obligation_from_bp"], &brand["personalised_most_bp"]),
        (&json!(5_000), &json!(3_000))
    );
    let nobody = json!({"obligation_from_bp": 0});
    let nobody = shop.key.patch("/v1/brand", brand.etag(), nobody).await;
    let nobody = mistake(&nobody.refused(422, "invalid_body"));
    assert_eq!(nobody, ("/obligation_from_bp".to_owned(), "out_of_range".to_owned()));
    let stricter = json!({"obligation_from_bp": 8_000});
    shop.key.patch("/v1/brand", brand.etag(), stricter).await.expect(200);
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 7_999, "2026-01-04").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    shop.benchmark(&item, 8_000, "2026-01-04").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "obligation");
}

#[tokio::test]
async fn benchmarks_that_come_at_once_change_the_class_once() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    let seen = (0..8).map(|_| shop.benchmark(&item, 9_000, "2026-01-04"));
    for reply in futures::future::join_all(seen).await {
        reply.expect(201);
    }
    assert_eq!(shop.class_changes(&item).await.len(), 1);
}

#[tokio::test]
async fn somebody_puts_an_item_into_the_other_class_and_says_why() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    let path = format!("/v1/service-items/{item}/reclassify");
    let told = json!({"class": "obligation", "reason": "隔壁两家都这样做。"});
    let changed = shop.key.post(&path, told.clone()).await.expect(200);
    assert_eq!((&changed["class"], &changed["version"]), (&json!("obligation"), &json!(2)));
    shop.key.post(&path, told).await.refused(409, "same_service_class");
    let back = json!({"class": "service", "reason": "They stopped."});
    shop.key.post(&path, back).await.expect(200);
    let changes = shop.class_changes(&item).await;
    let reasons: Vec<_> = changes.iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["They stopped.", "隔壁两家都这样做。"]);
    let unsaid = shop.key.post(&path, json!({"class": "service"})).await;
    assert_eq!(mistake(&unsaid.refused(422, "invalid_body")).0, "/reason");
}

#[tokio::test]
async fn a_drift_is_found_by_the_brand_with_its_numbers() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 4_999, "2026-01-03").await.expect(201);
    assert_eq!(shop.findings("class_drift").await, []);
    shop.benchmark(&item, 6_200, "2026-01-04").await.expect(201);
    let numbers = json!({"peers_offering_bp": 6_200, "obligation_from_bp": 5_000});
    let drifted = [(json!(item), json!("open"), numbers)];
    assert_eq!(shop.findings("class_drift").await, drifted);
    // By hand it is no drift, and the same drift is told once in a month.
    let path = format!("/v1/service-items/{item}/reclassify");
    let back = json!({"class": "service", "reason": "They stopped."});
    shop.key.post(&path, back).await.expect(200);
    shop.benchmark(&item, 7_000, "2026-01-05").await.expect(201);
    assert_eq!(shop.class_changes(&item).await.len(), 3);
    assert_eq!(shop.findings("class_drift").await, drifted);
}

#[tokio::test]
async fn what_is_seen_in_one_place_is_compared_with_that_place() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    let path = format!("/v1/service-items/{item}/benchmarks");
    let seen = async |territory: Value, peers_bp: u32, observed_on: &str| {
        let seen = json!({
            "peers_offering_bp": peers_bp, "observed_on": observed_on, "source": "20 shops",
            "territory": territory,
        });
        shop.key.post(&path, seen).await.expect(201);
    };
    seen(json!("上海"), 100, "2026-01-05").await;
    seen(json!("杭州"), 100, "2026-01-03").await;
    seen(json!("杭州"), 9_000, "2026-01-02").await;
    seen(Value::Null, 100, "2026-01-04").await;
    seen(Value::Null, 9_000, "2026-01-03").await;
    assert_eq!(shop.class_of(&item).await, "service");
    // Shanghai and everywhere were looked at since, and are other places.
    seen(json!("杭州"), 9_000, "2026-01-03").await;
    assert_eq!(shop.class_of(&item).await, "obligation");
}
