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
    pub(super) async fn get<F>(
        &self,
        key: K,
        look_up: impl FnOnce() -> F + Send,
    ) -> Result<Option<V>, Problem>
    where
        F: Future<Output = Result<Option<V>, Fault>> + Send,
    {
        let now = self.clock.now();
        if let Some(answer) = self.answers.get(&key).await {
            // An answer from the future was found before the clock was put back; nobody knows its age.
            if (0..STANDING_SECONDS).contains(&now.seconds_since(answer.found_at)) {
                return Ok(Some(answer.value));
            }
            self.answers.invalidate(&key).await;
        }
        // On the heap: it is large and seldom needed, and every request carries the room for what is not there.
        Box::pin(self.look_up(key, look_up, now)).await
    }

    async fn look_up<F>(
        &self,
        key: K,
        look_up: impl FnOnce() -> F + Send,
        now: Timestamp,
    ) -> Result<Option<V>, Problem>
    where
        F: Future<Output = Result<Option<V>, Fault>> + Send,
    {
        let found = self.answers.try_get_with(key, async {
            match look_up().await {
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
