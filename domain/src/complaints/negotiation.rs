//! What the customer says of a decision: yes, no, or that somebody outside shall decide.
//!
//! A customer who says no is negotiated with. Whoever decided may offer something new; when nothing new comes in time,
//! or the two sides only repeat themselves, the next rank decides.

use super::{
    Complaint, ComplaintState, DECISION_ABOVE_RANK, EscalationCause, Superiors, WaitingFor,
};
use crate::{
    change::Change,
    event::Event,
    identity::Rank,
    refusal::Refusal,
    text::{Line, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many working hours two sides may stand against each other before the next rank decides.
pub const STAND_OFF_HOURS: u32 = 16;

/// How often the customer speaks against us, while nothing new is offered, before the next rank decides.
const MOST_OPPOSING: u32 = 2;

/// Why a customer does not accept a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "A repair is not enough: it broke twice."})))]
pub struct ComplaintRefusing {
    /// Why, in their words.
    pub reason: Prose,
}

/// Whom outside a customer has turned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"body": "Consumer council of the city, case 2026-1187"})))]
pub struct ComplaintReferral {
    /// The council, mediator or court, with its number of the case where it has one.
    pub body: Line,
}

/// What follows when two sides stand against each other.
#[derive(Debug, Clone)]
pub struct StandOff<'a> {
    /// Who could decide next.
    pub superiors: &'a Superiors,
    /// When the next rank decides, unless something new was offered: after [`STAND_OFF_HOURS`] of working time.
    pub until: Timestamp,
}

impl Complaint {
    /// Notes that the customer accepts the decision, also after they had refused it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is decided and they were told; and when they have accepted before.
    pub fn accept(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if !self.awaits_verdict() && self.state != ComplaintState::Negotiating {
            return Err(self.refuse_verb());
        }
        self.accepted_at = Some(now);
        self.opposing_messages = 0;
        let resolution_no = self.resolution_no;
        Ok(self.moved("accept", ComplaintState::Decided).with("resolution_no", resolution_no))
    }

    /// Notes that the customer does not accept the decision. Who refuses twice is answered by the next rank.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is decided, they were told, and have not accepted.
    pub fn refuse(
        mut self,
        refusing: ComplaintRefusing,
        stand_off: &StandOff<'_>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if !self.awaits_verdict() {
            return Err(self.refuse_verb());
        }
        let again = self.refused_at.is_some();
        self.refusals = self.refusals.saturating_add(1);
        self.refused_at = Some(now);
        self.refusal_reason = Some(refusing.reason);
        self.opposing_messages = 0;
        if again {
            self.stand_off_ends(stand_off.superiors);
        }
        let (id, refusals, rank) = (self.id, self.refusals, self.deciding_rank);
        let change = self.moved("refuse", ComplaintState::Negotiating).with("refusals", refusals);
        let due = Event::StandOffDue { complaint: id, refusals };
        Ok(change.with("deciding_rank", rank).emits_at(due, stand_off.until))
    }

    /// Lets the next rank decide, because nothing new was offered since refusal number `refusals`. `None` when it has
    /// moved on, or the brand has it.
    pub fn stand_off(mut self, refusals: u32, stand_off: &StandOff<'_>) -> Option<Change<Self>> {
        if !self.stands_off(refusals) {
            return None;
        }
        self.stand_off_ends(stand_off.superiors);
        let (id, rank, person) = (self.id, self.deciding_rank, self.escalated_staff_id);
        let change = Change::new("escalate", self).with("because_of", EscalationCause::StandOff);
        let due = Event::StandOffDue { complaint: id, refusals };
        Some(change.with("rank", rank).with("staff_id", person).emits_at(due, stand_off.until))
    }

    /// Notes that the customer has spoken against us again, while nothing new was offered; the second time the next
    /// rank decides. `None` unless it is being negotiated.
    pub fn oppose(mut self, superiors: &Superiors) -> Option<Change<Self>> {
        if self.state != ComplaintState::Negotiating {
            return None;
        }
        self.opposing_messages = self.opposing_messages.saturating_add(1);
        let opposing_messages = self.opposing_messages;
        if opposing_messages >= MOST_OPPOSING {
            self.opposing_messages = 0;
            self.stand_off_ends(superiors);
        }
        let (rank, person) = (self.deciding_rank, self.escalated_staff_id);
        let change = Change::new("oppose", self).with("opposing_messages", opposing_messages);
        Some(change.with("deciding_rank", rank).with("staff_id", person))
    }

    /// Notes that the customer has turned to somebody outside. What these say comes in as a decision.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is being negotiated.
    pub fn refer(mut self, referral: ComplaintReferral) -> Result<Change<Self>, Refusal> {
        if self.state != ComplaintState::Negotiating {
            return Err(self.refuse_verb());
        }
        self.external_body = Some(referral.body);
        Ok(self.moved("refer", ComplaintState::ExternalRecourse))
    }

    /// Expects that `rank` may decide anew.
    pub(super) fn expect_rank(&self, rank: Rank) -> Result<(), Refusal> {
        match self.deciding_rank {
            Some(required) if rank < required => Err(Refusal::new(&DECISION_ABOVE_RANK)
                .with("rank", rank)
                .with("required_rank", required)
                .with("refusals", self.refusals)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the two sides have stood against each other since refusal number `refusals`, and a rank is left to decide.
    pub fn stands_off(&self, refusals: u32) -> bool {
        self.state == ComplaintState::Negotiating
            && self.refusals == refusals
            && self.deciding_rank != Some(Rank::BRAND)
    }

    /// Whether it is the customer's turn: then nobody stands against anybody.
    pub fn waits_for_customer(&self) -> bool {
        self.waiting_for == Some(WaitingFor::Customer)
    }

    /// Whether the customer knows the decision and has not said what they think of it.
    fn awaits_verdict(&self) -> bool {
        self.state == ComplaintState::Decided
            && self.told_at.is_some()
            && self.accepted_at.is_none()
    }

    fn stand_off_ends(&mut self, superiors: &Superiors) {
        self.go_up_for(EscalationCause::StandOff, superiors);
        self.deciding_rank = self.escalated_rank;
    }
}
