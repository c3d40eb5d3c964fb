//! Orphans: jobs in the hands of a worker that was lost, and how long it takes until somebody else has them.

use crate::report::Report;
use sqlx::PgPool;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Within this, an orphan is started again.
const LIMIT: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is in the hands of workers, by job, with how often it was taken.
const RUNNING: &str = "SELECT id::text, attempts FROM job WHERE state = 'running'";
/// How often jobs were taken, and whether they are done.
const TAKEN: &str =
    "SELECT id::text, attempts, state = 'done', crashes FROM job WHERE id::text = ANY ($1)";

/// A job that ran when its worker was lost.
#[derive(Debug, Clone, Copy)]
struct Orphan {
    /// How often it had been taken.
    attempts: i32,
    /// Since when it could be taken again: when its worker was lost or, if that was later, when the database came
    /// back.
    since: Instant,
}

/// The orphans that nobody has taken yet.
#[derive(Debug, Clone)]
pub(crate) struct Orphans {
    lying: Arc<Mutex<BTreeMap<String, Orphan>>>,
    sql: PgPool,
    report: Report,
}

impl Orphans {
    /// None so far.
    pub(crate) fn new(sql: PgPool, report: Report) -> Self {
        Self { lying: Arc::default(), sql, report }
    }

    /// A worker was just lost, and these jobs ran at that moment. What another worker has is done soon.
    pub(crate) fn expects(&self, running: BTreeMap<String, i32>) {
        let since = Instant::now();
        let orphans = running.into_iter().map(|(id, attempts)| (id, Orphan { attempts, since }));
        self.lying().extend(orphans);
    }

    /// The jobs that run at this moment, with how often each was taken; none when nobody can look.
    pub(crate) async fn running(&self) -> BTreeMap<String, i32> {
        let running: Result<Vec<(String, i32)>, _> =
            sqlx::query_as(RUNNING).fetch_all(&self.sql).await;
        running.unwrap_or_default().into_iter().collect()
    }

    /// Looks after them for ever.
    pub(crate) async fn watch(&self) {
        loop {
            self.look().await;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Says which still lie at the end.
    pub(crate) fn left(&self) {
        for (id, orphan) in self.lying().iter() {
            let seconds = orphan.since.elapsed().as_secs();
            self.report
                .violation(format!("nobody has taken the orphan {id} for {seconds} seconds"));
        }
    }

    async fn look(&self) {
        let ids: Vec<String> = self.lying().keys().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let taken: Result<Vec<(String, i32, bool, i32)>, _> =
            sqlx::query_as(TAKEN).bind(ids).fetch_all(&self.sql).await;
        let Ok(taken) = taken else {
            let now = Instant::now();
            self.lying().values_mut().for_each(|orphan| orphan.since = now);
            return;
        };
        for (id, attempts, is_done, crashes) in taken {
            self.see(&id, attempts, is_done, crashes);
        }
    }

    fn see(&self, id: &str, attempts: i32, is_done: bool, crashes: i32) {
        let mut lying = self.lying();
        let Some(orphan) = lying.get(id).filter(|orphan| is_done || attempts > orphan.attempts)
        else {
            return;
        };
        let took = orphan.since.elapsed();
        lying.remove(id);
        // Otherwise it was never lost, and the worker that had it has brought it to its end.
        if crashes > 0 {
            self.report.note(|seen| {
                seen.orphans = seen.orphans.saturating_add(1);
                seen.longest_orphan = seen.longest_orphan.max(took);
            });
        }
        if took > LIMIT {
            let seconds = took.as_secs();
            self.report.violation(format!("the orphan {id} was taken after {seconds} seconds"));
        }
    }

    fn lying(&self) -> MutexGuard<'_, BTreeMap<String, Orphan>> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
