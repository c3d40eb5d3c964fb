//! What the customer says: of a decision, and of a resolution.

use crate::{
    access::{Access, Api, Outcome, may},
    request::{Id, Json},
};
use domain::{
    complaints::{
        Complaint, ComplaintClosing, ComplaintReferral, ComplaintRefusing, ComplaintReopening,
        CustomerWord, StandOff,
    },
    customers::Customer,
    ids::ComplaintId,
};
use store::{Failure, Tenant};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(accept_decision))
        .routes(routes!(refuse_decision))
        .routes(routes!(refer_complaint))
        .routes(routes!(close_complaint))
        .routes(routes!(reopen_complaint))
}

/// Notes that the customer accepts the decision
///
/// They were told it, and say yes; also after they had refused it. Most say so themselves, on the page of their complaint.
#[utoipa::path(
    post, path = "/complaints/{id}/accept", tag = "complaints",
    operation_id = "accept_decision",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint, accepted.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn accept_decision(access: Access<may::ComplaintsWrite>, Id(id): Id<ComplaintId>) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let complaint = accept(&work, complaint).await?;

    work.changed(complaint).await
}

/// Notes that the customer does not accept the decision
///
/// From then on it is negotiated, and something new can be decided. When nothing new comes within 16 working hours, or the
/// customer refuses once more, the next rank decides (`deciding_rank`), and the brand last.
#[utoipa::path(
    post, path = "/complaints/{id}/refuse", tag = "complaints",
    operation_id = "refuse_decision",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintRefusing, description = "Why the customer does not accept it."),
    responses((status = 200, description = "The complaint, refused.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn refuse_decision(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(refusing): Json<ComplaintRefusing>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let complaint = refuse(&work, complaint, refusing).await?;

    work.changed(complaint).await
}

/// Notes that the customer has turned to somebody outside
///
/// To a council, a mediator or a court. What these say comes in as a decision; the brand's own last decision can also be
/// carried out and resolved.
#[utoipa::path(
    post, path = "/complaints/{id}/refer", tag = "complaints",
    operation_id = "refer_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintReferral, description = "Whom they have turned to."),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn refer_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(referral): Json<ComplaintReferral>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.refer(referral)?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Closes a complaint
///
/// With the customer's yes it closes at once. When they have said nothing and know their recourse, it can
/// be closed from 14 days after the resolution on, and then closes by itself; what they say meanwhile lets the
/// 14 days begin anew. A customer who is not satisfied does not let it close.
#[utoipa::path(
    post, path = "/complaints/{id}/close", tag = "complaints",
    operation_id = "close_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintClosing, description = "What the customer says."),
    responses((status = 200, description = "The complaint, closed.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn close_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(closing): Json<ComplaintClosing>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let complaint = close(&work, &complaint, closing).await?;

    work.changed(complaint).await
}

/// Reopens a complaint
///
/// Begins the next attempt to put it right, while it is resolved and up to 30 days after it was closed.
/// A survey about the resolution that was not answered yet is cancelled.
#[utoipa::path(
    post, path = "/complaints/{id}/reopen", tag = "complaints",
    operation_id = "reopen_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintReopening, description = "Why it is taken up again."),
    responses((status = 200, description = "The complaint, reopened.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn reopen_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(reopening): Json<ComplaintReopening>,
) -> Outcome {
    let work = access.write().await?;
    // Nobody asks the customer anything while this is open; whoever wants to waits, or is waited for.
    let customer = work.get::<Complaint>(id).await?.details.customer_id;
    work.hold::<Customer>(customer).await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let complaint = reopen(&work, &complaint, reopening).await?;

    work.changed(complaint).await
}

/// Lets the customer accept what was decided about a complaint, which is held.
pub(crate) async fn accept(tenant: &Tenant, complaint: Complaint) -> Result<Complaint, Failure> {
    let change = complaint.accept(tenant.now())?;

    tenant.record_progress(change).await
}

/// Lets the customer refuse what was decided about a complaint, which is held.
pub(crate) async fn refuse(
    tenant: &Tenant,
    complaint: Complaint,
    refusing: ComplaintRefusing,
) -> Result<Complaint, Failure> {
    let superiors = tenant.superiors_of(&complaint).await?;
    let until = tenant.stand_off_until(&complaint).await?;
    let stand_off = StandOff { superiors: &superiors, until };

    let change = complaint.refuse(refusing, &stand_off, tenant.now())?;

    tenant.record_progress(change).await
}

/// Closes a complaint, which is held, and writes down what the customer says.
pub(crate) async fn close(
    tenant: &Tenant,
    complaint: &Complaint,
    closing: ComplaintClosing,
) -> Result<Complaint, Failure> {
    let (actor, now) = (tenant.actor(), tenant.now());
    let last_heard_at = tenant.last_heard_at(complaint).await?;

    let change = complaint.clone().close(closing, last_heard_at, now)?;
    let word = |id| CustomerWord::at_closing(id, complaint, closing, actor, now);

    tenant.log_word(complaint, word).await?;
    tenant.record_progress(change).await
}

/// Reopens a complaint, which is held, as its customer is, and writes down why.
pub(crate) async fn reopen(
    tenant: &Tenant,
    complaint: &Complaint,
    reopening: ComplaintReopening,
) -> Result<Complaint, Failure> {
    let (actor, now) = (tenant.actor(), tenant.now());

    let change = complaint.clone().reopen(reopening.clone(), now)?;
    let word = |id| CustomerWord::at_reopening(id, complaint, &reopening, actor, now);

    tenant.log_word(complaint, word).await?;
    tenant.leave_attempt(complaint).await?;
    tenant.record_progress(change).await
}
