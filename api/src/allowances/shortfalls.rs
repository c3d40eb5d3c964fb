//! `/v1/allowance-shortfalls`: what sales that were given back had paid for already.

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
};
use axum::response::Response;
use domain::{
    allowances::lots::AllowanceShortfall,
    ids::{CustomerId, DealerId},
};
use serde::Deserialize;
use store::allowances::WantedShortfalls;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_shortfalls))
}

/// Which shortfalls are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShortfallFilters {
    /// Only those that this dealer bears.
    dealer_id: Option<DealerId>,
    /// Only those of this customer.
    customer_id: Option<CustomerId>,
}

/// Lists shortfalls
///
/// The newest comes first. Each is what was spent on a customer on the word of a sale that was refunded: the dealer who sold
/// bears what was spent before the refund, and the dealer who looks after the customer what is spent after it. A negative
/// one is a gesture that was reversed, and its money is back.
#[utoipa::path(
    get, path = "/allowance-shortfalls", tag = "allowances",
    operation_id = "list_allowance_shortfalls",
    params(ShortfallFilters, Paging<AllowanceShortfall>),
    responses((status = 200, description = "A page of shortfalls.", body = ListOf<AllowanceShortfall>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_shortfalls(
    access: Access<may::AllowancesRead>,
    list: List<AllowanceShortfall, ShortfallFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ShortfallFilters { dealer_id, customer_id } = list.filters;
    let select = store::allowances::shortfalls(WantedShortfalls { dealer_id, customer_id });
    list.answer(&reading, select).await
}
