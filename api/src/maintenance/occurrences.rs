//! `/v1/occurrences`: the dates that follow from plans.

use super::VisitNote;
use crate::{
    access::{Access, Api, Outcome, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    ids::{CustomerId, DealerId, EnrolmentId, OccurrenceId},
    maintenance::occurrences::{Occurrence, OccurrenceState, SkipCause},
    time::CivilDate,
};
use serde::Deserialize;
use store::maintenance::{self, OccurrenceFilter};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_occurrences))
        .routes(routes!(get_occurrence))
        .routes(routes!(skip_occurrence))
}

/// Which due dates are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OccurrenceFilters {
    /// Those of one enrolment.
    enrolment_id: Option<EnrolmentId>,
    /// Those of one customer.
    customer_id: Option<CustomerId>,
    /// Those of one dealer.
    dealer_id: Option<DealerId>,
    /// Those in one state; `missed` are the visits that nobody could make.
    state: Option<OccurrenceState>,
    /// Those due on this day or later.
    #[param(example = "2026-12-01")]
    due_after: Option<CivilDate>,
    /// Those due before this day.
    #[param(example = "2027-01-01")]
    due_before: Option<CivilDate>,
}

/// Lists due dates
///
/// The earliest comes first. Dates are written down about two months ahead, and stay until they end with
/// a reason.
#[utoipa::path(
    get, path = "/occurrences", tag = "plans",
    operation_id = "list_occurrences",
    params(OccurrenceFilters, Paging<Occurrence>, Expanding<Occurrence>),
    responses((status = 200, description = "A page of due dates.", body = ListOf<Occurrence>)),
    security(("oauth" = ["plans:read"])),
)]
async fn list_occurrences(
    access: Access<may::PlansRead>,
    list: List<Occurrence, OccurrenceFilters>,
    expand: Expand<Occurrence>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let filter = OccurrenceFilter {
        enrolment_id: filters.enrolment_id,
        customer_id: filters.customer_id,
        dealer_id: filters.dealer_id,
        state: filters.state,
        due_after: filters.due_after,
        due_before: filters.due_before,
    };
    let select = maintenance::occurrences(&filter);
    list.answer_with(&reading, &expand, select).await
}

/// Shows a due date
///
/// With the work order that it became.
#[utoipa::path(
    get, path = "/occurrences/{id}", tag = "plans",
    operation_id = "get_occurrence",
    params(("id" = OccurrenceId, Path, description = "The due date."), Expanding<Occurrence>),
    responses((
        status = 200, description = "The due date.", body = Occurrence,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:read"])),
)]
async fn get_occurrence(
    access: Access<may::PlansRead>,
    Id(id): Id<OccurrenceId>,
    expand: Expand<Occurrence>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Skips a due date
///
/// The dates after it are not affected. A date that has become a work order is let go by cancelling that.
#[utoipa::path(
    post, path = "/occurrences/{id}/skip", tag = "plans",
    operation_id = "skip_occurrence",
    params(("id" = OccurrenceId, Path, description = "The due date.")),
    request_body(content = VisitNote, description = "Why it is let go."),
    responses((
        status = 200, description = "The due date, skipped.", body = Occurrence,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["enrolments:write"])),
)]
async fn skip_occurrence(
    access: Access<may::EnrolmentsWrite>,
    Id(id): Id<OccurrenceId>,
    Json(VisitNote { note }): Json<VisitNote>,
) -> Outcome {
    let work = access.write().await?;
    let occurrence: Occurrence = work.hold(id).await?;
    let occurrence = work.record(occurrence.skip(SkipCause::Decision, note)?).await?;
    work.changed(occurrence).await
}
