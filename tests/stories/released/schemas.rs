//! Schemas of two documents: what was taken must be taken, and what is answered must be what was promised.

use super::{Comparison, items, members, present, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Which way values of a schema go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// From callers to us: what was taken must be taken still, so schemas may only become wider.
    Sent,
    /// From us to callers: what was promised must be kept, so schemas may only become narrower. Members may be
    /// added, and values of enumerations too, because the documentation says so.
    Answered,
}

/// Words that change the meaning of a value as soon as they change.
const MEANINGS: [&str; 2] = ["format", "pattern"];
/// Limits below which nothing is taken.
const LEAST: [&str; 3] = ["minimum", "minLength", "minItems"];
/// Limits above which nothing is taken.
const MOST: [&str; 3] = ["maximum", "maxLength", "maxItems"];

/// Every word in schemas that is compared, or that says nothing about what fits.
pub(super) const KNOWN: [&str; 23] = [
    "$ref",
    "type",
    "oneOf",
    "anyOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "default",
    "uniqueItems",
    "format",
    "pattern",
    "minimum",
    "minLength",
    "minItems",
    "maximum",
    "maxLength",
    "maxItems",
    "description",
    "example",
    "examples",
    "x-defined-by",
];

/// What `value` refers to, or itself.
pub(super) fn resolved<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.map_or(value, |place| document.pointer(place).unwrap())
}

/// The alternatives of a schema by name: the type of their values and, where several share a type, the tag that
/// tells them apart, such as `object kind=number`, or their place among them.
fn alternatives(schema: &Value, document: &Value) -> BTreeMap<String, Value> {
    let mut all = Vec::new();
    collect(schema, document, &mut all);
    let name = |(place, (one, schema)): (usize, &(String, Value))| {
        let alike = all.iter().filter(|(other, _)| other == one).count();
        match (alike, tag(schema)) {
            (1, _) => one.clone(),
            (_, Some(tag)) => format!("{one} {tag}"),
            (_, None) => format!("{one} {place}"),
        }
    };
    all.iter().enumerate().map(|each| (name(each), each.1.1.clone())).collect()
}

/// Every alternative of a schema, with the type of its values.
fn collect(schema: &Value, document: &Value, all: &mut Vec<(String, Value)>) {
    let schema = resolved(schema, document);
    let choices = [&schema["oneOf"], &schema["anyOf"]];
    if choices.iter().any(|list| list.is_array()) {
        choices.iter().flat_map(|list| items(list)).for_each(|one| collect(one, document, all));
        return;
    }
    let said = present(&schema["type"]).cloned().unwrap_or_else(|| json!("anything"));
    let types = said.as_array().cloned().unwrap_or_else(|| vec![said]);
    all.extend(types.iter().map(|one| (text(one).to_owned(), schema.clone())));
}

/// The member with one possible value, which tells an alternative from others.
fn tag(schema: &Value) -> Option<String> {
    members(&schema["properties"]).find_map(|(name, property)| {
        let values = items(&property["enum"]);
        (values.len() == 1).then(|| format!("{name}={}", text(&values[0])))
    })
}

/// Whether a pattern begins with the choices that it began with, as in `^(cus|ord)_…`, and more of them. A new kind of
/// identifier is a new value of an enumeration.
fn has_more_choices(old: &Value, new: &Value) -> bool {
    let parts = |pattern: &Value| {
        let (choices, rest) = pattern.as_str()?.strip_prefix("^(")?.split_once(')')?;
        let choices: BTreeSet<_> = choices.split('|').map(str::to_owned).collect();
        Some((choices, rest.to_owned()))
    };
    let (Some((before, old_rest)), Some((now, new_rest))) = (parts(old), parts(new)) else {
        return false;
    };
    old_rest == new_rest && before.is_subset(&now)
}

impl Comparison<'_> {
    /// Compares two schemas whose values go this way.
    pub(super) fn compare(&mut self, at: &str, old: &Value, new: &Value, way: Way) {
        if let (Some(before), Some(now)) = (old["$ref"].as_str(), new["$ref"].as_str())
            && !self.met.insert((before.to_owned(), now.to_owned(), way))
        {
            return;
        }
        let (before, now) = (alternatives(old, self.old), alternatives(new, self.new));
        for (kind, old) in &before {
            match (now.get(kind), way) {
                (Some(new), _) => self.alternative(at, old, new, way),
                (None, Way::Sent) => self.find(at, format!("does not take {kind}")),
                (None, Way::Answered) => {}
            }
        }
        // A new tag among others is a new value of an enumeration.
        let is_tagged = before.keys().any(|kind| kind.contains('='));
        for kind in now.keys().filter(|kind| way == Way::Answered && !before.contains_key(*kind)) {
            if !(is_tagged && kind.contains('=')) {
                self.find(at, format!("may be {kind}"));
            }
        }
    }

    fn alternative(&mut self, at: &str, old: &Value, new: &Value, way: Way) {
        for word in MEANINGS {
            if old[word] != new[word] && !has_more_choices(&old[word], &new[word]) {
                self.find(at, format!("has another {word}"));
            }
        }
        self.object(at, old, new, way);
        if old["items"].is_object() && new["items"].is_object() {
            self.compare(&format!("{at}/0"), &old["items"], &new["items"], way);
        }
        if way == Way::Sent {
            self.values(at, old, new);
            self.limits(at, old, new);
        }
    }

    fn object(&mut self, at: &str, old: &Value, new: &Value, way: Way) {
        for (name, before) in members(&old["properties"]) {
            let at = format!("{at}/{name}");
            match present(&new["properties"][name]) {
                None => self.find(&at, "is gone"),
                Some(now) => self.compare(&at, before, now, way),
            }
        }
        let (before, now) = (items(&old["required"]), items(&new["required"]));
        let (more, fewer, what) = match way {
            Way::Sent => (now, before, "is required"),
            Way::Answered => (before, now, "may be absent"),
        };
        for name in more.iter().filter(|name| !fewer.contains(name)) {
            // What is gone was found already.
            if !new["properties"][text(name)].is_null() {
                self.find(&format!("{at}/{}", text(name)), what);
            }
        }
        let (before, now) = (&old["additionalProperties"], &new["additionalProperties"]);
        if before.is_object() && now.is_object() {
            self.compare(&format!("{at}/*"), before, now, way);
        } else if way == Way::Sent && *now == false && *before != false {
            self.find(at, "takes no other members");
        }
    }

    fn values(&mut self, at: &str, old: &Value, new: &Value) {
        if new["enum"].is_array() {
            if old["enum"].is_null() {
                self.find(at, "takes a few values only");
            }
            let gone =
                items(&old["enum"]).iter().filter(|value| !items(&new["enum"]).contains(value));
            gone.for_each(|value| self.find(at, format!("does not take {}", text(value))));
        }
        if !old["default"].is_null() && old["default"] != new["default"] {
            self.find(at, "has another default");
        }
    }

    fn limits(&mut self, at: &str, old: &Value, new: &Value) {
        let limit = |schema: &Value, word: &str| schema[word].as_f64();
        for word in LEAST {
            let narrower = limit(new, word)
                .is_some_and(|now| limit(old, word).is_none_or(|before| now > before));
            if narrower {
                self.find(at, format!("has a narrower {word}"));
            }
        }
        for word in MOST {
            let narrower = limit(new, word)
                .is_some_and(|now| limit(old, word).is_none_or(|before| now < before));
            if narrower {
                self.find(at, format!("has a narrower {word}"));
            }
        }
        if new["uniqueItems"] == true && old["uniqueItems"] != true {
            self.find(at, "takes nothing twice");
        }
    }
}
