//! The resolution log as an auditor is shown it: what it was silent about, the customer's word, and the seals.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds them. What was written before is sealed with the first entry that is written after.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The clocks of lines that are there already are those of their complaints: the first answer is given once. Policies are
/// for the service's own role, so the owner steps behind them for this one transaction.
const CLOCKS: &str = "
    ALTER TABLE complaint NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE resolution NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE resolution
        ADD COLUMN complaint_number text COLLATE \"C\",
        ADD COLUMN received_at timestamptz,
        ADD COLUMN first_answer_due_at timestamptz,
        ADD COLUMN first_answer_at timestamptz,
        ADD COLUMN first_answer text CHECK (first_answer IN ('due', 'kept', 'missed')),
        ADD COLUMN told_at timestamptz;
    UPDATE resolution r SET complaint_number = c.number, received_at = c.created_at,
            first_answer_due_at = c.first_answer_due_at, first_answer_at = c.first_answer_at,
            first_answer = c.first_answer,
            told_at = CASE WHEN c.resolution_no = r.resolution_no THEN c.told_at END
        FROM complaint c WHERE c.tenant_id = r.tenant_id AND c.id = r.complaint_id;
    ALTER TABLE resolution
        ALTER COLUMN complaint_number SET NOT NULL,
        ALTER COLUMN received_at SET NOT NULL,
        ALTER COLUMN first_answer_due_at SET NOT NULL,
        ALTER COLUMN first_answer SET NOT NULL;
    ALTER TABLE resolution_pending NO FORCE ROW LEVEL SECURITY;
    INSERT INTO resolution_pending (tenant_id, id, written_at) SELECT tenant_id, id, created_at FROM resolution;
    ALTER TABLE resolution_pending FORCE ROW LEVEL SECURITY;
    ALTER TABLE complaint FORCE ROW LEVEL SECURITY;
    ALTER TABLE resolution FORCE ROW LEVEL SECURITY;";

/// The service's role has no right to change the log; this keeps its owner from a slip of the hand. Whoever means it can
/// put the triggers aside, and the seals tell.
const ONLY_GROWS: &str = "
    CREATE FUNCTION ac.only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the table % only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER resolution__only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON resolution
        FOR EACH STATEMENT EXECUTE FUNCTION ac.only_grows();
    CREATE TRIGGER customer_word__only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON customer_word
        FOR EACH STATEMENT EXECUTE FUNCTION ac.only_grows();
    CREATE TRIGGER resolution_seal__only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON resolution_seal
        FOR EACH STATEMENT EXECUTE FUNCTION ac.only_grows();";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [customer_word(), resolution_seal(), resolution_pending()] {
            table.create(manager).await?;
        }
        for sql in [CLOCKS, ONLY_GROWS, LOOKS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

fn customer_word() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        complaint_number text COLLATE \"C\" NOT NULL,
        resolution_no integer NOT NULL CHECK (resolution_no > 0),
        customer_id uuid NOT NULL,
        dealer_id uuid,
        verdict text NOT NULL CHECK (verdict IN ('satisfied', 'dissatisfied', 'silent')),
        text text,
        response_id uuid,
        noted_by text NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("customer_word", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .may_refer("response_id", "survey_response")
        // A customer says one thing once about one resolution, however often it is told.
        .unique(&["complaint_id", "resolution_no", "verdict"])
        .by_dealer()
        .append_only()
}

fn resolution_seal() -> Owned {
    // A seal has the identifier of its entry, so each entry has one at most; and its number once, so no two entries
    // follow on the same one.
    let columns = "resolution_id uuid,
        customer_word_id uuid,
        dealer_id uuid,
        serial integer NOT NULL CHECK (serial > 0),
        form integer NOT NULL CHECK (form > 0),
        previous_hash text COLLATE \"C\" NOT NULL CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
        hash text COLLATE \"C\" NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
        sealed_at timestamptz NOT NULL";
    Owned::new("resolution_seal", columns)
        .constraint(
            "entry",
            "CHECK (num_nonnulls(resolution_id, customer_word_id) = 1
                    AND id = coalesce(resolution_id, customer_word_id))",
        )
        .may_refer("resolution_id", "resolution")
        .may_refer("customer_word_id", "customer_word")
        .may_refer("dealer_id", "dealer")
        .unique(&["serial"])
        .unique(&["previous_hash"])
        .index("sealed_at", "sealed_at, serial", "")
        .by_dealer()
        .append_only()
}

/// Entries that wait for their seal: written with them, taken away with the sealing.
fn resolution_pending() -> Owned {
    Owned::new("resolution_pending", "written_at timestamptz NOT NULL").deletable()
}
