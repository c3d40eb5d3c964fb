//! What the answers of all operations share: the headers they carry, and examples of the problems behind
//! each status.

use crate::problem::{self, Problem};
use domain::{invalid::Invalid, refusal};
use serde_json::{Map, Value, json};

/// Problems that a caller may meet under `status`, as they look on the wire.
pub(super) fn problems(status: &str) -> Vec<Problem> {
    match status {
        "400" => vec![
            Problem::parameter("limit", Invalid::new("out_of_range", "expected 1 to 200")),
            Problem::new(&problem::WRONG_ID_TYPE).at(
                "customer_id",
                Invalid::new("wrong_id_type", "expected an identifier that begins with cus_"),
            ),
        ],
        "401" => vec![Problem::new(&problem::UNAUTHORIZED)],
        "403" => vec![Problem::new(&problem::FORBIDDEN).with("required_scope", "complaints:write")],
        "404" => vec![Problem::new(&problem::NOT_FOUND)],
        "408" => vec![Problem::new(&problem::BODY_TOO_SLOW)],
        "409" => vec![
            refusal::illegal("resolved", &["close", "reopen"]).into(),
            Problem::new(&problem::STILL_RUNNING).retry_after(1),
        ],
        "412" => vec![Problem::new(&problem::STALE).with("current_version", 4)],
        "413" => vec![Problem::new(&problem::TOO_LARGE).with("most_bytes", 1_048_576)],
        "415" => {
            vec![Problem::new(&problem::UNSUPPORTED_TYPE).with("expected", "application/json")]
        }
        "422" => vec![
            Problem::body("/price/amount", Invalid::new("out_of_range", "expected 0 or more")),
            Problem::new(&problem::KEY_REUSED),
        ],
        "428" => vec![Problem::new(&problem::MATCH_REQUIRED)],
        "429" => vec![Problem::new(&problem::TOO_MANY).retry_after(2)],
        "503" => vec![Problem::new(&problem::UNAVAILABLE).retry_after(1)],
        _ => vec![Problem::new(&problem::FAULT)],
    }
}

/// The headers of answers: name, what it says, an example.
const HEADERS: [(&str, &str, &str); 11] = [
    (
        "X-Request-Id",
        "The request, for asking us about it: what you sent, or a name we made up.",
        "req_01m80t7jx3e9vbq2f4c6d8g0hk",
    ),
    ("Content-Language", "The language in which the problem is told.", "en"),
    ("ETag", "The version of the record, for If-Match and If-None-Match.", "\"3\""),
    ("Link", "The next page, when there is one.", "</v1/customers?cursor=eyJ2Ijox>; rel=\"next\""),
    (
        "Idempotency-Replayed",
        "`true` when the answer was given before, to the same request under the same Idempotency-Key.",
        "true",
    ),
    ("Retry-After", "Whole seconds after which trying again makes sense.", "1"),
    (
        "RateLimit-Policy",
        "The limits: how many requests at once (`q`), and the seconds in which they come back (`w`).",
        "\"caller\";q=400;w=4, \"tenant\";q=1600;w=4",
    ),
    (
        "RateLimit",
        "What is left of the tighter limit (`r`), and when it is whole again (`t`, seconds).",
        "\"caller\";r=399;t=1",
    ),
    ("X-RateLimit-Limit", "The same, for clients of the older custom: requests at once.", "400"),
    ("X-RateLimit-Remaining", "What is left.", "399"),
    ("X-RateLimit-Reset", "Seconds until it is whole again.", "1"),
];

/// The headers by which a caller sees how often it may call.
const LIMITS: [&str; 5] = [
    "RateLimit-Policy",
    "RateLimit",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
];

/// The headers of answers, described once.
pub(super) fn headers() -> Value {
    let described = HEADERS.iter().map(|(name, says, example)| {
        let header = json!({"description": says, "schema": {"type": "string", "maxLength": 512}, "example": example});
        ((*name).to_owned(), header)
    });
    Value::Object(described.collect())
}

/// Says which headers the answers of an operation carry, and that a record which is known already is not sent
/// again.
pub(super) fn carry_headers(operation: &mut Value) {
    let guarded =
        operation.get("security").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let keyed = takes(operation, "Idempotency-Key");
    let shows_record =
        operation.pointer("/responses/200/headers/ETag").is_some() && !has_body(operation);
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        let mut names = vec!["X-Request-Id"];
        names.extend(LIMITS.iter().filter(|_| guarded && status != "401"));
        if response.pointer("/content/application~1problem+json").is_some() {
            names.push("Content-Language");
        }
        if ["409", "429", "503"].contains(&status.as_str()) {
            names.push("Retry-After");
        }
        if status.starts_with('2') {
            names.extend(keyed.then_some("Idempotency-Replayed"));
            names.extend(is_list(response).then_some("Link"));
        }
        refer(response, &names);
    }
    if shows_record {
        offer_not_modified(operation);
    }
}

/// Says a problem that several operations share once, and refers to it: its name is that of its status, and a number
/// where problems of one status differ.
pub(super) fn share_problems(operation: &mut Value, shared: &mut Map<String, Value>) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if response.pointer("/content/application~1problem+json").is_some() {
            let name = kept(shared, status, response);
            *response = json!({"$ref": format!("#/components/responses/{name}")});
        }
    }
}

/// The name under which a response is kept with the others, once.
fn kept(shared: &mut Map<String, Value>, status: &str, response: &Value) -> String {
    let names = (1_u32..).map(|number| match number {
        1 => format!("Problem_{status}"),
        _ => format!("Problem_{status}_{number}"),
    });
    for name in names {
        match shared.get(&name) {
            Some(other) if other != response => {}
            Some(_) => return name,
            None => {
                shared.insert(name.clone(), response.clone());
                return name;
            }
        }
    }
    String::new()
}

fn takes(operation: &Value, header: &str) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters
        .into_iter()
        .flatten()
        .any(|parameter| parameter.get("name").is_some_and(|name| name == header))
}

fn has_body(operation: &Value) -> bool {
    operation.get("requestBody").is_some()
}

fn is_list(response: &Value) -> bool {
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    schema.is_some_and(|name| name.contains("/ListOf_"))
}

/// Adds references to described headers; what an operation says of its own stays.
fn refer(response: &mut Value, names: &[&str]) {
    let Some(response) = response.as_object_mut() else { return };
    let known = response.entry("headers").or_insert_with(|| Map::new().into());
    let Some(known) = known.as_object_mut() else { return };
    for name in names {
        let reference = json!({"$ref": format!("#/components/headers/{name}")});
        known.entry((*name).to_owned()).or_insert(reference);
    }
}

fn offer_not_modified(operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else { return };
    let parameter = json!({
        "name": "If-None-Match", "in": "header", "required": false,
        "description": "The ETag of the record as you have it; when it is still that one, the answer is 304 and has no body.",
        "schema": {"type": "string"}, "example": "\"3\"",
    });
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(parameter);
    }
    let mut unchanged = json!({"description": "You have it already."});
    refer(&mut unchanged, &["X-Request-Id", "ETag"]);
    refer(&mut unchanged, &LIMITS);
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.entry("304").or_insert(unchanged);
    }
}
