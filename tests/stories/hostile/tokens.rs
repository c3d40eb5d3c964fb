//! Forged tokens: of this service, and of a brand's own issuer.

use super::forger::{
    Forger, Forgery, bearer, own_key, part, signs, signs_symmetrically, visitor, x,
};
use crate::identity::SignInPlace;
use aws_lc_rs::signature::KeyPair as _;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;

/// Tokens of this service that are as they should be.
pub(super) fn fine(forger: &Forger) -> Vec<Forgery> {
    let nothing = json!({});
    let (head, claims) = (forger.head(&nothing), forger.claims(&nothing));
    let again = forger.signs(&head.to_string(), &claims.to_string());
    vec![bearer("as issued", &forger.token), bearer("signed again", &again)]
}

/// Tokens of this service that somebody made or changed.
pub(super) fn forged(forger: &Forger) -> Vec<Forgery> {
    let parts = [heads(forger), symmetric(forger), claims(forger), written(forger)];
    parts.into_iter().flatten().chain(signatures(forger)).chain(shapes(forger)).collect()
}

/// Another head over the same claims; signed with our own key, and once more not at all.
fn heads(forger: &Forger) -> Vec<Forgery> {
    let stranger = x(&own_key());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": stranger});
    let evil = "https://evil.example/keys";
    let changes = [
        json!({"alg": "none"}),
        json!({"alg": "None"}),
        json!({"alg": "NONE"}),
        json!({"alg": "nOnE"}),
        json!({"alg": ""}),
        json!({"alg": null}),
        json!({"alg": 0}),
        json!({"alg": ["EdDSA"]}),
        json!({"alg": "eddsa"}),
        json!({"alg": "EdDSA "}),
        json!({"alg": "Ed25519ph"}),
        json!({"alg": "HS256"}),
        json!({"alg": "HS512"}),
        json!({"alg": "RS256"}),
        json!({"alg": "PS256"}),
        json!({"alg": "ES256"}),
        json!({"alg": "ES256K"}),
        json!({"alg": "dir", "enc": "A256GCM"}),
        json!({"typ": "JWT"}),
        json!({"typ": null}),
        json!({"typ": 1}),
        json!({"cty": "JWT", "typ": "JWT"}),
        json!({"kid": null}),
        json!({"kid": ""}),
        json!({"kid": 1}),
        json!({"kid": ["a"]}),
        json!({"kid": "sgn_01h455vb4pex5vsknk084sn02q"}),
        json!({"kid": "sgn_"}),
        json!({"kid": "../../../../dev/null"}),
        json!({"kid": "sgn_../../../../etc/passwd"}),
        json!({"kid": "sgn_' OR '1'='1"}),
        json!({"kid": "sgn_x'; DROP TABLE job; --"}),
        json!({"kid": "sgn_\u{0}"}),
        json!({"kid": format!("sgn_{}", "0".repeat(4_000))}),
        json!({"kid": evil}),
        json!({"kid": null, "jwk": jwk}),
        json!({"kid": null, "jku": evil}),
        json!({"kid": null, "x5u": evil}),
        json!({"kid": null, "x5c": ["MIIB"]}),
        json!({"kid": "sgn_01h455vb4pex5vsknk084sn02q", "jwk": jwk, "jku": evil}),
        json!({"crit": ["exp"]}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": []}),
        json!({"zip": "DEF"}),
        json!({"enc": "A256GCM"}),
    ];
    let claims = forger.claims(&json!({})).to_string();
    let signed = changes.iter().map(|change| {
        let token = forger.signs(&forger.head(change).to_string(), &claims);
        bearer(&format!("head {change}"), &token)
    });
    let unsigned = changes.iter().take(5).map(|change| {
        let head = part(&forger.head(change).to_string());
        bearer(&format!("head {change}, unsigned"), &format!("{head}.{}.", part(&claims)))
    });
    signed.chain(unsigned).collect()
}

/// The public key, however one may write it, as the secret of a symmetric signature.
fn symmetric(forger: &Forger) -> Vec<Forgery> {
    let head = forger.head(&json!({"alg": "HS256"})).to_string();
    let claims = forger.claims(&json!({})).to_string();
    let raw = forger.pair.public_key().as_ref().to_vec();
    // RFC 8410: what stands before the 32 bytes of a key.
    let prefix: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = [prefix.as_slice(), &raw].concat();
    let armour = ["-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"];
    let pem = format!("{}\n{}\n{}\n", armour[0], STANDARD.encode(&der), armour[1]);
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x(&forger.pair)}).to_string();
    let secrets: [(&str, Vec<u8>); 7] = [
        ("its bytes", raw),
        ("its x", x(&forger.pair).into_bytes()),
        ("its DER", der),
        ("its PEM", pem.into_bytes()),
        ("its JWK", jwk.into_bytes()),
        ("nothing", Vec::new()),
        ("a word", b"secret".to_vec()),
    ];
    let token = |secret: &[u8]| signs_symmetrically(secret, &head, &claims);
    let forged = secrets
        .iter()
        .map(|(name, secret)| bearer(&format!("HS256 with {name} as the secret"), &token(secret)));
    forged.collect()
}

/// Other claims under our own signature.
fn claims(forger: &Forger) -> Vec<Forgery> {
    let now = forger.house.now().unix_seconds();
    let unknown = "01h455vb4pex5vsknk084sn02q";
    let changes = [
        json!({"exp": now}),
        json!({"exp": now - 86_400}),
        json!({"exp": 0}),
        json!({"exp": -1}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"exp": (now + 600).to_string()}),
        json!({"exp": 1.0e300}),
        json!({"exp": 18_446_744_073_709_551_615_u64}),
        json!({"exp": 9_223_372_036_854_775_807_i64}),
        json!({"exp": now + 86_400}),
        json!({"exp": [now + 600]}),
        json!({"iat": now + 61, "exp": now + 600}),
        json!({"iat": now + 86_400, "exp": now + 86_400 + 900}),
        json!({"iat": -9_223_372_036_854_775_808_i64}),
        json!({"iat": null}),
        json!({"iat": "now"}),
        json!({"aud": "https://other.example"}),
        json!({"aud": null}),
        json!({"aud": ""}),
        json!({"aud": 1}),
        json!({"aud": ["https://other.example"]}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": null}),
        json!({"iss": {"a": 1}}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 1}),
        json!({"sub": format!("cus_{unknown}")}),
        json!({"sub": format!("stf_{unknown}")}),
        json!({"sub": "operator"}),
        json!({"client_id": null}),
        json!({"client_id": format!("key_{unknown}")}),
        json!({"client_id": 7}),
        json!({"tenant": null}),
        json!({"tenant": forger.rival}),
        json!({"tenant": "*"}),
        json!({"tenant": [forger.tenant, forger.rival]}),
        json!({"scope": null}),
        json!({"scope": 1}),
        json!({"scope": ["tenant:read"]}),
        json!({"jti": null}),
    ];
    let head = forger.head(&json!({})).to_string();
    let forged = changes.iter().map(|change| {
        let token = forger.signs(&head, &forger.claims(change).to_string());
        bearer(&format!("claims {change}"), &token)
    });
    forged.collect()
}

/// Heads and claims as no serialiser writes them, under our own signature.
fn written(forger: &Forger) -> Vec<Forgery> {
    let (head, claims) =
        (forger.head(&json!({})).to_string(), forger.claims(&json!({})).to_string());
    let twice = |text: &str, first: &str| format!("{{{first},{}", &text[1..]);
    let forged = [
        ("alg twice", twice(&head, r#""alg":"none""#), claims.clone()),
        ("kid twice", twice(&head, r#""kid":"x""#), claims.clone()),
        ("scope twice", head.clone(), twice(&claims, r#""scope":"tenant:write""#)),
        ("tenant twice", head.clone(), twice(&claims, &format!(r#""tenant":"{}""#, forger.rival))),
        ("exp twice", head.clone(), twice(&claims, r#""exp":4000000000"#)),
        ("claims null", head.clone(), "null".to_owned()),
        ("claims a number", head.clone(), "1".to_owned()),
        ("claims a list", head.clone(), format!("[{claims}]")),
        ("claims a text", head.clone(), json!(claims).to_string()),
        ("claims empty", head.clone(), String::new()),
        ("claims cut", head.clone(), claims[..claims.len() - 1].to_owned()),
        ("claims and more", head.clone(), format!("{claims}{claims}")),
        (
            "claims nested deeply",
            head.clone(),
            format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)),
        ),
        ("a token inside", head.clone(), forger.token.clone()),
        ("a token inside, as a text", head.clone(), json!(forger.token).to_string()),
        ("head null", "null".to_owned(), claims.clone()),
        ("head a list", format!("[{head}]"), claims.clone()),
        ("head empty", String::new(), claims.clone()),
        ("head cut", head[..head.len() - 1].to_owned(), claims),
    ];
    let forged = forged.iter();
    forged.map(|(name, head, claims)| bearer(name, &forger.signs(head, claims))).collect()
}

fn signatures(forger: &Forger) -> Vec<Forgery> {
    let [head, body, signature] = forger.parts();
    let other = forger.other_token.rsplit('.').next().unwrap();
    let (fine, claims) =
        (forger.head(&json!({})).to_string(), forger.claims(&json!({})).to_string());
    let mut bits = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bits[0] ^= 1;
    let flipped = URL_SAFE_NO_PAD.encode(&bits);
    // The last of 86 characters carries two bits; the other four must be nought.
    let loose = format!("{}{}", &signature[..85], next_letter(&signature[85..]));
    let under = |signature: &str| format!("{head}.{body}.{signature}");
    vec![
        bearer("signature stripped", &format!("{head}.{body}")),
        bearer("signature empty", &under("")),
        bearer("signature of another token", &under(other)),
        bearer("signature of nought", &under(&"A".repeat(86))),
        bearer("signature cut", &under(&signature[..80])),
        bearer("signature longer", &under(&format!("{signature}AAAA"))),
        bearer("signature with one bit flipped", &under(&flipped)),
        bearer("signature with loose bits", &under(&loose)),
        bearer("signature padded", &under(&format!("{signature}=="))),
        bearer("signature of a stranger", &signs(&own_key(), &fine, &claims)),
        bearer("signature as text", &under(&part(signature))),
    ]
}

/// The letter whose lowest bit is another.
fn next_letter(letter: &str) -> char {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    LETTERS.chars().nth(LETTERS.find(letter).unwrap() ^ 1).unwrap()
}

fn shapes(forger: &Forger) -> Vec<Forgery> {
    let (token, [head, body, signature]) = (&forger.token, forger.parts());
    let flattened = json!({"protected": head, "payload": body, "signature": signature});
    let general = json!({"payload": body,
        "signatures": [{"protected": head, "signature": signature}]});
    let long = forger.signs(
        &forger.head(&json!({})).to_string(),
        &forger.claims(&json!({"more": "x".repeat(8_192)})).to_string(),
    );
    vec![
        bearer("one part", head),
        bearer("dots", ".."),
        bearer("four parts", &format!("{token}.{signature}")),
        bearer("five parts, as if encrypted", &format!("{head}..{body}.{signature}.")),
        bearer("a dot before", &format!(".{token}")),
        bearer("a dot behind", &format!("{token}.")),
        bearer("parts exchanged", &format!("{body}.{head}.{signature}")),
        bearer("no claims", &format!("{head}..{signature}")),
        bearer("spaces for dots", &token.replace('.', " ")),
        bearer("a space within", &format!("{head}. {body}.{signature}")),
        bearer("a tab within", &format!("{head}.\t{body}.{signature}")),
        bearer("claims padded", &format!("{head}.{body}=.{signature}")),
        bearer("not base64", &format!("{head}.!{body}.{signature}")),
        bearer("more behind", &format!("{token}x")),
        bearer("another token behind", &format!("{token},{token}")),
        bearer("as JSON, flattened", &flattened.to_string()),
        bearer("as JSON, general", &general.to_string()),
        bearer("in quotes", &format!("\"{token}\"")),
        bearer("encoded once more", &part(token)),
        bearer("longer than any", &long),
        bearer("in upper case", &token.to_uppercase()),
    ]
}

/// Tokens of the brand's issuer that are as they should be.
pub(super) fn fine_of_an_issuer(forger: &Forger) -> Vec<Forgery> {
    let token = forger.place.token(&forger.house, &json!({}));
    vec![visitor("as issued", &token, &forger.tenant)]
}

/// Tokens that the brand's issuer, or somebody in its place, should not have issued.
pub(super) async fn forged_of_an_issuer(forger: &Forger) -> Vec<Forgery> {
    let now = forger.house.now().unix_seconds();
    let changes = [
        json!({"exp": now - 60}),
        json!({"exp": 0}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"exp": -9_223_372_036_854_775_808_i64}),
        json!({"nbf": now + 61}),
        json!({"nbf": 9_223_372_036_854_775_807_i64}),
        json!({"nbf": "now"}),
        json!({"iat": now + 61}),
        json!({"iat": now + 1_000_000}),
        json!({"aud": "other"}),
        json!({"aud": ["other", "another"]}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"aud": "AFTERCARE"}),
        json!({"aud": {"aftercare": true}}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": null}),
        json!({"iss": ""}),
        json!({"iss": "\u{0}"}),
        json!({"iss": 1}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 1}),
        json!({"sub": "u-2"}),
        json!({"sub": "U-1"}),
        json!({"sub": "u-1 "}),
        json!({"sub": "u-1\u{0}"}),
    ];
    let place = &forger.place;
    let forged = changes.iter().map(|change| {
        let token = place.token(&forger.house, change);
        visitor(&format!("claims {change}"), &token, &forger.tenant)
    });
    let mut forged: Vec<_> = forged.collect();
    let token = place.token(&forger.house, &json!({}));
    forged.push(bearer("to no brand", &token));
    forged.push(visitor("to another brand", &token, &forger.rival));
    forged.push(other_brands_issuer(forger).await);
    forged.extend(heads_of_an_issuer(forger, &token));
    forged
}

/// Another head over the claims of a token that is as it should be.
fn heads_of_an_issuer(forger: &Forger, token: &str) -> Vec<Forgery> {
    let mut forged = Vec::new();
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, signature] = parts[..] else { panic!("a token has three parts") };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let heads = [
        json!({"alg": "none", "kid": "one"}),
        json!({"alg": "HS256", "kid": "one"}),
        json!({"alg": "ES256", "kid": "one"}),
        json!({"alg": "EdDSA", "kid": "two"}),
        json!({"alg": "EdDSA", "kid": "../one"}),
        json!({"alg": "EdDSA", "kid": "one", "crit": ["exp"]}),
    ];
    for head in &heads {
        let name = |how: &str| format!("head {head}, {how}");
        let head = head.to_string();
        let tokens = [
            ("unsigned", format!("{}.{claims}.", part(&head))),
            ("with the old signature", format!("{}.{claims}.{signature}", part(&head))),
            (
                "signed with the public key",
                signs_symmetrically(forger.place.x().as_bytes(), &head, &text),
            ),
            ("signed by a stranger", signs(&own_key(), &head, &text)),
        ];
        let visits = |(how, token): &(&str, String)| visitor(&name(how), token, &forger.tenant);
        forged.extend(tokens.iter().map(visits));
    }
    forged
}

/// A token that another brand's issuer signs rightly, for a person of this brand.
async fn other_brands_issuer(forger: &Forger) -> Forgery {
    let theirs = SignInPlace::opens().await;
    let rival = forger.house.bearer(&forger.rival_key);
    rival.post("/v1/issuers", theirs.details("eddsa")).await.expect(201);
    let token = theirs.token(&forger.house, &json!({}));
    visitor("of another brand's issuer", &token, &forger.tenant)
}
