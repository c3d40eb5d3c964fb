//! `/v1/staff`: the people who work for the brand and its dealers.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred, referred_if_named},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    identity::{Hiring, Role, Staff, StaffDetails, StaffStatus},
    ids::{DealerId, StaffId, TeamId},
    tenancy::{Dealer, Site, Team},
    text::ExternalId,
};
use serde::Deserialize;
use store::identity::StaffSought;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(StaffPatch of StaffDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_staff, enter_staff))
        .routes(routes!(show_staff, change_staff))
        .routes(routes!(leave_staff))
        .routes(routes!(rejoin_staff))
}

/// Who is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StaffFilters {
    /// People of this dealer.
    dealer_id: Option<DealerId>,
    /// People who do this.
    role: Option<Role>,
    /// People in this state.
    status: Option<StaffStatus>,
    /// The person whom the brand's own system calls so.
    external_id: Option<ExternalId>,
    /// People of this team.
    team_id: Option<TeamId>,
}

/// Lists staff
///
/// The newest comes first. A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/staff", tag = "brand",
    operation_id = "list_staff",
    params(StaffFilters, Paging<Staff>),
    responses((status = 200, description = "A page of staff.", body = ListOf<Staff>)),
    security(("oauth" = ["staff:read"])),
)]
async fn list_staff(
    access: Access<may::StaffRead>,
    list: List<Staff, StaffFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let StaffFilters { dealer_id, role, status, external_id, team_id } = &list.filters;
    let sought = StaffSought {
        dealer: *dealer_id,
        role: *role,
        status: *status,
        external_id: external_id.clone(),
        team: *team_id,
    };
    let select = store::identity::staff_like(&sought);
    list.answer(&reading, select).await
}

/// Enters somebody who works here
///
/// Nobody gives a role above their own; the roles of the brand are given by the brand. With `issuer_id` and
/// `subject` the person signs in where the brand says.
#[utoipa::path(
    post, path = "/staff", tag = "brand",
    operation_id = "enter_staff",
    request_body(content = StaffDetails, description = "Who it is.",
        example = json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "name": "王伟", "role": "technician",
            "site_ids": ["sit_01m80t7jx3e9vbq2f4c6d8g0hk"], "external_id": "hr-1042"})),
    responses((status = 201, description = "The person.", body = Staff,
        headers(("Location" = String, description = "Where they are found."),
                ("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn enter_staff(
    access: Access<may::StaffWrite>,
    Json(details): Json<StaffDetails>,
) -> Outcome {
    let work = access.write().await?;
    let named = surroundings(&work, &details).await?;

    let change = Staff::hire(work.new_id(), details, named.hiring(&work), work.now())?;

    let staff = work.record(change).await?;
    work.created("/v1/staff", staff).await
}

/// Shows somebody who works here
///
/// A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/staff/{id}", tag = "brand",
    operation_id = "show_staff",
    params(("id" = StaffId, Path, description = "Who.")),
    responses((status = 200, description = "The person.", body = Staff,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:read"])),
)]
async fn show_staff(
    access: Access<may::StaffRead>,
    Id(id): Id<StaffId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let staff = reading.get::<Staff>(id).await?;
    Ok(reading.show(&staff))
}

/// Changes somebody who works here
///
/// A changed role or dealer acts within five seconds, also on tokens that were issued before. Visits that a technician
/// cannot make any more, for a leave or another site, are a colleague's, or are arranged anew.
#[utoipa::path(
    patch, path = "/staff/{id}", tag = "brand",
    operation_id = "change_staff",
    params(("id" = StaffId, Path, description = "Who.")),
    request_body(content = StaffPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"role": "manager", "on_leave": {"from_on": "2026-12-24", "to_on": "2026-12-31"}})),
    responses((status = 200, description = "The person as they are now.", body = Staff,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn change_staff(
    access: Access<may::StaffWrite>,
    Id(id): Id<StaffId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let staff = work.hold::<Staff>(id).await?;
    work.expect_current(&staff)?;
    let details = patch.apply(&staff.details)?;
    let named = surroundings(&work, &details).await?;

    let change = staff.change(details, named.hiring(&work))?;

    let staff = work.record(change).await?;
    work.changed(staff).await
}

/// Records that somebody has left
///
/// They are not let in any more, five seconds from now, and no visit is planned for them. Visits they were to make are
/// a colleague's, or are arranged anew. What they did stays.
#[utoipa::path(
    post, path = "/staff/{id}/leave", tag = "brand",
    operation_id = "leave_staff",
    params(("id" = StaffId, Path, description = "Who.")),
    responses((status = 200, description = "The person as they are now.", body = Staff,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn leave_staff(access: Access<may::StaffWrite>, Id(id): Id<StaffId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Staff>(id).await?.leave(work.actor())?;
    let staff = work.record(change).await?;
    work.changed(staff).await
}

/// Records that somebody works here again
///
/// They are let in again, in the role they had.
#[utoipa::path(
    post, path = "/staff/{id}/rejoin", tag = "brand",
    operation_id = "rejoin_staff",
    params(("id" = StaffId, Path, description = "Who.")),
    responses((status = 200, description = "The person as they are now.", body = Staff,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["staff:write"])),
)]
async fn rejoin_staff(access: Access<may::StaffWrite>, Id(id): Id<StaffId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Staff>(id).await?.rejoin(work.actor())?;
    let staff = work.record(change).await?;
    work.changed(staff).await
}

/// Those whom the details of somebody name.
struct Named {
    sites: Vec<Site>,
    deputy: Option<Staff>,
    team: Option<Team>,
}

impl Named {
    fn hiring(&self, work: &Work) -> Hiring<'_> {
        Hiring {
            by: work.actor(),
            reach: work.reach(),
            sites: &self.sites,
            deputy: self.deputy.as_ref(),
            team: self.team.as_ref(),
        }
    }
}

/// Makes sure that the caller sees the dealer, the deputy and the team that `details` name, and finds the sites.
async fn surroundings(work: &Work, details: &StaffDetails) -> Result<Named, Problem> {
    if let Some(dealer) = details.dealer_id {
        referred(work.get::<Dealer>(dealer).await, "/dealer_id")?;
    }
    let deputy = referred_if_named(work, details.deputy_id, "/deputy_id").await?;
    let team = referred_if_named(work, details.team_id, "/team_id").await?;
    let sites = work.all(store::tenancy::sites_named(&details.site_ids)).await?;
    Ok(Named { sites, deputy, team })
}
