//! Steps: what is to be done, what good looks like, and how one tells.

use super::{SopAssignee, SopDue, SopEvidenceKind, SopMeasure};
use crate::{
    conditions::Condition,
    identity::Rank,
    invalid::Invalid,
    money::Money,
    text::{Code, Line, Name, Prose},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// One step of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SopStep {
    /// Its name within the version, by which other steps refer to it; no two steps share one.
    #[serde(default)]
    pub key: Option<Code>,
    /// What is to be done.
    pub title: Name,
    /// What good looks like.
    pub standard: Prose,
    /// How far to go: `within 10 minutes`, `no visible streaks`.
    #[serde(default)]
    pub target_degree: Option<Line>,
    /// How one tells whether the standard is met.
    pub measure: SopMeasure,
    /// Whether later steps wait until this one is done or waived.
    #[serde(default)]
    pub stop: bool,
    /// Whether every competitor does it too, so that leaving it out is a failure and not a choice.
    #[serde(default)]
    pub obligation: bool,
    /// The lowest rank that may waive the step: 10 clerk and technician, 20 support agent, 30 manager,
    /// 40 owner, 50 and 60 the brand. When absent, a manager for stop steps and obligations, and
    /// anybody for the others.
    #[serde(default, deserialize_with = "rank_on_the_ladder")]
    #[schema(value_type = Option<u8>, minimum = 10, maximum = 60)]
    pub approval_rank: Option<Rank>,
    /// Who does it; whoever carries out the run when nothing is said.
    #[serde(default)]
    pub assignee: SopAssignee,
    /// By when it is to be done.
    #[serde(default)]
    pub due: Option<SopDue>,
    /// When it is to be done at all; always when nothing is said. Of the steps it may ask for those before it.
    #[serde(default)]
    pub condition: Option<Condition>,
    /// What must be attached before it counts as done.
    #[serde(default)]
    pub evidence: BTreeSet<SopEvidenceKind>,
    /// The code of the service that is performed by it.
    #[serde(default)]
    pub service_item_code: Option<Code>,
    /// The most that it may cost.
    #[serde(default)]
    pub cost_cap: Option<Money>,
}

impl SopStep {
    /// What must be attached before the step counts as done: what it asks for, and what its measure is about.
    pub fn required_evidence(&self) -> BTreeSet<SopEvidenceKind> {
        let measured = match self.measure {
            SopMeasure::Photo {} => Some(SopEvidenceKind::Photo),
            SopMeasure::Signature {} => Some(SopEvidenceKind::Signature),
            SopMeasure::Bool {}
            | SopMeasure::Number { .. }
            | SopMeasure::Text {}
            | SopMeasure::Choice { .. }
            | SopMeasure::Meter { .. } => None,
        };
        self.evidence.iter().copied().chain(measured).collect()
    }

    /// The lowest rank that may waive the step; `None` when anybody who carries it out may.
    pub fn waiver_rank(&self) -> Option<Rank> {
        let guarded = self.stop || self.obligation;
        self.approval_rank.or(guarded.then_some(Rank::MANAGER))
    }
}

/// Reads a rank that somebody can have.
fn rank_on_the_ladder<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Rank>, D::Error> {
    let rank = Option::<Rank>::deserialize(input)?;
    match rank {
        Some(rank) if !(Rank::CLERK..=Rank::BRAND).contains(&rank) => {
            let message = "expected a rank from 10 (clerk) to 60 (brand)";
            let chinese = "级别应为 10（店员）至 60（品牌）";
            Err(D::Error::custom(Invalid::new("rank_out_of_range", message).in_chinese(chinese)))
        }
        Some(_) | None => Ok(rank),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn step(more: &Value) -> Result<SopStep, serde_json::Error> {
        let mut step = json!({
            "title": "Flush the membrane",
            "standard": "Five minutes of clear water.",
            "measure": { "type": "bool" },
        });
        let fields = step.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        serde_json::from_value(step)
    }

    #[test]
    fn stop_steps_and_obligations_are_waived_by_a_manager_unless_said_otherwise() {
        assert_eq!(step(&json!({})).unwrap().waiver_rank(), None);
        assert_eq!(step(&json!({ "stop": true })).unwrap().waiver_rank(), Some(Rank::MANAGER));
        assert_eq!(
            step(&json!({ "obligation": true })).unwrap().waiver_rank(),
            Some(Rank::MANAGER)
        );
        let owner = step(&json!({ "stop": true, "approval_rank": 40 })).unwrap();
        assert_eq!(owner.waiver_rank(), Some(Rank::OWNER));
    }

    #[test]
    fn a_rank_stands_on_the_ladder() {
        for (rank, stands) in [(9, false), (10, true), (60, true), (61, false)] {
            let read = step(&json!({ "approval_rank": rank }));
            assert_eq!(read.is_ok(), stands, "{rank}");
        }
        assert!(step(&json!({ "approval_rank": null })).is_ok());
    }

    #[test]
    fn a_step_that_says_nothing_more_is_the_runner_s_and_has_no_time_of_its_own() {
        let plain = step(&json!({})).unwrap();
        assert_eq!(plain.assignee, SopAssignee::Runner {});
        assert_eq!((plain.key, plain.due, plain.cost_cap), (None, None, None));
        assert!(plain.evidence.is_empty());
    }

    #[test]
    fn evidence_is_of_a_kind_that_can_be_attached() {
        let asked = step(&json!({ "evidence": ["signature", "photo", "photo"] })).unwrap();
        assert_eq!(asked.evidence, [SopEvidenceKind::Photo, SopEvidenceKind::Signature].into());
        assert!(step(&json!({ "evidence": ["film"] })).is_err());
    }

    #[test]
    fn an_unknown_field_is_a_mistake() {
        assert!(step(&json!({ "position": 1 })).is_err());
    }
}
