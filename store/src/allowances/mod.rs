//! Tables of allowances: policies, accounts with their lots and entries, limits, gestures.

mod budgets;
mod gestures;
mod ledger;
mod reports;

pub use budgets::{WantedBudgets, budgets, entries_of_budget};
pub use gestures::{Granting, gesture_rules};
pub use ledger::{WantedShortfalls, shortfalls};

use crate::{Fault, Tenant, listed, numbers, table, table::Stored, words};
use domain::{
    allowances::{
        accounts::{
            AllowanceAccount, AllowanceEntry, AllowanceMovement, EntryDocument, EntryKind,
            EntryReason,
        },
        authority::{AuthorityLimit, AuthorityLimitDetails, GestureCount, LimitFailure},
        budgets::{
            AllowanceBudget, AllowanceBudgetEntry, BudgetEntryKind, BudgetMovement, BudgetOwner,
        },
        gestures::{
            Approval, ApprovalDecision, Gesture, GestureInterest, GestureKind, GestureState,
        },
        guard::{GestureRules, GestureRulesDetails},
        lots::{AllowanceLot, AllowanceLotState, AllowanceShortfall, LotPurpose, LotSplit},
        policy::{
            AllowanceBase, AllowancePolicy, AllowancePolicyDetails, AllowancePolicyState,
            Succession,
        },
        tiers::{AllowanceTiers, LotExpiryDays},
    },
    identity::{Rank, Role},
    ids::{
        AllowanceAccountId, AllowanceBudgetId, AllowanceLotId, ComplaintId, CustomerId, DealerId,
        GestureId, GiftItemId, OrderLineId, ServiceItemId, StaffId, TeamId,
    },
    inventory::ServiceCategory,
    money::{BasisPoints, Currency, Minor},
    text::{Line, Prose},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    Select,
};
use uuid::Uuid;

table! {
    /// How allowances are earned.
    allowance_policy = "allowance_policy" of AllowancePolicy {
        [details: AllowancePolicyDetails {
            currency: Currency,
            base: AllowanceBase,
            tiers: AllowanceTiers,
            fallback_price_bp: BasisPoints,
            least_per_order_minor: Minor,
            most_per_order_minor: Option<Minor>,
            expiry_days: Option<LotExpiryDays>,
        }],
        number: u32,
        state: AllowancePolicyState,
        activated_at: Option<Timestamp>,
        retired_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// What is set aside for a customer.
    allowance_account = "allowance_account" of AllowanceAccount {
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        currency: Currency,
        balance_minor: Minor,
        held_minor: Minor,
        available_minor: Minor,
        pending_minor: Minor,
        created_at: Timestamp,
    } versioned
}

table! {
    /// What an order line has earned, instalment by instalment.
    allowance_lot = "allowance_lot" of AllowanceLot {
        account_id: AllowanceAccountId,
        order_line_id: OrderLineId,
        instalment: u32,
        purpose: LotPurpose,
        tangible_allowed: bool,
        margin_minor: Option<Minor>,
        seller_id: Option<DealerId>,
        amount_minor: Minor,
        remaining_minor: Minor,
        held_minor: Minor,
        spent_minor: Minor,
        active_from: Timestamp,
        expires_at: Option<Timestamp>,
        state: AllowanceLotState,
        created_at: Timestamp,
    } versioned
}

table! {
    /// How money moved on an account.
    allowance_entry = "allowance_entry" of AllowanceEntry {
        [movement: AllowanceMovement {
            kind: EntryKind,
            reason: EntryReason,
            document: EntryDocument,
            interest: Option<GestureInterest>,
            lot_id: Option<AllowanceLotId>,
            balance_change_minor: i64,
            held_change_minor: i64,
            pending_change_minor: i64,
            balance_after_minor: Minor,
            held_after_minor: Minor,
            idempotency_key: String,
        }],
        account_id: AllowanceAccountId,
        actor: String,
        at: Timestamp,
    } append_only
}

table! {
    /// What a sale that was given back had paid for already.
    allowance_shortfall = "allowance_shortfall" of AllowanceShortfall {
        account_id: AllowanceAccountId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        order_line_id: OrderLineId,
        lot_id: AllowanceLotId,
        currency: Currency,
        amount_minor: i64,
        idempotency_key: String,
        at: Timestamp,
    } append_only
}

table! {
    /// How much a role or a person may grant alone.
    authority_limit = "authority_limit" of AuthorityLimit {
        [details: AuthorityLimitDetails {
            role: Option<Role>,
            staff_id: Option<StaffId>,
            currency: Currency,
            kind: Option<GestureKind>,
            category: Option<ServiceCategory>,
            margin_from_minor: Option<Minor>,
            margin_to_minor: Option<Minor>,
            per_request_minor: Minor,
            per_day_minor: Option<Minor>,
            per_month_minor: Option<Minor>,
            per_customer_month_minor: Option<Minor>,
            per_customer_month_count: Option<GestureCount>,
            unlimited: bool,
            valid_from_on: Option<CivilDate>,
            valid_to_on: Option<CivilDate>,
        }],
        created_at: Timestamp,
    } versioned
}

table! {
    /// What the brand says about gestures.
    gesture_rules = "gesture_rules" of GestureRules {
        [details: GestureRulesDetails {
            currency: Currency,
            most_gift_minor: Option<Minor>,
            most_gift_share_bp: Option<BasisPoints>,
            small_gift_minor: Minor,
            gifts_per_customer_year: Option<GestureCount>,
            tolerance_bp: BasisPoints,
        }],
        created_at: Timestamp,
    } versioned
}

table! {
    /// What a team, a dealer or the brand may spend on gestures.
    allowance_budget = "allowance_budget" of AllowanceBudget {
        owner: BudgetOwner,
        dealer_id: Option<DealerId>,
        team_id: Option<TeamId>,
        currency: Currency,
        balance_minor: Minor,
        held_minor: Minor,
        available_minor: Minor,
        created_at: Timestamp,
    } versioned
}

table! {
    /// How money moved in a budget.
    allowance_budget_entry = "allowance_budget_entry" of AllowanceBudgetEntry {
        [movement: BudgetMovement {
            kind: BudgetEntryKind,
            gesture_id: Option<GestureId>,
            reason: Option<Line>,
            balance_change_minor: i64,
            held_change_minor: i64,
            balance_after_minor: Minor,
            held_after_minor: Minor,
            idempotency_key: String,
        }],
        budget_id: AllowanceBudgetId,
        actor: String,
        at: Timestamp,
    } append_only
}

table! {
    /// Personal services and gifts.
    gesture = "gesture" of Gesture {
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        complaint_id: Option<ComplaintId>,
        kind: GestureKind,
        service_item_id: Option<ServiceItemId>,
        gift_id: Option<GiftItemId>,
        category: Option<ServiceCategory>,
        tangible: bool,
        problem_solved: Prose,
        interest: GestureInterest,
        currency: Currency,
        estimate_minor: Minor,
        perceived_value_minor: Option<Minor>,
        actual_minor: Option<Minor>,
        splits: Vec<LotSplit>,
        budget_ids: Vec<AllowanceBudgetId>,
        state: GestureState,
        requester_id: StaffId,
        team_id: Option<TeamId>,
        asked_by: String,
        failed_limits: Vec<LimitFailure>,
        required_rank: Option<Rank>,
        approval_step: u32,
        granted_by: Option<String>,
        reversal_reason: Option<Line>,
        escalates_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        approved_at: Option<Timestamp>,
        settled_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// A higher rank's word on a gesture.
    approval = "approval" of Approval {
        gesture_id: GestureId,
        step: u32,
        asked_by: String,
        approver: String,
        rank: Rank,
        decision: ApprovalDecision,
        comment: Option<Line>,
        at: Timestamp,
    } append_only
}

listed! {
    AllowancePolicy = allowance_policy [CreatedAt; Number] usually newest;
    AllowanceAccount = allowance_account [CreatedAt;] usually newest;
    AllowanceLot = allowance_lot [CreatedAt; ActiveFrom] usually oldest;
    AllowanceEntry = allowance_entry [At;] usually newest;
    AllowanceShortfall = allowance_shortfall [At;] usually newest;
    AuthorityLimit = authority_limit [CreatedAt;] usually oldest;
    GestureRules = gesture_rules [CreatedAt;] usually oldest;
    AllowanceBudget = allowance_budget [CreatedAt;] usually oldest;
    AllowanceBudgetEntry = allowance_budget_entry [At;] usually newest;
    Gesture = gesture [CreatedAt;] usually newest;
    Approval = approval [At; Step] usually oldest;
}

words!(
    AllowanceBase,
    AllowancePolicyState,
    AllowanceLotState,
    LotPurpose,
    EntryKind,
    EntryReason,
    BudgetOwner,
    BudgetEntryKind,
    GestureInterest,
    GestureKind,
    GestureState,
    ApprovalDecision,
);

crate::documents!(AllowanceTiers, Vec<LotSplit>, Vec<AllowanceBudgetId>, Vec<LimitFailure>);
numbers!(LotExpiryDays, GestureCount);

/// A document is known by its identifier, which says its kind.
impl Stored for EntryDocument {
    type Sql = String;

    fn to_sql(&self) -> String {
        match self {
            Self::OrderLine(id) => id.to_string(),
            Self::Gesture(id) => id.to_string(),
            Self::Lot(id) => id.to_string(),
        }
    }

    fn from_sql(sql: String) -> Result<Self, String> {
        let line = sql.parse().map(Self::OrderLine);
        line.or_else(|_| sql.parse().map(Self::Gesture))
            .or_else(|_| sql.parse().map(Self::Lot))
            .map_err(|mistake| mistake.message)
    }
}

/// Policies, of one currency or in one state where these are given.
pub fn policies(
    currency: Option<Currency>,
    state: Option<AllowancePolicyState>,
) -> Select<allowance_policy::Entity> {
    let mut select = allowance_policy::Entity::find();
    if let Some(currency) = currency {
        select = select.filter(allowance_policy::Column::Currency.eq(currency.to_string()));
    }
    if let Some(state) = state {
        select = select.filter(allowance_policy::Column::State.eq(table::word(&state)));
    }
    select
}

/// Accounts, of one customer or of one dealer's customers where these are given.
pub fn accounts(
    customer: Option<CustomerId>,
    dealer: Option<DealerId>,
) -> Select<allowance_account::Entity> {
    use allowance_account::Column as C;
    allowance_account::Entity::find()
        .apply_if(customer, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(dealer, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
}

/// Lots of an account.
pub fn lots_of(account: AllowanceAccountId) -> Select<allowance_lot::Entity> {
    allowance_lot::Entity::find().filter(allowance_lot::Column::AccountId.eq(Uuid::from(account)))
}

/// Lines of an account.
pub fn entries_of(account: AllowanceAccountId) -> Select<allowance_entry::Entity> {
    allowance_entry::Entity::find()
        .filter(allowance_entry::Column::AccountId.eq(Uuid::from(account)))
}

/// Limits of authority, of one role where it is given.
pub fn limits(role: Option<Role>) -> Select<authority_limit::Entity> {
    let select = authority_limit::Entity::find();
    match role {
        Some(role) => select.filter(authority_limit::Column::Role.eq(table::word(&role))),
        None => select,
    }
}

/// Limits of authority in one currency.
pub fn limits_in(currency: Currency) -> Select<authority_limit::Entity> {
    limits(None).filter(authority_limit::Column::Currency.eq(currency.to_string()))
}

/// Limits of authority, of one role or one person where these are given.
pub fn limits_of(role: Option<Role>, staff_id: Option<StaffId>) -> Select<authority_limit::Entity> {
    limits(role).apply_if(staff_id, |all, id| {
        all.filter(authority_limit::Column::StaffId.eq(Uuid::from(id)))
    })
}

/// Which gestures are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedGestures {
    /// Those for one customer.
    pub customer_id: Option<CustomerId>,
    /// Those that one dealer's people see.
    pub dealer_id: Option<DealerId>,
    /// Those about one complaint.
    pub complaint_id: Option<ComplaintId>,
    /// Those in one state.
    pub state: Option<GestureState>,
    /// Those of one kind.
    pub kind: Option<GestureKind>,
    /// Those that do one service of the inventory.
    pub service_item_id: Option<ServiceItemId>,
    /// Those that give one gift of the catalogue.
    pub gift_id: Option<GiftItemId>,
    /// Those in one person's name.
    pub requester_id: Option<StaffId>,
}

/// Gestures.
pub fn gestures(wanted: WantedGestures) -> Select<gesture::Entity> {
    use gesture::Column as C;
    gesture::Entity::find()
        .apply_if(wanted.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.complaint_id, |all, id| all.filter(C::ComplaintId.eq(Uuid::from(id))))
        .apply_if(wanted.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(wanted.kind, |all, kind| all.filter(C::Kind.eq(table::word(&kind))))
        .apply_if(wanted.service_item_id, |all, id| all.filter(C::ServiceItemId.eq(Uuid::from(id))))
        .apply_if(wanted.gift_id, |all, id| all.filter(C::GiftId.eq(Uuid::from(id))))
        .apply_if(wanted.requester_id, |all, id| all.filter(C::RequesterId.eq(Uuid::from(id))))
}

/// What was said about a gesture.
pub fn approvals_of(gesture: GestureId) -> Select<approval::Entity> {
    approval::Entity::find().filter(approval::Column::GestureId.eq(Uuid::from(gesture)))
}

impl Tenant {
    /// The number of the next policy for `currency`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn next_policy_number(&self, currency: Currency) -> Result<u32, Fault> {
        let sql = "SELECT coalesce(max(number), 0) + 1 AS number FROM allowance_policy
                   WHERE tenant_id = ac.tenant() AND currency = $1";
        let statement = self.statement(sql, [currency.to_string().into()]);
        let row = self.work().query_one_raw(statement).await?;
        let number: i32 = row.map_or(Ok(1), |row| row.try_get("", "number"))?;
        Ok(u32::from_sql(number).unwrap_or(u32::MAX))
    }

    /// The policy that counts for sales in `currency`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn active_policy(
        &self,
        currency: Currency,
    ) -> Result<Option<AllowancePolicy>, Fault> {
        self.find(policies(Some(currency), Some(AllowancePolicyState::Active))).await
    }

    /// Records that one policy follows another; answers the one that counts now.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or another policy became active at the same time.
    pub async fn succeed(&self, succession: Succession) -> Result<AllowancePolicy, Fault> {
        if let Some(retired) = succession.retired {
            self.record(retired).await?;
        }
        self.record(succession.activated).await
    }
}
