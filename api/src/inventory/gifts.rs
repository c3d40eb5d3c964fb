//! `/v1/gifts`: small things that a customer may be given.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::GiftItemId,
    inventory::{Festival, GiftItem, GiftItemDetails, GiftStatus, GiftTies, Season},
    text::Code,
};
use serde::Deserialize;
use store::inventory::gifts::{self, GiftFilter};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(GiftItemPatch of GiftItemDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_gifts, create_gift))
        .routes(routes!(show_gift, change_gift))
        .routes(routes!(retire_gift))
        .routes(routes!(reinstate_gift))
}

/// Which gifts are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GiftFilters {
    /// The one with this code.
    #[param(example = "moon-cake")]
    code: Option<Code>,
    /// Those that name this season.
    season: Option<Season>,
    /// Those that name this festival.
    festival: Option<Festival>,
    /// Those that are still given, or are no longer.
    status: Option<GiftStatus>,
}

/// Lists gifts
///
/// The newest comes first. All filters narrow. What suits a day and a budget is found by `GET /v1/gift-suggestions`.
#[utoipa::path(
    get, path = "/gifts", tag = "inventory",
    operation_id = "list_gifts",
    params(GiftFilters, Paging<GiftItem>),
    responses((status = 200, description = "A page of gifts.", body = ListOf<GiftItem>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_gifts(
    access: Access<may::InventoryRead>,
    list: List<GiftItem, GiftFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let GiftFilters { code, season, festival, status } = list.filters.clone();
    list.answer(&reading, gifts::gifts(&GiftFilter { code, season, festival, status })).await
}

/// Creates a gift
///
/// What it falls back to must cost less, in the same currency (`fallback_not_cheaper`).
#[utoipa::path(
    post, path = "/gifts", tag = "inventory",
    operation_id = "create_gift",
    request_body(content = GiftItemDetails, description = "What the brand says about it."),
    responses((
        status = 201, description = "The gift.", body = GiftItem,
        headers(
            ("Location" = String, description = "Where the gift is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn create_gift(
    access: Access<may::InventoryWrite>,
    Json(details): Json<GiftItemDetails>,
) -> Outcome {
    let work = access.write().await?;
    work.change_gifts_alone().await?;
    let id = work.new_id();
    let ties = ties(&work, id, &details).await?;

    let gift = GiftItem::enter(id, details, ties.fallback.as_ref(), work.now())?;

    let gift = work.record(gift).await?;
    work.created("/v1/gifts", gift).await
}

/// What leans on a gift, and what it leans on by what is said about it now.
async fn ties(work: &Work, id: GiftItemId, details: &GiftItemDetails) -> Result<GiftTies, Problem> {
    referred(work.ties_of(id, details.fallback_gift_id).await, "/fallback_gift_id")
}

/// Shows a gift
///
/// `stock` is what the brand said last; nothing is taken off by itself.
#[utoipa::path(
    get, path = "/gifts/{id}", tag = "inventory",
    operation_id = "show_gift",
    params(("id" = GiftItemId, Path, description = "The gift.")),
    responses((
        status = 200, description = "The gift.", body = GiftItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:read"])),
)]
async fn show_gift(
    access: Access<may::InventoryRead>,
    Id(id): Id<GiftItemId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let gift: GiftItem = reading.get(id).await?;
    Ok(reading.show(&gift))
}

/// Changes a gift
///
/// A new cost is refused when an active bundle that it is a part of would cost more than its cap
/// (`bundle_over_cap`), or when it would not be cheaper any more than a gift that falls back to it
/// (`fallback_not_cheaper`). A gift in more than 100 active bundles does not grow dearer (`gift_in_too_many_bundles`).
#[utoipa::path(
    patch, path = "/gifts/{id}", tag = "inventory",
    operation_id = "change_gift",
    params(("id" = GiftItemId, Path, description = "The gift.")),
    request_body(
        content = GiftItemPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({ "stock": 180 }),
    ),
    responses((
        status = 200, description = "The gift as it is now.", body = GiftItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn change_gift(
    access: Access<may::InventoryWrite>,
    Id(id): Id<GiftItemId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    work.change_gifts_alone().await?;
    let gift: GiftItem = work.hold(id).await?;
    work.expect_current(&gift)?;
    let details = patch.apply(&gift.details)?;
    let ties = ties(&work, id, &details).await?;

    let change = gift.update(details, &ties)?;

    let gift = work.record(change).await?;
    work.changed(gift).await
}

/// Retires a gift
///
/// It is suggested no more, nor is a bundle that it is a part of.
#[utoipa::path(
    post, path = "/gifts/{id}/retire", tag = "inventory",
    operation_id = "retire_gift",
    params(("id" = GiftItemId, Path, description = "The gift.")),
    responses((
        status = 200, description = "The gift as it is now.", body = GiftItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn retire_gift(access: Access<may::InventoryWrite>, Id(id): Id<GiftItemId>) -> Outcome {
    let work = access.write().await?;
    let gift: GiftItem = work.hold(id).await?;
    let gift = work.record(gift.retire()?).await?;
    work.changed(gift).await
}

/// Reinstates a gift
///
/// It is given again, as it was.
#[utoipa::path(
    post, path = "/gifts/{id}/reinstate", tag = "inventory",
    operation_id = "reinstate_gift",
    params(("id" = GiftItemId, Path, description = "The gift.")),
    responses((
        status = 200, description = "The gift as it is now.", body = GiftItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn reinstate_gift(access: Access<may::InventoryWrite>, Id(id): Id<GiftItemId>) -> Outcome {
    let work = access.write().await?;
    let gift: GiftItem = work.hold(id).await?;
    let gift = work.record(gift.reinstate()?).await?;
    work.changed(gift).await
}
