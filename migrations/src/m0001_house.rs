//! The house: the scope of a transaction, tenants, the queue and the audit log.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds what every capability stands on.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Where the functions lie that every policy calls; the roles are there before ([`crate::migrate`]).
const SCHEMA: &str = "
    CREATE SCHEMA ac;
    GRANT USAGE ON SCHEMA ac, public TO aftercare_app, aftercare_dispatch, aftercare_auth;";

/// The scope of a transaction, set by `SET LOCAL ac.tenant = '..'` in the message that begins it.
const SCOPE: &str = "
    CREATE FUNCTION ac.tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
    DECLARE scope text := current_setting('ac.tenant', true);
    BEGIN
        IF scope IS NULL OR scope = '' THEN
            RAISE EXCEPTION 'no tenant is in scope' USING ERRCODE = '42501';
        END IF;
        RETURN scope::uuid;
    END $$;
    COMMENT ON FUNCTION ac.tenant() IS 'The tenant this transaction may see; raises when there is none.';
    CREATE FUNCTION ac.dealer() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT nullif(current_setting('ac.dealer', true), '')::uuid $$;
    COMMENT ON FUNCTION ac.dealer() IS 'The dealer this transaction is narrowed to, if any.';
    CREATE FUNCTION ac.technician() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT nullif(current_setting('ac.technician', true), '')::uuid $$;
    COMMENT ON FUNCTION ac.technician() IS 'The technician this transaction is narrowed to, if any.';";

/// Which steps of the schema's history were taken, for whoever is about to start on it, and for `doctor`.
const HISTORY: &str = "
    CREATE FUNCTION ac.migrated() RETURNS SETOF text
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, ac, pg_temp AS
        $$ SELECT version::text FROM seaql_migrations $$;
    REVOKE ALL ON FUNCTION ac.migrated() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ac.migrated() TO aftercare_auth;";

/// Tenants. The row is the tenant itself, so its own `id` is what the policy compares.
const TENANT: &str = "
    CREATE TABLE tenant (
        id uuid PRIMARY KEY,
        slug text COLLATE \"C\" NOT NULL,
        mode text NOT NULL CHECK (mode IN ('live', 'test')),
        live_id uuid NOT NULL,
        name text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'suspended', 'closing')),
        tz text NOT NULL,
        locale text NOT NULL,
        currency text NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT tenant__slug UNIQUE (slug, mode),
        CONSTRAINT tenant__live_id UNIQUE (live_id, mode),
        CONSTRAINT tenant__own CHECK (mode = 'test' OR live_id = id)
    );
    ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant__tenant ON tenant TO aftercare_app
        USING (id = ac.tenant()) WITH CHECK (id = ac.tenant());
    CREATE POLICY tenant__brand_insert ON tenant AS RESTRICTIVE FOR INSERT TO aftercare_app
        WITH CHECK (ac.dealer() IS NULL);
    CREATE POLICY tenant__brand_update ON tenant AS RESTRICTIVE FOR UPDATE TO aftercare_app
        USING (ac.dealer() IS NULL) WITH CHECK (ac.dealer() IS NULL);
    GRANT SELECT, INSERT, UPDATE ON tenant TO aftercare_app;";

/// Secrets by their hash: API keys and the links in messages. The one place where a caller who has not
/// said which brand they belong to is recognised, and so the one global unique key.
const SECRETS: &str = "
    CREATE FUNCTION ac.find_secret(wanted bytea)
        RETURNS TABLE (tenant_id uuid, kind text, subject_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, ac, pg_temp AS
        $$ SELECT s.tenant_id, s.kind, s.subject_id FROM secret s WHERE s.hash = wanted $$;
    REVOKE ALL ON FUNCTION ac.find_secret(bytea) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ac.find_secret(bytea) TO aftercare_auth;
    CREATE POLICY secret__auth ON secret FOR SELECT TO CURRENT_USER USING (true);";

/// What the dispatcher sees of the queue: envelopes of all tenants, never a payload.
const DISPATCH: &str = "
    GRANT SELECT (tenant_id, id, kind, due_at, state, attempts, crashes, lease_token, lease_until, not_before),
          UPDATE (state, attempts, crashes, lease_token, lease_until, not_before, last_error, finished_at)
        ON job TO aftercare_dispatch;
    CREATE POLICY job__dispatch ON job TO aftercare_dispatch USING (true) WITH CHECK (true);
    CREATE INDEX job__leases ON job (lease_until) WHERE state = 'running';
    GRANT SELECT, UPDATE (served_at) ON tenant_queue TO aftercare_dispatch;
    CREATE POLICY tenant_queue__dispatch ON tenant_queue TO aftercare_dispatch USING (true) WITH CHECK (true);";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for sql in [SCHEMA, SCOPE, HISTORY, TENANT] {
            connection.execute_unprepared(sql).await?;
        }
        secret().create(manager).await?;
        connection.execute_unprepared(SECRETS).await?;
        job().create(manager).await?;
        tenant_queue().create(manager).await?;
        connection.execute_unprepared(DISPATCH).await?;
        test_clock().create(manager).await?;
        idempotency().create(manager).await?;
        audit_entry().create(manager).await
    }
}

fn secret() -> Owned {
    let columns = "kind text NOT NULL CHECK (kind IN ('api_key', 'page')),
        subject_id uuid NOT NULL, created_at timestamptz NOT NULL";
    Owned::new("secret", columns).keyed("hash bytea NOT NULL, PRIMARY KEY (hash)").deletable()
}

fn job() -> Owned {
    let columns = "kind text NOT NULL,
        payload jsonb NOT NULL,
        due_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        crashes integer NOT NULL DEFAULT 0,
        not_before timestamptz,
        lease_token uuid,
        lease_until timestamptz,
        dedup_key text COLLATE \"C\",
        last_error text,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        CHECK ((state = 'running') = (lease_token IS NOT NULL)),
        CHECK ((state = 'running') = (lease_until IS NOT NULL))";
    Owned::new("job", columns)
        .unique_where(&["dedup_key"], "dedup_key IS NOT NULL")
        .index("due", "due_at, id", "WHERE state = 'ready'")
        .index("running", "id", "WHERE state = 'running'")
        .index("state", "state, id", "")
        .deletable()
}

fn tenant_queue() -> Owned {
    // A live tenant's jobs follow the service's clock; a sandbox's follow its own, up to `paced_to`.
    let columns = "served_at timestamptz NOT NULL DEFAULT '-infinity', paced_to timestamptz";
    Owned::new("tenant_queue", columns).keyed("PRIMARY KEY (tenant_id)")
}

fn test_clock() -> Owned {
    let columns = "now_at timestamptz NOT NULL, target_at timestamptz NOT NULL,
        version bigint NOT NULL, created_at timestamptz NOT NULL, CHECK (now_at <= target_at)";
    Owned::new("test_clock", columns).constraint("one", "UNIQUE (tenant_id)").of_brand()
}

fn idempotency() -> Owned {
    let columns = "route text NOT NULL,
        fingerprint bytea NOT NULL,
        status integer NOT NULL,
        headers jsonb NOT NULL,
        body bytea NOT NULL,
        expires_at timestamptz NOT NULL";
    Owned::new("idempotency", columns)
        .keyed("caller text COLLATE \"C\" NOT NULL, key text COLLATE \"C\" NOT NULL, PRIMARY KEY (tenant_id, caller, key)")
        .index("expiry", "expires_at", "")
        .deletable()
}

fn audit_entry() -> Owned {
    let columns = "at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        subject text COLLATE \"C\" NOT NULL,
        customer_id uuid,
        dealer_id uuid,
        facts jsonb NOT NULL,
        request_id text";
    Owned::new("audit_entry", columns)
        .index("subject", "subject, id", "")
        .index("customer", "customer_id, id", "WHERE customer_id IS NOT NULL")
        .by_dealer()
        .append_only()
}
