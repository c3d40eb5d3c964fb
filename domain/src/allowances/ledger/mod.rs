//! The ledger: the only way money moves on an account.
//!
//! A [`Ledger`] is one account with its open lots, while one act moves money on it; [`Ledger::close`]
//! gives what is to be recorded. Whatever is done, in whatever order:
//!
//! - the held part is never more than the balance, and neither is below nothing; the same of every lot;
//! - the changes of the entries add up to the balance, to the held part and to what is released later,
//!   those about one lot to what remains and what is held of it;
//! - what remains of the lots adds up to the balance and what is released later, what is held of them to
//!   the held part.
//!
//! Money past its date is never promised, and money whose day has come is there: the books are opened and
//! closed by releasing what is ripe and taking out what has expired, so nothing depends on when the
//! night's job came by.

mod posting;
mod rules;

#[cfg(test)]
mod tests;

pub use posting::Posting;
pub use rules::*;

use super::{
    accounts::{AllowanceAccount, AllowanceMovement, EntryDocument, EntryKind, EntryReason},
    gestures::{GestureInterest, Given},
    lots::{AllowanceLot, AllowanceLotState, LotSplit, Overspent},
};
use crate::{
    ids::{AllowanceLotId, DealerId, GestureId, OrderLineId},
    money::{Currency, MOST_MINOR, Minor, Money},
    refusal::Refusal,
    time::Timestamp,
};
use serde_json::Map;
use std::collections::BTreeSet;

/// What a customer has: the accounts in all currencies, and the lots on them that are not empty.
///
/// The accounts stay locked from here to the end of the transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Purse {
    /// The accounts, one for each currency.
    pub accounts: Vec<AllowanceAccount>,
    /// The lots on them of which something is left.
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
    overspent: Vec<Overspent>,
    now: Timestamp,
}

/// The gesture for which money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// Which gesture.
    pub gesture: GestureId,
    /// What it gives.
    pub given: Given,
    /// In whose interest.
    pub interest: GestureInterest,
}

/// What a movement is about.
#[derive(Clone, Copy)]
struct Cause {
    kind: EntryKind,
    reason: EntryReason,
    document: EntryDocument,
    interest: Option<GestureInterest>,
}

/// How the parts of an account change, in minor units.
#[derive(Clone, Copy, Default)]
struct Shift {
    balance: i64,
    held: i64,
    pending: i64,
}

impl Purse {
    /// The account that `asked` can be paid from.
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

    /// What is set aside for the customer in `currency` and not spent yet.
    pub fn set_aside(&self, currency: Currency) -> Minor {
        let account = self.accounts.iter().find(|account| account.currency == currency);
        account.map_or(Minor::ZERO, |account| account.balance_minor)
    }

    /// The largest margin behind what is there to spend in `currency`; nothing when no margin is known.
    pub fn margin(&self, currency: Currency) -> Minor {
        let is_in = |lot: &&AllowanceLot| {
            let account = self.accounts.iter().find(|account| account.id == lot.account_id);
            account.is_some_and(|account| account.currency == currency)
        };
        let active = self.lots.iter().filter(|lot| lot.state == AllowanceLotState::Active);
        let margins = active.filter(is_in).filter_map(|lot| lot.margin_minor);
        margins.max().unwrap_or_default()
    }
}

impl Ledger {
    /// Opens the books of `account`; `lots` are all on it that are not empty.
    pub fn open(account: AllowanceAccount, mut lots: Vec<AllowanceLot>, now: Timestamp) -> Self {
        lots.sort_by_key(AllowanceLot::turn);
        let (earned, drawn) = (BTreeSet::new(), BTreeSet::new());
        let (movements, overspent) = (Vec::new(), Vec::new());
        Self { account, lots, earned, drawn, movements, overspent, now }.catch_up()
    }

    /// The account as it is now.
    pub fn account(&self) -> &AllowanceAccount {
        &self.account
    }

    /// When all this happens.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What may be promised to a gesture for what is `given`.
    pub fn available_for(&self, given: Given) -> Money {
        self.free_in(|lot| lot.pays_for(given))
    }

    /// What could be promised for what is `given`, if what thin margins have earned could buy things.
    pub(super) fn available_if_tangible(&self, given: Given) -> Money {
        self.free_in(|lot| lot.state == AllowanceLotState::Active && lot.purpose.covers(given.kind))
    }

    /// What is free in the lots that `may` pay.
    fn free_in(&self, may: impl Fn(&AllowanceLot) -> bool) -> Money {
        let lots = self.lots.iter().filter(|lot| may(lot));
        let amount = lots.map(AllowanceLot::free_minor).fold(Minor::ZERO, Minor::plus);
        Money { amount, currency: self.account.currency }
    }

    /// Adds what `lot` has earned; nothing when that is nothing. An account keeps at most
    /// [`MOST_MINOR`]; what is beyond is not earned.
    #[must_use]
    pub fn accrue(mut self, mut lot: AllowanceLot, reason: EntryReason) -> Self {
        let most = Minor::new(MOST_MINOR).unwrap_or_default();
        let kept = self.account.balance_minor.plus(self.account.pending_minor);
        let amount = lot.amount_minor.min(most.less(kept));
        if amount == Minor::ZERO {
            return self;
        }
        (lot.amount_minor, lot.remaining_minor) = (amount, amount);
        let is_ripe = lot.active_from <= self.now;
        lot.state = if is_ripe { AllowanceLotState::Active } else { AllowanceLotState::Pending };
        let document = EntryDocument::OrderLine(lot.order_line_id);
        let cause = Cause { kind: EntryKind::Accrue, reason, document, interest: None };
        let key = format!("accrue:{}:{}", lot.order_line_id, lot.instalment);
        let shift = if is_ripe {
            Shift { balance: amount.get(), ..Shift::default() }
        } else {
            Shift { pending: amount.get(), ..Shift::default() }
        };
        self.earned.insert(lot.id);
        self.shift(Some(lot.id), shift, cause, key);
        self.lots.push(lot);
        self
    }

    /// Promises `asked` to a gesture, from the lots that expire first among those that may pay for it, and
    /// says from which.
    ///
    /// # Errors
    ///
    /// `insufficient_allowance` when less is available for such a gesture; what is available exactly may
    /// be asked for. `thing_from_thin_margin` when there would be enough, but not for a thing.
    pub fn hold(
        mut self,
        asked: Money,
        purpose: Purpose,
    ) -> Result<(Self, Vec<LotSplit>), Refusal> {
        self.expect_available(asked, purpose.given)?;
        let mut splits = Vec::new();
        let mut unheld = asked.amount;
        let cause = Cause::of(purpose, EntryKind::Hold, EntryReason::GestureAsked);
        for mut lot in std::mem::take(&mut self.lots) {
            let amount = if lot.pays_for(purpose.given) {
                unheld.min(lot.free_minor())
            } else {
                Minor::ZERO
            };
            if amount > Minor::ZERO {
                unheld = unheld.less(amount);
                lot.held_minor = lot.held_minor.plus(amount);
                splits.push(LotSplit { lot_id: lot.id, amount_minor: amount });
                self.drawn.insert(lot.id);
                let shift = Shift { held: amount.get(), ..Shift::default() };
                self.shift(Some(lot.id), shift, cause, key("hold", purpose.gesture, lot.id));
            }
            self.lots.push(lot);
        }
        Ok((self, splits))
    }

    /// Takes the promises of a gesture back.
    #[must_use]
    pub fn release(mut self, splits: &[LotSplit], purpose: Purpose, reason: EntryReason) -> Self {
        let cause = Cause::of(purpose, EntryKind::Release, reason);
        for mut lot in std::mem::take(&mut self.lots) {
            let amount = promised(splits, lot.id).min(lot.held_minor);
            if amount > Minor::ZERO {
                lot.held_minor = lot.held_minor.less(amount);
                self.drawn.insert(lot.id);
                let shift = Shift { held: amount.get().saturating_neg(), ..Shift::default() };
                self.shift(Some(lot.id), shift, cause, key("release", purpose.gesture, lot.id));
            }
            self.lots.push(lot);
        }
        self
    }

    /// Pays `cost` for a gesture: from what is promised to it as far as that goes, and what is beyond
    /// from what is available for such gestures. Says what it was paid from; what is left of the promises is
    /// released.
    ///
    /// # Errors
    ///
    /// `insufficient_allowance` and `thing_from_thin_margin` when less is available than the cost is beyond the promise;
    /// `unbalanced_account` when the lots do not make up the amount.
    pub fn capture(
        mut self,
        cost: Money,
        splits: &[LotSplit],
        purpose: Purpose,
    ) -> Result<(Self, Vec<LotSplit>), Refusal> {
        let promise = splits.iter().map(|split| split.amount_minor).fold(Minor::ZERO, Minor::plus);
        self.expect_available(Money { amount: cost.amount.less(promise), ..cost }, purpose.given)?;
        let (of_promise, mut beyond) = (cost.amount.min(promise), cost.amount.less(promise));
        let mut unpaid = of_promise;
        let mut paid = Vec::new();
        for mut lot in std::mem::take(&mut self.lots) {
            let held = promised(splits, lot.id).min(lot.held_minor);
            let kept = unpaid.min(held);
            let more = if lot.pays_for(purpose.given) {
                beyond.min(lot.free_minor())
            } else {
                Minor::ZERO
            };
            (unpaid, beyond) = (unpaid.less(kept), beyond.less(more));
            self.pay(&mut lot, kept, more, purpose);
            self.free(&mut lot, held.less(kept), purpose);
            if kept.plus(more) > Minor::ZERO {
                paid.push(LotSplit { lot_id: lot.id, amount_minor: kept.plus(more) });
            }
            self.lots.push(lot);
        }
        if unpaid.plus(beyond) > Minor::ZERO {
            return Err(self.unbalanced(cost, unpaid.plus(beyond)));
        }
        Ok((self, paid))
    }

    /// Gives back what a gesture was `paid` from. What has expired since expires at once.
    #[must_use]
    pub fn restore(mut self, paid: &[LotSplit], purpose: Purpose) -> Self {
        let cause = Cause::of(purpose, EntryKind::Adjust, EntryReason::GestureReversed);
        for mut lot in std::mem::take(&mut self.lots) {
            let amount = promised(paid, lot.id).min(lot.spent_minor);
            if amount > Minor::ZERO {
                lot.spent_minor = lot.spent_minor.less(amount);
                lot.remaining_minor = lot.remaining_minor.plus(amount);
                if lot.state != AllowanceLotState::Revoked {
                    lot.state = AllowanceLotState::Active;
                }
                self.drawn.insert(lot.id);
                let shift = Shift { balance: amount.get(), ..Shift::default() };
                let key = key("reverse", purpose.gesture, lot.id);
                self.shift(Some(lot.id), shift, cause, key.clone());
                if lot.state == AllowanceLotState::Revoked {
                    self.charge(&lot, None, amount.get().saturating_neg(), key);
                }
            }
            self.lots.push(lot);
        }
        self
    }

    /// Takes back what the `lines` of a sale have earned, because it was given back: what is neither spent nor
    /// held goes at once, what is held when its gesture is settled without it. What was spent is
    /// charged to the dealer, so that no account is ever below nothing.
    #[must_use]
    pub fn revoke(mut self, lines: &[OrderLineId]) -> Self {
        for mut lot in std::mem::take(&mut self.lots) {
            if lines.contains(&lot.order_line_id) && lot.state != AllowanceLotState::Revoked {
                self.withdraw_pending(&mut lot);
                lot.state = AllowanceLotState::Revoked;
                self.drawn.insert(lot.id);
                let key = format!("refund:{}", lot.id);
                self.charge(&lot, lot.seller_id, lot.spent_minor.get(), key);
            }
            self.lots.push(lot);
        }
        self
    }

    /// What is to be recorded.
    pub fn close(self) -> Posting {
        let Self { account, lots, earned, drawn, movements, overspent, now: _ } = self.catch_up();
        let (new, old): (Vec<_>, Vec<_>) =
            lots.into_iter().partition(|lot| earned.contains(&lot.id));
        let drawn = old.into_iter().filter(|lot| drawn.contains(&lot.id)).collect();
        Posting { account, earned: new, drawn, movements, overspent, facts: Map::new() }
    }

    /// Releases what is ripe, and takes out what has reached its date or was given back, but for what is
    /// promised.
    fn catch_up(mut self) -> Self {
        for mut lot in std::mem::take(&mut self.lots) {
            if lot.is_ripe(self.now) {
                self.ripen(&mut lot);
            }
            if let Some((amount, reason)) = lot.overdue(self.now) {
                self.write_off(&mut lot, amount, reason);
            }
            self.lots.push(lot);
        }
        self
    }

    fn ripen(&mut self, lot: &mut AllowanceLot) {
        lot.state = AllowanceLotState::Active;
        self.drawn.insert(lot.id);
        let amount = lot.remaining_minor.get();
        let cause = Cause {
            kind: EntryKind::Activate,
            reason: EntryReason::InstalmentReleased,
            document: EntryDocument::Lot(lot.id),
            interest: None,
        };
        let shift = Shift { balance: amount, pending: amount.saturating_neg(), held: 0 };
        self.shift(Some(lot.id), shift, cause, format!("activate:{}", lot.id));
    }

    fn pay(&mut self, lot: &mut AllowanceLot, kept: Minor, more: Minor, purpose: Purpose) {
        let taken = kept.plus(more);
        if taken == Minor::ZERO {
            return;
        }
        lot.held_minor = lot.held_minor.less(kept);
        lot.spent_minor = lot.spent_minor.plus(taken);
        lot.take(taken, AllowanceLotState::Exhausted);
        self.drawn.insert(lot.id);
        let cause = Cause::of(purpose, EntryKind::Capture, EntryReason::GestureFulfilled);
        let (balance, held) = (taken.get().saturating_neg(), kept.get().saturating_neg());
        let key = key("capture", purpose.gesture, lot.id);
        self.shift(Some(lot.id), Shift { balance, held, pending: 0 }, cause, key);
        if lot.state == AllowanceLotState::Revoked {
            let key = format!("capture:{}:{}", purpose.gesture, lot.id);
            self.charge(lot, None, taken.get(), key);
        }
    }

    /// Releases what a gesture did not need.
    fn free(&mut self, lot: &mut AllowanceLot, amount: Minor, purpose: Purpose) {
        if amount == Minor::ZERO {
            return;
        }
        lot.held_minor = lot.held_minor.less(amount);
        self.drawn.insert(lot.id);
        let cause = Cause::of(purpose, EntryKind::Release, EntryReason::GestureFulfilled);
        let shift = Shift { held: amount.get().saturating_neg(), ..Shift::default() };
        self.shift(Some(lot.id), shift, cause, key("release", purpose.gesture, lot.id));
    }

    fn write_off(&mut self, lot: &mut AllowanceLot, amount: Minor, reason: EntryReason) {
        lot.take(amount, AllowanceLotState::Expired);
        self.drawn.insert(lot.id);
        let (kind, verb) = match lot.state {
            AllowanceLotState::Revoked => (EntryKind::Revoke, "revoke"),
            AllowanceLotState::Pending
            | AllowanceLotState::Active
            | AllowanceLotState::Exhausted
            | AllowanceLotState::Expired => (EntryKind::Expire, "expire"),
        };
        let cause = Cause { kind, reason, document: EntryDocument::Lot(lot.id), interest: None };
        let shift = Shift { balance: amount.get().saturating_neg(), ..Shift::default() };
        // A lot of which a part is promised goes in parts; what is left and what was spent tell them apart.
        let key = format!("{verb}:{}:{}:{}", lot.id, lot.remaining_minor, lot.spent_minor);
        self.shift(Some(lot.id), shift, cause, key);
    }

    /// What was to be released later is not any more.
    fn withdraw_pending(&mut self, lot: &mut AllowanceLot) {
        if lot.state != AllowanceLotState::Pending {
            return;
        }
        let amount = lot.remaining_minor;
        lot.take(amount, AllowanceLotState::Revoked);
        let cause = Cause {
            kind: EntryKind::Revoke,
            reason: EntryReason::OrderRefunded,
            document: EntryDocument::Lot(lot.id),
            interest: None,
        };
        let shift = Shift { pending: amount.get().saturating_neg(), ..Shift::default() };
        self.shift(Some(lot.id), shift, cause, format!("revoke:{}:pending", lot.id));
    }

    /// Charges somebody: the dealer who sold with what was spent before the refund, whoever looks after the customer with
    /// what is spent, or taken back, after it.
    fn charge(
        &mut self,
        lot: &AllowanceLot,
        borne_by: Option<DealerId>,
        amount_minor: i64,
        idempotency_key: String,
    ) {
        if amount_minor == 0 {
            return;
        }
        self.overspent.push(Overspent {
            lot_id: lot.id,
            order_line_id: lot.order_line_id,
            borne_by,
            amount_minor,
            idempotency_key,
        });
    }

    /// Changes the account and writes the line that says so.
    fn shift(
        &mut self,
        lot_id: Option<AllowanceLotId>,
        shift: Shift,
        cause: Cause,
        idempotency_key: String,
    ) {
        let account = &mut self.account;
        account.balance_minor = account.balance_minor.changed(shift.balance);
        account.held_minor = account.held_minor.changed(shift.held);
        account.pending_minor = account.pending_minor.changed(shift.pending);
        account.available_minor = account.balance_minor.less(account.held_minor);
        self.movements.push(AllowanceMovement {
            kind: cause.kind,
            reason: cause.reason,
            document: cause.document,
            interest: cause.interest,
            lot_id,
            balance_change_minor: shift.balance,
            held_change_minor: shift.held,
            pending_change_minor: shift.pending,
            balance_after_minor: account.balance_minor,
            held_after_minor: account.held_minor,
            idempotency_key,
        });
    }

    fn expect_available(&self, asked: Money, given: Given) -> Result<(), Refusal> {
        if asked.currency != self.account.currency {
            return Err(mixed(asked, &[self.account.currency]));
        }
        let available = self.available_for(given);
        if asked.amount <= available.amount {
            return Ok(());
        }
        let refusal = if asked.amount <= self.available_if_tangible(given).amount {
            Refusal::new(&THING_FROM_THIN_MARGIN)
                .with("asked", asked)
                .with("available", available)
                .with("of_thin_margins", self.available_if_tangible(given))
        } else {
            insufficient(asked, available)
        };
        Err(refusal.with("account_available", self.account.available()))
    }

    fn unbalanced(&self, asked: Money, missing: Minor) -> Refusal {
        Refusal::new(&UNBALANCED_ACCOUNT)
            .with("account_id", self.account.id)
            .with("asked", asked)
            .with("missing_minor", missing)
    }
}

impl Cause {
    fn of(purpose: Purpose, kind: EntryKind, reason: EntryReason) -> Self {
        let document = EntryDocument::Gesture(purpose.gesture);
        Self { kind, reason, document, interest: Some(purpose.interest) }
    }
}

/// Each thing is done once for its gesture and its lot, and this says so.
fn key(verb: &str, gesture: GestureId, lot: AllowanceLotId) -> String {
    format!("{verb}:{gesture}:{lot}")
}

/// How much of a lot is in `splits`.
fn promised(splits: &[LotSplit], lot: AllowanceLotId) -> Minor {
    let of_lot = splits.iter().filter(|split| split.lot_id == lot);
    of_lot.map(|split| split.amount_minor).fold(Minor::ZERO, Minor::plus)
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
