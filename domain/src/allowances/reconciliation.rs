//! Reconciliation: every account is counted over, so that what should never happen is seen the night
//! after it did.

use crate::ids::AllowanceAccountId;
use serde::Serialize;
use utoipa::ToSchema;

/// An account beside what its lines and lots add up to, all in minor units, and all as they stand: this
/// is for finding what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountCount {
    /// Which account.
    pub account_id: AllowanceAccountId,
    /// What it says is set aside.
    pub balance_minor: i64,
    /// What it says is promised.
    pub held_minor: i64,
    /// What it says is released later.
    pub pending_minor: i64,
    /// What the changes of the balance add up to.
    pub entries_balance_minor: i64,
    /// What the changes of the held part add up to.
    pub entries_held_minor: i64,
    /// What the changes of what is released later add up to.
    pub entries_pending_minor: i64,
    /// What remains of the lots whose day has come.
    pub lots_remaining_minor: i64,
    /// What is held of them.
    pub lots_held_minor: i64,
    /// What remains of the lots whose day has not come.
    pub lots_pending_minor: i64,
}

impl AccountCount {
    /// Whether all sums agree with the account.
    pub fn is_balanced(&self) -> bool {
        self.entries_balance_minor == self.balance_minor
            && self.entries_held_minor == self.held_minor
            && self.entries_pending_minor == self.pending_minor
            && self.lots_remaining_minor == self.balance_minor
            && self.lots_held_minor == self.held_minor
            && self.lots_pending_minor == self.pending_minor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::id;

    #[test]
    fn an_account_is_balanced_when_all_sums_agree() {
        let count = AccountCount {
            account_id: id(1),
            balance_minor: 100,
            held_minor: 30,
            pending_minor: 7,
            entries_balance_minor: 100,
            entries_held_minor: 30,
            entries_pending_minor: 7,
            lots_remaining_minor: 100,
            lots_held_minor: 30,
            lots_pending_minor: 7,
        };
        assert!(count.is_balanced());
        for wrong in [
            AccountCount { balance_minor: 101, ..count },
            AccountCount { held_minor: 31, ..count },
            AccountCount { entries_balance_minor: 99, ..count },
            AccountCount { entries_held_minor: 29, ..count },
            AccountCount { pending_minor: 8, ..count },
            AccountCount { entries_pending_minor: 6, ..count },
            AccountCount { lots_remaining_minor: 99, ..count },
            AccountCount { lots_held_minor: 29, ..count },
            AccountCount { lots_pending_minor: 6, ..count },
        ] {
            assert!(!wrong.is_balanced(), "{wrong:?}");
        }
    }
}
