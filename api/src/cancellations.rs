//! `/v1/cancellations`: customers who do not want what they have paid for and not got yet.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    allowances::gestures::Gesture,
    cancellations::{
        CancellationCase, CancellationKnown, CancellationRequest, CancellationState, RetentionOffer,
    },
    findings::FindingKind,
    ids::{AnyId, CancellationId, CustomerId, DealerId, GestureId, OrderId, StaffId},
    orders::SalesOrder,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::cancellations::{CancellationsWanted, asked_to_stay, cancellations, open_of};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_cancellations, request_cancellation))
        .routes(routes!(get_cancellation))
        .routes(routes!(offer_retention))
        .routes(routes!(withdraw_cancellation))
        .routes(routes!(proceed_cancellation))
        .routes(routes!(seek_waiver))
        .routes(routes!(begin_refund))
        .routes(routes!(refund_cancellation))
        .routes(routes!(close_cancellation))
}

/// Which cancellations are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CancellationFilters {
    /// Where they stand.
    state: Option<CancellationState>,
    /// Who bought.
    customer_id: Option<CustomerId>,
    /// Whose people see to them.
    dealer_id: Option<DealerId>,
    /// Those of this sale.
    order_id: Option<OrderId>,
    /// The person whom they have gone up to, because the refund was not under way in time.
    escalated_staff_id: Option<StaffId>,
}

/// By what the penalty is waived.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"gesture_id": "ges_01m80t7jx3e9vbq2f4c6d8g0hk"})))]
struct PenaltyWaiver {
    /// A gesture of the kind `penalty_waiver` for the customer, over the whole penalty.
    gesture_id: GestureId,
}

/// When the money was given back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"refunded_on": "2026-11-24"})))]
struct CancellationRefund {
    /// The day on which the customer had it.
    refunded_on: CivilDate,
}

/// Lists cancellations
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/cancellations", tag = "cancellations",
    operation_id = "list_cancellations",
    params(CancellationFilters, Paging<CancellationCase>),
    responses((status = 200, description = "A page of cancellations.", body = ListOf<CancellationCase>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_cancellations(
    access: Access<may::ComplaintsRead>,
    list: List<CancellationCase, CancellationFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let CancellationFilters { state, customer_id, dealer_id, order_id, .. } = list.filters;
    let escalated_staff_id = list.filters.escalated_staff_id;
    let wanted =
        CancellationsWanted { state, customer_id, dealer_id, order_id, escalated_staff_id };
    list.answer(&reading, cancellations(wanted)).await
}

/// Takes a cancellation in
///
/// Of a sale that is paid and not delivered. The refund should be under way after 24 hours of the dealer's working time
/// (`refund_due_at`); else it goes up to the next rank, with a finding `deadline_missed`. A sale has one cancellation that
/// is not over (`cancellation_open`), and is not delivered while it has. A customer who was asked to stay before is not asked
/// again.
#[utoipa::path(
    post, path = "/cancellations", tag = "cancellations",
    operation_id = "request_cancellation",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = CancellationRequest, description = "What the customer asks for."),
    responses((status = 201, description = "The cancellation.", body = CancellationCase, headers(
        ("Location" = String, description = "Where the cancellation is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn request_cancellation(
    access: Access<may::ComplaintsWrite>,
    Json(request): Json<CancellationRequest>,
) -> Outcome {
    let work = access.write_once().await?;
    // Held, so that a second cancellation of the same sale finds the first.
    let order: SalesOrder = referred(work.hold(request.order_id).await, "/order_id")?;
    let dealer = Some(order.dealer_id);
    let sale = work.with_lines(order).await?;
    let open: Option<CancellationCase> = work.find(open_of(request.order_id)).await?;
    let asked: Option<CancellationCase> = work.find(asked_to_stay(request.order_id)).await?;
    let hours = (&work.calendar_of(dealer).await?, work.zone_of(dealer).await?);

    let known = CancellationKnown { sale: &sale, open: open.as_ref(), asked: asked.as_ref() };
    let by = (work.actor(), work.now());
    let change = CancellationCase::request(work.new_id(), request, known, hours, by)?;

    let case = work.record(change).await?;
    work.created("/v1/cancellations", case).await
}

/// Shows a cancellation
///
/// With what was paid, what the contract would ask for that, and what of it is waived.
#[utoipa::path(
    get, path = "/cancellations/{id}", tag = "cancellations",
    operation_id = "get_cancellation",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    responses((status = 200, description = "The cancellation.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_cancellation(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<CancellationId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let case: CancellationCase = reading.get(id).await?;
    Ok(reading.show(&case))
}

/// Asks the customer to stay
///
/// Once, over all cancellations of the sale: a second attempt is refused (`retention_offered_once`).
#[utoipa::path(
    post, path = "/cancellations/{id}/offer-retention", tag = "cancellations",
    operation_id = "offer_retention",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    request_body(content = RetentionOffer, description = "What they are offered."),
    responses((status = 200, description = "The cancellation as it is now.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn offer_retention(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CancellationId>,
    Json(ask): Json<RetentionOffer>,
) -> Outcome {
    let work = access.write().await?;
    let case = work.hold::<CancellationCase>(id).await?;

    let change = case.offer_retention(ask)?;

    let case = work.record(change).await?;
    work.changed(case).await
}

/// Withdraws a cancellation
///
/// The customer stays, and the sale stands. Possible until the refund is under way; a gesture that was to waive the penalty can
/// waive another one then.
#[utoipa::path(
    post, path = "/cancellations/{id}/withdraw", tag = "cancellations",
    operation_id = "withdraw_cancellation",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    responses((status = 200, description = "The cancellation, withdrawn.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn withdraw_cancellation(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CancellationId>,
) -> Outcome {
    let work = access.write().await?;
    let case = work.hold::<CancellationCase>(id).await?;

    let change = case.withdraw()?;

    let case = work.record(change).await?;
    work.settle_findings(FindingKind::DeadlineMissed, &AnyId::of(id), None).await?;
    work.changed(case).await
}

/// Goes on with a cancellation
///
/// The customer goes, with or without an offer to stay.
#[utoipa::path(
    post, path = "/cancellations/{id}/proceed", tag = "cancellations",
    operation_id = "proceed_cancellation",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    responses((status = 200, description = "The cancellation as it is now.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn proceed_cancellation(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CancellationId>,
) -> Outcome {
    let work = access.write().await?;
    let case = work.hold::<CancellationCase>(id).await?;

    let change = case.proceed()?;

    let case = work.record(change).await?;
    work.changed(case).await
}

/// Seeks a waiver of the penalty
///
/// Names the gesture of the kind `penalty_waiver` by which the penalty is waived: it is for this customer, in this currency,
/// over the whole penalty, and waives no other (`waiver_unfit`). Who may grant it is a matter of gestures. Another one can be
/// named when the first is not granted. Without a penalty there is nothing to waive.
#[utoipa::path(
    post, path = "/cancellations/{id}/seek-waiver", tag = "cancellations",
    operation_id = "seek_waiver",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    request_body(content = PenaltyWaiver, description = "The gesture."),
    responses((status = 200, description = "The cancellation, whose waiver is pending.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn seek_waiver(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CancellationId>,
    Json(ask): Json<PenaltyWaiver>,
) -> Outcome {
    let work = access.write().await?;
    let case = work.hold::<CancellationCase>(id).await?;
    let gesture: Gesture = referred(work.hold(ask.gesture_id).await, "/gesture_id")?;

    let change = case.seek_waiver(&gesture)?;

    let case = work.record(change).await?;
    work.changed(case).await
}

/// Begins the refund
///
/// The deposit is given back in full, so a penalty has to be waived before: the gesture that was named is fulfilled, over the
/// whole of it (`penalty_not_waived`), and is not reversed from now on (`gesture_waived_a_penalty`). It takes a manager or
/// higher (`refund_needs_manager`), and an order that is not delivered (`order_not_cancellable`).
#[utoipa::path(
    post, path = "/cancellations/{id}/begin-refund", tag = "cancellations",
    operation_id = "begin_refund",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    responses((status = 200, description = "The cancellation, whose refund is under way.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn begin_refund(access: Access<may::ComplaintsWrite>, Id(id): Id<CancellationId>) -> Outcome {
    let work = access.write_once().await?;
    let order = held_order(&work, id).await?;
    let case = work.hold::<CancellationCase>(id).await?;
    let waiver: Option<Gesture> = match case.gesture_id {
        Some(gesture) => Some(work.hold(gesture).await?),
        None => None,
    };

    let by = (work.actor(), work.now());
    let change = case.begin_refund(&order, waiver.as_ref(), by)?;

    let case = work.record(change).await?;
    work.settle_findings(FindingKind::DeadlineMissed, &AnyId::of(id), None).await?;
    work.changed(case).await
}

/// Notes the refund
///
/// The customer has the whole deposit back. The order is refunded by that, with all that follows from it
/// (`POST /v1/orders/{id}/refund`), unless it was before; so it takes the same permission. Not once the order is delivered
/// (`order_not_cancellable`): then it is refunded itself, and this is noted after that.
#[utoipa::path(
    post, path = "/cancellations/{id}/refund", tag = "cancellations",
    operation_id = "refund_cancellation",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    request_body(content = CancellationRefund, description = "The day."),
    responses((status = 200, description = "The cancellation, refunded.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["orders:write"])),
)]
async fn refund_cancellation(
    access: Access<may::OrdersWrite>,
    Id(id): Id<CancellationId>,
    Json(ask): Json<CancellationRefund>,
) -> Outcome {
    let work = access.write_once().await?;
    let order = held_order(&work, id).await?;
    let case = work.hold::<CancellationCase>(id).await?;

    let (change, order) = case.refund(order, ask.refunded_on, work.now())?;

    if let Some(order) = order {
        work.record(order).await?;
    }
    let case = work.record(change).await?;
    work.changed(case).await
}

/// Closes a cancellation
///
/// Nothing is left to do. The customer stays one: whatever was promised to them besides, such as a visit that was agreed, takes
/// place.
#[utoipa::path(
    post, path = "/cancellations/{id}/close", tag = "cancellations",
    operation_id = "close_cancellation",
    params(("id" = CancellationId, Path, description = "Which cancellation.")),
    responses((status = 200, description = "The cancellation, closed.", body = CancellationCase, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn close_cancellation(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CancellationId>,
) -> Outcome {
    let work = access.write().await?;
    let case = work.hold::<CancellationCase>(id).await?;

    let change = case.close(work.now())?;

    let case = work.record(change).await?;
    work.changed(case).await
}

/// The order of a cancellation, which is held before it, as everybody does.
async fn held_order(work: &Work, id: CancellationId) -> Result<SalesOrder, Problem> {
    let case = work.get::<CancellationCase>(id).await?;
    Ok(work.hold(case.order_id).await?)
}
