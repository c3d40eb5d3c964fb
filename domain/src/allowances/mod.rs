//! Allowances: a share of what is earned on a sale is set aside for service to that customer, and a
//! person gives of it as far as their authority goes.
//!
//! A [policy] says how much is earned, an [accrual] earns it, [accounts] remember it, the [ledger] moves
//! it, a [reconciliation] counts it over every night,
//! [authority] says who may give how much, and a [gesture](gestures) is what the customer gets.

pub mod accounts;
pub mod accrual;
pub mod authority;
pub mod gestures;
pub mod ledger;
pub mod policy;
pub mod reconciliation;

#[cfg(test)]
mod examples;

use crate::refusal::Rule;

/// What can be refused here.
pub static RULES: &[&Rule] = &[
    &ledger::INSUFFICIENT_ALLOWANCE,
    &ledger::MIXED_CURRENCY,
    &ledger::UNBALANCED_ACCOUNT,
    &authority::BEYOND_AUTHORITY,
    &authority::BEYOND_ALL_AUTHORITY,
    &gestures::REQUESTER_NOT_NAMED,
    &gestures::ASKS_FOR_ANOTHER,
    &gestures::REQUESTER_LEFT,
    &gestures::OWN_GESTURE,
    &gestures::GESTURE_EXPIRED,
    &gestures::GESTURE_ESCALATED,
    &gestures::ANOTHERS_GESTURE,
    &gestures::OTHER_DEALERS_CUSTOMER,
    &gestures::OTHER_CUSTOMERS_COMPLAINT,
];
