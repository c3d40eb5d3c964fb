//! The log as a file: exported in three ways, and verified without the service.

use super::{Desk, exports};
use crate::{
    house::House,
    program::says,
    voice::{act, complains},
};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _},
    path::PathBuf,
};
use uuid::Uuid;

/// A file that is gone when the story is over.
struct Paper(PathBuf);

impl Paper {
    fn with(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aftercare-log-{}.jsonl", Uuid::new_v4()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    /// Verifies it with the program, which is told of no database.
    async fn verifies(&self, more: &[&str]) -> Result<String, String> {
        let file = self.0.to_str().unwrap();
        let words = [&["audit", "verify", "--file", file], more].concat();
        let said = says(&words, &[("AFTERCARE_ENV", "production")]).await;
        let text = said.out.replace(file, "FILE").trim().to_owned();
        if said.well { Ok(text) } else { Err(format!("{text}\n{}", said.err.trim())) }
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn an_export_is_verified_without_the_service() {
    let desk = Desk::opens().await;
    desk.writes_five().await;
    let reply = desk.exports("").await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(
        reply.header("content-disposition"),
        "attachment; filename=\"resolution-log.jsonl\""
    );
    let head = desk.head().await["hash"].as_str().unwrap().to_owned();
    let lines: Vec<_> = reply.text.lines().collect();
    let whole = Paper::with(&reply.text);
    let sound = format!("FILE: 5 entries are as they were sealed, up to 5:{head}");
    assert_eq!(whole.verifies(&["--head", &head]).await, Ok(sound));

    let changed = reply.text.replacen("\"verdict\":\"satisfied\"", "\"verdict\":\"silent\"", 1);
    let wrong = Paper::with(&changed).verifies(&[]).await.unwrap_err();
    let says = "WRONG: line 2: entry 2 (complaint C-000001) is not what was sealed: it was changed\n\
                aftercare: the file is not as it was exported";
    assert!(wrong.ends_with(says), "{wrong}");
    let spaced = reply.text.replacen("\"form\":2", "\"form\": 2", 1);
    let wrong = Paper::with(&spaced).verifies(&[]).await.unwrap_err();
    assert!(wrong.contains("line 1 is not written as it was exported"), "{wrong}");
    let without = [lines[0], lines[2], lines[3], lines[4]].join("\n");
    let wrong = Paper::with(&without).verifies(&[]).await.unwrap_err();
    assert!(
        wrong.contains("line 2: entry 3 (complaint C-000002) stands where entry 2 should"),
        "{wrong}"
    );
    assert!(Paper::with(&without).verifies(&["--with-gaps"]).await.is_ok());
    let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4]].join("\n");
    assert!(Paper::with(&swapped).verifies(&["--with-gaps"]).await.is_err());
    let cut = Paper::with(&lines[..4].join("\n"));
    assert!(cut.verifies(&[]).await.is_ok(), "nobody said how long it was");
    let wrong = cut.verifies(&["--head", &head]).await.unwrap_err();
    assert!(wrong.contains("the log ends with entry 4 (complaint C-000002)"), "{wrong}");
}

#[tokio::test]
async fn the_vectors_in_the_documents_are_verified_by_the_program() {
    let sample = Paper::with(&crate::shell::read("docs/resolution-log-sample.jsonl"));
    // What was noted while there was one form is still on the way.
    let noted = "3:78761a196f1dce3cb1f562d496c1b2cc5e0a2f554ee229aaeacf0fbe458f0a49";
    let head = "c499081f0b9da11a7dc390943e5a2ebe660d6aaafb12a35bea8177eb4beae430";
    for expected in [noted, &format!("5:{head}")] {
        assert_eq!(
            sample.verifies(&["--head", expected]).await,
            Ok(format!("FILE: 5 entries are as they were sealed, up to 5:{head}"))
        );
    }
}

#[tokio::test]
async fn the_files_of_one_month_and_the_next_follow_on_each_other() {
    let desk = Desk::opens().await;
    let mut until = Vec::new();
    for _ in 0..3 {
        desk.puts_right().await;
        desk.house.settle().await;
        desk.house.clock.set(desk.house.now().plus_hours(1));
        until.push(desk.house.now());
    }
    let first = desk.exports(&format!("&to={}", until[1])).await.text;
    let second = desk.exports(&format!("&from={}", until[1])).await.text;
    assert_eq!((first.lines().count(), second.lines().count()), (2, 1));
    assert_eq!(format!("{first}{second}"), desk.exports("").await.text);
    let said = Paper::with(&second).verifies(&[]).await.unwrap();
    assert!(
        said.ends_with("it begins with entry 3, and what that follows on is believed"),
        "{said}"
    );
    let nothing = desk.exports(&format!("&from={}", until[2])).await.text;
    assert_eq!(nothing, "");
}

/// A complaint whose words a spreadsheet would take for formulas.
async fn writes_formulas(desk: &Desk) {
    let id = complains(&desk.key, &desk.customer).await.id();
    act(&desk.key, &id, "acknowledge", json!({})).await.expect(200);
    let decision = json!({
        "responsibility": "partly", "apology": "@SUM(1+1)", "text": "=HYPERLINK(\"https://x.example\",\"好\")",
        "recourse": "请致电 12315，\"谢谢\"。",
        "remedies": [{"kind": "goodwill", "amount": {"amount": 5_000, "currency": "CNY"}, "note": "+1"}],
    });
    act(&desk.key, &id, "decide", decision).await.expect(200);
    let remedies = format!("/v1/complaints/{id}/remedies");
    let remedy = desk.key.get(&remedies).await.expect(200).data()[0]["id"].clone();
    let complete = format!("{remedies}/{}/complete", remedy.as_str().unwrap());
    desk.key.post(&complete, json!({})).await.expect(200);
    act(&desk.key, &id, "resolve", json!({})).await.expect(200);
    desk.house.settle().await;
    act(&desk.key, &id, "reopen", json!({"reason": "-1 分"})).await.expect(200);
    desk.house.settle().await;
}

#[tokio::test]
async fn a_spreadsheet_reads_the_csv_and_runs_nothing() {
    let desk = Desk::opens().await;
    writes_formulas(&desk).await;
    let reply = desk.key.get("/v1/resolution-log/export?format=csv").await.expect(200);
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let bytes = bytes(&desk.house, &desk, "csv").await;
    assert!(bytes.starts_with(&[0xef, 0xbb, 0xbf]), "Excel reads it as UTF-8");
    let mut file = csv::Reader::from_reader(&bytes[3..]);
    let rows: Vec<BTreeMap<String, String>> = file.deserialize().collect::<Result<_, _>>().unwrap();
    let row = |at: usize, column: &str| rows[at][column].clone();
    assert_eq!(rows.len(), 2);
    assert_eq!(row(0, "decision"), "'=HYPERLINK(\"https://x.example\",\"好\")");
    assert_eq!(row(0, "apology"), "'@SUM(1+1)");
    assert_eq!(row(0, "recourse"), "请致电 12315，\"谢谢\"。");
    assert_eq!(
        (row(0, "serial"), row(0, "complaint_number")),
        ("1".to_owned(), "C-000001".to_owned())
    );
    assert_eq!((row(0, "cost_minor"), row(0, "currency")), ("5000".to_owned(), "CNY".to_owned()));
    assert_eq!(
        row(0, "remedies"),
        "goodwill, done, 5000 minor units of CNY, promised 2026-01-05T01:00:00Z, settled 2026-01-05T01:00:00Z, +1"
    );
    assert_eq!(
        (row(1, "kind"), row(1, "verdict")),
        ("customer_word".to_owned(), "dissatisfied".to_owned())
    );
    assert_eq!(row(1, "text"), "'-1 分");
    assert_eq!(row(1, "previous_hash"), row(0, "hash"));
}

async fn bytes(house: &House, desk: &Desk, format: &str) -> Vec<u8> {
    let path = format!("/v1/resolution-log/export?format={format}");
    let reply = desk.key.request(Method::GET, &path).send().await.unwrap();
    assert!(reply.url().as_str().starts_with(&house.url));
    reply.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn the_spreadsheet_has_texts_and_no_formulas() {
    let desk = Desk::opens().await;
    writes_formulas(&desk).await;
    let bytes = bytes(&desk.house, &desk, "xlsx").await;
    let mut book = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        book.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let (sheet, texts) = (part("xl/worksheets/sheet1.xml"), part("xl/sharedStrings.xml"));
    assert_eq!(sheet.matches("<row ").count(), 3);
    assert!(!sheet.contains("<f>"), "{sheet}");
    assert!(sheet.contains("<c r=\"A2\"><v>1</v></c>"), "serial is a number: {sheet}");
    assert!(sheet.contains("<v>5000</v>"), "so is the cost: {sheet}");
    for text in
        ["=HYPERLINK(\"https://x.example\",\"好\")", "@SUM(1+1)", "-1 分", "complaint_number"]
    {
        assert!(texts.contains(text), "{text} in {texts}");
    }
}

#[tokio::test]
async fn a_file_has_a_limited_number_of_entries() {
    let desk = Desk::opens().await;
    desk.writes_five().await;
    let most: i64 = domain::complaints::MOST_EXPORTED.try_into().unwrap();
    let add = |from: i64, to: i64| {
        format!(
            "SET session_replication_role = replica;
             INSERT INTO resolution_seal SELECT tenant_id, id, id, NULL, NULL, n, 1,
                 lpad(to_hex(n), 64, '0'), repeat('0', 64), sealed_at + interval '1 day'
             FROM (SELECT tenant_id, sealed_at, gen_random_uuid() AS id, n
                   FROM resolution_seal, generate_series({from}, {to}) n WHERE serial = 1) made"
        )
    };
    let owner = desk.house.owner().await;
    owner.execute_unprepared(&add(6, most)).await.unwrap();
    assert_eq!(exports(&desk.key, "").await.text.lines().count(), 5_000);
    owner.execute_unprepared(&add(most + 1, most + 1)).await.unwrap();
    for format in ["jsonl", "csv", "xlsx"] {
        let path = format!("/v1/resolution-log/export?format={format}");
        let refused = desk.key.get(&path).await.refused(422, "export_too_large");
        assert_eq!(refused["most"], 5_000);
    }
    assert_eq!(exports(&desk.key, "&to=2026-01-05T12:00:00Z").await.text.lines().count(), 5);
    let wrong = desk.key.get("/v1/resolution-log/export?format=pdf").await;
    assert_eq!(wrong.status.as_u16(), 400, "{wrong:?}");
}

/// A complaint with a policy behind it: answered in time, decided too late.
async fn misses_a_deadline(desk: &Desk) -> String {
    let policy = json!({"code": "all", "name": "All", "rank": 0});
    let policy = desk.key.post("/v1/sla-policies", policy).await.expect(201).id();
    let target = |metric, minutes| json!({"metric": metric, "within_minutes": minutes});
    let targets = json!({"targets": [target("acknowledge", 60), target("decision", 60), target("total_resolution", 600)]});
    let versions = format!("/v1/sla-policies/{policy}/versions");
    let version = desk.key.post(&versions, targets).await.expect(201).id();
    let publish = format!("/v1/sla-versions/{version}/publish");
    desk.key.post(&publish, json!({})).await.expect(200);
    let id = complains(&desk.key, &desk.customer).await.id();
    act(&desk.key, &id, "acknowledge", json!({})).await.expect(200);
    desk.house.pass_hours(2).await;
    crate::voice::resolves(&desk.key, &id).await;
    desk.house.settle().await;
    id
}

#[tokio::test]
async fn a_line_tells_which_deadlines_were_kept_and_which_were_missed() {
    let desk = Desk::opens().await;
    let id = misses_a_deadline(&desk).await;
    let expected = json!([
        {"metric": "acknowledge", "due_at": "2026-01-05T02:00:00Z", "met_at": "2026-01-05T01:00:00Z", "outcome": "kept"},
        {"metric": "decision", "due_at": "2026-01-05T02:00:00Z", "met_at": "2026-01-05T03:00:00Z", "outcome": "missed"},
        {"metric": "total_resolution", "due_at": "2026-01-05T11:00:00Z", "met_at": "2026-01-05T03:00:00Z", "outcome": "kept"},
    ]);
    let lines = desk.key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    assert_eq!(lines.data()[0]["clocks"], expected);
    let export = desk.exports("").await.text;
    let line = domain::complaints::read_line(export.lines().next().unwrap()).unwrap();
    assert_eq!((line.form, &line.entry["clocks"]), (2, &expected));
    // The line stays as it was, whatever becomes of the complaint.
    act(&desk.key, &id, "reopen", json!({"reason": "又漏水了。"})).await.expect(200);
    desk.house.pass_hours(20).await;
    let lines = desk.key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    assert_eq!(lines.data()[0]["clocks"], expected);

    let text = bytes(&desk.house, &desk, "csv").await;
    let mut file = csv::Reader::from_reader(&text[3..]);
    let rows: Vec<BTreeMap<String, String>> = file.deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        rows[0]["clocks"],
        "acknowledge kept, due 2026-01-05T02:00:00Z, done 2026-01-05T01:00:00Z; \
         decision missed, due 2026-01-05T02:00:00Z, done 2026-01-05T03:00:00Z; \
         total_resolution kept, due 2026-01-05T11:00:00Z, done 2026-01-05T03:00:00Z"
    );
    assert_eq!(rows[1]["clocks"], "", "a word has none");
    let sheet = bytes(&desk.house, &desk, "xlsx").await;
    let mut book = zip::ZipArchive::new(Cursor::new(sheet)).unwrap();
    let mut texts = String::new();
    book.by_name("xl/sharedStrings.xml").unwrap().read_to_string(&mut texts).unwrap();
    assert!(texts.contains("decision missed, due 2026-01-05T02:00:00Z"), "{texts}");
}
