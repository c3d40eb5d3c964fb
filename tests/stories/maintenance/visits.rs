//! Dates become visits; visits find a technician, are moved, carried out, or missed.

use super::{Service, filter, told};
use crate::voice::letters;
use domain::identity::Role;
use serde_json::{Value, json};

#[tokio::test]
async fn a_date_becomes_a_visit_that_a_technician_carries_out_by_the_procedure() {
    let service = Service::opens().await;
    let mut task = filter();
    task["sop_id"] = json!(service.procedure().await);
    service.publishes(json!([task])).await;
    service.sells("SN-1", Some("2026-01-05")).await;
    service.house.pass_days(45).await;

    let order = service.list("/v1/work-orders").await.remove(0);
    let scheduled = ["kind", "state", "preferred_on", "staff_id", "unscheduled_because"];
    assert_eq!(
        told(std::slice::from_ref(&order), &scheduled),
        [format!("maintenance scheduled 2026-03-05 {} null", service.technician)]
    );
    let visit = service.list("/v1/appointments").await.remove(0);
    assert_eq!(
        (&visit["state"], &visit["local_start"]),
        (&json!("confirmed"), &json!("2026-03-05 09:00"),)
    );
    assert_eq!(visit["reason"]["kind"], "nearest_free_slot");

    let technician = service.person(Role::Technician, &service.technician);
    service.carries_out(&technician, &visit).await;
    let order_path = format!("/v1/work-orders/{}", order["id"].as_str().unwrap());

    assert_eq!(service.shows(&order_path).await["state"], "completed");
    let date = service.list("/v1/occurrences?state=fulfilled").await.remove(0);
    assert_eq!(date["work_order_id"], order["id"]);
}

#[tokio::test]
async fn the_customer_is_told_at_once_and_reminded_the_day_before() {
    let service = Service::opens().await;
    service.asks("2026-01-08", "2026-01-08").await;
    service.house.settle().await;
    let told = letters(&service.house, "service").await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("2026-01-08 09:00"), "{}", told[0]);
    service.house.pass_hours(47).await;
    assert_eq!(letters(&service.house, "service").await.len(), 1);
    service.house.pass_hours(1).await;
    assert_eq!(letters(&service.house, "service").await.len(), 2);
    let visit = service.list("/v1/appointments").await.remove(0);
    assert_eq!(visit["reminded_at"], "2026-01-07T01:00:00Z");
}

#[tokio::test]
async fn whoever_is_on_leave_or_booked_is_not_sent() {
    let service = Service::opens().await;
    let path = format!("/v1/staff/{}", service.technician);
    let person = service.key.get(&path).await.expect(200);
    let leave = json!({"on_leave": {"from_on": "2026-01-08", "to_on": "2026-01-08"}});
    service.key.patch(&path, person.etag(), leave).await.expect(200);
    let order = service.asks("2026-01-08", "2026-01-09").await;
    service.house.settle().await;
    let visit = service.list(&format!("/v1/appointments?work_order_id={order}")).await.remove(0);
    assert_eq!(visit["local_start"], "2026-01-09 09:00");
    let other = service.asks("2026-01-09", "2026-01-09").await;
    service.house.settle().await;
    let visit = service.list(&format!("/v1/appointments?work_order_id={other}")).await.remove(0);
    assert_eq!(visit["local_start"], "2026-01-09 10:00");
    assert_eq!(visit["reason"]["slots_passed_over"], 2);
}

#[tokio::test]
async fn a_visit_nobody_can_make_says_why_and_is_missed_when_its_window_closes() {
    let service = Service::opens().await;
    let asked: Vec<_> = {
        let mut asked = Vec::new();
        for _ in 0..10 {
            asked.push(service.asks("2026-01-08", "2026-01-08").await);
        }
        asked
    };
    service.house.settle().await;
    // From 09:00 to 18:00 there is time for nine visits of an hour.
    assert_eq!(service.list("/v1/work-orders?state=scheduled").await.len(), 9);
    let left = service.list("/v1/work-orders?state=unscheduled").await;
    assert_eq!(told(&left, &["unscheduled_because", "searches"]), ["nobody_free 1"]);
    service.house.pass_days(4).await;
    let missed = service.list("/v1/work-orders?state=cancelled").await;
    assert_eq!(told(&missed, &["cancelled_because"]), ["window_closed"]);
    assert_eq!(asked.len(), 10);
}

#[tokio::test]
async fn a_date_whose_window_closes_is_missed() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    let asset = json!({
        "customer_id": service.customer, "product_id": service.product,
        "delivered_on": "2026-01-04",
    });
    service.key.post("/v1/assets", asset).await.expect(201);
    service.house.pass_days(45).await;
    let waiting = service.list("/v1/work-orders").await;
    assert_eq!(told(&waiting, &["state", "unscheduled_because"]), ["unscheduled no_site"]);
    service.house.pass_days(21).await;
    let missed = service.list("/v1/occurrences?state=missed").await;
    assert_eq!(told(&missed, &["seq", "nominal_on"]), ["1 2026-03-04"]);
}

#[tokio::test]
async fn a_work_order_without_a_site_finds_somebody_once_it_has_one() {
    let service = Service::opens().await;
    let order = service.asks_for_later("2026-01-08", "2026-01-09").await;
    service.house.settle().await;
    let path = format!("/v1/work-orders/{order}");
    let read = service.key.get(&path).await.expect(200);
    assert_eq!(read["unscheduled_because"], "no_site");
    service.key.get(&format!("{path}/slots")).await.refused(409, "work_order_without_site");
    let site = json!({"site_id": service.site});
    service.key.patch(&path, read.etag(), site).await.expect(200);
    service.house.settle().await;
    let found = service.key.get(&path).await.expect(200);
    assert_eq!(
        (&found["state"], &found["staff_id"]),
        (&json!("scheduled"), &json!(service.technician),)
    );
    let late = service.key.patch(&path, found.etag(), json!({"note": "x"})).await;
    late.refused(409, "illegal_transition");
}

#[tokio::test]
async fn a_slot_is_held_for_ten_minutes() {
    let service = Service::opens().await;
    // The service leaves today's visits to people: its own choices give a day's notice.
    let order = service.asks("2026-01-05", "2026-01-05").await;
    let other = service.asks("2026-01-05", "2026-01-05").await;
    let noon = "2026-01-05T04:00:00Z";
    let held = service.holds(&order, noon).await;
    let taken = service.key.post("/v1/appointments", service.choice(&other, noon)).await;
    taken.refused(409, "slot_taken");
    let confirm = format!("/v1/appointments/{held}/confirm");
    let clock = &service.house.clock;
    clock.set(clock.now().plus_minutes(10));
    service.key.post(&confirm, json!({})).await.refused(409, "hold_expired");
    service.house.settle().await;
    let expired = service.shows(&format!("/v1/appointments/{held}")).await;
    assert_eq!(expired["state"], "expired");
    let again = service.holds(&other, noon).await;
    clock.set(clock.now().plus_seconds(599));
    let confirm = format!("/v1/appointments/{again}/confirm");
    let confirmed = service.key.post(&confirm, json!({})).await.expect(200);
    assert_eq!(
        (&confirmed["state"], &confirmed["hold_expires_at"]),
        (&json!("confirmed"), &Value::Null,)
    );
}

#[tokio::test]
async fn a_slot_lies_in_the_window_and_the_hours_of_the_site() {
    let service = Service::opens().await;
    let order = service.asks("2026-01-08", "2026-01-12").await;
    let slots = service.shows(&format!("/v1/work-orders/{order}/slots?limit=2")).await;
    assert_eq!(
        told(slots["slots"].as_array().unwrap(), &["local_start"]),
        ["2026-01-08 09:00", "2026-01-08 09:30",]
    );
    let hold =
        |starts_at: &str| service.key.post("/v1/appointments", service.choice(&order, starts_at));
    hold("2026-01-04T01:00:00Z").await.refused(422, "slot_passed");
    hold("2026-01-13T01:00:00Z").await.refused(422, "slot_outside_window");
    hold("2026-01-11T01:00:00Z").await.refused(422, "slot_outside_hours");
    hold("2026-01-12T09:01:00Z").await.refused(422, "slot_outside_hours");
    let stranger = json!({
        "work_order_id": order, "staff_id": "stf_01h455vb4pex5vsknk084sn02q",
        "starts_at": "2026-01-12T01:00:00Z",
    });
    let stranger = service.key.post("/v1/appointments", stranger).await;
    stranger.refused(422, "technician_not_available");
    let held = hold("2026-01-12T09:00:00Z").await.expect(201).id();
    // Whoever changes their mind gives the first slot back.
    hold("2026-01-12T08:30:00Z").await.expect(201);
    let given_back = service.shows(&format!("/v1/appointments/{held}")).await;
    assert_eq!(given_back["state"], "cancelled");
}

#[tokio::test]
async fn a_visit_is_moved_to_a_free_slot() {
    let service = Service::opens().await;
    let order = service.asks("2026-01-08", "2026-01-09").await;
    service.house.settle().await;
    let other = service.asks("2026-01-08", "2026-01-09").await;
    service.house.settle().await;
    let visit = service.list(&format!("/v1/appointments?work_order_id={order}")).await.remove(0);
    let move_to = format!("/v1/appointments/{}/reschedule", visit["id"].as_str().unwrap());
    let slot = |starts_at: &str| json!({"staff_id": service.technician, "starts_at": starts_at});
    let ten = slot("2026-01-08T02:00:00Z");
    service.key.post(&move_to, ten).await.refused(409, "slot_taken");
    // Half an hour later overlaps with nothing but the visit itself.
    let moved = service.key.post(&move_to, slot("2026-01-08T03:00:00Z")).await.expect(200);
    assert_eq!(
        (&moved["local_start"], &moved["reschedules"]),
        (&json!("2026-01-08 11:00"), &json!(1),)
    );
    assert_eq!(moved["reason"], json!({"kind": "requested"}));
    let moved = service.key.post(&move_to, slot("2026-01-08T03:30:00Z")).await.expect(200);
    assert_eq!(moved["reschedules"], 2);
    assert_eq!(service.shows(&format!("/v1/work-orders/{other}")).await["state"], "scheduled");
}

#[tokio::test]
async fn an_appointment_that_falls_through_is_arranged_again_the_next_morning() {
    let service = Service::opens().await;
    let order = service.asks("2026-01-08", "2026-01-12").await;
    service.house.settle().await;
    let visit = service.list("/v1/appointments").await.remove(0);
    let cancel = format!("/v1/appointments/{}/cancel", visit["id"].as_str().unwrap());
    let note = json!({"note": "The customer is ill."});
    assert_eq!(service.key.post(&cancel, note).await.expect(200)["state"], "cancelled");
    service.house.settle().await;
    let path = format!("/v1/work-orders/{order}");
    let alone = service.shows(&path).await;
    assert_eq!((&alone["state"], &alone["staff_id"]), (&json!("unscheduled"), &Value::Null));
    service.house.pass_days(1).await;
    assert_eq!(service.shows(&path).await["state"], "scheduled");
}

#[tokio::test]
async fn a_visit_that_is_called_off_frees_its_slot_and_skips_its_date() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    service.sells("SN-1", Some("2026-01-04")).await;
    service.house.pass_days(45).await;
    let order = service.list("/v1/work-orders").await.remove(0);
    let cancel = format!("/v1/work-orders/{}/cancel", order["id"].as_str().unwrap());
    let off = service.key.post(&cancel, json!({})).await.expect(200);
    assert_eq!(off["cancelled_because"], "request");
    service.key.post(&cancel, json!({})).await.refused(409, "illegal_transition");
    let visit = service.list("/v1/appointments").await.remove(0);
    assert_eq!(visit["state"], "cancelled");
    let date = service.list("/v1/occurrences").await.remove(0);
    assert_eq!(date["skipped_because"], "visit_cancelled");
}

#[tokio::test]
async fn a_technician_sees_their_own_visits_and_another_dealer_none() {
    let service = Service::opens().await;
    service.asks("2026-01-08", "2026-01-08").await;
    service.house.settle().await;
    let colleague = service.hires_technician().await;
    let seen_by = |staff: &str| {
        let person = service.person(Role::Technician, staff);
        async move { person.get("/v1/appointments").await.expect(200).data().len() }
    };
    assert_eq!(seen_by(&service.technician).await, 1);
    assert_eq!(seen_by(&colleague).await, 0);
    let visit = service.list("/v1/appointments").await.remove(0);
    let path = format!("/v1/appointments/{}", visit["id"].as_str().unwrap());
    let colleague = service.person(Role::Technician, &colleague);
    colleague.get(&path).await.refused(404, "not_found");
    colleague.post(&format!("{path}/begin"), json!({})).await.refused(404, "not_found");
    let moves = json!({"staff_id": service.technician, "starts_at": "2026-01-08T02:00:00Z"});
    let moved = colleague.post(&format!("{path}/reschedule"), moves).await;
    moved.refused(403, "forbidden");
}

#[tokio::test]
async fn a_work_order_names_what_is_there_and_a_window_that_is_possible() {
    let service = Service::opens().await;
    let ask = |change: Value| {
        let mut order = json!({
            "kind": "repair", "customer_id": service.customer, "site_id": service.site,
            "window_from_on": "2026-01-08", "window_to_on": "2026-01-09",
            "preferred_on": "2026-01-08",
        });
        for (member, value) in change.as_object().unwrap() {
            order[member] = value.clone();
        }
        service.key.post("/v1/work-orders", order)
    };
    let backwards = json!({"window_to_on": "2026-01-07"});
    ask(backwards).await.refused(422, "window_impossible");
    ask(json!({"window_to_on": "2027-01-08"})).await.expect(201);
    ask(json!({"window_to_on": "2027-01-09"})).await.refused(422, "window_impossible");
    let nobody = json!({"customer_id": "cus_01h455vb4pex5vsknk084sn02q"});
    let nobody = ask(nobody).await.refused(422, "unknown_reference");
    assert_eq!(nobody["errors"][0]["pointer"], "/customer_id");
    let other = json!({"code": "ningbo", "name": "宁波"});
    let other = service.key.post("/v1/dealers", other).await.expect(201).id();
    ask(json!({"dealer_id": other})).await.refused(422, "site_of_another_dealer");
    let wrong = ask(json!({"customer_id": service.site})).await.refused(400, "wrong_id_type");
    assert_eq!(wrong["errors"][0]["pointer"], "/customer_id");
}

#[tokio::test]
async fn a_visit_looks_after_what_its_customer_has() {
    let service = Service::opens().await;
    let asset = service.sells("SN-1", None).await;
    let other = json!({"name": "王伟", "dealer_id": service.dealer});
    let other = service.key.post("/v1/customers", other).await.expect(201).id();
    let visit = |customer: &str, asset: Option<&str>| {
        json!({
            "kind": "repair", "customer_id": customer, "asset_id": asset, "dealer_id": service.dealer,
            "window_from_on": "2026-02-02", "window_to_on": "2026-02-06", "preferred_on": "2026-02-03",
        })
    };
    let mixed = service.key.post("/v1/work-orders", visit(&other, Some(&asset))).await;
    let mixed = mixed.refused(422, "asset_of_another_customer");
    assert_eq!((&mixed["asset_id"], &mixed["customer_id"]), (&json!(asset), &json!(other)));
    let bare = service.key.post("/v1/work-orders", visit(&other, None)).await.expect(201);
    let path = format!("/v1/work-orders/{}", bare.id());
    let patch = service.key.patch(&path, bare.etag(), json!({"asset_id": asset})).await;
    patch.refused(422, "asset_of_another_customer");
    let own = visit(&service.customer, Some(&asset));
    service.key.post("/v1/work-orders", own).await.expect(201);
}
