//! What is earned, in instalments, and taken back with the sale; policies tried before they count.

use super::{Shop, activates, created, gesture};
use serde_json::{Value, json};

impl Shop {
    async fn refunds(&self, order: &str) {
        let day = json!({"refunded_on": "2026-01-05"});
        self.brand.post(&format!("/v1/orders/{order}/refund"), day).await.expect(200);
        self.house.settle().await;
    }

    async fn shortfalls(&self) -> Vec<i64> {
        let path = format!("/v1/allowance-shortfalls?dealer_id={}", self.dealer);
        let shortfalls = self.manager.get(&path).await.expect(200);
        shortfalls.data().iter().rev().map(|one| one["amount_minor"].as_i64().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_refund_takes_what_is_left_and_charges_the_dealer_with_the_rest() {
    let shop = Shop::opens().await;
    let order = shop.sells(40_000).await;
    let paid = shop.asks(3_000).await.expect(201);
    shop.clerk.post(&gesture(&paid, "fulfil"), json!({"actual_minor": 3_000})).await.expect(200);
    let open = shop.asks(2_000).await.expect(201);
    let dropped = shop.asks(1_000).await.expect(201);
    shop.refunds(&order).await;
    assert_eq!(shop.books().await, (3_000, 3_000), "only what is promised is left");
    assert_eq!(shop.shortfalls().await, [3_000]);
    shop.clerk.post(&gesture(&open, "fulfil"), json!({"actual_minor": 1_500})).await.expect(200);
    shop.clerk.post(&gesture(&dropped, "cancel"), json!({})).await.expect(200);
    assert_eq!(shop.books().await, (0, 0));
    assert_eq!(shop.shortfalls().await, [3_000, 1_500]);
    shop.asks(1).await.refused(409, "insufficient_allowance");
    let again = json!({"refunded_on": "2026-01-05"});
    let again = shop.brand.post(&format!("/v1/orders/{order}/refund"), again).await;
    assert_eq!(again.refused(409, "illegal_transition")["allowed_transitions"], json!([]));
    let funding = shop.brand.get(&format!("/v1/orders/{order}/allowance")).await.expect(200);
    assert_eq!(
        (&funding["accrued_minor"], &funding["spent_minor"], &funding["expired_or_revoked_minor"]),
        (&json!(10_000), &json!(4_500), &json!(5_500))
    );
}

#[tokio::test]
async fn what_another_dealer_spends_after_the_refund_is_theirs_to_bear() {
    let shop = Shop::opens().await;
    let east = created(&shop.brand, "/v1/dealers", json!({"code": "east", "name": "东站店"})).await;
    let line = json!({"quantity": 1, "price_minor": 46_000, "cost_minor": 6_000});
    let order = json!({"customer_id": shop.customer, "dealer_id": east,
        "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
    let order = created(&shop.brand, "/v1/orders", order).await;
    shop.house.settle().await;
    let before = shop.asks(3_000).await.expect(201);
    shop.clerk.post(&gesture(&before, "fulfil"), json!({"actual_minor": 3_000})).await.expect(200);
    let open = shop.asks(2_000).await.expect(201);
    shop.refunds(&order).await;
    shop.clerk.post(&gesture(&open, "fulfil"), json!({"actual_minor": 2_000})).await.expect(200);
    assert_eq!(shop.shortfalls().await, [2_000]);
    let because = json!({"reason": "It never came."});
    shop.manager.post(&gesture(&open, "reverse"), because).await.expect(200);
    assert_eq!(shop.shortfalls().await, [2_000, -2_000]);
    let sellers = format!("/v1/allowance-shortfalls?dealer_id={east}");
    let sellers = shop.brand.get(&sellers).await.expect(200);
    assert_eq!((sellers.data().len(), &sellers.data()[0]["amount_minor"]), (1, &json!(3_000)));
    assert_eq!(shop.books().await, (0, 0));
}

#[tokio::test]
async fn a_sale_that_was_given_back_before_anybody_looked_earns_nothing() {
    let shop = Shop::opens().await;
    let line = json!({"quantity": 1, "price_minor": 10_000, "cost_minor": 6_000});
    let order = json!({"customer_id": shop.customer, "dealer_id": shop.dealer,
        "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
    let order = created(&shop.brand, "/v1/orders", order).await;
    shop.refunds(&order).await;
    let accounts = format!("/v1/allowance-accounts?customer_id={}", shop.customer);
    let accounts = shop.brand.get(&accounts).await.expect(200);
    assert!(accounts.data().iter().all(|account| account["balance_minor"] == 0));
    let quote = json!({"customer_id": shop.customer, "dealer_id": shop.dealer, "currency": "CNY",
        "lines": [{"quantity": 1, "price_minor": 10_000}]});
    let quote = created(&shop.brand, "/v1/orders", quote).await;
    let day = json!({"refunded_on": "2026-01-05"});
    let refused = shop.brand.post(&format!("/v1/orders/{quote}/refund"), day).await;
    refused.refused(409, "illegal_transition");
}

/// Half at once for gifts, half after thirty days for something personal; each lives for sixty days.
fn in_two_parts() -> Value {
    json!({"currency": "CNY", "base": "margin", "expiry_days": 60, "tiers": [
        {"from_minor": 0, "to_minor": 100_000, "rate_bp": 1_000, "instalments": [
            {"share_bp": 5_000, "purpose": "gift"},
            {"share_bp": 5_000, "offset_days": 30, "purpose": "personalised"}]},
        {"from_minor": 100_000, "rate_bp": 500}]})
}

#[tokio::test]
async fn instalments_are_released_and_expire_on_their_own_days() {
    let shop = Shop::opens().await;
    activates(&shop.brand, in_two_parts()).await;
    shop.sells(40_000).await;
    let account = shop.account().await;
    assert_eq!(
        (&account["balance_minor"], &account["pending_minor"]),
        (&json!(2_000), &json!(2_000))
    );
    assert_eq!(shop.books().await, (2_000, 0));
    shop.pass_hours_at_once(30 * 24).await;
    assert_eq!(shop.books().await, (4_000, 0));
    shop.pass_hours_at_once(30 * 24).await;
    assert_eq!(shop.books().await, (2_000, 0));
    shop.pass_hours_at_once(30 * 24).await;
    assert_eq!(shop.books().await, (0, 0));
    assert_eq!(shop.timeline().await, ["create", "accrue", "activate", "expire", "expire"]);
}

#[tokio::test]
async fn a_policy_is_tried_before_it_counts() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    shop.sells(200_000).await;
    let trial = json!({"policy": in_two_parts(), "as_of_on": "2026-03-10"});
    let tried = shop.manager.post("/v1/allowance-policies/simulate", trial).await.expect(200);
    assert_eq!(tried["orders"], 2);
    // 4 000 in two parts, of which the first has expired; 10 000 at once, which has too.
    assert_eq!(
        tried["proposed"],
        json!({"accrued_minor": 14_000, "pending_minor": 0, "released_minor": 14_000,
            "expired_minor": 12_000, "remaining_minor": 2_000, "earning_lines": 2, "lots": 3})
    );
    assert_eq!(tried["current"]["accrued_minor"], 60_000);
    assert_eq!(tried["current"]["expired_minor"], 60_000, "a month is over");
    let given = json!({"policy": in_two_parts(), "as_of_on": "2026-01-05",
        "orders": [{"paid_on": "2026-01-05", "lines": [{"price_minor": 10_000, "cost_minor": 6_000}]}]});
    let tried = shop.manager.post("/v1/allowance-policies/simulate", given).await.expect(200);
    assert_eq!(tried["proposed"]["pending_minor"], 200);
    let mut wrong = in_two_parts();
    wrong["least_per_order_minor"] = json!(2);
    wrong["most_per_order_minor"] = json!(1);
    let trial = json!({"policy": wrong});
    let refused = shop.manager.post("/v1/allowance-policies/simulate", trial).await;
    refused.refused(422, "least_above_most");
}

#[tokio::test]
async fn tiers_that_overlap_leave_gaps_or_split_badly_are_refused() {
    let shop = Shop::opens().await;
    let wrong = |first: Value| {
        json!({"currency": "CNY", "base": "price",
        "tiers": [first, {"from_minor": 100, "rate_bp": 1}]})
    };
    for (tier, code) in [
        (json!({"from_minor": 0, "to_minor": 101, "rate_bp": 1}), "tiers_overlap"),
        (json!({"from_minor": 0, "to_minor": 99, "rate_bp": 1}), "tiers_gapped"),
        (json!({"from_minor": 0, "rate_bp": 10_001}), "share_out_of_range"),
        (
            json!({"from_minor": 0, "rate_bp": 1, "instalments": [{"share_bp": 9_999}]}),
            "instalments_not_whole",
        ),
    ] {
        let refused = shop.brand.post("/v1/allowance-policies", wrong(tier)).await;
        let refused = refused.refused(422, "invalid_body");
        assert_eq!(refused["errors"][0]["code"], code);
    }
    let upside_down = json!({"currency": "CNY", "base": "price", "least_per_order_minor": 2,
        "most_per_order_minor": 1, "tiers": [{"from_minor": 0, "rate_bp": 1}]});
    let refused = shop.brand.post("/v1/allowance-policies", upside_down).await;
    refused.refused(422, "least_above_most");
    let limit =
        json!({"role": "owner", "currency": "CNY", "per_request_minor": 500, "per_day_minor": 499});
    let refused = shop.brand.post("/v1/authority-limits", limit).await;
    assert_eq!(
        refused.refused(422, "cap_below_its_parts")["errors"][0]["pointer"],
        "/per_day_minor"
    );
}

#[tokio::test]
async fn the_defaults_are_shown_and_adopted_where_nothing_was_said() {
    let shop = Shop::opens().await;
    let defaults = shop.manager.get("/v1/allowance-defaults").await.expect(200);
    assert_eq!(defaults["policy"]["tiers"][3]["instalments"].as_array().unwrap().len(), 5);
    let adopt = |currency: &str| {
        let (brand, body) = (shop.brand.clone(), json!({"currency": currency}));
        async move { brand.post("/v1/allowance-defaults/adopt", body).await.expect(200) }
    };
    let adopted = adopt("CNY").await;
    assert_eq!(adopted["policy"], Value::Null, "the shop has its own");
    assert_eq!(adopted["limits"].as_array().unwrap().len(), 5, "and three limits");
    assert_eq!(adopted["rules"]["most_gift_minor"], 5_000);
    let again = adopt("CNY").await;
    assert_eq!((&again["limits"], &again["rules"]), (&json!([]), &Value::Null));
    let dollars = adopt("USD").await;
    assert_eq!(dollars["policy"]["state"], "active");
    assert_eq!(dollars["limits"].as_array().unwrap().len(), 8);
}
