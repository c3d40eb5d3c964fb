//! The caretaker's side of the queue: keeping leases, and putting back what lost workers left behind.

use super::{LEASE, MOST_ATTEMPTS, MOST_CRASHES, Queue, seconds, statement};
use crate::Fault;
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

/// Most orphans that one sweep puts back.
const MOST_ORPHANS: i64 = 500;

const RENEW: &str = "UPDATE job SET lease_until = now() + make_interval(secs => $2)
    WHERE state = 'running' AND lease_token = ANY ($1)";

/// Puts orphans back, later and later; what crashed too often is dead.
const SWEEP: &str = "
    WITH orphan AS (
        SELECT tenant_id, id FROM job WHERE state = 'running' AND lease_until < now()
        ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET state = CASE WHEN job.crashes + 1 >= $1 OR job.attempts >= $2 THEN 'dead' ELSE 'ready' END,
                   finished_at = CASE WHEN job.crashes + 1 >= $1 OR job.attempts >= $2 THEN now() END,
                   crashes = job.crashes + 1, lease_token = NULL, lease_until = NULL,
                   not_before = now() + make_interval(secs => job.crashes),
                   last_error = 'the worker that held it was lost'
    FROM orphan WHERE job.tenant_id = orphan.tenant_id AND job.id = orphan.id";

impl Queue {
    /// Keeps the leases with these tokens for another while.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn renew(&self, tokens: Vec<Uuid>) -> Result<(), Fault> {
        let dispatch = self.dispatch().await?;
        dispatch.execute_raw(statement(RENEW, [tokens.into(), seconds(LEASE).into()])).await?;
        dispatch.commit().await?;
        Ok(())
    }

    /// Puts back what workers left behind that were lost; answers how many jobs it were.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn sweep(&self) -> Result<u64, Fault> {
        let dispatch = self.dispatch().await?;
        let values = [MOST_CRASHES.into(), MOST_ATTEMPTS.into(), MOST_ORPHANS.into()];
        let swept = dispatch.execute_raw(statement(SWEEP, values)).await?;
        dispatch.commit().await?;
        Ok(swept.rows_affected())
    }
}
