//! Working time: the hours in which somebody works, and how long something takes when only those count.
//!
//! A [`WorkingCalendar`] is a week of hours on the wall clock of a zone, and the days that are not like their weekday.
//! Two questions are asked of it, and each is the other one turned round: how much working time lies between two
//! instants, and when so much of it is over. What a single day is, is answered from the same place.

use crate::{
    calendars::CalendarHolidays,
    tenancy::{Site, Weekday, WorkingHours},
    text::Line,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// How far ahead a deadline is looked for: ten years. Who works so little that it lies beyond never gets there.
pub const MOST_DAYS: i64 = 3_660;

/// A stretch of a day in which somebody works, on the wall clock. One that does not close later than it opens runs
/// into the next day: midnight to midnight is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "opens": "09:00", "closes": "18:00" })))]
pub struct WorkingInterval {
    /// The first minute of work.
    pub opens: WallTime,
    /// The first minute after it; of the next day when it is not later than `opens`.
    pub closes: WallTime,
}

/// A stretch of time, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

/// A stretch of time that counted, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "from_at": "2026-11-20T09:30:00Z", "to_at": "2026-11-20T10:00:00Z", "seconds": 1_800,
})))]
pub struct CountedStretch {
    /// Its first instant.
    pub from_at: Timestamp,
    /// The first instant after it.
    pub to_at: Timestamp,
    /// How many seconds it has, a begun one left out.
    #[schema(minimum = 0)]
    pub seconds: i64,
}

impl From<Stretch> for CountedStretch {
    fn from(Stretch { from, to }: Stretch) -> Self {
        Self { from_at: from, to_at: to, seconds: to.seconds_since(from) }
    }
}

/// How many seconds of `stretches`, which are in order, lie before `until`; a begun second is left out.
pub(crate) fn seconds_before(until: Timestamp, stretches: impl Iterator<Item = Stretch>) -> i64 {
    let before = stretches.take_while(|stretch| stretch.from < until);
    let micros = before.map(|stretch| stretch.to.min(until).micros_since(stretch.from));
    micros.fold(0_i64, i64::saturating_add).div_euclid(MICROS_A_SECOND)
}

/// The first instant at which so many seconds of `stretches`, which are in order, are over; `start` itself for 0. Each
/// stretch on the way is `counted`, as far as it counts. `None` when they have fewer.
pub(crate) fn reach(
    start: Timestamp,
    seconds: i64,
    stretches: impl Iterator<Item = Stretch>,
    mut counted: impl FnMut(Stretch),
) -> Option<Timestamp> {
    let mut left = seconds.saturating_mul(MICROS_A_SECOND);
    if left <= 0 {
        return Some(start);
    }
    for stretch in stretches {
        let length = stretch.to.micros_since(stretch.from);
        if left <= length {
            let due = stretch.from.plus_micros(left);
            counted(Stretch { to: due, ..stretch });
            return Some(due);
        }
        counted(stretch);
        left = left.saturating_sub(length);
    }
    None
}

/// Who says what a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DaySource {
    /// Nobody in particular: the day is like its weekday.
    Week,
    /// The statutory holidays of the country, and the days on which they are made up for.
    Statutory,
    /// A day that the brand entered itself.
    Own,
    /// A day of the list that the brand handed in last.
    Imported,
}

/// What somebody said about a day that is not like its weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidDay {
    /// When work is done.
    pub opening: DayOpening,
    /// What the day is called.
    pub label: Option<Line>,
    /// Who says so.
    pub source: DaySource,
}

/// When work is done on a day that is not like its weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayOpening {
    /// Not at all.
    Closed,
    /// As on the first weekday on which any is done.
    Usual,
    /// In these intervals.
    Hours(Vec<WorkingInterval>),
}

/// What a day is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDay<'c> {
    /// When work begins and ends; none when none is done. What runs on from the day before is the day before's.
    pub intervals: &'c [WorkingInterval],
    /// What it is called.
    pub label: Option<Cow<'c, str>>,
    /// Who says so.
    pub source: DaySource,
}

/// When somebody works: any number of intervals on each day of the week, in a time zone, but for the statutory holidays
/// of a country and for single days of which somebody says something else. Where intervals overlap, time counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingCalendar {
    zone: Zone,
    week: BTreeMap<Weekday, Vec<WorkingInterval>>,
    holidays: CalendarHolidays,
    said: BTreeMap<CivilDate, SaidDay>,
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
        Self { zone, week, holidays: CalendarHolidays::None, said: BTreeMap::new() }
    }

    /// The same calendar in a country with these statutory holidays.
    #[must_use]
    pub fn with_holidays(self, holidays: CalendarHolidays) -> Self {
        Self { holidays, ..self }
    }

    /// The same calendar, but for these days. They win over statutory holidays; of two about one day the later one counts.
    #[must_use]
    pub fn with_days(mut self, days: impl IntoIterator<Item = (CivilDate, SaidDay)>) -> Self {
        for (day, mut said) in days {
            if let DayOpening::Hours(intervals) = &mut said.opening {
                intervals.sort_unstable();
            }
            self.said.insert(day, said);
        }
        self
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

    /// What a day is: what somebody said about it, else what the country says, else its weekday.
    pub fn day(&self, on: CivilDate) -> WorkingDay<'_> {
        if let Some(SaidDay { opening, label, source }) = self.said.get(&on) {
            let intervals = match opening {
                DayOpening::Closed => &[],
                DayOpening::Usual => self.usual(),
                DayOpening::Hours(intervals) => intervals,
            };
            let label = label.as_deref().map(Cow::Borrowed);
            return WorkingDay { intervals, label, source: *source };
        }
        if let Some(day) = self.holidays.on(on) {
            let intervals = if day.is_worked { self.usual() } else { &[] };
            return WorkingDay {
                intervals,
                label: Some(day.label()),
                source: DaySource::Statutory,
            };
        }
        let intervals = self.week.get(&Weekday::of(on)).map_or(&[][..], Vec::as_slice);
        WorkingDay { intervals, label: None, source: DaySource::Week }
    }

    /// When work is done on a make-up workday: as on the first weekday on which any is done.
    fn usual(&self) -> &[WorkingInterval] {
        self.week.values().next().map_or(&[], Vec::as_slice)
    }

    /// How many seconds of working time lie between two instants, each begun second left out; 0 when the second
    /// instant is not the later one.
    pub fn seconds_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        seconds_before(to, self.spans(from))
    }

    /// The first instant at which `minutes` of working time are over since `start`; `start` itself for 0. `None`
    /// when it lies more than ten years ahead, as it does when nobody ever works.
    pub fn after(&self, start: Timestamp, minutes: u32) -> Option<Timestamp> {
        self.reach(start, minutes, |_| ())
    }

    /// The same as [`WorkingCalendar::after`]; each stretch of work that counts on the way is `counted`, as far as it
    /// counts.
    pub fn reach(
        &self,
        start: Timestamp,
        minutes: u32,
        counted: impl FnMut(Stretch),
    ) -> Option<Timestamp> {
        let seconds = i64::from(minutes).saturating_mul(SECONDS_A_MINUTE);
        reach(start, seconds, self.spans(start), counted)
    }

    /// The stretch of work that goes on at an instant, from it on, or else the next one; `None` when nobody works for ten
    /// years.
    pub fn next_stretch(&self, at: Timestamp) -> Option<Stretch> {
        self.spans(at).next()
    }

    /// The stretches of work from `from` on, in order, none of which overlaps another, for ten years.
    pub(crate) fn spans(&self, from: Timestamp) -> impl Iterator<Item = Stretch> {
        self.spans_for(MOST_DAYS, from)
    }

    /// The same for so many days.
    fn spans_for(&self, most_days: i64, from: Timestamp) -> impl Iterator<Item = Stretch> {
        let first = from.date_in(self.zone);
        // The day before may still be going on.
        let days = (-1..most_days).map(move |day| first.plus_days(day));
        let mut counted_until = from;
        days.flat_map(|day| self.spans_of(day)).filter_map(move |(opens, closes)| {
            let opens = opens.max(counted_until);
            if closes <= opens {
                return None;
            }
            counted_until = closes;
            Some(Stretch { from: opens, to: closes })
        })
    }

    /// The stretches of work that begin on a day of another zone, in order; what runs on from the day before begins with
    /// the day.
    pub fn on_day_of(&self, zone: Zone, day: CivilDate) -> Vec<Stretch> {
        let [begins, ends] = [day, day.plus_days(1)].map(|one| one.at(WallTime::MIDNIGHT, zone));
        // The day may be two of this calendar's, and those around it are looked at, too.
        self.spans_for(3, begins).take_while(|stretch| stretch.from < ends).collect()
    }

    fn spans_of(&self, day: CivilDate) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.day(day).intervals.iter().map(move |WorkingInterval { opens, closes }| {
            let last = if closes > opens { day } else { day.plus_days(1) };
            (day.at(*opens, self.zone), last.at(*closes, self.zone))
        })
    }
}

const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_MINUTE: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike as _;
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
    fn an_office_is_open_until_it_closes_and_closed_until_it_opens() {
        let (friday, closing) = (at("2026-11-20T09:30:00Z"), at("2026-11-20T10:00:00Z"));
        assert_eq!(office().next_stretch(friday), Some(Stretch { from: friday, to: closing }));
        let monday = Stretch { from: at("2026-11-23T01:00:00Z"), to: at("2026-11-23T10:00:00Z") };
        assert_eq!(office().next_stretch(closing), Some(monday));
        assert_eq!(WorkingCalendar::new(zone("Asia/Shanghai"), []).next_stretch(friday), None);
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

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn said(opening: DayOpening) -> SaidDay {
        SaidDay { opening, label: None, source: DaySource::Own }
    }

    /// The office in China, but for these days.
    fn office_in_china(days: Vec<(&str, DayOpening)>) -> WorkingCalendar {
        let days = days.into_iter().map(|(day, opening)| (on(day), said(opening)));
        office().with_holidays(CalendarHolidays::Cn).with_days(days)
    }

    #[test]
    fn a_make_up_saturday_counts_and_the_week_of_the_national_day_does_not() {
        // Friday 9 October 2026, 17:30; Saturday the 10th is worked.
        let friday = at("2026-10-09T09:30:00Z");
        let china = office_in_china(Vec::new());
        assert_eq!(china.after(friday, 60), Some(at("2026-10-10T01:30:00Z")));
        assert_eq!(office().after(friday, 60), Some(at("2026-10-12T01:30:00Z")));
        // Wednesday 30 September, 17:30.
        let eve = at("2026-09-30T09:30:00Z");
        assert_eq!(china.after(eve, 60), Some(at("2026-10-08T01:30:00Z")));
        assert_eq!(china.seconds_between(eve, at("2026-10-08T01:00:00Z")), 1_800);
    }

    #[test]
    fn what_somebody_says_about_a_day_wins_over_the_country() {
        let eve = at("2026-09-30T09:30:00Z");
        let noon = DayOpening::Hours(vec![interval("10:00", "12:00")]);
        let own = office_in_china(vec![("2026-10-02", noon), ("2026-10-10", DayOpening::Closed)]);
        assert_eq!(own.after(eve, 60), Some(at("2026-10-02T02:30:00Z")));
        assert_eq!(own.after(at("2026-10-09T09:30:00Z"), 60), Some(at("2026-10-12T01:30:00Z")));
        let usual = office_in_china(vec![("2026-10-04", DayOpening::Usual)]);
        assert_eq!(usual.day(on("2026-10-04")).intervals, [interval("09:00", "18:00")]);
        assert_eq!(usual.day(on("2026-10-04")).source, DaySource::Own);
    }

    #[test]
    fn a_closed_day_does_not_end_the_night_before_it() {
        let night = DAYS.map(|one| (one, interval("22:00", "06:00")));
        let closed = [(on("2026-11-24"), said(DayOpening::Closed))];
        let calendar = WorkingCalendar::new(zone("UTC"), night).with_days(closed);
        let (before, after) = (at("2026-11-23T12:00:00Z"), at("2026-11-25T12:00:00Z"));
        assert_eq!(calendar.seconds_between(before, after), 28_800);
    }

    /// Hours of a week and of single days, as they were said.
    #[derive(Debug, Clone)]
    struct Said {
        zone: &'static str,
        week: Vec<(usize, WorkingInterval)>,
        holidays: CalendarHolidays,
        days: BTreeMap<CivilDate, DayOpening>,
    }

    impl Said {
        fn calendar(&self) -> WorkingCalendar {
            let week = self.week.iter().map(|(day, interval)| (DAYS[*day], *interval));
            let days = self.days.clone().into_iter().map(|(day, opening)| (day, said(opening)));
            WorkingCalendar::new(zone(self.zone), week).with_holidays(self.holidays).with_days(days)
        }

        /// The hours of a weekday, counted from Monday, which is 0.
        fn hours_of(&self, weekday: usize) -> Vec<WorkingInterval> {
            let those = self.week.iter().filter(|(day, _)| *day == weekday);
            those.map(|(_, interval)| *interval).collect()
        }

        /// When work is done on a day, asked in the other way: of the crate of holidays itself, and of the whole list.
        fn hours_on(&self, day: CivilDate) -> Vec<WorkingInterval> {
            let usual = || {
                let first = (0..7).map(|day| self.hours_of(day)).find(|hours| !hours.is_empty());
                first.unwrap_or_default()
            };
            if let Some(opening) = self.days.get(&day) {
                return match opening {
                    DayOpening::Closed => Vec::new(),
                    DayOpening::Usual => usual(),
                    DayOpening::Hours(hours) => hours.clone(),
                };
            }
            let date = chrono::NaiveDate::from(day);
            let (year, month) = (date.year_ce().1, date.month());
            let (year, month) = (isize::try_from(year).unwrap(), usize::try_from(month).unwrap());
            let holiday = tyme4rs::tyme::holiday::LegalHoliday::from_ymd(
                year,
                month,
                usize::try_from(date.day()).unwrap(),
            );
            match holiday.filter(|_| self.holidays == CalendarHolidays::Cn) {
                Some(holiday) if holiday.is_work() => usual(),
                Some(_) => Vec::new(),
                None => self.hours_of(usize::from(day.weekday()).saturating_sub(1)),
            }
        }

        /// For each minute from `start` on, whether the wall clock says that it is worked.
        fn minutes(&self, start: Timestamp) -> impl Iterator<Item = bool> {
            let mut known: BTreeMap<CivilDate, Vec<WorkingInterval>> = BTreeMap::new();
            (0_i64..).map(move |minute| {
                let now = start.plus_minutes(minute);
                let today = now.date_in(zone(self.zone));
                let clock = wall(&now.wall_time_in(zone(self.zone))[11..]);
                [today.plus_days(-1), today].into_iter().any(|day| {
                    let hours = known.entry(day).or_insert_with(|| self.hours_on(day));
                    hours.iter().any(|WorkingInterval { opens, closes }| {
                        match (closes > opens, day == today) {
                            (true, true) => (*opens..*closes).contains(&clock),
                            (true, false) => false,
                            (false, true) => clock >= *opens,
                            (false, false) => clock < *closes,
                        }
                    })
                })
            })
        }
    }

    fn intervals(hours: std::ops::Range<u32>) -> impl Strategy<Value = WorkingInterval> {
        let minute = (hours, prop::sample::select(vec![0_u32, 15, 30]));
        let read = |(hour, minute)| WallTime::new(hour, minute).unwrap();
        (minute.clone(), minute).prop_map(move |(opens, closes)| WorkingInterval {
            opens: read(opens),
            closes: read(closes),
        })
    }

    fn openings(hours: std::ops::Range<u32>) -> impl Strategy<Value = DayOpening> {
        prop_oneof![
            Just(DayOpening::Closed),
            Just(DayOpening::Usual),
            prop::collection::vec(intervals(hours), 1..3).prop_map(DayOpening::Hours),
        ]
    }

    /// A week of up to twelve intervals in one of the zones, and what is said about up to twelve days of the year 2026.
    fn said_so(
        zones: Vec<&'static str>,
        hours: std::ops::Range<u32>,
    ) -> impl Strategy<Value = Said> {
        let days = (0_i64..365).prop_map(|day| on("2026-01-01").plus_days(day));
        let holidays = prop::sample::select(vec![CalendarHolidays::None, CalendarHolidays::Cn]);
        let week = prop::collection::vec((0_usize..7, intervals(hours.clone())), 1..12);
        let days = prop::collection::btree_map(days, openings(hours), 0..12);
        (prop::sample::select(zones), week, holidays, days)
            .prop_map(|(zone, week, holidays, days)| Said { zone, week, holidays, days })
    }

    /// A calendar in a zone with or without summer time.
    fn calendars() -> impl Strategy<Value = WorkingCalendar> {
        let zones =
            vec!["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"];
        said_so(zones, 0..24).prop_map(|said| said.calendar())
    }

    /// A calendar of which the wall clock alone says what is worked: its hours do not begin or end in an hour that a clock
    /// skips or shows twice.
    fn plain_calendars() -> impl Strategy<Value = Said> {
        let steady = said_so(vec!["Asia/Shanghai", "Asia/Kathmandu", "UTC"], 0..24);
        let changing = vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
        prop_oneof![steady, said_so(changing, 4..24)]
    }

    /// A minute around a day on which something is special: the clock changes, or a holiday begins or is made up for.
    fn special_minutes() -> impl Strategy<Value = Timestamp> {
        let days = vec![
            "2026-02-13",
            "2026-02-27",
            "2026-03-07",
            "2026-03-28",
            "2026-04-04",
            "2026-05-08",
            "2026-09-19",
            "2026-10-03",
            "2026-10-09",
            "2026-10-24",
            "2026-10-31",
            "2026-07-01",
        ];
        (prop::sample::select(days), 0_i64..2_880).prop_map(|(day, minute)| {
            on(day).at(WallTime::MIDNIGHT, Zone::UTC).plus_minutes(minute)
        })
    }

    /// A second of the year 2026, on the hour or off it.
    fn instants() -> impl Strategy<Value = Timestamp> {
        (0_i64..31_536_000).prop_map(|second| at("2026-01-01T00:00:00Z").plus_seconds(second))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn it_is_the_same_as_counting_minute_by_minute(
            said in plain_calendars(), start in special_minutes(), length in 0_usize..5_000, minutes in 1_u32..2_000,
        ) {
            let calendar = said.calendar();
            let end = start.plus_minutes(i64::try_from(length).unwrap());
            let worked = said.minutes(start).take(length).filter(|is_worked| *is_worked).count();
            prop_assert_eq!(calendar.seconds_between(start, end), i64::try_from(worked).unwrap().saturating_mul(60));

            let mut left = minutes;
            let reached = said.minutes(start).take(10_000).position(|is_worked| {
                left = left.saturating_sub(u32::from(is_worked));
                left == 0
            });
            let due = calendar.after(start, minutes);
            match reached {
                Some(minute) => prop_assert_eq!(due, Some(start.plus_minutes(i64::try_from(minute).unwrap()).plus_minutes(1))),
                None => prop_assert!(due.is_none_or(|due| due > start.plus_minutes(10_000))),
            }
        }
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
