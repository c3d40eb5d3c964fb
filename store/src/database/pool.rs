//! Connections that rest between two uses.
//!
//! sqlx's own pool asks each connection that comes back whether it lives, which costs every request a second wait.
//! Here a connection comes back as it is; one on which something went wrong does not come back at all, and one
//! that rested for long is asked before it is used.

use deadpool::managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult};
use sea_orm::sqlx::{
    self, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use std::time::Duration;
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

/// A connection that rested longer is asked whether it still lives before it is used.
const RESTED: Duration = Duration::from_secs(30);
/// A connection that is older is replaced, so that the server's memory for it is given back.
const LONGEST_LIFE: Duration = Duration::from_mins(30);
/// How long such a connection may take to answer; then the next is tried.
const ANSWER: Duration = Duration::from_millis(300);
/// A connection that nobody has used for so long is closed.
const UNUSED: Duration = Duration::from_mins(10);
/// How often unused and old connections are looked for.
const TIDYING: Duration = Duration::from_mins(1);
/// Between two looks whether all connections have come back.
const LOOK: Duration = Duration::from_millis(10);

/// A connection in use. Dropped, it goes back to rest.
pub(crate) type Pooled = managed::Object<Maker>;

/// The connections of a process.
#[derive(Debug, Clone)]
pub struct Pool(managed::Pool<Maker>);

/// Makes connections, and says which may be used again.
#[derive(Debug)]
pub(crate) struct Maker(PgConnectOptions);

impl managed::Manager for Maker {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // On the heap, because whoever takes a connection carries the room for making one.
        Box::pin(self.0.connect()).await
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if metrics.age() > LONGEST_LIFE {
            return Err(RecycleError::message("it is old"));
        }
        if metrics.last_used() > RESTED {
            let answer = timeout(ANSWER, Box::pin(connection.ping())).await;
            answer.map_err(|_| RecycleError::message("it does not answer"))??;
        }
        Ok(())
    }
}

impl Pool {
    /// At most `most` connections, each made when it is needed first, so that a database that is away for a
    /// moment does not end the program.
    #[expect(
        clippy::expect_used,
        reason = "fails only when it is to limit times and is given no runtime"
    )]
    pub(super) fn of(options: PgConnectOptions, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        // The one that was used last, because most is still warm for it.
        let pool =
            managed::Pool::builder(Maker(options)).max_size(most).queue_mode(QueueMode::Lifo);
        let pool = pool.build().expect("no times are limited here");
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(tidy(pool.weak())));
        }
        Self(pool)
    }

    /// A connection for one use. Waits for one as long as all are in use; whoever asks limits the time.
    pub(crate) async fn take(&self) -> Result<Pooled, sqlx::Error> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed
            | PoolError::Timeout(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => sqlx::Error::PoolClosed,
        })
    }

    /// Closes all connections; those in use when they come back.
    pub(crate) async fn close(&self) {
        self.0.close();
        while self.0.status().size > 0 {
            // One that came back for somebody who waits no more rests here.
            drop(self.0.retain(|_, _| false));
            sleep(LOOK).await;
        }
    }
}

/// Closes connections that nobody needs any more, as long as there is the pool.
async fn tidy(pool: managed::WeakPool<Maker>) {
    loop {
        sleep(TIDYING).await;
        let Some(pool) = pool.upgrade() else { return };
        drop(
            pool.retain(|_, metrics| metrics.age() < LONGEST_LIFE && metrics.last_used() < UNUSED),
        );
    }
}

/// Ends a connection for good: what was said on it last is not known to have been heard.
pub(crate) fn give_up(connection: Pooled) {
    drop(Pooled::take(connection));
}
