//! YAML: how a brand keeps its procedures among its other sources. What is written is the same for the same
//! procedures, so that a difference between two files is one between the procedures.

use crate::invalid::Invalid;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_norway::Value as Yaml;
use std::{
    cell::{Cell, RefCell},
    fmt,
};

/// What a text may unfold to, in bytes of texts and a few for each value: many times what a file of 1 MiB says
/// by itself, and too little for one whose aliases repeat each other.
const MOST_UNFOLDED: usize = 16 * 1024 * 1024;

/// What a value costs beside its text.
const VALUE_COST: usize = 16;

/// Why a text cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlMistake {
    /// What is wrong.
    pub invalid: Invalid,
    /// The line, from 1, where that is known.
    pub line: Option<usize>,
}

/// Reads one document. Names are texts and stand once in their object; there are no tags.
///
/// # Errors
///
/// `not_yaml` when it cannot be read, `duplicate_field` for a name that stands twice, `unfolds_too_far` when
/// its aliases make it too large.
pub fn read(text: &str) -> Result<Value, YamlMistake> {
    let unfolding = Unfolding { left: Cell::new(MOST_UNFOLDED), found: RefCell::new(None) };
    let tree = Tree(&unfolding).deserialize(serde_norway::Deserializer::from_str(text));
    tree.map_err(|error| {
        let line = error.location().map(|location| location.line());
        let said = unfolding.found.take();
        YamlMistake { invalid: said.unwrap_or_else(|| cannot_read(&error)), line }
    })
}

fn cannot_read(error: &serde_norway::Error) -> Invalid {
    let said: String = error.to_string().chars().filter(|c| !c.is_control()).collect();
    Invalid::new("not_yaml", format!("expected YAML: {said}"))
        .in_chinese(format!("应为 YAML：{said}"))
}

/// The line, from 1, of the value that a JSON pointer names; of the innermost one around it where it is not
/// there.
pub fn line_of(text: &str, pointer: &str) -> Option<usize> {
    let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let steps: Vec<_> = pointer.split('/').skip(1).map(unescaped).collect();
    let found = Place(&steps).deserialize(serde_norway::Deserializer::from_str(text));
    // The place is where the reading was broken off.
    found.err()?.location().map(|location| location.line())
}

/// How much may still come, and what was found wrong.
struct Unfolding {
    left: Cell<usize>,
    found: RefCell<Option<Invalid>>,
}

impl Unfolding {
    fn spend<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let cost = bytes.saturating_add(VALUE_COST);
        let Some(left) = self.left.get().checked_sub(cost) else {
            let invalid =
                Invalid::new("unfolds_too_far", "its aliases repeat more than can be read");
            return Err(self.refuse(invalid.in_chinese("别名展开后的内容过大")));
        };
        self.left.set(left);
        Ok(())
    }

    fn refuse<E: Error>(&self, invalid: Invalid) -> E {
        let error = E::custom(&invalid);
        *self.found.borrow_mut() = Some(invalid);
        error
    }
}

/// Reads a value within its bounds.
#[derive(Clone, Copy)]
struct Tree<'u>(&'u Unfolding);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, null, a list or an object")
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(yes.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.0.spend(0)?;
        let number = Number::from_f64(number).map(Value::Number);
        number.ok_or_else(|| {
            let invalid = Invalid::new("not_a_number", "expected a number that can be written");
            self.0.refuse(invalid.in_chinese("应为可以写出的数"))
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.0.spend(text.len())?;
        Ok(text.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.spend(name.len())?;
            if object.contains_key(&name) {
                let message = format!("`{name}` stands twice in one object");
                let chinese = format!("同一对象中 `{name}` 出现了两次");
                return Err(self
                    .0
                    .refuse(Invalid::new("duplicate_field", message).in_chinese(chinese)));
            }
            let value = members.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

/// Follows the steps to a value, and breaks off there.
#[derive(Clone, Copy)]
struct Place<'s>(&'s [String]);

/// Says where.
fn here<T, E: Error>() -> Result<T, E> {
    Err(E::custom("here"))
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        here()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        here()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        here()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        here()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        here()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        here()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else { return here() };
        let Ok(place) = step.parse::<usize>() else { return here() };
        for _ in 0..place {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return here();
            }
        }
        items.next_element_seed(Place(rest))?;
        here()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else { return here() };
        while let Some(name) = members.next_key::<String>()? {
            if name == *step {
                members.next_value_seed(Place(rest))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        here()
    }
}

/// Members in the order in which they are written; others follow by their names.
const ORDER: [&str; 40] = [
    "sops",
    "code",
    "name",
    "department",
    "touchpoint",
    "change_note",
    "key",
    "title",
    "standard",
    "target_degree",
    "measure",
    "type",
    "unit",
    "op",
    "threshold",
    "stop",
    "obligation",
    "approval_rank",
    "rule",
    "role",
    "from",
    "step",
    "within_minutes",
    "working_time",
    "assignee",
    "due",
    "condition",
    "evidence",
    "service_item_code",
    "cost_cap",
    "amount",
    "currency",
    "question",
    "choices",
    "answer",
    "meets_standard",
    "quiz",
    "steps",
    "locale",
    "summary",
];

/// Whether a member says what is so anyway, and is left out.
fn goes_without_saying(name: &str, value: &Value) -> bool {
    match name {
        "stop" | "obligation" | "working_time" => *value == Value::Bool(false),
        "meets_standard" => *value == Value::Bool(true),
        "op" => value == "at_least",
        "evidence" | "quiz" | "steps" => value.as_array().is_some_and(Vec::is_empty),
        "assignee" => value.get("rule").is_some_and(|rule| rule == "runner"),
        _ => value.is_null(),
    }
}

/// Writes a document, always the same for the same value.
pub fn write(value: &Value) -> String {
    serde_norway::to_string(&ordered(value)).unwrap_or_default()
}

fn ordered(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(yes) => Yaml::Bool(*yes),
        Value::Number(number) => numbered(number),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => Yaml::Sequence(items.iter().map(ordered).collect()),
        Value::Object(members) => {
            let mut said: Vec<_> =
                members.iter().filter(|(name, value)| !goes_without_saying(name, value)).collect();
            let place = |name: &str| ORDER.iter().position(|known| *known == name);
            said.sort_by_key(|(name, _)| (place(name).unwrap_or(ORDER.len()), name.to_owned()));
            let pairs =
                said.into_iter().map(|(name, value)| (Yaml::String(name.clone()), ordered(value)));
            Yaml::Mapping(pairs.collect())
        }
    }
}

fn numbered(number: &Number) -> Yaml {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => Yaml::Number(whole.into()),
        (None, Some(number)) => Yaml::Number(number.into()),
        (None, None) => Yaml::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mistake(text: &str) -> (String, Option<usize>) {
        let mistake = read(text).unwrap_err();
        (mistake.invalid.code, mistake.line)
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at_by_its_line() {
        assert_eq!(
            mistake("sops:\n- code: a\n  code: b\n"),
            ("duplicate_field".to_owned(), Some(2))
        );
        assert_eq!(mistake("sops:\n  - [\n"), ("not_yaml".to_owned(), Some(3)));
        assert_eq!(mistake("a: 1\n---\na: 2\n").0, "not_yaml");
        assert_eq!(mistake("a: !secret x\n").0, "not_yaml");
        assert_eq!(mistake("a: .nan\n").0, "not_a_number");
        assert_eq!(mistake("").0, "not_yaml");
    }

    #[test]
    fn aliases_stand_for_what_they_name_and_not_for_endless_amounts_of_it() {
        assert_eq!(read("a: &x [1]\nb: *x\n").unwrap(), json!({ "a": [1], "b": [1] }));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = level - 1;
            let nine = vec![format!("*a{before}"); 9].join(", ");
            bomb = format!("{bomb}a{level}: &a{level} [{nine}]\n");
        }
        let (code, _) = mistake(&bomb);
        assert!(["unfolds_too_far", "not_yaml"].contains(&code.as_str()), "{code}");
        // One that the parser lets pass by itself: a long text, many times.
        let long = "x".repeat(500_000);
        let repeated = vec!["*a"; 60].join(", ");
        assert_eq!(mistake(&format!("a: &a {long}\nb: [{repeated}]\n")).0, "unfolds_too_far");
    }

    #[test]
    fn brackets_without_end_are_refused_and_not_followed() {
        assert_eq!(mistake(&"[".repeat(100_000)).0, "not_yaml");
        assert_eq!(mistake(&"- ".repeat(100_000)).0, "not_yaml");
    }

    #[test]
    fn a_place_has_a_line() {
        let text = "sops:\n- code: a\n  steps:\n  - title: One\n    measure:\n      type: bool\n  - title: Two\n";
        for (pointer, line) in [
            ("", 1),
            ("/sops/0/code", 2),
            ("/sops/0/steps/0/measure/type", 6),
            ("/sops/0/steps/1/title", 7),
            ("/sops/0/steps/1/standard", 7),
            ("/sops/0/steps/5", 4),
        ] {
            assert_eq!(line_of(text, pointer), Some(line), "{pointer}");
        }
    }

    #[test]
    fn what_is_so_anyway_is_not_written() {
        let step = json!({
            "title": "Flush", "stop": false, "measure": { "type": "number", "op": "at_least", "unit": null },
            "evidence": [], "assignee": { "rule": "runner" }, "key": "flush", "standard": "Clear.\nCold.",
        });
        let text =
            "key: flush\ntitle: Flush\nstandard: |-\n  Clear.\n  Cold.\nmeasure:\n  type: number\n";
        assert_eq!(write(&step), text);
    }
}
