//! Messages about complaints.

use super::Matter;
use crate::voice::{complains, letters, resolves};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn what_is_said_to_the_customer_is_sent_to_them() {
    let matter = Matter::opens().await;
    let question = matter.says("to_customer", "滤芯外壳上的批号是多少？").await.expect(201);
    assert!(question.id().starts_with("cmm_"), "{question:?}");
    let location = question.header("location").to_owned();
    assert_eq!(matter.key.get(&location).await.expect(200)["body"], "滤芯外壳上的批号是多少？");
    matter.says("internal", "像是第三批次的问题。").await.expect(201);
    matter.house.settle().await;

    let told = letters(&matter.house, "complaint").await;
    let letter = told.last().unwrap();
    let said = "李娜，您好：\n\n关于您的投诉（编号 C-000001），我们想告诉您：\n\n滤芯外壳上的批号是多少？\n\n请在此回复：\n";
    assert!(letter.starts_with(said) && letter.contains("/c/"), "{letter}");
    assert!(told.iter().all(|letter| !letter.contains("第三批次")), "{told:?}");
    let listed = matter.key.get(&matter.path("messages")).await.expect(200);
    let said: Vec<_> = listed.data().iter().map(|one| &one["direction"]).collect();
    assert_eq!(said, [&json!("to_customer"), &json!("internal")]);
    assert_eq!(listed.data()[0]["public_body"], json!(null));
    let lines = matter.key.get(&format!("/v1/audit-entries?subject={}", question.id())).await;
    assert_eq!(lines.data()[0]["action"], "say");
    assert!(!lines.data()[0].to_string().contains("批号"), "{lines:?}");
}

#[tokio::test]
async fn what_the_customer_says_ends_waiting_for_them_and_for_nobody_else() {
    let matter = Matter::opens().await;
    let wait = |whom: &str| json!({"waiting_for": whom, "reason": "批号是多少？"});
    matter.act("wait", wait("customer")).await;
    matter.says("to_customer", "请告知批号。").await.expect(201);
    assert_eq!(matter.shows().await["waiting_for"], "customer");
    matter.says("from_customer", "批号是 2025-11。").await.expect(201);
    assert_eq!(matter.shows().await["waiting_for"], json!(null));

    matter.act("wait", wait("third_party")).await;
    matter.says("from_customer", "供应商怎么说？").await.expect(201);
    assert_eq!(matter.shows().await["waiting_for"], "third_party");
}

#[tokio::test]
async fn a_complaint_that_is_at_an_end_takes_notes_only() {
    let matter = Matter::opens().await;
    resolves(&matter.key, &matter.complaint).await;
    matter.says("from_customer", "还在漏水。").await.expect(201);
    matter.act("close", json!({"customer_satisfied": true})).await;
    for direction in ["from_customer", "to_customer"] {
        let refused = matter.says(direction, "您好").await.refused(409, "complaint_talk_over");
        assert_eq!((&refused["number"], &refused["state"]), (&json!("C-000001"), &json!("closed")));
    }
    matter.says("internal", "客户来电致谢。").await.expect(201);
    matter.act("reopen", json!({"reason": "又漏水了。"})).await;
    matter.says("to_customer", "我们马上处理。").await.expect(201);
}

#[tokio::test]
async fn a_complaint_has_five_hundred_messages_and_no_more() {
    let matter = Matter::opens().await;
    let owner = matter.house.owner().await;
    let sql = "INSERT INTO complaint_message (tenant_id, id, complaint_id, customer_id, direction, written_by,
                   body, public, redactions, created_at)
               SELECT tenant_id, gen_random_uuid(), id, customer_id, 'internal', 'worker', 'x', false, '[]', now()
               FROM complaint, generate_series(1, 499) WHERE tenant_id = $1";
    let values = [Uuid::from(matter.brand).into()];
    let fill = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    owner.execute_raw(fill).await.unwrap();
    owner.close().await.unwrap();
    matter.says("internal", "第五百条。").await.expect(201);
    let refused = matter.says("internal", "第五百零一条。").await;
    let refused = refused.refused(409, "too_many_complaint_messages");
    assert_eq!((&refused["messages"], &refused["most"]), (&json!(500), &json!(500)));
    // Notes take nothing from what the customer may say.
    matter.says("from_customer", "还在漏水。").await.expect(201);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let matter = Matter::opens().await;
    matter.says("to_everybody", "您好").await.refused(422, "invalid_body");
    matter.says("to_customer", "").await.refused(422, "invalid_body");
    let note = json!({"direction": "internal", "body": "内部", "public": true});
    let refused = matter.sends(note).await.refused(422, "internal_note_public");
    assert_eq!(refused["errors"][0]["pointer"], "/public");
    let public = json!({"direction": "to_customer", "body": "您好", "public": true});
    matter.sends(public).await.refused(409, "complaint_not_public");
    // Another complaint's message is none of this one's.
    let other = complains(&matter.key, &matter.customer).await.id();
    let message = matter.says("internal", "备注").await.expect(201).id();
    let path = format!("/v1/complaints/{other}/messages/{message}");
    matter.key.get(&path).await.refused(404, "not_found");
}
