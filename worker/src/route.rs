//! Who acts on what. A new event does not compile until it has a line here.

use crate::{
    allowances, calendars, clocks, complaints, days, imports,
    inventory::{self, plan_changed},
    maintenance,
    outside::Surroundings,
    procedures::{self, Waiting},
    quality, sandbox, surveys, visits,
};
use domain::{
    clocks::SlaClock,
    complaints::Complaint,
    event::{DayWork, Event},
    ids::OrderId,
    maintenance::{appointments::Appointment, occurrences::Occurrence},
    orders::SalesOrder,
    sops::SopRun,
    surveys::Invitation,
    time::CivilDate,
};
use store::{Failure, Fault, Tenant};

/// Lets everybody act who has to, in the transaction of `tenant`.
///
/// # Errors
///
/// [`Failure`] when the job should be given back; then nothing has changed.
pub(crate) async fn route(
    surroundings: &Surroundings,
    waiting: &mut Waiting,
    tenant: &Tenant,
    event: &Event,
) -> Result<(), Failure> {
    act(surroundings, tenant, event).await?;
    procedures::begin_by(waiting, tenant, event).await
}

#[expect(clippy::too_many_lines, reason = "a table, with a line for each event")]
async fn act(surroundings: &Surroundings, tenant: &Tenant, event: &Event) -> Result<(), Failure> {
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
            complaints::receive(surroundings, tenant, *complaint).await
        }
        Event::FirstAnswerDue { complaint: id } => complaints::miss_first_answer(tenant, *id).await,
        Event::ComplaintDecided { complaint } => {
            complaints::tell_decision(surroundings, tenant, *complaint).await
        }
        Event::ComplaintAnswered { message } => {
            complaints::tell_answer(surroundings, tenant, *message).await
        }
        Event::PublicAnswerDue { complaint: id, .. } => complaints::miss_public(tenant, *id).await,
        Event::ComplaintResolved { complaint, resolution_no } => {
            complaints::conclude(surroundings, tenant, *complaint, *resolution_no).await
        }
        Event::StandOffDue { complaint, refusals } => {
            complaints::stand_off(tenant, *complaint, *refusals).await
        }
        Event::ComplaintsLeftBehind { staff, after } => {
            complaints::hand_over(tenant, *staff, *after).await
        }
        Event::ResolutionLogged { entry } => complaints::seal(tenant, *entry).await,
        Event::WorkOrderCompleted { work_order } => surveys::after_visit(tenant, *work_order).await,
        Event::InvitationDue { invitation: id } => surveys::ask(surroundings, tenant, *id).await,
        Event::InvitationExpiryDue { invitation } => surveys::expire(tenant, *invitation).await,
        Event::SurveyAnswered { response } => surveys::follow(tenant, *response).await,
        Event::SopStepDue { run, step, escalated_rank } => {
            procedures::step_due(tenant, *run, *step, *escalated_rank).await
        }
        Event::SlaClockDue { clock, complaint } => clocks::due(tenant, *clock, *complaint).await,
        Event::CancellationClosed { cancellation: id } => quality::called_off(tenant, *id).await,
        Event::AwaitedDue { awaited } => quality::due(tenant, *awaited).await,
        Event::StepsLeftBehind { staff, after: a } => {
            procedures::hand_over(tenant, *staff, *a).await
        }
        // The first is delivered by `run`, which talks to the outside while no transaction is open; by the other
        // procedures begin.
        Event::MessageQueued { .. } | Event::CustomerEventTold { .. } => Ok(()),
        Event::OrderPaid { order } => order_paid(tenant, *order).await,
        Event::OrderRefunded { order } => allowances::revoke(tenant, *order).await,
        Event::CustomerMoved { customer } => allowances::follow(tenant, *customer).await,
        Event::BudgetFunded { budget, after } => allowances::unpark(tenant, *budget, *after).await,
        Event::LotsDue { after } => allowances::expire(tenant, *after).await,
        Event::ReconciliationDue { after } => allowances::reconcile(tenant, *after).await,
        Event::GestureEscalationDue { gesture } => allowances::escalate(tenant, *gesture).await,
        Event::GestureDue { gesture } => allowances::lapse(tenant, *gesture).await,
        Event::AssetDelivered { asset } => maintenance::asset_delivered(tenant, *asset).await,
        Event::ServiceItemDrifted { benchmark: id } => inventory::item_drifted(tenant, *id).await,
        Event::CalendarChanged { calendar: id } => calendars::look(tenant, *id).await,
        Event::WorkingHoursChanged { whose, after } => {
            clocks::recount(tenant, *whose, *after).await
        }
        Event::PlanInForceChanged { plan_template } => plan_changed(tenant, *plan_template).await,
        Event::EnrolmentBegan { enrolment: id } => maintenance::enrolment_began(tenant, *id).await,
        Event::OccurrenceDue { occurrence: id } => maintenance::occurrence_due(tenant, *id).await,
        Event::WorkOrderUnscheduled { work_order, attempt } => {
            maintenance::work_order_unscheduled(tenant, *work_order, *attempt).await
        }
        Event::TechnicianChanged { staff, after } => {
            visits::technician_changed(tenant, *staff, *after).await
        }
        Event::DealerClosed { dealer: d, after: a } => visits::dealer_closed(tenant, *d, *a).await,
        Event::VisitFellThrough { appointment: id } => visits::tell_fall_through(tenant, *id).await,
        Event::HoldDue { appointment } => maintenance::hold_due(tenant, *appointment).await,
        Event::VisitConfirmed { appointment } => maintenance::confirm(tenant, *appointment).await,
        Event::ReminderDue { appointment } => maintenance::remind(tenant, *appointment).await,
    }
}

/// A sale was paid. A refund at the same moment waits until what it takes back is there.
async fn order_paid(tenant: &Tenant, order: OrderId) -> Result<(), Failure> {
    tenant.hold::<SalesOrder>(order).await?;
    maintenance::order_paid(tenant, order).await?;
    allowances::accrue(tenant, order).await
}

/// Finds and holds what several events are about, in as few questions as there are kinds of records and in the order in
/// which everybody holds them ([`Tenant::hold`]), for those who act on one event after the other.
#[expect(clippy::too_many_lines, reason = "a table, with a line for each event")]
pub(crate) async fn gather(tenant: &Tenant, events: &[Event]) -> Result<(), Fault> {
    let (mut appointments, mut occurrences) = (Vec::new(), Vec::new());
    let (mut complaints, mut invitations) = (Vec::new(), Vec::new());
    let (mut runs, mut clocks) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::VisitConfirmed { appointment }
            | Event::VisitFellThrough { appointment }
            | Event::HoldDue { appointment }
            | Event::ReminderDue { appointment } => appointments.push(*appointment),
            Event::OccurrenceDue { occurrence } => occurrences.push(*occurrence),
            Event::ComplaintOpened { complaint }
            | Event::FirstAnswerDue { complaint }
            | Event::ComplaintDecided { complaint }
            | Event::StandOffDue { complaint, .. }
            | Event::PublicAnswerDue { complaint, .. }
            | Event::ComplaintResolved { complaint, .. } => complaints.push(*complaint),
            Event::InvitationExpiryDue { invitation } => invitations.push(*invitation),
            Event::SopStepDue { run, .. } => runs.push(*run),
            Event::SlaClockDue { clock, complaint } => {
                complaints.push(*complaint);
                clocks.push(*clock);
            }
            // These begin with something else than the record they name, or always come alone.
            Event::DayBegan { .. }
            | Event::DayWorkDue { .. }
            | Event::ImportContinued { .. }
            | Event::ClockArrived { .. }
            | Event::WorkOrderCompleted { .. }
            | Event::ComplaintAnswered { .. }
            | Event::ResolutionLogged { .. }
            | Event::InvitationDue { .. }
            | Event::SurveyAnswered { .. }
            | Event::CustomerEventTold { .. }
            | Event::MessageQueued { .. }
            | Event::OrderPaid { .. }
            | Event::OrderRefunded { .. }
            | Event::CustomerMoved { .. }
            | Event::CancellationClosed { .. }
            | Event::AwaitedDue { .. }
            | Event::BudgetFunded { .. }
            | Event::LotsDue { .. }
            | Event::ReconciliationDue { .. }
            | Event::GestureEscalationDue { .. }
            | Event::GestureDue { .. }
            | Event::AssetDelivered { .. }
            | Event::ServiceItemDrifted { .. }
            | Event::CalendarChanged { .. }
            | Event::WorkingHoursChanged { .. }
            | Event::PlanInForceChanged { .. }
            | Event::EnrolmentBegan { .. }
            | Event::WorkOrderUnscheduled { .. }
            | Event::TechnicianChanged { .. }
            | Event::StepsLeftBehind { .. }
            | Event::ComplaintsLeftBehind { .. }
            | Event::DealerClosed { .. } => {}
        }
    }
    tenant.expect::<SopRun>(runs).await?;
    tenant.expect::<Appointment>(appointments).await?;
    tenant.expect::<Occurrence>(occurrences).await?;
    tenant.expect::<Complaint>(complaints).await?;
    tenant.expect::<Invitation>(invitations).await?;
    tenant.expect::<SlaClock>(clocks).await
}

/// One part of a day's work.
async fn work_of_day(tenant: &Tenant, on: CivilDate, work: DayWork) -> Result<(), Failure> {
    match work {
        DayWork::Housekeeping => days::keep_house(tenant).await,
        DayWork::Allowances => allowances::expire(tenant, None).await,
        DayWork::Reconciliation => allowances::reconcile(tenant, None).await,
        DayWork::Complaints => complaints::daily(tenant).await,
        DayWork::Plans => maintenance::daily(tenant, on).await,
        DayWork::Procedures => procedures::daily(tenant, on).await,
        DayWork::Calendars => calendars::daily(tenant).await,
        // Done by `run`, which talks to the outside while no transaction is open.
        DayWork::Files => Ok(()),
    }
}
