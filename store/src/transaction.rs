//! One transaction on one connection, safe against callers who go away at any instant.
//!
//! The scope is set in the very message that begins the transaction, so there is no moment at which
//! the transaction is open without it. That message may ask the first question as well, and the one that commits
//! may carry the last change: a wait less for each. sqlx's own transactions take neither, so BEGIN, COMMIT and
//! ROLLBACK are sent from here. Until BEGIN is confirmed we would rather close a connection whose borrower went away
//! than hand it to the next.

use crate::{
    call::Call,
    database::{
        Pool, Statements,
        pool::{Pooled, give_up},
    },
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values,
    sqlx::{self, AssertSqlSafe, Executor as _, PgConnection, Postgres, postgres::PgRow},
};
use sea_query_sqlx::SqlxValues;
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Mutex, time::timeout};

/// How long a transaction may take to begin, or a look to be answered, with the wait for a connection. Neither waits
/// for much else, so a database that takes longer does not answer, and callers are told within two seconds.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// How long a transaction may take to be undone: longer than a statement that still runs may take. Until then the
/// connection counts, because the server still works for it.
const UNDOING: Duration = Duration::from_secs(12);

/// Where connections come from, and what becomes of statements on them.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pub(crate) pool: Pool,
    pub(crate) statements: Statements,
}

/// A transaction. Dropped before [`Transaction::commit`], it never happened.
#[derive(Debug)]
pub(crate) struct Transaction {
    connections: Connections,
    /// The message that begins it.
    opening: String,
    /// Empty until the first statement. The lock is never contended: it only lends the connection to one statement
    /// at a time behind a shared reference, as sea-orm wants it.
    open: Mutex<Option<Open>>,
}

/// A pooled connection inside a transaction. Dropped before [`Open::end`] has ended it, it is rolled back before the
/// connection serves anybody else.
#[derive(Debug)]
struct Open(Option<Pooled>);

impl Open {
    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Ends the transaction by `sql`; the connection goes back once that is confirmed.
    async fn end(mut self, sql: String) -> Result<(), sqlx::Error> {
        self.connection()?.execute(AssertSqlSafe(sql)).await?;
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else { return };
        let mut lent = Lent(Some(connection));
        let Ok(runtime) = Handle::try_current() else { return };
        drop(runtime.spawn(async move {
            let Ok(connection) = lent.connection() else { return };
            // All answers to what went before are read first.
            let undone = timeout(UNDOING, connection.execute("ROLLBACK")).await;
            if undone.is_ok_and(|undone| undone.is_ok()) {
                drop(lent.whole());
            }
        }));
    }
}

/// A connection on which something was sent that is not confirmed yet. Given up half-way, it is closed.
struct Lent(Option<Pooled>);

impl Lent {
    async fn by(pool: &Pool) -> Result<Self, sqlx::Error> {
        Ok(Self(Some(pool.take().await?)))
    }

    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// The connection, once everything on it is confirmed.
    fn whole(mut self) -> Option<Pooled> {
        self.0.take()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            give_up(connection);
        }
    }
}

/// What a database that answers does in time.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DbErr> {
    // On the heap, because every handler's future holds this one.
    let done = timeout(PATIENCE, Box::pin(work)).await.map_err(|_| sqlx::Error::PoolTimedOut);
    done.flatten().map_err(connection_error)
}

impl Connections {
    /// Begins with `opening`: BEGIN, every SET LOCAL and perhaps a first question, in one message and one round
    /// trip. Answers the rows of that question, too.
    async fn open(&self, opening: String) -> Result<(Open, Vec<PgRow>), DbErr> {
        let begun = async {
            let mut lent = Lent::by(&self.pool).await?;
            let rows = lent.connection()?.fetch_all(AssertSqlSafe(opening)).await?;
            Ok((Open(lent.whole()), rows))
        };
        in_time(begun).await
    }

    /// All rows of one statement that is a transaction of its own. A table whose shape was changed while the
    /// statement waited for it is asked once more.
    async fn ask(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let asked = async {
            match self.asked(statement).await {
                Err(error) if is_of_another_shape(&error) => self.asked(statement).await,
                answer => answer,
            }
        };
        Ok(in_time(asked).await?.into_iter().map(Into::into).collect())
    }

    async fn asked(&self, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lent = Lent::by(&self.pool).await?;
        let rows = self.query(statement).fetch_all(lent.connection()?).await?;
        drop(lent.whole());
        Ok(rows)
    }

    fn query<'q>(&self, statement: &'q Statement) -> sqlx::query::Query<'q, Postgres, SqlxValues> {
        let values = statement.values.clone().unwrap_or(Values(Vec::new()));
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values));
        query.persistent(self.statements == Statements::Prepared)
    }
}

impl Transaction {
    /// Begins with `opening`.
    pub(crate) async fn begin(connections: Connections, opening: String) -> Result<Self, DbErr> {
        let transaction = Self::ahead(connections, opening);
        transaction.begun().await?;
        Ok(transaction)
    }

    /// Will begin with `opening` when the first statement is carried out.
    pub(crate) fn ahead(connections: Connections, opening: String) -> Self {
        Self { connections, opening, open: Mutex::new(None) }
    }

    /// Whether a statement that needs no transaction can go alone: this one has not begun, and no pooler stands in
    /// between, over which a statement outside a transaction would be prepared here and carried out there.
    pub(crate) async fn can_look(&self) -> bool {
        self.connections.statements == Statements::Prepared && self.open.lock().await.is_none()
    }

    /// All rows of one statement that is a transaction of its own.
    pub(crate) async fn look(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connections.ask(statement).await
    }

    /// Begins if it has not yet.
    async fn begun(&self) -> Result<(), DbErr> {
        self.connection(&mut *self.open.lock().await).await.map(drop)
    }

    /// The connection, on which the transaction begins if it has not yet.
    async fn connection<'s>(
        &self,
        open: &'s mut Option<Open>,
    ) -> Result<&'s mut PgConnection, DbErr> {
        let open = match open {
            Some(open) => open,
            None => open.insert(self.connections.open(self.opening.clone()).await?.0),
        };
        open.connection().map_err(connection_error)
    }

    /// All rows of one question, which travels with the message that begins the transaction if it has not begun.
    pub(crate) async fn ask_first(&self, call: Call) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.open.lock().await;
        let rows = if let Some(open) = &mut *open {
            let connection = open.connection().map_err(connection_error)?;
            connection.fetch_all(AssertSqlSafe(call.sql())).await.map_err(query_error)?
        } else {
            let opening = format!("{}; {}", self.opening, call.sql());
            let (begun, rows) = self.connections.open(opening).await?;
            *open = Some(begun);
            rows
        };
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Undoes everything, and waits until it is undone: what it held is free for the next.
    pub(crate) async fn undo(self) -> Result<(), DbErr> {
        self.end("ROLLBACK".to_owned()).await
    }

    /// Makes everything permanent. Given up half-way, it has happened or it has not. The ROLLBACK that is
    /// sent after it then finds no transaction, which the server remarks on, and changes nothing.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.end("COMMIT".to_owned()).await
    }

    /// Carries out `last` and makes everything permanent unless that fails; in one message.
    pub(crate) async fn commit_after(self, last: Call) -> Result<(), DbErr> {
        self.begun().await?;
        self.end(format!("{}; COMMIT", last.sql())).await
    }

    async fn end(self, sql: String) -> Result<(), DbErr> {
        match self.open.into_inner() {
            Some(open) => open.end(sql).await.map_err(execution_error),
            None => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut open = self.open.lock().await;
        let connection = self.connection(&mut open).await?;
        self.connections
            .query(&statement)
            .execute(connection)
            .await
            .map(Into::into)
            .map_err(execution_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut open = self.open.lock().await;
        let connection = self.connection(&mut open).await?;
        let result = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        result.map(Into::into).map_err(execution_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut open = self.open.lock().await;
        let connection = self.connection(&mut open).await?;
        let row = self
            .connections
            .query(&statement)
            .fetch_optional(connection)
            .await
            .map_err(query_error)?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.open.lock().await;
        let connection = self.connection(&mut open).await?;
        let rows =
            self.connections.query(&statement).fetch_all(connection).await.map_err(query_error)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// Whether a function began to answer with rows as its table was, and found them as it is now.
fn is_of_another_shape(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42804"))
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
    use crate::database::Address;
    use sea_orm::sqlx::Row as _;
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
    async fn borrowed(pool: &Pool) -> String {
        let sql = "SELECT coalesce(current_setting('ac.tenant', true), '') AS scope";
        sqlx::query(sql).fetch_one(&mut *pool.take().await.unwrap()).await.unwrap().get("scope")
    }

    async fn begins(pool: &Pool) -> Transaction {
        let connections = Connections { pool: pool.clone(), statements: Statements::Prepared };
        Transaction::begin(connections, TENANT.to_owned()).await.unwrap()
    }

    /// A caller who begins, asks once and commits.
    async fn calls(pool: &Pool) {
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

    fn pool() -> Pool {
        let url = std::env::var("AFTERCARE_TEST_DATABASE_URL").expect("./check starts a server");
        Address::parse(&url).unwrap().pool(1)
    }

    #[tokio::test]
    async fn a_commit_that_is_given_up_half_way_leaves_nothing_behind() {
        let pool = pool();
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
        let pool = pool();
        let mut went_away = 0;
        for caller in 0..CALLERS {
            // Every instant at which a call waits for the database is one at which its caller can go.
            let stayed = waits(calls(&pool), caller % MOST_WAITS).await;
            went_away += u64::from(!stayed);
            assert_eq!(borrowed(&pool).await, "", "caller {caller}");
        }
        assert!(
            went_away > CALLERS.div_euclid(20),
            "only {went_away} went away: the test shows nothing"
        );
    }
}
