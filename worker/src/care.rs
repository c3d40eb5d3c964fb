//! Looking after the queue: leases are kept, orphans are swept up, and the operator sees how it goes.

use crate::backend::Held;
use std::time::Duration;
use store::{
    Fault,
    jobs::{LEASE, Queue},
};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often orphans are looked for.
const SWEEP: Duration = Duration::from_secs(2);
/// How often the queue is counted. Collectors ask every 15 seconds or so.
const COUNT: Duration = Duration::from_secs(15);
/// How long nothing is swept up after the database was out of reach: the others could not keep their
/// leases either, and get the time to.
const PARDON: Duration = Duration::from_secs(10);

/// Looks after the queue, for ever.
pub(crate) async fn caretake(queue: Queue, held: Held) {
    let mut renewal = every(LEASE.div_f32(4.0));
    let mut sweeping = every(SWEEP);
    let mut counting = every(COUNT);
    loop {
        let cared = tokio::select! {
            _ = renewal.tick() => keep(&queue, &held).await,
            _ = sweeping.tick() => sweep(&queue).await,
            _ = counting.tick() => count(&queue).await,
        };
        if let Err(fault) = cared {
            tracing::warn!(error = %fault, "the queue cannot be looked after");
            sweeping.reset_after(PARDON);
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Gives back what could not be given back before, and keeps the leases of the rest.
async fn keep(queue: &Queue, held: &Held) -> Result<(), Fault> {
    for lease in held.stranded() {
        queue.postpone(&lease, "the database was out of reach").await?;
        held.release(&lease);
    }
    let tokens = held.tokens();
    if tokens.is_empty() { Ok(()) } else { queue.renew(tokens).await }
}

async fn sweep(queue: &Queue) -> Result<(), Fault> {
    let orphans = queue.sweep().await?;
    metrics::counter!("aftercare_sweeps_total").increment(1);
    if !orphans.is_empty() {
        tracing::warn!(orphans = orphans.len(), "jobs of lost workers were put back");
    }
    for orphan in orphans {
        ended(&orphan.kind, "crashed");
        if orphan.dead {
            ended(&orphan.kind, "dead");
        }
    }
    Ok(())
}

async fn count(queue: &Queue) -> Result<(), Fault> {
    let backlog = queue.backlog().await?;
    for (state, jobs) in [
        ("due", backlog.due),
        ("scheduled", backlog.scheduled),
        ("running", backlog.running),
        ("dead", backlog.dead),
    ] {
        metrics::gauge!("aftercare_queue_jobs", "state" => state).set(jobs);
    }
    metrics::gauge!("aftercare_queue_lag_seconds").set(backlog.lag_seconds);
    metrics::gauge!("aftercare_queue_oldest_seconds").set(backlog.oldest_seconds);
    Ok(())
}

/// Counts how a job of a kind ended.
pub(crate) fn ended(kind: &str, outcome: &'static str) {
    let kind = kind.to_owned();
    metrics::counter!("aftercare_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
}
