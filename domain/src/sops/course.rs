//! The course of a run: which steps can be done, who does them and by when, and who answers for them when they are not.

use super::{
    ChecklistChange, Measurement, SopAssignee, SopChecklist, SopDue, SopEvidenceKind, SopRun,
    SopRunStep, SopRunStepState, SopStep, SopValue,
};
use crate::{
    change::Change,
    conditions::{Condition, ConditionFacts},
    event::Event,
    identity::{LADDER, Rank, Role},
    ids::{SopRunStepId, StaffId},
    text::Code,
    time::Timestamp,
    working_time::WorkingCalendar,
};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who could do a step, or answer for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SopPerson {
    /// Who.
    pub staff_id: StaffId,
    /// What they do.
    pub role: Role,
    /// Whether they look after the customer of the run in person.
    pub is_relationship_owner: bool,
    /// Whether they are on leave today, so that nothing more becomes theirs.
    pub is_away: bool,
    /// How many steps they have to do.
    pub open_steps: u32,
}

/// What has to be known before steps can be made ready; asking for the rest would be asking in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SopNeeds {
    /// Who could do a step.
    pub people: bool,
    /// When the dealer works.
    pub calendar: bool,
    /// What conditions ask for.
    pub facts: bool,
}

impl SopNeeds {
    /// What escalating a step takes.
    pub const ESCALATION: Self = Self { people: true, calendar: true, facts: false };

    /// What these steps of a run by `runner` take.
    pub fn of(steps: &[&SopStep], runner: Option<StaffId>) -> Self {
        let is_another_s = |step: &&SopStep| step.assignee != SopAssignee::Runner {};
        let mut dues = steps.iter().filter_map(|step| step.due.as_ref());
        Self {
            people: runner.is_none() || steps.iter().any(is_another_s),
            calendar: dues.any(SopDue::is_working_time),
            facts: steps.iter().any(|step| step.condition.is_some()),
        }
    }
}

impl SopChecklist {
    /// What going on with it takes.
    pub fn needs(&self) -> SopNeeds {
        let steps: Vec<_> = self.steps.iter().map(|step| &step.step).collect();
        SopNeeds::of(&steps, self.run.details.staff_id)
    }
}

/// What a run is carried out in.
#[derive(Debug, Clone, Default)]
pub struct SopCircumstances {
    /// What conditions ask for; what was found at the steps of the run is added.
    pub facts: ConditionFacts,
    /// When the dealer of the run works; `None` where nobody has to know, and then all hours count.
    pub calendar: Option<WorkingCalendar>,
    /// The people of the dealer of the run, and those of the brand who answer for everything.
    pub people: Vec<SopPerson>,
    /// What is attached to the step at hand.
    pub attached: BTreeSet<SopEvidenceKind>,
    /// What the meter of the step at hand showed the last time.
    pub last_reading: Option<Measurement>,
}

impl SopCircumstances {
    /// Of those who do this and are there, the one with the fewest steps, and of several the first; one more step is
    /// theirs then.
    pub(super) fn least_busy(&mut self, role: Role) -> Option<StaffId> {
        self.least_busy_of(|one| one.role == role)
    }

    fn least_busy_of(&mut self, is_meant: impl Fn(&SopPerson) -> bool) -> Option<StaffId> {
        let those = self.people.iter_mut().filter(|one| is_meant(one) && !one.is_away);
        let chosen = those.min_by_key(|person| (person.open_steps, person.staff_id))?;
        chosen.open_steps = chosen.open_steps.saturating_add(1);
        Some(chosen.staff_id)
    }

    /// Whether a condition holds. One that cannot be decided leaves the step to people, who may waive it.
    fn applies(&self, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| condition.holds(&self.facts).unwrap_or(true))
    }

    /// Who does a step of a run. Where the rule finds nobody, it is a manager's; and where there is none, nobody's: it
    /// is seen by whoever sees the dealer's runs.
    fn assign(&mut self, step: &SopRunStep, run: &SopRun) -> Option<StaffId> {
        let by_rule = match step.step.assignee {
            SopAssignee::Runner {} => run.details.staff_id,
            SopAssignee::Role { role } => self.least_busy(role),
            SopAssignee::RelationshipOwner {} => {
                self.least_busy_of(|one| one.is_relationship_owner)
            }
        };
        by_rule.or_else(|| self.least_busy(Role::Manager))
    }

    /// The first instant at which `due` is over, counted from `base`.
    fn after(&self, due: &SopDue, base: Timestamp) -> Timestamp {
        let minutes = due.within_minutes().get();
        let calendar = self.calendar.as_ref().filter(|_| due.is_working_time());
        // A site that never works would let everything wait for ever.
        let worked = calendar.and_then(|calendar| calendar.after(base, minutes));
        worked.unwrap_or_else(|| base.plus_minutes(i64::from(minutes)))
    }

    fn rank_of(&self, staff: Option<StaffId>) -> Rank {
        let person = self.people.iter().find(|person| Some(person.staff_id) == staff);
        person.map_or(Rank::CLERK, |person| person.role.rank())
    }

    /// Somebody of a rank that answers for what is late, when anybody has it.
    pub(super) fn of(&mut self, rank: Rank) -> Option<StaffId> {
        let (_, role) = LADDER.into_iter().find(|(one, _)| *one == rank)?;
        self.least_busy(role)
    }

    /// The next rank above `rank` that has anybody, and who that is. The brand is the last, and answers also when
    /// nobody of it is named here, and for what one of its own has not done.
    fn above(&mut self, rank: Rank) -> (Rank, Option<StaffId>) {
        for (next, role) in LADDER.into_iter().filter(|(next, _)| *next > rank) {
            if let Some(person) = self.least_busy(role) {
                return (next, Some(person));
            }
        }
        (Rank::BRAND, None)
    }
}

/// What follows from a step, or from the beginning of a run.
pub(super) struct Ready {
    /// Steps that are different now.
    pub(super) changed: Vec<SopRunStepId>,
    /// Those that became ready and have a time, with it.
    pub(super) due: Vec<(SopRunStepId, Timestamp)>,
}

/// Makes waiting steps ready, up to and including the first that blocks the ones after it: says who does them, and by
/// when. One whose condition does not hold is over; one whose condition asks for an earlier step waits for it.
pub(super) fn make_ready(
    steps: &mut [SopRunStep],
    run: &SopRun,
    around: &mut SopCircumstances,
    now: Timestamp,
) -> Ready {
    let mut ready = Ready { changed: Vec::new(), due: Vec::new() };
    let mut settled = BTreeSet::new();
    around.facts.step.clear();
    for step in steps.iter_mut() {
        let condition = step.step.condition.as_ref();
        let is_decidable =
            condition.is_none_or(|condition| condition.steps().all(|key| settled.contains(key)));
        if step.state == SopRunStepState::Pending && is_decidable {
            step.ready_at = Some(now);
            if around.applies(condition) {
                step.state = SopRunStepState::Ready;
                step.staff_id = around.assign(step, run);
            } else {
                step.state = SopRunStepState::NotApplicable;
            }
            ready.changed.push(step.id);
        }
        if let (Some(key), true) = (&step.step.key, step.is_settled()) {
            settled.insert(key.to_string());
            around
                .facts
                .step
                .extend(step.value.clone().map(|value: SopValue| (key.clone(), value)));
        }
        if step.blocks() {
            break;
        }
    }
    let ends: BTreeMap<Code, Timestamp> = steps.iter().filter_map(end_of).collect();
    for step in steps.iter_mut().filter(|step| step.due_at.is_none()) {
        let Some(due) = &step.step.due else { continue };
        if step.state != SopRunStepState::Ready && step.state != SopRunStepState::Failed {
            continue;
        }
        let base = match due {
            SopDue::RunStart { .. } => Some(run.created_at),
            SopDue::Anchor { .. } => Some(run.anchor_at.unwrap_or(run.created_at)),
            SopDue::Step { step, .. } => ends.get(step).copied(),
        };
        let Some(due_at) = base.map(|base| around.after(due, base)) else { continue };
        step.due_at = Some(due_at);
        ready.due.push((step.id, due_at));
        if !ready.changed.contains(&step.id) {
            ready.changed.push(step.id);
        }
    }
    ready
}

/// The key of a step that is settled, and since when. One that does not apply was over when that was seen.
fn end_of(step: &SopRunStep) -> Option<(Code, Timestamp)> {
    let key = step.step.key.clone()?;
    let at = if step.is_settled() { step.done_at.or(step.ready_at) } else { None };
    Some((key, at?))
}

impl SopRun {
    /// Announces when the steps that became ready are due.
    pub(super) fn announce(change: Change<Self>, ready: &Ready) -> Change<Self> {
        let run = change.record.id;
        ready.due.iter().fold(change, |change, (step, due_at)| {
            let event = Event::SopStepDue { run, step: *step, escalated_rank: None };
            change.emits_at(event, *due_at)
        })
    }
}

impl SopChecklist {
    /// Lets the next rank answer for a step that is not settled in time: a manager, then the owner, then the brand, each
    /// after the same time again. Whoever had it before may still do it, also when they are on leave: their rank is
    /// what it goes up from. `None` when the step is settled, its time is not over, or it has gone up to `seen` already
    /// or beyond, so that each rank is asked once.
    pub fn escalate(
        self,
        step: SopRunStepId,
        seen: Option<Rank>,
        mut around: SopCircumstances,
        now: Timestamp,
    ) -> Option<ChecklistChange> {
        let Self { run, mut steps } = self;
        run.require_going_on().ok()?;
        let late = steps.iter_mut().find(|one| one.id == step)?;
        let is_late = late.due_at.is_some_and(|due_at| due_at <= now);
        if !is_late || !late.is_open() || late.escalated_rank != seen || seen == Some(Rank::BRAND) {
            return None;
        }
        let had = late.escalated_rank.unwrap_or_else(|| around.rank_of(late.staff_id));
        let (rank, person) = around.above(had);
        late.overdue_at = late.overdue_at.or(Some(now));
        late.escalated_rank = Some(rank);
        late.escalated_staff_id = person;
        let again = late.step.due.as_ref().map(|due| around.after(due, now));
        let change = Change::new("escalate_step", run).with("position", late.position);
        let change = change.with("rank", rank).with("staff_id", person);
        let again = again.filter(|_| rank < Rank::BRAND);
        let run = match again {
            Some(again) => {
                let run = change.record.id;
                let event = Event::SopStepDue { run, step, escalated_rank: Some(rank) };
                change.emits_at(event, again)
            }
            None => change,
        };
        Some(ChecklistChange { run, steps, changed: vec![step] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Actor,
        ids::DealerId,
        sops::{Sop, SopBeginning, SopRunDetails, SopVersion},
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-20T09:30:00Z".parse().unwrap()
    }

    fn person(number: u128, role: Role, open_steps: u32) -> SopPerson {
        SopPerson {
            staff_id: Uuid::from_u128(number).into(),
            role,
            is_relationship_owner: false,
            is_away: false,
            open_steps,
        }
    }

    fn away(person: SopPerson) -> SopPerson {
        SopPerson { is_away: true, ..person }
    }

    fn staff(number: u128) -> StaffId {
        Uuid::from_u128(number).into()
    }

    fn step(more: &Value) -> Value {
        let mut step =
            json!({ "title": "Look", "standard": "Clean.", "measure": { "type": "bool" } });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    }

    fn version(steps: &[Value]) -> SopVersion {
        let sop = serde_json::from_value(json!({
            "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
        }));
        let sop = Sop::create(Uuid::from_u128(1).into(), sop.unwrap(), now()).record;
        let details = serde_json::from_value(json!({ "change_note": "First.", "steps": steps }));
        let id = Uuid::from_u128(2).into();
        let draft = sop.draft(id, details.unwrap(), Actor::Operator, now()).unwrap().1.record;
        let in_review = draft.submit().unwrap().record;
        in_review.publish(None, Actor::Operator, now()).unwrap().published.record
    }

    fn begins(steps: &[Value], around: SopCircumstances) -> ChecklistChange {
        let version = version(steps);
        let details = SopRunDetails {
            sop_id: version.sop_id,
            customer_id: None,
            asset_id: None,
            dealer_id: Some(DealerId::from(Uuid::from_u128(4))),
            staff_id: None,
        };
        let mut ids = (100_u128..).map(|number| Uuid::from_u128(number).into());
        let beginning = SopBeginning::of(details, around);
        let id = Uuid::from_u128(3).into();
        SopRun::start(id, Some(&version), beginning, || ids.next().unwrap(), now()).unwrap()
    }

    fn with(people: &[SopPerson]) -> SopCircumstances {
        SopCircumstances { people: people.to_vec(), ..SopCircumstances::default() }
    }

    fn by_clerk() -> Value {
        json!({ "assignee": { "rule": "role", "role": "clerk" } })
    }

    #[test]
    fn the_least_busy_is_the_first_of_equals_and_one_busier_after() {
        let people =
            [person(8, Role::Clerk, 1), person(7, Role::Clerk, 1), person(9, Role::Clerk, 2)];
        let steps: Vec<_> = (0..4).map(|_| step(&by_clerk())).collect();
        let begun = begins(&steps, with(&people));
        let whose: Vec<_> = begun.steps.iter().map(|step| step.staff_id).collect();
        assert_eq!(whose, [Some(staff(7)), Some(staff(8)), Some(staff(7)), Some(staff(8))]);
    }

    #[test]
    fn what_no_rule_finds_anybody_for_is_a_manager_s_or_nobody_s() {
        let steps =
            [step(&by_clerk()), step(&json!({ "assignee": { "rule": "relationship_owner" } }))];
        let begun = begins(&steps, with(&[person(5, Role::Manager, 9)]));
        assert!(begun.steps.iter().all(|step| step.staff_id == Some(staff(5))));
        let begun = begins(&steps, with(&[person(6, Role::Technician, 0)]));
        assert!(begun.steps.iter().all(|step| step.staff_id.is_none()));
    }

    #[test]
    fn whoever_looks_after_the_customer_does_it_unless_they_are_away() {
        let theirs = SopPerson { is_relationship_owner: true, ..person(7, Role::Clerk, 9) };
        let manager = person(5, Role::Manager, 0);
        let steps = [step(&json!({ "assignee": { "rule": "relationship_owner" } }))];
        for (theirs, whose) in [(theirs, 7), (away(theirs), 5)] {
            let begun = begins(&steps, with(&[person(6, Role::Clerk, 0), theirs, manager]));
            assert_eq!(begun.steps[0].staff_id, Some(staff(whose)));
        }
    }

    #[test]
    fn a_condition_that_cannot_be_decided_leaves_the_step_to_people() {
        let steps = [
            step(&json!({ "condition": "event.nights > 2" })),
            step(&json!({ "condition": "event.nights != null && event.nights > 2" })),
        ];
        let begun = begins(&steps, with(&[]));
        let states: Vec<_> = begun.steps.iter().map(|step| step.state).collect();
        assert_eq!(states, [SopRunStepState::Ready, SopRunStepState::NotApplicable]);
    }

    fn late_checklist(people: &[SopPerson]) -> SopChecklist {
        let due = json!({ "due": { "from": "run_start", "within_minutes": 60 } });
        let mut late = step(&by_clerk());
        late.as_object_mut().unwrap().extend(due.as_object().unwrap().clone());
        let begun = begins(&[late], with(people));
        SopChecklist { run: begun.run.record, steps: begun.steps }
    }

    fn goes_up(
        list: SopChecklist,
        seen: Option<Rank>,
        people: &[SopPerson],
        minutes: i64,
    ) -> Option<ChecklistChange> {
        let id = list.steps[0].id;
        list.escalate(id, seen, with(people), now().plus_minutes(minutes))
    }

    #[test]
    fn a_step_goes_up_from_its_time_on_and_once_to_each_rank_that_has_anybody() {
        let people = [person(1, Role::Clerk, 0), person(3, Role::Owner, 0)];
        let list = late_checklist(&people);
        assert_eq!(list.steps[0].due_at, Some(now().plus_minutes(60)));
        assert!(goes_up(list.clone(), None, &people, 59).is_none());
        let up = goes_up(list, None, &people, 60).unwrap();
        let step = &up.steps[0];
        // There is no manager, so it is the owner's.
        assert_eq!(
            (step.escalated_rank, step.escalated_staff_id),
            (Some(Rank::OWNER), Some(staff(3)))
        );
        assert_eq!(
            (step.overdue_at, step.staff_id),
            (Some(now().plus_minutes(60)), Some(staff(1)))
        );
        let again = Some(now().plus_minutes(120));
        assert_eq!(up.run.events.first().map(|(_, due_at)| *due_at), Some(again));
        let list = SopChecklist { run: up.run.record, steps: up.steps };
        assert!(goes_up(list.clone(), None, &people, 61).is_none(), "it went up already");
        let brand = goes_up(list, Some(Rank::OWNER), &people, 120).unwrap();
        let step = &brand.steps[0];
        assert_eq!((step.escalated_rank, step.escalated_staff_id), (Some(Rank::BRAND), None));
        assert!(brand.run.events.is_empty(), "above the brand is nobody");
        let list = SopChecklist { run: brand.run.record, steps: brand.steps };
        assert!(goes_up(list, Some(Rank::BRAND), &people, 180).is_none());
    }

    #[test]
    fn what_is_whose_on_leave_goes_up_from_their_rank() {
        let manager = person(2, Role::Manager, 0);
        let there = [manager, person(4, Role::Owner, 9)];
        let gone = [away(manager), person(3, Role::Manager, 0), person(4, Role::Owner, 9)];
        let list = late_checklist(&there);
        assert_eq!(list.steps[0].staff_id, Some(staff(2)), "there is no clerk");
        let up = goes_up(list, None, &gone, 60).unwrap();
        assert_eq!(up.steps[0].escalated_staff_id, Some(staff(4)));
        // Nothing becomes the step of somebody who is not there.
        let late = late_checklist(&[away(person(1, Role::Clerk, 0)), manager]);
        assert_eq!(late.steps[0].staff_id, Some(staff(2)));
    }

    #[test]
    fn what_the_brand_itself_does_late_is_overdue_once_and_goes_up_to_nobody() {
        let people = [person(6, Role::BrandAdmin, 0)];
        let mut list = late_checklist(&people);
        list.steps[0].staff_id = Some(staff(6));
        let up = goes_up(list, None, &people, 60).unwrap();
        let step = &up.steps[0];
        assert_eq!(step.overdue_at, Some(now().plus_minutes(60)));
        assert_eq!((step.escalated_rank, step.escalated_staff_id), (Some(Rank::BRAND), None));
        assert!(up.run.events.is_empty());
    }

    #[test]
    fn a_settled_step_is_not_touched() {
        let people = [person(1, Role::Clerk, 0), person(2, Role::Manager, 0)];
        for state in [
            SopRunStepState::Done,
            SopRunStepState::Waived,
            SopRunStepState::NotApplicable,
            SopRunStepState::Pending,
        ] {
            let mut list = late_checklist(&people);
            list.steps[0].state = state;
            assert!(goes_up(list, None, &people, 600).is_none(), "{state:?}");
        }
    }

    #[test]
    fn working_time_counts_where_somebody_knows_it() {
        let due =
            json!({ "due": { "from": "run_start", "within_minutes": 60, "working_time": true } });
        let zone = "Asia/Shanghai".parse().unwrap();
        let calendar = WorkingCalendar::of_hours(&crate::tenancy::WorkingHours::default(), zone);
        let around = SopCircumstances { calendar: Some(calendar), ..SopCircumstances::default() };
        // Friday 17:30 in Shanghai, and Saturdays are worked.
        let begun = begins(&[step(&due)], around);
        assert_eq!(begun.steps[0].due_at, Some("2026-11-21T01:30:00Z".parse().unwrap()));
        let never = WorkingCalendar::new(zone, []);
        let around = SopCircumstances { calendar: Some(never), ..SopCircumstances::default() };
        assert_eq!(begins(&[step(&due)], around).steps[0].due_at, Some(now().plus_minutes(60)));
    }
}
