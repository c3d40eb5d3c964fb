//! Tables `staff`, `issuer` and `api_key`.

use crate::{
    Fault, Missing, Scope, Store, Tenant, documents, key_text::KeyText, listed, table, table::word,
    words,
};
use domain::{
    identity::{
        self, Actor, ApiKey, ApiKeyDetails, ApiKeyStatus, Issuer, IssuerDetails, IssuerStatus,
        Leave, Origin, Reach, Role, Staff, StaffDetails, StaffStatus, Standing, TokenAlgorithm,
    },
    ids::{ApiKeyId, DealerId, IssuerId, SiteId, StaffId, TeamId, TenantId},
    tenancy::{Dealer, TenantMode},
    text::{ExternalId, Name},
    time::Timestamp,
    web::WebAddress,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    QueryFilter as _, QueryTrait as _, Select, Statement,
};
use std::collections::BTreeSet;
use uuid::Uuid;

words!(Role, StaffStatus, IssuerStatus, TokenAlgorithm, ApiKeyStatus, WebAddress);
documents!(BTreeSet<SiteId>, BTreeSet<identity::Scope>, Leave);

table! {
    /// Staff.
    staff = "staff" of Staff {
        [details: StaffDetails {
            dealer_id: Option<DealerId>, external_id: Option<ExternalId>, name: Name, role: Role,
            site_ids: BTreeSet<SiteId>, issuer_id: Option<IssuerId>, subject: Option<ExternalId>,
            on_leave: Option<Leave>, deputy_id: Option<StaffId>, team_id: Option<TeamId>,
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
            name: Name, scopes: BTreeSet<identity::Scope>, dealer_id: Option<DealerId>,
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

listed! {
    Staff = staff [CreatedAt; Name] usually newest;
    Issuer = issuer [CreatedAt;] usually newest;
    ApiKey = api_key [CreatedAt; Name] usually newest;
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
    /// The team they are in.
    pub team: Option<TeamId>,
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
    if let Some(team) = sought.team {
        select = select.filter(staff::Column::TeamId.eq(Uuid::from(team)));
    }
    if let Some(external_id) = &sought.external_id {
        select = select.filter(staff::Column::ExternalId.eq(external_id.to_string()));
    }
    select
}

/// Who works for a dealer, or for the brand, and may decide about the gestures of others.
pub fn deciding(dealer: Option<DealerId>) -> Select<staff::Entity> {
    match dealer {
        Some(dealer) => all_deciding().filter(staff::Column::DealerId.eq(Uuid::from(dealer))),
        None => all_deciding().filter(staff::Column::DealerId.is_null()),
    }
}

/// Who of these people may decide about the gestures of others at a dealer: its own, and the brand's.
pub fn deciding_of(people: &[StaffId], dealer: Option<DealerId>) -> Select<staff::Entity> {
    let ids = people.iter().copied().map(Uuid::from);
    let mut near = Condition::any().add(staff::Column::DealerId.is_null());
    if let Some(dealer) = dealer {
        near = near.add(staff::Column::DealerId.eq(Uuid::from(dealer)));
    }
    all_deciding().filter(staff::Column::Id.is_in(ids)).filter(near)
}

fn all_deciding() -> Select<staff::Entity> {
    let roles = Role::ALL.into_iter().filter(|role| role.decides_gestures());
    staff::Entity::find()
        .filter(staff::Column::Status.eq(word(&StaffStatus::Active)))
        .filter(staff::Column::Role.is_in(roles.map(|role| word(&role))))
}

/// Those whose deputy somebody is.
pub fn deputised_by(deputy: StaffId) -> Select<staff::Entity> {
    staff::Entity::find()
        .filter(staff::Column::Status.eq(word(&StaffStatus::Active)))
        .filter(staff::Column::DeputyId.eq(Uuid::from(deputy)))
}

/// Issuers, by what they call themselves.
pub fn issuers(issuer: Option<&str>) -> Select<issuer::Entity> {
    let select = issuer::Entity::find();
    match issuer {
        Some(issuer) => select.filter(issuer::Column::Issuer.eq(issuer)),
        None => select,
    }
}

/// Keys, by their state.
pub fn api_keys(status: Option<ApiKeyStatus>, dealer: Option<DealerId>) -> Select<api_key::Entity> {
    api_key::Entity::find()
        .apply_if(status, |all, status| all.filter(api_key::Column::Status.eq(word(&status))))
        .apply_if(dealer, |all, id| all.filter(api_key::Column::DealerId.eq(Uuid::from(id))))
}

/// The person whom an issuer calls so.
fn signing_in(issuer: IssuerId, subject: &str) -> Select<staff::Entity> {
    staff::Entity::find()
        .filter(staff::Column::IssuerId.eq(Uuid::from(issuer)))
        .filter(staff::Column::Subject.eq(subject))
}

/// Somebody who was recognised, before it is known what they may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// A program, by its key.
    Key(TenantId, ApiKeyId),
    /// A person, by a token of this service.
    Staff(TenantId, StaffId),
    /// A person, by a token of the brand's own issuer.
    SignedIn(TenantId, IssuerId, String),
}

impl Credential {
    /// The brand they come to.
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Key(tenant, _) | Self::Staff(tenant, _) | Self::SignedIn(tenant, _, _) => *tenant,
        }
    }
}

impl Store {
    /// Looks up where somebody stands; `None` when they are not let in. The use of a key is remembered.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn standing(&self, credential: &Credential) -> Result<Option<Standing>, Fault> {
        let tenant = self.enter(unseen(credential.tenant())).await?;
        let standing = match credential {
            Credential::Key(_, key) => tenant.key_standing(*key).await,
            Credential::Staff(_, staff) => {
                let staff = tenant.get::<Staff>(*staff).await;
                tenant.staff_standing(staff).await
            }
            Credential::SignedIn(_, issuer, subject) => {
                let staff = tenant.find::<Staff>(signing_in(*issuer, subject)).await?;
                tenant.staff_standing(staff.ok_or(Missing::NotFound)).await
            }
        };
        match standing {
            Ok(standing) => Ok(tenant.commit(standing).await?.into_inner()),
            Err(Missing::NotFound) => Ok(None),
            Err(Missing::Fault(fault)) => Err(fault),
        }
    }

    /// The brand's issuer that calls itself so, if its tokens are accepted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn issuer(&self, tenant: TenantId, name: &str) -> Result<Option<Issuer>, Fault> {
        let tenant = self.enter(unseen(tenant)).await?;
        let issuer = tenant.find::<Issuer>(issuers(Some(name))).await?;
        Ok(issuer.filter(|issuer| issuer.status == IssuerStatus::Active))
    }

    /// Whether front ends of any brand come from `origin`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn knows_origin(&self, origin: &str) -> Result<bool, Fault> {
        let auth = self.auth("READ ONLY").await?;
        let sql = "SELECT ac.knows_origin($1) AS known";
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, sql, [origin.into()]);
        let row = auth.query_one_raw(ask).await?;
        Ok(row.map(|row| row.try_get("", "known")).transpose()?.unwrap_or(false))
    }
}

/// Nobody acts yet, and nothing is narrowed: this is before anybody is let in.
fn unseen(tenant: TenantId) -> Scope {
    Scope { tenant, actor: Actor::Worker, reach: Reach::default(), paced: false, request_id: None }
}

/// How exactly the last use of a key is known: a row is not rewritten for each request.
const USE_MINUTES: i64 = 1;

impl Tenant {
    async fn key_standing(&self, key: ApiKeyId) -> Result<Option<Standing>, Missing> {
        let brand = self.brand().await?;
        let key = self.get::<ApiKey>(key).await?;
        let dealer = self.dealer_of(key.details.dealer_id).await?;
        let from = Origin { brand: &brand, dealer: dealer.as_ref() };
        let standing = Standing::of_key(&key, from, self.now());
        if standing.is_some() {
            self.remember_use(&key).await?;
        }
        Ok(standing)
    }

    async fn staff_standing(
        &self,
        staff: Result<Staff, Missing>,
    ) -> Result<Option<Standing>, Missing> {
        let staff = staff?;
        let brand = self.brand().await?;
        let dealer = self.dealer_of(staff.details.dealer_id).await?;
        Ok(Standing::of_staff(&staff, Origin { brand: &brand, dealer: dealer.as_ref() }))
    }

    async fn dealer_of(&self, dealer: Option<DealerId>) -> Result<Option<Dealer>, Missing> {
        match dealer {
            Some(dealer) => self.get(dealer).await.map(Some),
            None => Ok(None),
        }
    }

    async fn remember_use(&self, key: &ApiKey) -> Result<(), Fault> {
        let before = self.now().plus_minutes(USE_MINUTES.saturating_neg());
        if key.last_used_at.is_some_and(|used| used > before) {
            return Ok(());
        }
        let sql = "UPDATE api_key SET last_used_at = $1
                   WHERE tenant_id = ac.tenant() AND id = $2
                     AND (last_used_at IS NULL OR last_used_at <= $3)";
        let instant = |at: Timestamp| chrono::DateTime::<chrono::Utc>::from(at);
        let values =
            [instant(self.now()).into(), Uuid::from(key.id).into(), instant(before).into()];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// Makes `key` findable by its secret's fingerprint.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn keep_key_secret(&self, key: &ApiKey, secret: &KeyText) -> Result<(), Fault> {
        let sql = "INSERT INTO secret (tenant_id, hash, kind, subject_id, created_at)
                   VALUES (ac.tenant(), $1, 'api_key', $2, $3)";
        let values = [
            secret.fingerprint().to_vec().into(),
            Uuid::from(key.id).into(),
            chrono::DateTime::from(self.now()).into(),
        ];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }
}
