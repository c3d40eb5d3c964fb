//! New identifiers and secrets: unforeseeable in production, the same on every run in tests.

use aws_lc_rs::rand;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// Where identifiers and random bytes come from.
#[derive(Debug, Clone, Default)]
pub enum Chance {
    /// Identifiers sorted by the moment of creation, bytes from the system's generator.
    #[default]
    System,
    /// One, two, three: so that a test's output is the same on every run.
    Counted(Arc<AtomicU64>),
}

impl Chance {
    /// A new identifier, version 7.
    #[expect(clippy::disallowed_methods, reason = "the edge where identifiers are made")]
    pub fn id<I: From<Uuid>>(&self) -> I {
        match self {
            Self::System => Uuid::now_v7().into(),
            Self::Counted(count) => Uuid::from_u64_pair(0x7000, next(count) | 1 << 63).into(),
        }
    }

    /// `N` random bytes.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the system has none to give.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        match self {
            Self::System => rand::fill(&mut bytes).map_err(|_| NoRandomness)?,
            Self::Counted(count) => {
                let number = next(count).to_be_bytes();
                bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, n)| *byte = *n);
            }
        }
        Ok(bytes)
    }
}

fn next(count: &AtomicU64) -> u64 {
    count.fetch_add(1, Ordering::Relaxed).saturating_add(1)
}

/// The system's random generator failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct NoRandomness;
