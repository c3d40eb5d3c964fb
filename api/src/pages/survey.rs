//! `/s/{token}`: the questions, and what the customer answers. Looking writes nothing, because mail
//! scanners open links; answering is a button.

use super::{
    form::{self, Form, MOST_COMMENT, Mistake, MistakeShown, OptionShown},
    show,
    visit::{Ending, Visitor, end, form},
    words::{
        ANSWERED_BEFORE, NoteWords, OVER, SCORES, SURVEY, SurveyWords, THANKS, THANKS_FOR_SAYING_SO,
    },
};
use crate::access::Api;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::{
    refusal::Refusal,
    surveys::{
        ALREADY_ANSWERED, AnswerDetails, INVITATION_NOT_OPEN, Invitation, Survey, SurveyDetails,
        SurveyResponse,
    },
    text::{Locale, Name},
};
use serde::Serialize;
use store::{Failure, Tenant, surveys::WantedResponses};

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new().route("/s/{token}", get(show_survey).post(answer_survey))
}

/// The page with the questions.
#[derive(Debug, Serialize)]
struct SurveyPage<'a> {
    words: SurveyWords,
    brand: &'a str,
    question: &'a str,
    scores: Vec<OptionShown<'a>>,
    choices: Vec<ChoiceShown<'a>>,
    comment: Option<&'a str>,
    most_comment: usize,
    said: &'a str,
    mistake: Option<MistakeShown>,
}

#[derive(Debug, Serialize)]
struct ChoiceShown<'a> {
    code: &'a str,
    question: &'a str,
    options: Vec<OptionShown<'a>>,
}

/// An asking with what is asked, open for reading or answering.
struct Asked {
    tenant: Tenant,
    invitation: Invitation,
    survey: Survey,
    brand: Name,
}

async fn show_survey(visitor: Visitor) -> Response {
    end(visitor.locale, visitor.looks().await)
}

async fn answer_survey(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Response {
    let answered = match form(&headers, &body) {
        Ok(form) => visitor.answers(&form).await,
        Err(ending) => Err(ending),
    };
    end(visitor.locale, answered)
}

impl Visitor {
    async fn looks(&self) -> Result<Response, Ending> {
        let (tenant, invitation) = self.enter::<Invitation>().await?;
        let asked = Asked::about(tenant, invitation).await?;
        asked.still_open().await?;
        Ok(asked.page(StatusCode::OK, self.locale, &Form::new(), None))
    }

    async fn answers(&self, form: &Form) -> Result<Response, Ending> {
        let (tenant, invitation) = self.enter_to_write::<Invitation>().await?;
        let invitation = tenant.hold::<Invitation>(invitation.id).await?;
        let asked = Asked::about(tenant, invitation).await?;
        match form::read(form, &asked.survey.details) {
            Ok(details) => Err(asked.take(details).await?),
            Err(mistake) => {
                asked.takes_answers()?;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(asked.page(status, self.locale, form, Some(mistake)))
            }
        }
    }
}

impl Asked {
    async fn about(tenant: Tenant, invitation: Invitation) -> Result<Self, Ending> {
        let survey = tenant.get::<Survey>(invitation.survey_id).await?;
        let brand = tenant.correspondent(invitation.customer_id).await?.brand;
        Ok(Self { tenant, invitation, survey, brand })
    }

    /// Ends a visit that comes too late: with thanks, when the questions were answered.
    async fn still_open(&self) -> Result<(), Ending> {
        if self.invitation.completed_at.is_none() {
            return self.takes_answers();
        }
        let invitation_id = Some(self.invitation.id);
        let wanted = WantedResponses { invitation_id, ..WantedResponses::default() };
        let answer = self.tenant.find::<SurveyResponse>(wanted.select()).await?;
        let low = answer.is_some_and(|answer| answer.low);
        Err(Ending::Word(StatusCode::OK, thanks(low), self.brand.clone()))
    }

    fn takes_answers(&self) -> Result<(), Ending> {
        let open = self.invitation.takes_answers(self.tenant.now());
        open.map_err(|refusal| why_closed(refusal, self.brand.clone()))
    }

    async fn take(self, details: AnswerDetails) -> Result<Ending, Ending> {
        let Self { tenant, invitation, survey, brand } = self;

        let answered = invitation.answer(tenant.new_id(), &survey, details, tenant.now());
        let (invitation, answer) =
            answered.map_err(|refusal| why_closed(refusal, brand.clone()))?;

        tenant.record(invitation).await?;
        let answer = tenant.record(answer).await?;
        let saved = tenant.commit(answer).await?;
        Ok(Ending::Word(StatusCode::OK, thanks(saved.into_inner().low), brand))
    }

    fn page(
        &self,
        status: StatusCode,
        locale: Locale,
        form: &Form,
        mistake: Option<Mistake>,
    ) -> Response {
        let survey = &self.survey.details;
        let page = SurveyPage {
            words: SURVEY.get(locale),
            brand: &self.brand,
            question: survey.question.get(locale),
            scores: scores(locale, form),
            choices: choices(survey, locale, form),
            comment: survey.comment.as_ref().map(|comment| &**comment.get(locale)),
            most_comment: MOST_COMMENT,
            said: form.get("comment").map_or("", String::as_str),
            mistake: mistake.map(|Mistake { field, says }| MistakeShown::new(field, says, locale)),
        };
        show(status, locale, "survey.html", &page)
    }
}

fn thanks(low: bool) -> NoteWords {
    if low { THANKS_FOR_SAYING_SO } else { THANKS }
}

/// A refusal as a page.
fn why_closed(refusal: Refusal, brand: Name) -> Ending {
    if refusal.rule == &ALREADY_ANSWERED {
        return Ending::Word(StatusCode::CONFLICT, ANSWERED_BEFORE, brand);
    }
    if refusal.rule == &INVITATION_NOT_OPEN {
        return Ending::Word(StatusCode::GONE, OVER, brand);
    }
    Failure::Refused(refusal).into()
}

fn scores(locale: Locale, form: &Form) -> Vec<OptionShown<'static>> {
    let numbered = (1_u32..).zip(SCORES);
    numbered
        .map(|(score, text)| {
            let value = score.to_string();
            let chosen = form.get("score") == Some(&value);
            OptionShown { value, text: text.get(locale), chosen }
        })
        .collect()
}

fn choices<'a>(survey: &'a SurveyDetails, locale: Locale, form: &Form) -> Vec<ChoiceShown<'a>> {
    let shown = survey.choices.iter().map(|choice| {
        let chosen = form.get(&format!("choice.{}", choice.code));
        let options = choice.options.iter().map(|option| OptionShown {
            value: option.code.to_string(),
            text: option.wording.get(locale),
            chosen: chosen.is_some_and(|chosen| **chosen == *option.code),
        });
        let question = choice.wording.get(locale);
        ChoiceShown { code: &choice.code, question, options: options.collect() }
    });
    shown.collect()
}
