//! Programs and people say who they are.

use crate::house::{Client, House, Reply};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use axum::{Json, Router, routing::get};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Lets time go by; everything that was looked up before is looked up again.
pub(crate) fn pass_seconds(house: &House, seconds: i64) {
    house.clock.set(house.now().plus_seconds(seconds));
}

/// Makes a key; answers the answer.
pub(crate) async fn makes_key(caller: &Client, scopes: &[&str]) -> Reply {
    caller.post("/v1/api-keys", json!({"name": "ERP", "scopes": scopes})).await
}

/// The secret of a key that was made.
pub(crate) fn secret(made: &Reply) -> String {
    made["secret"].as_str().unwrap().to_owned()
}

/// Asks for a token with a form.
async fn asks(house: &House, form: &[(&str, &str)]) -> Reply {
    let stranger = house.stranger();
    stranger.send(fills_in(stranger.request(Method::POST, "/oauth/token"), form)).await
}

/// Sends fields as an HTML form does; ours have no characters that need more than this.
fn fills_in(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let fields: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(fields.join("&").replace(' ', "+"))
}

/// Exchanges a key for a token.
pub(crate) async fn exchanges(house: &House, made: &Reply) -> String {
    let (id, secret) = (made.id(), secret(made));
    let form =
        [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    let answer = asks(house, &form).await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_keys_open_the_brand_and_its_sandbox() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let live = house.bearer(founded.live_key.reveal()).get("/v1/brand").await.expect(200);
    let test = house.bearer(founded.test_key.reveal()).get("/v1/brand").await.expect(200);
    assert_eq!((&live["mode"], &test["mode"]), (&json!("live"), &json!("test")));
    assert_eq!(test["sandbox_of"], live["id"]);
    assert_eq!(live["id"], founded.twins.live.to_string());
}

#[tokio::test]
async fn a_key_is_shown_once_and_opens_what_it_was_made_for() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let asked = json!({"name": "ERP", "scopes": ["customers:read", "dealers:read"]});
    let made = first.post_keyed("/v1/api-keys", "one", asked.clone()).await.expect(201);
    assert!(secret(&made).starts_with(made["prefix"].as_str().unwrap()));
    let again = first.post_keyed("/v1/api-keys", "one", asked).await.expect(201);
    assert_eq!((&again["id"], &again["secret"]), (&made["id"], &Value::Null));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let shown = first.get(&format!("/v1/api-keys/{}", made.id())).await.expect(200);
    assert!(!shown.text.contains(&secret(&made)));

    let erp = house.bearer(&secret(&made));
    erp.get("/v1/dealers").await.expect(200);
    let refused = erp.get("/v1/staff").await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "staff:read");
    let used = first.get(&format!("/v1/api-keys/{}", made.id())).await.expect(200);
    assert_eq!(used["last_used_at"], house.now().to_string());
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    makes_key(&first, &[]).await.refused(422, "no_scopes");
    makes_key(&first, &["customers:fly"]).await.refused(422, "invalid_body");
    let limited = makes_key(&first, &["keys:write", "customers:read"]).await.expect(201);
    let limited = house.bearer(&secret(&limited));
    makes_key(&limited, &["customers:read"]).await.expect(201);
    let refused = makes_key(&limited, &["customers:read", "customers:write"]).await;
    let refused = refused.refused(403, "scopes_beyond_yours");
    assert_eq!(refused["scopes"], json!(["customers:write"]));
}

#[tokio::test]
async fn a_key_for_one_dealer_sees_that_dealer() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let own = first.post("/v1/dealers", json!({"code": "own", "name": "x"})).await.id();
    let other = first.post("/v1/dealers", json!({"code": "other", "name": "x"})).await.id();
    let scopes = json!(["keys:write", "dealers:read", "dealers:write"]);
    let asked = json!({"name": "till", "dealer_id": own, "scopes": scopes});
    let made = first.post("/v1/api-keys", asked.clone()).await.expect(201);
    let key = house.bearer(&secret(&made));
    assert_eq!(key.get("/v1/dealers").await.expect(200).data().len(), 1);
    key.get(&format!("/v1/dealers/{other}")).await.refused(404, "not_found");
    let third = key.post("/v1/dealers", json!({"code": "third", "name": "x"})).await;
    third.refused(403, "dealers_are_the_brands");
    key.post("/v1/api-keys", asked).await.expect(201);
    makes_key(&key, &["dealers:read"]).await.refused(403, "dealer_beyond_yours");

    first.post(&format!("/v1/dealers/{own}/close"), json!({})).await.expect(200);
    pass_seconds(&house, 5);
    key.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_key_ends_at_its_instant_and_a_revoked_one_within_five_seconds() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let until = |seconds| {
        let expires_at = house.now().plus_seconds(seconds).to_string();
        json!({"name": "ERP", "scopes": ["dealers:read"], "expires_at": expires_at})
    };
    first.post("/v1/api-keys", until(0)).await.refused(422, "already_expired");
    let made = first.post("/v1/api-keys", until(1)).await.expect(201);
    let short = house.bearer(&secret(&made));
    short.get("/v1/dealers").await.expect(200);
    pass_seconds(&house, 1);
    short.get("/v1/dealers").await.refused(401, "unauthorized");

    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let token = exchanges(&house, &made).await;
    let (key, token) = (house.bearer(&secret(&made)), house.bearer(&token));
    key.get("/v1/dealers").await.expect(200);
    token.get("/v1/dealers").await.expect(200);
    let revoke = format!("/v1/api-keys/{}/revoke", made.id());
    let revoked = first.post(&revoke, json!({})).await.expect(200);
    assert_eq!(revoked["revoked_at"], house.now().to_string());
    first.post(&revoke, json!({})).await.refused(409, "illegal_transition");
    pass_seconds(&house, 5);
    key.get("/v1/dealers").await.refused(401, "unauthorized");
    token.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_clock_that_is_put_back_keeps_no_revoked_key_alive() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let key = house.bearer(&secret(&made));
    key.get("/v1/dealers").await.expect(200);
    first.post(&format!("/v1/api-keys/{}/revoke", made.id()), json!({})).await.expect(200);
    pass_seconds(&house, -3_600);
    key.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_lasts_fifteen_minutes() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read", "staff:read"]).await.expect(201);
    let basic = STANDARD.encode(format!("{}:{}", made.id(), secret(&made)));
    let stranger = house.stranger();
    let request = stranger.request(Method::POST, "/oauth/token");
    let request = request.header("authorization", format!("Basic {basic}"));
    let form = [("grant_type", "client_credentials"), ("scope", "dealers:read")];
    let answer = stranger.send(fills_in(request, &form)).await.expect(200);
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&json!("Bearer"), &json!(900), &json!("dealers:read"))
    );
    assert_eq!(answer.header("cache-control"), "no-store");

    let token = house.bearer(answer["access_token"].as_str().unwrap());
    token.get("/v1/dealers").await.expect(200);
    token.get("/v1/staff").await.refused(403, "forbidden");
    pass_seconds(&house, 899);
    token.get("/v1/dealers").await.expect(200);
    pass_seconds(&house, 1);
    token.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn who_asks_for_a_token_wrongly_is_told_in_the_words_of_oauth() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let other = makes_key(&first, &["dealers:read"]).await.expect(201).id();
    let (id, secret) = (made.id(), secret(&made));
    let (id, secret) = (("client_id", id.as_str()), ("client_secret", secret.as_str()));
    let grant = ("grant_type", "client_credentials");
    let wrong: [(&[(&str, &str)], u16, &str); 7] = [
        (&[grant], 401, "invalid_client"),
        (&[grant, id, ("client_secret", "x")], 401, "invalid_client"),
        (&[grant, ("client_id", &other), secret], 401, "invalid_client"),
        (&[id, secret], 400, "invalid_request"),
        (&[("grant_type", "password"), id, secret], 400, "unsupported_grant_type"),
        (&[grant, id, secret, ("scope", "staff:read")], 400, "invalid_scope"),
        (&[grant, grant, id, secret], 400, "invalid_request"),
    ];
    for (form, status, error) in wrong {
        let refused = asks(&house, form).await.expect(status);
        assert_eq!(refused["error"], error, "{form:?}");
    }
    let posted = house.stranger().post("/oauth/token", json!({})).await.expect(400);
    assert_eq!(posted["error"], "invalid_request");
}

#[tokio::test]
async fn keys_take_turns_and_no_token_is_refused_for_it() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let kids = async || -> Vec<String> {
        let keys = house.stranger().get("/.well-known/jwks.json").await.expect(200);
        let keys = keys["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let before = kids().await;
    assert_eq!(before.len(), 1);
    for _ in 0..32 {
        let token = exchanges(&house, &made).await;
        house.bearer(&token).get("/v1/dealers").await.expect(200);
        pass_seconds(&house, 890);
        house.bearer(&token).get("/v1/dealers").await.expect(200);
        pass_seconds(&house, 86_400 - 890);
    }
    let after = kids().await;
    assert!(!after.contains(&before[0]), "the first key is gone: {after:?}");

    let token = exchanges(&house, &made).await;
    let secret = store::secrets::SecretKey::from_text("a secret of many characters for stories");
    let now_signs = house.store.rotate_signing_keys(&secret.unwrap()).await.unwrap();
    house.bearer(&token).get("/v1/dealers").await.expect(200);
    pass_seconds(&house, 5);
    let token = exchanges(&house, &made).await;
    assert_eq!(kid(&token), now_signs.to_string());

    let owner = house.owner().await;
    let sealed = "SELECT 1 FROM ac.signing_key WHERE position('\\x302e'::bytea IN sealed) > 0
                  OR (state = 'retired') <> (sealed IS NULL)";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sealed);
    use sea_orm::ConnectionTrait as _;
    assert!(owner.query_one_raw(statement).await.unwrap().is_none());
}

/// The key that signed a token.
fn kid(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_was_withdrawn_opens_nothing_within_five_seconds() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let first = house.bearer(founded.live_key.reveal());
    let made = makes_key(&first, &["dealers:read"]).await.expect(201);
    let secret = store::secrets::SecretKey::from_text("a secret of many characters for stories");
    let secret = secret.unwrap();
    // Once the key that signs, and once one that signed before it.
    for rotates in [false, true] {
        let token = exchanges(&house, &made).await;
        house.bearer(&token).get("/v1/dealers").await.expect(200);
        if rotates {
            house.store.rotate_signing_keys(&secret).await.unwrap();
        }
        let stolen = kid(&token);
        let next = house.store.withdraw_signing_key(&secret, stolen.parse().unwrap()).await;
        pass_seconds(&house, 5);
        house.bearer(&token).get("/v1/dealers").await.refused(401, "unauthorized");
        let token = exchanges(&house, &made).await;
        assert_eq!(kid(&token), next.unwrap().to_string());
        house.bearer(&token).get("/v1/dealers").await.expect(200);
        let published = house.stranger().get("/.well-known/jwks.json").await.expect(200);
        assert!(!published.text.contains(&stolen), "{published:?}");
        let again = house.store.withdraw_signing_key(&secret, stolen.parse().unwrap()).await;
        assert!(matches!(again, Err(store::Failure::NotFound)), "{again:?}");
    }
}

#[tokio::test]
async fn a_suspended_brand_is_read_and_not_changed_and_its_jobs_wait() {
    let house = House::opens().await;
    let (founded, other) = (house.founds("clearwater").await, house.founds("other").await);
    let key = house.bearer(founded.live_key.reveal());
    let sandbox = house.bearer(founded.test_key.reveal());
    let dealer = json!({"code": "own", "name": "x"});
    key.get("/v1/dealers").await.expect(200);
    let slug = "clearwater".parse().unwrap();
    house.store.suspend_tenant(&slug).await.unwrap();
    pass_seconds(&house, 5);
    for caller in [&key, &sandbox] {
        caller.get("/v1/dealers").await.expect(200);
        caller.post("/v1/dealers", dealer.clone()).await.refused(409, "brand_suspended");
    }
    let made = makes_key(&key, &["dealers:read"]).await;
    made.refused(409, "brand_suspended");
    house.bearer(other.live_key.reveal()).post("/v1/dealers", dealer.clone()).await.expect(201);

    house.settle().await;
    let waiting =
        async |client: &Client| client.get("/v1/jobs?state=ready").await.expect(200).data().len();
    let before = (waiting(&key).await, waiting(&sandbox).await);
    house.pass_days(2).await;
    assert_eq!((waiting(&key).await, waiting(&sandbox).await), before);
    assert!(before.0 > 0 && before.1 > 0, "there are jobs that wait: {before:?}");
    let done = house.bearer(other.live_key.reveal()).get("/v1/jobs?state=done").await.expect(200);
    assert!(!done.data().is_empty(), "others go on");

    house.store.resume_tenant(&slug).await.unwrap();
    pass_seconds(&house, 5);
    key.post("/v1/dealers", dealer).await.expect(201);
    house.settle().await;
    assert!(!key.get("/v1/jobs?state=done").await.expect(200).data().is_empty());
    let told = key.get("/v1/audit-entries?limit=200").await.expect(200);
    assert!(told.text.contains("\"suspend\"") && told.text.contains("\"resume\""), "{told:?}");
}

/// A dealer and a manager of it; answers both identifiers.
pub(crate) async fn manager(key: &Client) -> (String, String) {
    let dealer = key.post("/v1/dealers", json!({"code": "one", "name": "x"})).await.id();
    let details = json!({"name": "李娜", "role": "manager", "dealer_id": dealer});
    let staff = key.post("/v1/staff", details).await.expect(201).id();
    (dealer, staff)
}

/// A token in somebody's name.
pub(crate) async fn token_of(key: &Client, staff: &str, scopes: Value) -> Reply {
    key.post(&format!("/v1/staff/{staff}/tokens"), json!({"scopes": scopes})).await
}

#[tokio::test]
async fn in_the_sandbox_a_key_speaks_for_a_person() {
    let house = House::in_production().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.test_key.reveal());
    let (dealer, staff) = manager(&key).await;
    let answer = token_of(&key, &staff, json!([])).await.expect(201);
    let person = house.bearer(answer["access_token"].as_str().unwrap());
    assert_eq!(person.get("/v1/dealers").await.expect(200).data().len(), 1);
    person.get("/v1/jobs").await.refused(403, "forbidden");
    let narrow = token_of(&key, &staff, json!(["dealers:read"])).await.expect(201);
    let narrow = house.bearer(narrow["access_token"].as_str().unwrap());
    narrow.get("/v1/staff").await.refused(403, "forbidden");
    let beyond = token_of(&key, &staff, json!(["tenant:write"])).await;
    beyond.refused(403, "scope_not_granted");
    person.post(&format!("/v1/staff/{staff}/tokens"), json!({})).await.refused(403, "forbidden");

    let live = house.bearer(founded.live_key.reveal());
    let (_, live_staff) = manager(&live).await;
    let refused = token_of(&live, &live_staff, json!([])).await;
    refused.refused(409, "staff_tokens_are_for_trying_out");
    drop(dealer);
}

#[tokio::test]
async fn a_changed_rank_acts_within_five_seconds_on_tokens_that_are_out() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.test_key.reveal());
    let (dealer, staff) = manager(&key).await;
    let answer = token_of(&key, &staff, json!([])).await.expect(201);
    let person = house.bearer(answer["access_token"].as_str().unwrap());
    person.get("/v1/staff").await.expect(200);

    let path = format!("/v1/staff/{staff}");
    let read = key.get(&path).await.expect(200);
    let demoted = key.patch(&path, read.etag(), json!({"role": "clerk"})).await.expect(200);
    pass_seconds(&house, 5);
    person.get("/v1/staff").await.refused(403, "forbidden");
    person.get("/v1/dealers").await.expect(200);
    key.patch(&path, demoted.etag(), json!({"role": "owner"})).await.expect(200);
    pass_seconds(&house, 5);
    person.get("/v1/staff").await.expect(200);

    key.post(&format!("/v1/dealers/{dealer}/close"), json!({})).await.expect(200);
    pass_seconds(&house, 5);
    person.get("/v1/staff").await.refused(401, "unauthorized");
    key.post(&format!("/v1/dealers/{dealer}/reopen"), json!({})).await.expect(200);
    key.post(&format!("{path}/leave"), json!({})).await.expect(200);
    pass_seconds(&house, 5);
    person.get("/v1/staff").await.refused(401, "unauthorized");
    let refused = token_of(&key, &staff, json!([])).await;
    refused.refused(409, "illegal_transition");
}

/// The place where a brand's people sign in.
pub(crate) struct SignInPlace {
    pair: Ed25519KeyPair,
    url: String,
}

impl SignInPlace {
    pub(crate) async fn opens() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "x": x});
        let keys = json!({"keys": [key]});
        let router = Router::new().route("/keys", get(|| async { Json(keys) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { pair, url }
    }

    /// Its public key, as it publishes it.
    pub(crate) fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    pub(crate) fn details(&self, algorithm: &str) -> Value {
        json!({"name": "Sign-in", "issuer": self.url, "audience": "aftercare",
            "jwks_url": format!("{}/keys", self.url), "algorithm": algorithm})
    }

    /// A token with these claims beside the usual ones.
    pub(crate) fn token(&self, house: &House, changes: &Value) -> String {
        let now = house.now().unix_seconds();
        let mut claims = json!({"iss": self.url, "aud": "aftercare", "sub": "u-1", "iat": now, "exp": now + 600});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "one"});
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Shows the brand to whoever carries `token` and says to come to `tenant`.
async fn visits(house: &House, token: &str, tenant: &str) -> Reply {
    let person = house.bearer(token);
    let request = person.request(Method::GET, "/v1/brand").header("aftercare-tenant", tenant);
    person.send(request).await
}

#[tokio::test]
async fn people_sign_in_where_their_brand_says() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let tenant = founded.twins.live.to_string();
    let key = house.bearer(founded.live_key.reveal());
    let place = SignInPlace::opens().await;
    let issuer = key.post("/v1/issuers", place.details("eddsa")).await.expect(201);
    key.post("/v1/issuers", place.details("eddsa")).await.refused(409, "already_exists");
    let (_, staff) = manager(&key).await;
    let path = format!("/v1/staff/{staff}");
    let read = key.get(&path).await;
    let signs_in = json!({"issuer_id": issuer.id(), "subject": "u-1"});
    key.patch(&path, read.etag(), signs_in).await.expect(200);

    let token = place.token(&house, &json!({}));
    visits(&house, &token, &tenant).await.expect(200);
    let several = place.token(&house, &json!({"aud": ["other", "aftercare"]}));
    visits(&house, &several, &tenant).await.expect(200);
    house.bearer(&token).get("/v1/brand").await.refused(401, "unauthorized");
    let sandbox = founded.twins.test.to_string();
    visits(&house, &token, &sandbox).await.refused(401, "unauthorized");
    let rival = house.founds("rival").await.twins.live.to_string();
    visits(&house, &token, &rival).await.refused(401, "unauthorized");
    let now = house.now().unix_seconds();
    for changes in [
        json!({"sub": "u-2"}),
        json!({"aud": "other"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": now - 60}),
        json!({"nbf": now + 61}),
        json!({"sub": null}),
    ] {
        let token = place.token(&house, &changes);
        visits(&house, &token, &tenant).await.refused(401, "unauthorized");
    }
    let stranger = SignInPlace::opens().await;
    let forged = stranger.token(&house, &json!({"iss": place.url}));
    visits(&house, &forged, &tenant).await.refused(401, "unauthorized");

    let issuers = format!("/v1/issuers/{}", issuer.id());
    let other = json!({"algorithm": "es256"});
    let changed = key.patch(&issuers, issuer.etag(), other).await.expect(200);
    pass_seconds(&house, 5);
    visits(&house, &token, &tenant).await.refused(401, "unauthorized");
    key.patch(&issuers, changed.etag(), json!({"algorithm": "eddsa"})).await.expect(200);
    pass_seconds(&house, 5);
    visits(&house, &token, &tenant).await.expect(200);
    key.post(&format!("{issuers}/disable"), json!({})).await.expect(200);
    pass_seconds(&house, 5);
    visits(&house, &token, &tenant).await.refused(401, "unauthorized");
    key.post(&format!("{issuers}/enable"), json!({})).await.expect(200);
    pass_seconds(&house, 5);
    visits(&house, &token, &tenant).await.expect(200);
}

#[tokio::test]
async fn a_production_server_calls_nobody_on_its_own_machine() {
    let house = House::in_production().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let place = SignInPlace::opens().await;
    let refused = key.post("/v1/issuers", place.details("eddsa")).await;
    refused.refused(422, "address_not_public");
    let mut details = place.details("eddsa");
    details["issuer"] = json!("https://login.example.com");
    details["jwks_url"] = json!("http://login.example.com/keys");
    let refused = key.post("/v1/issuers", details).await.refused(422, "invalid_body");
    assert_eq!(refused["errors"][0]["pointer"], "/jwks_url");
}

#[tokio::test]
async fn who_calls_too_often_waits() {
    let house = House::with_limit(3).await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let first = key.get("/v1/brand").await.expect(200);
    assert_eq!(first.header("x-ratelimit-limit"), "3");
    assert_eq!(first.header("ratelimit"), "\"caller\";r=2;t=1");
    assert!(first.header("ratelimit-policy").starts_with("\"caller\";q=3;w=3, \"tenant\";q="));
    key.get("/v1/brand").await.expect(200);
    key.get("/v1/brand").await.expect(200);
    let stopped = key.get("/v1/brand").await.refused(429, "too_many_requests");
    assert_eq!(stopped.header("retry-after"), "1");
    assert_eq!(stopped.header("x-ratelimit-remaining"), "0");
    let other = house.bearer(founded.test_key.reveal());
    other.get("/v1/brand").await.expect(200);
}

/// Calls as a browser does for a page of `origin`.
async fn browses(client: &Client, method: Method, origin: &str) -> Reply {
    let request = client.request(method.clone(), "/v1/brand").header("origin", origin);
    let request = if method == Method::OPTIONS {
        request.header("access-control-request-method", "GET")
    } else {
        request
    };
    client.send(request).await
}

#[tokio::test]
async fn browsers_may_ask_from_the_origins_of_the_brand_and_from_no_other() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let rival = house.founds("rival").await;
    let ours = "https://app.clearwater.example";
    let key = house.bearer(founded.live_key.reveal());
    let brand = key.get("/v1/brand").await;
    key.patch("/v1/brand", brand.etag(), json!({"cors_origins": [ours]})).await.expect(200);
    pass_seconds(&house, 5);

    let allowed = |reply: &Reply| reply.header("access-control-allow-origin").to_owned();
    let asked = browses(&house.stranger(), Method::OPTIONS, ours).await.expect(204);
    assert_eq!(allowed(&asked), ours);
    assert!(asked.header("access-control-allow-headers").contains("idempotency-key"));
    let asked = browses(&house.stranger(), Method::OPTIONS, "https://evil.example").await;
    assert_eq!(allowed(&asked.expect(204)), "");

    let shown = browses(&key, Method::GET, ours).await.expect(200);
    assert_eq!(allowed(&shown), ours);
    assert!(shown.header("access-control-expose-headers").contains("etag"));
    assert_eq!(shown.header("access-control-allow-credentials"), "");
    let shown = browses(&key, Method::GET, "https://evil.example").await.expect(200);
    assert_eq!((allowed(&shown), shown.header("vary").contains("origin")), (String::new(), true));
    let rival = house.bearer(rival.live_key.reveal());
    assert_eq!(allowed(&browses(&rival, Method::GET, ours).await.expect(200)), "");
    let expired = browses(&house.bearer("x"), Method::GET, ours).await.refused(401, "unauthorized");
    assert_eq!(allowed(&expired), ours);
}
