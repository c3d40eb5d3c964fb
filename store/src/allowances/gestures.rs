//! What decisions about gestures are made on, and how they are recorded.

use super::limits;
use crate::{Fault, Tenant, table::Col};
use domain::{
    allowances::{
        authority::{Authority, month_of},
        gestures::{Gesture, GestureDecision},
    },
    ids::{CustomerId, GestureId},
    money::{Currency, MOST_MINOR, Minor},
};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

impl Tenant {
    /// What is known about authority when something is to be granted to `customer`: the brand's limits,
    /// and what other gestures than `gesture` have granted them this month. The customer's
    /// [purse](Tenant::purse) must be held, so that nobody else grants something at the same time.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn authority(
        &self,
        customer: CustomerId,
        currency: Currency,
        gesture: GestureId,
    ) -> Result<Authority, Fault> {
        let brand = self.brand_settings().await?;
        let month = month_of(self.now(), brand.tz);
        let sql =
            "SELECT least($6, coalesce(sum(coalesce(actual_minor, estimate_minor)), 0))::bigint AS granted
                   FROM gesture
                   WHERE tenant_id = ac.tenant() AND customer_id = $1 AND currency = $2 AND id <> $3
                     AND approved_at >= $4 AND approved_at < $5 AND state IN ('approved', 'fulfilled')";
        let values = [
            Uuid::from(customer).into(),
            currency.to_string().into(),
            Uuid::from(gesture).into(),
            chrono::DateTime::from(month.start).into(),
            chrono::DateTime::from(month.end).into(),
            MOST_MINOR.into(),
        ];
        let row = self.work().query_one_raw(self.statement(sql, values)).await?;
        let granted_minor = match row {
            Some(row) => row.try_get::<Col<Minor>>("", "granted")?.0,
            None => Minor::ZERO,
        };
        let limits = self.all(limits(None)).await?;
        Ok(Authority { limits, granted_minor, escalation_hours: brand.escalation_hours })
    }

    /// Records what was decided about a gesture; answers it as it is now.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or the same was decided before.
    pub async fn record_gesture(&self, decision: GestureDecision) -> Result<Gesture, Fault> {
        let GestureDecision { change, approval, posting } = decision;
        let gesture = self.record(change).await?;
        if let Some(approval) = approval {
            self.add(&approval).await?;
        }
        if let Some(posting) = posting {
            self.post(posting).await?;
        }
        Ok(gesture)
    }
}
