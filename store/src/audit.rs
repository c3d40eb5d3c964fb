//! Table `audit_entry`.

use crate::{listed, table};
use domain::{
    audit::AuditEntry,
    ids::{AnyId, CustomerId, DealerId, StaffId},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, Select, sea_query::Expr,
};
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

listed! {
    AuditEntry = audit_entry [At;] usually newest;
}

/// Which lines are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Those about one record.
    pub subject: Option<&'a AnyId>,
    /// Those about one customer: the customer's timeline.
    pub customer: Option<CustomerId>,
    /// Those about what is one dealer's, and about what its people did.
    pub dealer: Option<DealerId>,
}

/// Lines about what a person did. Only those of people are in the index, which the second condition says to the database.
pub fn done_by(person: StaffId) -> Select<audit_entry::Entity> {
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Actor.eq(person.to_string()))
        .filter(Expr::cust("left(actor, 4) = 'stf_'"))
}

/// Lines as `wanted`.
pub fn lines(wanted: Wanted<'_>) -> Select<audit_entry::Entity> {
    use audit_entry::Column as C;
    audit_entry::Entity::find()
        .apply_if(wanted.subject, |all, subject| all.filter(C::Subject.eq(subject.as_str())))
        .apply_if(wanted.customer, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
}
