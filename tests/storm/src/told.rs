//! What is known about a customer after the storm: what must be there, and what may.

use serde_json::{Map, Value, json};

/// A customer, and how their records may stand once everything is quiet.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The customer's name, which nobody shares.
    pub(crate) name: String,
    /// How things may stand; one of these is how they do. More than one only where an answer never came.
    pub(crate) outcomes: Vec<Map<String, Value>>,
    /// Addresses of records that must be there, each with its state where it is known.
    pub(crate) records: Vec<(String, Option<&'static str>)>,
}

impl Told {
    /// A customer of whom nothing is known but the name.
    pub(crate) fn of(name: String) -> Self {
        let nothing = json!({"customers": 1, "orders": 0, "lots": 0, "balance": 0, "held": 0, "gestures": [],
            "complaints": [], "letters": 0, "resolutions": 0, "invitations": 0, "responses": 0, "visits": []});
        let nothing = nothing.as_object().cloned().unwrap_or_default();
        Self { name, outcomes: vec![nothing], records: Vec::new() }
    }

    /// Something has happened.
    pub(crate) fn adds(&mut self, facts: &Value) {
        self.outcomes = self.with(facts);
    }

    /// Something has happened or has not, but never half of it.
    pub(crate) fn may_add(&mut self, facts: &Value) {
        let happened = self.with(facts);
        self.outcomes.extend(happened);
    }

    /// Something is there under this address.
    pub(crate) fn keeps(&mut self, path: String, state: Option<&'static str>) {
        self.records.retain(|(known, _)| *known != path);
        self.records.push((path, state));
    }

    /// Every outcome with these facts: numbers are added, words put into lists in order.
    fn with(&self, facts: &Value) -> Vec<Map<String, Value>> {
        let mut outcomes = self.outcomes.clone();
        for outcome in &mut outcomes {
            for (name, more) in facts.as_object().into_iter().flatten() {
                let before = outcome.get(name).cloned().unwrap_or_default();
                outcome.insert(name.clone(), sum(&before, more));
            }
        }
        outcomes
    }
}

fn sum(before: &Value, more: &Value) -> Value {
    if let (Some(before), Some(more)) = (before.as_i64(), more.as_i64()) {
        return before.saturating_add(more).into();
    }
    let words = before.as_array().into_iter().flatten().chain([more]);
    let mut words: Vec<_> = words.filter_map(Value::as_str).collect();
    words.sort_unstable();
    json!(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_happened_did_whole_or_not_at_all() {
        let mut told = Told::of("c".to_owned());
        told.adds(&json!({"orders": 1, "gestures": "fulfilled"}));
        told.may_add(&json!({"orders": 1, "lots": 1, "gestures": "approved"}));
        let seen: Vec<_> = told
            .outcomes
            .iter()
            .map(|outcome| json!([outcome["orders"], outcome["lots"], outcome["gestures"]]))
            .collect();
        assert_eq!(seen, [json!([1, 0, ["fulfilled"]]), json!([2, 1, ["approved", "fulfilled"]])]);
    }
}
