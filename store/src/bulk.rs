//! Many decisions at once, with as few statements as a handful.

use crate::{Fault, Tenant, table::Table};
use domain::{
    change::Change,
    event::Event,
    ids::{AuditEntryId, JobId},
    record::Record,
    time::Timestamp,
};
use sea_orm::ConnectionTrait as _;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

const NOTES: &str = "
    INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts,
                             request_id)
    SELECT $1, line.id, $2, $3, line.action, line.subject, line.customer_id, line.dealer_id, line.facts,
           $4
    FROM jsonb_to_recordset($5) AS line(id uuid, action text, subject text, customer_id uuid,
                                        dealer_id uuid, facts jsonb)";

const EVENTS: &str = "
    INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
    SELECT $1, line.id, line.payload ->> 'type', line.payload, line.due_at, 'ready', $2
    FROM jsonb_to_recordset($3) AS line(id uuid, payload jsonb, due_at timestamptz)";

impl Tenant {
    /// Records many decisions of one kind, each as [`Tenant::record`] would.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`].
    pub async fn record_all<R: Table + Serialize>(
        &self,
        changes: Vec<Change<R>>,
    ) -> Result<(), Fault> {
        let (mut added, mut notes, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            notes.push(self.line(&change));
            for (event, due_at) in &change.events {
                events.push(self.job(event, due_at.unwrap_or(self.now()))?);
            }
            if change.is_new {
                added.push(change.record);
            } else {
                self.save(change.record).await?;
            }
        }
        self.add_all(&added).await?;
        self.insert_notes(notes).await?;
        self.insert_jobs(events).await
    }

    fn line<R: Record>(&self, change: &Change<R>) -> Value {
        let id: AuditEntryId = self.new_id();
        let dealer = change.record.dealer().or(self.reach().dealer);
        json!({
            "id": Uuid::from(id),
            "action": change.action,
            "subject": change.record.id().to_string(),
            "customer_id": change.record.customer().map(Uuid::from),
            "dealer_id": dealer.map(Uuid::from),
            "facts": change.facts,
        })
    }

    fn job(&self, event: &Event, due_at: Timestamp) -> Result<Value, Fault> {
        let id: JobId = self.new_id();
        let payload = serde_json::to_value(event)?;
        Ok(json!({ "id": Uuid::from(id), "payload": payload, "due_at": due_at }))
    }

    async fn insert_notes(&self, lines: Vec<Value>) -> Result<(), Fault> {
        if lines.is_empty() {
            return Ok(());
        }
        let values = [
            Uuid::from(self.id()).into(),
            chrono::DateTime::from(self.now()).into(),
            self.actor().to_string().into(),
            self.request_id().map(str::to_owned).into(),
            Value::from(lines).into(),
        ];
        self.work().execute_raw(self.statement(NOTES, values)).await?;
        Ok(())
    }

    async fn insert_jobs(&self, lines: Vec<Value>) -> Result<(), Fault> {
        if lines.is_empty() {
            return Ok(());
        }
        let now = chrono::DateTime::from(self.now());
        let values = [Uuid::from(self.id()).into(), now.into(), Value::from(lines).into()];
        self.work().execute_raw(self.statement(EVENTS, values)).await?;
        self.wake_on_commit();
        Ok(())
    }
}
