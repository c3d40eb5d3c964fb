//! What shows that a step was done: files that are looked at before they are believed.

use super::{Shop, checklists::at, start, step};
use crate::house::{Client, Reply};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// The smallest pictures there are, by their first bytes.
pub(crate) const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 ";

const MOST_BYTES: usize = 10 * 1024 * 1024;

/// Attaches bytes to a step, whatever the caller calls them.
pub(crate) async fn attaches(
    caller: &Client,
    (run, step): (&str, &str),
    kind: &str,
    bytes: Vec<u8>,
) -> Reply {
    let path = format!("/v1/sop-runs/{run}/steps/{step}/evidence?kind={kind}");
    let request = caller
        .request(Method::POST, &path)
        .header("content-type", "image/jpeg")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .body(bytes);
    caller.send(request).await
}

/// A step that needs a photo and a signature.
fn signed() -> Value {
    let mut signed = step("Hand over");
    signed["evidence"] = json!(["photo", "signature"]);
    json!({ "change_note": "First.", "steps": [signed, step("Say goodbye")] })
}

fn id_of(run: &Reply, position: usize) -> String {
    run["steps"][position - 1]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_step_is_done_when_what_shows_it_is_attached() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let done = json!({ "value": true });
    let refused = at(&shop.key, &run, 1, "complete", done.clone()).await;
    let refused = refused.refused(409, "evidence_missing");
    assert_eq!(refused["missing"], json!(["photo", "signature"]));

    attaches(&shop.key, (&id, &step), "photo", HEIC.to_vec()).await.expect(201);
    let refused = at(&shop.key, &run, 1, "complete", done.clone()).await;
    assert_eq!(refused.refused(409, "evidence_missing")["missing"], json!(["signature"]));
    // That it went wrong can be said without a picture.
    at(&shop.key, &run, 1, "complete", json!({ "value": false })).await.expect(200);

    let signature = attaches(&shop.key, (&id, &step), "signature", PNG.to_vec()).await.expect(201);
    assert_eq!(signature["content_type"], "image/png");
    assert_eq!(signature["size_bytes"], PNG.len());
    let location = format!("/v1/sop-evidence/{}", signature.id());
    assert_eq!(signature.header("location"), location);
    assert_eq!(signature["attempt"], 2);
    // What showed the attempt that went wrong does not show this one.
    let refused = at(&shop.key, &run, 1, "complete", done.clone()).await;
    assert_eq!(refused.refused(409, "evidence_missing")["missing"], json!(["photo"]));
    attaches(&shop.key, (&id, &step), "photo", HEIC.to_vec()).await.expect(201);
    at(&shop.key, &run, 1, "complete", done).await.expect(200);
    let late = attaches(&shop.key, (&id, &step), "photo", JPEG.to_vec()).await;
    late.refused(409, "illegal_transition");

    let listed = shop.key.get(&format!("/v1/sop-runs/{id}/evidence")).await.expect(200);
    let kinds: Vec<_> = listed.data().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, [&json!("photo"), &json!("signature"), &json!("photo")]);
    let lines = shop.key.get(&format!("/v1/audit-entries?subject={}", signature.id())).await;
    assert_eq!(lines.data()[0]["action"], "attach");
}

#[tokio::test]
async fn a_file_is_what_its_bytes_say_and_not_what_it_is_called() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let place = (id.as_str(), step.as_str());
    for (bytes, found) in
        [(JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp"), (HEIC, "image/heic")]
    {
        let attached = attaches(&shop.key, place, "photo", bytes.to_vec()).await.expect(201);
        assert_eq!(attached["content_type"], found);
    }
    for (bytes, found) in [
        (&b"%PDF-1.7"[..], "application/pdf"),
        (b"GIF89a\x01\0\x01\0", "image/gif"),
        (b"<svg onload=\"alert(1)\"/>", "application/octet-stream"),
        (b"MZ\x90\0", "application/vnd.microsoft.portable-executable"),
        (b"", "nothing"),
    ] {
        let refused = attaches(&shop.key, place, "photo", bytes.to_vec()).await;
        let refused = refused.refused(422, "evidence_wrong_type");
        assert_eq!(refused["found"], found);
        assert_eq!(
            refused["allowed"],
            json!(["image/jpeg", "image/png", "image/webp", "image/heic"])
        );
    }
    let photo = attaches(&shop.key, place, "signature", JPEG.to_vec()).await;
    assert_eq!(photo.refused(422, "evidence_wrong_type")["allowed"], json!(["image/png"]));
    attaches(&shop.key, place, "film", JPEG.to_vec()).await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn a_file_has_at_most_10_mib_and_a_step_at_most_ten_files() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let place = (id.as_str(), step.as_str());
    let large = |size: usize| {
        let mut bytes = JPEG.to_vec();
        bytes.resize(size, 0);
        bytes
    };
    let most = attaches(&shop.key, place, "photo", large(MOST_BYTES)).await.expect(201);
    assert_eq!(most["size_bytes"], MOST_BYTES);
    let refused = attaches(&shop.key, place, "photo", large(MOST_BYTES + 1)).await;
    assert_eq!(refused.refused(413, "evidence_too_large")["most_bytes"], MOST_BYTES);
    // Elsewhere a megabyte is the most.
    let path = format!("/v1/sop-runs/{id}/abort");
    let abort = shop.key.request(Method::POST, &path).header("content-type", "application/json");
    shop.key.send(abort.body(large(1024 * 1024 + 1))).await.refused(413, "body_too_large");

    for _ in 1..10 {
        attaches(&shop.key, place, "photo", JPEG.to_vec()).await.expect(201);
    }
    let refused = attaches(&shop.key, place, "photo", JPEG.to_vec()).await;
    assert_eq!(refused.refused(409, "too_much_evidence")["most"], 10);
    let other = id_of(&run, 2);
    attaches(&shop.key, (&id, &other), "photo", JPEG.to_vec()).await.expect(201);
}

#[tokio::test]
async fn of_files_that_come_at_once_no_more_than_ten_are_kept() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let tries = (0..14).map(|_| attaches(&shop.key, (&id, &step), "photo", JPEG.to_vec()));
    let tries = futures::future::join_all(tries).await;
    assert_eq!(tries.iter().filter(|reply| reply.status == 201).count(), 10);
    assert_eq!(shop.key.get(&format!("/v1/sop-runs/{id}/evidence")).await.data().len(), 10);
}

#[tokio::test]
async fn an_upload_that_is_sent_again_is_answered_as_before_though_there_is_no_room_left() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let path = format!("/v1/sop-runs/{id}/steps/{step}/evidence?kind=photo");
    let sends = async |key: String| {
        let request = shop.key.request(Method::POST, &path).header("idempotency-key", key);
        shop.key.send(request.body(JPEG.to_vec())).await
    };
    let mut last = sends("photo-0".to_owned()).await.expect(201).id();
    for number in 1..10 {
        last = sends(format!("photo-{number}")).await.expect(201).id();
    }
    sends("photo-10".to_owned()).await.refused(409, "too_much_evidence");
    let again = sends("photo-9".to_owned()).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (last.clone(), "true"));
    // The file that was kept the first time is still there.
    let shown = shop.key.get(&format!("/v1/sop-evidence/{last}")).await.expect(200);
    let download = shown["download_path"].as_str().unwrap();
    assert_eq!(shop.house.stranger().get(download).await.status, 200);
}

#[tokio::test]
async fn at_night_files_go_that_no_row_names_and_the_others_stay() {
    use sea_orm::ConnectionTrait as _;
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    attaches(&shop.key, (&id, &step), "photo", PNG.to_vec()).await.expect(201);
    let made_hours_ago = |hours: i64| {
        let made_at = shop.house.now().plus_hours(-hours).unix_seconds();
        let made_at = uuid::Timestamp::from_unix_time(made_at.cast_unsigned(), 0, 0, 0);
        Uuid::new_v7(made_at)
    };
    let [named, stray, fresh] = [1, 1, -12].map(made_hours_ago);
    let owner = shop.house.owner().await;
    let names = format!("UPDATE sop_evidence SET id = '{named}'");
    owner.execute_unprepared(&names).await.unwrap();
    let files = shop.house.store.files();
    for name in [named, stray, fresh] {
        files.keep(shop.tenant, name, PNG).await.unwrap();
    }
    shop.house.pass_days(1).await;
    for (name, stays) in [(named, true), (stray, false), (fresh, true)] {
        assert_eq!(files.read(shop.tenant, name).await.is_ok(), stays, "{name}");
    }
}

#[tokio::test]
async fn a_link_to_a_file_is_good_for_ten_minutes_and_for_that_file() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = start(&shop.key, &sop).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let photo = attaches(&shop.key, (&id, &step), "photo", PNG.to_vec()).await.expect(201).id();
    let shown = shop.key.get(&format!("/v1/sop-evidence/{photo}")).await.expect(200);
    let path = shown["download_path"].as_str().unwrap();
    let stranger = shop.house.stranger();
    let response = reqwest::get(format!("{}{path}", shop.house.url)).await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("content-disposition"), format!("attachment; filename=\"{photo}.png\""));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(response.bytes().await.unwrap(), PNG);

    for wrong in ["x", &path[..path.len() - 1], "/public/v1/evidence/AAAA"] {
        let wrong = if wrong.starts_with('/') {
            wrong.to_owned()
        } else {
            format!("/public/v1/evidence/{wrong}")
        };
        stranger.get(&wrong).await.refused(404, "not_found");
    }
    shop.house.clock.set(shop.house.now().plus_seconds(599));
    assert_eq!(stranger.get(path).await.status, 200);
    shop.house.clock.set(shop.house.now().plus_seconds(1));
    stranger.get(path).await.refused(410, "evidence_link_expired");
}

#[tokio::test]
async fn another_dealer_s_people_do_not_see_what_is_attached() {
    let shop = Shop::opens().await;
    let (sop, _) = shop.procedure(signed()).await;
    let run = json!({ "sop_id": sop, "dealer_id": shop.dealer });
    let run = shop.key.post("/v1/sop-runs", run).await.expect(201);
    let (id, step) = (run.id(), id_of(&run, 1));
    let photo = attaches(&shop.key, (&id, &step), "photo", PNG.to_vec()).await.expect(201).id();
    let other = super::enter_dealer(&shop.key, "suzhou-01").await;
    let stranger = shop.house.dealer_key(shop.tenant, &other);
    stranger.get(&format!("/v1/sop-evidence/{photo}")).await.refused(404, "not_found");
    stranger.get(&format!("/v1/sop-runs/{id}/evidence")).await.refused(404, "not_found");
    attaches(&stranger, (&id, &step), "photo", PNG.to_vec()).await.refused(404, "not_found");
    let (_, technician) = shop.hires(domain::identity::Role::Technician, &shop.dealer).await;
    technician.get(&format!("/v1/sop-evidence/{photo}")).await.refused(404, "not_found");
    let (_, clerk) = shop.hires(domain::identity::Role::Clerk, &shop.dealer).await;
    clerk.get(&format!("/v1/sop-evidence/{photo}")).await.expect(200);
}
