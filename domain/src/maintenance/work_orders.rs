//! Work orders: what is to be done at a customer's.

use super::{slots::SearchFailure, work_details::WorkOrderDetails};
use crate::{
    change::Change,
    event::Event,
    ids::{CustomerId, DealerId, OccurrenceId, SiteId, SopRunId, StaffId, WorkOrderId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Line},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be done at a customer's, and within which days.
///
/// The service looks for a technician by itself, again every morning until the window closes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk", "number": "W-9VBQ2F4C6D",
    "kind": "maintenance", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "site_id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk", "window_from_on": "2027-05-13",
    "window_to_on": "2027-06-03", "preferred_on": "2027-05-20", "duration_minutes": 45,
    "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "note": null,
    "occurrence_id": "occ_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "state": "scheduled", "searches": 0,
    "unscheduled_because": null, "cancelled_because": null, "cancel_note": null,
    "sop_run_id": null, "completed_at": null, "version": 2,
    "created_at": "2027-05-05T22:00:00Z",
})))]
pub struct WorkOrder {
    /// Names the work order.
    pub id: WorkOrderId,
    /// Its number for people, unique within the brand.
    #[schema(examples("W-9VBQ2F4C6D"))]
    pub number: String,
    /// What is to be done.
    #[serde(flatten)]
    pub details: WorkOrderDetails,
    /// The due date of a plan that it was made of; null when somebody asked for it.
    pub occurrence_id: Option<OccurrenceId>,
    /// Who is to come; null while nobody is found.
    pub staff_id: Option<StaffId>,
    /// How far it is.
    pub state: WorkOrderState,
    /// How often the service has looked for a technician in vain.
    pub searches: u32,
    /// Why the last search found nobody; null when it did, or was not made yet.
    pub unscheduled_because: Option<SearchFailure>,
    /// Why it was cancelled; null when it was not.
    pub cancelled_because: Option<CancelCause>,
    /// What the person who cancelled it said.
    pub cancel_note: Option<Line>,
    /// The execution of its procedure; null before the visit begins, and when it has none.
    pub sop_run_id: Option<SopRunId>,
    /// When the visit was completed.
    pub completed_at: Option<Timestamp>,
    /// How often the record was changed; send it as `If-Match`.
    pub version: Version,
    /// When it was written down first.
    pub created_at: Timestamp,
}

/// How far a visit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkOrderState {
    /// Nobody has been found for it yet.
    Unscheduled,
    /// It has a confirmed appointment.
    Scheduled,
    /// The technician is at work.
    InProgress,
    /// It is done.
    Completed,
    /// It will not be done.
    Cancelled,
}

/// Why a visit will not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelCause {
    /// Somebody asked for it.
    Request,
    /// Its window closed before anybody was found.
    WindowClosed,
}

/// The end of an identifier that people say: of its 32 letters and digits ten are enough that a brand
/// with a million visits hardly ever draws one twice. A counter would make all visits of a brand wait
/// for one another.
const NUMBER_LENGTH: usize = 10;

/// The number that people say for a work order.
fn number(id: WorkOrderId) -> String {
    let id = id.to_string();
    let end: String = id.chars().skip(id.len().saturating_sub(NUMBER_LENGTH)).collect();
    format!("W-{}", end.to_ascii_uppercase())
}

impl WorkOrder {
    /// Writes down what is to be done; a search for a technician begins at once.
    ///
    /// # Errors
    ///
    /// `window_impossible`.
    pub fn ask(
        id: WorkOrderId,
        details: WorkOrderDetails,
        occurrence_id: Option<OccurrenceId>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check()?;
        let work_order = Self {
            id,
            number: number(id),
            details,
            occurrence_id,
            staff_id: None,
            state: WorkOrderState::Unscheduled,
            searches: 0,
            unscheduled_because: None,
            cancelled_because: None,
            cancel_note: None,
            sop_run_id: None,
            completed_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        let search = work_order.search();
        Ok(Change::created(work_order).emits(search))
    }

    /// Changes what is to be done, while nobody is found for it; a new search begins at once. When it says what
    /// was said already, nothing does.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once it is scheduled, `window_impossible`.
    pub fn revise(self, details: WorkOrderDetails) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Unscheduled)?;
        details.check()?;
        let change = Change::edit("revise", &self, |it| it.details = details);
        if change.is_idle() {
            return Ok(change);
        }
        let change = Change { record: change.record.clone().searched(), ..change };
        let search = change.record.search();
        Ok(change.emits(search))
    }

    /// Whether the search `attempt` is still wanted: a later one has not taken its place, and nobody
    /// has been found otherwise.
    pub fn wants(&self, attempt: u32) -> bool {
        self.state == WorkOrderState::Unscheduled && self.searches == attempt
    }

    /// Whether its window has closed before `today`, so that there is nothing left to search.
    pub fn is_overdue(&self, today: CivilDate) -> bool {
        self.details.window_to_on < today
    }

    /// Notes that a search found nobody; the next one is due at `again_at`.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not unscheduled.
    pub fn wait(
        self,
        because: SearchFailure,
        again_at: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Unscheduled)?;
        let waiting = Self { unscheduled_because: Some(because), ..self }.searched();
        let search = waiting.search();
        let change = Change::new("wait", waiting).with("because", because);
        Ok(change.emits_at(search, again_at))
    }

    /// Gives up: the window has closed, and nobody was found.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not unscheduled.
    pub fn give_up(self) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Unscheduled)?;
        Ok(self.called_off(CancelCause::WindowClosed, None))
    }

    /// Calls the visit off, before it has begun.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once the technician is at work.
    pub fn cancel(self, note: Option<Line>) -> Result<Change<Self>, Refusal> {
        match self.state {
            WorkOrderState::Unscheduled | WorkOrderState::Scheduled => {
                Ok(self.called_off(CancelCause::Request, note))
            }
            WorkOrderState::InProgress | WorkOrderState::Completed | WorkOrderState::Cancelled => {
                self.refuse()
            }
        }
    }

    /// Notes that an appointment with `staff_id` was confirmed.
    pub(super) fn schedule(self, staff_id: StaffId) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Unscheduled)?;
        let found = Self { staff_id: Some(staff_id), unscheduled_because: None, ..self };
        Ok(found.moved_by("schedule", WorkOrderState::Scheduled))
    }

    /// Notes that its appointment was moved, maybe to somebody else.
    pub(super) fn reassign(self, staff_id: StaffId) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Scheduled)?;
        let moved = Self { staff_id: Some(staff_id), ..self };
        Ok(Change::new("reassign", moved).with("staff_id", staff_id))
    }

    /// Notes that its appointment fell through, or that the technician could not finish; a new search
    /// is due at `again_at`. `because` says why nobody else was found at once, if that was tried.
    pub(super) fn unschedule(
        self,
        again_at: Timestamp,
        because: Option<SearchFailure>,
    ) -> Result<Change<Self>, Refusal> {
        match self.state {
            WorkOrderState::Scheduled | WorkOrderState::InProgress => {}
            WorkOrderState::Unscheduled | WorkOrderState::Completed | WorkOrderState::Cancelled => {
                return self.refuse();
            }
        }
        let alone = Self { staff_id: None, sop_run_id: None, unscheduled_because: because, ..self };
        let alone = alone.searched();
        let search = alone.search();
        let change = alone.moved_by("unschedule", WorkOrderState::Unscheduled);
        Ok(change.emits_at(search, again_at))
    }

    /// Notes that the technician is at work, by the procedure's execution `run`.
    pub(super) fn begin(self, run: Option<SopRunId>) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::Scheduled)?;
        let begun = Self { sop_run_id: run, ..self };
        Ok(begun.moved_by("begin", WorkOrderState::InProgress))
    }

    /// Notes that the work is done.
    pub(super) fn complete(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.must_be(WorkOrderState::InProgress)?;
        let done = Event::WorkOrderCompleted { work_order: self.id };
        let completed = Self { completed_at: Some(now), ..self };
        Ok(completed.moved_by("complete", WorkOrderState::Completed).emits(done))
    }

    /// The site from which somebody is sent.
    ///
    /// # Errors
    ///
    /// `work_order_without_site`.
    pub fn site(&self) -> Result<SiteId, Refusal> {
        self.details
            .site_id
            .ok_or_else(|| Refusal::new(&WITHOUT_SITE).with("work_order_id", self.id))
    }

    fn search(&self) -> Event {
        Event::WorkOrderUnscheduled { work_order: self.id, attempt: self.searches }
    }

    fn searched(self) -> Self {
        Self { searches: self.searches.saturating_add(1), ..self }
    }

    fn called_off(self, because: CancelCause, note: Option<Line>) -> Change<Self> {
        let off = Self { cancelled_because: Some(because), cancel_note: note, ..self };
        off.moved_by("cancel", WorkOrderState::Cancelled).with("because", because)
    }

    pub(super) fn must_be(&self, state: WorkOrderState) -> Result<(), Refusal> {
        if self.state == state { Ok(()) } else { self.refuse() }
    }

    fn refuse<T>(&self) -> Result<T, Refusal> {
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved_by(self, action: &'static str, to: WorkOrderState) -> Change<Self> {
        let from = self.state;
        Change::new(action, Self { state: to, ..self }).moved(from, to)
    }
}

impl WorkOrderState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Unscheduled => &["revise", "hold", "cancel"],
            Self::Scheduled => &["begin", "reschedule", "cancel"],
            Self::InProgress => &["complete"],
            Self::Completed | Self::Cancelled => &[],
        }
    }
}

impl Record for WorkOrder {
    type Id = WorkOrderId;

    fn id(&self) -> WorkOrderId {
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

/// Technicians are sent from a site, in its hours.
pub static WITHOUT_SITE: Rule = Rule {
    code: "work_order_without_site",
    kind: Kind::Conflict,
    title: Bilingual { en: "No site serves this visit yet", zh: "尚未指定服务网点" },
    detail: Bilingual {
        en: "Work order {work_order_id} names no site to send somebody from.",
        zh: "工单 {work_order_id} 未指定派出人员的网点。",
    },
    advice: Bilingual {
        en: "Set `site_id` of the work order.", zh: "请设置该工单的 `site_id`。"
    },
};

#[cfg(test)]
mod tests {
    use super::{
        super::numbers::VisitMinutes,
        super::occurrences::Occurrence,
        super::samples::{asked, at, enrolled, every, id, on, published, shanghai, task, visit},
        *,
    };

    fn ask(details: WorkOrderDetails) -> Result<Change<WorkOrder>, Refusal> {
        WorkOrder::ask(id(1), details, None, at("2026-11-22T00:00:00Z"))
    }

    fn refused_as<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    #[test]
    fn a_due_date_asks_for_a_visit_within_its_window() {
        let plan = published(vec![task("filter", every(6))]);
        let enrolment = enrolled(&plan, "2023-01-10", "2025-08-20");
        let date = enrolment.overdue(&plan).remove(0);
        let now = at("2025-08-20T00:00:00Z");
        let occurrence = Occurrence::plan(id(3), &enrolment, date, shanghai(), now).record;
        let task = plan.details.task(&occurrence.task).unwrap();
        let details = WorkOrderDetails::of(&occurrence, task, id(1), Some((id(8), id(9))));
        assert_eq!((details.dealer_id, details.site_id), (Some(id(8)), Some(id(9))));
        // The date itself, 2025-07-10, has passed: the first day of the window is the nearest to it.
        assert_eq!(details.preferred_on, on("2025-08-20"));
        assert!(ask(details).is_ok());
        let homeless = WorkOrderDetails::of(&occurrence, task, id(1), None);
        assert_eq!((homeless.dealer_id, homeless.site_id), (Some(id(1)), None));
    }

    #[test]
    fn a_work_order_has_a_number_that_people_can_say() {
        assert_eq!(number(id(7)), "W-0000000007");
    }

    #[test]
    fn a_search_follows_at_once_and_again_until_somebody_is_found() {
        let change = ask(visit()).unwrap();
        let first = Event::WorkOrderUnscheduled { work_order: id(1), attempt: 0 };
        assert_eq!(change.events, [(first, None)]);
        let again_at = at("2026-11-22T22:00:00Z");
        let change = change.record.wait(SearchFailure::NobodyFree, again_at).unwrap();
        let second = Event::WorkOrderUnscheduled { work_order: id(1), attempt: 1 };
        assert_eq!(change.events, [(second, Some(again_at))]);
        assert!(!change.record.wants(0));
        assert!(change.record.wants(1));
        assert!(!change.record.schedule(id(1)).unwrap().record.wants(1));
    }

    #[test]
    fn a_window_is_in_order_and_at_most_a_year_long() {
        assert!(ask(visit()).is_ok());
        let long = |to_on: &str| WorkOrderDetails { window_to_on: on(to_on), ..visit() };
        assert!(ask(long("2027-12-01")).is_ok());
        assert_eq!(refused_as(ask(long("2027-12-02"))), "window_impossible");
        let preferred = |text: &str| WorkOrderDetails { preferred_on: on(text), ..visit() };
        assert!(ask(preferred("2026-12-01")).is_ok());
        assert!(ask(preferred("2026-12-07")).is_ok());
        assert_eq!(refused_as(ask(preferred("2026-11-30"))), "window_impossible");
        assert_eq!(refused_as(ask(preferred("2026-12-08"))), "window_impossible");
    }

    #[test]
    fn a_window_is_overdue_the_day_after_its_last() {
        assert!(!asked().is_overdue(on("2026-12-07")));
        assert!(asked().is_overdue(on("2026-12-08")));
        let missed = asked().give_up().unwrap().record;
        assert_eq!(missed.cancelled_because, Some(CancelCause::WindowClosed));
    }

    #[test]
    fn what_is_to_be_done_changes_until_somebody_is_found() {
        let shorter =
            WorkOrderDetails { duration_minutes: VisitMinutes::new(30).unwrap(), ..visit() };
        let change = asked().revise(shorter.clone()).unwrap();
        assert_eq!(change.record.details.duration_minutes.get(), 30);
        assert!(!change.record.wants(0), "the search that was under way looked for an hour");
        let scheduled = asked().schedule(id(1)).unwrap().record;
        assert_eq!(refused_as(scheduled.revise(shorter)), "illegal_transition");
    }

    #[test]
    fn a_visit_is_called_off_before_it_begins() {
        let scheduled = asked().schedule(id(1)).unwrap().record;
        let off = scheduled.clone().cancel(None).unwrap().record;
        assert_eq!(off.cancelled_because, Some(CancelCause::Request));
        let at_work = scheduled.begin(None).unwrap().record;
        assert_eq!(refused_as(at_work.cancel(None)), "illegal_transition");
        assert_eq!(refused_as(off.give_up()), "illegal_transition");
    }

    #[test]
    fn nobody_is_sent_from_nowhere() {
        assert_eq!(asked().site(), Ok(id(1)));
        let nowhere = WorkOrderDetails { site_id: None, ..visit() };
        let work_order = ask(nowhere).unwrap().record;
        assert_eq!(refused_as(work_order.site()), "work_order_without_site");
    }
}
