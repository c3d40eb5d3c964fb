//! Setting aside: what came as a complaint needs no answer as one.

use super::{
    Complaint, ComplaintState, DEFECT_STAYS_CONFIRMED, DUPLICATE_OF_WHAT, NO_SUCH_ORIGINAL,
};
use crate::{change::Change, ids::ComplaintId, refusal::Refusal, text::Line, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a complaint needs no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsideReason {
    /// The customer has said the same before; that complaint goes on.
    Duplicate,
    /// The customer does not want it looked into any more.
    Withdrawn,
    /// It is a question or a wish.
    NotAComplaint,
}

/// Why a complaint is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "duplicate", "duplicate_of": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "note": "The customer called again about the same leak."})))]
pub struct ComplaintAside {
    /// Why.
    pub reason: AsideReason,
    /// The complaint that says the same; exactly when the reason is `duplicate`.
    #[serde(default)]
    pub duplicate_of: Option<ComplaintId>,
    /// Why, in words; for a wish also what becomes of it.
    pub note: Line,
}

impl ComplaintAside {
    /// Expects that a duplicate, and nothing else, says of what.
    ///
    /// # Errors
    ///
    /// `duplicate_of_what`.
    pub fn check(&self) -> Result<(), Refusal> {
        if (self.reason == AsideReason::Duplicate) == self.duplicate_of.is_some() {
            return Ok(());
        }
        Err(Refusal::new(&DUPLICATE_OF_WHAT).with("reason", self.reason).at("/duplicate_of"))
    }
}

impl Complaint {
    /// Sets it aside for good. `original` is the complaint that a duplicate repeats.
    ///
    /// # Errors
    ///
    /// `no_such_original` when that is another customer's, this one itself, or at an end; `defect_stays_confirmed` when
    /// the product was found defective, unless it was in the original, too; `illegal_transition` once it is
    /// decided.
    pub fn set_aside(
        mut self,
        aside: ComplaintAside,
        original: Option<&Self>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        aside.check()?;
        match self.state {
            ComplaintState::Received
            | ComplaintState::Acknowledged
            | ComplaintState::Assessed
            | ComplaintState::Investigating => {}
            ComplaintState::Decided
            | ComplaintState::Negotiating
            | ComplaintState::ExternalRecourse
            | ComplaintState::Resolved
            | ComplaintState::Closed
            | ComplaintState::Reopened
            | ComplaintState::Duplicate
            | ComplaintState::Withdrawn
            | ComplaintState::NotAComplaint => return Err(self.refuse_verb()),
        }
        let to = match aside.reason {
            AsideReason::Duplicate => ComplaintState::Duplicate,
            AsideReason::Withdrawn => ComplaintState::Withdrawn,
            AsideReason::NotAComplaint => ComplaintState::NotAComplaint,
        };
        if let Some(original) = original {
            self.expect_original(original)?;
        }
        if self.has_confirmed_defect() && !original.is_some_and(Self::will_replace) {
            let found = self.investigation.as_ref().map(|found| found.investigated_at);
            let refusal = Refusal::new(&DEFECT_STAYS_CONFIRMED);
            return Err(refusal.with("investigated_at", found).at("/reason"));
        }
        self.duplicate_of = aside.duplicate_of;
        self.set_aside_at = Some(now);
        self.aside_note = Some(aside.note);
        let change = self.moved("set_aside", to).with("reason", aside.reason);
        Ok(change.with("duplicate_of", aside.duplicate_of))
    }

    /// Whether the product is found defective in it too, and replaced before it can close.
    fn will_replace(&self) -> bool {
        let is_decided = self.decision.as_ref().is_some_and(|decision| decision.confirmed_defect);
        self.state.is_open() && (is_decided || self.has_confirmed_defect())
    }

    fn expect_original(&self, original: &Self) -> Result<(), Refusal> {
        let is_the_same_person = original.details.customer_id == self.details.customer_id;
        if is_the_same_person && original.id != self.id && !original.is_over() {
            return Ok(());
        }
        Err(Refusal::new(&NO_SUCH_ORIGINAL)
            .with("duplicate_of", original.id)
            .with("state", original.state)
            .at("/duplicate_of"))
    }
}
