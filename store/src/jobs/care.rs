//! The caretaker's side of the queue: keeping leases, putting back what lost workers left behind, and
//! saying how far the queue is behind.

use super::{
    Durable, LEASE, LONGEST_PAUSE_SECONDS, MOST_ATTEMPTS, MOST_CRASHES, Queue, seconds, statement,
};
use crate::Fault;
use sea_orm::{DbErr, FromQueryResult};
use uuid::Uuid;

/// Most orphans that one sweep puts back.
const MOST_ORPHANS: i64 = 500;

/// Passes over what is being completed: it would wait for one job of several while it holds another, and whoever
/// completes them for that one.
const RENEW: &str = "
    WITH mine AS (
        SELECT tenant_id, id FROM job WHERE state = 'running' AND lease_token = ANY ($1) FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET lease_until = now() + make_interval(secs => $2)
    FROM mine WHERE job.tenant_id = mine.tenant_id AND job.id = mine.id";

/// Puts orphans back, later and later: 2, 4 .. seconds, between half and the whole of it, each by a number
/// of its own that follows from `$4`. A sandbox's jobs follow each other in order, so its orphan is not
/// passed by. What crashed too often is dead.
const SWEEP: &str = "
    WITH orphan AS (
        SELECT j.tenant_id, j.id, j.crashes + 1 AS crashes,
               j.crashes + 1 >= $1 OR j.attempts >= $2 AS dead,
               CASE WHEN q.paced_to IS NULL THEN least(2 ^ (j.crashes + 1), $5)
                    ELSE 0 END AS longest_pause,
               ((uuid_hash_extended(j.id, $4) & 1023) + 1024) / 2048.0 AS share
        FROM job j JOIN tenant_queue q ON q.tenant_id = j.tenant_id
        WHERE j.state = 'running' AND j.lease_until < now()
        ORDER BY j.lease_until LIMIT $3 FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE job SET state = CASE WHEN orphan.dead THEN 'dead' ELSE 'ready' END,
                   finished_at = CASE WHEN orphan.dead THEN now() END,
                   crashes = orphan.crashes, lease_token = NULL, lease_until = NULL,
                   not_before = now() + make_interval(secs => orphan.longest_pause * orphan.share),
                   last_error = 'the worker that held it was lost'
    FROM orphan WHERE job.tenant_id = orphan.tenant_id AND job.id = orphan.id
    RETURNING job.kind, orphan.dead";

/// Counts over the indexes of the queue; nothing reads a job that is done. What is late is asked of live
/// brands only: a sandbox's jobs are due by a clock of its own.
const BACKLOG: &str = "
    SELECT coalesce(sum(c.due), 0)::float8 AS due,
           coalesce(sum(c.scheduled), 0)::float8 AS scheduled,
           coalesce(sum(c.running), 0)::float8 AS running,
           coalesce(sum(c.dead), 0)::float8 AS dead,
           greatest(0, extract(epoch FROM $1 - min(c.waits_since)))::float8 AS lag_seconds,
           greatest(0, extract(epoch FROM $1 - min(least(c.due_since, c.runs_since))))::float8 AS oldest_seconds
    FROM tenant_queue q CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
                    AND j.due_at <= coalesce(q.paced_to, $1)) AS due,
               (SELECT count(*) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
                    AND j.due_at > coalesce(q.paced_to, $1)) AS scheduled,
               (SELECT count(*) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'running')
                   AS running,
               (SELECT count(*) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'dead') AS dead,
               (SELECT min(j.due_at) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
                    AND j.due_at <= $1 AND (j.not_before IS NULL OR j.not_before <= now())
                    AND q.paced_to IS NULL AND q.suspended_at IS NULL) AS waits_since,
               (SELECT min(j.due_at) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
                    AND j.due_at <= $1 AND q.paced_to IS NULL AND q.suspended_at IS NULL) AS due_since,
               (SELECT min(j.due_at) FROM job j WHERE j.tenant_id = q.tenant_id AND j.state = 'running'
                    AND q.paced_to IS NULL AND q.suspended_at IS NULL) AS runs_since
    ) c";

/// A job whose worker was lost, put back.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Orphan {
    /// What kind of event it carries.
    pub kind: String,
    /// Whether it has taken so many workers down that it is not tried again.
    pub dead: bool,
}

/// How far the queue is behind, over all brands; numbers as gauges take them.
#[derive(Debug, Clone, Copy, PartialEq, FromQueryResult)]
pub struct Backlog {
    /// Jobs that are due and not done.
    pub due: f64,
    /// Jobs that are due later.
    pub scheduled: f64,
    /// Jobs in the hands of workers.
    pub running: f64,
    /// Jobs that are not tried again until somebody looks at them.
    pub dead: f64,
    /// How long the oldest job that could run now has been due: workers do not keep up.
    pub lag_seconds: f64,
    /// How long the oldest job that is not done has been due, also when it runs or waits for its next
    /// attempt: something does not get through.
    pub oldest_seconds: f64,
}

impl Queue {
    /// Keeps the leases with these tokens for another while.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn renew(&self, tokens: Vec<Uuid>) -> Result<(), Fault> {
        self.dispatched(RENEW, [tokens.into(), seconds(LEASE).into()]).await
    }

    /// Puts back what workers left behind that were lost; answers which jobs it were.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn sweep(&self) -> Result<Vec<Orphan>, Fault> {
        let chance = i64::from_be_bytes(self.store.chance().bytes()?);
        let values = [
            MOST_CRASHES.into(),
            MOST_ATTEMPTS.into(),
            MOST_ORPHANS.into(),
            chance.into(),
            f64::from(LONGEST_PAUSE_SECONDS).into(),
        ];
        let dispatch = self.dispatch(Durable::Now).await?;
        let swept = Orphan::find_by_statement(statement(SWEEP, values)).all(&dispatch).await?;
        dispatch.commit().await?;
        Ok(swept)
    }

    /// How far the queue is behind.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn backlog(&self) -> Result<Backlog, Fault> {
        let now: chrono::DateTime<chrono::Utc> = self.store.clock().now().into();
        let dispatch = self.dispatch(Durable::Now).await?;
        let counted = Backlog::find_by_statement(statement(BACKLOG, [now.into()]));
        let backlog = counted.one(&dispatch).await?;
        dispatch.commit().await?;
        Ok(backlog.ok_or_else(|| DbErr::RecordNotFound("a sum of nothing".to_owned()))?)
    }
}
