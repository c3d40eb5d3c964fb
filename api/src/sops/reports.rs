//! `/v1/todo` and `/v1/reports`: which steps wait for whom, and how well procedures are followed.

use crate::{
    access::{Access, Api, may},
    days::{Days, lately},
    list::{AtMost, List, ListOf, Paging, Parameters},
    problem::Problem,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    ids::{DealerId, SopVersionId, StaffId},
    refusal::Refusal,
    sops::{SopAdherence, SopRunStep, SopTodo, TodoPlace, todo_of},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::{
    page::{INVALID_CURSOR, USUAL_LIMIT},
    reports::{AdherenceBy, DeviationsWanted, deviations},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show_todo))
        .routes(routes!(report_sop_adherence))
        .routes(routes!(list_sop_deviations))
}

/// Whose steps are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TodoScope {
    /// One person's: the caller's own, or those of `staff_id`.
    Mine,
    /// Everybody's whom the caller sees, and those that are nobody's; for managers and above.
    Dealer,
}

/// Which steps are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TodoFilters {
    /// Those of this person; for managers and above, and for programs.
    staff_id: Option<StaffId>,
    /// Whose; one person's when left out.
    #[param(inline)]
    scope: Option<TodoScope>,
    /// At most so many, 1 to 200.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<AtMost>,
    /// Where to go on: the `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// What waits for somebody.
#[derive(Debug, Serialize, ToSchema)]
struct TodoList {
    /// The steps, those that are due first at the front, and those without a time at the end.
    steps: Vec<SopTodo>,
    /// Whether there are more behind these.
    has_more: bool,
    /// Pass it as `cursor` to get the next ones. Null when there are no more.
    next_cursor: Option<String>,
}

/// Shows what is to be done
///
/// The steps that can be done now and wait for the caller: those that are theirs, and those that went up to them
/// because they were late. What is due first comes first. Managers and above see the list of another person with
/// `staff_id`, and everybody's with `scope=dealer`, among them the steps that are nobody's.
#[utoipa::path(
    get, path = "/todo", tag = "sops",
    operation_id = "show_todo",
    params(TodoFilters),
    responses((status = 200, description = "What is to be done.", body = TodoList)),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn show_todo(
    access: Access<may::RunsRead>,
    Parameters(filters): Parameters<TodoFilters>,
) -> Result<Response, Problem> {
    let TodoFilters { staff_id, scope, limit, cursor } = filters;
    let after = cursor.map(|cursor| cursor.parse::<TodoPlace>()).transpose();
    let after = after.map_err(|_| Refusal::new(&INVALID_CURSOR).at("cursor"))?;
    let owner = todo_of(access.caller().actor, staff_id, scope == Some(TodoScope::Dealer))?;
    let reading = access.read().await?;
    let limit = limit.map_or(USUAL_LIMIT, |AtMost(limit)| limit);
    let (steps, has_more) = reading.todo(owner, after, limit).await?;
    let next_cursor = steps.last().filter(|_| has_more).map(|last| TodoPlace::of(last).to_string());
    Ok(axum::Json(TodoList { steps, has_more, next_cursor }).into_response())
}

/// By what a report counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AdherenceKey {
    /// By the dealer of the run.
    Dealer,
    /// By the person whose step it was.
    Staff,
    /// By the version that was followed.
    Version,
}

/// What is counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AdherenceFilters {
    /// By what is counted.
    #[param(inline)]
    by: AdherenceKey,
    /// The first day, in the brand's time zone; 30 days before the last one when left out.
    from_on: Option<CivilDate>,
    /// The last day; today when left out.
    to_on: Option<CivilDate>,
}

/// How well procedures were followed.
#[derive(Debug, Serialize, ToSchema)]
struct AdherenceReport {
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// A line for each dealer, person or version, those with the most runs first; at most 200.
    rows: Vec<SopAdherence>,
    /// Whether there are more: then narrow the days down, or ask by something else.
    has_more: bool,
}

/// Reports how well procedures were followed
///
/// Runs that were completed on these days, by dealer, person or version: how many, which share of the steps that apply
/// met the standard, how many failed, were waived or were late, and how many of them were obligations. A dealer's
/// people see their dealer's runs, and technicians those they have a part in.
#[utoipa::path(
    get, path = "/reports/sop-adherence", tag = "sops",
    operation_id = "report_sop_adherence",
    params(AdherenceFilters),
    responses((status = 200, description = "The report.", body = AdherenceReport)),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn report_sop_adherence(
    access: Access<may::RunsRead>,
    Parameters(filters): Parameters<AdherenceFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let days = Days::of(&reading, filters.from_on, filters.to_on, lately).await?;
    let by = match filters.by {
        AdherenceKey::Dealer => AdherenceBy::Dealer,
        AdherenceKey::Staff => AdherenceBy::Staff,
        AdherenceKey::Version => AdherenceBy::Version,
    };
    let (rows, has_more) = reading.adherence(by, days.span.start, days.span.end).await?;
    let Days { from_on, to_on, .. } = days;
    Ok(axum::Json(AdherenceReport { from_on, to_on, rows, has_more }).into_response())
}

/// Which deviations are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeviationFilters {
    /// Those of this dealer's runs.
    dealer_id: Option<DealerId>,
    /// Those of this person's steps; where a step was nobody's, of whoever carried out the run.
    staff_id: Option<StaffId>,
    /// Those of runs that followed this version.
    sop_version_id: Option<SopVersionId>,
    /// The first day, in the brand's time zone; 30 days before the last one when left out.
    from_on: Option<CivilDate>,
    /// The last day; today when left out.
    to_on: Option<CivilDate>,
}

/// Lists deviations
///
/// The steps that failed or were waived on these days, each with its `deviation_reason`; the oldest comes first. How
/// many there are of each person, `GET /v1/reports/sop-adherence?by=staff` counts. A dealer's people see those of their dealer's runs, and technicians those of runs they have a part in.
#[utoipa::path(
    get, path = "/reports/sop-deviations", tag = "sops",
    operation_id = "list_sop_deviations",
    params(DeviationFilters, Paging<SopRunStep>),
    responses((status = 200, description = "A page of steps.", body = ListOf<SopRunStep>)),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn list_sop_deviations(
    access: Access<may::RunsRead>,
    list: List<SopRunStep, DeviationFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let DeviationFilters { dealer_id, staff_id, sop_version_id, from_on, to_on } = list.filters;
    let days = Days::of(&reading, from_on, to_on, lately).await?;
    let wanted = DeviationsWanted {
        dealer: dealer_id,
        staff: staff_id,
        version: sop_version_id,
        from: days.span.start,
        until: days.span.end,
    };
    list.answer(&reading, deviations(wanted)).await
}
