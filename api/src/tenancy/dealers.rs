//! `/v1/dealers`: who acts for the brand.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::DealerId,
    tenancy::{Dealer, DealerDetails, DealerStatus},
    text::Code,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(DealerPatch of DealerDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_dealers, enter_dealer))
        .routes(routes!(show_dealer, change_dealer))
        .routes(routes!(close_dealer))
        .routes(routes!(reopen_dealer))
}

/// Which dealers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DealerFilters {
    /// Dealers in this state.
    status: Option<DealerStatus>,
    /// The dealer with this name for programs.
    code: Option<Code>,
}

/// Lists dealers
///
/// The newest comes first. A dealer's people see their own.
#[utoipa::path(
    get, path = "/dealers", tag = "brand",
    operation_id = "list_dealers",
    params(DealerFilters, Paging<Dealer>),
    responses((status = 200, description = "A page of dealers.", body = ListOf<Dealer>)),
    security(("oauth" = ["dealers:read"])),
)]
async fn list_dealers(
    access: Access<may::DealersRead>,
    list: List<Dealer, DealerFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::tenancy::dealers(list.filters.status, list.filters.code.as_ref());
    list.answer(&reading, select).await
}

/// Enters a dealer
///
/// From now on people can be entered for it, and customers belong to it.
#[utoipa::path(
    post, path = "/dealers", tag = "brand",
    operation_id = "enter_dealer",
    request_body(content = DealerDetails, description = "Who the dealer is.",
        example = json!({"code": "hangzhou-01", "name": "杭州一店", "tz": "Asia/Shanghai"})),
    responses((status = 201, description = "The dealer.", body = Dealer,
        headers(("Location" = String, description = "Where it is found."),
                ("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn enter_dealer(
    access: Access<may::DealersWrite>,
    Json(details): Json<DealerDetails>,
) -> Outcome {
    let work = access.write().await?;
    let change = Dealer::enter(work.new_id(), details, work.reach(), work.now())?;
    let dealer = work.record(change).await?;
    work.created("/v1/dealers", dealer).await
}

/// Shows a dealer
///
/// A dealer's people see their own.
#[utoipa::path(
    get, path = "/dealers/{id}", tag = "brand",
    operation_id = "show_dealer",
    params(("id" = DealerId, Path, description = "Which dealer.")),
    responses((status = 200, description = "The dealer.", body = Dealer,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:read"])),
)]
async fn show_dealer(
    access: Access<may::DealersRead>,
    Id(id): Id<DealerId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let dealer = reading.get::<Dealer>(id).await?;
    Ok(reading.show(&dealer))
}

/// Changes a dealer
///
/// Its names and its time zone.
#[utoipa::path(
    patch, path = "/dealers/{id}", tag = "brand",
    operation_id = "change_dealer",
    params(("id" = DealerId, Path, description = "Which dealer.")),
    request_body(content = DealerPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"name": "杭州西湖店"})),
    responses((status = 200, description = "The dealer as it is now.", body = Dealer,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn change_dealer(
    access: Access<may::DealersWrite>,
    Id(id): Id<DealerId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let dealer = work.hold::<Dealer>(id).await?;
    work.expect_current(&dealer)?;

    let details = patch.apply(&dealer.details)?;
    let change = dealer.change(details);

    let dealer = work.record(change).await?;
    work.changed(dealer).await
}

/// Closes a dealer
///
/// Its people and the keys made for it are not let in any more, five seconds from now. It makes no new visits, and those
/// that were agreed are given back; their customers are told. Its records stay.
#[utoipa::path(
    post, path = "/dealers/{id}/close", tag = "brand",
    operation_id = "close_dealer",
    params(("id" = DealerId, Path, description = "Which dealer.")),
    responses((status = 200, description = "The dealer as it is now.", body = Dealer,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn close_dealer(access: Access<may::DealersWrite>, Id(id): Id<DealerId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Dealer>(id).await?.close()?;
    let dealer = work.record(change).await?;
    work.changed(dealer).await
}

/// Reopens a dealer
///
/// Its people and the keys made for it are let in again.
#[utoipa::path(
    post, path = "/dealers/{id}/reopen", tag = "brand",
    operation_id = "reopen_dealer",
    params(("id" = DealerId, Path, description = "Which dealer.")),
    responses((status = 200, description = "The dealer as it is now.", body = Dealer,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn reopen_dealer(access: Access<may::DealersWrite>, Id(id): Id<DealerId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Dealer>(id).await?.reopen()?;
    let dealer = work.record(change).await?;
    work.changed(dealer).await
}
