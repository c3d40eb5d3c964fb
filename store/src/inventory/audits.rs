//! Tables `inventory_audit` and `inventory_line`.

use crate::{listed, numbers, table, words};
use domain::{
    ids::{InventoryAuditId, ServiceItemId, StaffId},
    inventory::{
        AuditLineDetails, AuditQuality, AuditState, InventoryAudit, InventoryAuditDetails,
        InventoryLine, ServiceClass,
    },
    text::{Line, Name, Prose},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _, Select,
};
use uuid::Uuid;

words!(AuditState);
numbers!(AuditQuality);

table! {
    /// Looks of brands at their own service.
    inventory_audit = "inventory_audit" of InventoryAudit {
        [details: InventoryAuditDetails { title: Name, from_on: CivilDate, to_on: CivilDate }],
        state: AuditState,
        closed_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Their lines.
    inventory_line = "inventory_line" of InventoryLine {
        [details: AuditLineDetails {
            service_item_id: Option<ServiceItemId>,
            subject: Option<Name>,
            class: ServiceClass,
            quality: Option<AuditQuality>,
            can_improve: bool,
            backlog_note: Option<Prose>,
            owner_id: Option<StaffId>,
        }],
        inventory_audit_id: InventoryAuditId,
        resolution: Option<Line>,
        resolved_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

listed! {
    InventoryAudit = inventory_audit [CreatedAt; FromOn] usually newest;
    InventoryLine = inventory_line [CreatedAt; Class] usually oldest;
}

/// Which lines are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineFilter {
    /// Those of one class.
    pub class: Option<ServiceClass>,
    /// Those that one person takes care of.
    pub owner_id: Option<StaffId>,
    /// Those that could be better, or those that could not.
    pub can_improve: Option<bool>,
}

/// Self-audits, perhaps only those in one state.
pub fn audits(state: Option<AuditState>) -> Select<inventory_audit::Entity> {
    inventory_audit::Entity::find().apply_if(state, |all, state| {
        all.filter(inventory_audit::Column::State.eq(table::word(&state)))
    })
}

/// The lines of one audit.
pub fn lines_of(audit: InventoryAuditId, filter: LineFilter) -> Select<inventory_line::Entity> {
    filtered(filter).filter(inventory_line::Column::InventoryAuditId.eq(Uuid::from(audit)))
}

/// The lines of one audit, in the order in which they were written.
pub fn all_lines_of(audit: InventoryAuditId) -> Select<inventory_line::Entity> {
    lines_of(audit, LineFilter::default()).order_by_asc(inventory_line::Column::Id)
}

/// One line of one audit.
pub fn line_of(
    audit: InventoryAuditId,
    line: domain::ids::InventoryLineId,
) -> Select<inventory_line::Entity> {
    lines_of(audit, LineFilter::default()).filter(inventory_line::Column::Id.eq(Uuid::from(line)))
}

/// What could be better, of all audits, and is not resolved.
pub fn backlog(filter: LineFilter) -> Select<inventory_line::Entity> {
    filtered(LineFilter { can_improve: Some(true), ..filter })
        .filter(inventory_line::Column::ResolvedAt.is_null())
}

fn filtered(filter: LineFilter) -> Select<inventory_line::Entity> {
    use inventory_line::Column as C;
    inventory_line::Entity::find()
        .apply_if(filter.class, |all, one| all.filter(C::Class.eq(table::word(&one))))
        .apply_if(filter.owner_id, |all, id| all.filter(C::OwnerId.eq(Uuid::from(id))))
        .apply_if(filter.can_improve, |all, so| all.filter(C::CanImprove.eq(so)))
}
