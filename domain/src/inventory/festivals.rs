//! Seasons and festivals: when a gift is in its place.

use crate::time::CivilDate;
use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::RangeInclusive};
use tyme4rs::tyme::{
    lunar::LunarDay,
    solar::{SolarDay, SolarTerm},
};
use utoipa::ToSchema;

/// For how many days before a festival, and on the day itself, a gift for it is in its place: long enough to order and
/// bring it.
pub const FESTIVAL_LEAD_DAYS: i64 = 14;

/// The place of 清明 among the 24 solar terms of tyme4rs, which begin with the winter solstice of the year before.
const QINGMING_TERM: isize = 7;

/// The years that dates have here.
const YEARS: RangeInclusive<i32> = 1900..=2201;

/// A season, as the months tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// March to May.
    Spring,
    /// June to August.
    Summer,
    /// September to November.
    Autumn,
    /// December to February.
    Winter,
}

impl Season {
    /// The season that `date` is in.
    pub fn of(date: CivilDate) -> Self {
        match NaiveDate::from(date).month() {
            3..=5 => Self::Spring,
            6..=8 => Self::Summer,
            9..=11 => Self::Autumn,
            _ => Self::Winter,
        }
    }
}

/// A festival. Chinese ones follow the moon or the sun, so their date is another one each year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Festival {
    /// 元旦, 1 January.
    NewYear,
    /// 春节, the first day of the first moon.
    SpringFestival,
    /// 元宵节, the 15th day of the first moon.
    Lantern,
    /// 情人节, 14 February.
    Valentine,
    /// 妇女节, 8 March.
    WomensDay,
    /// 清明, a solar term, on 4, 5 or 6 April.
    Qingming,
    /// 劳动节, 1 May.
    LabourDay,
    /// 母亲节, the second Sunday of May.
    MothersDay,
    /// 儿童节, 1 June.
    ChildrensDay,
    /// 端午节, the fifth day of the fifth moon.
    DragonBoat,
    /// 父亲节, the third Sunday of June.
    FathersDay,
    /// 七夕, the seventh day of the seventh moon.
    Qixi,
    /// 中秋节, the 15th day of the eighth moon.
    MidAutumn,
    /// 国庆节, 1 October.
    NationalDay,
    /// 重阳节, the ninth day of the ninth moon.
    DoubleNinth,
    /// 冬至, the winter solstice, on 21, 22 or 23 December.
    WinterSolstice,
    /// 圣诞节, 25 December.
    Christmas,
}

impl Festival {
    /// Every festival, in the order of the year.
    pub const ALL: [Self; 17] = [
        Self::NewYear,
        Self::SpringFestival,
        Self::Lantern,
        Self::Valentine,
        Self::WomensDay,
        Self::Qingming,
        Self::LabourDay,
        Self::MothersDay,
        Self::ChildrensDay,
        Self::DragonBoat,
        Self::FathersDay,
        Self::Qixi,
        Self::MidAutumn,
        Self::NationalDay,
        Self::DoubleNinth,
        Self::WinterSolstice,
        Self::Christmas,
    ];

    /// Its day in `year`; nothing outside the years that dates have here.
    pub fn day_in(self, year: i32) -> Option<CivilDate> {
        // Beyond them the calendar of the moon is not looked up, which it answers with a panic where it ends.
        if !YEARS.contains(&year) {
            return None;
        }
        match self {
            Self::NewYear => CivilDate::new(year, 1, 1),
            Self::SpringFestival => lunar(year, 1, 1),
            Self::Lantern => lunar(year, 1, 15),
            Self::Valentine => CivilDate::new(year, 2, 14),
            Self::WomensDay => CivilDate::new(year, 3, 8),
            Self::Qingming => term(year, QINGMING_TERM),
            Self::LabourDay => CivilDate::new(year, 5, 1),
            Self::MothersDay => sunday(year, 5, 2),
            Self::ChildrensDay => CivilDate::new(year, 6, 1),
            Self::DragonBoat => lunar(year, 5, 5),
            Self::FathersDay => sunday(year, 6, 3),
            Self::Qixi => lunar(year, 7, 7),
            Self::MidAutumn => lunar(year, 8, 15),
            Self::NationalDay => CivilDate::new(year, 10, 1),
            Self::DoubleNinth => lunar(year, 9, 9),
            // The year of the terms begins with the solstice in the December before.
            Self::WinterSolstice => term(year.saturating_add(1), 0),
            Self::Christmas => CivilDate::new(year, 12, 25),
        }
    }

    /// Whether a gift for it is in its place on `date`.
    pub fn is_near(self, date: CivilDate) -> bool {
        let year = NaiveDate::from(date).year();
        let days = [year, year.saturating_add(1)].into_iter().filter_map(|year| self.day_in(year));
        days.map(|day| day.days_since(date)).any(|ahead| (0..=FESTIVAL_LEAD_DAYS).contains(&ahead))
    }

    /// The festivals for which gifts are in their place on `date`.
    pub fn near(date: CivilDate) -> BTreeSet<Self> {
        Self::ALL.into_iter().filter(|festival| festival.is_near(date)).collect()
    }
}

/// The `nth` Sunday of a month.
fn sunday(year: i32, month: u32, nth: u8) -> Option<CivilDate> {
    NaiveDate::from_weekday_of_month_opt(year, month, chrono::Weekday::Sun, nth).map(Into::into)
}

/// A day of the moon's calendar, outside its leap months.
fn lunar(year: i32, month: isize, day: usize) -> Option<CivilDate> {
    let lunar = LunarDay::new(isize::try_from(year).ok()?, month, day).ok()?;
    civil(&lunar.get_solar_day())
}

/// The day on which a solar term begins, in Beijing.
fn term(year: i32, index: isize) -> Option<CivilDate> {
    let term = SolarTerm::from_index(isize::try_from(year).ok()?, index);
    civil(&term.get_solar_day())
}

/// The day on which one of the 24 terms begins, in Beijing; they are counted from the winter solstice in the December
/// before, which is 0. Nothing outside the years that dates have here.
pub(crate) fn solar_term(year: i32, place: isize) -> Option<CivilDate> {
    let is_known = YEARS.contains(&year) && (0..24).contains(&place);
    if is_known { term(year, place) } else { None }
}

fn civil(day: &SolarDay) -> Option<CivilDate> {
    let year = i32::try_from(day.get_year()).ok()?;
    CivilDate::new(year, u32::try_from(day.get_month()).ok()?, u32::try_from(day.get_day()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn on(date: &str) -> CivilDate {
        date.parse().unwrap()
    }

    fn dates(year: i32) -> BTreeMap<String, String> {
        let named = |festival: Festival| {
            let name = serde_json::to_value(festival).unwrap();
            let day = festival.day_in(year).unwrap().to_string();
            (name.as_str().unwrap().to_owned(), day)
        };
        Festival::ALL.into_iter().map(named).collect()
    }

    #[test]
    fn festivals_fall_where_the_official_calendar_has_them() {
        let known_2026 = [
            ("new_year", "2026-01-01"),
            ("spring_festival", "2026-02-17"),
            ("lantern", "2026-03-03"),
            ("valentine", "2026-02-14"),
            ("womens_day", "2026-03-08"),
            ("qingming", "2026-04-05"),
            ("labour_day", "2026-05-01"),
            ("mothers_day", "2026-05-10"),
            ("childrens_day", "2026-06-01"),
            ("dragon_boat", "2026-06-19"),
            ("fathers_day", "2026-06-21"),
            ("qixi", "2026-08-19"),
            ("mid_autumn", "2026-09-25"),
            ("national_day", "2026-10-01"),
            ("double_ninth", "2026-10-18"),
            ("winter_solstice", "2026-12-22"),
            ("christmas", "2026-12-25"),
        ];
        let known = known_2026.map(|(name, day)| (name.to_owned(), day.to_owned()));
        assert_eq!(dates(2026), BTreeMap::from(known));
        // The year 2025 has a leap month, the sixth, before Qixi.
        let year = dates(2025);
        let told =
            ["spring_festival", "qingming", "dragon_boat", "qixi", "mid_autumn", "winter_solstice"];
        assert_eq!(
            told.map(|name| year[name].as_str()),
            ["2025-01-29", "2025-04-04", "2025-05-31", "2025-08-29", "2025-10-06", "2025-12-21"]
        );
    }

    #[test]
    fn every_year_that_dates_have_here_has_every_festival_in_itself() {
        for year in (1900..=2201).step_by(7).chain([2200, 2201]) {
            for festival in Festival::ALL {
                let day = NaiveDate::from(festival.day_in(year).unwrap());
                assert_eq!(day.year(), year, "{festival:?}");
            }
        }
        assert_eq!(Festival::Qixi.day_in(1899), None);
    }

    #[test]
    fn a_festival_is_near_for_two_weeks_and_over_the_day_after() {
        let near = |date: &str| Festival::MidAutumn.is_near(on(date));
        assert_eq!(
            ["2026-09-10", "2026-09-11", "2026-09-25", "2026-09-26"].map(near),
            [false, true, true, false]
        );
        assert!(Festival::NewYear.is_near(on("2026-12-20")));
        assert_eq!(Festival::near(on("2026-12-31")), BTreeSet::from([Festival::NewYear]));
        assert_eq!(Festival::near(on("2200-12-31")), BTreeSet::from([Festival::NewYear]));
    }

    #[test]
    fn a_season_begins_with_its_month() {
        let seasons = ["2026-02-28", "2026-03-01", "2026-06-01", "2026-09-01", "2026-12-01"];
        let expected =
            [Season::Winter, Season::Spring, Season::Summer, Season::Autumn, Season::Winter];
        assert_eq!(seasons.map(|date| Season::of(on(date))), expected);
    }
}
