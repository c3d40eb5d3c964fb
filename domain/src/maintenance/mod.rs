//! Maintenance: designed services over time, and the visits that carry them out.
//!
//! A [plan](plans) says by its [tasks] what is to be done for a product and how often. An [enrolment](enrolments)
//! puts one sold thing into a plan; its [occurrences] are the dates that follow. Each
//! date becomes a [work order](work_orders), for which a free technician and a [slot](slots) are
//! found; the [appointment](appointments) is when it happens, and by whom.

pub mod appointments;
pub mod availability;
pub mod enrolments;
pub mod given_back;
pub mod numbers;
pub mod occurrences;
pub mod plans;
#[cfg(test)]
mod samples;
pub mod slots;
pub mod tasks;
pub mod work_details;
pub mod work_orders;

use crate::{
    refusal::Rule,
    time::{CivilDate, Timestamp, WallTime, Zone},
};

/// Every rule of maintenance that can say no.
pub static RULES: &[&Rule] = &[
    &plans::TASK_COUNT,
    &plans::DUPLICATE_TASK,
    &tasks::WINDOW_WIDER_THAN_RHYTHM,
    &plans::CODE_FIXED,
    &plans::DRAFT_EXISTS,
    &enrolments::PLAN_NOT_PUBLISHED,
    &enrolments::OTHER_PRODUCT,
    &enrolments::NOT_DELIVERED,
    &enrolments::ALREADY_ENROLLED,
    &work_details::WINDOW_IMPOSSIBLE,
    &work_details::WORK_OF_ANOTHER_DEALER,
    &work_orders::WITHOUT_SITE,
    &slots::SITE_CLOSED,
    &slots::DEALER_CLOSED,
    &slots::SLOT_PASSED,
    &slots::OUTSIDE_WINDOW,
    &slots::OUTSIDE_HOURS,
    &slots::NOT_AVAILABLE,
    &slots::SLOT_TAKEN,
    &appointments::HOLD_EXPIRED,
    &appointments::PROCEDURE_UNFINISHED,
];

/// The hour of the day at which the service looks after what has become due: before anybody opens,
/// so that the day begins with a finished calendar.
const MORNING_HOUR: i64 = 6;

/// The instant of a day at which what is due that day is looked after.
pub fn morning_of(on: CivilDate, zone: Zone) -> Timestamp {
    on.at(WallTime::MIDNIGHT, zone).plus_hours(MORNING_HOUR)
}

/// The first morning after `now`'s day.
pub fn next_morning(now: Timestamp, zone: Zone) -> Timestamp {
    morning_of(now.date_in(zone).plus_days(1), zone)
}
