//! `/v1/allowance-policies`: how allowances are earned.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    allowances::policy::{AllowancePolicy, AllowancePolicyDetails, AllowancePolicyState},
    ids::AllowancePolicyId,
    money::Currency,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_policies, draft_policy))
        .routes(routes!(get_policy, amend_policy))
        .routes(routes!(activate_policy))
}

/// Which policies are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PolicyFilters {
    /// Only policies for sales in this currency.
    currency: Option<Currency>,
    /// Only policies in this state.
    state: Option<AllowancePolicyState>,
}

/// Lists policies
///
/// The newest comes first. For each currency at most one is active.
#[utoipa::path(
    get, path = "/allowance-policies", tag = "allowances",
    operation_id = "list_allowance_policies",
    params(PolicyFilters, Paging<AllowancePolicy>),
    responses((status = 200, description = "A page of policies.", body = ListOf<AllowancePolicy>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_policies(
    access: Access<may::AllowancesRead>,
    list: List<AllowancePolicy, PolicyFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::allowances::policies(list.filters.currency, list.filters.state);
    list.answer(&reading, select).await
}

/// Drafts a policy
///
/// It does not count until it is activated. What it would have earned on real sales, `POST
/// /v1/allowance-policies/simulate` says before.
#[utoipa::path(
    post, path = "/allowance-policies", tag = "allowances",
    operation_id = "draft_allowance_policy",
    request_body(
        content = AllowancePolicyDetails, description = "What the policy says.",
        example = json!({"currency": "CNY", "base": "margin", "tiers": [
            {"from_minor": 0, "rate_bp": 2500}, {"from_minor": 30000, "rate_bp": 1000},
            {"from_minor": 300_000, "rate_bp": 500}], "fallback_price_bp": 200, "expiry_days": 365}),
    ),
    responses((status = 201, description = "The draft.", body = AllowancePolicy, headers(
        ("Location" = String, description = "Where the policy is found."),
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn draft_policy(
    access: Access<may::AllowancesWrite>,
    Json(details): Json<AllowancePolicyDetails>,
) -> Outcome {
    let work = access.write().await?;
    let number = work.next_policy_number(details.currency).await?;
    let change = AllowancePolicy::draft(work.new_id(), number, details, work.now())?;
    let policy = work.record(change).await?;
    work.created("/v1/allowance-policies", policy).await
}

/// Reads a policy
///
/// A policy that was ever active never changes, so what it said then can always be read.
#[utoipa::path(
    get, path = "/allowance-policies/{id}", tag = "allowances",
    operation_id = "get_allowance_policy",
    params(("id" = AllowancePolicyId, Path, description = "The policy.")),
    responses((status = 200, description = "The policy.", body = AllowancePolicy, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:read"])),
)]
async fn get_policy(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowancePolicyId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let policy: AllowancePolicy = reading.get(id).await?;
    Ok(reading.show(&policy))
}

/// Changes a draft
///
/// Only a draft can be changed; write a new one to replace what is active.
#[utoipa::path(
    patch, path = "/allowance-policies/{id}", tag = "allowances",
    operation_id = "amend_allowance_policy",
    params(("id" = AllowancePolicyId, Path, description = "The policy.")),
    request_body(
        content = AllowancePolicyDetails, content_type = "application/merge-patch+json",
        description = "The fields that change; `null` takes a value away.",
        example = json!({"expiry_days": 180}),
    ),
    responses((status = 200, description = "The policy as it is now.", body = AllowancePolicy, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn amend_policy(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<AllowancePolicyId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let policy: AllowancePolicy = work.hold(id).await?;
    work.expect_current(&policy)?;
    let details = patch.apply(&policy.details)?;
    let policy = work.record(policy.amend(details)?).await?;
    work.changed(policy).await
}

/// Activates a draft
///
/// It counts for every sale in its currency that is accrued from now on. The policy that was active before is
/// retired in the same moment. What was accrued before stays as it is.
#[utoipa::path(
    post, path = "/allowance-policies/{id}/activate", tag = "allowances",
    operation_id = "activate_allowance_policy",
    params(("id" = AllowancePolicyId, Path, description = "The policy.")),
    responses((status = 200, description = "The policy, active.", body = AllowancePolicy, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn activate_policy(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<AllowancePolicyId>,
) -> Outcome {
    let work = access.write().await?;
    let policy: AllowancePolicy = work.hold(id).await?;
    let predecessor = work.active_policy(policy.details.currency).await?;
    let succession = policy.activate(predecessor, work.now())?;
    let policy = work.succeed(succession).await?;
    work.changed(policy).await
}
