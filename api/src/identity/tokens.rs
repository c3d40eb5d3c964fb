//! `/v1/staff/{id}/tokens`: tokens in a person's name, for trying out.

use super::{desk::Desk, oauth::TokenAnswer};
use crate::{
    access::{Access, Api, Outcome, may},
    request::{Id, Json},
};
use axum::{Extension, http::StatusCode};
use domain::{
    identity::{
        Actor, Scope, Staff, TOKEN_LIFE_SECONDS, TokenGrant, TokenSubject, in_the_name_of,
        scopes_asked,
    },
    ids::StaffId,
    tenancy::TenantMode,
};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::Arc};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(issue_staff_token))
}

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({"scopes": ["visits:read", "visits:carry_out"]})))]
#[serde(deny_unknown_fields)]
struct StaffTokenRequest {
    /// What the token may do, of what the person may; all of it when empty.
    #[serde(default)]
    scopes: BTreeSet<Scope>,
}

/// Issues a token in a person's name
///
/// For the sandbox and for development servers: what the person sees and may do can be tried out without a
/// place to sign in. The token lasts fifteen minutes and ends earlier with the key that asked for it. People of a
/// live brand sign in at the brand's own issuer.
#[utoipa::path(
    post, path = "/staff/{id}/tokens", tag = "access",
    operation_id = "issue_staff_token",
    params(("id" = StaffId, Path, description = "In whose name.")),
    request_body(content = StaffTokenRequest, description = "What the token may do.",
        example = json!({"scopes": ["visits:read", "visits:carry_out"]})),
    responses((status = 201, description = "The token.", body = TokenAnswer)),
    security(("oauth" = ["staff:tokens"])),
)]
async fn issue_staff_token(
    access: Access<may::StaffTokens>,
    Extension(desk): Extension<Arc<Desk>>,
    Id(id): Id<StaffId>,
    Json(StaffTokenRequest { scopes }): Json<StaffTokenRequest>,
) -> Outcome {
    let ring = desk.ring().await?;
    let work = access.unkeyed().write().await?;
    let staff = work.get::<Staff>(id).await?;
    let mode = if work.is_sandbox() { TenantMode::Test } else { TenantMode::Live };

    let had = in_the_name_of(&staff, mode, desk.loopback)?;
    let scopes = scopes_asked(&domain::identity::spoken(&scopes), &had)?;

    let Actor::Key(client) = work.actor() else { return Err(super::desk::unauthorized().into()) };
    let subject = TokenSubject::Staff(staff.id);
    let grant = TokenGrant { subject, client, tenant: work.id(), scopes };
    work.note(&staff, "issue_token", serde_json::json!({"scopes": grant.scopes})).await?;
    let token = desk.issue(&ring, &grant)?;
    let answer = TokenAnswer::new(token, TOKEN_LIFE_SECONDS, &grant.scopes);
    let headers = vec![("cache-control".to_owned(), "no-store".to_owned())];
    work.answer(StatusCode::CREATED, headers, &answer).await
}
