//! What a gesture gives, when it stands in the brand's inventory.

use super::{Shop, created, gesture, told};
use serde_json::{Value, json};

impl Shop {
    /// A service of the inventory with this code, and with `more` said about it.
    async fn service(&self, code: &str, more: &Value) -> String {
        let mut item = json!({"code": code, "name": "墙面检查", "class": "service", "category": "product",
            "phase": "after", "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
            "perceived_value_minor": 12_000, "relation_value": 3});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        created(&self.brand, "/v1/service-items", item).await
    }

    /// A gift of the catalogue that costs so much, and with `more` said about it.
    async fn catalogues(&self, code: &str, cost_minor: i64, more: &Value) -> String {
        let mut gift = json!({"code": code, "name": "月饼", "currency": "CNY", "cost_minor": cost_minor,
            "perceived_value_minor": 6_800});
        gift.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        created(&self.brand, "/v1/gifts", gift).await
    }

    /// What the clerk would like to do, of this kind and with these items.
    fn wish(&self, kind: &str, estimate_minor: i64, items: &Value) -> Value {
        let mut wish = self.gift(estimate_minor);
        wish["kind"] = kind.into();
        wish.as_object_mut().unwrap().extend(items.as_object().unwrap().clone());
        wish
    }
}

#[tokio::test]
async fn a_gesture_says_which_service_and_which_gift_it_gives() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let check = shop.service("wall-check", &json!({})).await;
    let cake = shop.catalogues("moon-cake", 2_800, &json!({})).await;
    let both = json!({"service_item_id": check, "gift_id": cake});
    let wish = shop.wish("personalised_service", 4_000, &both);
    let given = shop.clerk.post("/v1/gestures", wish).await.expect(201);
    assert_eq!((&given["service_item_id"], &given["gift_id"]), (&json!(check), &json!(cake)));
    assert_eq!((&given["category"], &given["tangible"]), (&json!("product"), &json!(true)));
    assert_eq!(given["perceived_value_minor"], 18_800);
    let found = shop.clerk.get(&format!("/v1/gestures?gift_id={cake}")).await.expect(200);
    assert_eq!(found.data().len(), 1);
    let found = shop.clerk.get(&format!("/v1/gestures?service_item_id={check}")).await.expect(200);
    assert_eq!(found.data()[0]["id"], given.id());
    let nobody = json!({"gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk"});
    let refused = shop.clerk.post("/v1/gestures", shop.wish("gift", 100, &nobody)).await;
    let refused = refused.refused(422, "unknown_reference");
    assert_eq!(refused["errors"][0]["pointer"], "/gift_id");
}

#[tokio::test]
async fn what_cannot_be_given_is_refused_and_nothing_is_held() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let gone = shop.service("wall-check", &json!({})).await;
    shop.brand.post(&format!("/v1/service-items/{gone}/retire"), json!({})).await.expect(200);
    let none_left = shop.catalogues("moon-cake", 2_800, &json!({"stock": 0})).await;
    let foreign = shop.catalogues("biscuits", 300, &json!({"currency": "EUR"})).await;
    let band = json!({"least_margin_minor": 40_001});
    let dear = shop.catalogues("silk-scarf", 4_000, &band).await;
    for (items, status, code) in [
        (json!({"service_item_id": gone}), 409, "gesture_item_retired"),
        (json!({"gift_id": none_left}), 409, "gift_sold_out"),
        (json!({"gift_id": foreign}), 422, "gift_in_other_currency"),
        (json!({"gift_id": dear}), 409, "gift_outside_margin"),
    ] {
        let refused = shop.clerk.post("/v1/gestures", shop.wish("gift", 100, &items)).await;
        refused.refused(status, code);
    }
    assert_eq!(shop.books().await, (10_000, 0));
    shop.sells(40_001).await;
    let scarf = shop.wish("gift", 4_000, &json!({"gift_id": dear}));
    shop.clerk.post("/v1/gestures", scarf).await.expect(201);
}

#[tokio::test]
async fn a_limit_may_be_for_a_category_of_services() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let limit = json!({"role": "clerk", "currency": "CNY", "category": "value_added", "per_request_minor": 1_000});
    shop.brand.post("/v1/authority-limits", limit.clone()).await.expect(201);
    shop.brand.post("/v1/authority-limits", limit).await.refused(409, "already_exists");
    let check = shop.service("wall-check", &json!({})).await;
    let walk = shop.service("dog-walk", &json!({"category": "value_added"})).await;
    let asks = async |items: Value| {
        let wish = shop.wish("personalised_service", 1_001, &items);
        shop.clerk.post("/v1/gestures", wish).await.expect(201)
    };
    assert_eq!(asks(json!({})).await["state"], "approved");
    assert_eq!(asks(json!({"service_item_id": check})).await["state"], "approved");
    let waits = asks(json!({"service_item_id": walk})).await;
    assert_eq!((told(&waits), &waits["required_rank"]), (vec!["per_request"], &json!(30)));
    assert_eq!(waits["failed_limits"][0]["most_minor"], 1_000);
}

#[tokio::test]
async fn a_heavy_thing_is_one_whatever_the_gesture_is_called() {
    let shop = Shop::opens().await;
    shop.sells(40_000).await;
    let rules = json!({"currency": "CNY", "most_gift_minor": 2_000, "gifts_per_customer_year": 1});
    shop.brand.post("/v1/gesture-rules", rules).await.expect(201);
    let basket = shop.service("fruit-basket", &json!({"tangible": true})).await;
    let wish =
        |estimate| shop.wish("personalised_service", estimate, &json!({"service_item_id": basket}));
    let refused = shop.clerk.post("/v1/gestures", wish(2_001)).await.refused(409, "heavy_gift");
    assert_eq!(told(&refused), ["gift_weight"]);
    let light = shop.clerk.post("/v1/gestures", wish(2_000)).await.expect(201);
    let bill = json!({"actual_minor": 2_000});
    shop.clerk.post(&gesture(&light, "fulfil"), bill).await.expect(200);
    shop.clerk.post("/v1/gestures", wish(1)).await.refused(409, "gifts_too_often");
}
