//! Tables of plans and visits, and who looks after what.

mod care;
mod plans;
mod visits;

pub use care::Care;
pub use plans::{
    EnrolmentFilter, OccurrenceFilter, PlanFilter, at_end, behind, draft_of, enrolment, enrolments,
    in_force, in_plan, latest_versions_of, occurrence, occurrences, of_product, plan_template,
    planned_of, plans, versions_of, was_in_plan,
};
pub use visits::{
    AppointmentFilter, WorkOrderFilter, active_of, appointment, appointments, bookings, not_begun,
    work_order, work_orders,
};
