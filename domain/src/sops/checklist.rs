//! Checklists: a run with its steps, as the person at the customer's ticks them off.

use super::{
    ChecklistChange, SopCircumstances, SopMeasure, SopRun, SopStep, SopValue, SopVersion,
    course::{Ready, make_ready},
    runs::require_rank,
};
use crate::{
    change::Change,
    identity::{Actor, Rank},
    ids::{CustomerId, DealerId, SopRunId, SopRunStepId, StaffId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A step waits for a stop step before it.
pub(super) static STEP_BLOCKED: Rule = Rule {
    code: "step_blocked",
    kind: Kind::Conflict,
    title: Bilingual {
        en: "An earlier step must be done first", zh: "须先完成前面的步骤"
    },
    detail: Bilingual {
        en: "Step {position} waits until step {stop_position} is done or waived.",
        zh: "第 {position} 步须等第 {stop_position} 步完成或获准免除后才能进行。",
    },
    advice: Bilingual {
        en: "Complete the step at `stop_position` to its standard, or have it waived.",
        zh: "请按标准完成 `stop_position` 所指的步骤，或申请免除该步骤。",
    },
};

/// A step is to be done without what shows it.
pub(super) static EVIDENCE_MISSING: Rule = Rule {
    code: "evidence_missing",
    kind: Kind::Conflict,
    title: Bilingual { en: "Something must be attached first", zh: "须先上传凭证" },
    detail: Bilingual {
        en: "Step {position} is done when this is attached: {missing}.",
        zh: "第 {position} 步须上传以下凭证后才能完成：{missing}。",
    },
    advice: Bilingual {
        en: "Attach what is `missing` with `POST …/evidence?kind=…`, then complete the step.",
        zh: "请先通过 `POST …/evidence?kind=…` 上传 `missing` 所列凭证，再完成该步骤。",
    },
};

/// A meter shows less than it did before.
pub(super) static METER_RUNS_BACKWARDS: Rule = Rule {
    code: "meter_runs_backwards",
    kind: Kind::Unfit,
    title: Bilingual { en: "Less than the last time", zh: "读数小于上次" },
    detail: Bilingual {
        en: "The meter showed {last} the last time, and a meter does not run backwards to {given}.",
        zh: "上次读数为 {last}，本次读数 {given} 不应更小。",
    },
    advice: Bilingual {
        en: "Read the meter again. Waive the step when the meter was replaced, and say so.",
        zh: "请重新读数。如已更换仪表，请免除该步骤并说明原因。",
    },
};

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
    fn ways_on(self) -> &'static [&'static str] {
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

    /// Whether later steps wait for it.
    pub(super) fn blocks(&self) -> bool {
        self.step.stop && !self.is_settled()
    }
}

/// What was found at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "value": 48.5, "deviation_reason": null })))]
pub struct SopAnswer {
    /// The finding, of the type that the step's measure asks for.
    pub value: SopValue,
    /// Why the standard is missed, if it is; it settles a step that nobody needs to approve. Not kept
    /// when the standard is met.
    #[serde(default)]
    pub deviation_reason: Option<Line>,
}

/// A run with its steps, in the order of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "run_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
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
        "value": 61.5, "deviation_reason": null,
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

impl SopChecklist {
    /// Takes one step in hand, as things stand; `None` when the run has no such step.
    pub fn step(self, id: SopRunStepId, around: SopCircumstances) -> Option<StepAtHand> {
        let place = self.steps.iter().position(|step| step.id == id)?;
        let mut rest = self.steps.into_iter();
        let before = rest.by_ref().take(place).collect();
        let step = rest.next()?;
        Some(StepAtHand { run: self.run, before, step, after: rest.collect(), around })
    }
}

/// One step of a checklist, between the steps before and after it.
#[derive(Debug, Clone)]
pub struct StepAtHand {
    run: SopRun,
    before: Vec<SopRunStep>,
    step: SopRunStep,
    after: Vec<SopRunStep>,
    around: SopCircumstances,
}

impl StepAtHand {
    /// Does the step: it is done when the value meets the standard, and failed when it does not. A
    /// failed step can be done again. The run completes itself with the last settled step.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the run is over, or the step done or waived; `step_blocked` when a
    /// stop step before it is not settled; `wrong_value_type` and `unknown_choice` when the value is
    /// no answer to the step; `meter_runs_backwards` when a meter shows less than the last time;
    /// `evidence_missing` when the value meets the standard and something that shows it is not attached.
    pub fn complete(
        self,
        answer: SopAnswer,
        by: Actor,
        now: Timestamp,
    ) -> Result<ChecklistChange, Refusal> {
        self.require_ready()?;
        let met = self.step.step.measure.is_met_by(&answer.value)?;
        self.require_forwards(&answer.value)?;
        if met {
            self.require_evidence()?;
        }
        let (state, deviation_reason) = if met {
            (SopRunStepState::Done, None)
        } else {
            (SopRunStepState::Failed, answer.deviation_reason)
        };
        let value = Some(answer.value);
        let settle = |step| SopRunStep { state, value, deviation_reason, ..step };
        Ok(self.settle("complete_step", settle, by, now))
    }

    /// Leaves the step out, or accepts that it failed. A stop step, an obligation and a step with a
    /// rank of its own are waived by that rank (a manager when it names none), other steps by anybody
    /// who carries out the run.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the run is over, or the step done or waived; `step_blocked` when a
    /// stop step before it is not settled; `sop_rank_too_low` below the rank that may waive it.
    pub fn waive(
        self,
        reason: Line,
        by: Actor,
        now: Timestamp,
    ) -> Result<ChecklistChange, Refusal> {
        self.require_ready()?;
        if let Some(required) = self.step.step.waiver_rank() {
            require_rank(by, required)?;
        }
        let (state, deviation_reason) = (SopRunStepState::Waived, Some(reason));
        let settle = |step| SopRunStep { state, deviation_reason, ..step };
        Ok(self.settle("waive_step", settle, by, now))
    }

    /// Says no unless the run goes on and the step can be done.
    fn require_ready(&self) -> Result<(), Refusal> {
        self.run.require_going_on()?;
        if let Some(stop) = self.before.iter().find(|step| step.blocks()) {
            let refusal = Refusal::new(&STEP_BLOCKED).with("position", self.step.position);
            return Err(refusal.with("stop_position", stop.position));
        }
        match self.step.state {
            SopRunStepState::Ready | SopRunStepState::Failed => Ok(()),
            SopRunStepState::Pending
            | SopRunStepState::NotApplicable
            | SopRunStepState::Done
            | SopRunStepState::Waived => Err(illegal(self.step.state, self.step.state.ways_on())),
        }
    }

    /// Says no when a meter shows less than the last time.
    fn require_forwards(&self, value: &SopValue) -> Result<(), Refusal> {
        let (SopMeasure::Meter { .. }, SopValue::Number(given), Some(last)) =
            (&self.step.step.measure, value, self.around.last_reading)
        else {
            return Ok(());
        };
        if *given >= last {
            return Ok(());
        }
        let refusal = Refusal::new(&METER_RUNS_BACKWARDS).with("last", last);
        Err(refusal.with("given", given).at("/value"))
    }

    /// Says no while something that shows how the step was done is not attached.
    fn require_evidence(&self) -> Result<(), Refusal> {
        let required = self.step.step.required_evidence();
        let missing: Vec<_> = required.difference(&self.around.attached).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let refusal = Refusal::new(&EVIDENCE_MISSING).with("position", self.step.position);
        Err(refusal.with("missing", missing))
    }

    fn settle(
        self,
        action: &'static str,
        settle: impl FnOnce(SopRunStep) -> SopRunStep,
        by: Actor,
        now: Timestamp,
    ) -> ChecklistChange {
        let step = settle(self.step);
        let step = SopRunStep { done_by: Some(by.to_string()), done_at: Some(now), ..step };
        let (id, position, state) = (step.id, step.position, step.state);
        let mut steps = self.before;
        steps.push(step);
        steps.extend(self.after);
        let mut around = self.around;
        let ready = make_ready(&mut steps, &self.run, &mut around, now);
        let from = self.run.state;
        let run = self.run.after_step(&steps, now);
        let to = run.state;
        let run = Change::new(action, run).moved(from, to);
        let run = SopRun::announce(run.with("position", position).with("step", state), &ready);
        let Ready { mut changed, .. } = ready;
        if !changed.contains(&id) {
            changed.push(id);
        }
        ChecklistChange { run, steps, changed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{Rank, Reach},
        ids::StaffId,
        refusal::ILLEGAL_TRANSITION,
        sops::{
            Sop, SopBeginning, SopRunDetails, SopRunState,
            runs::{SOP_NOT_PUBLISHED, SOP_RANK_TOO_LOW, SOP_RUN_OF_OTHERS},
        },
    };
    use SopRunStepState::{Done, Failed, Pending, Ready, Waived};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn staff(rank: Rank) -> Actor {
        Actor::Staff { id: StaffId::from(Uuid::from_u128(9)), rank }
    }

    fn technician() -> Actor {
        staff(Rank::CLERK)
    }

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn because() -> Line {
        Line::new("The customer has no shut-off valve.").unwrap()
    }

    /// A yes-or-no step.
    fn plain() -> Value {
        json!({ "title": "Look", "standard": "Clean.", "measure": { "type": "bool" } })
    }

    fn with(mut step: Value, field: &str, value: Value) -> Value {
        step.as_object_mut().unwrap().insert(field.to_owned(), value);
        step
    }

    fn stop() -> Value {
        with(plain(), "stop", json!(true))
    }

    fn version(steps: &[Value]) -> SopVersion {
        let sop = serde_json::from_value(json!({
            "code": "visit", "name": "Visit", "department": "after_sales", "touchpoint": "visit",
        }));
        let sop = Sop::create(Uuid::from_u128(1).into(), sop.unwrap(), now()).record;
        let details = serde_json::from_value(json!({ "change_note": "First.", "steps": steps }));
        let id = Uuid::from_u128(2).into();
        sop.draft(id, details.unwrap(), Actor::Operator, now()).unwrap().1.record
    }

    fn start(version: &SopVersion) -> Result<ChecklistChange, Refusal> {
        let mut ids = (1..).map(|n| Uuid::from_u128(n).into());
        let step_id = || ids.next().unwrap();
        let details = SopRunDetails {
            sop_id: version.sop_id,
            customer_id: None,
            dealer_id: None,
            staff_id: None,
        };
        let beginning = SopBeginning::of(details, SopCircumstances::default());
        SopRun::start(Uuid::from_u128(3).into(), Some(version), beginning, step_id, now())
    }

    fn read(change: ChecklistChange) -> SopChecklist {
        SopChecklist { run: change.run.record, steps: change.steps }
    }

    fn started(steps: &[Value]) -> SopChecklist {
        let in_review = version(steps).submit().unwrap().record;
        let publication = in_review.publish(None, Actor::Operator, now()).unwrap();
        read(start(&publication.published.record).unwrap())
    }

    fn at(list: &SopChecklist, position: u128) -> StepAtHand {
        list.clone().step(Uuid::from_u128(position).into(), SopCircumstances::default()).unwrap()
    }

    fn answer(yes: bool) -> SopAnswer {
        SopAnswer { value: SopValue::Bool(yes), deviation_reason: None }
    }

    fn tick(list: &SopChecklist, position: u128, yes: bool) -> SopChecklist {
        read(at(list, position).complete(answer(yes), technician(), now()).unwrap())
    }

    fn fail_with_reason(list: &SopChecklist, position: u128) -> SopChecklist {
        let answer = SopAnswer { deviation_reason: Some(because()), ..answer(false) };
        read(at(list, position).complete(answer, technician(), now()).unwrap())
    }

    fn states(list: &SopChecklist) -> Vec<SopRunStepState> {
        list.steps.iter().map(|step| step.state).collect()
    }

    #[test]
    fn a_run_begins_under_a_published_version_only() {
        let draft = version(&[plain()]);
        assert_eq!(start(&draft).unwrap_err().rule, &SOP_NOT_PUBLISHED);
        let in_review = draft.submit().unwrap().record;
        assert_eq!(start(&in_review).unwrap_err().rule, &SOP_NOT_PUBLISHED);
        let published = in_review.publish(None, Actor::Operator, now()).unwrap().published.record;
        let run = start(&published).unwrap();
        assert_eq!((run.run.record.state, run.changed.len()), (SopRunState::Open, 1));
        let retired = published.retire(now()).unwrap().record;
        assert_eq!(start(&retired).unwrap_err().rule, &SOP_NOT_PUBLISHED);
    }

    #[test]
    fn a_run_completes_itself_with_the_last_step() {
        let list = tick(&started(&[plain(), plain()]), 1, true);
        assert_eq!((list.run.state, list.run.adherence_bp), (SopRunState::InProgress, None));
        let list = tick(&list, 2, true);
        assert_eq!(list.run.state, SopRunState::Completed);
        assert_eq!(list.run.adherence_bp.unwrap().get(), 10_000);
        assert_eq!(list.run.ended_at, Some(now()));
        let refusal = at(&list, 1).complete(answer(true), technician(), now()).unwrap_err();
        assert_eq!(refusal.rule, &ILLEGAL_TRANSITION);
    }

    #[test]
    fn later_steps_wait_for_a_stop_step() {
        let list = started(&[plain(), stop(), plain(), stop(), plain()]);
        assert_eq!(states(&list), [Ready, Ready, Pending, Pending, Pending]);
        let refusal = at(&list, 3).complete(answer(true), technician(), now()).unwrap_err();
        assert_eq!(refusal.rule, &STEP_BLOCKED);
        assert_eq!(refusal.facts.get("stop_position"), Some(&json!(2)));
        let change = at(&list, 2).complete(answer(true), technician(), now()).unwrap();
        assert_eq!(change.changed.len(), 3);
        assert_eq!(states(&read(change)), [Ready, Done, Ready, Ready, Pending]);
    }

    #[test]
    fn a_failed_stop_step_goes_on_blocking_until_it_is_done_again_or_waived() {
        let list = fail_with_reason(&started(&[stop(), plain()]), 1);
        assert_eq!(states(&list), [Failed, Pending]);
        assert_eq!(states(&tick(&list, 1, true)), [Done, Ready]);
        let waived = at(&list, 1).waive(because(), staff(Rank::MANAGER), now()).unwrap();
        assert_eq!(states(&read(waived)), [Waived, Ready]);
    }

    #[test]
    fn a_missed_standard_is_settled_by_a_reason_or_by_doing_it_again() {
        let list = tick(&started(&[plain()]), 1, false);
        assert_eq!((list.run.state, states(&list)), (SopRunState::InProgress, vec![Failed]));
        assert_eq!(tick(&list, 1, true).run.state, SopRunState::Completed);
        let list = fail_with_reason(&list, 1);
        assert_eq!(list.run.state, SopRunState::CompletedWithDeviation);
        assert_eq!(list.run.adherence_bp.unwrap().get(), 0);
    }

    #[test]
    fn a_reason_does_not_excuse_from_an_obligation() {
        let obligation = with(plain(), "obligation", json!(true));
        let list = fail_with_reason(&started(&[obligation]), 1);
        assert_eq!(list.run.state, SopRunState::InProgress);
        let waived = at(&list, 1).waive(because(), staff(Rank::MANAGER), now()).unwrap();
        assert_eq!(waived.run.record.state, SopRunState::CompletedWithDeviation);
    }

    #[test]
    fn the_rank_that_may_waive_is_the_one_the_step_names() {
        let waive = |step: Value, by| at(&started(&[step]), 1).waive(because(), by, now());
        assert!(waive(plain(), technician()).is_ok());
        let below_manager = staff(Rank::from_number(29));
        assert_eq!(waive(stop(), below_manager).unwrap_err().rule, &SOP_RANK_TOO_LOW);
        assert!(waive(stop(), staff(Rank::MANAGER)).is_ok());
        let owners = with(plain(), "approval_rank", json!(40));
        assert_eq!(
            waive(owners.clone(), staff(Rank::MANAGER)).unwrap_err().rule,
            &SOP_RANK_TOO_LOW
        );
        assert!(waive(owners, staff(Rank::OWNER)).is_ok());
    }

    #[test]
    fn a_step_is_done_or_waived_once() {
        let list = tick(&started(&[plain(), plain()]), 1, true);
        let again = at(&list, 1).complete(answer(true), technician(), now());
        assert_eq!(again.unwrap_err().rule, &ILLEGAL_TRANSITION);
        let waived = at(&list, 1).waive(because(), staff(Rank::BRAND), now());
        assert_eq!(waived.unwrap_err().rule, &ILLEGAL_TRANSITION);
    }

    #[test]
    fn a_manager_breaks_a_run_off() {
        let list = tick(&started(&[plain(), plain()]), 1, true);
        let refusal = list.run.clone().abort(because(), staff(Rank::from_number(29)), now());
        assert_eq!(refusal.unwrap_err().rule, &SOP_RANK_TOO_LOW);
        let aborted = list.run.abort(because(), staff(Rank::MANAGER), now()).unwrap().record;
        assert_eq!((aborted.state, aborted.adherence_bp), (SopRunState::Aborted, None));
        let again = aborted.abort(because(), staff(Rank::MANAGER), now()).unwrap_err();
        assert_eq!(again.rule, &ILLEGAL_TRANSITION);
    }

    #[test]
    fn a_visits_run_names_the_visit() {
        let in_review = version(&[plain()]).submit().unwrap().record;
        let published = in_review.publish(None, Actor::Operator, now()).unwrap().published.record;
        let visit = Uuid::from_u128(7).into();
        let run = start(&published).unwrap().part_of(visit).run;
        assert_eq!(run.record.work_order_id, Some(visit));
        assert_eq!(run.facts.get("work_order_id"), Some(&json!(visit)));
    }

    #[test]
    fn a_person_opens_runs_that_they_see() {
        let id = Uuid::from_u128;
        let details = |dealer: Option<u128>, staff: Option<u128>| SopRunDetails {
            sop_id: id(1).into(),
            customer_id: None,
            dealer_id: dealer.map(|number| id(number).into()),
            staff_id: staff.map(|number| id(number).into()),
        };
        let clerk = Reach { dealer: Some(id(5).into()), technician: None };
        let filled = details(None, None).written_by(technician(), clerk).unwrap();
        assert_eq!(filled, details(Some(5), Some(9)));
        assert!(details(Some(5), Some(8)).written_by(technician(), clerk).is_ok());
        let refusal = details(Some(6), None).written_by(technician(), clerk).unwrap_err();
        assert_eq!(refusal.rule, &SOP_RUN_OF_OTHERS);
        let own_only = Reach { technician: Some(id(9).into()), ..clerk };
        assert!(details(None, None).written_by(technician(), own_only).is_ok());
        assert!(details(None, Some(8)).written_by(technician(), own_only).is_err());
        let brand = details(Some(6), Some(8)).written_by(Actor::Operator, Reach::default());
        assert_eq!(brand.unwrap(), details(Some(6), Some(8)));
    }

    #[test]
    fn another_runs_step_is_not_here() {
        assert!(
            started(&[plain()])
                .step(Uuid::from_u128(2).into(), SopCircumstances::default())
                .is_none()
        );
    }

    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Meet,
        Miss,
        MissWithReason,
        Waive,
    }

    fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
        let deed =
            prop::sample::select(vec![Deed::Meet, Deed::Miss, Deed::MissWithReason, Deed::Waive]);
        prop::collection::vec((0..8_usize, deed), 0..40)
    }

    fn attempt(list: &SopChecklist, place: usize, deed: Deed) -> Option<SopChecklist> {
        let step = list.clone().step(list.steps.get(place)?.id, SopCircumstances::default())?;
        let reason = Some(because());
        let change = match deed {
            Deed::Meet => step.complete(answer(true), technician(), now()),
            Deed::Miss => step.complete(answer(false), technician(), now()),
            Deed::MissWithReason => {
                let answer = SopAnswer { deviation_reason: reason, ..answer(false) };
                step.complete(answer, technician(), now())
            }
            Deed::Waive => step.waive(because(), staff(Rank::MANAGER), now()),
        };
        change.ok().map(read)
    }

    proptest! {
        #[test]
        fn whatever_is_tried_no_stop_step_is_passed_and_the_run_ends_with_its_steps(
            stops in prop::collection::vec(any::<bool>(), 1..8), deeds in deeds(),
        ) {
            let steps: Vec<_> = stops.iter().map(|s| if *s { stop() } else { plain() }).collect();
            let mut list = started(&steps);
            for (place, deed) in deeds {
                list = attempt(&list, place, deed).unwrap_or(list);
                let mut after_stop = list.steps.iter().skip_while(|step| !step.blocks()).skip(1);
                prop_assert!(after_stop.all(|step| step.state == Pending));
                let mut before = list.steps.iter().take_while(|step| !step.blocks());
                prop_assert!(before.all(|step| step.state != Pending));
                let settled = list.steps.iter().all(SopRunStep::is_settled);
                prop_assert_eq!(list.run.state.is_completed(), settled);
                let flawless = list.steps.iter().all(|step| step.state == Done);
                prop_assert_eq!(list.run.state == SopRunState::Completed, flawless);
                let full = list.run.adherence_bp.is_some_and(|share| share.get() == 10_000);
                prop_assert_eq!(full, flawless);
            }
        }
    }
}
