//! The course of a cancellation: requested, perhaps asked to stay, the penalty waived, the deposit refunded.

use super::{
    CANCELLATION_HOURS, CANCELLATION_OPEN, CancellationCase, CancellationState,
    DEPOSIT_ABOVE_ORDER, GESTURE_WAIVED_A_PENALTY, MOST_RETENTION_ATTEMPTS, ORDER_NOT_CANCELLABLE,
    PENALTY_NOT_WAIVED, REFUND_NEEDS_MANAGER, RETENTION_OFFERED_ONCE, WAIVER_UNFIT,
};
use crate::{
    allowances::gestures::{Gesture, GestureKind, GestureState},
    change::Change,
    complaints::Superiors,
    event::{Awaited, Event},
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    identity::{Actor, Rank},
    ids::{AnyId, CancellationId, OrderId},
    money::Minor,
    orders::{OrderStatus, Sale, SalesOrder},
    record::Version,
    refusal::{Refusal, illegal},
    text::Prose,
    time::{CivilDate, Timestamp, Zone},
    working_time::WorkingCalendar,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Minutes in an hour.
const MINUTES: u32 = 60;

/// What a customer asks for who does not want what they have paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"order_id": "ord_01m80t7jx3e9vbq2f4c6d8g0hk", "reason": "We move to another city.",
    "deposit_minor": 200_000, "penalty_minor": 20_000})))]
pub struct CancellationRequest {
    /// The sale: paid, and not delivered.
    pub order_id: OrderId,
    /// Why they do not want it, in their words.
    pub reason: Prose,
    /// What they have paid, in the currency of the order; no more than the order's lines together.
    pub deposit_minor: Minor,
    /// What the contract would ask of them; 0 when left out.
    #[serde(default)]
    pub penalty_minor: Minor,
}

/// What a customer is offered if they stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"offer": "Delivery to the new flat, without a charge."})))]
pub struct RetentionOffer {
    /// What they are offered, in the words they read or hear.
    pub offer: Prose,
}

/// What is known when a cancellation is asked for.
#[derive(Debug, Clone, Copy)]
pub struct CancellationKnown<'a> {
    /// What they do not want.
    pub sale: &'a Sale,
    /// The cancellation that the sale has already.
    pub open: Option<&'a CancellationCase>,
    /// The one in which they were asked to stay before, and did.
    pub asked: Option<&'a CancellationCase>,
}

impl CancellationCase {
    /// Takes it in. The refund is to be under way after 24 hours of working time by `hours`, which are told in `zone`.
    /// Who was asked to stay before is not asked again.
    ///
    /// # Errors
    ///
    /// `cancellation_open`, `order_not_cancellable`, `deposit_above_order`.
    pub fn request(
        id: CancellationId,
        request: CancellationRequest,
        known: CancellationKnown<'_>,
        (hours, zone): (&WorkingCalendar, Zone),
        (actor, now): (Actor, Timestamp),
    ) -> Result<Change<Self>, Refusal> {
        let CancellationKnown { sale, open, asked } = known;
        Self::must_be_over(open).map_err(|refusal| refusal.at("/order_id"))?;
        request.must_fit(sale)?;
        let minutes = CANCELLATION_HOURS.saturating_mul(MINUTES);
        // Where nobody ever works, the hours of the wall clock count.
        let by_the_wall = || now.plus_hours(i64::from(CANCELLATION_HOURS));
        let refund_due_at = hours.after(now, minutes).unwrap_or_else(by_the_wall);
        let case = Self {
            id,
            order_id: sale.order.id,
            customer_id: sale.order.customer_id,
            dealer_id: sale.order.dealer_id,
            currency: sale.order.currency,
            reason: request.reason,
            deposit_minor: request.deposit_minor,
            penalty_minor: request.penalty_minor,
            penalty_waived_minor: Minor::ZERO,
            retention_attempts: asked.map_or(0, |earlier| earlier.retention_attempts),
            retention_offer: asked.and_then(|earlier| earlier.retention_offer.clone()),
            gesture_id: None,
            state: CancellationState::Requested,
            refund_due_at,
            local_refund_due: refund_due_at.wall_time_in(zone),
            owner_id: actor.staff(),
            escalated_rank: None,
            escalated_staff_id: None,
            refunding_at: None,
            refunded_on: None,
            refund_minor: None,
            closed_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        Ok(Change::created(case)
            .emits_at(Event::AwaitedDue { awaited: Awaited::Refund(id) }, refund_due_at))
    }

    /// Makes sure that the `open` cancellation of a sale, if there is one, is over before something else becomes of it.
    ///
    /// # Errors
    ///
    /// `cancellation_open`.
    pub fn must_be_over(open: Option<&Self>) -> Result<(), Refusal> {
        match open {
            Some(open) => Err(Refusal::new(&CANCELLATION_OPEN).with("cancellation_id", open.id)),
            None => Ok(()),
        }
    }

    /// Makes sure that no refund has begun because of a gesture before it is taken back; `resting` is a cancellation whose
    /// refund has.
    ///
    /// # Errors
    ///
    /// `gesture_waived_a_penalty`.
    pub fn must_not_rest(resting: Option<&Self>) -> Result<(), Refusal> {
        match resting {
            Some(resting) => {
                Err(Refusal::new(&GESTURE_WAIVED_A_PENALTY).with("cancellation_id", resting.id))
            }
            None => Ok(()),
        }
    }

    /// Asks the customer to stay, once.
    ///
    /// # Errors
    ///
    /// `retention_offered_once`; `illegal_transition` unless it was just requested.
    pub fn offer_retention(mut self, offer: RetentionOffer) -> Result<Change<Self>, Refusal> {
        if self.retention_attempts >= MOST_RETENTION_ATTEMPTS {
            return Err(Refusal::new(&RETENTION_OFFERED_ONCE)
                .with("retention_attempts", self.retention_attempts)
                .with("most", MOST_RETENTION_ATTEMPTS));
        }
        self.must("offer-retention")?;
        self.retention_attempts = self.retention_attempts.saturating_add(1);
        self.retention_offer = Some(offer.offer);
        Ok(self.moved("offer_retention", CancellationState::RetentionOffered))
    }

    /// Says that the customer stays; the sale stands, and no penalty is waived.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once the refund is under way.
    pub fn withdraw(mut self) -> Result<Change<Self>, Refusal> {
        self.must("withdraw")?;
        self.gesture_id = None;
        Ok(self.moved("withdraw", CancellationState::Withdrawn))
    }

    /// Says that the customer goes.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it was requested, with or without an offer.
    pub fn proceed(self) -> Result<Change<Self>, Refusal> {
        self.must("proceed")?;
        Ok(self.moved("proceed", CancellationState::Proceeding))
    }

    /// Names the gesture by which the penalty is waived. Who may grant it is a matter of gestures.
    ///
    /// # Errors
    ///
    /// `waiver_unfit`; `illegal_transition` unless they go and the refund is not under way.
    pub fn seek_waiver(mut self, gesture: &Gesture) -> Result<Change<Self>, Refusal> {
        self.must("seek-waiver")?;
        let unfit = self.unfit(gesture);
        if !unfit.is_empty() {
            return Err(Refusal::new(&WAIVER_UNFIT)
                .with("unfit", unfit)
                .with("penalty_minor", self.penalty_minor)
                .with("currency", self.currency)
                .at("/gesture_id"));
        }
        self.gesture_id = Some(gesture.id);
        let change = self.moved("seek_waiver", CancellationState::PenaltyWaiverPending);
        Ok(change.with("gesture_id", gesture.id))
    }

    /// Lets the deposit be given back in full. `waiver` is the gesture that was named.
    ///
    /// # Errors
    ///
    /// `refund_needs_manager`; `order_not_cancellable` once the order is delivered; `penalty_not_waived` while there is a penalty that no gesture has paid whole; `illegal_transition` unless they go
    /// and it is not under way.
    pub fn begin_refund(
        mut self,
        order: &SalesOrder,
        waiver: Option<&Gesture>,
        (actor, now): (Actor, Timestamp),
    ) -> Result<Change<Self>, Refusal> {
        self.must("begin-refund")?;
        must_be_manager(actor)?;
        must_not_be_delivered(order)?;
        let paid = waiver.filter(|gesture| gesture.state == GestureState::Fulfilled);
        let paid_minor = paid.and_then(|gesture| gesture.actual_minor).unwrap_or(Minor::ZERO);
        if paid_minor < self.penalty_minor {
            return Err(Refusal::new(&PENALTY_NOT_WAIVED)
                .with("penalty_minor", self.penalty_minor)
                .with("currency", self.currency)
                .with("waived_minor", paid_minor)
                .with("gesture_state", waiver.map(|gesture| gesture.state)));
        }
        self.penalty_waived_minor = self.penalty_minor;
        self.refunding_at = Some(now);
        let waived = self.penalty_waived_minor;
        let change = self.moved("begin_refund", CancellationState::Refunding);
        Ok(change.with("penalty_waived_minor", waived))
    }

    /// Says that the customer has the whole deposit back. The sale is refunded by that, unless it was before.
    ///
    /// # Errors
    ///
    /// `order_not_cancellable` once the order is delivered; [`DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN);
    /// `illegal_transition` unless the refund is under way.
    pub fn refund(
        mut self,
        order: SalesOrder,
        on: CivilDate,
        now: Timestamp,
    ) -> Result<(Change<Self>, Option<Change<SalesOrder>>), Refusal> {
        self.must("refund")?;
        must_not_be_delivered(&order)?;
        crate::pushes::check_day(on, now)?;
        let order = if order.is_paid() { Some(order.refund(on, now)?) } else { None };
        self.refunded_on = Some(on);
        self.refund_minor = Some(self.deposit_minor);
        let refund_minor = self.deposit_minor;
        let change = self.moved("refund", CancellationState::Refunded);
        Ok((change.with("refund_minor", refund_minor), order))
    }

    /// Says that nothing is left to do. Whatever was promised to the customer besides, such as a visit that was agreed,
    /// takes place.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless they have the money back.
    pub fn close(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.must("close")?;
        self.closed_at = Some(now);
        let cancellation = self.id;
        let change = self.moved("close", CancellationState::Closed);
        Ok(change.emits(Event::CancellationClosed { cancellation }))
    }

    /// Whether the refund should be under way by now, and is not; somebody higher answers for it then.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let is_waited_for = match self.state {
            CancellationState::Requested
            | CancellationState::RetentionOffered
            | CancellationState::Proceeding
            | CancellationState::PenaltyWaiverPending => true,
            CancellationState::Withdrawn
            | CancellationState::Refunding
            | CancellationState::Refunded
            | CancellationState::Closed => false,
        };
        is_waited_for && self.escalated_rank.is_none() && now >= self.refund_due_at
    }

    /// Lets the next rank answer for it, because the refund is not under way in time.
    pub fn escalate(mut self, superiors: &Superiors) -> Change<Self> {
        let (rank, person) = superiors.above(superiors.owner_rank);
        self.escalated_rank = Some(rank);
        self.escalated_staff_id = person;
        Change::new("escalate", self).with("rank", rank).with("staff_id", person)
    }

    /// What is noticed when it is late.
    pub fn finding(&self, zone: Zone, now: Timestamp) -> FindingDetails {
        let hours = i64::from(CANCELLATION_HOURS);
        FindingDetails {
            kind: FindingKind::DeadlineMissed,
            subject: AnyId::of(self.id),
            dealer_id: Some(self.dealer_id),
            topic: None,
            period: FindingPeriod::day_of(now.date_in(zone)),
            evidence: FindingEvidence::from([("within_working_hours".to_owned(), hours)]),
        }
    }

    /// What of a gesture does not fit the penalty.
    fn unfit(&self, gesture: &Gesture) -> Vec<&'static str> {
        let is_alive = match gesture.state {
            GestureState::Parked
            | GestureState::PendingApproval
            | GestureState::Approved
            | GestureState::Fulfilled => true,
            GestureState::Rejected
            | GestureState::Reversed
            | GestureState::Cancelled
            | GestureState::Expired => false,
        };
        let amount = gesture.actual_minor.unwrap_or(gesture.estimate_minor);
        let checks = [
            ("kind", gesture.kind == GestureKind::PenaltyWaiver),
            ("customer_id", gesture.customer_id == self.customer_id),
            ("currency", gesture.currency == self.currency),
            ("amount", amount >= self.penalty_minor),
            ("state", is_alive),
        ];
        checks.into_iter().filter(|(_, fits)| !fits).map(|(name, _)| name).collect()
    }

    /// The verbs that lead on from here.
    fn verbs(&self) -> &'static [&'static str] {
        match self.state {
            CancellationState::Requested => &["offer-retention", "proceed", "withdraw"],
            CancellationState::RetentionOffered => &["proceed", "withdraw"],
            CancellationState::Proceeding | CancellationState::PenaltyWaiverPending => {
                &["seek-waiver", "begin-refund", "withdraw"]
            }
            CancellationState::Refunding => &["refund"],
            CancellationState::Refunded => &["close"],
            CancellationState::Withdrawn | CancellationState::Closed => &[],
        }
    }

    fn must(&self, verb: &str) -> Result<(), Refusal> {
        if self.verbs().contains(&verb) {
            return Ok(());
        }
        Err(illegal(self.state, self.verbs()))
    }

    fn moved(mut self, action: &'static str, to: CancellationState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        Change::new(action, self).moved(from, to)
    }
}

impl CancellationRequest {
    /// Checks that the sale can be cancelled like this.
    fn must_fit(&self, sale: &Sale) -> Result<(), Refusal> {
        match sale.order.status {
            OrderStatus::Paid => {}
            status @ (OrderStatus::Quoted
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Refunded) => {
                return Err(Refusal::new(&ORDER_NOT_CANCELLABLE)
                    .with("order_status", status)
                    .at("/order_id"));
            }
        }
        let prices = sale.lines.iter().map(|line| line.price_minor);
        let total_minor = prices.fold(Minor::ZERO, Minor::plus);
        if self.deposit_minor <= total_minor {
            return Ok(());
        }
        Err(Refusal::new(&DEPOSIT_ABOVE_ORDER)
            .with("deposit_minor", self.deposit_minor)
            .with("total_minor", total_minor)
            .with("currency", sale.order.currency)
            .at("/deposit_minor"))
    }
}

/// Checks that what is given money back for is not at the customer's.
fn must_not_be_delivered(order: &SalesOrder) -> Result<(), Refusal> {
    match order.status {
        OrderStatus::Delivered => {
            Err(Refusal::new(&ORDER_NOT_CANCELLABLE).with("order_status", order.status))
        }
        OrderStatus::Quoted
        | OrderStatus::Paid
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => Ok(()),
    }
}

fn must_be_manager(actor: Actor) -> Result<(), Refusal> {
    if actor.rank() >= Rank::MANAGER {
        return Ok(());
    }
    Err(Refusal::new(&REFUND_NEEDS_MANAGER)
        .with("rank", actor.rank())
        .with("required_rank", Rank::MANAGER))
}
