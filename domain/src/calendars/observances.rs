//! What the calendar of the year brings: solar terms, festivals, and days that everybody keeps.

use super::check_days;
use crate::{
    inventory::{Festival, solar_term},
    refusal::Refusal,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of a day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarEventKind {
    /// One of the 24 terms of the sun, which begins on this day in Beijing.
    SolarTerm,
    /// A Chinese festival, by the moon or the sun.
    ChineseFestival,
    /// A festival that came from the West.
    WesternFestival,
    /// A civil day, always on the same date.
    CivilDay,
}

/// A day of the year that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "on": "2026-09-25", "kind": "chinese_festival", "code": "mid_autumn", "name_zh": "中秋节",
    "name_en": "Mid-Autumn Festival",
})))]
pub struct CalendarEvent {
    /// The day.
    pub on: CivilDate,
    /// What kind of a day it is.
    pub kind: CalendarEventKind,
    /// Its name for programs: of a solar term in Pinyin, of a festival as gifts name it.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// The days of some days that have a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarEvents {
    /// The first day.
    pub from_on: CivilDate,
    /// The last day.
    pub to_on: CivilDate,
    /// The days that have a name, in order; two on one day where two fall on it.
    pub events: Vec<CalendarEvent>,
}

/// A name for programs, in Chinese and in English.
type Names = (&'static str, &'static str, &'static str);

/// The terms in the order of the year: the one with place 0 begins in December, and belongs to the year that follows.
const TERMS: [Names; 24] = [
    ("dongzhi", "冬至", "Winter Solstice"),
    ("xiaohan", "小寒", "Minor Cold"),
    ("dahan", "大寒", "Major Cold"),
    ("lichun", "立春", "Start of Spring"),
    ("yushui", "雨水", "Rain Water"),
    ("jingzhe", "惊蛰", "Awakening of Insects"),
    ("chunfen", "春分", "Spring Equinox"),
    ("qingming", "清明", "Pure Brightness"),
    ("guyu", "谷雨", "Grain Rain"),
    ("lixia", "立夏", "Start of Summer"),
    ("xiaoman", "小满", "Grain Buds"),
    ("mangzhong", "芒种", "Grain in Ear"),
    ("xiazhi", "夏至", "Summer Solstice"),
    ("xiaoshu", "小暑", "Minor Heat"),
    ("dashu", "大暑", "Major Heat"),
    ("liqiu", "立秋", "Start of Autumn"),
    ("chushu", "处暑", "End of Heat"),
    ("bailu", "白露", "White Dew"),
    ("qiufen", "秋分", "Autumn Equinox"),
    ("hanlu", "寒露", "Cold Dew"),
    ("shuangjiang", "霜降", "Frost's Descent"),
    ("lidong", "立冬", "Start of Winter"),
    ("xiaoxue", "小雪", "Minor Snow"),
    ("daxue", "大雪", "Major Snow"),
];

fn named(festival: Festival) -> (CalendarEventKind, Names) {
    use CalendarEventKind::{ChineseFestival, CivilDay, WesternFestival};
    match festival {
        Festival::NewYear => (CivilDay, ("new_year", "元旦", "New Year's Day")),
        Festival::SpringFestival => {
            (ChineseFestival, ("spring_festival", "春节", "Spring Festival"))
        }
        Festival::Lantern => (ChineseFestival, ("lantern", "元宵节", "Lantern Festival")),
        Festival::Valentine => (WesternFestival, ("valentine", "情人节", "Valentine's Day")),
        Festival::WomensDay => (CivilDay, ("womens_day", "妇女节", "Women's Day")),
        Festival::Qingming => (ChineseFestival, ("qingming", "清明节", "Tomb-Sweeping Day")),
        Festival::LabourDay => (CivilDay, ("labour_day", "劳动节", "Labour Day")),
        Festival::MothersDay => (WesternFestival, ("mothers_day", "母亲节", "Mother's Day")),
        Festival::ChildrensDay => (CivilDay, ("childrens_day", "儿童节", "Children's Day")),
        Festival::DragonBoat => {
            (ChineseFestival, ("dragon_boat", "端午节", "Dragon Boat Festival"))
        }
        Festival::FathersDay => (WesternFestival, ("fathers_day", "父亲节", "Father's Day")),
        Festival::Qixi => (ChineseFestival, ("qixi", "七夕", "Qixi Festival")),
        Festival::MidAutumn => (ChineseFestival, ("mid_autumn", "中秋节", "Mid-Autumn Festival")),
        Festival::NationalDay => (CivilDay, ("national_day", "国庆节", "National Day")),
        Festival::DoubleNinth => {
            (ChineseFestival, ("double_ninth", "重阳节", "Double Ninth Festival"))
        }
        Festival::WinterSolstice => {
            (ChineseFestival, ("winter_solstice", "冬至", "Winter Solstice Festival"))
        }
        Festival::Christmas => (WesternFestival, ("christmas", "圣诞节", "Christmas")),
    }
}

impl CalendarEvents {
    /// The days that have a name from one day to another, both included; of one kind, or of all.
    ///
    /// # Errors
    ///
    /// Those of [`check_days`].
    pub fn between(
        from_on: CivilDate,
        to_on: CivilDate,
        kind: Option<CalendarEventKind>,
    ) -> Result<Self, Refusal> {
        check_days(from_on, to_on)?;
        let is_wanted = |event: &CalendarEvent| {
            (from_on..=to_on).contains(&event.on) && kind.is_none_or(|kind| kind == event.kind)
        };
        let years = from_on.year()..=to_on.year();
        let mut events: Vec<_> = years.flat_map(of_year).filter(is_wanted).collect();
        events.sort_by(|one, other| {
            (one.on, one.kind, &one.code).cmp(&(other.on, other.kind, &other.code))
        });
        Ok(Self { from_on, to_on, events })
    }
}

/// The days of a year that have a name.
fn of_year(year: i32) -> impl Iterator<Item = CalendarEvent> {
    let terms = TERMS.into_iter().zip(0_isize..).filter_map(move |(names, place)| {
        let of = if place == 0 { year.saturating_add(1) } else { year };
        Some(event(solar_term(of, place)?, CalendarEventKind::SolarTerm, names))
    });
    let festivals = Festival::ALL.into_iter().filter_map(move |festival| {
        let (kind, names) = named(festival);
        Some(event(festival.day_in(year)?, kind, names))
    });
    terms.chain(festivals)
}

fn event(on: CivilDate, kind: CalendarEventKind, (code, zh, en): Names) -> CalendarEvent {
    CalendarEvent {
        on,
        kind,
        code: code.to_owned(),
        name_zh: zh.to_owned(),
        name_en: en.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn between(from: &str, to: &str, kind: Option<CalendarEventKind>) -> Vec<(String, String)> {
        let events = CalendarEvents::between(from.parse().unwrap(), to.parse().unwrap(), kind);
        events.unwrap().events.into_iter().map(|one| (one.on.to_string(), one.code)).collect()
    }

    fn told(days: &[(&str, &str)]) -> Vec<(String, String)> {
        days.iter().map(|(on, code)| ((*on).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn the_terms_of_a_year_are_those_of_the_official_calendar() {
        let terms = between("2026-01-01", "2026-12-31", Some(CalendarEventKind::SolarTerm));
        let official = [
            "01-05", "01-20", "02-04", "02-18", "03-05", "03-20", "04-05", "04-20", "05-05",
            "05-21", "06-05", "06-21", "07-07", "07-23", "08-07", "08-23", "09-07", "09-23",
            "10-08", "10-23", "11-07", "11-22", "12-07", "12-22",
        ];
        let days: Vec<_> = terms.iter().map(|(on, _)| &on[5..]).collect();
        assert_eq!(days, official);
        assert_eq!((terms[0].1.as_str(), terms[23].1.as_str()), ("xiaohan", "dongzhi"));
    }

    #[test]
    fn a_festival_and_a_term_may_fall_on_one_day_and_the_ends_are_included() {
        assert_eq!(
            between("2026-12-22", "2026-12-25", None),
            told(&[
                ("2026-12-22", "dongzhi"),
                ("2026-12-22", "winter_solstice"),
                ("2026-12-25", "christmas")
            ])
        );
        let western = Some(CalendarEventKind::WesternFestival);
        assert_eq!(
            between("2026-12-20", "2027-02-14", western),
            told(&[("2026-12-25", "christmas"), ("2027-02-14", "valentine")])
        );
    }

    #[test]
    fn a_festival_is_called_as_gifts_call_it() {
        for festival in Festival::ALL {
            assert_eq!(json!(festival), json!(named(festival).1.0));
        }
    }

    #[test]
    fn the_first_and_the_last_year_have_all_their_days() {
        assert_eq!(between("1900-01-01", "1900-12-31", None).len(), 41);
        assert_eq!(between("2200-01-01", "2200-12-31", None).len(), 41);
    }
}
