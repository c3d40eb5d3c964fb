//! Who acts on what. A new event does not compile until it has a line here.

use crate::{
    allowances, complaints, days, imports, maintenance, outside::Surroundings, sandbox, surveys,
    visits,
};
use domain::{
    event::{DayWork, Event},
    time::CivilDate,
};
use store::{Failure, Tenant};

/// Lets everybody act who has to, in the transaction of `tenant`.
///
/// # Errors
///
/// [`Failure`] when the job should be given back; then nothing has changed.
pub async fn route(
    surroundings: &Surroundings,
    tenant: &Tenant,
    event: &Event,
) -> Result<(), Failure> {
    match event {
        Event::DayBegan { on } => days::begin(tenant, *on).await,
        Event::DayWorkDue { on, work } => work_of_day(tenant, *on, *work).await,
        Event::ImportContinued { import, from_row, .. } => {
            imports::take_over(tenant, *import, *from_row).await
        }
        Event::ClockArrived { clock, operation, .. } => {
            sandbox::arrive(tenant, *clock, *operation).await
        }
        Event::ComplaintOpened { complaint } => {
            complaints::confirm_receipt(tenant, *complaint).await
        }
        Event::FirstAnswerDue { complaint } => {
            complaints::miss_first_answer(tenant, *complaint).await
        }
        Event::ComplaintDecided { complaint } => {
            complaints::tell_decision(tenant, *complaint).await
        }
        Event::ComplaintResolved { complaint, resolution_no } => {
            complaints::conclude(tenant, *complaint, *resolution_no).await
        }
        Event::WorkOrderCompleted { work_order } => surveys::after_visit(tenant, *work_order).await,
        Event::InvitationDue { invitation } => {
            surveys::ask(surroundings, tenant, *invitation).await
        }
        Event::InvitationExpiryDue { invitation } => surveys::expire(tenant, *invitation).await,
        Event::SurveyAnswered { response } => surveys::follow(tenant, *response).await,
        // Delivered by `run`, which talks to the outside while no transaction is open.
        Event::MessageQueued { .. } => Ok(()),
        Event::OrderPaid { order } => {
            maintenance::order_paid(tenant, *order).await?;
            allowances::accrue(tenant, *order).await
        }
        Event::LotsDue { after } => allowances::expire(tenant, *after).await,
        Event::ReconciliationDue { after } => allowances::reconcile(tenant, *after).await,
        Event::GestureEscalationDue { gesture } => allowances::escalate(tenant, *gesture).await,
        Event::GestureDue { gesture } => allowances::lapse(tenant, *gesture).await,
        Event::AssetDelivered { asset } => maintenance::asset_delivered(tenant, *asset).await,
        Event::EnrolmentBegan { enrolment } => {
            maintenance::enrolment_began(tenant, *enrolment).await
        }
        Event::OccurrenceDue { occurrence } => {
            maintenance::occurrence_due(tenant, *occurrence).await
        }
        Event::WorkOrderUnscheduled { work_order, attempt } => {
            maintenance::work_order_unscheduled(tenant, *work_order, *attempt).await
        }
        Event::TechnicianChanged { staff, after } => {
            visits::technician_changed(tenant, *staff, *after).await
        }
        Event::DealerClosed { dealer, after } => {
            visits::dealer_closed(tenant, *dealer, *after).await
        }
        Event::VisitFellThrough { appointment: id } => visits::tell_fall_through(tenant, *id).await,
        Event::HoldDue { appointment } => maintenance::hold_due(tenant, *appointment).await,
        Event::VisitConfirmed { appointment } => maintenance::confirm(tenant, *appointment).await,
        Event::ReminderDue { appointment } => maintenance::remind(tenant, *appointment).await,
    }
}

/// One part of a day's work.
async fn work_of_day(tenant: &Tenant, on: CivilDate, work: DayWork) -> Result<(), Failure> {
    match work {
        DayWork::Housekeeping => days::keep_house(tenant).await,
        DayWork::Allowances => allowances::expire(tenant, None).await,
        DayWork::Reconciliation => allowances::reconcile(tenant, None).await,
        DayWork::Complaints => complaints::daily(tenant).await,
        DayWork::Plans => maintenance::daily(tenant, on).await,
    }
}
