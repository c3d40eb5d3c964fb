//! Measures: how one tells whether a step met its standard.

use super::{Measurement, SopValue};
use crate::{
    invalid::Invalid,
    lists::list_of,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Line},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The value is not of the type that the step's measure asks for.
pub(super) static WRONG_VALUE_TYPE: Rule = Rule {
    code: "wrong_value_type",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "Not the value this step asks for", zh: "填写的值与该步骤的要求不符"
    },
    detail: Bilingual {
        en: "The step asks for a value of type {expected}; this one is of type {given}.",
        zh: "该步骤要求填写 {expected} 类型的值，收到的是 {given} 类型。",
    },
    advice: Bilingual {
        en: "Send a value of the type that `expected` names.",
        zh: "请填写 `expected` 所指类型的值。",
    },
};

/// The value is none of the answers that the step offers.
pub(super) static UNKNOWN_CHOICE: Rule = Rule {
    code: "unknown_choice",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not one of the choices", zh: "不在可选项之中" },
    detail: Bilingual {
        en: "The step can be answered with: {choices}. It was answered with: {given}.",
        zh: "该步骤的可选答案为：{choices}。收到的是：{given}。",
    },
    advice: Bilingual {
        en: "Send one of `choices`, letter by letter.",
        zh: "请原样填写 `choices` 中的一项。",
    },
};

/// How one tells whether a step met its standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SopMeasure {
    /// A question with yes or no; yes meets the standard.
    Bool {},
    /// A number that an instrument shows.
    Number {
        /// What it is counted in: `bar`, `ppm`, `°C`.
        #[serde(default)]
        unit: Option<Line>,
        /// How the number must stand to the threshold.
        #[serde(default)]
        op: SopComparison,
        /// What the number is compared with. Without it, any number meets the standard.
        #[serde(default)]
        threshold: Option<Measurement>,
    },
    /// A note; any note meets the standard.
    Text {},
    /// One of several answers.
    Choice {
        /// The answers, 2 to 20, each of them once.
        #[serde(deserialize_with = "distinct_choices")]
        #[schema(min_items = 2, max_items = 20)]
        choices: Vec<SopChoice>,
    },
    /// A picture: `true` says that it is attached, which meets the standard.
    Photo {},
    /// The customer's signature: `true` says that it is attached, which meets the standard.
    Signature {},
    /// What a meter of the asset shows.
    Meter {
        /// What it is counted in: `km`, `h`, `m³`.
        #[serde(default)]
        unit: Option<Line>,
        /// How the reading must stand to the threshold.
        #[serde(default)]
        op: SopComparison,
        /// What the reading is compared with. Without it, any reading meets the standard.
        #[serde(default)]
        threshold: Option<Measurement>,
    },
}

/// How a number must stand to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopComparison {
    /// The threshold or more.
    #[default]
    AtLeast,
    /// The threshold or less.
    AtMost,
    /// More than the threshold.
    Above,
    /// Less than the threshold.
    Below,
    /// The threshold itself.
    Equal,
}

/// One answer that a step offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SopChoice {
    /// The answer.
    pub answer: Line,
    /// Whether it meets the standard.
    #[serde(default = "meets")]
    #[schema(default = true)]
    pub meets_standard: bool,
}

fn meets() -> bool {
    true
}

/// Reads 2 to 20 choices, because one is no choice, and more are not looked through on a phone.
fn distinct_choices<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<SopChoice>, D::Error> {
    let choices: Vec<SopChoice> = list_of::<2, 20, _, _>(input)?;
    let answers: BTreeSet<_> = choices.iter().map(|choice| &choice.answer).collect();
    if answers.len() == choices.len() {
        return Ok(choices);
    }
    let message = "expected each answer only once";
    Err(D::Error::custom(
        Invalid::new("repeated_choice", message).in_chinese("每个选项只能出现一次"),
    ))
}

impl SopMeasure {
    /// Whether `value` meets the standard. A number that stands exactly at the threshold meets
    /// `at_least`, `at_most` and `equal`.
    ///
    /// # Errors
    ///
    /// `wrong_value_type` when the measure asks for another type, `unknown_choice` when the answer is
    /// none of those offered.
    pub fn is_met_by(&self, value: &SopValue) -> Result<bool, Refusal> {
        match (self, value) {
            (Self::Bool {} | Self::Photo {} | Self::Signature {}, SopValue::Bool(yes)) => Ok(*yes),
            (
                Self::Number { op, threshold, .. } | Self::Meter { op, threshold, .. },
                SopValue::Number(number),
            ) => Ok(threshold.is_none_or(|threshold| op.holds(*number, threshold))),
            (Self::Text {}, SopValue::Text(_)) => Ok(true),
            (Self::Choice { choices }, SopValue::Text(answer)) => choose(choices, answer),
            (
                Self::Bool {}
                | Self::Number { .. }
                | Self::Text {}
                | Self::Choice { .. }
                | Self::Photo {}
                | Self::Signature {}
                | Self::Meter { .. },
                SopValue::Bool(_) | SopValue::Number(_) | SopValue::Text(_),
            ) => {
                let refusal = Refusal::new(&WRONG_VALUE_TYPE);
                Err(refusal
                    .with("expected", self.value_type())
                    .with("given", value.type_name())
                    .at("/value"))
            }
        }
    }

    /// Whether it is what a meter shows.
    pub(super) fn is_meter(&self) -> bool {
        match self {
            Self::Meter { .. } => true,
            Self::Bool {}
            | Self::Number { .. }
            | Self::Text {}
            | Self::Choice { .. }
            | Self::Photo {}
            | Self::Signature {} => false,
        }
    }

    /// The type of value that answers it.
    fn value_type(&self) -> &'static str {
        match self {
            Self::Bool {} | Self::Photo {} | Self::Signature {} => "bool",
            Self::Number { .. } | Self::Meter { .. } => "number",
            Self::Text {} | Self::Choice { .. } => "text",
        }
    }
}

fn choose(choices: &[SopChoice], answer: &Line) -> Result<bool, Refusal> {
    let chosen = choices.iter().find(|choice| choice.answer == *answer);
    chosen.map(|choice| choice.meets_standard).ok_or_else(|| {
        let offered: Vec<_> = choices.iter().map(|choice| &choice.answer).collect();
        Refusal::new(&UNKNOWN_CHOICE).with("choices", offered).with("given", answer).at("/value")
    })
}

impl SopComparison {
    /// Whether `number` stands to `threshold` as it must.
    fn holds(self, number: Measurement, threshold: Measurement) -> bool {
        match self {
            Self::AtLeast => number >= threshold,
            Self::AtMost => number <= threshold,
            Self::Above => number > threshold,
            Self::Below => number < threshold,
            Self::Equal => number == threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn measure(json: Value) -> SopMeasure {
        from_value(json).unwrap()
    }

    fn met(measure: &SopMeasure, value: Value) -> bool {
        measure.is_met_by(&from_value(value).unwrap()).unwrap()
    }

    fn refused(measure: &SopMeasure, value: Value) -> Refusal {
        measure.is_met_by(&from_value(value).unwrap()).unwrap_err()
    }

    #[test]
    fn a_number_meets_its_threshold_from_the_threshold_on() {
        let at_least = measure(json!({ "type": "number", "unit": "bar", "threshold": 2.5 }));
        assert!(met(&at_least, json!(2.5)));
        assert!(!met(&at_least, json!(2.499)));
        for (op, below, at, above) in [
            ("at_least", false, true, true),
            ("at_most", true, true, false),
            ("above", false, false, true),
            ("below", true, false, false),
            ("equal", false, true, false),
        ] {
            let measure = measure(json!({ "type": "number", "op": op, "threshold": 10 }));
            assert_eq!(met(&measure, json!(9.999)), below, "{op}");
            assert_eq!(met(&measure, json!(10)), at, "{op}");
            assert_eq!(met(&measure, json!(10.001)), above, "{op}");
        }
        assert!(met(&measure(json!({ "type": "number" })), json!(-1)));
    }

    #[test]
    fn yes_any_note_and_a_good_choice_meet_the_standard() {
        let question = measure(json!({ "type": "bool" }));
        assert!(met(&question, json!(true)));
        assert!(!met(&question, json!(false)));
        assert!(met(&measure(json!({ "type": "text" })), json!("customer was out")));
        let choice = measure(json!({
            "type": "choice",
            "choices": [{ "answer": "clean" }, { "answer": "streaks", "meets_standard": false }],
        }));
        assert!(met(&choice, json!("clean")));
        assert!(!met(&choice, json!("streaks")));
        let refusal = refused(&choice, json!("spotless"));
        assert_eq!(refusal.rule, &UNKNOWN_CHOICE);
        assert_eq!(refusal.facts.get("choices"), Some(&json!(["clean", "streaks"])));
    }

    #[test]
    fn a_picture_and_a_signature_are_attached_or_not() {
        for kind in ["photo", "signature"] {
            let measure = measure(json!({ "type": kind }));
            assert!(met(&measure, json!(true)));
            assert!(!met(&measure, json!(false)));
            let refusal = refused(&measure, json!("yes"));
            assert_eq!(refusal.facts.get("expected"), Some(&json!("bool")));
        }
    }

    #[test]
    fn a_meter_meets_its_threshold_from_the_threshold_on() {
        let meter = measure(json!({
            "type": "meter", "unit": "km", "op": "at_most", "threshold": 15_000,
        }));
        assert!(met(&meter, json!(15_000)));
        assert!(!met(&meter, json!(15_000.001)));
        assert!(met(&measure(json!({ "type": "meter" })), json!(3)));
        assert_eq!(refused(&meter, json!(true)).facts.get("expected"), Some(&json!("number")));
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let number = measure(json!({ "type": "number" }));
        let refusal = refused(&number, json!("2.5"));
        assert_eq!(refusal.rule, &WRONG_VALUE_TYPE);
        assert_eq!(
            refusal.detail(crate::text::Locale::English),
            "The step asks for a value of type number; this one is of type text."
        );
        assert_eq!(refused(&number, json!(true)).rule, &WRONG_VALUE_TYPE);
        assert_eq!(refused(&measure(json!({ "type": "bool" })), json!(1)).rule, &WRONG_VALUE_TYPE);
    }

    #[test]
    fn two_to_twenty_choices_are_offered_each_once() {
        let offer = |count: usize| {
            let choices: Vec<_> = (0..count).map(|n| json!({ "answer": n.to_string() })).collect();
            from_value::<SopMeasure>(json!({ "type": "choice", "choices": choices }))
        };
        assert!(offer(1).is_err());
        assert!(offer(2).is_ok());
        assert!(offer(20).is_ok());
        assert!(offer(21).is_err());
        let twice = json!({ "type": "choice", "choices": [{ "answer": "a" }, { "answer": "a" }] });
        let message = from_value::<SopMeasure>(twice).unwrap_err().to_string();
        assert_eq!(Invalid::from_message(&message).unwrap().code, "repeated_choice");
    }

    #[test]
    fn a_measure_knows_its_fields() {
        assert!(from_value::<SopMeasure>(json!({ "type": "bool", "threshold": 1 })).is_err());
        assert!(from_value::<SopMeasure>(json!({ "type": "photo", "unit": "km" })).is_err());
        assert!(from_value::<SopMeasure>(json!({ "type": "film" })).is_err());
    }
}
