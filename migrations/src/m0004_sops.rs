//! Procedures, their versions, and what was done by them.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds procedures and runs.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sop().create(manager).await?;
        sop_version().create(manager).await?;
        sop_run().create(manager).await?;
        sop_run_step().create(manager).await
    }
}

fn sop() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        department text NOT NULL
            CHECK (department IN ('sales', 'delivery', 'customer_service', 'after_sales')),
        touchpoint text COLLATE \"C\" NOT NULL,
        latest_number integer NOT NULL CHECK (latest_number >= 0),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("sop", columns)
        .unique(&["code"])
        .index("touchpoint", "touchpoint, id", "")
        .of_brand()
}

fn sop_version() -> Owned {
    let columns = "sop_id uuid NOT NULL,
        number integer NOT NULL CHECK (number >= 1),
        state text NOT NULL CHECK (state IN ('draft', 'in_review', 'published', 'retired')),
        change_note text NOT NULL,
        steps jsonb NOT NULL,
        authors jsonb NOT NULL,
        review_note text,
        published_by text,
        published_at timestamptz,
        retired_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state IN ('published', 'retired')) = (published_at IS NOT NULL)),
        CHECK ((state = 'retired') = (retired_at IS NOT NULL))";
    Owned::new("sop_version", columns)
        .refers("sop_id", "sop")
        .unique(&["sop_id", "number"])
        // One version is in force.
        .unique_where(&["sop_id"], "state = 'published'")
        .of_brand()
}

fn sop_run() -> Owned {
    // `work_order_id` has no reference, because visits come in a later migration. Only the beginning of a
    // visit writes it, in the transaction that holds the work order.
    let columns = "sop_id uuid NOT NULL,
        sop_version_id uuid NOT NULL,
        work_order_id uuid,
        customer_id uuid,
        dealer_id uuid,
        staff_id uuid,
        state text NOT NULL CHECK (state IN
            ('open', 'in_progress', 'completed', 'completed_with_deviation', 'aborted')),
        adherence_bp integer CHECK (adherence_bp BETWEEN 0 AND 10000),
        abort_reason text,
        started_at timestamptz,
        ended_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state IN ('completed', 'completed_with_deviation')) = (adherence_bp IS NOT NULL)),
        CHECK ((state IN ('open', 'in_progress')) = (ended_at IS NULL))";
    Owned::new("sop_run", columns)
        .refers("sop_id", "sop")
        .refers("sop_version_id", "sop_version")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("staff_id", "staff")
        .index("work_order", "work_order_id", "WHERE work_order_id IS NOT NULL")
        .index("state", "state, id", "")
        .by_dealer()
        .by_technician()
}

fn sop_run_step() -> Owned {
    // What the procedure says about the step is copied from a version that never changes, so that a
    // checklist is read from one place, and missed obligations are counted without opening documents.
    let columns = "sop_run_id uuid NOT NULL,
        position integer NOT NULL CHECK (position >= 1),
        title text NOT NULL,
        standard text NOT NULL,
        target_degree text,
        measure jsonb NOT NULL,
        stop boolean NOT NULL,
        obligation boolean NOT NULL,
        approval_rank smallint,
        state text NOT NULL CHECK (state IN ('pending', 'ready', 'done', 'failed', 'waived')),
        value jsonb,
        deviation_reason text,
        done_by text,
        done_at timestamptz,
        version bigint NOT NULL,
        CHECK ((state IN ('done', 'failed', 'waived')) = (done_at IS NOT NULL)),
        CHECK (state <> 'waived' OR deviation_reason IS NOT NULL)";
    Owned::new("sop_run_step", columns)
        .refers("sop_run_id", "sop_run")
        .unique(&["sop_run_id", "position"])
}
