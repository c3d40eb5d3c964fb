//! Bundles: gifts that are given together, and cost no more than their cap.

use super::{
    gifts::{GiftItem, GiftStatus, Parts, keeps_currency},
    rules::{BUNDLE_CURRENCIES_DIFFER, BUNDLE_OVER_CAP, BUNDLE_PART_COUNT, BUNDLE_PART_TWICE},
};
use crate::{
    change::Change,
    ids::{GiftBundleId, GiftItemId},
    money::{Currency, Minor, Money},
    number::whole_numbers,
    record::{Record, Version},
    refusal::Refusal,
    text::{Code, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most parts of one bundle: as many small things as go into one box.
pub const MOST_PARTS: usize = 20;

/// Gifts that are given together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "gfb_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "autumn-box", "name": "中秋礼盒 Autumn box",
    "currency": "CNY", "cost_cap_minor": 5000,
    "parts": [{"gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "quantity": 1}],
    "status": "active", "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct GiftBundle {
    /// Its identifier.
    pub id: GiftBundleId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: GiftBundleDetails,
    /// Whether it is still given.
    pub status: GiftStatus,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "autumn-box", "name": "中秋礼盒 Autumn box", "currency": "CNY", "cost_cap_minor": 5000,
    "parts": [{"gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "quantity": 1}],
})))]
pub struct GiftBundleDetails {
    /// Its name for programs, unique among the bundles of the brand.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// The currency of the cap, and of all parts. It stays.
    pub currency: Currency,
    /// The most that its parts may cost together, in minor units. Exactly this much is allowed.
    pub cost_cap_minor: Minor,
    /// What is in it: 1 to 20 gifts, each named once.
    #[schema(min_items = 1, max_items = 20)]
    pub parts: Vec<BundlePart>,
}

/// One gift in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundlePart {
    /// The gift.
    pub gift_id: GiftItemId,
    /// How many of it; one when left out.
    #[serde(default)]
    #[schema(default = 1)]
    pub quantity: PartQuantity,
}

whole_numbers! {
    /// How many of one gift are in a bundle.
    PartQuantity = 1 to 100, "From 1 to 100.", 1;
}

impl Default for PartQuantity {
    /// One of it.
    fn default() -> Self {
        Self::LEAST
    }
}

impl GiftBundle {
    /// Enters a bundle of `gifts`, which are those that its parts name.
    ///
    /// # Errors
    ///
    /// `bundle_part_count`, `bundle_part_twice`, `bundle_currencies_differ`, `bundle_over_cap`.
    pub fn enter(
        id: GiftBundleId,
        details: GiftBundleDetails,
        gifts: &[GiftItem],
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check(gifts)?;
        check_cap(&details, &by_id(gifts)).map_err(|refusal| refusal.at("/cost_cap_minor"))?;
        let (status, version) = (GiftStatus::Active, Version::FIRST);
        Ok(Change::created(Self { id, details, status, created_at: now, version }))
    }

    /// Replaces what is said about it.
    ///
    /// # Errors
    ///
    /// `gift_currency_fixed`, and those of [`Self::enter`].
    pub fn update(
        self,
        details: GiftBundleDetails,
        gifts: &[GiftItem],
    ) -> Result<Change<Self>, Refusal> {
        keeps_currency(self.details.currency, details.currency)?;
        details.check(gifts)?;
        let is_new_cap = details.cost_cap_minor != self.details.cost_cap_minor;
        let place = if is_new_cap { "/cost_cap_minor" } else { "/parts" };
        check_cap(&details, &by_id(gifts)).map_err(|refusal| refusal.at(place))?;
        Ok(Change::edit("update", &self, |it| it.details = details))
    }

    /// Ends it. What its parts cost does not matter then.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is retired already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        let status = self.status.retired()?;
        Ok(Change::new("retire", Self { status, ..self }).moved(GiftStatus::Active, status))
    }

    /// Takes it up again, if its parts still cost no more than the cap.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is active, `bundle_over_cap`.
    pub fn reinstate(self, gifts: &[GiftItem]) -> Result<Change<Self>, Refusal> {
        let status = self.status.reinstated()?;
        check_cap(&self.details, &by_id(gifts))?;
        Ok(Change::new("reinstate", Self { status, ..self }).moved(GiftStatus::Retired, status))
    }
}

impl GiftBundleDetails {
    /// Refuses no parts and too many of them, before anybody looks for the gifts that they name.
    ///
    /// # Errors
    ///
    /// `bundle_part_count` outside 1 to 20.
    pub fn check_count(&self) -> Result<(), Refusal> {
        let count = self.parts.len();
        if (1..=MOST_PARTS).contains(&count) {
            return Ok(());
        }
        Err(Refusal::new(&BUNDLE_PART_COUNT)
            .with("count", count)
            .with("most", MOST_PARTS)
            .at("/parts"))
    }

    fn check(&self, gifts: &[GiftItem]) -> Result<(), Refusal> {
        self.check_count()?;
        let parts = by_id(gifts);
        let mut named = BTreeSet::new();
        for (place, part) in self.parts.iter().enumerate() {
            let pointer = || format!("/parts/{place}/gift_id");
            if !named.insert(part.gift_id) {
                return Err(Refusal::new(&BUNDLE_PART_TWICE)
                    .with("gift_id", part.gift_id)
                    .at(pointer()));
            }
            let currency = parts.get(&part.gift_id).map(|gift| gift.details.currency);
            if let Some(currency) = currency.filter(|currency| *currency != self.currency) {
                return Err(Refusal::new(&BUNDLE_CURRENCIES_DIFFER)
                    .with("gift_id", part.gift_id)
                    .with("cap_currency", self.currency)
                    .with("part_currency", currency)
                    .at(pointer()));
            }
        }
        Ok(())
    }

    /// What its parts add up to in minor units, each by `amount`. It may be more than an amount can say, and must be,
    /// so that no sum passes for the largest amount.
    pub(super) fn sum(&self, gifts: &Parts<'_>, amount: impl Fn(&GiftItem) -> Minor) -> i128 {
        let of = |part: &BundlePart| {
            let one = gifts.get(&part.gift_id).map_or(Minor::ZERO, |gift| amount(gift));
            i128::from(one.get()).saturating_mul(part.quantity.get().into())
        };
        self.parts.iter().map(of).fold(0, i128::saturating_add)
    }
}

fn by_id(gifts: &[GiftItem]) -> Parts<'_> {
    gifts.iter().map(|gift| (gift.id, gift)).collect()
}

/// Refuses a bundle whose parts cost more than its cap; the caller knows which part of the request is at fault.
pub(super) fn check_cap(bundle: &GiftBundleDetails, gifts: &Parts<'_>) -> Result<(), Refusal> {
    let cost = bundle.sum(gifts, |gift| gift.details.cost_minor);
    let cap = Money { amount: bundle.cost_cap_minor, currency: bundle.currency };
    if cost <= i128::from(cap.amount.get()) {
        return Ok(());
    }
    let cost = i64::try_from(cost).unwrap_or(i64::MAX);
    Err(Refusal::new(&BUNDLE_OVER_CAP)
        .with("bundle_code", &bundle.code)
        .with("parts_cost", json!({ "amount": cost, "currency": bundle.currency }))
        .with("cost_cap", cap))
}

impl Record for GiftBundle {
    type Id = GiftBundleId;

    fn id(&self) -> GiftBundleId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use uuid::Uuid;

    pub(in super::super) fn described(
        cap_minor: i64,
        parts: &[(&GiftItem, u32)],
    ) -> GiftBundleDetails {
        let part = |(gift, count): &(&GiftItem, u32)| BundlePart {
            gift_id: gift.id,
            quantity: PartQuantity::new(*count).unwrap(),
        };
        GiftBundleDetails {
            code: "box".parse().unwrap(),
            name: "Box".parse().unwrap(),
            currency: Currency::CNY,
            cost_cap_minor: Minor::new(cap_minor).unwrap(),
            parts: parts.iter().map(part).collect(),
        }
    }

    pub(in super::super) fn bundle(cap_minor: i64, parts: &[(&GiftItem, u32)]) -> GiftBundle {
        let gifts: Vec<_> = parts.iter().map(|(gift, _)| (*gift).clone()).collect();
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let details = described(cap_minor, parts);
        GiftBundle::enter(Uuid::from_u128(99).into(), details, &gifts, now).unwrap().record
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::gifts::samples::gift,
        samples::{bundle, described},
        *,
    };
    use serde_json::json;
    use uuid::Uuid;

    fn refusal(details: GiftBundleDetails, gifts: &[GiftItem]) -> Option<Refusal> {
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        GiftBundle::enter(Uuid::nil().into(), details, gifts, now).err()
    }

    fn refused(details: GiftBundleDetails, gifts: &[GiftItem]) -> Option<&'static str> {
        refusal(details, gifts).map(|refusal| refusal.rule.code)
    }

    #[test]
    fn a_bundle_costs_its_cap_and_not_one_unit_more() {
        let tea = gift(1, &json!({}));
        let gifts = [tea.clone()];
        assert_eq!(refused(described(6_000, &[(&tea, 3)]), &gifts), None);
        assert_eq!(refused(described(5_999, &[(&tea, 3)]), &gifts), Some("bundle_over_cap"));
    }

    #[test]
    fn a_bundle_has_1_to_20_parts_each_once_and_in_one_currency() {
        let gifts: Vec<_> = (1..=21).map(|id| gift(id, &json!({ "cost_minor": 1 }))).collect();
        let first = |count: usize| {
            let parts: Vec<_> = gifts.iter().take(count).map(|gift| (gift, 1)).collect();
            refused(described(1_000, &parts), &gifts)
        };
        assert_eq!([1, 20].map(first), [None, None]);
        assert_eq!([0, 21].map(first), [Some("bundle_part_count"); 2]);
        let tea = &gifts[0];
        let twice = described(1_000, &[(tea, 1), (tea, 1)]);
        assert_eq!(refused(twice, &gifts), Some("bundle_part_twice"));
        let foreign = gift(1, &json!({ "currency": "USD" }));
        let mixed = described(9_000, &[(&foreign, 1)]);
        assert_eq!(
            refused(mixed, std::slice::from_ref(&foreign)),
            Some("bundle_currencies_differ")
        );
    }

    #[test]
    fn a_bundle_is_taken_up_again_only_below_its_cap() {
        let tea = gift(1, &json!({}));
        let retired = bundle(4_000, &[(&tea, 2)]).retire().unwrap().record;
        assert!(retired.clone().reinstate(&[tea]).is_ok());
        let dearer = gift(1, &json!({ "cost_minor": 2_001 }));
        let refusal = retired.reinstate(&[dearer]).unwrap_err();
        assert_eq!((refusal.rule.code, refusal.place), ("bundle_over_cap", None));
    }

    #[test]
    fn a_refusal_points_at_what_was_changed() {
        let tea = gift(1, &json!({}));
        let place = |details| {
            let changed = bundle(4_000, &[(&tea, 2)]).update(details, std::slice::from_ref(&tea));
            changed.unwrap_err().place
        };
        assert_eq!(place(described(3_999, &[(&tea, 2)])).as_deref(), Some("/cost_cap_minor"));
        assert_eq!(place(described(4_000, &[(&tea, 3)])).as_deref(), Some("/parts"));
    }

    #[test]
    fn no_sum_passes_for_the_largest_amount() {
        let most = crate::money::MOST_MINOR;
        let cars: Vec<_> = (1..=20).map(|id| gift(id, &json!({ "cost_minor": most }))).collect();
        let one = std::slice::from_ref(&cars[0]);
        assert_eq!(refused(described(most, &[(&cars[0], 1)]), one), None);
        assert_eq!(refused(described(most, &[(&cars[0], 2)]), one), Some("bundle_over_cap"));
        let all: Vec<_> = cars.iter().map(|car| (car, 100)).collect();
        let refusal = refusal(described(most, &all), &cars).unwrap();
        assert_eq!(refusal.facts["parts_cost"]["amount"], 2_000_000_000_000_000_000_i64);
    }

    #[test]
    fn there_are_1_to_100_of_a_part() {
        assert!(PartQuantity::new(1).is_ok() && PartQuantity::new(100).is_ok());
        assert!(PartQuantity::new(0).is_err() && PartQuantity::new(101).is_err());
    }
}
