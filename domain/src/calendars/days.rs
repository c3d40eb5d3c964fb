//! What each day of a calendar is, and when so much working time is over, with the reasons.

use super::{
    BusinessCalendar,
    rules::{CALENDAR_DAYS_REVERSED, DEADLINE_OUT_OF_REACH, TOO_MANY_CALENDAR_DAYS},
};
use crate::{
    number::whole_numbers,
    refusal::Refusal,
    time::{CivilDate, Timestamp},
    working_time::{CountedStretch, DaySource, WorkingCalendar, WorkingInterval},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most days that are shown at once: a year, and a month to look ahead.
pub const MOST_CALENDAR_DAYS: i64 = 400;

/// The most stretches of work that are told of a deadline: those of a quarter with four a day.
pub const MOST_STRETCHES: usize = 250;

whole_numbers! {
    /// How much working time is looked for.
    DeadlineMinutes = 0 to 525_600, "Minutes of working time, up to a year of 365 days.", 60;
}

/// Whether work is done on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarDayKind {
    /// It is, in the intervals.
    Open,
    /// No work begins; what began the day before may still go on.
    Closed,
}

/// What a day of a calendar is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "on": "2026-10-10", "kind": "open", "intervals": [{ "opens": "09:00", "closes": "18:00" }],
    "label": "国庆节（班）", "source": "statutory", "statutory_known": true,
})))]
pub struct CalendarDay {
    /// The day.
    pub on: CivilDate,
    /// Whether work is done.
    pub kind: CalendarDayKind,
    /// When it begins and ends, in order.
    pub intervals: Vec<WorkingInterval>,
    /// What the day is called; null when it has no name.
    pub label: Option<String>,
    /// Who says so.
    pub source: DaySource,
    /// Whether the statutory holidays of its year are known. Where they are not, a day that nobody said anything about is
    /// like its weekday, and may turn out to be another one.
    pub statutory_known: bool,
}

/// What each day of a calendar is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarDays {
    /// The first day.
    pub from_on: CivilDate,
    /// The last day.
    pub to_on: CivilDate,
    /// Each day, in order.
    pub days: Vec<CalendarDay>,
}

/// When so much working time is over, and which was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "from_at": "2026-11-20T09:30:00Z", "minutes": 60, "due_at": "2026-11-23T01:30:00Z",
    "stretches": [
        { "from_at": "2026-11-20T09:30:00Z", "to_at": "2026-11-20T10:00:00Z", "seconds": 1_800 },
        { "from_at": "2026-11-23T01:00:00Z", "to_at": "2026-11-23T01:30:00Z", "seconds": 1_800 },
    ],
    "has_more": false, "statutory_known": true,
})))]
pub struct CalendarDeadline {
    /// From when on it is counted.
    pub from_at: Timestamp,
    /// How many minutes of working time.
    pub minutes: DeadlineMinutes,
    /// When they are over.
    pub due_at: Timestamp,
    /// The stretches of working time that were counted, in order; at most the first 250.
    pub stretches: Vec<CountedStretch>,
    /// Whether more stretches were counted than are told.
    pub has_more: bool,
    /// Whether the statutory holidays of all years on the way are known.
    pub statutory_known: bool,
}

/// Makes sure that days are in order and not too many.
///
/// # Errors
///
/// `calendar_days_reversed`, `too_many_calendar_days`.
pub fn check_days(from_on: CivilDate, to_on: CivilDate) -> Result<(), Refusal> {
    let days = to_on.days_since(from_on).saturating_add(1);
    if days < 1 {
        return Err(Refusal::new(&CALENDAR_DAYS_REVERSED)
            .with("from_on", from_on)
            .with("to_on", to_on)
            .at("to_on"));
    }
    if days > MOST_CALENDAR_DAYS {
        return Err(Refusal::new(&TOO_MANY_CALENDAR_DAYS)
            .with("from_on", from_on)
            .with("to_on", to_on)
            .with("days", days)
            .with("most", MOST_CALENDAR_DAYS)
            .at("to_on"));
    }
    Ok(())
}

impl BusinessCalendar {
    /// What each day is, from one to another, both included, by `time`, which is its working time.
    ///
    /// # Errors
    ///
    /// Those of [`check_days`].
    pub fn days(
        &self,
        time: &WorkingCalendar,
        from_on: CivilDate,
        to_on: CivilDate,
    ) -> Result<CalendarDays, Refusal> {
        let tell = |on: CivilDate| {
            let day = time.day(on);
            let is_open = !day.intervals.is_empty();
            CalendarDay {
                on,
                kind: if is_open { CalendarDayKind::Open } else { CalendarDayKind::Closed },
                intervals: day.intervals.to_vec(),
                label: day.label.map(std::borrow::Cow::into_owned),
                source: day.source,
                statutory_known: self.details.holidays.knows(on.year()),
            }
        };
        check_days(from_on, to_on)?;
        let days = 0..=to_on.days_since(from_on);
        let days = days.map(|day| tell(from_on.plus_days(day))).collect();
        Ok(CalendarDays { from_on, to_on, days })
    }

    /// When so much working time is over since `from_at`, by `time`, which is its working time.
    ///
    /// # Errors
    ///
    /// `deadline_out_of_reach` when that is not within ten years.
    pub fn deadline(
        &self,
        time: &WorkingCalendar,
        from_at: Timestamp,
        minutes: DeadlineMinutes,
    ) -> Result<CalendarDeadline, Refusal> {
        let (mut stretches, mut has_more) = (Vec::new(), false);
        let due_at = time.reach(from_at, minutes.get(), |stretch| {
            if stretches.len() < MOST_STRETCHES {
                stretches.push(stretch.into());
            } else {
                has_more = true;
            }
        });
        let too_far = || Refusal::new(&DEADLINE_OUT_OF_REACH).with("minutes", minutes);
        let due_at = due_at.ok_or_else(too_far)?;
        let year = |instant: Timestamp| instant.date_in(self.details.tz).year();
        let mut years = year(from_at)..=year(due_at);
        let statutory_known = years.all(|year| self.details.holidays.knows(year));
        Ok(CalendarDeadline { from_at, minutes, due_at, stretches, has_more, statutory_known })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::samples::calendar, *};
    use serde_json::json;

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_come_in_order_and_at_most_four_hundred_at_once() {
        let office = calendar(&json!({}));
        let time = office.working_time([]);
        let count = |from: &str, to: &str| {
            let days = office.days(&time, on(from), on(to));
            days.map(|days| days.days.len()).map_err(|refusal| refusal.rule.code)
        };
        assert_eq!(count("2026-01-01", "2026-01-01"), Ok(1));
        assert_eq!(count("2026-01-02", "2026-01-01"), Err("calendar_days_reversed"));
        assert_eq!(count("2026-01-01", "2027-02-04"), Ok(400));
        assert_eq!(count("2026-01-01", "2027-02-05"), Err("too_many_calendar_days"));
    }

    #[test]
    fn a_deadline_tells_what_was_counted() {
        let office = calendar(&json!({}));
        let time = office.working_time([]);
        // Wednesday 30 September, 17:30: then comes the National Day week, with a make-up Saturday at its end.
        let from = "2026-09-30T09:30:00Z".parse().unwrap();
        let deadline = office.deadline(&time, from, DeadlineMinutes::new(60).unwrap()).unwrap();
        assert_eq!(deadline.due_at.to_string(), "2026-10-08T01:30:00Z");
        let told = deadline.stretches.iter().map(|one| one.seconds).collect::<Vec<_>>();
        assert_eq!((told, deadline.has_more), (vec![1_800, 1_800], false));
        assert!(deadline.statutory_known);
        let long = office.deadline(&time, from, DeadlineMinutes::MOST).unwrap();
        assert_eq!((long.stretches.len(), long.has_more), (MOST_STRETCHES, true));
        assert!(!long.statutory_known, "nobody has announced 2029");
    }

    #[test]
    fn a_deadline_that_never_comes_is_refused() {
        let rare =
            json!({ "week": [{ "weekday": "monday", "opens": "09:00", "closes": "09:01" }] });
        let rare = calendar(&rare);
        let time = rare.working_time([]);
        let from = "2026-11-20T09:30:00Z".parse().unwrap();
        let minutes = |minutes| DeadlineMinutes::new(minutes).unwrap();
        assert!(rare.deadline(&time, from, minutes(400)).is_ok());
        let refusal = rare.deadline(&time, from, minutes(600)).unwrap_err();
        assert_eq!(
            (refusal.rule.code, &refusal.facts["minutes"]),
            ("deadline_out_of_reach", &json!(600))
        );
    }
}
