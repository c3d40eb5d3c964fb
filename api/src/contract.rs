//! The contract: no operation takes a parameter or a body that its description does not name.
//!
//! What is not known is refused and not passed over, so that a typing error is not silently a list of
//! everything, or a verb without what was said with it. The description is the one that is published.

use crate::{
    access::Caller,
    deprecation::{Farewell, Mark},
    list::pairs,
    problem::Problem,
    reading,
    request::Received,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::invalid::Invalid;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What each operation takes, by the pattern of its path and its method.
#[derive(Debug)]
pub(crate) struct Contract(BTreeMap<String, BTreeMap<String, Takes>>);

/// What one operation takes.
#[derive(Debug)]
struct Takes {
    parameters: BTreeSet<String>,
    has_body: bool,
    /// Whether callers must say who they are; if they have not, they hear that first.
    is_guarded: bool,
    /// What its answers say when it will go.
    farewell: Option<Farewell>,
}

/// What is read of the document: the rest of its megabyte is never held in memory.
#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Described>>,
}

/// An operation as the document describes it.
#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(rename = "requestBody")]
    body: Option<IgnoredAny>,
    #[serde(default)]
    security: Vec<IgnoredAny>,
    #[serde(rename = "x-deprecation")]
    mark: Option<Mark>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
}

impl Contract {
    /// The contract as the document says it.
    pub(crate) fn of(document: &str) -> Result<Self, serde_json::Error> {
        let Document { paths } = serde_json::from_str(document)?;
        let operations = |item: BTreeMap<String, Described>| {
            item.into_iter()
                .map(|(method, operation)| (method.to_ascii_uppercase(), Takes::from(operation)))
                .collect()
        };
        Ok(Self(paths.into_iter().map(|(path, item)| (path, operations(item))).collect()))
    }

    /// What the operation that `request` reached takes; `None` for pages, which are not described.
    fn takes(&self, request: &Request) -> Option<&Takes> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let method = if request.method() == "HEAD" { "GET" } else { request.method().as_str() };
        self.0.get(path)?.get(method)
    }
}

impl From<Described> for Takes {
    fn from(operation: Described) -> Self {
        let in_query = operation.parameters.into_iter().filter(|one| one.place == "query");
        Self {
            parameters: in_query.map(|one| one.name).collect(),
            has_body: operation.body.is_some(),
            is_guarded: !operation.security.is_empty(),
            farewell: operation.mark.as_ref().and_then(Farewell::of),
        }
    }
}

impl Takes {
    /// Refuses what is not described; who has to say who they are, and has not, hears that first.
    fn check(&self, request: &Request) -> Result<(), Problem> {
        if self.is_guarded && request.extensions().get::<Caller>().is_none() {
            return Ok(());
        }
        self.check_query(request)?;
        self.check_body(request)
    }

    /// Refuses parameters that are not described, and those that are given twice.
    fn check_query(&self, request: &Request) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for (name, _) in pairs(request.uri())? {
            let is_known = self.parameters.contains(&name);
            let mistake = match (is_known, seen.insert(name.clone())) {
                (true, true) => continue,
                (true, false) => Invalid::new("duplicate_parameter", "expected once, found twice")
                    .in_chinese("只能出现一次"),
                (false, _) => {
                    Invalid::new("unknown_parameter", "this operation does not know the parameter")
                        .in_chinese("此操作没有这个参数")
                        .allowing(self.parameters.iter().cloned())
                }
            };
            return Err(Problem::parameter(&name, mistake));
        }
        Ok(())
    }

    /// Refuses a body where none is taken; an empty object says nothing and is fine.
    fn check_body(&self, request: &Request) -> Result<(), Problem> {
        let Some(Received(bytes)) = request.extensions().get::<Received>() else { return Ok(()) };
        if self.has_body || bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        let members: Map<String, Value> = reading::from_bytes(bytes)?;
        let Some(first) = members.keys().next() else { return Ok(()) };
        let mistake = Invalid::new("unknown_field", "this operation takes no body")
            .in_chinese("此操作不接受请求体");
        Err(Problem::body(&reading::member(first), mistake))
    }
}

/// Holds requests to the contract before a handler sees them. Every answer of an operation that will go says
/// so, refusals included.
pub(crate) async fn hold(
    State(contract): State<Arc<Contract>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(takes) = contract.takes(&request) else { return next.run(request).await };
    let mut response = match takes.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(farewell) = &takes.farewell {
        farewell.tell(response.headers_mut());
    }
    response
}
