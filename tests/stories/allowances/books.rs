//! The books beside a computation of their own: real sales of a music shop, under the defaults of the service.

use crate::{customers::Shop, imports::hand_in};
use domain::time::CivilDate;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::json;

/// 6 919 real sales of 2 357 customers; see `tests/data/README.md`.
const SAMPLE: &str = include_str!("../../data/orders-cdnow-sample.csv");

/// A sale as the file tells it, moved so that the last one was paid a day before the story begins.
struct Sold {
    paid_on: CivilDate,
    price_minor: i128,
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

/// The file with its dates moved, and what it says.
fn moved() -> (String, Vec<Sold>) {
    let mut lines = SAMPLE.lines();
    let header = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let last = rows.iter().map(|row| day(row[2])).max().unwrap();
    let shift = day("2026-01-04").days_since(last);
    let mut file = format!("{header}\n");
    let mut sold = Vec::new();
    for mut row in rows {
        let paid_on = day(row[2]).plus_days(shift);
        let text = paid_on.to_string();
        row[2] = &text;
        file.push_str(&row.join(","));
        file.push('\n');
        sold.push(Sold { paid_on, price_minor: row[4].parse().unwrap() });
    }
    (file, sold)
}

/// Half to even, in numbers that cannot overflow: two percent of a price.
#[expect(clippy::integer_division, reason = "the rest is looked at right after")]
fn two_percent(price_minor: i128) -> i128 {
    let (share, rest) = (price_minor * 2 / 100, price_minor * 2 % 100);
    match rest.cmp(&50) {
        std::cmp::Ordering::Less => share,
        std::cmp::Ordering::Equal => share + share % 2,
        std::cmp::Ordering::Greater => share + 1,
    }
}

/// What was set aside, what of it has expired and what remains by the end of a day, in cents: a sale lives for 365 days
/// from the day it was paid.
fn expected(sold: &[Sold], on: CivilDate) -> [i128; 3] {
    let is_over = |sale: &&Sold| sale.paid_on.plus_days(365) <= on;
    let sum = |sales: &mut dyn Iterator<Item = &Sold>| -> i128 {
        sales.map(|sale| two_percent(sale.price_minor)).sum()
    };
    let accrued = sum(&mut sold.iter());
    let expired = sum(&mut sold.iter().filter(is_over));
    [accrued, expired, accrued - expired]
}

impl Shop {
    /// The same from the books.
    async fn told(&self) -> [i128; 3] {
        let report = |path: &str| {
            let (key, path) = (self.key.clone(), path.to_owned());
            async move { key.get(&path).await.expect(200) }
        };
        let owed = report("/v1/reports/allowance-liability").await;
        let gone = report("/v1/reports/allowance-breakage?from_on=1990-01-01").await;
        let sum = |reply: &crate::house::Reply, field: &str| -> i128 {
            reply["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| i128::from(row[field].as_i64().unwrap()))
                .sum()
        };
        let (expired, remaining) = (sum(&gone, "expired_minor"), sum(&owed, "balance_minor"));
        let sql = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM allowance_lot";
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.house.owner().await.query_one_raw(statement).await.unwrap().unwrap();
        let accrued: i64 = row.try_get_by_index(0).unwrap();
        [accrued.into(), expired, remaining]
    }
}

#[tokio::test]
async fn real_sales_come_to_the_cent_to_what_a_computation_of_its_own_says() {
    let shop = Shop::opens().await;
    let adoption = json!({"currency": "USD"});
    shop.key.post("/v1/allowance-defaults/adopt", adoption).await.expect(200);
    let (file, sold) = moved();
    let query = format!("kind=orders&source=shop&dealer_id={}", shop.dealer);
    hand_in(&shop.key, &query, "text/csv", file).await.expect(202);
    shop.house.settle().await;

    let today = day("2026-01-05");
    assert_eq!(shop.told().await, expected(&sold, today));
    let [accrued, expired, remaining] =
        expected(&sold, today).map(|sum| i64::try_from(sum).unwrap());
    assert!(expired > 0 && remaining > 0, "both happen: {expired}, {remaining}");
    let policy = shop.key.get("/v1/allowance-policies?currency=USD").await.expect(200);
    let mut details = policy.data()[0].clone();
    let kept = ["currency", "base", "tiers", "fallback_price_bp", "expiry_days"];
    details.as_object_mut().unwrap().retain(|name, _| kept.contains(&name.as_str()));
    let trial = json!({"policy": details, "from_on": "2024-01-01", "as_of_on": "2026-01-04"});
    let tried = shop.key.post("/v1/allowance-policies/simulate", trial).await.expect(200);
    assert_eq!(tried["orders"], sold.len());
    assert_eq!(
        (
            &tried["proposed"]["accrued_minor"],
            &tried["proposed"]["expired_minor"],
            &tried["proposed"]["remaining_minor"]
        ),
        (&json!(accrued), &json!(expired), &json!(remaining)),
    );
    assert_eq!(tried["current"], tried["proposed"]);

    shop.house.clock.set(shop.house.now().plus_days(100));
    shop.house.settle().await;
    assert_eq!(shop.told().await, expected(&sold, today.plus_days(100)));
    let counted = shop.key.get("/v1/reports/allowance-reconciliation").await.expect(200);
    assert_eq!((&counted["is_complete"], &counted["unbalanced"]), (&json!(true), &json!([])));
    assert!(counted["counted"].as_u64().unwrap() > 2_000, "{counted:?}");
}
