//! The catalogue: what the brand sells, and each sold thing at its customer's.

mod assets;
mod products;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().merge(products::router()).merge(assets::router())
}
