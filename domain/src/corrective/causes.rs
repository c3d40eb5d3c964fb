//! Causes: when a corrective action is opened by the service itself, and which complaints it is about.

use super::{CorrectiveAction, CorrectiveActionDetails, CorrectiveOrigin, MOST_CORRECTIVE_SOURCES};
use crate::{
    change::Change,
    ids::{ComplaintId, CorrectiveActionId, DealerId},
    text::Code,
    time::Timestamp,
};

/// So many complaints of the same cause are no accident any more.
pub const CORRECTIVE_CAUSES: usize = 3;

/// Within so many days: one is felt as *again* when the last one is remembered.
pub const CORRECTIVE_CAUSE_DAYS: i64 = 30;

/// A complaint whose cause or danger has become known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectiveMatter {
    /// Which complaint.
    pub complaint_id: ComplaintId,
    /// Whose people answer it.
    pub dealer_id: Option<DealerId>,
    /// What went wrong, as far as it is known.
    pub cause_code: Option<Code>,
    /// Whether it is a matter of safety.
    pub safety: bool,
}

/// What is known when it is considered whether to open a corrective action.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectiveConsidered {
    /// The action that works on the same cause of the same dealer.
    pub of_cause: Option<CorrectiveAction>,
    /// The action that began with the complaint, or was joined by it, whatever became of it.
    pub of_complaint: Option<CorrectiveAction>,
    /// The complaints of the same cause and dealer of the last 30 days, this one among them, the first ones first.
    pub same_cause: Vec<ComplaintId>,
}

impl CorrectiveConsidered {
    /// Opens a corrective action for a matter of safety, and for the third complaint of the same cause in 30 days; where
    /// one works on the cause already, the complaint joins it. `None` when nothing has to be done, or it was done before.
    pub fn decide(
        self,
        id: CorrectiveActionId,
        matter: &CorrectiveMatter,
        now: Timestamp,
    ) -> Option<Change<CorrectiveAction>> {
        if let Some(action) = self.of_cause {
            return action.join(matter.complaint_id);
        }
        let begin = |origin, complaint_ids| {
            let details = CorrectiveActionDetails {
                dealer_id: matter.dealer_id,
                cause_code: matter.cause_code.clone(),
                complaint_ids,
                owner_id: None,
                due_at: None,
            };
            Some(CorrectiveAction::begin(id, details, origin, now))
        };
        if self.same_cause.len() >= CORRECTIVE_CAUSES {
            return begin(CorrectiveOrigin::Repetition, self.same_cause);
        }
        if matter.safety && self.of_complaint.is_none() {
            return begin(CorrectiveOrigin::Safety, vec![matter.complaint_id]);
        }
        None
    }
}

impl CorrectiveAction {
    /// Lets another complaint join it, unless it has, or there are too many to name.
    fn join(mut self, complaint: ComplaintId) -> Option<Change<Self>> {
        let is_full = self.complaint_ids.len() >= MOST_CORRECTIVE_SOURCES;
        if is_full || self.complaint_ids.contains(&complaint) {
            return None;
        }
        self.complaint_ids.push(complaint);
        Some(Change::new("join", self).with("complaint_id", complaint))
    }
}
