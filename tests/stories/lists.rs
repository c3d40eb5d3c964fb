//! Lists: every one that the document describes is sorted both ways, paged, counted and narrowed.

use crate::{
    house::{Client, House},
    voice::{complains, li_na},
    walls::brands::{furnish, go_on},
};
use domain::identity::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A list of the document.
struct Listing {
    path: String,
    sorts: Vec<String>,
    usual: String,
    filters: BTreeSet<String>,
}

/// Every list that a program of a brand reads outside the sandbox.
fn listings() -> Vec<Listing> {
    let document = api::document();
    let paths = document["paths"].as_object().unwrap().iter();
    let lists = paths.filter_map(|(path, item)| {
        let parameters = item["get"]["parameters"].as_array()?;
        let named = |name: &str| parameters.iter().find(|one| one["name"] == name);
        named("cursor")?;
        // What is to be done has one order, by when it is due.
        if path == "/v1/todo" || path.ends_with("/work") {
            return None;
        }
        let sort = &named("sort").unwrap_or_else(|| panic!("{path} is not sorted"))["schema"];
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        Some(Listing {
            path: path.clone(),
            sorts: sort["enum"].as_array().unwrap().iter().map(word).collect(),
            usual: word(&sort["default"]),
            filters: parameters.iter().map(|one| word(&one["name"])).collect(),
        })
    });
    lists.filter(|list| !list.path.starts_with("/v1/test/")).collect()
}

/// Where a list is: below the first record that has any, for lists below a record.
async fn place(key: &Client, path: &str) -> Option<String> {
    let Some((parent, _)) = path.split_once("/{id}") else { return Some(path.to_owned()) };
    if parent == "/v1/sop-versions" {
        return below_a_version(key, path).await;
    }
    // Operations are listed by the files they came from.
    let (parent, member) =
        if parent == "/v1/operations" { ("/v1/imports", "operation_id") } else { (parent, "id") };
    for record in key.get(&format!("{parent}?limit=200")).await.expect(200).data() {
        let below = path.replace("{id}", record[member].as_str().unwrap());
        if !key.get(&below).await.expect(200).data().is_empty() {
            return Some(below);
        }
    }
    None
}

/// Versions are listed by the procedures they belong to.
async fn below_a_version(key: &Client, path: &str) -> Option<String> {
    for sop in key.get("/v1/sops?limit=200").await.expect(200).data() {
        let versions = format!("/v1/sops/{}/versions", sop["id"].as_str().unwrap());
        for version in key.get(&versions).await.expect(200).data() {
            let below = path.replace("{id}", version["id"].as_str().unwrap());
            if !key.get(&below).await.expect(200).data().is_empty() {
                return Some(below);
            }
        }
    }
    None
}

fn ids(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The records of a list, read in pages of `limit`.
async fn paged(key: &Client, path: &str, sort: &str, limit: usize) -> Vec<Value> {
    let first = format!("{path}?limit={limit}&sort={sort}");
    let (mut found, mut next) = (Vec::new(), first.clone());
    loop {
        let page = key.get(&next).await.expect(200);
        found.extend(page.data().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        assert_eq!(page.data().len(), limit, "{next}");
        next = format!("{first}&cursor={cursor}");
    }
}

fn is_sorted(records: &[Value], column: &str) -> bool {
    records.windows(2).all(|pair| match (&pair[0][column], &pair[1][column]) {
        (Value::Number(one), Value::Number(other)) => one.as_i64() <= other.as_i64(),
        (Value::String(one), Value::String(other)) => one <= other,
        (one, other) => panic!("{column} is {one} and {other}"),
    })
}

/// A brand with something of every kind.
async fn settled(house: &House) -> Client {
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let mut names = furnish(&key).await;
    house.pass_days(60).await;
    go_on(&key, &mut names).await;
    house.pass_days(2).await;
    let dealer = names["dealer"].parse().unwrap();
    let clerk = names["clerk"].parse().unwrap();
    let clerk = house.person(brand, Role::Clerk, clerk, Some(dealer));
    let acknowledge = format!("/v1/sop-versions/{}/acknowledge", names["version"]);
    clerk.post(&acknowledge, json!({})).await.expect(200);
    key
}

#[tokio::test]
async fn every_list_comes_in_each_of_its_orders_page_by_page() {
    let house = House::opens().await;
    let key = settled(&house).await;
    let (mut ties, mut empty) = (0, Vec::new());
    for list in listings() {
        let Some(path) = place(&key, &list.path).await else {
            empty.push(list.path);
            continue;
        };
        let usual = key.get(&format!("{path}?limit=200")).await.expect(200);
        for sort in &list.sorts {
            let sorted = paged(&key, &path, sort, 200).await;
            let whole = ids(&sorted);
            let thirds = whole.len().div_ceil(3).clamp(1, 200);
            assert_eq!(ids(&paged(&key, &path, sort, thirds).await), whole, "{path} by {sort}");
            if *sort == list.usual {
                assert!(whole.starts_with(&ids(usual.data())), "{path} comes by {sort}");
            }
            let Some(column) = sort.strip_prefix('-') else { continue };
            let upwards = paged(&key, &path, column, 200).await;
            let mut backwards = ids(&upwards);
            backwards.reverse();
            assert_eq!(backwards, whole, "{path} by {sort}");
            // Names are in the order of the database's alphabet.
            let by_letters = column == "name";
            assert!(by_letters || is_sorted(&upwards, column), "{path} by {column}");
            let values: BTreeSet<_> =
                upwards.iter().map(|record| record[column].to_string()).collect();
            ties += whole.len() - values.len();
        }
    }
    assert!(empty.len() <= 3, "nothing to sort: {empty:?}");
    assert!(ties > 20, "only {ties} records share their place with another");
}

#[tokio::test]
async fn what_a_list_is_not_sorted_by_is_refused_with_what_it_is() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    for wrong in ["price", "", "-", "+name", "--name", "tenant_id", "name,created_at"] {
        let refused = key.get(&format!("/v1/customers?sort={wrong}")).await;
        let refused = refused.refused(400, "invalid_parameter");
        let error = &refused["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("sort"), &json!("unknown_value")));
        let allowed = json!(["created_at", "-created_at", "name", "-name"]);
        assert_eq!(error["allowed"], allowed, "{wrong}");
    }
    let chinese =
        key.opens("/v1/customers?sort=x", "zh-CN").await.refused(400, "invalid_parameter");
    assert!(chinese["detail"].as_str().unwrap().contains("应为以下之一"), "{chinese:?}");
}

#[tokio::test]
async fn a_cursor_goes_on_in_its_own_order_only() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    for name in ["b", "a", "c"] {
        key.post("/v1/customers", json!({"name": name})).await.expect(201);
    }
    let page = key.get("/v1/customers?limit=1&sort=name").await.expect(200);
    assert_eq!(page["data"][0]["name"], "a");
    let cursor = page["next_cursor"].as_str().unwrap();
    for other in ["&sort=-name", "&sort=created_at", ""] {
        let path = format!("/v1/customers?limit=1{other}&cursor={cursor}");
        key.get(&path).await.refused(400, "invalid_cursor");
    }
    let next = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(key.get(&next).await.expect(200)["data"][0]["name"], "b");
    // How much is shown, and whether it is counted, does not matter.
    let rest = format!("/v1/customers?limit=5&sort=name&total=true&cursor={cursor}");
    let rest = key.get(&rest).await.expect(200);
    assert_eq!((rest.data().len(), &rest["total"]["count"]), (2, &json!(3)));
}

#[tokio::test]
async fn a_list_is_counted_when_it_is_asked_to_and_no_further_than_it_says() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let other = house.brand_key(house.brand("other").await.live);
    other.post("/v1/customers", json!({"name": "somebody else's"})).await.expect(201);
    for name in ["anna", "anton", "berta"] {
        key.post("/v1/customers", json!({"name": name})).await.expect(201);
    }
    assert!(key.get("/v1/customers").await.expect(200).body.get("total").is_none());
    assert!(key.get("/v1/customers?total=false").await.expect(200).body.get("total").is_none());
    key.get("/v1/customers?total=perhaps").await.refused(400, "invalid_parameter");
    let all = key.get("/v1/customers?limit=1&total=true").await.expect(200);
    assert_eq!(all["total"], json!({"count": 3, "is_exact": true}));
    let some = key.get("/v1/customers?q=an&total=true").await.expect(200);
    assert_eq!(some["total"], json!({"count": 2, "is_exact": true}));

    let owner = house.owner().await;
    let add = |more: u32| {
        format!(
            "INSERT INTO customer (tenant_id, id, source, name, kind, lifecycle, created_at, version)
             SELECT '{}', gen_random_uuid(), 'api', 'zoe', 'person', 'lead', now(), 1
             FROM generate_series(1, {more})",
            Uuid::from(brand)
        )
    };
    owner.execute_unprepared(&add(9_997)).await.unwrap();
    let full = key.get("/v1/customers?limit=1&total=true").await.expect(200);
    assert_eq!(full["total"], json!({"count": 10_000, "is_exact": true}));
    owner.execute_unprepared(&add(1)).await.unwrap();
    owner.close().await.unwrap();
    let over = key.get("/v1/customers?limit=1&total=true").await.expect(200);
    assert_eq!(over["total"], json!({"count": 10_000, "is_exact": false}));
}

#[tokio::test]
async fn every_list_of_what_dealers_have_is_narrowed_to_one() {
    let house = House::opens().await;
    let key = settled(&house).await;
    let (mut narrowed, mut without) = (0, Vec::new());
    for list in listings() {
        let Some(path) = place(&key, &list.path).await else { continue };
        let all = key.get(&format!("{path}?limit=200")).await.expect(200);
        let Some(dealer) = all.data().iter().find_map(|one| one["dealer_id"].as_str()) else {
            continue;
        };
        if !list.filters.contains("dealer_id") {
            without.push(list.path);
            continue;
        }
        let theirs: Vec<_> =
            all.data().iter().filter(|one| one["dealer_id"] == dealer).cloned().collect();
        let found = key.get(&format!("{path}?limit=200&dealer_id={dealer}")).await.expect(200);
        assert_eq!(ids(found.data()), ids(&theirs), "{path}");
        narrowed += 1;
    }
    // What is below one complaint is one dealer's.
    without.retain(|path| !path.contains("/{id}/"));
    assert!(without.is_empty(), "{without:?}");
    assert!(narrowed >= 15, "only {narrowed} lists were tried");
}

#[tokio::test]
async fn lists_of_what_is_due_begin_at_one_instant_and_end_before_another() {
    let house = House::opens().await;
    let key = house.brand_key(house.brand("clearwater").await.live);
    let customer = li_na(&key).await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        let complaint = complains(&key, &customer).await;
        opened
            .push((complaint.id(), complaint["first_answer_due_at"].as_str().unwrap().to_owned()));
        house.pass_hours(1).await;
    }
    let due = |query: String| {
        let key = key.clone();
        async move {
            let path = format!("/v1/complaints?sort=first_answer_due_at&{query}");
            ids(key.get(&path).await.expect(200).data())
        }
    };
    let (second, third) = (&opened[1].1, &opened[2].1);
    assert_eq!(
        due(format!("due_after={second}")).await,
        [opened[1].0.clone(), opened[2].0.clone()]
    );
    assert_eq!(due(format!("due_before={second}")).await, [opened[0].0.clone()]);
    let between = due(format!("due_after={second}&due_before={third}")).await;
    assert_eq!(between, [opened[1].0.clone()]);
    let jobs = key.get(&format!("/v1/jobs?due_after={third}")).await.expect(200);
    assert!(!jobs.data().is_empty());
    let is_later = |job: &Value| job["due_at"].as_str().unwrap() >= third.as_str();
    assert!(jobs.data().iter().all(is_later), "{jobs:?}");
}
