//! What the operator reads when something goes wrong.

use crate::customers::Shop;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _};

/// What was logged, one JSON object a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Reads along, at the level that the program has by itself.
    fn read(&self) -> (tracing::subscriber::DefaultGuard, tracing::Dispatch) {
        let writer = self.clone();
        let lines = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
        let filter = EnvFilter::new("warn,aftercare=info");
        let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
        let reading = tracing::subscriber::set_default(registry);
        // As long as there is one subscriber, tracing asks the thread that comes by first whether anybody
        // wants a line, and that may be another story's. With a second one it asks them all.
        (reading, tracing::Dispatch::new(tracing_subscriber::registry()))
    }

    /// What the one line with this message is about.
    fn about(&self, message: &str) -> Value {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found: Vec<_> = lines.filter(|line| line["fields"]["message"] == message).collect();
        assert_eq!(found.len(), 1, "{text}");
        found[0]["span"].clone()
    }
}

#[tokio::test]
async fn a_line_says_which_request_or_job_it_is_about() {
    let shop = Shop::opens().await;
    shop.house.settle().await;
    let lines = Lines::default();
    let reading = lines.read();

    let owner = shop.house.owner().await;
    owner.execute_unprepared("ALTER TABLE product RENAME TO product_gone").await.unwrap();
    let request = shop.key.request(Method::GET, "/v1/products?sku=RO-600G");
    shop.key.send(request.header("x-request-id", "erp-17")).await.refused(500, "internal_error");
    let about = lines.about("a request failed");
    assert_eq!(about["name"], "request");
    assert_eq!(about["request.id"], "erp-17");
    assert_eq!(about["method"], "GET");
    assert_eq!(about["route"], "/v1/products");

    let file = "customer_external_id,name\nC-1,李娜\n";
    crate::imports::hand_in(&shop.key, "kind=customers", "text/csv", file).await.expect(202);
    owner.execute_unprepared("UPDATE job SET payload = '{}' WHERE state = 'ready'").await.unwrap();
    assert_eq!(shop.house.settle_somehow().await, ["import_continued"]);
    let about = lines.about("a job failed");
    assert_eq!(about["name"], "job");
    assert_eq!(about["job.kind"], "import_continued");
    assert_eq!(about["attempts"], json!(1));
    assert!(about["job.id"].as_str().unwrap().starts_with("job_"), "{about}");
    assert!(about["tenant.id"].is_string(), "{about}");
    drop(reading);
}
