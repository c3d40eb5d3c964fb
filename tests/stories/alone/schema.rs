//! What there is to reach for: the tables of a database, and the rows in them.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use std::collections::BTreeMap;

/// Every table that holds rows of tenants.
const TABLES: &str = "
    SELECT c.relname::text AS name,
           EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id') AS has_id
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND EXISTS (
        SELECT 1 FROM pg_attribute
        WHERE attrelid = c.oid AND attname = CASE c.relname WHEN 'tenant' THEN 'id' ELSE 'tenant_id' END)
    ORDER BY 1";

/// References within a tenant: which column points at the `id` of which table.
const REFERENCES: &str = "
    SELECT c.conrelid::regclass::text AS name, a.attname::text AS column_name,
           c.confrelid::regclass::text AS target
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2]
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND cardinality(c.conkey) = 2
    ORDER BY 1, 2";

/// Strangers' identifiers that are tried of each table.
const MOST_IDS: u32 = 20;

#[derive(FromQueryResult)]
struct Named {
    name: String,
    has_id: bool,
}

#[derive(FromQueryResult)]
struct Pointing {
    name: String,
    column_name: String,
    target: String,
}

/// A table with what one tenant and its neighbours have in it.
pub(super) struct Table {
    pub(super) name: String,
    /// Whether rows are known by an identifier.
    pub(super) has_id: bool,
    /// The column that says whose a row is.
    pub(super) owner: &'static str,
    /// Columns that point at other tables, with their names.
    pub(super) references: Vec<(String, String)>,
    /// How many rows are the tenant's own.
    pub(super) own: i64,
    /// Identifiers of others' rows.
    pub(super) foreign: Vec<String>,
}

/// The tables of the database, as `ours` has them.
pub(super) async fn tables(database: &DatabaseConnection, ours: &str) -> Vec<Table> {
    let named: Vec<Named> = all(database, TABLES.to_owned()).await;
    let pointing: Vec<Pointing> = all(database, REFERENCES.to_owned()).await;
    let mut references: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for Pointing { name, column_name, target } in pointing {
        references.entry(name).or_default().push((column_name, target));
    }
    let mut tables = Vec::new();
    for Named { name, has_id } in named {
        let owner = if name == "tenant" { "id" } else { "tenant_id" };
        let own = format!("SELECT count(*)::text FROM {name} WHERE {owner} = '{ours}'");
        let own = texts(database, &own).await[0].parse().unwrap();
        let foreign = format!(
            "SELECT id::text FROM {name} WHERE {owner} <> '{ours}' ORDER BY id LIMIT {MOST_IDS}"
        );
        let foreign = if has_id { texts(database, &foreign).await } else { Vec::new() };
        let references = references.remove(&name).unwrap_or_default();
        tables.push(Table { name, has_id, owner, references, own, foreign });
    }
    tables
}

/// A digest of what everybody but `ours` has.
pub(super) async fn digest(
    database: &DatabaseConnection,
    tables: &[Table],
    ours: &str,
) -> Vec<String> {
    let mut digests = Vec::new();
    for Table { name, owner, .. } in tables {
        let sql = format!(
            "SELECT '{name} ' || count(*) || ' ' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))
             FROM {name} t WHERE {owner} <> '{ours}'"
        );
        digests.extend(texts(database, &sql).await);
    }
    digests
}

/// The first column of all rows, which is a text.
pub(super) async fn texts(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = database.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn all<R: FromQueryResult>(database: &DatabaseConnection, sql: String) -> Vec<R> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    R::find_by_statement(statement).all(database).await.unwrap()
}
