//! Where records live: the tenant's door, the tables behind it, and the queue.
//!
//! [`Store`] holds the pool and answers no question itself. [`Store::enter`] opens a [`Tenant`], and
//! a tenant is the only thing that can read or write a row.

pub mod allowances;
pub mod audit;
mod bulk;
pub mod catalogue;
pub mod chance;
pub mod clock;
pub mod complaints;
pub mod customers;
pub mod database;
mod fault;
pub mod followups;
pub mod idempotency;
pub mod identity;
pub mod imports;
pub mod jobs;
pub mod key_text;
pub mod maintenance;
pub mod operations;
pub mod operator;
pub mod orders;
pub mod page;
pub mod pages;
pub mod platform;
pub mod pushes;
pub mod sandbox;
pub mod secrets;
pub mod signing;
pub mod sops;
pub mod surveys;
pub mod table;
pub mod tenancy;
mod tenant;
mod transaction;
pub mod wake;

pub use chance::Chance;
pub use clock::Clock;
pub use fault::{Failure, Fault, Missing, RETRY_AFTER};
pub use tenant::{Saved, Scope, Tenant};

use database::Statements;
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, PgPool},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use transaction::Transaction;
use wake::Waker;

/// How long a transaction may take to begin, with the wait for a connection. Beginning waits for nobody else, so a
/// database that takes longer does not answer, and callers are told within two seconds.
const BEGIN_PATIENCE: Duration = Duration::from_millis(1_900);

/// The pool, the clock, the source of identifiers and the waker. Deliberately mute: it opens tenants
/// and nothing else.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    statements: Statements,
    clock: Clock,
    chance: Chance,
    waker: Waker,
}

impl Store {
    /// Furnishes a store.
    pub fn new(pool: PgPool, clock: Clock, chance: Chance, waker: Waker) -> Self {
        Self { pool, statements: Statements::default(), clock, chance, waker }
    }

    /// The same store, with statements kept otherwise than prepared.
    #[must_use]
    pub fn with_statements(self, statements: Statements) -> Self {
        Self { statements, ..self }
    }

    /// Opens a transaction that sees what `scope` says and nothing else.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database cannot be reached.
    pub async fn enter(&self, scope: Scope) -> Result<Tenant, Fault> {
        Tenant::begin(self, scope).await
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The source of identifiers and secrets.
    pub fn chance(&self) -> &Chance {
        &self.chance
    }

    /// The waker of workers.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Closes all connections; what runs is finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins with `opening`: BEGIN, the role and the scope, in one message.
    pub(crate) async fn begin(&self, opening: String) -> Result<Transaction, DbErr> {
        let beginning = Transaction::begin(&self.pool, self.statements, opening);
        let silent = |_| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(sqlx::Error::PoolTimedOut)));
        timeout(BEGIN_PATIENCE, beginning).await.map_err(silent)?
    }
}
