//! What the service noticed by itself and somebody should look at.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds findings.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        finding().create(manager).await?;
        manager.get_connection().execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn finding() -> Owned {
    // The subject may be of any kind, so nothing refers: what a finding is about may be gone when it is read.
    let columns = "kind text NOT NULL,
        subject text COLLATE \"C\" NOT NULL,
        dealer_id uuid,
        topic text COLLATE \"C\",
        period text COLLATE \"C\" NOT NULL,
        evidence jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved', 'dismissed')),
        reason text,
        settled_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((state = 'dismissed') = (reason IS NOT NULL)),
        CHECK ((state IN ('resolved', 'dismissed')) = (settled_at IS NOT NULL))";
    Owned::new("finding", columns)
        .may_refer("dealer_id", "dealer")
        // What is noticed twice in one period is one finding; a version of a procedure may be a matter of several dealers.
        .constraint(
            "kind__subject__dealer_id__period__topic",
            "UNIQUE NULLS NOT DISTINCT (tenant_id, kind, subject, dealer_id, period, topic)",
        )
        .index("state", "state, id", "")
        .index("subject", "subject, id", "")
        .by_dealer()
}
