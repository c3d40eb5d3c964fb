//! `/v1/complaints`: what went wrong, and how it was put right.

mod course;
mod remedies;
mod verdicts;

use crate::{
    access::{Access, Api, Outcome, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::{Id, Json},
    resolution_log::{ResolutionShown, show_lines},
};
use axum::response::Response;
use domain::{
    clocks::{SlaMatter, SlaOpening},
    complaints::{Complaint, ComplaintDetails, ComplaintState, Resolution},
    ids::{ComplaintId, CustomerId, DealerId, StaffId},
    text::{Code, SpokenNumber},
    time::Timestamp,
};
use serde::Deserialize;
use store::{
    Tenant,
    complaints::{Prepared, Wanted, resolutions_of},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use verdicts::{accept, close, refuse, reopen};

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_complaints, open_complaint))
        .routes(routes!(get_complaint))
        .routes(routes!(list_resolutions))
        .merge(course::router())
        .merge(verdicts::router())
        .merge(remedies::router())
}

/// Which complaints are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComplaintFilters {
    /// Where they stand.
    state: Option<ComplaintState>,
    /// Who complained.
    customer_id: Option<CustomerId>,
    /// Whose people answer them.
    dealer_id: Option<DealerId>,
    /// The person who answers for them, in their own name or for somebody on leave.
    owner_id: Option<StaffId>,
    /// What brought them about.
    cause_code: Option<Code>,
    /// Whether somebody may be hurt.
    safety: Option<bool>,
    /// The person whom they have gone up to, because a deadline came near or passed.
    escalated_staff_id: Option<StaffId>,
    /// The number that people say on the telephone.
    #[param(example = "C-000123", min_length = 1, max_length = 40, pattern = "^[!-~]+$",
        value_type = Option<String>)]
    number: Option<SpokenNumber>,
    /// Those whose first answer is due at this instant or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    due_after: Option<Timestamp>,
    /// Those whose first answer is due before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    due_before: Option<Timestamp>,
}

/// Lists complaints
///
/// The newest comes first. All filters narrow.
#[utoipa::path(
    get, path = "/complaints", tag = "complaints",
    operation_id = "list_complaints",
    params(ComplaintFilters, Paging<Complaint>, Expanding<Complaint>),
    responses((status = 200, description = "A page of complaints.", body = ListOf<Complaint>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_complaints(
    access: Access<may::ComplaintsRead>,
    list: List<Complaint, ComplaintFilters>,
    expand: Expand<Complaint>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = list.filters.clone();
    let wanted = Wanted {
        state: filters.state,
        customer_id: filters.customer_id,
        dealer_id: filters.dealer_id,
        owner_id: filters.owner_id,
        cause_code: filters.cause_code,
        safety: filters.safety,
        escalated_staff_id: filters.escalated_staff_id,
        number: filters.number.map(String::from),
        due_after: filters.due_after,
        due_before: filters.due_before,
    };
    list.answer_with(&reading, &expand, wanted.select()).await
}

/// Opens a complaint
///
/// It gets a number, and the customer is told that it has arrived. Of the policies that apply to it the first one is
/// picked, and a clock begins for each of its targets (`GET /v1/sla-clocks`). The first answer is due when that policy
/// says, and within 24 hours where none does. When no dealer is named, the customer's answers it.
#[utoipa::path(
    post, path = "/complaints", tag = "complaints",
    operation_id = "open_complaint",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = ComplaintDetails, description = "What the customer complains about."),
    responses((status = 201, description = "The complaint.", body = Complaint, headers(
        ("Location" = String, description = "Where the complaint is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn open_complaint(
    access: Access<may::ComplaintsWrite>,
    Json(details): Json<ComplaintDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = open(&work, details).await?;
    work.created("/v1/complaints", complaint).await
}

/// Opens a complaint, whoever it came from.
pub(crate) async fn open(tenant: &Tenant, details: ComplaintDetails) -> Result<Complaint, Problem> {
    let Prepared { known, number, tier, candidates } = tenant.prepare_complaint(&details).await?;
    let details = details.connect(&known)?;
    let (picked, hours) = tenant.sla_picked(&candidates, &SlaMatter::of(&details, tier)).await?;

    let change = Complaint::receive(tenant.new_id(), number, details, known.tz, tenant.now());
    let opening = SlaOpening::of(change, picked, &hours, || tenant.new_id());

    Ok(tenant.open_complaint(opening).await?)
}

/// Shows a complaint
///
/// With what was decided in the present attempt to put it right; earlier ones are in its resolutions.
#[utoipa::path(
    get, path = "/complaints/{id}", tag = "complaints",
    operation_id = "get_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Expanding<Complaint>),
    responses((status = 200, description = "The complaint.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_complaint(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    expand: Expand<Complaint>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Lists how a complaint was resolved
///
/// Its part of the resolution log: one line for each time it was resolved, the first one first, with what the
/// customer said of it, and its seal as soon as it has one. Lines are written by the service and never change.
#[utoipa::path(
    get, path = "/complaints/{id}/resolutions", tag = "complaints",
    operation_id = "list_resolutions",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Paging<Resolution>),
    responses((status = 200, description = "A page of the log.", body = ListOf<ResolutionShown>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_resolutions(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    list: List<Resolution>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    show_lines(&list, &reading, resolutions_of(id)).await
}
