//! The customer's word on a resolution: it comes later than the resolution, so it is an entry of the log by itself.

use super::{Complaint, ComplaintClosing, ComplaintReopening};
use crate::{
    change::Change,
    event::Event,
    identity::Actor,
    ids::{ComplaintId, CustomerId, CustomerWordId, DealerId, ResponseId},
    record::Record,
    surveys::SurveyResponse,
    text::Prose,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a customer thinks of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerVerdict {
    /// They are satisfied.
    Satisfied,
    /// They are not, and the complaint was taken up again.
    Dissatisfied,
    /// They said nothing for the cooling period.
    Silent,
}

/// What a customer said of a resolution, or that they said nothing. It is never changed; a customer who changes
/// their mind has another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "wrd_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "complaint_number": "C-000123", "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "verdict": "satisfied", "text": "Thank you.",
    "response_id": "rsp_01m80t7jx3e9vbq2f4c6d8g0hk", "noted_by": "worker", "created_at": "2026-11-26T08:00:00Z"})))]
pub struct CustomerWord {
    /// Its identifier.
    pub id: CustomerWordId,
    /// The complaint that was resolved.
    pub complaint_id: ComplaintId,
    /// The number that people say on the telephone.
    pub complaint_number: String,
    /// The resolution of it that the word is about, from 1.
    pub resolution_no: u32,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people resolved it.
    pub dealer_id: Option<DealerId>,
    /// What the customer thinks of it.
    pub verdict: CustomerVerdict,
    /// What they said, as far as it is known.
    pub text: Option<Prose>,
    /// The survey answer in which they said it; `null` when they told somebody, or nobody.
    pub response_id: Option<ResponseId>,
    /// Who noted it, as the audit log names them.
    pub noted_by: String,
    /// When it was noted.
    pub created_at: Timestamp,
}

impl CustomerWord {
    /// Writes down with which word of the customer `complaint`, which is resolved, closes.
    pub fn at_closing(
        id: CustomerWordId,
        complaint: &Complaint,
        closing: ComplaintClosing,
        actor: Actor,
        now: Timestamp,
    ) -> Change<Self> {
        let verdict = match closing.customer_satisfied {
            Some(true) => CustomerVerdict::Satisfied,
            Some(false) => CustomerVerdict::Dissatisfied,
            None => CustomerVerdict::Silent,
        };
        Self::about(complaint, Self { verdict, ..Self::nothing(id, complaint, actor, now) })
    }

    /// Writes down why the customer wants `complaint`, which is resolved, taken up again.
    pub fn at_reopening(
        id: CustomerWordId,
        complaint: &Complaint,
        reopening: &ComplaintReopening,
        actor: Actor,
        now: Timestamp,
    ) -> Change<Self> {
        let (verdict, text) = (CustomerVerdict::Dissatisfied, Some(reopening.reason.clone()));
        Self::about(complaint, Self { verdict, text, ..Self::nothing(id, complaint, actor, now) })
    }

    /// Writes down the survey answer that closes or reopens `complaint`, which is resolved.
    pub fn in_answer(
        id: CustomerWordId,
        complaint: &Complaint,
        answer: &SurveyResponse,
        actor: Actor,
        now: Timestamp,
    ) -> Change<Self> {
        let verdict =
            if answer.low { CustomerVerdict::Dissatisfied } else { CustomerVerdict::Satisfied };
        let (text, response_id) = (answer.words(), Some(answer.id));
        let word = Self { verdict, text, response_id, ..Self::nothing(id, complaint, actor, now) };
        Self::about(complaint, word)
    }

    fn nothing(id: CustomerWordId, complaint: &Complaint, actor: Actor, now: Timestamp) -> Self {
        Self {
            id,
            complaint_id: complaint.id,
            complaint_number: complaint.number.clone(),
            resolution_no: complaint.resolution_no,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            verdict: CustomerVerdict::Silent,
            text: None,
            response_id: None,
            noted_by: actor.to_string(),
            created_at: now,
        }
    }

    fn about(complaint: &Complaint, word: Self) -> Change<Self> {
        let (entry, verdict) = (Uuid::from(word.id).into(), word.verdict);
        Change::created(word)
            .with("resolution_no", complaint.resolution_no)
            .with("verdict", verdict)
            .emits(Event::ResolutionLogged { entry })
    }
}

impl Record for CustomerWord {
    type Id = CustomerWordId;

    fn id(&self) -> CustomerWordId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}
