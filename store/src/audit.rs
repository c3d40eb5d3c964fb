//! Table `audit_entry`.

use crate::table;
use domain::{
    audit::AuditEntry,
    ids::{AnyId, CustomerId, DealerId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};
use uuid::Uuid;

table! {
    /// Who did what.
    audit_entry = "audit_entry" of AuditEntry {
        at: Timestamp,
        actor: String,
        action: String,
        subject: String,
        customer_id: Option<CustomerId>,
        dealer_id: Option<DealerId>,
        facts: serde_json::Value,
        request_id: Option<String>,
    } append_only
}

/// Lines about one record.
pub fn about(subject: &AnyId) -> Select<audit_entry::Entity> {
    audit_entry::Entity::find().filter(audit_entry::Column::Subject.eq(subject.as_str()))
}

/// Lines about one customer: the customer's timeline.
pub fn of_customer(customer: CustomerId) -> Select<audit_entry::Entity> {
    audit_entry::Entity::find().filter(audit_entry::Column::CustomerId.eq(Uuid::from(customer)))
}

/// All lines.
pub fn all() -> Select<audit_entry::Entity> {
    audit_entry::Entity::find()
}
