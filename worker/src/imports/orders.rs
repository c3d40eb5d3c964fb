//! Rows that are sales.

use super::{Findings, Numbered, people::People, without_place};
use domain::{
    catalogue::Product,
    imports::{Import, RowMistake, columns::Cells, rows::OrderRow},
    invalid::Invalid,
    orders::{Mentioned, NewOrderIds, Sale, SalesOrder},
    pushes::Pushed,
    text::ExternalId,
};
use std::collections::BTreeMap;
use store::{Failure, Tenant};

/// What the rows of a chunk speak of, as it is now.
struct Gathered {
    people: People,
    sales: BTreeMap<ExternalId, Sale>,
    products: Vec<Product>,
}

/// Takes over sales.
pub(super) async fn take_over(
    tenant: &Tenant,
    import: &Import,
    rows: Numbered<Cells>,
) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let rows = findings.read(rows, OrderRow::read);
    let mut gathered = gather(tenant, import, &rows).await?;

    let (mut decided, mut names) = (Vec::new(), BTreeMap::new());
    for (number, row) in rows {
        let customer = row.customer_external_id.clone();
        match decide(tenant, import, &mut gathered, (number, row)) {
            Ok(pushed) => {
                names.insert(pushed.record().order.id, customer);
                decided.push((number, pushed));
            }
            Err(mistake) => findings.refuse(vec![mistake]),
        }
    }
    let orders =
        decided.iter().map(|(_, pushed)| (pushed.outcome(), pushed.record().order.clone()));
    let without_place = without_place(tenant, &gathered.people.newcomers(), orders).await?;
    let kept = findings.keep(decided, &without_place, Some("order_external_id"));
    let mut changes = Vec::new();
    for pushed in kept {
        if let Some(name) = names.remove(&pushed.record().order.id) {
            gathered.people.meet(name, pushed.record().order.is_paid());
        }
        changes.extend(pushed.change());
    }

    if !import.options.dry_run {
        gathered.people.record(tenant).await?;
        tenant.record_sales(changes).await?;
    }
    Ok(findings)
}

async fn gather(
    tenant: &Tenant,
    import: &Import,
    rows: &Numbered<OrderRow>,
) -> Result<Gathered, Failure> {
    let names = rows.iter().map(|(_, row)| &row.customer_external_id);
    let people = People::find(tenant, import, names).await?;
    let names: Vec<_> = rows.iter().map(|(_, row)| &row.external_id).collect();
    let orders: Vec<SalesOrder> =
        tenant.hold_all(store::orders::named(&import.options.source, &names)).await?;
    let mut sales = BTreeMap::new();
    for sale in tenant.all_with_lines(orders).await? {
        if let Some(name) = sale.order.external_id.clone() {
            sales.insert(name, sale);
        }
    }
    let skus: Vec<_> = rows.iter().filter_map(|(_, row)| row.sku.as_ref()).collect();
    let mut products: Vec<Product> = tenant.all(store::catalogue::products_with(&skus)).await?;
    if let Some(product) = import.options.product_id {
        products.push(tenant.get(product).await?);
    }
    Ok(Gathered { people, sales, products })
}

fn decide(
    tenant: &Tenant,
    import: &Import,
    gathered: &mut Gathered,
    (number, row): (u32, OrderRow),
) -> Result<Pushed<Sale>, RowMistake> {
    let unknown = |column| {
        let mistake = Invalid::new("unknown_reference", "there is no such record");
        RowMistake::in_column(number, column, mistake)
    };
    let customer_id = gathered
        .people
        .id(&row.customer_external_id)
        .map_err(|mistake| RowMistake::in_column(number, "customer_external_id", mistake))?;
    let product_id = match &row.sku {
        Some(sku) => {
            let product = gathered.products.iter().find(|product| product.details.sku == *sku);
            Some(product.ok_or_else(|| unknown("sku"))?.id)
        }
        None => None,
    };
    let known = gathered.sales.remove(&row.external_id);
    let order = known.as_ref().map(|sale| &sale.order);
    let refused = |refusal| RowMistake::refused(number, &refusal);
    let details = row.details(&import.options, customer_id, product_id, order).map_err(refused)?;
    let ids = NewOrderIds::new(tenant.new_id(), &details, || tenant.new_id());
    let mentioned = Mentioned { products: &gathered.products, ..Mentioned::default() };
    Sale::push(known, ids, details, mentioned, tenant.now()).map_err(refused)
}
