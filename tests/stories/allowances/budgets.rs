//! Budgets above the customers' accounts.

use super::{Shop, created, gesture, told};
use crate::house::Reply;
use serde_json::{Value, json};

impl Shop {
    async fn opens_budget(&self, whose: Value) -> String {
        let mut request = whose;
        request["currency"] = "CNY".into();
        created(&self.brand, "/v1/allowance-budgets", request).await
    }

    async fn funds(&self, budget: &str, amount_minor: i64) -> Reply {
        let transfer = json!({"amount_minor": amount_minor, "reason": "January"});
        let funded =
            self.brand.post(&format!("/v1/allowance-budgets/{budget}/fund"), transfer).await;
        self.house.settle().await;
        funded.expect(200)
    }

    /// Balance and held part of a budget, after adding its lines up.
    async fn left_in(&self, budget: &str) -> (i64, i64) {
        let path = format!("/v1/allowance-budgets/{budget}");
        let shown = self.brand.get(&path).await.expect(200);
        let lines = self.brand.get(&format!("{path}/entries?limit=200")).await.expect(200);
        let sum = |field: &str| -> i64 {
            lines.data().iter().map(|line| line[field].as_i64().unwrap()).sum()
        };
        let (balance, held) = (sum("balance_change_minor"), sum("held_change_minor"));
        assert_eq!(
            (&shown["balance_minor"], &shown["held_minor"]),
            (&json!(balance), &json!(held))
        );
        assert_eq!(shown["available_minor"], balance - held);
        (balance, held)
    }

    async fn state_of(&self, given: &Reply) -> Value {
        let path = format!("/v1/gestures/{}", given.id());
        self.clerk.get(&path).await.expect(200)["state"].clone()
    }
}

#[tokio::test]
async fn a_gesture_waits_for_its_dealer_s_budget_and_goes_on_by_itself() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let budget = shop.opens_budget(json!({"dealer_id": shop.dealer})).await;
    let twice = json!({"dealer_id": shop.dealer, "currency": "CNY"});
    shop.brand.post("/v1/allowance-budgets", twice).await.refused(409, "already_exists");
    let first = shop.asks(3_000).await.expect(201);
    assert_eq!((&first["state"], told(&first)), (&json!("parked"), vec!["dealer_budget"]));
    let second = shop.asks(2_000).await.expect(201);
    assert_eq!(shop.books().await, (10_000, 5_000), "the customer's money is kept for both");
    let bill = json!({"actual_minor": 1});
    let early = shop.clerk.post(&gesture(&first, "fulfil"), bill).await;
    early.refused(409, "illegal_transition");

    shop.funds(&budget, 3_500).await;
    assert_eq!(shop.state_of(&first).await, "approved");
    assert_eq!(shop.state_of(&second).await, "parked");
    assert_eq!(shop.left_in(&budget).await, (3_500, 3_000));
    let bill = json!({"actual_minor": 1_000});
    shop.clerk.post(&gesture(&first, "fulfil"), bill).await.expect(200);
    shop.house.settle().await;
    assert_eq!(shop.state_of(&second).await, "approved", "what was not needed lets it go on");
    assert_eq!(shop.left_in(&budget).await, (2_500, 2_000));
    shop.clerk.post(&gesture(&second, "cancel"), json!({})).await.expect(200);
    assert_eq!(shop.left_in(&budget).await, (2_500, 0));
    assert_eq!(shop.books().await, (9_000, 0));
    let lines = format!("/v1/audit-entries?subject={}", second.id());
    let lines = shop.brand.get(&lines).await.expect(200);
    let told: Vec<_> =
        lines.data().iter().rev().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["ask", "unpark", "cancel"]);
}

#[tokio::test]
async fn team_dealer_and_brand_each_need_the_money() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let team = json!({"dealer_id": shop.dealer, "name": "早班"});
    let team = created(&shop.brand, "/v1/teams", team).await;
    let clerk = format!("/v1/staff/{}", shop.clerk_id);
    shop.brand.patch(&clerk, "*", json!({"team_id": team})).await.expect(200);
    let mates = shop.brand.get(&format!("/v1/staff?team_id={team}")).await.expect(200);
    assert_eq!(mates.data().len(), 1);
    let budgets = [
        shop.opens_budget(json!({"team_id": team})).await,
        shop.opens_budget(json!({"dealer_id": shop.dealer})).await,
        shop.opens_budget(json!({})).await,
    ];
    let given = shop.asks(3_000).await.expect(201);
    let mut short = told(&given);
    short.sort_unstable();
    assert_eq!(short, ["brand_budget", "dealer_budget", "team_budget"]);
    for (place, budget) in budgets.iter().enumerate() {
        assert_eq!(shop.state_of(&given).await, "parked", "{place}");
        shop.funds(budget, 4_000).await;
    }
    assert_eq!(shop.state_of(&given).await, "approved");
    for budget in &budgets {
        assert_eq!(shop.left_in(budget).await, (4_000, 3_000));
    }
    let managers = shop.manager.post("/v1/gestures", super::gift(&shop.customer, 1_000)).await;
    assert_eq!(managers.expect(201)["state"], "approved");
    assert_eq!(shop.left_in(&budgets[0]).await, (4_000, 3_000), "the manager is in no team");
    assert_eq!(shop.left_in(&budgets[2]).await, (4_000, 4_000));
    let out = json!({"amount_minor": 1_001, "reason": "Too much"});
    let taken =
        shop.brand.post(&format!("/v1/allowance-budgets/{}/withdraw", budgets[0]), out).await;
    assert_eq!(taken.refused(409, "budget_short")["available"]["amount"], 1_000);
}

#[tokio::test]
async fn a_parked_gesture_is_let_go_in_time_and_a_cost_beyond_needs_the_budget() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let budget = shop.opens_budget(json!({"dealer_id": shop.dealer})).await;
    let parked = shop.asks(3_000).await.expect(201);
    shop.pass_hours_at_once(14 * 24).await;
    assert_eq!(shop.state_of(&parked).await, "expired");
    assert_eq!(shop.books().await, (10_000, 0));
    shop.funds(&budget, 3_000).await;
    assert_eq!(shop.left_in(&budget).await, (3_000, 0), "it does not come back");
    let given = shop.asks(2_500).await.expect(201);
    let bill = |actual_minor: i64| json!({"actual_minor": actual_minor});
    let fulfil = gesture(&given, "fulfil");
    let refused = shop.clerk.post(&fulfil, bill(3_001)).await.refused(409, "gesture_over_budget");
    assert_eq!(refused["failed_limits"][0]["limit"], "dealer_budget");
    shop.clerk.post(&fulfil, bill(3_000)).await.expect(200);
    assert_eq!(shop.left_in(&budget).await, (0, 0));
}

#[tokio::test]
async fn a_budget_is_one_team_s_or_one_dealer_s() {
    let shop = Shop::opens().await;
    let east = created(&shop.brand, "/v1/dealers", json!({"code": "east", "name": "东站店"})).await;
    let team = json!({"dealer_id": east, "name": "早班"});
    let team = created(&shop.brand, "/v1/teams", team).await;
    let both = json!({"dealer_id": shop.dealer, "team_id": team, "currency": "CNY"});
    let refused = shop.brand.post("/v1/allowance-budgets", both).await;
    refused.refused(422, "team_of_another_dealer");
}

#[tokio::test]
async fn what_was_granted_before_there_was_a_budget_is_not_paid_from_it() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let (one, two) = (shop.asks(3_000).await.expect(201), shop.asks(2_000).await.expect(201));
    let budget = shop.opens_budget(json!({"dealer_id": shop.dealer})).await;
    shop.funds(&budget, 5_000).await;
    let bill = json!({"actual_minor": 3_000});
    shop.clerk.post(&gesture(&one, "fulfil"), bill).await.expect(200);
    shop.clerk.post(&gesture(&two, "cancel"), json!({})).await.expect(200);
    assert_eq!(shop.left_in(&budget).await, (5_000, 0));
    let because = json!({"reason": "It never came."});
    shop.manager.post(&gesture(&one, "reverse"), because).await.expect(200);
    assert_eq!(shop.left_in(&budget).await, (5_000, 0));
}

#[tokio::test]
async fn a_dealer_s_people_see_their_budget_and_the_brand_s_and_fund_neither() {
    let shop = Shop::opens().await;
    shop.opens_budget(json!({"dealer_id": shop.dealer})).await;
    let brands = shop.opens_budget(json!({})).await;
    let east = created(&shop.brand, "/v1/dealers", json!({"code": "east", "name": "东站店"})).await;
    let easts = shop.opens_budget(json!({"dealer_id": east})).await;
    let seen = shop.manager.get("/v1/allowance-budgets").await.expect(200);
    assert_eq!(seen.data().len(), 2);
    let path = format!("/v1/allowance-budgets/{easts}");
    shop.manager.get(&path).await.refused(404, "not_found");
    let lines = format!("/v1/allowance-budgets/{brands}/entries");
    shop.manager.get(&lines).await.refused(404, "not_found");
    shop.brand.get(&lines).await.expect(200);
    let transfer = json!({"amount_minor": 1, "reason": "Please"});
    let fund = format!("/v1/allowance-budgets/{brands}/fund");
    shop.manager.post(&fund, transfer).await.refused(403, "forbidden");
}
