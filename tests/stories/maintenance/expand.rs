//! What stands beside a record when somebody asks for it, and who sees it there.

use super::{Service, filter, told};
use crate::{house::Client, lines::Lines};
use aftercare::settings::LogFormat;
use domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

/// A repair of a purifier at the customer's, agreed with the technician: the visit and its work order.
async fn agreed(service: &Service) -> (String, String) {
    let asset = service.sells("SN-1", None).await;
    let order = json!({
        "kind": "repair", "customer_id": service.customer, "asset_id": asset,
        "site_id": service.site, "window_from_on": "2026-01-08", "window_to_on": "2026-01-08",
        "preferred_on": "2026-01-08",
    });
    let order = service.key.post("/v1/work-orders", order).await.expect(201).id();
    service.house.settle().await;
    let visit = service.list(&format!("/v1/appointments?work_order_id={order}")).await.remove(0);
    (visit["id"].as_str().unwrap().to_owned(), order)
}

async fn expanded(caller: &Client, path: &str) -> Value {
    let shown = caller.get(path).await.expect(200);
    let record = if shown.body["data"].is_array() { &shown.data()[0] } else { &shown.body };
    record["expanded"].clone()
}

#[tokio::test]
async fn a_visit_is_shown_with_whom_what_and_where() {
    let service = Service::opens().await;
    let (visit, order) = agreed(&service).await;
    let key = &service.key;
    let all = "customer,asset,product,staff,site,dealer,work_order";
    for path in
        [format!("/v1/appointments?expand={all}"), format!("/v1/appointments/{visit}?expand={all}")]
    {
        let beside = expanded(key, &path).await;
        let names = ["customer", "product", "staff", "site", "dealer"]
            .map(|kind| beside[kind]["name"].clone());
        assert_eq!(json!(names), json!(["李娜", "RO-600G", "王伟", "西湖店", "杭州一店"]));
        assert_eq!(beside["asset"]["address"], "文三路 1 号");
        assert_eq!(beside["work_order"]["id"], json!(order));
        // What stands beside is the record itself, as its own address shows it.
        let customer = service.shows(&format!("/v1/customers/{}", service.customer)).await;
        assert_eq!(beside["customer"], customer);
    }
    let plain = service.shows(&format!("/v1/appointments/{visit}")).await;
    assert!(plain.get("expanded").is_none(), "{plain}");
    let some = expanded(key, &format!("/v1/work-orders/{order}?expand=site")).await;
    assert_eq!(some.as_object().unwrap().len(), 1, "{some}");
    let refused = key.get("/v1/appointments?expand=customer,price").await;
    let refused = refused.refused(400, "invalid_parameter");
    let error = &refused["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("expand"), &json!("unknown_value")));
    assert_eq!(error["allowed"].as_array().unwrap().len(), 7);
    let refused = key.get("/v1/appointments?expand=customer,site,customer").await;
    let refused = refused.refused(400, "invalid_parameter");
    assert_eq!(refused["errors"][0]["code"], "repeated_value");
    key.get("/v1/customers?expand=dealer").await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn what_stands_beside_may_change_while_the_record_does_not() {
    let service = Service::opens().await;
    let (visit, _) = agreed(&service).await;
    let path = format!("/v1/appointments/{visit}");
    let etag = service.key.get(&path).await.expect(200).etag().to_owned();
    let again = |path: String| {
        let request = service.key.request(Method::GET, &path).header("if-none-match", &etag);
        service.key.send(request)
    };
    again(path.clone()).await.expect(304);
    let whole = again(format!("{path}?expand=customer")).await.expect(200);
    assert_eq!(whole.etag(), etag);
}

#[tokio::test]
async fn a_technician_sees_whom_they_visit_and_nobody_else() {
    let service = Service::opens().await;
    let (visit, order) = agreed(&service).await;
    let technician = service.person(Role::Technician, &service.technician);
    let beside = "expand=customer,asset,product";
    for path in [
        format!("/v1/appointments?{beside}"),
        format!("/v1/appointments/{visit}?{beside}"),
        format!("/v1/work-orders?{beside}"),
        format!("/v1/work-orders/{order}?{beside}"),
    ] {
        let shown = expanded(&technician, &path).await;
        let customer = &shown["customer"];
        assert_eq!(
            (&customer["name"], &customer["email"]),
            (&json!("李娜"), &json!("li.na@example.com")),
            "{path}"
        );
        assert_eq!(shown["asset"]["address"], "文三路 1 号", "{path}");
    }

    // Customers are behind the wall everywhere else, and so is everybody else's visit.
    for (path, scope) in [
        ("/v1/assets?expand=customer", "customers:read"),
        ("/v1/appointments?expand=staff", "staff:read"),
        ("/v1/appointments?expand=customer,site", "dealers:read"),
        ("/v1/customers", "customers:read"),
    ] {
        let refused = technician.get(path).await.refused(403, "forbidden");
        assert_eq!(refused["required_scope"], scope, "{path}");
    }
    let other = service.person(Role::Technician, &service.hires_technician().await);
    let none = other.get("/v1/appointments?expand=customer").await.expect(200);
    assert!(none.data().is_empty(), "{none:?}");
    let path = format!("/v1/appointments/{visit}?expand=customer");
    other.get(&path).await.refused(404, "not_found");

    // A visit that was called off is no longer theirs.
    let cancel = format!("/v1/appointments/{visit}/cancel");
    service.key.post(&cancel, json!({"note": "Not needed."})).await.expect(200);
    assert_eq!(expanded(&technician, &path).await, json!({"customer": null}));
    assert_eq!(expanded(&service.key, &path).await["customer"]["name"], "李娜");
}

#[tokio::test]
async fn another_dealer_s_record_does_not_stand_beside_one_s_own() {
    let service = Service::opens().await;
    let (visit, _) = agreed(&service).await;
    let neighbour = json!({"code": "suzhou", "name": "苏州一店"});
    let neighbour = service.key.post("/v1/dealers", neighbour).await.expect(201).id();
    let clerk = service.person(Role::Clerk, &service.hires("clerk").await);
    let path = format!("/v1/appointments/{visit}?expand=customer");
    assert_eq!(expanded(&clerk, &path).await["customer"]["name"], "李娜");
    let customer = format!("/v1/customers/{}", service.customer);
    let etag = service.key.get(&customer).await.expect(200).etag().to_owned();
    service.key.patch(&customer, &etag, json!({"dealer_id": neighbour})).await.expect(200);
    assert_eq!(expanded(&clerk, &path).await, json!({"customer": null}));
    let technician = service.person(Role::Technician, &service.technician);
    assert_eq!(expanded(&technician, &path).await, json!({"customer": null}));
    assert_eq!(expanded(&service.key, &path).await["customer"]["name"], "李娜");
    let support = service.person(Role::SupportAgent, &service.hires("support_agent").await);
    assert!(support.get("/v1/complaints?expand=owner").await.expect(200).data().is_empty());
}

#[tokio::test]
async fn a_page_asks_once_for_each_kind() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    for serial in ["SN-1", "SN-2", "SN-3", "SN-4"] {
        service.sells(serial, Some("2026-01-05")).await;
    }
    service.house.pass_days(45).await;
    let lines = Lines::default();
    let reading = lines.read(LogFormat::Json, "sqlx::query=debug");
    let all = "customer,asset,product,staff,site,dealer,work_order";
    let page = service.key.get(&format!("/v1/appointments?expand={all}")).await.expect(200);
    drop(reading);
    assert!(page.data().len() >= 4, "{page:?}");
    let beside: Vec<_> = page.data().iter().map(|visit| visit["expanded"].clone()).collect();
    assert_eq!(told(&beside, &["staff"]).len(), page.data().len());
    assert!(beside.iter().all(|one| one["asset"]["serial"].is_string()), "{beside:?}");
    let text = lines.text();
    for table in ["customer", "asset", "product", "staff", "site", "dealer", "work_order"] {
        let asked =
            text.lines().filter(|line| line.contains(&format!("FROM \\\"{table}\\\""))).count();
        assert_eq!(asked, 1, "{table}: {text}");
    }
}

#[tokio::test]
async fn times_are_told_on_the_wall_clock_of_those_who_read_them() {
    let service = Service::opens().await;
    service.publishes(json!([filter()])).await;
    service.sells("SN-1", Some("2026-01-05")).await;
    service.house.pass_days(45).await;
    let date = service.list("/v1/occurrences?sort=nominal_on").await.remove(0);
    assert_eq!(date["tz"], "Asia/Shanghai");
    assert_eq!(date["due_at"].as_str().unwrap()[11..16], *"22:00");
    assert_eq!(date["local_due"].as_str().unwrap()[11..], *"06:00");
    let visit = service.list("/v1/appointments").await.remove(0);
    assert_eq!(
        told(std::slice::from_ref(&visit), &["tz", "local_start", "local_end"]),
        ["Asia/Shanghai 2026-03-05 09:00 2026-03-05 10:00"]
    );
    let lisbon = json!({"code": "lisbon", "name": "Lisboa", "tz": "Europe/Lisbon"});
    let lisbon = service.key.post("/v1/dealers", lisbon).await.expect(201).id();
    let complaint = json!({
        "customer_id": service.customer, "dealer_id": lisbon, "source": "phone",
        "kind": "quality", "severity": 2, "description": "It leaks.",
    });
    let complaint = service.key.post("/v1/complaints", complaint).await.expect(201);
    assert_eq!(complaint["tz"], "Europe/Lisbon");
    // In winter Lisbon's clocks show the time of UTC.
    let due = complaint["first_answer_due_at"].as_str().unwrap()[..16].replace('T', " ");
    assert_eq!(complaint["local_first_answer_due"], due);
}
