//! The queue as people see it: what waits, what failed and why, and how it is put back.

use crate::{Fault, Tenant, listed, table, table::word, words};
use domain::{
    change::Change,
    jobs::{Job, JobState},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    Select,
};
use uuid::Uuid;

words!(JobState);

table! {
    /// The queue, as those who look after it see it; payloads are not shown.
    job = "job" of Job {
        kind: String,
        state: JobState,
        due_at: Timestamp,
        attempts: i32,
        crashes: i32,
        last_error: Option<String>,
        created_at: Timestamp,
    } append_only
}

listed! {
    Job = job [CreatedAt; DueAt] usually by DueAt;
}

/// Jobs in `state`, or all of them; those that are due at `due_after` or later and before `due_before`.
pub fn jobs(
    state: Option<JobState>,
    due_after: Option<Timestamp>,
    due_before: Option<Timestamp>,
) -> Select<job::Entity> {
    use job::Column as C;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    job::Entity::find()
        .apply_if(state, |all, state| all.filter(C::State.eq(word(&state))))
        .apply_if(due_after, |all, at| all.filter(C::DueAt.gte(instant(at))))
        .apply_if(due_before, |all, at| all.filter(C::DueAt.lt(instant(at))))
}

/// Days for which finished jobs are kept, for those who ask why.
const KEPT_DAYS: i64 = 30;

impl Tenant {
    /// Puts a dead job back into the queue, as its [`Job::replay`] says.
    ///
    /// # Errors
    ///
    /// [`Fault::Stale`] when it is not dead any more.
    pub async fn replay(&self, change: Change<Job>) -> Result<Job, Fault> {
        let sql = "UPDATE job SET state = 'ready', attempts = 0, crashes = 0, not_before = NULL,
                                  finished_at = NULL
                   WHERE tenant_id = ac.tenant() AND id = $1 AND state = 'dead'";
        let Change { record, action, facts, .. } = change;
        let put_back = self.statement(sql, [Uuid::from(record.id).into()]);
        if self.work().execute_raw(put_back).await?.rows_affected() != 1 {
            return Err(Fault::Stale);
        }
        self.note(&record, action, facts.into()).await?;
        self.wake_on_commit();
        Ok(record)
    }

    /// Forgets jobs that were done long ago; dead ones stay until somebody looks at them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn forget_jobs(&self) -> Result<u64, Fault> {
        let sql =
            "DELETE FROM job WHERE tenant_id = ac.tenant() AND state = 'done' AND due_at < $1";
        let limit = chrono::DateTime::from(self.now().plus_days(-KEPT_DAYS));
        Ok(self.work().execute_raw(self.statement(sql, [limit.into()])).await?.rows_affected())
    }
}
