//! Checklists: a run with its steps, as the person at the customer's ticks them off.

mod at_hand;

pub use at_hand::StepAtHand;
pub(super) use at_hand::{EVIDENCE_MISSING, METER_RUNS_BACKWARDS, STEP_BLOCKED};

use super::{SopRun, SopStep, SopValue, SopVersion};
use crate::{
    identity::Rank,
    ids::{CustomerId, DealerId, SopRunId, SopRunStepId, StaffId},
    record::{Record, Version},
    text::Line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a step of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopRunStepState {
    /// It waits for a stop step before it, or for a step that its condition asks for.
    Pending,
    /// It can be done.
    Ready,
    /// Its condition does not hold, and nobody has to do it.
    NotApplicable,
    /// It was done to its standard.
    Done,
    /// It was tried and missed its standard; it can be done again.
    Failed,
    /// Somebody entitled to it decided that it need not be done.
    Waived,
}

impl SopRunStepState {
    /// What can be done from here.
    pub(super) fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Ready | Self::Failed => &["complete", "waive"],
            Self::Pending | Self::NotApplicable | Self::Done | Self::Waived => &[],
        }
    }

    /// Whether files can be attached to it.
    pub(super) fn takes_evidence(self) -> bool {
        match self {
            Self::Pending | Self::Ready | Self::Failed => true,
            Self::NotApplicable | Self::Done | Self::Waived => false,
        }
    }
}

/// One step of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopRunStep {
    /// Its identifier.
    pub id: SopRunStepId,
    /// The run it belongs to.
    pub sop_run_id: SopRunId,
    /// Its place in the order of work, from 1.
    pub position: u32,
    /// What the procedure says about it.
    #[serde(flatten)]
    pub step: SopStep,
    /// Where it stands.
    pub state: SopRunStepState,
    /// Whose it is, as the rule of its `assignee` found when it became ready; a manager's where it found nobody.
    pub staff_id: Option<StaffId>,
    /// When it became ready, or it was seen that it does not apply.
    pub ready_at: Option<Timestamp>,
    /// By when it is to be settled.
    pub due_at: Option<Timestamp>,
    /// When it was seen that it was not settled in time. It stays, also when the step is done later.
    pub overdue_at: Option<Timestamp>,
    /// The rank that answers for it since then: 30 a manager, 40 the owner, 60 the brand.
    #[schema(value_type = Option<u8>, minimum = 30, maximum = 60)]
    pub escalated_rank: Option<Rank>,
    /// Who of that rank; whoever had it before may still do it.
    pub escalated_staff_id: Option<StaffId>,
    /// What was found or said, the last time it was done.
    pub value: Option<SopValue>,
    /// Why it missed its standard, or was waived.
    pub deviation_reason: Option<Line>,
    /// Why its meter may show less than the last time: it was replaced, and how come.
    pub meter_replaced: Option<Line>,
    /// How often it was done, whether or not to its standard.
    pub attempts: u32,
    /// Who did or waived it: a person or a program of the brand.
    pub done_by: Option<String>,
    /// When it was done or waived.
    pub done_at: Option<Timestamp>,
    /// How often the record was changed.
    pub version: Version,
}

impl Record for SopRunStep {
    type Id = SopRunStepId;

    fn id(&self) -> SopRunStepId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

impl SopRunStep {
    /// The steps of a new run, none of them ready.
    pub(super) fn of(
        run: SopRunId,
        version: &SopVersion,
        mut step_id: impl FnMut() -> SopRunStepId,
    ) -> Vec<Self> {
        let steps = (1_u32..).zip(&version.details.steps).map(|(position, step)| Self {
            id: step_id(),
            sop_run_id: run,
            position,
            step: step.clone(),
            state: SopRunStepState::Pending,
            staff_id: None,
            ready_at: None,
            due_at: None,
            overdue_at: None,
            escalated_rank: None,
            escalated_staff_id: None,
            value: None,
            deviation_reason: None,
            meter_replaced: None,
            attempts: 0,
            done_by: None,
            done_at: None,
            version: Version::FIRST,
        });
        steps.collect()
    }

    /// Whether nothing more needs to be done about it. A failed step is settled by a reason, unless
    /// leaving it out needs somebody's approval: then it is done again or waived.
    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            SopRunStepState::NotApplicable | SopRunStepState::Done | SopRunStepState::Waived => {
                true
            }
            SopRunStepState::Failed => {
                self.deviation_reason.is_some() && self.step.waiver_rank().is_none()
            }
            SopRunStepState::Pending | SopRunStepState::Ready => false,
        }
    }

    /// Whether somebody can, and has to, do something about it now.
    pub(super) fn is_open(&self) -> bool {
        match self.state {
            SopRunStepState::Ready | SopRunStepState::Failed => !self.is_settled(),
            SopRunStepState::Pending
            | SopRunStepState::NotApplicable
            | SopRunStepState::Done
            | SopRunStepState::Waived => false,
        }
    }

    /// Which attempt at it is the next, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempts.saturating_add(1)
    }

    /// Whether later steps wait for it.
    pub(super) fn blocks(&self) -> bool {
        self.step.stop && !self.is_settled()
    }
}

/// What was found at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "value": 48.5, "deviation_reason": null, "meter_replaced": null })))]
pub struct SopAnswer {
    /// The finding, of the type that the step's measure asks for.
    pub value: SopValue,
    /// Why the standard is missed, if it is; it settles a step that nobody needs to approve. Not kept
    /// when the standard is met.
    #[serde(default)]
    pub deviation_reason: Option<Line>,
    /// When a meter was replaced since the last time, so that it may show less: how come. Not kept for what is
    /// no meter.
    #[serde(default)]
    pub meter_replaced: Option<Line>,
}

/// A run with its steps, in the order of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "run_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "asset_id": null,
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sop_version_id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk",
    "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk",
    "state": "in_progress", "adherence_bp": null, "abort_reason": null,
    "anchor_at": null, "trigger_id": null, "cause": null, "event_facts": {},
    "started_at": "2026-11-22T09:30:00Z", "ended_at": null,
    "version": 2, "created_at": "2026-11-22T09:25:00Z",
    "steps": [{
        "id": "rst_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_run_id": "run_01m80t7jx3e9vbq2f4c6d8g0hk",
        "position": 1, "key": "measure", "title": "Measure the dissolved solids",
        "standard": "As good as new.", "assignee": { "rule": "runner" }, "due": null,
        "condition": null, "evidence": [], "service_item_code": null, "cost_cap": null,
        "target_degree": "50 ppm or less", "stop": false, "obligation": true, "approval_rank": null,
        "measure": { "type": "number", "unit": "ppm", "op": "at_most", "threshold": 50 },
        "state": "failed", "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
        "ready_at": "2026-11-22T09:25:00Z", "due_at": "2026-11-22T10:25:00Z", "overdue_at": null,
        "escalated_rank": null, "escalated_staff_id": null,
        "value": 61.5, "deviation_reason": null, "meter_replaced": null, "attempts": 1,
        "done_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "done_at": "2026-11-22T09:30:00Z",
        "version": 2,
    }],
})))]
pub struct SopChecklist {
    /// The run.
    #[serde(flatten)]
    pub run: SopRun,
    /// Its steps, each with what the procedure says about it and what was done.
    pub steps: Vec<SopRunStep>,
}

impl Record for SopChecklist {
    type Id = SopRunId;

    fn id(&self) -> SopRunId {
        self.run.id
    }

    fn version(&self) -> Version {
        self.run.version
    }

    fn customer(&self) -> Option<CustomerId> {
        self.run.customer()
    }

    fn dealer(&self) -> Option<DealerId> {
        self.run.dealer()
    }
}

#[cfg(test)]
mod tests;
