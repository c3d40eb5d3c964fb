//! Clocks: warnings are given and missed deadlines noted when their time comes.

use domain::{
    complaints::Complaint,
    ids::{ComplaintId, SlaClockId},
};
use store::{Failure, Tenant};

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
