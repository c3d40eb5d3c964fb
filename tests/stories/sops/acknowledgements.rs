//! People read what is in force, and show that they have understood it.

use super::{Shop, draft, enter_dealer, filter_change, say};
use crate::house::{Client, Reply};
use domain::identity::Role;
use serde_json::{Value, json};

/// The filter change with a quiz of two questions.
fn asking() -> Value {
    let mut details = filter_change();
    details["quiz"] = json!([
        { "question": "How long is it flushed?", "choices": ["1 minute", "5 minutes"], "answer": 1 },
        { "question": "From where on is it changed again?", "choices": ["50", "90", "200"], "answer": 0 },
    ]);
    details
}

async fn acknowledges(caller: &Client, version: &str, answers: Value) -> Reply {
    let path = format!("/v1/sop-versions/{version}/acknowledge");
    caller.post(&path, json!({ "answers": answers })).await
}

/// Whose acknowledgements a caller sees, and who is missing to them.
async fn read_and_missing(caller: &Client, version: &str) -> (usize, usize) {
    let path = format!("/v1/sop-versions/{version}");
    let read = caller.get(&format!("{path}/acknowledgements")).await.expect(200);
    let missing = caller.get(&format!("{path}/missing-acknowledgements")).await.expect(200);
    (read.data().len(), missing.data().len())
}

#[tokio::test]
async fn a_quiz_is_tried_until_it_is_passed_and_then_it_is_done() {
    let shop = Shop::opens().await;
    let (_, version) = shop.procedure(asking()).await;
    let (clerk_id, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let missed = acknowledges(&clerk, &version, json!([1, 2])).await.expect(200);
    assert_eq!((&missed["score_bp"], &missed["passed"]), (&json!(5_000), &json!(false)));
    assert_eq!(
        (&missed["staff_id"], &missed["dealer_id"]),
        (&json!(clerk_id), &json!(shop.dealer))
    );
    shop.house.pass_hours(1).await;
    let passed = acknowledges(&clerk, &version, json!([1, 0])).await.expect(200);
    assert_eq!((&passed["score_bp"], &passed["passed"]), (&json!(10_000), &json!(true)));
    assert_eq!((&passed["attempts"], &passed["id"]), (&json!(2), &missed["id"]));
    assert_ne!(passed["acknowledged_at"], missed["acknowledged_at"]);
    assert_eq!(passed["created_at"], missed["created_at"]);
    let again = acknowledges(&clerk, &version, json!([0, 0])).await;
    assert_eq!(again.refused(409, "already_acknowledged")["score_bp"], 10_000);

    let few = acknowledges(&shop.admin().await, &version, json!([1])).await;
    assert_eq!(few.refused(422, "wrong_number_of_answers")["questions"], 2);
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let none = acknowledges(&manager, &version, json!([1, 3])).await;
    let none = none.refused(422, "quiz_answer_not_offered");
    assert_eq!(none["errors"][0]["pointer"], "/answers/1");
    let timeline = shop.key.get(&format!("/v1/audit-entries?subject={}", passed.id())).await;
    let actions: Vec<_> = timeline.data().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["acknowledge", "create"]);
}

#[tokio::test]
async fn a_person_acknowledges_what_is_in_force() {
    let shop = Shop::opens().await;
    let (sop, first) = shop.procedure(filter_change()).await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    acknowledges(&shop.key, &first, json!([])).await.refused(403, "people_acknowledge");
    let second = draft(&shop.key, &sop, filter_change()).await.id();
    let early = acknowledges(&clerk, &second, json!([])).await;
    assert_eq!(early.refused(409, "sop_version_not_in_force")["state"], "draft");
    let read = acknowledges(&clerk, &first, json!([])).await.expect(200);
    assert_eq!(read["passed"], true);

    // A new version is read anew, and what was read of the older one stays.
    say(&shop.key, &second, "submit").await.expect(200);
    say(&shop.key, &second, "publish").await.expect(200);
    let late = acknowledges(&clerk, &first, json!([])).await;
    assert_eq!(late.refused(409, "sop_version_not_in_force")["state"], "retired");
    acknowledges(&clerk, &second, json!([])).await.expect(200);
    assert_eq!(read_and_missing(&shop.key, &first).await, (1, 0));
    let staff = shop.house.brand("other").await.live;
    let stranger = shop.house.person(
        staff,
        Role::Clerk,
        "stf_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        None,
    );
    acknowledges(&stranger, &second, json!([])).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_dealer_sees_who_of_its_own_has_read_and_who_has_not() {
    let shop = Shop::opens().await;
    let (_, version) = shop.procedure(asking()).await;
    let other_dealer = enter_dealer(&shop.key, "ningbo-01").await;
    let (_, manager) = shop.hires(Role::Manager, &shop.dealer).await;
    let (_, technician) = shop.hires(Role::Technician, &shop.dealer).await;
    let (left, _) = shop.hires(Role::Clerk, &shop.dealer).await;
    let (_, other) = shop.hires(Role::Manager, &other_dealer).await;
    let admin = shop.admin().await;
    shop.key.post(&format!("/v1/staff/{left}/leave"), json!({})).await.expect(200);
    assert_eq!(read_and_missing(&shop.key, &version).await, (0, 4));

    acknowledges(&technician, &version, json!([1, 0])).await.expect(200);
    acknowledges(&other, &version, json!([0, 0])).await.expect(200);
    acknowledges(&admin, &version, json!([1, 0])).await.expect(200);
    assert_eq!(read_and_missing(&shop.key, &version).await, (3, 2));
    assert_eq!(read_and_missing(&manager, &version).await, (1, 1));
    assert_eq!(read_and_missing(&other, &version).await, (1, 1));
    let path = format!("/v1/sop-versions/{version}/acknowledgements");
    let own = technician.get(&path).await.expect(200);
    assert_eq!(own.data().len(), 1);
    let failed = shop.key.get(&format!("{path}?passed=false")).await.expect(200);
    assert_eq!((failed.data().len(), &failed.data()[0]["score_bp"]), (1, &json!(5_000)));
    let missing = format!("/v1/sop-versions/{version}/missing-acknowledgements");
    technician.get(&missing).await.refused(403, "forbidden");
}

#[tokio::test]
async fn of_two_attempts_at_once_each_counts_or_is_refused() {
    let shop = Shop::opens().await;
    let (_, version) = shop.procedure(asking()).await;
    let (_, clerk) = shop.hires(Role::Clerk, &shop.dealer).await;
    let attempts = (0..6).map(|_| acknowledges(&clerk, &version, json!([1, 0])));
    let replies = futures::future::join_all(attempts).await;
    let passed = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(passed, 1, "{replies:?}");
    assert!(replies.iter().all(|reply| reply.status == 200 || reply.status == 409), "{replies:?}");
    assert_eq!(read_and_missing(&shop.key, &version).await, (1, 0));
}
