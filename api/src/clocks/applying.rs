//! `/v1/complaints/{id}/apply-policy`: what is promised now, for a complaint that is here already.

use crate::{
    access::{Access, Api, Outcome, may},
    request::Id,
};
use domain::{complaints::Complaint, ids::ComplaintId};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(apply_sla_policy))
}

/// Applies the policy of today
///
/// A complaint keeps the version of the policy that was picked when it arrived, whatever is published later. This picks
/// anew, as for a complaint that arrives now with its present kind, severity, dealer and tier of the customer. What is
/// still owed is counted by the new targets from the beginning of the complaint on, without the pauses there were; what
/// was missed stays missed, and what is done stays as it is. A metric that the new version does not have is cancelled,
/// and for one that is new a clock begins with the complaint. Where the version in force counts already, nothing
/// changes. No policy that is for the complaint: `no_sla_policy_applies`.
#[utoipa::path(
    post, path = "/complaints/{id}/apply-policy", tag = "clocks",
    operation_id = "apply_sla_policy",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "The complaint as it is now.", body = Complaint, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn apply_sla_policy(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let complaint = work.apply_sla_policy(complaint).await?;
    work.changed(complaint).await
}
