//! The tenant's door: one transaction, one tenant, one instant.

mod hand;
mod reading;
mod writing;

use crate::{Fault, Store, call::Call, files::Files, transaction::Transaction};
use domain::{
    identity::{Actor, Reach},
    ids::TenantId,
    time::Timestamp,
};
use hand::Hand;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use std::sync::atomic::AtomicBool;
use uuid::Uuid;

/// A statement that runs longer is ended: nobody waits for it any more.
const STATEMENT_TIMEOUT: &str = "10s";
/// Whoever waits longer for a row that somebody holds is told to come again. Far more than any holder
/// needs, and half the time of a statement, so that it is said why.
const LOCK_TIMEOUT: &str = "5s";
/// A transaction that nobody has spoken in for so long is rolled back: its process hangs or is paused,
/// and holds up others.
const IDLE_TIMEOUT: &str = "15s";

/// Who enters, where, and how far they see.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose rows.
    pub tenant: TenantId,
    /// Who acts.
    pub actor: Actor,
    /// How much of the tenant they see.
    pub reach: Reach,
    /// Whether the tenant lives by a test clock.
    pub paced: bool,
    /// The request, as the audit log remembers it.
    pub request_id: Option<String>,
}

/// Everything one caller may do to one brand's rows, until [`Tenant::commit`].
///
/// Dropping a tenant undoes what it did.
#[derive(Debug)]
pub struct Tenant {
    scope: Scope,
    now: Timestamp,
    store: Store,
    work: Transaction,
    hand: Hand,
    emitted: AtomicBool,
}

/// Proof that the work behind an answer is on disk.
#[derive(Debug)]
pub struct Saved<T>(T);

impl<T> Saved<T> {
    /// The answer.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Tenant {
    /// Whose rows these are.
    pub fn id(&self) -> TenantId {
        self.scope.tenant
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.scope.actor
    }

    /// How much of the brand the caller sees.
    pub fn reach(&self) -> Reach {
        self.scope.reach
    }

    /// Whether this is a sandbox: nothing leaves it, and it lives by a test clock.
    pub fn is_sandbox(&self) -> bool {
        self.scope.paced
    }

    /// The instant at which the request or job began; it does not move while it runs.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What time it really is, whatever a sandbox's clock shows: for what opens doors, and must not open them
    /// longer because somebody tries out the future.
    pub fn real_now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// Where files are; this tenant's are found by its identifier.
    pub fn files(&self) -> &Files {
        self.store.files()
    }

    /// A new identifier.
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        self.store.chance().id()
    }

    /// `N` random bytes, for a secret.
    ///
    /// # Errors
    ///
    /// [`Fault::Randomness`] when the system has none to give.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        Ok(self.store.chance().bytes()?)
    }

    /// Makes the work permanent and hands the answer over.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database refuses the commit; then nothing has happened.
    pub async fn commit<T: Send>(self, answer: T) -> Result<Saved<T>, Fault> {
        self.commit_after(None, answer).await
    }

    /// Makes the work permanent, after a last call that travels with the commit.
    pub(crate) async fn commit_after<T: Send>(
        self,
        last: Option<Call>,
        answer: T,
    ) -> Result<Saved<T>, Fault> {
        match last {
            Some(last) => self.work.commit_after(last).await?,
            None => self.work.commit().await?,
        }
        if self.emitted.into_inner() {
            self.store.waker().wake();
        }
        Ok(Saved(answer))
    }

    /// Undoes what was done, and waits until everything that was held is free. Dropping a tenant undoes it, too,
    /// a moment later.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database cannot be told; it undoes it then by itself.
    pub async fn undo(self) -> Result<(), Fault> {
        Ok(self.work.undo().await?)
    }

    pub(crate) async fn begin(store: &Store, scope: Scope) -> Result<Self, Fault> {
        let work = store.begin(opening(&scope)).await?;
        Self::with(store, scope, work).await
    }

    /// A tenant whose transaction begins when a question needs one.
    pub(crate) async fn ahead(store: &Store, scope: Scope) -> Result<Self, Fault> {
        let work = store.ahead(opening(&scope));
        Self::with(store, scope, work).await
    }

    async fn with(store: &Store, scope: Scope, work: Transaction) -> Result<Self, Fault> {
        let now = store.clock().now();
        let emitted = AtomicBool::new(false);
        let (store, hand) = (store.clone(), Hand::default());
        let mut tenant = Self { scope, now, store, work, hand, emitted };
        if tenant.scope.paced {
            tenant.now = tenant.test_clock().await?.unwrap_or(now);
        }
        Ok(tenant)
    }

    /// The connection, for the tables' own files.
    pub(crate) fn work(&self) -> &Transaction {
        &self.work
    }

    /// A statement of the tables' own files.
    #[expect(clippy::unused_self, reason = "it reads as what it is: a statement of this tenant")]
    pub(crate) fn statement(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
    }

    /// Sees no more than `reach` from now on.
    pub(crate) async fn narrow(&mut self, reach: Reach) -> Result<(), Fault> {
        let narrowing = narrowing(reach);
        if !narrowing.is_empty() {
            self.work.execute_unprepared(&narrowing).await?;
        }
        self.scope.reach = reach;
        Ok(())
    }

    pub(crate) fn set_id(&mut self, tenant: TenantId) {
        self.scope.tenant = tenant;
    }

    /// The request, as the audit log remembers it.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.scope.request_id.as_deref()
    }

    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }
}

/// BEGIN, the role and the scope, in one message. Identifiers print as hexadecimal digits and hyphens,
/// so nothing needs quoting.
fn opening(scope: &Scope) -> String {
    let tenant = Uuid::from(scope.tenant);
    let narrowing = narrowing(scope.reach);
    format!(
        "BEGIN; SET LOCAL ROLE aftercare_app; SET LOCAL ac.tenant = '{tenant}'; {narrowing}\
         SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'; \
         SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; \
         SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}'"
    )
}

/// The statements by which a transaction sees no more than `reach`; none when it is everything.
fn narrowing(reach: Reach) -> String {
    let narrowed = |name: &str, id: Option<Uuid>| {
        id.map(|id| format!("SET LOCAL ac.{name} = '{id}'; ")).unwrap_or_default()
    };
    let Reach { dealer, technician } = reach;
    format!(
        "{}{}",
        narrowed("dealer", dealer.map(Uuid::from)),
        narrowed("technician", technician.map(Uuid::from))
    )
}
