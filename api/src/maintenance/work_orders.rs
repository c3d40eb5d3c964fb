//! `/v1/work-orders`: what is to be done at a customer's, and when that could be.

use super::VisitNote;
use crate::{
    access::{Access, Api, Outcome, Work, may},
    expand::{Expand, Expanding},
    list::{AtMost, List, ListOf, Paging, Parameters},
    patch::patches,
    problem::{Problem, referred, referred_if_named},
    request::{Id, Json, MergePatch},
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    catalogue::Asset,
    customers::Customer,
    ids::{AssetId, CustomerId, DealerId, StaffId, WorkOrderId},
    maintenance::{
        appointments::Appointment,
        occurrences::Occurrence,
        slots::Slot,
        work_details::WorkOrderDetails,
        work_orders::{WorkOrder, WorkOrderState},
    },
    tenancy::{Dealer, Site},
    text::SpokenNumber,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::maintenance::{self, WorkOrderFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Slots shown when the caller does not say how many.
const USUAL_SLOTS: u16 = 20;

patches!(WorkOrderPatch of WorkOrderDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_work_orders, create_work_order))
        .routes(routes!(get_work_order, edit_work_order))
        .routes(routes!(list_slots))
        .routes(routes!(cancel_work_order))
}

/// Which work orders are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WorkOrderFilters {
    /// Those of one customer.
    customer_id: Option<CustomerId>,
    /// Those about one asset.
    asset_id: Option<AssetId>,
    /// Those of one dealer.
    dealer_id: Option<DealerId>,
    /// Those for which one person is to come.
    staff_id: Option<StaffId>,
    /// Those in one state; of the `unscheduled` ones, `unscheduled_because` says what is in the way.
    state: Option<WorkOrderState>,
    /// The one with this number.
    #[param(example = "W-9VBQ2F4C6D", min_length = 1, max_length = 40, pattern = "^[!-~]+$",
        value_type = Option<String>)]
    number: Option<SpokenNumber>,
    /// Those best done (`preferred_on`) on this day or later.
    #[param(example = "2026-12-01")]
    due_after: Option<CivilDate>,
    /// Those best done before this day.
    #[param(example = "2027-01-01")]
    due_before: Option<CivilDate>,
}

/// How many slots are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SlotParameters {
    /// At most so many slots, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 20, value_type = Option<u16>)]
    limit: Option<AtMost>,
}

/// When a visit could take place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({ "slots": [{
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "starts_at": "2026-12-01T01:00:00Z",
    "ends_at": "2026-12-01T02:00:00Z", "tz": "Asia/Shanghai", "local_start": "2026-12-01 09:00",
    "local_end": "2026-12-01 10:00",
}] })))]
struct FreeSlots {
    /// The earliest free times within the window, in order.
    slots: Vec<Slot>,
}

/// Lists work orders
///
/// The newest comes first. A technician sees those for which they are to come.
#[utoipa::path(
    get, path = "/work-orders", tag = "visits",
    operation_id = "list_work_orders",
    params(WorkOrderFilters, Paging<WorkOrder>, Expanding<WorkOrder>),
    responses((status = 200, description = "A page of work orders.", body = ListOf<WorkOrder>)),
    security(("oauth" = ["visits:read"])),
)]
async fn list_work_orders(
    access: Access<may::VisitsRead>,
    list: List<WorkOrder, WorkOrderFilters>,
    expand: Expand<WorkOrder>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let filter = WorkOrderFilter {
        customer_id: filters.customer_id,
        asset_id: filters.asset_id,
        dealer_id: filters.dealer_id,
        staff_id: filters.staff_id,
        state: filters.state,
        number: filters.number.as_deref().map(str::to_owned),
        due_after: filters.due_after,
        due_before: filters.due_before,
    };
    list.answer_with(&reading, &expand, maintenance::work_orders(&filter)).await
}

/// Asks for a visit
///
/// Visits that a plan foresees are asked for by the service itself; this is for all others. The service
/// looks for a technician at once, and again every morning until the window closes. A closed site or
/// dealer makes no new visits.
#[utoipa::path(
    post, path = "/work-orders", tag = "visits",
    operation_id = "create_work_order",
    request_body(content = WorkOrderDetails, description = "What is to be done."),
    responses((
        status = 201, description = "The work order.", body = WorkOrder,
        headers(
            ("Location" = String, description = "Where the work order is."),
            ("ETag" = String, description = "The version of the record."),
        ),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn create_work_order(
    access: Access<may::VisitsWrite>,
    Json(details): Json<WorkOrderDetails>,
) -> Outcome {
    let work = access.write().await?;
    let details = served(&work, details).await?;

    let asked = WorkOrder::ask(work.new_id(), details, None, work.now())?;

    let work_order = work.record(asked).await?;
    work.created("/v1/work-orders", work_order).await
}

/// The details with the dealer that follows from their site. Whoever and whatever they name must be
/// visible to the caller.
async fn served(work: &Work, details: WorkOrderDetails) -> Result<WorkOrderDetails, Problem> {
    referred(work.get::<Customer>(details.customer_id).await, "/customer_id")?;
    let asset = referred_if_named::<Asset>(work, details.asset_id, "/asset_id").await?;
    let site = referred_if_named::<Site>(work, details.site_id, "/site_id").await?;
    let details = details.served_from(asset.as_ref(), site.as_ref(), work.reach())?;
    let dealer = referred_if_named::<Dealer>(work, details.dealer_id, "/dealer_id").await?;
    details.expect_served(site.as_ref(), dealer.as_ref())?;
    Ok(details)
}

/// Shows a work order
///
/// With who is to come and, when nobody was found yet, why not.
#[utoipa::path(
    get, path = "/work-orders/{id}", tag = "visits",
    operation_id = "get_work_order",
    params(("id" = WorkOrderId, Path, description = "The work order."), Expanding<WorkOrder>),
    responses((
        status = 200, description = "The work order.", body = WorkOrder,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:read"])),
)]
async fn get_work_order(
    access: Access<may::VisitsRead>,
    Id(id): Id<WorkOrderId>,
    expand: Expand<WorkOrder>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Edits a work order
///
/// While nobody is found for it. The service looks for a technician again at once.
#[utoipa::path(
    patch, path = "/work-orders/{id}", tag = "visits",
    operation_id = "edit_work_order",
    params(("id" = WorkOrderId, Path, description = "The work order.")),
    request_body(
        content = WorkOrderPatch, content_type = "application/merge-patch+json",
        description = "The members to change.",
        example = json!({ "window_to_on": "2026-12-14" }),
    ),
    responses((
        status = 200, description = "The work order as it is now.", body = WorkOrder,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn edit_work_order(
    access: Access<may::VisitsWrite>,
    Id(id): Id<WorkOrderId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let work_order: WorkOrder = work.hold(id).await?;
    work.expect_current(&work_order)?;
    let details = served(&work, patch.apply(&work_order.details)?).await?;

    let revised = work_order.revise(details)?;

    let work_order = work.record(revised).await?;
    work.changed(work_order).await
}

/// Finds free slots for a visit
///
/// The times within the window of the work order at which a technician of its site is free, the earliest
/// first. They are free now: hold one with `POST /v1/appointments`.
#[utoipa::path(
    get, path = "/work-orders/{id}/slots", tag = "visits",
    operation_id = "list_slots",
    params(("id" = WorkOrderId, Path, description = "The work order."), SlotParameters),
    responses((status = 200, description = "The free slots.", body = FreeSlots)),
    security(("oauth" = ["visits:read"])),
)]
async fn list_slots(
    access: Access<may::VisitsRead>,
    Id(id): Id<WorkOrderId>,
    Parameters(SlotParameters { limit }): Parameters<SlotParameters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let work_order: WorkOrder = reading.get(id).await?;
    let search = reading.search(&work_order, reading.now()).await?;
    let most = limit.map_or(USUAL_SLOTS, |AtMost(limit)| limit);
    Ok(axum::Json(FreeSlots { slots: search.open(most.into()) }).into_response())
}

/// Calls a visit off
///
/// Before it has begun. Its appointment is freed, and the due date that it was made of is skipped.
#[utoipa::path(
    post, path = "/work-orders/{id}/cancel", tag = "visits",
    operation_id = "cancel_work_order",
    params(("id" = WorkOrderId, Path, description = "The work order.")),
    request_body(content = VisitNote, description = "Why it is called off."),
    responses((
        status = 200, description = "The work order, cancelled.", body = WorkOrder,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["visits:write"])),
)]
async fn cancel_work_order(
    access: Access<may::VisitsWrite>,
    Id(id): Id<WorkOrderId>,
    Json(VisitNote { note }): Json<VisitNote>,
) -> Outcome {
    let work = access.write().await?;
    let work_order: WorkOrder = work.hold(id).await?;
    let appointment: Option<Appointment> = work.hold_found(maintenance::active_of(id)).await?;
    let occurrence_id = work_order.occurrence_id;

    let cancelled = work_order.cancel(note)?;

    if let Some(appointment) = appointment {
        work.record(appointment.withdraw()?).await?;
    }
    if let Some(occurrence_id) = occurrence_id {
        let occurrence: Occurrence = work.hold(occurrence_id).await?;
        work.record(occurrence.lose_visit()?).await?;
    }
    let work_order = work.record(cancelled).await?;
    work.changed(work_order).await
}
