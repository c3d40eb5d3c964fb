//! Lists: `limit`, `cursor`, `sort`, and the filters an operation knows. Unknown parameters are
//! refused, so that a typing error is not silently a list of everything.

use crate::{
    access::{Api, Caller},
    problem::Problem,
    reading::{self, Mistake},
};
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderValue, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{invalid::Invalid, refusal::Refusal};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use std::borrow::Cow;
use store::{
    Fault,
    page::{INVALID_CURSOR, MOST_LIMIT, Page, Slice, USUAL_LIMIT},
    secrets::{SecretKey, fingerprint},
};
use utoipa::{IntoParams, ToSchema};

/// Parameters of every list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `List` reads by itself")]
pub struct Paging {
    /// At most so many records, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50, example = 50)]
    limit: Option<u16>,
    /// Where to go on: the `next_cursor` of the page before.
    #[param(min_length = 1, max_length = 1000)]
    cursor: Option<String>,
}

/// The filters of a list that knows none.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilters {}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListOf<T: ToSchema> {
    /// The records, in the order of the list.
    pub data: Vec<T>,
    /// Whether there are more behind these.
    pub has_more: bool,
    /// Pass it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A number of records, 1 to 200, for lists that are not paged.
#[derive(Debug, Clone, Copy)]
pub struct AtMost(pub u16);

impl<'de> Deserialize<'de> for AtMost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        limit(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A request for a page of a list, filtered by `F`.
#[derive(Debug)]
pub struct List<F> {
    /// What the operation knows to filter by.
    pub filters: F,
    /// Which page.
    pub page: Page,
    uri: Uri,
    seal: Seal,
}

/// Seals the cursors of one list for one caller's tenant, so that nobody reads, alters or moves them.
#[derive(Debug, Clone)]
struct Seal {
    secret: SecretKey,
    label: String,
}

impl Seal {
    /// The list is its address and its filters; how much of it is wanted does not matter.
    fn of(parts: &Parts, api: &Api, filters: &[(String, String)]) -> Self {
        let tenant = parts.extensions.get::<Caller>().map(|caller| caller.tenant.to_string());
        let mut filters = filters.to_vec();
        filters.sort_unstable();
        let filters = serde_urlencoded::to_string(filters).unwrap_or_default();
        let list = format!("{} {}?{filters}", tenant.unwrap_or_default(), address(parts).path());
        let digest = URL_SAFE_NO_PAD.encode(fingerprint(&list));
        Self { secret: api.secret().clone(), label: format!("cursor/{digest}") }
    }

    fn close(&self, cursor: &str) -> Result<String, Fault> {
        let sealed = self.secret.seal(&self.label, cursor.as_bytes()).map_err(Fault::from)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, text: &str) -> Result<String, Problem> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok();
        let plain = sealed.and_then(|sealed| self.secret.open(&self.label, &sealed).ok());
        let cursor = plain.and_then(|plain| String::from_utf8(plain).ok());
        cursor.ok_or_else(|| Refusal::new(&INVALID_CURSOR).at("cursor").into())
    }
}

impl<F: DeserializeOwned> FromRequestParts<Api> for List<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let mut page = Page { limit: USUAL_LIMIT, cursor: None };
        let (mut cursor, mut rest) = (None, Vec::new());
        for (name, value) in pairs(&parts.uri)? {
            match name.as_str() {
                "limit" => {
                    page.limit =
                        limit(&value).map_err(|mistake| Problem::parameter("limit", mistake))?;
                }
                "cursor" => cursor = Some(value),
                _ => rest.push((name, value)),
            }
        }
        let filters = read(&rest)?;
        let seal = Seal::of(parts, api, &rest);
        page.cursor = cursor.map(|cursor| seal.open(&cursor)).transpose()?;
        Ok(Self { filters, page, uri: address(parts).clone(), seal })
    }
}

impl<F> List<F> {
    /// Answers with a page and the way to the next one.
    pub fn answer<R: Serialize + ToSchema>(&self, slice: Slice<R>) -> Response {
        let next = match slice.next.map(|cursor| self.seal.close(&cursor)).transpose() {
            Ok(next) => next,
            Err(fault) => return Problem::from(fault).into_response(),
        };
        let link = next.as_ref().and_then(|cursor| self.link(cursor));
        let body = ListOf { has_more: next.is_some(), next_cursor: next, data: slice.items };
        let mut response = axum::Json(body).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }

    fn link(&self, cursor: &str) -> Option<HeaderValue> {
        let pairs = pairs(&self.uri).ok()?;
        let kept: Vec<_> = pairs.iter().filter(|(name, _)| name != "cursor").collect();
        let mut query = serde_urlencoded::to_string(kept).ok()?;
        if !query.is_empty() {
            query.push('&');
        }
        let link = format!("<{}?{query}cursor={cursor}>; rel=\"next\"", self.uri.path());
        HeaderValue::from_str(&link).ok()
    }
}

/// Parameters of an operation that is not a list.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self(read(&pairs(&parts.uri)?)?))
    }
}

/// The address as the caller wrote it; the router takes `/v1` off before a handler sees it.
fn address(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri)
}

/// The parameters of an address.
pub(crate) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    reading::pairs(uri.query()).map_err(parameter)
}

fn limit(value: &str) -> Result<u16, Invalid> {
    let limit = value.parse().ok().filter(|limit| (1..=MOST_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        Invalid::new("out_of_range", format!("expected a number from 1 to {MOST_LIMIT}"))
            .in_chinese(format!("应为 1 至 {MOST_LIMIT} 之间的整数"))
    })
}

fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    reading::from_pairs(pairs).map_err(parameter)
}

fn parameter(mistake: Mistake) -> Problem {
    let name = mistake.parameter().to_owned();
    Problem::parameter(&name, mistake.invalid)
}
