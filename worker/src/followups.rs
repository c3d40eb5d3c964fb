//! Follow-ups: messages on their way out.

use crate::outside::Delivery;
use domain::{followups::Message, ids::MessageId};
use store::{Failure, Tenant};

/// Notes what became of a message outside.
pub(crate) async fn note(
    tenant: &Tenant,
    id: MessageId,
    delivery: Delivery,
) -> Result<(), Failure> {
    let message = tenant.hold::<Message>(id).await?;
    let change = match delivery {
        Delivery::Taken => message.sent(tenant.now()),
        Delivery::NoWay => message.keep(),
        Delivery::Refused => message.fail(),
    };
    if let Some(change) = change {
        tenant.record(change).await?;
    }
    Ok(())
}
