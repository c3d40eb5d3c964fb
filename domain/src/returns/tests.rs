use super::*;
use crate::{
    change::Change,
    complaints::{Remedy, RemedyDetails, RemedyState},
    event::{Awaited, Event},
    findings::FindingKind,
    identity::{Actor, Rank},
    orders::Quantity,
    refusal::ILLEGAL_TRANSITION,
    time::Zone,
};
use uuid::Uuid;

fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn person(number: u128, rank: Rank) -> Actor {
    Actor::Staff { id: id(number), rank }
}

fn pieces(quantity: u32) -> Quantity {
    Quantity::new(quantity).unwrap()
}

fn remedy(kind: RemedyKind, mandatory: bool) -> Remedy {
    Remedy {
        id: id(1),
        complaint_id: id(2),
        resolution_no: 1,
        customer_id: id(3),
        dealer_id: Some(id(4)),
        details: RemedyDetails { kind, amount: None, note: None },
        mandatory,
        state: RemedyState::Due,
        gesture_id: None,
        settled_at: None,
        created_at: now(),
        version: Version::FIRST,
    }
}

fn goods(quantities: &[u32]) -> Vec<RmaLineDetails> {
    let line = |quantity: &u32| RmaLineDetails {
        asset_id: None,
        item: Some("Shoes".parse().unwrap()),
        quantity: pieces(*quantity),
    };
    quantities.iter().map(line).collect()
}

fn asked(mode: RmaMode, quantities: &[u32]) -> RmaDetails {
    RmaDetails { remedy_id: id(1), mode, replacement_item: None, lines: goods(quantities) }
}

fn known(remedy: &Remedy) -> RmaKnown<'_> {
    RmaKnown { remedy, open: None, was_rejected: false }
}

fn opened(remedy: &Remedy, details: RmaDetails) -> Rma {
    let owners = vec![None; details.lines.len()];
    Rma::open(id(9), details, known(remedy), &owners, now()).unwrap().record
}

/// A return that waits for its goods.
fn awaited(mandatory: bool, quantities: &[u32]) -> Rma {
    let remedy = remedy(RemedyKind::Replacement, mandatory);
    let rma = opened(&remedy, asked(RmaMode::WithReturn, quantities));
    let rma = if mandatory { rma } else { authorised(rma) };
    rma.proceed().unwrap().record
}

fn authorised(rma: Rma) -> Rma {
    rma.authorise(person(5, Rank::MANAGER), now()).unwrap().record
}

fn came(lines: &[(u32, u32)], nothing_more: bool) -> RmaReceipt {
    let line = |(number, quantity): &(u32, u32)| RmaLineReceived {
        number: *number,
        quantity: pieces(*quantity),
    };
    RmaReceipt { lines: lines.iter().map(line).collect(), nothing_more }
}

fn found(results: &[(u32, InspectionResult)]) -> RmaInspection {
    let line = |(number, result): &(u32, InspectionResult)| RmaLineInspected {
        number: *number,
        result: *result,
        note: None,
        disposition: RmaDisposition::Scrap,
    };
    RmaInspection { lines: results.iter().map(line).collect() }
}

fn code(refused: Result<Change<Rma>, crate::refusal::Refusal>) -> &'static str {
    refused.unwrap_err().rule.code
}

#[test]
fn a_manager_authorises_and_a_confirmed_defect_does_by_itself() {
    let rma = opened(&remedy(RemedyKind::Repair, false), asked(RmaMode::WithReturn, &[1]));
    assert_eq!(rma.state, RmaState::Opened);
    let clerk = rma.clone().authorise(person(5, Rank::CLERK), now());
    assert_eq!(code(clerk), "rma_needs_manager");
    let change = rma.authorise(person(5, Rank::MANAGER), now()).unwrap();
    let due_at = now().plus_days(30);
    assert_eq!(change.record.return_due_at, Some(due_at));
    assert_eq!(
        change.events,
        [(Event::AwaitedDue { awaited: Awaited::Return(id(9)) }, Some(due_at))]
    );

    let mandatory = remedy(RemedyKind::Replacement, true);
    let details = asked(RmaMode::AdvanceReplacement, &[1]);
    let change = Rma::open(id(9), details, known(&mandatory), &[None], now()).unwrap();
    assert!(change.is_new);
    assert_eq!((change.action, change.record.state), ("create", RmaState::Authorised));
    assert_eq!(change.record.authorised_by, None);
    assert_eq!(change.events.len(), 1);

    // What was found to have no defect once is looked at by a manager before it is tried again.
    let again = RmaKnown { was_rejected: true, ..known(&mandatory) };
    let details = asked(RmaMode::WithReturn, &[1]);
    let change = Rma::open(id(9), details, again, &[None], now()).unwrap();
    assert_eq!(change.record.state, RmaState::Opened);
    assert!(change.record.mandatory);
}

#[test]
fn a_return_carries_out_a_due_remedy_that_has_to_do_with_goods_once() {
    let open = |remedy: &Remedy, other: Option<&Rma>, details: RmaDetails| {
        let known = RmaKnown { open: other, ..known(remedy) };
        code(Rma::open(id(9), details, known, &[None], now()))
    };
    let due = remedy(RemedyKind::Refund, false);
    let done = due.clone().complete(now()).unwrap().record;
    let plain = || asked(RmaMode::WithReturn, &[1]);
    assert_eq!(open(&done, None, plain()), "remedy_settled");
    let education = remedy(RemedyKind::Education, false);
    assert_eq!(open(&education, None, plain()), "remedy_needs_no_return");
    let other = opened(&due, plain());
    assert_eq!(open(&due, Some(&other), plain()), "rma_open_already");
    assert_eq!(Rma::must_be_over(Some(&other)).unwrap_err().rule.code, "rma_open_already");
    assert!(Rma::must_be_over(None).is_ok());
    let advance = asked(RmaMode::AdvanceReplacement, &[1]);
    assert_eq!(open(&due, None, advance), "only_for_replacement");
    let exchange = RmaDetails { replacement_item: Some("Boots".parse().unwrap()), ..plain() };
    assert_eq!(open(&due, None, exchange.clone()), "only_for_replacement");
    assert!(opened(&remedy(RemedyKind::Replacement, false), exchange).replacement_item.is_some());
}

#[test]
fn lines_name_goods_of_the_customer_s_own_and_an_asset_is_one_piece() {
    let due = remedy(RemedyKind::Refund, false);
    let asset = |number: u128, quantity: u32| RmaLineDetails {
        asset_id: Some(id(number)),
        item: None,
        quantity: pieces(quantity),
    };
    let open = |lines: Vec<RmaLineDetails>, owner: u128| {
        let owners = vec![Some(id(owner)); lines.len()];
        let details = RmaDetails { lines, ..asked(RmaMode::WithReturn, &[]) };
        Rma::open(id(9), details, known(&due), &owners, now())
    };
    assert_eq!(code(open(Vec::new(), 3)), "rma_without_lines");
    assert_eq!(code(open((0..21).map(|at| asset(at, 1)).collect(), 3)), "too_many_rma_lines");
    assert!(open((0..20).map(|at| asset(at, 1)).collect(), 3).is_ok());
    assert_eq!(code(open(vec![asset(7, 1)], 8)), "rma_asset_of_another");
    assert_eq!(code(open(vec![asset(7, 2)], 3)), "rma_quantity_exceeded");
    assert_eq!(code(open(vec![asset(7, 1), asset(7, 1)], 3)), "rma_quantity_exceeded");
    let nothing = RmaLineDetails { asset_id: None, ..asset(7, 1) };
    let both = RmaLineDetails { item: Some("Shoes".parse().unwrap()), ..asset(7, 1) };
    for line in [nothing, both] {
        assert_eq!(code(open(vec![line], 3)), "rma_line_unnamed");
    }
}

#[test]
fn goods_come_in_parts_and_never_more_than_there_are() {
    let rma = awaited(false, &[2, 1]);
    let receive = |rma: &Rma, receipt: &RmaReceipt| rma.clone().receive(receipt, now());
    assert_eq!(code(receive(&rma, &came(&[], false))), "nothing_received");
    assert_eq!(code(receive(&rma, &came(&[], true))), "nothing_received");
    assert_eq!(code(receive(&rma, &came(&[(3, 1)], false))), "rma_line_unknown");
    assert_eq!(code(receive(&rma, &came(&[(1, 3)], false))), "rma_quantity_exceeded");
    let partly = receive(&rma, &came(&[(1, 1)], false)).unwrap().record;
    assert_eq!(partly.state, RmaState::AwaitingReturn);
    assert_eq!(partly.lines[0].state, RmaLineState::PartlyReceived);
    assert_eq!(code(receive(&partly, &came(&[(1, 2)], false))), "rma_quantity_exceeded");
    assert_eq!(code(partly.clone().cancel()), "goods_received");
    let whole = receive(&partly, &came(&[(1, 1), (2, 1)], false)).unwrap().record;
    assert_eq!((whole.state, whole.received_at), (RmaState::Received, Some(now())));
    let rest_stays = receive(&partly, &came(&[], true)).unwrap().record;
    assert_eq!(rest_stays.state, RmaState::Received);
    assert_eq!(rest_stays.lines[0].state, RmaLineState::Received);
    assert_eq!(rest_stays.lines[1].disposition, Some(RmaDisposition::KeptByCustomer));
}

#[test]
fn an_inspection_looks_at_everything_and_a_rejection_takes_a_second_person() {
    let rma = awaited(false, &[1, 1]).receive(&came(&[(1, 1), (2, 1)], false), now());
    let rma = rma.unwrap().record;
    let (inspector, manager) = (person(5, Rank::MANAGER), person(6, Rank::MANAGER));
    let inspect = |results: &[_]| rma.clone().inspect(found(results), inspector, now());
    let (stands, none) = (InspectionResult::DefectConfirmed, InspectionResult::DefectDisproved);
    assert_eq!(code(inspect(&[(1, none)])), "inspection_incomplete");
    assert_eq!(code(inspect(&[(1, none), (1, none)])), "rma_line_unknown");
    let because = || RmaRejection { reason: "Worn, not broken.".parse().unwrap() };
    let mixed = inspect(&[(1, none), (2, stands)]).unwrap().record;
    assert_eq!(code(mixed.reject(because(), manager)), "defect_not_disproved");
    let disproved = inspect(&[(1, none), (2, none)]).unwrap().record;
    let reject = |actor| disproved.clone().reject(because(), actor);
    assert_eq!(code(reject(inspector)), "rejection_needs_second_person");
    assert_eq!(code(reject(Actor::Key(id(7)))), "rejection_needs_second_person");
    assert_eq!(code(reject(person(6, Rank::CLERK))), "rma_needs_manager");
    assert_eq!(reject(manager).unwrap().record.state, RmaState::Rejected);
    assert_eq!(code(disproved.clone().inspect(found(&[]), manager, now())), "illegal_transition");

    // What a program has inspected nobody rejects before a person has inspected it, too.
    let both = || found(&[(1, none), (2, none)]);
    let by_program = rma.clone().inspect(both(), Actor::Key(id(7)), now()).unwrap().record;
    assert_eq!(
        code(by_program.clone().reject(because(), manager)),
        "rejection_needs_second_person"
    );
    let anew = by_program.inspect(both(), inspector, now()).unwrap().record;
    assert_eq!(anew.reject(because(), manager).unwrap().record.state, RmaState::Rejected);
}

#[test]
fn settling_completes_the_remedy_unless_it_was_done_before() {
    let due = remedy(RemedyKind::Refund, false);
    let rma = authorised(opened(&due, asked(RmaMode::WithoutReturn, &[1])));
    assert_eq!(rma.return_due_at, None);
    let rma = rma.proceed().unwrap().record;
    assert_eq!(rma.state, RmaState::Refunding);
    assert_eq!(rma.lines[0].disposition, Some(RmaDisposition::KeptByCustomer));
    let (settled, done) = rma.clone().settle(due.clone(), now()).unwrap();
    assert_eq!(settled.record.state, RmaState::Settled);
    let done = done.unwrap().record;
    assert_eq!(done.state, RemedyState::Done);
    assert!(rma.clone().settle(done, now()).unwrap().1.is_none());
    for state in [RemedyState::Waived, RemedyState::Replaced] {
        let over = Remedy { state, ..due.clone() };
        let refused = rma.clone().settle(over, now()).unwrap_err();
        assert_eq!(refused.rule, &REMEDY_SETTLED);
        assert_eq!(refused.facts["remedy_state"], serde_json::json!(state));
    }
    assert_eq!(settled.record.close(now()).unwrap().record.state, RmaState::Closed);
}

#[test]
fn a_replacement_in_advance_is_sent_before_the_goods_come_back() {
    let due = remedy(RemedyKind::Replacement, false);
    let rma = authorised(opened(&due, asked(RmaMode::AdvanceReplacement, &[1])));
    let replacing = rma.proceed().unwrap().record;
    let early = replacing.clone().settle(due.clone(), now()).unwrap_err();
    assert_eq!(early.rule, &ILLEGAL_TRANSITION);
    assert_eq!(early.facts["allowed_transitions"], serde_json::json!(["send"]));
    let later = now().plus_days(3);
    let sent = replacing.send(later).unwrap();
    let due_at = later.plus_days(30);
    assert_eq!(
        sent.events,
        [(Event::AwaitedDue { awaited: Awaited::Return(id(9)) }, Some(due_at))]
    );
    let sent = sent.record;
    // The old goods may never come: then there is nothing to inspect, and nothing to reject.
    let nothing = sent.clone().receive(&came(&[], true), now()).unwrap().record;
    assert_eq!(nothing.state, RmaState::Received);
    assert_eq!(nothing.lines[0].state, RmaLineState::NotReturned);
    let none = found(&[]);
    assert_eq!(code(nothing.clone().inspect(none, Actor::Worker, now())), "illegal_transition");
    assert!(nothing.settle(due.clone(), now()).unwrap().1.is_some());
    assert_eq!(code(sent.clone().receive(&came(&[], false), now())), "nothing_received");

    assert_eq!(sent.clone().come_due(Zone::UTC, now().plus_days(30)), None);
    assert_eq!(sent.state, RmaState::AwaitingReturn);
    assert_eq!(code(sent.clone().cancel()), "goods_received");
    let received = sent.receive(&came(&[(1, 1)], false), now()).unwrap().record;
    // What is there already is not rejected any more.
    let disproved = found(&[(1, InspectionResult::DefectDisproved)]);
    let inspected = received.inspect(disproved, person(5, Rank::CLERK), now()).unwrap().record;
    let because = RmaRejection { reason: "Worn, not broken.".parse().unwrap() };
    let rejected = inspected.clone().reject(because, person(6, Rank::MANAGER));
    assert_eq!(code(rejected), "illegal_transition");
    assert!(inspected.settle(due, now()).unwrap().1.is_some());
}

#[test]
fn what_nobody_needs_any_more_expires_and_what_is_owed_does_not() {
    let zone = Zone::UTC;
    let (early, due) = (now().plus_days(30).plus_seconds(-1), now().plus_days(30));
    let rma = awaited(false, &[2]);
    assert_eq!(rma.clone().come_due(zone, early), None);
    let Some(RmaOverdue::Expired(expired)) = rma.clone().come_due(zone, due) else {
        panic!("it did not expire");
    };
    assert_eq!(expired.record.state, RmaState::Expired);
    assert_eq!(expired.record.cancel().unwrap().record.state, RmaState::Cancelled);
    let partly = rma.receive(&came(&[(1, 1)], false), now()).unwrap().record;
    for owed in [partly, awaited(true, &[1])] {
        let Some(RmaOverdue::Noticed(finding)) = owed.come_due(zone, due) else {
            panic!("nobody noticed");
        };
        assert_eq!(finding.kind, FindingKind::ReturnOverdue);
        assert_eq!(finding.evidence["outstanding"], 1);
    }
}

#[test]
fn a_return_falls_away_with_its_remedy_while_nothing_has_changed_hands() {
    let due = remedy(RemedyKind::Refund, false);
    let refunding = authorised(opened(&due, asked(RmaMode::WithoutReturn, &[1])));
    let refunding = refunding.proceed().unwrap().record;
    assert_eq!(code(refunding.clone().cancel()), "illegal_transition");
    assert_eq!(refunding.fall_away().unwrap().record.state, RmaState::Cancelled);
    let received = awaited(false, &[1]).receive(&came(&[(1, 1)], false), now()).unwrap().record;
    assert_eq!(code(received.fall_away()), "goods_received");
}
