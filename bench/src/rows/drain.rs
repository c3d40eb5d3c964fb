//! Draining a queue: how fast jobs are done that are all due at once.

use crate::{
    data::{Amount, HALF},
    peers,
    program::BATCH,
    sql::{CLIENTS, Load, QUIETLY, SUPERUSER},
    stage::Stage,
    trouble::Trouble,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a queue may take to drain.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often pgbench is called until a queue is empty.
const MOST_CALLS: u32 = 30;

/// From the first job that began to the last that was on disk, in seconds, and how many they were. A job's
/// `finished_at` is the instant at which its transaction began; PostgreSQL knows when it was committed.
const DRAINED: &str = "SELECT coalesce(count(*) / nullif(extract(epoch FROM
    max(pg_xact_commit_timestamp(xmin)) - min(finished_at)), 0), 0) FROM job WHERE id IN (SELECT id FROM bench.filled)
    AND state = 'done'";

/// Waits inside the server, which costs next to nothing; each look is a transaction of its own, because one that lasts
/// would keep the server from forgetting what the queue has left behind.
const WAIT: &str = "DO $$ BEGIN LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM job j JOIN bench.filled f USING (tenant_id, id) WHERE j.state IN ('ready', 'running'));
    COMMIT;
    PERFORM pg_sleep(0.05);
    END LOOP; END $$";

/// Takes a batch of one brand's due jobs under a token, as the program does, and commits.
const LEASE: &str = "
    WITH pick AS (
        SELECT j.tenant_id, j.id FROM job j
        WHERE j.tenant_id = brand AND j.state = 'ready' AND j.due_at <= now()
          AND (j.not_before IS NULL OR j.not_before <= now())
        ORDER BY j.due_at, j.id LIMIT batch FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE job SET state = 'running', attempts = job.attempts + 1, lease_token = token,
                       lease_until = now() + interval '20 seconds'
        FROM pick WHERE job.tenant_id = pick.tenant_id AND job.id = pick.id RETURNING job.id
    ) SELECT array_agg(id) INTO ids FROM leased;
    COMMIT;";

/// The loops that pgbench calls: completing a batch at once, and each job with an effect of its own.
fn loops() -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS bench;
         CREATE TABLE IF NOT EXISTS bench.filled (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id));
         CREATE OR REPLACE PROCEDURE bench.drain(token uuid, brand uuid, batch bigint) LANGUAGE plpgsql AS $$
         DECLARE ids uuid[]; BEGIN {LEASE}
             UPDATE job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL, last_error = NULL
             WHERE tenant_id = brand AND id = ANY (ids) AND lease_token = token AND state = 'running';
         END $$;
         CREATE OR REPLACE PROCEDURE bench.drain_each(token uuid, brand uuid, batch bigint) LANGUAGE plpgsql AS $$
         DECLARE ids uuid[]; own uuid; found record; BEGIN {LEASE}
             FOREACH own IN ARRAY coalesce(ids, '{{}}') LOOP
                 SELECT payload INTO found FROM job
                     WHERE tenant_id = brand AND id = own AND lease_token = token AND state = 'running';
                 SELECT * INTO found FROM complaint WHERE tenant_id = brand AND id = own FOR NO KEY UPDATE;
                 UPDATE complaint SET first_answer = 'missed', version = version + 1
                     WHERE tenant_id = brand AND id = own AND version = found.version;
                 INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts)
                     VALUES (brand, own, now(), 'worker', 'miss_first_answer', own::text, found.customer_id,
                             found.dealer_id, jsonb_build_object('first_answer_due_at', found.first_answer_due_at));
                 UPDATE job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL,
                                last_error = NULL
                     WHERE tenant_id = brand AND id = own AND lease_token = token AND state = 'running';
                 COMMIT;
             END LOOP;
         END $$;"
    )
}

/// What the jobs are that are drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing: a complaint is looked up, and the resolution that is meant was left behind meanwhile.
    Nothing,
    /// A deadline has passed: a complaint is changed and a line is written in its timeline, in one transaction.
    Deadline,
}

/// A database whose queue is filled and drained.
#[derive(Debug)]
pub(super) struct Queue {
    database: String,
    amount: Amount,
    work: Work,
    jobs: u64,
}

impl Queue {
    /// Makes a database for `jobs` jobs at a time.
    pub(super) async fn make(
        stage: &Stage,
        database: &str,
        work: Work,
        jobs: u64,
    ) -> Result<Self, Trouble> {
        let tenants = stage.by_size(4, 20, 20);
        let amount = Amount { tenants, customers_each: 10 };
        stage.make_database(database).await?;
        amount.load(&stage.psql, database).await?;
        stage.psql.run(database, &loops()).await?;
        Ok(Self { database: database.to_owned(), amount, work, jobs })
    }

    /// Adds jobs that are done, and jobs that are due in a month.
    pub(super) async fn add_backlog(
        &self,
        stage: &Stage,
        done: u64,
        future: u64,
    ) -> Result<(), Trouble> {
        let tenants = self.amount.tenants;
        let sql = format!(
            "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, attempts, created_at, finished_at)
                 SELECT t.id, gen_random_uuid(), 'day_work_due', '{{\"type\":\"day_work_due\"}}',
                        now() - interval '1 hour' + n * interval '1 millisecond', 'done', 1, now(), now()
                 FROM generate_series(1, {done}) n JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r FROM tenant) t
                   ON t.r = n % {tenants};
             INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
                 SELECT t.id, gen_random_uuid(), 'day_work_due', '{{\"type\":\"day_work_due\"}}',
                        now() + interval '30 days' + n * interval '1 second', 'ready', now()
                 FROM generate_series(1, {future}) n JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r FROM tenant) t
                   ON t.r = n % {tenants};
             VACUUM ANALYZE job;"
        );
        stage.psql.run(&self.database, &sql).await.map(drop)
    }

    /// Lets the program drain the queue; answers jobs a second.
    pub(super) async fn ours(&self, stage: &mut Stage) -> Result<f64, Trouble> {
        let worker = stage.program.worker(&self.database).await?;
        self.fill(stage).await?;
        let done = timeout(PATIENCE, stage.psql.run(&self.database, WAIT)).await;
        worker.stop().await?;
        done.map_err(|_| Trouble::unexpected("the queue does not drain"))??;
        self.drained(stage).await
    }

    /// Lets a queue of others do the same jobs; answers jobs a second.
    pub(super) async fn of_peer(&self, stage: &mut Stage, peer: &str) -> Result<f64, Trouble> {
        self.fill(stage).await?;
        // They have a place of their own for jobs.
        stage.psql.run(&self.database, "TRUNCATE job").await?;
        let has_effect = self.work == Work::Deadline;
        let drained = peers::drain(stage, peer, &self.database, self.jobs, has_effect).await?;
        let (done, due) = (drained.done, self.jobs);
        stage.ledger.expect(done == due, format!("{peer}: {done} of {due} jobs were done"));
        self.count_effects(stage).await?;
        Ok(drained.rate)
    }

    /// Lets a loop in SQL drain the queue; answers jobs a second.
    pub(super) async fn theirs(&self, stage: &mut Stage) -> Result<f64, Trouble> {
        self.fill(stage).await?;
        let procedure = match self.work {
            Work::Nothing => "bench.drain",
            Work::Deadline => "bench.drain_each",
        };
        let not_done = "job JOIN bench.filled USING (tenant_id, id) WHERE state <> 'done'";
        // pgbench counts whole seconds, so it is called until nothing is left; calls that find nothing are not measured.
        for _ in 0..MOST_CALLS {
            let script = format!(
                "{}\\set i :i + 1\n\
                 \\set k 8000000000000000 + :client_id * 10000000000000 + {} * 10000000 + :i\n\
                 CALL {procedure}(('{HALF}' || :k::text)::uuid, ('{HALF}' || :t::text)::uuid, {BATCH});\n",
                self.amount.draw(),
                stage.next_window(),
            );
            let (name, database, user) = ("drain", self.database.as_str(), SUPERUSER);
            let seconds = stage.by_size(1, 2, 5);
            let load = Load { name, database, user, script, clients: CLIENTS, seconds };
            // A call that finds the machine busy may do nothing in its time.
            let drained = stage.psql.load(&load).await?;
            stage.ledger.expect(drained.failed == 0, "a loop in SQL failed");
            if stage.psql.count(&self.database, not_done).await? == 0 {
                break;
            }
        }
        self.drained(stage).await
    }

    async fn drained(&self, stage: &mut Stage) -> Result<f64, Trouble> {
        let (psql, database) = (&stage.psql, &self.database);
        let once =
            "job JOIN bench.filled USING (tenant_id, id) WHERE state = 'done' AND attempts = 1";
        let done = psql.count(database, once).await?;
        let rate = psql.value(database, DRAINED).await?;
        let due = self.jobs;
        stage.ledger.expect(done == due, format!("{done} of {due} jobs were done, and once"));
        self.count_effects(stage).await?;
        Ok(rate)
    }

    /// Each effect has to be there, and once.
    async fn count_effects(&self, stage: &mut Stage) -> Result<(), Trouble> {
        let (due, database) =
            (if self.work == Work::Deadline { self.jobs } else { 0 }, &self.database);
        for effect in [
            "complaint WHERE first_answer = 'missed' AND version = 2",
            "audit_entry WHERE action = 'miss_first_answer'",
        ] {
            let found = stage.psql.count(database, effect).await?;
            stage.ledger.expect(found == due, format!("{found} of {due}: {effect}"));
        }
        Ok(())
    }

    /// Fills the queue with jobs that are due now, after the last ones are forgotten.
    async fn fill(&self, stage: &mut Stage) -> Result<(), Trouble> {
        let forget = format!(
            "{QUIETLY} DELETE FROM job WHERE id IN (SELECT id FROM bench.filled); TRUNCATE bench.filled;
             TRUNCATE complaint, audit_entry CASCADE; VACUUM job;"
        );
        stage.psql.run(&self.database, &forget).await?;
        let (tenants, jobs) = (self.amount.tenants, self.jobs);
        let base =
            stage.next_window().saturating_mul(10_000_000).saturating_add(8_100_000_000_000_000);
        let (kind, rest) = match self.work {
            Work::Nothing => ("complaint_resolved", ", 'resolution_no', 0"),
            Work::Deadline => ("first_answer_due", ""),
        };
        let sql = format!(
            "BEGIN;
             INSERT INTO bench.filled SELECT t.id, ('{HALF}' || {base} + n)::uuid
                 FROM generate_series(1, {jobs}) n JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r FROM tenant) t
                   ON t.r = n % {tenants} ORDER BY 1, 2;
             {TYPEID}
             {COMPLAINTS}
             COMMIT;
             ANALYZE bench.filled, complaint;
             INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
                 SELECT f.tenant_id, f.id, '{kind}', jsonb_build_object('type', '{kind}', 'complaint', bench.typeid('cmp_', f.id){rest}), now(), 'ready', now()
                 FROM bench.filled f ORDER BY f.tenant_id, f.id;"
        );
        stage.psql.run(&self.database, &sql).await.map(drop)
    }
}

/// The way in which the program writes identifiers: 26 digits of five bits.
pub(super) const TYPEID: &str = "
    CREATE OR REPLACE FUNCTION bench.typeid(prefix text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT prefix || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', substring(bits FROM i * 5 + 1 FOR 5)::bit(5)::int + 1, 1),
                                    '' ORDER BY i)
        FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) b, generate_series(0, 25) i $$;";

/// A complaint for each job, of the same identifier, whose first answer should have been given an hour ago.
const COMPLAINTS: &str = "
    INSERT INTO complaint (tenant_id, id, number, customer_id, dealer_id, source, kind, severity, description, state,
        first_answer_due_at, tz, local_first_answer_due, first_answer, resolution_no, created_at, version)
    SELECT f.tenant_id, f.id, 'C-' || row_number() OVER (), c.id, c.dealer_id, 'phone', 'quality', 2, 'It leaks.', 'received',
        now() - interval '1 hour', 'Asia/Shanghai', '2026-01-01 00:00', 'due', 1, now() - interval '25 hours', 1
    FROM bench.filled f
    JOIN LATERAL (SELECT id, dealer_id FROM customer c WHERE c.tenant_id = f.tenant_id ORDER BY id LIMIT 1) c ON true;";
