//! A brand keeps its procedures among its other sources, changes them there, and hands them in again.

use super::{Shop, create_sop, draft, filter_change, say};
use crate::house::{Client, Reply};
use domain::identity::Role;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

/// Hands in a document.
async fn hands_in(caller: &Client, query: &str, text: &str) -> Reply {
    let path = format!("/v1/sops/import{query}");
    let request = caller.request(Method::POST, &path);
    caller.send(request.header("content-type", "application/yaml").body(text.to_owned())).await
}

async fn exports(caller: &Client) -> String {
    let reply = caller.get("/v1/sops/export").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/yaml; charset=utf-8");
    reply.text
}

/// What was done about each procedure.
fn actions(report: &Reply) -> Vec<&str> {
    let sops = report["sops"].as_array().unwrap();
    sops.iter().map(|sop| sop["action"].as_str().unwrap()).collect()
}

/// A document of two procedures, of which one is only a name yet.
const LIBRARY: &str = "\
sops:
- code: filter-change
  name: 换滤芯 Filter change
  department: after_sales
  touchpoint: annual_visit
  change_note: First version.
  quiz:
  - question: 冲洗多久？
    choices:
    - 1 分钟
    - 5 分钟
    answer: 1
  steps:
  - key: flush
    title: Flush
    standard: |-
      Five minutes.
      Clear water.
    measure:
      type: number
      unit: min
      threshold: 5
    stop: true
    evidence:
    - photo
  - title: Call the customer
    standard: Content.
    measure:
      type: bool
    due:
      from: step
      step: flush
      within_minutes: 960
      working_time: true
- code: idea
  name: An idea
  department: sales
  touchpoint: consultation
";

#[tokio::test]
async fn what_is_exported_and_handed_in_again_is_the_same() {
    let shop = Shop::opens().await;
    let report = hands_in(&shop.key, "", LIBRARY).await.expect(200);
    assert_eq!(actions(&report), ["created", "created"]);
    assert_eq!((&report["created"], &report["dry_run"]), (&json!(2), &json!(false)));
    let version = report["sops"][0]["sop_version_id"].as_str().unwrap();
    let version = shop.key.get(&format!("/v1/sop-versions/{version}")).await.expect(200);
    assert_eq!((&version["state"], &version["number"]), (&json!("draft"), &json!(1)));
    assert_eq!(version["steps"][0]["standard"], "Five minutes.\nClear water.");
    assert_eq!(report["sops"][1]["sop_version_id"], Value::Null);

    let first = exports(&shop.key).await;
    assert_eq!(first, LIBRARY);
    let again = hands_in(&shop.key, "", &first).await.expect(200);
    assert_eq!(actions(&again), ["unchanged", "unchanged"]);
    assert_eq!(exports(&shop.key).await, first);

    // Another brand hands in the same, and has the same.
    let other = shop.house.brand_key(shop.house.brand("other").await.live);
    hands_in(&other, "", &first).await.expect(200);
    assert_eq!(exports(&other).await, first);
    let sop = report["sops"][1]["sop_id"].as_str().unwrap();
    let one = shop.key.get(&format!("/v1/sops/{sop}/export")).await.expect(200);
    let idea =
        "sops:\n- code: idea\n  name: An idea\n  department: sales\n  touchpoint: consultation\n";
    assert_eq!(one.text, idea);
}

#[tokio::test]
async fn what_is_different_becomes_a_draft_and_the_rest_stays() {
    let shop = Shop::opens().await;
    let (sop, first) = shop.procedure(filter_change()).await;
    let untouched = create_sop(&shop.key, "untouched").await.expect(201).id();
    draft(&shop.key, &untouched, filter_change()).await;
    let text = exports(&shop.key).await;
    let edited = text.replacen("threshold: 50", "threshold: 40", 1).replacen(
        "name: 换滤芯",
        "name: 换芯",
        1,
    );

    let tried = hands_in(&shop.key, "?dry_run=true", &edited).await.expect(200);
    assert_eq!(actions(&tried), ["drafted", "unchanged"]);
    assert_eq!(
        (&tried["sops"][0]["number"], &tried["sops"][0]["sop_version_id"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(exports(&shop.key).await, text, "nothing was written");

    let report = hands_in(&shop.key, "", &edited).await.expect(200);
    assert_eq!(actions(&report), ["drafted", "unchanged"]);
    assert_eq!(exports(&shop.key).await, edited);
    let in_force = shop.key.get("/v1/sops/export?versions=in_force").await.expect(200).text;
    assert!(
        in_force.contains("threshold: 50") && !in_force.contains("threshold: 40"),
        "{in_force}"
    );
    let first = shop.key.get(&format!("/v1/sop-versions/{first}")).await.expect(200);
    assert_eq!(first["state"], "published");
    let sop = shop.key.get(&format!("/v1/sops/{sop}")).await.expect(200);
    assert_eq!((&sop["name"], &sop["latest_number"]), (&json!("换芯"), &json!(2)));
    let timeline = shop.key.get(&format!("/v1/audit-entries?subject={}", sop.id())).await;
    assert_eq!(timeline.data()[0]["action"], "import");
    assert_eq!(timeline.data()[0]["facts"]["fields"], json!(["latest_number", "name"]));

    // Whoever hands in a draft has written it.
    let draft = report["sops"][0]["sop_version_id"].as_str().unwrap();
    let (author, reviewer) = (shop.admin().await, shop.admin().await);
    let renamed = edited.replace("threshold: 40", "threshold: 30");
    let theirs = hands_in(&author, "", &renamed).await.expect(200);
    let theirs = theirs["sops"][0]["sop_version_id"].as_str().unwrap();
    assert_ne!(theirs, draft);
    say(&author, theirs, "submit").await.expect(200);
    say(&author, theirs, "publish").await.refused(403, "own_sop_version");
    say(&reviewer, theirs, "publish").await.expect(200);
}

/// A document that is wrong, and what is said about it: status, code, place and line.
type Wrong = (String, u16, &'static str, &'static str, i32);

fn wrong_documents() -> Vec<Wrong> {
    let circle = LIBRARY.replace(
        "    stop: true\n",
        "    due:\n      from: step\n      step: flush\n      within_minutes: 5\n",
    );
    vec![
        ("sops:\n- [\n".to_owned(), 400, "malformed_request", "", 3),
        (
            LIBRARY.replace("type: bool", "type: film"),
            422,
            "invalid_body",
            "/sops/0/steps/1/measure/type",
            29,
        ),
        (
            LIBRARY.replace("    stop: true", "    halt: true"),
            422,
            "invalid_body",
            "/sops/0/steps/0/halt",
            23,
        ),
        (
            LIBRARY.replace("    answer: 1", "    answer: 2"),
            422,
            "invalid_body",
            "/sops/0/quiz/0",
            8,
        ),
        (
            LIBRARY.replace("code: idea", "code: filter-change"),
            422,
            "repeated_sop_code",
            "/sops/1/code",
            35,
        ),
        (
            LIBRARY.replace("step: flush", "step: rinse"),
            422,
            "unknown_step_key",
            "/sops/0/steps/1/due/step",
            32,
        ),
        (circle, 422, "step_depends_on_itself", "/sops/0/steps/0/due/step", 25),
        (
            LIBRARY.replace("  name: An idea\n", "  name: An idea\n  name: Twice\n"),
            400,
            "malformed_request",
            "",
            35,
        ),
        ("sops: !secret x\n".to_owned(), 400, "malformed_request", "", 1),
    ]
}

#[tokio::test]
async fn a_document_that_is_wrong_is_pointed_at_and_changes_nothing() {
    let shop = Shop::opens().await;
    let bomb: String =
        (1..12).fold("a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
            let before = level - 1;
            format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 8].join(", "))
        });
    for (text, status, code, pointer, line) in wrong_documents() {
        let refused = hands_in(&shop.key, "", &text).await.refused(status, code);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused:?}");
        assert_eq!(refused["line"], line, "{refused:?}");
    }
    let refused = hands_in(&shop.key, "", &bomb).await.refused(400, "malformed_request");
    assert_eq!(refused["errors"][0]["pointer"], "");
    hands_in(&shop.key, "", &"x".repeat(1024 * 1024 + 1)).await.refused(413, "body_too_large");
    let json = shop.key.post("/v1/sops/import", json!({ "sops": [] })).await;
    json.refused(415, "unsupported_media_type");
    hands_in(&shop.key, "?dry=true", LIBRARY).await.refused(400, "invalid_parameter");
    assert!(shop.key.get("/v1/sops").await.expect(200).data().is_empty());
    assert_eq!(exports(&shop.key).await, "sops: []\n");
}

#[tokio::test]
async fn of_two_who_hand_in_the_same_at_once_nobody_makes_it_twice() {
    let shop = Shop::opens().await;
    let both = (0..4).map(|_| hands_in(&shop.key, "", LIBRARY));
    let replies = futures::future::join_all(both).await;
    assert!(replies.iter().any(|reply| reply.status == 200), "{replies:?}");
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        reply.refused(409, "already_exists");
    }
    assert_eq!(shop.key.get("/v1/sops").await.expect(200).data().len(), 2);
    let versions = "SELECT count(*) AS number FROM sop_version";
    let versions = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, versions);
    let row = shop.house.owner().await.query_one_raw(versions).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "number").unwrap(), 1);
}

#[tokio::test]
async fn who_writes_no_procedures_hands_none_in() {
    let shop = Shop::opens().await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let refused = hands_in(&manager, "", LIBRARY).await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "sops:write");
    let dealer = shop.house.dealer_key(shop.tenant, &shop.dealer);
    hands_in(&dealer, "", LIBRARY).await.refused(403, "shared_by_all_dealers");
}
