//! Lists, a page at a time: keyset paging that stays right while rows come and go.

use crate::table::Table;
use domain::{
    ids::TenantId,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
};
use sea_orm::{EntityTrait, IdenStatic as _, Select, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Records on a page when the caller does not say.
pub const USUAL_LIMIT: u16 = 50;
/// Most records on a page: what a caller can wait for, and we can hold in memory for everyone.
pub const MOST_LIMIT: u16 = 200;

/// A question for records of a kind.
pub type Query<R> = Select<<R as Table>::Entity>;

/// The place where a page ended does not belong to this list.
pub static INVALID_CURSOR: Rule = Rule {
    code: "invalid_cursor",
    kind: Kind::Malformed,
    title: Bilingual { en: "Unknown page", zh: "分页游标无效" },
    detail: Bilingual {
        en: "The cursor was not made by this list.",
        zh: "该游标不是由此列表生成的。",
    },
    advice: Bilingual {
        en: "Pass `next_cursor` on as it was, with the same parameters, or begin without a cursor.",
        zh: "请原样传回 `next_cursor` 并保持其他参数不变，或不带游标重新开始。",
    },
};

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// At most so many records, 1 to [`MOST_LIMIT`].
    pub limit: u16,
    /// After the place where another page ended: what [`Slice::next`] said. It is trusted; callers
    /// must not be able to make one up.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Slice<R> {
    /// The records, in the order of the list.
    pub items: Vec<R>,
    /// Where to go on, when there is more.
    pub next: Option<String>,
}

/// In which order a list comes; the identifier decides between equals.
#[derive(Debug, Clone, Copy)]
pub struct Order<E: EntityTrait> {
    /// The column; the identifier alone, and so the moment of creation, when absent.
    pub column: Option<E::Column>,
    /// The last first.
    pub descending: bool,
}

impl<E: EntityTrait> Order<E> {
    /// The newest first.
    pub fn newest() -> Self {
        Self { column: None, descending: true }
    }

    /// The oldest first.
    pub fn oldest() -> Self {
        Self { column: None, descending: false }
    }

    /// By `column`, the least first.
    pub fn by(column: E::Column) -> Self {
        Self { column: Some(column), descending: false }
    }

    /// The other way round.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// A name for the order, so that a cursor is not used with another.
    pub(crate) fn name(&self) -> String {
        let column = self.column.map(|column| column.as_str().to_owned());
        format!("{}{}", if self.descending { "-" } else { "" }, column.unwrap_or_default())
    }
}

/// A kind of record that lists show: what they may be sorted by, and how they come when nobody says.
///
/// A column is named once, by [`listed!`](crate::listed!); its name on the wire is that of the field it
/// holds. None of them is ever null, because no page could end between rows without a value.
pub trait Listed: Table {
    /// The column that says when a record was made; identifiers come in that order. `None` where no field
    /// says so.
    const MADE: Option<<Self::Entity as EntityTrait>::Column>;
    /// The other columns.
    const COLUMNS: &'static [<Self::Entity as EntityTrait>::Column];

    /// How the list comes when nobody says.
    fn usual() -> Order<Self::Entity>;

    /// Every order that may be asked for, with its name on the wire; a `-` in front is the last first.
    fn orders() -> Vec<(String, Order<Self::Entity>)> {
        let made = Self::MADE.map(|column| (column, Order::oldest()));
        let columns = Self::COLUMNS.iter().map(|column| (*column, Order::by(*column)));
        let both = |(column, order): (<Self::Entity as EntityTrait>::Column, Order<_>)| {
            let name = column.as_str();
            [(name.to_owned(), order), (format!("-{name}"), order.reversed())]
        };
        made.into_iter().chain(columns).flat_map(both).collect()
    }

    /// The name on the wire of how the list comes when nobody says.
    fn usual_name() -> String {
        let usual = Self::usual().name();
        let found = Self::orders().into_iter().find(|(_, order)| order.name() == usual);
        found.map(|(name, _)| name).unwrap_or_default()
    }
}

/// Says of kinds of records what lists of them are sorted by: first the column that says when a record was
/// made, then the others, then how the list comes when nobody says.
#[macro_export]
macro_rules! listed {
    ($($record:ident = $table:ident [$($made:ident)?; $($column:ident),*] usually $($usual:ident)+;)*) => {$(
        impl $crate::page::Listed for $record {
            const MADE: Option<$table::Column> = $crate::listed!(@made $table $($made)?);
            const COLUMNS: &'static [$table::Column] = &[$($table::Column::$column),*];

            fn usual() -> $crate::page::Order<$table::Entity> {
                $crate::listed!(@usual $table $($usual)+)
            }
        }
    )*};
    (@usual $table:ident newest) => { $crate::page::Order::newest() };
    (@usual $table:ident oldest) => { $crate::page::Order::oldest() };
    (@usual $table:ident by $column:ident) => { $crate::page::Order::by($table::Column::$column) };
    (@made $table:ident) => { None };
    (@made $table:ident $made:ident) => { Some($table::Column::$made) };
}

/// The place where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    tenant: Uuid,
    order: String,
    pub(crate) mark: Option<Mark>,
    pub(crate) id: Uuid,
}

/// The value of the ordering column where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Mark {
    At(chrono::DateTime<chrono::Utc>),
    On(chrono::NaiveDate),
    Text(String),
    Number(i64),
}

impl Cursor {
    pub(crate) fn new<E: EntityTrait>(
        tenant: TenantId,
        order: &Order<E>,
        mark: Option<Mark>,
        id: Uuid,
    ) -> Self {
        Self { tenant: tenant.into(), order: order.name(), mark, id }
    }

    /// Reads a cursor made for the same tenant and order.
    pub(crate) fn read<E: EntityTrait>(
        text: &str,
        tenant: TenantId,
        order: &Order<E>,
    ) -> Result<Self, Refusal> {
        let invalid = || Refusal::new(&INVALID_CURSOR).at("cursor");
        let cursor: Self = serde_json::from_str(text).map_err(|_| invalid())?;
        let fits = cursor.tenant == Uuid::from(tenant)
            && cursor.order == order.name()
            && cursor.mark.is_some() == order.column.is_some();
        if fits { Ok(cursor) } else { Err(invalid()) }
    }

    /// The cursor in plain text; whoever hands it to callers seals it first.
    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Mark {
    /// The value of an ordering column as a mark; `None` for types no list is ordered by.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver's kinds of value, not ours")]
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::ChronoDateTimeUtc(at) => at.map(Self::At),
            Value::ChronoDate(on) => on.map(Self::On),
            Value::String(text) => text.map(Self::Text),
            Value::BigInt(number) => number.map(Self::Number),
            Value::Int(number) => number.map(i64::from).map(Self::Number),
            _ => None,
        }
    }
}

impl From<Mark> for Value {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::At(at) => at.into(),
            Mark::On(on) => on.into(),
            Mark::Text(text) => text.into(),
            Mark::Number(number) => number.into(),
        }
    }
}
