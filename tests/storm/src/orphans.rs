//! Orphans: jobs in the hands of a worker that was lost, and how long it takes until somebody else has them.

use crate::report::Report;
use sqlx::PgPool;
use std::{
    collections::BTreeMap,
    convert::Infallible,
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
/// How often jobs were taken and lost, and when they were done.
const TAKEN: &str = "
    SELECT id::text, attempts, crashes, CASE WHEN state = 'done' THEN finished_at::text END
    FROM job WHERE id::text = ANY ($1)";

/// A job that ran when its worker was lost.
#[derive(Debug, Clone, Copy)]
struct Orphan {
    /// How often it had been taken.
    attempts: i32,
    /// Since when it could be taken again: when its worker was lost or, if that was later, when the database came
    /// back.
    since: Instant,
}

/// A job as it was found: its name, how often it was taken and lost, and when it was done.
type Found = (String, i32, i32, Option<String>);

/// The orphans.
#[derive(Debug, Clone)]
pub(crate) struct Orphans {
    /// Those that nobody has taken yet.
    lying: Arc<Mutex<BTreeMap<String, Orphan>>>,
    /// All there were, with when they were done, as far as it was seen.
    done: Arc<Mutex<BTreeMap<String, Option<String>>>>,
    sql: PgPool,
    report: Report,
}

impl Orphans {
    /// None so far.
    pub(crate) fn new(sql: PgPool, report: Report) -> Self {
        Self { lying: Arc::default(), done: Arc::default(), sql, report }
    }

    /// A worker was just lost, and these jobs ran at that moment. What another worker has is done soon.
    pub(crate) fn expects(&self, running: BTreeMap<String, i32>) {
        let since = Instant::now();
        for (id, attempts) in running {
            open(&self.done).insert(id.clone(), None);
            open(&self.lying).insert(id, Orphan { attempts, since });
        }
    }

    /// The jobs that run at this moment, with how often each was taken; none when nobody can look.
    pub(crate) async fn running(&self) -> BTreeMap<String, i32> {
        let running: Result<Vec<(String, i32)>, _> =
            sqlx::query_as(RUNNING).fetch_all(&self.sql).await;
        running.unwrap_or_default().into_iter().collect()
    }

    /// Looks after them for ever.
    pub(crate) async fn watch(&self) -> Infallible {
        loop {
            if self.look().await.is_err() {
                // The database is away, and nobody could have taken them.
                let now = Instant::now();
                open(&self.lying).values_mut().for_each(|orphan| orphan.since = now);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Says at the end which still lie, and which were done twice: their worker has come back and did not know that they
    /// were its own no longer.
    pub(crate) async fn judge(&self) -> Result<(), sqlx::Error> {
        self.look().await?;
        for (id, orphan) in open(&self.lying).iter() {
            let seconds = orphan.since.elapsed().as_secs();
            self.report
                .violation(format!("nobody has taken the orphan {id} for {seconds} seconds"));
        }
        Ok(())
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        let ids: Vec<String> = open(&self.done).keys().cloned().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found: Vec<Found> = sqlx::query_as(TAKEN).bind(ids).fetch_all(&self.sql).await?;
        for found in found {
            self.see(found);
        }
        Ok(())
    }

    fn see(&self, (id, attempts, crashes, done): Found) {
        let before = open(&self.done).get(&id).cloned().flatten();
        if before.is_some() && before != done {
            self.report.violation(format!("the job {id} was done at {before:?} and at {done:?}"));
        }
        let mut lying = open(&self.lying);
        let taken = |orphan: &&Orphan| done.is_some() || attempts > orphan.attempts;
        if let Some(orphan) = lying.get(&id).filter(taken) {
            self.took(&id, orphan.since.elapsed(), crashes);
            lying.remove(&id);
        }
        open(&self.done).insert(id, done);
    }

    fn took(&self, id: &str, took: Duration, crashes: i32) {
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
}

fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
