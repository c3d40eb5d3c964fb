//! Operations: long pieces of work that are accepted at once and go on by themselves.

use crate::{
    change::Change,
    ids::{DealerId, OperationId},
    record::{Record, Version},
    refusal,
    refusal::Refusal,
    text::Line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A long piece of work, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OperationRecord)]
pub struct Operation {
    /// Its identifier.
    pub id: OperationId,
    /// What kind of work it is.
    pub kind: OperationKind,
    /// The dealer whose people may follow it, beside the brand's.
    pub dealer_id: Option<DealerId>,
    /// Whether it waits, goes on or has ended.
    pub status: OperationStatus,
    /// How far it has come.
    pub progress: Progress,
    /// What has come of the pieces that are done.
    pub outcome: Tally,
    /// Why it failed, if it did.
    pub failure: Option<Line>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its first piece was done.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What kind of work an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A file of records is taken over.
    Import,
    /// The clock of a sandbox moves, and what becomes due on the way is done.
    ClockAdvance,
}

/// Whether an operation waits, goes on or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// It was accepted and has not begun.
    Queued,
    /// It goes on.
    Running,
    /// It came to its end. Single pieces may have failed: see `progress.failed`.
    Succeeded,
    /// It was given up before its end; what was done until then stands.
    Failed,
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Pieces that were looked at, failed ones included.
    pub done: u32,
    /// Pieces in all.
    pub total: u32,
    /// Pieces that failed.
    pub failed: u32,
}

/// What has come of pieces of work, such as the rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// Records that were not there before.
    pub created: u32,
    /// Records that were there and are different now.
    pub changed: u32,
    /// Records that were there and say the same.
    pub unchanged: u32,
}

impl Tally {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            created: self.created.saturating_add(other.created),
            changed: self.changed.saturating_add(other.changed),
            unchanged: self.unchanged.saturating_add(other.unchanged),
        }
    }

    /// How many pieces it counts.
    pub fn total(self) -> u32 {
        self.created.saturating_add(self.changed).saturating_add(self.unchanged)
    }
}

impl Operation {
    /// Accepts a piece of work of `total` pieces.
    pub fn accept(
        id: OperationId,
        kind: OperationKind,
        dealer_id: Option<DealerId>,
        total: u32,
        now: Timestamp,
    ) -> Change<Self> {
        Change::created(Self {
            id,
            kind,
            dealer_id,
            status: OperationStatus::Queued,
            progress: Progress { done: 0, total, failed: 0 },
            outcome: Tally::default(),
            failure: None,
            created_at: now,
            started_at: None,
            finished_at: None,
            version: Version::FIRST,
        })
    }

    /// Counts pieces that were done, `failed` of them without success, and ends by itself with the
    /// last one.
    ///
    /// # Errors
    ///
    /// An illegal transition when it has ended.
    pub fn advance(
        self,
        outcome: Tally,
        failed: u32,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        self.check_open()?;
        let Progress { done, total, failed: failed_before } = self.progress;
        let done = done.saturating_add(outcome.total()).saturating_add(failed).min(total);
        let progress = Progress { done, total, failed: failed_before.saturating_add(failed) };
        let (from, is_last) = (self.status, done == total);
        let status = if is_last { OperationStatus::Succeeded } else { OperationStatus::Running };
        let operation = Self {
            status,
            progress,
            outcome: self.outcome.plus(outcome),
            started_at: self.started_at.or(Some(now)),
            finished_at: is_last.then_some(now),
            ..self
        };
        Ok(Change::new("advance", operation).moved(from, status).with("done", done))
    }

    /// Gives up, because of `failure`.
    ///
    /// # Errors
    ///
    /// An illegal transition when it has ended.
    pub fn fail(self, failure: Line, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.check_open()?;
        let (from, status) = (self.status, OperationStatus::Failed);
        let failed = Self { status, failure: Some(failure), finished_at: Some(now), ..self };
        Ok(Change::new("fail", failed).moved(from, status))
    }

    /// When it will have ended if it goes on as it did so far; `None` before it began and after it
    /// ended.
    pub fn eta(&self, now: Timestamp) -> Option<Timestamp> {
        match self.status {
            OperationStatus::Running => {}
            OperationStatus::Queued | OperationStatus::Succeeded | OperationStatus::Failed => {
                return None;
            }
        }
        let seconds = now.seconds_since(self.created_at).max(0);
        let Progress { done, total, failed: _ } = self.progress;
        let left = i64::from(total.saturating_sub(done));
        let remaining = seconds.saturating_mul(left).checked_div(i64::from(done))?;
        Some(now.plus_seconds(remaining))
    }

    fn check_open(&self) -> Result<(), Refusal> {
        match self.status {
            OperationStatus::Queued | OperationStatus::Running => Ok(()),
            OperationStatus::Succeeded | OperationStatus::Failed => {
                Err(refusal::illegal(self.status, &[]))
            }
        }
    }
}

impl Record for Operation {
    type Id = OperationId;

    fn id(&self) -> OperationId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn start() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn created(count: u32) -> Tally {
        Tally { created: count, ..Tally::default() }
    }

    fn of(total: u32) -> Operation {
        let id = Uuid::from_u128(1).into();
        Operation::accept(id, OperationKind::Import, None, total, start()).record
    }

    #[test]
    fn it_ends_with_its_last_piece() {
        let running = of(10).advance(created(6), 3, start()).unwrap().record;
        assert_eq!(running.status, OperationStatus::Running);
        assert_eq!(running.progress, Progress { done: 9, total: 10, failed: 3 });
        let ended = running.advance(created(1), 0, start().plus_minutes(1)).unwrap().record;
        assert_eq!(ended.status, OperationStatus::Succeeded);
        assert_eq!(ended.outcome, created(7));
        assert_eq!(ended.finished_at, Some(start().plus_minutes(1)));
        assert!(ended.clone().advance(created(1), 0, start()).is_err());
        assert!(ended.fail(Line::new("out of order").unwrap(), start()).is_err());
    }

    #[test]
    fn its_end_is_expected_by_the_pace_so_far() {
        let hour_later = start().plus_hours(1);
        assert_eq!(of(10).eta(hour_later), None);
        let running = of(9).advance(created(3), 0, hour_later).unwrap().record;
        assert_eq!(running.eta(hour_later), Some(start().plus_hours(3)));
    }

    #[test]
    fn what_was_given_up_says_why() {
        let given_up = of(10).fail(Line::new("The file is gone.").unwrap(), start()).unwrap();
        assert_eq!(given_up.record.status, OperationStatus::Failed);
        assert_eq!(given_up.record.failure.as_deref(), Some("The file is gone."));
    }
}
