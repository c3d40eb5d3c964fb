//! Surveys: what customers are asked, when, and what they answer.

mod answers;
mod invitations;
mod questions;
mod rules;
#[cfg(test)]
mod tests;

pub use answers::{AnswerDetails, ChosenOption, SurveyResponse};
pub use invitations::{
    Circumstances, Invitation, InvitationState, REST_DAYS, Respondent, SuppressionReason,
    SurveySubject,
};
pub use questions::{
    ChoiceQuestion, LEAST_OPTIONS, MOST_CHOICES, MOST_OPTIONS, SurveyDetails, SurveyOption, Wording,
};
pub use rules::*;

use crate::{
    change::Change,
    ids::SurveyId,
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

whole_numbers! {
    /// How satisfied a customer is: 1 not at all, 5 very.
    Score = 1 to 5, "How satisfied the customer is: 1 not at all, 5 very.", 4;
    /// The score up to which an answer is low. 5 would make every answer a complaint.
    LowScore = 1 to 4, "The score up to which an answer is low.", 2;
    /// Hours, up to thirty days.
    DelayHours = 0 to 720, "Hours from 0 to 720.", 24;
    /// Days a question stays open: at most three months.
    ExpiryDays = 1 to 90, "Days from 1 to 90.", 7;
}

impl Score {
    /// Whether it is among the best two of five: then the customer counts as satisfied.
    pub fn is_satisfied(self) -> bool {
        self.get() >= 4
    }

    /// Whether it is low by the survey's measure.
    fn is_low(self, low: LowScore) -> bool {
        self.get() <= low.get()
    }
}

impl Default for LowScore {
    fn default() -> Self {
        Self(2)
    }
}

impl Default for DelayHours {
    /// A day: long enough to have used what was mended, short enough to remember.
    fn default() -> Self {
        Self(24)
    }
}

impl Default for ExpiryDays {
    fn default() -> Self {
        Self(7)
    }
}

/// After what a survey is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurveyTrigger {
    /// A visit was carried out.
    VisitCompleted,
    /// A complaint was resolved, each time.
    ComplaintResolved,
}

/// Whether a survey is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurveyState {
    /// It is being written.
    Draft,
    /// It is issued. It never changes again. A trigger has at most one active survey.
    Active,
    /// It is no longer issued. Links that were sent stay good until they expire.
    Retired,
}

impl SurveyState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["patch", "activate"],
            Self::Active => &["retire"],
            Self::Retired => &[],
        }
    }
}

/// A set of questions that is issued by itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "sur_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "after-visit", "name": "After a visit", "trigger": "visit_completed",
    "question": {"zh": "您对这次上门服务满意吗？", "en": "How satisfied are you with our visit?"},
    "comment": {"zh": "您想告诉我们什么？", "en": "What would you like to tell us?"},
    "choices": [{"code": "tidy", "wording": {"zh": "现场收拾干净了吗？", "en": "Was it left tidy?"},
        "options": [{"code": "yes", "wording": {"zh": "是", "en": "Yes"}},
            {"code": "no", "wording": {"zh": "否", "en": "No"}}]}],
    "delay_hours": 24, "expiry_days": 7, "low_score": 2,
    "state": "active", "activated_at": "2026-11-22T09:30:00Z", "created_at": "2026-11-22T09:00:00Z",
    "version": 2})))]
pub struct Survey {
    /// Its identifier.
    pub id: SurveyId,
    /// What it asks, and when.
    #[serde(flatten)]
    pub details: SurveyDetails,
    /// Whether it is in use.
    pub state: SurveyState,
    /// When it was activated.
    pub activated_at: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Survey {
    /// Begins a survey as a draft.
    ///
    /// # Errors
    ///
    /// `too_many_questions`, `options_out_of_range`, `survey_codes_repeat`.
    pub fn draft(
        id: SurveyId,
        details: SurveyDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        questions::check(&details)?;
        let survey = Self {
            id,
            details,
            state: SurveyState::Draft,
            activated_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        Ok(Change::created(survey))
    }

    /// Rewrites a draft.
    ///
    /// # Errors
    ///
    /// As [`Survey::draft`], and `illegal_transition` once it was activated.
    pub fn revise(self, details: SurveyDetails) -> Result<Change<Self>, Refusal> {
        self.expect(SurveyState::Draft)?;
        questions::check(&details)?;
        Ok(Change::edit("revise", &self, |it| it.details = details))
    }

    /// Puts a draft in use. What was `active` for the same trigger until now is [retired](Self::retire)
    /// with it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is a draft.
    pub fn activate(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.expect(SurveyState::Draft)?;
        self.activated_at = Some(now);
        Ok(self.moved("activate", SurveyState::Active))
    }

    /// Takes it out of use.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is active.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        self.expect(SurveyState::Active)?;
        Ok(self.moved("retire", SurveyState::Retired))
    }

    fn expect(&self, state: SurveyState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved(mut self, action: &'static str, to: SurveyState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        Change::new(action, self).moved(from, to)
    }
}

impl Record for Survey {
    type Id = SurveyId;

    fn id(&self) -> SurveyId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}
