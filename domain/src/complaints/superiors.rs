//! Superiors: who answers for a complaint when it goes up the ladder.

use super::Complaint;
use crate::{
    change::Change,
    clocks::{SlaAscent, SlaMetric},
    identity::{LADDER, Rank},
    ids::StaffId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a complaint goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationCause {
    /// A deadline came near or passed.
    Deadline,
    /// Somebody may be hurt.
    Safety,
    /// The two sides stand against each other.
    StandOff,
}

/// Who could answer for a complaint in place of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superiors {
    /// The rank of the person who answers for it; that of a clerk when nobody does.
    pub owner_rank: Rank,
    /// For each rank that anybody has who is there, the one to whom it goes.
    pub people: Vec<(Rank, StaffId)>,
}

impl Superiors {
    /// The next rank above `rank` that has anybody, and who that is. The brand is the last, and answers also when
    /// nobody of it is named.
    pub fn above(&self, rank: Rank) -> (Rank, Option<StaffId>) {
        for (next, _) in LADDER.into_iter().filter(|(next, _)| *next > rank) {
            if let Some(person) = self.at(next) {
                return (next, Some(person));
            }
        }
        (Rank::BRAND, self.at(Rank::BRAND))
    }

    /// Who has this rank.
    pub fn at(&self, rank: Rank) -> Option<StaffId> {
        self.people.iter().find(|(one, _)| *one == rank).map(|(_, person)| *person)
    }
}

impl Complaint {
    /// Lets the next rank answer for it, because a deadline came near or passed: a manager, then the owner, then the
    /// brand. Whoever had it before goes on, unless it is reassigned. `None` when the brand has it already.
    pub fn escalate(
        mut self,
        superiors: &Superiors,
        (ascent, because_of): (SlaAscent, SlaMetric),
    ) -> Option<Change<Self>> {
        if self.escalated_rank == Some(Rank::BRAND) {
            return None;
        }
        self.go_up_for(EscalationCause::Deadline, superiors);
        let (rank, person) = (self.escalated_rank, self.escalated_staff_id);
        let action = match ascent {
            SlaAscent::Escalate => "escalate",
            SlaAscent::Reassign => "reassign",
        };
        // Where the rank has nobody, whoever had it goes on, so that it is somebody's.
        if let (SlaAscent::Reassign, Some(person)) = (ascent, person) {
            self.owner_id = Some(person);
            self.cover_id = None;
        }
        let change = Change::new(action, self).with("metric", because_of);
        Some(change.with("rank", rank).with("staff_id", person))
    }

    /// Goes one rank up. Where somebody may be hurt, a manager or somebody higher is enough; where two sides stand
    /// against each other, it goes above whoever decided.
    pub(super) fn go_up_for(&mut self, cause: EscalationCause, superiors: &Superiors) {
        let had = self.escalated_rank.unwrap_or(superiors.owner_rank);
        let (rank, person) = match cause {
            EscalationCause::Safety if had >= Rank::MANAGER => return,
            EscalationCause::Deadline | EscalationCause::Safety => superiors.above(had),
            EscalationCause::StandOff => {
                let decided = self.decided_rank.map_or(had, |decided| decided.max(had));
                superiors.above(decided)
            }
        };
        self.escalated_rank = Some(rank);
        self.escalated_staff_id = person;
    }
}
