//! Goods that do not come back, corrections whose effect can be seen, refunds that are late: somebody looks after them.

use domain::{
    cancellations::CancellationCase,
    corrective::CorrectiveAction,
    customers::Customer,
    event::Awaited,
    ids::{CancellationId, CorrectiveActionId, RmaId},
    returns::{Rma, RmaOverdue},
};
use store::{Failure, Tenant};

/// Looks after what should have come by now.
pub(crate) async fn due(tenant: &Tenant, awaited: Awaited) -> Result<(), Failure> {
    match awaited {
        Awaited::Return(rma) => return_due(tenant, rma).await,
        Awaited::Verification(action) => verification_due(tenant, action).await,
        Awaited::Refund(cancellation) => refund_due(tenant, cancellation).await,
    }
}

/// Lets a return expire whose goods have not come, or has somebody look after it.
async fn return_due(tenant: &Tenant, id: RmaId) -> Result<(), Failure> {
    let rma = tenant.hold::<Rma>(id).await?;
    let zone = tenant.zone_of(rma.dealer_id).await?;
    match rma.come_due(zone, tenant.now()) {
        Some(RmaOverdue::Expired(change)) => {
            tenant.record(*change).await?;
        }
        Some(RmaOverdue::Noticed(finding)) => {
            tenant.raise(finding).await?;
        }
        None => {}
    }
    Ok(())
}

/// Reminds of a verification.
async fn verification_due(tenant: &Tenant, id: CorrectiveActionId) -> Result<(), Failure> {
    let action = tenant.hold::<CorrectiveAction>(id).await?;
    let zone = tenant.zone_of(action.dealer_id).await?;
    if let Some(finding) = action.verification_due(zone, tenant.now()) {
        tenant.raise(finding).await?;
    }
    Ok(())
}

/// Lets a cancellation whose refund is not under way go up a rank.
async fn refund_due(tenant: &Tenant, id: CancellationId) -> Result<(), Failure> {
    let case = tenant.hold::<CancellationCase>(id).await?;
    if !case.is_late(tenant.now()) {
        return Ok(());
    }
    let zone = tenant.zone_of(Some(case.dealer_id)).await?;
    let today = tenant.now().date_in(zone);
    let superiors = tenant.superiors(Some(case.dealer_id), case.owner_id, today).await?;
    let finding = case.finding(zone, tenant.now());
    tenant.record(case.escalate(&superiors)).await?;
    tenant.raise(finding).await?;
    Ok(())
}

/// Remembers of a customer who has called off what they had bought that they have nothing else, where it is so. They
/// stay a customer, and everything that was promised to them takes place.
pub(crate) async fn called_off(tenant: &Tenant, id: CancellationId) -> Result<(), Failure> {
    let case = tenant.get::<CancellationCase>(id).await?;
    // Whoever sells them something at this moment waits, and makes them a buyer again.
    let customer = tenant.hold::<Customer>(case.customer_id).await?;
    let has_something_else = tenant.has_bought(customer.id).await?;
    if let Some(change) = customer.call_off(has_something_else) {
        tenant.record(change).await?;
    }
    Ok(())
}
