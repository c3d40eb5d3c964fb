//! Tables `gift_item` and `gift_bundle`.

use crate::{Fault, Missing, Tenant, documents, listed, numbers, table, table::holds, words};
use domain::{
    ids::GiftItemId,
    inventory::{
        BundlePart, Festival, GiftBundle, GiftBundleDetails, GiftItem, GiftItemDetails, GiftStatus,
        GiftStock, GiftTies, MOST_BUNDLES, Season, Shelf,
    },
    money::{Currency, Minor},
    text::{Code, Name},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The most gifts that are still given, and the most bundles, that a suggestion looks at: the newest of more than any
/// brand keeps in stock.
const MOST_LOOKED_AT: u64 = 2_000;

/// The most services that cost nothing and are suggested.
const MOST_FREE: u64 = 20;

words!(GiftStatus);
numbers!(GiftStock);
documents!(BTreeSet<Season>, BTreeSet<Festival>, Vec<BundlePart>);

table! {
    /// Small things that customers may be given.
    gift_item = "gift_item" of GiftItem {
        [details: GiftItemDetails {
            code: Code,
            name: Name,
            currency: Currency,
            cost_minor: Minor,
            perceived_value_minor: Minor,
            seasons: BTreeSet<Season>,
            festivals: BTreeSet<Festival>,
            stock: Option<GiftStock>,
            least_margin_minor: Option<Minor>,
            most_margin_minor: Option<Minor>,
            fallback_gift_id: Option<GiftItemId>,
            tangible: bool,
        }],
        status: GiftStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Gifts that are given together.
    gift_bundle = "gift_bundle" of GiftBundle {
        [details: GiftBundleDetails {
            code: Code,
            name: Name,
            currency: Currency,
            cost_cap_minor: Minor,
            parts: Vec<BundlePart>,
        }],
        status: GiftStatus,
        created_at: Timestamp,
    } versioned
}

listed! {
    GiftItem = gift_item [CreatedAt; Code, CostMinor, PerceivedValueMinor] usually newest;
    GiftBundle = gift_bundle [CreatedAt; Code] usually newest;
}

/// Which gifts are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct GiftFilter {
    /// The one with this code.
    pub code: Option<Code>,
    /// Those that are for this season.
    pub season: Option<Season>,
    /// Those that are for this festival.
    pub festival: Option<Festival>,
    /// Those with one status.
    pub status: Option<GiftStatus>,
}

/// Gifts.
pub fn gifts(filter: &GiftFilter) -> Select<gift_item::Entity> {
    use gift_item::Column as C;
    gift_item::Entity::find()
        .apply_if(filter.code.as_deref(), |all, code| all.filter(C::Code.eq(code)))
        .apply_if(filter.season, |all, one| all.filter(holds("seasons", json!([one]))))
        .apply_if(filter.festival, |all, one| all.filter(holds("festivals", json!([one]))))
        .apply_if(filter.status, |all, one| all.filter(C::Status.eq(table::word(&one))))
}

/// Bundles, perhaps only those with one status.
pub fn bundles(status: Option<GiftStatus>) -> Select<gift_bundle::Entity> {
    gift_bundle::Entity::find()
        .apply_if(status, |all, one| all.filter(gift_bundle::Column::Status.eq(table::word(&one))))
}

/// The active bundles that a gift is a part of.
fn bundles_with(gift: GiftItemId) -> Select<gift_bundle::Entity> {
    bundles(Some(GiftStatus::Active)).filter(holds("parts", json!([{ "gift_id": gift }])))
}

impl Tenant {
    /// Lets the changes of the brand's gifts and bundles wait for each other: what a gift costs counts in every bundle
    /// that it is in, and each of the two may be changed at the same time.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn change_gifts_alone(&self) -> Result<(), Fault> {
        self.push_alone("gift", "", "").await
    }

    /// What leans on a gift, and what it leans on when it falls back to `fallback`: no more of it than decides.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this brand has no such fallback.
    pub async fn ties_of(
        &self,
        gift: GiftItemId,
        fallback: Option<GiftItemId>,
    ) -> Result<GiftTies, Missing> {
        let fallback = match fallback {
            Some(id) => Some(self.get::<GiftItem>(id).await?),
            None => None,
        };
        let leaning = gift_item::Entity::find()
            .filter(gift_item::Column::FallbackGiftId.eq(Uuid::from(gift)))
            .order_by_asc(gift_item::Column::CostMinor);
        let leaning = self.find(leaning.limit(1)).await?;
        // One more than the most shows that there are more.
        let most = u64::try_from(MOST_BUNDLES).unwrap_or(u64::MAX).saturating_add(1);
        let bundles: Vec<GiftBundle> = self.all(bundles_with(gift).limit(most)).await?;
        let parts = bundles.iter().flat_map(|bundle| &bundle.details.parts);
        let parts: BTreeSet<_> = parts.map(|part| Uuid::from(part.gift_id)).collect();
        let parts = self.named::<GiftItem>(&parts).await?.into_values().collect();
        Ok(GiftTies { fallback, leaning, bundles, parts })
    }

    /// The gifts that are parts of a bundle.
    ///
    /// # Errors
    ///
    /// The place of the first part that is no gift of this brand; [`Fault`] when the database fails.
    pub async fn parts_of(
        &self,
        parts: &[BundlePart],
    ) -> Result<Result<Vec<GiftItem>, usize>, Fault> {
        let ids: BTreeSet<_> = parts.iter().map(|part| Uuid::from(part.gift_id)).collect();
        let gifts = self.named::<GiftItem>(&ids).await?;
        let is_missing = |part: &BundlePart| !gifts.contains_key(&part.gift_id.into());
        Ok(match parts.iter().position(is_missing) {
            Some(place) => Err(place),
            None => Ok(gifts.into_values().collect()),
        })
    }

    /// All that a customer could be given for a budget in this currency.
    ///
    /// # Errors
    ///
    /// [`Missing`] when the database fails.
    pub async fn shelf(&self, currency: Currency) -> Result<Shelf, Missing> {
        // A retired gift is given no more, and may still lead to what stands in for it.
        let leads_on = gift_item::Column::FallbackGiftId.is_not_null();
        let is_given = gift_item::Column::Status.eq(table::word(&GiftStatus::Active));
        let gifts = gift_item::Entity::find()
            .filter(Condition::any().add(is_given).add(leads_on))
            .filter(gift_item::Column::Currency.eq(currency.to_string()))
            .order_by_desc(gift_item::Column::Id);
        let bundles = bundles(Some(GiftStatus::Active))
            .filter(gift_bundle::Column::Currency.eq(currency.to_string()))
            .order_by_desc(gift_bundle::Column::Id);
        Ok(Shelf {
            currency: self.brand().await?.currency,
            gifts: self.all(gifts.limit(MOST_LOOKED_AT)).await?,
            bundles: self.all(bundles.limit(MOST_LOOKED_AT)).await?,
            free_services: self.all(super::items::free_services(MOST_FREE)).await?,
        })
    }
}
