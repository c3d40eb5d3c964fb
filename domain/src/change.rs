//! Changes: what a rule decided, to be recorded as one piece.
//!
//! A change carries the record as it is now, the line for its timeline and the events that follow.
//! The store writes all three in one transaction, so none can be forgotten.

use crate::{event::Event, record::Record, time::Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// A decision about one record.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a change that is not recorded has not happened"]
pub struct Change<R> {
    /// The record as it is now.
    pub record: R,
    /// Whether the record is new.
    pub is_new: bool,
    /// What was done, as a verb: `acknowledge`, `publish`.
    pub action: &'static str,
    /// What the timeline should know beside the verb: the states it went from and to, reasons,
    /// amounts. Never personal data: a timeline outlives an erasure.
    pub facts: Map<String, Value>,
    /// What has happened by it, and when that becomes due (`None`: at once).
    pub events: Vec<(Event, Option<Timestamp>)>,
}

impl<R: Record> Change<R> {
    /// A record that was not there before.
    pub fn created(record: R) -> Self {
        Self { is_new: true, ..Self::new("create", record) }
    }

    /// A record that is different now, because of `action`.
    pub fn new(action: &'static str, record: R) -> Self {
        Self { record, is_new: false, action, facts: Map::new(), events: Vec::new() }
    }

    /// Adds a fact to the timeline.
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Self {
        let value = serde_json::to_value(fact).unwrap_or_default();
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// Tells the timeline which state it went from and to.
    pub fn moved(self, from: impl Serialize, to: impl Serialize) -> Self {
        self.with("from", from).with("to", to)
    }

    /// Announces what has happened.
    pub fn emits(mut self, event: Event) -> Self {
        self.events.push((event, None));
        self
    }

    /// Announces what will have happened at `due_at`.
    pub fn emits_at(mut self, event: Event, due_at: Timestamp) -> Self {
        self.events.push((event, Some(due_at)));
        self
    }
}
