//! Procedures: runs begin by themselves when something happens, and go up a rank when a step is late.

use domain::{
    catalogue::Asset,
    complaints::Complaint,
    customer_events::CustomerEvent,
    customers::Customer,
    event::Event,
    findings::{Finding, FindingKind},
    identity::Rank,
    ids::{
        AssetId, ComplaintId, CustomerEventId, CustomerId, DealerId, OrderId, ResponseId, SopRunId,
        SopRunStepId, StaffId, WorkOrderId,
    },
    maintenance::work_orders::WorkOrder,
    orders::SalesOrder,
    sops::{
        SopBeginning, SopCause, SopChecklist, SopCoverage, SopRun, SopRunDetails, SopTrigger,
        SopValue, SopVersion, TRAINING_DAYS, happened_on, is_followed,
    },
    surveys::SurveyResponse,
    text::{Code, Line},
    time::{CivilDate, Timestamp},
};
use std::collections::BTreeMap;
use store::{
    Failure, Tenant, findings::unsettled, runs::RunMatter, sops::in_force, table::word,
    triggers::triggered_by,
};

/// Runs whose steps are handed over in one job: each is a few rows, and all of them together are well within the time
/// of a job.
const RUNS_AT_ONCE: u32 = 20;

/// Something that happened to a customer.
struct Happening {
    /// What it is called, by a name of its own.
    cause: String,
    customer_id: CustomerId,
    /// The sold thing it happened to.
    asset_id: Option<AssetId>,
    /// The sale that it is.
    order_id: Option<OrderId>,
    dealer_id: Option<DealerId>,
    happened_at: Timestamp,
    facts: BTreeMap<Code, SopValue>,
}

/// The triggers that wait for something, by its name; asked for once an errand, however many of its jobs tell of it.
#[derive(Debug, Default)]
pub(crate) struct Waiting(BTreeMap<String, Vec<SopTrigger>>);

impl Waiting {
    async fn for_event(&mut self, tenant: &Tenant, event: &str) -> Result<&[SopTrigger], Failure> {
        if !self.0.contains_key(event) {
            self.0.insert(event.to_owned(), tenant.all(triggered_by(event)).await?);
        }
        Ok(self.0.get(event).map_or(&[], Vec::as_slice))
    }
}

/// Begins the procedures that wait for what has happened.
pub(crate) async fn begin_by(
    waiting: &mut Waiting,
    tenant: &Tenant,
    event: &Event,
) -> Result<(), Failure> {
    match event {
        Event::OrderPaid { order } => order_paid(waiting, tenant, *order).await,
        Event::AssetDelivered { asset } => asset_delivered(waiting, tenant, *asset).await,
        Event::ComplaintOpened { complaint } => complaint_opened(waiting, tenant, *complaint).await,
        Event::ComplaintResolved { complaint, resolution_no } => {
            complaint_resolved(waiting, tenant, *complaint, *resolution_no).await
        }
        Event::WorkOrderCompleted { work_order } => {
            work_order_completed(waiting, tenant, *work_order).await
        }
        Event::SurveyAnswered { response } => survey_answered(waiting, tenant, *response).await,
        Event::CustomerEventTold { customer_event } => {
            customer_event_told(waiting, tenant, *customer_event).await
        }
        // No procedure waits for these.
        Event::DayBegan { .. }
        | Event::DayWorkDue { .. }
        | Event::ClockArrived { .. }
        | Event::ImportContinued { .. }
        | Event::ServiceItemDrifted { .. }
        | Event::CalendarChanged { .. }
        | Event::PlanInForceChanged { .. }
        | Event::EnrolmentBegan { .. }
        | Event::OccurrenceDue { .. }
        | Event::WorkOrderUnscheduled { .. }
        | Event::VisitConfirmed { .. }
        | Event::TechnicianChanged { .. }
        | Event::DealerClosed { .. }
        | Event::VisitFellThrough { .. }
        | Event::HoldDue { .. }
        | Event::ReminderDue { .. }
        | Event::OrderRefunded { .. }
        | Event::CustomerMoved { .. }
        | Event::BudgetFunded { .. }
        | Event::LotsDue { .. }
        | Event::ReconciliationDue { .. }
        | Event::GestureEscalationDue { .. }
        | Event::GestureDue { .. }
        | Event::FirstAnswerDue { .. }
        | Event::ComplaintDecided { .. }
        | Event::ComplaintAnswered { .. }
        | Event::PublicAnswerDue { .. }
        | Event::ResolutionLogged { .. }
        | Event::InvitationDue { .. }
        | Event::InvitationExpiryDue { .. }
        | Event::MessageQueued { .. }
        | Event::StepsLeftBehind { .. }
        | Event::ComplaintsLeftBehind { .. }
        | Event::StandOffDue { .. }
        | Event::SopStepDue { .. }
        | Event::WorkingHoursChanged { .. }
        | Event::SlaClockDue { .. }
        | Event::CancellationClosed { .. }
        | Event::AwaitedDue { .. } => Ok(()),
    }
}

/// A sale was paid.
async fn order_paid(waiting: &mut Waiting, tenant: &Tenant, id: OrderId) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "order_paid").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let order: SalesOrder = tenant.get(id).await?;
    let happening = Happening {
        cause: id.to_string(),
        customer_id: order.customer_id,
        asset_id: None,
        order_id: Some(id),
        dealer_id: Some(order.dealer_id),
        happened_at: on_day(tenant, order.paid_on, Some(order.dealer_id)).await?,
        facts: BTreeMap::new(),
    };
    begin(tenant, triggers, &happening).await
}

/// A sold thing arrived at its customer's.
async fn asset_delivered(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: AssetId,
) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "asset_delivered").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let asset: Asset = tenant.get(id).await?;
    let happening = Happening {
        cause: id.to_string(),
        customer_id: asset.details.customer_id,
        asset_id: Some(id),
        order_id: None,
        dealer_id: asset.details.dealer_id,
        happened_at: on_day(tenant, asset.details.delivered_on, asset.details.dealer_id).await?,
        facts: BTreeMap::new(),
    };
    begin(tenant, triggers, &happening).await
}

/// A customer has complained.
async fn complaint_opened(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: ComplaintId,
) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "complaint_opened").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let complaint: Complaint = tenant.get(id).await?;
    begin(tenant, triggers, &about(&complaint, id.to_string(), complaint.created_at)).await
}

/// A complaint was put right; each resolution of it is a thing of its own.
async fn complaint_resolved(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: ComplaintId,
    resolution_no: u32,
) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "complaint_resolved").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let complaint: Complaint = tenant.get(id).await?;
    let cause = match resolution_no {
        0 | 1 => id.to_string(),
        later => format!("{id}/{later}"),
    };
    // One that was reopened since has no such instant any more.
    let resolved_at = complaint.resolved_at.filter(|_| complaint.resolution_no == resolution_no);
    let resolved_at = resolved_at.unwrap_or_else(|| tenant.now());
    begin(tenant, triggers, &about(&complaint, cause, resolved_at)).await
}

/// A visit was carried out.
async fn work_order_completed(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: WorkOrderId,
) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "work_order_completed").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let work_order: WorkOrder = tenant.get(id).await?;
    let happening = Happening {
        cause: id.to_string(),
        customer_id: work_order.details.customer_id,
        asset_id: work_order.details.asset_id,
        order_id: None,
        dealer_id: work_order.details.dealer_id,
        happened_at: work_order.completed_at.unwrap_or_else(|| tenant.now()),
        facts: facts([("kind", text(word(&work_order.details.kind)))]),
    };
    begin(tenant, triggers, &happening).await
}

/// A customer has answered.
async fn survey_answered(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: ResponseId,
) -> Result<(), Failure> {
    let triggers = waiting.for_event(tenant, "survey_answered").await?;
    if triggers.is_empty() {
        return Ok(());
    }
    let answer: SurveyResponse = tenant.get(id).await?;
    let happening = Happening {
        cause: id.to_string(),
        customer_id: answer.customer_id,
        asset_id: None,
        order_id: None,
        dealer_id: answer.dealer_id,
        happened_at: answer.created_at,
        facts: facts([("low", Some(SopValue::Bool(answer.low)))]),
    };
    begin(tenant, triggers, &happening).await
}

/// The brand told what a customer did.
async fn customer_event_told(
    waiting: &mut Waiting,
    tenant: &Tenant,
    id: CustomerEventId,
) -> Result<(), Failure> {
    let event: CustomerEvent = tenant.get(id).await?;
    let triggers = waiting.for_event(tenant, &event.details.kind).await?;
    let happening = Happening {
        cause: id.to_string(),
        customer_id: event.details.customer_id,
        asset_id: None,
        order_id: None,
        dealer_id: event.dealer_id,
        happened_at: event.details.happened_at,
        facts: event.details.facts,
    };
    begin(tenant, triggers, &happening).await
}

/// Lets the next rank answer for a step that is not settled in time.
pub(crate) async fn step_due(
    tenant: &Tenant,
    run: SopRunId,
    step: SopRunStepId,
    escalated_rank: Option<Rank>,
) -> Result<(), Failure> {
    let run: SopRun = tenant.hold(run).await?;
    let around = tenant.circumstances_of_escalation(&run).await?;
    let checklist: SopChecklist = tenant.checklist(run).await?;
    if let Some(change) = checklist.escalate(step, escalated_rank, around, tenant.now()) {
        tenant.record_checklist(change).await?;
    }
    Ok(())
}

/// Gives the steps of those who have left or moved to somebody else, and goes on as long as there are any. What people
/// have read goes with them.
pub(crate) async fn hand_over(
    tenant: &Tenant,
    staff: Option<StaffId>,
    after: Option<SopRunId>,
) -> Result<(), Failure> {
    if after.is_none() {
        tenant.let_acknowledgements_follow(staff).await?;
    }
    let left_behind = tenant.runs_left_behind(staff, after, RUNS_AT_ONCE).await?;
    for (run, gone) in &left_behind {
        let run: SopRun = tenant.hold(*run).await?;
        let around = tenant.circumstances_of_escalation(&run).await?;
        let checklist: SopChecklist = tenant.checklist(run).await?;
        if let Some(change) = checklist.hand_over(gone, around) {
            tenant.record_hands(change).await?;
        }
    }
    match left_behind.last() {
        Some((last, _)) => {
            Ok(tenant.emit(&Event::StepsLeftBehind { staff, after: Some(*last) }).await?)
        }
        None => Ok(()),
    }
}

/// Looks over the procedures of a brand: where people should be shown again how it is done, at which moments nothing
/// says what to do, and what was left behind and not seen to at once.
pub(crate) async fn daily(tenant: &Tenant, on: CivilDate) -> Result<(), Failure> {
    look_for_training(tenant, on).await?;
    look_for_gaps(tenant, on).await?;
    tenant.emit(&Event::StepsLeftBehind { staff: None, after: None }).await?;
    Ok(())
}

/// Says at which moments of the customer's no procedure is in force, and that it is settled where one is again.
async fn look_for_gaps(tenant: &Tenant, on: CivilDate) -> Result<(), Failure> {
    let coverage = SopCoverage::of(&tenant.covering_sops().await?);
    let told: Vec<Finding> = tenant.hold_all(unsettled(FindingKind::SopGap, None)).await?;

    let gaps = coverage.review(&told, tenant.id(), (on, tenant.now()))?;

    for closed in gaps.closed {
        tenant.record(closed).await?;
    }
    for found in gaps.found {
        tenant.raise(found).await?;
    }
    Ok(())
}

/// Says where obligations were missed so often in the last days that people should be shown again how it is done.
async fn look_for_training(tenant: &Tenant, on: CivilDate) -> Result<(), Failure> {
    let since = tenant.now().plus_days(0_i64.saturating_sub(TRAINING_DAYS));
    for missed in tenant.missed_obligations(since).await? {
        if let Some(finding) = missed.finding(on) {
            tenant.raise(finding).await?;
        }
    }
    Ok(())
}

/// When something happened on `day`, as the dealer's clock has it.
async fn on_day(
    tenant: &Tenant,
    day: Option<CivilDate>,
    dealer: Option<DealerId>,
) -> Result<Timestamp, Failure> {
    let Some(day) = day else { return Ok(tenant.now()) };
    Ok(happened_on(day, tenant.zone_of(dealer).await?, tenant.now()))
}

/// Begins a run for each trigger whose filter lets the happening through, and that has not begun one for it. What
/// became known too late begins none. One whose filter cannot be decided begins none: the line in the log says which
/// facts it lacks.
async fn begin(
    tenant: &Tenant,
    triggers: &[SopTrigger],
    happening: &Happening,
) -> Result<(), Failure> {
    if triggers.is_empty() || !is_followed(happening.happened_at, tenant.now()) {
        return Ok(());
    }
    let customer: Customer = tenant.get(happening.customer_id).await?;
    let matter = RunMatter {
        customer_id: Some(customer.id),
        asset_id: happening.asset_id,
        dealer_id: happening.dealer_id.or(customer.details.dealer_id),
        order_id: happening.order_id,
        event: &happening.facts,
    };
    let facts = tenant.facts_about(matter).await?;
    for trigger in triggers {
        let filter = trigger.details.filter.as_ref();
        let is_meant = filter.is_none_or(|filter| {
            filter.holds(&facts).unwrap_or_else(|refusal| {
                tracing::warn!(
                    trigger.id = %trigger.id, code = refusal.rule.code,
                    "a trigger cannot be decided"
                );
                false
            })
        });
        if is_meant {
            begin_one(tenant, trigger, &customer, happening).await?;
        }
    }
    Ok(())
}

async fn begin_one(
    tenant: &Tenant,
    trigger: &SopTrigger,
    customer: &Customer,
    happening: &Happening,
) -> Result<(), Failure> {
    let version: Option<SopVersion> = tenant.find(in_force(trigger.details.sop_id)).await?;
    if version.is_none() || tenant.has_begun(trigger.id, &happening.cause).await? {
        return Ok(());
    }
    let details = SopRunDetails {
        sop_id: trigger.details.sop_id,
        customer_id: Some(customer.id),
        asset_id: happening.asset_id,
        dealer_id: happening.dealer_id.or(customer.details.dealer_id),
        staff_id: None,
    };
    let cause = SopCause {
        trigger_id: trigger.id,
        cause: happening.cause.clone(),
        anchor_at: happening.happened_at,
        facts: happening.facts.clone(),
    };
    let around = tenant.circumstances_of(version.as_ref(), &details, Some(&cause)).await?;
    let beginning = SopBeginning { details, cause: Some(cause), around };

    let run = SopRun::start(
        tenant.new_id(),
        version.as_ref(),
        beginning,
        || tenant.new_id(),
        tenant.now(),
    )?;

    tenant.record_checklist(run).await?;
    Ok(())
}

fn about(complaint: &Complaint, cause: String, happened_at: Timestamp) -> Happening {
    Happening {
        cause,
        customer_id: complaint.details.customer_id,
        asset_id: complaint.details.asset_id,
        order_id: None,
        dealer_id: complaint.details.dealer_id,
        happened_at,
        facts: facts([
            ("kind", text(word(&complaint.details.kind))),
            ("source", text(word(&complaint.details.source))),
            ("severity", number(complaint.details.severity.get())),
        ]),
    }
}

fn facts<const N: usize>(named: [(&str, Option<SopValue>); N]) -> BTreeMap<Code, SopValue> {
    let known = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.filter_map(|(name, value)| Some((Code::new(name).ok()?, value))).collect()
}

fn text(text: String) -> Option<SopValue> {
    Line::new(text).ok().map(SopValue::Text)
}

fn number(value: u32) -> Option<SopValue> {
    value.to_string().parse().ok().map(SopValue::Number)
}
