//! One job, run once: opened in its tenant, routed, completed with its effects or given back.

use crate::route::route;
use futures::FutureExt as _;
use std::{panic::AssertUnwindSafe, time::Duration};
use store::{
    Failure, Fault,
    jobs::{Lease, Queue},
};

/// How long a job may take. Below the lease, so that a job is never run twice at a time even when a
/// renewal is lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its effects are on disk.
    Done,
    /// Somebody else has it; nothing happened here.
    Lost,
    /// It failed and is tried again later, or is dead.
    GivenBack,
}

/// Runs jobs.
#[derive(Debug)]
pub struct Runner {
    queue: Queue,
}

/// Why a job did not get through.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("it took longer than {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("it panicked")]
    Panic,
}

impl Trouble {
    /// Whether trying again cannot help: a rule that said no will say no again.
    fn is_final(&self) -> bool {
        match self {
            Self::Failure(Failure::Refused(_) | Failure::NotFound) => true,
            Self::Failure(Failure::Fault(_)) | Self::Slow | Self::Panic => false,
        }
    }
}

impl Runner {
    /// A runner of the jobs in `queue`.
    pub fn new(queue: Queue) -> Self {
        Self { queue }
    }

    /// Runs a job to its end, whatever that is. Time limits and panics are handled here, because the
    /// runtime would leave such a task running for ever.
    pub async fn run(&self, lease: &Lease) -> Outcome {
        let work = AssertUnwindSafe(self.work(lease)).catch_unwind();
        let trouble = match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(Ok(outcome))) => return outcome,
            Ok(Ok(Err(failure))) => Trouble::Failure(failure),
            Ok(Err(_)) => Trouble::Panic,
            Err(_) => Trouble::Slow,
        };
        self.give_back(lease, &trouble).await;
        Outcome::GivenBack
    }

    async fn work(&self, lease: &Lease) -> Result<Outcome, Failure> {
        let Some(opened) = self.queue.open(lease).await? else { return Ok(Outcome::Lost) };
        route(&opened.tenant, &opened.event).await?;
        let done = self.queue.complete(opened.tenant, lease).await?;
        Ok(if done { Outcome::Done } else { Outcome::Lost })
    }

    async fn give_back(&self, lease: &Lease, trouble: &Trouble) {
        let why = chain(trouble);
        tracing::warn!(
            job.id = %lease.job(), job.kind = lease.kind(), tenant.id = %lease.tenant(),
            attempts = lease.attempts(), error = why, "a job failed"
        );
        let given: Result<(), Fault> = self.queue.give_back(lease, &why, trouble.is_final()).await;
        if let Err(fault) = given {
            tracing::warn!(error = %fault, "a failed job was not given back; its lease lapses");
        }
    }
}

/// An error with its causes, for one line of a log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
