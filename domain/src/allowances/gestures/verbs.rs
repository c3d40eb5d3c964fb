//! What can be done with a gesture.

use super::{
    ANOTHERS_GESTURE, Approval, ApprovalDecision, Asked, GESTURE_ESCALATED, GESTURE_EXPIRED,
    Gesture, GestureState, OWN_GESTURE,
};
use crate::{
    allowances::{
        accounts::EntryReason,
        authority::Authority,
        ledger::{Posting, Purse},
    },
    change::Change,
    event::Event,
    identity::{Actor, Rank, Role},
    ids::{ApprovalId, GestureId},
    money::{Minor, Money},
    record::Version,
    refusal::{Refusal, illegal},
    text::Line,
    time::Timestamp,
};

/// How long a gesture waits for somebody to decide: long enough for a weekend, short enough that the
/// customer does not wait for nothing.
const DECISION_HOURS: i64 = 72;

/// How long an approved gesture keeps its money: long enough to order a gift, short enough that what
/// was forgotten is free again.
const FULFILMENT_DAYS: i64 = 14;

/// Approvals are counted from here; each escalation adds a step.
const FIRST_STEP: u32 = 1;

/// Somebody's word on a gesture.
#[derive(Debug, Clone, PartialEq)]
pub struct Ballot {
    /// The identifier it gets.
    pub id: ApprovalId,
    /// Who decides.
    pub by: Actor,
    /// Their rank: see [`rank_of`](crate::allowances::authority::rank_of).
    pub rank: Rank,
    /// Why.
    pub comment: Option<Line>,
}

/// What a gesture has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// How much, in the currency of the gesture.
    pub actual_minor: Minor,
    /// The role of the person who says so, or of the requester when a program does.
    pub role: Role,
}

/// What was decided about a gesture, to be recorded as one piece.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a decision that is not recorded has not happened"]
pub struct GestureDecision {
    /// The gesture.
    pub change: Change<Gesture>,
    /// The word of a higher rank, when that is what it was.
    pub approval: Option<Approval>,
    /// What moved on the customer's account.
    pub posting: Option<Posting>,
}

impl Gesture {
    /// Asks for a gesture, and holds what it may cost.
    ///
    /// # Errors
    ///
    /// `other_dealers_customer` and `other_customers_complaint`; `mixed_currency` and
    /// `insufficient_allowance` when the customer's account does not give it; `beyond_all_authority` when
    /// there is nobody who may grant it.
    pub fn ask(
        asked: Asked,
        purse: Purse,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        asked.check()?;
        let Asked { id, request, requester, by, customer_dealer_id, .. } = asked;
        let estimate = request.estimate();
        let posting = hold(purse, estimate, id, now)?;
        let beyond = authority.judge(requester.role, estimate).err();
        let required_rank = beyond.map(|_| authority.expect_somebody(estimate)).transpose()?;
        let gesture = Self {
            id,
            customer_id: request.customer_id,
            dealer_id: customer_dealer_id.or(requester.dealer_id),
            complaint_id: request.complaint_id,
            kind: request.kind,
            problem_solved: request.problem_solved,
            currency: request.currency,
            estimate_minor: request.estimate_minor,
            actual_minor: None,
            state: GestureState::PendingApproval,
            requester_id: requester.id,
            asked_by: by.to_string(),
            beyond,
            required_rank,
            approval_step: FIRST_STEP,
            escalates_at: None,
            expires_at: None,
            approved_at: None,
            settled_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        Ok(GestureDecision { change: gesture.begin(authority, now), approval: None, posting })
    }

    /// Allows what is beyond the requester's authority.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it waits for nobody, `gesture_expired` from the instant it expires;
    /// `own_gesture` for the requester and for whoever asked in their name; `gesture_escalated` below the
    /// rank it was escalated to; `beyond_authority` when the approver's own limit does not reach so far
    /// at this moment.
    pub fn approve(
        self,
        ballot: Ballot,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect_decidable_by(&ballot, now)?;
        authority.expect_rank(ballot.rank, self.estimate())?;
        let approval = ballot.cast(&self, ApprovalDecision::Approved, now);
        let from = self.state;
        let change = self.granted("approve", now).with("from", from);
        Ok(GestureDecision { change, approval: Some(approval), posting: None })
    }

    /// Does not allow it, and releases what was held. Whoever may approve gestures may reject one,
    /// whatever it costs.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it waits for nobody, `gesture_expired` from the instant it expires;
    /// `own_gesture` for the requester and for whoever asked in their name; `gesture_escalated` below the
    /// rank it was escalated to.
    pub fn reject(
        self,
        ballot: Ballot,
        purse: Purse,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect_decidable_by(&ballot, now)?;
        let approval = ballot.cast(&self, ApprovalDecision::Rejected, now);
        let posting = self.release(purse, EntryReason::GestureRejected, now)?;
        let change = self.settled("reject", GestureState::Rejected, now);
        Ok(GestureDecision { change, approval: Some(approval), posting })
    }

    /// Says that it was carried out and what it has cost. That is paid; what was held beyond is
    /// released.
    ///
    /// A cost above the estimate is paid when the customer's account still has it and the authority of
    /// the person who says so covers the whole of it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not approved, `gesture_expired` from the instant it expires;
    /// `beyond_authority` and `insufficient_allowance` about the cost.
    pub fn fulfil(
        self,
        bill: Bill,
        purse: Purse,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect(GestureState::Approved, now)?;
        let actual = Money { amount: bill.actual_minor, currency: self.currency };
        if actual.amount > self.estimate_minor {
            authority.expect_role(bill.role, actual)?;
        }
        let posting = self.pay(actual, purse, now)?;
        let fulfilled = Self { actual_minor: Some(actual.amount), ..self };
        let change = fulfilled.settled("fulfil", GestureState::Fulfilled, now);
        Ok(GestureDecision { change: change.with("actual", actual), approval: None, posting })
    }

    /// Calls it off, and releases what was held.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is settled; `anothers_gesture` unless `by` is the requester, a
    /// manager or higher.
    pub fn cancel(
        self,
        by: Actor,
        purse: Purse,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect_open()?;
        if by.staff() != Some(self.requester_id) && by.rank() < Rank::MANAGER {
            return Err(Refusal::new(&ANOTHERS_GESTURE)
                .with("requester_id", self.requester_id)
                .with("required_rank", Rank::MANAGER));
        }
        let posting = self.release(purse, EntryReason::GestureCancelled, now)?;
        let change = self.settled("cancel", GestureState::Cancelled, now);
        Ok(GestureDecision { change, approval: None, posting })
    }

    /// Lets it go up to the next rank whose authority reaches so far at this moment, because nobody has
    /// decided in time; `None` when somebody has, when its time has not come or is over, and when there
    /// is no such rank.
    pub fn escalate(self, authority: &Authority, now: Timestamp) -> Option<GestureDecision> {
        let is_due = self.escalates_at.is_some_and(|at| at <= now);
        let is_over = self.expires_at.is_none_or(|at| at <= now);
        let from_rank = self.required_rank?;
        let to_rank = authority.next_rank(self.estimate(), from_rank)?;
        if !is_due || is_over {
            return None;
        }
        let step = self.approval_step.saturating_add(1);
        let higher = Self { required_rank: Some(to_rank), approval_step: step, ..self };
        let change = higher.handed_up("escalate", authority, now);
        let change = change.with("from_rank", from_rank).with("to_rank", to_rank);
        Some(GestureDecision { change, approval: None, posting: None })
    }

    /// Lets it expire, and releases what was held; `None` when it is settled or its time has not come.
    ///
    /// # Errors
    ///
    /// Only those of an account that is gone, which does not happen.
    pub fn lapse(self, purse: Purse, now: Timestamp) -> Result<Option<GestureDecision>, Refusal> {
        if self.expires_at.is_none_or(|expires_at| now < expires_at) {
            return Ok(None);
        }
        let posting = self.release(purse, EntryReason::GestureExpired, now)?;
        let change = self.settled("expire", GestureState::Expired, now);
        Ok(Some(GestureDecision { change, approval: None, posting }))
    }

    /// The first line of its story: approved on the spot, or waiting.
    fn begin(self, authority: &Authority, now: Timestamp) -> Change<Self> {
        let (kind, estimate, beyond) = (self.kind, self.estimate(), self.beyond);
        let change = match beyond {
            None => self.granted("ask", now),
            Some(beyond) => self.waiting(authority, now).with("beyond", beyond),
        };
        Change { is_new: true, ..change }.with("kind", kind).with("estimate", estimate)
    }

    /// Somebody of higher rank has to decide.
    fn waiting(self, authority: &Authority, now: Timestamp) -> Change<Self> {
        let (gesture, expires_at) = (self.id, now.plus_hours(DECISION_HOURS));
        let waiting = Self { expires_at: Some(expires_at), ..self };
        waiting
            .handed_up("ask", authority, now)
            .with("to", GestureState::PendingApproval)
            .emits_at(Event::GestureDue { gesture }, expires_at)
    }

    /// It waits for `required_rank`, and for how long before it goes up to the next one, if there is one
    /// and it does not expire before.
    fn handed_up(
        self,
        action: &'static str,
        authority: &Authority,
        now: Timestamp,
    ) -> Change<Self> {
        let gesture = self.id;
        let escalates_at = now.plus_hours(i64::from(authority.escalation_hours.get()));
        let in_time = self.expires_at.is_some_and(|expires_at| escalates_at < expires_at);
        let next = self.required_rank.and_then(|rank| authority.next_rank(self.estimate(), rank));
        let escalates_at = next.filter(|_| in_time).map(|_| escalates_at);
        let change = Change::new(action, Self { escalates_at, ..self });
        match escalates_at {
            Some(at) => change.emits_at(Event::GestureEscalationDue { gesture }, at),
            None => change,
        }
    }

    /// From now on it may be carried out.
    fn granted(self, action: &'static str, now: Timestamp) -> Change<Self> {
        let (gesture, expires_at) = (self.id, now.plus_days(FULFILMENT_DAYS));
        let state = GestureState::Approved;
        let granted = Self { state, approved_at: Some(now), escalates_at: None, ..self };
        let granted = Self { expires_at: Some(expires_at), ..granted };
        Change::new(action, granted)
            .with("to", state)
            .emits_at(Event::GestureDue { gesture }, expires_at)
    }

    /// Nothing more happens with it.
    fn settled(self, action: &'static str, to: GestureState, now: Timestamp) -> Change<Self> {
        let from = self.state;
        let settled = Self { state: to, settled_at: Some(now), escalates_at: None, ..self };
        let settled = Self { expires_at: None, ..settled };
        Change::new(action, settled).moved(from, to)
    }

    /// Pays `actual`, and releases what is left of the estimate.
    fn pay(&self, actual: Money, purse: Purse, now: Timestamp) -> Result<Option<Posting>, Refusal> {
        let held = self.estimate_minor;
        if held.max(actual.amount) == Minor::ZERO {
            return Ok(None);
        }
        let posting = purse
            .open(actual, now)?
            .capture(actual, held, self.id)?
            .release(held.less(actual.amount), self.id, EntryReason::GestureFulfilled)
            .close();
        Ok(Some(posting))
    }

    fn release(
        &self,
        purse: Purse,
        reason: EntryReason,
        now: Timestamp,
    ) -> Result<Option<Posting>, Refusal> {
        if self.estimate_minor == Minor::ZERO {
            return Ok(None);
        }
        let ledger = purse.open(self.estimate(), now)?;
        Ok(Some(ledger.release(self.estimate_minor, self.id, reason).close()))
    }

    fn expect_decidable_by(&self, ballot: &Ballot, now: Timestamp) -> Result<(), Refusal> {
        self.expect(GestureState::PendingApproval, now)?;
        let by = ballot.by;
        if by.staff() == Some(self.requester_id) || by.to_string() == self.asked_by {
            return Err(Refusal::new(&OWN_GESTURE)
                .with("requester_id", self.requester_id)
                .with("asked_by", &self.asked_by)
                .with("required_rank", self.required_rank));
        }
        let is_too_low = self.required_rank.is_some_and(|rank| ballot.rank < rank);
        if self.approval_step > FIRST_STEP && is_too_low {
            return Err(Refusal::new(&GESTURE_ESCALATED)
                .with("rank", ballot.rank)
                .with("required_rank", self.required_rank));
        }
        Ok(())
    }

    /// Expects that it is in `state` and its time there is not over, however late the job is that lets
    /// it expire.
    fn expect(&self, state: GestureState, now: Timestamp) -> Result<(), Refusal> {
        if self.state != state {
            return Err(illegal(self.state, self.state.allowed_transitions()));
        }
        match self.expires_at {
            Some(expired_at) if expired_at <= now => Err(Refusal::new(&GESTURE_EXPIRED)
                .with("state", self.state)
                .with("expired_at", expired_at)),
            Some(_) | None => Ok(()),
        }
    }

    fn expect_open(&self) -> Result<(), Refusal> {
        let allowed = self.state.allowed_transitions();
        if allowed.contains(&"cancel") {
            return Ok(());
        }
        Err(illegal(self.state, allowed))
    }
}

impl Ballot {
    fn cast(self, gesture: &Gesture, decision: ApprovalDecision, at: Timestamp) -> Approval {
        Approval {
            id: self.id,
            gesture_id: gesture.id,
            step: gesture.approval_step,
            asked_by: gesture.asked_by.clone(),
            approver: self.by.to_string(),
            rank: self.rank,
            decision,
            comment: self.comment,
            at,
        }
    }
}

/// Promises `asked` to a gesture; nothing moves when it costs nothing.
fn hold(
    purse: Purse,
    asked: Money,
    gesture: GestureId,
    now: Timestamp,
) -> Result<Option<Posting>, Refusal> {
    if asked.amount == Minor::ZERO {
        return Ok(None);
    }
    Ok(Some(purse.open(asked, now)?.hold(asked, gesture)?.close()))
}
