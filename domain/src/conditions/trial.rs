//! Trials: what a condition would answer, and what it does not know.

use super::{CONDITION_NOT_BOOLEAN, Condition, ConditionFacts};
use serde::Serialize;
use utoipa::ToSchema;

/// What a condition answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionOutcome {
    /// Yes.
    Holds,
    /// No.
    DoesNotHold,
    /// It compares what cannot be compared, often a fact that is not known.
    Undecided,
    /// It answers a text, a number or null.
    NotBoolean,
}

/// What came of trying a condition out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"outcome": "undecided", "missing": ["weather.temp_c10"]})))]
pub struct ConditionTrial {
    /// What it answers.
    pub outcome: ConditionOutcome,
    /// The facts it asks for that were not given.
    pub missing: Vec<String>,
}

impl Condition {
    /// Tries it out with these facts.
    pub fn try_out(&self, facts: &ConditionFacts) -> ConditionTrial {
        let outcome = match self.holds(facts) {
            Ok(true) => ConditionOutcome::Holds,
            Ok(false) => ConditionOutcome::DoesNotHold,
            Err(refusal) if refusal.rule.code == CONDITION_NOT_BOOLEAN.code => {
                ConditionOutcome::NotBoolean
            }
            Err(_) => ConditionOutcome::Undecided,
        };
        ConditionTrial { outcome, missing: self.missing(facts) }
    }
}

impl ConditionTrial {
    /// What comes of trying out that there is no condition: it is meant for everybody.
    pub fn of_none() -> Self {
        Self { outcome: ConditionOutcome::Holds, missing: Vec::new() }
    }
}
