//! `/v1/service-items/{id}/benchmarks`: what peers offer, and how services become obligations.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json},
};
use axum::{http::StatusCode, response::Response};
use domain::{
    ids::ServiceItemId,
    inventory::{
        ItemClassChange, ServiceBenchmark, ServiceBenchmarkDetails, ServiceClass, ServiceItem,
    },
    text::Line,
};
use serde::{Deserialize, Serialize};
use store::inventory::items;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_benchmarks, record_benchmark))
        .routes(routes!(list_class_changes))
        .routes(routes!(reclassify_service_item))
}

/// The class that a service item is put into.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"class": "obligation", "reason": "Both shops next door do it now."})))]
struct Reclassification {
    /// The class it is to have.
    class: ServiceClass,
    /// Why.
    reason: Line,
}

/// Lists what peers offer of a service item
///
/// The oldest observation comes first. Benchmarks are written once and never changed.
#[utoipa::path(
    get, path = "/service-items/{id}/benchmarks", tag = "inventory",
    operation_id = "list_service_benchmarks",
    params(("id" = ServiceItemId, Path, description = "The service item."), Paging<ServiceBenchmark>),
    responses((status = 200, description = "A page of benchmarks.", body = ListOf<ServiceBenchmark>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_benchmarks(
    access: Access<may::InventoryRead>,
    Id(id): Id<ServiceItemId>,
    list: List<ServiceBenchmark>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let item: ServiceItem = reading.get(id).await?;
    list.answer(&reading, items::benchmarks_of(item.id)).await
}

/// Records what peers offer of a service item
///
/// When it is the newest observation of its territory, and the share of peers reaches the brand's `obligation_from_bp`, a service
/// becomes an obligation in the same moment; `GET /v1/service-items/{id}/class-changes` tells of it. An obligation
/// never becomes a service by itself.
#[utoipa::path(
    post, path = "/service-items/{id}/benchmarks", tag = "inventory",
    operation_id = "record_service_benchmark",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    request_body(content = ServiceBenchmarkDetails, description = "What was seen of the peers."),
    responses((status = 201, description = "The benchmark.", body = ServiceBenchmark)),
    security(("oauth" = ["inventory:write"])),
)]
async fn record_benchmark(
    access: Access<may::InventoryWrite>,
    Id(id): Id<ServiceItemId>,
    Json(details): Json<ServiceBenchmarkDetails>,
) -> Outcome {
    let work = access.write().await?;
    let item: ServiceItem = work.hold(id).await?;
    let newest = items::newest_benchmark_of(id, details.territory.as_ref());
    let newest: Option<ServiceBenchmark> = work.find(newest).await?;
    let newest_on = newest.map(|newest| newest.details.observed_on);
    let threshold = work.brand().await?.details.obligation_from_bp;
    let seen = ServiceBenchmark {
        id: work.new_id(),
        service_item_id: id,
        details,
        created_at: work.now(),
    };

    let seen = seen.observe(item, newest_on, threshold, work.new_id())?;

    let benchmark = work.record_observation(seen).await?;
    work.answer(StatusCode::CREATED, Vec::new(), &benchmark).await
}

/// Lists how the class of a service item changed
///
/// The newest comes first. Each line says whether a benchmark changed it or somebody did, and why.
#[utoipa::path(
    get, path = "/service-items/{id}/class-changes", tag = "inventory",
    operation_id = "list_class_changes",
    params(("id" = ServiceItemId, Path, description = "The service item."), Paging<ItemClassChange>),
    responses((status = 200, description = "A page of changes.", body = ListOf<ItemClassChange>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_class_changes(
    access: Access<may::InventoryRead>,
    Id(id): Id<ServiceItemId>,
    list: List<ItemClassChange>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let item: ServiceItem = reading.get(id).await?;
    list.answer(&reading, items::class_changes_of(item.id)).await
}

/// Puts a service item into the other class
///
/// By hand, with a reason. A later benchmark may still make an obligation of it.
#[utoipa::path(
    post, path = "/service-items/{id}/reclassify", tag = "inventory",
    operation_id = "reclassify_service_item",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    request_body(content = Reclassification, description = "The class, and why."),
    responses((
        status = 200, description = "The service item as it is now.", body = ServiceItem,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn reclassify_service_item(
    access: Access<may::InventoryWrite>,
    Id(id): Id<ServiceItemId>,
    Json(Reclassification { class, reason }): Json<Reclassification>,
) -> Outcome {
    let work = access.write().await?;
    let item: ServiceItem = work.hold(id).await?;
    let changed = item.reclassify(work.new_id(), class, reason, work.now())?;
    let item = work.record_class_change(changed).await?;
    work.changed(item).await
}
