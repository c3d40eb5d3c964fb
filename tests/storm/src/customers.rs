//! Customers of a brand and those who serve them, as they act through the API.

use crate::{
    brand::{Brand, EARNED_MINOR},
    caller::{Intention, Reply},
    chance::Chance,
    told::Told,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two acts, at most.
const MOST_PAUSE_MILLIS: u64 = 120;
/// How long somebody waits for what a worker does, before they go on without it.
const WAIT: Duration = Duration::from_secs(3);
/// Between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_millis(150);
/// What a gesture costs, in minor units: of one order's earnings only one can be paid.
const GESTURE_MINOR: i64 = 600;
/// What a gesture cost in the end.
const BILL_MINOR: i64 = 400;

/// One customer's life.
#[derive(Debug)]
pub(crate) struct Life<'a> {
    brand: &'a Brand,
    chance: Chance,
    /// Where its decisions about what it wants come from: they must not depend on how often something was repeated.
    will: Chance,
    told: Told,
    customer: String,
    intentions: u32,
}

impl<'a> Life<'a> {
    /// Somebody comes; what they want follows from `seeds`. Answers what is known of them when they have gone.
    pub(crate) async fn lives(brand: &'a Brand, name: String, seeds: &[u64]) -> Told {
        let mut will = Chance::of(seeds);
        let chance = Chance::of(&[will.below(u64::MAX)]);
        let told = Told::of(name);
        let mut life = Self { brand, chance, will, told, customer: String::new(), intentions: 0 };
        life.acts().await;
        life.told
    }

    async fn acts(&mut self) {
        let details = json!({"name": self.told.name, "dealer_id": self.brand.dealer,
            "email": "li.na@example.com"});
        let Some(created) = self.does("/v1/customers", details).await else { return };
        self.customer = created.text("id");
        self.told.keeps(format!("/v1/customers/{}", self.customer), None);
        match self.will.below(8) {
            0..3 => self.buys().await,
            3..6 => self.complains().await,
            _ => self.is_visited().await,
        }
        if self.will.one_in(3) {
            self.buys_without_waiting().await;
        }
    }

    /// Buys once or twice, and something is given on it: two gestures at once, for which there may not be enough.
    async fn buys(&mut self) {
        let orders = self.will.between(1, 2);
        for _ in 0..orders {
            let Some(order) = self.does("/v1/orders", self.brand.order(&self.customer)).await
            else {
                return;
            };
            self.told.keeps(format!("/v1/orders/{}", order.text("id")), Some("paid"));
            self.told.adds(&json!({"orders": 1, "lots": 1, "balance": EARNED_MINOR}));
        }
        let account = format!("/v1/allowance-accounts?customer_id={}", self.customer);
        let earned = |page: &Value| page.pointer("/data/0/balance_minor").is_some();
        self.waits_for(&account, earned).await;
        let (one, two) = (self.gift(), self.gift());
        let [mut this, mut that] = [(); 2].map(|()| Chance::of(&[self.chance.below(u64::MAX)]));
        let caller = &self.brand.caller;
        let (one, two) =
            futures::join!(caller.intends(&mut this, one), caller.intends(&mut that, two));
        for gesture in [one, two] {
            self.is_given(&gesture).await;
        }
    }

    fn gift(&mut self) -> Intention {
        let body = json!({"customer_id": self.customer, "kind": "gift", "currency": "CNY",
            "problem_solved": "The filter came a week late.", "estimate_minor": GESTURE_MINOR,
            "requester_id": self.brand.clerk});
        self.intention("/v1/gestures".to_owned(), body)
    }

    /// A gesture that was approved is paid, called off, or left open.
    async fn is_given(&mut self, gesture: &Reply) {
        if gesture.text("code") == "insufficient_allowance" {
            return;
        }
        if gesture.status != 201 || gesture.text("state") != "approved" {
            let name = &self.told.name;
            let violation = format!("a gesture for {name} was answered with {gesture:?}");
            return self.brand.caller.report.violation(violation);
        }
        let path = format!("/v1/gestures/{}", gesture.text("id"));
        let (state, facts) = match self.will.below(3) {
            0 => {
                let bill = json!({"actual_minor": BILL_MINOR});
                if self.does(&format!("{path}/fulfil"), bill).await.is_none() {
                    return;
                }
                let spent = BILL_MINOR.saturating_neg();
                ("fulfilled", json!({"gestures": "fulfilled", "balance": spent}))
            }
            1 => {
                if self.does(&format!("{path}/cancel"), json!({})).await.is_none() {
                    return;
                }
                ("cancelled", json!({"gestures": "cancelled"}))
            }
            _ => ("approved", json!({"gestures": "approved", "held": GESTURE_MINOR})),
        };
        self.told.keeps(path, Some(state));
        self.told.adds(&facts);
    }

    /// Complains, and is heard as far as it goes.
    async fn complains(&mut self) {
        let details = json!({"customer_id": self.customer, "source": "phone", "kind": "quality",
            "severity": 3, "description": "滤芯漏水"});
        let Some(complaint) = self.does("/v1/complaints", details).await else { return };
        let path = format!("/v1/complaints/{}", complaint.text("id"));
        self.told.adds(&json!({"letters": 1}));
        let decision =
            json!({"responsibility": "none", "text": "一切正常。", "recourse": "请致电 12315。"});
        let course = [
            ("acknowledge", json!({}), "acknowledged", json!({})),
            ("decide", decision, "decided", json!({"letters": 1})),
            (
                "resolve",
                json!({}),
                "resolved",
                json!({"letters": 1, "resolutions": 1, "invitations": 1}),
            ),
        ];
        let mut state = "received";
        let far = self.will.between(0, 4);
        for (verb, body, next, facts) in course.into_iter().zip(0..far).map(|(step, _)| step) {
            if self.does(&format!("{path}/{verb}"), body).await.is_none() {
                return;
            }
            state = next;
            self.told.adds(&facts);
        }
        if state == "resolved" && self.will.one_in(2) {
            state = self.is_asked().await.unwrap_or(state);
        }
        self.told.keeps(path, Some(state));
        self.told.adds(&json!({"complaints": state}));
    }

    /// Answers the survey when its letter is there in time; says what becomes of the complaint.
    async fn is_asked(&mut self) -> Option<&'static str> {
        let page = self.letter().await?;
        let score = self.will.between(1, 5);
        let (reply, may_be_lost) = self.brand.caller.fills_in(&mut self.chance, &page, score).await;
        if reply.status != 200 && !(reply.status == 409 && may_be_lost) {
            let violation = format!("the survey of {} was answered with {reply:?}", self.told.name);
            self.brand.caller.report.violation(violation);
            return None;
        }
        self.told.adds(&json!({"responses": 1}));
        match score {
            1 | 2 => {
                // Nobody is told a decision that was left behind before its letter was written.
                self.told.may_add(&json!({"letters": -1}));
                Some("reopened")
            }
            3 => None,
            _ => Some("closed"),
        }
    }

    /// The page that the survey's letter leads to, once it is there.
    async fn letter(&self) -> Option<String> {
        let find = "SELECT m.body FROM message m JOIN customer c ON (c.tenant_id, c.id) = (m.tenant_id, m.customer_id)
            WHERE c.name = $1 AND m.purpose = 'survey'";
        let began = Instant::now();
        while began.elapsed() < WAIT {
            let query = sqlx::query_scalar(find).bind(&self.told.name);
            // The database may be away; then there is no letter yet.
            let body: Option<String> =
                query.fetch_optional(&self.brand.letters).await.unwrap_or_default();
            let page = body.as_ref().and_then(|body| body.get(body.find("/s/")?..));
            if let Some(page) = page.and_then(|page| page.split_whitespace().next()) {
                return Some(page.to_owned());
            }
            sleep(LOOK_AGAIN).await;
        }
        None
    }

    /// Asks for a visit, which a worker books; calls it off, now and then.
    async fn is_visited(&mut self) {
        let first = self.will.between(2, 20);
        let preferred = first.saturating_add(self.will.below(20));
        let details = json!({"kind": "repair", "customer_id": self.customer, "site_id": self.brand.site,
            "window_from_on": self.brand.day(first), "preferred_on": self.brand.day(preferred),
            "window_to_on": self.brand.day(59)});
        let Some(order) = self.does("/v1/work-orders", details).await else { return };
        let path = format!("/v1/work-orders/{}", order.text("id"));
        let is_booked =
            |order: &Value| order.get("state").is_some_and(|state| state == "scheduled");
        self.waits_for(&path, is_booked).await;
        if self.will.one_in(3) {
            if self.does(&format!("{path}/cancel"), json!({"note": "Away."})).await.is_some() {
                self.told.keeps(path, Some("cancelled"));
                self.told.adds(&json!({"visits": "cancelled 0"}));
            }
            return;
        }
        self.told.keeps(path, Some("scheduled"));
        self.told.adds(&json!({"visits": "scheduled 1"}));
    }

    /// Buys something, and does not wait to hear whether they did.
    async fn buys_without_waiting(&mut self) {
        let body = self.brand.order(&self.customer);
        let order = self.intention("/v1/orders".to_owned(), body);
        let facts = json!({"orders": 1, "lots": 1, "balance": EARNED_MINOR});
        match self.brand.caller.tries(&mut self.chance, order).await {
            Some(reply) if reply.is_done() => {
                self.told.keeps(format!("/v1/orders/{}", reply.text("id")), Some("paid"));
                self.told.adds(&facts);
            }
            Some(reply) => {
                let violation =
                    format!("an order of {} was answered with {reply:?}", self.told.name);
                self.brand.caller.report.violation(violation);
            }
            None => self.told.may_add(&facts),
        }
    }

    /// Has something done that nothing speaks against; nothing when it was refused all the same, which is a violation.
    async fn does(&mut self, path: &str, body: Value) -> Option<Reply> {
        sleep(self.chance.millis(0, MOST_PAUSE_MILLIS)).await;
        let intention = self.intention(path.to_owned(), body);
        let reply = self.brand.caller.intends(&mut self.chance, intention).await;
        if !reply.is_done() {
            let violation = format!("{path} of {} was answered with {reply:?}", self.told.name);
            self.brand.caller.report.violation(violation);
        }
        Some(reply).filter(Reply::is_done)
    }

    fn intention(&mut self, path: String, body: Value) -> Intention {
        self.intentions = self.intentions.saturating_add(1);
        Intention { key: format!("{}-{}", self.told.name, self.intentions), path, body }
    }

    /// Looks until something is so, for a while.
    async fn waits_for(&mut self, path: &str, is_so: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        while began.elapsed() < WAIT {
            let reply = self.brand.caller.reads(&mut self.chance, path).await;
            if is_so(&reply.json()) {
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
