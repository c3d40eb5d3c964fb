//! Reading what callers send: every mistake keeps its place, its name and a sentence in both languages.
//!
//! Bodies and parameters are read into the same types as rows and settings, by serde. The mistakes serde
//! finds come back as [`Mistake`]s instead of sentences, so that nothing has to be read out of a text.

mod json;
mod query;

pub(crate) use json::{Unread, from_bytes, from_value};
pub(crate) use query::{from_pairs, pairs};

use domain::invalid::Invalid;
use serde::{
    Deserializer,
    de::{
        self, DeserializeSeed, Error as _, Expected, IntoDeserializer as _, MapAccess, Unexpected,
    },
};
use std::fmt;

/// A step on the way to a part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To a member of an object.
    Member(String),
    /// To an item of a list, from 0.
    Item(usize),
}

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    /// The steps to the place, the last one first.
    steps: Vec<Step>,
    /// What is wrong there.
    pub(crate) invalid: Invalid,
}

impl Mistake {
    /// A mistake of the whole.
    fn here(invalid: Invalid) -> Self {
        Self { steps: Vec::new(), invalid }
    }

    /// The same mistake, one step further out.
    fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The place as a JSON pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        pointer(self.steps.iter().rev())
    }

    /// The parameter at fault; parameters have no parts.
    pub(crate) fn parameter(&self) -> &str {
        match self.steps.last() {
            Some(Step::Member(name)) => name,
            Some(Step::Item(_)) | None => "query",
        }
    }

    fn wrong_type(expected: Kind, found: Kind) -> Self {
        let message = format!("expected {}, found {}", expected.en(), found.en());
        let chinese = format!("应为{}，而不是{}", expected.zh(), found.zh());
        Self::here(Invalid::new("wrong_type", message).in_chinese(chinese))
    }

    /// The same member or parameter a second time.
    fn twice(name: &str) -> Self {
        let invalid = Invalid::new("duplicate_field", "expected once, found twice");
        Self::here(invalid.in_chinese("只能出现一次")).within(Step::Member(name.to_owned()))
    }
}

/// The members of an object, or the parameters of a request: names, and what is read under them.
struct Members<'de, I, D> {
    rest: I,
    open: Option<(&'de str, D)>,
}

impl<I, D> Members<'_, I, D> {
    fn of(rest: I) -> Self {
        Self { rest, open: None }
    }
}

impl<'de, I, D> MapAccess<'de> for Members<'de, I, D>
where
    I: Iterator<Item = (&'de str, D)>,
    D: Deserializer<'de, Error = Mistake>,
{
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.open = Some((name, value));
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mistake> {
        let Some((name, value)) = self.open.take() else {
            return Err(Mistake::custom("a value was read before its name"));
        };
        let step = || Step::Member(name.to_owned());
        seed.deserialize(value).map_err(|mistake| mistake.within(step()))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer(), self.invalid.message)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        Self::here(
            Invalid::from_message(&message)
                .unwrap_or_else(|| Invalid::new("invalid", message).in_chinese("不符合此处的要求")),
        )
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::wrong_type(Kind::expected(&expected.to_string()), Kind::found(&found))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = Kind::found(&found);
        if !matches!(found, Kind::WholeNumber | Kind::Number) {
            return Self::wrong_type(Kind::expected(&expected.to_string()), found);
        }
        let message = "the number is beyond what can stand here";
        Self::here(Invalid::new("out_of_range", message).in_chinese("数值超出范围"))
    }

    fn invalid_length(found: usize, _: &dyn Expected) -> Self {
        let message = format!("expected another number of items than {found}");
        let chinese = format!("项数不能为 {found}");
        Self::here(Invalid::new("wrong_number_of_items", message).in_chinese(chinese))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::here(Invalid::unknown_value(expected.iter().copied()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let invalid = Invalid::new("unknown_field", "there is no such field here")
            .in_chinese("此处没有这个字段")
            .allowing(expected.iter().copied());
        Self::here(invalid).within(Step::Member(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        let invalid = Invalid::new("missing_field", "it is required").in_chinese("此项必填");
        Self::here(invalid).within(Step::Member(field.to_owned()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::twice(field)
    }
}

/// A member of the outermost object as a JSON pointer.
pub(crate) fn member(name: &str) -> String {
    pointer([&Step::Member(name.to_owned())])
}

fn pointer<'s, I: IntoIterator<Item = &'s Step>>(steps: I) -> String {
    steps.into_iter().fold(String::new(), |pointer, step| match step {
        Step::Item(index) => format!("{pointer}/{index}"),
        Step::Member(name) => format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
    })
}

/// What kind of value it is, as JSON knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    TrueOrFalse,
    WholeNumber,
    Number,
    Text,
    List,
    Object,
    Other,
}

impl Kind {
    /// The kind of a value that was found.
    fn found(found: &Unexpected<'_>) -> Self {
        match found {
            Unexpected::Bool(_) => Self::TrueOrFalse,
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => Self::WholeNumber,
            Unexpected::Float(_) => Self::Number,
            Unexpected::Char(_)
            | Unexpected::Str(_)
            | Unexpected::Bytes(_)
            | Unexpected::UnitVariant => Self::Text,
            Unexpected::Unit | Unexpected::Option => Self::Null,
            Unexpected::Seq | Unexpected::TupleVariant => Self::List,
            Unexpected::Map
            | Unexpected::Enum
            | Unexpected::StructVariant
            | Unexpected::NewtypeStruct
            | Unexpected::NewtypeVariant => Self::Object,
            Unexpected::Other(_) => Self::Other,
        }
    }

    /// The kind that one of serde's own visitors waits for, by the words it has for it.
    fn expected(words: &str) -> Self {
        let first = words.split(' ').next().unwrap_or_default();
        match (first, words) {
            ("struct" | "internally" | "adjacently", _) | (_, "a map") => Self::Object,
            ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize", _) => {
                Self::WholeNumber
            }
            ("f32" | "f64", _) => Self::Number,
            (_, "a boolean") => Self::TrueOrFalse,
            (_, "a sequence") | ("tuple", _) => Self::List,
            (_, "a string" | "a character") => Self::Text,
            _ => Self::Other,
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::TrueOrFalse => "true or false",
            Self::WholeNumber => "a whole number",
            Self::Number => "a number with a fraction",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Other => "another kind of value",
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Null => " null",
            Self::TrueOrFalse => " true 或 false",
            Self::WholeNumber => "整数",
            Self::Number => "小数",
            Self::Text => "文本",
            Self::List => "列表",
            Self::Object => "对象",
            Self::Other => "其他类型的值",
        }
    }
}
