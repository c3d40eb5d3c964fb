//! Simulation: what a policy would have set aside for given sales, before it counts.

use super::{
    accrual::{PaidLine, PaidOrder},
    policy::AllowancePolicyDetails,
};
use crate::{
    ids::OrderLineId,
    lists::list_of,
    money::Minor,
    refusal::{Kind, Rule},
    text::Bilingual,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The most order lines of one simulation: some seconds' work, and a year of a busy dealer.
pub const MOST_SIMULATED_LINES: usize = 100_000;

/// There are more sales in the period than one simulation looks at.
pub static SIMULATION_TOO_LARGE: Rule = Rule {
    code: "simulation_too_large",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many sales at once", zh: "一次模拟的订单过多" },
    detail: Bilingual {
        en: "A simulation looks at {most} order lines at most; there are more from {from_on} to {to_on}.",
        zh: "一次模拟最多 {most} 条订单明细；{from_on} 至 {to_on} 期间超过此数。",
    },
    advice: Bilingual {
        en: "Choose a shorter period, and add the totals up: each order counts on its own.",
        zh: "请缩短期间分次模拟，再将合计相加：各订单互不影响。",
    },
};

/// A sale to try a policy on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"paid_on": "2026-03-01", "lines": [{"price_minor": 10000, "cost_minor": 6000}]})))]
pub struct SimulatedOrder {
    /// The day it was paid.
    pub paid_on: CivilDate,
    /// What was sold, at most 200 lines.
    #[serde(deserialize_with = "list_of::<0, 200, _, _>")]
    #[schema(max_items = 200)]
    pub lines: Vec<SimulatedLine>,
}

/// One line of a sale to try a policy on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedLine {
    /// What was paid for the whole line.
    pub price_minor: Minor,
    /// What the whole line has cost; null when it is not known.
    #[serde(default)]
    pub cost_minor: Option<Minor>,
}

/// What a policy would have done by the end of a day, in minor units, if nothing had been spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct SimulatedTotals {
    /// What would have been set aside: pending and released together.
    pub accrued_minor: i64,
    /// What would be released later.
    pub pending_minor: i64,
    /// What would have been released: expired and remaining together.
    pub released_minor: i64,
    /// What would have expired.
    pub expired_minor: i64,
    /// What would be there to be spent.
    pub remaining_minor: i64,
    /// On how many order lines something would have been set aside.
    pub earning_lines: u64,
    /// How many lots that would be.
    pub lots: u64,
}

impl SimulatedOrder {
    /// The sale as a policy sees it, paid at the beginning of its day in `zone`.
    pub fn paid(&self, zone: Zone) -> PaidOrder {
        // Nothing is kept, so lines need no identifiers of their own.
        let nobodys = OrderLineId::from(Uuid::nil());
        let line = |line: &SimulatedLine| PaidLine {
            order_line_id: nobodys,
            price: line.price_minor,
            margin: line.cost_minor.map(|cost| line.price_minor.less(cost)),
        };
        PaidOrder {
            lines: self.lines.iter().map(line).collect(),
            seller_id: None,
            paid_at: self.paid_on.at(WallTime::MIDNIGHT, zone),
            earned_before: Minor::ZERO,
        }
    }
}

impl AllowancePolicyDetails {
    /// What it would have done with `orders` until `now`, if nothing had been spent.
    pub fn simulate(&self, orders: &[PaidOrder], now: Timestamp) -> SimulatedTotals {
        let mut totals = SimulatedTotals::default();
        for order in orders {
            for earning in self.earnings(order) {
                let parts = self.parts(&earning, order.paid_at);
                let earns = u64::from(!parts.is_empty());
                totals.earning_lines = totals.earning_lines.saturating_add(earns);
                for part in parts {
                    let is_over = part.expires_at.is_some_and(|at| at <= now);
                    totals.count(part.amount, part.active_from <= now, is_over);
                }
            }
        }
        totals
    }
}

impl SimulatedTotals {
    fn count(&mut self, amount: Minor, is_released: bool, is_over: bool) {
        let add = |sum: &mut i64| *sum = sum.saturating_add(amount.get());
        self.lots = self.lots.saturating_add(1);
        add(&mut self.accrued_minor);
        if !is_released {
            return add(&mut self.pending_minor);
        }
        add(&mut self.released_minor);
        add(if is_over { &mut self.expired_minor } else { &mut self.remaining_minor });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::{at, minor};
    use serde_json::{from_value, json};

    fn policy() -> AllowancePolicyDetails {
        from_value(json!({"currency": "CNY", "base": "margin", "expiry_days": 100,
            "fallback_price_bp": 200, "tiers": [{"from_minor": 0, "rate_bp": 1_000, "instalments": [
                {"share_bp": 5_000}, {"share_bp": 5_000, "offset_days": 91}]}]}))
        .unwrap()
    }

    fn simulate(orders: &[(&str, i64, Option<i64>)], now: &str) -> SimulatedTotals {
        let zone = "Asia/Shanghai".parse().unwrap();
        let order = |(on, price, cost): &(&str, i64, Option<i64>)| SimulatedOrder {
            paid_on: on.parse().unwrap(),
            lines: vec![SimulatedLine { price_minor: minor(*price), cost_minor: cost.map(minor) }],
        };
        let orders: Vec<_> = orders.iter().map(|one| order(one).paid(zone)).collect();
        policy().simulate(&orders, at(now))
    }

    #[test]
    fn a_sale_is_set_aside_released_and_expires_on_its_days() {
        let sale = [("2026-01-01", 20_000, Some(10_000))];
        let totals = |now| {
            let it = simulate(&sale, now);
            (
                it.accrued_minor,
                it.pending_minor,
                it.released_minor,
                it.expired_minor,
                it.remaining_minor,
            )
        };
        assert_eq!(totals("2026-01-02T00:00:00Z"), (1_000, 500, 500, 0, 500));
        // Midnight in Shanghai is 16:00 UTC of the day before.
        assert_eq!(totals("2026-04-01T15:59:59Z"), (1_000, 500, 500, 0, 500));
        assert_eq!(totals("2026-04-01T16:00:00Z"), (1_000, 0, 1_000, 0, 1_000));
        assert_eq!(totals("2026-04-10T16:00:00Z"), (1_000, 0, 1_000, 500, 500));
        assert_eq!(totals("2026-07-10T16:00:00Z"), (1_000, 0, 1_000, 1_000, 0));
    }

    #[test]
    fn what_earns_nothing_is_not_counted() {
        let totals = simulate(
            &[("2026-01-01", 100, Some(100)), ("2026-01-01", 10_000, None)],
            "2026-01-02T00:00:00Z",
        );
        assert_eq!((totals.accrued_minor, totals.earning_lines, totals.lots), (200, 1, 1));
    }
}
