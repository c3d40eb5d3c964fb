//! The contract: no operation takes a parameter or a body that its description does not name.
//!
//! What is not known is refused and not passed over, so that a typing error is not silently a list of
//! everything, or a verb without what was said with it. The description is the one that is published.

use crate::{access::Caller, list::pairs, problem::Problem, reading, request::Received};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::invalid::Invalid;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What each operation takes, by its method and the pattern of its path.
#[derive(Debug)]
pub(crate) struct Contract(BTreeMap<String, Takes>);

/// What one operation takes.
#[derive(Debug)]
struct Takes {
    parameters: BTreeSet<String>,
    has_body: bool,
    /// Whether callers must say who they are; if they have not, they hear that first.
    is_guarded: bool,
}

impl Contract {
    /// The contract as the document says it.
    pub(crate) fn of(document: &Value) -> Self {
        Self(operations(document).map(|(name, operation)| (name, Takes::of(operation))).collect())
    }

    /// What the operation that `request` reached takes; `None` for pages, which are not described.
    fn takes(&self, request: &Request) -> Option<&Takes> {
        self.0.get(&reached(request)?)
    }
}

/// The operations of a document, by method and the pattern of the path.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flatten().filter_map(|(path, item)| {
        Some(item.as_object()?.iter().map(move |(method, operation)| {
            (format!("{} {path}", method.to_ascii_uppercase()), operation)
        }))
    });
    items.flatten()
}

/// The operation that `request` reached, by the same name.
pub(crate) fn reached(request: &Request) -> Option<String> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let method = if request.method() == "HEAD" { "GET" } else { request.method().as_str() };
    Some(format!("{method} {path}"))
}

impl Takes {
    fn of(operation: &Value) -> Self {
        let list = |name: &str| operation.get(name).and_then(Value::as_array).into_iter().flatten();
        let in_query =
            |parameter: &&Value| parameter.get("in").is_some_and(|place| place == "query");
        let names =
            list("parameters").filter(in_query).filter_map(|parameter| parameter.get("name"));
        Self {
            parameters: names.filter_map(Value::as_str).map(str::to_owned).collect(),
            has_body: operation.get("requestBody").is_some(),
            is_guarded: list("security").next().is_some(),
        }
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

/// Holds requests to the contract before a handler sees them.
pub(crate) async fn hold(
    State(contract): State<Arc<Contract>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(takes) = contract.takes(&request)
        && (!takes.is_guarded || request.extensions().get::<Caller>().is_some())
        && let Err(problem) = takes.check_query(&request).and_then(|()| takes.check_body(&request))
    {
        return problem.into_response();
    }
    next.run(request).await
}
