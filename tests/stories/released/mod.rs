//! What was released stays: the document of today takes and answers all that the released one promises.
//!
//! `openapi/released.json` is the document of the last release; `CONTRIBUTING.md` says when it changes.

mod cases;
mod schemas;

use crate::shell::read;
use domain::time::{CivilDate, Timestamp, Zone};
use schemas::{Way, resolved};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, time::UNIX_EPOCH};

#[test]
fn nothing_that_was_released_is_broken() {
    let released: Value = serde_json::from_str(&read("openapi/released.json")).unwrap();
    let found = breaks(&released, &api::document(), today());
    assert!(found.is_empty(), "callers of the released API would break: {found:#?}");
}

/// The day it really is: an operation may go once its sunset has come.
fn today() -> CivilDate {
    let seconds = UNIX_EPOCH.elapsed().unwrap().as_secs();
    Timestamp::from_unix_seconds(seconds.try_into().unwrap()).unwrap().date_in(Zone::UTC)
}

/// What breaks callers of the API of `old` when that of `new` takes its place; each break is told where it is
/// met first.
fn breaks(old: &Value, new: &Value, today: CivilDate) -> Vec<String> {
    let mut comparison = Comparison { old, new, met: BTreeSet::new(), found: Vec::new() };
    for (path, item) in members(&old["paths"]) {
        for (method, before) in members(item) {
            let name = format!("{} {path}", method.to_uppercase());
            match present(&new["paths"][path][method]) {
                None if is_over(before, today) => {}
                None => comparison.find(&name, "is gone"),
                Some(now) => comparison.operation(&name, before, now),
            }
        }
    }
    comparison.found
}

/// Whether callers were told that the operation ends, and that day has come.
fn is_over(operation: &Value, today: CivilDate) -> bool {
    let sunset = operation["x-deprecation"]["sunset_on"].as_str();
    sunset.is_some_and(|on| on.parse::<CivilDate>().unwrap() <= today)
}

/// Two documents that are compared.
struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of named schemas that were compared, each way that values go.
    met: BTreeSet<(String, String, Way)>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn find(&mut self, at: &str, what: impl AsRef<str>) {
        self.found.push(format!("{at} {}", what.as_ref()));
    }

    fn operation(&mut self, name: &str, old: &Value, new: &Value) {
        self.parameters(name, old, new);
        self.body(name, &old["requestBody"], &new["requestBody"]);
        for (status, before) in members(&old["responses"]) {
            let at = format!("{name} {status}");
            match present(&new["responses"][status]) {
                None => self.find(&at, "is gone"),
                Some(now) => self.answer(&at, before, now),
            }
        }
        if is_guarded(new) && !is_guarded(old) {
            self.find(name, "needs credentials");
        }
        for scope in scopes(new).difference(&scopes(old)) {
            self.find(name, format!("needs the scope {scope}"));
        }
    }

    fn parameters(&mut self, operation: &str, old: &Value, new: &Value) {
        let at = |one: &Value| format!("{operation} {}:{}", text(&one["in"]), text(&one["name"]));
        let same =
            |one: &Value, other: &Value| one["in"] == other["in"] && one["name"] == other["name"];
        let (before, now) = (items(&old["parameters"]), items(&new["parameters"]));
        for parameter in before {
            match now.iter().find(|one| same(one, parameter)) {
                None => self.find(&at(parameter), "is gone"),
                Some(one) => {
                    self.compare(&at(parameter), &parameter["schema"], &one["schema"], Way::Sent);
                }
            }
        }
        for parameter in now.iter().filter(|one| one["required"] == true) {
            let known = before.iter().find(|one| same(one, parameter));
            if known.is_none_or(|one| one["required"] != true) {
                self.find(&at(parameter), "is required");
            }
        }
    }

    fn body(&mut self, operation: &str, old: &Value, new: &Value) {
        let at = format!("{operation} body");
        if new["required"] == true && old["required"] != true {
            self.find(&at, "is required");
        }
        self.content(&at, old, new, Way::Sent);
    }

    fn answer(&mut self, at: &str, old: &Value, new: &Value) {
        let (old, new) = (resolved(old, self.old), resolved(new, self.new));
        for (header, _) in members(&old["headers"]) {
            if new["headers"][header].is_null() {
                self.find(&format!("{at} {header}"), "is gone");
            }
        }
        self.content(at, old, new, Way::Answered);
    }

    fn content(&mut self, at: &str, old: &Value, new: &Value, way: Way) {
        for (media, before) in members(&old["content"]) {
            match present(&new["content"][media]) {
                None => self.find(&format!("{at} {media}"), "is gone"),
                Some(now) => self.compare(at, &before["schema"], &now["schema"], way),
            }
        }
    }
}

fn is_guarded(operation: &Value) -> bool {
    !items(&operation["security"]).is_empty()
}

/// The scopes that an operation names.
fn scopes(operation: &Value) -> BTreeSet<&str> {
    let ways = items(&operation["security"]).iter().flat_map(members);
    ways.flat_map(|(_, scopes)| items(scopes)).map(text).collect()
}

/// A member that is there.
fn present(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
