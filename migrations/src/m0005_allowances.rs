//! Allowances: policies, accounts with their lots and entries, limits of authority, gestures.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds what is set aside for service, and how it is spent.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        policy().create(manager).await?;
        account().create(manager).await?;
        lot().create(manager).await?;
        entry().create(manager).await?;
        authority_limit().create(manager).await?;
        gesture().create(manager).await?;
        approval().create(manager).await
    }
}

fn policy() -> Owned {
    let columns = "number integer NOT NULL CHECK (number > 0),
        currency text COLLATE \"C\" NOT NULL,
        base text NOT NULL CHECK (base IN ('margin', 'price')),
        tiers jsonb NOT NULL,
        fallback_price_bp integer NOT NULL CHECK (fallback_price_bp BETWEEN 0 AND 10000),
        expiry_days integer CHECK (expiry_days > 0),
        state text NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
        activated_at timestamptz,
        retired_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("allowance_policy", columns)
        .unique(&["currency", "number"])
        .unique_where(&["currency"], "state = 'active'")
        .of_brand()
}

fn account() -> Owned {
    let columns = "customer_id uuid NOT NULL,
        dealer_id uuid,
        currency text COLLATE \"C\" NOT NULL,
        balance_minor bigint NOT NULL,
        held_minor bigint NOT NULL CHECK (held_minor >= 0),
        available_minor bigint NOT NULL CHECK (available_minor >= 0),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("allowance_account", columns)
        .constraint("sum", "CHECK (available_minor = balance_minor - held_minor)")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .unique(&["customer_id", "currency"])
        .by_dealer()
}

fn lot() -> Owned {
    let columns = "account_id uuid NOT NULL,
        order_line_id uuid NOT NULL,
        amount_minor bigint NOT NULL,
        remaining_minor bigint NOT NULL CHECK (remaining_minor BETWEEN 0 AND amount_minor),
        active_from timestamptz NOT NULL,
        expires_at timestamptz,
        state text NOT NULL CHECK (state IN ('active', 'exhausted', 'expired')),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("allowance_lot", columns)
        .constraint("state", "CHECK ((state = 'active') = (remaining_minor > 0))")
        .refers("account_id", "allowance_account")
        .constraint(
            "line",
            "FOREIGN KEY (tenant_id, order_line_id) REFERENCES order_line (tenant_id, id)",
        )
        .unique(&["order_line_id"])
        .index("open", "account_id", "WHERE state = 'active'")
        .index("due", "expires_at", "WHERE state = 'active'")
}

fn entry() -> Owned {
    let columns = "account_id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('accrue', 'hold', 'release', 'capture', 'expire')),
        reason text NOT NULL CHECK (reason IN ('margin_share', 'price_share', 'price_fallback',
            'gesture_asked', 'gesture_fulfilled', 'gesture_rejected', 'gesture_cancelled',
            'gesture_expired', 'lot_expired')),
        document text COLLATE \"C\" NOT NULL,
        lot_id uuid,
        balance_change_minor bigint NOT NULL,
        held_change_minor bigint NOT NULL,
        balance_after_minor bigint NOT NULL CHECK (balance_after_minor >= held_after_minor),
        held_after_minor bigint NOT NULL CHECK (held_after_minor >= 0),
        idempotency_key text COLLATE \"C\" NOT NULL,
        actor text NOT NULL,
        at timestamptz NOT NULL";
    Owned::new("allowance_entry", columns)
        .constraint("lot", "CHECK ((lot_id IS NULL) = (balance_change_minor = 0))")
        .refers("account_id", "allowance_account")
        .refers("lot_id", "allowance_lot")
        .unique(&["idempotency_key"])
        .index("account", "account_id, id", "")
        .append_only()
}

fn authority_limit() -> Owned {
    let columns =
        "role text NOT NULL CHECK (role IN ('clerk', 'technician', 'support_agent', 'manager',
            'owner', 'brand_support', 'brand_admin', 'auditor')),
        currency text COLLATE \"C\" NOT NULL,
        per_request_minor bigint NOT NULL CHECK (per_request_minor >= 0),
        per_customer_month_minor bigint CHECK (per_customer_month_minor >= 0),
        unlimited boolean NOT NULL,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("authority_limit", columns).unique(&["role", "currency"]).of_brand()
}

fn gesture() -> Owned {
    // A complaint is made in a later step, which adds the reference to it.
    let columns = "customer_id uuid NOT NULL,
        dealer_id uuid,
        complaint_id uuid,
        kind text NOT NULL CHECK (kind IN ('gift', 'personalised_service', 'goodwill_credit')),
        problem_solved text NOT NULL,
        currency text COLLATE \"C\" NOT NULL,
        estimate_minor bigint NOT NULL CHECK (estimate_minor >= 0),
        actual_minor bigint CHECK (actual_minor >= 0),
        state text NOT NULL CHECK (state IN ('pending_approval', 'approved', 'rejected', 'fulfilled',
            'cancelled', 'expired')),
        requester_id uuid NOT NULL,
        asked_by text COLLATE \"C\" NOT NULL,
        beyond text CHECK (beyond IN ('no_limit_set', 'per_request', 'per_customer_month')),
        required_rank smallint,
        approval_step integer NOT NULL CHECK (approval_step > 0),
        escalates_at timestamptz,
        expires_at timestamptz,
        approved_at timestamptz,
        settled_at timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("gesture", columns)
        .constraint("actual", "CHECK ((actual_minor IS NOT NULL) = (state = 'fulfilled'))")
        .constraint(
            "open",
            "CHECK ((expires_at IS NOT NULL) = (state IN ('pending_approval', 'approved')))",
        )
        .constraint("waits", "CHECK (escalates_at IS NULL OR state = 'pending_approval')")
        .refers("customer_id", "customer")
        .refers("dealer_id", "dealer")
        .refers("requester_id", "staff")
        .unique(&["id", "asked_by"])
        .index("granted", "customer_id, approved_at", "WHERE approved_at IS NOT NULL")
        .index("state", "state, id", "")
        .by_dealer()
}

fn approval() -> Owned {
    let columns = "gesture_id uuid NOT NULL,
        step integer NOT NULL CHECK (step > 0),
        asked_by text COLLATE \"C\" NOT NULL,
        approver text COLLATE \"C\" NOT NULL,
        rank smallint NOT NULL,
        decision text NOT NULL CHECK (decision IN ('approved', 'rejected')),
        comment text,
        at timestamptz NOT NULL";
    // Four eyes, also for what would come in past the rule: the asker stands beside the approver, and is
    // the gesture's own.
    Owned::new("approval", columns)
        .constraint("four_eyes", "CHECK (approver <> asked_by)")
        .constraint(
            "asker",
            "FOREIGN KEY (tenant_id, gesture_id, asked_by) REFERENCES gesture (tenant_id, id, asked_by)",
        )
        .refers("gesture_id", "gesture")
        .unique(&["gesture_id", "step"])
        .append_only()
}
