//! Tables `sla_policy`, `sla_version`, `sla_clock` and `sla_event`: what is promised, and what has come of it.

use crate::{
    Failure, Fault, Missing, Tenant, documents,
    findings::unsettled_about,
    listed, numbers, rows, table,
    table::{Col, word},
    together::upon,
    words,
};
use domain::{
    change::Change,
    clocks::{
        MOST_SLA_POLICIES, SlaAppliesTo, SlaBreachAction, SlaCandidate, SlaClock, SlaClockState,
        SlaEvent, SlaEventKind, SlaHours, SlaMatter, SlaMetric, SlaMinutes, SlaMove, SlaOpening,
        SlaPolicy, SlaPolicyDetails, SlaPolicyRank, SlaPolicyStatus, SlaPublication, SlaReading,
        SlaTalk, SlaTarget, SlaVersion, SlaVersionDetails, SlaVersionState, SlaWarningAction,
    },
    complaints::{Complaint, ComplaintMessageDirection, ComplaintState, Superiors},
    event::Event,
    findings::{Finding, FindingKind},
    identity::{Rank, Role},
    ids::{
        AnyId, ComplaintId, CustomerId, DealerId, SlaClockId, SlaPolicyId, SlaVersionId, StaffId,
    },
    text::{Code, Name},
    time::{Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, Statement,
};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The versions that count, as one document; null where there is none. As a part of another question it costs no flight.
pub(crate) const CANDIDATES: &str = "
    SELECT jsonb_agg(jsonb_build_object('sla_policy_id', v.sla_policy_id, 'sla_version_id', v.id, 'rank', p.rank,
                                        'applies_to', v.applies_to, 'targets', v.targets))
    FROM sla_version v JOIN sla_policy p ON p.tenant_id = v.tenant_id AND p.id = v.sla_policy_id
    WHERE v.tenant_id = ac.tenant() AND v.state = 'published' AND p.status = 'active'";

/// Events that are read of one clock: a few warnings, and those that a reopening adds, come to what it may have.
const MOST_READ: u64 = 500;

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
    sla_clocks(ClocksWanted { complaint_id: Some(complaint), ..ClocksWanted::default() })
        .filter(Condition::any().add(comes_again).add(goes_on))
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
        Ok(complaint)
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
            let (action, goes_up) = match event.kind {
                SlaEventKind::Warned => {
                    ("warn_deadline", target.at_warning.contains(&SlaWarningAction::Escalate))
                }
                SlaEventKind::Breached => {
                    ("miss_deadline", target.at_breach.contains(&SlaBreachAction::Escalate))
                }
                SlaEventKind::Started
                | SlaEventKind::Paused
                | SlaEventKind::Resumed
                | SlaEventKind::Met
                | SlaEventKind::Cancelled => continue,
            };
            let facts = json!({ "metric": clock.metric, "sla_clock_id": clock.id, "at": event.at });
            self.note(&complaint, action, facts).await?;
            if goes_up && is_owed {
                let superiors = self.superiors_of(&complaint).await?;
                if let Some(up) = complaint.clone().escalate(&superiors, clock.metric) {
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
            self.settle_finding(clock).await?;
        }
        Ok(complaint)
    }

    /// Settles what was noticed about a clock, now that nothing is owed any more.
    async fn settle_finding(&self, clock: &SlaClock) -> Result<(), Failure> {
        let subject = AnyId::of(clock.complaint_id);
        let noticed =
            unsettled_about(FindingKind::DeadlineMissed, &subject, clock.topic().as_ref());
        for finding in self.hold_all::<Finding>(noticed).await? {
            self.record(finding.resolve(self.now())?).await?;
        }
        Ok(())
    }

    /// Who could answer for a complaint in place of its owner: of each rank the one who has the fewest such complaints
    /// and is not on leave.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn superiors_of(&self, complaint: &Complaint) -> Result<Superiors, Fault> {
        let sql = "SELECT p.id, p.role, p.id = $3 AS is_owner FROM staff p
                   WHERE p.tenant_id = ac.tenant() AND p.id = $3
                   UNION ALL
                   (SELECT DISTINCT ON (p.role) p.id, p.role, false FROM staff p
                    WHERE p.tenant_id = ac.tenant() AND p.status = 'active' AND p.id IS DISTINCT FROM $3
                      AND (p.dealer_id = $1 AND p.role IN ('manager', 'owner') OR p.role = 'brand_admin')
                      AND NOT coalesce($2 BETWEEN p.on_leave ->> 'from_on' AND p.on_leave ->> 'to_on', false)
                    ORDER BY p.role, (SELECT count(*) FROM complaint c WHERE c.tenant_id = p.tenant_id
                        AND c.escalated_staff_id = p.id AND c.state <> ALL ($4)), p.id)";
        let over = [ComplaintState::Resolved, ComplaintState::Closed].map(|state| word(&state));
        let values = [
            complaint.details.dealer_id.map(Uuid::from).into(),
            self.now().date_in(complaint.tz).to_string().into(),
            complaint.owner_id.map(Uuid::from).into(),
            Vec::from(over).into(),
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
