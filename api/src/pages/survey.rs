//! `/s/{token}`: the questions, and what the customer answers. Looking writes nothing, because mail
//! scanners open links; answering is a button.

use super::{
    form::{self, Field, Form, MOST_COMMENT, Mistake},
    in_confidence, locale, show,
    words::{
        ANSWERED_BEFORE, NOT_A_FORM, NoteWords, OVER, SCORES, SURVEY, SurveyWords, THANKS,
        THANKS_FOR_SAYING_SO, UNAVAILABLE, UNKNOWN,
    },
};
use crate::{
    access::Api,
    problem::Problem,
    reading,
    request::{RequestId, expect_type},
};
use axum::{
    Router,
    body::Bytes,
    extract::{FromRequestParts, Path},
    http::{HeaderMap, StatusCode, request::Parts},
    response::Response,
    routing::get,
};
use domain::{
    ids::InvitationId,
    refusal::Refusal,
    surveys::{
        ALREADY_ANSWERED, AnswerDetails, INVITATION_NOT_OPEN, Invitation, Survey, SurveyDetails,
        SurveyResponse,
    },
    tenancy::BrandStatus,
    text::{Locale, Name},
};
use serde::Serialize;
use std::convert::Infallible;
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

/// What is wrong, beside the field where it is.
#[derive(Debug, Serialize)]
struct MistakeShown {
    field: Field,
    says: &'static str,
}

#[derive(Debug, Serialize)]
struct ChoiceShown<'a> {
    code: &'a str,
    question: &'a str,
    options: Vec<OptionShown<'a>>,
}

#[derive(Debug, Serialize)]
struct OptionShown<'a> {
    value: String,
    text: &'a str,
    chosen: bool,
}

/// A page without a question: something is done, or is not there.
#[derive(Debug, Serialize)]
struct Note<'a> {
    brand: &'a str,
    title: &'static str,
    text: &'static str,
    is_done: bool,
}

/// An asking with what is asked, open for reading or answering.
struct Asked {
    tenant: Tenant,
    invitation: Invitation,
    survey: Survey,
    brand: Name,
}

/// How a visit to the page ends without the questions.
enum Ending {
    /// With a word of the brand that asked.
    Word(StatusCode, NoteWords, Name),
    /// Nobody knows whose link it is.
    Unknown,
    /// With something that no browser sends.
    NotAForm(StatusCode),
    /// With something that is no matter of the reader's.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Ending {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
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

/// What a browser sends, as it sends it: each field once, in UTF-8.
fn form(headers: &HeaderMap, body: &[u8]) -> Result<Form, Ending> {
    if expect_type(headers, &["application/x-www-form-urlencoded"]).is_err() {
        return Err(Ending::NotAForm(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let unreadable = || Ending::NotAForm(StatusCode::BAD_REQUEST);
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let pairs = reading::pairs(Some(text)).map_err(|_| unreadable())?;
    let many = pairs.len();
    let form: Form = pairs.into_iter().collect();
    if form.len() == many { Ok(form) } else { Err(unreadable()) }
}

/// Somebody who carries a link.
struct Visitor {
    api: Api,
    token: String,
    locale: Locale,
    request: Option<String>,
}

impl FromRequestParts<Api> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        let token = Path::<String>::from_request_parts(parts, api).await;
        let request = parts.extensions.get::<RequestId>().map(|RequestId(id)| id.clone());
        Ok(Self {
            api: api.clone(),
            token: token.map(|Path(token)| token).unwrap_or_default(),
            locale: locale(parts.uri.query(), &parts.headers),
            request,
        })
    }
}

impl Visitor {
    async fn looks(&self) -> Result<Response, Ending> {
        let (tenant, id) = self.enter().await?;
        let invitation = tenant.get::<Invitation>(id).await?;
        let asked = Asked::about(tenant, invitation).await?;
        asked.still_open().await?;
        Ok(asked.page(StatusCode::OK, self.locale, &Form::new(), None))
    }

    async fn answers(&self, form: &Form) -> Result<Response, Ending> {
        let (tenant, id) = self.enter().await?;
        let brand = tenant.brand().await?;
        if brand.status == BrandStatus::Suspended {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Ending::Word(status, UNAVAILABLE, brand.details.name));
        }
        let invitation = tenant.hold::<Invitation>(id).await?;
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

    async fn enter(&self) -> Result<(Tenant, InvitationId), Ending> {
        let link = self.api.store().follow_link(&self.token).await?;
        let link = link.ok_or(Ending::Unknown)?;
        let tenant = self.api.enter_by_link(link.scope(self.request.clone())).await?;
        Ok((tenant, link.invitation))
    }
}

fn end(locale: Locale, page: Result<Response, Ending>) -> Response {
    let note = |status, (title, text): NoteWords, brand: &str| {
        let (title, text) = (title.get(locale), text.get(locale));
        let note = Note { brand, title, text, is_done: status == StatusCode::OK };
        show(status, locale, "note.html", &note)
    };
    in_confidence(match page {
        Ok(page) => page,
        Err(Ending::Word(status, words, brand)) => note(status, words, &brand),
        Err(Ending::Unknown) => note(StatusCode::NOT_FOUND, UNKNOWN, ""),
        Err(Ending::NotAForm(status)) => note(status, NOT_A_FORM, ""),
        Err(Ending::Problem(problem)) if problem.status() == StatusCode::NOT_FOUND => {
            note(StatusCode::NOT_FOUND, UNKNOWN, "")
        }
        Err(Ending::Problem(_)) => note(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, ""),
    })
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
            mistake: mistake
                .map(|Mistake { field, says }| MistakeShown { field, says: says.get(locale) }),
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
