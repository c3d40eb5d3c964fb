//! Instants, civil dates and time zones.

use crate::invalid::Invalid;
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Timelike as _,
    Utc,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// An instant in UTC, to the microsecond (what PostgreSQL keeps). Written as RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The instant `minutes` later; stays put at the end of time.
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        self.plus(TimeDelta::try_minutes(minutes))
    }

    /// The instant `hours` later; stays put at the end of time.
    #[must_use]
    pub fn plus_hours(self, hours: i64) -> Self {
        self.plus(TimeDelta::try_hours(hours))
    }

    /// The instant `days` times 24 hours later; stays put at the end of time.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus(TimeDelta::try_days(days))
    }

    /// The instant `seconds` later; stays put at the end of time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus(TimeDelta::try_seconds(seconds))
    }

    /// The instant `micros` microseconds later; stays put at the end of time.
    #[must_use]
    pub(crate) fn plus_micros(self, micros: i64) -> Self {
        self.plus(Some(TimeDelta::microseconds(micros)))
    }

    /// Microseconds from `earlier` to here; negative when `earlier` is later.
    pub(crate) fn micros_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_microseconds().unwrap_or(i64::MAX)
    }

    fn plus(self, delta: Option<TimeDelta>) -> Self {
        Self(delta.and_then(|delta| self.0.checked_add_signed(delta)).unwrap_or(self.0))
    }

    /// Seconds from `earlier` to here; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_seconds()
    }

    /// The date it is in `zone`.
    pub fn date_in(self, zone: Zone) -> CivilDate {
        CivilDate(self.0.with_timezone(&zone.0).date_naive())
    }

    /// The wall clock in `zone`, such as `2026-11-22 17:30`, for people.
    pub fn wall_time_in(self, zone: Zone) -> String {
        self.0.with_timezone(&zone.0).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The instant so many seconds after 1970-01-01T00:00:00Z; `None` when no calendar reaches it.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.trunc_subsecs(6))
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(instant: Timestamp) -> Self {
        instant.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let message = "expected an instant such as 2026-11-22T09:30:00Z, with its zone";
            Invalid::new("invalid_timestamp", message)
                .in_chinese("应为带时区的 RFC 3339 时间，例如 2026-11-22T01:00:00Z")
        })?;
        in_reach(instant.year())?;
        Ok(Self::from(instant.with_timezone(&Utc)))
    }
}

/// A date in a civil calendar, without a time. Written as `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(NaiveDate);

impl CivilDate {
    /// The date, or nothing when there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The same day of the month `months` later; the 31st becomes the last day of a shorter month.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        Self(self.0.checked_add_months(Months::new(months)).unwrap_or(self.0))
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self(self.0.with_day(1).unwrap_or(self.0))
    }

    /// The year that it is in.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The date `days` later, or earlier when negative.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let distance = Days::new(days.unsigned_abs());
        let moved = if days < 0 {
            self.0.checked_sub_days(distance)
        } else {
            self.0.checked_add_days(distance)
        };
        Self(moved.unwrap_or(self.0))
    }

    /// Days from `earlier` to here.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }

    /// The day of the week, 1 for Monday to 7 for Sunday (ISO 8601).
    pub fn weekday(self) -> u8 {
        u8::try_from(self.0.weekday().number_from_monday()).unwrap_or(7)
    }

    /// The instant at which the wall clock in `zone` shows `time` on this date.
    ///
    /// A time that the clock skips (summer time begins) becomes the first one after the gap; a time
    /// that it shows twice is the earlier one.
    pub fn at(self, time: WallTime, zone: Zone) -> Timestamp {
        let wall = self.0.and_time(time.0);
        let found = [0, 30, 60, 90, 120].into_iter().find_map(|minutes| {
            let shifted = wall.checked_add_signed(TimeDelta::try_minutes(minutes)?)?;
            shifted.and_local_timezone(zone.0).earliest()
        });
        found.map_or_else(|| wall.and_utc().into(), |instant| instant.with_timezone(&Utc).into())
    }
}

impl From<NaiveDate> for CivilDate {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl From<CivilDate> for NaiveDate {
    fn from(date: CivilDate) -> Self {
        date.0
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl FromStr for CivilDate {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new("invalid_date", "expected a date that exists, such as 2026-11-22")
                .in_chinese("应为真实存在的日期，例如 2026-11-22")
        };
        // chrono also reads `2026-1-2`; one spelling of a date is enough.
        if text.len() != 10 {
            return Err(invalid());
        }
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| invalid())?;
        in_reach(date.year())?;
        Ok(Self(date))
    }
}

/// A time on a wall clock, to the minute. Written as `09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(NaiveTime);

impl WallTime {
    /// The beginning of a day.
    pub const MIDNIGHT: Self = Self(NaiveTime::MIN);
    /// When shops open, where nothing else is said.
    pub const NINE: Self = Self::hour(9);
    /// When shops close, where nothing else is said.
    pub const EIGHTEEN: Self = Self::hour(18);

    /// The full hour; midnight when there is none.
    const fn hour(hour: u32) -> Self {
        match NaiveTime::from_hms_opt(hour, 0, 0) {
            Some(time) => Self(time),
            None => Self(NaiveTime::MIN),
        }
    }

    /// The time, or nothing when no clock shows it.
    pub fn new(hour: u32, minute: u32) -> Option<Self> {
        NaiveTime::from_hms_opt(hour, minute, 0).map(Self)
    }

    /// How many minutes a clock without summer time has shown since midnight.
    pub(crate) fn minute_of_day(self) -> u32 {
        self.0.hour().saturating_mul(60).saturating_add(self.0.minute())
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

impl FromStr for WallTime {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new("invalid_time", "expected a time of day such as 09:30")
                .in_chinese("应为一天中的时刻，例如 09:30")
        };
        if text.len() != 5 {
            return Err(invalid());
        }
        NaiveTime::parse_from_str(text, "%H:%M").map(Self).map_err(|_| invalid())
    }
}

/// A time zone of the IANA database, such as `Asia/Shanghai`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(chrono_tz::UTC);
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| {
            let message = "expected a time zone of the IANA database, such as Asia/Shanghai";
            Invalid::new("unknown_time_zone", message)
                .in_chinese("应为 IANA 时区，例如 Asia/Shanghai")
        })
    }
}

/// Years that can be meant: what was sold long ago, and what is planned far ahead.
fn in_reach(year: i32) -> Result<(), Invalid> {
    if (1900..=2200).contains(&year) {
        return Ok(());
    }
    Err(Invalid::new("out_of_reach", "expected a year from 1900 to 2200")
        .in_chinese("年份应在 1900 至 2200 之间"))
}

macro_rules! as_text {
    ($($name:ident: $schema:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.schema_type(Type::String).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

as_text! {
    Timestamp: ObjectBuilder::new()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("An instant, RFC 3339 in UTC."))
        .examples(["2026-11-22T09:30:00Z"]);
    CivilDate: ObjectBuilder::new()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .description(Some("A civil date; the zone that it is meant in stands beside it."))
        .examples(["2026-11-22"]);
    WallTime: ObjectBuilder::new()
        .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
        .description(Some("A time on the wall clock, to the minute."))
        .examples(["09:30"]);
    Zone: ObjectBuilder::new()
        .min_length(Some(1))
        .max_length(Some(64))
        .description(Some("A time zone of the IANA database."))
        .examples(["Asia/Shanghai"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_31st_becomes_the_last_day_of_a_shorter_month() {
        assert_eq!(on("2026-01-31").plus_months(1), on("2026-02-28"));
        assert_eq!(on("2028-01-31").plus_months(1), on("2028-02-29"));
        assert_eq!(on("2026-01-31").plus_months(2), on("2026-03-31"));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in ["2026-02-29", "2026-13-01", "2026-1-1", "tomorrow", "0001-01-01"] {
            assert!(text.parse::<CivilDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_wall_time_is_an_instant_in_its_zone() {
        let nine = WallTime::new(9, 0).unwrap();
        let shanghai = "Asia/Shanghai".parse().unwrap();
        assert_eq!(on("2026-11-22").at(nine, shanghai).to_string(), "2026-11-22T01:00:00Z");
    }

    #[test]
    fn a_time_the_clock_skips_is_the_first_one_after_the_gap() {
        let berlin = "Europe/Berlin".parse().unwrap();
        let half_past_two = WallTime::new(2, 30).unwrap();
        let instant = on("2026-03-29").at(half_past_two, berlin);
        assert_eq!(instant.wall_time_in(berlin), "2026-03-29 03:00");
    }

    #[test]
    fn an_instant_needs_its_zone() {
        assert!("2026-11-22T09:30:00".parse::<Timestamp>().is_err());
        let instant: Timestamp = "2026-11-22T17:30:00+08:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T09:30:00Z");
    }
}
