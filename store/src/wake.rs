//! Wake-ups: telling idle workers that there is work, so that they need not ask often.
//!
//! A wake-up carries nothing and may be lost: workers also look by themselves. Inside one process it
//! is a notification; between processes a message on Redis, where there is one.

use redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, RedisResult, Value,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// How long Redis may take to answer. Nobody waits for it; a connection on which it is silent for longer
/// is replaced.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long Redis is left alone after it did not answer.
const REST: Duration = Duration::from_secs(1);
/// A connection on which there was no wake-up for so long is asked whether it still lives: nothing else
/// tells silence from a network that swallows everything.
const SILENCE: Duration = Duration::from_secs(15);

/// Wakes the worker of this process and those of others, and waits to be woken.
#[derive(Clone, Default)]
pub struct Waker {
    here: Arc<Notify>,
    elsewhere: Option<Elsewhere>,
}

/// The way to other processes.
#[derive(Clone)]
struct Elsewhere {
    redis: Client,
    channel: Arc<str>,
    news: watch::Sender<()>,
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
    /// A waker that reaches other processes on the same `database` through the Redis at `url` too. Must be
    /// called inside the runtime: what tells the others runs beside it. The connection is made when it is
    /// needed, and again whenever it is lost.
    ///
    /// Processes on other databases may share the Redis; they do not wake each other.
    ///
    /// # Errors
    ///
    /// [`NoRedis`] when `url` is not the address of a Redis server.
    #[expect(clippy::disallowed_methods, reason = "nobody waits for a wake-up, and it may be lost")]
    pub fn through(url: &str, database: &str) -> Result<Self, NoRedis> {
        let redis = Client::open(url)?;
        let channel: Arc<str> = format!("aftercare:wake:{database}").into();
        let (news, heard) = watch::channel(());
        drop(tokio::spawn(tell(redis.clone(), Arc::clone(&channel), heard)));
        Ok(Self { here: Arc::default(), elsewhere: Some(Elsewhere { redis, channel, news }) })
    }

    /// Says that there is work. Never waits, never fails.
    pub fn wake(&self) {
        self.wake_here();
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.news.send_replace(());
        }
    }

    /// A process has one worker, so one is told; when it is busy it finds the message later.
    fn wake_here(&self) {
        self.here.notify_one();
    }

    /// Waits until somebody says that there is work, here or, while [`Waker::listen`] runs, elsewhere.
    pub async fn woken(&self) {
        self.here.notified().await;
    }

    /// Passes wake-ups of other processes on to this one, for ever. A lost connection is made again.
    pub async fn listen(&self) {
        let Some(elsewhere) = &self.elsewhere else {
            return std::future::pending().await;
        };
        loop {
            if let Err(error) = self.pass_on(elsewhere).await {
                tracing::debug!(error = %error, "wake-ups from Redis are interrupted");
            }
            sleep(REST).await;
        }
    }

    async fn pass_on(&self, elsewhere: &Elsewhere) -> RedisResult<()> {
        use futures::StreamExt as _;
        let (mut sink, mut messages) = within(elsewhere.subscribe()).await?;
        // What was said while nobody listened.
        self.wake_here();
        loop {
            match timeout(SILENCE, messages.next()).await {
                Ok(Some(_)) => self.wake_here(),
                Ok(None) => return Ok(()),
                Err(_) => drop(within(sink.ping::<Value>()).await?),
            }
        }
    }
}

impl Elsewhere {
    async fn subscribe(&self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let mut channel = self.redis.get_async_pubsub().await?;
        channel.subscribe(&*self.channel).await?;
        Ok(channel.split())
    }
}

/// Asks the Redis at `url` whether it answers.
///
/// # Errors
///
/// [`NoRedis`] says why not.
pub async fn ask(url: &str) -> Result<(), NoRedis> {
    let mut redis = within(connect(&Client::open(url)?)).await?;
    within(redis.ping::<String>()).await?;
    Ok(())
}

async fn connect(redis: &Client) -> RedisResult<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    redis.get_multiplexed_async_connection_with_config(&patient).await
}

/// Gives Redis up when it does not answer in time.
async fn within<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let silent = |_| io::Error::from(io::ErrorKind::TimedOut);
    timeout(PATIENCE, answer).await.map_err(silent)?
}

/// Tells other processes what is new, until nobody can have news any more. News that comes while it is being told
/// is told once.
async fn tell(redis: Client, channel: Arc<str>, mut news: watch::Receiver<()>) {
    let mut kept = None;
    while news.changed().await.is_ok() {
        let was_kept = kept.is_some();
        let mut told = within(publish(&redis, &mut kept, &channel)).await;
        if told.is_err() && was_kept {
            // Redis may have closed a connection that rested.
            kept = None;
            told = within(publish(&redis, &mut kept, &channel)).await;
        }
        if let Err(error) = told {
            kept = None;
            tracing::debug!(error = %error, "a wake-up was lost");
            sleep(REST).await;
        }
    }
}

async fn publish(
    redis: &Client,
    kept: &mut Option<MultiplexedConnection>,
    channel: &str,
) -> RedisResult<()> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(connect(redis).await?),
    };
    connection.publish(channel, "").await
}
