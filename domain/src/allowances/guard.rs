//! The guard against heavy gifts: small gifts, often, do a customer good; one heavy gift makes them
//! suspicious, whoever grants it.

use super::{
    authority::{GestureCount, GestureLimit, LimitFailure},
    gestures::Given,
};
use crate::{
    change::Change,
    ids::GestureRulesId,
    money::{BasisPoints, Currency, Minor},
    record::{Record, Version},
    refusal::{Kind, Rule},
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A gift is heavier than the brand's gifts are.
pub static HEAVY_GIFT: Rule = Rule {
    code: "heavy_gift",
    kind: Kind::Conflict,
    title: Bilingual { en: "The gift is too heavy", zh: "礼物过重" },
    detail: Bilingual {
        en: "{asked} is beyond what one gift may be ({beyond}): a heavy gift makes a customer suspicious, whoever grants it.",
        zh: "{asked} 超出单份礼物的上限（{beyond}）：礼物过重会让客户起疑，任何级别都不能放行。",
    },
    advice: Bilingual {
        en: "Give less, and more often: `failed_limits` has the numbers. Or do something for the customer instead.",
        zh: "请改为小礼常送，具体数字见 `failed_limits`；也可改为提供个性化服务。",
    },
};

/// A customer was given gifts often enough this year.
pub static GIFTS_TOO_OFTEN: Rule = Rule {
    code: "gifts_too_often",
    kind: Kind::Conflict,
    title: Bilingual { en: "Enough gifts this year", zh: "今年礼物次数已满" },
    detail: Bilingual {
        en: "The customer was given as many gifts this year as the brand gives.",
        zh: "该客户今年获赠礼物的次数已达品牌设定的上限。",
    },
    advice: Bilingual {
        en: "Do something for the customer that is not a thing; a call and a greeting count too.",
        zh: "请改为提供非实物的服务；一个电话、一句问候同样有价值。",
    },
};

/// What the brand says about gestures in one currency, whoever grants them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "gru_01m80t7jx3e9vbq2f4c6d8g0hk", "currency": "CNY", "most_gift_minor": 5000,
    "most_gift_share_bp": 5000, "small_gift_minor": 2000, "gifts_per_customer_year": 12, "tolerance_bp": 1000,
    "created_at": "2026-11-22T09:30:00Z", "version": 1})))]
pub struct GestureRules {
    /// The identifier.
    pub id: GestureRulesId,
    /// What they say.
    #[serde(flatten)]
    pub details: GestureRulesDetails,
    /// When they were set.
    pub created_at: Timestamp,
    /// How often they were changed.
    pub version: Version,
}

/// What a brand says about gestures in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"currency": "CNY", "most_gift_minor": 5000, "most_gift_share_bp": 5000,
    "small_gift_minor": 2000, "gifts_per_customer_year": 12, "tolerance_bp": 1000})))]
pub struct GestureRulesDetails {
    /// The currency of the amounts; there is one set of rules for each.
    pub currency: Currency,
    /// The most that one thing may cost. Exactly this much is allowed; `null`: no such limit.
    #[serde(default)]
    pub most_gift_minor: Option<Minor>,
    /// The largest share that one thing may take of what is set aside for the customer and not spent yet; `null`: no
    /// such limit.
    #[serde(default)]
    pub most_gift_share_bp: Option<BasisPoints>,
    /// Up to this much a thing is small, and the share does not matter.
    #[serde(default)]
    pub small_gift_minor: Minor,
    /// How many things one customer may be given in a calendar year of the brand's time zone; `null`: as many as
    /// the allowance pays for.
    #[serde(default)]
    pub gifts_per_customer_year: Option<GestureCount>,
    /// By which share a gesture may cost more than was estimated without a new approval, if the money is there.
    #[serde(default)]
    pub tolerance_bp: BasisPoints,
}

impl GestureRules {
    /// Sets the rules for a currency.
    pub fn set(id: GestureRulesId, details: GestureRulesDetails, now: Timestamp) -> Change<Self> {
        Change::created(Self { id, details, created_at: now, version: Version::FIRST })
    }

    /// Sets them differently. They count for every gesture that is asked for from now on.
    pub fn amend(self, details: GestureRulesDetails) -> Change<Self> {
        Change::edit("amend", &self, |it| it.details = details)
    }
}

impl GestureRulesDetails {
    /// No rules at all.
    pub fn none(currency: Currency) -> Self {
        Self {
            currency,
            most_gift_minor: None,
            most_gift_share_bp: None,
            small_gift_minor: Minor::ZERO,
            gifts_per_customer_year: None,
            tolerance_bp: BasisPoints::default(),
        }
    }

    /// What stands against it when what is `given` costs `amount`, `set_aside` is there for the
    /// customer and they were given so many gifts this year.
    pub fn judge(
        &self,
        given: Given,
        amount: Minor,
        set_aside: Minor,
        gifts_this_year: u32,
    ) -> Vec<LimitFailure> {
        if !given.tangible || amount == Minor::ZERO {
            return Vec::new();
        }
        let zero = Minor::ZERO;
        let heavy = self.most_gift_minor.filter(|most| amount > *most);
        let heavy = heavy.map(|most| LimitFailure::amount(GestureLimit::GiftWeight, most, zero));
        let share = self
            .most_gift_share_bp
            .map(|share| set_aside.floor_share(share.get()).max(self.small_gift_minor));
        let share = share.filter(|most| amount > *most);
        let share = share.map(|most| LimitFailure::amount(GestureLimit::GiftShare, most, zero));
        let often = self.gifts_per_customer_year.map(GestureCount::get);
        let often = often.filter(|most| gifts_this_year >= *most);
        let often = often
            .map(|most| LimitFailure::count(GestureLimit::GiftsPerYear, most, gifts_this_year));
        heavy.into_iter().chain(share).chain(often).collect()
    }

    /// What a gesture may cost without a new approval, when `estimate` was approved.
    pub fn tolerated(&self, estimate: Minor) -> Minor {
        estimate.plus(estimate.floor_share(self.tolerance_bp.get()))
    }
}

impl Record for GestureRules {
    type Id = GestureRulesId;

    fn id(&self) -> GestureRulesId {
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
mod tests {
    use super::*;
    use crate::allowances::{examples::minor, gestures::GestureKind};

    fn rules() -> GestureRulesDetails {
        GestureRulesDetails {
            most_gift_minor: Some(minor(5_000)),
            most_gift_share_bp: Some(BasisPoints::new(5_000).unwrap()),
            small_gift_minor: minor(2_000),
            gifts_per_customer_year: Some(GestureCount::new(4).unwrap()),
            tolerance_bp: BasisPoints::new(1_000).unwrap(),
            ..GestureRulesDetails::none(Currency::CNY)
        }
    }

    fn beyond(kind: GestureKind, amount: i64, set_aside: i64, gifts: u32) -> Vec<GestureLimit> {
        let failures = rules().judge(Given::of(kind), minor(amount), minor(set_aside), gifts);
        failures.iter().map(|failure| failure.limit).collect()
    }

    #[test]
    fn a_gift_is_light_in_itself_and_beside_what_is_set_aside() {
        let gift = |amount, set_aside| beyond(GestureKind::Gift, amount, set_aside, 0);
        assert_eq!(gift(5_000, 10_000), []);
        assert_eq!(gift(5_001, 20_000), [GestureLimit::GiftWeight]);
        assert_eq!(gift(5_000, 9_999), [GestureLimit::GiftShare]);
        assert_eq!(gift(5_001, 9_999), [GestureLimit::GiftWeight, GestureLimit::GiftShare]);
        assert_eq!(gift(2_000, 2_000), [], "a small gift may take all of it");
        assert_eq!(gift(2_001, 2_001), [GestureLimit::GiftShare]);
    }

    #[test]
    fn gifts_are_counted_over_the_year() {
        assert_eq!(beyond(GestureKind::HookFavour, 100, 10_000, 3), []);
        assert_eq!(beyond(GestureKind::HookFavour, 100, 10_000, 4), [GestureLimit::GiftsPerYear]);
        assert_eq!(beyond(GestureKind::Gift, 0, 0, 4), [], "what costs nothing is always welcome");
    }

    #[test]
    fn what_is_no_thing_is_not_heavy() {
        for kind in [
            GestureKind::PersonalisedService,
            GestureKind::GoodwillCredit,
            GestureKind::PenaltyWaiver,
            GestureKind::ReferralReward,
        ] {
            assert_eq!(beyond(kind, 100_000, 100_000, 9), [], "{kind:?}");
        }
    }

    #[test]
    fn a_cost_may_be_a_little_more_than_was_estimated() {
        assert_eq!(rules().tolerated(minor(5_009)), minor(5_509));
        assert_eq!(GestureRulesDetails::none(Currency::CNY).tolerated(minor(5_000)), minor(5_000));
    }
}
