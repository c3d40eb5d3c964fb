//! Imports: a file of records from another system, taken over row by row.
//!
//! A file is read as a whole before anything is written: what is wrong with the file refuses it
//! ([`mod@file`]), what is wrong with a row ([`rows`]) concerns this row only.

pub mod columns;
pub mod file;
pub mod rows;

use crate::{
    change::Change,
    event::Event,
    identity::Reach,
    ids::{DealerId, ImportId, OperationId, ProductId, RowErrorId, SiteId},
    invalid::Invalid,
    pushes::check_site,
    record::Record,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Locale, Source},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The most rows of one file: about a year of a large dealer's sales, and few enough to be read
/// while the caller waits for the answer.
pub const MOST_ROWS: u32 = 100_000;

/// The largest file, in bytes: [`MOST_ROWS`] rows of 160 characters, and small enough to be held in
/// memory.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How many rows are taken over in one transaction: enough to share the cost of a commit, and few
/// enough that other work gets its turn and a restart repeats little.
pub const CHUNK_ROWS: u32 = 250;

/// A file of records that was handed in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Import {
    /// Its identifier.
    pub id: ImportId,
    /// The operation that tells how far it has come.
    pub operation_id: OperationId,
    /// How the file is written.
    pub format: ImportFormat,
    /// What was asked for with it.
    #[serde(flatten)]
    pub options: ImportOptions,
    /// How many rows it has.
    pub row_count: u32,
    /// When it was handed in.
    pub created_at: Timestamp,
}

/// What is asked for with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportOptions {
    /// What the rows are.
    pub kind: ImportKind,
    /// Whether the rows are only looked at: the outcome is counted and errors are listed as if, and
    /// nothing is written. `false` when left out.
    #[serde(default)]
    pub dry_run: bool,
    /// The system the external ids in the file are from; `api` when left out.
    #[serde(default)]
    pub source: Source,
    /// The dealer whose records they are. Orders need one.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// The dealer's site of new orders and assets.
    #[serde(default)]
    pub site_id: Option<SiteId>,
    /// The product of orders and assets whose row names no `sku`.
    #[serde(default)]
    pub product_id: Option<ProductId>,
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Sales, one a row. A customer who is not known yet is created under their external id.
    Orders,
    /// Customers, one a row.
    Customers,
    /// Sold things, one a row. A customer who is not known yet is created under their external id.
    Assets,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// Comma-separated values (RFC 4180) with the names of the columns in the first row.
    Csv,
    /// One JSON object a line, with the names of the columns as members.
    Ndjson,
}

/// How a file was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedIn {
    /// How it is written.
    pub format: ImportFormat,
    /// How many rows it has.
    pub row_count: u32,
    /// How much of the brand they see who handed it in: its rows see no more.
    pub reach: Reach,
}

/// A row of a file that was left out; the others were taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowError {
    /// Its identifier.
    pub id: RowErrorId,
    /// What is wrong with the row.
    #[serde(flatten)]
    pub mistake: RowMistake,
    /// The operation that left it out.
    pub operation_id: OperationId,
}

/// What is wrong with one row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"row": 17, "column": "paid_on", "code": "invalid_date",
    "message": "expected a date that exists, such as 2026-11-22"})))]
pub struct RowMistake {
    /// Which row, from 1; the names of the columns do not count.
    pub row: u32,
    /// Which column; null when the row as a whole is refused.
    pub column: Option<String>,
    /// A stable name for the mistake, such as `required` or `order_settled`.
    pub code: String,
    /// The mistake in a sentence.
    pub message: String,
}

impl RowMistake {
    /// A row that a rule refused as a whole.
    pub fn refused(row: u32, refusal: &Refusal) -> Self {
        let message = refusal.detail(Locale::English);
        Self { row, column: None, code: refusal.rule.code.to_owned(), message }
    }

    /// A row whose place is taken by a record that the import does not see, and of which it says no more.
    pub fn taken(row: u32, column: Option<&str>) -> Self {
        let Invalid { code, message, .. } = already_there();
        Self { row, column: column.map(str::to_owned), code, message }
    }

    /// A row with something wrong in one column.
    pub fn in_column(row: u32, column: &str, Invalid { code, message, .. }: Invalid) -> Self {
        Self { row, column: Some(column.to_owned()), code, message }
    }
}

/// A name, or a number, that a record has already.
pub fn already_there() -> Invalid {
    Invalid::new("already_exists", "there is such a record already").in_chinese("已有这样的记录")
}

impl Record for RowError {
    type Id = RowErrorId;

    fn id(&self) -> RowErrorId {
        self.id
    }
}

impl Import {
    /// Accepts a file and lets its rows be taken over, within the reach of whoever handed it in.
    pub fn accept(
        id: ImportId,
        operation_id: OperationId,
        options: ImportOptions,
        handed_in: HandedIn,
        now: Timestamp,
    ) -> Change<Self> {
        let HandedIn { format, row_count, reach } = handed_in;
        let import = Self { id, operation_id, format, options, row_count, created_at: now };
        let begin = Event::ImportContinued { import: id, from_row: 0, within: reach.dealer };
        Change::created(import).emits(begin)
    }

    /// What follows when the rows of the chunk at `from_row` are done: the next chunk, if there is
    /// one, within the same reach.
    pub fn next_chunk(&self, from_row: u32, reach: Reach) -> Option<Event> {
        let (from_row, within) = (from_row.saturating_add(CHUNK_ROWS), reach.dealer);
        let next = Event::ImportContinued { import: self.id, from_row, within };
        (from_row < self.row_count).then_some(next)
    }
}

impl ImportOptions {
    /// Refuses what cannot be asked for together. `site_dealer` is the dealer of the site, if one is
    /// named.
    ///
    /// # Errors
    ///
    /// [`IMPORT_WITHOUT_DEALER`], [`IMPORT_OPTION_UNUSED`],
    /// [`pushes::SITE_OF_ANOTHER_DEALER`](crate::pushes::SITE_OF_ANOTHER_DEALER).
    pub fn check(&self, site_dealer: Option<DealerId>) -> Result<(), Refusal> {
        match self.kind {
            ImportKind::Orders => self.dealer().map(|_| ())?,
            ImportKind::Assets => {}
            ImportKind::Customers => {
                unused("site_id", self.site_id.is_some())?;
                unused("product_id", self.product_id.is_some())?;
            }
        }
        check_site(self.dealer_id, site_dealer)
    }

    /// The dealer, where there must be one.
    ///
    /// # Errors
    ///
    /// [`IMPORT_WITHOUT_DEALER`].
    pub fn dealer(&self) -> Result<DealerId, Refusal> {
        self.dealer_id.ok_or_else(|| Refusal::new(&IMPORT_WITHOUT_DEALER).at("dealer_id"))
    }
}

fn unused(option: &str, is_given: bool) -> Result<(), Refusal> {
    if is_given {
        return Err(Refusal::new(&IMPORT_OPTION_UNUSED).with("option", option).at(option));
    }
    Ok(())
}

impl Record for Import {
    type Id = ImportId;

    fn id(&self) -> ImportId {
        self.id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.options.dealer_id
    }
}

/// Orders of nobody.
pub static IMPORT_WITHOUT_DEALER: Rule = Rule {
    code: "import_without_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "Orders need a dealer", zh: "导入订单需要经销商" },
    detail: Bilingual {
        en: "The file holds orders, and `dealer_id` does not say who sold.",
        zh: "文件内容为订单，但未用 `dealer_id` 说明由谁销售。",
    },
    advice: Bilingual {
        en: "Give `dealer_id`; hand in one file for each dealer.",
        zh: "请提供 `dealer_id`，并为每个经销商分别提交文件。",
    },
};

/// An option that means nothing for the kind of file.
pub static IMPORT_OPTION_UNUSED: Rule = Rule {
    code: "import_option_unused",
    kind: Kind::Unfit,
    title: Bilingual { en: "The option means nothing here", zh: "该选项在此无意义" },
    detail: Bilingual { en: "Customers have no `{option}`.", zh: "客户没有 `{option}`。" },
    advice: Bilingual { en: "Leave the option out.", zh: "请去掉该选项。" },
};

/// The rules of this folder.
pub static RULES: &[&Rule] = &[
    &IMPORT_WITHOUT_DEALER,
    &IMPORT_OPTION_UNUSED,
    &file::FILE_NOT_UTF8,
    &file::FILE_EMPTY,
    &file::COLUMNS_MISSING,
    &file::COLUMN_UNKNOWN,
    &file::COLUMN_TWICE,
    &file::ROW_LENGTH_DIFFERS,
    &file::LINE_BREAK_IN_FIELD,
    &file::LINE_NOT_AN_OBJECT,
    &file::WRONG_SEPARATOR,
    &file::QUOTE_NOT_CLOSED,
    &file::NUL_IN_FIELD,
    &file::ROW_REPEATED,
    &file::TOO_MANY_ROWS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::SITE_OF_ANOTHER_DEALER;
    use serde_json::json;
    use uuid::Uuid;

    fn options(kind: &str) -> ImportOptions {
        serde_json::from_value(json!({ "kind": kind })).unwrap()
    }

    fn dealer(number: u128) -> DealerId {
        Uuid::from_u128(number).into()
    }

    #[test]
    fn orders_need_a_dealer_and_customers_have_no_product() {
        assert_eq!(options("orders").check(None).unwrap_err().rule, &IMPORT_WITHOUT_DEALER);
        let of_dealer = ImportOptions { dealer_id: Some(dealer(1)), ..options("orders") };
        assert_eq!(of_dealer.check(None), Ok(()));
        assert_eq!(of_dealer.check(Some(dealer(1))), Ok(()));
        let elsewhere = of_dealer.check(Some(dealer(2))).unwrap_err();
        assert_eq!(elsewhere.rule, &SITE_OF_ANOTHER_DEALER);
        assert_eq!(options("customers").check(None), Ok(()));
        let product_id = Some(Uuid::from_u128(1).into());
        let of_product = ImportOptions { product_id, ..options("customers") };
        assert_eq!(of_product.check(None).unwrap_err().facts["option"], "product_id");
    }

    #[test]
    fn a_file_of_one_chunk_and_one_row_has_two_chunks() {
        let id = ImportId::from(Uuid::from_u128(1));
        let within = Some(dealer(1));
        let reach = Reach { dealer: within, technician: None };
        let of = |rows| {
            let operation = Uuid::from_u128(2).into();
            let format = ImportFormat::Csv;
            let file = HandedIn { format, row_count: rows, reach };
            let now = "2026-11-22T09:00:00Z".parse().unwrap();
            Import::accept(id, operation, options("customers"), file, now).record
        };
        let second = Event::ImportContinued { import: id, from_row: CHUNK_ROWS, within };
        assert_eq!(second.reach(), reach);
        assert_eq!(of(CHUNK_ROWS).next_chunk(0, reach), None);
        assert_eq!(of(CHUNK_ROWS + 1).next_chunk(0, reach), Some(second));
        assert_eq!(of(CHUNK_ROWS + 1).next_chunk(CHUNK_ROWS, reach), None);
    }
}
