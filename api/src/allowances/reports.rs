//! `/v1/reports/…` about allowances: what is owed to customers, what they did not get, what was given, and whether the books
//! balance.

use crate::{
    access::{Access, Api, may},
    days::Days,
    list::Parameters,
    problem::Problem,
    request::Id,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    allowances::{
        reconciliation::AccountCount,
        reports::{BreakageRow, LiabilityRow, OrderFunding, SpendBy, SpendRow},
    },
    ids::{DealerId, OrderId},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Accounts that are counted over in one statement, each of one instant.
const COUNTED_AT_ONCE: u64 = 1_000;

/// Statements of one request: some seconds' work.
const MOST_ROUNDS: usize = 20;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(report_liability))
        .routes(routes!(report_breakage))
        .routes(routes!(report_spend))
        .routes(routes!(report_reconciliation))
        .routes(routes!(show_order_funding))
}

/// Whose report it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfDealer {
    /// Only this dealer's.
    dealer_id: Option<DealerId>,
}

/// Whose report it is, and of which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfPeriod {
    /// Only this dealer's.
    dealer_id: Option<DealerId>,
    /// The first day, in the brand's time zone; the first of the current month when absent.
    from_on: Option<CivilDate>,
    /// The last day; today when absent.
    to_on: Option<CivilDate>,
}

/// What is told apart, whose report it is, and of which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfSpend {
    /// By what it is told apart; by the role of who asked when absent.
    by: Option<SpendBy>,
    /// Only this dealer's.
    dealer_id: Option<DealerId>,
    /// The first day, in the brand's time zone; the first of the current month when absent.
    from_on: Option<CivilDate>,
    /// The last day; today when absent.
    to_on: Option<CivilDate>,
}

/// What is owed to customers.
#[derive(Debug, Serialize, ToSchema)]
struct LiabilityReport {
    /// By dealer and currency.
    rows: Vec<LiabilityRow>,
}

/// What customers did not get in time.
#[derive(Debug, Serialize, ToSchema)]
struct BreakageReport {
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// By dealer and currency.
    rows: Vec<BreakageRow>,
}

/// What was given.
#[derive(Debug, Serialize, ToSchema)]
struct SpendReport {
    /// By what it is told apart.
    by: SpendBy,
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// One row for each, and each currency.
    rows: Vec<SpendRow>,
}

/// Whether the books balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"counted": 120, "unbalanced": [], "is_complete": true})))]
struct ReconciliationReport {
    /// How many accounts were counted over.
    counted: usize,
    /// Those whose lines and lots do not add up to them: never any, unless something is broken.
    unbalanced: Vec<AccountCount>,
    /// Whether all were counted: one request counts up to 20 000, the night's job every one.
    is_complete: bool,
}

/// Reports what is owed to customers
///
/// What is set aside and not spent, by dealer and currency, at this moment.
#[utoipa::path(
    get, path = "/reports/allowance-liability", tag = "allowances",
    operation_id = "report_allowance_liability",
    params(OfDealer),
    responses((status = 200, description = "The report.", body = LiabilityReport)),
    security(("oauth" = ["allowances:read"])),
)]
async fn report_liability(
    access: Access<may::AllowancesRead>,
    Parameters(of): Parameters<OfDealer>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let rows = reading.liability(of.dealer_id).await?;
    Ok(axum::Json(LiabilityReport { rows }).into_response())
}

/// Reports what customers did not get in time
///
/// What has expired on days of the brand's time zone, by dealer and currency.
#[utoipa::path(
    get, path = "/reports/allowance-breakage", tag = "allowances",
    operation_id = "report_allowance_breakage",
    params(OfPeriod),
    responses((status = 200, description = "The report.", body = BreakageReport)),
    security(("oauth" = ["allowances:read"])),
)]
async fn report_breakage(
    access: Access<may::AllowancesRead>,
    Parameters(of): Parameters<OfPeriod>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let days = Days::of(&reading, of.from_on, of.to_on, this_month).await?;
    let rows = reading.breakage(of.dealer_id, &days.span).await?;
    let Days { from_on, to_on, span: _ } = days;
    Ok(axum::Json(BreakageReport { from_on, to_on, rows }).into_response())
}

/// Reports what was given
///
/// What gestures that were carried out on days of the brand's time zone have cost, told apart by the role of who asked
/// for them, by dealer, by kind or by interest. What was reversed does not count.
#[utoipa::path(
    get, path = "/reports/gesture-spend", tag = "gestures",
    operation_id = "report_gesture_spend",
    params(OfSpend),
    responses((status = 200, description = "The report.", body = SpendReport)),
    security(("oauth" = ["allowances:read"])),
)]
async fn report_spend(
    access: Access<may::AllowancesRead>,
    Parameters(of): Parameters<OfSpend>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let days = Days::of(&reading, of.from_on, of.to_on, this_month).await?;
    let by = of.by.unwrap_or_default();
    let rows = reading.spend(by, of.dealer_id, &days.span).await?;
    let Days { from_on, to_on, span: _ } = days;
    Ok(axum::Json(SpendReport { by, from_on, to_on, rows }).into_response())
}

/// Counts the accounts over
///
/// Each account beside what its lines and lots add up to, up to 20 000 of them. The same is done every night for all of
/// them, and what does not add up is in the account's timeline.
#[utoipa::path(
    get, path = "/reports/allowance-reconciliation", tag = "allowances",
    operation_id = "report_allowance_reconciliation",
    responses((status = 200, description = "The report.", body = ReconciliationReport)),
    security(("oauth" = ["allowances:read"])),
)]
async fn report_reconciliation(access: Access<may::AllowancesRead>) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let mut report =
        ReconciliationReport { counted: 0, unbalanced: Vec::new(), is_complete: false };
    let mut last = None;
    for _ in 0..MOST_ROUNDS {
        let counts = reading.counts(last, COUNTED_AT_ONCE).await?;
        report.counted = report.counted.saturating_add(counts.len());
        last = counts.last().map(|count| count.account_id);
        report.unbalanced.extend(counts.into_iter().filter(|count| !count.is_balanced()));
        if last.is_none() {
            report.is_complete = true;
            break;
        }
    }
    Ok(axum::Json(report).into_response())
}

/// Shows what an order has earned for service
///
/// The margin that funded it, what is left, and which gestures were paid from it.
#[utoipa::path(
    get, path = "/orders/{id}/allowance", tag = "allowances",
    operation_id = "show_order_allowance",
    params(("id" = OrderId, Path, description = "The order.")),
    responses((status = 200, description = "What it has earned.", body = OrderFunding)),
    security(("oauth" = ["allowances:read"])),
)]
async fn show_order_funding(
    access: Access<may::AllowancesRead>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let order = reading.get(id).await?;
    let sale = reading.with_lines(order).await?;
    Ok(axum::Json(reading.funding(&sale).await?).into_response())
}

/// The days of the current month, when the caller names none.
fn this_month(today: CivilDate, _: CivilDate) -> CivilDate {
    today.first_of_month()
}
