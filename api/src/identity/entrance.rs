//! The entrance: who calls is recognised, counted and, when a browser asks, told from where it may ask.

use super::{
    desk::{Admitted, Desk},
    limits::{RateGate, RateVerdict},
};
use crate::{
    access::Caller,
    problem::{self, Problem},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::ids::TenantId;
use std::{fmt, sync::Arc};

/// The header in which a person's front end says which brand it serves.
pub static TENANT: HeaderName = HeaderName::from_static("aftercare-tenant");

/// How long a browser may remember what it was told about an origin, in seconds.
const REMEMBER_SECONDS: &str = "600";

/// Headers of ours that a front end may read.
const EXPOSED: &str = "deprecation, etag, link, location, idempotency-replayed, ratelimit, \
    ratelimit-policy, retry-after, sunset, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id";

/// Headers that a front end may send.
const ALLOWED: &str = "accept-language, aftercare-tenant, authorization, content-type, \
    idempotency-key, if-match, if-none-match, x-request-id";

/// What a caller showed at the entrance, to be looked at again while an answer goes on for long.
#[derive(Clone)]
pub(crate) struct Shown {
    desk: Arc<Desk>,
    bearer: Arc<str>,
    tenant: Option<TenantId>,
}

impl Shown {
    /// Who the caller is by now.
    ///
    /// # Errors
    ///
    /// `unauthorized` when what they showed has lost its worth.
    pub(crate) async fn again(&self) -> Result<Caller, Problem> {
        Ok(self.desk.admit(&self.bearer, self.tenant).await?.caller())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(credential)")
    }
}

/// Recognises and counts whoever calls the API. Requests without credentials go on: some doors are open.
pub async fn enter(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/v1/") {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match origin.clone().filter(|_| is_preflight(&request)) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => admitted(&desk, request, next).await,
    };
    // What is told here is one brand's, and often somebody's: no cache keeps it.
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(kept);
    if let Some(origin) = origin {
        share(&desk, &origin, &mut response).await;
    }
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

async fn admitted(desk: &Arc<Desk>, mut request: Request, next: Next) -> Response {
    let Some(bearer) = bearer(request.headers()) else { return next.run(request).await };
    let tenant = request.headers().get(&TENANT).map(|value| value.to_str().unwrap_or_default());
    let tenant = match tenant.map(str::parse::<TenantId>).transpose() {
        Ok(tenant) => tenant,
        Err(mistake) => return Problem::parameter("aftercare-tenant", mistake).into_response(),
    };
    let admitted = match desk.admit(&bearer, tenant).await {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let caller = admitted.caller();
    tracing::Span::current().record("tenant.id", tracing::field::display(caller.tenant));
    let verdict = desk.gate.check(admitted.bucket(), caller.tenant.into()).await;
    let mut response = if verdict.is_allowed() {
        request.extensions_mut().insert::<Caller>(caller);
        request.extensions_mut().insert(Shown {
            desk: Arc::clone(desk),
            bearer: bearer.into(),
            tenant,
        });
        request.extensions_mut().insert(admitted.standing.brand);
        next.run(request).await
    } else {
        Problem::new(&problem::TOO_MANY).retry_after(verdict.wait_seconds()).into_response()
    };
    tell(&desk.gate, &verdict, response.headers_mut());
    response.extensions_mut().insert(Arc::new(admitted));
    response
}

/// The credential of a `Bearer` header; an unreadable one is nobody's. So are two: whoever stands between may
/// have judged the other one.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?;
    let (Ok(text), None) = (value.to_str(), values.next()) else { return Some(String::new()) };
    let (scheme, credential) = text.split_once(' ').unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim().to_owned())
}

/// Says how much is left (draft-ietf-httpapi-ratelimit-headers, and the older names).
fn tell(gate: &RateGate, verdict: &RateVerdict, headers: &mut HeaderMap) {
    let name = verdict.bucket.as_str();
    let (remaining, reset) = (verdict.remaining, verdict.reset_seconds());
    let level = HeaderValue::try_from(format!("\"{name}\";r={remaining};t={reset}"));
    let pairs = [
        ("ratelimit-policy", gate.policy()),
        ("ratelimit", level.unwrap_or_else(|_| HeaderValue::from_static(name))),
        ("x-ratelimit-limit", verdict.quota.burst.get().into()),
        ("x-ratelimit-remaining", remaining.into()),
        ("x-ratelimit-reset", reset.into()),
    ];
    for (name, value) in pairs {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Lets a browser show the answer to a front end from `origin`: one of the caller's own brand or, as long as
/// nobody was recognised, one that some brand has named. Never for everybody.
async fn share(desk: &Desk, origin: &HeaderValue, response: &mut Response) {
    let admitted = response.extensions_mut().remove::<Arc<Admitted>>();
    let text = origin.to_str().unwrap_or_default();
    let is_known = match admitted {
        Some(admitted) => admitted.standing.origins.iter().any(|origin| origin.as_str() == text),
        None => desk.knows_origin(text).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if !is_known {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    let rest = [
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBER_SECONDS),
    ];
    for (name, value) in rest {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
