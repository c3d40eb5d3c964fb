//! `/v1/rmas`: goods that come back, and what is done for it.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    catalogue::Asset,
    complaints::Remedy,
    findings::FindingKind,
    ids::{AnyId, ComplaintId, CustomerId, DealerId, RemedyId, RmaId},
    returns::{Rma, RmaDetails, RmaInspection, RmaKnown, RmaReceipt, RmaRejection, RmaState},
};
use serde::Deserialize;
use store::returns::{RmasWanted, open_of, rejected_of, rmas};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_rmas, open_rma))
        .routes(routes!(get_rma))
        .routes(routes!(authorise_rma))
        .routes(routes!(proceed_rma))
        .routes(routes!(send_rma))
        .routes(routes!(receive_rma))
        .routes(routes!(inspect_rma))
        .routes(routes!(reject_rma))
        .routes(routes!(settle_rma))
        .routes(routes!(close_rma))
        .routes(routes!(cancel_rma))
}

/// Which returns are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RmaFilters {
    /// Where they stand.
    state: Option<RmaState>,
    /// Who complained.
    customer_id: Option<CustomerId>,
    /// Whose people carry them out.
    dealer_id: Option<DealerId>,
    /// Those of this complaint.
    complaint_id: Option<ComplaintId>,
    /// Those of this remedy.
    remedy_id: Option<RemedyId>,
}

/// Lists returns
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/rmas", tag = "returns",
    operation_id = "list_rmas",
    params(RmaFilters, Paging<Rma>),
    responses((status = 200, description = "A page of returns.", body = ListOf<Rma>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_rmas(
    access: Access<may::ComplaintsRead>,
    list: List<Rma, RmaFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let RmaFilters { state, customer_id, dealer_id, complaint_id, remedy_id } = list.filters;
    let wanted = RmasWanted { state, customer_id, dealer_id, complaint_id, remedy_id };
    list.answer(&reading, rmas(wanted)).await
}

/// Opens a return
///
/// For a remedy of a complaint that is due: a replacement, a repair or a refund; with a return of the goods, without one,
/// or with a replacement that is sent in advance. A line names an asset of the customer's, or says what the goods are
/// called that were never ordered here. Another product can be given in exchange (`replacement_item`). What follows from
/// a confirmed defect is `authorised` at once, unless an earlier return of the remedy was rejected; others by a manager or
/// higher. A remedy has one return that is not over (`rma_open_already`).
#[utoipa::path(
    post, path = "/rmas", tag = "returns",
    operation_id = "open_rma",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = RmaDetails, description = "What is asked for."),
    responses((status = 201, description = "The return.", body = Rma, headers(
        ("Location" = String, description = "Where the return is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn open_rma(
    access: Access<may::ComplaintsWrite>,
    Json(details): Json<RmaDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    details.check_length()?;
    // Held, so that a second return of the same remedy finds the first.
    let remedy: Remedy = referred(work.hold(details.remedy_id).await, "/remedy_id")?;
    let named = details.lines.iter().filter_map(|line| line.asset_id);
    let assets: Vec<Asset> = work.all(store::catalogue::assets_by_id(named)).await?;
    let mut owners = Vec::new();
    for (at, line) in details.lines.iter().enumerate() {
        let owner = assets.iter().find(|asset| Some(asset.id) == line.asset_id);
        if line.asset_id.is_some() && owner.is_none() {
            return Err(Problem::unknown_reference(&format!("/lines/{at}/asset_id")).into());
        }
        owners.push(owner.map(|asset| asset.details.customer_id));
    }
    let open: Option<Rma> = work.find(open_of(remedy.id)).await?;
    let rejected: Option<Rma> = work.find(rejected_of(remedy.id)).await?;

    let was_rejected = rejected.is_some();
    let known = RmaKnown { remedy: &remedy, open: open.as_ref(), was_rejected };
    let change = Rma::open(work.new_id(), details, known, &owners, work.now())?;

    let rma = work.record(change).await?;
    work.created("/v1/rmas", rma).await
}

/// Shows a return
///
/// With its lines: what has come of each, what its inspection has shown, and where its goods go.
#[utoipa::path(
    get, path = "/rmas/{id}", tag = "returns",
    operation_id = "get_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_rma(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<RmaId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let rma: Rma = reading.get(id).await?;
    Ok(reading.show(&rma))
}

/// Authorises a return
///
/// It may take place. It takes a manager or higher (`rma_needs_manager`). The goods are waited for from now on, for 30 days.
#[utoipa::path(
    post, path = "/rmas/{id}/authorise", tag = "returns",
    operation_id = "authorise_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return, authorised.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn authorise_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.authorise(work.actor(), work.now())?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Goes on with a return
///
/// Once it is authorised: the goods are asked for, or without a return, and in advance, it is begun to put it right. Once the
/// goods were inspected: it is begun to put it right, as the remedy says (`replacing`, `repairing`, `refunding`).
#[utoipa::path(
    post, path = "/rmas/{id}/proceed", tag = "returns",
    operation_id = "proceed_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return as it is now.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn proceed_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.proceed()?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Sends a replacement in advance
///
/// Says that the replacement has left before the goods came back, which are waited for now.
#[utoipa::path(
    post, path = "/rmas/{id}/send", tag = "returns",
    operation_id = "send_rma",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return, whose goods are awaited.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn send_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write_once().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.send(work.now())?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Receives goods
///
/// A part of them, or all. No more comes of a line than is outstanding (`rma_quantity_exceeded`). With `nothing_more` what has
/// not come stays with the customer; after a replacement was sent in advance that can be everything, and all that is left is to
/// settle the return. Once nothing is outstanding any more the return is `received`.
#[utoipa::path(
    post, path = "/rmas/{id}/receive", tag = "returns",
    operation_id = "receive_rma",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = RmaId, Path, description = "Which return.")),
    request_body(content = RmaReceipt, description = "What has come."),
    responses((status = 200, description = "The return as it is now.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn receive_rma(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<RmaId>,
    Json(ask): Json<RmaReceipt>,
) -> Outcome {
    let work = access.write_once().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.receive(&ask, work.now())?;

    let rma = work.record(change).await?;
    if rma.state == RmaState::Received {
        work.settle_findings(FindingKind::ReturnOverdue, &AnyId::of(id), None).await?;
    }
    work.changed(rma).await
}

/// Inspects goods
///
/// Says of each line of which something has come what was found, and where its goods go. What a program has inspected can be
/// inspected anew, by a person.
#[utoipa::path(
    post, path = "/rmas/{id}/inspect", tag = "returns",
    operation_id = "inspect_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    request_body(content = RmaInspection, description = "What was found."),
    responses((status = 200, description = "The return, inspected.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn inspect_rma(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<RmaId>,
    Json(ask): Json<RmaInspection>,
) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.inspect(ask, work.actor(), work.now())?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Rejects a return
///
/// Confirms that there is no defect, once the inspection has disproved it for every line. It takes a manager or higher, and
/// two people: one who inspected, and another one who confirms it (`rejection_needs_second_person`). Not after a replacement
/// was sent in advance. The remedy stays due.
#[utoipa::path(
    post, path = "/rmas/{id}/reject", tag = "returns",
    operation_id = "reject_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    request_body(content = RmaRejection, description = "What the inspection has shown."),
    responses((status = 200, description = "The return, rejected.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn reject_rma(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<RmaId>,
    Json(ask): Json<RmaRejection>,
) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.reject(ask, work.actor())?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Settles a return
///
/// Says that it was put right. The remedy is done by that, in the same breath; it must not be waived or replaced
/// (`remedy_settled`).
#[utoipa::path(
    post, path = "/rmas/{id}/settle", tag = "returns",
    operation_id = "settle_rma",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return, settled.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn settle_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write_once().await?;
    let remedy = work.hold_remedy_of(id).await?;
    let rma = work.hold::<Rma>(id).await?;

    let (change, remedy) = rma.settle(remedy, work.now())?;

    if let Some(remedy) = remedy {
        work.record(remedy).await?;
    }
    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Closes a return
///
/// Says that nothing is left to do about the goods either.
#[utoipa::path(
    post, path = "/rmas/{id}/close", tag = "returns",
    operation_id = "close_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return, closed.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn close_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.close(work.now())?;

    let rma = work.record(change).await?;
    work.changed(rma).await
}

/// Cancels a return
///
/// It does not take place; the remedy stays due, and another return can be opened for it. Not once goods have changed hands
/// (`goods_received`).
#[utoipa::path(
    post, path = "/rmas/{id}/cancel", tag = "returns",
    operation_id = "cancel_rma",
    params(("id" = RmaId, Path, description = "Which return.")),
    responses((status = 200, description = "The return, cancelled.", body = Rma, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn cancel_rma(access: Access<may::ComplaintsWrite>, Id(id): Id<RmaId>) -> Outcome {
    let work = access.write().await?;
    let rma = work.hold::<Rma>(id).await?;

    let change = rma.cancel()?;

    let rma = work.record(change).await?;
    work.settle_findings(FindingKind::ReturnOverdue, &AnyId::of(id), None).await?;
    work.changed(rma).await
}
