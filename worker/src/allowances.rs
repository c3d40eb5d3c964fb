//! Allowances: what a paid sale earns and a refund takes back, what has reached its date, what waits for money, what
//! nobody decided on.

use domain::{
    allowances::{
        accounts::AllowanceAccount,
        accrual::{PaidLine, PaidOrder},
        budgets::AllowanceBudget,
        gestures::{Gesture, GestureDecision},
    },
    customers::Customer,
    event::Event,
    identity::{Staff, StaffStatus},
    ids::{AllowanceAccountId, AllowanceBudgetId, CustomerId, GestureId, OrderId, OrderLineId},
    money::Minor,
    orders::Sale,
    time::{Timestamp, WallTime},
};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Failure, Fault, Tenant, allowances::Granting};

/// Accounts that are looked after in one job: well within the time of a job, and few enough that nobody
/// who asks for a gesture waits for them.
const ACCOUNTS_AT_ONCE: u64 = 200;

/// Accounts that are counted over in one job: a few seconds' work even when each has many lines.
const COUNTED_AT_ONCE: u64 = 1_000;

/// Parked gestures that go on in one job: with a second one it would hold a budget while it waits for a customer's account,
/// and somebody else the other way round.
const UNPARKED_AT_ONCE: u64 = 1;

/// Sets aside what a paid sale has earned for service to its customer. Nothing in a currency for which
/// there is no policy, nothing for a sale that was given back meanwhile; and no line earns twice.
pub(crate) async fn accrue(tenant: &Tenant, order: OrderId) -> Result<(), Failure> {
    let sale = tenant.sale(order).await?;
    if !sale.order.is_paid() {
        return Ok(());
    }
    let currency = sale.order.currency;
    let Some(policy) = tenant.active_policy(currency).await? else { return Ok(()) };
    let customer: Customer = tenant.hold(sale.order.customer_id).await?;
    let books = tenant.books(customer.id, customer.details.dealer_id, currency).await?;
    let paid = paid_order(tenant, &sale).await?;

    let posting = policy.details.accrue(&paid, books, || tenant.new_id()).with("order_id", order);

    tenant.post(posting).await?;
    Ok(())
}

/// Takes back what a sale has earned that was given back: what is left of it, and from the dealer what was spent.
pub(crate) async fn revoke(tenant: &Tenant, order: OrderId) -> Result<(), Failure> {
    let sale = tenant.sale(order).await?;
    let lines: Vec<OrderLineId> = sale.lines.iter().map(|line| line.id).collect();
    let earned = tenant.earned(&lines).await?;
    let accounts: BTreeSet<_> = earned.values().map(|(account, _)| *account).collect();
    for account in accounts {
        let books = tenant.books_with(account, &lines).await?;

        let posting = books.revoke(&lines).close().with("order_id", order);

        tenant.post(posting).await?;
    }
    Ok(())
}

/// Takes what is set aside for a customer to the dealer who looks after them now. What is open of their gestures ends
/// before, one in each job, as [`unpark`] has it: it is held in budgets of the dealer whom they left.
pub(crate) async fn follow(tenant: &Tenant, customer: CustomerId) -> Result<(), Failure> {
    let customer: Customer = tenant.hold(customer).await?;
    let dealer_id = customer.details.dealer_id;
    if let Some(gesture) = tenant.hold_gesture_elsewhere(customer.id, dealer_id).await? {
        let means = tenant.means(&gesture).await?;
        tenant.record_gesture(gesture.leave_behind(means, tenant.now())?).await?;
        return Ok(tenant.emit(&Event::CustomerMoved { customer: customer.id }).await?);
    }
    for account in tenant.lock_purse(customer.id).await? {
        if let Some(change) = account.follow(dealer_id) {
            tenant.record(change).await?;
        }
    }
    Ok(())
}

/// Lets parked gestures go on that fall under a budget in which money has become free, those that were asked for first
/// before the others, as long as there is enough.
pub(crate) async fn unpark(
    tenant: &Tenant,
    budget: AllowanceBudgetId,
    after: Option<GestureId>,
) -> Result<(), Failure> {
    let funded: AllowanceBudget = tenant.get(budget).await?;
    let parked = tenant.parked_under(&funded, after, UNPARKED_AT_ONCE).await?;
    for gesture in &parked {
        if let Some(decision) = go_on(tenant, gesture.id).await? {
            tenant.record_gesture(decision).await?;
        }
    }
    match parked.last() {
        Some(last) => {
            Ok(tenant.emit(&Event::BudgetFunded { budget, after: Some(last.id) }).await?)
        }
        None => Ok(()),
    }
}

/// What becomes of a parked gesture now.
async fn go_on(tenant: &Tenant, gesture: GestureId) -> Result<Option<GestureDecision>, Failure> {
    let gesture: Gesture = tenant.hold(gesture).await?;
    let requester: Staff = tenant.get(gesture.requester_id).await?;
    if requester.status == StaffStatus::Left {
        // Nobody carries it out; its time will be over.
        return Ok(None);
    }
    let grantor = gesture.requester_id.to_string();
    tenant.lock_grantor(&grantor).await?;
    let purse = tenant.purse(gesture.customer_id).await?;
    let (team, dealer) = (gesture.team_id, gesture.dealer_id);
    let budgets = tenant.budgets_above(team, dealer, gesture.currency).await?;
    let granting = Granting::of(&gesture, Some(grantor), &purse);
    let authority = tenant.authority(&granting).await?;
    let rules = tenant.rules_for(gesture.currency).await?;
    let role = requester.details.role;
    Ok(gesture.unpark((budgets, &rules), &authority, role, tenant.now()))
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
    let purse = tenant.purse(gesture.customer_id).await?;
    let authority = tenant.authority(&Granting::of(&gesture, None, &purse)).await?;
    if let Some(decision) = gesture.escalate(&authority, tenant.now()) {
        tenant.record_gesture(decision).await?;
    }
    Ok(())
}

/// Lets a gesture expire that nobody decided on, or carried out, in time.
pub(crate) async fn lapse(tenant: &Tenant, gesture: GestureId) -> Result<(), Failure> {
    let gesture: Gesture = tenant.hold(gesture).await?;
    let means = tenant.means(&gesture).await?;
    if let Some(decision) = gesture.lapse(means, tenant.now())? {
        tenant.record_gesture(decision).await?;
    }
    Ok(())
}

/// A sale, as far as allowances go: the lines that have not earned their share yet.
async fn paid_order(tenant: &Tenant, sale: &Sale) -> Result<PaidOrder, Fault> {
    let ids: Vec<OrderLineId> = sale.lines.iter().map(|line| line.id).collect();
    let earned = tenant.earned(&ids).await?;
    let lines = sale.lines.iter().filter(|line| !earned.contains_key(&line.id));
    let lines = lines.map(|line| PaidLine {
        order_line_id: line.id,
        price: line.price_minor,
        margin: line.margin_minor,
    });
    Ok(PaidOrder {
        lines: lines.collect(),
        seller_id: Some(sale.order.dealer_id),
        paid_at: paid_at(tenant, sale).await?,
        earned_before: earned.values().map(|(_, sum)| *sum).fold(Minor::ZERO, Minor::plus),
    })
}

/// The beginning of the day of the payment, in the brand's time zone.
async fn paid_at(tenant: &Tenant, sale: &Sale) -> Result<Timestamp, Fault> {
    let zone = tenant.zone().await?;
    Ok(sale.order.paid_on.map_or(tenant.now(), |on| on.at(WallTime::MIDNIGHT, zone)))
}
