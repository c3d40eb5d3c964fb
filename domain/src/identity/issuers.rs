//! Where a brand's people sign in: the brand's own `OpenID` Connect issuer, whose tokens are accepted here.

use super::tokens::{CLOCK_SKEW_SECONDS, TokenFault};
use crate::{
    change::Change,
    ids::IssuerId,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, ExternalId, Name},
    time::Timestamp,
    web::{Loopback, WebAddress},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most issuers of one brand: its own, and those of its largest dealers.
pub const MOST_ISSUERS: usize = 10;

/// How tokens are signed. It is said once, here; what a token says about itself is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenAlgorithm {
    /// `EdDSA` with Ed25519.
    Eddsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// RSA with PKCS #1 v1.5 padding and SHA-256; keys of at least 2 048 bits.
    Rs256,
    /// RSA with PSS padding and SHA-256; keys of at least 2 048 bits.
    Ps256,
}

/// Whether an issuer's tokens are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssuerStatus {
    /// They are.
    Active,
    /// They are not.
    Disabled,
}

/// What a brand says about where its people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Clearwater sign-in", "issuer": "https://login.clearwater.example", "audience": "aftercare", "jwks_url": "https://login.clearwater.example/keys", "algorithm": "es256"})))]
#[serde(deny_unknown_fields)]
pub struct IssuerDetails {
    /// Its name for people.
    pub name: Name,
    /// What it calls itself: the `iss` of its tokens, to the letter. Unique within the brand.
    pub issuer: WebAddress,
    /// What it calls this service: a token must name it in `aud`.
    pub audience: ExternalId,
    /// Where its public keys are fetched.
    pub jwks_url: WebAddress,
    /// How it signs.
    pub algorithm: TokenAlgorithm,
}

/// Where a brand's people sign in. A token of it, together with the header `Aftercare-Tenant`, lets in the
/// person whose `issuer_id` and `subject` name this issuer and the token's `sub`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "iss_01m80t7jx3e9vbq2f4c6d8g0hk", "status": "active", "name": "Clearwater sign-in", "issuer": "https://login.clearwater.example", "audience": "aftercare", "jwks_url": "https://login.clearwater.example/keys", "algorithm": "es256", "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Issuer {
    /// Its identifier.
    pub id: IssuerId,
    /// Whether its tokens are accepted.
    pub status: IssuerStatus,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: IssuerDetails,
    /// How often it was changed.
    pub version: Version,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// A brand names more issuers than it can have.
pub(super) static TOO_MANY_ISSUERS: Rule = Rule {
    code: "too_many_issuers",
    kind: Kind::Conflict,
    title: Bilingual { en: "Too many issuers", zh: "签发者过多" },
    detail: Bilingual {
        en: "The brand has {count} issuers already; at most {most} are allowed.",
        zh: "该品牌已有 {count} 个签发者，最多允许 {most} 个。",
    },
    advice: Bilingual {
        en: "Change one that is not used any more.",
        zh: "请修改一个不再使用的签发者。",
    },
};

/// An address that cannot be called for a brand.
pub(super) static ADDRESS_NOT_PUBLIC: Rule = Rule {
    code: "address_not_public",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not a public address", zh: "非公网地址" },
    detail: Bilingual {
        en: "{url} is not on the public internet; only a development server calls its own machine.",
        zh: "{url} 不在公网上；仅开发服务器可调用本机。",
    },
    advice: Bilingual {
        en: "Give an https address that can be reached from the internet.",
        zh: "请提供可从互联网访问的 https 地址。",
    },
};

impl Issuer {
    /// Enters an issuer beside the `count` that the brand has.
    ///
    /// # Errors
    ///
    /// `too_many_issuers` beyond ten; `address_not_public` for this machine, where that is refused,
    /// and its neighbours.
    pub fn enter(
        id: IssuerId,
        details: IssuerDetails,
        count: usize,
        loopback: Loopback,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        check(&details, loopback)?;
        if count >= MOST_ISSUERS {
            return Err(Refusal::new(&TOO_MANY_ISSUERS)
                .with("count", count)
                .with("most", MOST_ISSUERS));
        }
        Ok(Change::created(Self {
            id,
            status: IssuerStatus::Active,
            details,
            version: Version::FIRST,
            created_at: now,
        }))
    }

    /// Changes what the brand says about it.
    ///
    /// # Errors
    ///
    /// `address_not_public` for this machine, where that is refused,
    /// and its neighbours.
    pub fn change(
        self,
        details: IssuerDetails,
        loopback: Loopback,
    ) -> Result<Change<Self>, Refusal> {
        check(&details, loopback)?;
        Ok(Change::edit("change", &self, |it| it.details = details))
    }

    /// Lets nobody in with its tokens, five seconds from now.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is disabled already.
    pub fn disable(self) -> Result<Change<Self>, Refusal> {
        self.turn("disable", IssuerStatus::Active, IssuerStatus::Disabled)
    }

    /// Accepts its tokens again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not disabled.
    pub fn enable(self) -> Result<Change<Self>, Refusal> {
        self.turn("enable", IssuerStatus::Disabled, IssuerStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        from: IssuerStatus,
        to: IssuerStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to))
    }

    /// Reads a token whose signature was found to be this issuer's: the subject it speaks for.
    ///
    /// # Errors
    ///
    /// The [`TokenFault`] that makes it worthless. Clocks may disagree by a minute.
    pub fn accept<'a>(
        &self,
        claims: &'a ForeignClaims,
        now: Timestamp,
    ) -> Result<&'a str, TokenFault> {
        let now = now.unix_seconds();
        if claims.iss != self.details.issuer.as_str() {
            return Err(TokenFault::Issuer);
        }
        if !claims.aud.names(&self.details.audience) {
            return Err(TokenFault::Audience);
        }
        if now >= claims.exp.saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(TokenFault::Expired);
        }
        let begins = claims.nbf.or(claims.iat).unwrap_or(now);
        if begins > now.saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(TokenFault::Early);
        }
        // What no person can be called is not looked up.
        let is_name = ExternalId::new(claims.sub.as_str()).is_ok();
        if is_name { Ok(&claims.sub) } else { Err(TokenFault::Subject) }
    }
}

/// What a token of a brand's issuer says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ForeignClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it is for.
    pub aud: Audiences,
    /// In whose name it speaks.
    pub sub: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it begins.
    #[serde(default)]
    pub nbf: Option<i64>,
    /// When it was issued.
    #[serde(default)]
    pub iat: Option<i64>,
}

/// Whom a token is for: one, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audiences {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audiences {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

impl IssuerStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["disable"],
            Self::Disabled => &["enable"],
        }
    }
}

fn check(details: &IssuerDetails, loopback: Loopback) -> Result<(), Refusal> {
    let addresses = [&details.issuer, &details.jwks_url];
    let unfit = addresses.into_iter().find(|address| !address.may_be_called(loopback));
    unfit.map_or(Ok(()), |url| Err(Refusal::new(&ADDRESS_NOT_PUBLIC).with("url", url)))
}

impl Record for Issuer {
    type Id = IssuerId;

    fn id(&self) -> IssuerId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests count with small numbers")]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn at(host: &str) -> IssuerDetails {
        IssuerDetails {
            name: "Sign-in".parse().unwrap(),
            issuer: format!("{host}/").parse().unwrap(),
            audience: "aftercare".parse().unwrap(),
            jwks_url: format!("{host}/keys").parse().unwrap(),
            algorithm: TokenAlgorithm::Es256,
        }
    }

    fn enters(host: &str, count: usize, loopback: Loopback) -> Result<Change<Issuer>, Refusal> {
        Issuer::enter(Uuid::from_u128(1).into(), at(host), count, loopback, now())
    }

    #[test]
    fn a_brand_has_up_to_ten_issuers() {
        let host = "https://login.example.com";
        assert!(enters(host, 9, Loopback::Refused).is_ok());
        let refusal = enters(host, 10, Loopback::Refused).unwrap_err();
        assert_eq!(refusal.rule.code, "too_many_issuers");
    }

    #[test]
    fn only_a_development_server_calls_itself() {
        assert!(enters("http://127.0.0.1:9000", 0, Loopback::Allowed).is_ok());
        for (host, server) in [
            ("http://127.0.0.1:9000", Loopback::Refused),
            ("https://192.168.1.1", Loopback::Refused),
            ("https://192.168.1.1", Loopback::Allowed),
        ] {
            let refusal = enters(host, 0, server).unwrap_err();
            assert_eq!(refusal.rule.code, "address_not_public", "{host}");
        }
    }

    #[test]
    fn a_disabled_issuer_can_only_be_enabled() {
        let issuer = enters("https://login.example.com", 0, Loopback::Refused).unwrap().record;
        assert!(issuer.clone().enable().is_err());
        let disabled = issuer.disable().unwrap().record;
        assert!(disabled.clone().disable().is_err());
        assert_eq!(disabled.enable().unwrap().record.status, IssuerStatus::Active);
    }

    fn claims(changes: &serde_json::Value) -> ForeignClaims {
        let mut claims = serde_json::json!({
            "iss": "https://login.example.com/",
            "aud": "aftercare",
            "sub": "u-1",
            "iat": now().unix_seconds(),
            "exp": now().unix_seconds() + 600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        serde_json::from_value(claims).unwrap()
    }

    fn accepts(changes: &serde_json::Value) -> Result<String, TokenFault> {
        let issuer = enters("https://login.example.com", 0, Loopback::Refused).unwrap().record;
        issuer.accept(&claims(changes), now()).map(str::to_owned)
    }

    #[test]
    fn a_token_speaks_for_its_subject_within_a_minute_of_skew() {
        let seconds = now().unix_seconds();
        assert_eq!(accepts(&serde_json::json!({})), Ok("u-1".to_owned()));
        assert!(accepts(&serde_json::json!({"aud": ["other", "aftercare"]})).is_ok());
        assert!(accepts(&serde_json::json!({"exp": seconds - 59})).is_ok());
        assert!(accepts(&serde_json::json!({"nbf": seconds + 60})).is_ok());
    }

    #[test]
    fn a_token_for_somebody_else_is_worthless() {
        let seconds = now().unix_seconds();
        let worthless = [
            (serde_json::json!({"iss": "https://login.example.com"}), TokenFault::Issuer),
            (serde_json::json!({"aud": "other"}), TokenFault::Audience),
            (serde_json::json!({"aud": []}), TokenFault::Audience),
            (serde_json::json!({"exp": seconds - 60}), TokenFault::Expired),
            (serde_json::json!({"nbf": seconds + 61}), TokenFault::Early),
            (serde_json::json!({"iat": seconds + 61}), TokenFault::Early),
            (serde_json::json!({"sub": ""}), TokenFault::Subject),
            (serde_json::json!({"sub": "u-1\u{0}"}), TokenFault::Subject),
        ];
        for (changes, fault) in worthless {
            assert_eq!(accepts(&changes), Err(fault), "{changes}");
        }
    }
}
