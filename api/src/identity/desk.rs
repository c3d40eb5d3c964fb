//! The desk where callers say who they are: an API key, a token of this service, or a token of the brand's
//! own issuer becomes a standing, or is turned away.
//!
//! Everything that does not change is remembered for as long as it is true (a verified signature); everything
//! that does is looked up every few seconds (a revoked key, a changed rank, a closed dealer).

use super::{
    fresh::Fresh,
    jwt,
    key_sets::{FetchFault, KeySets},
    keyring::{KeyRing, Ring},
    limits::{RateGate, RateLimits, SharedPlace},
};
use crate::{
    access::Caller,
    problem::{self, Problem},
};
use domain::{
    identity::{
        Actor, Claims, ForeignClaims, Issuer, Standing, TOKEN_LIFE_SECONDS, TokenGrant,
        TokenSubject,
    },
    ids::{ApiKeyId, IssuerId, TenantId},
    tenancy::TenantMode,
    time::Timestamp,
    web::Loopback,
};
use moka::future::Cache;
use std::{sync::Arc, time::Duration};
use store::{
    Store,
    identity::Credential,
    key_text::KeyText,
    secrets::{SecretKey, fingerprint},
};
use uuid::Uuid;

/// The most verified tokens that are remembered.
const MOST_TOKENS: u64 = 50_000;

/// What the desk needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The address of this service, as programs see it: the issuer and audience of its tokens.
    pub address: String,
    /// The secret under which private keys are sealed.
    pub secret: SecretKey,
    /// Whether this is a development server.
    pub loopback: Loopback,
    /// How often callers may call.
    pub limits: RateLimits,
    /// Where limits are shared with other servers.
    pub shared: Option<SharedPlace>,
}

/// Why the desk cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    /// The client for issuers' keys cannot be made.
    #[error("the client for issuers' keys cannot be made")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address of Redis cannot be read.
    #[error("the address of Redis cannot be read")]
    Redis(#[from] redis::RedisError),
}

/// Where callers say who they are.
pub struct Desk {
    pub(super) store: Store,
    pub(super) address: String,
    pub(super) loopback: Loopback,
    pub(super) gate: RateGate,
    pub(super) keyring: KeyRing,
    key_sets: KeySets,
    secrets: Fresh<[u8; 32], (TenantId, ApiKeyId)>,
    standings: Fresh<Credential, Arc<Standing>>,
    issuers: Fresh<(TenantId, String), Arc<Issuer>>,
    origins: Fresh<String, ()>,
    tokens: Cache<[u8; 32], Arc<Verified>>,
    foreign: Cache<([u8; 32], IssuerId, i64), Arc<Foreign>>,
}

/// A token of this service whose signature was found to be right, and which was read.
struct Verified {
    claims: Claims,
    grant: TokenGrant,
    kid: String,
}

/// A token of a brand's issuer whose signature was found to be right.
struct Foreign {
    claims: ForeignClaims,
}

/// Somebody who was recognised and let in.
#[derive(Clone)]
pub(super) struct Admitted {
    /// Their brand.
    pub(super) tenant: TenantId,
    /// Where they stand.
    pub(super) standing: Standing,
}

impl Admitted {
    /// The caller, as handlers see them.
    pub(super) fn caller(&self) -> Caller {
        let Standing { actor, reach, scopes, mode, until, .. } = &self.standing;
        Caller {
            tenant: self.tenant,
            actor: *actor,
            reach: *reach,
            scopes: Arc::clone(scopes),
            is_sandbox: *mode == TenantMode::Test,
            until: *until,
        }
    }

    /// Whose bucket their requests are charged to.
    pub(super) fn bucket(&self) -> Uuid {
        match self.standing.actor {
            Actor::Staff { id, .. } => id.into(),
            Actor::Key(id) => id.into(),
            Actor::Customer(id) => id.into(),
            Actor::Worker | Actor::Operator => Uuid::nil(),
        }
    }
}

/// Somebody is not let in. What they read is the same for each reason.
pub(super) fn unauthorized() -> Problem {
    Problem::new(&problem::UNAUTHORIZED)
}

impl Desk {
    /// The address of this service, without a slash at the end, for links that people follow.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The secret of this service.
    pub(crate) fn secret(&self) -> &SecretKey {
        self.keyring.secret()
    }

    /// Opens the desk.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the surroundings are not fit.
    pub fn open(store: Store, setup: Setup) -> Result<Self, Closed> {
        let Setup { address, secret, loopback, limits, shared } = setup;
        let clock = store.clock().clone();
        let life = Duration::from_secs(u64::try_from(TOKEN_LIFE_SECONDS).unwrap_or(0));
        let key_sets = KeySets::new(loopback).map_err(|fault| Closed::Client(fault.into()))?;
        Ok(Self {
            address,
            loopback,
            gate: RateGate::new(limits, shared.as_ref())?,
            keyring: KeyRing::new(store.clone(), secret),
            key_sets,
            secrets: Fresh::new(clock.clone()),
            standings: Fresh::new(clock.clone()),
            issuers: Fresh::new(clock.clone()),
            origins: Fresh::new(clock),
            tokens: Cache::builder().max_capacity(MOST_TOKENS).time_to_live(life).build(),
            foreign: Cache::builder().max_capacity(MOST_TOKENS).time_to_live(life).build(),
            store,
        })
    }

    /// Lets in whoever carries `bearer`; `tenant` is the brand they say they come to, which a token of the
    /// brand's own issuer needs.
    ///
    /// # Errors
    ///
    /// `unauthorized`, whatever is wrong; `unavailable` when it cannot be found out.
    pub(super) async fn admit(
        &self,
        bearer: &str,
        tenant: Option<TenantId>,
    ) -> Result<Admitted, Problem> {
        if let Some(key) = KeyText::read(bearer) {
            return self.admit_key(&key).await.map(|(_, admitted)| admitted);
        }
        let kid = jwt::key_name(bearer).unwrap_or_default();
        if kid.starts_with("sgn_") {
            return self.admit_token(bearer, &kid).await;
        }
        let tenant = tenant.ok_or_else(unauthorized)?;
        // On the heap, because whoever asks for keys talks to the outside, which takes room.
        Box::pin(self.admit_foreign(bearer, tenant)).await
    }

    /// Lets in a program with its key.
    pub(super) async fn admit_key(&self, key: &KeyText) -> Result<(ApiKeyId, Admitted), Problem> {
        let hash = key.fingerprint();
        let found = self.secrets.get(hash, || async {
            let found = self.store.find_secret(hash.to_vec()).await?;
            let found = found.filter(|found| found.kind == "api_key");
            Ok(found.map(|found| (found.tenant(), found.subject_id.into())))
        });
        let (tenant, id) = found.await?.ok_or_else(unauthorized)?;
        let standing = self.standing(Credential::Key(tenant, id)).await?;
        Ok((id, Admitted { tenant, standing }))
    }

    async fn admit_token(&self, token: &str, kid: &str) -> Result<Admitted, Problem> {
        let ring = self.keyring.with(kid).await?;
        let verified = self.verify(&ring, token, kid).await?;
        let Verified { claims, grant, .. } = verified.as_ref();
        let client = self.standing(Credential::Key(grant.tenant, grant.client)).await?;
        let standing = match grant.subject {
            TokenSubject::Key(_) => client,
            // A token in somebody's name lives only as long as the key that asked for it.
            TokenSubject::Staff(id) => {
                let person = self.standing(Credential::Staff(grant.tenant, id)).await?;
                person.ending(client.until)
            }
        };
        let end = Timestamp::from_unix_seconds(claims.exp);
        let standing = standing.within(&grant.scopes).ending(end);
        Ok(Admitted { tenant: grant.tenant, standing })
    }

    /// A token that this service has signed, with a key that was not withdrawn since.
    async fn verify(&self, ring: &Ring, token: &str, kid: &str) -> Result<Arc<Verified>, Problem> {
        let (name, now) = (fingerprint(token), self.store.clock().now());
        let verified = if let Some(verified) = self.tokens.get(&name).await {
            verified.claims.hold(&self.address, now).map_err(|fault| turn_away(&fault))?;
            verified
        } else {
            let claims: Claims = ring.public.verify(token).map_err(|fault| turn_away(&fault))?;
            let grant = claims.accept(&self.address, now).map_err(|fault| turn_away(&fault))?;
            let verified = Arc::new(Verified { claims, grant, kid: kid.to_owned() });
            self.tokens.insert(name, Arc::clone(&verified)).await;
            verified
        };
        // The signature is remembered, but a key may have been withdrawn since.
        if !ring.public.has(&verified.kid) {
            return Err(unauthorized());
        }
        Ok(verified)
    }

    async fn admit_foreign(&self, token: &str, tenant: TenantId) -> Result<Admitted, Problem> {
        let name = jwt::issuer_name(token).ok_or_else(unauthorized)?;
        let issuer = self.issuers.get((tenant, name.to_string()), || async {
            Ok(self.store.issuer(tenant, name.as_str()).await?.map(Arc::new))
        });
        let issuer = issuer.await?.ok_or_else(unauthorized)?;
        let verified = self.verify_foreign(token, &issuer).await?;
        let now = self.store.clock().now();
        let subject =
            issuer.accept(&verified.claims, now).map_err(|fault| turn_away(&fault))?.to_owned();
        let standing = self.standing(Credential::SignedIn(tenant, issuer.id, subject)).await?;
        let end = Timestamp::from_unix_seconds(verified.claims.exp);
        Ok(Admitted { tenant, standing: standing.ending(end) })
    }

    async fn verify_foreign(&self, token: &str, issuer: &Issuer) -> Result<Arc<Foreign>, Problem> {
        let name = (fingerprint(token), issuer.id, issuer.version.get());
        if let Some(foreign) = self.foreign.get(&name).await {
            return Ok(foreign);
        }
        let now = self.store.clock().now();
        let kid = jwt::key_name(token);
        let keys = self.key_sets.of(issuer, kid.as_deref(), now).await;
        let keys = keys.map_err(|fault: FetchFault| turn_away(&fault))?;
        let claims = jwt::verify_foreign(token, &keys, issuer.details.algorithm);
        let foreign = Arc::new(Foreign { claims: claims.map_err(|fault| turn_away(&fault))? });
        self.foreign.insert(name, Arc::clone(&foreign)).await;
        Ok(foreign)
    }

    async fn standing(&self, credential: Credential) -> Result<Standing, Problem> {
        let found = self.standings.get(credential.clone(), || async {
            Ok(self.store.standing(&credential).await?.map(Arc::new))
        });
        let standing = found.await?.ok_or_else(unauthorized)?;
        let holds = standing.holds(self.store.clock().now());
        if holds { Ok(standing.as_ref().clone()) } else { Err(unauthorized()) }
    }

    /// Whether front ends of any brand come from `origin`.
    pub(super) async fn knows_origin(&self, origin: &str) -> bool {
        let known = self.origins.get(origin.to_owned(), || async {
            Ok(self.store.knows_origin(origin).await?.then_some(()))
        });
        known.await.is_ok_and(|known| known.is_some())
    }

    /// The keys to sign with. Read before a transaction is open, because they may have to be read from the
    /// database.
    pub(super) async fn ring(&self) -> Result<Arc<Ring>, Problem> {
        Ok(self.keyring.keys().await?)
    }

    /// Writes and signs a token.
    pub(super) fn issue(&self, ring: &Ring, grant: &TokenGrant) -> Result<String, Problem> {
        let name: Uuid = self.store.chance().id();
        let now = self.store.clock().now();
        let claims = Claims::issue(&self.address, name.to_string(), grant, now);
        Ok(ring.sign(&claims)?)
    }
}

/// Turns somebody away; the reason is for the log.
fn turn_away(fault: &dyn std::error::Error) -> Problem {
    tracing::debug!(reason = %problem::chain(fault), "a token was not accepted");
    unauthorized()
}
