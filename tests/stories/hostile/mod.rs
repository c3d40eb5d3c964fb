//! What strangers try: forged credentials, and addresses that lead to us.

mod credentials;
mod forger;
mod tokens;

use crate::house::{House, Reply};
use forger::{Forger, Forgery};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What differs from answer to answer, and says nothing about why.
const OF_ONE_ANSWER: [&str; 2] = ["x-request-id", "date"];

/// What a stranger can tell one answer from another by.
fn features(reply: &Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut body = reply.body.clone();
    body["request_id"] = Value::Null;
    let headers = reply.headers.iter().filter(|(name, _)| !OF_ONE_ANSWER.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    (reply.status.as_u16(), body, headers)
}

/// Asks for the brand with what somebody made up.
async fn shows(house: &House, forgery: &Forgery) -> Reply {
    let stranger = house.stranger();
    let request = stranger.request(Method::GET, "/v1/brand");
    let headers = forgery.headers.iter();
    let request =
        headers.fold(request, |request, (name, value)| request.header(*name, value.as_slice()));
    stranger.send(request).await
}

/// Insists that each forgery reads what somebody without credentials reads.
async fn all_read_the_same(house: &House, forgeries: &[Forgery], least: usize) {
    let names: BTreeSet<_> = forgeries.iter().map(|forgery| &forgery.name).collect();
    assert_eq!(names.len(), forgeries.len(), "each form has a name of its own");
    assert!(forgeries.len() >= least, "{} forms", forgeries.len());
    let nobody = house.stranger().get("/v1/brand").await.refused(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"aftercare\"");
    let expected = features(&nobody);
    for forgery in forgeries {
        let reply = shows(house, forgery).await;
        assert_eq!(features(&reply), expected, "{}: {:?}", forgery.name, forgery.headers);
    }
}

#[tokio::test]
async fn forged_tokens_of_ours_all_read_the_same_answer() {
    let forger = Forger::opens().await;
    // The forger's tools work: what is not changed opens the brand.
    for fine in tokens::fine(&forger) {
        shows(&forger.house, &fine).await.expect(200);
    }
    all_read_the_same(&forger.house, &tokens::forged(&forger), 100).await;
}

#[tokio::test]
async fn forged_tokens_of_a_brands_issuer_all_read_the_same_answer() {
    let forger = Forger::opens().await;
    for fine in tokens::fine_of_an_issuer(&forger) {
        shows(&forger.house, &fine).await.expect(200);
    }
    all_read_the_same(&forger.house, &tokens::forged_of_an_issuer(&forger).await, 30).await;
}

#[tokio::test]
async fn forged_keys_and_strange_headers_all_read_the_same_answer() {
    let forger = Forger::opens().await;
    for fine in credentials::fine(&forger) {
        shows(&forger.house, &fine).await.expect(200);
    }
    all_read_the_same(&forger.house, &credentials::forged(&forger).await, 40).await;
}

#[tokio::test]
async fn addresses_that_lead_to_us_or_our_neighbours_are_not_entered() {
    let house = House::in_production().await;
    let founded = house.founds("clearwater").await;
    let key = house.bearer(founded.live_key.reveal());
    let corpus = include_str!("../../data/refused-addresses.json");
    let corpus: Vec<Value> = serde_json::from_str(corpus).unwrap();
    // Names are judged when they are called: where they lead may change.
    let forms = corpus.iter().filter(|form| form.get("leads_to").is_none());
    let forms: Vec<_> = forms.collect();
    assert!(forms.len() >= 120, "{} forms", forms.len());
    for form in forms {
        let url = form["url"].as_str().unwrap().replace("PORT", "8443");
        let details = json!({"name": "Sign-in", "issuer": "https://login.example.com",
            "audience": "aftercare", "jwks_url": url, "algorithm": "eddsa"});
        let refused = key.post("/v1/issuers", details).await.expect(422);
        let code = refused["code"].as_str().unwrap();
        let is_judged = code == "address_not_public"
            || (code == "invalid_body" && refused["errors"][0]["pointer"] == "/jwks_url");
        assert!(is_judged, "{}: {refused:?}", form["form"]);
    }
    assert!(key.get("/v1/issuers").await.expect(200).data().is_empty());
}
