//! `/v1/calendars/{id}/days` and `/v1/calendars/{id}/deadline`: what a day is, and when so much working time is over; and
//! `/v1/calendar-events`.

use crate::{
    access::{Access, Api, may},
    list::Parameters,
    problem::Problem,
    request::Id,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    calendars::{
        BusinessCalendar, CalendarDays, CalendarDeadline, CalendarEventKind, CalendarEvents,
        DeadlineMinutes, check_days,
    },
    ids::CalendarId,
    time::{CivilDate, Timestamp},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_calendar_days))
        .routes(routes!(find_calendar_deadline))
        .routes(routes!(list_calendar_events))
}

/// Which days are wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WantedDays {
    /// The first day.
    #[param(example = "2026-10-01")]
    from_on: CivilDate,
    /// The last day; at most 400 days from the first to the last.
    #[param(example = "2026-10-31")]
    to_on: CivilDate,
}

/// How much working time is looked for.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WantedDeadline {
    /// From when on it is counted; now when left out.
    #[param(example = "2026-11-20T09:30:00Z")]
    from_at: Option<Timestamp>,
    /// How many minutes of working time.
    #[param(inline, example = 60)]
    minutes: DeadlineMinutes,
}

/// Which days with a name are wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WantedEvents {
    /// The first day.
    #[param(example = "2026-09-01")]
    from_on: CivilDate,
    /// The last day; at most 400 days from the first to the last.
    #[param(example = "2026-12-31")]
    to_on: CivilDate,
    /// Those of this kind.
    kind: Option<CalendarEventKind>,
}

/// Shows what days are by a calendar
///
/// Each day with its intervals, what it is called, and who says so: the brand day by day, the list that it handed in, the
/// statutory holidays, or its weekday. Where the statutory holidays of a year are not known, `statutory_known` is false and
/// nothing is guessed.
#[utoipa::path(
    get, path = "/calendars/{id}/days", tag = "calendars",
    operation_id = "list_calendar_days",
    params(("id" = CalendarId, Path, description = "The calendar."), WantedDays),
    responses((status = 200, description = "The days.", body = CalendarDays)),
    security(("oauth" = ["tenant:read"])),
)]
async fn list_calendar_days(
    access: Access<may::TenantRead>,
    Id(id): Id<CalendarId>,
    Parameters(wanted): Parameters<WantedDays>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let calendar: BusinessCalendar = reading.get(id).await?;
    let WantedDays { from_on, to_on } = wanted;
    check_days(from_on, to_on)?;
    let time = reading.working_time(&calendar, from_on..=to_on).await?;
    Ok(axum::Json(calendar.days(&time, from_on, to_on)?).into_response())
}

/// Finds when so much working time is over
///
/// With the stretches of working time that were counted, so that anybody can see why. Deadlines of procedures are found in
/// the same way, by the calendar that a site names.
#[utoipa::path(
    get, path = "/calendars/{id}/deadline", tag = "calendars",
    operation_id = "find_calendar_deadline",
    params(("id" = CalendarId, Path, description = "The calendar."), WantedDeadline),
    responses((status = 200, description = "The deadline.", body = CalendarDeadline)),
    security(("oauth" = ["tenant:read"])),
)]
async fn find_calendar_deadline(
    access: Access<may::TenantRead>,
    Id(id): Id<CalendarId>,
    Parameters(wanted): Parameters<WantedDeadline>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let calendar: BusinessCalendar = reading.get(id).await?;
    let from_at = wanted.from_at.unwrap_or(reading.now());
    let time = reading.working_time_from(&calendar, from_at).await?;
    Ok(axum::Json(calendar.deadline(&time, from_at, wanted.minutes)?).into_response())
}

/// Lists what the year brings
///
/// The 24 solar terms, Chinese and Western festivals and civil days, with their dates; the terms as they begin in Beijing.
/// They are the same for everybody, and no days off by themselves: those are in `GET /v1/calendars/{id}/days`.
#[utoipa::path(
    get, path = "/calendar-events", tag = "calendars",
    operation_id = "list_calendar_events",
    params(WantedEvents),
    responses((status = 200, description = "The days that have a name.", body = CalendarEvents)),
    security(("oauth" = ["tenant:read"])),
)]
async fn list_calendar_events(
    _access: Access<may::TenantRead>,
    Parameters(wanted): Parameters<WantedEvents>,
) -> Result<Response, Problem> {
    let WantedEvents { from_on, to_on, kind } = wanted;
    Ok(axum::Json(CalendarEvents::between(from_on, to_on, kind)?).into_response())
}
