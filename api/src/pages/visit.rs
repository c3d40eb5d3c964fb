//! A visit by a link: who carries it, and how it ends.

use super::{
    form::Form,
    in_confidence, locale, show,
    words::{NOT_A_FORM, NoteWords, UNAVAILABLE, UNKNOWN, UNRECEIVED},
};
use crate::{
    access::Api,
    problem::Problem,
    reading,
    request::{RequestId, expect_type},
};
use axum::{
    body::Bytes,
    extract::{FromRequest as _, FromRequestParts, Multipart, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use domain::{
    tenancy::BrandStatus,
    text::{Locale, Name},
};
use serde::Serialize;
use std::convert::Infallible;
use store::{Tenant, pages::Linked};

/// A page without a question: something is done, or is not there.
#[derive(Debug, Serialize)]
struct Note<'a> {
    brand: &'a str,
    title: &'static str,
    text: &'static str,
    is_done: bool,
}

/// How a visit ends without the page itself.
pub(super) enum Ending {
    /// With a word of the brand that is visited.
    Word(StatusCode, NoteWords, Name),
    /// Nobody knows whose link it is.
    Unknown,
    /// With something that no browser sends.
    NotAForm(StatusCode),
    /// With a form that has not arrived.
    Unreceived(StatusCode),
    /// With something that is no matter of the reader's.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Ending {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// Somebody who carries a link.
pub(super) struct Visitor {
    pub(super) api: Api,
    pub(super) token: String,
    pub(super) locale: Locale,
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
    /// Opens the brand's door as the customer who carries the link, and answers what it leads to.
    pub(super) async fn enter<R: Linked>(&self) -> Result<(Tenant, R), Ending> {
        let link = self.api.store().follow_link::<R>(&self.token).await?;
        let link = link.ok_or(Ending::Unknown)?;
        let tenant = self.api.enter_by_link(link.scope(self.request.clone())).await?;
        Ok((tenant, link.target))
    }

    /// Enters in order to change something, which is not possible while the brand is suspended.
    pub(super) async fn enter_to_write<R: Linked>(&self) -> Result<(Tenant, R), Ending> {
        let (tenant, target) = self.enter().await?;
        let brand = tenant.brand().await?;
        if brand.status == BrandStatus::Suspended {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Ending::Word(status, UNAVAILABLE, brand.details.name));
        }
        Ok((tenant, target))
    }

    /// Sends the reader to a page after a form was taken, so that loading it again sends nothing again.
    pub(super) fn to_page(&self, path: &str) -> Result<Response, Ending> {
        let place = HeaderValue::try_from(format!("{path}?lang={}", self.locale.tag()));
        let place = place.map_err(|_| Ending::Unknown)?;
        Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
    }
}

/// What a browser sends, as it sends it: each field once, in UTF-8.
pub(super) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Form, Ending> {
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

/// A form with photos, as it was sent.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// What was written and chosen.
    pub(super) form: Form,
    /// The photos, in the order in which they were chosen.
    pub(super) photos: Vec<Vec<u8>>,
}

/// Parts of a form, at most: photos, and more fields than any of ours has.
const MOST_PARTS: usize = 40;
/// The field in which photos come.
const PHOTOS: &str = "photos";

/// Reads a form that may carry photos, each other field once and in UTF-8. A browser sends a nameless, empty file where
/// none was chosen.
pub(super) async fn sheet(request: Request) -> Result<Sheet, Ending> {
    if expect_type(request.headers(), &["multipart/form-data"]).is_err() {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|_| Ending::NotAForm(StatusCode::BAD_REQUEST))?;
        return Ok(Sheet { form: form(&headers, &body)?, photos: Vec::new() });
    }
    let unreadable = || Ending::NotAForm(StatusCode::BAD_REQUEST);
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut sheet = Sheet::default();
    for _ in 0..MOST_PARTS {
        let Some(part) = parts.next_field().await.map_err(|_| unreadable())? else {
            return Ok(sheet);
        };
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|_| unreadable())?;
        if name == PHOTOS {
            sheet.photos.extend((!bytes.is_empty()).then(|| bytes.to_vec()));
            continue;
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())?;
        if sheet.form.insert(name, text).is_some() {
            return Err(unreadable());
        }
    }
    Err(unreadable())
}

/// The page, or how the visit ended without it.
pub(super) fn end(locale: Locale, page: Result<Response, Ending>) -> Response {
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
        Err(Ending::Unreceived(status)) => note(status, UNRECEIVED, ""),
        Err(Ending::Problem(problem)) if problem.status() == StatusCode::NOT_FOUND => {
            note(StatusCode::NOT_FOUND, UNKNOWN, "")
        }
        Err(Ending::Problem(_)) => note(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, ""),
    })
}
