//! Parameters in the query of an address.

use super::{Kind, Members, Mistake, Step};
use domain::invalid::Invalid;
use serde::{
    Deserializer,
    de::{DeserializeOwned, IntoDeserializer as _, Visitor},
};
use std::str::FromStr;

/// The parameters of a query, decoded.
pub(crate) fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, Mistake> {
    let parts = query.unwrap_or_default().split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name).unwrap_or_else(|| part.to_owned());
            let value = decoded(value).ok_or_else(|| not_utf8(&name))?;
            Ok((name, value))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(Into::into)
}

fn not_utf8(name: &str) -> Mistake {
    let invalid = Invalid::new("not_utf8", "expected percent-encoded UTF-8")
        .in_chinese("应为百分号编码的 UTF-8 文本");
    Mistake::here(invalid).within(Step::Member(name.to_owned()))
}

/// Reads parameters.
pub(crate) fn from_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Mistake> {
    T::deserialize(Pairs(pairs)).map_err(|mistake| {
        let code = match mistake.invalid.code.as_str() {
            "unknown_field" => "unknown_parameter",
            "missing_field" => "missing_parameter",
            "duplicate_field" => "duplicate_parameter",
            _ => return mistake,
        };
        let mut mistake = mistake;
        code.clone_into(&mut mistake.invalid.code);
        mistake
    })
}

/// The parameters as one object of texts.
#[derive(Clone, Copy)]
struct Pairs<'de>(&'de [(String, String)]);

impl<'de> Deserializer<'de> for Pairs<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let parameters = self.0.iter().map(|(name, value)| (name.as_str(), Text(value)));
        visitor.visit_map(Members::of(parameters))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A value as it stands in the address.
#[derive(Clone, Copy)]
struct Text<'de>(&'de str);

impl Text<'_> {
    fn parse<N: FromStr>(self, expected: Kind) -> Result<N, Mistake> {
        self.0.parse().map_err(|_| Mistake::wrong_type(expected, Kind::Text))
    }
}

/// Numbers, read from their digits.
macro_rules! numbers {
    ($($method:ident $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            visitor.$visit(self.parse(Kind::WholeNumber)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_bool(self.parse(Kind::TrueOrFalse)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    numbers! {
        deserialize_i8 visit_i64; deserialize_i16 visit_i64; deserialize_i32 visit_i64;
        deserialize_i64 visit_i64; deserialize_u8 visit_u64; deserialize_u16 visit_u64;
        deserialize_u32 visit_u64; deserialize_u64 visit_u64;
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}
