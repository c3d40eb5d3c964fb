//! What calendars make somebody look at: years of which nobody knows the holidays.

use domain::{
    calendars::{BusinessCalendar, HolidayFindings},
    event::{Event, HoursOf},
    ids::CalendarId,
};
use store::{Failure, Tenant, calendars::with_holidays};

/// Looks at every calendar that counts by statutory holidays. Most nights it finds nothing to say; from 1 November on it
/// is about the year that follows, too.
pub(crate) async fn daily(tenant: &Tenant) -> Result<(), Failure> {
    for calendar in tenant.all::<BusinessCalendar>(with_holidays()).await? {
        look_at(tenant, &calendar).await?;
    }
    Ok(())
}

/// Looks at a calendar that is there, has other hours, counts by other holidays, or says something else about single
/// days; and lets what is due be counted by it.
pub(crate) async fn look(tenant: &Tenant, id: CalendarId) -> Result<(), Failure> {
    let calendar: BusinessCalendar = tenant.hold(id).await?;
    look_at(tenant, &calendar).await?;
    let whose = HoursOf::Calendar(id);
    Ok(tenant.emit(&Event::WorkingHoursChanged { whose, after: None }).await?)
}

async fn look_at(tenant: &Tenant, calendar: &BusinessCalendar) -> Result<(), Failure> {
    let (now, on) = (tenant.now(), tenant.now().date_in(tenant.zone().await?));
    let told = tenant.years_told(calendar.id, &HolidayFindings::years_on(on)).await?;
    let unsettled = tenant.unknown_holidays(calendar.id).await?;

    let follows = HolidayFindings::of(calendar, &told, unsettled, (on, now));

    for settled in follows.settled {
        tenant.record(settled).await?;
    }
    for noticed in follows.noticed {
        tenant.raise(noticed).await?;
    }
    Ok(())
}
