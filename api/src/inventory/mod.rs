//! The service inventory: service items, conditions, self-audits, gifts and bundles.

mod audits;
mod benchmarks;
mod bundles;
mod conditions;
mod gifts;
mod items;
mod lines;
mod suggestions;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(items::router())
        .merge(benchmarks::router())
        .merge(conditions::router())
        .merge(audits::router())
        .merge(lines::router())
        .merge(gifts::router())
        .merge(bundles::router())
        .merge(suggestions::router())
}
