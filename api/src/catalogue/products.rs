//! `/v1/products`: what the brand sells.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    pushes,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    catalogue::{Product, ProductDetails},
    ids::ProductId,
    pushes::check_name,
    text::{Name, Sku},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/products";

patches!(ProductPatch of ProductDetails);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_products, create_product))
        .routes(routes!(show_product, change_product))
        .routes(routes!(push_product))
}

/// Which products are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProductFilters {
    /// How their name begins.
    #[param(example = "净水器")]
    q: Option<Name>,
    /// Their stock-keeping unit.
    sku: Option<Sku>,
}

/// Lists products
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/products", tag = "catalogue",
    operation_id = "list_products",
    params(ProductFilters, Paging<Product>),
    responses((status = 200, description = "A page of products.", body = ListOf<Product>)),
    security(("oauth" = ["catalogue:read"])),
)]
async fn list_products(
    access: Access<may::CatalogueRead>,
    list: List<Product, ProductFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ProductFilters { q, sku } = &list.filters;
    let select = store::catalogue::products(q.as_deref(), sku.as_ref());
    list.answer(&reading, select).await
}

/// Creates a product
///
/// A product that another system knows too is better pushed by its stock-keeping unit. All dealers share
/// products, so nobody who acts for one dealer writes them.
#[utoipa::path(
    post, path = "/products", tag = "catalogue",
    operation_id = "create_product",
    request_body(content = ProductDetails, description = "What is known about the product."),
    responses((status = 201, description = "The new product.", body = Product,
        headers(("Location" = String, description = "Where the product is found."),
                ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn create_product(
    access: Access<may::CatalogueWrite>,
    Json(details): Json<ProductDetails>,
) -> Outcome {
    access.caller().reach.must_be_whole()?;
    let work = access.write().await?;
    let product = work.record(Product::create(work.new_id(), details, work.now())).await?;
    work.created(COLLECTION, product).await
}

/// Pushes a product by its stock-keeping unit
///
/// Creates the product, or replaces what is said about it; what the body leaves out is taken away. The
/// same push again changes nothing.
#[utoipa::path(
    put, path = "/products/by-sku/{sku}", tag = "catalogue",
    operation_id = "push_product",
    params(("sku" = Sku, Path, description = "The stock-keeping unit; the body repeats it.")),
    request_body(content = ProductDetails, description = "What the other system knows about the product."),
    responses(
        (status = 200, description = "The product, changed or as it was.", body = Product,
            headers(("ETag" = String, description = "The version, for If-Match."))),
        (status = 201, description = "The new product.", body = Product,
            headers(("Location" = String, description = "Where the product is found."),
                    ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn push_product(
    access: Access<may::CatalogueWrite>,
    Id(sku): Id<Sku>,
    Json(details): Json<ProductDetails>,
) -> Outcome {
    access.caller().reach.must_be_whole()?;
    let work = access.write().await?;
    check_name("sku", &sku, Some(&*details.sku))?;
    work.push_alone("product", "", &sku).await?;
    let known = work.find(store::catalogue::products(None, Some(&sku))).await?;
    let pushed = Product::push(known, work.new_id(), details, work.now());
    pushes::record(work, COLLECTION, pushed).await
}

/// Shows a product
///
/// Prices are what one piece costs the customer today; orders keep what was paid.
#[utoipa::path(
    get, path = "/products/{id}", tag = "catalogue",
    operation_id = "show_product",
    params(("id" = ProductId, Path, description = "The product.")),
    responses((status = 200, description = "The product.", body = Product,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:read"])),
)]
async fn show_product(
    access: Access<may::CatalogueRead>,
    Id(id): Id<ProductId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let product: Product = reading.get(id).await?;
    Ok(reading.show(&product))
}

/// Changes a product
///
/// Orders keep the
/// margin they were recorded with.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "catalogue",
    operation_id = "change_product",
    params(("id" = ProductId, Path, description = "The product.")),
    request_body(content = ProductPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"unit_cost_minor": 175_000})),
    responses((status = 200, description = "The product as it is now.", body = Product,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["catalogue:write"])),
)]
async fn change_product(
    access: Access<may::CatalogueWrite>,
    Id(id): Id<ProductId>,
    patch: MergePatch,
) -> Outcome {
    access.caller().reach.must_be_whole()?;
    let work = access.write().await?;
    let product: Product = work.hold(id).await?;
    work.expect_current(&product)?;
    let details = patch.apply(&product.details)?;
    let product = work.record(product.update(details)).await?;
    work.changed(product).await
}
