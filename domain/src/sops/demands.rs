//! What a step demands beside its standard: who does it, by when, and what is attached to it.

use crate::{identity::Role, invalid::Invalid, number::whole_numbers, text::Code};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::ToSchema;

whole_numbers! {
    /// How long a step may take. At least a minute, and at most a year of 365 days, because a procedure is
    /// not followed for longer.
    SopMinutes = 1 to 525_600, "How many minutes there are, up to a year of 365 days.", 120;
}

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
#[schema(examples(json!({ "rule": "role", "role": "support_agent" })))]
pub enum SopAssignee {
    /// Whoever carries out the run.
    Runner {},
    /// Somebody of one role at the dealer of the run.
    Role {
        /// Which role; one of a dealer's.
        #[serde(deserialize_with = "role_of_a_dealer")]
        role: Role,
    },
    /// Whoever looks after the customer.
    RelationshipOwner {},
}

impl Default for SopAssignee {
    fn default() -> Self {
        Self::Runner {}
    }
}

/// Reads a role that a dealer's people have: the brand writes procedures, and dealers carry them out.
fn role_of_a_dealer<'de, D: Deserializer<'de>>(input: D) -> Result<Role, D::Error> {
    let role = Role::deserialize(input)?;
    if !role.is_brand() {
        return Ok(role);
    }
    let invalid = Invalid::new("role_of_the_brand", "expected a role of a dealer's people");
    Err(D::Error::custom(invalid.in_chinese("应为经销商人员的角色")))
}

/// By when a step is to be done, counted from something that happens. Without it a step has no time of its
/// own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
#[schema(examples(json!({
    "from": "step", "step": "brake-test", "within_minutes": 120, "working_time": true,
})))]
pub enum SopDue {
    /// From the beginning of the run.
    RunStart {
        /// How long there is.
        within_minutes: SopMinutes,
        /// Whether only the hours count in which the site works.
        #[serde(default)]
        working_time: bool,
    },
    /// From the instant that the run is about: a check-out, a delivery.
    Anchor {
        /// How long there is.
        within_minutes: SopMinutes,
        /// Whether only the hours count in which the site works.
        #[serde(default)]
        working_time: bool,
    },
    /// From the moment at which another step is done.
    Step {
        /// The key of the other step.
        step: Code,
        /// How long there is.
        within_minutes: SopMinutes,
        /// Whether only the hours count in which the site works.
        #[serde(default)]
        working_time: bool,
    },
}

impl SopDue {
    /// How long there is.
    pub fn within_minutes(&self) -> SopMinutes {
        match self {
            Self::RunStart { within_minutes, .. }
            | Self::Anchor { within_minutes, .. }
            | Self::Step { within_minutes, .. } => *within_minutes,
        }
    }

    /// Whether only the hours count in which the site works.
    pub fn is_working_time(&self) -> bool {
        match self {
            Self::RunStart { working_time, .. }
            | Self::Anchor { working_time, .. }
            | Self::Step { working_time, .. } => *working_time,
        }
    }

    /// The key of the step from whose end it is counted, if it is one.
    pub fn step(&self) -> Option<&Code> {
        match self {
            Self::Step { step, .. } => Some(step),
            Self::RunStart { .. } | Self::Anchor { .. } => None,
        }
    }
}

/// What is attached to a step that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopEvidenceKind {
    /// A picture.
    Photo,
    /// The customer's signature.
    Signature,
    /// What a meter of the asset shows.
    Reading,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_step_is_due_within_a_minute_to_a_year() {
        for (minutes, fits) in [(0, false), (1, true), (525_600, true), (525_601, false)] {
            let due = json!({ "from": "anchor", "within_minutes": minutes });
            assert_eq!(from_value::<SopDue>(due).is_ok(), fits, "{minutes}");
        }
    }

    #[test]
    fn all_hours_count_unless_said_otherwise() {
        let due = json!({ "from": "run_start", "within_minutes": 60 });
        assert!(!from_value::<SopDue>(due).unwrap().is_working_time());
        let due = json!({ "from": "step", "step": "a", "within_minutes": 5, "working_time": true });
        let due: SopDue = from_value(due).unwrap();
        assert!(due.is_working_time());
        assert_eq!((due.within_minutes().get(), due.step().map(|key| &**key)), (5, Some("a")));
    }

    #[test]
    fn only_a_time_from_a_step_names_one() {
        let named = json!({ "from": "anchor", "step": "a", "within_minutes": 5 });
        assert!(from_value::<SopDue>(named).is_err());
        let unnamed = json!({ "from": "step", "within_minutes": 5 });
        assert!(from_value::<SopDue>(unnamed).is_err());
    }

    #[test]
    fn a_step_is_for_a_dealer_s_people() {
        for role in Role::ALL {
            let read = from_value::<SopAssignee>(json!({ "rule": "role", "role": role }));
            assert_eq!(read.is_ok(), !role.is_brand(), "{role:?}");
        }
        assert!(from_value::<SopAssignee>(json!({ "rule": "runner", "role": "clerk" })).is_err());
    }
}
