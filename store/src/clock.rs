//! The clock: the only place where the service learns what time it is.

use domain::time::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the present comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Machine,
    /// A clock that stands still until it is set, for tests.
    Held(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// A clock that stands at `now` until [`Clock::set`].
    pub fn held(now: Timestamp) -> Self {
        Self::Held(Arc::new(Mutex::new(now)))
    }

    /// The present.
    #[expect(clippy::disallowed_methods, reason = "the edge where time is read")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Machine => chrono::Utc::now().into(),
            Self::Held(held) => *held.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a held clock; the machine's stays as it is.
    pub fn set(&self, now: Timestamp) {
        match self {
            Self::Machine => {}
            Self::Held(held) => *held.lock().unwrap_or_else(PoisonError::into_inner) = now,
        }
    }
}
