//! Authority: how much a person may give alone, and who may decide on more.

use crate::{
    change::Change,
    identity::{Actor, Rank, Reach, Role, Scope},
    ids::AuthorityLimitId,
    money::{Currency, Minor, Money},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    tenancy::EscalationHours,
    text::Bilingual,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use utoipa::ToSchema;

/// The caller's own authority does not reach that far.
pub static BEYOND_AUTHORITY: Rule = Rule {
    code: "beyond_authority",
    kind: Kind::NotYours,
    title: Bilingual { en: "Beyond your authority", zh: "超出您的权限" },
    detail: Bilingual {
        en: "{asked} is beyond what rank {rank} may grant ({beyond}); the customer was given {granted} this month.",
        zh: "{asked} 超出级别 {rank} 的授权（{beyond}）；该客户本月已获 {granted}。",
    },
    advice: Bilingual {
        en: "Somebody of rank `required_rank` or higher can do it.",
        zh: "请由级别不低于 `required_rank` 的人员处理。",
    },
};

/// Nobody's authority reaches that far.
pub static BEYOND_ALL_AUTHORITY: Rule = Rule {
    code: "beyond_all_authority",
    kind: Kind::Conflict,
    title: Bilingual { en: "Beyond everybody's authority", zh: "超出所有人的权限" },
    detail: Bilingual {
        en: "{asked} is beyond what anybody may grant; the customer was given {granted} this month.",
        zh: "{asked} 超出任何人的授权；该客户本月已获 {granted}。",
    },
    advice: Bilingual {
        en: "Ask for less, or let the brand set a limit of authority that reaches so far.",
        zh: "请减少金额，或由品牌方调整权限额度。",
    },
};

/// How much people in a role may grant a customer alone, in one currency.
///
/// A role without a limit grants nothing alone. Higher ranks do not inherit the limits of lower ones.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "lim_01m80t7jx3e9vbq2f4c6d8g0hk", "role": "clerk", "currency": "CNY", "per_request_minor": 5000,
    "per_customer_month_minor": 12000, "unlimited": false, "created_at": "2026-11-22T09:30:00Z",
    "version": 1})))]
pub struct AuthorityLimit {
    /// The identifier.
    pub id: AuthorityLimitId,
    /// What it says.
    #[serde(flatten)]
    pub details: AuthorityLimitDetails,
    /// When it was set.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// What a limit of authority says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5000,
    "per_customer_month_minor": 12000, "unlimited": false})))]
pub struct AuthorityLimitDetails {
    /// Whose limit it is; one for each role and currency.
    pub role: Role,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The most that one gesture may cost. Exactly this much is allowed.
    pub per_request_minor: Minor,
    /// The most that gestures for one customer may come to in a calendar month of the brand's time
    /// zone, whoever granted them, on this role's word. Exactly this much is allowed; `null`: no limit
    /// but that of each gesture.
    #[serde(default)]
    pub per_customer_month_minor: Option<Minor>,
    /// Whether there is no limit at all; then the two amounts do not count.
    #[serde(default)]
    pub unlimited: bool,
}

/// What stands between a person and granting something alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BeyondLimit {
    /// The role has no limit in this currency, and so grants nothing.
    NoLimitSet,
    /// One gesture may not cost so much.
    PerRequest,
    /// The customer would be given too much in one month.
    PerCustomerMonth,
}

/// What is known when authority is judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authority {
    /// The brand's limits.
    pub limits: Vec<AuthorityLimit>,
    /// What other gestures have granted the customer in this calendar month, in the currency asked
    /// for: their cost once they are carried out, their estimate before.
    pub granted_minor: Minor,
    /// How long a rank has to decide before a gesture goes up to the next one.
    pub escalation_hours: EscalationHours,
}

impl AuthorityLimit {
    /// Sets a limit.
    pub fn set(
        id: AuthorityLimitId,
        details: AuthorityLimitDetails,
        now: Timestamp,
    ) -> Change<Self> {
        Change::created(Self { id, details, created_at: now, version: Version::FIRST })
    }

    /// Sets it differently. It counts for every decision from now on, also on what already waits.
    pub fn amend(self, details: AuthorityLimitDetails) -> Change<Self> {
        Change::edit("amend", &self, |it| it.details = details)
    }
}

impl Authority {
    /// Whether somebody in `role` may grant `asked` alone. What costs nothing, everybody may.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub fn judge(&self, role: Role, asked: Money) -> Result<(), BeyondLimit> {
        if asked.amount == Minor::ZERO {
            return Ok(());
        }
        let limit = self
            .limits
            .iter()
            .map(|limit| &limit.details)
            .find(|limit| limit.role == role && limit.currency == asked.currency)
            .ok_or(BeyondLimit::NoLimitSet)?;
        if limit.unlimited {
            return Ok(());
        }
        if asked.amount > limit.per_request_minor {
            return Err(BeyondLimit::PerRequest);
        }
        let month = self.granted_minor.plus(asked.amount);
        match limit.per_customer_month_minor {
            Some(most) if month > most => Err(BeyondLimit::PerCustomerMonth),
            Some(_) | None => Ok(()),
        }
    }

    /// The lowest rank that may grant `asked` to others; `None` when nobody may.
    pub fn required_rank(&self, asked: Money) -> Option<Rank> {
        approving_roles().filter(|&role| self.judge(role, asked).is_ok()).map(Role::rank).min()
    }

    /// The lowest rank above `rank` that may grant `asked` to others; `None` when none may.
    pub fn next_rank(&self, asked: Money, rank: Rank) -> Option<Rank> {
        let higher = approving_roles().filter(|role| role.rank() > rank);
        higher.filter(|&role| self.judge(role, asked).is_ok()).map(Role::rank).min()
    }

    /// Expects that somebody in `role` may grant `asked` alone.
    ///
    /// # Errors
    ///
    /// `beyond_authority`, with the lowest rank that may.
    pub fn expect_role(&self, role: Role, asked: Money) -> Result<(), Refusal> {
        self.judge(role, asked).map_err(|beyond| self.beyond(role.rank(), beyond, asked))
    }

    /// Expects that somebody of `rank` may grant `asked` to others.
    ///
    /// # Errors
    ///
    /// `beyond_authority`, with the lowest rank that may.
    pub fn expect_rank(&self, rank: Rank, asked: Money) -> Result<(), Refusal> {
        approving_roles()
            .find(|role| role.rank() == rank)
            .ok_or(BeyondLimit::NoLimitSet)
            .and_then(|role| self.judge(role, asked))
            .map_err(|beyond| self.beyond(rank, beyond, asked))
    }

    /// The lowest rank that may grant `asked`.
    ///
    /// # Errors
    ///
    /// `beyond_all_authority` when nobody may.
    pub fn expect_somebody(&self, asked: Money) -> Result<Rank, Refusal> {
        self.required_rank(asked).ok_or_else(|| self.tell(&BEYOND_ALL_AUTHORITY, asked))
    }

    fn beyond(&self, rank: Rank, beyond: BeyondLimit, asked: Money) -> Refusal {
        self.tell(&BEYOND_AUTHORITY, asked)
            .with("rank", rank)
            .with("beyond", beyond)
            .with("required_rank", self.required_rank(asked))
    }

    fn tell(&self, rule: &'static Rule, asked: Money) -> Refusal {
        let granted = Money { amount: self.granted_minor, ..asked };
        Refusal::new(rule).with("asked", asked).with("granted", granted)
    }
}

impl Record for AuthorityLimit {
    type Id = AuthorityLimitId;

    fn id(&self) -> AuthorityLimitId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// The roles that may decide on what others ask for.
fn approving_roles() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| role.scopes().contains(&Scope::GesturesApprove))
}

/// The rank in which `actor` decides on what others ask for. A program of the brand decides as the
/// brand; one that sees a single dealer only, as its owner.
pub fn rank_of(actor: Actor, reach: Reach) -> Rank {
    match reach.dealer {
        Some(_) => actor.rank().min(Rank::OWNER),
        None => actor.rank(),
    }
}

/// The calendar month in `zone` that `now` lies in, from its first instant to before the next one's.
pub fn month_of(now: Timestamp, zone: Zone) -> Range<Timestamp> {
    let today = NaiveDate::from(now.date_in(zone));
    let first = CivilDate::from(today.with_day(1).unwrap_or(today));
    let midnight = WallTime::MIDNIGHT;
    first.at(midnight, zone)..first.plus_months(1).at(midnight, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::{at, fen, id, limit, minor};

    fn ladder() -> Authority {
        let mut brand = limit(Role::BrandAdmin, 0, None);
        brand.details.unlimited = true;
        Authority {
            limits: vec![
                limit(Role::Clerk, 5_000, Some(12_000)),
                limit(Role::Manager, 20_000, Some(40_000)),
                limit(Role::Owner, 100_000, None),
                brand,
            ],
            granted_minor: Minor::ZERO,
            escalation_hours: EscalationHours::default(),
        }
    }

    #[test]
    fn the_next_rank_is_the_lowest_above_that_covers_it() {
        let next = |amount, rank| ladder().next_rank(fen(amount), rank);
        assert_eq!(next(20_000, Rank::MANAGER), Some(Rank::OWNER));
        assert_eq!(next(100_001, Rank::MANAGER), Some(Rank::BRAND));
        assert_eq!(next(20_000, Rank::BRAND), None);
    }

    #[test]
    fn a_clerk_gives_up_to_the_limit() {
        assert_eq!(ladder().judge(Role::Clerk, fen(5_000)), Ok(()));
        assert_eq!(ladder().judge(Role::Clerk, fen(5_001)), Err(BeyondLimit::PerRequest));
    }

    #[test]
    fn a_customer_is_given_up_to_the_limit_of_the_month() {
        let authority = Authority { granted_minor: minor(8_000), ..ladder() };
        assert_eq!(authority.judge(Role::Clerk, fen(4_000)), Ok(()));
        assert_eq!(authority.judge(Role::Clerk, fen(4_001)), Err(BeyondLimit::PerCustomerMonth));
        assert_eq!(authority.judge(Role::Manager, fen(4_001)), Ok(()));
    }

    #[test]
    fn a_role_without_a_limit_gives_only_what_costs_nothing() {
        for role in [Role::Technician, Role::SupportAgent, Role::Auditor] {
            assert_eq!(ladder().judge(role, fen(1)), Err(BeyondLimit::NoLimitSet), "{role:?}");
            assert_eq!(ladder().judge(role, fen(0)), Ok(()), "{role:?}");
        }
        let dollar = Money { amount: minor(1), currency: Currency::USD };
        assert_eq!(ladder().judge(Role::Clerk, dollar), Err(BeyondLimit::NoLimitSet));
    }

    #[test]
    fn the_lowest_rank_that_covers_it_decides() {
        let rank = |amount| ladder().required_rank(fen(amount));
        assert_eq!(rank(20_000), Some(Rank::MANAGER));
        assert_eq!(rank(20_001), Some(Rank::OWNER));
        assert_eq!(rank(100_001), Some(Rank::BRAND));
        let few = Authority { limits: ladder().limits[..2].to_vec(), ..ladder() };
        assert_eq!(few.expect_somebody(fen(20_000)), Ok(Rank::MANAGER));
        let refusal = few.expect_somebody(fen(20_001)).unwrap_err();
        assert_eq!(refusal.rule.code, "beyond_all_authority");
    }

    #[test]
    fn an_approver_decides_as_far_as_their_own_limit() {
        assert_eq!(ladder().expect_rank(Rank::MANAGER, fen(20_000)), Ok(()));
        let refusal = ladder().expect_rank(Rank::MANAGER, fen(20_001)).unwrap_err();
        assert_eq!(refusal.rule.code, "beyond_authority");
        assert_eq!(refusal.facts["required_rank"], 40);
        assert_eq!(refusal.facts["beyond"], "per_request");
        assert_eq!(ladder().expect_rank(Rank::BRAND, fen(1_000_000)), Ok(()));
        assert!(ladder().expect_rank(Rank::CLERK, fen(1)).is_err());
    }

    #[test]
    fn a_program_decides_as_the_brand_and_a_dealers_program_as_the_owner() {
        let key = Actor::Key(id(1));
        let dealers = Reach { dealer: Some(id(3)), technician: None };
        assert_eq!(rank_of(key, Reach::default()), Rank::BRAND);
        assert_eq!(rank_of(key, dealers), Rank::OWNER);
        let manager = Actor::Staff { id: id(1), rank: Rank::MANAGER };
        assert_eq!(rank_of(manager, dealers), Rank::MANAGER);
    }

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_the_brands_zone() {
        let shanghai = "Asia/Shanghai".parse().unwrap();
        let month = month_of(at("2026-11-30T16:00:00Z"), shanghai);
        assert_eq!(month, at("2026-11-30T16:00:00Z")..at("2026-12-31T16:00:00Z"));
        let month = month_of(at("2026-11-30T15:59:59Z"), shanghai);
        assert_eq!(month, at("2026-10-31T16:00:00Z")..at("2026-11-30T16:00:00Z"));
    }
}
