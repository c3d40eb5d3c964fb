//! Quizzes: a few questions that show whether somebody has read a version.

use crate::lists::list_of;
use crate::{invalid::Invalid, text::Line};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// One question of a quiz, with one right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "AskedQuestion", deny_unknown_fields)]
#[schema(examples(json!({
    "question": "At how many ppm is the filter changed again?",
    "choices": ["More than 50", "More than 200"], "answer": 0,
})))]
pub struct SopQuestion {
    /// What is asked.
    pub question: Line,
    /// The answers to choose from, 2 to 6, each of them once.
    #[schema(min_items = 2, max_items = 6)]
    pub choices: Vec<Line>,
    /// Which of them is right, from 0. It is required where a version is written, and null for who may not
    /// write procedures.
    #[schema(required = true, minimum = 0, maximum = 5)]
    pub answer: Option<u32>,
}

/// A question as it is written, before it is known whether its answer is one of its choices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedQuestion {
    question: Line,
    #[serde(deserialize_with = "distinct_answers")]
    choices: Vec<Line>,
    answer: u32,
}

impl TryFrom<AskedQuestion> for SopQuestion {
    type Error = Invalid;

    fn try_from(asked: AskedQuestion) -> Result<Self, Invalid> {
        let AskedQuestion { question, choices, answer } = asked;
        let is_offered = usize::try_from(answer).is_ok_and(|answer| answer < choices.len());
        if is_offered {
            return Ok(Self { question, choices, answer: Some(answer) });
        }
        let last = choices.len().saturating_sub(1);
        let message = format!("expected `answer` to be one of the choices, 0 to {last}");
        Err(Invalid::new("answer_not_among_choices", message)
            .in_chinese(format!("`answer` 应为选项之一的序号，即 0 至 {last}")))
    }
}

/// Reads 2 to 6 answers: one is no choice, and more are guessed at rather than read.
fn distinct_answers<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Line>, D::Error> {
    let choices: Vec<Line> = list_of::<2, 6, _, _>(input)?;
    let distinct: BTreeSet<_> = choices.iter().collect();
    if distinct.len() == choices.len() {
        return Ok(choices);
    }
    let invalid = Invalid::new("repeated_choice", "expected each answer only once");
    Err(D::Error::custom(invalid.in_chinese("每个选项只能出现一次")))
}

impl SopQuestion {
    /// The same without its answer, for who is to find it.
    pub(super) fn without_answer(self) -> Self {
        Self { answer: None, ..self }
    }

    /// Whether there is such a choice.
    pub(super) fn offers(&self, choice: u32) -> bool {
        usize::try_from(choice).is_ok_and(|choice| choice < self.choices.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn mistake(choices: &Value, answer: &Value) -> Option<String> {
        let question = json!({ "question": "Which?", "choices": choices, "answer": answer });
        let error = from_value::<SopQuestion>(question).err()?.to_string();
        Some(Invalid::from_message(&error).map_or(error, |invalid| invalid.code))
    }

    #[test]
    fn a_question_has_2_to_6_choices_and_one_of_them_is_right() {
        let choices = |count: usize| json!((0..count).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(mistake(&choices(1), &json!(0)).as_deref(), Some("wrong_number_of_items"));
        assert_eq!(mistake(&choices(2), &json!(1)), None);
        assert_eq!(mistake(&choices(2), &json!(2)).as_deref(), Some("answer_not_among_choices"));
        assert_eq!(mistake(&choices(6), &json!(5)), None);
        assert_eq!(mistake(&choices(7), &json!(0)).as_deref(), Some("wrong_number_of_items"));
        assert_eq!(mistake(&json!(["a", "a"]), &json!(0)).as_deref(), Some("repeated_choice"));
        assert!(mistake(&choices(2), &Value::Null).is_some(), "somebody must know the answer");
    }
}
