//! Visits from closed sites, and agreed ones that who was to come cannot make.

use super::{Service, told};
use crate::voice::letters;
use serde_json::{Value, json};

/// Closes, reopens or lets go.
async fn does(service: &Service, what: &str, id: &str, verb: &str) {
    service.key.post(&format!("/v1/{what}/{id}/{verb}"), json!({})).await.expect(200);
}

/// The only appointment, as it is now.
async fn visit(service: &Service) -> Value {
    service.list("/v1/appointments").await.remove(0)
}

/// Asks for a visit in the first week, which finds a technician.
async fn agrees(service: &Service) -> String {
    let order = service.asks("2026-01-08", "2026-01-09").await;
    service.house.settle().await;
    assert_eq!(visit(service).await["local_start"], "2026-01-08 09:00");
    order
}

#[tokio::test]
async fn a_closed_site_makes_no_new_visits_and_says_so() {
    let service = Service::opens().await;
    let asked = service.asks("2026-01-08", "2026-01-09").await;
    does(&service, "sites", &service.site, "close").await;
    service.house.settle().await;
    let path = format!("/v1/work-orders/{asked}");
    assert_eq!(service.shows(&path).await["unscheduled_because"], "site_closed");
    assert_eq!(service.shows(&format!("{path}/slots")).await["slots"], json!([]));
    let choice = service.choice(&asked, "2026-01-08T01:00:00Z");
    service.key.post("/v1/appointments", choice).await.refused(409, "site_closed");
    let another = json!({
        "kind": "repair", "customer_id": service.customer, "site_id": service.site,
        "window_from_on": "2026-01-08", "window_to_on": "2026-01-09", "preferred_on": "2026-01-08",
    });
    let refused = service.key.post("/v1/work-orders", another.clone()).await;
    assert_eq!(refused.refused(409, "site_closed")["site_id"], service.site);
    does(&service, "sites", &service.site, "reopen").await;
    does(&service, "dealers", &service.dealer, "close").await;
    let refused = service.key.post("/v1/work-orders", another).await;
    assert_eq!(refused.refused(409, "dealer_closed")["dealer_id"], service.dealer);
    service.house.pass_days(1).await;
    assert_eq!(service.shows(&path).await["unscheduled_because"], "dealer_closed");
    does(&service, "dealers", &service.dealer, "reopen").await;
    service.house.pass_days(1).await;
    assert_eq!(service.shows(&path).await["state"], "scheduled");
}

#[tokio::test]
async fn a_colleague_takes_over_from_who_left_and_the_customer_need_not_know() {
    let service = Service::opens().await;
    let order = agrees(&service).await;
    let colleague = service.hires_technician().await;
    does(&service, "staff", &service.technician, "leave").await;
    service.house.settle().await;
    let visit = visit(&service).await;
    assert_eq!(
        told(std::slice::from_ref(&visit), &["state", "local_start", "staff_id", "reschedules"]),
        [format!("confirmed 2026-01-08 09:00 {colleague} 0")]
    );
    let reason = json!({"kind": "taken_over", "because": "technician_left",
        "instead_of": service.technician});
    assert_eq!(visit["reason"], reason);
    let order = service.shows(&format!("/v1/work-orders/{order}")).await;
    assert_eq!(order["staff_id"], colleague);
    assert_eq!(letters(&service.house, "service").await.len(), 1);
}

#[tokio::test]
async fn a_visit_on_a_day_of_leave_moves_and_the_customer_is_told_once() {
    let service = Service::opens().await;
    agrees(&service).await;
    let path = format!("/v1/staff/{}", service.technician);
    let etag = service.key.get(&path).await.etag().to_owned();
    let leave = json!({"on_leave": {"from_on": "2026-01-08", "to_on": "2026-01-08"}});
    service.key.patch(&path, &etag, leave).await.expect(200);
    service.house.settle().await;
    let visit = visit(&service).await;
    assert_eq!(
        told(std::slice::from_ref(&visit), &["state", "local_start", "reschedules"]),
        ["confirmed 2026-01-09 09:00 1"]
    );
    assert_eq!(visit["reason"]["because"], "technician_on_leave");
    let letters = letters(&service.house, "service").await;
    assert_eq!(letters.len(), 2);
    assert!(letters[1].contains("2026-01-09 09:00"), "{}", letters[1]);
}

#[tokio::test]
async fn a_visit_nobody_can_make_any_more_falls_through_and_is_arranged_anew() {
    let service = Service::opens().await;
    let order = agrees(&service).await;
    does(&service, "staff", &service.technician, "leave").await;
    service.house.settle().await;
    let off = visit(&service).await;
    assert_eq!(
        told(std::slice::from_ref(&off), &["state", "given_back_because"]),
        ["cancelled technician_left"]
    );
    let path = format!("/v1/work-orders/{order}");
    let waits = service.shows(&path).await;
    assert_eq!(
        told(std::slice::from_ref(&waits), &["state", "unscheduled_because", "staff_id"]),
        ["unscheduled no_technician null"]
    );
    let told = letters(&service.house, "service").await;
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("原定于 2026-01-08 09:00 的上门服务无法如期进行"), "{}", told[1]);
    service.hires_technician().await;
    service.house.pass_days(1).await;
    assert_eq!(service.shows(&path).await["state"], "scheduled");
    assert_eq!(letters(&service.house, "service").await.len(), 3);
}

#[tokio::test]
async fn a_closed_dealer_gives_its_visits_back() {
    let service = Service::opens().await;
    let order = agrees(&service).await;
    does(&service, "dealers", &service.dealer, "close").await;
    service.house.settle().await;
    let off = visit(&service).await;
    assert_eq!(
        told(std::slice::from_ref(&off), &["state", "given_back_because"]),
        ["cancelled dealer_closed"]
    );
    let waits = service.shows(&format!("/v1/work-orders/{order}")).await;
    assert_eq!(waits["unscheduled_because"], "dealer_closed");
    assert_eq!(letters(&service.house, "service").await.len(), 2);
}
