//! A brand knows what it does for its customers, how that compares, and what small things it gives.

use crate::house::{Client, House, Reply};
use domain::{identity::Role, ids::TenantId};
use serde_json::{Value, json};

/// A brand with one dealer.
struct Shop {
    house: House,
    tenant: TenantId,
    key: Client,
    dealer: String,
}

impl Shop {
    async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let key = house.brand_key(tenant);
        let dealer = created(&key, "/v1/dealers", json!({"code": "west", "name": "西湖店"})).await;
        Self { house, tenant, key, dealer }
    }

    /// A person of the dealer; answers their identifier and the way they call.
    async fn hires(&self, role: Role) -> (String, Client) {
        let person = json!({"dealer_id": self.dealer, "name": "王伟", "role": role});
        let id = created(&self.key, "/v1/staff", person).await;
        let dealer = Some(self.dealer.parse().unwrap());
        let client = self.house.person(self.tenant, role, id.parse().unwrap(), dealer);
        (id, client)
    }

    /// A service item with this code, and with `more` said about it.
    async fn item(&self, code: &str, more: Value) -> String {
        created(&self.key, "/v1/service-items", item(code, more)).await
    }

    /// A gift that costs so much and is worth so much, with `more` said about it.
    async fn gift(&self, code: &str, amounts: (i64, i64), more: Value) -> String {
        created(&self.key, "/v1/gifts", gift(code, amounts, more)).await
    }

    async fn benchmark(&self, item: &str, peers_bp: u32, observed_on: &str) -> Reply {
        let seen = json!({
            "peers_offering_bp": peers_bp, "observed_on": observed_on, "source": "20 shops",
        });
        self.key.post(&format!("/v1/service-items/{item}/benchmarks"), seen).await
    }

    async fn class_of(&self, item: &str) -> Value {
        self.key.get(&format!("/v1/service-items/{item}")).await.expect(200)["class"].clone()
    }

    async fn class_changes(&self, item: &str) -> Vec<Value> {
        let path = format!("/v1/service-items/{item}/class-changes");
        self.key.get(&path).await.expect(200).data().clone()
    }

    /// What was done to a record, the first thing first.
    async fn timeline(&self, subject: &str) -> Vec<Value> {
        let lines = format!("/v1/audit-entries?subject={subject}");
        let lines = self.key.get(&lines).await.expect(200);
        lines.data().iter().rev().cloned().collect()
    }

    /// The codes of what is suggested, the best first.
    async fn suggested(&self, query: &str) -> Vec<String> {
        let path = format!("/v1/gift-suggestions?currency=CNY&{query}");
        let found = self.key.get(&path).await.expect(200);
        let found = found["suggestions"].as_array().unwrap();
        found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    }

    /// A plan whose tasks name these items; answers the draft.
    async fn drafts(&self, items: &[Value]) -> Reply {
        let task = |(number, item): (usize, &Value)| {
            json!({
                "code": format!("t{number}"), "title": "任务", "service_item_code": item,
                "trigger": {"kind": "month_offset", "months": 1},
            })
        };
        let tasks: Vec<_> = items.iter().enumerate().map(task).collect();
        let plan = json!({"code": "care", "name": "养护", "tasks": tasks});
        self.key.post("/v1/plan-templates", plan).await.expect(201)
    }

    async fn warnings(&self, plan: &str) -> Vec<Value> {
        let path = format!("/v1/plan-templates/{plan}/warnings");
        let review = self.key.get(&path).await.expect(200);
        review["warnings"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect()
    }
}

async fn created(client: &Client, path: &str, body: Value) -> String {
    client.post(path, body).await.expect(201).id()
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn item(code: &str, more: Value) -> Value {
    let item = json!({
        "code": code, "name": "服务", "class": "service", "category": "product", "phase": "after",
        "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
        "perceived_value_minor": 12_000, "relation_value": 3,
    });
    with(item, more)
}

fn gift(code: &str, (cost, value): (i64, i64), more: Value) -> Value {
    let gift = json!({
        "code": code, "name": "礼品", "currency": "CNY", "cost_minor": cost,
        "perceived_value_minor": value,
    });
    with(gift, more)
}

/// A mistake in the body: where, and which.
fn mistake(reply: &Reply) -> (String, String) {
    let first = &reply["errors"][0];
    let text = |member: &str| first[member].as_str().unwrap_or_default().to_owned();
    (text("pointer"), text("code"))
}

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
async fn a_condition_that_never_ends_is_refused_when_it_is_saved() {
    let shop = Shop::opens().await;
    for (text, code) in [
        ("[1, 2].all(x, x > 0)", "condition_may_not_end"),
        ("customer.tier.matches('(a+)+$')", "condition_may_not_end"),
        ("customer.tier ==", "condition_malformed"),
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
    let everybody = shop.item("call", json!({})).await;
    let path = format!("/v1/service-items/{everybody}/eligibility/try");
    let tried = shop.key.post(&path, json!({"facts": {}})).await.expect(200);
    assert_eq!(tried.body, json!({"outcome": "holds", "missing": []}));
    let misspelt = shop.key.post(&path, json!({"facts": {"client": {}}})).await;
    assert_eq!(mistake(&misspelt.refused(422, "invalid_body")).0, "/facts/client");
}

#[tokio::test]
async fn yesterdays_service_becomes_todays_obligation_and_that_is_recorded() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 4_999, "2026-01-03").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    let seen = shop.benchmark(&item, 5_000, "2026-01-04").await.expect(201).id();
    assert_eq!(shop.class_of(&item).await, "obligation");
    let changes = shop.class_changes(&item).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["benchmark_id"], seen.as_str());
    assert_eq!(
        (&changes[0]["from_class"], &changes[0]["to_class"], &changes[0]["reason"]),
        (&json!("service"), &json!("obligation"), &Value::Null)
    );
    let told = shop.timeline(&item).await;
    assert_eq!(
        (&told[1]["action"], &told[1]["facts"]["to"]),
        (&json!("drift"), &json!("obligation"))
    );
    // It is an obligation already: nothing drifts again, nor back.
    shop.benchmark(&item, 9_000, "2026-01-05").await.expect(201);
    shop.benchmark(&item, 0, "2026-01-05").await.expect(201);
    assert_eq!(shop.class_changes(&item).await.len(), 1);
    let path = format!("/v1/service-items/{item}/benchmarks");
    let shares = shop.key.get(&path).await.expect(200);
    let shares: Vec<_> = shares.data().iter().map(|one| one["peers_offering_bp"].clone()).collect();
    assert_eq!(shares, [4_999, 5_000, 9_000, 0]);
}

#[tokio::test]
async fn an_older_observation_changes_no_class_and_nobody_has_seen_tomorrow() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 100, "2026-01-04").await.expect(201);
    shop.benchmark(&item, 9_000, "2026-01-03").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    let ahead = shop.benchmark(&item, 9_000, "2026-01-07").await.refused(422, "day_not_begun");
    assert_eq!(ahead["errors"][0]["pointer"], "/observed_on", "{ahead:?}");
}

#[tokio::test]
async fn the_brand_says_from_which_share_of_peers_on_it_is_an_obligation() {
    let shop = Shop::opens().await;
    let brand = shop.key.get("/v1/brand").await.expect(200);
    assert_eq!(
        (&brand["obligation_from_bp"], &brand["personalised_most_bp"]),
        (&json!(5_000), &json!(3_000))
    );
    let stricter = json!({"obligation_from_bp": 8_000});
    shop.key.patch("/v1/brand", brand.etag(), stricter).await.expect(200);
    let item = shop.item("delivery", json!({})).await;
    shop.benchmark(&item, 7_999, "2026-01-04").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "service");
    shop.benchmark(&item, 8_000, "2026-01-04").await.expect(201);
    assert_eq!(shop.class_of(&item).await, "obligation");
}

#[tokio::test]
async fn benchmarks_that_come_at_once_change_the_class_once() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    let seen = (0..8).map(|_| shop.benchmark(&item, 9_000, "2026-01-04"));
    for reply in futures::future::join_all(seen).await {
        reply.expect(201);
    }
    assert_eq!(shop.class_changes(&item).await.len(), 1);
}

#[tokio::test]
async fn somebody_puts_an_item_into_the_other_class_and_says_why() {
    let shop = Shop::opens().await;
    let item = shop.item("delivery", json!({})).await;
    let path = format!("/v1/service-items/{item}/reclassify");
    let told = json!({"class": "obligation", "reason": "隔壁两家都这样做。"});
    let changed = shop.key.post(&path, told.clone()).await.expect(200);
    assert_eq!((&changed["class"], &changed["version"]), (&json!("obligation"), &json!(2)));
    shop.key.post(&path, told).await.refused(409, "same_service_class");
    let back = json!({"class": "service", "reason": "They stopped."});
    shop.key.post(&path, back).await.expect(200);
    let changes = shop.class_changes(&item).await;
    let reasons: Vec<_> = changes.iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["They stopped.", "隔壁两家都这样做。"]);
    let unsaid = shop.key.post(&path, json!({"class": "service"})).await;
    assert_eq!(mistake(&unsaid.refused(422, "invalid_body")).0, "/reason");
}

#[tokio::test]
async fn an_audit_begins_with_all_active_items_and_is_summed_up() {
    let shop = Shop::opens().await;
    let call = shop.item("call", json!({"class": "obligation"})).await;
    shop.item("wall-check", json!({})).await;
    let gone = shop.item("fax", json!({})).await;
    shop.key.post(&format!("/v1/service-items/{gone}/retire"), json!({})).await.expect(200);
    let opening = json!({
        "title": "年度盘点", "from_on": "2025-01-01", "to_on": "2025-12-31", "prefill": true,
    });
    let audit = created(&shop.key, "/v1/inventory-audits", opening).await;
    let lines = format!("/v1/inventory-audits/{audit}/lines");
    let found = shop.key.get(&lines).await.expect(200);
    let classes: Vec<_> = found.data().iter().map(|line| line["class"].clone()).collect();
    assert_eq!(classes, ["obligation", "service"]);
    assert_eq!(found.data()[0]["service_item_id"], call.as_str());
    let (owner, _) = shop.hires(Role::Manager).await;
    let idea = json!({"subject": "入住一周后回访", "class": "service", "quality": 1, "can_improve": true,
        "backlog_note": "Write a procedure.", "owner_id": owner});
    shop.key.post(&lines, idea).await.expect(201);
    let summary = shop.key.get(&format!("/v1/inventory-audits/{audit}/summary")).await.expect(200);
    assert_eq!(
        summary.body,
        json!({"lines": 3, "obligations": 1, "services": 2, "can_improve": 1, "resolved": 0, "not_rated": 2})
    );
    let twice = json!({"service_item_id": call, "class": "obligation"});
    shop.key.post(&lines, twice).await.refused(409, "already_exists");
}

#[tokio::test]
async fn what_could_be_better_is_a_list_of_its_own_until_it_is_done() {
    let shop = Shop::opens().await;
    let opening = json!({"title": "盘点", "from_on": "2026-01-01", "to_on": "2026-01-05"});
    let audit = created(&shop.key, "/v1/inventory-audits", opening).await;
    let lines = format!("/v1/inventory-audits/{audit}/lines");
    let (owner, _) = shop.hires(Role::Manager).await;
    let mut ids = Vec::new();
    for (class, owner) in [("service", Some(&owner)), ("obligation", None)] {
        let line =
            json!({"subject": "A call", "class": class, "can_improve": true, "owner_id": owner});
        ids.push(created(&shop.key, &lines, line).await);
    }
    let fine = json!({"subject": "A card", "class": "service", "quality": 5});
    let fine = created(&shop.key, &lines, fine).await;
    let backlog = async |filter: &str| -> Vec<String> {
        let found = shop.key.get(&format!("/v1/improvement-backlog?{filter}")).await.expect(200);
        found.data().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(backlog("").await, ids);
    assert_eq!(backlog("class=obligation").await, ids[1..]);
    assert_eq!(backlog(&format!("owner_id={owner}")).await, ids[..1]);
    shop.key.post(&format!("/v1/inventory-audits/{audit}/close"), json!({})).await.expect(200);
    let done = json!({"resolution": "There is a procedure now."});
    let resolve = |id: &str| format!("{lines}/{id}/resolve");
    let resolved = shop.key.post(&resolve(&ids[0]), done.clone()).await.expect(200);
    assert_eq!(resolved["resolved_at"], shop.house.now().to_string());
    assert_eq!(backlog("").await, ids[1..]);
    for id in [&ids[0], &fine] {
        shop.key.post(&resolve(id), done.clone()).await.refused(409, "nothing_to_improve");
    }
}

#[tokio::test]
async fn a_closed_audit_stays_as_it_is() {
    let shop = Shop::opens().await;
    let opening = json!({"title": "盘点", "from_on": "2026-01-01", "to_on": "2026-01-05"});
    let path = format!(
        "/v1/inventory-audits/{}",
        created(&shop.key, "/v1/inventory-audits", opening).await
    );
    let lines = format!("{path}/lines");
    let line = json!({"subject": "A call", "class": "service"});
    let id = created(&shop.key, &lines, line.clone()).await;
    let one = format!("{lines}/{id}");
    let rated = shop.key.patch(&one, "*", json!({"quality": 4})).await.expect(200);
    assert_eq!(rated["quality"], 4);
    let closed = shop.key.post(&format!("{path}/close"), json!({})).await.expect(200);
    assert_eq!(
        (&closed["state"], &closed["closed_at"]),
        (&json!("closed"), &json!(shop.house.now().to_string()))
    );
    shop.key.post(&lines, line).await.refused(409, "audit_closed");
    shop.key.patch(&one, "*", json!({"quality": 5})).await.refused(409, "audit_closed");
    shop.key.patch(&path, "*", json!({"title": "Other"})).await.refused(409, "audit_closed");
    shop.key.post(&format!("{path}/close"), json!({})).await.refused(409, "illegal_transition");
    let other = json!({"title": "盘点", "from_on": "2026-01-05", "to_on": "2026-01-04"});
    shop.key.post("/v1/inventory-audits", other).await.refused(422, "audit_period_reversed");
    let other = json!({"title": "盘点", "from_on": "2026-01-05", "to_on": "2026-01-05"});
    let other = created(&shop.key, "/v1/inventory-audits", other).await;
    let elsewhere = format!("/v1/inventory-audits/{other}/lines/{id}");
    shop.key.get(&elsewhere).await.refused(404, "not_found");
    shop.key.patch(&elsewhere, "*", json!({"quality": 5})).await.refused(404, "not_found");
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

#[tokio::test]
async fn a_bundle_costs_its_cap_and_not_one_fen_more_whatever_becomes_of_its_parts() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({})).await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let bundle = |cap: i64| {
        json!({"code": format!("box-{cap}"), "name": "礼盒", "currency": "CNY", "cost_cap_minor": cap,
            "parts": [{"gift_id": tea, "quantity": 2}, {"gift_id": card}]})
    };
    let refused =
        shop.key.post("/v1/gift-bundles", bundle(4_299)).await.refused(422, "bundle_over_cap");
    assert_eq!(refused["parts_cost"], json!({"amount": 4_300, "currency": "CNY"}));
    assert_eq!(refused["cost_cap"], json!({"amount": 4_299, "currency": "CNY"}));
    let id = created(&shop.key, "/v1/gift-bundles", bundle(4_300)).await;
    // The part does not grow dearer than the bundle allows.
    let path = format!("/v1/gifts/{tea}");
    let dearer = shop.key.patch(&path, "*", json!({"cost_minor": 2_001})).await;
    let dearer = dearer.refused(422, "bundle_over_cap");
    assert_eq!(
        (&dearer["bundle_code"], &dearer["parts_cost"]["amount"]),
        (&json!("box-4300"), &json!(4_302))
    );
    let path_of_bundle = format!("/v1/gift-bundles/{id}");
    let lower = shop.key.patch(&path_of_bundle, "*", json!({"cost_cap_minor": 4_000})).await;
    lower.refused(422, "bundle_over_cap");
    // Once the bundle is retired it may, and then the bundle does not come back.
    shop.key.post(&format!("{path_of_bundle}/retire"), json!({})).await.expect(200);
    shop.key.patch(&path, "*", json!({"cost_minor": 2_001})).await.expect(200);
    let back = format!("{path_of_bundle}/reinstate");
    shop.key.post(&back, json!({})).await.refused(422, "bundle_over_cap");
    let raised = json!({"cost_cap_minor": 4_302});
    shop.key.patch(&path_of_bundle, "*", raised).await.expect(200);
    shop.key.post(&back, json!({})).await.expect(200);
}

#[tokio::test]
async fn two_parts_that_grow_dearer_at_once_do_not_break_the_cap_together() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (1_000, 1), json!({})).await;
    let card = shop.gift("card", (1_000, 1), json!({})).await;
    let bundle = json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 2_500,
        "parts": [{"gift_id": tea}, {"gift_id": card}]});
    created(&shop.key, "/v1/gift-bundles", bundle).await;
    let paths = [format!("/v1/gifts/{tea}"), format!("/v1/gifts/{card}")];
    let dearer = paths.iter().map(|path| shop.key.patch(path, "*", json!({"cost_minor": 1_500})));
    let mut statuses: Vec<_> =
        futures::future::join_all(dearer).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[tokio::test]
async fn a_bundle_names_gifts_that_are_there_once_each_in_one_currency() {
    let shop = Shop::opens().await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({})).await;
    let foreign = shop.gift("cup", (2_000, 4_000), json!({"currency": "USD"})).await;
    let bundle = |parts: Value| json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 9_000, "parts": parts});
    let part = |id: &str| json!({"gift_id": id});
    let nobodys = "gft_01m80t7jx3e9vbq2f4c6d8g0hk";
    for (parts, code) in [
        (json!([]), "bundle_part_count"),
        (json!([part(&tea), part(&tea)]), "bundle_part_twice"),
        (json!([part(&tea), part(&foreign)]), "bundle_currencies_differ"),
        (json!([part(&tea), part(nobodys)]), "unknown_reference"),
    ] {
        shop.key.post("/v1/gift-bundles", bundle(parts)).await.refused(422, code);
    }
}

#[tokio::test]
async fn a_gift_falls_back_to_one_that_costs_less() {
    let shop = Shop::opens().await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let fallback = json!({"fallback_gift_id": card});
    let same = gift("pen", (300, 900), fallback.clone());
    shop.key.post("/v1/gifts", same).await.refused(422, "fallback_not_cheaper");
    shop.gift("pen", (301, 900), fallback).await;
    let dearer =
        shop.key.patch(&format!("/v1/gifts/{card}"), "*", json!({"cost_minor": 301})).await;
    dearer.refused(422, "fallback_not_cheaper");
    let band = json!({"least_margin_minor": 2, "most_margin_minor": 1});
    let empty = gift("cup", (1, 1), band);
    shop.key.post("/v1/gifts", empty).await.refused(422, "margin_band_reversed");
}

#[tokio::test]
async fn the_best_gift_for_the_money_is_suggested_in_its_time() {
    let shop = Shop::opens().await;
    let card = shop.gift("card", (300, 1_500), json!({})).await;
    let cakes = json!({"festivals": ["mid_autumn"], "stock": 10, "least_margin_minor": 30_000,
        "fallback_gift_id": card});
    let cakes = shop.gift("moon-cake", (2_800, 16_800), cakes).await;
    let tea = shop.gift("tea", (2_000, 4_000), json!({"seasons": ["spring"]})).await;
    let parts = json!([{"gift_id": tea}, {"gift_id": card}]);
    let bundle = json!({"code": "box", "name": "礼盒", "currency": "CNY", "cost_cap_minor": 2_300, "parts": parts});
    created(&shop.key, "/v1/gift-bundles", bundle).await;
    let autumn = "on=2026-09-20&margin_minor=30000";
    assert_eq!(shop.suggested(&format!("budget_minor=2800&{autumn}")).await, ["moon-cake", "card"]);
    assert_eq!(shop.suggested(&format!("budget_minor=2799&{autumn}")).await, ["card"]);
    assert_eq!(
        shop.suggested("budget_minor=2800&on=2026-09-20&margin_minor=29999").await,
        ["card"]
    );
    assert_eq!(shop.suggested("budget_minor=2800&on=2026-09-20").await, ["card"]);
    assert_eq!(shop.suggested("budget_minor=2300&on=2026-04-20").await, ["card", "box", "tea"]);
    // The story is told in January, which is winter.
    assert_eq!(shop.suggested("budget_minor=2300").await, ["card"]);
    let sold_out = shop.key.patch(&format!("/v1/gifts/{cakes}"), "*", json!({"stock": 0})).await;
    sold_out.expect(200);
    assert_eq!(shop.suggested(&format!("budget_minor=2800&{autumn}")).await, ["card"]);
    shop.key.post(&format!("/v1/gifts/{card}/retire"), json!({})).await.expect(200);
    assert_eq!(shop.suggested("budget_minor=2300&on=2026-04-20").await, ["tea"]);
}

#[tokio::test]
async fn when_the_budget_is_enough_for_nothing_a_call_costs_nothing() {
    let shop = Shop::opens().await;
    shop.gift("card", (300, 1_500), json!({})).await;
    shop.item("call", json!({"est_cost_minor": 0, "perceived_value_minor": 500})).await;
    shop.item("greeting", json!({"est_cost_minor": 0, "perceived_value_minor": 900})).await;
    shop.item("visit", json!({})).await;
    shop.item("answer", json!({"est_cost_minor": 0, "class": "obligation"})).await;
    shop.item("gold", json!({"est_cost_minor": 0, "eligibility": "customer.tier == 'gold'"})).await;
    assert_eq!(shop.suggested("budget_minor=299").await, ["greeting", "call"]);
    assert_eq!(shop.suggested("budget_minor=300").await, ["card"]);
    let missing = shop.key.get("/v1/gift-suggestions?currency=CNY").await;
    assert_eq!(missing.status.as_u16(), 400, "{missing:?}");
}

#[tokio::test]
async fn a_plan_names_items_that_are_there_and_is_told_what_it_lacks() {
    let shop = Shop::opens().await;
    let silent = json!({"contact_mode": "none", "mode": "personalised"});
    let mail = shop.item("mail", silent).await;
    shop.item("visit", json!({"est_cost_minor": 0})).await;
    let plan = shop.drafts(&[json!("mail"), json!("mail")]).await;
    let lacking = ["contactless_plan", "no_free_item", "too_personalised"];
    assert_eq!(shop.warnings(&plan.id()).await, lacking);
    let retire = format!("/v1/service-items/{mail}/retire");
    shop.key.post(&retire, json!({})).await.expect(200);
    let publish = format!("/v1/plan-templates/{}/publish", plan.id());
    let refused = shop.key.post(&publish, json!({})).await.refused(409, "service_item_unknown");
    assert_eq!((&refused["task"], &refused["service_item_code"]), (&json!("t0"), &json!("mail")));
    let reinstate = format!("/v1/service-items/{mail}/reinstate");
    shop.key.post(&reinstate, json!({})).await.expect(200);
    // Warnings do not stand in the way.
    shop.key.post(&publish, json!({})).await.expect(200);
    let better =
        shop.drafts(&[json!("visit"), json!("visit"), json!("visit"), json!("mail")]).await;
    assert_eq!(shop.warnings(&better.id()).await, [""; 0]);
    let tasks =
        json!([{"code": "a", "title": "A", "trigger": {"kind": "month_offset", "months": 1}}]);
    let path = format!("/v1/plan-templates/{}", better.id());
    shop.key.patch(&path, better.etag(), json!({"tasks": tasks})).await.expect(200);
    assert_eq!(shop.warnings(&better.id()).await, ["no_service_items"]);
}
