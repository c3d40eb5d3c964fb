//! Plans and visits: what is to be done for whom, when, and by whom.

mod appointments;
mod enrolments;
mod occurrences;
mod plan_items;
mod plans;
mod work_orders;

use crate::access::Api;
use domain::text::Line;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this capability.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(plans::router())
        .merge(plan_items::router())
        .merge(enrolments::router())
        .merge(occurrences::router())
        .merge(work_orders::router())
        .merge(appointments::router())
}

/// Why something will not take place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "note": "The customer is on holiday." })))]
struct VisitNote {
    /// What the person who decides so wants to say; null when nothing.
    #[serde(default)]
    note: Option<Line>,
}
