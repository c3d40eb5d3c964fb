//! Pages for people: real HTML that needs no script, in the reader's language, and loads nothing.

mod form;
mod survey;
mod words;

use crate::{access::Api, problem::chain};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::text::Locale;
use minijinja::Environment;
use serde::Serialize;
use std::sync::LazyLock;

/// The pages, outside `/v1`: they are for browsers, and not part of the API's description.
pub(crate) fn router() -> Router<Api> {
    survey::router()
}

/// The look of all pages; it stands in the page itself, so that a page is one request.
const STYLE: &str = include_str!("style.css");

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates.add_global("style", minijinja::Value::from_safe_string(STYLE.to_owned()));
    templates.add_template("frame.html", include_str!("frame.html"))?;
    templates.add_template("note.html", include_str!("note.html"))?;
    templates.add_template("survey.html", include_str!("survey.html"))?;
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

/// A page without a question: something is done, or is not there.
#[derive(Debug, Serialize)]
struct Note {
    /// The headline.
    title: &'static str,
    /// What it means for the reader.
    text: &'static str,
}

/// Shows `template`, filled with `content`, in the reader's language.
fn show<T: Serialize>(status: StatusCode, locale: Locale, template: &str, content: &T) -> Response {
    let rendered = TEMPLATES.as_ref().map_err(ToString::to_string).and_then(|templates| {
        let facts = minijinja::context! { language => locale.tag(), page => minijinja::value::Serde(content) };
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
    // The address of the page is a secret: it is kept out of caches, indexes and the next site's logs.
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, &POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::CONTENT_LANGUAGE, locale.tag()),
    ];
    (status, headers, Html(html)).into_response()
}
