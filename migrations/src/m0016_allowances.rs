//! Allowances in instalments and for a purpose, held lot by lot; limits of people, kinds and bands; rules for gifts;
//! budgets with the teams that share them; refunds, and what they leave to be charged.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds them, and splits what is held already over the lots it will be paid from.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const ACCOUNTS: &str = "
    ALTER TABLE allowance_account
        ADD COLUMN pending_minor bigint NOT NULL DEFAULT 0 CHECK (pending_minor >= 0);
    ALTER TABLE allowance_policy
        ADD COLUMN least_per_order_minor bigint NOT NULL DEFAULT 0 CHECK (least_per_order_minor >= 0),
        ADD COLUMN most_per_order_minor bigint,
        ADD CONSTRAINT allowance_policy__most CHECK (most_per_order_minor >= least_per_order_minor);
    ALTER TABLE allowance_entry
        ADD COLUMN interest text CHECK (interest IN ('customer', 'dealer', 'brand')),
        ADD COLUMN pending_change_minor bigint NOT NULL DEFAULT 0,
        DROP CONSTRAINT allowance_entry__lot,
        DROP CONSTRAINT allowance_entry_kind_check,
        ADD CONSTRAINT allowance_entry_kind_check CHECK (kind IN ('accrue', 'activate', 'hold', 'release',
            'capture', 'expire', 'revoke', 'adjust')),
        DROP CONSTRAINT allowance_entry_reason_check,
        ADD CONSTRAINT allowance_entry_reason_check CHECK (reason IN ('margin_share', 'price_share',
            'price_fallback', 'order_minimum', 'gesture_asked', 'gesture_fulfilled', 'gesture_rejected',
            'gesture_cancelled', 'gesture_expired', 'gesture_reversed', 'lot_expired', 'instalment_released',
            'order_refunded')),
        ADD CONSTRAINT allowance_entry__lot
            CHECK (lot_id IS NOT NULL OR balance_change_minor = 0 AND pending_change_minor = 0);";

const LOTS: &str = "
    ALTER TABLE allowance_lot
        ADD COLUMN instalment integer NOT NULL DEFAULT 1 CHECK (instalment > 0),
        ADD COLUMN purpose text NOT NULL DEFAULT 'any'
            CHECK (purpose IN ('any', 'gift', 'personalised', 'recovery', 'referral_reward')),
        ADD COLUMN tangible_allowed boolean NOT NULL DEFAULT true,
        ADD COLUMN margin_minor bigint CHECK (margin_minor >= 0),
        ADD COLUMN seller_id uuid,
        ADD COLUMN held_minor bigint NOT NULL DEFAULT 0,
        ADD CONSTRAINT allowance_lot__held CHECK (held_minor BETWEEN 0 AND remaining_minor),
        ADD COLUMN spent_minor bigint NOT NULL DEFAULT 0 CHECK (spent_minor >= 0),
        ADD CONSTRAINT allowance_lot__sum CHECK (remaining_minor + spent_minor <= amount_minor),
        ADD CONSTRAINT allowance_lot__seller_id
            FOREIGN KEY (tenant_id, seller_id) REFERENCES dealer (tenant_id, id),
        DROP CONSTRAINT allowance_lot__order_line_id,
        ADD CONSTRAINT allowance_lot__order_line_id__instalment UNIQUE (tenant_id, order_line_id, instalment),
        DROP CONSTRAINT allowance_lot_state_check,
        ADD CONSTRAINT allowance_lot_state_check
            CHECK (state IN ('pending', 'active', 'exhausted', 'expired', 'revoked')),
        DROP CONSTRAINT allowance_lot__state,
        ADD CONSTRAINT allowance_lot__state CHECK (CASE state
            WHEN 'pending' THEN remaining_minor > 0 AND held_minor = 0
            WHEN 'active' THEN remaining_minor > 0
            WHEN 'revoked' THEN remaining_minor = held_minor
            ELSE remaining_minor = 0 END);
    CREATE INDEX allowance_lot__by_seller_id ON allowance_lot (tenant_id, seller_id) WHERE seller_id IS NOT NULL;
    DROP INDEX allowance_lot__by_open;
    CREATE INDEX allowance_lot__by_open ON allowance_lot (tenant_id, account_id) WHERE remaining_minor > 0;
    DROP INDEX allowance_lot__by_due;
    CREATE INDEX allowance_lot__by_due ON allowance_lot (tenant_id, expires_at) WHERE remaining_minor > 0;
    CREATE INDEX allowance_lot__by_ripe ON allowance_lot (tenant_id, active_from) WHERE state = 'pending';";

const GESTURES: &str = "
    ALTER TABLE gesture
        ADD COLUMN interest text NOT NULL DEFAULT 'customer' CHECK (interest IN ('customer', 'dealer', 'brand')),
        ADD COLUMN perceived_value_minor bigint CHECK (perceived_value_minor >= 0),
        ADD COLUMN service_item_id uuid,
        ADD COLUMN gift_id uuid,
        ADD COLUMN category text CHECK (category IN ('product', 'market', 'value_added')),
        ADD COLUMN tangible boolean NOT NULL DEFAULT false,
        ADD COLUMN splits jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN budget_ids jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN team_id uuid,
        ADD COLUMN failed_limits jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN granted_by text COLLATE \"C\",
        ADD COLUMN reversal_reason text,
        ADD CONSTRAINT gesture__service_item_id
            FOREIGN KEY (tenant_id, service_item_id) REFERENCES service_item (tenant_id, id),
        ADD CONSTRAINT gesture__gift_id FOREIGN KEY (tenant_id, gift_id) REFERENCES gift_item (tenant_id, id),
        ADD CONSTRAINT gesture__team_id FOREIGN KEY (tenant_id, team_id) REFERENCES team (tenant_id, id),
        ADD CONSTRAINT gesture__reversal CHECK ((reversal_reason IS NOT NULL) = (state = 'reversed')),
        DROP CONSTRAINT gesture_kind_check,
        ADD CONSTRAINT gesture_kind_check CHECK (kind IN ('gift', 'personalised_service', 'goodwill_credit',
            'penalty_waiver', 'hook_favour', 'referral_reward')),
        DROP CONSTRAINT gesture_state_check,
        ADD CONSTRAINT gesture_state_check CHECK (state IN ('parked', 'pending_approval', 'approved',
            'rejected', 'fulfilled', 'reversed', 'cancelled', 'expired')),
        DROP CONSTRAINT gesture__actual,
        ADD CONSTRAINT gesture__actual CHECK ((actual_minor IS NOT NULL) = (state IN ('fulfilled', 'reversed'))),
        DROP CONSTRAINT gesture__open,
        ADD CONSTRAINT gesture__open
            CHECK ((expires_at IS NOT NULL) = (state IN ('parked', 'pending_approval', 'approved')));
    CREATE INDEX gesture__by_team_id ON gesture (tenant_id, team_id) WHERE team_id IS NOT NULL;
    CREATE INDEX gesture__by_service_item_id ON gesture (tenant_id, service_item_id) WHERE service_item_id IS NOT NULL;
    CREATE INDEX gesture__by_gift_id ON gesture (tenant_id, gift_id) WHERE gift_id IS NOT NULL;
    CREATE INDEX gesture__by_granted_by ON gesture (tenant_id, granted_by, approved_at)
        WHERE granted_by IS NOT NULL;
    CREATE INDEX gesture__by_settled_at ON gesture (tenant_id, settled_at) WHERE state = 'fulfilled';
    CREATE INDEX allowance_entry__by_expiry ON allowance_entry (tenant_id, at) WHERE kind = 'expire';
    CREATE INDEX gesture__by_parked ON gesture (tenant_id, id) WHERE state = 'parked';";

const AUTHORITY: &str = "
    ALTER TABLE authority_limit
        ALTER COLUMN role DROP NOT NULL,
        ADD COLUMN staff_id uuid,
        ADD COLUMN kind text CHECK (kind IN ('gift', 'personalised_service', 'goodwill_credit',
            'penalty_waiver', 'hook_favour', 'referral_reward')),
        ADD COLUMN category text CHECK (category IN ('product', 'market', 'value_added')),
        ADD COLUMN margin_from_minor bigint CHECK (margin_from_minor >= 0),
        ADD COLUMN margin_to_minor bigint,
        ADD COLUMN per_day_minor bigint CHECK (per_day_minor >= 0),
        ADD COLUMN per_month_minor bigint CHECK (per_month_minor >= 0),
        ADD COLUMN per_customer_month_count integer CHECK (per_customer_month_count >= 0),
        ADD COLUMN valid_from_on date,
        ADD COLUMN valid_to_on date,
        ADD CONSTRAINT authority_limit__staff_id
            FOREIGN KEY (tenant_id, staff_id) REFERENCES staff (tenant_id, id),
        ADD CONSTRAINT authority_limit__one_holder CHECK ((role IS NULL) <> (staff_id IS NULL)),
        ADD CONSTRAINT authority_limit__band CHECK (margin_to_minor > margin_from_minor),
        ADD CONSTRAINT authority_limit__days CHECK (valid_to_on >= valid_from_on),
        DROP CONSTRAINT authority_limit__role__currency,
        ADD CONSTRAINT authority_limit__role__staff_id__currency__kind__category__margin_from
            UNIQUE NULLS NOT DISTINCT
                (tenant_id, role, staff_id, currency, kind, category, margin_from_minor, valid_from_on);
    CREATE INDEX authority_limit__by_staff_id ON authority_limit (tenant_id, staff_id) WHERE staff_id IS NOT NULL;";

const PEOPLE: &str = "
    ALTER TABLE staff
        ADD COLUMN deputy_id uuid,
        ADD COLUMN team_id uuid,
        ADD CONSTRAINT staff__deputy_id FOREIGN KEY (tenant_id, deputy_id) REFERENCES staff (tenant_id, id),
        ADD CONSTRAINT staff__team_id FOREIGN KEY (tenant_id, team_id) REFERENCES team (tenant_id, id);
    CREATE INDEX staff__by_deputy_id ON staff (tenant_id, deputy_id) WHERE deputy_id IS NOT NULL;
    CREATE INDEX staff__by_team_id ON staff (tenant_id, team_id) WHERE team_id IS NOT NULL;";

const ORDERS: &str = "
    ALTER TABLE sales_order
        ADD COLUMN refunded_on date,
        DROP CONSTRAINT sales_order_status_check,
        ADD CONSTRAINT sales_order_status_check
            CHECK (status IN ('quoted', 'paid', 'delivered', 'cancelled', 'refunded')),
        DROP CONSTRAINT sales_order_check,
        ADD CONSTRAINT sales_order__paid
            CHECK ((status IN ('paid', 'delivered', 'refunded')) = (paid_on IS NOT NULL)),
        DROP CONSTRAINT sales_order_check1,
        ADD CONSTRAINT sales_order__delivered
            CHECK (status = 'refunded' OR (status = 'delivered') = (delivered_on IS NOT NULL)),
        ADD CONSTRAINT sales_order__refunded CHECK ((refunded_on IS NOT NULL) = (status = 'refunded'));";

/// What is there already: who sold and what was earned on it, what was spent of each lot, and which lots open gestures
/// will be paid from: in the order in which they were asked for, from what expires first. Policies are for the
/// service's own role, so the owner steps behind them for this one transaction.
const BEFORE: &str = "
    ALTER TABLE approval NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_lot NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_account NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_entry NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE gesture NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE order_line NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE sales_order NO FORCE ROW LEVEL SECURITY;
    UPDATE allowance_lot lot SET margin_minor = line.margin_minor, seller_id = sale.dealer_id
        FROM order_line line JOIN sales_order sale ON sale.tenant_id = line.tenant_id AND sale.id = line.order_id
        WHERE line.tenant_id = lot.tenant_id AND line.id = lot.order_line_id;
    UPDATE allowance_lot lot SET spent_minor = paid.minor
        FROM (SELECT tenant_id, lot_id, -sum(balance_change_minor) AS minor FROM allowance_entry
              WHERE kind = 'capture' GROUP BY tenant_id, lot_id) paid
        WHERE paid.tenant_id = lot.tenant_id AND paid.lot_id = lot.id;
    UPDATE gesture SET tangible = kind IN ('gift', 'hook_favour');
    UPDATE gesture SET failed_limits = jsonb_build_array(jsonb_build_object('limit', beyond,
            'most_minor', NULL, 'used_minor', NULL, 'most_count', NULL, 'used_count', NULL))
        WHERE beyond IS NOT NULL;
    CREATE TEMPORARY TABLE split ON COMMIT DROP AS
        WITH promise AS (
            SELECT g.tenant_id, a.id AS account_id, g.id AS gesture_id, g.estimate_minor AS minor,
                   sum(g.estimate_minor) OVER (PARTITION BY g.tenant_id, a.id ORDER BY g.created_at, g.id) AS upto
            FROM gesture g JOIN allowance_account a
              ON a.tenant_id = g.tenant_id AND a.customer_id = g.customer_id AND a.currency = g.currency
            WHERE g.state IN ('pending_approval', 'approved') AND g.estimate_minor > 0
        ), part AS (
            SELECT tenant_id, account_id, id AS lot_id, remaining_minor AS minor,
                   sum(remaining_minor) OVER (PARTITION BY tenant_id, account_id
                       ORDER BY expires_at NULLS LAST, active_from, id) AS upto
            FROM allowance_lot WHERE remaining_minor > 0
        )
        SELECT promise.tenant_id, promise.gesture_id, part.lot_id,
               least(promise.upto, part.upto)
                   - greatest(promise.upto - promise.minor, part.upto - part.minor) AS minor
        FROM promise JOIN part ON part.tenant_id = promise.tenant_id AND part.account_id = promise.account_id
        WHERE least(promise.upto, part.upto) > greatest(promise.upto - promise.minor, part.upto - part.minor);
    UPDATE allowance_lot lot SET held_minor = held.minor
        FROM (SELECT tenant_id, lot_id, sum(minor) AS minor FROM split GROUP BY tenant_id, lot_id) held
        WHERE held.tenant_id = lot.tenant_id AND held.lot_id = lot.id;
    UPDATE gesture SET splits = held.splits
        FROM (SELECT tenant_id, gesture_id, jsonb_agg(jsonb_build_object('lot_id',
                  ac.type_id('lot', lot_id), 'amount_minor', minor)) AS splits
              FROM split GROUP BY tenant_id, gesture_id) held
        WHERE held.tenant_id = gesture.tenant_id AND held.gesture_id = gesture.id;
    UPDATE gesture SET splits = paid.splits
        FROM (SELECT tenant_id, document, jsonb_agg(jsonb_build_object('lot_id',
                  ac.type_id('lot', lot_id), 'amount_minor', -balance_change_minor)) AS splits
              FROM allowance_entry WHERE kind = 'capture' GROUP BY tenant_id, document) paid
        WHERE gesture.state = 'fulfilled' AND paid.tenant_id = gesture.tenant_id
          AND paid.document = ac.type_id('ges', gesture.id);
    UPDATE gesture SET granted_by = coalesce(
            (SELECT approver FROM approval WHERE approval.tenant_id = gesture.tenant_id
                AND approval.gesture_id = gesture.id AND decision = 'approved'),
            ac.type_id('stf', requester_id))
        WHERE approved_at IS NOT NULL;
    ALTER TABLE approval FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_lot FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_account FORCE ROW LEVEL SECURITY;
    ALTER TABLE allowance_entry FORCE ROW LEVEL SECURITY;
    ALTER TABLE gesture FORCE ROW LEVEL SECURITY;
    ALTER TABLE order_line FORCE ROW LEVEL SECURITY;
    ALTER TABLE sales_order FORCE ROW LEVEL SECURITY;";

/// An identifier as callers see it, for documents that name one: the kind, and the 128 bits in groups of five.
const TYPE_ID: &str = "
    CREATE FUNCTION ac.type_id(kind text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT kind || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
                   substring(bits FROM 5 * n + 1 FOR 5)::bit(5)::integer + 1, 1), '' ORDER BY n)
        FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) digits,
             generate_series(0, 25) n
    $$;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        team().create(manager).await?;
        let connection = manager.get_connection();
        for sql in [ACCOUNTS, LOTS, GESTURES, AUTHORITY, PEOPLE, ORDERS, TYPE_ID, BEFORE] {
            connection.execute_unprepared(sql).await?;
        }
        gesture_rules().create(manager).await?;
        budget().create(manager).await?;
        budget_entry().create(manager).await?;
        shortfall().create(manager).await?;
        connection.execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn team() -> Owned {
    let columns = "dealer_id uuid NOT NULL,
        name text NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("team", columns)
        .refers("dealer_id", "dealer")
        .unique(&["dealer_id", "name"])
        .by_dealer()
}

fn gesture_rules() -> Owned {
    let columns = "currency text COLLATE \"C\" NOT NULL,
        most_gift_minor bigint CHECK (most_gift_minor >= 0),
        most_gift_share_bp integer CHECK (most_gift_share_bp BETWEEN 0 AND 10000),
        small_gift_minor bigint NOT NULL CHECK (small_gift_minor >= 0),
        gifts_per_customer_year integer CHECK (gifts_per_customer_year >= 0),
        tolerance_bp integer NOT NULL CHECK (tolerance_bp BETWEEN 0 AND 10000),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("gesture_rules", columns).unique(&["currency"]).of_brand()
}

fn budget() -> Owned {
    let columns = "owner text NOT NULL CHECK (owner IN ('team', 'dealer', 'brand')),
        dealer_id uuid,
        team_id uuid,
        currency text COLLATE \"C\" NOT NULL,
        balance_minor bigint NOT NULL,
        held_minor bigint NOT NULL CHECK (held_minor >= 0),
        available_minor bigint NOT NULL CHECK (available_minor >= 0),
        created_at timestamptz NOT NULL,
        version bigint NOT NULL";
    Owned::new("allowance_budget", columns)
        .constraint("sum", "CHECK (available_minor = balance_minor - held_minor)")
        .constraint(
            "owner",
            "CHECK (CASE owner WHEN 'team' THEN team_id IS NOT NULL AND dealer_id IS NOT NULL
                 WHEN 'dealer' THEN team_id IS NULL AND dealer_id IS NOT NULL
                 ELSE team_id IS NULL AND dealer_id IS NULL END)",
        )
        .constraint(
            "dealer_id__team_id__currency",
            "UNIQUE NULLS NOT DISTINCT (tenant_id, dealer_id, team_id, currency)",
        )
        .may_refer("dealer_id", "dealer")
        .may_refer("team_id", "team")
        .above_dealers()
}

fn budget_entry() -> Owned {
    let columns = "budget_id uuid NOT NULL,
        kind text NOT NULL
            CHECK (kind IN ('fund', 'withdraw', 'hold', 'release', 'capture', 'adjust')),
        gesture_id uuid,
        reason text,
        balance_change_minor bigint NOT NULL,
        held_change_minor bigint NOT NULL,
        balance_after_minor bigint NOT NULL CHECK (balance_after_minor >= held_after_minor),
        held_after_minor bigint NOT NULL CHECK (held_after_minor >= 0),
        idempotency_key text COLLATE \"C\" NOT NULL,
        actor text NOT NULL,
        at timestamptz NOT NULL";
    Owned::new("allowance_budget_entry", columns)
        .constraint("cause", "CHECK ((gesture_id IS NULL) = (kind IN ('fund', 'withdraw')))")
        .refers("budget_id", "allowance_budget")
        .may_refer("gesture_id", "gesture")
        .unique(&["budget_id", "idempotency_key"])
        .index("budget", "budget_id, id", "")
        .append_only()
}

fn shortfall() -> Owned {
    let columns = "account_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        order_line_id uuid NOT NULL,
        lot_id uuid NOT NULL,
        currency text COLLATE \"C\" NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
        idempotency_key text COLLATE \"C\" NOT NULL,
        at timestamptz NOT NULL";
    Owned::new("allowance_shortfall", columns)
        .refers("account_id", "allowance_account")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .refers("order_line_id", "order_line")
        .refers("lot_id", "allowance_lot")
        .unique(&["idempotency_key"])
        .by_dealer()
        .append_only()
}
