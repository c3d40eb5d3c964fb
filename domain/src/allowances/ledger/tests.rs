//! The ledger, act by act and in any order.

use super::*;
use crate::{
    allowances::{
        examples::{account, at, fen, id, lot, minor, promised_account, purse},
        gestures::GestureKind,
    },
    record::Version,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: &str = "2026-06-01T00:00:00Z";

fn books(lots: Vec<AllowanceLot>) -> Ledger {
    let balance = lots.iter().map(|lot| lot.remaining_minor.get()).sum();
    Ledger::open(account(balance), lots, at(NOW))
}

/// Why money moves for gesture `number`, a gift.
fn gift(number: u128) -> Purpose {
    let (given, interest) = (Given::of(GestureKind::Gift), GestureInterest::Customer);
    Purpose { gesture: id(number), given, interest }
}

fn split(lot: u128, amount: i64) -> LotSplit {
    LotSplit { lot_id: id(lot), amount_minor: minor(amount) }
}

fn hold(ledger: Ledger, amount: i64) -> (Ledger, Vec<LotSplit>) {
    ledger.hold(fen(amount), gift(9)).unwrap()
}

#[test]
fn all_that_is_available_can_be_held_and_not_a_fen_more() {
    let open = |asked| purse(100).open(fen(asked), at(NOW)).unwrap();
    let (held, splits) = hold(open(100), 100);
    assert_eq!((held.account().available(), splits), (fen(0), vec![split(1, 100)]));
    let refusal = open(101).hold(fen(101), gift(1)).unwrap_err();
    assert_eq!(refusal.rule.code, "insufficient_allowance");
    assert_eq!(refusal.facts["asked"]["amount"], 101);
    assert_eq!(refusal.facts["available"]["amount"], 100);
    assert!(held.hold(fen(1), gift(2)).is_err());
}

#[test]
fn a_customer_without_an_account_has_nothing_and_nothing_is_converted() {
    let refusal = Purse::default().open(fen(1), at(NOW)).unwrap_err();
    assert_eq!(refusal.rule.code, "insufficient_allowance");
    let dollar = Money { amount: minor(1), currency: Currency::USD };
    let refusal = purse(100).open(dollar, at(NOW)).unwrap_err();
    assert_eq!(refusal.rule.code, "mixed_currency");
    assert_eq!(refusal.facts["expected"], serde_json::json!(["CNY"]));
}

#[test]
fn what_expires_first_pays_first() {
    let lots = vec![
        lot(1, 50, None),
        lot(2, 50, Some("2026-09-01T00:00:00Z")),
        lot(3, 50, Some("2026-07-01T00:00:00Z")),
    ];
    let (held, splits) = hold(books(lots), 80);
    assert_eq!(splits, [split(3, 50), split(2, 30)]);
    let (paid, from) = held.capture(fen(70), &splits, gift(9)).unwrap();
    assert_eq!(from, [split(3, 50), split(2, 20)]);
    let posting = paid.close();
    let drawn: Vec<_> = posting
        .drawn
        .iter()
        .map(|lot| (lot.id, lot.remaining_minor, lot.spent_minor, lot.state))
        .collect();
    assert_eq!(
        drawn,
        [
            (id(3), minor(0), minor(50), AllowanceLotState::Exhausted),
            (id(2), minor(30), minor(20), AllowanceLotState::Active)
        ]
    );
    assert_eq!(posting.account.balance_minor, minor(80));
    assert_eq!(posting.account.held_minor, minor(0));
    let changes: Vec<_> = posting
        .movements
        .iter()
        .map(|line| (line.kind, line.balance_change_minor, line.held_change_minor))
        .collect();
    assert_eq!(
        changes,
        [
            (EntryKind::Hold, 0, 50),
            (EntryKind::Hold, 0, 30),
            (EntryKind::Capture, -50, -50),
            (EntryKind::Capture, -20, -20),
            (EntryKind::Release, 0, -10)
        ]
    );
}

#[test]
fn a_cost_above_the_promise_is_paid_from_what_is_available() {
    let held = || hold(books(vec![lot(1, 100, None)]), 60);
    let (ledger, splits) = held();
    let posting = ledger.capture(fen(100), &splits, gift(9)).unwrap().0.close();
    assert_eq!((posting.account.balance_minor, posting.account.held_minor), (minor(0), minor(0)));
    let (ledger, splits) = held();
    let refusal = ledger.capture(fen(101), &splits, gift(9)).unwrap_err();
    assert_eq!(refusal.facts["asked"]["amount"], 41);
    assert_eq!(refusal.facts["available"]["amount"], 40);
}

#[test]
fn a_lot_expires_at_its_instant_but_for_what_is_promised() {
    let due = || vec![lot(1, 100, Some(NOW))];
    assert_eq!(books(due()).close().account.balance_minor, minor(0));
    let later = vec![lot(1, 100, Some("2026-06-01T00:00:01Z"))];
    assert!(books(later).close().movements.is_empty());

    let promised = vec![AllowanceLot { held_minor: minor(30), ..lot(1, 100, Some(NOW)) }];
    let ledger = Ledger::open(promised_account(30, 100), promised, at(NOW));
    assert_eq!(ledger.account().balance_minor, minor(30));
    let posting = ledger.release(&[split(1, 30)], gift(9), EntryReason::GestureCancelled).close();
    assert_eq!(posting.account.balance_minor, minor(0));
    assert_eq!(posting.drawn[0].state, AllowanceLotState::Expired);
    let keys: Vec<_> = posting.movements.iter().map(|line| &*line.idempotency_key).collect();
    let (gesture, lot): (GestureId, AllowanceLotId) = (id(9), id(1));
    assert_eq!(
        keys,
        [
            format!("expire:{lot}:30:0"),
            format!("release:{gesture}:{lot}"),
            format!("expire:{lot}:0:0")
        ]
    );
}

#[test]
fn an_instalment_is_there_on_its_day_and_not_before() {
    let later = |day: &str| AllowanceLot {
        active_from: at(day),
        state: AllowanceLotState::Pending,
        ..lot(1, 100, None)
    };
    let account = AllowanceAccount { pending_minor: minor(100), ..account(0) };
    let open = |day: &str| Ledger::open(account.clone(), vec![later(day)], at(NOW));
    let early = open("2026-06-01T00:00:01Z").close();
    assert_eq!((early.account.balance_minor, early.movements.len()), (minor(0), 0));
    let posting = open(NOW).close();
    assert_eq!(posting.account.balance_minor, minor(100));
    assert_eq!(posting.account.pending_minor, minor(0));
    assert_eq!(posting.movements[0].kind, EntryKind::Activate);
    assert_eq!(posting.drawn[0].state, AllowanceLotState::Active);
    assert!(open(NOW).hold(fen(100), gift(9)).is_ok());
}

#[test]
fn a_thin_margin_buys_service_and_no_things() {
    let thin = AllowanceLot { tangible_allowed: false, ..lot(1, 100, None) };
    let open = || books(vec![thin.clone(), lot(2, 30, None)]);
    assert!(open().hold(fen(30), gift(9)).is_ok());
    let refusal = open().hold(fen(31), gift(9)).unwrap_err();
    assert_eq!(refusal.rule.code, "thing_from_thin_margin");
    assert_eq!(refusal.facts["of_thin_margins"]["amount"], 130);
    let service = Purpose { given: Given::of(GestureKind::PersonalisedService), ..gift(9) };
    assert!(open().hold(fen(130), service).is_ok());
    assert_eq!(open().hold(fen(131), service).unwrap_err().rule.code, "insufficient_allowance");
}

#[test]
fn a_refund_takes_what_is_left_and_charges_what_was_spent() {
    let (held, splits) = hold(books(vec![lot(1, 100, None), lot(2, 50, None)]), 60);
    let (paid, _) = held.capture(fen(40), &splits, gift(9)).unwrap();
    let (ledger, splits) = paid.hold(fen(25), gift(8)).unwrap();
    let posting = ledger.revoke(&[id(1)]).close();
    assert_eq!(posting.account.balance_minor, minor(75), "the other lot, and what is promised");
    assert_eq!(posting.account.held_minor, minor(25));
    let revoked = posting.drawn.iter().find(|lot| lot.id == id(1)).unwrap();
    assert_eq!((revoked.state, revoked.remaining_minor), (AllowanceLotState::Revoked, minor(25)));
    let charged: Vec<_> = posting.overspent.iter().map(|one| one.amount_minor).collect();
    assert_eq!(charged, [40]);

    let open = || Ledger::open(posting.account.clone(), posting.drawn.clone(), at(NOW));
    let spent = open().capture(fen(25), &splits, gift(8)).unwrap().0.close();
    assert_eq!(spent.overspent[0].amount_minor, 25, "charged when it is spent after all");
    let paid = [split(1, 40)];
    let reversed = open().restore(&paid, gift(9)).close();
    assert_eq!(reversed.overspent[0].amount_minor, -40, "and not any more when it is back");
    assert_eq!(reversed.account.balance_minor, minor(75), "which goes with the sale");
    let dropped = open().release(&splits, gift(8), EntryReason::GestureCancelled).close();
    assert_eq!(dropped.account.balance_minor, minor(50), "gone when it is not");
    assert_eq!(dropped.overspent, []);
    let again = open().revoke(&[id(1)]).close();
    assert_eq!((again.movements.len(), again.overspent.len()), (0, 0), "a sale is given back once");
}

#[test]
fn what_was_to_be_released_later_goes_with_the_sale() {
    let pending = AllowanceLot {
        active_from: at("2026-09-01T00:00:00Z"),
        state: AllowanceLotState::Pending,
        ..lot(1, 100, None)
    };
    let account = AllowanceAccount { pending_minor: minor(100), ..account(0) };
    let posting = Ledger::open(account, vec![pending], at(NOW)).revoke(&[id(1)]).close();
    assert_eq!(posting.account.pending_minor, minor(0));
    assert_eq!(posting.drawn[0].remaining_minor, minor(0));
    assert_eq!(posting.movements[0].pending_change_minor, -100);
}

#[test]
fn an_account_whose_lots_are_short_pays_nothing() {
    let promised = AllowanceLot { held_minor: minor(60), ..lot(1, 60, None) };
    let ledger = Ledger::open(promised_account(100, 100), vec![promised], at(NOW));
    assert!(ledger.clone().capture(fen(60), &[split(1, 60)], gift(9)).is_ok());
    let splits = [split(1, 60), split(2, 40)];
    let refusal = ledger.capture(fen(61), &splits, gift(9)).unwrap_err();
    assert_eq!(refusal.rule.code, "unbalanced_account");
    assert_eq!(refusal.facts["missing_minor"], 1);
}

#[test]
fn a_timeline_gets_one_line_for_each_thing_that_was_done() {
    let told = |ledger: Ledger| {
        let change = ledger.close().change()?;
        Some((change.action, change.facts["balance_change_minor"].as_i64().unwrap()))
    };
    assert_eq!(told(books(vec![])), None);
    let earned = lot(1, 100, None);
    assert_eq!(told(books(vec![]).accrue(earned, EntryReason::MarginShare)), Some(("accrue", 100)));
    let held = || hold(books(vec![lot(1, 100, None)]), 60);
    assert_eq!(told(held().0), Some(("hold", 0)));
    let kept = || {
        let (ledger, splits) = held();
        let posting = ledger.close();
        (Ledger::open(posting.account, posting.drawn, at(NOW)), splits)
    };
    let (open, splits) = kept();
    let released = open.release(&splits, gift(9), EntryReason::GestureCancelled);
    assert_eq!(told(released), Some(("release", 0)));
    let (open, splits) = kept();
    assert_eq!(told(open.capture(fen(50), &splits, gift(9)).unwrap().0), Some(("capture", -50)));
    let due = || lot(2, 30, Some(NOW));
    assert_eq!(told(books(vec![due()])), Some(("expire", -30)));
    let in_passing = hold(books(vec![due(), lot(1, 100, None)]), 60).0;
    assert_eq!(told(in_passing), Some(("hold", -30)));
}

#[test]
fn an_account_keeps_no_more_than_an_amount_can_say() {
    let ledger = books(vec![lot(1, MOST_MINOR - 5, None)]);
    let posting = ledger.accrue(lot(2, 10, None), EntryReason::PriceShare).close();
    assert_eq!(posting.account.balance_minor, minor(MOST_MINOR));
    assert_eq!(posting.earned[0].remaining_minor, minor(5));
}

/// One act on an account.
#[derive(Debug, Clone)]
enum Act {
    Accrue { amount: i64, starts_in_days: i64, expires_in_days: Option<i64>, thin: bool },
    Ask { amount: i64, is_thing: bool },
    Cancel { which: usize },
    Fulfil { which: usize, actual: i64 },
    Reverse { which: usize },
    Refund { which: u128 },
    Wait { days: i64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..200_i64, -20..10_i64, proptest::option::of(1..40_i64), any::<bool>()).prop_map(
            |(amount, starts_in_days, expires_in_days, thin)| Act::Accrue {
                amount,
                starts_in_days,
                expires_in_days,
                thin
            }
        ),
        (1..150_i64, any::<bool>()).prop_map(|(amount, is_thing)| Act::Ask { amount, is_thing }),
        (0..8_usize).prop_map(|which| Act::Cancel { which }),
        (0..8_usize, 1..200_i64).prop_map(|(which, actual)| Act::Fulfil { which, actual }),
        (0..8_usize).prop_map(|which| Act::Reverse { which }),
        (1..60_u128).prop_map(|which| Act::Refund { which }),
        (0..20_i64).prop_map(|days| Act::Wait { days }),
    ];
    proptest::collection::vec(act, 1..60)
}

/// A customer's account as a database would keep it.
struct Shelf {
    account: AllowanceAccount,
    lots: Vec<AllowanceLot>,
    movements: Vec<AllowanceMovement>,
    held: Vec<(Purpose, Vec<LotSplit>)>,
    paid: Vec<(Purpose, Vec<LotSplit>)>,
    charged: BTreeMap<String, i64>,
    now: Timestamp,
}

impl Shelf {
    fn act(&mut self, act: &Act, number: u128) {
        match *act {
            Act::Accrue { amount, starts_in_days, expires_in_days, thin } => {
                let active_from = self.now.plus_days(starts_in_days.max(0));
                let expires_at = expires_in_days.map(|days| active_from.plus_days(days));
                let tangible_allowed = !thin;
                let lot = lot(number, amount, None);
                let lot = AllowanceLot { tangible_allowed, active_from, expires_at, ..lot };
                self.keep(self.open().accrue(lot, EntryReason::MarginShare));
            }
            Act::Ask { amount, is_thing } => self.ask(amount, is_thing, number),
            Act::Cancel { which } if which < self.held.len() => {
                let (purpose, splits) = self.held.swap_remove(which);
                let reason = EntryReason::GestureCancelled;
                self.keep(self.open().release(&splits, purpose, reason));
            }
            Act::Fulfil { which, actual } if which < self.held.len() => self.fulfil(which, actual),
            Act::Reverse { which } if which < self.paid.len() => {
                let (purpose, paid) = self.paid.swap_remove(which);
                self.keep(self.open().restore(&paid, purpose));
            }
            Act::Cancel { .. } | Act::Fulfil { .. } | Act::Reverse { .. } => {}
            Act::Refund { which } => self.keep(self.open().revoke(&[id(which)])),
            Act::Wait { days } => self.now = self.now.plus_days(days),
        }
    }

    /// With all lots, also the empty ones, as an act needs that is about what was.
    fn open(&self) -> Ledger {
        Ledger::open(self.account.clone(), self.lots.clone(), self.now)
    }

    fn ask(&mut self, amount: i64, is_thing: bool, number: u128) {
        let kind = if is_thing { GestureKind::Gift } else { GestureKind::PersonalisedService };
        let purpose = Purpose { given: Given::of(kind), ..gift(number) };
        if let Ok((ledger, splits)) = self.open().hold(fen(amount), purpose) {
            self.held.push((purpose, splits));
            self.keep(ledger);
        }
    }

    fn fulfil(&mut self, which: usize, actual: i64) {
        let (purpose, splits) = self.held[which].clone();
        if let Ok((ledger, paid)) = self.open().capture(fen(actual), &splits, purpose) {
            self.held.swap_remove(which);
            self.paid.push((purpose, paid));
            self.keep(ledger);
        }
    }

    fn keep(&mut self, ledger: Ledger) {
        let posting = ledger.close();
        self.account = posting.account;
        for lot in posting.drawn {
            let kept = self.lots.iter_mut().find(|kept| kept.id == lot.id).unwrap();
            *kept = lot;
        }
        self.lots.extend(posting.earned);
        self.movements.extend(posting.movements);
        for charged in posting.overspent {
            let amount = charged.amount_minor;
            let known = self.charged.insert(charged.idempotency_key, amount);
            assert_eq!(known, None, "charged once");
        }
    }

    fn check(&self) {
        let (balance, held) = (self.account.balance_minor, self.account.held_minor);
        let pending = self.account.pending_minor;
        assert!(held <= balance, "promised more than there is");
        assert_eq!(self.account.available_minor, balance.less(held));
        let sum =
            |of: fn(&AllowanceMovement) -> i64| -> i64 { self.movements.iter().map(of).sum() };
        assert_eq!(sum(|line| line.balance_change_minor), balance.get());
        assert_eq!(sum(|line| line.held_change_minor), held.get());
        assert_eq!(sum(|line| line.pending_change_minor), pending.get());
        let promised: i64 = self
            .held
            .iter()
            .flat_map(|(_, splits)| splits)
            .map(|split| split.amount_minor.get())
            .sum();
        assert_eq!(promised, held.get(), "held is the sum of the open promises");
        let is_pending = |lot: &&AllowanceLot| lot.state == AllowanceLotState::Pending;
        let remaining = |lots: Vec<&AllowanceLot>| -> i64 {
            lots.iter().map(|lot| lot.remaining_minor.get()).sum()
        };
        let (later, now): (Vec<_>, Vec<_>) = self.lots.iter().partition(is_pending);
        assert_eq!(remaining(now), balance.get(), "the lots make up the balance");
        assert_eq!(remaining(later), pending.get(), "and what comes later");
        for lot in &self.lots {
            self.check_lot(lot);
        }
        let keys: BTreeSet<_> = self.movements.iter().map(|line| &line.idempotency_key).collect();
        assert_eq!(keys.len(), self.movements.len(), "no two lines share a key");
    }

    fn check_lot(&self, lot: &AllowanceLot) {
        let lines = || self.movements.iter().filter(|line| line.lot_id == Some(lot.id));
        let moved: i64 =
            lines().flat_map(|line| [line.balance_change_minor, line.pending_change_minor]).sum();
        assert_eq!(moved, lot.remaining_minor.get(), "each lot is the sum of its lines");
        let held: i64 = lines().map(|line| line.held_change_minor).sum();
        assert_eq!(held, lot.held_minor.get());
        assert!(lot.held_minor <= lot.remaining_minor);
        assert!(lot.remaining_minor.plus(lot.spent_minor) <= lot.amount_minor);
        match lot.state {
            AllowanceLotState::Pending => assert_eq!(lot.held_minor, Minor::ZERO),
            AllowanceLotState::Active => assert!(lot.remaining_minor > Minor::ZERO),
            AllowanceLotState::Revoked => assert_eq!(lot.remaining_minor, lot.held_minor),
            AllowanceLotState::Exhausted | AllowanceLotState::Expired => {
                assert_eq!(lot.remaining_minor, Minor::ZERO);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_done_the_books_balance(acts in acts()) {
        let mut shelf = Shelf {
            account: account(0),
            lots: Vec::new(),
            movements: Vec::new(),
            held: Vec::new(),
            paid: Vec::new(),
            charged: BTreeMap::new(),
            now: at(NOW),
        };
        for (number, act) in (1_u128..).zip(&acts) {
            shelf.act(act, number);
            shelf.check();
        }
        prop_assert_eq!(shelf.account.version, Version::FIRST);
    }
}
