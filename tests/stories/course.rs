//! The course of a complaint among people: assessed, investigated, refused, negotiated, handed on.

use crate::{
    house::{Client, House, Reply},
    voice::{act, complains},
};
use domain::{identity::Role, ids::TenantId};
use serde_json::{Value, json};

/// Monday, ten in the morning in Shanghai.
const MONDAY: &str = "2026-01-05T02:00:00Z";

/// A dealer who works from Monday to Friday, 9 to 18, with a customer who can be written to.
struct Counter {
    house: House,
    brand: TenantId,
    key: Client,
    dealer: String,
    customer: String,
}

impl Counter {
    async fn opens() -> Self {
        let house = House::opens().await;
        let brand = house.brand("clearwater").await.live;
        let key = house.brand_key(brand);
        let dealer = json!({"code": "hangzhou", "name": "杭州店"});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let site = json!({"code": "west-lake", "name": "西湖门店", "tz": "Asia/Shanghai", "hours": {
            "opens": "09:00", "closes": "18:00",
            "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"]}});
        key.post(&format!("/v1/dealers/{dealer}/sites"), site).await.expect(201);
        let customer = json!({"name": "李娜", "email": "li.na@example.com", "dealer_id": dealer});
        let customer = key.post("/v1/customers", customer).await.expect(201).id();
        house.clock.set(MONDAY.parse().unwrap());
        Self { house, brand, key, dealer, customer }
    }

    async fn hires(&self, role: Role) -> (String, Client) {
        let dealer = Some(&self.dealer).filter(|_| !role.is_brand());
        let person = json!({"name": "王伟", "role": role, "dealer_id": dealer});
        let id = self.key.post("/v1/staff", person).await.expect(201).id();
        let dealer = dealer.map(|dealer| dealer.parse().unwrap());
        (id.clone(), self.house.person(self.brand, role, id.parse().unwrap(), dealer))
    }

    /// A complaint, as it is once the worker has seen it.
    async fn complains(&self) -> String {
        let id = complains(&self.key, &self.customer).await.id();
        self.house.settle().await;
        id
    }

    async fn shows(&self, id: &str) -> Reply {
        self.key.get(&format!("/v1/complaints/{id}")).await.expect(200)
    }

    /// A complaint that this person has decided, and whose decision the customer has been told.
    async fn decided(&self, by: &Client) -> String {
        let id = self.complains().await;
        act(by, &id, "acknowledge", json!({})).await.expect(200);
        act(by, &id, "decide", repaired()).await.expect(200);
        self.house.settle().await;
        assert!(self.shows(&id).await["told_at"].is_string());
        id
    }
}

fn repaired() -> Value {
    json!({"responsibility": "supplier", "text": "我们为您维修。", "recourse": "您可致电 12315。",
        "remedies": [{"kind": "repair"}]})
}

fn assessed(severity: u32, safety: bool) -> Value {
    json!({"severity": severity, "safety": safety, "complexity": "involved", "impact": "厨房进水"})
}

fn no() -> Value {
    json!({"reason": "只维修不够，已经坏了两次。"})
}

#[tokio::test]
async fn a_dangerous_complaint_is_a_managers_at_once_and_investigated_before_it_is_decided() {
    let counter = Counter::opens().await;
    let (clerk_id, clerk) = counter.hires(Role::Clerk).await;
    let (manager, _) = counter.hires(Role::Manager).await;
    let id = counter.complains().await;
    assert_eq!(counter.shows(&id).await["owner_id"], json!(clerk_id));
    act(&clerk, &id, "assess", assessed(4, true)).await.refused(409, "illegal_transition");
    act(&clerk, &id, "acknowledge", json!({})).await.expect(200);
    let hurt = act(&clerk, &id, "assess", assessed(4, true)).await.expect(200);
    assert_eq!(
        (&hurt["state"], &hurt["safety"], &hurt["escalated_rank"], &hurt["escalated_staff_id"]),
        (&json!("assessed"), &json!(true), &json!(30), &json!(manager))
    );
    assert_eq!(hurt["assessment"]["assessed_by"], json!(clerk_id));
    let early = act(&clerk, &id, "decide", repaired()).await.refused(409, "investigation_missing");
    assert_eq!(early["severity"], 4);
    let found =
        json!({"findings": "密封圈断裂。", "cause_code": "seal_torn", "confirmed_defect": true});
    let found = act(&clerk, &id, "investigate", found).await.expect(200);
    assert_eq!(
        (&found["state"], &found["cause_code"]),
        (&json!("investigating"), &json!("seal_torn"))
    );
    act(&clerk, &id, "decide", repaired()).await.refused(409, "defect_stays_confirmed");
    let mut owned = repaired();
    owned["confirmed_defect"] = true.into();
    act(&clerk, &id, "decide", owned).await.expect(200);
    let listed = counter.key.get("/v1/complaints?cause_code=seal_torn&safety=true").await;
    assert_eq!(listed.expect(200).data().len(), 1);
    let none = counter.key.get("/v1/complaints?cause_code=seal_torn&safety=false").await;
    assert_eq!(none.expect(200).data().len(), 0);
}

#[tokio::test]
async fn a_refused_decision_stands_off_and_the_next_rank_decides() {
    let counter = Counter::opens().await;
    let (_, clerk) = counter.hires(Role::Clerk).await;
    let (manager_id, manager) = counter.hires(Role::Manager).await;
    let id = counter.decided(&clerk).await;
    let refused = act(&clerk, &id, "refuse", no()).await.expect(200);
    assert_eq!((&refused["state"], &refused["refusals"]), (&json!("negotiating"), &json!(1)));
    act(&clerk, &id, "refuse", no()).await.refused(409, "illegal_transition");
    let unresolved = act(&clerk, &id, "resolve", json!({})).await.refused(409, "decision_refused");
    assert_eq!(unresolved["decided_rank"], 10);

    // Sixteen working hours from Monday ten o'clock end on Tuesday at five.
    counter.house.clock.set("2026-01-06T08:59:59Z".parse().unwrap());
    counter.house.settle().await;
    assert_eq!(counter.shows(&id).await["deciding_rank"], Value::Null);
    counter.house.clock.set("2026-01-06T09:00:00Z".parse().unwrap());
    for _ in 0..2 {
        counter.house.settle().await;
        let up = counter.shows(&id).await;
        assert_eq!(
            (&up["deciding_rank"], &up["escalated_staff_id"]),
            (&json!(30), &json!(manager_id))
        );
    }
    let above = act(&clerk, &id, "decide", repaired()).await.refused(403, "decision_above_rank");
    assert_eq!((&above["rank"], &above["required_rank"]), (&json!(10), &json!(30)));
    act(&manager, &id, "decide", repaired()).await.expect(200);
    let remedies = counter.key.get(&format!("/v1/complaints/{id}/remedies")).await.expect(200);
    let states: Vec<_> = remedies.data().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [json!("replaced"), json!("due")]);

    counter.house.settle().await;
    let accepted = act(&clerk, &id, "accept", json!({})).await.expect(200);
    assert!(accepted["accepted_at"].is_string());
    counter.house.pass_days(5).await;
    assert_eq!(counter.shows(&id).await["deciding_rank"], 30);
}

#[tokio::test]
async fn a_customer_whose_turn_it_is_stands_off_nobody() {
    let counter = Counter::opens().await;
    let (_, clerk) = counter.hires(Role::Clerk).await;
    counter.hires(Role::Manager).await;
    let id = counter.decided(&clerk).await;
    act(&clerk, &id, "refuse", no()).await.expect(200);
    let asks = json!({"waiting_for": "customer", "reason": "您希望如何解决？"});
    act(&clerk, &id, "wait", asks).await.expect(200);
    counter.house.pass_days(2).await;
    assert_eq!(counter.shows(&id).await["deciding_rank"], Value::Null);
    act(&clerk, &id, "resume", json!({})).await.expect(200);
    counter.house.pass_days(4).await;
    assert!(counter.shows(&id).await["deciding_rank"].is_number());
}

#[tokio::test]
async fn the_brands_last_word_can_be_carried_out_and_somebody_outside_may_say_more() {
    let counter = Counter::opens().await;
    let id = counter.decided(&counter.key).await;
    act(&counter.key, &id, "refuse", no()).await.expect(200);
    let body = json!({"body": "市消费者委员会 2026-1187"});
    let referred = act(&counter.key, &id, "refer", body).await.expect(200);
    assert_eq!(referred["state"], "external_recourse");
    let due = act(&counter.key, &id, "resolve", json!({})).await.refused(409, "remedies_due");
    assert_eq!(due["remedies"], json!(["repair"]));
    let ruled = json!({"responsibility": "partly", "apology": "抱歉。", "text": "按消委会意见退款。",
        "recourse": "您可向法院起诉。", "remedies": [{"kind": "refund", "amount": {"amount": 5_000, "currency": "CNY"}}]});
    act(&counter.key, &id, "decide", ruled).await.expect(200);
    let remedies = counter.key.get(&format!("/v1/complaints/{id}/remedies")).await.expect(200);
    let refund = remedies.data()[1]["id"].as_str().unwrap();
    let complete = format!("/v1/complaints/{id}/remedies/{refund}/complete");
    counter.key.post(&complete, json!({})).await.expect(200);
    act(&counter.key, &id, "resolve", json!({})).await.expect(200);
    counter.house.pass_days(15).await;
    let closed = counter.shows(&id).await;
    assert_eq!((&closed["state"], &closed["customer_satisfied"]), (&json!("closed"), &Value::Null));
}

#[tokio::test]
async fn what_is_set_aside_owes_nothing() {
    let counter = Counter::opens().await;
    let (first, again) = (counter.complains().await, counter.complains().await);
    let of = |of: Option<&str>| json!({"reason": "duplicate", "duplicate_of": of, "note": "客户再次来电"});
    act(&counter.key, &again, "set-aside", of(None)).await.refused(422, "duplicate_of_what");
    act(&counter.key, &again, "set-aside", of(Some(&again))).await.refused(422, "no_such_original");
    let other = json!({"name": "王强"});
    let other = counter.key.post("/v1/customers", other).await.expect(201).id();
    let others = complains(&counter.key, &other).await.id();
    act(&counter.key, &again, "set-aside", of(Some(&others)))
        .await
        .refused(422, "no_such_original");
    let aside = act(&counter.key, &again, "set-aside", of(Some(&first))).await.expect(200);
    assert_eq!((&aside["state"], &aside["duplicate_of"]), (&json!("duplicate"), &json!(first)));
    assert_eq!(aside["set_aside_at"], counter.house.now().to_string());
    act(&counter.key, &first, "set-aside", of(Some(&again))).await.refused(422, "no_such_original");
    counter.house.pass_days(2).await;
    assert_eq!(counter.shows(&again).await["first_answer"], "due");
    assert_eq!(counter.shows(&first).await["first_answer"], "missed");
    let late = act(&counter.key, &again, "acknowledge", json!({})).await;
    assert_eq!(late.refused(409, "illegal_transition")["allowed_transitions"], json!([]));
}

#[tokio::test]
async fn of_two_who_act_at_once_one_wins_and_the_other_is_told() {
    let counter = Counter::opens().await;
    let (_, clerk) = counter.hires(Role::Clerk).await;
    let (_, manager) = counter.hires(Role::Manager).await;
    for _ in 0..10 {
        let id = counter.decided(&clerk).await;
        let (accepts, refuses) =
            tokio::join!(act(&clerk, &id, "accept", json!({})), act(&manager, &id, "refuse", no()));
        let state = counter.shows(&id).await;
        // A customer may accept what they have refused, and not the other way round.
        if refuses.status == 200 {
            assert_eq!(accepts.status, 200, "{accepts:?}");
        } else {
            accepts.expect(200);
            let told = refuses.refused(409, "illegal_transition");
            assert!(told["allowed_transitions"].as_array().unwrap().contains(&json!("resolve")));
        }
        assert_eq!(state["state"], "decided");
        assert!(state["accepted_at"].is_string());

        let (one, two) = tokio::join!(
            act(&clerk, &id, "assign", json!({"staff_id": state["owner_id"]})),
            act(&manager, &id, "tell", json!({}))
        );
        one.expect(200);
        two.refused(409, "illegal_transition");
    }
}

#[tokio::test]
async fn a_remedy_beyond_ones_authority_is_refused() {
    let counter = Counter::opens().await;
    let (_, clerk) = counter.hires(Role::Clerk).await;
    let (_, manager) = counter.hires(Role::Manager).await;
    let refund = |minor: i64| {
        let mut decision = repaired();
        let amount = json!({"amount": minor, "currency": "CNY"});
        decision["remedies"] = json!([{"kind": "refund", "amount": amount}]);
        decision
    };
    let id = counter.complains().await;
    act(&clerk, &id, "acknowledge", json!({})).await.expect(200);
    crate::allowances::sets_limits(&counter.key).await;
    let beyond = act(&clerk, &id, "decide", refund(5_001)).await.refused(403, "beyond_authority");
    assert_eq!(beyond["required_rank"], 30);
    assert_eq!(beyond["failed_limits"][0]["most_minor"], 5_000);
    act(&manager, &id, "decide", refund(20_001)).await.refused(403, "beyond_authority");
    act(&manager, &id, "decide", refund(20_000)).await.expect(200);
}

#[tokio::test]
async fn a_complaint_is_handed_on_when_its_owner_goes() {
    let counter = Counter::opens().await;
    let (away, clerk) = counter.hires(Role::Clerk).await;
    let (deputy, _) = counter.hires(Role::Clerk).await;
    let (manager, _) = counter.hires(Role::Manager).await;
    let id = counter.complains().await;
    act(&clerk, &id, "acknowledge", json!({})).await.expect(200);
    assert_eq!(counter.shows(&id).await["owner_id"], json!(away));
    let path = format!("/v1/staff/{away}");
    let known = counter.key.get(&path).await.expect(200);
    let leave = json!({"on_leave": {"from_on": "2026-01-06", "to_on": "2026-01-08"}});
    counter.key.patch(&path, known.etag(), leave).await.expect(200);
    counter.house.settle().await;
    assert_eq!(counter.shows(&id).await["cover_id"], Value::Null);
    counter.house.pass_days(1).await;
    let covered = counter.shows(&id).await;
    assert_eq!((&covered["owner_id"], &covered["cover_id"]), (&json!(away), &json!(deputy)));
    let theirs = counter.key.get(&format!("/v1/complaints?owner_id={deputy}")).await.expect(200);
    assert_eq!(theirs.data().len(), 1);
    counter.house.pass_days(3).await;
    assert_eq!(counter.shows(&id).await["cover_id"], Value::Null);

    counter.key.post(&format!("{path}/leave"), json!({})).await.expect(200);
    counter.house.settle().await;
    let handed = counter.shows(&id).await;
    assert_eq!((&handed["owner_id"], &handed["cover_id"]), (&json!(deputy), &Value::Null));
    let named = json!({"staff_id": manager});
    assert_eq!(
        act(&counter.key, &id, "assign", named).await.expect(200)["owner_id"],
        json!(manager)
    );
    let gone = json!({"staff_id": away});
    act(&counter.key, &id, "assign", gone).await.refused(422, "complaint_not_for_them");
}

#[tokio::test]
async fn a_dealer_s_complaint_goes_up_to_somebody_of_the_brand() {
    let counter = Counter::opens().await;
    let (_, clerk) = counter.hires(Role::Clerk).await;
    let (admin, _) = counter.hires(Role::BrandAdmin).await;
    let id = counter.complains().await;
    act(&clerk, &id, "acknowledge", json!({})).await.expect(200);
    let hurt = act(&clerk, &id, "assess", assessed(4, true)).await.expect(200);
    assert_eq!((&hurt["escalated_rank"], &hurt["escalated_staff_id"]), (&json!(60), &json!(admin)));
}
