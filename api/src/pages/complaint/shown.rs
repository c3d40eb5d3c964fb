//! A complaint as its customer sees it.

use super::said::{Saying, seen};
use crate::pages::{
    complaint_words::{
        ATTACHED, BY, CLOSED_IN_SILENCE, CLOSED_NOW, COMPLAINT, ComplaintWords, DONE_LATE,
        FIRST_ANSWER, KEPT, KINDS, LATE, NOT_TAKEN_AS_COMPLAINT, OPEN_NOW, SET_ASIDE_AS_DUPLICATE,
        STAGES, STANDS_STILL, TAKEN_UP_AGAIN, TURNED_OUTSIDE, WALL_CLOCK, WE, YOU, YOU_ACCEPTED,
        YOU_REFUSED, YOU_WERE_SATISFIED, YOU_WITHDREW, promise, remedy, say,
    },
    form::{Field, MistakeShown},
    show,
    visit::Ending,
    when::{spoken, spoken_at},
};
use axum::{http::StatusCode, response::Response};
use domain::{
    clocks::{SlaClock, SlaClockState},
    complaints::{
        Complaint, ComplaintAttachment, ComplaintMessage, ComplaintMessageDirection,
        ComplaintState, FirstAnswer, REOPENING_DAYS, Remedy, WaitingFor,
    },
    filing::ComplaintLink,
    text::{Bilingual, Locale, Name, Prose},
    time::{Timestamp, Zone},
    working_time::Stretch,
};
use serde::Serialize;
use store::{
    Tenant,
    clocks::{ClocksWanted, sla_clocks},
    complaint_attachments::attachments_of,
    complaint_messages::said_lately,
    complaints::current_remedies,
};

/// Messages that the page shows: more is a long way on a telephone, and is in the customer's mail.
const MOST_MESSAGES: u64 = 20;

/// The page of a complaint.
#[derive(Debug, Serialize)]
struct ComplaintPage<'a> {
    words: ComplaintWords,
    brand: &'a str,
    number: &'a str,
    stages: Vec<StageShown>,
    waits_for: Option<&'a str>,
    times: Vec<TimeShown>,
    office: Option<String>,
    wall_clock: String,
    kind: &'static str,
    description: &'a str,
    wish: Option<&'a str>,
    answer: Option<AnswerShown<'a>>,
    heard: Option<HeardShown<'a>>,
    buttons: Vec<&'static str>,
    messages: Vec<MessageShown<'a>>,
    attached: Option<String>,
    seen: String,
    said_in: Option<Field>,
    said: &'a str,
    mistake: Option<MistakeShown>,
}

#[derive(Debug, Serialize)]
struct StageShown {
    text: &'static str,
    is_present: bool,
    is_past: bool,
}

/// Something that is promised by a time.
#[derive(Debug, Serialize)]
struct TimeShown {
    what: &'static str,
    says: String,
}

#[derive(Debug, Serialize)]
struct AnswerShown<'a> {
    apology: Option<&'a str>,
    text: &'a str,
    recourse: &'a str,
    remedies: Vec<RemedyShown<'a>>,
}

#[derive(Debug, Serialize)]
struct RemedyShown<'a> {
    kind: &'static str,
    note: Option<&'a str>,
    state: &'static str,
}

/// Something that was said.
#[derive(Debug, Serialize)]
struct MessageShown<'a> {
    who: &'static str,
    when: String,
    text: &'a str,
}

/// What the customer has said of a resolution.
#[derive(Debug, Serialize)]
struct HeardShown<'a> {
    says: &'static str,
    text: Option<&'a str>,
}

/// Why the page is shown again, and what was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again<'a> {
    pub(super) status: StatusCode,
    pub(super) mistake: Option<(Field, Bilingual)>,
    pub(super) said: Option<(Saying, &'a str)>,
}

/// Nothing was said yet.
pub(super) const FIRST_LOOK: Again<'static> =
    Again { status: StatusCode::OK, mistake: None, said: None };

/// A complaint with what is told about it.
pub(super) struct Followed {
    pub(super) complaint: Complaint,
    brand: Name,
    remedies: Vec<Remedy>,
    clocks: Vec<SlaClock>,
    /// What was said lately, the newest first.
    messages: Vec<ComplaintMessage>,
    pub(super) attached: Vec<ComplaintAttachment>,
    /// When somebody is there, now or next.
    office: Option<Stretch>,
    now: Timestamp,
}

impl Followed {
    /// What is told about the complaint that a link leads to.
    pub(super) async fn by(
        tenant: &Tenant,
        link: &ComplaintLink,
        complaint: Complaint,
    ) -> Result<Self, Ending> {
        if !link.leads(&complaint, tenant.now()) {
            return Err(Ending::Unknown);
        }
        let brand = tenant.correspondent(link.customer_id).await?.brand;
        let remedies = tenant.all::<Remedy>(current_remedies(&complaint)).await?;
        let wanted = ClocksWanted { complaint_id: Some(complaint.id), ..ClocksWanted::default() };
        let clocks = tenant.all::<SlaClock>(sla_clocks(wanted)).await?;
        let calendar = tenant.calendar_of(complaint.details.dealer_id).await?;
        let lately = said_lately(complaint.id, MOST_MESSAGES);
        let messages = tenant.all::<ComplaintMessage>(lately).await?;
        let attached = tenant.all::<ComplaintAttachment>(attachments_of(complaint.id)).await?;
        let now = tenant.now();
        let office = calendar.next_stretch(now);
        Ok(Self { complaint, brand, remedies, clocks, messages, attached, office, now })
    }

    /// The page.
    pub(super) fn page(&self, locale: Locale, again: Again<'_>) -> Response {
        let Self { complaint, now, .. } = self;
        let details = &complaint.details;
        let kind = KINDS.iter().find(|(kind, _)| *kind == details.kind);
        let for_customer = complaint.waiting_for == Some(WaitingFor::Customer);
        let buttons = self.buttons();
        let page = ComplaintPage {
            words: COMPLAINT.get(locale),
            brand: &self.brand,
            number: &complaint.number,
            stages: stages(complaint.state, locale),
            waits_for: complaint.waiting_reason.as_deref().filter(|_| for_customer),
            times: self.times(locale),
            office: self
                .office
                .filter(|_| complaint.state.is_open())
                .map(|stretch| office(stretch, *now, complaint.tz, locale)),
            wall_clock: say(WALL_CLOCK, locale, &[("zone", &complaint.tz.to_string())]),
            kind: kind.map_or("", |(_, says)| says.get(locale)),
            description: &details.description,
            wish: details.remedy_sought.as_deref(),
            answer: self.answer(locale),
            heard: heard(complaint, locale),
            buttons: buttons.iter().map(|saying| saying.word()).collect(),
            seen: seen(complaint),
            messages: self.messages(locale),
            attached: self.count_attached(locale),
            said_in: again.said.and_then(|(saying, text)| place(saying, text, &buttons)),
            said: again.said.map_or("", |(_, written)| written),
            mistake: again.mistake.map(|(field, says)| MistakeShown::new(field, says, locale)),
        };
        show(again.status, locale, "complaint.html", &page)
    }

    /// What the customer can say, as it stands.
    fn buttons(&self) -> Vec<Saying> {
        let Self { complaint, now, .. } = self;
        let closed_at = complaint.closed_at.map(|at| at.plus_days(REOPENING_DAYS));
        let is_freshly_closed = closed_at.is_some_and(|until| *now <= until);
        let is_resolved = complaint.state == ComplaintState::Resolved;
        let is_undecided_by_them =
            complaint.state == ComplaintState::Decided && complaint.accepted_at.is_none();
        let is_negotiated = complaint.state == ComplaintState::Negotiating;
        let can_say = |saying: &Saying| match saying {
            Saying::Writes => !complaint.is_over(),
            Saying::Accepts => is_undecided_by_them || is_negotiated,
            Saying::Refuses => is_undecided_by_them,
            Saying::Satisfied => is_resolved,
            Saying::Unsatisfied => is_resolved || is_freshly_closed,
        };
        Saying::ALL.into_iter().filter(can_say).collect()
    }

    fn times(&self, locale: Locale) -> Vec<TimeShown> {
        let clocks = self.clocks.iter().filter_map(|clock| {
            let what = promise(clock.metric)?.get(locale);
            Some(TimeShown { what, says: says_of(clock, locale)? })
        });
        first_answer(&self.complaint, locale).into_iter().chain(clocks).collect()
    }

    fn messages(&self, locale: Locale) -> Vec<MessageShown<'_>> {
        let shown = self.messages.iter().rev().map(|message| MessageShown {
            who: match message.direction {
                ComplaintMessageDirection::FromCustomer => YOU.get(locale),
                ComplaintMessageDirection::ToCustomer | ComplaintMessageDirection::Internal => {
                    WE.get(locale)
                }
            },
            when: spoken(message.created_at, self.complaint.tz, locale),
            text: &message.body,
        });
        shown.collect()
    }

    fn count_attached(&self, locale: Locale) -> Option<String> {
        let customer = self.complaint.details.customer_id.to_string();
        let count = self.attached.iter().filter(|one| one.attached_by == customer).count();
        (count > 0).then(|| say(ATTACHED, locale, &[("count", &count.to_string())]))
    }

    /// Whether the customer has said the same just now, and nobody has said anything or waits for them since: the form
    /// was sent twice.
    pub(super) fn heard_last(&self, text: &Prose) -> bool {
        let is_same = |last: &ComplaintMessage| {
            last.direction == ComplaintMessageDirection::FromCustomer && last.body == *text
        };
        !self.complaint.waits_for_customer() && self.messages.first().is_some_and(is_same)
    }

    fn answer(&self, locale: Locale) -> Option<AnswerShown<'_>> {
        let decision = self.complaint.decision.as_ref()?;
        let remedies = self.remedies.iter().map(|promised| RemedyShown {
            kind: promised.details.kind.says().get(locale),
            note: promised.details.note.as_deref(),
            state: remedy(promised.state).get(locale),
        });
        Some(AnswerShown {
            apology: decision.apology.as_deref(),
            text: &decision.text,
            recourse: &decision.recourse,
            remedies: remedies.collect(),
        })
    }
}

/// Where what was written is shown again: in its own form, or where a message is written, or else to be kept.
fn place(saying: Saying, written: &str, buttons: &[Saying]) -> Option<Field> {
    if written.is_empty() {
        return None;
    }
    if buttons.contains(&saying) {
        return Some(saying.field());
    }
    let writes = buttons.contains(&Saying::Writes);
    Some(if writes { Field::Message } else { Field::Form })
}

fn stages(state: ComplaintState, locale: Locale) -> Vec<StageShown> {
    let present = match state {
        ComplaintState::Received => 0,
        ComplaintState::Acknowledged
        | ComplaintState::Assessed
        | ComplaintState::Investigating
        | ComplaintState::Reopened => 1,
        ComplaintState::Decided
        | ComplaintState::Negotiating
        | ComplaintState::ExternalRecourse => 2,
        ComplaintState::Resolved => 3,
        ComplaintState::Closed
        | ComplaintState::Duplicate
        | ComplaintState::Withdrawn
        | ComplaintState::NotAComplaint => 4,
    };
    let numbered = (0..).zip(STAGES);
    let shown = numbered.map(|(number, says)| StageShown {
        text: says.get(locale),
        is_present: number == present,
        is_past: number < present,
    });
    shown.collect()
}

/// What the customer has said, or what else there is to know of where it stands.
fn heard(complaint: &Complaint, locale: Locale) -> Option<HeardShown<'_>> {
    let refused = complaint.refusal_reason.as_deref();
    let (says, text) = match complaint.state {
        ComplaintState::Decided => {
            complaint.accepted_at?;
            (YOU_ACCEPTED, None)
        }
        ComplaintState::Negotiating => (YOU_REFUSED, refused),
        ComplaintState::ExternalRecourse => (TURNED_OUTSIDE, complaint.external_body.as_deref()),
        ComplaintState::Reopened => (TAKEN_UP_AGAIN, complaint.reopen_reason.as_deref()),
        ComplaintState::Closed if complaint.customer_satisfied == Some(true) => {
            (YOU_WERE_SATISFIED, None)
        }
        ComplaintState::Closed => (CLOSED_IN_SILENCE, None),
        ComplaintState::Duplicate => (SET_ASIDE_AS_DUPLICATE, None),
        ComplaintState::Withdrawn => (YOU_WITHDREW, None),
        ComplaintState::NotAComplaint => (NOT_TAKEN_AS_COMPLAINT, None),
        ComplaintState::Received
        | ComplaintState::Acknowledged
        | ComplaintState::Assessed
        | ComplaintState::Investigating
        | ComplaintState::Resolved => return None,
    };
    Some(HeardShown { says: says.get(locale), text })
}

/// When the first answer came, or comes; nothing when none is owed any more.
fn first_answer(complaint: &Complaint, locale: Locale) -> Option<TimeShown> {
    if complaint.state.is_set_aside() && complaint.first_answer_at.is_none() {
        return None;
    }
    let when = |at| spoken(at, complaint.tz, locale);
    let due = when(complaint.first_answer_due_at);
    let done = complaint.first_answer_at.map(when).unwrap_or_default();
    let sentence = match (complaint.first_answer, complaint.first_answer_at) {
        (FirstAnswer::Due, _) => BY,
        (FirstAnswer::Kept, _) => KEPT,
        (FirstAnswer::Missed, Some(_)) => DONE_LATE,
        (FirstAnswer::Missed, None) => LATE,
    };
    let says = say(sentence, locale, &[("due", &due), ("done", &done)]);
    Some(TimeShown { what: FIRST_ANSWER.get(locale), says })
}

/// How a clock stands, as a customer is told; nothing when there is nothing to tell.
fn says_of(clock: &SlaClock, locale: Locale) -> Option<String> {
    let sentence = match clock.state {
        SlaClockState::Running => BY,
        SlaClockState::Paused => STANDS_STILL,
        SlaClockState::Met => KEPT,
        SlaClockState::Breached => LATE,
        SlaClockState::MetLate => DONE_LATE,
        SlaClockState::Pending | SlaClockState::Cancelled => return None,
    };
    let when = |at: Option<Timestamp>| at.map(|at| spoken(at, clock.tz, locale));
    let (due, done) =
        (when(clock.due_at).unwrap_or_default(), when(clock.met_at).unwrap_or_default());
    Some(say(sentence, locale, &[("due", &due), ("done", &done)]))
}

/// Whether somebody is there now, and until when; or when somebody is there next.
pub(in crate::pages) fn office(
    stretch: Stretch,
    now: Timestamp,
    tz: Zone,
    locale: Locale,
) -> String {
    if stretch.from <= now {
        let closes = spoken_at(now, stretch.to, tz, locale);
        return say(OPEN_NOW, locale, &[("closes", &closes)]);
    }
    say(CLOSED_NOW, locale, &[("opens", &spoken_at(now, stretch.from, tz, locale))])
}
