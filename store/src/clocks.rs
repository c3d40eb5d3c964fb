//! Tables `sla_policy`, `sla_version`, `sla_clock` and `sla_event`: what is promised, and what has come of it.

use crate::{
    Failure, Fault, Missing, Tenant,
    complaints::{complaint, open_states},
    documents, listed, numbers, rows, table,
    table::{Col, word},
    together::{together, upon},
    words,
};
use domain::{
    change::Change,
    clocks::{
        MOST_SLA_POLICIES, SlaApplied, SlaAppliesTo, SlaApplying, SlaBreachAction, SlaCandidate,
        SlaClock, SlaClockState, SlaEvent, SlaEventKind, SlaHours, SlaMatter, SlaMetric,
        SlaMinutes, SlaMove, SlaOpening, SlaPolicy, SlaPolicyDetails, SlaPolicyRank,
        SlaPolicyStatus, SlaPublication, SlaReading, SlaTalk, SlaTarget, SlaVersion,
        SlaVersionDetails, SlaVersionState,
    },
    complaints::{Complaint, ComplaintMessageDirection, Superiors},
    customers::Customer,
    event::{Event, HoursOf},
    findings::FindingKind,
    identity::{Rank, Role},
    ids::{
        AnyId, ComplaintId, CustomerId, DealerId, SlaClockId, SlaPolicyId, SlaVersionId, StaffId,
    },
    text::{Code, Name},
    time::{CivilDate, Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, Statement,
};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, btree_map::Entry};
use uuid::Uuid;

/// The versions that count, as one document; null where there is none. As a part of another question it costs no flight.
pub(crate) const CANDIDATES: &str = "
    SELECT jsonb_agg(jsonb_build_object('sla_policy_id', v.sla_policy_id, 'sla_version_id', v.id, 'rank', p.rank,
                                        'applies_to', v.applies_to, 'targets', v.targets))
    FROM sla_version v JOIN sla_policy p ON p.tenant_id = v.tenant_id AND p.id = v.sla_policy_id
    WHERE v.tenant_id = ac.tenant() AND v.state = 'published' AND p.status = 'active'";

/// Events that are read of one clock: a few warnings, and those that a reopening adds, come to what it may have.
const MOST_READ: u64 = 500;

/// States in which a clock is neither kept nor missed.
const UNDECIDED: [SlaClockState; 2] = [SlaClockState::Running, SlaClockState::Paused];

numbers!(SlaPolicyRank, SlaMinutes);
words!(SlaPolicyStatus, SlaVersionState, SlaClockState, SlaEventKind, SlaMetric);
documents!(SlaAppliesTo, Vec<SlaTarget>, SlaTarget);

table! {
    /// Policies.
    sla_policy = "sla_policy" of SlaPolicy {
        [details: SlaPolicyDetails { code: Code, name: Name, rank: SlaPolicyRank }],
        status: SlaPolicyStatus,
        latest_number: u32,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Versions of policies.
    sla_version = "sla_version" of SlaVersion {
        [details: SlaVersionDetails { applies_to: SlaAppliesTo, targets: Vec<SlaTarget> }],
        sla_policy_id: SlaPolicyId,
        number: u32,
        state: SlaVersionState,
        published_at: Option<Timestamp>,
        retired_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Clocks.
    sla_clock = "sla_clock" of SlaClock {
        complaint_id: ComplaintId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        metric: SlaMetric,
        sla_policy_id: SlaPolicyId,
        sla_version_id: SlaVersionId,
        target: SlaTarget,
        tz: Zone,
        state: SlaClockState,
        started_at: Timestamp,
        due_at: Option<Timestamp>,
        local_due: Option<String>,
        remaining_seconds: Option<i64>,
        next_fire_at: Option<Timestamp>,
        breached_at: Option<Timestamp>,
        met_at: Option<Timestamp>,
        elapsed_seconds: Option<i64>,
        event_count: u32,
        round: u32,
        missed_rounds: u32,
        created_at: Timestamp,
    } versioned
}

table! {
    /// The logs of clocks.
    sla_event = "sla_event" of SlaEvent {
        sla_clock_id: SlaClockId,
        dealer_id: Option<DealerId>,
        number: u32,
        round: u32,
        kind: SlaEventKind,
        at: Timestamp,
        level_seconds: Option<i64>,
        due_at: Option<Timestamp>,
        created_at: Timestamp,
    } append_only
}

listed! {
    SlaPolicy = sla_policy [CreatedAt; Code, Rank] usually newest;
    SlaVersion = sla_version [CreatedAt; Number] usually newest;
    SlaClock = sla_clock [CreatedAt;] usually newest;
}

/// Policies, perhaps only the one with a code, or those that stand somewhere.
pub fn sla_policies(
    code: Option<&Code>,
    status: Option<SlaPolicyStatus>,
) -> Select<sla_policy::Entity> {
    use sla_policy::Column as Is;
    sla_policy::Entity::find()
        .apply_if(code, |all, code| all.filter(Is::Code.eq(&**code)))
        .apply_if(status, |all, status| all.filter(Is::Status.eq(word(&status))))
}

/// Versions of a policy.
pub fn versions_of(policy: SlaPolicyId) -> Select<sla_version::Entity> {
    sla_version::Entity::find().filter(sla_version::Column::SlaPolicyId.eq(Uuid::from(policy)))
}

/// Versions that are in force.
fn published() -> Select<sla_version::Entity> {
    let published = word(&SlaVersionState::Published);
    sla_version::Entity::find().filter(sla_version::Column::State.eq(published))
}

/// Which clocks are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClocksWanted {
    /// Those of one complaint.
    pub complaint_id: Option<ComplaintId>,
    /// Those of complaints that this dealer's people answer.
    pub dealer_id: Option<DealerId>,
    /// Those that stand here.
    pub state: Option<SlaClockState>,
    /// Those that are, or were, due before this instant.
    pub due_before: Option<Timestamp>,
}

/// Clocks as `wanted`.
pub fn sla_clocks(wanted: ClocksWanted) -> Select<sla_clock::Entity> {
    use sla_clock::Column as Is;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    sla_clock::Entity::find()
        .apply_if(wanted.complaint_id, |all, id| all.filter(Is::ComplaintId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.state, |all, state| all.filter(Is::State.eq(word(&state))))
        .apply_if(wanted.due_before, |all, at| all.filter(Is::DueAt.lt(instant(at))))
}

/// All clocks of a complaint.
pub(crate) fn clocks_of(complaint: ComplaintId) -> Select<sla_clock::Entity> {
    sla_clocks(ClocksWanted { complaint_id: Some(complaint), ..ClocksWanted::default() })
}

/// Those clocks of a complaint to which something can still happen.
fn live_clocks(complaint: ComplaintId) -> Select<sla_clock::Entity> {
    use sla_clock::Column as Is;
    let over = [SlaClockState::Met, SlaClockState::MetLate].map(|state| word(&state));
    let runs_on = Is::Metric.eq(word(&SlaMetric::TotalResolution));
    let goes_on = Condition::all()
        .add(Is::State.ne(word(&SlaClockState::Cancelled)))
        .add(Condition::any().add(Is::State.is_not_in(over)).add(runs_on));
    let in_rounds =
        [SlaMetric::NextResponse, SlaMetric::PeriodicUpdate].map(|metric| word(&metric));
    let comes_again = Is::Metric.is_in(in_rounds);
    clocks_of(complaint).filter(Condition::any().add(comes_again).add(goes_on))
}

/// A version in force, as the database tells of it.
#[derive(Debug, Deserialize)]
struct CandidateRow {
    sla_policy_id: Uuid,
    sla_version_id: Uuid,
    rank: u32,
    applies_to: SlaAppliesTo,
    targets: Vec<SlaTarget>,
}

/// What [`CANDIDATES`] has found.
pub(crate) fn candidates(found: Option<serde_json::Value>) -> Result<Vec<SlaCandidate>, Fault> {
    let Some(found) = found else { return Ok(Vec::new()) };
    let rows: Vec<CandidateRow> = serde_json::from_value(found)?;
    let candidate = |row: CandidateRow| SlaCandidate {
        sla_policy_id: row.sla_policy_id.into(),
        sla_version_id: row.sla_version_id.into(),
        rank: row.rank,
        details: SlaVersionDetails { applies_to: row.applies_to, targets: row.targets },
    };
    Ok(rows.into_iter().map(candidate).collect())
}

impl Tenant {
    /// The versions that are in force, of policies that are used.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn sla_candidates(&self) -> Result<Vec<SlaCandidate>, Fault> {
        let sql = format!("SELECT ({CANDIDATES}) AS candidates");
        let row = self.work().query_one_raw(self.statement(&sql, [])).await?;
        candidates(row.map_or(Ok(None), |row| row.try_get("", "candidates"))?)
    }

    /// Finds a version in order to publish it, with its policy, the version that is in force, and how many other
    /// policies have one. Publications wait for each other, so that of two the last that is possible is one.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such version.
    pub async fn hold_for_sla_publication(
        &self,
        id: SlaVersionId,
    ) -> Result<(SlaPolicy, SlaVersion, Option<SlaVersion>, u32), Missing> {
        self.push_alone("sla_policy", "", "publication").await?;
        let policy = self.get::<SlaVersion>(id).await?.sla_policy_id;
        let policy: SlaPolicy = self.hold(policy).await?;
        let version = self.hold(id).await?;
        let own = sla_version::Column::SlaPolicyId;
        let in_force = published().filter(own.eq(Uuid::from(policy.id)));
        let in_force = self.find::<SlaVersion>(in_force).await?;
        let others = published().filter(own.ne(Uuid::from(policy.id)));
        let others = self.count::<SlaVersion>(others, u64::from(MOST_SLA_POLICIES)).await?;
        Ok((policy, version, in_force, u32::try_from(others).unwrap_or(u32::MAX)))
    }

    /// Records that a version is in force now, and the older one no longer.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or one of them was changed meanwhile.
    pub async fn record_sla_publication(
        &self,
        publication: SlaPublication,
    ) -> Result<SlaVersion, Fault> {
        if let Some(retired) = publication.retired {
            self.record(retired).await?;
        }
        self.record(publication.published).await
    }

    /// The version that a complaint follows, if any of those in force is for it, and the hours that count.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn sla_picked<'c>(
        &self,
        in_force: &'c [SlaCandidate],
        matter: &SlaMatter,
    ) -> Result<(Option<&'c SlaCandidate>, SlaHours), Failure> {
        let picked = SlaCandidate::pick(in_force, matter);
        let are_needed = picked.is_some_and(SlaCandidate::needs_calendar);
        Ok((picked, self.sla_hours(matter.dealer_id, are_needed).await?))
    }

    /// The hours that count for people of a dealer; where nobody has to know them, it is not asked.
    async fn sla_hours(
        &self,
        dealer: Option<DealerId>,
        are_needed: bool,
    ) -> Result<SlaHours, Failure> {
        let working = if are_needed { Some(self.calendar_of(dealer).await?) } else { None };
        Ok(SlaHours::of(working))
    }

    /// Records a complaint that arrives with its clocks, in one flight.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`].
    pub async fn open_complaint(&self, opening: SlaOpening) -> Result<Complaint, Fault> {
        let SlaOpening { complaint, clocks } = opening;
        if clocks.is_empty() {
            return self.record(complaint).await;
        }
        let begun: Vec<_> = clocks.iter().map(|one| &one.clock).collect();
        let mut also = vec![rows::inserting(self.id(), &begun, "")?];
        also.extend(self.log_of(&clocks)?);
        self.record_with(complaint, also).await
    }

    /// Records that a complaint has moved on, and what its clocks make of it. The complaint must be held.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`]; `too_many_waits`.
    pub async fn record_progress(&self, change: Change<Complaint>) -> Result<Complaint, Failure> {
        let complaint = self.record(change).await?;
        self.move_clocks(complaint).await
    }

    /// Lets the clocks of a complaint, which must be held, follow what it has come to and what was said about it.
    ///
    /// # Errors
    ///
    /// As [`Tenant::record`]; `too_many_waits`.
    pub(crate) async fn move_clocks(&self, complaint: Complaint) -> Result<Complaint, Failure> {
        let clocks = self.hold_all::<SlaClock>(live_clocks(complaint.id)).await?;
        if clocks.is_empty() {
            return Ok(complaint);
        }
        let in_rounds = clocks.iter().any(|clock| clock.metric.comes_in_rounds());
        let talk =
            if in_rounds { self.talk_about(complaint.id).await? } else { SlaTalk::default() };
        let hours = self.hours_for(&clocks).await?;
        let mut moves = Vec::new();
        for reading in self.sla_readings(clocks).await? {
            let next_id = || self.new_id();
            moves.extend(reading.follow((&complaint, talk), &hours, next_id, self.now())?);
        }
        self.record_moves(complaint, moves).await
    }

    /// What was said about a complaint, as far as its clocks have to know.
    async fn talk_about(&self, complaint: ComplaintId) -> Result<SlaTalk, Fault> {
        let sql = "SELECT DISTINCT ON (direction) direction, id, created_at FROM complaint_message
                   WHERE tenant_id = ac.tenant() AND complaint_id = $1 AND direction <> 'internal'
                   ORDER BY direction, id DESC";
        let (mut heard, mut written) = (None, None);
        let statement = self.statement(sql, [Uuid::from(complaint).into()]);
        for row in self.work().query_all_raw(statement).await? {
            let at = row.try_get::<Col<Timestamp>>("", "created_at")?.0;
            let last = Some((row.try_get::<Uuid>("", "id")?, at));
            match row.try_get::<Col<ComplaintMessageDirection>>("", "direction")?.0 {
                ComplaintMessageDirection::FromCustomer => heard = last,
                ComplaintMessageDirection::ToCustomer => written = last,
                ComplaintMessageDirection::Internal => {}
            }
        }
        Ok(SlaTalk {
            unanswered_at: heard.filter(|last| Some(*last) > written).map(|(_, at)| at),
            written_at: written.map(|(_, at)| at),
        })
    }

    /// Notes what has come due of a clock of a complaint, which must be held. When nothing has, nothing changes.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or there is no such clock.
    pub async fn fire_clock(&self, id: SlaClockId, complaint: Complaint) -> Result<(), Failure> {
        let clock = self.hold::<SlaClock>(id).await?;
        if clock.next_fire_at.is_none_or(|at| at > self.now()) {
            return Ok(());
        }
        let clocks = vec![clock];
        let hours = self.hours_for(&clocks).await?;
        let readings = self.sla_readings(clocks).await?.into_iter();
        let moves = readings.filter_map(|one| one.fire(&hours, || self.new_id(), self.now()));
        self.record_moves(complaint, moves.collect()).await?;
        Ok(())
    }

    /// Counts anew, by the hours of today, the clocks in working time of the next `most` complaints behind `after`, in the
    /// order of identifiers, that are still due by the hours which have changed; what stands still too. What was missed
    /// stays. Answers up to which complaint it is done; nothing when there was none.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn recount_clocks(
        &self,
        whose: HoursOf,
        after: Option<ComplaintId>,
        most: u32,
    ) -> Result<Option<ComplaintId>, Failure> {
        let found = self.due_by_hours_of(whose, after, most).await?;
        let Some(last) = found.last().copied() else { return Ok(None) };
        let named = complaint::Entity::find().filter(complaint::Column::Id.is_in(found.clone()));
        let complaints = self.hold_all::<Complaint>(named).await?;
        let due = sla_clock::Entity::find()
            .filter(sla_clock::Column::ComplaintId.is_in(found))
            .filter(sla_clock::Column::State.is_in(UNDECIDED.map(|state| word(&state))));
        let mut clocks: BTreeMap<ComplaintId, Vec<SlaClock>> = BTreeMap::new();
        for clock in self.hold_all::<SlaClock>(due).await? {
            clocks.entry(clock.complaint_id).or_default().push(clock);
        }
        let mut known: BTreeMap<Option<DealerId>, SlaHours> = BTreeMap::new();
        for complaint in complaints {
            let Some(theirs) = clocks.remove(&complaint.id) else { continue };
            let dealer = complaint.details.dealer_id;
            let hours = match known.entry(dealer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.sla_hours(dealer, true).await?),
            };
            self.recount(complaint, theirs, hours).await?;
        }
        Ok(Some(last.into()))
    }

    /// The next complaints with clocks that are due in the working time of `whose` people.
    async fn due_by_hours_of(
        &self,
        whose: HoursOf,
        after: Option<ComplaintId>,
        most: u32,
    ) -> Result<Vec<Uuid>, Fault> {
        let (theirs, id) = match whose {
            HoursOf::Calendar(id) => (
                "k.dealer_id IN (SELECT s.dealer_id FROM site s
                     WHERE s.tenant_id = ac.tenant() AND s.calendar_id = $3 AND s.status = 'active')",
                Some(Uuid::from(id)),
            ),
            HoursOf::Dealer(id) => ("k.dealer_id = $3", Some(Uuid::from(id))),
            HoursOf::Brand => (
                "$3::uuid IS NULL AND NOT EXISTS (SELECT FROM site s
                     WHERE s.tenant_id = ac.tenant() AND s.dealer_id = k.dealer_id AND s.status = 'active')",
                None,
            ),
        };
        let sql = format!(
            "SELECT DISTINCT k.complaint_id FROM sla_clock k
             WHERE k.tenant_id = ac.tenant() AND k.state IN ('running', 'paused')
               AND (k.target ->> 'working_time')::boolean AND {theirs}
               AND ($2::uuid IS NULL OR k.complaint_id > $2)
             ORDER BY k.complaint_id LIMIT $1"
        );
        let values = [i64::from(most).into(), after.map(Uuid::from).into(), id.into()];
        let rows = self.work().query_all_raw(self.statement(&sql, values)).await?;
        let id = |row: &sea_orm::QueryResult| row.try_get::<Uuid>("", "complaint_id");
        Ok(rows.iter().map(id).collect::<Result<_, DbErr>>()?)
    }

    /// Counts the clocks of one complaint anew, both of which are held.
    async fn recount(
        &self,
        complaint: Complaint,
        clocks: Vec<SlaClock>,
        hours: &SlaHours,
    ) -> Result<(), Failure> {
        let before: BTreeMap<_, _> = clocks.iter().map(|clock| (clock.id, clock.due_at)).collect();
        let readings = self.sla_readings(clocks).await?.into_iter();
        let moves = readings.filter_map(|one| one.fire(hours, || self.new_id(), self.now()));
        let moves: Vec<_> = moves.collect();
        for moved in &moves {
            let clock = &moved.clock;
            let was = before.get(&clock.id).copied().flatten();
            if was != clock.due_at {
                let facts = json!({ "metric": clock.metric, "sla_clock_id": clock.id,
                    "from": was, "to": clock.due_at });
                self.note(&complaint, "move_deadline", facts).await?;
            }
        }
        self.record_moves(complaint, moves).await?;
        Ok(())
    }

    /// Lets the first answer to a complaint be due with its clock, when that is among those that were counted anew.
    async fn answer_with(
        &self,
        complaint: Complaint,
        clocks: &[SlaClock],
    ) -> Result<Complaint, Fault> {
        let change = clocks.iter().find_map(|clock| complaint.clone().answer_with(clock));
        match change {
            Some(change) => self.record(change).await,
            None => Ok(complaint),
        }
    }

    /// Applies to a complaint, which must be held, the version that it would follow if it arrived now.
    ///
    /// # Errors
    ///
    /// `illegal_transition`, `no_sla_policy_applies`, `sla_log_full`, `too_many_waits`.
    pub async fn apply_sla_policy(&self, complaint: Complaint) -> Result<Complaint, Failure> {
        let customer: Customer = self.get(complaint.details.customer_id).await?;
        let matter = SlaMatter::of(&complaint.details, customer.details.tier);
        let in_force = self.sla_candidates().await?;
        let picked = SlaApplying::check(&complaint, SlaCandidate::pick(&in_force, &matter))?;
        let clocks = self.hold_all::<SlaClock>(clocks_of(complaint.id)).await?;
        let are_needed =
            picked.needs_calendar() || clocks.iter().any(|clock| clock.target.working_time);
        let hours = self.sla_hours(matter.dealer_id, are_needed).await?;
        let readings = self.sla_readings(clocks).await?;

        let talk = self.talk_about(complaint.id).await?;
        let applying =
            SlaApplying { picked, complaint: &complaint, talk, hours: &hours, now: self.now() };
        let applied = applying.to(readings, || self.new_id())?;

        self.record_applied(complaint, picked, applied).await
    }

    async fn record_applied(
        &self,
        mut complaint: Complaint,
        picked: &SlaCandidate,
        applied: SlaApplied,
    ) -> Result<Complaint, Failure> {
        let SlaApplied { moved, begun } = applied;
        if moved.is_empty() && begun.is_empty() {
            return Ok(complaint);
        }
        let metrics: Vec<_> = moved.iter().chain(&begun).map(|one| one.clock.metric).collect();
        let facts = json!({ "sla_policy_id": picked.sla_policy_id,
            "sla_version_id": picked.sla_version_id, "metrics": metrics });
        self.note(&complaint, "apply_policy", facts).await?;
        let clocks: Vec<_> = moved.iter().chain(&begun).map(|one| one.clock.clone()).collect();
        complaint = self.record_moves(complaint, moved).await?;
        if !begun.is_empty() {
            let new: Vec<_> = begun.iter().map(|one| &one.clock).collect();
            let mut statements = vec![rows::inserting(self.id(), &new, "")?];
            statements.extend(self.log_of(&begun)?);
            self.work().execute_raw(together(statements)).await?;
            for one in &begun {
                complaint = self.follow_up_move(complaint, one).await?;
            }
        }
        Ok(self.answer_with(complaint, &clocks).await?)
    }

    /// Clocks with their logs.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a row cannot be read.
    pub async fn sla_readings(&self, clocks: Vec<SlaClock>) -> Result<Vec<SlaReading>, Fault> {
        use sla_event::Column as Is;
        let most = MOST_READ.saturating_mul(u64::try_from(clocks.len()).unwrap_or(u64::MAX));
        let events = sla_event::Entity::find()
            .filter(Is::SlaClockId.is_in(clocks.iter().map(|clock| Uuid::from(clock.id))))
            .order_by_asc(Is::SlaClockId)
            .order_by_asc(Is::Number)
            .limit(most);
        let mut logs: BTreeMap<SlaClockId, Vec<SlaEvent>> = BTreeMap::new();
        for event in self.all::<SlaEvent>(events).await? {
            logs.entry(event.sla_clock_id).or_default().push(event);
        }
        let reading = |clock: SlaClock| {
            let events = logs.remove(&clock.id).unwrap_or_default();
            SlaReading { clock, events }
        };
        Ok(clocks.into_iter().map(reading).collect())
    }

    /// The hours that count for clocks of one complaint.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn hours_for(&self, clocks: &[SlaClock]) -> Result<SlaHours, Failure> {
        let dealer = clocks.first().and_then(|clock| clock.dealer_id);
        let are_needed = clocks.iter().any(|clock| clock.target.working_time);
        self.sla_hours(dealer, are_needed).await
    }

    async fn record_moves(
        &self,
        mut complaint: Complaint,
        mut moves: Vec<SlaMove>,
    ) -> Result<Complaint, Failure> {
        if moves.is_empty() {
            return Ok(complaint);
        }
        for moved in &mut moves {
            self.renew(&mut moved.clock);
        }
        let clocks: Vec<_> = moves.iter().map(|moved| &moved.clock).collect();
        let saving = rows::saving(self.id(), &clocks)?;
        let statement = upon(clocks.len(), saving, self.log_of(&moves)?);
        self.work().execute_raw(statement).await?;
        for moved in &moves {
            complaint = self.follow_up_move(complaint, moved).await?;
        }
        // Whoever counts a clock anew, for whichever reason: the two are one promise.
        let counted: Vec<_> = moves.into_iter().map(|moved| moved.clock).collect();
        Ok(self.answer_with(complaint, &counted).await?)
    }

    /// The statements that append to the logs and say when somebody must look again.
    fn log_of(&self, moves: &[SlaMove]) -> Result<Vec<Statement>, Fault> {
        let mut statements = Vec::new();
        let added: Vec<_> = moves.iter().flat_map(|moved| &moved.added).collect();
        if !added.is_empty() {
            statements.push(rows::inserting(self.id(), &added, "")?);
        }
        let timers = moves.iter().filter_map(|moved| {
            let event =
                Event::SlaClockDue { clock: moved.clock.id, complaint: moved.clock.complaint_id };
            Some((event, moved.timer?))
        });
        statements.extend(self.announcing(&timers.collect::<Vec<_>>())?);
        Ok(statements)
    }

    /// What follows from a move: lines in the timeline of the complaint, somebody who answers for it, a finding.
    async fn follow_up_move(
        &self,
        mut complaint: Complaint,
        moved: &SlaMove,
    ) -> Result<Complaint, Failure> {
        let (clock, target) = (&moved.clock, &moved.clock.target);
        for (place, event) in moved.added.iter().enumerate() {
            // What is done in the same breath needs nobody else.
            let is_owed = !moved.added.iter().skip(place).any(|later| later.kind.ends());
            let (action, ascent) = match event.kind {
                SlaEventKind::Warned => ("warn_deadline", target.ascent_at_warning()),
                SlaEventKind::Breached => ("miss_deadline", target.ascent_at_breach()),
                SlaEventKind::Started
                | SlaEventKind::Paused
                | SlaEventKind::Resumed
                | SlaEventKind::Met
                | SlaEventKind::Cancelled
                | SlaEventKind::Applied => continue,
            };
            let facts = json!({ "metric": clock.metric, "sla_clock_id": clock.id, "at": event.at });
            self.note(&complaint, action, facts).await?;
            if let (Some(ascent), true) = (ascent, is_owed) {
                let superiors = self.superiors_of(&complaint).await?;
                let up = complaint.clone().escalate(&superiors, (ascent, clock.metric));
                if let Some(up) = up {
                    complaint = self.record(up).await?;
                }
            }
            if let (SlaEventKind::Breached, true) = (event.kind, is_owed)
                && let Some(finding) = clock.finding()
            {
                self.raise(finding).await?;
            }
        }
        let ends = moved.added.iter().any(|event| event.kind.ends());
        if ends && clock.missed_rounds > 0 && target.at_breach.contains(&SlaBreachAction::Finding) {
            let (subject, topic) = (AnyId::of(clock.complaint_id), clock.topic());
            self.settle_findings(FindingKind::DeadlineMissed, &subject, topic.as_ref()).await?;
        }
        Ok(complaint)
    }

    /// Who could answer for a complaint in place of its owner.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn superiors_of(&self, complaint: &Complaint) -> Result<Superiors, Fault> {
        let today = self.now().date_in(complaint.tz);
        self.superiors(complaint.details.dealer_id, complaint.owner_id, today).await
    }

    /// Who could answer for something of a dealer in place of its owner: of each rank the one to whom the fewest
    /// complaints have gone up, and who is not on leave. Those of the brand are among them also where whoever asks does
    /// not see them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn superiors(
        &self,
        dealer: Option<DealerId>,
        owner: Option<StaffId>,
        today: CivilDate,
    ) -> Result<Superiors, Fault> {
        let sql = "SELECT id, role, is_owner FROM ac.superiors($1, $2, $3, $4)";
        let values = [
            dealer.map(Uuid::from).into(),
            owner.map(Uuid::from).into(),
            today.to_string().into(),
            open_states().into(),
        ];
        let rows = self.work().query_all_raw(self.statement(sql, values)).await?;
        let person = |row: &sea_orm::QueryResult| {
            let role: Col<Role> = row.try_get("", "role")?;
            let id: Uuid = row.try_get("", "id")?;
            Ok((role.0.rank(), StaffId::from(id), row.try_get::<bool>("", "is_owner")?))
        };
        let found = rows.iter().map(person).collect::<Result<Vec<_>, DbErr>>()?;
        let owner = found.iter().find(|(_, _, is_owner)| *is_owner);
        let owner_rank = owner.map_or(Rank::CLERK, |(rank, _, _)| *rank);
        let people = found.iter().filter(|(_, _, is_owner)| !is_owner);
        Ok(Superiors { owner_rank, people: people.map(|(rank, id, _)| (*rank, *id)).collect() })
    }
}
