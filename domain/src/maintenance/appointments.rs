//! Appointments: when a visit takes place, and who comes.

use super::{
    given_back::GiveBackCause,
    next_morning,
    slots::{Slot, VisitReason},
    work_orders::{WorkOrder, WorkOrderState},
};
use crate::{
    change::Change,
    event::Event,
    ids::{AppointmentId, CustomerId, DealerId, SiteId, SopRunId, WorkOrderId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    sops::SOP_NOT_PUBLISHED,
    text::{Bilingual, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a slot is held for a customer: long enough to ask at home.
pub const HOLD_MINUTES: i64 = 10;

/// How long before a visit its customer is reminded: a day, so that it can still be moved.
pub const REMINDER_HOURS: i64 = 24;

/// When a visit takes place, and who comes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "apt_01m80t7jx3e9vbq2f4c6d8g0hk",
    "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "site_id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "starts_at": "2027-05-20T01:00:00Z",
    "ends_at": "2027-05-20T01:45:00Z", "tz": "Asia/Shanghai", "local_start": "2027-05-20 09:00",
    "local_end": "2027-05-20 09:45",
    "state": "confirmed", "hold_expires_at": null,
    "reason": {
        "kind": "nearest_free_slot", "preferred_on": "2027-05-20", "slots_passed_over": 0,
        "technicians_considered": 3, "technicians_free": 2, "minutes_booked": 90,
    },
    "reschedules": 0, "reminded_at": null, "given_back_because": null, "cancel_note": null, "version": 1,
    "created_at": "2027-05-05T22:00:00Z",
})))]
pub struct Appointment {
    /// Names the appointment.
    pub id: AppointmentId,
    /// What is done then.
    pub work_order_id: WorkOrderId,
    /// Who is visited.
    pub customer_id: CustomerId,
    /// Which dealer sends somebody.
    pub dealer_id: Option<DealerId>,
    /// From which site.
    pub site_id: SiteId,
    /// When, and who comes.
    #[serde(flatten)]
    pub slot: Slot,
    /// How far it is.
    pub state: AppointmentState,
    /// Until when the slot waits to be confirmed; null when it is not held.
    pub hold_expires_at: Option<Timestamp>,
    /// Why this time and this technician.
    pub reason: VisitReason,
    /// How often it was moved to another time.
    pub reschedules: u32,
    /// When the customer was reminded of it.
    pub reminded_at: Option<Timestamp>,
    /// Why it was cancelled by the service: who was to come cannot, and nobody else could; null when it
    /// was not.
    pub given_back_because: Option<GiveBackCause>,
    /// What the person who cancelled it said.
    pub cancel_note: Option<Line>,
    /// How often the record was changed; send it as `If-Match`.
    pub version: Version,
    /// When it was written down first.
    pub created_at: Timestamp,
}

/// How far an appointment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// The slot is kept for the customer for ten minutes.
    Held,
    /// It is agreed.
    Confirmed,
    /// The technician is at work.
    InProgress,
    /// The visit is done.
    Completed,
    /// It was called off; the slot is free again.
    Cancelled,
    /// The customer did not confirm it in time; the slot is free again.
    Expired,
}

/// How far the procedure of a visit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checklist {
    /// The visit follows none.
    None,
    /// Steps are open.
    Open(SopRunId),
    /// Every step is done, or somebody with the rank for it has waived it.
    Settled,
}

impl Appointment {
    /// Keeps a slot for a customer, until they confirm it or ten minutes have passed.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the work order has an appointment or is closed,
    /// `work_order_without_site`.
    pub fn hold(
        id: AppointmentId,
        work_order: &WorkOrder,
        slot: Slot,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        work_order.must_be(WorkOrderState::Unscheduled)?;
        let expires_at = now.plus_minutes(HOLD_MINUTES);
        let held =
            Self { hold_expires_at: Some(expires_at), ..Self::new(id, work_order, slot, now)? };
        let due = Event::HoldDue { appointment: id };
        Ok(Change::created(held).emits_at(due, expires_at))
    }

    /// Books a slot that the service has chosen.
    ///
    /// # Errors
    ///
    /// As [`Self::hold`].
    pub fn book(
        id: AppointmentId,
        work_order: WorkOrder,
        (slot, reason): (Slot, VisitReason),
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<WorkOrder>), Refusal> {
        let booked = Self {
            state: AppointmentState::Confirmed,
            reason,
            ..Self::new(id, &work_order, slot, now)?
        };
        let staff_id = booked.slot.staff_id;
        Ok((booked.agreed(Change::created, now), work_order.schedule(staff_id)?))
    }

    /// Agrees to a slot that was held.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not held, `hold_expired` from the instant it ends.
    pub fn confirm(
        self,
        work_order: WorkOrder,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<WorkOrder>), Refusal> {
        self.must_be(AppointmentState::Held)?;
        if let Some(expired_at) = self.hold_expires_at.filter(|expires_at| *expires_at <= now) {
            return Err(Refusal::new(&HOLD_EXPIRED).with("expired_at", expired_at));
        }
        let from = self.state;
        let to = AppointmentState::Confirmed;
        let staff_id = self.slot.staff_id;
        let confirmed = Self { state: to, hold_expires_at: None, ..self };
        let change = confirmed.agreed(|it| Change::new("confirm", it), now).moved(from, to);
        Ok((change, work_order.schedule(staff_id)?))
    }

    /// Frees a slot that was not confirmed by `now`; nothing to do when it was, or when its time is
    /// not over.
    pub fn expire(self, now: Timestamp) -> Option<Change<Self>> {
        let over = self.hold_expires_at.is_some_and(|expires_at| expires_at <= now);
        (over && self.state == AppointmentState::Held)
            .then(|| self.moved_by("expire", AppointmentState::Expired))
    }

    /// Moves an agreed visit to another slot.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not confirmed.
    pub fn reschedule(
        self,
        work_order: WorkOrder,
        slot: Slot,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<WorkOrder>), Refusal> {
        self.must_be(AppointmentState::Confirmed)?;
        let (from_at, to_at, staff_id) = (self.slot.starts_at, slot.starts_at, slot.staff_id);
        let moved = Self {
            slot,
            reason: VisitReason::Requested,
            reschedules: self.reschedules.saturating_add(1),
            reminded_at: None,
            ..self
        };
        let change = moved.agreed(|it| Change::new("reschedule", it), now);
        let change = change.with("from_at", from_at).with("to_at", to_at);
        Ok((change, work_order.reassign(staff_id)?))
    }

    /// Calls the appointment off and frees its slot; a visit that has begun and cannot be finished is
    /// broken off in the same way. The visit is still to be made: the next morning the service looks
    /// for another time, unless somebody has chosen one by then.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is over.
    pub fn cancel(
        self,
        work_order: WorkOrder,
        note: Option<Line>,
        now: Timestamp,
    ) -> Result<(Change<Self>, Option<Change<WorkOrder>>), Refusal> {
        let again_at = next_morning(now, self.slot.tz);
        let work_order = match self.state {
            AppointmentState::Held => None,
            AppointmentState::Confirmed | AppointmentState::InProgress => {
                Some(work_order.unschedule(again_at, None)?)
            }
            AppointmentState::Completed
            | AppointmentState::Cancelled
            | AppointmentState::Expired => return self.refuse(),
        };
        Ok((self.called_off(note), work_order))
    }

    /// Frees its slot because the visit will not be made.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once the technician is at work.
    pub fn withdraw(self) -> Result<Change<Self>, Refusal> {
        match self.state {
            AppointmentState::Held | AppointmentState::Confirmed => Ok(self.called_off(None)),
            AppointmentState::InProgress
            | AppointmentState::Completed
            | AppointmentState::Cancelled
            | AppointmentState::Expired => self.refuse(),
        }
    }

    /// Begins the visit; `run` is the execution of its procedure.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not confirmed, `sop_not_published` when the visit is to
    /// follow a procedure and there is none to execute.
    pub fn begin(
        self,
        work_order: WorkOrder,
        run: Option<SopRunId>,
    ) -> Result<(Change<Self>, Change<WorkOrder>), Refusal> {
        self.must_be(AppointmentState::Confirmed)?;
        if let (Some(sop_id), None) = (work_order.details.sop_id, run) {
            return Err(Refusal::new(&SOP_NOT_PUBLISHED).with("sop_id", sop_id));
        }
        let begun = self.moved_by("begin", AppointmentState::InProgress);
        Ok((begun, work_order.begin(run)?))
    }

    /// Completes the visit, once its procedure was followed to the end.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it has not begun, `procedure_unfinished`.
    pub fn complete(
        self,
        work_order: WorkOrder,
        checklist: Checklist,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<WorkOrder>), Refusal> {
        self.must_be(AppointmentState::InProgress)?;
        match checklist {
            Checklist::Open(run) => {
                Err(Refusal::new(&PROCEDURE_UNFINISHED).with("sop_run_id", run))
            }
            Checklist::None | Checklist::Settled => {
                let completed = self.moved_by("complete", AppointmentState::Completed);
                Ok((completed, work_order.complete(now)?))
            }
        }
    }

    /// Notes that the customer is reminded; nothing to do when they were, when it is not agreed or
    /// was moved away, or when it has begun.
    pub fn remind(self, now: Timestamp) -> Option<Change<Self>> {
        let near = self.reminder_at() <= now && now < self.slot.starts_at;
        let wanted = self.state == AppointmentState::Confirmed && self.reminded_at.is_none();
        (near && wanted).then(|| Change::new("remind", Self { reminded_at: Some(now), ..self }))
    }

    fn new(
        id: AppointmentId,
        work_order: &WorkOrder,
        slot: Slot,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            id,
            work_order_id: work_order.id,
            customer_id: work_order.details.customer_id,
            dealer_id: work_order.details.dealer_id,
            site_id: work_order.site()?,
            slot,
            state: AppointmentState::Held,
            hold_expires_at: None,
            reason: VisitReason::Requested,
            reschedules: 0,
            reminded_at: None,
            given_back_because: None,
            cancel_note: None,
            version: Version::FIRST,
            created_at: now,
        })
    }

    /// Tells of the time that a change agreed on, at once and again the day before; not again when that
    /// day has come.
    pub(super) fn agreed(
        self,
        change: impl FnOnce(Self) -> Change<Self>,
        now: Timestamp,
    ) -> Change<Self> {
        let (id, remind_at) = (self.id, self.reminder_at());
        let change = change(self).emits(Event::VisitConfirmed { appointment: id });
        let reminder = Event::ReminderDue { appointment: id };
        if now < remind_at { change.emits_at(reminder, remind_at) } else { change }
    }

    fn reminder_at(&self) -> Timestamp {
        self.slot.starts_at.plus_hours(-REMINDER_HOURS)
    }

    pub(super) fn called_off(self, note: Option<Line>) -> Change<Self> {
        let off = Self { cancel_note: note, hold_expires_at: None, ..self };
        off.moved_by("cancel", AppointmentState::Cancelled)
    }

    fn must_be(&self, state: AppointmentState) -> Result<(), Refusal> {
        if self.state == state { Ok(()) } else { self.refuse() }
    }

    pub(super) fn refuse<T>(&self) -> Result<T, Refusal> {
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved_by(self, action: &'static str, to: AppointmentState) -> Change<Self> {
        let from = self.state;
        Change::new(action, Self { state: to, ..self }).moved(from, to)
    }
}

impl AppointmentState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Held => &["confirm", "cancel"],
            Self::Confirmed => &["reschedule", "cancel", "begin"],
            Self::InProgress => &["complete", "cancel"],
            Self::Completed | Self::Cancelled | Self::Expired => &[],
        }
    }
}

impl Record for Appointment {
    type Id = AppointmentId;

    fn id(&self) -> AppointmentId {
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

/// What is held too long is given back.
pub static HOLD_EXPIRED: Rule = Rule {
    code: "hold_expired",
    kind: Kind::Conflict,
    title: Bilingual { en: "The slot is no longer held", zh: "时段保留已到期" },
    detail: Bilingual {
        en: "The slot was held until {expired_at}.",
        zh: "该时段仅保留至 {expired_at}。",
    },
    advice: Bilingual {
        en: "Read the free slots again and hold one of them.",
        zh: "请重新查询空闲时段并重新保留。",
    },
};

/// A visit is done when its procedure is.
pub static PROCEDURE_UNFINISHED: Rule = Rule {
    code: "procedure_unfinished",
    kind: Kind::Conflict,
    title: Bilingual {
        en: "Steps of the procedure are open", zh: "标准流程尚有未完成步骤"
    },
    detail: Bilingual {
        en: "The visit follows {sop_run_id}, and not all of its steps are settled.",
        zh: "该上门服务按 {sop_run_id} 执行，尚有步骤未完成。",
    },
    advice: Bilingual {
        en: "Complete or waive the open steps first.",
        zh: "请先完成或豁免未完成的步骤。",
    },
};

#[cfg(test)]
mod tests {
    use super::{
        super::{
            samples::{asked, at, id, search, technician, visit},
            work_details::WorkOrderDetails,
        },
        *,
    };

    const NOW: &str = "2026-11-25T00:00:00Z";

    fn slot(starts_at: &str) -> Slot {
        search(vec![technician(1, vec![])]).ask(id(1), at(starts_at)).unwrap()
    }

    fn held() -> Change<Appointment> {
        Appointment::hold(id(1), &asked(), slot("2026-12-03T01:00:00Z"), at(NOW)).unwrap()
    }

    fn booked() -> (Change<Appointment>, Change<WorkOrder>) {
        let best = search(vec![technician(1, vec![])]).best().unwrap();
        Appointment::book(id(1), asked(), best, at(NOW)).unwrap()
    }

    fn begun(run: Option<SopRunId>) -> (Appointment, WorkOrder) {
        let (appointment, work_order) = booked();
        let (appointment, work_order) = appointment.record.begin(work_order.record, run).unwrap();
        (appointment.record, work_order.record)
    }

    fn refused_as<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    /// The customer is told at once, and reminded at `at_text`.
    fn told_and_reminded(at_text: &str) -> [(Event, Option<Timestamp>); 2] {
        [
            (Event::VisitConfirmed { appointment: id(1) }, None),
            (Event::ReminderDue { appointment: id(1) }, Some(at(at_text))),
        ]
    }

    #[test]
    fn a_hold_lasts_ten_minutes() {
        let change = held();
        let ends_at = at("2026-11-25T00:10:00Z");
        let due = Event::HoldDue { appointment: id(1) };
        assert_eq!(change.events, [(due, Some(ends_at))]);
        let appointment = change.record;
        let last_at = at("2026-11-25T00:09:59Z");
        assert!(appointment.clone().confirm(asked(), last_at).is_ok());
        assert_eq!(refused_as(appointment.clone().confirm(asked(), ends_at)), "hold_expired");
        assert_eq!(appointment.clone().expire(last_at), None);
        let freed = appointment.expire(ends_at).unwrap().record;
        assert_eq!(freed.state, AppointmentState::Expired);
        assert_eq!(freed.expire(ends_at), None);
    }

    #[test]
    fn a_confirmed_slot_schedules_the_visit_and_reminds_a_day_before() {
        let (appointment, work_order) = held().record.confirm(asked(), at(NOW)).unwrap();
        assert_eq!(appointment.events, told_and_reminded("2026-12-02T01:00:00Z"));
        assert_eq!(work_order.record.state, WorkOrderState::Scheduled);
        assert_eq!(appointment.record.expire(at("2026-11-25T01:00:00Z")), None);
        let again =
            Appointment::hold(id(2), &work_order.record, slot("2026-12-04T01:00:00Z"), at(NOW));
        assert_eq!(refused_as(again), "illegal_transition");
    }

    #[test]
    fn there_is_no_reminder_of_what_is_a_day_away() {
        let before = |now: &str| held_at(now).confirm(asked(), at(now)).unwrap().0.events.len();
        assert_eq!(before("2026-12-02T00:59:59Z"), 2);
        assert_eq!(before("2026-12-02T01:00:00Z"), 1);
    }

    fn held_at(now: &str) -> Appointment {
        let slot = slot("2026-12-03T01:00:00Z");
        Appointment::hold(id(1), &asked(), slot, at(now)).unwrap().record
    }

    #[test]
    fn a_customer_is_reminded_once_and_of_the_time_that_holds() {
        let appointment = booked().0.record;
        assert_eq!(appointment.clone().remind(at("2026-12-02T00:59:59Z")), None);
        let reminded = appointment.clone().remind(at("2026-12-02T01:00:00Z")).unwrap().record;
        assert_eq!(reminded.clone().remind(at("2026-12-02T02:00:00Z")), None);
        assert_eq!(appointment.remind(at("2026-12-03T01:00:00Z")), None);
        let later = move_to(reminded, "2026-12-04T01:00:00Z").unwrap().0;
        assert_eq!(later.events, told_and_reminded("2026-12-03T01:00:00Z"));
        assert_eq!(later.record.clone().remind(at("2026-12-02T01:00:00Z")), None);
        assert!(later.record.remind(at("2026-12-03T01:00:00Z")).is_some());
    }

    fn move_to(
        appointment: Appointment,
        starts_at: &str,
    ) -> Result<(Change<Appointment>, Change<WorkOrder>), Refusal> {
        appointment.reschedule(booked().1.record, slot(starts_at), at(NOW))
    }

    #[test]
    fn a_visit_that_is_moved_says_why_and_how_often() {
        let (moved, work_order) = move_to(booked().0.record, "2026-12-04T02:00:00Z").unwrap();
        assert_eq!(moved.record.slot.local_start, "2026-12-04 10:00");
        assert_eq!((moved.record.reason, moved.record.reschedules), (VisitReason::Requested, 1));
        assert_eq!(work_order.record.staff_id, Some(id(1)));
        let waiting = move_to(held().record, "2026-12-04T02:00:00Z");
        assert_eq!(refused_as(waiting), "illegal_transition");
    }

    #[test]
    fn a_visit_whose_appointment_falls_through_is_looked_after_the_next_morning() {
        let (appointment, work_order) = booked();
        let (off, alone) = appointment.record.cancel(work_order.record, None, at(NOW)).unwrap();
        assert_eq!(off.record.state, AppointmentState::Cancelled);
        let alone = alone.unwrap();
        let search = Event::WorkOrderUnscheduled { work_order: id(1), attempt: 1 };
        assert_eq!(alone.events, [(search, Some(at("2026-11-25T22:00:00Z")))]);
        assert_eq!(
            refused_as(off.record.cancel(alone.record, None, at(NOW))),
            "illegal_transition"
        );
    }

    #[test]
    fn a_hold_is_given_back_and_the_visit_stays_as_it_was() {
        let (off, work_order) = held().record.cancel(asked(), None, at(NOW)).unwrap();
        assert_eq!((off.record.state, work_order), (AppointmentState::Cancelled, None));
        assert!(held().record.withdraw().is_ok());
    }

    #[test]
    fn a_visit_is_done_when_its_procedure_is() {
        let (appointment, work_order) = begun(Some(id(4)));
        assert_eq!(work_order.sop_run_id, Some(id(4)));
        let complete =
            |checklist| appointment.clone().complete(work_order.clone(), checklist, at(NOW));
        assert_eq!(refused_as(complete(Checklist::Open(id(4)))), "procedure_unfinished");
        let (appointment, work_order) = complete(Checklist::Settled).unwrap();
        assert_eq!(appointment.record.state, AppointmentState::Completed);
        assert_eq!(work_order.record.completed_at, Some(at(NOW)));
        let done = Event::WorkOrderCompleted { work_order: id(1) };
        assert_eq!(work_order.events, [(done, None)]);
    }

    #[test]
    fn a_visit_that_cannot_be_finished_is_made_again() {
        let (appointment, work_order) = begun(Some(id(4)));
        let (off, alone) = appointment.cancel(work_order, None, at(NOW)).unwrap();
        assert_eq!(off.record.state, AppointmentState::Cancelled);
        let alone = alone.unwrap().record;
        assert_eq!((alone.state, alone.sop_run_id), (WorkOrderState::Unscheduled, None));
    }

    #[test]
    fn a_visit_that_has_begun_is_not_moved() {
        let (appointment, work_order) = begun(None);
        assert_eq!(refused_as(appointment.clone().withdraw()), "illegal_transition");
        let moved = slot("2026-12-04T01:00:00Z");
        let moved = appointment.clone().reschedule(work_order.clone(), moved, at(NOW));
        assert_eq!(refused_as(moved), "illegal_transition");
        assert_eq!(refused_as(appointment.begin(work_order, None)), "illegal_transition");
        let held = held().record;
        let early = held.complete(asked(), Checklist::None, at(NOW));
        assert_eq!(refused_as(early), "illegal_transition");
    }

    #[test]
    fn a_visit_with_a_procedure_does_not_begin_without_it() {
        let details = WorkOrderDetails { sop_id: Some(id(6)), ..visit() };
        let work_order = WorkOrder { details, ..asked() };
        let best = search(vec![technician(1, vec![])]).best().unwrap();
        let (appointment, work_order) =
            Appointment::book(id(1), work_order, best, at(NOW)).unwrap();
        let begun = appointment.record.begin(work_order.record, None);
        assert_eq!(refused_as(begun), "sop_not_published");
    }
}
