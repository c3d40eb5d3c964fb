//! Waiting: a complaint cannot go on until somebody else has said or done something.

use super::{Complaint, ComplaintState};
use crate::{change::Change, refusal::Refusal, text::Line, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom a complaint waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// The customer, who has to answer or to send something. Clocks whose target says so stand still.
    Customer,
    /// Somebody else, such as a supplier. The customer has no part in it, so every clock runs on.
    ThirdParty,
}

/// Whom a complaint waits for, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"waiting_for": "customer", "reason": "Which lot is printed on the housing?"})))]
pub struct ComplaintWaiting {
    /// Whom it waits for.
    pub waiting_for: WaitingFor,
    /// What it waits for.
    pub reason: Line,
}

impl Complaint {
    /// Says that we wait for somebody. Whatever moves the complaint on ends that, and so does [`Complaint::resume`].
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is open and acknowledged, and when it waits already.
    pub fn wait(
        mut self,
        waiting: ComplaintWaiting,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if !self.can_wait() || self.waiting_for.is_some() {
            return Err(self.refuse_verb());
        }
        self.waiting_for = Some(waiting.waiting_for);
        self.waiting_began_at = Some(now);
        self.waiting_reason = Some(waiting.reason);
        Ok(Change::new("wait", self).with("waiting_for", waiting.waiting_for))
    }

    /// Says that we wait no longer.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it does not wait.
    pub fn resume(mut self) -> Result<Change<Self>, Refusal> {
        let Some(waiting_for) = self.waiting_for else { return Err(self.refuse_verb()) };
        self.wait_no_longer();
        Ok(Change::new("resume", self).with("waiting_for", waiting_for))
    }

    pub(super) fn wait_no_longer(&mut self) {
        self.waiting_for = None;
        self.waiting_began_at = None;
        self.waiting_reason = None;
    }

    fn can_wait(&self) -> bool {
        self.state.is_open() && self.state != ComplaintState::Received
    }
}
