//! Tables `service_item`, `service_benchmark` and `item_class_change`.

use crate::{Fault, Tenant, listed, numbers, table, words};
use domain::{
    conditions::Condition,
    ids::{ServiceBenchmarkId, ServiceItemId},
    inventory::{
        ClassChange, ContactMode, ItemClassChange, Observation, RelationValue, ServiceBenchmark,
        ServiceBenchmarkDetails, ServiceCategory, ServiceClass, ServiceItem, ServiceItemDetails,
        ServiceItemStatus, ServiceMinutes, ServiceMode, ServicePhase, VisitMode,
    },
    money::{BasisPoints, Minor},
    text::{Code, Line, Name},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
};
use std::collections::BTreeSet;
use uuid::Uuid;

words!(
    ServiceClass,
    ServiceMode,
    ServiceCategory,
    ServicePhase,
    ContactMode,
    VisitMode,
    ServiceItemStatus
);
numbers!(ServiceMinutes, RelationValue);

table! {
    /// What may be done for customers.
    service_item = "service_item" of ServiceItem {
        [details: ServiceItemDetails {
            code: Code,
            name: Name,
            class: ServiceClass,
            mode: ServiceMode,
            category: ServiceCategory,
            phase: ServicePhase,
            contact_mode: ContactMode,
            visit_mode: Option<VisitMode>,
            product_related: bool,
            tangible: bool,
            est_cost_minor: Minor,
            est_minutes: ServiceMinutes,
            perceived_value_minor: Minor,
            relation_value: RelationValue,
            eligibility: Option<Condition>,
            declared_monetisation: Option<Line>,
        }],
        status: ServiceItemStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// What peers offer.
    service_benchmark = "service_benchmark" of ServiceBenchmark {
        [details: ServiceBenchmarkDetails {
            peers_offering_bp: BasisPoints,
            observed_on: CivilDate,
            source: Line,
            territory: Option<Name>,
        }],
        service_item_id: ServiceItemId,
        created_at: Timestamp,
    } append_only
}

table! {
    /// How the classes of service items changed.
    item_class_change = "item_class_change" of ItemClassChange {
        service_item_id: ServiceItemId,
        from_class: ServiceClass,
        to_class: ServiceClass,
        reason: Option<Line>,
        benchmark_id: Option<ServiceBenchmarkId>,
        changed_at: Timestamp,
    } append_only
}

listed! {
    ServiceItem = service_item [CreatedAt; Code, PerceivedValueMinor, EstCostMinor] usually newest;
    ServiceBenchmark = service_benchmark [CreatedAt; ObservedOn] usually by ObservedOn;
    ItemClassChange = item_class_change [ChangedAt;] usually newest;
}

/// Which service items are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct ServiceItemFilter {
    /// The one with this code.
    pub code: Option<Code>,
    /// Those of one class.
    pub class: Option<ServiceClass>,
    /// Those of one mode.
    pub mode: Option<ServiceMode>,
    /// Those of one category.
    pub category: Option<ServiceCategory>,
    /// Those of one phase.
    pub phase: Option<ServicePhase>,
    /// Those in which the customer is met so.
    pub contact_mode: Option<ContactMode>,
    /// Those with one status.
    pub status: Option<ServiceItemStatus>,
}

/// Service items.
pub fn items(filter: &ServiceItemFilter) -> Select<service_item::Entity> {
    use service_item::Column as C;
    use table::word;
    service_item::Entity::find()
        .apply_if(filter.code.as_deref(), |all, code| all.filter(C::Code.eq(code)))
        .apply_if(filter.class, |all, one| all.filter(C::Class.eq(word(&one))))
        .apply_if(filter.mode, |all, one| all.filter(C::Mode.eq(word(&one))))
        .apply_if(filter.category, |all, one| all.filter(C::Category.eq(word(&one))))
        .apply_if(filter.phase, |all, one| all.filter(C::Phase.eq(word(&one))))
        .apply_if(filter.contact_mode, |all, one| all.filter(C::ContactMode.eq(word(&one))))
        .apply_if(filter.status, |all, one| all.filter(C::Status.eq(word(&one))))
}

/// The first `most` of the service items that are still done.
pub fn active(most: u64) -> Select<service_item::Entity> {
    let filter = ServiceItemFilter {
        status: Some(ServiceItemStatus::Active),
        ..ServiceItemFilter::default()
    };
    items(&filter).order_by_asc(service_item::Column::Id).limit(most)
}

/// Services that cost nothing and are meant for everybody, those of the most perceived value first.
pub fn free_services(most: u64) -> Select<service_item::Entity> {
    let filter = ServiceItemFilter {
        status: Some(ServiceItemStatus::Active),
        class: Some(ServiceClass::Service),
        ..ServiceItemFilter::default()
    };
    items(&filter)
        .filter(service_item::Column::EstCostMinor.eq(0_i64))
        .filter(service_item::Column::Eligibility.is_null())
        .order_by_desc(service_item::Column::PerceivedValueMinor)
        .order_by_asc(service_item::Column::Code)
        .limit(most)
}

/// The service items with these codes.
pub fn items_with_codes(codes: &BTreeSet<&Code>) -> Select<service_item::Entity> {
    service_item::Entity::find()
        .filter(service_item::Column::Code.is_in(codes.iter().map(|code| &***code)))
}

/// What peers offer of one service item.
pub fn benchmarks_of(item: ServiceItemId) -> Select<service_benchmark::Entity> {
    service_benchmark::Entity::find()
        .filter(service_benchmark::Column::ServiceItemId.eq(Uuid::from(item)))
}

/// The newest benchmark of one service item that was seen in the same place.
pub fn newest_benchmark_of(
    item: ServiceItemId,
    territory: Option<&Name>,
) -> Select<service_benchmark::Entity> {
    let place = service_benchmark::Column::Territory;
    benchmarks_of(item)
        .filter(territory.map_or_else(|| place.is_null(), |name| place.eq(&**name)))
        .order_by_desc(service_benchmark::Column::ObservedOn)
        .order_by_desc(service_benchmark::Column::Id)
        .limit(1)
}

/// How the class of one service item changed.
pub fn class_changes_of(item: ServiceItemId) -> Select<item_class_change::Entity> {
    item_class_change::Entity::find()
        .filter(item_class_change::Column::ServiceItemId.eq(Uuid::from(item)))
}

impl Tenant {
    /// Records a service item in its new class, with the line that tells of it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the item was changed meanwhile.
    pub async fn record_class_change(&self, changed: ClassChange) -> Result<ServiceItem, Fault> {
        let item = self.record(changed.item).await?;
        self.add(&changed.line).await?;
        Ok(item)
    }

    /// Records a benchmark and what follows from it. The item must be held, so that the newest benchmark is the
    /// newest.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn record_observation(&self, seen: Observation) -> Result<ServiceBenchmark, Fault> {
        let benchmark = self.record(seen.benchmark).await?;
        if let Some(drift) = seen.drift {
            self.record_class_change(drift).await?;
        }
        Ok(benchmark)
    }
}
