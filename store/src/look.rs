//! Looks: a record by its identifier, or the newest of a kind, asked in one flight.
//!
//! A transaction of its own costs a read three flights where one will do, and half of the time that it takes.
//! The functions of the schema `look` take role and scope and answer, in one statement; the walls hold for
//! them as for everything else, because they act with the rights of who calls. `migrations` makes them.

use crate::{
    Fault,
    rows::columns,
    table::{Columns, Row as _, Table},
    tenant::Scope,
    transaction::Transaction,
};
use domain::identity::Reach;
use sea_orm::{DbBackend, EntityName as _, EntityTrait, Statement, Value};
use uuid::Uuid;

type Model<R> = <<R as Table>::Entity as EntityTrait>::Model;

/// The record with this identifier, if the caller sees it.
pub(crate) async fn one<R: Table>(
    work: &Transaction,
    scope: &Scope,
    id: Uuid,
) -> Result<Option<R>, Fault> {
    let look = R::Entity::default().table_name().to_owned();
    Ok(ask::<R>(work, scope, &look, [id.into()]).await?.pop().map(R::record))
}

/// At most `most` records, the newest first; those older than `before`, when a page has ended there.
pub(crate) async fn newest<R: Table>(
    work: &Transaction,
    scope: &Scope,
    before: Option<Uuid>,
    most: u16,
) -> Result<Vec<Model<R>>, Fault> {
    let look = format!("{}__newest", R::Entity::default().table_name());
    ask::<R>(work, scope, &look, [before.into(), i64::from(most).into()]).await
}

async fn ask<R: Table>(
    work: &Transaction,
    scope: &Scope,
    look: &str,
    wanted: impl IntoIterator<Item = Value>,
) -> Result<Vec<Model<R>>, Fault> {
    let Reach { dealer, technician } = scope.reach;
    let scope: [Value; 3] = [
        Uuid::from(scope.tenant).into(),
        dealer.map(Uuid::from).into(),
        technician.map(Uuid::from).into(),
    ];
    let values: Vec<_> = scope.into_iter().chain(wanted).collect();
    // By name, so that a statement that is prepared outlives a column that a migration adds.
    let columns = columns::<R>();
    let parameters: Vec<_> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let sql = format!("SELECT {} FROM look.{look}({})", columns.join(", "), parameters.join(", "));
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = work.look(&statement).await?;
    Ok(rows.iter().map(|row| Model::<R>::read(Columns::of(row))).collect::<Result<_, _>>()?)
}
