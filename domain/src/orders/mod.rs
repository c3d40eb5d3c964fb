//! Orders: what was sold, and what it earned.

mod details;
mod push;
mod quantity;

pub use details::{
    MOST_ASSETS, MOST_LINES, Mentioned, NewOrderIds, ORDER_TOO_LONG, ORDER_WITHOUT_LINES,
    OrderDetails, OrderLineDetails,
};
pub use push::ORDER_SETTLED;
pub use quantity::{MOST_PIECES, Quantity};

use crate::{
    change::Change,
    event::Event,
    ids::{AssetId, CustomerId, DealerId, OrderId, OrderLineId, ProductId, SiteId},
    money::{Currency, Minor},
    pushes::check_day,
    record::{Record, Version},
    refusal::{self, Refusal, Rule},
    text::{ExternalId, Source},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sale with its lines.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sale {
    /// The order.
    #[serde(flatten)]
    pub order: SalesOrder,
    /// What was sold.
    pub lines: Vec<OrderLine>,
}

/// An order, without its lines.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesOrder {
    /// Its identifier.
    pub id: OrderId,
    /// The system that `external_id` is from.
    pub source: Source,
    /// What that system calls the order.
    pub external_id: Option<ExternalId>,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Who sold.
    pub dealer_id: DealerId,
    /// At which of the dealer's sites.
    pub site_id: Option<SiteId>,
    /// The things that were handed over by it.
    pub asset_ids: Vec<AssetId>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// How far the sale has come.
    pub status: OrderStatus,
    /// The day it was paid.
    pub paid_on: Option<CivilDate>,
    /// The day everything in it had arrived.
    pub delivered_on: Option<CivilDate>,
    /// The day the money was given back.
    pub refunded_on: Option<CivilDate>,
    /// When it became known here.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// One line of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderLine {
    /// Its identifier; an allowance says which line earned it.
    pub id: OrderLineId,
    /// The order it is a line of.
    pub order_id: OrderId,
    /// Which product; null when the brand does not say.
    pub product_id: Option<ProductId>,
    /// How many pieces.
    pub quantity: Quantity,
    /// What the customer pays for all pieces together, after every discount.
    pub price_minor: Minor,
    /// What all pieces together cost the brand, as it was pushed; null when it was not.
    pub cost_minor: Option<Minor>,
    /// What the line earned: price less cost. The cost is the pushed one, else the product's unit
    /// cost at the time the line was recorded. 0 for a loss, null when no cost is known.
    pub margin_minor: Option<Minor>,
}

/// How far a sale has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The customer has not paid yet; everything can still change.
    Quoted,
    /// The customer has paid; what was sold stands.
    Paid,
    /// The customer has paid, and everything has arrived.
    Delivered,
    /// The sale did not come about.
    Cancelled,
    /// The customer had paid, and has the money back.
    Refunded,
}

impl OrderStatus {
    /// The verbs that lead on from here.
    fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Quoted => &["pay", "cancel"],
            Self::Paid => &["deliver", "refund"],
            Self::Delivered => &["refund"],
            Self::Cancelled | Self::Refunded => &[],
        }
    }
}

impl SalesOrder {
    /// Records that the customer paid `on` a day.
    ///
    /// # Errors
    ///
    /// An illegal transition unless it is quoted;
    /// [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN).
    pub fn pay(self, on: CivilDate, now: Timestamp) -> Result<Change<Self>, Refusal> {
        match self.status {
            OrderStatus::Quoted => {
                check_day(on, now)?;
                let (order, status) = (self.id, OrderStatus::Paid);
                let paid = Self { status, paid_on: Some(on), ..self };
                let change = Change::new("pay", paid).moved(OrderStatus::Quoted, status);
                Ok(change.emits(Event::OrderPaid { order }))
            }
            OrderStatus::Paid
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Refunded => Err(self.illegal()),
        }
    }

    /// Records that everything in it had arrived `on` a day.
    ///
    /// # Errors
    ///
    /// An illegal transition unless it is paid;
    /// [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN).
    pub fn deliver(self, on: CivilDate, now: Timestamp) -> Result<Change<Self>, Refusal> {
        match self.status {
            OrderStatus::Paid => {
                check_day(on, now)?;
                let status = OrderStatus::Delivered;
                let delivered = Self { status, delivered_on: Some(on), ..self };
                Ok(Change::new("deliver", delivered).moved(OrderStatus::Paid, status))
            }
            OrderStatus::Quoted
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Refunded => Err(self.illegal()),
        }
    }

    /// Records that the customer got their money back `on` a day: what the sale has earned for service is taken
    /// back.
    ///
    /// # Errors
    ///
    /// An illegal transition unless it is paid or delivered;
    /// [`pushes::DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN).
    pub fn refund(self, on: CivilDate, now: Timestamp) -> Result<Change<Self>, Refusal> {
        match self.status {
            OrderStatus::Paid | OrderStatus::Delivered => {
                check_day(on, now)?;
                let (order, from, status) = (self.id, self.status, OrderStatus::Refunded);
                let refunded = Self { status, refunded_on: Some(on), ..self };
                let change = Change::new("refund", refunded).moved(from, status);
                Ok(change.emits(Event::OrderRefunded { order }))
            }
            OrderStatus::Quoted | OrderStatus::Cancelled | OrderStatus::Refunded => {
                Err(self.illegal())
            }
        }
    }

    /// Records that the sale did not come about.
    ///
    /// # Errors
    ///
    /// An illegal transition unless it is quoted: a paid sale has earned an allowance, and is refunded.
    pub fn cancel(self) -> Result<Change<Self>, Refusal> {
        match self.status {
            OrderStatus::Quoted => {
                let status = OrderStatus::Cancelled;
                let cancelled = Self { status, ..self };
                Ok(Change::new("cancel", cancelled).moved(OrderStatus::Quoted, status))
            }
            OrderStatus::Paid
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Refunded => Err(self.illegal()),
        }
    }

    /// Whether the customer has paid, and has not got the money back.
    pub fn is_paid(&self) -> bool {
        match self.status {
            OrderStatus::Paid | OrderStatus::Delivered => true,
            OrderStatus::Quoted | OrderStatus::Cancelled | OrderStatus::Refunded => false,
        }
    }

    fn illegal(&self) -> Refusal {
        refusal::illegal(self.status, self.status.verbs())
    }
}

impl Record for Sale {
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.order.id
    }

    fn version(&self) -> Version {
        self.order.version
    }

    fn set_version(&mut self, version: Version) {
        self.order.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        self.order.customer()
    }

    fn dealer(&self) -> Option<DealerId> {
        self.order.dealer()
    }
}

impl Record for SalesOrder {
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        Some(self.dealer_id)
    }
}

impl Record for OrderLine {
    type Id = OrderLineId;

    fn id(&self) -> OrderLineId {
        self.id
    }
}

/// The rules of this folder.
pub static RULES: &[&Rule] = &[&ORDER_WITHOUT_LINES, &ORDER_TOO_LONG, &ORDER_SETTLED];

#[cfg(test)]
mod tests;
