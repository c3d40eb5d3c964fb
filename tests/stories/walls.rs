//! The walls between tenants, and between the dealers of one: every operation of the document is tried
//! with every identifier it takes. A stranger's real identifier and one that nobody has must be answered
//! alike, by every role. An operation that cannot be tried fails the test.

use crate::house::{Client, House, Reply};
use domain::identity::{Role, Scope};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Identifiers by their kind (`cus`, `ord` ..).
type Known = BTreeMap<String, Vec<String>>;

/// Kinds of which nothing exists in a brand that has just been furnished, and why.
const ABSENT: &[(&str, &str)] =
    &[("clk", "only a sandbox has a clock"), ("iss", "the brand has named no issuer of its own")];

/// One operation of the document.
struct Operation {
    name: String,
    method: Method,
    path: String,
    scope: String,
    /// The kind of each identifier in the path.
    kinds: Vec<String>,
    /// The kind of each identifier among the query parameters, by name.
    filters: Vec<(String, String)>,
    body: Option<(String, Value)>,
}

fn document() -> Value {
    api::document()
}

/// The kind in the pattern of an identifier's schema.
fn kind_of(schema: &Value, document: &Value) -> Option<String> {
    let named = |schema: &Value| {
        schema["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap().to_owned())
    };
    let reference = named(schema).or_else(|| schema["oneOf"].as_array()?.iter().find_map(named));
    let schema = reference.map_or(schema, |name| &document["components"]["schemas"][&name]);
    let pattern = schema["pattern"].as_str()?.strip_prefix('^')?;
    let (kind, rest) = pattern.split_once('_')?;
    rest.starts_with("[0-7]").then(|| kind.to_owned())
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !path.starts_with("/v1/") || operation["operationId"].is_null() {
                continue;
            }
            operations.push(read_operation(document, path, method, operation));
        }
    }
    operations
}

fn read_operation(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let mut kinds = BTreeMap::new();
    let mut filters = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let Some(kind) = kind_of(&parameter["schema"], document) else { continue };
        match parameter["in"].as_str().unwrap() {
            "path" => {
                kinds.insert(path.find(&format!("{{{name}}}")).unwrap(), kind);
            }
            _ => filters.push((name.to_owned(), kind)),
        }
    }
    let content =
        operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = content.map(|(media, body)| {
        let name = body["schema"]["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
        let example = match &body["example"] {
            Value::Null => document["components"]["schemas"][name]["examples"][0].clone(),
            example => example.clone(),
        };
        (media.clone(), example)
    });
    Operation {
        name: operation["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        scope: operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|one| one["oauth"][0].as_str())
            .unwrap_or_default()
            .to_owned(),
        kinds: kinds.into_values().collect(),
        filters,
        body,
    }
}

/// An identifier of `kind` that nobody has.
fn nobodys(kind: &str) -> String {
    use domain::ids::{CustomerId, Identifier as _};
    let id = CustomerId::from(Uuid::now_v7()).to_string();
    id.replacen(CustomerId::PREFIX, kind, 1)
}

impl Operation {
    /// The path with these identifiers in it.
    fn at(&self, ids: &[String]) -> String {
        let mut parts = self.path.split('{');
        let mut path = parts.next().unwrap().to_owned();
        for (place, part) in parts.enumerate() {
            let (_, rest) = part.split_once('}').unwrap();
            let text = ids.get(place).cloned().unwrap_or_else(|| "x".to_owned());
            path = format!("{path}{text}{rest}");
        }
        path
    }

    /// Tries the operation on the record `ids` name, with the example of its document.
    async fn tried(&self, caller: &Client, ids: &[String], body: Option<Value>) -> Reply {
        let mut request = caller
            .request(self.method.clone(), &self.at(ids))
            .header("idempotency-key", Uuid::new_v4().to_string())
            .header("if-match", "*");
        if let Some((media, example)) = &self.body {
            let body = body.unwrap_or_else(|| example.clone());
            request = request.header("content-type", media).body(body.to_string());
        }
        caller.send(request).await
    }
}

/// What an answer says, without what tells requests apart.
fn told(reply: &Reply, ids: &[String]) -> (u16, String) {
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let text = ids.iter().fold(body.to_string(), |text, id| text.replace(id, "ID"));
    (reply.status.as_u16(), text)
}

/// Furnishes a brand with at least one record of each kind, as the demo does.
async fn furnish(key: &Client, mark: &str) -> BTreeMap<String, String> {
    let steps: Vec<Value> =
        serde_json::from_str(include_str!("../../src/demo/brand.json")).unwrap();
    let mut names = BTreeMap::from([("today".to_owned(), "2026-01-05".to_owned())]);
    let fill = |text: &str, names: &BTreeMap<String, String>| {
        names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    };
    for step in steps {
        let path = fill(step["post"].as_str().unwrap(), &names);
        let body = if step["body"].is_null() { json!({}) } else { step["body"].clone() };
        let body: Value = serde_json::from_str(&fill(&body.to_string(), &names)).unwrap();
        let reply = key.post(&path, body).await;
        assert!(reply.status.is_success(), "{mark} {path}: {reply:?}");
        names.insert(
            step["as"].as_str().unwrap().to_owned(),
            reply["id"].as_str().unwrap_or_default().to_owned(),
        );
    }
    let (li, clerk, order) = (&names["li"], &names["clerk"], &names["order_li"]);
    let complaint = json!({"customer_id": li, "order_id": order, "source": "phone", "kind": "quality",
        "severity": 2, "description": "滤芯漏水"});
    key.post("/v1/complaints", complaint).await.expect(201);
    let limits = json!({"role": "owner", "currency": "CNY", "per_request_minor": 50_000});
    key.post("/v1/authority-limits", limits).await.expect(201);
    let gesture = json!({"customer_id": li, "requester_id": clerk, "kind": "gift", "currency": "CNY",
        "problem_solved": "等了一周。", "estimate_minor": 1_000});
    names.insert("gesture".to_owned(), gesture.to_string());
    names
}

/// What only exists once the worker has done its part.
async fn go_on(key: &Client, names: &BTreeMap<String, String>) {
    let gesture: Value = serde_json::from_str(&names["gesture"]).unwrap();
    key.post("/v1/gestures", gesture).await.expect(201);
    let run =
        json!({"sop_id": names["sop"], "customer_id": names["li"], "dealer_id": names["dealer"]});
    key.post("/v1/sop-runs", run).await.expect(201);
    let complaint =
        key.get("/v1/complaints").await.expect(200).data()[0]["id"].as_str().unwrap().to_owned();
    let decision = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "我们为您更换。",
        "recourse": "请致电 12315。", "remedies": [{"kind": "goodwill"}]});
    for (verb, body) in [("acknowledge", json!({})), ("decide", decision)] {
        key.post(&format!("/v1/complaints/{complaint}/{verb}"), body).await.expect(200);
    }
    let remedies = format!("/v1/complaints/{complaint}/remedies");
    let remedy = key.get(&remedies).await.expect(200).data()[0]["id"].as_str().unwrap().to_owned();
    key.post(&format!("{remedies}/{remedy}/complete"), json!({})).await.expect(200);
    key.post(&format!("/v1/complaints/{complaint}/resolve"), json!({})).await.expect(200);
    let file = key
        .request(Method::POST, "/v1/imports?kind=customers")
        .header("content-type", "text/csv")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .body("customer_external_id,name\nc-1,王芳\n");
    key.send(file).await.expect(202);
}

/// Every identifier that `caller` sees in any list, by kind.
async fn sees(caller: &Client, operations: &[Operation]) -> Known {
    let mut known = Known::new();
    for list in operations.iter().filter(|one| one.method == Method::GET && !one.path.contains('{'))
    {
        let reply = caller.get(&format!("{}?limit=200", list.path)).await;
        collect(&reply.body["data"], &mut known);
        // Lists below a record, such as the entries of an account.
        for inner in operations.iter().filter(|one| {
            one.method == Method::GET && one.path.starts_with(&format!("{}/{{id}}", list.path))
        }) {
            let Some(id) = reply.body["data"][0]["id"].as_str() else { continue };
            collect(&caller.get(&inner.at(&[id.to_owned()])).await.body, &mut known);
        }
    }
    for ids in known.values_mut() {
        ids.sort();
        ids.dedup();
    }
    known
}

/// Every identifier in a document: texts that look like one.
fn collect(value: &Value, known: &mut Known) {
    match value {
        Value::String(text) => {
            if let Some((kind, suffix)) = text.split_once('_')
                && kind.len() == 3
                && suffix.len() == 26
                && !suffix.contains('_')
            {
                known.entry(kind.to_owned()).or_default().push(text.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Value::Object(members) => members.values().for_each(|member| collect(member, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Compares the answers about strangers' identifiers with those about nobody's, for one caller.
async fn compare(
    caller: &Client,
    who: &str,
    operations: &[Operation],
    strangers: &Known,
) -> (u32, Vec<String>) {
    let (mut tried, mut leaks) = (0, Vec::new());
    for operation in operations {
        for (foreign, random, body) in variants(operation, strangers) {
            let real = operation
                .tried(caller, &foreign, body.as_ref().map(|(real, _)| real.clone()))
                .await;
            let made_up = operation
                .tried(caller, &random, body.as_ref().map(|(_, made_up)| made_up.clone()))
                .await;
            let (all_foreign, all_random) = (
                mentioned(&foreign, body.as_ref().map(|b| &b.0)),
                mentioned(&random, body.as_ref().map(|b| &b.1)),
            );
            let (one, other) = (told(&real, &all_foreign), told(&made_up, &all_random));
            tried += 1;
            if one != other
                || real.status.is_server_error()
                || (!foreign.is_empty() && real.status.is_success())
            {
                leaks.push(format!(
                    "{who} {}: {one:?} for a stranger's, {other:?} for nobody's",
                    operation.name
                ));
            }
        }
        for (filter, kind) in &operation.filters {
            let Some(stranger) = strangers.get(kind).and_then(|ids| ids.first()) else { continue };
            if !operation.kinds.is_empty() {
                continue;
            }
            let random = nobodys(kind);
            let real = caller.get(&format!("{}?{filter}={stranger}", operation.path)).await;
            let made_up = caller.get(&format!("{}?{filter}={random}", operation.path)).await;
            tried += 1;
            let (one, other) =
                (told(&real, std::slice::from_ref(stranger)), told(&made_up, &[random]));
            if one != other || real.status.is_server_error() {
                leaks.push(format!("{who} {}?{filter}: {one:?} and {other:?}", operation.name));
            }
        }
    }
    (tried, leaks)
}

/// Identifiers in the path and in the body.
fn mentioned(ids: &[String], body: Option<&Value>) -> Vec<String> {
    let mut known = Known::new();
    if let Some(body) = body {
        collect(body, &mut known);
    }
    ids.iter().cloned().chain(known.into_values().flatten()).collect()
}

type Variant = (Vec<String>, Vec<String>, Option<(Value, Value)>);

/// The ways to try an operation: with a stranger's identifiers in the path, and in the body.
fn variants(operation: &Operation, strangers: &Known) -> Vec<Variant> {
    let mut variants = Vec::new();
    let foreign: Option<Vec<String>> =
        operation.kinds.iter().map(|kind| strangers.get(kind)?.first().cloned()).collect();
    let random: Vec<String> = operation.kinds.iter().map(|kind| nobodys(kind)).collect();
    if let (Some(foreign), false) = (foreign, operation.kinds.is_empty()) {
        variants.push((foreign, random.clone(), None));
    }
    if let Some((_, example)) = &operation.body {
        let (mut real, mut made_up, mut replaced) = (example.clone(), example.clone(), false);
        replace(
            &mut real,
            &mut |kind| strangers.get(kind).and_then(|ids| ids.first().cloned()),
            &mut replaced,
        );
        replace(
            &mut made_up,
            &mut |kind| strangers.contains_key(kind).then(|| nobodys(kind)),
            &mut replaced,
        );
        if replaced && operation.kinds.is_empty() {
            variants.push((Vec::new(), Vec::new(), Some((real, made_up))));
        }
    }
    variants
}

/// Puts other identifiers in the place of those in an example.
fn replace(value: &mut Value, by: &mut impl FnMut(&str) -> Option<String>, replaced: &mut bool) {
    match value {
        Value::String(text) => {
            let looks =
                text.split_once('_').filter(|(kind, suffix)| kind.len() == 3 && suffix.len() == 26);
            if let Some(other) = looks.and_then(|(kind, _)| by(kind)) {
                *text = other;
                *replaced = true;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, by, replaced)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| replace(member, by, replaced));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn another_brand_s_records_are_answered_like_nobody_s_to_every_role() {
    let house = House::opens().await;
    let (ours, theirs) = (house.brand("ours").await.live, house.brand("theirs").await.live);
    let (own_key, their_key) = (house.brand_key(ours), house.brand_key(theirs));
    let names = furnish(&own_key, "ours").await;
    let their_names = furnish(&their_key, "theirs").await;
    house.pass_days(60).await;
    go_on(&own_key, &names).await;
    go_on(&their_key, &their_names).await;
    house.pass_days(2).await;
    // The last letter that asks is theirs; somebody answers it.
    let page = crate::voice::link(&house).await;
    let answer = house.stranger();
    let form = answer.request(Method::POST, &page).form(&[("score", "5")]);
    answer.send(form).await.expect(200);
    let operations = operations(&document());
    let strangers = sees(&their_key, &operations).await;

    let kinds: BTreeSet<_> = operations.iter().flat_map(|one| one.kinds.clone()).collect();
    let untried: Vec<_> = kinds.iter().filter(|kind| !strangers.contains_key(*kind)).collect();
    let excused: Vec<_> = ABSENT.iter().map(|(kind, _)| *kind).collect();
    assert!(
        untried.iter().all(|kind| excused.contains(&kind.as_str())),
        "no record to try: {untried:?}"
    );

    let (mut tried, mut leaks) =
        compare(&own_key, "the brand's key", &operations, &strangers).await;
    for role in Role::ALL {
        let dealer = (!role.is_brand()).then(|| names["dealer"].parse().unwrap());
        let staff = if role == Role::Technician { &names["technician"] } else { &names["clerk"] };
        let person = house.person(ours, role, staff.parse().unwrap(), dealer);
        let (more, found) = compare(&person, &format!("{role:?}"), &operations, &strangers).await;
        tried += more;
        leaks.extend(found);
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(tried > 500, "only {tried} tries");
}

#[tokio::test]
async fn another_dealer_s_records_are_answered_like_nobody_s() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let names = furnish(&key, "clearwater").await;
    house.settle().await;
    go_on(&key, &names).await;
    house.pass_days(60).await;
    let other =
        key.post("/v1/dealers", json!({"code": "other", "name": "Other"})).await.expect(201).id();
    let clerk = json!({"dealer_id": other, "name": "Somebody", "role": "clerk"});
    let outsider = key.post("/v1/staff", clerk).await.expect(201).id();
    let operations = operations(&document());
    let inside = house.person(
        brand,
        Role::Owner,
        names["owner"].parse().unwrap(),
        Some(names["dealer"].parse().unwrap()),
    );
    let outside =
        house.person(brand, Role::Owner, outsider.parse().unwrap(), Some(other.parse().unwrap()));
    let (seen, shared) = (sees(&inside, &operations).await, sees(&outside, &operations).await);
    let mut strangers = Known::new();
    for (kind, ids) in seen {
        let common = shared.get(&kind).cloned().unwrap_or_default();
        let own: Vec<_> = ids.into_iter().filter(|id| !common.contains(id)).collect();
        if !own.is_empty() {
            strangers.insert(kind, own);
        }
    }
    for kind in ["cus", "ast", "ord", "cmp", "ges", "enr", "wor", "apt", "acc"] {
        assert!(strangers.contains_key(kind), "the dealer has no {kind} of its own");
    }
    let mut leaks = Vec::new();
    for role in Role::ALL.into_iter().filter(|role| !role.is_brand()) {
        let person =
            house.person(brand, role, outsider.parse().unwrap(), Some(other.parse().unwrap()));
        leaks.extend(compare(&person, &format!("{role:?}"), &operations, &strangers).await.1);
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn every_role_may_do_what_its_scopes_say_and_nothing_else() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let dealer =
        key.post("/v1/dealers", json!({"code": "one", "name": "One"})).await.expect(201).id();
    let clerk = json!({"dealer_id": dealer, "name": "Somebody", "role": "clerk"});
    let staff = key.post("/v1/staff", clerk).await.expect(201).id();
    let operations = operations(&document());
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let of_dealer = (!role.is_brand()).then(|| dealer.parse().unwrap());
        let person = house.person(brand, role, staff.parse().unwrap(), of_dealer);
        let scopes: Vec<&str> = role.scopes().into_iter().map(Scope::as_str).collect();
        for operation in &operations {
            let ids: Vec<String> = operation.kinds.iter().map(|kind| nobodys(kind)).collect();
            let reply = operation.tried(&person, &ids, None).await;
            let refused =
                reply["code"] == "forbidden" && reply["required_scope"] == operation.scope.as_str();
            let may = scopes.contains(&operation.scope.as_str());
            if may == refused || reply.status.is_server_error() || reply.status.as_u16() == 401 {
                wrong.push(format!("{role:?} {} ({}): {reply:?}", operation.name, operation.scope));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn without_credentials_there_is_nothing() {
    let house = House::opens().await;
    let stranger = house.stranger();
    for operation in operations(&document()) {
        let ids: Vec<String> = operation.kinds.iter().map(|kind| nobodys(kind)).collect();
        let reply = operation.tried(&stranger, &ids, None).await;
        assert_eq!(reply.status.as_u16(), 401, "{}: {reply:?}", operation.name);
    }
}
