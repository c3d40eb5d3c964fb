//! Accruals: what a paid order line earns for service to its customer.

use super::{
    accounts::{AllowanceLot, AllowanceLotState, EntryReason},
    ledger::{Ledger, Posting},
    policy::{AllowanceBase, AllowancePolicy},
};
use crate::{
    ids::{AllowanceLotId, OrderLineId},
    invalid::Invalid,
    money::{BasisPoints, Minor},
    record::Version,
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, ops::Deref};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type},
};

/// A policy that needs more tiers than this is not understood by the people who live by it.
const MOST_TIERS: usize = 20;

/// Ten years: longer than what is sold with a service usually lasts.
const MOST_EXPIRY_DAYS: u32 = 3_650;

/// From an amount on, a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowanceTier {
    /// The smallest amount of an order line that takes this rate.
    pub from_minor: Minor,
    /// The share that is set aside.
    pub rate_bp: BasisPoints,
}

/// The tiers of a policy: 1 to 20, each beginning above the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AllowanceTiers(Vec<AllowanceTier>);

/// In how many days something expires: 1 to 3 650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LotExpiryDays(u32);

/// One line of a paid order, as far as allowances go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidLine {
    /// Which line.
    pub order_line_id: OrderLineId,
    /// What the customer paid for the whole line.
    pub price: Minor,
    /// What was earned on the whole line, a loss being nothing; `None` when the cost is not known.
    pub margin: Option<Minor>,
    /// The identifier of the lot that the line may earn.
    pub lot_id: AllowanceLotId,
}

impl AllowancePolicy {
    /// Sets aside what the paid `lines` have earned, counting its life from `paid_at`.
    ///
    /// Lines that earn nothing leave no trace. A line must be given once only.
    pub fn accrue(&self, lines: &[PaidLine], paid_at: Timestamp, ledger: Ledger) -> Posting {
        let expires_at =
            self.details.expiry_days.map(|days| paid_at.plus_days(i64::from(days.get())));
        lines
            .iter()
            .fold(ledger, |ledger, line| {
                let (amount, reason) = self.share(line);
                let lot = AllowanceLot {
                    id: line.lot_id,
                    account_id: ledger.account().id,
                    order_line_id: line.order_line_id,
                    amount_minor: amount,
                    remaining_minor: amount,
                    active_from: paid_at,
                    expires_at,
                    state: AllowanceLotState::Active,
                    created_at: ledger.now(),
                    version: Version::FIRST,
                };
                ledger.accrue(lot, reason)
            })
            .close()
    }

    /// What `line` earns, and by which part of the policy.
    fn share(&self, line: &PaidLine) -> (Minor, EntryReason) {
        let details = &self.details;
        match (details.base, line.margin) {
            (AllowanceBase::Price, _) => (details.tiers.share(line.price), EntryReason::PriceShare),
            (AllowanceBase::Margin, Some(margin)) => {
                (details.tiers.share(margin), EntryReason::MarginShare)
            }
            (AllowanceBase::Margin, None) => {
                (line.price.share(details.fallback_price_bp.get()), EntryReason::PriceFallback)
            }
        }
    }
}

impl AllowanceTiers {
    /// Checks the tiers of a policy.
    ///
    /// # Errors
    ///
    /// `wrong_number_of_tiers` for none and for more than 20; `tiers_out_of_order` when one does not
    /// begin above the one before.
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
        Ok(Self(tiers))
    }

    /// The share of `amount` that is set aside.
    pub fn share(&self, amount: Minor) -> Minor {
        let reached = self.0.iter().rfind(|tier| tier.from_minor <= amount);
        reached.map_or(Minor::ZERO, |tier| amount.share(tier.rate_bp.get()))
    }
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

impl LotExpiryDays {
    /// A number of days.
    ///
    /// # Errors
    ///
    /// `days_out_of_range` for none and for more than ten years.
    pub fn new(days: u32) -> Result<Self, Invalid> {
        if (1..=MOST_EXPIRY_DAYS).contains(&days) {
            return Ok(Self(days));
        }
        let message = format!("expected 1 to {MOST_EXPIRY_DAYS} days");
        Err(Invalid::new("days_out_of_range", message)
            .in_chinese(format!("应为 1 至 {MOST_EXPIRY_DAYS} 天")))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for LotExpiryDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for LotExpiryDays {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MOST_EXPIRY_DAYS))
            .description(Some("A number of days."))
            .examples([365])
            .into()
    }
}

impl ToSchema for LotExpiryDays {
    fn name() -> Cow<'static, str> {
        "LotExpiryDays".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        allowances::{
            examples::{account, at, id, minor, tiers},
            policy::AllowancePolicyDetails,
        },
        money::Currency,
    };

    fn policy(base: AllowanceBase) -> AllowancePolicy {
        let details = AllowancePolicyDetails {
            currency: Currency::CNY,
            base,
            tiers: tiers(&[(0, 2_500), (30_000, 1_000), (300_000, 500)]),
            fallback_price_bp: BasisPoints::new(200).unwrap(),
            expiry_days: Some(LotExpiryDays::new(365).unwrap()),
        };
        AllowancePolicy::draft(id(1), 1, details, at("2026-01-01T00:00:00Z")).record
    }

    fn line(number: u128, price: i64, margin: Option<i64>) -> PaidLine {
        PaidLine {
            order_line_id: id(number),
            price: minor(price),
            margin: margin.map(minor),
            lot_id: id(number),
        }
    }

    #[test]
    fn a_skirt_with_40_yuan_of_margin_earns_10_for_service() {
        let (amount, reason) = policy(AllowanceBase::Margin).share(&line(1, 10_000, Some(4_000)));
        assert_eq!((amount, reason), (minor(1_000), EntryReason::MarginShare));
    }

    #[test]
    fn the_whole_margin_takes_the_rate_of_the_tier_it_reaches() {
        let policy = policy(AllowanceBase::Margin);
        for (margin, share) in
            [(29_999, 7_500), (30_000, 3_000), (299_999, 30_000), (300_000, 15_000)]
        {
            assert_eq!(policy.share(&line(1, margin, Some(margin))).0, minor(share), "{margin}");
        }
        assert_eq!(tiers(&[(100, 1_000)]).share(minor(99)), Minor::ZERO);
    }

    #[test]
    fn a_line_of_unknown_cost_earns_the_fallback_share_of_its_price_and_says_so() {
        let line = line(1, 10_000, None);
        assert_eq!(
            policy(AllowanceBase::Margin).share(&line),
            (minor(200), EntryReason::PriceFallback)
        );
        assert_eq!(
            policy(AllowanceBase::Price).share(&line),
            (minor(2_500), EntryReason::PriceShare)
        );
    }

    #[test]
    fn each_line_makes_a_lot_that_lives_from_the_payment_on() {
        let (paid_at, now) = (at("2026-03-01T10:00:00Z"), at("2026-03-02T00:00:00Z"));
        let ledger = Ledger::open(account(0), Vec::new(), now);
        let lines = [line(1, 10_000, Some(4_000)), line(2, 10_000, Some(0)), line(3, 100, None)];
        let posting = policy(AllowanceBase::Margin).accrue(&lines, paid_at, ledger);
        assert_eq!(posting.account.balance_minor, minor(1_002));
        let lots: Vec<_> =
            posting.earned.iter().map(|lot| (lot.order_line_id, lot.remaining_minor)).collect();
        assert_eq!(lots, [(id(1), minor(1_000)), (id(3), minor(2))]);
        let expiry = posting.earned.iter().map(|lot| lot.expires_at);
        assert!(expiry.eq([Some(at("2027-03-01T10:00:00Z")); 2]));
        let keys: Vec<_> = posting.movements.iter().map(|line| &line.idempotency_key).collect();
        assert_eq!(
            keys,
            [
                &format!("accrue:{}", lines[0].order_line_id),
                &format!("accrue:{}", lines[2].order_line_id)
            ]
        );
    }

    #[test]
    fn what_a_sale_of_long_ago_has_earned_has_expired() {
        let ledger = Ledger::open(account(0), Vec::new(), at("2026-03-02T00:00:00Z"));
        let posting = policy(AllowanceBase::Margin).accrue(
            &[line(1, 10_000, Some(4_000))],
            at("1997-01-01T00:00:00Z"),
            ledger,
        );
        assert_eq!(posting.account.balance_minor, Minor::ZERO);
        assert_eq!(posting.earned[0].state, AllowanceLotState::Expired);
        assert_eq!(posting.movements.len(), 2);
    }

    #[test]
    fn tiers_are_1_to_20_and_each_begins_above_the_one_before() {
        let rising = |count: i64| {
            let rate_bp = BasisPoints::default();
            AllowanceTiers::new(
                (0..count).map(|from| AllowanceTier { from_minor: minor(from), rate_bp }).collect(),
            )
        };
        assert!(rising(1).is_ok() && rising(20).is_ok());
        assert_eq!(rising(0).unwrap_err().code, "wrong_number_of_tiers");
        assert_eq!(rising(21).unwrap_err().code, "wrong_number_of_tiers");
        let twice = r#"[{"from_minor": 5, "rate_bp": 1}, {"from_minor": 5, "rate_bp": 2}]"#;
        let mistake = serde_json::from_str::<AllowanceTiers>(twice).unwrap_err().to_string();
        assert!(mistake.starts_with("tiers_out_of_order"), "{mistake}");
    }

    #[test]
    fn an_allowance_lives_for_1_day_to_10_years() {
        assert!(LotExpiryDays::new(1).is_ok() && LotExpiryDays::new(3_650).is_ok());
        assert_eq!(LotExpiryDays::new(0).unwrap_err().code, "days_out_of_range");
        assert_eq!(LotExpiryDays::new(3_651).unwrap_err().code, "days_out_of_range");
    }
}
