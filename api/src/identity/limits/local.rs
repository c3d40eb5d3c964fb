//! Buckets in this process.

use super::{Level, RateLimits, RateQuota, RateVerdict};
use governor::{
    NotUntil, Quota, RateLimiter,
    clock::Clock,
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::HashMapStateStore,
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use uuid::Uuid;

/// How often buckets that are full again are thrown away, in requests.
const SWEEP_EVERY: u32 = 10_000;

type Buckets<C> = RateLimiter<Uuid, HashMapStateStore<Uuid>, C, StateInformationMiddleware>;

/// Buckets in this process.
pub(super) struct Local<C: Clock> {
    clock: C,
    limits: RateLimits,
    callers: Option<Buckets<C>>,
    tenants: Option<Buckets<C>>,
    checks: AtomicU32,
}

impl<C: Clock + Clone> Local<C> {
    #[expect(clippy::needless_pass_by_value, reason = "a clock is a handle, handed over")]
    pub(super) fn new(limits: RateLimits, clock: C) -> Self {
        let buckets = |quota: RateQuota| {
            let buckets = RateLimiter::hashmap_with_clock(per_period(quota)?, clock.clone());
            Some(buckets.with_middleware::<StateInformationMiddleware>())
        };
        Self {
            limits,
            callers: buckets(limits.caller),
            tenants: buckets(limits.tenant),
            clock: clock.clone(),
            checks: AtomicU32::new(0),
        }
    }

    pub(super) fn check(&self, caller: Uuid, tenant: Uuid) -> RateVerdict {
        self.sweep();
        let of_caller = self.take(self.callers.as_ref(), caller, self.limits.caller);
        if !of_caller.wait.is_zero() {
            let untouched = Level { remaining: u32::MAX, wait: Duration::ZERO };
            return RateVerdict::of(self.limits, of_caller, untouched);
        }
        let of_tenant = self.take(self.tenants.as_ref(), tenant, self.limits.tenant);
        RateVerdict::of(self.limits, of_caller, of_tenant)
    }

    fn take(&self, buckets: Option<&Buckets<C>>, id: Uuid, quota: RateQuota) -> Level {
        let full = Level { remaining: quota.burst.get(), wait: Duration::ZERO };
        let Some(buckets) = buckets else { return full };
        match buckets.check_key(&id) {
            Ok(snapshot) => Self::passed(&snapshot),
            Err(denied) => self.denied(&denied),
        }
    }

    fn passed(snapshot: &StateSnapshot) -> Level {
        Level { remaining: snapshot.remaining_burst_capacity(), wait: Duration::ZERO }
    }

    fn denied(&self, denied: &NotUntil<C::Instant>) -> Level {
        // At least a nanosecond: a wait of nothing means that the request may go on.
        let wait = denied.wait_time_from(self.clock.now()).max(Duration::from_nanos(1));
        Level { remaining: 0, wait }
    }

    /// Throws away the buckets of callers that have been quiet.
    fn sweep(&self) {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if checks.is_multiple_of(SWEEP_EVERY) {
            for buckets in [&self.callers, &self.tenants].into_iter().flatten() {
                buckets.retain_recent();
                buckets.shrink_to_fit();
            }
        }
    }
}

fn per_period(quota: RateQuota) -> Option<Quota> {
    Some(Quota::with_period(quota.interval())?.allow_burst(quota.burst))
}

#[cfg(test)]
mod tests {
    use super::{super::Bucket, *};
    use governor::clock::FakeRelativeClock;
    use std::num::NonZeroU32;

    fn quota(burst: u32, per_second: u32) -> RateQuota {
        RateQuota {
            burst: NonZeroU32::new(burst).unwrap(),
            per_second: NonZeroU32::new(per_second).unwrap(),
        }
    }

    fn gate() -> (Local<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limits = RateLimits { caller: quota(3, 1), tenant: quota(5, 2) };
        (Local::new(limits, clock.clone()), clock)
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn a_caller_has_a_burst_and_then_a_rhythm() {
        let (gate, clock) = gate();
        let left: Vec<u32> = (0..3).map(|_| gate.check(id(1), id(9)).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let stopped = gate.check(id(1), id(9));
        assert!(!stopped.is_allowed());
        assert_eq!((stopped.bucket, stopped.wait_seconds()), (Bucket::Caller, 1));
        assert_eq!((stopped.reset_seconds(), stopped.quota.window_seconds()), (3, 3));
        clock.advance(Duration::from_millis(999));
        assert!(!gate.check(id(1), id(9)).is_allowed());
        clock.advance(Duration::from_millis(1));
        assert!(gate.check(id(1), id(9)).is_allowed());
    }

    #[test]
    fn the_callers_of_a_brand_share_its_limit_and_no_other_brand_notices() {
        let (gate, _) = gate();
        for n in 0..5 {
            assert!(gate.check(id(n), id(100)).is_allowed(), "{n}");
        }
        let stopped = gate.check(id(5), id(100));
        assert_eq!((stopped.is_allowed(), stopped.bucket), (false, Bucket::Tenant));
        assert!(gate.check(id(6), id(101)).is_allowed());
    }

    #[test]
    fn quiet_callers_are_forgotten() {
        let (gate, clock) = gate();
        for n in 0..u128::from(SWEEP_EVERY) {
            gate.check(id(n), id(n));
        }
        clock.advance(Duration::from_secs(10));
        gate.check(id(1), id(1));
        assert_eq!(gate.callers.as_ref().unwrap().len(), 1);
    }
}
