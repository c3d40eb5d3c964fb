//! `/v1/issuers`: where a brand's people sign in.

use super::desk::Desk;
use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::{Extension, response::Response};
use domain::{
    identity::{Issuer, IssuerDetails},
    ids::IssuerId,
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(IssuerPatch of IssuerDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_issuers, enter_issuer))
        .routes(routes!(show_issuer, change_issuer))
        .routes(routes!(disable_issuer))
        .routes(routes!(enable_issuer))
}

/// Lists issuers
///
/// The newest comes first; a brand has ten at most.
#[utoipa::path(
    get, path = "/issuers", tag = "access",
    operation_id = "list_issuers",
    params(Paging<Issuer>),
    responses((status = 200, description = "A page of issuers.", body = ListOf<Issuer>)),
    security(("oauth" = ["tenant:read"])),
)]
async fn list_issuers(
    access: Access<may::TenantRead>,
    list: List<Issuer>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::identity::issuers(None);
    list.answer(&reading, select).await
}

/// Enters an issuer
///
/// From now on its tokens let in the people whose `issuer_id` and `subject` name them. A front end sends the
/// token as a bearer token, with the brand's identifier in the header `Aftercare-Tenant`. The token must be
/// signed with the algorithm named here, by a key found at `jwks_url`, and name `audience` in its `aud`.
#[utoipa::path(
    post, path = "/issuers", tag = "access",
    operation_id = "enter_issuer",
    request_body(content = IssuerDetails, description = "Where people sign in, and how its tokens are verified.",
        example = json!({"name": "Clearwater sign-in", "issuer": "https://login.clearwater.example",
            "audience": "aftercare", "jwks_url": "https://login.clearwater.example/keys", "algorithm": "es256"})),
    responses((status = 201, description = "The issuer.", body = Issuer,
        headers(("Location" = String, description = "Where it is found."),
                ("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["issuers:write"])),
)]
async fn enter_issuer(
    access: Access<may::IssuersWrite>,
    Extension(desk): Extension<Arc<Desk>>,
    Json(details): Json<IssuerDetails>,
) -> Outcome {
    let work = access.write().await?;
    let count = work.all::<Issuer>(store::identity::issuers(None)).await?.len();

    let change = Issuer::enter(work.new_id(), details, count, desk.loopback, work.now())?;

    let issuer = work.record(change).await?;
    work.created("/v1/issuers", issuer).await
}

/// Shows an issuer
///
/// Where people sign in, and how its tokens are verified.
#[utoipa::path(
    get, path = "/issuers/{id}", tag = "access",
    operation_id = "show_issuer",
    params(("id" = IssuerId, Path, description = "Which issuer.")),
    responses((status = 200, description = "The issuer.", body = Issuer,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["tenant:read"])),
)]
async fn show_issuer(
    access: Access<may::TenantRead>,
    Id(id): Id<IssuerId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let issuer = reading.get::<Issuer>(id).await?;
    Ok(reading.show(&issuer))
}

/// Changes an issuer
///
/// The change acts within five seconds, also on tokens that were accepted before.
#[utoipa::path(
    patch, path = "/issuers/{id}", tag = "access",
    operation_id = "change_issuer",
    params(("id" = IssuerId, Path, description = "Which issuer.")),
    request_body(content = IssuerPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({"audience": "aftercare-production"})),
    responses((status = 200, description = "The issuer as it is now.", body = Issuer,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["issuers:write"])),
)]
async fn change_issuer(
    access: Access<may::IssuersWrite>,
    Extension(desk): Extension<Arc<Desk>>,
    Id(id): Id<IssuerId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let issuer = work.hold::<Issuer>(id).await?;
    work.expect_current(&issuer)?;

    let details = patch.apply(&issuer.details)?;
    let change = issuer.change(details, desk.loopback)?;

    let issuer = work.record(change).await?;
    work.changed(issuer).await
}

/// Disables an issuer
///
/// Its tokens let nobody in any more, five seconds from now.
#[utoipa::path(
    post, path = "/issuers/{id}/disable", tag = "access",
    operation_id = "disable_issuer",
    params(("id" = IssuerId, Path, description = "Which issuer.")),
    responses((status = 200, description = "The issuer as it is now.", body = Issuer,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["issuers:write"])),
)]
async fn disable_issuer(access: Access<may::IssuersWrite>, Id(id): Id<IssuerId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Issuer>(id).await?.disable()?;
    let issuer = work.record(change).await?;
    work.changed(issuer).await
}

/// Enables an issuer
///
/// Its tokens are accepted again.
#[utoipa::path(
    post, path = "/issuers/{id}/enable", tag = "access",
    operation_id = "enable_issuer",
    params(("id" = IssuerId, Path, description = "Which issuer.")),
    responses((status = 200, description = "The issuer as it is now.", body = Issuer,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["issuers:write"])),
)]
async fn enable_issuer(access: Access<may::IssuersWrite>, Id(id): Id<IssuerId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<Issuer>(id).await?.enable()?;
    let issuer = work.record(change).await?;
    work.changed(issuer).await
}
