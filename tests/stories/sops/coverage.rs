//! A brand sees at which moments nothing says what to do.

use super::{Shop, create_sop, draft, filter_change, say};
use crate::house::Reply;
use domain::identity::Role;
use serde_json::{Value, json};

fn standing<'a>(coverage: &'a Reply, touchpoint: &str) -> &'a Value {
    let cells = coverage["cells"].as_array().unwrap();
    let cell = cells.iter().find(|cell| cell["touchpoint"] == touchpoint);
    &cell.unwrap_or_else(|| panic!("no {touchpoint} in {coverage:?}"))["standing"]
}

#[tokio::test]
async fn a_gap_closes_when_a_version_comes_into_force_and_opens_when_it_goes() {
    let shop = Shop::opens().await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let coverage = || clerk.get("/v1/sop-coverage");
    let empty = coverage().await.expect(200);
    assert_eq!(
        (&empty["in_force"], &empty["drafted"], &empty["nothing"]),
        (&json!(0), &json!(0), &json!(12))
    );
    assert_eq!(empty["gaps"], empty["cells"]);

    let sop = create_sop(&shop.key, "filter-change").await.expect(201).id();
    assert_eq!(standing(&coverage().await, "annual_visit"), "nothing");
    let version = draft(&shop.key, &sop, filter_change()).await.id();
    assert_eq!(standing(&coverage().await, "annual_visit"), "drafted");
    say(&shop.key, &version, "submit").await.expect(200);
    assert_eq!(standing(&coverage().await, "annual_visit"), "drafted");
    say(&shop.key, &version, "publish").await.expect(200);
    let covered = coverage().await;
    assert_eq!(standing(&covered, "annual_visit"), "in_force");
    assert_eq!(covered["gaps"].as_array().unwrap().len(), 11);
    say(&shop.key, &version, "retire").await.expect(200);
    assert_eq!(standing(&coverage().await, "annual_visit"), "nothing");

    let other = json!({
        "code": "tea", "name": "茶歇", "department": "sales", "touchpoint": "tea_break",
    });
    shop.key.post("/v1/sops", other).await.expect(201);
    let coverage = coverage().await;
    assert_eq!(
        (standing(&coverage, "tea_break"), &coverage["nothing"]),
        (&json!("nothing"), &json!(13))
    );
    let stranger = shop.house.brand_key(shop.house.brand("other").await.live);
    assert_eq!(stranger.get("/v1/sop-coverage").await.expect(200)["nothing"], 12);
}
