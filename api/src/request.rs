//! What every request carries: its id, its language, its body within bounds.

use crate::{
    pages,
    problem::{self, Problem},
    reading,
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::{
    complaints::{ATTACHMENT_TOO_LARGE, MOST_ATTACHMENT_BYTES},
    invalid::Invalid,
    refusal::Rule,
    sops::{EVIDENCE_TOO_LARGE, MOST_EVIDENCE_BYTES},
    text::Locale,
};
use serde::de::DeserializeOwned;
use std::{str::FromStr, time::Duration};
use store::{Chance, idempotency::Keyed};
use tokio::time::Instant;
use tracing::{Instrument as _, field::Empty};

/// Largest body of an ordinary request.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Largest file that is handed in at `/v1/imports`.
pub const MOST_FILE_BYTES: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);
/// How long a handler may take.
const HANDLER_PATIENCE: Duration = Duration::from_secs(20);
/// Largest form with photos: a few as telephones make them.
pub const MOST_FORM_BYTES: usize = 24 * 1024 * 1024;
/// How long a form with photos may take to arrive: telephones send them over weak networks.
const FORM_PATIENCE: Duration = Duration::from_secs(40);
/// Longest idempotency key.
const MOST_KEY_BYTES: usize = 128;

/// Answers are for programs: nothing in them runs, loads or is framed, should a browser show one.
const ANSWER_POLICY: &str =
    "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The header of request ids.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header of idempotency keys.
pub static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The id of a request: accepted from the caller or made, echoed, and in every log line.
#[derive(Debug, Clone, Default)]
pub struct RequestId(pub String);

/// Gives the request its id, and every line that is logged about it the same few facts: no bodies, no names,
/// no tokens, no path as it was asked for. Logs how it ended.
pub async fn identify(State(chance): State<Chance>, mut request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| {
        let id: uuid::Uuid = chance.id();
        format!("req_{}", id.simple())
    });
    request.extensions_mut().insert(RequestId(id.clone()));
    // As an error: a span that is quieter than a line about it would be missing from that line.
    let span = tracing::error_span!(
        "request", request.id = %id, method = method_name(request.method()),
        route = operation(&request), tenant.id = Empty, status = Empty
    );
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(duration_ms, "a request was answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let fits = (1..=64).contains(&given.len())
        && given.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    fits.then(|| given.to_owned())
}

/// The language the caller reads best, of the two we speak; English when they name neither.
pub fn language(headers: &HeaderMap) -> Locale {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (Locale::English, 0_u32);
    for part in wanted.unwrap_or_default().split(',') {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        let tag = tag.trim().to_ascii_lowercase();
        let locale = match tag.get(..2) {
            Some("zh") => Locale::Chinese,
            Some("en") => Locale::English,
            _ => continue,
        };
        let thousandths = thousandths(weight.trim());
        if thousandths > best.1 {
            best = (locale, thousandths);
        }
    }
    best.0
}

/// A quality value such as `0.8` in thousandths.
fn thousandths(weight: &str) -> u32 {
    match weight.split_once('.') {
        None => {
            if weight == "1" {
                1_000
            } else {
                0
            }
        }
        Some(("1", _)) => 1_000,
        Some((_, digits)) => {
            let padded: String = digits.chars().chain("000".chars()).take(3).collect();
            padded.parse().unwrap_or(0)
        }
    }
}

/// Reads the body within its bounds in size and time, once and before any transaction is open, and
/// takes its fingerprint.
pub async fn receive(request: Request, next: Next) -> Response {
    let reader = pages::reader(request.uri(), request.headers());
    match (received(request).await, reader) {
        (Ok(request), _) => next.run(request).await,
        (Err(problem), Some(locale)) => pages::unreceived(locale, &problem),
        (Err(problem), None) => problem.into_response(),
    }
}

/// A body that was received whole, for whoever looks at it before the handler does.
#[derive(Debug, Clone)]
pub(crate) struct Received(pub(crate) Bytes);

async fn received(request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let encoding = parts.headers.get(header::CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.to_str().unwrap_or_default());
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::new(&problem::ENCODED_BODY).with("encoding", encoding));
    }
    let (most, rule) = most_of(&parts.uri);
    let too_large = || Problem::new(rule).with("most_bytes", most);
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most)
    {
        return Err(too_large());
    }
    let reading = axum::body::to_bytes(body, most);
    let patience = if pages::takes_photos(&parts.uri) { FORM_PATIENCE } else { BODY_PATIENCE };
    let bytes = tokio::time::timeout(patience, reading)
        .await
        .map_err(|_| Problem::new(&problem::BODY_TOO_SLOW).with("seconds", patience.as_secs()))?
        .map_err(|_| too_large())?;
    if let Some(keyed) = keyed(&parts, &bytes)? {
        parts.extensions.insert(keyed);
    }
    parts.extensions.insert(Received(bytes.clone()));
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// The largest body of a request to `path`, and what a larger one is refused by. Photos and files of records are larger
/// than what else is sent.
fn most_of(uri: &Uri) -> (usize, &'static Rule) {
    if pages::takes_photos(uri) {
        return (MOST_FORM_BYTES, &problem::TOO_LARGE);
    }
    let path = uri.path();
    let is_evidence = path.starts_with("/v1/sop-runs/") && path.ends_with("/evidence");
    let is_attachment = path.starts_with("/v1/complaints/") && path.ends_with("/attachments");
    match path {
        "/v1/imports" => (MOST_FILE_BYTES, &problem::TOO_LARGE),
        _ if is_evidence => (MOST_EVIDENCE_BYTES, &EVIDENCE_TOO_LARGE),
        _ if is_attachment => (MOST_ATTACHMENT_BYTES, &ATTACHMENT_TOO_LARGE),
        _ => (MOST_BYTES, &problem::TOO_LARGE),
    }
}

/// The request's own key, with what it is a key for.
fn keyed(parts: &Parts, bytes: &Bytes) -> Result<Option<Keyed>, Problem> {
    let Some(key) = parts.headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    let fits =
        (1..=MOST_KEY_BYTES).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic());
    if !fits {
        return Err(Problem::new(&problem::KEY_MALFORMED));
    }
    if parts.method != Method::POST {
        return Ok(None);
    }
    let route = match parts.uri.query() {
        Some(query) => format!("{} {}?{query}", parts.method, parts.uri.path()),
        None => format!("{} {}", parts.method, parts.uri.path()),
    };
    let fingerprint = digest(&SHA256, bytes).as_ref().to_vec();
    Ok(Some(Keyed { key: key.to_owned(), route, fingerprint }))
}

/// Says on every answer what browsers must not do with it. Pages that need more say so themselves.
pub async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, ANSWER_POLICY),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Gives up on handlers that take too long; the transaction is undone.
pub async fn bound(request: Request, next: Next) -> Response {
    let for_body = if pages::takes_photos(request.uri()) { FORM_PATIENCE } else { Duration::ZERO };
    let patience = HANDLER_PATIENCE.saturating_add(for_body);
    tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        Problem::new(&problem::TOO_SLOW).with("seconds", seconds).retry_after(1).into_response()
    })
}

/// The identifier or name in the path.
#[derive(Debug, Clone, Copy)]
pub struct Id<I>(pub I);

impl<S: Send + Sync, I: FromStr<Err = Invalid>> FromRequestParts<S> for Id<I> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named = path_parameters(parts, state).await?;
        let mut named = named.iter();
        Ok(Self(read_next(&mut named)?))
    }
}

/// Two identifiers or names in the path, the outer one first.
#[derive(Debug, Clone, Copy)]
pub struct Ids<A, B>(pub A, pub B);

impl<S, A, B> FromRequestParts<S> for Ids<A, B>
where
    S: Send + Sync,
    A: FromStr<Err = Invalid>,
    B: FromStr<Err = Invalid>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named = path_parameters(parts, state).await?;
        let mut named = named.iter();
        Ok(Self(read_next(&mut named)?, read_next(&mut named)?))
    }
}

async fn path_parameters<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state).await.map_err(|_| {
        let mistake = Invalid::new("not_utf8", "expected percent-encoded UTF-8")
            .in_chinese("应为百分号编码的 UTF-8 文本");
        Problem::parameter("path", mistake)
    })
}

/// Reads the next parameter of the path.
fn read_next<'p, I: FromStr<Err = Invalid>>(
    named: &mut impl Iterator<Item = (&'p str, &'p str)>,
) -> Result<I, Problem> {
    let (name, text) = named.next().unwrap_or(("path", ""));
    text.parse().map_err(|mistake| Problem::parameter(name, mistake))
}

/// A JSON body. Unknown fields, wrong types and values out of range are pointed at.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        expect_type(request.headers(), &["application/json"])?;
        let bytes = whole(request, state).await?;
        Ok(Self(reading::from_bytes(&bytes)?))
    }
}

/// The body, which was received before.
async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|_| Problem::new(&problem::MALFORMED))
}

/// A JSON merge patch (RFC 7396) over what a record holds now.
#[derive(Debug, Clone)]
pub struct MergePatch(serde_json::Map<String, serde_json::Value>);

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        expect_type(request.headers(), &["application/merge-patch+json", "application/json"])?;
        let bytes = whole(request, state).await?;
        Ok(Self(reading::from_bytes(&bytes)?))
    }
}

impl MergePatch {
    /// The details as they are after the patch.
    ///
    /// # Errors
    ///
    /// `invalid_body`, pointing at what does not fit.
    pub fn apply<T: serde::Serialize + DeserializeOwned>(self, details: &T) -> Result<T, Problem> {
        let mut merged = serde_json::to_value(details).unwrap_or_default();
        merge(&mut merged, serde_json::Value::Object(self.0));
        Ok(reading::from_value(&merged)?)
    }
}

/// RFC 7396: objects are merged, `null` takes a member away, everything else replaces. One that is not there to be taken
/// away is left as `null`, so that a name that nobody knows is refused like every other.
fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    let serde_json::Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = serde_json::Value::Object(serde_json::Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            if members.remove(&name).is_none() {
                members.insert(name, value);
            }
        } else {
            merge(members.entry(name).or_insert(serde_json::Value::Null), value);
        }
    }
}

/// Refuses a body of another type than `expected`, or in another character set than UTF-8.
pub fn expect_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = given.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !expected.iter().any(|expected| essence.eq_ignore_ascii_case(expected)) {
        return Err(Problem::new(&problem::UNSUPPORTED_TYPE).with("expected", expected));
    }
    let mut named = parts.filter_map(|part| part.split_once('='));
    let charset = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let charset = charset.map_or("utf-8", |(_, charset)| charset.trim().trim_matches('"'));
    if ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(Problem::new(&problem::OTHER_CHARSET).with("charset", charset))
}

/// The method, for metrics and log lines; those that nobody knows, and callers make up, are one.
pub(crate) fn method_name(method: &Method) -> &'static str {
    const KNOWN: [Method; 8] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
    ];
    const NAMES: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];
    let known = KNOWN.iter().zip(NAMES).find(|(known, _)| *known == method);
    known.map_or("other", |(_, name)| name)
}

/// The operation a request reached, for metrics: the pattern of its path, never the path itself.
pub fn operation(request: &Request) -> String {
    let pattern = request.extensions().get::<MatchedPath>();
    pattern.map_or("unmatched", MatchedPath::as_str).to_owned()
}
