//! Wake-ups: telling idle workers that there is work, so that they need not ask often.
//!
//! A wake-up carries nothing and may be lost: workers also look by themselves. Inside one process it
//! is a notification; between processes a message on Redis, where there is one.

use redis::{
    AsyncCommands as _, Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// The channel on Redis.
const CHANNEL: &str = "aftercare:wake";
/// How long a wake-up may take on its way to Redis before it is given up.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long Redis may take when the operator asks for it.
const ASKED_WITHIN: Duration = Duration::from_secs(2);

/// Wakes workers, and waits to be woken.
#[derive(Clone, Default)]
pub struct Waker {
    here: Arc<Notify>,
    elsewhere: Option<Elsewhere>,
}

/// The way to other processes.
#[derive(Clone)]
struct Elsewhere {
    client: Client,
    connection: ConnectionManager,
}

/// The address of Redis cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NoRedis(#[from] redis::RedisError);

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waker")
            .field("elsewhere", &self.elsewhere.is_some())
            .finish_non_exhaustive()
    }
}

impl Waker {
    /// A waker that reaches other processes through the Redis at `url` too. The connection is made when
    /// it is needed, and again whenever it is lost.
    ///
    /// # Errors
    ///
    /// [`NoRedis`] when `url` is not the address of a Redis server.
    pub fn through(url: &str) -> Result<Self, NoRedis> {
        let client = Client::open(url)?;
        let settings = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), settings)?;
        Ok(Self { here: Arc::default(), elsewhere: Some(Elsewhere { client, connection }) })
    }

    /// Says that there is work. Never waits, never fails.
    #[expect(clippy::disallowed_methods, reason = "nobody waits for a wake-up, and it may be lost")]
    pub fn wake(&self) {
        self.here.notify_waiters();
        self.here.notify_one();
        let Some(Elsewhere { connection: mut redis, .. }) = self.elsewhere.clone() else { return };
        let sent = tokio::spawn(async move {
            let publish = redis.publish::<_, _, ()>(CHANNEL, "");
            if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, publish).await {
                tracing::debug!(error = %error, "a wake-up was lost");
            }
        });
        drop(sent);
    }

    /// Waits until somebody in this process says that there is work.
    pub async fn woken(&self) {
        self.here.notified().await;
    }

    /// Passes wake-ups of other processes on to this one, for ever. A lost connection is made again.
    pub async fn listen(&self) {
        let Some(Elsewhere { client, .. }) = &self.elsewhere else {
            return std::future::pending().await;
        };
        loop {
            if let Err(error) = self.pass_on(client).await {
                tracing::debug!(error = %error, "wake-ups from Redis are interrupted");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn pass_on(&self, redis: &Client) -> Result<(), redis::RedisError> {
        use futures::StreamExt as _;
        let mut channel = redis.get_async_pubsub().await?;
        channel.subscribe(CHANNEL).await?;
        let mut messages = channel.on_message();
        while messages.next().await.is_some() {
            self.here.notify_waiters();
            self.here.notify_one();
        }
        Ok(())
    }
}

/// Asks the Redis at `url` whether it answers.
///
/// # Errors
///
/// [`NoRedis`] says why not.
pub async fn ask(url: &str) -> Result<(), NoRedis> {
    let settings = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_connection_timeout(Some(ASKED_WITHIN))
        .set_response_timeout(Some(ASKED_WITHIN));
    let mut redis = Client::open(url)?.get_connection_manager_with_config(settings).await?;
    redis.ping::<String>().await?;
    Ok(())
}
