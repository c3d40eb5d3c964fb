//! How complaints were put right, as an auditor is shown it: sealed by the worker, entry behind entry.

mod files;
mod tampering;

use crate::{
    house::{Client, House, Reply},
    voice::{act, complains, li_na, link, resolves, sends, surveys_after},
};
use domain::{
    complaints::{ChainCheck, Flaw, SealedEntry, read_line},
    event::Event,
    identity::{Actor, Reach},
    ids::{LogEntryId, ResolutionId, TenantId},
};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use store::Scope;
use uuid::Uuid;

/// A brand whose complaints are put right.
pub(super) struct Desk {
    pub(super) house: House,
    pub(super) key: Client,
    pub(super) tenant: TenantId,
    customer: String,
}

impl Desk {
    pub(super) async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let customer = li_na(&key).await;
        Self { house, key, tenant, customer }
    }

    /// Puts a complaint right; answers which.
    pub(super) async fn puts_right(&self) -> String {
        let id = complains(&self.key, &self.customer).await.id();
        act(&self.key, &id, "acknowledge", json!({})).await.expect(200);
        resolves(&self.key, &id).await;
        id
    }

    /// A log of five entries: three resolutions, and two words of customers.
    pub(super) async fn writes_five(&self) {
        for _ in 0..2 {
            let id = self.puts_right().await;
            self.house.settle().await;
            act(&self.key, &id, "close", yes()).await.expect(200);
            self.house.settle().await;
        }
        self.puts_right().await;
        self.house.settle().await;
    }

    pub(super) async fn exports(&self, query: &str) -> Reply {
        exports(&self.key, query).await
    }

    pub(super) async fn head(&self) -> Value {
        self.key.get("/v1/resolution-log/head").await.expect(200)["head"].clone()
    }

    /// Asks the owner of the database for a number.
    async fn counts(&self, sql: &str) -> i64 {
        let owner = self.house.owner().await;
        let sql = format!("SELECT count(*) AS number FROM {sql}");
        let row = owner.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        row.unwrap().unwrap().try_get("", "number").unwrap()
    }
}

pub(super) async fn exports(key: &Client, query: &str) -> Reply {
    key.get(&format!("/v1/resolution-log/export?format=jsonl{query}")).await.expect(200)
}

fn yes() -> Value {
    json!({"customer_satisfied": true})
}

/// The lines of an export.
fn lines(export: &Reply) -> Vec<SealedEntry> {
    export.text.lines().map(|line| read_line(line).unwrap()).collect()
}

/// Verifies the lines of a whole export.
fn verified(lines: &[SealedEntry]) -> Result<u32, Flaw> {
    let mut check = ChainCheck::of_all();
    lines.iter().try_for_each(|line| check.follow_line(line))?;
    Ok(check.read())
}

/// What each line tells, and about which resolution.
fn told(lines: &[SealedEntry]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let tell = |line: &SealedEntry| {
        let entry = &line.entry;
        let what = if entry["kind"] == "resolution" { "kind" } else { "verdict" };
        format!(
            "{} {} {}",
            word(&entry["complaint_number"]),
            entry["resolution_no"],
            word(&entry[what])
        )
    };
    lines.iter().map(tell).collect()
}

#[tokio::test]
async fn a_resolution_and_the_customer_s_word_are_entries_behind_each_other() {
    let desk = Desk::opens().await;
    assert_eq!(desk.head().await, Value::Null);
    assert_eq!(desk.exports("").await.text, "");
    let id = complains(&desk.key, &desk.customer).await.id();
    act(&desk.key, &id, "acknowledge", json!({})).await.expect(200);
    let decision = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "我们为您更换。",
        "recourse": "请致电 12315。", "remedies": [{"kind": "refund", "amount": {"amount": 12_000, "currency": "CNY"}}]});
    act(&desk.key, &id, "decide", decision).await.expect(200);
    desk.house.settle().await;
    desk.house.clock.set(desk.house.now().plus_hours(2));
    let remedies = format!("/v1/complaints/{id}/remedies");
    let remedy = desk.key.get(&remedies).await.expect(200).data()[0]["id"].clone();
    let complete = format!("{remedies}/{}/complete", remedy.as_str().unwrap());
    desk.key.post(&complete, json!({})).await.expect(200);
    act(&desk.key, &id, "resolve", json!({})).await.expect(200);
    desk.house.settle().await;

    let log = desk.key.get("/v1/resolution-log").await.expect(200);
    let line = &log.data()[0];
    assert_eq!(line["complaint_number"], "C-000001");
    assert_eq!(
        (&line["first_answer"], &line["received_at"]),
        (&json!("kept"), &json!("2026-01-05T01:00:00Z"))
    );
    assert_eq!(line["first_answer_due_at"], "2026-01-06T01:00:00Z");
    assert_eq!(line["told_at"], "2026-01-05T01:00:00Z");
    let refund = &line["remedies"][0];
    assert_eq!(refund["promised_at"], "2026-01-05T01:00:00Z");
    assert_eq!(refund["settled_at"], "2026-01-05T03:00:00Z");
    assert_eq!((&line["customer_words"], &line["seal"]["serial"]), (&json!([]), &json!(1)));
    assert_eq!(desk.head().await, line["seal"]);
    let below = desk.key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    assert_eq!(below.data(), log.data());

    act(&desk.key, &id, "close", yes()).await.expect(200);
    desk.house.settle().await;
    let line = desk.key.get("/v1/resolution-log").await.expect(200).data()[0].clone();
    assert_eq!(line["customer_words"][0]["verdict"], "satisfied");
    assert_eq!(line["seal"]["serial"], 1, "the line is as it was");
    let export = lines(&desk.exports("").await);
    assert_eq!(told(&export), ["C-000001 1 resolution", "C-000001 1 satisfied"]);
    assert_eq!(verified(&export), Ok(2));
    assert_eq!(desk.head().await["hash"], json!(export[1].hash));
    assert_eq!(export[0].entry["cost"], json!({"amount": 12_000, "currency": "CNY"}));
}

#[tokio::test]
async fn each_word_of_a_customer_is_written_down_once() {
    let desk = Desk::opens().await;
    surveys_after(&desk.key, "complaint_resolved").await;
    let id = desk.puts_right().await;
    // Nobody has followed the resolution up yet; the word comes behind it all the same.
    act(&desk.key, &id, "reopen", json!({"reason": "又漏水了。"})).await.expect(200);
    resolves(&desk.key, &id).await;
    desk.house.pass_hours(24).await;
    sends(&desk.house, &link(&desk.house).await, &[("score", "1"), ("comment", "不行")])
        .await
        .expect(200);
    desk.house.settle().await;
    resolves(&desk.key, &id).await;
    desk.house.pass_days(15).await;
    let export = lines(&desk.exports("").await);
    assert_eq!(verified(&export), Ok(6));
    assert_eq!(
        told(&export),
        [
            "C-000001 1 resolution",
            "C-000001 1 dissatisfied",
            "C-000001 2 resolution",
            "C-000001 2 dissatisfied",
            "C-000001 3 resolution",
            "C-000001 3 silent",
        ]
    );
    assert_eq!(export[1].entry["text"], "又漏水了。");
    assert_eq!(export[1].entry["response_id"], Value::Null);
    assert_eq!(
        (&export[3].entry["text"], &export[3].entry["noted_by"]),
        (&json!("不行"), &json!("worker"))
    );
    assert!(export[3].entry["response_id"].as_str().unwrap().starts_with("rsp_"));
    let shown = desk.key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    let verdicts: Vec<_> =
        shown.data().iter().map(|line| line["customer_words"][0]["verdict"].clone()).collect();
    assert_eq!(verdicts, ["dissatisfied", "dissatisfied", "silent"]);
}

#[tokio::test]
async fn an_entry_is_sealed_in_the_background_and_once() {
    let desk = Desk::opens().await;
    let id = desk.puts_right().await;
    act(&desk.key, &id, "reopen", json!({"reason": "又漏水了。"})).await.expect(200);
    let line = desk.key.get("/v1/resolution-log").await.expect(200).data()[0].clone();
    assert_eq!(
        (&line["seal"], &line["customer_words"][0]["verdict"]),
        (&Value::Null, &json!("dissatisfied"))
    );
    assert_eq!(desk.counts("resolution_pending").await, 2);
    desk.house.settle().await;
    assert_eq!(desk.counts("resolution_pending").await, 0);
    let before = desk.exports("").await.text;
    assert_eq!(before.lines().count(), 2);

    let line: ResolutionId = line["id"].as_str().unwrap().parse().unwrap();
    let entry: LogEntryId = Uuid::from(line).into();
    for _ in 0..2 {
        announces(&desk, entry).await;
        announces(&desk, Uuid::nil().into()).await;
        desk.house.settle().await;
    }
    assert_eq!(desk.exports("").await.text, before);
}

/// Lets the worker hear of an entry once more.
async fn announces(desk: &Desk, entry: LogEntryId) {
    let (actor, reach) = (Actor::Worker, Reach::default());
    let scope = Scope { tenant: desk.tenant, actor, reach, paced: false, request_id: None };
    let tenant = desk.house.store.enter(scope).await.unwrap();
    tenant.emit(&Event::ResolutionLogged { entry }).await.unwrap();
    tenant.commit(()).await.unwrap();
}

#[tokio::test]
async fn many_sealers_at_once_make_one_chain_for_each_brand() {
    let desk = Desk::opens().await;
    let other = desk.house.brand("deepwell").await.live;
    let other_key = desk.house.brand_key(other);
    let other_customer = li_na(&other_key).await;
    for _ in 0..6 {
        for (key, customer) in [(&desk.key, &desk.customer), (&other_key, &other_customer)] {
            let id = complains(key, customer).await.id();
            act(key, &id, "acknowledge", json!({})).await.expect(200);
            resolves(key, &id).await;
            act(key, &id, "reopen", json!({"reason": "又漏水了。"})).await.expect(200);
        }
    }
    assert_eq!(desk.counts("resolution_pending").await, 24);
    desk.house.settle_at_once().await;
    for key in [&desk.key, &other_key] {
        let export = lines(&exports(key, "").await);
        assert_eq!(verified(&export), Ok(12));
        let numbers: Vec<_> = export.iter().map(|line| line.serial).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    }
    assert_eq!(desk.counts("resolution_pending").await, 0);
    for tenant in [desk.tenant, other] {
        let verified = desk.house.store.verify_log(tenant, None).await.unwrap();
        assert_eq!((verified.read, verified.waiting, verified.flaw), (12, 0, None));
    }
}

#[tokio::test]
async fn what_no_job_has_sealed_is_sealed_at_night() {
    let desk = Desk::opens().await;
    desk.house.settle().await;
    let id = desk.puts_right().await;
    act(&desk.key, &id, "reopen", json!({"reason": "又漏水了。"})).await.expect(200);
    let owner = desk.house.owner().await;
    owner.execute_unprepared("DELETE FROM job WHERE kind = 'resolution_logged'").await.unwrap();
    desk.house.settle().await;
    assert_eq!(desk.head().await, Value::Null);
    desk.house.pass_days(1).await;
    assert_eq!(desk.head().await["serial"], 2);
}

#[tokio::test]
async fn a_backlog_is_sealed_piece_by_piece() {
    let desk = Desk::opens().await;
    desk.puts_right().await;
    desk.house.settle().await;
    // As many as a brand may have had before there were seals.
    let sql = "INSERT INTO resolution SELECT (jsonb_populate_record(r, jsonb_build_object(
            'id', gen_random_uuid(), 'resolution_no', n))).*
        FROM resolution r CROSS JOIN generate_series(2, 451) n;
        INSERT INTO resolution_pending SELECT r.tenant_id, r.id, r.created_at FROM resolution r
        WHERE NOT EXISTS (SELECT FROM resolution_seal s WHERE s.id = r.id)";
    desk.house.owner().await.execute_unprepared(sql).await.unwrap();
    let sealed = || desk.counts("resolution_seal");
    desk.house.pass_days(1).await;
    assert_eq!(sealed().await, 451);
    assert_eq!(verified(&lines(&desk.exports("").await)), Ok(451));
}

#[tokio::test]
async fn a_dealer_s_people_see_their_dealer_s_entries_and_no_more() {
    let desk = Desk::opens().await;
    let mut dealers = Vec::new();
    for code in ["east", "west"] {
        let dealer = json!({"code": code, "name": code});
        let dealer = desk.key.post("/v1/dealers", dealer).await.expect(201).id();
        let customer = json!({"name": "李娜", "dealer_id": dealer});
        let customer = desk.key.post("/v1/customers", customer).await.expect(201).id();
        dealers.push((desk.house.dealer_key(desk.tenant, &dealer), dealer, customer));
    }
    for _ in 0..2 {
        for (key, _, customer) in &dealers {
            let id = complains(key, customer).await.id();
            act(key, &id, "acknowledge", json!({})).await.expect(200);
            resolves(key, &id).await;
            desk.house.settle().await;
            act(key, &id, "close", yes()).await.expect(200);
            desk.house.settle().await;
        }
    }
    assert_eq!(verified(&lines(&desk.exports("").await)), Ok(8));
    for (place, (key, dealer, _)) in dealers.iter().enumerate() {
        let export = lines(&exports(key, "").await);
        let numbers: Vec<_> = export.iter().map(|line| line.serial).collect();
        let own: &[u32] = if place == 0 { &[1, 2, 5, 6] } else { &[3, 4, 7, 8] };
        assert_eq!(numbers, own);
        assert!(export.iter().all(|line| line.entry["dealer_id"] == json!(dealer)));
        let mut check = ChainCheck::with_gaps();
        assert!(export.iter().all(|line| check.follow_line(line).is_ok()));
        let head = key.get("/v1/resolution-log/head").await.expect(200)["head"].clone();
        assert_eq!(head["serial"], json!(own[3]));
        let log = key.get("/v1/resolution-log").await.expect(200);
        assert!(log.data().iter().all(|line| line["dealer_id"] == json!(dealer)));
        assert_eq!(
            (log.data().len(), log.data()[0]["customer_words"].as_array().unwrap().len()),
            (2, 1)
        );
        let narrowed = desk.key.get(&format!("/v1/resolution-log?dealer_id={dealer}")).await;
        assert_eq!(narrowed.expect(200).data(), log.data());
    }
    let role = domain::identity::Role::Clerk;
    let clerk =
        desk.house.person(desk.tenant, role, Uuid::from_u128(1).into(), dealers[0].1.parse().ok());
    for path in ["", "/head", "/export?format=csv"] {
        let reply = clerk.get(&format!("/v1/resolution-log{path}")).await;
        assert_eq!(reply.refused(403, "forbidden")["required_scope"], "audit:read");
    }
}
