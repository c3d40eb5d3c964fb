//! Rows that are sold things.

use super::{Findings, Numbered, people::People, without_place};
use domain::{
    catalogue::{Asset, Product, check_serial},
    ids::{AssetId, ProductId},
    imports::{Import, RowMistake, columns::Cells, rows::AssetRow},
    invalid::Invalid,
    pushes::Pushed,
    text::{ExternalId, Sku},
};
use std::collections::BTreeMap;
use store::{Failure, Tenant};

/// What the rows of a chunk speak of, as it is now.
struct Gathered {
    people: People,
    assets: BTreeMap<ExternalId, Asset>,
    products: BTreeMap<Sku, ProductId>,
    serials: BTreeMap<Sku, AssetId>,
}

/// Takes over sold things.
pub(super) async fn take_over(
    tenant: &Tenant,
    import: &Import,
    rows: Numbered<Cells>,
) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let rows = findings.read(rows, AssetRow::read);
    let mut gathered = gather(tenant, import, &rows).await?;

    let (mut decided, mut names) = (Vec::new(), BTreeMap::new());
    for (number, row) in rows {
        let customer = row.customer_external_id.clone();
        match decide(tenant, import, &mut gathered, (number, row)) {
            Ok(pushed) => {
                names.insert(pushed.record().id, customer);
                decided.push((number, pushed));
            }
            Err(mistake) => findings.refuse(vec![mistake]),
        }
    }
    let assets = decided.iter().map(|(_, pushed)| (pushed.outcome(), pushed.record().clone()));
    let without_place = without_place(tenant, &gathered.people.newcomers(), assets).await?;
    // It is the name or the serial number that another asset has.
    let kept = findings.keep(decided, &without_place, None);
    let mut changes = Vec::new();
    for pushed in kept {
        if let Some(name) = names.remove(&pushed.record().id) {
            let is_delivered = pushed.record().details.delivered_on.is_some();
            gathered.people.meet_with(name, is_delivered);
        }
        changes.extend(pushed.change());
    }

    if !import.options.dry_run {
        gathered.people.record(tenant).await?;
        tenant.record_all(changes).await?;
    }
    Ok(findings)
}

async fn gather(
    tenant: &Tenant,
    import: &Import,
    rows: &Numbered<AssetRow>,
) -> Result<Gathered, Failure> {
    let names = rows.iter().map(|(_, row)| &row.customer_external_id);
    let people = People::find(tenant, import, names).await?;
    let names: Vec<_> = rows.iter().map(|(_, row)| &row.external_id).collect();
    let select = store::catalogue::assets_named(&import.options.source, &names);
    let assets: Vec<Asset> = tenant.hold_all(select).await?;
    let serials: Vec<_> = rows.iter().filter_map(|(_, row)| row.serial.as_ref()).collect();
    let owners: Vec<Asset> = tenant.all(store::catalogue::assets_with_serials(&serials)).await?;
    let skus: Vec<_> = rows.iter().filter_map(|(_, row)| row.sku.as_ref()).collect();
    let products: Vec<Product> = tenant.all(store::catalogue::products_with(&skus)).await?;
    let by_name = |asset: Asset| Some((asset.details.external_id.clone()?, asset));
    let by_serial = |asset: Asset| Some((asset.details.serial?, asset.id));
    Ok(Gathered {
        people,
        assets: assets.into_iter().filter_map(by_name).collect(),
        products: products.into_iter().map(|product| (product.details.sku, product.id)).collect(),
        serials: owners.into_iter().filter_map(by_serial).collect(),
    })
}

fn decide(
    tenant: &Tenant,
    import: &Import,
    gathered: &mut Gathered,
    (number, row): (u32, AssetRow),
) -> Result<Pushed<Asset>, RowMistake> {
    let unknown = |column| {
        let mistake = Invalid::new("unknown_reference", "there is no such record");
        RowMistake::in_column(number, column, mistake)
    };
    let refused = |refusal| RowMistake::refused(number, &refusal);
    let customer_id = gathered
        .people
        .id(&row.customer_external_id)
        .map_err(|mistake| RowMistake::in_column(number, "customer_external_id", mistake))?;
    let known = gathered.assets.remove(&row.external_id);
    let product_id = match &row.sku {
        Some(sku) => Some(*gathered.products.get(sku).ok_or_else(|| unknown("sku"))?),
        None => import.options.product_id.or(known.as_ref().map(|asset| asset.details.product_id)),
    };
    let product_id = product_id.ok_or_else(|| {
        RowMistake::in_column(number, "sku", Invalid::new("required", "expected a value"))
    })?;
    let details = row.details(&import.options, customer_id, product_id, known.as_ref());
    let owner = details.serial.as_ref().and_then(|serial| gathered.serials.get(serial));
    check_serial(owner.copied(), known.as_ref().map(|asset| asset.id)).map_err(refused)?;
    let pushed = Asset::push(known, tenant.new_id(), details, tenant.now()).map_err(refused)?;
    if let Some(serial) = &pushed.record().details.serial {
        gathered.serials.insert(serial.clone(), pushed.record().id);
    }
    Ok(pushed)
}
