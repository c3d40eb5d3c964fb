//! The ledger: the only way money moves on an account.
//!
//! A [`Ledger`] is one account with its open lots, while one act moves money on it; [`Ledger::close`]
//! gives what is to be recorded. Whatever is done, in whatever order:
//!
//! - the held part is never more than the balance, and neither is below nothing;
//! - the changes of the entries add up to the balance and to the held part;
//! - what remains of the lots adds up to the balance.
//!
//! Money past its date is never promised: the books are opened and closed by taking out what has
//! expired, so nothing depends on when the night's job came by.

mod rules;

#[cfg(test)]
mod tests;

pub use rules::*;

use super::accounts::{
    AllowanceAccount, AllowanceLot, AllowanceMovement, EntryDocument, EntryKind, EntryReason,
};
use crate::{
    change::Change,
    ids::{AllowanceLotId, GestureId},
    money::{Currency, MOST_MINOR, Minor, Money},
    refusal::Refusal,
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a customer has: the accounts in all currencies, and the lots on them that are not empty.
///
/// The accounts stay locked from here to the end of the transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Purse {
    /// The accounts, one for each currency.
    pub accounts: Vec<AllowanceAccount>,
    /// The active lots on them.
    pub lots: Vec<AllowanceLot>,
}

/// An account with its open lots, while one act moves money on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    account: AllowanceAccount,
    lots: Vec<AllowanceLot>,
    earned: BTreeSet<AllowanceLotId>,
    drawn: BTreeSet<AllowanceLotId>,
    movements: Vec<AllowanceMovement>,
    now: Timestamp,
}

/// What moved on an account, to be recorded as one piece.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a posting that is not recorded has not happened"]
pub struct Posting {
    /// The account as it is now.
    pub account: AllowanceAccount,
    /// The lots that are new.
    pub earned: Vec<AllowanceLot>,
    /// The lots of which something was taken.
    pub drawn: Vec<AllowanceLot>,
    /// The lines of the account, in order.
    pub movements: Vec<AllowanceMovement>,
    /// What the account's timeline should know beside the amounts.
    pub facts: Map<String, Value>,
}

/// What a movement is about.
struct Cause {
    kind: EntryKind,
    reason: EntryReason,
    document: EntryDocument,
    lot_id: Option<AllowanceLotId>,
    /// Each thing is done once for its document, and this says so.
    idempotency_key: String,
}

impl Purse {
    /// Opens the books of the account that `asked` can be paid from.
    ///
    /// # Errors
    ///
    /// `mixed_currency` when the customer has accounts in other currencies only;
    /// `insufficient_allowance` when there is none at all.
    pub fn open(self, asked: Money, now: Timestamp) -> Result<Ledger, Refusal> {
        let currencies: Vec<_> = self.accounts.iter().map(|account| account.currency).collect();
        let mut accounts = self.accounts.into_iter();
        let Some(account) = accounts.find(|account| account.currency == asked.currency) else {
            if currencies.is_empty() {
                return Err(insufficient(asked, Money { amount: Minor::ZERO, ..asked }));
            }
            return Err(mixed(asked, &currencies));
        };
        let lots = self.lots.into_iter().filter(|lot| lot.account_id == account.id).collect();
        Ok(Ledger::open(account, lots, now))
    }
}

impl Ledger {
    /// Opens the books of `account`; `lots` are all on it that are not empty.
    pub fn open(account: AllowanceAccount, mut lots: Vec<AllowanceLot>, now: Timestamp) -> Self {
        lots.sort_by_key(AllowanceLot::turn);
        let (earned, drawn) = (BTreeSet::new(), BTreeSet::new());
        Self { account, lots, earned, drawn, movements: Vec::new(), now }.expire()
    }

    /// The account as it is now.
    pub fn account(&self) -> &AllowanceAccount {
        &self.account
    }

    /// When all this happens.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds what `lot` has earned; nothing when that is nothing. An account keeps at most
    /// [`MOST_MINOR`]; what is beyond is not earned.
    #[must_use]
    pub fn accrue(mut self, mut lot: AllowanceLot, reason: EntryReason) -> Self {
        let most = Minor::new(MOST_MINOR).unwrap_or_default();
        let amount = lot.amount_minor.min(most.less(self.account.balance_minor));
        if amount == Minor::ZERO {
            return self;
        }
        (lot.amount_minor, lot.remaining_minor) = (amount, amount);
        let cause = Cause {
            kind: EntryKind::Accrue,
            reason,
            document: EntryDocument::OrderLine(lot.order_line_id),
            lot_id: Some(lot.id),
            idempotency_key: format!("accrue:{}", lot.order_line_id),
        };
        let balance = self.account.balance_minor.plus(amount);
        self.earned.insert(lot.id);
        self.lots.push(lot);
        self.move_to(balance, self.account.held_minor, cause);
        self
    }

    /// Promises `asked` to `gesture`.
    ///
    /// # Errors
    ///
    /// `insufficient_allowance` when less is available; what is available exactly may be asked for.
    pub fn hold(mut self, asked: Money, gesture: GestureId) -> Result<Self, Refusal> {
        self.expect_available(asked)?;
        let cause = Cause {
            kind: EntryKind::Hold,
            reason: EntryReason::GestureAsked,
            document: EntryDocument::Gesture(gesture),
            lot_id: None,
            idempotency_key: format!("hold:{gesture}"),
        };
        let held = self.account.held_minor.plus(asked.amount);
        self.move_to(self.account.balance_minor, held, cause);
        Ok(self)
    }

    /// Takes the promise of `amount` to `gesture` back, or what is left of it.
    #[must_use]
    pub fn release(mut self, amount: Minor, gesture: GestureId, reason: EntryReason) -> Self {
        if amount == Minor::ZERO {
            return self;
        }
        let cause = Cause {
            kind: EntryKind::Release,
            reason,
            document: EntryDocument::Gesture(gesture),
            lot_id: None,
            idempotency_key: format!("release:{gesture}"),
        };
        let held = self.account.held_minor.less(amount);
        self.move_to(self.account.balance_minor, held, cause);
        self
    }

    /// Pays `cost` for `gesture`, to which `promised` is held: from the promise as far as it goes, and
    /// what is beyond from what is available. The lot that expires first pays first.
    ///
    /// # Errors
    ///
    /// `insufficient_allowance` when less is available than the cost is beyond the promise;
    /// `unbalanced_account` when the lots do not make up the amount.
    pub fn capture(
        mut self,
        cost: Money,
        promised: Minor,
        gesture: GestureId,
    ) -> Result<Self, Refusal> {
        self.expect_available(Money { amount: cost.amount.less(promised), ..cost })?;
        let (mut unpaid, mut promised) = (cost.amount, promised);
        for mut lot in std::mem::take(&mut self.lots) {
            let taken = lot.spend(unpaid);
            let of_promise = taken.min(promised);
            (unpaid, promised) = (unpaid.less(taken), promised.less(of_promise));
            self.pay(&lot, taken, of_promise, gesture);
            self.lots.push(lot);
        }
        if unpaid > Minor::ZERO {
            return Err(self.unbalanced(cost, unpaid));
        }
        Ok(self)
    }

    /// What is to be recorded.
    pub fn close(self) -> Posting {
        let Self { account, lots, earned, drawn, movements, now: _ } = self.expire();
        let (new, old): (Vec<_>, Vec<_>) =
            lots.into_iter().partition(|lot| earned.contains(&lot.id));
        let drawn = old.into_iter().filter(|lot| drawn.contains(&lot.id)).collect();
        Posting { account, earned: new, drawn, movements, facts: Map::new() }
    }

    /// Takes out what has reached its date, but for what is promised.
    fn expire(mut self) -> Self {
        for mut lot in std::mem::take(&mut self.lots) {
            let expired = lot.expire(self.account.available().amount, self.now);
            self.write_off(&lot, expired);
            self.lots.push(lot);
        }
        self
    }

    fn pay(&mut self, lot: &AllowanceLot, taken: Minor, of_promise: Minor, gesture: GestureId) {
        if taken == Minor::ZERO {
            return;
        }
        self.drawn.insert(lot.id);
        let cause = Cause {
            kind: EntryKind::Capture,
            reason: EntryReason::GestureFulfilled,
            document: EntryDocument::Gesture(gesture),
            lot_id: Some(lot.id),
            idempotency_key: format!("capture:{gesture}:{}", lot.id),
        };
        let balance = self.account.balance_minor.less(taken);
        self.move_to(balance, self.account.held_minor.less(of_promise), cause);
    }

    fn write_off(&mut self, lot: &AllowanceLot, expired: Minor) {
        if expired == Minor::ZERO {
            return;
        }
        self.drawn.insert(lot.id);
        let cause = Cause {
            kind: EntryKind::Expire,
            reason: EntryReason::LotExpired,
            document: EntryDocument::Lot(lot.id),
            lot_id: Some(lot.id),
            // A lot of which a part is promised expires in parts; what is left tells them apart.
            idempotency_key: format!("expire:{}:{}", lot.id, lot.remaining_minor),
        };
        let balance = self.account.balance_minor.less(expired);
        self.move_to(balance, self.account.held_minor, cause);
    }

    /// Writes the line that leads to `balance` and `held`.
    fn move_to(&mut self, balance: Minor, held: Minor, cause: Cause) {
        let Cause { kind, reason, document, lot_id, idempotency_key } = cause;
        let before = (self.account.balance_minor, self.account.held_minor);
        (self.account.balance_minor, self.account.held_minor) = (balance, held);
        self.account.available_minor = balance.less(held);
        self.movements.push(AllowanceMovement {
            kind,
            reason,
            document,
            lot_id,
            balance_change_minor: balance.get().saturating_sub(before.0.get()),
            held_change_minor: held.get().saturating_sub(before.1.get()),
            balance_after_minor: balance,
            held_after_minor: held,
            idempotency_key,
        });
    }

    fn expect_available(&self, asked: Money) -> Result<(), Refusal> {
        if asked.currency != self.account.currency {
            return Err(mixed(asked, &[self.account.currency]));
        }
        let available = self.account.available();
        if asked.amount <= available.amount {
            return Ok(());
        }
        Err(insufficient(asked, available))
    }

    fn unbalanced(&self, asked: Money, missing: Minor) -> Refusal {
        Refusal::new(&UNBALANCED_ACCOUNT)
            .with("account_id", self.account.id)
            .with("asked", asked)
            .with("missing_minor", missing)
    }
}

impl Posting {
    /// Adds a fact to the account's timeline.
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Self {
        let value = serde_json::to_value(fact).unwrap_or_default();
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// The account with the one line that its timeline gets, however many lines the account itself gets;
    /// nothing when nothing moved. The line is called after what was meant to be done, not after what
    /// expired in passing.
    pub fn change(&self) -> Option<Change<AllowanceAccount>> {
        let meant = self.movements.iter().find(|line| line.kind != EntryKind::Expire);
        let line = meant.or(self.movements.first())?;
        let sum = |change: fn(&AllowanceMovement) -> i64| -> i64 {
            self.movements.iter().map(change).fold(0, i64::saturating_add)
        };
        let mut change = Change::new(line.kind.verb(), self.account.clone())
            .with("reason", line.reason)
            .with("document", line.document)
            .with("balance_change_minor", sum(|line| line.balance_change_minor))
            .with("held_change_minor", sum(|line| line.held_change_minor))
            .with("available", self.account.available());
        change.facts.extend(self.facts.clone());
        Some(change)
    }
}

/// Says how much is there.
fn insufficient(asked: Money, available: Money) -> Refusal {
    Refusal::new(&INSUFFICIENT_ALLOWANCE).with("asked", asked).with("available", available)
}

/// Says which currency it should be.
fn mixed(asked: Money, expected: &[Currency]) -> Refusal {
    Refusal::new(&MIXED_CURRENCY)
        .with("currency", asked.currency)
        .with("expected", expected)
        .at("/currency")
}
