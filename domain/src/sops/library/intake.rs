//! Taking over a document: what is missing is created, what is different becomes a draft, and what is the same
//! stays as it is.

use super::{SopDocument, SopLibrary, within};
use crate::{
    change::Change,
    identity::Actor,
    ids::{SopId, SopVersionId},
    refusal::Refusal,
    sops::{Sop, SopVersion, SopVersionDetails},
    text::{Code, Line},
    time::Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A procedure that is there, with its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSop {
    /// The procedure.
    pub sop: Sop,
    /// Its newest version, whatever its state.
    pub newest: Option<SopVersion>,
}

/// What becomes of a procedure that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SopsOfOneCode {
    /// It is to say what the document says.
    FollowTheDocument,
    /// It stays as it is.
    StayAsTheyAre,
}

/// Who takes a document over, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct SopIntake {
    /// Who becomes the author of the drafts.
    pub author: Actor,
    /// When.
    pub now: Timestamp,
    /// What becomes of procedures that are there already.
    pub known: SopsOfOneCode,
    /// What the drafts say is different, where the document does not say it.
    pub change_note: Line,
}

/// What was done about one procedure of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopTakenAction {
    /// It was not there and is now, with a draft when the document has steps.
    Created,
    /// A new version is drafted, because its newest one says something else.
    Drafted,
    /// Its name, department or touchpoint is another, and its steps are the same.
    Changed,
    /// It says the same already.
    Unchanged,
    /// It was there already, and was left alone.
    Kept,
}

/// One procedure of a document, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopTaken {
    /// The procedure, by its code.
    pub code: Code,
    /// What was done; when trying out, what would be.
    pub action: SopTakenAction,
    /// The procedure; null when it would be created.
    pub sop_id: Option<SopId>,
    /// The draft; null when there is none, or when trying out.
    pub sop_version_id: Option<SopVersionId>,
    /// The number of the draft; null when there is none.
    pub number: Option<u32>,
}

/// What was done about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "dry_run": false, "created": 1, "drafted": 0, "changed": 0, "unchanged": 0, "kept": 0,
    "sops": [{
        "code": "filter-change", "action": "created", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
        "sop_version_id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk", "number": 1,
    }],
})))]
pub struct SopIntakeReport {
    /// Whether it was only tried out, and nothing was written.
    pub dry_run: bool,
    /// How many procedures are new.
    pub created: usize,
    /// How many got a draft of a new version.
    pub drafted: usize,
    /// How many are called or placed otherwise, with the same steps.
    pub changed: usize,
    /// How many said the same already.
    pub unchanged: usize,
    /// How many were left alone because they were there.
    pub kept: usize,
    /// Each procedure of the document, in its order.
    pub sops: Vec<SopTaken>,
}

/// What is to be recorded about one procedure of a document.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a procedure that is not recorded was not taken over"]
pub struct TakenSop {
    /// What is told about it.
    pub told: SopTaken,
    /// The procedure, when it is new or different.
    pub sop: Option<Change<Sop>>,
    /// The draft, when there is one.
    pub version: Option<Change<SopVersion>>,
}

impl SopIntakeReport {
    /// What is told about a document that was taken over, or tried out.
    pub fn of(taken: &[TakenSop], dry_run: bool) -> Self {
        let told = |one: &TakenSop| {
            let told = one.told.clone();
            if !dry_run {
                return told;
            }
            let is_new = told.action == SopTakenAction::Created;
            SopTaken { sop_id: told.sop_id.filter(|_| !is_new), sop_version_id: None, ..told }
        };
        let sops: Vec<_> = taken.iter().map(told).collect();
        let count = |action| sops.iter().filter(|one| one.action == action).count();
        Self {
            dry_run,
            created: count(SopTakenAction::Created),
            drafted: count(SopTakenAction::Drafted),
            changed: count(SopTakenAction::Changed),
            unchanged: count(SopTakenAction::Unchanged),
            kept: count(SopTakenAction::Kept),
            sops,
        }
    }
}

impl SopLibrary {
    /// The codes of its procedures.
    pub fn codes(&self) -> Vec<String> {
        self.sops.iter().map(|sop| sop.code.to_string()).collect()
    }

    /// Takes the document over. A draft is a new version even where the newest one is a draft, because that
    /// may be somebody else's work.
    ///
    /// # Errors
    ///
    /// Those of [`SopLibrary::check`], with the place in the document.
    pub fn take_over(
        self,
        mut known: BTreeMap<Code, KnownSop>,
        intake: &SopIntake,
        mut new_id: impl FnMut() -> Uuid,
    ) -> Result<Vec<TakenSop>, Refusal> {
        self.check()?;
        let each = self.sops.into_iter().enumerate();
        let taken = each.map(|(place, document)| {
            let known = known.remove(&document.code);
            let taken = match known {
                None => create(document, intake, &mut new_id),
                Some(known) => meet(document, known, intake, &mut new_id),
            };
            taken.map_err(|refusal| within(refusal, place))
        });
        taken.collect()
    }
}

/// A procedure that is not there yet.
fn create(
    document: SopDocument,
    intake: &SopIntake,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<TakenSop, Refusal> {
    let details = document.details();
    let code = details.code.clone();
    let sop = Sop::create(new_id().into(), details, intake.now).record;
    let sop_id = sop.id;
    let (sop, version) = match document.version(&intake.change_note) {
        None => (Change::created(sop), None),
        Some(said) => {
            let (sop, draft) = sop.draft(new_id().into(), said, intake.author, intake.now)?;
            (Change::created(sop.record), Some(draft))
        }
    };
    let told = tell(code, SopTakenAction::Created, sop_id, version.as_ref());
    Ok(TakenSop { told, sop: Some(sop), version })
}

/// A procedure that is there already.
fn meet(
    document: SopDocument,
    known: KnownSop,
    intake: &SopIntake,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<TakenSop, Refusal> {
    let KnownSop { sop, newest } = known;
    let code = document.code.clone();
    if intake.known == SopsOfOneCode::StayAsTheyAre {
        let told = tell(code, SopTakenAction::Kept, sop.id, None);
        return Ok(TakenSop { told, sop: None, version: None });
    }
    let edited = Sop { details: document.details(), ..sop.clone() };
    let is_edited = edited.details != sop.details;
    let said = document.version(&intake.change_note);
    let said = said.filter(|said| newest.is_none_or(|newest| !says_the_same(&newest, said)));
    let (now, version) = match said {
        None => (edited, None),
        Some(said) => {
            let (now, draft) = edited.draft(new_id().into(), said, intake.author, intake.now)?;
            (now.record, Some(draft))
        }
    };
    let action = match (&version, is_edited) {
        (Some(_), _) => SopTakenAction::Drafted,
        (None, true) => SopTakenAction::Changed,
        (None, false) => SopTakenAction::Unchanged,
    };
    let told = tell(code, action, sop.id, version.as_ref());
    let change =
        (action != SopTakenAction::Unchanged).then(|| Change::new("import", now).since(&sop));
    Ok(TakenSop { told, sop: change, version })
}

/// Whether a version has the same steps and the same quiz; its note is about the way there.
fn says_the_same(version: &SopVersion, said: &SopVersionDetails) -> bool {
    version.details.steps == said.steps && version.details.quiz == said.quiz
}

fn tell(
    code: Code,
    action: SopTakenAction,
    sop_id: SopId,
    draft: Option<&Change<SopVersion>>,
) -> SopTaken {
    let draft = draft.map(|draft| &draft.record);
    SopTaken {
        code,
        action,
        sop_id: Some(sop_id),
        sop_version_id: draft.map(|draft| draft.id),
        number: draft.map(|draft| draft.number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::samples::details;
    use serde_json::json;

    fn document(code: &str, steps: usize) -> SopDocument {
        let document = json!({
            "code": code, "name": "换滤芯", "department": "after_sales", "touchpoint": "annual_visit",
        });
        let document: SopDocument = serde_json::from_value(document).unwrap();
        let steps = if steps == 0 { Vec::new() } else { details(steps).steps };
        SopDocument { steps, ..document }
    }

    fn takes(sops: Vec<SopDocument>, known: &[TakenSop], mode: SopsOfOneCode) -> Vec<TakenSop> {
        let known = known.iter().map(|one| {
            let sop = one.sop.clone().unwrap().record;
            let newest = one.version.clone().map(|version| version.record);
            (sop.details.code.clone(), KnownSop { sop, newest })
        });
        let intake = SopIntake {
            author: Actor::Operator,
            now: "2026-11-22T09:30:00Z".parse().unwrap(),
            known: mode,
            change_note: "Imported.".parse().unwrap(),
        };
        let mut numbers = 1_u128..;
        let new_id = || Uuid::from_u128(numbers.next().unwrap());
        SopLibrary { sops }.take_over(known.collect(), &intake, new_id).unwrap()
    }

    fn actions(taken: &[TakenSop]) -> Vec<SopTakenAction> {
        taken.iter().map(|one| one.told.action).collect()
    }

    #[test]
    fn what_is_missing_is_created_with_a_draft_if_it_has_steps() {
        let follow = SopsOfOneCode::FollowTheDocument;
        let taken = takes(vec![document("a", 2), document("b", 0)], &[], follow);
        assert_eq!(actions(&taken), [SopTakenAction::Created, SopTakenAction::Created]);
        assert_eq!(taken[0].sop.as_ref().unwrap().record.latest_number, 1);
        let draft = &taken[0].version.as_ref().unwrap().record;
        assert_eq!((draft.number, &*draft.details.change_note), (1, "Imported."));
        assert_eq!((taken[1].told.number, taken[1].version.is_some()), (None, false));
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let follow = SopsOfOneCode::FollowTheDocument;
        let first = takes(vec![document("a", 2)], &[], follow);
        let note = Some("Another note.".parse().unwrap());
        let again =
            takes(vec![SopDocument { change_note: note, ..document("a", 2) }], &first, follow);
        assert_eq!(actions(&again), [SopTakenAction::Unchanged]);
        assert!(again[0].sop.is_none() && again[0].version.is_none());
    }

    #[test]
    fn other_steps_are_a_draft_and_another_name_is_a_change() {
        let follow = SopsOfOneCode::FollowTheDocument;
        let first = takes(vec![document("a", 2), document("b", 1)], &[], follow);
        let renamed = SopDocument { name: "Renamed".parse().unwrap(), ..document("b", 1) };
        let next = takes(vec![document("a", 3), renamed], &first, follow);
        assert_eq!(actions(&next), [SopTakenAction::Drafted, SopTakenAction::Changed]);
        assert_eq!(next[0].told.number, Some(2));
        let facts = &next[1].sop.as_ref().unwrap().facts;
        assert_eq!(facts.get("fields"), Some(&json!(["name"])));
        // A document without steps takes no version away.
        let without = takes(vec![document("a", 0)], &first, follow);
        assert_eq!(actions(&without), [SopTakenAction::Unchanged]);
    }

    #[test]
    fn what_is_there_may_be_left_alone() {
        let first = takes(vec![document("a", 2)], &[], SopsOfOneCode::StayAsTheyAre);
        let next = vec![document("a", 3), document("b", 1)];
        let next = takes(next, &first, SopsOfOneCode::StayAsTheyAre);
        assert_eq!(actions(&next), [SopTakenAction::Kept, SopTakenAction::Created]);
        assert!(next[0].sop.is_none());
    }

    #[test]
    fn a_trial_names_nothing_that_would_not_be_there() {
        let follow = SopsOfOneCode::FollowTheDocument;
        let first = takes(vec![document("a", 2)], &[], follow);
        let next = takes(vec![document("a", 3), document("b", 1)], &first, follow);
        let report = SopIntakeReport::of(&next, true);
        assert_eq!((report.created, report.drafted, report.unchanged), (1, 1, 0));
        assert_eq!((report.sops[0].sop_id, report.sops[0].number), (next[0].told.sop_id, Some(2)));
        assert_eq!((report.sops[0].sop_version_id, report.sops[1].sop_id), (None, None));
        assert!(SopIntakeReport::of(&next, false).sops[1].sop_id.is_some());
    }
}
