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

/// What is at hand: records that are held, by their identifiers, each for whoever asks first.
#[derive(Debug, Default)]
pub(crate) struct Hand(Mutex<BTreeMap<Uuid, Box<dyn Any + Send>>>);

impl Hand {
    /// Takes a record, if it is at hand.
    pub(crate) fn take<R: Table>(&self, id: R::Id) -> Option<R> {
        let found = self.records().remove(&id.into())?;
        found.downcast().ok().map(|record| *record)
    }

    /// Lays a record aside that is not any more as it was found.
    pub(crate) fn forget(&self, id: Uuid) {
        self.records().remove(&id);
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<Uuid, Box<dyn Any + Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Finds records that are going to be asked for, in one question, and holds them: whoever asks for one finds it as
    /// nobody else can have changed it meanwhile.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn expect<R: Table>(&self, ids: Vec<R::Id>) -> Result<(), Fault> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.hold_all::<R>(by_ids::<R>(ids)).await?;
        let mut records = self.hand.records();
        for record in found {
            records.insert(record.id().into(), Box::new(record));
        }
        Ok(())
    }
}

/// The records with these identifiers, in a statement that is the same for any number of them.
fn by_ids<R: Table>(ids: Vec<R::Id>) -> Select<R::Entity> {
    let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
    R::Entity::find().filter(R::ID.into_expr().eq(PgFunc::any(ids)))
}
