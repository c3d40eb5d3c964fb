//! `/v1/sla-policies` and `/v1/sla-clocks`: what is promised to those who complain, and what has come of it.

mod applying;
mod policies;
mod readings;
mod versions;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(applying::router())
        .merge(policies::router())
        .merge(versions::router())
        .merge(readings::router())
}
