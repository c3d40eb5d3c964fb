//! An errand, run once: its jobs opened in their tenant, routed, completed with their effects or given back.

use crate::{
    files::{MOST_SWEPT, looked_at},
    followups,
    outside::{Surroundings, Unreachable},
    procedures::Waiting,
    route::{gather, route},
};
use domain::{
    event::{DayWork, Event},
    followups::{Message, MessageState},
    ids::MessageId,
    jobs::JobState,
};
use futures::FutureExt as _;
use std::{collections::BTreeSet, panic::AssertUnwindSafe, time::Duration};
use store::{
    Failure, Fault, Tenant,
    jobs::{Errand, Lease, Opened, Queue},
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

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
    /// It failed and is tried again later.
    Retried,
    /// It failed and is not tried again.
    Dead,
    /// It could not be tried, because the database was out of reach, and was given back as it was.
    Untried,
    /// It could not even be given back; whoever ran it has it in hand still.
    Stranded,
}

impl Outcome {
    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Lost => "lost",
            Self::Retried => "retried",
            Self::Dead => "dead",
            Self::Untried => "untried",
            Self::Stranded => "stranded",
        }
    }
}

/// Runs jobs.
#[derive(Debug)]
pub struct Runner {
    queue: Queue,
    surroundings: Surroundings,
}

/// Why a job did not get through.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("it took longer than {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("it panicked")]
    Panic,
}

impl Trouble {
    /// Whether it is not the job's: the database is out of reach, or has no connection to give.
    fn is_outage(&self) -> bool {
        matches!(self, Self::Failure(Failure::Fault(Fault::Unreachable(_))))
    }

    /// Whether trying again cannot help: a rule that said no will say no again.
    fn is_final(&self) -> bool {
        match self {
            Self::Failure(Failure::Refused(_) | Failure::NotFound) => true,
            Self::Failure(Failure::Fault(_)) | Self::Unreachable(_) | Self::Slow | Self::Panic => {
                false
            }
        }
    }

    /// Why, for a line that is logged and kept with the job: never what a row or an answer from outside says,
    /// which may be somebody's address.
    fn plainly(&self) -> String {
        match self {
            Self::Failure(Failure::Refused(refusal)) => {
                format!("a rule said no: {}", refusal.rule.code)
            }
            Self::Failure(Failure::Fault(fault)) => fault.plainly(),
            Self::Failure(Failure::NotFound) | Self::Unreachable(_) | Self::Slow | Self::Panic => {
                self.to_string()
            }
        }
    }
}

/// What every line that is logged about a job says of it.
fn span(lease: &Lease) -> Span {
    // As an error: a span that is quieter than a line about it would be missing from that line.
    tracing::error_span!(
        "job", job.id = %lease.job(), job.kind = lease.kind(), tenant.id = %lease.tenant(),
        attempts = lease.attempts(), outcome = Empty
    )
}

fn tell_end(span: &Span, outcome: Outcome, began: Instant) {
    span.record("outcome", outcome.name());
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(duration_ms, "a job ended"));
}

impl Runner {
    /// A runner of the jobs in `queue`, somewhere in the world.
    pub fn new(queue: Queue, surroundings: Surroundings) -> Self {
        Self { queue, surroundings }
    }

    /// Runs jobs to their end, whatever that is, and logs it; answers how each ended. What cannot be done together
    /// is done one by one, so that a job that fails holds no other up.
    pub async fn run(&self, errand: &Errand) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if let leases @ [_, _, ..] = errand.leases() {
            let began = Instant::now();
            if let Ok(Outcome::Done) = self.attempt(errand).await {
                for lease in leases {
                    tell_end(&span(lease), Outcome::Done, began);
                    outcomes.push(Outcome::Done);
                }
                return outcomes;
            }
        }
        for lease in errand.leases() {
            outcomes.push(self.alone(lease).await);
        }
        outcomes
    }

    async fn alone(&self, lease: &Lease) -> Outcome {
        let (span, began) = (span(lease), Instant::now());
        let outcome = async {
            match self.attempt(&lease.clone().into()).await {
                Ok(outcome) => outcome,
                Err(trouble) => self.give_back(lease, &trouble).await,
            }
        };
        let outcome = outcome.instrument(span.clone()).await;
        tell_end(&span, outcome, began);
        outcome
    }

    /// Time limits and panics are handled here, because the runtime would leave such a task running for
    /// ever.
    async fn attempt(&self, errand: &Errand) -> Result<Outcome, Trouble> {
        let work = AssertUnwindSafe(self.work(errand)).catch_unwind();
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Trouble::Panic),
            Err(_) => Err(Trouble::Slow),
        }
    }

    /// Looks for the next job of a sandbox at once: it was held back until this one had ended.
    pub(crate) fn go_on_after(&self, lease: &Lease) {
        self.queue.go_on_after(lease);
    }

    async fn work(&self, errand: &Errand) -> Result<Outcome, Trouble> {
        let opened = self.queue.open(errand).await.map_err(Failure::from)?;
        let Some(Opened { tenant, events }) = opened else { return Ok(Outcome::Lost) };
        if let [Event::MessageQueued { message }] = events.as_slice() {
            return self.deliver(errand, tenant, *message).await;
        }
        if let [Event::DayWorkDue { work: DayWork::Files, .. }] = events.as_slice() {
            return self.sweep(errand, tenant).await;
        }
        let are_several = events.len() > 1;
        if are_several {
            gather(&tenant, &events).await.map_err(Failure::from)?;
        }
        let mut waiting = Waiting::default();
        for (event, lease) in events.iter().zip(errand.leases()) {
            let span = if are_several { span(lease) } else { Span::none() };
            route(&self.surroundings, &mut waiting, &tenant, event).instrument(span).await?;
        }
        self.complete(tenant, errand).await
    }

    /// Sends a message. It is read in one transaction and marked in another; in between, while we talk
    /// to the outside, none is open. Should we be lost before it is marked, it is sent again, under
    /// the same identifier. In quiet hours it waits until they are over: that is looked at now, because they may have
    /// begun since it was written.
    async fn deliver(
        &self,
        errand: &Errand,
        tenant: Tenant,
        id: MessageId,
    ) -> Result<Outcome, Trouble> {
        let message = tenant.get::<Message>(id).await.map_err(Failure::from)?;
        if message.state != MessageState::Queued {
            return self.complete(tenant, errand).await;
        }
        if let Some(over_at) = tenant.quiet_until(message.dealer_id).await? {
            let later = Event::MessageQueued { message: id };
            tenant.emit_at(&later, over_at).await.map_err(Failure::from)?;
            return self.complete(tenant, errand).await;
        }
        drop(tenant);
        let delivery = self.surroundings.outside.deliver(&message).await?;
        let opened = self.queue.open(errand).await.map_err(Failure::from)?;
        let Some(opened) = opened else { return Ok(Outcome::Lost) };
        followups::note(&opened.tenant, id, delivery).await?;
        self.complete(opened.tenant, errand).await
    }

    /// Takes files away that no row came to name. They are looked for and taken away while no transaction is open; in
    /// between it is asked which of them are named. What cannot be reached tonight is there for the next nights.
    async fn sweep(&self, errand: &Errand, tenant: Tenant) -> Result<Outcome, Trouble> {
        let (id, files) = (tenant.id(), tenant.files().clone());
        let while_ago = looked_at(tenant.real_now());
        drop(tenant);
        let found = files.made_between(id, while_ago).await.unwrap_or_else(|fault| {
            tracing::warn!(error = fault.plainly(), "files were not looked through");
            BTreeSet::new()
        });
        let opened = self.queue.open(errand).await.map_err(Failure::from)?;
        let Some(Opened { tenant, .. }) = opened else { return Ok(Outcome::Lost) };
        let unnamed = tenant.unnamed_files(found, while_ago).await.map_err(Failure::from)?;
        drop(tenant);
        for file in unnamed.into_iter().take(MOST_SWEPT) {
            if let Err(fault) = files.forget(id, file).await {
                tracing::warn!(error = fault.plainly(), "a file that nothing names was left");
            }
        }
        let opened = self.queue.open(errand).await.map_err(Failure::from)?;
        let Some(Opened { tenant, .. }) = opened else { return Ok(Outcome::Lost) };
        self.complete(tenant, errand).await
    }

    async fn complete(&self, tenant: Tenant, errand: &Errand) -> Result<Outcome, Trouble> {
        let done = self.queue.complete(tenant, errand).await.map_err(Failure::from)?;
        Ok(if done { Outcome::Done } else { Outcome::Lost })
    }

    async fn give_back(&self, lease: &Lease, trouble: &Trouble) -> Outcome {
        let why = trouble.plainly();
        tracing::warn!(error = why, "a job failed");
        self.given_back(lease, trouble, &why).await.unwrap_or_else(|fault| {
            tracing::warn!(error = fault.plainly(), "a failed job was not given back");
            Outcome::Stranded
        })
    }

    async fn given_back(
        &self,
        lease: &Lease,
        trouble: &Trouble,
        why: &str,
    ) -> Result<Outcome, Fault> {
        if trouble.is_outage() {
            self.queue.postpone(lease, why).await?;
            return Ok(Outcome::Untried);
        }
        let state = self.queue.give_back(lease, why, trouble.is_final()).await?;
        Ok(if state == JobState::Dead { Outcome::Dead } else { Outcome::Retried })
    }
}
