//! A customer goes, and is still one.

use crate::{
    house::{Client, Reply},
    maintenance::Service,
};
use domain::identity::Role;
use serde_json::{Value, json};

/// A dealer with people, who may waive penalties of 500.00 from allowances of a tenth of the price.
struct Showroom {
    service: Service,
    clerk: Client,
    manager: Client,
    manager_id: String,
}

impl Showroom {
    async fn opens() -> Self {
        let service = Service::opens().await;
        let policy = json!({"currency": "CNY", "base": "price",
            "tiers": [{"from_minor": 0, "rate_bp": 1_000}]});
        let policy = service.key.post("/v1/allowance-policies", policy).await.expect(201).id();
        let activate = format!("/v1/allowance-policies/{policy}/activate");
        service.key.post(&activate, json!({})).await.expect(200);
        for (role, most) in [("clerk", 1_000), ("manager", 50_000)] {
            let limit = json!({"role": role, "currency": "CNY", "per_request_minor": most});
            service.key.post("/v1/authority-limits", limit).await.expect(201);
        }
        let (clerk, manager_id) = (service.hires("clerk").await, service.hires("manager").await);
        let clerk = service.person(Role::Clerk, &clerk);
        let manager = service.person(Role::Manager, &manager_id);
        Self { service, clerk, manager, manager_id }
    }

    /// The customer pays for a kitchen that is delivered on moving day.
    async fn sells(&self) -> String {
        let order = json!({"customer_id": self.service.customer, "dealer_id": self.service.dealer,
            "currency": "CNY", "lines": [{"quantity": 1, "price_minor": 500_000}],
            "paid_on": "2026-01-05"});
        let order = self.service.key.post("/v1/orders", order).await.expect(201).id();
        self.service.house.settle().await;
        order
    }

    async fn asks(&self, order: &str, penalty_minor: i64) -> Reply {
        let asked = json!({"order_id": order, "reason": "我们要搬到别的城市。",
            "deposit_minor": 200_000, "penalty_minor": penalty_minor});
        self.clerk.post("/v1/cancellations", asked).await
    }

    async fn does(&self, case: &str, verb: &str, body: Value) -> Reply {
        self.clerk.post(&format!("/v1/cancellations/{case}/{verb}"), body).await
    }

    /// The manager gives money back, which the clerk may not.
    async fn manages(&self, case: &str, verb: &str, body: Value) -> Reply {
        self.manager.post(&format!("/v1/cancellations/{case}/{verb}"), body).await
    }

    /// The clerk asks for a waiver.
    async fn waiver(&self, kind: &str, estimate_minor: i64) -> String {
        let gesture = json!({"customer_id": self.service.customer, "kind": kind, "currency": "CNY",
            "problem_solved": "计划有变，不应再付违约金。", "estimate_minor": estimate_minor});
        self.clerk.post("/v1/gestures", gesture).await.expect(201).id()
    }

    /// Who begins the refund is a manager, and the penalty is waived by a gesture over the whole of it.
    async fn is_refused_what_does_not_fit(&self, id: &str) {
        let clerk = self.does(id, "begin-refund", json!({})).await;
        let clerk = clerk.refused(403, "refund_needs_manager");
        assert_eq!((&clerk["rank"], &clerk["required_rank"]), (&json!(10), &json!(30)));
        let stands =
            self.manages(id, "begin-refund", json!({})).await.refused(409, "penalty_not_waived");
        assert_eq!(stands["penalty_minor"], 20_000);

        let others = [
            ("gift", 1_000, json!(["kind", "amount"])),
            ("penalty_waiver", 19_999, json!(["amount"])),
        ];
        for (kind, amount, unfit) in others {
            let gesture = json!({"gesture_id": self.waiver(kind, amount).await});
            let refused = self.does(id, "seek-waiver", gesture).await.refused(422, "waiver_unfit");
            assert_eq!(refused["unfit"], unfit);
        }
    }
}

#[tokio::test]
async fn the_deposit_is_refunded_in_full_and_the_visit_on_moving_day_takes_place() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let visit = shop.service.asks("2026-01-12", "2026-01-12").await;
    let moving_day = shop.service.holds(&visit, "2026-01-12T02:00:00Z").await;
    let confirm = format!("/v1/appointments/{moving_day}/confirm");
    shop.service.key.post(&confirm, json!({})).await.expect(200);

    let case = shop.asks(&order, 20_000).await.expect(201);
    // Monday, nine in the morning: nine hours on each of two days, and six on the third.
    assert_eq!(case["local_refund_due"], "2026-01-07 15:00");
    let id = case.id();
    let twice = shop.asks(&order, 0).await.refused(409, "cancellation_open");
    assert_eq!(twice["cancellation_id"], json!(id));
    shop.does(&id, "proceed", json!({})).await.expect(200);
    shop.is_refused_what_does_not_fit(&id).await;
    let waiver = shop.waiver("penalty_waiver", 20_000).await;
    let sought = shop.does(&id, "seek-waiver", json!({"gesture_id": waiver})).await.expect(200);
    assert_eq!(sought["state"], "penalty_waiver_pending");
    let early =
        shop.manages(&id, "begin-refund", json!({})).await.refused(409, "penalty_not_waived");
    assert_eq!(early["gesture_state"], "pending_approval");
    let gesture = format!("/v1/gestures/{waiver}");
    shop.manager.post(&format!("{gesture}/approve"), json!({})).await.expect(200);
    let bill = json!({"actual_minor": 20_000});
    shop.manager.post(&format!("{gesture}/fulfil"), bill).await.expect(200);
    let refunding = shop.manages(&id, "begin-refund", json!({})).await.expect(200);
    assert_eq!(refunding["penalty_waived_minor"], 20_000);
    // The refund rests on the gesture, so that stands.
    let reverse = json!({"reason": "记错了。"});
    let rests = shop.service.key.post(&format!("{gesture}/reverse"), reverse).await;
    let rests = rests.refused(409, "gesture_waived_a_penalty");
    assert_eq!(rests["cancellation_id"], json!(id));
    let on = || json!({"refunded_on": "2026-01-05"});
    assert_eq!(shop.does(&id, "refund", on()).await.status, 403);
    let refunded = shop.manages(&id, "refund", on()).await.expect(200);
    assert_eq!(
        (&refunded["state"], &refunded["refund_minor"]),
        (&json!("refunded"), &json!(200_000))
    );
    shop.does(&id, "close", json!({})).await.expect(200);
    shop.service.house.settle().await;

    let order = shop.service.shows(&format!("/v1/orders/{order}")).await;
    assert_eq!(
        (&order["status"], &order["refunded_on"]),
        (&json!("refunded"), &json!("2026-01-05"))
    );
    // The sale has earned nothing in the end; what was waived from it is the dealer's to bear.
    let accounts = format!("/v1/allowance-accounts?customer_id={}", shop.service.customer);
    let account = shop.service.list(&accounts).await.remove(0);
    assert_eq!(account["available_minor"], 0);
    let shortfalls = shop.service.list("/v1/allowance-shortfalls").await;
    assert_eq!(shortfalls.len(), 1);
    let customer = format!("/v1/customers/{}", shop.service.customer);
    assert_eq!(shop.service.shows(&customer).await["lifecycle"], "cancelled_buyer");
    shop.service.house.pass_days(3).await;
    let visit = shop.service.shows(&format!("/v1/appointments/{moving_day}")).await;
    assert_eq!(
        (&visit["state"], &visit["starts_at"]),
        (&json!("confirmed"), &json!("2026-01-12T02:00:00Z"))
    );
    assert!(shop.service.list("/v1/findings?kind=deadline_missed").await.is_empty());
}

#[tokio::test]
async fn a_customer_is_asked_to_stay_once_and_who_stays_keeps_the_sale() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let id = shop.asks(&order, 0).await.expect(201).id();
    let offer = || json!({"offer": "免费送到新家。"});
    let offered = shop.does(&id, "offer-retention", offer()).await.expect(200);
    assert_eq!(
        (&offered["state"], &offered["retention_attempts"]),
        (&json!("retention_offered"), &json!(1))
    );
    let second = shop.does(&id, "offer-retention", offer()).await;
    let second = second.refused(409, "retention_offered_once");
    assert_eq!((&second["retention_attempts"], &second["most"]), (&json!(1), &json!(1)));
    shop.does(&id, "withdraw", json!({})).await.expect(200);
    let order_now = shop.service.shows(&format!("/v1/orders/{order}")).await;
    assert_eq!(order_now["status"], "paid");
    // Who stays may change their mind once more.
    let again = shop.asks(&order, 0).await.expect(201);
    assert_eq!((&again["state"], &again["retention_attempts"]), (&json!("requested"), &json!(1)));
    let again = again.id();
    let third = shop.does(&again, "offer-retention", offer()).await;
    third.refused(409, "retention_offered_once");
    shop.does(&again, "proceed", json!({})).await.expect(200);
    shop.manages(&again, "begin-refund", json!({})).await.expect(200);
    shop.does(&again, "withdraw", json!({})).await.refused(409, "illegal_transition");
}

#[tokio::test]
async fn a_refund_that_is_not_under_way_after_24_hours_of_work_goes_up_a_rank() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let id = shop.asks(&order, 0).await.expect(201).id();
    let path = format!("/v1/cancellations/{id}");
    shop.service.house.pass_hours(53).await;
    assert_eq!(shop.service.shows(&path).await["escalated_rank"], Value::Null);
    shop.service.house.pass_hours(1).await;
    let late = shop.service.shows(&path).await;
    assert_eq!(
        (&late["escalated_rank"], &late["escalated_staff_id"]),
        (&json!(30), &json!(shop.manager_id))
    );
    let noticed = shop.service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(
        (&noticed[0]["kind"], &noticed[0]["state"]),
        (&json!("deadline_missed"), &json!("open"))
    );
    let up = format!("/v1/cancellations?escalated_staff_id={}", shop.manager_id);
    assert_eq!(shop.service.list(&up).await.len(), 1);
    for verb in ["proceed", "begin-refund"] {
        shop.manages(&id, verb, json!({})).await.expect(200);
    }
    let settled = shop.service.list(&format!("/v1/findings?subject={id}")).await;
    assert_eq!(settled[0]["state"], "resolved");
}

#[tokio::test]
async fn what_is_delivered_or_unpaid_is_not_cancelled_and_no_more_given_back_than_was_paid() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let beyond = json!({"order_id": order, "reason": "太贵了。", "deposit_minor": 500_001});
    let beyond =
        shop.clerk.post("/v1/cancellations", beyond).await.refused(422, "deposit_above_order");
    assert_eq!(beyond["total_minor"], 500_000);
    let deliver = format!("/v1/orders/{order}/deliver");
    shop.service.key.post(&deliver, json!({"delivered_on": "2026-01-05"})).await.expect(200);
    let late = shop.asks(&order, 0).await.refused(409, "order_not_cancellable");
    assert_eq!(late["order_status"], "delivered");
}

#[tokio::test]
async fn what_is_called_off_is_not_delivered_until_the_customer_stays() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let id = shop.asks(&order, 20_000).await.expect(201).id();
    let deliver = format!("/v1/orders/{order}/deliver");
    let on = || json!({"delivered_on": "2026-01-05"});
    let called_off = shop.manager.post(&deliver, on()).await.refused(409, "cancellation_open");
    assert_eq!(called_off["cancellation_id"], json!(id));
    shop.does(&id, "proceed", json!({})).await.expect(200);
    let waiver = shop.waiver("penalty_waiver", 20_000).await;
    shop.does(&id, "seek-waiver", json!({"gesture_id": waiver})).await.expect(200);
    // They stay after all, and nothing is waived.
    let stays = shop.does(&id, "withdraw", json!({})).await.expect(200);
    assert_eq!((&stays["state"], &stays["gesture_id"]), (&json!("withdrawn"), &Value::Null));
    shop.manager.post(&deliver, on()).await.expect(200);
}

#[tokio::test]
async fn who_has_called_everything_off_is_a_buyer_again_once_something_is_delivered() {
    let shop = Showroom::opens().await;
    let service = &shop.service;
    // What was scrapped they do not have any more.
    let scrapped = service.sells("SN-8", Some("2026-01-04")).await;
    let retire = format!("/v1/assets/{scrapped}/retire");
    service.key.post(&retire, json!({})).await.expect(200);
    let order = shop.sells().await;
    let id = shop.asks(&order, 0).await.expect(201).id();
    shop.does(&id, "proceed", json!({})).await.expect(200);
    shop.manages(&id, "begin-refund", json!({})).await.expect(200);
    shop.manages(&id, "refund", json!({"refunded_on": "2026-01-05"})).await.expect(200);
    shop.does(&id, "close", json!({})).await.expect(200);
    service.house.settle().await;
    let customer = format!("/v1/customers/{}", service.customer);
    assert_eq!(service.shows(&customer).await["lifecycle"], "cancelled_buyer");
    let asset = service.sells("SN-9", None).await;
    assert_eq!(service.shows(&customer).await["lifecycle"], "cancelled_buyer");
    let deliver = format!("/v1/assets/{asset}/deliver");
    service.key.post(&deliver, json!({"delivered_on": "2026-01-05"})).await.expect(200);
    assert_eq!(service.shows(&customer).await["lifecycle"], "buyer");
}

#[tokio::test]
async fn of_two_who_take_the_same_cancellation_in_one_does_and_a_refund_is_noted_once() {
    let shop = Showroom::opens().await;
    let order = shop.sells().await;
    let (one, two) = futures::join!(shop.asks(&order, 0), shop.asks(&order, 0));
    let (case, late) = if one.status == 201 { (one, two) } else { (two, one) };
    late.refused(409, "cancellation_open");
    let id = case.id();
    for verb in ["proceed", "begin-refund"] {
        shop.manages(&id, verb, json!({})).await.expect(200);
    }
    let refund = || shop.manages(&id, "refund", json!({"refunded_on": "2026-01-05"}));
    let by_order = json!({"refunded_on": "2026-01-05"});
    let path = format!("/v1/orders/{order}/refund");
    let by_order = shop.service.key.post(&path, by_order);
    let (one, two, _either) = futures::join!(refund(), refund(), by_order);
    assert_eq!(
        [&one, &two].iter().filter(|reply| reply.status == 200).count(),
        1,
        "{one:?} {two:?}"
    );
    shop.service.house.settle().await;
    let order = shop.service.shows(&format!("/v1/orders/{order}")).await;
    assert_eq!(order["status"], "refunded");
}
