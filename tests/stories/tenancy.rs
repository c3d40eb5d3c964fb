//! A brand enters its dealers, their sites, and the people who work there.

use crate::house::{Client, House, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

/// Enters a dealer; answers its identifier.
async fn dealer(key: &Client, code: &str) -> String {
    let details = json!({"code": code, "name": "杭州一店"});
    key.post("/v1/dealers", details).await.expect(201).id()
}

/// Opens a site of a dealer; answers its identifier.
async fn site(key: &Client, dealer: &str, code: &str) -> String {
    let details = json!({"code": code, "name": "西湖店", "tz": "Asia/Shanghai"});
    key.post(&format!("/v1/dealers/{dealer}/sites"), details).await.expect(201).id()
}

/// Enters somebody; answers what the service says.
async fn hires(caller: &Client, role: &str, dealer: Option<&str>, sites: &[&str]) -> Reply {
    let details = json!({"name": "王伟", "role": role, "dealer_id": dealer, "site_ids": sites});
    caller.post("/v1/staff", details).await
}

#[tokio::test]
async fn a_brand_shows_itself_and_says_where_its_front_ends_are() {
    let house = House::opens().await;
    let twins = house.brand("clearwater").await;
    let key = house.brand_key(twins.live);
    let brand = key.get("/v1/brand").await.expect(200);
    assert_eq!((&brand["mode"], &brand["sandbox_of"]), (&json!("live"), &Value::Null));

    let origins = json!({"cors_origins": ["https://app.clearwater.example"]});
    let changed = key.patch("/v1/brand", brand.etag(), origins.clone()).await.expect(200);
    assert_eq!(changed["cors_origins"], origins["cors_origins"]);
    key.patch("/v1/brand", brand.etag(), origins).await.refused(412, "stale_version");

    let sandbox = house.brand_key(twins.test).get("/v1/brand").await.expect(200);
    assert_eq!(sandbox["sandbox_of"], brand["id"]);
    assert_eq!(sandbox["cors_origins"], json!([]));
}

#[tokio::test]
async fn origins_are_exact_and_at_most_twenty() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let etag = key.get("/v1/brand").await.etag().to_owned();
    let origins = |count: usize| {
        let origins: Vec<_> = (0..count).map(|n| format!("https://app{n}.example.com")).collect();
        json!({"cors_origins": origins})
    };
    key.patch("/v1/brand", &etag, origins(21)).await.refused(422, "too_many_origins");
    let wildcard = key.patch("/v1/brand", &etag, json!({"cors_origins": ["*"]})).await;
    let wildcard = wildcard.refused(422, "invalid_body");
    assert_eq!(wildcard["errors"][0]["code"], "malformed_origin");
    key.patch("/v1/brand", &etag, origins(20)).await.expect(200);
}

#[tokio::test]
async fn a_dealer_is_entered_changed_closed_and_reopened() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let id = dealer(&key, "hangzhou-01").await;
    let again = json!({"code": "hangzhou-01", "name": "另一家"});
    key.post("/v1/dealers", again).await.refused(409, "already_exists");

    let path = format!("/v1/dealers/{id}");
    let read = key.get(&path).await.expect(200);
    let changed = key.patch(&path, read.etag(), json!({"tz": "Asia/Urumqi"})).await.expect(200);
    assert_eq!((&changed["tz"], &changed["name"]), (&json!("Asia/Urumqi"), &json!("杭州一店")));
    let cleared = key.patch(&path, changed.etag(), json!({"tz": null})).await.expect(200);
    assert_eq!(cleared["tz"], Value::Null);
    key.patch(&path, cleared.etag(), json!({"tz": "Asia/Nowhere"}))
        .await
        .refused(422, "invalid_body");
    key.patch(&path, cleared.etag(), json!({"status": "closed"}))
        .await
        .refused(422, "invalid_body");
    key.patch(&path, cleared.etag(), json!({"colour": null})).await.refused(422, "invalid_body");

    let closed = key.post(&format!("{path}/close"), json!({})).await.expect(200);
    assert_eq!(closed["status"], "closed");
    let twice = key.post(&format!("{path}/close"), json!({})).await;
    let twice = twice.refused(409, "illegal_transition");
    assert_eq!(twice["allowed_transitions"], json!(["reopen"]));
    let open = key.get("/v1/dealers?status=active").await.expect(200);
    assert_eq!(open.data().len(), 0);
    key.post(&format!("{path}/reopen"), json!({})).await.expect(200);
    let open = key.get("/v1/dealers?code=hangzhou-01&status=active").await.expect(200);
    assert_eq!(open.data().len(), 1);

    let timeline = key.get(&format!("/v1/audit-entries?subject={id}")).await.expect(200);
    let actions: Vec<_> = timeline.data().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["reopen", "close", "change", "change", "create"]);
}

#[tokio::test]
async fn a_site_belongs_to_its_dealer_and_opens_before_it_closes() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let (one, other) = (dealer(&key, "one").await, dealer(&key, "other").await);
    let id = site(&key, &one, "west-lake").await;
    site(&key, &other, "west-lake").await;
    let again = json!({"code": "west-lake", "name": "x", "tz": "Asia/Shanghai"});
    let again = key.post(&format!("/v1/dealers/{one}/sites"), again).await;
    again.refused(409, "already_exists");

    let path = format!("/v1/sites/{id}");
    let read = key.get(&path).await.expect(200);
    assert_eq!(read["hours"]["closes"], "18:00");
    let hours = json!({"hours": {"closes": "09:00"}});
    key.patch(&path, read.etag(), hours).await.refused(422, "closes_before_it_opens");
    let hours = json!({"hours": {"closes": "09:01"}});
    key.patch(&path, read.etag(), hours).await.expect(200);
    key.post(&format!("{path}/close"), json!({})).await.expect(200);
    let sites = key.get(&format!("/v1/sites?dealer_id={one}&status=closed")).await.expect(200);
    assert_eq!(sites.data().len(), 1);
    key.post(&format!("{path}/reopen"), json!({})).await.expect(200);
}

#[tokio::test]
async fn people_are_entered_where_they_belong() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let (one, other) = (dealer(&key, "one").await, dealer(&key, "other").await);
    let (near, far) = (site(&key, &one, "near").await, site(&key, &other, "far").await);

    let hired = hires(&key, "technician", Some(&one), &[&near]).await.expect(201);
    assert_eq!(hired["site_ids"], json!([near]));
    hires(&key, "technician", Some(&one), &[&far])
        .await
        .refused(422, "staff_site_of_another_dealer");
    hires(&key, "technician", None, &[]).await.refused(422, "role_needs_dealer");
    hires(&key, "auditor", Some(&one), &[]).await.refused(422, "role_is_the_brands");
    let nowhere = "dlr_01h455vb4pex5vsknk084sn02q";
    let unknown = hires(&key, "clerk", Some(nowhere), &[]).await.refused(422, "unknown_reference");
    assert_eq!(unknown["errors"][0]["pointer"], "/dealer_id");

    let path = format!("/v1/staff/{}", hired.id());
    let off = json!({"on_leave": {"from_on": "2026-12-24", "to_on": "2026-12-23"}});
    key.patch(&path, hired.etag(), off).await.refused(422, "leave_ends_before_it_begins");
    let signs_in = json!({"subject": "u-1"});
    key.patch(&path, hired.etag(), signs_in).await.refused(422, "sign_in_incomplete");
    let left = key.post(&format!("{path}/leave"), json!({})).await.expect(200);
    assert_eq!(left["status"], "left");
    let gone = key.get(&format!("/v1/staff?dealer_id={one}&status=left")).await.expect(200);
    assert_eq!(gone.data().len(), 1);
    key.post(&format!("{path}/rejoin"), json!({})).await.expect(200);
}

#[tokio::test]
async fn an_owner_decides_about_their_own_dealer_up_to_their_rank() {
    let house = House::opens().await;
    let twins = house.brand("clearwater").await;
    let key = house.brand_key(twins.live);
    let (one, other) = (dealer(&key, "one").await, dealer(&key, "other").await);
    let theirs = hires(&key, "clerk", Some(&other), &[]).await.expect(201).id();
    let owner = hires(&key, "owner", Some(&one), &[]).await.expect(201).id();
    let owner =
        house.person(twins.live, Role::Owner, owner.parse().unwrap(), Some(one.parse().unwrap()));

    hires(&owner, "owner", Some(&one), &[]).await.expect(201);
    let refused = hires(&owner, "brand_admin", None, &[]).await.refused(403, "rank_beyond_yours");
    assert_eq!((&refused["required_rank"], &refused["your_rank"]), (&json!(60), &json!(40)));
    hires(&owner, "clerk", Some(&other), &[]).await.refused(422, "unknown_reference");
    owner.get(&format!("/v1/staff/{theirs}")).await.refused(404, "not_found");
    owner.get(&format!("/v1/dealers/{other}")).await.refused(404, "not_found");
    assert_eq!(owner.get("/v1/dealers").await.expect(200).data().len(), 1);
    assert_eq!(owner.get("/v1/staff").await.expect(200).data().len(), 2);
    let refused = owner.post("/v1/dealers", json!({"code": "third", "name": "x"})).await;
    let refused = refused.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "dealers:write");
}

#[tokio::test]
async fn another_brand_does_not_exist() {
    let house = House::opens().await;
    let ours = house.brand_key(house.brand("clearwater").await.live);
    let theirs = house.brand_key(house.brand("rival").await.live);
    let id = dealer(&theirs, "one").await;
    ours.get(&format!("/v1/dealers/{id}")).await.refused(404, "not_found");
    ours.post(&format!("/v1/dealers/{id}/close"), json!({})).await.refused(404, "not_found");
    let site = json!({"code": "a", "name": "a", "tz": "UTC"});
    ours.post(&format!("/v1/dealers/{id}/sites"), site).await.refused(404, "not_found");
    hires(&ours, "clerk", Some(&id), &[]).await.refused(422, "unknown_reference");
}

#[tokio::test]
async fn an_answer_is_given_again_to_nobody_but_who_got_it() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let (one, other) = (dealer(&key, "one").await, dealer(&key, "other").await);
    let mut people = Vec::new();
    for (dealer, name) in [(&one, "first"), (&one, "second"), (&other, "third")] {
        let hired = hires(&key, "manager", Some(dealer), &[]).await.expect(201).id();
        let dealer = Some(dealer.parse().unwrap());
        people.push((name, house.person(brand, Role::Manager, hired.parse().unwrap(), dealer)));
    }
    people.push(("a program of one", house.dealer_key(brand, &one)));
    people.push(("a program of the other", house.dealer_key(brand, &other)));
    let mut ids = std::collections::BTreeSet::new();
    for (name, caller) in &people {
        let body = json!({"name": "李娜"});
        let first = caller.post_keyed("/v1/customers", "k-1", body.clone()).await.expect(201);
        assert_eq!(first.header("idempotency-replayed"), "", "{name}");
        let again = caller.post_keyed("/v1/customers", "k-1", body).await.expect(201);
        assert_eq!((again.header("idempotency-replayed"), again.id()), ("true", first.id()));
        ids.insert(first.id());
    }
    assert_eq!(ids.len(), people.len(), "each has a customer of their own");
}

#[tokio::test]
async fn what_all_dealers_share_is_written_by_the_brand() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let one = dealer(&key, "one").await;
    let own: domain::ids::DealerId = one.parse().unwrap();
    let hired = hires(&key, "manager", Some(&one), &[]).await.expect(201).id();
    let manager = house.person(brand, Role::Manager, hired.parse().unwrap(), Some(own));
    let program = house.dealer_key(brand, &one);
    let product = json!({
        "sku": "RO-600G", "name": "RO-600G", "category": "purifier", "after_sales_need": "rigid",
        "price": {"amount": 299_900, "currency": "CNY"},
    });
    let known = key.post("/v1/products", product.clone()).await.expect(201);
    let path = format!("/v1/products/{}", known.id());
    for caller in [&manager, &program] {
        for refused in [
            caller.post("/v1/products", product.clone()).await,
            caller.put("/v1/products/by-sku/RO-600G", product.clone()).await,
            caller.patch(&path, known.etag(), json!({"name": "ours"})).await,
        ] {
            let refused = refused.refused(403, "shared_by_all_dealers");
            assert_eq!(refused["your_dealer_id"], json!(one));
        }
        assert_eq!(caller.get(&path).await.expect(200)["name"], "RO-600G");
    }
    let issuer = json!({
        "name": "theirs", "issuer": "https://login.one.example", "audience": "aftercare",
        "jwks_url": "https://login.one.example/keys", "algorithm": "es256",
    });
    let sop = json!({
        "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
    });
    let limit = json!({"role": "owner", "currency": "CNY", "per_request_minor": 50_000});
    for (path, body) in
        [("/v1/issuers", issuer), ("/v1/sops", sop), ("/v1/authority-limits", limit)]
    {
        program.post(path, body.clone()).await.refused(403, "shared_by_all_dealers");
        key.post(path, body).await.expect(201);
        assert_eq!(key.get(path).await.expect(200).data().len(), 1, "{path}");
    }
    program.get("/v1/jobs").await.refused(403, "shared_by_all_dealers");
    key.get("/v1/jobs").await.expect(200);

    let asks = |scopes: Value| json!({"name": "POS", "scopes": scopes, "dealer_id": one});
    let made =
        key.post("/v1/api-keys", asks(json!(["sops:read", "sops:write", "jobs:read"]))).await;
    let made = made.refused(422, "scopes_are_the_brands");
    assert_eq!(made["scopes"], json!(["sops:write", "jobs:read"]));
    key.post("/v1/api-keys", asks(json!(["sops:read", "imports:write"]))).await.expect(201);
}

#[tokio::test]
async fn the_database_keeps_what_all_dealers_share_from_those_who_act_for_one() {
    use sea_orm::ConnectionTrait as _;
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let one = dealer(&key, "one").await;
    let product = json!({
        "sku": "RO-600G", "name": "RO-600G", "category": "purifier", "after_sales_need": "rigid",
        "price": {"amount": 299_900, "currency": "CNY"},
    });
    key.post("/v1/products", product).await.expect(201);
    let (brand, one) =
        (uuid::Uuid::from(brand), uuid::Uuid::from(one.parse::<domain::ids::DealerId>().unwrap()));
    let as_dealer = |statement: &str| {
        format!(
            "BEGIN; SET LOCAL ROLE aftercare_app; SET LOCAL ac.tenant = '{brand}';
             SET LOCAL ac.dealer = '{one}'; {statement}; COMMIT"
        )
    };
    let owner = house.owner().await;
    let insert = "INSERT INTO product SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'sku', 'X'))).* FROM product p";
    let refused = owner.execute_unprepared(&as_dealer(insert)).await.unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
    owner.execute_unprepared("ROLLBACK").await.unwrap();
    owner.execute_unprepared(&as_dealer("UPDATE product SET name = 'ours'")).await.unwrap();
    assert_eq!(key.get("/v1/products").await.expect(200).data()[0]["name"], "RO-600G");
}
