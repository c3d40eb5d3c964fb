//! Hands: one named person answers for a complaint until it is closed, whoever leaves or goes on leave.

use super::{COMPLAINT_NOT_FOR_THEM, Complaint};
use crate::{change::Change, identity::Staff, ids::StaffId, refusal::Refusal};

/// What is known of the people of a complaint, today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComplaintHands {
    /// Whether nobody owns it, or its owner has left or works for another dealer.
    pub owner_is_gone: bool,
    /// Whether its owner is on leave.
    pub owner_is_away: bool,
    /// Whether nobody has the rank it went up to, or the one who has left or works for another dealer.
    pub superior_is_gone: bool,
    /// Who could take it: the owner's deputy before the customer's own person, and those before whoever stands lowest and
    /// has the fewest; nobody where there is none.
    pub heir: Option<StaffId>,
    /// Who else has the rank that it went up to.
    pub next_superior: Option<StaffId>,
}

impl Complaint {
    /// Lets somebody answer for it, whoever did before.
    ///
    /// # Errors
    ///
    /// `complaint_not_for_them` when they do not work for its dealer or the brand, or are an auditor;
    /// `illegal_transition` when nobody has to answer for it any more.
    pub fn assign(mut self, to: &Staff) -> Result<Change<Self>, Refusal> {
        if self.is_over() {
            return Err(self.refuse_verb());
        }
        if !to.may_be_given_work_of(self.details.dealer_id) {
            let refusal = Refusal::new(&COMPLAINT_NOT_FOR_THEM).with("staff_id", to.id);
            return Err(refusal.at("/staff_id"));
        }
        let before = self.owner_id.replace(to.id);
        self.cover_id = None;
        Ok(Change::new("assign", self).with("from_staff_id", before).with("staff_id", to.id))
    }

    /// Lets it be in the hands of people who are there: where nobody owns it somebody is named, who has left hands it
    /// over for good, who is on leave is stood in for until they are back. `None` when it is already.
    pub fn hand_over(mut self, hands: &ComplaintHands) -> Option<Change<Self>> {
        if self.is_over() {
            return None;
        }
        let before = (self.owner_id, self.cover_id, self.escalated_staff_id);
        if hands.owner_is_gone {
            self.owner_id = hands.heir;
            self.cover_id = None;
        } else {
            self.cover_id = if hands.owner_is_away { hands.heir } else { None };
        }
        if hands.superior_is_gone {
            self.escalated_staff_id = hands.next_superior;
        }
        let after = (self.owner_id, self.cover_id, self.escalated_staff_id);
        if before == after {
            return None;
        }
        let (owner, cover, superior) = after;
        let change = Change::new("hand_over", self).with("from_staff_id", before.0);
        Some(
            change
                .with("staff_id", owner)
                .with("cover_id", cover)
                .with("escalated_staff_id", superior),
        )
    }
}
