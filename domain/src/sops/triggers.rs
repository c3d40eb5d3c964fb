//! Triggers: what has to happen for a procedure to begin by itself.

use crate::{
    change::Change,
    conditions::Condition,
    ids::{SopId, SopTriggerId},
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::Code,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happens in the service itself, by the names that triggers give it. Everything else is told by the brand
/// (`POST /v1/customer-events`).
pub const OWN_EVENTS: [&str; 6] = [
    "asset_delivered",
    "complaint_opened",
    "complaint_resolved",
    "order_paid",
    "survey_answered",
    "work_order_completed",
];

/// Whether a trigger begins runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopTriggerStatus {
    /// It does.
    Active,
    /// It does not, until it is resumed.
    Paused,
}

/// When a procedure begins by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "event": "check_out",
    "filter": "customer.tier == \"gold\"",
})))]
pub struct SopTriggerDetails {
    /// The procedure that begins.
    pub sop_id: SopId,
    /// What happens: `order_paid`, `asset_delivered`, `complaint_opened`, `complaint_resolved`, `survey_answered` or
    /// `work_order_completed`, or the kind of an event that the brand tells (`check_out`).
    pub event: Code,
    /// For which of those events; for all when nothing is said. What was told with the event is `event.…`.
    #[serde(default)]
    pub filter: Option<Condition>,
}

/// When a procedure begins by itself. One run begins for each thing that happens, however often it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "trg_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "event": "check_out", "filter": "customer.tier == \"gold\"", "status": "active",
    "version": 1, "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct SopTrigger {
    /// Its identifier.
    pub id: SopTriggerId,
    /// When which procedure begins.
    #[serde(flatten)]
    pub details: SopTriggerDetails,
    /// Whether it begins runs.
    pub status: SopTriggerStatus,
    /// How often the record was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Record for SopTrigger {
    type Id = SopTriggerId;

    fn id(&self) -> SopTriggerId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

impl SopTrigger {
    /// A trigger that begins runs from now on.
    pub fn create(id: SopTriggerId, details: SopTriggerDetails, now: Timestamp) -> Change<Self> {
        let (status, version) = (SopTriggerStatus::Active, Version::FIRST);
        Change::created(Self { id, details, status, version, created_at: now })
    }

    /// Says something else about when the procedure begins; runs that began go on.
    pub fn change(self, details: SopTriggerDetails) -> Change<Self> {
        Change::edit("change", &self, |it| it.details = details)
    }

    /// Begins no more runs for now.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is paused already.
    pub fn pause(self) -> Result<Change<Self>, Refusal> {
        self.turn("pause", SopTriggerStatus::Active, SopTriggerStatus::Paused)
    }

    /// Begins runs again; what happened meanwhile is not made up for.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not paused.
    pub fn resume(self) -> Result<Change<Self>, Refusal> {
        self.turn("resume", SopTriggerStatus::Paused, SopTriggerStatus::Active)
    }

    fn turn(
        self,
        verb: &'static str,
        from: SopTriggerStatus,
        to: SopTriggerStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            let allowed = match self.status {
                SopTriggerStatus::Active => "pause",
                SopTriggerStatus::Paused => "resume",
            };
            return Err(illegal(self.status, &[allowed]));
        }
        Ok(Change::new(verb, Self { status: to, ..self }).moved(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::ILLEGAL_TRANSITION;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_trigger_is_paused_and_resumed() {
        let sop = SopId::from(Uuid::from_u128(1));
        let details = json!({ "sop_id": sop, "event": "check_out" });
        let details: SopTriggerDetails = serde_json::from_value(details).unwrap();
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let active = SopTrigger::create(Uuid::from_u128(2).into(), details, now).record;
        assert_eq!(active.clone().resume().unwrap_err().rule, &ILLEGAL_TRANSITION);
        let paused = active.pause().unwrap().record;
        assert_eq!(paused.status, SopTriggerStatus::Paused);
        let refused = paused.clone().pause().unwrap_err();
        assert_eq!(refused.facts.get("allowed_transitions"), Some(&json!(["resume"])));
        assert_eq!(paused.resume().unwrap().record.status, SopTriggerStatus::Active);
    }
}
