//! Records that were found together because they are needed one after the other.

use super::Tenant;
use crate::{Fault, table::Table};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select,
    sea_query::{ExprTrait as _, extension::postgres::PgFunc},
};
use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// What is at hand: records by their identifiers, each for whoever asks first.
#[derive(Debug, Default)]
pub(crate) struct Hand(Mutex<BTreeMap<Uuid, Found>>);

#[derive(Debug)]
struct Found {
    record: Box<dyn Any + Send>,
    is_held: bool,
}

impl Hand {
    /// Takes a record, if it is at hand; one that is held, if that is wanted.
    pub(crate) fn take<R: Table>(&self, id: R::Id, held: bool) -> Option<R> {
        let (mut records, id) = (self.records(), id.into());
        if held && records.get(&id).is_some_and(|found| !found.is_held) {
            return None;
        }
        records.remove(&id).and_then(|found| found.record.downcast().ok()).map(|record| *record)
    }

    /// Lays a record aside that is not any more as it was found.
    pub(crate) fn forget(&self, id: Uuid) {
        self.records().remove(&id);
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<Uuid, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Finds records that are going to be asked for by [`Tenant::get`], in one question. Each is found as it is now
    /// until this transaction changes it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn expect_to_get<R: Table>(&self, ids: Vec<R::Id>) -> Result<(), Fault> {
        let Some(wanted) = by_ids::<R>(ids) else { return Ok(()) };
        self.put(self.all::<R>(wanted).await?, false);
        Ok(())
    }

    /// Finds records that are going to be asked for by [`Tenant::hold`], in one question, and holds them from now on.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn expect_to_hold<R: Table>(&self, ids: Vec<R::Id>) -> Result<(), Fault> {
        let Some(wanted) = by_ids::<R>(ids) else { return Ok(()) };
        self.put(self.hold_all::<R>(wanted).await?, true);
        Ok(())
    }

    fn put<R: Table>(&self, found: Vec<R>, is_held: bool) {
        let mut records = self.hand.records();
        for record in found {
            // What is held stays so.
            let found = |record| Found { record: Box::new(record), is_held };
            records.entry(record.id().into()).or_insert_with(|| found(record));
        }
    }
}

/// The records with these identifiers, in a statement that is the same for any number of them.
fn by_ids<R: Table>(ids: Vec<R::Id>) -> Option<Select<R::Entity>> {
    if ids.is_empty() {
        return None;
    }
    let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
    Some(R::Entity::find().filter(R::ID.into_expr().eq(PgFunc::any(ids))))
}
