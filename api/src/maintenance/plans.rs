//! `/v1/plan-templates`: what is to be done for a product, and how often.

use super::plan_items;
use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::{AtMost, List, ListOf, Paging, Parameters},
    patch::patches,
    problem::{Problem, referred},
    request::{Id, Json, MergePatch},
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    ids::{PlanTemplateId, ProductId, SopId},
    maintenance::{
        plans::{PlanGaps, PlanTemplate, PlanTemplateDetails, PlanTemplateState, draft_exists},
        tasks::PlannedDate,
    },
    sops::{Sop, SopVersion},
    text::Code,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::{
    Fault,
    maintenance::{self, PlanFilter},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(PlanTemplatePatch of PlanTemplateDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_plan_templates, draft_plan_template))
        .routes(routes!(get_plan_template, edit_plan_template))
        .routes(routes!(preview_plan_template))
        .routes(routes!(publish_plan_template))
        .routes(routes!(retire_plan_template))
}

/// Which versions of plans are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlanTemplateFilters {
    /// Those of one plan.
    #[param(example = "purifier-care")]
    code: Option<Code>,
    /// Those in one state.
    state: Option<PlanTemplateState>,
    /// Those that assets of one product enter by themselves.
    product_id: Option<ProductId>,
}

/// For what a plan is tried out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewParameters {
    /// When the asset would be delivered.
    #[param(example = "2026-01-31")]
    delivered_on: CivilDate,
    /// How many dates are wanted, 1 to 200; 20 when absent.
    #[param(minimum = 1, maximum = 200, default = 20, value_type = Option<u16>)]
    limit: Option<AtMost>,
}

/// The dates that follow from a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({ "dates": [{
    "prepare_on": "2026-07-17", "task": "filter", "seq": 1, "nominal_on": "2026-07-31",
    "window_from_on": "2026-07-24", "window_to_on": "2026-08-07",
}] })))]
struct PlanPreview {
    /// The first of them, in the order in which they are prepared.
    dates: Vec<PlannedDate>,
}

/// Lists plans
///
/// Each version of a plan is a record of its own; the newest comes first. With `state=published` the list
/// holds the plans that are in force.
#[utoipa::path(
    get, path = "/plan-templates", tag = "plans",
    operation_id = "list_plan_templates",
    params(PlanTemplateFilters, Paging<PlanTemplate>),
    responses((status = 200, description = "A page of plans.", body = ListOf<PlanTemplate>)),
    security(("oauth" = ["plans:read"])),
)]
async fn list_plan_templates(
    access: Access<may::PlansRead>,
    list: List<PlanTemplate, PlanTemplateFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let PlanTemplateFilters { code, state, product_id } = &list.filters;
    let filter = PlanFilter { code: code.clone(), state: *state, product_id: *product_id };
    list.answer(&reading, maintenance::plans(&filter)).await
}

/// Drafts a plan
///
/// With the code of a plan that exists it is the next version of that plan. A draft can be changed until
/// it is published; a plan has one draft at a time.
#[utoipa::path(
    post, path = "/plan-templates", tag = "plans",
    operation_id = "draft_plan_template",
    request_body(content = PlanTemplateDetails, description = "The plan and its tasks."),
    responses((
        status = 201, description = "The draft.", body = PlanTemplate,
        headers(
            ("Location" = String, description = "Where the plan is."),
            ("ETag" = String, description = "The version of the record."),
        ),
    )),
    security(("oauth" = ["plans:write"])),
)]
async fn draft_plan_template(
    access: Access<may::PlansWrite>,
    Json(details): Json<PlanTemplateDetails>,
) -> Outcome {
    let work = access.write().await?;
    if let Some(draft) = work.find(maintenance::draft_of(&details.code)).await? {
        return Err(draft_exists(&draft).into());
    }
    let newest: Option<PlanTemplate> = work.find(maintenance::versions_of(&details.code)).await?;
    let number = newest.map_or(1, |newest| newest.number.saturating_add(1));
    must_know_procedures(&work, &details).await?;

    let draft = PlanTemplate::draft(work.new_id(), number, details, work.now())?;

    let draft = work.record(draft).await?;
    work.created("/v1/plan-templates", draft).await
}

/// Makes sure that the procedures of the tasks are the brand's. Tasks are kept as a document, whose references
/// the database does not guard.
async fn must_know_procedures(work: &Work, details: &PlanTemplateDetails) -> Result<(), Problem> {
    for (place, task) in details.tasks.iter().enumerate() {
        if let Some(sop_id) = task.sop_id {
            let pointer = format!("/tasks/{place}/sop_id");
            referred(work.get::<Sop>(sop_id).await, &pointer)?;
        }
    }
    Ok(())
}

/// Shows a version of a plan
///
/// With all its tasks.
#[utoipa::path(
    get, path = "/plan-templates/{id}", tag = "plans",
    operation_id = "get_plan_template",
    params(("id" = PlanTemplateId, Path, description = "The version of the plan.")),
    responses((
        status = 200, description = "The plan.", body = PlanTemplate,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:read"])),
)]
async fn get_plan_template(
    access: Access<may::PlansRead>,
    Id(id): Id<PlanTemplateId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let plan: PlanTemplate = reading.get(id).await?;
    Ok(reading.show(&plan))
}

/// Edits a draft of a plan
///
/// Tasks are replaced as a whole. A published plan never changes: draft its next version.
#[utoipa::path(
    patch, path = "/plan-templates/{id}", tag = "plans",
    operation_id = "edit_plan_template",
    params(("id" = PlanTemplateId, Path, description = "The draft.")),
    request_body(
        content = PlanTemplatePatch, content_type = "application/merge-patch+json",
        description = "The members to change.",
        example = json!({ "name": "Purifier care, two visits a year" }),
    ),
    responses((
        status = 200, description = "The draft as it is now.", body = PlanTemplate,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:write"])),
)]
async fn edit_plan_template(
    access: Access<may::PlansWrite>,
    Id(id): Id<PlanTemplateId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let plan: PlanTemplate = work.hold(id).await?;
    work.expect_current(&plan)?;
    let details = patch.apply(&plan.details)?;
    must_know_procedures(&work, &details).await?;

    let revised = plan.revise(details)?;

    let plan = work.record(revised).await?;
    work.changed(plan).await
}

/// Tries a plan out
///
/// Shows the dates that would follow for an asset delivered on a day, and changes nothing. It works for
/// drafts as well, so that a plan can be looked at before it is published.
#[utoipa::path(
    get, path = "/plan-templates/{id}/dates", tag = "plans",
    operation_id = "preview_plan_template",
    params(
        ("id" = PlanTemplateId, Path, description = "The version of the plan."),
        PreviewParameters,
    ),
    responses((status = 200, description = "The dates.", body = PlanPreview)),
    security(("oauth" = ["plans:read"])),
)]
async fn preview_plan_template(
    access: Access<may::PlansRead>,
    Id(id): Id<PlanTemplateId>,
    Parameters(PreviewParameters { delivered_on, limit }): Parameters<PreviewParameters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let plan: PlanTemplate = reading.get(id).await?;
    let dates =
        plan.details.first_dates(delivered_on, limit.map_or(20, |AtMost(limit)| limit).into());
    Ok(axum::Json(PlanPreview { dates }).into_response())
}

/// Publishes a plan
///
/// The version that was in force so far is retired; assets that are in it stay with it. Assets of the
/// plan's product that are delivered or paid from now on enter this version. Every procedure of its tasks
/// must have a published version, and every service item that they name must be active.
#[utoipa::path(
    post, path = "/plan-templates/{id}/publish", tag = "plans",
    operation_id = "publish_plan_template",
    params(("id" = PlanTemplateId, Path, description = "The draft.")),
    responses((
        status = 200, description = "The plan, in force.", body = PlanTemplate,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:write"])),
)]
async fn publish_plan_template(
    access: Access<may::PlansWrite>,
    Id(id): Id<PlanTemplateId>,
) -> Outcome {
    let work = access.write().await?;
    let plan: PlanTemplate = work.hold(id).await?;
    let in_force = work.find(maintenance::in_force(&plan.details.code)).await?;
    let gaps = PlanGaps {
        unpublished: unpublished(&work, &plan).await?,
        unknown_items: plan_items::unknown_items(&work, &plan).await?,
    };

    let (published, retired) = plan.publish(in_force, &gaps, work.now())?;

    // The older one leaves first: only one version of a plan is in force.
    if let Some(retired) = retired {
        work.record(retired).await?;
    }
    let plan = work.record(published).await?;
    work.changed(plan).await
}

/// The procedures of a plan's tasks that have no published version.
async fn unpublished(work: &Work, plan: &PlanTemplate) -> Result<Vec<SopId>, Fault> {
    let mut unpublished = Vec::new();
    for sop_id in plan.details.tasks.iter().filter_map(|task| task.sop_id) {
        if work.find::<SopVersion>(store::sops::in_force(sop_id)).await?.is_none() {
            unpublished.push(sop_id);
        }
    }
    Ok(unpublished)
}

/// Retires a plan
///
/// Nothing enters it any more. What is in it goes on.
#[utoipa::path(
    post, path = "/plan-templates/{id}/retire", tag = "plans",
    operation_id = "retire_plan_template",
    params(("id" = PlanTemplateId, Path, description = "The version that is in force.")),
    responses((
        status = 200, description = "The plan, out of force.", body = PlanTemplate,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:write"])),
)]
async fn retire_plan_template(
    access: Access<may::PlansWrite>,
    Id(id): Id<PlanTemplateId>,
) -> Outcome {
    let work = access.write().await?;
    let plan: PlanTemplate = work.hold(id).await?;
    let plan = work.record(plan.retire()?).await?;
    work.changed(plan).await
}
