//! A brand writes down how things are done, and its people do them that way.

use crate::house::{Client, House, Reply};
use domain::{
    identity::Role,
    ids::{DealerId, StaffId, TenantId},
};
use serde_json::{Value, json};

/// A yes-or-no step.
fn step(title: &str) -> Value {
    json!({ "title": title, "standard": "Done and clean.", "measure": { "type": "bool" } })
}

/// The steps of a filter change: a stop step, an obligation with a threshold, a choice, a note.
fn filter_change() -> Value {
    let mut shut_off = step("Shut off the water");
    shut_off["stop"] = json!(true);
    let measured = json!({
        "title": "Measure the dissolved solids",
        "standard": "As good as new.",
        "target_degree": "50 ppm or less",
        "measure": { "type": "number", "unit": "ppm", "op": "at_most", "threshold": 50 },
        "obligation": true,
    });
    let looked = json!({
        "title": "Look at the housing",
        "standard": "No streaks.",
        "measure": { "type": "choice", "choices": [
            { "answer": "clean" }, { "answer": "streaks", "meets_standard": false },
        ] },
    });
    json!({ "change_note": "First.", "steps": [shut_off, measured, looked] })
}

/// A brand with one dealer and its people.
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
        let dealer = enter_dealer(&key, "hangzhou-01").await;
        Self { house, tenant, key, dealer }
    }

    /// Hires somebody for a dealer; answers their identifier and the way they call.
    async fn hires(&self, role: Role, dealer: &str) -> (String, Client) {
        let details = json!({ "name": "王伟", "role": role, "dealer_id": dealer });
        let id = self.key.post("/v1/staff", details).await.expect(201).id();
        let staff: StaffId = id.parse().unwrap();
        let dealer: DealerId = dealer.parse().unwrap();
        (id, self.house.person(self.tenant, role, staff, Some(dealer)))
    }

    /// Somebody of the brand itself.
    async fn admin(&self) -> Client {
        let details = json!({ "name": "李娜", "role": "brand_admin" });
        let id = self.key.post("/v1/staff", details).await.expect(201).id();
        self.house.person(self.tenant, Role::BrandAdmin, id.parse().unwrap(), None)
    }

    /// A procedure with one published version; answers the identifiers of both.
    async fn procedure(&self, details: Value) -> (String, String) {
        let sop = create_sop(&self.key, "filter-change").await.expect(201).id();
        let version = draft(&self.key, &sop, details).await.id();
        say(&self.key, &version, "submit").await.expect(200);
        say(&self.key, &version, "publish").await.expect(200);
        (sop, version)
    }
}

async fn enter_dealer(key: &Client, code: &str) -> String {
    let details = json!({ "code": code, "name": "杭州一店" });
    key.post("/v1/dealers", details).await.expect(201).id()
}

async fn create_sop(caller: &Client, code: &str) -> Reply {
    let details = json!({
        "code": code, "name": "换滤芯", "department": "after_sales", "touchpoint": "annual_visit",
    });
    caller.post("/v1/sops", details).await
}

async fn draft(caller: &Client, sop: &str, details: Value) -> Reply {
    caller.post(&format!("/v1/sops/{sop}/versions"), details).await.expect(201)
}

/// Moves a version along.
async fn say(caller: &Client, version: &str, verb: &str) -> Reply {
    caller.post(&format!("/v1/sop-versions/{version}/{verb}"), json!({})).await
}

async fn start(caller: &Client, sop: &str) -> Reply {
    caller.post("/v1/sop-runs", json!({ "sop_id": sop })).await
}

/// Does what `verb` says to the step at `position` of a run.
async fn at(caller: &Client, run: &Reply, position: usize, verb: &str, body: Value) -> Reply {
    let step = run["steps"][position - 1]["id"].as_str().unwrap();
    caller.post(&format!("/v1/sop-runs/{}/steps/{step}/{verb}", run.id()), body).await
}

fn states(run: &Reply) -> Vec<&str> {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().map(|step| step["state"].as_str().unwrap()).collect()
}

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
async fn a_technician_follows_the_procedure_step_by_step() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let (technician_id, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    assert_eq!((&run["staff_id"], &run["dealer_id"]), (&json!(technician_id), &json!(shop.dealer)));
    assert_eq!(states(&run), ["ready", "pending", "pending"]);

    let yes = json!({ "value": true });
    let blocked = at(&technician, &run, 2, "complete", json!({ "value": 48.5 })).await;
    assert_eq!(blocked.refused(409, "step_blocked")["stop_position"], 1);
    let text = at(&technician, &run, 1, "complete", json!({ "value": "yes" })).await;
    assert_eq!(text.refused(422, "wrong_value_type")["expected"], "bool");
    let run = at(&technician, &run, 1, "complete", yes.clone()).await.expect(200);
    assert_eq!(states(&run), ["done", "ready", "ready"]);
    at(&technician, &run, 1, "complete", yes).await.refused(409, "illegal_transition");

    let answer = json!({ "value": 50.001, "deviation_reason": "The membrane is worn." });
    let run = at(&technician, &run, 2, "complete", answer).await.expect(200);
    assert_eq!(
        (&run["steps"][1]["state"], &run["state"]),
        (&json!("failed"), &json!("in_progress"))
    );
    let run = at(&technician, &run, 2, "complete", json!({ "value": 50 })).await.expect(200);
    let unknown = at(&technician, &run, 3, "complete", json!({ "value": "spotless" })).await;
    assert_eq!(unknown.refused(422, "unknown_choice")["choices"], json!(["clean", "streaks"]));
    let run = at(&technician, &run, 3, "complete", json!({ "value": "clean" })).await.expect(200);
    assert_eq!((&run["state"], &run["adherence_bp"]), (&json!("completed"), &json!(10_000)));

    let timeline = shop.key.get(&format!("/v1/audit-entries?subject={}", run.id())).await;
    let actions: Vec<_> = timeline.data().iter().map(|line| line["action"].clone()).collect();
    let steps = ["complete_step"; 4];
    assert_eq!(actions, [&steps[..], &["create"]].concat());
}

#[tokio::test]
async fn what_must_not_be_left_out_is_waived_by_a_manager() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    let because = json!({ "reason": "The customer has no shut-off valve." });
    let refused = at(&technician, &run, 1, "waive", because.clone()).await;
    assert_eq!(refused.refused(403, "sop_rank_too_low")["required_rank"], 30);
    let run = at(&manager, &run, 1, "waive", because.clone()).await.expect(200);
    at(&technician, &run, 3, "waive", because).await.expect(200);
    let run = at(&technician, &run, 2, "complete", json!({ "value": 12 })).await.expect(200);
    assert_eq!(run["state"], "completed_with_deviation");
    assert_eq!(run["adherence_bp"], 3_333);

    let run = start(&technician, &sop).await.expect(201);
    let abort = format!("/v1/sop-runs/{}/abort", run.id());
    let because = json!({ "reason": "The customer had to leave." });
    technician.post(&abort, because.clone()).await.refused(403, "sop_rank_too_low");
    let aborted = manager.post(&abort, because).await.expect(200);
    assert_eq!((&aborted["state"], &aborted["adherence_bp"]), (&json!("aborted"), &Value::Null));
    let after = at(&technician, &run, 1, "complete", json!({ "value": true })).await;
    after.refused(409, "illegal_transition");
}

#[tokio::test]
async fn of_two_who_tick_off_the_same_step_at_once_one_has_done_it() {
    let shop = Shop::opens().await;
    let steps = json!({ "change_note": "First.", "steps": [step("One"), step("Two")] });
    let (sop, _) = shop.procedure(steps).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let ticks = (0..6).map(|_| at(&shop.key, &run, 1, "complete", json!({ "value": true })));
    let replies = futures::future::join_all(ticks).await;
    let done = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 1, "{replies:?}");
    for reply in replies.into_iter().filter(|reply| !reply.status.is_success()) {
        reply.refused(409, "illegal_transition");
    }
}

#[tokio::test]
async fn steps_ticked_off_at_once_are_all_done() {
    let shop = Shop::opens().await;
    let steps: Vec<_> = (1..=6).map(|number| step(&format!("Step {number}"))).collect();
    let (sop, _) = shop.procedure(json!({ "change_note": "First.", "steps": steps })).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let ticks =
        (1..=6).map(|place| at(&shop.key, &run, place, "complete", json!({ "value": true })));
    for reply in futures::future::join_all(ticks).await {
        reply.expect(200);
    }
    let run = shop.key.get(&format!("/v1/sop-runs/{}", run.id())).await.expect(200);
    assert_eq!(run["state"], "completed");
}

#[tokio::test]
async fn another_dealers_work_is_not_there() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(filter_change()).await;
    let other_dealer = enter_dealer(&shop.key, "ningbo-01").await;
    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (colleague_id, colleague) = shop.hires(Role::Technician, &shop.dealer).await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (stranger_id, stranger) = shop.hires(Role::Manager, &other_dealer).await;
    let run = start(&technician, &sop).await.expect(201);
    let path = format!("/v1/sop-runs/{}", run.id());
    clerk.get(&path).await.expect(200);
    for outsider in [&stranger, &colleague] {
        outsider.get(&path).await.refused(404, "not_found");
        let tick = at(outsider, &run, 1, "complete", json!({ "value": true })).await;
        tick.refused(404, "not_found");
        assert!(outsider.get("/v1/sop-runs").await.expect(200).data().is_empty());
    }
    let other_step = start(&clerk, &sop).await.expect(201)["steps"][0]["id"].clone();
    let mixed = format!("{path}/steps/{}/complete", other_step.as_str().unwrap());
    technician.post(&mixed, json!({ "value": true })).await.refused(404, "not_found");

    let whose = |member: &str, id: &str| json!({ "sop_id": sop, member: id });
    let customer = json!({ "name": "李娜", "kind": "person", "dealer_id": other_dealer });
    let customer = shop.key.post("/v1/customers", customer).await.expect(201).id();
    let foreign = clerk.post("/v1/sop-runs", whose("customer_id", &customer)).await;
    assert_eq!(foreign.refused(422, "unknown_reference")["errors"][0]["pointer"], "/customer_id");
    stranger.post("/v1/sop-runs", whose("customer_id", &customer)).await.expect(201);
    let foreign = clerk.post("/v1/sop-runs", whose("dealer_id", &other_dealer)).await;
    foreign.refused(403, "sop_run_of_others");
    let foreign = technician.post("/v1/sop-runs", whose("staff_id", &colleague_id)).await;
    foreign.refused(403, "sop_run_of_others");
    clerk.post("/v1/sop-runs", whose("staff_id", &colleague_id)).await.expect(201);
    let foreign = clerk.post("/v1/sop-runs", whose("staff_id", &stranger_id)).await;
    assert_eq!(foreign.refused(422, "unknown_reference")["errors"][0]["pointer"], "/staff_id");
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
        (json!({ "type": "photo" }), "unknown_value"),
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
