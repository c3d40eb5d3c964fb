//! Buckets that all servers share, in Redis.
//!
//! No request waits for Redis longer than [`SharedPlace::within`]. While Redis does not answer, requests go on at
//! once without it, and the connection is made again beside them.

use super::{
    Level, RateLimits, RateQuota, RateVerdict,
    ahead::{Ahead, Next},
};
use redis::{AsyncConnectionConfig, Client, RedisResult, Script, aio::MultiplexedConnection};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use uuid::Uuid;

/// How long a request waits for the shared buckets: far less than anybody notices.
const SHARED_WITHIN: Duration = Duration::from_millis(50);

/// How long a connection may take. Requests do not wait for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// How long Redis is left alone after it has not answered.
const SHARED_REST: Duration = Duration::from_secs(1);

/// Where servers share their buckets.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedPlace {
    redis_url: String,
    within: Duration,
}

impl SharedPlace {
    /// In the Redis at `redis_url`, for which a request waits 50 milliseconds.
    pub fn at(redis_url: &str) -> Self {
        Self { redis_url: redis_url.to_owned(), within: SHARED_WITHIN }
    }

    /// A request waits so long for an answer.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }
}

impl fmt::Debug for SharedPlace {
    /// The address may carry a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPlace").field("within", &self.within).finish_non_exhaustive()
    }
}

/// Buckets that all servers share.
pub(super) struct Shared {
    redis: Client,
    script: Script,
    within: Duration,
    line: Arc<watch::Sender<Line>>,
    ahead: Ahead,
}

/// The connection to Redis.
#[derive(Clone)]
enum Line {
    /// It is being made for the first time; requests wait a moment for it.
    Opening,
    /// It stands.
    Open(MultiplexedConnection),
    /// It was lost, or could not be made. Nobody waits.
    Down,
}

/// One bucket after the other is looked at; they are charged only when all have room, for as many requests as are
/// asked for and all have room for. The clock is Redis's own, so that servers whose clocks disagree still share. No
/// bucket is emptier than empty: one that says so was filled before that clock was put back, or under another
/// quota. `%.0f` because Lua would round microseconds.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local count = tonumber(ARGV[2 * #KEYS + 1])
local answer, filled, refused = {}, {}, false
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local empty = now + interval * burst
  local kept = tonumber(redis.call('GET', key)) or now
  filled[i] = math.min(math.max(kept, now), empty)
  local room = math.floor((empty - filled[i]) / interval)
  local wait = math.max(filled[i] + interval - empty, 0)
  if wait > 0 then refused = true else count = math.min(count, room) end
  answer[2 * i - 1], answer[2 * i] = wait, room
end
for i, key in ipairs(KEYS) do
  answer[2 * i] = math.max(answer[2 * i] - count, 0)
  if not refused then
    local interval = tonumber(ARGV[2 * i - 1])
    local full_at = filled[i] + interval * count
    redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
  end
end
answer[2 * #KEYS + 1] = refused and 0 or count
return answer
";

impl Shared {
    /// Begins to connect to `place`. Must be called inside the runtime.
    pub(super) fn at(place: &SharedPlace) -> RedisResult<Self> {
        let redis = Client::open(place.redis_url.as_str())?;
        let line = Arc::new(watch::Sender::new(Line::Opening));
        connect(redis.clone(), Arc::downgrade(&line), Duration::ZERO);
        Ok(Self {
            redis,
            script: Script::new(GCRA),
            within: place.within,
            line,
            ahead: Ahead::new(),
        })
    }

    /// Asks Redis, or knows without asking; `None` when it does not answer in time, or has not a moment ago.
    pub(super) async fn check(
        &self,
        limits: RateLimits,
        caller: Uuid,
        tenant: Uuid,
    ) -> Option<RateVerdict> {
        let wanted = match self.ahead.next(limits, caller, tenant).await {
            Next::Known(verdict) => return Some(verdict),
            Next::Ask(wanted) => wanted,
        };
        match timeout(self.within, self.ask(limits, (caller, tenant), wanted)).await {
            Ok(Ok(levels)) => {
                let [caller_wait, caller_left, tenant_wait, tenant_left, taken] = levels?;
                let level = |wait, remaining: u64| Level {
                    wait: Duration::from_micros(wait),
                    remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
                };
                let of_caller = level(caller_wait, caller_left);
                let said = RateVerdict::of(limits, of_caller, level(tenant_wait, tenant_left));
                let taken = u32::try_from(taken).unwrap_or(wanted);
                self.ahead.note(caller, tenant, &said, taken).await;
                // What was taken ahead is the caller's still.
                let ahead = taken.saturating_sub(1);
                Some(RateVerdict { remaining: said.remaining.saturating_add(ahead), ..said })
            }
            Ok(Err(fault)) => self.hang_up(&fault),
            Err(elapsed) => self.hang_up(&elapsed),
        }
    }

    /// Charges both buckets for up to `wanted` requests, or neither; answers nothing when there is no connection.
    async fn ask(
        &self,
        limits: RateLimits,
        (caller, tenant): (Uuid, Uuid),
        wanted: u32,
    ) -> RedisResult<Option<[u64; 5]>> {
        let Some(mut connection) = self.connection().await else { return Ok(None) };
        let micros = |quota: RateQuota| {
            u64::try_from(quota.interval().as_micros()).unwrap_or(u64::MAX).max(1)
        };
        // The braces keep both buckets on one node of a Redis cluster.
        let levels = self
            .script
            .key(format!("aftercare:rate:{{{tenant}}}:{caller}"))
            .key(format!("aftercare:rate:{{{tenant}}}"))
            .arg(micros(limits.caller))
            .arg(limits.caller.burst.get())
            .arg(micros(limits.tenant))
            .arg(limits.tenant.burst.get())
            .arg(wanted)
            .invoke_async(&mut connection)
            .await?;
        Ok(Some(levels))
    }

    async fn connection(&self) -> Option<MultiplexedConnection> {
        let mut line = self.line.subscribe();
        match &*line.wait_for(|line| !matches!(line, Line::Opening)).await.ok()? {
            Line::Open(connection) => Some(connection.clone()),
            Line::Opening | Line::Down => None,
        }
    }

    /// Gives the connection up, because something went wrong on it, and makes another one in a while.
    fn hang_up(&self, fault: &dyn std::error::Error) -> Option<RateVerdict> {
        let was_open = self.line.send_if_modified(|line| {
            let is_open = matches!(line, Line::Open(_));
            if is_open {
                *line = Line::Down;
            }
            is_open
        });
        if was_open {
            tracing::warn!(%fault, "rate limits are kept in this process: Redis does not answer");
            connect(self.redis.clone(), Arc::downgrade(&self.line), SHARED_REST);
        }
        None
    }
}

/// Makes a connection after a `pause`, and tries again until it stands or nobody wants it any more.
#[expect(clippy::disallowed_methods, reason = "requests must not wait for it")]
fn connect(redis: Client, line: Weak<watch::Sender<Line>>, pause: Duration) {
    let connecting = tokio::spawn(async move {
        sleep(pause).await;
        // Each request is timed where it waits.
        let untimed = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(None);
        loop {
            let made = redis.get_multiplexed_async_connection_with_config(&untimed).await;
            let Some(line) = line.upgrade() else { return };
            let fault = match made {
                Ok(connection) => {
                    line.send_replace(Line::Open(connection));
                    return;
                }
                Err(fault) => fault,
            };
            if matches!(line.send_replace(Line::Down), Line::Opening) {
                tracing::warn!(%fault, "rate limits are kept in this process: Redis is not there");
            }
            drop(line);
            sleep(SHARED_REST).await;
        }
    });
    drop(connecting);
}
