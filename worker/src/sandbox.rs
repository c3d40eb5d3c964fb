//! Sandbox: a clock arrives where it was sent.

use domain::{
    ids::{ClockId, OperationId},
    operations::{Operation, Tally},
};
use store::{Failure, Tenant};

/// The clock has arrived, and everything that was due on the way is done.
pub(crate) async fn arrive(
    tenant: &Tenant,
    clock: ClockId,
    operation: OperationId,
) -> Result<(), Failure> {
    tenant.arrive(clock).await?;
    let operation: Operation = tenant.hold(operation).await?;
    let moved = Tally { changed: 1, ..Tally::default() };
    tenant.record(operation.advance(moved, 0, tenant.now())?).await?;
    Ok(())
}
