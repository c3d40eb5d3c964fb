//! `/v1/brand`: the brand whose credentials call.

use crate::{
    access::{Access, Api, Outcome, may},
    patch::patches,
    problem::Problem,
    request::MergePatch,
};
use axum::response::Response;
use domain::tenancy::{Brand, BrandDetails};
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(BrandPatch of BrandDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show_brand, change_brand))
}

/// Shows the brand
///
/// The brand whose credentials call; with a key of the sandbox, its sandbox twin.
#[utoipa::path(
    get, path = "/brand", tag = "brand",
    operation_id = "show_brand",
    responses((status = 200, description = "The brand.", body = Brand,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["tenant:read"])),
)]
async fn show_brand(access: Access<may::TenantRead>) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let brand = reading.brand().await?;
    Ok(reading.show(&brand))
}

/// Changes the brand
///
/// Its name, time zone, language and the origins of its front ends. The brand and its sandbox are changed
/// one by one; a new list of origins acts within a minute.
#[utoipa::path(
    patch, path = "/brand", tag = "brand",
    operation_id = "change_brand",
    request_body(content = BrandPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({"cors_origins": ["https://app.clearwater.example"]})),
    responses((status = 200, description = "The brand as it is now.", body = Brand,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")))),
    security(("oauth" = ["tenant:write"])),
)]
async fn change_brand(access: Access<may::TenantWrite>, patch: MergePatch) -> Outcome {
    let work = access.write().await?;
    let brand = work.hold_brand().await?;
    work.expect_current(&brand)?;

    let details = patch.apply(&brand.details)?;
    let change = brand.change(details)?;

    let brand = work.record_brand(change).await?;
    work.changed(brand).await
}
