use super::*;
use crate::{
    complaints::Superiors,
    event::{Awaited, Event},
    identity::{Actor, Rank},
    orders::{OrderLine, OrderStatus, Quantity, Sale, SalesOrder},
    refusal::Refusal,
    time::Zone,
    working_time::WorkingCalendar,
};
use uuid::Uuid;

fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

/// A Sunday.
fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn minor(amount: i64) -> Minor {
    Minor::new(amount).unwrap()
}

fn sale(status: OrderStatus) -> Sale {
    let order = SalesOrder {
        id: id(1),
        source: crate::text::Source::default(),
        external_id: None,
        customer_id: id(3),
        dealer_id: id(4),
        site_id: None,
        asset_ids: Vec::new(),
        currency: Currency::CNY,
        status,
        paid_on: Some("2026-11-20".parse().unwrap()),
        delivered_on: None,
        refunded_on: None,
        created_at: now(),
        version: Version::FIRST,
    };
    let line = |number: u128| OrderLine {
        id: id(number),
        order_id: id(1),
        product_id: None,
        quantity: Quantity::new(1).unwrap(),
        price_minor: minor(100_000),
        cost_minor: None,
        margin_minor: None,
    };
    Sale { order, lines: vec![line(11), line(12)] }
}

fn asks(deposit: i64, penalty: i64) -> CancellationRequest {
    CancellationRequest {
        order_id: id(1),
        reason: "We move to another city.".parse().unwrap(),
        deposit_minor: minor(deposit),
        penalty_minor: minor(penalty),
    }
}

/// Works from 9 to 18, Monday to Saturday.
fn requested(
    request: CancellationRequest,
    sale: &Sale,
) -> Result<crate::change::Change<CancellationCase>, Refusal> {
    requested_when(request, CancellationKnown { sale, open: None, asked: None })
}

fn requested_when(
    request: CancellationRequest,
    known: CancellationKnown<'_>,
) -> Result<crate::change::Change<CancellationCase>, Refusal> {
    let hours = WorkingCalendar::of_hours(&crate::tenancy::WorkingHours::default(), Zone::UTC);
    CancellationCase::request(id(9), request, known, (&hours, Zone::UTC), (Actor::Worker, now()))
}

fn begun(case: CancellationCase) -> Result<CancellationCase, Refusal> {
    let order = sale(OrderStatus::Paid).order;
    let manager = Actor::Staff { id: id(5), rank: Rank::MANAGER };
    case.begin_refund(&order, None, (manager, now())).map(|change| change.record)
}

fn case(penalty: i64) -> CancellationCase {
    requested(asks(200_000, penalty), &sale(OrderStatus::Paid)).unwrap().record
}

fn code<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> &'static str {
    refused.unwrap_err().rule.code
}

#[test]
fn what_is_paid_and_not_delivered_is_cancelled_within_24_hours_of_work() {
    let change = requested(asks(200_000, 0), &sale(OrderStatus::Paid)).unwrap();
    // Nine hours on Monday, nine on Tuesday, six on Wednesday.
    let due_at: Timestamp = "2026-11-25T15:00:00Z".parse().unwrap();
    assert_eq!(change.record.refund_due_at, due_at);
    assert_eq!(
        change.events,
        [(Event::AwaitedDue { awaited: Awaited::Refund(id(9)) }, Some(due_at))]
    );
    let beyond = requested(asks(200_001, 0), &sale(OrderStatus::Paid)).unwrap_err();
    assert_eq!(beyond.rule.code, "deposit_above_order");
    assert_eq!(beyond.facts["total_minor"], 200_000);
    for status in [OrderStatus::Quoted, OrderStatus::Delivered, OrderStatus::Refunded] {
        assert_eq!(code(requested(asks(1, 0), &sale(status))), "order_not_cancellable");
    }
}

#[test]
fn a_customer_is_asked_to_stay_once() {
    let offer = || RetentionOffer { offer: "A free delivery.".parse().unwrap() };
    let asked = case(0).offer_retention(offer()).unwrap().record;
    assert_eq!(code(asked.clone().offer_retention(offer())), "retention_offered_once");
    assert_eq!(asked.clone().withdraw().unwrap().record.state, CancellationState::Withdrawn);
    let goes = asked.proceed().unwrap().record;
    assert_eq!(code(goes.clone().offer_retention(offer())), "retention_offered_once");
    assert_eq!(goes.clone().withdraw().unwrap().record.state, CancellationState::Withdrawn);
    assert_eq!(code(begun(goes).unwrap().withdraw()), "illegal_transition");
    let goes = case(0).proceed().unwrap().record;
    assert_eq!(code(goes.offer_retention(offer())), "illegal_transition");

    // Who has stayed once, and asks again, is not asked again.
    let sale = sale(OrderStatus::Paid);
    let asked = case(0).offer_retention(offer()).unwrap().record.withdraw().unwrap().record;
    let known = CancellationKnown { sale: &sale, open: None, asked: Some(&asked) };
    let again = requested_when(asks(200_000, 0), known).unwrap().record;
    assert_eq!((again.state, again.retention_attempts), (CancellationState::Requested, 1));
    assert_eq!(again.retention_offer, asked.retention_offer);
    assert_eq!(code(again.offer_retention(offer())), "retention_offered_once");
}

#[test]
fn a_sale_has_one_cancellation_and_a_gesture_that_one_rests_on_stands() {
    let sale = sale(OrderStatus::Paid);
    let case = case(0);
    let known = CancellationKnown { sale: &sale, open: Some(&case), asked: None };
    assert_eq!(code(requested_when(asks(1, 0), known)), "cancellation_open");
    assert_eq!(code(CancellationCase::must_be_over(Some(&case))), "cancellation_open");
    assert!(CancellationCase::must_be_over(None).is_ok());
    assert_eq!(code(CancellationCase::must_not_rest(Some(&case))), "gesture_waived_a_penalty");
    assert!(CancellationCase::must_not_rest(None).is_ok());
}

#[test]
fn a_manager_begins_the_refund_of_what_is_not_delivered() {
    let goes = case(0).proceed().unwrap().record;
    let begin = |status: OrderStatus, actor: Actor| {
        goes.clone().begin_refund(&sale(status).order, None, (actor, now()))
    };
    let person = |rank: Rank| Actor::Staff { id: id(5), rank };
    let clerk = begin(OrderStatus::Paid, person(Rank::CLERK)).unwrap_err();
    assert_eq!(clerk.rule, &REFUND_NEEDS_MANAGER);
    assert!(begin(OrderStatus::Paid, person(Rank::MANAGER)).is_ok());
    assert!(begin(OrderStatus::Paid, Actor::Key(id(7))).is_ok());
    let manager = person(Rank::MANAGER);
    assert_eq!(code(begin(OrderStatus::Delivered, manager)), "order_not_cancellable");
    let refunding = begun(goes.clone()).unwrap();
    let on = "2026-11-22".parse().unwrap();
    let delivered = sale(OrderStatus::Delivered).order;
    assert_eq!(code(refunding.refund(delivered, on, now())), "order_not_cancellable");
}

#[test]
fn the_deposit_is_given_back_in_full_once_no_penalty_stands() {
    let with_penalty = case(1).proceed().unwrap().record;
    assert_eq!(code(begun(with_penalty)), "penalty_not_waived");
    let refunding = begun(case(0).proceed().unwrap().record).unwrap();
    let on = "2026-11-22".parse().unwrap();
    let order = sale(OrderStatus::Paid).order;
    let (refunded, order) = refunding.clone().refund(order, on, now()).unwrap();
    assert_eq!(refunded.record.refund_minor, Some(minor(200_000)));
    let order = order.unwrap();
    assert_eq!(order.events, [(Event::OrderRefunded { order: id(1) }, None)]);
    assert!(refunding.refund(order.record, on, now()).unwrap().1.is_none());
    assert_eq!(refunded.record.close(now()).unwrap().record.state, CancellationState::Closed);
}

#[test]
fn what_is_late_goes_up_a_rank_once() {
    let case = case(0);
    let due_at = case.refund_due_at;
    assert!(!case.is_late(due_at.plus_seconds(-1)));
    assert!(case.is_late(due_at));
    let superiors = Superiors { owner_rank: Rank::CLERK, people: vec![(Rank::MANAGER, id(6))] };
    let up = case.clone().escalate(&superiors).record;
    assert_eq!((up.escalated_rank, up.escalated_staff_id), (Some(Rank::MANAGER), Some(id(6))));
    assert!(!up.is_late(due_at));
    let refunding = begun(case.proceed().unwrap().record).unwrap();
    assert!(!refunding.is_late(due_at));
}
