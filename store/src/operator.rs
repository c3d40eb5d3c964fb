//! What the operator asks over all brands, and does to one.

use crate::{Failure, Fault, Store, Tenant, platform::scope};
use domain::{
    change::Change,
    ids::TenantId,
    refusal::Refusal,
    tenancy::{Brand, BrandStatus},
    text::Slug,
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A brand as the operator sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandSeen {
    /// The brand.
    pub id: TenantId,
    /// Its sandbox.
    pub sandbox: TenantId,
    /// Its name in addresses and on the command line.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// When it was founded.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct BrandRow {
    id: Uuid,
    sandbox: Uuid,
    slug: String,
    name: String,
    status: String,
    created_at: chrono::DateTime<chrono::Utc>,
}

impl Store {
    /// What time it is for the database.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it does not answer.
    pub async fn database_now(&self) -> Result<Timestamp, Fault> {
        let auth = self.auth("READ ONLY").await?;
        let ask = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp() AS now");
        let row = auth.query_one_raw(ask).await?;
        let now: Option<chrono::DateTime<chrono::Utc>> =
            row.map(|row| row.try_get("", "now")).transpose()?;
        Ok(now.unwrap_or_default().into())
    }

    /// The names of the migrations that were applied.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, also because it is older than the question.
    pub async fn applied_migrations(&self) -> Result<BTreeSet<String>, Fault> {
        let auth = self.auth("READ ONLY").await?;
        let sql = "SELECT name FROM ac.migrated() AS name";
        let rows = auth.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        Ok(rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?)
    }

    /// All brands, by slug.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn brands(&self) -> Result<Vec<BrandSeen>, Fault> {
        let auth = self.auth("READ ONLY").await?;
        let sql = "SELECT id, sandbox, slug, name, status, created_at FROM ac.brands()";
        let ask = Statement::from_string(DbBackend::Postgres, sql);
        let rows = BrandRow::find_by_statement(ask).all(&auth).await?;
        let seen = rows.into_iter().map(|row| BrandSeen {
            id: row.id.into(),
            sandbox: row.sandbox.into(),
            slug: row.slug,
            name: row.name,
            status: row.status,
            created_at: row.created_at.into(),
        });
        Ok(seen.collect())
    }

    /// Stops every change of a brand and its sandbox, and their jobs, until it is resumed.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when there is no brand of this name, `illegal_transition` when it is suspended.
    pub async fn suspend_tenant(&self, slug: &Slug) -> Result<(), Failure> {
        self.turn_tenant(slug, Brand::suspend).await
    }

    /// Lets a suspended brand go on.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when there is no brand of this name, `illegal_transition` when it is active.
    pub async fn resume_tenant(&self, slug: &Slug) -> Result<(), Failure> {
        self.turn_tenant(slug, Brand::resume).await
    }

    async fn turn_tenant(
        &self,
        slug: &Slug,
        turn: fn(Brand) -> Result<Change<Brand>, Refusal>,
    ) -> Result<(), Failure> {
        let brands = self.brands().await?;
        let brand = brands.iter().find(|brand| brand.slug == slug.to_string());
        let brand = brand.ok_or(Failure::NotFound)?;
        let mut tenant = self.enter(scope(brand.id)).await?;
        tenant.turn(turn).await?;
        tenant.pass_to(brand.sandbox).await?;
        tenant.turn(turn).await?;
        tenant.wake_on_commit();
        tenant.commit(()).await?;
        Ok(())
    }
}

impl Tenant {
    /// Suspends or resumes the tenant in scope, and its queue with it.
    async fn turn(&self, turn: fn(Brand) -> Result<Change<Brand>, Refusal>) -> Result<(), Failure> {
        let brand = self.hold_brand().await?;
        let brand = self.record_brand(turn(brand)?).await?;
        let sql = "UPDATE tenant_queue SET suspended_at = $1 WHERE tenant_id = ac.tenant()";
        let since = match brand.status {
            BrandStatus::Active => None,
            BrandStatus::Suspended => Some(chrono::DateTime::<chrono::Utc>::from(self.now())),
        };
        self.work().execute_raw(self.statement(sql, [since.into()])).await?;
        Ok(())
    }
}
