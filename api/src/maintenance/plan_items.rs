//! `/v1/plan-templates/{id}/warnings`: the service items that a plan names, and what it lacks.

use crate::{
    access::{Access, Api, Work, may},
    problem::Problem,
    request::Id,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    ids::PlanTemplateId,
    inventory::{PlanReview, ServiceItem, ServiceItemStatus},
    maintenance::{plans::PlanTemplate, tasks::PlanTask},
    text::Code,
};
use store::{Fault, inventory::items::items_with_codes};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(review_plan_template))
}

/// Shows what a plan lacks
///
/// Whether the customer meets somebody in it, whether something in it costs nothing, and whether too much of it is
/// made for one customer, as the brand's `personalised_most_bp` has it. It judges the active service items that the
/// tasks name, and leaves tasks without one out. Warnings never stand in the way: a plan is published with them, and
/// `contactless_plan` and `too_personalised` are then findings (`GET /v1/findings`).
#[utoipa::path(
    get, path = "/plan-templates/{id}/warnings", tag = "plans",
    operation_id = "review_plan_template",
    params(("id" = PlanTemplateId, Path, description = "The version of the plan.")),
    responses((status = 200, description = "What there is to say about it.", body = PlanReview)),
    security(("oauth" = ["plans:read"])),
)]
async fn review_plan_template(
    access: Access<may::PlansRead>,
    Id(id): Id<PlanTemplateId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let plan: PlanTemplate = reading.get(id).await?;
    let items: Vec<ServiceItem> =
        reading.all(items_with_codes(&plan.details.service_item_codes())).await?;
    let most = reading.brand().await?.details.personalised_most_bp;
    Ok(axum::Json(PlanReview::of(&plan.details, &items, most)).into_response())
}

/// The tasks of a plan that name a service item which is not there, or is retired. Items that are there are held, so
/// that none is retired meanwhile.
pub(super) async fn unknown_items(
    work: &Work,
    plan: &PlanTemplate,
) -> Result<Vec<PlanTask>, Fault> {
    let codes = plan.details.service_item_codes();
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<ServiceItem> = work.hold_all(items_with_codes(&codes)).await?;
    let is_active = |code: &Code| {
        let named = items.iter().find(|item| item.details.code == *code);
        named.is_some_and(|item| item.status == ServiceItemStatus::Active)
    };
    let is_unknown =
        |task: &&PlanTask| task.service_item_code.as_ref().is_some_and(|code| !is_active(code));
    Ok(plan.details.tasks.iter().filter(is_unknown).cloned().collect())
}
