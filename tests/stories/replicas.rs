//! The program as it runs in production: real processes, two of the API and two of the worker, on a PostgreSQL server
//! and, where there is one, Redis. Everything is said over HTTP, to one replica after the other.

use crate::{
    allowances::{a_quarter_of_the_margin, activates, gesture, gift, sets_limits},
    house::Client,
    imports::hand_in,
    installation::{Installation, Process},
    maintenance::filter,
    patience::until,
    trade::Trade,
    voice::{act, link_in, resolves, surveys_after},
};
use domain::time::{CivilDate, Timestamp, Zone};
use serde_json::{Value, json};

/// The installation at work.
struct Running {
    apis: Vec<Process>,
    workers: Vec<Process>,
}

impl Running {
    async fn of(installation: &Installation) -> Self {
        let starts = |role| installation.starts(role);
        let (one, two, three, four) =
            tokio::join!(starts("api"), starts("api"), starts("worker"), starts("worker"));
        Self { apis: vec![one, two], workers: vec![three, four] }
    }

    /// Somebody who calls one API after the other.
    fn browser(&self) -> Client {
        let urls: Vec<_> = self.apis.iter().map(|api| api.url.clone()).collect();
        Client::at(&urls)
    }

    /// Asks until there is an answer; when it never comes, shows what everybody logged.
    async fn until<T>(&self, what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
        let logs = || {
            let all = self.apis.iter().chain(&self.workers);
            all.map(Process::says).collect::<Vec<_>>().join("\n")
        };
        until(what, ask, logs).await
    }

    /// The first record of a list, once there is one.
    async fn first(&self, key: &Client, path: &str) -> Value {
        let look = async || key.get(path).await.expect(200).data().first().cloned();
        self.until(path, look).await
    }

    /// Waits until an operation has succeeded.
    async fn succeeds(&self, key: &Client, path: &str) -> Value {
        let look = async || {
            let operation = key.get(path).await.expect(200).body;
            assert_ne!(operation["status"], "failed", "{operation}");
            (operation["status"] == "succeeded").then_some(operation)
        };
        self.until(path, look).await
    }

    /// Moves the test clock, and waits until all that was due has happened.
    async fn passes_days(&self, key: &Client, days: u32) {
        let clock = key.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
        let path = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
        let sent = key.post(&path, json!({"days": days})).await.expect(202);
        self.succeeds(key, sent.header("location")).await;
    }

    /// Ends all in good order.
    async fn ends(self) {
        for process in self.apis.into_iter().chain(self.workers) {
            process.ends().await;
        }
    }
}

/// What day it is for the brand.
async fn today(key: &Client) -> CivilDate {
    let clocks = key.get("/v1/test/clocks").await.expect(200);
    let now: Timestamp = clocks.data()[0]["now_at"].as_str().unwrap().parse().unwrap();
    now.date_in("Asia/Shanghai".parse::<Zone>().unwrap())
}

/// Somebody of the brand's staff, in the sandbox.
async fn person(browser: &Client, key: &Client, staff: &str) -> Client {
    let token = key.post(&format!("/v1/staff/{staff}/tokens"), json!({})).await.expect(201);
    browser.bearer(token["access_token"].as_str().unwrap())
}

/// A visit in the third month, and one every two, all by the procedure.
async fn plans(trade: &Trade) {
    let sop = trade.procedure().await;
    let wall = json!({
        "code": "wall", "title": "Wall check", "trigger": {"kind": "month_offset", "months": 3},
        "sop_id": sop,
    });
    let mut filter = filter();
    filter["sop_id"] = wall["sop_id"].clone();
    trade.publishes(json!([filter, wall])).await;
}

/// The customer's asset was delivered and paid today; it is enrolled, and something is set aside.
async fn buys(running: &Running, trade: &Trade, key: &Client) {
    let today = today(key).await.to_string();
    let asset = trade.sells("SN-1", Some(&today)).await;
    let order = json!({
        "external_id": "S-1", "customer_id": trade.customer, "dealer_id": trade.dealer,
        "asset_ids": [asset], "currency": "CNY", "paid_on": today,
        "lines": [{"quantity": 1, "price_minor": 299_900, "cost_minor": 199_900}],
    });
    key.post("/v1/orders", order).await.expect(201);
    let enrolment = running.first(key, "/v1/enrolments?state=active").await;
    assert_eq!(enrolment["asset_id"], asset);
    let account = running.first(key, "/v1/allowance-accounts").await;
    assert_eq!(account["balance_minor"], 25_000);
}

/// A clerk gives alone up to their limit, and beyond it with the manager.
async fn gives(browser: &Client, trade: &Trade, key: &Client) {
    let clerk = person(browser, key, &trade.hires("clerk").await).await;
    let manager = person(browser, key, &trade.hires("manager").await).await;
    let small = clerk.post("/v1/gestures", gift(&trade.customer, 5_000)).await.expect(201);
    assert_eq!(small["state"], "approved");
    let large = clerk.post("/v1/gestures", gift(&trade.customer, 5_001)).await.expect(201);
    assert_eq!(large["state"], "pending_approval");
    clerk.post(&gesture(&large, "approve"), json!({})).await.refused(403, "forbidden");
    let approved = manager.post(&gesture(&large, "approve"), json!({})).await.expect(200);
    assert_eq!(approved["state"], "approved");
}

/// A visit that was booked is carried out, and the customer says on the page that they are not pleased; answers the
/// complaint that comes of it.
async fn is_visited(running: &Running, trade: &Trade, key: &Client) -> String {
    let visit = running.first(key, "/v1/appointments?state=confirmed").await;
    let browser = running.browser();
    let technician = person(&browser, key, &trade.technician).await;
    trade.carries_out(&technician, &visit).await;
    running.passes_days(key, 2).await;
    let outbox = key.get("/v1/test/outbox").await.expect(200);
    let letter = outbox.data().iter().find(|letter| letter["purpose"] == "survey").unwrap();
    let page = link_in(letter["body"].as_str().unwrap());
    let shown = browser.opens(&page, "en").await.expect(200);
    assert!(shown.text.contains("Are you satisfied?"), "{shown:?}");
    browser.sends(&page, &[("score", "1"), ("comment", "He came late.")]).await.expect(200);
    browser.sends(&page, &[("score", "1")]).await.expect(409);
    let complaint = running.first(key, "/v1/complaints").await;
    assert_eq!(
        (&complaint["source"], &complaint["description"]),
        (&json!("survey"), &json!("He came late."))
    );
    complaint["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_brand_is_served_by_whichever_process_is_there() {
    let installation = Installation::is_set_up().await;
    let running = Running::of(&installation).await;
    let (_, test_key) = installation.creates_tenant("clearwater").await;
    let browser = running.browser();
    let key = browser.bearer(&test_key);
    let trade = Trade::begins(key.clone()).await;
    sets_limits(&key).await;
    activates(&key, a_quarter_of_the_margin()).await;
    plans(&trade).await;
    surveys_after(&key, "visit_completed").await;
    buys(&running, &trade, &key).await;
    gives(&browser, &trade, &key).await;

    running.passes_days(&key, 90).await;
    let complaint = is_visited(&running, &trade, &key).await;
    act(&key, &complaint, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &complaint).await;
    let log = format!("/v1/complaints/{complaint}/resolutions");
    running.first(&key, &log).await;
    assert_eq!(key.get(&log).await.expect(200).data().len(), 1);
    assert_eq!(key.get("/v1/complaints").await.expect(200).data().len(), 1);
    assert_eq!(key.get("/v1/jobs?state=dead").await.expect(200).data().len(), 0);
    running.ends().await;
}

/// Sales of so many customers, ten each, on which 10.00 are earned.
fn sales(customers: u32, paid_on: &str) -> String {
    let columns =
        "order_external_id,customer_external_id,paid_on,quantity,price_minor,currency\n".to_owned();
    (0..customers * 10).fold(columns, |file, sale| {
        format!("{file}S-{sale},C-{},{paid_on},1,50000,CNY\n", sale % customers)
    })
}

/// How many jobs of the brand there are in this state; two hundred stand for more.
async fn jobs(key: &Client, state: &str) -> usize {
    key.get(&format!("/v1/jobs?state={state}&limit=200")).await.expect(200).data().len()
}

/// The sum of all accounts, in minor units.
async fn set_aside(key: &Client) -> i64 {
    let accounts = key.get("/v1/allowance-accounts?limit=200").await.expect(200);
    accounts.data().iter().map(|account| account["balance_minor"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn a_worker_that_dies_at_work_loses_nothing_and_does_nothing_twice() {
    let installation = Installation::is_set_up().await;
    let mut running = Running::of(&installation).await;
    let (live_key, test_key) = installation.creates_tenant("clearwater").await;
    let browser = running.browser();
    let key = browser.bearer(&live_key);
    let today = today(&browser.bearer(&test_key)).await.to_string();
    let trade = Trade::begins(key.clone()).await;
    activates(&key, a_quarter_of_the_margin()).await;
    let query = format!("kind=orders&source=shop&dealer_id={}", trade.dealer);
    let accepted = hand_in(&key, &query, "text/csv", sales(40, &today)).await.expect(202);

    // One worker ends in good order, so it is the other who holds what is running.
    running.workers.remove(0).ends().await;
    running.succeeds(&key, accepted.header("location")).await;
    let at_work = async || (jobs(&key, "running").await > 0).then_some(());
    running.until("the worker is at work", at_work).await;
    running.workers.remove(0).dies().await;
    let orphans = jobs(&key, "running").await;
    assert!(orphans > 0, "the worker was killed, but not at work");

    running.workers.push(installation.starts("worker").await);
    // Jobs go from waiting to running, and orphans back: what moves between two questions is found by a third.
    let idle = async || {
        let left = ready(&key).await + jobs(&key, "running").await + ready(&key).await;
        (left == 0).then_some(())
    };
    running.until("everything is done", idle).await;
    // 400 sales, each of 500.00 without a known cost: 2 % of the price.
    assert_eq!(set_aside(&key).await, 400 * 1_000);
    assert_eq!(jobs(&key, "dead").await, 0);
    running.ends().await;
}

/// How many jobs are due and wait for a worker.
async fn ready(key: &Client) -> usize {
    let waiting = key.get("/v1/jobs?state=ready&limit=200").await.expect(200);
    waiting.data().iter().filter(|job| job["kind"] == "order_paid").count()
}
