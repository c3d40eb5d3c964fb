//! `/v1/orders`: what was sold.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    pushes,
    request::{Id, Ids, Json},
};
use axum::response::Response;
use domain::{
    cancellations::CancellationCase,
    catalogue::{Asset, Product},
    customers::Customer,
    ids::{CustomerId, DealerId, OrderId, ProductId},
    orders::{Mentioned, NewOrderIds, OrderDetails, OrderStatus, Sale, SalesOrder},
    pushes::Pushed,
    text::{ExternalId, Source},
    time::CivilDate,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/orders";

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_orders, place_order))
        .routes(routes!(show_order))
        .routes(routes!(push_order))
        .routes(routes!(pay_order))
        .routes(routes!(deliver_order))
        .routes(routes!(refund_order))
        .routes(routes!(cancel_order))
}

/// Which orders are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrderFilters {
    /// Who bought.
    customer_id: Option<CustomerId>,
    /// Who sold.
    dealer_id: Option<DealerId>,
    /// How far they have come.
    status: Option<OrderStatus>,
    /// The system that pushed them.
    #[param(example = "erp")]
    source: Option<Source>,
    /// What that system calls them.
    external_id: Option<ExternalId>,
}

/// The day of a payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"paid_on": "2026-11-20"})))]
struct PayOrder {
    /// The day the customer paid.
    paid_on: CivilDate,
}

/// The day of a refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"refunded_on": "2026-11-24"})))]
struct RefundOrder {
    /// The day the customer got the money back.
    refunded_on: CivilDate,
}

/// The day of a delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"delivered_on": "2026-11-20"})))]
struct DeliverOrder {
    /// The day everything had arrived at the customer's.
    delivered_on: CivilDate,
}

/// Lists orders
///
/// The newest comes first. Callers who work for a dealer see what their dealer sold.
#[utoipa::path(
    get, path = "/orders", tag = "orders",
    operation_id = "list_orders",
    params(OrderFilters, Paging<SalesOrder>, Expanding<Sale>),
    responses((status = 200, description = "A page of orders.", body = ListOf<Sale>)),
    security(("oauth" = ["orders:read"])),
)]
async fn list_orders(
    access: Access<may::OrdersRead>,
    list: List<SalesOrder, OrderFilters>,
    expand: Expand<Sale>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let filters = &list.filters;
    let select = store::orders::wanted(store::orders::Wanted {
        customer: filters.customer_id,
        dealer: filters.dealer_id,
        status: filters.status,
        source: filters.source.as_ref(),
        external_id: filters.external_id.as_ref(),
    });
    let (orders, end) = list.find(&reading, select).await?;
    let sales = reading.all_with_lines(orders).await?;
    list.tell(expand.beside(&reading, sales).await?, end)
}

/// Places an order
///
/// With a day of payment the sale is settled at once: its lines earn the customer an allowance, and its
/// assets enter the plans of their products. An order that another system knows too is better pushed by
/// its external id.
#[utoipa::path(
    post, path = "/orders", tag = "orders",
    operation_id = "place_order",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(content = OrderDetails, description = "What was sold."),
    responses((status = 201, description = "The new order.", body = Sale,
        headers(("Location" = String, description = "Where the order is found."),
                ("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn place_order(
    access: Access<may::OrdersWrite>,
    Json(details): Json<OrderDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let spoken_of = gather(&work, &details).await?;
    let ids = NewOrderIds::new(work.new_id(), &details, || work.new_id());
    let change = Sale::place(ids, details, spoken_of.mentioned(), work.now())?;
    record(work, spoken_of.customer, Pushed::Created(change)).await
}

/// Pushes an order by its external id
///
/// Creates the order, or changes it. Until it is paid everything may change; afterwards only `site_id` and
/// `asset_ids`, and anything else is refused with `order_settled`. A day of payment that is known stays
/// when the body leaves it out. The same push again changes nothing and accrues nothing twice. `source` and
/// `external_id` may be left out of the body.
#[utoipa::path(
    put, path = "/orders/by-external-id/{source}/{external_id}", tag = "orders",
    operation_id = "push_order",
    params(("source" = Source, Path, description = "The system that pushes."),
           ("external_id" = ExternalId, Path, description = "What it calls the order.")),
    request_body(content = OrderDetails, description = "What that system knows about the sale."),
    responses(
        (status = 200, description = "The order, changed or as it was.", body = Sale,
            headers(("ETag" = String, description = "The version."))),
        (status = 201, description = "The new order.", body = Sale,
            headers(("Location" = String, description = "Where the order is found."),
                    ("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn push_order(
    access: Access<may::OrdersWrite>,
    Ids(source, external_id): Ids<Source, ExternalId>,
    Json(mut details): Json<OrderDetails>,
) -> Outcome {
    let work = access.write().await?;
    pushes::name((&source, &external_id), &mut details.source, &mut details.external_id)?;
    work.push_alone("sales_order", &source, &external_id).await?;
    let spoken_of = gather(&work, &details).await?;
    let known: Option<SalesOrder> =
        work.hold_found(store::orders::named(&source, &[&external_id])).await?;
    let known = match known {
        Some(order) => Some(work.with_lines(order).await?),
        None => None,
    };
    let ids = NewOrderIds::new(work.new_id(), &details, || work.new_id());
    let pushed = Sale::push(known, ids, details, spoken_of.mentioned(), work.now())?;
    record(work, spoken_of.customer, pushed).await
}

/// Shows an order
///
/// With its lines, and what each of them earned.
#[utoipa::path(
    get, path = "/orders/{id}", tag = "orders",
    operation_id = "show_order",
    params(("id" = OrderId, Path, description = "The order."), Expanding<Sale>),
    responses((status = 200, description = "The order.", body = Sale,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:read"])),
)]
async fn show_order(
    access: Access<may::OrdersRead>,
    Id(id): Id<OrderId>,
    expand: Expand<Sale>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.sale(id).await?).await
}

/// Pays an order
///
/// Settles the sale: its lines earn the customer an allowance, and its assets enter the plans of their
/// products.
#[utoipa::path(
    post, path = "/orders/{id}/pay", tag = "orders",
    operation_id = "pay_order",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = OrderId, Path, description = "The order.")),
    request_body(content = PayOrder, description = "The day of the payment."),
    responses((status = 200, description = "The order as it is now.", body = Sale,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn pay_order(
    access: Access<may::OrdersWrite>,
    Id(id): Id<OrderId>,
    Json(ask): Json<PayOrder>,
) -> Outcome {
    let work = access.write_once().await?;
    // The customer is held before the order, as a push does, so that neither waits for the other.
    let order: SalesOrder = work.get(id).await?;
    let customer: Customer = work.hold(order.customer_id).await?;
    let order: SalesOrder = work.hold(id).await?;
    let order = work.record(order.pay(ask.paid_on, work.now())?).await?;
    if let Some(change) = customer.learn_of(&order) {
        work.record(change).await?;
    }
    let sale = work.with_lines(order).await?;
    work.changed(sale).await
}

/// Delivers an order
///
/// Everything in it has arrived. Its assets whose day of delivery is not known yet arrived that day, too. Not while the customer
/// wants to cancel it (`cancellation_open`).
#[utoipa::path(
    post, path = "/orders/{id}/deliver", tag = "orders",
    operation_id = "deliver_order",
    params(("id" = OrderId, Path, description = "The order.")),
    request_body(content = DeliverOrder, description = "The day of the delivery."),
    responses((status = 200, description = "The order as it is now.", body = Sale,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn deliver_order(
    access: Access<may::OrdersWrite>,
    Id(id): Id<OrderId>,
    Json(ask): Json<DeliverOrder>,
) -> Outcome {
    let work = access.write().await?;
    let order: SalesOrder = work.hold(id).await?;
    // Nobody takes a cancellation in meanwhile: the order is held for that, too.
    let open: Option<CancellationCase> = work.find(store::cancellations::open_of(id)).await?;
    CancellationCase::must_be_over(open.as_ref())?;
    let on_the_way: Vec<Asset> =
        work.hold_all(store::catalogue::on_the_way(order.asset_ids.iter().copied())).await?;
    let order = work.record(order.deliver(ask.delivered_on, work.now())?).await?;
    for asset in on_the_way {
        work.record(asset.deliver(ask.delivered_on, work.now())?).await?;
    }
    let sale = work.with_lines(order).await?;
    work.changed(sale).await
}

/// Refunds an order
///
/// The customer has the money back. What the sale has earned for service and is not spent is taken back; what is spent
/// already is charged to the dealer as a shortfall (`GET /v1/allowance-shortfalls`), and no account is ever below
/// nothing.
#[utoipa::path(
    post, path = "/orders/{id}/refund", tag = "orders",
    operation_id = "refund_order",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = OrderId, Path, description = "The order.")),
    request_body(content = RefundOrder, description = "The day of the refund."),
    responses((status = 200, description = "The order as it is now.", body = Sale,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn refund_order(
    access: Access<may::OrdersWrite>,
    Id(id): Id<OrderId>,
    Json(ask): Json<RefundOrder>,
) -> Outcome {
    let work = access.write_once().await?;
    let order: SalesOrder = work.hold(id).await?;
    let order = work.record(order.refund(ask.refunded_on, work.now())?).await?;
    let sale = work.with_lines(order).await?;
    work.changed(sale).await
}

/// Cancels an order
///
/// The sale did not come about. Only a quote can be cancelled: a paid order has earned an allowance, and is refunded.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", tag = "orders",
    operation_id = "cancel_order",
    params(("id" = OrderId, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Sale,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["orders:write"])),
)]
async fn cancel_order(access: Access<may::OrdersWrite>, Id(id): Id<OrderId>) -> Outcome {
    let work = access.write().await?;
    let order: SalesOrder = work.hold(id).await?;
    let order = work.record(order.cancel()?).await?;
    let sale = work.with_lines(order).await?;
    work.changed(sale).await
}

/// The records that a sale speaks of.
struct SpokenOf {
    customer: Customer,
    site_dealer: Option<DealerId>,
    assets: Vec<Asset>,
    products: Vec<Product>,
}

impl SpokenOf {
    fn mentioned(&self) -> Mentioned<'_> {
        let Self { site_dealer, assets, products, customer: _ } = self;
        Mentioned { site_dealer: *site_dealer, assets, products }
    }
}

/// Finds them, and points at the one that is not there for this caller.
async fn gather(work: &Work, details: &OrderDetails) -> Result<SpokenOf, Problem> {
    pushes::dealer_of(work, Some(details.dealer_id))?;
    let customer = referred(work.hold(details.customer_id).await, "/customer_id")?;
    let site_dealer = pushes::site_dealer(work, details.site_id).await?;
    let assets: Vec<Asset> =
        work.all(store::catalogue::assets_by_id(details.asset_ids.iter().copied())).await?;
    for (place, id) in details.asset_ids.iter().enumerate() {
        if !assets.iter().any(|asset| asset.id == *id) {
            return Err(Problem::unknown_reference(&format!("/asset_ids/{place}")));
        }
    }
    let named = details.lines.iter().filter_map(|line| line.product_id);
    let products: Vec<Product> = work.all(store::catalogue::products_by_id(named)).await?;
    let is_known = |id: ProductId| products.iter().any(|product| product.id == id);
    for (place, line) in details.lines.iter().enumerate() {
        if line.product_id.is_some_and(|id| !is_known(id)) {
            return Err(Problem::unknown_reference(&format!("/lines/{place}/product_id")));
        }
    }
    Ok(SpokenOf { customer, site_dealer, assets, products })
}

/// Records what a push did, and answers with the sale: 201 when it is new. Whoever paid is a buyer.
async fn record(work: Work, customer: Customer, pushed: Pushed<Sale>) -> Outcome {
    let is_new = matches!(pushed, Pushed::Created(_));
    let sale = match pushed {
        Pushed::Created(change) | Pushed::Changed(change) => work.record_sale(change).await?,
        Pushed::Unchanged(sale) => sale,
    };
    if let Some(change) = customer.learn_of(&sale.order) {
        work.record(change).await?;
    }
    if is_new { work.created(COLLECTION, sale).await } else { work.changed(sale).await }
}
