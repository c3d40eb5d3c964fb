use super::*;
use crate::{
    change::Change,
    event::{Awaited, Event},
    identity::{Actor, Rank, Staff, StaffStatus},
    refusal::Refusal,
    time::Zone,
};
use uuid::Uuid;

fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn person(number: u128) -> Actor {
    Actor::Staff { id: id(number), rank: Rank::CLERK }
}

/// A clerk of a dealer's.
fn staff(number: u128, dealer_id: Option<DealerId>) -> Staff {
    let details = serde_json::json!({"name": "Li", "role": "clerk", "dealer_id": dealer_id});
    Staff {
        id: id(number),
        status: StaffStatus::Active,
        details: serde_json::from_value(details).unwrap(),
        version: Version::FIRST,
        created_at: now(),
    }
}

fn opened() -> CorrectiveAction {
    let details = CorrectiveActionDetails {
        dealer_id: Some(id(4)),
        cause_code: Some("loose_seal".parse().unwrap()),
        complaint_ids: vec![id(2)],
        owner_id: None,
        due_at: None,
    };
    CorrectiveAction::open(id(9), details, person(5), None, now()).unwrap().record
}

fn says(step: CorrectiveStep) -> CorrectiveFilling {
    let is = |wanted| (step == wanted).then_some(());
    CorrectiveFilling {
        step,
        text: "What there is to say.".parse().unwrap(),
        team_ids: is(CorrectiveStep::D1).map(|()| id(5)).into_iter().collect(),
        implemented_on: is(CorrectiveStep::D6).map(|()| "2026-11-22".parse().unwrap()),
        verification_due_on: None,
    }
}

fn fill(
    action: CorrectiveAction,
    step: CorrectiveStep,
) -> Result<Change<CorrectiveAction>, Refusal> {
    action.fill(says(step), person(5), (Zone::UTC, now()))
}

fn filled_to(last: CorrectiveStep) -> CorrectiveAction {
    let steps = CorrectiveStep::ALL.into_iter().filter(|step| *step <= last);
    steps.fold(opened(), |action, step| fill(action, step).unwrap().record)
}

fn code<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> &'static str {
    refused.unwrap_err().rule.code
}

fn worked(effective: bool) -> CorrectiveVerification {
    CorrectiveVerification { effective, note: "What was seen.".parse().unwrap() }
}

#[test]
fn steps_are_filled_in_order_and_lead_on() {
    use CorrectiveActionState as State;
    let reached = [
        (CorrectiveStep::D0, State::InProgress),
        (CorrectiveStep::D2, State::InProgress),
        (CorrectiveStep::D3, State::ContainmentDone),
        (CorrectiveStep::D4, State::RootCauseFound),
        (CorrectiveStep::D6, State::Implementing),
        (CorrectiveStep::D8, State::PendingVerification),
    ];
    for (step, state) in reached {
        assert_eq!(filled_to(step).state, state, "{step:?}");
    }
    let early = fill(filled_to(CorrectiveStep::D0), CorrectiveStep::D3).unwrap_err();
    assert_eq!(early.rule, &D_STEP_TOO_EARLY);
    assert_eq!(early.facts["missing_steps"], serde_json::json!(["d1", "d2"]));
    // A step that is filled anew does not lead back.
    let again = fill(filled_to(CorrectiveStep::D4), CorrectiveStep::D3).unwrap();
    assert_eq!(again.record.state, State::RootCauseFound);
    assert!(fill(filled_to(CorrectiveStep::D7), CorrectiveStep::D4).is_err());
}

#[test]
fn a_step_says_what_belongs_to_it_and_somebody_answers_for_it() {
    let teamless = CorrectiveFilling { team_ids: Vec::new(), ..says(CorrectiveStep::D1) };
    let crowded = CorrectiveFilling { team_ids: vec![id(5)], ..says(CorrectiveStep::D0) };
    let undated = CorrectiveFilling { implemented_on: None, ..says(CorrectiveStep::D6) };
    for filling in [teamless, crowded, undated] {
        assert_eq!(code(opened().fill(filling, person(5), (Zone::UTC, now()))), "d_step_misfilled");
    }
    let nobodys = CorrectiveAction { owner_id: None, ..opened() };
    assert_eq!(code(fill(nobodys, CorrectiveStep::D0)), "corrective_action_unowned");
}

#[test]
fn an_effect_is_verified_a_month_after_the_implementation_or_later() {
    let implementing = filled_to(CorrectiveStep::D5);
    let on = |day: &str| CorrectiveFilling {
        verification_due_on: Some(day.parse().unwrap()),
        ..says(CorrectiveStep::D6)
    };
    let at = (Zone::UTC, now());
    let soon = implementing.clone().fill(on("2026-12-21"), person(5), at);
    assert_eq!(code(soon), "verification_too_soon");
    let month = implementing.fill(on("2026-12-22"), person(5), at).unwrap();
    let due_at: Timestamp = "2026-12-22T00:00:00Z".parse().unwrap();
    assert_eq!(
        month.events,
        [(Event::AwaitedDue { awaited: Awaited::Verification(id(9)) }, Some(due_at))]
    );
    let action = month.record;
    assert_eq!(action.verification_due(Zone::UTC, due_at.plus_seconds(-1)), None);
    assert!(action.verification_due(Zone::UTC, due_at).is_some());
    assert_eq!(opened().verification_due(Zone::UTC, due_at), None);
}

#[test]
fn another_person_than_the_owner_verifies_once_every_step_is_filled() {
    let due_at: Timestamp = "2026-12-22T00:00:00Z".parse().unwrap();
    let incomplete = filled_to(CorrectiveStep::D7);
    assert_eq!(code(incomplete.verify(worked(true), person(6), due_at)), "d_steps_missing");
    let whole = filled_to(CorrectiveStep::D8);
    let verify = |actor, at| whole.clone().verify(worked(true), actor, at);
    assert_eq!(code(verify(person(5), due_at)), "verification_by_another");
    assert_eq!(code(verify(Actor::Key(id(7)), due_at)), "verification_by_another");
    assert_eq!(code(verify(person(6), due_at.plus_seconds(-1))), "verification_not_due");
    let closed = verify(person(6), due_at).unwrap().record;
    assert_eq!((closed.state, closed.effective), (CorrectiveActionState::Closed, Some(true)));
    assert_eq!(code(whole.clone().assign(&staff(6, Some(id(4))))), "illegal_transition");
}

#[test]
fn who_has_had_a_part_in_it_does_not_judge_it() {
    let due_at: Timestamp = "2026-12-22T00:00:00Z".parse().unwrap();
    let at = (Zone::UTC, now());
    // Person 6 answered for it first, 7 was of the first team, 8 of the second, and 10 filled a step.
    let first = opened().assign(&staff(6, Some(id(4)))).unwrap().record;
    let first = fill(first.assign(&staff(5, Some(id(4)))).unwrap().record, CorrectiveStep::D0);
    let team =
        |number: u128| CorrectiveFilling { team_ids: vec![id(number)], ..says(CorrectiveStep::D1) };
    let teamed = first.unwrap().record.fill(team(7), person(5), at).unwrap().record;
    let teamed = teamed.fill(team(8), person(10), at).unwrap().record;
    let rest = CorrectiveStep::ALL.into_iter().filter(|step| *step > CorrectiveStep::D1);
    let whole = rest.fold(teamed, |action, step| fill(action, step).unwrap().record);
    for part in [5, 6, 7, 8, 10] {
        let own = whole.clone().verify(worked(true), person(part), due_at);
        assert_eq!(code(own), "verification_by_another", "{part}");
    }
    assert!(whole.verify(worked(true), person(11), due_at).is_ok());
}

#[test]
fn somebody_answers_for_it_who_can_do_something_about_it() {
    let foreign = opened().assign(&staff(6, Some(id(12)))).unwrap_err();
    assert_eq!(foreign.rule, &CORRECTIVE_ACTION_NOT_FOR_THEM);
    assert!(opened().assign(&staff(6, Some(id(4)))).is_ok());
    let details = || CorrectiveActionDetails {
        dealer_id: Some(id(4)),
        cause_code: None,
        complaint_ids: Vec::new(),
        owner_id: Some(id(6)),
        due_at: None,
    };
    let named = |dealer: u128| details().connect(&[], Some(&staff(6, Some(id(dealer)))));
    assert_eq!(code(named(12)), "corrective_action_not_for_them");
    assert!(named(4).is_ok());
    let crowd = |number: u128| CorrectiveActionDetails {
        complaint_ids: (0..number).map(id).collect(),
        ..details()
    };
    assert!(crowd(100).check_length().is_ok());
    assert_eq!(code(crowd(101).check_length()), "too_many_corrective_sources");
}

#[test]
fn what_did_not_work_is_kept_and_the_root_cause_looked_for_anew() {
    let due_at: Timestamp = "2026-12-22T00:00:00Z".parse().unwrap();
    let whole = filled_to(CorrectiveStep::D8);
    let reopened = whole.verify(worked(false), person(6), due_at).unwrap().record;
    assert_eq!(reopened.state, CorrectiveActionState::Reopened);
    assert!(reopened.steps.d3.is_some() && reopened.steps.d4.is_none());
    assert!(reopened.earlier_attempts[0].steps.d4.is_some());
    assert_eq!(code(fill(reopened.clone(), CorrectiveStep::D5)), "d_step_too_early");
    let found = fill(reopened, CorrectiveStep::D4).unwrap().record;
    assert_eq!(found.state, CorrectiveActionState::RootCauseFound);
}

fn matter(safety: bool) -> CorrectiveMatter {
    let cause_code = Some("loose_seal".parse().unwrap());
    CorrectiveMatter { complaint_id: id(3), dealer_id: Some(id(4)), cause_code, safety }
}

fn considered(same_cause: &[u128]) -> CorrectiveConsidered {
    let same_cause = same_cause.iter().map(|number| id(*number)).collect();
    CorrectiveConsidered { of_cause: None, of_complaint: None, same_cause }
}

#[test]
fn the_third_complaint_of_a_cause_opens_an_action_and_further_ones_join_it() {
    assert_eq!(considered(&[2, 3]).decide(id(9), &matter(false), now()), None);
    let opened = considered(&[1, 2, 3]).decide(id(9), &matter(false), now()).unwrap().record;
    assert_eq!(opened.origin, CorrectiveOrigin::Repetition);
    assert_eq!(opened.complaint_ids, [id(1), id(2), id(3)]);
    assert_eq!(opened.owner_id, None);
    let other = CorrectiveAction { complaint_ids: vec![id(1)], ..opened.clone() };
    let known = CorrectiveConsidered { of_cause: Some(other), ..considered(&[1, 2, 3]) };
    let joined = known.decide(id(8), &matter(true), now()).unwrap().record;
    assert_eq!((joined.id, joined.complaint_ids.clone()), (id(9), vec![id(1), id(3)]));
    let known = CorrectiveConsidered { of_cause: Some(joined), ..considered(&[1, 2, 3]) };
    assert_eq!(known.decide(id(8), &matter(true), now()), None);
}

#[test]
fn a_matter_of_safety_opens_an_action_at_once_and_once() {
    let opened = considered(&[3]).decide(id(9), &matter(true), now()).unwrap().record;
    assert_eq!(opened.origin, CorrectiveOrigin::Safety);
    let known = CorrectiveConsidered { of_complaint: Some(opened), ..considered(&[3]) };
    assert_eq!(known.decide(id(8), &matter(true), now()), None);
}
