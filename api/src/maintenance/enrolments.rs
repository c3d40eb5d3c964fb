//! `/v1/enrolments`: which asset is in which plan.

use crate::{
    access::{Access, Api, Outcome, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    catalogue::Asset,
    ids::{AssetId, CustomerId, DealerId, EnrolmentId, PlanTemplateId},
    maintenance::{
        enrolments::{Enrolment, EnrolmentState, already_enrolled},
        occurrences::Occurrence,
        plans::PlanTemplate,
    },
    text::Code,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::maintenance::{self, EnrolmentFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_enrolments, enrol_asset))
        .routes(routes!(get_enrolment))
        .routes(routes!(suspend_enrolment))
        .routes(routes!(resume_enrolment))
        .routes(routes!(cancel_enrolment))
}

/// Which enrolments are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EnrolmentFilters {
    /// Those of one asset.
    asset_id: Option<AssetId>,
    /// Those of one customer.
    customer_id: Option<CustomerId>,
    /// Those of one dealer.
    dealer_id: Option<DealerId>,
    /// Those in one plan, whatever its version.
    #[param(example = "purifier-care")]
    plan_code: Option<Code>,
    /// Those in one state.
    state: Option<EnrolmentState>,
    /// Those with `next_due_on` on this day or later.
    #[param(example = "2026-12-01")]
    due_after: Option<CivilDate>,
    /// Those with `next_due_on` before this day.
    #[param(example = "2027-01-01")]
    due_before: Option<CivilDate>,
}

/// What is to enter which plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "plan_template_id": "pla_01m80t7jx3e9vbq2f4c6d8g0hk",
    "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk",
})))]
struct NewEnrolment {
    /// The published version of the plan.
    plan_template_id: PlanTemplateId,
    /// The asset; it must have been delivered.
    asset_id: AssetId,
}

/// Lists enrolments
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/enrolments", tag = "plans",
    operation_id = "list_enrolments",
    params(EnrolmentFilters, Paging<Enrolment>, Expanding<Enrolment>),
    responses((status = 200, description = "A page of enrolments.", body = ListOf<Enrolment>)),
    security(("oauth" = ["plans:read"])),
)]
async fn list_enrolments(
    access: Access<may::PlansRead>,
    list: List<Enrolment, EnrolmentFilters>,
    expand: Expand<Enrolment>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let filter = EnrolmentFilter {
        asset_id: filters.asset_id,
        customer_id: filters.customer_id,
        dealer_id: filters.dealer_id,
        plan_code: filters.plan_code.clone(),
        state: filters.state,
        due_after: filters.due_after,
        due_before: filters.due_before,
    };
    list.answer_with(&reading, &expand, maintenance::enrolments(&filter)).await
}

/// Enrols an asset in a plan
///
/// Assets enter the plans of their product by themselves when they are delivered or paid; this is for
/// plans without a product, and for assets that came before their plan. Dates that had passed by then are
/// made up for as the plan's tasks say. An asset is in a plan once.
#[utoipa::path(
    post, path = "/enrolments", tag = "plans",
    operation_id = "enrol_asset",
    request_body(content = NewEnrolment, description = "The asset and the plan."),
    responses((
        status = 201, description = "The enrolment.", body = Enrolment,
        headers(
            ("Location" = String, description = "Where the enrolment is."),
            ("ETag" = String, description = "The version of the record."),
        ),
    )),
    security(("oauth" = ["enrolments:write"])),
)]
async fn enrol_asset(
    access: Access<may::EnrolmentsWrite>,
    Json(new): Json<NewEnrolment>,
) -> Outcome {
    let work = access.write().await?;
    let plan: PlanTemplate = referred(work.get(new.plan_template_id).await, "/plan_template_id")?;
    // Held, so that two requests for one asset wait for each other.
    let asset: Asset = referred(work.hold(new.asset_id).await, "/asset_id")?;
    let in_plan = maintenance::in_plan(&plan.details.code, asset.id);
    if let Some(existing) = work.find::<Enrolment>(in_plan).await? {
        return Err(already_enrolled(&existing).into());
    }
    let care = work.care_of(&asset).await?;
    let today = work.now().date_in(care.zone);

    let enrolment =
        Enrolment::begin(work.new_id(), &plan, &care.enrollee(&asset), today, work.now())?;

    let enrolment = work.record(enrolment).await?;
    work.created("/v1/enrolments", enrolment).await
}

/// Shows an enrolment
///
/// Its dates are at `/v1/occurrences?enrolment_id=`.
#[utoipa::path(
    get, path = "/enrolments/{id}", tag = "plans",
    operation_id = "get_enrolment",
    params(("id" = EnrolmentId, Path, description = "The enrolment."), Expanding<Enrolment>),
    responses((
        status = 200, description = "The enrolment.", body = Enrolment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["plans:read"])),
)]
async fn get_enrolment(
    access: Access<may::PlansRead>,
    Id(id): Id<EnrolmentId>,
    expand: Expand<Enrolment>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Lets a plan rest
///
/// Dates that come while it rests are skipped. Visits that were arranged already stay.
#[utoipa::path(
    post, path = "/enrolments/{id}/suspend", tag = "plans",
    operation_id = "suspend_enrolment",
    params(("id" = EnrolmentId, Path, description = "The enrolment.")),
    responses((
        status = 200, description = "The enrolment, at rest.", body = Enrolment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["enrolments:write"])),
)]
async fn suspend_enrolment(
    access: Access<may::EnrolmentsWrite>,
    Id(id): Id<EnrolmentId>,
) -> Outcome {
    let work = access.write().await?;
    let enrolment: Enrolment = work.hold(id).await?;
    let enrolment = work.record(enrolment.suspend()?).await?;
    work.changed(enrolment).await
}

/// Goes on with a plan that rested
///
/// From today; what came meanwhile is not made up for.
#[utoipa::path(
    post, path = "/enrolments/{id}/resume", tag = "plans",
    operation_id = "resume_enrolment",
    params(("id" = EnrolmentId, Path, description = "The enrolment.")),
    responses((
        status = 200, description = "The enrolment, active again.", body = Enrolment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["enrolments:write"])),
)]
async fn resume_enrolment(
    access: Access<may::EnrolmentsWrite>,
    Id(id): Id<EnrolmentId>,
) -> Outcome {
    let work = access.write().await?;
    let enrolment: Enrolment = work.hold(id).await?;
    let plan: PlanTemplate = work.get(enrolment.plan_template_id).await?;
    let asset: Asset = work.get(enrolment.asset_id).await?;
    let today = work.now().date_in(work.care_of(&asset).await?.zone);

    let resumed = enrolment.resume(&plan, today)?;

    let enrolment = work.record(resumed).await?;
    work.changed(enrolment).await
}

/// Ends a plan for an asset
///
/// Its dates to come are cancelled. Visits that were arranged already stay: cancel them one by one. The
/// asset does not enter this plan by itself again.
#[utoipa::path(
    post, path = "/enrolments/{id}/cancel", tag = "plans",
    operation_id = "cancel_enrolment",
    params(("id" = EnrolmentId, Path, description = "The enrolment.")),
    responses((
        status = 200, description = "The enrolment, ended.", body = Enrolment,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["enrolments:write"])),
)]
async fn cancel_enrolment(
    access: Access<may::EnrolmentsWrite>,
    Id(id): Id<EnrolmentId>,
) -> Outcome {
    let work = access.write().await?;
    let enrolment: Enrolment = work.hold(id).await?;
    let planned: Vec<Occurrence> = work.hold_all(maintenance::planned_of(id)).await?;

    let ended = enrolment.cancel()?;

    for occurrence in planned {
        work.record(occurrence.cancel()?).await?;
    }
    let enrolment = work.record(ended).await?;
    work.changed(enrolment).await
}
