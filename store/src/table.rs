//! The bridge between domain records and tables: a field is named once, here, with its domain type.

use domain::{
    complaints, conditions,
    identity::Rank,
    ids::{self, TenantId},
    money::{BasisPoints, Currency, Minor, Money},
    record::{Record, Version},
    text,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use sea_orm::{
    ColIdx, DbErr, EntityTrait, IntoActiveModel, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Expr, Nullable, ValueType, ValueTypeErr},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A domain record kept in a table that tenants own.
///
/// The table's primary key is the pair of tenant and identifier, in that order. The bound on
/// [`Table::Entity`] rejects any other table at compile time, so a statement built from a key always
/// names its tenant. Made by [`table!`](crate::table!).
pub trait Table: Record {
    /// The table.
    type Entity: EntityTrait<
            Model: IntoActiveModel<<Self::Entity as EntityTrait>::ActiveModel> + Row,
            ActiveModel: Send,
            PrimaryKey: sea_orm::PrimaryKeyTrait<ValueType = (Uuid, Uuid)>,
        >;

    /// The column that names the tenant.
    const TENANT: <Self::Entity as EntityTrait>::Column;
    /// The column that names the record.
    const ID: <Self::Entity as EntityTrait>::Column;
    /// The column that counts changes; `None` for tables whose rows never change.
    const VERSION: Option<<Self::Entity as EntityTrait>::Column>;

    /// The record as a row of `tenant`.
    fn row(&self, tenant: TenantId) -> <Self::Entity as EntityTrait>::Model;

    /// The record in a row.
    fn record(row: <Self::Entity as EntityTrait>::Model) -> Self;
}

/// A row of a table, with its columns in the order in which they are declared.
pub trait Row: Sized {
    /// Reads a row that holds all columns in that order: by place, where sea-orm looks each up by its name, which
    /// pages of rows have no time for.
    ///
    /// # Errors
    ///
    /// [`DbErr`] when a column holds what the domain does not know.
    fn read(columns: Columns<'_>) -> Result<Self, DbErr>;
}

/// The columns of a row, read one after the other.
#[derive(Debug)]
pub struct Columns<'r> {
    row: &'r QueryResult,
    next: usize,
}

impl<'r> Columns<'r> {
    /// From the first on.
    pub fn of(row: &'r QueryResult) -> Self {
        Self { row, next: 0 }
    }

    /// Takes the next one.
    ///
    /// # Errors
    ///
    /// [`DbErr`] when it holds what the domain does not know.
    pub fn take<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let place = self.next;
        self.next = place.saturating_add(1);
        self.row.try_get_by_index(place)
    }
}

/// A domain value that a column can hold.
pub trait Stored: Sized {
    /// What the database driver calls it.
    type Sql: TryGetable + Into<Value> + ValueType;

    /// The value for the column.
    fn to_sql(&self) -> Self::Sql;

    /// The value in the column.
    ///
    /// # Errors
    ///
    /// A sentence when the column holds what the domain does not know.
    fn from_sql(sql: Self::Sql) -> Result<Self, String>;
}

/// A domain value in a column. A value that the domain does not know is an error when the row is read,
/// not when it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Col<T>(pub T);

impl<T: Stored> From<Col<T>> for Value {
    fn from(column: Col<T>) -> Self {
        column.0.to_sql().into()
    }
}

impl<T: Stored> TryGetable for Col<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, TryGetError> {
        let sql = T::Sql::try_get_by(row, column)?;
        T::from_sql(sql).map(Self).map_err(|what| TryGetError::DbErr(DbErr::Type(what)))
    }
}

impl<T: Stored> ValueType for Col<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let sql = <T::Sql as ValueType>::try_from(value)?;
        T::from_sql(sql).map(Self).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        T::Sql::type_name()
    }

    fn array_type() -> ArrayType {
        T::Sql::array_type()
    }

    fn column_type() -> ColumnType {
        T::Sql::column_type()
    }
}

impl<T: Stored<Sql: Nullable>> Nullable for Col<T> {
    fn null() -> Value {
        T::Sql::null()
    }
}

impl<T: Stored> Stored for Option<T>
where
    Option<T::Sql>: TryGetable + Into<Value> + ValueType,
{
    type Sql = Option<T::Sql>;

    fn to_sql(&self) -> Self::Sql {
        self.as_ref().map(T::to_sql)
    }

    fn from_sql(sql: Self::Sql) -> Result<Self, String> {
        sql.map(T::from_sql).transpose()
    }
}

/// Makes a serde type storable as a `jsonb` document: payload that is never searched.
#[macro_export]
macro_rules! documents {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::table::Stored for $name {
            type Sql = serde_json::Value;

            fn to_sql(&self) -> Self::Sql {
                serde_json::to_value(self).unwrap_or_default()
            }

            fn from_sql(sql: Self::Sql) -> Result<Self, String> {
                serde_json::from_value(sql).map_err(|error| error.to_string())
            }
        }
    )*};
}

/// Makes a whole number within limits storable.
#[macro_export]
macro_rules! numbers {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::table::Stored for $name {
            type Sql = i32;

            fn to_sql(&self) -> i32 {
                $crate::table::Stored::to_sql(&self.get())
            }

            fn from_sql(sql: i32) -> Result<Self, String> {
                let number = <u32 as $crate::table::Stored>::from_sql(sql)?;
                Self::new(number).map_err(|mistake| mistake.message)
            }
        }
    )*};
}

/// Makes a domain enumeration storable as text, under the name it has on the wire.
#[macro_export]
macro_rules! words {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::table::Stored for $name {
            type Sql = String;

            fn to_sql(&self) -> Self::Sql {
                $crate::table::word(self)
            }

            fn from_sql(sql: Self::Sql) -> Result<Self, String> {
                $crate::table::read_word(sql)
            }
        }
    )*};
}

/// The wire name of an enumeration's value.
pub fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// The enumeration's value with this wire name.
///
/// # Errors
///
/// A sentence when there is none.
pub fn read_word<T: DeserializeOwned>(name: String) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

/// Whether the document in a column holds these.
pub(crate) fn holds(column: &'static str, wanted: serde_json::Value) -> Expr {
    Expr::cust_with_values(format!("{column} @> $1"), [wanted])
}

macro_rules! stored_as_text {
    ($($name:ty),* $(,)?) => {$(
        impl Stored for $name {
            type Sql = String;

            fn to_sql(&self) -> String {
                self.to_string()
            }

            fn from_sql(sql: String) -> Result<Self, String> {
                sql.parse().map_err(|mistake: domain::invalid::Invalid| mistake.message)
            }
        }
    )*};
}

stored_as_text! {
    Currency, WallTime, Zone, text::Name, text::Line, text::Prose, text::Code, text::Slug,
    text::ExternalId, text::Sku, text::Phone, text::Email, text::Source, ids::AnyId,
    conditions::Condition, complaints::LogHash,
}

crate::words!(text::Locale);
crate::documents!(Money);
crate::documents!(Vec<String>);

macro_rules! stored_ids {
    ($($name:ident),* $(,)?) => {$(
        impl Stored for ids::$name {
            type Sql = Uuid;

            fn to_sql(&self) -> Uuid {
                (*self).into()
            }

            fn from_sql(sql: Uuid) -> Result<Self, String> {
                Ok(sql.into())
            }
        }
    )*};
}

stored_ids! {
    TenantId, DealerId, SiteId, StaffId, ApiKeyId, SigningKeyId, IssuerId, CustomerId, ProductId,
    AssetId, OrderId, OrderLineId, SopId, SopVersionId, SopAcknowledgementId, SopRunId, SopRunStepId, AllowancePolicyId,
    AllowanceAccountId, AllowanceLotId, AllowanceEntryId, AuthorityLimitId, GestureRulesId, AllowanceBudgetId,
    AllowanceBudgetEntryId, AllowanceShortfallId, TeamId, GestureId, ApprovalId,
    PlanTemplateId, EnrolmentId, OccurrenceId, WorkOrderId, AppointmentId, ComplaintId, RemedyId,
    ResolutionId, CustomerWordId, LogEntryId, SurveyId, InvitationId, ResponseId, MessageId, OperationId, ImportId, RowErrorId, JobId,
    AuditEntryId, ClockId, ServiceItemId, ServiceBenchmarkId, ItemClassChangeId, InventoryAuditId,
    InventoryLineId, GiftItemId, GiftBundleId,
    FindingId, SopEvidenceId,
    SopTriggerId, CustomerEventId, CalendarId, CalendarExceptionId,
    SlaPolicyId, SlaVersionId, SlaClockId, SlaEventId,
    RmaId, CorrectiveActionId, CancellationId,
    ComplaintMessageId, ComplaintAttachmentId, ComplaintPublicationId, ComplaintBoardId,
    FilingLinkId,
}

macro_rules! stored_plainly {
    ($($name:ty),* $(,)?) => {$(
        impl Stored for $name {
            type Sql = $name;

            fn to_sql(&self) -> $name {
                self.clone()
            }

            fn from_sql(sql: $name) -> Result<Self, String> {
                Ok(sql)
            }
        }
    )*};
}

stored_plainly!(bool, i32, i64, String, Uuid, Vec<u8>, serde_json::Value);

macro_rules! stored_by {
    ($($name:ty: $sql:ty, |$value:ident| $to:expr, |$stored:ident| $from:expr;)*) => {$(
        impl Stored for $name {
            type Sql = $sql;

            fn to_sql(&self) -> $sql {
                let $value = self;
                $to
            }

            fn from_sql($stored: $sql) -> Result<Self, String> {
                $from
            }
        }
    )*};
}

stored_by! {
    Timestamp: chrono::DateTime<chrono::Utc>, |at| (*at).into(), |sql| Ok(sql.into());
    CivilDate: chrono::NaiveDate, |on| (*on).into(), |sql| Ok(sql.into());
    Minor: i64, |amount| amount.get(), |sql| Minor::new(sql).map_err(|mistake| mistake.message);
    Version: i64, |version| version.get(), |sql| Ok(sql.into());
    BasisPoints: i32, |share| fit(share.get()).unwrap_or(i32::MAX), |sql| {
        BasisPoints::new(fit(sql)?).map_err(|mistake| mistake.message)
    };
    u32: i32, |number| fit(*number).unwrap_or(i32::MAX), |sql| fit(sql);
    u8: i16, |number| i16::from(*number), |sql| fit(sql);
    Rank: i16, |rank| i16::from(rank.get()), |sql| fit(sql).map(Rank::from_number);
}

/// The same number in another width.
fn fit<A, B: TryFrom<A>>(number: A) -> Result<B, String> {
    B::try_from(number).map_err(|_| "a number is out of its range".to_owned())
}

/// Declares the table of a record: its sea-orm entity, and the way from record to row and back.
///
/// ```ignore
/// table! {
///     /// Customers.
///     customer = "customer" of Customer {
///         [details: CustomerDetails { name: Name, locale: Locale }],
///         lifecycle: Lifecycle,
///         created_at: Timestamp,
///     } versioned
/// }
/// ```
///
/// Columns have the names of the fields; those of a group in brackets stand in the table
/// beside the others.
/// `versioned` tables count changes in `version`; others end in `append_only`.
#[macro_export]
macro_rules! table {
    (
        $(#[$doc:meta])*
        $table:ident = $name:literal of $record:ident {
            $([$group:ident: $details:ident { $($inner:ident: $inner_type:ty),* $(,)? }],)?
            $($field:ident: $field_type:ty),* $(,)?
        } versioned
    ) => {
        $crate::table! { @entity
            $(#[$doc])* $table = $name { $($($inner: $inner_type,)*)? $($field: $field_type,)* version: domain::record::Version, }
        }

        impl $crate::table::Table for $record {
            type Entity = $table::Entity;
            const TENANT: $table::Column = $table::Column::TenantId;
            const ID: $table::Column = $table::Column::Id;
            const VERSION: Option<$table::Column> = Some($table::Column::Version);

            fn row(&self, tenant: domain::ids::TenantId) -> $table::Model {
                $table::Model {
                    tenant_id: tenant.into(),
                    id: self.id.into(),
                    $($($inner: $crate::table::Col(self.$group.$inner.clone()),)*)?
                    $($field: $crate::table::Col(self.$field.clone()),)*
                    version: $crate::table::Col(self.version),
                }
            }

            fn record(row: $table::Model) -> Self {
                Self {
                    id: row.id.into(),
                    $($group: $details { $($inner: row.$inner.0,)* },)?
                    $($field: row.$field.0,)*
                    version: row.version.0,
                }
            }
        }
    };
    (
        $(#[$doc:meta])*
        $table:ident = $name:literal of $record:ident {
            $([$group:ident: $details:ident { $($inner:ident: $inner_type:ty),* $(,)? }],)?
            $($field:ident: $field_type:ty),* $(,)?
        } append_only
    ) => {
        $crate::table! { @entity
            $(#[$doc])* $table = $name { $($($inner: $inner_type,)*)? $($field: $field_type,)* }
        }

        impl $crate::table::Table for $record {
            type Entity = $table::Entity;
            const TENANT: $table::Column = $table::Column::TenantId;
            const ID: $table::Column = $table::Column::Id;
            const VERSION: Option<$table::Column> = None;

            fn row(&self, tenant: domain::ids::TenantId) -> $table::Model {
                $table::Model {
                    tenant_id: tenant.into(),
                    id: self.id.into(),
                    $($($inner: $crate::table::Col(self.$group.$inner.clone()),)*)?
                    $($field: $crate::table::Col(self.$field.clone()),)*
                }
            }

            fn record(row: $table::Model) -> Self {
                Self {
                    id: row.id.into(),
                    $($group: $details { $($inner: row.$inner.0,)* },)?
                    $($field: row.$field.0,)*
                }
            }
        }
    };
    (@entity $(#[$doc:meta])* $table:ident = $name:literal { $($field:ident: $field_type:ty,)* }) => {
        $(#[$doc])*
        pub mod $table {
            use super::*;
            // The derive reads types as text, and cannot read a path that begins with `$crate`.
            use $crate::table::Col;
            use sea_orm::entity::prelude::*;

            /// One row.
            #[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                /// Whose row it is.
                #[sea_orm(primary_key, auto_increment = false)]
                pub tenant_id: Uuid,
                /// Which row it is.
                #[sea_orm(primary_key, auto_increment = false)]
                pub id: Uuid,
                $(
                    #[doc = concat!("Column `", stringify!($field), "`.")]
                    pub $field: Col<$field_type>,
                )*
            }

            impl $crate::table::Row for Model {
                fn read(mut columns: $crate::table::Columns<'_>) -> Result<Self, DbErr> {
                    Ok(Self {
                        tenant_id: columns.take()?,
                        id: columns.take()?,
                        $($field: columns.take()?,)*
                    })
                }
            }

            /// Rows are reached through their keys, never through the ORM's relations.
            #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}
