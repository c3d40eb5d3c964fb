//! `/v1/inventory-audits`: what is an obligation, what a service, and what could be better.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    ids::InventoryAuditId,
    inventory::{
        AuditState, AuditSummary, InventoryAudit, InventoryAuditDetails, InventoryAuditOpening,
        InventoryLine, MOST_LINES, ServiceItem,
    },
};
use serde::Deserialize;
use store::inventory::{audits, items};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(InventoryAuditPatch of InventoryAuditDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_inventory_audits, open_inventory_audit))
        .routes(routes!(show_inventory_audit, change_inventory_audit))
        .routes(routes!(close_inventory_audit))
        .routes(routes!(sum_up_inventory_audit))
}

/// Which self-audits are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InventoryAuditFilters {
    /// Those that are open, or closed.
    state: Option<AuditState>,
}

/// Lists self-audits
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/inventory-audits", tag = "inventory",
    operation_id = "list_inventory_audits",
    params(InventoryAuditFilters, Paging<InventoryAudit>),
    responses((status = 200, description = "A page of self-audits.", body = ListOf<InventoryAudit>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_inventory_audits(
    access: Access<may::InventoryRead>,
    list: List<InventoryAudit, InventoryAuditFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    list.answer(&reading, audits::audits(list.filters.state)).await
}

/// Opens a self-audit
///
/// With `prefill` it begins with a line for each active service item, as it is classed now, which nobody has rated.
#[utoipa::path(
    post, path = "/inventory-audits", tag = "inventory",
    operation_id = "open_inventory_audit",
    request_body(content = InventoryAuditOpening, description = "What it looks at."),
    responses((
        status = 201, description = "The self-audit.", body = InventoryAudit,
        headers(
            ("Location" = String, description = "Where the self-audit is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn open_inventory_audit(
    access: Access<may::InventoryWrite>,
    Json(opening): Json<InventoryAuditOpening>,
) -> Outcome {
    let work = access.write().await?;
    let items: Vec<ServiceItem> = if opening.prefill {
        work.all(items::active(one_more_than(MOST_LINES))).await?
    } else {
        Vec::new()
    };

    let audit = InventoryAudit::open(work.new_id(), opening.details(), work.now())?;
    let lines = audit.record.prefill(&items, || work.new_id(), work.now())?;

    let audit = work.record(audit).await?;
    work.add_all(&lines).await?;
    work.created("/v1/inventory-audits", audit).await
}

/// One more shows that there are too many.
fn one_more_than(most: usize) -> u64 {
    u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1)
}

/// Shows a self-audit
///
/// Its lines are a list of their own.
#[utoipa::path(
    get, path = "/inventory-audits/{id}", tag = "inventory",
    operation_id = "show_inventory_audit",
    params(("id" = InventoryAuditId, Path, description = "The self-audit.")),
    responses((
        status = 200, description = "The self-audit.", body = InventoryAudit,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:read"])),
)]
async fn show_inventory_audit(
    access: Access<may::InventoryRead>,
    Id(id): Id<InventoryAuditId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let audit: InventoryAudit = reading.get(id).await?;
    Ok(reading.show(&audit))
}

/// Changes a self-audit
///
/// Its title and its period, while it is open.
#[utoipa::path(
    patch, path = "/inventory-audits/{id}", tag = "inventory",
    operation_id = "change_inventory_audit",
    params(("id" = InventoryAuditId, Path, description = "The self-audit.")),
    request_body(
        content = InventoryAuditPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "title": "The whole year" }),
    ),
    responses((
        status = 200, description = "The self-audit as it is now.", body = InventoryAudit,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn change_inventory_audit(
    access: Access<may::InventoryWrite>,
    Id(id): Id<InventoryAuditId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let audit: InventoryAudit = work.hold(id).await?;
    work.expect_current(&audit)?;
    let details = patch.apply(&audit.details)?;
    let audit = work.record(audit.change(details)?).await?;
    work.changed(audit).await
}

/// Closes a self-audit
///
/// Its lines stay as they are. What could be better stays on the backlog until it is resolved.
#[utoipa::path(
    post, path = "/inventory-audits/{id}/close", tag = "inventory",
    operation_id = "close_inventory_audit",
    params(("id" = InventoryAuditId, Path, description = "The self-audit.")),
    responses((
        status = 200, description = "The self-audit as it is now.", body = InventoryAudit,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn close_inventory_audit(
    access: Access<may::InventoryWrite>,
    Id(id): Id<InventoryAuditId>,
) -> Outcome {
    let work = access.write().await?;
    let audit: InventoryAudit = work.hold(id).await?;
    let audit = work.record(audit.close(work.now())?).await?;
    work.changed(audit).await
}

/// Sums a self-audit up
///
/// How many lines are about obligations, how many about services, and how many could be better.
#[utoipa::path(
    get, path = "/inventory-audits/{id}/summary", tag = "inventory",
    operation_id = "sum_up_inventory_audit",
    params(("id" = InventoryAuditId, Path, description = "The self-audit.")),
    responses((status = 200, description = "What it comes to.", body = AuditSummary)),
    security(("oauth" = ["inventory:read"])),
)]
async fn sum_up_inventory_audit(
    access: Access<may::InventoryRead>,
    Id(id): Id<InventoryAuditId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let audit: InventoryAudit = reading.get(id).await?;
    let lines: Vec<InventoryLine> = reading.all(audits::all_lines_of(audit.id)).await?;
    Ok(axum::Json(AuditSummary::of(&lines)).into_response())
}
