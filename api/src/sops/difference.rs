//! `/v1/sop-versions/{id}/diff`: what a version says otherwise than another.

use super::Answers;
use crate::{
    access::{Access, Api, may},
    list::Parameters,
    problem::{Problem, referred},
    request::{Id, language},
};
use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    ids::SopVersionId,
    sops::{SopDifference, SopVersion},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(compare_sop_version))
}

/// What a version is compared with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Comparison {
    /// Another version of the same procedure; the one that was in force before when it is left out.
    against: Option<SopVersionId>,
}

/// Compares a version with another
///
/// A step is known again by its key, else by its title, else by its place. Steps that are new, gone, at
/// another place of the order, or say something else are listed, with each field before and after; `text`
/// says the same in sentences, in the language of `Accept-Language`. Without `against` the version is compared
/// with the one that was in force before it; when there is none, everything is new. `change_note` is not
/// compared, because it is about the difference. Answers of a quiz are compared for who may write procedures.
#[utoipa::path(
    get, path = "/sop-versions/{id}/diff", tag = "sops",
    operation_id = "compare_sop_version",
    params(("id" = SopVersionId, Path, description = "The version."), Comparison),
    responses((
        status = 200, description = "What it says otherwise.", body = SopDifference,
        headers(("Content-Language" = String, description = "The language of `text`.")),
    )),
    security(("oauth" = ["sops:read"])),
)]
async fn compare_sop_version(
    access: Access<may::SopsRead>,
    Id(id): Id<SopVersionId>,
    Parameters(comparison): Parameters<Comparison>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answers = Answers::to(access.caller());
    let reading = access.read().await?;
    let version: SopVersion = reading.get(id).await?;
    let against = match comparison.against {
        Some(other) => Some(referred(reading.get::<SopVersion>(other).await, "against")?),
        None => reading.find(store::sops::in_force_before(&version)).await?,
    };
    let locale = language(&headers);

    let (version, against) = (answers.of(version), against.map(|other| answers.of(other)));
    let difference = version.differs_from(against.as_ref())?.told(locale);

    Ok(([(header::CONTENT_LANGUAGE, locale.tag())], axum::Json(difference)).into_response())
}
