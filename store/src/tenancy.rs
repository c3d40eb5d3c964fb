//! Tables `tenant`, `dealer` and `site`.

use crate::{
    Failure, Fault, Missing, Tenant, documents, listed, numbers, table,
    table::{Stored, read_word, word},
    words,
};
use domain::{
    change::Change,
    ids::{CalendarId, DealerId, SiteId, TenantId},
    record::Version,
    tenancy::{
        Brand, BrandDetails, Dealer, DealerDetails, DealerStatus, EscalationHours, ObligationShare,
        Site, SiteDetails, SiteStatus, Team, TeamDetails, TenantMode, WorkingHours,
    },
    text::{Code, Line, Name},
    time::{Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, FromQueryResult,
    QueryFilter as _, Select,
};
use std::collections::BTreeSet;
use uuid::Uuid;

numbers!(EscalationHours, ObligationShare);
words!(DealerStatus, SiteStatus, TenantMode);
documents!(WorkingHours);

table! {
    /// Dealers.
    dealer = "dealer" of Dealer {
        [details: DealerDetails { code: Code, name: Name, tz: Option<Zone> }],
        status: DealerStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Sites.
    site = "site" of Site {
        [details: SiteDetails {
            code: Code, name: Name, tz: Zone, address: Option<Line>, region: Option<Code>,
            hours: WorkingHours, calendar_id: Option<CalendarId>,
        }],
        dealer_id: DealerId,
        status: SiteStatus,
        created_at: Timestamp,
    } versioned
}

table! {
    /// People of a dealer who share a budget.
    team = "team" of Team {
        [details: TeamDetails { name: Name }],
        dealer_id: DealerId,
        created_at: Timestamp,
    } versioned
}

listed! {
    Team = team [CreatedAt; Name] usually newest;
    Dealer = dealer [CreatedAt; Code] usually newest;
    Site = site [CreatedAt; Code] usually newest;
}

/// Dealers, by their state and their name for programs.
pub fn dealers(status: Option<DealerStatus>, code: Option<&Code>) -> Select<dealer::Entity> {
    let mut select = dealer::Entity::find();
    if let Some(status) = status {
        select = select.filter(dealer::Column::Status.eq(word(&status)));
    }
    if let Some(code) = code {
        select = select.filter(dealer::Column::Code.eq(code.to_string()));
    }
    select
}

/// Sites, by their dealer and their state.
pub fn sites(dealer: Option<DealerId>, status: Option<SiteStatus>) -> Select<site::Entity> {
    let mut select = site::Entity::find();
    if let Some(dealer) = dealer {
        select = select.filter(site::Column::DealerId.eq(Uuid::from(dealer)));
    }
    if let Some(status) = status {
        select = select.filter(site::Column::Status.eq(word(&status)));
    }
    select
}

/// Teams, by their dealer.
pub fn teams(dealer: Option<DealerId>) -> Select<team::Entity> {
    let select = team::Entity::find();
    match dealer {
        Some(dealer) => select.filter(team::Column::DealerId.eq(Uuid::from(dealer))),
        None => select,
    }
}

/// The sites with these identifiers.
pub fn sites_named(ids: &BTreeSet<SiteId>) -> Select<site::Entity> {
    let ids = ids.iter().map(|id| Uuid::from(*id));
    site::Entity::find().filter(site::Column::Id.is_in(ids))
}

/// A row of `tenant`: the one table whose rows are tenants, and so have no other key.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    slug: String,
    mode: String,
    live_id: Uuid,
    name: String,
    status: String,
    tz: String,
    locale: String,
    currency: String,
    cors_origins: serde_json::Value,
    gesture_escalation_hours: i32,
    obligation_from_bp: i32,
    personalised_most_bp: i32,
    version: i64,
    created_at: chrono::DateTime<chrono::Utc>,
}

impl Row {
    fn brand(self) -> Result<Brand, Fault> {
        let unknown = |what: String| Fault::from(DbErr::Type(what));
        let mistaken = |mistake: domain::invalid::Invalid| unknown(mistake.message);
        let mode = read_word(self.mode).map_err(unknown)?;
        let sandbox_of = match mode {
            TenantMode::Live => None,
            TenantMode::Test => Some(TenantId::from(self.live_id)),
        };
        Ok(Brand {
            id: self.id.into(),
            slug: self.slug.parse().map_err(mistaken)?,
            mode,
            sandbox_of,
            status: read_word(self.status).map_err(unknown)?,
            currency: self.currency.parse().map_err(mistaken)?,
            details: BrandDetails {
                name: self.name.parse().map_err(mistaken)?,
                tz: self.tz.parse().map_err(mistaken)?,
                locale: read_word(self.locale).map_err(unknown)?,
                cors_origins: serde_json::from_value(self.cors_origins)?,
                gesture_escalation_hours: Stored::from_sql(self.gesture_escalation_hours)
                    .map_err(unknown)?,
                obligation_from_bp: Stored::from_sql(self.obligation_from_bp).map_err(unknown)?,
                personalised_most_bp: Stored::from_sql(self.personalised_most_bp)
                    .map_err(unknown)?,
            },
            version: self.version.into(),
            created_at: self.created_at.into(),
        })
    }
}

impl Tenant {
    /// The brand whose door this is.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when there is no such brand.
    pub async fn brand(&self) -> Result<Brand, Missing> {
        self.find_brand("").await
    }

    /// The brand whose door this is, in order to change it; others wait until this tenant is done.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when there is no such brand.
    pub async fn hold_brand(&self) -> Result<Brand, Missing> {
        self.find_brand("FOR NO KEY UPDATE").await
    }

    async fn find_brand(&self, lock: &str) -> Result<Brand, Missing> {
        let sql = format!("SELECT * FROM tenant WHERE id = ac.tenant() {lock}");
        let row = Row::find_by_statement(self.statement(&sql, [])).one(self.work()).await?;
        Ok(row.ok_or(Missing::NotFound)?.brand()?)
    }

    /// Records a decision about the brand itself.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when another brand has the slug, [`Fault::Stale`] when it was changed since it was
    /// read.
    pub async fn record_brand(&self, change: Change<Brand>) -> Result<Brand, Failure> {
        if change.is_idle() {
            return Ok(change.record);
        }
        let Change { mut record, is_new, action, facts, events } = change;
        if is_new {
            self.add_brand(&record).await?;
        } else {
            record = self.save_brand(record).await?;
        }
        self.note(&record, action, facts.into()).await?;
        for (event, due_at) in events {
            self.emit_at(&event, due_at.unwrap_or(self.now())).await?;
        }
        Ok(record)
    }

    async fn add_brand(&self, brand: &Brand) -> Result<(), Fault> {
        let sql = "INSERT INTO tenant (id, slug, mode, live_id, name, status, tz, locale, currency,
                                       cors_origins, gesture_escalation_hours, version, created_at,
                                       obligation_from_bp, personalised_most_bp)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let values = [
            Uuid::from(brand.id).into(),
            brand.slug.to_string().into(),
            word(&brand.mode).into(),
            Uuid::from(brand.sandbox_of.unwrap_or(brand.id)).into(),
            brand.details.name.to_string().into(),
            word(&brand.status).into(),
            brand.details.tz.to_string().into(),
            brand.details.locale.tag().into(),
            brand.currency.to_string().into(),
            serde_json::to_value(&brand.details.cors_origins)?.into(),
            brand.details.gesture_escalation_hours.to_sql().into(),
            Version::FIRST.get().into(),
            chrono::DateTime::from(brand.created_at).into(),
            brand.details.obligation_from_bp.to_sql().into(),
            brand.details.personalised_most_bp.to_sql().into(),
        ];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    async fn save_brand(&self, mut brand: Brand) -> Result<Brand, Fault> {
        let sql =
            "UPDATE tenant SET name = $1, status = $2, tz = $3, locale = $4, cors_origins = $5,
                                     gesture_escalation_hours = $6, version = version + 1,
                                     obligation_from_bp = $8, personalised_most_bp = $9
                   WHERE id = ac.tenant() AND version = $7";
        let values = [
            brand.details.name.to_string().into(),
            word(&brand.status).into(),
            brand.details.tz.to_string().into(),
            brand.details.locale.tag().into(),
            serde_json::to_value(&brand.details.cors_origins)?.into(),
            brand.details.gesture_escalation_hours.to_sql().into(),
            brand.version.get().into(),
            brand.details.obligation_from_bp.to_sql().into(),
            brand.details.personalised_most_bp.to_sql().into(),
        ];
        let saved = self.work().execute_raw(self.statement(sql, values)).await?;
        brand.version = brand.version.next();
        if saved.rows_affected() == 1 { Ok(brand) } else { Err(Fault::Stale) }
    }
}
