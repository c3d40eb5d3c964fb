//! Days: each brand's day begins at its own midnight, and its work is handed out.

use domain::{
    event::{DayWork, Event},
    time::{CivilDate, WallTime},
};
use store::{Failure, Tenant};

/// Hands out the work of the day `on`, and makes sure that the next one begins.
///
/// Tomorrow is announced in the same breath as today's work, so the chain of days cannot break; and
/// under a key, so that there is one of each day however often this runs.
pub(crate) async fn begin(tenant: &Tenant, on: CivilDate) -> Result<(), Failure> {
    for work in DayWork::ALL {
        tenant.emit(&Event::DayWorkDue { on, work }).await?;
    }
    let tomorrow = on.plus_days(1);
    let midnight = tomorrow.at(WallTime::MIDNIGHT, tenant.zone().await?);
    let key = format!("day_began:{tomorrow}");
    tenant.emit_once(&Event::DayBegan { on: tomorrow }, midnight, &key).await?;
    Ok(())
}

/// Forgets what is no longer needed.
pub(crate) async fn keep_house(tenant: &Tenant) -> Result<(), Failure> {
    tenant.forget_answers().await?;
    tenant.forget_jobs().await?;
    Ok(())
}
