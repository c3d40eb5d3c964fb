//! Money in minor units, and shares of it in basis points.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// Ten thousand basis points are the whole.
pub const WHOLE_BP: u32 = 10_000;

/// The largest amount, in minor units: beyond any sale, and safe to add up a billion times in 128 bits
/// and to carry in a JavaScript number.
pub const MOST_MINOR: i64 = 1_000_000_000_000_000;

/// A currency of ISO 4217, such as `CNY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The renminbi.
    pub const CNY: Self = Self(iso_currency::Currency::CNY);
    /// The United States dollar.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// How many minor units make a whole one: 100 fen a yuan; 1 where the currency has no parts.
    pub fn minor_units(self) -> i64 {
        let digits = self.0.exponent().unwrap_or_default();
        10_i64.saturating_pow(u32::from(digits))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        iso_currency::Currency::from_code(text).map(Self).ok_or_else(|| {
            Invalid::new("unknown_currency", "expected a currency of ISO 4217, such as CNY")
                .in_chinese("应为 ISO 4217 货币代码，例如 CNY")
        })
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("A currency of ISO 4217."))
            .examples(["CNY"])
            .into()
    }
}

impl ToSchema for Currency {
    fn name() -> Cow<'static, str> {
        "Currency".into()
    }
}

/// An amount in minor units (fen, cents), never negative, at most [`MOST_MINOR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Minor(i64);

impl Minor {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest there is.
    pub const MOST: Self = Self(MOST_MINOR);

    /// An amount.
    ///
    /// # Errors
    ///
    /// `amount_out_of_range` below zero and above [`MOST_MINOR`].
    pub fn new(amount_minor: i64) -> Result<Self, Invalid> {
        if (0..=MOST_MINOR).contains(&amount_minor) {
            return Ok(Self(amount_minor));
        }
        let message = format!("expected 0 to {MOST_MINOR} minor units");
        Err(Invalid::new("amount_out_of_range", message)
            .in_chinese(format!("应为 0 至 {MOST_MINOR}，以最小货币单位计")))
    }

    /// The number of minor units.
    pub fn get(self) -> i64 {
        self.0
    }

    /// The sum; stays at [`MOST_MINOR`].
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(MOST_MINOR))
    }

    /// What is left after `other` is taken; nothing when `other` is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// The amount after a `change`; stays between nothing and [`MOST_MINOR`].
    #[must_use]
    pub(crate) fn changed(self, change: i64) -> Self {
        Self(self.0.saturating_add(change).clamp(0, MOST_MINOR))
    }

    /// The amount `count` times; stays at [`MOST_MINOR`].
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(count)).min(MOST_MINOR))
    }

    /// `share_bp` basis points of the amount, rounded half to even (banker's rounding, so that many
    /// small shares do not drift upwards).
    #[must_use]
    #[expect(clippy::integer_division, reason = "the remainder is looked at right after")]
    pub fn share(self, share_bp: u32) -> Self {
        const WHOLE: i128 = 10_000;
        let product = i128::from(self.0).saturating_mul(i128::from(share_bp));
        let (quotient, rest) = (product / WHOLE, product % WHOLE);
        let up = match rest.saturating_mul(2).cmp(&WHOLE) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => quotient % 2,
            std::cmp::Ordering::Greater => 1,
        };
        let rounded = i64::try_from(quotient.saturating_add(up)).unwrap_or(MOST_MINOR);
        Self(rounded.min(MOST_MINOR))
    }

    /// `share_bp` basis points of the amount, rounded down: a part of what is split up, whose rest goes to
    /// another part.
    #[must_use]
    #[expect(clippy::integer_division, reason = "the rest goes to another part")]
    pub fn floor_share(self, share_bp: u32) -> Self {
        let product = i128::from(self.0).saturating_mul(i128::from(share_bp));
        Self(i64::try_from(product / 10_000).unwrap_or(MOST_MINOR).min(MOST_MINOR))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Minor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(MOST_MINOR))
            .description(Some("An amount in minor units (fen, cents)."))
            .examples([29_900])
            .into()
    }
}

impl ToSchema for Minor {
    fn name() -> Cow<'static, str> {
        "Minor".into()
    }
}

/// An amount of a currency: 299.00 yuan are `{"amount": 29900, "currency": "CNY"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units (fen, cents), never negative.
    pub amount: Minor,
    /// The currency, by its ISO 4217 code.
    pub currency: Currency,
}

/// A share in basis points: 500 are 5 %. From 0 to 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct BasisPoints(u32);

impl BasisPoints {
    /// All of it.
    pub const WHOLE: Self = Self(WHOLE_BP);

    /// A share.
    ///
    /// # Errors
    ///
    /// `share_out_of_range` above the whole.
    pub fn new(share_bp: u32) -> Result<Self, Invalid> {
        if share_bp <= WHOLE_BP {
            return Ok(Self(share_bp));
        }
        Err(Invalid::new("share_out_of_range", "expected 0 to 10000 basis points")
            .in_chinese("应为 0 至 10000 个基点"))
    }

    /// The number of basis points.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for BasisPoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for BasisPoints {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(WHOLE_BP))
            .description(Some("A share in basis points: 500 are 5 %."))
            .examples([1_000])
            .into()
    }
}

impl ToSchema for BasisPoints {
    fn name() -> Cow<'static, str> {
        "BasisPoints".into()
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the test counts in numbers that fit")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minor(amount: i64) -> Minor {
        Minor::new(amount).unwrap()
    }

    #[test]
    fn half_a_unit_goes_to_the_even_neighbour() {
        assert_eq!(minor(25).share(1_000), minor(2));
        assert_eq!(minor(35).share(1_000), minor(4));
        assert_eq!(minor(26).share(1_000), minor(3));
        assert_eq!(minor(4_000).share(2_500), minor(1_000));
    }

    #[test]
    fn amounts_are_never_negative() {
        assert_eq!(Minor::new(-1).unwrap_err().code, "amount_out_of_range");
        assert!(Minor::new(MOST_MINOR + 1).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount": 1.5, "currency": "CNY"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount": 1, "currency": "XYZ"}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_share_is_within_half_a_unit_and_never_more_than_the_whole(
            amount in 0..=MOST_MINOR, share_bp in 0..=WHOLE_BP,
        ) {
            let share = minor(amount).share(share_bp);
            prop_assert!(share <= minor(amount));
            let exact = i128::from(amount) * i128::from(share_bp);
            let off = (i128::from(share.get()) * i128::from(WHOLE_BP) - exact).abs();
            prop_assert!(off * 2 <= i128::from(WHOLE_BP));
        }
    }
}
