//! Pages for people: real HTML that needs no script, in the reader's language, and loads nothing.

mod board;
mod complaint;
mod complaint_words;
mod filing;
mod form;
mod photos;
mod problems;
mod survey;
mod visit;
mod when;
mod words;

use crate::{
    access::Api,
    problem::{Problem, chain},
    request::language,
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::text::Locale;
use minijinja::{Environment, context};
use serde::Serialize;
use std::sync::LazyLock;
use visit::Ending;

/// The pages, outside `/v1`: they are for browsers, and not part of the API's description.
pub(crate) fn router() -> Router<Api> {
    survey::router()
        .merge(complaint::router())
        .merge(filing::router())
        .merge(board::router())
        .merge(problems::router())
}

/// Whether forms with photos are sent there.
pub(crate) fn takes_photos(uri: &Uri) -> bool {
    uri.path().starts_with("/c/")
}

/// In which language the reader of such a page is told what became of their form; nobody reads other answers.
pub(crate) fn reader(uri: &Uri, headers: &HeaderMap) -> Option<Locale> {
    takes_photos(uri).then(|| locale(uri.query(), headers))
}

/// The page that says why a form has not arrived. What was written is in the browser, one step back.
pub(crate) fn unreceived(locale: Locale, problem: &Problem) -> Response {
    visit::end(locale, Err(Ending::Unreceived(problem.status())))
}

/// The look of all pages; it stands in the page itself, so that a page is one request.
const STYLE: &str = include_str!("style.css");

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates.add_global("style", minijinja::Value::from_safe_string(STYLE.to_owned()));
    for (name, source) in [
        ("board.html", include_str!("board.html")),
        ("complaint.html", include_str!("complaint.html")),
        ("filing.html", include_str!("filing.html")),
        ("frame.html", include_str!("frame.html")),
        ("note.html", include_str!("note.html")),
        ("parts.html", include_str!("parts.html")),
        ("problem.html", include_str!("problem.html")),
        ("problems.html", include_str!("problems.html")),
        ("survey.html", include_str!("survey.html")),
    ] {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

/// Nothing runs, nothing is loaded, nobody frames it; forms go back where they came from.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
});

/// Shows `template`, filled with `content`, in the reader's language.
fn show<T: Serialize>(status: StatusCode, locale: Locale, template: &str, content: &T) -> Response {
    let other = match locale {
        Locale::Chinese => Locale::English,
        Locale::English => Locale::Chinese,
    };
    let rendered = TEMPLATES.as_ref().map_err(ToString::to_string).and_then(|templates| {
        let facts = context! {
            language => locale.tag(),
            other_language => other.tag(),
            other_language_name => words::NAME.get(other),
            page => minijinja::value::Serde(content),
        };
        let render = |page: minijinja::Template<'_, '_>| page.render(facts);
        templates.get_template(template).and_then(render).map_err(|error| chain(&error))
    });
    let html = match rendered {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(error, template, "a page cannot be shown");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, &POLICY),
        (header::CONTENT_LANGUAGE, locale.tag()),
        (header::VARY, "accept-language"),
    ];
    (status, headers, Html(html)).into_response()
}

/// Keeps a page whose address is a secret out of caches and indexes.
fn in_confidence(mut page: Response) -> Response {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
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

    #[test]
    fn the_reader_chooses_the_language() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9".parse().unwrap());
        assert_eq!(locale(None, &headers), Locale::Chinese);
        assert_eq!(locale(Some("lang=en"), &headers), Locale::English);
        assert_eq!(locale(Some("lang=fr"), &headers), Locale::Chinese);
    }
}
