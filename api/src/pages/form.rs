//! The survey's form, as a browser sends it.

use super::{
    complaint_words::TEXT_UNREADABLE,
    words::{CHOOSE_A_SCORE, COMMENT_UNREADABLE, NOT_OFFERED},
};
use domain::{
    invalid::Invalid,
    surveys::{AnswerDetails, ChosenOption, Score, SurveyDetails},
    text::{Bilingual, Locale, Prose},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Characters that a comment may have; as many as [`Prose`] takes.
pub(super) const MOST_COMMENT: usize = 4_000;

/// What came with the form, by the names of its fields.
pub(super) type Form = BTreeMap<String, String>;

/// Why a form is shown again.
pub(super) struct Mistake {
    /// Where the sentence stands.
    pub(super) field: Field,
    /// The sentence.
    pub(super) says: Bilingual,
}

/// What is wrong, beside the field where it is.
#[derive(Debug, Serialize)]
pub(super) struct MistakeShown {
    field: Field,
    says: &'static str,
}

impl MistakeShown {
    /// What `field` is told in `locale`.
    pub(super) fn new(field: Field, says: Bilingual, locale: Locale) -> Self {
        Self { field, says: says.get(locale) }
    }
}

/// Something to choose.
#[derive(Debug, Serialize)]
pub(super) struct OptionShown<'a> {
    /// What the form says when it is chosen.
    pub(super) value: String,
    /// What people read.
    pub(super) text: &'a str,
    /// Whether it is chosen.
    pub(super) chosen: bool,
}

/// A part of the form that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Field {
    /// The five answers.
    Score,
    /// The comment.
    Comment,
    /// Why a decision is not accepted.
    Refusal,
    /// What somebody writes about their complaint.
    Message,
    /// Photos.
    Photos,
    /// What a complaint is about.
    Kind,
    /// What happened.
    Description,
    /// What the customer wishes for.
    Wish,
    /// Which of their things it is about.
    Asset,
    /// The form as a whole, which no browser of its own sends like that.
    Form,
}

const NO_SCORE: Mistake = Mistake { field: Field::Score, says: CHOOSE_A_SCORE };
const UNREADABLE: Mistake = Mistake { field: Field::Comment, says: COMMENT_UNREADABLE };
const UNASKED: Mistake = Mistake { field: Field::Form, says: NOT_OFFERED };

/// Reads a form into an answer, or says what is wrong with it.
pub(super) fn read(form: &Form, survey: &SurveyDetails) -> Result<AnswerDetails, Mistake> {
    let mut details = AnswerDetails { score: score(form)?, comment: None, chosen: Vec::new() };
    for (name, value) in form {
        match (name.as_str(), name.strip_prefix("choice.")) {
            ("score", _) => {}
            ("comment", _) => details.comment = prose(value).map_err(|_| UNREADABLE)?,
            (_, Some(question)) => {
                details.chosen.push(chosen(question, value).map_err(|_| UNASKED)?);
            }
            (_, None) => return Err(UNASKED),
        }
    }
    survey.check_answer(&details).map_err(|_| UNASKED)?;
    Ok(details)
}

fn score(form: &Form) -> Result<Score, Mistake> {
    let number = form.get("score").and_then(|score| score.parse().ok());
    let score = number.and_then(|number| Score::new(number).ok());
    score.ok_or(NO_SCORE)
}

/// What was written in a field of several lines, if anything was, or what is wrong with it. Browsers end lines with a
/// carriage return and a line feed.
pub(super) fn prose(text: &str) -> Result<Option<Prose>, Bilingual> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Prose::new(text).map(Some).map_err(|_| TEXT_UNREADABLE)
}

fn chosen(question: &str, option: &str) -> Result<ChosenOption, Invalid> {
    Ok(ChosenOption { question: question.parse()?, option: option.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn survey() -> SurveyDetails {
        let wording = serde_json::json!({"zh": "问", "en": "Ask"});
        serde_json::from_value(serde_json::json!({
            "code": "visit", "name": "Visit", "trigger": "visit_completed",
            "question": wording, "comment": wording,
            "choices": [{"code": "clean", "wording": wording, "options": [
                {"code": "yes", "wording": wording}, {"code": "no", "wording": wording},
            ]}],
        }))
        .unwrap()
    }

    #[test]
    fn a_form_becomes_an_answer() {
        let form = form(&[("score", "2"), ("comment", " Late.\r\nWet. "), ("choice.clean", "no")]);
        let answer = read(&form, &survey()).ok().unwrap();
        assert_eq!(answer.score.get(), 2);
        assert_eq!(answer.comment.as_deref(), Some("Late.\nWet."));
        assert_eq!(&*answer.chosen[0].option, "no");
    }

    #[test]
    fn a_form_that_does_not_fit_says_why() {
        let wrong = |pairs: &[(&str, &str)]| {
            let mistake = read(&form(pairs), &survey()).err().unwrap();
            (mistake.field, mistake.says)
        };
        let (no_score, unasked) = ((Field::Score, CHOOSE_A_SCORE), (Field::Form, NOT_OFFERED));
        assert_eq!(wrong(&[]), no_score);
        assert_eq!(wrong(&[("score", "6")]), no_score);
        assert_eq!(wrong(&[("score", "5"), ("choice.clean", "perhaps")]), unasked);
        assert_eq!(wrong(&[("score", "5"), ("name", "Eve")]), unasked);
        let long = "字".repeat(MOST_COMMENT + 1);
        assert_eq!(
            wrong(&[("score", "5"), ("comment", &long)]),
            (Field::Comment, COMMENT_UNREADABLE)
        );
        let longest = "字".repeat(MOST_COMMENT);
        assert!(read(&form(&[("score", "5"), ("comment", &longest)]), &survey()).is_ok());
    }
}
