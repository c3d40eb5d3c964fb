//! Where records live: the tenant's door, the tables behind it, and the queue.
//!
//! [`Store`] holds the pool and answers no question itself. [`Store::enter`] opens a [`Tenant`], and
//! a tenant is the only thing that can read or write a row.

pub mod acknowledgements;
pub mod allowances;
pub mod audit;
mod bulk;
pub mod calendars;
mod call;
pub mod cancellations;
pub mod catalogue;
pub mod chance;
pub mod clock;
pub mod clocks;
pub mod complaint_attachments;
pub mod complaint_messages;
pub mod complaint_publications;
pub mod complaint_reports;
pub mod complaints;
pub mod corrective;
pub mod customers;
pub mod database;
pub mod evidence;
mod fault;
pub mod files;
pub mod filing;
pub mod findings;
pub mod followups;
mod hands;
pub mod idempotency;
pub mod identity;
pub mod imports;
pub mod inventory;
pub mod jobs;
pub mod key_text;
pub mod library;
mod look;
pub mod maintenance;
pub mod operations;
pub mod operator;
pub mod orders;
pub mod page;
pub mod pages;
pub mod platform;
pub mod pushes;
pub mod reports;
pub mod resolution_log;
pub mod returns;
mod rows;
pub mod runs;
pub mod sandbox;
pub mod secrets;
pub mod signing;
pub mod sops;
pub mod surveys;
pub mod table;
pub mod tenancy;
mod tenant;
mod together;
mod transaction;
pub mod triggers;
pub mod wake;
mod work;

pub use chance::Chance;
pub use clock::Clock;
pub use fault::{Failure, Fault, Missing, RETRY_AFTER};
pub use tenant::{Saved, Scope, Tenant};

use database::{Pool, Statements};
use files::Files;
use sea_orm::DbErr;
use std::sync::Arc;
use transaction::{Connections, Transaction};
use wake::Waker;

/// The pool, the clock, the source of identifiers and the waker. Deliberately mute: it opens tenants
/// and nothing else. A clone is the same store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Furniture>);

#[derive(Debug)]
struct Furniture {
    connections: Connections,
    clock: Clock,
    chance: Chance,
    waker: Waker,
    files: Files,
}

impl Store {
    /// Furnishes a store, over connections on which statements stay as `statements` says. Files are in memory, until
    /// somebody says where else ([`Store::keeping`]).
    pub fn new(
        pool: Pool,
        statements: Statements,
        clock: Clock,
        chance: Chance,
        waker: Waker,
    ) -> Self {
        let connections = Connections { pool, statements };
        let files = Files::in_memory();
        Self(Arc::new(Furniture { connections, clock, chance, waker, files }))
    }

    /// The same store with its files in another place.
    #[must_use]
    pub fn keeping(self, files: Files) -> Self {
        let Furniture { connections, clock, chance, waker, files: _ } = &*self.0;
        let (connections, clock) = (connections.clone(), clock.clone());
        let (chance, waker) = (chance.clone(), waker.clone());
        Self(Arc::new(Furniture { connections, clock, chance, waker, files }))
    }

    /// Where files are.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Opens a transaction that sees what `scope` says and nothing else.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database cannot be reached.
    pub async fn enter(&self, scope: Scope) -> Result<Tenant, Fault> {
        Tenant::begin(self, scope).await
    }

    /// Opens a tenant for reading: what `scope` says is seen and nothing else, each question as of its own
    /// instant. A transaction begins only when a question needs one.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database cannot be reached.
    pub async fn read(&self, scope: Scope) -> Result<Tenant, Fault> {
        Tenant::ahead(self, scope).await
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The source of identifiers and secrets.
    pub fn chance(&self) -> &Chance {
        &self.0.chance
    }

    /// The waker of workers.
    pub fn waker(&self) -> &Waker {
        &self.0.waker
    }

    /// Closes all connections; what runs is finished first.
    pub async fn close(&self) {
        self.0.connections.pool.close().await;
    }

    /// Begins with `opening`: BEGIN, the role and the scope, in one message.
    pub(crate) async fn begin(&self, opening: String) -> Result<Transaction, DbErr> {
        Transaction::begin(self.0.connections.clone(), opening).await
    }

    /// Will begin with `opening` when it has to.
    pub(crate) fn ahead(&self, opening: String) -> Transaction {
        Transaction::ahead(self.0.connections.clone(), opening)
    }
}
