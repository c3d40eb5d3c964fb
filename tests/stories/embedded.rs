//! The demo on the PostgreSQL inside the program, as on a machine that has none.

use crate::{
    house::Client,
    patience::until,
    program::{answers_at, program, two_places},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Stdio};
use tokio::process::Child;
use uuid::Uuid;

/// A machine without PostgreSQL, as far as the program can tell. What it keeps goes away with it.
struct Machine {
    data: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let name = format!("embedded-{}", Uuid::new_v4().simple());
        Self { data: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name) }
    }

    /// Starts the program, and waits until its demo is made; answers it with the brand's own program.
    async fn starts(&self) -> (Child, Client) {
        let [bind, admin] = two_places().await;
        let data = self.data.to_str().unwrap();
        let settings = [
            ("AFTERCARE_OWN_DATABASE", "embedded"),
            ("AFTERCARE_DATA_DIR", data),
            ("AFTERCARE_BIND", &*bind),
            ("AFTERCARE_ADMIN_BIND", &admin),
        ];
        // Nobody reads what it says, and a pipe that is full would stop it.
        let mut program = program(&[], &settings);
        let child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let done = self.data.join("demo.done");
        until("the demo", async || done.exists().then_some(()), String::new).await;
        answers_at(&bind, true).await;
        let key = fs::read_to_string(self.data.join("demo.key")).unwrap();
        (child, Client::at(&[format!("http://{bind}")]).bearer(key.trim()))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.data).unwrap();
    }
}

async fn advances(key: &Client, days: u32) {
    let clock = key.get("/v1/test/clocks").await.expect(200).data()[0]["id"].clone();
    let path = format!("/v1/test/clocks/{}/advance", clock.as_str().unwrap());
    let operation = key.post(&path, json!({"days": days})).await.expect(202);
    let look = async || {
        let operation = key.get(operation.header("location")).await.expect(200);
        (operation["status"] == "succeeded").then_some(())
    };
    until("the clock", look, String::new).await;
}

async fn visits(key: &Client) -> Vec<Value> {
    let seen = |visit: &Value| json!([visit["id"], visit["state"], visit["starts_at"]]);
    let visits = key.get("/v1/appointments").await.expect(200);
    visits.data().iter().map(seen).collect()
}

#[tokio::test]
async fn ninety_days_pass_inside_the_program_and_are_there_after_it_was_killed() {
    let machine = Machine::new();
    let (mut child, key) = machine.starts().await;
    advances(&key, 90).await;
    let arranged = visits(&key).await;
    assert!(!arranged.is_empty());
    let letters = key.get("/v1/test/outbox").await.expect(200);
    assert!(!letters.data().is_empty());
    assert!(key.get("/v1/jobs?state=dead").await.expect(200).data().is_empty());
    child.kill().await.unwrap();

    let (mut child, key) = machine.starts().await;
    assert_eq!(visits(&key).await, arranged);
    advances(&key, 1).await;
    child.kill().await.unwrap();
}
