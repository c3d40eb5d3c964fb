//! Superiors: who answers for a complaint whose deadline comes near or has passed.

use super::Complaint;
use crate::{
    change::Change,
    clocks::SlaMetric,
    identity::{LADDER, Rank},
    ids::StaffId,
};

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
            if let Some((_, person)) = self.people.iter().find(|(one, _)| *one == next) {
                return (next, Some(*person));
            }
        }
        (Rank::BRAND, None)
    }
}

impl Complaint {
    /// Lets the next rank answer for it, because a deadline came near or passed: a manager, then the owner, then the
    /// brand. Whoever had it before goes on. `None` when the brand has it already.
    pub fn escalate(
        mut self,
        superiors: &Superiors,
        because_of: SlaMetric,
    ) -> Option<Change<Self>> {
        if self.escalated_rank == Some(Rank::BRAND) {
            return None;
        }
        let had = self.escalated_rank.unwrap_or(superiors.owner_rank);
        let (rank, person) = superiors.above(had);
        self.escalated_rank = Some(rank);
        self.escalated_staff_id = person;
        let change = Change::new("escalate", self).with("metric", because_of);
        Some(change.with("rank", rank).with("staff_id", person))
    }
}
