//! What a process knows of a shared bucket without asking: that it has taken more than one request needs, or
//! that nothing can be taken for a while.
//!
//! A caller who calls often costs one question for many requests, and one who floods costs hardly any. Nothing is
//! let through that was not taken from the bucket; what was taken and not used is lost to the caller. That is never
//! more than one part in [`MOST_OF_BURST`] of the burst each time, and nothing while the bucket is less than half full.

use super::{RateLimits, RateVerdict};
use moka::future::Cache;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// The most that is taken ahead, as a part of what may be called at once: a sixteenth.
const MOST_OF_BURST: u32 = 16;
/// The most that is taken ahead, whatever the burst.
const MOST: u32 = 64;
/// Who has used up what was taken within this time is a frequent caller, and more is taken the next time.
const SOON: Duration = Duration::from_millis(100);
/// What was taken and not used for so long is forgotten.
const LASTS: Duration = Duration::from_secs(1);
/// The most callers of whom anything is known.
const MOST_CALLERS: u64 = 50_000;

/// What is known of all callers.
pub(super) struct Ahead(Cache<(Uuid, Uuid), Arc<Mutex<Known>>>);

/// What is known of one caller.
#[derive(Default)]
struct Known {
    /// What was taken last.
    paid: Option<Paid>,
    /// That nothing can be taken, and since when this is known.
    refused: Option<(RateVerdict, Instant)>,
}

/// Requests that were taken from the bucket.
struct Paid {
    /// What the bucket said.
    said: RateVerdict,
    /// When.
    at: Instant,
    /// How many were taken.
    taken: u32,
    /// How many of them are not used.
    left: u32,
}

/// What to do with a request.
pub(super) enum Next {
    /// It is answered from what is known.
    Known(RateVerdict),
    /// The bucket is asked for so many.
    Ask(u32),
}

impl Ahead {
    pub(super) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST_CALLERS)
                .time_to_idle(LASTS.saturating_mul(10))
                .build(),
        )
    }

    async fn of(&self, bucket: (Uuid, Uuid)) -> Arc<Mutex<Known>> {
        self.0.get_with(bucket, async { Arc::default() }).await
    }

    /// Answers from what is known of the caller, or says how much to ask for.
    pub(super) async fn next(&self, limits: RateLimits, caller: Uuid, tenant: Uuid) -> Next {
        let known = self.of((caller, tenant)).await;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.next(most(limits), Instant::now())
    }

    /// Notes what the bucket said, and how much was taken from it.
    pub(super) async fn note(&self, caller: Uuid, tenant: Uuid, said: &RateVerdict, taken: u32) {
        let known = self.of((caller, tenant)).await;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.note(said, taken, Instant::now());
    }
}

/// How much is taken at once at most.
fn most(limits: RateLimits) -> u32 {
    let burst = limits.caller.burst.min(limits.tenant.burst).get();
    burst.div_euclid(MOST_OF_BURST).clamp(1, MOST)
}

impl Known {
    fn next(&mut self, most: u32, now: Instant) -> Next {
        let since = |at: Instant| now.saturating_duration_since(at);
        if let Some(paid) =
            self.paid.as_mut().filter(|paid| paid.left > 0 && since(paid.at) < LASTS)
        {
            paid.left = paid.left.saturating_sub(1);
            let remaining = paid.said.remaining.saturating_add(paid.left);
            return Next::Known(RateVerdict { remaining, ..paid.said.clone() });
        }
        if let Some((said, at)) = &self.refused {
            let wait = said.wait.saturating_sub(since(*at));
            if !wait.is_zero() {
                return Next::Known(RateVerdict { wait, ..said.clone() });
            }
        }
        let Some(paid) = &mut self.paid else { return Next::Ask(1) };
        let is_soon = since(paid.at) < SOON && paid.has_plenty();
        let wanted = if is_soon { paid.taken.saturating_mul(2).clamp(1, most) } else { 1 };
        // Until the bucket has answered, others of the same caller ask for themselves alone.
        paid.taken = 0;
        Next::Ask(wanted)
    }

    fn note(&mut self, said: &RateVerdict, taken: u32, now: Instant) {
        if !said.is_allowed() {
            self.refused = Some((said.clone(), now));
            return;
        }
        let before = self.paid.take().filter(|paid| now.saturating_duration_since(paid.at) < LASTS);
        let (left, taken_before) = before.map_or((0, 0), |paid| (paid.left, paid.taken));
        let left = left.saturating_add(taken.saturating_sub(1));
        self.paid =
            Some(Paid { said: said.clone(), at: now, taken: taken.max(taken_before), left });
        self.refused = None;
    }
}

impl Paid {
    /// Whether the bucket is so full that what is taken and not used will not be missed.
    fn has_plenty(&self) -> bool {
        self.said.remaining >= self.said.quota.burst.get().div_euclid(2)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Bucket, RateQuota},
        *,
    };
    use std::num::NonZeroU32;

    const MOST_AT_ONCE: u32 = 8;

    fn says(remaining: u32, wait: Duration) -> RateVerdict {
        let quota = RateQuota {
            burst: NonZeroU32::new(128).unwrap(),
            per_second: NonZeroU32::new(10).unwrap(),
        };
        RateVerdict { bucket: Bucket::Caller, quota, remaining, wait }
    }

    /// Calls so often, each call so long after the one before; answers for how much the bucket was asked each time.
    fn calls(known: &mut Known, times: u32, pause: Duration, from: Instant) -> Vec<u32> {
        let (mut now, mut asked) = (from, Vec::new());
        for _ in 0..times {
            if let Next::Ask(wanted) = known.next(MOST_AT_ONCE, now) {
                asked.push(wanted);
                known.note(&says(100, Duration::ZERO), wanted, now);
            }
            now = now.checked_add(pause).unwrap();
        }
        asked
    }

    #[test]
    fn who_calls_often_is_asked_for_ever_less_often_and_never_for_more_than_was_taken() {
        let asked = calls(&mut Known::default(), 31, Duration::from_millis(1), Instant::now());
        assert_eq!(asked, [1, 2, 4, 8, 8, 8]);
        assert_eq!(asked.iter().sum::<u32>(), 31);
    }

    #[test]
    fn who_calls_now_and_then_is_counted_one_by_one() {
        let asked = calls(&mut Known::default(), 4, SOON, Instant::now());
        assert_eq!(asked, [1, 1, 1, 1]);
    }

    #[test]
    fn nothing_is_taken_ahead_from_a_bucket_that_runs_low() {
        let (mut known, now) = (Known::default(), Instant::now());
        known.note(&says(63, Duration::ZERO), 1, now);
        assert!(matches!(known.next(MOST_AT_ONCE, now), Next::Ask(1)));
    }

    #[test]
    fn what_was_taken_is_used_although_another_was_refused_meanwhile() {
        let (mut known, now) = (Known::default(), Instant::now());
        known.note(&says(100, Duration::ZERO), 2, now);
        known.note(&says(0, Duration::from_millis(500)), 0, now);
        let Next::Known(verdict) = known.next(MOST_AT_ONCE, now) else { panic!("it asks") };
        assert!(verdict.is_allowed());
        let Next::Known(verdict) = known.next(MOST_AT_ONCE, now) else { panic!("it asks") };
        assert!(!verdict.is_allowed());
    }

    #[test]
    fn what_was_not_used_is_forgotten() {
        let (mut known, now) = (Known::default(), Instant::now());
        known.note(&says(100, Duration::ZERO), MOST_AT_ONCE, now);
        let later = now.checked_add(LASTS).unwrap();
        assert!(matches!(known.next(MOST_AT_ONCE, later), Next::Ask(1)));
    }

    #[test]
    fn who_is_refused_is_refused_until_the_wait_is_over() {
        let (mut known, now) = (Known::default(), Instant::now());
        let wait = Duration::from_millis(500);
        known.note(&says(0, wait), 0, now);
        let half = now.checked_add(wait.div_f32(2.0)).unwrap();
        let Next::Known(verdict) = known.next(MOST_AT_ONCE, half) else { panic!("it asks") };
        assert_eq!((verdict.is_allowed(), verdict.wait), (false, wait.div_f32(2.0)));
        assert!(matches!(known.next(MOST_AT_ONCE, now.checked_add(wait).unwrap()), Next::Ask(1)));
    }

    #[test]
    fn what_is_said_to_be_left_counts_what_was_taken() {
        let (mut known, now) = (Known::default(), Instant::now());
        known.note(&says(100, Duration::ZERO), MOST_AT_ONCE, now);
        let Next::Known(verdict) = known.next(MOST_AT_ONCE, now) else { panic!("it asks") };
        assert_eq!(verdict.remaining, 106);
    }
}
