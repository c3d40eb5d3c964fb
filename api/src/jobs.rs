//! `/v1/jobs`: the queue behind the service, its dead letters, and their second life.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::Id,
};
use axum::response::Response;
use domain::{
    ids::JobId,
    jobs::{Job, JobState},
    time::Timestamp,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(get_job))
        .routes(routes!(replay_job))
}

/// Which jobs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobFilters {
    /// Only jobs in this state; `dead` lists what was given up.
    state: Option<JobState>,
    /// Only jobs that are due at this instant or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    due_after: Option<Timestamp>,
    /// Only jobs that are due before this instant.
    #[param(example = "2026-12-02T00:00:00Z")]
    due_before: Option<Timestamp>,
}

/// Lists the queue
///
/// What is due first comes first. `state=dead` lists the jobs that were given up, each with the reason of
/// its last failure.
#[utoipa::path(
    get, path = "/jobs", tag = "audit",
    operation_id = "list_jobs",
    params(JobFilters, Paging<Job>),
    responses((status = 200, description = "A page of the queue.", body = ListOf<Job>)),
    security(("oauth" = ["jobs:read"])),
)]
async fn list_jobs(
    access: Access<may::JobsRead>,
    list: List<Job, JobFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let JobFilters { state, due_after, due_before } = list.filters;
    let select = store::jobs::jobs(state, due_after, due_before);
    list.answer(&reading, select).await
}

/// Shows a job
///
/// Says how often it was tried and why it did not get through the last time.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "audit",
    operation_id = "get_job",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = Job,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["jobs:read"])),
)]
async fn get_job(access: Access<may::JobsRead>, Id(id): Id<JobId>) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let job: Job = reading.get(id).await?;
    Ok(reading.show(&job))
}

/// Replays a dead job
///
/// It becomes ready at once and has all its attempts again. What it did before it died was undone, so
/// nothing happens twice.
#[utoipa::path(
    post, path = "/jobs/{id}/replay", tag = "audit",
    operation_id = "replay_job",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, description = "The job, ready again.", body = Job,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["jobs:write"])),
)]
async fn replay_job(access: Access<may::JobsWrite>, Id(id): Id<JobId>) -> Outcome {
    let work = access.write().await?;
    let job: Job = work.hold(id).await?;
    let job = work.replay(job.replay()?).await?;
    work.changed(job).await
}
