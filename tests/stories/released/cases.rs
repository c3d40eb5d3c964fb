//! Each kind of break is seen, and what breaks nobody is not.

use super::{breaks, members, schemas::KNOWN};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A document with something of every kind.
fn document() -> Value {
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    json!({
        "paths": {
            "/things": {
                "get": {
                    "security": [{"api_key": []}, {"oauth": ["things:read"]}],
                    "parameters": [
                        {"in": "query", "name": "limit", "required": false,
                            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
                        {"in": "query", "name": "kind", "required": false,
                            "schema": {"$ref": "#/components/schemas/Kind"}}],
                    "responses": {
                        "200": {"headers": {"Link": {}}, "content": {"application/json": {"schema":
                            {"type": "array", "items": thing}}}},
                        "404": {"$ref": "#/components/responses/Problem_404"}},
                },
                "post": {
                    "security": [],
                    "requestBody": {"required": false, "content": {"application/json": {"schema":
                        {"$ref": "#/components/schemas/NewThing"}}}},
                    "responses": {"201": {"content": {"application/json": {"schema": thing}}}},
                },
            },
            "/going": {"get": {"x-deprecation": {"since_on": "2027-01-15", "sunset_on": "2028-01-15"},
                "responses": {"200": {}}}},
        },
        "components": {
            "responses": {"Problem_404": {"content": {"application/problem+json": {"schema":
                {"type": "object", "properties": {"code": {"type": "string"}}}}}}},
            "schemas": {
                "Kind": {"type": "string", "enum": ["large", "small"]},
                "NewThing": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 80},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "tags": {"type": "array", "maxItems": 5, "items": {"type": "string"}},
                    "note": {"type": ["string", "null"]},
                    "about": {"type": "string", "pattern": "^(thg|knd)_[0-9]+$"},
                    "facts": {"type": "object", "additionalProperties": {"type": "string"}}}},
                "Thing": {"type": "object", "required": ["id", "name"], "properties": {
                    "id": {"type": "string", "pattern": "^thg_"},
                    "name": {"type": "string", "maxLength": 80},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "made_at": {"type": "string", "format": "date-time"},
                    "measure": {"oneOf": [
                        {"type": "object", "properties": {"type": {"enum": ["bool"]}, "value": {"type": "boolean"}}},
                        {"type": "object", "properties": {"type": {"enum": ["number"]}, "value": {"type": "integer"}}}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}},
            },
        },
    })
}

/// Where the places of the tables begin.
const PLACES: [(&str, &str); 5] = [
    ("get", "/paths/~1things/get"),
    ("post", "/paths/~1things/post"),
    ("sent", "/components/schemas/NewThing"),
    ("answered", "/components/schemas/Thing"),
    ("problem", "/components/responses/Problem_404/content/application~1problem+json/schema"),
];

/// What is taken from the document, or set in it (`-` is the end of a list), and the break that is told.
const BREAKS: &str = r#"
take /paths/~1things -> GET /things is gone
take post -> POST /things is gone
take /paths/~1going/get -> GET /going is gone
take get/responses/404 -> GET /things 404 is gone
take get/responses/200/headers/Link -> GET /things 200 Link is gone
take get/responses/200/content/application~1json -> GET /things 200 application/json is gone
set problem/properties/code/type "integer" -> GET /things 404/code may be integer
take get/parameters/0 -> GET /things query:limit is gone
set get/parameters/- {"in":"query","name":"q","required":true,"schema":{}} -> GET /things query:q is required
set get/parameters/1/required true -> GET /things query:kind is required
set get/parameters/0/schema/maximum 100 -> GET /things query:limit has a narrower maximum
set get/parameters/0/schema/minimum 2 -> GET /things query:limit has a narrower minimum
set get/parameters/0/schema/default 20 -> GET /things query:limit has another default
set get/security/1/oauth/- "things:list" -> GET /things needs the scope things:list
set post/security/- {"api_key":[]} -> POST /things needs credentials
set post/requestBody/required true -> POST /things body is required
take post/requestBody -> POST /things body application/json is gone
take /components/schemas/Kind/enum/0 -> GET /things query:kind does not take large
set sent/required/- "kind" -> POST /things body/kind is required
take sent/properties/kind -> POST /things body/kind is gone
set sent/properties/name/type "integer" -> POST /things body/name does not take string
set sent/properties/note/type "string" -> POST /things body/note does not take null
set sent/properties/name/minLength 2 -> POST /things body/name has a narrower minLength
set sent/properties/name/maxLength 79 -> POST /things body/name has a narrower maxLength
set sent/properties/tags/minItems 1 -> POST /things body/tags has a narrower minItems
set sent/properties/tags/maxItems 4 -> POST /things body/tags has a narrower maxItems
set sent/properties/tags/uniqueItems true -> POST /things body/tags takes nothing twice
set sent/properties/tags/items/maxLength 9 -> POST /things body/tags/0 has a narrower maxLength
set sent/properties/name/pattern "^x" -> POST /things body/name has another pattern
set sent/properties/about/pattern "^(thg)_[0-9]+$" -> POST /things body/about has another pattern
set sent/properties/about/pattern "^(thg|knd|new)_[0-7]+$" -> POST /things body/about has another pattern
set sent/properties/name/format "date" -> POST /things body/name has another format
set sent/properties/name/enum ["x"] -> POST /things body/name takes a few values only
set sent/properties/facts/additionalProperties false -> POST /things body/facts takes no other members
set sent/properties/facts/additionalProperties/type "integer" -> POST /things body/facts/* does not take string
take answered/properties/name -> GET /things 200/0/name is gone
take answered/required/1 -> GET /things 200/0/name may be absent
set answered/properties/name/type "integer" -> GET /things 200/0/name may be integer
set answered/properties/name/type ["string","null"] -> GET /things 200/0/name may be null
set answered/properties/made_at/format "date" -> GET /things 200/0/made_at has another format
set answered/properties/id/pattern "^tng_" -> GET /things 200/0/id has another pattern
set answered/properties/name {"type":"string","enum":["x"],"format":"date"} -> GET /things 200/0/name has another format
set answered/properties/measure {"oneOf":[{"type":"object"},{"type":"boolean"}]} -> GET /things 200/0/measure may be boolean
set answered/properties/parts/items {"type":"object","properties":{"id":{"enum":["x"]}}} -> GET /things 200/0/parts/0/name is gone
set answered/properties/measure/oneOf/1/properties/value/type "string" -> GET /things 200/0/measure/value may be string
"#;

/// What breaks nobody.
const GROWTH: &str = r#"
set /paths/~1others {"get":{"responses":{"200":{}}}}
set get/responses/410 {}
set get/parameters/- {"in":"query","name":"q","required":false,"schema":{}}
set get/parameters/0/schema/maximum 500
take get/security/1/oauth/0
set /components/schemas/Kind/enum/- "middle"
take sent/required/0
set sent/properties/colour {"type":"string"}
set sent/properties/about/pattern "^(new|thg|knd)_[0-9]+$"
set sent/properties/name/type ["string","null"]
take sent/properties/name/minLength
set answered/properties/name/maxLength 40
set answered/properties/colour {"type":"string"}
set answered/required/- "kind"
set answered/properties/measure/oneOf/- {"type":"object","properties":{"type":{"enum":["text"]}}}
set answered/properties/name/description "What it is called."
"#;

/// The document after a line of a table.
fn after(line: &str) -> Value {
    let mut document = document();
    let (verb, rest) = line.split_once(' ').unwrap();
    let (place, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let short = PLACES.iter().find(|(short, _)| place.split('/').next() == Some(*short));
    let place = short.map_or(place.to_owned(), |(short, long)| place.replacen(short, long, 1));
    let (parent, name) = place.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{line}"));
    let value: Option<Value> = (verb == "set").then(|| serde_json::from_str(value).unwrap());
    if let Some(list) = parent.as_array_mut() {
        match value {
            Some(value) => list.push(value),
            None => drop(list.remove(name.parse().unwrap())),
        }
        return document;
    }
    let members = parent.as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(name, value)),
        None => assert!(members.remove(&name).is_some(), "{line}"),
    }
    document
}

fn found(new: &Value) -> Vec<String> {
    breaks(&document(), new, "2028-01-14".parse().unwrap())
}

#[test]
fn each_kind_of_break_is_seen() {
    for line in BREAKS.trim().lines() {
        let (change, expected) = line.split_once(" -> ").unwrap();
        let found = found(&after(change));
        assert!(found.iter().any(|one| one == expected), "{line}: {found:?}");
    }
}

#[test]
fn what_breaks_nobody_passes() {
    assert_eq!(found(&document()), [""; 0]);
    for line in GROWTH.trim().lines() {
        let new = after(line);
        assert_ne!(new, document(), "{line}");
        assert_eq!(found(&new), [""; 0], "{line}");
    }
}

#[test]
fn a_deprecated_operation_may_go_on_the_day_of_its_sunset() {
    let new = after("take /paths/~1going/get");
    let on = |day: &str| breaks(&document(), &new, day.parse().unwrap());
    assert_eq!(on("2028-01-14"), ["GET /going is gone"]);
    assert_eq!(on("2028-01-15"), [""; 0]);
}

#[test]
fn every_word_in_our_schemas_is_one_that_is_compared() {
    let document = api::document();
    let mut words = BTreeSet::new();
    for (_, schema) in members(&document["components"]["schemas"]) {
        collect(schema, &mut words);
    }
    for (_, item) in members(&document["paths"]) {
        find_schemas(item, &mut words);
    }
    let unknown: Vec<_> = words.iter().filter(|word| !KNOWN.contains(&word.as_str())).collect();
    assert!(words.contains("oneOf") && unknown.is_empty(), "not compared: {unknown:?}");
}

/// The words of a schema and of those in it.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    for (word, value) in members(schema) {
        words.insert(word.clone());
        match word.as_str() {
            "properties" => members(value).for_each(|(_, property)| collect(property, words)),
            "items" | "additionalProperties" => collect(value, words),
            "oneOf" | "anyOf" => super::items(value).iter().for_each(|one| collect(one, words)),
            _ => {}
        }
    }
}

/// The words of all schemas somewhere in `value`.
fn find_schemas(value: &Value, words: &mut BTreeSet<String>) {
    members(value).for_each(|(name, member)| match name.as_str() {
        "schema" => collect(member, words),
        "example" | "examples" => {}
        _ => find_schemas(member, words),
    });
    for item in super::items(value) {
        find_schemas(item, words);
    }
}
