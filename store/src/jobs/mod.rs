//! The queue: what has happened and waits to be followed up, in the business database.
//!
//! A job is written in the transaction of the change that caused it ([`Tenant::emit`](crate::Tenant::emit)),
//! so neither is there without the other. The dispatcher sees envelopes of all tenants and no payload; the
//! payload is read inside the tenant, by the worker that holds the lease. Leases follow the database's clock
//! alone. Effects and completion commit together, guarded by the lease's token: a worker that was paused past
//! its lease finds its work undone.

mod care;
pub mod list;
mod work;

pub use care::{Backlog, Orphan};
pub use list::jobs;
pub use work::Opened;

use crate::{Fault, Store, call::Call, transaction::Transaction};
use domain::{
    ids::{JobId, TenantId},
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement, Value};
use std::time::Duration;
use uuid::Uuid;

/// How long a worker may be silent before its jobs are given to others. Below the 30 seconds within
/// which an orphaned job must start again, with room for the sweep.
pub const LEASE: Duration = Duration::from_secs(20);
/// A job that took its worker down this often is not tried again.
pub const MOST_CRASHES: i32 = 3;
/// A job that failed this often is not tried again: with back-off, after about two hours.
pub const MOST_ATTEMPTS: i32 = 12;
/// So many small jobs of one brand share a transaction at most.
pub const MOST_TOGETHER: usize = 16;
/// Longest wait between two attempts.
const LONGEST_PAUSE_SECONDS: u32 = 1_800;

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

/// Jobs that are done in one transaction: one job, or several small ones of one brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand(Vec<Lease>);

impl From<Lease> for Errand {
    fn from(lease: Lease) -> Self {
        Self(vec![lease])
    }
}

/// When a change to envelopes is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durable {
    /// When it is committed.
    Now,
    /// A moment later; a crash of the database may forget it, and nothing follows from it.
    Soon,
}

/// The worker's side of the queue.
#[derive(Debug, Clone)]
pub struct Queue {
    store: Store,
}

impl Queue {
    /// The queue of `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
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

    /// Does one thing to envelopes.
    async fn dispatched<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<(), Fault> {
        let dispatch = self.dispatch(Durable::Now).await?;
        dispatch.execute_raw(statement(sql, values)).await?;
        dispatch.commit().await?;
        Ok(())
    }

    async fn dispatch(&self, durable: Durable) -> Result<Transaction, Fault> {
        let committed = match durable {
            Durable::Now => "",
            Durable::Soon => "SET LOCAL synchronous_commit = off; ",
        };
        // A worker that freezes here holds the turns of tenants, and others pass over what is held.
        let opening = format!(
            "BEGIN; SET LOCAL ROLE aftercare_dispatch; {committed}SET LOCAL statement_timeout = '10s'; \
             SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'"
        );
        Ok(self.store.begin(opening).await?)
    }
}

impl Errand {
    /// The function `name` with whose jobs they are, which, and under which token; `None` when there are none.
    fn call(&self, name: &'static str) -> Option<(&Lease, Call)> {
        let first = self.0.first()?;
        let jobs = self.0.iter().map(|lease| lease.id);
        Some((first, Call::of(name).id(first.tenant_id).ids(jobs).id(first.token)))
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
