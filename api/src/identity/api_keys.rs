//! `/v1/api-keys`: with which a brand's programs call.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    problem::{Problem, referred},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    identity::{ApiKey, ApiKeyDetails, ApiKeyStatus, Grantor, MadeKey},
    ids::{ApiKeyId, DealerId},
    tenancy::{Dealer, TenantMode},
};
use serde::{Deserialize, Serialize};
use store::key_text::KeyText;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_api_keys, make_api_key))
        .routes(routes!(show_api_key))
        .routes(routes!(revoke_api_key))
}

/// Which keys are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApiKeyFilters {
    /// Keys in this state.
    status: Option<ApiKeyStatus>,
    /// Keys of this dealer.
    dealer_id: Option<DealerId>,
}

/// A key that was just made, with its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"id": "key_01m80t7jx3e9vbq2f4c6d8g0hk", "prefix": "ak_live_3hT9x2Qa",
    "mode": "live", "status": "active", "name": "ERP", "scopes": ["customers:read", "customers:write"],
    "dealer_id": null, "expires_at": null, "last_used_at": null, "revoked_at": null, "version": 1,
    "created_at": "2026-11-22T09:30:00Z",
    "secret": "ak_live_3hT9x2QayHjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8X"})))]
struct NewApiKey {
    /// The key.
    #[serde(flatten)]
    key: ApiKey,
    /// The secret itself. It is shown this once and kept nowhere; null when the request is a replay.
    secret: Option<String>,
}

/// Lists API keys
///
/// The newest comes first. Secrets are not shown again.
#[utoipa::path(
    get, path = "/api-keys", tag = "access",
    operation_id = "list_api_keys",
    params(ApiKeyFilters, Paging<ApiKey>),
    responses((status = 200, description = "A page of keys.", body = ListOf<ApiKey>)),
    security(("oauth" = ["keys:read"])),
)]
async fn list_api_keys(
    access: Access<may::KeysRead>,
    list: List<ApiKey, ApiKeyFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::identity::api_keys(list.filters.status, list.filters.dealer_id);
    list.answer(&reading, select).await
}

/// Makes an API key
///
/// The secret is in the answer and is shown this once. Nobody gives more than they have themselves: the scopes
/// must be the caller's own, and a caller who sees one dealer makes keys for that dealer. A key made in the
/// sandbox opens the sandbox.
#[utoipa::path(
    post, path = "/api-keys", tag = "access",
    operation_id = "make_api_key",
    request_body(content = ApiKeyDetails, description = "Which program it is for, and what it may do.",
        example = json!({"name": "ERP", "scopes": ["customers:read", "customers:write"]})),
    responses((status = 201, description = "The key, with its secret.", body = NewApiKey,
        headers(("Location" = String, description = "Where it is found."),
                ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["keys:write"])),
)]
async fn make_api_key(
    access: Access<may::KeysWrite>,
    Json(details): Json<ApiKeyDetails>,
) -> Outcome {
    let caller = access.caller().clone();
    let work = access.write().await?;
    if let Some(dealer) = details.dealer_id {
        referred(work.get::<Dealer>(dealer).await, "/dealer_id")?;
    }
    let mode = if caller.is_sandbox { TenantMode::Test } else { TenantMode::Live };
    let secret = KeyText::of(mode, &work.random()?);

    let made = MadeKey { id: work.new_id(), prefix: secret.prefix(), mode };
    let grantor = Grantor { scopes: &caller.scopes, reach: caller.reach };
    let change = ApiKey::make(made, details, grantor, work.real_now())?;

    let key = work.record(change).await?;
    work.keep_key_secret(&key, &secret).await?;
    let kept = NewApiKey { key: key.clone(), secret: None };
    let shown = NewApiKey { secret: Some(secret.reveal().to_owned()), ..kept.clone() };
    work.created_showing("/v1/api-keys", &key, &shown, &kept).await
}

/// Shows an API key
///
/// What it may do and when it was last used, never its secret.
#[utoipa::path(
    get, path = "/api-keys/{id}", tag = "access",
    operation_id = "show_api_key",
    params(("id" = ApiKeyId, Path, description = "Which key.")),
    responses((status = 200, description = "The key.", body = ApiKey,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["keys:read"])),
)]
async fn show_api_key(
    access: Access<may::KeysRead>,
    Id(id): Id<ApiKeyId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let key = reading.get::<ApiKey>(id).await?;
    Ok(reading.show(&key))
}

/// Revokes an API key
///
/// For good. Five seconds from now it opens nothing any more, on any server; neither do the tokens it was
/// exchanged for.
#[utoipa::path(
    post, path = "/api-keys/{id}/revoke", tag = "access",
    operation_id = "revoke_api_key",
    params(("id" = ApiKeyId, Path, description = "Which key.")),
    responses((status = 200, description = "The key as it is now.", body = ApiKey,
        headers(("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["keys:write"])),
)]
async fn revoke_api_key(access: Access<may::KeysWrite>, Id(id): Id<ApiKeyId>) -> Outcome {
    let work = access.write().await?;
    let change = work.hold::<ApiKey>(id).await?.revoke(work.real_now())?;
    let key = work.record(change).await?;
    work.changed(key).await
}
