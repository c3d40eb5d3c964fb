//! Allowances: a share of what is earned on a sale is set aside for service to that customer, and a
//! person gives of it as far as their authority goes.
//!
//! A [policy] with its [tiers] says how much is earned, an [accrual] earns it, [accounts] with their [lots] remember it,
//! the [ledger] moves it, a [reconciliation] counts it over every night, [authority] says who may give how much, a
//! [guard] keeps gifts small, [budgets] say how much everybody together may give, and a [gesture](gestures) is
//! what the customer gets.
//! [Defaults](defaults) are what a brand begins with, a [simulation] tries a policy on sales, and [reports] say what it all
//! has come to.

pub mod accounts;
pub mod accrual;
pub mod authority;
pub mod budgets;
pub mod defaults;
pub mod gestures;
pub mod guard;
pub mod ledger;
pub mod lots;
pub mod policy;
pub mod reconciliation;
pub mod reports;
pub mod simulation;
pub mod tiers;

#[cfg(test)]
mod examples;

use crate::refusal::Rule;

/// What can be refused here.
pub static RULES: &[&Rule] = &[
    &ledger::INSUFFICIENT_ALLOWANCE,
    &ledger::MIXED_CURRENCY,
    &ledger::UNBALANCED_ACCOUNT,
    &ledger::THING_FROM_THIN_MARGIN,
    &policy::LEAST_ABOVE_MOST,
    &simulation::SIMULATION_TOO_LARGE,
    &authority::BEYOND_AUTHORITY,
    &authority::BEYOND_ALL_AUTHORITY,
    &authority::LIMIT_WITHOUT_HOLDER,
    &authority::RANGE_ENDS_BEFORE_IT_BEGINS,
    &authority::CAP_BELOW_ITS_PARTS,
    &guard::HEAVY_GIFT,
    &guard::GIFTS_TOO_OFTEN,
    &budgets::BUDGET_SHORT,
    &budgets::BUDGET_FULL,
    &gestures::GESTURE_OVER_BUDGET,
    &gestures::REVERSAL_NEEDS_HIGHER_RANK,
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
