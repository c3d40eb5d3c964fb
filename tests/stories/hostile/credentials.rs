//! Keys that are none, keys that were some, and headers that are strange.

use super::forger::{Forger, Forgery, bearer, header};
use crate::identity::{makes_key, pass_seconds, secret};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::tenancy::TenantMode;
use serde_json::json;
use store::key_text::KeyText;

/// Credentials that are as they should be.
pub(super) fn fine(forger: &Forger) -> Vec<Forgery> {
    let key = &forger.key;
    vec![
        bearer("as made", key),
        header("the scheme in lower case", &format!("bearer {key}")),
        header("the scheme in upper case", &format!("BEARER {key}")),
    ]
}

/// Credentials that open nothing.
pub(super) async fn forged(forger: &Forger) -> Vec<Forgery> {
    let parts = [keys(&forger.key), strange(forger), former(forger).await];
    parts.into_iter().flatten().collect()
}

/// A key, changed.
fn keys(key: &str) -> Vec<Forgery> {
    let (front, rest) = key.split_at("ak_live_".len());
    let (body, check) = rest.split_at(43);
    let swapped: String = key.chars().map(swap_case).collect();
    let unknown = KeyText::of(TenantMode::Live, &[7; 32]);
    let mut forged = vec![
        bearer("nothing", ""),
        bearer("the front alone", front),
        bearer("without a check", &format!("{front}{body}")),
        bearer("with the check of nought", &format!("{front}{body}000000")),
        bearer("the check alone", check),
        bearer("a front of the sandbox", &format!("ak_test_{rest}")),
        bearer("a front of another house", &format!("sk_live_{rest}")),
        bearer("a front in upper case", &format!("AK_LIVE_{rest}")),
        bearer("without a front", rest),
        bearer("a well-made key that is nobody's", unknown.reveal()),
        bearer("one character less", &key[..key.len() - 1]),
        bearer("one character more", &format!("{key}0")),
        bearer("a zero byte's escape behind", &format!("{key}%00")),
        bearer("twice", &format!("{key}{key}")),
        bearer("twice, with a comma", &format!("{key},{key}")),
        bearer("twice, with a space", &format!("{key} {key}")),
        bearer("in quotes", &format!("\"{key}\"")),
        bearer("in upper case", &key.to_uppercase()),
        bearer("in lower case", &key.to_lowercase()),
        bearer("upper and lower case swapped", &swapped),
        bearer("reversed", &key.chars().rev().collect::<String>()),
        bearer("very often", &key.repeat(100)),
        bearer("its fingerprint", &hexadecimal(&KeyText::read(key).unwrap().fingerprint())),
        bearer("a wildcard", "ak_live_%"),
        bearer("a piece of SQL", "ak_live_' OR '1'='1"),
    ];
    for place in (0..key.len()).step_by(4) {
        let mut changed = key.as_bytes().to_vec();
        changed[place] = if changed[place] == b'a' { b'b' } else { b'a' };
        let changed = String::from_utf8(changed).unwrap();
        forged.push(bearer(&format!("character {place} changed"), &changed));
    }
    forged
}

/// Headers that are no bearer's, or more than one.
fn strange(forger: &Forger) -> Vec<Forgery> {
    let (key, token) = (forger.key.as_str(), forger.token.as_str());
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    let line = |value: &str| ("authorization", format!("Bearer {value}").into_bytes());
    let several = |name: &str, values: &[&str]| Forgery {
        name: name.to_owned(),
        headers: values.iter().map(|value| line(value)).collect(),
    };
    let wide = [b"Bearer ".as_slice(), "ａｋ＿ｌｉｖｅ＿".as_bytes()].concat();
    vec![
        header("a header without anything", ""),
        header("the scheme alone", "Bearer"),
        header("no scheme", key),
        header("no space behind the scheme", &format!("Bearer{key}")),
        header("a tab behind the scheme", &format!("Bearer\t{key}")),
        header("a colon behind the scheme", &format!("Bearer: {key}")),
        header("the scheme twice", &format!("Bearer Bearer {key}")),
        header("scheme Basic, by its identifier", &format!("Basic {}", basic(&forger.key_id, key))),
        header("scheme Basic, as the user", &format!("Basic {}", basic(key, ""))),
        header("scheme Basic, unencoded", &format!("Basic {key}")),
        header("scheme Token", &format!("Token {token}")),
        header("scheme Digest", &format!("Digest username=\"{key}\"")),
        header("scheme DPoP", &format!("DPoP {token}")),
        header("scheme Negotiate", &format!("Negotiate {token}")),
        bearer("its identifier", &forger.key_id),
        bearer("the brand's identifier", &forger.tenant),
        several("two headers, the first right", &[key, "x"]),
        several("two headers, the second right", &["x", key]),
        several("two headers, both right", &[key, key]),
        several("two headers, of two brands", &[key, &forger.rival_key]),
        several("a key and a token", &[key, token]),
        Forgery { name: "letters beyond ASCII".to_owned(), headers: vec![("authorization", wide)] },
        Forgery {
            name: "in another header".to_owned(),
            headers: vec![("x-api-key", key.as_bytes().to_vec())],
        },
        Forgery {
            name: "in a cookie".to_owned(),
            headers: vec![("cookie", format!("authorization={key}").into_bytes())],
        },
    ]
}

/// Keys that opened the brand once.
async fn former(forger: &Forger) -> Vec<Forgery> {
    let house = &forger.house;
    let brand = house.brand_key(forger.tenant.parse().unwrap());
    let revoked = makes_key(&brand, &["tenant:read"]).await.expect(201);
    let revoke = format!("/v1/api-keys/{}/revoke", revoked.id());
    brand.post(&revoke, json!({})).await.expect(200);
    let expires_at = house.now().plus_seconds(1).to_string();
    let asked = json!({"name": "ERP", "scopes": ["tenant:read"], "expires_at": expires_at});
    let expired = brand.post("/v1/api-keys", asked).await.expect(201);
    let dealer = brand.post("/v1/dealers", json!({"code": "gone", "name": "x"})).await.id();
    let asked = json!({"name": "till", "dealer_id": dealer, "scopes": ["tenant:read"]});
    let closed = brand.post("/v1/api-keys", asked).await.expect(201);
    brand.post(&format!("/v1/dealers/{dealer}/close"), json!({})).await.expect(200);
    pass_seconds(house, 5);
    vec![
        bearer("a revoked key", &secret(&revoked)),
        bearer("an expired key", &secret(&expired)),
        bearer("a key of a closed dealer", &secret(&closed)),
    ]
}

fn swap_case(letter: char) -> char {
    if letter.is_ascii_uppercase() {
        letter.to_ascii_lowercase()
    } else {
        letter.to_ascii_uppercase()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
