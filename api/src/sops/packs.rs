//! `/v1/starter-packs`: procedures of a trade to begin with.

use super::library::take_over;
use crate::{
    access::{Access, Api, Outcome, may},
    problem::Problem,
    request::{Id, Json, language},
};
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    sops::{
        SopIntake, SopIntakeReport, SopsOfOneCode, StarterPack, StarterPackAdoption,
        StarterPackSummary,
    },
    text::{Code, Line, Locale},
};
use serde::Serialize;
use store::Missing;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_starter_packs))
        .routes(routes!(show_starter_pack))
        .routes(routes!(adopt_starter_pack))
}

/// All starter packs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({ "packs": [{
    "code": "water_purifier", "name": "Water purifiers",
    "summary": "Installation, filter change and care of purifiers at home.", "sop_count": 5,
}] })))]
struct StarterPacks {
    /// The packs, by their codes.
    packs: Vec<StarterPackSummary>,
}

/// Lists starter packs
///
/// One for each trade that Aftercare knows something about, in the language of `Accept-Language`.
#[utoipa::path(
    get, path = "/starter-packs", tag = "sops",
    operation_id = "list_starter_packs",
    responses((
        status = 200, description = "The packs.", body = StarterPacks,
        headers(("Content-Language" = String, description = "The language of the texts.")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn list_starter_packs(
    _access: Access<may::SopsWrite>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locale = language(&headers);
    let packs = StarterPack::all(locale).map(StarterPack::summary).collect();
    Ok(said(locale, &StarterPacks { packs }))
}

/// Shows a starter pack
///
/// With all its procedures and their steps, in the language of `Accept-Language`.
#[utoipa::path(
    get, path = "/starter-packs/{code}", tag = "sops",
    operation_id = "show_starter_pack",
    params(("code" = Code, Path, description = "The trade, by its code.")),
    responses((
        status = 200, description = "The pack.", body = StarterPack,
        headers(("Content-Language" = String, description = "The language of the texts.")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn show_starter_pack(
    _access: Access<may::SopsWrite>,
    Id(code): Id<Code>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locale = language(&headers);
    let pack = StarterPack::find(&code, locale).ok_or(Missing::NotFound)?;
    Ok(said(locale, pack))
}

fn said(locale: Locale, body: &impl Serialize) -> Response {
    ([(header::CONTENT_LANGUAGE, locale.tag())], axum::Json(body)).into_response()
}

/// Adopts a starter pack
///
/// Its procedures are created as drafts in the language that is asked for; they are changed, reviewed and
/// published like all others. A procedure whose code is there already is left alone, and told as `kept`.
#[utoipa::path(
    post, path = "/starter-packs/{code}/adopt", tag = "sops",
    operation_id = "adopt_starter_pack",
    params(("code" = Code, Path, description = "The trade, by its code.")),
    request_body(content = StarterPackAdoption, description = "The language of the texts."),
    responses((status = 200, description = "What was done.", body = SopIntakeReport)),
    security(("oauth" = ["sops:write"])),
)]
async fn adopt_starter_pack(
    access: Access<may::SopsWrite>,
    Id(code): Id<Code>,
    Json(StarterPackAdoption { locale }): Json<StarterPackAdoption>,
) -> Outcome {
    let pack = StarterPack::find(&code, locale).ok_or(Missing::NotFound)?;
    let work = access.write().await?;
    let unnamed = || Line::new(code.to_string()).map_err(|mistake| Problem::body("", mistake));
    let intake = SopIntake {
        author: work.actor(),
        now: work.now(),
        known: SopsOfOneCode::StayAsTheyAre,
        change_note: pack.change_note(locale).map_or_else(unnamed, Ok)?,
    };
    let report = take_over(&work, pack.library(), &intake, false).await.map_err(Problem::from)?;
    work.answer(StatusCode::OK, Vec::new(), &report).await
}
