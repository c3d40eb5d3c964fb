//! What a brand says about a sale, and whether it can be true.

use super::{OrderLine, Quantity};
use crate::{
    catalogue::{Asset, Product},
    ids::{AssetId, CustomerId, DealerId, OrderId, OrderLineId, ProductId, SiteId},
    money::{Currency, Minor},
    pushes::check_site,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, ExternalId, Source},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most lines of one order: beyond a full lorry of different goods, and few enough to be read,
/// checked and written in one go.
pub const MOST_LINES: usize = 200;

/// The most assets of one order: one for each line.
pub const MOST_ASSETS: usize = MOST_LINES;

/// What a brand says about a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "source": "erp", "external_id": "S-2026-1107",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "site_id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk", "asset_ids": ["ast_01m80t7jx3e9vbq2f4c6d8g0hk"],
    "currency": "CNY", "paid_on": "2026-11-20",
    "lines": [{"product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk", "quantity": 1,
        "price_minor": 299_900, "cost_minor": 180_000}],
})))]
pub struct OrderDetails {
    /// The system that `external_id` is from; `api` when left out.
    #[serde(default)]
    pub source: Source,
    /// What that system calls the order, unique in it.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Who sold.
    pub dealer_id: DealerId,
    /// At which of the dealer's sites.
    #[serde(default)]
    pub site_id: Option<SiteId>,
    /// The customer's assets that were handed over by this sale, at most 200. A paid order enrols
    /// them in the plans of their products.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub asset_ids: Vec<AssetId>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// What was sold, 1 to 200 lines.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<OrderLineDetails>,
    /// The day it was paid. Null says nothing new: a day that is known stays.
    #[serde(default)]
    pub paid_on: Option<CivilDate>,
}

/// What a brand says about one line of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk", "quantity": 1,
    "price_minor": 299_900, "cost_minor": 180_000})))]
pub struct OrderLineDetails {
    /// Which product.
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// How many pieces.
    pub quantity: Quantity,
    /// What the customer pays for all pieces together, after every discount, in the order's
    /// currency.
    pub price_minor: Minor,
    /// What all pieces together cost the brand, in the order's currency; null when the product's
    /// unit cost is to be taken, if there is one.
    #[serde(default)]
    pub cost_minor: Option<Minor>,
}

/// The records that a sale speaks of, as they are now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mentioned<'a> {
    /// The dealer of the site that is named.
    pub site_dealer: Option<DealerId>,
    /// The assets that are named.
    pub assets: &'a [Asset],
    /// The products that are named.
    pub products: &'a [Product],
}

/// Identifiers for an order and each of its lines, should they turn out to be new.
#[derive(Debug, Clone)]
pub struct NewOrderIds {
    pub(super) order: OrderId,
    pub(super) lines: Vec<OrderLineId>,
}

impl NewOrderIds {
    /// Identifiers for the sale of `details`; each call of `line` makes one for a line.
    pub fn new(
        order: OrderId,
        details: &OrderDetails,
        mut line: impl FnMut() -> OrderLineId,
    ) -> Self {
        Self { order, lines: details.lines.iter().map(|_| line()).collect() }
    }
}

impl OrderDetails {
    /// Refuses a sale that contradicts itself or what it speaks of.
    pub(super) fn check(&self, mentioned: Mentioned<'_>) -> Result<(), Refusal> {
        if self.lines.is_empty() {
            return Err(Refusal::new(&ORDER_WITHOUT_LINES).at("/lines"));
        }
        at_most("lines", self.lines.len(), MOST_LINES)?;
        at_most("asset_ids", self.asset_ids.len(), MOST_ASSETS)?;
        check_site(Some(self.dealer_id), mentioned.site_dealer)?;
        for asset in mentioned.assets {
            asset.must_be_of(self.customer_id).map_err(|refusal| {
                let place = self.asset_ids.iter().position(|id| *id == asset.id);
                refusal.at(place.map_or("/asset_ids".to_owned(), |at| format!("/asset_ids/{at}")))
            })?;
        }
        Ok(())
    }

    /// The lines as they are kept, under `ids`.
    pub(super) fn record_lines(
        &self,
        order: OrderId,
        ids: Vec<OrderLineId>,
        products: &[Product],
    ) -> Vec<OrderLine> {
        let record = |(id, line): (OrderLineId, &OrderLineDetails)| {
            let product = products.iter().find(|product| Some(product.id) == line.product_id);
            OrderLine {
                id,
                order_id: order,
                product_id: line.product_id,
                quantity: line.quantity,
                price_minor: line.price_minor,
                cost_minor: line.cost_minor,
                margin_minor: line.margin(self.currency, product),
            }
        };
        ids.into_iter().zip(&self.lines).map(record).collect()
    }

    /// The names of what `other` says differently.
    pub(super) fn differing_fields(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("source", self.source != other.source),
            ("external_id", self.external_id != other.external_id),
            ("customer_id", self.customer_id != other.customer_id),
            ("dealer_id", self.dealer_id != other.dealer_id),
            ("site_id", self.site_id != other.site_id),
            ("asset_ids", self.asset_ids != other.asset_ids),
            ("currency", self.currency != other.currency),
            ("lines", self.lines != other.lines),
            ("paid_on", self.paid_on != other.paid_on),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

impl OrderLine {
    /// What the brand said about it.
    pub(super) fn details(&self) -> OrderLineDetails {
        OrderLineDetails {
            product_id: self.product_id,
            quantity: self.quantity,
            price_minor: self.price_minor,
            cost_minor: self.cost_minor,
        }
    }
}

impl OrderLineDetails {
    /// What the line earns by the costs that are known now.
    fn margin(&self, currency: Currency, product: Option<&Product>) -> Option<Minor> {
        let of_product = product.and_then(|product| {
            let in_same_currency = product.details.price.currency == currency;
            product.details.unit_cost_minor.filter(|_| in_same_currency)
        });
        let cost = self.cost_minor.or(of_product.map(|cost| cost.times(self.quantity.get())));
        cost.map(|cost| self.price_minor.less(cost))
    }
}

fn at_most(field: &str, found: usize, limit: usize) -> Result<(), Refusal> {
    if found <= limit {
        return Ok(());
    }
    let refusal = Refusal::new(&ORDER_TOO_LONG).with("field", field).at(format!("/{field}"));
    Err(refusal.with("found", found).with("limit", limit))
}

/// A sale of nothing.
pub static ORDER_WITHOUT_LINES: Rule = Rule {
    code: "order_without_lines",
    kind: Kind::Unfit,
    title: Bilingual { en: "An order of nothing", zh: "订单没有明细" },
    detail: Bilingual { en: "The order has no lines.", zh: "该订单没有任何明细行。" },
    advice: Bilingual {
        en: "Say what was sold: at least one line.",
        zh: "请至少填写一行所售商品。",
    },
};

/// More lines or assets than an order may have.
pub static ORDER_TOO_LONG: Rule = Rule {
    code: "order_too_long",
    kind: Kind::Unfit,
    title: Bilingual { en: "The order is too long", zh: "订单过长" },
    detail: Bilingual {
        en: "The order has {found} `{field}`; {limit} are allowed.",
        zh: "该订单有 {found} 个 `{field}`，最多允许 {limit} 个。",
    },
    advice: Bilingual {
        en: "Split the sale into several orders.",
        zh: "请将该销售拆分为多个订单。",
    },
};
