//! Deadlines: what is promised to those who complain, and how far each complaint has come.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds policies with their versions, clocks with their logs, and whom complaints wait for and have gone up to.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Everything may be missing, as it is in rows from before.
const COMPLAINTS: &str = "
    ALTER TABLE complaint
        ADD COLUMN waiting_for text,
        ADD COLUMN waiting_began_at timestamptz,
        ADD COLUMN waiting_reason text,
        ADD COLUMN escalated_rank smallint,
        ADD COLUMN escalated_staff_id uuid,
        ADD CHECK (waiting_for IN ('customer', 'third_party')),
        ADD CHECK ((waiting_for IS NULL) = (waiting_began_at IS NULL)),
        ADD CHECK ((waiting_for IS NULL) = (waiting_reason IS NULL)),
        ADD CHECK (waiting_for IS NULL OR state IN ('acknowledged', 'decided', 'reopened')),
        ADD CHECK (escalated_staff_id IS NULL OR escalated_rank IS NOT NULL),
        ADD CONSTRAINT complaint__escalated_staff_id
            FOREIGN KEY (tenant_id, escalated_staff_id) REFERENCES staff (tenant_id, id);
    CREATE INDEX complaint__by_escalated_staff_id ON complaint (tenant_id, escalated_staff_id)
        WHERE escalated_staff_id IS NOT NULL;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(COMPLAINTS).await?;
        sla_policy().create(manager).await?;
        sla_version().create(manager).await?;
        sla_clock().create(manager).await?;
        sla_event().create(manager).await?;
        connection.execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn sla_policy() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        rank integer NOT NULL CHECK (rank BETWEEN 0 AND 1000),
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        latest_number integer NOT NULL CHECK (latest_number >= 0),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("sla_policy", columns).unique(&["code"]).of_brand()
}

fn sla_version() -> Owned {
    let columns = "sla_policy_id uuid NOT NULL,
        number integer NOT NULL CHECK (number > 0),
        state text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
        applies_to jsonb NOT NULL,
        targets jsonb NOT NULL,
        published_at timestamptz,
        retired_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'draft') = (published_at IS NULL)),
        CHECK ((state = 'retired') = (retired_at IS NOT NULL))";
    Owned::new("sla_version", columns)
        .refers("sla_policy_id", "sla_policy")
        .unique(&["sla_policy_id", "number"])
        .unique_where(&["sla_policy_id"], "state = 'published'")
        .of_brand()
}

fn sla_clock() -> Owned {
    // What the version says of its target stands with the clock: it is looked at whenever a complaint moves.
    let columns = "complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        metric text COLLATE \"C\" NOT NULL,
        sla_policy_id uuid NOT NULL,
        sla_version_id uuid NOT NULL,
        target jsonb NOT NULL,
        tz text NOT NULL,
        state text NOT NULL CHECK (state IN
            ('running', 'paused', 'met', 'breached', 'met_late', 'cancelled')),
        started_at timestamptz NOT NULL,
        due_at timestamptz,
        local_due text,
        remaining_seconds bigint CHECK (remaining_seconds >= 0),
        next_fire_at timestamptz,
        breached_at timestamptz,
        met_at timestamptz,
        elapsed_seconds bigint CHECK (elapsed_seconds >= 0),
        event_count integer NOT NULL CHECK (event_count > 0),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((due_at IS NULL) = (local_due IS NULL)),
        CHECK (state NOT IN ('paused', 'cancelled') OR due_at IS NULL),
        CHECK ((state = 'paused') = (remaining_seconds IS NOT NULL)),
        CHECK (state = 'running' OR next_fire_at IS NULL),
        CHECK (state = 'cancelled' OR (state IN ('breached', 'met_late')) = (breached_at IS NOT NULL)),
        CHECK ((state IN ('met', 'met_late')) = (met_at IS NOT NULL)),
        CHECK ((met_at IS NULL) = (elapsed_seconds IS NULL))";
    Owned::new("sla_clock", columns)
        .constraint(
            "complaint_id",
            "FOREIGN KEY (tenant_id, complaint_id) REFERENCES complaint (tenant_id, id)",
        )
        .constraint(
            "customer_id",
            "FOREIGN KEY (tenant_id, customer_id) REFERENCES customer (tenant_id, id)",
        )
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        .constraint(
            "sla_policy_id",
            "FOREIGN KEY (tenant_id, sla_policy_id) REFERENCES sla_policy (tenant_id, id)",
        )
        .constraint(
            "sla_version_id",
            "FOREIGN KEY (tenant_id, sla_version_id) REFERENCES sla_version (tenant_id, id)",
        )
        // The key finds the clocks of a complaint, too.
        .unique(&["complaint_id", "metric"])
        .index("due_at", "due_at, id", "WHERE due_at IS NOT NULL")
        .by_dealer()
}

fn sla_event() -> Owned {
    let columns = "sla_clock_id uuid NOT NULL,
        dealer_id uuid,
        number integer NOT NULL CHECK (number > 0),
        kind text NOT NULL CHECK (kind IN
            ('started', 'paused', 'resumed', 'warned', 'breached', 'met', 'cancelled')),
        at timestamptz NOT NULL,
        level_seconds bigint,
        due_at timestamptz,
        created_at timestamptz NOT NULL,
        CHECK ((kind IN ('warned', 'breached')) = (level_seconds IS NOT NULL))";
    Owned::new("sla_event", columns)
        .constraint(
            "sla_clock_id",
            "FOREIGN KEY (tenant_id, sla_clock_id) REFERENCES sla_clock (tenant_id, id)",
        )
        .unique(&["sla_clock_id", "number"])
        // A warning is given once, and a deadline is missed once.
        .unique_where(&["sla_clock_id", "kind", "level_seconds"], "level_seconds IS NOT NULL")
        .by_dealer()
        .append_only()
}
