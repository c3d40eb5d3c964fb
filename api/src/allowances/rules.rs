//! `/v1/gesture-rules`: what the brand says about gestures, whoever grants them.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    allowances::guard::{GestureRules, GestureRulesDetails},
    ids::GestureRulesId,
    money::Currency,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(GestureRulesPatch of GestureRulesDetails);

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_rules, set_rules))
        .routes(routes!(get_rules, amend_rules))
}

/// Which rules are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RulesFilters {
    /// Only the rules for this currency.
    currency: Option<Currency>,
}

/// Lists rules for gestures
///
/// There is one set for each currency; the oldest comes first. Without one, gifts may weigh what the allowance pays for.
#[utoipa::path(
    get, path = "/gesture-rules", tag = "allowances",
    operation_id = "list_gesture_rules",
    params(RulesFilters, Paging<GestureRules>),
    responses((status = 200, description = "A page of rules.", body = ListOf<GestureRules>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_rules(
    access: Access<may::AllowancesRead>,
    list: List<GestureRules, RulesFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::allowances::gesture_rules(list.filters.currency);
    list.answer(&reading, select).await
}

/// Sets rules for gestures
///
/// How heavy a gift may be, by itself and beside what is set aside for the customer, how many there may be in a year, and
/// how much more than its estimate a gesture may cost. There is one set for each currency; a second one is refused
/// (`already_exists`).
#[utoipa::path(
    post, path = "/gesture-rules", tag = "allowances",
    operation_id = "set_gesture_rules",
    request_body(
        content = GestureRulesDetails, description = "What the rules say.",
        example = json!({"currency": "CNY", "most_gift_minor": 5000, "most_gift_share_bp": 5000,
            "small_gift_minor": 2000, "gifts_per_customer_year": 12, "tolerance_bp": 1000}),
    ),
    responses((status = 201, description = "The rules.", body = GestureRules, headers(
        ("Location" = String, description = "Where the rules are found."),
        ("ETag" = String, description = "Their version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn set_rules(
    access: Access<may::AllowancesWrite>,
    Json(details): Json<GestureRulesDetails>,
) -> Outcome {
    let work = access.write().await?;
    let change = GestureRules::set(work.new_id(), details, work.now());
    let rules = work.record(change).await?;
    work.created("/v1/gesture-rules", rules).await
}

/// Reads rules for gestures
///
/// They hold for every rank: nobody's authority lifts them.
#[utoipa::path(
    get, path = "/gesture-rules/{id}", tag = "allowances",
    operation_id = "get_gesture_rules",
    params(("id" = GestureRulesId, Path, description = "The rules.")),
    responses((status = 200, description = "The rules.", body = GestureRules, headers(
        ("ETag" = String, description = "Their version.")))),
    security(("oauth" = ["allowances:read"])),
)]
async fn get_rules(
    access: Access<may::AllowancesRead>,
    Id(id): Id<GestureRulesId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let rules: GestureRules = reading.get(id).await?;
    Ok(reading.show(&rules))
}

/// Changes rules for gestures
///
/// They count for every gesture that is asked for or paid from now on; what was approved stays approved.
#[utoipa::path(
    patch, path = "/gesture-rules/{id}", tag = "allowances",
    operation_id = "amend_gesture_rules",
    params(("id" = GestureRulesId, Path, description = "The rules.")),
    request_body(
        content = GestureRulesPatch, content_type = "application/merge-patch+json",
        description = "The fields that change; `null` takes a value away.",
        example = json!({"most_gift_minor": 8000}),
    ),
    responses((status = 200, description = "The rules as they are now.", body = GestureRules, headers(
        ("ETag" = String, description = "Their version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn amend_rules(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<GestureRulesId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let rules: GestureRules = work.hold(id).await?;
    work.expect_current(&rules)?;
    let details = patch.apply(&rules.details)?;
    let rules = work.record(rules.amend(details)).await?;
    work.changed(rules).await
}
