//! Assessing and investigating: how bad a complaint is, how hard, and what happened.

use super::{
    Complaint, ComplaintState, DEFECT_STAYS_CONFIRMED, EscalationCause, INVESTIGATION_MISSING,
    Severity, Superiors,
};
use crate::{
    change::Change,
    identity::Actor,
    refusal::Refusal,
    text::{Code, Line, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// From which severity on a complaint is investigated before it is decided: a heavy loss or a danger.
const GRAVE: u32 = 4;

/// How hard a complaint is to look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintComplexity {
    /// One person can settle it with what they know.
    Simple,
    /// Others have to be asked, or things looked at.
    Involved,
    /// It needs people from outside, such as an expert or a supplier.
    Complex,
}

/// How bad and how hard a complaint is (ISO 10002, clause 8.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"severity": 3, "safety": false, "complexity": "involved",
    "impact": "The kitchen floor is wet.", "immediate_action": "The tap was turned off."})))]
pub struct AssessmentDetails {
    /// How bad it is, from 1 (a nuisance) to 4 (a danger or a heavy loss); it takes the place of what was said when
    /// the complaint came.
    pub severity: Severity,
    /// Whether somebody may be hurt. Then a manager or somebody higher answers for it at once.
    #[serde(default)]
    pub safety: bool,
    /// How hard it is to look into.
    pub complexity: ComplaintComplexity,
    /// What it has done to the customer.
    #[serde(default)]
    pub impact: Option<Line>,
    /// What had to be done at once.
    #[serde(default)]
    pub immediate_action: Option<Line>,
}

/// An assessment, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"severity": 3, "safety": false, "complexity": "involved",
    "impact": "The kitchen floor is wet.", "immediate_action": "The tap was turned off.",
    "assessed_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "assessed_at": "2026-11-22T09:46:00Z"})))]
pub struct ComplaintAssessment {
    /// How bad it is, from 1 to 4.
    pub severity: Severity,
    /// Whether somebody may be hurt.
    pub safety: bool,
    /// How hard it is to look into.
    pub complexity: ComplaintComplexity,
    /// What it has done to the customer.
    pub impact: Option<Line>,
    /// What had to be done at once.
    pub immediate_action: Option<Line>,
    /// Who judged so, as the audit log names them.
    pub assessed_by: String,
    /// When.
    pub assessed_at: Timestamp,
}

/// What was found out about a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"findings": "The seal was not tightened.", "cause_code": "seal_loose",
    "confirmed_defect": true})))]
pub struct InvestigationDetails {
    /// What happened, and what shows it.
    pub findings: Prose,
    /// What brought it about, as a word of the brand's that reports count by; it stays as it was when it is left out.
    #[serde(default)]
    pub cause_code: Option<Code>,
    /// Whether the product is defective. Once confirmed it stays so: the decision must replace the product.
    #[serde(default)]
    pub confirmed_defect: bool,
}

/// What was found out, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"findings": "The seal was not tightened.", "cause_code": "seal_loose",
    "confirmed_defect": true, "investigated_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "investigated_at": "2026-11-22T09:49:00Z"})))]
pub struct ComplaintInvestigation {
    /// What happened, and what shows it.
    pub findings: Prose,
    /// What brought it about.
    pub cause_code: Option<Code>,
    /// Whether the product is defective.
    pub confirmed_defect: bool,
    /// Who found it out, as the audit log names them.
    pub investigated_by: String,
    /// When.
    pub investigated_at: Timestamp,
}

impl Complaint {
    /// Says how bad and how hard it is. Where somebody may be hurt, a manager or somebody higher answers for it from
    /// now on. It may be assessed anew until it is decided.
    ///
    /// # Errors
    ///
    /// `illegal_transition` before it is acknowledged and after it is decided.
    pub fn assess(
        mut self,
        details: AssessmentDetails,
        superiors: &Superiors,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let to = match self.state {
            ComplaintState::Acknowledged | ComplaintState::Assessed => ComplaintState::Assessed,
            // What is looked into already, or was decided once, does not fall back.
            ComplaintState::Investigating | ComplaintState::Reopened => self.state,
            ComplaintState::Received
            | ComplaintState::Decided
            | ComplaintState::Negotiating
            | ComplaintState::ExternalRecourse
            | ComplaintState::Resolved
            | ComplaintState::Closed
            | ComplaintState::Duplicate
            | ComplaintState::Withdrawn
            | ComplaintState::NotAComplaint => return Err(self.refuse_verb()),
        };
        let AssessmentDetails { severity, safety, complexity, impact, immediate_action } = details;
        self.details.severity = severity;
        self.safety = safety;
        self.assessment = Some(ComplaintAssessment {
            severity,
            safety,
            complexity,
            impact,
            immediate_action,
            assessed_by: actor.to_string(),
            assessed_at: now,
        });
        if safety {
            self.go_up_for(EscalationCause::Safety, superiors);
        }
        let (rank, person) = (self.escalated_rank, self.escalated_staff_id);
        let change = self.moved("assess", to).with("severity", severity).with("safety", safety);
        Ok(change.with("escalated_rank", rank).with("escalated_staff_id", person))
    }

    /// Says what was found out. What is found out later is said anew.
    ///
    /// # Errors
    ///
    /// `defect_stays_confirmed`; `illegal_transition` unless it was assessed and is not decided.
    pub fn investigate(
        mut self,
        details: InvestigationDetails,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let to = match self.state {
            ComplaintState::Assessed | ComplaintState::Investigating => {
                ComplaintState::Investigating
            }
            ComplaintState::Reopened => self.state,
            ComplaintState::Received
            | ComplaintState::Acknowledged
            | ComplaintState::Decided
            | ComplaintState::Negotiating
            | ComplaintState::ExternalRecourse
            | ComplaintState::Resolved
            | ComplaintState::Closed
            | ComplaintState::Duplicate
            | ComplaintState::Withdrawn
            | ComplaintState::NotAComplaint => return Err(self.refuse_verb()),
        };
        let InvestigationDetails { findings, cause_code, confirmed_defect } = details;
        self.expect_defect_to_stay(confirmed_defect, "/confirmed_defect")?;
        let cause_code = cause_code.or_else(|| self.cause_code.take());
        self.cause_code.clone_from(&cause_code);
        self.investigation = Some(ComplaintInvestigation {
            findings,
            cause_code: cause_code.clone(),
            confirmed_defect,
            investigated_by: actor.to_string(),
            investigated_at: now,
        });
        let change = self.moved("investigate", to).with("cause_code", cause_code);
        Ok(change.with("confirmed_defect", confirmed_defect))
    }

    /// Whether an investigation has found the product defective.
    pub fn has_confirmed_defect(&self) -> bool {
        self.investigation.as_ref().is_some_and(|found| found.confirmed_defect)
    }

    /// Expects that what was found defective is not said to be in order.
    pub(super) fn expect_defect_to_stay(&self, confirmed: bool, at: &str) -> Result<(), Refusal> {
        match &self.investigation {
            Some(found) if found.confirmed_defect && !confirmed => {
                Err(Refusal::new(&DEFECT_STAYS_CONFIRMED)
                    .with("investigated_at", found.investigated_at)
                    .at(at))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Expects that it was investigated as its gravity asks for.
    pub(super) fn expect_investigation(&self) -> Result<(), Refusal> {
        let is_grave = self.safety || self.details.severity.get() >= GRAVE;
        // What was decided once goes on, also where nobody had to look into it then.
        if !is_grave || self.investigation.is_some() || self.decision.is_some() {
            return Ok(());
        }
        Err(Refusal::new(&INVESTIGATION_MISSING)
            .with("severity", self.details.severity)
            .with("safety", self.safety))
    }
}
