//! Versions: a procedure is written, reviewed by somebody else, published, and then never changed.

use super::{SopQuestion, SopStep, references};
use crate::{
    change::Change,
    identity::Actor,
    ids::{SopId, SopVersionId},
    lists::list_of,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most steps of a version: more is not followed at a customer's.
pub const MOST_STEPS: u32 = 100;

/// A person publishes what they have written themselves.
pub(super) static OWN_SOP_VERSION: Rule = Rule {
    code: "own_sop_version",
    kind: Kind::NotYours,
    title: Bilingual { en: "Four eyes publish a procedure", zh: "发布规程须由他人复核" },
    detail: Bilingual {
        en: "Version {number} was written by {authors}; somebody else must publish it.",
        zh: "第 {number} 版由 {authors} 撰写，须由其他人发布。",
    },
    advice: Bilingual {
        en: "Ask a colleague who did not write on this version to review and publish it.",
        zh: "请由未参与撰写该版本的同事复核并发布。",
    },
};

/// A step performs a service that the brand does not have.
pub(super) static STEP_SERVICE_UNKNOWN: Rule = Rule {
    code: "step_service_unknown",
    kind: Kind::Conflict,
    title: Bilingual { en: "No such active service item", zh: "没有此有效服务项目" },
    detail: Bilingual {
        en: "Step {position} performs the service item {service_item_code}, which is not there or is retired.",
        zh: "第 {position} 步引用的服务项目 {service_item_code} 不存在或已停用。",
    },
    advice: Bilingual {
        en: "Enter or reinstate the item, or return the version and let the step name another one.",
        zh: "请新建或恢复该项目，或退回该版本并让步骤引用其他项目。",
    },
};

/// Where a version of a procedure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopVersionState {
    /// It is being written.
    Draft,
    /// Somebody else looks at it.
    InReview,
    /// It is in force: new runs follow it, and it cannot be changed.
    Published,
    /// A newer one took its place, or the brand withdrew it; runs that began under it go on.
    Retired,
}

impl SopVersionState {
    /// What can be done from here.
    fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["change", "submit"],
            Self::InReview => &["return", "publish"],
            Self::Published => &["retire"],
            Self::Retired => &[],
        }
    }
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "change_note": "First version.",
    "quiz": [{
        "question": "From which reading on is the filter changed again?",
        "choices": ["More than 50 ppm", "More than 200 ppm"], "answer": 0,
    }],
    "steps": [
        { "title": "Shut off the water", "standard": "No drop at the tap.",
          "measure": { "type": "bool" }, "stop": true },
        { "key": "measure", "title": "Measure the dissolved solids", "standard": "As good as new.",
          "target_degree": "50 ppm or less", "obligation": true, "evidence": ["photo"],
          "due": { "from": "run_start", "within_minutes": 60 },
          "measure": { "type": "number", "unit": "ppm", "op": "at_most", "threshold": 50 } },
        { "title": "Call the customer", "standard": "The customer is content with the taste.",
          "condition": "step.measure > 40",
          "assignee": { "rule": "relationship_owner" }, "measure": { "type": "bool" },
          "due": { "from": "step", "step": "measure", "within_minutes": 960, "working_time": true } },
    ],
})))]
pub struct SopVersionDetails {
    /// What is different from the version before.
    pub change_note: Line,
    /// A few questions that show whether somebody has read it, at most 10. Their answers are null for who may
    /// not write procedures.
    #[serde(default, deserialize_with = "list_of::<0, 10, _, _>")]
    #[schema(max_items = 10)]
    pub quiz: Vec<SopQuestion>,
    /// The steps, 1 to 100, in the order in which they are done: the first has position 1 in a run.
    #[serde(deserialize_with = "list_of::<1, 100, _, _>")]
    #[schema(min_items = 1, max_items = 100)]
    pub steps: Vec<SopStep>,
}

impl SopVersionDetails {
    /// Makes sure that the steps refer to each other as they can.
    ///
    /// # Errors
    ///
    /// `repeated_step_key` when two steps have one key; `unknown_step_key` when a step refers to one that
    /// is not there; `step_depends_on_itself` when a step waits for itself, directly or by way of others;
    /// `step_depends_on_later` when a condition asks for what a later step finds.
    pub fn check(&self) -> Result<(), Refusal> {
        references::check(&self.steps)
    }

    /// The codes of the service items that its steps perform.
    pub fn services(&self) -> BTreeSet<&Code> {
        self.steps.iter().filter_map(|step| step.service_item_code.as_ref()).collect()
    }

    /// Makes sure, before it comes into force, that the services its steps perform are among the `active` ones.
    ///
    /// # Errors
    ///
    /// `step_service_unknown` for the first that is not.
    pub fn require_services(&self, active: &BTreeSet<Code>) -> Result<(), Refusal> {
        for (position, step) in (1_u32..).zip(&self.steps) {
            let code = step.service_item_code.as_ref();
            if let Some(unknown) = code.filter(|code| !active.contains(*code)) {
                let refusal = Refusal::new(&STEP_SERVICE_UNKNOWN).with("position", position);
                return Err(refusal.with("service_item_code", unknown));
            }
        }
        Ok(())
    }
}

/// One version of a procedure. A published version is never changed; what is to be different becomes a
/// new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "number": 1, "state": "published", "change_note": "First version.", "quiz": [],
    "steps": [
        { "key": "shut-off", "title": "Shut off the water", "standard": "No drop at the tap.",
          "target_degree": null, "measure": { "type": "bool" }, "stop": true, "obligation": false,
          "approval_rank": null, "assignee": { "rule": "runner" }, "due": null, "condition": null,
          "evidence": ["photo"], "service_item_code": null, "cost_cap": null },
    ],
    "authors": ["stf_01m80t7jx3e9vbq2f4c6d8g0hk"], "review_note": null,
    "published_by": "key_01m80t7jx3e9vbq2f4c6d8g0hk", "published_at": "2026-11-22T09:30:00Z",
    "retired_at": null, "version": 3, "created_at": "2026-11-21T09:30:00Z",
})))]
pub struct SopVersion {
    /// Its identifier.
    pub id: SopVersionId,
    /// The procedure it is a version of.
    pub sop_id: SopId,
    /// Which version, from 1.
    pub number: u32,
    /// Where it stands.
    pub state: SopVersionState,
    /// What it says.
    #[serde(flatten)]
    pub details: SopVersionDetails,
    /// Everybody who wrote on it: identifiers of people and of the brand's programs.
    pub authors: Vec<String>,
    /// What the reviewer found, when it was returned.
    pub review_note: Option<Line>,
    /// Who published it.
    pub published_by: Option<String>,
    /// When it came into force.
    pub published_at: Option<Timestamp>,
    /// When it ceased to be in force.
    pub retired_at: Option<Timestamp>,
    /// How often the record was changed.
    pub version: Version,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Record for SopVersion {
    type Id = SopVersionId;

    fn id(&self) -> SopVersionId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// A version that came into force, and the one whose place it took.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a publication that is not recorded has not happened"]
pub struct Publication {
    /// The version that is no longer in force; recorded first, because only one can be.
    pub retired: Option<Change<SopVersion>>,
    /// The version that is in force.
    pub published: Change<SopVersion>,
}

impl SopVersion {
    /// The same without the answers to its quiz, for who is to find them.
    #[must_use]
    pub fn without_answers(mut self) -> Self {
        let quiz = std::mem::take(&mut self.details.quiz);
        self.details.quiz = quiz.into_iter().map(SopQuestion::without_answer).collect();
        self
    }

    /// Writes a draft anew.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not a draft, and those of [`SopVersionDetails::check`].
    pub fn change(
        self,
        details: SopVersionDetails,
        author: Actor,
    ) -> Result<Change<Self>, Refusal> {
        self.require(SopVersionState::Draft)?;
        details.check()?;
        let author = author.to_string();
        let writes = details != self.details && !self.authors.contains(&author);
        Ok(Change::edit("change", &self, |it| {
            it.details = details;
            it.authors.extend(writes.then_some(author));
        }))
    }

    /// Hands a draft to the reviewer.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not a draft.
    pub fn submit(self) -> Result<Change<Self>, Refusal> {
        self.require(SopVersionState::Draft)?;
        Ok(Self { review_note: None, ..self }.move_to("submit", SopVersionState::InReview))
    }

    /// Hands a version back to its authors, with what the reviewer found.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not in review.
    pub fn give_back(self, review_note: Line) -> Result<Change<Self>, Refusal> {
        self.require(SopVersionState::InReview)?;
        let returned = Self { review_note: Some(review_note), ..self };
        Ok(returned.move_to("return", SopVersionState::Draft))
    }

    /// Brings a version into force, in place of `in_force`.
    ///
    /// Four eyes: a person does not publish a version on which they wrote. A program of the brand may,
    /// because it stands for the brand and not for a person: the brand has seen to it before.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not in review; `own_sop_version` when `by` is a person and one
    /// of its authors.
    pub fn publish(
        self,
        in_force: Option<Self>,
        by: Actor,
        now: Timestamp,
    ) -> Result<Publication, Refusal> {
        self.require(SopVersionState::InReview)?;
        let name = by.to_string();
        if by.staff().is_some() && self.authors.contains(&name) {
            let refusal = Refusal::new(&OWN_SOP_VERSION);
            return Err(refusal.with("number", self.number).with("authors", &self.authors));
        }
        let retired = in_force.map(|older| older.retire(now)).transpose()?;
        let published = Self { published_by: Some(name), published_at: Some(now), ..self };
        let published = published.move_to("publish", SopVersionState::Published);
        Ok(Publication { retired, published })
    }

    /// Takes a version out of force; runs that began under it go on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not published.
    pub fn retire(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.require(SopVersionState::Published)?;
        let retired = Self { retired_at: Some(now), ..self };
        Ok(retired.move_to("retire", SopVersionState::Retired))
    }

    fn require(&self, state: SopVersionState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.ways_on()))
    }

    fn move_to(self, action: &'static str, to: SopVersionState) -> Change<Self> {
        let from = self.state;
        let number = self.number;
        let moved = Self { state: to, ..self };
        Change::new(action, moved).moved(from, to).with("number", number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Rank,
        ids::{ApiKeyId, StaffId},
        refusal::ILLEGAL_TRANSITION,
        sops::{Sop, SopDetails},
    };
    use serde_json::json;
    use uuid::Uuid;

    fn person(number: u128) -> Actor {
        Actor::Staff { id: StaffId::from(Uuid::from_u128(number)), rank: Rank::BRAND }
    }

    fn program() -> Actor {
        Actor::Key(ApiKeyId::from(Uuid::from_u128(1)))
    }

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn details(steps: usize) -> serde_json::Result<SopVersionDetails> {
        let step = json!({
            "title": "Flush the membrane",
            "standard": "Five minutes of clear water.",
            "measure": { "type": "bool" },
        });
        serde_json::from_value(json!({ "change_note": "First.", "steps": vec![step; steps] }))
    }

    fn sop() -> Sop {
        let details: SopDetails = serde_json::from_value(json!({
            "code": "filter-change",
            "name": "换滤芯 Filter change",
            "department": "after_sales",
            "touchpoint": "annual_visit",
        }))
        .unwrap();
        Sop::create(Uuid::from_u128(1).into(), details, now()).record
    }

    fn draft_by(author: Actor) -> SopVersion {
        let id = Uuid::from_u128(2).into();
        let (_, version) = sop().draft(id, details(2).unwrap(), author, now()).unwrap();
        version.record
    }

    fn in_review_by(author: Actor) -> SopVersion {
        draft_by(author).submit().unwrap().record
    }

    fn published() -> SopVersion {
        in_review_by(program()).publish(None, program(), now()).unwrap().published.record
    }

    #[test]
    fn a_procedure_counts_its_versions() {
        let (sop, first) =
            sop().draft(Uuid::from_u128(2).into(), details(1).unwrap(), person(1), now()).unwrap();
        let next = Uuid::from_u128(3).into();
        let (sop, second) = sop.record.draft(next, details(1).unwrap(), person(1), now()).unwrap();
        assert_eq!((first.record.number, second.record.number), (1, 2));
        assert_eq!(sop.record.latest_number, 2);
    }

    #[test]
    fn a_version_has_1_to_100_steps() {
        assert!(details(0).is_err());
        assert!(details(1).is_ok());
        assert!(details(100).is_ok());
        let message = details(101).unwrap_err().to_string();
        assert!(message.contains("expected 1 to 100 items, not 101"), "{message}");
    }

    #[test]
    fn a_step_that_depends_on_itself_is_not_written() {
        let circle = json!({ "change_note": "First.", "steps": [{
            "key": "call", "title": "Call", "standard": "Answered.", "measure": { "type": "bool" },
            "due": { "from": "step", "step": "call", "within_minutes": 60 },
        }] });
        let circle: SopVersionDetails = serde_json::from_value(circle).unwrap();
        let refusal = draft_by(person(1)).change(circle.clone(), person(1)).unwrap_err();
        assert_eq!(refusal.rule.code, "step_depends_on_itself");
        let id = Uuid::from_u128(2).into();
        assert_eq!(sop().draft(id, circle, person(1), now()).unwrap_err(), refusal);
    }

    #[test]
    fn nobody_publishes_what_they_have_written_themselves() {
        let refusal = in_review_by(person(1)).publish(None, person(1), now()).unwrap_err();
        assert_eq!(refusal.rule, &OWN_SOP_VERSION);
        assert!(in_review_by(person(1)).publish(None, person(2), now()).is_ok());
    }

    #[test]
    fn who_only_corrected_a_word_has_written_on_it_too() {
        let corrected = draft_by(person(1)).change(details(1).unwrap(), person(2)).unwrap().record;
        assert_eq!(corrected.authors.len(), 2);
        let again = corrected.change(details(2).unwrap(), person(1)).unwrap().record;
        assert_eq!(again.authors.len(), 2);
        let in_review = again.submit().unwrap().record;
        for author in [person(1), person(2)] {
            assert!(in_review.clone().publish(None, author, now()).is_err());
        }
        assert!(in_review.publish(None, person(3), now()).is_ok());
    }

    #[test]
    fn a_program_of_the_brand_stands_for_the_brand() {
        let published = published();
        assert_eq!(published.state, SopVersionState::Published);
        assert_eq!(published.published_at, Some(now()));
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_older_one() {
        let publication =
            in_review_by(person(1)).publish(Some(published()), person(2), now()).unwrap();
        let retired = publication.retired.unwrap().record;
        assert_eq!((retired.state, retired.retired_at), (SopVersionState::Retired, Some(now())));
    }

    #[test]
    fn a_returned_version_says_why_until_it_is_submitted_again() {
        let note = Line::new("Step 2 names no pressure.").unwrap();
        let returned = in_review_by(person(1)).give_back(note.clone()).unwrap().record;
        assert_eq!((returned.state, &returned.review_note), (SopVersionState::Draft, &Some(note)));
        assert_eq!(returned.submit().unwrap().record.review_note, None);
    }

    #[test]
    fn a_published_version_is_never_changed() {
        let refusals = [
            published().change(details(1).unwrap(), person(1)).unwrap_err(),
            published().submit().unwrap_err(),
            published().give_back(Line::new("Too late.").unwrap()).unwrap_err(),
            published().publish(None, person(2), now()).unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.rule, &ILLEGAL_TRANSITION);
            assert_eq!(refusal.facts.get("allowed_transitions"), Some(&json!(["retire"])));
        }
        let retired = published().retire(now()).unwrap().record;
        assert_eq!(retired.retire(now()).unwrap_err().rule, &ILLEGAL_TRANSITION);
    }

    #[test]
    fn a_step_performs_a_service_that_is_there() {
        let mut details = details(2).unwrap();
        assert_eq!(details.require_services(&BTreeSet::new()), Ok(()));
        let code: Code = "filter-change".parse().unwrap();
        details.steps[1].service_item_code = Some(code.clone());
        assert_eq!(details.services(), BTreeSet::from([&code]));
        let refusal = details.require_services(&BTreeSet::new()).unwrap_err();
        assert_eq!(refusal.rule, &STEP_SERVICE_UNKNOWN);
        assert_eq!(refusal.facts.get("position"), Some(&json!(2)));
        assert_eq!(details.require_services(&BTreeSet::from([code])), Ok(()));
    }
}
