//! Table `cancellation_case`: sales that customers do not want any more.

use crate::{Fault, Tenant, listed, table, table::word, words};
use domain::{
    cancellations::{CancellationCase, CancellationState},
    identity::Rank,
    ids::{CustomerId, DealerId, GestureId, OrderId, StaffId},
    money::{Currency, Minor},
    text::Prose,
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    Select,
};
use uuid::Uuid;

words!(CancellationState);

table! {
    /// Cancellations.
    cancellation_case = "cancellation_case" of CancellationCase {
        order_id: OrderId,
        customer_id: CustomerId,
        dealer_id: DealerId,
        currency: Currency,
        reason: Prose,
        deposit_minor: Minor,
        penalty_minor: Minor,
        penalty_waived_minor: Minor,
        retention_attempts: u32,
        retention_offer: Option<Prose>,
        gesture_id: Option<GestureId>,
        state: CancellationState,
        refund_due_at: Timestamp,
        local_refund_due: String,
        owner_id: Option<StaffId>,
        escalated_rank: Option<Rank>,
        escalated_staff_id: Option<StaffId>,
        refunding_at: Option<Timestamp>,
        refunded_on: Option<CivilDate>,
        refund_minor: Option<Minor>,
        closed_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

listed! {
    CancellationCase = cancellation_case [CreatedAt; RefundDueAt] usually newest;
}

/// Which cancellations are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct CancellationsWanted {
    /// Those that stand here.
    pub state: Option<CancellationState>,
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those this dealer's people see to.
    pub dealer_id: Option<DealerId>,
    /// Those of this sale.
    pub order_id: Option<OrderId>,
    /// Those that have gone up to this person.
    pub escalated_staff_id: Option<StaffId>,
}

/// Cancellations as `wanted`.
pub fn cancellations(wanted: CancellationsWanted) -> Select<cancellation_case::Entity> {
    use cancellation_case::Column as Is;
    let up = wanted.escalated_staff_id;
    cancellation_case::Entity::find()
        .apply_if(wanted.state, |all, state| all.filter(Is::State.eq(word(&state))))
        .apply_if(wanted.customer_id, |all, id| all.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.order_id, |all, id| all.filter(Is::OrderId.eq(Uuid::from(id))))
        .apply_if(up, |all, id| all.filter(Is::EscalatedStaffId.eq(Uuid::from(id))))
}

/// The cancellation of a sale that is not over.
pub fn open_of(order: OrderId) -> Select<cancellation_case::Entity> {
    cancellations(CancellationsWanted { order_id: Some(order), ..CancellationsWanted::default() })
        .filter(
            cancellation_case::Column::State
                .is_in(CancellationState::OPEN.map(|state| word(&state))),
        )
}

/// The cancellations of a sale in which the customer was asked to stay: the one in which they were, and those after it.
pub fn asked_to_stay(order: OrderId) -> Select<cancellation_case::Entity> {
    cancellations(CancellationsWanted { order_id: Some(order), ..CancellationsWanted::default() })
        .filter(cancellation_case::Column::RetentionAttempts.gt(0))
}

/// The cancellation whose refund has begun because this gesture waives the penalty.
pub fn resting_on(gesture: GestureId) -> Select<cancellation_case::Entity> {
    use cancellation_case::Column as Is;
    cancellation_case::Entity::find()
        .filter(Is::GestureId.eq(Uuid::from(gesture)))
        .filter(Is::RefundingAt.is_not_null())
}

impl Tenant {
    /// Whether a customer has paid for something that they have not given back, or has something of the brand's.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn has_bought(&self, customer: CustomerId) -> Result<bool, Fault> {
        // What is scrapped, given back or sold on they do not have any more.
        let sql = "SELECT EXISTS (SELECT FROM sales_order WHERE tenant_id = ac.tenant() AND customer_id = $1
                                  AND status IN ('paid', 'delivered'))
                       OR EXISTS (SELECT FROM asset WHERE tenant_id = ac.tenant() AND customer_id = $1
                                  AND status = 'active' AND delivered_on IS NOT NULL) AS has_bought";
        let statement = self.statement(sql, [Uuid::from(customer).into()]);
        let row = self.work().query_one_raw(statement).await?;
        Ok(row.map_or(Ok(false), |row| row.try_get("", "has_bought"))?)
    }
}
