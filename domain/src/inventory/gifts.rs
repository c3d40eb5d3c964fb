//! Gifts: small things that a customer is given.

use super::{
    bundles::{GiftBundle, check_cap},
    festivals::{Festival, Season},
    rules::{
        FALLBACK_NOT_CHEAPER, GIFT_CURRENCY_FIXED, GIFT_IN_TOO_MANY_BUNDLES, MARGIN_BAND_REVERSED,
    },
};
use crate::{
    change::Change,
    ids::GiftItemId,
    money::{Currency, Minor, Money},
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Code, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The most active bundles of one gift whose caps are looked at when it grows dearer: more than anybody puts one gift
/// into.
pub const MOST_BUNDLES: usize = 100;

/// Something small that a customer may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "moon-cake", "name": "月饼 Moon cake", "currency": "CNY",
    "cost_minor": 2800, "perceived_value_minor": 6800, "seasons": [], "festivals": ["mid_autumn"],
    "stock": 200, "least_margin_minor": 30000, "most_margin_minor": null,
    "fallback_gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "tangible": true,
    "status": "active", "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct GiftItem {
    /// Its identifier.
    pub id: GiftItemId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: GiftItemDetails,
    /// Whether it is still given.
    pub status: GiftStatus,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about a gift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "moon-cake", "name": "月饼 Moon cake", "currency": "CNY", "cost_minor": 2800,
    "perceived_value_minor": 6800, "seasons": [], "festivals": ["mid_autumn"], "stock": 200,
    "least_margin_minor": 30000, "most_margin_minor": null,
    "fallback_gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "tangible": true,
})))]
pub struct GiftItemDetails {
    /// Its name for programs, unique in the brand.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// The currency of its amounts. It stays.
    pub currency: Currency,
    /// What one costs the brand, in minor units.
    pub cost_minor: Minor,
    /// What one is worth to a customer, in minor units.
    pub perceived_value_minor: Minor,
    /// The seasons it is for. With neither seasons nor festivals it is for the whole year; with both, one of them is
    /// enough.
    #[serde(default)]
    pub seasons: BTreeSet<Season>,
    /// The festivals it is for: it is suggested in the 14 days before one, and on the day.
    #[serde(default)]
    pub festivals: BTreeSet<Festival>,
    /// How many there are; null when there are always enough.
    #[serde(default)]
    pub stock: Option<GiftStock>,
    /// The least margin of a sale that it goes with, in minor units; null when it goes with any.
    #[serde(default)]
    pub least_margin_minor: Option<Minor>,
    /// The most margin that it goes with; null when there is no limit.
    #[serde(default)]
    pub most_margin_minor: Option<Minor>,
    /// A gift that costs less, for when this one is too dear or gone.
    #[serde(default)]
    pub fallback_gift_id: Option<GiftItemId>,
    /// Whether the customer keeps something in their hands; true when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub tangible: bool,
}

/// `true`, for what is so unless somebody says otherwise.
fn yes() -> bool {
    true
}

/// Whether a gift or a bundle is still given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiftStatus {
    /// It is.
    Active,
    /// It is no longer.
    Retired,
}

whole_numbers! {
    /// How many of a gift there are.
    GiftStock = 0 to 1_000_000, "From 0 to 1000000.", 200;
}

/// What leans on a gift, and what it leans on, when it is changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GiftTies {
    /// The gift that it falls back to.
    pub fallback: Option<GiftItem>,
    /// The cheapest of the gifts that fall back to it: the others cost more as long as this one does.
    pub leaning: Option<GiftItem>,
    /// The active bundles that it is a part of; one more than [`MOST_BUNDLES`] when there are more.
    pub bundles: Vec<GiftBundle>,
    /// The gifts in those bundles.
    pub parts: Vec<GiftItem>,
}

impl GiftItem {
    /// Enters a gift; `fallback` is the gift that it falls back to.
    ///
    /// # Errors
    ///
    /// `margin_band_reversed`, `fallback_not_cheaper`.
    pub fn enter(
        id: GiftItemId,
        details: GiftItemDetails,
        fallback: Option<&Self>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check().map_err(|refusal| refusal.at("/most_margin_minor"))?;
        let (status, version) = (GiftStatus::Active, Version::FIRST);
        let gift = Self { id, details, status, created_at: now, version };
        if let Some(fallback) = fallback {
            let cheaper = gift.must_cost_more_than(fallback);
            cheaper.map_err(|refusal| refusal.at("/fallback_gift_id"))?;
        }
        Ok(Change::created(gift))
    }

    /// Replaces what is said about it. What it costs may not break what leans on it: the cap of a bundle, or a gift
    /// that falls back to it.
    ///
    /// # Errors
    ///
    /// `gift_currency_fixed`, `bundle_over_cap`, `gift_in_too_many_bundles` when it grows dearer and is in more than
    /// 100 active bundles, and those of [`Self::enter`].
    pub fn update(
        self,
        details: GiftItemDetails,
        ties: &GiftTies,
    ) -> Result<Change<Self>, Refusal> {
        let before = &self.details;
        keeps_currency(before.currency, details.currency)?;
        let is_new_most = details.most_margin_minor != before.most_margin_minor;
        let bound = if is_new_most { "/most_margin_minor" } else { "/least_margin_minor" };
        details.check().map_err(|refusal| refusal.at(bound))?;
        let is_new_fallback = details.fallback_gift_id != before.fallback_gift_id;
        let tie = if is_new_fallback { "/fallback_gift_id" } else { "/cost_minor" };
        let change = Change::edit("update", &self, |it| it.details = details);
        let gift = &change.record;
        if let Some(fallback) = &ties.fallback {
            gift.must_cost_more_than(fallback).map_err(|refusal| refusal.at(tie))?;
        }
        if gift.details.cost_minor > before.cost_minor {
            ties.must_bear(gift).map_err(|refusal| refusal.at("/cost_minor"))?;
        }
        Ok(change)
    }

    /// Ends it: it is suggested no more, nor is a bundle that it is a part of.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is retired already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        let status = self.status.retired()?;
        Ok(Change::new("retire", Self { status, ..self }).moved(GiftStatus::Active, status))
    }

    /// Takes it up again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is active.
    pub fn reinstate(self) -> Result<Change<Self>, Refusal> {
        let status = self.status.reinstated()?;
        Ok(Change::new("reinstate", Self { status, ..self }).moved(GiftStatus::Retired, status))
    }

    /// What one costs.
    pub fn cost(&self) -> Money {
        Money { amount: self.details.cost_minor, currency: self.details.currency }
    }

    fn must_cost_more_than(&self, fallback: &Self) -> Result<(), Refusal> {
        let (cost, less) = (self.cost(), fallback.cost());
        if cost.currency == less.currency && less.amount < cost.amount {
            return Ok(());
        }
        Err(Refusal::new(&FALLBACK_NOT_CHEAPER)
            .with("code", &self.details.code)
            .with("cost", cost)
            .with("fallback_code", &fallback.details.code)
            .with("fallback_cost", less))
    }
}

impl GiftTies {
    /// Refuses a dearer `gift` that costs as much as what falls back to it, or breaks the cap of a bundle.
    fn must_bear(&self, gift: &GiftItem) -> Result<(), Refusal> {
        if let Some(leaning) = &self.leaning {
            leaning.must_cost_more_than(gift)?;
        }
        if self.bundles.len() > MOST_BUNDLES {
            return Err(Refusal::new(&GIFT_IN_TOO_MANY_BUNDLES)
                .with("code", &gift.details.code)
                .with("most", MOST_BUNDLES));
        }
        let parts = self.parts.iter().chain([gift]).map(|part| (part.id, part)).collect();
        self.bundles.iter().try_for_each(|bundle| check_cap(&bundle.details, &parts))
    }
}

impl GiftItemDetails {
    /// Whether it goes with a sale of this margin; one with a band does not where no margin is known.
    pub(crate) fn goes_with(&self, margin: Option<Minor>) -> bool {
        match (self.least_margin_minor, self.most_margin_minor) {
            (None, None) => true,
            (least, most) => margin.is_some_and(|margin| {
                least.is_none_or(|least| least <= margin) && most.is_none_or(|most| margin <= most)
            }),
        }
    }

    /// Whether there are so many of it.
    pub(crate) fn is_left(&self, count: u32) -> bool {
        self.stock.is_none_or(|stock| stock.get() >= count)
    }

    fn check(&self) -> Result<(), Refusal> {
        match (self.least_margin_minor, self.most_margin_minor) {
            (Some(least), Some(most)) if least > most => Err(Refusal::new(&MARGIN_BAND_REVERSED)
                .with("least_minor", least)
                .with("most_minor", most)),
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }
}

/// Refuses another currency than the one that a record was entered in.
pub(super) fn keeps_currency(kept: Currency, told: Currency) -> Result<(), Refusal> {
    if kept == told {
        return Ok(());
    }
    Err(Refusal::new(&GIFT_CURRENCY_FIXED).with("currency", kept).at("/currency"))
}

/// Gifts by their identifiers.
pub(super) type Parts<'a> = BTreeMap<GiftItemId, &'a GiftItem>;

impl GiftStatus {
    /// No longer given.
    pub(super) fn retired(self) -> Result<Self, Refusal> {
        match self {
            Self::Active => Ok(Self::Retired),
            Self::Retired => Err(illegal(self, &["reinstate"])),
        }
    }

    /// Given again.
    pub(super) fn reinstated(self) -> Result<Self, Refusal> {
        match self {
            Self::Active => Err(illegal(self, &["retire"])),
            Self::Retired => Ok(Self::Active),
        }
    }
}

impl Record for GiftItem {
    type Id = GiftItemId;

    fn id(&self) -> GiftItemId {
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
    use serde_json::{Value, json};
    use uuid::Uuid;

    /// A gift that costs 20.00 and is worth 40.00, with `more` said about it.
    pub(in super::super) fn gift(id: u128, more: &Value) -> GiftItem {
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        GiftItem::enter(Uuid::from_u128(id).into(), told(id, more), None, now).unwrap().record
    }

    pub(in super::super) fn told(id: u128, more: &Value) -> GiftItemDetails {
        let mut details = json!({
            "code": format!("gift-{id}"), "name": "Gift", "currency": "CNY", "cost_minor": 2_000,
            "perceived_value_minor": 4_000,
        });
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(details).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bundles::samples::bundle,
        samples::{gift, told},
        *,
    };
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_band_of_margins_may_be_one_amount_and_is_never_empty() {
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let enters = |most: i64| {
            let details = told(1, &json!({ "least_margin_minor": 500, "most_margin_minor": most }));
            GiftItem::enter(Uuid::nil().into(), details, None, now)
        };
        assert!(enters(500).is_ok());
        assert_eq!(enters(499).unwrap_err().rule.code, "margin_band_reversed");
    }

    #[test]
    fn a_fallback_costs_less_in_the_same_currency() {
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let falls_back_to = |more| {
            let fallback = gift(2, &more);
            let details = told(1, &json!({ "fallback_gift_id": fallback.id }));
            GiftItem::enter(Uuid::nil().into(), details, Some(&fallback), now)
        };
        assert!(falls_back_to(json!({ "cost_minor": 1_999 })).is_ok());
        let refusal = falls_back_to(json!({ "cost_minor": 2_000 })).unwrap_err();
        assert_eq!(refusal.rule.code, "fallback_not_cheaper");
        assert!(falls_back_to(json!({ "cost_minor": 1, "currency": "USD" })).is_err());
    }

    #[test]
    fn a_fallback_stays_cheaper_whichever_of_the_two_is_changed() {
        let cheap = gift(2, &json!({ "cost_minor": 1_000 }));
        let dear = gift(1, &json!({ "fallback_gift_id": cheap.id }));
        let cost = |cost: i64, ties: &GiftTies| {
            cheap.clone().update(told(2, &json!({ "cost_minor": cost })), ties)
        };
        let ties = GiftTies { leaning: Some(dear.clone()), ..GiftTies::default() };
        assert!(cost(1_999, &ties).is_ok());
        let refusal = cost(2_000, &ties).unwrap_err();
        let (code, place) = (refusal.rule.code, refusal.place.as_deref());
        assert_eq!((code, place), ("fallback_not_cheaper", Some("/cost_minor")));
        let lowered = json!({ "cost_minor": 1_000, "fallback_gift_id": cheap.id });
        let lowered = told(1, &lowered);
        let ties = GiftTies { fallback: Some(cheap), ..GiftTies::default() };
        let refusal = dear.update(lowered, &ties).unwrap_err();
        let (code, place) = (refusal.rule.code, refusal.place.as_deref());
        assert_eq!((code, place), ("fallback_not_cheaper", Some("/cost_minor")));
        let other = told_with_fallback(2);
        let refusal = gift(1, &json!({ "cost_minor": 900 })).update(other, &ties).unwrap_err();
        assert_eq!(refusal.place.as_deref(), Some("/fallback_gift_id"));
    }

    /// Gift 1 at 9.00, falling back to another one.
    fn told_with_fallback(fallback: u128) -> GiftItemDetails {
        let fallback = GiftItemId::from(Uuid::from_u128(fallback));
        told(1, &json!({ "cost_minor": 900, "fallback_gift_id": fallback }))
    }

    #[test]
    fn a_band_points_at_the_bound_that_was_changed() {
        let place = |least: i64, most: i64| {
            let band = json!({ "least_margin_minor": 500, "most_margin_minor": 600 });
            let edit = json!({ "least_margin_minor": least, "most_margin_minor": most });
            let refusal = gift(1, &band).update(told(1, &edit), &GiftTies::default()).unwrap_err();
            (refusal.rule.code, refusal.place.unwrap())
        };
        assert_eq!(place(500, 499), ("margin_band_reversed", "/most_margin_minor".to_owned()));
        assert_eq!(place(601, 600), ("margin_band_reversed", "/least_margin_minor".to_owned()));
    }

    #[test]
    fn a_gift_in_a_hundred_bundles_may_grow_dearer_and_in_one_more_only_cheaper() {
        let tea = gift(1, &json!({}));
        let ties = |count| GiftTies {
            bundles: vec![bundle(3_000, &[(&tea, 1)]); count],
            ..GiftTies::default()
        };
        let costs = |cost: i64, count| {
            tea.clone().update(told(1, &json!({ "cost_minor": cost })), &ties(count))
        };
        assert!(costs(3_000, 100).is_ok());
        assert_eq!(costs(3_000, 101).unwrap_err().rule.code, "gift_in_too_many_bundles");
        assert!(costs(2_000, 101).is_ok() && costs(1_999, 101).is_ok());
    }

    #[test]
    fn a_part_does_not_grow_dearer_than_the_cap_of_its_bundle() {
        let (tea, cup) = (gift(1, &json!({})), gift(2, &json!({ "cost_minor": 500 })));
        let ties = GiftTies {
            bundles: vec![bundle(5_000, &[(&tea, 2), (&cup, 1)])],
            parts: vec![tea.clone(), cup],
            ..GiftTies::default()
        };
        let costs = |cost: i64| tea.clone().update(told(1, &json!({ "cost_minor": cost })), &ties);
        assert!(costs(2_250).is_ok());
        let refusal = costs(2_251).unwrap_err();
        assert_eq!(refusal.rule.code, "bundle_over_cap");
        assert_eq!(refusal.facts["parts_cost"], json!({ "amount": 5_002, "currency": "CNY" }));
        assert_eq!(refusal.facts["cost_cap"], json!({ "amount": 5_000, "currency": "CNY" }));
        assert_eq!(refusal.place.as_deref(), Some("/cost_minor"));
    }

    #[test]
    fn a_gift_keeps_its_currency() {
        let dollars = told(1, &json!({ "currency": "USD" }));
        let refusal = gift(1, &json!({})).update(dollars, &GiftTies::default()).unwrap_err();
        assert_eq!(refusal.rule.code, "gift_currency_fixed");
    }

    #[test]
    fn a_gift_is_retired_and_reinstated_once_each() {
        let retired = gift(1, &json!({})).retire().unwrap().record;
        assert!(retired.clone().retire().is_err());
        let active = retired.reinstate().unwrap().record;
        assert_eq!(active.reinstate().unwrap_err().rule.code, "illegal_transition");
    }

    #[test]
    fn there_are_none_to_a_million_of_a_gift() {
        assert!(GiftStock::new(0).is_ok() && GiftStock::new(1_000_000).is_ok());
        assert!(GiftStock::new(1_000_001).is_err());
    }
}
