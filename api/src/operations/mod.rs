//! `/v1/operations`: long pieces of work, and how far they have come.

mod events;

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::Id,
};
use axum::response::Response;
use domain::{
    ids::{DealerId, OperationId},
    imports::RowError,
    operations::{Operation, OperationKind, OperationStatus},
    record::{Record, Version},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use events::Streams;

const COLLECTION: &str = "/v1/operations";

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_operations))
        .routes(routes!(show_operation))
        .routes(routes!(list_operation_errors))
        .routes(routes!(events::follow_operation))
}

/// A long piece of work, how far it has come, and when it will have ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationView {
    /// The operation.
    #[serde(flatten)]
    operation: Operation,
    /// When it will have ended if it goes on as it did so far; null before it began and after it ended.
    eta: Option<Timestamp>,
    /// Where the pieces that failed are listed.
    #[schema(examples("/v1/operations/opr_01m80t7jx3e9vbq2f4c6d8g0hk/errors"))]
    errors_url: String,
}

impl OperationView {
    /// What can be said about `operation` at `now`.
    pub(crate) fn new(operation: Operation, now: Timestamp) -> Self {
        let errors_url = format!("{COLLECTION}/{}/errors", operation.id);
        Self { eta: operation.eta(now), operation, errors_url }
    }

    /// Whether there is nothing left to follow.
    fn has_ended(&self) -> bool {
        self.operation.finished_at.is_some()
    }

    /// Where it is followed.
    pub(crate) fn place(&self) -> String {
        format!("{COLLECTION}/{}", self.operation.id)
    }
}

impl Record for OperationView {
    type Id = OperationId;

    fn id(&self) -> OperationId {
        self.operation.id
    }

    fn version(&self) -> Version {
        self.operation.version
    }
}

/// Which operations are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OperationFilters {
    /// Only work of this kind.
    kind: Option<OperationKind>,
    /// Only work that waits, goes on or has ended like this.
    status: Option<OperationStatus>,
    /// Only work that one of this dealer's people or programs began.
    dealer_id: Option<DealerId>,
}

/// Lists operations
///
/// The newest comes first. Callers who work for a dealer see those of their dealer.
#[utoipa::path(
    get, path = "/operations", tag = "imports",
    operation_id = "list_operations",
    params(OperationFilters, Paging<Operation>),
    responses((status = 200, description = "A page of operations.", body = ListOf<OperationView>)),
    security(("oauth" = ["imports:read"])),
)]
async fn list_operations(
    access: Access<may::ImportsRead>,
    list: List<Operation, OperationFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let OperationFilters { kind, status, dealer_id } = list.filters;
    let select = store::operations::wanted(kind, status, dealer_id);
    let (operations, end) = list.find(&reading, select).await?;
    let view = |operation| OperationView::new(operation, reading.now());
    list.tell(operations.into_iter().map(view).collect(), end)
}

/// Shows how far an operation has come
///
/// It ends by itself; asking once a second is often enough. `/v1/operations/{id}/events` tells of it unasked.
#[utoipa::path(
    get, path = "/operations/{id}", tag = "imports",
    operation_id = "show_operation",
    params(("id" = OperationId, Path, description = "The operation.")),
    responses((status = 200, description = "The operation.", body = OperationView,
        headers(("ETag" = String, description = "The version.")))),
    security(("oauth" = ["imports:read"])),
)]
async fn show_operation(
    access: Access<may::ImportsRead>,
    Id(id): Id<OperationId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let operation: Operation = reading.get(id).await?;
    let view = OperationView::new(operation, reading.now());
    Ok(reading.show(&view))
}

/// Lists what failed
///
/// For an import, the rows that were left out, in the order of the file, each with everything that is wrong
/// with it.
#[utoipa::path(
    get, path = "/operations/{id}/errors", tag = "imports",
    operation_id = "list_operation_errors",
    params(("id" = OperationId, Path, description = "The operation."), Paging<RowError>),
    responses((status = 200, description = "A page of errors.", body = ListOf<RowError>)),
    security(("oauth" = ["imports:read"])),
)]
async fn list_operation_errors(
    access: Access<may::ImportsRead>,
    Id(id): Id<OperationId>,
    list: List<RowError>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    // Only who may see the operation may see its errors.
    let operation: Operation = reading.get(id).await?;
    let select = store::operations::errors_of(operation.id);
    list.answer(&reading, select).await
}
