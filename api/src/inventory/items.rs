//! `/v1/service-items`: what may be done for a customer.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::ServiceItemId,
    inventory::{
        ContactMode, ServiceCategory, ServiceClass, ServiceItem, ServiceItemDetails,
        ServiceItemStatus, ServiceMode, ServicePhase,
    },
    text::Code,
};
use serde::Deserialize;
use store::inventory::items::{self, ServiceItemFilter};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/service-items";

patches!(ServiceItemPatch of ServiceItemDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_service_items, create_service_item))
        .routes(routes!(show_service_item, change_service_item))
        .routes(routes!(retire_service_item))
        .routes(routes!(reinstate_service_item))
}

/// Which service items are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ServiceItemFilters {
    /// The one with this code.
    #[param(example = "wall-check")]
    code: Option<Code>,
    /// Those of this class.
    class: Option<ServiceClass>,
    /// Those that are the same for everybody, or made for one.
    mode: Option<ServiceMode>,
    /// Those about this.
    category: Option<ServiceCategory>,
    /// Those of this phase of a sale.
    phase: Option<ServicePhase>,
    /// Those in which the customer meets somebody so.
    contact_mode: Option<ContactMode>,
    /// Those that are still done, or are no longer.
    status: Option<ServiceItemStatus>,
}

/// Lists service items
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/service-items", tag = "inventory",
    operation_id = "list_service_items",
    params(ServiceItemFilters, Paging<ServiceItem>),
    responses((status = 200, description = "A page of service items.", body = ListOf<ServiceItem>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_service_items(
    access: Access<may::InventoryRead>,
    list: List<ServiceItem, ServiceItemFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = list.filters.clone();
    let filter = ServiceItemFilter {
        code: filters.code,
        class: filters.class,
        mode: filters.mode,
        category: filters.category,
        phase: filters.phase,
        contact_mode: filters.contact_mode,
        status: filters.status,
    };
    list.answer(&reading, items::items(&filter)).await
}

/// Creates a service item
///
/// Its condition is read and bounded now: one that cannot be read (`condition_malformed`), names what nobody knows
/// (`condition_unknown_name`) or may never come to an end (`condition_may_not_end`) is refused.
#[utoipa::path(
    post, path = "/service-items", tag = "inventory",
    operation_id = "create_service_item",
    request_body(content = ServiceItemDetails, description = "What the brand says about it."),
    responses((
        status = 201, description = "The service item.", body = ServiceItem,
        headers(
            ("Location" = String, description = "Where the service item is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn create_service_item(
    access: Access<may::InventoryWrite>,
    Json(details): Json<ServiceItemDetails>,
) -> Outcome {
    let work = access.write().await?;
    let item = work.record(ServiceItem::enter(work.new_id(), details, work.now())).await?;
    work.created(COLLECTION, item).await
}

/// Shows a service item
///
/// Its `class` is as it is today; `GET /v1/service-items/{id}/class-changes` says how it became so.
#[utoipa::path(
    get, path = "/service-items/{id}", tag = "inventory",
    operation_id = "show_service_item",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    responses((
        status = 200, description = "The service item.", body = ServiceItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:read"])),
)]
async fn show_service_item(
    access: Access<may::InventoryRead>,
    Id(id): Id<ServiceItemId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let item: ServiceItem = reading.get(id).await?;
    Ok(reading.show(&item))
}

/// Changes a service item
///
/// Its code stays, because plans name it so; its class changes by `reclassify`, with a reason.
#[utoipa::path(
    patch, path = "/service-items/{id}", tag = "inventory",
    operation_id = "change_service_item",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    request_body(
        content = ServiceItemPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({ "est_minutes": 20 }),
    ),
    responses((
        status = 200, description = "The service item as it is now.", body = ServiceItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn change_service_item(
    access: Access<may::InventoryWrite>,
    Id(id): Id<ServiceItemId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let item: ServiceItem = work.hold(id).await?;
    work.expect_current(&item)?;
    let details = patch.apply(&item.details)?;
    let item = work.record(item.update(details)?).await?;
    work.changed(item).await
}

/// Retires a service item
///
/// No plan that is published from now on can name it; plans that are in force go on.
#[utoipa::path(
    post, path = "/service-items/{id}/retire", tag = "inventory",
    operation_id = "retire_service_item",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    responses((
        status = 200, description = "The service item as it is now.", body = ServiceItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn retire_service_item(
    access: Access<may::InventoryWrite>,
    Id(id): Id<ServiceItemId>,
) -> Outcome {
    let work = access.write().await?;
    let item: ServiceItem = work.hold(id).await?;
    let item = work.record(item.retire()?).await?;
    work.changed(item).await
}

/// Reinstates a service item
///
/// It is active again, as it was.
#[utoipa::path(
    post, path = "/service-items/{id}/reinstate", tag = "inventory",
    operation_id = "reinstate_service_item",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    responses((
        status = 200, description = "The service item as it is now.", body = ServiceItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn reinstate_service_item(
    access: Access<may::InventoryWrite>,
    Id(id): Id<ServiceItemId>,
) -> Outcome {
    let work = access.write().await?;
    let item: ServiceItem = work.hold(id).await?;
    let item = work.record(item.reinstate()?).await?;
    work.changed(item).await
}
