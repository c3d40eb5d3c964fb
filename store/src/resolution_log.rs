//! Tables `customer_word`, `resolution_seal` and `resolution_pending`: what customers said of resolutions, and the seals
//! of the entries of the resolution log.

use crate::{
    Failure, Fault, Store, Tenant, complaints::resolution, platform::scope, table, table::Table,
    words,
};
use domain::{
    change::Change,
    complaints::{
        ChainCheck, Complaint, CustomerVerdict, CustomerWord, Flaw, FlawKind, LogEntry, LogHash,
        LogPlace, LogSeal, MOST_SEALED, NotedHead, Resolution,
    },
    ids::{
        ComplaintId, CustomerId, CustomerWordId, DealerId, LogEntryId, ResolutionId, ResponseId,
        TenantId,
    },
    text::Prose,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select, sea_query::ExprTrait as _,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Seals that are read in one go, when many are.
pub const SEALS_AT_ONCE: u64 = 500;

words!(CustomerVerdict);

table! {
    /// What customers said of resolutions.
    customer_word = "customer_word" of CustomerWord {
        complaint_id: ComplaintId,
        complaint_number: String,
        resolution_no: u32,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        verdict: CustomerVerdict,
        text: Option<Prose>,
        response_id: Option<ResponseId>,
        noted_by: String,
        created_at: Timestamp,
    } append_only
}

table! {
    /// The seals of the resolution log.
    resolution_seal = "resolution_seal" of LogSeal {
        resolution_id: Option<ResolutionId>,
        customer_word_id: Option<CustomerWordId>,
        dealer_id: Option<DealerId>,
        serial: u32,
        form: u32,
        previous_hash: LogHash,
        hash: LogHash,
        sealed_at: Timestamp,
    } append_only
}

/// Which resolutions are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those of this dealer's people.
    pub dealer_id: Option<DealerId>,
}

/// Resolutions as `wanted`.
pub fn resolutions(wanted: Wanted) -> Select<resolution::Entity> {
    use resolution::Column as Is;
    resolution::Entity::find()
        .apply_if(wanted.customer_id, |all, id| all.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
}

/// Which sealed entries are wanted: those sealed at `from` or later and before `to`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SealedWanted {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this one.
    pub to: Option<Timestamp>,
}

/// The next seals behind the number `after`, in their order.
pub fn seals(wanted: SealedWanted, after: u32) -> Select<resolution_seal::Entity> {
    use resolution_seal::Column as Is;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    resolution_seal::Entity::find()
        .filter(Is::Serial.gt(after))
        .apply_if(wanted.from, |all, from| all.filter(Is::SealedAt.gte(instant(from))))
        .apply_if(wanted.to, |all, to| all.filter(Is::SealedAt.lt(instant(to))))
        .order_by_asc(Is::Serial)
}

/// Entries that wait for their seal.
#[derive(Debug)]
pub struct Pending {
    /// Where the log has come to.
    pub head: Option<LogPlace>,
    /// The first of those that wait, in the order in which they were written; at most [`MOST_SEALED`].
    pub entries: Vec<LogEntry>,
    /// The first of those that wait beyond.
    pub next: Option<LogEntryId>,
}

impl Tenant {
    /// Records an entry of the resolution log, and that it waits for its seal.
    pub(crate) async fn record_entry<R: Table + Serialize>(
        &self,
        entry: Change<R>,
    ) -> Result<(), Fault> {
        let entry = self.record(entry).await?;
        let sql = "INSERT INTO resolution_pending (tenant_id, id, written_at)
                   VALUES (ac.tenant(), $1, $2)";
        let id: Uuid = entry.id().into();
        let values = [id.into(), chrono::DateTime::<chrono::Utc>::from(self.now()).into()];
        self.work().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// Writes down what a customer said of the resolution that `complaint`, which is held, has reached; the resolution
    /// itself first, when nobody has yet.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn log_word(
        &self,
        complaint: &Complaint,
        word: impl FnOnce(CustomerWordId) -> Change<CustomerWord> + Send,
    ) -> Result<(), Failure> {
        self.log_resolution(complaint).await?;
        // Its identifier comes after that of the resolution, and so does its seal.
        Ok(self.record_entry(word(self.new_id())).await?)
    }

    /// Whether an entry waits for its seal.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn is_pending(&self, entry: LogEntryId) -> Result<bool, Fault> {
        let sql = "SELECT FROM resolution_pending WHERE tenant_id = ac.tenant() AND id = $1";
        let ask = self.statement(sql, [Uuid::from(entry).into()]);
        Ok(self.work().query_one_raw(ask).await?.is_some())
    }

    /// The entries that wait for their seal. Nobody else seals any of the brand's until this tenant is done; whoever
    /// writes one does not wait.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or others have sealed for too long.
    pub async fn hold_pending(&self) -> Result<Pending, Fault> {
        let alone =
            "SELECT pg_advisory_xact_lock(hashtextextended('seal:' || ac.tenant()::text, 0))";
        self.work().execute_raw(self.statement(alone, [])).await?;
        let head = self.log_head().await?;
        let sql = "SELECT id FROM resolution_pending WHERE tenant_id = ac.tenant()
                   ORDER BY id LIMIT $1";
        let most = i64::try_from(MOST_SEALED.saturating_add(1)).unwrap_or(i64::MAX);
        let rows = self.work().query_all_raw(self.statement(sql, [most.into()])).await?;
        let mut ids: Vec<Uuid> =
            rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
        let next = ids.get(MOST_SEALED).map(|id| LogEntryId::from(*id));
        ids.truncate(MOST_SEALED);
        Ok(Pending { head, entries: self.log_entries(ids.into_iter().collect()).await?, next })
    }

    /// Adds seals, behind those that are there; their entries do not wait any more.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when an entry has one already, or another follows on the same entry.
    pub async fn seal(&self, seals: &[LogSeal]) -> Result<(), Fault> {
        if seals.is_empty() {
            return Ok(());
        }
        self.add_all(seals).await?;
        let sql = "DELETE FROM resolution_pending WHERE tenant_id = ac.tenant() AND id = ANY ($1)";
        let ids: Vec<Uuid> = seals.iter().map(|seal| seal.id.into()).collect();
        self.work().execute_raw(self.statement(sql, [ids.into()])).await?;
        Ok(())
    }

    /// The last sealed entry that this caller sees.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn log_head(&self) -> Result<Option<LogPlace>, Fault> {
        let last =
            resolution_seal::Entity::find().order_by_desc(resolution_seal::Column::Serial).limit(1);
        Ok(self.find::<LogSeal>(last).await?.map(|seal| seal.head()))
    }

    /// The entries with these identifiers, in their order.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or a row says what no row can say.
    pub async fn log_entries(&self, ids: BTreeSet<Uuid>) -> Result<Vec<LogEntry>, Fault> {
        let mut lines = self.named::<Resolution>(&ids).await?;
        let mut words = self.named::<CustomerWord>(&ids).await?;
        let entry = |id: Uuid| match (lines.remove(&id), words.remove(&id)) {
            (Some(line), _) => Some(LogEntry::Resolution(Box::new(line))),
            (None, word) => word.map(|word| LogEntry::CustomerWord(Box::new(word))),
        };
        Ok(ids.into_iter().filter_map(entry).collect())
    }

    /// What customers said of these resolutions, in the order in which they said it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn words_on(&self, lines: &[Resolution]) -> Result<Vec<CustomerWord>, Fault> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let about: BTreeSet<_> = lines.iter().map(|line| Uuid::from(line.complaint_id)).collect();
        let words = customer_word::Entity::find()
            .filter(customer_word::Column::ComplaintId.is_in(about))
            .order_by_asc(customer_word::Column::Id);
        self.all::<CustomerWord>(words).await
    }

    /// The next seals as `wanted` behind the number `after`, with the entries that they are about; at most
    /// [`SEALS_AT_ONCE`].
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or a row says what no row can say.
    pub async fn next_sealed(
        &self,
        wanted: SealedWanted,
        after: u32,
    ) -> Result<Vec<(LogSeal, Option<LogEntry>)>, Fault> {
        self.with_entries(self.all(seals(wanted, after).limit(SEALS_AT_ONCE)).await?).await
    }

    async fn with_entries(
        &self,
        seals: Vec<LogSeal>,
    ) -> Result<Vec<(LogSeal, Option<LogEntry>)>, Fault> {
        let entries = self.log_entries(seals.iter().map(|seal| seal.id.into()).collect()).await?;
        let mut entries: BTreeMap<_, _> =
            entries.into_iter().map(|entry| (entry.id(), entry)).collect();
        let with_entry = |seal: LogSeal| {
            let entry = entries.remove(&seal.id);
            (seal, entry)
        };
        Ok(seals.into_iter().map(with_entry).collect())
    }

    /// The seals behind a place, or the first ones, with the entries that they are about.
    async fn sealed_behind(
        &self,
        place: Option<(u32, Uuid)>,
        most: u64,
    ) -> Result<Vec<(LogSeal, Option<LogEntry>)>, Fault> {
        self.with_entries(self.all(behind(place).limit(most)).await?).await
    }

    /// What is wrong with the first seal behind a place, which cannot be read, or whose entry cannot.
    async fn unreadable_behind(&self, place: Option<(u32, Uuid)>) -> Result<Flaw, Fault> {
        let sql = "SELECT s.serial, coalesce(r.complaint_number, w.complaint_number) AS number
                   FROM resolution_seal s
                   LEFT JOIN resolution r ON r.tenant_id = s.tenant_id AND r.id = s.id
                   LEFT JOIN customer_word w ON w.tenant_id = s.tenant_id AND w.id = s.id
                   WHERE s.tenant_id = ac.tenant() AND ($1::integer IS NULL OR (s.serial, s.id) > ($1, $2))
                   ORDER BY s.serial, s.id LIMIT 1";
        let (serial, id) = place.unzip();
        let serial = serial.and_then(|serial| i32::try_from(serial).ok());
        let row =
            self.work().query_one_raw(self.statement(sql, [serial.into(), id.into()])).await?;
        let serial: Option<i32> = row.as_ref().and_then(|row| row.try_get("", "serial").ok());
        let complaint_number = row.and_then(|row| row.try_get("", "number").ok()).flatten();
        let serial = serial.and_then(|serial| u32::try_from(serial).ok());
        Ok(Flaw { serial, complaint_number, kind: FlawKind::Unreadable })
    }

    /// The first entry that has no seal and does not wait for one, or that waits and is not there.
    async fn stray_entry(&self) -> Result<Option<Flaw>, Fault> {
        let sql = "WITH entry AS (
                SELECT tenant_id, id, complaint_number FROM resolution WHERE tenant_id = ac.tenant()
                UNION ALL
                SELECT tenant_id, id, complaint_number FROM customer_word WHERE tenant_id = ac.tenant())
            SELECT p.id IS NULL AS is_there, coalesce(e.id, p.id) AS id, e.complaint_number AS number
            FROM entry e
            FULL JOIN (SELECT tenant_id, id FROM resolution_pending WHERE tenant_id = ac.tenant()) p
                ON p.tenant_id = e.tenant_id AND p.id = e.id
            WHERE e.id IS NULL OR p.id IS NULL AND NOT EXISTS (
                SELECT FROM resolution_seal s WHERE s.tenant_id = e.tenant_id AND s.id = e.id)
            ORDER BY 2 LIMIT 1";
        let Some(row) = self.work().query_one_raw(self.statement(sql, [])).await? else {
            return Ok(None);
        };
        let is_there: bool = row.try_get("", "is_there")?;
        let complaint_number = row.try_get("", "number")?;
        let kind = if is_there { FlawKind::Unlisted } else { FlawKind::Removed };
        Ok(Some(Flaw { serial: None, complaint_number, kind }))
    }

    async fn count_pending(&self) -> Result<u64, Fault> {
        let sql =
            "SELECT count(*) AS waiting FROM resolution_pending WHERE tenant_id = ac.tenant()";
        let row = self.work().query_one_raw(self.statement(sql, [])).await?;
        let waiting: i64 = row.map_or(Ok(0), |row| row.try_get("", "waiting"))?;
        Ok(waiting.unsigned_abs())
    }
}

/// Seals behind a place, whatever their numbers are.
fn behind(place: Option<(u32, Uuid)>) -> Select<resolution_seal::Entity> {
    use resolution_seal::Column as Is;
    let seals = resolution_seal::Entity::find().order_by_asc(Is::Serial).order_by_asc(Is::Id);
    seals.apply_if(place, |all, (serial, id)| {
        let same = Is::Serial.eq(serial).and(Is::Id.gt(id));
        all.filter(Is::Serial.gt(serial).or(same))
    })
}

/// What became of verifying a log.
#[derive(Debug, Clone)]
pub struct LogVerified {
    /// Sealed entries that are as they were sealed, from the first on.
    pub read: u32,
    /// The last of them: its number and hash.
    pub last: Option<(u32, LogHash)>,
    /// Entries that wait for their seal.
    pub waiting: u64,
    /// The first thing that is wrong.
    pub flaw: Option<Flaw>,
}

impl Store {
    /// Verifies the resolution log of a tenant against its seals, from the first entry on, and that it has come by the
    /// head that somebody noted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails. What is wrong with the log is no fault.
    pub async fn verify_log(
        &self,
        tenant: TenantId,
        noted: Option<NotedHead>,
    ) -> Result<LogVerified, Fault> {
        let mut check = ChainCheck::of_all().expecting(noted);
        let mut flaw = self.verify_seals(tenant, &mut check).await?;
        let rest = self.enter(scope(tenant)).await?;
        if flaw.is_none() {
            flaw = check.end().err();
        }
        if flaw.is_none() {
            flaw = rest.stray_entry().await?;
        }
        let waiting = rest.count_pending().await?;
        rest.undo().await?;
        Ok(LogVerified { read: check.read(), last: check.last(), waiting, flaw })
    }

    /// Goes from page to page, each in a transaction of its own; from one that cannot be read, seal by seal.
    async fn verify_seals(
        &self,
        tenant: TenantId,
        check: &mut ChainCheck,
    ) -> Result<Option<Flaw>, Fault> {
        let (mut place, mut most) = (None, SEALS_AT_ONCE);
        loop {
            let reading = self.enter(scope(tenant)).await?;
            let page = match reading.sealed_behind(place, most).await {
                Ok(page) => page,
                Err(fault) if fault.is_unreadable() && most > 1 => {
                    most = 1;
                    continue;
                }
                Err(fault) if fault.is_unreadable() => {
                    return reading.unreadable_behind(place).await.map(Some);
                }
                Err(fault) => return Err(fault),
            };
            reading.undo().await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            place = Some((last.serial, last.id.into()));
            for (seal, entry) in &page {
                if let Err(flaw) = check.follow(seal, entry.as_ref()) {
                    return Ok(Some(flaw));
                }
            }
        }
    }
}
