//! Tables `staff`, `issuer` and `api_key`.

use crate::{documents, table, table::word, words};
use domain::{
    identity::{
        ApiKey, ApiKeyDetails, ApiKeyStatus, Issuer, IssuerDetails, IssuerStatus, Leave, Role,
        Scope, Staff, StaffDetails, StaffStatus, TokenAlgorithm,
    },
    ids::{DealerId, IssuerId, SiteId},
    tenancy::TenantMode,
    text::{ExternalId, Name},
    time::Timestamp,
    web::WebAddress,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};
use std::collections::BTreeSet;
use uuid::Uuid;

words!(Role, StaffStatus, IssuerStatus, TokenAlgorithm, ApiKeyStatus, WebAddress);
documents!(BTreeSet<SiteId>, BTreeSet<Scope>, Leave);

table! {
    /// Staff.
    staff = "staff" of Staff {
        [details: StaffDetails {
            dealer_id: Option<DealerId>, external_id: Option<ExternalId>, name: Name, role: Role,
            site_ids: BTreeSet<SiteId>, issuer_id: Option<IssuerId>, subject: Option<ExternalId>,
            on_leave: Option<Leave>,
        }],
        status: StaffStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Where people sign in.
    issuer = "issuer" of Issuer {
        [details: IssuerDetails {
            name: Name, issuer: WebAddress, audience: ExternalId, jwks_url: WebAddress,
            algorithm: TokenAlgorithm,
        }],
        status: IssuerStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// API keys.
    api_key = "api_key" of ApiKey {
        [details: ApiKeyDetails {
            name: Name, scopes: BTreeSet<Scope>, dealer_id: Option<DealerId>,
            expires_at: Option<Timestamp>,
        }],
        prefix: String,
        mode: TenantMode,
        status: ApiKeyStatus,
        last_used_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

/// What staff is looked for by.
#[derive(Debug, Clone, Default)]
pub struct StaffSought {
    /// The dealer they work for.
    pub dealer: Option<DealerId>,
    /// What they do.
    pub role: Option<Role>,
    /// Whether they work here.
    pub status: Option<StaffStatus>,
    /// What the brand's own system calls them.
    pub external_id: Option<ExternalId>,
}

/// Staff, by what is sought.
pub fn staff_like(sought: &StaffSought) -> Select<staff::Entity> {
    let mut select = staff::Entity::find();
    if let Some(dealer) = sought.dealer {
        select = select.filter(staff::Column::DealerId.eq(Uuid::from(dealer)));
    }
    if let Some(role) = sought.role {
        select = select.filter(staff::Column::Role.eq(word(&role)));
    }
    if let Some(status) = sought.status {
        select = select.filter(staff::Column::Status.eq(word(&status)));
    }
    if let Some(external_id) = &sought.external_id {
        select = select.filter(staff::Column::ExternalId.eq(external_id.to_string()));
    }
    select
}
