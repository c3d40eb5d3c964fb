//! `/v1/calendars/{id}/exceptions`: days that are not like their weekday.

use super::COLLECTION;
use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging, Parameters},
    problem::{self, Problem},
    reading,
    request::{Id, Ids, Json, expect_type},
};
use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    calendars::{
        BusinessCalendar, CalendarException, CalendarExceptionDetails, CalendarIntake,
        CalendarIntakeReport, DatedException, ExceptionList, ExceptionSource, check_days, ics,
    },
    ids::CalendarId,
    invalid::Invalid,
    time::CivilDate,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use store::{
    Missing,
    calendars::{ExceptionsWanted, exception_on, exceptions, met_by},
};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The media type of iCalendar (RFC 5545).
const ICS: &str = "text/calendar";
/// The media types of a list.
const LISTS: [&str; 2] = ["application/json", ICS];

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_calendar_exceptions, take_over_calendar_exceptions))
        .routes(routes!(export_calendar_exceptions))
        .routes(routes!(put_calendar_exception, take_back_calendar_exception))
}

/// A file of iCalendar.
struct CalendarFile;

impl PartialSchema for CalendarFile {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(1_048_576))
            .description(Some("A file of iCalendar (RFC 5545), at most 1 MiB."))
            .into()
    }
}

impl ToSchema for CalendarFile {}

/// Which exceptions are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExceptionFilters {
    /// On this day and later.
    from_on: Option<CivilDate>,
    /// On this day and earlier.
    to_on: Option<CivilDate>,
    /// Those that were entered one by one, or those of the list that was handed in last.
    source: Option<ExceptionSource>,
}

/// Which exceptions are exported.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportedDays {
    /// The first day.
    #[param(example = "2026-01-01")]
    from_on: CivilDate,
    /// The last day; at most 400 days from the first to the last.
    #[param(example = "2026-12-31")]
    to_on: CivilDate,
}

/// How a list is taken over.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IntakeManner {
    /// Whether to say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Lists the exceptions of a calendar
///
/// The days that are not like their weekday because the brand says so, in order; statutory holidays are not among them.
#[utoipa::path(
    get, path = "/calendars/{id}/exceptions", tag = "calendars",
    operation_id = "list_calendar_exceptions",
    params(
        ("id" = CalendarId, Path, description = "The calendar."),
        ExceptionFilters, Paging<CalendarException>,
    ),
    responses((status = 200, description = "A page of exceptions.", body = ListOf<CalendarException>)),
    security(("oauth" = ["tenant:read"])),
)]
async fn list_calendar_exceptions(
    access: Access<may::TenantRead>,
    Id(id): Id<CalendarId>,
    list: List<CalendarException, ExceptionFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let calendar: BusinessCalendar = reading.get(id).await?;
    let ExceptionFilters { from_on, to_on, source } = list.filters;
    let wanted = ExceptionsWanted { calendar: calendar.id, from_on, to_on, source };
    list.answer(&reading, exceptions(wanted)).await
}

/// Takes over a list of exceptions
///
/// In the place of the list that was handed in before; what the brand entered day by day stays as it is. The list is JSON,
/// or a file of iCalendar as other programs export it: each event of whole days closes them, unless its summary ends in
/// （班）, (班), 补班 or 上班, or one of its categories is `WORKDAY`; such days are worked as the first weekday that has
/// hours. `DTEND` is the first day after the event. Cancelled events say nothing; those with a time of day
/// (`ics_not_all_day`) and recurring ones (`ics_recurs`) are refused, and so are two that say different things about one
/// day (`calendar_day_twice`). At most 1000 days. All of it happens or nothing does. With `dry_run` the answer says what
/// would happen.
#[utoipa::path(
    put, path = "/calendars/{id}/exceptions", tag = "calendars",
    operation_id = "take_over_calendar_exceptions",
    params(("id" = CalendarId, Path, description = "The calendar."), IntakeManner),
    request_body(description = "The list.", content(
        (ExceptionList = "application/json"),
        (CalendarFile = "text/calendar", example = json!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20271001\r\nDTEND;VALUE=DATE:20271008\r\nSUMMARY:国庆节\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")))),
    responses((status = 200, description = "What was done.", body = CalendarIntakeReport)),
    security(("oauth" = ["tenant:write"])),
)]
async fn take_over_calendar_exceptions(
    access: Access<may::TenantWrite>,
    Id(id): Id<CalendarId>,
    Parameters(manner): Parameters<IntakeManner>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Outcome {
    expect_type(&headers, &LISTS)?;
    let list = read(is_file(&headers), bytes).await?;
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    let known: Vec<CalendarException> = work.all(met_by(id, list.keys().copied())).await?;

    let intake = CalendarIntake::of(&calendar, list, known, || work.new_id(), work.now());

    if !manner.dry_run {
        work.record_exceptions(&calendar, intake.change).await?;
    }
    let report = CalendarIntakeReport::of(intake.days, manner.dry_run);
    work.answer(StatusCode::OK, Vec::new(), &report).await
}

/// Whether the body is a file of iCalendar.
fn is_file(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(ICS)
}

/// Reads a list apart from the requests of others, because a large one takes a while.
async fn read(is_file: bool, bytes: Bytes) -> Result<BTreeMap<CivilDate, DatedException>, Problem> {
    let reading = move || {
        let list = if is_file {
            ExceptionList { exceptions: ics::read(text(&bytes)?)? }
        } else {
            reading::from_bytes(&bytes)?
        };
        Ok(list.by_day()?)
    };
    let read = tokio::task::spawn_blocking(reading).await;
    read.map_err(|_| Problem::new(&problem::FAULT))?
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let byte = error.valid_up_to();
        let message = format!("the body stops being UTF-8 at byte {byte}");
        let invalid = Invalid::new("not_utf8", message);
        let invalid = invalid.in_chinese(format!("请求体从第 {byte} 字节起不是 UTF-8"));
        Problem::new(&problem::MALFORMED).at("", invalid)
    })
}

/// Exports the exceptions of a calendar
///
/// As a file of iCalendar with an event for each day, so that other programs show them and a calendar of another brand
/// takes them over. Hours of single days have no place in it: a day with hours of its own is a worked day there.
#[utoipa::path(
    get, path = "/calendars/{id}/exceptions/export", tag = "calendars",
    operation_id = "export_calendar_exceptions",
    params(("id" = CalendarId, Path, description = "The calendar."), ExportedDays),
    responses((status = 200, description = "The file.", content((CalendarFile = "text/calendar")))),
    security(("oauth" = ["tenant:read"])),
)]
async fn export_calendar_exceptions(
    access: Access<may::TenantRead>,
    Id(id): Id<CalendarId>,
    Parameters(days): Parameters<ExportedDays>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let calendar: BusinessCalendar = reading.get(id).await?;
    let ExportedDays { from_on, to_on } = days;
    check_days(from_on, to_on)?;
    let (from_on, to_on) = (Some(from_on), Some(to_on));
    let wanted = ExceptionsWanted { calendar: id, from_on, to_on, source: None };
    let mut found: Vec<CalendarException> = reading.all(exceptions(wanted)).await?;
    found.sort_by_key(|exception| exception.applies_on);
    let file = ics::write(&calendar.details.name, &found);
    let kind = format!("{ICS}; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], file).into_response())
}

/// Says what a day is
///
/// Whatever its weekday, the statutory holidays or a list say. Said again with something else, that holds; no list changes
/// it.
#[utoipa::path(
    put, path = "/calendars/{id}/exceptions/{applies_on}", tag = "calendars",
    operation_id = "put_calendar_exception",
    params(
        ("id" = CalendarId, Path, description = "The calendar."),
        ("applies_on" = CivilDate, Path, description = "The day."),
    ),
    request_body(content = CalendarExceptionDetails, description = "What is said about the day."),
    responses(
        (status = 200, description = "The exception, changed or as it was.", body = CalendarException),
        (status = 201, description = "The new exception.", body = CalendarException,
            headers(("Location" = String, description = "Where it is changed and taken back.")))),
    security(("oauth" = ["tenant:write"])),
)]
async fn put_calendar_exception(
    access: Access<may::TenantWrite>,
    Ids(id, applies_on): Ids<CalendarId, CivilDate>,
    Json(details): Json<CalendarExceptionDetails>,
) -> Outcome {
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    let known: Option<CalendarException> = work.find(exception_on(id, applies_on)).await?;
    let said = CalendarException {
        id: work.new_id(),
        calendar_id: id,
        applies_on,
        details,
        source: ExceptionSource::Own,
        created_at: work.now(),
    };

    let (exception, change) = said.put(known.as_ref())?;

    if let Some(change) = change {
        work.record_exceptions(&calendar, change).await?;
    }
    if known.is_some() {
        return work.answer(StatusCode::OK, Vec::new(), &exception).await;
    }
    let place = format!("{COLLECTION}/{id}/exceptions/{applies_on}");
    let location = (header::LOCATION.to_string(), place);
    work.answer(StatusCode::CREATED, vec![location], &exception).await
}

/// Takes back what was said about a day
///
/// It is again what the statutory holidays or its weekday say. What a list said about it and was overruled is not
/// remembered: hand the list in again.
#[utoipa::path(
    delete, path = "/calendars/{id}/exceptions/{applies_on}", tag = "calendars",
    operation_id = "take_back_calendar_exception",
    params(
        ("id" = CalendarId, Path, description = "The calendar."),
        ("applies_on" = CivilDate, Path, description = "The day."),
    ),
    responses((status = 200, description = "The exception as it was.", body = CalendarException)),
    security(("oauth" = ["tenant:write"])),
)]
async fn take_back_calendar_exception(
    access: Access<may::TenantWrite>,
    Ids(id, applies_on): Ids<CalendarId, CivilDate>,
) -> Outcome {
    let work = access.write().await?;
    let calendar: BusinessCalendar = work.hold(id).await?;
    let known = work.find::<CalendarException>(exception_on(id, applies_on)).await?;
    let exception = known.ok_or(Missing::NotFound)?;

    let change = exception.take_back();

    work.record_exceptions(&calendar, change).await?;
    work.answer(StatusCode::OK, Vec::new(), &exception).await
}
