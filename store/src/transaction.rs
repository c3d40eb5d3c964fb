//! One transaction on one connection, safe against callers who go away at any instant.
//!
//! The scope is set in the very message that begins the transaction, so there is no moment at which
//! the transaction is open without it. sqlx 0.9.0 leaves a connection inside an open transaction when
//! its `begin` is cancelled; until BEGIN is confirmed we would rather close the connection than hand it
//! to the next borrower.

use crate::database::Statements;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values,
    sqlx::{
        self, AssertSqlSafe, Database, Executor as _, PgConnection, PgPool, Postgres,
        SqlSafeStr as _, pool::PoolConnection,
    },
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager as _;
use std::sync::Arc;
use tokio::sync::Mutex;

type Manager = <Postgres as Database>::TransactionManager;

/// An open transaction. Dropped before [`Transaction::commit`], it never happened.
#[derive(Debug)]
pub(crate) struct Transaction {
    /// Empty once the transaction has ended. The lock is never contended: it only lends the connection
    /// to one statement at a time behind a shared reference, as sea-orm wants it.
    open: Mutex<Option<Open>>,
    statements: Statements,
}

/// A pooled connection inside a transaction. Dropped while open, ROLLBACK is queued before the
/// connection serves anybody else.
#[derive(Debug)]
struct Open(PoolConnection<Postgres>);

impl Drop for Open {
    fn drop(&mut self) {
        // Does nothing when the transaction has ended.
        Manager::start_rollback(&mut self.0);
    }
}

/// A connection on which BEGIN was sent and not yet confirmed.
struct Beginning(Option<PoolConnection<Postgres>>);

impl Drop for Beginning {
    fn drop(&mut self) {
        if let Some(connection) = self.0.as_mut() {
            connection.close_on_drop();
        }
    }
}

impl Transaction {
    /// Begins with `opening`: BEGIN and every SET LOCAL, in one message and one round trip.
    pub(crate) async fn begin(
        pool: &PgPool,
        statements: Statements,
        opening: String,
    ) -> Result<Self, DbErr> {
        let mut beginning = Beginning(Some(pool.acquire().await.map_err(connection_error)?));
        if let Some(connection) = beginning.0.as_mut() {
            let opening = AssertSqlSafe(opening).into_sql_str();
            Manager::begin(connection, Some(opening)).await.map_err(execution_error)?;
        }
        let open = beginning.0.take().map(Open);
        Ok(Self { open: Mutex::new(open), statements })
    }

    fn query<'q>(&self, statement: &'q Statement) -> sqlx::query::Query<'q, Postgres, SqlxValues> {
        let values = statement.values.clone().unwrap_or(Values(Vec::new()));
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values));
        query.persistent(self.statements == Statements::Prepared)
    }

    /// Makes everything permanent. Given up half-way, it has happened or it has not. The ROLLBACK that is
    /// queued behind it then finds no transaction, which the server remarks on, and changes nothing.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let mut open = self.open.lock().await.take().ok_or_else(ended)?;
        Manager::commit(&mut open.0).await.map_err(execution_error)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut open = self.open.lock().await;
        let connection = connection(&mut open)?;
        self.query(&statement).execute(connection).await.map(Into::into).map_err(execution_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut open = self.open.lock().await;
        let connection = connection(&mut open)?;
        let result = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        result.map(Into::into).map_err(execution_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut open = self.open.lock().await;
        let connection = connection(&mut open)?;
        let row = self.query(&statement).fetch_optional(connection).await.map_err(query_error)?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.open.lock().await;
        let connection = connection(&mut open)?;
        let rows = self.query(&statement).fetch_all(connection).await.map_err(query_error)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

fn connection(open: &mut Option<Open>) -> Result<&mut PgConnection, DbErr> {
    open.as_mut().map(|open| &mut *open.0).ok_or_else(ended)
}

fn ended() -> DbErr {
    DbErr::Custom("the transaction has ended".to_owned())
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn execution_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test asks where its server is")]
mod tests {
    use super::*;
    use sea_orm::sqlx::{Row as _, postgres::PgPoolOptions};
    use std::task::Poll;

    /// A call waits for the database fewer times than this.
    const MOST_WAITS: u64 = 12;
    /// How many callers there are.
    const CALLERS: u64 = 10_000;
    const TENANT: &str = "BEGIN; SET LOCAL ac.tenant = '01900000-0000-7000-8000-000000000001'";

    /// What makes the server take two milliseconds to commit, so that there is a half way on every machine.
    const SLOW_COMMIT: &str = "
        CREATE OR REPLACE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.002); RETURN NULL; END $$;
        CREATE TEMP TABLE slow (n integer) ON COMMIT DROP;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION pg_temp.slow();
        INSERT INTO slow VALUES (1)";

    /// The scope that the next borrower of the connection finds. It lasts as long as the transaction it
    /// was set in, so none means that there is no such transaction either.
    async fn borrowed(pool: &PgPool) -> String {
        let sql = "SELECT coalesce(current_setting('ac.tenant', true), '') AS scope";
        sqlx::query(sql).fetch_one(pool).await.unwrap().get("scope")
    }

    async fn begins(pool: &PgPool) -> Transaction {
        Transaction::begin(pool, Statements::Prepared, TENANT.to_owned()).await.unwrap()
    }

    /// A caller who begins, asks once and commits.
    async fn calls(pool: &PgPool) {
        let transaction = begins(pool).await;
        transaction.execute_unprepared("SELECT 1").await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Goes on with a call until it has waited so often, then goes away; answers whether it ended before.
    async fn waits(call: impl Future<Output = ()>, patience: u64) -> bool {
        let (mut call, mut waited) = (Box::pin(call), 0_u64);
        std::future::poll_fn(|context| {
            if waited == patience {
                return Poll::Ready(false);
            }
            waited = waited.saturating_add(1);
            call.as_mut().poll(context).map(|()| true)
        })
        .await
    }

    async fn pool() -> PgPool {
        let url = std::env::var("AFTERCARE_TEST_DATABASE_URL").expect("./check starts a server");
        let options = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
        options.connect(&url).await.unwrap()
    }

    #[tokio::test]
    async fn a_commit_that_is_given_up_half_way_leaves_nothing_behind() {
        let pool = pool().await;
        let mut given_up = 0;
        for caller in 0..CALLERS.div_euclid(10) {
            let transaction = begins(&pool).await;
            transaction.execute_unprepared(SLOW_COMMIT).await.unwrap();
            let mut commit = Box::pin(async { transaction.commit().await.unwrap() });
            // Once it is sent, or once the server has answered.
            let ended = if caller % 2 == 0 {
                std::future::poll_fn(|cx| Poll::Ready(commit.as_mut().poll(cx).is_ready())).await
            } else {
                waits(commit.as_mut(), 1).await
            };
            drop(commit);
            given_up += u64::from(!ended);
            assert_eq!(borrowed(&pool).await, "", "caller {caller}");
        }
        assert!(given_up > CALLERS.div_euclid(100), "only {given_up} commits were given up");
    }

    #[tokio::test]
    async fn callers_who_go_away_leave_nothing_behind_for_the_next() {
        let pool = pool().await;
        let mut went_away = 0;
        for caller in 0..CALLERS {
            // Every instant at which a call waits for the database is one at which its caller can go.
            let stayed = waits(calls(&pool), caller % MOST_WAITS).await;
            went_away += u64::from(!stayed);
            assert_eq!(borrowed(&pool).await, "", "caller {caller}");
        }
        assert!(
            went_away > CALLERS.div_euclid(10),
            "only {went_away} went away: the test shows nothing"
        );
    }
}
