//! How often a caller may call: a bucket for each caller and one for each brand (GCRA), so that neither one
//! key nor one brand takes what belongs to all.
//!
//! The buckets stand in Redis, where all servers share them; or in this process, when there is no Redis or it does
//! not answer at once. Nothing waits for Redis longer than [`SHARED_WITHIN`], and then not again for a while.

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::HashMapStateStore,
};
use redis::{
    Client, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use uuid::Uuid;

/// How long a request waits for the shared buckets: far less than anybody notices.
const SHARED_WITHIN: Duration = Duration::from_millis(50);

/// How long a connection may take; requests do not wait for it, they go on after [`SHARED_WITHIN`].
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

/// How long this process keeps to itself after Redis has not answered.
const SHARED_REST: Duration = Duration::from_secs(1);

/// How often buckets that are full again are thrown away, in requests.
const SWEEP_EVERY: u32 = 10_000;

/// How often something may happen: so many times at once, and then so many times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateQuota {
    /// How many times at once.
    pub burst: NonZeroU32,
    /// How many times a second after that.
    pub per_second: NonZeroU32,
}

impl RateQuota {
    /// The time after which one more is allowed.
    fn interval(self) -> Duration {
        Duration::from_nanos(1_000_000_000_u64.div_euclid(u64::from(self.per_second.get())))
    }

    fn quota(self) -> Option<Quota> {
        Some(Quota::with_period(self.interval())?.allow_burst(self.burst))
    }

    /// Whole seconds in which an empty bucket fills.
    fn window_seconds(self) -> u64 {
        ceil_seconds(self.interval().saturating_mul(self.burst.get())).max(1)
    }
}

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Of one key or one person.
    pub caller: RateQuota,
    /// Of all keys and people of one brand.
    pub tenant: RateQuota,
}

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// The caller's.
    Caller,
    /// The brand's.
    Tenant,
}

impl Bucket {
    /// Its name in `RateLimit-Policy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Tenant => "tenant",
        }
    }
}

/// What is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    remaining: u32,
    wait: Duration,
}

/// Whether a request may go on, and what the caller is told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateVerdict {
    /// The bucket that has least left.
    pub bucket: Bucket,
    /// Its limit.
    pub quota: RateQuota,
    /// How many more requests it lets through at once.
    pub remaining: u32,
    /// When it lets one through again; zero when this request may go on.
    pub wait: Duration,
}

impl RateVerdict {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.wait.is_zero()
    }

    /// Whole seconds to wait, at least one when the request may not go on.
    pub fn wait_seconds(&self) -> u64 {
        ceil_seconds(self.wait)
    }

    /// Whole seconds until the bucket is full again.
    pub fn reset_seconds(&self) -> u64 {
        let missing = self.quota.burst.get().saturating_sub(self.remaining);
        ceil_seconds(self.quota.interval().saturating_mul(missing))
    }

    /// The bucket that stops the request, or else the one with less left.
    fn of(limits: RateLimits, caller: Level, tenant: Level) -> Self {
        let is_callers = match (caller.wait.is_zero(), tenant.wait.is_zero()) {
            (true, true) => caller.remaining <= tenant.remaining,
            (caller_goes, tenant_goes) => {
                !caller_goes && (tenant_goes || caller.wait >= tenant.wait)
            }
        };
        let (bucket, quota, level) = if is_callers {
            (Bucket::Caller, limits.caller, caller)
        } else {
            (Bucket::Tenant, limits.tenant, tenant)
        };
        Self { bucket, quota, remaining: level.remaining, wait: level.wait }
    }
}

fn ceil_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

type Buckets<C> = RateLimiter<Uuid, HashMapStateStore<Uuid>, C, StateInformationMiddleware>;

/// Buckets in this process.
struct Local<C: Clock> {
    clock: C,
    limits: RateLimits,
    callers: Option<Buckets<C>>,
    tenants: Option<Buckets<C>>,
    checks: AtomicU32,
}

impl<C: Clock + Clone> Local<C> {
    #[expect(clippy::needless_pass_by_value, reason = "a clock is a handle, handed over")]
    fn new(limits: RateLimits, clock: C) -> Self {
        let buckets = |quota: RateQuota| {
            let buckets = RateLimiter::hashmap_with_clock(quota.quota()?, clock.clone());
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

    fn check(&self, caller: Uuid, tenant: Uuid) -> RateVerdict {
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

/// Buckets that all servers share.
struct Shared {
    redis: ConnectionManager,
    script: Script,
    rests_until: watch::Sender<Option<Instant>>,
}

/// One bucket after the other is looked at; they are charged only when all have room. The clock is
/// Redis's own, so that servers whose clocks disagree still share. `%.0f` because Lua would round microseconds.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, charged, refused = {}, {}, false
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local full_at = math.max(tonumber(redis.call('GET', key)) or now, now) + interval
  local wait = math.max(full_at - interval * burst - now, 0)
  local left = 0
  if wait > 0 then refused = true else left = math.floor((now + interval * burst - full_at) / interval) end
  charged[i] = full_at
  answer[2 * i - 1], answer[2 * i] = wait, left
end
if not refused then
  for i, key in ipairs(KEYS) do
    local lasts = math.ceil((charged[i] - now) / 1000)
    redis.call('SET', key, string.format('%.0f', charged[i]), 'PX', lasts)
  end
end
return answer
";

impl Shared {
    fn through(url: &str) -> redis::RedisResult<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(SHARED_WITHIN));
        let redis = ConnectionManager::new_lazy_with_config(Client::open(url)?, settings)?;
        Ok(Self { redis, script: Script::new(GCRA), rests_until: watch::Sender::new(None) })
    }

    /// Asks Redis, unless it has just failed to answer; `None` when it does not answer in time.
    async fn check(&self, limits: RateLimits, caller: Uuid, tenant: Uuid) -> Option<RateVerdict> {
        if self.rests_until.borrow().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match timeout(SHARED_WITHIN, self.ask(limits, caller, tenant)).await {
            Ok(Ok([caller_wait, caller_left, tenant_wait, tenant_left])) => {
                let level = |wait, remaining: u64| Level {
                    wait: Duration::from_micros(wait),
                    remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
                };
                let caller = level(caller_wait, caller_left);
                Some(RateVerdict::of(limits, caller, level(tenant_wait, tenant_left)))
            }
            Ok(Err(fault)) => self.rest(&fault),
            Err(elapsed) => self.rest(&elapsed),
        }
    }

    async fn ask(
        &self,
        limits: RateLimits,
        caller: Uuid,
        tenant: Uuid,
    ) -> redis::RedisResult<[u64; 4]> {
        let micros = |quota: RateQuota| {
            u64::try_from(quota.interval().as_micros()).unwrap_or(u64::MAX).max(1)
        };
        // The braces keep both buckets on one node of a Redis cluster.
        self.script
            .key(format!("aftercare:rate:{{{tenant}}}:{caller}"))
            .key(format!("aftercare:rate:{{{tenant}}}"))
            .arg(micros(limits.caller))
            .arg(limits.caller.burst.get())
            .arg(micros(limits.tenant))
            .arg(limits.tenant.burst.get())
            .invoke_async(&mut self.redis.clone())
            .await
    }

    fn rest(&self, fault: &dyn std::error::Error) -> Option<RateVerdict> {
        tracing::warn!(%fault, "rate limits are kept in this process: Redis does not answer");
        let until = Instant::now().checked_add(SHARED_REST);
        self.rests_until.send_replace(until);
        None
    }
}

/// Says who may call now.
pub struct RateGate {
    limits: RateLimits,
    local: Local<DefaultClock>,
    shared: Option<Shared>,
}

impl RateGate {
    /// Prepares the buckets: in the Redis at `redis_url`, if there is one, or in this process. The connection
    /// is made when it is needed, and again whenever it is lost.
    ///
    /// # Errors
    ///
    /// [`redis::RedisError`] when `redis_url` is not the address of a Redis server.
    pub fn new(limits: RateLimits, redis_url: Option<&str>) -> redis::RedisResult<Self> {
        let shared = redis_url.map(Shared::through).transpose()?;
        Ok(Self { limits, local: Local::new(limits, DefaultClock::default()), shared })
    }

    /// The limits, as `RateLimit-Policy` says them.
    pub fn policy(&self) -> String {
        let say = |bucket: Bucket, quota: RateQuota| {
            let (name, burst, window) = (bucket.as_str(), quota.burst, quota.window_seconds());
            format!("\"{name}\";q={burst};w={window}")
        };
        let RateLimits { caller, tenant } = self.limits;
        format!("{}, {}", say(Bucket::Caller, caller), say(Bucket::Tenant, tenant))
    }

    /// Charges one request to the buckets of its caller and its brand.
    pub async fn check(&self, caller: Uuid, tenant: Uuid) -> RateVerdict {
        let shared = match &self.shared {
            Some(shared) => shared.check(self.limits, caller, tenant).await,
            None => None,
        };
        shared.unwrap_or_else(|| self.local.check(caller, tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

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
