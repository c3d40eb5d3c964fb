//! `/v1/authority-limits`: who may give how much alone.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    allowances::authority::{AuthorityLimit, AuthorityLimitDetails},
    identity::{Role, Staff},
    ids::{AuthorityLimitId, StaffId},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_limits, set_limit))
        .routes(routes!(get_limit, amend_limit))
}

/// Which limits are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LimitFilters {
    /// Only limits of this role.
    role: Option<Role>,
    /// Only this person's own limits.
    staff_id: Option<StaffId>,
}

/// Lists limits of authority
///
/// The oldest comes first. A role that is not in the list grants nothing alone.
#[utoipa::path(
    get, path = "/authority-limits", tag = "allowances",
    operation_id = "list_authority_limits",
    params(LimitFilters, Paging<AuthorityLimit>),
    responses((status = 200, description = "A page of limits.", body = ListOf<AuthorityLimit>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_limits(
    access: Access<may::AllowancesRead>,
    list: List<AuthorityLimit, LimitFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::allowances::limits_of(list.filters.role, list.filters.staff_id);
    list.answer(&reading, select).await
}

/// Sets a limit of authority
///
/// It is a role's or one person's. There is one for each of them, currency, kind of gesture, beginning of a margin band
/// and first day; a second one is refused (`already_exists`). It counts for every decision from now on, also on
/// gestures that wait already.
#[utoipa::path(
    post, path = "/authority-limits", tag = "allowances",
    operation_id = "set_authority_limit",
    request_body(
        content = AuthorityLimitDetails, description = "How much who may grant.",
        example = json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5000,
            "per_customer_month_minor": 12000}),
    ),
    responses((status = 201, description = "The limit.", body = AuthorityLimit, headers(
        ("Location" = String, description = "Where the limit is found."),
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn set_limit(
    access: Access<may::AllowancesWrite>,
    Json(details): Json<AuthorityLimitDetails>,
) -> Outcome {
    let work = access.write().await?;
    expect_person(&work, &details).await?;
    let change = AuthorityLimit::set(work.new_id(), details, work.now())?;
    let limit = work.record(change).await?;
    work.created("/v1/authority-limits", limit).await
}

/// Reads a limit of authority
///
/// It says how much people in one role, or one person, may grant alone, in one currency.
#[utoipa::path(
    get, path = "/authority-limits/{id}", tag = "allowances",
    operation_id = "get_authority_limit",
    params(("id" = AuthorityLimitId, Path, description = "The limit.")),
    responses((status = 200, description = "The limit.", body = AuthorityLimit, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:read"])),
)]
async fn get_limit(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AuthorityLimitId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let limit: AuthorityLimit = reading.get(id).await?;
    Ok(reading.show(&limit))
}

/// Changes a limit of authority
///
/// It counts for every decision from now on, also on gestures that wait already. To take an authority away, set
/// `per_request_minor` to 0 and `unlimited` to false.
#[utoipa::path(
    patch, path = "/authority-limits/{id}", tag = "allowances",
    operation_id = "amend_authority_limit",
    params(("id" = AuthorityLimitId, Path, description = "The limit.")),
    request_body(
        content = AuthorityLimitDetails, content_type = "application/merge-patch+json",
        description = "The fields that change; `null` takes a value away.",
        example = json!({"per_request_minor": 8000}),
    ),
    responses((status = 200, description = "The limit as it is now.", body = AuthorityLimit, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn amend_limit(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<AuthorityLimitId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let limit: AuthorityLimit = work.hold(id).await?;
    work.expect_current(&limit)?;
    let details = patch.apply(&limit.details)?;
    expect_person(&work, &details).await?;
    let limit = work.record(limit.amend(details)?).await?;
    work.changed(limit).await
}

/// Makes sure that the caller sees the person whose limit it is.
async fn expect_person(work: &Work, details: &AuthorityLimitDetails) -> Result<(), Problem> {
    if let Some(staff) = details.staff_id {
        referred(work.get::<Staff>(staff).await, "/staff_id")?;
    }
    Ok(())
}
