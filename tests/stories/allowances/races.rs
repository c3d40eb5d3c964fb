//! Whoever comes at the same time, whatever breaks: nothing is given twice, nothing beyond what there is, and the books
//! agree with what callers were told.

use super::{Shop, created, gesture, gift};
use crate::house::{Client, LOGIN, Reply, connections};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

/// Callers at once.
const CALLERS: u64 = 16;
/// Customers, so that several callers always meet at one account.
const CUSTOMERS: usize = 6;
/// What each customer has in the beginning.
const EARNED: i64 = 60_000;
/// After so many calls every connection to the database is broken off, wherever it stands.
const BROKEN_EVERY: u64 = 400;
/// How often a call is repeated under its key before somebody should look.
const MOST_TRIES: usize = 200;

/// How many calls are made: `AFTERCARE_TEST_CALLS`, or twenty thousand; fewer where one connection serves them all.
fn calls() -> u64 {
    let told = std::env::var("AFTERCARE_TEST_CALLS").ok().and_then(|text| text.parse().ok());
    told.unwrap_or(if connections() == 1 { 2_000 } else { 20_000 })
}

/// What callers were told so far.
#[derive(Default)]
struct Told {
    balance: [i64; CUSTOMERS],
    held: [i64; CUSTOMERS],
    open: Vec<Open>,
    paid: Vec<Open>,
    refused: u64,
}

/// A gesture that is not settled, or was paid.
#[derive(Clone)]
struct Open {
    id: String,
    whose: usize,
    amount: i64,
    waits: bool,
}

/// A crowd of callers about a few customers.
struct Crowd {
    shop: Shop,
    customers: Vec<String>,
    told: Mutex<Told>,
    turn: AtomicU64,
}

/// A number made of another, the same every time (`SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Crowd {
    async fn gathers() -> Self {
        let shop = Shop::opens().await;
        let mut customers = Vec::new();
        for _ in 0..CUSTOMERS {
            let person = json!({"name": "李娜", "dealer_id": shop.dealer});
            let customer = created(&shop.brand, "/v1/customers", person).await;
            let line = json!({"quantity": 1, "price_minor": EARNED * 4, "cost_minor": 0});
            let order = json!({"customer_id": customer, "dealer_id": shop.dealer,
                "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
            created(&shop.brand, "/v1/orders", order).await;
            customers.push(customer);
        }
        shop.house.settle().await;
        let told = Told { balance: [EARNED; CUSTOMERS], ..Told::default() };
        Self { shop, customers, told: Mutex::new(told), turn: AtomicU64::new(0) }
    }

    /// Calls until there is an answer that is one, always under the same key.
    async fn insists(&self, caller: &Client, path: &str, key: &str, body: &Value) -> Reply {
        for _ in 0..MOST_TRIES {
            let reply = caller.post_keyed(path, key, body.clone()).await;
            let again = reply["code"] == "request_still_running" || reply.status == 503;
            assert!(reply.status != 500, "{path}: {reply:?}");
            if !again {
                return reply;
            }
        }
        panic!("{path} was never answered");
    }

    /// Breaks every connection of the service off.
    async fn breaks(&self) {
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = '{LOGIN}'"
        );
        let broken = Statement::from_string(DbBackend::Postgres, sql);
        self.shop.house.owner().await.query_one_raw(broken).await.unwrap();
    }

    /// One caller's calls.
    async fn calls(&self, caller: u64, rounds: u64) {
        for round in 0..rounds {
            let chance = mixed(caller.wrapping_mul(1 << 32) + round);
            let key = format!("call-{caller}-{round}");
            let which = mixed(chance);
            match chance % 10 {
                0..=3 => self.asks(which, &key).await,
                4..=6 => self.pays(which, &key).await,
                7 => self.drops(which, &key).await,
                8 => self.decides(which, &key).await,
                _ => self.takes_back(which, &key).await,
            }
            if self.turn.fetch_add(1, Ordering::SeqCst) % BROKEN_EVERY == BROKEN_EVERY - 1 {
                self.breaks().await;
            }
        }
    }

    async fn asks(&self, chance: u64, key: &str) {
        let whose = usize::try_from(chance).unwrap() % CUSTOMERS;
        let amount = i64::try_from(mixed(chance) % 6_000).unwrap() + 1;
        let body = gift(&self.customers[whose], amount);
        let reply = self.insists(&self.shop.clerk, "/v1/gestures", key, &body).await;
        let mut told = self.told.lock().unwrap();
        if reply.status == 409 {
            assert_eq!(reply["code"], "insufficient_allowance", "{reply:?}");
            told.refused += 1;
            return;
        }
        let reply = reply.expect(201);
        let waits = reply["state"] == "pending_approval";
        told.held[whose] += amount;
        told.open.push(Open { id: reply.id(), whose, amount, waits });
    }

    /// Takes one out of those that are open and wait, or do not.
    fn picks(&self, chance: u64, waits: bool) -> Option<Open> {
        let mut told = self.told.lock().unwrap();
        let fitting: Vec<_> =
            (0..told.open.len()).filter(|n| told.open[*n].waits == waits).collect();
        let place = fitting.get(usize::try_from(chance).unwrap() % fitting.len().max(1))?;
        Some(told.open.swap_remove(*place))
    }

    async fn pays(&self, chance: u64, key: &str) {
        let Some(open) = self.picks(chance, false) else { return };
        let actual = i64::try_from(mixed(chance)).unwrap_or(i64::MAX) % (open.amount + 1);
        let path = format!("/v1/gestures/{}/fulfil", open.id);
        let body = json!({"actual_minor": actual});
        self.insists(&self.shop.clerk, &path, key, &body).await.expect(200);
        let mut told = self.told.lock().unwrap();
        told.held[open.whose] -= open.amount;
        told.balance[open.whose] -= actual;
        told.paid.push(Open { amount: actual, ..open });
    }

    /// Two call it off, and one pays it, all at once: one of the three has done it.
    async fn drops(&self, chance: u64, key: &str) {
        let Some(open) = self.picks(chance, false) else { return };
        let path = |verb: &str| format!("/v1/gestures/{}/{verb}", open.id);
        let (one, two, three) = (format!("{key}-1"), format!("{key}-2"), format!("{key}-3"));
        let bill = json!({"actual_minor": open.amount});
        let (cancel, fulfil, nothing) = (path("cancel"), path("fulfil"), json!({}));
        let (a, b, c) = futures::join!(
            self.insists(&self.shop.clerk, &cancel, &one, &nothing),
            self.insists(&self.shop.manager, &cancel, &two, &nothing),
            self.insists(&self.shop.clerk, &fulfil, &three, &bill),
        );
        let done = [&a, &b, &c].into_iter().filter(|reply| reply.status == 200).count();
        assert_eq!(done, 1, "{a:?} {b:?} {c:?}");
        let mut told = self.told.lock().unwrap();
        told.held[open.whose] -= open.amount;
        if c.status == 200 {
            told.balance[open.whose] -= open.amount;
            told.paid.push(open);
        }
    }

    async fn decides(&self, chance: u64, key: &str) {
        let Some(open) = self.picks(chance, true) else { return };
        let verb = if chance.is_multiple_of(2) { "approve" } else { "reject" };
        let path = format!("/v1/gestures/{}/{verb}", open.id);
        self.insists(&self.shop.manager, &path, key, &json!({})).await.expect(200);
        let mut told = self.told.lock().unwrap();
        if verb == "approve" {
            told.open.push(Open { waits: false, ..open });
        } else {
            told.held[open.whose] -= open.amount;
        }
    }

    async fn takes_back(&self, chance: u64, key: &str) {
        let picked = {
            let mut told = self.told.lock().unwrap();
            let count = told.paid.len().max(1);
            let place = usize::try_from(chance).unwrap() % count;
            (!told.paid.is_empty()).then(|| told.paid.swap_remove(place))
        };
        let Some(paid) = picked else { return };
        let path = format!("/v1/gestures/{}/reverse", paid.id);
        let because = json!({"reason": "It did not take place."});
        self.insists(&self.shop.manager, &path, key, &because).await.expect(200);
        self.told.lock().unwrap().balance[paid.whose] += paid.amount;
    }
}

/// Reads until the service has found new connections.
async fn reads(caller: &Client, path: &str) -> Reply {
    for _ in 0..MOST_TRIES {
        let reply = caller.get(path).await;
        if reply.status != 503 {
            return reply.expect(200);
        }
    }
    panic!("{path} was never answered");
}

#[tokio::test]
async fn twenty_thousand_calls_at_once_over_broken_connections_leave_the_books_as_callers_were_told()
 {
    let crowd = Crowd::gathers().await;
    join_all((0..CALLERS).map(|caller| crowd.calls(caller, calls().div_euclid(CALLERS)))).await;
    let told = crowd.told.into_inner().unwrap();
    assert!(told.refused > 0, "nobody ever asked for more than there was");
    for (whose, customer) in crowd.customers.iter().enumerate() {
        let path = format!("/v1/allowance-accounts?customer_id={customer}");
        let account = reads(&crowd.shop.brand, &path).await.data()[0].clone();
        assert_eq!(
            (account["balance_minor"].as_i64(), account["held_minor"].as_i64()),
            (Some(told.balance[whose]), Some(told.held[whose])),
            "customer {whose}"
        );
    }
    let counted = reads(&crowd.shop.brand, "/v1/reports/allowance-reconciliation").await;
    assert_eq!((&counted["counted"], &counted["unbalanced"]), (&json!(CUSTOMERS), &json!([])));
}

#[tokio::test]
async fn an_approval_that_a_hundred_call_for_passes_once() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let wish = shop.asks(5_001).await.expect(201);
    let approve = gesture(&wish, "approve");
    let deciders = [&shop.manager, &shop.brand];
    // Who has waited too long for the others is told to come again, and does.
    let insists = |n: usize| {
        let (decider, approve) = (deciders[n % 2], &approve);
        async move {
            loop {
                let reply = decider.post(approve, json!({})).await;
                if reply.status != 503 {
                    return reply;
                }
            }
        }
    };
    let replies = join_all((0..100).map(insists)).await;
    let (done, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 99));
    for reply in refused {
        reply.refused(409, "illegal_transition");
    }
    let approvals = shop.manager.get(&gesture(&wish, "approvals")).await.expect(200);
    assert_eq!(approvals.data().len(), 1);
}

#[tokio::test]
async fn a_limit_of_the_day_holds_however_many_customers_are_given_to_at_once() {
    let shop = Shop::opens().await;
    let of_day = json!({"staff_id": shop.clerk_id, "currency": "CNY", "per_request_minor": 500,
        "per_day_minor": 10_000});
    shop.brand.post("/v1/authority-limits", of_day).await.expect(201);
    let mut customers = Vec::new();
    for _ in 0..40 {
        let person = json!({"name": "李娜", "dealer_id": shop.dealer});
        let customer = created(&shop.brand, "/v1/customers", person).await;
        let line = json!({"quantity": 1, "price_minor": 4_000, "cost_minor": 0});
        let order = json!({"customer_id": customer, "dealer_id": shop.dealer,
            "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
        created(&shop.brand, "/v1/orders", order).await;
        customers.push(customer);
    }
    shop.house.settle().await;
    let asking =
        customers.iter().map(|customer| shop.clerk.post("/v1/gestures", gift(customer, 500)));
    let replies = join_all(asking).await;
    let approved = replies.into_iter().filter(|reply| reply["state"] == "approved").count();
    assert_eq!(approved, 20);
}
