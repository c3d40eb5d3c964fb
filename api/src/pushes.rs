//! What pushed records have in common: they are named by another system, belong to a dealer or to the
//! brand, and speak of other records.

use crate::{
    access::{Outcome, Work},
    problem::{Problem, referred},
};
use domain::{
    identity::OutOfReach,
    ids::{DealerId, SiteId},
    pushes::{Pushed, check_name},
    tenancy::Site,
    text::{ExternalId, Source},
};
use serde::Serialize;
use store::{Tenant, table::Table};

/// The dealer a record belongs to: as the body says, and their own for those who see one dealer only.
/// Another dealer does not exist for them.
pub(crate) fn dealer_of(
    tenant: &Tenant,
    told: Option<DealerId>,
) -> Result<Option<DealerId>, Problem> {
    let seen = tenant.reach().dealer_of(told);
    seen.map_err(|OutOfReach| Problem::unknown_reference("/dealer_id"))
}

/// The dealer of a site that a body names.
pub(crate) async fn site_dealer(
    tenant: &Tenant,
    site: Option<SiteId>,
) -> Result<Option<DealerId>, Problem> {
    let Some(site) = site else { return Ok(None) };
    let site: Site = referred(tenant.get(site).await, "/site_id")?;
    Ok(Some(site.dealer_id))
}

/// Gives a pushed body the name that its path says.
pub(crate) fn name(
    (in_path, external_id): (&Source, &ExternalId),
    source: &mut Source,
    told: &mut Option<ExternalId>,
) -> Result<(), Problem> {
    let said = (*source != Source::default()).then_some(&**source);
    check_name("source", in_path, said)?;
    check_name("external_id", external_id, told.as_deref())?;
    *source = in_path.clone();
    *told = Some(external_id.clone());
    Ok(())
}

/// Records what a push did, and answers with the record: 201 when it is new.
pub(crate) async fn record<R: Table + Serialize>(
    work: Work,
    collection: &str,
    pushed: Pushed<R>,
) -> Outcome {
    match pushed {
        Pushed::Created(change) => {
            let record = work.record(change).await?;
            work.created(collection, record).await
        }
        Pushed::Changed(change) => {
            work.heed(&change.record);
            let record = work.record(change).await?;
            work.changed(record).await
        }
        Pushed::Unchanged(record) => {
            work.heed(&record);
            work.changed(record).await
        }
    }
}
