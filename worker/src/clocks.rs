//! Clocks: warnings are given and missed deadlines noted when their time comes, and deadlines counted anew when people
//! work at other hours.

use domain::{
    complaints::Complaint,
    event::{Event, HoursOf},
    ids::{ComplaintId, SlaClockId},
};
use store::{Failure, Tenant};

/// Complaints whose clocks are counted anew in one job: a few hundred clocks, and few enough that nobody who answers one
/// of them waits for the others.
const COMPLAINTS_AT_ONCE: u32 = 100;

/// Notes what has come due of a clock, and what follows from it. Whoever comes for what was noted before, or for a
/// deadline that lies elsewhere by now, finds nothing to do.
pub(crate) async fn due(
    tenant: &Tenant,
    clock: SlaClockId,
    complaint: ComplaintId,
) -> Result<(), Failure> {
    let complaint = tenant.hold::<Complaint>(complaint).await?;
    tenant.fire_clock(clock, complaint).await
}

/// Counts anew what is due by hours that have changed, and goes on as long as there is any. Whoever does so once more
/// finds everything where it is.
pub(crate) async fn recount(
    tenant: &Tenant,
    whose: HoursOf,
    after: Option<ComplaintId>,
) -> Result<(), Failure> {
    match tenant.recount_clocks(whose, after, COMPLAINTS_AT_ONCE).await? {
        Some(last) => {
            let after = Some(last);
            Ok(tenant.emit(&Event::WorkingHoursChanged { whose, after }).await?)
        }
        None => Ok(()),
    }
}
