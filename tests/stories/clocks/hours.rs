//! People work at other hours: what is still due is counted anew at once, and what was missed stays missed.

use super::{FRIDAY, MONDAY, Shop, only, target};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};

/// The Tuesday after [`MONDAY`], half past nine in the morning.
const TUESDAY: &str = "2026-01-13T01:30:00Z";

impl Shop {
    /// Lets the dealer's site work by a calendar of the same hours; answers the calendar's path.
    async fn takes_a_calendar(&self) -> String {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let week = days.map(|day| json!({"weekday": day, "opens": "09:00", "closes": "18:00"}));
        let office =
            json!({"code": "office", "name": "办公时间", "tz": "Asia/Shanghai", "week": week});
        let calendar = self.key.post("/v1/calendars", office).await.expect(201).id();
        self.changes_site(json!({"calendar_id": calendar})).await;
        format!("/v1/calendars/{calendar}")
    }

    async fn site(&self) -> String {
        let sites = self.key.get(&format!("/v1/sites?dealer_id={}", self.dealer)).await.expect(200);
        format!("/v1/sites/{}", sites.data()[0]["id"].as_str().unwrap())
    }

    async fn changes_site(&self, change: Value) {
        self.changes(&self.site().await, change).await;
    }

    async fn changes(&self, path: &str, change: Value) {
        let read = self.key.get(path).await.expect(200);
        self.key.patch(path, read.etag(), change).await.expect(200);
        self.house.settle().await;
    }

    /// Lets the Monday be free.
    async fn frees_monday(&self, calendar: &str) {
        let monday = format!("{calendar}/exceptions/2026-01-12");
        let said = self.key.put(&monday, json!({"kind": "closed"})).await;
        assert!(said.status.is_success(), "{said:?}");
        self.house.settle().await;
    }

    async fn due_at(&self, complaint: &str, metric: &str) -> Value {
        self.clock(complaint, metric).await["due_at"].clone()
    }

    async fn asks(&self, sql: &str) -> i64 {
        let owner = self.house.owner().await;
        let asked = Statement::from_string(DbBackend::Postgres, sql.to_owned());
        owner.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }
}

#[tokio::test]
async fn a_day_that_becomes_free_moves_clock_and_answer_and_timer_at_once() {
    let shop = Shop::opens().await;
    let calendar = shop.takes_a_calendar().await;
    let hour = target("acknowledge", 60, json!({"warn_before_minutes": [15]}));
    shop.promises("all", 0, only(hour)).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.house.settle().await;
    assert_eq!(shop.due_at(&id, "acknowledge").await, MONDAY);
    shop.frees_monday(&calendar).await;
    let clock = shop.clock(&id, "acknowledge").await;
    assert_eq!(
        (&clock["due_at"], &clock["local_due"], &clock["next_fire_at"]),
        (&json!(TUESDAY), &json!("2026-01-13 09:30"), &json!("2026-01-13T01:15:00Z"))
    );
    let path = format!("/v1/complaints/{id}");
    let complaint = shop.key.get(&path).await.expect(200);
    assert_eq!(
        (&complaint["first_answer_due_at"], &complaint["local_first_answer_due"]),
        (&json!(TUESDAY), &json!("2026-01-13 09:30"))
    );
    let told = shop.timeline(&id).await;
    assert!(
        told.ends_with(&["move_deadline".to_owned(), "move_first_answer".to_owned()]),
        "{told:?}"
    );

    // The old timers find nothing to do, and the new ones come.
    shop.sets(MONDAY);
    shop.house.settle().await;
    assert_eq!(shop.events(&clock).await, ["started"]);
    assert_eq!(shop.key.get(&path).await["first_answer"], "due");
    shop.sets(TUESDAY);
    shop.house.settle().await;
    assert_eq!(shop.events(&clock).await, ["started", "warned", "breached"]);
    assert_eq!(shop.key.get(&path).await["first_answer"], "missed");

    // Nothing is taken back, in either direction.
    let deleted = shop.key.request(Method::DELETE, &format!("{calendar}/exceptions/2026-01-12"));
    shop.key.send(deleted).await.expect(200);
    shop.house.settle().await;
    let breached = shop.clock(&id, "acknowledge").await;
    assert_eq!(
        (&breached["state"], &breached["breached_at"]),
        (&json!("breached"), &json!(TUESDAY))
    );
    assert_eq!(shop.key.get(&path).await["first_answer_due_at"], TUESDAY);
    shop.act(&id, "acknowledge", json!({})).await;
    assert_eq!(shop.clock(&id, "acknowledge").await["state"], "met_late");
}

#[tokio::test]
async fn whoever_counts_once_more_changes_nothing() {
    let shop = Shop::opens().await;
    let calendar = shop.takes_a_calendar().await;
    shop.promises("all", 0, only(target("decision", 60, json!({})))).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.house.settle().await;
    shop.frees_monday(&calendar).await;
    let moved = shop.clock(&id, "decision").await;
    assert_eq!(moved["due_at"], TUESDAY);
    let jobs = "SELECT count(*) FROM job WHERE kind = 'sla_clock_due'";
    let (lines, timers) = (shop.timeline(&id).await, shop.asks(jobs).await);
    // The same is said once more, and somebody takes up what has not changed.
    shop.frees_monday(&calendar).await;
    shop.changes_site(json!({"name": "西湖旗舰店"})).await;
    let site = shop.site().await;
    for verb in ["close", "reopen"] {
        shop.key.post(&format!("{site}/{verb}"), json!({})).await.expect(200);
    }
    shop.house.settle().await;
    assert_eq!(shop.clock(&id, "decision").await, moved);
    assert_eq!((shop.timeline(&id).await, shop.asks(jobs).await), (lines, timers));
}

#[tokio::test]
async fn what_stands_still_has_no_deadline_and_less_or_more_left() {
    let shop = Shop::opens().await;
    let pausing = target("first_resolution", 600, json!({"pause_while_waiting": true}));
    shop.promises("all", 0, only(pausing)).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    shop.act(&id, "acknowledge", json!({})).await;
    shop.sets("2026-01-12T02:00:00Z");
    shop.waits(&id, "customer").await;
    shop.house.settle().await;
    // Half an hour on Friday, and an hour on Monday.
    assert_eq!(shop.clock(&id, "first_resolution").await["remaining_seconds"], 510 * 60);
    let hours = json!({"hours": {"opens": "09:00", "closes": "20:00", "weekdays":
        ["monday", "tuesday", "wednesday", "thursday", "friday"]}});
    shop.changes_site(hours).await;
    let clock = shop.clock(&id, "first_resolution").await;
    assert_eq!((&clock["state"], &clock["due_at"]), (&json!("paused"), &Value::Null));
    assert_eq!(clock["remaining_seconds"], 390 * 60, "two hours more on Friday evening");
}

#[tokio::test]
async fn hours_are_those_of_a_calendar_a_site_a_dealer_or_the_brand() {
    let shop = Shop::opens().await;
    shop.promises("all", 0, only(target("decision", 60, json!({})))).await;
    shop.sets(FRIDAY);
    let id = shop.complains().await.id();
    let own = shop.key.post("/v1/customers", json!({"name": "王芳"})).await.expect(201).id();
    let own = crate::voice::complains(&shop.key, &own).await.id();
    shop.house.settle().await;
    assert_eq!(shop.due_at(&id, "decision").await, MONDAY);
    // The brand works until six, also on Saturdays.
    assert_eq!(shop.due_at(&own, "decision").await, "2026-01-10T01:30:00Z");

    let site = shop.site().await;
    shop.changes(&site, json!({"tz": "Asia/Tokyo"})).await;
    assert_eq!(shop.due_at(&id, "decision").await, "2026-01-12T01:00:00Z");
    let calendar = shop.takes_a_calendar().await;
    assert_eq!(shop.due_at(&id, "decision").await, MONDAY);
    let week = json!([{"weekday": "wednesday", "opens": "09:00", "closes": "18:00"}]);
    shop.changes(&calendar, json!({"week": week})).await;
    assert_eq!(shop.due_at(&id, "decision").await, "2026-01-14T02:00:00Z");
    // Without an open site the dealer works at the usual hours, in its own zone or the brand's.
    shop.key.post(&format!("{site}/close"), json!({})).await.expect(200);
    shop.house.settle().await;
    assert_eq!(shop.due_at(&id, "decision").await, "2026-01-10T01:30:00Z");
    shop.changes("/v1/brand", json!({"tz": "Asia/Tokyo"})).await;
    for complaint in [&id, &own] {
        assert_eq!(shop.due_at(complaint, "decision").await, "2026-01-10T01:00:00Z");
    }
    shop.changes(&format!("/v1/dealers/{}", shop.dealer), json!({"tz": "Asia/Shanghai"})).await;
    assert_eq!(shop.due_at(&id, "decision").await, "2026-01-10T01:30:00Z");
    assert_eq!(shop.due_at(&own, "decision").await, "2026-01-10T01:00:00Z");
}

/// 250 complaints with a clock each, copied from one.
const MANY: &str = "
    INSERT INTO complaint SELECT (jsonb_populate_record(c, jsonb_build_object(
            'id', gen_random_uuid(), 'number', 'X-' || n))).*
        FROM complaint c, generate_series(1, 250) n;
    INSERT INTO sla_clock SELECT (jsonb_populate_record(k, jsonb_build_object(
            'id', gen_random_uuid(), 'complaint_id', c.id))).*
        FROM sla_clock k, complaint c WHERE c.number LIKE 'X-%';
    INSERT INTO sla_event SELECT (jsonb_populate_record(e, jsonb_build_object(
            'id', gen_random_uuid(), 'sla_clock_id', k.id))).*
        FROM sla_event e, sla_clock k WHERE k.id <> e.sla_clock_id";

#[tokio::test]
async fn many_are_counted_anew_piece_by_piece_and_others_not_at_all() {
    let shop = Shop::opens().await;
    let calendar = shop.takes_a_calendar().await;
    shop.promises("all", 0, only(target("decision", 60, json!({})))).await;
    shop.sets(FRIDAY);
    shop.complains().await;
    let all_hours = json!({"targets": [{"metric": "decision", "within_minutes": 60}]});
    shop.promises("wall", 1, all_hours).await;
    let wall = shop.complains().await.id();
    shop.house.settle().await;
    let owner = shop.house.owner().await;
    let one = MANY.replace(
        "FROM complaint c, generate",
        "FROM complaint c JOIN sla_clock k
        ON k.complaint_id = c.id AND (k.target ->> 'working_time')::boolean, generate",
    );
    let one = one.replace(
        "FROM sla_clock k, complaint c WHERE",
        "FROM sla_clock k, complaint c
        WHERE (k.target ->> 'working_time')::boolean AND",
    );
    let one = one.replace(
        "FROM sla_event e, sla_clock k WHERE",
        "FROM sla_event e JOIN sla_clock f
        ON f.id = e.sla_clock_id AND (f.target ->> 'working_time')::boolean, sla_clock k
        WHERE (k.target ->> 'working_time')::boolean AND",
    );
    owner.execute_unprepared(&one).await.unwrap();
    let due_on = |at: &str| format!("SELECT count(*) FROM sla_clock WHERE due_at = '{at}'");
    assert_eq!(shop.asks(&due_on(MONDAY)).await, 251);
    shop.frees_monday(&calendar).await;
    assert_eq!(shop.asks(&due_on(TUESDAY)).await, 251);
    let pieces = "SELECT count(*) FROM job WHERE kind = 'working_hours_changed'
        AND payload ->> 'after' IS NOT NULL";
    assert_eq!(shop.asks(pieces).await, 3, "a hundred at a time, and then the rest");
    let read = shop.clock(&wall, "decision").await;
    assert_eq!((&read["due_at"], &read["version"]), (&json!("2026-01-09T10:30:00Z"), &json!(1)));
}
