//! `/v1/imports`: files of records.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging, Parameters},
    operations::OperationView,
    problem::{self, Problem},
    pushes,
    request::expect_type,
};
use axum::{
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, header},
    response::Response,
};
use domain::{
    ids::DealerId,
    imports::{
        HandedIn, Import, ImportFormat, ImportKind, ImportOptions, MOST_ROWS, columns::Cells,
    },
    operations::{Operation, OperationKind},
    refusal::Refusal,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    // The size of a body is bounded where it is received, and files may be larger than axum's default.
    OpenApiRouter::new()
        .routes(routes!(list_imports, hand_in_file))
        .layer(DefaultBodyLimit::disable())
}

/// Which imports are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportFilters {
    /// Those of one dealer's records.
    dealer_id: Option<DealerId>,
}

/// Lists imports
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/imports", tag = "imports",
    operation_id = "list_imports",
    params(ImportFilters, Paging<Import>),
    responses((status = 200, description = "A page of imports.", body = ListOf<Import>)),
    security(("oauth" = ["imports:read"])),
)]
async fn list_imports(
    access: Access<may::ImportsRead>,
    list: List<Import, ImportFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    list.answer(&reading, store::imports::files(list.filters.dealer_id)).await
}

/// Hands in a file of orders, customers or assets
///
/// The file is read as a whole first: one that is not UTF-8, lacks columns, ends in half a row or names a
/// record twice is refused with the place, and nothing is written. Then its rows are taken over in the
/// background, by somebody who sees no more than the caller; follow the operation at `Location`. A row that cannot be taken over is left out and listed
/// with its column; the others go on. The same file again changes nothing.
///
/// Columns of orders, one sale a row: `order_external_id`, `customer_external_id`, `paid_on` (empty while
/// unpaid), `quantity`, `price_minor` (all pieces together), `currency`; optional `sku`, `cost_minor` (all
/// pieces together). Of customers: `customer_external_id`, `name`; optional `kind`, `locale`, `phone`,
/// `email`, `tier`. Of assets: `asset_external_id`, `customer_external_id`; optional `sku`, `serial`,
/// `address`, `delivered_on`. An empty cell says nothing new. JSON lines have members of the same names.
///
/// At most 100 000 rows and 16 MiB. A byte order mark is fine, and so are capitals and outer spaces in the
/// names of columns; a line break inside a field is not, because it is nearly always a quotation mark that was
/// not closed. Fields are parted by commas.
#[utoipa::path(
    post, path = "/imports", tag = "imports",
    operation_id = "hand_in_file",
    params(ImportOptions),
    request_body(description = "The file.", content(
        (String = "text/csv", example = json!("customer_external_id,name\nC-100234,李娜\n")),
        (String = "application/x-ndjson",
            example = json!("{\"customer_external_id\": \"C-100234\", \"name\": \"李娜\"}\n")))),
    responses((status = 202, description = "The file was accepted.", body = OperationView,
        headers(("Location" = String, description = "Where the operation is followed.")))),
    security(("oauth" = ["imports:write"])),
)]
async fn hand_in_file(
    access: Access<may::ImportsWrite>,
    Parameters(options): Parameters<ImportOptions>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Outcome {
    let format = format(&headers)?;
    let rows = read(options.kind, format, bytes).await?;
    let row_count = u32::try_from(rows.len()).unwrap_or(MOST_ROWS);
    let work = access.write().await?;
    let dealer_id = pushes::dealer_of(&work, options.dealer_id)?;
    let options = ImportOptions { dealer_id, ..options };
    options.check(pushes::site_dealer(&work, options.site_id).await?)?;

    let kind = OperationKind::Import;
    let operation = Operation::accept(work.new_id(), kind, dealer_id, row_count, work.now());
    let file = HandedIn { format, row_count, reach: work.reach() };
    let import = Import::accept(work.new_id(), operation.record.id, options, file, work.now());

    let operation = work.record(operation).await?;
    let import = work.record(import).await?;
    work.keep_rows(import.id, &rows).await?;
    let view = OperationView::new(operation, work.now());
    work.accepted(view.place(), &view).await
}

fn format(headers: &HeaderMap) -> Result<ImportFormat, Problem> {
    expect_type(headers, &[CSV, NDJSON])?;
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_csv =
        given.is_some_and(|given| given.trim_start().to_ascii_lowercase().starts_with(CSV));
    Ok(if is_csv { ImportFormat::Csv } else { ImportFormat::Ndjson })
}

/// Reads the file apart from the requests of others, because a large one takes a while.
async fn read(kind: ImportKind, format: ImportFormat, bytes: Bytes) -> Result<Vec<Cells>, Problem> {
    let reading = move || store::imports::file::read(kind, format, &bytes);
    let read: Result<Result<_, Refusal>, _> = tokio::task::spawn_blocking(reading).await;
    Ok(read.map_err(|_| Problem::new(&problem::FAULT))??)
}
