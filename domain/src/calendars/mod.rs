//! Business calendars: when somebody works, which days are not like their weekday, and when nobody is written to.

mod days;
mod exceptions;
mod hours;
pub mod ics;
mod observances;
mod quiet;
mod rules;
mod statutory;
mod unknown;

pub use days::{
    CalendarDay, CalendarDayKind, CalendarDays, CalendarDeadline, DeadlineMinutes,
    MOST_CALENDAR_DAYS, MOST_STRETCHES, check_days,
};
pub use exceptions::{
    CalendarException, CalendarExceptionDetails, CalendarIntake, CalendarIntakeReport,
    DatedException, ExceptionKind, ExceptionList, ExceptionSource, ExceptionTakenAction,
    ExceptionsChange, MOST_IMPORTED, TakenException,
};
pub use hours::WeekInterval;
pub use observances::{CalendarEvent, CalendarEventKind, CalendarEvents};
pub use quiet::QuietHours;
pub use statutory::{CalendarHolidays, StatutoryDay};
pub use unknown::HolidayFindings;

use crate::{
    change::Change,
    event::Event,
    ids::CalendarId,
    lists::list_of,
    record::{Record, Version},
    refusal::{Refusal, Rule, illegal},
    text::{Code, Name},
    time::{Timestamp, Zone},
    working_time::WorkingCalendar,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules of this folder.
pub static RULES: &[&Rule] = &[
    &rules::CALENDAR_WITHOUT_HOURS,
    &rules::CALENDAR_HOURS_OVERLAP,
    &rules::CLOSED_DAY_WITH_HOURS,
    &rules::QUIET_ALL_DAY,
    &rules::CALENDAR_RETIRED,
    &rules::CALENDAR_DAY_TWICE,
    &rules::TOO_MANY_EXCEPTIONS,
    &rules::ICS_UNREADABLE,
    &rules::ICS_RECURS,
    &rules::ICS_NOT_ALL_DAY,
    &rules::CALENDAR_DAYS_REVERSED,
    &rules::TOO_MANY_CALENDAR_DAYS,
    &rules::DEADLINE_OUT_OF_REACH,
];

/// A business calendar.
///
/// A day is what the brand entered for it; else what the list says that the brand handed in last; else what the statutory
/// holidays say; else it is like its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "cal_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "office-cn", "name": "办公时间 Office hours",
    "tz": "Asia/Shanghai", "week": [
        { "weekday": "monday", "opens": "09:00", "closes": "12:00" },
        { "weekday": "monday", "opens": "13:00", "closes": "18:00" },
    ],
    "holidays": "cn", "quiet_hours": { "from": "21:00", "to": "08:00" },
    "status": "active", "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct BusinessCalendar {
    /// Its identifier.
    pub id: CalendarId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: BusinessCalendarDetails,
    /// Whether sites may still take it.
    pub status: CalendarStatus,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1. Its exceptions are counted apart.
    pub version: Version,
}

/// What a brand says about a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "office-cn", "name": "办公时间 Office hours", "tz": "Asia/Shanghai", "week": [
        { "weekday": "monday", "opens": "09:00", "closes": "12:00" },
        { "weekday": "monday", "opens": "13:00", "closes": "18:00" },
    ],
    "holidays": "cn", "quiet_hours": { "from": "21:00", "to": "08:00" },
})))]
pub struct BusinessCalendarDetails {
    /// Its name for programs, unique in the brand.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// The time zone on whose wall clock its hours are.
    pub tz: Zone,
    /// When work is done: any number of intervals a day, at least one and at most 70 in all, none of which overlaps
    /// another. One that does not close later than it opens runs into the next day.
    #[serde(deserialize_with = "list_of::<0, 70, _, _>")]
    #[schema(max_items = 70)]
    pub week: Vec<WeekInterval>,
    /// Whose statutory holidays it knows by itself; `none` when left out. A make-up workday has the hours of the first
    /// weekday, from Monday on, that has any.
    #[serde(default)]
    pub holidays: CalendarHolidays,
    /// When customers are not written to; null when they are at any time.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
}

/// Whether sites may take a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarStatus {
    /// They may.
    Active,
    /// They may not any more; those that name it go on by it.
    Retired,
}

impl BusinessCalendarDetails {
    fn check(&self) -> Result<(), Refusal> {
        hours::check_week(&self.week)?;
        self.quiet_hours.map_or(Ok(()), QuietHours::check)
    }
}

impl BusinessCalendar {
    /// Enters a calendar.
    ///
    /// # Errors
    ///
    /// `calendar_without_hours`, `calendar_hours_overlap`, `quiet_all_day`.
    pub fn enter(
        id: CalendarId,
        details: BusinessCalendarDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check()?;
        let status = CalendarStatus::Active;
        let calendar = Self { id, details, status, created_at: now, version: Version::FIRST };
        Ok(Change::created(calendar).emits(Event::CalendarChanged { calendar: id }))
    }

    /// Replaces what is said about it. What was missed stays missed; what is still due is counted by it from then on.
    ///
    /// # Errors
    ///
    /// As [`BusinessCalendar::enter`].
    pub fn update(self, details: BusinessCalendarDetails) -> Result<Change<Self>, Refusal> {
        details.check()?;
        let BusinessCalendarDetails { tz, week, holidays, .. } = &self.details;
        let works_otherwise =
            (tz, week, holidays) != (&details.tz, &details.week, &details.holidays);
        let change = Change::edit("update", &self, |it| it.details = details);
        if !works_otherwise {
            return Ok(change);
        }
        Ok(change.emits(Event::CalendarChanged { calendar: self.id }))
    }

    /// Ends it: no more sites take it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is retired already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        self.turn("retire", CalendarStatus::Active, CalendarStatus::Retired)
    }

    /// Takes it up again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is active.
    pub fn reinstate(self) -> Result<Change<Self>, Refusal> {
        self.turn("reinstate", CalendarStatus::Retired, CalendarStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        from: CalendarStatus,
        to: CalendarStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        let event = Event::CalendarChanged { calendar: self.id };
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to).emits(event))
    }

    /// Makes sure that a site may take it.
    ///
    /// # Errors
    ///
    /// `calendar_retired`.
    pub(crate) fn may_be_taken(&self) -> Result<(), Refusal> {
        match self.status {
            CalendarStatus::Active => Ok(()),
            CalendarStatus::Retired => Err(Refusal::new(&rules::CALENDAR_RETIRED)
                .with("calendar_code", &self.details.code)
                .at("/calendar_id")),
        }
    }

    /// When work is done by it, with what is said about single days.
    pub fn working_time(
        &self,
        exceptions: impl IntoIterator<Item = CalendarException>,
    ) -> WorkingCalendar {
        let BusinessCalendarDetails { tz, week, holidays, .. } = &self.details;
        let week = week.iter().map(|one| (one.weekday, one.interval()));
        WorkingCalendar::new(*tz, week)
            .with_holidays(*holidays)
            .with_days(exceptions.into_iter().map(CalendarException::said))
    }

    /// When the quiet hours are over in which `now` lies; nothing when customers may be written to.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.details.quiet_hours?.over_at(now, self.details.tz)
    }
}

impl CalendarStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["retire"],
            Self::Retired => &["reinstate"],
        }
    }
}

impl Record for BusinessCalendar {
    type Id = CalendarId;

    fn id(&self) -> CalendarId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    pub(crate) const NOW: &str = "2026-11-22T09:30:00Z";

    /// Monday to Friday, 09:00 to 18:00 in Shanghai, with the holidays of China and `more` said about it.
    pub(crate) fn details(more: &Value) -> BusinessCalendarDetails {
        let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let day = |one| json!({ "weekday": one, "opens": "09:00", "closes": "18:00" });
        let mut details = json!({
            "code": "office", "name": "Office", "tz": "Asia/Shanghai", "holidays": "cn",
            "week": weekdays.map(day),
        });
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(details).unwrap()
    }

    pub(crate) fn calendar(more: &Value) -> BusinessCalendar {
        let id = Uuid::from_u128(1).into();
        BusinessCalendar::enter(id, details(more), NOW.parse().unwrap()).unwrap().record
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::{
        samples::{NOW, calendar, details},
        *,
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn code(more: &Value) -> Result<(), &'static str> {
        let entered =
            BusinessCalendar::enter(Uuid::from_u128(1).into(), details(more), NOW.parse().unwrap());
        entered.map(|_| ()).map_err(|refusal| refusal.rule.code)
    }

    fn week(intervals: &[(&str, &str, &str)]) -> Value {
        let one = |(weekday, opens, closes): &(&str, &str, &str)| json!({ "weekday": weekday, "opens": opens, "closes": closes });
        json!({ "week": intervals.iter().map(one).collect::<Vec<_>>() })
    }

    #[test]
    fn a_calendar_has_hours_and_its_intervals_do_not_overlap() {
        assert_eq!(code(&week(&[])), Err("calendar_without_hours"));
        assert_eq!(code(&week(&[("monday", "09:00", "09:00")])), Ok(()));
        let day = |opens| week(&[("monday", "13:00", "18:00"), ("monday", "09:00", opens)]);
        assert_eq!(code(&day("13:00")), Ok(()));
        assert_eq!(code(&day("13:01")), Err("calendar_hours_overlap"));
        // Across midnight, and from the end of the week into its beginning.
        let night = |opens| week(&[("sunday", "22:00", "06:00"), ("monday", opens, "12:00")]);
        assert_eq!(code(&night("06:00")), Ok(()));
        assert_eq!(code(&night("05:59")), Err("calendar_hours_overlap"));
        assert_eq!(
            code(&week(&[("monday", "09:00", "18:00"), ("monday", "09:00", "18:00")])),
            Err("calendar_hours_overlap")
        );
    }

    #[test]
    fn quiet_hours_come_to_an_end() {
        let quiet = |from, to| code(&json!({ "quiet_hours": { "from": from, "to": to } }));
        assert_eq!(quiet("21:00", "20:59"), Ok(()));
        assert_eq!(quiet("21:00", "21:00"), Err("quiet_all_day"));
    }

    #[test]
    fn a_retired_calendar_is_not_taken_and_can_be_reinstated() {
        let retired = calendar(&json!({})).retire().unwrap().record;
        assert_eq!(retired.may_be_taken().unwrap_err().rule.code, "calendar_retired");
        let refusal = retired.clone().retire().unwrap_err();
        assert_eq!(refusal.facts["allowed_transitions"], json!(["reinstate"]));
        let active = retired.reinstate().unwrap().record;
        assert!(active.may_be_taken().is_ok());
        assert!(active.reinstate().is_err());
    }

    #[test]
    fn somebody_looks_at_a_calendar_when_it_knows_other_holidays_or_hours() {
        let renamed = calendar(&json!({})).update(details(&json!({ "name": "Desk" }))).unwrap();
        assert_eq!((renamed.facts["fields"].clone(), renamed.events.len()), (json!(["name"]), 0));
        let none = calendar(&json!({})).update(details(&json!({ "holidays": "none" }))).unwrap();
        assert_eq!(none.events.len(), 1);
        let zone = calendar(&json!({})).update(details(&json!({ "tz": "Asia/Tokyo" }))).unwrap();
        assert_eq!(zone.events.len(), 1);
        let longer = week(&[("monday", "08:00", "20:00")]);
        assert_eq!(calendar(&json!({})).update(details(&longer)).unwrap().events.len(), 1);
        let quiet = json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } });
        assert_eq!(calendar(&json!({})).update(details(&quiet)).unwrap().events.len(), 0);
    }
}
