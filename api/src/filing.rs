//! Links that customers are given: to file complaints, and to follow one.

use crate::{
    access::{Access, Api, Outcome, may},
    identity::Desk,
    request::{Id, Json},
};
use axum::{Extension, http::StatusCode};
use domain::{
    complaints::Complaint,
    customers::Customer,
    filing::{FilingLink, FilingLinkDetails},
    ids::{ComplaintId, CustomerId},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(make_filing_link)).routes(routes!(renew_complaint_link))
}

/// A link to file complaints, with its address, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "work_order_id": null, "expires_at": "2027-02-20T09:30:00Z",
    "created_at": "2026-11-22T09:30:00Z", "id": "fll_01m80t7jx3e9vbq2f4c6d8g0hk",
    "link": "https://aftercare.example.com/c/new/f3Rk0yXJm8sQvB1nT7aZpw"})))]
struct FilingLinkShown {
    /// What it is for.
    #[serde(flatten)]
    filing_link: FilingLink,
    /// The address of the page. Whoever has it can complain for the customer.
    link: String,
}

/// The address of a complaint's page, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "link": "https://aftercare.example.com/c/f3Rk0yXJm8sQvB1nT7aZpw"})))]
struct ComplaintLinkShown {
    /// The complaint.
    complaint_id: ComplaintId,
    /// The address of its page. Whoever has it reads it, and speaks for the customer.
    link: String,
}

/// Makes a link by which a customer files complaints
///
/// For messages and apps: it opens a page that needs no login and no script, in English and Chinese. It can be used
/// until it expires, and files up to 5 complaints that are open at once. The address is shown this once and not kept; an
/// `Idempotency-Key` is left aside, and whoever asks again gets another link.
#[utoipa::path(
    post, path = "/customers/{id}/complaint-link", tag = "complaints",
    operation_id = "make_filing_link",
    params(("id" = CustomerId, Path, description = "Which customer.")),
    request_body(content = FilingLinkDetails, description = "What it is for."),
    responses((status = 201, description = "The link.", body = FilingLinkShown)),
    security(("oauth" = ["complaints:write"])),
)]
async fn make_filing_link(
    access: Access<may::ComplaintsWrite>,
    Extension(desk): Extension<Arc<Desk>>,
    Id(id): Id<CustomerId>,
    Json(details): Json<FilingLinkDetails>,
) -> Outcome {
    let work = access.unkeyed().write().await?;
    let customer = work.get::<Customer>(id).await?;
    let owners = work.owners_of(&details).await?;

    let change = FilingLink::make(work.new_id(), &customer, details, &owners, work.now())?;

    let filing_link = work.record(change).await?;
    let token = work.make_link(&filing_link).await?;
    let link = format!("{}/c/new/{token}", desk.address());
    work.answer(StatusCode::CREATED, Vec::new(), &FilingLinkShown { filing_link, link }).await
}

/// Makes a new link to a complaint
///
/// For a customer who has lost theirs, or has shown it to somebody. The links that were sent before end, and later
/// messages carry the new one. The address is shown this once and not kept; an `Idempotency-Key` is left aside.
#[utoipa::path(
    post, path = "/complaints/{id}/link", tag = "complaints",
    operation_id = "renew_complaint_link",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 201, description = "The link.", body = ComplaintLinkShown)),
    security(("oauth" = ["complaints:write"])),
)]
async fn renew_complaint_link(
    access: Access<may::ComplaintsWrite>,
    Extension(desk): Extension<Arc<Desk>>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.unkeyed().write().await?;
    let complaint = work.hold::<Complaint>(id).await?;

    let token = work.renew_link(&complaint).await?;

    let link = format!("{}/c/{token}", desk.address());
    let shown = ComplaintLinkShown { complaint_id: id, link };
    work.answer(StatusCode::CREATED, Vec::new(), &shown).await
}
