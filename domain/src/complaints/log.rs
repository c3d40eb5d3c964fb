//! The resolution log: how each complaint was put right, each time, for good.

use super::{
    Complaint, ComplaintDecision, ComplaintState, Remedy, RemedyDetails, RemedyState, remedies,
};
use crate::{
    change::Change,
    ids::{ComplaintId, CustomerId, DealerId, ResolutionId},
    money::Money,
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A remedy as it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null, "mandatory": false, "state": "done"})))]
pub struct SettledRemedy {
    /// What was promised.
    #[serde(flatten)]
    pub details: RemedyDetails,
    /// Whether a confirmed defect made it mandatory.
    pub mandatory: bool,
    /// Whether it was carried out or waived.
    pub state: RemedyState,
}

/// One line of the resolution log. It is never changed; a reopened complaint gets another line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "res_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "decision": {"responsibility": "ours", "apology": "We are sorry: the seal was not tightened.",
        "text": "We replace the housing this week.",
        "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
        "confirmed_defect": true,
        "decided_at": "2026-11-22T10:00:00Z"},
    "remedies": [{"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null, "mandatory": false, "state": "done"}],
    "cost": {"amount": 5000, "currency": "CNY"}, "resolved_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "resolved_at": "2026-11-24T08:00:00Z", "created_at": "2026-11-24T08:00:01Z"})))]
pub struct Resolution {
    /// Its identifier.
    pub id: ResolutionId,
    /// The complaint that was resolved.
    pub complaint_id: ComplaintId,
    /// Which resolution of it, from 1.
    pub resolution_no: u32,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people resolved it.
    pub dealer_id: Option<DealerId>,
    /// What was decided.
    pub decision: ComplaintDecision,
    /// What was promised, and how it ended.
    pub remedies: Vec<SettledRemedy>,
    /// What the remedies that were carried out cost; `null` when none has a price.
    pub cost: Option<Money>,
    /// Who resolved it, as the audit log names them.
    pub resolved_by: String,
    /// When it was resolved.
    pub resolved_at: Timestamp,
    /// When this line was written.
    pub created_at: Timestamp,
}

impl Resolution {
    /// Writes the line about the resolution that `complaint` has reached; nothing when it has not
    /// reached one. `remedies` are those of its present attempt.
    pub fn log(
        id: ResolutionId,
        complaint: &Complaint,
        remedies: &[Remedy],
        now: Timestamp,
    ) -> Option<Change<Self>> {
        match complaint.state {
            ComplaintState::Resolved | ComplaintState::Closed => {}
            ComplaintState::Received
            | ComplaintState::Acknowledged
            | ComplaintState::Decided
            | ComplaintState::Reopened => return None,
        }
        let line = Self {
            id,
            complaint_id: complaint.id,
            resolution_no: complaint.resolution_no,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            decision: complaint.decision.clone()?,
            remedies: remedies.iter().map(settled).collect(),
            cost: remedies::cost(remedies),
            resolved_by: complaint.resolved_by.clone()?,
            resolved_at: complaint.resolved_at?,
            created_at: now,
        };
        Some(Change::created(line).with("resolution_no", complaint.resolution_no))
    }
}

fn settled(remedy: &Remedy) -> SettledRemedy {
    SettledRemedy {
        details: remedy.details.clone(),
        mandatory: remedy.mandatory,
        state: remedy.state,
    }
}

impl Record for Resolution {
    type Id = ResolutionId;

    fn id(&self) -> ResolutionId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}
