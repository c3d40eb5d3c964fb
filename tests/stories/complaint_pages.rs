//! Customers file complaints on a page, and follow them on another, without a login.

use crate::{
    house::{Client, House, Reply},
    sops::evidence::PNG,
    voice::{act, complains, letters, li_na, opens, sends},
};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};

/// A page must fit through a slow connection.
const MOST_PAGE_BYTES: usize = 20_000;

/// The path of the page that a letter or an answer leads to.
fn path_in(text: &str) -> String {
    let start = text.find("/c/").unwrap();
    text[start..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned()
}

/// The path of the page that the last letter about a complaint leads to.
async fn page(house: &House) -> String {
    path_in(&letters(house, "complaint").await.pop().expect("nobody was told"))
}

/// A link to file complaints, as a path.
async fn filing_link(key: &Client, customer: &str, details: Value) -> String {
    let path = format!("/v1/customers/{customer}/complaint-link");
    let made = key.post(&path, details).await.expect(201);
    path_in(made["link"].as_str().unwrap())
}

/// The value of a hidden field of a page.
fn hidden(page: &Reply, name: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    let value = rest.split('"').next().unwrap();
    value.replace("&#x2f;", "/").replace("&#47;", "/")
}

/// Opens the form and fills it as told.
async fn files(house: &House, link: &str, fields: &[(&str, &str)]) -> Reply {
    let form = hidden(&opens(house, link, "en").await.expect(200), "form");
    let fields: Vec<_> = fields.iter().copied().chain([("form", form.as_str())]).collect();
    sends(house, link, &fields).await
}

/// Presses a button of the page of a complaint.
async fn says(house: &House, page: &str, fields: &[(&str, &str)]) -> Reply {
    let seen = hidden(&opens(house, page, "en").await.expect(200), "seen");
    let fields: Vec<_> = fields.iter().copied().chain([("seen", seen.as_str())]).collect();
    sends(house, page, &fields).await
}

/// Where an answer leads.
fn leads_to(reply: &Reply) -> String {
    reply.header("location").to_owned()
}

/// What a customer sends who has nothing to add.
const LEAK: [(&str, &str); 2] = [("kind", "quality"), ("description", "It leaks.")];

/// A decision in the customer's favour, with an apology and a promise.
fn in_favour() -> Value {
    json!({
        "responsibility": "ours", "apology": "非常抱歉 <b>。", "text": "我们为您更换 <i>。",
        "recourse": "请致电 12315。", "remedies": [{"kind": "repair", "note": "本周 <u>"}],
    })
}

async fn complete_all(key: &Client, complaint: &str) {
    let remedies = format!("/v1/complaints/{complaint}/remedies");
    for remedy in key.get(&remedies).await.expect(200).data() {
        if remedy["state"] == "due" {
            let id = remedy["id"].as_str().unwrap();
            key.post(&format!("{remedies}/{id}/complete"), json!({})).await.expect(200);
        }
    }
}

/// All that could have been written because somebody looked.
async fn written(house: &House) -> String {
    let owner = house.owner().await;
    let sql =
        "SELECT concat_ws('/', (SELECT count(*) FROM audit_entry), (SELECT count(*) FROM secret),
                   (SELECT count(*) FROM complaint), (SELECT sum(version) FROM complaint),
                   (SELECT count(*) FROM complaint_link), (SELECT count(*) FROM filing),
                   (SELECT count(*) FROM job), (SELECT count(*) FROM message)) AS all_rows";
    let ask = Statement::from_string(DbBackend::Postgres, sql);
    let row = owner.query_one_raw(ask).await.unwrap().unwrap();
    let written = row.try_get("", "all_rows").unwrap();
    owner.close().await.unwrap();
    written
}

#[tokio::test]
async fn a_complaint_is_filed_followed_and_met_with_satisfaction() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let fields =
        [("kind", "quality"), ("description", " 滤芯漏水\r\n<script> "), ("wish", "换一台新的")];
    let filed = files(&house, &format!("{link}?lang=zh-CN"), &fields).await.expect(303);
    let page = leads_to(&filed);
    assert!(page.starts_with("/c/") && page.ends_with("?lang=zh-CN"), "{page}");
    let complaint = key.get("/v1/complaints").await.expect(200).data()[0].clone();
    let id = complaint["id"].as_str().unwrap();
    assert_eq!((&complaint["source"], &complaint["kind"]), (&json!("page"), &json!("quality")));
    assert_eq!(complaint["description"], "滤芯漏水\n<script>");
    assert_eq!(complaint["remedy_sought"], "换一台新的");

    let shown = opens(&house, &page, "en").await.expect(200);
    for says in [
        "C-000001",
        "滤芯漏水\n&lt;script&gt;",
        "您希望：换一台新的",
        "2026年1月6日（星期二）09:00 之前",
        "我们现在营业，至 18:00。",
        "<li aria-current=\"step\">已收到",
    ] {
        assert!(shown.text.contains(says), "{says}: {}", shown.text);
    }
    assert!(!shown.text.contains("<script"), "{}", shown.text);

    act(&key, id, "acknowledge", json!({})).await.expect(200);
    act(&key, id, "decide", in_favour()).await.expect(200);
    let shown = opens(&house, &page, "zh").await.expect(200);
    let place =
        |text: &str| shown.text.find(text).unwrap_or_else(|| panic!("{text}: {}", shown.text));
    let order = [
        "非常抱歉 &lt;b&gt;。",
        "我们为您更换 &lt;i&gt;。",
        "维修 · 本周 &lt;u&gt;",
        "请致电 12315。",
    ];
    assert!(order.map(place).is_sorted(), "{}", shown.text);
    assert!(shown.text.contains("按时完成"), "{}", shown.text);

    complete_all(&key, id).await;
    act(&key, id, "resolve", json!({})).await.expect(200);
    let thanks = says(&house, &page, &[("say", "satisfied")]).await.expect(303);
    assert_eq!(leads_to(&thanks), page);
    let closed = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!((&closed["state"], &closed["customer_satisfied"]), (&json!("closed"), &json!(true)));
    let words = key.get(&format!("/v1/complaints/{id}/resolutions")).await.expect(200);
    let word = &words.data()[0]["customer_words"][0];
    assert_eq!(
        (&word["verdict"], &word["noted_by"]),
        (&json!("satisfied"), &json!(customer)),
        "{words:?}"
    );
    assert!(opens(&house, &page, "zh").await.text.contains("您已告诉我们您对结果满意"));
}

#[tokio::test]
async fn a_customer_who_is_not_satisfied_says_why_and_it_is_taken_up_again() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    act(&key, &id, "decide", in_favour()).await.expect(200);
    complete_all(&key, &id).await;
    act(&key, &id, "resolve", json!({})).await.expect(200);
    house.settle().await;
    let told = letters(&house, "complaint").await;
    assert_eq!(told.len(), 3);
    let paths: Vec<_> = told.iter().map(|letter| path_in(letter)).collect();
    // Each letter has a token of its own, and all lead to the same page.
    assert!(paths[0] != paths[1] && paths[1] != paths[2], "{paths:?}");
    let page = format!("{}?lang=en", paths[0]);
    let stale = hidden(&opens(&house, &page, "en").await.expect(200), "seen");

    let missing = says(&house, &page, &[("say", "unsatisfied"), ("text", " ")]).await.expect(422);
    assert!(
        missing.text.contains("aria-invalid=\"true\" aria-describedby=\"comment-mistake\""),
        "{}",
        missing.text
    );
    let still = [("say", "unsatisfied"), ("text", "It leaks <again>.")];
    says(&house, &page, &still).await.expect(303);
    // The same, sent again, changes nothing.
    let again: Vec<_> = still.into_iter().chain([("seen", stale.as_str())]).collect();
    sends(&house, &page, &again).await.expect(303);
    let reopened = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!((&reopened["state"], &reopened["resolution_no"]), (&json!("reopened"), &json!(2)));
    assert_eq!(reopened["reopen_reason"], "It leaks <again>.");
    let other = opens(&house, &paths[2], "en").await.expect(200);
    assert!(
        other.text.contains("<blockquote>It leaks &lt;again&gt;.</blockquote>"),
        "{}",
        other.text
    );

    // What somebody sends who has not seen that is not taken, and not lost.
    let late = [("say", "unsatisfied"), ("text", "And it <smells>."), ("seen", stale.as_str())];
    let late = sends(&house, &page, &late).await.expect(409);
    assert!(late.text.contains("has moved on since you opened this page"), "{}", late.text);
    assert!(late.text.contains("And it &lt;smells&gt;."), "{}", late.text);
    let pleased = sends(&house, &page, &[("say", "satisfied"), ("seen", stale.as_str())]).await;
    pleased.expect(409);
    assert_eq!(key.get(&format!("/v1/complaints/{id}")).await["version"], reopened["version"]);
}

#[tokio::test]
async fn a_form_files_one_complaint_however_often_it_is_sent() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let form = hidden(&opens(&house, &link, "en").await.expect(200), "form");
    let fields = [LEAK[0], LEAK[1], ("form", form.as_str())];
    let sent = (0..8).map(|_| sends(&house, &link, &fields));
    let sent = futures::future::join_all(sent).await;
    let pages: Vec<_> = sent.into_iter().map(|reply| leads_to(&reply.expect(303))).collect();
    for page in &pages {
        assert!(opens(&house, page, "en").await.expect(200).text.contains("C-000001"));
    }
    // Somebody who goes back and writes something else does not lose it.
    let other = [LEAK[0], ("description", "It smells."), ("form", form.as_str())];
    let told = sends(&house, &link, &other).await.expect(409);
    assert!(told.text.contains("It smells."), "{}", told.text);
    let fresh = hidden(&told, "form");
    assert_ne!(fresh, form);
    assert_eq!(key.get("/v1/complaints").await.data().len(), 1);
    sends(&house, &link, &[LEAK[0], other[1], ("form", fresh.as_str())]).await.expect(303);
    assert_eq!(key.get("/v1/complaints").await.data().len(), 2);
}

#[tokio::test]
async fn a_form_that_does_not_fit_is_shown_again_with_what_was_written() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let long = "字".repeat(501);
    for (fields, field) in [
        (vec![("description", "It <leaks>.")], "kind"),
        (vec![("kind", "weather"), ("description", "It <leaks>.")], "kind"),
        (vec![("kind", "quality"), ("description", " "), ("wish", "A <new> one")], "description"),
        (vec![LEAK[0], ("description", "It <leaks>."), ("wish", long.as_str())], "wish"),
        (vec![LEAK[0], ("description", "It <leaks>."), ("asset", "ast_x")], "asset"),
    ] {
        let again = files(&house, &link, &fields).await.expect(422);
        assert!(again.text.contains("<title>Please check: "), "{fields:?} {}", again.text);
        if field != "asset" {
            let place = format!("id=\"{field}-mistake\"");
            assert!(again.text.contains(&place), "{fields:?} {}", again.text);
        }
        let kept =
            again.text.contains("It &lt;leaks&gt;.") || again.text.contains("A &lt;new&gt; one");
        assert!(kept, "{}", again.text);
    }
    sends(&house, &link, &LEAK).await.expect(400);
    sends(&house, &link, &[LEAK[0], LEAK[1], ("form", "short")]).await.expect(400);
    assert_eq!(key.get("/v1/complaints").await.expect(200).data().len(), 0);
}

#[tokio::test]
async fn a_link_files_five_complaints_that_are_open_at_once() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    for _ in 0..5 {
        files(&house, &link, &LEAK).await.expect(303);
    }
    let full = files(&house, &link, &LEAK).await.expect(409);
    assert!(
        full.text.contains("Five complaints") && full.text.contains("It leaks."),
        "{}",
        full.text
    );
    let first = key.get("/v1/complaints?number=C-000001").await.expect(200).data()[0].clone();
    let first = first["id"].as_str().unwrap();
    act(&key, first, "acknowledge", json!({})).await.expect(200);
    act(&key, first, "decide", in_favour()).await.expect(200);
    complete_all(&key, first).await;
    act(&key, first, "resolve", json!({})).await.expect(200);
    files(&house, &link, &LEAK).await.expect(303);
    files(&house, &link, &LEAK).await.expect(409);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_any_more_looks_like_one_that_never_did() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let filing = filing_link(&key, &customer, json!({"valid_days": 7})).await;
    let id = complains(&key, &customer).await.id();
    house.settle().await;
    let first = page(&house).await;
    opens(&house, &first, "en").await.expect(200);
    let renewed = key.post(&format!("/v1/complaints/{id}/link"), json!({})).await.expect(201);
    let second = path_in(renewed["link"].as_str().unwrap());
    opens(&house, &second, "en").await.expect(200);
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    act(&key, &id, "decide", in_favour()).await.expect(200);
    house.settle().await;
    // Later letters carry the link that counts now.
    opens(&house, &page(&house).await, "en").await.expect(200);
    house.pass_days(7).await;

    let nobody = opens(&house, "/c/AAAAAAAAAAAAAAAAAAAAAA", "en").await.expect(404);
    assert!(nobody.text.contains("This link does not work"), "{}", nobody.text);
    let token = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    for path in [
        first.clone(),
        filing.clone(),
        "/c/x".to_owned(),
        "/c/new/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        format!("/c/{}", token(&filing)),
        format!("/c/new/{}", token(&second)),
        format!("/s/{}", token(&second)),
    ] {
        let told = opens(&house, &path, "en").await.expect(404);
        assert_eq!(told.text, nobody.text, "{path}");
        for name in ["cache-control", "x-robots-tag", "content-security-policy", "referrer-policy"]
        {
            assert_eq!(told.header(name), nobody.header(name), "{path} {name}");
        }
        let form = [
            ("say", "satisfied"),
            ("seen", "1/"),
            ("form", "AAAAAAAAAAAAAAAAAAAAAA"),
            LEAK[0],
            LEAK[1],
        ];
        assert_eq!(sends(&house, &path, &form).await.expect(404).text, nobody.text, "{path}");
    }

    complete_all(&key, &id).await;
    act(&key, &id, "resolve", json!({})).await.expect(200);
    act(&key, &id, "close", json!({"customer_satisfied": true})).await.expect(200);
    house.pass_days(89).await;
    opens(&house, &second, "en").await.expect(200);
    house.pass_days(1).await;
    assert_eq!(opens(&house, &second, "en").await.expect(404).text, nobody.text);
}

#[tokio::test]
async fn looking_writes_nothing_and_the_pages_are_in_confidence() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let filing = filing_link(&key, &customer, json!({})).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    act(&key, &id, "decide", in_favour()).await.expect(200);
    complete_all(&key, &id).await;
    act(&key, &id, "resolve", json!({})).await.expect(200);
    house.settle().await;
    let page = page(&house).await;
    let before = written(&house).await;
    for (path, texts) in [
        (&page, ["您的投诉", "Your complaint"]),
        (&filing, ["请告诉我们哪里出了问题", "Tell us what went wrong"]),
    ] {
        for (language, text) in ["zh-CN", "en"].into_iter().zip(texts) {
            let shown = opens(&house, &format!("{path}?lang={language}"), "fr").await.expect(200);
            assert!(shown.text.contains(&format!("<html lang=\"{language}\">")), "{}", shown.text);
            assert!(shown.text.contains(text), "{}", shown.text);
            assert!(shown.text.len() < MOST_PAGE_BYTES, "{} bytes", shown.text.len());
            assert!(!shown.text.contains("<script"), "{}", shown.text);
            let policy = shown.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
            assert_eq!(shown.header("cache-control"), "no-store");
            assert_eq!(shown.header("referrer-policy"), "no-referrer");
            assert_eq!(shown.header("x-robots-tag"), "noindex, nofollow");
            house.stranger().send(house.stranger().request(Method::HEAD, path)).await.expect(200);
        }
    }
    assert_eq!(written(&house).await, before);
}

#[tokio::test]
async fn a_link_is_about_the_customers_own_things() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let (customer, other) = (li_na(&key).await, li_na(&key).await);
    let product = json!({"sku": "RO-1", "name": "Purifier <1>", "category": "purifier", "after_sales_need": "rigid",
        "price": {"amount": 1000, "currency": "CNY"}});
    let product = key.post("/v1/products", product).await.expect(201).id();
    let mut assets = Vec::new();
    for (owner, serial) in [(&customer, "SN-1"), (&customer, "SN-2"), (&other, "SN-3")] {
        let asset = json!({"customer_id": owner, "product_id": product, "serial": serial});
        assets.push(key.post("/v1/assets", asset).await.expect(201).id());
    }
    let path = format!("/v1/customers/{customer}/complaint-link");
    let foreign = key.post(&path, json!({"asset_id": assets[2]})).await;
    foreign.refused(422, "complaint_about_somebody_elses");

    let any = filing_link(&key, &customer, json!({})).await;
    let shown = opens(&house, &any, "en").await.expect(200).text;
    assert!(shown.contains("Purifier &lt;1&gt; · SN-1") && shown.contains("SN-2"), "{shown}");
    assert!(!shown.contains("SN-3"), "{shown}");
    files(&house, &any, &[LEAK[0], LEAK[1], ("asset", &assets[2])]).await.expect(422);
    files(&house, &any, &[LEAK[0], LEAK[1], ("asset", &assets[1])]).await.expect(303);
    let one = filing_link(&key, &customer, json!({"asset_id": assets[0]})).await;
    let shown = opens(&house, &one, "en").await.expect(200).text;
    assert!(shown.contains("SN-1") && !shown.contains("SN-2"), "{shown}");
    files(&house, &one, &LEAK).await.expect(303);
    let about: Vec<_> =
        key.get("/v1/complaints").await.data().iter().map(|one| one["asset_id"].clone()).collect();
    assert_eq!(about, [json!(assets[0]), json!(assets[1])]);
}

/// A complaint that is decided in the customer's favour; its page.
async fn is_decided(house: &House, key: &Client) -> (String, String) {
    let customer = li_na(key).await;
    let id = complains(key, &customer).await.id();
    act(key, &id, "acknowledge", json!({})).await.expect(200);
    act(key, &id, "decide", in_favour()).await.expect(200);
    house.settle().await;
    (id, format!("{}?lang=en", page(house).await))
}

#[tokio::test]
async fn a_decision_is_refused_made_anew_and_accepted() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let (id, page) = is_decided(&house, &key).await;
    let why = says(&house, &page, &[("say", "refuse"), ("text", "")]).await.expect(422);
    assert!(why.text.contains("aria-describedby=\"refusal-mistake\""), "{}", why.text);
    let no = [("say", "refuse"), ("text", "A repair is <not> enough.")];
    says(&house, &page, &no).await.expect(303);
    says(&house, &page, &no).await.expect(303);
    let complaint = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!((&complaint["state"], &complaint["refusals"]), (&json!("negotiating"), &json!(1)));
    let shown = opens(&house, &page, "en").await.expect(200).text;
    assert!(shown.contains("<blockquote>A repair is &lt;not&gt; enough.</blockquote>"), "{shown}");
    assert!(shown.contains("value=\"accept\"") && !shown.contains("value=\"refuse\""), "{shown}");

    let stale = hidden(&opens(&house, &page, "en").await.expect(200), "seen");
    let anew = json!({"responsibility": "ours", "apology": "非常抱歉。", "text": "A new one.",
        "recourse": "请致电 12315。", "remedies": [{"kind": "replacement"}]});
    act(&key, &id, "decide", anew).await.expect(200);
    // Who has not seen the new decision says nothing to it.
    let late = [("say", "accept"), ("seen", stale.as_str())];
    let late = sends(&house, &page, &late).await.expect(409);
    assert!(late.text.contains("A new one."), "{}", late.text);
    says(&house, &page, &[("say", "accept")]).await.expect(303);
    says(&house, &page, &[("say", "accept")]).await.expect(303);
    let accepted = key.get(&format!("/v1/complaints/{id}")).await.expect(200);
    assert_eq!(accepted["state"], "decided");
    assert!(accepted["accepted_at"].is_string(), "{accepted:?}");
    let shown = opens(&house, &page, "en").await.expect(200).text;
    assert!(shown.contains("You have accepted this decision."), "{shown}");
    assert!(!shown.contains("value=\"accept\"") && !shown.contains("value=\"refuse\""), "{shown}");
    says(&house, &page, &[("say", "refuse"), ("text", "No, after all.")]).await.expect(409);
    complete_all(&key, &id).await;
    act(&key, &id, "resolve", json!({})).await.expect(200);
    says(&house, &page, &[("say", "satisfied")]).await.expect(303);
}

#[tokio::test]
async fn whoever_says_something_to_a_decision_has_heard_it() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    // Nobody can write to this customer, but the store can give them the link.
    let customer = key.post("/v1/customers", json!({"name": "王芳"})).await.expect(201).id();
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    act(&key, &id, "decide", in_favour()).await.expect(200);
    house.settle().await;
    let complaint = format!("/v1/complaints/{id}");
    let link = key.post(&format!("{complaint}/link"), json!({})).await.expect(201);
    let page = path_in(link["link"].as_str().unwrap());
    opens(&house, &page, "en").await.expect(200);
    assert!(key.get(&complaint).await["told_at"].is_null());
    says(&house, &page, &[("say", "accept")]).await.expect(303);
    let accepted = key.get(&complaint).await.expect(200);
    assert!(accepted["told_at"].is_string() && accepted["accepted_at"].is_string(), "{accepted:?}");
}

/// Sends a form with files, as a browser does.
async fn sends_files(house: &House, path: &str, fields: &[(&str, &str)], files: &[&[u8]]) -> Reply {
    const BOUNDARY: &str = "----a-line-that-nobody-writes";
    let mut body = Vec::new();
    for (name, value) in fields {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
    }
    for file in files {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a.png\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        body.extend([head.as_bytes(), file, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    let stranger = house.stranger();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = stranger.request(Method::POST, path).header("content-type", kind).body(body);
    stranger.send(request).await
}

/// Pictures that differ.
fn pictures() -> [Vec<u8>; 6] {
    [0_u8, 1, 2, 3, 4, 5].map(|last| [PNG, [last].as_slice()].concat())
}

#[tokio::test]
async fn photos_come_with_a_complaint_and_with_a_message() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let form = hidden(&opens(&house, &link, "en").await.expect(200), "form");
    let fields = [LEAK[0], LEAK[1], ("form", form.as_str())];
    let pictures = pictures();
    let all: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();

    let six = sends_files(&house, &link, &fields, &all).await.expect(422);
    assert!(
        six.text.contains("five photos at most") && six.text.contains("choose your photos again"),
        "{}",
        six.text
    );
    let pdf = sends_files(&house, &link, &fields, &[b"%PDF-1.7 \n"]).await.expect(422);
    assert!(pdf.text.contains("is not a photo") && pdf.text.contains("It leaks."), "{}", pdf.text);
    // No file chosen: browsers send an empty one.
    let twice =
        futures::future::join_all((0..2).map(|_| sends_files(&house, &link, &fields, &all[..2])))
            .await;
    let pages: Vec<_> = twice.into_iter().map(|reply| leads_to(&reply.expect(303))).collect();
    let complaint = key.get("/v1/complaints").await.expect(200).data()[0].clone();
    let id = complaint["id"].as_str().unwrap();
    let attachments = format!("/v1/complaints/{id}/attachments");
    let attached = key.get(&attachments).await.expect(200);
    assert_eq!(attached.data().len(), 2, "{attached:?}");
    assert_eq!(attached.data()[0]["attached_by"], json!(customer));

    let seen = hidden(&opens(&house, &pages[0], "en").await.expect(200), "seen");
    let message = [("say", "message"), ("seen", seen.as_str()), ("text", "It <still> leaks.")];
    for _ in 0..2 {
        sends_files(&house, &pages[1], &message, &[all[1], all[2]]).await.expect(303);
    }
    assert_eq!(key.get(&attachments).await.data().len(), 3);
    let empty = [message[0], message[1], ("text", " ")];
    sends_files(&house, &pages[0], &empty, &[b""]).await.expect(422);
    sends_files(&house, &pages[0], &empty, &[all[3]]).await.expect(303);
    assert_eq!(key.get(&attachments).await.data().len(), 4);
    let said = key.get(&format!("/v1/complaints/{id}/messages")).await.expect(200);
    assert_eq!(said.data().len(), 1, "{said:?}");
    assert_eq!(
        (&said.data()[0]["direction"], &said.data()[0]["written_by"]),
        (&json!("from_customer"), &json!(customer))
    );

    for (direction, body) in [("to_customer", "We come <today>."), ("internal", "A difficult one.")]
    {
        let details = json!({"direction": direction, "body": body});
        key.post(&format!("/v1/complaints/{id}/messages"), details).await.expect(201);
    }
    let shown = opens(&house, &format!("{}&x=1", pages[0]), "en").await.expect(200).text;
    for says in ["It &lt;still&gt; leaks.", "We come &lt;today&gt;.", "you have sent: 4."] {
        assert!(shown.contains(says), "{says} {shown}");
    }
    assert!(!shown.contains("difficult"), "{shown}");
}

#[tokio::test]
async fn a_photo_answers_and_the_same_words_answer_twice() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    house.settle().await;
    let page = page(&house).await;
    let complaint = format!("/v1/complaints/{id}");
    let waits = json!({"waiting_for": "customer", "reason": "Does it still leak?"});

    act(&key, &id, "wait", waits.clone()).await.expect(200);
    let seen = hidden(&opens(&house, &page, "en").await.expect(200), "seen");
    let photo = [("say", "message"), ("seen", seen.as_str()), ("text", "")];
    sends_files(&house, &page, &photo, &[PNG]).await.expect(303);
    assert!(key.get(&complaint).await["waiting_for"].is_null());

    let yes = [("say", "message"), ("text", "Yes.")];
    let said = async || {
        let said = key.get(&format!("{complaint}/messages")).await.expect(200);
        said.data().iter().filter(|one| one["direction"] == "from_customer").count()
    };
    for times in [1, 2] {
        act(&key, &id, "wait", waits.clone()).await.expect(200);
        says(&house, &page, &yes).await.expect(303);
        // A double click.
        says(&house, &page, &yes).await.expect(303);
        assert_eq!(said().await, times);
        assert!(key.get(&complaint).await["waiting_for"].is_null());
    }
    let asks = json!({"direction": "to_customer", "body": "Still?"});
    key.post(&format!("{complaint}/messages"), asks).await.expect(201);
    says(&house, &page, &yes).await.expect(303);
    assert_eq!(said().await, 3);
}

#[tokio::test]
async fn who_has_said_as_much_as_is_possible_is_asked_to_call() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    act(&key, &id, "acknowledge", json!({})).await.expect(200);
    house.settle().await;
    let page = format!("{}?lang=en", page(&house).await);
    let owner = house.owner().await;
    let sql = "INSERT INTO complaint_message (tenant_id, id, complaint_id, customer_id, direction, written_by,
                   body, public, redactions, created_at)
               SELECT tenant_id, gen_random_uuid(), id, customer_id, 'to_customer', 'worker', 'x', false, '[]', now()
               FROM complaint, generate_series(1, 500)";
    owner.execute_unprepared(sql).await.unwrap();
    owner.close().await.unwrap();
    let full = says(&house, &page, &[("say", "message"), ("text", "It <still> leaks.")]).await;
    let full = full.expect(422);
    for told in ["Please call us.", "It &lt;still&gt; leaks."] {
        assert!(full.text.contains(told), "{told}: {}", full.text);
    }
}

#[tokio::test]
async fn photos_that_come_with_the_same_form_again_are_attached() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let form = hidden(&opens(&house, &link, "en").await.expect(200), "form");
    let fields = [LEAK[0], LEAK[1], ("form", form.as_str())];
    let pictures = pictures();
    let all: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    sends(&house, &link, &fields).await.expect(303);
    sends_files(&house, &link, &fields, &all[..1]).await.expect(303);
    sends_files(&house, &link, &fields, &all[..2]).await.expect(303);
    let filed = key.get("/v1/complaints").await.expect(200);
    assert_eq!(filed.data().len(), 1);
    let id = filed.data()[0]["id"].as_str().unwrap();
    let attachments = format!("/v1/complaints/{id}/attachments");
    assert_eq!(key.get(&attachments).await.data().len(), 2);
    // Photos of something else are not lost unsaid.
    let other = [LEAK[0], ("description", "It smells."), ("form", form.as_str())];
    let told = sends_files(&house, &link, &other, &all[2..3]).await.expect(409);
    assert!(told.text.contains("choose your photos again"), "{}", told.text);
    assert_eq!(key.get(&attachments).await.data().len(), 2);
}

#[tokio::test]
async fn what_was_set_aside_promises_nothing_and_is_followed_for_ninety_days() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let id = complains(&key, &customer).await.id();
    house.settle().await;
    let page = format!("{}?lang=en", page(&house).await);
    let promised = opens(&house, &page, "en").await.expect(200).text;
    assert!(promised.contains("First answer"), "{promised}");
    let aside = json!({"reason": "withdrawn", "note": "The customer has called."});
    act(&key, &id, "set-aside", aside).await.expect(200);
    let shown = opens(&house, &page, "en").await.expect(200).text;
    assert!(shown.contains("need not be looked into any more"), "{shown}");
    assert!(!shown.contains("First answer"), "{shown}");
    house.pass_days(89).await;
    opens(&house, &page, "en").await.expect(200);
    house.pass_days(1).await;
    opens(&house, &page, "en").await.expect(404);
}

#[tokio::test]
async fn what_cannot_be_said_any_more_is_not_lost() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let (id, page) = is_decided(&house, &key).await;
    let seen = hidden(&opens(&house, &page, "en").await.expect(200), "seen");
    complete_all(&key, &id).await;
    act(&key, &id, "resolve", json!({})).await.expect(200);
    act(&key, &id, "close", json!({"customer_satisfied": true})).await.expect(200);
    house.pass_days(31).await;
    let message = [("say", "message"), ("seen", seen.as_str()), ("text", "One <more> thing.")];
    let late = sends_files(&house, &page, &message, &[PNG]).await.expect(409);
    assert!(
        late.text.contains("id=\"kept\"") && late.text.contains("One &lt;more&gt; thing."),
        "{}",
        late.text
    );
    assert_eq!(
        key.get(&format!("/v1/complaints/{id}/attachments")).await.expect(200).data().len(),
        0
    );
}

#[tokio::test]
async fn a_form_that_is_too_large_or_no_form_is_told_so_on_a_page() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let customer = li_na(&key).await;
    let link = filing_link(&key, &customer, json!({})).await;
    let large = vec![b'x'; 24 * 1024 * 1024];
    let told = sends_files(&house, &link, &LEAK, &[&large]).await.expect(413);
    assert!(
        told.text.contains("<html") && told.text.contains("fewer or smaller photos"),
        "{}",
        told.text
    );
    sends_files(&house, &link, &[LEAK[0], LEAK[0]], &[]).await.expect(400);
    for (kind, body, status) in [
        ("application/json", "{}", 415),
        ("multipart/form-data", "x", 400),
        ("multipart/form-data; boundary=a", "--a\r\nbroken", 400),
    ] {
        let stranger = house.stranger();
        let request = stranger.request(Method::POST, &link).header("content-type", kind).body(body);
        let told = stranger.send(request).await.expect(status);
        assert!(told.text.contains("<html"), "{}", told.text);
    }
}
