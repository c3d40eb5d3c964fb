//! `/v1/sop-triggers`: when procedures begin by themselves.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::{SopId, SopTriggerId},
    sops::{Sop, SopTrigger, SopTriggerDetails, SopTriggerStatus},
    text::Code,
};
use serde::Deserialize;
use store::triggers::TriggersWanted;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SopTriggerPatch of SopTriggerDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sop_triggers, create_sop_trigger))
        .routes(routes!(show_sop_trigger, change_sop_trigger))
        .routes(routes!(pause_sop_trigger))
        .routes(routes!(resume_sop_trigger))
}

/// Which triggers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SopTriggerFilters {
    /// Those of this procedure.
    sop_id: Option<SopId>,
    /// Those for this event.
    event: Option<Code>,
    /// Those in this state.
    status: Option<SopTriggerStatus>,
}

/// Lists triggers
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/sop-triggers", tag = "sops",
    operation_id = "list_sop_triggers",
    params(SopTriggerFilters, Paging<SopTrigger>),
    responses((status = 200, description = "A page of triggers.", body = ListOf<SopTrigger>)),
    security(("oauth" = ["sops:read"])),
)]
async fn list_sop_triggers(
    access: Access<may::SopsRead>,
    list: List<SopTrigger, SopTriggerFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let SopTriggerFilters { sop_id, event, status } = &list.filters;
    let wanted = TriggersWanted { sop_id: *sop_id, event: event.clone(), status: *status };
    list.answer(&reading, store::triggers::triggers(&wanted)).await
}

/// Lets a procedure begin by itself
///
/// From now on a run begins for each such event, for the customer it happened to, under the version that is in force
/// then. While no version is in force, nothing begins; nor by what happened more than 30 days ago when it becomes
/// known. At most 20 triggers wait for one event.
#[utoipa::path(
    post, path = "/sop-triggers", tag = "sops",
    operation_id = "create_sop_trigger",
    request_body(content = SopTriggerDetails, description = "When which procedure begins."),
    responses((
        status = 201, description = "The trigger.", body = SopTrigger,
        headers(
            ("Location" = String, description = "Where the trigger is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn create_sop_trigger(
    access: Access<may::SopsPublish>,
    Json(details): Json<SopTriggerDetails>,
) -> Outcome {
    let work = access.write().await?;
    referred(work.get::<Sop>(details.sop_id).await, "/sop_id")?;
    let id = work.new_id();
    let waiting = work.waiting_for(&details.event, id).await?;
    let trigger = work.record(SopTrigger::create(id, details, waiting, work.now())?).await?;
    work.created("/v1/sop-triggers", trigger).await
}

/// Shows a trigger
///
/// When which procedure begins by itself.
#[utoipa::path(
    get, path = "/sop-triggers/{id}", tag = "sops",
    operation_id = "show_sop_trigger",
    params(("id" = SopTriggerId, Path, description = "The trigger.")),
    responses((
        status = 200, description = "The trigger.", body = SopTrigger,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:read"])),
)]
async fn show_sop_trigger(
    access: Access<may::SopsRead>,
    Id(id): Id<SopTriggerId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let trigger: SopTrigger = reading.get(id).await?;
    Ok(reading.show(&trigger))
}

/// Changes a trigger
///
/// Runs that began go on.
#[utoipa::path(
    patch, path = "/sop-triggers/{id}", tag = "sops",
    operation_id = "change_sop_trigger",
    params(("id" = SopTriggerId, Path, description = "The trigger.")),
    request_body(
        content = SopTriggerPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "event": "check_in" }),
    ),
    responses((
        status = 200, description = "The trigger as it is now.", body = SopTrigger,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn change_sop_trigger(
    access: Access<may::SopsPublish>,
    Id(id): Id<SopTriggerId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let trigger: SopTrigger = work.hold(id).await?;
    work.expect_current(&trigger)?;
    let details: SopTriggerDetails = patch.apply(&trigger.details)?;
    referred(work.get::<Sop>(details.sop_id).await, "/sop_id")?;
    let waiting = work.waiting_for(&details.event, id).await?;
    let trigger = work.record(trigger.change(details, waiting)?).await?;
    work.changed(trigger).await
}

/// Pauses a trigger
///
/// It begins no more runs, until it is resumed; runs that began go on.
#[utoipa::path(
    post, path = "/sop-triggers/{id}/pause", tag = "sops",
    operation_id = "pause_sop_trigger",
    params(("id" = SopTriggerId, Path, description = "The trigger.")),
    responses((
        status = 200, description = "The trigger as it is now.", body = SopTrigger,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn pause_sop_trigger(access: Access<may::SopsPublish>, Id(id): Id<SopTriggerId>) -> Outcome {
    let work = access.write().await?;
    let trigger: SopTrigger = work.hold(id).await?;
    let trigger = work.record(trigger.pause()?).await?;
    work.changed(trigger).await
}

/// Resumes a trigger
///
/// It begins runs again. What happened meanwhile is not made up for.
#[utoipa::path(
    post, path = "/sop-triggers/{id}/resume", tag = "sops",
    operation_id = "resume_sop_trigger",
    params(("id" = SopTriggerId, Path, description = "The trigger.")),
    responses((
        status = 200, description = "The trigger as it is now.", body = SopTrigger,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:publish"])),
)]
async fn resume_sop_trigger(access: Access<may::SopsPublish>, Id(id): Id<SopTriggerId>) -> Outcome {
    let work = access.write().await?;
    let trigger: SopTrigger = work.hold(id).await?;
    let waiting = work.waiting_for(&trigger.details.event, id).await?;
    let trigger = work.record(trigger.resume(waiting)?).await?;
    work.changed(trigger).await
}
