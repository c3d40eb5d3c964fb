//! Rows that are customers.

use super::{Decided, Findings, Numbered, without_place};
use domain::{
    customers::Customer,
    imports::{Import, columns::Cells, rows::CustomerRow},
    pushes::Pushed,
    text::ExternalId,
};
use std::collections::BTreeMap;
use store::{Failure, Tenant};

/// Takes over customers.
pub(super) async fn take_over(
    tenant: &Tenant,
    import: &Import,
    rows: Numbered<Cells>,
) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let rows = findings.read(rows, CustomerRow::read);
    let mut known = gather(tenant, import, &rows).await?;

    let decide = |(number, row): (u32, CustomerRow)| {
        let customer = known.remove(&row.external_id);
        let details = row.details(&import.options, customer.as_ref());
        (number, Customer::push(customer, tenant.new_id(), details, tenant.now()))
    };
    let decided: Decided<_> = rows.into_iter().map(decide).collect();
    let records = decided.iter().map(|(_, pushed)| (pushed.outcome(), pushed.record().clone()));
    let without_place = without_place(tenant, &[], records).await?;
    let kept = findings.keep(decided, &without_place, Some("customer_external_id"));
    let changes = kept.into_iter().filter_map(Pushed::change).collect();

    if !import.options.dry_run {
        tenant.record_all(changes).await?;
    }
    Ok(findings)
}

async fn gather(
    tenant: &Tenant,
    import: &Import,
    rows: &Numbered<CustomerRow>,
) -> Result<BTreeMap<ExternalId, Customer>, Failure> {
    let names: Vec<_> = rows.iter().map(|(_, row)| &row.external_id).collect();
    let select = store::customers::named(&import.options.source, &names);
    let customers: Vec<Customer> = tenant.hold_all(select).await?;
    let by_name = |customer: Customer| Some((customer.details.external_id.clone()?, customer));
    Ok(customers.into_iter().filter_map(by_name).collect())
}
