//! Tables `import_file` and `import_chunk`.

pub mod file;

use crate::{Fault, Tenant, listed, table, words};
use domain::{
    ids::{DealerId, ImportId, OperationId, ProductId, SiteId},
    imports::{CHUNK_ROWS, Import, ImportFormat, ImportKind, ImportOptions, columns::Cells},
    text::Source,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    Select, Value,
};
use uuid::Uuid;

words!(ImportFormat, ImportKind);

table! {
    /// Files that were handed in.
    import_file = "import_file" of Import {
        [options: ImportOptions {
            kind: ImportKind,
            dry_run: bool,
            source: Source,
            dealer_id: Option<DealerId>,
            site_id: Option<SiteId>,
            product_id: Option<ProductId>,
        }],
        operation_id: OperationId,
        format: ImportFormat,
        row_count: u32,
        created_at: Timestamp,
    } append_only
}

listed! {
    Import = import_file [CreatedAt;] usually newest;
}

/// Files, of one dealer where it is given.
pub fn files(dealer: Option<DealerId>) -> Select<import_file::Entity> {
    import_file::Entity::find()
        .apply_if(dealer, |all, id| all.filter(import_file::Column::DealerId.eq(Uuid::from(id))))
}

impl Tenant {
    /// Keeps the rows of a file, in the chunks in which they will be taken over.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn keep_rows(&self, import: ImportId, rows: &[Cells]) -> Result<(), Fault> {
        let sql = "INSERT INTO import_chunk (tenant_id, import_id, from_row, rows)
                   VALUES ($1, $2, $3, $4)";
        let size = usize::try_from(CHUNK_ROWS).unwrap_or(usize::MAX);
        for (from_row, chunk) in (0_u32..).step_by(size).zip(rows.chunks(size)) {
            let [tenant, import, from_row] = self.chunk(import, from_row);
            let rows = serde_json::to_value(chunk)?;
            let statement = self.statement(sql, [tenant, import, from_row, rows.into()]);
            self.work().execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Takes the rows of one chunk out of the store; `None` when they were taken before.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or the rows cannot be read.
    pub async fn take_rows(
        &self,
        import: ImportId,
        from_row: u32,
    ) -> Result<Option<Vec<Cells>>, Fault> {
        let sql = "DELETE FROM import_chunk
                   WHERE tenant_id = $1 AND import_id = $2 AND from_row = $3 RETURNING rows";
        let statement = self.statement(sql, self.chunk(import, from_row));
        let Some(row) = self.work().query_one_raw(statement).await? else { return Ok(None) };
        let rows: serde_json::Value = row.try_get("", "rows")?;
        Ok(Some(serde_json::from_value(rows)?))
    }

    fn chunk(&self, import: ImportId, from_row: u32) -> [Value; 3] {
        let from_row = i32::try_from(from_row).unwrap_or(i32::MAX);
        [Uuid::from(self.id()).into(), Uuid::from(import).into(), from_row.into()]
    }
}
