//! `/v1/sop-coverage`: at which moments a procedure is in force, and at which nothing says what to do.

use crate::{
    access::{Access, Api, may},
    problem::Problem,
};
use domain::sops::SopCoverage;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show_sop_coverage))
}

/// Shows which moments are covered
///
/// Department by department, at which moments of the customer's a procedure is in force, at which one is only
/// being written or reviewed, and at which there is nothing; `gaps` are those where none is in force. Expected
/// are the moments that the brand's procedures name, and those that nearly every brand has: in `sales`
/// `consultation`, `quotation` and `order_confirmation`; in `delivery` `delivery_appointment`, `handover` and
/// `after_delivery_call`; in `customer_service` `inquiry`, `complaint` and `care_call`; in `after_sales`
/// `annual_visit`, `repair` and `follow_up_call`.
#[utoipa::path(
    get, path = "/sop-coverage", tag = "sops",
    operation_id = "show_sop_coverage",
    responses((status = 200, description = "What is covered.", body = SopCoverage)),
    security(("oauth" = ["sops:read"])),
)]
async fn show_sop_coverage(
    access: Access<may::SopsRead>,
) -> Result<axum::Json<SopCoverage>, Problem> {
    let reading = access.read().await?;
    let sops = reading.covering_sops().await?;
    Ok(axum::Json(SopCoverage::of(&sops)))
}
