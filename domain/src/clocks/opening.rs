//! What arrives with a complaint: the policy it follows, its clocks, and what would come of it.

use super::{SlaCandidate, SlaClock, SlaClockState, SlaHours, SlaMetric, SlaMove, deadline};
use crate::{
    change::Change,
    complaints::Complaint,
    ids::{SlaClockId, SlaEventId, SlaPolicyId, SlaVersionId},
    record::Version,
    time::{Timestamp, Zone},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A complaint that arrives, and its clocks.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a complaint that is not recorded has not arrived"]
pub struct SlaOpening {
    /// The complaint.
    pub complaint: Change<Complaint>,
    /// Its clocks, each with the first event; none when no policy applies.
    pub clocks: Vec<SlaMove>,
}

impl SlaCandidate {
    /// Whether finding the deadlines takes the working time of those who answer.
    pub fn needs_calendar(&self) -> bool {
        self.details.targets.iter().any(|target| target.working_time)
    }

    /// When each target of the version would be due for a complaint that arrives at `start`.
    pub fn forecast(&self, hours: &SlaHours, start: Timestamp, tz: Zone) -> SlaForecast {
        let targets = self.details.targets.iter().map(|target| {
            let calendar = hours.that_count(target, start);
            // What waits for a message has no deadline before there is one.
            let after = |seconds| {
                let begins = target.metric.begins_at_once();
                begins.then(|| deadline::deadline(calendar, start, seconds, &[])).flatten()
            };
            let due_at = after(target.seconds());
            SlaForecastTarget {
                metric: target.metric,
                due_at,
                local_due: due_at.map(|at| at.wall_time_in(tz)),
                warnings_at: target.warnings().into_iter().filter_map(after).collect(),
            }
        });
        SlaForecast {
            sla_policy_id: Some(self.sla_policy_id),
            sla_version_id: Some(self.sla_version_id),
            start_at: start,
            tz,
            targets: targets.collect(),
        }
    }
}

impl SlaOpening {
    /// Lets the clocks of the picked version begin with the complaint. Where the version says when the first answer is
    /// due, that is when it is. Without a version there is no clock, and the complaint stays as it is.
    pub fn of(
        complaint: Change<Complaint>,
        picked: Option<&SlaCandidate>,
        hours: &SlaHours,
        mut ids: impl FnMut() -> Uuid,
    ) -> Self {
        let Some(picked) = picked else { return Self { complaint, clocks: Vec::new() } };
        let clocks: Vec<_> = picked
            .details
            .targets
            .iter()
            .map(|target| {
                let id = SlaClockId::from(ids());
                let clock = SlaClock {
                    id,
                    complaint_id: complaint.record.id,
                    customer_id: complaint.record.details.customer_id,
                    dealer_id: complaint.record.details.dealer_id,
                    metric: target.metric,
                    sla_policy_id: picked.sla_policy_id,
                    sla_version_id: picked.sla_version_id,
                    target: target.clone(),
                    tz: complaint.record.tz,
                    state: SlaClockState::Pending,
                    started_at: complaint.record.created_at,
                    due_at: None,
                    local_due: None,
                    remaining_seconds: None,
                    next_fire_at: None,
                    breached_at: None,
                    met_at: None,
                    elapsed_seconds: None,
                    event_count: 0,
                    round: 0,
                    missed_rounds: 0,
                    version: Version::FIRST,
                    created_at: complaint.record.created_at,
                };
                clock.begin(hours, || SlaEventId::from(ids()))
            })
            .collect();
        let answer = clocks.iter().find(|one| one.clock.metric == SlaMetric::Acknowledge);
        let complaint = match answer.and_then(|one| one.clock.due_at) {
            Some(due_at) => Complaint::answer_by(complaint, due_at),
            None => complaint,
        };
        let complaint = complaint.with("sla_version_id", picked.sla_version_id);
        Self { complaint, clocks }
    }
}

/// When one thing would be due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"metric": "acknowledge", "due_at": "2026-11-23T01:30:00Z",
    "local_due": "2026-11-23 09:30", "warnings_at": ["2026-11-23T01:15:00Z"]})))]
pub struct SlaForecastTarget {
    /// What is to be done.
    pub metric: SlaMetric,
    /// By when; null when it lies more than ten years ahead, and when the time does not begin with the complaint.
    pub due_at: Option<Timestamp>,
    /// The same on the wall clock in `tz`, for people.
    #[schema(examples("2026-11-23 09:30"))]
    pub local_due: Option<String>,
    /// When warnings would be given, the first one first.
    pub warnings_at: Vec<Timestamp>,
}

/// What would come of a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "sla_policy_id": "slp_01m80t7jx3e9vbq2f4c6d8g0hk", "sla_version_id": "slv_01m80t7jx3e9vbq2f4c6d8g0hk",
    "start_at": "2026-11-20T09:30:00Z", "tz": "Asia/Shanghai",
    "targets": [{"metric": "acknowledge", "due_at": "2026-11-23T01:30:00Z",
        "local_due": "2026-11-23 09:30", "warnings_at": ["2026-11-23T01:15:00Z"]}],
})))]
pub struct SlaForecast {
    /// The policy it would follow; null when none applies, and the first answer is due within 24 hours.
    pub sla_policy_id: Option<SlaPolicyId>,
    /// The version of it that is in force.
    pub sla_version_id: Option<SlaVersionId>,
    /// When it would arrive.
    pub start_at: Timestamp,
    /// The zone whose working time counts.
    pub tz: Zone,
    /// When what would be due.
    pub targets: Vec<SlaForecastTarget>,
}

impl SlaForecast {
    /// What comes of a complaint that no policy applies to: the first answer is due within 24 hours of the clock on
    /// the wall.
    pub fn without_policy(start: Timestamp, tz: Zone) -> Self {
        let due_at = start.plus_hours(crate::complaints::FIRST_ANSWER_HOURS);
        let answer = SlaForecastTarget {
            metric: SlaMetric::Acknowledge,
            due_at: Some(due_at),
            local_due: Some(due_at.wall_time_in(tz)),
            warnings_at: Vec::new(),
        };
        let targets = vec![answer];
        Self { sla_policy_id: None, sla_version_id: None, start_at: start, tz, targets }
    }
}
