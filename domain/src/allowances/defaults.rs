//! Defaults: what a brand begins with, until it says something else.
//!
//! Shares and the ladder are those of the ideas the service is built on; where they leave a number open, the number is our
//! own proposal.

use super::{
    authority::{AuthorityLimitDetails, GestureCount},
    gestures::GestureKind,
    guard::GestureRulesDetails,
    lots::LotPurpose,
    policy::{AllowanceBase, AllowancePolicyDetails},
    tiers::{AllowanceInstalment, AllowanceTier, AllowanceTiers, LotExpiryDays, OffsetDays},
};
use crate::{
    identity::Role,
    invalid::Invalid,
    money::{BasisPoints, Currency, Minor},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a brand begins with in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AllowanceDefaults {
    /// How allowances are earned.
    pub policy: AllowancePolicyDetails,
    /// Who may give how much.
    pub limits: Vec<AuthorityLimitDetails>,
    /// How heavy gifts may be.
    pub rules: GestureRulesDetails,
}

impl AllowanceDefaults {
    /// What a brand begins with in `currency`. Amounts are whole units of it.
    ///
    /// # Errors
    ///
    /// None that can happen: the numbers are checked like anybody's, and they stand here.
    pub fn of(currency: Currency) -> Result<Self, Invalid> {
        Ok(Self { policy: policy(currency)?, limits: limits(currency)?, rules: rules(currency)? })
    }
}

/// Of a margin below 300 up to a quarter, of 300 to 3 000 a tenth, above that a twentieth: in quarterly gifts and a part
/// that is kept for something personal. Below 10 there is nothing for things: a call and a greeting cost nothing.
fn policy(currency: Currency) -> Result<AllowancePolicyDetails, Invalid> {
    let tier = |from: i64, rate_bp: u32, instalments: Vec<AllowanceInstalment>| {
        let tangible_allowed = from > 0;
        let (from_minor, rate_bp) = (units(currency, from)?, BasisPoints::new(rate_bp)?);
        Ok(AllowanceTier { from_minor, to_minor: None, rate_bp, tangible_allowed, instalments })
    };
    let part = |share_bp, days, purpose| {
        let (share_bp, offset_days) = (BasisPoints::new(share_bp)?, OffsetDays::new(days)?);
        Ok(AllowanceInstalment { share_bp, offset_days, purpose })
    };
    let by_quarter = vec![
        part(1_666, 0, LotPurpose::Gift)?,
        part(1_666, 91, LotPurpose::Gift)?,
        part(1_666, 182, LotPurpose::Gift)?,
        part(1_666, 273, LotPurpose::Gift)?,
        part(3_336, 0, LotPurpose::Personalised)?,
    ];
    let tiers = vec![
        tier(0, 2_500, Vec::new())?,
        tier(10, 2_500, Vec::new())?,
        tier(300, 1_000, Vec::new())?,
        tier(3_000, 500, by_quarter)?,
    ];
    Ok(AllowancePolicyDetails {
        currency,
        base: AllowanceBase::Margin,
        tiers: AllowanceTiers::new(tiers)?,
        fallback_price_bp: BasisPoints::new(200)?,
        least_per_order_minor: Minor::ZERO,
        most_per_order_minor: None,
        expiry_days: Some(LotExpiryDays::new(365)?),
    })
}

/// The ladder: clerk, manager, owner, and the brand above. A penalty is waived by a manager or higher.
fn limits(currency: Currency) -> Result<Vec<AuthorityLimitDetails>, Invalid> {
    let of = |amount| units(currency, amount);
    let limit = |role, kind, (request, day, customer): (i64, i64, i64)| {
        Ok(AuthorityLimitDetails {
            kind,
            per_day_minor: Some(of(day)?),
            per_customer_month_minor: Some(of(customer)?),
            ..AuthorityLimitDetails::of_role(role, currency, of(request)?)
        })
    };
    let waiver = Some(GestureKind::PenaltyWaiver);
    Ok(vec![
        limit(Role::Clerk, None, (50, 300, 120))?,
        limit(Role::SupportAgent, None, (50, 300, 120))?,
        limit(Role::Manager, None, (300, 2_000, 600))?,
        limit(Role::Owner, None, (2_000, 10_000, 4_000))?,
        AuthorityLimitDetails {
            unlimited: true,
            ..AuthorityLimitDetails::of_role(Role::BrandAdmin, currency, Minor::ZERO)
        },
        limit(Role::Clerk, waiver, (0, 0, 0))?,
        limit(Role::SupportAgent, waiver, (0, 0, 0))?,
        limit(Role::Manager, waiver, (500, 2_000, 500))?,
    ])
}

/// A gift of up to 50, and half of what is set aside beyond a small one of 20; once a month, and a tenth more than was
/// estimated is no matter.
fn rules(currency: Currency) -> Result<GestureRulesDetails, Invalid> {
    Ok(GestureRulesDetails {
        currency,
        most_gift_minor: Some(units(currency, 50)?),
        most_gift_share_bp: Some(BasisPoints::new(5_000)?),
        small_gift_minor: units(currency, 20)?,
        gifts_per_customer_year: Some(GestureCount::new(12)?),
        tolerance_bp: BasisPoints::new(1_000)?,
    })
}

/// So many whole units of a currency.
fn units(currency: Currency, whole: i64) -> Result<Minor, Invalid> {
    Minor::new(whole.saturating_mul(currency.minor_units()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::{
        authority::AuthorityLimit,
        examples::{at, id, minor},
    };

    #[test]
    fn the_defaults_are_what_a_brand_could_write_itself() {
        for currency in [Currency::CNY, Currency::USD, "JPY".parse().unwrap()] {
            let defaults = AllowanceDefaults::of(currency).unwrap();
            let written = serde_json::to_value(&defaults.policy).unwrap();
            assert_eq!(
                serde_json::from_value::<AllowancePolicyDetails>(written).unwrap(),
                defaults.policy
            );
            for limit in defaults.limits {
                let now = at("2026-01-01T00:00:00Z");
                assert!(AuthorityLimit::set(id(1), limit, now).is_ok());
            }
        }
    }

    #[test]
    fn whole_units_have_as_many_parts_as_the_currency_says() {
        let first = |currency: &str| {
            let defaults = AllowanceDefaults::of(currency.parse().unwrap()).unwrap();
            defaults.rules.most_gift_minor.unwrap()
        };
        assert_eq!(first("CNY"), minor(5_000));
        assert_eq!(first("JPY"), minor(50));
    }

    #[test]
    fn of_40_yuan_on_a_skirt_10_are_set_aside_and_of_6_000_on_a_car_300() {
        let tiers = AllowanceDefaults::of(Currency::CNY).unwrap().policy.tiers;
        assert_eq!(tiers.share(minor(4_000)), minor(1_000));
        assert_eq!(tiers.share(minor(600_000)), minor(30_000));
    }
}
