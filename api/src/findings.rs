//! `/v1/findings`: what the service noticed by itself, and somebody should look at.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    findings::{Finding, FindingKind, FindingState},
    ids::{AnyId, DealerId, FindingId},
    text::Line,
};
use serde::{Deserialize, Serialize};
use store::findings::FindingsWanted;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_findings))
        .routes(routes!(show_finding))
        .routes(routes!(acknowledge_finding))
        .routes(routes!(resolve_finding))
        .routes(routes!(dismiss_finding))
}

/// Which findings are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindingFilters {
    /// Those of this kind.
    kind: Option<FindingKind>,
    /// Those in this state.
    state: Option<FindingState>,
    /// Those about this record, by its identifier of whatever kind.
    #[param(inline)]
    subject: Option<AnyId>,
    /// Those of this dealer.
    dealer_id: Option<DealerId>,
}

/// Why nothing needs to be done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "Two people were ill; the runs were made up for." })))]
struct FindingDismissal {
    /// Why nothing needs to be done about it.
    reason: Line,
}

/// Lists findings
///
/// The newest comes first. A dealer's people see those of their dealer; those that are a matter of the brand alone
/// have no `dealer_id`, and only the brand sees them.
#[utoipa::path(
    get, path = "/findings", tag = "findings",
    operation_id = "list_findings",
    params(FindingFilters, Paging<Finding>),
    responses((status = 200, description = "A page of findings.", body = ListOf<Finding>)),
    security(("oauth" = ["findings:read"])),
)]
async fn list_findings(
    access: Access<may::FindingsRead>,
    list: List<Finding, FindingFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let FindingFilters { kind, state, subject, dealer_id } = &list.filters;
    let wanted = FindingsWanted {
        kind: *kind,
        state: *state,
        subject: subject.as_ref(),
        dealer: *dealer_id,
    };
    list.answer(&reading, store::findings::findings(wanted)).await
}

/// Shows a finding
///
/// With the numbers behind it.
#[utoipa::path(
    get, path = "/findings/{id}", tag = "findings",
    operation_id = "show_finding",
    params(("id" = FindingId, Path, description = "The finding.")),
    responses((
        status = 200, description = "The finding.", body = Finding,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["findings:read"])),
)]
async fn show_finding(
    access: Access<may::FindingsRead>,
    Id(id): Id<FindingId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let finding: Finding = reading.get(id).await?;
    Ok(reading.show(&finding))
}

/// Acknowledges a finding
///
/// Somebody looks into it; the timeline says who.
#[utoipa::path(
    post, path = "/findings/{id}/acknowledge", tag = "findings",
    operation_id = "acknowledge_finding",
    params(("id" = FindingId, Path, description = "The finding.")),
    responses((
        status = 200, description = "The finding as it is now.", body = Finding,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["findings:write"])),
)]
async fn acknowledge_finding(access: Access<may::FindingsWrite>, Id(id): Id<FindingId>) -> Outcome {
    let work = access.write().await?;
    let finding: Finding = work.hold(id).await?;
    let finding = work.record(finding.acknowledge()?).await?;
    work.changed(finding).await
}

/// Resolves a finding
///
/// Something was done about it. If it is noticed again in a later period, that is a finding of its own.
#[utoipa::path(
    post, path = "/findings/{id}/resolve", tag = "findings",
    operation_id = "resolve_finding",
    params(("id" = FindingId, Path, description = "The finding.")),
    responses((
        status = 200, description = "The finding as it is now.", body = Finding,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["findings:write"])),
)]
async fn resolve_finding(access: Access<may::FindingsWrite>, Id(id): Id<FindingId>) -> Outcome {
    let work = access.write().await?;
    let finding: Finding = work.hold(id).await?;
    let finding = work.record(finding.resolve(work.now())?).await?;
    work.changed(finding).await
}

/// Dismisses a finding
///
/// Nothing needs to be done about it, and the reason says why. If it is noticed again in a later period, that is a
/// finding of its own.
#[utoipa::path(
    post, path = "/findings/{id}/dismiss", tag = "findings",
    operation_id = "dismiss_finding",
    params(("id" = FindingId, Path, description = "The finding.")),
    request_body(content = FindingDismissal, description = "Why nothing needs to be done."),
    responses((
        status = 200, description = "The finding as it is now.", body = Finding,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["findings:write"])),
)]
async fn dismiss_finding(
    access: Access<may::FindingsWrite>,
    Id(id): Id<FindingId>,
    Json(dismissal): Json<FindingDismissal>,
) -> Outcome {
    let work = access.write().await?;
    let finding: Finding = work.hold(id).await?;
    let finding = work.record(finding.dismiss(dismissal.reason, work.now())?).await?;
    work.changed(finding).await
}
