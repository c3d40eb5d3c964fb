//! Cancellations: a customer does not want what they have paid for and not got yet.
//!
//! They are asked to stay once. Who goes gets the whole deposit back, the penalty of the contract is waived, and
//! everything that was promised to them besides takes place: they are still a customer.

mod course;
mod rules;
#[cfg(test)]
mod tests;

pub use course::{CancellationKnown, CancellationRequest, RetentionOffer};
pub use rules::*;

use crate::{
    identity::Rank,
    ids::{CancellationId, CustomerId, DealerId, GestureId, OrderId, StaffId},
    money::{Currency, Minor},
    record::{Record, Version},
    text::Prose,
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Within so many hours of working time the refund is under way; then it goes up a rank.
pub const CANCELLATION_HOURS: u32 = 24;

/// How often a customer who wants to go is asked to stay: a second time would be a nuisance.
pub const MOST_RETENTION_ATTEMPTS: u32 = 1;

/// Where a cancellation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancellationState {
    /// The customer has asked for it.
    Requested,
    /// They were asked to stay.
    RetentionOffered,
    /// They stay; the sale stands.
    Withdrawn,
    /// They go.
    Proceeding,
    /// The penalty of the contract is to be waived by a gesture.
    PenaltyWaiverPending,
    /// The deposit is given back.
    Refunding,
    /// The customer has the deposit back.
    Refunded,
    /// Nothing is left to do.
    Closed,
}

impl CancellationState {
    /// The states of a cancellation that is not over: a sale has one such at most.
    pub const OPEN: [Self; 6] = [
        Self::Requested,
        Self::RetentionOffered,
        Self::Proceeding,
        Self::PenaltyWaiverPending,
        Self::Refunding,
        Self::Refunded,
    ];
}

/// A customer does not want what they have paid for and not got yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "can_01m80t7jx3e9vbq2f4c6d8g0hk", "order_id": "ord_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "currency": "CNY", "reason": "We move to another city.", "deposit_minor": 200_000, "penalty_minor": 20_000,
    "penalty_waived_minor": 20_000, "retention_attempts": 1,
    "retention_offer": "Delivery to the new flat, without a charge.", "gesture_id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk",
    "state": "refunding", "refund_due_at": "2026-11-25T10:00:00Z", "local_refund_due": "2026-11-25 18:00",
    "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "escalated_rank": null, "escalated_staff_id": null,
    "refunding_at": "2026-11-24T02:00:00Z", "refunded_on": null, "refund_minor": null, "closed_at": null,
    "created_at": "2026-11-22T10:00:00Z", "version": 5})))]
pub struct CancellationCase {
    /// Its identifier.
    pub id: CancellationId,
    /// The sale that is cancelled.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Who sold, and whose people see to it.
    pub dealer_id: DealerId,
    /// The currency of its amounts: that of the order.
    pub currency: Currency,
    /// Why the customer does not want it, in their words.
    pub reason: Prose,
    /// What the customer has paid, and gets back.
    pub deposit_minor: Minor,
    /// What the contract would ask of them for that.
    pub penalty_minor: Minor,
    /// What of it is not asked for: all of it, once the refund is under way.
    pub penalty_waived_minor: Minor,
    /// How often they were asked to stay, in an earlier cancellation of the sale, too: once at most.
    pub retention_attempts: u32,
    /// What they were offered if they stay.
    pub retention_offer: Option<Prose>,
    /// The gesture by which the penalty is waived.
    pub gesture_id: Option<GestureId>,
    /// Where it stands.
    pub state: CancellationState,
    /// By when the refund should be under way: 24 hours of the dealer's working time after it was asked for.
    pub refund_due_at: Timestamp,
    /// The same on the wall clock of the dealer, for people.
    #[schema(examples("2026-11-25 18:00"))]
    pub local_refund_due: String,
    /// The person who took it in; nobody when a program did.
    pub owner_id: Option<StaffId>,
    /// The rank that answers for it since the refund was not under way in time; null before that.
    pub escalated_rank: Option<Rank>,
    /// Who has that rank and was given it; null when nobody has it.
    pub escalated_staff_id: Option<StaffId>,
    /// When the refund was under way.
    pub refunding_at: Option<Timestamp>,
    /// The day on which the customer had the money back.
    pub refunded_on: Option<CivilDate>,
    /// What they got back: the whole deposit.
    pub refund_minor: Option<Minor>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Record for CancellationCase {
    type Id = CancellationId;

    fn id(&self) -> CancellationId {
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
        Some(self.dealer_id)
    }
}
