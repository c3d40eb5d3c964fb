//! `/v1/sla-clocks`: how far complaints have come towards what was promised, and why a deadline is where it is.

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::Id,
};
use axum::response::Response;
use domain::{
    clocks::{SlaClock, SlaClockState, SlaTrace},
    ids::{ComplaintId, DealerId, SlaClockId},
    time::Timestamp,
};
use serde::Deserialize;
use store::{Missing, clocks::ClocksWanted};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sla_clocks))
        .routes(routes!(show_sla_clock))
        .routes(routes!(trace_sla_clock))
}

/// Which clocks are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SlaClockFilters {
    /// Those of this complaint.
    complaint_id: Option<ComplaintId>,
    /// Those of complaints that this dealer's people answer.
    dealer_id: Option<DealerId>,
    /// Where they stand.
    state: Option<SlaClockState>,
    /// Those that are, or were, due before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    due_before: Option<Timestamp>,
}

/// Lists SLA clocks
///
/// The newest comes first; a complaint has one for each target of the policy that it follows. One whose time stands
/// still has no `due_at`.
#[utoipa::path(
    get, path = "/sla-clocks", tag = "clocks",
    operation_id = "list_sla_clocks",
    params(SlaClockFilters, Paging<SlaClock>),
    responses((status = 200, description = "A page of clocks.", body = ListOf<SlaClock>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_sla_clocks(
    access: Access<may::ComplaintsRead>,
    list: List<SlaClock, SlaClockFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let SlaClockFilters { complaint_id, dealer_id, state, due_before } = list.filters;
    let wanted = ClocksWanted { complaint_id, dealer_id, state, due_before };
    list.answer(&reading, store::clocks::sla_clocks(wanted)).await
}

/// Shows an SLA clock
///
/// As it stands after its last event; `GET /v1/sla-clocks/{id}/trace` says how it came there.
#[utoipa::path(
    get, path = "/sla-clocks/{id}", tag = "clocks",
    operation_id = "show_sla_clock",
    params(("id" = SlaClockId, Path, description = "The clock.")),
    responses((
        status = 200, description = "The clock.", body = SlaClock,
        headers(("ETag" = String, description = "Its version.")),
    )),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_sla_clock(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<SlaClockId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let clock: SlaClock = reading.get(id).await?;
    Ok(reading.show(&clock))
}

/// Shows why a deadline is where it is
///
/// What happened to the clock, told in both languages; the stretches of time that count; and those in which the time
/// stood still. At most 200 stretches are shown, and `is_cut` says whether there are more.
#[utoipa::path(
    get, path = "/sla-clocks/{id}/trace", tag = "clocks",
    operation_id = "trace_sla_clock",
    params(("id" = SlaClockId, Path, description = "The clock.")),
    responses((status = 200, description = "The trace.", body = SlaTrace)),
    security(("oauth" = ["complaints:read"])),
)]
async fn trace_sla_clock(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<SlaClockId>,
) -> Result<axum::Json<SlaTrace>, Problem> {
    let reading = access.read().await?;
    let clocks = vec![reading.get::<SlaClock>(id).await?];
    let hours = reading.hours_for(&clocks).await?;
    let log = reading.sla_readings(clocks).await?.pop();
    let log = log.ok_or(Missing::NotFound)?;
    Ok(axum::Json(log.trace(&hours, reading.now())))
}
