//! Allowances over HTTP: how they are earned, what is set aside, who may give how much, and what is
//! given.

mod accounts;
mod gestures;
mod limits;
mod policies;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(policies::router())
        .merge(accounts::router())
        .merge(limits::router())
        .merge(gestures::router())
}
