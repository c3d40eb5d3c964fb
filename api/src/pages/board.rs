//! `/b/{token}`: what a dealer's customers have complained about in public, and how it was answered.

use super::{
    in_confidence, locale, show,
    words::{BOARD, BoardWords, UNAVAILABLE, UNKNOWN, first_answer, standing},
};
use crate::{access::Api, complaint_publications::BoardLink, problem::Problem, request::RequestId};
use axum::{
    Extension, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::{
    complaints::{BoardEntry, BoardPage, ComplaintBoard, ComplaintBoardShown},
    tenancy::Dealer,
    text::Locale,
    time::Zone,
};
use serde::Serialize;

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new().route("/b/{token}", get(show_board))
}

/// The board.
#[derive(Debug, Serialize)]
struct BoardShown<'a> {
    words: BoardWords,
    brand: &'a str,
    dealer: &'a str,
    days: i64,
    complaints: u32,
    kept: u32,
    share: Option<String>,
    entries: Vec<EntryShown<'a>>,
    newer: Option<u32>,
    older: Option<u32>,
}

#[derive(Debug, Serialize)]
struct EntryShown<'a> {
    title: &'a str,
    text: &'a str,
    standing: &'static str,
    published_at: String,
    first_answer: &'static str,
    messages: Vec<MessageShown<'a>>,
}

#[derive(Debug, Serialize)]
struct MessageShown<'a> {
    from_customer: bool,
    text: &'a str,
    at: String,
}

/// A page without a board.
#[derive(Debug, Serialize)]
struct Note {
    brand: &'static str,
    title: &'static str,
    text: &'static str,
    is_done: bool,
}

async fn show_board(
    State(api): State<Api>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    request: Option<Extension<RequestId>>,
    headers: HeaderMap,
) -> Response {
    let locale = locale(query.as_deref(), &headers);
    let request = request.map(|Extension(RequestId(id))| id);
    let shown = match BoardLink::open(&token, api.secret()) {
        Some(link) => look(&api, link, page(query.as_deref()), request).await,
        None => Ok(None),
    };
    let note = |status, (title, text): super::words::NoteWords| {
        let (title, text) = (title.get(locale), text.get(locale));
        show(status, locale, "note.html", &Note { brand: "", title, text, is_done: false })
    };
    in_confidence(match shown {
        Ok(Some(seen)) => seen.page(locale),
        Ok(None) => note(StatusCode::NOT_FOUND, UNKNOWN),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            note(StatusCode::NOT_FOUND, UNKNOWN)
        }
        Err(_) => note(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
    })
}

/// Which page is wanted; the first, whatever else stands there.
fn page(query: Option<&str>) -> u32 {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "page");
    let wanted = named.find_map(|(_, page)| BoardPage::new(page.parse().ok()?).ok());
    wanted.unwrap_or(BoardPage::LEAST).get()
}

/// What is seen through a link.
struct Seen {
    brand: String,
    dealer: String,
    tz: Zone,
    board: ComplaintBoardShown,
}

/// Looks through a link; nothing when another one leads to the board by now.
async fn look(
    api: &Api,
    link: BoardLink,
    page: u32,
    request: Option<String>,
) -> Result<Option<Seen>, Problem> {
    let tenant = api.enter_by_link(link.scope(request)).await?;
    let board: ComplaintBoard = tenant.get(link.board).await?;
    if board.link_number != link.number {
        return Ok(None);
    }
    let dealer: Dealer = tenant.get(link.dealer).await?;
    let brand = tenant.brand().await?.details;
    let seen = Seen {
        tz: dealer.details.tz.unwrap_or(brand.tz),
        brand: brand.name.to_string(),
        dealer: dealer.details.name.to_string(),
        board: tenant.board_page(link.dealer, page).await?,
    };
    tenant.undo().await?;
    Ok(Some(seen))
}

impl Seen {
    fn page(&self, locale: Locale) -> Response {
        let ComplaintBoardShown { figure, complaints, page, has_more } = &self.board;
        let share = figure
            .share_bp
            .map(|share| format!("{}.{:02}", share.div_euclid(100), share.rem_euclid(100)));
        let shown = BoardShown {
            words: BOARD.get(locale),
            brand: &self.brand,
            dealer: &self.dealer,
            days: figure.days,
            complaints: figure.complaints,
            kept: figure.kept,
            share,
            entries: complaints.iter().map(|entry| self.entry(locale, entry)).collect(),
            newer: page.checked_sub(1).filter(|page| *page > 0),
            older: page.checked_add(1).filter(|page| *has_more && BoardPage::new(*page).is_ok()),
        };
        show(StatusCode::OK, locale, "board.html", &shown)
    }

    fn entry<'a>(&self, locale: Locale, entry: &'a BoardEntry) -> EntryShown<'a> {
        let messages = entry.messages.iter().map(|message| MessageShown {
            from_customer: message.from_customer,
            text: &message.text,
            at: message.at.wall_time_in(self.tz),
        });
        EntryShown {
            title: &entry.title,
            text: &entry.text,
            standing: standing(entry.state).get(locale),
            published_at: entry.published_at.wall_time_in(self.tz),
            first_answer: first_answer(entry.first_answer).get(locale),
            messages: messages.collect(),
        }
    }
}
