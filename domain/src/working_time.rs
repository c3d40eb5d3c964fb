//! Working time: the hours in which somebody works, and how long something takes when only those count.
//!
//! A [`WorkingCalendar`] is a week of hours on the wall clock of a zone. Two questions are asked of it, and each is
//! the other one turned round: how much working time lies between two instants, and when so much of it is over.

use crate::{
    tenancy::{Site, Weekday, WorkingHours},
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use std::collections::BTreeMap;

/// How far ahead a deadline is looked for: ten years. Who works so little that it lies beyond never gets there.
const MOST_DAYS: i64 = 3_660;

/// A stretch of a day in which somebody works, on the wall clock. One that does not close later than it opens runs
/// into the next day: midnight to midnight is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkingInterval {
    /// The first minute of work.
    pub opens: WallTime,
    /// The first minute after it.
    pub closes: WallTime,
}

/// When somebody works: any number of intervals on each day of the week, in a time zone. Where intervals overlap,
/// time counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingCalendar {
    zone: Zone,
    week: BTreeMap<Weekday, Vec<WorkingInterval>>,
}

impl WorkingCalendar {
    /// A calendar of these intervals on the wall clock of `zone`.
    pub fn new(
        zone: Zone,
        intervals: impl IntoIterator<Item = (Weekday, WorkingInterval)>,
    ) -> Self {
        let mut week: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (day, interval) in intervals {
            week.entry(day).or_default().push(interval);
        }
        for day in week.values_mut() {
            day.sort_unstable();
        }
        Self { zone, week }
    }

    /// The calendar of a shop with these hours.
    pub fn of_hours(hours: &WorkingHours, zone: Zone) -> Self {
        let interval = WorkingInterval { opens: hours.opens, closes: hours.closes };
        Self::new(zone, hours.weekdays.iter().map(|day| (*day, interval)))
    }

    /// The calendar of a site.
    pub fn of_site(site: &Site) -> Self {
        Self::of_hours(&site.details.hours, site.details.tz)
    }

    /// How many seconds of working time lie between two instants, each begun second left out; 0 when the second
    /// instant is not the later one.
    pub fn seconds_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        let spans = self.spans(from).take_while(|(opens, _)| *opens < to);
        let worked = spans.map(|(opens, closes)| closes.min(to).micros_since(opens));
        worked.fold(0_i64, i64::saturating_add).div_euclid(MICROS_A_SECOND)
    }

    /// The first instant at which `minutes` of working time are over since `start`; `start` itself for 0. `None`
    /// when it lies more than ten years ahead, as it does when nobody ever works.
    pub fn after(&self, start: Timestamp, minutes: u32) -> Option<Timestamp> {
        let mut left = i64::from(minutes).saturating_mul(MICROS_A_MINUTE);
        if left == 0 {
            return Some(start);
        }
        for (opens, closes) in self.spans(start) {
            let length = closes.micros_since(opens);
            if left <= length {
                return Some(opens.plus_micros(left));
            }
            left = left.saturating_sub(length);
        }
        None
    }

    /// The stretches of work from `from` on, in order, none of which overlaps another, for ten years.
    pub(crate) fn spans(&self, from: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = from.date_in(self.zone);
        // The day before may still be going on.
        let days = (-1..MOST_DAYS).map(move |day| first.plus_days(day));
        let mut counted_until = from;
        days.flat_map(|day| self.spans_of(day)).filter_map(move |(opens, closes)| {
            let opens = opens.max(counted_until);
            if closes <= opens {
                return None;
            }
            counted_until = closes;
            Some((opens, closes))
        })
    }

    fn spans_of(&self, day: CivilDate) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let intervals = self.week.get(&Weekday::of(day)).into_iter().flatten();
        intervals.map(move |WorkingInterval { opens, closes }| {
            let last = if closes > opens { day } else { day.plus_days(1) };
            (day.at(*opens, self.zone), last.at(*closes, self.zone))
        })
    }
}

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_MINUTE: i64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAYS: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn wall(text: &str) -> WallTime {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn interval(opens: &str, closes: &str) -> WorkingInterval {
        WorkingInterval { opens: wall(opens), closes: wall(closes) }
    }

    /// Monday to Friday, 09:00 to 18:00 in Shanghai.
    fn office() -> WorkingCalendar {
        let day = interval("09:00", "18:00");
        WorkingCalendar::new(zone("Asia/Shanghai"), DAYS[..5].iter().map(|one| (*one, day)))
    }

    /// Always, in a zone whose clocks change.
    fn always(name: &str) -> WorkingCalendar {
        let day = interval("00:00", "00:00");
        WorkingCalendar::new(zone(name), DAYS.map(|one| (one, day)))
    }

    #[test]
    fn half_an_hour_before_the_weekend_an_hour_ends_on_monday_at_half_past_nine() {
        // Friday 17:30 in Shanghai; Monday 09:30.
        let friday = at("2026-11-20T09:30:00Z");
        assert_eq!(office().after(friday, 60), Some(at("2026-11-23T01:30:00Z")));
        assert_eq!(office().seconds_between(friday, at("2026-11-23T01:30:00Z")), 3_600);
    }

    #[test]
    fn a_day_that_is_used_up_ends_when_it_closes_and_not_when_the_next_one_opens() {
        let monday = at("2026-11-23T01:00:00Z");
        assert_eq!(office().after(monday, 540), Some(at("2026-11-23T10:00:00Z")));
        assert_eq!(office().after(monday, 541), Some(at("2026-11-24T01:01:00Z")));
        // Closed doors do not count, whether it is late or early.
        assert_eq!(office().after(at("2026-11-21T04:00:00Z"), 1), Some(at("2026-11-23T01:01:00Z")));
        assert_eq!(office().after(at("2026-11-21T04:00:00Z"), 0), Some(at("2026-11-21T04:00:00Z")));
    }

    #[test]
    fn a_lunch_break_is_no_working_time() {
        let day = [interval("13:00", "17:00"), interval("08:00", "12:00")];
        let week = day.map(|one| (Weekday::Monday, one));
        let calendar = WorkingCalendar::new(zone("UTC"), week);
        let monday = at("2026-11-23T11:30:00Z");
        assert_eq!(calendar.after(monday, 60), Some(at("2026-11-23T13:30:00Z")));
        assert_eq!(calendar.after(monday, 300), Some(at("2026-11-30T08:30:00Z")));
    }

    #[test]
    fn a_night_shift_runs_into_the_next_day_and_overlaps_count_once() {
        let week = [
            (Weekday::Monday, interval("22:00", "06:00")),
            (Weekday::Tuesday, interval("05:00", "07:00")),
        ];
        let calendar = WorkingCalendar::new(zone("UTC"), week);
        let (before, after) = (at("2026-11-23T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        assert_eq!(calendar.seconds_between(before, after), 32_400);
        assert_eq!(
            calendar.after(at("2026-11-24T05:30:00Z"), 60),
            Some(at("2026-11-24T06:30:00Z"))
        );
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_clock() {
        let berlin = always("Europe/Berlin");
        let midnight = |text: &str| {
            text.parse::<CivilDate>().unwrap().at(WallTime::MIDNIGHT, zone("Europe/Berlin"))
        };
        for (day, next, hours) in [
            ("2026-03-28", "2026-03-29", 24),
            ("2026-03-29", "2026-03-30", 23),
            ("2026-10-25", "2026-10-26", 25),
        ] {
            let worked = berlin.seconds_between(midnight(day), midnight(next));
            assert_eq!(worked, 3_600_i64.saturating_mul(hours), "{day}");
        }
        // A shift around the hour that is missing is an hour shorter, and one around the hour that comes twice longer.
        let night = WorkingCalendar::new(
            zone("Europe/Berlin"),
            [(Weekday::Sunday, interval("01:00", "04:00"))],
        );
        for (day, next, hours) in [("2026-03-29", "2026-03-30", 2), ("2026-10-25", "2026-10-26", 4)]
        {
            assert_eq!(
                night.seconds_between(midnight(day), midnight(next)),
                3_600_i64.saturating_mul(hours),
                "{day}"
            );
        }
    }

    #[test]
    fn who_never_works_never_gets_there() {
        let never = WorkingCalendar::new(zone("UTC"), []);
        assert_eq!(never.after(at("2026-11-23T00:00:00Z"), 1), None);
        assert_eq!(never.after(at("2026-11-23T00:00:00Z"), 0), Some(at("2026-11-23T00:00:00Z")));
        assert_eq!(
            never.seconds_between(at("2026-11-23T00:00:00Z"), at("2027-11-23T00:00:00Z")),
            0
        );
    }

    /// A week of up to twelve intervals, in a zone with or without summer time.
    fn calendars() -> impl Strategy<Value = WorkingCalendar> {
        let zones = prop::sample::select(vec![
            "Asia/Shanghai",
            "Europe/Berlin",
            "America/Sao_Paulo",
            "Australia/Lord_Howe",
        ]);
        let minute = (0_u32..24, prop::sample::select(vec![0_u32, 15, 30]));
        let one = (0_usize..7, minute.clone(), minute);
        (zones, prop::collection::vec(one, 1..12)).prop_map(|(name, week)| {
            let read = |(hour, minute)| WallTime::new(hour, minute).unwrap();
            let week = week.into_iter().map(|(day, opens, closes)| {
                (DAYS[day], WorkingInterval { opens: read(opens), closes: read(closes) })
            });
            WorkingCalendar::new(zone(name), week)
        })
    }

    /// A second of the year 2026, on the hour or off it.
    fn instants() -> impl Strategy<Value = Timestamp> {
        (0_i64..31_536_000).prop_map(|second| at("2026-01-01T00:00:00Z").plus_seconds(second))
    }

    proptest! {
        #[test]
        fn what_lies_between_adds_up(calendar in calendars(), three in prop::array::uniform3(instants())) {
            let mut three = three;
            three.sort_unstable();
            let [a, b, c] = three;
            let whole = calendar.seconds_between(a, c);
            let parts = [calendar.seconds_between(a, b), calendar.seconds_between(b, c)];
            prop_assert_eq!(parts.into_iter().sum::<i64>(), whole);
            prop_assert!(whole <= c.seconds_since(a));
            prop_assert_eq!(calendar.seconds_between(c, a), 0);
        }

        #[test]
        fn a_deadline_is_the_first_instant_at_which_so_much_is_over(
            calendar in calendars(), start in instants(), minutes in 1_u32..20_000,
        ) {
            if let Some(due) = calendar.after(start, minutes) {
                let wanted = i64::from(minutes).saturating_mul(60);
                prop_assert_eq!(calendar.seconds_between(start, due), wanted);
                prop_assert!(calendar.seconds_between(start, due.plus_seconds(-1)) < wanted);
            }
        }

        #[test]
        fn a_deadline_moves_on_with_what_it_takes_and_when_it_begins(
            calendar in calendars(), start in instants(), minutes in 0_u32..10_000, more in 0_u32..500, later in 0_i64..100_000,
        ) {
            let due = calendar.after(start, minutes);
            if let (Some(due), Some(longer)) = (due, calendar.after(start, minutes.saturating_add(more))) {
                prop_assert!(due <= longer);
            }
            if let (Some(due), Some(moved)) = (due, calendar.after(start.plus_seconds(later), minutes)) {
                prop_assert!(due <= moved);
            }
        }
    }
}
