//! Policies: the name and the rank of what is promised; what is promised stands in the versions.

use super::{SLA_POLICY_RETIRED, SlaVersion, SlaVersionDetails, SlaVersionState};
use crate::{
    change::Change,
    ids::{SlaPolicyId, SlaVersionId},
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Code, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Policies with a published version, at most: all of them are looked through for each complaint.
pub const MOST_SLA_POLICIES: u32 = 50;

whole_numbers! {
    /// Which policy comes first where several apply: the higher one.
    SlaPolicyRank = 0 to 1000, "Which policy comes first where several apply: the higher one.", 100;
}

/// Whether a policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaPolicyStatus {
    /// Its published version counts.
    Active,
    /// None of its versions counts; clocks that began under it go on.
    Retired,
}

impl SlaPolicyStatus {
    fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["retire"],
            Self::Retired => &["reinstate"],
        }
    }
}

/// What a brand says about a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "code": "severe", "name": "严重投诉 Severe complaints", "rank": 200 })))]
pub struct SlaPolicyDetails {
    /// The brand's name for it in programs; no two policies share one.
    pub code: Code,
    /// What people call it.
    pub name: Name,
    /// Which policy comes first where several apply: the higher one; then the one whose version says more; then the
    /// older one.
    pub rank: SlaPolicyRank,
}

/// A policy: what is promised to customers who complain. What it promises stands in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "slp_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "severe", "name": "严重投诉 Severe complaints",
    "rank": 200, "status": "active", "latest_number": 1, "version": 2,
    "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct SlaPolicy {
    /// Its identifier.
    pub id: SlaPolicyId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: SlaPolicyDetails,
    /// Whether it is used.
    pub status: SlaPolicyStatus,
    /// The number of the newest version, whatever its state; 0 before the first draft.
    pub latest_number: u32,
    /// How often the record was changed.
    pub version: Version,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Record for SlaPolicy {
    type Id = SlaPolicyId;

    fn id(&self) -> SlaPolicyId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

impl SlaPolicy {
    /// A policy that has no version yet.
    pub fn create(id: SlaPolicyId, details: SlaPolicyDetails, now: Timestamp) -> Change<Self> {
        let (status, version) = (SlaPolicyStatus::Active, Version::FIRST);
        Change::created(Self { id, details, status, latest_number: 0, version, created_at: now })
    }

    /// Says something else about the policy; its versions stay as they are, and clocks that run too.
    pub fn change(self, details: SlaPolicyDetails) -> Change<Self> {
        Change::edit("change", &self, |it| it.details = details)
    }

    /// Uses it no more.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is retired already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        self.turn("retire", SlaPolicyStatus::Active, SlaPolicyStatus::Retired)
    }

    /// Uses it again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is active already.
    pub fn reinstate(self) -> Result<Change<Self>, Refusal> {
        self.turn("reinstate", SlaPolicyStatus::Retired, SlaPolicyStatus::Active)
    }

    /// Makes sure that its versions count.
    ///
    /// # Errors
    ///
    /// `sla_policy_retired`.
    pub fn require_active(&self) -> Result<(), Refusal> {
        match self.status {
            SlaPolicyStatus::Active => Ok(()),
            SlaPolicyStatus::Retired => {
                Err(Refusal::new(&SLA_POLICY_RETIRED).with("code", &self.details.code))
            }
        }
    }

    /// Begins a new version as a draft. The policy counts its versions, so that no two of them have the same number.
    ///
    /// # Errors
    ///
    /// Those of [`SlaVersionDetails::check`].
    pub fn draft(
        self,
        id: SlaVersionId,
        details: SlaVersionDetails,
        now: Timestamp,
    ) -> Result<(Change<Self>, Change<SlaVersion>), Refusal> {
        details.check()?;
        let number = self.latest_number.saturating_add(1);
        let draft = SlaVersion {
            id,
            sla_policy_id: self.id,
            number,
            state: SlaVersionState::Draft,
            details,
            published_at: None,
            retired_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        let policy = Change::new("draft", Self { latest_number: number, ..self });
        Ok((policy.with("number", number), Change::created(draft).with("number", number)))
    }

    fn turn(
        self,
        verb: &'static str,
        from: SlaPolicyStatus,
        to: SlaPolicyStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.ways_on()));
        }
        Ok(Change::new(verb, Self { status: to, ..self }).moved(from, to))
    }
}
