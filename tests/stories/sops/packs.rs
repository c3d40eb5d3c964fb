//! A brand begins with the procedures of its trade, and makes them its own.

use super::{Shop, create_sop, say, start};
use domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_pack_is_looked_at_in_both_languages_and_adopted_in_one() {
    let shop = Shop::opens().await;
    let packs = shop.key.get("/v1/starter-packs").await.expect(200);
    let codes: Vec<_> =
        packs["packs"].as_array().unwrap().iter().map(|pack| &pack["code"]).collect();
    let trades = [
        "apparel",
        "car_dealer",
        "e_bike",
        "furniture_mattress",
        "hotel",
        "renovation",
        "water_purifier",
    ];
    assert_eq!(codes, trades);
    let chinese = shop.key.opens("/v1/starter-packs/hotel", "zh-CN").await.expect(200);
    assert_eq!((&chinese["name"], chinese.header("content-language")), (&json!("酒店"), "zh-CN"));
    let english = shop.key.opens("/v1/starter-packs/hotel", "en").await.expect(200);
    assert_eq!((&english["name"], english.header("content-language")), (&json!("Hotels"), "en"));
    let count = english["sops"].as_array().unwrap().len();

    let path = "/v1/starter-packs/hotel/adopt";
    let report = shop.key.post(path, json!({ "locale": "zh-CN" })).await.expect(200);
    assert_eq!(report["created"], json!(count));
    let adopted = shop.key.get("/v1/sops?code=hotel-check-in").await.expect(200);
    assert_eq!(adopted.data()[0]["name"], "入住接待");
    let sop = adopted.data()[0]["id"].as_str().unwrap();
    let versions = shop.key.get(&format!("/v1/sops/{sop}/versions")).await.expect(200);
    let version = &versions.data()[0];
    assert_eq!(
        (&version["state"], &version["change_note"]),
        (&json!("draft"), &json!("来自入门包“酒店”。"))
    );

    // A draft is nothing to follow until somebody has looked at it.
    start(&shop.key, sop).await.refused(409, "sop_not_published");
    let version = version["id"].as_str().unwrap();
    say(&shop.key, version, "submit").await.expect(200);
    say(&shop.key, version, "publish").await.expect(200);
    start(&shop.key, sop).await.expect(201);

    let again = shop.key.post(path, json!({ "locale": "en" })).await.expect(200);
    assert_eq!((&again["created"], &again["kept"]), (&json!(0), &json!(count)));
    assert_eq!(shop.key.get(&format!("/v1/sops/{sop}")).await["name"], "入住接待");
}

#[tokio::test]
async fn every_pack_can_be_adopted_reviewed_published_and_followed() {
    let shop = Shop::opens().await;
    // What the procedures perform is there before they come into force.
    for service in ["brake-pads", "filter-change", "mattress-care", "wall-repair"] {
        shop.service(service).await;
    }
    let packs = shop.key.get("/v1/starter-packs").await.expect(200);
    for pack in packs["packs"].as_array().unwrap() {
        let path = format!("/v1/starter-packs/{}/adopt", pack["code"].as_str().unwrap());
        let report = shop.key.post(&path, json!({ "locale": "en" })).await.expect(200);
        assert_eq!(report["created"], pack["sop_count"]);
        for sop in report["sops"].as_array().unwrap() {
            let version = sop["sop_version_id"].as_str().unwrap();
            say(&shop.key, version, "submit").await.expect(200);
            say(&shop.key, version, "publish").await.expect(200);
            start(&shop.key, sop["sop_id"].as_str().unwrap()).await.expect(201);
        }
    }
    // What was adopted is exported and handed in like what somebody wrote.
    let text = shop.key.get("/v1/sops/export").await.expect(200).text;
    let request = shop.key.request(Method::POST, "/v1/sops/import");
    let request = request.header("content-type", "application/yaml").body(text);
    let report = shop.key.send(request).await.expect(200);
    assert_eq!((&report["drafted"], &report["changed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_procedure_that_is_there_is_left_alone() {
    let shop = Shop::opens().await;
    create_sop(&shop.key, "hotel-check-in").await.expect(201);
    let path = "/v1/starter-packs/hotel/adopt";
    let report = shop.key.post(path, json!({ "locale": "en" })).await.expect(200);
    assert_eq!(report["kept"], 1);
    let kept = report["sops"].as_array().unwrap().iter().find(|sop| sop["action"] == "kept");
    assert_eq!(
        (&kept.unwrap()["code"], &kept.unwrap()["number"]),
        (&json!("hotel-check-in"), &Value::Null)
    );
    let own = shop.key.get("/v1/sops?code=hotel-check-in").await.expect(200);
    assert_eq!(
        (&own.data()[0]["name"], &own.data()[0]["latest_number"]),
        (&json!("换滤芯"), &json!(0))
    );
}

#[tokio::test]
async fn what_is_no_pack_or_no_language_is_refused() {
    let shop = Shop::opens().await;
    shop.key.get("/v1/starter-packs/bakery").await.refused(404, "not_found");
    let bakery = shop.key.post("/v1/starter-packs/bakery/adopt", json!({ "locale": "en" })).await;
    bakery.refused(404, "not_found");
    let path = "/v1/starter-packs/hotel/adopt";
    shop.key.post(path, json!({ "locale": "fr" })).await.refused(422, "invalid_body");
    shop.key.post(path, json!({})).await.refused(422, "invalid_body");
    let (_, owner) = shop.hires(Role::Owner, &shop.dealer).await;
    owner.post(path, json!({ "locale": "en" })).await.refused(403, "forbidden");
    assert!(shop.key.get("/v1/sops").await.expect(200).data().is_empty());
}
