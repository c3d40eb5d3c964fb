//! Money set aside for service, and what is given of it.

mod books;
mod budgets;
mod earning;
mod giving;
mod named;
mod races;

use crate::{
    house::{Client, House, Reply},
    voice::complains,
};
use domain::{
    event::Event,
    identity::{Actor, Reach, Role},
    ids::TenantId,
};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use store::Scope;

/// A dealer with a clerk, a manager and one customer, who has nothing yet.
struct Shop {
    house: House,
    tenant: TenantId,
    brand: Client,
    clerk: Client,
    manager: Client,
    clerk_id: String,
    dealer: String,
    customer: String,
}

impl Shop {
    /// A margin earns 25 %; a clerk gives 50.00 alone, a manager 200.00, the brand without limit.
    async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let brand = house.brand_key(tenant);
        let dealer =
            created(&brand, "/v1/dealers", json!({"code": "west", "name": "西湖店"})).await;
        let clerk_id = hires(&brand, &dealer, "clerk").await;
        let manager_id = hires(&brand, &dealer, "manager").await;
        let of_dealer = Some(dealer.parse().unwrap());
        let clerk = house.person(tenant, Role::Clerk, clerk_id.parse().unwrap(), of_dealer);
        let manager = house.person(tenant, Role::Manager, manager_id.parse().unwrap(), of_dealer);
        let person = json!({"name": "李娜", "dealer_id": dealer});
        let customer = created(&brand, "/v1/customers", person).await;
        let shop = Self { house, tenant, brand, clerk, manager, clerk_id, dealer, customer };
        sets_limits(&shop.brand).await;
        activates(&shop.brand, a_quarter_of_the_margin()).await;
        shop.house.settle().await;
        shop
    }

    /// The customer buys something today on which so much is earned.
    async fn sells(&self, margin_minor: i64) -> String {
        let line = json!({"quantity": 1, "price_minor": margin_minor + 6_000, "cost_minor": 6_000});
        self.sells_line(line).await
    }

    async fn sells_line(&self, line: Value) -> String {
        let order = json!({"customer_id": self.customer, "dealer_id": self.dealer,
            "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
        let order = created(&self.brand, "/v1/orders", order).await;
        self.house.settle().await;
        order
    }

    /// What the clerk would like to give.
    fn gift(&self, estimate_minor: i64) -> Value {
        gift(&self.customer, estimate_minor)
    }

    async fn asks(&self, estimate_minor: i64) -> Reply {
        self.clerk.post("/v1/gestures", self.gift(estimate_minor)).await
    }

    async fn account(&self) -> Value {
        let path = format!("/v1/allowance-accounts?customer_id={}", self.customer);
        self.brand.get(&path).await.expect(200).data()[0].clone()
    }

    /// Balance and held part, after adding everything up.
    async fn books(&self) -> (i64, i64) {
        let account = self.account().await;
        let of = |what: &str| {
            format!("/v1/allowance-accounts/{}/{what}?limit=200", account["id"].as_str().unwrap())
        };
        let entries = self.brand.get(&of("entries")).await.expect(200);
        let lots = self.brand.get(&of("lots")).await.expect(200);
        let sum = |records: &Reply, field: &str| -> i64 {
            records.data().iter().map(|record| record[field].as_i64().unwrap()).sum()
        };
        let balance = account["balance_minor"].as_i64().unwrap();
        let held = account["held_minor"].as_i64().unwrap();
        assert_eq!(sum(&entries, "balance_change_minor"), balance);
        assert_eq!(sum(&entries, "held_change_minor"), held);
        assert_eq!(sum(&entries, "pending_change_minor"), account["pending_minor"]);
        assert_eq!(
            sum(&lots, "remaining_minor"),
            balance + account["pending_minor"].as_i64().unwrap()
        );
        assert_eq!(sum(&lots, "held_minor"), held);
        assert_eq!(account["available_minor"], balance - held);
        (balance, held)
    }

    /// What was done to the account, the first thing first.
    async fn timeline(&self) -> Vec<String> {
        let account = self.account().await["id"].as_str().unwrap().to_owned();
        let lines = format!("/v1/audit-entries?subject={account}");
        let lines = self.brand.get(&lines).await.expect(200);
        let told = lines.data().iter().rev().map(|line| line["action"].as_str().unwrap());
        told.map(str::to_owned).collect()
    }

    /// An event happens once more, as when a worker was lost after it had done its job.
    async fn happens_again(&self, event: Event) {
        let scope = Scope {
            tenant: self.tenant,
            actor: Actor::Worker,
            reach: Reach::default(),
            paced: false,
            request_id: None,
        };
        let tenant = self.house.store.enter(scope).await.unwrap();
        tenant.emit(&event).await.unwrap();
        tenant.commit(()).await.unwrap();
        self.house.settle().await;
    }

    async fn pass_hours_at_once(&self, hours: i64) {
        self.house.clock.set(self.house.now().plus_hours(hours));
        self.house.settle().await;
    }
}

/// A clerk gives 50.00 alone, a manager 200.00, the brand without limit.
pub(crate) async fn sets_limits(brand: &Client) {
    for limit in [
        json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5_000}),
        json!({"role": "manager", "currency": "CNY", "per_request_minor": 20_000}),
        json!({"role": "brand_admin", "currency": "CNY", "per_request_minor": 0, "unlimited": true}),
    ] {
        brand.post("/v1/authority-limits", limit).await.expect(201);
    }
}

/// A margin earns 25 %, for thirty days.
pub(crate) fn a_quarter_of_the_margin() -> Value {
    json!({"currency": "CNY", "base": "margin", "fallback_price_bp": 200, "expiry_days": 30,
        "tiers": [{"from_minor": 0, "rate_bp": 2500}]})
}

/// Puts a policy in force.
pub(crate) async fn activates(brand: &Client, policy: Value) {
    let id = created(brand, "/v1/allowance-policies", policy).await;
    let path = format!("/v1/allowance-policies/{id}/activate");
    brand.post(&path, json!({})).await.expect(200);
}

/// What a clerk would like to give.
pub(crate) fn gift(customer: &str, estimate_minor: i64) -> Value {
    json!({"customer_id": customer, "kind": "gift", "currency": "CNY",
        "problem_solved": "The filter came a week late.", "estimate_minor": estimate_minor})
}

async fn created(client: &Client, path: &str, body: Value) -> String {
    client.post(path, body).await.expect(201).id()
}

async fn hires(brand: &Client, dealer: &str, role: &str) -> String {
    let person = json!({"dealer_id": dealer, "name": format!("a {role}"), "role": role});
    created(brand, "/v1/staff", person).await
}

/// The limits that a gesture is beyond.
fn told(gesture: &Reply) -> Vec<&str> {
    let failures = gesture["failed_limits"].as_array().unwrap();
    failures.iter().map(|failure| failure["limit"].as_str().unwrap()).collect()
}

/// Where something is done to a gesture.
pub(crate) fn gesture(reply: &Reply, verb: &str) -> String {
    format!("/v1/gestures/{}/{verb}", reply.id())
}

#[tokio::test]
async fn a_paid_order_sets_money_aside_and_no_line_earns_twice() {
    let shop = Shop::opens().await;
    let order = shop.sells(4_000).await;
    assert_eq!(shop.books().await, (1_000, 0));
    shop.happens_again(Event::OrderPaid { order: order.parse().unwrap() }).await;
    assert_eq!(shop.books().await, (1_000, 0));
    shop.sells(4_000).await;
    assert_eq!(shop.books().await, (2_000, 0));
    let told = shop.timeline().await;
    assert_eq!(told, ["create", "accrue", "accrue"]);
}

#[tokio::test]
async fn whatever_moves_on_an_account_is_one_line_of_its_timeline() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let paid = shop.asks(2_000).await.expect(201);
    let bill = json!({"actual_minor": 1_500});
    shop.clerk.post(&gesture(&paid, "fulfil"), bill).await.expect(200);
    let dropped = shop.asks(2_000).await.expect(201);
    shop.clerk.post(&gesture(&dropped, "cancel"), json!({})).await.expect(200);
    shop.pass_hours_at_once(31 * 24).await;
    let told = shop.timeline().await;
    assert_eq!(told, ["create", "accrue", "hold", "capture", "hold", "release", "expire"]);
    let account = shop.account().await;
    assert_eq!(account["version"], told.len());
    let lines = format!("/v1/audit-entries?subject={}", account["id"].as_str().unwrap());
    let lines = shop.brand.get(&lines).await.expect(200);
    let capture = &lines.data()[3];
    assert_eq!(capture["actor"], shop.clerk_id);
    assert_eq!(
        capture["facts"],
        json!({"reason": "gesture_fulfilled", "document": {"kind": "gesture", "id": paid.id()},
            "balance_change_minor": -1_500, "held_change_minor": -2_000,
            "available": {"amount": 8_500, "currency": "CNY"}})
    );
}

#[tokio::test]
async fn a_line_of_unknown_cost_earns_the_fallback_and_the_account_says_so() {
    let shop = Shop::opens().await;
    shop.sells_line(json!({"quantity": 1, "price_minor": 10_000})).await;
    assert_eq!(shop.books().await, (200, 0));
    let entries =
        format!("/v1/allowance-accounts/{}/entries", shop.account().await["id"].as_str().unwrap());
    let entries = shop.manager.get(&entries).await.expect(200);
    assert_eq!(entries.data()[0]["reason"], "price_fallback");
    assert_eq!(entries.data()[0]["actor"], "worker");
}

#[tokio::test]
async fn a_clerk_gives_within_their_authority_and_pays_what_it_cost() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let gift = shop.asks(5_000).await.expect(201);
    assert_eq!((&gift["state"], &gift["required_rank"]), (&json!("approved"), &Value::Null));
    assert_eq!(gift["requester_id"], shop.clerk_id);
    assert_eq!(shop.books().await, (10_000, 5_000));
    let bill = json!({"actual_minor": 4_200});
    let paid = shop.clerk.post(&gesture(&gift, "fulfil"), bill).await.expect(200);
    assert_eq!((&paid["state"], &paid["actual_minor"]), (&json!("fulfilled"), &json!(4_200)));
    assert_eq!(shop.books().await, (5_800, 0));
    let again = shop.clerk.post(&gesture(&gift, "fulfil"), json!({"actual_minor": 1})).await;
    again.refused(409, "illegal_transition");
}

#[tokio::test]
async fn one_fen_beyond_it_waits_for_the_manager() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let gift = shop.asks(5_001).await.expect(201);
    assert_eq!(gift["state"], "pending_approval");
    assert_eq!((told(&gift), &gift["required_rank"]), (vec!["per_request"], &json!(30)));
    let approve = gesture(&gift, "approve");
    shop.clerk.post(&approve, json!({})).await.refused(403, "forbidden");
    let comment = json!({"comment": "Tell them we are sorry."});
    let approved = shop.manager.post(&approve, comment).await.expect(200);
    assert_eq!(approved["state"], "approved");
    shop.manager.post(&approve, json!({})).await.refused(409, "illegal_transition");
    let approvals = shop.manager.get(&gesture(&gift, "approvals")).await.expect(200);
    assert_eq!(approvals.data()[0]["comment"], "Tell them we are sorry.");
    assert_eq!(approvals.data()[0]["rank"], 30);
    assert_eq!(shop.books().await, (25_000, 5_001));
}

#[tokio::test]
async fn nobody_decides_about_their_own_gesture_or_beyond_their_limit() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let own = shop.manager.post("/v1/gestures", shop.gift(20_001)).await.expect(201);
    shop.manager.post(&gesture(&own, "approve"), json!({})).await.refused(403, "own_gesture");
    shop.manager.post(&gesture(&own, "reject"), json!({})).await.refused(403, "own_gesture");
    shop.brand.post(&gesture(&own, "approve"), json!({})).await.expect(200);
    shop.clerk.post(&gesture(&own, "cancel"), json!({})).await.refused(403, "anothers_gesture");
    shop.manager.post(&gesture(&own, "cancel"), json!({})).await.expect(200);
    let theirs = shop.asks(20_001).await.expect(201);
    let refused = shop.manager.post(&gesture(&theirs, "approve"), json!({})).await;
    let refused = refused.refused(403, "beyond_authority");
    assert_eq!(
        (&refused["required_rank"], &refused["beyond"]),
        (&json!(60), &json!(["per_request"]))
    );
    shop.manager.post(&gesture(&theirs, "reject"), json!({})).await.expect(200);
    assert_eq!(shop.books().await, (25_000, 0));
}

#[tokio::test]
async fn no_more_is_promised_than_there_is_and_nothing_is_converted() {
    let shop = Shop::opens().await;
    shop.asks(1).await.refused(409, "insufficient_allowance");
    shop.sells(4_000).await;
    let refused = shop.asks(1_001).await.refused(409, "insufficient_allowance");
    assert_eq!(refused["available"], json!({"amount": 1_000, "currency": "CNY"}));
    let mut dollars = shop.gift(10);
    dollars["currency"] = "USD".into();
    shop.clerk.post("/v1/gestures", dollars).await.refused(422, "mixed_currency");
    let mut debt = shop.gift(0);
    debt["estimate_minor"] = json!(-1);
    shop.clerk.post("/v1/gestures", debt).await.refused(422, "invalid_body");
    shop.asks(1_000).await.expect(201);
    shop.asks(0).await.expect(201);
    assert_eq!(shop.books().await, (1_000, 1_000));
}

#[tokio::test]
async fn a_month_has_a_limit_for_each_customer() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let limits = shop.brand.get("/v1/authority-limits?role=clerk").await.expect(200);
    let path = format!("/v1/authority-limits/{}", limits.data()[0]["id"].as_str().unwrap());
    let monthly = json!({"per_customer_month_minor": 8_000});
    let etag = shop.brand.get(&path).await.etag().to_owned();
    shop.brand.patch(&path, &etag, monthly).await.expect(200);
    assert_eq!(shop.asks(5_000).await.expect(201)["state"], "approved");
    assert_eq!(told(&shop.asks(3_001).await.expect(201)), ["per_customer_month"]);
    assert_eq!(shop.asks(3_000).await.expect(201)["state"], "approved");
    shop.pass_hours_at_once(27 * 24).await;
    shop.sells(100_000).await;
    assert_eq!(shop.asks(5_000).await.expect(201)["state"], "approved", "it is February");
}

#[tokio::test]
async fn a_program_asks_in_a_person_s_name() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let nameless = shop.brand.post("/v1/gestures", shop.gift(100)).await;
    nameless.refused(422, "requester_not_named");
    let mut named = shop.gift(5_001);
    named["requester_id"] = shop.clerk_id.clone().into();
    let gift = shop.brand.post("/v1/gestures", named.clone()).await.expect(201);
    assert_eq!(told(&gift), ["per_request"], "with the clerk's authority, not the brand's");
    shop.manager.post("/v1/gestures", named.clone()).await.refused(403, "asks_for_another");
    named["requester_id"] = "stf_01m80t7jx3e9vbq2f4c6d8g0hk".into();
    let unknown = shop.brand.post("/v1/gestures", named).await.refused(422, "unknown_reference");
    assert_eq!(unknown["errors"][0]["pointer"], "/requester_id");
}

#[tokio::test]
async fn one_program_does_not_ask_and_approve() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let mut named = shop.gift(5_001);
    named["requester_id"] = shop.clerk_id.clone().into();
    let gift = shop.brand.post("/v1/gestures", named).await.expect(201);
    let program = gift["asked_by"].as_str().unwrap().to_owned();
    assert!(program.starts_with("key_"), "{program}");
    let refused = shop.brand.post(&gesture(&gift, "approve"), json!({})).await;
    assert_eq!(refused.refused(403, "own_gesture")["asked_by"], program);
    shop.brand.post(&gesture(&gift, "reject"), json!({})).await.refused(403, "own_gesture");
    shop.manager.post(&gesture(&gift, "approve"), json!({})).await.expect(200);
    let approvals = shop.manager.get(&gesture(&gift, "approvals")).await.expect(200);
    assert_eq!(approvals.data()[0]["asked_by"], program);
    let same = "UPDATE approval SET approver = asked_by";
    let error = shop.house.owner().await.execute_unprepared(same).await.unwrap_err();
    assert!(error.to_string().contains("approval__four_eyes"), "{error}");
}

#[tokio::test]
async fn a_gesture_is_over_at_its_instant_even_when_the_worker_is_late() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let (waits, given) = (shop.asks(5_001).await.expect(201), shop.asks(100).await.expect(201));
    let no_worker_for = |hours| shop.house.clock.set(shop.house.now().plus_hours(hours));
    no_worker_for(72);
    for verb in ["approve", "reject"] {
        let late = shop.manager.post(&gesture(&waits, verb), json!({})).await;
        late.refused(409, "gesture_expired");
    }
    no_worker_for(11 * 24);
    let bill = json!({"actual_minor": 100});
    let late = shop.clerk.post(&gesture(&given, "fulfil"), bill).await;
    late.refused(409, "gesture_expired");
    shop.house.settle().await;
    assert_eq!(shop.books().await, (25_000, 0));
}

#[tokio::test]
async fn what_the_manager_does_not_decide_in_time_goes_up_to_the_brand() {
    let shop = Shop::opens().await;
    shop.sells(100_000).await;
    let brand = shop.brand.get("/v1/brand").await.expect(200);
    assert_eq!(brand["gesture_escalation_hours"], 24);
    let sooner = json!({"gesture_escalation_hours": 8});
    shop.brand.patch("/v1/brand", brand.etag(), sooner).await.expect(200);
    let gift = shop.asks(5_001).await.expect(201);
    assert_eq!(gift["escalates_at"], shop.house.now().plus_hours(8).to_string());
    shop.pass_hours_at_once(8).await;
    let path = format!("/v1/gestures/{}", gift.id());
    let escalated = shop.clerk.get(&path).await.expect(200);
    assert_eq!(
        (&escalated["state"], &escalated["required_rank"], &escalated["approval_step"]),
        (&json!("pending_approval"), &json!(60), &json!(2))
    );
    let late = shop.manager.post(&gesture(&gift, "approve"), json!({})).await;
    assert_eq!(late.refused(403, "gesture_escalated")["required_rank"], 60);
    shop.brand.post(&gesture(&gift, "approve"), json!({})).await.expect(200);
    let approvals = shop.manager.get(&gesture(&gift, "approvals")).await.expect(200);
    assert_eq!((&approvals.data()[0]["step"], approvals.data().len()), (&json!(2), 1));
    let lines = format!("/v1/audit-entries?subject={}", gift.id());
    let lines = shop.brand.get(&lines).await.expect(200);
    let told: Vec<_> =
        lines.data().iter().rev().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["ask", "escalate", "approve"]);
    assert_eq!(lines.data()[1]["actor"], "worker");
}

#[tokio::test]
async fn a_gesture_helps_with_a_complaint_of_the_same_customer() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let complaint = complains(&shop.brand, &shop.customer).await.id();
    let mut gift = shop.gift(100);
    gift["complaint_id"] = complaint.clone().into();
    let given = shop.clerk.post("/v1/gestures", gift.clone()).await.expect(201);
    let about = format!("/v1/gestures?complaint_id={complaint}");
    assert_eq!(shop.clerk.get(&about).await.expect(200).data()[0]["id"], given["id"]);
    let person = json!({"name": "王强", "dealer_id": shop.dealer});
    gift["customer_id"] = created(&shop.brand, "/v1/customers", person).await.into();
    let other = shop.clerk.post("/v1/gestures", gift.clone()).await;
    other.refused(422, "other_customers_complaint");
    gift["complaint_id"] = "cmp_01m80t7jx3e9vbq2f4c6d8g0hk".into();
    let unknown = shop.clerk.post("/v1/gestures", gift).await.refused(422, "unknown_reference");
    assert_eq!(unknown["errors"][0]["pointer"], "/complaint_id");
}

#[tokio::test]
async fn another_dealer_sees_and_gives_nothing() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let gift = shop.asks(5_001).await.expect(201);
    let account = shop.account().await["id"].as_str().unwrap().to_owned();
    let east = created(&shop.brand, "/v1/dealers", json!({"code": "east", "name": "东站店"})).await;
    let boss_id = hires(&shop.brand, &east, "manager").await;
    let of_dealer = Some(east.parse().unwrap());
    let boss = shop.house.person(shop.tenant, Role::Manager, boss_id.parse().unwrap(), of_dealer);
    for path in [
        format!("/v1/gestures/{}", gift.id()),
        gesture(&gift, "approvals"),
        format!("/v1/allowance-accounts/{account}"),
        format!("/v1/allowance-accounts/{account}/entries"),
        format!("/v1/allowance-accounts/{account}/lots"),
    ] {
        boss.get(&path).await.refused(404, "not_found");
    }
    boss.post(&gesture(&gift, "approve"), json!({})).await.refused(404, "not_found");
    boss.post("/v1/gestures", shop.gift(100)).await.refused(422, "unknown_reference");
    assert!(boss.get("/v1/gestures").await.expect(200).data().is_empty());
    let mut named = shop.gift(100);
    named["requester_id"] = boss_id.into();
    shop.brand.post("/v1/gestures", named).await.refused(422, "other_dealers_customer");
}

#[tokio::test]
async fn undecided_gestures_and_what_is_past_its_date_come_to_an_end() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let gift = shop.asks(5_001).await.expect(201);
    shop.pass_hours_at_once(71).await;
    assert_eq!(shop.books().await, (10_000, 5_001));
    shop.pass_hours_at_once(1).await;
    let path = format!("/v1/gestures/{}", gift.id());
    assert_eq!(shop.clerk.get(&path).await.expect(200)["state"], "expired");
    assert_eq!(shop.books().await, (10_000, 0));
    // Thirty days after the beginning of the day of payment, what is left is gone; what is promised stays.
    shop.pass_hours_at_once(24 * 24).await;
    let kept = shop.asks(2_000).await.expect(201);
    shop.pass_hours_at_once(4 * 24).await;
    assert_eq!(shop.books().await, (2_000, 2_000));
    shop.clerk.post(&gesture(&kept, "cancel"), json!({})).await.expect(200);
    assert_eq!(shop.books().await, (0, 0));
}

#[tokio::test]
async fn an_account_that_does_not_add_up_is_found_the_night_after() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    shop.asks(2_000).await.expect(201);
    shop.pass_hours_at_once(24).await;
    let id = shop.account().await["id"].as_str().unwrap().to_owned();
    let found = || async {
        let lines = format!("/v1/audit-entries?subject={id}");
        let lines = shop.brand.get(&lines).await.expect(200);
        let found = lines.data().iter().filter(|line| line["action"] == "find_unbalanced");
        found.map(|line| line["facts"].clone()).collect::<Vec<_>>()
    };
    assert!(found().await.is_empty());
    let owner = shop.house.owner().await;
    let (books, sums) = ([10_000, 2_000], [10_000, 2_000, 10_000]);
    let facts = |[balance, held]: [i64; 2], [entries, promised, lots]: [i64; 3]| {
        json!({"account_id": id, "balance_minor": balance, "held_minor": held, "pending_minor": 0,
            "entries_balance_minor": entries, "entries_held_minor": promised, "entries_pending_minor": 0,
            "lots_remaining_minor": lots, "lots_held_minor": 2_000, "lots_pending_minor": 0})
    };
    for (nights, wrong, right, told) in [
        (
            1,
            "allowance_account SET balance_minor = balance_minor + 1, available_minor = available_minor + 1",
            "allowance_account SET balance_minor = balance_minor - 1, available_minor = available_minor - 1",
            facts([10_001, 2_000], sums),
        ),
        (
            2,
            "allowance_lot SET remaining_minor = remaining_minor - 1",
            "allowance_lot SET remaining_minor = remaining_minor + 1",
            facts(books, [10_000, 2_000, 9_999]),
        ),
        (
            3,
            "allowance_entry SET held_change_minor = held_change_minor + 1 WHERE kind = 'hold'",
            "allowance_entry SET held_change_minor = held_change_minor - 1 WHERE kind = 'hold'",
            facts(books, [10_000, 2_001, 10_000]),
        ),
    ] {
        owner.execute_unprepared(&format!("UPDATE {wrong}")).await.unwrap();
        shop.pass_hours_at_once(24).await;
        owner.execute_unprepared(&format!("UPDATE {right}")).await.unwrap();
        let found = found().await;
        assert_eq!((found.len(), &found[0]), (nights, &told));
    }
    shop.pass_hours_at_once(24).await;
    assert_eq!(found().await.len(), 3);
}

#[tokio::test]
async fn twenty_gestures_at_once_on_an_account_of_a_hundred_promise_a_hundred() {
    let shop = Shop::opens().await;
    shop.sells(400).await;
    let asking = (0..20).map(|_| shop.asks(10));
    let replies = futures::future::join_all(asking).await;
    let (given, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status.as_u16() == 201);
    assert_eq!(given.len(), 10);
    for reply in refused {
        reply.refused(409, "insufficient_allowance");
    }
    assert_eq!(shop.books().await, (100, 100));
}

#[tokio::test]
async fn a_gesture_is_settled_once_whoever_tries() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    for _ in 0..3 {
        let gift = shop.asks(100).await.expect(201);
        let (fulfil, cancel) = (gesture(&gift, "fulfil"), gesture(&gift, "cancel"));
        let before = shop.books().await;
        let (paid, cancelled) = futures::join!(
            shop.clerk.post(&fulfil, json!({"actual_minor": 100})),
            shop.manager.post(&cancel, json!({})),
        );
        let balance = if paid.status.is_success() { before.0 - 100 } else { before.0 };
        let loser = if paid.status.is_success() { cancelled } else { paid };
        loser.refused(409, "illegal_transition");
        assert_eq!(shop.books().await, (balance, 0));
    }
}

#[tokio::test]
async fn a_request_that_is_sent_twice_promises_once() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let first = shop.clerk.post_keyed("/v1/gestures", "flowers", shop.gift(100)).await.expect(201);
    let second = shop.clerk.post_keyed("/v1/gestures", "flowers", shop.gift(100)).await.expect(201);
    assert_eq!((first.id(), second.header("idempotency-replayed")), (second.id(), "true"));
    let other = shop.clerk.post_keyed("/v1/gestures", "flowers", shop.gift(101)).await;
    other.refused(422, "idempotency_key_reused");
    let keyless = shop.clerk.request(reqwest::Method::POST, "/v1/gestures").json(&shop.gift(100));
    shop.clerk.send(keyless).await.refused(400, "idempotency_key_required");
    assert_eq!(shop.books().await, (10_000, 100));
}

#[tokio::test]
async fn one_policy_counts_for_a_currency_and_what_counted_never_changes() {
    let shop = Shop::opens().await;
    let policy = |rate_bp: i64| json!({"currency": "CNY", "base": "price", "tiers": [{"from_minor": 0, "rate_bp": rate_bp}]});
    let id = created(&shop.brand, "/v1/allowance-policies", policy(100)).await;
    let path = format!("/v1/allowance-policies/{id}");
    let draft = shop.brand.get(&path).await.expect(200);
    assert_eq!((&draft["number"], &draft["state"]), (&json!(2), &json!("draft")));
    let edit = json!({"tiers": [{"from_minor": 0, "rate_bp": 1_000}]});
    let edited = shop.brand.patch(&path, draft.etag(), edit.clone()).await.expect(200);
    shop.brand.patch(&path, draft.etag(), edit.clone()).await.refused(412, "stale_version");
    shop.brand.post(&format!("{path}/activate"), json!({})).await.expect(200);
    shop.brand.patch(&path, "*", edit).await.refused(409, "illegal_transition");
    assert_eq!(edited["tiers"][0]["rate_bp"], 1_000);
    let active = shop.brand.get("/v1/allowance-policies?state=active").await.expect(200);
    assert_eq!(active.data().len(), 1);
    shop.sells(4_000).await;
    assert_eq!(shop.books().await, (1_000, 0), "a tenth of the price");
    let unsorted = json!({"currency": "CNY", "base": "price", "tiers": [
        {"from_minor": 5, "rate_bp": 1}, {"from_minor": 5, "rate_bp": 2}]});
    let refused = shop.brand.post("/v1/allowance-policies", unsorted).await;
    let refused = refused.refused(422, "invalid_body");
    assert_eq!(refused["errors"][0]["code"], "tiers_out_of_order");
    assert_eq!(refused["errors"][0]["pointer"], "/tiers");
}
