//! Which steps wait for whom, and how well procedures were followed: questions over many runs, behind the walls of the
//! runs themselves.

use crate::{
    Fault, Tenant,
    findings::settled_since,
    listed,
    sops::{sop_run, sop_run_step},
    table,
};
use domain::{
    findings::{Finding, FindingKind},
    ids::{AnyId, DealerId, SopVersionId, StaffId},
    sops::{
        MissedObligations, SopAdherence, SopRun, SopRunStep, SopRunStepState, SopTodo, TodoOwner,
        TodoPlace,
    },
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryResult,
    QuerySelect as _, QueryTrait as _, Select, sea_query::ExprTrait as _,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The most lines of a report that is not paged: more dealers, people or versions are not read at a glance.
pub const MOST_LINES: usize = 200;

listed! {
    SopRunStep = sop_run_step [; DoneAt] usually by DoneAt;
}

/// By what a report counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdherenceBy {
    /// By the dealer of the run.
    Dealer,
    /// By the person whose step it was.
    Staff,
    /// By the version that was followed.
    Version,
}

/// Which deviations are wanted.
#[derive(Debug, Clone, Copy)]
pub struct DeviationsWanted {
    /// Those of one dealer.
    pub dealer: Option<DealerId>,
    /// Those of steps of one person; where a step was nobody's, of whoever carried out the run.
    pub staff: Option<StaffId>,
    /// Those from one version.
    pub version: Option<SopVersionId>,
    /// From this instant on.
    pub from: Timestamp,
    /// Before this one.
    pub until: Timestamp,
}

/// Steps that failed or were waived, of runs that the caller sees.
pub fn deviations(wanted: DeviationsWanted) -> Select<sop_run_step::Entity> {
    use sop_run_step::Column as Is;
    let states = [SopRunStepState::Failed, SopRunStepState::Waived].map(|one| table::word(&one));
    let instant = chrono::DateTime::<chrono::Utc>::from;
    let runs = sop_run::Entity::find()
        .select_only()
        .column(sop_run::Column::Id)
        .apply_if(wanted.dealer, |all, id| all.filter(sop_run::Column::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.version, |all, id| {
            all.filter(sop_run::Column::SopVersionId.eq(Uuid::from(id)))
        });
    let runner = |id: StaffId| {
        let theirs = sop_run::Entity::find().select_only().column(sop_run::Column::Id);
        let theirs = theirs.filter(sop_run::Column::StaffId.eq(Uuid::from(id)));
        Is::StaffId.is_null().and(Is::SopRunId.in_subquery(theirs.into_query()))
    };
    sop_run_step::Entity::find()
        .apply_if(wanted.staff, |all, id| all.filter(Is::StaffId.eq(Uuid::from(id)).or(runner(id))))
        .filter(Is::State.is_in(states))
        .filter(Is::DoneAt.gte(instant(wanted.from)))
        .filter(Is::DoneAt.lt(instant(wanted.until)))
        .filter(Is::SopRunId.in_subquery(runs.into_query()))
}

impl Tenant {
    /// The steps that wait for `owner`, at most `most`, those that are due first at the front, and those without a
    /// time at the end; behind the place `after`, where one is named; and whether there are more.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn todo(
        &self,
        owner: TodoOwner,
        after: Option<TodoPlace>,
        most: u16,
    ) -> Result<(Vec<SopTodo>, bool), Fault> {
        let whose = match owner {
            TodoOwner::Person(_) => "(s.staff_id = $2 OR s.escalated_staff_id = $2)",
            TodoOwner::Everybody => "$2::uuid IS NULL",
        };
        let sql = format!(
            "SELECT s.id, s.sop_run_id FROM sop_run_step s
             JOIN sop_run r ON r.tenant_id = s.tenant_id AND r.id = s.sop_run_id
             WHERE s.tenant_id = ac.tenant() AND r.state IN ('open', 'in_progress') AND s.is_open
               AND {whose}
               AND ($3::uuid IS NULL OR (coalesce(s.due_at, 'infinity'), s.id) > (coalesce($4, 'infinity'), $3))
             ORDER BY coalesce(s.due_at, 'infinity'), s.id LIMIT $1"
        );
        let person: Option<Uuid> = match owner {
            TodoOwner::Person(person) => Some(person.into()),
            TodoOwner::Everybody => None,
        };
        let wanted = i64::from(most).saturating_add(1);
        let due_at = after.and_then(|after| after.due_at).map(chrono::DateTime::from);
        let step = after.map(|after| Uuid::from(after.step));
        let values = [wanted.into(), person.into(), step.into(), due_at.into()];
        let rows = self.work().query_all_raw(self.statement(&sql, values)).await?;
        let more = rows.len() > usize::from(most);
        let pair = |row: &QueryResult| Ok((row.try_get("", "id")?, row.try_get("", "sop_run_id")?));
        let pairs: Vec<(Uuid, Uuid)> =
            rows.iter().take(usize::from(most)).map(pair).collect::<Result<_, DbErr>>()?;
        let mut steps =
            self.named::<SopRunStep>(&pairs.iter().map(|pair| pair.0).collect()).await?;
        let runs: BTreeSet<Uuid> = pairs.iter().map(|pair| pair.1).collect();
        let runs = self.named::<SopRun>(&runs).await?;
        let one = |(step, run): &(Uuid, Uuid)| {
            Some(SopTodo::at(steps.remove(step)?, runs.get(run)?.clone(), self.now()))
        };
        Ok((pairs.iter().filter_map(one).collect(), more))
    }

    /// How well procedures were followed in runs that were completed between two instants, those with the most runs
    /// first, at most [`MOST_LINES`]; and whether there are more.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn adherence(
        &self,
        by: AdherenceBy,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(Vec<SopAdherence>, bool), Fault> {
        let key = match by {
            AdherenceBy::Dealer => "r.dealer_id",
            AdherenceBy::Staff => "coalesce(s.staff_id, r.staff_id)",
            AdherenceBy::Version => "r.sop_version_id",
        };
        let sql = format!(
            "SELECT {key} AS id, count(DISTINCT r.id)::integer AS runs,
                 (count(*) FILTER (WHERE s.state = 'done'))::integer AS done,
                 (count(*) FILTER (WHERE s.state = 'failed'))::integer AS failed,
                 (count(*) FILTER (WHERE s.state = 'waived'))::integer AS waived,
                 (count(*) FILTER (WHERE s.obligation AND s.state IN ('failed', 'waived')))::integer AS missed,
                 (count(*) FILTER (WHERE s.overdue_at IS NOT NULL))::integer AS overdue
             FROM sop_run r JOIN sop_run_step s ON s.tenant_id = r.tenant_id AND s.sop_run_id = r.id
             WHERE r.tenant_id = ac.tenant() AND r.state IN ('completed', 'completed_with_deviation')
               AND r.ended_at >= $1 AND r.ended_at < $2 AND s.state <> 'not_applicable'
             GROUP BY 1 ORDER BY runs DESC, id LIMIT {MOST_LINES} + 1"
        );
        let instant = chrono::DateTime::<chrono::Utc>::from;
        let values = [instant(from).into(), instant(until).into()];
        let rows = self.work().query_all_raw(self.statement(&sql, values)).await?;
        let line = |row: &QueryResult| {
            let id: Option<Uuid> = row.try_get("", "id")?;
            let [done, failed, waived] =
                ["done", "failed", "waived"].map(|name| counted(row, name));
            let (done, failed, waived) = (done?, failed?, waived?);
            Ok(SopAdherence {
                id: id.map(|id| named(by, id)),
                runs: counted(row, "runs")?,
                adherence_bp: SopAdherence::share(done, failed, waived),
                steps_done: done,
                steps_failed: failed,
                steps_waived: waived,
                obligations_missed: counted(row, "missed")?,
                steps_overdue: counted(row, "overdue")?,
            })
        };
        let mut lines: Vec<_> = rows.iter().map(line).collect::<Result<_, DbErr>>()?;
        let more = lines.len() > MOST_LINES;
        lines.truncate(MOST_LINES);
        Ok((lines, more))
    }

    /// How often obligations were missed since an instant, for each dealer and version with a miss: in runs that were
    /// completed since then, and in others in which one was missed since then, wherever they stand, because a run whose
    /// obligation failed may never be completed. For a dealer and version about which a finding was settled meanwhile it
    /// is counted from there on: what was looked at is not held against them again.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn missed_obligations(
        &self,
        since: Timestamp,
    ) -> Result<Vec<MissedObligations>, Fault> {
        let sql = "SELECT r.dealer_id, r.sop_version_id, count(*)::integer AS runs,
                       (count(*) FILTER (WHERE missed.last_at > counted.after))::integer AS missed
                   FROM sop_run r
                   LEFT JOIN jsonb_to_recordset($2) AS looked(dealer_id uuid, sop_version_id uuid, settled_at timestamptz)
                       ON looked.dealer_id = r.dealer_id AND looked.sop_version_id = r.sop_version_id
                   CROSS JOIN LATERAL (SELECT coalesce(looked.settled_at, '-infinity') AS after) counted
                   CROSS JOIN LATERAL (
                       SELECT max(s.done_at) AS last_at FROM sop_run_step s
                       WHERE s.tenant_id = r.tenant_id AND s.sop_run_id = r.id
                         AND s.obligation AND s.state IN ('failed', 'waived')) missed
                   WHERE r.tenant_id = ac.tenant() AND r.dealer_id IS NOT NULL
                     AND (r.state IN ('completed', 'completed_with_deviation') AND r.ended_at >= $1
                          OR r.id IN (SELECT s.sop_run_id FROM sop_run_step s
                                      WHERE s.tenant_id = ac.tenant() AND s.done_at >= $1
                                        AND s.obligation AND s.state IN ('failed', 'waived')))
                     AND greatest(r.ended_at, missed.last_at) > counted.after
                   GROUP BY 1, 2
                   HAVING count(*) FILTER (WHERE missed.last_at > counted.after) > 0
                   ORDER BY 1, 2";
        let looked = self.settled_training(since).await?;
        let since = chrono::DateTime::<chrono::Utc>::from(since);
        let rows =
            self.work().query_all_raw(self.statement(sql, [since.into(), looked.into()])).await?;
        let one = |row: &QueryResult| {
            Ok(MissedObligations {
                dealer_id: row.try_get::<Uuid>("", "dealer_id")?.into(),
                sop_version_id: row.try_get::<Uuid>("", "sop_version_id")?.into(),
                runs: counted(row, "runs")?,
                missed: counted(row, "missed")?,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, DbErr>>()?)
    }

    /// About which dealers and versions findings of training were settled since an instant, and when the last one was.
    async fn settled_training(&self, since: Timestamp) -> Result<serde_json::Value, Fault> {
        let settled: Vec<Finding> =
            self.all(settled_since(FindingKind::TrainingNeeded, since)).await?;
        let mut last = BTreeMap::new();
        for finding in settled {
            let version = finding.details.subject.as_str().parse::<SopVersionId>();
            if let (Some(dealer), Ok(version)) = (finding.details.dealer_id, version) {
                let known = last.entry((dealer, version)).or_insert(finding.settled_at);
                *known = finding.settled_at.max(*known);
            }
        }
        let line = |((dealer, version), settled_at): ((DealerId, SopVersionId), _)| {
            json!({ "dealer_id": Uuid::from(dealer), "sop_version_id": Uuid::from(version),
                "settled_at": settled_at })
        };
        Ok(last.into_iter().map(line).collect())
    }
}

fn counted(row: &QueryResult, name: &str) -> Result<u32, DbErr> {
    Ok(u32::try_from(row.try_get::<i32>("", name)?).unwrap_or_default())
}

fn named(by: AdherenceBy, id: Uuid) -> AnyId {
    match by {
        AdherenceBy::Dealer => AnyId::of(DealerId::from(id)),
        AdherenceBy::Staff => AnyId::of(StaffId::from(id)),
        AdherenceBy::Version => AnyId::of(SopVersionId::from(id)),
    }
}
