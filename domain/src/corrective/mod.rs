//! Corrective actions: why something went wrong again and again, and what is done so that it does not (8D).

mod causes;
mod course;
mod rules;
mod steps;
#[cfg(test)]
mod tests;

pub use causes::{
    CORRECTIVE_CAUSE_DAYS, CORRECTIVE_CAUSES, CorrectiveConsidered, CorrectiveMatter,
};
pub use course::{CorrectiveAssignment, CorrectiveVerification};
pub use rules::*;
pub use steps::{CorrectiveAttempt, CorrectiveFilling, CorrectiveStep, CorrectiveSteps};

use crate::{
    ids::{ComplaintId, CorrectiveActionId, DealerId, StaffId},
    record::{Record, Version},
    text::{Code, Prose},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a corrective action may take when nobody says otherwise: a month, the rhythm in which dealers are looked at.
pub const CORRECTIVE_ACTION_DAYS: i64 = 30;

/// How long after a correction was implemented its effect shows at the earliest, as regulators expect it.
pub const VERIFICATION_DAYS: i64 = 30;

/// Complaints that one corrective action names, at most; those that come later are counted and not named.
pub const MOST_CORRECTIVE_SOURCES: usize = 100;

/// Why a corrective action was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectiveOrigin {
    /// Somebody opened it.
    Manual,
    /// A complaint is a matter of safety.
    Safety,
    /// The same cause came up again and again.
    Repetition,
}

/// Where a corrective action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectiveActionState {
    /// Nobody has begun.
    Open,
    /// The team describes the problem.
    InProgress,
    /// Customers are kept from more harm.
    ContainmentDone,
    /// It is known why it happened.
    RootCauseFound,
    /// The correction is chosen and put into effect.
    Implementing,
    /// It is waited whether it works; then somebody looks who has not worked on it.
    PendingVerification,
    /// It worked.
    Closed,
    /// It did not work: the root cause is looked for anew.
    Reopened,
}

/// What is said about a corrective action when it is opened by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "cause_code": "loose_seal",
    "complaint_ids": ["cmp_01m80t7jx3e9vbq2f4c6d8g0hk"], "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "due_at": null})))]
pub struct CorrectiveActionDetails {
    /// Whose people work on it; that of the first complaint when left out, and the brand when there is none.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// What went wrong, by the name that investigations give it.
    #[serde(default)]
    pub cause_code: Option<Code>,
    /// The complaints that it begins with, at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub complaint_ids: Vec<ComplaintId>,
    /// Who answers for it; whoever opens it when left out.
    #[serde(default)]
    pub owner_id: Option<StaffId>,
    /// By when it should be done; 30 days from now when left out.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
}

/// Why something went wrong, and what is done so that it does not happen again, in the eight disciplines (8D).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cor_01m80t7jx3e9vbq2f4c6d8g0hk", "origin": "repetition",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "cause_code": "loose_seal",
    "complaint_ids": ["cmp_01m80t7jx3e9vbq2f4c6d8g0hk"], "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "due_at": "2026-12-22T10:00:00Z", "state": "in_progress", "d0": "Three leaks in a week.",
    "d1": "Workshop and purchasing.", "d2": null, "d3": null, "d4": null, "d5": null, "d6": null, "d7": null,
    "d8": null, "team_ids": ["stf_01m80t7jx3e9vbq2f4c6d8g0hk"],
    "worker_ids": ["stf_01m80t7jx3e9vbq2f4c6d8g0hk"], "implemented_on": null, "verification_due_at": null,
    "effective": null, "verified_at": null, "verified_by": null, "verification_note": null,
    "earlier_attempts": [], "created_at": "2026-11-22T10:00:00Z", "version": 3})))]
pub struct CorrectiveAction {
    /// Its identifier.
    pub id: CorrectiveActionId,
    /// Why it was opened.
    pub origin: CorrectiveOrigin,
    /// Whose people work on it; null when it is the brand's.
    pub dealer_id: Option<DealerId>,
    /// What went wrong. Of each cause a dealer, or the brand, has one that is not closed, at most.
    pub cause_code: Option<Code>,
    /// The complaints behind it, the first ones first, at most 100.
    pub complaint_ids: Vec<ComplaintId>,
    /// Who answers for it.
    pub owner_id: Option<StaffId>,
    /// By when it should be done.
    pub due_at: Timestamp,
    /// Where it stands.
    pub state: CorrectiveActionState,
    /// What was filled in, step by step.
    #[serde(flatten)]
    pub steps: CorrectiveSteps,
    /// Who works on it (D1).
    pub team_ids: Vec<StaffId>,
    /// Who else has had a part in it: who filled a step, answered for it before, or was of the team before.
    pub worker_ids: Vec<StaffId>,
    /// The day on which the correction was put into effect (D6).
    pub implemented_on: Option<CivilDate>,
    /// From when on its effect is verified: 30 days after that day, or later.
    pub verification_due_at: Option<Timestamp>,
    /// Whether it worked.
    pub effective: Option<bool>,
    /// When that was found.
    pub verified_at: Option<Timestamp>,
    /// Who found it: never the owner, and nobody of `team_ids` or `worker_ids`.
    pub verified_by: Option<StaffId>,
    /// What they saw.
    pub verification_note: Option<Prose>,
    /// What was tried before and did not work, the first attempt first.
    pub earlier_attempts: Vec<CorrectiveAttempt>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Record for CorrectiveAction {
    type Id = CorrectiveActionId;

    fn id(&self) -> CorrectiveActionId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}
