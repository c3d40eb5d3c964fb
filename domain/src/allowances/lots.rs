//! Lots: what one order line has earned, in one or several instalments, and what each may pay for.

use super::{
    accounts::EntryReason,
    gestures::{GestureKind, Given},
};
use crate::{
    ids::{
        AllowanceAccountId, AllowanceLotId, AllowanceShortfallId, CustomerId, DealerId, OrderLineId,
    },
    money::{Currency, Minor},
    record::{Record, Version},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one instalment of an order line's earnings came to, and how much of it is left.
///
/// Gestures are paid from the lot that expires first, of those that may pay for them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "lot_01m80t7jx3e9vbq2f4c6d8g0hk", "account_id": "acc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "order_line_id": "orl_01m80t7jx3e9vbq2f4c6d8g0hk", "instalment": 1, "purpose": "any", "tangible_allowed": true,
    "margin_minor": 40000, "seller_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "amount_minor": 10000, "remaining_minor": 7000, "held_minor": 0, "spent_minor": 3000,
    "active_from": "2026-11-22T00:00:00Z", "expires_at": "2027-11-22T00:00:00Z", "state": "active",
    "created_at": "2026-11-22T09:30:00Z", "version": 2})))]
pub struct AllowanceLot {
    /// The identifier.
    pub id: AllowanceLotId,
    /// The account it lies on.
    pub account_id: AllowanceAccountId,
    /// The order line that earned it; no line earns twice.
    pub order_line_id: OrderLineId,
    /// Which instalment of what the line has earned, from 1.
    pub instalment: u32,
    /// What it may be spent on.
    pub purpose: LotPurpose,
    /// Whether it may be spent on a thing. What a thin margin has earned buys service and no gifts.
    pub tangible_allowed: bool,
    /// What was earned on the order line; null when its cost is not known.
    pub margin_minor: Option<Minor>,
    /// The dealer who sold.
    pub seller_id: Option<DealerId>,
    /// What was earned.
    pub amount_minor: Minor,
    /// What is left of it.
    pub remaining_minor: Minor,
    /// The part of what is left that is promised to gestures.
    pub held_minor: Minor,
    /// What gestures have cost of it.
    pub spent_minor: Minor,
    /// When it can be spent: the day of the payment, or that of its instalment.
    pub active_from: Timestamp,
    /// When what is left of it expires; `null`: never. What is held for a gesture at that instant
    /// stays until the gesture is settled.
    pub expires_at: Option<Timestamp>,
    /// Whether something is left of it.
    pub state: AllowanceLotState,
    /// When it was accrued.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// Whether something is left of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllowanceLotState {
    /// Its day has not come.
    Pending,
    /// Something is left.
    Active,
    /// All of it was spent, the last of it on a gesture.
    Exhausted,
    /// The last of it expired.
    Expired,
    /// The sale was given back; what was not spent is gone, and what is still held goes when its gesture is settled
    /// without it.
    Revoked,
}

/// What a lot may be spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotPurpose {
    /// Whatever does the customer good.
    #[default]
    Any,
    /// Things and small favours.
    Gift,
    /// What is done for this customer alone.
    Personalised,
    /// What puts something right.
    Recovery,
    /// Thanks for a recommendation.
    ReferralReward,
}

/// The part of one lot that a gesture is, or was, paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotSplit {
    /// Which lot.
    pub lot_id: AllowanceLotId,
    /// How much of it.
    pub amount_minor: Minor,
}

/// What a sale that was given back had paid for already, charged to the dealer; written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "sho_01m80t7jx3e9vbq2f4c6d8g0hk", "account_id": "acc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "order_line_id": "orl_01m80t7jx3e9vbq2f4c6d8g0hk", "lot_id": "lot_01m80t7jx3e9vbq2f4c6d8g0hk",
    "currency": "CNY", "amount_minor": 3000, "at": "2026-11-22T09:30:00Z"})))]
pub struct AllowanceShortfall {
    /// The identifier.
    pub id: AllowanceShortfallId,
    /// The account from which it was spent.
    pub account_id: AllowanceAccountId,
    /// On whom it was spent.
    pub customer_id: CustomerId,
    /// Who bears it: the dealer who sold, of what was spent before the refund; the dealer who looks after the customer,
    /// of what is spent after it.
    pub dealer_id: Option<DealerId>,
    /// The order line that had earned it.
    pub order_line_id: OrderLineId,
    /// The lot that was spent.
    pub lot_id: AllowanceLotId,
    /// The currency of the amount.
    pub currency: Currency,
    /// By how many minor units what was spent is beyond what the sale pays for; negative when a gesture was reversed and
    /// its money is back.
    pub amount_minor: i64,
    /// What makes it impossible to charge it twice.
    #[serde(skip)]
    pub idempotency_key: String,
    /// When it was charged.
    pub at: Timestamp,
}

/// What is to be charged to a dealer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overspent {
    /// Which lot was spent.
    pub lot_id: AllowanceLotId,
    /// Whose line had earned it.
    pub order_line_id: OrderLineId,
    /// Who bears it; `None`: the dealer who looks after the customer.
    pub borne_by: Option<DealerId>,
    /// How much was spent; negative when it is back.
    pub amount_minor: i64,
    /// What makes it impossible to charge it twice.
    pub idempotency_key: String,
}

impl LotPurpose {
    /// Whether it covers gestures of this `kind`.
    pub fn covers(self, kind: GestureKind) -> bool {
        match self {
            Self::Any => true,
            Self::Gift => match kind {
                GestureKind::Gift | GestureKind::HookFavour => true,
                GestureKind::PersonalisedService
                | GestureKind::GoodwillCredit
                | GestureKind::PenaltyWaiver
                | GestureKind::ReferralReward => false,
            },
            Self::Personalised => kind == GestureKind::PersonalisedService,
            Self::Recovery => match kind {
                GestureKind::GoodwillCredit | GestureKind::PenaltyWaiver => true,
                GestureKind::Gift
                | GestureKind::HookFavour
                | GestureKind::PersonalisedService
                | GestureKind::ReferralReward => false,
            },
            Self::ReferralReward => kind == GestureKind::ReferralReward,
        }
    }
}

impl AllowanceLot {
    /// Its place in the order of spending: what expires first, then what was earned first.
    pub(super) fn turn(&self) -> impl Ord + use<> {
        (self.expires_at.is_none(), self.expires_at, self.active_from, self.id)
    }

    /// What is neither spent nor promised.
    pub fn free_minor(&self) -> Minor {
        self.remaining_minor.less(self.held_minor)
    }

    /// Whether it may be spent on what is `given` now.
    pub fn pays_for(&self, given: Given) -> bool {
        self.state == AllowanceLotState::Active
            && self.purpose.covers(given.kind)
            && (self.tangible_allowed || !given.tangible)
    }

    /// What is to be taken out of it at `now` because its date has come, or the sale was given back.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<(Minor, EntryReason)> {
        let reason = match self.state {
            AllowanceLotState::Revoked => EntryReason::OrderRefunded,
            AllowanceLotState::Active if self.expires_at.is_some_and(|at| at <= now) => {
                EntryReason::LotExpired
            }
            AllowanceLotState::Active
            | AllowanceLotState::Pending
            | AllowanceLotState::Exhausted
            | AllowanceLotState::Expired => return None,
        };
        Some((self.free_minor(), reason)).filter(|(free, _)| *free > Minor::ZERO)
    }

    /// Whether its day has come.
    pub(super) fn is_ripe(&self, now: Timestamp) -> bool {
        self.state == AllowanceLotState::Pending && self.active_from <= now
    }

    /// Takes `amount` of what is left; `emptied` is the state when that was all of it.
    pub(super) fn take(&mut self, amount: Minor, emptied: AllowanceLotState) {
        self.remaining_minor = self.remaining_minor.less(amount);
        let is_open = match self.state {
            AllowanceLotState::Pending | AllowanceLotState::Active => true,
            AllowanceLotState::Exhausted
            | AllowanceLotState::Expired
            | AllowanceLotState::Revoked => false,
        };
        if is_open && self.remaining_minor == Minor::ZERO {
            self.state = emptied;
        }
    }
}

impl Record for AllowanceShortfall {
    type Id = AllowanceShortfallId;

    fn id(&self) -> AllowanceShortfallId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Record for AllowanceLot {
    type Id = AllowanceLotId;

    fn id(&self) -> AllowanceLotId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}
