//! What pushes have in common: one after the other for each name, and searching by beginnings.

use crate::{Fault, Tenant};
use sea_orm::{
    ColumnTrait, ConnectionTrait as _,
    sea_query::{BinOper, Expr, ExprTrait as _},
};

/// Texts that begin with `beginning`, by the operator that keeps its index behind row-level security.
pub(crate) fn begins_with(column: impl ColumnTrait, beginning: &str) -> Expr {
    Expr::col(column.as_column_ref()).binary(BinOper::Custom("^@"), beginning)
}

impl Tenant {
    /// Waits until nobody else pushes the record of this name, and keeps others waiting until this
    /// tenant is done, so that two first pushes at once are a creation and a repetition.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn push_alone(&self, kind: &str, source: &str, name: &str) -> Result<(), Fault> {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        let record = format!("{}/{kind}/{source}/{name}", self.id());
        self.work().execute_raw(self.statement(sql, [record.into()])).await?;
        Ok(())
    }
}
