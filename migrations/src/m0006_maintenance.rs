//! Maintenance: plans, the assets in them, their dates, and the visits that follow.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds plans and visits.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Lets a constraint compare identifiers and stretches of time together.
const EXTENSION: &str = "CREATE EXTENSION IF NOT EXISTS btree_gist";

/// A date and its visit name each other; the visit is written first.
const VISIT_OF_OCCURRENCE: &str = "
    ALTER TABLE occurrence ADD CONSTRAINT occurrence__work_order_id
        FOREIGN KEY (tenant_id, work_order_id) REFERENCES work_order (tenant_id, id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(EXTENSION).await?;
        plan_template().create(manager).await?;
        enrolment().create(manager).await?;
        occurrence().create(manager).await?;
        work_order().create(manager).await?;
        connection.execute_unprepared(VISIT_OF_OCCURRENCE).await?;
        appointment().create(manager).await
    }
}

fn plan_template() -> Owned {
    let columns = "number integer NOT NULL CHECK (number >= 1),
        code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        product_id uuid,
        tasks jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
        published_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'draft') = (published_at IS NULL))";
    Owned::new("plan_template", columns)
        .refers("product_id", "product")
        .unique(&["code", "number"])
        // One version is written at a time, and one is in force.
        .unique_where(&["code", "state"], "state IN ('draft', 'published')")
        .of_brand()
}

fn enrolment() -> Owned {
    let columns = "plan_template_id uuid NOT NULL,
        plan_code text COLLATE \"C\" NOT NULL,
        asset_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        anchor_on date NOT NULL,
        enrolled_on date NOT NULL,
        state text NOT NULL CHECK (state IN ('active', 'suspended', 'completed', 'cancelled')),
        next_due_on date,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("enrolment", columns)
        .refers("plan_template_id", "plan_template")
        .refers("asset_id", "asset")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .unique_where(&["plan_code", "asset_id"], "state IN ('active', 'suspended')")
        .index("horizon", "next_due_on, id", "WHERE state = 'active' AND next_due_on IS NOT NULL")
        .index("end", "id", "WHERE state = 'active' AND next_due_on IS NULL")
        .by_dealer()
}

fn occurrence() -> Owned {
    let columns = "enrolment_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        task text COLLATE \"C\" NOT NULL,
        seq integer NOT NULL CHECK (seq >= 1),
        nominal_on date NOT NULL,
        window_from_on date NOT NULL,
        window_to_on date NOT NULL CHECK (window_to_on >= window_from_on),
        due_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN
            ('planned', 'work_created', 'fulfilled', 'missed', 'skipped', 'cancelled')),
        skipped_because text CHECK (skipped_because IN
            ('decision', 'suspended', 'visit_cancelled', 'asset_retired')),
        skip_note text,
        work_order_id uuid,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'skipped') = (skipped_because IS NOT NULL)),
        CHECK (work_order_id IS NOT NULL OR state NOT IN ('work_created', 'fulfilled', 'missed'))";
    Owned::new("occurrence", columns)
        .refers("enrolment_id", "enrolment")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .unique(&["enrolment_id", "task", "seq"])
        .index("nominal_on", "nominal_on, id", "")
        .by_dealer()
}

fn work_order() -> Owned {
    let columns = "number text COLLATE \"C\" NOT NULL,
        kind text NOT NULL CHECK (kind IN ('maintenance', 'repair', 'inspection')),
        customer_id uuid NOT NULL,
        asset_id uuid,
        dealer_id uuid,
        site_id uuid,
        window_from_on date NOT NULL,
        window_to_on date NOT NULL,
        preferred_on date NOT NULL CHECK (preferred_on BETWEEN window_from_on AND window_to_on),
        duration_minutes integer NOT NULL CHECK (duration_minutes > 0),
        sop_id uuid,
        note text,
        occurrence_id uuid,
        staff_id uuid,
        state text NOT NULL CHECK (state IN
            ('unscheduled', 'scheduled', 'in_progress', 'completed', 'cancelled')),
        searches integer NOT NULL CHECK (searches >= 0),
        unscheduled_because text CHECK (unscheduled_because IN
            ('no_site', 'site_closed', 'dealer_closed', 'no_technician', 'nobody_free', 'slot_held')),
        cancelled_because text CHECK (cancelled_because IN ('request', 'window_closed')),
        cancel_note text,
        sop_run_id uuid,
        completed_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'cancelled') = (cancelled_because IS NOT NULL)),
        CHECK ((state = 'completed') = (completed_at IS NOT NULL))";
    Owned::new("work_order", columns)
        .refers("customer_id", "customer")
        .refers("asset_id", "asset")
        .refers("dealer_id", "dealer")
        .refers("site_id", "site")
        .refers("sop_id", "sop")
        .refers("occurrence_id", "occurrence")
        .refers("staff_id", "staff")
        .refers("sop_run_id", "sop_run")
        .unique(&["number"])
        .unique_where(&["occurrence_id"], "occurrence_id IS NOT NULL")
        .index("window", "window_from_on, id", "")
        .by_dealer()
        .by_technician()
}

fn appointment() -> Owned {
    let columns = "work_order_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        site_id uuid NOT NULL,
        staff_id uuid NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
        tz text NOT NULL,
        local_start text NOT NULL,
        state text NOT NULL CHECK (state IN
            ('held', 'confirmed', 'in_progress', 'completed', 'cancelled', 'expired')),
        hold_expires_at timestamptz,
        reason jsonb NOT NULL,
        reschedules integer NOT NULL CHECK (reschedules >= 0),
        reminded_at timestamptz,
        given_back_because text CHECK (given_back_because IN
            ('technician_left', 'technician_on_leave', 'technician_elsewhere', 'dealer_closed')),
        cancel_note text,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (state = 'cancelled' OR given_back_because IS NULL),
        CHECK (state <> 'held' OR hold_expires_at IS NOT NULL)";
    // Nobody is in two places at once: a hold takes a technician's time as an agreed visit does.
    let nobody_twice = "EXCLUDE USING gist (
        tenant_id WITH =, staff_id WITH =, tstzrange(starts_at, ends_at) WITH &&
    ) WHERE (state IN ('held', 'confirmed', 'in_progress'))";
    Owned::new("appointment", columns)
        .refers("work_order_id", "work_order")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("site_id", "site")
        .refers("staff_id", "staff")
        .unique_where(&["work_order_id"], "state IN ('held', 'confirmed', 'in_progress')")
        .constraint("technician", nobody_twice)
        .index("technician", "staff_id, starts_at", "")
        .index("start", "starts_at, id", "")
        .by_dealer()
        .by_technician()
}
