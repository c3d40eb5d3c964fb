//! What small things a brand gives, and what is suggested.

use super::{Shop, created, gift};
use serde_json::{Value, json};

#[tokio::test]
async fn a_bundle_costs_its_cap_and_not_one_fen_more_whatever_becomes_of_its_parts() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({})).await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let bundle = |cap: i64| {
        json!({"code": format!("box-{cap}"), "name": "礼盒", "currency": "CNY", "cost_cap_minor": cap,
            "parts": [{"gift_id": tea, "quantity": 2}, {"gift_id": card}]})
    };
    let refused =
        shop.key.post("/v1/gift-bundles", bundle(4_299)).await.refused(422, "bundle_over_cap");
    assert_eq!(refused["parts_cost"], json!({"amount": 4_300, "currency": "CNY"}));
    assert_eq!(refused["cost_cap"], json!({"amount": 4_299, "currency": "CNY"}));
    let id = created(&shop.key, "/v1/gift-bundles", bundle(4_300)).await;
    // The part does not grow dearer than the bundle allows.
    let path = format!("/v1/gifts/{tea}");
    let dearer = shop.key.patch(&path, "*", json!({"cost_minor": 2_001})).await;
    let dearer = dearer.refused(422, "bundle_over_cap");
    assert_eq!(
        (&dearer["bundle_code"], &dearer["parts_cost"]["amount"]),
        (&json!("box-4300"), &json!(4_302))
    );
    assert_eq!(dearer["errors"][0]["pointer"], "/cost_minor");
    let path_of_bundle = format!("/v1/gift-bundles/{id}");
    let lower = shop.key.patch(&path_of_bundle, "*", json!({"cost_cap_minor": 4_000})).await;
    let lower = lower.refused(422, "bundle_over_cap");
    assert_eq!(lower["errors"][0]["pointer"], "/cost_cap_minor");
    // Once the bundle is retired it may, and then the bundle does not come back.
    shop.key.post(&format!("{path_of_bundle}/retire"), json!({})).await.expect(200);
    shop.key.patch(&path, "*", json!({"cost_minor": 2_001})).await.expect(200);
    let back = format!("{path_of_bundle}/reinstate");
    shop.key.post(&back, json!({})).await.refused(422, "bundle_over_cap");
    let raised = json!({"cost_cap_minor": 4_302});
    shop.key.patch(&path_of_bundle, "*", raised).await.expect(200);
    shop.key.post(&back, json!({})).await.expect(200);
}

#[tokio::test]
async fn two_parts_that_grow_dearer_at_once_do_not_break_the_cap_together() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (1_000, 1), json!({})).await;
    let card = shop.gift("card", (1_000, 1), json!({})).await;
    let bundle = json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 2_500,
        "parts": [{"gift_id": tea}, {"gift_id": card}]});
    created(&shop.key, "/v1/gift-bundles", bundle).await;
    let paths = [format!("/v1/gifts/{tea}"), format!("/v1/gifts/{card}")];
    let dearer = paths.iter().map(|path| shop.key.patch(path, "*", json!({"cost_minor": 1_500})));
    let mut statuses: Vec<_> =
        futures::future::join_all(dearer).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[tokio::test]
async fn a_bundle_names_gifts_that_are_there_once_each_in_one_currency() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({})).await;
    let foreign = shop.gift("cup", (2_000, 4_000), json!({"currency": "USD"})).await;
    let bundle = |parts: Value| json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 9_000, "parts": parts});
    let part = |id: &str| json!({"gift_id": id});
    let nobodys = "gft_01m80t7jx3e9vbq2f4c6d8g0hk";
    for (parts, code) in [
        (json!([]), "bundle_part_count"),
        (json!(vec![part(nobodys); 21]), "bundle_part_count"),
        (json!([part(&tea), part(&tea)]), "bundle_part_twice"),
        (json!([part(&tea), part(&foreign)]), "bundle_currencies_differ"),
        (json!([part(&tea), part(nobodys)]), "unknown_reference"),
    ] {
        shop.key.post("/v1/gift-bundles", bundle(parts)).await.refused(422, code);
    }
}

#[tokio::test]
async fn a_gift_falls_back_to_one_that_costs_less() {
    let shop = Shop::opens().await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let fallback = json!({"fallback_gift_id": card});
    let same = gift("pen", (300, 900), fallback.clone());
    shop.key.post("/v1/gifts", same).await.refused(422, "fallback_not_cheaper");
    // The cheapest of those that fall back to it decides.
    shop.gift("cup", (900, 900), fallback.clone()).await;
    shop.gift("pen", (301, 900), fallback).await;
    let dearer =
        shop.key.patch(&format!("/v1/gifts/{card}"), "*", json!({"cost_minor": 301})).await;
    let dearer = dearer.refused(422, "fallback_not_cheaper");
    assert_eq!(dearer["cost"], json!({"amount": 301, "currency": "CNY"}));
    assert_eq!(dearer["errors"][0]["pointer"], "/cost_minor");
    let band = json!({"least_margin_minor": 2, "most_margin_minor": 1});
    let empty = gift("mug", (1, 1), band);
    shop.key.post("/v1/gifts", empty).await.refused(422, "margin_band_reversed");
}

#[tokio::test]
async fn the_best_gift_for_the_money_is_suggested_in_its_time() {
    let shop = Shop::opens().await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let cakes = json!({"festivals": ["mid_autumn"], "stock": 10, "least_margin_minor": 30_000,
        "fallback_gift_id": card});
    let cakes = shop.gift("moon-cake", (2_800, 16_800), cakes).await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({"seasons": ["spring"]})).await;
    let parts = json!([{"gift_id": tea}, {"gift_id": card}]);
    let bundle = json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 2_300, "parts": parts});
    created(&shop.key, "/v1/gift-bundles", bundle).await;
    let autumn = "on=2026-09-20&margin_minor=30000";
    assert_eq!(shop.suggested(&format!("budget_minor=2800&{autumn}")).await, ["moon-cake", "card"]);
    assert_eq!(shop.suggested(&format!("budget_minor=2799&{autumn}")).await, ["card"]);
    assert_eq!(
        shop.suggested("budget_minor=2800&on=2026-09-20&margin_minor=29999").await,
        ["card"]
    );
    assert_eq!(shop.suggested("budget_minor=2800&on=2026-09-20").await, ["card"]);
    assert_eq!(shop.suggested("budget_minor=2300&on=2026-04-20").await, ["card", "box", "tea"]);
    // The story is told in January, which is winter.
    assert_eq!(shop.suggested("budget_minor=2300").await, ["card"]);
    let sold_out = shop.key.patch(&format!("/v1/gifts/{cakes}"), "*", json!({"stock": 0})).await;
    sold_out.expect(200);
    assert_eq!(shop.suggested(&format!("budget_minor=2800&{autumn}")).await, ["card"]);
    shop.key.post(&format!("/v1/gifts/{card}/retire"), json!({})).await.expect(200);
    assert_eq!(shop.suggested("budget_minor=2300&on=2026-04-20").await, ["tea"]);
}

#[tokio::test]
async fn nothing_is_suggested_in_place_of_what_is_not_wanted() {
    let shop = Shop::opens().await;
    let lantern = shop.gift("lantern", (300, 900), json!({"festivals": ["lantern"]})).await;
    let more = json!({"fallback_gift_id": lantern, "stock": 0, "least_margin_minor": 1_000});
    let tea = shop.gift("tea", (2_000, 4_000), more).await;
    let july = "budget_minor=9000&on=2026-07-01&margin_minor=";
    assert_eq!(shop.suggested(&format!("{july}1000")).await, ["lantern"]);
    assert_eq!(shop.suggested(&format!("{july}999")).await, [""; 0]);
    shop.key.post(&format!("/v1/gifts/{tea}/retire"), json!({})).await.expect(200);
    assert_eq!(shop.suggested(&format!("{july}1000")).await, [""; 0]);
}

#[tokio::test]
async fn when_the_budget_is_enough_for_nothing_a_call_costs_nothing() {
    let shop = Shop::opens().await;
    shop.gift("card", (300, 1_500), json!({})).await;
    shop.item("call", json!({"est_cost_minor": 0, "perceived_value_minor": 500})).await;
    shop.item("greeting", json!({"est_cost_minor": 0, "perceived_value_minor": 900})).await;
    shop.item("visit", json!({})).await;
    shop.item("answer", json!({"est_cost_minor": 0, "class": "obligation"})).await;
    shop.item("gold", json!({"est_cost_minor": 0, "eligibility": "customer.tier == 'gold'"})).await;
    assert_eq!(shop.suggested("budget_minor=299").await, ["greeting", "call"]);
    assert_eq!(shop.suggested("budget_minor=300").await, ["card"]);
    let dollars = "/v1/gift-suggestions?budget_minor=299&currency=USD";
    let dollars = shop.key.get(dollars).await.expect(200);
    assert_eq!(dollars["suggestions"][0]["currency"], "CNY");
    let missing = shop.key.get("/v1/gift-suggestions?currency=CNY").await;
    assert_eq!(missing.status.as_u16(), 400, "{missing:?}");
}
