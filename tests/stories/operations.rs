//! A brand follows a long run as it goes on.

use crate::{
    customers::Shop,
    house::{Client, House, Reply},
    imports::hand_in,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// Rows of two full chunks and one more.
const ROWS: u32 = 501;

async fn hands_in_customers(caller: &Client) -> Reply {
    let columns = "customer_external_id,name\n".to_owned();
    let file = (0..ROWS).fold(columns, |file, row| format!("{file}C-{row},李娜\n"));
    hand_in(caller, "kind=customers&source=shop", "text/csv", file).await.expect(202)
}

/// What is told about an operation.
struct Told {
    response: Response,
    text: String,
}

impl Told {
    /// Begins to listen.
    async fn about(caller: &Client, operation: &Reply) -> Self {
        let path = format!("{}/events", operation.header("location"));
        let response = caller.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The next event with its name; `None` when there is no more to come.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let more = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

#[tokio::test]
async fn an_import_is_followed_to_its_end() {
    let shop = Shop::opens().await;
    shop.house.settle().await;
    let accepted = hands_in_customers(&shop.key).await;
    let mut told = Told::about(&shop.key, &accepted).await;
    let header = |name: &str| told.response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-cache");
    assert_eq!(header("x-accel-buffering"), "no");

    let (name, first) = told.next().await.unwrap();
    assert_eq!((name.as_str(), &first["status"]), ("progress", &json!("queued")));
    let mut last = first;
    for (done, status) in [(250, "running"), (500, "running"), (501, "succeeded")] {
        while shop.key.get(accepted.header("location")).await["version"] == last["version"] {
            shop.house.work_once().await;
        }
        let (name, now) = told.next().await.unwrap();
        assert_eq!(name, "progress");
        assert_eq!(now["progress"], json!({"done": done, "total": ROWS, "failed": 0}));
        assert_eq!(now["status"], status);
        last = now;
    }
    assert_eq!(told.next().await, Some(("end".to_owned(), last.clone())));
    assert_eq!(told.next().await, None);

    let mut late = Told::about(&shop.key, &accepted).await;
    assert_eq!(late.next().await, Some(("progress".to_owned(), last.clone())));
    assert_eq!(late.next().await, Some(("end".to_owned(), last)));
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn long_runs_are_listed_and_look_alike_wherever_they_are_told_of() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await;
    house.settle().await;
    let key = house.sandbox_key(brand.test);
    let clock = key.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let advance = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
    let moved = key.post(&advance, json!({"days": 1})).await.expect(202);
    let import = hands_in_customers(&key).await;
    let listed = async |query: &str| {
        let list = key.get(&format!("/v1/operations{query}")).await.expect(200);
        list.data().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for accepted in [&moved, &import] {
        let shown = key.get(accepted.header("location")).await.expect(200);
        assert_eq!(accepted.body, shown.body);
        assert_eq!((&shown["status"], &shown["eta"]), (&json!("queued"), &Value::Null));
        let list = key.get("/v1/operations").await.expect(200);
        assert!(list.data().contains(&shown.body), "{list:?}");
    }
    let both = [import.id(), moved.id()];
    assert_eq!(listed("").await, both);
    assert_eq!(listed("?kind=clock_advance").await, both[1..]);
    assert_eq!(listed("?kind=import&status=queued").await, both[..1]);
    assert_eq!(listed("?status=succeeded").await, [""; 0]);
    house.settle().await;
    assert_eq!(listed("?status=succeeded").await, both);
    assert_eq!(listed("?status=queued").await, [""; 0]);
}

#[tokio::test]
async fn a_brand_follows_at_most_eight_operations_at_once() {
    let shop = Shop::opens().await;
    let accepted = hands_in_customers(&shop.key).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(Told::about(&shop.key, &accepted).await);
    }
    let events = format!("{}/events", accepted.header("location"));
    let refused = shop.key.get(&events).await.refused(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "5");
    shop.house.settle().await;
    for mut stream in streams {
        while stream.next().await.is_some() {}
    }
    shop.key.get(&events).await.expect(200);
}

#[tokio::test]
async fn a_stream_ends_when_the_service_stops() {
    let shop = Shop::opens().await;
    let mut told = Told::about(&shop.key, &hands_in_customers(&shop.key).await).await;
    assert_eq!(told.next().await.unwrap().0, "progress");
    shop.house.stop.send_replace(true);
    assert_eq!(told.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_within_five_seconds_when_its_key_is_revoked() {
    let house = House::opens().await;
    let first = house.founds("clearwater").await;
    let first = house.bearer(first.live_key.reveal());
    let scopes = json!({"name": "ERP", "scopes": ["imports:read"]});
    let made = first.post("/v1/api-keys", scopes).await.expect(201);
    let key = house.bearer(made["secret"].as_str().unwrap());
    let mut told = Told::about(&key, &hands_in_customers(&first).await).await;
    assert_eq!(told.next().await.unwrap().0, "progress");
    first.post(&format!("/v1/api-keys/{}/revoke", made.id()), json!({})).await.expect(200);
    house.clock.set(house.now().plus_seconds(5));
    assert_eq!(told.next().await, None);
}
