//! Files that belong to complaints.

use super::Matter;
use crate::{house::Reply, sops::evidence::PNG, voice::complains};
use reqwest::Method;
use serde_json::json;
use store::{Failure, Scope};
use uuid::Uuid;

const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";

impl Matter {
    /// Attaches bytes that are called a media type.
    async fn attaches(&self, said: &str, bytes: &[u8], query: &str) -> Reply {
        let path = format!("{}{query}", self.path("attachments"));
        let request = self
            .key
            .request(Method::POST, &path)
            .header("content-type", said)
            .header("idempotency-key", Uuid::new_v4().to_string())
            .body(bytes.to_vec());
        self.key.send(request).await
    }
}

#[tokio::test]
async fn what_is_attached_is_handed_out_as_it_was() {
    let matter = Matter::opens().await;
    let message = matter.says("from_customer", "照片见附件。").await.expect(201).id();
    let query = format!("?message_id={message}");
    let photo = matter.attaches("image/png", PNG, &query).await.expect(201);
    assert_eq!(
        (&photo["content_type"], &photo["message_id"]),
        (&json!("image/png"), &json!(message))
    );
    assert_eq!(photo["size_bytes"], PNG.len());
    matter.attaches("application/octet-stream", PDF, "").await.expect(201);
    let listed = matter.key.get(&matter.path("attachments")).await.expect(200);
    let kinds: Vec<_> = listed.data().iter().map(|one| &one["content_type"]).collect();
    assert_eq!(kinds, [&json!("image/png"), &json!("application/pdf")]);

    let request = matter.key.request(Method::GET, photo.header("location"));
    let file = request.send().await.unwrap();
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let name = format!("attachment; filename=\"{}.png\"", photo.id());
    assert_eq!(header("content-disposition"), name);
    assert_eq!(file.bytes().await.unwrap(), PNG);
    // Another complaint's file is none of this one's.
    let other = complains(&matter.key, &matter.customer).await.id();
    let path = format!("/v1/complaints/{other}/attachments/{}", photo.id());
    matter.key.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_is_refused() {
    let matter = Matter::opens().await;
    let refused = matter.attaches("image/jpeg", PDF, "").await;
    let refused = refused.refused(422, "attachment_not_what_it_says");
    assert_eq!(
        (&refused["said"], &refused["found"]),
        (&json!("image/jpeg"), &json!("application/pdf"))
    );
    let script = matter.attaches("image/png", b"<svg onload=alert(1)>", "").await;
    script.refused(422, "attachment_wrong_type");
    matter.attaches("image/png", b"", "").await.refused(422, "attachment_wrong_type");
    let refused = matter.attaches("image/svg+xml", PNG, "").await;
    refused.refused(422, "attachment_not_what_it_says");
    let mut large = PNG.to_vec();
    large.resize(10 * 1024 * 1024 + 1, 0);
    let refused = matter.attaches("image/png", &large, "").await;
    assert_eq!(refused.refused(413, "attachment_too_large")["most_bytes"], 10 * 1024 * 1024);
    let listed = matter.key.get(&matter.path("attachments")).await.expect(200);
    assert_eq!(listed.data().len(), 0);
}

#[tokio::test]
async fn a_complaint_has_twenty_files_and_none_once_it_is_at_an_end() {
    let matter = Matter::opens().await;
    for _ in 0..20 {
        matter.attaches("image/png", PNG, "").await.expect(201);
    }
    let refused = matter.attaches("image/png", PNG, "").await.refused(409, "too_many_attachments");
    assert_eq!((&refused["attachments"], &refused["most"]), (&json!(20), &json!(20)));
    matter.closes().await;
    matter.attaches("image/png", PNG, "").await.refused(409, "complaint_talk_over");
}

#[tokio::test]
async fn a_customer_sends_up_to_five_photos_with_their_complaint() {
    let matter = Matter::opens().await;
    let store = &matter.house.store;
    let photos = |many: usize| vec![PNG.to_vec(); many];
    let refused = store.keep_photos(matter.brand, photos(6)).await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(one) if one.rule.code == "too_many_photos"));
    let kept = store.keep_photos(matter.brand, photos(5)).await.unwrap();
    let customer = matter.customer.parse().unwrap();
    let scope = Scope {
        tenant: matter.brand,
        actor: domain::identity::Actor::Customer(customer),
        reach: domain::identity::Reach::default(),
        paced: false,
        request_id: None,
    };
    let tenant = store.enter(scope).await.unwrap();
    let complaint = tenant.hold(matter.complaint.parse().unwrap()).await.unwrap();
    let attached = tenant.attach_photos(&complaint, kept).await.unwrap();
    tenant.commit(()).await.unwrap();
    assert_eq!(attached.len(), 5);
    let listed = matter.key.get(&matter.path("attachments")).await.expect(200);
    assert_eq!(listed.data()[4]["attached_by"], json!(matter.customer));
}
