//! The story of a gesture, told by the rules alone.

use super::*;
use crate::{
    allowances::{
        accounts::EntryKind,
        authority::Authority,
        examples::{at, fen, id, limit, lot, minor, promised_account, purse},
        ledger::{Posting, Purse},
    },
    event::Event,
    identity::{Actor, Role},
    refusal::Refusal,
    tenancy::EscalationHours,
};

const NOW: &str = "2026-06-01T00:00:00Z";

fn clerk() -> Actor {
    Actor::Staff { id: id(11), rank: Rank::CLERK }
}

fn manager() -> Actor {
    Actor::Staff { id: id(12), rank: Rank::MANAGER }
}

fn authority() -> Authority {
    let limits = vec![limit(Role::Clerk, 50, None), limit(Role::Manager, 200, None)];
    Authority { limits, ..Authority::default() }
}

/// The clerk asks for a gift of `estimate` to customer 7, who has 300.
fn asked(estimate: Money) -> Asked {
    Asked {
        id: id(1),
        request: GestureRequest {
            customer_id: id(7),
            complaint_id: None,
            kind: GestureKind::Gift,
            problem_solved: Prose::new("The filter was late and the family bought water.").unwrap(),
            currency: estimate.currency,
            estimate_minor: estimate.amount,
            requester_id: None,
        },
        requester: Requester { id: id(11), role: Role::Clerk, dealer_id: Some(id(3)) },
        by: clerk(),
        customer_dealer_id: Some(id(3)),
        complaint_customer_id: None,
    }
}

fn asks(estimate: i64) -> Result<GestureDecision, Refusal> {
    Gesture::ask(asked(fen(estimate)), purse(300), &authority(), at(NOW))
}

/// The gesture as it stands after the clerk asked for it, and the purse it is paid from.
fn waiting(estimate: i64) -> (Gesture, Purse) {
    (asks(estimate).unwrap().change.record, promising(estimate, 300))
}

fn approved(estimate: i64) -> (Gesture, Purse) {
    let (gesture, purse) = waiting(estimate);
    if gesture.state == GestureState::Approved {
        return (gesture, purse);
    }
    (gesture.approve(ballot(manager()), &authority(), at(NOW)).unwrap().change.record, purse)
}

/// Customer 7 has `balance`, and `held` of it is promised.
fn promising(held: i64, balance: i64) -> Purse {
    Purse { accounts: vec![promised_account(held, balance)], lots: vec![lot(1, balance, None)] }
}

fn ballot(by: Actor) -> Ballot {
    Ballot { id: id(5), by, rank: by.rank(), comment: None }
}

fn bill(actual: i64) -> Bill {
    Bill { actual_minor: minor(actual), role: Role::Clerk }
}

fn left(posting: &Posting) -> (Minor, Minor) {
    (posting.account.balance_minor, posting.account.held_minor)
}

#[test]
fn a_clerk_gives_up_to_the_limit_and_the_money_is_held_at_once() {
    let decision = asks(50).unwrap();
    assert!(decision.change.is_new);
    assert_eq!(decision.change.record.state, GestureState::Approved);
    assert_eq!(decision.change.record.required_rank, None);
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(50)));
    let (gesture, expires_at) = (id(1), at("2026-06-15T00:00:00Z"));
    assert_eq!(decision.change.events, [(Event::GestureDue { gesture }, Some(expires_at))]);
}

#[test]
fn one_fen_beyond_the_limit_waits_for_the_manager() {
    let decision = asks(51).unwrap();
    let gesture = decision.change.record;
    assert_eq!(gesture.state, GestureState::PendingApproval);
    assert_eq!(gesture.beyond, Some(BeyondLimit::PerRequest));
    assert_eq!(gesture.required_rank, Some(Rank::MANAGER));
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(51)));
    let (gesture, expires_at) = (gesture.id, at("2026-06-04T00:00:00Z"));
    assert_eq!(decision.change.events, [(Event::GestureDue { gesture }, Some(expires_at))]);
}

#[test]
fn a_gesture_that_cannot_be_paid_or_granted_is_refused() {
    let code = |decision: Result<GestureDecision, Refusal>| decision.unwrap_err().rule.code;
    assert_eq!(code(asks(301)), "insufficient_allowance");
    assert!(asks(200).is_ok());
    assert_eq!(code(asks(201)), "beyond_all_authority");
    let dollars = asked(Money { amount: minor(1), currency: Currency::USD });
    let decision = Gesture::ask(dollars, purse(300), &authority(), at(NOW));
    assert_eq!(code(decision), "mixed_currency");
}

#[test]
fn what_costs_nothing_needs_neither_allowance_nor_authority() {
    let nobodys = Authority::default();
    let decision = Gesture::ask(asked(fen(0)), Purse::default(), &nobodys, at(NOW)).unwrap();
    assert_eq!(decision.posting, None);
    let gesture = decision.change.record;
    assert_eq!(gesture.state, GestureState::Approved);
    let done = gesture.fulfil(bill(0), Purse::default(), &nobodys, at(NOW)).unwrap();
    assert_eq!(done.posting, None);
    assert_eq!(done.change.record.actual_minor, Some(minor(0)));
}

#[test]
fn people_give_to_customers_of_their_own_dealer_about_their_own_complaints() {
    let ask = |asked| Gesture::ask(asked, purse(300), &authority(), at(NOW));
    let elsewhere = Asked { customer_dealer_id: Some(id(4)), ..asked(fen(10)) };
    assert_eq!(ask(elsewhere).unwrap_err().rule.code, "other_dealers_customer");
    let nobodys = Asked { customer_dealer_id: None, ..asked(fen(10)) };
    assert_eq!(ask(nobodys).unwrap().change.record.dealer_id, Some(id(3)));
    let complaint = |of| Asked { complaint_customer_id: Some(id(of)), ..asked(fen(10)) };
    assert!(ask(complaint(7)).is_ok());
    assert_eq!(ask(complaint(8)).unwrap_err().rule.code, "other_customers_complaint");
}

#[test]
fn a_program_names_the_person_and_a_person_only_themselves() {
    let key = Actor::Key(id(1));
    assert_eq!(requester(key, Some(id(11))), Ok(id(11)));
    assert_eq!(requester(key, None).unwrap_err().rule.code, "requester_not_named");
    assert_eq!(requester(clerk(), None), Ok(id(11)));
    assert_eq!(requester(clerk(), Some(id(11))), Ok(id(11)));
    assert_eq!(requester(clerk(), Some(id(12))).unwrap_err().rule.code, "asks_for_another");
}

#[test]
fn somebody_else_of_enough_authority_approves() {
    let (gesture, _) = waiting(100);
    let approve = |by| gesture.clone().approve(ballot(by), &authority(), at(NOW));
    assert_eq!(approve(clerk()).unwrap_err().rule.code, "own_gesture");
    let colleague = Actor::Staff { id: id(13), rank: Rank::CLERK };
    assert_eq!(approve(colleague).unwrap_err().rule.code, "beyond_authority");
    let decision = approve(manager()).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Approved);
    assert_eq!(decision.change.record.expires_at, Some(at("2026-06-15T00:00:00Z")));
    assert_eq!(decision.approval.unwrap().rank, Rank::MANAGER);
    let again = decision.change.record.approve(ballot(manager()), &authority(), at(NOW));
    assert_eq!(again.unwrap_err().rule.code, "illegal_transition");
}

#[test]
fn a_program_that_asked_in_a_persons_name_does_not_decide_and_neither_does_the_person() {
    let program = Actor::Key(id(1));
    let named = Asked { by: program, ..asked(fen(100)) };
    let gesture = Gesture::ask(named, purse(300), &authority(), at(NOW)).unwrap().change.record;
    assert_eq!(gesture.asked_by, program.to_string());
    assert_eq!(gesture.requester_id, id(11));
    let ballot = |by| Ballot { rank: Rank::MANAGER, ..ballot(by) };
    for own in [program, clerk()] {
        let refusal = gesture.clone().approve(ballot(own), &authority(), at(NOW)).unwrap_err();
        assert_eq!(refusal.rule.code, "own_gesture");
        assert_eq!(refusal.facts["asked_by"], program.to_string());
        let refusal = gesture.clone().reject(ballot(own), promising(100, 300), at(NOW));
        assert_eq!(refusal.unwrap_err().rule.code, "own_gesture");
    }
    for other in [manager(), Actor::Key(id(2))] {
        let decision = gesture.clone().approve(ballot(other), &authority(), at(NOW)).unwrap();
        assert_eq!(decision.approval.unwrap().asked_by, program.to_string());
    }
}

#[test]
fn authority_is_judged_when_the_decision_is_made() {
    let (gesture, _) = waiting(100);
    let limits = vec![limit(Role::Manager, 100, Some(150))];
    let given = |granted| Authority {
        limits: limits.clone(),
        granted_minor: minor(granted),
        ..Authority::default()
    };
    assert!(gesture.clone().approve(ballot(manager()), &given(50), at(NOW)).is_ok());
    let refusal = gesture.approve(ballot(manager()), &given(51), at(NOW)).unwrap_err();
    assert_eq!(refusal.facts["beyond"], "per_customer_month");
}

#[test]
fn nobody_decides_on_a_gesture_whose_time_is_over() {
    let (gesture, purse) = waiting(100);
    let (last, over) = ("2026-06-03T23:59:59Z", "2026-06-04T00:00:00Z");
    let approve = |now| gesture.clone().approve(ballot(manager()), &authority(), at(now));
    assert!(approve(last).is_ok());
    let refusal = approve(over).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["expired_at"]),
        ("gesture_expired", &over.into())
    );
    let reject = |now| gesture.clone().reject(ballot(manager()), purse.clone(), at(now));
    assert!(reject(last).is_ok());
    assert_eq!(reject(over).unwrap_err().rule.code, "gesture_expired");
}

/// A clerk, a manager, an owner and the brand, all but the clerk with a limit that covers 100.
fn ladder() -> Authority {
    let mut authority = authority();
    authority.limits.extend([Role::Owner, Role::BrandAdmin].map(|role| limit(role, 500, None)));
    authority
}

/// What the clerk asked for under [`ladder`], and nobody has decided.
fn undecided() -> Gesture {
    Gesture::ask(asked(fen(100)), purse(300), &ladder(), at(NOW)).unwrap().change.record
}

#[test]
fn what_a_rank_does_not_decide_in_a_day_goes_up_to_the_next() {
    let gesture = undecided();
    let (first, second) = (at("2026-06-02T00:00:00Z"), at("2026-06-03T00:00:00Z"));
    assert_eq!(gesture.escalates_at, Some(first));
    assert_eq!(gesture.clone().escalate(&ladder(), at("2026-06-01T23:59:59Z")), None);
    let change = gesture.escalate(&ladder(), first).unwrap().change;
    assert_eq!((change.action, &change.facts["from_rank"]), ("escalate", &30.into()));
    assert_eq!(change.facts["to_rank"], 40);
    let due = Event::GestureEscalationDue { gesture: id(1) };
    assert_eq!(change.events, [(due, Some(second))]);
    let gesture = change.record;
    assert_eq!((gesture.state, gesture.approval_step), (GestureState::PendingApproval, 2));
    assert_eq!(
        gesture.expires_at,
        Some(at("2026-06-04T00:00:00Z")),
        "it has no more time for that"
    );
    let last = gesture.escalate(&ladder(), second).unwrap().change;
    assert_eq!(last.record.required_rank, Some(Rank::BRAND));
    assert_eq!((last.record.escalates_at, last.events), (None, vec![]));
    assert_eq!(last.record.escalate(&ladder(), second), None);
}

#[test]
fn an_escalated_gesture_is_the_higher_ranks_to_decide() {
    let due = at("2026-06-02T00:00:00Z");
    let gesture = undecided().escalate(&ladder(), due).unwrap().change.record;
    let approve = |by| gesture.clone().approve(ballot(by), &ladder(), due);
    let refusal = approve(manager()).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["required_rank"]),
        ("gesture_escalated", &40.into())
    );
    let reject = gesture.clone().reject(ballot(manager()), promising(100, 300), due);
    assert_eq!(reject.unwrap_err().rule.code, "gesture_escalated");
    let owner = Actor::Staff { id: id(14), rank: Rank::OWNER };
    let decision = approve(owner).unwrap();
    assert_eq!(decision.approval.unwrap().step, 2);
    assert_eq!(decision.change.record.escalates_at, None);
    assert_eq!(decision.change.record.escalate(&ladder(), due), None);
}

#[test]
fn there_is_no_escalation_without_a_higher_rank_or_before_it_expires() {
    assert_eq!(waiting(100).0.escalates_at, None, "nobody above the manager has a limit");
    let at_the_end = EscalationHours::new(72).unwrap();
    let patient = Authority { escalation_hours: at_the_end, ..ladder() };
    let gesture = Gesture::ask(asked(fen(100)), purse(300), &patient, at(NOW)).unwrap();
    assert_eq!(gesture.change.record.escalates_at, None);
    assert_eq!(undecided().escalate(&ladder(), at("2026-06-04T00:00:00Z")), None);
}

#[test]
fn nobody_carries_out_a_gesture_whose_time_is_over() {
    let (gesture, purse) = approved(50);
    let fulfil = |now| gesture.clone().fulfil(bill(50), purse.clone(), &authority(), at(now));
    assert!(fulfil("2026-06-14T23:59:59Z").is_ok());
    let refusal = fulfil("2026-06-15T00:00:00Z").unwrap_err();
    assert_eq!(refusal.rule.code, "gesture_expired");
    assert_eq!(refusal.facts["state"], "approved");
}

#[test]
fn a_rejected_gesture_gives_the_money_back() {
    let (gesture, purse) = waiting(100);
    let own = gesture.clone().reject(ballot(clerk()), purse.clone(), at(NOW));
    assert_eq!(own.unwrap_err().rule.code, "own_gesture");
    let decision = gesture.reject(ballot(manager()), purse, at(NOW)).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Rejected);
    assert_eq!(decision.change.record.expires_at, None);
    assert_eq!(decision.approval.unwrap().decision, ApprovalDecision::Rejected);
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(0)));
}

#[test]
fn a_gesture_is_paid_and_what_was_held_beyond_is_released() {
    let (gesture, purse) = approved(50);
    let decision = gesture.fulfil(bill(40), purse, &authority(), at(NOW)).unwrap();
    let posting = decision.posting.unwrap();
    assert_eq!(left(&posting), (minor(260), minor(0)));
    let kinds: Vec<_> = posting.movements.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [EntryKind::Capture, EntryKind::Release]);
    assert_eq!(decision.change.record.actual_minor, Some(minor(40)));
    let again = decision.change.record.cancel(clerk(), Purse::default(), at(NOW));
    assert_eq!(again.unwrap_err().facts["allowed_transitions"], serde_json::json!([]));
}

#[test]
fn a_higher_cost_needs_authority_for_the_whole_and_money_for_the_rest() {
    let fulfil = |estimate, actual| {
        let (gesture, purse) = approved(estimate);
        gesture.fulfil(bill(actual), purse, &authority(), at(NOW))
    };
    assert_eq!(left(&fulfil(30, 50).unwrap().posting.unwrap()), (minor(250), minor(0)));
    assert_eq!(fulfil(30, 51).unwrap_err().rule.code, "beyond_authority");
    assert!(fulfil(100, 100).is_ok(), "what a manager approved needs no authority any more");
    let (gesture, _) = approved(30);
    let poor = promising(30, 45);
    let refusal = gesture.fulfil(bill(50), poor, &authority(), at(NOW)).unwrap_err();
    assert_eq!(refusal.rule.code, "insufficient_allowance");
}

#[test]
fn the_requester_or_a_manager_calls_it_off() {
    let (gesture, purse) = approved(50);
    let cancel = |by| gesture.clone().cancel(by, purse.clone(), at(NOW));
    let colleague = Actor::Staff { id: id(13), rank: Rank::CLERK };
    assert_eq!(cancel(colleague).unwrap_err().rule.code, "anothers_gesture");
    for by in [clerk(), manager(), Actor::Key(id(1))] {
        let decision = cancel(by).unwrap();
        assert_eq!(decision.change.record.state, GestureState::Cancelled);
        assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(0)));
    }
}

#[test]
fn a_gesture_expires_at_its_instant_and_once() {
    let (gesture, purse) = waiting(100);
    let before = gesture.clone().lapse(purse.clone(), at("2026-06-03T23:59:59Z"));
    assert_eq!(before, Ok(None));
    let decision = gesture.lapse(purse, at("2026-06-04T00:00:00Z")).unwrap().unwrap();
    assert_eq!(decision.change.record.state, GestureState::Expired);
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(0)));
    let again = decision.change.record.lapse(Purse::default(), at("2026-07-01T00:00:00Z"));
    assert_eq!(again, Ok(None));
}
