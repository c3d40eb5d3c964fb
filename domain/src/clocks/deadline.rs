//! Counting: how much time lies between two instants when only some of it counts, and when so much of it is over.
//!
//! A pause is a break of the calendar. B(a, b) is the open time between two instants; the deadline of a target is the
//! smallest t with B(start, t), less what of it lies in pauses, equal to the target.

use crate::{
    tenancy::Weekday,
    time::{Timestamp, WallTime, Zone},
    working_time::{WorkingCalendar, WorkingInterval},
};

/// A stretch of time, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

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
    calendar.spans(start).flat_map(|(from, to)| without(Stretch { from, to }, pauses))
}

/// How many seconds count between two instants; a begun second is left out.
pub fn counted_seconds(calendar: &WorkingCalendar, between: Stretch, pauses: &[Stretch]) -> i64 {
    let stretches = counted(calendar, between.from, pauses);
    let before = stretches.take_while(|stretch| stretch.from < between.to);
    let micros = before.map(|stretch| stretch.to.min(between.to).micros_since(stretch.from));
    micros.fold(0_i64, i64::saturating_add).div_euclid(MICROS_A_SECOND)
}

/// The first instant at which so many seconds have counted since `start`; `start` itself for 0. `None` when it lies
/// more than ten years ahead.
pub fn deadline(
    calendar: &WorkingCalendar,
    start: Timestamp,
    seconds: i64,
    pauses: &[Stretch],
) -> Option<Timestamp> {
    let mut left = seconds.saturating_mul(MICROS_A_SECOND);
    if left <= 0 {
        return Some(start);
    }
    for stretch in counted(calendar, start, pauses) {
        let length = stretch.to.micros_since(stretch.from);
        if left <= length {
            return Some(stretch.from.plus_micros(left));
        }
        left = left.saturating_sub(length);
    }
    None
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

const MICROS_A_SECOND: i64 = 1_000_000;
