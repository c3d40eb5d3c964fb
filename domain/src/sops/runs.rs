//! Runs: one execution of one version of a procedure, step by step.

use super::{SopRunStep, SopRunStepState, SopVersion, SopVersionState};
use crate::{
    change::Change,
    identity::{Actor, Rank},
    ids::{
        CustomerId, DealerId, SopId, SopRunId, SopRunStepId, SopVersionId, StaffId, WorkOrderId,
    },
    money::BasisPoints,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A run is to begin under a version that is not in force.
pub(super) static SOP_NOT_PUBLISHED: Rule = Rule {
    code: "sop_not_published",
    kind: Kind::Conflict,
    title: Bilingual { en: "The procedure is not in force", zh: "规程未生效" },
    detail: Bilingual {
        en: "Version {number} is {state}; a run can only begin under a published version.",
        zh: "第 {number} 版的状态为 {state}，只有已发布的版本才能开始执行。",
    },
    advice: Bilingual { en: "Publish a version first.", zh: "请先发布一个版本。" },
};

/// Somebody of a lower rank wants to do what a manager must decide.
pub(super) static SOP_RANK_TOO_LOW: Rule = Rule {
    code: "sop_rank_too_low",
    kind: Kind::NotYours,
    title: Bilingual { en: "A higher rank must decide", zh: "须由更高级别的人员决定" },
    detail: Bilingual {
        en: "This needs a person of rank {required_rank}; the caller has rank {rank}.",
        zh: "此操作需要级别 {required_rank}，当前级别为 {rank}。",
    },
    advice: Bilingual {
        en: "Ask a manager, or whoever has the rank, to do it.",
        zh: "请由经理或具有相应级别的人员操作。",
    },
};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopRunState {
    /// Nothing was done yet.
    Open,
    /// At least one step was tried.
    InProgress,
    /// Every step was done to its standard.
    Completed,
    /// Every step is settled; some missed their standard or were waived.
    CompletedWithDeviation,
    /// It was broken off.
    Aborted,
}

impl SopRunState {
    /// What can be done from here.
    fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Open | Self::InProgress => &["complete", "waive", "abort"],
            Self::Completed | Self::CompletedWithDeviation | Self::Aborted => &[],
        }
    }

    /// Whether the run is over and every step of it settled, so that the work it belongs to may be
    /// completed.
    pub fn is_completed(self) -> bool {
        match self {
            Self::Completed | Self::CompletedWithDeviation => true,
            Self::Open | Self::InProgress | Self::Aborted => false,
        }
    }
}

/// What a run is carried out for, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SopRunSubject {
    /// The work order it is part of.
    #[serde(default)]
    pub work_order_id: Option<WorkOrderId>,
    /// The customer it is done for.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// The dealer who does it.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// The person who does it.
    #[serde(default)]
    pub staff_id: Option<StaffId>,
}

/// One execution of one version of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopRun {
    /// Its identifier.
    pub id: SopRunId,
    /// The procedure.
    pub sop_id: SopId,
    /// The version that was in force when the run began; it stays with it to the end.
    pub sop_version_id: SopVersionId,
    /// What it is carried out for, and by whom.
    #[serde(flatten)]
    pub subject: SopRunSubject,
    /// Where it stands.
    pub state: SopRunState,
    /// The share of the steps that were done to their standard, rounded down, so that only a flawless
    /// run has 10 000. Absent until the run is completed.
    pub adherence_bp: Option<BasisPoints>,
    /// Why it was broken off.
    pub abort_reason: Option<Line>,
    /// When the first step was tried.
    pub started_at: Option<Timestamp>,
    /// When it was completed or broken off.
    pub ended_at: Option<Timestamp>,
    /// How often the record was changed.
    pub version: Version,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl Record for SopRun {
    type Id = SopRunId;

    fn id(&self) -> SopRunId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        self.subject.customer_id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.subject.dealer_id
    }
}

/// What a rule decided about a run and its steps.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a change that is not recorded has not happened"]
pub struct ChecklistChange {
    /// The run, with the line for its timeline.
    pub run: Change<SopRun>,
    /// All steps, as they are now, in their order.
    pub steps: Vec<SopRunStep>,
    /// Which steps are different now.
    pub changed: Vec<SopRunStepId>,
}

impl SopRun {
    /// Opens a run of `version`. Steps up to the first stop step are ready at once.
    ///
    /// # Errors
    ///
    /// `sop_not_published` when the version is not in force.
    pub fn start(
        id: SopRunId,
        version: &SopVersion,
        subject: SopRunSubject,
        step_id: impl FnMut() -> SopRunStepId,
        now: Timestamp,
    ) -> Result<ChecklistChange, Refusal> {
        if version.state != SopVersionState::Published {
            let refusal = Refusal::new(&SOP_NOT_PUBLISHED);
            return Err(refusal.with("number", version.number).with("state", version.state));
        }
        let run = Self {
            id,
            sop_id: version.sop_id,
            sop_version_id: version.id,
            subject,
            state: SopRunState::Open,
            adherence_bp: None,
            abort_reason: None,
            started_at: None,
            ended_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        let steps = SopRunStep::of(id, version, step_id);
        let changed = steps.iter().map(|step| step.id).collect();
        let run = Change::created(run).with("sop_version_id", version.id);
        Ok(ChecklistChange { run, steps, changed })
    }

    /// Breaks the run off; what was done so far stays in its steps.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is over; `sop_rank_too_low` below the rank of a manager.
    pub fn abort(self, reason: Line, by: Actor, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.require_going_on()?;
        require_rank(by, Rank::MANAGER)?;
        let (from, to) = (self.state, SopRunState::Aborted);
        let aborted = Self { state: to, abort_reason: Some(reason), ended_at: Some(now), ..self };
        Ok(Change::new("abort", aborted).moved(from, to))
    }

    /// Says no when the run is over.
    pub(super) fn require_going_on(&self) -> Result<(), Refusal> {
        match self.state {
            SopRunState::Open | SopRunState::InProgress => Ok(()),
            SopRunState::Completed | SopRunState::CompletedWithDeviation | SopRunState::Aborted => {
                Err(illegal(self.state, self.state.ways_on()))
            }
        }
    }

    /// The run after one of its steps was tried: it has begun, and completes itself with the last.
    pub(super) fn after_step(self, steps: &[SopRunStep], now: Timestamp) -> Self {
        let started = Self { started_at: self.started_at.or(Some(now)), ..self };
        if !steps.iter().all(SopRunStep::is_settled) {
            return Self { state: SopRunState::InProgress, ..started };
        }
        let done = steps.iter().filter(|step| step.state == SopRunStepState::Done).count();
        let state = if done == steps.len() {
            SopRunState::Completed
        } else {
            SopRunState::CompletedWithDeviation
        };
        let adherence_bp = share_of(done, steps.len());
        Self { state, adherence_bp, ended_at: Some(now), ..started }
    }
}

/// The share of `done` among `all`, rounded down; nothing when there is nothing to do.
fn share_of(done: usize, all: usize) -> Option<BasisPoints> {
    let share_bp = done.saturating_mul(10_000).checked_div(all)?;
    BasisPoints::new(u32::try_from(share_bp).ok()?).ok()
}

/// Says no to somebody whose place on the ladder is below `required`.
pub(super) fn require_rank(by: Actor, required: Rank) -> Result<(), Refusal> {
    if by.rank() >= required {
        return Ok(());
    }
    let refusal = Refusal::new(&SOP_RANK_TOO_LOW);
    Err(refusal.with("required_rank", required).with("rank", by.rank()))
}
