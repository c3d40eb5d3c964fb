//! Somebody who acts for the brand: a shop, a chain of shops, a service partner.

use crate::{
    change::Change,
    event::{Event, HoursOf},
    identity::Reach,
    ids::DealerId,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code, Name},
    time::{Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a dealer acts for the brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DealerStatus {
    /// It does.
    Active,
    /// It does no longer; its people are not let in, its records stay.
    Closed,
}

/// What the brand says about a dealer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"code": "hangzhou-01", "name": "杭州一店", "tz": "Asia/Shanghai"})))]
#[serde(deny_unknown_fields)]
pub struct DealerDetails {
    /// Its name for programs, unique within the brand.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// Its time zone; the brand's when absent.
    #[serde(default)]
    pub tz: Option<Zone>,
}

/// A dealer of the brand. A dealer's people see their own dealer and no other.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "status": "active", "code": "hangzhou-01", "name": "杭州一店", "tz": "Asia/Shanghai", "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Dealer {
    /// Its identifier.
    pub id: DealerId,
    /// Whether it acts for the brand.
    pub status: DealerStatus,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: DealerDetails,
    /// How often it was changed.
    pub version: Version,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// A dealer's people, or a key for one dealer, would enter another.
pub(super) static DEALERS_ARE_THE_BRANDS: Rule = Rule {
    code: "dealers_are_the_brands",
    kind: Kind::NotYours,
    title: Bilingual { en: "The brand enters dealers", zh: "经销商由品牌方登记" },
    detail: Bilingual {
        en: "You see the dealer {your_dealer_id} only, and so cannot enter others.",
        zh: "您仅可查看经销商 {your_dealer_id}，因此不能登记其他经销商。",
    },
    advice: Bilingual {
        en: "Use credentials of the brand that are not narrowed to a dealer.",
        zh: "请使用未限定经销商的品牌方凭证。",
    },
};

impl Dealer {
    /// Enters a dealer, for who sees the whole brand.
    ///
    /// # Errors
    ///
    /// `dealers_are_the_brands` for who sees one dealer only.
    pub fn enter(
        id: DealerId,
        details: DealerDetails,
        reach: Reach,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if let Some(own) = reach.dealer {
            return Err(Refusal::new(&DEALERS_ARE_THE_BRANDS).with("your_dealer_id", own));
        }
        Ok(Change::created(Self {
            id,
            status: DealerStatus::Active,
            details,
            version: Version::FIRST,
            created_at: now,
        }))
    }

    /// Changes what the brand says about it.
    pub fn change(self, details: DealerDetails) -> Change<Self> {
        let moves = self.details.tz != details.tz;
        let change = Change::edit("change", &self, |it| it.details = details);
        if !moves {
            return change;
        }
        // Where it has no open site it works at the usual hours in this zone.
        let whose = HoursOf::Dealer(self.id);
        change.emits(Event::WorkingHoursChanged { whose, after: None })
    }

    /// Ends the dealer's work for the brand. Its people and its own keys are not let in any more, and the
    /// visits it was to make are given back.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is closed already.
    pub fn close(self) -> Result<Change<Self>, Refusal> {
        let dealer = self.id;
        let change = self.turn("close", DealerStatus::Active, DealerStatus::Closed)?;
        Ok(change.emits(Event::DealerClosed { dealer, after: None }))
    }

    /// Lets a closed dealer work for the brand again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not closed.
    pub fn reopen(self) -> Result<Change<Self>, Refusal> {
        self.turn("reopen", DealerStatus::Closed, DealerStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        from: DealerStatus,
        to: DealerStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to))
    }
}

impl DealerStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["close"],
            Self::Closed => &["reopen"],
        }
    }
}

impl Record for Dealer {
    type Id = DealerId;

    fn id(&self) -> DealerId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        Some(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_brand_enters_a_dealer_closes_it_once_and_reopens_it_once() {
        let details = DealerDetails {
            code: Code::new("hangzhou-01").unwrap(),
            name: Name::new("杭州一店").unwrap(),
            tz: None,
        };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let id = Uuid::from_u128(1).into();
        let narrow = Reach { dealer: Some(Uuid::from_u128(2).into()), technician: None };
        let refusal = Dealer::enter(id, details.clone(), narrow, now).unwrap_err();
        assert_eq!(refusal.rule.code, "dealers_are_the_brands");
        let open = Dealer::enter(id, details, Reach::default(), now).unwrap().record;
        assert!(open.clone().reopen().is_err());
        let closed = open.close().unwrap().record;
        let refusal = closed.clone().close().unwrap_err();
        assert_eq!(refusal.facts["allowed_transitions"], serde_json::json!(["reopen"]));
        assert_eq!(closed.reopen().unwrap().record.status, DealerStatus::Active);
    }
}
