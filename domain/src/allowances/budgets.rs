//! Budgets: what a team, a dealer or the brand spends on gestures at most, above the customers' accounts.
//!
//! A gesture is paid from the customer's account, and counts against every budget that it falls under. Where
//! there is no budget, nothing is counted. When a budget is short the gesture is parked, and goes on by
//! itself when money arrives.

use super::authority::{GestureLimit, LimitFailure};
use crate::{
    change::Change,
    event::Event,
    ids::{AllowanceBudgetEntryId, AllowanceBudgetId, DealerId, GestureId, TeamId},
    money::{Currency, MOST_MINOR, Minor, Money},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More is to be taken out of a budget than is free in it.
pub static BUDGET_SHORT: Rule = Rule {
    code: "budget_short",
    kind: Kind::Conflict,
    title: Bilingual { en: "The budget has less", zh: "预算不足" },
    detail: Bilingual {
        en: "{asked} was asked for; {available} is free in this budget.",
        zh: "申请 {asked}，该预算可用 {available}。",
    },
    advice: Bilingual {
        en: "Take out less, or cancel gestures that hold a part of it.",
        zh: "请减少金额，或撤销占用该预算的申请。",
    },
};

/// More is put into a budget than an amount can say.
pub static BUDGET_FULL: Rule = Rule {
    code: "budget_full",
    kind: Kind::Conflict,
    title: Bilingual { en: "The budget is full", zh: "预算已达上限" },
    detail: Bilingual {
        en: "A budget holds at most {most_minor} minor units.",
        zh: "预算最多为 {most_minor}（最小货币单位）。",
    },
    advice: Bilingual { en: "Put less into it.", zh: "请减少拨入金额。" },
};

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetOwner {
    /// People of one team.
    Team,
    /// Everybody at a dealer.
    Dealer,
    /// Everybody.
    Brand,
}

/// What somebody may spend on gestures in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "bud_01m80t7jx3e9vbq2f4c6d8g0hk", "owner": "dealer",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "team_id": null, "currency": "CNY", "balance_minor": 500_000,
    "held_minor": 3000, "available_minor": 497_000, "created_at": "2026-11-22T09:30:00Z", "version": 3})))]
pub struct AllowanceBudget {
    /// The identifier.
    pub id: AllowanceBudgetId,
    /// Whose it is.
    pub owner: BudgetOwner,
    /// The dealer, or that of the team; null for the brand's.
    pub dealer_id: Option<DealerId>,
    /// The team.
    pub team_id: Option<TeamId>,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// What was put into it and is not spent.
    pub balance_minor: Minor,
    /// The part of the balance that is promised to gestures.
    pub held_minor: Minor,
    /// What may still be promised.
    pub available_minor: Minor,
    /// When it was set up.
    pub created_at: Timestamp,
    /// How often money moved in it.
    pub version: Version,
}

/// Whose budget is to be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY"})))]
pub struct AllowanceBudgetRequest {
    /// A dealer's; leave both out for the brand's own.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// A team's; its dealer follows from it.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// The currency of every amount in it. There is one budget for each owner and currency.
    pub currency: Currency,
}

/// Money that is put into a budget, or taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"amount_minor": 500_000, "reason": "December"})))]
pub struct BudgetTransfer {
    /// How much.
    pub amount_minor: Minor,
    /// Why.
    pub reason: Line,
}

/// One line of a budget; written once, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "ben_01m80t7jx3e9vbq2f4c6d8g0hk", "budget_id": "bud_01m80t7jx3e9vbq2f4c6d8g0hk",
    "kind": "hold", "gesture_id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk", "reason": null,
    "balance_change_minor": 0, "held_change_minor": 3000, "balance_after_minor": 500_000,
    "held_after_minor": 3000, "actor": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "at": "2026-11-22T09:30:00Z"})))]
pub struct AllowanceBudgetEntry {
    /// The identifier.
    pub id: AllowanceBudgetEntryId,
    /// The budget.
    pub budget_id: AllowanceBudgetId,
    /// What moved.
    #[serde(flatten)]
    pub movement: BudgetMovement,
    /// Who did it: a person, a key, or `worker`.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// What moved in a budget, and what was there afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BudgetMovement {
    /// What was done.
    pub kind: BudgetEntryKind,
    /// For which gesture.
    pub gesture_id: Option<GestureId>,
    /// Why, when somebody put money in or took it out.
    pub reason: Option<Line>,
    /// By how many minor units the balance changed.
    pub balance_change_minor: i64,
    /// By how many minor units the held part changed.
    pub held_change_minor: i64,
    /// The balance afterwards.
    pub balance_after_minor: Minor,
    /// The held part afterwards.
    pub held_after_minor: Minor,
    /// What makes it impossible to do it twice.
    #[serde(skip)]
    pub idempotency_key: String,
}

/// What was done to a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetEntryKind {
    /// Money was put in.
    Fund,
    /// Money was taken out.
    Withdraw,
    /// Something was promised to a gesture.
    Hold,
    /// A promise was taken back.
    Release,
    /// A gesture was paid.
    Capture,
    /// A payment was taken back.
    Adjust,
}

/// What moved in a budget, to be recorded as one piece.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a posting that is not recorded has not happened"]
pub struct BudgetPosting {
    /// The budget, with the line for its timeline.
    pub change: Change<AllowanceBudget>,
    /// The line of the budget.
    pub movement: BudgetMovement,
}

/// The budgets that a gesture falls under, locked until the end of the transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budgets(Vec<AllowanceBudget>);

/// What is done to every budget of a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetAct {
    /// Its estimate is promised.
    Hold(Minor),
    /// The promise is taken back.
    Release(Minor),
    /// Its cost is paid, and the rest of what was promised released.
    Capture {
        /// What was promised.
        held: Minor,
        /// What it has cost.
        actual: Minor,
    },
    /// Its cost is given back.
    Restore(Minor),
}

impl AllowanceBudget {
    /// Sets up an empty budget; `dealer_id` is that of the team, when it is a team's.
    pub fn open(
        id: AllowanceBudgetId,
        request: AllowanceBudgetRequest,
        dealer_id: Option<DealerId>,
        now: Timestamp,
    ) -> Change<Self> {
        let owner = match (request.team_id, dealer_id) {
            (Some(_), _) => BudgetOwner::Team,
            (None, Some(_)) => BudgetOwner::Dealer,
            (None, None) => BudgetOwner::Brand,
        };
        Change::created(Self {
            id,
            owner,
            dealer_id,
            team_id: request.team_id,
            currency: request.currency,
            balance_minor: Minor::ZERO,
            held_minor: Minor::ZERO,
            available_minor: Minor::ZERO,
            created_at: now,
            version: Version::FIRST,
        })
        .with("owner", owner)
        .with("currency", request.currency)
    }

    /// Puts money in; gestures that wait for it go on. `line` names the entry.
    ///
    /// # Errors
    ///
    /// `budget_full` above what an amount can say.
    pub fn fund(
        self,
        transfer: BudgetTransfer,
        line: AllowanceBudgetEntryId,
    ) -> Result<BudgetPosting, Refusal> {
        let amount = transfer.amount_minor;
        if self.balance_minor.get().saturating_add(amount.get()) > MOST_MINOR {
            return Err(Refusal::new(&BUDGET_FULL)
                .with("most_minor", MOST_MINOR)
                .at("/amount_minor"));
        }
        let budget = self.id;
        let posting = self.transfer(BudgetEntryKind::Fund, amount.get(), transfer.reason, line);
        let change = posting.change.emits(Event::BudgetFunded { budget, after: None });
        Ok(BudgetPosting { change, ..posting })
    }

    /// Takes money out that is not promised.
    ///
    /// # Errors
    ///
    /// `budget_short` when less is free.
    pub fn withdraw(
        self,
        transfer: BudgetTransfer,
        line: AllowanceBudgetEntryId,
    ) -> Result<BudgetPosting, Refusal> {
        let amount = transfer.amount_minor;
        if amount > self.available_minor {
            let of = |amount| Money { amount, currency: self.currency };
            return Err(Refusal::new(&BUDGET_SHORT)
                .with("asked", of(amount))
                .with("available", of(self.available_minor))
                .at("/amount_minor"));
        }
        let change = amount.get().saturating_neg();
        Ok(self.transfer(BudgetEntryKind::Withdraw, change, transfer.reason, line))
    }

    fn transfer(
        self,
        kind: BudgetEntryKind,
        change: i64,
        reason: Line,
        line: AllowanceBudgetEntryId,
    ) -> BudgetPosting {
        let key = format!("{}:{line}", kind.verb());
        let posting = self.move_by(kind, (change, 0), None, key);
        let movement = BudgetMovement { reason: Some(reason), ..posting.movement };
        BudgetPosting { movement, ..posting }
    }

    fn move_by(
        self,
        kind: BudgetEntryKind,
        (balance, held): (i64, i64),
        gesture_id: Option<GestureId>,
        key: String,
    ) -> BudgetPosting {
        let balance_minor = self.balance_minor.changed(balance);
        let held_minor = self.held_minor.changed(held);
        let available_minor = balance_minor.less(held_minor);
        let budget = Self { balance_minor, held_minor, available_minor, ..self };
        let movement = BudgetMovement {
            kind,
            gesture_id,
            reason: None,
            balance_change_minor: balance,
            held_change_minor: held,
            balance_after_minor: balance_minor,
            held_after_minor: held_minor,
            idempotency_key: key,
        };
        let change = Change::new(kind.verb(), budget)
            .with("balance_change_minor", balance)
            .with("held_change_minor", held);
        BudgetPosting { change, movement }
    }
}

impl Budgets {
    /// These budgets, of which a gesture falls under each.
    pub fn of(budgets: Vec<AllowanceBudget>) -> Self {
        Self(budgets)
    }

    /// Which they are.
    pub fn ids(&self) -> Vec<AllowanceBudgetId> {
        self.0.iter().map(|budget| budget.id).collect()
    }

    /// Those that have less than `asked`.
    pub fn short_of(&self, asked: Minor) -> Vec<LimitFailure> {
        let short = self.0.iter().filter(|budget| budget.available_minor < asked);
        short
            .map(|budget| {
                LimitFailure::amount(budget.owner.limit(), budget.balance_minor, budget.held_minor)
            })
            .collect()
    }

    /// Does something to every budget of `gesture`; nothing when nothing moves. What becomes free lets others
    /// go on that wait.
    pub fn post(self, act: BudgetAct, gesture: GestureId) -> Vec<BudgetPosting> {
        let (kind, balance, held) = act.moves();
        if balance == 0 && held == 0 {
            return Vec::new();
        }
        let frees = balance.saturating_sub(held) > 0;
        self.0
            .into_iter()
            .map(|budget| {
                let id = budget.id;
                let key = format!("{}:{gesture}", kind.verb());
                let posting = budget.move_by(kind, (balance, held), Some(gesture), key);
                let change = posting.change.with("gesture_id", gesture);
                let change = if frees {
                    change.emits(Event::BudgetFunded { budget: id, after: None })
                } else {
                    change
                };
                BudgetPosting { change, ..posting }
            })
            .collect()
    }
}

impl BudgetAct {
    /// The kind of line, and how balance and held part change.
    fn moves(self) -> (BudgetEntryKind, i64, i64) {
        match self {
            Self::Hold(amount) => (BudgetEntryKind::Hold, 0, amount.get()),
            Self::Release(amount) => (BudgetEntryKind::Release, 0, amount.get().saturating_neg()),
            Self::Capture { held, actual } => (
                BudgetEntryKind::Capture,
                actual.get().saturating_neg(),
                held.get().saturating_neg(),
            ),
            Self::Restore(amount) => (BudgetEntryKind::Adjust, amount.get(), 0),
        }
    }
}

impl BudgetOwner {
    /// The limit that a gesture is beyond when the budget is short.
    fn limit(self) -> GestureLimit {
        match self {
            Self::Team => GestureLimit::TeamBudget,
            Self::Dealer => GestureLimit::DealerBudget,
            Self::Brand => GestureLimit::BrandBudget,
        }
    }
}

impl BudgetEntryKind {
    fn verb(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Withdraw => "withdraw",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Capture => "capture",
            Self::Adjust => "adjust",
        }
    }
}

impl Record for AllowanceBudget {
    type Id = AllowanceBudgetId;

    fn id(&self) -> AllowanceBudgetId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Record for AllowanceBudgetEntry {
    type Id = AllowanceBudgetEntryId;

    fn id(&self) -> AllowanceBudgetEntryId {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::{at, id, minor};

    fn budget(team: Option<u128>, dealer: Option<u128>) -> AllowanceBudget {
        let team_id = team.map(id);
        let request = AllowanceBudgetRequest { dealer_id: None, team_id, currency: Currency::CNY };
        AllowanceBudget::open(id(1), request, dealer.map(id), at("2026-01-01T00:00:00Z")).record
    }

    fn transfer(amount: i64) -> BudgetTransfer {
        BudgetTransfer { amount_minor: minor(amount), reason: "December".parse().unwrap() }
    }

    fn with(amount: i64) -> AllowanceBudget {
        budget(None, Some(3)).fund(transfer(amount), id(9)).unwrap().change.record
    }

    #[test]
    fn a_budget_is_a_team_s_a_dealer_s_or_the_brand_s() {
        assert_eq!(budget(Some(5), Some(3)).owner, BudgetOwner::Team);
        assert_eq!(budget(None, Some(3)).owner, BudgetOwner::Dealer);
        assert_eq!(budget(None, None).owner, BudgetOwner::Brand);
    }

    #[test]
    fn what_is_promised_cannot_be_taken_out() {
        let held = Budgets::of(vec![with(100)]).post(BudgetAct::Hold(minor(60)), id(4));
        let budget = held.into_iter().next().unwrap().change.record;
        assert_eq!((budget.balance_minor, budget.held_minor), (minor(100), minor(60)));
        let refusal = budget.clone().withdraw(transfer(41), id(9)).unwrap_err();
        assert_eq!(refusal.rule.code, "budget_short");
        assert_eq!(refusal.facts["available"]["amount"], 40);
        let left = budget.withdraw(transfer(40), id(9)).unwrap().change.record;
        assert_eq!((left.balance_minor, left.available_minor), (minor(60), minor(0)));
    }

    #[test]
    fn a_budget_holds_no_more_than_an_amount_can_say() {
        assert!(with(MOST_MINOR - 1).fund(transfer(1), id(9)).is_ok());
        let refusal = with(MOST_MINOR - 1).fund(transfer(2), id(9)).unwrap_err();
        assert_eq!(refusal.rule.code, "budget_full");
    }

    #[test]
    fn every_budget_that_is_short_is_told() {
        let team = AllowanceBudget { owner: BudgetOwner::Team, ..with(50) };
        let budgets = Budgets::of(vec![team, with(80)]);
        assert_eq!(budgets.short_of(minor(50)), []);
        let names = |asked| -> Vec<_> {
            budgets.short_of(minor(asked)).iter().map(|failure| failure.limit).collect()
        };
        assert_eq!(names(51), [GestureLimit::TeamBudget]);
        assert_eq!(names(81), [GestureLimit::TeamBudget, GestureLimit::DealerBudget]);
    }

    #[test]
    fn what_becomes_free_lets_others_go_on() {
        let frees = |act| {
            let held = Budgets::of(vec![with(100)]).post(BudgetAct::Hold(minor(60)), id(4));
            let budget = held.into_iter().next().unwrap().change.record;
            let posting = Budgets::of(vec![budget]).post(act, id(4)).remove(0);
            (posting.change.record.available_minor.get(), !posting.change.events.is_empty())
        };
        assert_eq!(frees(BudgetAct::Release(minor(60))), (100, true));
        let paid = |actual: i64| BudgetAct::Capture { held: minor(60), actual: minor(actual) };
        assert_eq!(frees(paid(50)), (50, true));
        assert_eq!(frees(paid(60)), (40, false));
        assert_eq!(frees(paid(70)), (30, false));
        assert_eq!(frees(BudgetAct::Restore(minor(10))), (50, true));
        let zero = BudgetAct::Release(minor(0));
        assert_eq!(Budgets::of(vec![with(1)]).post(zero, id(4)), []);
    }
}
