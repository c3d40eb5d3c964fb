//! Talk: what clocks that come in rounds have to know of what was said about a complaint.

use super::SlaMetric;
use crate::{complaints::Complaint, time::Timestamp};

/// What was said about a complaint, as far as a deadline hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlaTalk {
    /// When the customer said something for the last time, where no message has gone to them since.
    pub unanswered_at: Option<Timestamp>,
    /// When a message went to them for the last time.
    pub written_at: Option<Timestamp>,
}

impl SlaTalk {
    /// When the customer heard from us for the last time: by a message, the first answer, or the decision.
    pub(super) fn heard_at(self, complaint: &Complaint) -> Option<Timestamp> {
        self.written_at.max(complaint.first_answer_at).max(complaint.told_at)
    }

    /// Whether the customer has heard from us later than at `since`.
    pub(super) fn is_heard(self, complaint: &Complaint, since: Timestamp) -> bool {
        self.heard_at(complaint) > Some(since)
    }

    /// Whether what the customer said at `since` wants an answer no longer: there was one, or everything was put right
    /// since.
    pub(super) fn is_answered(self, complaint: &Complaint, since: Timestamp) -> bool {
        self.unanswered_at.is_none()
            || self.is_heard(complaint, since)
            || complaint.resolved_at > Some(since)
    }
}

impl SlaMetric {
    /// Whether it may be due many times, each in a round of its own.
    pub fn comes_in_rounds(self) -> bool {
        match self {
            Self::NextResponse | Self::PeriodicUpdate => true,
            Self::Acknowledge
            | Self::FirstResponse
            | Self::Decision
            | Self::FirstResolution
            | Self::TotalResolution => false,
        }
    }

    /// Whether the time runs from the arrival of the complaint on.
    pub(super) fn begins_at_once(self) -> bool {
        match self {
            Self::NextResponse => false,
            Self::Acknowledge
            | Self::FirstResponse
            | Self::Decision
            | Self::FirstResolution
            | Self::TotalResolution
            | Self::PeriodicUpdate => true,
        }
    }

    /// Whether a round begins, where the one before, if there was one, was over at `over_at`: the customer has said
    /// something since, or waits for the next report.
    pub(super) fn begins_a_round(
        self,
        complaint: &Complaint,
        talk: SlaTalk,
        over_at: Option<Timestamp>,
    ) -> bool {
        match self {
            Self::NextResponse => {
                !complaint.is_over()
                    && talk.unanswered_at >= over_at.max(Some(complaint.created_at))
            }
            Self::PeriodicUpdate => complaint.state.is_open(),
            Self::Acknowledge
            | Self::FirstResponse
            | Self::Decision
            | Self::FirstResolution
            | Self::TotalResolution => false,
        }
    }
}
