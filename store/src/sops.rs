//! Tables `sop`, `sop_version`, `sop_run` and `sop_run_step`.

use crate::{Fault, Missing, Tenant, documents, listed, table, words};
use domain::{
    conditions::{Condition, ConditionFacts},
    identity::Rank,
    ids::{
        AssetId, CustomerId, DealerId, SopId, SopRunId, SopTriggerId, SopVersionId, StaffId,
        WorkOrderId,
    },
    money::{BasisPoints, Money},
    sops::{
        ChecklistChange, Department, Publication, Sop, SopAssignee, SopChecklist, SopDetails,
        SopDue, SopEvidenceKind, SopMeasure, SopQuestion, SopRun, SopRunDetails, SopRunState,
        SopRunStep, SopRunStepState, SopStep, SopValue, SopVersion, SopVersionDetails,
        SopVersionState,
    },
    text::{Code, Line, Name, Prose},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select, sea_query::ExprTrait as _,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

words!(Department, SopVersionState, SopRunState, SopRunStepState);
documents!(
    Vec<SopQuestion>,
    Vec<SopStep>,
    SopMeasure,
    SopValue,
    SopAssignee,
    SopDue,
    BTreeSet<SopEvidenceKind>,
    ConditionFacts
);

table! {
    /// Procedures.
    sop = "sop" of Sop {
        [details: SopDetails {
            code: Code,
            name: Name,
            department: Department,
            touchpoint: Code,
        }],
        latest_number: u32,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Versions of procedures.
    sop_version = "sop_version" of SopVersion {
        [details: SopVersionDetails {
            change_note: Line, quiz: Vec<SopQuestion>, steps: Vec<SopStep>,
        }],
        sop_id: SopId,
        number: u32,
        state: SopVersionState,
        authors: Vec<String>,
        review_note: Option<Line>,
        published_by: Option<String>,
        published_at: Option<Timestamp>,
        retired_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Executions of procedures.
    sop_run = "sop_run" of SopRun {
        [details: SopRunDetails {
            sop_id: SopId,
            customer_id: Option<CustomerId>,
            asset_id: Option<AssetId>,
            dealer_id: Option<DealerId>,
            staff_id: Option<StaffId>,
        }],
        sop_version_id: SopVersionId,
        work_order_id: Option<WorkOrderId>,
        anchor_at: Option<Timestamp>,
        trigger_id: Option<SopTriggerId>,
        cause: Option<String>,
        event_facts: BTreeMap<Code, SopValue>,
        condition_facts: ConditionFacts,
        state: SopRunState,
        adherence_bp: Option<BasisPoints>,
        abort_reason: Option<Line>,
        started_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Steps of executions.
    sop_run_step = "sop_run_step" of SopRunStep {
        [step: SopStep {
            key: Option<Code>,
            title: Name,
            standard: Prose,
            target_degree: Option<Line>,
            measure: SopMeasure,
            stop: bool,
            obligation: bool,
            approval_rank: Option<Rank>,
            assignee: SopAssignee,
            due: Option<SopDue>,
            condition: Option<Condition>,
            evidence: BTreeSet<SopEvidenceKind>,
            service_item_code: Option<Code>,
            cost_cap: Option<Money>,
        }],
        sop_run_id: SopRunId,
        position: u32,
        state: SopRunStepState,
        staff_id: Option<StaffId>,
        ready_at: Option<Timestamp>,
        due_at: Option<Timestamp>,
        overdue_at: Option<Timestamp>,
        escalated_rank: Option<Rank>,
        escalated_staff_id: Option<StaffId>,
        value: Option<SopValue>,
        deviation_reason: Option<Line>,
        meter_replaced: Option<Line>,
        attempts: u32,
        done_by: Option<String>,
        done_at: Option<Timestamp>,
    } versioned
}

listed! {
    Sop = sop [CreatedAt; Code] usually newest;
    SopVersion = sop_version [CreatedAt; Number] usually newest;
    SopRun = sop_run [CreatedAt;] usually newest;
}

/// Which procedures are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct SopFilter {
    /// The one with this code.
    pub code: Option<Code>,
    /// Those of one department.
    pub department: Option<Department>,
    /// Those for one moment of the customer's.
    pub touchpoint: Option<Code>,
}

/// Which runs are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct SopRunFilter {
    /// Those of one procedure.
    pub sop_id: Option<SopId>,
    /// Those that are part of one visit.
    pub work_order_id: Option<WorkOrderId>,
    /// Those for one customer.
    pub customer_id: Option<CustomerId>,
    /// Those of one dealer.
    pub dealer_id: Option<DealerId>,
    /// Those of one person.
    pub staff_id: Option<StaffId>,
    /// Those in one state.
    pub state: Option<SopRunState>,
}

/// Procedures.
pub fn sops(filter: &SopFilter) -> Select<sop::Entity> {
    use sop::Column as C;
    sop::Entity::find()
        .apply_if(filter.code.as_deref(), |all, code| all.filter(C::Code.eq(code)))
        .apply_if(filter.department, |all, one| all.filter(C::Department.eq(table::word(&one))))
        .apply_if(filter.touchpoint.as_deref(), |all, one| all.filter(C::Touchpoint.eq(one)))
}

/// Versions of a procedure.
pub fn versions_of(sop: SopId) -> Select<sop_version::Entity> {
    sop_version::Entity::find().filter(sop_version::Column::SopId.eq(Uuid::from(sop)))
}

/// The version of a procedure that is in force, under which runs begin.
pub fn in_force(sop: SopId) -> Select<sop_version::Entity> {
    let published = table::word(&SopVersionState::Published);
    versions_of(sop).filter(sop_version::Column::State.eq(published))
}

/// The version that was in force before `version`: of one that is not in force yet, the one that is.
pub fn in_force_before(version: &SopVersion) -> Select<sop_version::Entity> {
    use sop_version::Column as C;
    let Some(published_at) = version.published_at else { return in_force(version.sop_id) };
    versions_of(version.sop_id)
        .filter(C::PublishedAt.is_not_null())
        .filter(C::Id.ne(Uuid::from(version.id)))
        .filter(
            C::PublishedAt.lt(chrono::DateTime::from(published_at)).or(C::PublishedAt
                .eq(chrono::DateTime::from(published_at))
                .and(C::Number.lt(version.number))),
        )
        .order_by_desc(C::PublishedAt)
        .order_by_desc(C::Number)
        .limit(1)
}

/// Runs.
pub fn sop_runs(filter: &SopRunFilter) -> Select<sop_run::Entity> {
    use sop_run::Column as C;
    sop_run::Entity::find()
        .apply_if(filter.sop_id, |all, id| all.filter(C::SopId.eq(Uuid::from(id))))
        .apply_if(filter.work_order_id, |all, id| all.filter(C::WorkOrderId.eq(Uuid::from(id))))
        .apply_if(filter.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(filter.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(filter.staff_id, |all, id| all.filter(C::StaffId.eq(Uuid::from(id))))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
}

impl Tenant {
    /// Finds a version in order to publish it, with the one that is in force. Publications of the same
    /// procedure wait for each other.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such version.
    pub async fn hold_for_publication(
        &self,
        id: SopVersionId,
    ) -> Result<(SopVersion, Option<SopVersion>), Missing> {
        let sop = self.get::<SopVersion>(id).await?.sop_id;
        self.hold::<Sop>(sop).await?;
        let version = self.hold(id).await?;
        Ok((version, self.find(in_force(sop)).await?))
    }

    /// Records that a version is in force now, and the older one no longer.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or one of them was changed meanwhile.
    pub async fn record_publication(&self, publication: Publication) -> Result<SopVersion, Fault> {
        if let Some(retired) = publication.retired {
            self.record(retired).await?;
        }
        self.record(publication.published).await
    }

    /// A run with its steps, in the order of work.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn checklist(&self, run: SopRun) -> Result<SopChecklist, Fault> {
        let steps = sop_run_step::Entity::find()
            .filter(sop_run_step::Column::SopRunId.eq(Uuid::from(run.id)))
            .order_by_asc(sop_run_step::Column::Position);
        Ok(SopChecklist { run, steps: self.all(steps).await? })
    }

    /// Records what was decided about a run and its steps; answers them as they are now. The run must
    /// be held, so that nobody else ticks off a step at the same time.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn record_checklist(&self, change: ChecklistChange) -> Result<SopChecklist, Fault> {
        let ChecklistChange { run, mut steps, changed } = change;
        let is_new = run.is_new;
        let run = self.record(run).await?;
        if is_new {
            self.add_all(&steps).await?;
        } else {
            for step in steps.iter_mut().filter(|step| changed.contains(&step.id)) {
                *step = self.save(step.clone()).await?;
            }
        }
        let runner = run.details.staff_id;
        let is_helped = |step: &SopRunStep| {
            let those = [step.staff_id, step.escalated_staff_id];
            those.into_iter().flatten().any(|one| Some(one) != runner)
        };
        if steps.iter().any(|step| changed.contains(&step.id) && is_helped(step)) {
            self.let_helpers_in(run.id).await?;
        }
        Ok(SopChecklist { run, steps })
    }

    /// Makes sure that the caller sees the procedure, customer, asset, dealer and person of a new run. The
    /// database keeps references within the brand; this keeps them within the caller's reach.
    ///
    /// # Errors
    ///
    /// [`Fault::Dangling`] for the first that the caller does not see.
    pub async fn expect_in_reach(&self, details: &SopRunDetails) -> Result<(), Fault> {
        self.expect_row("sop", "sop_id", Some(details.sop_id.into())).await?;
        self.expect_row("customer", "customer_id", details.customer_id.map(Uuid::from)).await?;
        self.expect_row("asset", "asset_id", details.asset_id.map(Uuid::from)).await?;
        self.expect_row("dealer", "dealer_id", details.dealer_id.map(Uuid::from)).await?;
        self.expect_row("staff", "staff_id", details.staff_id.map(Uuid::from)).await
    }

    async fn expect_row(&self, table: &str, column: &str, id: Option<Uuid>) -> Result<(), Fault> {
        let Some(id) = id else { return Ok(()) };
        let sql = format!("SELECT 1 FROM {table} WHERE tenant_id = ac.tenant() AND id = $1");
        let row = self.work().query_one_raw(self.statement(&sql, [id.into()])).await?;
        let dangling = || Fault::Dangling { constraint: format!("sop_run__{column}") };
        row.map(|_| ()).ok_or_else(dangling)
    }
}
