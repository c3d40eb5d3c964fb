//! What is said about complaints, what belongs to them, and what is promised of it.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds messages and attachments, and lets clocks go on in rounds.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// What is there has one round. Policies are for the service's own role, so the owner steps behind them for this one
/// transaction. A warning is given once, and a deadline is missed once, in each round.
const ROUNDS: &str = "
    ALTER TABLE sla_clock NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE sla_clock
        ADD COLUMN round integer NOT NULL DEFAULT 1 CHECK (round >= 0),
        ADD COLUMN missed_rounds integer NOT NULL DEFAULT 0,
        DROP CONSTRAINT sla_clock_state_check,
        DROP CONSTRAINT sla_clock_event_count_check,
        ADD CHECK (state IN ('pending', 'running', 'paused', 'met', 'breached', 'met_late', 'cancelled')),
        ADD CHECK (event_count >= 0),
        ADD CHECK ((state = 'pending') = (event_count = 0)),
        ADD CHECK ((state = 'pending') = (round = 0)),
        ADD CHECK (missed_rounds BETWEEN 0 AND round),
        ADD CHECK (state <> 'pending' OR due_at IS NULL);
    UPDATE sla_clock SET missed_rounds = 1 WHERE breached_at IS NOT NULL;
    ALTER TABLE sla_clock ALTER COLUMN round DROP DEFAULT, ALTER COLUMN missed_rounds DROP DEFAULT;
    ALTER TABLE sla_clock FORCE ROW LEVEL SECURITY;
    ALTER TABLE sla_event ADD COLUMN round integer NOT NULL DEFAULT 1 CHECK (round > 0);
    ALTER TABLE sla_event ALTER COLUMN round DROP DEFAULT;
    DROP INDEX sla_event__sla_clock_id__kind__level_seconds;
    CREATE UNIQUE INDEX sla_event__sla_clock_id__round__kind__level_seconds
        ON sla_event (tenant_id, sla_clock_id, round, kind, level_seconds) WHERE level_seconds IS NOT NULL;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        complaint_message().create(manager).await?;
        complaint_attachment().create(manager).await?;
        manager.get_connection().execute_unprepared(ROUNDS).await?;
        manager.get_connection().execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn complaint_message() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        direction text NOT NULL CHECK (direction IN ('from_customer', 'to_customer', 'internal')),
        written_by text NOT NULL,
        body text NOT NULL,
        public boolean NOT NULL,
        public_body text,
        redactions jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (public = (public_body IS NOT NULL)),
        CHECK (NOT public OR direction <> 'internal')";
    Owned::new("complaint_message", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .by_dealer()
        .append_only()
}

fn complaint_attachment() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        message_id uuid,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        content_type text NOT NULL CHECK (content_type IN
            ('image/jpeg', 'image/png', 'image/webp', 'image/heic', 'application/pdf')),
        size_bytes integer NOT NULL CHECK (size_bytes > 0),
        sha256 text COLLATE \"C\" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        attached_by text NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("complaint_attachment", columns)
        .refers("complaint_id", "complaint")
        .may_refer("message_id", "complaint_message")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .by_dealer()
        .append_only()
}
