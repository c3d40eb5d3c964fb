//! `/v1/sites`: where dealers work.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred_if_named},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    calendars::BusinessCalendar,
    ids::{DealerId, SiteId},
    tenancy::{Dealer, Site, SiteDetails, SiteStatus},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SitePatch of SiteDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(open_site))
        .routes(routes!(list_sites))
        .routes(routes!(show_site, change_site))
        .routes(routes!(close_site))
        .routes(routes!(reopen_site))
}

/// Which sites are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SiteFilters {
    /// Sites of this dealer.
    dealer_id: Option<DealerId>,
    /// Sites in this state.
    status: Option<SiteStatus>,
}

/// Lists sites
///
/// The newest comes first. A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/sites", tag = "brand",
    operation_id = "list_sites",
    params(SiteFilters, Paging<Site>),
    responses((status = 200, description = "A page of sites.", body = ListOf<Site>)),
    security(("oauth" = ["dealers:read"])),
)]
async fn list_sites(
    access: Access<may::DealersRead>,
    list: List<Site, SiteFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::tenancy::sites(list.filters.dealer_id, list.filters.status);
    list.answer(&reading, select).await
}

/// Opens a site of a dealer
///
/// Visits of its technicians are planned, and deadlines in working time counted, by the calendar that it names, with
/// breaks, holidays and make-up days; and in its hours, on its own wall clock, where it names none. Customers of its
/// dealer are left in peace in the quiet hours of that calendar.
#[utoipa::path(
    post, path = "/dealers/{id}/sites", tag = "brand",
    operation_id = "open_site",
    params(("id" = DealerId, Path, description = "Whose site it is.")),
    request_body(content = SiteDetails, description = "Where it is, and when its people work.",
        example = json!({"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai",
            "address": "杭州市西湖区文三路 1 号", "region": "hangzhou", "hours": {"opens": "09:00",
            "closes": "18:00", "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"]}})),
    responses((status = 201, description = "The site.", body = Site,
        headers(("Location" = String, description = "Where it is found."),
                ("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn open_site(
    access: Access<may::DealersWrite>,
    Id(dealer): Id<DealerId>,
    Json(details): Json<SiteDetails>,
) -> Outcome {
    let work = access.write().await?;
    let dealer = work.get::<Dealer>(dealer).await?;
    let calendar: Option<BusinessCalendar> =
        referred_if_named(&work, details.calendar_id, "/calendar_id").await?;

    let change = Site::open(work.new_id(), dealer.id, details, calendar.as_ref(), work.now())?;

    let site = work.record(change).await?;
    work.created("/v1/sites", site).await
}

/// Shows a site
///
/// A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/sites/{id}", tag = "brand",
    operation_id = "show_site",
    params(("id" = SiteId, Path, description = "Which site.")),
    responses((status = 200, description = "The site.", body = Site,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:read"])),
)]
async fn show_site(
    access: Access<may::DealersRead>,
    Id(id): Id<SiteId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let site = reading.get::<Site>(id).await?;
    Ok(reading.show(&site))
}

/// Changes a site
///
/// Visits that are booked already stay as they are; deadlines that count in its working time are counted anew.
#[utoipa::path(
    patch, path = "/sites/{id}", tag = "brand",
    operation_id = "change_site",
    params(("id" = SiteId, Path, description = "Which site.")),
    request_body(content = SitePatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"name": "西湖旗舰店"})),
    responses((status = 200, description = "The site as it is now.", body = Site,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn change_site(
    access: Access<may::DealersWrite>,
    Id(id): Id<SiteId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let site = work.hold::<Site>(id).await?;
    work.expect_current(&site)?;

    let details: SiteDetails = patch.apply(&site.details)?;
    let calendar: Option<BusinessCalendar> =
        referred_if_named(&work, details.calendar_id, "/calendar_id").await?;
    let change = site.change(details, calendar.as_ref())?;

    let site = work.record(change).await?;
    work.changed(site).await
}

/// Closes a site
///
/// No visits are planned from there any more (`site_closed`); those that are booked stay.
#[utoipa::path(
    post, path = "/sites/{id}/close", tag = "brand",
    operation_id = "close_site",
    params(("id" = SiteId, Path, description = "Which site.")),
    responses((status = 200, description = "The site as it is now.", body = Site,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn close_site(access: Access<may::DealersWrite>, Id(id): Id<SiteId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Site>(id).await?.close()?;
    let site = work.record(change).await?;
    work.changed(site).await
}

/// Reopens a site
///
/// Visits are planned from there again.
#[utoipa::path(
    post, path = "/sites/{id}/reopen", tag = "brand",
    operation_id = "reopen_site",
    params(("id" = SiteId, Path, description = "Which site.")),
    responses((status = 200, description = "The site as it is now.", body = Site,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["dealers:write"])),
)]
async fn reopen_site(access: Access<may::DealersWrite>, Id(id): Id<SiteId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Site>(id).await?.reopen()?;
    let site = work.record(change).await?;
    work.changed(site).await
}
