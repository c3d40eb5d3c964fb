//! The operations of the OpenAPI document, and every place in them where an identifier stands.

use crate::house::{Client, Reply};
use domain::identity::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use uuid::Uuid;

/// Identifiers by their kind (`cus`, `ord` ..).
pub(super) type Known = BTreeMap<String, Vec<String>>;

/// What an operation needs to be asked besides identifiers.
const QUERIES: &[(&str, &str)] = &[
    ("hand_in_file", "kind=orders"),
    ("preview_plan_template", "delivered_on=2026-01-05"),
    ("suggest_gifts", "budget_minor=5000&currency=CNY"),
    ("attach_sop_evidence", "kind=photo"),
    ("report_sop_adherence", "by=dealer"),
    ("export_resolution_log", "format=jsonl"),
    ("list_calendar_days", "from_on=2026-10-01&to_on=2026-10-10"),
    ("find_calendar_deadline", "minutes=60"),
    ("export_calendar_exceptions", "from_on=2026-10-01&to_on=2026-10-10"),
    ("list_calendar_events", "from_on=2026-10-01&to_on=2026-10-10"),
];

/// Parameters of a path that are neither identifiers nor names of other systems.
const NAMED: &[(&str, &str)] = &[("applies_on", "2026-10-10")];

/// The one operation that every caller may do: it shows them themselves and nothing else.
const WITHOUT_SCOPE: &str = "show_me";

/// A file of orders, because orders may name every record that a file can.
const ORDERS: &str = r#"{"order_external_id": "S-1", "customer_external_id": "C-1", "paid_on": "2025-12-24",
    "quantity": 1, "price_minor": 299900, "currency": "CNY"}"#;

/// Days of examples lie ahead of the story's clock, and nobody has paid or delivered then.
const DAYS: [&str; 2] = ["paid_on", "delivered_on"];
/// A day that lies behind it.
const PAST: &str = "2026-01-05";

/// How deep documents go: deeper than any of ours, and shallow enough to end.
const DEEPEST: usize = 8;

/// One operation of the document.
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) path: String,
    /// What a caller must have; empty when nothing.
    pub(super) scope: String,
    /// Parameters of the path, in order, with the kind of each identifier among them.
    parameters: Vec<(String, Option<String>)>,
    /// The kind of each identifier among the query parameters, by name.
    filters: Vec<(String, String)>,
    /// The kind of each identifier in the body, by where it stands.
    members: Vec<(Vec<Step>, String)>,
    /// The media type of the body, its example in the operation, and one with all members.
    body: Option<(String, Value, Value)>,
}

/// A step into a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    First,
}

/// Where an identifier stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Path(String),
    Query(String),
    Body(Vec<Step>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(name) => write!(f, "{{{name}}}"),
            Self::Query(name) => write!(f, "?{name}"),
            Self::Body(steps) => steps.iter().try_for_each(|step| match step {
                Step::Member(name) => write!(f, "/{name}"),
                Step::First => f.write_str("/0"),
            }),
        }
    }
}

/// Reads all operations under `/v1` from the document.
pub(super) fn operations() -> Vec<Operation> {
    let document = api::document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if path.starts_with("/v1/") && !operation["operationId"].is_null() {
                operations.push(read_operation(&document, path, method, operation));
            }
        }
    }
    operations
}

fn read_operation(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let (mut parameters, mut filters, mut members) = (BTreeMap::new(), Vec::new(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap().to_owned();
        let kind = kind_of(&parameter["schema"], document);
        match (parameter["in"].as_str().unwrap(), kind) {
            ("path", kind) => {
                parameters.insert(path.find(&format!("{{{name}}}")).unwrap(), (name, kind));
            }
            ("query", Some(kind)) => filters.push((name, kind)),
            _ => {}
        }
    }
    let content =
        operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = content.map(|(media, body)| {
        find_members(&body["schema"], document, &mut Vec::new(), &mut members);
        let full = resolve(&body["schema"], document)["examples"][0].clone();
        let example =
            if body["example"].is_null() { full.clone() } else { body["example"].clone() };
        let full = if full.is_null() { example.clone() } else { full };
        (media.clone(), example, full)
    });
    let mut scopes = operation["security"].as_array().unwrap().iter();
    let scope = scopes.find_map(|one| one["oauth"][0].as_str()).unwrap_or_default();
    let name = operation["operationId"].as_str().unwrap();
    assert!(!scope.is_empty() || name == WITHOUT_SCOPE, "{name} names no scope");
    Operation {
        name: name.to_owned(),
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        scope: scope.to_owned(),
        parameters: parameters.into_values().collect(),
        filters,
        members,
        body,
    }
}

/// The schema that a reference names, also where null is allowed beside it.
fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// The kind in the pattern of an identifier's schema.
fn kind_of(schema: &Value, document: &Value) -> Option<String> {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let mut schemas = choices.chain([schema]).map(|one| resolve(one, document));
    let pattern = schemas.find_map(|schema| schema["pattern"].as_str())?;
    let (kind, rest) = pattern.strip_prefix('^')?.split_once('_')?;
    // Where an identifier of any kind is taken, a customer's stands for all.
    let kind = if kind.starts_with('(') { "cus" } else { kind };
    rest.starts_with("[0-7]").then(|| kind.to_owned())
}

/// Notes every identifier in a schema, those in lists and those that may be null among them.
fn find_members(
    schema: &Value,
    document: &Value,
    at: &mut Vec<Step>,
    found: &mut Vec<(Vec<Step>, String)>,
) {
    if at.len() > DEEPEST {
        return;
    }
    if let Some(kind) = kind_of(schema, document) {
        if !found.iter().any(|(place, _)| place == at) {
            found.push((at.clone(), kind));
        }
        return;
    }
    let schema = resolve(schema, document);
    for choices in ["oneOf", "anyOf", "allOf"] {
        for choice in schema[choices].as_array().into_iter().flatten() {
            find_members(choice, document, at, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        at.push(Step::Member(name.clone()));
        find_members(member, document, at, found);
        at.pop();
    }
    if schema["items"].is_object() {
        at.push(Step::First);
        find_members(&schema["items"], document, at, found);
        at.pop();
    }
}

impl Operation {
    /// Whether a caller with `scopes` may do it.
    pub(super) fn is_open_to(&self, scopes: &BTreeSet<Scope>) -> bool {
        self.scope.is_empty() || scopes.iter().any(|scope| scope.as_str() == self.scope)
    }

    /// Every place where an identifier stands, with its kind.
    pub(super) fn places(&self) -> Vec<(Place, String)> {
        let path = self
            .parameters
            .iter()
            .filter_map(|(name, kind)| Some((Place::Path(name.clone()), kind.clone()?)));
        let query =
            self.filters.iter().map(|(name, kind)| (Place::Query(name.clone()), kind.clone()));
        let body = self.members.iter().map(|(at, kind)| (Place::Body(at.clone()), kind.clone()));
        path.chain(query).chain(body).collect()
    }

    /// Asks for the operation with `id` at `place`, if one is given, and with the caller's own identifiers
    /// everywhere else.
    pub(super) async fn tried(
        &self,
        caller: &Client,
        own: &Known,
        stranger: Option<(&Place, &str)>,
    ) -> Reply {
        let mut request = caller
            .request(self.method.clone(), &self.at(own, stranger))
            .header("idempotency-key", Uuid::new_v4().to_string())
            .header("if-match", "*");
        if let Some((media, _, _)) = &self.body {
            let body = self.filled(own, stranger);
            let body = if body.is_string() { ORDERS.replace('\n', " ") } else { body.to_string() };
            request = request.header("content-type", media).body(body);
        }
        caller.send(request).await
    }

    /// The path and the query.
    fn at(&self, own: &Known, stranger: Option<(&Place, &str)>) -> String {
        let mut path = self.path.clone();
        for (name, kind) in &self.parameters {
            let stranger = stranger.filter(|(place, _)| **place == Place::Path(name.clone()));
            let text = match (stranger, kind) {
                (Some((_, id)), _) => id.to_owned(),
                (None, Some(kind)) => an_own(own, kind),
                // Names of other systems: a body that repeats them has them from its example.
                (None, None) => self.named(name),
            };
            path = path.replace(&format!("{{{name}}}"), &text);
        }
        let needed = QUERIES.iter().find(|(operation, _)| *operation == self.name);
        let mut query: Vec<String> = needed.iter().map(|(_, query)| (*query).to_owned()).collect();
        for (name, kind) in &self.filters {
            match stranger {
                Some((place, id)) if *place == Place::Query(name.clone()) => {
                    query.push(format!("{name}={id}"));
                }
                _ if self.method == Method::GET => {}
                // A site is its dealer's.
                Some((Place::Query(place), _)) if place == "dealer_id" && name == "site_id" => {}
                _ => query.push(format!("{name}={}", an_own(own, kind))),
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn named(&self, parameter: &str) -> String {
        if let Some((_, text)) = NAMED.iter().find(|(name, _)| *name == parameter) {
            return (*text).to_owned();
        }
        let example = self.body.as_ref().and_then(|(_, _, full)| full[parameter].as_str());
        example.unwrap_or("x").to_owned()
    }

    /// The body: the example with the caller's own identifiers, and the stranger's at its place. A patch
    /// changes only the member in which that is.
    fn filled(&self, own: &Known, stranger: Option<(&Place, &str)>) -> Value {
        let Some((_, example, full)) = &self.body else { return Value::Null };
        let steps = match stranger {
            Some((Place::Body(steps), _)) => steps.as_slice(),
            _ => &[],
        };
        let mut body = match steps.first() {
            None => example.clone(),
            Some(Step::Member(name)) if self.method == Method::PATCH => {
                json!({ name: full[name].clone() })
            }
            Some(_) => full.clone(),
        };
        fill(&mut body, own);
        for day in DAYS {
            if body[day].is_string() {
                body[day] = json!(PAST);
            }
        }
        match steps.first() {
            // What goes together: a site is its dealer's, and nobody signs in without a name there.
            Some(Step::Member(name)) if name == "dealer_id" && full["site_id"].is_string() => {
                body["site_id"] = Value::Null;
            }
            Some(Step::Member(name)) if name == "issuer_id" => {
                body["subject"] = full["subject"].clone();
            }
            _ => {}
        }
        if let (Some((_, id)), false) = (stranger, steps.is_empty()) {
            put(&mut body, steps, id);
        }
        body
    }
}

/// An identifier of the caller's own, or one of nobody where the caller has none.
fn an_own(own: &Known, kind: &str) -> String {
    own.get(kind).and_then(|ids| ids.first()).cloned().unwrap_or_else(|| nobodys(kind))
}

/// An identifier of `kind` that nobody has.
pub(super) fn nobodys(kind: &str) -> String {
    use domain::ids::{CustomerId, Identifier as _};
    let id = CustomerId::from(Uuid::now_v7()).to_string();
    id.replacen(CustomerId::PREFIX, kind, 1)
}

/// The kind of a text that looks like an identifier.
fn looks_like(text: &str) -> Option<&str> {
    let (kind, suffix) = text.split_once('_')?;
    (kind.len() == 3 && suffix.len() == 26 && !suffix.contains('_')).then_some(kind)
}

/// Puts the caller's own identifiers in the place of those of an example.
fn fill(value: &mut Value, own: &Known) {
    match value {
        Value::String(text) => {
            if let Some(id) = looks_like(text).and_then(|kind| own.get(kind)?.first()) {
                *text = id.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, own)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, own)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts an identifier into a body, and makes the place where there is none.
fn put(value: &mut Value, steps: &[Step], id: &str) {
    match steps.split_first() {
        None => *value = json!(id),
        Some((Step::Member(name), rest)) => put(&mut value[name], rest, id),
        Some((Step::First, rest)) => {
            if value[0].is_null() {
                *value = json!([null]);
            }
            put(&mut value[0], rest, id);
        }
    }
}

/// Every identifier in a document, by kind.
pub(super) fn collect(value: &Value, known: &mut Known) {
    match value {
        Value::String(text) => {
            if let Some(kind) = looks_like(text) {
                let ids = known.entry(kind.to_owned()).or_default();
                if !ids.contains(text) {
                    ids.push(text.clone());
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Value::Object(members) => members.values().for_each(|member| collect(member, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every identifier that `caller` sees in any list, by kind.
pub(super) async fn sees(caller: &Client, operations: &[Operation]) -> Known {
    let mut known = Known::new();
    let reads = |one: &&Operation| one.method == Method::GET;
    for list in operations.iter().filter(reads).filter(|one| !one.path.contains('{')) {
        let reply = caller.get(&format!("{}?limit=200", list.path)).await;
        collect(&reply.body["data"], &mut known);
        // Lists below a record, such as the entries of an account.
        let below = format!("{}/{{id}}", list.path);
        for inner in operations.iter().filter(reads).filter(|one| one.path.starts_with(&below)) {
            let Some(id) = reply.body["data"][0]["id"].as_str() else { continue };
            let kind = looks_like(id).unwrap().to_owned();
            let own = Known::from([(kind, vec![id.to_owned()])]);
            collect(&inner.tried(caller, &own, None).await.body, &mut known);
        }
    }
    known
}
