//! Questions: what a survey asks, in both languages, and when.

use super::{
    DelayHours, ExpiryDays, LowScore, OPTIONS_OUT_OF_RANGE, SURVEY_CODES_REPEAT, SurveyTrigger,
    TOO_MANY_QUESTIONS,
};
use crate::{
    refusal::Refusal,
    text::{Code, Line, Locale, Name},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Choice questions in one survey, at most: a survey is answered in a minute, or not at all.
pub const MOST_CHOICES: usize = 5;

/// Options of one question, at least: one would be no choice.
pub const LEAST_OPTIONS: usize = 2;

/// Options of one question, at most: what one glance takes in.
pub const MOST_OPTIONS: usize = 7;

/// A sentence in both languages of the survey page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"zh": "您满意吗？", "en": "Are you satisfied?"})))]
pub struct Wording {
    /// Simplified Chinese.
    pub zh: Line,
    /// English.
    pub en: Line,
}

impl Wording {
    /// The sentence in `locale`.
    pub fn get(&self, locale: Locale) -> &Line {
        match locale {
            Locale::Chinese => &self.zh,
            Locale::English => &self.en,
        }
    }
}

/// One of the answers a customer can choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyOption {
    /// Its name in answers, unique within the question.
    pub code: Code,
    /// What the customer reads.
    pub wording: Wording,
}

/// A question with given answers, of which the customer chooses one or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceQuestion {
    /// Its name in answers, unique within the survey.
    pub code: Code,
    /// What the customer reads.
    pub wording: Wording,
    /// From 2 to 7 answers.
    #[schema(min_items = 2, max_items = 7)]
    pub options: Vec<SurveyOption>,
}

/// What a survey asks, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"code": "after-visit", "name": "After a visit", "trigger": "visit_completed",
    "question": {"zh": "您对这次上门服务满意吗？", "en": "How satisfied are you with our visit?"},
    "comment": {"zh": "您想告诉我们什么？", "en": "What would you like to tell us?"},
    "choices": [{"code": "tidy", "wording": {"zh": "现场收拾干净了吗？", "en": "Was it left tidy?"},
        "options": [{"code": "yes", "wording": {"zh": "是", "en": "Yes"}},
            {"code": "no", "wording": {"zh": "否", "en": "No"}}]}],
    "delay_hours": 24, "expiry_days": 7, "low_score": 2})))]
pub struct SurveyDetails {
    /// Its name for programs, unique for the brand. A changed survey is a new one with another code.
    pub code: Code,
    /// Its name for the brand's people; customers do not see it.
    pub name: Name,
    /// After what it is issued.
    pub trigger: SurveyTrigger,
    /// The question that is answered with a score from 1 to 5.
    pub question: Wording,
    /// The question that is answered in free words, if one is asked.
    #[serde(default)]
    pub comment: Option<Wording>,
    /// At most 5 questions with given answers.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub choices: Vec<ChoiceQuestion>,
    /// How many hours after the trigger it is sent; 24 when left out.
    #[serde(default)]
    pub delay_hours: DelayHours,
    /// How many days the link can be answered; 7 when left out.
    #[serde(default)]
    pub expiry_days: ExpiryDays,
    /// The score up to which an answer opens or reopens a complaint; 2 when left out.
    #[serde(default)]
    pub low_score: LowScore,
}

/// Checks what a survey asks.
pub(super) fn check(details: &SurveyDetails) -> Result<(), Refusal> {
    let questions = details.choices.len();
    if questions > MOST_CHOICES {
        return Err(Refusal::new(&TOO_MANY_QUESTIONS)
            .with("questions", questions)
            .with("most", MOST_CHOICES));
    }
    distinct(details.choices.iter().map(|question| &question.code).collect())?;
    for question in &details.choices {
        let options = question.options.len();
        if !(LEAST_OPTIONS..=MOST_OPTIONS).contains(&options) {
            return Err(Refusal::new(&OPTIONS_OUT_OF_RANGE)
                .with("question", &question.code)
                .with("options", options)
                .with("least", LEAST_OPTIONS)
                .with("most", MOST_OPTIONS));
        }
        distinct(question.options.iter().map(|option| &option.code).collect())?;
    }
    Ok(())
}

fn distinct(codes: Vec<&Code>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for code in codes {
        if !seen.insert(code) {
            return Err(Refusal::new(&SURVEY_CODES_REPEAT).with("repeated_code", code));
        }
    }
    Ok(())
}
