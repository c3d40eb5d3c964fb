//! `/v1/allowance-budgets`: what a team, a dealer or the brand spends on gestures at most.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::{self, Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    allowances::budgets::{
        AllowanceBudget, AllowanceBudgetEntry, AllowanceBudgetRequest, BudgetTransfer,
    },
    ids::{AllowanceBudgetId, DealerId, TeamId},
    tenancy::{Dealer, Team},
};
use serde::Deserialize;
use store::allowances::WantedBudgets;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_budgets, open_budget))
        .routes(routes!(get_budget))
        .routes(routes!(list_budget_entries))
        .routes(routes!(fund_budget))
        .routes(routes!(withdraw_budget))
}

/// Which budgets are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BudgetFilters {
    /// Only the budgets of this dealer and its teams.
    dealer_id: Option<DealerId>,
    /// Only the budget of this team.
    team_id: Option<TeamId>,
}

/// Lists budgets
///
/// The oldest comes first. A dealer's people see those of their dealer, and the brand's, which is above theirs.
#[utoipa::path(
    get, path = "/allowance-budgets", tag = "allowances",
    operation_id = "list_allowance_budgets",
    params(BudgetFilters, Paging<AllowanceBudget>),
    responses((status = 200, description = "A page of budgets.", body = ListOf<AllowanceBudget>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_budgets(
    access: Access<may::AllowancesRead>,
    list: List<AllowanceBudget, BudgetFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let BudgetFilters { dealer_id, team_id } = list.filters;
    let select = store::allowances::budgets(WantedBudgets { dealer_id, team_id });
    list.answer(&reading, select).await
}

/// Sets up a budget
///
/// Empty, and from this moment on every gesture that falls under it needs its money, too: gestures are parked until it is
/// funded. There is one for each team, dealer or the brand, and currency; a second one is refused (`already_exists`).
#[utoipa::path(
    post, path = "/allowance-budgets", tag = "allowances",
    operation_id = "open_allowance_budget",
    request_body(
        content = AllowanceBudgetRequest, description = "Whose budget it is.",
        example = json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY"}),
    ),
    responses((status = 201, description = "The budget.", body = AllowanceBudget, headers(
        ("Location" = String, description = "Where the budget is found."),
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn open_budget(
    access: Access<may::AllowancesWrite>,
    Json(request): Json<AllowanceBudgetRequest>,
) -> Outcome {
    let work = access.write().await?;
    let mut dealer_id = request.dealer_id;
    if let Some(dealer) = dealer_id {
        referred(work.get::<Dealer>(dealer).await, "/dealer_id")?;
    }
    if let Some(team) = request.team_id {
        let team: Team = referred(work.get(team).await, "/team_id")?;
        team.expect_of(dealer_id)?;
        dealer_id = Some(team.dealer_id);
    }
    let change = AllowanceBudget::open(work.new_id(), request, dealer_id, work.now());
    let budget = work.record(change).await?;
    work.created("/v1/allowance-budgets", budget).await
}

/// Reads a budget
///
/// What is available may still be promised to gestures.
#[utoipa::path(
    get, path = "/allowance-budgets/{id}", tag = "allowances",
    operation_id = "get_allowance_budget",
    params(("id" = AllowanceBudgetId, Path, description = "The budget.")),
    responses((status = 200, description = "The budget.", body = AllowanceBudget, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:read"])),
)]
async fn get_budget(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowanceBudgetId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let budget: AllowanceBudget = reading.get(id).await?;
    Ok(reading.show(&budget))
}

/// Lists the lines of a budget
///
/// The newest comes first. The changes of the balance add up to the balance, those of the held part to the held part. A
/// dealer's people see the lines of their dealer's budgets; those of the brand's are the brand's.
#[utoipa::path(
    get, path = "/allowance-budgets/{id}/entries", tag = "allowances",
    operation_id = "list_allowance_budget_entries",
    params(("id" = AllowanceBudgetId, Path, description = "The budget."), Paging<AllowanceBudgetEntry>),
    responses((status = 200, description = "A page of lines.", body = ListOf<AllowanceBudgetEntry>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_budget_entries(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowanceBudgetId>,
    list: List<AllowanceBudgetEntry>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let budget: AllowanceBudget = reading.get(id).await?;
    // The lines of the brand's budget tell of every dealer's gestures.
    if reading.reach().dealer.is_some() && budget.dealer_id.is_none() {
        return Err(Problem::new(&problem::NOT_FOUND));
    }
    list.answer(&reading, store::allowances::entries_of_budget(budget.id)).await
}

/// Puts money into a budget
///
/// Gestures that are parked for it go on by themselves, those that were asked for first before the others.
#[utoipa::path(
    post, path = "/allowance-budgets/{id}/fund", tag = "allowances",
    operation_id = "fund_allowance_budget",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = AllowanceBudgetId, Path, description = "The budget.")),
    request_body(
        content = BudgetTransfer, description = "How much, and why.",
        example = json!({"amount_minor": 500_000, "reason": "December"}),
    ),
    responses((status = 200, description = "The budget as it is now.", body = AllowanceBudget, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn fund_budget(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<AllowanceBudgetId>,
    Json(transfer): Json<BudgetTransfer>,
) -> Outcome {
    let work = access.write_once().await?;
    let budget: AllowanceBudget = work.hold(id).await?;
    let posting = budget.fund(transfer, work.new_id())?;
    let budget = work.post_budget(posting).await?;
    work.changed(budget).await
}

/// Takes money out of a budget
///
/// What is promised to gestures stays.
#[utoipa::path(
    post, path = "/allowance-budgets/{id}/withdraw", tag = "allowances",
    operation_id = "withdraw_allowance_budget",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = AllowanceBudgetId, Path, description = "The budget.")),
    request_body(
        content = BudgetTransfer, description = "How much, and why.",
        example = json!({"amount_minor": 100_000, "reason": "Unused in December"}),
    ),
    responses((status = 200, description = "The budget as it is now.", body = AllowanceBudget, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:write"])),
)]
async fn withdraw_budget(
    access: Access<may::AllowancesWrite>,
    Id(id): Id<AllowanceBudgetId>,
    Json(transfer): Json<BudgetTransfer>,
) -> Outcome {
    let work = access.write_once().await?;
    let budget: AllowanceBudget = work.hold(id).await?;
    let posting = budget.withdraw(transfer, work.new_id())?;
    let budget = work.post_budget(posting).await?;
    work.changed(budget).await
}
