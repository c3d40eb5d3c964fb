//! A policy that is applied to a complaint whose clocks run already, as it would be picked now.

use super::{
    MOST_SLA_EVENTS, NO_SLA_POLICY_APPLIES, SLA_LOG_FULL, SlaCandidate, SlaClock, SlaHours,
    SlaMetric, SlaMove, SlaReading, SlaTalk, clock::Pen,
};
use crate::{
    complaints::Complaint,
    ids::{SlaClockId, SlaEventId},
    refusal::{Refusal, illegal},
    time::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What is known when a policy is applied anew.
#[derive(Debug, Clone, Copy)]
pub struct SlaApplying<'a> {
    /// The version that the complaint would follow if it arrived now.
    pub picked: &'a SlaCandidate,
    /// The complaint, as it is now.
    pub complaint: &'a Complaint,
    /// What was said about it.
    pub talk: SlaTalk,
    /// The hours that count.
    pub hours: &'a SlaHours,
    /// When it is applied.
    pub now: Timestamp,
}

/// What applying a policy anew comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a policy that is not recorded has not been applied"]
pub struct SlaApplied {
    /// Clocks that count otherwise now.
    pub moved: Vec<SlaMove>,
    /// Clocks for what nobody had asked for before, from the beginning of the complaint on.
    pub begun: Vec<SlaMove>,
}

impl<'a> SlaApplying<'a> {
    /// Makes sure that a policy can be applied to `complaint`: the customer still waits for us, and one of the versions
    /// in force is for it.
    ///
    /// # Errors
    ///
    /// `illegal_transition`, `no_sla_policy_applies`.
    pub fn check(
        complaint: &Complaint,
        picked: Option<&'a SlaCandidate>,
    ) -> Result<&'a SlaCandidate, Refusal> {
        if !complaint.state.is_open() {
            return Err(illegal(complaint.state, complaint.state.allowed()));
        }
        picked.ok_or_else(|| Refusal::new(&NO_SLA_POLICY_APPLIES).with("number", &complaint.number))
    }

    /// Applies the version to the clocks of the complaint, all of which are in `readings`. What is done or given up stays
    /// as it is. What is owed is counted from the beginning of the complaint on by the new target, without the pauses
    /// that its log has; what has no target any more is given up, unless it was missed or is due again and again. For what is new and not done yet
    /// a clock begins. Clocks that follow the version already stay as they are.
    ///
    /// # Errors
    ///
    /// `sla_log_full`, `too_many_waits`.
    pub fn to(
        self,
        readings: Vec<SlaReading>,
        mut ids: impl FnMut() -> Uuid,
    ) -> Result<SlaApplied, Refusal> {
        let known: BTreeSet<SlaMetric> = readings.iter().map(|one| one.clock.metric).collect();
        let mut applied = SlaApplied::default();
        for reading in readings {
            applied.moved.extend(self.anew(reading, || ids().into())?);
        }
        let targets = self.picked.details.targets.iter();
        for target in targets.filter(|target| !known.contains(&target.metric)) {
            let (metric, since) = (target.metric, self.complaint.created_at);
            let is_done =
                !metric.comes_in_rounds() && metric.is_met_by(self.complaint, self.talk, since);
            if !is_done && !metric.is_void_for(self.complaint) {
                let mut clock =
                    SlaClock::of(SlaClockId::from(ids()), self.complaint, self.picked, target);
                // Reports that nobody had promised before were not missed.
                if metric.comes_in_rounds() {
                    clock.started_at = self.talk.heard_at(self.complaint).unwrap_or(since);
                }
                applied.begun.push(self.begun(clock, || ids().into())?);
            }
        }
        Ok(applied)
    }

    fn anew(
        self,
        reading: SlaReading,
        mut next_id: impl FnMut() -> SlaEventId,
    ) -> Result<Option<SlaMove>, Refusal> {
        let clock = &reading.clock;
        let comes_again = clock.metric.comes_in_rounds() && clock.is_live();
        if !clock.is_owed() && !comes_again || clock.sla_version_id == self.picked.sla_version_id {
            return Ok(None);
        }
        let (metric, events) = (clock.metric, clock.event_count);
        if events >= MOST_SLA_EVENTS {
            return Err(Refusal::new(&SLA_LOG_FULL).with("metric", metric).with("events", events));
        }
        let mut pen = Pen::of(reading, self.hours, self.now);
        // What has come due until now has come due by the version that counted until now.
        pen.note_due(&mut next_id);
        match self.picked.details.targets.iter().find(|target| target.metric == metric) {
            Some(target) => {
                pen.adopt(self.picked, target, &mut next_id);
                pen.follow((self.complaint, self.talk), &mut next_id)?;
            }
            None => pen.give_up(&mut next_id),
        }
        Ok(pen.lay_down())
    }

    /// A clock that begins with the complaint, and has come to where it would be by now. Pauses that no log has count.
    fn begun(
        self,
        clock: SlaClock,
        mut next_id: impl FnMut() -> SlaEventId,
    ) -> Result<SlaMove, Refusal> {
        let SlaMove { clock, mut added, .. } = clock.begin(self.hours, &mut next_id);
        // The time began to run then, and it is written down now.
        for event in &mut added {
            event.created_at = self.now;
        }
        let reading = SlaReading { clock: clock.clone(), events: added.clone() };
        let since =
            reading.follow((self.complaint, self.talk), self.hours, &mut next_id, self.now)?;
        let clock = match since {
            Some(since) => {
                added.extend(since.added);
                since.clock
            }
            None => clock,
        };
        let timer = clock.next_fire_at;
        Ok(SlaMove { clock, added, timer })
    }
}
