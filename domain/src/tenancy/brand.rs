//! A brand, and the sandbox twin in which it tries things out.

use crate::{
    change::Change,
    event::{Event, HoursOf},
    ids::TenantId,
    money::{BasisPoints, Currency},
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Locale, Name, Slug},
    time::{Timestamp, Zone},
    web::WebOrigin,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most origins a brand's front ends may come from: one for each of a few applications, and for
/// each of their stages.
pub const MOST_ORIGINS: usize = 20;

/// A suspended brand changes nothing.
pub static BRAND_SUSPENDED: Rule = Rule {
    code: "brand_suspended",
    kind: Kind::Conflict,
    title: Bilingual { en: "The brand is suspended", zh: "品牌已被暂停" },
    detail: Bilingual {
        en: "The operator has suspended this brand: it can be read and not changed.",
        zh: "运营方已暂停该品牌：数据只能读取，不能更改。",
    },
    advice: Bilingual {
        en: "Ask the operator. Nothing is lost; send the request again when the brand is resumed.",
        zh: "请联系运营方。数据不会丢失；品牌恢复后请重新发送请求。",
    },
};

/// Whether a brand works, or tries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantMode {
    /// Real customers, real messages.
    Live,
    /// A sandbox with a clock of its own: nothing leaves it.
    Test,
}

impl TenantMode {
    /// The word, as it stands in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// Whether a brand may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrandStatus {
    /// Everything works.
    Active,
    /// Reading works, changing does not, and background work rests.
    Suspended,
}

whole_numbers! {
    /// How long a rank has to decide about a gesture: at most the three days after which it expires.
    EscalationHours = 1 to 72, "Hours from 1 to 72.", 24;
}

impl Default for EscalationHours {
    /// A day: every rank sees it on a working day, and two ranks have had it before it expires.
    fn default() -> Self {
        Self::new(24).unwrap_or(Self::MOST)
    }
}

whole_numbers! {
    /// From which share of peers on a service is an obligation: at least one of them must offer it.
    ObligationShare = 1 to 10000, "Basis points from 1 to 10000: 5000 are half of the peers.", 5000;
}

impl Default for ObligationShare {
    /// Half of the peers.
    fn default() -> Self {
        Self::new(5_000).unwrap_or(Self::MOST)
    }
}

/// How large a share of a plan's tasks may be made for one customer before the brand is warned: three in ten, when
/// it says nothing.
const PERSONALISED_MOST_BP: u32 = 3_000;

/// Three tasks in ten.
pub fn usual_personalised_most() -> BasisPoints {
    BasisPoints::new(PERSONALISED_MOST_BP).unwrap_or_default()
}

/// What a brand may say about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "碧水 Clearwater", "tz": "Asia/Shanghai", "locale": "zh-CN", "cors_origins": ["https://app.clearwater.example"], "gesture_escalation_hours": 24, "obligation_from_bp": 5000, "personalised_most_bp": 3000})))]
#[serde(deny_unknown_fields)]
pub struct BrandDetails {
    /// The brand's name, as its customers read it.
    pub name: Name,
    /// The time zone of the brand's dates, where no site or dealer has its own.
    pub tz: Zone,
    /// The language of what customers read, when their own is not known.
    #[serde(default)]
    pub locale: Locale,
    /// Where the brand's front ends are served from. Browsers may call from these origins and no others;
    /// at most 20.
    #[serde(default)]
    pub cors_origins: BTreeSet<WebOrigin>,
    /// How many hours a rank has to decide about a gesture before it goes up to the next rank whose limit
    /// covers it, 1 to 72; 24 when absent. With 72 it expires instead.
    #[serde(default)]
    pub gesture_escalation_hours: EscalationHours,
    /// The share of peers from which on a service that they offer too becomes an obligation by itself, in basis points
    /// from 1; 5000 when absent.
    #[serde(default)]
    #[schema(default = 5000)]
    pub obligation_from_bp: ObligationShare,
    /// The largest share of a plan's tasks with service items that is made for one customer without a warning; 3000
    /// when absent.
    #[serde(default = "usual_personalised_most")]
    #[schema(default = 3000)]
    pub personalised_most_bp: BasisPoints,
}

/// A brand, or its sandbox twin: the unit of isolation. Nothing of one is visible to another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "ten_01m80t7jx3e9vbq2f4c6d8g0hk", "slug": "clearwater", "mode": "live", "sandbox_of": null, "status": "active", "currency": "CNY", "name": "碧水 Clearwater", "tz": "Asia/Shanghai", "locale": "zh-CN", "cors_origins": ["https://app.clearwater.example"], "gesture_escalation_hours": 24, "obligation_from_bp": 5000, "personalised_most_bp": 3000, "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Brand {
    /// Its identifier.
    pub id: TenantId,
    /// Its name in addresses and on the command line; the twin has the same.
    pub slug: Slug,
    /// Whether it works or tries out.
    pub mode: TenantMode,
    /// The brand whose sandbox this is.
    pub sandbox_of: Option<TenantId>,
    /// Whether it may change anything.
    pub status: BrandStatus,
    /// The currency of its prices and allowances. It stays: amounts cannot be converted afterwards.
    pub currency: Currency,
    /// What the brand says about itself.
    #[serde(flatten)]
    pub details: BrandDetails,
    /// How often it was changed.
    pub version: Version,
    /// When it began.
    pub created_at: Timestamp,
}

/// What an operator says to found a brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandFounding {
    /// Its name in addresses.
    pub slug: Slug,
    /// The currency of its prices and allowances.
    pub currency: Currency,
    /// What it says about itself.
    pub details: BrandDetails,
}

/// A brand names more origins than it can have front ends.
pub(super) static TOO_MANY_ORIGINS: Rule = Rule {
    code: "too_many_origins",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many origins", zh: "来源过多" },
    detail: Bilingual {
        en: "{count} origins were given; at most {most} are allowed.",
        zh: "提供了 {count} 个来源，最多允许 {most} 个。",
    },
    advice: Bilingual {
        en: "Remove origins that no front end is served from any more.",
        zh: "请删除不再使用的前端来源。",
    },
};

impl Brand {
    /// Founds a brand.
    ///
    /// # Errors
    ///
    /// `too_many_origins` above 20.
    pub fn found(
        id: TenantId,
        founding: BrandFounding,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let BrandFounding { slug, currency, details } = founding;
        check(&details)?;
        Ok(Change::created(Self {
            id,
            slug,
            mode: TenantMode::Live,
            sandbox_of: None,
            status: BrandStatus::Active,
            currency,
            details,
            version: Version::FIRST,
            created_at: now,
        }))
    }

    /// Makes the sandbox twin, which begins with the same settings.
    pub fn twin(&self, id: TenantId, now: Timestamp) -> Change<Self> {
        Change::created(Self {
            id,
            mode: TenantMode::Test,
            sandbox_of: Some(self.id),
            version: Version::FIRST,
            created_at: now,
            ..self.clone()
        })
    }

    /// Changes what the brand says about itself.
    ///
    /// # Errors
    ///
    /// `too_many_origins` above 20.
    pub fn change(self, details: BrandDetails) -> Result<Change<Self>, Refusal> {
        check(&details)?;
        let moves = self.details.tz != details.tz;
        let change = Change::edit("change", &self, |it| it.details = details);
        let event = Event::WorkingHoursChanged { whose: HoursOf::Brand, after: None };
        Ok(if moves { change.emits(event) } else { change })
    }

    /// Stops every change, until it is resumed. Nothing is lost.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is suspended already.
    pub fn suspend(self) -> Result<Change<Self>, Refusal> {
        self.turn("suspend", BrandStatus::Active, BrandStatus::Suspended)
    }

    /// Lets a suspended brand go on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not suspended.
    pub fn resume(self) -> Result<Change<Self>, Refusal> {
        self.turn("resume", BrandStatus::Suspended, BrandStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        from: BrandStatus,
        to: BrandStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to))
    }
}

impl BrandStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["suspend"],
            Self::Suspended => &["resume"],
        }
    }
}

fn check(details: &BrandDetails) -> Result<(), Refusal> {
    let count = details.cors_origins.len();
    if count > MOST_ORIGINS {
        return Err(Refusal::new(&TOO_MANY_ORIGINS)
            .with("count", count)
            .with("most", MOST_ORIGINS)
            .at("/cors_origins"));
    }
    Ok(())
}

impl Record for Brand {
    type Id = TenantId;

    fn id(&self) -> TenantId {
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
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn brand(origins: usize) -> Result<Change<Brand>, Refusal> {
        let cors_origins =
            (0..origins).map(|n| format!("https://app{n}.example.com").parse().unwrap()).collect();
        let details = BrandDetails {
            name: Name::new("碧水 Clearwater").unwrap(),
            tz: "Asia/Shanghai".parse().unwrap(),
            locale: Locale::Chinese,
            cors_origins,
            gesture_escalation_hours: EscalationHours::default(),
            obligation_from_bp: ObligationShare::default(),
            personalised_most_bp: usual_personalised_most(),
        };
        let slug = Slug::new("clearwater").unwrap();
        let founding = BrandFounding { slug, currency: Currency::CNY, details };
        Brand::found(Uuid::from_u128(1).into(), founding, now())
    }

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_brand_has_a_sandbox_twin_with_the_same_settings() {
        let live = brand(1).unwrap().record;
        let twin = live.twin(Uuid::from_u128(2).into(), now()).record;
        assert_eq!((live.mode, twin.mode), (TenantMode::Live, TenantMode::Test));
        assert_eq!(twin.sandbox_of, Some(live.id));
        assert_eq!(twin.details, live.details);
    }

    #[test]
    fn a_brand_names_up_to_twenty_origins() {
        assert!(brand(20).is_ok());
        let refusal = brand(21).unwrap_err();
        assert_eq!(refusal.rule.code, "too_many_origins");
        assert_eq!(refusal.facts["count"], 21);
    }

    #[test]
    fn a_suspended_brand_can_only_be_resumed() {
        let suspended = brand(0).unwrap().record.suspend().unwrap().record;
        let refusal = suspended.clone().suspend().unwrap_err();
        assert_eq!(refusal.facts["allowed_transitions"], serde_json::json!(["resume"]));
        let resumed = suspended.resume().unwrap().record;
        assert_eq!(resumed.status, BrandStatus::Active);
        assert!(resumed.resume().is_err());
    }
}
