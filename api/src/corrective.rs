//! `/v1/corrective-actions`: why things went wrong, and what is done so that they do not again.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred, referred_if_named},
    pushes,
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    complaints::Complaint,
    corrective::{
        CorrectiveAction, CorrectiveActionDetails, CorrectiveActionState, CorrectiveAssignment,
        CorrectiveFilling, CorrectiveVerification,
    },
    findings::FindingKind,
    identity::Staff,
    ids::{AnyId, ComplaintId, CorrectiveActionId, DealerId, StaffId},
    tenancy::Dealer,
    text::Code,
    time::Timestamp,
};
use serde::Deserialize;
use store::corrective::{CorrectiveWanted, corrective_actions, open_about};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_corrective_actions, open_corrective_action))
        .routes(routes!(get_corrective_action))
        .routes(routes!(assign_corrective_action))
        .routes(routes!(fill_corrective_action))
        .routes(routes!(verify_corrective_action))
}

/// Which corrective actions are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CorrectiveFilters {
    /// Where they stand.
    state: Option<CorrectiveActionState>,
    /// Whose people work on them.
    dealer_id: Option<DealerId>,
    /// Who answers for them.
    owner_id: Option<StaffId>,
    /// Those about this cause.
    cause_code: Option<Code>,
    /// Those that name this complaint.
    complaint_id: Option<ComplaintId>,
    /// Those that should be done before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    due_before: Option<Timestamp>,
}

/// Lists corrective actions
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/corrective-actions", tag = "corrective",
    operation_id = "list_corrective_actions",
    params(CorrectiveFilters, Paging<CorrectiveAction>),
    responses((status = 200, description = "A page of corrective actions.", body = ListOf<CorrectiveAction>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_corrective_actions(
    access: Access<may::ComplaintsRead>,
    list: List<CorrectiveAction, CorrectiveFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = list.filters.clone();
    let wanted = CorrectiveWanted {
        state: filters.state,
        dealer_id: filters.dealer_id,
        owner_id: filters.owner_id,
        cause_code: filters.cause_code,
        complaint_id: filters.complaint_id,
        due_before: filters.due_before,
    };
    list.answer(&reading, corrective_actions(wanted)).await
}

/// Opens a corrective action
///
/// By hand. The service opens one by itself for a matter of safety, and for the third complaint of the same cause and
/// dealer in 30 days. Of each cause a dealer, or the brand, has one that is not closed (`corrective_action_open`). Whoever is
/// to answer for it works for its dealer or the brand (`corrective_action_not_for_them`).
#[utoipa::path(
    post, path = "/corrective-actions", tag = "corrective",
    operation_id = "open_corrective_action",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = CorrectiveActionDetails, description = "What it is about, and who answers for it."),
    responses((status = 201, description = "The corrective action.", body = CorrectiveAction, headers(
        ("Location" = String, description = "Where the action is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn open_corrective_action(
    access: Access<may::ComplaintsWrite>,
    Json(mut details): Json<CorrectiveActionDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    details.check_length()?;
    details.dealer_id = pushes::dealer_of(&work, details.dealer_id)?;
    referred_if_named::<Dealer>(&work, details.dealer_id, "/dealer_id").await?;
    let owner: Option<Staff> = referred_if_named(&work, details.owner_id, "/owner_id").await?;
    let complaints = named_complaints(&work, &details.complaint_ids).await?;
    let details = details.connect(&complaints, owner.as_ref())?;
    let open = open_already(&work, &details).await?;

    let (id, actor) = (work.new_id(), work.actor());
    let change = CorrectiveAction::open(id, details, actor, open.as_ref(), work.now())?;

    let action = work.record(change).await?;
    work.created("/v1/corrective-actions", action).await
}

/// Shows a corrective action
///
/// With everything that was filled in, and what was tried before and did not work.
#[utoipa::path(
    get, path = "/corrective-actions/{id}", tag = "corrective",
    operation_id = "get_corrective_action",
    params(("id" = CorrectiveActionId, Path, description = "Which action.")),
    responses((status = 200, description = "The corrective action.", body = CorrectiveAction, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_corrective_action(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<CorrectiveActionId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let action: CorrectiveAction = reading.get(id).await?;
    Ok(reading.show(&action))
}

/// Assigns a corrective action
///
/// Says who answers for it from now on: somebody of its dealer's or of the brand's (`corrective_action_not_for_them`). Not once
/// its verification is waited for.
#[utoipa::path(
    post, path = "/corrective-actions/{id}/assign", tag = "corrective",
    operation_id = "assign_corrective_action",
    params(("id" = CorrectiveActionId, Path, description = "Which action.")),
    request_body(content = CorrectiveAssignment, description = "Who answers for it."),
    responses((status = 200, description = "The corrective action as it is now.", body = CorrectiveAction, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn assign_corrective_action(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CorrectiveActionId>,
    Json(ask): Json<CorrectiveAssignment>,
) -> Outcome {
    let work = access.write().await?;
    let to: Staff = referred(work.get(ask.owner_id).await, "/owner_id")?;
    let action = work.hold::<CorrectiveAction>(id).await?;

    let change = action.assign(&to)?;

    let action = work.record(change).await?;
    work.changed(action).await
}

/// Fills a step
///
/// Steps D0 to D8 are filled in order (`d_step_too_early`); one that was filled can be filled anew until the verification is
/// waited for. D1 names the team, D6 the day of the implementation; its effect is verified 30 days after that day or later.
/// D7 lets the action wait for its verification, and D8 can still be filled then. Somebody has to answer for it first
/// (`corrective_action_unowned`).
#[utoipa::path(
    post, path = "/corrective-actions/{id}/fill", tag = "corrective",
    operation_id = "fill_corrective_action",
    params(("id" = CorrectiveActionId, Path, description = "Which action.")),
    request_body(content = CorrectiveFilling, description = "The step, and what there is to say."),
    responses((status = 200, description = "The corrective action as it is now.", body = CorrectiveAction, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn fill_corrective_action(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CorrectiveActionId>,
    Json(ask): Json<CorrectiveFilling>,
) -> Outcome {
    let work = access.write().await?;
    ask.check()?;
    for (at, person) in ask.team_ids.iter().enumerate() {
        referred(work.get::<Staff>(*person).await, &format!("/team_ids/{at}"))?;
    }
    let action = work.hold::<CorrectiveAction>(id).await?;
    let zone = work.zone_of(action.dealer_id).await?;

    let change = action.fill(ask, work.actor(), (zone, work.now()))?;

    let action = work.record(change).await?;
    work.changed(action).await
}

/// Verifies a corrective action
///
/// Says whether it has worked, once every step is filled (`d_steps_missing`) and the time has come (`verification_not_due`; a
/// finding `verification_due` reminds of it). It takes a person who had no part in it: not the owner, the team, or who answered
/// for it, was of the team or filled a step before (`verification_by_another`). What has worked is `closed`; what has not is `reopened`, and the root cause is looked for anew.
#[utoipa::path(
    post, path = "/corrective-actions/{id}/verify", tag = "corrective",
    operation_id = "verify_corrective_action",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = CorrectiveActionId, Path, description = "Which action.")),
    request_body(content = CorrectiveVerification, description = "Whether it has worked, and what was seen."),
    responses((status = 200, description = "The corrective action, closed or reopened.", body = CorrectiveAction, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn verify_corrective_action(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<CorrectiveActionId>,
    Json(ask): Json<CorrectiveVerification>,
) -> Outcome {
    let work = access.write_once().await?;
    let action = work.hold::<CorrectiveAction>(id).await?;

    let change = action.verify(ask, work.actor(), work.now())?;

    let action = work.record(change).await?;
    work.settle_findings(FindingKind::VerificationDue, &AnyId::of(id), None).await?;
    work.changed(action).await
}

/// The complaints that a body names, in its order.
async fn named_complaints(work: &Work, ids: &[ComplaintId]) -> Result<Vec<Complaint>, Problem> {
    let named = ids.iter().map(|id| Uuid::from(*id)).collect();
    let mut found = work.named::<Complaint>(&named).await?;
    let mut complaints = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        match found.remove(&Uuid::from(*id)) {
            Some(complaint) => complaints.push(complaint),
            // Named twice is named once.
            None if ids.iter().take(at).any(|other| other == id) => {}
            None => return Err(Problem::unknown_reference(&format!("/complaint_ids/{at}"))),
        }
    }
    Ok(complaints)
}

/// The corrective action that works on the same cause already; nobody else opens one until this is done.
async fn open_already(
    work: &Work,
    details: &CorrectiveActionDetails,
) -> Result<Option<CorrectiveAction>, Problem> {
    let Some(cause) = &details.cause_code else { return Ok(None) };
    work.correct_alone(details.dealer_id, cause).await?;
    Ok(work.find(open_about(cause, details.dealer_id)).await?)
}
