//! Table `customer`.

use crate::{listed, pushes::begins_with, table, words};
use domain::{
    customers::{Customer, CustomerDetails, CustomerKind, CustomerLifecycle},
    ids::{DealerId, StaffId},
    text::{Code, Email, ExternalId, Locale, Name, Phone, Source},
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, Select};
use uuid::Uuid;

words!(CustomerKind, CustomerLifecycle);

table! {
    /// Customers of brands.
    customer = "customer" of Customer {
        [details: CustomerDetails {
            source: Source,
            external_id: Option<ExternalId>,
            dealer_id: Option<DealerId>,
            name: Name,
            kind: CustomerKind,
            locale: Option<Locale>,
            phone: Option<Phone>,
            email: Option<Email>,
            tier: Option<Code>,
        }],
        lifecycle: CustomerLifecycle,
        relationship_owner_id: Option<StaffId>,
        created_at: Timestamp,
    } versioned
}

listed! {
    Customer = customer [CreatedAt; Name] usually newest;
}

/// Which customers are wanted; what is absent does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Their names begin like this.
    pub name: Option<&'a str>,
    /// They are from this system.
    pub source: Option<&'a Source>,
    /// It calls them so.
    pub external_id: Option<&'a ExternalId>,
    /// They are called here.
    pub phone: Option<&'a Phone>,
    /// This dealer looks after them.
    pub dealer: Option<DealerId>,
    /// This person does.
    pub relationship_owner: Option<StaffId>,
}

/// Customers as `wanted`.
pub fn wanted(wanted: Wanted<'_>) -> Select<customer::Entity> {
    use customer::Column as Is;
    customer::Entity::find()
        .apply_if(wanted.name, |select, name| select.filter(begins_with(Is::Name, name)))
        .apply_if(wanted.source, |select, source| select.filter(Is::Source.eq(&**source)))
        .apply_if(wanted.external_id, |select, id| select.filter(Is::ExternalId.eq(&**id)))
        .apply_if(wanted.phone, |select, phone| select.filter(Is::Phone.eq(&**phone)))
        .apply_if(wanted.dealer, |select, id| select.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.relationship_owner, |select, id| {
            select.filter(Is::RelationshipOwnerId.eq(Uuid::from(id)))
        })
}

/// The customers that another system calls by these names.
pub fn named(source: &Source, names: &[&ExternalId]) -> Select<customer::Entity> {
    customer::Entity::find()
        .filter(customer::Column::Source.eq(&**source))
        .filter(customer::Column::ExternalId.is_in(names.iter().map(|name| &***name)))
}
