//! The days of a report, in the brand's time zone.

use domain::time::{CivilDate, Timestamp, WallTime};
use std::ops::Range;
use store::{Fault, Tenant};

/// A report looks back so many days when nobody says how far.
const USUAL_DAYS: i64 = 30;

/// From one day to another, both included.
pub(crate) struct Days {
    /// The first.
    pub(crate) from_on: CivilDate,
    /// The last.
    pub(crate) to_on: CivilDate,
    /// From the beginning of the first to the end of the last.
    pub(crate) span: Range<Timestamp>,
}

impl Days {
    /// Those that the caller names; until today when no last one is named, and from the `usual` day, for today and the last
    /// one, when no first one is.
    pub(crate) async fn of(
        tenant: &Tenant,
        from_on: Option<CivilDate>,
        to_on: Option<CivilDate>,
        usual: impl FnOnce(CivilDate, CivilDate) -> CivilDate,
    ) -> Result<Self, Fault> {
        let zone = tenant.zone().await?;
        let today = tenant.now().date_in(zone);
        let to_on = to_on.unwrap_or(today);
        let from_on = from_on.unwrap_or_else(|| usual(today, to_on));
        let midnight = WallTime::MIDNIGHT;
        let span = from_on.at(midnight, zone)..to_on.plus_days(1).at(midnight, zone);
        Ok(Self { from_on, to_on, span })
    }
}

/// The last thirty days, when the caller names no first one.
pub(crate) fn lately(_: CivilDate, to_on: CivilDate) -> CivilDate {
    to_on.plus_days(0_i64.saturating_sub(USUAL_DAYS))
}
