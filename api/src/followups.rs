//! `/v1/test/outbox`: what would have been sent, had it not been the sandbox.

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
};
use axum::response::Response;
use domain::{
    followups::Message,
    ids::{CustomerId, DealerId},
};
use serde::Deserialize;
use store::followups::messages;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_outbox))
}

/// Which messages are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OutboxFilters {
    /// The customer they are for.
    customer_id: Option<CustomerId>,
    /// The dealer who looks after the customer.
    dealer_id: Option<DealerId>,
}

/// Lists what would have been sent
///
/// The newest comes first. Nothing leaves a sandbox; what customers would have read lies here, links
/// included. A live brand is refused with `only_in_sandbox`, because a link is for its customer alone.
#[utoipa::path(
    get, path = "/test/outbox", tag = "sandbox",
    operation_id = "list_outbox",
    params(OutboxFilters, Paging<Message>),
    responses((status = 200, description = "A page of messages.", body = ListOf<Message>)),
    security(("oauth" = ["sandbox:read"])),
)]
async fn list_outbox(
    access: Access<may::SandboxRead>,
    list: List<Message, OutboxFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = messages(list.filters.customer_id, list.filters.dealer_id);
    list.answer(&reading, select).await
}
