//! Links that customers carry: who they belong to, found by the hash of a token that is nowhere here.

use crate::{Fault, Missing, Scope, Store, Tenant, table::Table};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    filing::{ComplaintLink, FilingLink},
    identity::{Actor, Reach},
    ids::{CustomerId, TenantId},
    surveys::Invitation,
};
use sea_orm::ConnectionTrait as _;

/// Random bytes in a token: 128 bits cannot be guessed, and make a link that fits in a short message.
const TOKEN_BYTES: usize = 16;
/// The characters of a token.
const TOKEN_CHARS: usize = 22;

/// What a link can lead to. Each kind has a page of its own, and a token of one opens no other.
pub trait Linked: Table {
    /// The kind, as the table of secrets knows it.
    const PAGE: &'static str;
}

impl Linked for Invitation {
    const PAGE: &'static str = "page";
}

impl Linked for ComplaintLink {
    const PAGE: &'static str = "complaint_page";
}

impl Linked for FilingLink {
    const PAGE: &'static str = "filing_page";
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<R> {
    /// The record it was made for, as it is now.
    pub target: R,
    tenant: TenantId,
    customer: CustomerId,
    paced: bool,
}

impl<R> Link<R> {
    /// How the carrier enters: as the customer.
    pub fn scope(&self, request_id: Option<String>) -> Scope {
        scope(self.tenant, Actor::Customer(self.customer), self.paced, request_id)
    }
}

impl Tenant {
    /// Makes a link to a record; answers its token, which is not kept.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or there is no randomness.
    pub async fn make_link<R: Linked>(&self, target: &R) -> Result<String, Fault> {
        let token = URL_SAFE_NO_PAD.encode(self.random::<TOKEN_BYTES>()?);
        let sql = "INSERT INTO secret (tenant_id, hash, kind, subject_id, created_at)
                   VALUES (ac.tenant(), $1, $2, $3, $4)";
        let now = chrono::DateTime::from(self.now());
        let values = [hash(&token).into(), R::PAGE.into(), target.id().into().into(), now.into()];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(token)
    }
}

impl Store {
    /// Finds out what the link with this token leads to; nothing when there is no such link, or it leads to a page of
    /// another kind.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn follow_link<R: Linked>(&self, token: &str) -> Result<Option<Link<R>>, Fault> {
        if token.len() != TOKEN_CHARS {
            return Ok(None);
        }
        let found = self.find_secret(hash(token)).await?.filter(|found| found.kind == R::PAGE);
        let Some(found) = found else { return Ok(None) };
        let tenant = found.tenant();
        let doorway = self.enter(scope(tenant, Actor::Worker, false, None)).await?;
        let target: R = match doorway.get(found.subject_id.into()).await {
            Ok(target) => target,
            Err(Missing::NotFound) => return Ok(None),
            Err(Missing::Fault(fault)) => return Err(fault),
        };
        // Only sandboxes have a clock of their own.
        let paced = doorway.test_clock().await?.is_some();
        Ok(target.customer().map(|customer| Link { target, tenant, customer, paced }))
    }
}

fn scope(tenant: TenantId, actor: Actor, paced: bool, request_id: Option<String>) -> Scope {
    Scope { tenant, actor, reach: Reach::default(), paced, request_id }
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
