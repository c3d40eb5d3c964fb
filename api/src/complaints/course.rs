//! The course of a complaint, as those take it who answer for it.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    problem::{Problem, referred},
    request::{Id, Json},
};
use domain::{
    allowances::{
        authority::{Holder, highest},
        gestures::{GestureKind, Given},
    },
    complaints::{
        AssessmentDetails, Complaint, ComplaintAside, ComplaintWaiting, Decided, Deciding,
        DecisionDetails, InvestigationDetails, Remedy, RemedyState,
    },
    findings::FindingKind,
    identity::{Assignment, Rank, Staff},
    ids::{AnyId, ComplaintId},
    money::Minor,
    returns::Rma,
};
use store::{allowances::Granting, complaints::current_remedies, returns::open_of};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge_complaint))
        .routes(routes!(assess_complaint))
        .routes(routes!(investigate_complaint))
        .routes(routes!(decide_complaint))
        .routes(routes!(tell_customer))
        .routes(routes!(wait_with_complaint))
        .routes(routes!(resume_complaint))
        .routes(routes!(resolve_complaint))
        .routes(routes!(set_complaint_aside))
        .routes(routes!(assign_complaint))
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

/// Assesses a complaint
///
/// Says how bad and how hard it is. Where somebody may be hurt, a manager or somebody higher answers for it at once.
/// It can be assessed anew until it is decided. A danger opens a corrective action.
#[utoipa::path(
    post, path = "/complaints/{id}/assess", tag = "complaints",
    operation_id = "assess_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = AssessmentDetails, description = "How bad and how hard it is."),
    responses((status = 200, description = "The complaint, assessed.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn assess_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(details): Json<AssessmentDetails>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let superiors = work.superiors_of(&complaint).await?;

    let change = complaint.assess(details, &superiors, work.actor(), work.now())?;

    let complaint = work.record_progress(change).await?;
    consider_cause(&work, &complaint).await?;
    work.changed(complaint).await
}

/// Investigates a complaint
///
/// Says what was found out. How much has to be is commensurate with how bad it is: what is grave (severity 4, or somebody
/// may be hurt) cannot be decided without. A defect that is confirmed stays so. A cause that comes again opens a corrective
/// action.
#[utoipa::path(
    post, path = "/complaints/{id}/investigate", tag = "complaints",
    operation_id = "investigate_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = InvestigationDetails, description = "What was found out."),
    responses((status = 200, description = "The complaint, investigated.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn investigate_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(details): Json<InvestigationDetails>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let change = complaint.investigate(details, work.actor(), work.now())?;

    let complaint = work.record_progress(change).await?;
    consider_cause(&work, &complaint).await?;
    work.changed(complaint).await
}

/// Decides a complaint
///
/// Says who answers for what went wrong, and what is promised. Where the responsibility is ours, in
/// whole or in part, the apology comes first. A confirmed defect adds a mandatory replacement,
/// unless the decision promises one. The customer is told, together with their recourse. What the remedies cost together
/// must be within the authority of whoever decides (`/v1/authority-limits`, as for goodwill), where the brand has set
/// any limits in the currency; `beyond_authority` says who may. A decision takes the place of one that the customer has
/// refused, and the returns of what is not promised any more are cancelled (`goods_received` once goods have changed hands);
/// after a stand-off it takes `deciding_rank` or higher.
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
    // Held, so that nobody opens or settles a return of theirs meanwhile.
    let promised = work.hold_all::<Remedy>(current_remedies(&complaint)).await?;
    let rank = highest(&work.capacities(work.actor(), work.reach()).await?);
    expect_authority(&work, &complaint, &details).await?;

    let Decided { complaint, remedies } =
        complaint.decide(details, Deciding { rank, promised }, || work.new_id(), work.now())?;

    let complaint = work.record_progress(complaint).await?;
    for remedy in remedies {
        let remedy = work.record(remedy).await?;
        call_return_off(&work, &remedy).await?;
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

/// Sets a complaint aside
///
/// As a duplicate of another one of the same customer, because the customer withdraws it, or because it is no complaint.
/// That is its end: its clocks stop, and nothing is owed. Once it is decided it is not set aside any more.
#[utoipa::path(
    post, path = "/complaints/{id}/set-aside", tag = "complaints",
    operation_id = "set_complaint_aside",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintAside, description = "Why it is set aside."),
    responses((status = 200, description = "The complaint, set aside.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn set_complaint_aside(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(aside): Json<ComplaintAside>,
) -> Outcome {
    let work = access.write().await?;
    aside.check()?;
    let (complaint, original) = hold_both(&work, id, aside.duplicate_of).await?;

    let change = complaint.set_aside(aside, original.as_ref(), work.now())?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Lets somebody answer for a complaint
///
/// They become its `owner_id`, whoever was before, until it is closed or somebody else is named. While they are on leave
/// `cover_id` stands in for them; when they leave, it is handed over by itself.
#[utoipa::path(
    post, path = "/complaints/{id}/assign", tag = "complaints",
    operation_id = "assign_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = Assignment, description = "Who answers for it."),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn assign_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(assignment): Json<Assignment>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let to: Staff = referred(work.get(assignment.staff_id).await, "/staff_id")?;

    let change = complaint.assign(&to)?;

    let complaint = work.record_progress(change).await?;
    work.changed(complaint).await
}

/// Lets a cause that comes again, or that somebody may be hurt by, be corrected for good.
async fn consider_cause(work: &Work, complaint: &Complaint) -> Result<(), Problem> {
    let Complaint { id, cause_code, safety, .. } = complaint;
    if cause_code.is_none() && !safety {
        return Ok(());
    }
    Ok(work.consider_corrective_action(*id, cause_code.as_ref(), *safety).await?)
}

/// Calls the return of a remedy off that is not promised any more.
async fn call_return_off(work: &Work, remedy: &Remedy) -> Result<(), Problem> {
    if remedy.state != RemedyState::Replaced {
        return Ok(());
    }
    let Some(open) = work.hold_found::<Rma>(open_of(remedy.id)).await? else { return Ok(()) };
    let rma = work.record(open.fall_away()?).await?;
    Ok(work.settle_findings(FindingKind::ReturnOverdue, &AnyId::of(rma.id), None).await?)
}

/// Expects that whoever decides may promise so much money: a person of a dealer, where the brand has set limits.
async fn expect_authority(
    work: &Work,
    complaint: &Complaint,
    details: &DecisionDetails,
) -> Result<(), Problem> {
    let (Some(asked), Some(id)) = (details.cost(), work.actor().staff()) else { return Ok(()) };
    if work.actor().rank() >= Rank::BRAND || asked.amount == Minor::ZERO {
        return Ok(());
    }
    let staff: Staff = work.get(id).await?;
    let authority = work
        .authority(&Granting {
            customer: complaint.details.customer_id,
            currency: asked.currency,
            given: Given::of(GestureKind::GoodwillCredit),
            gesture: work.new_id(),
            dealer: complaint.details.dealer_id,
            grantor: Some(id.to_string()),
            margin_minor: Minor::ZERO,
        })
        .await?;
    if authority.limits.is_empty() {
        return Ok(());
    }
    let holder = Holder { role: staff.details.role, staff_id: Some(id), grants_now: true };
    Ok(authority.expect(holder, asked).map_err(|refusal| refusal.at("/remedies"))?)
}

/// Holds a complaint and the one it repeats, in the order of their identifiers, so that two that are set aside at once
/// do not repeat each other.
async fn hold_both(
    work: &Work,
    id: ComplaintId,
    original: Option<ComplaintId>,
) -> Result<(Complaint, Option<Complaint>), Problem> {
    let Some(original) = original.filter(|original| *original != id) else {
        let complaint = work.hold::<Complaint>(id).await?;
        let itself = original.map(|_| complaint.clone());
        return Ok((complaint, itself));
    };
    if original < id {
        let original = referred(work.hold::<Complaint>(original).await, "/duplicate_of")?;
        return Ok((work.hold(id).await?, Some(original)));
    }
    let complaint = work.hold(id).await?;
    Ok((complaint, Some(referred(work.hold(original).await, "/duplicate_of")?)))
}
