//! Deadlines that are counted anew, and what is told of them.

use sea_orm_migration::prelude::*;

/// Adds policies that are applied to running clocks.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// A log may say that another policy was applied. Clocks that are not decided are found without those that are.
const CLOCKS: &str = "
    ALTER TABLE sla_event
        DROP CONSTRAINT sla_event_kind_check,
        ADD CONSTRAINT sla_event_kind_check CHECK (kind IN
            ('started', 'paused', 'resumed', 'warned', 'breached', 'met', 'cancelled', 'applied'));
    CREATE INDEX sla_clock__by_undecided ON sla_clock (tenant_id, complaint_id, dealer_id)
        WHERE state IN ('running', 'paused');";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(CLOCKS).await?;
        Ok(())
    }
}
