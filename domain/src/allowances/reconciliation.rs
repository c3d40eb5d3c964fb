//! Reconciliation: every account is counted over, so that what should never happen is seen the night
//! after it did.

use crate::ids::AllowanceAccountId;
use serde::Serialize;

/// An account beside what its lines and lots add up to, all in minor units, and all as they stand: this
/// is for finding what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AccountCount {
    /// Which account.
    #[serde(skip)]
    pub account_id: AllowanceAccountId,
    /// What it says is set aside.
    pub balance_minor: i64,
    /// What it says is promised.
    pub held_minor: i64,
    /// What the changes of the balance add up to.
    pub entries_balance_minor: i64,
    /// What the changes of the held part add up to.
    pub entries_held_minor: i64,
    /// What remains of the active lots.
    pub lots_remaining_minor: i64,
}

impl AccountCount {
    /// Whether the three sums agree with the account.
    pub fn is_balanced(&self) -> bool {
        self.entries_balance_minor == self.balance_minor
            && self.entries_held_minor == self.held_minor
            && self.lots_remaining_minor == self.balance_minor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::id;

    #[test]
    fn an_account_is_balanced_when_all_three_sums_agree() {
        let count = AccountCount {
            account_id: id(1),
            balance_minor: 100,
            held_minor: 30,
            entries_balance_minor: 100,
            entries_held_minor: 30,
            lots_remaining_minor: 100,
        };
        assert!(count.is_balanced());
        for wrong in [
            AccountCount { balance_minor: 101, ..count },
            AccountCount { held_minor: 31, ..count },
            AccountCount { entries_balance_minor: 99, ..count },
            AccountCount { entries_held_minor: 29, ..count },
            AccountCount { lots_remaining_minor: 99, ..count },
        ] {
            assert!(!wrong.is_balanced(), "{wrong:?}");
        }
    }
}
