//! Changes: what a rule decided, to be recorded as one piece.
//!
//! A change carries the record as it is now, the line for its timeline and the events that follow.
//! The store writes all three in one transaction, so none can be forgotten.

use crate::{event::Event, record::Record, time::Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The fact that names what an edit changed.
const FIELDS: &str = "fields";

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

    /// An edit of a record as it was `before`; the timeline hears which of its fields changed.
    pub fn edit(action: &'static str, before: &R, edit: impl FnOnce(&mut R)) -> Self
    where
        R: Clone + Serialize,
    {
        let mut record = before.clone();
        edit(&mut record);
        Self::new(action, record).since(before)
    }

    /// Tells the timeline which members of the record are others than they were: their names, never what they
    /// say. When none is, there is nothing to record.
    pub fn since(self, before: &R) -> Self
    where
        R: Serialize,
    {
        let (before, now) = (members(before), members(&self.record));
        let differs = |name: &&String| before.get(*name) != now.get(*name);
        let names: BTreeSet<_> = before.keys().chain(now.keys()).filter(differs).collect();
        self.with(FIELDS, names)
    }

    /// Whether an edit says what was said already, and nothing follows from it.
    pub fn is_idle(&self) -> bool {
        let fields = self.facts.get(FIELDS).and_then(Value::as_array);
        fields.is_some_and(Vec::is_empty) && self.events.is_empty()
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

fn members(record: &impl Serialize) -> Map<String, Value> {
    let value = serde_json::to_value(record).unwrap_or_default();
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Reach, tenancy::Dealer, tenancy::DealerDetails};
    use serde_json::json;
    use uuid::Uuid;

    fn dealer() -> Dealer {
        let details =
            DealerDetails { code: "one".parse().unwrap(), name: "One".parse().unwrap(), tz: None };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        Dealer::enter(Uuid::from_u128(1).into(), details, Reach::default(), now).unwrap().record
    }

    #[test]
    fn an_edit_names_what_it_changed_and_not_what_that_says() {
        let details = DealerDetails {
            name: "Two".parse().unwrap(),
            tz: Some("Asia/Shanghai".parse().unwrap()),
            ..dealer().details
        };
        let change = dealer().change(details);
        assert_eq!(Value::from(change.facts.clone()), json!({"fields": ["name", "tz"]}));
        assert!(!change.is_idle());
    }

    #[test]
    fn an_edit_that_says_the_same_is_idle_and_nothing_else_is() {
        assert!(dealer().change(dealer().details).is_idle());
        assert!(!dealer().close().unwrap().is_idle());
        assert!(!Change::created(dealer()).is_idle());
    }
}
