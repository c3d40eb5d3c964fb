//! What a step of a procedure demands: who does it, by when, with what evidence, at what cost.

use crate::m0010_flights::LOOKS;
use sea_orm_migration::prelude::*;

/// Adds what a step demands to the steps of runs, where it is copied from the version.
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
        ADD COLUMN cost_cap jsonb;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [STEPS, LOOKS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
