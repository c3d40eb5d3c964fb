//! What a storm has seen, in figures and in sentences.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What was seen; shared by everybody who sees something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report(Arc<Mutex<Seen>>);

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Requests that were sent.
    pub(crate) requests: u64,
    /// Requests that nobody answered.
    pub(crate) unanswered: u64,
    /// Things that callers wanted done, and the answer to each is known or allowed not to be.
    pub(crate) intentions: u64,
    /// Intentions sent again under their key after they had been answered, to compare the answers.
    pub(crate) repeated: u64,
    /// Jobs that lay in the hands of a worker that was lost.
    pub(crate) orphans: u64,
    /// The longest time until one of them was started again.
    pub(crate) longest_orphan: Duration,
    /// The longest time from the last fault until nothing was left to do.
    pub(crate) longest_quiet: Duration,
    /// How often which fault struck.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Broken promises, each in a sentence.
    pub(crate) violations: Vec<String>,
}

impl Report {
    /// Notes something.
    pub(crate) fn note(&self, noting: impl FnOnce(&mut Seen)) {
        noting(&mut self.open());
    }

    /// Notes a broken promise.
    pub(crate) fn violation(&self, sentence: impl Into<String>) {
        self.open().violations.push(sentence.into());
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.open().clone()
    }

    fn open(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Adds what another has seen.
    pub(crate) fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.unanswered = self.unanswered.saturating_add(other.unanswered);
        self.intentions = self.intentions.saturating_add(other.intentions);
        self.repeated = self.repeated.saturating_add(other.repeated);
        self.orphans = self.orphans.saturating_add(other.orphans);
        self.longest_orphan = self.longest_orphan.max(other.longest_orphan);
        self.longest_quiet = self.longest_quiet.max(other.longest_quiet);
        for (fault, times) in other.faults {
            let sum = self.faults.entry(fault).or_default();
            *sum = sum.saturating_add(times);
        }
        self.violations.extend(other.violations);
    }
}
