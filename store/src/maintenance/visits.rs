//! Tables `work_order` and `appointment`.

use crate::{documents, listed, table, table::Stored, words};
use domain::{
    ids::{
        AppointmentId, AssetId, CustomerId, DealerId, OccurrenceId, SiteId, SopId, SopRunId,
        StaffId, WorkOrderId,
    },
    maintenance::{
        appointments::{Appointment, AppointmentState},
        availability::Span,
        given_back::GiveBackCause,
        numbers::VisitMinutes,
        slots::{SearchFailure, Slot, VisitReason},
        work_details::{WorkOrderDetails, WorkOrderKind},
        work_orders::{CancelCause, WorkOrder, WorkOrderState},
    },
    text::{Line, Prose},
    time::{CivilDate, Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
};
use uuid::Uuid;

words!(WorkOrderKind, WorkOrderState, AppointmentState, SearchFailure, CancelCause, GiveBackCause,);
documents!(VisitReason);

impl Stored for VisitMinutes {
    type Sql = i32;

    fn to_sql(&self) -> i32 {
        i32::try_from(self.get()).unwrap_or(i32::MAX)
    }

    fn from_sql(sql: i32) -> Result<Self, String> {
        let minutes = u32::try_from(sql).map_err(|error| error.to_string())?;
        Self::new(minutes).map_err(|mistake| mistake.message)
    }
}

table! {
    /// What is to be done.
    work_order = "work_order" of WorkOrder {
        [details: WorkOrderDetails {
            kind: WorkOrderKind,
            customer_id: CustomerId,
            asset_id: Option<AssetId>,
            dealer_id: Option<DealerId>,
            site_id: Option<SiteId>,
            window_from_on: CivilDate,
            window_to_on: CivilDate,
            preferred_on: CivilDate,
            duration_minutes: VisitMinutes,
            sop_id: Option<SopId>,
            note: Option<Prose>,
        }],
        number: String,
        occurrence_id: Option<OccurrenceId>,
        staff_id: Option<StaffId>,
        state: WorkOrderState,
        searches: u32,
        unscheduled_because: Option<SearchFailure>,
        cancelled_because: Option<CancelCause>,
        cancel_note: Option<Line>,
        sop_run_id: Option<SopRunId>,
        completed_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// When it is to be done, and by whom.
    appointment = "appointment" of Appointment {
        [slot: Slot {
            staff_id: StaffId,
            starts_at: Timestamp,
            ends_at: Timestamp,
            tz: Zone,
            local_start: String,
            local_end: String,
        }],
        work_order_id: WorkOrderId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        site_id: SiteId,
        state: AppointmentState,
        hold_expires_at: Option<Timestamp>,
        reason: VisitReason,
        reschedules: u32,
        reminded_at: Option<Timestamp>,
        given_back_because: Option<GiveBackCause>,
        cancel_note: Option<Line>,
        created_at: Timestamp,
    } versioned
}

listed! {
    WorkOrder = work_order [CreatedAt; PreferredOn, WindowFromOn, WindowToOn] usually newest;
    Appointment = appointment [CreatedAt; StartsAt] usually by StartsAt;
}

/// States in which an appointment takes its technician's time.
const ACTIVE: [AppointmentState; 3] =
    [AppointmentState::Held, AppointmentState::Confirmed, AppointmentState::InProgress];

/// Which work orders are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct WorkOrderFilter {
    /// Those of one customer.
    pub customer_id: Option<CustomerId>,
    /// Those about one asset.
    pub asset_id: Option<AssetId>,
    /// Those of one dealer.
    pub dealer_id: Option<DealerId>,
    /// Those for which one person is to come.
    pub staff_id: Option<StaffId>,
    /// Those in one state.
    pub state: Option<WorkOrderState>,
    /// The one with this number.
    pub number: Option<String>,
    /// Those best done on this day or later.
    pub due_after: Option<CivilDate>,
    /// Those best done before this day.
    pub due_before: Option<CivilDate>,
}

/// Which appointments are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct AppointmentFilter {
    /// Those of one work order.
    pub work_order_id: Option<WorkOrderId>,
    /// Those of one customer.
    pub customer_id: Option<CustomerId>,
    /// Those of one dealer.
    pub dealer_id: Option<DealerId>,
    /// Those for which one person is to come.
    pub staff_id: Option<StaffId>,
    /// Those in one state.
    pub state: Option<AppointmentState>,
    /// Those that begin at this instant or later.
    pub starts_after: Option<Timestamp>,
    /// Those that begin before this instant.
    pub starts_before: Option<Timestamp>,
}

/// Work orders.
pub fn work_orders(filter: &WorkOrderFilter) -> Select<work_order::Entity> {
    use work_order::Column as C;
    let day = chrono::NaiveDate::from;
    work_order::Entity::find()
        .apply_if(filter.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(filter.asset_id, |all, id| all.filter(C::AssetId.eq(Uuid::from(id))))
        .apply_if(filter.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(filter.staff_id, |all, id| all.filter(C::StaffId.eq(Uuid::from(id))))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(filter.number.as_deref(), |all, number| all.filter(C::Number.eq(number)))
        .apply_if(filter.due_after, |all, on| all.filter(C::PreferredOn.gte(day(on))))
        .apply_if(filter.due_before, |all, on| all.filter(C::PreferredOn.lt(day(on))))
}

/// Appointments.
pub fn appointments(filter: &AppointmentFilter) -> Select<appointment::Entity> {
    use appointment::Column as C;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    appointment::Entity::find()
        .apply_if(filter.work_order_id, |all, id| all.filter(C::WorkOrderId.eq(Uuid::from(id))))
        .apply_if(filter.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(filter.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(filter.staff_id, |all, id| all.filter(C::StaffId.eq(Uuid::from(id))))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(filter.starts_after, |all, at| all.filter(C::StartsAt.gte(instant(at))))
        .apply_if(filter.starts_before, |all, at| all.filter(C::StartsAt.lt(instant(at))))
}

/// The appointment that a work order has now.
pub fn active_of(work_order_id: WorkOrderId) -> Select<appointment::Entity> {
    let of_order =
        AppointmentFilter { work_order_id: Some(work_order_id), ..AppointmentFilter::default() };
    appointments(&of_order).filter(is_active())
}

/// At most `most` of the appointments that `filter` describes and that have not begun, behind `after`
/// in the order of identifiers.
pub fn not_begun(
    filter: &AppointmentFilter,
    after: Option<AppointmentId>,
    most: u64,
) -> Select<appointment::Entity> {
    use appointment::Column as C;
    let open =
        [AppointmentState::Held, AppointmentState::Confirmed].map(|state| table::word(&state));
    appointments(filter)
        .filter(C::State.is_in(open))
        .apply_if(after, |all, id| all.filter(C::Id.gt(Uuid::from(id))))
        .order_by_asc(C::Id)
        .limit(most)
}

/// What these people are taken for within `span`, in order.
pub fn bookings(staff: &[StaffId], span: Span) -> Select<appointment::Entity> {
    use appointment::Column as C;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    appointment::Entity::find()
        .filter(C::StaffId.is_in(staff.iter().copied().map(Uuid::from)))
        .filter(is_active())
        .filter(C::StartsAt.lt(instant(span.ends_at)))
        .filter(C::EndsAt.gt(instant(span.starts_at)))
        .order_by_asc(C::StartsAt)
}

fn is_active() -> sea_orm::sea_query::SimpleExpr {
    appointment::Column::State.is_in(ACTIVE.map(|state| table::word(&state)))
}
