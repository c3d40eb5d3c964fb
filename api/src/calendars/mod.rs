//! `/v1/calendars`: when somebody works, and `/v1/calendar-events`: what the year brings.

mod days;
mod exceptions;

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    calendars::{BusinessCalendar, BusinessCalendarDetails, CalendarStatus},
    ids::CalendarId,
    text::Code,
};
use serde::Deserialize;
use store::calendars::calendars;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/calendars";

patches!(BusinessCalendarPatch of BusinessCalendarDetails);

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_calendars, create_calendar))
        .routes(routes!(show_calendar, change_calendar))
        .routes(routes!(retire_calendar))
        .routes(routes!(reinstate_calendar))
        .merge(exceptions::router())
        .merge(days::router())
}

/// Which calendars are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CalendarFilters {
    /// The one with this code.
    #[param(example = "office-cn")]
    code: Option<Code>,
    /// Those that sites may take, or may not any more.
    status: Option<CalendarStatus>,
}

/// Lists calendars
///
/// The newest comes first. Calendars are the brand's; everybody of the brand reads them.
#[utoipa::path(
    get, path = "/calendars", tag = "calendars",
    operation_id = "list_calendars",
    params(CalendarFilters, Paging<BusinessCalendar>),
    responses((status = 200, description = "A page of calendars.", body = ListOf<BusinessCalendar>)),
    security(("oauth" = ["tenant:read"])),
)]
async fn list_calendars(
    access: Access<may::TenantRead>,
    list: List<BusinessCalendar, CalendarFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let CalendarFilters { code, status } = &list.filters;
    list.answer(&reading, calendars(code.as_ref(), *status)).await
}

/// Creates a calendar
///
/// Its hours are on the wall clock of its zone: any number of intervals a day, also across midnight, none of which overlaps
/// another (`calendar_hours_overlap`). A site counts working time by it once it names it as `calendar_id`. Where the
/// holidays of the year are not known, and from 1 November on those of the next one, a finding `holidays_unknown` says so,
/// until days of that year are entered or handed in.
#[utoipa::path(
    post, path = "/calendars", tag = "calendars",
    operation_id = "create_calendar",
    request_body(content = BusinessCalendarDetails, description = "When work is done."),
    responses((
        status = 201, description = "The calendar.", body = BusinessCalendar,
        headers(
            ("Location" = String, description = "Where the calendar is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn create_calendar(
    access: Access<may::TenantWrite>,
    Json(details): Json<BusinessCalendarDetails>,
) -> Outcome {
    let work = access.write().await?;
    let change = BusinessCalendar::enter(work.new_id(), details, work.now())?;
    let calendar = work.record(change).await?;
    work.created(COLLECTION, calendar).await
}

/// Shows a calendar
///
/// What each day is by it, `GET /v1/calendars/{id}/days` says.
#[utoipa::path(
    get, path = "/calendars/{id}", tag = "calendars",
    operation_id = "show_calendar",
    params(("id" = CalendarId, Path, description = "The calendar.")),
    responses((
        status = 200, description = "The calendar.", body = BusinessCalendar,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:read"])),
)]
async fn show_calendar(
    access: Access<may::TenantRead>,
    Id(id): Id<CalendarId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let calendar: BusinessCalendar = reading.get(id).await?;
    Ok(reading.show(&calendar))
}

/// Changes a calendar
///
/// What is due already stays due; what is counted from now on is counted by the new hours.
#[utoipa::path(
    patch, path = "/calendars/{id}", tag = "calendars",
    operation_id = "change_calendar",
    params(("id" = CalendarId, Path, description = "The calendar.")),
    request_body(
        content = BusinessCalendarPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({ "quiet_hours": { "from": "22:00", "to": "07:30" } }),
    ),
    responses((
        status = 200, description = "The calendar as it is now.", body = BusinessCalendar,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn change_calendar(
    access: Access<may::TenantWrite>,
    Id(id): Id<CalendarId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    work.expect_current(&calendar)?;
    let details = patch.apply(&calendar.details)?;
    let calendar = work.record(calendar.update(details)?).await?;
    work.changed(calendar).await
}

/// Retires a calendar
///
/// No more sites take it (`calendar_retired`); those that name it go on by it.
#[utoipa::path(
    post, path = "/calendars/{id}/retire", tag = "calendars",
    operation_id = "retire_calendar",
    params(("id" = CalendarId, Path, description = "The calendar.")),
    responses((
        status = 200, description = "The calendar as it is now.", body = BusinessCalendar,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn retire_calendar(access: Access<may::TenantWrite>, Id(id): Id<CalendarId>) -> Outcome {
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    let calendar = work.record(calendar.retire()?).await?;
    work.changed(calendar).await
}

/// Reinstates a calendar
///
/// Sites may take it again.
#[utoipa::path(
    post, path = "/calendars/{id}/reinstate", tag = "calendars",
    operation_id = "reinstate_calendar",
    params(("id" = CalendarId, Path, description = "The calendar.")),
    responses((
        status = 200, description = "The calendar as it is now.", body = BusinessCalendar,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn reinstate_calendar(access: Access<may::TenantWrite>, Id(id): Id<CalendarId>) -> Outcome {
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    let calendar = work.record(calendar.reinstate()?).await?;
    work.changed(calendar).await
}
