//! A reviewer sees what a version says otherwise than another.

use super::{Shop, create_sop, draft, filter_change, say, step};
use domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

/// The filter change with a stricter threshold, the housing first, and one step more.
fn stricter() -> Value {
    let mut details = filter_change();
    let steps = details["steps"].as_array_mut().unwrap();
    steps[1]["measure"]["threshold"] = json!(40);
    steps.swap(0, 2);
    steps.swap(1, 2);
    steps.push(step("Call the customer"));
    details["change_note"] = json!("Stricter.");
    details
}

#[tokio::test]
async fn a_version_is_compared_with_the_one_that_was_in_force_before() {
    let shop = Shop::opens().await;
    let (sop, first) = shop.procedure(filter_change()).await;
    let path = |version: &str| format!("/v1/sop-versions/{version}/diff");
    let alone = shop.key.get(&path(&first)).await.expect(200);
    assert_eq!((&alone["added"], &alone["against"]), (&json!(3), &Value::Null));

    let second = draft(&shop.key, &sop, stricter()).await.id();
    let told = shop.key.get(&path(&second)).await.expect(200);
    assert_eq!((&told["against"], &told["against_number"]), (&json!(first), &json!(1)));
    let counts = ["added", "removed", "moved", "changed", "unchanged"].map(|name| &told[name]);
    assert_eq!(counts, [&json!(1), &json!(0), &json!(1), &json!(1), &json!(1)]);
    let changed = &told["steps"].as_array().unwrap().iter();
    let changed = changed.clone().find(|step| step["change"] == "changed").unwrap();
    assert_eq!(changed["title"], "Measure the dissolved solids");
    assert_eq!(changed["fields"][0]["field"], "measure");
    assert_eq!(changed["fields"][0]["after"]["threshold"], 40);
    assert!(told["text"].as_str().unwrap().contains("threshold 50"), "{told:?}");

    let chinese = shop.key.opens(&path(&second), "zh-CN").await.expect(200);
    assert_eq!(chinese.header("content-language"), "zh-CN");
    assert!(chinese["text"].as_str().unwrap().starts_with("第 2 版与第 1 版相比"), "{chinese:?}");

    // Once it is in force it is still compared with the one before it, which is retired.
    say(&shop.key, &second, "submit").await.expect(200);
    say(&shop.key, &second, "publish").await.expect(200);
    let told = shop.key.get(&path(&second)).await.expect(200);
    assert_eq!(told["against"], json!(first));
    let back = shop.key.get(&format!("{}?against={second}", path(&first))).await.expect(200);
    assert_eq!((&back["removed"], &back["added"]), (&json!(1), &json!(0)));
    let itself = shop.key.get(&format!("{}?against={second}", path(&second))).await.expect(200);
    assert_eq!((&itself["steps"], &itself["unchanged"]), (&json!([]), &json!(4)));
}

#[tokio::test]
async fn versions_of_two_procedures_are_not_compared() {
    let shop = Shop::opens().await;
    let (_, first) = shop.procedure(filter_change()).await;
    let other = create_sop(&shop.key, "other").await.expect(201).id();
    let other = draft(&shop.key, &other, filter_change()).await.id();
    let path = format!("/v1/sop-versions/{first}/diff?against=");
    let refused = shop.key.get(&format!("{path}{other}")).await.refused(422, "other_sops_version");
    assert_eq!(refused["errors"][0]["pointer"], "against");
    let nobodys = format!("{path}sov_01h455vb4pex5vsknk084sn02q");
    let refused = shop.key.get(&nobodys).await.refused(422, "unknown_reference");
    assert_eq!(refused["field"], "against");
    shop.key.get(&format!("{path}{first}&colour=red")).await.refused(400, "invalid_parameter");
    let stranger = shop.house.brand_key(shop.house.brand("other").await.live);
    stranger.get(&format!("/v1/sop-versions/{first}/diff")).await.refused(404, "not_found");
}

#[tokio::test]
async fn answers_of_a_quiz_are_for_who_writes_it() {
    let shop = Shop::opens().await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let mut details = filter_change();
    details["quiz"] =
        json!([{ "question": "How long?", "choices": ["1 minute", "5 minutes"], "answer": 1 }]);
    let (sop, first) = shop.procedure(details.clone()).await;
    details["quiz"][0]["answer"] = json!(0);
    let second = draft(&shop.key, &sop, details).await.id();
    let paths = [
        format!("/v1/sop-versions/{first}"),
        format!("/v1/sops/{sop}/versions"),
        format!("/v1/sop-versions/{second}/diff?against={first}"),
    ];
    for path in &paths {
        let writer = shop.key.get(path).await.expect(200);
        assert!(writer.text.contains("\"answer\":1"), "{writer:?}");
        let reader = clerk.get(path).await.expect(200);
        assert!(!reader.text.contains("\"answer\":1"), "{reader:?}");
        assert!(!reader.text.contains("\"answer\":0"), "{reader:?}");
    }
    let export = clerk.send(clerk.request(Method::GET, "/v1/sops/export")).await;
    assert_eq!(export.refused(403, "forbidden")["required_scope"], "sops:write");
}
