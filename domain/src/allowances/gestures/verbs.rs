//! Asking for a gesture, and deciding about it.

use super::{
    Approval, ApprovalDecision, Asked, GESTURE_ESCALATED, GESTURE_EXPIRED, Gesture, GestureState,
    OWN_GESTURE,
};
use crate::{
    allowances::{
        authority::{Authority, Capacity, GestureLimit, Holder, LimitFailure, highest},
        budgets::{BudgetAct, BudgetPosting, Budgets},
        guard::{GIFTS_TOO_OFTEN, GestureRulesDetails, HEAVY_GIFT},
        ledger::{INSUFFICIENT_ALLOWANCE, Posting, Purpose, Purse, THING_FROM_THIN_MARGIN},
        lots::LotSplit,
    },
    change::Change,
    event::Event,
    identity::{Actor, Rank, Role},
    ids::{ApprovalId, StaffId},
    money::{Minor, Money},
    record::Version,
    refusal::{Refusal, illegal},
    text::Line,
    time::Timestamp,
};

/// How long a gesture waits for somebody to decide: long enough for a weekend, short enough that the
/// customer does not wait for nothing.
const DECISION_HOURS: i64 = 72;

/// How long an approved gesture keeps its money, and a parked one waits for it: long enough to order a gift,
/// short enough that what was forgotten is free again.
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
    /// In what they may decide today; the lowest rank that is enough counts.
    pub capacities: Vec<Capacity>,
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
    /// Which person that is.
    pub staff_id: StaffId,
}

/// What a gesture is paid from, locked until the end of the transaction, and what the brand says about gestures.
#[derive(Debug, Clone, PartialEq)]
pub struct Means {
    /// What is set aside for the customer.
    pub purse: Purse,
    /// The budgets that the gesture falls under while it is asked for, and those in which it is held afterwards.
    pub budgets: Budgets,
    /// The brand's rules for gestures in the currency.
    pub rules: GestureRulesDetails,
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
    /// What moved in the budgets above it.
    pub budgets: Vec<BudgetPosting>,
}

impl Gesture {
    /// Asks for a gesture, and holds what it may cost. While a budget is short it is parked.
    ///
    /// # Errors
    ///
    /// `other_dealers_customer` and `other_customers_complaint`; `mixed_currency`; and, with every limit
    /// it is beyond and the lowest rank that may grant it, `insufficient_allowance` and
    /// `thing_from_thin_margin` when the customer's account does not give it, `heavy_gift` and `gifts_too_often` when it
    /// is too heavy or one too many, `beyond_all_authority` when there is nobody who may grant it.
    pub fn ask(
        asked: Asked,
        means: Means,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        asked.check(means.purse.margin(asked.request.currency))?;
        let estimate = asked.request.estimate();
        let failures = asked.beyond(authority);
        let (posting, splits) = asked.hold(&means, &failures, authority, now)?;
        let gesture = Self { splits, failed_limits: failures, ..asked.gesture(now) };
        let short = means.budgets.short_of(estimate.amount);
        let (budgets, change) = if short.is_empty() {
            let gesture = Self { budget_ids: means.budgets.ids(), ..gesture };
            let budgets = means.budgets.post(BudgetAct::Hold(estimate.amount), gesture.id);
            (budgets, gesture.begin(authority, now))
        } else {
            (Vec::new(), gesture.park(short, now))
        };
        let (kind, asked) = (change.record.kind, change.record.estimate());
        let change = Change { is_new: true, ..change }.with("kind", kind).with("estimate", asked);
        Ok(GestureDecision { change, approval: None, posting, budgets })
    }

    /// Lets a parked gesture go on, because money has arrived; `None` when it is not parked any more, its time is
    /// over, a budget is short still, or the customer was given as many things meanwhile as the brand gives.
    pub fn unpark(
        self,
        (budgets, rules): (Budgets, &GestureRulesDetails),
        authority: &Authority,
        requester: Role,
        now: Timestamp,
    ) -> Option<GestureDecision> {
        let is_over = self.expires_at.is_none_or(|at| at <= now);
        let is_short = !budgets.short_of(self.estimate_minor).is_empty();
        let is_one_too_many = !self.one_too_many(rules, self.estimate_minor, authority).is_empty();
        if self.state != GestureState::Parked || is_over || is_short || is_one_too_many {
            return None;
        }
        let holder =
            Holder { role: requester, staff_id: Some(self.requester_id), grants_now: true };
        let failed_limits = authority.judge(holder, self.estimate());
        let budget_ids = budgets.ids();
        let budgets = budgets.post(BudgetAct::Hold(self.estimate_minor), self.id);
        let from = self.state;
        let change = Self { budget_ids, failed_limits, ..self }.begin(authority, now);
        let change = Change { action: "unpark", ..change }.with("from", from);
        Some(GestureDecision { change, approval: None, posting: None, budgets })
    }

    /// Allows what is beyond the requester's authority.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it waits for nobody, `gesture_expired` from the instant it expires;
    /// `own_gesture` for the requester and for whoever asked in their name; `gesture_escalated` below the
    /// rank it was escalated to; `beyond_authority` when the approver's own limit does not reach so far
    /// at this moment; `gifts_too_often` when others were approved meanwhile.
    pub fn approve(
        self,
        ballot: Ballot,
        rules: &GestureRulesDetails,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        let capacities = self.expect_decidable_by(&ballot, now)?;
        let rank = authority.expect_one_of(&capacities, self.estimate())?;
        let often = self.one_too_many(rules, self.estimate_minor, authority);
        if let Some(first) = often.first() {
            let refusal = too_heavy(first.limit, self.estimate(), &often);
            return Err(refusal.with("failed_limits", &often));
        }
        let by = ballot.by.to_string();
        let approval = ballot.cast(&self, rank, ApprovalDecision::Approved, now);
        let from = self.state;
        let change = self.granted("approve", by, now).with("from", from);
        Ok(GestureDecision { change, approval: Some(approval), posting: None, budgets: Vec::new() })
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
        means: Means,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        let capacities = self.expect_decidable_by(&ballot, now)?;
        let approval = ballot.cast(&self, highest(&capacities), ApprovalDecision::Rejected, now);
        let decision = self.given_up("reject", GestureState::Rejected, means, now)?;
        Ok(GestureDecision { approval: Some(approval), ..decision })
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
        Some(GestureDecision { change, approval: None, posting: None, budgets: Vec::new() })
    }

    /// What stands against one more thing that costs `amount`, by how many the customer was given this year.
    pub(super) fn one_too_many(
        &self,
        rules: &GestureRulesDetails,
        amount: Minor,
        authority: &Authority,
    ) -> Vec<LimitFailure> {
        let gifts = authority.granted.gifts_this_year;
        let failures = rules.judge(self.given(), amount, amount, gifts);
        let is_about_how_often =
            |failure: &LimitFailure| failure.limit == GestureLimit::GiftsPerYear;
        failures.into_iter().filter(is_about_how_often).collect()
    }

    /// Why money moves for it.
    pub(super) fn purpose(&self) -> Purpose {
        Purpose { gesture: self.id, given: self.given(), interest: self.interest }
    }

    /// Approved on the spot, or waiting.
    fn begin(self, authority: &Authority, now: Timestamp) -> Change<Self> {
        if self.failed_limits.is_empty() {
            let by = self.requester_id.to_string();
            return self.granted("ask", by, now);
        }
        let names: Vec<_> = self.failed_limits.iter().map(|failure| failure.limit).collect();
        let (gesture, expires_at) = (self.id, now.plus_hours(DECISION_HOURS));
        let waiting = Self {
            state: GestureState::PendingApproval,
            required_rank: authority.required_rank(self.estimate()),
            expires_at: Some(expires_at),
            ..self
        };
        waiting
            .handed_up("ask", authority, now)
            .with("to", GestureState::PendingApproval)
            .with("beyond", names)
            .emits_at(Event::GestureDue { gesture }, expires_at)
    }

    /// It waits until the budgets that are `short` have the money.
    fn park(mut self, short: Vec<LimitFailure>, now: Timestamp) -> Change<Self> {
        let names: Vec<_> = short.iter().map(|failure| failure.limit).collect();
        self.failed_limits.extend(short);
        let (gesture, expires_at) = (self.id, now.plus_days(FULFILMENT_DAYS));
        let state = GestureState::Parked;
        let parked = Self { state, expires_at: Some(expires_at), ..self };
        Change::new("ask", parked)
            .with("to", state)
            .with("beyond", names)
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
    fn granted(self, action: &'static str, by: String, now: Timestamp) -> Change<Self> {
        let (gesture, expires_at) = (self.id, now.plus_days(FULFILMENT_DAYS));
        let state = GestureState::Approved;
        let granted = Self { state, approved_at: Some(now), escalates_at: None, ..self };
        let granted = Self { expires_at: Some(expires_at), granted_by: Some(by), ..granted };
        Change::new(action, granted)
            .with("to", state)
            .emits_at(Event::GestureDue { gesture }, expires_at)
    }

    /// In what `ballot` may be cast on it. Nobody decides in the place of the requester, who could not do it either.
    fn expect_decidable_by(
        &self,
        ballot: &Ballot,
        now: Timestamp,
    ) -> Result<Vec<Capacity>, Refusal> {
        self.expect(GestureState::PendingApproval, now)?;
        let by = ballot.by;
        if by.staff() == Some(self.requester_id) || by.to_string() == self.asked_by {
            return Err(Refusal::new(&OWN_GESTURE)
                .with("requester_id", self.requester_id)
                .with("asked_by", &self.asked_by)
                .with("required_rank", self.required_rank));
        }
        let others = ballot.capacities.iter().copied();
        let others = others.filter(|capacity| capacity.staff_id != Some(self.requester_id));
        let others: Vec<_> = others.collect();
        let least = self.required_rank.filter(|_| self.approval_step > FIRST_STEP);
        let rank = highest(&others);
        if least.is_some_and(|least| rank < least) {
            return Err(Refusal::new(&GESTURE_ESCALATED)
                .with("rank", rank)
                .with("required_rank", self.required_rank));
        }
        let reach = |capacity: &Capacity| least.is_none_or(|least| capacity.rank >= least);
        Ok(others.into_iter().filter(reach).collect())
    }

    /// Expects that it is in `state` and its time there is not over, however late the job is that lets
    /// it expire.
    pub(super) fn expect(&self, state: GestureState, now: Timestamp) -> Result<(), Refusal> {
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
}

impl Asked {
    /// Every limit of the requester's that it is beyond.
    fn beyond(&self, authority: &Authority) -> Vec<LimitFailure> {
        let Self { requester, request, .. } = self;
        let holder =
            Holder { role: requester.role, staff_id: Some(requester.id), grants_now: true };
        authority.judge(holder, request.estimate())
    }

    /// Promises the estimate, unless it can be granted by nobody; nothing moves when it costs nothing.
    fn hold(
        &self,
        means: &Means,
        beyond: &[LimitFailure],
        authority: &Authority,
        now: Timestamp,
    ) -> Result<(Option<Posting>, Vec<LotSplit>), Refusal> {
        let request = &self.request;
        let asked = request.estimate();
        let set_aside = means.purse.set_aside(asked.currency);
        let gifts = authority.granted.gifts_this_year;
        let heavy = means.rules.judge(self.given(), asked.amount, set_aside, gifts);
        let required = authority.required_rank(asked);
        let refused = |refusal: Refusal| {
            let short = [&INSUFFICIENT_ALLOWANCE, &THING_FROM_THIN_MARGIN].contains(&refusal.rule);
            let short = short.then(|| LimitFailure::bare(GestureLimit::Allowance));
            let all = short.iter().chain(&heavy).chain(beyond);
            let all: Vec<_> = all.copied().collect();
            refusal.with("failed_limits", all).with("required_rank", required)
        };
        let held = self.hold_estimate(means, asked, now).map_err(refused)?;
        if let Some(first) = heavy.first() {
            return Err(refused(too_heavy(first.limit, asked, &heavy)));
        }
        if !beyond.is_empty() && required.is_none() {
            return Err(refused(authority.beyond_all(asked)));
        }
        Ok(held)
    }

    fn hold_estimate(
        &self,
        means: &Means,
        asked: Money,
        now: Timestamp,
    ) -> Result<(Option<Posting>, Vec<LotSplit>), Refusal> {
        if asked.amount == Minor::ZERO {
            return Ok((None, Vec::new()));
        }
        let interest = self.request.interest;
        let purpose = Purpose { gesture: self.id, given: self.given(), interest };
        let (ledger, splits) = means.purse.clone().open(asked, now)?.hold(asked, purpose)?;
        Ok((Some(ledger.close()), splits))
    }

    /// The gesture as it is before anybody has looked at it.
    fn gesture(self, now: Timestamp) -> Gesture {
        let (dealer_id, given) = (self.dealer_id(), self.given());
        let Self { id, request, requester, by, items, .. } = self;
        Gesture {
            id,
            customer_id: request.customer_id,
            dealer_id,
            complaint_id: request.complaint_id,
            kind: given.kind,
            service_item_id: request.service_item_id,
            gift_id: request.gift_id,
            category: given.category,
            tangible: given.tangible,
            problem_solved: request.problem_solved,
            interest: request.interest,
            currency: request.currency,
            estimate_minor: request.estimate_minor,
            perceived_value_minor: request.perceived_value_minor.or(items.perceived_value()),
            actual_minor: None,
            splits: Vec::new(),
            budget_ids: Vec::new(),
            state: GestureState::PendingApproval,
            requester_id: requester.id,
            team_id: requester.team_id,
            asked_by: by.to_string(),
            failed_limits: Vec::new(),
            required_rank: None,
            approval_step: FIRST_STEP,
            granted_by: None,
            reversal_reason: None,
            escalates_at: None,
            expires_at: None,
            approved_at: None,
            settled_at: None,
            created_at: now,
            version: Version::FIRST,
        }
    }
}

/// Says that a gift is too heavy, or one too many.
pub(super) fn too_heavy(first: GestureLimit, asked: Money, failures: &[LimitFailure]) -> Refusal {
    let rule = if first == GestureLimit::GiftsPerYear { &GIFTS_TOO_OFTEN } else { &HEAVY_GIFT };
    let names: Vec<_> = failures.iter().map(|failure| failure.limit).collect();
    Refusal::new(rule).with("asked", asked).with("beyond", names)
}

impl Ballot {
    fn cast(
        self,
        gesture: &Gesture,
        rank: Rank,
        decision: ApprovalDecision,
        at: Timestamp,
    ) -> Approval {
        Approval {
            id: self.id,
            gesture_id: gesture.id,
            step: gesture.approval_step,
            asked_by: gesture.asked_by.clone(),
            approver: self.by.to_string(),
            rank,
            decision,
            comment: self.comment,
            at,
        }
    }
}
