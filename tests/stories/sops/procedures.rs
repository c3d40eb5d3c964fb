//! A brand writes down how things are done.

use super::{Shop, create_sop, draft, filter_change, say, start, step};
use domain::identity::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

#[tokio::test]
async fn a_procedure_is_written_reviewed_and_published_by_two_people() {
    let shop = Shop::opens().await;
    let (author, reviewer) = (shop.admin().await, shop.admin().await);
    let sop = create_sop(&author, "filter-change").await.expect(201).id();
    create_sop(&author, "filter-change").await.refused(409, "already_exists");
    let version = draft(&author, &sop, filter_change()).await;
    let id = version.id();
    assert_eq!((&version["number"], &version["state"]), (&json!(1), &json!("draft")));
    assert_eq!(version.header("location"), format!("/v1/sop-versions/{id}"));

    say(&author, &id, "publish").await.refused(409, "illegal_transition");
    say(&author, &id, "submit").await.expect(200);
    say(&author, &id, "publish").await.refused(403, "own_sop_version");
    let review = json!({ "review_note": "Say how long to flush." });
    let path = format!("/v1/sop-versions/{id}");
    let returned = reviewer.post(&format!("{path}/return"), review).await.expect(200);
    assert_eq!(returned["review_note"], "Say how long to flush.");

    let note = json!({ "change_note": "Flush for five minutes." });
    author.patch(&path, version.etag(), note.clone()).await.refused(412, "stale_version");
    let changed = author.patch(&path, returned.etag(), note).await.expect(200);
    assert_eq!(changed["steps"].as_array().unwrap().len(), 3);
    say(&author, &id, "submit").await.expect(200);
    let published = say(&reviewer, &id, "publish").await.expect(200);
    assert_eq!(published["state"], "published");
    let frozen = author.patch(&path, published.etag(), json!({ "change_note": "Late." })).await;
    let frozen = frozen.refused(409, "illegal_transition");
    assert_eq!(frozen["allowed_transitions"], json!(["retire"]));
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_older_one_while_its_runs_go_on() {
    let shop = Shop::opens().await;
    let (sop, first) = shop.procedure(filter_change()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let one_step = json!({ "change_note": "Shorter.", "steps": [step("All of it")] });
    let second = draft(&shop.key, &sop, one_step).await.id();
    say(&shop.key, &second, "submit").await.expect(200);
    say(&shop.key, &second, "publish").await.expect(200);

    let versions = shop.key.get(&format!("/v1/sops/{sop}/versions")).await.expect(200);
    let states: Vec<_> = versions.data().iter().map(|version| &version["state"]).collect();
    assert_eq!(states, [&json!("published"), &json!("retired")]);
    let going_on = shop.key.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
    assert_eq!((&going_on["sop_version_id"], &going_on["steps"]), (&json!(first), &run["steps"]));
    assert_eq!(start(&shop.key, &sop).await.expect(201)["sop_version_id"], json!(second));

    say(&shop.key, &second, "retire").await.expect(200);
    start(&shop.key, &sop).await.refused(409, "sop_not_published");
    assert_eq!(shop.key.get(&format!("/v1/sops/{sop}")).await["latest_number"], 2);
}

#[tokio::test]
async fn versions_begun_at_once_have_numbers_of_their_own() {
    let shop = Shop::opens().await;
    let sop = create_sop(&shop.key, "filter-change").await.expect(201).id();
    let drafts = (0..8).map(|_| draft(&shop.key, &sop, filter_change()));
    let drafts = futures::future::join_all(drafts).await;
    let mut numbers: Vec<_> =
        drafts.iter().map(|version| version["number"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn of_two_versions_published_at_once_one_is_in_force() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let mut reviewed = Vec::new();
    for _ in 0..4 {
        let version = draft(&shop.key, &sop, filter_change()).await.id();
        say(&shop.key, &version, "submit").await.expect(200);
        reviewed.push(version);
    }
    let publications = reviewed.iter().map(|version| say(&shop.key, version, "publish"));
    for publication in futures::future::join_all(publications).await {
        publication.expect(200);
    }
    let versions = shop.key.get(&format!("/v1/sops/{sop}/versions")).await.expect(200);
    let in_force = versions.data().iter().filter(|version| version["state"] == "published");
    assert_eq!(in_force.count(), 1);
}

#[tokio::test]
async fn what_cannot_be_meant_is_pointed_at() {
    let shop = Shop::opens().await;
    let sop = create_sop(&shop.key, "filter-change").await.expect(201).id();
    let path = format!("/v1/sops/{sop}/versions");
    let with = |measure: Value| {
        let mut wrong = step("Two");
        wrong["measure"] = measure;
        json!({ "change_note": "First.", "steps": [step("One"), wrong] })
    };
    for (measure, code) in [
        (json!({ "type": "number", "threshold": 0.1234 }), "too_precise"),
        (json!({ "type": "number", "threshold": 1e12 }), "number_out_of_range"),
        (json!({ "type": "choice", "choices": [{ "answer": "a" }] }), "wrong_number_of_items"),
        (json!({ "type": "bool", "threshold": 1 }), "unknown_field"),
        (json!({ "type": "film" }), "unknown_value"),
        (json!({ "type": "photo", "unit": "km" }), "unknown_field"),
    ] {
        let refused = shop.key.post(&path, with(measure)).await.refused(422, "invalid_body");
        assert_eq!(refused["errors"][0]["code"], code);
        let pointer = refused["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with("/steps/1/measure"), "{pointer}");
    }
    let nothing = json!({ "change_note": "First.", "steps": [] });
    let refused = shop.key.post(&path, nothing).await.refused(422, "invalid_body");
    assert_eq!(refused["errors"][0]["pointer"], "/steps");
    let steps: Vec<_> = (0..101).map(|_| step("One")).collect();
    let too_many = json!({ "change_note": "First.", "steps": steps });
    shop.key.post(&path, too_many).await.refused(422, "invalid_body");
    let versions = shop.key.get(&path).await.expect(200);
    assert!(versions.data().is_empty());

    let unknown = start(&shop.key, "sop_01h455vb4pex5vsknk084sn02q").await;
    assert_eq!(unknown.refused(422, "unknown_reference")["errors"][0]["pointer"], "/sop_id");
    let wrong = format!("/v1/sop-runs/{sop}");
    shop.key.get(&wrong).await.refused(400, "wrong_id_type");
    shop.key.get("/v1/sop-runs?colour=red").await.refused(400, "invalid_parameter");
    shop.key.get("/v1/sops?department=kitchen").await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn a_clerk_writes_no_procedures() {
    let shop = Shop::opens().await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let refused = create_sop(&clerk, "my-own").await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "sops:write");
    let listed = clerk.get("/v1/sops?department=after_sales").await.expect(200);
    assert!(listed.data().is_empty());
}

/// A step with a key that is counted from the step `from`.
fn counted(key: &str, from: &str) -> Value {
    let mut counted = step(key);
    counted["key"] = json!(key);
    counted["due"] = json!({ "from": "step", "step": from, "within_minutes": 60 });
    counted
}

#[tokio::test]
async fn steps_that_wait_for_themselves_or_for_nobody_are_refused() {
    let shop = Shop::opens().await;
    let sop = create_sop(&shop.key, "filter-change").await.expect(201).id();
    let path = format!("/v1/sops/{sop}/versions");
    let (mut asking, mut keyed) = (step("One"), step("Two"));
    asking["condition"] = json!("step.b == true");
    keyed["key"] = json!("b");
    for (steps, code, pointer) in [
        (json!([counted("a", "a")]), "step_depends_on_itself", "/steps/0/due/step"),
        (
            json!([step("One"), counted("a", "b"), counted("b", "a")]),
            "step_depends_on_itself",
            "/steps/1/due/step",
        ),
        (json!([step("One"), counted("a", "b")]), "unknown_step_key", "/steps/1/due/step"),
        (json!([asking, keyed]), "step_depends_on_later", "/steps/0/condition"),
        (
            json!([counted("a", "b"), counted("b", "c"), counted("a", "b")]),
            "repeated_step_key",
            "/steps/2/key",
        ),
    ] {
        let details = json!({ "change_note": "First.", "steps": steps });
        let refused = shop.key.post(&path, details).await.refused(422, code);
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    assert!(shop.key.get(&path).await.expect(200).data().is_empty());
    let mut first = step("One");
    first["key"] = json!("b");
    let steps = json!([first, counted("a", "b")]);
    let version = draft(&shop.key, &sop, json!({ "change_note": "First.", "steps": steps })).await;
    let circle = json!({ "steps": [counted("a", "a")] });
    let path = format!("/v1/sop-versions/{}", version.id());
    let refused = shop.key.patch(&path, version.etag(), circle).await;
    refused.refused(422, "step_depends_on_itself");
}

#[tokio::test]
async fn what_a_step_demands_stands_in_the_version_and_in_the_run() {
    let shop = Shop::opens().await;
    let demands = json!({
        "key": "call", "assignee": { "rule": "role", "role": "support_agent" },
        "due": { "from": "anchor", "within_minutes": 960, "working_time": true },
        "condition": "customer.tier == \"gold\"",
        "evidence": ["photo", "reading"], "service_item_code": "filter-change",
        "cost_cap": { "amount": 3_000, "currency": "CNY" },
    });
    let mut call = step("Call the customer");
    for (name, demand) in demands.as_object().unwrap() {
        call[name] = demand.clone();
    }
    let details = json!({ "change_note": "First.", "steps": [call, step("Write it down")] });
    shop.service("filter-change").await;
    let (sop, version) = shop.procedure(details).await;
    let version = shop.key.get(&format!("/v1/sop-versions/{version}")).await.expect(200);
    let run = start(&shop.key, &sop).await.expect(201);
    for record in [&version, &run] {
        for (name, demand) in demands.as_object().unwrap() {
            assert_eq!(record["steps"][0][name], *demand, "{name}");
        }
        assert_eq!(record["steps"][1]["assignee"], json!({ "rule": "runner" }));
        assert_eq!(record["steps"][1]["evidence"], json!([]));
        assert_eq!(record["steps"][1]["due"], Value::Null);
    }
}

#[tokio::test]
async fn a_procedure_comes_into_force_when_what_it_performs_is_there() {
    let shop = Shop::opens().await;
    let mut change = step("Change the filter");
    change["service_item_code"] = json!("filter-change");
    let steps = json!({ "change_note": "First.", "steps": [step("Look"), change] });
    let sop = create_sop(&shop.key, "filter-change").await.expect(201).id();
    let version = draft(&shop.key, &sop, steps).await.id();
    say(&shop.key, &version, "submit").await.expect(200);
    let refused = say(&shop.key, &version, "publish").await.refused(409, "step_service_unknown");
    assert_eq!(
        (&refused["position"], &refused["service_item_code"]),
        (&json!(2), &json!("filter-change"))
    );
    let item = shop.service("filter-change").await;
    shop.key.post(&format!("/v1/service-items/{item}/retire"), json!({})).await.expect(200);
    say(&shop.key, &version, "publish").await.refused(409, "step_service_unknown");
    shop.key.post(&format!("/v1/service-items/{item}/reinstate"), json!({})).await.expect(200);
    say(&shop.key, &version, "publish").await.expect(200);
}

#[tokio::test]
async fn a_step_of_before_says_what_it_said() {
    let shop = Shop::opens().await;
    let (_, version) = shop.procedure(filter_change()).await;
    let steps = r#"[{"title": "Old", "standard": "Done.", "measure": {"type": "bool"},
                     "target_degree": null, "stop": true, "obligation": false, "approval_rank": null}]"#;
    let sql = format!("UPDATE sop_version SET steps = '{steps}'");
    shop.house.owner().await.execute_unprepared(&sql).await.unwrap();
    let version = shop.key.get(&format!("/v1/sop-versions/{version}")).await.expect(200);
    assert_eq!(
        (&version["steps"][0]["title"], &version["steps"][0]["stop"]),
        (&json!("Old"), &json!(true))
    );
    assert_eq!(version["steps"][0]["assignee"], json!({ "rule": "runner" }));
}
