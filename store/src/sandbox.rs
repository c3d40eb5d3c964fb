//! Table `test_clock`: the time of a sandbox.

use crate::{Failure, Fault, Tenant, listed, table};
use domain::{change::Change, ids::ClockId, sandbox::TestClock, time::Timestamp};
use sea_orm::{ConnectionTrait, EntityTrait as _, Select};

table! {
    /// The clocks of sandboxes, one each.
    test_clock = "test_clock" of TestClock {
        now_at: Timestamp,
        target_at: Timestamp,
        created_at: Timestamp,
    } versioned
}

listed! {
    TestClock = test_clock [CreatedAt;] usually oldest;
}

/// All clocks of the sandbox: one.
pub fn clocks() -> Select<test_clock::Entity> {
    test_clock::Entity::find()
}

impl Tenant {
    /// Sends the sandbox's clock on its way, and the queue with it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn send_clock(&self, change: Change<TestClock>) -> Result<TestClock, Fault> {
        let clock = self.record(change).await?;
        let sql = "UPDATE tenant_queue SET paced_to = $1 WHERE tenant_id = ac.tenant()";
        let target = chrono::DateTime::from(clock.target_at);
        self.work().execute_raw(self.statement(sql, [target.into()])).await?;
        self.wake_on_commit();
        Ok(clock)
    }

    /// The clock `id` has arrived: it shows what it was sent to.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when there is no such clock.
    pub async fn arrive(&self, id: ClockId) -> Result<(), Failure> {
        let clock: TestClock = self.hold(id).await?;
        self.record(clock.arrive()).await?;
        Ok(())
    }

    /// What the sandbox's clock shows.
    pub(crate) async fn test_clock(&self) -> Result<Option<Timestamp>, Fault> {
        let sql = "SELECT now_at FROM test_clock WHERE tenant_id = ac.tenant()";
        let row = self.work().query_one_raw(self.statement(sql, [])).await?;
        let at = row.map(|row| row.try_get::<chrono::DateTime<chrono::Utc>>("", "now_at"));
        Ok(at.transpose()?.map(Into::into))
    }

    /// Moves the sandbox's clock forward to the instant a job was due, so that what happens on the way
    /// happens at its own time. Never moves it back.
    pub(crate) async fn pace_to(&mut self, due_at: Timestamp) -> Result<(), Fault> {
        if due_at <= self.now() {
            return Ok(());
        }
        let sql =
            "UPDATE test_clock SET now_at = greatest(now_at, $1) WHERE tenant_id = ac.tenant()";
        let due = chrono::DateTime::from(due_at);
        self.work().execute_raw(self.statement(sql, [due.into()])).await?;
        self.set_now(due_at);
        Ok(())
    }
}
