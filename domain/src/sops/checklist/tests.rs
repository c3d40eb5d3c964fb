//! Checklists, tried out: what is ticked off, waived and broken off, and whatever else is tried.

use super::*;
use crate::{
    identity::{Actor, Rank, Reach},
    refusal::{ILLEGAL_TRANSITION, Refusal},
    sops::{
        ChecklistChange, Sop, SopBeginning, SopCircumstances, SopRunDetails, SopRunState,
        runs::{SOP_NOT_PUBLISHED, SOP_RANK_TOO_LOW, SOP_RUN_OF_OTHERS},
    },
};
use SopRunStepState::{Done, Failed, Pending, Ready, Waived};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn staff(rank: Rank) -> Actor {
    Actor::Staff { id: StaffId::from(Uuid::from_u128(9)), rank }
}

fn technician() -> Actor {
    staff(Rank::CLERK)
}

fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn because() -> Line {
    Line::new("The customer has no shut-off valve.").unwrap()
}

/// A yes-or-no step.
fn plain() -> Value {
    json!({ "title": "Look", "standard": "Clean.", "measure": { "type": "bool" } })
}

fn with(mut step: Value, field: &str, value: Value) -> Value {
    step.as_object_mut().unwrap().insert(field.to_owned(), value);
    step
}

fn stop() -> Value {
    with(plain(), "stop", json!(true))
}

fn version(steps: &[Value]) -> SopVersion {
    let sop = serde_json::from_value(json!({
        "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
    }));
    let sop = Sop::create(Uuid::from_u128(1).into(), sop.unwrap(), now()).record;
    let details = serde_json::from_value(json!({ "change_note": "First.", "steps": steps }));
    let id = Uuid::from_u128(2).into();
    sop.draft(id, details.unwrap(), Actor::Operator, now()).unwrap().1.record
}

fn start(version: &SopVersion) -> Result<ChecklistChange, Refusal> {
    let mut ids = (1..).map(|n| Uuid::from_u128(n).into());
    let step_id = || ids.next().unwrap();
    let details = SopRunDetails {
        sop_id: version.sop_id,
        customer_id: None,
        asset_id: None,
        dealer_id: None,
        staff_id: None,
    };
    let beginning = SopBeginning::of(details, SopCircumstances::default());
    SopRun::start(Uuid::from_u128(3).into(), Some(version), beginning, step_id, now())
}

fn read(change: ChecklistChange) -> SopChecklist {
    SopChecklist { run: change.run.record, steps: change.steps }
}

fn started(steps: &[Value]) -> SopChecklist {
    let in_review = version(steps).submit().unwrap().record;
    let publication = in_review.publish(None, Actor::Operator, now()).unwrap();
    read(start(&publication.published.record).unwrap())
}

fn at(list: &SopChecklist, position: u128) -> StepAtHand {
    list.clone().step(Uuid::from_u128(position).into(), SopCircumstances::default()).unwrap()
}

fn answer(yes: bool) -> SopAnswer {
    SopAnswer { value: SopValue::Bool(yes), deviation_reason: None, meter_replaced: None }
}

fn tick(list: &SopChecklist, position: u128, yes: bool) -> SopChecklist {
    read(at(list, position).complete(answer(yes), technician(), now()).unwrap())
}

fn fail_with_reason(list: &SopChecklist, position: u128) -> SopChecklist {
    let answer = SopAnswer { deviation_reason: Some(because()), ..answer(false) };
    read(at(list, position).complete(answer, technician(), now()).unwrap())
}

fn states(list: &SopChecklist) -> Vec<SopRunStepState> {
    list.steps.iter().map(|step| step.state).collect()
}

#[test]
fn a_run_begins_under_a_published_version_only() {
    let draft = version(&[plain()]);
    assert_eq!(start(&draft).unwrap_err().rule, &SOP_NOT_PUBLISHED);
    let in_review = draft.submit().unwrap().record;
    assert_eq!(start(&in_review).unwrap_err().rule, &SOP_NOT_PUBLISHED);
    let published = in_review.publish(None, Actor::Operator, now()).unwrap().published.record;
    let run = start(&published).unwrap();
    assert_eq!((run.run.record.state, run.changed.len()), (SopRunState::Open, 1));
    let retired = published.retire(now()).unwrap().record;
    assert_eq!(start(&retired).unwrap_err().rule, &SOP_NOT_PUBLISHED);
}

#[test]
fn a_run_completes_itself_with_the_last_step() {
    let list = tick(&started(&[plain(), plain()]), 1, true);
    assert_eq!((list.run.state, list.run.adherence_bp), (SopRunState::InProgress, None));
    let list = tick(&list, 2, true);
    assert_eq!(list.run.state, SopRunState::Completed);
    assert_eq!(list.run.adherence_bp.unwrap().get(), 10_000);
    assert_eq!(list.run.ended_at, Some(now()));
    let refusal = at(&list, 1).complete(answer(true), technician(), now()).unwrap_err();
    assert_eq!(refusal.rule, &ILLEGAL_TRANSITION);
}

#[test]
fn later_steps_wait_for_a_stop_step() {
    let list = started(&[plain(), stop(), plain(), stop(), plain()]);
    assert_eq!(states(&list), [Ready, Ready, Pending, Pending, Pending]);
    let refusal = at(&list, 3).complete(answer(true), technician(), now()).unwrap_err();
    assert_eq!(refusal.rule, &STEP_BLOCKED);
    assert_eq!(refusal.facts.get("stop_position"), Some(&json!(2)));
    let change = at(&list, 2).complete(answer(true), technician(), now()).unwrap();
    assert_eq!(change.changed.len(), 3);
    assert_eq!(states(&read(change)), [Ready, Done, Ready, Ready, Pending]);
}

#[test]
fn a_failed_stop_step_goes_on_blocking_until_it_is_done_again_or_waived() {
    let list = fail_with_reason(&started(&[stop(), plain()]), 1);
    assert_eq!(states(&list), [Failed, Pending]);
    assert_eq!(states(&tick(&list, 1, true)), [Done, Ready]);
    let waived = at(&list, 1).waive(because(), staff(Rank::MANAGER), now()).unwrap();
    assert_eq!(states(&read(waived)), [Waived, Ready]);
}

#[test]
fn a_missed_standard_is_settled_by_a_reason_or_by_doing_it_again() {
    let list = tick(&started(&[plain()]), 1, false);
    assert_eq!((list.run.state, states(&list)), (SopRunState::InProgress, vec![Failed]));
    assert_eq!(tick(&list, 1, true).run.state, SopRunState::Completed);
    let list = fail_with_reason(&list, 1);
    assert_eq!(list.run.state, SopRunState::CompletedWithDeviation);
    assert_eq!(list.run.adherence_bp.unwrap().get(), 0);
}

#[test]
fn a_reason_does_not_excuse_from_an_obligation() {
    let obligation = with(plain(), "obligation", json!(true));
    let list = fail_with_reason(&started(&[obligation]), 1);
    assert_eq!(list.run.state, SopRunState::InProgress);
    let waived = at(&list, 1).waive(because(), staff(Rank::MANAGER), now()).unwrap();
    assert_eq!(waived.run.record.state, SopRunState::CompletedWithDeviation);
}

#[test]
fn the_rank_that_may_waive_is_the_one_the_step_names() {
    let waive = |step: Value, by| at(&started(&[step]), 1).waive(because(), by, now());
    assert!(waive(plain(), technician()).is_ok());
    let below_manager = staff(Rank::from_number(29));
    assert_eq!(waive(stop(), below_manager).unwrap_err().rule, &SOP_RANK_TOO_LOW);
    assert!(waive(stop(), staff(Rank::MANAGER)).is_ok());
    let owners = with(plain(), "approval_rank", json!(40));
    assert_eq!(waive(owners.clone(), staff(Rank::MANAGER)).unwrap_err().rule, &SOP_RANK_TOO_LOW);
    assert!(waive(owners, staff(Rank::OWNER)).is_ok());
}

#[test]
fn a_step_is_done_or_waived_once() {
    let list = tick(&started(&[plain(), plain()]), 1, true);
    let again = at(&list, 1).complete(answer(true), technician(), now());
    assert_eq!(again.unwrap_err().rule, &ILLEGAL_TRANSITION);
    let waived = at(&list, 1).waive(because(), staff(Rank::BRAND), now());
    assert_eq!(waived.unwrap_err().rule, &ILLEGAL_TRANSITION);
}

#[test]
fn a_manager_breaks_a_run_off() {
    let list = tick(&started(&[plain(), plain()]), 1, true);
    let refusal = list.run.clone().abort(because(), staff(Rank::from_number(29)), now());
    assert_eq!(refusal.unwrap_err().rule, &SOP_RANK_TOO_LOW);
    let aborted = list.run.abort(because(), staff(Rank::MANAGER), now()).unwrap().record;
    assert_eq!((aborted.state, aborted.adherence_bp), (SopRunState::Aborted, None));
    let again = aborted.abort(because(), staff(Rank::MANAGER), now()).unwrap_err();
    assert_eq!(again.rule, &ILLEGAL_TRANSITION);
}

#[test]
fn a_visits_run_names_the_visit() {
    let in_review = version(&[plain()]).submit().unwrap().record;
    let published = in_review.publish(None, Actor::Operator, now()).unwrap().published.record;
    let visit = Uuid::from_u128(7).into();
    let run = start(&published).unwrap().part_of(visit).run;
    assert_eq!(run.record.work_order_id, Some(visit));
    assert_eq!(run.facts.get("work_order_id"), Some(&json!(visit)));
}

#[test]
fn a_person_opens_runs_that_they_see() {
    let id = Uuid::from_u128;
    let details = |dealer: Option<u128>, staff: Option<u128>| SopRunDetails {
        sop_id: id(1).into(),
        customer_id: None,
        asset_id: None,
        dealer_id: dealer.map(|number| id(number).into()),
        staff_id: staff.map(|number| id(number).into()),
    };
    let clerk = Reach { dealer: Some(id(5).into()), technician: None };
    let filled = details(None, None).written_by(technician(), clerk).unwrap();
    assert_eq!(filled, details(Some(5), Some(9)));
    assert!(details(Some(5), Some(8)).written_by(technician(), clerk).is_ok());
    let refusal = details(Some(6), None).written_by(technician(), clerk).unwrap_err();
    assert_eq!(refusal.rule, &SOP_RUN_OF_OTHERS);
    let own_only = Reach { technician: Some(id(9).into()), ..clerk };
    assert!(details(None, None).written_by(technician(), own_only).is_ok());
    assert!(details(None, Some(8)).written_by(technician(), own_only).is_err());
    let brand = details(Some(6), Some(8)).written_by(Actor::Operator, Reach::default());
    assert_eq!(brand.unwrap(), details(Some(6), Some(8)));
}

#[test]
fn another_runs_step_is_not_here() {
    assert!(
        started(&[plain()]).step(Uuid::from_u128(2).into(), SopCircumstances::default()).is_none()
    );
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Meet,
    Miss,
    MissWithReason,
    Waive,
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let deed =
        prop::sample::select(vec![Deed::Meet, Deed::Miss, Deed::MissWithReason, Deed::Waive]);
    prop::collection::vec((0..8_usize, deed), 0..40)
}

fn attempt(list: &SopChecklist, place: usize, deed: Deed) -> Option<SopChecklist> {
    let step = list.clone().step(list.steps.get(place)?.id, SopCircumstances::default())?;
    let reason = Some(because());
    let change = match deed {
        Deed::Meet => step.complete(answer(true), technician(), now()),
        Deed::Miss => step.complete(answer(false), technician(), now()),
        Deed::MissWithReason => {
            let answer = SopAnswer { deviation_reason: reason, ..answer(false) };
            step.complete(answer, technician(), now())
        }
        Deed::Waive => step.waive(because(), staff(Rank::MANAGER), now()),
    };
    change.ok().map(read)
}

proptest! {
    #[test]
    fn whatever_is_tried_no_stop_step_is_passed_and_the_run_ends_with_its_steps(
        stops in prop::collection::vec(any::<bool>(), 1..8), deeds in deeds(),
    ) {
        let steps: Vec<_> = stops.iter().map(|s| if *s { stop() } else { plain() }).collect();
        let mut list = started(&steps);
        for (place, deed) in deeds {
            list = attempt(&list, place, deed).unwrap_or(list);
            let mut after_stop = list.steps.iter().skip_while(|step| !step.blocks()).skip(1);
            prop_assert!(after_stop.all(|step| step.state == Pending));
            let mut before = list.steps.iter().take_while(|step| !step.blocks());
            prop_assert!(before.all(|step| step.state != Pending));
            let settled = list.steps.iter().all(SopRunStep::is_settled);
            prop_assert_eq!(list.run.state.is_completed(), settled);
            let flawless = list.steps.iter().all(|step| step.state == Done);
            prop_assert_eq!(list.run.state == SopRunState::Completed, flawless);
            let full = list.run.adherence_bp.is_some_and(|share| share.get() == 10_000);
            prop_assert_eq!(full, flawless);
        }
    }
}
