//! `/v1/sop-runs`: executions of procedures, ticked off step by step.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{List, ListOf, Paging},
    problem::{self, Problem, referred},
    request::{Id, Ids, Json},
};
use axum::response::Response;
use domain::{
    catalogue::Asset,
    identity::{Assignment, Staff},
    ids::{CustomerId, DealerId, SopId, SopRunId, SopRunStepId, StaffId, WorkOrderId},
    sops::{
        SopAnswer, SopBeginning, SopChecklist, SopRun, SopRunDetails, SopRunState, SopVersion,
        StepAtHand,
    },
    text::Line,
};
use serde::{Deserialize, Serialize};
use store::sops::{SopRunFilter, in_force, sop_runs};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sop_runs, start_sop_run))
        .routes(routes!(show_sop_run))
        .routes(routes!(abort_sop_run))
        .routes(routes!(complete_sop_run_step))
        .routes(routes!(waive_sop_run_step))
        .routes(routes!(reassign_sop_run_step))
}

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SopRunFilters {
    /// Those of this procedure.
    sop_id: Option<SopId>,
    /// Those that are part of this visit.
    work_order_id: Option<WorkOrderId>,
    /// Those for this customer.
    customer_id: Option<CustomerId>,
    /// Those of this dealer.
    dealer_id: Option<DealerId>,
    /// Those of this person.
    staff_id: Option<StaffId>,
    /// Those in this state.
    state: Option<SopRunState>,
}

/// Why a step is left out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "The customer has no shut-off valve." })))]
struct SopStepWaiver {
    /// Why it is left out; it becomes the step's `deviation_reason`.
    reason: Line,
}

/// Why a run is broken off.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "The customer had to leave." })))]
struct SopRunAbortion {
    /// Why it is broken off; it becomes the run's `abort_reason`.
    reason: Line,
}

/// Lists runs
///
/// The newest comes first, without its steps. A dealer's people see their dealer's runs, and technicians
/// their own.
#[utoipa::path(
    get, path = "/sop-runs", tag = "sops",
    operation_id = "list_sop_runs",
    params(SopRunFilters, Paging<SopRun>),
    responses((status = 200, description = "A page of runs.", body = ListOf<SopRun>)),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn list_sop_runs(
    access: Access<may::RunsRead>,
    list: List<SopRun, SopRunFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let wanted = &list.filters;
    let select = sop_runs(&SopRunFilter {
        sop_id: wanted.sop_id,
        work_order_id: wanted.work_order_id,
        customer_id: wanted.customer_id,
        dealer_id: wanted.dealer_id,
        staff_id: wanted.staff_id,
        state: wanted.state,
    });
    list.answer(&reading, select).await
}

/// Opens a run
///
/// The run follows the version of the procedure that is in force, to its end. Visits open their runs by
/// themselves; this is for work without a visit, such as a handover in the shop. The asset is the customer's
/// (`asset_of_another_customer`).
#[utoipa::path(
    post, path = "/sop-runs", tag = "sops",
    operation_id = "start_sop_run",
    request_body(content = SopRunDetails, description = "What is carried out, for whom and by whom."),
    responses((
        status = 201, description = "The run with its steps.", body = SopChecklist,
        headers(
            ("Location" = String, description = "Where the run is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn start_sop_run(
    access: Access<may::RunsWrite>,
    Json(details): Json<SopRunDetails>,
) -> Outcome {
    let work = access.write().await?;
    let details = details.written_by(work.actor(), work.reach())?;
    work.expect_in_reach(&details).await?;
    if let (Some(customer), Some(asset)) = (details.customer_id, details.asset_id) {
        work.get::<Asset>(asset).await?.must_be_of(customer)?;
    }
    let in_force: Option<SopVersion> = work.find(in_force(details.sop_id)).await?;
    let around = work.circumstances_of(in_force.as_ref(), &details, None).await?;
    let beginning = SopBeginning::of(details, around);
    let change =
        SopRun::start(work.new_id(), in_force.as_ref(), beginning, || work.new_id(), work.now())?;
    let checklist = work.record_checklist(change).await?;
    work.created("/v1/sop-runs", checklist).await
}

/// Shows a run with its steps
///
/// Each step says what good looks like, whether it can be done now (`ready`), and what was found.
#[utoipa::path(
    get, path = "/sop-runs/{id}", tag = "sops",
    operation_id = "show_sop_run",
    params(("id" = SopRunId, Path, description = "The run.")),
    responses((
        status = 200, description = "The run with its steps.", body = SopChecklist,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn show_sop_run(
    access: Access<may::RunsRead>,
    Id(id): Id<SopRunId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let run: SopRun = reading.get(id).await?;
    let checklist = reading.checklist(run).await?;
    Ok(reading.show(&checklist))
}

/// Breaks a run off
///
/// What was done so far stays in its steps. Needs the rank of a manager (30).
#[utoipa::path(
    post, path = "/sop-runs/{id}/abort", tag = "sops",
    operation_id = "abort_sop_run",
    params(("id" = SopRunId, Path, description = "The run.")),
    request_body(content = SopRunAbortion, description = "Why it is broken off."),
    responses((
        status = 200, description = "The run with its steps, as it is now.", body = SopChecklist,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn abort_sop_run(
    access: Access<may::RunsWrite>,
    Id(id): Id<SopRunId>,
    Json(abortion): Json<SopRunAbortion>,
) -> Outcome {
    let work = access.write().await?;
    let run: SopRun = work.hold(id).await?;
    let run = work.record(run.abort(abortion.reason, work.actor(), work.now())?).await?;
    work.free_steps(run.id).await?;
    let checklist = work.checklist(run).await?;
    work.changed(checklist).await
}

/// Does a step
///
/// The step is `done` when the value meets the standard, and `failed` when it does not. A failed step can
/// be done again; a `deviation_reason` settles it, unless leaving it out needs approval (a stop step, an
/// obligation, or a step with an `approval_rank`): then it is done again or waived. The run completes
/// itself with the last settled step.
#[utoipa::path(
    post, path = "/sop-runs/{id}/steps/{step_id}/complete", tag = "sops",
    operation_id = "complete_sop_run_step",
    params(
        ("id" = SopRunId, Path, description = "The run."),
        ("step_id" = SopRunStepId, Path, description = "The step of the run."),
    ),
    request_body(content = SopAnswer, description = "What was found."),
    responses((
        status = 200, description = "The run with its steps, as it is now.", body = SopChecklist,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn complete_sop_run_step(
    access: Access<may::RunsWrite>,
    Ids(id, step_id): Ids<SopRunId, SopRunStepId>,
    Json(answer): Json<SopAnswer>,
) -> Outcome {
    let work = access.write().await?;
    let step = step_at_hand(&work, id, step_id).await?;
    let change = step.complete(answer, work.actor(), work.now())?;
    let checklist = work.record_checklist(change).await?;
    work.changed(checklist).await
}

/// Waives a step
///
/// Leaves it out, or accepts that it failed. A stop step, an obligation and a step with an
/// `approval_rank` are waived by that rank (a manager, 30, when it names none); other steps by anybody
/// who carries out the run.
#[utoipa::path(
    post, path = "/sop-runs/{id}/steps/{step_id}/waive", tag = "sops",
    operation_id = "waive_sop_run_step",
    params(
        ("id" = SopRunId, Path, description = "The run."),
        ("step_id" = SopRunStepId, Path, description = "The step of the run."),
    ),
    request_body(content = SopStepWaiver, description = "Why it is left out."),
    responses((
        status = 200, description = "The run with its steps, as it is now.", body = SopChecklist,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn waive_sop_run_step(
    access: Access<may::RunsWrite>,
    Ids(id, step_id): Ids<SopRunId, SopRunStepId>,
    Json(waiver): Json<SopStepWaiver>,
) -> Outcome {
    let work = access.write().await?;
    let step = step_at_hand(&work, id, step_id).await?;
    let change = step.waive(waiver.reason, work.actor(), work.now())?;
    let checklist = work.record_checklist(change).await?;
    work.changed(checklist).await
}

/// Gives a step to somebody else
///
/// Whoever had it. Its time does not change, nor who answers for it when it is late. Needs the rank of a manager
/// (30). Steps of people who leave or move to another dealer are given to a manager by themselves, or to the owner
/// where there is none.
#[utoipa::path(
    post, path = "/sop-runs/{id}/steps/{step_id}/reassign", tag = "sops",
    operation_id = "reassign_sop_run_step",
    params(
        ("id" = SopRunId, Path, description = "The run."),
        ("step_id" = SopRunStepId, Path, description = "The step of the run."),
    ),
    request_body(content = Assignment, description = "Who does it."),
    responses((
        status = 200, description = "The run with its steps, as it is now.", body = SopChecklist,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn reassign_sop_run_step(
    access: Access<may::RunsWrite>,
    Ids(id, step_id): Ids<SopRunId, SopRunStepId>,
    Json(assignment): Json<Assignment>,
) -> Outcome {
    let work = access.write().await?;
    let run: SopRun = work.hold(id).await?;
    work.heed(&run);
    let checklist = work.checklist(run).await?;
    let to: Staff = referred(work.get(assignment.staff_id).await, "/staff_id")?;

    let change = checklist.reassign(step_id, &to, work.actor())?;

    let change = change.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let checklist = work.record_hands(change).await?;
    work.changed(checklist).await
}

/// Holds a run and takes one of its steps in hand.
async fn step_at_hand(
    work: &Work,
    id: SopRunId,
    step_id: SopRunStepId,
) -> Result<StepAtHand, Problem> {
    let run: SopRun = work.hold(id).await?;
    work.heed(&run);
    let checklist = work.checklist(run).await?;
    let around = work.circumstances_at(&checklist, step_id).await?;
    checklist.step(step_id, around).ok_or_else(|| Problem::new(&problem::NOT_FOUND))
}
