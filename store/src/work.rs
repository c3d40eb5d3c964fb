//! Open work of people: complaints they answer for or that have gone up to them, and what was promised about these.

use crate::{
    Fault, Tenant,
    table::{Col, word},
};
use domain::{
    clocks::SlaMetric,
    complaints::{
        ComplaintState, RemedyKind, Severity,
        work::{WorkItem, WorkPlace},
    },
    ids::{RemedyId, StaffId},
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, DbErr, QueryResult};
use uuid::Uuid;

/// Each complaint with the deadline that comes first, and each remedy with that of the resolution.
const WORK: &str = "
    WITH mine AS (
        SELECT c.*, $1 IN (c.owner_id, c.cover_id) IS TRUE AS is_owner,
               c.escalated_staff_id IS NOT DISTINCT FROM $1 AS is_escalated
        FROM complaint c
        WHERE c.tenant_id = ac.tenant() AND (c.owner_id = $1 OR c.cover_id = $1 OR c.escalated_staff_id = $1) AND c.state = ANY ($2)
    ), due AS (
        SELECT m.id AS complaint_id, 'acknowledge' COLLATE \"C\" AS metric, m.first_answer_due_at AS due_at
        FROM mine m WHERE m.first_answer = 'due'
        UNION ALL
        SELECT k.complaint_id, k.metric, k.due_at FROM mine m
        JOIN sla_clock k ON k.tenant_id = ac.tenant() AND k.complaint_id = m.id
        WHERE k.state IN ('running', 'breached') AND k.due_at IS NOT NULL
    ), item AS (
        SELECT m.id, m.id AS complaint_id, NULL::uuid AS remedy_id, NULL::text AS remedy_kind, d.metric, d.due_at
        FROM mine m LEFT JOIN LATERAL (
            SELECT * FROM due WHERE due.complaint_id = m.id ORDER BY due.due_at, due.metric LIMIT 1) d ON true
        UNION ALL
        SELECT r.id, m.id, r.id, r.kind, d.metric, d.due_at
        FROM mine m
        JOIN remedy r ON r.tenant_id = ac.tenant() AND r.complaint_id = m.id AND r.resolution_no = m.resolution_no
            AND r.state = 'due'
        LEFT JOIN LATERAL (
            SELECT * FROM due WHERE due.complaint_id = m.id AND due.metric IN ('first_resolution', 'total_resolution')
            ORDER BY due.due_at, due.metric LIMIT 1) d ON true
    )
    SELECT m.number, m.customer_id, m.state, m.severity, m.is_owner, m.is_escalated, i.*
    FROM item i JOIN mine m ON m.id = i.complaint_id
    WHERE $3::uuid IS NULL OR (coalesce(i.due_at, 'infinity'), i.id) > (coalesce($4, 'infinity'), $3)
    ORDER BY coalesce(i.due_at, 'infinity'), i.id LIMIT $5";

impl Tenant {
    /// What waits for a person, at most `most` items, those that are due first at the front, and those without a deadline
    /// at the end; behind the place `after`, where one is named; and whether there are more.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn open_work(
        &self,
        person: StaffId,
        after: Option<WorkPlace>,
        most: u16,
    ) -> Result<(Vec<WorkItem>, bool), Fault> {
        let open = ComplaintState::ALL.into_iter().filter(|state| state.is_open());
        let open: Vec<String> = open.map(|state| word(&state)).collect();
        let due_at = after.and_then(|after| after.due_at).map(chrono::DateTime::from);
        let values = [
            Uuid::from(person).into(),
            open.into(),
            after.map(|after| after.id).into(),
            due_at.into(),
            i64::from(most).saturating_add(1).into(),
        ];
        let rows = self.work().query_all_raw(self.statement(WORK, values)).await?;
        let more = rows.len() > usize::from(most);
        let shown = rows.iter().take(usize::from(most)).map(|row| self.work_item(row));
        Ok((shown.collect::<Result<_, DbErr>>()?, more))
    }

    fn work_item(&self, row: &QueryResult) -> Result<WorkItem, DbErr> {
        let due_at: Option<chrono::DateTime<chrono::Utc>> = row.try_get("", "due_at")?;
        let due_at = due_at.map(Timestamp::from);
        let remedy: Option<Uuid> = row.try_get("", "remedy_id")?;
        Ok(WorkItem {
            complaint_id: row.try_get::<Uuid>("", "complaint_id")?.into(),
            complaint_number: row.try_get("", "number")?,
            customer_id: row.try_get::<Uuid>("", "customer_id")?.into(),
            state: row.try_get::<Col<ComplaintState>>("", "state")?.0,
            severity: row.try_get::<Col<Severity>>("", "severity")?.0,
            is_owner: row.try_get("", "is_owner")?,
            is_escalated: row.try_get("", "is_escalated")?,
            remedy_id: remedy.map(RemedyId::from),
            remedy_kind: row.try_get::<Col<Option<RemedyKind>>>("", "remedy_kind")?.0,
            metric: row.try_get::<Col<Option<SlaMetric>>>("", "metric")?.0,
            due_at,
            is_overdue: due_at.is_some_and(|at| at <= self.now()),
        })
    }
}
