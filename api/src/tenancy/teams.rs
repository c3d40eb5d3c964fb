//! `/v1/teams`: people of a dealer who share a budget.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::{DealerId, TeamId},
    tenancy::{Dealer, Team, TeamDetails, TeamFormation},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(TeamPatch of TeamDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_teams, form_team))
        .routes(routes!(show_team, change_team))
}

/// Which teams are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TeamFilters {
    /// Teams of this dealer.
    dealer_id: Option<DealerId>,
}

/// Lists teams
///
/// The newest comes first. Who is in a team, `GET /v1/staff?team_id=…` says.
#[utoipa::path(
    get, path = "/teams", tag = "brand",
    operation_id = "list_teams",
    params(TeamFilters, Paging<Team>),
    responses((status = 200, description = "A page of teams.", body = ListOf<Team>)),
    security(("oauth" = ["staff:read"])),
)]
async fn list_teams(
    access: Access<may::StaffRead>,
    list: List<Team, TeamFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::tenancy::teams(list.filters.dealer_id);
    list.answer(&reading, select).await
}

/// Forms a team
///
/// People join it by their `team_id`; a person is in one team at most.
#[utoipa::path(
    post, path = "/teams", tag = "brand",
    operation_id = "form_team",
    request_body(content = TeamFormation, description = "Which team.",
        example = json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "name": "早班 Early shift"})),
    responses((status = 201, description = "The team.", body = Team,
        headers(("Location" = String, description = "Where it is found."),
                ("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn form_team(
    access: Access<may::StaffWrite>,
    Json(formation): Json<TeamFormation>,
) -> Outcome {
    let work = access.write().await?;
    referred(work.get::<Dealer>(formation.dealer_id).await, "/dealer_id")?;
    let change = Team::form(work.new_id(), formation, work.now());
    let team = work.record(change).await?;
    work.created("/v1/teams", team).await
}

/// Shows a team
///
/// A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/teams/{id}", tag = "brand",
    operation_id = "show_team",
    params(("id" = TeamId, Path, description = "Which team.")),
    responses((status = 200, description = "The team.", body = Team,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:read"])),
)]
async fn show_team(
    access: Access<may::StaffRead>,
    Id(id): Id<TeamId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let team = reading.get::<Team>(id).await?;
    Ok(reading.show(&team))
}

/// Changes a team
///
/// Its name; its dealer stays.
#[utoipa::path(
    patch, path = "/teams/{id}", tag = "brand",
    operation_id = "change_team",
    params(("id" = TeamId, Path, description = "Which team.")),
    request_body(content = TeamPatch, content_type = "application/merge-patch+json",
        description = "What changes.", example = json!({"name": "晚班 Late shift"})),
    responses((status = 200, description = "The team as it is now.", body = Team,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn change_team(
    access: Access<may::StaffWrite>,
    Id(id): Id<TeamId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let team = work.hold::<Team>(id).await?;
    work.expect_current(&team)?;
    let details = patch.apply(&team.details)?;
    let team = work.record(team.change(details)).await?;
    work.changed(team).await
}
