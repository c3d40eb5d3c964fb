//! Teams: people of a dealer who share a budget.

use crate::{
    change::Change,
    identity::TEAM_OF_ANOTHER_DEALER,
    ids::{DealerId, TeamId},
    record::{Record, Version},
    refusal::Refusal,
    text::Name,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is said about a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "早班 Early shift"})))]
pub struct TeamDetails {
    /// Its name, unique within the dealer.
    pub name: Name,
}

/// A team that is to be formed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "name": "早班 Early shift"})))]
pub struct TeamFormation {
    /// Whose people it is made of.
    pub dealer_id: DealerId,
    /// Its name, unique within the dealer.
    pub name: Name,
}

/// People of a dealer who share a budget. Who is in it stands with each person (`team_id`).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "tea_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "name": "早班 Early shift", "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Team {
    /// Its identifier.
    pub id: TeamId,
    /// Whose people it is made of.
    pub dealer_id: DealerId,
    /// What is said about it.
    #[serde(flatten)]
    pub details: TeamDetails,
    /// How often it was changed.
    pub version: Version,
    /// When it was formed.
    pub created_at: Timestamp,
}

impl Team {
    /// Forms a team.
    pub fn form(id: TeamId, formation: TeamFormation, now: Timestamp) -> Change<Self> {
        let TeamFormation { dealer_id, name } = formation;
        let details = TeamDetails { name };
        Change::created(Self { id, dealer_id, details, version: Version::FIRST, created_at: now })
    }

    /// Expects that it is a team of `dealer`, if one is named.
    ///
    /// # Errors
    ///
    /// `team_of_another_dealer`.
    pub fn expect_of(&self, dealer: Option<DealerId>) -> Result<(), Refusal> {
        match dealer {
            Some(dealer) if dealer != self.dealer_id => {
                Err(Refusal::new(&TEAM_OF_ANOTHER_DEALER).with("team_id", self.id).at("/team_id"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Says something else about it.
    pub fn change(self, details: TeamDetails) -> Change<Self> {
        Change::edit("change", &self, |it| it.details = details)
    }
}

impl Record for Team {
    type Id = TeamId;

    fn id(&self) -> TeamId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        Some(self.dealer_id)
    }
}
