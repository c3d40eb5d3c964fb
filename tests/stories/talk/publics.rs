//! Complaints that others read, and the boards they stand on.

use crate::{
    house::{Client, House, Reply},
    voice::act,
};
use domain::identity::Role;
use serde_json::{Value, json};
use uuid::Uuid;

/// A dealer whose customer has complained in a group.
struct Square {
    house: House,
    brand: domain::ids::TenantId,
    key: Client,
    dealer: String,
    complaint: String,
}

impl Square {
    async fn opens() -> Self {
        let house = House::opens().await;
        let brand = house.brand("clearwater").await.live;
        let key = house.brand_key(brand);
        let dealer = json!({"code": "hangzhou", "name": "杭州店"});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let customer = json!({"name": "李娜", "dealer_id": dealer, "phone": "+8613800138000"});
        let customer = key.post("/v1/customers", customer).await.expect(201).id();
        let details = json!({"customer_id": customer, "source": "group", "kind": "quality", "severity": 3,
            "description": "我是李娜，净水器漏水，电话 138 0013 8000，微信号 lina2020。"});
        let complaint = key.post("/v1/complaints", details).await.expect(201).id();
        act(&key, &complaint, "acknowledge", json!({})).await.expect(200);
        Self { house, brand, key, dealer, complaint }
    }

    async fn publishes(&self) -> Reply {
        let details = json!({"public_ref": "碧水业主群", "title": "李娜：漏水一周"});
        act(&self.key, &self.complaint, "publish", details).await
    }

    async fn says(&self, direction: &str, body: &str, public: bool) -> Reply {
        let message = json!({"direction": direction, "body": body, "public": public});
        let path = format!("/v1/complaints/{}/messages", self.complaint);
        self.key.post(&path, message).await
    }

    async fn publication(&self) -> Reply {
        self.key.get(&format!("/v1/complaints/{}/publication", self.complaint)).await.expect(200)
    }

    async fn does(&self, verb: &str, body: Value) -> Reply {
        act(&self.key, &self.complaint, &format!("publication/{verb}"), body).await
    }

    fn board(&self) -> String {
        format!("/v1/dealers/{}/complaint-board", self.dealer)
    }

    async fn link(&self, renew: bool) -> String {
        let opened = self.key.post(&self.board(), json!({"renew": renew})).await.expect(200);
        opened["board_path"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn what_others_read_names_nobody() {
    let square = Square::opens().await;
    square.says("to_customer", "您好", true).await.refused(409, "complaint_not_public");
    let published = square.publishes().await.expect(201);
    assert_eq!(published["public_title"], "***：漏水一周");
    assert_eq!(published["public_text"], "我是***，净水器漏水，电话 ***，微信号 ***。");
    assert_eq!(published["title"], "李娜：漏水一周");
    let masked = json!([{"kind": "name", "count": 2}, {"kind": "wechat", "count": 1}, {"kind": "phone", "count": 1}]);
    assert_eq!(published["redactions"], masked);
    let answer =
        square.says("to_customer", "李女士，我们打 13800138000 给您。", true).await.expect(201);
    assert_eq!(answer["body"], "李女士，我们打 13800138000 给您。");
    assert_eq!(answer["public_body"], "***，我们打 *** 给您。");
    let kinds: Vec<_> =
        answer["redactions"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, [&json!("phone"), &json!("name")]);
    square.publishes().await.refused(409, "already_exists");
    let words = json!({"title": "漏水", "text": "邮箱 li.na@example.com"});
    let redacted = square.does("redact", words).await.expect(200);
    assert_eq!((&redacted["public_text"], &redacted["version"]), (&json!("邮箱 ***"), &json!(3)));
}

#[tokio::test]
async fn a_customer_who_has_moved_to_another_dealer_is_masked_all_the_same() {
    let square = Square::opens().await;
    let shown = square.key.get(&format!("/v1/complaints/{}", square.complaint)).await;
    let customer = format!("/v1/customers/{}", shown["customer_id"].as_str().unwrap());
    let other = json!({"code": "ningbo", "name": "宁波店"});
    let other = square.key.post("/v1/dealers", other).await.expect(201).id();
    square.key.patch(&customer, "*", json!({"dealer_id": other})).await.expect(200);
    let dealer = Some(square.dealer.parse().unwrap());
    let person = Uuid::from_u128(9).into();
    let manager = square.house.person(square.brand, Role::Manager, person, dealer);
    manager.get(&customer).await.refused(404, "not_found");
    let details = json!({"title": "李娜：漏水一周，手机尾号 0138000"});
    let published = act(&manager, &square.complaint, "publish", details).await.expect(201);
    assert_eq!(published["public_title"], "***：漏水一周，手机尾号 ***");
}

#[tokio::test]
async fn the_first_public_answer_is_kept_or_missed_once() {
    let square = Square::opens().await;
    let published = square.publishes().await.expect(201);
    assert_eq!(published["first_answer_due_at"], "2026-01-06T01:00:00Z");
    square.says("from_customer", "有人吗？", true).await.expect(201);
    square.says("to_customer", "内部安排中。", false).await.expect(201);
    assert_eq!(square.publication().await["first_answer"], "due");
    square.house.pass_hours(25).await;
    assert_eq!(square.publication().await["first_answer"], "missed");
    square.says("to_customer", "非常抱歉，今天上门。", true).await.expect(201);
    let answered = square.publication().await;
    assert_eq!(
        (&answered["first_answer"], answered["first_answer_at"].is_string()),
        (&json!("missed"), true)
    );

    // What was missed stays missed, though nobody reads it any more.
    square.does("withdraw", json!({})).await.expect(200);
    let figure = json!({"days": 90, "complaints": 1, "kept": 0, "share_bp": 0});
    assert_eq!(square.key.get(&square.board()).await.expect(200)["figure"], figure);

    let other = Square::opens().await;
    other.publishes().await.expect(201);
    other.says("to_customer", "今天上门。", true).await.expect(201);
    assert_eq!(other.publication().await["first_answer"], "kept");
}

#[tokio::test]
async fn the_promise_of_the_policy_counts_from_when_it_became_public() {
    let square = Square::opens().await;
    let policy = json!({"code": "all", "name": "所有投诉", "rank": 0});
    let policy = square.key.post("/v1/sla-policies", policy).await.expect(201).id();
    let says = json!({"targets": [{"metric": "acknowledge", "within_minutes": 60}]});
    let versions = format!("/v1/sla-policies/{policy}/versions");
    let version = square.key.post(&versions, says).await.expect(201).id();
    square.key.post(&format!("/v1/sla-versions/{version}/publish"), json!({})).await.expect(200);
    let shown = square.key.get(&format!("/v1/complaints/{}", square.complaint)).await;
    let customer = shown["customer_id"].as_str().unwrap();
    let complaint = crate::voice::complains(&square.key, customer).await.id();
    let early = json!({"title": "漏水", "published_at": "2026-01-05T00:30:00Z"});
    let published = act(&square.key, &complaint, "publish", early).await.expect(201);
    assert_eq!(published["first_answer_due_at"], "2026-01-05T01:30:00Z");
    let late = json!({"title": "漏水", "published_at": "2026-01-05T01:00:01Z"});
    let refused = act(&square.key, &square.complaint, "publish", late).await;
    refused.refused(422, "publication_in_future");
}

#[tokio::test]
async fn a_complaint_that_spreads_is_the_brands_at_once() {
    let square = Square::opens().await;
    let admin = json!({"name": "赵敏", "role": "brand_admin"});
    let admin = square.key.post("/v1/staff", admin).await.expect(201).id();
    square.publishes().await.expect(201);
    square.does("raise-virality", json!({"virality": 1})).await.expect(200);
    let shows =
        async || square.key.get(&format!("/v1/complaints/{}", square.complaint)).await.expect(200);
    assert_eq!(shows().await["escalated_staff_id"], json!(null));
    let refused = square.does("raise-virality", json!({"virality": 1})).await;
    let refused = refused.refused(409, "virality_not_raised");
    assert_eq!((&refused["virality"], &refused["wanted"]), (&json!(1), &json!(1)));
    square.does("raise-virality", json!({"virality": 2})).await.expect(200);
    assert_eq!(shows().await["escalated_staff_id"], json!(admin));
    let findings = square.key.get("/v1/findings?kind=complaint_spreading").await.expect(200);
    assert_eq!(findings.data().len(), 1);
    assert_eq!(findings.data()[0]["evidence"], json!({"virality": 2}));
    square.does("raise-virality", json!({"virality": 4})).await.refused(422, "invalid_body");
}

#[tokio::test]
async fn a_board_shows_what_is_public_and_nothing_of_a_person() {
    let square = Square::opens().await;
    square.publishes().await.expect(201);
    square.says("to_customer", "李女士，我们打 13800138000 给您。", true).await.expect(201);
    square.says("internal", "客户很生气。", false).await.expect(201);
    let board = square.key.get(&square.board()).await.expect(200);
    assert_eq!(
        board["figure"],
        json!({"days": 90, "complaints": 1, "kept": 1, "share_bp": 10_000})
    );
    assert_eq!(board["complaints"][0]["messages"].as_array().unwrap().len(), 1);
    for secret in
        ["李娜", "13800138000", "138 0013", "lina2020", "cus_", "cmp_", "客户很生气", "C-000001"]
    {
        assert!(!board.body.to_string().contains(secret), "{secret}: {board:?}");
    }

    let link = square.link(false).await;
    let page = square.house.stranger().opens(&link, "zh-CN").await.expect(200);
    for says in
        ["投诉与答复 · 杭州店", "***：漏水一周", "***，我们打 *** 给您。", "及时答复", "1 / 1"]
    {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    for secret in ["李娜", "13800138000", "lina2020", "客户很生气", "<script"] {
        assert!(!page.text.contains(secret), "{secret}");
    }
    let page =
        square.house.stranger().opens(&format!("{link}?lang=en&page=x"), "zh-CN").await.expect(200);
    assert!(page.text.contains("Complaints and answers"), "{}", page.text);

    square.does("withdraw", json!({})).await.expect(200);
    square.does("withdraw", json!({})).await.refused(409, "illegal_transition");
    square.says("to_customer", "您好", true).await.refused(409, "complaint_not_public");
    let page = square.house.stranger().opens(&link, "zh-CN").await.expect(200);
    assert!(page.text.contains("暂无公开的投诉"), "{}", page.text);
}

#[tokio::test]
async fn a_link_that_was_renewed_or_made_up_leads_nowhere() {
    let square = Square::opens().await;
    let (first, again) = (square.link(false).await, square.link(false).await);
    let renewed = square.link(true).await;
    let stranger = square.house.stranger();
    for old in [&first, &again, &"/b/AAAA".to_owned(), &format!("{renewed}A")] {
        stranger.opens(old, "zh-CN").await.expect(404);
    }
    stranger.opens(&renewed, "en").await.expect(200);
    // Only the brand opens boards; the dealer's people read their own.
    let dealer = Some(square.dealer.parse().unwrap());
    let clerk = Uuid::from_u128(9).into();
    let clerk = square.house.person(square.brand, Role::Manager, clerk, dealer);
    clerk.post(&square.board(), json!({})).await.refused(403, "forbidden");
    clerk.get(&square.board()).await.expect(200);
    let page = format!("{}?page=51", square.board());
    square.key.get(&page).await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn a_board_has_pages() {
    let square = Square::opens().await;
    let shown = square.key.get(&format!("/v1/complaints/{}", square.complaint)).await;
    let customer = shown["customer_id"].as_str().unwrap();
    for number in 0..21 {
        let complaint = crate::voice::complains(&square.key, customer).await.id();
        let details = json!({"title": format!("第 {number} 条")});
        act(&square.key, &complaint, "publish", details).await.expect(201);
    }
    let first = square.key.get(&square.board()).await.expect(200);
    assert_eq!(
        (first["complaints"].as_array().unwrap().len(), &first["has_more"]),
        (20, &json!(true))
    );
    let second = square.key.get(&format!("{}?page=2", square.board())).await.expect(200);
    assert_eq!(second["complaints"][0]["title"], "第 0 条");
    let link = square.link(false).await;
    let page = square.house.stranger().opens(&link, "en").await.expect(200);
    assert!(page.text.contains("page=2"), "{}", page.text);
    let last = square.house.stranger().opens(&format!("{link}?page=2"), "en").await.expect(200);
    assert!(last.text.contains("第 0 条") && last.text.contains("page=1"), "{}", last.text);
}
