//! Counting: how much time lies between two instants when only some of it counts, and when so much of it is over.
//!
//! A pause is a break of the calendar. B(a, b) is the open time between two instants; the deadline of a target is the
//! smallest t with B(start, t), less what of it lies in pauses, equal to the target.

use crate::{
    tenancy::Weekday,
    time::{Timestamp, WallTime, Zone},
    working_time::{WorkingCalendar, WorkingInterval, reach, seconds_before},
};

pub use crate::working_time::Stretch;

/// A calendar in which all hours count.
pub fn always() -> WorkingCalendar {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let day = WorkingInterval { opens: WallTime::MIDNIGHT, closes: WallTime::MIDNIGHT };
    let week = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    WorkingCalendar::new(Zone::UTC, week.map(|one| (one, day)))
}

/// The stretches that count from `start` on, in order: those of the calendar without the pauses, which are in order
/// and do not overlap.
pub fn counted(
    calendar: &WorkingCalendar,
    start: Timestamp,
    pauses: &[Stretch],
) -> impl Iterator<Item = Stretch> {
    calendar.spans(start).flat_map(|open| without(open, pauses))
}

/// How many seconds count between two instants; a begun second is left out.
pub fn counted_seconds(calendar: &WorkingCalendar, between: Stretch, pauses: &[Stretch]) -> i64 {
    seconds_before(between.to, counted(calendar, between.from, pauses))
}

/// The first instant at which so many seconds have counted since `start`; `start` itself for 0. `None` when it lies
/// more than ten years ahead.
pub fn deadline(
    calendar: &WorkingCalendar,
    start: Timestamp,
    seconds: i64,
    pauses: &[Stretch],
) -> Option<Timestamp> {
    reach(start, seconds, counted(calendar, start, pauses), |_| ())
}

/// What is left of a stretch without the pauses.
fn without(whole: Stretch, pauses: &[Stretch]) -> Vec<Stretch> {
    let (mut left, mut from) = (Vec::new(), whole.from);
    for pause in pauses.iter().filter(|pause| pause.from < whole.to && whole.from < pause.to) {
        if from < pause.from {
            left.push(Stretch { from, to: pause.from });
        }
        from = from.max(pause.to);
    }
    if from < whole.to {
        left.push(Stretch { from, to: whole.to });
    }
    left
}
