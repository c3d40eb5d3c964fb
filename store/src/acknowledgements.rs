//! Table `sop_acknowledgement`: who has read which version of a procedure.

use crate::{Fault, Tenant, identity::staff, listed, table};
use domain::{
    identity::{Role, StaffStatus},
    ids::{DealerId, SopId, SopVersionId, StaffId},
    money::BasisPoints,
    sops::SopAcknowledgement,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

table! {
    /// Who has read which version of a procedure.
    sop_acknowledgement = "sop_acknowledgement" of SopAcknowledgement {
        sop_id: SopId,
        sop_version_id: SopVersionId,
        staff_id: StaffId,
        dealer_id: Option<DealerId>,
        score_bp: BasisPoints,
        passed: bool,
        attempts: u32,
        acknowledged_at: Timestamp,
        created_at: Timestamp,
    } versioned
}

listed! {
    SopAcknowledgement = sop_acknowledgement [CreatedAt; AcknowledgedAt] usually newest;
}

/// Who has read a version.
pub fn acknowledgements_of(
    version: SopVersionId,
    passed: Option<bool>,
) -> Select<sop_acknowledgement::Entity> {
    use sop_acknowledgement::Column as C;
    sop_acknowledgement::Entity::find()
        .filter(C::SopVersionId.eq(Uuid::from(version)))
        .apply_if(passed, |all, passed| all.filter(C::Passed.eq(passed)))
}

/// What one person did about a version.
pub fn acknowledgement_by(
    version: SopVersionId,
    staff: StaffId,
) -> Select<sop_acknowledgement::Entity> {
    let by = sop_acknowledgement::Column::StaffId.eq(Uuid::from(staff));
    acknowledgements_of(version, None).filter(by)
}

/// Those who work here and have not passed a version yet. An auditor carries out nothing and is not asked.
pub fn not_acknowledged(version: SopVersionId) -> Select<staff::Entity> {
    use sop_acknowledgement::Column as A;
    let passed = acknowledgements_of(version, Some(true)).select_only().column(A::StaffId);
    let passed = passed.filter(
        Expr::col((sop_acknowledgement::Entity, A::TenantId))
            .equals((staff::Entity, staff::Column::TenantId)),
    );
    staff::Entity::find()
        .filter(staff::Column::Status.eq(table::word(&StaffStatus::Active)))
        .filter(staff::Column::Role.ne(table::word(&Role::Auditor)))
        .filter(staff::Column::Id.not_in_subquery(passed.into_query()))
}

impl Tenant {
    /// Lets what people have read, or one of them where it is said who, go with them to the dealer they work for now: there it is seen, and nobody is asked
    /// to read it again. What the brand's own people have read is the brand's.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn let_acknowledgements_follow(&self, staff: Option<StaffId>) -> Result<(), Fault> {
        let sql = "UPDATE sop_acknowledgement a SET dealer_id = p.dealer_id, version = a.version + 1 FROM staff p
                   WHERE a.tenant_id = ac.tenant() AND p.tenant_id = a.tenant_id AND p.id = a.staff_id
                     AND a.dealer_id IS DISTINCT FROM p.dealer_id AND ($1::uuid IS NULL OR a.staff_id = $1)";
        self.work().execute_raw(self.statement(sql, [staff.map(Uuid::from).into()])).await?;
        Ok(())
    }
}
