//! `/v1/surveys`, `/v1/invitations`, `/v1/responses`: what customers are asked, and what they answer.

use crate::{
    access::{Access, Api, Outcome, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::Problem,
    request::{Id, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    ids::{CustomerId, DealerId, InvitationId, ResponseId, SurveyId},
    surveys::{Invitation, InvitationState, Survey, SurveyDetails, SurveyResponse, SurveyState},
};
use serde::Deserialize;
use store::surveys::{WantedInvitations, WantedResponses, active, surveys};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_surveys, create_survey))
        .routes(routes!(get_survey, edit_survey))
        .routes(routes!(activate_survey))
        .routes(routes!(retire_survey))
        .routes(routes!(list_invitations))
        .routes(routes!(get_invitation))
        .routes(routes!(list_responses))
        .routes(routes!(get_response))
}

patches!(SurveyPatch of SurveyDetails);

/// Which surveys are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SurveyFilters {
    /// Whether they are in use.
    state: Option<SurveyState>,
}

/// Which askings are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InvitationFilters {
    /// How far they have come.
    state: Option<InvitationState>,
    /// What was asked.
    survey_id: Option<SurveyId>,
    /// Who was asked.
    customer_id: Option<CustomerId>,
    /// Whose people are rated.
    dealer_id: Option<DealerId>,
}

/// Which answers are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResponseFilters {
    /// What was asked.
    survey_id: Option<SurveyId>,
    /// Who answered.
    customer_id: Option<CustomerId>,
    /// Whose people are rated.
    dealer_id: Option<DealerId>,
    /// The asking that was answered.
    invitation_id: Option<InvitationId>,
    /// Whether the score was low.
    low: Option<bool>,
}

/// Lists surveys
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/surveys", tag = "surveys",
    operation_id = "list_surveys",
    params(SurveyFilters, Paging<Survey>),
    responses((status = 200, description = "A page of surveys.", body = ListOf<Survey>)),
    security(("oauth" = ["surveys:read"])),
)]
async fn list_surveys(
    access: Access<may::SurveysRead>,
    list: List<Survey, SurveyFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = surveys(list.filters.state);
    list.answer(&reading, select).await
}

/// Writes a survey
///
/// It begins as a draft and is not issued before it is activated.
#[utoipa::path(
    post, path = "/surveys", tag = "surveys",
    operation_id = "create_survey",
    request_body(content = SurveyDetails, description = "What is asked, and when."),
    responses((status = 201, description = "The survey, a draft.", body = Survey, headers(
        ("Location" = String, description = "Where the survey is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:write"])),
)]
async fn create_survey(
    access: Access<may::SurveysWrite>,
    Json(details): Json<SurveyDetails>,
) -> Outcome {
    let work = access.write().await?;

    let change = Survey::draft(work.new_id(), details, work.now())?;

    let survey = work.record(change).await?;
    work.created("/v1/surveys", survey).await
}

/// Shows a survey
///
/// With its questions in both languages.
#[utoipa::path(
    get, path = "/surveys/{id}", tag = "surveys",
    operation_id = "get_survey",
    params(("id" = SurveyId, Path, description = "Which survey.")),
    responses((status = 200, description = "The survey.", body = Survey, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:read"])),
)]
async fn get_survey(
    access: Access<may::SurveysRead>,
    Id(id): Id<SurveyId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    Ok(reading.show(&reading.get::<Survey>(id).await?))
}

/// Rewrites a draft
///
/// A survey that was activated never changes; write a new one.
#[utoipa::path(
    patch, path = "/surveys/{id}", tag = "surveys",
    operation_id = "edit_survey",
    params(("id" = SurveyId, Path, description = "Which survey.")),
    request_body(
        content = SurveyPatch, content_type = "application/merge-patch+json",
        description = "What is to be different.", example = json!({"delay_hours": 48}),
    ),
    responses((status = 200, description = "The survey.", body = Survey, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:write"])),
)]
async fn edit_survey(
    access: Access<may::SurveysWrite>,
    Id(id): Id<SurveyId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let survey = work.hold::<Survey>(id).await?;
    work.expect_current(&survey)?;
    let details = patch.apply(&survey.details)?;

    let change = survey.revise(details)?;

    let survey = work.record(change).await?;
    work.changed(survey).await
}

/// Puts a survey in use
///
/// It never changes again. The survey that was issued after the same trigger until now is retired.
#[utoipa::path(
    post, path = "/surveys/{id}/activate", tag = "surveys",
    operation_id = "activate_survey",
    params(("id" = SurveyId, Path, description = "Which survey.")),
    responses((status = 200, description = "The survey, active.", body = Survey, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:write"])),
)]
async fn activate_survey(access: Access<may::SurveysWrite>, Id(id): Id<SurveyId>) -> Outcome {
    let work = access.write().await?;
    let survey = work.hold::<Survey>(id).await?;
    let before = work.find::<Survey>(active(survey.details.trigger)).await?;

    let change = survey.activate(work.now())?;
    let retired = before.map(Survey::retire).transpose()?;

    if let Some(retired) = retired {
        work.record(retired).await?;
    }
    let survey = work.record(change).await?;
    work.changed(survey).await
}

/// Takes a survey out of use
///
/// Nobody is asked any more. Links that were sent can be answered until they expire.
#[utoipa::path(
    post, path = "/surveys/{id}/retire", tag = "surveys",
    operation_id = "retire_survey",
    params(("id" = SurveyId, Path, description = "Which survey.")),
    responses((status = 200, description = "The survey, retired.", body = Survey, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:write"])),
)]
async fn retire_survey(access: Access<may::SurveysWrite>, Id(id): Id<SurveyId>) -> Outcome {
    let work = access.write().await?;
    let survey = work.hold::<Survey>(id).await?;

    let change = survey.retire()?;

    let survey = work.record(change).await?;
    work.changed(survey).await
}

/// Lists whom we have asked
///
/// The newest comes first. One that was not sent says why in `suppressed_reason`.
#[utoipa::path(
    get, path = "/invitations", tag = "surveys",
    operation_id = "list_invitations",
    params(InvitationFilters, Paging<Invitation>, Expanding<Invitation>),
    responses((status = 200, description = "A page of invitations.", body = ListOf<Invitation>)),
    security(("oauth" = ["surveys:read"])),
)]
async fn list_invitations(
    access: Access<may::SurveysRead>,
    list: List<Invitation, InvitationFilters>,
    expand: Expand<Invitation>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let InvitationFilters { state, survey_id, customer_id, dealer_id } = list.filters.clone();
    let select = WantedInvitations { state, survey_id, customer_id, dealer_id }.select();
    list.answer_with(&reading, &expand, select).await
}

/// Shows whom we have asked, and how far it has come
///
/// The link itself is in the message to the customer and nowhere else.
#[utoipa::path(
    get, path = "/invitations/{id}", tag = "surveys",
    operation_id = "get_invitation",
    params(("id" = InvitationId, Path, description = "Which invitation."), Expanding<Invitation>),
    responses((status = 200, description = "The invitation.", body = Invitation, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:read"])),
)]
async fn get_invitation(
    access: Access<may::SurveysRead>,
    Id(id): Id<InvitationId>,
    expand: Expand<Invitation>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Lists what customers have answered
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/responses", tag = "surveys",
    operation_id = "list_responses",
    params(ResponseFilters, Paging<SurveyResponse>, Expanding<SurveyResponse>),
    responses((status = 200, description = "A page of answers.", body = ListOf<SurveyResponse>)),
    security(("oauth" = ["surveys:read"])),
)]
async fn list_responses(
    access: Access<may::SurveysRead>,
    list: List<SurveyResponse, ResponseFilters>,
    expand: Expand<SurveyResponse>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let ResponseFilters { survey_id, customer_id, dealer_id, invitation_id, low } =
        list.filters.clone();
    let select = WantedResponses { survey_id, customer_id, dealer_id, invitation_id, low }.select();
    list.answer_with(&reading, &expand, select).await
}

/// Shows what a customer has answered
///
/// An answer never changes.
#[utoipa::path(
    get, path = "/responses/{id}", tag = "surveys",
    operation_id = "get_response",
    params(("id" = ResponseId, Path, description = "Which answer."), Expanding<SurveyResponse>),
    responses((status = 200, description = "The answer.", body = SurveyResponse, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["surveys:read"])),
)]
async fn get_response(
    access: Access<may::SurveysRead>,
    Id(id): Id<ResponseId>,
    expand: Expand<SurveyResponse>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}
