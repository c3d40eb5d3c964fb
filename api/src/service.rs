//! What the service says about itself: health, version, its own documentation.

use crate::{
    access::Api,
    openapi::PUBLISHED,
    problem::{self, Problem},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use domain::refusal::{Rule, rules};
use serde::Serialize;
use std::sync::LazyLock;
use store::Store;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The documented routes of this file, outside `/v1`.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(check_health))
        .routes(routes!(check_readiness))
        .routes(routes!(show_version))
}

/// The pages and documents of this file.
pub(crate) fn pages() -> Router<Api> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/openapi.json", get(|| text("application/json", PUBLISHED)))
        .route("/openapi.yaml", get(|| text("application/yaml", YAML.clone())))
        .route("/llms.txt", get(|| text("text/markdown; charset=utf-8", LLMS)))
        .route("/.well-known/api-catalog", get(|| text("application/linkset+json", CATALOG)))
        .merge(documentation())
}

/// What the operator may ask, on an address of its own.
pub(crate) fn admin(store: Store) -> Router {
    Router::new()
        .route("/healthz", get(check_health))
        .route("/readyz", get(check_readiness))
        .route("/metrics", get(crate::metrics::render))
        .with_state(store)
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"status": "ok"})))]
struct Health {
    /// `ok`, for programs that look for a word.
    #[schema(examples("ok"))]
    status: &'static str,
}

/// Says that the process lives
///
/// Asks nothing of the database: a process that lives and cannot work is told apart by `/readyz`.
#[utoipa::path(
    get, path = "/healthz", tag = "service", operation_id = "check_health",
    responses((status = 200, description = "It lives.", body = Health)), security(),
)]
async fn check_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Says whether requests can be served
///
/// Asks the database. A load balancer sends requests elsewhere while this is 503.
#[utoipa::path(
    get, path = "/readyz", tag = "service", operation_id = "check_readiness",
    responses((status = 200, description = "It is ready.", body = Health)), security(),
)]
async fn check_readiness(State(store): State<Store>) -> Result<Json<Health>, Problem> {
    store.ping().await?;
    Ok(Json(Health { status: "ok" }))
}

/// Which version this is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"name": "aftercare", "version": "0.1.0"})))]
struct About {
    /// The program.
    #[schema(examples("aftercare"))]
    name: &'static str,
    /// Its version.
    #[schema(examples("0.1.0"))]
    version: &'static str,
}

/// Says which version this is
///
/// The version of the program; the API's own is in its paths (`/v1`).
#[utoipa::path(
    get, path = "/version", tag = "service", operation_id = "show_version",
    responses((status = 200, description = "Name and version.", body = About)), security(),
)]
async fn show_version() -> Json<About> {
    Json(About { name: "aftercare", version: env!("CARGO_PKG_VERSION") })
}

/// The document for those who like YAML, made when somebody first asks for it.
static YAML: LazyLock<Bytes> = LazyLock::new(|| {
    let document = serde_json::from_str::<serde_json::Value>(PUBLISHED).unwrap_or_default();
    serde_norway::to_string(&document).unwrap_or_default().into()
});

fn text(kind: &'static str, body: impl IntoResponse) -> std::future::Ready<Response> {
    std::future::ready(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// The two pages of documentation are programs of others: they run, style themselves and fetch the
/// document, all from here.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// The documentation for people, by Scalar and by Swagger.
fn documentation<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let swagger = utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none");
    Router::new()
        .route("/docs", get(|| async { Html(include_str!("pages/docs.html")) }))
        .route("/docs/start.js", get(|| text(SCRIPT, include_str!("pages/docs.js"))))
        .route("/docs/scalar.js", get(show_scalar))
        .merge(utoipa_swagger_ui::SwaggerUi::new("/docs/swagger").config(swagger))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, DOCS_POLICY))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

async fn show_scalar() -> Response {
    let script = scalar_api_reference::get_asset("scalar.js").unwrap_or_default();
    let headers =
        [(header::CONTENT_TYPE, SCRIPT), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, script).into_response()
}

/// Every problem there is, those of the protocol first.
pub fn all_problems() -> impl Iterator<Item = &'static Rule> {
    problem::PROTOCOL.iter().copied().chain(rules()).chain([&store::page::INVALID_CURSOR])
}

const LLMS: &str = include_str!("pages/llms.md");
const CATALOG: &str = r#"{"linkset":[{"anchor":"/v1","service-desc":[{"href":"/openapi.json","type":"application/json"}],"service-doc":[{"href":"/docs","type":"text/html"}],"status":[{"href":"/readyz"}]}]}"#;
