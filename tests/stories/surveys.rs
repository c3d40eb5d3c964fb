//! Customers are asked how it was, and answer on a page.

use crate::{
    house::House,
    voice::{
        act, complains, letters, li_na, link, opens, questions, resolves, sends, surveys_after,
        visits,
    },
};
use reqwest::Method;
use serde_json::{Value, json};

/// A page must fit through a slow connection.
const MOST_PAGE_BYTES: usize = 20_000;

#[tokio::test]
async fn a_low_answer_about_a_visit_opens_a_complaint_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    let visit = visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = link(&house).await;
    let fields = [("score", "2"), ("comment", "迟到了。\r\n地也没擦。"), ("choice.tidy", "no")];
    let thanks = sends(&house, &format!("{page}?lang=zh-CN"), &fields).await.expect(200);
    assert!(thanks.text.contains("感谢您的坦诚反馈"), "{thanks:?}");
    house.settle().await;
    let complaints = key.get("/v1/complaints").await.expect(200);
    assert_eq!(complaints.data().len(), 1);
    let complaint = &complaints.data()[0];
    assert_eq!(complaint["source"], "survey");
    assert_eq!(complaint["description"], "迟到了。\n地也没擦。");
    assert_eq!(complaint["work_order_id"], visit.to_string());
    let answers = key.get("/v1/responses?low=true").await.expect(200);
    assert_eq!(complaint["response_id"], answers.data()[0]["id"]);
    assert_eq!(answers.data()[0]["chosen"], json!([{"question": "tidy", "option": "no"}]));

    sends(&house, &page, &[("score", "1")]).await.expect(409);
    house.settle().await;
    assert_eq!(key.get("/v1/complaints").await.data().len(), 1);
}

#[tokio::test]
async fn the_page_speaks_both_languages_and_looking_writes_nothing() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = link(&house).await;
    let before = key.get("/v1/invitations").await.expect(200).text;
    let chinese = opens(&house, &page, "zh-CN,zh;q=0.9").await.expect(200);
    assert!(chinese.text.contains("<html lang=\"zh-CN\">"), "{chinese:?}");
    assert!(chinese.text.contains("您满意吗？") && chinese.text.contains("clearwater"));
    let english = opens(&house, &format!("{page}?lang=en"), "zh-CN").await.expect(200);
    assert!(english.text.contains("Are you satisfied?"), "{english:?}");
    assert!(english.text.len() < MOST_PAGE_BYTES, "{} bytes", english.text.len());
    assert!(!english.text.contains("<script"));
    let policy = english.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(english.header("cache-control"), "no-store");
    assert_eq!(english.header("referrer-policy"), "no-referrer");
    assert_eq!(key.get("/v1/invitations").await.text, before);
    assert_eq!(key.get("/v1/responses").await.data().len(), 0);
}

#[tokio::test]
async fn what_is_no_form_is_no_answer() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = link(&house).await;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", "{\"score\": 5}", 415),
        ("multipart/form-data; boundary=a", "score=5", 415),
        ("application/x-www-form-urlencoded; charset=gbk", "score=5", 415),
        (form, "score=5&comment=%ff", 400),
        (form, "score=5&score=1", 400),
    ] {
        let stranger = house.stranger();
        let request = stranger.request(Method::POST, &page).header("content-type", kind);
        let told = stranger.send(request.body(body)).await.expect(status);
        assert!(told.text.contains("<html"), "{told:?}");
    }
    assert_eq!(key.get("/v1/responses").await.expect(200).data().len(), 0);
}

#[tokio::test]
async fn a_form_that_does_not_fit_is_shown_again() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = format!("{}?lang=en", link(&house).await);
    let said = [("comment", "<b>late</b>")];
    let again = sends(&house, &page, &said).await.expect(422);
    assert!(again.text.contains("Please choose one of the five answers."), "{again:?}");
    assert!(again.text.contains("&lt;b&gt;late&lt;&#x2f;b&gt;"), "{again:?}");
    sends(&house, &page, &[("score", "6")]).await.expect(422);
    sends(&house, &page, &[("score", "5"), ("choice.tidy", "perhaps")]).await.expect(422);
    sends(&house, &page, &[("score", "5"), ("colour", "red")]).await.expect(422);
    assert_eq!(key.get("/v1/responses").await.data().len(), 0);
    let thanks = sends(&house, &page, &[("score", "5"), ("comment", " ")]).await.expect(200);
    assert!(thanks.text.contains("Thank you"), "{thanks:?}");
    let later = opens(&house, &page, "en").await.expect(200);
    assert!(later.text.contains("Thank you"), "{later:?}");
}

#[tokio::test]
async fn a_link_that_is_over_or_unknown_says_so() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = link(&house).await;
    house.pass_days(7).await;
    let over = opens(&house, &page, "zh").await.expect(410);
    assert!(over.text.contains("问卷已结束"), "{over:?}");
    sends(&house, &page, &[("score", "5")]).await.expect(410);
    let states = key.get("/v1/invitations?state=expired").await.expect(200);
    assert_eq!(states.data().len(), 1);
    for unknown in ["/s/AAAAAAAAAAAAAAAAAAAAAA", "/s/x", "/s/%F0%9F%92%A7%F0%9F%92%A7"] {
        let nowhere = opens(&house, unknown, "en").await.expect(404);
        assert!(nowhere.text.contains("This link does not work"), "{nowhere:?}");
        sends(&house, unknown, &[("score", "5")]).await.expect(404);
    }
}

#[tokio::test]
async fn an_answer_sent_twenty_times_at_once_counts_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    visits(&house, brand, &customer).await;
    house.pass_hours(24).await;
    let page = link(&house).await;
    let fields = [("score", "1")];
    let answers = (0..20).map(|_| sends(&house, &page, &fields));
    let answers = futures::future::join_all(answers).await;
    let counted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(counted, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status.as_u16())));
    house.settle().await;
    assert_eq!(key.get("/v1/responses").await.data().len(), 1);
    assert_eq!(key.get("/v1/complaints").await.data().len(), 1);
}

#[tokio::test]
async fn customers_are_not_asked_too_often_and_the_reason_is_kept() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customer = li_na(&key).await;
    let silent = json!({"name": "无名"});
    let silent = key.post("/v1/customers", silent).await.expect(201).id();
    let waiting = li_na(&key).await;
    complains(&key, &waiting).await;
    for who in [&customer, &customer, &silent, &waiting] {
        visits(&house, brand, who).await;
        house.pass_hours(1).await;
    }
    house.pass_hours(24).await;
    let asked = key.get("/v1/invitations").await.expect(200);
    let reasons: Vec<_> =
        asked.data().iter().rev().map(|asked| asked["suppressed_reason"].clone()).collect();
    assert_eq!(
        reasons,
        [Value::Null, json!("frequency"), json!("no_address"), json!("open_complaint")]
    );
    assert_eq!(letters(&house, "survey").await.len(), 1);
}

#[tokio::test]
async fn three_visits_at_once_ask_a_customer_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    surveys_after(&key, "visit_completed").await;
    let customers = [li_na(&key).await, li_na(&key).await, li_na(&key).await, li_na(&key).await];
    for customer in &customers {
        for _ in 0..3 {
            visits(&house, brand, customer).await;
        }
    }
    house.settle().await;
    house.clock.set(house.now().plus_days(1));
    house.settle_at_once().await;
    for customer in &customers {
        let asked = key.get(&format!("/v1/invitations?customer_id={customer}")).await.expect(200);
        let mut reasons: Vec<_> =
            asked.data().iter().map(|asked| asked["suppressed_reason"].to_string()).collect();
        reasons.sort();
        assert_eq!(reasons, ["\"frequency\"", "\"frequency\"", "null"]);
    }
    assert_eq!(letters(&house, "survey").await.len(), customers.len());
}

#[tokio::test]
async fn one_survey_is_issued_after_a_trigger_and_never_changes() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let first = surveys_after(&key, "complaint_resolved").await;
    let path = format!("/v1/surveys/{first}");
    let read = key.get(&path).await.expect(200);
    let later = json!({"delay_hours": 48});
    let fixed = key.patch(&path, read.etag(), later.clone()).await;
    fixed.refused(409, "illegal_transition");
    let again = questions("complaint-resolved", "complaint_resolved");
    key.post("/v1/surveys", again).await.refused(409, "already_exists");

    let second = questions("second", "complaint_resolved");
    let second = key.post("/v1/surveys", second).await.expect(201);
    let draft = format!("/v1/surveys/{}", second.id());
    let edited = key.patch(&draft, second.etag(), later.clone()).await.expect(200);
    assert_eq!(edited["delay_hours"], 48);
    key.patch(&draft, second.etag(), later).await.refused(412, "stale_version");
    let too_late = json!({"delay_hours": 721});
    let too_late = key.patch(&draft, edited.etag(), too_late).await.refused(422, "invalid_body");
    assert_eq!(too_late["errors"][0]["pointer"], "/delay_hours");
    key.post(&format!("{draft}/activate"), json!({})).await.expect(200);
    assert_eq!(key.get(&path).await["state"], "retired");
    key.post(&format!("{draft}/retire"), json!({})).await.expect(200);

    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &id).await;
    house.settle().await;
    assert_eq!(key.get("/v1/invitations").await.data().len(), 0);
}

#[tokio::test]
async fn what_a_sandbox_would_have_sent_lies_in_its_outbox() {
    let house = House::opens().await;
    let twins = house.brand("clearwater").await;
    let key = house.sandbox_key(twins.test);
    surveys_after(&key, "complaint_resolved").await;
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    resolves(&key, &id).await;
    house.settle().await;
    let clock = key.get("/v1/test/clocks").await.data()[0]["id"].as_str().unwrap().to_owned();
    let day = json!({"days": 2});
    key.post(&format!("/v1/test/clocks/{clock}/advance"), day).await.expect(202);
    house.settle().await;
    let outbox = key.get(&format!("/v1/test/outbox?customer_id={customer}")).await.expect(200);
    let purposes: Vec<_> = outbox.data().iter().map(|one| one["purpose"].clone()).collect();
    assert_eq!(purposes, ["survey", "complaint", "complaint", "complaint"]);
    let asked = &outbox.data()[0];
    assert_eq!((&asked["state"], &asked["reason"]), (&json!("kept"), &json!("sandbox")));

    sends(&house, &link(&house).await, &[("score", "4")]).await.expect(200);
    house.settle().await;
    let closed = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!(
        (&closed["state"], &closed["closed_at"]),
        (&json!("closed"), &json!("2026-01-07T01:00:00Z"))
    );
    let live = house.brand_key(twins.live);
    live.get("/v1/test/outbox").await.refused(409, "only_in_sandbox");
}
