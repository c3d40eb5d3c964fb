//! `/v1/conditions/try`: what a condition would answer, before and after it is saved.

use crate::{
    access::{Access, Api, may},
    problem::Problem,
    request::{Id, Json},
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    conditions::{Condition, ConditionFacts, ConditionTrial},
    ids::ServiceItemId,
    inventory::ServiceItem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(try_condition))
        .routes(routes!(try_service_item_eligibility))
}

/// A condition that is tried out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "condition": "customer.tier == \"gold\" && weather.temp_c10 > 300",
    "facts": {"customer": {"tier": "gold"}},
})))]
struct ConditionTry {
    /// The condition.
    condition: Condition,
    /// What is known.
    #[serde(default)]
    facts: ConditionFacts,
}

/// Facts for which a service item is tried out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"facts": {"customer": {"tier": "gold"}, "weather": {"temp_c10": 315}}})))]
struct EligibilityTry {
    /// What is known.
    #[serde(default)]
    facts: ConditionFacts,
}

/// Tries a condition out
///
/// Reads the condition as saving it would, and answers what it comes to with these facts. Nothing is saved. A
/// condition that would not be saved is refused with the same words.
#[utoipa::path(
    post, path = "/conditions/try", tag = "inventory",
    operation_id = "try_condition",
    request_body(content = ConditionTry, description = "The condition, and what is known."),
    responses((status = 200, description = "What it answers.", body = ConditionTrial)),
    security(("oauth" = ["inventory:read"])),
)]
async fn try_condition(
    _access: Access<may::InventoryRead>,
    Json(tried): Json<ConditionTry>,
) -> Result<Response, Problem> {
    Ok(axum::Json(tried.condition.try_out(&tried.facts)).into_response())
}

/// Tries out for whom a service item is meant
///
/// Answers what its condition comes to with these facts, and which facts it asks for that are missing. An item
/// without a condition is meant for everybody.
#[utoipa::path(
    post, path = "/service-items/{id}/eligibility/try", tag = "inventory",
    operation_id = "try_service_item_eligibility",
    params(("id" = ServiceItemId, Path, description = "The service item.")),
    request_body(content = EligibilityTry, description = "What is known."),
    responses((status = 200, description = "What its condition answers.", body = ConditionTrial)),
    security(("oauth" = ["inventory:read"])),
)]
async fn try_service_item_eligibility(
    access: Access<may::InventoryRead>,
    Id(id): Id<ServiceItemId>,
    Json(tried): Json<EligibilityTry>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let item: ServiceItem = reading.get(id).await?;
    let condition = item.details.eligibility.as_ref();
    let trial = condition.map_or_else(ConditionTrial::of_none, |it| it.try_out(&tried.facts));
    Ok(axum::Json(trial).into_response())
}
