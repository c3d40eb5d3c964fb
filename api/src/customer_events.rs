//! `/v1/customer-events`: what customers did where only the brand sees it.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    customer_events::{CustomerEvent, CustomerEventDetails},
    customers::Customer,
    ids::{CustomerEventId, CustomerId, DealerId},
    text::Code,
};
use serde::Deserialize;
use store::triggers::{CustomerEventsWanted, customer_event_named};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_customer_events, tell_customer_event))
        .routes(routes!(show_customer_event))
}

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustomerEventFilters {
    /// Those of this kind.
    kind: Option<Code>,
    /// Those of this customer.
    customer_id: Option<CustomerId>,
    /// Those of this dealer's customers.
    dealer_id: Option<DealerId>,
}

/// Lists what customers did
///
/// The newest comes first. Only what the brand told stands here.
#[utoipa::path(
    get, path = "/customer-events", tag = "customers",
    operation_id = "list_customer_events",
    params(CustomerEventFilters, Paging<CustomerEvent>),
    responses((status = 200, description = "A page of events.", body = ListOf<CustomerEvent>)),
    security(("oauth" = ["customers:read"])),
)]
async fn list_customer_events(
    access: Access<may::CustomersRead>,
    list: List<CustomerEvent, CustomerEventFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let CustomerEventFilters { kind, customer_id, dealer_id } = &list.filters;
    let wanted =
        CustomerEventsWanted { kind: kind.clone(), customer: *customer_id, dealer: *dealer_id };
    list.answer(&reading, store::triggers::customer_events(&wanted)).await
}

/// Tells what a customer did
///
/// A check-out, a test ride, a move: whatever happens where only the brand sees it, and procedures begin by
/// (`/v1/sop-triggers`). Told again under the same `external_id` it changes nothing, and answers 200 with what was told
/// first; another event under that name is refused.
#[utoipa::path(
    post, path = "/customer-events", tag = "customers",
    operation_id = "tell_customer_event",
    request_body(content = CustomerEventDetails, description = "What happened."),
    responses(
        (status = 201, description = "The event.", body = CustomerEvent,
            headers(
                ("Location" = String, description = "Where the event is."),
                ("ETag" = String, description = "The version of the record."),
            )),
        (status = 200, description = "It was told before.", body = CustomerEvent,
            headers(("ETag" = String, description = "The version of the record."))),
    ),
    security(("oauth" = ["customers:write"])),
)]
async fn tell_customer_event(
    access: Access<may::CustomersWrite>,
    Json(details): Json<CustomerEventDetails>,
) -> Outcome {
    let work = access.write().await?;
    if let Some(name) = &details.external_id {
        work.push_alone("customer_event", &details.source, name).await?;
        let known = work.find::<CustomerEvent>(customer_event_named(&details.source, name)).await?;
        if let Some(known) = known.filter(|known| known.details == details) {
            return work.changed(known).await;
        }
    }
    let customer: Customer = referred(work.get(details.customer_id).await, "/customer_id")?;
    let dealer = customer.details.dealer_id;
    let event =
        work.record(CustomerEvent::tell(work.new_id(), details, dealer, work.now())?).await?;
    work.created("/v1/customer-events", event).await
}

/// Shows what a customer did
///
/// As the brand told it.
#[utoipa::path(
    get, path = "/customer-events/{id}", tag = "customers",
    operation_id = "show_customer_event",
    params(("id" = CustomerEventId, Path, description = "The event.")),
    responses((
        status = 200, description = "The event.", body = CustomerEvent,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["customers:read"])),
)]
async fn show_customer_event(
    access: Access<may::CustomersRead>,
    Id(id): Id<CustomerEventId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let event: CustomerEvent = reading.get(id).await?;
    Ok(reading.show(&event))
}
