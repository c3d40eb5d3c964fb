//! Deprecation: an operation that will go says so for twelve months, in the document and on every answer.
//!
//! It is marked where it is described, with `extensions(("x-deprecation" = json!({"since_on": "2027-01-15",
//! "sunset_on": "2028-01-15"})))` in its `utoipa::path`. Everything else follows from the mark: `deprecated`
//! in the document, and the headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link`. The lint of the
//! document refuses a mark that gives less than twelve months.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::{DateTime, Utc};
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

static DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
static SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Where people read what takes the place of an operation.
const DOCUMENTATION: HeaderValue =
    HeaderValue::from_static("</docs>; rel=\"deprecation\"; type=\"text/html\"");

/// The mark of an operation that will go, as it is written: two dates.
#[derive(Deserialize)]
pub(crate) struct Mark {
    since_on: String,
    sunset_on: String,
}

/// Since when an operation is deprecated, and until when it works.
#[derive(Debug, Clone, Copy)]
struct Notice {
    since: Timestamp,
    sunset: Timestamp,
}

impl Notice {
    /// What a mark says; `None` when it names no dates.
    fn of(mark: &Mark) -> Option<Self> {
        let midnight = |on: &str| format!("{on}T00:00:00Z").parse().ok();
        Some(Self { since: midnight(&mark.since_on)?, sunset: midnight(&mark.sunset_on)? })
    }

    /// As RFC 9745 writes it: a date of structured fields, in seconds.
    fn deprecation(&self) -> String {
        format!("@{}", self.since.unix_seconds())
    }

    /// As RFC 8594 writes it: an HTTP date.
    fn sunset(&self) -> String {
        DateTime::<Utc>::from(self.sunset).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// Says of a marked operation that it is deprecated, and which headers its good answers carry.
pub(crate) fn describe(operation: &mut Value) {
    let mark = operation.get("x-deprecation").and_then(|mark| Mark::deserialize(mark).ok());
    let Some(notice) = mark.as_ref().and_then(Notice::of) else { return };
    let Some(operation) = operation.as_object_mut() else { return };
    operation.insert("deprecated".to_owned(), json!(true));
    let said = [
        ("Deprecation", "Since when the operation is deprecated (RFC 9745).", notice.deprecation()),
        ("Sunset", "Until when it works at least (RFC 8594).", notice.sunset()),
    ];
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    let good = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    for response in good.filter_map(|(_, response)| response.as_object_mut()) {
        let headers = response.entry("headers").or_insert_with(|| json!({}));
        for (name, says, example) in &said {
            let schema = json!({"type": "string", "maxLength": 64});
            let header = json!({"description": says, "schema": schema, "example": example});
            if let Some(headers) = headers.as_object_mut() {
                headers.insert((*name).to_owned(), header);
            }
        }
    }
}

/// What every answer of an operation that will go says in its headers.
#[derive(Debug)]
pub(crate) struct Farewell([(HeaderName, HeaderValue); 2]);

impl Farewell {
    /// What a marked operation says; `None` when the mark names no dates.
    pub(crate) fn of(mark: &Mark) -> Option<Self> {
        let notice = Notice::of(mark)?;
        let since = HeaderValue::try_from(notice.deprecation()).ok()?;
        let sunset = HeaderValue::try_from(notice.sunset()).ok()?;
        Some(Self([(DEPRECATION.clone(), since), (SUNSET.clone(), sunset)]))
    }

    /// Says it.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.insert(name, value.clone());
        }
        // A list has a link to its next page already.
        headers.append(header::LINK, DOCUMENTATION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        contract::{self, Contract},
        openapi,
    };
    use axum::{Router, body::Body, extract::Request, http::StatusCode, middleware};
    use std::sync::Arc;
    use tower::ServiceExt as _;
    use utoipa::openapi::OpenApi;
    use utoipa_axum::{router::OpenApiRouter, routes};

    /// Shows what is going
    #[utoipa::path(
        get, path = "/v1/going/{id}", operation_id = "going", params(("id" = String, Path)),
        responses((status = 200, description = "It is there still.", body = String)),
        extensions(("x-deprecation" = json!({"since_on": "2027-01-15", "sunset_on": "2028-01-15"}))),
    )]
    async fn going() -> StatusCode {
        StatusCode::NOT_FOUND
    }

    /// Shows what stays
    #[utoipa::path(
        get, path = "/v1/staying", operation_id = "staying",
        responses((status = 200, description = "It is there.", body = String)),
    )]
    async fn staying() -> StatusCode {
        StatusCode::OK
    }

    fn service() -> (Router, Value) {
        let router = OpenApiRouter::<()>::with_openapi(OpenApi::default());
        let router = router.routes(routes!(going)).routes(routes!(staying));
        let (router, document) = router.split_for_parts();
        let document = openapi::complete(document);
        let contract = Arc::new(Contract::of(&document.to_string()).unwrap());
        (router.route_layer(middleware::from_fn_with_state(contract, contract::hold)), document)
    }

    async fn told(path: &str) -> Vec<(String, String)> {
        let (router, _) = service();
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let ours = ["deprecation", "sunset", "link"];
        let headers = response.headers().iter().filter(|(name, _)| ours.contains(&name.as_str()));
        headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[tokio::test]
    async fn a_marked_operation_announces_its_end_on_every_answer() {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let said = [
            ("deprecation", "@1799971200"),
            ("sunset", "Sat, 15 Jan 2028 00:00:00 GMT"),
            ("link", "</docs>; rel=\"deprecation\"; type=\"text/html\""),
        ];
        assert_eq!(told("/v1/going/1").await, said.map(pair));
        assert_eq!(told("/v1/staying").await, []);
    }

    #[test]
    fn the_document_says_so_too() {
        let (_, document) = service();
        let (going, staying) =
            (&document["paths"]["/v1/going/{id}"]["get"], &document["paths"]["/v1/staying"]["get"]);
        assert_eq!(going["deprecated"], true);
        let sunset = &going["responses"]["200"]["headers"]["Sunset"];
        assert_eq!(sunset["example"], "Sat, 15 Jan 2028 00:00:00 GMT");
        assert_eq!(staying["deprecated"], Value::Null);
        assert_eq!(staying["responses"]["200"]["headers"]["Sunset"], Value::Null);
    }
}
