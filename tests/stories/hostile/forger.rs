//! Somebody who knows everything about our tokens, and even holds the keys that sign them.

use crate::{
    house::House,
    identity::{SignInPlace, exchanges, makes_key, manager, secret},
};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// What somebody made up, and its name.
pub(crate) struct Forgery {
    pub(crate) name: String,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
}

/// A forgery that is shown as a bearer's.
pub(crate) fn bearer(name: &str, credential: &str) -> Forgery {
    header(name, &format!("Bearer {credential}"))
}

/// A forgery that is shown as this header.
pub(crate) fn header(name: &str, authorization: &str) -> Forgery {
    let headers = vec![("authorization", authorization.as_bytes().to_vec())];
    Forgery { name: name.to_owned(), headers }
}

/// A part of a token.
pub(crate) fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads a part of a token.
fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A new key of the forger's own.
pub(crate) fn own_key() -> Ed25519KeyPair {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
}

pub(crate) struct Forger {
    pub(crate) house: House,
    /// The brand, and another one.
    pub(crate) tenant: String,
    pub(crate) rival: String,
    /// The first key of the brand, one of the rival's, and the identifier of one.
    pub(crate) key: String,
    pub(crate) rival_key: String,
    pub(crate) key_id: String,
    /// A token of this service, and another.
    pub(crate) token: String,
    pub(crate) other_token: String,
    /// The key that signed both.
    pub(crate) pair: Ed25519KeyPair,
    /// Where the brand's people sign in; one of them is `u-1`.
    pub(crate) place: SignInPlace,
}

impl Forger {
    pub(crate) async fn opens() -> Self {
        let house = House::opens().await;
        let founded = house.founds("clearwater").await;
        let rival = house.founds("rival").await;
        let first = house.bearer(founded.live_key.reveal());
        let made = makes_key(&first, &["tenant:read"]).await.expect(201);
        let (token, other_token) = (exchanges(&house, &made).await, exchanges(&house, &made).await);
        let place = SignInPlace::opens().await;
        let issuer = first.post("/v1/issuers", place.details("eddsa")).await.expect(201);
        let (_, staff) = manager(&first).await;
        let path = format!("/v1/staff/{staff}");
        let read = first.get(&path).await;
        let signs_in = json!({"issuer_id": issuer.id(), "subject": "u-1"});
        first.patch(&path, read.etag(), signs_in).await.expect(200);
        let pair = signing_key(&house, &token).await;
        Self {
            tenant: founded.twins.live.to_string(),
            rival: rival.twins.live.to_string(),
            key: secret(&made),
            rival_key: rival.live_key.reveal().to_owned(),
            key_id: made.id(),
            token,
            other_token,
            pair,
            place,
            house,
        }
    }

    /// The three parts of the token.
    pub(crate) fn parts(&self) -> [&str; 3] {
        let parts: Vec<&str> = self.token.split('.').collect();
        parts.try_into().unwrap()
    }

    /// The head of the token, with changes; null takes a member away.
    pub(crate) fn head(&self, changes: &Value) -> Value {
        changed(read(self.parts()[0]), changes)
    }

    /// The claims of the token, with changes; null takes a member away.
    pub(crate) fn claims(&self, changes: &Value) -> Value {
        changed(read(self.parts()[1]), changes)
    }

    /// A token signed with the key of this service.
    pub(crate) fn signs(&self, head: &str, claims: &str) -> String {
        signs(&self.pair, head, claims)
    }
}

/// A forgery that is shown as a bearer's who says to come to this brand.
pub(crate) fn visitor(name: &str, token: &str, tenant: &str) -> Forgery {
    let mut forgery = bearer(name, token);
    forgery.headers.push(("aftercare-tenant", tenant.as_bytes().to_vec()));
    forgery
}

/// A token signed by this key.
pub(crate) fn signs(pair: &Ed25519KeyPair, head: &str, claims: &str) -> String {
    let message = format!("{}.{}", part(head), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token with a symmetric signature, made with what everybody may know.
pub(crate) fn signs_symmetrically(secret: &[u8], head: &str, claims: &str) -> String {
    let message = format!("{}.{}", part(head), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A public key as the document of keys writes it.
pub(crate) fn x(pair: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
}

fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

/// The private key that signed a token.
async fn signing_key(house: &House, token: &str) -> Ed25519KeyPair {
    let secret = store::secrets::SecretKey::from_text("a secret of many characters for stories");
    let secret = secret.unwrap();
    let head = read(token.split('.').next().unwrap());
    let keys = house.store.signing_keys(&secret).await.unwrap();
    let key = keys.iter().find(|key| head["kid"] == key.turn.id.to_string()).unwrap();
    Ed25519KeyPair::from_pkcs8(&key.private(&secret).unwrap()).unwrap()
}
