//! Who calls: people, keys and tokens, from the header to the caller.

mod jwt;
mod key_sets;
mod limits;
mod staff;

pub use limits::{Bucket, RateGate, RateLimits, RateQuota, RateVerdict};

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this capability.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().merge(staff::router())
}
