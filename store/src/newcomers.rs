//! Many new records at once, and new records that may be there already.

use crate::{Fault, Tenant, table::Table};
use domain::{
    audit::AuditEntry, change::Change, event::Event, ids::JobId, record::Record, time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, EntityTrait, Iterable as _, sea_query::OnConflict};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// PostgreSQL takes 65 535 parameters in a statement; we stay well below.
const MOST_PARAMETERS: usize = 30_000;

/// All jobs of a statement in one document, so that it has one parameter, however many they are.
const ENQUEUE: &str = "
    INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
    SELECT ac.tenant(), j.id, j.kind, j.payload, j.due_at, 'ready', $2
    FROM jsonb_to_recordset($1) AS j (id uuid, kind text, payload jsonb, due_at timestamptz)";

impl Tenant {
    /// Records decisions that make new records, all at once. Those whose place is taken are left out,
    /// as if they had not been decided: a key is there already, or an exclusion (a technician's time)
    /// does not hold any more. Answers the records that are new.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a reference dangles.
    pub async fn record_new<R: Table + Serialize>(
        &self,
        changes: Vec<Change<R>>,
    ) -> Result<Vec<R>, Fault> {
        let columns = <R::Entity as EntityTrait>::Column::iter().count().max(1);
        let mut new = Vec::new();
        for chunk in changes.chunks(MOST_PARAMETERS.div_euclid(columns).max(1)) {
            let rows = chunk.iter().map(|change| self.row(&change.record));
            let added: BTreeSet<Uuid> = R::Entity::insert_many(rows)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_with_returning_keys(self.work())
                .await?
                .into_iter()
                .map(|(_, id)| id)
                .collect();
            let is_new = |change: &&Change<R>| added.contains(&change.record.id().into());
            let changes: Vec<_> = chunk.iter().filter(is_new).collect();
            self.note_all(&changes).await?;
            self.emit_all(&changes).await?;
            new.extend(changes.into_iter().map(|change| change.record.clone()));
        }
        Ok(new)
    }

    async fn note_all<R: Record>(&self, changes: &[&Change<R>]) -> Result<(), Fault> {
        let lines: Vec<_> =
            changes.iter().map(|change| self.line(&change.record, change)).collect();
        if lines.is_empty() { Ok(()) } else { self.add_all(&lines).await }
    }

    fn line<R: Record>(&self, record: &R, change: &Change<R>) -> AuditEntry {
        AuditEntry {
            id: self.new_id(),
            at: self.now(),
            actor: self.actor().to_string(),
            action: change.action.to_owned(),
            subject: record.id().to_string(),
            customer_id: record.customer(),
            dealer_id: record.dealer().or(self.reach().dealer),
            facts: change.facts.clone().into(),
            request_id: self.request_id().map(str::to_owned),
        }
    }

    async fn emit_all<R>(&self, changes: &[&Change<R>]) -> Result<(), Fault> {
        let events = changes.iter().flat_map(|change| &change.events);
        let jobs = events
            .map(|(event, due_at)| self.job(event, due_at.unwrap_or(self.now())))
            .collect::<Result<Vec<Value>, Fault>>()?;
        if jobs.is_empty() {
            return Ok(());
        }
        let now = chrono::DateTime::from(self.now());
        let statement = self.statement(ENQUEUE, [Value::Array(jobs).into(), now.into()]);
        self.work().execute_raw(statement).await?;
        Ok(())
    }

    fn job(&self, event: &Event, due_at: Timestamp) -> Result<Value, Fault> {
        let payload = serde_json::to_value(event)?;
        let kind = payload.get("type").cloned().unwrap_or_default();
        let id: JobId = self.new_id();
        if due_at <= self.now() {
            self.wake_on_commit();
        }
        Ok(json!({ "id": Uuid::from(id), "kind": kind, "payload": payload, "due_at": due_at }))
    }
}
