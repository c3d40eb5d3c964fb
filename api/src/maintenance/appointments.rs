//! `/v1/appointments`: a slot is held, confirmed, moved or given back; then the technician is at work.

use super::VisitNote;
use crate::{
    access::{Access, Api, Outcome, Work, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    ids::{AppointmentId, CustomerId, DealerId, StaffId, WorkOrderId},
    maintenance::{
        appointments::{Appointment, AppointmentState, Checklist},
        occurrences::Occurrence,
        slots,
        work_orders::WorkOrder,
    },
    sops::{ChecklistChange, SopBeginning, SopRun, SopRunDetails, SopVersion},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{
    Failure, Fault, Missing,
    maintenance::{self, AppointmentFilter},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_appointments, hold_slot))
        .routes(routes!(get_appointment))
        .routes(routes!(confirm_appointment))
        .routes(routes!(reschedule_appointment))
        .routes(routes!(cancel_appointment))
        .routes(routes!(begin_visit))
        .routes(routes!(complete_visit))
}

/// Which appointments are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AppointmentFilters {
    /// Those of one work order.
    work_order_id: Option<WorkOrderId>,
    /// Those of one customer.
    customer_id: Option<CustomerId>,
    /// Those of one dealer.
    dealer_id: Option<DealerId>,
    /// Those for which one person is to come.
    staff_id: Option<StaffId>,
    /// Those in one state.
    state: Option<AppointmentState>,
    /// Those that begin at this instant or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    starts_after: Option<Timestamp>,
    /// Those that begin before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    starts_before: Option<Timestamp>,
}

/// Which slot is to be held for which visit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "starts_at": "2026-12-01T01:00:00Z",
})))]
struct SlotChoice {
    /// The visit.
    work_order_id: WorkOrderId,
    /// Who is to come.
    staff_id: StaffId,
    /// When.
    starts_at: Timestamp,
}

/// To which slot a visit is to be moved.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "starts_at": "2026-12-02T01:00:00Z",
})))]
struct NewSlot {
    /// Who is to come.
    staff_id: StaffId,
    /// When.
    starts_at: Timestamp,
}

/// Lists appointments
///
/// The earliest comes first. A technician sees their own: with `starts_after` and `starts_before` it is
/// the day's work.
#[utoipa::path(
    get, path = "/appointments", tag = "visits",
    operation_id = "list_appointments",
    params(AppointmentFilters, Paging<Appointment>, Expanding<Appointment>),
    responses((status = 200, description = "A page of appointments.", body = ListOf<Appointment>)),
    security(("oauth" = ["visits:read"])),
)]
async fn list_appointments(
    access: Access<may::VisitsRead>,
    list: List<Appointment, AppointmentFilters>,
    expand: Expand<Appointment>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let filter = AppointmentFilter {
        work_order_id: filters.work_order_id,
        customer_id: filters.customer_id,
        dealer_id: filters.dealer_id,
        staff_id: filters.staff_id,
        state: filters.state,
        starts_after: filters.starts_after,
        starts_before: filters.starts_before,
    };
    list.answer_with(&reading, &expand, maintenance::appointments(&filter)).await
}

/// Holds a slot
///
/// For ten minutes the technician's time is taken for this visit, so that the customer can be asked.
/// Confirm it in that time. A slot that was held for the visit before is given back.
#[utoipa::path(
    post, path = "/appointments", tag = "visits",
    operation_id = "hold_slot",
    request_body(content = SlotChoice, description = "The slot and the visit."),
    responses((
        status = 201, description = "The appointment, held.", body = Appointment,
        headers(
            ("Location" = String, description = "Where the appointment is."),
            ("ETag" = String, description = "The version of the record."),
        ),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn hold_slot(access: Access<may::VisitsWrite>, Json(choice): Json<SlotChoice>) -> Outcome {
    let work = access.write().await?;
    let work_order: WorkOrder = referred(work.hold(choice.work_order_id).await, "/work_order_id")?;
    let before: Option<Appointment> =
        work.hold_found(maintenance::active_of(work_order.id)).await?;
    let mut search = work.search(&work_order, work.now()).await?;
    if let Some(before) = &before {
        search = search.without(&before.slot);
    }

    let slot = search.ask(choice.staff_id, choice.starts_at)?;
    let held = Appointment::hold(work.new_id(), &work_order, slot.clone(), work.now())?;

    if let Some(before) = before {
        work.record(before.withdraw()?).await?;
    }
    let Some(held) = work.record_new(vec![held]).await?.pop() else {
        return Err(slots::taken(&slot).into());
    };
    work.created("/v1/appointments", held).await
}

/// Shows an appointment
///
/// `reason` says why it is at this time and with this technician.
#[utoipa::path(
    get, path = "/appointments/{id}", tag = "visits",
    operation_id = "get_appointment",
    params(("id" = AppointmentId, Path, description = "The appointment."), Expanding<Appointment>),
    responses((
        status = 200, description = "The appointment.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:read"])),
)]
async fn get_appointment(
    access: Access<may::VisitsRead>,
    Id(id): Id<AppointmentId>,
    expand: Expand<Appointment>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Confirms a slot
///
/// While it is held. The customer is told at once, and reminded a day before.
#[utoipa::path(
    post, path = "/appointments/{id}/confirm", tag = "visits",
    operation_id = "confirm_appointment",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = AppointmentId, Path, description = "The appointment.")),
    responses((
        status = 200, description = "The appointment, confirmed.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn confirm_appointment(
    access: Access<may::VisitsWrite>,
    Id(id): Id<AppointmentId>,
) -> Outcome {
    let work = access.write_once().await?;
    let (appointment, work_order) = hold_visit(&work, id).await?;

    let (confirmed, scheduled) = appointment.confirm(work_order, work.now())?;

    work.record(scheduled).await?;
    let appointment = work.record(confirmed).await?;
    work.changed(appointment).await
}

/// Moves a visit
///
/// To another slot of its work order. The customer is told at once, and reminded a day before the new
/// time.
#[utoipa::path(
    post, path = "/appointments/{id}/reschedule", tag = "visits",
    operation_id = "reschedule_appointment",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = AppointmentId, Path, description = "The appointment.")),
    request_body(content = NewSlot, description = "The other slot."),
    responses((
        status = 200, description = "The appointment at its new time.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn reschedule_appointment(
    access: Access<may::VisitsWrite>,
    Id(id): Id<AppointmentId>,
    Json(new): Json<NewSlot>,
) -> Outcome {
    let work = access.write_once().await?;
    let (appointment, work_order) = hold_visit(&work, id).await?;
    let search = work.search(&work_order, work.now()).await?.without(&appointment.slot);
    let slot = search.ask(new.staff_id, new.starts_at)?;

    let (moved, reassigned) = appointment.reschedule(work_order, slot.clone(), work.now())?;

    work.record(reassigned).await?;
    let appointment = work.record(moved).await.map_err(|fault| {
        let is_taken = matches!(fault, Fault::Overlapping { .. });
        if is_taken { Problem::from(slots::taken(&slot)) } else { fault.into() }
    })?;
    work.changed(appointment).await
}

/// Cancels an appointment
///
/// The technician's time is free again. The visit is still to be made: the next morning the service
/// looks for another time, unless somebody has chosen one by then. To call the visit itself off, cancel
/// the work order.
#[utoipa::path(
    post, path = "/appointments/{id}/cancel", tag = "visits",
    operation_id = "cancel_appointment",
    params(("id" = AppointmentId, Path, description = "The appointment.")),
    request_body(content = VisitNote, description = "Why it is cancelled."),
    responses((
        status = 200, description = "The appointment, cancelled.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn cancel_appointment(
    access: Access<may::VisitsWrite>,
    Id(id): Id<AppointmentId>,
    Json(VisitNote { note }): Json<VisitNote>,
) -> Outcome {
    let work = access.write().await?;
    let (appointment, work_order) = hold_visit(&work, id).await?;

    let (cancelled, unscheduled) = appointment.cancel(work_order, note, work.now())?;

    if let Some(unscheduled) = unscheduled {
        work.record(unscheduled).await?;
    }
    let appointment = work.record(cancelled).await?;
    work.changed(appointment).await
}

/// Begins a visit
///
/// The technician is at work. When the work order names a procedure, its checklist is opened: it is
/// `sop_run_id` of the work order.
#[utoipa::path(
    post, path = "/appointments/{id}/begin", tag = "visits",
    operation_id = "begin_visit",
    params(("id" = AppointmentId, Path, description = "The appointment.")),
    responses((
        status = 200, description = "The appointment, in progress.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:carry_out"])),
)]
async fn begin_visit(access: Access<may::VisitsCarryOut>, Id(id): Id<AppointmentId>) -> Outcome {
    let work = access.write().await?;
    let (appointment, work_order) = hold_visit(&work, id).await?;

    let checklist = open_checklist(&work, &work_order).await?;
    let run = checklist.as_ref().map(|checklist| checklist.run.record.id);
    let (begun, at_work) = appointment.begin(work_order, run)?;

    if let Some(checklist) = checklist {
        work.record_checklist(checklist).await?;
    }
    work.record(at_work).await?;
    let appointment = work.record(begun).await?;
    work.changed(appointment).await
}

/// The execution of the visit's procedure, if it follows one.
async fn open_checklist(
    work: &Work,
    work_order: &WorkOrder,
) -> Result<Option<ChecklistChange>, Failure> {
    let Some(sop_id) = work_order.details.sop_id else { return Ok(None) };
    let in_force: Option<SopVersion> = work.find(store::sops::in_force(sop_id)).await?;
    let details = SopRunDetails {
        sop_id,
        customer_id: Some(work_order.details.customer_id),
        asset_id: work_order.details.asset_id,
        dealer_id: work_order.details.dealer_id,
        staff_id: work_order.staff_id,
    };
    let around = work.circumstances_of(in_force.as_ref(), &details, None).await?;
    let beginning = SopBeginning::of(details, around);
    let run =
        SopRun::start(work.new_id(), in_force.as_ref(), beginning, || work.new_id(), work.now())?;
    Ok(Some(run.part_of(work_order.id)))
}

/// Completes a visit
///
/// Once every step of its procedure is settled. The work order is completed and the due date that it was
/// made of is fulfilled; the customer is asked how it was.
#[utoipa::path(
    post, path = "/appointments/{id}/complete", tag = "visits",
    operation_id = "complete_visit",
    params(("id" = AppointmentId, Path, description = "The appointment.")),
    responses((
        status = 200, description = "The appointment, completed.", body = Appointment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:carry_out"])),
)]
async fn complete_visit(access: Access<may::VisitsCarryOut>, Id(id): Id<AppointmentId>) -> Outcome {
    let work = access.write().await?;
    let (appointment, work_order) = hold_visit(&work, id).await?;
    let checklist = checklist(&work, &work_order).await?;
    let occurrence_id = work_order.occurrence_id;

    let (completed, done) = appointment.complete(work_order, checklist, work.now())?;

    if let Some(occurrence_id) = occurrence_id {
        let occurrence: Occurrence = work.hold(occurrence_id).await?;
        work.record(occurrence.fulfil()?).await?;
    }
    work.record(done).await?;
    let appointment = work.record(completed).await?;
    work.changed(appointment).await
}

/// How far the procedure of a visit is.
async fn checklist(work: &Work, work_order: &WorkOrder) -> Result<Checklist, Missing> {
    let Some(run_id) = work_order.sop_run_id else { return Ok(Checklist::None) };
    let run: SopRun = work.get(run_id).await?;
    Ok(if run.state.is_completed() { Checklist::Settled } else { Checklist::Open(run_id) })
}

/// An appointment and its work order, both to be changed. The work order is held first, as everybody
/// does, so that no two wait for each other.
async fn hold_visit(work: &Work, id: AppointmentId) -> Result<(Appointment, WorkOrder), Missing> {
    let work_order_id = work.get::<Appointment>(id).await?.work_order_id;
    let work_order = work.hold(work_order_id).await?;
    Ok((work.hold(id).await?, work_order))
}
