//! The log of a clock, and what it says: nothing of it is ever changed, and everything else follows from it.

use super::{SlaClockState, deadline::Stretch};
use crate::{
    ids::{DealerId, SlaClockId, SlaEventId},
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Events of one clock, at most: what is read for each of them must stay a page.
pub const MOST_SLA_EVENTS: u32 = 400;

/// What happens to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaEventKind {
    /// The time began to run; of what is due again and again, each round begins so.
    Started,
    /// It stands still, because we wait for the customer.
    Paused,
    /// It runs on: the customer has answered, or the complaint was reopened.
    Resumed,
    /// The deadline came near.
    Warned,
    /// The deadline passed.
    Breached,
    /// What was due was done.
    Met,
    /// It cannot be done any more, and need not be.
    Cancelled,
}

impl SlaEventKind {
    /// Whether nothing is owed any more by it.
    pub fn ends(self) -> bool {
        match self {
            Self::Met | Self::Cancelled => true,
            Self::Started | Self::Paused | Self::Resumed | Self::Warned | Self::Breached => false,
        }
    }
}

/// One line of the log of a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "sle_01m80t7jx3e9vbq2f4c6d8g0hk", "sla_clock_id": "slc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "number": 2, "round": 1, "kind": "warned",
    "at": "2026-11-23T01:15:00Z", "level_seconds": 2700, "due_at": "2026-11-23T01:30:00Z",
    "created_at": "2026-11-23T01:15:00Z",
})))]
pub struct SlaEvent {
    /// Its identifier.
    pub id: SlaEventId,
    /// The clock.
    pub sla_clock_id: SlaClockId,
    /// Whose people see it.
    pub dealer_id: Option<DealerId>,
    /// Which event of the clock, from 1.
    pub number: u32,
    /// In which round it happened, from 1; always 1 where a metric is due once.
    pub round: u32,
    /// What happened.
    pub kind: SlaEventKind,
    /// When it happened: of a warning and a missed deadline the instant itself, however late it was noticed.
    pub at: Timestamp,
    /// Of a warning and a missed deadline: after how many seconds that count. Each is noted once in a round.
    pub level_seconds: Option<i64>,
    /// The deadline from then on, as it was counted then; null while there is none.
    pub due_at: Option<Timestamp>,
    /// When it was written down.
    pub created_at: Timestamp,
}

impl Record for SlaEvent {
    type Id = SlaEventId;

    fn id(&self) -> SlaEventId {
        self.id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// What a log says of its last round, which is the only one of what is due once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaStanding {
    /// When the time began to run.
    pub started_at: Timestamp,
    /// When it stood still, the first time first.
    pub pauses: Vec<Stretch>,
    /// Since when it stands still.
    pub paused_since: Option<Timestamp>,
    /// After how many seconds that count warnings were given.
    pub warned: BTreeSet<i64>,
    /// When the deadline passed.
    pub breached_at: Option<Timestamp>,
    /// When what was due was done, for the last time.
    pub met_at: Option<Timestamp>,
    /// When it was given up.
    pub cancelled_at: Option<Timestamp>,
    /// The instant of the last event.
    pub last_at: Timestamp,
}

impl SlaStanding {
    /// Folds the last round of a log, in the order of its numbers. `None` when it is empty. What happened at the same instant happened
    /// at once: its order does not matter.
    pub fn of(events: &[SlaEvent]) -> Option<Self> {
        let round = events.last()?.round;
        let before = events.partition_point(|event| event.round < round);
        let events = events.get(before..)?;
        let started_at = events.first()?.at;
        let mut standing = Self {
            started_at,
            pauses: Vec::new(),
            paused_since: None,
            warned: BTreeSet::new(),
            breached_at: None,
            met_at: None,
            cancelled_at: None,
            last_at: started_at,
        };
        for together in events.chunk_by(|one, next| one.at == next.at) {
            standing.take(together);
        }
        Some(standing)
    }

    /// Where the clock stands.
    pub fn state(&self) -> SlaClockState {
        match (self.cancelled_at, self.met_at, self.breached_at, self.paused_since) {
            (Some(_), _, _, _) => SlaClockState::Cancelled,
            (None, Some(_), Some(_), _) => SlaClockState::MetLate,
            (None, Some(_), None, _) => SlaClockState::Met,
            (None, None, Some(_), _) => SlaClockState::Breached,
            (None, None, None, Some(_)) => SlaClockState::Paused,
            (None, None, None, None) => SlaClockState::Running,
        }
    }

    /// What happened at one instant.
    fn take(&mut self, together: &[SlaEvent]) {
        let Some(at) = together.first().map(|event| event.at) else { return };
        let has = |kind| together.iter().any(|event| event.kind == kind);
        self.last_at = at;
        if has(SlaEventKind::Breached) {
            self.breached_at = self.breached_at.or(Some(at));
        }
        let warnings = together.iter().filter(|event| event.kind == SlaEventKind::Warned);
        self.warned.extend(warnings.filter_map(|event| event.level_seconds));
        if has(SlaEventKind::Cancelled) {
            self.cancelled_at = self.cancelled_at.or(Some(at));
        }
        let (pauses, resumes) = (has(SlaEventKind::Paused), has(SlaEventKind::Resumed));
        if has(SlaEventKind::Met) {
            self.meet(at, resumes);
        } else if resumes && !pauses {
            let since = self.met_at.take().or_else(|| self.paused_since.take());
            self.end_pause(since, at);
        } else if pauses && !resumes && self.met_at.is_none() {
            self.paused_since = self.paused_since.or(Some(at));
        }
    }

    fn meet(&mut self, at: Timestamp, resumes: bool) {
        if self.met_at.is_some() && !resumes {
            return;
        }
        let since = self.met_at.take().or_else(|| self.paused_since.take());
        self.end_pause(since, at);
        self.met_at = Some(at);
    }

    fn end_pause(&mut self, since: Option<Timestamp>, at: Timestamp) {
        if let Some(from) = since.filter(|since| *since < at) {
            self.pauses.push(Stretch { from, to: at });
        }
    }
}
