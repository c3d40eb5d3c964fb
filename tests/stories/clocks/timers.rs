//! Warnings are given and missed deadlines noted once each, on time, and cost nothing before.

use super::{Shop, only, target};
use crate::patience::until;
use domain::{
    event::Event,
    identity::{Actor, Reach},
    ids::{ComplaintId, SlaClockId},
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use store::Scope;
use uuid::Uuid;

/// What goes wrong within an hour on Monday morning: a warning after 45 minutes, and then the deadline.
fn watched() -> Value {
    only(target(
        "first_resolution",
        60,
        json!({"warn_before_minutes": [15], "at_warning": ["escalate"], "at_breach": ["escalate", "finding"]}),
    ))
}

impl Shop {
    /// Lets somebody look at a clock once more, so often.
    async fn looks_again(&self, clock: &Value, often: usize) {
        let (tenant, actor, reach) = (self.brand, Actor::Worker, Reach::default());
        let scope = Scope { tenant, actor, reach, paced: false, request_id: None };
        let worker = self.house.store.enter(scope).await.unwrap();
        let id = |name: &str| clock[name].as_str().unwrap().to_owned();
        let clock: SlaClockId = id("id").parse().unwrap();
        let complaint: ComplaintId = id("complaint_id").parse().unwrap();
        for _ in 0..often {
            worker.emit(&Event::SlaClockDue { clock, complaint }).await.unwrap();
        }
        worker.commit(()).await.unwrap();
    }

    async fn findings(&self) -> Vec<(Value, Value)> {
        let all = self.key.get("/v1/findings?kind=deadline_missed").await.expect(200);
        all.data().iter().map(|one| (one["state"].clone(), one["subject"].clone())).collect()
    }
}

#[tokio::test]
async fn a_warning_and_a_missed_deadline_come_once_and_somebody_else_answers() {
    let shop = Shop::opens().await;
    shop.hires("clerk").await;
    let (manager, owner) = (shop.hires("manager").await, shop.hires("owner").await);
    shop.promises("all", 0, watched()).await;
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.house.settle().await;
    let path = format!("/v1/complaints/{id}");

    shop.sets("2026-01-05T01:44:59Z");
    shop.house.settle().await;
    assert_eq!(shop.key.get(&path).await["escalated_rank"], Value::Null);
    shop.sets("2026-01-05T01:45:00Z");
    for _ in 0..3 {
        shop.house.settle().await;
        let clock = shop.clock(&id, "first_resolution").await;
        assert_eq!(clock["next_fire_at"], "2026-01-05T02:00:00Z");
        let up = shop.key.get(&path).await;
        assert_eq!(
            (&up["escalated_rank"], &up["escalated_staff_id"]),
            (&json!(30), &json!(manager))
        );
        shop.looks_again(&clock, 2).await;
    }
    shop.sets("2026-01-05T02:00:00Z");
    for _ in 0..3 {
        shop.house.settle().await;
        let clock = shop.clock(&id, "first_resolution").await;
        assert_eq!((&clock["state"], &clock["next_fire_at"]), (&json!("breached"), &Value::Null));
        let up = shop.key.get(&path).await;
        assert_eq!((&up["escalated_rank"], &up["escalated_staff_id"]), (&json!(40), &json!(owner)));
        assert_eq!(shop.findings().await, [(json!("open"), json!(id))]);
        shop.looks_again(&clock, 2).await;
    }
    let theirs =
        shop.key.get(&format!("/v1/complaints?escalated_staff_id={owner}")).await.expect(200);
    assert_eq!(theirs.data().len(), 1);
    crate::voice::resolves(&shop.key, &id).await;
    assert_eq!(shop.findings().await, [(json!("resolved"), json!(id))]);
    let clock = shop.clock(&id, "first_resolution").await;
    assert_eq!(clock["state"], "met_late");
    assert_eq!(shop.events(&clock).await, ["started", "warned", "breached", "met"]);
    let told = shop.timeline(&id).await;
    let said = |action: &str| told.iter().filter(|line| *line == action).count();
    assert_eq!(
        (said("warn_deadline"), said("miss_deadline"), said("escalate")),
        (1, 1, 2),
        "{told:?}"
    );
}

#[tokio::test]
async fn workers_who_look_at_once_note_it_once() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, watched()).await;
    let id = shop.complains().await.id();
    shop.house.settle().await;
    let clock = shop.clock(&id, "first_resolution").await;
    shop.looks_again(&clock, 60).await;
    shop.sets("2026-01-05T02:00:00Z");
    shop.house.settle_at_once().await;
    assert_eq!(shop.events(&clock).await, ["started", "warned", "breached"]);
    assert_eq!(shop.findings().await.len(), 1);
    assert_eq!(shop.clock(&id, "first_resolution").await["event_count"], 3);
}

#[tokio::test]
async fn who_comes_for_a_deadline_that_lies_elsewhere_by_now_changes_nothing() {
    let shop = Shop::opens().await;
    let hold = target("first_resolution", 60, json!({"pause_while_waiting": true}));
    shop.promises("all", 0, only(hold)).await;
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.sets("2026-01-05T01:30:00Z");
    shop.waits(&id, "customer").await;
    shop.sets("2026-01-05T02:00:00Z");
    shop.house.settle().await;
    let paused = shop.clock(&id, "first_resolution").await;
    assert_eq!((&paused["state"], &paused["version"]), (&json!("paused"), &json!(2)));
    shop.act(&id, "resume", json!({})).await;
    let resumed = shop.clock(&id, "first_resolution").await;
    assert_eq!(resumed["due_at"], "2026-01-05T02:30:00Z");
    shop.looks_again(&resumed, 1).await;
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "first_resolution").await["version"], resumed["version"]);
    shop.sets("2026-01-05T02:30:00Z");
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "first_resolution").await["state"], "breached");
}

/// 20 000 clocks on 4 000 complaints, copied from one, each with its first event; 50 of them are due with the one they
/// are copied from, and the others a week later.
const MANY: &str = "
    INSERT INTO complaint SELECT (jsonb_populate_record(c, jsonb_build_object(
            'id', gen_random_uuid(), 'number', 'X-' || n))).*
        FROM complaint c, generate_series(1, 4000) n;
    INSERT INTO sla_clock SELECT (jsonb_populate_record(k, jsonb_build_object(
            'id', gen_random_uuid(), 'complaint_id', c.id, 'metric', m.metric,
            'next_fire_at', k.due_at + interval '7 days', 'due_at', k.due_at + interval '7 days'))).*
        FROM sla_clock k, complaint c,
             unnest(ARRAY['acknowledge', 'first_response', 'decision', 'first_resolution', 'total_resolution']) AS m(metric)
        WHERE c.number LIKE 'X-%';
    UPDATE sla_clock SET next_fire_at = due_at - interval '7 days', due_at = due_at - interval '7 days'
        WHERE id IN (SELECT k.id FROM sla_clock k JOIN complaint c ON c.id = k.complaint_id AND c.number LIKE 'X-%'
                     WHERE k.metric = 'first_resolution' ORDER BY k.id LIMIT 50);
    INSERT INTO sla_event SELECT (jsonb_populate_record(e, jsonb_build_object(
            'id', gen_random_uuid(), 'sla_clock_id', k.id))).*
        FROM sla_event e, sla_clock k WHERE k.id <> e.sla_clock_id";

/// Announces when the clocks are due, as they do themselves when they begin.
const TIMERS: &str = "
    INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
    SELECT k.tenant_id, gen_random_uuid(), 'sla_clock_due', line.payload, k.next_fire_at, 'ready', k.created_at
    FROM jsonb_to_recordset($1) AS line(id uuid, payload jsonb) JOIN sla_clock k ON k.id = line.id
    WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.payload ->> 'clock' = line.payload ->> 'clock')";

/// How many rows of a table were read, by whichever way, and how many were written, since the counts were reset.
const TOUCHED: &str = "
    SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint, (n_tup_ins + n_tup_upd + n_tup_del)::bigint
    FROM pg_stat_user_tables WHERE relname = $1";

async fn asked(owner: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql.to_owned());
    owner.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn touched(owner: &DatabaseConnection, table: &str) -> (i64, i64) {
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, TOUCHED, [table.into()]);
    let row = owner.query_one_raw(asked).await.unwrap().unwrap();
    (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())
}

async fn announce_all(owner: &DatabaseConnection) {
    let all = "SELECT id, complaint_id FROM sla_clock";
    let rows = owner.query_all_raw(Statement::from_string(DbBackend::Postgres, all)).await.unwrap();
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let [id, complaint]: [Uuid; 2] =
                [0, 1].map(|place| row.try_get_by_index(place).unwrap());
            let event = Event::SlaClockDue { clock: id.into(), complaint: complaint.into() };
            json!({"id": id, "payload": event})
        })
        .collect();
    let announce = [Value::from(lines).into()];
    let announce = Statement::from_sql_and_values(DbBackend::Postgres, TIMERS, announce);
    owner.execute_raw(announce).await.unwrap();
}

#[tokio::test]
async fn of_twenty_thousand_clocks_those_that_are_due_cost_something_and_no_others() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, only(target("first_resolution", 60, json!({})))).await;
    shop.complains().await;
    shop.house.settle().await;
    let owner = shop.house.owner().await;
    owner.execute_unprepared(MANY).await.unwrap();
    announce_all(&owner).await;
    assert_eq!(asked(&owner, "SELECT count(*) FROM sla_clock").await, 20_001);
    let waits = "SELECT count(*) FROM job WHERE kind = 'sla_clock_due' AND state = 'ready'";
    assert_eq!(asked(&owner, waits).await, 20_001);
    for sql in ["VACUUM ANALYZE", "SELECT pg_stat_force_next_flush()", "SELECT pg_stat_reset()"] {
        owner.execute_unprepared(sql).await.unwrap();
    }
    shop.sets("2026-01-05T02:00:00Z");
    shop.house.settle_at_once().await;
    // What a connection has touched is counted at the latest when it ends.
    shop.house.store.close().await;
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'aftercare_login'";
    let all_told = async || (asked(&owner, others).await == 0).then_some(());
    until("the connections end", all_told, String::new).await;
    // A look at the queue, of which there are many, touches those that are due and no others.
    for (table, most_read) in
        [("sla_clock", 51 * 10), ("sla_event", 51 * 10), ("complaint", 51 * 10), ("job", 51 * 60)]
    {
        let (read, _) = touched(&owner, table).await;
        assert!(read <= most_read, "{read} rows of {table} were read");
    }
    // The one that they are copied from may be counted late.
    let (_, written) = touched(&owner, "sla_clock").await;
    assert!((51..=52).contains(&written), "{written} rows of sla_clock were written");
    assert_eq!(asked(&owner, waits).await, 19_950);
    assert_eq!(asked(&owner, "SELECT count(*) FROM sla_clock WHERE version > 1").await, 51);
    assert_eq!(asked(&owner, "SELECT count(*) FROM sla_event WHERE kind = 'breached'").await, 51);
}
