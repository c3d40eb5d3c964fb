//! Which columns a file has, and what stands in them.

use super::ImportKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The filled cells of one row, by column. Empty cells are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cells(BTreeMap<String, String>);

impl Cells {
    /// What stands in `column`.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    /// The first column in which `sign` stands.
    pub(super) fn with(&self, sign: char) -> Option<&str> {
        self.0.iter().find(|(_, text)| text.contains(sign)).map(|(column, _)| column.as_str())
    }
}

impl FromIterator<(String, String)> for Cells {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(cells: I) -> Self {
        Self(cells.into_iter().filter(|(_, text)| !text.is_empty()).collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Cells {
    fn from(cells: [(&str, &str); N]) -> Self {
        Self(cells.map(|(column, text)| (column.to_owned(), text.to_owned())).into())
    }
}

/// A column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in the first row.
    pub name: &'static str,
    /// Whether a file without it is refused.
    pub need: ColumnNeed,
}

/// Whether a file can do without a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnNeed {
    /// It cannot.
    Required,
    /// It can.
    Optional,
}

const fn required(name: &'static str) -> Column {
    Column { name, need: ColumnNeed::Required }
}

const fn optional(name: &'static str) -> Column {
    Column { name, need: ColumnNeed::Optional }
}

impl ImportKind {
    /// The columns of such a file. The first one names the record, once in a file.
    pub fn columns(self) -> &'static [Column] {
        const ORDERS: &[Column] = &[
            required("order_external_id"),
            required("customer_external_id"),
            required("paid_on"),
            required("quantity"),
            required("price_minor"),
            required("currency"),
            optional("sku"),
            optional("cost_minor"),
        ];
        const CUSTOMERS: &[Column] = &[
            required("customer_external_id"),
            required("name"),
            optional("kind"),
            optional("locale"),
            optional("phone"),
            optional("email"),
            optional("tier"),
        ];
        const ASSETS: &[Column] = &[
            required("asset_external_id"),
            required("customer_external_id"),
            optional("sku"),
            optional("serial"),
            optional("address"),
            optional("delivered_on"),
        ];
        match self {
            Self::Orders => ORDERS,
            Self::Customers => CUSTOMERS,
            Self::Assets => ASSETS,
        }
    }

    /// Whether such a file may have `column`.
    pub(super) fn knows(self, column: &str) -> bool {
        self.columns().iter().any(|known| known.name == column)
    }

    /// The names of the columns, for people.
    pub(super) fn column_names(self) -> Vec<&'static str> {
        self.columns().iter().map(|column| column.name).collect()
    }
}
