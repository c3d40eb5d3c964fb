//! The queue: what has happened and waits to be followed up, in the business database.
//!
//! A job is written in the transaction of the change that caused it ([`Tenant::emit`]), so neither is
//! there without the other. The dispatcher sees envelopes of all tenants and no payload; the payload
//! is read inside the tenant, by the worker that holds the lease. Leases follow the database's clock
//! alone. Effects and completion commit together, guarded by the lease's token: a worker that was
//! paused past its lease finds its work undone.

use crate::{
    Fault, Store, Tenant, page::Order, table, table::word, tenant::Scope, transaction::Transaction,
    words,
};
use domain::{
    change::Change,
    event::Event,
    identity::{Actor, Reach},
    ids::{JobId, TenantId},
    jobs::{Job, JobState},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, EntityTrait as _, FromQueryResult,
    QueryFilter as _, Select, Statement, Value,
};
use std::time::Duration;
use uuid::Uuid;

/// How long a worker may be silent before its jobs are given to others. Below the 30 seconds within
/// which an orphaned job must start again, with room for the sweep.
pub const LEASE: Duration = Duration::from_secs(20);
/// A job that took its worker down this often is not tried again.
pub const MOST_CRASHES: i32 = 3;
/// A job that failed this often is not tried again: with back-off, after about two hours.
pub const MOST_ATTEMPTS: i32 = 12;
/// Longest wait between two attempts.
const LONGEST_PAUSE_SECONDS: u64 = 1_800;
/// Tenants served by one fetch: enough to fill the slots, few enough that nobody waits behind many.
const TENANTS_AT_ONCE: i64 = 8;
/// Most jobs of one tenant running at once, over all workers.
const MOST_RUNNING: i64 = 64;
/// Most orphans that one sweep puts back.
const MOST_ORPHANS: i64 = 500;

/// A job in a worker's hands.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Lease {
    tenant_id: Uuid,
    id: Uuid,
    kind: String,
    due_at: chrono::DateTime<chrono::Utc>,
    attempts: i32,
    token: Uuid,
    paced: bool,
}

impl Lease {
    /// Whose job it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant_id.into()
    }

    /// Which job it is.
    pub fn job(&self) -> JobId {
        self.id.into()
    }

    /// What kind of event it carries, for logs and metrics.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// When it was due.
    pub fn due_at(&self) -> Timestamp {
        self.due_at.into()
    }

    /// How often it was tried, this time included.
    pub fn attempts(&self) -> i32 {
        self.attempts
    }
}

/// Takes up to `slots` due jobs, a few tenants at a time, those that were served longest ago first.
/// Of a sandbox only the next job in order, and only when none of it is running.
const FETCH: &str = "
    WITH turn AS (
        SELECT q.tenant_id, q.paced_to,
               (SELECT count(*) FROM job r WHERE r.tenant_id = q.tenant_id AND r.state = 'running') AS running
        FROM tenant_queue q
        WHERE EXISTS (
            SELECT 1 FROM job j
            WHERE j.tenant_id = q.tenant_id AND j.state = 'ready'
              AND j.due_at <= coalesce(q.paced_to, $1) AND (j.not_before IS NULL OR j.not_before <= now()))
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
                       THEN greatest(0, least($4 - t.running,
                                greatest(1, $2 / (SELECT count(*) FROM turn))))
                       WHEN t.running = 0 THEN 1 ELSE 0 END
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

/// Gives a job back after it failed; the token guards it.
const GIVE_BACK: &str = "
    UPDATE job SET state = CASE WHEN $4 THEN 'dead' ELSE 'ready' END,
                   finished_at = CASE WHEN $4 THEN now() END,
                   not_before = now() + make_interval(secs => $5),
                   lease_token = NULL, lease_until = NULL, last_error = $6
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

/// Gives a job back untried, because its worker stops.
const RETURN: &str = "
    UPDATE job SET state = 'ready', attempts = attempts - 1, lease_token = NULL, lease_until = NULL
    WHERE state = 'running' AND lease_token = ANY ($1)";

const TAKE: &str = "SELECT payload FROM job
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

const COMPLETE: &str = "
    UPDATE job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL,
                   last_error = NULL
    WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'";

/// The worker's side of the queue.
#[derive(Debug, Clone)]
pub struct Queue {
    store: Store,
}

/// A job that was opened: the tenant it belongs to and what has happened.
#[derive(Debug)]
pub struct Opened {
    /// The tenant, at the instant of the job.
    pub tenant: Tenant,
    /// What has happened.
    pub event: Event,
}

impl Queue {
    /// The queue of `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

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

    /// Opens a job in its tenant, within the reach of its event; `None` when the lease was lost, and somebody else has it.
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

    /// Gives a job back after it failed: to be tried later, or never when `last`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then the lease lapses by itself.
    pub async fn give_back(&self, lease: &Lease, why: &str, last: bool) -> Result<(), Fault> {
        let dead = last || lease.attempts >= MOST_ATTEMPTS;
        let pause = if lease.paced { 0.0 } else { self.pause_seconds(lease.attempts)? };
        let [tenant, id, token] = lease.key();
        let values = [tenant, id, token, dead.into(), pause.into(), why.into()];
        let dispatch = self.dispatch().await?;
        dispatch.execute_raw(statement(GIVE_BACK, values)).await?;
        dispatch.commit().await?;
        Ok(())
    }

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

    /// Gives jobs back that were taken and not begun.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then the leases lapse by themselves.
    pub async fn return_untried(&self, tokens: Vec<Uuid>) -> Result<(), Fault> {
        let dispatch = self.dispatch().await?;
        dispatch.execute_raw(statement(RETURN, [tokens.into()])).await?;
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

    /// Waits until somebody says that there is work, here or through Redis.
    pub async fn woken(&self) {
        self.store.waker().woken().await;
    }

    /// Wakes whoever waits for the end of this job: the next one of a sandbox is not handed out before.
    pub fn go_on_after(&self, lease: &Lease) {
        if lease.paced {
            self.store.waker().wake();
        }
    }

    /// Exponential back-off with jitter: 2, 4, 8 .. seconds, between half and the whole of it.
    fn pause_seconds(&self, attempts: i32) -> Result<f64, Fault> {
        let exponent = u32::try_from(attempts.clamp(0, 20)).unwrap_or_default();
        let longest =
            2_u64.saturating_pow(exponent).min(LONGEST_PAUSE_SECONDS).saturating_mul(1_000);
        let chance = u64::from_be_bytes(self.store.chance().bytes()?);
        let half = longest.div_euclid(2);
        let millis = half.saturating_add(chance.checked_rem(half.max(1)).unwrap_or_default());
        Ok(Duration::from_millis(millis).as_secs_f64())
    }

    async fn dispatch(&self) -> Result<Transaction, Fault> {
        let opening =
            "BEGIN; SET LOCAL ROLE aftercare_dispatch; SET LOCAL statement_timeout = '10s'";
        Ok(Transaction::begin(self.store.pool(), opening.to_owned()).await?)
    }
}

words!(JobState);

table! {
    /// The queue, as those who look after it see it; payloads are not shown.
    job = "job" of Job {
        kind: String,
        state: JobState,
        due_at: Timestamp,
        attempts: i32,
        crashes: i32,
        last_error: Option<String>,
        created_at: Timestamp,
    } append_only
}

/// Jobs in `state`, or all of them.
pub fn in_state(state: Option<JobState>) -> Select<job::Entity> {
    let select = job::Entity::find();
    match state {
        Some(state) => select.filter(job::Column::State.eq(word(&state))),
        None => select,
    }
}

/// The order of the queue: what is due first comes first.
pub fn by_due_date() -> Order<job::Entity> {
    Order::by(job::Column::DueAt)
}

/// Days for which finished jobs are kept, for those who ask why.
const KEPT_DAYS: i64 = 30;

impl Tenant {
    /// Puts a dead job back into the queue, as its [`Job::replay`] says.
    ///
    /// # Errors
    ///
    /// [`Fault::Stale`] when it is not dead any more.
    pub async fn replay(&self, change: Change<Job>) -> Result<Job, Fault> {
        let sql = "UPDATE job SET state = 'ready', attempts = 0, crashes = 0, not_before = NULL,
                                  finished_at = NULL
                   WHERE tenant_id = ac.tenant() AND id = $1 AND state = 'dead'";
        let Change { record, action, facts, .. } = change;
        let put_back = self.statement(sql, [Uuid::from(record.id).into()]);
        if self.work().execute_raw(put_back).await?.rows_affected() != 1 {
            return Err(Fault::Stale);
        }
        self.note(&record, action, facts.into()).await?;
        self.wake_on_commit();
        Ok(record)
    }

    /// Forgets jobs that were done long ago; dead ones stay until somebody looks at them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn forget_jobs(&self) -> Result<u64, Fault> {
        let sql =
            "DELETE FROM job WHERE tenant_id = ac.tenant() AND state = 'done' AND due_at < $1";
        let limit = chrono::DateTime::from(self.now().plus_days(-KEPT_DAYS));
        Ok(self.work().execute_raw(self.statement(sql, [limit.into()])).await?.rows_affected())
    }
}

impl Lease {
    fn key(&self) -> [Value; 3] {
        [self.tenant_id.into(), self.id.into(), self.token.into()]
    }

    /// The token under which it was taken.
    pub fn token(&self) -> Uuid {
        self.token
    }
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
