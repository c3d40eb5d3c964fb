//! Opening a complaint: the idempotency key, the complaint with its number and its clock, the line in the timeline,
//! two jobs, the remembered answer; one durable commit.

use super::{
    BARE, FUNCTION, OPEN_WALLS, OURS, SEPARATE, Sides, numbered, on_a_line, scope, set_walls,
};
use crate::{
    data::HALF,
    peers::{self, FASTAPI, FASTIFY, Peer},
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load, SUPERUSER},
    stage::{Ground, Stage},
    talk::Complains,
    trouble::Trouble,
};

/// What is asked of the database, one statement after the other; the program asks for the same in fewer. `{tenant}` is
/// the brand, `{customer}` who complains, `{id}` names the complaint and `{key}` the request.
const STEPS: [&str; 9] = [
    "SELECT pg_try_advisory_xact_lock(hashtextextended('ten_01m8ejreg8e1y8s4qemw16395h/key/' || {key}, 0)) AS held",
    "WITH forgotten AS (DELETE FROM idempotency
         WHERE tenant_id = {tenant} AND caller = 'key_01m8ejrek2e9b9szksc22htv0r//' AND key = {key} AND expires_at <= now())
     SELECT route, fingerprint, status, headers, body FROM idempotency
     WHERE tenant_id = {tenant} AND caller = 'key_01m8ejrek2e9b9szksc22htv0r//' AND key = {key} AND expires_at > now()",
    "SELECT c.dealer_id, d.id AS answering_id, coalesce(d.tz, t.tz) AS tz, o.customer_id AS order_id,
            a.customer_id AS asset_id, w.customer_id AS work_order_id, c.tier,
            (SELECT jsonb_agg(jsonb_build_object('sla_policy_id', v.sla_policy_id, 'sla_version_id', v.id, 'rank', p.rank,
                                                 'applies_to', v.applies_to, 'targets', v.targets))
             FROM sla_version v JOIN sla_policy p ON p.tenant_id = v.tenant_id AND p.id = v.sla_policy_id
             WHERE v.tenant_id = {tenant} AND v.state = 'published' AND p.status = 'active') AS candidates
     FROM customer c
     JOIN tenant t ON t.id = c.tenant_id
     LEFT JOIN dealer d ON d.tenant_id = c.tenant_id AND d.id = coalesce(NULL, c.dealer_id)
     LEFT JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = NULL::uuid
     LEFT JOIN asset a ON a.tenant_id = c.tenant_id AND a.id = NULL::uuid
     LEFT JOIN work_order w ON w.tenant_id = c.tenant_id AND w.id = NULL::uuid
     WHERE c.tenant_id = {tenant} AND c.id = {customer}
     FOR NO KEY UPDATE OF c",
    "INSERT INTO complaint_counter (tenant_id, last_serial) VALUES ({tenant}, 1)
     ON CONFLICT (tenant_id) DO UPDATE SET last_serial = complaint_counter.last_serial + 1
     RETURNING last_serial",
    "INSERT INTO complaint (tenant_id, id, customer_id, dealer_id, source, kind, severity, description, number, state,
         first_answer_due_at, tz, local_first_answer_due, first_answer, resolution_no, created_at, version)
     VALUES ({tenant}, {id}, {customer}, {dealer}, 'phone', 'quality', 2,
         'The filter leaks again, two days after it was changed.', 'C-' || lpad({serial}, 6, '0'), 'received',
         now() + interval '24 hours', 'Asia/Shanghai', '2026-11-28 21.22', 'due', 1, now(), 1)",
    "INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts, request_id)
     VALUES ({tenant}, {id}, now(), 'key_01m8ejrek2e9b9szksc22htv0r', 'create', 'cmp_01m8ejrm7eej8ra' || {key},
         {customer}, {dealer}, '{}', 'req_01a21d2c50bc7673bf7c57740a31b5e5')",
    "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, dedup_key, created_at)
     VALUES ({tenant}, {id}, 'complaint_opened', '{\"type\": \"complaint_opened\", \"complaint\": \"cmp_01m8ejrm7eej8ras450rx5e6gs\"}',
         now(), 'ready', NULL, now())
     ON CONFLICT (tenant_id, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING",
    "INSERT INTO job (tenant_id, id, kind, payload, due_at, state, dedup_key, created_at)
     VALUES ({tenant}, {later}, 'first_answer_due', '{\"type\": \"first_answer_due\", \"complaint\": \"cmp_01m8ejrm7eej8ras450rx5e6gs\"}',
         now() + interval '24 hours', 'ready', NULL, now())
     ON CONFLICT (tenant_id, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING",
    "INSERT INTO idempotency (tenant_id, caller, key, route, fingerprint, status, headers, body, expires_at)
     VALUES ({tenant}, 'key_01m8ejrek2e9b9szksc22htv0r//', {key}, 'POST /v1/complaints',
         '\\xeaf022654362998fbb9dfc99ebbe4de5918101ca4f150a8a6894eeb82e0dc840', 201,
         '[[\"etag\", \"1\"], [\"location\", \"/v1/complaints/cmp_01m8ejrm7eej8ras450rx5e6gs\"]]', '{body}',
         now() + interval '24 hours')",
];
/// The step that gives the complaint its number.
const NUMBERS: &str = "complaint_counter";
/// As long as the answer that the program remembers.
const BODY_BYTES: usize = 730;

/// The tables that are written, and how many rows of each a complaint has.
const WRITTEN: [(&str, u64); 4] =
    [("complaint", 1), ("audit_entry", 1), ("job", 2), ("idempotency", 1)];

/// One step with its values.
fn filled(step: &str, values: &[(&str, &str)]) -> String {
    let body = "x".repeat(BODY_BYTES);
    let begin = on_a_line(step).replace("{body}", &body);
    values.iter().fold(begin, |sql, (name, value)| sql.replace(&format!("{{{name}}}"), value))
}

/// A transaction of separate statements, for pgbench.
fn separate(ground: &Ground, window: u64) -> String {
    let tenant = format!("'{HALF}' || :t::text");
    let values = [
        ("tenant", "ac.tenant()"),
        ("customer", &format!("('{HALF}' || :c::text)::uuid")),
        ("dealer", "ac.tenant()"),
        ("id", &format!("('{HALF}' || :k::text)::uuid")),
        ("later", "('0190000000007001' || :k::text)::uuid"),
        ("key", ":k::text"),
        ("serial", ":last_serial::text"),
    ];
    let step = |step: &&str| {
        let end = if step.contains(NUMBERS) { " \\gset" } else { ";" };
        format!("{}{end}\n", filled(step, &values))
    };
    let steps = STEPS.iter().map(step).collect::<Vec<_>>().concat();
    let draw = numbered(&ground.amount.draw(), window);
    let enter = on_a_line(&scope(&tenant));
    format!("{draw}BEGIN;\n{enter}\n{steps}COMMIT;\n")
}

/// A function that does all of it; with the scope of the brand, or without.
fn function(name: &str, is_scoped: bool) -> String {
    let tenant = if is_scoped { "ac.tenant()" } else { "brand::uuid" };
    let values = [
        ("tenant", tenant),
        ("customer", "customer"),
        ("dealer", "brand::uuid"),
        ("id", "own"),
        ("later", "later"),
        ("key", "request"),
        ("serial", "serial::text"),
    ];
    let scope = scope("brand");
    let enter = scope.trim_start_matches("SELECT ").replace("true);", "true);\n");
    let mut body = if is_scoped { format!("PERFORM {enter}") } else { String::new() };
    for step in STEPS {
        let sql = filled(step, &values);
        let line = match sql.strip_prefix("SELECT ") {
            Some(rest) => format!("PERFORM {rest};\n"),
            None if sql.starts_with("WITH ") => format!("FOR found IN {sql} LOOP END LOOP;\n"),
            None if step.contains(NUMBERS) => format!("{sql} INTO serial;\n"),
            None => format!("{sql};\n"),
        };
        body.push_str(&line);
    }
    format!(
        "CREATE SCHEMA IF NOT EXISTS bench;
         GRANT USAGE ON SCHEMA bench TO PUBLIC;
         CREATE OR REPLACE FUNCTION bench.{name}(brand text, customer uuid, own uuid, later uuid, request text)
         RETURNS bigint LANGUAGE plpgsql AS $$
         #variable_conflict use_variable
         DECLARE serial bigint; found record;
         BEGIN {body} RETURN serial; END $$;"
    )
}

/// One call of such a function, for pgbench.
fn call(ground: &Ground, window: u64, name: &str) -> String {
    format!(
        "{}SELECT bench.{name}('{HALF}' || :t::text, ('{HALF}' || :c::text)::uuid, ('{HALF}' || :k::text)::uuid, \
         ('0190000000007001' || :k::text)::uuid, :k::text);\n",
        numbered(&ground.amount.draw(), window)
    )
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.main().await?;
    for sql in [function("open", true), function("open_bare", false)] {
        stage.psql.run(&ground.database, &sql).await?;
    }
    let peers = peers::servers(stage, &ground).await?;
    let mut sides = Sides::default();
    let before = written(stage, &ground).await?;
    let mut opened = 0;
    if stage.warms_up() {
        opened = round(stage, (&ground, &peers), 1, &mut Sides::default()).await?;
    }
    for _ in 0..stage.rounds() {
        let more = round(stage, (&ground, &peers), stage.seconds(), &mut sides).await?;
        opened = opened.saturating_add(more);
    }
    let after = written(stage, &ground).await?;
    for (((table, each), before), after) in WRITTEN.iter().zip(before).zip(after) {
        let (rows, due) = (after.saturating_sub(before), opened.saturating_mul(*each));
        stage.ledger.expect(rows == due, format!("{rows} rows in {table}, {due} were written"));
    }
    let times = |ours, theirs, target| Line::times(&sides, ours, theirs, target);
    let mut lines = vec![
        times(OURS, SEPARATE, Some(Target::AtLeast(1.3))),
        times(OURS, FUNCTION, Some(Target::AtLeast(0.8))),
    ];
    lines.extend(peers::lines(&sides, &[(FASTIFY, Some(3.0)), (FASTAPI, Some(4.5))]));
    let isolation =
        vec![times(FUNCTION, BARE, Some(Target::AtLeast(0.9))), times(OURS, OPEN_WALLS, None)];
    Ok(vec![
        Row::new("open", "Open a complaint", lines, sides.bars(SEPARATE), sides.rates()),
        Row::new(
            "isolation-open",
            "Cost of isolation, writing",
            isolation,
            Vec::new(),
            String::new(),
        ),
    ])
}

async fn written(stage: &Stage, ground: &Ground) -> Result<Vec<u64>, Trouble> {
    let mut counts = Vec::new();
    for (table, _) in WRITTEN {
        counts.push(stage.psql.count(&ground.database, table).await?);
    }
    Ok(counts)
}

/// Answers how many complaints were opened.
async fn round(
    stage: &mut Stage,
    (ground, peers): (&Ground, &[Peer]),
    seconds: u32,
    sides: &mut Sides,
) -> Result<u64, Trouble> {
    let (rate, mut opened) = ours(stage, ground, seconds).await?;
    sides.note(OURS, rate);
    for peer in peers {
        let (rate, more) = ours(stage, &peer.ground, seconds).await?;
        sides.note(peer.name, rate);
        opened = opened.saturating_add(more);
    }
    for (side, user) in [(SEPARATE, LOGIN), (FUNCTION, LOGIN), (BARE, SUPERUSER)] {
        let window = stage.next_window();
        let script = match side {
            SEPARATE => separate(ground, window),
            FUNCTION => call(ground, window, "open"),
            _ => call(ground, window, "open_bare"),
        };
        let (database, clients) = (ground.database.as_str(), CLIENTS);
        let load = Load { name: "open", database, user, script, clients, seconds };
        let done = stage.load(load).await?;
        sides.note(side, done.rate);
        opened = opened.saturating_add(done.done);
    }
    set_walls(stage, &ground.database, false).await?;
    let open = ours(stage, ground, seconds).await;
    set_walls(stage, &ground.database, true).await?;
    let (rate, more) = open?;
    sides.note(OPEN_WALLS, rate);
    Ok(opened.saturating_add(more))
}

async fn ours(stage: &mut Stage, ground: &Ground, seconds: u32) -> Result<(f64, u64), Trouble> {
    let voices = stage.voices(ground);
    let talks = voices.into_iter().map(Complains::with).collect();
    let window = stage.talk(ground, talks, seconds).await?;
    Ok((window.rate(), window.done))
}
