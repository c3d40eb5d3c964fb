//! Whoever calls can ask who they are.

use crate::{
    house::House,
    identity::{SignInPlace, exchanges, manager, pass_seconds, token_of},
};
use domain::identity::{Role, Scope};
use reqwest::Method;
use serde_json::{Value, json};

/// The scopes of a role, as they are told.
fn scopes(role: Role) -> Value {
    json!(role.scopes().into_iter().map(Scope::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_program_reads_what_its_key_opens() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let live = house.bearer(founded.live_key.reveal());
    let first = live.get("/v1/me").await.expect(200);
    let tenant = json!({"id": founded.twins.live.to_string(), "slug": "clearwater",
        "name": "clearwater", "mode": "live"});
    assert_eq!(first["tenant"], tenant);
    assert_eq!(first["actor"]["kind"], "api_key");
    assert_eq!((&first["rank"], &first["sees"]), (&json!(60), &json!("brand")));
    assert_eq!((&first["dealer_id"], &first["expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(first["scopes"].as_array().unwrap().len(), Scope::ALL.len());
    let test = house.bearer(founded.test_key.reveal()).get("/v1/me").await.expect(200);
    assert_eq!(test["tenant"]["id"], founded.twins.test.to_string());
    assert_eq!(test["tenant"]["mode"], "test");

    let (dealer, _) = manager(&live).await;
    let ends = house.now().plus_hours(1);
    let asked = json!({"name": "till", "dealer_id": dealer, "scopes": ["orders:read"],
        "expires_at": ends});
    let made = live.post("/v1/api-keys", asked).await.expect(201);
    let till = house.bearer(made["secret"].as_str().unwrap());
    let shown = till.get("/v1/me").await.expect(200);
    let actor = json!({"kind": "api_key", "id": made.id(), "name": "till"});
    assert_eq!(shown["actor"], actor);
    assert_eq!((&shown["sees"], &shown["dealer_id"]), (&json!("dealer"), &json!(dealer)));
    assert_eq!(shown["scopes"], json!(["orders:read"]));
    assert_eq!(shown["expires_at"], ends.to_string());

    // A token ends after a quarter of an hour, and no later than its key.
    let token = house.bearer(&exchanges(&house, &made).await);
    let of_token = token.get("/v1/me").await.expect(200);
    assert_eq!(of_token["actor"], actor);
    assert_eq!(of_token["expires_at"], house.now().plus_minutes(15).to_string());
    pass_seconds(&house, 3_000);
    let token = house.bearer(&exchanges(&house, &made).await);
    assert_eq!(token.get("/v1/me").await.expect(200)["expires_at"], ends.to_string());
    pass_seconds(&house, 600);
    till.get("/v1/me").await.refused(401, "unauthorized");
    token.get("/v1/me").await.refused(401, "unauthorized");
    house.stranger().get("/v1/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_person_reads_their_own_name_role_and_reach() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.test_key.reveal());
    let (dealer, staff) = manager(&key).await;
    let token = token_of(&key, &staff, json!([])).await.expect(201);
    let shown = house.bearer(token["access_token"].as_str().unwrap()).get("/v1/me").await;
    let me = json!({
        "tenant": {"id": founded.twins.test.to_string(), "slug": "clearwater", "name": "clearwater", "mode": "test"},
        "actor": {"kind": "staff", "id": staff, "name": "李娜"},
        "rank": 30, "sees": "dealer", "dealer_id": dealer, "scopes": scopes(Role::Manager),
        "expires_at": house.now().plus_minutes(15),
    });
    assert_eq!(shown.expect(200).body, me);

    let details = json!({"name": "王伟", "role": "technician", "dealer_id": dealer});
    let technician = key.post("/v1/staff", details).await.expect(201).id();
    let token = token_of(&key, &technician, json!(["visits:read"])).await.expect(201);
    let shown = house.bearer(token["access_token"].as_str().unwrap()).get("/v1/me").await;
    assert_eq!(shown["sees"], "own_visits");
    assert_eq!(shown["scopes"], json!(["visits:read"]));
}

#[tokio::test]
async fn who_signed_in_elsewhere_reads_when_that_ends() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let tenant = founded.twins.live.to_string();
    let key = house.bearer(founded.live_key.reveal());
    let place = SignInPlace::opens().await;
    let issuer = key.post("/v1/issuers", place.details("eddsa")).await.expect(201).id();
    let details =
        json!({"name": "陈静", "role": "brand_admin", "issuer_id": issuer, "subject": "u-1"});
    let staff = key.post("/v1/staff", details).await.expect(201).id();
    let person = house.bearer(&place.token(&house, &json!({})));
    let request = person.request(Method::GET, "/v1/me").header("aftercare-tenant", tenant);
    let shown = person.send(request).await.expect(200);
    assert_eq!(shown["actor"], json!({"kind": "staff", "id": staff, "name": "陈静"}));
    assert_eq!((&shown["sees"], &shown["rank"]), (&json!("brand"), &json!(60)));
    assert_eq!(shown["expires_at"], house.now().plus_minutes(10).to_string());
}
