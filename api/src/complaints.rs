//! `/v1/complaints`: what went wrong, and how it was put right.

use crate::{
    access::{Access, Api, Outcome, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Ids, Json},
    resolution_log::{ResolutionShown, show_lines},
};
use axum::response::Response;
use domain::{
    clocks::{SlaMatter, SlaOpening},
    complaints::{
        Complaint, ComplaintClosing, ComplaintDetails, ComplaintReopening, ComplaintState,
        ComplaintWaiting, CustomerWord, Decided, DecisionDetails, Remedy, Resolution,
    },
    customers::Customer,
    ids::{ComplaintId, CustomerId, DealerId, RemedyId, StaffId},
    text::SpokenNumber,
    time::Timestamp,
};
use serde::Deserialize;
use store::{
    Failure, Tenant,
    complaints::{Prepared, Wanted, current_remedies, remedies_of, resolutions_of},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_complaints, open_complaint))
        .routes(routes!(get_complaint))
        .routes(routes!(acknowledge_complaint))
        .routes(routes!(decide_complaint))
        .routes(routes!(tell_customer))
        .routes(routes!(wait_with_complaint))
        .routes(routes!(resume_complaint))
        .routes(routes!(resolve_complaint))
        .routes(routes!(close_complaint))
        .routes(routes!(reopen_complaint))
        .routes(routes!(list_remedies))
        .routes(routes!(complete_remedy))
        .routes(routes!(waive_remedy))
        .routes(routes!(list_resolutions))
}

/// Which complaints are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComplaintFilters {
    /// Where they stand.
    state: Option<ComplaintState>,
    /// Who complained.
    customer_id: Option<CustomerId>,
    /// Whose people answer them.
    dealer_id: Option<DealerId>,
    /// The person who answers for them.
    owner_id: Option<StaffId>,
    /// The person whom they have gone up to, because a deadline came near or passed.
    escalated_staff_id: Option<StaffId>,
    /// The number that people say on the telephone.
    #[param(example = "C-000123", min_length = 1, max_length = 40, pattern = "^[!-~]+$",
        value_type = Option<String>)]
    number: Option<SpokenNumber>,
    /// Those whose first answer is due at this instant or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    due_after: Option<Timestamp>,
    /// Those whose first answer is due before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    due_before: Option<Timestamp>,
}

/// Lists complaints
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/complaints", tag = "complaints",
    operation_id = "list_complaints",
    params(ComplaintFilters, Paging<Complaint>, Expanding<Complaint>),
    responses((status = 200, description = "A page of complaints.", body = ListOf<Complaint>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_complaints(
    access: Access<may::ComplaintsRead>,
    list: List<Complaint, ComplaintFilters>,
    expand: Expand<Complaint>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = list.filters.clone();
    let wanted = Wanted {
        state: filters.state,
        customer_id: filters.customer_id,
        dealer_id: filters.dealer_id,
        owner_id: filters.owner_id,
        escalated_staff_id: filters.escalated_staff_id,
        number: filters.number.map(String::from),
        due_after: filters.due_after,
        due_before: filters.due_before,
    };
    list.answer_with(&reading, &expand, wanted.select()).await
}

/// Opens a complaint
///
/// It gets a number, and the customer is told that it has arrived. Of the policies that apply to it the first one is
/// picked, and a clock begins for each of its targets (`GET /v1/sla-clocks`). The first answer is due when that policy
/// says, and within 24 hours where none does. When no dealer is named, the customer's answers it.
#[utoipa::path(
    post, path = "/complaints", tag = "complaints",
    operation_id = "open_complaint",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = ComplaintDetails, description = "What the customer complains about."),
    responses((status = 201, description = "The complaint.", body = Complaint, headers(
        ("Location" = String, description = "Where the complaint is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn open_complaint(
    access: Access<may::ComplaintsWrite>,
    Json(details): Json<ComplaintDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = open(&work, details).await?;
    work.created("/v1/complaints", complaint).await
}

/// Opens a complaint, whoever it came from.
pub(crate) async fn open(tenant: &Tenant, details: ComplaintDetails) -> Result<Complaint, Problem> {
    let Prepared { known, number, tier, candidates } = tenant.prepare_complaint(&details).await?;
    let details = details.connect(&known)?;
    let (picked, hours) = tenant.sla_picked(&candidates, &SlaMatter::of(&details, tier)).await?;

    let change = Complaint::receive(tenant.new_id(), number, details, known.tz, tenant.now());
    let opening = SlaOpening::of(change, picked, &hours, || tenant.new_id());

    Ok(tenant.open_complaint(opening).await?)
}

/// Shows a complaint
///
/// With what was decided in the present attempt to put it right; earlier ones are in its resolutions.
#[utoipa::path(
    get, path = "/complaints/{id}", tag = "complaints",
    operation_id = "get_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Expanding<Complaint>),
    responses((status = 200, description = "The complaint.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_complaint(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    expand: Expand<Complaint>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Acknowledges a complaint
///
/// Says that the customer was answered for the first time. A person who does so answers for the
/// complaint from then on. From `first_answer_due_at` on the first answer counts as missed.
#[utoipa::path(
    post, path = "/complaints/{id}/acknowledge", tag = "complaints",
    operation_id = "acknowledge_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint, acknowledged.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn acknowledge_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.acknowledge(work.actor(), work.now())?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Decides a complaint
///
/// Says who answers for what went wrong, and what is promised. Where the responsibility is ours, in
/// whole or in part, the apology comes first. A confirmed defect adds a mandatory replacement,
/// unless the decision promises one. The customer is told, together with their recourse.
#[utoipa::path(
    post, path = "/complaints/{id}/decide", tag = "complaints",
    operation_id = "decide_complaint",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = DecisionDetails, description = "The decision."),
    responses((status = 200, description = "The complaint, decided.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn decide_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(details): Json<DecisionDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let Decided { complaint, remedies } =
        complaint.decide(details, || work.new_id(), work.now())?;

    let complaint = work.record_progress(complaint).await?;
    for remedy in remedies {
        work.record(remedy).await?;
    }
    work.changed(complaint).await
}

/// Notes that the customer was told
///
/// The decision and their recourse, by telephone or in person. The message about the decision does it by
/// itself where it has an address to go to; silence counts from then on.
#[utoipa::path(
    post, path = "/complaints/{id}/tell", tag = "complaints",
    operation_id = "tell_customer",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn tell_customer(access: Access<may::ComplaintsWrite>, Id(id): Id<ComplaintId>) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.tell(work.now())?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Waits for somebody
///
/// Says that the complaint cannot go on until the customer, or somebody else, has said or done something. While we wait
/// for the customer, clocks whose target says so stand still; they run on with `resume`, and with whatever moves the
/// complaint on. At most so often that a clock has 400 events.
#[utoipa::path(
    post, path = "/complaints/{id}/wait", tag = "complaints",
    operation_id = "wait_with_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintWaiting, description = "Whom it waits for, and what for."),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn wait_with_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(waiting): Json<ComplaintWaiting>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.wait(waiting, work.now())?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Goes on with a complaint
///
/// Says that we wait no longer. Clocks that stood still run on, and their deadlines are counted anew.
#[utoipa::path(
    post, path = "/complaints/{id}/resume", tag = "complaints",
    operation_id = "resume_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn resume_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.resume()?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Resolves a complaint
///
/// Says that everything promised is done. The resolution is written down for good, the customer is told,
/// and asked about it by the survey that follows resolutions, if there is one.
#[utoipa::path(
    post, path = "/complaints/{id}/resolve", tag = "complaints",
    operation_id = "resolve_complaint",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint, resolved.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn resolve_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let remedies = work.all::<Remedy>(current_remedies(&complaint)).await?;

    let change = complaint.resolve(&remedies, work.actor(), work.now())?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Closes a complaint
///
/// With the customer's yes it closes at once. When they have said nothing and know their recourse, it can
/// be closed from 14 days after the resolution on, and then closes by itself. A customer who is not
/// satisfied does not let it close.
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

/// Closes a complaint, which must be held, and writes down what the customer says.
pub(crate) async fn close(
    tenant: &Tenant,
    complaint: &Complaint,
    closing: ComplaintClosing,
) -> Result<Complaint, Failure> {
    let (actor, now) = (tenant.actor(), tenant.now());

    let change = complaint.clone().close(closing, now)?;
    let word = |id| CustomerWord::at_closing(id, complaint, closing, actor, now);

    tenant.log_word(complaint, word).await?;
    tenant.record_progress(change).await
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

/// Reopens a complaint, which must be held, as its customer must be, and writes down why.
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
/// Says that what was promised is carried out.
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

    let change = remedy.complete(work.now())?;

    let remedy = work.record(change).await?;
    work.changed(remedy).await
}

/// Waives a remedy
///
/// Says that the customer does not want what was promised. What follows from a confirmed defect cannot be
/// waived.
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

    let change = remedy.waive(work.now())?;

    let remedy = work.record(change).await?;
    work.changed(remedy).await
}

/// Lists how a complaint was resolved
///
/// Its part of the resolution log: one line for each time it was resolved, the first one first, with what the
/// customer said of it, and its seal as soon as it has one. Lines are written by the service and never change.
#[utoipa::path(
    get, path = "/complaints/{id}/resolutions", tag = "complaints",
    operation_id = "list_resolutions",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Paging<Resolution>),
    responses((status = 200, description = "A page of the log.", body = ListOf<ResolutionShown>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_resolutions(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    list: List<Resolution>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    show_lines(&list, &reading, resolutions_of(id)).await
}
