//! Availability: when people work at a site, and what they are taken for already.

use super::numbers::VisitMinutes;
use crate::{
    identity::{Leave, Staff},
    ids::StaffId,
    time::{CivilDate, Timestamp, Zone},
    working_time::Stretch,
};

/// Visits begin on the hour and the half hour after opening, also after a break: times that people remember.
const STEP_MINUTES: i64 = 30;

/// The most beginnings of one stretch of work: every half hour of 24.
const MOST_STEPS: i64 = 48;

/// A stretch of time, from its beginning up to, not including, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub starts_at: Timestamp,
    /// The first instant after it.
    pub ends_at: Timestamp,
}

impl Span {
    /// The stretch that begins at `starts_at` and lasts `minutes`.
    pub fn lasting(starts_at: Timestamp, minutes: VisitMinutes) -> Self {
        Self { starts_at, ends_at: starts_at.plus_minutes(i64::from(minutes.get())) }
    }

    /// Whether the two share an instant; one that begins when the other ends does not.
    pub fn overlaps(self, other: Self) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    pub(super) fn minutes(self) -> u32 {
        let minutes = self.ends_at.seconds_since(self.starts_at).checked_div(60);
        u32::try_from(minutes.unwrap_or_default()).unwrap_or_default()
    }
}

/// The days on which a visit may take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from_on: CivilDate,
    /// The last day.
    pub to_on: CivilDate,
    /// The day it is best done on.
    pub preferred_on: CivilDate,
}

impl Window {
    /// Its days, those next to the preferred one first, of two as near the earlier one.
    pub(super) fn by_preference(self) -> Vec<CivilDate> {
        let mut days: Vec<_> = self.days().collect();
        days.sort_by_key(|day| (day.days_since(self.preferred_on).unsigned_abs(), *day));
        days
    }

    pub(super) fn days(self) -> impl Iterator<Item = CivilDate> {
        (0..=self.to_on.days_since(self.from_on)).map(move |day| self.from_on.plus_days(day))
    }
}

/// The times at which a visit of `minutes` can begin in a stretch of work, in order.
pub(super) fn beginnings(open: Stretch, minutes: VisitMinutes) -> impl Iterator<Item = Span> {
    (0..MOST_STEPS)
        .map(move |step| open.from.plus_minutes(step.saturating_mul(STEP_MINUTES)))
        .map(move |starts_at| Span::lasting(starts_at, minutes))
        .take_while(move |span| span.ends_at <= open.to)
}

/// A technician who can be sent from a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Technician {
    /// Who.
    pub id: StaffId,
    /// The days on which they do not work.
    pub leave: Option<Leave>,
    /// What they are taken for already.
    pub booked: Vec<Span>,
}

impl Technician {
    /// Somebody of the staff, who is taken for nothing yet.
    pub fn of(staff: &Staff) -> Self {
        Self { id: staff.id, leave: staff.details.on_leave, booked: Vec::new() }
    }

    pub(super) fn is_free(&self, span: Span, zone: Zone) -> bool {
        self.works_on(span.starts_at.date_in(zone)) && !self.is_booked(span)
    }

    pub(super) fn works_on(&self, day: CivilDate) -> bool {
        self.leave.is_none_or(|leave| day < leave.from_on || leave.to_on < day)
    }

    pub(super) fn is_booked(&self, span: Span) -> bool {
        self.booked.iter().any(|booked| booked.overlaps(span))
    }

    pub(super) fn booked_minutes(&self) -> u32 {
        self.booked.iter().fold(0, |sum, span| sum.saturating_add(span.minutes()))
    }
}
