//! Answers that were given before, so that a request sent twice has one effect.
//!
//! An answer is given again to the caller who got it, and to nobody else: another caller who happens on
//! the same key may see less, and has a request of their own.
//!
//! The answer is written in the transaction of its effect. A lock by the name of the key, held until
//! that transaction ends, tells a request that is still running from one that never ran.

use crate::{Fault, Saved, Scope, Store, Tenant, call::Call};
use domain::identity::Reach;
use sea_orm::{ConnectionTrait, FromQueryResult};

/// How long an answer is kept, by the real clock: in a sandbox, too, callers send a request again within
/// minutes, however far the test clock was moved between.
pub const KEPT_HOURS: i64 = 24;

/// A request with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key the caller made up, unique among the caller's own.
    pub key: String,
    /// The operation and its path.
    pub route: String,
    /// A digest of the body.
    pub fingerprint: Vec<u8>,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers that belong to the answer, by name.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the request runs for the first time, and the key is held for it.
    Nothing,
    /// It is running right now.
    Running,
    /// The key was used for another request.
    Other,
    /// It was answered.
    Answered(Answer),
}

#[derive(FromQueryResult)]
struct Row {
    route: String,
    fingerprint: Vec<u8>,
    status: i32,
    headers: serde_json::Value,
    body: Vec<u8>,
}

impl Store {
    /// Opens a transaction as [`Store::enter`] does, and looks the key of its request up.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database cannot be reached or fails.
    pub async fn enter_keyed(&self, scope: Scope, keyed: &Keyed) -> Result<(Tenant, Known), Fault> {
        let tenant = Tenant::ahead(self, scope).await?;
        let known = tenant.recall(keyed).await?;
        Ok((tenant, known))
    }
}

impl Tenant {
    /// Looks a key up and, when it is new, holds it until this transaction ends. Both in one flight, by a function
    /// whose second statement sees what the holder before has committed.
    async fn recall(&self, keyed: &Keyed) -> Result<Known, Fault> {
        let caller = self.caller();
        let call = Call::of("ac.recall")
            .text(&format!("{}/{caller}/{}", self.id(), keyed.key))
            .text(&caller)
            .text(&keyed.key)
            .instant(self.real_now());
        let Some(row) = self.work().ask_first(call).await?.pop() else { return Ok(Known::Running) };
        if row.try_get::<Option<i32>>("", "status")?.is_none() {
            return Ok(Known::Nothing);
        }
        Row::from_query_result(&row, "")?.compare(keyed)
    }

    /// Makes the work of a keyed request permanent together with the answer that is kept for the key, and hands the
    /// answer over.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database refuses; then nothing has happened.
    pub async fn commit_keyed<T: Send>(
        self,
        keyed: &Keyed,
        kept: &Answer,
        answer: T,
    ) -> Result<Saved<T>, Fault> {
        let call = Call::of("ac.remember")
            .text(&self.caller())
            .text(&keyed.key)
            .text(&keyed.route)
            .bytes(&keyed.fingerprint)
            .number(kept.status)
            .text(&serde_json::to_string(&kept.headers)?)
            .bytes(&kept.body)
            .instant(self.real_now().plus_hours(KEPT_HOURS));
        self.commit_after(Some(call), answer).await
    }

    /// Who asks, and how much they see: the same person with another reach would be answered otherwise.
    fn caller(&self) -> String {
        let Reach { dealer, technician } = self.reach();
        let dealer = dealer.map(|id| id.to_string()).unwrap_or_default();
        let technician = technician.map(|id| id.to_string()).unwrap_or_default();
        format!("{}/{dealer}/{technician}", self.actor())
    }

    /// Forgets answers whose time is over; answers how many they were.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn forget_answers(&self) -> Result<u64, Fault> {
        let sql = "DELETE FROM idempotency WHERE tenant_id = ac.tenant() AND expires_at < $1";
        let now = chrono::DateTime::from(self.real_now());
        Ok(self.work().execute_raw(self.statement(sql, [now.into()])).await?.rows_affected())
    }
}

impl Row {
    fn compare(self, keyed: &Keyed) -> Result<Known, Fault> {
        if self.route != keyed.route || self.fingerprint != keyed.fingerprint {
            return Ok(Known::Other);
        }
        Ok(Known::Answered(Answer {
            status: u16::try_from(self.status).unwrap_or(500),
            headers: serde_json::from_value(self.headers)?,
            body: self.body,
        }))
    }
}
