//! Visits follow the calendar that a site names: its breaks, its holidays and its make-up days.

use super::{Service, told};
use serde_json::{Value, json};

impl Service {
    /// Lets the site work by a calendar from Monday to Friday, with a break at noon, and these days that are others.
    async fn works_by_a_calendar(&self, days: &[(&str, Value)]) -> String {
        let days_of_week = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let halves = [("09:00", "12:00"), ("13:00", "15:00")];
        let week: Vec<_> = days_of_week
            .iter()
            .flat_map(|day| {
                halves.map(
                    |(opens, closes)| json!({"weekday": day, "opens": opens, "closes": closes}),
                )
            })
            .collect();
        let office = json!({"code": "field", "name": "上门", "tz": "Asia/Shanghai", "week": week});
        let calendar = self.key.post("/v1/calendars", office).await.expect(201).id();
        for (day, said) in days {
            let path = format!("/v1/calendars/{calendar}/exceptions/{day}");
            self.key.put(&path, said.clone()).await.expect(201);
        }
        let site = format!("/v1/sites/{}", self.site);
        let read = self.key.get(&site).await.expect(200);
        self.key.patch(&site, read.etag(), json!({"calendar_id": calendar})).await.expect(200);
        self.house.settle().await;
        calendar
    }

    async fn starts(&self, order: &str) -> Vec<String> {
        let slots = self.shows(&format!("/v1/work-orders/{order}/slots?limit=50")).await;
        told(slots["slots"].as_array().unwrap(), &["local_start"])
    }
}

#[tokio::test]
async fn nobody_comes_in_the_break_on_a_holiday_or_on_a_free_saturday() {
    let service = Service::opens().await;
    let closed = json!({"kind": "closed"});
    service.works_by_a_calendar(&[("2026-01-08", closed)]).await;
    // Thursday is free, Friday is worked; Saturday was worked by the hours of the site, and is not by the calendar.
    let order = service.asks("2026-01-08", "2026-01-10").await;
    let expected = ["09:00", "09:30", "10:00", "10:30", "11:00", "13:00", "13:30", "14:00"];
    assert_eq!(service.starts(&order).await, expected.map(|at| format!("2026-01-09 {at}")));
    let choice = service.choice(&order, "2026-01-08T02:00:00Z");
    let refused = service.key.post("/v1/appointments", choice).await;
    assert_eq!(refused.refused(422, "slot_outside_hours")["working_hours"], json!([]));
    let choice = service.choice(&order, "2026-01-09T03:30:00Z");
    let refused = service.key.post("/v1/appointments", choice).await;
    assert_eq!(
        refused.refused(422, "slot_outside_hours")["working_hours"],
        json!(["2026-01-09 09:00 – 2026-01-09 12:00", "2026-01-09 13:00 – 2026-01-09 15:00"])
    );
    service.house.settle().await;
    let visit = service.list(&format!("/v1/appointments?work_order_id={order}")).await.remove(0);
    assert_eq!(visit["local_start"], "2026-01-09 09:00");
}

#[tokio::test]
async fn a_make_up_saturday_is_a_day_of_visits() {
    let service = Service::opens().await;
    let open = json!({"kind": "open", "intervals": [{"opens": "10:00", "closes": "12:00"}]});
    let calendar = service.works_by_a_calendar(&[("2026-01-10", open)]).await;
    let order = service.asks("2026-01-10", "2026-01-11").await;
    let saturday = ["2026-01-10 10:00", "2026-01-10 10:30", "2026-01-10 11:00"];
    assert_eq!(service.starts(&order).await, saturday);
    service.house.settle().await;
    let booked = format!("/v1/appointments?work_order_id={order}");
    assert_eq!(service.list(&booked).await[0]["local_start"], "2026-01-10 10:00");
    // What is booked stays when the day is free after all; the next one finds another day.
    let day = format!("/v1/calendars/{calendar}/exceptions/2026-01-10");
    service.key.put(&day, json!({"kind": "closed"})).await.expect(200);
    service.house.settle().await;
    assert_eq!(service.list(&booked).await[0]["state"], "confirmed");
    let next = service.asks("2026-01-10", "2026-01-12").await;
    service.house.settle().await;
    let found = service.list(&format!("/v1/appointments?work_order_id={next}")).await.remove(0);
    assert_eq!(found["local_start"], "2026-01-12 09:00");
}
