//! A water purifier in Hangzhou, its plan and the people who look after it.

use super::{
    availability::{Span, Technician, Window},
    enrolments::{Enrollee, Enrolment},
    numbers::{LeadDays, Leeway, MonthCount, VisitMinutes},
    plans::{PlanGaps, PlanTemplate, PlanTemplateDetails},
    slots::Search,
    tasks::{CatchUp, PlanTask, PlanTrigger},
    work_details::{WorkOrderDetails, WorkOrderKind},
    work_orders::WorkOrder,
};
use crate::{
    ids::{AssetId, CustomerId, DealerId, ProductId, SiteId, StaffId},
    tenancy::{DealerStatus, Site},
    time::{CivilDate, Timestamp, Zone},
    working_time::WorkingCalendar,
};
use uuid::Uuid;

pub(super) fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

pub(super) fn on(text: &str) -> CivilDate {
    text.parse().unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Eight hours before UTC, all year.
pub(super) fn shanghai() -> Zone {
    "Asia/Shanghai".parse().unwrap()
}

pub(super) fn every(months: u32) -> PlanTrigger {
    PlanTrigger::EveryMonths { months: MonthCount::new(months).unwrap() }
}

pub(super) fn in_month(months: u32) -> PlanTrigger {
    PlanTrigger::MonthOffset { months: MonthCount::new(months).unwrap() }
}

/// A task with a window of a week either way, arranged a week before.
pub(super) fn task(code: &str, trigger: PlanTrigger) -> PlanTask {
    PlanTask {
        code: code.parse().unwrap(),
        title: "Change the filters".parse().unwrap(),
        trigger,
        early_days: Leeway::default(),
        late_days: Leeway::default(),
        duration_minutes: VisitMinutes::default(),
        work_lead_days: LeadDays::default(),
        sop_id: None,
        catch_up: CatchUp::CreateOne,
        service_item_code: None,
    }
}

pub(super) fn details(tasks: Vec<PlanTask>) -> PlanTemplateDetails {
    PlanTemplateDetails {
        code: "purifier-care".parse().unwrap(),
        name: "Purifier care".parse().unwrap(),
        product_id: Some(id::<ProductId>(1)),
        tasks,
    }
}

pub(super) fn published(tasks: Vec<PlanTask>) -> PlanTemplate {
    let now = at("2026-01-01T00:00:00Z");
    let draft = PlanTemplate::draft(id(1), 1, details(tasks), now).unwrap().record;
    draft.publish(None, &PlanGaps::default(), now).unwrap().0.record
}

pub(super) fn delivered(text: &str) -> Enrollee {
    Enrollee {
        asset_id: id::<AssetId>(1),
        product_id: id::<ProductId>(1),
        customer_id: id::<CustomerId>(1),
        dealer_id: Some(id::<DealerId>(1)),
        delivered_on: Some(on(text)),
    }
}

pub(super) fn enrolled(plan: &PlanTemplate, delivered_on: &str, today: &str) -> Enrolment {
    let now = at("2026-01-01T00:00:00Z");
    Enrolment::begin(id(1), plan, &delivered(delivered_on), on(today), now).unwrap().record
}

/// A visit of an hour in the first week of December 2026, best on Thursday the 3rd.
pub(super) fn visit() -> WorkOrderDetails {
    WorkOrderDetails {
        kind: WorkOrderKind::Repair,
        customer_id: id::<CustomerId>(1),
        asset_id: None,
        dealer_id: Some(id::<DealerId>(1)),
        site_id: Some(id::<SiteId>(1)),
        window_from_on: on("2026-12-01"),
        window_to_on: on("2026-12-07"),
        preferred_on: on("2026-12-03"),
        duration_minutes: VisitMinutes::default(),
        sop_id: None,
        note: None,
    }
}

pub(super) fn asked() -> WorkOrder {
    WorkOrder::ask(id(1), visit(), None, at("2026-11-22T00:00:00Z")).unwrap().record
}

pub(super) fn technician(number: u128, booked: Vec<Span>) -> Technician {
    Technician { id: id::<StaffId>(number), leave: None, booked }
}

pub(super) fn site() -> Site {
    let details = r#"{"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai"}"#;
    let details = serde_json::from_str(details).unwrap();
    Site::open(id(1), id(1), details, None, at("2026-01-01T00:00:00Z")).unwrap().record
}

/// The search for [`visit`], at a site that is open from 09:00 to 18:00 from Monday to Saturday.
pub(super) fn search(technicians: Vec<Technician>) -> Search {
    Search {
        window: Window {
            from_on: on("2026-12-01"),
            to_on: on("2026-12-07"),
            preferred_on: on("2026-12-03"),
        },
        duration_minutes: VisitMinutes::default(),
        site: site(),
        hours: WorkingCalendar::of_site(&site()),
        dealer_status: DealerStatus::Active,
        technicians,
        not_before: at("2026-11-23T00:00:00Z"),
    }
}
