//! How often a caller may call: a bucket for each caller and one for each brand (GCRA), so that neither one
//! key nor one brand takes what belongs to all.
//!
//! The buckets stand in Redis, where all servers share them ([`shared`]); or in this process, when there is no
//! Redis or it does not answer at once ([`local`]).

mod ahead;
mod local;
mod shared;

use axum::http::HeaderValue;
use governor::clock::DefaultClock;
use local::Local;
use shared::Shared;
use std::{num::NonZeroU32, time::Duration};
use uuid::Uuid;

pub use shared::SharedPlace;

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

/// Says who may call now.
pub struct RateGate {
    limits: RateLimits,
    policy: HeaderValue,
    local: Local<DefaultClock>,
    shared: Option<Shared>,
}

impl RateGate {
    /// Prepares the buckets: where servers share them, if there is such a place, or in this process.
    ///
    /// # Errors
    ///
    /// [`redis::RedisError`] when `place` is not the address of a Redis server.
    pub fn new(limits: RateLimits, place: Option<&SharedPlace>) -> redis::RedisResult<Self> {
        let shared = place.map(Shared::at).transpose()?;
        let local = Local::new(limits, DefaultClock::default());
        let policy = HeaderValue::try_from(policy(limits));
        let policy = policy.unwrap_or_else(|_| HeaderValue::from_static(""));
        Ok(Self { limits, policy, local, shared })
    }

    /// The limits, as `RateLimit-Policy` says them.
    pub fn policy(&self) -> HeaderValue {
        self.policy.clone()
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

fn policy(limits: RateLimits) -> String {
    let say = |bucket: Bucket, quota: RateQuota| {
        let (name, burst, window) = (bucket.as_str(), quota.burst, quota.window_seconds());
        format!("\"{name}\";q={burst};w={window}")
    };
    let RateLimits { caller, tenant } = limits;
    format!("{}, {}", say(Bucket::Caller, caller), say(Bucket::Tenant, tenant))
}
