//! `/v1/me`: the caller, as the service sees them.

use super::desk::unauthorized;
use crate::{
    access::{Access, Api, Reading, may},
    problem::Problem,
};
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use domain::{
    identity::{Actor, ApiKey, Rank, Reach, Scope, Staff},
    ids::{DealerId, TenantId},
    tenancy::{Brand, TenantMode},
    text::{Name, Slug},
    time::Timestamp,
};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show_me))
}

/// The caller, and what their credentials open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(
    json!({"tenant": {"id": "ten_01m80t7jx3e9vbq2f4c6d8g0hk", "slug": "clearwater", "name": "碧水 Clearwater", "mode": "live"},
        "actor": {"kind": "staff", "id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "name": "张敏"}, "rank": 30, "sees": "dealer",
        "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "scopes": ["complaints:read", "gestures:approve"],
        "expires_at": "2026-11-22T09:15:00Z"})
))]
struct Me {
    /// The brand that the credentials open, or its sandbox.
    tenant: MyTenant,
    /// Who acts.
    actor: MyActor,
    /// The actor's place on the ladder of people; a program of the brand acts for the brand, with 60.
    rank: Rank,
    /// How much of the brand they see.
    sees: Sight,
    /// The one dealer whose records they see; null when they see those of all dealers.
    dealer_id: Option<DealerId>,
    /// What they may do. A suspended brand leaves only those that read.
    scopes: BTreeSet<Scope>,
    /// When the key or the token ends by itself, by the clock of the world and not that of a sandbox; null
    /// when it does not.
    expires_at: Option<Timestamp>,
}

/// The brand that somebody's credentials open.
#[derive(Debug, Serialize, ToSchema)]
struct MyTenant {
    /// Its identifier.
    id: TenantId,
    /// Its name in addresses and on the command line.
    #[schema(examples("clearwater"))]
    slug: Slug,
    /// Its name, as its customers read it.
    name: Name,
    /// Whether it works or tries out.
    mode: TenantMode,
}

/// Who acts.
#[derive(Debug, Serialize, ToSchema)]
struct MyActor {
    /// Whether it is a person or a program.
    kind: ActorKind,
    /// The person (`stf_`) or the key of the program (`key_`).
    #[schema(examples("stf_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    id: String,
    /// What the person or the key is called.
    name: Name,
}

/// Whether an actor is a person or a program.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActorKind {
    /// A person who works for a dealer or the brand.
    Staff,
    /// A program, by its key.
    ApiKey,
}

/// How much of a brand somebody sees.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sight {
    /// The records of all dealers.
    Brand,
    /// The records of one dealer.
    Dealer,
    /// The records of one dealer, and of visits and checklists their own.
    OwnVisits,
}

impl Sight {
    fn of(reach: Reach) -> Self {
        match (reach.technician, reach.dealer) {
            (Some(_), _) => Self::OwnVisits,
            (None, Some(_)) => Self::Dealer,
            (None, None) => Self::Brand,
        }
    }
}

/// Says who you are
///
/// What the credentials of this request open: the brand, the person or the program, how much of the brand
/// they see, what they may do, and until when. Every credential may ask, whatever its scopes.
#[utoipa::path(
    get, path = "/me", tag = "access",
    operation_id = "show_me",
    responses((status = 200, description = "The caller.", body = Me)),
    security(("oauth" = [])),
)]
async fn show_me(access: Access<may::Call>) -> Result<Response, Problem> {
    let caller = access.caller().clone();
    let reading = access.read().await?;
    let Brand { id, slug, mode, details, .. } = reading.brand().await?;
    let me = Me {
        tenant: MyTenant { id, slug, name: details.name, mode },
        actor: actor(&reading, caller.actor).await?,
        rank: caller.actor.rank(),
        sees: Sight::of(caller.reach),
        dealer_id: caller.reach.dealer,
        scopes: caller.scopes.as_ref().clone(),
        expires_at: caller.until,
    };
    Ok(Json(me).into_response())
}

async fn actor(reading: &Reading, actor: Actor) -> Result<MyActor, Problem> {
    match actor {
        Actor::Staff { id, .. } => {
            let name = reading.get::<Staff>(id).await?.details.name;
            Ok(MyActor { kind: ActorKind::Staff, id: id.to_string(), name })
        }
        Actor::Key(id) => {
            let name = reading.get::<ApiKey>(id).await?.details.name;
            Ok(MyActor { kind: ActorKind::ApiKey, id: id.to_string(), name })
        }
        // They have no credentials for the API.
        Actor::Customer(_) | Actor::Worker | Actor::Operator => Err(unauthorized()),
    }
}
