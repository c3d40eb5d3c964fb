//! Deadlines among many: how long after its time a missed deadline is on disk, and what it costs when many others run.

use super::drain::TYPEID;
use crate::{
    data::{Amount, FIRST_TENANT, HALF},
    numbers::{Spread, quantile},
    report::{Line, Row, Target, Unit},
    sql::QUIETLY,
    stage::Stage,
    trouble::Trouble,
};
use std::time::Duration;
use tokio::time::timeout;

/// Where few run, and where many do.
const DATABASES: [&str; 2] = ["clocks_few", "clocks_many"];
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A policy for each brand.
const POLICIES: &str = "
    INSERT INTO sla_policy (tenant_id, id, code, name, rank, status, latest_number, version, created_at)
        SELECT id, id, 'all', 'All', 0, 'active', 1, 1, now() FROM tenant;
    INSERT INTO sla_version (tenant_id, id, sla_policy_id, number, state, applies_to, targets, published_at, version, created_at)
        SELECT id, id, id, 1, 'published', '{}', '[{\"metric\":\"decision\",\"within_minutes\":60}]', now(), 1, now() FROM tenant;
    CREATE TABLE bench.due (tenant_id uuid, id uuid, at timestamptz);";

/// From the instant at which each deadline passed to the commit that says so, in milliseconds, sorted.
const LATE: &str = "
    SELECT round(1000 * extract(epoch FROM pg_xact_commit_timestamp(e.xmin) - d.at), 3) FROM bench.due d
    JOIN sla_event e ON e.tenant_id = d.tenant_id AND e.sla_clock_id = d.id AND e.kind = 'breached' AND e.at = d.at
    ORDER BY 1";

const WAIT: &str = "DO $$ BEGIN LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM job JOIN bench.due USING (tenant_id, id) WHERE state IN ('ready', 'running'));
    COMMIT;
    PERFORM pg_sleep(0.05);
    END LOOP; END $$";

/// What one round found: lateness in milliseconds at the middle, at 99 of 100, at the most; and how long one took.
#[derive(Debug, Default)]
struct Rounds {
    middle: Vec<f64>,
    most_of_them: Vec<f64>,
    most: Vec<f64>,
    each: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let amount = Amount { tenants: stage.by_size(2, 20, 20), customers_each: 10 };
    for database in DATABASES {
        stage.make_database(database).await?;
        amount.load(&stage.psql, database).await?;
        stage.psql.run(database, &format!("CREATE SCHEMA bench; {TYPEID} {POLICIES}")).await?;
    }
    let open = stage.by_size([100, 500], [1_000, 100_000], [1_000, 100_000]);
    let due = stage.by_size(20, 500, 500);
    let mut found = [Rounds::default(), Rounds::default()];
    for _ in 0..stage.rounds() {
        for ((database, open), rounds) in DATABASES.into_iter().zip(open).zip(&mut found) {
            fill(stage, database, &amount, open).await?;
            let late = come_due(stage, database, due).await?;
            rounds.middle.push(quantile(&late, 0.5));
            rounds.most_of_them.push(quantile(&late, 0.99));
            rounds.most.push(quantile(&late, 1.0));
            rounds.each.push(quantile(&late, 1.0) - quantile(&late, 0.0));
        }
    }
    let [few, many] = found;
    let line = |what, values: &[f64], target: Option<f64>| {
        Line::of(what, Spread::of(values), Unit::Milliseconds, target.map(Target::AtMost))
    };
    let lines = vec![
        line("100 000 run, 500 come due: p50 after the instant", &many.middle, None),
        line("p99", &many.most_of_them, None),
        line("the last", &many.most, Some(2_000.0)),
        Line::of(
            "cost of each, 100 000 run ÷ 1 000 run",
            Spread::of_quotients(&many.each, &few.each),
            Unit::Times,
            Some(Target::AtMost(1.3)),
        ),
    ];
    Ok(vec![Row::new("clocks", "Deadlines that pass", lines, Vec::new(), String::new())])
}

/// Opens so many complaints with a clock each, all of which run for a year, after the last ones are forgotten.
async fn fill(stage: &Stage, database: &str, amount: &Amount, open: u32) -> Result<(), Trouble> {
    let tenants = amount.tenants;
    let sql = format!(
        "{QUIETLY} TRUNCATE complaint, sla_clock, sla_event, audit_entry, job, bench.due CASCADE;
         SET session_replication_role = origin;
         BEGIN;
         INSERT INTO complaint (tenant_id, id, number, customer_id, dealer_id, source, kind, severity, description, state,
             first_answer_due_at, tz, local_first_answer_due, first_answer, first_answer_at, resolution_no, created_at, version)
         SELECT c.tenant_id, gen_random_uuid(), 'C-' || n, c.id, c.dealer_id, 'phone', 'quality', 2, 'It leaks.', 'acknowledged',
             now(), 'Asia/Shanghai', '2026-01-01 00:00', 'kept', now(), 1, now() - interval '1 hour', 2
         FROM generate_series(1, {open}) n
         JOIN LATERAL (SELECT c.tenant_id, c.id, c.dealer_id FROM customer c
             WHERE c.tenant_id = ('{HALF}' || {FIRST_TENANT} + n % {tenants})::uuid ORDER BY c.id LIMIT 1) c ON true;
         INSERT INTO sla_clock (tenant_id, id, complaint_id, customer_id, dealer_id, metric, sla_policy_id, sla_version_id,
             target, tz, state, started_at, due_at, local_due, next_fire_at, event_count, round, missed_rounds, version, created_at)
         SELECT tenant_id, id, id, customer_id, dealer_id, 'decision', tenant_id, tenant_id,
             '{{\"metric\":\"decision\",\"within_minutes\":525600}}', tz, 'running', created_at,
             created_at + interval '365 days', '2027-01-01 00:00', created_at + interval '365 days', 1, 1, 0, 1, created_at
         FROM complaint;
         INSERT INTO sla_event (tenant_id, id, sla_clock_id, dealer_id, number, round, kind, at, due_at, created_at)
         SELECT tenant_id, id, id, dealer_id, 1, 1, 'started', started_at, due_at, created_at FROM sla_clock;
         INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
         SELECT tenant_id, id, 'sla_clock_due', jsonb_build_object('type', 'sla_clock_due', 'clock', bench.typeid('slc_', id),
             'complaint', bench.typeid('cmp_', id)), next_fire_at, 'ready', now()
         FROM sla_clock;
         COMMIT;
         VACUUM ANALYZE complaint, sla_clock, sla_event, job;"
    );
    stage.psql.run(database, &sql).await.map(drop)
}

/// Lets `due` of the clocks come due at one instant; answers how late each was noted, sorted.
async fn come_due(stage: &mut Stage, database: &str, due: u32) -> Result<Vec<f64>, Trouble> {
    let worker = stage.program.worker(database).await?;
    // Far enough ahead that all of them are ready when it comes.
    let sql = format!(
        "BEGIN;
         INSERT INTO bench.due SELECT tenant_id, id, date_trunc('second', now()) + interval '3 seconds'
             FROM sla_clock ORDER BY hashtext(id::text) LIMIT {due};
         UPDATE sla_clock k SET target = jsonb_set(k.target, '{{within_minutes}}', '60'), started_at = d.at - interval '1 hour',
             due_at = d.at, next_fire_at = d.at FROM bench.due d WHERE d.tenant_id = k.tenant_id AND d.id = k.id;
         UPDATE sla_event e SET at = d.at - interval '1 hour', due_at = d.at
             FROM bench.due d WHERE d.tenant_id = e.tenant_id AND d.id = e.id;
         UPDATE job j SET due_at = d.at FROM bench.due d WHERE d.tenant_id = j.tenant_id AND d.id = j.id;
         COMMIT;"
    );
    stage.psql.run(database, &sql).await?;
    let done = timeout(PATIENCE, stage.psql.run(database, WAIT)).await;
    worker.stop().await?;
    done.map_err(|_| Trouble::unexpected("deadlines do not pass"))??;
    let said = stage.psql.run(database, LATE).await?;
    let late: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
    let noted = late.iter().filter(|one| **one >= 0.0).count();
    let all = usize::try_from(due).unwrap_or(usize::MAX);
    stage.ledger.expect(noted == all, format!("{noted} of {all} deadlines were noted, in time"));
    let once = stage.psql.count(database, "sla_event WHERE kind = 'breached'").await?;
    stage.ledger.expect(once == u64::from(due), format!("{once} of {due} deadlines were noted"));
    Ok(late)
}
