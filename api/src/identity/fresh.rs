//! What was looked up a moment ago, and is believed for a moment.

use crate::problem::Problem;
use domain::{identity::STANDING_SECONDS, time::Timestamp};
use moka::future::Cache;
use std::hash::Hash;
use store::{Clock, Fault};

/// The most answers that are kept: one for each caller of a busy server.
const MOST_ANSWERS: u64 = 50_000;

/// Answers that are believed for [`STANDING_SECONDS`] by the service's clock. Many who ask at once wait for one
/// look-up. That there is nothing is never kept.
pub(super) struct Fresh<K, V> {
    answers: Cache<K, Answer<V>>,
    clock: Clock,
}

/// What was found, and when.
#[derive(Clone)]
struct Answer<V> {
    value: V,
    found_at: Timestamp,
}

/// Why there is no answer.
enum Nothing {
    /// There is none.
    Absent,
    /// It could not be looked up.
    Fault(Fault),
}

impl<K, V> Fresh<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Knows nothing yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self { answers: Cache::new(MOST_ANSWERS), clock }
    }

    /// The answer for `key`, looked up by `look_up` when it is not known or not believed any more.
    pub(super) async fn get<F>(&self, key: K, look_up: F) -> Result<Option<V>, Problem>
    where
        F: Future<Output = Result<Option<V>, Fault>>,
    {
        let now = self.clock.now();
        let known = self.answers.get(&key).await;
        // An answer from the future was found before the clock was put back; nobody knows its age.
        let fresh = 0..STANDING_SECONDS;
        if known.is_some_and(|answer| !fresh.contains(&now.seconds_since(answer.found_at))) {
            self.answers.invalidate(&key).await;
        }
        let found = self.answers.try_get_with(key, async {
            match look_up.await {
                Ok(Some(value)) => Ok(Answer { value, found_at: now }),
                Ok(None) => Err(Nothing::Absent),
                Err(fault) => Err(Nothing::Fault(fault)),
            }
        });
        match found.await {
            Ok(answer) => Ok(Some(answer.value)),
            Err(nothing) => match nothing.as_ref() {
                Nothing::Absent => Ok(None),
                Nothing::Fault(fault) => Err(fault.into()),
            },
        }
    }
}
