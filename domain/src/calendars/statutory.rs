//! Statutory holidays, and the weekends on which they are made up for, as far as they have been announced.

use crate::time::CivilDate;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, ops::Range, sync::LazyLock};
use tyme4rs::tyme::holiday::{LEGAL_HOLIDAY_DATA, LEGAL_HOLIDAY_NAMES};
use utoipa::ToSchema;

/// Whose statutory holidays a calendar knows by itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CalendarHolidays {
    /// Nobody's: each day is like its weekday, but for what the brand says.
    #[default]
    None,
    /// Those of mainland China, with the make-up workdays, as the State Council announces them for one year at a time,
    /// usually in November of the year before.
    Cn,
}

/// A day that the country has made something else of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatutoryDay {
    /// The holiday that it belongs to.
    pub holiday: &'static str,
    /// Whether it is a make-up workday instead of a day off.
    pub is_worked: bool,
}

/// How many characters a day takes in the data: the date, whether it is free, which holiday, and how far off that is.
const DAY_CHARS: usize = 13;

/// Looked up day by day for years, so it is read once. The crate's own way reads all of it anew for each day, and panics
/// for days that do not exist.
static CN: LazyLock<BTreeMap<CivilDate, StatutoryDay>> = LazyLock::new(|| {
    let days = LEGAL_HOLIDAY_DATA.as_bytes().chunks(DAY_CHARS);
    days.filter_map(|day| read(std::str::from_utf8(day).ok()?)).collect()
});

/// A day as in `2026100516-04`: of 5 October 2026, free (`1`), the holiday with the number 6, four days off.
fn read(text: &str) -> Option<(CivilDate, StatutoryDay)> {
    let number = |place: Range<usize>| text.get(place)?.parse::<u32>().ok();
    let year = i32::try_from(number(0..4)?).ok()?;
    let date = CivilDate::new(year, number(4..6)?, number(6..8)?)?;
    let is_worked = text.get(8..9)? == "0";
    let holiday = LEGAL_HOLIDAY_NAMES.get(usize::try_from(number(9..10)?).ok()?)?;
    Some((date, StatutoryDay { holiday, is_worked }))
}

impl CalendarHolidays {
    /// What the country has made of a day; nothing where it is like its weekday, or nobody knows yet.
    pub fn on(self, day: CivilDate) -> Option<StatutoryDay> {
        match self {
            Self::None => None,
            Self::Cn => CN.get(&day).copied(),
        }
    }

    /// Whether the holidays of a year have been announced, and are known here. Where there are none there is nothing to
    /// know.
    pub fn knows(self, year: i32) -> bool {
        match self {
            Self::None => true,
            // New Year reaches into the December before, so a single day of a year says nothing; the National Day is
            // announced with all the others.
            Self::Cn => CivilDate::new(year, 10, 1).is_some_and(|day| CN.contains_key(&day)),
        }
    }
}

impl StatutoryDay {
    /// What the day is called; make-up workdays as calendars in China mark them.
    pub fn label(self) -> Cow<'static, str> {
        if self.is_worked {
            format!("{}（班）", self.holiday).into()
        } else {
            self.holiday.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::working_time::{DaySource, WorkingCalendar, WorkingInterval};

    const WORKDAYS: &str = include_str!("../../../tests/data/china-workdays-2015-2026.csv");

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    /// Monday to Friday in Shanghai, but for the holidays.
    fn office() -> WorkingCalendar {
        use crate::tenancy::Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let day =
            WorkingInterval { opens: "09:00".parse().unwrap(), closes: "18:00".parse().unwrap() };
        let week = [Monday, Tuesday, Wednesday, Thursday, Friday].map(|one| (one, day));
        WorkingCalendar::new("Asia/Shanghai".parse().unwrap(), week)
            .with_holidays(CalendarHolidays::Cn)
    }

    #[test]
    fn twelve_years_of_workdays_are_those_of_another_source() {
        let office = office();
        let (mut days, mut wrong) = (0, Vec::new());
        for line in WORKDAYS.lines().skip(1) {
            let mut fields = line.split(',');
            let (day, worked) = (on(fields.next().unwrap()), fields.next().unwrap() == "true");
            days += 1;
            if worked == office.day(day).intervals.is_empty() {
                wrong.push(line);
            }
        }
        assert_eq!((days, wrong), (4_383, Vec::<&str>::new()));
    }

    #[test]
    fn every_day_of_the_data_is_read() {
        assert_eq!(CN.len().saturating_mul(DAY_CHARS), LEGAL_HOLIDAY_DATA.len());
    }

    #[test]
    fn a_year_is_known_from_its_announcement_on() {
        for (year, known) in [(2001, false), (2002, true), (2015, true), (2026, true)] {
            assert_eq!(CalendarHolidays::Cn.knows(year), known, "{year}");
        }
        assert!(!CalendarHolidays::Cn.knows(2100) && CalendarHolidays::None.knows(2100));
        // Days of a year that nobody knows are like their weekday.
        assert_eq!(CalendarHolidays::Cn.on(on("2100-10-01")), None);
    }

    #[test]
    fn a_day_says_which_holiday_it_belongs_to() {
        let office = office();
        let told = |day: &str| {
            let day = office.day(on(day));
            (day.intervals.len(), day.label.unwrap_or_default().into_owned(), day.source)
        };
        let statutory = DaySource::Statutory;
        assert_eq!(told("2026-10-01"), (0, "国庆节".to_owned(), statutory));
        assert_eq!(told("2026-10-10"), (1, "国庆节（班）".to_owned(), statutory));
        assert_eq!(told("2026-10-11"), (0, String::new(), DaySource::Week));
        assert_eq!(told("2026-10-12"), (1, String::new(), DaySource::Week));
    }
}
