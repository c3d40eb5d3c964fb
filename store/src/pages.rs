//! Links that customers carry: who they belong to, found by the hash of a token that is nowhere here.

use crate::{Fault, Missing, Scope, Store, Tenant};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    identity::{Actor, Reach},
    ids::{CustomerId, InvitationId, TenantId},
    surveys::Invitation,
};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

/// Random bytes in a token: 128 bits cannot be guessed, and make a link that fits in a short message.
const TOKEN_BYTES: usize = 16;
/// The characters of a token.
const TOKEN_CHARS: usize = 22;

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The asking it was made for.
    pub invitation: InvitationId,
    tenant: TenantId,
    customer: CustomerId,
    paced: bool,
}

impl Link {
    /// How the carrier enters: as the customer.
    pub fn scope(self, request_id: Option<String>) -> Scope {
        scope(self.tenant, Actor::Customer(self.customer), self.paced, request_id)
    }
}

impl Tenant {
    /// Makes a link to an asking; answers its token, which is not kept.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or there is no randomness.
    pub async fn make_link(&self, invitation: InvitationId) -> Result<String, Fault> {
        let token = URL_SAFE_NO_PAD.encode(self.random::<TOKEN_BYTES>()?);
        let sql = "INSERT INTO secret (tenant_id, hash, kind, subject_id, created_at)
                   VALUES (ac.tenant(), $1, 'page', $2, $3)";
        let now = chrono::DateTime::from(self.now());
        let values = [hash(&token).into(), Uuid::from(invitation).into(), now.into()];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(token)
    }
}

impl Store {
    /// Finds out what the link with this token leads to; nothing when there is no such link.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn follow_link(&self, token: &str) -> Result<Option<Link>, Fault> {
        if token.len() != TOKEN_CHARS {
            return Ok(None);
        }
        let found = self.find_secret(hash(token)).await?.filter(|found| found.kind == "page");
        let Some(found) = found else { return Ok(None) };
        let doorway = self.enter(scope(found.tenant(), Actor::Worker, false, None)).await?;
        let invitation: InvitationId = found.subject_id.into();
        let asking = match doorway.get::<Invitation>(invitation).await {
            Ok(asking) => asking,
            Err(Missing::NotFound) => return Ok(None),
            Err(Missing::Fault(fault)) => return Err(fault),
        };
        // Only sandboxes have a clock of their own.
        let paced = doorway.test_clock().await?.is_some();
        let customer = asking.customer_id;
        Ok(Some(Link { invitation, tenant: found.tenant(), customer, paced }))
    }
}

fn scope(tenant: TenantId, actor: Actor, paced: bool, request_id: Option<String>) -> Scope {
    Scope { tenant, actor, reach: Reach::default(), paced, request_id }
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
