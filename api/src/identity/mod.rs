//! Who calls: people, keys and tokens, from the header to the caller.

mod api_keys;
mod desk;
mod entrance;
mod fresh;
mod issuers;
mod jwt;
mod key_sets;
mod keyring;
mod limits;
mod me;
mod oauth;
mod staff;
mod tokens;

pub use desk::{Closed, Desk, Setup};
pub(crate) use entrance::Shown;
pub use entrance::{TENANT, enter};
pub use limits::{Bucket, RateGate, RateLimits, RateQuota, RateVerdict, SharedPlace};

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this capability.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(api_keys::router())
        .merge(issuers::router())
        .merge(me::router())
        .merge(staff::router())
        .merge(tokens::router())
}

/// The routes of this capability outside `/v1`.
pub(crate) fn platform_router() -> OpenApiRouter<Api> {
    oauth::router()
}
