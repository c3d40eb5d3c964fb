//! A brand keeps a list of what it does, and says for whom it is meant.

use super::{Shop, gift, item, mistake};
use domain::identity::Role;
use serde_json::{Value, json};

#[tokio::test]
async fn a_brand_keeps_a_list_of_what_it_does() {
    let shop = Shop::opens().await;
    let id = shop.item("wall-check", json!({"eligibility": "customer.tier == 'gold'"})).await;
    shop.item("call", json!({"class": "obligation", "contact_mode": "phone"})).await;
    let item = shop.key.get(&format!("/v1/service-items/{id}")).await.expect(200);
    assert_eq!((&item["mode"], &item["status"]), (&json!("standard"), &json!("active")));
    assert_eq!(item["eligibility"], "customer.tier == 'gold'");
    for (filter, code) in [
        ("class=obligation", "call"),
        ("contact_mode=in_person", "wall-check"),
        ("code=call", "call"),
        ("class=service&category=product&phase=after&mode=standard&status=active", "wall-check"),
    ] {
        let found = shop.key.get(&format!("/v1/service-items?{filter}")).await.expect(200);
        assert_eq!(found.data().len(), 1, "{filter}: {found:?}");
        assert_eq!(found.data()[0]["code"], code, "{filter}");
    }
    let again = shop.key.post("/v1/service-items", item_again()).await;
    again.refused(409, "already_exists");
}

fn item_again() -> Value {
    item("wall-check", json!({}))
}

#[tokio::test]
async fn an_item_is_changed_and_retired_and_keeps_its_code_and_class() {
    let shop = Shop::opens().await;
    let path = format!("/v1/service-items/{}", shop.item("wall-check", json!({})).await);
    let item = shop.key.get(&path).await.expect(200);
    let changed = shop.key.patch(&path, item.etag(), json!({"est_minutes": 20})).await.expect(200);
    assert_eq!((&changed["est_minutes"], &changed["version"]), (&json!(20), &json!(2)));
    shop.key
        .patch(&path, item.etag(), json!({"est_minutes": 5}))
        .await
        .refused(412, "stale_version");
    for (edit, code) in [
        (json!({"code": "other"}), "service_code_fixed"),
        (json!({"class": "obligation"}), "service_class_fixed"),
    ] {
        shop.key.patch(&path, changed.etag(), edit).await.refused(422, code);
    }
    let retired = shop.key.post(&format!("{path}/retire"), json!({})).await.expect(200);
    assert_eq!(retired["status"], "retired");
    let again = shop.key.post(&format!("{path}/retire"), json!({})).await;
    let again = again.refused(409, "illegal_transition");
    assert_eq!(again["allowed_transitions"], json!(["reinstate"]));
    let back = shop.key.post(&format!("{path}/reinstate"), json!({})).await.expect(200);
    assert_eq!(back["status"], "active");
}

#[tokio::test]
async fn a_dealers_people_read_the_inventory_and_do_not_write_it() {
    let shop = Shop::opens().await;
    let item_id = shop.item("call", json!({})).await;
    let (_, clerk) = shop.hires(Role::Clerk).await;
    clerk.get(&format!("/v1/service-items/{item_id}")).await.expect(200);
    clerk.post("/v1/conditions/try", json!({"condition": "true"})).await.expect(200);
    let refused = clerk.post("/v1/service-items", item("other", json!({}))).await;
    assert_eq!(refused.refused(403, "forbidden")["required_scope"], "inventory:write");
    let program = shop.house.dealer_key(shop.tenant, &shop.dealer);
    let refused = program.post("/v1/gifts", gift("tea", (1, 1), json!({}))).await;
    refused.refused(403, "shared_by_all_dealers");
}

/// Brackets behind a text in three quotation marks, so many that they would take the program down.
const HIDDEN: &str = "''' ' ''' == 'a' || ((((((((((((((((((((((((((((((true)))))))))))))))))))))))))))))) || ''' ' ''' == 'a'";

#[tokio::test]
async fn a_condition_that_never_ends_is_refused_when_it_is_saved() {
    let shop = Shop::opens().await;
    for (text, code) in [
        ("[1, 2].all(x, x > 0)", "condition_may_not_end"),
        ("customer.tier.matches('(a+)+$')", "condition_may_not_end"),
        ("customer.tier ==", "condition_malformed"),
        ("customer.tier.contains()", "condition_malformed"),
        (HIDDEN, "condition_malformed"),
        ("customer.name == 'x'", "condition_unknown_name"),
        ("((((((((((( true )))))))))))", "condition_too_complex"),
        ("", "blank"),
    ] {
        let refused =
            shop.key.post("/v1/service-items", item("a", json!({"eligibility": text}))).await;
        let refused = refused.refused(422, "invalid_body");
        assert_eq!(mistake(&refused), ("/eligibility".to_owned(), code.to_owned()), "{text}");
        let tried = shop.key.post("/v1/conditions/try", json!({"condition": text})).await;
        let tried = tried.refused(422, "invalid_body");
        assert_eq!(mistake(&tried), ("/condition".to_owned(), code.to_owned()), "{text}");
    }
    let none = shop.key.get("/v1/service-items").await.expect(200);
    assert_eq!(none.data().len(), 0);
}

#[tokio::test]
async fn a_condition_is_tried_out_before_and_after_it_is_saved() {
    let shop = Shop::opens().await;
    let hot = "place.region == \"hangzhou\" && weather.temp_c10 >= 350";
    let id = shop.item("heat-check", json!({"eligibility": hot})).await;
    let path = format!("/v1/service-items/{id}/eligibility/try");
    for (facts, outcome, missing) in [
        (
            json!({"place": {"region": "hangzhou"}, "weather": {"temp_c10": 350}}),
            "holds",
            json!([]),
        ),
        (
            json!({"place": {"region": "hangzhou"}, "weather": {"temp_c10": 349}}),
            "does_not_hold",
            json!([]),
        ),
        (json!({"place": {"region": "suzhou"}}), "does_not_hold", json!(["weather.temp_c10"])),
        (json!({"place": {"region": "hangzhou"}}), "undecided", json!(["weather.temp_c10"])),
    ] {
        let saved = shop.key.post(&path, json!({"facts": facts})).await.expect(200);
        assert_eq!((&saved["outcome"], &saved["missing"]), (&json!(outcome), &missing), "{facts}");
        let unsaved = json!({"condition": hot, "facts": facts});
        let unsaved = shop.key.post("/v1/conditions/try", unsaved).await.expect(200);
        assert_eq!(unsaved.body, saved.body);
    }
    // A reading that happens to be whole computes as any other.
    for (tds, outcome) in [(json!(35), "does_not_hold"), (json!(35.5), "holds")] {
        let reading = json!({"condition": "step.tds * 2 > 70", "facts": {"step": {"tds": tds}}});
        let tried = shop.key.post("/v1/conditions/try", reading).await.expect(200);
        assert_eq!(tried["outcome"], outcome, "{tds}");
    }
    let everybody = shop.item("call", json!({})).await;
    let path = format!("/v1/service-items/{everybody}/eligibility/try");
    let tried = shop.key.post(&path, json!({"facts": {}})).await.expect(200);
    assert_eq!(tried.body, json!({"outcome": "holds", "missing": []}));
    let misspelt = shop.key.post(&path, json!({"facts": {"client": {}}})).await;
    assert_eq!(mistake(&misspelt.refused(422, "invalid_body")).0, "/facts/client");
}
