//! A Redis that is full, forgets everything, or is killed. One that hangs or is not there: `redis.rs`.

use crate::{
    house::{Client, House, often},
    installation::free_port,
    patience::until,
    redis::{all_goes_on_with_redis_at, says, with_redis_at, works},
    voice::{complains, li_na},
};
use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A Redis of the story's own.
struct Own {
    process: Child,
    url: String,
}

impl Own {
    async fn starts(settings: &[&str]) -> Self {
        let port = free_port();
        let process = Command::new(program())
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is missing: install it (Debian: apt-get install redis-server)");
        let own = Self { process, url: format!("redis://127.0.0.1:{port}") };
        let listens = async || TcpStream::connect(("127.0.0.1", port)).ok().map(drop);
        until("Redis listens", listens, String::new).await;
        own
    }

    fn dies(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may be dead already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<_> = std::env::split_paths(&path).collect();
    let found = ["redis-server", "valkey-server"]
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| "redis-server".into())
}

#[tokio::test]
async fn a_redis_that_is_full_stops_nothing() {
    let redis = Own::starts(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]).await;
    let refused = says(&redis.url, "SET key value").await;
    assert!(refused.starts_with("-OOM"), "{refused}");
    all_goes_on_with_redis_at(&redis.url).await;
}

#[tokio::test]
async fn a_redis_that_forgets_everything_or_dies_stops_nothing() {
    let mut redis = Own::starts(&[]).await;
    let manner = with_redis_at(&redis.url, often(1_000_000));
    let house = House::furnished(manner.clone()).await;
    let founded = house.founds("clearwater").await;
    let replica = house.replica_in(&manner).await;
    works(&replica);
    let key = replica.bearer(founded.live_key.reveal());
    let customer = li_na(&key).await;
    goes_on(&key, &customer, 1).await;
    assert_eq!(says(&redis.url, "FLUSHALL").await, "+OK\r\n");
    goes_on(&key, &customer, 2).await;
    redis.dies();
    goes_on(&key, &customer, 3).await;
}

/// Requests are answered, and the worker has followed up on so many complaints.
async fn goes_on(key: &Client, customer: &str, complaints: usize) {
    for _ in 0..50 {
        key.get("/v1/brand").await.expect(200);
    }
    complains(key, customer).await;
    let done = async || {
        let done = key.get("/v1/jobs?state=done&limit=200").await.expect(200);
        let of_complaints = done.data().iter().filter(|job| job["kind"] == "complaint_opened");
        (of_complaints.count() == complaints).then_some(())
    };
    until("a complaint is followed up", done, String::new).await;
}
