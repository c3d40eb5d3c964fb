//! The catalogue: what the brand sells, and each sold thing at its customer's.

use crate::{
    change::Change,
    event::Event,
    ids::{AssetId, CustomerId, DealerId, ProductId, SiteId},
    money::{Minor, Money},
    pushes::{Pushed, check_day},
    record::{Record, Version},
    refusal::{self, Kind, Refusal, Rule},
    text::{Bilingual, Code, ExternalId, Line, Name, Sku, Source},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something the brand sells.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Product {
    /// Its identifier.
    pub id: ProductId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: ProductDetails,
    /// When it became known here.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "sku": "RO-600G", "name": "净水器 RO-600G", "category": "water-purifier",
    "after_sales_need": "rigid", "price": {"amount": 299_900, "currency": "CNY"},
    "unit_cost_minor": 180_000,
})))]
pub struct ProductDetails {
    /// Its stock-keeping unit, unique in the brand.
    pub sku: Sku,
    /// What it is called.
    pub name: Name,
    /// The brand's own class of product, such as `water-purifier`.
    pub category: Code,
    /// Whether it needs service after the sale.
    pub after_sales_need: AfterSalesNeed,
    /// What one costs the customer.
    pub price: Money,
    /// What one costs the brand, in minor units of the price's currency; null when it is unknown.
    /// Order lines without a cost of their own take their margin from it.
    #[serde(default)]
    pub unit_cost_minor: Option<Minor>,
}

/// Whether a product needs service after the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterSalesNeed {
    /// It cannot do without, such as a filter that must be changed.
    Rigid,
    /// It could do without; the brand designs a rhythm for it.
    Designed,
    /// None.
    None,
}

impl Product {
    /// Takes a product into the catalogue.
    pub fn create(id: ProductId, details: ProductDetails, now: Timestamp) -> Change<Self> {
        Change::created(Self { id, details, created_at: now, version: Version::FIRST })
    }

    /// Replaces what is said about it. Orders keep the margin they were recorded with.
    pub fn update(self, details: ProductDetails) -> Change<Self> {
        Change::edit("update", &self, |it| it.details = details)
    }

    /// Takes over what another system says; a product that is not known yet is created as `id`.
    pub fn push(
        known: Option<Self>,
        id: ProductId,
        details: ProductDetails,
        now: Timestamp,
    ) -> Pushed<Self> {
        match known {
            None => Pushed::Created(Self::create(id, details, now)),
            Some(product) if product.details == details => Pushed::Unchanged(product),
            Some(product) => Pushed::Changed(product.update(details)),
        }
    }
}

impl Record for Product {
    type Id = ProductId;

    fn id(&self) -> ProductId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// One sold thing, at one customer's.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Asset {
    /// Its identifier.
    pub id: AssetId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: AssetDetails,
    /// Whether it is still looked after.
    pub status: AssetStatus,
    /// When it became known here.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about one sold thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "source": "erp", "external_id": "A-20017",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk",
    "serial": "SN-600G-0017", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "site_id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk", "address": "杭州市西湖区文三路 1 号",
    "delivered_on": "2026-11-20",
})))]
pub struct AssetDetails {
    /// The system that `external_id` is from; `api` when left out.
    #[serde(default)]
    pub source: Source,
    /// What that system calls the thing, unique in it.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Which product it is one of.
    pub product_id: ProductId,
    /// Its serial number, unique in the brand.
    #[serde(default)]
    pub serial: Option<Sku>,
    /// The dealer who serves it.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// The dealer's site whose technicians serve it.
    #[serde(default)]
    pub site_id: Option<SiteId>,
    /// Where it stands.
    #[serde(default)]
    pub address: Option<Line>,
    /// The day it arrived at the customer's; plans count from it. Null says nothing new: a day
    /// that is known stays.
    #[serde(default)]
    pub delivered_on: Option<CivilDate>,
}

/// Whether a sold thing is still looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetStatus {
    /// It is in use.
    Active,
    /// It is gone: scrapped, given back or sold on. Nothing more is planned for it.
    Retired,
}

impl Asset {
    /// Records a sold thing.
    ///
    /// # Errors
    ///
    /// [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN) when it is said to have arrived on a
    /// day that lies ahead.
    pub fn create(
        id: AssetId,
        details: AssetDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let delivered_on = details.delivered_on;
        let status = AssetStatus::Active;
        let asset = Self { id, details, status, created_at: now, version: Version::FIRST };
        Change::created(asset).delivered(delivered_on, now)
    }

    /// Replaces what is said about it. A day of delivery may become known by it.
    ///
    /// # Errors
    ///
    /// [`ALREADY_DELIVERED`] when another day of delivery is known, and as [`Asset::create`].
    pub fn update(self, details: AssetDetails, now: Timestamp) -> Result<Change<Self>, Refusal> {
        let (known_on, told_on) = (self.details.delivered_on, details.delivered_on);
        let newly_on = match (known_on, told_on) {
            (None, told) => told,
            (Some(known), Some(told)) if known != told => return Err(already_delivered(known)),
            (Some(_), Some(_) | None) => None,
        };
        let details = AssetDetails { delivered_on: known_on.or(told_on), ..details };
        let before = self.clone();
        let change = Change::new("update", Self { details, ..self }).delivered(newly_on, now)?;
        Ok(change.since(&before))
    }

    /// Takes over what another system says; a thing that is not known yet is created as `id`.
    ///
    /// # Errors
    ///
    /// As [`Asset::create`] and [`Asset::update`].
    pub fn push(
        known: Option<Self>,
        id: AssetId,
        details: AssetDetails,
        now: Timestamp,
    ) -> Result<Pushed<Self>, Refusal> {
        let Some(asset) = known else {
            return Self::create(id, details, now).map(Pushed::Created);
        };
        let delivered_on = details.delivered_on.or(asset.details.delivered_on);
        let details = AssetDetails { delivered_on, ..details };
        if asset.details == details {
            return Ok(Pushed::Unchanged(asset));
        }
        asset.update(details, now).map(Pushed::Changed)
    }

    /// Records that it arrived at its customer's `on` a day. Plans count from that day, so it is
    /// told once.
    ///
    /// # Errors
    ///
    /// [`ALREADY_DELIVERED`] when a day is known, be it the same; an illegal transition when it is
    /// retired; [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN).
    pub fn deliver(self, on: CivilDate, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if let Some(known) = self.details.delivered_on {
            return Err(already_delivered(known));
        }
        match self.status {
            AssetStatus::Active => {}
            AssetStatus::Retired => return Err(refusal::illegal(self.status, &[])),
        }
        let details = AssetDetails { delivered_on: Some(on), ..self.details };
        Change::new("deliver", Self { details, ..self }).delivered(Some(on), now)
    }

    /// Records that it is gone.
    ///
    /// # Errors
    ///
    /// An illegal transition when it is gone already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        match self.status {
            AssetStatus::Active => {
                let retired = Self { status: AssetStatus::Retired, ..self };
                Ok(Change::new("retire", retired).moved(AssetStatus::Active, AssetStatus::Retired))
            }
            AssetStatus::Retired => Err(refusal::illegal(self.status, &[])),
        }
    }
}

impl Asset {
    /// Makes sure that it is at `customer`'s, whom a sale or a visit names beside it.
    ///
    /// # Errors
    ///
    /// [`ASSET_OF_ANOTHER_CUSTOMER`].
    pub fn must_be_of(&self, customer: CustomerId) -> Result<(), Refusal> {
        if self.details.customer_id == customer {
            return Ok(());
        }
        Err(Refusal::new(&ASSET_OF_ANOTHER_CUSTOMER)
            .with("asset_id", self.id)
            .with("customer_id", customer))
    }
}

/// Refuses a serial number that belongs to another asset than `asset`, which is `None` for a new one.
///
/// # Errors
///
/// [`SERIAL_TAKEN`].
pub fn check_serial(owner: Option<AssetId>, asset: Option<AssetId>) -> Result<(), Refusal> {
    match owner {
        Some(owner) if asset != Some(owner) => {
            Err(Refusal::new(&SERIAL_TAKEN).with("asset_id", owner))
        }
        Some(_) | None => Ok(()),
    }
}

impl Change<Asset> {
    /// Announces the delivery, if the change made its day known.
    fn delivered(self, on: Option<CivilDate>, now: Timestamp) -> Result<Self, Refusal> {
        let Some(on) = on else { return Ok(self) };
        check_day(on, now)?;
        let asset = self.record.id;
        Ok(self.with("delivered_on", on).emits(Event::AssetDelivered { asset }))
    }
}

fn already_delivered(on: CivilDate) -> Refusal {
    Refusal::new(&ALREADY_DELIVERED).with("delivered_on", on)
}

impl Record for Asset {
    type Id = AssetId;

    fn id(&self) -> AssetId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.details.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

/// The day of delivery is known.
pub static ALREADY_DELIVERED: Rule = Rule {
    code: "already_delivered",
    kind: Kind::Conflict,
    title: Bilingual { en: "Delivered already", zh: "已经交付" },
    detail: Bilingual {
        en: "It was delivered on {delivered_on}; its plans count from that day.",
        zh: "该产品已于 {delivered_on} 交付，保养计划从该日起算。",
    },
    advice: Bilingual {
        en: "Leave `delivered_on` out, or repeat the day that is known.",
        zh: "请省略 `delivered_on`，或填写已知的日期。",
    },
};

/// Another asset has the serial number.
pub static SERIAL_TAKEN: Rule = Rule {
    code: "serial_taken",
    kind: Kind::Conflict,
    title: Bilingual { en: "The serial number is taken", zh: "序列号已被使用" },
    detail: Bilingual {
        en: "{asset_id} has this `serial`.", zh: "{asset_id} 已使用该 `serial`。"
    },
    advice: Bilingual {
        en: "Find the asset by its serial number, or correct the number.",
        zh: "请按序列号查找该产品，或更正序列号。",
    },
};

/// An asset of somebody else beside a customer.
pub static ASSET_OF_ANOTHER_CUSTOMER: Rule = Rule {
    code: "asset_of_another_customer",
    kind: Kind::Unfit,
    title: Bilingual { en: "The asset is another customer's", zh: "产品属于其他客户" },
    detail: Bilingual {
        en: "{asset_id} does not belong to the customer, {customer_id}.",
        zh: "{asset_id} 不属于客户 {customer_id}。",
    },
    advice: Bilingual {
        en: "Name assets of the customer who bought or is visited.",
        zh: "请填写购买者或被服务客户本人的产品。",
    },
};

/// The rules of this file.
pub static RULES: &[&Rule] = &[&ALREADY_DELIVERED, &SERIAL_TAKEN, &ASSET_OF_ANOTHER_CUSTOMER];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::{DAY_NOT_BEGUN, PushOutcome};
    use serde_json::json;
    use uuid::Uuid;

    fn id() -> AssetId {
        Uuid::from_u128(1).into()
    }

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn purifier(delivered_on: Option<&str>) -> AssetDetails {
        let details = json!({
            "customer_id": CustomerId::from(Uuid::from_u128(2)),
            "product_id": ProductId::from(Uuid::from_u128(3)),
            "serial": "SN-1", "delivered_on": delivered_on,
        });
        serde_json::from_value(details).unwrap()
    }

    fn sold() -> Asset {
        Asset::create(id(), purifier(None), now()).unwrap().record
    }

    #[test]
    fn a_delivery_is_announced_once_however_it_is_told() {
        let announced = vec![(Event::AssetDelivered { asset: id() }, None)];
        let told_first = Asset::create(id(), purifier(Some("2026-11-20")), now()).unwrap();
        assert_eq!(told_first.events, announced);
        let by_verb = sold().deliver(on("2026-11-20"), now()).unwrap();
        assert_eq!(by_verb.events, announced);
        let by_push = Asset::push(Some(sold()), id(), purifier(Some("2026-11-20")), now());
        assert_eq!(by_push.unwrap().change().unwrap().events, announced);
        let without_news = by_verb.record.clone().update(purifier(None), now()).unwrap();
        assert_eq!(without_news.events, vec![]);
        assert_eq!(without_news.record.details.delivered_on, Some(on("2026-11-20")));
    }

    #[test]
    fn a_known_day_of_delivery_stays() {
        let delivered = sold().deliver(on("2026-11-20"), now()).unwrap().record;
        let refusal = delivered.clone().deliver(on("2026-11-20"), now()).unwrap_err();
        assert_eq!(refusal.facts["delivered_on"], "2026-11-20");
        let other = Asset::push(Some(delivered.clone()), id(), purifier(Some("2026-11-21")), now());
        assert_eq!(other.unwrap_err().rule, &ALREADY_DELIVERED);
        for told in [Some("2026-11-20"), None] {
            let same = Asset::push(Some(delivered.clone()), id(), purifier(told), now()).unwrap();
            assert_eq!(same.outcome(), PushOutcome::Unchanged);
        }
    }

    #[test]
    fn nothing_is_delivered_tomorrow() {
        assert!(sold().deliver(on("2026-11-22"), now()).is_ok());
        let refusal = sold().deliver(on("2026-11-24"), now()).unwrap_err();
        assert_eq!(refusal.rule, &DAY_NOT_BEGUN);
        let told = Asset::create(id(), purifier(Some("2026-11-24")), now());
        assert_eq!(told.unwrap_err().rule, &DAY_NOT_BEGUN);
    }

    #[test]
    fn what_is_gone_is_neither_delivered_nor_retired() {
        let retired = sold().retire().unwrap().record;
        for refused in [retired.clone().retire(), retired.deliver(on("2026-11-22"), now())] {
            assert_eq!(refused.unwrap_err().rule, &refusal::ILLEGAL_TRANSITION);
        }
    }

    #[test]
    fn a_serial_number_belongs_to_one_asset() {
        assert_eq!(check_serial(None, None), Ok(()));
        assert_eq!(check_serial(None, Some(id())), Ok(()));
        assert_eq!(check_serial(Some(id()), Some(id())), Ok(()));
        let other = AssetId::from(Uuid::from_u128(9));
        for asset in [Some(other), None] {
            assert_eq!(check_serial(Some(id()), asset).unwrap_err().rule, &SERIAL_TAKEN);
        }
    }

    #[test]
    fn the_same_product_pushed_twice_changes_nothing() {
        let details: ProductDetails = serde_json::from_value(json!({
            "sku": "RO-600G", "name": "Purifier", "category": "water-purifier",
            "after_sales_need": "rigid", "price": { "amount": 299_900, "currency": "CNY" },
        }))
        .unwrap();
        let id = ProductId::from(Uuid::from_u128(1));
        let first = Product::push(None, id, details.clone(), now());
        let known = first.record().clone();
        assert_eq!(first.outcome(), PushOutcome::Created);
        let again = Product::push(Some(known.clone()), id, details.clone(), now());
        assert_eq!(again, Pushed::Unchanged(known.clone()));
        let dearer = ProductDetails { unit_cost_minor: Some(Minor::ZERO), ..details };
        let changed = Product::push(Some(known), id, dearer, now());
        assert_eq!(changed.outcome(), PushOutcome::Changed);
    }
}
