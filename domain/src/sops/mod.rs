//! Standard operating procedures: what every dealer does the same way, and how well it was done.
//!
//! A [`Sop`] is the name of a procedure, a [`SopVersion`] says what it asks for, a [`SopRun`] is one
//! execution of one version, ticked off as a [`SopChecklist`].

mod acknowledgements;
mod checklist;
mod course;
mod coverage;
mod demands;
mod difference;
mod evidence;
mod gaps;
mod hands;
pub mod library;
mod measures;
mod packs;
mod quiz;
mod references;
mod reports;
mod runs;
#[cfg(test)]
mod samples;
mod steps;
mod telling;
mod todo;
mod triggers;
mod values;
mod versions;

pub use acknowledgements::{PASSED_FROM_BP, SopAcknowledgement, SopQuizAnswers, SopReader};
pub use checklist::{SopAnswer, SopChecklist, SopRunStep, SopRunStepState, StepAtHand};
pub use course::{SopCircumstances, SopNeeds, SopPerson};
pub use coverage::{CoveringSop, STANDARD_TOUCHPOINTS, SopCoverage, SopCoverageCell, SopStanding};
pub use demands::{SopAssignee, SopDue, SopEvidenceKind, SopMinutes};
pub use difference::{SopDifference, SopFieldDifference, SopStepChange, SopStepDifference};
pub(crate) use evidence::media_type_of;
pub use evidence::{
    EVIDENCE_LINK_EXPIRED, EVIDENCE_LINK_MINUTES, EVIDENCE_TOO_LARGE, MOST_EVIDENCE,
    MOST_EVIDENCE_BYTES, SopEvidence, SopEvidenceFile, SopEvidenceType, recognise,
};
pub use gaps::SopGaps;
pub use library::{
    KnownSop, LIBRARY_TOO_LARGE, MOST_SOPS, SopDocument, SopIntake, SopIntakeReport, SopLibrary,
    SopTaken, SopTakenAction, SopsOfOneCode, TakenSop,
};
pub use measures::{SopChoice, SopComparison, SopMeasure};
pub use packs::{StarterPack, StarterPackAdoption, StarterPackSummary};
pub use quiz::SopQuestion;
pub use reports::{MissedObligations, SopAdherence, TRAINING_DAYS};
pub use runs::{
    ChecklistChange, SOP_NOT_PUBLISHED, SopBeginning, SopCause, SopRun, SopRunDetails, SopRunState,
};
pub use steps::SopStep;
pub use todo::{SopTodo, TodoOwner, TodoPlace, todo_of};
pub use triggers::{
    MOST_TRIGGERS, OWN_EVENTS, SopTrigger, SopTriggerDetails, SopTriggerStatus, happened_on,
    is_followed,
};
pub use values::{Measurement, SopValue};
pub use versions::{MOST_STEPS, Publication, SopVersion, SopVersionDetails, SopVersionState};

use crate::{
    change::Change,
    identity::Actor,
    ids::{SopId, SopVersionId},
    record::{Record, Version},
    refusal::{Refusal, Rule},
    text::{Code, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every rule about procedures that can say no.
pub static RULES: &[&Rule] = &[
    &versions::OWN_SOP_VERSION,
    &versions::STEP_SERVICE_UNKNOWN,
    &references::REPEATED_STEP_KEY,
    &references::UNKNOWN_STEP_KEY,
    &references::STEP_DEPENDS_ON_ITSELF,
    &references::STEP_DEPENDS_ON_LATER,
    &difference::OTHER_SOPS_VERSION,
    &library::REPEATED_SOP_CODE,
    &LIBRARY_TOO_LARGE,
    &acknowledgements::PEOPLE_ACKNOWLEDGE,
    &acknowledgements::SOP_VERSION_NOT_IN_FORCE,
    &acknowledgements::ALREADY_ACKNOWLEDGED,
    &acknowledgements::WRONG_NUMBER_OF_ANSWERS,
    &acknowledgements::QUIZ_ANSWER_NOT_OFFERED,
    &SOP_NOT_PUBLISHED,
    &checklist::STEP_BLOCKED,
    &runs::SOP_RANK_TOO_LOW,
    &runs::SOP_RUN_OF_OTHERS,
    &hands::STEP_NOT_FOR_THEM,
    &checklist::EVIDENCE_MISSING,
    &checklist::METER_RUNS_BACKWARDS,
    &evidence::EVIDENCE_WRONG_TYPE,
    &EVIDENCE_TOO_LARGE,
    &evidence::TOO_MUCH_EVIDENCE,
    &EVIDENCE_LINK_EXPIRED,
    &triggers::TOO_MANY_TRIGGERS,
    &todo::TODO_OF_NOBODY,
    &measures::WRONG_VALUE_TYPE,
    &measures::UNKNOWN_CHOICE,
];

/// Whose work a procedure describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Department {
    /// Those who sell.
    Sales,
    /// Those who bring and install.
    Delivery,
    /// Those who answer.
    CustomerService,
    /// Those who maintain and repair.
    AfterSales,
}

/// What a brand says about a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "filter-change", "name": "换滤芯 Filter change",
    "department": "after_sales", "touchpoint": "annual_visit",
})))]
pub struct SopDetails {
    /// The brand's name for it in programs; no two procedures share one.
    pub code: Code,
    /// What people call it.
    pub name: Name,
    /// Whose work it describes.
    pub department: Department,
    /// When the customer meets it, in the brand's words: `annual_visit`, `handover`.
    pub touchpoint: Code,
}

/// A standard operating procedure. What it asks for stands in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "code": "filter-change", "name": "换滤芯 Filter change",
    "department": "after_sales", "touchpoint": "annual_visit",
    "latest_number": 1, "version": 2, "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct Sop {
    /// Its identifier.
    pub id: SopId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: SopDetails,
    /// The number of the newest version, whatever its state; 0 before the first draft.
    pub latest_number: u32,
    /// How often the record was changed.
    pub version: Version,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Record for Sop {
    type Id = SopId;

    fn id(&self) -> SopId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

impl Sop {
    /// A procedure that has no version yet.
    pub fn create(id: SopId, details: SopDetails, now: Timestamp) -> Change<Self> {
        let version = Version::FIRST;
        Change::created(Self { id, details, latest_number: 0, version, created_at: now })
    }

    /// Says something else about the procedure; its versions stay as they are.
    pub fn change(self, details: SopDetails) -> Change<Self> {
        Change::edit("change", &self, |it| it.details = details)
    }

    /// Begins a new version as a draft by `author`. The procedure counts its versions, so that no two
    /// of them, begun at the same time, have the same number.
    ///
    /// # Errors
    ///
    /// Those of [`SopVersionDetails::check`].
    pub fn draft(
        self,
        id: SopVersionId,
        details: SopVersionDetails,
        author: Actor,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<SopVersion>), Refusal> {
        details.check()?;
        let number = self.latest_number.saturating_add(1);
        let draft = SopVersion {
            id,
            sop_id: self.id,
            number,
            state: SopVersionState::Draft,
            details,
            authors: vec![author.to_string()],
            review_note: None,
            published_by: None,
            published_at: None,
            retired_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        let sop = Change::new("draft", Self { latest_number: number, ..self });
        Ok((sop.with("number", number), Change::created(draft).with("number", number)))
    }
}
