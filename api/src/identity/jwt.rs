//! Tokens on the wire: signed, and read again only when the signature, the kind and the key are right.
//!
//! The algorithm is what the key says, never what the token says; keys named inside a token are not looked at.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    identity::{Claims, ForeignClaims, TokenAlgorithm},
    ids::SigningKeyId,
    web::WebAddress,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// The longest token that is looked at, in bytes: several times what any issuer sends, and less than a
/// header may have.
const MOST_TOKEN_BYTES: usize = 8 * 1_024;

/// The kind of token this service issues (RFC 9068), so that an ID token is never taken for one.
const ACCESS_TOKEN: &str = "at+jwt";

/// RSA keys below 2 048 bits can be broken; above 8 192 they only cost time.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// Why a token's outside is wrong. For the log: the caller reads the same answer for each.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JwtFault {
    /// It is longer than any issuer sends.
    #[error("too long")]
    TooLong,
    /// It is of another kind, or asks for something this service does not know.
    #[error("of another kind")]
    Kind,
    /// It names no key, or one that is not published (any more).
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The published key is not one for the algorithm that was agreed on, or too weak.
    #[error("the published key is unfit")]
    UnfitKey,
    /// It is not a token, or the signature is wrong.
    #[error("not a token of this key")]
    Forged(#[from] jsonwebtoken::errors::Error),
}

/// The key that signs now.
pub(crate) struct Signer {
    id: SigningKeyId,
    key: EncodingKey,
}

impl Signer {
    /// Takes an Ed25519 key (PKCS #8).
    pub(crate) fn new(id: SigningKeyId, pkcs8: &[u8]) -> Self {
        Self { id, key: EncodingKey::from_ed_der(pkcs8) }
    }

    /// Signs a token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, JwtFault> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(ACCESS_TOKEN.to_owned());
        header.kid = Some(self.id.to_string());
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }
}

/// A key with which tokens of this service can be verified, as everybody may read it (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PublicKey {
    /// The family of keys: always `OKP`.
    kty: &'static str,
    /// The curve: always `Ed25519`.
    crv: &'static str,
    /// What it is used for: always `sig`.
    #[serde(rename = "use")]
    purpose: &'static str,
    /// The algorithm: always `EdDSA`.
    alg: &'static str,
    /// Its name, which a token's header carries.
    kid: String,
    /// The public key itself, in base64url.
    x: String,
}

impl PublicKey {
    /// Publishes the public half of a key.
    pub(crate) fn new(id: SigningKeyId, public: &[u8]) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            purpose: "sig",
            alg: "EdDSA",
            kid: id.to_string(),
            x: URL_SAFE_NO_PAD.encode(public),
        }
    }
}

/// The keys with which tokens of this service can be verified, as everybody may read them (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(crate) struct PublicKeys {
    /// The key that signs, the one that signs next, and those whose last tokens still run.
    pub(crate) keys: Vec<PublicKey>,
}

impl PublicKeys {
    /// Whether the key named `kid` is published.
    pub(crate) fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid)
    }

    /// Reads a token of this service. Its time and audience are the caller's to judge.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, JwtFault> {
        let header = header(token)?;
        let kind = header.typ.as_deref().unwrap_or_default();
        if !kind.eq_ignore_ascii_case(ACCESS_TOKEN) {
            return Err(JwtFault::Kind);
        }
        let kid = header.kid.ok_or(JwtFault::UnknownKey)?;
        let key = self.keys.iter().find(|key| key.kid == kid).ok_or(JwtFault::UnknownKey)?;
        decode(token, &DecodingKey::from_ed_components(&key.x)?, Algorithm::EdDSA)
    }
}

/// Reads a token of a brand's own issuer, signed with one of the keys it publishes. Its issuer, time and
/// audience are the caller's to judge.
pub(crate) fn verify_foreign(
    token: &str,
    keys: &JwkSet,
    algorithm: TokenAlgorithm,
) -> Result<ForeignClaims, JwtFault> {
    let kid = header(token)?.kid;
    let key = match &kid {
        Some(kid) => keys.find(kid),
        // Without a name there must be no choice.
        None => keys.keys.first().filter(|_| keys.keys.len() == 1),
    };
    let key = key.ok_or(JwtFault::UnknownKey)?;
    if !is_fit(key, algorithm) {
        return Err(JwtFault::UnfitKey);
    }
    decode(token, &DecodingKey::from_jwk(key)?, named(algorithm))
}

/// The name of the key that a token says it was signed with.
pub(crate) fn key_name(token: &str) -> Option<String> {
    header(token).ok()?.kid
}

/// Who says to have issued a token, if an issuer can be called so. Only good for looking the issuer up: nothing
/// is verified yet.
pub(crate) fn issuer_name(token: &str) -> Option<WebAddress> {
    /// The one claim that is looked at.
    #[derive(Deserialize)]
    struct Says {
        iss: WebAddress,
    }
    header(token).ok()?;
    let says: Says = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    Some(says.iss)
}

/// What a token says about itself, once it is known that it asks for nothing special.
fn header(token: &str) -> Result<Header, JwtFault> {
    if token.len() > MOST_TOKEN_BYTES {
        return Err(JwtFault::TooLong);
    }
    let header = jsonwebtoken::decode_header(token)?;
    let is_plain = header.crit.is_none() && header.enc.is_none() && header.zip.is_none();
    if is_plain { Ok(header) } else { Err(JwtFault::Kind) }
}

fn decode<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<T, JwtFault> {
    // The library would ask the machine's clock; time and audience are judged by the domain.
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_required_spec_claims::<&str>(&[]);
    Ok(jsonwebtoken::decode(token, key, &validation)?.claims)
}

fn named(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::Eddsa => Algorithm::EdDSA,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Ps256 => Algorithm::PS256,
    }
}

/// Whether a published key is one for signatures with this algorithm, and strong enough.
fn is_fit(key: &Jwk, algorithm: TokenAlgorithm) -> bool {
    let is_for_signatures = key
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let is_for_algorithm =
        key.common.key_algorithm.is_none_or(|said| said == KeyAlgorithm::from(named(algorithm)));
    is_for_signatures && is_for_algorithm && is_of_family(&key.algorithm, algorithm)
}

fn is_of_family(parameters: &AlgorithmParameters, algorithm: TokenAlgorithm) -> bool {
    match (algorithm, parameters) {
        (TokenAlgorithm::Eddsa, AlgorithmParameters::OctetKeyPair(key)) => {
            key.curve == EllipticCurve::Ed25519
        }
        (TokenAlgorithm::Es256, AlgorithmParameters::EllipticCurve(key)) => {
            key.curve == EllipticCurve::P256
        }
        (TokenAlgorithm::Rs256 | TokenAlgorithm::Ps256, AlgorithmParameters::RSA(key)) => {
            let modulus = URL_SAFE_NO_PAD.decode(&key.n).unwrap_or_default();
            let digits = modulus.iter().skip_while(|byte| **byte == 0).count();
            RSA_MODULUS_BYTES.contains(&digits)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::AsDer,
        rand::SystemRandom,
        rsa::{KeySize, PrivateDecryptingKey},
        signature::{Ed25519KeyPair, KeyPair, RsaKeyPair},
    };
    use domain::identity::{Scope, TokenGrant, TokenSubject};
    use jsonwebtoken::EncodingKey;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn id(n: u128) -> SigningKeyId {
        Uuid::from_u128(n).into()
    }

    fn key_pair(n: u128) -> (Signer, PublicKey, Vec<u8>) {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let public = PublicKey::new(id(n), pair.public_key().as_ref());
        (Signer::new(id(n), pkcs8.as_ref()), public, pkcs8.as_ref().to_vec())
    }

    fn claims() -> Claims {
        let key = Uuid::from_u128(1).into();
        let grant = TokenGrant {
            subject: TokenSubject::Key(key),
            client: key,
            tenant: Uuid::from_u128(2).into(),
            scopes: [Scope::CustomersRead].into(),
        };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        Claims::issue("https://api.example.com", "one".to_owned(), &grant, now)
    }

    /// A token with this header, signed as `EdDSA` whatever the header says.
    fn with_header(header: &Value, pkcs8: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = serde_json::to_value(claims()).unwrap();
        let message = format!("{}.{}", part(header), part(&claims));
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
    }

    #[test]
    fn what_was_signed_is_read_again() {
        let (signer, public, _) = key_pair(1);
        let (_, next, _) = key_pair(2);
        let keys = PublicKeys { keys: vec![next, public] };
        let token = signer.sign(&claims()).unwrap();
        assert_eq!(keys.verify(&token).unwrap(), claims());
    }

    #[test]
    fn a_key_that_is_gone_verifies_nothing() {
        let (signer, _, _) = key_pair(1);
        let (_, other, _) = key_pair(2);
        let token = signer.sign(&claims()).unwrap();
        let gone = PublicKeys { keys: vec![other] }.verify(&token);
        assert!(matches!(gone, Err(JwtFault::UnknownKey)));
        let (_, same_name, _) = key_pair(1);
        let replaced = PublicKeys { keys: vec![same_name] }.verify(&token);
        assert!(matches!(replaced, Err(JwtFault::Forged(_))));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a list of forgeries")]
    fn forged_tokens_are_found() {
        let (signer, public, pkcs8) = key_pair(1);
        let x = public.x.clone();
        let keys = PublicKeys { keys: vec![public] };
        let kid = id(1).to_string();
        let fine = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid});
        assert!(keys.verify(&with_header(&fine, &pkcs8)).is_ok());

        let changes = [
            json!({"typ": "JWT"}),
            json!({"typ": null}),
            json!({"alg": "none"}),
            json!({"alg": "None"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES256"}),
            json!({"alg": "eddsa"}),
            json!({"alg": null}),
            json!({"kid": null}),
            json!({"kid": "sgn_unknown"}),
            json!({"kid": "../../keys"}),
            json!({"kid": 1}),
            json!({"crit": ["b64"], "b64": false}),
            json!({"crit": []}),
            json!({"zip": "DEF"}),
            json!({"enc": "A256GCM"}),
            json!({"kid": null, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}}),
            json!({"kid": "x", "jku": "https://evil.example/keys"}),
            json!({"kid": "x", "x5u": "https://evil.example/cert"}),
        ];
        for change in changes {
            let mut header = fine.clone();
            for (name, value) in change.as_object().unwrap() {
                header[name] = value.clone();
            }
            assert!(keys.verify(&with_header(&header, &pkcs8)).is_err(), "{change}");
        }

        let token = signer.sign(&claims()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let [head, body, signature] = parts[..] else { panic!("three parts") };
        // The public key as the secret of a symmetric signature.
        let symmetric = jsonwebtoken::encode(
            &Header { kid: Some(kid), typ: Some("at+jwt".to_owned()), ..Header::default() },
            &claims(),
            &EncodingKey::from_secret(x.as_bytes()),
        );
        let forged = [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            head.to_owned(),
            format!("{head}.{body}"),
            format!("{head}.{body}."),
            format!("{head}.{body}.{signature}."),
            format!("{head}.{body}.{signature}.{signature}"),
            format!("{head}.{body}.{signature}="),
            format!("{head}.{body}.{}", &signature[1..]),
            format!("{head}.{body}.{}", "A".repeat(signature.len())),
            format!("{head}.{body}A.{signature}"),
            format!("{head}..{signature}"),
            format!(".{body}.{signature}"),
            format!("{body}.{head}.{signature}"),
            format!("{head}.{body}.{signature}").replace('.', " "),
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("{token}é"),
            symmetric.unwrap(),
            "A".repeat(MOST_TOKEN_BYTES + 1),
        ];
        for token in forged {
            assert!(keys.verify(&token).is_err(), "{token}");
        }
    }

    #[test]
    fn a_token_is_looked_at_up_to_its_longest() {
        let most = "A".repeat(MOST_TOKEN_BYTES);
        assert!(matches!(header(&most), Err(JwtFault::Forged(_))));
        assert!(matches!(header(&format!("{most}A")), Err(JwtFault::TooLong)));
    }

    /// The public keys of a brand's issuer, and a token signed with the private one.
    fn foreign(size: KeySize, algorithm: Algorithm, changes: &Value) -> (JwkSet, String) {
        let private = PrivateDecryptingKey::generate(size).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&private).unwrap();
        let pair = RsaKeyPair::from_pkcs8(der.as_ref()).unwrap();
        let public = pair.public_key();
        let base_64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = json!({
            "kty": "RSA", "kid": "one", "use": "sig",
            "n": base_64(public.modulus().big_endian_without_leading_zero()),
            "e": base_64(public.exponent().big_endian_without_leading_zero()),
        });
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        let claims =
            json!({"iss": "https://login.example.com", "aud": "aftercare", "sub": "u-1", "exp": 1});
        let header = Header { kid: Some("one".to_owned()), ..Header::new(algorithm) };
        // PKCS #8 wraps the PKCS #1 key in 26 bytes; the encoder wants it bare.
        let signing = EncodingKey::from_rsa_der(&der.as_ref()[26..]);
        let token = jsonwebtoken::encode(&header, &claims, &signing).unwrap();
        (serde_json::from_value(json!({"keys": [key]})).unwrap(), token)
    }

    #[test]
    fn an_issuers_token_is_read_with_the_algorithm_that_was_agreed_on() {
        let (keys, token) = foreign(KeySize::Rsa2048, Algorithm::RS256, &json!({}));
        let claims = verify_foreign(&token, &keys, TokenAlgorithm::Rs256).unwrap();
        assert_eq!(claims.sub, "u-1");
        let other = verify_foreign(&token, &keys, TokenAlgorithm::Ps256);
        assert!(matches!(other, Err(JwtFault::Forged(_))));
        let other = verify_foreign(&token, &keys, TokenAlgorithm::Es256);
        assert!(matches!(other, Err(JwtFault::UnfitKey)));
        let nobody = verify_foreign(&token, &JwkSet::default(), TokenAlgorithm::Rs256);
        assert!(matches!(nobody, Err(JwtFault::UnknownKey)));
    }

    #[test]
    fn a_key_for_something_else_is_unfit() {
        for change in [json!({"use": "enc"}), json!({"alg": "RS512"}), json!({"n": "AQAB"})] {
            let (keys, token) = foreign(KeySize::Rsa2048, Algorithm::RS256, &change);
            let unfit = verify_foreign(&token, &keys, TokenAlgorithm::Rs256);
            assert!(matches!(unfit, Err(JwtFault::UnfitKey)), "{change}");
        }
    }

    #[test]
    fn a_token_without_a_key_name_needs_a_set_of_one() {
        let (signer, public, pkcs8) = key_pair(1);
        drop(signer);
        let jwk = |public: &PublicKey| serde_json::to_value(public).unwrap();
        let token = {
            let claims = json!({"iss": "https://a.example", "aud": ["a"], "sub": "u-1", "exp": 1});
            let header = Header::new(Algorithm::EdDSA);
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&pkcs8)).unwrap()
        };
        let one: JwkSet = serde_json::from_value(json!({"keys": [jwk(&public)]})).unwrap();
        assert!(verify_foreign(&token, &one, TokenAlgorithm::Eddsa).is_ok());
        let two = json!({"keys": [jwk(&public), jwk(&public)]});
        let two: JwkSet = serde_json::from_value(two).unwrap();
        let choice = verify_foreign(&token, &two, TokenAlgorithm::Eddsa);
        assert!(matches!(choice, Err(JwtFault::UnknownKey)));
    }
}
