//! `/c/{token}`: a complaint as its customer sees it, and what they say to it. Looking writes nothing; saying is a
//! button, and leads back to the page.

use super::{
    complaint_words::{
        BY, CLOSED_IN_SILENCE, CLOSED_NOW, COMPLAINT, ComplaintWords, DONE_LATE, FIRST_ANSWER,
        KEPT, KINDS, LATE, MOVED_ON, NOT_TAKEN_AS_COMPLAINT, OPEN_NOW, SAY_WHY,
        SET_ASIDE_AS_DUPLICATE, STAGES, STANDS_STILL, TAKEN_UP_AGAIN, TURNED_OUTSIDE, WALL_CLOCK,
        YOU_ACCEPTED, YOU_REFUSED, YOU_WERE_SATISFIED, YOU_WITHDREW, promise, remedy, say,
    },
    form::{Field, Form, MistakeShown, prose},
    show,
    visit::{Ending, Visitor, end, form},
    when::{spoken, spoken_at},
};
use crate::{access::Api, complaints};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::{
    clocks::{SlaClock, SlaClockState},
    complaints::{
        Complaint, ComplaintClosing, ComplaintRefusing, ComplaintReopening, ComplaintState,
        FirstAnswer, REOPENING_DAYS, Remedy, WaitingFor,
    },
    customers::Customer,
    filing::ComplaintLink,
    text::{Bilingual, Locale, Name, Prose},
    time::{Timestamp, Zone},
    working_time::Stretch,
};
use serde::Serialize;
use store::{
    Failure, Tenant,
    clocks::{ClocksWanted, sla_clocks},
    complaints::current_remedies,
};

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new().route("/c/{token}", get(show_complaint).post(hear_customer))
}

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
    can_accept: bool,
    can_refuse: bool,
    asks_whether_satisfied: bool,
    can_be_taken_up: bool,
    seen: String,
    said: &'a str,
    is_kept: bool,
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

/// What the customer has said of a resolution.
#[derive(Debug, Serialize)]
struct HeardShown<'a> {
    says: &'static str,
    text: Option<&'a str>,
}

/// What a customer says with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Accepts,
    Refuses,
    Satisfied,
    Unsatisfied,
}

/// What came with a button.
struct Said<'a> {
    saying: Saying,
    /// What was seen when the button was pressed.
    seen: &'a str,
    /// What was written beside it, as it was written.
    written: &'a str,
}

/// Why the page is shown again.
#[derive(Debug, Clone, Copy)]
struct Again<'a> {
    status: StatusCode,
    mistake: Option<(Field, Bilingual)>,
    written: &'a str,
}

const FIRST_LOOK: Again<'static> = Again { status: StatusCode::OK, mistake: None, written: "" };

/// A complaint with what is told about it.
struct Followed {
    complaint: Complaint,
    brand: Name,
    remedies: Vec<Remedy>,
    clocks: Vec<SlaClock>,
    /// When somebody is there, now or next.
    office: Option<Stretch>,
    now: Timestamp,
}

async fn show_complaint(visitor: Visitor) -> Response {
    end(visitor.locale, visitor.follows().await)
}

async fn hear_customer(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Response {
    let heard = match form(&headers, &body) {
        Ok(form) => visitor.says(&form).await,
        Err(ending) => Err(ending),
    };
    end(visitor.locale, heard)
}

impl Visitor {
    async fn follows(&self) -> Result<Response, Ending> {
        let (tenant, link) = self.enter::<ComplaintLink>().await?;
        let complaint = tenant.get::<Complaint>(link.complaint_id).await?;
        let followed = Followed::by(&tenant, &link, complaint).await?;
        Ok(followed.page(self.locale, FIRST_LOOK))
    }

    async fn says(&self, form: &Form) -> Result<Response, Ending> {
        let said = Said::read(form).ok_or(Ending::NotAForm(StatusCode::BAD_REQUEST))?;
        let (tenant, link) = self.enter_to_write::<ComplaintLink>().await?;
        // Nobody asks the customer anything while they speak.
        tenant.hold::<Customer>(link.customer_id).await?;
        let complaint = tenant.hold::<Complaint>(link.complaint_id).await?;
        let followed = Followed::by(&tenant, &link, complaint).await?;
        if said.was_heard(&followed.complaint) {
            return self.to_page(&format!("/c/{}", self.token));
        }
        if said.seen != seen(&followed.complaint) {
            return Ok(followed.page(self.locale, said.too_late()));
        }
        match said.hear(&tenant, &followed.complaint).await {
            Ok(()) => {
                tenant.commit(()).await?;
                self.to_page(&format!("/c/{}", self.token))
            }
            Err(Unheard::Mistake(mistake)) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let again = Again { status, mistake: Some(mistake), written: said.written };
                Ok(followed.page(self.locale, again))
            }
            Err(Unheard::Failure(Failure::Refused(_))) => {
                Ok(followed.page(self.locale, said.too_late()))
            }
            Err(Unheard::Failure(failure)) => Err(failure.into()),
        }
    }
}

/// Why nothing has come of what was said.
enum Unheard {
    Mistake((Field, Bilingual)),
    Failure(Failure),
}

impl From<Failure> for Unheard {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl<'a> Said<'a> {
    fn read(form: &'a Form) -> Option<Self> {
        let saying = match form.get("say")?.as_str() {
            "accept" => Saying::Accepts,
            "refuse" => Saying::Refuses,
            "satisfied" => Saying::Satisfied,
            "unsatisfied" => Saying::Unsatisfied,
            _ => return None,
        };
        let written = form.get("text").map_or("", String::as_str);
        Some(Self { saying, seen: form.get("seen")?, written })
    }

    /// Whether the same was heard before: the form was sent twice.
    fn was_heard(&self, complaint: &Complaint) -> bool {
        let same = |reason: &Option<Prose>| reason.is_some() && self.text() == Ok(reason.clone());
        match self.saying {
            Saying::Accepts => complaint.accepted_at.is_some() && self.seen == seen(complaint),
            Saying::Refuses => {
                complaint.state == ComplaintState::Negotiating && same(&complaint.refusal_reason)
            }
            Saying::Satisfied => complaint.customer_satisfied == Some(true),
            Saying::Unsatisfied => {
                complaint.state == ComplaintState::Reopened && same(&complaint.reopen_reason)
            }
        }
    }

    fn too_late(&self) -> Again<'a> {
        let mistake = Some((Field::Form, MOVED_ON));
        Again { status: StatusCode::CONFLICT, mistake, written: self.written }
    }

    fn text(&self) -> Result<Option<Prose>, (Field, Bilingual)> {
        prose(self.written).map_err(|says| (self.field(), says))
    }

    /// Where it was written.
    fn field(&self) -> Field {
        match self.saying {
            Saying::Accepts | Saying::Satisfied => Field::Form,
            Saying::Refuses => Field::Refusal,
            Saying::Unsatisfied => Field::Comment,
        }
    }

    async fn hear(&self, tenant: &Tenant, complaint: &Complaint) -> Result<(), Unheard> {
        let text = self.text().map_err(Unheard::Mistake)?;
        let reason = text.ok_or(Unheard::Mistake((self.field(), SAY_WHY)));
        match self.saying {
            Saying::Accepts => {
                complaints::accept(tenant, told(tenant, complaint).await?).await?;
            }
            Saying::Refuses => {
                let refusing = ComplaintRefusing { reason: reason? };
                complaints::refuse(tenant, told(tenant, complaint).await?, refusing).await?;
            }
            Saying::Satisfied => {
                let closing = ComplaintClosing { customer_satisfied: Some(true) };
                complaints::close(tenant, complaint, closing).await?;
            }
            Saying::Unsatisfied => {
                let reopening = ComplaintReopening { reason: reason? };
                complaints::reopen(tenant, complaint, reopening).await?;
            }
        }
        Ok(())
    }
}

/// Whoever says something to a decision has heard it.
async fn told(tenant: &Tenant, complaint: &Complaint) -> Result<Complaint, Failure> {
    let complaint = complaint.clone();
    if !complaint.is_untold() {
        return Ok(complaint);
    }
    tenant.record_progress(complaint.tell(tenant.now())?).await
}

/// What a reader of the page has seen when they press a button: which attempt, and which decision in it.
fn seen(complaint: &Complaint) -> String {
    let Complaint { resolution_no, refusals, .. } = complaint;
    let decided_at = complaint.decision.as_ref().map(|decision| decision.decided_at.to_string());
    format!("{resolution_no}/{refusals}/{}", decided_at.unwrap_or_default())
}

impl Followed {
    /// What is told about the complaint that a link leads to.
    async fn by(
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
        let now = tenant.now();
        let office = calendar.next_stretch(now);
        Ok(Self { complaint, brand, remedies, clocks, office, now })
    }

    fn page(&self, locale: Locale, again: Again<'_>) -> Response {
        let Self { complaint, now, .. } = self;
        let details = &complaint.details;
        let asks = complaint.state == ComplaintState::Resolved;
        let can_be_taken_up = asks || self.is_freshly_closed();
        let can_refuse =
            complaint.state == ComplaintState::Decided && complaint.accepted_at.is_none();
        let kind = KINDS.iter().find(|(kind, _)| *kind == details.kind);
        let for_customer = complaint.waiting_for == Some(WaitingFor::Customer);
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
            can_accept: can_refuse || complaint.state == ComplaintState::Negotiating,
            can_refuse,
            asks_whether_satisfied: asks,
            can_be_taken_up,
            seen: seen(complaint),
            said: again.written,
            is_kept: !again.written.is_empty() && !can_be_taken_up && !can_refuse,
            mistake: again.mistake.map(|(field, says)| MistakeShown::new(field, says, locale)),
        };
        show(again.status, locale, "complaint.html", &page)
    }

    fn is_freshly_closed(&self) -> bool {
        let until = self.complaint.closed_at.map(|at| at.plus_days(REOPENING_DAYS));
        self.complaint.state == ComplaintState::Closed
            && until.is_some_and(|until| self.now <= until)
    }

    fn times(&self, locale: Locale) -> Vec<TimeShown> {
        let clocks = self.clocks.iter().filter_map(|clock| {
            let what = promise(clock.metric)?.get(locale);
            Some(TimeShown { what, says: says_of(clock, locale)? })
        });
        std::iter::once(first_answer(&self.complaint, locale)).chain(clocks).collect()
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

/// When the first answer came, or comes.
fn first_answer(complaint: &Complaint, locale: Locale) -> TimeShown {
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
    TimeShown { what: FIRST_ANSWER.get(locale), says }
}

/// How a clock stands, as a customer is told; nothing when there is nothing to tell.
fn says_of(clock: &SlaClock, locale: Locale) -> Option<String> {
    let sentence = match clock.state {
        SlaClockState::Running => BY,
        SlaClockState::Paused => STANDS_STILL,
        SlaClockState::Met => KEPT,
        SlaClockState::Breached => LATE,
        SlaClockState::MetLate => DONE_LATE,
        SlaClockState::Cancelled => return None,
    };
    let when = |at: Option<Timestamp>| at.map(|at| spoken(at, clock.tz, locale));
    let (due, done) =
        (when(clock.due_at).unwrap_or_default(), when(clock.met_at).unwrap_or_default());
    Some(say(sentence, locale, &[("due", &due), ("done", &done)]))
}

/// Whether somebody is there now, and until when; or when somebody is there next.
pub(super) fn office(stretch: Stretch, now: Timestamp, tz: Zone, locale: Locale) -> String {
    if stretch.from <= now {
        let closes = spoken_at(now, stretch.to, tz, locale);
        return say(OPEN_NOW, locale, &[("closes", &closes)]);
    }
    say(CLOSED_NOW, locale, &[("opens", &spoken_at(now, stretch.from, tz, locale))])
}
