//! Tables `business_calendar` and `calendar_exception`.

use crate::{Failure, Fault, Tenant, documents, listed, table, words};
use domain::{
    calendars::{
        BusinessCalendar, BusinessCalendarDetails, CalendarException, CalendarExceptionDetails,
        CalendarHolidays, CalendarStatus, ExceptionKind, ExceptionSource, ExceptionsChange,
        QuietHours, WeekInterval,
    },
    event::Event,
    findings::{Finding, FindingKind},
    ids::{AnyId, CalendarExceptionId, CalendarId, DealerId},
    text::{Code, Line, Name},
    time::{CivilDate, Timestamp, Zone},
    working_time::{MOST_DAYS, WorkingCalendar, WorkingInterval},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};
use std::{collections::BTreeSet, ops::RangeInclusive};
use uuid::Uuid;

/// How many days behind today exceptions still matter to what counts in working time: what becomes known late is
/// followed for 30 days, and what was due a year ago is due.
const DAYS_BEHIND: i64 = 400;

/// The most calendars that are looked at in a night.
const MOST_LOOKED_AT: u64 = 1_000;

words!(CalendarHolidays, CalendarStatus, ExceptionKind, ExceptionSource);
documents!(Vec<WeekInterval>, Vec<WorkingInterval>, QuietHours);

table! {
    /// When somebody works.
    business_calendar = "business_calendar" of BusinessCalendar {
        [details: BusinessCalendarDetails {
            code: Code,
            name: Name,
            tz: Zone,
            week: Vec<WeekInterval>,
            holidays: CalendarHolidays,
            quiet_hours: Option<QuietHours>,
        }],
        status: CalendarStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Days that are not like their weekday.
    calendar_exception = "calendar_exception" of CalendarException {
        [details: CalendarExceptionDetails {
            kind: ExceptionKind,
            intervals: Option<Vec<WorkingInterval>>,
            label: Option<Line>,
        }],
        calendar_id: CalendarId,
        applies_on: CivilDate,
        source: ExceptionSource,
        created_at: Timestamp,
    } append_only
}

listed! {
    BusinessCalendar = business_calendar [CreatedAt; Code] usually newest;
    CalendarException = calendar_exception [CreatedAt; AppliesOn] usually by AppliesOn;
}

/// Calendars, by their name for programs and their status.
pub fn calendars(
    code: Option<&Code>,
    status: Option<CalendarStatus>,
) -> Select<business_calendar::Entity> {
    use business_calendar::Column as C;
    business_calendar::Entity::find()
        .apply_if(code, |all, code| all.filter(C::Code.eq(&**code)))
        .apply_if(status, |all, status| all.filter(C::Status.eq(table::word(&status))))
}

/// What a calendar says about single days.
#[derive(Debug, Clone, Copy)]
pub struct ExceptionsWanted {
    /// Which calendar.
    pub calendar: CalendarId,
    /// About this day and later ones.
    pub from_on: Option<CivilDate>,
    /// About this day and earlier ones.
    pub to_on: Option<CivilDate>,
    /// From there.
    pub source: Option<ExceptionSource>,
}

/// What is said about single days as `wanted`.
pub fn exceptions(wanted: ExceptionsWanted) -> Select<calendar_exception::Entity> {
    use calendar_exception::Column as C;
    let day = chrono::NaiveDate::from;
    calendar_exception::Entity::find()
        .filter(C::CalendarId.eq(Uuid::from(wanted.calendar)))
        .apply_if(wanted.from_on, |all, on| all.filter(C::AppliesOn.gte(day(on))))
        .apply_if(wanted.to_on, |all, on| all.filter(C::AppliesOn.lte(day(on))))
        .apply_if(wanted.source, |all, source| all.filter(C::Source.eq(table::word(&source))))
}

/// What a calendar says about one day.
pub fn exception_on(calendar: CalendarId, on: CivilDate) -> Select<calendar_exception::Entity> {
    let (from_on, to_on) = (Some(on), Some(on));
    exceptions(ExceptionsWanted { calendar, from_on, to_on, source: None })
}

/// What a calendar says that a new list may change or must leave alone: what was in the list before, and what the brand
/// says about the days of the new one.
pub fn met_by(
    calendar: CalendarId,
    days: impl Iterator<Item = CivilDate>,
) -> Select<calendar_exception::Entity> {
    use calendar_exception::Column as C;
    let is_met = Condition::any()
        .add(C::Source.eq(table::word(&ExceptionSource::Imported)))
        .add(C::AppliesOn.is_in(days.map(chrono::NaiveDate::from)));
    let all = ExceptionsWanted { calendar, from_on: None, to_on: None, source: None };
    exceptions(all).filter(is_met).order_by_asc(C::AppliesOn)
}

/// Calendars that are in use and count by statutory holidays; the first of more than any brand keeps.
pub fn with_holidays() -> Select<business_calendar::Entity> {
    use business_calendar::Column as C;
    calendars(None, Some(CalendarStatus::Active))
        .filter(C::Holidays.ne(table::word(&CalendarHolidays::None)))
        .order_by_asc(C::Id)
        .limit(MOST_LOOKED_AT)
}

impl Tenant {
    /// When work is done by a calendar, with what is said about the days from one to another, and about those around
    /// them that still matter.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn working_time(
        &self,
        calendar: &BusinessCalendar,
        days: RangeInclusive<CivilDate>,
    ) -> Result<WorkingCalendar, Fault> {
        let wanted = ExceptionsWanted {
            calendar: calendar.id,
            from_on: Some(days.start().plus_days(-1)),
            to_on: Some(days.end().plus_days(1)),
            source: None,
        };
        Ok(calendar.working_time(self.all::<CalendarException>(exceptions(wanted)).await?))
    }

    /// When work is done by a calendar from an instant on, for as long as deadlines are looked for.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn working_time_from(
        &self,
        calendar: &BusinessCalendar,
        from: Timestamp,
    ) -> Result<WorkingCalendar, Fault> {
        let first = from.date_in(calendar.details.tz);
        self.working_time(calendar, first..=first.plus_days(MOST_DAYS)).await
    }

    /// When work is done by the calendar that a site names, around now.
    pub(crate) async fn named_calendar(&self, id: CalendarId) -> Result<WorkingCalendar, Failure> {
        let calendar: BusinessCalendar = self.get(id).await?;
        let from = self.now().plus_days(0_i64.saturating_sub(DAYS_BEHIND));
        Ok(self.working_time_from(&calendar, from).await?)
    }

    /// When the quiet hours are over in which a dealer's customers are not written to; nothing when they may be.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn quiet_until(
        &self,
        dealer: Option<DealerId>,
    ) -> Result<Option<Timestamp>, Failure> {
        let site = self.first_site(dealer).await?;
        let Some(id) = site.and_then(|site| site.details.calendar_id) else { return Ok(None) };
        let calendar: BusinessCalendar = self.get(id).await?;
        Ok(calendar.quiet_until(self.now()))
    }

    /// Records what is said about days of a calendar from now on. The calendar must be held, so that nobody says something
    /// else meanwhile.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn record_exceptions(
        &self,
        calendar: &BusinessCalendar,
        change: ExceptionsChange,
    ) -> Result<(), Fault> {
        if change.is_idle() {
            return Ok(());
        }
        let ExceptionsChange { action, facts, gone, now } = change;
        self.forget_exceptions(&gone).await?;
        self.add_all(&now).await?;
        self.note(calendar, action, facts.into()).await?;
        self.emit(&Event::CalendarChanged { calendar: calendar.id }).await
    }

    async fn forget_exceptions(&self, gone: &[CalendarExceptionId]) -> Result<(), Fault> {
        if gone.is_empty() {
            return Ok(());
        }
        let gone: Vec<Uuid> = gone.iter().map(|id| Uuid::from(*id)).collect();
        let sql = "DELETE FROM calendar_exception WHERE tenant_id = ac.tenant() AND id = ANY ($1)";
        self.work().execute_raw(self.statement(sql, [gone.into()])).await?;
        Ok(())
    }

    /// The years among `years` for which a calendar says something itself.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn years_told(
        &self,
        calendar: CalendarId,
        years: &BTreeSet<i32>,
    ) -> Result<BTreeSet<i32>, Fault> {
        let sql = "SELECT DISTINCT year FROM unnest($2::integer[]) AS year
                   JOIN calendar_exception e ON e.tenant_id = ac.tenant() AND e.calendar_id = $1
                    AND e.applies_on BETWEEN make_date(year, 1, 1) AND make_date(year, 12, 31)";
        let years: Vec<i32> = years.iter().copied().collect();
        let values = [Uuid::from(calendar).into(), years.into()];
        let rows = self.work().query_all_raw(self.statement(sql, values)).await?;
        let year = |row: &sea_orm::QueryResult| row.try_get::<i32>("", "year");
        Ok(rows.iter().map(year).collect::<Result<_, _>>()?)
    }

    /// What was noticed about the holidays of a calendar and is not settled, in order to settle it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn unknown_holidays(&self, calendar: CalendarId) -> Result<Vec<Finding>, Fault> {
        let subject = AnyId::of(calendar);
        self.hold_all(crate::findings::unsettled_about(
            FindingKind::HolidaysUnknown,
            &subject,
            None,
        ))
        .await
    }
}
