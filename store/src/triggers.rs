//! Tables `sop_trigger` and `customer_event`.

use crate::{Fault, Tenant, documents, listed, sops::sop_run, table, words};
use domain::{
    conditions::Condition,
    customer_events::{CustomerEvent, CustomerEventDetails},
    ids::{CustomerId, DealerId, SopId, SopTriggerId},
    sops::{MOST_TRIGGERS, SopRun, SopTrigger, SopTriggerDetails, SopTriggerStatus, SopValue},
    text::{Code, ExternalId, Source},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _, Select,
};
use std::collections::BTreeMap;
use uuid::Uuid;

words!(SopTriggerStatus);
documents!(BTreeMap<Code, SopValue>);

table! {
    /// When procedures begin by themselves.
    sop_trigger = "sop_trigger" of SopTrigger {
        [details: SopTriggerDetails { sop_id: SopId, event: Code, filter: Option<Condition> }],
        status: SopTriggerStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// What customers did where only the brand sees it.
    customer_event = "customer_event" of CustomerEvent {
        [details: CustomerEventDetails {
            kind: Code,
            customer_id: CustomerId,
            happened_at: Timestamp,
            facts: BTreeMap<Code, SopValue>,
            source: Source,
            external_id: Option<ExternalId>,
        }],
        dealer_id: Option<DealerId>,
        created_at: Timestamp,
    } append_only
}

listed! {
    SopTrigger = sop_trigger [CreatedAt; Event] usually newest;
    CustomerEvent = customer_event [CreatedAt; HappenedAt] usually newest;
}

/// Which triggers are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct TriggersWanted {
    /// Those of one procedure.
    pub sop_id: Option<SopId>,
    /// Those for one event.
    pub event: Option<Code>,
    /// Those in one state.
    pub status: Option<SopTriggerStatus>,
}

/// Triggers as `wanted`.
pub fn triggers(wanted: &TriggersWanted) -> Select<sop_trigger::Entity> {
    use sop_trigger::Column as Is;
    sop_trigger::Entity::find()
        .apply_if(wanted.sop_id, |all, id| all.filter(Is::SopId.eq(Uuid::from(id))))
        .apply_if(wanted.event.as_deref(), |all, event| all.filter(Is::Event.eq(event)))
        .apply_if(wanted.status, |all, status| all.filter(Is::Status.eq(table::word(&status))))
}

/// The triggers that begin runs when `event` happens, the oldest first.
pub fn triggered_by(event: &str) -> Select<sop_trigger::Entity> {
    use sop_trigger::Column as Is;
    sop_trigger::Entity::find()
        .filter(Is::Event.eq(event))
        .filter(Is::Status.eq(table::word(&SopTriggerStatus::Active)))
        .order_by_asc(Is::Id)
}

/// The run that a trigger began because of `cause`.
fn begun_by(trigger: SopTriggerId, cause: &str) -> Select<sop_run::Entity> {
    sop_run::Entity::find()
        .filter(sop_run::Column::TriggerId.eq(Uuid::from(trigger)))
        .filter(sop_run::Column::Cause.eq(cause))
}

/// Which events are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct CustomerEventsWanted {
    /// Those of one kind.
    pub kind: Option<Code>,
    /// Those of one customer.
    pub customer: Option<CustomerId>,
    /// Those of one dealer's customers.
    pub dealer: Option<DealerId>,
}

/// Events as `wanted`.
pub fn customer_events(wanted: &CustomerEventsWanted) -> Select<customer_event::Entity> {
    use customer_event::Column as Is;
    customer_event::Entity::find()
        .apply_if(wanted.kind.as_deref(), |all, kind| all.filter(Is::Kind.eq(kind)))
        .apply_if(wanted.customer, |all, id| all.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
}

/// The event that another system calls so.
pub fn customer_event_named(source: &Source, name: &ExternalId) -> Select<customer_event::Entity> {
    use customer_event::Column as Is;
    customer_event::Entity::find()
        .filter(Is::Source.eq(&**source))
        .filter(Is::ExternalId.eq(&**name))
}

impl Tenant {
    /// How many triggers wait for `event`, `but` one; no more than can wait are counted. Whoever asks holds the answer
    /// until this tenant is done, so that of two who add the last one is refused.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn waiting_for(&self, event: &Code, but: SopTriggerId) -> Result<u32, Fault> {
        self.push_alone("sop_trigger", "event", event).await?;
        let others = triggered_by(event).filter(sop_trigger::Column::Id.ne(Uuid::from(but)));
        let counted = self.count::<SopTrigger>(others, u64::from(MOST_TRIGGERS)).await?;
        Ok(u32::try_from(counted).unwrap_or(u32::MAX))
    }

    /// Whether a trigger has begun a run because of `cause`. Whoever asks holds the answer until this tenant is done:
    /// others who ask the same wait, so that of two who hear of the same event one begins the run. The key of the
    /// table says the same.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn has_begun(&self, trigger: SopTriggerId, cause: &str) -> Result<bool, Fault> {
        self.push_alone("sop_trigger", &trigger.to_string(), cause).await?;
        Ok(self.find::<SopRun>(begun_by(trigger, cause)).await?.is_some())
    }
}
