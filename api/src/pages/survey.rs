//! `/s/{token}`: the questions, and what the customer answers. Looking writes nothing, because mail
//! scanners open links; answering is a button.

use super::{
    Note,
    form::{self, Form, MOST_COMMENT, Mistake},
    show,
    words::{
        ANSWERED_BEFORE, CHINESE, ENGLISH, NOT_A_FORM, NoteWords, OVER, SCORES, THANKS,
        THANKS_FOR_SAYING_SO, UNAVAILABLE, UNKNOWN, Words,
    },
};
use crate::{
    access::Api,
    problem::Problem,
    reading,
    request::{RequestId, expect_type, language},
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
    text::Locale,
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
    words: Words,
    brand: &'a str,
    question: &'a str,
    scores: Vec<OptionShown<'a>>,
    choices: Vec<ChoiceShown<'a>>,
    comment: Option<&'a str>,
    most_comment: usize,
    said: &'a str,
    mistake: Option<&'static str>,
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

/// An asking with what is asked, open for reading or answering.
struct Asked {
    tenant: Tenant,
    invitation: Invitation,
    survey: Survey,
}

/// How a visit to the page ends.
enum Ending {
    Note(StatusCode, NoteWords),
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
        return Err(Ending::Note(StatusCode::UNSUPPORTED_MEDIA_TYPE, NOT_A_FORM));
    }
    let unreadable = || Ending::Note(StatusCode::BAD_REQUEST, NOT_A_FORM);
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
        let survey = tenant.get::<Survey>(invitation.survey_id).await?;
        let asked = Asked { tenant, invitation, survey };
        asked.still_open().await?;
        asked.page(StatusCode::OK, self.locale, &Form::new(), None).await
    }

    async fn answers(&self, form: &Form) -> Result<Response, Ending> {
        let (tenant, id) = self.enter().await?;
        let invitation = tenant.hold::<Invitation>(id).await?;
        let survey = tenant.get::<Survey>(invitation.survey_id).await?;
        let asked = Asked { tenant, invitation, survey };
        match form::read(form, &asked.survey.details) {
            Ok(details) => asked.take(details).await,
            Err(Mistake(says)) => {
                asked.invitation.takes_answers(asked.tenant.now()).map_err(why_closed)?;
                let (status, says) = (StatusCode::UNPROCESSABLE_ENTITY, says.get(self.locale));
                asked.page(status, self.locale, form, Some(says)).await
            }
        }
    }

    async fn enter(&self) -> Result<(Tenant, InvitationId), Ending> {
        let link = self.api.store().follow_link(&self.token).await?;
        let link = link.ok_or(Ending::Note(StatusCode::NOT_FOUND, UNKNOWN))?;
        let tenant = self.api.enter_by_link(link.scope(self.request.clone())).await?;
        Ok((tenant, link.invitation))
    }
}

fn end(locale: Locale, page: Result<Response, Ending>) -> Response {
    let (status, (title, text)) = match page {
        Ok(page) => return page,
        Err(Ending::Note(status, words)) => (status, words),
        Err(Ending::Problem(problem)) if problem.status() == StatusCode::NOT_FOUND => {
            (StatusCode::NOT_FOUND, UNKNOWN)
        }
        Err(Ending::Problem(_)) => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
    };
    let note = Note { title: title.get(locale), text: text.get(locale) };
    show(status, locale, "note.html", &note)
}

impl Asked {
    /// Ends a visit that comes too late: with thanks, when the questions were answered.
    async fn still_open(&self) -> Result<(), Ending> {
        if self.invitation.completed_at.is_none() {
            return self.invitation.takes_answers(self.tenant.now()).map_err(why_closed);
        }
        let invitation_id = Some(self.invitation.id);
        let wanted = WantedResponses { invitation_id, ..WantedResponses::default() };
        let answer = self.tenant.find::<SurveyResponse>(wanted.select()).await?;
        let low = answer.is_some_and(|answer| answer.low);
        Err(Ending::Note(StatusCode::OK, thanks(low)))
    }

    async fn take(self, details: AnswerDetails) -> Result<Response, Ending> {
        let Self { tenant, invitation, survey } = self;

        let answered = invitation.answer(tenant.new_id(), &survey, details, tenant.now());
        let (invitation, answer) = answered.map_err(why_closed)?;

        tenant.record(invitation).await?;
        let answer = tenant.record(answer).await?;
        let saved = tenant.commit(answer).await?;
        Err(Ending::Note(StatusCode::OK, thanks(saved.into_inner().low)))
    }

    async fn page(
        &self,
        status: StatusCode,
        locale: Locale,
        form: &Form,
        mistake: Option<&'static str>,
    ) -> Result<Response, Ending> {
        let to = self.tenant.correspondent(self.invitation.customer_id).await?;
        let survey = &self.survey.details;
        let page = SurveyPage {
            words: match locale {
                Locale::Chinese => CHINESE,
                Locale::English => ENGLISH,
            },
            brand: &to.brand,
            question: survey.question.get(locale),
            scores: scores(locale, form),
            choices: choices(survey, locale, form),
            comment: survey.comment.as_ref().map(|comment| &**comment.get(locale)),
            most_comment: MOST_COMMENT,
            said: form.get("comment").map_or("", String::as_str),
            mistake,
        };
        Ok(show(status, locale, "survey.html", &page))
    }
}

fn thanks(low: bool) -> NoteWords {
    if low { THANKS_FOR_SAYING_SO } else { THANKS }
}

/// A refusal as a page.
fn why_closed(refusal: Refusal) -> Ending {
    if refusal.rule == &ALREADY_ANSWERED {
        return Ending::Note(StatusCode::CONFLICT, ANSWERED_BEFORE);
    }
    if refusal.rule == &INVITATION_NOT_OPEN {
        return Ending::Note(StatusCode::GONE, OVER);
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

/// The language the reader has chosen on the page, or their browser for them.
fn locale(query: Option<&str>, headers: &HeaderMap) -> Locale {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let chosen = pairs.filter(|(name, _)| name == "lang").find_map(|(_, tag)| match &*tag {
        "zh-CN" | "zh" => Some(Locale::Chinese),
        "en" => Some(Locale::English),
        _ => None,
    });
    chosen.unwrap_or_else(|| language(headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn the_reader_chooses_the_language() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9".parse().unwrap());
        assert_eq!(locale(None, &headers), Locale::Chinese);
        assert_eq!(locale(Some("lang=en"), &headers), Locale::English);
        assert_eq!(locale(Some("lang=fr"), &headers), Locale::Chinese);
    }
}
