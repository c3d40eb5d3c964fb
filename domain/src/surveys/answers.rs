//! Answers: what a customer says, once for each asking.

use super::{
    ALREADY_ANSWERED, ANSWER_NOT_OFFERED, INVITATION_NOT_OPEN, Invitation, InvitationState, Score,
    Survey, SurveyDetails, SurveySubject,
};
use crate::{
    change::Change,
    event::Event,
    ids::{CustomerId, DealerId, InvitationId, ResponseId, StaffId, SurveyId},
    record::Record,
    refusal::Refusal,
    text::{Code, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The option a customer chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenOption {
    /// The question's code.
    pub question: Code,
    /// The option's code.
    pub option: Code,
}

/// What a customer answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerDetails {
    /// How satisfied they are: 1 not at all, 5 very.
    pub score: Score,
    /// What they want to say.
    #[serde(default)]
    pub comment: Option<Prose>,
    /// What they chose, at most one option for each question.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub chosen: Vec<ChosenOption>,
}

/// One customer's answer. It is never changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "rsp_01m80t7jx3e9vbq2f4c6d8g0hk", "invitation_id": "inv_01m80t7jx3e9vbq2f4c6d8g0hk",
    "survey_id": "sur_01m80t7jx3e9vbq2f4c6d8g0hk",
    "subject": {"kind": "work_order", "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk"},
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "score": 2, "comment": "Nobody called.",
    "chosen": [{"question": "tidy", "option": "no"}], "low": true,
    "created_at": "2026-11-24T12:00:00Z"})))]
pub struct SurveyResponse {
    /// Its identifier.
    pub id: ResponseId,
    /// The asking it answers.
    pub invitation_id: InvitationId,
    /// What was asked.
    pub survey_id: SurveyId,
    /// What it is about.
    pub subject: SurveySubject,
    /// Who answered.
    pub customer_id: CustomerId,
    /// Whose people were rated.
    pub dealer_id: Option<DealerId>,
    /// Who was rated.
    pub staff_id: Option<StaffId>,
    /// What was answered.
    #[serde(flatten)]
    pub details: AnswerDetails,
    /// Whether the score was low by the survey's measure; then a complaint follows.
    pub low: bool,
    /// When it was answered.
    pub created_at: Timestamp,
}

impl SurveyResponse {
    /// What the customer said: their comment, or the bare score such as `2/5`.
    pub fn words(&self) -> Option<Prose> {
        let score = || Prose::new(format!("{}/{}", self.details.score, Score::MOST)).ok();
        self.details.comment.clone().or_else(score)
    }
}

impl Record for SurveyResponse {
    type Id = ResponseId;

    fn id(&self) -> ResponseId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Invitation {
    /// Says why it cannot be answered now, if it cannot: for the page that would show the questions.
    ///
    /// # Errors
    ///
    /// `already_answered`; `invitation_not_open` from `expires_at` on and in every state but `sent`.
    pub fn takes_answers(&self, now: Timestamp) -> Result<(), Refusal> {
        if let Some(answered_at) = self.completed_at {
            return Err(Refusal::new(&ALREADY_ANSWERED).with("answered_at", answered_at));
        }
        let is_over = self.expires_at.is_none_or(|expires_at| now >= expires_at);
        let state = match self.state {
            InvitationState::Sent if is_over => InvitationState::Expired,
            InvitationState::Sent => return Ok(()),
            other @ (InvitationState::Scheduled
            | InvitationState::Completed
            | InvitationState::Expired
            | InvitationState::Suppressed
            | InvitationState::Cancelled) => other,
        };
        Err(Refusal::new(&INVITATION_NOT_OPEN).with("state", state))
    }

    /// Takes the customer's answer to `survey`, the one this invitation asks.
    ///
    /// # Errors
    ///
    /// As [`Invitation::takes_answers`], and `answer_not_offered` for what the survey does not ask.
    pub fn answer(
        mut self,
        id: ResponseId,
        survey: &Survey,
        details: AnswerDetails,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<SurveyResponse>), Refusal> {
        self.takes_answers(now)?;
        survey.details.check_answer(&details)?;
        let response = SurveyResponse {
            id,
            invitation_id: self.id,
            survey_id: self.survey_id,
            subject: self.subject,
            customer_id: self.customer_id,
            dealer_id: self.dealer_id,
            staff_id: self.staff_id,
            low: details.score.is_low(survey.details.low_score),
            details,
            created_at: now,
        };
        self.completed_at = Some(now);
        let score = response.details.score;
        let response = Change::created(response)
            .with("score", score)
            .emits(Event::SurveyAnswered { response: id });
        Ok((self.moved("answer", InvitationState::Completed), response))
    }
}

impl SurveyDetails {
    /// Checks that only what is asked is answered, and each question once.
    ///
    /// # Errors
    ///
    /// `answer_not_offered`.
    pub fn check_answer(&self, answer: &AnswerDetails) -> Result<(), Refusal> {
        let refuse = |question: &str| Refusal::new(&ANSWER_NOT_OFFERED).with("question", question);
        if answer.comment.is_some() && self.comment.is_none() {
            return Err(refuse("comment"));
        }
        let mut answered = BTreeSet::new();
        for ChosenOption { question, option } in &answer.chosen {
            let asked = self.choices.iter().find(|choice| choice.code == *question);
            let offered =
                asked.is_some_and(|choice| choice.options.iter().any(|one| one.code == *option));
            if !offered || !answered.insert(question) {
                return Err(refuse(question));
            }
        }
        Ok(())
    }
}
