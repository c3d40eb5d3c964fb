//! The worker's side of the queue: taking jobs, opening, completing and giving them back.

use super::{LEASE, LONGEST_PAUSE_SECONDS, Lease, MOST_ATTEMPTS, Queue, seconds, statement};
use crate::{Fault, Tenant, tenant::Scope};
use domain::{
    event::Event,
    identity::{Actor, Reach},
    jobs::JobState,
};
use sea_orm::{ConnectionTrait as _, FromQueryResult as _, Value};
use std::time::Duration;
use uuid::Uuid;

/// Tenants served by one fetch: enough to fill the slots, few enough that nobody waits behind many.
const TENANTS_AT_ONCE: i64 = 8;
/// Most jobs of one tenant running at once, over all workers.
const MOST_RUNNING: i64 = 64;

/// Takes up to `slots` due jobs, a few tenants at a time, those that were served longest ago first.
/// Of a sandbox only the next job in order, and only when none of it is running. A tenant that may get
/// none has no turn: it would keep the turn for as long as its jobs run, and others waiting behind it.
const FETCH: &str = "
    WITH turn AS (
        SELECT q.tenant_id, q.paced_to,
               (SELECT count(*) FROM job r WHERE r.tenant_id = q.tenant_id AND r.state = 'running') AS running
        FROM tenant_queue q
        WHERE q.suspended_at IS NULL AND EXISTS (
            SELECT 1 FROM job j
            WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
              AND j.due_at <= coalesce(q.paced_to, $1) AND (j.not_before IS NULL OR j.not_before <= now()))
          AND (SELECT count(*) FROM job r WHERE r.tenant_id = q.tenant_id AND r.state = 'running')
              < CASE WHEN q.paced_to IS NULL THEN $4 ELSE 1 END
        ORDER BY q.served_at, q.tenant_id LIMIT $3
        FOR UPDATE OF q SKIP LOCKED
    ), pick AS (
        SELECT j.tenant_id, j.id, t.paced_to IS NOT NULL AS paced
        FROM turn t CROSS JOIN LATERAL (
            SELECT j.tenant_id, j.id FROM job j
            WHERE j.tenant_id = t.tenant_id AND j.state = 'ready'
              AND j.due_at <= coalesce(t.paced_to, $1) AND (j.not_before IS NULL OR j.not_before <= now())
            ORDER BY j.due_at, j.id
            LIMIT CASE WHEN t.paced_to IS NULL
                       THEN greatest(0, least($4 - t.running, greatest(1, $2 / (SELECT count(*) FROM turn))))
                       ELSE 1 END
            FOR UPDATE SKIP LOCKED
        ) j
        LIMIT $2
    )
    UPDATE job SET state = 'running', attempts = job.attempts + 1, lease_token = $5,
                   lease_until = now() + make_interval(secs => $6)
    FROM pick
    WHERE job.tenant_id = pick.tenant_id AND job.id = pick.id
    RETURNING job.tenant_id, job.id, job.kind, job.due_at, job.attempts,
              job.lease_token AS token, pick.paced";

const SERVED: &str = "UPDATE tenant_queue SET served_at = now() WHERE tenant_id = ANY ($1)";

/// Gives a job back after it failed; the token guards it.
const GIVE_BACK: &str = "
    UPDATE job SET state = CASE WHEN $4 THEN 'dead' ELSE 'ready' END,
                   finished_at = CASE WHEN $4 THEN now() END,
                   not_before = now() + make_interval(secs => $5),
                   lease_token = NULL, lease_until = NULL, last_error = $6
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

/// Gives a job back untried, because nothing could be tried; the token guards it.
const POSTPONE: &str = "
    UPDATE job SET state = 'ready', attempts = attempts - 1,
                   not_before = now() + make_interval(secs => $4),
                   lease_token = NULL, lease_until = NULL, last_error = $5
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

/// Gives jobs back untried, because their worker stops.
const RETURN: &str = "
    UPDATE job SET state = 'ready', attempts = attempts - 1, lease_token = NULL, lease_until = NULL
    WHERE state = 'running' AND lease_token = ANY ($1)";

const TAKE: &str = "SELECT payload FROM job
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

const COMPLETE: &str = "
    UPDATE job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL,
                   last_error = NULL
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

/// A job that was opened: the tenant it belongs to and what has happened.
#[derive(Debug)]
pub struct Opened {
    /// The tenant, at the instant of the job.
    pub tenant: Tenant,
    /// What has happened.
    pub event: Event,
}

impl Queue {
    /// Takes up to `slots` due jobs for one lease.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then nothing was taken.
    pub async fn fetch(&self, slots: u16) -> Result<Vec<Lease>, Fault> {
        let dispatch = self.dispatch().await?;
        let now: chrono::DateTime<chrono::Utc> = self.store.clock().now().into();
        let token: Uuid = self.store.chance().id();
        let values: [Value; 6] = [
            now.into(),
            i64::from(slots).into(),
            TENANTS_AT_ONCE.into(),
            MOST_RUNNING.into(),
            token.into(),
            seconds(LEASE).into(),
        ];
        let leases = Lease::find_by_statement(statement(FETCH, values)).all(&dispatch).await?;
        if !leases.is_empty() {
            let tenants: Vec<Uuid> = leases.iter().map(|lease| lease.tenant_id).collect();
            dispatch.execute_raw(statement(SERVED, [tenants.into()])).await?;
        }
        dispatch.commit().await?;
        Ok(leases)
    }

    /// Opens a job in its tenant, within the reach of its event; `None` when the lease was lost, and somebody
    /// else has it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the payload cannot be read.
    pub async fn open(&self, lease: &Lease) -> Result<Option<Opened>, Fault> {
        let scope = Scope {
            tenant: lease.tenant(),
            actor: Actor::Worker,
            reach: Reach::default(),
            paced: lease.paced,
            request_id: None,
        };
        let mut tenant = self.store.enter(scope).await?;
        if lease.paced {
            tenant.pace_to(lease.due_at()).await?;
        }
        let take = statement(TAKE, lease.key());
        let Some(row) = tenant.work().query_one_raw(take).await? else { return Ok(None) };
        let payload: serde_json::Value = row.try_get("", "payload")?;
        let event: Event = serde_json::from_value(payload)?;
        tenant.narrow(event.reach()).await?;
        Ok(Some(Opened { tenant, event }))
    }

    /// Completes a job and makes its effects permanent, both or neither.
    /// False when the lease was lost; then nothing has happened.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn complete(&self, tenant: Tenant, lease: &Lease) -> Result<bool, Fault> {
        let completed = tenant.work().execute_raw(statement(COMPLETE, lease.key())).await?;
        if completed.rows_affected() != 1 {
            return Ok(false);
        }
        tenant.commit(()).await?;
        Ok(true)
    }

    /// Gives a job back after it failed: to be tried later, or never when `last` or when it has failed so
    /// often. Answers which of the two.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then the job is in our hands still.
    pub async fn give_back(&self, lease: &Lease, why: &str, last: bool) -> Result<JobState, Fault> {
        let dead = last || lease.attempts >= MOST_ATTEMPTS;
        let pause = self.pause_seconds(lease, lease.attempts)?;
        let [tenant, id, token] = lease.key();
        let values = [tenant, id, token, dead.into(), pause.into(), why.into()];
        self.dispatched(GIVE_BACK, values).await?;
        Ok(if dead { JobState::Dead } else { JobState::Ready })
    }

    /// Gives a job back that could not be tried, because the database was out of reach. It has all its
    /// attempts still: an outage may last longer than they do.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database is out of reach still; then the job is in our hands still.
    pub async fn postpone(&self, lease: &Lease, why: &str) -> Result<(), Fault> {
        let pause = self.pause_seconds(lease, 1)?;
        let [tenant, id, token] = lease.key();
        self.dispatched(POSTPONE, [tenant, id, token, pause.into(), why.into()]).await
    }

    /// Gives jobs back that were taken and not begun.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then the leases lapse by themselves.
    pub async fn return_untried(&self, tokens: Vec<Uuid>) -> Result<(), Fault> {
        self.dispatched(RETURN, [tokens.into()]).await
    }
    /// Exponential back-off with jitter: 2, 4, 8 .. seconds, between half and the whole of it. None in a
    /// sandbox, whose jobs follow each other in order.
    fn pause_seconds(&self, lease: &Lease, attempts: i32) -> Result<f64, Fault> {
        if lease.paced {
            return Ok(0.0);
        }
        let exponent = u32::try_from(attempts.clamp(0, 20)).unwrap_or_default();
        let longest =
            2_u64.saturating_pow(exponent).min(LONGEST_PAUSE_SECONDS.into()).saturating_mul(1_000);
        let chance = u64::from_be_bytes(self.store.chance().bytes()?);
        let half = longest.div_euclid(2);
        let millis = half.saturating_add(chance.checked_rem(half.max(1)).unwrap_or_default());
        Ok(Duration::from_millis(millis).as_secs_f64())
    }
}
