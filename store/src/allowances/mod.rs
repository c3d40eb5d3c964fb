//! Tables of allowances: policies, accounts with their lots and entries, limits, gestures.

mod gestures;
mod ledger;

use crate::{Fault, Tenant, listed, table, table::Stored, words};
use domain::{
    allowances::{
        accounts::{
            AllowanceAccount, AllowanceEntry, AllowanceLot, AllowanceLotState, AllowanceMovement,
            EntryDocument, EntryKind, EntryReason,
        },
        accrual::{AllowanceTiers, LotExpiryDays},
        authority::{AuthorityLimit, AuthorityLimitDetails, BeyondLimit},
        gestures::{Approval, ApprovalDecision, Gesture, GestureKind, GestureState},
        policy::{
            AllowanceBase, AllowancePolicy, AllowancePolicyDetails, AllowancePolicyState,
            Succession,
        },
    },
    identity::{Rank, Role},
    ids::{
        AllowanceAccountId, AllowanceLotId, ComplaintId, CustomerId, DealerId, GestureId,
        OrderLineId, StaffId,
    },
    money::{BasisPoints, Currency, Minor},
    text::{Line, Prose},
    time::Timestamp,
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
        created_at: Timestamp,
    } versioned
}

table! {
    /// What an order line has earned.
    allowance_lot = "allowance_lot" of AllowanceLot {
        account_id: AllowanceAccountId,
        order_line_id: OrderLineId,
        amount_minor: Minor,
        remaining_minor: Minor,
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
            lot_id: Option<AllowanceLotId>,
            balance_change_minor: i64,
            held_change_minor: i64,
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
    /// How much a role may grant alone.
    authority_limit = "authority_limit" of AuthorityLimit {
        [details: AuthorityLimitDetails {
            role: Role,
            currency: Currency,
            per_request_minor: Minor,
            per_customer_month_minor: Option<Minor>,
            unlimited: bool,
        }],
        created_at: Timestamp,
    } versioned
}

table! {
    /// Personal services and gifts.
    gesture = "gesture" of Gesture {
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        complaint_id: Option<ComplaintId>,
        kind: GestureKind,
        problem_solved: Prose,
        currency: Currency,
        estimate_minor: Minor,
        actual_minor: Option<Minor>,
        state: GestureState,
        requester_id: StaffId,
        asked_by: String,
        beyond: Option<BeyondLimit>,
        required_rank: Option<Rank>,
        approval_step: u32,
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
    AuthorityLimit = authority_limit [CreatedAt;] usually oldest;
    Gesture = gesture [CreatedAt;] usually newest;
    Approval = approval [At; Step] usually oldest;
}

words!(
    AllowanceBase,
    AllowancePolicyState,
    AllowanceLotState,
    EntryKind,
    EntryReason,
    BeyondLimit,
    GestureKind,
    GestureState,
    ApprovalDecision,
);

crate::documents!(AllowanceTiers);

impl Stored for LotExpiryDays {
    type Sql = i32;

    fn to_sql(&self) -> i32 {
        self.get().to_sql()
    }

    fn from_sql(sql: i32) -> Result<Self, String> {
        Self::new(u32::from_sql(sql)?).map_err(|mistake| mistake.message)
    }
}

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
}

/// Gestures.
pub fn gestures(wanted: WantedGestures) -> Select<gesture::Entity> {
    use gesture::Column as C;
    gesture::Entity::find()
        .apply_if(wanted.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.complaint_id, |all, id| all.filter(C::ComplaintId.eq(Uuid::from(id))))
        .apply_if(wanted.state, |all, state| all.filter(C::State.eq(table::word(&state))))
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
