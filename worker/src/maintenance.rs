//! Maintenance: assets enter plans, plans become dates, dates become visits, visits find a technician.

use domain::{
    catalogue::{Asset, AssetStatus},
    change::Change,
    event::{DayWork, Event},
    followups::Notice,
    ids::{AppointmentId, AssetId, EnrolmentId, OccurrenceId, OrderId, WorkOrderId},
    maintenance::{
        appointments::{Appointment, AppointmentState},
        enrolments::{Enrolment, EnrolmentState, HORIZON_DAYS},
        next_morning,
        occurrences::{Occurrence, OccurrenceState, SkipCause},
        plans::PlanTemplate,
        slots::{NOTICE_HOURS, SearchFailure},
        tasks::PlannedDate,
        work_details::WorkOrderDetails,
        work_orders::WorkOrder,
    },
    orders::SalesOrder,
    time::{CivilDate, Zone},
};
use std::collections::{BTreeMap, BTreeSet};
use store::{Failure, Tenant, maintenance};

/// Enrolments that one piece of a day's work looks ahead for: well within the time of a job, and so
/// many that a large brand's day has few pieces.
const ENROLMENTS_AT_ONCE: u64 = 200;

/// Slots that are tried for one visit in one go. Each time somebody else was faster by an instant; who
/// loses so often lets others pass and tries again with a new job.
const MOST_TRIES: u32 = 5;

/// Lets the things that were paid for enter their plans.
pub(crate) async fn order_paid(tenant: &Tenant, order: OrderId) -> Result<(), Failure> {
    let order: SalesOrder = tenant.get(order).await?;
    // In the order in which everybody holds them, not in the seller's.
    for asset in order.asset_ids.into_iter().collect::<BTreeSet<_>>() {
        enrol(tenant, asset).await?;
    }
    Ok(())
}

/// Lets a thing that arrived enter its plans.
pub(crate) async fn asset_delivered(tenant: &Tenant, asset: AssetId) -> Result<(), Failure> {
    enrol(tenant, asset).await
}

/// Lets an asset enter the plans of its product that it has never been in. Before it is delivered
/// there is no day to count from, and its delivery will be told.
async fn enrol(tenant: &Tenant, asset: AssetId) -> Result<(), Failure> {
    // Held, so that payment and delivery, told at the same time, do not both enrol it.
    let asset: Asset = tenant.hold(asset).await?;
    if asset.status != AssetStatus::Active || asset.details.delivered_on.is_none() {
        return Ok(());
    }
    let plans: Vec<PlanTemplate> =
        tenant.all(maintenance::of_product(asset.details.product_id)).await?;
    let care = tenant.care_of(&asset).await?;
    let today = tenant.now().date_in(care.zone);
    for plan in plans {
        let before = maintenance::was_in_plan(&plan.details.code, asset.id);
        if tenant.find::<Enrolment>(before).await?.is_none() {
            let enrollee = care.enrollee(&asset);
            let enrolment =
                Enrolment::begin(tenant.new_id(), &plan, &enrollee, today, tenant.now())?;
            tenant.record(enrolment).await?;
        }
    }
    Ok(())
}

/// Writes down the first dates of an asset that entered a plan.
pub(crate) async fn enrolment_began(tenant: &Tenant, id: EnrolmentId) -> Result<(), Failure> {
    let enrolment: Enrolment = tenant.hold(id).await?;
    if enrolment.state != EnrolmentState::Active {
        return Ok(());
    }
    let plan: PlanTemplate = tenant.get(enrolment.plan_template_id).await?;
    let zone = tenant.zone_of(enrolment.dealer_id).await?;
    let overdue = planned(tenant, &enrolment, enrolment.overdue(&plan), zone);
    tenant.record_new(overdue).await?;
    look_ahead(tenant, vec![enrolment], tenant.now().date_in(zone)).await
}

/// One day's work: looks ahead for every enrolment that has dates up to the horizon, and closes those
/// that have none left. A large brand's work is done in pieces.
pub(crate) async fn daily(tenant: &Tenant, on: CivilDate) -> Result<(), Failure> {
    let horizon_on = on.plus_days(HORIZON_DAYS);
    let behind: Vec<Enrolment> =
        tenant.all(maintenance::behind(horizon_on, ENROLMENTS_AT_ONCE)).await?;
    let ended: Vec<Enrolment> = tenant.all(maintenance::at_end(ENROLMENTS_AT_ONCE)).await?;
    let is_full = |found: &Vec<Enrolment>| u64::try_from(found.len()) == Ok(ENROLMENTS_AT_ONCE);
    let more = is_full(&behind) || is_full(&ended);

    look_ahead(tenant, behind, on).await?;
    for enrolment in ended {
        tenant.record(enrolment.complete()?).await?;
    }

    if more {
        tenant.emit(&Event::DayWorkDue { on, work: DayWork::Plans }).await?;
    }
    Ok(())
}

/// Writes down the dates up to the horizon of enrolments that are held.
async fn look_ahead(
    tenant: &Tenant,
    enrolments: Vec<Enrolment>,
    today: CivilDate,
) -> Result<(), Failure> {
    let (mut plans, mut zones) = (BTreeMap::new(), BTreeMap::new());
    for plan in distinct(&enrolments, |enrolment| enrolment.plan_template_id) {
        plans.insert(plan, tenant.get::<PlanTemplate>(plan).await?);
    }
    for dealer in distinct(&enrolments, |enrolment| enrolment.dealer_id) {
        zones.insert(dealer, tenant.zone_of(dealer).await?);
    }

    let (mut advanced, mut occurrences) = (Vec::new(), Vec::new());
    for enrolment in enrolments {
        let plan = plans.get(&enrolment.plan_template_id);
        let zone = zones.get(&enrolment.dealer_id).copied();
        let Some((plan, zone)) = plan.zip(zone) else { continue };
        let (enrolment, dates) = enrolment.look_ahead(plan, today);
        occurrences.extend(planned(tenant, &enrolment, dates, zone));
        advanced.push(enrolment);
    }

    tenant.record_new(occurrences).await?;
    tenant.advance(&advanced).await?;
    Ok(())
}

fn distinct<T: Ord>(enrolments: &[Enrolment], of: impl Fn(&Enrolment) -> T) -> BTreeSet<T> {
    enrolments.iter().map(of).collect()
}

fn planned(
    tenant: &Tenant,
    enrolment: &Enrolment,
    dates: Vec<PlannedDate>,
    zone: Zone,
) -> Vec<Change<Occurrence>> {
    let plan = |date| Occurrence::plan(tenant.new_id(), enrolment, date, zone, tenant.now());
    dates.into_iter().map(plan).collect()
}

/// Makes a visit of a date that has come, or lets it go when nobody is to come any more.
pub(crate) async fn occurrence_due(tenant: &Tenant, id: OccurrenceId) -> Result<(), Failure> {
    let occurrence: Occurrence = tenant.hold(id).await?;
    if occurrence.state != OccurrenceState::Planned {
        return Ok(());
    }
    let enrolment: Enrolment = tenant.get(occurrence.enrolment_id).await?;
    let asset: Asset = tenant.get(enrolment.asset_id).await?;
    let plan: PlanTemplate = tenant.get(enrolment.plan_template_id).await?;
    let care = tenant.care_of(&asset).await?;

    let visit = match (enrolment.state, asset.status, plan.details.task(&occurrence.task)) {
        (EnrolmentState::Suspended, _, _) => Err(occurrence.skip(SkipCause::Suspended, None)?),
        (EnrolmentState::Completed | EnrolmentState::Cancelled, _, _)
        | (EnrolmentState::Active, _, None) => Err(occurrence.cancel()?),
        (EnrolmentState::Active, AssetStatus::Retired, Some(_)) => {
            Err(occurrence.skip(SkipCause::AssetRetired, None)?)
        }
        (EnrolmentState::Active, AssetStatus::Active, Some(task)) => {
            let details = WorkOrderDetails::of(&occurrence, task, asset.id, care.served_by());
            let work_order = WorkOrder::ask(tenant.new_id(), details, Some(id), tenant.now())?;
            Ok((occurrence.become_work(work_order.record.id)?, work_order))
        }
    };

    match visit {
        Err(let_go) => {
            tenant.record(let_go).await?;
        }
        Ok((at_work, work_order)) => {
            tenant.record(work_order).await?;
            tenant.record(at_work).await?;
        }
    }
    Ok(())
}

/// Looks for a technician and a time for a visit; gives up when its window has closed.
pub(crate) async fn work_order_unscheduled(
    tenant: &Tenant,
    id: WorkOrderId,
    attempt: u32,
) -> Result<(), Failure> {
    let work_order: WorkOrder = tenant.hold(id).await?;
    if !work_order.wants(attempt) {
        return Ok(());
    }
    let zone = tenant.zone_of(work_order.details.dealer_id).await?;
    if work_order.is_overdue(tenant.now().date_in(zone)) {
        return give_up(tenant, work_order).await;
    }
    let held: Option<Appointment> = tenant.hold_found(maintenance::active_of(id)).await?;
    let found = if held.is_some() {
        Found::Nobody(SearchFailure::SlotHeld)
    } else if work_order.details.site_id.is_none() {
        Found::Nobody(SearchFailure::NoSite)
    } else {
        book(tenant, &work_order).await?
    };

    match found {
        Found::Somebody => {}
        Found::Nobody(because) => {
            let again_at = next_morning(tenant.now(), zone);
            tenant.record(work_order.wait(because, again_at)?).await?;
        }
        Found::OthersWereFaster => {
            tenant.emit(&Event::WorkOrderUnscheduled { work_order: id, attempt }).await?;
        }
    }
    Ok(())
}

/// How a search has ended.
enum Found {
    /// A technician is booked.
    Somebody,
    /// There is nobody for now.
    Nobody(SearchFailure),
    /// There was somebody each time, whom somebody else booked at the same instant.
    OthersWereFaster,
}

/// Books the best slot. When somebody else takes it at the same instant, their booking is committed
/// by the time we know, and the next search sees it.
async fn book(tenant: &Tenant, work_order: &WorkOrder) -> Result<Found, Failure> {
    let not_before = tenant.now().plus_hours(NOTICE_HOURS);
    for _ in 0..MOST_TRIES {
        let best = match tenant.search(work_order, not_before).await?.best() {
            Ok(best) => best,
            Err(because) => return Ok(Found::Nobody(because)),
        };
        let (booked, scheduled) =
            Appointment::book(tenant.new_id(), work_order.clone(), best, tenant.now())?;
        if !tenant.record_new(vec![booked]).await?.is_empty() {
            tenant.record(scheduled).await?;
            return Ok(Found::Somebody);
        }
    }
    Ok(Found::OthersWereFaster)
}

/// Closes a visit that nobody could make, and says so of the date it was made of.
async fn give_up(tenant: &Tenant, work_order: WorkOrder) -> Result<(), Failure> {
    if let Some(occurrence_id) = work_order.occurrence_id {
        let occurrence: Occurrence = tenant.hold(occurrence_id).await?;
        tenant.record(occurrence.miss()?).await?;
    }
    tenant.record(work_order.give_up()?).await?;
    Ok(())
}

/// Gives a slot back that was not confirmed in time.
pub(crate) async fn hold_due(tenant: &Tenant, id: AppointmentId) -> Result<(), Failure> {
    let appointment: Appointment = tenant.hold(id).await?;
    if let Some(expired) = appointment.expire(tenant.now()) {
        tenant.record(expired).await?;
    }
    Ok(())
}

/// Tells the customer when somebody comes, unless the visit was moved away meanwhile: then another
/// message follows.
pub(crate) async fn confirm(tenant: &Tenant, id: AppointmentId) -> Result<(), Failure> {
    let appointment: Appointment = tenant.get(id).await?;
    match appointment.state {
        AppointmentState::Confirmed => {}
        AppointmentState::Held
        | AppointmentState::InProgress
        | AppointmentState::Completed
        | AppointmentState::Cancelled
        | AppointmentState::Expired => return Ok(()),
    }
    let work_order: WorkOrder = tenant.get(appointment.work_order_id).await?;
    let address = match work_order.details.asset_id {
        Some(asset) => tenant.get::<Asset>(asset).await?.details.address,
        None => None,
    };
    let wall_time = appointment.slot.starts_at.wall_time_in(appointment.slot.tz);
    let to = tenant.correspondent(appointment.customer_id).await?;
    tenant.tell(&to, &Notice::VisitConfirmed { wall_time, address }).await?;
    Ok(())
}

/// Reminds the customer of a visit that is near, once.
pub(crate) async fn remind(tenant: &Tenant, id: AppointmentId) -> Result<(), Failure> {
    let appointment: Appointment = tenant.hold(id).await?;
    let Some(reminded) = appointment.remind(tenant.now()) else { return Ok(()) };
    let appointment = tenant.record(reminded).await?;
    let wall_time = appointment.slot.starts_at.wall_time_in(appointment.slot.tz);
    let to = tenant.correspondent(appointment.customer_id).await?;
    tenant.tell(&to, &Notice::VisitReminder { wall_time }).await?;
    Ok(())
}
