//! JSON bodies: first whether it is JSON and says everything once, then whether it is what was asked for.

use super::{Kind, Members, Mistake, Step};
use domain::invalid::Invalid;
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, Expected, IntoDeserializer as _, MapAccess,
        SeqAccess, Visitor,
    },
};
use serde_json::{Map, Value};
use std::{cell::RefCell, fmt};

/// Why bytes cannot become what was asked for.
#[derive(Debug)]
pub(crate) enum Unread {
    /// They are not JSON.
    NotJson(Invalid),
    /// They are JSON, and say something else.
    Mistaken(Mistake),
}

impl From<Mistake> for Unread {
    fn from(mistake: Mistake) -> Self {
        Self::Mistaken(mistake)
    }
}

/// Reads a body.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unread> {
    Ok(from_value(&value(bytes)?)?)
}

/// Reads what a body says.
pub(crate) fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Mistake> {
    T::deserialize(Node(value))
}

/// Reads JSON that says everything once.
fn value(bytes: &[u8]) -> Result<Value, Unread> {
    let not_json =
        |code: &str, en: String, zh: String| Unread::NotJson(Invalid::new(code, en).in_chinese(zh));
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let byte = error.valid_up_to();
        not_json(
            "not_utf8",
            format!("the body stops being UTF-8 at byte {byte}"),
            format!("请求体从第 {byte} 字节起不是 UTF-8 编码"),
        )
    })?;
    if text.trim().is_empty() {
        let (en, zh) = ("the body is empty; a JSON object is needed", "请求体为空，应为 JSON 对象");
        return Err(not_json("body_missing", en.to_owned(), zh.to_owned()));
    }
    let way = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Once(&way).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_data() {
            let mut steps = way.take();
            steps.reverse();
            let invalid = Mistake::twice("").invalid;
            return Unread::Mistaken(Mistake { steps, invalid });
        }
        if error.to_string().starts_with("recursion limit") {
            let (en, zh) = ("it is nested too deeply", "嵌套层数过多");
            return not_json("too_deep", en.to_owned(), zh.to_owned());
        }
        not_json(
            "not_json",
            format!("it is not JSON from line {line}, column {column} on"),
            format!("从第 {line} 行第 {column} 列起不是 JSON"),
        )
    })
}

/// A value in which no object names a member twice. The way to the place is kept, for the mistake.
#[derive(Clone, Copy)]
struct Once<'way>(&'way RefCell<Vec<Step>>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(yes.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(whole_number(number).map_or_else(|| number.into(), Value::from))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.0.borrow_mut().push(Step::Item(items.len()));
            let item = input.next_element_seed(self)?;
            self.0.borrow_mut().pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(items.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = input.next_key::<String>()? {
            self.0.borrow_mut().push(Step::Member(name.clone()));
            if members.contains_key(&name) {
                return Err(A::Error::custom("a member stands there twice"));
            }
            members.insert(name, input.next_value_seed(self)?);
            self.0.borrow_mut().pop();
        }
        Ok(members.into())
    }
}

/// The whole number that is written with a fraction of nought: to JSON Schema `1.0` and `1` are the same.
fn whole_number(number: f64) -> Option<i64> {
    /// Beyond this a float does not tell neighbours apart: 2 to the power of 53.
    const MOST: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.abs() <= MOST && number.trunc().total_cmp(&number).is_eq();
    is_whole.then(|| format!("{number:.0}").parse().ok()).flatten()
}

/// A value to be read. Unlike `serde_json`'s own reader it takes no list for an object, and knows which words
/// an enum has when something else than a word stands there.
#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

impl Node<'_> {
    fn kind(self) -> Kind {
        match self.0 {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::TrueOrFalse,
            Value::Number(number) if number.is_f64() => Kind::Number,
            Value::Number(_) => Kind::WholeNumber,
            Value::String(_) => Kind::Text,
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    fn is_not(self, expected: Kind) -> Mistake {
        Mistake::wrong_type(expected, self.kind())
    }
}

/// The kind of value that a visitor waits for.
fn waits_for(visitor: &dyn Expected) -> Kind {
    Kind::expected(&visitor.to_string())
}

/// Methods that take one kind of value and refuse the others.
macro_rules! only {
    ($($kind:ident: $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match (Kind::$kind, self.0) {
                (Kind::TrueOrFalse, Value::Bool(_))
                | (Kind::WholeNumber | Kind::Number, Value::Number(_))
                | (Kind::Text, Value::String(_))
                | (Kind::List, Value::Array(_))
                | (Kind::Object, Value::Object(_)) => self.deserialize_any(visitor),
                _ => Err(self.is_not(Kind::$kind)),
            }
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.as_str(), Node(value)));
                visitor.visit_map(Members::of(members))
            }
            // Enums that are told apart by a member would take a list as well.
            Value::Array(_) if waits_for(&visitor) == Kind::Object => {
                Err(self.is_not(Kind::Object))
            }
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter(), at: 0 }),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or_default()),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let Value::String(word) = self.0 else {
            let mut mistake = self.is_not(Kind::Text);
            mistake.invalid = mistake.invalid.allowing(words.iter().copied());
            return Err(mistake);
        };
        visitor.visit_enum(word.as_str().into_deserializer())
    }

    only! {
        TrueOrFalse: deserialize_bool;
        WholeNumber: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        Number: deserialize_f32 deserialize_f64;
        Text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
        List: deserialize_seq;
        Object: deserialize_map;
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

/// The items of a list.
struct Items<'de> {
    rest: std::slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let at = self.at;
        self.at = at.saturating_add(1);
        seed.deserialize(Node(item)).map(Some).map_err(|mistake| mistake.within(Step::Item(at)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{complaints::DecisionDetails, sops::SopStep, text::Locale};
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Visit {
        kind: Colour,
        number: u32,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Part {
        name: String,
    }

    fn mistake(text: &str) -> (String, String, Vec<String>) {
        match from_bytes::<Visit>(text.as_bytes()).unwrap_err() {
            Unread::NotJson(invalid) => ("?".to_owned(), invalid.code, invalid.allowed),
            Unread::Mistaken(mistake) => {
                (mistake.pointer(), mistake.invalid.code, mistake.invalid.allowed)
            }
        }
    }

    #[test]
    fn every_mistake_has_a_place_and_a_name() {
        let colours = &["red", "green"][..];
        let cases: [(&str, &str, &str, &[&str]); 18] = [
            ("", "?", "body_missing", &[]),
            ("{", "?", "not_json", &[]),
            ("{} {}", "?", "not_json", &[]),
            ("[\"red\", 1]", "", "wrong_type", &[]),
            ("null", "", "wrong_type", &[]),
            ("{\"number\": 1}", "/kind", "missing_field", &[]),
            ("{\"kind\": \"blue\", \"number\": 1}", "/kind", "unknown_value", colours),
            ("{\"kind\": 1}", "/kind", "wrong_type", colours),
            ("{\"kind\": null}", "/kind", "wrong_type", colours),
            ("{\"kind\": {\"red\": 1}}", "/kind", "wrong_type", colours),
            ("{\"number\": \"1\"}", "/number", "wrong_type", &[]),
            ("{\"number\": 1.5}", "/number", "wrong_type", &[]),
            ("{\"number\": 1e300}", "/number", "wrong_type", &[]),
            ("{\"number\": -1}", "/number", "out_of_range", &[]),
            ("{\"parts\": [{\"name\": \"a\"}, [\"b\"]]}", "/parts/1", "wrong_type", &[]),
            ("{\"parts\": [{\"nome\": 1}]}", "/parts/0/nome", "unknown_field", &["name"]),
            ("{\"parts\": [{\"a/b\": 1, \"a/b\": 2}]}", "/parts/0/a~1b", "duplicate_field", &[]),
            ("{\"parts\": {}}", "/parts", "wrong_type", &[]),
        ];
        for (text, pointer, code, allowed) in cases {
            let allowed = allowed.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(mistake(text), (pointer.to_owned(), code.to_owned(), allowed), "{text}");
        }
        let deep = "[".repeat(200);
        assert_eq!(mistake(&deep).1, "too_deep");
        assert!(matches!(from_bytes::<Visit>(b"\"\xff\""), Err(Unread::NotJson(_))));
    }

    #[test]
    fn what_fits_is_read() {
        let text = r#"{"kind": "green", "number": 4294967295, "parts": [{"name": "a"}]}"#;
        assert!(from_bytes::<Visit>(text.as_bytes()).is_ok());
        for (text, number) in [("2.0", 2), ("2e3", 2_000), ("0.0", 0), ("-0.0", 0), ("20e-1", 2)] {
            let body = format!(r#"{{"kind": "red", "number": {text}}}"#);
            assert_eq!(from_bytes::<Visit>(body.as_bytes()).unwrap().number, number, "{text}");
        }
        let decision = json!({"responsibility": "none", "text": "It is within the standard.",
            "recourse": "Call 12315."});
        assert!(from_value::<DecisionDetails>(&decision).is_ok());
    }

    #[test]
    fn an_enum_told_apart_by_a_member_is_no_list() {
        let step = json!({"title": "t", "standard": "s", "measure": ["bool"]});
        let mistake = from_value::<SopStep>(&step).unwrap_err();
        assert_eq!(
            (mistake.pointer().as_str(), mistake.invalid.code.as_str()),
            ("/measure", "wrong_type")
        );
    }

    #[test]
    fn mistakes_are_told_in_both_languages() {
        let Unread::Mistaken(mistake) = from_bytes::<Visit>(b"[]").unwrap_err() else {
            panic!("a list is JSON");
        };
        assert_eq!(mistake.invalid.says(Locale::English), "expected an object, found a list");
        assert_eq!(mistake.invalid.says(Locale::Chinese), "应为对象，而不是列表");
    }
}
