//! `/v1/sop-versions/{id}/acknowledgements`: who has read a version, and who has not yet.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    identity::Staff,
    ids::SopVersionId,
    sops::{SopAcknowledgement, SopQuizAnswers, SopReader, SopVersion},
};
use serde::Deserialize;
use store::acknowledgements;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge_sop_version))
        .routes(routes!(list_sop_acknowledgements))
        .routes(routes!(list_missing_sop_acknowledgements))
}

/// Which acknowledgements are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AcknowledgementFilters {
    /// Those that passed the quiz, or those that did not.
    passed: Option<bool>,
}

/// Acknowledges a version
///
/// A person says that they have read a published version, and answers its quiz, if it has one. Four of five
/// right answers (8000 basis points) pass it; who does not pass reads again and tries again. Once it is passed
/// it stays. A program reads nothing, so it takes a person's token.
#[utoipa::path(
    post, path = "/sop-versions/{id}/acknowledge", tag = "sops",
    operation_id = "acknowledge_sop_version",
    params(("id" = SopVersionId, Path, description = "The version.")),
    request_body(content = SopQuizAnswers, description = "The answers to the quiz."),
    responses((
        status = 200, description = "The acknowledgement.", body = SopAcknowledgement,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["sops:acknowledge"])),
)]
async fn acknowledge_sop_version(
    access: Access<may::SopsAcknowledge>,
    Id(id): Id<SopVersionId>,
    Json(answers): Json<SopQuizAnswers>,
) -> Outcome {
    let work = access.write().await?;
    let version: SopVersion = work.get(id).await?;
    let by = work.actor();
    let before = match by.staff() {
        Some(staff) => {
            work.hold_found(acknowledgements::acknowledgement_by(version.id, staff)).await?
        }
        None => None,
    };
    let reader = SopReader { by, dealer_id: work.reach().dealer, before };

    let change = version.acknowledge(work.new_id(), reader, &answers, work.now())?;

    let acknowledgement = work.record(change).await?;
    work.changed(acknowledgement).await
}

/// Lists who has read a version
///
/// The newest comes first. A dealer's people see those of their dealer, a technician sees themselves.
#[utoipa::path(
    get, path = "/sop-versions/{id}/acknowledgements", tag = "sops",
    operation_id = "list_sop_acknowledgements",
    params(
        ("id" = SopVersionId, Path, description = "The version."),
        AcknowledgementFilters, Paging<SopAcknowledgement>,
    ),
    responses((
        status = 200, description = "A page of acknowledgements.", body = ListOf<SopAcknowledgement>,
    )),
    security(("oauth" = ["sops:read"])),
)]
async fn list_sop_acknowledgements(
    access: Access<may::SopsRead>,
    Id(id): Id<SopVersionId>,
    list: List<SopAcknowledgement, AcknowledgementFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let version: SopVersion = reading.get(id).await?;
    let select = acknowledgements::acknowledgements_of(version.id, list.filters.passed);
    list.answer(&reading, select).await
}

/// Lists who has not passed a version
///
/// Everybody who works here now and has not acknowledged the version, or not passed its quiz; auditors are not
/// asked. A dealer's people see those of their dealer.
#[utoipa::path(
    get, path = "/sop-versions/{id}/missing-acknowledgements", tag = "sops",
    operation_id = "list_missing_sop_acknowledgements",
    params(("id" = SopVersionId, Path, description = "The version."), Paging<Staff>),
    responses((status = 200, description = "A page of people.", body = ListOf<Staff>)),
    security(("oauth" = ["staff:read"])),
)]
async fn list_missing_sop_acknowledgements(
    access: Access<may::StaffRead>,
    Id(id): Id<SopVersionId>,
    list: List<Staff>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let version: SopVersion = reading.get(id).await?;
    list.answer(&reading, acknowledgements::not_acknowledged(version.id)).await
}
