//! What is said about complaints, what belongs to them, and what is promised of it.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds messages, attachments, what others read and boards, and lets clocks go on in rounds.
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

/// What nobody else should read of a customer is masked whoever masks it, so the question goes beyond the dealer of
/// whoever asks, and not beyond the brand: a customer may have moved to another dealer, or have things at another one.
const PERSONAL_WORDS: &str = "
    CREATE POLICY customer__personal ON customer FOR SELECT TO CURRENT_USER USING (tenant_id = ac.tenant());
    CREATE POLICY asset__personal ON asset FOR SELECT TO CURRENT_USER USING (tenant_id = ac.tenant());
    CREATE FUNCTION ac.personal_words(wanted uuid, most_addresses integer)
        RETURNS TABLE (name text, phone text, addresses text[])
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, ac, pg_temp AS
        $$ SELECT c.name, c.phone,
                  ARRAY(SELECT DISTINCT a.address FROM asset a
                        WHERE a.tenant_id = c.tenant_id AND a.customer_id = c.id AND a.address IS NOT NULL
                        ORDER BY a.address LIMIT most_addresses)
           FROM customer c WHERE c.tenant_id = ac.tenant() AND c.id = wanted $$;
    REVOKE ALL ON FUNCTION ac.personal_words(uuid, integer) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ac.personal_words(uuid, integer) TO aftercare_app;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        complaint_message().create(manager).await?;
        complaint_attachment().create(manager).await?;
        complaint_publication().create(manager).await?;
        complaint_board().create(manager).await?;
        for sql in [ROUNDS, PERSONAL_WORDS, LOOKS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
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
        // What others read of a complaint, the first message first.
        .index("public", "complaint_id, id", "WHERE public")
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

fn complaint_publication() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        state text NOT NULL CHECK (state IN ('published', 'withdrawn')),
        public_ref text,
        title text NOT NULL,
        text text NOT NULL,
        public_title text NOT NULL,
        public_text text NOT NULL,
        redactions jsonb NOT NULL,
        virality integer NOT NULL CHECK (virality BETWEEN 0 AND 3),
        published_at timestamptz NOT NULL,
        first_answer_due_at timestamptz NOT NULL,
        first_answer_at timestamptz,
        first_answer text NOT NULL CHECK (first_answer IN ('due', 'kept', 'missed')),
        withdrawn_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
        CHECK (first_answer <> 'kept' OR first_answer_at IS NOT NULL),
        CHECK (first_answer <> 'due' OR first_answer_at IS NULL)";
    Owned::new("complaint_publication", columns)
        .constraint(
            "complaint",
            "FOREIGN KEY (tenant_id, complaint_id) REFERENCES complaint (tenant_id, id)",
        )
        // A complaint is published once; the key finds what others read of it, too.
        .unique(&["complaint_id"])
        .refers("customer_id", "customer")
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        .index("published_at", "dealer_id, published_at, id", "")
        .by_dealer()
}

fn complaint_board() -> Owned {
    let columns = "dealer_id uuid NOT NULL,
        link_number integer NOT NULL CHECK (link_number > 0),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("complaint_board", columns)
        .constraint(
            "dealer",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        // A dealer has one board.
        .unique(&["dealer_id"])
        .by_dealer()
}
