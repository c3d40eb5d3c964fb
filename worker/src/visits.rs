//! Agreed visits that cannot be made as agreed: somebody else comes, or the customer is told.

use domain::{
    event::Event,
    followups::Notice,
    identity::Staff,
    ids::{AppointmentId, DealerId, StaffId},
    maintenance::{
        appointments::{Appointment, AppointmentState},
        given_back::{GiveBackCause, GivenBack},
        slots::NOTICE_HOURS,
        work_orders::{WorkOrder, WorkOrderState},
    },
    tenancy::{Dealer, DealerStatus},
};
use store::{
    Failure, Tenant,
    maintenance::{AppointmentFilter, not_begun},
};

/// Appointments that are looked at in one job: each may need a search for somebody else, and all of
/// them together are well within the time of a job.
const VISITS_AT_ONCE: u64 = 20;

/// Gives back the visits that a technician cannot make any more, and goes on as long as there are any
/// to look at.
pub(crate) async fn technician_changed(
    tenant: &Tenant,
    id: StaffId,
    after: Option<AppointmentId>,
) -> Result<(), Failure> {
    let staff: Staff = tenant.get(id).await?;
    let theirs = AppointmentFilter { staff_id: Some(id), ..ahead(tenant) };
    let visits: Vec<Appointment> = tenant.all(not_begun(&theirs, after, VISITS_AT_ONCE)).await?;
    for visit in &visits {
        if let Some(because) = GiveBackCause::of(&staff, visit) {
            give_back(tenant, visit, because).await?;
        }
    }
    match visits.last() {
        Some(last) => {
            let after = Some(last.id);
            Ok(tenant.emit(&Event::TechnicianChanged { staff: id, after }).await?)
        }
        None => Ok(()),
    }
}

/// Gives back the visits of a dealer that is closed, and goes on as long as there are any.
pub(crate) async fn dealer_closed(
    tenant: &Tenant,
    id: DealerId,
    after: Option<AppointmentId>,
) -> Result<(), Failure> {
    match tenant.get::<Dealer>(id).await?.status {
        DealerStatus::Closed => {}
        DealerStatus::Active => return Ok(()),
    }
    let theirs = AppointmentFilter { dealer_id: Some(id), ..ahead(tenant) };
    let visits: Vec<Appointment> = tenant.all(not_begun(&theirs, after, VISITS_AT_ONCE)).await?;
    for visit in &visits {
        give_back(tenant, visit, GiveBackCause::DealerClosed).await?;
    }
    match visits.last() {
        Some(last) => {
            Ok(tenant.emit(&Event::DealerClosed { dealer: id, after: Some(last.id) }).await?)
        }
        None => Ok(()),
    }
}

/// Tells the customer that a visit does not take place, unless another time was agreed meanwhile: then
/// they hear of that.
pub(crate) async fn tell_fall_through(tenant: &Tenant, id: AppointmentId) -> Result<(), Failure> {
    let appointment: Appointment = tenant.get(id).await?;
    let work_order: WorkOrder = tenant.get(appointment.work_order_id).await?;
    match work_order.state {
        WorkOrderState::Unscheduled => {}
        WorkOrderState::Scheduled
        | WorkOrderState::InProgress
        | WorkOrderState::Completed
        | WorkOrderState::Cancelled => return Ok(()),
    }
    let wall_time = appointment.slot.starts_at.wall_time_in(appointment.slot.tz);
    let to = tenant.correspondent(appointment.customer_id).await?;
    tenant.tell(&to, &Notice::VisitPostponed { wall_time }).await?;
    Ok(())
}

/// Finds somebody else for a visit, or gives it up for now. When somebody else takes the slot at the
/// same instant, the job is tried again and looks anew.
async fn give_back(
    tenant: &Tenant,
    visit: &Appointment,
    because: GiveBackCause,
) -> Result<(), Failure> {
    let work_order: WorkOrder = tenant.hold(visit.work_order_id).await?;
    let appointment: Appointment = tenant.hold(visit.id).await?;
    match appointment.state {
        AppointmentState::Held | AppointmentState::Confirmed => {}
        AppointmentState::InProgress
        | AppointmentState::Completed
        | AppointmentState::Cancelled
        | AppointmentState::Expired => return Ok(()),
    }
    let not_before = tenant.now().plus_hours(NOTICE_HOURS);
    let instead = tenant.search(&work_order, not_before).await?.instead_of(&appointment.slot);

    let GivenBack { appointment, work_order } =
        appointment.give_back(work_order, because, instead, tenant.now())?;

    if let Some(work_order) = work_order {
        tenant.record(work_order).await?;
    }
    tenant.record(appointment).await?;
    Ok(())
}

/// What is still to come.
fn ahead(tenant: &Tenant) -> AppointmentFilter {
    AppointmentFilter { starts_after: Some(tenant.now()), ..AppointmentFilter::default() }
}
