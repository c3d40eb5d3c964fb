//! Triggers: what has to happen for a procedure to begin by itself.

use crate::{
    change::Change,
    conditions::Condition,
    ids::{SopId, SopTriggerId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code},
    time::{CivilDate, Timestamp, WallTime, Zone},
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

/// What happened longer ago is history that is brought in, and nothing begins by it any more. A month, because there
/// are brands whose sales are handed in once a month.
const FOLLOWED_DAYS: i64 = 30;

/// The most triggers that wait for one event: each begins a run in the same breath.
pub const MOST_TRIGGERS: u32 = 20;

/// One more trigger waits for an event than can.
pub(super) static TOO_MANY_TRIGGERS: Rule = Rule {
    code: "too_many_triggers",
    kind: Kind::Conflict,
    title: Bilingual {
        en: "Too many triggers for one event", zh: "同一事件的触发器过多"
    },
    detail: Bilingual {
        en: "{most} triggers wait for {event} already; no more than that begin runs at once.",
        zh: "已有 {most} 个触发器等待 {event}，同一事件最多触发这么多。",
    },
    advice: Bilingual {
        en: "Pause one of them, or bring two procedures together in one.",
        zh: "请暂停其中一个，或将两份规程合并。",
    },
};

/// When something happened of which only the day is known: at its end, and while it lasts, now. So nobody is late for
/// what they could not know of.
pub fn happened_on(day: CivilDate, zone: Zone, now: Timestamp) -> Timestamp {
    day.plus_days(1).at(WallTime::MIDNIGHT, zone).min(now)
}

/// Whether procedures still begin by what happened then: up to 30 days ago.
pub fn is_followed(happened_at: Timestamp, now: Timestamp) -> bool {
    happened_at.plus_days(FOLLOWED_DAYS) >= now
}

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
    /// A trigger that begins runs from now on. `waiting` others wait for the same event.
    ///
    /// # Errors
    ///
    /// `too_many_triggers` when those are 20.
    pub fn create(
        id: SopTriggerId,
        details: SopTriggerDetails,
        waiting: u32,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        require_place(&details.event, waiting)?;
        let (status, version) = (SopTriggerStatus::Active, Version::FIRST);
        Ok(Change::created(Self { id, details, status, version, created_at: now }))
    }

    /// Says something else about when the procedure begins; runs that began go on. `waiting` others wait for the event
    /// that `details` name.
    ///
    /// # Errors
    ///
    /// `too_many_triggers` when it begins runs and those are 20.
    pub fn change(self, details: SopTriggerDetails, waiting: u32) -> Result<Change<Self>, Refusal> {
        if self.status == SopTriggerStatus::Active {
            require_place(&details.event, waiting)?;
        }
        Ok(Change::edit("change", &self, |it| it.details = details))
    }

    /// Begins no more runs for now.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is paused already.
    pub fn pause(self) -> Result<Change<Self>, Refusal> {
        self.turn("pause", SopTriggerStatus::Active, SopTriggerStatus::Paused)
    }

    /// Begins runs again; what happened meanwhile is not made up for. `waiting` others wait for the same event.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not paused; `too_many_triggers` when those are 20.
    pub fn resume(self, waiting: u32) -> Result<Change<Self>, Refusal> {
        let event = self.details.event.clone();
        let resumed = self.turn("resume", SopTriggerStatus::Paused, SopTriggerStatus::Active)?;
        require_place(&event, waiting)?;
        Ok(resumed)
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

fn require_place(event: &Code, waiting: u32) -> Result<(), Refusal> {
    if waiting < MOST_TRIGGERS {
        return Ok(());
    }
    let refusal = Refusal::new(&TOO_MANY_TRIGGERS).with("event", event);
    Err(refusal.with("most", MOST_TRIGGERS))
}

#[cfg(test)]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::*;
    use crate::refusal::ILLEGAL_TRANSITION;
    use serde_json::json;
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn made(waiting: u32) -> Result<Change<SopTrigger>, Refusal> {
        let sop = SopId::from(Uuid::from_u128(1));
        let details = json!({ "sop_id": sop, "event": "check_out" });
        let details: SopTriggerDetails = serde_json::from_value(details).unwrap();
        SopTrigger::create(Uuid::from_u128(2).into(), details, waiting, now())
    }

    #[test]
    fn a_trigger_is_paused_and_resumed() {
        let active = made(0).unwrap().record;
        assert_eq!(active.clone().resume(0).unwrap_err().rule, &ILLEGAL_TRANSITION);
        let paused = active.pause().unwrap().record;
        assert_eq!(paused.status, SopTriggerStatus::Paused);
        let refused = paused.clone().pause().unwrap_err();
        assert_eq!(refused.facts.get("allowed_transitions"), Some(&json!(["resume"])));
        assert_eq!(paused.resume(0).unwrap().record.status, SopTriggerStatus::Active);
    }

    #[test]
    fn twenty_triggers_wait_for_an_event_and_no_more() {
        let active = made(19).unwrap().record;
        assert_eq!(made(20).unwrap_err().rule, &TOO_MANY_TRIGGERS);
        let details = active.details.clone();
        assert!(active.clone().change(details.clone(), 19).is_ok());
        assert_eq!(
            active.clone().change(details.clone(), 20).unwrap_err().rule,
            &TOO_MANY_TRIGGERS
        );
        let paused = active.pause().unwrap().record;
        assert!(paused.clone().change(details, 20).is_ok(), "it waits for nothing");
        assert_eq!(paused.resume(20).unwrap_err().rule, &TOO_MANY_TRIGGERS);
    }

    #[test]
    fn a_day_is_over_at_its_end_or_now() {
        let zone: Zone = "Asia/Shanghai".parse().unwrap();
        let on = |text: &str| happened_on(text.parse().unwrap(), zone, now());
        assert_eq!(on("2026-11-21"), "2026-11-21T16:00:00Z".parse().unwrap());
        assert_eq!(on("2026-11-22"), now());
    }

    #[test]
    fn what_happened_a_month_ago_begins_something_and_what_happened_before_does_not() {
        let month_ago = now().plus_days(-30);
        assert!(is_followed(month_ago, now()));
        assert!(!is_followed(month_ago.plus_seconds(-1), now()));
        assert!(is_followed(now().plus_hours(1), now()));
    }
}
