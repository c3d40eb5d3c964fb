//! What cannot be read is refused with the place, and nothing is written.

use crate::{
    customers::Shop,
    house::{Client, House, Reply},
};
use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

const JSON: &str = "application/json";
const NOBODY: &str = "cus_01m80t7jx3e9vbq2f4c6d8g0hk";

async fn asks_database(owner: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    owner.query_one_raw(statement).await.unwrap().unwrap().try_get("", "number").unwrap()
}

/// How many rows there are, in all tables together.
async fn rows(house: &House) -> i64 {
    let owner = house.owner().await;
    let tables =
        "SELECT string_agg(format('(SELECT count(*) FROM %I.%I)', schemaname, tablename), '+')
                      AS tables FROM pg_tables WHERE schemaname NOT LIKE 'pg_%'
                      AND schemaname <> 'information_schema'";
    let statement = Statement::from_string(DbBackend::Postgres, tables);
    let row = owner.query_one_raw(statement).await.unwrap().unwrap();
    let tables: String = row.try_get("", "tables").unwrap();
    asks_database(&owner, &format!("SELECT ({tables})::bigint AS number")).await
}

/// A request that is wrong, and what is said about it.
struct Wrong {
    method: &'static str,
    path: String,
    kind: &'static str,
    body: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
    refused: (u16, &'static str),
    /// The place, and the name of the mistake there.
    at: Option<(&'static str, &'static str)>,
}

impl Wrong {
    fn new(method: &'static str, path: &str, refused: (u16, &'static str)) -> Self {
        let path = path.to_owned();
        Self { method, path, kind: JSON, body: vec![], headers: vec![], refused, at: None }
    }

    fn saying(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn at(self, pointer: &'static str, code: &'static str) -> Self {
        Self { at: Some((pointer, code)), ..self }
    }

    async fn sent_by(&self, caller: &Client) -> Reply {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = caller.request(method, &self.path).body(self.body.clone());
        if !self.body.is_empty() || self.method != "GET" {
            request = request.header("content-type", self.kind);
        }
        if self.method == "POST" {
            request = request.header("idempotency-key", Uuid::new_v4().to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        caller.send(request).await
    }

    /// What is not as it should be about the refusal; nothing when it is.
    async fn goes_wrong_for(&self, caller: &Client) -> Option<String> {
        let reply = self.sent_by(caller).await;
        let (status, code) = self.refused;
        let first = &reply["errors"][0];
        let is_at = self.at.is_none_or(|(pointer, code)| {
            first["pointer"] == pointer
                && first["code"] == code
                && !first["message"].as_str().unwrap().is_empty()
        });
        let is_refused = reply.status.as_u16() == status && reply["code"] == code;
        let is_problem = reply.header("content-type") == "application/problem+json";
        if is_refused && is_at && is_problem {
            return None;
        }
        let body = String::from_utf8_lossy(&self.body).chars().take(80).collect::<String>();
        let expected = (self.refused, self.at);
        Some(format!("{} {} {body}: expected {expected:?}: {reply:?}\n", self.method, self.path))
    }

    async fn is_refused_to(&self, caller: &Client) {
        assert_eq!(self.goes_wrong_for(caller).await, None);
    }
}

fn get(path: &str, refused: (u16, &'static str)) -> Wrong {
    Wrong::new("GET", path, refused)
}

fn post(path: &str, body: impl Into<Vec<u8>>, refused: (u16, &'static str)) -> Wrong {
    Wrong::new("POST", path, refused).saying(body)
}

const PARAMETER: (u16, &str) = (400, "invalid_parameter");
const BODY: (u16, &str) = (422, "invalid_body");
const MALFORMED: (u16, &str) = (400, "malformed_request");

/// Mistakes in addresses.
fn in_addresses(shop: &Shop) -> Vec<Wrong> {
    let (dealer, dealers) = (&shop.dealer, format!("/v1/dealers/{}", shop.dealer));
    vec![
        get(&format!("/v1/customers/{dealer}"), (400, "wrong_id_type")).at("id", "wrong_id_type"),
        get("/v1/customers/abc", (400, "malformed_id")).at("id", "malformed_id"),
        get("/v1/customers/%ff", PARAMETER).at("path", "not_utf8"),
        Wrong::new("PUT", "/v1/customers/by-external-id/ERP/C-1", PARAMETER)
            .saying("{\"name\": \"x\"}")
            .at("source", "malformed"),
        Wrong::new("PUT", "/v1/customers/by-external-id/erp/%20C-1", PARAMETER)
            .saying("{\"name\": \"x\"}")
            .at("external_id", "malformed"),
        Wrong::new("PUT", "/v1/products/by-sku/a%20b", PARAMETER).saying("{}").at("sku", "malformed"),
        post(
            "/v1/complaints/cmp_01m80t7jx3e9vbq2f4c6d8g0hk/remedies/x/waive",
            "",
            (400, "malformed_id"),
        )
        .at("remedy_id", "malformed_id"),
        get(&format!("/v1/customers?dealer_id={NOBODY}"), (400, "wrong_id_type"))
            .at("dealer_id", "wrong_id_type"),
        get("/v1/customers?colour=red", PARAMETER).at("colour", "unknown_parameter"),
        get(&format!("{dealers}?colour=red"), PARAMETER).at("colour", "unknown_parameter"),
        post(&format!("{dealers}/close?now=1"), "", PARAMETER).at("now", "unknown_parameter"),
        post("/v1/dealers?dry_run=true", "{\"code\":\"a\",\"name\":\"a\"}", PARAMETER)
            .at("dry_run", "unknown_parameter"),
        get("/v1/customers?q=a&q=b", PARAMETER).at("q", "duplicate_parameter"),
        get("/v1/customers?limit=1&limit=2", PARAMETER).at("limit", "duplicate_parameter"),
        get("/v1/customers?q=%ff", PARAMETER).at("q", "not_utf8"),
        get("/v1/customers?limit=0", PARAMETER).at("limit", "out_of_range"),
        get("/v1/customers?limit=201", PARAMETER).at("limit", "out_of_range"),
        get("/v1/customers?limit=x", PARAMETER).at("limit", "out_of_range"),
        get("/v1/complaints?state=angry", PARAMETER).at("state", "unknown_value"),
        get("/v1/complaints?number=a%00b", PARAMETER).at("number", "malformed"),
        get("/v1/work-orders?number=a%00b", PARAMETER).at("number", "malformed"),
        get("/v1/audit-entries?subject=a%00b", (400, "malformed_id")).at("subject", "malformed_id"),
        get("/v1/audit-entries?subject=xyz_01m80t7jx3e9vbq2f4c6d8g0hk", (400, "malformed_id"))
            .at("subject", "malformed_id"),
        get("/v1/appointments?starts_after=2026-02-30T00:00:00Z", PARAMETER)
            .at("starts_after", "invalid_timestamp"),
        get("/v1/responses?low=perhaps", PARAMETER).at("low", "wrong_type"),
        get("/v1/customers?cursor=abc", (400, "invalid_cursor")).at("cursor", "invalid_cursor"),
        get("/v1/plan-templates/pla_01m80t7jx3e9vbq2f4c6d8g0hk/dates?delivered_on=2026-01-31&limit=0",
            PARAMETER)
        .at("limit", "out_of_range"),
        get("/v1/plan-templates/pla_01m80t7jx3e9vbq2f4c6d8g0hk/dates", PARAMETER)
            .at("delivered_on", "missing_parameter"),
        get("/v1/work-orders/wor_01m80t7jx3e9vbq2f4c6d8g0hk/slots?limit=9999", PARAMETER)
            .at("limit", "out_of_range"),
    ]
}

/// Mistakes in what is said, whatever the operation.
fn in_bodies() -> Vec<Wrong> {
    let long = json!({"code": "a", "name": "字".repeat(201)}).to_string();
    let deep = format!("{{\"code\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    let big = format!("{{\"code\": \"{}\"}}", "a".repeat(1024 * 1024));
    let mut wrong = Vec::new();
    for path in ["/v1/dealers", "/v1/customers", "/v1/complaints", "/v1/surveys", "/v1/sops"] {
        wrong.extend([
            post(path, "", MALFORMED).at("", "body_missing"),
            post(path, "{\"name\": ", MALFORMED).at("", "not_json"),
            post(path, "{} {}", MALFORMED).at("", "not_json"),
            post(path, b"{\"name\": \"\xff\"}".to_vec(), MALFORMED).at("", "not_utf8"),
            post(path, deep.clone(), MALFORMED).at("", "too_deep"),
            post(path, big.clone(), (413, "body_too_large")),
            post(path, "[\"arr-1\", \"n\"]", BODY).at("", "wrong_type"),
            post(path, "null", BODY).at("", "wrong_type"),
            post(path, "{\"name\": \"a\", \"name\": \"b\"}", BODY).at("/name", "duplicate_field"),
            post(path, "{\"colour\": 1}", BODY).at("/colour", "unknown_field"),
            post(path, "{}", (415, "unsupported_media_type")).kind("text/plain"),
            post(path, "{}", (415, "unsupported_charset")).kind("application/json; charset=gbk"),
            post(path, "{}", (415, "unsupported_content_encoding"))
                .with("content-encoding", "gzip"),
        ]);
    }
    wrong.extend([
        post("/v1/dealers", long, BODY).at("/name", "too_long"),
        post("/v1/dealers", "{\"code\": \"a\"}", BODY).at("/name", "missing_field"),
        post("/v1/dealers", "{\"code\": 7, \"name\": \"a\"}", BODY).at("/code", "wrong_type"),
        post("/v1/dealers", "{\"code\": \"A\", \"name\": \"a\"}", BODY).at("/code", "malformed"),
        post("/v1/customers", "{\"name\": \"\"}", BODY).at("/name", "blank"),
        post("/v1/customers", "{\"name\": \"nul\\u0000\"}", BODY).at("/name", "malformed"),
    ]);
    wrong
}

/// Mistakes about what a brand knows.
fn in_records(shop: &Shop, customer: &str) -> Vec<Wrong> {
    let dealer = &shop.dealer;
    let sites = format!("/v1/dealers/{dealer}/sites");
    let complaint = |name: &str, value: Value| {
        let mut complaint = json!({"customer_id": customer, "source": "phone", "kind": "quality",
            "severity": 3, "description": "x"});
        complaint[name] = value;
        post("/v1/complaints", complaint.to_string(), BODY)
    };
    let order = |name: &str, value: Value, refused| {
        let line = json!({"quantity": 1, "price_minor": 1});
        let mut order = json!({"customer_id": customer, "dealer_id": dealer, "currency": "CNY",
            "lines": [line]});
        order[name] = value;
        post("/v1/orders", order.to_string(), refused)
    };
    let line = |name: &str, value: Value| {
        let mut line = json!({"quantity": 1, "price_minor": 1});
        line[name] = value;
        order("lines", json!([line]), BODY)
    };
    let site =
        |tz: &str| post(&sites, json!({"code": "s", "name": "s", "tz": tz}).to_string(), BODY);
    let enumerated = ["/source", "/source", "/source", "/source"];
    let values = [json!(true), json!(null), json!(1), json!(["phone"])];
    let mut wrong: Vec<Wrong> = enumerated
        .into_iter()
        .zip(values)
        .map(|(at, value)| complaint("source", value).at(at, "wrong_type"))
        .collect();
    wrong.extend([
        complaint("source", json!("pigeon")).at("/source", "unknown_value"),
        complaint("severity", json!(9)).at("/severity", "out_of_range"),
        complaint("severity", json!(-1)).at("/severity", "out_of_range"),
        Wrong { refused: (400, "wrong_id_type"), ..complaint("customer_id", json!(dealer)) }
            .at("/customer_id", "wrong_id_type"),
        line("price_minor", json!(-1)).at("/lines/0/price_minor", "amount_out_of_range"),
        line("price_minor", json!(1.5)).at("/lines/0/price_minor", "wrong_type"),
        line("price_minor", json!("100")).at("/lines/0/price_minor", "wrong_type"),
        line("quantity", json!(0)).at("/lines/0/quantity", "quantity_out_of_range"),
        line("colour", json!(0)).at("/lines/0/colour", "unknown_field"),
        order("lines", json!([["x", 1]]), BODY).at("/lines/0", "wrong_type"),
        order("lines", json!([]), (422, "order_without_lines")).at("/lines", "order_without_lines"),
        order("currency", json!("XYZ"), BODY).at("/currency", "unknown_currency"),
        order("paid_on", json!("2026-02-30"), BODY).at("/paid_on", "invalid_date"),
        order("paid_on", json!("2026-01-01T00:00:00Z"), BODY).at("/paid_on", "invalid_date"),
        order("site_id", json!(shop.site), (422, "unknown_reference"))
            .at("/customer_id", "unknown_reference"),
        site("Asia/Beijing").at("/tz", "unknown_time_zone"),
        site("+08:00").at("/tz", "unknown_time_zone"),
    ]);
    // The order that names a site is right but for its customer.
    for order in wrong.iter_mut().filter(|wrong| wrong.refused.1 == "unknown_reference") {
        let body = String::from_utf8(order.body.clone()).unwrap();
        order.body = body.replace(customer, NOBODY).into_bytes();
    }
    wrong
}

/// Mistakes in files.
fn in_files() -> Vec<Wrong> {
    let file = |text: &str, code: &'static str, place: &'static str| {
        post("/v1/imports?kind=customers", text, (422, code)).kind("text/csv").at(place, code)
    };
    let head = "customer_external_id,name\n";
    let line = "{\"customer_external_id\": \"C-1\", \"name\": \"a\\u0000b\"}\n";
    vec![
        file(&format!("{head}C-1,a\0b\n"), "nul_in_field", "line 2, column name"),
        file(&format!("{head}C-1,a\nC-2,\"x"), "quote_not_closed", "line 3, column 2"),
        file(&format!("{head}C-1,\"a\nb\"\n"), "line_break_in_field", "line 2, column name"),
        file(&format!("{head}C-1\n"), "row_length_differs", "line 2"),
        file("name\nx\n", "columns_missing", "line 1"),
        file("customer_external_id;name\nC-1;a\n", "wrong_separator", "line 1"),
        file("customer_external_id\tname\nC-1\ta\n", "wrong_separator", "line 1"),
        file(
            &format!("\u{feff}{head}C-1,a\nC-1,b\n"),
            "row_repeated",
            "line 3, column customer_external_id",
        ),
        post("/v1/imports?kind=customers", line, (422, "nul_in_field"))
            .kind("application/x-ndjson")
            .at("line 1, column name", "nul_in_field"),
        post("/v1/imports?kind=customers", head, (415, "unsupported_charset"))
            .kind("text/csv; charset=gbk"),
        post("/v1/imports?kind=customers&site_id=x", head, (400, "malformed_id"))
            .kind("text/csv")
            .at("site_id", "malformed_id"),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_is_pointed_at_and_nothing_is_written() {
    let shop = Shop::opens().await;
    let customer = shop.customer("C-1").await;
    let before = rows(&shop.house).await;
    let all = [in_addresses(&shop), in_bodies(), in_records(&shop, &customer), in_files()];
    let mut surprises = Vec::new();
    for wrong in all.iter().flatten() {
        surprises.extend(wrong.goes_wrong_for(&shop.key).await);
    }
    assert!(surprises.is_empty(), "{}", surprises.concat());
    assert_eq!(rows(&shop.house).await, before);
}

#[tokio::test]
async fn verbs_without_a_body_take_none() {
    let shop = Shop::opens().await;
    let path = format!("/v1/dealers/{}", shop.dealer);
    for (body, at, code) in [
        ("{\"reason\": \"x\"}", "/reason", "unknown_field"),
        ("[]", "", "wrong_type"),
        ("1", "", "wrong_type"),
    ] {
        let close = post(&format!("{path}/close"), body, BODY).at(at, code);
        close.is_refused_to(&shop.key).await;
    }
    let broken = post(&format!("{path}/close"), "{", MALFORMED).at("", "not_json");
    broken.is_refused_to(&shop.key).await;
    for (verb, body) in [("close", ""), ("reopen", "{}")] {
        let verb = post(&format!("{path}/{verb}"), body, (200, ""));
        verb.sent_by(&shop.key).await.expect(200);
    }
}

#[tokio::test]
async fn mistakes_are_told_in_the_callers_language() {
    let shop = Shop::opens().await;
    let said = |language: &'static str| {
        post("/v1/complaints", "[]", BODY).with("accept-language", language)
    };
    let english = said("en").sent_by(&shop.key).await.refused(422, "invalid_body");
    assert_eq!(english["errors"][0]["message"], "expected an object, found a list");
    let detail =
        "The body is not what this operation needs. In the body: expected an object, found a list.";
    assert_eq!(english["detail"], detail);
    let chinese = said("zh-CN").sent_by(&shop.key).await.refused(422, "invalid_body");
    assert_eq!(chinese["errors"][0]["message"], "应为对象，而不是列表");
    assert_eq!(chinese["detail"], "请求体不符合此操作的要求。应为对象，而不是列表。");
    let source = json!({"customer_id": NOBODY, "source": "pigeon"}).to_string();
    let source = post("/v1/complaints", source, BODY).sent_by(&shop.key).await;
    let allowed: BTreeSet<_> = source["errors"][0]["allowed"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(allowed.contains("phone") && allowed.contains("survey"), "{source:?}");
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_made_and_nowhere_else() {
    let shop = Shop::opens().await;
    for number in 1..=3 {
        shop.customer(&format!("C-{number}")).await;
    }
    let page = shop.key.get("/v1/customers?limit=1&q=%E6%9D%8E").await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let on =
        |path: &str| format!("{path}{}cursor={cursor}", if path.contains('?') { "&" } else { "?" });
    let next = shop.key.get(&on("/v1/customers?limit=2&q=%E6%9D%8E")).await.expect(200);
    assert_eq!((next.data().len(), &next["has_more"]), (2, &json!(false)));
    assert!(page.header("link").starts_with("</v1/customers?limit=1&q=%E6%9D%8E&cursor="));

    let other = shop.house.brand_key(shop.house.brand("other").await.live);
    let mut altered = cursor.clone().into_bytes();
    altered[20] = if altered[20] == b'A' { b'B' } else { b'A' };
    let altered =
        format!("/v1/customers?q=%E6%9D%8E&cursor={}", String::from_utf8(altered).unwrap());
    let readable = "/v1/customers?cursor=eyJ0ZW5hbnQiOiIwIn0".to_owned();
    for (caller, path) in [
        (&shop.key, on("/v1/customers")),
        (&shop.key, on("/v1/customers?q=%E7%8E%8B")),
        (&shop.key, on("/v1/orders")),
        (&shop.key, on("/v1/appointments")),
        (&other, on("/v1/customers?q=%E6%9D%8E")),
        (&shop.key, altered),
        (&shop.key, readable),
    ] {
        let refused = caller.get(&path).await.refused(400, "invalid_cursor");
        assert_eq!(refused["errors"][0]["pointer"], "cursor", "{path}");
    }
}

#[tokio::test]
async fn refusals_by_rules_point_at_the_field() {
    let shop = Shop::opens().await;
    let brand = shop.house.brand("other").await;
    let sandbox = shop.house.sandbox_key(brand.test);
    let clock = sandbox.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let clock = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
    for (wish, code, pointer) in [
        (json!({}), "clock_days_or_to", ""),
        (json!({"days": 1, "to": "2026-02-01T00:00:00Z"}), "clock_days_or_to", "/to"),
        (json!({"days": 732}), "clock_out_of_reach", "/days"),
        (json!({"to": "2020-01-01T00:00:00Z"}), "clock_out_of_reach", "/to"),
    ] {
        let refused = sandbox.post(&clock, wish).await.refused(422, code);
        assert_eq!(refused["errors"][0]["pointer"], pointer);
        assert_eq!(refused["errors"][0]["code"], code);
    }
    let differing = json!({"name": "李娜", "external_id": "C-2"});
    let refused = shop.key.put("/v1/customers/by-external-id/erp/C-1", differing).await;
    let refused = refused.refused(422, "path_and_body_differ");
    assert_eq!(refused["errors"][0]["pointer"], "/external_id");
    let other = json!({"code": "ningbo-01", "name": "宁波一店"});
    let other = shop.key.post("/v1/dealers", other).await.expect(201).id();
    let order = json!({"customer_id": shop.customer("C-1").await, "dealer_id": other,
        "site_id": shop.site, "currency": "CNY", "lines": [{"quantity": 1, "price_minor": 1}]});
    let refused = shop.key.post("/v1/orders", order).await.refused(422, "site_of_another_dealer");
    assert_eq!(refused["errors"][0]["pointer"], "/site_id");
}

#[tokio::test]
async fn another_systems_names_may_be_chinese() {
    let shop = Shop::opens().await;
    let path = "/v1/customers/by-external-id/erp/%E8%AE%A2%E5%8D%95-1";
    let made = shop.key.put(path, json!({"name": "李娜"})).await.expect(201);
    assert_eq!(made["external_id"], "订单-1");
    let found = shop.key.get("/v1/customers?source=erp&external_id=%E8%AE%A2%E5%8D%95-1").await;
    assert_eq!(found.expect(200).data().len(), 1);
}

#[tokio::test]
async fn an_edit_says_what_it_is_based_on() {
    let shop = Shop::opens().await;
    let path = format!("/v1/dealers/{}", shop.dealer);
    let read = shop.key.get(&path).await.expect(200);
    let edits = |tag: &'static str| {
        let edit = Wrong::new("PATCH", &path, (0, "")).saying("{\"name\": \"x\"}");
        if tag.is_empty() { edit } else { edit.with("if-match", tag) }
    };
    edits("").sent_by(&shop.key).await.refused(428, "if_match_required");
    for malformed in ["3", "W/\"1\"", "\"1", "\"1\", 2"] {
        edits(malformed).sent_by(&shop.key).await.refused(400, "if_match_malformed");
    }
    let stale = edits("\"7\"").sent_by(&shop.key).await.refused(412, "stale_version");
    assert_eq!(stale["current_version"], read["version"]);
    let again = shop.key.get(&path).await;
    assert_eq!(again.text, read.text, "nothing was changed");
    for known in
        [read.etag(), "*", &format!("\"0\", {}", read.etag()), &format!("W/{}", read.etag())]
    {
        let request = shop.key.request(Method::GET, &path).header("if-none-match", known);
        let known = shop.key.send(request).await.expect(304);
        assert_eq!((known.etag(), known.text.as_str()), (read.etag(), ""));
    }
    let changed = edits("\"0\", \"1\"").sent_by(&shop.key).await.expect(200);
    assert_eq!(changed.etag(), "\"2\"");
}

#[tokio::test]
async fn verbs_and_pushes_heed_what_they_are_based_on_when_it_is_said() {
    let shop = Shop::opens().await;
    let close = |tag| {
        post(&format!("/v1/dealers/{}/close", shop.dealer), "", (0, "")).with("if-match", tag)
    };
    close("\"7\"").sent_by(&shop.key).await.refused(412, "stale_version");
    let read = shop.key.get(&format!("/v1/dealers/{}", shop.dealer)).await.expect(200);
    assert_eq!(read["status"], "active");
    close("\"1\"").sent_by(&shop.key).await.expect(200);

    shop.customer("C-1").await;
    let push = |tag| {
        let path = "/v1/customers/by-external-id/erp/C-1";
        Wrong::new("PUT", path, (0, "")).saying("{\"name\": \"王伟\"}").with("if-match", tag)
    };
    push("\"7\"").sent_by(&shop.key).await.refused(412, "stale_version");
    push("\"1\"").sent_by(&shop.key).await.expect(200);
}

#[tokio::test]
async fn a_request_sent_again_has_one_effect_for_a_real_day() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let key = house.sandbox_key(brand.test);
    let person = json!({"name": "李娜"});
    let first = key.post_keyed("/v1/customers", "k-1", person.clone()).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = key.post_keyed("/v1/customers", "k-1", person.clone()).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
    let other = key.post_keyed("/v1/customers", "k-1", json!({"name": "王伟"})).await;
    other.refused(422, "idempotency_key_reused");

    // A month of the test clock is a moment of the real one.
    let clock = key.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let path = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
    key.post(&path, json!({"days": 30})).await.expect(202);
    house.settle().await;
    let later = key.post_keyed("/v1/customers", "k-1", person.clone()).await.expect(201);
    assert_eq!((later.header("idempotency-replayed"), later.id()), ("true", first.id()));

    // After a real day it is a new request, whether or not anybody has tidied up.
    house.clock.set(house.now().plus_hours(25));
    let new = key.post_keyed("/v1/customers", "k-1", person.clone()).await.expect(201);
    assert_ne!(new.id(), first.id());
    let again = key.post_keyed("/v1/customers", "k-1", person).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.id()), ("true", new.id()));
}

#[tokio::test]
async fn a_request_that_still_runs_is_not_run_again() {
    let house = House::with_connections(4).await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let dealer = json!({"code": "hangzhou-01", "name": "杭州一店"});
    let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
    let path = format!("/v1/dealers/{dealer}/close");
    let owner = house.owner().await;
    let others = owner.begin().await.unwrap();
    let lock = Statement::from_string(DbBackend::Postgres, "SELECT 1 FROM dealer FOR UPDATE");
    others.query_all_raw(lock).await.unwrap();
    let waits = "SELECT count(*) AS number FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let watcher = house.owner().await;
    let first = key.post_keyed(&path, "k-1", json!({}));
    let second = async {
        while asks_database(&watcher, waits).await == 0 {}
        let second = key.post_keyed(&path, "k-1", json!({})).await;
        others.rollback().await.unwrap();
        second
    };
    let (first, second) = futures::future::join(first, second).await;
    first.expect(200);
    let second = second.refused(409, "request_still_running");
    assert_eq!(second.header("retry-after"), "1");
    let third = key.post_keyed(&path, "k-1", json!({})).await.expect(200);
    assert_eq!(third.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_token_ends_after_its_time() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let made = json!({"name": "ERP", "scopes": ["dealers:read"]});
    let made = key.post("/v1/api-keys", made).await.expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made.id(),
        made["secret"].as_str().unwrap()
    );
    let form = post("/oauth/token", form, (0, "")).kind("application/x-www-form-urlencoded");
    let token = form.sent_by(&house.stranger()).await.expect(200);
    let lasts = token["expires_in"].as_i64().unwrap();
    let token = house.bearer(token["access_token"].as_str().unwrap());
    house.clock.set(house.now().plus_seconds(lasts - 60));
    token.get("/v1/dealers").await.expect(200);
    house.clock.set(house.now().plus_seconds(121));
    token.get("/v1/dealers").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn answers_stay_out_of_caches_and_name_a_brand_that_can_be_one() {
    let house = House::opens().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let read = key.get("/v1/dealers").await.expect(200);
    assert_eq!(read.header("cache-control"), "no-store");
    let stranger =
        house.stranger().get("/v1/dealers?colour=red").await.refused(401, "unauthorized");
    assert_eq!(stranger.header("cache-control"), "no-store");
    let junk = get("/v1/dealers", (400, "malformed_id")).with("aftercare-tenant", "junk");
    junk.at("aftercare-tenant", "malformed_id").is_refused_to(&key).await;
}

/// Reads an answer off a connection that stays open; answers its head.
async fn answer(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length: ").unwrap();
    let length: usize = rest.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.unwrap();
    head
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_fit_for_the_next() {
    let house = House::opens().await;
    let mut connection = TcpStream::connect(house.url.trim_start_matches("http://")).await.unwrap();
    // Longer than what is read by chance together with the head.
    let body = "x".repeat(900_000);
    let head = "POST /v1/dealers HTTP/1.1\r\nhost: a\r\nauthorization: Bearer nobody\r\n\
                content-type: application/json\r\n";
    for _ in 0..2 {
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(request.as_bytes()).await.unwrap();
        let told = answer(&mut connection).await;
        assert!(told.starts_with("http/1.1 401") && !told.contains("connection: close"), "{told}");
    }
    let waits = format!("{head}expect: 100-continue\r\ncontent-length: 10\r\n\r\n");
    connection.write_all(waits.as_bytes()).await.unwrap();
    let told = answer(&mut connection).await;
    assert!(told.starts_with("http/1.1 401") && told.contains("connection: close"), "{told}");
}
