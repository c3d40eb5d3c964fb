//! What the operator reads in the log, and what nobody may read there.

use crate::{
    house::House,
    voice::{link, sends, surveys_after, visits},
};
use aftercare::{log, settings::LogFormat};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};

/// What was logged on this thread, which is all of a story.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Reads along as the program writes, until the guard is dropped.
    pub(crate) fn read(&self, format: LogFormat, filter: &str) -> DefaultGuard {
        let writer = self.clone();
        let lines = log::lines(format, move || writer.clone(), false);
        let lines = lines.with_filter(log::filter(filter).unwrap());
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with this message.
    fn saying(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["fields"]["message"] == message).collect()
    }
}

/// How often a line is waited for.
const MOST_TRIES: usize = 50;

#[tokio::test]
async fn each_request_has_one_line_that_says_which_and_how_it_ended() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let lines = Lines::default();
    let reading = lines.read(LogFormat::Json, log::DEFAULT);
    let customer = "cus_01m80t7jx3e9vbq2f4c6d8g0hk";
    let request = key.request(Method::GET, &format!("/v1/customers/{customer}"));
    key.send(request.header("x-request-id", "erp-17")).await.refused(404, "not_found");
    key.get("/somewhere/else?expand=x").await.expect(404);
    drop(reading);
    let answered = lines.saying("a request was answered");
    assert_eq!(answered.len(), 2, "{answered:?}");
    let (line, span) = (&answered[0], &answered[0]["span"]);
    assert_eq!((&line["level"], &span["status"]), (&json!("INFO"), &json!(404)));
    assert_eq!((&span["method"], &span["route"]), (&json!("GET"), &json!("/v1/customers/{id}")));
    assert_eq!(span["request.id"], "erp-17");
    assert_eq!(span["tenant.id"], founded.twins.live.to_string());
    assert!(line["fields"]["duration_ms"].is_u64(), "{line}");
    assert_eq!(answered[1]["span"]["route"], "unmatched");
    for asked in ["expand", "somewhere", customer] {
        assert!(!lines.text().contains(asked), "{asked} in {}", lines.text());
    }
}

#[tokio::test]
async fn each_job_has_one_line_that_says_which_and_how_it_ended() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    let lines = Lines::default();
    let reading = lines.read(LogFormat::Json, log::DEFAULT);
    house.settle().await;
    drop(reading);
    let ended = lines.saying("a job ended");
    let days: Vec<_> =
        ended.iter().filter(|line| line["span"]["job.kind"] == "day_began").collect();
    assert_eq!(days.len(), 2, "one of the brand, one of its sandbox: {ended:?}");
    let tenants: Vec<_> = days.iter().map(|line| line["span"]["tenant.id"].clone()).collect();
    assert!(tenants.contains(&json!(brand.live.to_string())), "{tenants:?}");
    let (line, span) = (days[0], &days[0]["span"]);
    assert_eq!((&span["outcome"], &span["attempts"]), (&json!("done"), &json!(1)));
    assert!(span["job.id"].as_str().unwrap().starts_with("job_"), "{line}");
    assert!(line["fields"]["duration_ms"].is_u64(), "{line}");
}

#[tokio::test]
async fn a_line_for_people_says_the_same_without_colours() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let lines = Lines::default();
    let mut text = String::new();
    // While other stories begin to read lines of their own, `tracing` may take it that nobody reads these.
    for _ in 0..MOST_TRIES {
        let reading = lines.read(LogFormat::Text, log::DEFAULT);
        key.get("/v1/brand").await.expect(200);
        drop(reading);
        text = lines.text();
        if text.contains("INFO") {
            break;
        }
    }
    let tenant = format!("tenant.id={}", founded.twins.live);
    for part in ["INFO", "request.id=req_", "route=\"/v1/brand\"", "status=200", &tenant] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

/// Makes every row that comes into `table` fail, with all it holds in the database's words.
async fn spill(house: &House, table: &str) {
    let owner = house.owner().await;
    for sql in [
        "CREATE OR REPLACE FUNCTION spill() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'spilled %', to_jsonb(NEW)::text; END $$"
            .to_owned(),
        format!(
            "CREATE TRIGGER spill BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spill()"
        ),
    ] {
        owner.execute_unprepared(&sql).await.unwrap();
    }
}

async fn mop(house: &House, table: &str) {
    let owner = house.owner().await;
    owner.execute_unprepared(&format!("DROP TRIGGER spill ON {table}")).await.unwrap();
    owner.execute_unprepared("UPDATE job SET not_before = NULL").await.unwrap();
}

#[tokio::test]
async fn nothing_that_was_entrusted_to_us_stands_in_any_line() {
    const NAME: &str = "金丝雀 Canary";
    const PHONE: &str = "+8613912345678";
    const EMAIL: &str = "canary.wing@example.com";
    const COMMENT: &str = "the canary sang";
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let secret = founded.live_key.reveal();
    let key = house.bearer(secret);
    let lines = Lines::default();
    let all = "info,aftercare=trace,api=trace,store=trace,worker=trace";
    let reading = lines.read(LogFormat::Json, all);

    // Requests that are carried out, refused, and fail.
    let details = json!({"name": NAME, "email": EMAIL, "phone": PHONE});
    let customer = key.post("/v1/customers", details.clone()).await.expect(201).id();
    key.get(&format!("/v1/customers?email={EMAIL}")).await;
    key.post("/v1/customers", json!({"name": NAME, "email": NAME})).await.expect(422);
    key.post("/v1/customers", json!({"name": [NAME]})).await.expect(422);
    house.bearer(&format!("{secret}x")).get("/v1/brand").await.expect(401);
    house.bearer(&format!("{EMAIL}.x.y")).get("/v1/brand").await.expect(401);
    spill(&house, "customer").await;
    key.post("/v1/customers", details).await.refused(500, "internal_error");
    mop(&house, "customer").await;

    // Jobs that fail and are done, and a page.
    surveys_after(&key, "visit_completed").await;
    visits(&house, founded.twins.live, &customer).await;
    house.settle().await;
    spill(&house, "message").await;
    house.clock.set(house.now().plus_hours(24));
    let failed = house.settle_somehow().await;
    assert!(!failed.is_empty(), "the canary was not planted");
    let jobs = key.get("/v1/jobs").await.expect(200).text;
    mop(&house, "message").await;
    house.pass_hours(1).await;
    let page = link(&house).await;
    let token = page.rsplit('/').next().unwrap().to_owned();
    sends(&house, &page, &[("score", "1"), ("comment", COMMENT)]).await.expect(200);
    house.settle().await;
    drop(reading);

    assert_eq!(lines.saying("a request failed").len(), 1, "the failure is logged once");
    assert_eq!(lines.saying("a job failed").len(), failed.len());
    assert!(jobs.contains("SQLSTATE P0001"), "{jobs}");
    let written = lines.text() + &jobs;
    let answered = lines.saying("a request was answered");
    let pages = answered.iter().filter(|line| line["span"]["route"] == "/s/{token}");
    assert!(pages.clone().count() > 0, "the page has lines too");
    assert!(pages.clone().all(|line| line["span"]["tenant.id"].is_string()));
    for canary in [NAME, "金丝雀", PHONE, EMAIL, COMMENT, secret, &token] {
        let line = written.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "{canary} stands in {line:?}");
    }
}
