//! What customers say, and what they are told: surveys, complaints, messages.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds surveys with their invitations and answers, complaints with their remedies and log, and
/// messages.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            survey(),
            survey_invitation(),
            survey_response(),
            complaint_counter(),
            complaint(),
            remedy(),
            resolution(),
            message(),
        ];
        for table in tables {
            table.create(manager).await?;
        }
        manager.get_connection().execute_unprepared(GESTURE).await?;
        Ok(())
    }
}

/// A gesture may help to put a complaint right; the table of gestures is older than that of complaints.
const GESTURE: &str = "
    ALTER TABLE gesture ADD CONSTRAINT gesture__complaint_id
        FOREIGN KEY (tenant_id, complaint_id) REFERENCES complaint (tenant_id, id);
    CREATE INDEX gesture__by_complaint_id ON gesture (tenant_id, complaint_id);";

fn survey() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        trigger text NOT NULL CHECK (trigger IN ('visit_completed', 'complaint_resolved')),
        question jsonb NOT NULL,
        comment jsonb,
        choices jsonb NOT NULL,
        delay_hours integer NOT NULL CHECK (delay_hours BETWEEN 0 AND 720),
        expiry_days integer NOT NULL CHECK (expiry_days BETWEEN 1 AND 90),
        low_score integer NOT NULL CHECK (low_score BETWEEN 1 AND 4),
        state text NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
        activated_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("survey", columns)
        .unique(&["code"])
        .unique_where(&["trigger"], "state = 'active'")
        .of_brand()
}

fn survey_invitation() -> Owned {
    let columns = "survey_id uuid NOT NULL,
        subject text COLLATE \"C\" NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        staff_id uuid,
        state text NOT NULL CHECK (state IN
            ('scheduled', 'sent', 'completed', 'expired', 'suppressed', 'cancelled')),
        suppressed_reason text CHECK (suppressed_reason IN
            ('no_address', 'frequency', 'open_complaint')),
        scheduled_at timestamptz NOT NULL,
        sent_at timestamptz,
        expires_at timestamptz,
        completed_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK ((state = 'suppressed') = (suppressed_reason IS NOT NULL))";
    Owned::new("survey_invitation", columns)
        .refers("survey_id", "survey")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("staff_id", "staff")
        .unique(&["survey_id", "subject", "customer_id"])
        .index("subject", "subject", "")
        .index("last_sent", "customer_id, sent_at DESC", "WHERE sent_at IS NOT NULL")
        .by_dealer()
}

fn survey_response() -> Owned {
    let columns = "invitation_id uuid NOT NULL,
        survey_id uuid NOT NULL,
        subject text COLLATE \"C\" NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        staff_id uuid,
        score integer NOT NULL CHECK (score BETWEEN 1 AND 5),
        comment text,
        chosen jsonb NOT NULL,
        low boolean NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("survey_response", columns)
        .refers("invitation_id", "survey_invitation")
        .refers("survey_id", "survey")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("staff_id", "staff")
        .constraint("once", "UNIQUE (tenant_id, invitation_id)")
        .by_dealer()
        .append_only()
}

fn complaint_counter() -> Owned {
    let columns = "last_serial bigint NOT NULL CHECK (last_serial > 0)";
    Owned::new("complaint_counter", columns).keyed("PRIMARY KEY (tenant_id)")
}

fn complaint() -> Owned {
    let columns = "number text COLLATE \"C\" NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        order_id uuid,
        asset_id uuid,
        work_order_id uuid,
        response_id uuid,
        source text NOT NULL CHECK (source IN ('app', 'phone', 'store', 'group', 'survey')),
        kind text NOT NULL CHECK (kind IN
            ('quality', 'service', 'delivery', 'billing', 'conduct', 'misunderstanding')),
        severity integer NOT NULL CHECK (severity BETWEEN 1 AND 4),
        description text NOT NULL,
        remedy_sought text,
        state text NOT NULL CHECK (state IN
            ('received', 'acknowledged', 'decided', 'resolved', 'closed', 'reopened')),
        owner_id uuid,
        first_answer_due_at timestamptz NOT NULL,
        first_answer_at timestamptz,
        first_answer text NOT NULL CHECK (first_answer IN ('due', 'kept', 'missed')),
        resolution_no integer NOT NULL CHECK (resolution_no > 0),
        decision jsonb,
        told_at timestamptz,
        resolved_at timestamptz,
        resolved_by text,
        customer_satisfied boolean,
        closed_at timestamptz,
        reopen_reason text,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
        CHECK ((state IN ('resolved', 'closed')) = (resolved_at IS NOT NULL)),
        CHECK ((state IN ('decided', 'resolved', 'closed')) = (decision IS NOT NULL)),
        CHECK (told_at IS NULL OR decision IS NOT NULL),
        CHECK (state <> 'closed' OR customer_satisfied IS TRUE OR told_at IS NOT NULL)";
    Owned::new("complaint", columns)
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("order_id", "sales_order")
        .refers("asset_id", "asset")
        .refers("work_order_id", "work_order")
        .refers("response_id", "survey_response")
        .refers("owner_id", "staff")
        .unique(&["number"])
        .unique_where(&["response_id"], "response_id IS NOT NULL")
        .index("state", "state, id", "")
        .index("resolved", "resolved_at", "WHERE state = 'resolved' AND told_at IS NOT NULL")
        .by_dealer()
}

fn remedy() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        resolution_no integer NOT NULL CHECK (resolution_no > 0),
        customer_id uuid NOT NULL,
        dealer_id uuid,
        kind text NOT NULL CHECK (kind IN ('replacement', 'repair', 'refund', 'price_reduction',
            'goodwill', 'apology', 'education')),
        amount_minor bigint CHECK (amount_minor >= 0),
        currency text,
        note text,
        mandatory boolean NOT NULL,
        state text NOT NULL CHECK (state IN ('due', 'done', 'waived')),
        settled_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK ((amount_minor IS NULL) = (currency IS NULL)),
        CHECK ((state = 'due') = (settled_at IS NULL)),
        CHECK (NOT (mandatory AND state = 'waived'))";
    Owned::new("remedy", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .by_dealer()
}

fn resolution() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        resolution_no integer NOT NULL CHECK (resolution_no > 0),
        customer_id uuid NOT NULL,
        dealer_id uuid,
        decision jsonb NOT NULL,
        remedies jsonb NOT NULL,
        cost_minor bigint CHECK (cost_minor >= 0),
        currency text,
        resolved_by text NOT NULL,
        resolved_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((cost_minor IS NULL) = (currency IS NULL))";
    Owned::new("resolution", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .unique(&["complaint_id", "resolution_no"])
        .by_dealer()
        .append_only()
}

fn message() -> Owned {
    let columns = "customer_id uuid NOT NULL,
        dealer_id uuid,
        purpose text NOT NULL CHECK (purpose IN ('service', 'survey', 'complaint')),
        channel text NOT NULL CHECK (channel IN ('email', 'sms', 'none')),
        address text,
        locale text NOT NULL,
        headline text NOT NULL,
        body text NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
        reason text CHECK (reason IN ('sandbox', 'no_address', 'not_configured', 'rejected')),
        sent_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK ((channel = 'none') = (address IS NULL)),
        CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
        CHECK ((state IN ('failed', 'kept')) = (reason IS NOT NULL))";
    Owned::new("message", columns)
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .by_dealer()
}
