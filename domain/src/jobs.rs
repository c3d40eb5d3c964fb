//! Jobs: what has happened and waits to be followed up, as those who look after the service see it.

use crate::{
    change::Change,
    ids::JobId,
    record::Record,
    refusal::{Refusal, illegal},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One piece of work in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "job_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "order_paid",
    "state": "dead", "due_at": "2026-11-22T09:30:00Z", "attempts": 12, "crashes": 0,
    "last_error": "the database failed", "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// What has happened.
    #[schema(examples("order_paid"))]
    pub kind: String,
    /// Whether it waits, runs or has ended.
    pub state: JobState,
    /// When it was or will be due.
    pub due_at: Timestamp,
    /// How often it was tried.
    #[schema(examples(1))]
    pub attempts: i32,
    /// How often the worker that held it was lost.
    #[schema(examples(0))]
    pub crashes: i32,
    /// Why it did not get through the last time; cleared by success.
    #[schema(examples("the database failed"))]
    pub last_error: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
}

/// Whether a job waits, runs or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its time, or for a worker.
    Ready,
    /// A worker has it.
    Running,
    /// Its effects are on disk.
    Done,
    /// It is given up, until somebody replays it.
    Dead,
}

impl Job {
    /// Gives a dead job another life: all its attempts again.
    ///
    /// # Errors
    ///
    /// An illegal transition when it is not dead.
    pub fn replay(self) -> Result<Change<Self>, Refusal> {
        match self.state {
            JobState::Dead => {}
            JobState::Ready | JobState::Running | JobState::Done => {
                return Err(illegal(self.state, &[]));
            }
        }
        let replayed = Self { state: JobState::Ready, attempts: 0, crashes: 0, ..self };
        Ok(Change::new("replay", replayed).moved(JobState::Dead, JobState::Ready))
    }
}

impl Record for Job {
    type Id = JobId;

    fn id(&self) -> JobId {
        self.id
    }
}
