//! `/v1/test/clocks`: the time of a sandbox.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    operations::OperationView,
    problem::Problem,
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    ids::ClockId,
    operations::{Operation, OperationKind},
    sandbox::{AdvanceClock, TestClock},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_test_clocks))
        .routes(routes!(get_test_clock))
        .routes(routes!(advance_test_clock))
}

/// Lists the clocks of the sandbox
///
/// A sandbox has one. A live brand lives by the time of the world, and is refused with `only_in_sandbox`.
#[utoipa::path(
    get, path = "/test/clocks", tag = "sandbox",
    operation_id = "list_test_clocks",
    params(Paging<TestClock>),
    responses((status = 200, description = "The clocks.", body = ListOf<TestClock>)),
    security(("oauth" = ["sandbox:read"])),
)]
async fn list_test_clocks(
    access: Access<may::SandboxRead>,
    list: List<TestClock>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let clocks = store::sandbox::clocks();
    list.answer(&reading, clocks).await
}

/// Shows a clock
///
/// `target_at` is ahead of `now_at` while the clock is on its way.
#[utoipa::path(
    get, path = "/test/clocks/{id}", tag = "sandbox",
    operation_id = "get_test_clock",
    params(("id" = ClockId, Path, description = "The clock.")),
    responses((status = 200, description = "The clock.", body = TestClock,
        headers(("ETag" = String, description = "The version of the record.")))),
    security(("oauth" = ["sandbox:read"])),
)]
async fn get_test_clock(
    access: Access<may::SandboxRead>,
    Id(id): Id<ClockId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let clock: TestClock = reading.get(id).await?;
    Ok(reading.show(&clock))
}

/// Advances the clock
///
/// Everything that becomes due on the way happens, in order and at its own instant: visits are scheduled,
/// surveys go to the outbox, allowances expire. The operation succeeds when the clock has arrived.
#[utoipa::path(
    post, path = "/test/clocks/{id}/advance", tag = "sandbox",
    operation_id = "advance_test_clock",
    params(("id" = ClockId, Path, description = "The clock.")),
    request_body(content = AdvanceClock, description = "How far.", example = json!({"days": 90})),
    responses((status = 202, description = "The clock is on its way.", body = OperationView,
        headers(("Location" = String, description = "Where the operation can be followed.")))),
    security(("oauth" = ["sandbox:write"])),
)]
async fn advance_test_clock(
    access: Access<may::SandboxWrite>,
    Id(id): Id<ClockId>,
    Json(wish): Json<AdvanceClock>,
) -> Outcome {
    let work = access.write().await?;
    let clock: TestClock = work.hold(id).await?;
    let operation =
        Operation::accept(work.new_id(), OperationKind::ClockAdvance, None, 1, work.now());
    let change = clock.advance(wish, operation.record.id)?;
    let operation = work.record(operation).await?;
    work.send_clock(change).await?;
    let view = OperationView::new(operation, work.now());
    work.accepted(view.place(), &view).await
}
