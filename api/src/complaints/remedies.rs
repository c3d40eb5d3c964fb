//! What was promised about a complaint, and whether it is done.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Ids},
};
use axum::response::Response;
use domain::{
    complaints::{Complaint, Remedy},
    ids::{ComplaintId, RemedyId},
    returns::Rma,
};
use store::{complaints::remedies_of, returns::open_of};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_remedies))
        .routes(routes!(complete_remedy))
        .routes(routes!(waive_remedy))
}

/// Lists what was promised about a complaint
///
/// Over all attempts to put it right, in the order of the promises.
#[utoipa::path(
    get, path = "/complaints/{id}/remedies", tag = "complaints",
    operation_id = "list_remedies",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Paging<Remedy>),
    responses((status = 200, description = "A page of remedies.", body = ListOf<Remedy>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_remedies(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    list: List<Remedy>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    list.answer(&reading, remedies_of(id)).await
}

/// Completes a remedy
///
/// Says that what was promised is carried out. While a return carries it out, that settles it (`rma_open_already`).
#[utoipa::path(
    post, path = "/complaints/{id}/remedies/{remedy_id}/complete", tag = "complaints",
    operation_id = "complete_remedy",
    params(
        ("id" = ComplaintId, Path, description = "Which complaint."),
        ("remedy_id" = RemedyId, Path, description = "Which of its remedies."),
    ),
    responses((status = 200, description = "The remedy, done.", body = Remedy, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn complete_remedy(
    access: Access<may::ComplaintsWrite>,
    Ids(id, remedy_id): Ids<ComplaintId, RemedyId>,
) -> Outcome {
    let work = access.write().await?;
    let remedy = work.hold_remedy(id, remedy_id).await?;
    work.heed(&remedy);
    expect_no_return(&work, &remedy).await?;

    let change = remedy.complete(work.now())?;

    let remedy = work.record(change).await?;
    work.changed(remedy).await
}

/// Waives a remedy
///
/// Says that the customer does not want what was promised. What follows from a confirmed defect cannot be
/// waived, and a return that carries it out is cancelled first (`rma_open_already`).
#[utoipa::path(
    post, path = "/complaints/{id}/remedies/{remedy_id}/waive", tag = "complaints",
    operation_id = "waive_remedy",
    params(
        ("id" = ComplaintId, Path, description = "Which complaint."),
        ("remedy_id" = RemedyId, Path, description = "Which of its remedies."),
    ),
    responses((status = 200, description = "The remedy, waived.", body = Remedy, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn waive_remedy(
    access: Access<may::ComplaintsWrite>,
    Ids(id, remedy_id): Ids<ComplaintId, RemedyId>,
) -> Outcome {
    let work = access.write().await?;
    let remedy = work.hold_remedy(id, remedy_id).await?;
    work.heed(&remedy);
    expect_no_return(&work, &remedy).await?;

    let change = remedy.waive(work.now())?;

    let remedy = work.record(change).await?;
    work.changed(remedy).await
}

/// Expects that no return carries a remedy out, which is held: nobody opens one meanwhile.
async fn expect_no_return(work: &Work, remedy: &Remedy) -> Result<(), Problem> {
    let open: Option<Rma> = work.find(open_of(remedy.id)).await?;
    Ok(Rma::must_be_over(open.as_ref())?)
}
