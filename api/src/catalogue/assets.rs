//! `/v1/assets`: each sold thing, at its customer's.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    pushes,
    request::{Id, Ids, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    catalogue::{Asset, AssetDetails},
    customers::Customer,
    ids::{AssetId, CustomerId, DealerId, ProductId},
    pushes::check_site,
    text::{ExternalId, Sku, Source},
    time::CivilDate,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/assets";

patches!(AssetPatch of AssetDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_assets, create_asset))
        .routes(routes!(show_asset, change_asset))
        .routes(routes!(push_asset))
        .routes(routes!(deliver_asset))
        .routes(routes!(retire_asset))
}

/// Which assets are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AssetFilters {
    /// Whose they are.
    customer_id: Option<CustomerId>,
    /// Which product they are of.
    product_id: Option<ProductId>,
    /// Who serves them.
    dealer_id: Option<DealerId>,
    /// Their serial number.
    serial: Option<Sku>,
    /// The system that pushed them.
    #[param(example = "erp")]
    source: Option<Source>,
    /// What that system calls them.
    external_id: Option<ExternalId>,
}

/// The day of a delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"delivered_on": "2026-11-20"})))]
struct DeliverAsset {
    /// The day it arrived at the customer's.
    delivered_on: CivilDate,
}

/// Lists assets
///
/// The newest comes first. Callers who work for a dealer see what their dealer serves.
#[utoipa::path(
    get, path = "/assets", tag = "catalogue",
    operation_id = "list_assets",
    params(AssetFilters, Paging<Asset>, Expanding<Asset>),
    responses((status = 200, description = "A page of assets.", body = ListOf<Asset>)),
    security(("oauth" = ["catalogue:read"])),
)]
async fn list_assets(
    access: Access<may::CatalogueRead>,
    list: List<Asset, AssetFilters>,
    expand: Expand<Asset>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let select = store::catalogue::assets(store::catalogue::Wanted {
        customer: filters.customer_id,
        product: filters.product_id,
        dealer: filters.dealer_id,
        serial: filters.serial.as_ref(),
        source: filters.source.as_ref(),
        external_id: filters.external_id.as_ref(),
    });
    list.answer_with(&reading, &expand, select).await
}

/// Creates an asset
///
/// With a day of delivery the plans of its product begin. Its customer is a buyer from then on; who had called everything
/// off is one again once it is delivered. A thing that another system knows too is better pushed by its external id.
#[utoipa::path(
    post, path = "/assets", tag = "catalogue",
    operation_id = "create_asset",
    request_body(content = AssetDetails, description = "What is known about the thing."),
    responses((status = 201, description = "The new asset.", body = Asset,
        headers(("Location" = String, description = "Where the asset is found."),
                ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn create_asset(
    access: Access<may::CatalogueWrite>,
    Json(details): Json<AssetDetails>,
) -> Outcome {
    let work = access.write().await?;
    let details = checked(&work, details).await?;
    let change = Asset::create(work.new_id(), details, work.now())?;
    let asset = work.record(change).await?;
    work.created(COLLECTION, asset).await
}

/// Pushes an asset by its external id
///
/// Creates the asset, or replaces what is said about it; what the body leaves out is taken away, save for
/// the day of delivery, which stays once it is known. The same push again changes nothing. `source` and
/// `external_id` may be left out of the body.
#[utoipa::path(
    put, path = "/assets/by-external-id/{source}/{external_id}", tag = "catalogue",
    operation_id = "push_asset",
    params(("source" = Source, Path, description = "The system that pushes."),
           ("external_id" = ExternalId, Path, description = "What it calls the thing.")),
    request_body(content = AssetDetails, description = "What that system knows about the thing."),
    responses(
        (status = 200, description = "The asset, changed or as it was.", body = Asset,
            headers(("ETag" = String, description = "The version, for If-Match."))),
        (status = 201, description = "The new asset.", body = Asset,
            headers(("Location" = String, description = "Where the asset is found."),
                    ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn push_asset(
    access: Access<may::CatalogueWrite>,
    Ids(source, external_id): Ids<Source, ExternalId>,
    Json(mut details): Json<AssetDetails>,
) -> Outcome {
    let work = access.write().await?;
    pushes::name((&source, &external_id), &mut details.source, &mut details.external_id)?;
    work.push_alone("asset", &source, &external_id).await?;
    let details = checked(&work, details).await?;
    let known = work.hold_found(store::catalogue::assets_named(&source, &[&external_id])).await?;
    let pushed = Asset::push(known, work.new_id(), details, work.now())?;
    pushes::record(work, COLLECTION, pushed).await
}

/// Shows an asset
///
/// What was done at it is found in its timeline, at `/v1/audit-entries?subject=`.
#[utoipa::path(
    get, path = "/assets/{id}", tag = "catalogue",
    operation_id = "show_asset",
    params(("id" = AssetId, Path, description = "The asset."), Expanding<Asset>),
    responses((status = 200, description = "The asset.", body = Asset,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:read"])),
)]
async fn show_asset(
    access: Access<may::CatalogueRead>,
    Id(id): Id<AssetId>,
    expand: Expand<Asset>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Changes an asset
///
/// A day of delivery
/// that is known stays; to give another is refused with `already_delivered`.
#[utoipa::path(
    patch, path = "/assets/{id}", tag = "catalogue",
    operation_id = "change_asset",
    params(("id" = AssetId, Path, description = "The asset.")),
    request_body(content = AssetPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"address": "上海市徐汇区漕溪路 2 号"})),
    responses((status = 200, description = "The asset as it is now.", body = Asset,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn change_asset(
    access: Access<may::CatalogueWrite>,
    Id(id): Id<AssetId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    // Its customer is held before the asset, as a push does, so that neither waits for the other.
    let read: Asset = work.get(id).await?;
    let customer_id = patch.clone().apply(&read.details)?.customer_id;
    referred(work.hold::<Customer>(customer_id).await, "/customer_id")?;
    let asset: Asset = work.hold(id).await?;
    work.expect_current(&asset)?;
    let details = checked(&work, patch.apply(&asset.details)?).await?;
    let asset = work.record(asset.update(details, work.now())?).await?;
    work.changed(asset).await
}

/// Delivers an asset
///
/// Says on which day it arrived at the customer's. The plans of its product count from that day, so it is
/// told once: a known day is refused with `already_delivered`. Its customer is a buyer from then on.
#[utoipa::path(
    post, path = "/assets/{id}/deliver", tag = "catalogue",
    operation_id = "deliver_asset",
    params(("id" = AssetId, Path, description = "The asset.")),
    request_body(content = DeliverAsset, description = "The day of the delivery."),
    responses((status = 200, description = "The asset as it is now.", body = Asset,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn deliver_asset(
    access: Access<may::CatalogueWrite>,
    Id(id): Id<AssetId>,
    Json(ask): Json<DeliverAsset>,
) -> Outcome {
    let work = access.write().await?;
    // Its customer is held before the asset, as a push does.
    let read: Asset = work.get(id).await?;
    let customer: Customer = work.hold(read.details.customer_id).await?;
    let asset: Asset = work.hold(id).await?;
    let asset = work.record(asset.deliver(ask.delivered_on, work.now())?).await?;
    if let Some(change) = customer.learn_of_asset(true) {
        work.record(change).await?;
    }
    work.changed(asset).await
}

/// Retires an asset
///
/// It is gone: scrapped, given back or sold on.
#[utoipa::path(
    post, path = "/assets/{id}/retire", tag = "catalogue",
    operation_id = "retire_asset",
    params(("id" = AssetId, Path, description = "The asset.")),
    responses((status = 200, description = "The asset as it is now.", body = Asset,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn retire_asset(access: Access<may::CatalogueWrite>, Id(id): Id<AssetId>) -> Outcome {
    let work = access.write().await?;
    let asset: Asset = work.hold(id).await?;
    let asset = work.record(asset.retire()?).await?;
    work.changed(asset).await
}

/// Makes sure that the records an asset speaks of are the caller's and belong together; its customer is
/// a buyer, or is again once it is delivered.
async fn checked(work: &Work, details: AssetDetails) -> Result<AssetDetails, Problem> {
    let dealer_id = pushes::dealer_of(work, details.dealer_id)?;
    check_site(dealer_id, pushes::site_dealer(work, details.site_id).await?)?;
    let customer: Customer = referred(work.hold(details.customer_id).await, "/customer_id")?;
    if let Some(change) = customer.learn_of_asset(details.delivered_on.is_some()) {
        work.record(change).await?;
    }
    Ok(AssetDetails { dealer_id, ..details })
}
