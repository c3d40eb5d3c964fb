//! Visits that are given back: who was to come cannot, so somebody else does, or the visit is moved.

use super::{
    appointments::{Appointment, AppointmentState},
    next_morning,
    slots::{SearchFailure, Slot, VisitReason},
    work_orders::WorkOrder,
};
use crate::{
    change::Change,
    event::Event,
    identity::{Role, Staff, StaffStatus},
    refusal::Refusal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an agreed visit was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiveBackCause {
    /// The technician does not work here any more.
    TechnicianLeft,
    /// The technician is on leave that day.
    TechnicianOnLeave,
    /// The technician does other work now, or works at other sites.
    TechnicianElsewhere,
    /// The dealer does not work for the brand any more.
    DealerClosed,
}

/// What becomes of a visit that was given back.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a decision that is not recorded has not happened"]
pub struct GivenBack {
    /// The appointment: somebody else's now, or cancelled.
    pub appointment: Change<Appointment>,
    /// Its work order; nothing when the slot was only held for it.
    pub work_order: Option<Change<WorkOrder>>,
}

impl GiveBackCause {
    /// Why `staff`, who was to come, cannot make `appointment` any more; nothing when they can.
    pub fn of(staff: &Staff, appointment: &Appointment) -> Option<Self> {
        let day = appointment.slot.starts_at.date_in(appointment.slot.tz);
        let is_of_site = staff.details.role == Role::Technician
            && staff.details.dealer_id == appointment.dealer_id
            && staff.works_at(appointment.site_id);
        match staff.status {
            StaffStatus::Left => Some(Self::TechnicianLeft),
            StaffStatus::Active if !is_of_site => Some(Self::TechnicianElsewhere),
            StaffStatus::Active => (!staff.works_on(day)).then_some(Self::TechnicianOnLeave),
        }
    }
}

impl Appointment {
    /// Gives it back, because who was to come cannot. `instead` is who else comes, and when; or why
    /// nobody can be found. The customer is told once, and only when the time is another one or the
    /// visit falls through; then the service looks again every morning.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once the visit has begun, and when it is over.
    pub fn give_back(
        self,
        work_order: WorkOrder,
        because: GiveBackCause,
        instead: Result<Slot, SearchFailure>,
        now: Timestamp,
    ) -> Result<GivenBack, Refusal> {
        match (self.state, instead) {
            (AppointmentState::Held, _) => {
                Ok(GivenBack { appointment: self.fall_through(because), work_order: None })
            }
            (AppointmentState::Confirmed, Ok(slot)) => {
                let work_order = work_order.reassign(slot.staff_id)?;
                let appointment = self.take_over(because, slot, now);
                Ok(GivenBack { appointment, work_order: Some(work_order) })
            }
            (AppointmentState::Confirmed, Err(failure)) => {
                let again_at = next_morning(now, self.slot.tz);
                let work_order = work_order.unschedule(again_at, Some(failure))?;
                let fell_through = Event::VisitFellThrough { appointment: self.id };
                let appointment = self.fall_through(because).emits(fell_through);
                Ok(GivenBack { appointment, work_order: Some(work_order) })
            }
            (
                AppointmentState::InProgress
                | AppointmentState::Completed
                | AppointmentState::Cancelled
                | AppointmentState::Expired,
                _,
            ) => self.refuse(),
        }
    }

    fn fall_through(self, because: GiveBackCause) -> Change<Self> {
        let given_back = Self { given_back_because: Some(because), ..self };
        given_back.called_off(None).with("because", because)
    }

    fn take_over(self, because: GiveBackCause, slot: Slot, now: Timestamp) -> Change<Self> {
        let (instead_of, from_at, to_at) =
            (self.slot.staff_id, self.slot.starts_at, slot.starts_at);
        let staff_id = slot.staff_id;
        let taken_over =
            Self { slot, reason: VisitReason::TakenOver { because, instead_of }, ..self };
        let change = if from_at == to_at {
            Change::new("take_over", taken_over)
        } else {
            let reschedules = taken_over.reschedules.saturating_add(1);
            let moved = Self { reschedules, reminded_at: None, ..taken_over };
            moved
                .agreed(|it| Change::new("take_over", it), now)
                .with("from_at", from_at)
                .with("to_at", to_at)
        };
        change.with("because", because).with("instead_of", instead_of).with("staff_id", staff_id)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            samples::{asked, at, id, search, technician},
            slots::Search,
        },
        *,
    };
    use crate::tenancy::DealerStatus;

    const NOW: &str = "2026-11-25T00:00:00Z";

    /// Technician 1 comes on Thursday the 3rd of December at 09:00.
    fn agreed() -> (Appointment, WorkOrder) {
        let best = search(vec![technician(1, vec![])]).best().unwrap();
        let (appointment, work_order) = Appointment::book(id(1), asked(), best, at(NOW)).unwrap();
        (appointment.record, work_order.record)
    }

    fn gives_back(instead: &Search) -> (Change<Appointment>, Change<WorkOrder>) {
        let (appointment, work_order) = agreed();
        let instead = instead.instead_of(&appointment.slot);
        let cause = GiveBackCause::TechnicianLeft;
        let given = appointment.give_back(work_order, cause, instead, at(NOW)).unwrap();
        (given.appointment, given.work_order.unwrap())
    }

    fn staff(change: &str) -> Staff {
        let details = format!(
            r#"{{"name": "王伟", "role": "technician", "dealer_id": "{}"{change}}}"#,
            id::<crate::ids::DealerId>(1)
        );
        Staff {
            id: id(1),
            status: StaffStatus::Active,
            details: serde_json::from_str(&details).unwrap(),
            version: crate::record::Version::FIRST,
            created_at: at(NOW),
        }
    }

    #[test]
    fn whoever_left_is_on_leave_or_works_elsewhere_cannot_come() {
        let (appointment, _) = agreed();
        let cause = |staff: &Staff| GiveBackCause::of(staff, &appointment);
        assert_eq!(cause(&staff("")), None);
        let left = Staff { status: StaffStatus::Left, ..staff("") };
        assert_eq!(cause(&left), Some(GiveBackCause::TechnicianLeft));
        let away = |from: &str, to: &str| {
            cause(&staff(&format!(r#", "on_leave": {{"from_on": "{from}", "to_on": "{to}"}}"#)))
        };
        assert_eq!(away("2026-12-01", "2026-12-02"), None);
        assert_eq!(away("2026-12-01", "2026-12-03"), Some(GiveBackCause::TechnicianOnLeave));
        assert_eq!(away("2026-12-04", "2026-12-05"), None);
        let elsewhere: crate::ids::SiteId = id(2);
        let elsewhere = staff(&format!(r#", "site_ids": ["{elsewhere}"]"#));
        assert_eq!(cause(&elsewhere), Some(GiveBackCause::TechnicianElsewhere));
    }

    #[test]
    fn a_colleague_who_is_free_comes_at_the_same_time_and_the_customer_need_not_know() {
        let (appointment, work_order) = gives_back(&search(vec![technician(2, vec![])]));
        assert_eq!(appointment.events, []);
        let appointment = appointment.record;
        assert_eq!(appointment.slot.local_start, "2026-12-03 09:00");
        let reason =
            VisitReason::TakenOver { because: GiveBackCause::TechnicianLeft, instead_of: id(1) };
        assert_eq!((appointment.reason, appointment.reschedules), (reason, 0));
        assert_eq!(work_order.record.staff_id, Some(id(2)));
    }

    #[test]
    fn a_visit_that_moves_is_told_once() {
        let (first, _) = agreed();
        let taken = technician(2, vec![first.slot.span()]);
        let (appointment, _) = gives_back(&search(vec![taken]));
        assert_eq!(appointment.record.slot.local_start, "2026-12-03 10:00");
        assert_eq!(appointment.record.reschedules, 1);
        let told: Vec<_> =
            appointment.events.iter().filter(|(_, due_at)| due_at.is_none()).collect();
        assert_eq!(told, [&(Event::VisitConfirmed { appointment: id(1) }, None)]);
    }

    #[test]
    fn a_visit_that_nobody_can_make_falls_through_and_is_looked_after_the_next_morning() {
        let (appointment, work_order) = gives_back(&search(vec![]));
        assert_eq!(appointment.record.state, AppointmentState::Cancelled);
        assert_eq!(appointment.record.given_back_because, Some(GiveBackCause::TechnicianLeft));
        assert_eq!(appointment.events, [(Event::VisitFellThrough { appointment: id(1) }, None)]);
        let failure = Some(SearchFailure::NoTechnician);
        assert_eq!(work_order.record.unscheduled_because, failure);
        assert_eq!(work_order.events[0].1, Some(at("2026-11-25T22:00:00Z")));
        let closed = DealerStatus::Closed;
        let closed = Search { dealer_status: closed, ..search(vec![technician(2, vec![])]) };
        let (_, work_order) = gives_back(&closed);
        assert_eq!(work_order.record.unscheduled_because, Some(SearchFailure::DealerClosed));
    }

    #[test]
    fn a_visit_that_has_begun_is_not_given_back() {
        let (appointment, work_order) = agreed();
        let (begun, at_work) = appointment.begin(work_order, None).unwrap();
        let nobody = Err(SearchFailure::NobodyFree);
        let cause = GiveBackCause::TechnicianLeft;
        let refusal = begun.record.give_back(at_work.record, cause, nobody, at(NOW)).unwrap_err();
        assert_eq!(refusal.rule.code, "illegal_transition");
    }
}
