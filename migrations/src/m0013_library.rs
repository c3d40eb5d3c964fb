//! The library of procedures: what a step demands, what a version asks of who reads it, and who has read it.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds what a step demands to the steps of runs, where it is copied from the version; quizzes and acknowledgements.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Each column has a value that says nothing, so that rows from before, and rows of a program from before that runs
/// beside the new one, say what they said.
const STEPS: &str = "
    ALTER TABLE sop_run_step
        ADD COLUMN key text COLLATE \"C\",
        ADD COLUMN assignee jsonb NOT NULL DEFAULT '{\"rule\": \"runner\"}',
        ADD COLUMN due jsonb,
        ADD COLUMN condition text,
        ADD COLUMN evidence jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN service_item_code text COLLATE \"C\",
        ADD COLUMN cost_cap jsonb;
    ALTER TABLE sop_version ADD COLUMN quiz jsonb NOT NULL DEFAULT '[]';";

/// The brand's own people have no dealer.
fn sop_acknowledgement() -> Owned {
    let columns = "sop_id uuid NOT NULL,
        sop_version_id uuid NOT NULL,
        staff_id uuid NOT NULL,
        dealer_id uuid,
        score_bp integer NOT NULL CHECK (score_bp BETWEEN 0 AND 10000),
        passed boolean NOT NULL,
        attempts integer NOT NULL CHECK (attempts >= 1),
        acknowledged_at timestamptz NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (passed = (score_bp >= 8000))";
    Owned::new("sop_acknowledgement", columns)
        .refers("sop_id", "sop")
        .refers("staff_id", "staff")
        .constraint(
            "sop_version_id",
            "FOREIGN KEY (tenant_id, sop_version_id) REFERENCES sop_version (tenant_id, id)",
        )
        .constraint(
            "dealer_id",
            "FOREIGN KEY (tenant_id, dealer_id) REFERENCES dealer (tenant_id, id)",
        )
        // Somebody reads a version once, however often they try. The key serves for the version, too.
        .unique(&["sop_version_id", "staff_id"])
        .by_dealer()
        .by_technician()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(STEPS).await?;
        sop_acknowledgement().create(manager).await?;
        connection.execute_unprepared(LOOKS).await?;
        Ok(())
    }
}
