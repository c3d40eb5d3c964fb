//! Differences: what one version of a procedure says otherwise than another.

use super::{SopStep, SopVersion, SopVersionDetails};
use crate::{
    ids::SopVersionId,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Code, Name},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Versions of two procedures are compared.
pub(super) static OTHER_SOPS_VERSION: Rule = Rule {
    code: "other_sops_version",
    kind: Kind::Unfit,
    title: Bilingual { en: "A version of another procedure", zh: "属于另一份规程的版本" },
    detail: Bilingual {
        en: "{against} is a version of procedure {against_sop_id}, and {version} of procedure {sop_id}.",
        zh: "{against} 属于规程 {against_sop_id}，而 {version} 属于规程 {sop_id}。",
    },
    advice: Bilingual {
        en: "Compare versions of one procedure; leave `against` out for the one that was in force before.",
        zh: "请比较同一份规程的版本；不填 `against` 则与此前生效的版本比较。",
    },
};

/// How one step differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopStepChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says the same at another place of the order.
    Moved,
    /// It says something else.
    Changed,
}

/// One field that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopFieldDifference {
    /// The name of the field.
    #[schema(examples("target_degree"))]
    pub field: String,
    /// What it said; null when it said nothing.
    #[schema(examples("50 ppm or less"))]
    pub before: Value,
    /// What it says; null when it says nothing.
    #[schema(examples("40 ppm or less"))]
    pub after: Value,
}

/// One step that is new, gone, somewhere else, or says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopStepDifference {
    /// How it differs.
    pub change: SopStepChange,
    /// Its name within the version, if it has one.
    pub key: Option<Code>,
    /// What is to be done; of a step that is gone, what was.
    pub title: Name,
    /// Where it stood, from 1; null when it is new.
    pub position_before: Option<usize>,
    /// Where it stands, from 1; null when it is gone.
    pub position_after: Option<usize>,
    /// Whether it stands at another place among the steps that were there before.
    pub is_moved: bool,
    /// The fields that say something else; none of a step that is new or gone.
    pub fields: Vec<SopFieldDifference>,
}

/// What a version says otherwise than another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk", "number": 2,
    "against": "sov_01m80t7jx3e9vbq2f4c6d8g0hm", "against_number": 1,
    "added": 0, "removed": 0, "moved": 0, "changed": 1, "unchanged": 2,
    "fields": [],
    "steps": [{
        "change": "changed", "key": "measure", "title": "Measure the dissolved solids",
        "position_before": 2, "position_after": 2, "is_moved": false,
        "fields": [{
            "field": "target_degree", "before": "50 ppm or less", "after": "40 ppm or less",
        }],
    }],
    "text": "Steps of version 2 against version 1: 0 added, 0 removed, 0 moved, 1 changed, 2 unchanged.\n",
})))]
pub struct SopDifference {
    /// The version.
    pub id: SopVersionId,
    /// Its number.
    pub number: u32,
    /// The version that it is compared with; null when there is none before it.
    pub against: Option<SopVersionId>,
    /// The number of the other version.
    pub against_number: Option<u32>,
    /// How many steps are new.
    pub added: usize,
    /// How many steps are gone.
    pub removed: usize,
    /// How many steps say the same at another place.
    pub moved: usize,
    /// How many steps say something else.
    pub changed: usize,
    /// How many steps are as they were.
    pub unchanged: usize,
    /// What the version as a whole says otherwise, beside its steps and its note.
    pub fields: Vec<SopFieldDifference>,
    /// The steps that differ: those of the version in their order, then those that are gone.
    pub steps: Vec<SopStepDifference>,
    /// The same in sentences, in the caller's language.
    pub text: String,
}

impl SopVersion {
    /// What it says otherwise than `against`; than nothing when there is none. `text` is left to whoever
    /// knows the reader's language.
    ///
    /// # Errors
    ///
    /// `other_sops_version` when the two belong to different procedures.
    pub fn differs_from(&self, against: Option<&Self>) -> Result<SopDifference, Refusal> {
        if let Some(other) = against.filter(|other| other.sop_id != self.sop_id) {
            let refusal = Refusal::new(&OTHER_SOPS_VERSION).at("against");
            let refusal = refusal.with("version", self.id).with("sop_id", self.sop_id);
            return Err(refusal.with("against", other.id).with("against_sop_id", other.sop_id));
        }
        let none = Vec::new();
        let before = against.map_or(&none, |other| &other.details.steps);
        let after = &self.details.steps;
        let steps = compare(before, after);
        let count = |change| steps.iter().filter(|step| step.change == change).count();
        let [added, removed] = [SopStepChange::Added, SopStepChange::Removed].map(count);
        let [moved, changed] = [SopStepChange::Moved, SopStepChange::Changed].map(count);
        let differing = added.saturating_add(moved).saturating_add(changed);
        Ok(SopDifference {
            id: self.id,
            number: self.number,
            against: against.map(|other| other.id),
            against_number: against.map(|other| other.number),
            added,
            removed,
            moved,
            changed,
            unchanged: after.len().saturating_sub(differing),
            fields: whole(against.map(|other| &other.details), &self.details),
            steps,
            text: String::new(),
        })
    }
}

/// Members of a version that are compared elsewhere (its steps) or are about the comparison (its note).
const NOT_COMPARED: [&str; 2] = ["steps", "change_note"];

/// What the version as a whole says otherwise.
fn whole(before: Option<&SopVersionDetails>, after: &SopVersionDetails) -> Vec<SopFieldDifference> {
    let members = |details: &SopVersionDetails| {
        let mut members = members(details);
        members.retain(|name, _| !NOT_COMPARED.contains(&name.as_str()));
        members
    };
    fields(&before.map(members).unwrap_or_default(), &members(after))
}

/// The steps that differ: those of `after` in their order, then those that are gone.
fn compare(before: &[SopStep], after: &[SopStep]) -> Vec<SopStepDifference> {
    let partners = partners(before, after);
    let still = in_order(&partners);
    let mut differences = Vec::new();
    for (place, (step, partner)) in after.iter().zip(&partners).enumerate() {
        let known = partner.and_then(|from| Some((from, before.get(from)?)));
        differences.extend(difference(known, (place, step), !still.contains(&place)));
    }
    let kept: BTreeSet<_> = partners.iter().flatten().copied().collect();
    let gone = before.iter().enumerate().filter(|(place, _)| !kept.contains(place));
    differences.extend(gone.map(|(place, step)| SopStepDifference {
        change: SopStepChange::Removed,
        position_before: Some(position(place)),
        position_after: None,
        ..named(step)
    }));
    differences
}

/// How a step differs from the one that it was; `None` when it does not.
fn difference(
    before: Option<(usize, &SopStep)>,
    (place, step): (usize, &SopStep),
    is_elsewhere: bool,
) -> Option<SopStepDifference> {
    let position_after = Some(position(place));
    let Some((from, older)) = before else {
        return Some(SopStepDifference { position_after, ..named(step) });
    };
    let fields = fields(&members(older), &members(step));
    let change = match (fields.is_empty(), is_elsewhere) {
        (true, false) => return None,
        (true, true) => SopStepChange::Moved,
        (false, _) => SopStepChange::Changed,
    };
    let position_before = Some(position(from));
    let is_moved = is_elsewhere;
    Some(SopStepDifference {
        change,
        position_before,
        position_after,
        is_moved,
        fields,
        ..named(step)
    })
}

/// A step that is new, at no place yet.
fn named(step: &SopStep) -> SopStepDifference {
    SopStepDifference {
        change: SopStepChange::Added,
        key: step.key.clone(),
        title: step.title.clone(),
        position_before: None,
        position_after: None,
        is_moved: false,
        fields: Vec::new(),
    }
}

/// For each step of `after` the place of the step of `before` that it is: the one with its key, else the
/// first with its title, else the one at its place. Steps with two keys are never the same.
fn partners(before: &[SopStep], after: &[SopStep]) -> Vec<Option<usize>> {
    let same_key = |(_, older): (usize, &SopStep), (_, step): (usize, &SopStep)| {
        step.key.is_some() && older.key == step.key
    };
    let keyless = |older: &SopStep, step: &SopStep| older.key.is_none() || step.key.is_none();
    let same_title = |(_, older): (usize, &SopStep), (_, step): (usize, &SopStep)| {
        older.title == step.title && keyless(older, step)
    };
    let same_place = |(from, older): (usize, &SopStep), (place, step): (usize, &SopStep)| {
        from == place && keyless(older, step)
    };
    let mut found = Partners { before, after, of: vec![None; after.len()], taken: BTreeSet::new() };
    found.pair(same_key);
    found.pair(same_title);
    found.pair(same_place);
    found.of
}

/// Steps that have found the one that they were.
struct Partners<'s> {
    before: &'s [SopStep],
    after: &'s [SopStep],
    of: Vec<Option<usize>>,
    taken: BTreeSet<usize>,
}

impl Partners<'_> {
    /// Pairs steps that are the same by `is_same` and have no partner yet, from the first on.
    fn pair(&mut self, is_same: impl Fn((usize, &SopStep), (usize, &SopStep)) -> bool) {
        for (slot, step) in self.of.iter_mut().zip(self.after.iter().enumerate()) {
            if slot.is_some() {
                continue;
            }
            let mut free =
                self.before.iter().enumerate().filter(|(place, _)| !self.taken.contains(place));
            *slot = free.find(|older| is_same(*older, step)).map(|(place, _)| place);
            self.taken.extend(*slot);
        }
    }
}

/// The places of `partners` that are in their old order, as many as possible: a longest increasing
/// subsequence. The others were moved. Lists have 100 steps at most, so the plain way will do.
fn in_order(partners: &[Option<usize>]) -> BTreeSet<usize> {
    let mut best = BTreeMap::<usize, (usize, BTreeSet<usize>)>::new();
    let mut longest = BTreeSet::new();
    for (place, partner) in partners.iter().enumerate() {
        let Some(from) = *partner else { continue };
        let earlier = best.values().filter(|(end, _)| *end < from);
        let mut chain = earlier
            .map(|(_, chain)| chain)
            .max_by_key(|chain| chain.len())
            .cloned()
            .unwrap_or_default();
        chain.insert(place);
        if chain.len() >= longest.len() {
            longest.clone_from(&chain);
        }
        best.insert(place, (from, chain));
    }
    longest
}

/// The members of a record by name; those that say nothing are null.
fn members(record: &impl Serialize) -> Map<String, Value> {
    let value = serde_json::to_value(record).unwrap_or_default();
    value.as_object().cloned().unwrap_or_default()
}

/// The members that are not the same.
fn fields(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<SopFieldDifference> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let said =
        |members: &Map<String, Value>, name: &str| members.get(name).cloned().unwrap_or_default();
    let all = names.into_iter().map(|name| SopFieldDifference {
        field: name.clone(),
        before: said(before, name),
        after: said(after, name),
    });
    all.filter(|field| field.before != field.after)
        .filter(|field| !(says_nothing(&field.before) && says_nothing(&field.after)))
        .collect()
}

/// An empty list says as much as no list.
fn says_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Where a step stands, from 1.
fn position(place: usize) -> usize {
    place.saturating_add(1)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests count a handful of steps")]
mod tests {
    use super::*;
    use crate::sops::samples::{details, steps, version};
    use proptest::prelude::*;
    use serde_json::json;

    fn step(key: &str, title: &str, standard: &str) -> SopStep {
        let key = if key.is_empty() { Value::Null } else { json!(key) };
        let step = json!({
            "key": key, "title": title, "standard": standard, "measure": { "type": "bool" },
        });
        serde_json::from_value(step).unwrap()
    }

    /// What became of each step that differs, by title.
    fn told(before: &[SopStep], after: &[SopStep]) -> Vec<(SopStepChange, String)> {
        let differences = compare(before, after);
        differences.into_iter().map(|one| (one.change, one.title.to_string())).collect()
    }

    fn one(change: SopStepChange, title: &str) -> Vec<(SopStepChange, String)> {
        vec![(change, title.to_owned())]
    }

    #[test]
    fn a_step_is_known_by_its_key_then_by_its_title_then_by_its_place() {
        let [a, b] = [step("a", "A", "Old."), step("", "B", "Old.")];
        let renamed = step("a", "Other", "Old.");
        assert_eq!(
            told(&[a.clone(), b.clone()], &[renamed, b.clone()]),
            one(SopStepChange::Changed, "Other")
        );
        let reworded = step("", "B", "New.");
        assert_eq!(
            told(&[a.clone(), b.clone()], &[a.clone(), reworded]),
            one(SopStepChange::Changed, "B")
        );
        let other = step("", "C", "Old.");
        assert_eq!(
            told(&[a.clone(), b.clone()], &[a.clone(), other]),
            one(SopStepChange::Changed, "C")
        );
        let keyed = step("b", "B", "Old.");
        assert_eq!(told(&[a.clone(), b], &[a.clone(), keyed]), one(SopStepChange::Changed, "B"));
        // Two keys are two steps, whatever else they have in common.
        let rekeyed = step("z", "A", "Old.");
        assert_eq!(
            told(&[a], &[rekeyed]),
            [(SopStepChange::Added, "A".to_owned()), (SopStepChange::Removed, "A".to_owned())]
        );
    }

    #[test]
    fn a_step_that_gives_way_to_a_new_one_is_not_moved() {
        let [a, b, c] = ["a", "b", "c"].map(|key| step(key, key, "Done."));
        let new = step("new", "New", "Done.");
        let all = [a.clone(), b.clone(), c.clone()];
        assert_eq!(
            told(&all, &[new, a.clone(), b.clone(), c.clone()]),
            one(SopStepChange::Added, "New")
        );
        assert_eq!(told(&all, &[b.clone(), c.clone()]), one(SopStepChange::Removed, "a"));
        assert_eq!(told(&all, &[c.clone(), a.clone(), b.clone()]), one(SopStepChange::Moved, "c"));
        let reworded = step("c", "c", "Well done.");
        let differences = compare(&all, &[reworded, a, b]);
        assert_eq!(differences.len(), 1);
        assert!(differences[0].is_moved && differences[0].change == SopStepChange::Changed);
        assert_eq!(
            (differences[0].position_before, differences[0].position_after),
            (Some(3), Some(1))
        );
    }

    #[test]
    fn each_field_is_told_before_and_after() {
        let mut newer = step("a", "A", "Done.");
        newer.stop = true;
        newer.target_degree = Some("Within 5 minutes".parse().unwrap());
        let differences = compare(&[step("a", "A", "Done.")], &[newer]);
        assert_eq!(
            serde_json::to_value(&differences[0].fields).unwrap(),
            json!([
                { "field": "stop", "before": false, "after": true },
                { "field": "target_degree", "before": null, "after": "Within 5 minutes" },
            ])
        );
    }

    #[test]
    fn versions_of_two_procedures_are_not_compared() {
        let one = version(1, details(1));
        let mut other = version(2, details(1));
        assert!(one.differs_from(Some(&other)).is_ok());
        other.sop_id = uuid::Uuid::from_u128(99).into();
        let refusal = one.differs_from(Some(&other)).unwrap_err();
        assert_eq!(
            (refusal.rule, refusal.place.as_deref()),
            (&OTHER_SOPS_VERSION, Some("against"))
        );
    }

    #[test]
    fn the_first_version_is_all_new() {
        let difference = version(1, details(3)).differs_from(None).unwrap();
        assert_eq!((difference.added, difference.unchanged, difference.against), (3, 0, None));
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself(steps in steps()) {
            prop_assert_eq!(compare(&steps, &steps), []);
        }

        #[test]
        fn every_step_is_told_once_or_as_it_was(before in steps(), after in steps()) {
            let note = "Another.".parse().unwrap();
            let older = SopVersionDetails { steps: before, ..details(1) };
            let newer = SopVersionDetails { change_note: note, steps: after, ..details(1) };
            let [older, newer] = [version(1, older), version(2, newer)];
            let told = newer.differs_from(Some(&older)).unwrap();
            let staying = told.moved + told.changed + told.unchanged;
            prop_assert_eq!(told.added + staying, newer.details.steps.len());
            prop_assert_eq!(told.removed + staying, older.details.steps.len());
            prop_assert_eq!(told.steps.len(), told.added + told.removed + told.moved + told.changed);
        }

        #[test]
        fn a_difference_leads_from_one_version_to_the_other(before in steps(), after in steps()) {
            // What is gone goes, what is new or different comes as it is, and the rest is found again.
            let mut applied = vec![None; after.len()];
            let partners = partners(&before, &after);
            for one in compare(&before, &after) {
                if let Some(place) = one.position_after {
                    let mut step = match one.position_before {
                        Some(from) => serde_json::to_value(&before[from - 1]).unwrap(),
                        None => serde_json::to_value(&after[place - 1]).unwrap(),
                    };
                    for field in one.fields {
                        step[field.field] = field.after;
                    }
                    applied[place - 1] = Some(serde_json::from_value::<SopStep>(step).unwrap());
                }
            }
            for (slot, partner) in applied.iter_mut().zip(&partners) {
                if slot.is_none() {
                    *slot = partner.map(|from| before[from].clone());
                }
            }
            prop_assert_eq!(applied.into_iter().flatten().collect::<Vec<_>>(), after);
        }
    }
}
