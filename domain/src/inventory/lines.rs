//! Lines of self-audits: one thing each that is done for customers, and how well.

use super::{
    audits::InventoryAudit,
    items::ServiceClass,
    rules::{AUDIT_LINE_SUBJECT, NOTHING_TO_IMPROVE},
};
use crate::{
    change::Change,
    ids::{InventoryAuditId, InventoryLineId, ServiceItemId, StaffId},
    number::whole_numbers,
    record::{Record, Version},
    refusal::Refusal,
    text::{Line, Name, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

whole_numbers! {
    /// How well something is done.
    AuditQuality = 0 to 5, "From 0, not at all, to 5, as well as can be.", 4;
}

/// One line of a self-audit: one thing that is done for customers, and how well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "ivl_01m80t7jx3e9vbq2f4c6d8g0hk", "inventory_audit_id": "iva_01m80t7jx3e9vbq2f4c6d8g0hk",
    "service_item_id": "svc_01m80t7jx3e9vbq2f4c6d8g0hk", "subject": null, "class": "service",
    "quality": 3, "can_improve": true, "backlog_note": "Bring a moisture meter.",
    "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "resolution": null, "resolved_at": null,
    "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct InventoryLine {
    /// Its identifier.
    pub id: InventoryLineId,
    /// The audit.
    pub inventory_audit_id: InventoryAuditId,
    /// What was found.
    #[serde(flatten)]
    pub details: AuditLineDetails,
    /// What was done about it; null while nothing was.
    pub resolution: Option<Line>,
    /// When that was; null while nothing was done.
    pub resolved_at: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What is found about one thing that is done for customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "service_item_id": "svc_01m80t7jx3e9vbq2f4c6d8g0hk", "subject": null, "class": "service",
    "quality": 3, "can_improve": true, "backlog_note": "Bring a moisture meter.",
    "owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
})))]
pub struct AuditLineDetails {
    /// The service item; null when the line is about something that is none yet. An audit has one line for each.
    #[serde(default)]
    pub service_item_id: Option<ServiceItemId>,
    /// What the line is about, in words; null when it names a service item.
    #[serde(default)]
    pub subject: Option<Name>,
    /// Whether it is an obligation or a service, as the brand sees it in this audit.
    pub class: ServiceClass,
    /// How well it is done; null while nobody has looked.
    #[serde(default)]
    pub quality: Option<AuditQuality>,
    /// Whether it could be better; then it stands on the backlog until it is resolved, and again when a change says so
    /// once more.
    #[serde(default)]
    pub can_improve: bool,
    /// What could be better.
    #[serde(default)]
    pub backlog_note: Option<Prose>,
    /// Who takes care of it.
    #[serde(default)]
    pub owner_id: Option<StaffId>,
}

/// What was done about a line of the backlog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"resolution": "Every van has a moisture meter now."})))]
pub struct AuditLineResolution {
    /// What was done.
    pub resolution: Line,
}

/// What a self-audit comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(examples(json!({
    "lines": 12, "obligations": 7, "services": 5, "can_improve": 3, "resolved": 1, "not_rated": 2,
})))]
pub struct AuditSummary {
    /// How many lines it has.
    pub lines: u32,
    /// Those about obligations.
    pub obligations: u32,
    /// Those about services.
    pub services: u32,
    /// Those that could be better.
    pub can_improve: u32,
    /// Those of them that are resolved; the others stand on the backlog.
    pub resolved: u32,
    /// Those that nobody has rated.
    pub not_rated: u32,
}

impl AuditLineDetails {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.service_item_id.is_some() == self.subject.is_some() {
            return Err(Refusal::new(&AUDIT_LINE_SUBJECT));
        }
        Ok(())
    }

    /// Whether it is worse than it was `before`: it could be better and could not then, or its quality has fallen.
    fn is_worse_than(&self, before: &Self) -> bool {
        let has_fallen = match (self.quality, before.quality) {
            (Some(quality), Some(before)) => quality < before,
            (Some(_) | None, Some(_) | None) => false,
        };
        self.can_improve && (!before.can_improve || has_fallen)
    }
}

impl InventoryLine {
    pub(super) fn new(
        id: InventoryLineId,
        inventory_audit_id: InventoryAuditId,
        details: AuditLineDetails,
        created_at: Timestamp,
    ) -> Self {
        let (resolution, resolved_at, version) = (None, None, Version::FIRST);
        Self { id, inventory_audit_id, details, resolution, resolved_at, created_at, version }
    }

    /// Replaces what was found, while `audit` is open. What was resolved stays resolved, unless it is worse again: it
    /// could be better once more, or its quality has fallen.
    ///
    /// # Errors
    ///
    /// `audit_closed`, `audit_line_subject`.
    pub fn change(
        self,
        audit: &InventoryAudit,
        details: AuditLineDetails,
    ) -> Result<Change<Self>, Refusal> {
        audit.must_be_open()?;
        let is_renamed = details.subject != self.details.subject;
        let place = if is_renamed { "/subject" } else { "/service_item_id" };
        details.check().map_err(|refusal| refusal.at(place))?;
        let is_worse = details.is_worse_than(&self.details);
        Ok(Change::edit("change", &self, |it| {
            it.details = details;
            if is_worse {
                (it.resolution, it.resolved_at) = (None, None);
            }
        }))
    }

    /// Takes it off the backlog.
    ///
    /// # Errors
    ///
    /// `nothing_to_improve` when it does not stand there.
    pub fn resolve(
        self,
        done: AuditLineResolution,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if !self.details.can_improve || self.resolution.is_some() {
            return Err(Refusal::new(&NOTHING_TO_IMPROVE));
        }
        let resolved = Self { resolution: Some(done.resolution), resolved_at: Some(now), ..self };
        Ok(Change::new("resolve", resolved))
    }
}

impl AuditSummary {
    /// Adds the lines of an audit up.
    pub fn of(lines: &[InventoryLine]) -> Self {
        lines.iter().fold(Self::default(), |sum, line| {
            let (obligation, service) = match line.details.class {
                ServiceClass::Obligation => (1, 0),
                ServiceClass::Service => (0, 1),
            };
            Self {
                lines: sum.lines.saturating_add(1),
                obligations: sum.obligations.saturating_add(obligation),
                services: sum.services.saturating_add(service),
                can_improve: sum.can_improve.saturating_add(u32::from(line.details.can_improve)),
                resolved: sum.resolved.saturating_add(u32::from(
                    line.details.can_improve && line.resolution.is_some(),
                )),
                not_rated: sum.not_rated.saturating_add(u32::from(line.details.quality.is_none())),
            }
        })
    }
}

impl Record for InventoryLine {
    type Id = InventoryLineId;

    fn id(&self) -> InventoryLineId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}
