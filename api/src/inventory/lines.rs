//! `/v1/inventory-audits/{id}/lines` and `/v1/improvement-backlog`: what was found, and what could be better.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Ids, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    identity::Staff,
    ids::{InventoryAuditId, InventoryLineId, StaffId},
    inventory::{
        AuditLineDetails, AuditLineResolution, InventoryAudit, InventoryLine, MOST_LINES,
        ServiceClass, ServiceItem,
    },
};
use serde::Deserialize;
use store::{
    Failure,
    inventory::audits::{self, LineFilter},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(AuditLinePatch of AuditLineDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_inventory_lines, add_inventory_line))
        .routes(routes!(show_inventory_line, change_inventory_line))
        .routes(routes!(resolve_inventory_line))
        .routes(routes!(list_improvement_backlog))
}

/// Which lines of an audit are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InventoryLineFilters {
    /// Those about obligations, or about services.
    class: Option<ServiceClass>,
    /// Those that this person takes care of.
    owner_id: Option<StaffId>,
    /// Those that could be better, or those that could not.
    can_improve: Option<bool>,
}

/// Which lines of the backlog are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BacklogFilters {
    /// Those about obligations, or about services.
    class: Option<ServiceClass>,
    /// Those that this person takes care of.
    owner_id: Option<StaffId>,
}

/// Lists the lines of a self-audit
///
/// In the order in which they were written. All filters narrow.
#[utoipa::path(
    get, path = "/inventory-audits/{id}/lines", tag = "inventory",
    operation_id = "list_inventory_lines",
    params(
        ("id" = InventoryAuditId, Path, description = "The self-audit."),
        InventoryLineFilters, Paging<InventoryLine>,
    ),
    responses((status = 200, description = "A page of lines.", body = ListOf<InventoryLine>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_inventory_lines(
    access: Access<may::InventoryRead>,
    Id(id): Id<InventoryAuditId>,
    list: List<InventoryLine, InventoryLineFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let audit: InventoryAudit = reading.get(id).await?;
    let InventoryLineFilters { class, owner_id, can_improve } = list.filters;
    let filter = LineFilter { class, owner_id, can_improve };
    list.answer(&reading, audits::lines_of(audit.id, filter)).await
}

/// Adds a line to a self-audit
///
/// About a service item, or in words about something that is none yet. An audit has one line for each service item;
/// a second one is refused (`already_exists`).
#[utoipa::path(
    post, path = "/inventory-audits/{id}/lines", tag = "inventory",
    operation_id = "add_inventory_line",
    params(("id" = InventoryAuditId, Path, description = "The self-audit.")),
    request_body(content = AuditLineDetails, description = "What was found."),
    responses((
        status = 201, description = "The line.", body = InventoryLine,
        headers(
            ("Location" = String, description = "Where the line is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn add_inventory_line(
    access: Access<may::InventoryWrite>,
    Id(id): Id<InventoryAuditId>,
    Json(details): Json<AuditLineDetails>,
) -> Outcome {
    let work = access.write().await?;
    let audit: InventoryAudit = work.hold(id).await?;
    must_know(&work, &details).await?;
    let most = u64::try_from(MOST_LINES).unwrap_or(u64::MAX);
    let count = work.count::<InventoryLine>(audits::all_lines_of(id), most).await?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);

    let line = audit.write(work.new_id(), details, count, work.now())?;

    let line = work.record(line).await?;
    work.created(&format!("/v1/inventory-audits/{id}/lines"), line).await
}

/// Makes sure that what a line names is the brand's.
async fn must_know(work: &Work, details: &AuditLineDetails) -> Result<(), Problem> {
    if let Some(item) = details.service_item_id {
        referred(work.get::<ServiceItem>(item).await, "/service_item_id")?;
    }
    if let Some(owner) = details.owner_id {
        referred(work.get::<Staff>(owner).await, "/owner_id")?;
    }
    Ok(())
}

/// Shows a line of a self-audit
///
/// With what was done about it, once it is resolved.
#[utoipa::path(
    get, path = "/inventory-audits/{id}/lines/{line_id}", tag = "inventory",
    operation_id = "show_inventory_line",
    params(
        ("id" = InventoryAuditId, Path, description = "The self-audit."),
        ("line_id" = InventoryLineId, Path, description = "The line."),
    ),
    responses((
        status = 200, description = "The line.", body = InventoryLine,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:read"])),
)]
async fn show_inventory_line(
    access: Access<may::InventoryRead>,
    Ids(id, line_id): Ids<InventoryAuditId, InventoryLineId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let line: InventoryLine = reading.get(line_id).await?;
    if line.inventory_audit_id != id {
        return Err(Failure::NotFound.into());
    }
    Ok(reading.show(&line))
}

/// Changes a line of a self-audit
///
/// While the audit is open. A resolved line stays resolved, unless it is worse again: `can_improve` turns true once
/// more, or the quality falls while it is true. Then it stands on the backlog again.
#[utoipa::path(
    patch, path = "/inventory-audits/{id}/lines/{line_id}", tag = "inventory",
    operation_id = "change_inventory_line",
    params(
        ("id" = InventoryAuditId, Path, description = "The self-audit."),
        ("line_id" = InventoryLineId, Path, description = "The line."),
    ),
    request_body(
        content = AuditLinePatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({ "quality": 4, "can_improve": false }),
    ),
    responses((
        status = 200, description = "The line as it is now.", body = InventoryLine,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn change_inventory_line(
    access: Access<may::InventoryWrite>,
    Ids(id, line_id): Ids<InventoryAuditId, InventoryLineId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let (audit, line) = hold_line(&work, id, line_id).await?;
    work.expect_current(&line)?;
    let details = patch.apply(&line.details)?;
    must_know(&work, &details).await?;

    let change = line.change(&audit, details)?;

    let line = work.record(change).await?;
    work.changed(line).await
}

/// A line of an audit, in order to change it; the audit is not closed meanwhile.
async fn hold_line(
    work: &Work,
    id: InventoryAuditId,
    line_id: InventoryLineId,
) -> Result<(InventoryAudit, InventoryLine), Problem> {
    let audit: InventoryAudit = work.hold(id).await?;
    let line: InventoryLine = work.hold(line_id).await?;
    if line.inventory_audit_id == id { Ok((audit, line)) } else { Err(Failure::NotFound.into()) }
}

/// Takes a line off the improvement backlog
///
/// Says what was done about it. It works for closed audits as well.
#[utoipa::path(
    post, path = "/inventory-audits/{id}/lines/{line_id}/resolve", tag = "inventory",
    operation_id = "resolve_inventory_line",
    params(
        ("id" = InventoryAuditId, Path, description = "The self-audit."),
        ("line_id" = InventoryLineId, Path, description = "The line."),
    ),
    request_body(content = AuditLineResolution, description = "What was done."),
    responses((
        status = 200, description = "The line as it is now.", body = InventoryLine,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["inventory:write"])),
)]
async fn resolve_inventory_line(
    access: Access<may::InventoryWrite>,
    Ids(id, line_id): Ids<InventoryAuditId, InventoryLineId>,
    Json(done): Json<AuditLineResolution>,
) -> Outcome {
    let work = access.write().await?;
    let (_, line) = hold_line(&work, id, line_id).await?;

    let change = line.resolve(done, work.now())?;

    let line = work.record(change).await?;
    work.changed(line).await
}

/// Lists what could be better
///
/// The lines of all self-audits that could be better and are not resolved, the oldest first.
#[utoipa::path(
    get, path = "/improvement-backlog", tag = "inventory",
    operation_id = "list_improvement_backlog",
    params(BacklogFilters, Paging<InventoryLine>),
    responses((status = 200, description = "A page of lines.", body = ListOf<InventoryLine>)),
    security(("oauth" = ["inventory:read"])),
)]
async fn list_improvement_backlog(
    access: Access<may::InventoryRead>,
    list: List<InventoryLine, BacklogFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let BacklogFilters { class, owner_id } = list.filters;
    let filter = LineFilter { class, owner_id, can_improve: None };
    list.answer(&reading, audits::backlog(filter)).await
}
