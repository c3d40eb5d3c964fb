//! A small brand to try the rules on.

use super::{
    accounts::AllowanceAccount,
    authority::{Authority, AuthorityLimit, AuthorityLimitDetails, Granted},
    budgets::Budgets,
    gestures::{GestureKind, Given, Means},
    guard::GestureRulesDetails,
    ledger::Purse,
    lots::{AllowanceLot, AllowanceLotState, LotPurpose},
    tiers::{AllowanceTier, AllowanceTiers},
};
use crate::{
    identity::Role,
    money::{BasisPoints, Currency, Minor, Money},
    record::Version,
    tenancy::EscalationHours,
    time::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

pub(super) fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

pub(super) fn minor(amount: i64) -> Minor {
    Minor::new(amount).unwrap()
}

pub(super) fn fen(amount: i64) -> Money {
    Money { amount: minor(amount), currency: Currency::CNY }
}

pub(super) fn tiers(tiers: &[(i64, u32)]) -> AllowanceTiers {
    let tier = |&(from, rate): &(i64, u32)| AllowanceTier {
        from_minor: minor(from),
        to_minor: None,
        rate_bp: BasisPoints::new(rate).unwrap(),
        tangible_allowed: true,
        instalments: Vec::new(),
    };
    AllowanceTiers::new(tiers.iter().map(tier).collect()).unwrap()
}

/// The account of customer 7, whose lots make up `balance`.
pub(super) fn account(balance: i64) -> AllowanceAccount {
    let opened_at = at("2026-01-01T00:00:00Z");
    let empty = AllowanceAccount::open(id(70), id(7), None, Currency::CNY, opened_at);
    AllowanceAccount { balance_minor: minor(balance), available_minor: minor(balance), ..empty }
}

/// The same account when `held` of it is promised.
pub(super) fn promised_account(held: i64, balance: i64) -> AllowanceAccount {
    let available_minor = minor(balance).less(minor(held));
    AllowanceAccount { held_minor: minor(held), available_minor, ..account(balance) }
}

/// A lot on that account of which `held` is promised.
pub(super) fn promised_lot(number: u128, held: i64, remaining: i64) -> AllowanceLot {
    AllowanceLot { held_minor: minor(held), ..lot(number, remaining, None) }
}

/// Lot `number` on that account.
pub(super) fn lot(number: u128, remaining: i64, expires_at: Option<&str>) -> AllowanceLot {
    AllowanceLot {
        id: id(number),
        account_id: id(70),
        order_line_id: id(number),
        instalment: 1,
        purpose: LotPurpose::Any,
        tangible_allowed: true,
        margin_minor: None,
        seller_id: None,
        amount_minor: minor(remaining),
        remaining_minor: minor(remaining),
        held_minor: Minor::ZERO,
        spent_minor: Minor::ZERO,
        active_from: at("2026-01-01T00:00:00Z"),
        expires_at: expires_at.map(at),
        state: AllowanceLotState::Active,
        created_at: at("2026-01-01T00:00:00Z"),
        version: Version::FIRST,
    }
}

/// What customer 7 has, in one lot that does not expire.
pub(super) fn purse(balance: i64) -> Purse {
    Purse { accounts: vec![account(balance)], lots: vec![lot(1, balance, None)] }
}

/// What customer 7 has, above which there is no budget and no rule.
pub(super) fn means(purse: Purse) -> Means {
    let rules = GestureRulesDetails::none(Currency::CNY);
    Means { purse, budgets: Budgets::default(), rules }
}

/// Who may how much on a day in June on which nobody has granted anything yet.
pub(super) fn authority(limits: Vec<AuthorityLimit>) -> Authority {
    Authority {
        limits,
        given: Given::of(GestureKind::Gift),
        margin_minor: Minor::ZERO,
        granted: Granted::default(),
        today: "2026-06-01".parse().unwrap(),
        absent: BTreeSet::new(),
        deciders: Vec::new(),
        escalation_hours: EscalationHours::default(),
    }
}

pub(super) fn limit(role: Role, per_request: i64, per_month: Option<i64>) -> AuthorityLimit {
    let details = AuthorityLimitDetails {
        per_customer_month_minor: per_month.map(minor),
        ..AuthorityLimitDetails::of_role(role, Currency::CNY, minor(per_request))
    };
    AuthorityLimit::set(id(1), details, at("2026-01-01T00:00:00Z")).unwrap().record
}
