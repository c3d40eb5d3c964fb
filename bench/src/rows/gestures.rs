//! Asking for a gesture that is granted on the spot: money is held on a customer's account, in the order of those who
//! ask for it. On accounts all over the brands, and on one account that everybody asks at once.

use super::{OURS, SEPARATE, Sides, numbered, on_a_line, scope};
use crate::{
    data::{FIRST_CUSTOMER, FIRST_TENANT, HALF},
    numbers::float_of,
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load},
    stage::{Ground, Stage},
    talk::Asks,
    trouble::Trouble,
};

/// What there is to give: each customer has bought something that has earned more than all windows together ask for, each
/// brand has a clerk at its dealer who may give it. Identifiers are those of the customer and of the brand.
const MEANS: &str = "
    BEGIN;
    INSERT INTO staff (tenant_id, id, dealer_id, status, name, role, site_ids, version, created_at)
        SELECT id, id, id, 'active', 'A clerk', 'clerk', '[]', 1, now() FROM tenant;
    INSERT INTO authority_limit (tenant_id, id, role, currency, per_request_minor, per_day_minor, unlimited,
                                 created_at, version)
        SELECT id, id, 'clerk', 'CNY', 5000, 1000000000000, false, now(), 1 FROM tenant;
    INSERT INTO sales_order (tenant_id, id, source, customer_id, dealer_id, asset_ids, currency, status, paid_on,
                             created_at, version)
        SELECT tenant_id, id, 'erp', id, dealer_id, '[]', 'CNY', 'paid', current_date, now(), 1 FROM customer;
    INSERT INTO order_line (tenant_id, id, order_id, quantity, price_minor, cost_minor, margin_minor)
        SELECT tenant_id, id, id, 1, 4000000000000, 0, 4000000000000 FROM customer;
    INSERT INTO allowance_account (tenant_id, id, customer_id, dealer_id, currency, balance_minor, held_minor,
                                   available_minor, created_at, version)
        SELECT tenant_id, id, id, dealer_id, 'CNY', 1000000000000, 0, 1000000000000, now(), 1 FROM customer;
    INSERT INTO allowance_lot (tenant_id, id, account_id, order_line_id, amount_minor, remaining_minor, margin_minor,
                               active_from, state, created_at, version)
        SELECT tenant_id, id, id, id, 1000000000000, 1000000000000, 4000000000000, now(), 'active', now(), 1
        FROM customer;
    COMMIT;
    ANALYZE;";

/// What is asked of the database, one statement after the other, as the program asks it: `{customer}` is for whom, `{id}`
/// the gesture, `{later}` its lines and its job, and `{key}` the request.
const STEPS: [&str; 16] = [
    "SELECT * FROM ac.recall('ten_01m8ejreg8e1y8s4qemw16395h/' || {key}, 'key_01m8ejrek2e9b9szksc22htv0r//', {key}, now())",
    "SELECT * FROM customer WHERE tenant_id = ac.tenant() AND id = {customer} LIMIT 1",
    "SELECT * FROM staff WHERE tenant_id = ac.tenant() AND id = ac.tenant() LIMIT 1",
    "SELECT pg_advisory_xact_lock(hashtextextended('grants:' || ac.tenant()::text || {clerk}, 0))",
    "SELECT * FROM allowance_account WHERE customer_id = {customer} AND tenant_id = ac.tenant()
     ORDER BY id FOR NO KEY UPDATE",
    "SELECT * FROM allowance_lot WHERE account_id = {customer} AND remaining_minor > 0 AND tenant_id = ac.tenant()",
    "SELECT * FROM allowance_budget
     WHERE currency = 'CNY' AND (dealer_id IS NULL OR (dealer_id = ac.tenant() AND team_id IS NULL))
       AND tenant_id = ac.tenant() ORDER BY id FOR NO KEY UPDATE",
    "SELECT * FROM gesture_rules WHERE currency = 'CNY' AND tenant_id = ac.tenant() LIMIT 1",
    "SELECT tz, gesture_escalation_hours FROM tenant WHERE id = ac.tenant()",
    "SELECT given.*, own.*
     FROM (SELECT coalesce(sum(coalesce(actual_minor, estimate_minor)) FILTER (WHERE approved_at >= now()), 0) AS month_minor,
                  count(*) FILTER (WHERE approved_at >= now() AND coalesce(actual_minor, estimate_minor) > 0) AS month_count,
                  count(*) FILTER (WHERE tangible AND coalesce(actual_minor, estimate_minor) > 0) AS gifts
           FROM gesture
           WHERE tenant_id = ac.tenant() AND customer_id = {customer} AND currency = 'CNY' AND id <> {id}
             AND approved_at >= now() - interval '30 days' AND state IN ('approved', 'fulfilled')) given,
          (SELECT coalesce(sum(coalesce(actual_minor, estimate_minor)) FILTER (WHERE approved_at >= now()), 0) AS day_minor,
                  coalesce(sum(coalesce(actual_minor, estimate_minor)), 0) AS month_minor
           FROM gesture
           WHERE tenant_id = ac.tenant() AND granted_by = {clerk} AND currency = 'CNY' AND id <> {id}
             AND approved_at >= now() - interval '30 days' AND state IN ('approved', 'fulfilled')) own",
    "SELECT * FROM authority_limit WHERE currency = 'CNY' AND tenant_id = ac.tenant()",
    "SELECT * FROM staff WHERE status = 'active' AND role IN ('manager', 'owner', 'brand_admin')
       AND dealer_id = ac.tenant() AND tenant_id = ac.tenant()",
    "WITH w0 AS (INSERT INTO gesture (tenant_id, id, customer_id, dealer_id, kind, tangible, problem_solved, interest,
             currency, estimate_minor, splits, budget_ids, state, requester_id, asked_by, failed_limits, approval_step,
             granted_by, expires_at, approved_at, created_at, version)
         VALUES (ac.tenant(), {id}, {customer}, ac.tenant(), 'gift', true, 'The family waited an hour for us.', 'customer',
             'CNY', 1, '[{\"lot_id\": \"lot_01m8ejrm7eej8ras450rx5e6gs\", \"amount_minor\": 1}]', '[]', 'approved',
             ac.tenant(), 'key_01m8ejrek2e9b9szksc22htv0r', '[]', 1, {clerk}, now() + interval '14 days', now(), now(), 1)),
     w1 AS (INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts, request_id)
         VALUES (ac.tenant(), {id}, now(), 'key_01m8ejrek2e9b9szksc22htv0r', 'ask', 'ges_01m8ejrm7eej8ra' || {key},
             {customer}, ac.tenant(), '{}', 'req_01a21d2c50bc7673bf7c57740a31b5e5'))
     INSERT INTO job (tenant_id, id, kind, payload, due_at, state, dedup_key, created_at)
     VALUES (ac.tenant(), {id}, 'gesture_due', '{\"type\": \"gesture_due\", \"gesture\": \"ges_01m8ejrm7eej8ras450rx5e6gs\"}',
         now() + interval '14 days', 'ready', NULL, now())
     ON CONFLICT (tenant_id, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING",
    "WITH w0 AS (UPDATE allowance_account SET held_minor = held_minor + 1, available_minor = available_minor - 1,
             version = version + 1 WHERE tenant_id = ac.tenant() AND id = {customer} RETURNING 1),
     w1 AS (INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts, request_id)
         VALUES (ac.tenant(), {later}, now(), 'key_01m8ejrek2e9b9szksc22htv0r', 'hold', 'acc_01m8ejrm7eej8ras450rx5e6gs',
             {customer}, ac.tenant(), '{}', 'req_01a21d2c50bc7673bf7c57740a31b5e5'))
     SELECT ac.expect(count(*), 1) FROM w0",
    "WITH w0 AS (UPDATE allowance_lot SET held_minor = held_minor + 1, version = version + 1
         WHERE tenant_id = ac.tenant() AND id = {customer} RETURNING 1)
     SELECT ac.expect(count(*), 1) FROM w0",
    "INSERT INTO allowance_entry (tenant_id, id, account_id, kind, reason, document, interest, lot_id, balance_change_minor,
         held_change_minor, pending_change_minor, balance_after_minor, held_after_minor, idempotency_key, actor, at)
     VALUES (ac.tenant(), {id}, {customer}, 'hold', 'gesture_asked', 'ges_01m8ejrm7eej8ras450rx5e6gs', 'customer', {customer},
         0, 1, 0, 1000000000000, 1, 'hold:' || {key}, 'key_01m8ejrek2e9b9szksc22htv0r', now())",
];

/// The last of them, with the answer that is remembered.
const REMEMBER: &str = "SELECT ac.remember('key_01m8ejrek2e9b9szksc22htv0r//', {key}, 'POST /v1/gestures',
    '\\xeaf022654362998fbb9dfc99ebbe4de5918101ca4f150a8a6894eeb82e0dc840', 201,
    '[[\"etag\", \"1\"], [\"location\", \"/v1/gestures/ges_01m8ejrm7eej8ras450rx5e6gs\"]]', '{body}',
    now() + interval '24 hours')";
/// As long as the answer that the program remembers.
const BODY_BYTES: usize = 1_090;

/// Whom a window's gestures are for.
#[derive(Debug, Clone, Copy)]
enum Whom {
    /// All customers of all brands.
    Everybody,
    /// One customer of the first brand, another one in each window.
    One,
}

impl Whom {
    /// The customer whom everybody asks for in a window, by their number; none when it is not one.
    fn hot(self, ground: &Ground, window: u64) -> Option<u64> {
        match self {
            Self::Everybody => None,
            Self::One => window.checked_rem(ground.amount.customers_each),
        }
    }
}

/// A transaction of these statements, for pgbench.
fn separate(ground: &Ground, window: u64, whom: Whom) -> String {
    let draw = match whom.hot(ground, window) {
        Some(number) => {
            let customer = FIRST_CUSTOMER.saturating_add(number);
            format!("\\set t {FIRST_TENANT}\n\\set c {customer}\n")
        }
        None => ground.amount.draw(),
    };
    let body = "x".repeat(BODY_BYTES);
    let values = [
        ("{customer}", format!("('{HALF}' || :c::text)::uuid")),
        ("{id}", format!("('{HALF}' || :k::text)::uuid")),
        ("{later}", "('0190000000007001' || :k::text)::uuid".to_owned()),
        ("{clerk}", "'stf_' || :t::text".to_owned()),
        ("{key}", ":k::text".to_owned()),
        ("{body}", body),
    ];
    let filled = |step: &&str| {
        let sql = on_a_line(step) + ";\n";
        values.iter().fold(sql, |sql, (name, value)| sql.replace(name, value))
    };
    let steps = STEPS.iter().chain([&REMEMBER]).map(filled).collect::<Vec<_>>().concat();
    let enter = on_a_line(&scope(&format!("'{HALF}' || :t::text")));
    format!("{}BEGIN;\n{enter}\n{steps}COMMIT;\n", numbered(&draw, window))
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.main().await?;
    stage.psql.run(&ground.database, MEANS).await?;
    let mut rows = Vec::new();
    for (name, title, whom) in [
        ("gestures", "Ask for a gesture, accounts everywhere", Whom::Everybody),
        ("gestures-hot", "Ask for a gesture, one account for all", Whom::One),
    ] {
        let mut sides = Sides::default();
        if stage.warms_up() {
            round(stage, (&ground, whom), 1, &mut Sides::default()).await?;
        }
        for _ in 0..stage.rounds() {
            round(stage, (&ground, whom), stage.seconds(), &mut sides).await?;
        }
        let lines = vec![Line::times(&sides, OURS, SEPARATE, Some(Target::AtLeast(0.6)))];
        rows.push(Row::new(name, title, lines, Vec::new(), sides.rates()));
    }
    Ok(rows)
}

/// Each side once; what is held afterwards is what was asked for.
async fn round(
    stage: &mut Stage,
    (ground, whom): (&Ground, Whom),
    seconds: u32,
    sides: &mut Sides,
) -> Result<(), Trouble> {
    let before = held(stage, ground).await?;
    let voices = stage.voices(ground);
    let hot = whom.hot(ground, stage.next_window());
    let talks = voices.into_iter().map(|voice| Asks::with(voice, hot)).collect();
    let ours = stage.talk(ground, talks, seconds).await?;
    sides.note(OURS, ours.rate());
    let window = stage.next_window();
    let (database, user, clients) = (ground.database.as_str(), LOGIN, CLIENTS);
    let script = separate(ground, window, whom);
    let load = Load { name: "gestures", database, user, script, clients, seconds };
    let theirs = stage.load(load).await?;
    sides.note(SEPARATE, theirs.rate);
    let (asked, held) = (ours.done.saturating_add(theirs.done), held(stage, ground).await?);
    let held = held.saturating_sub(before);
    stage.ledger.expect(held == asked, format!("{held} are held, {asked} were asked for"));
    Ok(())
}

/// What is held on all accounts, one for each gesture; the gestures that hold it are as many.
async fn held(stage: &mut Stage, ground: &Ground) -> Result<u64, Trouble> {
    let sums = "SELECT coalesce(sum(held_minor), 0) FROM allowance_account";
    let held = stage.psql.value(&ground.database, sums).await?;
    let gestures = stage.psql.count(&ground.database, "gesture").await?;
    let agree = (float_of(gestures) - held).abs() < 0.5;
    stage.ledger.expect(agree, format!("{held} are held for {gestures} gestures"));
    Ok(gestures)
}
