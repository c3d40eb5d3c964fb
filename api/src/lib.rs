//! The REST API: who may ask, what they may ask for, and how the answer is worded.

#![expect(
    unused_qualifications,
    reason = "utoipa's macros qualify the names of parameters, and blame our line for it"
)]

pub mod access;
mod audit;
pub mod identity;
pub mod list;
pub mod openapi;
mod patch;
pub mod problem;
pub mod request;
mod tenancy;

use access::Api;
use axum::{Router, middleware};
use store::Store;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

/// All routes, with their description.
fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::Contract::openapi()).nest(
        "/v1",
        OpenApiRouter::new()
            .merge(audit::router())
            .merge(tenancy::router())
            .merge(identity::router()),
    )
}

/// The OpenAPI document of everything that is served.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = routes().into_openapi();
    openapi::complete(&mut document);
    document
}

/// The service, ready to listen.
pub fn service(store: Store) -> Router {
    let chance = store.chance().clone();
    let (router, _) = routes().split_for_parts();
    router
        .layer(middleware::from_fn(request::receive))
        .layer(middleware::from_fn(request::bound))
        .layer(middleware::from_fn(problem::render))
        .layer(middleware::from_fn_with_state(chance, request::identify))
        .with_state(Api::new(store))
}
