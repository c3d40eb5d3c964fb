//! Lists: what they are sorted by, and the wall clocks of those who read them.

use sea_orm_migration::prelude::*;

/// Adds indexes for sorting, and time zones beside what people read.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// What lists of large tables may be sorted by; the identifier decides between equals.
const INDEXES: &str = "
    CREATE INDEX occurrence__by_due_at ON occurrence (tenant_id, due_at, id);
    CREATE INDEX work_order__by_preferred_on ON work_order (tenant_id, preferred_on, id);
    CREATE INDEX work_order__by_window_to_on ON work_order (tenant_id, window_to_on, id);
    CREATE INDEX enrolment__by_enrolled_on ON enrolment (tenant_id, enrolled_on, id);
    CREATE INDEX complaint__by_first_answer_due_at ON complaint (tenant_id, first_answer_due_at, id);
    CREATE INDEX complaint__by_severity ON complaint (tenant_id, severity, id);
    CREATE INDEX survey_invitation__by_scheduled_at ON survey_invitation (tenant_id, scheduled_at, id);
    CREATE INDEX survey_response__by_score ON survey_response (tenant_id, score, id);";

/// Rows of all brands get their zone: that of the dealer, or else of the brand. The walls stand in the way
/// of that, even for the owner of the tables, and are put up again in the same transaction.
const ZONES: &str = "
    ALTER TABLE dealer NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE appointment NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE occurrence NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE complaint NO FORCE ROW LEVEL SECURITY;

    ALTER TABLE appointment ADD COLUMN local_end text;
    UPDATE appointment SET local_end = to_char(ends_at AT TIME ZONE tz, 'YYYY-MM-DD HH24:MI');
    ALTER TABLE appointment ALTER COLUMN local_end SET NOT NULL;

    ALTER TABLE occurrence ADD COLUMN tz text, ADD COLUMN local_due text;
    UPDATE occurrence o SET tz = coalesce(
        (SELECT d.tz FROM dealer d WHERE d.tenant_id = o.tenant_id AND d.id = o.dealer_id),
        (SELECT t.tz FROM tenant t WHERE t.id = o.tenant_id));
    UPDATE occurrence SET local_due = to_char(due_at AT TIME ZONE tz, 'YYYY-MM-DD HH24:MI');
    ALTER TABLE occurrence ALTER COLUMN tz SET NOT NULL, ALTER COLUMN local_due SET NOT NULL;

    ALTER TABLE complaint ADD COLUMN tz text, ADD COLUMN local_first_answer_due text;
    UPDATE complaint c SET tz = coalesce(
        (SELECT d.tz FROM dealer d WHERE d.tenant_id = c.tenant_id AND d.id = c.dealer_id),
        (SELECT t.tz FROM tenant t WHERE t.id = c.tenant_id));
    UPDATE complaint
        SET local_first_answer_due = to_char(first_answer_due_at AT TIME ZONE tz, 'YYYY-MM-DD HH24:MI');
    ALTER TABLE complaint ALTER COLUMN tz SET NOT NULL, ALTER COLUMN local_first_answer_due SET NOT NULL;

    ALTER TABLE dealer FORCE ROW LEVEL SECURITY;
    ALTER TABLE appointment FORCE ROW LEVEL SECURITY;
    ALTER TABLE occurrence FORCE ROW LEVEL SECURITY;
    ALTER TABLE complaint FORCE ROW LEVEL SECURITY;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [INDEXES, ZONES] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
