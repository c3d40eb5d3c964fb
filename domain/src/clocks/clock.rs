//! Clocks: how far a complaint has come towards one target, as its log says.

use super::{
    MOST_SLA_EVENTS, SlaBreachAction, SlaCandidate, SlaEvent, SlaEventKind, SlaMetric, SlaStanding,
    SlaTalk, SlaTarget, TOO_MANY_WAITS,
    deadline::{Stretch, always, counted_seconds, deadline},
};
use crate::{
    complaints::{Complaint, WaitingFor},
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    ids::{
        AnyId, ComplaintId, CustomerId, DealerId, SlaClockId, SlaEventId, SlaPolicyId, SlaVersionId,
    },
    record::{Record, Version},
    refusal::Refusal,
    text::Line,
    time::{Timestamp, Zone},
    working_time::WorkingCalendar,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a clock stands. A warning is an event and no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaClockState {
    /// It has not begun: the customer has said nothing that is to be answered.
    Pending,
    /// The time runs.
    Running,
    /// It stands still, and there is no deadline.
    Paused,
    /// It was done in time.
    Met,
    /// The deadline passed, and it is not done.
    Breached,
    /// It was done after the deadline.
    MetLate,
    /// It cannot be done any more, and need not be.
    Cancelled,
}

/// What has come of one target for one complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "slc_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "metric": "acknowledge", "sla_policy_id": "slp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sla_version_id": "slv_01m80t7jx3e9vbq2f4c6d8g0hk",
    "target": { "metric": "acknowledge", "within_minutes": 60, "working_time": true, "warn_at_bp": [],
        "warn_before_minutes": [15], "pause_while_waiting": false, "at_warning": [], "at_breach": ["escalate"] },
    "tz": "Asia/Shanghai", "state": "running", "started_at": "2026-11-20T09:30:00Z",
    "due_at": "2026-11-23T01:30:00Z", "local_due": "2026-11-23 09:30", "remaining_seconds": null,
    "next_fire_at": "2026-11-23T01:15:00Z", "breached_at": null, "met_at": null, "elapsed_seconds": null,
    "event_count": 1, "round": 1, "missed_rounds": 0, "version": 1, "created_at": "2026-11-20T09:30:00Z",
})))]
pub struct SlaClock {
    /// Its identifier.
    pub id: SlaClockId,
    /// The complaint; it has one clock for each metric.
    pub complaint_id: ComplaintId,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people answer it.
    pub dealer_id: Option<DealerId>,
    /// What is to be done.
    pub metric: SlaMetric,
    /// The policy that was picked when the complaint arrived, or when a policy was applied anew.
    pub sla_policy_id: SlaPolicyId,
    /// Its version of that time, which stays with the clock whatever is published later.
    pub sla_version_id: SlaVersionId,
    /// What that version says.
    pub target: SlaTarget,
    /// The zone whose working time counts, and whose wall clock `local_due` is read on.
    pub tz: Zone,
    /// Where it stands.
    pub state: SlaClockState,
    /// When the time began to run, in this round; while it is pending, when the complaint arrived.
    pub started_at: Timestamp,
    /// By when it must be done, or had to be; null while the time stands still.
    pub due_at: Option<Timestamp>,
    /// The same on the wall clock there, for people.
    #[schema(examples("2026-11-23 09:30"))]
    pub local_due: Option<String>,
    /// How many seconds that count are left, while the time stands still.
    pub remaining_seconds: Option<i64>,
    /// When the next warning is given or the deadline passes; null when nothing is to come.
    pub next_fire_at: Option<Timestamp>,
    /// When the deadline passed without it, in this round. Decided once: it stays, whatever is done later.
    pub breached_at: Option<Timestamp>,
    /// When it was done.
    pub met_at: Option<Timestamp>,
    /// How many seconds that count it took.
    pub elapsed_seconds: Option<i64>,
    /// How many events its log has.
    pub event_count: u32,
    /// Which round it is, from 1: what is due again and again has many, everything else one. 0 while it is pending.
    pub round: u32,
    /// In how many rounds the deadline passed.
    pub missed_rounds: u32,
    /// How often the record was changed.
    pub version: Version,
    /// When the complaint arrived.
    pub created_at: Timestamp,
}

impl Record for SlaClock {
    type Id = SlaClockId;

    fn id(&self) -> SlaClockId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// Which hours count: those in which the people work who answer, where somebody had to know them, and all.
#[derive(Debug, Clone)]
pub struct SlaHours {
    working: Option<WorkingCalendar>,
    always: WorkingCalendar,
}

impl SlaHours {
    /// The hours of people who work as `working` says; without it all hours count.
    pub fn of(working: Option<WorkingCalendar>) -> Self {
        Self { working, always: always() }
    }

    /// The hours that count for `target`, from `start` on. Where nobody ever works all of them do: else it would wait
    /// for ever.
    pub fn that_count(&self, target: &SlaTarget, start: Timestamp) -> &WorkingCalendar {
        let working = self.working.as_ref().filter(|_| target.working_time);
        let ever = working.filter(|calendar| calendar.spans(start).next().is_some());
        ever.unwrap_or(&self.always)
    }
}

/// A clock with its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaReading {
    /// The clock.
    pub clock: SlaClock,
    /// Its log, in the order of the numbers.
    pub events: Vec<SlaEvent>,
}

/// What has happened to a clock: the clock as it is now, and what its log gains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a move that is not recorded has not happened"]
pub struct SlaMove {
    /// The clock.
    pub clock: SlaClock,
    /// What is appended to its log.
    pub added: Vec<SlaEvent>,
    /// When somebody must look at it again, where that is another instant than before.
    pub timer: Option<Timestamp>,
}

/// Events that one change of a complaint adds, at most: it is done, the next round begins, and stands still.
const MOST_AT_ONCE: usize = 3;

impl SlaReading {
    /// What the present course of the complaint, and what was said about it, means for the clock. Only how the complaint
    /// stands matters, and not by which verbs it came there. What has come due until `now` is noted first.
    ///
    /// # Errors
    ///
    /// `too_many_waits` when the log is full and the time should stand still once more.
    pub fn follow(
        self,
        (complaint, talk): (&Complaint, SlaTalk),
        hours: &SlaHours,
        mut next_id: impl FnMut() -> SlaEventId,
        now: Timestamp,
    ) -> Result<Option<SlaMove>, Refusal> {
        let mut pen = Pen::of(self, hours, now);
        pen.note_due(&mut next_id);
        pen.follow((complaint, talk), &mut next_id)?;
        Ok(pen.lay_down())
    }

    /// What has come due until `now`: warnings, and the deadline itself. Each is noted once. Everything else is counted
    /// anew, so it is also what becomes of a clock when people work at other hours. `None` when nothing has come due,
    /// and the deadline is where it was.
    pub fn fire(
        self,
        hours: &SlaHours,
        mut next_id: impl FnMut() -> SlaEventId,
        now: Timestamp,
    ) -> Option<SlaMove> {
        let mut pen = Pen::of(self, hours, now);
        pen.note_due(&mut next_id);
        pen.lay_down()
    }
}

impl SlaClock {
    /// The clock with its first event, if the time runs already, as it is written when the complaint arrives.
    pub(super) fn begin(
        self,
        hours: &SlaHours,
        mut next_id: impl FnMut() -> SlaEventId,
    ) -> SlaMove {
        let now = self.started_at;
        let mut pen = Pen::of(SlaReading { clock: self, events: Vec::new() }, hours, now);
        if pen.clock.metric.begins_at_once() {
            pen.append((SlaEventKind::Started, now), None, &mut next_id);
        }
        let timer = pen.clock.next_fire_at;
        SlaMove { clock: pen.clock, added: pen.events, timer }
    }

    /// Whether something can still happen to it.
    pub fn is_live(&self) -> bool {
        match self.state {
            SlaClockState::Pending
            | SlaClockState::Running
            | SlaClockState::Paused
            | SlaClockState::Breached => true,
            SlaClockState::Met | SlaClockState::MetLate => {
                self.metric.runs_on() || self.metric.comes_in_rounds()
            }
            SlaClockState::Cancelled => self.metric.comes_in_rounds(),
        }
    }

    /// Whether what was due is still to be done.
    pub fn is_owed(&self) -> bool {
        match self.state {
            SlaClockState::Running | SlaClockState::Paused | SlaClockState::Breached => true,
            SlaClockState::Pending
            | SlaClockState::Met
            | SlaClockState::MetLate
            | SlaClockState::Cancelled => false,
        }
    }

    /// When its target would be due, were its time to begin at `start`; nothing when that lies more than ten years ahead.
    pub fn due_from(&self, hours: &SlaHours, start: Timestamp) -> Option<Timestamp> {
        deadline(hours.that_count(&self.target, start), start, self.target.seconds(), &[])
    }

    /// What of the complaint a finding about this clock is about.
    pub fn topic(&self) -> Option<Line> {
        let word = serde_json::to_value(self.metric).unwrap_or_default();
        Line::new(word.as_str()?).ok()
    }

    /// What is noticed when its deadline has passed, where its target asks for that.
    pub fn finding(&self) -> Option<FindingDetails> {
        let breached_at = self.breached_at?;
        if !self.target.at_breach.contains(&SlaBreachAction::Finding) {
            return None;
        }
        let within_minutes = i64::from(self.target.within_minutes.get());
        Some(FindingDetails {
            kind: FindingKind::DeadlineMissed,
            subject: AnyId::of(self.complaint_id),
            dealer_id: self.dealer_id,
            topic: self.topic(),
            period: FindingPeriod::day_of(breached_at.date_in(self.tz)),
            evidence: FindingEvidence::from([("within_minutes".to_owned(), within_minutes)]),
        })
    }

    /// How many seconds count between the beginning and `until`.
    pub(super) fn counted_until(
        &self,
        until: Timestamp,
        hours: &SlaHours,
        standing: &SlaStanding,
    ) -> i64 {
        let calendar = hours.that_count(&self.target, self.started_at);
        let between = Stretch { from: self.started_at, to: until };
        counted_seconds(calendar, between, &standing.pauses)
    }
}

/// Somebody who writes a log on.
pub(super) struct Pen<'h> {
    clock: SlaClock,
    before: SlaClock,
    events: Vec<SlaEvent>,
    read: usize,
    hours: &'h SlaHours,
    now: Timestamp,
}

impl<'h> Pen<'h> {
    pub(super) fn of(reading: SlaReading, hours: &'h SlaHours, now: Timestamp) -> Self {
        let SlaReading { clock, events } = reading;
        let (before, read) = (clock.clone(), events.len());
        let mut pen = Self { clock, before, events, read, hours, now };
        pen.derive();
        pen
    }

    /// Lets another version count for the clock, from the beginning on. What was noted stays, also a missed deadline.
    pub(super) fn adopt(
        &mut self,
        picked: &SlaCandidate,
        target: &SlaTarget,
        next_id: &mut impl FnMut() -> SlaEventId,
    ) {
        self.clock.sla_policy_id = picked.sla_policy_id;
        self.clock.sla_version_id = picked.sla_version_id;
        self.clock.target = target.clone();
        // Where nothing runs, the next round is the first that it counts for.
        if self.clock.is_owed() {
            self.append((SlaEventKind::Applied, self.now), None, next_id);
            self.note_due(next_id);
        }
    }

    /// Gives up what no version asks for any more; a missed deadline stays owed, and what is due again and again was
    /// promised to the end.
    pub(super) fn give_up(&mut self, next_id: &mut impl FnMut() -> SlaEventId) {
        match self.clock.state {
            SlaClockState::Running | SlaClockState::Paused
                if !self.clock.metric.comes_in_rounds() =>
            {
                self.append((SlaEventKind::Cancelled, self.now), None, next_id);
            }
            SlaClockState::Pending
            | SlaClockState::Running
            | SlaClockState::Paused
            | SlaClockState::Met
            | SlaClockState::Breached
            | SlaClockState::MetLate
            | SlaClockState::Cancelled => {}
        }
    }

    /// Notes what the course of the complaint means for the clock.
    ///
    /// # Errors
    ///
    /// `too_many_waits`.
    pub(super) fn follow(
        &mut self,
        (complaint, talk): (&Complaint, SlaTalk),
        next_id: &mut impl FnMut() -> SlaEventId,
    ) -> Result<(), Refusal> {
        for _ in 0..MOST_AT_ONCE {
            let Some(kind) = self.what_happened(complaint, talk)? else { break };
            self.append((kind, self.now), None, next_id);
        }
        Ok(())
    }

    /// What the course of the complaint adds to the log; nothing when the log says it already.
    fn what_happened(
        &self,
        complaint: &Complaint,
        talk: SlaTalk,
    ) -> Result<Option<SlaEventKind>, Refusal> {
        let metric = self.clock.metric;
        let is_full = self.clock.event_count >= MOST_SLA_EVENTS;
        let standing = SlaStanding::of(&self.events);
        let over_at = standing.as_ref().and_then(|one| one.met_at.or(one.cancelled_at));
        if metric.comes_in_rounds() && (standing.is_none() || over_at.is_some()) {
            let begins = !is_full && metric.begins_a_round(complaint, talk, over_at);
            return Ok(begins.then_some(SlaEventKind::Started));
        }
        let Some(standing) = standing else { return Ok(None) };
        let is_met = metric.is_met_by(complaint, talk, standing.started_at);
        if standing.cancelled_at.is_some() {
            return Ok(None);
        }
        if standing.met_at.is_some() {
            let runs_on = metric.runs_on() && !is_met && !is_full;
            return Ok(runs_on.then_some(SlaEventKind::Resumed));
        }
        if is_met {
            return Ok(Some(SlaEventKind::Met));
        }
        if metric.is_void_for(complaint) {
            return Ok(Some(SlaEventKind::Cancelled));
        }
        let waits = self.clock.target.pause_while_waiting
            && complaint.waiting_for == Some(WaitingFor::Customer);
        match (waits, standing.paused_since.is_some()) {
            (true, false) if is_full => Err(Refusal::new(&TOO_MANY_WAITS)
                .with("metric", metric)
                .with("events", self.clock.event_count)),
            (true, false) => Ok(Some(SlaEventKind::Paused)),
            (false, true) => Ok(Some(SlaEventKind::Resumed)),
            (true, true) | (false, false) => Ok(None),
        }
    }

    /// Notes the warnings and the missed deadline that have come due.
    pub(super) fn note_due(&mut self, next_id: &mut impl FnMut() -> SlaEventId) {
        // Each pass notes one of a few levels, of which none is noted twice.
        while let Some((kind, level, at)) = self.next_due() {
            if at > self.now {
                break;
            }
            self.append((kind, at), Some(level), next_id);
        }
    }

    /// What comes next while the time runs, after how many seconds, and when.
    fn next_due(&self) -> Option<(SlaEventKind, i64, Timestamp)> {
        let standing = SlaStanding::of(&self.events)?;
        if standing.state() != SlaClockState::Running {
            return None;
        }
        let target = &self.clock.target;
        let warning = target.warnings().into_iter().find(|level| !standing.warned.contains(level));
        let (kind, level) = match warning {
            Some(level) => (SlaEventKind::Warned, level),
            None => (SlaEventKind::Breached, target.seconds()),
        };
        let at = self.after(level, &standing)?;
        // Never before what was written down already, should the calendar have changed since.
        Some((kind, level, at.max(standing.last_at)))
    }

    fn after(&self, seconds: i64, standing: &SlaStanding) -> Option<Timestamp> {
        let calendar = self.hours.that_count(&self.clock.target, standing.started_at);
        deadline(calendar, standing.started_at, seconds, &standing.pauses)
    }

    fn append(
        &mut self,
        (kind, at): (SlaEventKind, Timestamp),
        level_seconds: Option<i64>,
        next_id: &mut impl FnMut() -> SlaEventId,
    ) {
        let number = self.clock.event_count.saturating_add(1);
        let begins = u32::from(kind == SlaEventKind::Started);
        self.clock.round = self.clock.round.saturating_add(begins);
        self.events.push(SlaEvent {
            id: next_id(),
            sla_clock_id: self.clock.id,
            dealer_id: self.clock.dealer_id,
            number,
            round: self.clock.round,
            kind,
            at,
            level_seconds,
            due_at: None,
            created_at: self.now,
        });
        self.clock.event_count = number;
        self.derive();
        if let Some(event) = self.events.last_mut() {
            event.due_at = self.clock.due_at;
        }
    }

    /// By when what is done had to be done, as it was written down then.
    fn kept_by(&self) -> Option<Timestamp> {
        let met = self.events.iter().rev().find(|event| event.kind == SlaEventKind::Met);
        met.and_then(|event| event.due_at)
    }

    /// Counts everything anew from the log.
    fn derive(&mut self) {
        let Some(standing) = SlaStanding::of(&self.events) else { return };
        let state = standing.state();
        let whole = self.clock.target.seconds();
        let counted = |until: Timestamp| self.clock.counted_until(until, self.hours, &standing);
        let due_at = match state {
            SlaClockState::Pending | SlaClockState::Paused | SlaClockState::Cancelled => None,
            SlaClockState::Breached | SlaClockState::MetLate => standing.breached_at,
            SlaClockState::Running => self.after(whole, &standing),
            // What was kept was kept by the deadline of that time, whatever is promised or worked since.
            SlaClockState::Met => self.kept_by().or_else(|| self.after(whole, &standing)),
        };
        let paused_since = standing.paused_since.filter(|_| state == SlaClockState::Paused);
        let remaining_seconds =
            paused_since.map(|since| whole.saturating_sub(counted(since)).max(0));
        let elapsed_seconds = standing.met_at.map(counted);
        let next_fire_at = self.next_due().map(|(_, _, at)| at);
        let missed = self.events.iter().filter(|event| event.kind == SlaEventKind::Breached);
        let missed_rounds = u32::try_from(missed.count()).unwrap_or(u32::MAX);
        let clock = &mut self.clock;
        clock.state = state;
        clock.started_at = standing.started_at;
        clock.missed_rounds = missed_rounds;
        clock.due_at = due_at;
        clock.local_due = due_at.map(|at| at.wall_time_in(clock.tz));
        clock.remaining_seconds = remaining_seconds;
        clock.next_fire_at = next_fire_at;
        clock.breached_at = standing.breached_at;
        clock.met_at = standing.met_at;
        clock.elapsed_seconds = elapsed_seconds;
    }

    pub(super) fn lay_down(mut self) -> Option<SlaMove> {
        if self.clock == self.before {
            return None;
        }
        let moved = self.clock.next_fire_at != self.before.next_fire_at;
        let timer = self.clock.next_fire_at.filter(|_| moved);
        let added = self.events.split_off(self.read);
        Some(SlaMove { clock: self.clock, added, timer })
    }
}
