//! Tables `product` and `asset`.

use crate::{listed, pushes::begins_with, table, words};
use domain::{
    catalogue::{AfterSalesNeed, Asset, AssetDetails, AssetStatus, Product, ProductDetails},
    ids::{AssetId, CustomerId, DealerId, ProductId, SiteId},
    money::{Minor, Money},
    text::{Code, ExternalId, Line, Name, Sku, Source},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
};
use uuid::Uuid;

/// Assets that a customer chooses among, at most.
const MOST_OFFERED: u64 = 20;

words!(AfterSalesNeed, AssetStatus);

table! {
    /// What brands sell.
    product = "product" of Product {
        [details: ProductDetails {
            sku: Sku,
            name: Name,
            category: Code,
            after_sales_need: AfterSalesNeed,
            price: Money,
            unit_cost_minor: Option<Minor>,
        }],
        created_at: Timestamp,
    } versioned
}

table! {
    /// Sold things, each at its customer's.
    asset = "asset" of Asset {
        [details: AssetDetails {
            source: Source,
            external_id: Option<ExternalId>,
            customer_id: CustomerId,
            product_id: ProductId,
            serial: Option<Sku>,
            dealer_id: Option<DealerId>,
            site_id: Option<SiteId>,
            address: Option<Line>,
            delivered_on: Option<CivilDate>,
        }],
        status: AssetStatus,
        created_at: Timestamp,
    } versioned
}

listed! {
    Product = product [CreatedAt; Name, Sku] usually newest;
    Asset = asset [CreatedAt;] usually newest;
}

/// Products, perhaps only those whose names begin with `name`, or the one with this stock-keeping unit.
pub fn products(name: Option<&str>, sku: Option<&Sku>) -> Select<product::Entity> {
    use product::Column as Is;
    product::Entity::find()
        .apply_if(name, |select, name| select.filter(begins_with(Is::Name, name)))
        .apply_if(sku, |select, sku| select.filter(Is::Sku.eq(&**sku)))
}

/// The products with these stock-keeping units.
pub fn products_with(skus: &[&Sku]) -> Select<product::Entity> {
    product::Entity::find().filter(product::Column::Sku.is_in(skus.iter().map(|sku| &***sku)))
}

/// The products with these identifiers.
pub fn products_by_id(ids: impl IntoIterator<Item = ProductId>) -> Select<product::Entity> {
    product::Entity::find().filter(product::Column::Id.is_in(ids.into_iter().map(Uuid::from)))
}

/// Which assets are wanted; what is absent does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// They are this customer's.
    pub customer: Option<CustomerId>,
    /// They are of this product.
    pub product: Option<ProductId>,
    /// This dealer serves them.
    pub dealer: Option<DealerId>,
    /// Their serial number.
    pub serial: Option<&'a Sku>,
    /// They are from this system.
    pub source: Option<&'a Source>,
    /// It calls them so.
    pub external_id: Option<&'a ExternalId>,
}

/// Assets as `wanted`.
pub fn assets(wanted: Wanted<'_>) -> Select<asset::Entity> {
    use asset::Column as Is;
    asset::Entity::find()
        .apply_if(wanted.customer, |select, id| select.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.product, |select, id| select.filter(Is::ProductId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer, |select, id| select.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.serial, |select, serial| select.filter(Is::Serial.eq(&**serial)))
        .apply_if(wanted.source, |select, source| select.filter(Is::Source.eq(&**source)))
        .apply_if(wanted.external_id, |select, id| select.filter(Is::ExternalId.eq(&**id)))
}

/// The assets with these identifiers.
pub fn assets_by_id(ids: impl IntoIterator<Item = AssetId>) -> Select<asset::Entity> {
    asset::Entity::find().filter(asset::Column::Id.is_in(ids.into_iter().map(Uuid::from)))
}

/// The assets of a customer that are in use, the newest first; of somebody who has more than people tell apart, those.
pub fn in_use(customer: CustomerId) -> Select<asset::Entity> {
    assets(Wanted { customer: Some(customer), ..Wanted::default() })
        .filter(asset::Column::Status.eq(table::word(&AssetStatus::Active)))
        .order_by_desc(asset::Column::Id)
        .limit(MOST_OFFERED)
}

/// Those of these assets that are in use and whose day of delivery is not known.
pub fn on_the_way(ids: impl IntoIterator<Item = AssetId>) -> Select<asset::Entity> {
    assets_by_id(ids)
        .filter(asset::Column::DeliveredOn.is_null())
        .filter(asset::Column::Status.eq(table::word(&AssetStatus::Active)))
}

/// The assets that another system calls by these names.
pub fn assets_named(source: &Source, names: &[&ExternalId]) -> Select<asset::Entity> {
    asset::Entity::find()
        .filter(asset::Column::Source.eq(&**source))
        .filter(asset::Column::ExternalId.is_in(names.iter().map(|name| &***name)))
}

/// The assets with these serial numbers.
pub fn assets_with_serials(serials: &[&Sku]) -> Select<asset::Entity> {
    asset::Entity::find()
        .filter(asset::Column::Serial.is_in(serials.iter().map(|serial| &***serial)))
}
