//! The last hand on the document: what the generator of schemas cannot say, said on the finished JSON.
//!
//! Records embed what callers may write (`serde(flatten)`), which becomes an `allOf` with closed parts
//! that no value can fulfil; here they become one object. Lists refer to their records, patches get a
//! schema without required members, and every body an example made from those of its parts.

use super::answers;
use crate::deprecation;
use serde_json::{Map, Value, json};

/// Examples are made at most so deep; schemas that contain themselves end there.
const DEEPEST: u8 = 12;

/// Enums that callers write and whose alternatives have no other members than theirs.
const CLOSED: [&str; 4] = ["PlanTrigger", "SopMeasure", "SopAssignee", "SopDue"];

/// Completes the schemas and examples of a document.
pub(super) fn finish(document: &mut Value) {
    let names: Vec<String> = schemas(document).keys().cloned().collect();
    for name in &names {
        let merged = schemas(document).get(name).and_then(|schema| flattened(schema, document));
        if let Some(merged) = merged {
            put(document, name, merged);
        }
    }
    for name in names.iter().filter(|name| name.starts_with("ListOf_")) {
        refer_items(document, name);
    }
    for name in &names {
        expand_record(document, name);
    }
    for name in CLOSED {
        close(document, name);
    }
    describe(document);
    let whole = document.clone();
    let mut problems = Map::new();
    each_operation(document, &mut |operation| {
        patch_body(operation);
        each_body(operation, &mut |content| give_example(content, &whole));
        deprecation::describe(operation);
        answers::carry_headers(operation);
        answers::share_problems(operation, &mut problems);
    });
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("headers".to_owned(), answers::headers());
        components.insert("responses".to_owned(), problems.into());
    }
    add_patches(document);
    prune(document);
    // Facts are members of their own, so that programs need not look for them in an object of facts.
    if let Some(problem) =
        document.pointer_mut("/components/schemas/Problem").and_then(Value::as_object_mut)
    {
        let says = "The numbers and names behind the problem, such as `required_scope`, \
                    `allowed_transitions` or `current_version`; its page names them.";
        problem.insert("additionalProperties".to_owned(), json!({"description": says}));
    }
    // Languages have names of their own, which are not ours to spell.
    if let Some(locale) =
        document.pointer_mut("/components/schemas/Locale").and_then(Value::as_object_mut)
    {
        locale.insert("x-defined-by".to_owned(), json!("BCP 47"));
    }
}

/// Leaves out schemas that nothing refers to any more.
fn prune(document: &mut Value) {
    loop {
        let text = document.to_string();
        let all: Vec<String> = schemas(document).keys().cloned().collect();
        let is_used = |name: &String| text.contains(&format!("\"#/components/schemas/{name}\""));
        let unused: Vec<_> = all.into_iter().filter(|name| !is_used(name)).collect();
        if unused.is_empty() {
            return;
        }
        let known = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
        let Some(known) = known else { return };
        known.retain(|name, _| !unused.contains(name));
    }
}

fn schemas(document: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    schemas.unwrap_or(&NONE)
}

fn put(document: &mut Value, name: &str, schema: Value) {
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        schemas.insert(name.to_owned(), schema);
    }
}

/// The schema that `schema` refers to, or itself.
fn resolved<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
    name.and_then(|name| schemas(document).get(name)).unwrap_or(schema)
}

/// An object with the members of all parts of an `allOf`; `None` when there is none.
fn flattened(schema: &Value, document: &Value) -> Option<Value> {
    let parts = schema.get("allOf")?.as_array()?;
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let part = resolved(part, document);
        let inner = flattened(part, document);
        let part = inner.as_ref().unwrap_or(part);
        for (name, property) in part.get("properties").and_then(Value::as_object)? {
            properties.insert(name.clone(), property.clone());
        }
        required
            .extend(part.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
    }
    let mut merged = schema.as_object()?.clone();
    merged.remove("allOf");
    let own = parts.iter().rev().filter(|part| part.get("$ref").is_none());
    for word in ["description", "examples", "example", "title"] {
        let said = own.clone().find_map(|part| part.get(word));
        if let Some(said) = said.filter(|_| !merged.contains_key(word)) {
            merged.insert(word.to_owned(), said.clone());
        }
    }
    merged.insert("type".to_owned(), json!("object"));
    merged.insert("properties".to_owned(), properties.into());
    // What comes back always says everything: absent values are null.
    merged.insert("required".to_owned(), required.into());
    Some(merged.into())
}

/// Lists refer to the schema of their records instead of repeating it.
fn refer_items(document: &mut Value, list: &str) {
    let record = list.trim_start_matches("ListOf_").to_owned();
    if !schemas(document).contains_key(&record) {
        return;
    }
    let place = format!("/components/schemas/{list}/properties/data/items");
    if let Some(items) = document.pointer_mut(&place) {
        *items = json!({"$ref": format!("#/components/schemas/{record}")});
    }
}

/// A record beside which others may stand has a member for them, which is there when they were asked for.
fn expand_record(document: &mut Value, expanded: &str) {
    let Some(record) = expanded.strip_suffix("Expanded") else { return };
    let place = format!("/components/schemas/{record}/properties");
    let Some(properties) = document.pointer_mut(&place).and_then(Value::as_object_mut) else {
        return;
    };
    let says = "The records that `expand` asked for; only there when it did.";
    let reference =
        json!({"$ref": format!("#/components/schemas/{expanded}"), "description": says});
    properties.insert("expanded".to_owned(), reference);
}

/// Says that the alternatives of a schema have no other members.
fn close(document: &mut Value, name: &str) {
    let place = format!("/components/schemas/{name}/oneOf");
    let alternatives = document.pointer_mut(&place).and_then(Value::as_array_mut);
    for alternative in alternatives.into_iter().flatten().filter_map(Value::as_object_mut) {
        alternative.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// The tag that tells the alternatives of a schema apart has the same meaning everywhere.
fn describe(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let properties = members.get_mut("properties").and_then(Value::as_object_mut);
            properties.into_iter().flat_map(Map::values_mut).for_each(describe_tag);
            members.values_mut().for_each(describe);
        }
        Value::Array(items) => items.iter_mut().for_each(describe),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn describe_tag(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    let words = property.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
    let is_tag = words == 1 || property.contains_key("const");
    if is_tag && !property.contains_key("description") {
        let says = json!("Which of the alternatives it is.");
        property.insert("description".to_owned(), says);
    }
}

fn each_operation(document: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for path in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        let methods = path.as_object_mut().into_iter().flat_map(|path| path.values_mut());
        methods.filter(|operation| operation.get("responses").is_some()).for_each(&mut *visit);
    }
}

/// Bodies of a request and of its good answers, by media type.
fn each_body(operation: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    let bodies = |holder: &mut Value, visit: &mut dyn FnMut(&mut Value)| {
        let content = holder.get_mut("content").and_then(Value::as_object_mut);
        for (kind, body) in content.into_iter().flatten() {
            if kind.ends_with("json") && kind != "application/problem+json" {
                visit(body);
            }
        }
    };
    if let Some(request) = operation.get_mut("requestBody") {
        bodies(request, visit);
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with('2') {
            bodies(response, visit);
        }
    }
}

/// A merge patch names what changes; nothing in it is required.
fn patch_body(operation: &mut Value) {
    let place = "/requestBody/content/application~1merge-patch+json/schema/$ref";
    if let Some(Value::String(reference)) = operation.pointer_mut(place)
        && !reference.ends_with("Patch")
    {
        reference.push_str("Patch");
    }
}

/// Adds the schemas that patches refer to: those of the details, without what is required.
fn add_patches(document: &mut Value) {
    let mut wanted = Vec::new();
    each_operation(document, &mut |operation| {
        let place = "/requestBody/content/application~1merge-patch+json/schema/$ref";
        let name = operation
            .pointer(place)
            .and_then(Value::as_str)
            .and_then(|name| name.rsplit('/').next());
        wanted.extend(name.map(str::to_owned));
    });
    for name in wanted {
        let details = schemas(document).get(name.trim_end_matches("Patch")).cloned();
        let Some(Value::Object(mut patch)) = details else { continue };
        if schemas(document).contains_key(&name) {
            continue;
        }
        patch.remove("required");
        patch.insert(
            "description".to_owned(),
            json!("A merge patch: members that are named change, `null` takes a value away."),
        );
        put(document, &name, patch.into());
    }
}

/// A body without an example gets one made from those of its schema.
fn give_example(content: &mut Value, document: &Value) {
    let Some(content) = content.as_object_mut() else { return };
    if content.contains_key("example") || content.contains_key("examples") {
        return;
    }
    let example = content.get("schema").and_then(|schema| example(schema, document, DEEPEST));
    if let Some(example) = example {
        content.insert("example".to_owned(), example);
    }
}

/// A value that fits `schema`, from the examples in it.
fn example(schema: &Value, document: &Value, depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let schema = resolved(schema, document);
    let said = schema.pointer("/examples/0").or_else(|| schema.get("example"));
    if let Some(said) = said.or_else(|| schema.get("default")).or_else(|| schema.pointer("/enum/0"))
    {
        return Some(said.clone());
    }
    for several in ["oneOf", "anyOf"] {
        let all = schema.get(several).and_then(Value::as_array);
        let known = all.and_then(|all| {
            all.iter().filter(|one| !is_null(one)).find_map(|one| example(one, document, depth))
        });
        if known.is_some() {
            return known;
        }
    }
    let kind = schema.get("type");
    let is = |word: &str| {
        kind.is_some_and(|kind| {
            kind == word || kind.as_array().is_some_and(|all| all.contains(&json!(word)))
        })
    };
    if is("null") && kind.is_some_and(Value::is_array) {
        return Some(Value::Null);
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let members = properties.iter().filter_map(|(name, property)| {
            Some((name.clone(), example(property, document, depth)?))
        });
        return Some(Value::Object(members.collect()));
    }
    if let Some(items) = schema.get("items") {
        return Some(example(items, document, depth).into_iter().collect());
    }
    [
        ("boolean", json!(false)),
        ("integer", json!(1)),
        ("object", json!({})),
        ("string", json!("text")),
    ]
    .into_iter()
    .find_map(|(word, value)| is(word).then_some(value))
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}
