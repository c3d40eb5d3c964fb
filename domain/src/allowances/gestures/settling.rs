//! Settling a gesture: it is carried out and paid, called off, let go, or taken back.

use super::{
    ANOTHERS_GESTURE, Bill, GESTURE_OVER_BUDGET, Gesture, GestureDecision, GestureState, Means,
    OWN_GESTURE, REVERSAL_NEEDS_HIGHER_RANK, verbs::too_heavy,
};
use crate::{
    allowances::{
        accounts::EntryReason,
        authority::{Authority, Holder},
        budgets::{BudgetAct, BudgetPosting, Budgets},
        ledger::{Posting, Purse},
        lots::LotSplit,
    },
    change::Change,
    identity::{Actor, Rank},
    money::{Minor, Money},
    refusal::{Refusal, illegal},
    text::Line,
    time::Timestamp,
};

impl Gesture {
    /// Says that it was carried out and what it has cost. That is paid; what was held beyond is
    /// released.
    ///
    /// A cost above the estimate is paid when the customer's account and the budgets still have it, and the
    /// authority of the person who says so covers the whole of it, or it is within the brand's tolerance.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not approved, `gesture_expired` from the instant it expires;
    /// `beyond_authority`, `heavy_gift`, `insufficient_allowance` and `gesture_over_budget` about a cost above the
    /// estimate.
    pub fn fulfil(
        self,
        bill: Bill,
        means: Means,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect(GestureState::Approved, now)?;
        let actual = Money { amount: bill.actual_minor, currency: self.currency };
        let Means { purse, budgets, rules } = means;
        if actual.amount > rules.tolerated(self.estimate_minor) {
            let Bill { role, staff_id, .. } = bill;
            let holder = Holder { role, staff_id: Some(staff_id), grants_now: true };
            authority.expect(holder, actual)?;
        }
        if actual.amount > self.estimate_minor {
            let set_aside = purse.set_aside(self.currency);
            let mut heavy = rules.judge(self.given(), actual.amount, set_aside, 0);
            if self.estimate_minor == Minor::ZERO {
                // What was to cost nothing was not counted among the gifts of the year.
                heavy.extend(self.one_too_many(&rules, actual.amount, authority));
            }
            if let Some(first) = heavy.first() {
                return Err(too_heavy(first.limit, actual, &heavy).with("failed_limits", &heavy));
            }
        }
        let (posting, paid) = self.pay(actual, purse, now)?;
        let budgets = self.pay_from_budgets(actual, budgets)?;
        let fulfilled = Self { actual_minor: Some(actual.amount), splits: paid, ..self };
        let change = fulfilled.settled("fulfil", GestureState::Fulfilled, now);
        let change = change.with("actual", actual);
        Ok(GestureDecision { change, approval: None, posting, budgets })
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
        means: Means,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        self.expect_open()?;
        if by.staff() != Some(self.requester_id) && by.rank() < Rank::MANAGER {
            return Err(Refusal::new(&ANOTHERS_GESTURE)
                .with("requester_id", self.requester_id)
                .with("required_rank", Rank::MANAGER));
        }
        self.given_up("cancel", GestureState::Cancelled, means, now)
    }

    /// Calls it off because the customer has gone to another dealer, who decides anew what to give them.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is settled.
    pub fn leave_behind(self, means: Means, now: Timestamp) -> Result<GestureDecision, Refusal> {
        self.expect_open()?;
        self.given_up("leave_behind", GestureState::Cancelled, means, now)
    }

    /// Lets it expire, and releases what was held; `None` when it is settled or its time has not come.
    ///
    /// # Errors
    ///
    /// Only those of an account that is gone, which does not happen.
    pub fn lapse(self, means: Means, now: Timestamp) -> Result<Option<GestureDecision>, Refusal> {
        if self.expires_at.is_none_or(|expires_at| now < expires_at) {
            return Ok(None);
        }
        self.given_up("expire", GestureState::Expired, means, now).map(Some)
    }

    /// Takes back what was paid for something that did not take place after all; the money returns to where it came
    /// from. `rank` is that in which `by` decides, `requesters` that of who asked for it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it was carried out; `own_gesture` for the requester and for whoever asked in their name;
    /// `reversal_needs_higher_rank` unless the rank is a manager's and above the requester's.
    pub fn reverse(
        self,
        (by, rank): (Actor, Rank),
        requesters: Rank,
        (reason, means): (Line, Means),
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        if self.state != GestureState::Fulfilled {
            return Err(illegal(self.state, self.state.allowed_transitions()));
        }
        let name = by.to_string();
        let required = requesters.next().max(Rank::MANAGER);
        let is_own = by.staff() == Some(self.requester_id) || name == self.asked_by;
        if is_own {
            return Err(Refusal::new(&OWN_GESTURE)
                .with("requester_id", self.requester_id)
                .with("asked_by", &self.asked_by)
                .with("required_rank", required));
        }
        if rank < required {
            return Err(Refusal::new(&REVERSAL_NEEDS_HIGHER_RANK)
                .with("granted_by", &self.granted_by)
                .with("rank", rank)
                .with("required_rank", required));
        }
        let actual = self.actual_minor.unwrap_or_default();
        let posting = match actual {
            Minor::ZERO => None,
            amount => {
                let paid = Money { amount, currency: self.currency };
                let ledger = means.purse.open(paid, now)?;
                Some(ledger.restore(&self.splits, self.purpose()).close())
            }
        };
        let budgets = means.budgets.post(BudgetAct::Restore(actual), self.id);
        let reversed = Self { reversal_reason: Some(reason), ..self };
        let change = reversed.settled("reverse", GestureState::Reversed, now);
        Ok(GestureDecision { change, approval: None, posting, budgets })
    }

    /// It is not carried out, and what was held for it is free again.
    pub(super) fn given_up(
        self,
        action: &'static str,
        to: GestureState,
        means: Means,
        now: Timestamp,
    ) -> Result<GestureDecision, Refusal> {
        let reason = match to {
            GestureState::Rejected => EntryReason::GestureRejected,
            GestureState::Cancelled => EntryReason::GestureCancelled,
            GestureState::Expired
            | GestureState::Parked
            | GestureState::PendingApproval
            | GestureState::Approved
            | GestureState::Fulfilled
            | GestureState::Reversed => EntryReason::GestureExpired,
        };
        let posting = if self.splits.is_empty() {
            None
        } else {
            let ledger = means.purse.open(self.estimate(), now)?;
            Some(ledger.release(&self.splits, self.purpose(), reason).close())
        };
        let budgets = means.budgets.post(BudgetAct::Release(self.estimate_minor), self.id);
        let change = Self { splits: Vec::new(), ..self }.settled(action, to, now);
        Ok(GestureDecision { change, approval: None, posting, budgets })
    }

    /// Nothing more happens with it.
    fn settled(self, action: &'static str, to: GestureState, now: Timestamp) -> Change<Self> {
        let from = self.state;
        let settled = Self { state: to, settled_at: Some(now), escalates_at: None, ..self };
        let settled = Self { expires_at: None, ..settled };
        Change::new(action, settled).moved(from, to)
    }

    /// Pays `actual`, and says from which lots; what is left of the estimate is released.
    fn pay(
        &self,
        actual: Money,
        purse: Purse,
        now: Timestamp,
    ) -> Result<(Option<Posting>, Vec<LotSplit>), Refusal> {
        if self.estimate_minor.max(actual.amount) == Minor::ZERO {
            return Ok((None, Vec::new()));
        }
        let ledger = purse.open(actual, now)?;
        let (ledger, paid) = ledger.capture(actual, &self.splits, self.purpose())?;
        Ok((Some(ledger.close()), paid))
    }

    fn pay_from_budgets(
        &self,
        actual: Money,
        budgets: Budgets,
    ) -> Result<Vec<BudgetPosting>, Refusal> {
        let held = self.estimate_minor;
        let more = actual.amount.less(held);
        let short = budgets.short_of(more);
        if !short.is_empty() {
            let names: Vec<_> = short.iter().map(|failure| failure.limit).collect();
            return Err(Refusal::new(&GESTURE_OVER_BUDGET)
                .with("asked", Money { amount: more, ..actual })
                .with("beyond", names)
                .with("failed_limits", short));
        }
        Ok(budgets.post(BudgetAct::Capture { held, actual: actual.amount }, self.id))
    }

    fn expect_open(&self) -> Result<(), Refusal> {
        let allowed = self.state.allowed_transitions();
        if allowed.contains(&"cancel") {
            return Ok(());
        }
        Err(illegal(self.state, allowed))
    }
}
