//! Carrying procedures out: who does a step and by when, what shows that it was done, what a run begins by, and
//! who looks after a customer in person.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds what runs need, the files that belong to their steps, triggers, what customers did elsewhere, and whose they are.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Everything may be missing, so that rows from before, and rows of a program from before that runs beside the new one,
/// say what they said.
const RUNS: &str = "
    ALTER TABLE sop_run
        ADD COLUMN anchor_at timestamptz,
        ADD COLUMN trigger_id uuid,
        ADD COLUMN cause text COLLATE \"C\",
        ADD COLUMN event_facts jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN helper_ids uuid[] NOT NULL DEFAULT '{}',
        ADD COLUMN asset_id uuid,
        ADD COLUMN condition_facts jsonb NOT NULL DEFAULT '{}',
        ADD CONSTRAINT sop_run__asset_id FOREIGN KEY (tenant_id, asset_id) REFERENCES asset (tenant_id, id),
        ADD CONSTRAINT sop_run__trigger_id FOREIGN KEY (tenant_id, trigger_id) REFERENCES sop_trigger (tenant_id, id),
        ADD CHECK ((trigger_id IS NULL) = (cause IS NULL));
    CREATE INDEX sop_run__by_asset_id ON sop_run (tenant_id, asset_id) WHERE asset_id IS NOT NULL;
    CREATE INDEX sop_run__by_ended_at ON sop_run (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
    -- A trigger begins one run for each thing that happens, however often it is told.
    CREATE UNIQUE INDEX sop_run__trigger_id__cause ON sop_run (tenant_id, trigger_id, cause) WHERE trigger_id IS NOT NULL;

    ALTER TABLE sop_run_step
        ADD COLUMN staff_id uuid,
        ADD COLUMN ready_at timestamptz,
        ADD COLUMN due_at timestamptz,
        ADD COLUMN overdue_at timestamptz,
        ADD COLUMN escalated_rank smallint,
        ADD COLUMN escalated_staff_id uuid,
        ADD COLUMN meter_replaced text,
        ADD COLUMN attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        ADD CONSTRAINT sop_run_step__staff_id FOREIGN KEY (tenant_id, staff_id) REFERENCES staff (tenant_id, id),
        ADD CONSTRAINT sop_run_step__escalated_staff_id
            FOREIGN KEY (tenant_id, escalated_staff_id) REFERENCES staff (tenant_id, id),
        ADD CHECK ((overdue_at IS NULL) = (escalated_rank IS NULL)),
        DROP CONSTRAINT sop_run_step_state_check,
        ADD CONSTRAINT sop_run_step_state_check
            CHECK (state IN ('pending', 'ready', 'not_applicable', 'done', 'failed', 'waived'));
    -- Whether somebody still has to do something about it: a reason settles what failed, unless leaving it out needs
    -- approval. Lists of what is to be done, and who has the fewest, ask for nothing else.
    ALTER TABLE sop_run_step ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (
        state = 'ready' OR state = 'failed' AND (
            deviation_reason IS NULL OR stop OR obligation OR approval_rank IS NOT NULL)) STORED;
    CREATE INDEX sop_run_step__by_staff_id ON sop_run_step (tenant_id, staff_id)
        WHERE staff_id IS NOT NULL AND is_open;
    CREATE INDEX sop_run_step__by_escalated_staff_id ON sop_run_step (tenant_id, escalated_staff_id)
        WHERE escalated_staff_id IS NOT NULL AND is_open;
    -- Obligations that were missed, wherever their runs stand.
    CREATE INDEX sop_run_step__by_missed_at ON sop_run_step (tenant_id, done_at)
        WHERE obligation AND state IN ('failed', 'waived');

    ALTER TABLE customer
        ADD COLUMN relationship_owner_id uuid,
        ADD CONSTRAINT customer__relationship_owner_id
            FOREIGN KEY (tenant_id, relationship_owner_id) REFERENCES staff (tenant_id, id);
    CREATE INDEX customer__by_relationship_owner_id ON customer (tenant_id, relationship_owner_id, created_at)
        WHERE relationship_owner_id IS NOT NULL;

    -- A technician sees the runs in which a step is theirs, too.
    ALTER POLICY sop_run__technician ON sop_run
        USING (ac.technician() IS NULL OR staff_id = ac.technician() OR ac.technician() = ANY (helper_ids))
        WITH CHECK (ac.technician() IS NULL OR staff_id = ac.technician() OR ac.technician() = ANY (helper_ids));";

/// The last reading of a meter is the same whoever asks: for this one question no dealer's and no technician's wall
/// stands, and the tenant's does. The settings are put back by hand: a function may bring along only settings that its
/// owner may set, and ours are nobody's.
const LAST_READING: &str = "
    CREATE FUNCTION ac.last_reading(asset uuid, customer uuid, sop uuid, step_key text, but uuid) RETURNS jsonb
        LANGUAGE plpgsql AS $$
    DECLARE
        dealer text := coalesce(current_setting('ac.dealer', true), '');
        technician text := coalesce(current_setting('ac.technician', true), '');
        found jsonb;
    BEGIN
        -- Who reads the same meter at the same time waits, and sees what the other one has read.
        PERFORM pg_advisory_xact_lock(hashtextextended(
            concat_ws('/', 'meter', ac.tenant(), coalesce($1, $2), $3, $4), 0));
        PERFORM set_config('ac.dealer', '', true), set_config('ac.technician', '', true);
        SELECT s.value INTO found FROM public.sop_run_step s
            JOIN public.sop_run r ON r.tenant_id = s.tenant_id AND r.id = s.sop_run_id
            WHERE s.tenant_id = ac.tenant() AND r.sop_id = $3 AND s.key = $4 AND s.id <> $5
              AND (r.asset_id = $1 OR $1 IS NULL AND r.asset_id IS NULL AND r.customer_id = $2)
              AND s.state IN ('done', 'failed') AND s.value IS NOT NULL
            ORDER BY s.done_at DESC, s.id DESC LIMIT 1;
        PERFORM set_config('ac.dealer', dealer, true), set_config('ac.technician', technician, true);
        RETURN found;
    END $$;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sop_trigger().create(manager).await?;
        customer_event().create(manager).await?;
        manager.get_connection().execute_unprepared(RUNS).await?;
        sop_evidence().create(manager).await?;
        manager.get_connection().execute_unprepared(LAST_READING).await?;
        manager.get_connection().execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn sop_trigger() -> Owned {
    let columns = "sop_id uuid NOT NULL,
        event text COLLATE \"C\" NOT NULL,
        filter text,
        status text NOT NULL CHECK (status IN ('active', 'paused')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("sop_trigger", columns)
        .refers("sop_id", "sop")
        .index("event", "event, id", "WHERE status = 'active'")
        .of_brand()
}

fn customer_event() -> Owned {
    let columns = "kind text COLLATE \"C\" NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        happened_at timestamptz NOT NULL,
        facts jsonb NOT NULL,
        source text COLLATE \"C\" NOT NULL,
        external_id text COLLATE \"C\",
        created_at timestamptz NOT NULL";
    Owned::new("customer_event", columns)
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .unique_where(&["source", "external_id"], "external_id IS NOT NULL")
        .by_dealer()
        .append_only()
}

fn sop_evidence() -> Owned {
    // A technician reaches it through its run, which narrows.
    let columns = "sop_run_id uuid NOT NULL,
        sop_run_step_id uuid NOT NULL,
        dealer_id uuid,
        customer_id uuid,
        kind text NOT NULL CHECK (kind IN ('photo', 'signature', 'reading')),
        content_type text NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'image/webp', 'image/heic')),
        size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 10485760),
        attempt integer NOT NULL CHECK (attempt >= 1),
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        attached_by text NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("sop_evidence", columns)
        .refers("sop_run_id", "sop_run")
        .refers("sop_run_step_id", "sop_run_step")
        .may_refer("dealer_id", "dealer")
        .may_refer("customer_id", "customer")
        .by_dealer()
        .append_only()
}
