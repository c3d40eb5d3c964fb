//! Tables `sales_order` and `order_line`.

use crate::{Failure, Fault, Tenant, documents, listed, table, table::Stored, words};
use domain::{
    change::Change,
    ids::{AssetId, CustomerId, DealerId, OrderId, ProductId, SiteId},
    money::{Currency, Minor},
    orders::{OrderLine, OrderStatus, Quantity, Sale, SalesOrder},
    text::{ExternalId, Source},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QueryTrait as _, Select,
};
use std::collections::BTreeMap;
use uuid::Uuid;

words!(OrderStatus);
documents!(Vec<AssetId>);

impl Stored for Quantity {
    type Sql = i32;

    fn to_sql(&self) -> i32 {
        i32::try_from(self.get()).unwrap_or(i32::MAX)
    }

    fn from_sql(sql: i32) -> Result<Self, String> {
        let pieces = u32::try_from(sql).map_err(|error| error.to_string())?;
        Self::new(pieces).map_err(|mistake| mistake.message)
    }
}

table! {
    /// Sales.
    sales_order = "sales_order" of SalesOrder {
        source: Source,
        external_id: Option<ExternalId>,
        customer_id: CustomerId,
        dealer_id: DealerId,
        site_id: Option<SiteId>,
        asset_ids: Vec<AssetId>,
        currency: Currency,
        status: OrderStatus,
        paid_on: Option<CivilDate>,
        delivered_on: Option<CivilDate>,
        refunded_on: Option<CivilDate>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Lines of sales.
    order_line = "order_line" of OrderLine {
        order_id: OrderId,
        product_id: Option<ProductId>,
        quantity: Quantity,
        price_minor: Minor,
        cost_minor: Option<Minor>,
        margin_minor: Option<Minor>,
    } append_only
}

listed! {
    SalesOrder = sales_order [CreatedAt;] usually newest;
}

/// Which orders are wanted; what is absent does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// This customer bought.
    pub customer: Option<CustomerId>,
    /// This dealer sold.
    pub dealer: Option<DealerId>,
    /// They have come so far.
    pub status: Option<OrderStatus>,
    /// They are from this system.
    pub source: Option<&'a Source>,
    /// It calls them so.
    pub external_id: Option<&'a ExternalId>,
}

/// Orders as `wanted`.
pub fn wanted(wanted: Wanted<'_>) -> Select<sales_order::Entity> {
    use sales_order::Column as Is;
    let status = wanted.status.map(|status| table::word(&status));
    sales_order::Entity::find()
        .apply_if(wanted.customer, |select, id| select.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer, |select, id| select.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(status, |select, status| select.filter(Is::Status.eq(status)))
        .apply_if(wanted.source, |select, source| select.filter(Is::Source.eq(&**source)))
        .apply_if(wanted.external_id, |select, id| select.filter(Is::ExternalId.eq(&**id)))
}

/// The orders that another system calls by these names.
pub fn named(source: &Source, names: &[&ExternalId]) -> Select<sales_order::Entity> {
    sales_order::Entity::find()
        .filter(sales_order::Column::Source.eq(&**source))
        .filter(sales_order::Column::ExternalId.is_in(names.iter().map(|name| &***name)))
}

/// The lines of these orders, in the order in which they were told.
fn lines_of(orders: &[SalesOrder]) -> Select<order_line::Entity> {
    let orders = orders.iter().map(|order| Uuid::from(order.id));
    order_line::Entity::find()
        .filter(order_line::Column::OrderId.is_in(orders))
        .order_by_asc(order_line::Column::Id)
}

impl Tenant {
    /// A sale with its lines.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`](crate::Missing::NotFound) when this caller has no such order.
    pub async fn sale(&self, order: OrderId) -> Result<Sale, Failure> {
        let order = self.get(order).await?;
        Ok(self.with_lines(order).await?)
    }

    /// The order with its lines.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn with_lines(&self, order: SalesOrder) -> Result<Sale, Fault> {
        let lines = self.all(lines_of(std::slice::from_ref(&order))).await?;
        Ok(Sale { order, lines })
    }

    /// The sales of these orders, in one question for all their lines.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn all_with_lines(&self, orders: Vec<SalesOrder>) -> Result<Vec<Sale>, Fault> {
        let mut lines = BTreeMap::<OrderId, Vec<OrderLine>>::new();
        for line in self.all::<OrderLine>(lines_of(&orders)).await? {
            lines.entry(line.order_id).or_default().push(line);
        }
        let sale = |order: SalesOrder| {
            let lines = lines.remove(&order.id).unwrap_or_default();
            Sale { order, lines }
        };
        Ok(orders.into_iter().map(sale).collect())
    }

    /// Records a decision about a sale: the order, its lines, its line in the timeline and what
    /// follows from it.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`].
    pub async fn record_sale(&self, change: Change<Sale>) -> Result<Sale, Fault> {
        let Change { record: Sale { order, lines }, is_new, action, facts, events } = change;
        let change = Change { record: order, is_new, action, facts, events };
        let order = self.record(change).await?;
        if is_new {
            self.add_all(&lines).await?;
        } else {
            self.replace_lines(order.id, &lines).await?;
        }
        Ok(Sale { order, lines })
    }

    /// Records decisions about many sales at once.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`].
    pub async fn record_sales(&self, changes: Vec<Change<Sale>>) -> Result<(), Fault> {
        let (mut orders, mut new_lines) = (Vec::new(), Vec::new());
        for change in changes {
            if change.is_new {
                let Change { record: Sale { order, lines }, is_new, action, facts, events } =
                    change;
                orders.push(Change { record: order, is_new, action, facts, events });
                new_lines.extend(lines);
            } else {
                self.record_sale(change).await?;
            }
        }
        self.record_all(orders).await?;
        self.add_all(&new_lines).await
    }

    /// Lines keep their identifiers while they say the same, so only those that are gone are deleted
    /// and only new ones added.
    async fn replace_lines(&self, order: OrderId, lines: &[OrderLine]) -> Result<(), Fault> {
        let select =
            order_line::Entity::find().filter(order_line::Column::OrderId.eq(Uuid::from(order)));
        let known = self.all::<OrderLine>(select).await?;
        if known == lines {
            return Ok(());
        }
        let sql = "DELETE FROM order_line WHERE tenant_id = ac.tenant() AND order_id = $1";
        self.work().execute_raw(self.statement(sql, [Uuid::from(order).into()])).await?;
        self.add_all(lines).await
    }
}
