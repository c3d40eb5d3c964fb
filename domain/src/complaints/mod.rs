//! Complaints: what a customer is unhappy with, what we answer, and what puts it right.

mod answers;
mod aside;
mod assessment;
mod attachments;
mod boards;
mod canonical;
mod chain;
mod course;
mod hands;
mod log;
mod messages;
#[cfg(test)]
mod model;
mod negotiation;
mod publications;
mod redaction;
mod remedies;
pub mod reports;
mod rules;
mod seals;
mod superiors;
#[cfg(test)]
mod tests;
mod waiting;
mod word;
pub mod work;

pub use aside::{AsideReason, ComplaintAside};
pub use assessment::{
    AssessmentDetails, ComplaintAssessment, ComplaintComplexity, ComplaintInvestigation,
    InvestigationDetails,
};
pub use attachments::{
    ATTACHMENT_TOO_LARGE, AttachmentFile, AttachmentType, ComplaintAttachment,
    MOST_ATTACHMENT_BYTES, MOST_ATTACHMENTS, MOST_FILED_PHOTOS, TOO_MANY_ATTACHMENTS,
    TOO_MANY_PHOTOS,
};
pub use boards::{
    BOARD_DAYS, BOARD_PAGE, BoardEntry, BoardFigure, BoardMessage, BoardPage, ComplaintBoard,
    ComplaintBoardShown, MOST_BOARD_ANSWERS,
};
pub use canonical::canonical;
pub use chain::{ChainCheck, Flaw, FlawKind, NotedHead, read_line};
pub use course::{
    ComplaintClosing, ComplaintReopening, Connections, Decided, Deciding, DecisionDetails,
};
pub use hands::ComplaintHands;
pub use log::{ClockOutcome, LoggedClock, MOST_LOGGED_CLOCKS, Resolution, SettledRemedy};
pub use messages::{
    ComplaintMessage, ComplaintMessageDetails, ComplaintMessageDirection, Conversation,
    MOST_COMPLAINT_MESSAGES, Said, TOO_MANY_MESSAGES,
};
pub use negotiation::{ComplaintReferral, ComplaintRefusing, STAND_OFF_HOURS, StandOff};
pub use publications::{
    ComplaintPublication, ComplaintPublicationDetails, ComplaintRedacting, PublicationState,
    SPREADING_FROM, Virality, ViralityRaising,
};
pub use redaction::{MASK, MOST_ADDRESSES, PersonalWords, Redacted, Redaction, RedactionKind};
pub use remedies::{MOST_REMEDIES, Remedy, RemedyDetails, RemedyKind, RemedyState};
pub use rules::*;
pub use seals::{
    LogEntry, LogEntryKind, LogHash, LogPlace, LogSeal, MOST_EXPORTED, MOST_SEALED, SealedEntry,
};
pub use superiors::{EscalationCause, Superiors};
pub use waiting::{ComplaintWaiting, WaitingFor};
pub use word::{CustomerVerdict, CustomerWord};

use crate::{
    identity::Rank,
    ids::{AssetId, ComplaintId, CustomerId, DealerId, OrderId, ResponseId, StaffId, WorkOrderId},
    number::whole_numbers,
    record::{Record, Version},
    text::{Code, Line, Prose},
    time::{Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a customer waits for the first answer, at most, on the clock on the wall; where a policy applies, it says so
/// itself.
pub const FIRST_ANSWER_HOURS: i64 = 24;

/// How long a customer may think about a resolution before silence closes the complaint: two weeks,
/// so that a holiday does not pass for consent.
pub const COOLING_DAYS: i64 = 14;

/// How long after closing a complaint can be taken up again; later it is a new one.
pub const REOPENING_DAYS: i64 = 30;

whole_numbers! {
    /// How bad it is: 1 is a nuisance, 4 a danger or a heavy loss.
    Severity = 1 to 4, "How bad it is: 1 is a nuisance, 4 a danger or a heavy loss.", 2;
}

/// How a complaint reached the brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintSource {
    /// Through the brand's app or site.
    App,
    /// By telephone.
    Phone,
    /// In a store.
    Store,
    /// In a group chat that others read.
    Group,
    /// By a low score in a survey.
    Survey,
    /// By a form behind a link that the customer was given.
    Page,
}

/// What a complaint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintKind {
    /// The product itself.
    Quality,
    /// What was done, or not done, for the customer.
    Service,
    /// When or how the product arrived.
    Delivery,
    /// What was charged.
    Billing,
    /// How somebody behaved.
    Conduct,
    /// What was expected differs from what was promised.
    Misunderstanding,
}

/// Where a complaint stands. The order is that of ISO 10002, clause 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintState {
    /// It has arrived; nobody has answered yet.
    Received,
    /// Somebody has answered and looks into it.
    Acknowledged,
    /// It is known how bad it is, and how hard.
    Assessed,
    /// It is being found out what happened.
    Investigating,
    /// It is decided who answers for it and what is done; the remedies are under way.
    Decided,
    /// The customer does not accept the decision.
    Negotiating,
    /// The customer has turned to somebody outside.
    ExternalRecourse,
    /// All remedies are done or waived; the customer is asked.
    Resolved,
    /// The customer is satisfied, or has kept silent for the cooling period.
    Closed,
    /// The customer was not satisfied; it is decided anew.
    Reopened,
    /// It is about the same as another one, which goes on.
    Duplicate,
    /// The customer does not want it looked into any more.
    Withdrawn,
    /// It is a question or a wish, and no complaint.
    NotAComplaint,
}

impl ComplaintState {
    /// Every state, in the order of a complaint's course.
    pub const ALL: [Self; 13] = [
        Self::Received,
        Self::Acknowledged,
        Self::Assessed,
        Self::Investigating,
        Self::Decided,
        Self::Negotiating,
        Self::ExternalRecourse,
        Self::Resolved,
        Self::Closed,
        Self::Reopened,
        Self::Duplicate,
        Self::Withdrawn,
        Self::NotAComplaint,
    ];

    /// The verbs that lead on from here.
    pub fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Received => &["acknowledge", "set-aside", "assign"],
            Self::Acknowledged => &["assess", "decide", "wait", "resume", "set-aside", "assign"],
            Self::Assessed | Self::Investigating => {
                &["assess", "investigate", "decide", "wait", "resume", "set-aside", "assign"]
            }
            Self::Reopened => &["assess", "investigate", "decide", "wait", "resume", "assign"],
            Self::Decided => &["tell", "accept", "refuse", "resolve", "wait", "resume", "assign"],
            Self::Negotiating => {
                &["decide", "accept", "refer", "resolve", "wait", "resume", "assign"]
            }
            Self::ExternalRecourse => &["decide", "resolve", "wait", "resume", "assign"],
            Self::Resolved => &["tell", "close", "reopen", "assign"],
            Self::Closed => &["reopen"],
            Self::Duplicate | Self::Withdrawn | Self::NotAComplaint => &[],
        }
    }

    /// Whether the customer still waits for us.
    pub fn is_open(self) -> bool {
        match self {
            Self::Received
            | Self::Acknowledged
            | Self::Assessed
            | Self::Investigating
            | Self::Decided
            | Self::Negotiating
            | Self::ExternalRecourse
            | Self::Reopened => true,
            Self::Resolved
            | Self::Closed
            | Self::Duplicate
            | Self::Withdrawn
            | Self::NotAComplaint => false,
        }
    }

    /// Whether it was put right, and perhaps closed.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Resolved | Self::Closed => true,
            Self::Received
            | Self::Acknowledged
            | Self::Assessed
            | Self::Investigating
            | Self::Decided
            | Self::Negotiating
            | Self::ExternalRecourse
            | Self::Reopened
            | Self::Duplicate
            | Self::Withdrawn
            | Self::NotAComplaint => false,
        }
    }

    /// Whether it was set aside: nothing is owed to the customer any more.
    pub fn is_set_aside(self) -> bool {
        !self.is_open() && !self.is_settled()
    }
}

/// Whether the first answer came in time. Decided once: a later answer does not mend a missed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstAnswer {
    /// There is still time.
    Due,
    /// It came before `first_answer_due_at`.
    Kept,
    /// `first_answer_due_at` passed without it.
    Missed,
}

/// Who answers for what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Responsibility {
    /// We do. An apology is due.
    Ours,
    /// We do in part. An apology is due.
    Partly,
    /// A supplier does.
    Supplier,
    /// Nobody: what was expected had not been promised.
    Misunderstanding,
    /// Nobody: nothing went wrong.
    None,
}

impl Responsibility {
    /// Whether we owe the customer an apology.
    pub fn owes_apology(self) -> bool {
        match self {
            Self::Ours | Self::Partly => true,
            Self::Supplier | Self::Misunderstanding | Self::None => false,
        }
    }
}

/// What somebody who files a complaint says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "order_id": null, "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk",
    "work_order_id": null, "source": "phone", "kind": "quality", "severity": 3,
    "description": "The filter housing leaks since Monday.", "remedy_sought": "A new housing"})))]
pub struct ComplaintDetails {
    /// Who complains.
    pub customer_id: CustomerId,
    /// Whose people answer it; the customer's dealer when left out.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// The sale it is about.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// The sold thing it is about.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// The visit it is about.
    #[serde(default)]
    pub work_order_id: Option<WorkOrderId>,
    /// How it reached the brand.
    pub source: ComplaintSource,
    /// What it is about.
    pub kind: ComplaintKind,
    /// How bad it is, from 1 (a nuisance) to 4 (a danger or a heavy loss).
    pub severity: Severity,
    /// What happened, in the customer's words.
    pub description: Prose,
    /// What the customer wishes for.
    #[serde(default)]
    pub remedy_sought: Option<Line>,
}

/// What was decided about a complaint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"responsibility": "ours", "apology": "We are sorry: the seal was not tightened.",
        "text": "We replace the housing this week.",
        "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
        "confirmed_defect": true, "decided_at": "2026-11-22T10:00:00Z"})))]
pub struct ComplaintDecision {
    /// Who answers for what went wrong.
    pub responsibility: Responsibility,
    /// The apology, in the words the customer reads; it stands before everything else.
    pub apology: Option<Prose>,
    /// The decision, in the words the customer reads.
    pub text: Prose,
    /// What the customer can do who does not agree, and whom they can turn to, in the words they read.
    pub recourse: Prose,
    /// Whether the product was found defective; then it is replaced, whether or not the customer would
    /// let it pass.
    pub confirmed_defect: bool,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// A customer's dissatisfaction, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk", "number": "C-000123",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "order_id": null, "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk",
    "work_order_id": null, "source": "phone", "kind": "quality", "severity": 3,
    "description": "The filter housing leaks since Monday.", "remedy_sought": "A new housing",
    "response_id": null, "state": "decided", "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "cover_id": null,
    "safety": false,
    "assessment": {"severity": 3, "safety": false, "complexity": "involved", "impact": "The kitchen floor is wet.",
        "immediate_action": "The tap was turned off.", "assessed_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
        "assessed_at": "2026-11-22T09:46:00Z"},
    "investigation": {"findings": "The seal was not tightened.", "cause_code": "seal_loose", "confirmed_defect": true,
        "investigated_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "investigated_at": "2026-11-22T09:49:00Z"},
    "cause_code": "seal_loose",
    "first_answer_due_at": "2026-11-23T09:30:00Z", "tz": "Asia/Shanghai",
    "local_first_answer_due": "2026-11-23 17:30", "first_answer_at": "2026-11-22T09:45:00Z",
    "first_answer": "kept", "waiting_for": "customer", "waiting_began_at": "2026-11-22T09:50:00Z",
    "waiting_reason": "Which lot is printed on the housing?", "escalated_rank": null, "escalated_staff_id": null,
    "resolution_no": 1,
    "decision": {"responsibility": "ours", "apology": "We are sorry: the seal was not tightened.",
        "text": "We replace the housing this week.",
        "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
        "confirmed_defect": true, "decided_at": "2026-11-22T10:00:00Z"},
    "upheld": true, "decided_rank": 2, "deciding_rank": null, "told_at": "2026-11-22T10:00:01Z",
    "accepted_at": null, "refusals": 0, "refused_at": null, "refusal_reason": null, "opposing_messages": 0,
    "external_body": null, "resolved_at": null, "resolved_by": null, "customer_satisfied": null, "closed_at": null,
    "duplicate_of": null, "set_aside_at": null, "aside_note": null, "reopen_reason": null, "created_at": "2026-11-22T09:30:00Z", "version": 3})))]
pub struct Complaint {
    /// Its identifier.
    pub id: ComplaintId,
    /// The number that people say on the telephone, such as `C-000123`; unique for the brand.
    pub number: String,
    /// What was said about it.
    #[serde(flatten)]
    pub details: ComplaintDetails,
    /// The survey answer that opened it; one answer opens at most one complaint.
    pub response_id: Option<ResponseId>,
    /// Where it stands.
    pub state: ComplaintState,
    /// The person who answers for it until it is closed: who acknowledged it, or else whom the service or somebody
    /// has named.
    pub owner_id: Option<StaffId>,
    /// Who stands in for that person while they are on leave.
    pub cover_id: Option<StaffId>,
    /// Whether somebody may be hurt.
    pub safety: bool,
    /// How bad and how hard it is, as somebody has judged who knows.
    pub assessment: Option<ComplaintAssessment>,
    /// What was found out.
    pub investigation: Option<ComplaintInvestigation>,
    /// What brought it about, as a word of the brand's that reports count by.
    pub cause_code: Option<Code>,
    /// When the first answer must have been given: as the policy says that applies, and else 24 hours after it was
    /// received.
    pub first_answer_due_at: Timestamp,
    /// The time zone of those who answer: that of the dealer when it was received, or of the brand.
    pub tz: Zone,
    /// When the first answer must have been given on the wall clock there, for people.
    #[schema(examples("2026-11-23 17:30"))]
    pub local_first_answer_due: String,
    /// When the first answer was given.
    pub first_answer_at: Option<Timestamp>,
    /// Whether the first answer came in time.
    pub first_answer: FirstAnswer,
    /// Whom we wait for; whatever moves the complaint on ends that.
    pub waiting_for: Option<WaitingFor>,
    /// Since when we wait.
    pub waiting_began_at: Option<Timestamp>,
    /// What we wait for, in the words of whoever waits.
    pub waiting_reason: Option<Line>,
    /// The rank that answers for it since a deadline came near or passed; null before it went up to anybody.
    pub escalated_rank: Option<Rank>,
    /// Who has that rank and was given it; null when nobody has it.
    pub escalated_staff_id: Option<StaffId>,
    /// Which attempt to put it right this is, from 1; reopening begins the next.
    pub resolution_no: u32,
    /// What was decided in this attempt; earlier ones are in the resolution log.
    pub decision: Option<ComplaintDecision>,
    /// Whether the present decision says that the customer is right; `null` before there is one.
    pub upheld: Option<bool>,
    /// The rank in which it was made; a program of the brand decides as the brand.
    pub decided_rank: Option<Rank>,
    /// The lowest rank that may decide anew, after the two sides have stood against each other.
    pub deciding_rank: Option<Rank>,
    /// When the customer was told the decision and their recourse, in this attempt; `null` while nobody
    /// has reached them.
    pub told_at: Option<Timestamp>,
    /// When they accepted it.
    pub accepted_at: Option<Timestamp>,
    /// How often they have refused a decision, over all attempts.
    pub refusals: u32,
    /// When they refused the last one.
    pub refused_at: Option<Timestamp>,
    /// Why they did, in their words.
    pub refusal_reason: Option<Prose>,
    /// How often they have spoken against us since, while nothing new was offered.
    pub opposing_messages: u32,
    /// Whom outside they have turned to.
    pub external_body: Option<Line>,
    /// When it was resolved in this attempt.
    pub resolved_at: Option<Timestamp>,
    /// Who resolved it, as the audit log names them.
    pub resolved_by: Option<String>,
    /// What the customer says of the resolution; `null` when they have said nothing.
    pub customer_satisfied: Option<bool>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The complaint that it is about the same as.
    pub duplicate_of: Option<ComplaintId>,
    /// When it was set aside.
    pub set_aside_at: Option<Timestamp>,
    /// Why it was set aside.
    pub aside_note: Option<Line>,
    /// Why it was reopened the last time.
    pub reopen_reason: Option<Prose>,
    /// When it was received.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Record for Complaint {
    type Id = ComplaintId;

    fn id(&self) -> ComplaintId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.details.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

/// The number people say for the complaint that is the brand's `serial`th.
pub fn number(serial: i64) -> String {
    format!("C-{serial:06}")
}
