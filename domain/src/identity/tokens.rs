//! Access tokens: what one says, how long it lasts, and what may be asked for.

use super::{Scope, Staff, StaffStatus};
use crate::{
    ids::{ApiKeyId, StaffId, TenantId},
    refusal::{Kind, Refusal, Rule, illegal},
    tenancy::TenantMode,
    text::Bilingual,
    time::Timestamp,
    web::Loopback,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// How long a token lasts: short, because a stolen one cannot be called back but by its key.
pub const TOKEN_LIFE_SECONDS: i64 = 15 * 60;

/// How far another server's clock may be ahead of ours or behind it.
pub const CLOCK_SKEW_SECONDS: i64 = 60;

/// In whose name a token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenSubject {
    /// A program of the brand, by its key.
    Key(ApiKeyId),
    /// A person.
    Staff(StaffId),
}

impl fmt::Display for TokenSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Staff(id) => id.fmt(f),
        }
    }
}

impl FromStr for TokenSubject {
    type Err = crate::invalid::Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Key).or_else(|_| text.parse().map(Self::Staff))
    }
}

/// What a token of ours says (RFC 9068).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: this service's public address.
    pub iss: String,
    /// Whom it is for: this service's API.
    pub aud: String,
    /// In whose name it speaks: a key or a person.
    pub sub: String,
    /// The key it was issued to.
    pub client_id: ApiKeyId,
    /// The brand it opens.
    pub tenant: TenantId,
    /// What it may do, with spaces between.
    pub scope: String,
    /// Its own name.
    pub jti: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

/// Whom a token is issued to, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// In whose name it speaks.
    pub subject: TokenSubject,
    /// The key that asked for it.
    pub client: ApiKeyId,
    /// The brand it opens.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

/// Why a token is not accepted. For the log: the caller reads the same answer for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come.
    #[error("not valid yet")]
    Early,
    /// It lasts longer than we ever issue one for.
    #[error("lasts too long")]
    TooLong,
    /// Somebody else issued it.
    #[error("another issuer's")]
    Issuer,
    /// It is for somebody else.
    #[error("for another audience")]
    Audience,
    /// It names no subject of ours.
    #[error("without a subject")]
    Subject,
}

impl Claims {
    /// Writes a token that `address` issues for itself and that lasts fifteen minutes from `now`.
    pub fn issue(address: &str, jti: String, grant: &TokenGrant, now: Timestamp) -> Self {
        let iat = now.unix_seconds();
        Self {
            iss: address.to_owned(),
            aud: address.to_owned(),
            sub: grant.subject.to_string(),
            client_id: grant.client,
            tenant: grant.tenant,
            scope: spoken(&grant.scopes),
            jti,
            iat,
            exp: iat.saturating_add(TOKEN_LIFE_SECONDS),
        }
    }

    /// Reads a token whose signature was found to be ours; the second at which it ends is too late.
    ///
    /// Scopes that this version does not know are left out: a token outlives an upgrade, and a permission
    /// that is gone cannot be used.
    ///
    /// # Errors
    ///
    /// The [`TokenFault`] that makes it worthless.
    pub fn accept(&self, address: &str, now: Timestamp) -> Result<TokenGrant, TokenFault> {
        self.hold(address, now)?;
        let subject = self.sub.parse().map_err(|_| TokenFault::Subject)?;
        let scopes = self.scope.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        Ok(TokenGrant { subject, client: self.client_id, tenant: self.tenant, scopes })
    }

    /// Whether a token that was accepted before is still good.
    ///
    /// # Errors
    ///
    /// The [`TokenFault`] that makes it worthless.
    pub fn hold(&self, address: &str, now: Timestamp) -> Result<(), TokenFault> {
        if self.iss != address {
            return Err(TokenFault::Issuer);
        }
        if self.aud != address {
            return Err(TokenFault::Audience);
        }
        if now.unix_seconds() >= self.exp {
            return Err(TokenFault::Expired);
        }
        if self.iat > now.unix_seconds().saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(TokenFault::Early);
        }
        if self.exp.saturating_sub(self.iat) > TOKEN_LIFE_SECONDS {
            return Err(TokenFault::TooLong);
        }
        Ok(())
    }
}

/// Scopes as tokens write them.
pub fn spoken(scopes: &BTreeSet<Scope>) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

/// A token would open more than who asks for it has.
pub(super) static SCOPE_NOT_GRANTED: Rule = Rule {
    code: "scope_not_granted",
    kind: Kind::NotYours,
    title: Bilingual { en: "Scope not granted", zh: "未授予该权限" },
    detail: Bilingual {
        en: "These scopes are unknown or not granted: {scopes}.",
        zh: "以下权限不存在或未被授予：{scopes}。",
    },
    advice: Bilingual {
        en: "Ask for scopes of the key, or for none to get all of them.",
        zh: "请仅请求密钥所具备的权限；不指定则授予全部。",
    },
};

/// A person's token where people sign in at the brand's own place.
pub(super) static STAFF_TOKENS_ARE_FOR_TRYING_OUT: Rule = Rule {
    code: "staff_tokens_are_for_trying_out",
    kind: Kind::Conflict,
    title: Bilingual { en: "Only in the sandbox", zh: "仅限沙箱" },
    detail: Bilingual {
        en: "Live people sign in where the brand says; tokens in their name are issued in the sandbox and on development servers.",
        zh: "正式环境的人员须在品牌方指定处登录；仅在沙箱及开发服务器中代发令牌。",
    },
    advice: Bilingual {
        en: "Use the sandbox's key, or enter the brand's OpenID Connect issuer under /v1/issuers.",
        zh: "请使用沙箱密钥，或在 /v1/issuers 登记品牌方的 OpenID Connect 签发者。",
    },
};

/// The scopes of a token: those asked for (with spaces between), or all of `had` when none are named.
///
/// # Errors
///
/// `scope_not_granted` for a scope that is unknown or not in `had`.
pub fn scopes_asked(asked: &str, had: &BTreeSet<Scope>) -> Result<BTreeSet<Scope>, Refusal> {
    let names: BTreeSet<&str> = asked.split_ascii_whitespace().collect();
    if names.is_empty() {
        return Ok(had.clone());
    }
    let granted = |name: &str| name.parse().ok().filter(|scope| had.contains(scope));
    let beyond: Vec<&str> =
        names.iter().copied().filter(|name| granted(name).is_none()).take(20).collect();
    if beyond.is_empty() {
        return Ok(names.into_iter().filter_map(granted).collect());
    }
    Err(Refusal::new(&SCOPE_NOT_GRANTED).with("scopes", beyond))
}

/// The scopes of a token in a person's name, issued by a key of the brand: all that their role allows.
///
/// # Errors
///
/// `staff_tokens_are_for_trying_out` for a live brand, but on a development server (where this machine may be
/// named in addresses); `illegal_transition` when the person has left.
pub fn in_the_name_of(
    staff: &Staff,
    mode: TenantMode,
    server: Loopback,
) -> Result<BTreeSet<Scope>, Refusal> {
    if mode == TenantMode::Live && server == Loopback::Refused {
        return Err(Refusal::new(&STAFF_TOKENS_ARE_FOR_TRYING_OUT));
    }
    match staff.status {
        StaffStatus::Active => Ok(staff.details.role.scopes()),
        StaffStatus::Left => Err(illegal(staff.status, &["rejoin"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Actor, Hiring, Reach, Role, StaffDetails};
    use uuid::Uuid;

    const HERE: &str = "https://api.example.com";

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn grant() -> TokenGrant {
        let key = Uuid::from_u128(1).into();
        TokenGrant {
            subject: TokenSubject::Key(key),
            client: key,
            tenant: Uuid::from_u128(2).into(),
            scopes: [Scope::CustomersRead, Scope::OrdersWrite].into(),
        }
    }

    fn claims() -> Claims {
        Claims::issue(HERE, "one".to_owned(), &grant(), now())
    }

    #[test]
    fn a_token_gives_what_was_granted_for_fifteen_minutes() {
        let claims = claims();
        assert_eq!(claims.scope, "customers:read orders:write");
        let last_second = now().plus_seconds(TOKEN_LIFE_SECONDS - 1);
        assert_eq!(claims.accept(HERE, last_second), Ok(grant()));
        let too_late = now().plus_seconds(TOKEN_LIFE_SECONDS);
        assert_eq!(claims.accept(HERE, too_late), Err(TokenFault::Expired));
    }

    #[test]
    fn a_token_from_the_future_waits_for_more_than_a_minute_of_skew() {
        let early = |seconds: i64| claims().accept(HERE, now().plus_seconds(-seconds));
        assert!(early(CLOCK_SKEW_SECONDS).is_ok());
        assert_eq!(early(CLOCK_SKEW_SECONDS + 1), Err(TokenFault::Early));
    }

    #[test]
    fn a_token_for_somebody_else_is_worthless() {
        let worthless = |change: fn(&mut Claims)| {
            let mut claims = claims();
            change(&mut claims);
            claims.accept(HERE, now()).unwrap_err()
        };
        assert_eq!(worthless(|claims| claims.iss.push('/')), TokenFault::Issuer);
        assert_eq!(worthless(|claims| claims.aud.push('/')), TokenFault::Audience);
        assert_eq!(worthless(|claims| claims.exp += 1), TokenFault::TooLong);
        assert_eq!(worthless(|claims| claims.sub = claims.jti.clone()), TokenFault::Subject);
    }

    #[test]
    fn what_is_asked_for_is_a_part_of_what_one_has() {
        let had = grant().scopes;
        assert_eq!(scopes_asked("", &had), Ok(had.clone()));
        assert_eq!(scopes_asked("orders:write", &had), Ok([Scope::OrdersWrite].into()));
        let refusal = scopes_asked("orders:write tenant:write nonsense", &had).unwrap_err();
        assert_eq!(refusal.rule.code, "scope_not_granted");
        assert_eq!(refusal.facts["scopes"], serde_json::json!(["nonsense", "tenant:write"]));
    }

    #[test]
    fn people_of_a_live_brand_sign_in_at_the_brands_place() {
        let details = StaffDetails {
            dealer_id: None,
            external_id: None,
            name: "李娜".parse().unwrap(),
            role: Role::BrandAdmin,
            site_ids: BTreeSet::new(),
            issuer_id: None,
            subject: None,
            on_leave: None,
            deputy_id: None,
            team_id: None,
        };
        let hiring = Hiring {
            by: Actor::Operator,
            reach: Reach::default(),
            sites: &[],
            deputy: None,
            team: None,
        };
        let staff = Staff::hire(Uuid::from_u128(3).into(), details, hiring, now()).unwrap().record;
        assert!(in_the_name_of(&staff, TenantMode::Test, Loopback::Refused).is_ok());
        assert!(in_the_name_of(&staff, TenantMode::Live, Loopback::Allowed).is_ok());
        let refusal = in_the_name_of(&staff, TenantMode::Live, Loopback::Refused).unwrap_err();
        assert_eq!(refusal.rule.code, "staff_tokens_are_for_trying_out");
        let left = staff.leave(Actor::Operator).unwrap().record;
        let refusal = in_the_name_of(&left, TenantMode::Test, Loopback::Allowed).unwrap_err();
        assert_eq!(refusal.rule.code, "illegal_transition");
    }
}
