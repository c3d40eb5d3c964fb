//! The brand itself, its dealers and their sites.

mod brand;
mod dealers;
mod sites;
mod teams;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this capability.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(brand::router())
        .merge(dealers::router())
        .merge(sites::router())
        .merge(teams::router())
}
