//! Reports: what allowances have come to.

use super::gestures::GestureKind;
use crate::{
    ids::{DealerId, GestureId, OrderId},
    money::{Currency, Minor},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one dealer's customers still have to get, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY", "accounts": 120,
    "balance_minor": 480_000, "held_minor": 12_000, "pending_minor": 90_000})))]
pub struct LiabilityRow {
    /// Who looks after the customers; null: nobody but the brand.
    pub dealer_id: Option<DealerId>,
    /// The currency.
    pub currency: Currency,
    /// How many accounts there are.
    pub accounts: i64,
    /// What is set aside and not spent.
    pub balance_minor: i64,
    /// The part of it that is promised to gestures.
    pub held_minor: i64,
    /// What is released later.
    pub pending_minor: i64,
}

/// What one dealer's customers did not get in time, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY", "lots": 14,
    "expired_minor": 52_000})))]
pub struct BreakageRow {
    /// Who looks after the customers; null: nobody but the brand.
    pub dealer_id: Option<DealerId>,
    /// The currency.
    pub currency: Currency,
    /// From how many lots something has expired.
    pub lots: i64,
    /// How much.
    pub expired_minor: i64,
}

/// By what the cost of gestures is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpendBy {
    /// The role of who asked for them.
    #[default]
    Rank,
    /// Whose people see them.
    Dealer,
    /// What they are.
    Kind,
    /// Whose interest they serve.
    Interest,
}

/// What some gestures have cost, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"key": "clerk", "currency": "CNY", "gestures": 40, "free_gestures": 12,
    "spent_minor": 84_000, "perceived_value_minor": 130_000})))]
pub struct SpendRow {
    /// Which: a role, a dealer, a kind or an interest; null: those of no dealer, or of
    /// somebody of the brand whom the caller does not see.
    pub key: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// How many gestures were carried out.
    pub gestures: i64,
    /// How many of them have cost nothing.
    pub free_gestures: i64,
    /// What they have cost.
    pub spent_minor: i64,
    /// What they were worth to customers, as far as somebody said.
    pub perceived_value_minor: i64,
}

/// What a sale has earned for service to its customer, and what that has paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"order_id": "ord_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY", "price_minor": 10000,
    "margin_minor": 4000, "lines_without_cost": 0, "lots": 1, "accrued_minor": 1000, "pending_minor": 0,
    "remaining_minor": 200, "held_minor": 0, "spent_minor": 800, "expired_or_revoked_minor": 0,
    "gestures": [{"gesture_id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "gift", "paid_minor": 800}]})))]
pub struct OrderFunding {
    /// Which sale.
    pub order_id: OrderId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// What was paid for all lines.
    pub price_minor: Minor,
    /// What was earned on the lines whose cost is known.
    pub margin_minor: Minor,
    /// How many lines have no known cost.
    pub lines_without_cost: usize,
    /// Into how many lots it went.
    pub lots: i64,
    /// What was set aside.
    pub accrued_minor: i64,
    /// What is released later.
    pub pending_minor: i64,
    /// What is left to be spent.
    pub remaining_minor: i64,
    /// The part of what is left that is promised.
    pub held_minor: i64,
    /// What gestures have cost of it.
    pub spent_minor: i64,
    /// What expired, or was taken back with the sale.
    pub expired_or_revoked_minor: i64,
    /// The first 200 gestures that were paid from it.
    pub gestures: Vec<FundedGesture>,
}

/// What a gesture has cost of what one sale had earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FundedGesture {
    /// Which gesture.
    pub gesture_id: GestureId,
    /// What it was.
    pub kind: GestureKind,
    /// How much it has cost of it.
    pub paid_minor: i64,
}
