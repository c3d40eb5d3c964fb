//! `/v1/sla-versions`: what a policy promises; a published version is never changed.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    clocks::{SlaPolicy, SlaVersion, SlaVersionDetails},
    ids::{SlaPolicyId, SlaVersionId},
    tenancy::Dealer,
};
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SlaVersionPatch of SlaVersionDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sla_versions, draft_sla_version))
        .routes(routes!(show_sla_version, change_sla_version))
        .routes(routes!(publish_sla_version))
        .routes(routes!(retire_sla_version))
}

/// Lists the versions of an SLA policy
///
/// The newest comes first. At most one is `published`: it is in force.
#[utoipa::path(
    get, path = "/sla-policies/{id}/versions", tag = "clocks",
    operation_id = "list_sla_versions",
    params(("id" = SlaPolicyId, Path, description = "The policy."), Paging<SlaVersion>),
    responses((status = 200, description = "A page of versions.", body = ListOf<SlaVersion>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_sla_versions(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<SlaPolicyId>,
    list: List<SlaVersion>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let policy: SlaPolicy = reading.get(id).await?;
    list.answer(&reading, store::clocks::versions_of(policy.id)).await
}

/// Begins a version of an SLA policy
///
/// The version is a draft, and may be changed until it is published. Each metric has one target
/// (`sla_metric_repeated`); a warning comes after the time has begun (`sla_warning_beyond_target`).
#[utoipa::path(
    post, path = "/sla-policies/{id}/versions", tag = "clocks",
    operation_id = "draft_sla_version",
    params(("id" = SlaPolicyId, Path, description = "The policy.")),
    request_body(content = SlaVersionDetails, description = "For which complaints it counts, and what is due by when."),
    responses((
        status = 201, description = "The draft.", body = SlaVersion,
        headers(
            ("Location" = String, description = "Where the version is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn draft_sla_version(
    access: Access<may::TenantWrite>,
    Id(id): Id<SlaPolicyId>,
    Json(details): Json<SlaVersionDetails>,
) -> Outcome {
    let work = access.write().await?;
    let policy: SlaPolicy = work.hold(id).await?;
    named_dealers(&work, &details).await?;
    let (policy, draft) = policy.draft(work.new_id(), details, work.now())?;
    work.record(policy).await?;
    let draft = work.record(draft).await?;
    work.created("/v1/sla-versions", draft).await
}

/// Shows a version of an SLA policy
///
/// For which complaints it counts, and what is due by when.
#[utoipa::path(
    get, path = "/sla-versions/{id}", tag = "clocks",
    operation_id = "show_sla_version",
    params(("id" = SlaVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version.", body = SlaVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_sla_version(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<SlaVersionId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let version: SlaVersion = reading.get(id).await?;
    Ok(reading.show(&version))
}

/// Changes a draft of an SLA policy
///
/// Targets are replaced as a whole. A published version is never changed.
#[utoipa::path(
    patch, path = "/sla-versions/{id}", tag = "clocks",
    operation_id = "change_sla_version",
    params(("id" = SlaVersionId, Path, description = "The version.")),
    request_body(
        content = SlaVersionPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "applies_to": { "severity_at_least": 3 } }),
    ),
    responses((
        status = 200, description = "The version as it is now.", body = SlaVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn change_sla_version(
    access: Access<may::TenantWrite>,
    Id(id): Id<SlaVersionId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let version: SlaVersion = work.hold(id).await?;
    work.expect_current(&version)?;
    let details: SlaVersionDetails = patch.apply(&version.details)?;
    named_dealers(&work, &details).await?;
    let version = work.record(version.change(details)?).await?;
    work.changed(version).await
}

/// Publishes a version of an SLA policy
///
/// It counts for complaints that arrive from now on, and can never be changed. The version that was in force is
/// retired; clocks that began under it go on under it. At most 50 policies have a published version
/// (`too_many_sla_policies`).
#[utoipa::path(
    post, path = "/sla-versions/{id}/publish", tag = "clocks",
    operation_id = "publish_sla_version",
    params(("id" = SlaVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version as it is now.", body = SlaVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn publish_sla_version(
    access: Access<may::TenantWrite>,
    Id(id): Id<SlaVersionId>,
) -> Outcome {
    let work = access.write().await?;
    let (policy, version, in_force, others) = work.hold_for_sla_publication(id).await?;
    work.heed(&version);
    let dealers = named_dealers(&work, &version.details).await?;

    policy.require_active()?;
    version.require_match(&dealers)?;
    let publication = version.publish(in_force, others, work.now())?;

    let version = work.record_sla_publication(publication).await?;
    work.changed(version).await
}

/// Retires a published version of an SLA policy
///
/// The policy promises nothing until another version is published; clocks that began under it go on.
#[utoipa::path(
    post, path = "/sla-versions/{id}/retire", tag = "clocks",
    operation_id = "retire_sla_version",
    params(("id" = SlaVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version as it is now.", body = SlaVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["tenant:write"])),
)]
async fn retire_sla_version(access: Access<may::TenantWrite>, Id(id): Id<SlaVersionId>) -> Outcome {
    let work = access.write().await?;
    let version: SlaVersion = work.hold(id).await?;
    let version = work.record(version.retire(work.now())?).await?;
    work.changed(version).await
}

/// The dealers that a version names; there are at most 50.
async fn named_dealers(work: &Work, details: &SlaVersionDetails) -> Result<Vec<Dealer>, Problem> {
    let mut dealers = Vec::new();
    for (place, id) in details.applies_to.dealer_ids.iter().enumerate() {
        let pointer = format!("/applies_to/dealer_ids/{place}");
        dealers.push(referred(work.get::<Dealer>(*id).await, &pointer)?);
    }
    Ok(dealers)
}
