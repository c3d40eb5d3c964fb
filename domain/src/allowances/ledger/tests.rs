//! The ledger, act by act and in any order.

use super::*;
use crate::{
    allowances::{
        accounts::AllowanceLotState,
        examples::{account, at, fen, id, lot, minor, promised_account, purse},
    },
    record::Version,
};
use proptest::prelude::*;

const NOW: &str = "2026-06-01T00:00:00Z";

fn books(lots: Vec<AllowanceLot>) -> Ledger {
    let balance = lots.iter().map(|lot| lot.remaining_minor.get()).sum();
    Ledger::open(account(balance), lots, at(NOW))
}

#[test]
fn all_that_is_available_can_be_held_and_not_a_fen_more() {
    let held = purse(100).open(fen(100), at(NOW)).unwrap().hold(fen(100), id(1)).unwrap();
    assert_eq!(held.account().available(), fen(0));
    let refusal = purse(100).open(fen(101), at(NOW)).unwrap().hold(fen(101), id(1)).unwrap_err();
    assert_eq!(refusal.rule.code, "insufficient_allowance");
    assert_eq!(refusal.facts["asked"]["amount"], 101);
    assert_eq!(refusal.facts["available"]["amount"], 100);
    assert!(held.hold(fen(1), id(2)).is_err());
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
    let posting =
        books(lots).hold(fen(80), id(9)).unwrap().capture(fen(70), minor(80), id(9)).unwrap();
    let posting = posting.release(minor(10), id(9), EntryReason::GestureFulfilled).close();
    let drawn: Vec<_> =
        posting.drawn.iter().map(|lot| (lot.id, lot.remaining_minor, lot.state)).collect();
    assert_eq!(
        drawn,
        [
            (id(3), minor(0), AllowanceLotState::Exhausted),
            (id(2), minor(30), AllowanceLotState::Active)
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
            (EntryKind::Hold, 0, 80),
            (EntryKind::Capture, -50, -50),
            (EntryKind::Capture, -20, -20),
            (EntryKind::Release, 0, -10)
        ]
    );
}

#[test]
fn a_cost_above_the_promise_is_paid_from_what_is_available() {
    let held = || books(vec![lot(1, 100, None)]).hold(fen(60), id(9)).unwrap();
    let posting = held().capture(fen(100), minor(60), id(9)).unwrap().close();
    assert_eq!((posting.account.balance_minor, posting.account.held_minor), (minor(0), minor(0)));
    let refusal = held().capture(fen(101), minor(60), id(9)).unwrap_err();
    assert_eq!(refusal.facts["asked"]["amount"], 41);
    assert_eq!(refusal.facts["available"]["amount"], 40);
}

#[test]
fn a_lot_expires_at_its_instant_but_for_what_is_promised() {
    let due = || vec![lot(1, 100, Some(NOW))];
    assert_eq!(books(due()).close().account.balance_minor, minor(0));
    let later = vec![lot(1, 100, Some("2026-06-01T00:00:01Z"))];
    assert!(books(later).close().movements.is_empty());

    let promised = promised_account(30, 100);
    let ledger = Ledger::open(promised, due(), at(NOW));
    assert_eq!(ledger.account().balance_minor, minor(30));
    let posting = ledger.release(minor(30), id(9), EntryReason::GestureCancelled).close();
    assert_eq!(posting.account.balance_minor, minor(0));
    assert_eq!(posting.drawn[0].state, AllowanceLotState::Expired);
    let keys: Vec<_> = posting.movements.iter().map(|line| &*line.idempotency_key).collect();
    let (gesture, lot): (GestureId, AllowanceLotId) = (id(9), id(1));
    assert_eq!(
        keys,
        [format!("expire:{lot}:30"), format!("release:{gesture}"), format!("expire:{lot}:0")]
    );
}

#[test]
fn an_account_whose_lots_are_short_pays_nothing() {
    let ledger = Ledger::open(account(100), vec![lot(1, 60, None)], at(NOW));
    assert!(ledger.clone().capture(fen(60), minor(0), id(9)).is_ok());
    let refusal = ledger.capture(fen(61), minor(0), id(9)).unwrap_err();
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
    let held = || books(vec![lot(1, 100, None)]).hold(fen(60), id(9)).unwrap().close().account;
    assert_eq!(
        told(books(vec![lot(1, 100, None)]).hold(fen(60), id(9)).unwrap()),
        Some(("hold", 0))
    );
    let open = || Ledger::open(held(), vec![lot(1, 100, None)], at(NOW));
    let released = open().release(minor(60), id(9), EntryReason::GestureCancelled);
    assert_eq!(told(released), Some(("release", 0)));
    let paid = open().capture(fen(50), minor(60), id(9)).unwrap();
    let paid = paid.release(minor(10), id(9), EntryReason::GestureFulfilled);
    assert_eq!(told(paid), Some(("capture", -50)));
    let due = || lot(2, 30, Some(NOW));
    assert_eq!(told(books(vec![due()])), Some(("expire", -30)));
    let in_passing = books(vec![due(), lot(1, 100, None)]).hold(fen(60), id(9)).unwrap();
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
    Accrue { amount: i64, expires_in_days: Option<i64> },
    Ask { amount: i64 },
    Cancel { which: usize },
    Fulfil { which: usize, actual: i64 },
    Wait { days: i64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..200_i64, proptest::option::of(1..40_i64))
            .prop_map(|(amount, expires_in_days)| Act::Accrue { amount, expires_in_days }),
        (1..150_i64).prop_map(|amount| Act::Ask { amount }),
        (0..8_usize).prop_map(|which| Act::Cancel { which }),
        (0..8_usize, 1..200_i64).prop_map(|(which, actual)| Act::Fulfil { which, actual }),
        (0..20_i64).prop_map(|days| Act::Wait { days }),
    ];
    proptest::collection::vec(act, 1..60)
}

/// A customer's account as a database would keep it.
struct Shelf {
    account: AllowanceAccount,
    lots: Vec<AllowanceLot>,
    movements: Vec<AllowanceMovement>,
    held: Vec<(GestureId, Minor)>,
    now: Timestamp,
}

impl Shelf {
    fn act(&mut self, act: &Act, number: u128) {
        match *act {
            Act::Accrue { amount, expires_in_days } => {
                let expires_at = expires_in_days.map(|days| self.now.plus_days(days));
                let lot = AllowanceLot { expires_at, ..lot(number, amount, None) };
                self.keep(self.open().accrue(lot, EntryReason::MarginShare));
            }
            Act::Ask { amount } => self.ask(amount, id(number)),
            Act::Cancel { which } if which < self.held.len() => {
                let (gesture, held) = self.held.swap_remove(which);
                self.keep(self.open().release(held, gesture, EntryReason::GestureCancelled));
            }
            Act::Fulfil { which, actual } if which < self.held.len() => self.fulfil(which, actual),
            Act::Cancel { .. } | Act::Fulfil { .. } => {}
            Act::Wait { days } => self.now = self.now.plus_days(days),
        }
    }

    fn open(&self) -> Ledger {
        let lots = self.lots.iter().filter(|lot| lot.state == AllowanceLotState::Active).cloned();
        Ledger::open(self.account.clone(), lots.collect(), self.now)
    }

    fn ask(&mut self, amount: i64, gesture: GestureId) {
        if let Ok(ledger) = self.open().hold(fen(amount), gesture) {
            self.held.push((gesture, minor(amount)));
            self.keep(ledger);
        }
    }

    fn fulfil(&mut self, which: usize, actual: i64) {
        let (gesture, held) = self.held[which];
        if let Ok(ledger) = self.open().capture(fen(actual), held, gesture) {
            let rest = held.less(minor(actual));
            self.held.swap_remove(which);
            self.keep(ledger.release(rest, gesture, EntryReason::GestureFulfilled));
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
    }

    fn check(&self) {
        let (balance, held) = (self.account.balance_minor, self.account.held_minor);
        assert!(held <= balance, "promised more than there is");
        assert_eq!(self.account.available_minor, balance.less(held));
        let sum =
            |of: fn(&AllowanceMovement) -> i64| -> i64 { self.movements.iter().map(of).sum() };
        assert_eq!(sum(|line| line.balance_change_minor), balance.get());
        assert_eq!(sum(|line| line.held_change_minor), held.get());
        let promised: i64 = self.held.iter().map(|(_, held)| held.get()).sum();
        assert_eq!(promised, held.get(), "held is the sum of the open promises");
        let remaining: i64 = self.lots.iter().map(|lot| lot.remaining_minor.get()).sum();
        assert_eq!(remaining, balance.get(), "the lots make up the balance");
        for lot in &self.lots {
            let moved: i64 = self
                .movements
                .iter()
                .filter(|line| line.lot_id == Some(lot.id))
                .map(|line| line.balance_change_minor)
                .sum();
            assert_eq!(moved, lot.remaining_minor.get(), "each lot is the sum of its lines");
        }
        let keys: BTreeSet<_> = self.movements.iter().map(|line| &line.idempotency_key).collect();
        assert_eq!(keys.len(), self.movements.len(), "no two lines share a key");
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
            now: at(NOW),
        };
        for (number, act) in (1_u128..).zip(&acts) {
            shelf.act(act, number);
            shelf.check();
        }
        prop_assert_eq!(shelf.account.version, Version::FIRST);
    }
}
