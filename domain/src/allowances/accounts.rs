//! Accounts: what is set aside for a customer, from which sale it came, and every line of how it moved.

use super::gestures::GestureInterest;
use crate::{
    change::Change,
    ids::{
        AllowanceAccountId, AllowanceEntryId, AllowanceLotId, CustomerId, DealerId, GestureId,
        OrderLineId,
    },
    money::{Currency, Minor, Money},
    record::{Record, Version},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Money set aside for service to one customer, in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "acc_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY", "balance_minor": 10000,
    "held_minor": 3000, "available_minor": 7000, "pending_minor": 0, "created_at": "2026-11-22T09:30:00Z",
    "version": 3})))]
pub struct AllowanceAccount {
    /// The identifier.
    pub id: AllowanceAccountId,
    /// For whom it is set aside.
    pub customer_id: CustomerId,
    /// The dealer who looks after the customer.
    pub dealer_id: Option<DealerId>,
    /// The currency of every amount on it.
    pub currency: Currency,
    /// What is set aside and not spent: the sum of what remains of the lots.
    pub balance_minor: Minor,
    /// The part of the balance that is promised to gestures and not spent yet.
    pub held_minor: Minor,
    /// What may still be promised: the balance without the held part. What has reached its date leaves
    /// it in the night after, or before it would be promised. A gesture may be paid from a part of it only, when
    /// lots are kept for another purpose.
    pub available_minor: Minor,
    /// What was earned and is released later, in instalments.
    pub pending_minor: Minor,
    /// When the first sale was accrued.
    pub created_at: Timestamp,
    /// How often money moved on it.
    pub version: Version,
}

/// One line of an account; written once, never changed.
///
/// The changes of the balance add up to the balance, those of the held part to the held part, and those of what is
/// released later to that.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "ent_01m80t7jx3e9vbq2f4c6d8g0hk", "account_id": "acc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "kind": "hold", "reason": "gesture_asked",
    "document": {"kind": "gesture", "id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk"}, "interest": "customer",
    "lot_id": "lot_01m80t7jx3e9vbq2f4c6d8g0hk",
    "balance_change_minor": 0, "held_change_minor": 3000, "pending_change_minor": 0, "balance_after_minor": 10000,
    "held_after_minor": 3000, "actor": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "at": "2026-11-22T09:30:00Z"})))]
pub struct AllowanceEntry {
    /// The identifier.
    pub id: AllowanceEntryId,
    /// The account.
    pub account_id: AllowanceAccountId,
    /// What moved.
    #[serde(flatten)]
    pub movement: AllowanceMovement,
    /// Who did it: a person, a key, or `worker`.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// What moved on an account, and what was there afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AllowanceMovement {
    /// What was done.
    pub kind: EntryKind,
    /// Why.
    pub reason: EntryReason,
    /// What it was done for.
    pub document: EntryDocument,
    /// In whose interest, when it was for a gesture.
    pub interest: Option<GestureInterest>,
    /// The lot that it is about.
    pub lot_id: Option<AllowanceLotId>,
    /// By how many minor units the balance changed.
    pub balance_change_minor: i64,
    /// By how many minor units the held part changed.
    pub held_change_minor: i64,
    /// By how many minor units the part that is released later changed.
    pub pending_change_minor: i64,
    /// The balance afterwards.
    pub balance_after_minor: Minor,
    /// The held part afterwards.
    pub held_after_minor: Minor,
    /// What makes it impossible to do it twice.
    #[serde(skip)]
    pub idempotency_key: String,
}

/// What was done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A sale has earned something.
    Accrue,
    /// An instalment was released.
    Activate,
    /// Something was promised to a gesture.
    Hold,
    /// A promise was taken back.
    Release,
    /// A gesture was paid.
    Capture,
    /// Something was not spent in time.
    Expire,
    /// A sale was given back, and what it had earned.
    Revoke,
    /// A payment was taken back.
    Adjust,
}

/// Why something was done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryReason {
    /// The policy's share of the margin of an order line.
    MarginShare,
    /// The policy's share of the price of an order line.
    PriceShare,
    /// The policy's fallback share of the price, because the cost of the order line is not known.
    PriceFallback,
    /// Somebody asked for a gesture.
    GestureAsked,
    /// A gesture was carried out; a release is what it cost less than estimated.
    GestureFulfilled,
    /// A gesture was not approved.
    GestureRejected,
    /// A gesture was called off.
    GestureCancelled,
    /// A gesture was not decided on, or not carried out, in time.
    GestureExpired,
    /// The lot has reached its date.
    LotExpired,
    /// The day of the instalment has come.
    InstalmentReleased,
    /// The sale that had earned it was given back.
    OrderRefunded,
    /// A gesture that was paid did not take place after all, or not like that.
    GestureReversed,
    /// The policy's least for an order, beyond the shares of its lines.
    OrderMinimum,
}

/// What an entry was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum EntryDocument {
    /// A line of an order.
    OrderLine(OrderLineId),
    /// A gesture.
    Gesture(GestureId),
    /// A lot.
    Lot(AllowanceLotId),
}

impl EntryKind {
    /// The verb in the account's timeline.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Accrue => "accrue",
            Self::Activate => "activate",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Capture => "capture",
            Self::Expire => "expire",
            Self::Revoke => "revoke",
            Self::Adjust => "adjust",
        }
    }
}

impl AllowanceAccount {
    /// An empty account.
    pub fn open(
        id: AllowanceAccountId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        currency: Currency,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            customer_id,
            dealer_id,
            currency,
            balance_minor: Minor::ZERO,
            held_minor: Minor::ZERO,
            available_minor: Minor::ZERO,
            pending_minor: Minor::ZERO,
            created_at: now,
            version: Version::FIRST,
        }
    }

    /// Goes with its customer to the dealer who looks after them now; `None` when it is there.
    pub fn follow(self, dealer_id: Option<DealerId>) -> Option<Change<Self>> {
        let moves = self.dealer_id != dealer_id;
        moves.then(|| Change::edit("follow", &self, |it| it.dealer_id = dealer_id))
    }

    /// What may still be promised.
    pub fn available(&self) -> Money {
        Money { amount: self.available_minor, currency: self.currency }
    }
}

impl Record for AllowanceAccount {
    type Id = AllowanceAccountId;

    fn id(&self) -> AllowanceAccountId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Record for AllowanceEntry {
    type Id = AllowanceEntryId;

    fn id(&self) -> AllowanceEntryId {
        self.id
    }
}
