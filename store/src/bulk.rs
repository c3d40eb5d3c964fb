//! Many decisions at once, with as few statements as a handful.

use crate::{
    Fault, Tenant,
    rows::{self, MOST_ROWS},
    table::Table,
    together::upon,
};
use domain::{
    change::Change,
    event::Event,
    ids::{AuditEntryId, JobId},
    record::Record,
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, Statement};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
        mut changes: Vec<Change<R>>,
    ) -> Result<(), Fault> {
        changes.retain(|change| !change.is_idle());
        let (mut added, mut saved) = (Vec::new(), Vec::new());
        for change in &changes {
            let mut record = change.record.clone();
            if change.is_new {
                added.push(record);
            } else {
                self.renew(&mut record);
                saved.push(record);
            }
        }
        self.add_all(&added).await?;
        for chunk in saved.chunks(MOST_ROWS) {
            let saving = rows::saving(self.id(), &chunk.iter().collect::<Vec<_>>())?;
            self.work().execute_raw(upon(chunk.len(), saving, Vec::new())).await?;
        }
        self.follow_up(&changes.iter().collect::<Vec<_>>()).await
    }

    /// Records decisions that make new records. Those whose place is taken are left out, as if they had
    /// not been decided: a key is there already, or a technician's time is somebody else's. Answers the
    /// records that are new.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a reference dangles.
    pub async fn record_new<R: Table + Serialize>(
        &self,
        changes: Vec<Change<R>>,
    ) -> Result<Vec<R>, Fault> {
        let mut new = Vec::new();
        for chunk in changes.chunks(MOST_ROWS) {
            let added =
                self.insert_new(chunk.iter().map(|change| &change.record).collect()).await?;
            let is_new = |change: &&Change<R>| added.contains(&change.record.id().into());
            let changes: Vec<_> = chunk.iter().filter(is_new).collect();
            self.follow_up(&changes).await?;
            new.extend(changes.into_iter().map(|change| change.record.clone()));
        }
        Ok(new)
    }

    /// Tries to write records, and undoes it: answers those that find no place, because a record that this
    /// caller does not see has their key. `before` are new records that the others refer to.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a reference dangles.
    pub async fn without_place<B: Table, R: Table>(
        &self,
        before: &[B],
        new: &[R],
        changed: &[R],
    ) -> Result<BTreeSet<Uuid>, Fault> {
        self.work().execute_unprepared("SAVEPOINT trial").await?;
        self.insert_new(before.iter().collect()).await?;
        let placed = self.insert_new(new.iter().collect()).await?;
        let new = new.iter().map(|record| record.id().into());
        let mut taken: BTreeSet<Uuid> = new.filter(|id| !placed.contains(id)).collect();
        for record in changed {
            self.work().execute_unprepared("SAVEPOINT change").await?;
            match self.save(record.clone()).await {
                Ok(_) => {}
                Err(Fault::Taken { .. }) => {
                    self.work().execute_unprepared("ROLLBACK TO SAVEPOINT change").await?;
                    taken.insert(record.id().into());
                }
                Err(fault) => return Err(fault),
            }
        }
        self.work().execute_unprepared("ROLLBACK TO SAVEPOINT trial").await?;
        Ok(taken)
    }

    /// The statement that announces facts which will be true at their instants; none when there are none.
    pub(crate) fn announcing(
        &self,
        events: &[(Event, Timestamp)],
    ) -> Result<Option<Statement>, Fault> {
        if events.is_empty() {
            return Ok(None);
        }
        if events.iter().any(|(_, due_at)| *due_at <= self.now()) {
            self.wake_on_commit();
        }
        let lines = events.iter().map(|(event, due_at)| self.job(event, *due_at));
        let lines = Value::from(lines.collect::<Result<Vec<_>, Fault>>()?);
        let now = chrono::DateTime::from(self.now());
        Ok(Some(self.statement(EVENTS, [Uuid::from(self.id()).into(), now.into(), lines.into()])))
    }

    /// Writes the lines for the timelines and announces what has happened.
    async fn follow_up<R: Record>(&self, changes: &[&Change<R>]) -> Result<(), Fault> {
        let events = changes.iter().flat_map(|change| &change.events);
        let jobs: Result<Vec<_>, Fault> =
            events.map(|(event, due_at)| self.job(event, due_at.unwrap_or(self.now()))).collect();
        self.insert_notes(changes.iter().map(|change| self.line(change)).collect()).await?;
        self.insert_jobs(jobs?).await
    }

    /// Inserts the records that find their place; answers their identifiers.
    async fn insert_new<R: Table>(&self, records: Vec<&R>) -> Result<BTreeSet<Uuid>, Fault> {
        if records.is_empty() {
            return Ok(BTreeSet::new());
        }
        let inserting =
            rows::inserting(self.id(), &records, "ON CONFLICT DO NOTHING RETURNING id")?;
        let added = self.work().query_all_raw(inserting).await?;
        Ok(added.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
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
