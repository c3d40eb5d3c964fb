//! `/v1/sla-policies`: what is promised to those who complain, and what would come of a complaint.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred_if_named},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    clocks::{SlaForecast, SlaMatter, SlaPolicy, SlaPolicyDetails, SlaPolicyStatus},
    complaints::{ComplaintKind, ComplaintSource, Severity},
    ids::{DealerId, SlaPolicyId},
    tenancy::Dealer,
    text::Code,
    time::Timestamp,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SlaPolicyPatch of SlaPolicyDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sla_policies, create_sla_policy))
        .routes(routes!(preview_sla))
        .routes(routes!(show_sla_policy, change_sla_policy))
        .routes(routes!(retire_sla_policy))
        .routes(routes!(reinstate_sla_policy))
}

/// Which policies are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SlaPolicyFilters {
    /// The one with this code.
    #[param(example = "severe")]
    code: Option<Code>,
    /// Those that are used, or are no longer.
    status: Option<SlaPolicyStatus>,
}

/// A complaint that might arrive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "start_at": "2026-11-20T09:30:00Z", "kind": "quality", "source": "phone",
    "severity": 3, "tier": "gold" })))]
struct SlaPreview {
    /// When it arrives; now when left out.
    #[serde(default)]
    start_at: Option<Timestamp>,
    /// Whose people answer it; nobody in particular when left out.
    #[serde(default)]
    dealer_id: Option<DealerId>,
    /// What it is about.
    kind: ComplaintKind,
    /// How it reaches the brand.
    source: ComplaintSource,
    /// How bad it is.
    severity: Severity,
    /// The tier of the customer.
    #[serde(default)]
    tier: Option<Code>,
}

/// Lists SLA policies
///
/// The newest comes first. What a policy promises stands in its versions.
#[utoipa::path(
    get, path = "/sla-policies", tag = "clocks",
    operation_id = "list_sla_policies",
    params(SlaPolicyFilters, Paging<SlaPolicy>),
    responses((status = 200, description = "A page of policies.", body = ListOf<SlaPolicy>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_sla_policies(
    access: Access<may::ComplaintsRead>,
    list: List<SlaPolicy, SlaPolicyFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let SlaPolicyFilters { code, status } = &list.filters;
    let select = store::clocks::sla_policies(code.as_ref(), *status);
    list.answer(&reading, select).await
}

/// Creates an SLA policy
///
/// It has no version yet and promises nothing: write one with `POST /v1/sla-policies/{id}/versions`.
#[utoipa::path(
    post, path = "/sla-policies", tag = "clocks",
    operation_id = "create_sla_policy",
    request_body(content = SlaPolicyDetails, description = "What the brand says about the policy."),
    responses((
        status = 201, description = "The policy.", body = SlaPolicy,
        headers(
            ("Location" = String, description = "Where the policy is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn create_sla_policy(
    access: Access<may::TenantWrite>,
    Json(details): Json<SlaPolicyDetails>,
) -> Outcome {
    let work = access.write().await?;
    let policy = work.record(SlaPolicy::create(work.new_id(), details, work.now())).await?;
    work.created("/v1/sla-policies", policy).await
}

/// Shows an SLA policy
///
/// `latest_number` is that of its newest version, whether or not it is in force.
#[utoipa::path(
    get, path = "/sla-policies/{id}", tag = "clocks",
    operation_id = "show_sla_policy",
    params(("id" = SlaPolicyId, Path, description = "The policy.")),
    responses((
        status = 200, description = "The policy.", body = SlaPolicy,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_sla_policy(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<SlaPolicyId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let policy: SlaPolicy = reading.get(id).await?;
    Ok(reading.show(&policy))
}

/// Changes an SLA policy
///
/// Its rank counts for complaints that arrive from now on; clocks that run stay as they are.
#[utoipa::path(
    patch, path = "/sla-policies/{id}", tag = "clocks",
    operation_id = "change_sla_policy",
    params(("id" = SlaPolicyId, Path, description = "The policy.")),
    request_body(
        content = SlaPolicyPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "rank": 300 }),
    ),
    responses((
        status = 200, description = "The policy as it is now.", body = SlaPolicy,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn change_sla_policy(
    access: Access<may::TenantWrite>,
    Id(id): Id<SlaPolicyId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let policy: SlaPolicy = work.hold(id).await?;
    work.expect_current(&policy)?;
    let details = patch.apply(&policy.details)?;
    let policy = work.record(policy.change(details)).await?;
    work.changed(policy).await
}

/// Retires an SLA policy
///
/// None of its versions counts for complaints that arrive from now on; clocks that run go on.
#[utoipa::path(
    post, path = "/sla-policies/{id}/retire", tag = "clocks",
    operation_id = "retire_sla_policy",
    params(("id" = SlaPolicyId, Path, description = "The policy.")),
    responses((
        status = 200, description = "The policy as it is now.", body = SlaPolicy,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn retire_sla_policy(access: Access<may::TenantWrite>, Id(id): Id<SlaPolicyId>) -> Outcome {
    let work = access.write().await?;
    let policy: SlaPolicy = work.hold(id).await?;
    let policy = work.record(policy.retire()?).await?;
    work.changed(policy).await
}

/// Reinstates an SLA policy
///
/// Its published version counts again.
#[utoipa::path(
    post, path = "/sla-policies/{id}/reinstate", tag = "clocks",
    operation_id = "reinstate_sla_policy",
    params(("id" = SlaPolicyId, Path, description = "The policy.")),
    responses((
        status = 200, description = "The policy as it is now.", body = SlaPolicy,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn reinstate_sla_policy(
    access: Access<may::TenantWrite>,
    Id(id): Id<SlaPolicyId>,
) -> Outcome {
    let work = access.write().await?;
    let policy: SlaPolicy = work.hold(id).await?;
    let policy = work.record(policy.reinstate()?).await?;
    work.changed(policy).await
}

/// Shows what would come of a complaint
///
/// Which policy it would follow as they are now, and when each of its targets would be due if nobody waited for the
/// customer. Nothing is changed. Where no policy applies, the first answer is due within 24 hours.
#[utoipa::path(
    post, path = "/sla-policies/preview", tag = "clocks",
    operation_id = "preview_sla",
    request_body(content = SlaPreview, description = "The complaint that might arrive."),
    responses((status = 200, description = "What would come of it.", body = SlaForecast)),
    security(("oauth" = ["complaints:read"])),
)]
async fn preview_sla(
    access: Access<may::ComplaintsRead>,
    Json(preview): Json<SlaPreview>,
) -> Result<axum::Json<SlaForecast>, Problem> {
    let reading = access.read().await?;
    let SlaPreview { start_at, dealer_id, kind, source, severity, tier } = preview;
    referred_if_named::<Dealer>(&reading, dealer_id, "/dealer_id").await?;
    let start = start_at.unwrap_or_else(|| reading.now());
    let tz = reading.zone_of(dealer_id).await?;
    let candidates = reading.sla_candidates().await?;
    let matter = SlaMatter { kind, source, severity, tier, dealer_id };
    let (picked, hours) = reading.sla_picked(&candidates, &matter).await?;
    let forecast = picked.map(|picked| picked.forecast(&hours, start, tz));
    Ok(axum::Json(forecast.unwrap_or_else(|| SlaForecast::without_policy(start, tz))))
}
