//! What is given: from the wet wipes of a skirt to the scene of a proposal.

use super::{Shop, created, gesture, gift, hires, told};
use crate::house::{Client, House, Reply};
use domain::{identity::Role, ids::TenantId};
use serde_json::{Value, json};

/// A dealer with a clerk, a manager and an owner, under the defaults of the service.
struct Ladder {
    house: House,
    tenant: TenantId,
    brand: Client,
    dealer: String,
    customer: String,
    clerk: Client,
    clerk_id: String,
    manager: Client,
    manager_id: String,
    owner: Client,
}

impl Ladder {
    async fn stands() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let brand = house.brand_key(tenant);
        let adoption = json!({"currency": "CNY"});
        brand.post("/v1/allowance-defaults/adopt", adoption).await.expect(200);
        let dealer = json!({"code": "west", "name": "西湖店"});
        let dealer = created(&brand, "/v1/dealers", dealer).await;
        let customer = json!({"name": "李娜", "dealer_id": dealer});
        let customer = created(&brand, "/v1/customers", customer).await;
        let clerk_id = hires(&brand, &dealer, "clerk").await;
        let manager_id = hires(&brand, &dealer, "manager").await;
        let owner_id = hires(&brand, &dealer, "owner").await;
        let of_dealer = Some(dealer.parse().unwrap());
        let person = |role, id: &str| house.person(tenant, role, id.parse().unwrap(), of_dealer);
        let clerk = person(Role::Clerk, &clerk_id);
        let manager = person(Role::Manager, &manager_id);
        let owner = person(Role::Owner, &owner_id);
        Self { house, tenant, brand, dealer, customer, clerk, clerk_id, manager, manager_id, owner }
    }

    /// The customer buys something on which so much is earned; answers the order.
    async fn sells(&self, price_minor: i64, margin_minor: i64) -> String {
        let cost_minor = price_minor - margin_minor;
        let line = json!({"quantity": 1, "price_minor": price_minor, "cost_minor": cost_minor});
        let order = json!({"customer_id": self.customer, "dealer_id": self.dealer,
            "currency": "CNY", "lines": [line], "paid_on": "2026-01-05"});
        let order = created(&self.brand, "/v1/orders", order).await;
        self.house.settle().await;
        order
    }

    async fn asks(&self, kind: &str, estimate_minor: i64, problem_solved: &str) -> Reply {
        let wish = json!({"customer_id": self.customer, "kind": kind, "currency": "CNY",
            "problem_solved": problem_solved, "estimate_minor": estimate_minor});
        self.clerk.post("/v1/gestures", wish).await
    }

    async fn pays(&self, given: &Reply, actual_minor: i64) {
        let bill = json!({"actual_minor": actual_minor});
        self.clerk.post(&gesture(given, "fulfil"), bill).await.expect(200);
    }

    async fn account(&self) -> Value {
        let path = format!("/v1/allowance-accounts?customer_id={}", self.customer);
        self.brand.get(&path).await.expect(200).data()[0].clone()
    }
}

#[tokio::test]
async fn a_skirt_of_100_with_a_margin_of_40_buys_wet_wipes_and_a_hair_band() {
    let shop = Ladder::stands().await;
    let skirt = shop.sells(10_000, 4_000).await;
    assert_eq!(shop.account().await["available_minor"], 1_000);
    let wipes = shop.asks("gift", 300, "The child had ice cream.").await.expect(201);
    let band = shop.asks("gift", 700, "The wind undid her hair.").await.expect(201);
    assert_eq!((&wipes["state"], &band["state"]), (&json!("approved"), &json!("approved")));
    let more = shop.asks("gift", 1, "Something more.").await;
    more.refused(409, "insufficient_allowance");
    shop.pays(&wipes, 300).await;
    shop.pays(&band, 700).await;
    let call = shop.asks("personalised_service", 0, "She was unsure about the wash.").await;
    shop.pays(&call.expect(201), 0).await;

    let funding = shop.clerk.get(&format!("/v1/orders/{skirt}/allowance")).await.expect(200);
    assert_eq!(funding["margin_minor"], 4_000);
    assert_eq!(
        (&funding["accrued_minor"], &funding["spent_minor"]),
        (&json!(1_000), &json!(1_000))
    );
    let paid: Vec<_> =
        funding["gestures"].as_array().unwrap().iter().map(|one| &one["paid_minor"]).collect();
    assert_eq!(paid, [300, 700]);
    let spend = shop.manager.get("/v1/reports/gesture-spend?by=kind").await.expect(200);
    let rows: Vec<_> = spend["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["key"].as_str().unwrap(),
                row["gestures"].as_i64(),
                row["free_gestures"].as_i64(),
                row["spent_minor"].as_i64(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("gift", Some(2), Some(0), Some(1_000)),
            ("personalised_service", Some(1), Some(1), Some(0))
        ]
    );
}

#[tokio::test]
async fn a_car_s_300_come_as_four_quarterly_boxes_of_fruit_and_something_personal() {
    let shop = Ladder::stands().await;
    shop.sells(15_000_000, 600_000).await;
    let account = shop.account().await;
    assert_eq!(
        (&account["available_minor"], &account["pending_minor"]),
        (&json!(15_006), &json!(14_994))
    );
    for quarter in 0..4 {
        let fruit = shop.asks("gift", 4_998, "A quarter has gone well.").await.expect(201);
        assert_eq!(fruit["state"], "approved", "{quarter}");
        shop.pays(&fruit, 4_998).await;
        let second = shop.asks("gift", 1, "One more.").await;
        let refused = second.refused(409, "insufficient_allowance");
        assert_eq!(refused["available"]["amount"], 0, "what is personal is no gift");
        assert_eq!(refused["account_available"]["amount"], 10_008);
        shop.house.clock.set(shop.house.now().plus_days(91));
        shop.house.settle().await;
    }
    let account = shop.account().await;
    assert_eq!(
        (&account["available_minor"], &account["pending_minor"]),
        (&json!(10_008), &json!(0))
    );
    let personal =
        shop.asks("personalised_service", 10_008, "He drives to his wedding.").await.expect(201);
    assert_eq!(personal["required_rank"], 30);
    shop.manager.post(&gesture(&personal, "approve"), json!({})).await.expect(200);
    shop.pays(&personal, 10_008).await;
    assert_eq!(shop.account().await["balance_minor"], 0);
}

#[tokio::test]
async fn a_clerk_decides_about_a_guest_s_birthday_on_the_spot() {
    let hotel = Ladder::stands().await;
    hotel.sells(60_000, 20_000).await;
    let cake =
        hotel.asks("personalised_service", 5_000, "It is her birthday, and she is alone.").await;
    let cake = cake.expect(201);
    assert_eq!((&cake["state"], &cake["granted_by"]), (&json!("approved"), &json!(hotel.clerk_id)));
    let approvals = hotel.clerk.get(&gesture(&cake, "approvals")).await.expect(200);
    assert!(approvals.data().is_empty());
}

#[tokio::test]
async fn the_scene_of_a_proposal_needs_the_owner() {
    let hotel = Ladder::stands().await;
    for _ in 0..6 {
        hotel.sells(600_000, 299_000).await;
    }
    let scene =
        hotel.asks("personalised_service", 150_000, "He proposes tonight.").await.expect(201);
    assert_eq!(told(&scene), ["per_request", "per_day", "per_customer_month"]);
    assert_eq!(
        (&scene["state"], &scene["required_rank"]),
        (&json!("pending_approval"), &json!(40))
    );
    let refused = hotel.manager.post(&gesture(&scene, "approve"), json!({})).await;
    let refused = refused.refused(403, "beyond_authority");
    assert_eq!(refused["failed_limits"][0]["most_minor"], 30_000);
    assert_eq!(refused["required_rank"], 40);
    let approved = hotel.owner.post(&gesture(&scene, "approve"), json!({})).await.expect(200);
    assert_eq!(approved["state"], "approved");
}

#[tokio::test]
async fn a_manager_waives_a_penalty_and_a_clerk_does_not() {
    let hotel = Ladder::stands().await;
    hotel.sells(600_000, 299_000).await;
    let waiver =
        hotel.asks("penalty_waiver", 10_000, "Her mother fell ill; she cannot come.").await;
    let waiver = waiver.expect(201);
    assert_eq!(
        (&waiver["state"], &waiver["required_rank"]),
        (&json!("pending_approval"), &json!(30))
    );
    let small = hotel.asks("penalty_waiver", 1, "One fen.").await.expect(201);
    assert_eq!(small["state"], "pending_approval", "a clerk waives nothing");
    hotel.manager.post(&gesture(&waiver, "approve"), json!({})).await.expect(200);
}

#[tokio::test]
async fn a_heavy_gift_is_refused_with_every_limit_and_the_numbers() {
    let shop = Ladder::stands().await;
    for _ in 0..6 {
        shop.sells(600_000, 299_000).await;
    }
    let refused = shop.asks("gift", 5_001, "A little more.").await.refused(409, "heavy_gift");
    let limits: Vec<_> =
        refused["failed_limits"].as_array().unwrap().iter().map(|one| &one["limit"]).collect();
    assert_eq!(limits, ["gift_weight", "per_request"]);
    assert_eq!(refused["failed_limits"][0]["most_minor"], 5_000);
    assert_eq!(refused["required_rank"], 30);
    shop.owner.post("/v1/gestures", gift(&shop.customer, 5_001)).await.refused(409, "heavy_gift");
    shop.asks("gift", 5_000, "Just that.").await.expect(201);
    // Nobody has said so much, so nothing was written.
    assert_eq!(shop.clerk.get("/v1/gestures").await.expect(200).data().len(), 1);
}

#[tokio::test]
async fn a_customer_is_given_things_twelve_times_a_year() {
    let shop = Ladder::stands().await;
    for _ in 0..6 {
        shop.sells(600_000, 299_000).await;
    }
    for _ in 0..12 {
        shop.owner.post("/v1/gestures", gift(&shop.customer, 100)).await.expect(201);
    }
    let refused = shop.owner.post("/v1/gestures", gift(&shop.customer, 100)).await;
    let refused = refused.refused(409, "gifts_too_often");
    assert_eq!(
        (&refused["failed_limits"][0]["most_count"], &refused["failed_limits"][0]["used_count"]),
        (&json!(12), &json!(12))
    );
    shop.asks("gift", 0, "A paper crane.").await.expect(201);
}

#[tokio::test]
async fn a_thin_margin_buys_service_and_no_things() {
    let shop = Ladder::stands().await;
    shop.sells(10_000, 999).await;
    assert_eq!(shop.account().await["available_minor"], 250);
    let refused = shop.asks("gift", 250, "A sweet.").await.refused(409, "thing_from_thin_margin");
    assert_eq!(refused["of_thin_margins"], json!({"amount": 250, "currency": "CNY"}));
    shop.asks("personalised_service", 250, "A message by hand.").await.expect(201);
}

#[tokio::test]
async fn the_deputy_of_who_is_on_leave_decides_in_their_place() {
    let shop = Ladder::stands().await;
    for _ in 0..6 {
        shop.sells(600_000, 299_000).await;
    }
    let owners = format!("/v1/staff?dealer_id={}&role=owner", shop.dealer);
    let owner =
        shop.brand.get(&owners).await.expect(200).data()[0]["id"].as_str().unwrap().to_owned();
    let owner = format!("/v1/staff/{owner}");
    let on_leave = json!({"on_leave": {"from_on": "2026-01-05", "to_on": "2026-01-09"}});
    let ask = || shop.asks("personalised_service", 50_000, "He proposes tonight.");
    shop.brand.patch(&owner, "*", on_leave).await.expect(200);
    let scene = ask().await.expect(201);
    assert_eq!(scene["required_rank"], 60, "the owner is away, and nobody stands in");
    shop.owner.post(&gesture(&scene, "reject"), json!({})).await.expect(200);

    let clerk = json!({"deputy_id": shop.clerk_id});
    shop.brand.patch(&owner, "*", clerk).await.refused(422, "deputy_cannot_decide");
    let deputy = json!({"deputy_id": shop.manager_id});
    shop.brand.patch(&owner, "*", deputy).await.expect(200);
    let scene = ask().await.expect(201);
    assert_eq!(scene["required_rank"], 40);
    shop.manager.post(&gesture(&scene, "approve"), json!({})).await.expect(200);
    let approvals = shop.manager.get(&gesture(&scene, "approvals")).await.expect(200);
    assert_eq!(
        (&approvals.data()[0]["rank"], &approvals.data()[0]["approver"]),
        (&json!(40), &json!(shop.manager_id))
    );
    let light = shop.asks("personalised_service", 6_000, "He is nervous.").await.expect(201);
    shop.manager.post(&gesture(&light, "approve"), json!({})).await.expect(200);
    let approvals = shop.manager.get(&gesture(&light, "approvals")).await.expect(200);
    assert_eq!(
        approvals.data()[0]["rank"],
        30,
        "as the manager that they are, where that is enough"
    );
    shop.house.pass_days(5).await;
    let scene = ask().await.expect(201);
    let back = shop.manager.post(&gesture(&scene, "approve"), json!({})).await;
    back.refused(403, "beyond_authority");
}

#[tokio::test]
async fn what_is_set_aside_goes_with_the_customer_to_another_dealer() {
    let shop = Ladder::stands().await;
    shop.sells(600_000, 299_000).await;
    let budget = json!({"dealer_id": shop.dealer, "currency": "CNY"});
    let budget = created(&shop.brand, "/v1/allowance-budgets", budget).await;
    let budget = format!("/v1/allowance-budgets/{budget}");
    let money = json!({"amount_minor": 10_000, "reason": "For the winter."});
    shop.brand.post(&format!("{budget}/fund"), money).await.expect(200);
    let asks = async |amount| {
        let wish = shop.asks("personalised_service", amount, "The child is afraid of water.").await;
        wish.expect(201)
    };
    let (waits, granted) = (asks(6_000).await, asks(1_000).await);
    assert_eq!(waits["state"], "pending_approval");
    assert_eq!(shop.brand.get(&budget).await.expect(200)["held_minor"], 7_000);
    let east = created(&shop.brand, "/v1/dealers", json!({"code": "east", "name": "东湖店"})).await;
    let customer = format!("/v1/customers/{}", shop.customer);
    shop.brand.patch(&customer, "*", json!({"dealer_id": east})).await.expect(200);
    shop.house.settle().await;
    let account = shop.account().await;
    assert_eq!((&account["dealer_id"], &account["held_minor"]), (&json!(east), &json!(0)));
    assert_eq!(shop.brand.get(&budget).await.expect(200)["held_minor"], 0);
    for gesture in [waits, granted] {
        let left = shop.manager.get(&format!("/v1/gestures/{}", gesture.id())).await.expect(200);
        assert_eq!(left["state"], "cancelled");
    }
    let manager_id = hires(&shop.brand, &east, "manager").await;
    let of_east = Some(east.parse().unwrap());
    let manager = manager_id.parse().unwrap();
    let manager = shop.house.person(shop.tenant, Role::Manager, manager, of_east);
    let wish = json!({"customer_id": shop.customer, "kind": "personalised_service", "currency": "CNY",
        "problem_solved": "The child is afraid of water.", "estimate_minor": 6_000});
    let anew = manager.post("/v1/gestures", wish).await.expect(201);
    manager.post(&gesture(&anew, "fulfil"), json!({"actual_minor": 6_000})).await.expect(200);
}

#[tokio::test]
async fn one_person_has_a_limit_of_their_own() {
    let shop = Ladder::stands().await;
    shop.sells(600_000, 299_000).await;
    let trusted = json!({"staff_id": shop.clerk_id, "currency": "CNY", "kind": "personalised_service",
        "per_request_minor": 20_000, "valid_to_on": "2026-01-05"});
    shop.brand.post("/v1/authority-limits", trusted.clone()).await.expect(201);
    shop.brand.post("/v1/authority-limits", trusted).await.refused(409, "already_exists");
    let nobodys = json!({"currency": "CNY", "per_request_minor": 1});
    shop.brand.post("/v1/authority-limits", nobodys).await.refused(422, "limit_without_holder");
    let own = format!("/v1/authority-limits?staff_id={}", shop.clerk_id);
    assert_eq!(shop.brand.get(&own).await.expect(200).data().len(), 1);
    let wish = |amount| shop.asks("personalised_service", amount, "The child is afraid of water.");
    assert_eq!(wish(20_000).await.expect(201)["state"], "approved");
    shop.house.pass_days(1).await;
    assert_eq!(wish(5_001).await.expect(201)["state"], "pending_approval", "it was for one day");
    for _ in 0..3 {
        shop.sells(600_000, 299_000).await;
    }
    let manager =
        json!({"staff_id": shop.manager_id, "currency": "CNY", "per_request_minor": 40_000});
    shop.brand.post("/v1/authority-limits", manager).await.expect(201);
    let scene = wish(40_000).await.expect(201);
    assert_eq!(scene["required_rank"], 30, "this manager may do it, others may not");
    shop.manager.post(&gesture(&scene, "approve"), json!({})).await.expect(200);
}

#[tokio::test]
async fn a_little_more_than_was_estimated_is_paid_and_a_payment_is_taken_back() {
    let shop = Ladder::stands().await;
    shop.sells(60_000, 20_000).await;
    let given =
        shop.asks("personalised_service", 1_000, "She could not carry it.").await.expect(201);
    shop.pays(&given, 1_100).await;
    assert_eq!(shop.account().await["balance_minor"], 3_900);
    let because = || json!({"reason": "The taxi never came."});
    shop.clerk.post(&gesture(&given, "reverse"), because()).await.refused(403, "forbidden");
    let reversed = shop.manager.post(&gesture(&given, "reverse"), because()).await.expect(200);
    assert_eq!(
        (&reversed["state"], &reversed["reversal_reason"]),
        (&json!("reversed"), &json!("The taxi never came."))
    );
    assert_eq!(shop.account().await["balance_minor"], 5_000);
    let again = shop.manager.post(&gesture(&given, "reverse"), because()).await;
    again.refused(409, "illegal_transition");
    let own = shop.manager.post("/v1/gestures", gift(&shop.customer, 100)).await.expect(201);
    let bill = json!({"actual_minor": 100});
    shop.manager.post(&gesture(&own, "fulfil"), bill).await.expect(200);
    shop.manager.post(&gesture(&own, "reverse"), because()).await.refused(403, "own_gesture");
    shop.owner.post(&gesture(&own, "reverse"), because()).await.expect(200);
}

#[tokio::test]
async fn what_a_person_grants_in_a_day_has_a_limit_over_all_customers() {
    let shop = Shop::opens().await;
    let of_day = json!({"staff_id": shop.clerk_id, "currency": "CNY", "per_request_minor": 5_000,
        "per_day_minor": 6_000, "per_month_minor": 8_000});
    shop.brand.post("/v1/authority-limits", of_day).await.expect(201);
    shop.sells(40_000).await;
    assert_eq!(shop.asks(4_000).await.expect(201)["state"], "approved");
    let beyond = shop.asks(2_001).await.expect(201);
    assert_eq!(told(&beyond), ["per_day"]);
    assert_eq!(beyond["failed_limits"][0]["used_minor"], 4_000);
    assert_eq!(shop.asks(2_000).await.expect(201)["state"], "approved");
    shop.clerk.post(&gesture(&beyond, "cancel"), json!({})).await.expect(200);
    shop.pass_hours_at_once(24).await;
    assert_eq!(told(&shop.asks(2_001).await.expect(201)), ["per_month"]);
    assert_eq!(shop.asks(1_999).await.expect(201)["state"], "approved");
}

#[tokio::test]
async fn goodwill_that_was_promised_to_a_complainer_is_given_from_the_allowance() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let complaint = crate::voice::complains(&shop.brand, &shop.customer).await.id();
    let path = format!("/v1/complaints/{complaint}");
    shop.clerk.post(&format!("{path}/acknowledge"), json!({})).await.expect(200);
    let amount = json!({"amount": 2_800, "currency": "CNY"});
    let decision = json!({"responsibility": "supplier", "text": "送您一份滤芯。", "recourse": "您可致电 12315。",
        "remedies": [{"kind": "goodwill", "amount": amount}, {"kind": "repair"}]});
    shop.clerk.post(&format!("{path}/decide"), decision).await.expect(200);
    let mut wish = shop.gift(3_000);
    wish["complaint_id"] = json!(complaint);
    let asked = shop.clerk.post("/v1/gestures", wish).await.expect(201);
    let bill = json!({"actual_minor": 2_800});
    shop.clerk.post(&gesture(&asked, "fulfil"), bill).await.expect(200);
    let remedies = shop.brand.get(&format!("{path}/remedies")).await.expect(200);
    let [goodwill, repair] = &remedies.data()[..] else { panic!("{remedies:?}") };
    assert_eq!((&goodwill["state"], &goodwill["gesture_id"]), (&json!("done"), &json!(asked.id())));
    assert_eq!((&repair["state"], &repair["gesture_id"]), (&json!("due"), &Value::Null));
    assert_eq!(shop.books().await, (7_200, 0));
}
