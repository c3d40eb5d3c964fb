//! Allowances: what a paid sale earns, what has reached its date, what nobody decided on.

use domain::{
    allowances::{accounts::AllowanceAccount, accrual::PaidLine, gestures::Gesture},
    customers::Customer,
    event::Event,
    ids::{AllowanceAccountId, GestureId, OrderId, OrderLineId},
    orders::Sale,
    time::{Timestamp, WallTime},
};
use serde_json::json;
use store::{Failure, Fault, Tenant};

/// Accounts that are looked after in one job: well within the time of a job, and few enough that nobody
/// who asks for a gesture waits for them.
const ACCOUNTS_AT_ONCE: u64 = 200;

/// Accounts that are counted over in one job: a few seconds' work even when each has many lines.
const COUNTED_AT_ONCE: u64 = 1_000;

/// Sets aside what a paid sale has earned for service to its customer. Nothing in a currency for which
/// there is no policy; and no line earns twice.
pub(crate) async fn accrue(tenant: &Tenant, order: OrderId) -> Result<(), Failure> {
    let sale = tenant.sale(order).await?;
    let currency = sale.order.currency;
    let Some(policy) = tenant.active_policy(currency).await? else { return Ok(()) };
    let customer: Customer = tenant.get(sale.order.customer_id).await?;
    let books = tenant.books(customer.id, customer.details.dealer_id, currency).await?;
    let lines = unpaid_lines(tenant, &sale).await?;
    let paid_at = paid_at(tenant, &sale).await?;

    let posting = policy.accrue(&lines, paid_at, books).with("order_id", order);

    tenant.post(posting).await?;
    Ok(())
}

/// Takes out of the accounts behind `after` what has reached its date, and goes on as long as there are
/// any.
pub(crate) async fn expire(
    tenant: &Tenant,
    after: Option<AllowanceAccountId>,
) -> Result<(), Failure> {
    let due = tenant.accounts_with_due_lots(after, ACCOUNTS_AT_ONCE).await?;
    for &account in &due {
        let expired = tenant.books_of(account).await?.close();
        tenant.post(expired).await?;
    }
    match due.last() {
        Some(&last) => Ok(tenant.emit(&Event::LotsDue { after: Some(last) }).await?),
        None => Ok(()),
    }
}

/// Counts the accounts behind `after` over, and goes on as long as there are any. One that does not add
/// up is an error in the log, a number to be alarmed by, and a line in its timeline each night until
/// somebody has looked.
pub(crate) async fn reconcile(
    tenant: &Tenant,
    after: Option<AllowanceAccountId>,
) -> Result<(), Failure> {
    let counts = tenant.counts(after, COUNTED_AT_ONCE).await?;
    for count in counts.iter().filter(|count| !count.is_balanced()) {
        let account: AllowanceAccount = tenant.get(count.account_id).await?;
        tenant.note(&account, "find_unbalanced", json!(count)).await?;
        metrics::counter!("aftercare_allowance_accounts_unbalanced_total").increment(1);
        tracing::error!(
            tenant.id = %tenant.id(),
            account.id = %count.account_id,
            balance_minor = count.balance_minor,
            held_minor = count.held_minor,
            entries_balance_minor = count.entries_balance_minor,
            entries_held_minor = count.entries_held_minor,
            lots_remaining_minor = count.lots_remaining_minor,
            "the lines and lots of an allowance account do not add up to it"
        );
    }
    match counts.last() {
        Some(last) => {
            Ok(tenant.emit(&Event::ReconciliationDue { after: Some(last.account_id) }).await?)
        }
        None => Ok(()),
    }
}

/// Lets a gesture go up to the next rank that nobody decided on in time.
pub(crate) async fn escalate(tenant: &Tenant, gesture: GestureId) -> Result<(), Failure> {
    let gesture: Gesture = tenant.hold(gesture).await?;
    tenant.lock_purse(gesture.customer_id).await?;
    let authority = tenant.authority(gesture.customer_id, gesture.currency, gesture.id).await?;
    if let Some(decision) = gesture.escalate(&authority, tenant.now()) {
        tenant.record_gesture(decision).await?;
    }
    Ok(())
}

/// Lets a gesture expire that nobody decided on, or carried out, in time.
pub(crate) async fn lapse(tenant: &Tenant, gesture: GestureId) -> Result<(), Failure> {
    let gesture: Gesture = tenant.hold(gesture).await?;
    let purse = tenant.purse(gesture.customer_id).await?;
    if let Some(decision) = gesture.lapse(purse, tenant.now())? {
        tenant.record_gesture(decision).await?;
    }
    Ok(())
}

/// The lines of a sale that have not earned their share yet.
async fn unpaid_lines(tenant: &Tenant, sale: &Sale) -> Result<Vec<PaidLine>, Fault> {
    let ids: Vec<OrderLineId> = sale.lines.iter().map(|line| line.id).collect();
    let accrued = tenant.accrued_lines(&ids).await?;
    let lines = sale.lines.iter().filter(|line| !accrued.contains(&line.id));
    let lines = lines.map(|line| PaidLine {
        order_line_id: line.id,
        price: line.price_minor,
        margin: line.margin_minor,
        lot_id: tenant.new_id(),
    });
    Ok(lines.collect())
}

/// The beginning of the day of the payment, in the brand's time zone.
async fn paid_at(tenant: &Tenant, sale: &Sale) -> Result<Timestamp, Fault> {
    let zone = tenant.zone().await?;
    Ok(sale.order.paid_on.map_or(tenant.now(), |on| on.at(WallTime::MIDNIGHT, zone)))
}
