//! Instants as people say them, on the wall clock of those who answer.

use domain::{
    text::{Bilingual, Locale},
    time::{Timestamp, Zone},
};

const WEEKDAYS: [Bilingual; 7] = [
    Bilingual { en: "Monday", zh: "星期一" },
    Bilingual { en: "Tuesday", zh: "星期二" },
    Bilingual { en: "Wednesday", zh: "星期三" },
    Bilingual { en: "Thursday", zh: "星期四" },
    Bilingual { en: "Friday", zh: "星期五" },
    Bilingual { en: "Saturday", zh: "星期六" },
    Bilingual { en: "Sunday", zh: "星期日" },
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `at` as the wall clock in `zone` shows it, with its day.
pub(super) fn spoken(at: Timestamp, zone: Zone, locale: Locale) -> String {
    with_day(at, zone, locale).unwrap_or_else(|| at.wall_time_in(zone))
}

/// `at` as somebody says it at `now`: on the same day without the day.
pub(super) fn spoken_at(now: Timestamp, at: Timestamp, zone: Zone, locale: Locale) -> String {
    let wall = at.wall_time_in(zone);
    match wall.split_once(' ') {
        Some((_, time)) if now.date_in(zone) == at.date_in(zone) => time.to_owned(),
        _ => spoken(at, zone, locale),
    }
}

/// The day with its weekday, and the time; nothing when the wall clock reads otherwise than it does.
fn with_day(at: Timestamp, zone: Zone, locale: Locale) -> Option<String> {
    let wall = at.wall_time_in(zone);
    let (date, time) = wall.split_once(' ')?;
    let mut parts = date.split('-').map(str::parse::<usize>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let weekday = usize::from(at.date_in(zone).weekday()).checked_sub(1)?;
    let weekday = WEEKDAYS.get(weekday)?.get(locale);
    Some(match locale {
        Locale::English => {
            let month = MONTHS.get(month.checked_sub(1)?)?;
            format!("{weekday} {day} {month} {year}, {time}")
        }
        Locale::Chinese => format!("{year}年{month}月{day}日（{weekday}）{time}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_said_with_its_weekday() {
        let at: Timestamp = "2026-11-22T16:30:00Z".parse().unwrap();
        let zone: Zone = "Asia/Shanghai".parse().unwrap();
        let english = "Monday 23 November 2026, 00:30";
        assert_eq!(spoken(at, zone, Locale::English), english);
        assert_eq!(spoken(at, zone, Locale::Chinese), "2026年11月23日（星期一）00:30");
        assert_eq!(spoken_at(at.plus_minutes(-30), at, zone, Locale::English), "00:30");
        assert_eq!(spoken_at(at.plus_minutes(-31), at, zone, Locale::English), english);
    }
}
