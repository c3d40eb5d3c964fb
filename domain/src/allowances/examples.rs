//! A small brand to try the rules on.

use super::{
    accounts::{AllowanceAccount, AllowanceLot, AllowanceLotState},
    accrual::{AllowanceTier, AllowanceTiers},
    authority::{AuthorityLimit, AuthorityLimitDetails},
    ledger::Purse,
};
use crate::{
    identity::Role,
    money::{BasisPoints, Currency, Minor, Money},
    record::Version,
    time::Timestamp,
};
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
        rate_bp: BasisPoints::new(rate).unwrap(),
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

/// Lot `number` on that account.
pub(super) fn lot(number: u128, remaining: i64, expires_at: Option<&str>) -> AllowanceLot {
    AllowanceLot {
        id: id(number),
        account_id: id(70),
        order_line_id: id(number),
        amount_minor: minor(remaining),
        remaining_minor: minor(remaining),
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

pub(super) fn limit(role: Role, per_request: i64, per_month: Option<i64>) -> AuthorityLimit {
    let details = AuthorityLimitDetails {
        role,
        currency: Currency::CNY,
        per_request_minor: minor(per_request),
        per_customer_month_minor: per_month.map(minor),
        unlimited: false,
    };
    AuthorityLimit::set(id(1), details, at("2026-01-01T00:00:00Z")).record
}
