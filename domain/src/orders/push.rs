//! What a brand says about a sale, new or known.

use super::{Mentioned, NewOrderIds, OrderDetails, OrderLine, OrderStatus, Sale, SalesOrder};
use crate::{
    catalogue::Product,
    change::Change,
    event::Event,
    ids::OrderLineId,
    pushes::{Pushed, check_day},
    record::Version,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
    time::{CivilDate, Timestamp},
};

/// What may change about a sale that is paid: where it is served and what was handed over by it.
const FREE_FIELDS: [&str; 2] = ["site_id", "asset_ids"];

impl Sale {
    /// Records a sale, paid or not. A paid one announces it.
    ///
    /// # Errors
    ///
    /// [`ORDER_WITHOUT_LINES`](super::ORDER_WITHOUT_LINES), [`ORDER_TOO_LONG`](super::ORDER_TOO_LONG),
    /// [`ASSET_OF_ANOTHER_CUSTOMER`](crate::catalogue::ASSET_OF_ANOTHER_CUSTOMER),
    /// [`pushes::SITE_OF_ANOTHER_DEALER`](crate::pushes::SITE_OF_ANOTHER_DEALER),
    /// [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN).
    pub fn place(
        ids: NewOrderIds,
        details: OrderDetails,
        mentioned: Mentioned<'_>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check(mentioned)?;
        let lines = details.record_lines(ids.order, ids.lines, mentioned.products);
        let order = SalesOrder {
            id: ids.order,
            source: details.source,
            external_id: details.external_id,
            customer_id: details.customer_id,
            dealer_id: details.dealer_id,
            site_id: details.site_id,
            asset_ids: details.asset_ids,
            currency: details.currency,
            status: OrderStatus::Quoted,
            paid_on: None,
            delivered_on: None,
            refunded_on: None,
            created_at: now,
            version: Version::FIRST,
        };
        Change::created(Self { order, lines }).paid(details.paid_on, now)
    }

    /// Takes over what another system says. An identical push changes nothing. Until it is paid,
    /// everything about a sale may change; afterwards only its site and its assets.
    ///
    /// # Errors
    ///
    /// [`ORDER_SETTLED`] when what was sold would change after it was paid or cancelled, and as
    /// [`Sale::place`].
    pub fn push(
        known: Option<Self>,
        ids: NewOrderIds,
        details: OrderDetails,
        mentioned: Mentioned<'_>,
        now: Timestamp,
    ) -> Result<Pushed<Self>, Refusal> {
        let Some(sale) = known else {
            return Self::place(ids, details, mentioned, now).map(Pushed::Created);
        };
        let details = OrderDetails { paid_on: details.paid_on.or(sale.order.paid_on), ..details };
        let told = sale.details();
        if told == details {
            return Ok(Pushed::Unchanged(sale));
        }
        details.check(mentioned)?;
        match sale.order.status {
            OrderStatus::Quoted => sale.rewrite(ids.lines, details, mentioned.products, now),
            OrderStatus::Paid | OrderStatus::Delivered => sale.reassign(&told, details),
            OrderStatus::Cancelled | OrderStatus::Refunded => {
                Err(sale.settled(&told.differing_fields(&details)))
            }
        }
        .map(Pushed::Changed)
    }

    /// What the brand has said about it so far, to compare with what it says now.
    pub fn details(&self) -> OrderDetails {
        let SalesOrder { source, external_id, asset_ids, .. } = self.order.clone();
        OrderDetails {
            source,
            external_id,
            customer_id: self.order.customer_id,
            dealer_id: self.order.dealer_id,
            site_id: self.order.site_id,
            asset_ids,
            currency: self.order.currency,
            lines: self.lines.iter().map(OrderLine::details).collect(),
            paid_on: self.order.paid_on,
        }
    }

    /// Replaces everything, while it is quoted.
    fn rewrite(
        self,
        line_ids: Vec<OrderLineId>,
        details: OrderDetails,
        products: &[Product],
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let (before, told) = (self.clone(), self.details());
        let lines = if told.lines == details.lines && told.currency == details.currency {
            self.lines
        } else {
            details.record_lines(self.order.id, line_ids, products)
        };
        let order = SalesOrder {
            source: details.source,
            external_id: details.external_id,
            customer_id: details.customer_id,
            dealer_id: details.dealer_id,
            site_id: details.site_id,
            asset_ids: details.asset_ids,
            currency: details.currency,
            ..self.order
        };
        let change = Change::new("update", Self { order, lines }).paid(details.paid_on, now)?;
        Ok(change.since(&before))
    }

    /// Replaces its site and its assets, and nothing else.
    fn reassign(self, told: &OrderDetails, details: OrderDetails) -> Result<Change<Self>, Refusal> {
        let mut changed = told.differing_fields(&details);
        changed.retain(|field| !FREE_FIELDS.contains(field));
        if !changed.is_empty() {
            return Err(self.settled(&changed));
        }
        let (site_id, asset_ids) = (details.site_id, details.asset_ids);
        let before = self.clone();
        let order = SalesOrder { site_id, asset_ids, ..self.order };
        Ok(Change::new("update", Self { order, ..self }).since(&before))
    }

    fn settled(&self, changed: &[&str]) -> Refusal {
        Refusal::new(&ORDER_SETTLED)
            .with("order_status", self.order.status)
            .with("changed", changed)
    }
}

impl Change<Sale> {
    /// Settles the sale and announces it, if it is paid.
    fn paid(mut self, on: Option<CivilDate>, now: Timestamp) -> Result<Self, Refusal> {
        let Some(on) = on else { return Ok(self) };
        check_day(on, now)?;
        let order = &mut self.record.order;
        let (id, from) = (order.id, order.status);
        order.status = OrderStatus::Paid;
        order.paid_on = Some(on);
        Ok(self.moved(from, OrderStatus::Paid).emits(Event::OrderPaid { order: id }))
    }
}

/// What was sold would change after the sale was settled.
pub static ORDER_SETTLED: Rule = Rule {
    code: "order_settled",
    kind: Kind::Conflict,
    title: Bilingual { en: "The sale is settled", zh: "订单已成定局" },
    detail: Bilingual {
        en: "The order is {order_status}, and the push would change: {changed}.",
        zh: "该订单状态为 {order_status}，此次推送会更改：{changed}。",
    },
    advice: Bilingual {
        en: "Only `site_id` and `asset_ids` of a paid order may change. Push a further sale as a new order.",
        zh: "已付款订单只能更改 `site_id` 和 `asset_ids`；后续销售请作为新订单推送。",
    },
};
