//! `/oauth/token` and what belongs to it: programs exchange their key for a short token (RFC 6749, 8414, 9068).

use super::{
    desk::{Admitted, Desk},
    jwt::PublicKeys,
};
use crate::{
    access::Api,
    problem::{self, Problem},
};
use axum::{
    Extension, Json,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    identity::{Scope, TOKEN_LIFE_SECONDS, TokenGrant, TokenSubject, scopes_asked, spoken},
    ids::ApiKeyId,
    text::Locale,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use store::key_text::KeyText;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file, outside `/v1`.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(issue_token))
        .routes(routes!(show_public_keys))
        .routes(routes!(describe_token_server))
}

/// A token, as RFC 6749 words it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9..", "token_type": "Bearer",
    "expires_in": 900, "scope": "customers:read orders:write"})))]
pub(super) struct TokenAnswer {
    /// The token: send it as `Authorization: Bearer`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How many seconds it lasts.
    expires_in: i64,
    /// What it may do, with spaces between.
    scope: String,
}

impl TokenAnswer {
    /// The answer that carries `token`.
    pub(super) fn new(token: String, seconds: i64, scopes: &BTreeSet<Scope>) -> Self {
        Self {
            access_token: token,
            token_type: "Bearer",
            expires_in: seconds,
            scope: spoken(scopes),
        }
    }
}

/// What a program asks for, as an HTML form.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(examples(json!({"grant_type": "client_credentials", "scope": "customers:read"})))]
struct TokenForm {
    /// Always `client_credentials`.
    grant_type: Option<String>,
    /// What the token may do, with spaces between; all that the key may when absent.
    scope: Option<String>,
    /// The key's identifier, unless it is sent as the user of HTTP Basic.
    client_id: Option<String>,
    /// The key itself, unless it is sent as the password of HTTP Basic.
    client_secret: Option<String>,
}

/// Why there is no token, as RFC 6749 words it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"error": "invalid_client", "error_description": "the key is not valid"})))]
struct TokenError {
    /// One of the words of RFC 6749: `invalid_request`, `invalid_client`, `invalid_scope`,
    /// `unsupported_grant_type`.
    error: &'static str,
    /// What happened, for developers.
    error_description: String,
}

/// Why a program gets no token.
enum NoToken {
    /// It asks in a way that this server does not understand.
    Refused(StatusCode, TokenError),
    /// Something is in the way that has nothing to do with tokens.
    Problem(Problem),
}

impl From<Problem> for NoToken {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl NoToken {
    fn because(error: &'static str, why: impl Into<String>) -> Self {
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::Refused(status, TokenError { error, error_description: why.into() })
    }
}

impl IntoResponse for NoToken {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(status, error) => {
                let mut response = (status, Json(error)).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                if status == StatusCode::UNAUTHORIZED {
                    let challenge = HeaderValue::from_static("Basic realm=\"aftercare\"");
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
                response
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

/// Exchanges a key for a token
///
/// The client credentials of OAuth 2. The client is an API key: its identifier (`key_..`) and the key itself, as HTTP
/// Basic or in the form. The token lasts fifteen minutes, is signed with `EdDSA` and ends early when the key is
/// revoked.
#[utoipa::path(
    post, path = "/oauth/token", tag = "access",
    operation_id = "issue_token",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded",
        description = "What is asked for."),
    responses(
        (status = 200, description = "The token.", body = TokenAnswer),
        (status = 400, description = "The request is not understood; `error` says why.", body = TokenError),
        (status = 401, description = "The key is not valid.", body = TokenError),
    ),
    security(),
)]
async fn issue_token(
    Extension(desk): Extension<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, NoToken> {
    let form = read_form(&headers, &body)?;
    let (id, admitted) = authenticate(&desk, &headers, &form).await?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        None => return Err(NoToken::because("invalid_request", "grant_type is missing")),
        Some(_) => {
            let why = "only client_credentials is supported";
            return Err(NoToken::because("unsupported_grant_type", why));
        }
    }
    let verdict = desk.gate.check(id.into(), admitted.tenant.into()).await;
    if !verdict.is_allowed() {
        let too_many = Problem::new(&problem::TOO_MANY).retry_after(verdict.wait_seconds());
        return Err(too_many.into());
    }
    let asked = form.scope.as_deref().unwrap_or_default();
    let scopes = scopes_asked(asked, &admitted.standing.scopes)
        .map_err(|refusal| NoToken::because("invalid_scope", refusal.detail(Locale::English)))?;
    let subject = TokenSubject::Key(id);
    let grant = TokenGrant { subject, client: id, tenant: admitted.tenant, scopes };
    let token = desk.issue(&*desk.ring().await?, &grant)?;
    let answer = TokenAnswer::new(token, TOKEN_LIFE_SECONDS, &grant.scopes);
    let secret = [(header::CACHE_CONTROL, "no-store")];
    Ok((secret, Json(answer)).into_response())
}

fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<TokenForm, NoToken> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let why = "expected a body of type application/x-www-form-urlencoded";
        return Err(NoToken::because("invalid_request", why));
    }
    serde_urlencoded::from_bytes(body)
        .map_err(|error| NoToken::because("invalid_request", error.to_string()))
}

/// Finds out whose key it is.
async fn authenticate(
    desk: &Desk,
    headers: &HeaderMap,
    form: &TokenForm,
) -> Result<(ApiKeyId, Admitted), NoToken> {
    let in_form = form.client_id.clone().zip(form.client_secret.clone());
    let (claimed, secret) = match (basic(headers), in_form) {
        (Some(_), Some(_)) => {
            let why = "the client is named twice, in the header and in the form";
            return Err(NoToken::because("invalid_request", why));
        }
        (Some(credentials), None) | (None, Some(credentials)) => credentials,
        (None, None) => return Err(invalid_client()),
    };
    let secret = KeyText::read(&secret).ok_or_else(invalid_client)?;
    let (id, admitted) = desk.admit_key(&secret).await.map_err(|problem| {
        let is_unknown = problem.status() == StatusCode::UNAUTHORIZED;
        if is_unknown { invalid_client() } else { problem.into() }
    })?;
    if claimed.parse() == Ok(id) { Ok((id, admitted)) } else { Err(invalid_client()) }
}

fn invalid_client() -> NoToken {
    NoToken::because("invalid_client", "the key is not valid")
}

/// User and password of HTTP Basic, which OAuth encodes like a form.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    let decode = |part: &str| {
        let pair = serde_urlencoded::from_str::<Vec<(String, String)>>(&format!("x={part}"));
        pair.ok()?.pop().map(|(_, value)| value)
    };
    Some((decode(user)?, decode(password)?))
}

/// Shows the keys that verify tokens
///
/// The key that signs now, the one that signs next, and those whose last tokens still run (RFC 7517).
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "access",
    operation_id = "show_public_keys",
    responses((status = 200, description = "The keys.", body = PublicKeys)),
    security(),
)]
async fn show_public_keys(Extension(desk): Extension<Arc<Desk>>) -> Result<Response, Problem> {
    let ring = desk.ring().await?;
    let kept = [(header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((kept, Json(&ring.public)).into_response())
}

/// What programs find out about this server by themselves (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"issuer": "https://aftercare.example.com",
    "token_endpoint": "https://aftercare.example.com/oauth/token",
    "jwks_uri": "https://aftercare.example.com/.well-known/jwks.json",
    "grant_types_supported": ["client_credentials"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "response_types_supported": [], "scopes_supported": ["customers:read"],
    "service_documentation": "https://aftercare.example.com/docs"})))]
struct TokenServer {
    /// What it calls itself: the `iss` of its tokens.
    issuer: String,
    /// Where keys are exchanged for tokens.
    token_endpoint: String,
    /// Where the keys that verify tokens are found.
    jwks_uri: String,
    /// How tokens are asked for.
    grant_types_supported: [&'static str; 1],
    /// How a program says who it is.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// Nobody signs in here.
    response_types_supported: [&'static str; 0],
    /// Everything a token may be allowed to do.
    scopes_supported: &'static [Scope],
    /// Where all this is explained.
    service_documentation: String,
}

/// Describes the token server
///
/// For programs that find out the rest by themselves (RFC 8414).
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "access",
    operation_id = "describe_token_server",
    responses((status = 200, description = "The token server.", body = TokenServer)),
    security(),
)]
async fn describe_token_server(Extension(desk): Extension<Arc<Desk>>) -> Json<TokenServer> {
    let at = |path: &str| format!("{}{path}", desk.address);
    Json(TokenServer {
        issuer: desk.address.clone(),
        token_endpoint: at("/oauth/token"),
        jwks_uri: at("/.well-known/jwks.json"),
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        response_types_supported: [],
        scopes_supported: Scope::ALL,
        service_documentation: at("/docs"),
    })
}
