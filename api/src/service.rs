//! What the service says about itself: health, version, its own documentation.

use crate::{
    access::Api,
    problem::{self, Problem},
    request::language,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use domain::refusal::{Rule, rules};
use serde::Serialize;
use store::Store;
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
pub(crate) fn pages(document: &serde_json::Value) -> Router<Api> {
    let json = document.to_string();
    let yaml = serde_norway::to_string(document).unwrap_or_default();
    let swagger = utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none");
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/openapi.json", get(|| text("application/json", json)))
        .route("/openapi.yaml", get(|| text("application/yaml", yaml)))
        .route("/docs", get(show_docs))
        .route("/docs/scalar.js", get(show_script))
        .route("/problems", get(list_problems))
        .route("/problems/{code}", get(explain_problem))
        .route("/llms.txt", get(|| text("text/markdown; charset=utf-8", LLMS)))
        .route("/.well-known/api-catalog", get(|| text("application/linkset+json", CATALOG)))
        .merge(utoipa_swagger_ui::SwaggerUi::new("/docs/swagger").config(swagger))
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

fn text(kind: &'static str, body: impl Into<String>) -> std::future::Ready<Response> {
    std::future::ready(([(header::CONTENT_TYPE, kind)], body.into()).into_response())
}

/// Pages of ours load nothing from elsewhere; these two need their own scripts and inline styles.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

async fn show_docs() -> Response {
    let policy = HeaderValue::from_static(DOCS_POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(include_str!("pages/docs.html")))
        .into_response()
}

async fn show_script() -> Response {
    let script = scalar_api_reference::get_asset("scalar.js").unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, script).into_response()
}

/// Every problem there is, those of the protocol first.
pub fn all_problems() -> impl Iterator<Item = &'static Rule> {
    problem::PROTOCOL.iter().copied().chain(rules()).chain([&store::page::INVALID_CURSOR])
}

async fn list_problems(headers: HeaderMap) -> Html<String> {
    let locale = language(&headers);
    let items = all_problems().map(|rule| {
        format!(
            "<li><a href=\"/problems/{0}\"><code>{0}</code></a> {1}</li>",
            rule.code,
            rule.title.get(locale)
        )
    });
    let items: String = items.collect();
    Html(page(locale.tag(), "Problems", &format!("<h1>Problems</h1><ul>{items}</ul>")))
}

async fn explain_problem(headers: HeaderMap, Path(code): Path<String>) -> Response {
    let locale = language(&headers);
    let Some(rule) = all_problems().find(|rule| rule.code == code) else {
        return Problem::new(&problem::NOT_FOUND).into_response();
    };
    let status = Problem::new(rule).status();
    let body = format!(
        "<h1>{}</h1><p><code>{}</code> · HTTP {}</p><p>{}</p><p>{}</p>",
        rule.title.get(locale),
        rule.code,
        status.as_u16(),
        rule.detail.get(locale).replace('{', "<var>").replace('}', "</var>"),
        escape_code(rule.advice.get(locale)),
    );
    (StatusCode::OK, Html(page(locale.tag(), rule.title.get(locale), &body))).into_response()
}

/// Our texts mark names of fields with back quotes.
fn escape_code(text: &str) -> String {
    let mut inside = false;
    text.chars().fold(String::new(), |mut html, c| {
        if c == '`' {
            html.push_str(if inside { "</code>" } else { "<code>" });
            inside = !inside;
        } else {
            html.push(c);
        }
        html
    })
}

fn page(language: &str, title: &str, body: &str) -> String {
    include_str!("pages/plain.html")
        .replace("{language}", language)
        .replace("{title}", title)
        .replace("{body}", body)
}

const LLMS: &str = include_str!("pages/llms.md");
const CATALOG: &str = r#"{"linkset":[{"anchor":"/v1","service-desc":[{"href":"/openapi.json","type":"application/json"}],"service-doc":[{"href":"/docs","type":"text/html"}],"status":[{"href":"/readyz"}]}]}"#;
