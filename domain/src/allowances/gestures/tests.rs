//! The story of a gesture, told by the rules alone.

use super::*;
use crate::{
    allowances::{
        accounts::EntryKind,
        authority::{Authority, Capacity, GestureLimit, Granted},
        budgets::{AllowanceBudget, AllowanceBudgetRequest, BudgetTransfer, Budgets},
        examples::{
            self, at, fen, id, limit, lot, means, minor, promised_account, promised_lot, purse,
        },
        guard::GestureRulesDetails,
        ledger::{Posting, Purse},
        lots::LotPurpose,
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
    examples::authority(limits)
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
            interest: GestureInterest::Customer,
            currency: estimate.currency,
            estimate_minor: estimate.amount,
            perceived_value_minor: None,
            service_item_id: None,
            gift_id: None,
            requester_id: None,
        },
        requester: Requester {
            id: id(11),
            role: Role::Clerk,
            dealer_id: Some(id(3)),
            team_id: Some(id(8)),
        },
        by: clerk(),
        customer_dealer_id: Some(id(3)),
        complaint_customer_id: None,
        items: NamedItems::default(),
    }
}

fn asks(estimate: i64) -> Result<GestureDecision, Refusal> {
    Gesture::ask(asked(fen(estimate)), means(purse(300)), &authority(), at(NOW))
}

/// The gesture as it stands after the clerk asked for it, and what it is paid from.
fn waiting(estimate: i64) -> (Gesture, Means) {
    (asks(estimate).unwrap().change.record, promising(estimate, 300))
}

fn approved(estimate: i64) -> (Gesture, Means) {
    let (gesture, means) = waiting(estimate);
    if gesture.state == GestureState::Approved {
        return (gesture, means);
    }
    (
        gesture
            .approve(ballot(manager()), &no_rules(), &authority(), at(NOW))
            .unwrap()
            .change
            .record,
        means,
    )
}

/// Customer 7 has `balance`, and `held` of it is promised.
fn promising(held: i64, balance: i64) -> Means {
    let lots = vec![promised_lot(1, held, balance)];
    means(Purse { accounts: vec![promised_account(held, balance)], lots })
}

fn ballot(by: Actor) -> Ballot {
    let capacities = vec![Capacity { rank: by.rank(), staff_id: by.staff() }];
    Ballot { id: id(5), by, capacities, comment: None }
}

fn bill(actual: i64) -> Bill {
    Bill { actual_minor: minor(actual), role: Role::Clerk, staff_id: id(11) }
}

fn no_rules() -> GestureRulesDetails {
    GestureRulesDetails::none(Currency::CNY)
}

/// The limits that a gesture was beyond.
fn names(gesture: &Gesture) -> Vec<GestureLimit> {
    gesture.failed_limits.iter().map(|failure| failure.limit).collect()
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
    assert_eq!(names(&gesture), [GestureLimit::PerRequest]);
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
    let decision = Gesture::ask(dollars, means(purse(300)), &authority(), at(NOW));
    assert_eq!(code(decision), "mixed_currency");
}

#[test]
fn what_costs_nothing_needs_neither_allowance_nor_authority() {
    let nobodys = examples::authority(Vec::new());
    let nothing = || means(Purse::default());
    let decision = Gesture::ask(asked(fen(0)), nothing(), &nobodys, at(NOW)).unwrap();
    assert_eq!(decision.posting, None);
    let gesture = decision.change.record;
    assert_eq!(gesture.state, GestureState::Approved);
    let done = gesture.fulfil(bill(0), nothing(), &nobodys, at(NOW)).unwrap();
    assert_eq!(done.posting, None);
    assert_eq!(done.change.record.actual_minor, Some(minor(0)));
}

#[test]
fn people_give_to_customers_of_their_own_dealer_about_their_own_complaints() {
    let ask = |asked| Gesture::ask(asked, means(purse(300)), &authority(), at(NOW));
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
    let approve = |by| gesture.clone().approve(ballot(by), &no_rules(), &authority(), at(NOW));
    assert_eq!(approve(clerk()).unwrap_err().rule.code, "own_gesture");
    let colleague = Actor::Staff { id: id(13), rank: Rank::CLERK };
    assert_eq!(approve(colleague).unwrap_err().rule.code, "beyond_authority");
    let decision = approve(manager()).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Approved);
    assert_eq!(decision.change.record.expires_at, Some(at("2026-06-15T00:00:00Z")));
    assert_eq!(decision.approval.unwrap().rank, Rank::MANAGER);
    let again =
        decision.change.record.approve(ballot(manager()), &no_rules(), &authority(), at(NOW));
    assert_eq!(again.unwrap_err().rule.code, "illegal_transition");
}

#[test]
fn a_program_that_asked_in_a_persons_name_does_not_decide_and_neither_does_the_person() {
    let program = Actor::Key(id(1));
    let named = Asked { by: program, ..asked(fen(100)) };
    let gesture =
        Gesture::ask(named, means(purse(300)), &authority(), at(NOW)).unwrap().change.record;
    assert_eq!(gesture.asked_by, program.to_string());
    assert_eq!(gesture.requester_id, id(11));
    let capacities = vec![Capacity { rank: Rank::MANAGER, staff_id: None }];
    let ballot = |by| Ballot { capacities: capacities.clone(), ..ballot(by) };
    for own in [program, clerk()] {
        let refusal =
            gesture.clone().approve(ballot(own), &no_rules(), &authority(), at(NOW)).unwrap_err();
        assert_eq!(refusal.rule.code, "own_gesture");
        assert_eq!(refusal.facts["asked_by"], program.to_string());
        let refusal = gesture.clone().reject(ballot(own), promising(100, 300), at(NOW));
        assert_eq!(refusal.unwrap_err().rule.code, "own_gesture");
    }
    for other in [manager(), Actor::Key(id(2))] {
        let decision =
            gesture.clone().approve(ballot(other), &no_rules(), &authority(), at(NOW)).unwrap();
        assert_eq!(decision.approval.unwrap().asked_by, program.to_string());
    }
}

#[test]
fn nobody_decides_in_the_place_of_the_requester() {
    let (gesture, _) = waiting(100);
    let requesters = Capacity { rank: Rank::MANAGER, staff_id: Some(gesture.requester_id) };
    let own = Capacity { rank: Rank::CLERK, staff_id: Some(id(13)) };
    let colleague = Actor::Staff { id: id(13), rank: Rank::CLERK };
    let cast = |capacities| Ballot { capacities, ..ballot(colleague) };
    let approve =
        |ballot| gesture.clone().approve(ballot, &no_rules(), &authority(), at(NOW)).map(drop);
    let refusal = approve(cast(vec![own, requesters])).unwrap_err();
    assert_eq!(refusal.rule.code, "beyond_authority", "as the clerk that they are");
    let others = Capacity { rank: Rank::MANAGER, staff_id: Some(id(12)) };
    assert_eq!(approve(cast(vec![own, others])), Ok(()));
}

#[test]
fn authority_is_judged_when_the_decision_is_made() {
    let (gesture, _) = waiting(100);
    let limits = vec![limit(Role::Manager, 100, Some(150))];
    let given = |granted| {
        let granted = Granted { customer_month_minor: minor(granted), ..Granted::default() };
        Authority { granted, ..examples::authority(limits.clone()) }
    };
    assert!(gesture.clone().approve(ballot(manager()), &no_rules(), &given(50), at(NOW)).is_ok());
    let refusal = gesture.approve(ballot(manager()), &no_rules(), &given(51), at(NOW)).unwrap_err();
    assert_eq!(refusal.facts["beyond"], serde_json::json!(["per_customer_month"]));
}

#[test]
fn nobody_decides_on_a_gesture_whose_time_is_over() {
    let (gesture, means) = waiting(100);
    let (last, over) = ("2026-06-03T23:59:59Z", "2026-06-04T00:00:00Z");
    let approve =
        |now| gesture.clone().approve(ballot(manager()), &no_rules(), &authority(), at(now));
    assert!(approve(last).is_ok());
    let refusal = approve(over).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["expired_at"]),
        ("gesture_expired", &over.into())
    );
    let reject = |now| gesture.clone().reject(ballot(manager()), means.clone(), at(now));
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
    Gesture::ask(asked(fen(100)), means(purse(300)), &ladder(), at(NOW)).unwrap().change.record
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
    let approve = |by| gesture.clone().approve(ballot(by), &no_rules(), &ladder(), due);
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
    let gesture = Gesture::ask(asked(fen(100)), means(purse(300)), &patient, at(NOW)).unwrap();
    assert_eq!(gesture.change.record.escalates_at, None);
    assert_eq!(undecided().escalate(&ladder(), at("2026-06-04T00:00:00Z")), None);
}

#[test]
fn nobody_carries_out_a_gesture_whose_time_is_over() {
    let (gesture, means) = approved(50);
    let fulfil = |now| gesture.clone().fulfil(bill(50), means.clone(), &authority(), at(now));
    assert!(fulfil("2026-06-14T23:59:59Z").is_ok());
    let refusal = fulfil("2026-06-15T00:00:00Z").unwrap_err();
    assert_eq!(refusal.rule.code, "gesture_expired");
    assert_eq!(refusal.facts["state"], "approved");
}

#[test]
fn a_rejected_gesture_gives_the_money_back() {
    let (gesture, means) = waiting(100);
    let own = gesture.clone().reject(ballot(clerk()), means.clone(), at(NOW));
    assert_eq!(own.unwrap_err().rule.code, "own_gesture");
    let decision = gesture.reject(ballot(manager()), means, at(NOW)).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Rejected);
    assert_eq!(decision.change.record.expires_at, None);
    assert_eq!(decision.approval.unwrap().decision, ApprovalDecision::Rejected);
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(0)));
}

#[test]
fn a_gesture_is_paid_and_what_was_held_beyond_is_released() {
    let (gesture, means) = approved(50);
    let decision = gesture.fulfil(bill(40), means, &authority(), at(NOW)).unwrap();
    let posting = decision.posting.unwrap();
    assert_eq!(left(&posting), (minor(260), minor(0)));
    let kinds: Vec<_> = posting.movements.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [EntryKind::Capture, EntryKind::Release]);
    assert_eq!(decision.change.record.actual_minor, Some(minor(40)));
    let again = decision.change.record.cancel(clerk(), examples::means(Purse::default()), at(NOW));
    assert_eq!(again.unwrap_err().facts["allowed_transitions"], serde_json::json!(["reverse"]));
}

#[test]
fn a_higher_cost_needs_authority_for_the_whole_and_money_for_the_rest() {
    let fulfil = |estimate, actual| {
        let (gesture, means) = approved(estimate);
        gesture.fulfil(bill(actual), means, &authority(), at(NOW))
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
    let (gesture, means) = approved(50);
    let cancel = |by| gesture.clone().cancel(by, means.clone(), at(NOW));
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
    let (gesture, means) = waiting(100);
    let before = gesture.clone().lapse(means.clone(), at("2026-06-03T23:59:59Z"));
    assert_eq!(before, Ok(None));
    let decision = gesture.lapse(means, at("2026-06-04T00:00:00Z")).unwrap().unwrap();
    assert_eq!(decision.change.record.state, GestureState::Expired);
    assert_eq!(left(&decision.posting.unwrap()), (minor(300), minor(0)));
    let again =
        decision.change.record.lapse(examples::means(Purse::default()), at("2026-07-01T00:00:00Z"));
    assert_eq!(again, Ok(None));
}

/// The dealer's budget with so much in it.
fn budget(amount: i64) -> AllowanceBudget {
    let request =
        AllowanceBudgetRequest { dealer_id: Some(id(3)), team_id: None, currency: Currency::CNY };
    let budget = AllowanceBudget::open(id(20), request, Some(id(3)), at(NOW)).record;
    let transfer =
        BudgetTransfer { amount_minor: minor(amount), reason: Line::new("June").unwrap() };
    budget.fund(transfer, id(21)).unwrap().change.record
}

fn under(budget: AllowanceBudget, purse: Purse) -> Means {
    Means { budgets: Budgets::of(vec![budget]), ..means(purse) }
}

#[test]
fn a_gesture_waits_for_a_budget_that_is_short_and_goes_on_by_itself() {
    let ask = |amount| {
        Gesture::ask(asked(fen(50)), under(budget(amount), purse(300)), &authority(), at(NOW))
    };
    let decision = ask(50).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Approved);
    assert_eq!(decision.budgets[0].change.record.held_minor, minor(50));
    let decision = ask(49).unwrap();
    let parked = decision.change.record;
    assert_eq!(
        (parked.state, names(&parked)),
        (GestureState::Parked, vec![GestureLimit::DealerBudget])
    );
    assert_eq!(decision.budgets, [], "it holds nothing of what others could use");
    assert_eq!(
        left(&decision.posting.unwrap()),
        (minor(300), minor(50)),
        "but the customer's is kept"
    );
    let unpark = |amount, now| {
        let budgets = Budgets::of(vec![budget(amount)]);
        parked.clone().unpark((budgets, &no_rules()), &authority(), Role::Clerk, at(now))
    };
    assert_eq!(unpark(49, NOW), None);
    assert_eq!(unpark(50, "2026-06-15T00:00:00Z"), None, "its time is over");
    let decision = unpark(50, NOW).unwrap();
    assert_eq!(
        (decision.change.action, decision.change.record.state),
        ("unpark", GestureState::Approved)
    );
    assert_eq!(decision.change.record.failed_limits, []);
    assert_eq!(decision.budgets[0].change.record.held_minor, minor(50));
    let again = decision.change.record.unpark(
        (Budgets::default(), &no_rules()),
        &authority(),
        Role::Clerk,
        at(NOW),
    );
    assert_eq!(again, None);
}

#[test]
fn a_parked_gesture_that_is_beyond_the_clerk_goes_on_to_the_manager() {
    let means = under(budget(0), purse(300));
    let parked = Gesture::ask(asked(fen(51)), means, &authority(), at(NOW)).unwrap().change.record;
    assert_eq!(names(&parked), [GestureLimit::PerRequest, GestureLimit::DealerBudget]);
    let budgets = Budgets::of(vec![budget(51)]);
    let decision =
        parked.unpark((budgets, &no_rules()), &authority(), Role::Clerk, at(NOW)).unwrap();
    let gesture = decision.change.record;
    assert_eq!(
        (gesture.state, gesture.required_rank),
        (GestureState::PendingApproval, Some(Rank::MANAGER))
    );
    assert_eq!(names(&gesture), [GestureLimit::PerRequest]);
}

#[test]
fn a_gesture_knows_in_which_budgets_it_is_held() {
    let ask = |amount| {
        let means = under(budget(amount), purse(300));
        Gesture::ask(asked(fen(50)), means, &authority(), at(NOW)).unwrap().change.record
    };
    assert_eq!(ask(50).budget_ids, [id(20)]);
    let parked = ask(49);
    assert_eq!(parked.budget_ids, [], "it holds nothing of any");
    let unparked = parked.unpark(
        (Budgets::of(vec![budget(50)]), &no_rules()),
        &authority(),
        Role::Clerk,
        at(NOW),
    );
    assert_eq!(unparked.unwrap().change.record.budget_ids, [id(20)]);
    let held = AllowanceBudget { held_minor: minor(50), available_minor: minor(0), ..budget(50) };
    let means = Means { budgets: Budgets::of(vec![held]), ..promising(50, 300) };
    let decision = ask(50).cancel(clerk(), means, at(NOW)).unwrap();
    assert_eq!(decision.budgets[0].change.record.available_minor, minor(50));
}

#[test]
fn a_cost_beyond_the_estimate_needs_the_budget_too() {
    let (gesture, means) = approved(30);
    let with = |amount: i64| {
        let held = AllowanceBudget {
            held_minor: minor(30),
            available_minor: minor(amount - 30),
            ..budget(amount)
        };
        Means { budgets: Budgets::of(vec![held]), ..means.clone() }
    };
    let fulfil = |amount| gesture.clone().fulfil(bill(50), with(amount), &authority(), at(NOW));
    let paid = fulfil(50).unwrap().budgets.remove(0);
    assert_eq!((paid.movement.balance_change_minor, paid.movement.held_change_minor), (-50, -30));
    let refusal = fulfil(49).unwrap_err();
    assert_eq!(refusal.rule.code, "gesture_over_budget");
    assert_eq!(refusal.facts["asked"]["amount"], 20);
    assert_eq!(refusal.facts["failed_limits"][0]["limit"], "dealer_budget");
}

#[test]
fn a_refusal_lists_every_limit_and_who_may() {
    let rules = GestureRulesDetails {
        most_gift_minor: Some(minor(60)),
        ..GestureRulesDetails::none(Currency::CNY)
    };
    let ask = |estimate, balance| {
        let means = Means { rules: rules.clone(), ..means(purse(balance)) };
        Gesture::ask(asked(fen(estimate)), means, &authority(), at(NOW))
    };
    assert!(ask(60, 300).is_ok());
    let refusal = ask(61, 60).unwrap_err();
    assert_eq!(refusal.rule.code, "insufficient_allowance");
    let limits: Vec<_> = refusal.facts["failed_limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["limit"])
        .collect();
    assert_eq!(limits, ["allowance", "gift_weight", "per_request"]);
    assert_eq!(refusal.facts["required_rank"], 30);
    let refusal = ask(61, 300).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["beyond"]),
        ("heavy_gift", &serde_json::json!(["gift_weight"]))
    );
    let service = |estimate| {
        let mut asked = asked(fen(estimate));
        asked.request.kind = GestureKind::PersonalisedService;
        let means = Means { rules: rules.clone(), ..means(purse(300)) };
        Gesture::ask(asked, means, &authority(), at(NOW))
    };
    assert!(service(200).is_ok());
}

#[test]
fn a_little_more_than_was_approved_is_within_the_tolerance() {
    let rules = GestureRulesDetails {
        tolerance_bp: crate::money::BasisPoints::new(1_000).unwrap(),
        ..GestureRulesDetails::none(Currency::CNY)
    };
    let fulfil = |actual| {
        let (gesture, means) = approved(100);
        gesture.fulfil(bill(actual), Means { rules: rules.clone(), ..means }, &authority(), at(NOW))
    };
    assert!(fulfil(110).is_ok());
    assert_eq!(fulfil(111).unwrap_err().rule.code, "beyond_authority");
}

#[test]
fn a_payment_is_taken_back_by_a_manager_above_who_asked() {
    let (gesture, means) = approved(50);
    let paid = gesture.fulfil(bill(40), means, &authority(), at(NOW)).unwrap();
    let (gesture, posting) = (paid.change.record, paid.posting.unwrap());
    let spent = Purse { accounts: vec![posting.account], lots: posting.drawn };
    let reverse = |by: Actor, requesters| {
        let because = (Line::new("It never arrived.").unwrap(), examples::means(spent.clone()));
        gesture.clone().reverse((by, by.rank()), requesters, because, at(NOW))
    };
    assert_eq!(reverse(clerk(), Rank::CLERK).unwrap_err().rule.code, "own_gesture");
    let colleague = Actor::Staff { id: id(13), rank: Rank::CLERK };
    let refusal = reverse(colleague, Rank::CLERK).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["required_rank"]),
        ("reversal_needs_higher_rank", &30.into())
    );
    assert!(reverse(manager(), Rank::MANAGER).is_err(), "not above who asked");
    let decision = reverse(manager(), Rank::CLERK).unwrap();
    assert_eq!(decision.change.record.state, GestureState::Reversed);
    let posting = decision.posting.unwrap();
    assert_eq!(left(&posting), (minor(300), minor(0)));
    assert_eq!(posting.drawn[0].spent_minor, minor(0));
    let owner = Actor::Staff { id: id(14), rank: Rank::OWNER };
    let because = (Line::new("Again.").unwrap(), examples::means(spent.clone()));
    let again =
        decision.change.record.reverse((owner, owner.rank()), Rank::CLERK, because, at(NOW));
    assert_eq!(again.unwrap_err().rule.code, "illegal_transition");
}

#[test]
fn what_is_kept_for_one_purpose_does_not_pay_for_another() {
    let kept = crate::allowances::lots::AllowanceLot {
        purpose: LotPurpose::Personalised,
        ..lot(1, 300, None)
    };
    let purse = || Purse { accounts: vec![examples::account(300)], lots: vec![kept.clone()] };
    let ask = |kind| {
        let mut asked = asked(fen(50));
        asked.request.kind = kind;
        Gesture::ask(asked, means(purse()), &authority(), at(NOW))
    };
    let refusal = ask(GestureKind::Gift).unwrap_err();
    assert_eq!(
        (refusal.rule.code, &refusal.facts["available"]["amount"]),
        ("insufficient_allowance", &0.into())
    );
    assert_eq!(refusal.facts["account_available"]["amount"], 300);
    assert!(ask(GestureKind::PersonalisedService).is_ok());
}

#[test]
fn a_gift_is_counted_again_when_it_is_approved_released_or_costs_something_after_all() {
    let rules = GestureRulesDetails {
        gifts_per_customer_year: Some(crate::allowances::authority::GestureCount::new(2).unwrap()),
        ..no_rules()
    };
    let given = |gifts_this_year| {
        let granted = Granted { gifts_this_year, ..Granted::default() };
        Authority { granted, ..authority() }
    };
    let approve = |gifts| waiting(100).0.approve(ballot(manager()), &rules, &given(gifts), at(NOW));
    assert!(approve(1).is_ok());
    assert_eq!(approve(2).unwrap_err().rule.code, "gifts_too_often");
    let parked = Gesture::ask(asked(fen(50)), under(budget(0), purse(300)), &authority(), at(NOW));
    let parked = parked.unwrap().change.record;
    let unpark = |gifts| {
        let budgets = Budgets::of(vec![budget(50)]);
        parked.clone().unpark((budgets, &rules), &given(gifts), Role::Clerk, at(NOW))
    };
    assert!(unpark(1).is_some() && unpark(2).is_none());
    let free = |gifts| {
        let gesture =
            Gesture::ask(asked(fen(0)), means(purse(300)), &authority(), at(NOW)).unwrap();
        let means = Means { rules: rules.clone(), ..means(purse(300)) };
        gesture.change.record.fulfil(bill(20), means, &given(gifts), at(NOW))
    };
    assert!(free(1).is_ok());
    assert_eq!(free(2).unwrap_err().rule.code, "gifts_too_often");
}

#[test]
fn a_cost_above_the_estimate_counts_to_the_day_of_who_says_so() {
    let mut clerks = limit(Role::Clerk, 50, None);
    clerks.details.per_day_minor = Some(minor(60));
    let fulfil = |own_day: i64| {
        let granted = Granted { own_day_minor: minor(own_day), ..Granted::default() };
        let authority = Authority { granted, ..examples::authority(vec![clerks.clone()]) };
        let (gesture, means) = approved(1);
        gesture.fulfil(bill(50), means, &authority, at(NOW))
    };
    assert!(fulfil(10).is_ok());
    assert_eq!(fulfil(11).unwrap_err().facts["beyond"], serde_json::json!(["per_day"]));
}
