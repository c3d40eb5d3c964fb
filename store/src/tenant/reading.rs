//! What a tenant's door shows: records, pages of them, and records held in order to change them.

use super::Tenant;
use crate::{
    Failure, Fault, Missing, look,
    page::{Cursor, MOST_LIMIT, Mark, Order, Page, Query, Slice},
    table::Table,
};
use domain::ids::TenantId;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait, ModelTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, Value,
    sea_query::{self, Alias, Expr, ExprTrait as _, LockType},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl Tenant {
    /// Finds a record in order to show it.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such record.
    pub async fn get<R: Table>(&self, id: R::Id) -> Result<R, Missing> {
        if let Some(record) = self.hand.take(id) {
            return Ok(record);
        }
        if self.work.can_look().await {
            let found = look::one::<R>(&self.work, &self.scope, id.into()).await?;
            return found.ok_or(Missing::NotFound);
        }
        self.one(by_id::<R>(self.id(), id)).await
    }

    /// Finds a record in order to change it; others who hold it wait until this tenant is done. Who
    /// merely refers to it does not wait.
    ///
    /// Two who hold the same records in another order wait for each other for ever, so everybody holds
    /// them in this one: what a push names ([`Tenant::push_alone`]); the customer; procedure, version;
    /// order, asset, enrolment; work order, appointment, due date; complaint, remedy, return, invitation,
    /// clock; corrective action; cancellation; gesture, account. Records of one kind are held in the order of their identifiers.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such record.
    pub async fn hold<R: Table>(&self, id: R::Id) -> Result<R, Missing> {
        if let Some(record) = self.hand.take(id) {
            return Ok(record);
        }
        self.one(held::<R>(by_id::<R>(self.id(), id))).await
    }

    /// Finds the record that `select` describes in order to change it, if there is one; see
    /// [`Tenant::hold`].
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the row cannot be read.
    pub async fn hold_found<R: Table>(
        &self,
        select: Select<R::Entity>,
    ) -> Result<Option<R>, Fault> {
        self.find(held::<R>(select)).await
    }

    /// All records that `select` describes, in order to change them; see [`Tenant::hold`].
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn hold_all<R: Table>(&self, select: Select<R::Entity>) -> Result<Vec<R>, Fault> {
        self.all(held::<R>(select)).await
    }

    /// Finds the record that `select` describes, if there is one.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the row cannot be read.
    pub async fn find<R: Table>(&self, select: Select<R::Entity>) -> Result<Option<R>, Fault> {
        let row = select.filter(self.owns::<R>()).one(&self.work).await?;
        Ok(row.map(R::record))
    }

    /// All records that `select` describes. For sets that the rules keep small; lists that callers see
    /// come in pages ([`Tenant::page`]).
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn all<R: Table>(&self, select: Select<R::Entity>) -> Result<Vec<R>, Fault> {
        let rows = select.filter(self.owns::<R>()).all(&self.work).await?;
        Ok(rows.into_iter().map(R::record).collect())
    }

    /// One page of the records that `select` describes.
    ///
    /// # Errors
    ///
    /// [`INVALID_CURSOR`](crate::page::INVALID_CURSOR) when the cursor was made by another list or for
    /// another tenant.
    pub async fn page<R: Table>(
        &self,
        select: Select<R::Entity>,
        order: Order<R::Entity>,
        page: &Page,
    ) -> Result<Slice<R>, Failure> {
        let limit = page.limit.clamp(1, MOST_LIMIT);
        let cursor = page.cursor.as_ref();
        let cursor = cursor.map(|text| Cursor::read(text, self.id(), &order)).transpose()?;
        // One more than is wanted shows whether there are more.
        let most = limit.saturating_add(1);
        let mut rows = if self.can_look_for::<R>(&select, order).await {
            let before = cursor.map(|cursor| cursor.id);
            look::newest::<R>(&self.work, &self.scope, before, most).await?
        } else {
            let mut select = ordered::<R>(select.filter(self.owns::<R>()), order);
            if let Some(cursor) = cursor {
                select = select.filter(after::<R>(order, cursor));
            }
            select.limit(u64::from(most)).all(&self.work).await?
        };
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = rows.last().filter(|_| more).map(|last| self.cursor::<R>(order, last));
        Ok(Slice { items: rows.into_iter().map(R::record).collect(), next })
    }

    /// Whether everything is wanted, the newest first, and nothing was asked before that needs a transaction.
    async fn can_look_for<R: Table>(
        &self,
        select: &Select<R::Entity>,
        order: Order<R::Entity>,
    ) -> bool {
        let is_newest = order.column.is_none() && order.descending;
        let is_everything = is_newest && select.as_query() == R::Entity::find().as_query();
        is_everything && self.work.can_look().await
    }

    /// How many records `select` describes; no more than `most` are counted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn count<R: Table>(&self, select: Query<R>, most: u64) -> Result<u64, Fault> {
        let found = select.filter(self.owns::<R>()).select_only().column(R::ID).limit(most);
        let mut count = sea_query::Query::select();
        count
            .expr_as(Expr::val(1).count(), Alias::new("counted"))
            .from_subquery(found.into_query(), Alias::new("found"));
        let row = self.work.query_one_raw(DbBackend::Postgres.build(&count)).await?;
        let counted: i64 = row.map_or(Ok(0), |row| row.try_get("", "counted"))?;
        Ok(counted.unsigned_abs())
    }

    /// The records with these identifiers that this caller sees, in one question.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn named<R: Table>(&self, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, R>, Fault> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let records =
            self.all::<R>(R::Entity::find().filter(R::ID.is_in(ids.iter().copied()))).await?;
        Ok(records.into_iter().map(|record| (record.id().into(), record)).collect())
    }

    async fn one<R: Table>(&self, select: Select<R::Entity>) -> Result<R, Missing> {
        select.one(&self.work).await?.map(R::record).ok_or(Missing::NotFound)
    }

    pub(super) fn owns<R: Table>(&self) -> Condition {
        Condition::all().add(R::TENANT.eq(Uuid::from(self.id())))
    }

    fn cursor<R: Table>(
        &self,
        order: Order<R::Entity>,
        last: &<R::Entity as EntityTrait>::Model,
    ) -> String {
        let mark = order.column.and_then(|column| Mark::of(last.get(column)));
        let id = if let Value::Uuid(Some(id)) = last.get(R::ID) { id } else { Uuid::nil() };
        Cursor::new(self.id(), &order, mark, id).write()
    }
}

/// Locks what is found, one after the other. No key changes, so that references to it need not wait: the
/// check of a reference takes a lock, too, and would otherwise stand in the way of every holder.
fn held<R: Table>(select: Select<R::Entity>) -> Select<R::Entity> {
    select.order_by(R::ID, sea_orm::Order::Asc).lock(LockType::NoKeyUpdate)
}

fn by_id<R: Table>(tenant: TenantId, id: R::Id) -> Select<R::Entity> {
    R::Entity::find_by_id((tenant.into(), id.into()))
}

fn ordered<R: Table>(mut select: Select<R::Entity>, order: Order<R::Entity>) -> Select<R::Entity> {
    let direction = if order.descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    if let Some(column) = order.column {
        select = select.order_by(column, direction.clone());
    }
    select.order_by(R::ID, direction)
}

/// Rows behind the place where a page ended, by row comparison, which an index can follow.
fn after<R: Table>(order: Order<R::Entity>, cursor: Cursor) -> Expr {
    let id = (R::ID.as_column_ref(), Value::from(cursor.id));
    let (columns, values) = match order.column.zip(cursor.mark) {
        Some((column, mark)) => (
            vec![Expr::col(column.as_column_ref()), Expr::col(id.0)],
            vec![Expr::value(Value::from(mark)), Expr::value(id.1)],
        ),
        None => (vec![Expr::col(id.0)], vec![Expr::value(id.1)]),
    };
    let (place, end) = (Expr::tuple(columns), Expr::tuple(values));
    if order.descending { place.lt(end) } else { place.gt(end) }
}
