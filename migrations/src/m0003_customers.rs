//! Customers, the catalogue, orders, and the files they are pushed in.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds the records that a brand pushes.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            customer(),
            product(),
            asset(),
            sales_order(),
            order_line(),
            operation(),
            import_file(),
            import_chunk(),
            row_error(),
        ] {
            table.create(manager).await?;
        }
        Ok(())
    }
}

fn customer() -> Owned {
    let columns = "source text COLLATE \"C\" NOT NULL,
        external_id text COLLATE \"C\",
        dealer_id uuid,
        name text COLLATE \"C\" NOT NULL,
        kind text NOT NULL CHECK (kind IN ('person', 'company')),
        locale text,
        phone text COLLATE \"C\",
        email text COLLATE \"C\",
        tier text COLLATE \"C\",
        lifecycle text NOT NULL CHECK (lifecycle IN ('lead', 'buyer')),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("customer", columns)
        .refers("dealer_id", "dealer")
        .unique_where(&["source", "external_id"], "external_id IS NOT NULL")
        .index("name", "name", "")
        .index("phone", "phone", "WHERE phone IS NOT NULL")
        .by_dealer()
}

fn product() -> Owned {
    let columns = "sku text COLLATE \"C\" NOT NULL,
        name text COLLATE \"C\" NOT NULL,
        category text COLLATE \"C\" NOT NULL,
        after_sales_need text NOT NULL CHECK (after_sales_need IN ('rigid', 'designed', 'none')),
        price jsonb NOT NULL,
        unit_cost_minor bigint CHECK (unit_cost_minor >= 0),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("product", columns).unique(&["sku"]).index("name", "name", "").of_brand()
}

fn asset() -> Owned {
    let columns = "source text COLLATE \"C\" NOT NULL,
        external_id text COLLATE \"C\",
        customer_id uuid NOT NULL,
        product_id uuid NOT NULL,
        serial text COLLATE \"C\",
        dealer_id uuid,
        site_id uuid,
        address text,
        delivered_on date,
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("asset", columns)
        .refers("customer_id", "customer")
        .refers("product_id", "product")
        .refers("dealer_id", "dealer")
        .refers("site_id", "site")
        .unique_where(&["source", "external_id"], "external_id IS NOT NULL")
        .unique_where(&["serial"], "serial IS NOT NULL")
        .by_dealer()
}

fn sales_order() -> Owned {
    let columns = "source text COLLATE \"C\" NOT NULL,
        external_id text COLLATE \"C\",
        customer_id uuid NOT NULL,
        dealer_id uuid NOT NULL,
        site_id uuid,
        asset_ids jsonb NOT NULL,
        currency text NOT NULL,
        status text NOT NULL CHECK (status IN ('quoted', 'paid', 'delivered', 'cancelled')),
        paid_on date,
        delivered_on date,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK ((status IN ('paid', 'delivered')) = (paid_on IS NOT NULL)),
        CHECK ((status = 'delivered') = (delivered_on IS NOT NULL))";
    Owned::new("sales_order", columns)
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("site_id", "site")
        .unique_where(&["source", "external_id"], "external_id IS NOT NULL")
        .by_dealer()
}

fn order_line() -> Owned {
    let columns = "order_id uuid NOT NULL,
        product_id uuid,
        quantity integer NOT NULL CHECK (quantity >= 1),
        price_minor bigint NOT NULL CHECK (price_minor >= 0),
        cost_minor bigint CHECK (cost_minor >= 0),
        margin_minor bigint CHECK (margin_minor BETWEEN 0 AND price_minor)";
    // The lines of a quote are replaced; those of a paid order never are.
    Owned::new("order_line", columns)
        .refers("order_id", "sales_order")
        .refers("product_id", "product")
        .deletable()
}

fn operation() -> Owned {
    let columns = "kind text NOT NULL CHECK (kind IN ('import', 'clock_advance')),
        dealer_id uuid,
        status text NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
        progress jsonb NOT NULL,
        outcome jsonb NOT NULL,
        failure text,
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        version bigint NOT NULL";
    Owned::new("operation", columns).refers("dealer_id", "dealer").by_dealer()
}

fn import_file() -> Owned {
    let columns = "operation_id uuid NOT NULL,
        format text NOT NULL CHECK (format IN ('csv', 'ndjson')),
        kind text NOT NULL CHECK (kind IN ('orders', 'customers', 'assets')),
        dry_run boolean NOT NULL,
        source text COLLATE \"C\" NOT NULL,
        dealer_id uuid,
        site_id uuid,
        product_id uuid,
        row_count integer NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("import_file", columns)
        .refers("operation_id", "operation")
        .refers("dealer_id", "dealer")
        .refers("site_id", "site")
        .refers("product_id", "product")
        .by_dealer()
        .append_only()
}

fn import_chunk() -> Owned {
    // The rows of a file, as they were handed in. They hold personal data and are deleted as soon as
    // they were taken over.
    Owned::new("import_chunk", "rows jsonb NOT NULL")
        .keyed("import_id uuid NOT NULL, from_row integer NOT NULL, PRIMARY KEY (tenant_id, import_id, from_row)")
        .refers("import_id", "import_file")
        .deletable()
}

fn row_error() -> Owned {
    let columns = "operation_id uuid NOT NULL,
        \"row\" integer NOT NULL,
        \"column\" text,
        code text NOT NULL,
        message text NOT NULL";
    Owned::new("row_error", columns)
        .refers("operation_id", "operation")
        .index("row", "operation_id, \"row\", id", "")
        .append_only()
}
