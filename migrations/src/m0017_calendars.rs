//! Business calendars: when somebody works, and the days that are not like their weekday.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds calendars and their exceptions, and lets a site name a calendar.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// A site without one works in its hours, as before. An exception that is taken back is gone, and who acts for one dealer
/// takes none back.
const NAMED: &str = "
    ALTER TABLE site
        ADD COLUMN calendar_id uuid,
        ADD CONSTRAINT site__calendar_id
            FOREIGN KEY (tenant_id, calendar_id) REFERENCES business_calendar (tenant_id, id);
    CREATE INDEX site__by_calendar_id ON site (tenant_id, calendar_id) WHERE calendar_id IS NOT NULL;
    CREATE POLICY calendar_exception__brand_delete ON calendar_exception AS RESTRICTIVE FOR DELETE TO aftercare_app
        USING (ac.dealer() IS NULL);";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        business_calendar().create(manager).await?;
        calendar_exception().create(manager).await?;
        manager.get_connection().execute_unprepared(NAMED).await?;
        manager.get_connection().execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn business_calendar() -> Owned {
    let columns = "code text COLLATE \"C\" NOT NULL,
        name text NOT NULL,
        tz text NOT NULL,
        week jsonb NOT NULL,
        holidays text NOT NULL CHECK (holidays IN ('none', 'cn')),
        quiet_hours jsonb,
        status text NOT NULL CHECK (status IN ('active', 'retired')),
        version bigint NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("business_calendar", columns).unique(&["code"]).of_brand()
}

fn calendar_exception() -> Owned {
    let columns = "calendar_id uuid NOT NULL,
        applies_on date NOT NULL,
        kind text NOT NULL CHECK (kind IN ('closed', 'open')),
        intervals jsonb,
        label text,
        source text NOT NULL CHECK (source IN ('own', 'imported')),
        created_at timestamptz NOT NULL,
        CHECK (kind = 'open' OR intervals IS NULL)";
    Owned::new("calendar_exception", columns)
        .refers("calendar_id", "business_calendar")
        // A calendar says one thing about a day.
        .unique(&["calendar_id", "applies_on"])
        .of_brand()
        .deletable()
}
