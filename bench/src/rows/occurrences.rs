//! Plans that look ahead: the dates of many things in maintenance are written down at once.

use super::{OURS, Sides};
use crate::{
    data::{Amount, FIRST_CUSTOMER, FIRST_TENANT, HALF},
    numbers::{Spread, float_of},
    report::{Line, Row, Target, Unit},
    sql::{Load, ONCE, QUIETLY, SUPERUSER},
    stage::Stage,
    trouble::Trouble,
};
use std::time::Duration;
use tokio::time::{interval, timeout};

/// One statement a table and brand, in the order of its key.
const SORTED: &str = "INSERT … SELECT … ON CONFLICT";
/// Where it happens.
const DATABASE: &str = "plans";
/// Dates that each thing gets: five tasks a month, two months ahead.
const DATES: u64 = 10;
/// So many dates need no more rounds than this.
const MOST_ROUNDS: u32 = 2;
/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// The tables that are written.
const WRITTEN: [&str; 3] = ["occurrence", "audit_entry", "job"];

/// A plan with five monthly tasks, one product, and one thing of each customer in the plan, which was delivered ten days
/// ago, so that no date is due for some days and nothing else happens.
fn things() -> String {
    let task = |number| {
        format!(
            "{{\"code\":\"task-{number}\",\"title\":\"Task {number}\",\"trigger\":{{\"kind\":\"every_months\",\"months\":1}},\
             \"early_days\":3,\"late_days\":3,\"work_lead_days\":3}}"
        )
    };
    let tasks = (1..=5).map(task).collect::<Vec<_>>().join(",");
    format!(
        "BEGIN;
         INSERT INTO product (tenant_id, id, sku, name, category, after_sales_need, price, created_at, version)
             SELECT id, id, 'P-1', 'Purifier', 'purifier', 'rigid', '{{\"currency\":\"CNY\",\"amount_minor\":100}}', now(), 1
             FROM tenant;
         INSERT INTO plan_template (tenant_id, id, number, code, name, product_id, tasks, state, published_at, version, created_at)
             SELECT id, id, 1, 'care', 'Care', id, '[{tasks}]', 'published', now(), 1, now() FROM tenant;
         INSERT INTO asset (tenant_id, id, source, customer_id, product_id, dealer_id, delivered_on, status, created_at, version)
             SELECT tenant_id, id, 'erp', id, tenant_id, dealer_id, current_date - 10, 'active', now(), 1 FROM customer;
         INSERT INTO enrolment (tenant_id, id, plan_template_id, plan_code, asset_id, customer_id, dealer_id, anchor_on,
                                enrolled_on, state, next_due_on, version, created_at)
             SELECT tenant_id, id, tenant_id, 'care', id, id, dealer_id, current_date - 10, current_date, 'active',
                    current_date, 1, now()
             FROM customer;
         COMMIT;
         CREATE PROCEDURE bench.write(brand uuid) LANGUAGE sql AS $$
             INSERT INTO occurrence SELECT * FROM bench.occurrence WHERE tenant_id = brand
                 ORDER BY enrolment_id, task, seq ON CONFLICT (tenant_id, enrolment_id, task, seq) DO NOTHING;
             INSERT INTO audit_entry SELECT * FROM bench.audit_entry WHERE tenant_id = brand ORDER BY id
                 ON CONFLICT (tenant_id, id) DO NOTHING;
             INSERT INTO job SELECT * FROM bench.job WHERE tenant_id = brand ORDER BY id
                 ON CONFLICT (tenant_id, id) DO NOTHING;
         $$;
         VACUUM ANALYZE;"
    )
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let tenants = stage.by_size(2, 10, 10);
    let amount = Amount { tenants, customers_each: stage.by_size(20, 1_000, 10_000) };
    stage.make_database(DATABASE).await?;
    amount.load(&stage.psql, DATABASE).await?;
    // Created behind the data, for it names tables that the first round fills.
    stage.psql.run(DATABASE, &copies()).await?;
    stage.psql.run(DATABASE, &things()).await?;
    let (mut sides, mut memory) = (Sides::default(), Vec::new());
    for _ in 0..stage.rounds().min(MOST_ROUNDS) {
        let (rate, used) = ours(stage, &amount).await?;
        sides.note(OURS, rate);
        memory.extend(used);
        sides.note(SORTED, theirs(stage, &amount).await?);
    }
    let most = Spread::of(&memory);
    let lines = vec![
        Line::times(&sides, OURS, SORTED, Some(Target::AtLeast(0.8))),
        Line::of(
            "the worker's memory, the most",
            Spread { median: most.high, ..most },
            Unit::Megabytes,
            Some(Target::AtMost(100.0)),
        ),
    ];
    let title = "Dates of plans, written down";
    Ok(vec![Row::new("occurrences", title, lines, sides.bars(SORTED), sides.rates())])
}

/// Where the rows are kept that the program wrote, to be written once more.
fn copies() -> String {
    let copy = |table: &str| format!("CREATE TABLE bench.{table} (LIKE {table});");
    format!("CREATE SCHEMA bench; {}", WRITTEN.map(copy).join(" "))
}

/// Lets a worker look ahead for all brands; answers dates a second, and its memory from time to time.
async fn ours(stage: &mut Stage, amount: &Amount) -> Result<(f64, Vec<f64>), Trouble> {
    let begin = format!(
        "{QUIETLY} TRUNCATE occurrence, audit_entry, job CASCADE;
         UPDATE enrolment SET next_due_on = current_date; VACUUM ANALYZE enrolment;"
    );
    stage.psql.run(DATABASE, &begin).await?;
    let worker = stage.program.worker(DATABASE).await?;
    // The brands' days are those of their zone.
    let base = stage.next_window().saturating_mul(10_000_000).saturating_add(FIRST_CUSTOMER);
    let due = format!(
        "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
         SELECT id, ('{HALF}' || {base} + row_number() OVER ())::uuid, 'day_work_due',
                jsonb_build_object('type', 'day_work_due', 'on', current_date, 'work', 'plans'), now(), 'ready', now()
         FROM tenant"
    );
    stage.psql.run(DATABASE, &due).await?;
    let wait = "DO $$ BEGIN LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM job WHERE kind = 'day_work_due' AND state IN ('ready', 'running'));
        COMMIT;
        PERFORM pg_sleep(0.1);
        END LOOP; END $$";
    let mut memory = Vec::new();
    let psql = stage.psql.clone();
    let waiting = timeout(PATIENCE, psql.run(DATABASE, wait));
    let look = async {
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            memory.push(f64::from(worker.resident_mb()));
        }
    };
    let waited = tokio::select! {
        waited = waiting => waited,
        () = look => return Err(Trouble::unexpected("the clock stands still")),
    };
    worker.stop().await?;
    waited.map_err(|_| Trouble::unexpected("plans do not look ahead"))??;
    let due = amount.customers().saturating_mul(DATES);
    for (table, what) in
        [("occurrence", ""), ("audit_entry", ""), ("job", "WHERE kind = 'occurrence_due'")]
    {
        let rows = stage.psql.count(DATABASE, &format!("{table} {what}")).await?;
        stage.ledger.expect(rows == due, format!("{rows} rows in {table}, {due} were due"));
    }
    let seconds =
        "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(finished_at)) FROM job
        WHERE kind = 'day_work_due' AND state = 'done'";
    let seconds = stage.psql.value(DATABASE, seconds).await?;
    Ok((if seconds > 0.0 { float_of(due) / seconds } else { 0.0 }, memory))
}

/// Writes the same rows by three statements a brand, all brands at once, each in a durable transaction; answers
/// dates a second.
async fn theirs(stage: &mut Stage, amount: &Amount) -> Result<f64, Trouble> {
    let keep = |table: &str| {
        format!(
            "TRUNCATE bench.{table}; INSERT INTO bench.{table} SELECT * FROM {table} ORDER BY random();"
        )
    };
    let kept = WRITTEN.map(keep).join(" ");
    let forget = "DELETE FROM bench.job WHERE kind <> 'occurrence_due'; TRUNCATE occurrence, audit_entry, job CASCADE;
        ANALYZE bench.occurrence, bench.audit_entry, bench.job; CHECKPOINT;";
    stage.psql.run(DATABASE, &format!("{QUIETLY} {kept} {forget}")).await?;
    let clients = u32::try_from(amount.tenants).unwrap_or(u32::MAX);
    let script = format!(
        "\\set t {FIRST_TENANT} + :client_id\nCALL bench.write(('{HALF}' || :t::text)::uuid);\n"
    );
    let load =
        Load { name: "write", database: DATABASE, user: SUPERUSER, script, clients, seconds: ONCE };
    let done = stage.load(load).await?;
    let due = amount.customers().saturating_mul(DATES);
    for table in WRITTEN {
        let rows = stage.psql.count(DATABASE, table).await?;
        stage.ledger.expect(rows == due, format!("{rows} rows in {table}, {due} were due"));
    }
    Ok(done.rate * float_of(amount.customers_each.saturating_mul(DATES)))
}
