//! Accruals: what a paid order line earns for service to its customer.

use super::{
    accounts::EntryReason,
    ledger::{Ledger, Posting},
    lots::{AllowanceLot, AllowanceLotState},
    policy::{AllowanceBase, AllowancePolicyDetails},
    tiers::{AllowanceInstalment, AllowanceTier},
};
use crate::{
    ids::{AllowanceLotId, DealerId, OrderLineId},
    money::Minor,
    record::Version,
    time::Timestamp,
};

/// One line of a paid order, as far as allowances go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidLine {
    /// Which line.
    pub order_line_id: OrderLineId,
    /// What the customer paid for the whole line.
    pub price: Minor,
    /// What was earned on the whole line, a loss being nothing; `None` when the cost is not known.
    pub margin: Option<Minor>,
}

/// The lines of one paid order that have not earned anything yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    /// The lines.
    pub lines: Vec<PaidLine>,
    /// Who sold.
    pub seller_id: Option<DealerId>,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// What other lines of the same order have earned before.
    pub earned_before: Minor,
}

/// What one line earns, by which part of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning<'a> {
    /// The line.
    pub line: PaidLine,
    /// How much.
    pub amount: Minor,
    /// Why.
    pub reason: EntryReason,
    /// Whether it may buy things.
    pub tangible_allowed: bool,
    tier: Option<&'a AllowanceTier>,
}

/// One instalment of what a line earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarnedPart {
    /// Which, from 1.
    pub number: u32,
    /// When it is released, and for what.
    pub instalment: AllowanceInstalment,
    /// How much it comes to.
    pub amount: Minor,
    /// When it is released.
    pub active_from: Timestamp,
    /// When what is left of it expires.
    pub expires_at: Option<Timestamp>,
}

impl AllowancePolicyDetails {
    /// Sets aside what a paid `order` has earned, counting its life from the payment; `lot_id` makes an
    /// identifier for each lot.
    ///
    /// Lines that earn nothing leave no trace. A line must be given once only.
    pub fn accrue(
        &self,
        order: &PaidOrder,
        ledger: Ledger,
        mut lot_id: impl FnMut() -> AllowanceLotId,
    ) -> Posting {
        let (account_id, now) = (ledger.account().id, ledger.now());
        let mut books = ledger;
        for earning in self.earnings(order) {
            for part in self.parts(&earning, order.paid_at) {
                let lot = AllowanceLot {
                    id: lot_id(),
                    account_id,
                    order_line_id: earning.line.order_line_id,
                    instalment: part.number,
                    purpose: part.instalment.purpose,
                    tangible_allowed: earning.tangible_allowed,
                    margin_minor: earning.line.margin,
                    seller_id: order.seller_id,
                    amount_minor: part.amount,
                    remaining_minor: part.amount,
                    held_minor: Minor::ZERO,
                    spent_minor: Minor::ZERO,
                    active_from: part.active_from,
                    expires_at: part.expires_at,
                    state: AllowanceLotState::Active,
                    created_at: now,
                    version: Version::FIRST,
                };
                books = books.accrue(lot, earning.reason);
            }
        }
        books.close()
    }

    /// What each line of `order` earns: its share, within what an order earns at most and, together, at
    /// least. What is missing to the least is added to the line that earned most, up to its price; what is
    /// above the most is taken from the last lines.
    pub fn earnings(&self, order: &PaidOrder) -> Vec<Earning<'_>> {
        let mut earnings: Vec<_> = order.lines.iter().map(|line| self.share(*line)).collect();
        let sum = |earnings: &[Earning<'_>]| {
            let amounts = earnings.iter().map(|earning| earning.amount);
            amounts.fold(order.earned_before, Minor::plus)
        };
        if let Some(most) = self.most_per_order_minor {
            let mut left = most.less(order.earned_before);
            for earning in &mut earnings {
                earning.amount = earning.amount.min(left);
                left = left.less(earning.amount);
            }
        }
        let missing = self.least_per_order_minor.less(sum(&earnings));
        if missing > Minor::ZERO
            && let Some(best) = earnings.iter_mut().max_by_key(|earning| earning.amount)
        {
            let topped = best.amount.plus(missing).min(best.line.price.max(best.amount));
            if topped > best.amount {
                (best.amount, best.reason) = (topped, EntryReason::OrderMinimum);
            }
        }
        earnings
    }

    /// The instalments of what a line that was paid at `paid_at` earns, without those that come to nothing.
    /// Each lives as long as the policy says, from its own day on.
    pub fn parts(&self, earning: &Earning<'_>, paid_at: Timestamp) -> Vec<EarnedPart> {
        let parts = earning.tier.map_or_else(
            || vec![(AllowanceInstalment::WHOLE, earning.amount)],
            |tier| tier.parts(earning.amount),
        );
        let parts = (1_u32..).zip(parts).filter(|(_, (_, amount))| *amount > Minor::ZERO);
        let part = |(number, (instalment, amount)): (u32, (AllowanceInstalment, Minor))| {
            let active_from = paid_at.plus_days(i64::from(instalment.offset_days.get()));
            let life = self.expiry_days.map(|days| i64::from(days.get()));
            let expires_at = life.map(|days| active_from.plus_days(days));
            EarnedPart { number, instalment, amount, active_from, expires_at }
        };
        parts.map(part).collect()
    }

    /// What `line` earns, and by which part of the policy.
    fn share(&self, line: PaidLine) -> Earning<'_> {
        let (base, reason) = match (self.base, line.margin) {
            (AllowanceBase::Price, _) => (line.price, EntryReason::PriceShare),
            (AllowanceBase::Margin, Some(margin)) => (margin, EntryReason::MarginShare),
            (AllowanceBase::Margin, None) => {
                let amount = line.price.share(self.fallback_price_bp.get());
                let reason = EntryReason::PriceFallback;
                return Earning { line, amount, reason, tangible_allowed: true, tier: None };
            }
        };
        let tier = self.tiers.reached(base);
        let amount = tier.map_or(Minor::ZERO, |tier| base.share(tier.rate_bp.get()));
        let tangible_allowed = tier.is_none_or(|tier| tier.tangible_allowed);
        Earning { line, amount, reason, tangible_allowed, tier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::{
        examples::{account, at, id, minor},
        lots::LotPurpose,
    };
    use serde_json::{Value, from_value, json};

    const PAID: &str = "2026-03-01T10:00:00Z";

    fn details(more: &Value) -> AllowancePolicyDetails {
        let mut details = json!({"currency": "CNY", "base": "margin", "fallback_price_bp": 200,
            "expiry_days": 365, "tiers": [{"from_minor": 0, "rate_bp": 2_500},
                {"from_minor": 30_000, "rate_bp": 1_000}, {"from_minor": 300_000, "rate_bp": 500}]});
        let more = more.as_object().unwrap().clone();
        details.as_object_mut().unwrap().extend(more);
        from_value(details).unwrap()
    }

    fn line(number: u128, price: i64, margin: Option<i64>) -> PaidLine {
        PaidLine { order_line_id: id(number), price: minor(price), margin: margin.map(minor) }
    }

    fn order(lines: &[PaidLine]) -> PaidOrder {
        let earned_before = Minor::ZERO;
        PaidOrder { lines: lines.to_vec(), seller_id: None, paid_at: at(PAID), earned_before }
    }

    fn earned(details: &AllowancePolicyDetails, lines: &[PaidLine]) -> Vec<(i64, EntryReason)> {
        let order = order(lines);
        let earnings = details.earnings(&order);
        earnings.iter().map(|earning| (earning.amount.get(), earning.reason)).collect()
    }

    fn accrued(details: &AllowancePolicyDetails, order: &PaidOrder, now: &str) -> Posting {
        let mut ids = (100..).map(id);
        details.accrue(order, Ledger::open(account(0), Vec::new(), at(now)), || ids.next().unwrap())
    }

    #[test]
    fn a_skirt_with_40_yuan_of_margin_earns_10_for_service() {
        let skirt = line(1, 10_000, Some(4_000));
        assert_eq!(earned(&details(&json!({})), &[skirt]), [(1_000, EntryReason::MarginShare)]);
    }

    #[test]
    fn a_line_of_unknown_cost_earns_the_fallback_share_of_its_price_and_says_so() {
        let line = line(1, 10_000, None);
        let by_margin = details(&json!({}));
        assert_eq!(earned(&by_margin, &[line]), [(200, EntryReason::PriceFallback)]);
        let by_price = details(&json!({"base": "price"}));
        assert_eq!(earned(&by_price, &[line]), [(2_500, EntryReason::PriceShare)]);
    }

    #[test]
    fn each_line_makes_a_lot_that_lives_from_the_payment_on() {
        let lines = [line(1, 10_000, Some(4_000)), line(2, 10_000, Some(0)), line(3, 100, None)];
        let posting = accrued(&details(&json!({})), &order(&lines), "2026-03-02T00:00:00Z");
        assert_eq!(posting.account.balance_minor, minor(1_002));
        let lots: Vec<_> =
            posting.earned.iter().map(|lot| (lot.order_line_id, lot.remaining_minor)).collect();
        assert_eq!(lots, [(id(1), minor(1_000)), (id(3), minor(2))]);
        let expiry = posting.earned.iter().map(|lot| lot.expires_at);
        assert!(expiry.eq([Some(at("2027-03-01T10:00:00Z")); 2]));
        let keys: Vec<_> = posting.movements.iter().map(|line| &line.idempotency_key).collect();
        let of = |line: &PaidLine| format!("accrue:{}:1", line.order_line_id);
        assert_eq!(keys, [&of(&lines[0]), &of(&lines[2])]);
    }

    #[test]
    fn a_car_s_300_yuan_are_four_boxes_of_fruit_of_up_to_50_and_the_rest_is_personal() {
        let quarter = |day: u32| json!({"share_bp": 1_666, "offset_days": day, "purpose": "gift"});
        let parts = json!([quarter(0), quarter(91), quarter(182), quarter(273),
            {"share_bp": 3_336, "purpose": "personalised"}]);
        let details = details(&json!({"tiers": [{"from_minor": 300_000, "rate_bp": 500,
            "instalments": parts}]}));
        let car = line(1, 15_000_000, Some(600_000));
        let posting = accrued(&details, &order(&[car]), "2026-03-02T00:00:00Z");
        let lots: Vec<_> = posting
            .earned
            .iter()
            .map(|lot| (lot.instalment, lot.amount_minor.get(), lot.purpose, lot.state))
            .collect();
        let (gift, personal) = (LotPurpose::Gift, LotPurpose::Personalised);
        let (active, pending) = (AllowanceLotState::Active, AllowanceLotState::Pending);
        assert_eq!(
            lots,
            [
                (1, 4_998, gift, active),
                (2, 4_998, gift, pending),
                (3, 4_998, gift, pending),
                (4, 4_998, gift, pending),
                (5, 10_008, personal, active)
            ]
        );
        assert_eq!(posting.account.balance_minor, minor(15_006));
        assert_eq!(posting.account.pending_minor, minor(14_994));
        assert_eq!(posting.earned[1].active_from, at("2026-05-31T10:00:00Z"));
        assert_eq!(posting.earned[1].expires_at, Some(at("2027-05-31T10:00:00Z")));
    }

    #[test]
    fn an_order_earns_at_most_and_at_least() {
        let lines = [line(1, 10_000, Some(4_000)), line(2, 10_000, Some(2_000))];
        let at_most = |most: i64| details(&json!({"most_per_order_minor": most}));
        let amounts = |details: &AllowancePolicyDetails| -> Vec<i64> {
            earned(details, &lines).into_iter().map(|(amount, _)| amount).collect()
        };
        assert_eq!(amounts(&at_most(1_500)), [1_000, 500]);
        assert_eq!(amounts(&at_most(1_499)), [1_000, 499]);
        assert_eq!(amounts(&at_most(900)), [900, 0]);
        let at_least = details(&json!({"least_per_order_minor": 1_600}));
        assert_eq!(
            earned(&at_least, &lines),
            [(1_100, EntryReason::OrderMinimum), (500, EntryReason::MarginShare)]
        );
        assert_eq!(amounts(&details(&json!({"least_per_order_minor": 1_500}))), [1_000, 500]);
        let cheap = [line(1, 300, Some(100))];
        let earned = earned(&details(&json!({"least_per_order_minor": 1_000})), &cheap);
        assert_eq!(earned, [(300, EntryReason::OrderMinimum)], "never more than was paid");
    }

    #[test]
    fn what_other_lines_of_the_order_have_earned_counts_to_its_most() {
        let details = details(&json!({"most_per_order_minor": 1_500}));
        let later =
            PaidOrder { earned_before: minor(1_000), ..order(&[line(3, 10_000, Some(4_000))]) };
        let amounts: Vec<_> = details.earnings(&later).iter().map(|one| one.amount.get()).collect();
        assert_eq!(amounts, [500]);
    }

    #[test]
    fn what_a_sale_of_long_ago_has_earned_has_expired() {
        let sale = PaidOrder {
            paid_at: at("1997-01-01T00:00:00Z"),
            ..order(&[line(1, 10_000, Some(4_000))])
        };
        let posting = accrued(&details(&json!({})), &sale, "2026-03-02T00:00:00Z");
        assert_eq!(posting.account.balance_minor, Minor::ZERO);
        assert_eq!(posting.earned[0].state, AllowanceLotState::Expired);
        assert_eq!(posting.movements.len(), 2);
    }
}
