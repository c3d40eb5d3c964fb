//! `/v1/reports/complaints`: what complaints have come to, dealer by dealer, and what is complained about again and again.

use crate::{
    access::{Access, Api, may},
    days::{Days, lately},
    list::Parameters,
    problem::Problem,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    complaints::{
        ComplaintKind,
        reports::{ComparisonRow, ComplaintsBy, ComplaintsRow, RepeatRow},
    },
    ids::{DealerId, ProductId},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use store::complaint_reports::ReportWanted;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(report_complaints))
        .routes(routes!(compare_complaints))
        .routes(routes!(report_repeated_complaints))
}

/// What is counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReportFilters {
    /// By what complaints are told apart; by dealer when left out.
    #[param(inline)]
    by: Option<ComplaintsBy>,
    /// Those that this dealer's people answer.
    dealer_id: Option<DealerId>,
    /// Those about this.
    kind: Option<ComplaintKind>,
    /// The first day, in the brand's time zone; 30 days before the last one when left out.
    from_on: Option<CivilDate>,
    /// The last day; today when left out.
    to_on: Option<CivilDate>,
}

/// What is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComparisonFilters {
    /// Complaints about this.
    kind: Option<ComplaintKind>,
    /// Complaints about things of this product.
    product_id: Option<ProductId>,
    /// The first day, in the brand's time zone; 30 days before the last one when left out.
    from_on: Option<CivilDate>,
    /// The last day; today when left out.
    to_on: Option<CivilDate>,
}

/// What complaints have come to.
#[derive(Debug, Serialize, ToSchema)]
struct ComplaintsReport {
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// A line for each dealer or kind, or one for all; those with the most complaints first, at most 200.
    rows: Vec<ComplaintsRow>,
    /// Whether there are more: then narrow the days down, or ask by something else.
    has_more: bool,
}

/// The same complaints at different dealers.
#[derive(Debug, Serialize, ToSchema)]
struct ComplaintsComparison {
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// A line for each kind, product and dealer; what is complained about most at the front, the dealers of one kind and
    /// product behind each other; at most 200.
    rows: Vec<ComparisonRow>,
    /// Whether there are more: then name a kind or a product.
    has_more: bool,
}

/// What is complained about again and again.
#[derive(Debug, Serialize, ToSchema)]
struct RepeatsReport {
    /// The first day.
    from_on: CivilDate,
    /// The last day.
    to_on: CivilDate,
    /// A line for each kind and product, those with the most complaints first; at most 200.
    rows: Vec<RepeatRow>,
    /// Whether there are more: then name a kind or a product.
    has_more: bool,
}

/// Reports what complaints have come to
///
/// Complaints that were received on these days, by dealer, by kind or all together: how many, whether their first answers
/// came in time, how long it took until they were resolved for the first time, how many customers closed with a yes, and
/// how many were taken up again. The time is working time: as a clock of the complaint has counted it, and by the calendar
/// of the dealer where it has none. More than 20 000 resolved ones are too many for one report (`report_too_large`). A
/// dealer's people see their dealer's.
#[utoipa::path(
    get, path = "/reports/complaints", tag = "complaints",
    operation_id = "report_complaints",
    params(ReportFilters),
    responses((status = 200, description = "The report.", body = ComplaintsReport)),
    security(("oauth" = ["complaints:read"])),
)]
async fn report_complaints(
    access: Access<may::ComplaintsRead>,
    Parameters(filters): Parameters<ReportFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ReportFilters { by, dealer_id, kind, from_on, to_on } = filters;
    let Days { from_on, to_on, span } = Days::of(&reading, from_on, to_on, lately).await?;
    let wanted = ReportWanted { span, dealer_id, kind, product_id: None };
    let (rows, has_more) = reading.complaints_report(by.unwrap_or_default(), &wanted).await?;
    Ok(axum::Json(ComplaintsReport { from_on, to_on, rows, has_more }).into_response())
}

/// Compares dealers by their complaints
///
/// Complaints of the same kind about things of the same product, dealer by dealer: how many were received on these days,
/// resolved, closed with the customer's yes and taken up again, and how long the one in the middle took, beside all dealers
/// together. A dealer's people see their dealer's line.
#[utoipa::path(
    get, path = "/reports/complaints/comparison", tag = "complaints",
    operation_id = "compare_complaints",
    params(ComparisonFilters),
    responses((status = 200, description = "The comparison.", body = ComplaintsComparison)),
    security(("oauth" = ["complaints:read"])),
)]
async fn compare_complaints(
    access: Access<may::ComplaintsRead>,
    Parameters(filters): Parameters<ComparisonFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ComparisonFilters { kind, product_id, from_on, to_on } = filters;
    let Days { from_on, to_on, span } = Days::of(&reading, from_on, to_on, lately).await?;
    let wanted = ReportWanted { span, dealer_id: None, kind, product_id };
    let (rows, has_more) = reading.complaints_comparison(&wanted).await?;
    Ok(axum::Json(ComplaintsComparison { from_on, to_on, rows, has_more }).into_response())
}

/// Reports what is complained about again and again
///
/// Complaints that were received on these days, by kind, by the product of the thing they are about and by cause: how many, how many
/// of them ended with a confirmed defect, and how many things came back with the same kind of complaint. A dealer's people
/// see their dealer's.
#[utoipa::path(
    get, path = "/reports/complaints/repeats", tag = "complaints",
    operation_id = "report_repeated_complaints",
    params(ComparisonFilters),
    responses((status = 200, description = "The report.", body = RepeatsReport)),
    security(("oauth" = ["complaints:read"])),
)]
async fn report_repeated_complaints(
    access: Access<may::ComplaintsRead>,
    Parameters(filters): Parameters<ComparisonFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ComparisonFilters { kind, product_id, from_on, to_on } = filters;
    let Days { from_on, to_on, span } = Days::of(&reading, from_on, to_on, lately).await?;
    let wanted = ReportWanted { span, dealer_id: None, kind, product_id };
    let (rows, has_more) = reading.complaint_repeats(&wanted).await?;
    Ok(axum::Json(RepeatsReport { from_on, to_on, rows, has_more }).into_response())
}
