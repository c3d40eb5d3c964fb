//! `/v1/staff/{id}/work` and `/v1/staff/{id}/timeline`: what waits for a person, and what they did.

use crate::{
    access::{Access, Api, may},
    list::{AtMost, List, ListOf, Paging, Parameters},
    problem::Problem,
    request::Id,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    audit::AuditEntry,
    complaints::work::{WorkItem, WorkPlace},
    identity::Staff,
    ids::StaffId,
    refusal::Refusal,
    sops::{TodoOwner, todo_of},
};
use serde::{Deserialize, Serialize};
use store::page::{INVALID_CURSOR, USUAL_LIMIT};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show_staff_work))
        .routes(routes!(show_my_work))
        .routes(routes!(show_staff_timeline))
}

/// How much is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WorkFilters {
    /// At most so many, 1 to 200.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<AtMost>,
    /// Where to go on: the `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// What waits for somebody.
#[derive(Debug, Serialize, ToSchema)]
struct OpenWork {
    /// The items, those that are due first at the front, and those without a deadline at the end.
    items: Vec<WorkItem>,
    /// Whether there are more behind these.
    has_more: bool,
    /// Pass it as `cursor` to get the next ones. Null when there are no more.
    next_cursor: Option<String>,
}

/// Shows what waits for a person
///
/// Open complaints that they answer for or that have gone up to them, each with the deadline that comes first, and what was
/// promised about these and is not carried out yet. What is due first comes first. People see their own; managers and
/// above, and programs, those of others whom they see. Steps of procedures are in `GET /v1/todo`.
#[utoipa::path(
    get, path = "/staff/{id}/work", tag = "complaints",
    operation_id = "show_staff_work",
    params(("id" = StaffId, Path, description = "Who."), WorkFilters),
    responses((status = 200, description = "What waits for them.", body = OpenWork)),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_staff_work(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<StaffId>,
    Parameters(filters): Parameters<WorkFilters>,
) -> Result<Response, Problem> {
    work_of(access, Some(id), filters).await
}

/// Shows what waits for you
///
/// As `GET /v1/staff/{id}/work` does, for the person whose credentials these are. A program has no work of its own
/// (`todo_of_nobody`).
#[utoipa::path(
    get, path = "/me/work", tag = "complaints",
    operation_id = "show_my_work",
    params(WorkFilters),
    responses((status = 200, description = "What waits for you.", body = OpenWork)),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_my_work(
    access: Access<may::ComplaintsRead>,
    Parameters(filters): Parameters<WorkFilters>,
) -> Result<Response, Problem> {
    work_of(access, None, filters).await
}

async fn work_of(
    access: Access<may::ComplaintsRead>,
    person: Option<StaffId>,
    filters: WorkFilters,
) -> Result<Response, Problem> {
    let after = filters.cursor.map(|cursor| cursor.parse::<WorkPlace>()).transpose();
    let after = after.map_err(|_| Refusal::new(&INVALID_CURSOR).at("cursor"))?;
    let owner = todo_of(access.caller().actor, person, false)?;
    let reading = access.read().await?;
    let (items, has_more) = match owner {
        TodoOwner::Person(person) => {
            let person = reading.get::<Staff>(person).await?.id;
            let limit = filters.limit.map_or(USUAL_LIMIT, |AtMost(limit)| limit);
            reading.open_work(person, after, limit).await?
        }
        // Nobody asks for that here.
        TodoOwner::Everybody => (Vec::new(), false),
    };
    let next_cursor = items.last().filter(|_| has_more).map(|last| last.place().to_string());
    Ok(axum::Json(OpenWork { items, has_more, next_cursor }).into_response())
}

/// Shows what a person did
///
/// The lines of the audit log that they wrote, the newest first, whatever records they are about. Callers who work for a
/// dealer see the lines of their dealer's records.
#[utoipa::path(
    get, path = "/staff/{id}/timeline", tag = "audit",
    operation_id = "show_staff_timeline",
    params(("id" = StaffId, Path, description = "Who."), Paging<AuditEntry>),
    responses((status = 200, description = "A page of the log.", body = ListOf<AuditEntry>)),
    security(("oauth" = ["audit:read"])),
)]
async fn show_staff_timeline(
    access: Access<may::AuditRead>,
    Id(id): Id<StaffId>,
    list: List<AuditEntry>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let person = reading.get::<Staff>(id).await?;
    list.answer(&reading, store::audit::done_by(person.id)).await
}
