//! The public keys of the brands' own issuers: fetched with care, kept for a while, asked for again when
//! a new one turns up.

use domain::{
    identity::Issuer,
    ids::IssuerId,
    time::Timestamp,
    web::{Loopback, WebAddress},
};
use guarded::{Bounds, CallFault, Client};
use jsonwebtoken::jwk::JwkSet;
use moka::future::Cache;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long published keys are believed before they are fetched again: short enough that a key withdrawn by
/// the brand is soon not accepted, long enough to be no burden to its server.
const FRESH_SECONDS: i64 = 600;

/// How long nothing is fetched again after an attempt, whatever unknown keys the tokens name.
const REST_SECONDS: i64 = 30;

/// How long keys are still used while their server does not answer.
const STALE_SECONDS: i64 = 6 * 3_600;

/// How many issuers' keys are kept.
const MOST_KEY_SETS: u64 = 10_000;

/// The most keys of one issuer that are looked at.
const MOST_KEYS: usize = 100;

/// What an issuer's server may take: it holds up somebody who signs in, and its longest answer is some dozens
/// of RSA keys with their certificates.
const BOUNDS: Bounds = Bounds {
    connect_within: Duration::from_secs(2),
    answer_within: Duration::from_secs(5),
    most_answer_bytes: 256 * 1_024,
};

/// HTTP's plain success. Nothing else is one.
const OK: u16 = 200;

/// Why an issuer's keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchFault {
    /// Its address did not answer, or was not called.
    #[error("the issuer's keys cannot be fetched")]
    Call(#[from] CallFault),
    /// The answer was not a plain success.
    #[error("the issuer answered {0}")]
    Status(u16),
    /// The answer was not a set of keys.
    #[error("the issuer's answer is not a set of keys")]
    Unusable,
    /// An attempt failed a moment ago.
    #[error("the issuer's keys could not be fetched a moment ago")]
    Resting,
}

/// The keys of all issuers that were met lately.
pub(crate) struct KeySets {
    client: Client,
    held: Cache<IssuerId, Arc<Mutex<Held>>>,
}

/// What is known of one issuer.
#[derive(Default)]
struct Held {
    address: Option<WebAddress>,
    keys: Option<(Arc<JwkSet>, Timestamp)>,
    tried_at: Option<Timestamp>,
}

impl KeySets {
    /// Prepares the client. On a development server, `loopback` lets it call this machine.
    pub(crate) fn new(loopback: Loopback) -> Result<Self, CallFault> {
        let client = Client::open(BOUNDS, loopback)?;
        Ok(Self { client, held: Cache::new(MOST_KEY_SETS) })
    }

    /// The keys that `issuer` publishes. They are fetched when they are unknown or old, or when `kid` is not
    /// among them; by one request at a time for each issuer.
    pub(crate) async fn of(
        &self,
        issuer: &Issuer,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, FetchFault> {
        let held = self.held.get_with(issuer.id, async { Arc::default() }).await;
        let mut held = held.lock().await;
        let address = &issuer.details.jwks_url;
        if held.address.as_ref() != Some(address) {
            *held = Held { address: Some(address.clone()), ..Held::default() };
        }
        if let Some(keys) = held.known(kid, now) {
            return Ok(keys);
        }
        if held.is_resting(now) {
            return held.usable(now).ok_or(FetchFault::Resting);
        }
        held.tried_at = Some(now);
        match self.fetch(address).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                held.keys = Some((Arc::clone(&keys), now));
                Ok(keys)
            }
            Err(fault) => {
                tracing::warn!(issuer.id = %issuer.id, fault = %fault, "an issuer's keys cannot be fetched");
                held.usable(now).ok_or(fault)
            }
        }
    }

    async fn fetch(&self, address: &WebAddress) -> Result<JwkSet, FetchFault> {
        let answer = self.client.get(address, "application/json").await?;
        if answer.status != OK {
            return Err(FetchFault::Status(answer.status));
        }
        let keys: JwkSet =
            serde_json::from_slice(&answer.body).map_err(|_| FetchFault::Unusable)?;
        if keys.keys.len() > MOST_KEYS { Err(FetchFault::Unusable) } else { Ok(keys) }
    }
}

impl Held {
    /// Fresh keys, if `kid` is among them.
    fn known(&self, kid: Option<&str>, now: Timestamp) -> Option<Arc<JwkSet>> {
        let (keys, fetched_at) = self.keys.as_ref()?;
        let is_fresh = now.seconds_since(*fetched_at) < FRESH_SECONDS;
        let has = kid.is_none_or(|kid| keys.find(kid).is_some());
        (is_fresh && has).then(|| Arc::clone(keys))
    }

    /// The last keys, if they are not too old.
    fn usable(&self, now: Timestamp) -> Option<Arc<JwkSet>> {
        let (keys, fetched_at) = self.keys.as_ref()?;
        (now.seconds_since(*fetched_at) < STALE_SECONDS).then(|| Arc::clone(keys))
    }

    fn is_resting(&self, now: Timestamp) -> bool {
        self.tried_at.is_some_and(|tried_at| now.seconds_since(tried_at) < REST_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, http::StatusCode, routing::get};
    use domain::identity::{IssuerDetails, TokenAlgorithm};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::net::TcpListener;
    use uuid::Uuid;

    fn at(seconds: i64) -> Timestamp {
        "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap().plus_seconds(seconds)
    }

    fn issuer(jwks_url: &str) -> Issuer {
        let details = IssuerDetails {
            name: "Sign-in".parse().unwrap(),
            issuer: "https://login.example.com".parse().unwrap(),
            audience: "aftercare".parse().unwrap(),
            jwks_url: jwks_url.parse().unwrap(),
            algorithm: TokenAlgorithm::Eddsa,
        };
        let id = Uuid::from_u128(1).into();
        Issuer::enter(id, details, 0, Loopback::Allowed, at(0)).unwrap().record
    }

    /// A server of keys that counts how often it is asked, and its address.
    async fn server(answer: (StatusCode, String)) -> (String, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let answers = get(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            async move { answer }
        });
        let elsewhere = get(|| async { axum::response::Redirect::temporary("/keys") });
        let router = Router::new().route("/keys", answers).route("/elsewhere", elsewhere);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "an issuer of the test's own")]
        tokio::task::spawn(async move { axum::serve(listener, router).await });
        (address, asked)
    }

    fn keys(kid: &str) -> (StatusCode, String) {
        let key = format!(r#"{{"kty": "OKP", "crv": "Ed25519", "kid": "{kid}", "x": "AA"}}"#);
        (StatusCode::OK, format!(r#"{{"keys": [{key}]}}"#))
    }

    #[tokio::test]
    async fn keys_are_fetched_once_while_they_are_fresh() {
        let (address, asked) = server(keys("one")).await;
        let issuer = issuer(&format!("{address}/keys"));
        let sets = KeySets::new(Loopback::Allowed).unwrap();
        for second in [0, 1, FRESH_SECONDS - 1] {
            let found = sets.of(&issuer, Some("one"), at(second)).await.unwrap();
            assert!(found.find("one").is_some());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        sets.of(&issuer, Some("one"), at(FRESH_SECONDS)).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_unknown_key_is_asked_for_but_not_time_and_again() {
        let (address, asked) = server(keys("one")).await;
        let issuer = issuer(&format!("{address}/keys"));
        let sets = KeySets::new(Loopback::Allowed).unwrap();
        for second in [0, 1, REST_SECONDS - 1] {
            let found = sets.of(&issuer, Some("two"), at(second)).await.unwrap();
            assert!(found.find("two").is_none());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        sets.of(&issuer, Some("two"), at(REST_SECONDS)).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_server_of_nonsense_is_refused_and_left_alone() {
        let long = format!(r#"{{"keys": [], "x": "{}"}}"#, "x".repeat(BOUNDS.most_answer_bytes));
        let many = vec![r#"{"kty": "OKP", "crv": "Ed25519", "x": "AA"}"#; MOST_KEYS + 1];
        let many = format!(r#"{{"keys": [{}]}}"#, many.join(", "));
        for answer in [
            (StatusCode::OK, "nonsense".to_owned()),
            (StatusCode::OK, long),
            (StatusCode::OK, many),
            (StatusCode::INTERNAL_SERVER_ERROR, keys("one").1),
            (StatusCode::CREATED, keys("one").1),
        ] {
            let (address, asked) = server(answer).await;
            let issuer = issuer(&format!("{address}/keys"));
            let sets = KeySets::new(Loopback::Allowed).unwrap();
            assert!(sets.of(&issuer, None, at(0)).await.is_err());
            let again = sets.of(&issuer, None, at(1)).await;
            assert!(matches!(again, Err(FetchFault::Resting)));
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let (address, asked) = server(keys("one")).await;
        let issuer = issuer(&format!("{address}/elsewhere"));
        let fetched = KeySets::new(Loopback::Allowed).unwrap().of(&issuer, None, at(0)).await;
        assert!(matches!(fetched, Err(FetchFault::Status(307))));
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn keys_are_used_on_while_their_server_is_away() {
        let mut held = Held {
            keys: Some((Arc::default(), at(0))),
            tried_at: Some(at(FRESH_SECONDS)),
            address: None,
        };
        assert!(held.known(None, at(FRESH_SECONDS)).is_none());
        assert!(held.usable(at(STALE_SECONDS - 1)).is_some());
        assert!(held.usable(at(STALE_SECONDS)).is_none());
        held.keys = None;
        assert!(held.usable(at(0)).is_none());
    }
}
