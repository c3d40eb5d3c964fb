//! The service inventory: what may be done for customers, how it compares, and the small gifts.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds service items, self-audits, gifts and bundles, and the brand's two limits for them.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// From which share of peers on a service is an obligation, and how large a share of a plan may be personalised.
const LIMITS: &str = "
    ALTER TABLE tenant ADD COLUMN obligation_from_bp integer NOT NULL DEFAULT 5000
        CHECK (obligation_from_bp BETWEEN 1 AND 10000);
    ALTER TABLE tenant ADD COLUMN personalised_most_bp integer NOT NULL DEFAULT 3000
        CHECK (personalised_most_bp BETWEEN 0 AND 10000);";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(LIMITS).await?;
        service_item().create(manager).await?;
        service_benchmark().create(manager).await?;
        item_class_change().create(manager).await?;
        inventory_audit().create(manager).await?;
        inventory_line().create(manager).await?;
        gift_item().create(manager).await?;
        gift_bundle().create(manager).await?;
        connection.execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn service_item() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        class text NOT NULL CHECK (class IN ('obligation', 'service')),
        mode text NOT NULL CHECK (mode IN ('standard', 'personalised')),
        category text NOT NULL CHECK (category IN ('product', 'market', 'value_added')),
        phase text NOT NULL CHECK (phase IN ('pre', 'in', 'after')),
        contact_mode text NOT NULL
            CHECK (contact_mode IN ('in_person', 'phone', 'chat', 'video', 'none')),
        visit_mode text CHECK (visit_mode IN ('store', 'on_site', 'remote', 'pickup_return')),
        product_related boolean NOT NULL,
        tangible boolean NOT NULL,
        est_cost_minor bigint NOT NULL CHECK (est_cost_minor >= 0),
        est_minutes integer NOT NULL CHECK (est_minutes BETWEEN 0 AND 1440),
        perceived_value_minor bigint NOT NULL CHECK (perceived_value_minor >= 0),
        relation_value integer NOT NULL CHECK (relation_value BETWEEN 0 AND 5),
        eligibility text,
        declared_monetisation text,
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("service_item", columns).unique(&["code"]).of_brand()
}

fn service_benchmark() -> Owned {
    let columns = "service_item_id uuid NOT NULL,
        peers_offering_bp integer NOT NULL CHECK (peers_offering_bp BETWEEN 0 AND 10000),
        observed_on date NOT NULL,
        source text NOT NULL,
        territory text,
        created_at timestamptz NOT NULL";
    Owned::new("service_benchmark", columns)
        .refers("service_item_id", "service_item")
        .index("observed_on", "service_item_id, observed_on, id", "")
        .of_brand()
        .append_only()
}

fn item_class_change() -> Owned {
    // Either a benchmark changed the class, or somebody who says why.
    let columns = "service_item_id uuid NOT NULL,
        from_class text NOT NULL CHECK (from_class IN ('obligation', 'service')),
        to_class text NOT NULL CHECK (to_class IN ('obligation', 'service')),
        reason text,
        benchmark_id uuid,
        changed_at timestamptz NOT NULL,
        CHECK (from_class <> to_class),
        CHECK ((reason IS NULL) <> (benchmark_id IS NULL))";
    Owned::new("item_class_change", columns)
        .refers("service_item_id", "service_item")
        .may_refer("benchmark_id", "service_benchmark")
        .of_brand()
        .append_only()
}

fn inventory_audit() -> Owned {
    let columns = "title text NOT NULL,
        from_on date NOT NULL,
        to_on date NOT NULL CHECK (to_on >= from_on),
        state text NOT NULL CHECK (state IN ('open', 'closed')),
        closed_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'closed') = (closed_at IS NOT NULL))";
    Owned::new("inventory_audit", columns).of_brand()
}

fn inventory_line() -> Owned {
    let columns = "inventory_audit_id uuid NOT NULL,
        service_item_id uuid,
        subject text,
        class text NOT NULL CHECK (class IN ('obligation', 'service')),
        quality integer CHECK (quality BETWEEN 0 AND 5),
        can_improve boolean NOT NULL,
        backlog_note text,
        owner_id uuid,
        resolution text,
        resolved_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((service_item_id IS NULL) <> (subject IS NULL)),
        CHECK ((resolution IS NULL) = (resolved_at IS NULL))";
    Owned::new("inventory_line", columns)
        .refers("inventory_audit_id", "inventory_audit")
        .may_refer("service_item_id", "service_item")
        .may_refer("owner_id", "staff")
        // A thing has one line in an audit.
        .unique_where(&["inventory_audit_id", "service_item_id"], "service_item_id IS NOT NULL")
        .index("backlog", "id", "WHERE can_improve AND resolved_at IS NULL")
        .of_brand()
}

fn gift_item() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        currency text NOT NULL,
        cost_minor bigint NOT NULL CHECK (cost_minor >= 0),
        perceived_value_minor bigint NOT NULL CHECK (perceived_value_minor >= 0),
        seasons jsonb NOT NULL,
        festivals jsonb NOT NULL,
        stock integer CHECK (stock >= 0),
        least_margin_minor bigint CHECK (least_margin_minor >= 0),
        most_margin_minor bigint CHECK (most_margin_minor >= 0),
        fallback_gift_id uuid,
        tangible boolean NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (least_margin_minor <= most_margin_minor),
        CHECK (fallback_gift_id <> id)";
    Owned::new("gift_item", columns)
        .unique(&["code"])
        .may_refer("fallback_gift_id", "gift_item")
        .of_brand()
}

fn gift_bundle() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        currency text NOT NULL,
        cost_cap_minor bigint NOT NULL CHECK (cost_cap_minor >= 0),
        parts jsonb NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("gift_bundle", columns).unique(&["code"]).of_brand()
}
