//! API keys: with which a brand's programs call.

use super::{Actor, Reach, Scope};
use crate::{
    change::Change,
    ids::{ApiKeyId, DealerId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    tenancy::TenantMode,
    text::{Bilingual, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyStatus {
    /// It does, until it expires.
    Active,
    /// It does no longer, and never will again.
    Revoked,
}

/// What a brand says about a key it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "ERP", "scopes": ["customers:read", "customers:write"], "dealer_id": null, "expires_at": "2027-11-22T00:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct ApiKeyDetails {
    /// Which program it is for.
    pub name: Name,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The one dealer whose records it sees; every dealer's when absent.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// When it ends by itself; never when absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A key with which a program of the brand calls. Its secret is shown once and kept as a hash only.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "key_01m80t7jx3e9vbq2f4c6d8g0hk", "prefix": "ak_live_3hT9x2Qa", "mode": "live", "status": "active", "name": "ERP", "scopes": ["customers:read", "customers:write"], "dealer_id": null, "expires_at": "2027-11-22T00:00:00Z", "last_used_at": null, "revoked_at": null, "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct ApiKey {
    /// Its identifier; also the `client_id` when it is exchanged for tokens.
    pub id: ApiKeyId,
    /// How its secret begins, to recognise it by.
    pub prefix: String,
    /// Whether it opens the brand or its sandbox.
    pub mode: TenantMode,
    /// Whether it opens anything.
    pub status: ApiKeyStatus,
    /// What was said when it was asked for.
    #[serde(flatten)]
    pub details: ApiKeyDetails,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is made together with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// How its secret begins.
    pub prefix: String,
    /// Whether it opens the brand or its sandbox.
    pub mode: TenantMode,
}

/// Who gives a key, and what they may do themselves.
#[derive(Debug, Clone, Copy)]
pub struct Grantor<'a> {
    /// What they may do.
    pub scopes: &'a BTreeSet<Scope>,
    /// How much they see.
    pub reach: Reach,
}

/// A key that may do nothing.
pub(super) static NO_SCOPES: Rule = Rule {
    code: "no_scopes",
    kind: Kind::Unfit,
    title: Bilingual { en: "No scopes", zh: "未指定权限" },
    detail: Bilingual {
        en: "A key needs at least one scope.", zh: "密钥至少需要一项权限。"
    },
    advice: Bilingual {
        en: "Name in `scopes` what the program has to do, and no more.",
        zh: "请在 `scopes` 中列出该程序所需的权限，且不超过所需。",
    },
};

/// A key would open more than its giver can.
pub(super) static SCOPES_BEYOND_YOURS: Rule = Rule {
    code: "scopes_beyond_yours",
    kind: Kind::NotYours,
    title: Bilingual { en: "More than you may do yourself", zh: "超出您自身的权限" },
    detail: Bilingual {
        en: "You do not have these scopes yourself: {scopes}.",
        zh: "您自身不具备以下权限：{scopes}。",
    },
    advice: Bilingual {
        en: "Leave them out, or have the key made by somebody who has them.",
        zh: "请去掉这些权限，或由具备这些权限的人员创建密钥。",
    },
};

/// A key would see more than its giver does.
pub(super) static DEALER_BEYOND_YOURS: Rule = Rule {
    code: "dealer_beyond_yours",
    kind: Kind::NotYours,
    title: Bilingual { en: "More than you see yourself", zh: "超出您自身的可见范围" },
    detail: Bilingual {
        en: "You see the dealer {your_dealer_id} only, and so must the key.",
        zh: "您仅可查看经销商 {your_dealer_id}，密钥亦须如此。",
    },
    advice: Bilingual {
        en: "Name your own dealer in `dealer_id`.",
        zh: "请在 `dealer_id` 中填写您所属的经销商。",
    },
};

/// A key of one dealer would open what all dealers share.
pub(super) static SCOPES_ARE_THE_BRANDS: Rule = Rule {
    code: "scopes_are_the_brands",
    kind: Kind::Unfit,
    title: Bilingual { en: "Scopes of the whole brand", zh: "权限属于整个品牌" },
    detail: Bilingual {
        en: "A key of one dealer cannot have these scopes, because all dealers share what they open: {scopes}.",
        zh: "限定单一经销商的密钥不能具备以下权限，因其内容由全体经销商共用：{scopes}。",
    },
    advice: Bilingual {
        en: "Leave them out, or make a key of the brand, without `dealer_id`.",
        zh: "请去掉这些权限，或创建不带 `dealer_id` 的品牌密钥。",
    },
};

/// Something would end before it begins.
pub(super) static ALREADY_EXPIRED: Rule = Rule {
    code: "already_expired",
    kind: Kind::Unfit,
    title: Bilingual { en: "Already expired", zh: "已过期" },
    detail: Bilingual {
        en: "It would have ended at {expires_at}; it is {now} now.",
        zh: "到期时间为 {expires_at}，而当前时间为 {now}。",
    },
    advice: Bilingual {
        en: "Give an instant in the future, or none.",
        zh: "请填写未来的时间，或不填写。",
    },
};

impl ApiKey {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// `no_scopes`; `scopes_beyond_yours` and `dealer_beyond_yours` when it would open more than its giver can;
    /// `scopes_are_the_brands` when it is one dealer's and would open what all share; `already_expired` when it would end now or earlier.
    pub fn make(
        made: MadeKey,
        details: ApiKeyDetails,
        grantor: Grantor<'_>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        check(&details, grantor, now)?;
        let MadeKey { id, prefix, mode } = made;
        let scopes = details.scopes.clone();
        let key = Self {
            id,
            prefix,
            mode,
            status: ApiKeyStatus::Active,
            details,
            last_used_at: None,
            revoked_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        Ok(Change::created(key).with("scopes", scopes))
    }

    /// Ends a key for good. It opens nothing five seconds later, on every server.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is revoked already.
    pub fn revoke(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        match self.status {
            ApiKeyStatus::Revoked => Err(illegal(self.status, &[])),
            ApiKeyStatus::Active => {
                let (from, to) = (self.status, ApiKeyStatus::Revoked);
                let key = Self { status: to, revoked_at: Some(now), ..self };
                Ok(Change::new("revoke", key).moved(from, to))
            }
        }
    }

    /// Whether it opens anything at this instant; the instant at which it expires is too late.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.status == ApiKeyStatus::Active && self.details.expires_at.is_none_or(|end| now < end)
    }

    /// Who calls with it, in the audit log.
    pub fn actor(&self) -> Actor {
        Actor::Key(self.id)
    }

    /// How much of the brand it sees.
    pub fn reach(&self) -> Reach {
        Reach { dealer: self.details.dealer_id, technician: None }
    }
}

fn check(details: &ApiKeyDetails, grantor: Grantor<'_>, now: Timestamp) -> Result<(), Refusal> {
    if details.scopes.is_empty() {
        return Err(Refusal::new(&NO_SCOPES).at("/scopes"));
    }
    let beyond: Vec<_> = details.scopes.difference(grantor.scopes).collect();
    if !beyond.is_empty() {
        return Err(Refusal::new(&SCOPES_BEYOND_YOURS).with("scopes", beyond).at("/scopes"));
    }
    if let Some(own) = grantor.reach.dealer
        && details.dealer_id != Some(own)
    {
        return Err(Refusal::new(&DEALER_BEYOND_YOURS)
            .with("your_dealer_id", own)
            .at("/dealer_id"));
    }
    let shared: Vec<_> = details.scopes.iter().filter(|scope| scope.is_the_brands()).collect();
    if details.dealer_id.is_some() && !shared.is_empty() {
        return Err(Refusal::new(&SCOPES_ARE_THE_BRANDS).with("scopes", shared));
    }
    match details.expires_at {
        Some(end) if end <= now => Err(Refusal::new(&ALREADY_EXPIRED)
            .with("expires_at", end)
            .with("now", now)
            .at("/expires_at")),
        Some(_) | None => Ok(()),
    }
}

impl Record for ApiKey {
    type Id = ApiKeyId;

    fn id(&self) -> ApiKeyId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn asks(scopes: &[Scope]) -> ApiKeyDetails {
        ApiKeyDetails {
            name: Name::new("ERP").unwrap(),
            scopes: scopes.iter().copied().collect(),
            dealer_id: None,
            expires_at: None,
        }
    }

    fn makes(details: ApiKeyDetails, reach: Reach) -> Result<Change<ApiKey>, Refusal> {
        let scopes = [Scope::KeysWrite, Scope::CustomersRead].into();
        let grantor = Grantor { scopes: &scopes, reach };
        let made = MadeKey {
            id: Uuid::from_u128(1).into(),
            prefix: "ak_live_3hT9x2Qa".to_owned(),
            mode: TenantMode::Live,
        };
        ApiKey::make(made, details, grantor, now())
    }

    fn code(result: Result<Change<ApiKey>, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let all = Reach::default();
        assert!(makes(asks(&[Scope::CustomersRead]), all).is_ok());
        let refusal = makes(asks(&[Scope::CustomersRead, Scope::CustomersWrite]), all).unwrap_err();
        assert_eq!(refusal.rule.code, "scopes_beyond_yours");
        assert_eq!(refusal.facts["scopes"], serde_json::json!(["customers:write"]));
        assert_eq!(code(makes(asks(&[]), all)), "no_scopes");
    }

    #[test]
    fn who_sees_one_dealer_gives_keys_for_that_dealer() {
        let own: DealerId = Uuid::from_u128(7).into();
        let reach = Reach { dealer: Some(own), technician: None };
        let for_dealer = |dealer_id| ApiKeyDetails { dealer_id, ..asks(&[Scope::CustomersRead]) };
        let key = makes(for_dealer(Some(own)), reach).unwrap().record;
        assert_eq!(key.reach(), reach);
        assert_eq!(code(makes(for_dealer(None), reach)), "dealer_beyond_yours");
        let other = Some(Uuid::from_u128(8).into());
        assert_eq!(code(makes(for_dealer(other), reach)), "dealer_beyond_yours");
    }

    #[test]
    fn a_dealer_s_key_opens_nothing_that_all_dealers_share() {
        let scopes = [Scope::SopsRead, Scope::SopsWrite].into();
        let grantor = Grantor { scopes: &scopes, reach: Reach::default() };
        let made = || MadeKey {
            id: Uuid::from_u128(1).into(),
            prefix: "ak_live_3hT9x2Qa".to_owned(),
            mode: TenantMode::Live,
        };
        let writes = asks(&[Scope::SopsRead, Scope::SopsWrite]);
        assert!(ApiKey::make(made(), writes.clone(), grantor, now()).is_ok());
        let dealer_id = Some(Uuid::from_u128(7).into());
        let of_dealer = ApiKeyDetails { dealer_id, ..writes };
        let refusal = ApiKey::make(made(), of_dealer, grantor, now()).unwrap_err();
        assert_eq!(refusal.rule.code, "scopes_are_the_brands");
        assert_eq!(refusal.facts["scopes"], serde_json::json!(["sops:write"]));
        let reads = ApiKeyDetails { dealer_id, ..asks(&[Scope::SopsRead]) };
        assert!(ApiKey::make(made(), reads, grantor, now()).is_ok());
    }

    #[test]
    fn a_key_ends_at_its_instant() {
        let ends = |seconds| {
            let expires_at = Some(now().plus_seconds(seconds));
            makes(ApiKeyDetails { expires_at, ..asks(&[Scope::CustomersRead]) }, Reach::default())
        };
        let key = ends(1).unwrap().record;
        assert!(key.is_valid(now()));
        assert!(!key.is_valid(now().plus_seconds(1)));
        assert_eq!(code(ends(0)), "already_expired");
    }

    #[test]
    fn a_key_is_revoked_once() {
        let key = makes(asks(&[Scope::CustomersRead]), Reach::default()).unwrap().record;
        let revoked = key.revoke(now()).unwrap().record;
        assert!(!revoked.is_valid(now()));
        assert_eq!(revoked.revoked_at, Some(now()));
        assert_eq!(code(revoked.revoke(now())), "illegal_transition");
    }
}
