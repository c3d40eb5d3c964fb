//! Lists: `limit`, `cursor`, `sort`, and the filters an operation knows. Unknown parameters are
//! refused, so that a typing error is not silently a list of everything.

use crate::problem::Problem;
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use domain::invalid::Invalid;
use serde::{Serialize, de::DeserializeOwned};
use store::page::{MOST_LIMIT, Page, Slice, USUAL_LIMIT};
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

/// A request for a page of a list, filtered by `F`.
#[derive(Debug)]
pub struct List<F> {
    /// What the operation knows to filter by.
    pub filters: F,
    /// Which page.
    pub page: Page,
    uri: Uri,
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequestParts<S> for List<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut page = Page { limit: USUAL_LIMIT, cursor: None };
        let mut rest = Vec::new();
        for (name, value) in pairs(&parts.uri)? {
            match name.as_str() {
                "limit" => page.limit = limit(&value)?,
                "cursor" => page.cursor = Some(value),
                _ => rest.push((name, value)),
            }
        }
        Ok(Self { filters: read(&rest)?, page, uri: parts.uri.clone() })
    }
}

impl<F> List<F> {
    /// Answers with a page and the way to the next one.
    pub fn answer<R: Serialize + ToSchema>(&self, slice: Slice<R>) -> Response {
        let link = slice.next.as_ref().and_then(|cursor| self.link(cursor));
        let body =
            ListOf { has_more: slice.next.is_some(), next_cursor: slice.next, data: slice.items };
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

fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let query = uri.query().unwrap_or_default();
    serde_urlencoded::from_str(query)
        .map_err(|error| Problem::parameter("query", Invalid::new("malformed", error.to_string())))
}

fn limit(value: &str) -> Result<u16, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=MOST_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        let message = format!("expected a number from 1 to {MOST_LIMIT}");
        Problem::parameter("limit", Invalid::new("out_of_range", message))
    })
}

/// Reads parameters one by one into `T`, so that the one at fault can be named.
fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    let whole = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(whole.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner().to_string();
        let name = if path == "." { quoted(&cause).unwrap_or("query").to_owned() } else { path };
        let mistake =
            Invalid::from_message(&cause).unwrap_or_else(|| Invalid::new("invalid", &cause));
        Problem::parameter(&name, mistake)
    })
}

/// The name in back quotes of a parser's message, such as "unknown field `colour`".
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
