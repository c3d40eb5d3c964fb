//! Boards: what a dealer's customers have complained about in public, and how it was answered.

use super::{
    Complaint, ComplaintMessage, ComplaintMessageDirection, ComplaintPublication, ComplaintState,
    FirstAnswer,
};
use crate::{
    change::Change,
    ids::{ComplaintBoardId, DealerId},
    number::whole_numbers,
    record::{Record, Version},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// So far back the first answers are counted.
pub const BOARD_DAYS: i64 = 90;

/// Complaints on one page of a board.
pub const BOARD_PAGE: u32 = 20;

whole_numbers! {
    /// Which page of a board, from 1.
    BoardPage = 1 to 50, "Which page, from 1.", 1;
}

/// Public messages of one complaint on a board, at most: the first ones.
pub const MOST_BOARD_ANSWERS: usize = 20;

/// The board of a dealer, and the link to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cbd_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "link_number": 1, "created_at": "2026-11-22T09:30:00Z", "version": 1})))]
pub struct ComplaintBoard {
    /// Its identifier.
    pub id: ComplaintBoardId,
    /// The dealer; each has one board.
    pub dealer_id: DealerId,
    /// Which link leads to it, from 1; those before lead nowhere.
    pub link_number: u32,
    /// When it was opened.
    pub created_at: Timestamp,
    /// How often the record was changed.
    pub version: Version,
}

impl Record for ComplaintBoard {
    type Id = ComplaintBoardId;

    fn id(&self) -> ComplaintBoardId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        Some(self.dealer_id)
    }
}

impl ComplaintBoard {
    /// Opens the board of a dealer.
    pub fn open(id: ComplaintBoardId, dealer_id: DealerId, now: Timestamp) -> Change<Self> {
        let version = Version::FIRST;
        let board = Self { id, dealer_id, link_number: 1, created_at: now, version };
        Change { action: "open", ..Change::created(board) }
    }

    /// Lets another link lead to it, and those before nowhere.
    pub fn renew(mut self) -> Change<Self> {
        self.link_number = self.link_number.saturating_add(1);
        let link_number = self.link_number;
        Change::new("renew_link", self).with("link_number", link_number)
    }
}

/// How soon a dealer answered in public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"days": 90, "complaints": 12, "kept": 9, "share_bp": 7_500})))]
pub struct BoardFigure {
    /// Of how many days.
    pub days: i64,
    /// Complaints that became public in these days, and whose first answer came or is overdue; also those that were
    /// withdrawn since.
    pub complaints: u32,
    /// Those that were answered in time.
    pub kept: u32,
    /// Their share, in hundredths of a percent; null when there are no complaints.
    #[schema(minimum = 0, maximum = 10_000)]
    pub share_bp: Option<u32>,
}

impl BoardFigure {
    /// Of `complaints` so many were `kept`.
    pub fn of(complaints: u32, kept: u32) -> Self {
        let share_bp = kept.saturating_mul(10_000).checked_div(complaints);
        Self { days: BOARD_DAYS, complaints, kept, share_bp }
    }
}

/// A public message, as others read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"from_customer": false, "text": "我们今天下午上门更换。", "at": "2026-11-22T09:40:00Z"})))]
pub struct BoardMessage {
    /// Whether the customer said it; else it was said to them.
    pub from_customer: bool,
    /// What was said.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A complaint on a board. Nothing of a person is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"title": "净水器漏水", "text": "请致电 ***。", "state": "acknowledged",
    "published_at": "2026-11-22T09:00:00Z", "first_answer_due_at": "2026-11-22T10:00:00Z",
    "first_answer_at": "2026-11-22T09:40:00Z", "first_answer": "kept",
    "messages": [{"from_customer": false, "text": "我们今天下午上门更换。", "at": "2026-11-22T09:40:00Z"}]})))]
pub struct BoardEntry {
    /// What it is about.
    pub title: String,
    /// What was raised.
    pub text: String,
    /// Where the complaint stands.
    pub state: ComplaintState,
    /// When it became public.
    pub published_at: Timestamp,
    /// By when the first answer was promised.
    pub first_answer_due_at: Timestamp,
    /// When it came.
    pub first_answer_at: Option<Timestamp>,
    /// Whether that was in time.
    pub first_answer: FirstAnswer,
    /// What was said in public, the first message first; at most 20.
    pub messages: Vec<BoardMessage>,
}

impl BoardEntry {
    /// What others read of a complaint: what is masked, and nothing else of it.
    pub fn of(
        publication: &ComplaintPublication,
        complaint: &Complaint,
        messages: &[ComplaintMessage],
    ) -> Self {
        let own = messages.iter().filter(|one| one.complaint_id == complaint.id);
        let shown = own.filter_map(|one| {
            let from_customer = one.direction == ComplaintMessageDirection::FromCustomer;
            let text = one.public_body.clone()?;
            Some(BoardMessage { from_customer, text, at: one.created_at })
        });
        Self {
            title: publication.public_title.clone(),
            text: publication.public_text.clone(),
            state: complaint.state,
            published_at: publication.published_at,
            first_answer_due_at: publication.first_answer_due_at,
            first_answer_at: publication.first_answer_at,
            first_answer: publication.first_answer,
            messages: shown.take(MOST_BOARD_ANSWERS).collect(),
        }
    }
}

/// A page of a dealer's board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"figure": {"days": 90, "complaints": 12, "kept": 9, "share_bp": 7_500},
    "complaints": [{"title": "净水器漏水", "text": "请致电 ***。", "state": "acknowledged",
        "published_at": "2026-11-22T09:00:00Z", "first_answer_due_at": "2026-11-22T10:00:00Z",
        "first_answer_at": null, "first_answer": "due", "messages": []}],
    "page": 1, "has_more": false})))]
pub struct ComplaintBoardShown {
    /// How soon the dealer answered in public.
    pub figure: BoardFigure,
    /// The complaints, the one that became public last first; at most 20.
    pub complaints: Vec<BoardEntry>,
    /// Which page it is, from 1.
    pub page: u32,
    /// Whether there is another page.
    pub has_more: bool,
}
