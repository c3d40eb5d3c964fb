//! A brand says when it works: weeks of hours, holidays, single days, and when customers are left in peace.

use crate::{
    house::{Client, House, Reply},
    sops::{Shop, step},
};
use domain::identity::Role;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

/// Monday to Friday, 09:00 to 18:00 in Shanghai, with the holidays of China and `more` said about it.
fn office(more: Value) -> Value {
    let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let day = |one| json!({ "weekday": one, "opens": "09:00", "closes": "18:00" });
    let mut office = json!({
        "code": "office", "name": "办公时间", "tz": "Asia/Shanghai", "holidays": "cn",
        "week": weekdays.map(day),
    });
    office.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    office
}

/// A house with a brand, and an office calendar; answers the calendar's path.
async fn opens() -> (House, Client, String) {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let calendar = creates(&key, json!({})).await;
    (house, key, calendar)
}

async fn creates(key: &Client, more: Value) -> String {
    let calendar = key.post("/v1/calendars", office(more)).await.expect(201);
    format!("/v1/calendars/{}", calendar.id())
}

/// When so many minutes of working time are over.
async fn due(key: &Client, calendar: &str, from_at: &str, minutes: u32) -> Value {
    let path = format!("{calendar}/deadline?from_at={from_at}&minutes={minutes}");
    key.get(&path).await.expect(200)["due_at"].clone()
}

/// What each day is: day, kind, source and label.
async fn days(key: &Client, calendar: &str, from: &str, to: &str) -> Vec<String> {
    let path = format!("{calendar}/days?from_on={from}&to_on={to}");
    let found = key.get(&path).await.expect(200);
    let text = |day: &Value, member: &str| day[member].as_str().unwrap_or("-").to_owned();
    let tell =
        |day: &Value| ["on", "kind", "source", "label"].map(|member| text(day, member)).join(" ");
    found["days"].as_array().unwrap().iter().map(tell).collect()
}

/// Hands in a file of iCalendar.
async fn hands_in(key: &Client, calendar: &str, query: &str, file: &str) -> Reply {
    let path = format!("{calendar}/exceptions{query}");
    let request = key.request(Method::PUT, &path).header("content-type", "text/calendar");
    key.send(request.body(file.to_owned())).await
}

/// A file with an event for each of these lines: first day, day after the last, summary.
fn file(events: &[(&str, &str, &str)]) -> String {
    let event = |(from, until, summary): &(&str, &str, &str)| {
        format!(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{from}\r\nDTEND;VALUE=DATE:{until}\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

/// What was done about each day of a list.
fn actions(reply: &Reply) -> Vec<String> {
    let days = reply["days"].as_array().unwrap().iter();
    let tell = |day: &Value| {
        let [on, action] = ["applies_on", "action"].map(|member| day[member].as_str().unwrap());
        format!("{on} {action}")
    };
    days.map(tell).collect()
}

#[tokio::test]
async fn half_an_hour_before_the_weekend_an_hour_ends_on_monday_at_half_past_nine() {
    let (_house, key, calendar) = opens().await;
    let path = format!("{calendar}/deadline?from_at=2026-11-20T09:30:00Z&minutes=60");
    let deadline = key.get(&path).await.expect(200);
    assert_eq!(
        deadline.body,
        json!({
            "from_at": "2026-11-20T09:30:00Z", "minutes": 60, "due_at": "2026-11-23T01:30:00Z",
            "stretches": [
                { "from_at": "2026-11-20T09:30:00Z", "to_at": "2026-11-20T10:00:00Z", "seconds": 1_800 },
                { "from_at": "2026-11-23T01:00:00Z", "to_at": "2026-11-23T01:30:00Z", "seconds": 1_800 },
            ],
            "has_more": false, "statutory_known": true,
        })
    );
}

#[tokio::test]
async fn a_make_up_saturday_counts_and_the_week_of_the_national_day_does_not() {
    let (_house, key, calendar) = opens().await;
    // Friday 9 October, 17:30: the Saturday makes up for the holidays.
    assert_eq!(due(&key, &calendar, "2026-10-09T09:30:00Z", 60).await, "2026-10-10T01:30:00Z");
    assert_eq!(due(&key, &calendar, "2026-09-30T09:30:00Z", 60).await, "2026-10-08T01:30:00Z");
    assert_eq!(
        days(&key, &calendar, "2026-10-07", "2026-10-12").await,
        [
            "2026-10-07 closed statutory 国庆节",
            "2026-10-08 open week -",
            "2026-10-09 open week -",
            "2026-10-10 open statutory 国庆节（班）",
            "2026-10-11 closed week -",
            "2026-10-12 open week -",
        ]
    );
    let plain = creates(&key, json!({ "code": "plain", "holidays": "none" })).await;
    assert_eq!(due(&key, &plain, "2026-10-09T09:30:00Z", 60).await, "2026-10-12T01:30:00Z");
}

#[tokio::test]
async fn a_year_that_nobody_knows_is_said_and_not_guessed() {
    let (_house, key, calendar) = opens().await;
    let known = |year: u32| {
        let (key, calendar) = (key.clone(), calendar.clone());
        async move {
            let path = format!("{calendar}/days?from_on={year}-10-01&to_on={year}-10-01");
            let days = key.get(&path).await.expect(200);
            (days["days"][0]["statutory_known"].clone(), days["days"][0]["source"].clone())
        }
    };
    assert_eq!(known(2026).await, (json!(true), json!("statutory")));
    assert_eq!(known(2099).await, (json!(false), json!("week")));
    let path = format!("{calendar}/deadline?from_at=2099-01-05T01:00:00Z&minutes=1");
    assert_eq!(key.get(&path).await.expect(200)["statutory_known"], false);
}

#[tokio::test]
async fn what_the_brand_says_about_a_day_wins_over_the_country() {
    let (_house, key, calendar) = opens().await;
    let day = format!("{calendar}/exceptions/2026-10-02");
    let noon = json!({ "kind": "open", "intervals": [{ "opens": "10:00", "closes": "12:00" }], "label": "Sale" });
    let said = key.put(&day, noon.clone()).await.expect(201);
    assert_eq!(said.header("location"), day);
    assert_eq!((&said["applies_on"], &said["source"]), (&json!("2026-10-02"), &json!("own")));
    assert_eq!(
        days(&key, &calendar, "2026-10-02", "2026-10-02").await,
        ["2026-10-02 open own Sale"]
    );
    assert_eq!(due(&key, &calendar, "2026-09-30T09:30:00Z", 60).await, "2026-10-02T02:30:00Z");
    // The same again changes nothing; something else is the same row.
    assert_eq!(key.put(&day, noon).await.expect(200).body, said.body);
    let closed = key.put(&day, json!({ "kind": "closed" })).await.expect(200);
    assert_eq!((closed.id(), &closed["intervals"]), (said.id(), &Value::Null));
    let listed =
        key.get(&format!("{calendar}/exceptions?from_on=2026-10-02&to_on=2026-10-02")).await;
    assert_eq!(listed.expect(200).data().len(), 1);
    let none = key.get(&format!("{calendar}/exceptions?from_on=2026-10-03")).await.expect(200);
    assert_eq!(none.data().len(), 0);

    let request = || key.request(Method::DELETE, &day);
    assert_eq!(key.send(request()).await.expect(200).body, closed.body);
    assert_eq!(
        days(&key, &calendar, "2026-10-02", "2026-10-02").await,
        ["2026-10-02 closed statutory 国庆节"]
    );
    key.send(request()).await.refused(404, "not_found");
    let subject = calendar.rsplit('/').next().unwrap();
    let lines = key.get(&format!("/v1/audit-entries?subject={subject}")).await.expect(200);
    let lines: Vec<_> = lines.data().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(lines, ["take_day_back", "say_of_day", "say_of_day", "create"]);
}

#[tokio::test]
async fn a_day_is_said_once_however_many_say_it_at_once() {
    let (_house, key, calendar) = opens().await;
    let day = format!("{calendar}/exceptions/2026-10-02");
    let say = |number: usize| {
        let (key, day) = (key.clone(), day.clone());
        async move {
            let label = format!("No. {number}");
            key.put(&day, json!({ "kind": "open", "label": label })).await.status.as_u16()
        }
    };
    let mut answers = futures::future::join_all((0..6).map(say)).await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 200, 200, 200, 201]);
    let listed = key.get(&format!("{calendar}/exceptions")).await.expect(200);
    assert_eq!(listed.data().len(), 1);
}

#[tokio::test]
async fn a_file_is_tried_out_taken_over_and_replaced_by_the_next_one() {
    let (_house, key, calendar) = opens().await;
    key.put(&format!("{calendar}/exceptions/2027-10-03"), json!({ "kind": "open" }))
        .await
        .expect(201);
    let first =
        file(&[("20271001", "20271004", "国庆节"), ("20271009", "20271010", "国庆节（班）")]);
    let tried = hands_in(&key, &calendar, "?dry_run=true", &first).await.expect(200);
    let said = ["2027-10-01 added", "2027-10-02 added", "2027-10-03 kept", "2027-10-09 added"];
    assert_eq!(
        (actions(&tried), &tried["dry_run"]),
        (said.map(str::to_owned).to_vec(), &json!(true))
    );
    let listed = key.get(&format!("{calendar}/exceptions")).await.expect(200);
    assert_eq!(listed.data().len(), 1, "nothing was written");

    let taken = hands_in(&key, &calendar, "", &first).await.expect(200);
    assert_eq!((&taken["added"], &taken["kept"]), (&json!(3), &json!(1)));
    assert_eq!(
        days(&key, &calendar, "2027-10-01", "2027-10-03").await,
        [
            "2027-10-01 closed imported 国庆节",
            "2027-10-02 closed imported 国庆节",
            "2027-10-03 open own -",
        ]
    );
    // Saturday 9 October is worked as Monday is.
    assert_eq!(due(&key, &calendar, "2027-10-08T09:30:00Z", 60).await, "2027-10-09T01:30:00Z");

    let next = file(&[("20271001", "20271002", "国庆节"), ("20271002", "20271003", "国庆节 补班")]);
    let replaced = hands_in(&key, &calendar, "", &next).await.expect(200);
    assert_eq!(
        actions(&replaced),
        ["2027-10-01 unchanged", "2027-10-02 changed", "2027-10-09 removed"]
    );
    let nothing = json!({ "exceptions": [] });
    let emptied = key.put(&format!("{calendar}/exceptions"), nothing).await.expect(200);
    assert_eq!((&emptied["removed"], &emptied["kept"]), (&json!(2), &json!(0)));
    let left = key.get(&format!("{calendar}/exceptions")).await.expect(200);
    assert_eq!(left.data().iter().map(|one| &one["source"]).collect::<Vec<_>>(), ["own"]);
}

#[tokio::test]
async fn what_one_calendar_exports_another_takes_over() {
    let (_house, key, calendar) = opens().await;
    let list = json!({ "exceptions": [
        { "applies_on": "2027-10-01", "kind": "closed", "label": "国庆节; first, day" },
        { "applies_on": "2027-10-09", "kind": "open", "label": "国庆节（班）" },
    ] });
    key.put(&format!("{calendar}/exceptions"), list).await.expect(200);
    let export = format!("{calendar}/exceptions/export?from_on=2027-01-01&to_on=2027-12-31");
    let exported = key.get(&export).await.expect(200);
    assert_eq!(exported.header("content-type"), "text/calendar; charset=utf-8");
    let other = creates(&key, json!({ "code": "other" })).await;
    hands_in(&key, &other, "", &exported.text).await.expect(200);
    assert_eq!(
        days(&key, &other, "2027-10-01", "2027-10-09").await,
        days(&key, &calendar, "2027-10-01", "2027-10-09").await
    );
    assert_eq!(
        days(&key, &other, "2027-10-01", "2027-10-01").await,
        ["2027-10-01 closed imported 国庆节; first, day"]
    );
}

#[tokio::test]
async fn calendars_that_contradict_themselves_are_refused() {
    let (_house, key, calendar) = opens().await;
    let overlapping = json!([
        { "weekday": "monday", "opens": "09:00", "closes": "12:00" },
        { "weekday": "monday", "opens": "11:59", "closes": "18:00" },
    ]);
    for (more, code) in [
        (json!({ "code": "b", "week": [] }), "calendar_without_hours"),
        (json!({ "code": "b", "week": overlapping }), "calendar_hours_overlap"),
        (
            json!({ "code": "b", "quiet_hours": { "from": "09:00", "to": "09:00" } }),
            "quiet_all_day",
        ),
        (json!({ "code": "b", "tz": "Asia/Nowhere" }), "invalid_body"),
        (json!({ "code": "b", "holidays": "de" }), "invalid_body"),
    ] {
        key.post("/v1/calendars", office(more)).await.refused(422, code);
    }
    let one = json!({ "weekday": "monday", "opens": "09:00", "closes": "09:01" });
    let many = json!({ "code": "b", "week": vec![one; 71] });
    let many = key.post("/v1/calendars", office(many)).await.refused(422, "invalid_body");
    assert_eq!(many["errors"][0]["code"], "wrong_number_of_items");
    key.post("/v1/calendars", office(json!({}))).await.refused(409, "already_exists");
    let shown = key.get(&calendar).await.expect(200);
    let never = json!({ "week": [] });
    key.patch(&calendar, shown.etag(), never).await.refused(422, "calendar_without_hours");
    let night = json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } });
    let changed = key.patch(&calendar, shown.etag(), night).await.expect(200);
    assert_eq!((&changed["version"], &changed["quiet_hours"]["to"]), (&json!(2), &json!("08:00")));
    let stale = json!({ "name": "Desk" });
    key.patch(&calendar, shown.etag(), stale).await.refused(412, "stale_version");
}

#[tokio::test]
async fn days_and_files_that_contradict_themselves_are_refused_whole() {
    let (_house, key, calendar) = opens().await;
    let day = format!("{calendar}/exceptions/2026-10-02");
    let noon = json!([{ "opens": "10:00", "closes": "12:00" }]);
    for (said, code) in [
        (json!({ "kind": "closed", "intervals": noon }), "closed_day_with_hours"),
        (json!({ "kind": "open", "intervals": [] }), "calendar_without_hours"),
        (json!({ "kind": "open", "intervals": [noon[0], noon[0]] }), "calendar_hours_overlap"),
    ] {
        key.put(&day, said).await.refused(422, code);
    }
    let impossible = format!("{calendar}/exceptions/2026-02-29");
    key.put(&impossible, json!({ "kind": "closed" })).await.refused(400, "invalid_parameter");

    let twice = json!({ "exceptions": [
        { "applies_on": "2027-10-01", "kind": "closed" }, { "applies_on": "2027-10-01", "kind": "open" },
    ] });
    let list = format!("{calendar}/exceptions");
    key.put(&list, twice).await.refused(422, "calendar_day_twice");
    let lines = |lines: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    for (body, code) in [
        (
            file(&[("20271001", "20271002", "A"), ("20271001", "20271002", "A 补班")]),
            "calendar_day_twice",
        ),
        (lines("DTSTART;VALUE=DATE:20271001\nRRULE:FREQ=YEARLY"), "ics_recurs"),
        (lines("DTSTART:20271001T090000Z"), "ics_not_all_day"),
        (lines("SUMMARY:Whenever"), "ics_unreadable"),
        ("hello".to_owned(), "ics_unreadable"),
        (lines("DTSTART:20270101\nDURATION:P1001D"), "too_many_exceptions"),
    ] {
        hands_in(&key, &calendar, "", &body).await.refused(422, code);
    }
    let recurs = lines("DTSTART;VALUE=DATE:20271001\nRRULE:FREQ=YEARLY");
    let recurs = hands_in(&key, &calendar, "", &recurs).await;
    assert_eq!((&recurs["line"], &recurs["property"]), (&json!(4), &json!("RRULE")));
    let listed = key.get(&list).await.expect(200);
    assert_eq!(listed.data().len(), 0, "nothing of it was written");
    let thousand = lines("DTSTART:20270101\nDURATION:P1000D");
    let taken = hands_in(&key, &calendar, "", &thousand).await.expect(200);
    assert_eq!(taken["added"], 1_000);
    let request = key.request(Method::PUT, &list).header("content-type", "text/plain");
    key.send(request.body("hello")).await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn days_are_asked_for_in_order_and_a_deadline_lies_within_reach() {
    let (_house, key, calendar) = opens().await;
    for path in [
        format!("{calendar}/days?"),
        "/v1/calendar-events?".to_owned(),
        format!("{calendar}/exceptions/export?"),
    ] {
        let get =
            async |from: &str, to: &str| key.get(&format!("{path}from_on={from}&to_on={to}")).await;
        get("2026-01-01", "2027-02-04").await.expect(200);
        let long = get("2026-01-01", "2027-02-05").await.refused(422, "too_many_calendar_days");
        assert_eq!((&long["days"], &long["most"]), (&json!(401), &json!(400)));
        get("2026-01-02", "2026-01-01").await.refused(422, "calendar_days_reversed");
    }
    let rare = json!({ "code": "rare", "week": [{ "weekday": "monday", "opens": "09:00", "closes": "09:01" }] });
    let rare = creates(&key, rare).await;
    let path = format!("{rare}/deadline?from_at=2026-01-05T01:00:00Z&minutes=");
    key.get(&format!("{path}400")).await.expect(200);
    key.get(&format!("{path}600")).await.refused(422, "deadline_out_of_reach");
    key.get(&format!("{path}525601")).await.refused(400, "invalid_parameter");
    // Without an instant it is counted from now on.
    let now = key.get(&format!("{calendar}/deadline?minutes=0")).await.expect(200);
    assert_eq!(now["due_at"], "2026-01-05T01:00:00Z");
}

#[tokio::test]
async fn a_step_is_due_by_the_calendar_that_the_site_names() {
    let shop = Shop::opens().await;
    let calendar = creates(&shop.key, json!({})).await;
    // Tuesday is closed, and Saturday the 10th is worked in the morning.
    for (day, said) in [
        ("2026-01-06", json!({ "kind": "closed" })),
        (
            "2026-01-10",
            json!({ "kind": "open", "intervals": [{ "opens": "09:00", "closes": "12:00" }] }),
        ),
    ] {
        shop.key.put(&format!("{calendar}/exceptions/{day}"), said).await.expect(201);
    }
    let due = |minutes: u32| {
        let mut step = step("Call");
        step["due"] =
            json!({ "from": "run_start", "within_minutes": minutes, "working_time": true });
        step
    };
    let version = json!({ "change_note": "First.", "steps": [due(600), due(2_200)] });
    let (sop, _) = shop.procedure(version).await;
    let site = json!({ "code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai",
        "calendar_id": calendar.rsplit('/').next() });
    let sites = format!("/v1/dealers/{}/sites", shop.dealer);
    let site = shop.key.post(&sites, site).await.expect(201);
    let begins = async || {
        let run = json!({ "sop_id": sop, "dealer_id": shop.dealer });
        let run = shop.key.post("/v1/sop-runs", run).await.expect(201);
        run["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["due_at"].clone())
            .collect::<Vec<_>>()
    };
    // Monday, 09:00: nine hours on Monday and one on Wednesday; 36 hours until Friday, and 40 minutes on Saturday.
    assert_eq!(begins().await, ["2026-01-07T02:00:00Z", "2026-01-10T01:40:00Z"]);

    // Without the calendar it works in its hours, Monday to Saturday.
    let path = format!("/v1/sites/{}", site.id());
    shop.key.patch(&path, site.etag(), json!({ "calendar_id": null })).await.expect(200);
    assert_eq!(begins().await, ["2026-01-06T02:00:00Z", "2026-01-09T01:40:00Z"]);
}

#[tokio::test]
async fn a_retired_calendar_is_not_taken_and_goes_on_where_it_was() {
    let shop = Shop::opens().await;
    let calendar = creates(&shop.key, json!({})).await;
    let id = calendar.rsplit('/').next().unwrap();
    let site = |code: &str| json!({ "code": code, "name": "西湖店", "tz": "Asia/Shanghai", "calendar_id": id });
    let sites = format!("/v1/dealers/{}/sites", shop.dealer);
    let before = shop.key.post(&sites, site("west-lake")).await.expect(201);
    let retired = shop.key.post(&format!("{calendar}/retire"), json!({})).await.expect(200);
    assert_eq!(retired["status"], "retired");
    let refused = shop.key.post(&sites, site("east-lake")).await.refused(409, "calendar_retired");
    assert_eq!(refused["calendar_code"], "office");
    let path = format!("/v1/sites/{}", before.id());
    let renamed =
        shop.key.patch(&path, before.etag(), json!({ "name": "西湖旗舰店" })).await.expect(200);
    assert_eq!(renamed["calendar_id"], id);
    let again = shop.key.post(&format!("{calendar}/retire"), json!({})).await;
    assert_eq!(
        again.refused(409, "illegal_transition")["allowed_transitions"],
        json!(["reinstate"])
    );
    let found = shop.key.get("/v1/calendars?status=retired&code=office").await.expect(200);
    assert_eq!(found.data().len(), 1);
    shop.key.post(&format!("{calendar}/reinstate"), json!({})).await.expect(200);
    shop.key.post(&sites, site("east-lake")).await.expect(201);
}

#[tokio::test]
async fn nobody_reaches_another_brands_calendar_and_dealers_read_their_brands() {
    let shop = Shop::opens().await;
    let calendar = creates(&shop.key, json!({})).await;
    let other = shop.house.brand_key(shop.house.brand("other").await.live);
    for path in
        ["", "/days?from_on=2026-01-01&to_on=2026-01-02", "/deadline?minutes=1", "/exceptions"]
    {
        other.get(&format!("{calendar}{path}")).await.refused(404, "not_found");
    }
    let day = format!("{calendar}/exceptions/2026-10-02");
    other.put(&day, json!({ "kind": "closed" })).await.refused(404, "not_found");
    other.send(other.request(Method::DELETE, &day)).await.refused(404, "not_found");
    hands_in(&other, &calendar, "", &file(&[])).await.refused(404, "not_found");
    other.post(&format!("{calendar}/retire"), json!({})).await.refused(404, "not_found");
    let dealer = json!({ "code": "one", "name": "One" });
    let dealer = other.post("/v1/dealers", dealer).await.expect(201).id();
    let id = calendar.rsplit('/').next().unwrap();
    let site = json!({ "code": "lake", "name": "店", "tz": "Asia/Shanghai", "calendar_id": id });
    let refused = other.post(&format!("/v1/dealers/{dealer}/sites"), site).await;
    let refused = refused.refused(422, "unknown_reference");
    assert_eq!(refused["errors"][0]["pointer"], "/calendar_id");

    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    technician.get(&format!("{calendar}/deadline?minutes=1")).await.expect(200);
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let refused = manager.put(&day, json!({ "kind": "closed" })).await.refused(403, "forbidden");
    assert_eq!(refused["required_scope"], "tenant:write");
    let program = shop.house.dealer_key(shop.tenant, &shop.dealer);
    program.put(&day, json!({ "kind": "closed" })).await.refused(403, "shared_by_all_dealers");
}

#[tokio::test]
async fn the_year_brings_terms_and_festivals() {
    let (_house, key, _calendar) = opens().await;
    let events = async |query: &str| {
        let found = key.get(&format!("/v1/calendar-events?{query}")).await.expect(200);
        let tell = |one: &Value| {
            ["on", "kind", "code", "name_zh"].map(|member| one[member].as_str().unwrap()).join(" ")
        };
        found["events"].as_array().unwrap().iter().map(tell).collect::<Vec<_>>()
    };
    assert_eq!(
        events("from_on=2026-09-23&to_on=2026-10-01").await,
        [
            "2026-09-23 solar_term qiufen 秋分",
            "2026-09-25 chinese_festival mid_autumn 中秋节",
            "2026-10-01 civil_day national_day 国庆节",
        ]
    );
    assert_eq!(
        events("from_on=2026-12-01&to_on=2027-01-01&kind=western_festival").await,
        ["2026-12-25 western_festival christmas 圣诞节"]
    );
}

/// What was noticed about holidays: the period and the state; the newest first.
async fn unknown(house: &House, key: &Client) -> Vec<String> {
    house.settle().await;
    let found = key.get("/v1/findings?kind=holidays_unknown").await.expect(200);
    let tell = |one: &Value| {
        format!("{} {}", one["period"].as_str().unwrap(), one["state"].as_str().unwrap())
    };
    found.data().iter().map(tell).collect()
}

#[tokio::test]
async fn holidays_that_nobody_knows_are_noticed_in_november_until_somebody_tells_them() {
    let house = House::opens().await;
    // So far ahead that nobody has announced anything; 31 October, 23:00 in Shanghai.
    house.clock.set("2099-10-31T15:00:00Z".parse().unwrap());
    let key = house.brand_key(house.brand("clearwater").await.live);
    let calendar = creates(&key, json!({})).await;
    creates(&key, json!({ "code": "plain", "holidays": "none" })).await;
    assert_eq!(unknown(&house, &key).await, ["2099 open"]);
    let day = |on: &str| format!("{calendar}/exceptions/{on}");
    key.put(&day("2099-12-31"), json!({ "kind": "closed" })).await.expect(201);
    assert_eq!(unknown(&house, &key).await, ["2099 resolved"]);

    house.pass_hours(1).await;
    assert_eq!(unknown(&house, &key).await, ["2100 open", "2099 resolved"]);
    house.pass_days(1).await;
    assert_eq!(unknown(&house, &key).await, ["2100 open", "2099 resolved"], "once in a year");
    let found = key.get("/v1/findings?kind=holidays_unknown&state=open").await.expect(200);
    let found = &found.data()[0];
    assert_eq!(found["subject"], json!(calendar.rsplit('/').next()));
    assert_eq!((&found["dealer_id"], &found["evidence"]), (&Value::Null, &json!({ "year": 2100 })));
    hands_in(&key, &calendar, "", &file(&[("21000101", "21000102", "元旦")])).await.expect(200);
    assert_eq!(unknown(&house, &key).await, ["2100 resolved", "2099 resolved"]);
    // Made in November, a calendar lacks the next year at once.
    creates(&key, json!({ "code": "late" })).await;
    let told = unknown(&house, &key).await;
    assert_eq!(&told[..2], ["2100 open", "2099 open"]);
}

#[tokio::test]
async fn a_message_waits_until_the_quiet_hours_are_over() {
    let shop = Shop::opens().await;
    let quiet = json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } });
    let calendar = creates(&shop.key, quiet).await;
    let site = json!({ "code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai",
        "calendar_id": calendar.rsplit('/').next() });
    shop.key.post(&format!("/v1/dealers/{}/sites", shop.dealer), site).await.expect(201);
    let complains = async |dealer: Option<&str>| {
        let customer = json!({ "name": "李娜", "email": "li.na@example.com", "dealer_id": dealer });
        let customer = shop.key.post("/v1/customers", customer).await.expect(201).id();
        crate::voice::complains(&shop.key, &customer).await;
        customer
    };
    let state = async |customer: &str| {
        shop.house.settle().await;
        let customer: domain::ids::CustomerId = customer.parse().unwrap();
        let sql = "SELECT state FROM message WHERE customer_id = $1";
        let values = [Uuid::from(customer).into()];
        let find = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let owner = shop.house.owner().await;
        let row = owner.query_one_raw(find).await.unwrap().unwrap();
        owner.close().await.unwrap();
        row.try_get::<String>("", "state").unwrap()
    };
    // 09:00: it is handed over at once, to nobody, because the story has no way out.
    let early = complains(Some(&shop.dealer)).await;
    assert_eq!(state(&early).await, "kept");
    // 21:00.
    shop.house.pass_hours(12).await;
    let late = complains(Some(&shop.dealer)).await;
    let nobodys = complains(None).await;
    assert_eq!(
        (state(&late).await, state(&nobodys).await),
        ("queued".to_owned(), "kept".to_owned())
    );
    shop.house.pass_hours(10).await;
    assert_eq!(state(&late).await, "queued", "it is 07:00");
    shop.house.pass_hours(1).await;
    assert_eq!(state(&late).await, "kept");
}
