//! `/v1/sops`: what every dealer does the same way.

mod acknowledgements;
mod coverage;
mod difference;
mod evidence;
mod library;
mod packs;
mod reports;
mod runs;
mod triggers;
mod versions;

use crate::{
    access::{Access, Api, Caller, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    identity::Scope,
    ids::SopId,
    sops::{Department, Sop, SopDetails, SopVersion},
    text::Code,
};
use serde::Deserialize;
use store::sops::SopFilter;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

patches!(SopPatch of SopDetails);

pub(crate) use evidence::public_router;

/// The routes of this folder.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_sops, create_sop))
        .routes(routes!(show_sop, change_sop))
        .merge(library::router())
        .merge(packs::router())
        .merge(coverage::router())
        .merge(versions::router())
        .merge(difference::router())
        .merge(acknowledgements::router())
        .merge(runs::router())
        .merge(evidence::router())
        .merge(reports::router())
        .merge(triggers::router())
}

/// Whether a caller is shown the answers of quizzes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// They may write procedures, and so the answers.
    Shown,
    /// They are to find them.
    Hidden,
}

impl Answers {
    /// What this caller is shown.
    fn to(caller: &Caller) -> Self {
        if caller.scopes.contains(&Scope::SopsWrite) { Self::Shown } else { Self::Hidden }
    }

    /// A version as it is shown.
    fn of(self, version: SopVersion) -> SopVersion {
        match self {
            Self::Shown => version,
            Self::Hidden => version.without_answers(),
        }
    }
}

/// Which procedures are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SopFilters {
    /// The one with this code.
    code: Option<Code>,
    /// Those of this department.
    department: Option<Department>,
    /// Those for this moment of the customer's.
    touchpoint: Option<Code>,
}

/// Lists procedures
///
/// The newest comes first. What a procedure asks for stands in its versions.
#[utoipa::path(
    get, path = "/sops", tag = "sops",
    operation_id = "list_sops",
    params(SopFilters, Paging<Sop>),
    responses((status = 200, description = "A page of procedures.", body = ListOf<Sop>)),
    security(("oauth" = ["sops:read"])),
)]
async fn list_sops(
    access: Access<may::SopsRead>,
    list: List<Sop, SopFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let SopFilters { code, department, touchpoint } = &list.filters;
    let filter =
        SopFilter { code: code.clone(), department: *department, touchpoint: touchpoint.clone() };
    let select = store::sops::sops(&filter);
    list.answer(&reading, select).await
}

/// Creates a procedure
///
/// It has no version yet: write one with `POST /v1/sops/{id}/versions`.
#[utoipa::path(
    post, path = "/sops", tag = "sops",
    operation_id = "create_sop",
    request_body(content = SopDetails, description = "What the brand says about the procedure."),
    responses((
        status = 201, description = "The procedure.", body = Sop,
        headers(
            ("Location" = String, description = "Where the procedure is."),
            ("ETag" = String, description = "What to send as If-Match when changing it."),
        ),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn create_sop(access: Access<may::SopsWrite>, Json(details): Json<SopDetails>) -> Outcome {
    let work = access.write().await?;
    let change = Sop::create(work.new_id(), details, work.now());
    let sop = work.record(change).await?;
    work.created("/v1/sops", sop).await
}

/// Shows a procedure
///
/// `latest_number` is that of its newest version, whether or not it is in force.
#[utoipa::path(
    get, path = "/sops/{id}", tag = "sops",
    operation_id = "show_sop",
    params(("id" = SopId, Path, description = "The procedure.")),
    responses((
        status = 200, description = "The procedure.", body = Sop,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:read"])),
)]
async fn show_sop(access: Access<may::SopsRead>, Id(id): Id<SopId>) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let sop: Sop = reading.get(id).await?;
    Ok(reading.show(&sop))
}

/// Changes a procedure
///
/// What is said about it; its versions stay as they are.
#[utoipa::path(
    patch, path = "/sops/{id}", tag = "sops",
    operation_id = "change_sop",
    params(("id" = SopId, Path, description = "The procedure.")),
    request_body(
        content = SopPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are.",
        example = json!({ "name": "换滤芯 Filter change" }),
    ),
    responses((
        status = 200, description = "The procedure as it is now.", body = Sop,
        headers(("ETag" = String, description = "What to send as If-Match when changing it.")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn change_sop(
    access: Access<may::SopsWrite>,
    Id(id): Id<SopId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let sop: Sop = work.hold(id).await?;
    work.expect_current(&sop)?;
    let details = patch.apply(&sop.details)?;
    let sop = work.record(sop.change(details)).await?;
    work.changed(sop).await
}
