//! The library of procedures: questions about many of them at once.

use crate::{
    Fault, Tenant,
    sops::{sop, sop_version},
    table,
};
use domain::{
    sops::{CoveringSop, Department, KnownSop, Sop, SopStanding, SopVersion, SopVersionState},
    text::Code,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, sea_query::Expr,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The most procedures that coverage is counted over: many times what a brand has.
const MOST_COVERING: u32 = 10_000;

/// Which versions of the procedures are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedVersions {
    /// The newest of each, whatever its state.
    Newest,
    /// Those that are in force.
    InForce,
}

impl Tenant {
    /// At most `most` procedures, each with the wanted version of it, by their codes.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn sop_library(
        &self,
        department: Option<Department>,
        wanted: WantedVersions,
        most: u64,
    ) -> Result<Vec<(Sop, Option<SopVersion>)>, Fault> {
        let sops = sop::Entity::find()
            .apply_if(department, |all, one| {
                all.filter(sop::Column::Department.eq(table::word(&one)))
            })
            .order_by_asc(sop::Column::Code)
            .limit(most);
        let sops = self.all::<Sop>(sops).await?;
        self.with_versions(sops, wanted).await
    }

    /// One procedure with the wanted version of it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn with_versions(
        &self,
        sops: Vec<Sop>,
        wanted: WantedVersions,
    ) -> Result<Vec<(Sop, Option<SopVersion>)>, Fault> {
        let ids: Vec<Uuid> = sops.iter().map(|sop| sop.id.into()).collect();
        let of_these = sop_version::Entity::find().filter(sop_version::Column::SopId.is_in(ids));
        let versions = match wanted {
            WantedVersions::Newest => of_these.filter(Expr::cust(
                "number = (SELECT latest_number FROM sop WHERE sop.tenant_id = sop_version.tenant_id
                           AND sop.id = sop_version.sop_id)",
            )),
            WantedVersions::InForce => of_these
                .filter(sop_version::Column::State.eq(table::word(&SopVersionState::Published))),
        };
        let versions = self.all::<SopVersion>(versions).await?;
        let mut versions: BTreeMap<_, _> =
            versions.into_iter().map(|version| (version.sop_id, version)).collect();
        let with_its = |sop: Sop| {
            let version = versions.remove(&sop.id);
            (sop, version)
        };
        Ok(sops.into_iter().map(with_its).collect())
    }

    /// The procedures with these codes, held in order to change them, each with its newest version.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn hold_sops(&self, codes: Vec<String>) -> Result<BTreeMap<Code, KnownSop>, Fault> {
        let sops = sop::Entity::find().filter(sop::Column::Code.is_in(codes));
        let sops = self.hold_all::<Sop>(sops).await?;
        let known = self.with_versions(sops, WantedVersions::Newest).await?;
        let known = known.into_iter().map(|(sop, newest)| {
            let code = sop.details.code.clone();
            (code, KnownSop { sop, newest })
        });
        Ok(known.collect())
    }

    /// Every procedure, as far as it covers a moment of the customer's.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn covering_sops(&self) -> Result<Vec<CoveringSop>, Fault> {
        let sql = "SELECT s.id, s.department, s.touchpoint,
                          coalesce(bool_or(v.state = 'published'), false) AS in_force,
                          coalesce(bool_or(v.state IN ('draft', 'in_review')), false) AS drafted
                   FROM sop s LEFT JOIN sop_version v ON v.tenant_id = s.tenant_id AND v.sop_id = s.id
                   WHERE s.tenant_id = $1 GROUP BY s.id, s.department, s.touchpoint
                   ORDER BY s.id LIMIT $2";
        let values = [Uuid::from(self.id()).into(), i64::from(MOST_COVERING).into()];
        let rows = self.work().query_all_raw(self.statement(sql, values)).await?;
        let covering = rows.iter().map(|row| {
            let (id, department, touchpoint): (Uuid, table::Col<Department>, table::Col<Code>) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let (in_force, drafted): (bool, bool) =
                (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
            let standing = match (in_force, drafted) {
                (true, _) => SopStanding::InForce,
                (false, true) => SopStanding::Drafted,
                (false, false) => SopStanding::Nothing,
            };
            let (department, touchpoint) = (department.0, touchpoint.0);
            Ok(CoveringSop { id: id.into(), department, touchpoint, standing })
        });
        covering.collect()
    }
}
