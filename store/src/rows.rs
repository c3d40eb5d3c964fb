//! Many rows in one statement. They travel as one JSON document, which the database reads by the types of its own
//! columns: the statement is the same for any number of rows, so it is prepared once and planned once.

use crate::{Fault, table::Table};
use domain::ids::TenantId;
use sea_orm::{
    DbBackend, DbErr, EntityName as _, EntityTrait, IdenStatic as _, Iterable as _,
    ModelTrait as _, Statement, Value,
};
use serde_json::Value as Json;

/// Rows in one statement, at most: a document of a few hundred kilobytes.
pub(crate) const MOST_ROWS: usize = 1_000;

type Column<R> = <<R as Table>::Entity as EntityTrait>::Column;

/// The statement that inserts `records`, with `then` at its end.
pub(crate) fn inserting<R: Table>(
    tenant: TenantId,
    records: &[&R],
    then: &str,
) -> Result<Statement, Fault> {
    let (table, columns) = (table::<R>(), columns::<R>().join(", "));
    let sql = format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $1) {then}"
    );
    Ok(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [document(tenant, records)?.into()],
    ))
}

/// The statement that saves `records`, whose versions are new, over those of the versions before.
pub(crate) fn saving<R: Table>(tenant: TenantId, records: &[&R]) -> Result<Statement, Fault> {
    let table = table::<R>();
    let set: Vec<_> = columns::<R>().into_iter().map(|one| format!("{one} = n.{one}")).collect();
    let [tenant_id, id] = [R::TENANT, R::ID].map(name::<R>);
    let same_version = R::VERSION.map(name::<R>);
    let same_version = same_version.map(|one| format!(" AND t.{one} = n.{one} - 1"));
    let sql = format!(
        "UPDATE {table} t SET {} FROM jsonb_populate_recordset(NULL::{table}, $1) n
         WHERE t.{tenant_id} = n.{tenant_id} AND t.{id} = n.{id}{}",
        set.join(", "),
        same_version.unwrap_or_default()
    );
    Ok(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [document(tenant, records)?.into()],
    ))
}

fn table<R: Table>() -> String {
    format!("\"{}\"", R::Entity::default().table_name())
}

fn name<R: Table>(column: Column<R>) -> String {
    format!("\"{}\"", column.as_str())
}

/// All columns, in the order in which they are declared.
pub(crate) fn columns<R: Table>() -> Vec<String> {
    Column::<R>::iter().map(name::<R>).collect()
}

fn document<R: Table>(tenant: TenantId, records: &[&R]) -> Result<Json, Fault> {
    let row = |record: &&R| {
        let row = record.row(tenant);
        let columns = Column::<R>::iter();
        let members = columns.map(|one| Ok((one.as_str().to_owned(), plain(row.get(one))?)));
        Ok(Json::Object(members.collect::<Result<_, DbErr>>()?))
    };
    Ok(Json::Array(records.iter().map(row).collect::<Result<_, DbErr>>()?))
}

/// A value as the database reads it from JSON: as it would from text. Instants have its microseconds, so that they are
/// cut off and not rounded, as they are elsewhere.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver's kinds of values, not ours")]
fn plain(value: Value) -> Result<Json, DbErr> {
    Ok(match value {
        Value::Bool(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(value) => value.into(),
        Value::String(value) => value.into(),
        Value::Json(value) => value.map_or(Json::Null, |json| *json),
        Value::Uuid(value) => value.map(|id| id.to_string()).into(),
        Value::ChronoDate(value) => value.map(|on| on.to_string()).into(),
        Value::ChronoDateTimeUtc(value) => {
            value.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)).into()
        }
        other => return Err(DbErr::Type(format!("a column of {:?}", other.array_type()))),
    })
}
