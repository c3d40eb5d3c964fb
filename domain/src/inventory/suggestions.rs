//! Suggestions: what a customer could be given for a budget, the best first.

use super::{
    bundles::GiftBundle,
    festivals::{Festival, Season},
    gifts::{GiftItem, GiftStatus, Parts},
    items::ServiceItem,
};
use crate::{
    ids::{GiftBundleId, GiftItemId, ServiceItemId},
    money::{Currency, Minor, Money},
    text::{Code, Name},
    time::CivilDate,
};
use serde::Serialize;
use std::{cmp::Ordering, collections::BTreeSet};
use utoipa::ToSchema;

/// The most suggestions of one answer: more than anybody chooses from.
pub const MOST_SUGGESTIONS: usize = 20;

/// The most gifts that one falls back over: each costs less than the one before, and nobody lines up more.
const MOST_FALLBACKS: usize = 10;

/// What a gift is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftWish {
    /// The most it may cost.
    pub budget: Money,
    /// The day on which it is given.
    pub on: CivilDate,
    /// The margin of the sale that it goes with, when it is known.
    pub margin_minor: Option<Minor>,
}

/// What there is to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelf {
    /// The brand's currency, which the amounts of services are in.
    pub currency: Currency,
    /// The gifts that are still given.
    pub gifts: Vec<GiftItem>,
    /// The bundles that are still given.
    pub bundles: Vec<GiftBundle>,
    /// The services that cost nothing and are meant for everybody.
    pub free_services: Vec<ServiceItem>,
}

/// What kind of thing is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offering {
    /// A gift.
    Gift,
    /// Gifts that are given together.
    Bundle,
    /// A service that costs nothing, because the budget is enough for no gift.
    FreeService,
}

/// Something that a customer could be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "offering": "gift", "gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "bundle_id": null,
    "service_item_id": null, "code": "moon-cake", "name": "月饼 Moon cake", "currency": "CNY",
    "cost_minor": 2800, "perceived_value_minor": 6800, "festival": "mid_autumn", "season": null,
    "instead_of": null,
})))]
pub struct GiftSuggestion {
    /// What kind of thing it is.
    pub offering: Offering,
    /// The gift, when it is one.
    pub gift_id: Option<GiftItemId>,
    /// The bundle, when it is one.
    pub bundle_id: Option<GiftBundleId>,
    /// The service item, when it is one.
    pub service_item_id: Option<ServiceItemId>,
    /// Its name for programs.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What it costs.
    pub cost_minor: Minor,
    /// What it is worth to the customer.
    pub perceived_value_minor: Minor,
    /// The festival for which it is in its place; null when there is none.
    pub festival: Option<Festival>,
    /// The season for which it is; null when it is for the whole year or for a festival.
    pub season: Option<Season>,
    /// The gift that it stands in for, which is too dear or gone; null when it stands for itself.
    pub instead_of: Option<GiftItemId>,
}

/// Why a gift is in its place on a day.
#[derive(Debug, Clone, Copy, Default)]
struct Occasion {
    festival: Option<Festival>,
    season: Option<Season>,
}

impl GiftWish {
    /// What there is on the `shelf` for it: the most perceived value for the cost first, and among equals the one of
    /// more perceived value, then in the order of their codes.
    ///
    /// A gift counts when its season or festival has come, the margin lies in its band, and there are some left; one
    /// with a band counts only when the margin is known. When one that goes with the sale is too dear or gone, what it
    /// falls back to stands in. When nothing is left, services that cost nothing are suggested instead.
    pub fn suggestions(&self, shelf: &Shelf) -> Vec<GiftSuggestion> {
        let near = Festival::near(self.on);
        let gifts: Parts<'_> = shelf.gifts.iter().map(|gift| (gift.id, gift)).collect();
        let mut found: Vec<GiftSuggestion> = Vec::new();
        // What is no longer given, or does not go with the sale, is not wanted, and nothing is wanted in its stead.
        let wanted = shelf.gifts.iter().filter(|gift| self.suits(gift));
        let timely = wanted.filter_map(|gift| Some((gift, self.occasion(gift, &near)?)));
        // Those that stand for themselves come first, so that none of them is told as another's stand-in.
        let (own, others): (Vec<_>, Vec<_>) = timely.partition(|(gift, _)| self.can_give(gift));
        found.extend(own.iter().map(|(gift, occasion)| suggest(gift, *occasion, None)));
        let mut known: BTreeSet<_> = own.iter().map(|(gift, _)| gift.id).collect();
        for (gift, occasion) in others {
            let Some(stand_in) = self.stand_in(gift, &gifts) else { continue };
            if known.insert(stand_in.id) {
                found.push(suggest(stand_in, occasion, Some(gift.id)));
            }
        }
        found.extend(shelf.bundles.iter().filter_map(|bundle| self.bundled(bundle, &gifts, &near)));
        if found.is_empty() {
            found.extend(shelf.free_services.iter().map(|item| free(item, shelf.currency)));
        }
        found.sort_by(better_first);
        found.truncate(MOST_SUGGESTIONS);
        found
    }

    /// Why a gift is in its place; nothing when it is not.
    fn occasion(&self, gift: &GiftItem, near: &BTreeSet<Festival>) -> Option<Occasion> {
        let (seasons, festivals) = (&gift.details.seasons, &gift.details.festivals);
        if seasons.is_empty() && festivals.is_empty() {
            return Some(Occasion::default());
        }
        if let Some(festival) = near.intersection(festivals).next() {
            return Some(Occasion { festival: Some(*festival), season: None });
        }
        let season = Season::of(self.on);
        seasons.contains(&season).then_some(Occasion { festival: None, season: Some(season) })
    }

    /// Whether a gift can be given for the budget.
    fn can_give(&self, gift: &GiftItem) -> bool {
        let cost = gift.cost();
        let is_affordable =
            cost.currency == self.budget.currency && cost.amount <= self.budget.amount;
        is_affordable && self.suits(gift) && gift.details.is_left(1)
    }

    /// Whether a gift is still given, and goes with a sale of this margin.
    fn suits(&self, gift: &GiftItem) -> bool {
        let is_given = match gift.status {
            GiftStatus::Active => true,
            GiftStatus::Retired => false,
        };
        is_given && gift.details.goes_with(self.margin_minor)
    }

    /// The first gift that can be given among those that a gift falls back to; it is in its place because that one is.
    fn stand_in<'a>(&self, gift: &GiftItem, gifts: &Parts<'a>) -> Option<&'a GiftItem> {
        let next = |id: Option<GiftItemId>| id.and_then(|id| gifts.get(&id).copied());
        let first = next(gift.details.fallback_gift_id);
        std::iter::successors(first, |gift| next(gift.details.fallback_gift_id))
            .take(MOST_FALLBACKS)
            .find(|gift| self.can_give(gift))
    }

    /// A bundle, when all its parts can be given and it costs no more than the budget.
    fn bundled(
        &self,
        bundle: &GiftBundle,
        gifts: &Parts<'_>,
        near: &BTreeSet<Festival>,
    ) -> Option<GiftSuggestion> {
        let details = &bundle.details;
        let cost_minor = sayable(details.sum(gifts, |gift| gift.details.cost_minor))?;
        let value_minor = details.sum(gifts, |gift| gift.details.perceived_value_minor);
        let is_affordable =
            details.currency == self.budget.currency && cost_minor <= self.budget.amount;
        let mut occasion = Occasion::default();
        for part in &details.parts {
            let gift = gifts
                .get(&part.gift_id)
                .filter(|gift| self.suits(gift) && gift.details.is_left(part.quantity.get()))?;
            let Occasion { festival, season } = self.occasion(gift, near)?;
            occasion.festival = occasion.festival.or(festival);
            occasion.season = occasion.season.or(season);
        }
        is_affordable.then(|| GiftSuggestion {
            offering: Offering::Bundle,
            gift_id: None,
            bundle_id: Some(bundle.id),
            service_item_id: None,
            code: details.code.clone(),
            name: details.name.clone(),
            currency: details.currency,
            cost_minor,
            perceived_value_minor: sayable(value_minor).unwrap_or(Minor::MOST),
            festival: occasion.festival,
            season: occasion.season,
            instead_of: None,
        })
    }
}

/// A sum as an amount; nothing when it is more than an amount can say.
fn sayable(sum_minor: i128) -> Option<Minor> {
    i64::try_from(sum_minor).ok().and_then(|sum_minor| Minor::new(sum_minor).ok())
}

fn suggest(gift: &GiftItem, occasion: Occasion, instead_of: Option<GiftItemId>) -> GiftSuggestion {
    let details = &gift.details;
    GiftSuggestion {
        offering: Offering::Gift,
        gift_id: Some(gift.id),
        bundle_id: None,
        service_item_id: None,
        code: details.code.clone(),
        name: details.name.clone(),
        currency: details.currency,
        cost_minor: details.cost_minor,
        perceived_value_minor: details.perceived_value_minor,
        festival: occasion.festival,
        season: occasion.season,
        instead_of,
    }
}

fn free(item: &ServiceItem, currency: Currency) -> GiftSuggestion {
    let details = &item.details;
    GiftSuggestion {
        offering: Offering::FreeService,
        gift_id: None,
        bundle_id: None,
        service_item_id: Some(item.id),
        code: details.code.clone(),
        name: details.name.clone(),
        currency,
        cost_minor: details.est_cost_minor,
        perceived_value_minor: details.perceived_value_minor,
        festival: None,
        season: None,
        instead_of: None,
    }
}

/// What costs nothing comes first; then the more perceived value for the cost, compared without dividing.
fn better_first(one: &GiftSuggestion, other: &GiftSuggestion) -> Ordering {
    let costs = |it: &GiftSuggestion| it.cost_minor > Minor::ZERO;
    // One's value by the other's cost, and the other way round: both fit into 128 bits.
    let weight = |value: &GiftSuggestion, cost: &GiftSuggestion| {
        i128::from(value.perceived_value_minor.get())
            .saturating_mul(i128::from(cost.cost_minor.get()))
    };
    costs(one)
        .cmp(&costs(other))
        .then_with(|| weight(other, one).cmp(&weight(one, other)))
        .then_with(|| other.perceived_value_minor.cmp(&one.perceived_value_minor))
        .then_with(|| name(one).cmp(&name(other)))
}

/// What decides between equals, so that the same shelf always comes in the same order.
fn name(it: &GiftSuggestion) -> (Offering, &str) {
    (it.offering, &it.code)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the test counts in numbers that fit")]
mod tests {
    use super::{
        super::{bundles::samples::bundle, gifts::samples::gift, items::samples::item},
        *,
    };
    use proptest::prelude::*;
    use serde_json::json;

    fn wish(budget_minor: i64, on: &str, margin_minor: Option<i64>) -> GiftWish {
        let minor = |amount| Minor::new(amount).unwrap();
        GiftWish {
            budget: Money { amount: minor(budget_minor), currency: Currency::CNY },
            on: on.parse().unwrap(),
            margin_minor: margin_minor.map(minor),
        }
    }

    fn shelf(gifts: Vec<GiftItem>) -> Shelf {
        let (bundles, free_services) = (Vec::new(), Vec::new());
        Shelf { currency: Currency::CNY, gifts, bundles, free_services }
    }

    fn codes(wish: &GiftWish, shelf: &Shelf) -> Vec<String> {
        wish.suggestions(shelf).iter().map(|found| found.code.to_string()).collect()
    }

    #[test]
    fn the_most_value_for_the_cost_comes_first_and_equals_in_one_order() {
        let of =
            |cost: i64, value: i64| json!({ "cost_minor": cost, "perceived_value_minor": value });
        let gifts = vec![
            gift(1, &of(2_000, 4_000)),
            gift(2, &of(1_000, 3_000)),
            gift(3, &of(3_000, 6_000)),
            gift(4, &of(0, 100)),
            gift(5, &of(1_500, 3_000)),
            gift(6, &of(2_000, 4_000)),
            gift(7, &of(0, 0)),
        ];
        let expected = ["gift-4", "gift-7", "gift-2", "gift-3", "gift-1", "gift-6", "gift-5"];
        let wish = wish(3_000, "2026-07-01", None);
        assert_eq!(codes(&wish, &shelf(gifts.clone())), expected);
        let reversed = gifts.into_iter().rev().collect();
        assert_eq!(codes(&wish, &shelf(reversed)), expected);
    }

    #[test]
    fn a_gift_may_cost_the_budget_and_not_one_unit_more() {
        let shelf = shelf(vec![gift(1, &json!({}))]);
        assert_eq!(codes(&wish(2_000, "2026-07-01", None), &shelf), ["gift-1"]);
        assert_eq!(codes(&wish(1_999, "2026-07-01", None), &shelf), [""; 0]);
    }

    #[test]
    fn a_gift_has_its_time() {
        let shelf = shelf(vec![
            gift(1, &json!({ "festivals": ["mid_autumn"] })),
            gift(2, &json!({ "seasons": ["summer"] })),
            gift(3, &json!({ "seasons": ["winter"], "festivals": ["mid_autumn"] })),
        ]);
        let on = |day: &str| codes(&wish(9_000, day, None), &shelf);
        assert_eq!(on("2026-09-25"), ["gift-1", "gift-3"]);
        assert_eq!(on("2026-09-26"), [""; 0]);
        assert_eq!(on("2026-07-01"), ["gift-2"]);
        assert_eq!(on("2026-12-01"), ["gift-3"]);
        let found = wish(9_000, "2026-09-25", None).suggestions(&shelf);
        assert_eq!((found[0].festival, found[0].season), (Some(Festival::MidAutumn), None));
    }

    #[test]
    fn a_gift_with_a_band_goes_with_a_margin_in_it() {
        let band = json!({ "least_margin_minor": 1_000, "most_margin_minor": 2_000 });
        let shelf = shelf(vec![gift(1, &band)]);
        let fits = |margin| !codes(&wish(9_000, "2026-07-01", margin), &shelf).is_empty();
        let margins = [Some(999), Some(1_000), Some(2_000), Some(2_001), None];
        assert_eq!(margins.map(fits), [false, true, true, false, false]);
    }

    #[test]
    fn what_is_too_dear_or_gone_has_a_stand_in() {
        let cheap = gift(3, &json!({ "cost_minor": 500 }));
        let middle = json!({ "cost_minor": 1_000, "stock": 0, "fallback_gift_id": cheap.id });
        let middle = gift(2, &middle);
        let dear = gift(1, &json!({ "fallback_gift_id": middle.id }));
        let all = shelf(vec![dear.clone(), middle.clone(), cheap.clone()]);
        let found = wish(1_500, "2026-07-01", None).suggestions(&all);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].gift_id, found[0].instead_of), (Some(cheap.id), None));
        // Alone it would not be in its place in July.
        let lantern = gift(3, &json!({ "cost_minor": 500, "festivals": ["lantern"] }));
        let found = wish(1_500, "2026-07-01", None).suggestions(&shelf(vec![
            dear.clone(),
            middle.clone(),
            lantern.clone(),
        ]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].gift_id, found[0].instead_of), (Some(lantern.id), Some(dear.id)));
        assert_eq!(
            codes(&wish(499, "2026-07-01", None), &shelf(vec![dear, middle, lantern])),
            [""; 0]
        );
    }

    #[test]
    fn nothing_stands_in_for_what_is_not_wanted() {
        let card = gift(2, &json!({ "cost_minor": 500, "festivals": ["lantern"] }));
        let gone = json!({ "fallback_gift_id": card.id, "stock": 0 });
        let mut tea = gift(1, &gone);
        let july = |tea: &GiftItem, margin| {
            codes(&wish(9_000, "2026-07-01", margin), &shelf(vec![tea.clone(), card.clone()]))
        };
        assert_eq!(july(&tea, None), ["gift-2"]);
        let retired = GiftItem { status: GiftStatus::Retired, ..tea.clone() };
        assert_eq!(july(&retired, None), [""; 0]);
        tea.details.least_margin_minor = Some(Minor::new(1_000).unwrap());
        assert_eq!(july(&tea, Some(1_000)), ["gift-2"]);
        assert_eq!(july(&tea, Some(999)), [""; 0]);
        assert_eq!(july(&tea, None), [""; 0]);
    }

    #[test]
    fn a_bundle_is_given_whole_or_not_at_all() {
        let tea = gift(1, &json!({ "stock": 2 }));
        let cup = gift(2, &json!({ "cost_minor": 1_000, "festivals": ["mid_autumn"] }));
        let bundles = vec![bundle(9_000, &[(&tea, 2), (&cup, 1)])];
        let all = Shelf { gifts: vec![tea, cup], bundles, ..shelf(Vec::new()) };
        let on = |budget, day: &str| codes(&wish(budget, day, None), &all);
        assert_eq!(on(5_000, "2026-09-25"), ["gift-2", "box", "gift-1"]);
        assert_eq!(on(4_999, "2026-09-25"), ["gift-2", "gift-1"]);
        assert_eq!(on(5_000, "2026-09-26"), ["gift-1"]);
        let mut fewer = all.clone();
        fewer.gifts[0].details.stock = Some(super::super::GiftStock::new(1).unwrap());
        assert_eq!(codes(&wish(5_000, "2026-09-25", None), &fewer), ["gift-2", "gift-1"]);
        let mut retired = all;
        retired.gifts[0].status = GiftStatus::Retired;
        assert_eq!(codes(&wish(5_000, "2026-09-25", None), &retired), ["gift-2"]);
    }

    #[test]
    fn a_bundle_beyond_all_amounts_is_never_given() {
        let most = crate::money::MOST_MINOR;
        let car = gift(1, &json!({ "perceived_value_minor": most }));
        let one = bundle(most, &[(&car, 2)]);
        let given = shelf(vec![car.clone()]);
        let given = Shelf { bundles: vec![one.clone()], ..given };
        let found = wish(most, "2026-07-01", None).suggestions(&given);
        let values: Vec<_> = found.iter().map(|found| found.perceived_value_minor).collect();
        assert_eq!(values, [Minor::MOST, Minor::MOST]);
        let dear = gift(1, &json!({ "cost_minor": most }));
        let given = Shelf { bundles: vec![one], ..shelf(vec![dear]) };
        assert_eq!(codes(&wish(most, "2026-07-01", None), &given), ["gift-1"]);
    }

    #[test]
    fn when_no_gift_fits_there_is_still_something_to_do() {
        let call =
            item(&json!({ "code": "call", "est_cost_minor": 0, "perceived_value_minor": 500 }));
        let all = Shelf {
            gifts: vec![gift(1, &json!({}))],
            free_services: vec![call],
            ..shelf(Vec::new())
        };
        let found = wish(1_999, "2026-07-01", None).suggestions(&all);
        assert_eq!((found[0].offering, found[0].cost_minor), (Offering::FreeService, Minor::ZERO));
        let mut dollars = wish(1_999, "2026-07-01", None);
        dollars.budget.currency = Currency::USD;
        assert_eq!(dollars.suggestions(&all)[0].currency, Currency::CNY);
        assert_eq!(codes(&wish(2_000, "2026-07-01", None), &all), ["gift-1"]);
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_that_of_the_shelf(
            amounts in prop::collection::vec((0_i64..4, 0_i64..4), 1..12), turn in 0_usize..12,
        ) {
            let gifts: Vec<_> = (1_u128..).zip(amounts).map(|(id, (cost, value))| {
                gift(id, &json!({ "cost_minor": cost, "perceived_value_minor": value }))
            }).collect();
            let mut turned = gifts.clone();
            turned.rotate_left(turn % gifts.len());
            let wish = wish(9, "2026-07-01", None);
            let found = wish.suggestions(&shelf(gifts));
            prop_assert_eq!(&found, &wish.suggestions(&shelf(turned)));
            for pair in found.windows(2) {
                let weight = |a: &GiftSuggestion, b: &GiftSuggestion| {
                    a.perceived_value_minor.get() * b.cost_minor.get()
                };
                prop_assert!(weight(&pair[0], &pair[1]) >= weight(&pair[1], &pair[0]));
            }
        }
    }
}
