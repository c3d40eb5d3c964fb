//! `/problems`: what every problem of the API means, and what to do about it.

use super::{
    locale, show,
    words::{PROBLEM, PROBLEMS, ProblemWords, ProblemsWords},
};
use crate::{
    access::Api,
    problem::{self, Problem},
    service::all_problems,
};
use axum::{
    Router,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use domain::{refusal::Rule, text::Locale};
use serde::Serialize;

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/problems", get(list_problems))
        .route("/problems/{code}", get(explain_problem))
}

/// The page with all of them.
#[derive(Debug, Serialize)]
struct ProblemsPage {
    words: ProblemsWords,
    problems: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    code: &'static str,
    title: &'static str,
    status: u16,
}

/// The page of one.
#[derive(Debug, Serialize)]
struct ProblemPage {
    words: ProblemWords,
    code: &'static str,
    title: &'static str,
    status: u16,
    detail: Vec<Piece>,
    advice: Vec<Piece>,
}

/// A piece of a sentence, which is a name in it or is not.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Piece {
    text: &'static str,
    is_name: bool,
}

async fn list_problems(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let locale = locale(query.as_deref(), &headers);
    let problems = all_problems().map(|rule| Item {
        code: rule.code,
        title: rule.title.get(locale),
        status: Problem::new(rule).status().as_u16(),
    });
    let page = ProblemsPage { words: PROBLEMS.get(locale), problems: problems.collect() };
    show(StatusCode::OK, locale, "problems.html", &page)
}

async fn explain_problem(
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(rule) = all_problems().find(|rule| rule.code == code) else {
        return Problem::new(&problem::NOT_FOUND).into_response();
    };
    let locale = locale(query.as_deref(), &headers);
    show(StatusCode::OK, locale, "problem.html", &explained(rule, locale))
}

fn explained(rule: &'static Rule, locale: Locale) -> ProblemPage {
    ProblemPage {
        words: PROBLEM.get(locale),
        code: rule.code,
        title: rule.title.get(locale),
        status: Problem::new(rule).status().as_u16(),
        detail: pieces(rule.detail.get(locale)),
        advice: pieces(rule.advice.get(locale)),
    }
}

/// What our texts mark names with: back quotes those of fields, braces those of facts, both those
/// of fields that are facts.
const MARKS: [char; 3] = ['`', '{', '}'];

/// Takes a sentence apart at its marks.
fn pieces(text: &'static str) -> Vec<Piece> {
    let first_is_name = text.starts_with(MARKS);
    let parts = text.split(MARKS).filter(|part| !part.is_empty()).enumerate();
    parts
        .map(|(number, text)| Piece { text, is_name: (number % 2 == 1) != first_is_name })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_sentence_are_told_apart() {
        let piece = |text, is_name| Piece { text, is_name };
        assert_eq!(
            pieces("Send `{fields}` {n} times."),
            [
                piece("Send ", false),
                piece("fields", true),
                piece(" ", false),
                piece("n", true),
                piece(" times.", false)
            ]
        );
    }

    #[test]
    fn every_mark_in_our_texts_has_its_other_half() {
        for rule in all_problems() {
            for locale in [Locale::Chinese, Locale::English] {
                for text in [rule.detail.get(locale), rule.advice.get(locale)] {
                    let once = text.replace("`{", "`").replace("}`", "`");
                    let marks: String = once.chars().filter(|c| MARKS.contains(c)).collect();
                    let rest = marks.replace("``", "").replace("{}", "");
                    assert_eq!(rest, "", "{}: {text}", rule.code);
                    // Two names without a word between them could not be told apart.
                    assert!(!once.contains("``") && !once.contains("}{"), "{}: {text}", rule.code);
                }
            }
        }
    }
}
