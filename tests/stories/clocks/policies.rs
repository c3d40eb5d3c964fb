//! Policies: which one a complaint follows, and what cannot be promised.

use super::{Shop, only, target};
use serde_json::{Value, json};
use uuid::Uuid;

fn any(minutes: u32) -> Value {
    only(target("acknowledge", minutes, json!({"working_time": false})))
}

fn for_those(applies_to: Value, minutes: u32) -> Value {
    let mut says = any(minutes);
    says["applies_to"] = applies_to;
    says
}

impl Shop {
    /// Which policy a severe complaint of a gold customer would follow.
    async fn picks(&self, source: &str) -> Value {
        let preview = json!({"dealer_id": self.dealer, "kind": "quality", "source": source,
            "severity": 4, "tier": "gold"});
        self.key.post("/v1/sla-policies/preview", preview).await.expect(200)["sla_policy_id"]
            .clone()
    }
}

#[tokio::test]
async fn the_highest_rank_is_followed_then_who_says_most_then_the_oldest() {
    let shop = Shop::opens().await;
    let (oldest, _) = shop.promises("oldest", 10, any(60)).await;
    shop.promises("younger", 10, any(60)).await;
    assert_eq!(shop.picks("phone").await, json!(oldest));
    let (severe, _) =
        shop.promises("severe", 10, for_those(json!({"severity_at_least": 4}), 30)).await;
    assert_eq!(shop.picks("phone").await, json!(severe));
    let gold = json!({"severity_at_least": 4, "tiers": ["gold"], "dealer_ids": [shop.dealer]});
    let (gold, _) = shop.promises("gold", 10, for_those(gold, 20)).await;
    assert_eq!(shop.picks("phone").await, json!(gold));
    let (group, version) =
        shop.promises("group", 11, for_those(json!({"sources": ["group"]}), 10)).await;
    assert_eq!(shop.picks("group").await, json!(group));
    assert_eq!(shop.picks("phone").await, json!(gold));
    // What was withdrawn is not followed any more.
    shop.key.post(&format!("/v1/sla-versions/{version}/retire"), json!({})).await.expect(200);
    assert_eq!(shop.picks("group").await, json!(gold));
    shop.key.post(&format!("/v1/sla-policies/{gold}/retire"), json!({})).await.expect(200);
    assert_eq!(shop.picks("group").await, json!(severe));
    shop.key.post(&format!("/v1/sla-policies/{gold}/reinstate"), json!({})).await.expect(200);
    assert_eq!(shop.picks("group").await, json!(gold));
}

#[tokio::test]
async fn a_policy_that_changes_leaves_the_clocks_that_run() {
    let shop = Shop::opens().await;
    let (policy, first) = shop.promises("all", 0, any(60)).await;
    let before = shop.complains().await.id();
    let second = shop.publishes(&policy, any(30)).await;
    let after = shop.complains().await.id();
    let (old, new) =
        (shop.clock(&before, "acknowledge").await, shop.clock(&after, "acknowledge").await);
    assert_eq!((&old["sla_version_id"], &new["sla_version_id"]), (&json!(first), &json!(second)));
    assert_eq!(
        (&old["due_at"], &new["due_at"]),
        (&json!("2026-01-05T02:00:00Z"), &json!("2026-01-05T01:30:00Z"))
    );
    let versions = shop.key.get(&format!("/v1/sla-policies/{policy}/versions")).await.expect(200);
    let states: Vec<_> = versions.data().iter().map(|version| version["state"].clone()).collect();
    assert_eq!(states, ["published", "retired"]);
    shop.key.post(&format!("/v1/sla-policies/{policy}/retire"), json!({})).await.expect(200);
    shop.house.pass_hours(1).await;
    assert_eq!(shop.clock(&before, "acknowledge").await["state"], "breached");
    assert_eq!(shop.complains().await["first_answer_due_at"], "2026-01-06T02:00:00Z");
}

#[tokio::test]
async fn a_published_version_is_never_changed() {
    let shop = Shop::opens().await;
    let (policy, version) = shop.promises("all", 0, any(60)).await;
    let path = format!("/v1/sla-versions/{version}");
    let read = shop.key.get(&path).await.expect(200);
    let change = shop.key.patch(&path, read.etag(), json!({"applies_to": {}})).await;
    assert_eq!(change.refused(409, "illegal_transition")["allowed_transitions"], json!(["retire"]));
    let draft =
        shop.key.post(&format!("/v1/sla-policies/{policy}/versions"), any(30)).await.expect(201);
    let path = format!("/v1/sla-versions/{}", draft.id());
    let changed =
        shop.key.patch(&path, draft.etag(), json!({"applies_to": {"kinds": ["billing"]}})).await;
    assert_eq!(changed.expect(200)["applies_to"]["kinds"], json!(["billing"]));
    shop.key.post(&format!("{path}/retire"), json!({})).await.refused(409, "illegal_transition");
    let policy = format!("/v1/sla-policies/{policy}");
    let read = shop.key.get(&policy).await.expect(200);
    assert_eq!(read["latest_number"], 2);
    let changed = shop.key.patch(&policy, read.etag(), json!({"rank": 1_000})).await.expect(200);
    assert_eq!(changed["rank"], 1_000);
    let too_high = shop.key.patch(&policy, changed.etag(), json!({"rank": 1_001})).await;
    too_high.refused(422, "invalid_body");
}

#[tokio::test]
async fn two_who_publish_at_once_leave_one_version_in_force() {
    let shop = Shop::opens().await;
    let policy = json!({"code": "all", "name": "all", "rank": 0});
    let policy = shop.key.post("/v1/sla-policies", policy).await.expect(201).id();
    let mut drafts = Vec::new();
    for minutes in [10, 20, 30] {
        let versions = format!("/v1/sla-policies/{policy}/versions");
        drafts.push(shop.key.post(&versions, any(minutes)).await.expect(201).id());
    }
    let publish =
        drafts.iter().map(|id| {
            let key = shop.key.clone();
            async move {
                key.post(&format!("/v1/sla-versions/{id}/publish"), json!({})).await.expect(200)
            }
        });
    futures::future::join_all(publish).await;
    let versions = shop.key.get(&format!("/v1/sla-policies/{policy}/versions")).await.expect(200);
    let in_force = versions.data().iter().filter(|version| version["state"] == "published");
    assert_eq!(in_force.count(), 1);
}

#[tokio::test]
async fn what_cannot_be_promised_is_refused() {
    let shop = Shop::opens().await;
    let policy = json!({"code": "all", "name": "all", "rank": 0});
    let taken = policy.clone();
    let policy = shop.key.post("/v1/sla-policies", policy).await.expect(201).id();
    shop.key.post("/v1/sla-policies", taken).await.refused(409, "already_exists");
    let versions = format!("/v1/sla-policies/{policy}/versions");
    let twice =
        json!({"targets": [target("decision", 60, json!({})), target("decision", 90, json!({}))]});
    let twice = shop.key.post(&versions, twice).await.refused(422, "sla_metric_repeated");
    assert_eq!(twice["metric"], "decision");
    let warned =
        |before: u32| only(target("decision", 60, json!({"warn_before_minutes": [before]})));
    let early =
        shop.key.post(&versions, warned(60)).await.refused(422, "sla_warning_beyond_target");
    assert_eq!((&early["within_minutes"], &early["warn_before_minutes"]), (&json!(60), &json!(60)));
    shop.key.post(&versions, warned(59)).await.expect(201);
    let share = only(target("decision", 60, json!({"warn_at_bp": [10_000]})));
    shop.key.post(&versions, share).await.refused(422, "invalid_body");
    shop.key.post(&versions, json!({"targets": []})).await.refused(422, "invalid_body");
    let nobody: domain::ids::DealerId = Uuid::now_v7().into();
    let foreign = for_those(json!({"dealer_ids": [shop.dealer, nobody]}), 60);
    let foreign = shop.key.post(&versions, foreign).await.refused(422, "unknown_reference");
    assert_eq!(foreign["errors"][0]["pointer"], "/applies_to/dealer_ids/1");

    // A dealer who is closed has no complaints.
    let closed = for_those(json!({"dealer_ids": [shop.dealer]}), 60);
    let closed = shop.key.post(&versions, closed).await.expect(201).id();
    let publish = format!("/v1/sla-versions/{closed}/publish");
    shop.key.post(&format!("/v1/dealers/{}/close", shop.dealer), json!({})).await.expect(200);
    let nothing = shop.key.post(&publish, json!({})).await;
    assert_eq!(
        nothing.refused(409, "sla_policy_matches_nothing")["dealer_ids"],
        json!([shop.dealer])
    );
    shop.key.post(&format!("/v1/dealers/{}/reopen", shop.dealer), json!({})).await.expect(200);
    shop.key.post(&format!("/v1/sla-policies/{policy}/retire"), json!({})).await.expect(200);
    let retired = shop.key.post(&publish, json!({})).await.refused(409, "sla_policy_retired");
    assert_eq!(retired["code"], "sla_policy_retired");
    shop.key.post(&format!("/v1/sla-policies/{policy}/reinstate"), json!({})).await.expect(200);
    shop.key.post(&publish, json!({})).await.expect(200);
}

#[tokio::test]
async fn a_fifty_first_policy_is_refused() {
    let shop = Shop::opens().await;
    for number in 0..50 {
        shop.promises(&format!("policy-{number}"), 0, any(60)).await;
    }
    let policy = json!({"code": "one-more", "name": "one-more", "rank": 0});
    let policy = shop.key.post("/v1/sla-policies", policy).await.expect(201).id();
    let versions = format!("/v1/sla-policies/{policy}/versions");
    let version = shop.key.post(&versions, any(60)).await.expect(201).id();
    let publish = format!("/v1/sla-versions/{version}/publish");
    let refused = shop.key.post(&publish, json!({})).await.refused(409, "too_many_sla_policies");
    assert_eq!(refused["most"], 50);
}
