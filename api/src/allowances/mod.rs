//! Allowances over HTTP: how they are earned, what is set aside, who may give how much, and what is
//! given.

mod accounts;
mod budgets;
mod gestures;
mod limits;
mod policies;
mod reports;
mod rules;
mod shortfalls;
mod trials;

use crate::access::Api;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(policies::router())
        .merge(trials::router())
        .merge(reports::router())
        .merge(accounts::router())
        .merge(shortfalls::router())
        .merge(limits::router())
        .merge(rules::router())
        .merge(budgets::router())
        .merge(gestures::router())
}
