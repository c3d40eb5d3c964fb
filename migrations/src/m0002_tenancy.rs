//! Tenancy and identity: dealers, sites, staff, keys, and where people sign in.

use crate::owned::Owned;
use sea_orm_migration::prelude::*;

/// Adds who acts for a brand.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Where a brand's front ends come from. Browsers ask before anybody has said which brand they mean, so
/// the question goes over all brands, by a function that answers yes or no.
const ORIGINS: &str = "
    ALTER TABLE tenant ADD COLUMN cors_origins jsonb NOT NULL DEFAULT '[]';
    ALTER TABLE tenant ADD COLUMN gesture_escalation_hours integer NOT NULL DEFAULT 24
        CHECK (gesture_escalation_hours BETWEEN 1 AND 72);
    CREATE INDEX tenant__by_cors_origins ON tenant USING gin (cors_origins);
    CREATE POLICY tenant__auth ON tenant FOR SELECT TO CURRENT_USER USING (true);
    CREATE FUNCTION ac.knows_origin(wanted text) RETURNS boolean
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, ac, pg_temp AS
        $$ SELECT EXISTS (SELECT 1 FROM tenant t WHERE t.cors_origins ? wanted) $$;
    REVOKE ALL ON FUNCTION ac.knows_origin(text) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ac.knows_origin(text) TO aftercare_auth;";

/// The keys that sign tokens belong to no brand, and no brand's transaction can see them. The private half
/// is sealed with the service's secret, which is not in the database.
const SIGNING_KEYS: &str = "
    CREATE TABLE ac.signing_key (
        id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
        public bytea NOT NULL,
        sealed bytea,
        since timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT signing_key__forgotten CHECK ((sealed IS NULL) = (state = 'retired'))
    );
    CREATE UNIQUE INDEX signing_key__one_signs ON ac.signing_key (state) WHERE state = 'active';
    CREATE UNIQUE INDEX signing_key__one_waits ON ac.signing_key (state) WHERE state = 'next';
    ALTER TABLE ac.signing_key ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ac.signing_key FORCE ROW LEVEL SECURITY;
    CREATE POLICY signing_key__auth ON ac.signing_key TO aftercare_auth USING (true) WITH CHECK (true);
    GRANT SELECT, INSERT, UPDATE ON ac.signing_key TO aftercare_auth;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [ORIGINS, SIGNING_KEYS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        dealer().create(manager).await?;
        site().create(manager).await?;
        issuer().create(manager).await?;
        staff().create(manager).await?;
        api_key().create(manager).await
    }
}

fn dealer() -> Owned {
    let columns = "status text NOT NULL CHECK (status IN ('active', 'closed')),
        code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        tz text,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("dealer", columns).unique(&["code"]).each_a_dealer()
}

fn site() -> Owned {
    let columns = "dealer_id uuid NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'closed')),
        code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        tz text NOT NULL,
        address text,
        region text COLLATE \"C\",
        hours jsonb NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("site", columns)
        .refers("dealer_id", "dealer")
        .unique(&["dealer_id", "code"])
        .by_dealer()
}

fn issuer() -> Owned {
    let columns = "status text NOT NULL CHECK (status IN ('active', 'disabled')),
        name text NOT NULL,
        issuer text COLLATE \"C\" NOT NULL,
        audience text COLLATE \"C\" NOT NULL,
        jwks_url text NOT NULL,
        algorithm text NOT NULL CHECK (algorithm IN ('eddsa', 'es256', 'rs256', 'ps256')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("issuer", columns).unique(&["issuer"]).of_brand()
}

fn staff() -> Owned {
    let columns = "dealer_id uuid,
        status text NOT NULL CHECK (status IN ('active', 'left')),
        external_id text COLLATE \"C\",
        name text NOT NULL,
        role text NOT NULL CHECK (role IN ('clerk', 'technician', 'support_agent', 'manager', 'owner',
            'brand_support', 'brand_admin', 'auditor')),
        site_ids jsonb NOT NULL,
        issuer_id uuid,
        subject text COLLATE \"C\",
        on_leave jsonb,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    let is_brands = "role IN ('brand_support', 'brand_admin', 'auditor')";
    Owned::new("staff", columns)
        .refers("dealer_id", "dealer")
        .refers("issuer_id", "issuer")
        .unique(&["external_id"])
        .unique(&["issuer_id", "subject"])
        .constraint("place", &format!("CHECK ((dealer_id IS NULL) = ({is_brands}))"))
        .constraint("sign_in", "CHECK ((issuer_id IS NULL) = (subject IS NULL))")
        .by_dealer()
}

fn api_key() -> Owned {
    let columns = "dealer_id uuid,
        prefix text COLLATE \"C\" NOT NULL,
        mode text NOT NULL CHECK (mode IN ('live', 'test')),
        status text NOT NULL CHECK (status IN ('active', 'revoked')),
        name text NOT NULL,
        scopes jsonb NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("api_key", columns)
        .refers("dealer_id", "dealer")
        .constraint("revoked", "CHECK ((status = 'revoked') = (revoked_at IS NOT NULL))")
        .by_dealer()
}
