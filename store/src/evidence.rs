//! Table `sop_evidence`.

use crate::{Fault, Tenant, files::first_name_of, listed, table, words};
use domain::{
    ids::{CustomerId, DealerId, SopRunId, SopRunStepId},
    sops::{SopEvidence, SopEvidenceKind, SopEvidenceType, SopRunStep},
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Select};
use std::collections::BTreeSet;
use uuid::Uuid;

words!(SopEvidenceKind, SopEvidenceType);

table! {
    /// Files that show how steps were done.
    sop_evidence = "sop_evidence" of SopEvidence {
        sop_run_id: SopRunId,
        sop_run_step_id: SopRunStepId,
        dealer_id: Option<DealerId>,
        customer_id: Option<CustomerId>,
        attempt: u32,
        kind: SopEvidenceKind,
        content_type: SopEvidenceType,
        size_bytes: u32,
        sha256: String,
        attached_by: String,
        created_at: Timestamp,
    } append_only
}

listed! {
    SopEvidence = sop_evidence [CreatedAt;] usually newest;
}

/// The files of a run.
pub fn evidence_of(run: SopRunId) -> Select<sop_evidence::Entity> {
    sop_evidence::Entity::find().filter(sop_evidence::Column::SopRunId.eq(Uuid::from(run)))
}

/// The files of the attempt at a step that is the next.
fn evidence_of_attempt(step: &SopRunStep) -> Select<sop_evidence::Entity> {
    sop_evidence::Entity::find()
        .filter(sop_evidence::Column::SopRunStepId.eq(Uuid::from(step.id)))
        .filter(sop_evidence::Column::Attempt.eq(step.attempt()))
}

impl Tenant {
    /// Which of these files, made from an instant on and before another one, no row names.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn unnamed_files(
        &self,
        mut files: BTreeSet<Uuid>,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<BTreeSet<Uuid>, Fault> {
        let sql =
            "SELECT id FROM sop_evidence WHERE tenant_id = ac.tenant() AND id >= $1 AND id < $2
             UNION ALL
             SELECT id FROM complaint_attachment WHERE tenant_id = ac.tenant() AND id >= $1 AND id < $2";
        let values = [first_name_of(from).into(), first_name_of(until).into()];
        for named in self.work().query_all_raw(self.statement(sql, values)).await? {
            files.remove(&named.try_get("", "id")?);
        }
        Ok(files)
    }

    /// How many files the attempt at a step that is the next has; no more than it can have are counted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn count_evidence(&self, step: &SopRunStep) -> Result<u32, Fault> {
        let most = u64::from(domain::sops::MOST_EVIDENCE);
        let counted = self.count::<SopEvidence>(evidence_of_attempt(step), most).await?;
        Ok(u32::try_from(counted).unwrap_or(u32::MAX))
    }

    /// What is attached to the attempt at a step that is the next: what showed an attempt that failed does not show
    /// this one.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn attached(&self, step: &SopRunStep) -> Result<BTreeSet<SopEvidenceKind>, Fault> {
        let files: Vec<SopEvidence> = self.all(evidence_of_attempt(step)).await?;
        Ok(files.into_iter().map(|file| file.kind).collect())
    }
}
