//! Many at once: one technician's time is given away once.

use super::{Service, told};
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;

/// As many as a small shop has on the telephone on its worst morning.
const CROWD: usize = 20;

/// How often each status was answered.
fn counted(replies: &[crate::house::Reply]) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for reply in replies {
        *counted.entry(reply.status.as_u16()).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn of_twenty_who_want_one_slot_one_gets_it() {
    let service = Service::opens().await;
    let mut orders = Vec::new();
    for _ in 0..CROWD {
        orders.push(service.asks("2026-01-08", "2026-01-08").await);
    }
    let wants = |order: &String| {
        let choice = service.choice(order, "2026-01-08T01:00:00Z");
        let key = service.key.clone();
        async move { key.post("/v1/appointments", choice).await }
    };
    let replies = join_all(orders.iter().map(wants)).await;
    assert_eq!(counted(&replies), BTreeMap::from([(201, 1), (409, CROWD - 1)]), "{replies:?}");
    let told_no = replies.iter().filter(|reply| reply["code"] == "slot_taken").count();
    assert_eq!(told_no, CROWD - 1, "{replies:?}");
}

#[tokio::test]
async fn of_twenty_confirmations_of_one_slot_one_counts() {
    let service = Service::opens().await;
    let order = service.asks("2026-01-08", "2026-01-08").await;
    let held = service.holds(&order, "2026-01-08T01:00:00Z").await;
    let confirm = format!("/v1/appointments/{held}/confirm");
    let confirms = |_| {
        let (key, confirm) = (service.key.clone(), confirm.clone());
        async move { key.post(&confirm, json!({})).await }
    };
    let replies = join_all((0..CROWD).map(confirms)).await;
    assert_eq!(counted(&replies), BTreeMap::from([(200, 1), (409, CROWD - 1)]), "{replies:?}");
    service.house.settle().await;
    let timeline = format!("/v1/audit-entries?subject={held}");
    let lines = told(&service.list(&timeline).await, &["action"]);
    assert_eq!(lines, ["confirm", "create"]);
}

#[tokio::test]
async fn visits_that_become_due_at_once_share_the_technicians_time() {
    let service = Service::opens().await;
    service.hires_technician().await;
    for _ in 0..CROWD {
        service.asks("2026-01-08", "2026-01-09").await;
    }
    service.house.settle_at_once().await;
    assert_eq!(service.list("/v1/work-orders?state=scheduled").await.len(), CROWD);
    let visits = service.list("/v1/appointments?limit=200").await;
    let mut times = told(&visits, &["staff_id", "starts_at"]);
    times.sort();
    times.dedup();
    assert_eq!(times.len(), CROWD);
}
