//! Tables that belong to tenants. Every such table is made here, so none is made without its walls.

use sea_orm_migration::prelude::*;

/// A table whose rows belong to a tenant and are known by the pair of tenant and `id`.
///
/// [`Owned::create`] makes the table, its keys, its policies and its grants in one go. Names of keys
/// say their columns (`customer__source__external_id`), and problems are worded from them.
#[derive(Debug)]
pub(crate) struct Owned {
    name: &'static str,
    columns: &'static str,
    key: &'static str,
    constraints: Vec<String>,
    indexes: Vec<String>,
    policies: Vec<String>,
    grants: &'static str,
}

impl Owned {
    /// Begins a table with `columns`, as SQL, beside `tenant_id` and `id`.
    pub(crate) fn new(name: &'static str, columns: &'static str) -> Self {
        Self {
            name,
            columns,
            key: "id uuid NOT NULL, PRIMARY KEY (tenant_id, id)",
            constraints: Vec::new(),
            indexes: Vec::new(),
            policies: Vec::new(),
            grants: "SELECT, INSERT, UPDATE",
        }
    }

    /// Rows are known by a key of their own instead of `id`; `key` is SQL and names the primary key,
    /// which begins with the tenant.
    pub(crate) fn keyed(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    /// `column` refers to the `id` of a row of `target`, always within the tenant.
    pub(crate) fn refers(mut self, column: &str, target: &str) -> Self {
        let name = self.name;
        self.constraints.push(format!(
            "CONSTRAINT {name}__{column} FOREIGN KEY (tenant_id, {column}) REFERENCES {target} (tenant_id, id)"
        ));
        self.indexes
            .push(format!("CREATE INDEX {name}__by_{column} ON {name} (tenant_id, {column})"));
        self
    }

    /// `column` refers to the `id` of a row of `target`, always within the tenant, or to nothing. The index holds
    /// the rows that refer to something.
    pub(crate) fn may_refer(mut self, column: &str, target: &str) -> Self {
        let name = self.name;
        self.constraints.push(format!(
            "CONSTRAINT {name}__{column} FOREIGN KEY (tenant_id, {column}) REFERENCES {target} (tenant_id, id)"
        ));
        self.indexes.push(format!(
            "CREATE INDEX {name}__by_{column} ON {name} (tenant_id, {column}) WHERE {column} IS NOT NULL"
        ));
        self
    }

    /// No two rows of a tenant have the same `columns`.
    pub(crate) fn unique(mut self, columns: &[&str]) -> Self {
        let (name, list) = (self.name, columns.join(", "));
        let key = columns.join("__");
        self.constraints.push(format!("CONSTRAINT {name}__{key} UNIQUE (tenant_id, {list})"));
        self
    }

    /// No two rows of a tenant for which `condition` holds have the same `columns`.
    pub(crate) fn unique_where(mut self, columns: &[&str], condition: &str) -> Self {
        let (name, list) = (self.name, columns.join(", "));
        let key = columns.join("__");
        self.indexes.push(format!(
            "CREATE UNIQUE INDEX {name}__{key} ON {name} (tenant_id, {list}) WHERE {condition}"
        ));
        self
    }

    /// Rows are looked up by `columns`, which may carry an order (`due_at DESC`) and, after them, a
    /// condition (`WHERE ..`).
    pub(crate) fn index(mut self, suffix: &str, columns: &str, condition: &str) -> Self {
        let name = self.name;
        let index = format!(
            "CREATE INDEX {name}__by_{suffix} ON {name} (tenant_id, {columns}) {condition}"
        );
        self.indexes.push(index);
        self
    }

    /// Adds a table constraint, as SQL.
    pub(crate) fn constraint(mut self, name: &str, sql: &str) -> Self {
        self.constraints.push(format!("CONSTRAINT {}__{name} {sql}", self.name));
        self
    }

    /// Rows carry `dealer_id`, and a dealer's people see their dealer's rows only.
    pub(crate) fn by_dealer(self) -> Self {
        self.narrowed("dealer", "dealer_id")
    }

    /// Rows are dealers themselves, and a dealer's people see their own.
    pub(crate) fn each_a_dealer(mut self) -> Self {
        let name = self.name;
        self.policies.push(format!(
            "CREATE POLICY {name}__dealer ON {name} AS RESTRICTIVE TO aftercare_app
                 USING (ac.dealer() IS NULL OR id = ac.dealer())
                 WITH CHECK (ac.dealer() IS NULL OR id = ac.dealer())"
        ));
        self
    }

    /// All dealers share the rows: a dealer's people read them, and nobody who acts for one dealer writes them.
    pub(crate) fn of_brand(mut self) -> Self {
        let name = self.name;
        self.policies.push(format!(
            "CREATE POLICY {name}__brand_insert ON {name} AS RESTRICTIVE FOR INSERT TO aftercare_app
                 WITH CHECK (ac.dealer() IS NULL)"
        ));
        self.policies.push(format!(
            "CREATE POLICY {name}__brand_update ON {name} AS RESTRICTIVE FOR UPDATE TO aftercare_app
                 USING (ac.dealer() IS NULL) WITH CHECK (ac.dealer() IS NULL)"
        ));
        self
    }

    /// Rows carry `staff_id`, and a technician sees their own only.
    pub(crate) fn by_technician(self) -> Self {
        self.narrowed("technician", "staff_id")
    }

    fn narrowed(mut self, by: &str, column: &str) -> Self {
        let name = self.name;
        self.policies.push(format!(
            "CREATE POLICY {name}__{by} ON {name} AS RESTRICTIVE TO aftercare_app
                 USING (ac.{by}() IS NULL OR {column} = ac.{by}())
                 WITH CHECK (ac.{by}() IS NULL OR {column} = ac.{by}())"
        ));
        if by == "dealer" {
            self.indexes.push(format!(
                "CREATE INDEX {name}__by_dealer ON {name} (tenant_id, dealer_id, id)"
            ));
        }
        self
    }

    /// Rows are never changed.
    pub(crate) fn append_only(mut self) -> Self {
        self.grants = "SELECT, INSERT";
        self
    }

    /// Rows may be deleted, because something else is the record of what happened.
    pub(crate) fn deletable(mut self) -> Self {
        self.grants = "SELECT, INSERT, UPDATE, DELETE";
        self
    }

    /// Creates the table behind its walls.
    pub(crate) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&self.sql()).await?;
        Ok(())
    }

    fn sql(&self) -> String {
        let Self { name, columns, key, grants, .. } = self;
        let mut body = format!("tenant_id uuid NOT NULL, {key}, {columns}");
        for constraint in &self.constraints {
            body = format!("{body}, {constraint}");
        }
        let mut sql = format!(
            "CREATE TABLE {name} ({body});
             ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {name} FORCE ROW LEVEL SECURITY;
             CREATE POLICY {name}__tenant ON {name} TO aftercare_app
                 USING (tenant_id = ac.tenant()) WITH CHECK (tenant_id = ac.tenant());
             GRANT {grants} ON {name} TO aftercare_app;"
        );
        for statement in self.policies.iter().chain(&self.indexes) {
            sql = format!("{sql}{statement};");
        }
        sql
    }
}
