//! The whole course of a complaint: how bad it is, what was found out, what the customer says of the decision, and who
//! stands in for whom.

use crate::m0010_flights::LOOKS;
use sea_orm_migration::prelude::*;

/// Adds it. What was open before goes on from where it stands.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The conditions that name a state are made anew, because there are more states; the others stay. A decision that was
/// there before was in the customer's favour as far as anybody knows: nothing could say otherwise.
const COURSE: &str = "
    DO $$
    DECLARE condition text;
    BEGIN
        FOR condition IN
            SELECT conname FROM pg_constraint
            WHERE conrelid = 'complaint'::regclass AND contype = 'c'
              AND pg_get_constraintdef(oid) ~ '\\mstate\\M'
        LOOP
            EXECUTE format('ALTER TABLE complaint DROP CONSTRAINT %I', condition);
        END LOOP;
    END $$;
    ALTER TABLE complaint NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE complaint
        ADD COLUMN cover_id uuid,
        ADD COLUMN safety boolean NOT NULL DEFAULT false,
        ADD COLUMN assessment jsonb,
        ADD COLUMN investigation jsonb,
        ADD COLUMN cause_code text COLLATE \"C\",
        ADD COLUMN upheld boolean,
        ADD COLUMN decided_rank smallint,
        ADD COLUMN deciding_rank smallint,
        ADD COLUMN accepted_at timestamptz,
        ADD COLUMN refusals integer NOT NULL DEFAULT 0,
        ADD COLUMN refused_at timestamptz,
        ADD COLUMN refusal_reason text,
        ADD COLUMN opposing_messages integer NOT NULL DEFAULT 0,
        ADD COLUMN external_body text,
        ADD COLUMN duplicate_of uuid,
        ADD COLUMN set_aside_at timestamptz,
        ADD COLUMN aside_note text;
    UPDATE complaint SET upheld = true WHERE decision IS NOT NULL;
    ALTER TABLE complaint FORCE ROW LEVEL SECURITY;
    ALTER TABLE complaint
        ADD CONSTRAINT complaint__state CHECK (state IN
            ('received', 'acknowledged', 'assessed', 'investigating', 'decided', 'negotiating', 'external_recourse',
             'resolved', 'closed', 'reopened', 'duplicate', 'withdrawn', 'not_a_complaint')),
        ADD CONSTRAINT complaint__closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
        ADD CONSTRAINT complaint__resolved CHECK ((state IN ('resolved', 'closed')) = (resolved_at IS NOT NULL)),
        ADD CONSTRAINT complaint__decided CHECK ((state IN
            ('decided', 'negotiating', 'external_recourse', 'resolved', 'closed')) = (decision IS NOT NULL)),
        ADD CONSTRAINT complaint__silence CHECK
            (state <> 'closed' OR customer_satisfied IS TRUE OR told_at IS NOT NULL),
        ADD CONSTRAINT complaint__waiting CHECK (waiting_for IS NULL OR state IN
            ('acknowledged', 'assessed', 'investigating', 'decided', 'negotiating', 'external_recourse', 'reopened')),
        ADD CONSTRAINT complaint__upheld CHECK ((decision IS NULL) = (upheld IS NULL)),
        ADD CONSTRAINT complaint__told CHECK (state NOT IN ('negotiating', 'external_recourse') OR told_at IS NOT NULL),
        ADD CONSTRAINT complaint__refused CHECK
            (state <> 'negotiating' OR (refused_at IS NOT NULL AND refusal_reason IS NOT NULL)),
        ADD CONSTRAINT complaint__referred CHECK (state <> 'external_recourse' OR external_body IS NOT NULL),
        ADD CONSTRAINT complaint__accepted CHECK (accepted_at IS NULL OR told_at IS NOT NULL),
        ADD CONSTRAINT complaint__duplicate CHECK ((state = 'duplicate') = (duplicate_of IS NOT NULL)),
        ADD CONSTRAINT complaint__not_its_own CHECK (duplicate_of <> id),
        ADD CONSTRAINT complaint__aside CHECK
            ((state IN ('duplicate', 'withdrawn', 'not_a_complaint')) = (aside_note IS NOT NULL)),
        ADD CONSTRAINT complaint__set_aside CHECK
            ((state IN ('duplicate', 'withdrawn', 'not_a_complaint')) = (set_aside_at IS NOT NULL)),
        ADD CONSTRAINT complaint__refusals CHECK (refusals >= 0 AND opposing_messages >= 0),
        ADD CONSTRAINT complaint__cover_id
            FOREIGN KEY (tenant_id, cover_id) REFERENCES staff (tenant_id, id),
        ADD CONSTRAINT complaint__duplicate_of
            FOREIGN KEY (tenant_id, duplicate_of) REFERENCES complaint (tenant_id, id);
    CREATE INDEX complaint__by_cover_id ON complaint (tenant_id, cover_id) WHERE cover_id IS NOT NULL;
    CREATE INDEX complaint__by_duplicate_of ON complaint (tenant_id, duplicate_of) WHERE duplicate_of IS NOT NULL;
    ALTER TABLE remedy DROP CONSTRAINT remedy_state_check;
    ALTER TABLE remedy ADD CONSTRAINT remedy__state CHECK (state IN ('due', 'done', 'waived', 'replaced')),
        ADD CONSTRAINT remedy__mandatory CHECK (NOT (mandatory AND state = 'replaced')),
        ADD COLUMN gesture_id uuid,
        ADD CONSTRAINT remedy__gesture_id FOREIGN KEY (tenant_id, gesture_id) REFERENCES gesture (tenant_id, id);
    CREATE UNIQUE INDEX remedy__by_gesture_id ON remedy (tenant_id, gesture_id) WHERE gesture_id IS NOT NULL;";

/// Who stands above whoever has a complaint is the same whoever asks: people of a dealer do not see those of the brand, and
/// a complaint that they let go up goes to them. For this one question no dealer's and no technician's wall stands, and
/// the tenant's does; it tells identifiers and roles alone. The settings are put back by hand, as in `ac.last_reading`.
const SUPERIORS: &str = "
    CREATE FUNCTION ac.superiors(of_dealer uuid, owner_id uuid, today text, open text[])
        RETURNS TABLE (id uuid, role text, is_owner boolean) LANGUAGE plpgsql AS $$
    DECLARE
        dealer text := coalesce(current_setting('ac.dealer', true), '');
        technician text := coalesce(current_setting('ac.technician', true), '');
    BEGIN
        PERFORM set_config('ac.dealer', '', true), set_config('ac.technician', '', true);
        RETURN QUERY
            SELECT p.id, p.role, true FROM public.staff p WHERE p.tenant_id = ac.tenant() AND p.id = $2
            UNION ALL
            (SELECT DISTINCT ON (p.role) p.id, p.role, false FROM public.staff p
             WHERE p.tenant_id = ac.tenant() AND p.status = 'active' AND p.id IS DISTINCT FROM $2
               AND (p.dealer_id = $1 AND p.role IN ('manager', 'owner') OR p.role = 'brand_admin')
               AND NOT coalesce($3 BETWEEN p.on_leave ->> 'from_on' AND p.on_leave ->> 'to_on', false)
             ORDER BY p.role, (SELECT count(*) FROM public.complaint c WHERE c.tenant_id = p.tenant_id
                 AND c.escalated_staff_id = p.id AND c.state = ANY ($4)), p.id);
        PERFORM set_config('ac.dealer', dealer, true), set_config('ac.technician', technician, true);
    END $$;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [COURSE, SUPERIORS, LOOKS] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
