//! Pages of complaints: links by which customers file them and follow them.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds them.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// A page is opened by a secret whose kind says which page it is; a complaint may come by one.
const KINDS: &str = "
    ALTER TABLE secret DROP CONSTRAINT secret_kind_check;
    ALTER TABLE secret ADD CONSTRAINT secret_kind_check
        CHECK (kind IN ('api_key', 'page', 'complaint_page', 'filing_page'));
    ALTER TABLE complaint DROP CONSTRAINT complaint_source_check;
    ALTER TABLE complaint ADD CONSTRAINT complaint_source_check
        CHECK (source IN ('app', 'phone', 'store', 'group', 'survey', 'page'));";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [complaint_link(), filing_link(), filing()] {
            table.create(manager).await?;
        }
        for sql in [KINDS, LOOKS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

fn complaint_link() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        ended_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("complaint_link", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        // One link to a complaint counts at a time.
        .unique_where(&["complaint_id"], "ended_at IS NULL")
        .by_dealer()
}

fn filing_link() -> Owned {
    let columns = "customer_id uuid NOT NULL,
        dealer_id uuid,
        asset_id uuid,
        work_order_id uuid,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("filing_link", columns)
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .may_refer("asset_id", "asset")
        .may_refer("work_order_id", "work_order")
        .by_dealer()
        .append_only()
}

fn filing() -> Owned {
    let columns = "filing_link_id uuid NOT NULL,
        form text COLLATE \"C\" NOT NULL,
        complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        created_at timestamptz NOT NULL";
    Owned::new("filing", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        // A form files one complaint, however often it is sent.
        .unique(&["filing_link_id", "form"])
        .constraint(
            "filing_link_id",
            "FOREIGN KEY (tenant_id, filing_link_id) REFERENCES filing_link (tenant_id, id)",
        )
        .by_dealer()
        .append_only()
}
