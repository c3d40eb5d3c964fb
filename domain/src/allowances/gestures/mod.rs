//! Gestures: a gift, a personal service or a credit for one customer, asked for by a person and paid
//! from the customer's allowance.
//!
//! Asking holds the estimate at once, so that two gestures never count on the same money. Within the
//! requester's authority the gesture is approved on the spot; beyond it, it waits for a person of higher
//! rank; while a budget is short, it is parked. Whatever happens then, the money is paid or released
//! exactly once.

mod asked;
mod items;
mod rules;
mod settling;
mod verbs;

#[cfg(test)]
mod tests;

pub use asked::{Asked, Requester, requester};
pub use items::{Given, NamedItems};
pub use rules::*;
pub use verbs::{Ballot, Bill, GestureDecision, Means};

use super::{authority::LimitFailure, lots::LotSplit};
use crate::{
    identity::Rank,
    ids::{
        AllowanceBudgetId, ApprovalId, ComplaintId, CustomerId, DealerId, GestureId, GiftItemId,
        ServiceItemId, StaffId, TeamId,
    },
    inventory::ServiceCategory,
    money::{Currency, Minor, Money},
    record::{Record, Version},
    text::{Line, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A personal service or gift for a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": null, "kind": "gift",
    "service_item_id": null, "gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "category": null, "tangible": true,
    "problem_solved": "The filter came a week late and the family bought water.", "interest": "customer",
    "currency": "CNY", "estimate_minor": 8000, "perceived_value_minor": 12000, "actual_minor": null,
    "splits": [{"lot_id": "lot_01m80t7jx3e9vbq2f4c6d8g0hk", "amount_minor": 8000}], "budget_ids": [],
    "state": "pending_approval",
    "requester_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "team_id": null,
    "asked_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "failed_limits": [{"limit": "per_request", "most_minor": 5000, "used_minor": 0, "most_count": null, "used_count": null}],
    "required_rank": 30, "approval_step": 1, "granted_by": null, "reversal_reason": null,
    "escalates_at": "2026-11-23T09:30:00Z", "expires_at": "2026-11-25T09:30:00Z", "approved_at": null, "settled_at": null,
    "created_at": "2026-11-22T09:30:00Z", "version": 1})))]
pub struct Gesture {
    /// The identifier.
    pub id: GestureId,
    /// For whom it is.
    pub customer_id: CustomerId,
    /// Whose people see it: the dealer who looks after the customer, or else the requester's.
    pub dealer_id: Option<DealerId>,
    /// The complaint that it helps to put right.
    pub complaint_id: Option<ComplaintId>,
    /// What it is.
    pub kind: GestureKind,
    /// The service of the inventory that is done.
    pub service_item_id: Option<ServiceItemId>,
    /// The gift of the catalogue that is given.
    pub gift_id: Option<GiftItemId>,
    /// What that service was about when it was asked for.
    pub category: Option<ServiceCategory>,
    /// Whether the customer keeps something of it in their hands: it is a gift or a hook favour, or what it names is
    /// a thing. The guard against heavy gifts looks at this.
    pub tangible: bool,
    /// Which need of the customer it meets.
    pub problem_solved: Prose,
    /// Whose interest it serves first.
    pub interest: GestureInterest,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What it may cost; held on the customer's account until the gesture is settled.
    pub estimate_minor: Minor,
    /// What it is worth to the customer, as far as somebody knows.
    pub perceived_value_minor: Option<Minor>,
    /// What it has cost.
    pub actual_minor: Option<Minor>,
    /// The lots that it is held from, and those that it was paid from once it is carried out.
    pub splits: Vec<LotSplit>,
    /// The budgets in which it is held, and from which it was paid: those that it fell under when it was granted.
    pub budget_ids: Vec<AllowanceBudgetId>,
    /// Where it stands.
    pub state: GestureState,
    /// In whose name it was asked for.
    pub requester_id: StaffId,
    /// The requester's team when it was asked for.
    pub team_id: Option<TeamId>,
    /// Who asked for it: the person themselves (`stf_`), or a program in their name (`key_`). Neither of
    /// the two decides about it.
    #[schema(examples("stf_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    pub asked_by: String,
    /// Every limit of the requester's it was beyond, and every budget that was short, with the numbers; empty: it was
    /// approved on the spot.
    pub failed_limits: Vec<LimitFailure>,
    /// The lowest rank whose authority reached so far when it was asked for, or the one it was escalated
    /// to since.
    pub required_rank: Option<Rank>,
    /// Which step of its approval it is at, from 1; each escalation is one more.
    pub approval_step: u32,
    /// Who granted it: the requester, or who approved it.
    pub granted_by: Option<String>,
    /// Why it was taken back after it was paid.
    pub reversal_reason: Option<Line>,
    /// When it goes up to the next rank by itself while nobody has decided; `null` when it is decided, and
    /// when there is no higher rank whose authority reaches so far.
    pub escalates_at: Option<Timestamp>,
    /// When it expires by itself: 72 hours after it was asked for while nobody has decided, 14 days after
    /// it was approved or parked while nobody has carried it out; `null` once it is settled.
    pub expires_at: Option<Timestamp>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// When it was carried out, rejected, cancelled or reversed, or when it expired.
    pub settled_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "gift",
    "problem_solved": "The filter came a week late and the family bought water.",
    "currency": "CNY", "estimate_minor": 8000, "requester_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk"})))]
pub struct GestureRequest {
    /// For whom it is.
    pub customer_id: CustomerId,
    /// The complaint of this customer that it helps to put right.
    #[serde(default)]
    pub complaint_id: Option<ComplaintId>,
    /// What it is.
    pub kind: GestureKind,
    /// Which need of the customer it meets: a gesture without one is a bribe.
    pub problem_solved: Prose,
    /// Whose interest it serves first; the customer's when left out.
    #[serde(default)]
    pub interest: GestureInterest,
    /// The currency of the estimate: that of the customer's account.
    pub currency: Currency,
    /// What it may cost. 0 for what costs nothing, such as a call: it needs neither allowance nor
    /// authority.
    pub estimate_minor: Minor,
    /// What it is worth to the customer, in the same currency, as far as somebody knows; what the inventory says when it
    /// is left out.
    #[serde(default)]
    pub perceived_value_minor: Option<Minor>,
    /// The service of the inventory that is to be done; limits for its category count.
    #[serde(default)]
    pub service_item_id: Option<ServiceItemId>,
    /// The gift of the catalogue that is to be given: in its currency, and to a customer whose margin it goes with.
    #[serde(default)]
    pub gift_id: Option<GiftItemId>,
    /// Who asks. A program of the brand must name the person; a person asks in their own name and may
    /// leave it out.
    #[serde(default)]
    pub requester_id: Option<StaffId>,
}

/// What a gesture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GestureKind {
    /// A thing.
    Gift,
    /// Something done for this customer that the standard does not foresee.
    PersonalisedService,
    /// Money off.
    GoodwillCredit,
    /// A penalty that is not asked for.
    PenaltyWaiver,
    /// A small thing or favour that opens a conversation.
    HookFavour,
    /// Thanks for a recommendation.
    ReferralReward,
}

/// Whose interest a gesture serves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GestureInterest {
    /// The customer's.
    #[default]
    Customer,
    /// The dealer's.
    Dealer,
    /// The brand's.
    Brand,
}

/// Where a gesture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GestureState {
    /// A budget is short. The estimate is held on the customer's account, and it goes on by itself when money
    /// arrives.
    Parked,
    /// Beyond the requester's authority; somebody of higher rank decides. The estimate is held.
    PendingApproval,
    /// May be carried out. The estimate is held.
    Approved,
    /// Was not approved; nothing is held any more.
    Rejected,
    /// Was carried out and paid.
    Fulfilled,
    /// Was paid, and did not take place after all; the money is back.
    Reversed,
    /// Was called off; nothing is held any more.
    Cancelled,
    /// Was not decided on, or not carried out, in time; nothing is held any more.
    Expired,
}

/// The word of somebody of higher rank on a gesture; written once, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "apr_01m80t7jx3e9vbq2f4c6d8g0hk", "gesture_id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk", "step": 1,
    "asked_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hj", "approver": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "rank": 30, "decision": "approved",
    "comment": "Tell them we are sorry.", "at": "2026-11-22T10:00:00Z"})))]
pub struct Approval {
    /// The identifier.
    pub id: ApprovalId,
    /// The gesture.
    pub gesture_id: GestureId,
    /// Which step of its approval it is, counted from 1: one for each rank it waited for. Each step is
    /// decided once.
    pub step: u32,
    /// Who had asked for the gesture: a person or a key, and never the one who decided.
    pub asked_by: String,
    /// Who decided: a person or a key.
    pub approver: String,
    /// The approver's rank at the time.
    pub rank: Rank,
    /// What was decided.
    pub decision: ApprovalDecision,
    /// Why.
    pub comment: Option<Line>,
    /// When.
    pub at: Timestamp,
}

/// What was decided about a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalDecision {
    /// It may be carried out.
    Approved,
    /// It may not.
    Rejected,
}

impl Gesture {
    /// What it gives, as money and limits look at it.
    pub fn given(&self) -> Given {
        Given { kind: self.kind, tangible: self.tangible, category: self.category }
    }

    /// What it may cost.
    pub fn estimate(&self) -> Money {
        Money { amount: self.estimate_minor, currency: self.currency }
    }
}

impl GestureRequest {
    /// What it may cost.
    pub fn estimate(&self) -> Money {
        Money { amount: self.estimate_minor, currency: self.currency }
    }
}

impl GestureKind {
    /// Whether it is a thing.
    pub fn is_tangible(self) -> bool {
        match self {
            Self::Gift | Self::HookFavour => true,
            Self::PersonalisedService
            | Self::GoodwillCredit
            | Self::PenaltyWaiver
            | Self::ReferralReward => false,
        }
    }
}

impl GestureState {
    /// What can be done from here.
    pub fn allowed_transitions(self) -> &'static [&'static str] {
        match self {
            Self::Parked => &["cancel"],
            Self::PendingApproval => &["approve", "reject", "cancel"],
            Self::Approved => &["fulfil", "cancel"],
            Self::Fulfilled => &["reverse"],
            Self::Rejected | Self::Reversed | Self::Cancelled | Self::Expired => &[],
        }
    }
}

impl Record for Gesture {
    type Id = GestureId;

    fn id(&self) -> GestureId {
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

impl Record for Approval {
    type Id = ApprovalId;

    fn id(&self) -> ApprovalId {
        self.id
    }
}
