//! Runs: one execution of one version of a procedure, step by step.

use super::{
    SopCircumstances, SopRunStep, SopRunStepState, SopValue, SopVersion, SopVersionState,
    course::make_ready,
};
use crate::{
    change::Change,
    conditions::ConditionFacts,
    identity::{Actor, Rank, Reach},
    ids::{
        AssetId, CustomerId, DealerId, SopId, SopRunId, SopRunStepId, SopTriggerId, SopVersionId,
        StaffId, WorkOrderId,
    },
    money::BasisPoints,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Something is to follow a procedure, but no version of the procedure is in force.
pub static SOP_NOT_PUBLISHED: Rule = Rule {
    code: "sop_not_published",
    kind: Kind::Conflict,
    title: Bilingual { en: "The procedure is not in force", zh: "规程未生效" },
    detail: Bilingual {
        en: "Procedure {sop_id} has no published version; only such a one can be followed.",
        zh: "规程 {sop_id} 没有已发布的版本，无法按其执行。",
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

/// Somebody wants to open a run that they would not see.
pub(super) static SOP_RUN_OF_OTHERS: Rule = Rule {
    code: "sop_run_of_others",
    kind: Kind::NotYours,
    title: Bilingual {
        en: "Not the caller's own work", zh: "不是本人或本经销商的工作"
    },
    detail: Bilingual {
        en: "A dealer's people open runs of their own dealer, and technicians their own runs only.",
        zh: "经销商人员只能为本经销商发起执行，技师只能为本人发起执行。",
    },
    advice: Bilingual {
        en: "Leave `dealer_id` and `staff_id` out: they are filled in.",
        zh: "请勿填写 `dealer_id` 和 `staff_id`，系统会自动补全。",
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

/// What is carried out, for whom and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "asset_id": null, "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
})))]
pub struct SopRunDetails {
    /// The procedure.
    pub sop_id: SopId,
    /// The customer it is done for.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// The sold thing it is about; what its meters show is compared with the last time.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// The dealer who does it. When a dealer's person leaves it out, it is their dealer.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// The person who does it. When a person leaves it out, it is themselves.
    #[serde(default)]
    pub staff_id: Option<StaffId>,
}

impl SopRunDetails {
    /// The details as `by`, who sees `reach` of the brand, may write them.
    ///
    /// # Errors
    ///
    /// `sop_run_of_others` when a dealer's person names another dealer, or a technician somebody else.
    pub fn written_by(self, by: Actor, reach: Reach) -> Result<Self, Refusal> {
        let dealer_id = self.dealer_id.or(reach.dealer);
        let staff_id = self.staff_id.or(by.staff());
        let own_dealer = reach.dealer.is_none_or(|own| dealer_id == Some(own));
        let own_work = reach.technician.is_none_or(|own| staff_id == Some(own));
        if own_dealer && own_work {
            return Ok(Self { dealer_id, staff_id, ..self });
        }
        Err(Refusal::new(&SOP_RUN_OF_OTHERS))
    }
}

/// One execution of one version of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "run_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "asset_id": null,
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sop_version_id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk",
    "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk",
    "anchor_at": "2026-11-22T09:00:00Z", "trigger_id": "trg_01m80t7jx3e9vbq2f4c6d8g0hk",
    "cause": "evn_01m80t7jx3e9vbq2f4c6d8g0hk", "event_facts": { "nights": 3 },
    "state": "completed", "adherence_bp": 10_000, "abort_reason": null,
    "started_at": "2026-11-22T09:30:00Z", "ended_at": "2026-11-22T10:10:00Z",
    "version": 4, "created_at": "2026-11-22T09:25:00Z",
})))]
pub struct SopRun {
    /// Its identifier.
    pub id: SopRunId,
    /// What is carried out, for whom and by whom.
    #[serde(flatten)]
    pub details: SopRunDetails,
    /// The version that was in force when the run began; it stays with it to the end.
    pub sop_version_id: SopVersionId,
    /// The visit it is part of; a visit opens its run by itself.
    pub work_order_id: Option<WorkOrderId>,
    /// The instant that it is about, such as the check-out it follows.
    pub anchor_at: Option<Timestamp>,
    /// What began it by itself; null when somebody opened it.
    pub trigger_id: Option<SopTriggerId>,
    /// What happened: the record by which the trigger began it.
    pub cause: Option<String>,
    /// What was told about what happened, by name; conditions ask for it as `event.…`.
    #[schema(schema_with = crate::customer_events::facts_by_name)]
    pub event_facts: BTreeMap<Code, SopValue>,
    /// What conditions ask for beside that, as it was when the run began: whoever goes on with it need not see the
    /// customer, and two who do decide the same.
    #[serde(skip)]
    pub condition_facts: ConditionFacts,
    /// Where it stands.
    pub state: SopRunState,
    /// The share of the steps that apply and were done to their standard, rounded down, so that only a flawless
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
        self.details.customer_id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
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

/// What happened, so that a run began by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SopCause {
    /// The trigger that waited for it.
    pub trigger_id: SopTriggerId,
    /// What happened, by a name of its own: a trigger begins one run for each.
    pub cause: String,
    /// When it happened.
    pub anchor_at: Timestamp,
    /// What was told about it.
    pub facts: BTreeMap<Code, SopValue>,
}

/// What a run begins with.
#[derive(Debug, Clone)]
pub struct SopBeginning {
    /// What is carried out, for whom and by whom.
    pub details: SopRunDetails,
    /// What happened, when it begins by itself.
    pub cause: Option<SopCause>,
    /// What it is carried out in.
    pub around: SopCircumstances,
}

impl SopBeginning {
    /// A run that somebody opens.
    pub fn of(details: SopRunDetails, around: SopCircumstances) -> Self {
        Self { details, cause: None, around }
    }
}

impl ChecklistChange {
    /// The same for a run that is part of a visit.
    pub fn part_of(mut self, work_order: WorkOrderId) -> Self {
        self.run.record.work_order_id = Some(work_order);
        self.run = self.run.with("work_order_id", work_order);
        self
    }
}

impl SopRun {
    /// Opens a run under the version of its procedure that is in force. Steps up to the first stop step
    /// are ready at once. One in which nothing applies is completed at once.
    ///
    /// # Errors
    ///
    /// `sop_not_published` when there is no such version.
    pub fn start(
        id: SopRunId,
        in_force: Option<&SopVersion>,
        beginning: SopBeginning,
        step_id: impl FnMut() -> SopRunStepId,
        now: Timestamp,
    ) -> Result<ChecklistChange, Refusal> {
        let SopBeginning { details, cause, mut around } = beginning;
        let published = in_force.filter(|version| {
            version.state == SopVersionState::Published && version.sop_id == details.sop_id
        });
        let version = published
            .ok_or_else(|| Refusal::new(&SOP_NOT_PUBLISHED).with("sop_id", details.sop_id))?;
        let run = Self::open(id, version.id, (details, cause), &around.facts, now);
        let mut steps = SopRunStep::of(id, version, step_id);
        let ready = make_ready(&mut steps, &run, &mut around, now);
        let changed = steps.iter().map(|step| step.id).collect();
        let run = if steps.iter().all(SopRunStep::is_settled) {
            run.after_step(&steps, now)
        } else {
            run
        };
        let trigger = run.trigger_id;
        let run = Change::created(run).with("sop_version_id", version.id);
        let run = if trigger.is_some() { run.with("trigger_id", trigger) } else { run };
        Ok(ChecklistChange { run: Self::announce(run, &ready), steps, changed })
    }

    fn open(
        id: SopRunId,
        sop_version_id: SopVersionId,
        (details, cause): (SopRunDetails, Option<SopCause>),
        facts: &ConditionFacts,
        now: Timestamp,
    ) -> Self {
        let event_facts = cause.as_ref().map(|cause| cause.facts.clone()).unwrap_or_default();
        Self {
            id,
            details,
            sop_version_id,
            work_order_id: None,
            anchor_at: cause.as_ref().map(|cause| cause.anchor_at),
            trigger_id: cause.as_ref().map(|cause| cause.trigger_id),
            cause: cause.map(|cause| cause.cause),
            event_facts,
            condition_facts: ConditionFacts {
                event: BTreeMap::new(),
                step: BTreeMap::new(),
                ..facts.clone()
            },
            state: SopRunState::Open,
            adherence_bp: None,
            abort_reason: None,
            started_at: None,
            ended_at: None,
            version: Version::FIRST,
            created_at: now,
        }
    }

    /// What its conditions ask for, beside what was found at its steps.
    pub fn facts(&self) -> ConditionFacts {
        ConditionFacts { event: self.event_facts.clone(), ..self.condition_facts.clone() }
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
        let applies = |step: &&SopRunStep| step.state != SopRunStepState::NotApplicable;
        let applicable = steps.iter().filter(applies).count();
        let done = steps.iter().filter(|step| step.state == SopRunStepState::Done).count();
        let state = if done == applicable {
            SopRunState::Completed
        } else {
            SopRunState::CompletedWithDeviation
        };
        let adherence_bp = share_of(done, applicable);
        Self { state, adherence_bp, ended_at: Some(now), ..started }
    }
}

/// The share of `done` among `all`, rounded down; the whole of it when there is nothing to do.
fn share_of(done: usize, all: usize) -> Option<BasisPoints> {
    let share_bp = done.saturating_mul(10_000).checked_div(all).unwrap_or(10_000);
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
