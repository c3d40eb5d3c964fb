//! The resolution log: how each complaint was put right, each time, for good.

use super::{
    Complaint, ComplaintDecision, FirstAnswer, Remedy, RemedyDetails, RemedyState, remedies,
};
use crate::{
    change::Change,
    event::Event,
    ids::{ComplaintId, CustomerId, DealerId, ResolutionId},
    money::Money,
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A remedy as it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null, "mandatory": false, "state": "done",
    "promised_at": "2026-11-22T10:00:00Z", "settled_at": "2026-11-24T07:30:00Z"})))]
pub struct SettledRemedy {
    /// What was promised.
    #[serde(flatten)]
    pub details: RemedyDetails,
    /// Whether a confirmed defect made it mandatory.
    pub mandatory: bool,
    /// Whether it was carried out or waived.
    pub state: RemedyState,
    /// When it was promised; `null` in lines that are older than this member.
    #[serde(default)]
    pub promised_at: Option<Timestamp>,
    /// When it was carried out or waived; `null` in lines that are older than this member.
    #[serde(default)]
    pub settled_at: Option<Timestamp>,
}

/// One line of the resolution log. It is never changed; a reopened complaint gets another line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "res_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "complaint_number": "C-000123", "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "received_at": "2026-11-22T09:30:00Z",
    "first_answer_due_at": "2026-11-23T09:30:00Z", "first_answer_at": "2026-11-22T09:45:00Z", "first_answer": "kept",
    "decision": {"responsibility": "ours", "apology": "We are sorry: the seal was not tightened.",
        "text": "We replace the housing this week.",
        "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
        "confirmed_defect": true,
        "decided_at": "2026-11-22T10:00:00Z"},
    "told_at": "2026-11-22T10:00:01Z",
    "remedies": [{"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null, "mandatory": false, "state": "done",
        "promised_at": "2026-11-22T10:00:00Z", "settled_at": "2026-11-24T07:30:00Z"}],
    "cost": {"amount": 5000, "currency": "CNY"}, "resolved_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "resolved_at": "2026-11-24T08:00:00Z", "created_at": "2026-11-24T08:00:01Z"})))]
pub struct Resolution {
    /// Its identifier.
    pub id: ResolutionId,
    /// The complaint that was resolved.
    pub complaint_id: ComplaintId,
    /// The number that people say on the telephone.
    pub complaint_number: String,
    /// Which resolution of it, from 1.
    pub resolution_no: u32,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people resolved it.
    pub dealer_id: Option<DealerId>,
    /// When the complaint was received.
    pub received_at: Timestamp,
    /// When the first answer must have been given.
    pub first_answer_due_at: Timestamp,
    /// When the first answer was given.
    pub first_answer_at: Option<Timestamp>,
    /// Whether the first answer came in time.
    pub first_answer: FirstAnswer,
    /// What was decided, and when.
    pub decision: ComplaintDecision,
    /// When the customer was told the decision; `null` when nobody had reached them when this line was written.
    pub told_at: Option<Timestamp>,
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
        if !complaint.state.is_settled() {
            return None;
        }
        let line = Self {
            id,
            complaint_id: complaint.id,
            complaint_number: complaint.number.clone(),
            resolution_no: complaint.resolution_no,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            received_at: complaint.created_at,
            first_answer_due_at: complaint.first_answer_due_at,
            first_answer_at: complaint.first_answer_at,
            first_answer: complaint.first_answer,
            decision: complaint.decision.clone()?,
            told_at: complaint.told_at,
            remedies: remedies.iter().map(settled).collect(),
            cost: remedies::cost(remedies),
            resolved_by: complaint.resolved_by.clone()?,
            resolved_at: complaint.resolved_at?,
            created_at: now,
        };
        let change = Change::created(line).with("resolution_no", complaint.resolution_no);
        Some(change.emits(Event::ResolutionLogged { entry: Uuid::from(id).into() }))
    }
}

fn settled(remedy: &Remedy) -> SettledRemedy {
    SettledRemedy {
        details: remedy.details.clone(),
        mandatory: remedy.mandatory,
        state: remedy.state,
        promised_at: Some(remedy.created_at),
        settled_at: remedy.settled_at,
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
