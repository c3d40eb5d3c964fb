//! Values: what was found or said at a step.

use crate::{invalid::Invalid, text::Line};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type},
};

/// What was found or said at a step: `true`, `35.5`, `"clean"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SopValue {
    /// Yes or no.
    Bool(bool),
    /// What an instrument showed.
    Number(Measurement),
    /// A note, or one of the offered answers.
    Text(Line),
}

impl SopValue {
    /// The name of the type on the wire.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
        }
    }
}

/// What an instrument shows: a number of at most three digits after the point, kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measurement(i64);

/// The largest measurement in thousandths. It has 13 digits, so that it passes through the numbers of JSON
/// and JavaScript, which are exact to 15, unchanged.
const MOST_THOUSANDTHS: i64 = 1_000_000_000_000;

impl FromStr for Measurement {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 {
            return Err(Invalid::new("too_precise", "expected at most 3 digits after the point")
                .in_chinese("小数点后最多 3 位"));
        }
        let thousandths: Option<i64> = format!("{whole}{fraction:0<3}").parse().ok();
        match thousandths {
            Some(number) if number.unsigned_abs() <= MOST_THOUSANDTHS.unsigned_abs() => {
                Ok(Self(number))
            }
            Some(_) | None => {
                let message = "expected a number from -1000000000 to 1000000000";
                Err(Invalid::new("number_out_of_range", message)
                    .in_chinese("应为 -1000000000 至 1000000000 之间的数"))
            }
        }
    }
}

impl fmt::Display for Measurement {
    #[expect(clippy::integer_division, reason = "whole and fraction are printed apart")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 1_000, self.0.unsigned_abs() % 1_000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{rest:03}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl Serialize for Measurement {
    /// As a number. No arithmetic is done on floats: digits are copied.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.to_string();
        if let Ok(whole) = digits.parse::<i64>() {
            return serializer.serialize_i64(whole);
        }
        let number: f64 = digits.parse().map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(number)
    }
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(AnyValue)? {
            SopValue::Number(measurement) => Ok(measurement),
            SopValue::Bool(_) | SopValue::Text(_) => Err(D::Error::custom("expected a number")),
        }
    }
}

impl<'de> Deserialize<'de> for SopValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Reads whatever a step can be answered with, and says precisely what is wrong with it.
struct AnyValue;

/// Floats are read by their shortest digits, which are those the caller wrote.
fn measurement<E: Error>(number: &impl ToString) -> Result<SopValue, E> {
    number.to_string().parse().map(SopValue::Number).map_err(E::custom)
}

impl Visitor<'_> for AnyValue {
    type Value = SopValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a number or a text")
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<SopValue, E> {
        Ok(SopValue::Bool(yes))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<SopValue, E> {
        measurement(&number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<SopValue, E> {
        measurement(&number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<SopValue, E> {
        measurement(&number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SopValue, E> {
        Line::new(text).map(SopValue::Text).map_err(E::custom)
    }
}

impl PartialSchema for Measurement {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(-1_000_000_000))
            .maximum(Some(1_000_000_000))
            .description(Some("A number of at most three digits after the point."))
            .examples([35.5])
            .into()
    }
}

impl ToSchema for Measurement {
    fn name() -> Cow<'static, str> {
        "Measurement".into()
    }
}

impl PartialSchema for SopValue {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Boolean))
            .item(Measurement::schema())
            .item(Line::schema())
            .description(Some(
                "What was found or said at a step, of the type its measure asks for.",
            ))
            .into()
    }
}

impl ToSchema for SopValue {
    fn name() -> Cow<'static, str> {
        "SopValue".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, from_value, json};

    fn mistake<T: for<'de> Deserialize<'de> + fmt::Debug>(json: Value) -> String {
        let message = from_value::<T>(json).unwrap_err().to_string();
        Invalid::from_message(&message).map_or(message, |invalid| invalid.code)
    }

    #[test]
    fn a_measurement_has_three_digits_after_the_point_and_a_limit() {
        assert_eq!(mistake::<Measurement>(json!(0.1234)), "too_precise");
        assert_eq!(mistake::<Measurement>(json!(1_000_000_000.001)), "number_out_of_range");
        assert!(from_value::<Measurement>(json!(1_000_000_000)).is_ok());
        assert_eq!(mistake::<Measurement>(json!(1e300)), "number_out_of_range");
        assert_eq!(mistake::<Measurement>(json!("5")), "expected a number");
        assert_eq!(mistake::<SopValue>(json!("")), "blank");
        assert_eq!(from_value::<Measurement>(json!(-0.5)).unwrap().to_string(), "-0.5");
    }

    proptest! {
        #[test]
        fn a_measurement_passes_through_json_unchanged(
            thousandths in -MOST_THOUSANDTHS..=MOST_THOUSANDTHS,
        ) {
            let written = serde_json::to_string(&Measurement(thousandths)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Measurement>(&written).unwrap(), Measurement(thousandths));
        }
    }
}
