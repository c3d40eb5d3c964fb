//! Tables `operation` and `row_error`.

use crate::{documents, listed, table, table::word, words};
use domain::{
    ids::{DealerId, OperationId},
    imports::{RowError, RowMistake},
    operations::{Operation, OperationKind, OperationStatus, Progress, Tally},
    text::Line,
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, Select};
use uuid::Uuid;

words!(OperationKind, OperationStatus);
documents!(Progress, Tally);

table! {
    /// Long pieces of work.
    operation = "operation" of Operation {
        kind: OperationKind,
        dealer_id: Option<DealerId>,
        status: OperationStatus,
        progress: Progress,
        outcome: Tally,
        failure: Option<Line>,
        created_at: Timestamp,
        started_at: Option<Timestamp>,
        finished_at: Option<Timestamp>,
    } versioned
}

table! {
    /// Rows of files that were left out.
    row_error = "row_error" of RowError {
        [mistake: RowMistake {
            row: u32,
            column: Option<String>,
            code: String,
            message: String,
        }],
        operation_id: OperationId,
    } append_only
}

listed! {
    Operation = operation [CreatedAt;] usually newest;
    RowError = row_error [; Row] usually by Row;
}

/// Operations of this kind, in this state and of this dealer, or all of them.
pub fn wanted(
    kind: Option<OperationKind>,
    status: Option<OperationStatus>,
    dealer: Option<DealerId>,
) -> Select<operation::Entity> {
    use operation::Column as C;
    operation::Entity::find()
        .apply_if(kind, |all, kind| all.filter(C::Kind.eq(word(&kind))))
        .apply_if(status, |all, status| all.filter(C::Status.eq(word(&status))))
        .apply_if(dealer, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
}

/// What an operation left out.
pub fn errors_of(operation: OperationId) -> Select<row_error::Entity> {
    row_error::Entity::find().filter(row_error::Column::OperationId.eq(Uuid::from(operation)))
}
