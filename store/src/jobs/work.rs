//! The worker's side of the queue: taking jobs, opening, completing and giving them back.

use super::{
    Durable, Errand, LEASE, LONGEST_PAUSE_SECONDS, Lease, MOST_ATTEMPTS, MOST_TOGETHER, Queue,
    seconds, statement,
};
use crate::{Fault, Tenant, tenant::Scope};
use domain::{
    event::{Event, SMALL},
    identity::{Actor, Reach},
    jobs::JobState,
};
use sea_orm::{FromQueryResult as _, Value};
use std::time::Duration;
use uuid::Uuid;

/// Tenants served by one fetch: enough to fill the slots, few enough that nobody waits behind many.
const TENANTS_AT_ONCE: i64 = 8;
/// Most jobs of one tenant running at once, over all workers.
const MOST_RUNNING: i64 = 64;

/// Takes due jobs for up to `$2` slots, a few tenants at a time, those that were served longest ago first. A small
/// job that was not tried before takes one part in `$8` of a slot, any other a whole one. Of a sandbox only the next job in order, and only
/// when none of it is running. A tenant that may get none has no turn: it would keep the turn for as long as its
/// jobs run, and others waiting behind it.
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
        ORDER BY q.served_at, q.tenant_id LIMIT least($2, $3)
        FOR UPDATE OF q SKIP LOCKED
    ), share AS (
        SELECT $2 / count(*) AS slots FROM turn HAVING count(*) > 0
    ), pick AS (
        SELECT due.tenant_id, due.id, due.paced FROM (
            SELECT j.tenant_id, j.id, t.paced_to IS NOT NULL AS paced, s.slots,
                   sum(CASE WHEN j.kind = ANY ($7) AND j.attempts = 0 THEN 1 ELSE $8 END)
                       OVER (PARTITION BY j.tenant_id ORDER BY j.due_at, j.id) AS parts
            FROM turn t CROSS JOIN share s CROSS JOIN LATERAL (
                SELECT j.tenant_id, j.id, j.kind, j.due_at, j.attempts FROM job j
                WHERE j.tenant_id = t.tenant_id AND j.state = 'ready'
                  AND j.due_at <= coalesce(t.paced_to, $1) AND (j.not_before IS NULL OR j.not_before <= now())
                ORDER BY j.due_at, j.id
                LIMIT CASE WHEN t.paced_to IS NULL THEN least($4 - t.running, s.slots * $8) ELSE 1 END
                FOR UPDATE SKIP LOCKED
            ) j
        ) due
        WHERE due.parts <= due.slots * $8
    ), served AS (
        UPDATE tenant_queue SET served_at = now() WHERE tenant_id IN (SELECT tenant_id FROM pick)
    ), leased AS (
        UPDATE job SET state = 'running', attempts = job.attempts + 1, lease_token = $5,
                       lease_until = now() + make_interval(secs => $6)
        FROM pick
        WHERE job.tenant_id = pick.tenant_id AND job.id = pick.id
        RETURNING job.tenant_id, job.id, job.kind, job.due_at, job.attempts,
                  job.lease_token AS token, pick.paced
    )
    SELECT * FROM leased ORDER BY due_at, id";

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

/// Several jobs hold their records one after the other, and so in another order than everybody does. They give up
/// before the database sees a deadlock and ends whoever it likes, and are done one by one.
const GIVE_WAY: &str = "SET LOCAL lock_timeout = '100ms'";

/// Jobs that were opened: the tenant they belong to and what has happened.
#[derive(Debug)]
pub struct Opened {
    /// The tenant, at the instant of the jobs.
    pub tenant: Tenant,
    /// What has happened, one after the other.
    pub events: Vec<Event>,
}

impl Errand {
    /// Puts leases together that may share a transaction: small jobs of one brand that were taken together.
    pub fn all(leases: Vec<Lease>) -> Vec<Self> {
        let mut errands: Vec<Self> = Vec::new();
        for lease in leases {
            let with = errands.iter_mut().find(|errand| errand.takes(&lease));
            match with {
                Some(errand) => errand.0.push(lease),
                None => errands.push(Self(vec![lease])),
            }
        }
        errands
    }

    /// Whether another job may come along.
    fn takes(&self, lease: &Lease) -> bool {
        let first = self.0.first();
        let alike = first.is_some_and(|first| {
            (first.tenant_id, first.token) == (lease.tenant_id, lease.token) && first.is_small()
        });
        alike && lease.is_small() && self.0.len() < MOST_TOGETHER
    }

    /// Its jobs, in the order in which they were due.
    pub fn leases(&self) -> &[Lease] {
        &self.0
    }
}

impl Lease {
    /// Whether its job may share a transaction with others. A sandbox's jobs each have an instant of their own, and
    /// one that has failed or lost its worker is tried by itself.
    fn is_small(&self) -> bool {
        !self.paced && self.attempts == 1 && SMALL.contains(&self.kind.as_str())
    }
}

impl Queue {
    /// Takes due jobs under one token, for up to `slots` errands, in the order in which they were due.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then nothing was taken.
    pub async fn fetch(&self, slots: u16) -> Result<Vec<Lease>, Fault> {
        // A lease that a crash of the database forgets is noticed by its token.
        let dispatch = self.dispatch(Durable::Soon).await?;
        let now: chrono::DateTime<chrono::Utc> = self.store.clock().now().into();
        let token: Uuid = self.store.chance().id();
        let small: Vec<_> = SMALL.map(str::to_owned).into();
        let parts = i64::try_from(MOST_TOGETHER).unwrap_or(i64::MAX);
        let values: [Value; 8] = [
            now.into(),
            i64::from(slots).into(),
            TENANTS_AT_ONCE.into(),
            MOST_RUNNING.into(),
            token.into(),
            seconds(LEASE).into(),
            small.into(),
            parts.into(),
        ];
        let leases = Lease::find_by_statement(statement(FETCH, values)).all(&dispatch).await?;
        dispatch.commit().await?;
        Ok(leases)
    }

    /// Opens jobs in their tenant, within the reach of their event; `None` when a lease was lost, and somebody
    /// else has it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a payload cannot be read.
    pub async fn open(&self, errand: &Errand) -> Result<Option<Opened>, Fault> {
        let Some((first, call)) = errand.call("ac.take_jobs") else { return Ok(None) };
        let scope = Scope {
            tenant: first.tenant(),
            actor: Actor::Worker,
            reach: Reach::default(),
            paced: first.paced,
            request_id: None,
        };
        let mut tenant = Tenant::ahead(&self.store, scope).await?;
        if first.paced {
            tenant.pace_to(first.due_at()).await?;
        }
        let call = if errand.0.len() > 1 { call.after(GIVE_WAY) } else { call };
        let rows = tenant.work().ask_first(call).await?;
        if rows.len() != errand.0.len() {
            return Ok(None);
        }
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let payload: serde_json::Value = row.try_get("", "payload")?;
            let event: Event = serde_json::from_value(payload)?;
            tenant.narrow(event.reach()).await?;
            events.push(event);
        }
        Ok(Some(Opened { tenant, events }))
    }

    /// Completes jobs and makes their effects permanent, all or nothing.
    /// False when a lease was lost; then nothing has happened.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn complete(&self, tenant: Tenant, errand: &Errand) -> Result<bool, Fault> {
        let Some((_, call)) = errand.call("ac.complete_jobs") else { return Ok(false) };
        match tenant.commit_after(Some(call), ()).await {
            Ok(_) => Ok(true),
            Err(Fault::Stale) => Ok(false),
            Err(fault) => Err(fault),
        }
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
