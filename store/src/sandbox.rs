//! Table `test_clock`: the time of a sandbox.

use crate::{Fault, Tenant};
use domain::time::Timestamp;
use sea_orm::ConnectionTrait;

impl Tenant {
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
