//! What the service inventory makes somebody look at: services that have become obligations, and what plans lack.

use domain::{
    findings::{Finding, FindingPeriod},
    ids::{AnyId, PlanTemplateId, ServiceBenchmarkId},
    inventory::{PlanFindings, PlanReview, ServiceBenchmark},
    maintenance::plans::PlanTemplate,
    text::Code,
    time::CivilDate,
};
use store::{Failure, Fault, Tenant, findings, inventory::items::items_with_codes, maintenance};

/// Tells the brand that what it offers beyond its peers has become what all of them offer.
pub(crate) async fn item_drifted(tenant: &Tenant, id: ServiceBenchmarkId) -> Result<(), Failure> {
    let benchmark: ServiceBenchmark = tenant.get(id).await?;
    let brand = tenant.brand().await?;
    let on = tenant.now().date_in(brand.details.tz);
    tenant.raise(benchmark.drift_finding(brand.details.obligation_from_bp, on)).await?;
    Ok(())
}

/// Looks at the version of a plan that is in force by now, and notices what it lacks or settles what it lacks no more.
pub(crate) async fn plan_changed(tenant: &Tenant, id: PlanTemplateId) -> Result<(), Failure> {
    let changed: PlanTemplate = tenant.get(id).await?;
    tenant.look_at_plan_alone(&changed.details.code).await?;
    let brand = tenant.brand().await?;
    let (now, on) = (tenant.now(), tenant.now().date_in(brand.details.tz));
    let in_force: Option<PlanTemplate> =
        tenant.find(maintenance::in_force(&changed.details.code)).await?;
    let review = match &in_force {
        Some(plan) => {
            let items = tenant.all(items_with_codes(&plan.details.service_item_codes())).await?;
            Some(PlanReview::of(&plan.details, &items, brand.details.personalised_most_bp))
        }
        None => None,
    };
    let known = at_hand(tenant, &changed.details.code, on).await?;

    let follows = PlanFindings::of(in_force.as_ref().zip(review.as_ref()), known, on, now);

    for settled in follows.settled {
        tenant.record(settled).await?;
    }
    for noticed in follows.noticed {
        tenant.raise(noticed).await?;
    }
    Ok(())
}

/// The findings about any version of a plan that are not settled, and those of the month of `on`.
async fn at_hand(tenant: &Tenant, plan: &Code, on: CivilDate) -> Result<Vec<Finding>, Fault> {
    let versions: Vec<PlanTemplate> = tenant.all(maintenance::latest_versions_of(plan)).await?;
    let versions: Vec<_> = versions.iter().map(|version| AnyId::of(version.id)).collect();
    let month = FindingPeriod::month_of(on);
    tenant.hold_all(findings::at_hand(&PlanFindings::kinds(), &versions, &month)).await
}
