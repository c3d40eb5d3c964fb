//! Tiers: from which amount on which share is set aside, for what, and in which instalments.

use super::lots::LotPurpose;
use crate::{
    invalid::Invalid,
    money::{BasisPoints, Minor},
    number::whole_numbers,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, ops::Deref};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, Ref, RefOr, Schema},
};

/// A policy that needs more tiers than this is not understood by the people who live by it.
const MOST_TIERS: usize = 20;

/// Two years of monthly instalments.
const MOST_INSTALMENTS: usize = 24;

/// All of it, in basis points.
const WHOLE_BP: u32 = 10_000;

whole_numbers! {
    /// In how many days something expires: ten years are longer than what is sold with a service usually
    /// lasts.
    LotExpiryDays = 1 to 3650, "A number of days.", 365;
    /// How many days after the payment an instalment is released.
    OffsetDays = 0 to 3650, "A number of days.", 91;
}

/// From an amount on, a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowanceTier {
    /// The smallest amount of an order line that takes this rate.
    pub from_minor: Minor,
    /// The amount from which the next tier's rate applies. It may be left out; when it is given, it is
    /// where the next tier begins, and the last tier has none.
    #[serde(default)]
    pub to_minor: Option<Minor>,
    /// The share that is set aside.
    pub rate_bp: BasisPoints,
    /// Whether it may buy things. Where margins are thin, service costs nothing.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub tangible_allowed: bool,
    /// In which parts it is released, and for what; all at once and for whatever does good when empty. At
    /// most 24, and their shares make up the whole.
    #[serde(default, deserialize_with = "whole_instalments")]
    #[schema(max_items = 24)]
    pub instalments: Vec<AllowanceInstalment>,
}

/// A part of what a line has earned, released on a day of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowanceInstalment {
    /// Its share of what the line has earned.
    pub share_bp: BasisPoints,
    /// How many days after the payment it is released; 0: with the payment.
    #[serde(default)]
    #[schema(default = 0)]
    pub offset_days: OffsetDays,
    /// What it may be spent on.
    #[serde(default)]
    pub purpose: LotPurpose,
}

/// The tiers of a policy: 1 to 20, each beginning above the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AllowanceTiers(Vec<AllowanceTier>);

impl Default for OffsetDays {
    fn default() -> Self {
        Self::LEAST
    }
}

fn yes() -> bool {
    true
}

/// Reads instalments that are none, or make up the whole.
fn whole_instalments<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Vec<AllowanceInstalment>, D::Error> {
    let instalments = Vec::<AllowanceInstalment>::deserialize(input)?;
    if instalments.len() > MOST_INSTALMENTS {
        let message = format!("expected at most {MOST_INSTALMENTS} instalments");
        let chinese = format!("最多 {MOST_INSTALMENTS} 期");
        let invalid = Invalid::new("too_many_instalments", message).in_chinese(chinese);
        return Err(D::Error::custom(invalid));
    }
    let shares = instalments.iter().map(|one| one.share_bp.get());
    let sum = shares.fold(0, u32::saturating_add);
    if instalments.is_empty() || sum == WHOLE_BP {
        return Ok(instalments);
    }
    let message = format!("expected the shares to make up {WHOLE_BP} basis points, not {sum}");
    let chinese = format!("各期比例之和应为 {WHOLE_BP} 个基点，而不是 {sum}");
    Err(D::Error::custom(Invalid::new("instalments_not_whole", message).in_chinese(chinese)))
}

impl AllowanceTier {
    /// Splits what a line has earned into its instalments, in order. The parts make up the whole: each is
    /// rounded down, and the last takes what is left.
    pub fn parts(&self, earned: Minor) -> Vec<(AllowanceInstalment, Minor)> {
        let Some((last, others)) = self.instalments.split_last() else {
            return vec![(AllowanceInstalment::WHOLE, earned)];
        };
        let mut left = earned;
        let mut parts: Vec<_> = others
            .iter()
            .map(|one| {
                let part = earned.floor_share(one.share_bp.get());
                left = left.less(part);
                (*one, part)
            })
            .collect();
        parts.push((*last, left));
        parts
    }
}

impl AllowanceInstalment {
    /// All of it at once, for whatever does good.
    pub(super) const WHOLE: Self = Self {
        share_bp: BasisPoints::WHOLE,
        offset_days: OffsetDays::LEAST,
        purpose: LotPurpose::Any,
    };
}

impl AllowanceTiers {
    /// Checks the tiers of a policy.
    ///
    /// # Errors
    ///
    /// `wrong_number_of_tiers` for none and for more than 20; `tiers_out_of_order` when one does not
    /// begin above the one before; `tiers_overlap` and `tiers_gapped` when one ends elsewhere than the next
    /// begins.
    pub fn new(tiers: Vec<AllowanceTier>) -> Result<Self, Invalid> {
        if !(1..=MOST_TIERS).contains(&tiers.len()) {
            let message = format!("expected 1 to {MOST_TIERS} tiers");
            return Err(Invalid::new("wrong_number_of_tiers", message)
                .in_chinese(format!("应有 1 至 {MOST_TIERS} 个档位")));
        }
        if !tiers.is_sorted_by(|one, next| one.from_minor < next.from_minor) {
            let message = "expected each tier to begin above the one before";
            return Err(Invalid::new("tiers_out_of_order", message)
                .in_chinese("每个档位的起点应高于前一档"));
        }
        let begins = tiers.iter().skip(1).map(|tier| Some(tier.from_minor));
        for (tier, next) in tiers.iter().zip(begins.chain([None])) {
            check_end(tier, next)?;
        }
        Ok(Self(tiers))
    }

    /// The tier that `amount` reaches; nothing below the first.
    pub fn reached(&self, amount: Minor) -> Option<&AllowanceTier> {
        self.0.iter().rfind(|tier| tier.from_minor <= amount)
    }

    /// The share of `amount` that is set aside.
    pub fn share(&self, amount: Minor) -> Minor {
        self.reached(amount).map_or(Minor::ZERO, |tier| amount.share(tier.rate_bp.get()))
    }
}

/// A tier ends where the next one begins, and the last one does not end.
fn check_end(tier: &AllowanceTier, next: Option<Minor>) -> Result<(), Invalid> {
    let Some(end) = tier.to_minor else { return Ok(()) };
    if next.is_some_and(|next| end > next) {
        let next = next.unwrap_or_default();
        let message = format!(
            "the tier from {} ends at {end}, but the next begins at {next}",
            tier.from_minor
        );
        let chinese =
            format!("起点为 {} 的档位止于 {end}，而下一档从 {next} 开始", tier.from_minor);
        return Err(Invalid::new("tiers_overlap", message).in_chinese(chinese));
    }
    if next == Some(end) {
        return Ok(());
    }
    let begins =
        next.map_or("nothing follows".to_owned(), |next| format!("the next begins at {next}"));
    let message = format!(
        "the tier from {} ends at {end}, and {begins}: amounts between would have no rate",
        tier.from_minor
    );
    let chinese = format!("起点为 {} 的档位止于 {end}，其后的金额没有对应比例", tier.from_minor);
    Err(Invalid::new("tiers_gapped", message).in_chinese(chinese))
}

impl Deref for AllowanceTiers {
    type Target = [AllowanceTier];

    fn deref(&self) -> &[AllowanceTier] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for AllowanceTiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for AllowanceTiers {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(Ref::from_schema_name("AllowanceTier"))
            .min_items(Some(1))
            .max_items(Some(MOST_TIERS))
            .description(Some("The tiers of a policy, each beginning above the one before."))
            .into()
    }
}

impl ToSchema for AllowanceTiers {
    fn name() -> Cow<'static, str> {
        "AllowanceTiers".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AllowanceTier::name().into_owned(), AllowanceTier::schema()));
        AllowanceTier::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::{minor, tiers};
    use proptest::prelude::*;
    use serde_json::{Value, from_value, json};

    fn refused(tiers: Value) -> String {
        let message = from_value::<AllowanceTiers>(tiers).unwrap_err().to_string();
        Invalid::from_message(&message).unwrap().code
    }

    #[test]
    fn tiers_are_1_to_20_and_each_begins_above_the_one_before() {
        let rising = |count: i64| {
            let tiers: Vec<_> =
                (0..count).map(|from| json!({"from_minor": from, "rate_bp": 1})).collect();
            from_value::<AllowanceTiers>(tiers.into())
        };
        assert!(rising(1).is_ok() && rising(20).is_ok());
        assert_eq!(refused(json!([])), "wrong_number_of_tiers");
        let many: Vec<_> = (0..21).map(|from| json!({"from_minor": from, "rate_bp": 1})).collect();
        assert_eq!(refused(many.into()), "wrong_number_of_tiers");
        let twice = json!([{"from_minor": 5, "rate_bp": 1}, {"from_minor": 5, "rate_bp": 2}]);
        assert_eq!(refused(twice), "tiers_out_of_order");
    }

    #[test]
    fn tiers_neither_overlap_nor_leave_gaps() {
        let two = |end: i64, next: i64| {
            json!([{"from_minor": 0, "to_minor": end, "rate_bp": 1},
                {"from_minor": next, "rate_bp": 2}])
        };
        assert!(from_value::<AllowanceTiers>(two(100, 100)).is_ok());
        assert_eq!(refused(two(101, 100)), "tiers_overlap");
        assert_eq!(refused(two(99, 100)), "tiers_gapped");
        let ended = json!([{"from_minor": 0, "to_minor": 100, "rate_bp": 1}]);
        assert_eq!(refused(ended), "tiers_gapped");
    }

    #[test]
    fn a_rate_is_at_most_the_whole() {
        assert!(
            from_value::<AllowanceTiers>(json!([{"from_minor": 0, "rate_bp": 10_000}])).is_ok()
        );
        assert_eq!(refused(json!([{"from_minor": 0, "rate_bp": 10_001}])), "share_out_of_range");
    }

    #[test]
    fn instalments_make_up_the_whole() {
        let in_parts = |shares: &[u32]| {
            let parts: Vec<_> = shares.iter().map(|share| json!({"share_bp": share})).collect();
            json!([{"from_minor": 0, "rate_bp": 1, "instalments": parts}])
        };
        assert!(from_value::<AllowanceTiers>(in_parts(&[])).is_ok());
        assert!(from_value::<AllowanceTiers>(in_parts(&[5_000, 5_000])).is_ok());
        assert_eq!(refused(in_parts(&[5_000, 4_999])), "instalments_not_whole");
        assert_eq!(refused(in_parts(&[5_000, 5_001])), "instalments_not_whole");
        assert_eq!(refused(in_parts(&[1; 25])), "too_many_instalments");
    }

    #[test]
    fn the_whole_amount_takes_the_rate_of_the_tier_it_reaches() {
        let tiers = tiers(&[(100, 2_500), (30_000, 1_000)]);
        for (amount, share) in [(99, 0), (100, 25), (29_999, 7_500), (30_000, 3_000)] {
            assert_eq!(tiers.share(minor(amount)), minor(share), "{amount}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_of_what_was_earned_make_up_the_whole(
            earned in 0..1_000_000_i64, shares in proptest::collection::vec(0..2_000_u32, 0..5),
        ) {
            let last = WHOLE_BP.saturating_sub(shares.iter().sum());
            let parts: Vec<_> =
                shares.iter().chain([&last]).map(|share| json!({"share_bp": share})).collect();
            let tier: AllowanceTier = from_value(
                json!({"from_minor": 0, "rate_bp": 1, "instalments": parts})).unwrap();
            let sum: i64 = tier.parts(minor(earned)).iter().map(|(_, part)| part.get()).sum();
            prop_assert_eq!(sum, earned);
        }
    }
}
