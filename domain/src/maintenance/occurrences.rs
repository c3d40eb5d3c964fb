//! Occurrences: the dates of an enrolment, each of which ends with a reason.

use super::{enrolments::Enrolment, morning_of, tasks::PlannedDate};
use crate::{
    change::Change,
    event::Event,
    ids::{CustomerId, DealerId, EnrolmentId, OccurrenceId, WorkOrderId},
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Code, Line},
    time::{CivilDate, Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One due date of a customer's asset in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "occ_01m80t7jx3e9vbq2f4c6d8g0hk",
    "enrolment_id": "enr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "task": "filter", "seq": 1,
    "nominal_on": "2027-05-20", "window_from_on": "2027-05-13", "window_to_on": "2027-06-03",
    "tz": "Asia/Shanghai", "due_at": "2027-05-05T22:00:00Z", "local_due": "2027-05-06 06:00", "state": "work_created", "skipped_because": null,
    "skip_note": null, "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk", "version": 2,
    "created_at": "2027-03-07T16:00:00Z",
})))]
pub struct Occurrence {
    /// Names the occurrence.
    pub id: OccurrenceId,
    /// Which enrolment it follows from.
    pub enrolment_id: EnrolmentId,
    /// Whose asset it is.
    pub customer_id: CustomerId,
    /// Which dealer looks after it; null while the brand has not said.
    pub dealer_id: Option<DealerId>,
    /// Which task of the plan.
    pub task: Code,
    /// Which date of that task, from 1.
    pub seq: u32,
    /// The day it is due by the plan.
    pub nominal_on: CivilDate,
    /// The first day on which the visit may take place.
    pub window_from_on: CivilDate,
    /// The last day on which the visit may take place. It lies long after `nominal_on` when a date
    /// that had passed is made up for.
    pub window_to_on: CivilDate,
    /// The time zone of these days: that of the dealer who looked after it when it was written down, or of
    /// the brand.
    pub tz: Zone,
    /// When the visit is arranged.
    pub due_at: Timestamp,
    /// When that is on the wall clock there, for people.
    #[schema(examples("2027-05-06 06:00"))]
    pub local_due: String,
    /// What has become of it.
    pub state: OccurrenceState,
    /// Why it was skipped; null when it was not.
    pub skipped_because: Option<SkipCause>,
    /// What the person who skipped it said.
    pub skip_note: Option<Line>,
    /// The visit it became; null until then.
    pub work_order_id: Option<WorkOrderId>,
    /// How often the record was changed; send it as `If-Match`.
    pub version: Version,
    /// When it was written down first.
    pub created_at: Timestamp,
}

/// What has become of a due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// It is to come.
    Planned,
    /// A work order was made of it.
    WorkCreated,
    /// The visit was carried out.
    Fulfilled,
    /// Its window closed without a visit.
    Missed,
    /// It was let go on purpose.
    Skipped,
    /// Its enrolment ended before it.
    Cancelled,
}

/// Why a due date was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// Somebody decided so.
    Decision,
    /// The enrolment rested when it came.
    Suspended,
    /// Its visit was called off.
    VisitCancelled,
    /// What was to be looked after is gone.
    AssetRetired,
}

impl Occurrence {
    /// Writes a date of an enrolment down, to be prepared in the morning of its day in `zone`.
    pub fn plan(
        id: OccurrenceId,
        enrolment: &Enrolment,
        date: PlannedDate,
        zone: Zone,
        now: Timestamp,
    ) -> Change<Self> {
        let due_at = morning_of(date.prepare_on, zone).max(now);
        let occurrence = Self {
            id,
            enrolment_id: enrolment.id,
            customer_id: enrolment.customer_id,
            dealer_id: enrolment.dealer_id,
            task: date.task,
            seq: date.seq,
            nominal_on: date.nominal_on,
            window_from_on: date.window_from_on,
            window_to_on: date.window_to_on,
            tz: zone,
            due_at,
            local_due: due_at.wall_time_in(zone),
            state: OccurrenceState::Planned,
            skipped_because: None,
            skip_note: None,
            work_order_id: None,
            version: Version::FIRST,
            created_at: now,
        };
        Change::created(occurrence).emits_at(Event::OccurrenceDue { occurrence: id }, due_at)
    }

    /// Notes the visit that was made of it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no longer planned.
    pub fn become_work(self, work_order_id: WorkOrderId) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::Planned)?;
        let made = Self { work_order_id: Some(work_order_id), ..self };
        let change = made.moved_by("become_work", OccurrenceState::WorkCreated);
        Ok(change.with("work_order_id", work_order_id))
    }

    /// Notes that its visit was carried out.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it has no visit.
    pub fn fulfil(self) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::WorkCreated)?;
        Ok(self.moved_by("fulfil", OccurrenceState::Fulfilled))
    }

    /// Notes that its window closed without a visit.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it has no visit.
    pub fn miss(self) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::WorkCreated)?;
        Ok(self.moved_by("miss", OccurrenceState::Missed))
    }

    /// Lets the date go, because somebody decided so or its enrolment rests.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no longer planned: a visit that was arranged is cancelled.
    pub fn skip(self, because: SkipCause, note: Option<Line>) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::Planned)?;
        Ok(self.let_go(because, note))
    }

    /// Lets the date go because its visit was called off.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it has no visit.
    pub fn lose_visit(self) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::WorkCreated)?;
        Ok(self.let_go(SkipCause::VisitCancelled, None))
    }

    /// Drops the date because its enrolment has ended.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no longer planned.
    pub fn cancel(self) -> Result<Change<Self>, Refusal> {
        self.must_be(OccurrenceState::Planned)?;
        Ok(self.moved_by("cancel", OccurrenceState::Cancelled))
    }

    fn let_go(self, because: SkipCause, note: Option<Line>) -> Change<Self> {
        let skipped = Self { skipped_because: Some(because), skip_note: note, ..self };
        skipped.moved_by("skip", OccurrenceState::Skipped).with("because", because)
    }

    fn must_be(&self, state: OccurrenceState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved_by(self, action: &'static str, to: OccurrenceState) -> Change<Self> {
        let from = self.state;
        Change::new(action, Self { state: to, ..self }).moved(from, to)
    }
}

impl OccurrenceState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Planned => &["skip"],
            Self::WorkCreated
            | Self::Fulfilled
            | Self::Missed
            | Self::Skipped
            | Self::Cancelled => &[],
        }
    }
}

impl Record for Occurrence {
    type Id = OccurrenceId;

    fn id(&self) -> OccurrenceId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{at, enrolled, every, id, on, published, shanghai, task},
        *,
    };

    fn planned_at(now: &str) -> Change<Occurrence> {
        let plan = published(vec![task("filter", every(6))]);
        let enrolment = enrolled(&plan, "2026-01-10", "2026-01-10");
        let date = plan.details.dates(enrolment.anchor_on, on("2026-01-10"), on("2026-07-01"));
        Occurrence::plan(id(1), &enrolment, date[0].clone(), shanghai(), at(now))
    }

    fn planned() -> Occurrence {
        planned_at("2026-05-01T00:00:00Z").record
    }

    #[test]
    fn a_date_is_prepared_in_the_morning_of_its_day() {
        let due = Event::OccurrenceDue { occurrence: id(1) };
        let ahead = planned_at("2026-05-01T00:00:00Z");
        assert_eq!(ahead.events, [(due.clone(), Some(at("2026-06-25T22:00:00Z")))]);
        let late = planned_at("2026-06-27T09:00:00Z");
        assert_eq!(late.events, [(due, Some(at("2026-06-27T09:00:00Z")))]);
    }

    #[test]
    fn a_date_becomes_a_visit_and_ends_with_it() {
        let at_work = planned().become_work(id(5)).unwrap().record;
        assert_eq!(at_work.work_order_id, Some(id(5)));
        assert!(at_work.clone().become_work(id(6)).is_err());
        assert_eq!(at_work.clone().fulfil().unwrap().record.state, OccurrenceState::Fulfilled);
        assert_eq!(at_work.clone().miss().unwrap().record.state, OccurrenceState::Missed);
        let lost = at_work.lose_visit().unwrap().record;
        assert_eq!(lost.skipped_because, Some(SkipCause::VisitCancelled));
    }

    #[test]
    fn only_a_planned_date_is_skipped_or_cancelled() {
        let skipped = planned().skip(SkipCause::Decision, None).unwrap().record;
        assert_eq!(skipped.state, OccurrenceState::Skipped);
        let refusal = skipped.cancel().unwrap_err();
        assert_eq!(refusal.rule.code, "illegal_transition");
        let at_work = planned().become_work(id(5)).unwrap().record;
        assert!(at_work.clone().skip(SkipCause::Suspended, None).is_err());
        assert!(planned().fulfil().is_err());
        assert!(planned().miss().is_err());
        assert!(planned().lose_visit().is_err());
    }
}
