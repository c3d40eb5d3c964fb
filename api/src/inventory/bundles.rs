//! `/v1/gift-bundles`: gifts that are given together, and cost no more than their cap.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::GiftBundleId,
    inventory::{GiftBundle, GiftBundleDetails, GiftItem, GiftStatus},
};
use serde::Deserialize;
use store::inventory::gifts;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(GiftBundlePatch of GiftBundleDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_gift_bundles, create_gift_bundle))
        .routes(routes!(show_gift_bundle, change_gift_bundle))
        .routes(routes!(retire_gift_bundle))
        .routes(routes!(reinstate_gift_bundle))
}

/// Which bundles are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GiftBundleFilters {
    /// Those that are still given, or are no longer.
    status: Option<GiftStatus>,
}

/// Lists bundles of gifts
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/gift-bundles", tag = "inventory",
    operation_id = "list_gift_bundles",
    params(GiftBundleFilters, Paging<GiftBundle>),
    responses((status = 200, description = "A page of bundles.", body = ListOf<GiftBundle>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_gift_bundles(
    access: Access<may::InventoryRead>,
    list: List<GiftBundle, GiftBundleFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    list.answer(&reading, gifts::bundles(list.filters.status)).await
}

/// Creates a bundle of gifts
///
/// Its parts may cost its cap together, and not more (`bundle_over_cap`).
#[utoipa::path(
    post, path = "/gift-bundles", tag = "inventory",
    operation_id = "create_gift_bundle",
    request_body(content = GiftBundleDetails, description = "What is in it, and what it may cost."),
    responses((
        status = 201, description = "The bundle.", body = GiftBundle,
        headers(
            ("Location" = String, description = "Where the bundle is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn create_gift_bundle(
    access: Access<may::InventoryWrite>,
    Json(details): Json<GiftBundleDetails>,
) -> Outcome {
    let work = access.write().await?;
    work.change_gifts_alone().await?;
    let parts = parts(&work, &details).await?;

    let bundle = GiftBundle::enter(work.new_id(), details, &parts, work.now())?;

    let bundle = work.record(bundle).await?;
    work.created("/v1/gift-bundles", bundle).await
}

/// The gifts that the parts name, unless they are too many to look for. They are kept as a document, whose references
/// the database does not guard.
async fn parts(work: &Work, bundle: &GiftBundleDetails) -> Result<Vec<GiftItem>, Problem> {
    bundle.check_count()?;
    let found = work.parts_of(&bundle.parts).await?;
    found.map_err(|place| Problem::unknown_reference(&format!("/parts/{place}/gift_id")))
}

/// Shows a bundle of gifts
///
/// What its parts cost stands with them.
#[utoipa::path(
    get, path = "/gift-bundles/{id}", tag = "inventory",
    operation_id = "show_gift_bundle",
    params(("id" = GiftBundleId, Path, description = "The bundle.")),
    responses((
        status = 200, description = "The bundle.", body = GiftBundle,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:read"])),
)]
async fn show_gift_bundle(
    access: Access<may::InventoryRead>,
    Id(id): Id<GiftBundleId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let bundle: GiftBundle = reading.get(id).await?;
    Ok(reading.show(&bundle))
}

/// Changes a bundle of gifts
///
/// Parts are replaced as a whole. A lower cap is refused when the parts cost more (`bundle_over_cap`).
#[utoipa::path(
    patch, path = "/gift-bundles/{id}", tag = "inventory",
    operation_id = "change_gift_bundle",
    params(("id" = GiftBundleId, Path, description = "The bundle.")),
    request_body(
        content = GiftBundlePatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "cost_cap_minor": 6000 }),
    ),
    responses((
        status = 200, description = "The bundle as it is now.", body = GiftBundle,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn change_gift_bundle(
    access: Access<may::InventoryWrite>,
    Id(id): Id<GiftBundleId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    work.change_gifts_alone().await?;
    let bundle: GiftBundle = work.hold(id).await?;
    work.expect_current(&bundle)?;
    let details: GiftBundleDetails = patch.apply(&bundle.details)?;
    let parts = parts(&work, &details).await?;

    let change = bundle.update(details, &parts)?;

    let bundle = work.record(change).await?;
    work.changed(bundle).await
}

/// Retires a bundle of gifts
///
/// It is suggested no more, and what its parts cost does not matter for it.
#[utoipa::path(
    post, path = "/gift-bundles/{id}/retire", tag = "inventory",
    operation_id = "retire_gift_bundle",
    params(("id" = GiftBundleId, Path, description = "The bundle.")),
    responses((
        status = 200, description = "The bundle as it is now.", body = GiftBundle,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn retire_gift_bundle(
    access: Access<may::InventoryWrite>,
    Id(id): Id<GiftBundleId>,
) -> Outcome {
    let work = access.write().await?;
    let bundle: GiftBundle = work.hold(id).await?;
    let bundle = work.record(bundle.retire()?).await?;
    work.changed(bundle).await
}

/// Reinstates a bundle of gifts
///
/// It is refused when its parts cost more than its cap by now (`bundle_over_cap`).
#[utoipa::path(
    post, path = "/gift-bundles/{id}/reinstate", tag = "inventory",
    operation_id = "reinstate_gift_bundle",
    params(("id" = GiftBundleId, Path, description = "The bundle.")),
    responses((
        status = 200, description = "The bundle as it is now.", body = GiftBundle,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn reinstate_gift_bundle(
    access: Access<may::InventoryWrite>,
    Id(id): Id<GiftBundleId>,
) -> Outcome {
    let work = access.write().await?;
    work.change_gifts_alone().await?;
    let bundle: GiftBundle = work.hold(id).await?;
    let parts = parts(&work, &bundle.details).await?;

    let change = bundle.reinstate(&parts)?;

    let bundle = work.record(change).await?;
    work.changed(bundle).await
}
