//! Who acts on what. A new event does not compile until it has a line here.

use crate::{allowances, days, imports, sandbox};
use domain::event::{DayWork, Event};
use store::{Failure, Tenant};

/// Lets everybody act who has to, in the transaction of `tenant`.
///
/// # Errors
///
/// [`Failure`] when the job should be given back; then nothing has changed.
pub async fn route(tenant: &Tenant, event: &Event) -> Result<(), Failure> {
    match event {
        Event::DayBegan { on } => days::begin(tenant, *on).await,
        Event::DayWorkDue { on, work } => match work {
            DayWork::Housekeeping => days::keep_house(tenant).await,
            DayWork::Allowances => allowances::expire(tenant, None).await,
            DayWork::Plans => {
                let _ = on;
                Ok(())
            }
        },
        Event::ImportContinued { import, from_row } => {
            imports::take_over(tenant, *import, *from_row).await
        }
        Event::ClockArrived { clock, operation, .. } => {
            sandbox::arrive(tenant, *clock, *operation).await
        }
        Event::OrderPaid { order } => allowances::accrue(tenant, *order).await,
        Event::LotsDue { after } => allowances::expire(tenant, *after).await,
        Event::GestureDue { gesture } => allowances::lapse(tenant, *gesture).await,
        Event::AssetDelivered { .. }
        | Event::EnrolmentBegan { .. }
        | Event::OccurrenceDue { .. }
        | Event::WorkOrderUnscheduled { .. }
        | Event::HoldDue { .. }
        | Event::ReminderDue { .. }
        | Event::WorkOrderCompleted { .. }
        | Event::ComplaintOpened { .. }
        | Event::FirstAnswerDue { .. }
        | Event::ComplaintResolved { .. }
        | Event::InvitationDue { .. }
        | Event::InvitationExpiryDue { .. }
        | Event::SurveyAnswered { .. }
        | Event::MessageQueued { .. } => {
            let _ = tenant;
            Ok(())
        }
    }
}
