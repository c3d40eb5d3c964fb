//! The platform's own questions: who a secret belongs to, and new tenants.

use crate::{
    Failure, Fault, Scope, Store, Tenant, key_text::KeyText, table::Col, transaction::Transaction,
};
use domain::{
    change::Change,
    event::Event,
    identity::{self, Actor, ApiKey, ApiKeyDetails, Grantor, MadeKey, Reach},
    ids::TenantId,
    money::Currency,
    sandbox::TestClock,
    tenancy::{
        Brand, BrandDetails, BrandFounding, EscalationHours, ObligationShare, TenantMode,
        usual_personalised_most,
    },
    text::{Locale, Name, Slug},
    time::{Timestamp, Zone},
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What the operator says of a new brand.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its name in addresses and on the command line; no other brand has it.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// Where its days begin.
    pub tz: Zone,
    /// The language it speaks when a customer has not chosen one.
    pub locale: Locale,
    /// The currency of its accounts.
    pub currency: Currency,
}

impl NewTenant {
    fn founding(&self) -> BrandFounding {
        let details = BrandDetails {
            name: self.name.clone(),
            tz: self.tz,
            locale: self.locale,
            cors_origins: BTreeSet::new(),
            gesture_escalation_hours: EscalationHours::default(),
            obligation_from_bp: ObligationShare::default(),
            personalised_most_bp: usual_personalised_most(),
        };
        BrandFounding { slug: self.slug.clone(), currency: self.currency, details }
    }
}

/// A brand and its sandbox twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twins {
    /// The brand itself.
    pub live: TenantId,
    /// The twin: its own rows, its own clock, and nothing leaves it.
    pub test: TenantId,
}

/// A brand, its twin, and the first key of each. The keys are shown once.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The brand and its twin.
    pub twins: Twins,
    /// The first key of the brand, which may do everything.
    pub live_key: KeyText,
    /// The first key of its sandbox, which may do everything there.
    pub test_key: KeyText,
}

/// A brand that is founded and not committed yet.
#[derive(Debug)]
pub struct Founding {
    tenant: Tenant,
    founded: Founded,
}

/// What a secret opens.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Found {
    tenant_id: Uuid,
    /// What it is: `api_key`, or a kind of page.
    pub kind: String,
    /// The key, or the record whose page it is.
    pub subject_id: Uuid,
}

impl Found {
    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant_id.into()
    }
}

impl Store {
    /// Finds out whose secret has this hash.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn find_secret(&self, hash: Vec<u8>) -> Result<Option<Found>, Fault> {
        let auth = self.auth("READ ONLY").await?;
        let sql = "SELECT tenant_id, kind, subject_id FROM ac.find_secret($1)";
        let find = Statement::from_sql_and_values(DbBackend::Postgres, sql, [hash.into()]);
        Ok(Found::find_by_statement(find).one(&auth).await?)
    }

    /// A transaction of the role that recognises callers and sees no brand's rows.
    pub(crate) async fn auth(&self, mode: &str) -> Result<Transaction, Fault> {
        let opening = format!(
            "BEGIN {mode}; SET LOCAL ROLE aftercare_auth; SET LOCAL statement_timeout = '5s'"
        );
        Ok(self.begin(opening).await?)
    }

    /// Answers whether the database answers.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it does not.
    pub async fn ping(&self) -> Result<(), Fault> {
        let opening = "BEGIN READ ONLY; SET LOCAL statement_timeout = '2s'";
        self.begin(opening.to_owned()).await?.commit().await?;
        Ok(())
    }

    /// Creates a brand and its sandbox twin with their first keys, all or nothing.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when another brand has the slug.
    pub async fn create_tenant(&self, new: &NewTenant) -> Result<Founded, Failure> {
        self.found_tenant(new).await?.commit().await
    }

    /// Like [`Store::create_tenant`], to be committed when its keys are where they cannot be lost.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when another brand has the slug.
    pub async fn found_tenant(&self, new: &NewTenant) -> Result<Founding, Failure> {
        let twins = Twins { live: self.chance().id(), test: self.chance().id() };
        let mut tenant = self.enter(scope(twins.live)).await?;
        let live = Brand::found(twins.live, new.founding(), tenant.now())?;
        let live = tenant.found(live).await?;
        let live_key = tenant.first_key(live.mode).await?;
        tenant.pass_to(twins.test).await?;
        let test = tenant.found(live.twin(twins.test, tenant.now())).await?;
        let test_key = tenant.first_key(test.mode).await?;
        Ok(Founding { tenant, founded: Founded { twins, live_key, test_key } })
    }
}

/// What a brand has set that many decisions ask for.
pub(crate) struct BrandSettings {
    /// In which zone its days begin.
    pub(crate) tz: Zone,
    /// How long a rank has to decide about a gesture.
    pub(crate) escalation_hours: EscalationHours,
}

impl Default for BrandSettings {
    fn default() -> Self {
        Self { tz: Zone::UTC, escalation_hours: EscalationHours::default() }
    }
}

impl Founding {
    /// What is founded, if it is committed.
    pub fn founded(&self) -> &Founded {
        &self.founded
    }

    /// Makes it so.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails; then there is no such brand.
    pub async fn commit(self) -> Result<Founded, Failure> {
        Ok(self.tenant.commit(self.founded).await?.into_inner())
    }
}

/// The operator's way into a tenant.
pub(crate) fn scope(tenant: TenantId) -> Scope {
    Scope {
        tenant,
        actor: Actor::Operator,
        reach: Reach::default(),
        paced: false,
        request_id: None,
    }
}

impl Tenant {
    /// Writes down the tenant in scope, and begins its first day.
    async fn found(&self, brand: Change<Brand>) -> Result<Brand, Failure> {
        let brand = self.record_brand(brand).await?;
        let now = chrono::DateTime::from(self.now());
        let is_test = brand.mode == TenantMode::Test;
        let queue = "INSERT INTO tenant_queue (tenant_id, paced_to) VALUES (ac.tenant(), $1)";
        let paced_to = is_test.then_some(now);
        self.work().execute_raw(self.statement(queue, [paced_to.into()])).await?;
        if is_test {
            self.record(TestClock::start(self.new_id(), self.now())).await?;
        }
        self.begin_day(self.now(), brand.details.tz).await?;
        Ok(brand)
    }

    /// Makes the key with which everything else is begun.
    async fn first_key(&self, mode: TenantMode) -> Result<KeyText, Failure> {
        let secret = KeyText::of(mode, &self.random()?);
        let key = MadeKey { id: self.new_id(), prefix: secret.prefix(), mode };
        let scopes = identity::Scope::ALL.iter().copied().collect();
        let name = Name::new("First key").map_err(|mistake| DbErr::Type(mistake.message))?;
        let grantor = Grantor { scopes: &scopes, reach: Reach::default() };
        let scopes = scopes.clone();
        let details = ApiKeyDetails { name, scopes, dealer_id: None, expires_at: None };
        let key = self.record(ApiKey::make(key, details, grantor, self.now())?).await?;
        self.keep_key_secret(&key, &secret).await?;
        Ok(secret)
    }

    /// The brand's time zone, in which its days begin.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn zone(&self) -> Result<Zone, Fault> {
        Ok(self.brand_settings().await?.tz)
    }

    /// What the brand has set that many decisions ask for.
    pub(crate) async fn brand_settings(&self) -> Result<BrandSettings, Fault> {
        let sql = "SELECT tz, gesture_escalation_hours FROM tenant WHERE id = ac.tenant()";
        let row = self.work().query_one_raw(self.statement(sql, [])).await?;
        let Some(row) = row else { return Ok(BrandSettings::default()) };
        Ok(BrandSettings {
            tz: row.try_get::<Col<Zone>>("", "tz")?.0,
            escalation_hours: row
                .try_get::<Col<EscalationHours>>("", "gesture_escalation_hours")?
                .0,
        })
    }

    /// Announces that the day in which `at` lies has begun.
    async fn begin_day(&self, at: Timestamp, zone: Zone) -> Result<(), Fault> {
        let on = at.date_in(zone);
        self.emit_once(&Event::DayBegan { on }, at, &format!("day_began:{on}")).await
    }

    /// Goes on in another tenant, in the same transaction.
    pub(crate) async fn pass_to(&mut self, tenant: TenantId) -> Result<(), Fault> {
        let sql = format!("SET LOCAL ac.tenant = '{}'", Uuid::from(tenant));
        self.work().execute_unprepared(&sql).await?;
        self.set_id(tenant);
        Ok(())
    }
}
