//! Records: what the service remembers.

use crate::ids::{CustomerId, DealerId, Identifier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often a record was changed, beginning with 1. It is the record's `ETag`, and what `If-Match`
/// is compared with.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, Default,
)]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    /// The version of a record that is written for the first time.
    pub const FIRST: Self = Self(1);

    /// The version after one more change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl From<i64> for Version {
    fn from(version: i64) -> Self {
        Self(version)
    }
}

/// A thing with an identifier that is kept, changed by rules, and told about in a timeline.
pub trait Record: Clone + Send + Sync + 'static {
    /// Its kind of identifier.
    type Id: Identifier;

    /// Its identifier.
    fn id(&self) -> Self::Id;

    /// How often it was changed; [`Version::FIRST`] for records that never change.
    fn version(&self) -> Version {
        Version::FIRST
    }

    /// Sets the version after a save.
    fn set_version(&mut self, _version: Version) {}

    /// The customer whose timeline it belongs to.
    fn customer(&self) -> Option<CustomerId> {
        None
    }

    /// The dealer whose people may see it; `None` for what belongs to the brand.
    fn dealer(&self) -> Option<DealerId> {
        None
    }
}
