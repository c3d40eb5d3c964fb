//! Somebody who acts for the brand: a shop, a chain of shops, a service partner.

use crate::{
    change::Change,
    ids::DealerId,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Code, Name},
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

impl Dealer {
    /// Enters a dealer.
    pub fn enter(id: DealerId, details: DealerDetails, now: Timestamp) -> Change<Self> {
        Change::created(Self {
            id,
            status: DealerStatus::Active,
            details,
            version: Version::FIRST,
            created_at: now,
        })
    }

    /// Changes what the brand says about it.
    pub fn change(self, details: DealerDetails) -> Change<Self> {
        Change::new("change", Self { details, ..self })
    }

    /// Ends the dealer's work for the brand. Its people and its own keys are not let in any more.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is closed already.
    pub fn close(self) -> Result<Change<Self>, Refusal> {
        self.turn("close", DealerStatus::Active, DealerStatus::Closed)
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
    fn a_dealer_is_closed_once_and_reopened_once() {
        let details = DealerDetails {
            code: Code::new("hangzhou-01").unwrap(),
            name: Name::new("杭州一店").unwrap(),
            tz: None,
        };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let open = Dealer::enter(Uuid::from_u128(1).into(), details, now).record;
        assert!(open.clone().reopen().is_err());
        let closed = open.close().unwrap().record;
        let refusal = closed.clone().close().unwrap_err();
        assert_eq!(refusal.facts["allowed_transitions"], serde_json::json!(["reopen"]));
        assert_eq!(closed.reopen().unwrap().record.status, DealerStatus::Active);
    }
}
