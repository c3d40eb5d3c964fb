//! The tenant's door: one transaction, one tenant, one instant.

use crate::{
    Failure, Fault, Missing, Store,
    page::{Cursor, MOST_LIMIT, Mark, Order, Page, Query, Slice},
    table::Table,
    transaction::Transaction,
};
use domain::{
    change::Change,
    event::Event,
    identity::{Actor, Reach},
    ids::{AuditEntryId, JobId, TenantId},
    record::Record,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Iterable,
    ModelTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _, Select, Statement, Value,
    sea_query::{self, Alias, Expr, ExprTrait as _, LockType},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};
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

    /// Finds a record in order to show it.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such record.
    pub async fn get<R: Table>(&self, id: R::Id) -> Result<R, Missing> {
        self.one(by_id::<R>(self.id(), id)).await
    }

    /// Finds a record in order to change it; others who hold it wait until this tenant is done. Who
    /// merely refers to it does not wait.
    ///
    /// Two who hold the same records in another order wait for each other for ever, so everybody holds
    /// them in this one: what a push names ([`Tenant::push_alone`]); the customer; procedure, version;
    /// order, asset, enrolment; work order, appointment, due date; complaint, remedy, invitation;
    /// gesture, account. Records of one kind are held in the order of their identifiers.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such record.
    pub async fn hold<R: Table>(&self, id: R::Id) -> Result<R, Missing> {
        self.one(held::<R>(by_id::<R>(self.id(), id))).await
    }

    /// Finds the record that `select` describes in order to change it, if there is one; see
    /// [`Tenant::hold`].
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the row cannot be read.
    pub async fn hold_found<R: Table>(
        &self,
        select: Select<R::Entity>,
    ) -> Result<Option<R>, Fault> {
        self.find(held::<R>(select)).await
    }

    /// All records that `select` describes, in order to change them; see [`Tenant::hold`].
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn hold_all<R: Table>(&self, select: Select<R::Entity>) -> Result<Vec<R>, Fault> {
        self.all(held::<R>(select)).await
    }

    /// Finds the record that `select` describes, if there is one.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the row cannot be read.
    pub async fn find<R: Table>(&self, select: Select<R::Entity>) -> Result<Option<R>, Fault> {
        let row = select.filter(self.owns::<R>()).one(&self.work).await?;
        Ok(row.map(R::record))
    }

    /// All records that `select` describes. For sets that the rules keep small; lists that callers see
    /// come in pages ([`Tenant::page`]).
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn all<R: Table>(&self, select: Select<R::Entity>) -> Result<Vec<R>, Fault> {
        let rows = select.filter(self.owns::<R>()).all(&self.work).await?;
        Ok(rows.into_iter().map(R::record).collect())
    }

    /// One page of the records that `select` describes.
    ///
    /// # Errors
    ///
    /// [`INVALID_CURSOR`](crate::page::INVALID_CURSOR) when the cursor was made by another list or for
    /// another tenant.
    pub async fn page<R: Table>(
        &self,
        select: Select<R::Entity>,
        order: Order<R::Entity>,
        page: &Page,
    ) -> Result<Slice<R>, Failure> {
        let limit = page.limit.clamp(1, MOST_LIMIT);
        let mut select = ordered::<R>(select.filter(self.owns::<R>()), order);
        if let Some(cursor) = &page.cursor {
            select = select.filter(after::<R>(order, Cursor::read(cursor, self.id(), &order)?));
        }
        let mut rows = select.limit(u64::from(limit).saturating_add(1)).all(&self.work).await?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = rows.last().filter(|_| more).map(|last| self.cursor::<R>(order, last));
        Ok(Slice { items: rows.into_iter().map(R::record).collect(), next })
    }

    /// How many records `select` describes; no more than `most` are counted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn count<R: Table>(&self, select: Query<R>, most: u64) -> Result<u64, Fault> {
        let found = select.filter(self.owns::<R>()).select_only().column(R::ID).limit(most);
        let mut count = sea_query::Query::select();
        count
            .expr_as(Expr::val(1).count(), Alias::new("counted"))
            .from_subquery(found.into_query(), Alias::new("found"));
        let row = self.work.query_one_raw(DbBackend::Postgres.build(&count)).await?;
        let counted: i64 = row.map_or(Ok(0), |row| row.try_get("", "counted"))?;
        Ok(counted.unsigned_abs())
    }

    /// The records with these identifiers that this caller sees, in one question.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn named<R: Table>(&self, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, R>, Fault> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let records =
            self.all::<R>(R::Entity::find().filter(R::ID.is_in(ids.iter().copied()))).await?;
        Ok(records.into_iter().map(|record| (record.id().into(), record)).collect())
    }

    /// Records a decision: the record, its line in the timeline and what follows from it.
    /// Answers the record as it is now. An edit that changes nothing leaves everything as it was.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, a key is taken or a reference dangles.
    pub async fn record<R: Table + Serialize>(&self, change: Change<R>) -> Result<R, Fault> {
        if change.is_idle() {
            return Ok(change.record);
        }
        let Change { mut record, is_new, action, facts, events } = change;
        if is_new {
            self.add(&record).await?;
        } else {
            record = self.save(record).await?;
        }
        self.note(&record, action, facts.into()).await?;
        for (event, due_at) in events {
            self.emit_at(&event, due_at.unwrap_or(self.now)).await?;
        }
        Ok(record)
    }

    /// Adds a row that needs no line in a timeline, such as a line of a log.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, a key is taken or a reference dangles.
    pub async fn add<R: Table>(&self, record: &R) -> Result<(), Fault> {
        R::Entity::insert(self.row(record)).exec_without_returning(&self.work).await?;
        Ok(())
    }

    /// Adds many such rows; `most_rows` keep a statement below the limit on its parameters.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, a key is taken or a reference dangles.
    pub async fn add_all<R: Table>(&self, records: &[R]) -> Result<(), Fault> {
        let columns = <R::Entity as EntityTrait>::Column::iter().count().max(1);
        for chunk in records.chunks(MOST_PARAMETERS.div_euclid(columns).max(1)) {
            let rows = chunk.iter().map(|record| self.row(record));
            R::Entity::insert_many(rows).exec_without_returning(&self.work).await?;
        }
        Ok(())
    }

    /// Saves a record that nobody needs a timeline for; answers it with its new version.
    ///
    /// # Errors
    ///
    /// [`Fault::Stale`] when it was changed since it was read.
    pub async fn save<R: Table>(&self, mut record: R) -> Result<R, Fault> {
        let read = record.version();
        record.set_version(read.next());
        let mut changed = R::Entity::update_many()
            .set(self.row(&record))
            .filter(self.owns::<R>())
            .filter(R::ID.eq(record.id().into()));
        if let Some(version) = R::VERSION {
            changed = changed.filter(version.eq(read.get()));
        }
        let changed = changed.exec(&self.work).await?;
        if changed.rows_affected == 1 { Ok(record) } else { Err(Fault::Stale) }
    }

    /// Writes a line in the timeline of `record`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn note<R: Record>(
        &self,
        record: &R,
        action: &str,
        facts: serde_json::Value,
    ) -> Result<(), Fault> {
        let sql = "INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id,
                                            dealer_id, facts, request_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let id: AuditEntryId = self.new_id();
        let dealer = record.dealer().or(self.scope.reach.dealer);
        let values = [
            Uuid::from(self.id()).into(),
            Uuid::from(id).into(),
            chrono::DateTime::from(self.now).into(),
            self.actor().to_string().into(),
            action.into(),
            record.id().to_string().into(),
            record.customer().map(Uuid::from).into(),
            dealer.map(Uuid::from).into(),
            facts.into(),
            self.scope.request_id.clone().into(),
        ];
        self.work.execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// Announces a fact; it leaves the building only if this work is committed.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the fact cannot be written down.
    pub async fn emit(&self, event: &Event) -> Result<(), Fault> {
        self.emit_at(event, self.now).await
    }

    /// Announces a fact that will be true at `due_at`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the fact cannot be written down.
    pub async fn emit_at(&self, event: &Event, due_at: Timestamp) -> Result<(), Fault> {
        self.enqueue(event, due_at, None).await
    }

    /// Announces a fact that will be true at `due_at`, once: a second announcement under the same
    /// `key` changes nothing.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the fact cannot be written down.
    pub async fn emit_once(
        &self,
        event: &Event,
        due_at: Timestamp,
        key: &str,
    ) -> Result<(), Fault> {
        self.enqueue(event, due_at, Some(key)).await
    }

    async fn enqueue(
        &self,
        event: &Event,
        due_at: Timestamp,
        key: Option<&str>,
    ) -> Result<(), Fault> {
        let sql =
            "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, dedup_key, created_at)
                   VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7)
                   ON CONFLICT (tenant_id, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING";
        let payload = serde_json::to_value(event)?;
        let kind =
            payload.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        let id: JobId = self.new_id();
        let values = [
            Uuid::from(self.id()).into(),
            Uuid::from(id).into(),
            kind.into(),
            payload.into(),
            chrono::DateTime::from(due_at).into(),
            key.map(str::to_owned).into(),
            chrono::DateTime::from(self.now).into(),
        ];
        self.work.execute_raw(self.statement(sql, values)).await?;
        if due_at <= self.now {
            self.wake_on_commit();
        }
        Ok(())
    }

    /// Lets idle workers know, once this work is committed, that there is something to do.
    pub(crate) fn wake_on_commit(&self) {
        self.emitted.store(true, Ordering::Relaxed);
    }

    /// Makes the work permanent and hands the answer over.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database refuses the commit; then nothing has happened.
    pub async fn commit<T: Send>(self, answer: T) -> Result<Saved<T>, Fault> {
        self.work.commit().await?;
        if self.emitted.into_inner() {
            self.store.waker().wake();
        }
        Ok(Saved(answer))
    }

    pub(crate) async fn begin(store: &Store, scope: Scope) -> Result<Self, Fault> {
        let work = store.begin(opening(&scope)).await?;
        let now = store.clock().now();
        let emitted = AtomicBool::new(false);
        let mut tenant = Self { scope, now, store: store.clone(), work, emitted };
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

    async fn one<R: Table>(&self, select: Select<R::Entity>) -> Result<R, Missing> {
        select.one(&self.work).await?.map(R::record).ok_or(Missing::NotFound)
    }

    pub(crate) fn row<R: Table>(&self, record: &R) -> <R::Entity as EntityTrait>::ActiveModel {
        use sea_orm::ActiveModelTrait as _;
        record.row(self.id()).into_active_model().reset_all()
    }

    fn owns<R: Table>(&self) -> Condition {
        Condition::all().add(R::TENANT.eq(Uuid::from(self.id())))
    }

    fn cursor<R: Table>(
        &self,
        order: Order<R::Entity>,
        last: &<R::Entity as EntityTrait>::Model,
    ) -> String {
        let mark = order.column.and_then(|column| Mark::of(last.get(column)));
        let id = if let Value::Uuid(Some(id)) = last.get(R::ID) { id } else { Uuid::nil() };
        Cursor::new(self.id(), &order, mark, id).write()
    }
}

/// PostgreSQL takes 65 535 parameters in a statement; we stay well below.
pub(crate) const MOST_PARAMETERS: usize = 30_000;

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

/// Locks what is found, one after the other. No key changes, so that references to it need not wait: the
/// check of a reference takes a lock, too, and would otherwise stand in the way of every holder.
fn held<R: Table>(select: Select<R::Entity>) -> Select<R::Entity> {
    select.order_by(R::ID, sea_orm::Order::Asc).lock(LockType::NoKeyUpdate)
}

fn by_id<R: Table>(tenant: TenantId, id: R::Id) -> Select<R::Entity> {
    R::Entity::find_by_id((tenant.into(), id.into()))
}

fn ordered<R: Table>(mut select: Select<R::Entity>, order: Order<R::Entity>) -> Select<R::Entity> {
    let direction = if order.descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    if let Some(column) = order.column {
        select = select.order_by(column, direction.clone());
    }
    select.order_by(R::ID, direction)
}

/// Rows behind the place where a page ended, by row comparison, which an index can follow.
fn after<R: Table>(order: Order<R::Entity>, cursor: Cursor) -> Expr {
    let id = (R::ID.as_column_ref(), Value::from(cursor.id));
    let (columns, values) = match order.column.zip(cursor.mark) {
        Some((column, mark)) => (
            vec![Expr::col(column.as_column_ref()), Expr::col(id.0)],
            vec![Expr::value(Value::from(mark)), Expr::value(id.1)],
        ),
        None => (vec![Expr::col(id.0)], vec![Expr::value(id.1)]),
    };
    let (place, end) = (Expr::tuple(columns), Expr::tuple(values));
    if order.descending { place.lt(end) } else { place.gt(end) }
}
