//! Postings: what moved on an account, to be recorded as one piece.

use crate::{
    allowances::{
        accounts::{AllowanceAccount, AllowanceMovement, EntryKind},
        lots::{AllowanceLot, Overspent},
    },
    change::Change,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// What moved on an account, to be recorded as one piece.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a posting that is not recorded has not happened"]
pub struct Posting {
    /// The account as it is now.
    pub account: AllowanceAccount,
    /// The lots that are new.
    pub earned: Vec<AllowanceLot>,
    /// The lots that are different now.
    pub drawn: Vec<AllowanceLot>,
    /// The lines of the account, in order.
    pub movements: Vec<AllowanceMovement>,
    /// What is charged to dealers, because the sale that had paid for it was given back.
    pub overspent: Vec<Overspent>,
    /// What the account's timeline should know beside the amounts.
    pub facts: Map<String, Value>,
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
    /// expired or was released in passing.
    pub fn change(&self) -> Option<Change<AllowanceAccount>> {
        let in_passing = |kind| match kind {
            EntryKind::Expire | EntryKind::Activate => true,
            EntryKind::Accrue
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::Capture
            | EntryKind::Revoke
            | EntryKind::Adjust => false,
        };
        let meant = self.movements.iter().find(|line| !in_passing(line.kind));
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
        let pending = sum(|line| line.pending_change_minor);
        if pending != 0 {
            change = change.with("pending_change_minor", pending);
        }
        change.facts.extend(self.facts.clone());
        Some(change)
    }
}
