//! The worker: what happens after something has happened.
//!
//! Jobs are fetched fairly over all tenants ([`backend`]), run in one transaction of the tenant they
//! belong to, small ones several at a time ([`run`]), and routed by what has happened ([`route`]).

mod allowances;
mod backend;
mod calendars;
mod care;
mod clocks;
mod complaints;
mod days;
mod files;
mod followups;
mod imports;
mod inventory;
mod maintenance;
pub mod outside;
mod procedures;
mod quality;
mod route;
mod run;
mod sandbox;
mod surveys;
mod visits;

use apalis::{
    layers::WorkerBuilderExt as _,
    prelude::{Data, Monitor, WorkerBuilder},
};
use backend::Jobs;
use futures::FutureExt as _;
use std::{sync::Arc, time::Duration};
use store::{
    Store,
    jobs::{Errand, Queue},
};

pub use outside::Surroundings;
pub use run::{Outcome, Runner};

/// How often an idle worker looks by itself, should a wake-up be lost.
const POLL: Duration = Duration::from_millis(500);
/// How long jobs in flight may take to finish when the worker stops.
const GRACE: Duration = Duration::from_secs(25);

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Transactions in flight at once, each with one job or several small ones of one brand; the pool of
    /// connections bounds them too.
    pub slots: u16,
}

/// Works until `stop`, then finishes what is in flight and gives back what is not begun.
///
/// # Errors
///
/// When the runtime of the jobs cannot go on.
pub async fn work(
    store: Store,
    settings: Settings,
    surroundings: Surroundings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), std::io::Error> {
    let queue = Queue::new(store);
    let runner = Arc::new(Runner::new(queue.clone(), surroundings));
    let held = backend::Held::default();
    let slots = settings.slots;
    let monitor = Monitor::new()
        .register({
            let (queue, held) = (queue.clone(), held.clone());
            move |number| {
                WorkerBuilder::new(format!("aftercare-{number}"))
                    .backend(Jobs::new(queue.clone(), held.clone(), slots, POLL))
                    .data(Arc::clone(&runner))
                    .data(held.clone())
                    .concurrency(usize::from(slots))
                    .build(handle)
            }
        })
        .should_restart(|_, _| true)
        .shutdown_timeout(GRACE);
    let told = held.clone();
    let stop = stop.map(move |()| told.close());
    let work = async {
        let worked = monitor.run_with_signal(stop.map(Ok)).await;
        held.close();
        worked
    };
    // The caretaker goes before anything is given back: it may have the only connection.
    let worked = tokio::select! {
        (worked, ()) = async { tokio::join!(work, held.end_fetch()) } => worked,
        () = care::caretake(queue.clone(), held.clone()) => Ok(()),
    };
    if let Err(fault) = queue.return_untried(held.tokens()).await {
        tracing::warn!(error = %fault, "jobs in hand were not given back; their leases lapse");
    }
    worked.map_err(std::io::Error::other)
}

/// One errand, from apalis's hands into ours. Never fails: the outcome is in the database.
async fn handle(errand: Errand, runner: Data<Arc<Runner>>, held: Data<backend::Held>) {
    let began = tokio::time::Instant::now();
    let outcomes = runner.run(&errand).await;
    for (lease, outcome) in errand.leases().iter().zip(outcomes) {
        let kind = lease.kind().to_owned();
        metrics::histogram!("aftercare_job_duration_seconds", "kind" => kind)
            .record(began.elapsed().as_secs_f64());
        care::ended(lease.kind(), outcome.name());
        if outcome == Outcome::Stranded {
            held.strand(lease.clone());
        } else {
            held.release(lease);
            runner.go_on_after(lease);
        }
    }
    held.free_slot();
}
