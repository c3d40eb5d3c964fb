//! The REST API: who may ask, what they may ask for, and how the answer is worded.

#![expect(
    unused_qualifications,
    reason = "utoipa's macros qualify the names of parameters, and blame our line for it"
)]

pub mod access;
mod allowances;
mod audit;
mod calendars;
mod cancellations;
mod catalogue;
mod clocks;
mod complaint_messages;
mod complaint_publications;
mod complaint_reports;
mod complaints;
mod contract;
mod corrective;
mod customer_events;
mod customers;
mod days;
mod deprecation;
mod expand;
mod files;
mod filing;
mod findings;
mod followups;
pub mod identity;
mod imports;
mod inventory;
mod jobs;
mod links;
pub mod list;
mod maintenance;
pub mod metrics;
pub mod openapi;
mod operations;
mod orders;
mod pages;
mod patch;
pub mod problem;
mod pushes;
mod reading;
pub mod request;
mod resolution_log;
mod returns;
mod sandbox;
pub mod service;
mod settle;
mod sops;
mod surveys;
mod tenancy;
mod work;

use access::Api;
use axum::{Extension, Router, middleware};
use contract::Contract;
use identity::Desk;
use operations::Streams;
use std::sync::Arc;
use store::Store;
use tokio::sync::watch;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

/// All routes, with their description.
fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::Contract::openapi())
        .merge(service::router())
        .merge(identity::platform_router())
        .merge(sops::public_router())
        .nest("/v1", v1())
}

/// The capabilities.
fn v1() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(audit::router())
        .merge(work::router())
        .merge(jobs::router())
        .merge(tenancy::router())
        .merge(calendars::router())
        .merge(identity::router())
        .merge(customers::router())
        .merge(customer_events::router())
        .merge(catalogue::router())
        .merge(orders::router())
        .merge(imports::router())
        .merge(operations::router())
        .merge(sandbox::router())
        .merge(sops::router())
        .merge(complaints::router())
        .merge(complaint_reports::router())
        .merge(filing::router())
        .merge(complaint_messages::router())
        .merge(complaint_publications::router())
        .merge(resolution_log::router())
        .merge(clocks::router())
        .merge(returns::router())
        .merge(corrective::router())
        .merge(cancellations::router())
        .merge(surveys::router())
        .merge(followups::router())
        .merge(findings::router())
        .merge(allowances::router())
        .merge(maintenance::router())
        .merge(inventory::router())
}

/// The OpenAPI document of everything that is served, made from the routes. What is served is the copy of it
/// that is committed: making it takes more memory than all the rest of the service.
pub fn document() -> serde_json::Value {
    openapi::complete(routes().into_openapi())
}

/// The service, ready to listen; callers say at `desk` who they are, and answers that go on for long end when
/// `stop` turns true.
///
/// # Errors
///
/// When the published document is not one.
pub fn service(
    store: Store,
    desk: Desk,
    stop: watch::Receiver<bool>,
) -> Result<Router, serde_json::Error> {
    let desk = Arc::new(desk);
    let chance = store.chance().clone();
    let contract = Arc::new(Contract::of(openapi::PUBLISHED)?);
    let api = Api::new(store, desk.secret().clone());
    // In groups, because each that is put on by itself is copied with all below it for every request; and in
    // more than one, because within a group each takes its part of the stack.
    let operation = ServiceBuilder::new()
        .layer(middleware::from_fn(metrics::observe))
        .layer(middleware::from_fn_with_state(contract, contract::hold));
    let request = ServiceBuilder::new()
        .layer(Extension(Streams::until(stop)))
        .layer(Extension(Arc::clone(&desk)))
        .layer(middleware::from_fn_with_state(desk, identity::enter))
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(middleware::from_fn(request::bound))
        .layer(middleware::from_fn(request::receive));
    let answer = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(chance, request::identify))
        .layer(middleware::from_fn(request::protect))
        .layer(middleware::from_fn(problem::render))
        .layer(middleware::from_fn(settle::settle));
    let service = Router::from(routes())
        .merge(service::pages())
        .merge(pages::router())
        .route_layer(operation)
        .layer(request)
        .layer(answer)
        .with_state(api);
    Ok(service)
}

/// What the operator may ask, on an address of its own: health and metrics.
pub fn admin(store: Store) -> Router {
    service::admin(store)
}
