//! The auditor: compares what callers were told with what there is, through the API and, past all walls, in the database.

use crate::{Trouble, brand::Brand, chance::Chance, report::Report, told::Told};
use serde_json::{Map, Value};
use sqlx::PgPool;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

/// Within this, everything is quiet after the last fault.
const QUIET_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What waits or runs of the live brand `$1`.
const BUSY: &str = "
    SELECT format('%s, %s, %s attempts, not before %s: %s', j.kind, j.state, j.attempts,
                  j.not_before, j.last_error)
    FROM job j JOIN tenant t ON t.id = j.tenant_id
    WHERE t.slug = $1 AND t.mode = 'live'
      AND (j.state = 'running' OR (j.state = 'ready' AND j.due_at <= now()))";

/// How things stand with the customers of the live brand `$1`, as `Told` puts it.
const STANDING: &str = "
    SELECT c.name, jsonb_build_object(
        'customers', count(*) OVER (PARTITION BY c.name),
        'orders', (SELECT count(*) FROM sales_order o WHERE (o.tenant_id, o.customer_id) = (c.tenant_id, c.id)),
        'lots', (SELECT count(*) FROM allowance_lot l JOIN allowance_account a
            ON (a.tenant_id, a.id) = (l.tenant_id, l.account_id)
            WHERE (a.tenant_id, a.customer_id) = (c.tenant_id, c.id)),
        'balance', (SELECT coalesce(sum(a.balance_minor), 0) FROM allowance_account a
            WHERE (a.tenant_id, a.customer_id) = (c.tenant_id, c.id)),
        'held', (SELECT coalesce(sum(a.held_minor), 0) FROM allowance_account a
            WHERE (a.tenant_id, a.customer_id) = (c.tenant_id, c.id)),
        'gestures', (SELECT coalesce(jsonb_agg(g.state ORDER BY g.state COLLATE \"C\"), '[]') FROM gesture g
            WHERE (g.tenant_id, g.customer_id) = (c.tenant_id, c.id)),
        'complaints', (SELECT coalesce(jsonb_agg(p.state ORDER BY p.state COLLATE \"C\"), '[]') FROM complaint p
            WHERE (p.tenant_id, p.customer_id) = (c.tenant_id, c.id)),
        'letters', (SELECT count(*) FROM message m WHERE (m.tenant_id, m.customer_id) = (c.tenant_id, c.id)
            AND m.purpose = 'complaint' AND m.state = 'kept'),
        'resolutions', (SELECT count(*) FROM resolution r WHERE (r.tenant_id, r.customer_id) = (c.tenant_id, c.id)),
        'invitations', (SELECT count(*) FROM survey_invitation i
            WHERE (i.tenant_id, i.customer_id) = (c.tenant_id, c.id)),
        'responses', (SELECT count(*) FROM survey_response r
            WHERE (r.tenant_id, r.customer_id) = (c.tenant_id, c.id)),
        'visits', (SELECT coalesce(jsonb_agg(v.words ORDER BY v.words COLLATE \"C\"), '[]') FROM (
            SELECT format('%s %s', w.state, (SELECT count(*) FROM appointment a
                WHERE (a.tenant_id, a.work_order_id) = (w.tenant_id, w.id)
                  AND a.state IN ('held', 'confirmed', 'in_progress'))) AS words
            FROM work_order w WHERE (w.tenant_id, w.customer_id) = (c.tenant_id, c.id)) v))
    FROM customer c JOIN tenant t ON t.id = c.tenant_id
    WHERE t.slug = $1 AND t.mode = 'live'";

/// Keys of `$2` that do not have exactly one record with the live brand `$1`.
const KEYS: &str = "
    SELECT format('the key %s has %s records', wanted.key, count(i.key))
    FROM unnest($2::text[]) AS wanted (key)
    LEFT JOIN (idempotency i JOIN tenant t ON t.id = i.tenant_id AND t.slug = $1 AND t.mode = 'live')
        ON i.key = wanted.key
    GROUP BY wanted.key HAVING count(i.key) <> 1";

/// What must find nothing, over all brands.
const NOTHING: [&str; 9] = [
    "SELECT format('the job %s (%s) is dead: %s', id, kind, last_error) FROM job WHERE state = 'dead'",
    "SELECT format('the account %s has %s and %s held, its lines say %s and %s, its lots %s', a.id,
            a.balance_minor, a.held_minor, e.balance, e.held, l.remaining)
     FROM allowance_account a
     CROSS JOIN LATERAL (SELECT coalesce(sum(balance_change_minor), 0) AS balance,
            coalesce(sum(held_change_minor), 0) AS held, min(balance_after_minor) AS lowest,
            min(held_after_minor) AS least FROM allowance_entry
        WHERE (tenant_id, account_id) = (a.tenant_id, a.id)) e
     CROSS JOIN LATERAL (SELECT coalesce(sum(remaining_minor), 0) AS remaining FROM allowance_lot
        WHERE (tenant_id, account_id) = (a.tenant_id, a.id)) l
     WHERE (a.balance_minor, a.held_minor, a.balance_minor) IS DISTINCT FROM (e.balance, e.held, l.remaining)
        OR a.balance_minor < 0 OR a.held_minor < 0 OR a.available_minor < 0 OR e.lowest < 0 OR e.least < 0",
    "SELECT format('the order line %s has earned %s times', l.id, count(e.id))
     FROM order_line l JOIN sales_order o ON (o.tenant_id, o.id) = (l.tenant_id, l.order_id)
     JOIN tenant t ON t.id = l.tenant_id AND t.slug LIKE 'storm-%'
     LEFT JOIN allowance_lot lot ON (lot.tenant_id, lot.order_line_id) = (l.tenant_id, l.id)
     LEFT JOIN allowance_entry e ON (e.tenant_id, e.lot_id) = (lot.tenant_id, lot.id) AND e.kind = 'accrue'
     WHERE o.paid_on IS NOT NULL GROUP BY l.id HAVING count(e.id) <> 1",
    "SELECT format('%s was asked about %s times', subject, count(*))
     FROM survey_invitation GROUP BY tenant_id, subject HAVING count(*) > 1",
    "SELECT format('resolution %s of the complaint %s is logged %s times', resolution_no, complaint_id, count(*))
     FROM resolution GROUP BY tenant_id, complaint_id, resolution_no HAVING count(*) > 1",
    "SELECT format('the entry %s of the resolution log has no seal', id) FROM resolution_pending",
    "SELECT format('the technician %s is in two places at %s', a.staff_id, a.starts_at)
     FROM appointment a JOIN appointment b ON (a.tenant_id, a.staff_id) = (b.tenant_id, b.staff_id) AND a.id < b.id
        AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
     WHERE a.state IN ('held', 'confirmed', 'in_progress') AND b.state IN ('held', 'confirmed', 'in_progress')",
    "SELECT format('the customer %s was written to %s times: %s', customer_id, count(*), headline)
     FROM message GROUP BY tenant_id, customer_id, headline, body HAVING count(*) > 1",
    "SELECT format('%s was created %s times', subject, count(*))
     FROM audit_entry WHERE action = 'create' GROUP BY tenant_id, subject HAVING count(*) > 1",
];

/// Waits until nothing is left to do for the brand. Longer than promised is a violation.
pub(crate) async fn quiet(brand: &Brand, sql: &PgPool, calm: Instant) {
    let report = &brand.caller.report;
    let mut left = vec!["nobody could look".to_owned()];
    while !left.is_empty() && calm.elapsed() < QUIET_LIMIT {
        let busy = sqlx::query_scalar(BUSY).bind(&brand.slug).fetch_all(sql).await;
        if let Ok(busy) = busy {
            left = busy;
        }
        sleep(LOOK_AGAIN).await;
    }
    let took = calm.elapsed();
    report.note(|seen| seen.longest_quiet = seen.longest_quiet.max(took));
    if !left.is_empty() {
        let (seconds, left) = (took.as_secs(), left.join("\n  "));
        report.violation(format!(
            "{seconds} seconds after the last fault there is left to do:\n  {left}"
        ));
    }
}

/// Compares everything.
pub(crate) async fn all(
    brand: &Brand,
    sql: &PgPool,
    told: &[Told],
    chance: &mut Chance,
) -> Result<(), Trouble> {
    let report = &brand.caller.report;
    standing(brand, sql, told).await?;
    for told in told {
        for (path, state) in &told.records {
            let reply = brand.caller.reads(chance, path).await;
            let record = reply.json();
            let seen = record.get("state").or_else(|| record.get("status")).and_then(Value::as_str);
            if reply.status != 200 || (state.is_some() && seen != *state) {
                report.violation(format!("{path} should be {state:?} and is {reply:?}"));
            }
        }
    }
    let keys = brand.caller.keys();
    let keys = sqlx::query_scalar(KEYS).bind(&brand.slug).bind(keys).fetch_all(sql).await?;
    note(report, keys);
    for search in NOTHING {
        note(report, sqlx::query_scalar(search).fetch_all(sql).await?);
    }
    Ok(())
}

fn note(report: &Report, found: Vec<String>) {
    for sentence in found {
        report.violation(sentence);
    }
}

async fn standing(brand: &Brand, sql: &PgPool, told: &[Told]) -> Result<(), Trouble> {
    let report = &brand.caller.report;
    let rows: Vec<(String, Value)> =
        sqlx::query_as(STANDING).bind(&brand.slug).fetch_all(sql).await?;
    let mut found: BTreeMap<String, Value> = rows.into_iter().collect();
    for told in told {
        let seen = found.remove(&told.name).unwrap_or_default();
        if !told.outcomes.iter().any(|outcome| seen.as_object() == Some(outcome)) {
            let wanted: Vec<_> =
                told.outcomes.iter().map(|outcome| differing(outcome, &seen)).collect();
            let (name, wanted) = (&told.name, wanted.join(" or "));
            report.violation(format!("{name} should have {wanted}, and has {seen}"));
        }
    }
    for (name, seen) in found {
        report.violation(format!("nobody entered {name}, who has {seen}"));
    }
    Ok(())
}

/// What is otherwise than it should be.
fn differing(wanted: &Map<String, Value>, seen: &Value) -> String {
    let other = wanted.iter().filter(|(name, value)| seen.get(name) != Some(value));
    other.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
