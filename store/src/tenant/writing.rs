//! What goes in at a tenant's door: records, their lines in the timeline, and what follows from them.

use super::Tenant;
use crate::{
    Fault,
    rows::{self, MOST_ROWS},
    table::Table,
    together::{together, upon},
};
use domain::{
    change::Change,
    event::Event,
    ids::{AuditEntryId, JobId},
    record::Record,
    time::Timestamp,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait,
    IntoActiveModel as _, QueryFilter as _, QueryTrait as _, Statement,
};
use serde::Serialize;
use std::sync::atomic::Ordering;
use uuid::Uuid;

impl Tenant {
    /// Records a decision in one flight: the record, its line in the timeline and what follows from it.
    /// Answers the record as it is now. An edit that changes nothing leaves everything as it was.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, a key is taken or a reference dangles; [`Fault::Stale`] when the record
    /// was changed since it was read.
    pub async fn record<R: Table + Serialize>(&self, change: Change<R>) -> Result<R, Fault> {
        self.record_with(change, Vec::new()).await
    }

    /// Records a decision as [`Tenant::record`] does, with statements that travel in the same flight.
    pub(crate) async fn record_with<R: Table + Serialize>(
        &self,
        change: Change<R>,
        also: Vec<Statement>,
    ) -> Result<R, Fault> {
        if change.is_idle() {
            return Ok(change.record);
        }
        let Change { mut record, is_new, action, facts, events } = change;
        let mut others = vec![self.entry(&record, action, facts.into())];
        for (event, due_at) in events {
            others.push(self.announcement(&event, due_at.unwrap_or(self.now), None)?);
        }
        others.extend(also);
        let statement = if is_new {
            others.insert(0, R::Entity::insert(self.row(&record)).build(DbBackend::Postgres));
            together(others)
        } else {
            upon(1, self.saving(&mut record), others)
        };
        self.work.execute_raw(statement).await?;
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

    /// Adds many such rows.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, a key is taken or a reference dangles.
    pub async fn add_all<R: Table>(&self, records: &[R]) -> Result<(), Fault> {
        for chunk in records.chunks(MOST_ROWS) {
            let chunk: Vec<_> = chunk.iter().collect();
            self.work.execute_raw(rows::inserting(self.id(), &chunk, "")?).await?;
        }
        Ok(())
    }

    /// Saves a record that nobody needs a timeline for; answers it with its new version.
    ///
    /// # Errors
    ///
    /// [`Fault::Stale`] when it was changed since it was read.
    pub async fn save<R: Table>(&self, mut record: R) -> Result<R, Fault> {
        let saving = self.saving(&mut record);
        self.work.execute_raw(upon(1, saving, Vec::new())).await?;
        Ok(record)
    }

    /// Gives a record that is about to be saved its new version; what is at hand of it is old then.
    pub(crate) fn renew<R: Table>(&self, record: &mut R) {
        record.set_version(record.version().next());
        self.hand.forget(record.id().into());
    }

    /// The statement that saves a record, with its new version, over the one that was read.
    fn saving<R: Table>(&self, record: &mut R) -> Statement {
        let read = record.version();
        self.renew(record);
        let mut changed = R::Entity::update_many()
            .set(self.row(record))
            .filter(self.owns::<R>())
            .filter(R::ID.eq(record.id().into()));
        if let Some(version) = R::VERSION {
            changed = changed.filter(version.eq(read.get()));
        }
        changed.build(DbBackend::Postgres)
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
        self.work.execute_raw(self.entry(record, action, facts)).await?;
        Ok(())
    }

    fn entry<R: Record>(&self, record: &R, action: &str, facts: serde_json::Value) -> Statement {
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
        self.statement(sql, values)
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
        self.work.execute_raw(self.announcement(event, due_at, None)?).await?;
        Ok(())
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
        self.work.execute_raw(self.announcement(event, due_at, Some(key))?).await?;
        Ok(())
    }

    /// The statement that announces a fact.
    fn announcement(
        &self,
        event: &Event,
        due_at: Timestamp,
        key: Option<&str>,
    ) -> Result<Statement, Fault> {
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
        if due_at <= self.now {
            self.wake_on_commit();
        }
        Ok(self.statement(sql, values))
    }

    /// Lets idle workers know, once this work is committed, that there is something to do.
    pub(crate) fn wake_on_commit(&self) {
        self.emitted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn row<R: Table>(&self, record: &R) -> <R::Entity as EntityTrait>::ActiveModel {
        record.row(self.id()).into_active_model().reset_all()
    }
}
