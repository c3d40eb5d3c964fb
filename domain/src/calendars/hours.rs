//! Hours of a week and of a day, none of which is worked twice.

use super::rules::{CALENDAR_HOURS_OVERLAP, CALENDAR_WITHOUT_HOURS};
use crate::{refusal::Refusal, tenancy::Weekday, time::WallTime, working_time::WorkingInterval};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MINUTES_A_DAY: u32 = 1_440;
const MINUTES_A_WEEK: u32 = 10_080;

/// A stretch of a weekday in which work is done. One that does not close later than it opens runs into the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "weekday": "monday", "opens": "09:00", "closes": "18:00" })))]
pub struct WeekInterval {
    /// The day on which it begins.
    pub weekday: Weekday,
    /// The first minute of work.
    pub opens: WallTime,
    /// The first minute after it; of the next day when it is not later than `opens`.
    pub closes: WallTime,
}

impl WeekInterval {
    /// The stretch, on whatever day.
    pub fn interval(&self) -> WorkingInterval {
        WorkingInterval { opens: self.opens, closes: self.closes }
    }
}

/// A stretch on a line of minutes, and where it stands in the list that it came from.
struct Placed {
    from: u32,
    to: u32,
    place: usize,
    interval: WorkingInterval,
}

impl Placed {
    fn of(place: usize, day: u32, interval: WorkingInterval) -> Self {
        let begins = day.saturating_mul(MINUTES_A_DAY);
        let from = begins.saturating_add(interval.opens.minute_of_day());
        let closes = begins.saturating_add(interval.closes.minute_of_day());
        let to = if closes > from { closes } else { closes.saturating_add(MINUTES_A_DAY) };
        Self { from, to, place, interval }
    }
}

/// Makes sure that there are hours in a week, and that none is worked twice: from Sunday into Monday, too.
pub(super) fn check_week(week: &[WeekInterval]) -> Result<(), Refusal> {
    let placed = week.iter().enumerate().map(|(place, one)| {
        let day = u32::from(one.weekday.number()).saturating_sub(1);
        Placed::of(place, day, one.interval())
    });
    let placed = check(placed.collect(), "/week")?;
    // The week after begins with the first interval of this one.
    let (Some(first), Some(last)) = (placed.first(), placed.last()) else { return Ok(()) };
    if last.to > first.from.saturating_add(MINUTES_A_WEEK) {
        return Err(overlap(first, last, "/week"));
    }
    Ok(())
}

/// The same of a single day.
pub(super) fn check_day(intervals: &[WorkingInterval], place: &str) -> Result<(), Refusal> {
    let placed = intervals.iter().enumerate().map(|(at, one)| Placed::of(at, 0, *one));
    check(placed.collect(), place).map(|_| ())
}

/// The stretches in their order.
fn check(mut placed: Vec<Placed>, list: &str) -> Result<Vec<Placed>, Refusal> {
    if placed.is_empty() {
        return Err(Refusal::new(&CALENDAR_WITHOUT_HOURS).at(list));
    }
    placed.sort_by_key(|one| (one.from, one.to));
    for (before, after) in placed.iter().zip(placed.iter().skip(1)) {
        if after.from < before.to {
            return Err(overlap(after, before, list));
        }
    }
    Ok(placed)
}

fn overlap(one: &Placed, before: &Placed, list: &str) -> Refusal {
    Refusal::new(&CALENDAR_HOURS_OVERLAP)
        .with("opens", one.interval.opens)
        .with("closes", one.interval.closes)
        .with("until", before.interval.closes)
        .at(format!("{list}/{}", one.place))
}
