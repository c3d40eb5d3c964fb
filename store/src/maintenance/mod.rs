//! Tables of plans and visits, and who looks after what.

mod care;
mod plans;
mod visits;

pub use care::Care;
pub use plans::{
    EnrolmentFilter, OccurrenceFilter, PlanFilter, at_end, behind, by_nominal_date, draft_of,
    enrolment, enrolments, in_force, in_plan, occurrence, occurrences, of_product, plan_template,
    planned_of, plans, versions_of, was_in_plan,
};
pub use visits::{
    AppointmentFilter, WorkOrderFilter, active_of, appointment, appointments, bookings, by_start,
    not_begun, work_order, work_orders,
};
