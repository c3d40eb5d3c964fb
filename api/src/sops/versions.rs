//! `/v1/sop-versions`: a procedure is written, reviewed by somebody else, published, and then never
//! changed.

use super::Answers;
use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    findings::{Finding, FindingKind},
    ids::{SopId, SopVersionId},
    inventory::{ServiceItem, ServiceItemStatus},
    sops::{Sop, SopVersion, SopVersionDetails},
    text::{Code, Line},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Failure, Fault, findings::unsettled, inventory::items::items_with_codes};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SopVersionPatch of SopVersionDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sop_versions, draft_sop_version))
        .routes(routes!(show_sop_version, change_sop_version))
        .routes(routes!(submit_sop_version))
        .routes(routes!(return_sop_version))
        .routes(routes!(publish_sop_version))
        .routes(routes!(retire_sop_version))
}

/// What the reviewer found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "review_note": "Step 2 names no pressure." })))]
struct SopReview {
    /// What is to be done about the version.
    review_note: Line,
}

/// Lists the versions of a procedure
///
/// The newest comes first. At most one is `published`: it is in force.
#[utoipa::path(
    get, path = "/sops/{id}/versions", tag = "sops",
    operation_id = "list_sop_versions",
    params(("id" = SopId, Path, description = "The procedure."), Paging<SopVersion>),
    responses((status = 200, description = "A page of versions.", body = ListOf<SopVersion>)),
    security(("oauth" = ["sops:read"])),
)]
async fn list_sop_versions(
    access: Access<may::SopsRead>,
    Id(id): Id<SopId>,
    list: List<SopVersion>,
) -> Result<Response, Problem> {
    let answers = Answers::to(access.caller());
    let reading = access.read().await?;
    let sop: Sop = reading.get(id).await?;
    let (versions, end) = list.find(&reading, store::sops::versions_of(sop.id)).await?;
    list.tell(versions.into_iter().map(|version| answers.of(version)).collect(), end)
}

/// Begins a version of a procedure
///
/// The version is a draft, and may be changed until it is submitted for review. The order of the steps is
/// the order of work.
#[utoipa::path(
    post, path = "/sops/{id}/versions", tag = "sops",
    operation_id = "draft_sop_version",
    params(("id" = SopId, Path, description = "The procedure.")),
    request_body(content = SopVersionDetails, description = "The steps, and what is different."),
    responses((
        status = 201, description = "The draft.", body = SopVersion,
        headers(
            ("Location" = String, description = "Where the version is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn draft_sop_version(
    access: Access<may::SopsWrite>,
    Id(id): Id<SopId>,
    Json(details): Json<SopVersionDetails>,
) -> Outcome {
    let work = access.write().await?;
    let sop: Sop = work.hold(id).await?;
    let (sop, draft) = sop.draft(work.new_id(), details, work.actor(), work.now())?;
    work.record(sop).await?;
    let draft = work.record(draft).await?;
    work.created("/v1/sop-versions", draft).await
}

/// Shows a version of a procedure
///
/// With all its steps: what is to be done, what good looks like, and how one tells.
#[utoipa::path(
    get, path = "/sop-versions/{id}", tag = "sops",
    operation_id = "show_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:read"])),
)]
async fn show_sop_version(
    access: Access<may::SopsRead>,
    Id(id): Id<SopVersionId>,
) -> Result<Response, Problem> {
    let answers = Answers::to(access.caller());
    let reading = access.read().await?;
    let version: SopVersion = reading.get(id).await?;
    Ok(reading.show(&answers.of(version)))
}

/// Changes a draft
///
/// Steps are replaced as a whole. Whoever changes a draft becomes one of its authors.
#[utoipa::path(
    patch, path = "/sop-versions/{id}", tag = "sops",
    operation_id = "change_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    request_body(
        content = SopVersionPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "change_note": "The threshold is 50 ppm." }),
    ),
    responses((
        status = 200, description = "The version as it is now.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn change_sop_version(
    access: Access<may::SopsWrite>,
    Id(id): Id<SopVersionId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let version: SopVersion = work.hold(id).await?;
    work.expect_current(&version)?;
    let details = patch.apply(&version.details)?;
    let version = work.record(version.change(details, work.actor())?).await?;
    work.changed(version).await
}

/// Submits a draft for review
///
/// It can no longer be changed; the reviewer publishes it or returns it.
#[utoipa::path(
    post, path = "/sop-versions/{id}/submit", tag = "sops",
    operation_id = "submit_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version as it is now.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn submit_sop_version(access: Access<may::SopsWrite>, Id(id): Id<SopVersionId>) -> Outcome {
    let work = access.write().await?;
    let version: SopVersion = work.hold(id).await?;
    let version = work.record(version.submit()?).await?;
    work.changed(version).await
}

/// Returns a version to its authors
///
/// It becomes a draft again, with what the reviewer found.
#[utoipa::path(
    post, path = "/sop-versions/{id}/return", tag = "sops",
    operation_id = "return_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    request_body(content = SopReview, description = "What the reviewer found."),
    responses((
        status = 200, description = "The version as it is now.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn return_sop_version(
    access: Access<may::SopsPublish>,
    Id(id): Id<SopVersionId>,
    Json(review): Json<SopReview>,
) -> Outcome {
    let answers = Answers::to(access.caller());
    let work = access.write().await?;
    let version: SopVersion = work.hold(id).await?;
    let version = work.record(version.give_back(review.review_note)?).await?;
    work.changed(answers.of(version)).await
}

/// Publishes a version
///
/// It comes into force: new runs follow it, and it can never be changed. The version that was in force
/// is retired; runs that began under it go on. A person cannot publish a version on which they wrote
/// (`own_sop_version`); the brand's own programs can, because they stand for the brand. The services that its
/// steps perform are there and not retired (`step_service_unknown`). A finding that its moment has no procedure
/// is resolved by it.
#[utoipa::path(
    post, path = "/sop-versions/{id}/publish", tag = "sops",
    operation_id = "publish_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version as it is now.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn publish_sop_version(
    access: Access<may::SopsPublish>,
    Id(id): Id<SopVersionId>,
) -> Outcome {
    let answers = Answers::to(access.caller());
    let work = access.write().await?;
    let (version, in_force) = work.hold_for_publication(id).await?;
    work.heed(&version);
    let services = active_services(&work, &version.details).await?;
    version.details.require_services(&services)?;
    let publication = version.publish(in_force, work.actor(), work.now())?;
    let version = work.record_publication(publication).await?;
    close_gap(&work, version.sop_id).await?;
    work.changed(answers.of(version)).await
}

/// The codes of the service items that the steps name and that are not retired. They are held, so that none is retired
/// meanwhile.
async fn active_services(
    work: &Work,
    version: &SopVersionDetails,
) -> Result<BTreeSet<Code>, Fault> {
    let codes = version.services();
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let items: Vec<ServiceItem> = work.hold_all(items_with_codes(&codes)).await?;
    let active = items.into_iter().filter(|item| item.status == ServiceItemStatus::Active);
    Ok(active.map(|item| item.details.code).collect())
}

/// Settles the finding that nothing says what to do at the moment that a procedure is for.
async fn close_gap(work: &Work, sop: SopId) -> Result<(), Failure> {
    let sop: Sop = work.get(sop).await?;
    let gap = sop.details.gap();
    let told: Vec<Finding> = work.hold_all(unsettled(FindingKind::SopGap, gap.as_ref())).await?;
    for finding in told {
        work.record(finding.resolve(work.now())?).await?;
    }
    Ok(())
}

/// Retires a published version
///
/// No new run follows it; runs that began under it go on. The procedure is not in force until another
/// version is published.
#[utoipa::path(
    post, path = "/sop-versions/{id}/retire", tag = "sops",
    operation_id = "retire_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    responses((
        status = 200, description = "The version as it is now.", body = SopVersion,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn retire_sop_version(access: Access<may::SopsPublish>, Id(id): Id<SopVersionId>) -> Outcome {
    let answers = Answers::to(access.caller());
    let work = access.write().await?;
    let version: SopVersion = work.hold(id).await?;
    let version = work.record(version.retire(work.now())?).await?;
    work.changed(answers.of(version)).await
}
