//! What is done so that it is good again, and stays so: goods that come back, causes that repeat, sales that are called
//! off.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds returns, corrective actions with the causes of complaints, and cancellations.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// A cause is worked on once at a time: by each dealer, and by the brand, which is no dealer.
const ONE_ACTION_PER_CAUSE: &str = "
    CREATE UNIQUE INDEX corrective_action__cause_code__dealer_id
        ON corrective_action (tenant_id, cause_code, dealer_id) NULLS NOT DISTINCT
        WHERE cause_code IS NOT NULL AND state <> 'closed';";

/// Customers may have called off what they had bought.
const CALLED_OFF: &str = "
    ALTER TABLE customer
        DROP CONSTRAINT customer_lifecycle_check,
        ADD CONSTRAINT customer_lifecycle_check CHECK (lifecycle IN ('lead', 'buyer', 'cancelled_buyer'));";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rma().create(manager).await?;
        corrective_action().create(manager).await?;
        corrective_cause().create(manager).await?;
        cancellation_case().create(manager).await?;
        let connection = manager.get_connection();
        connection.execute_unprepared(ONE_ACTION_PER_CAUSE).await?;
        connection.execute_unprepared(CALLED_OFF).await?;
        connection.execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn rma() -> Owned {
    // The lines stand with the return: they are always read, and change, together.
    let columns = "complaint_id uuid NOT NULL,
        remedy_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        remedy_kind text NOT NULL CHECK (remedy_kind IN ('replacement', 'repair', 'refund')),
        mandatory boolean NOT NULL,
        mode text NOT NULL CHECK (mode IN ('with_return', 'without_return', 'advance_replacement')),
        replacement_item text,
        lines jsonb NOT NULL CHECK (jsonb_array_length(lines) BETWEEN 1 AND 20),
        state text NOT NULL CHECK (state IN ('opened', 'authorised', 'awaiting_return', 'received', 'inspected',
            'replacing', 'repairing', 'refunding', 'settled', 'closed', 'rejected', 'expired', 'cancelled')),
        authorised_at timestamptz,
        authorised_by text COLLATE \"C\",
        return_due_at timestamptz,
        replacement_sent_at timestamptz,
        received_at timestamptz,
        inspected_at timestamptz,
        inspected_by text COLLATE \"C\",
        rejected_by text COLLATE \"C\",
        rejection_reason text,
        settled_at timestamptz,
        closed_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (remedy_kind = 'replacement' OR mode <> 'advance_replacement' AND replacement_item IS NULL),
        CHECK (state IN ('opened', 'cancelled') OR authorised_at IS NOT NULL),
        CHECK (NOT mandatory OR state <> 'expired'),
        CHECK ((inspected_at IS NULL) = (inspected_by IS NULL)),
        CHECK ((state = 'rejected') = (rejected_by IS NOT NULL)),
        CHECK ((rejected_by IS NULL) = (rejection_reason IS NULL)),
        CHECK ((state IN ('settled', 'closed')) = (settled_at IS NOT NULL)),
        CHECK ((state = 'closed') = (closed_at IS NOT NULL))";
    Owned::new("rma", columns)
        .refers("complaint_id", "complaint")
        .refers("remedy_id", "remedy")
        .refers("customer_id", "customer")
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        // Whoever inspects does not confirm that there is nothing.
        .constraint("four_eyes", "CHECK (rejected_by <> inspected_by)")
        .unique_where(
            &["remedy_id"],
            "state NOT IN ('settled', 'closed', 'rejected', 'expired', 'cancelled')",
        )
        .by_dealer()
}

fn corrective_action() -> Owned {
    let columns = "origin text NOT NULL CHECK (origin IN ('manual', 'safety', 'repetition')),
        dealer_id uuid,
        cause_code text COLLATE \"C\",
        complaint_ids jsonb NOT NULL CHECK (jsonb_array_length(complaint_ids) <= 100),
        owner_id uuid,
        due_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'in_progress', 'containment_done', 'root_cause_found',
            'implementing', 'pending_verification', 'closed', 'reopened')),
        steps jsonb NOT NULL,
        team_ids jsonb NOT NULL,
        worker_ids jsonb NOT NULL DEFAULT '[]',
        implemented_on date,
        verification_due_at timestamptz,
        effective boolean,
        verified_at timestamptz,
        verified_by uuid,
        verification_note text,
        earlier_attempts jsonb NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (state <> 'closed' OR effective),
        CHECK (state <> 'reopened' OR NOT effective),
        CHECK ((implemented_on IS NULL) = (verification_due_at IS NULL)),
        CHECK ((effective IS NULL) = (verified_at IS NULL)),
        CHECK ((effective IS NULL) = (verified_by IS NULL)),
        CHECK ((effective IS NULL) = (verification_note IS NULL))";
    Owned::new("corrective_action", columns)
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        .may_refer("owner_id", "staff")
        .may_refer("verified_by", "staff")
        // Nobody judges their own work.
        .constraint("verified_by_another", "CHECK (state <> 'closed' OR verified_by <> owner_id)")
        .index("due_at", "due_at, id", "")
        .by_dealer()
}

fn corrective_cause() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        cause_code text COLLATE \"C\" NOT NULL,
        dealer_id uuid,
        at timestamptz NOT NULL";
    Owned::new("corrective_cause", columns)
        .constraint(
            "complaint_id",
            "FOREIGN KEY (tenant_id, complaint_id) REFERENCES complaint (tenant_id, id)",
        )
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        // A cause is counted once for a complaint.
        .unique(&["complaint_id", "cause_code"])
        .index("cause_code", "cause_code, dealer_id, at", "")
        .by_dealer()
        .append_only()
}

fn cancellation_case() -> Owned {
    let columns = "order_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid NOT NULL,
        currency text NOT NULL,
        reason text NOT NULL,
        deposit_minor bigint NOT NULL CHECK (deposit_minor >= 0),
        penalty_minor bigint NOT NULL CHECK (penalty_minor >= 0),
        penalty_waived_minor bigint NOT NULL CHECK (penalty_waived_minor BETWEEN 0 AND penalty_minor),
        retention_attempts integer NOT NULL CHECK (retention_attempts BETWEEN 0 AND 1),
        retention_offer text,
        gesture_id uuid,
        state text NOT NULL CHECK (state IN ('requested', 'retention_offered', 'withdrawn', 'proceeding',
            'penalty_waiver_pending', 'refunding', 'refunded', 'closed')),
        refund_due_at timestamptz NOT NULL,
        local_refund_due text NOT NULL,
        owner_id uuid,
        escalated_rank smallint,
        escalated_staff_id uuid,
        refunding_at timestamptz,
        refunded_on date,
        refund_minor bigint,
        closed_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((retention_attempts > 0) = (retention_offer IS NOT NULL)),
        CHECK (state <> 'penalty_waiver_pending' OR gesture_id IS NOT NULL),
        CHECK ((state IN ('refunding', 'refunded', 'closed')) = (refunding_at IS NOT NULL)),
        CHECK ((state IN ('refunded', 'closed')) = (refunded_on IS NOT NULL)),
        CHECK ((refunded_on IS NULL) = (refund_minor IS NULL)),
        CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
        CHECK (escalated_staff_id IS NULL OR escalated_rank IS NOT NULL)";
    Owned::new("cancellation_case", columns)
        .refers("order_id", "sales_order")
        .refers("customer_id", "customer")
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        .may_refer("owner_id", "staff")
        .may_refer("escalated_staff_id", "staff")
        .constraint(
            "gesture_id",
            "FOREIGN KEY (tenant_id, gesture_id) REFERENCES gesture (tenant_id, id)",
        )
        // A gesture waives one penalty.
        .unique_where(&["gesture_id"], "gesture_id IS NOT NULL")
        // The deposit is given back in full, once no penalty stands.
        .constraint(
            "refund",
            "CHECK (refunding_at IS NULL OR penalty_waived_minor = penalty_minor AND coalesce(refund_minor, deposit_minor) = deposit_minor)",
        )
        .unique_where(&["order_id"], "state NOT IN ('withdrawn', 'closed')")
        .by_dealer()
}
