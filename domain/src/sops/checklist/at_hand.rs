//! A step at hand: it is done, or left out, and the run goes on from there.

use super::{SopAnswer, SopChecklist, SopRunStep, SopRunStepState};
use crate::{
    change::Change,
    identity::Actor,
    ids::SopRunStepId,
    refusal::{Kind, Refusal, Rule, illegal},
    sops::{
        ChecklistChange, SopCircumstances, SopMeasure, SopRun, SopValue,
        course::{Ready, make_ready},
        runs::require_rank,
    },
    text::{Bilingual, Line},
    time::Timestamp,
};

/// A step waits for a stop step before it.
pub(in crate::sops) static STEP_BLOCKED: Rule = Rule {
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
pub(in crate::sops) static EVIDENCE_MISSING: Rule = Rule {
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
pub(in crate::sops) static METER_RUNS_BACKWARDS: Rule = Rule {
    code: "meter_runs_backwards",
    kind: Kind::Unfit,
    title: Bilingual { en: "Less than the last time", zh: "读数小于上次" },
    detail: Bilingual {
        en: "The meter showed {last} the last time, and a meter does not run backwards to {given}.",
        zh: "上次读数为 {last}，本次读数 {given} 不应更小。",
    },
    advice: Bilingual {
        en: "Read the meter again. When it was replaced, say so in `meter_replaced`, and how come.",
        zh: "请重新读数。如已更换仪表，请在 `meter_replaced` 中说明原因。",
    },
};

/// One step of a checklist, between the steps before and after it.
#[derive(Debug, Clone)]
pub struct StepAtHand {
    run: SopRun,
    before: Vec<SopRunStep>,
    step: SopRunStep,
    after: Vec<SopRunStep>,
    around: SopCircumstances,
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

impl StepAtHand {
    /// Does the step: it is done when the value meets the standard, and failed when it does not. A
    /// failed step can be done again. The run completes itself with the last settled step.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the run is over, or the step done or waived; `step_blocked` when a
    /// stop step before it is not settled; `wrong_value_type` and `unknown_choice` when the value is
    /// no answer to the step; `meter_runs_backwards` when a meter shows less than the last time and
    /// nobody says that it was replaced;
    /// `evidence_missing` when the value meets the standard and something that shows it is not attached.
    pub fn complete(
        self,
        answer: SopAnswer,
        by: Actor,
        now: Timestamp,
    ) -> Result<ChecklistChange, Refusal> {
        self.require_ready()?;
        let met = self.step.step.measure.is_met_by(&answer.value)?;
        let meter_replaced = answer.meter_replaced.filter(|_| self.step.step.measure.is_meter());
        if meter_replaced.is_none() {
            self.require_forwards(&answer.value)?;
        }
        if met {
            self.require_evidence()?;
        }
        let (state, deviation_reason) = if met {
            (SopRunStepState::Done, None)
        } else {
            (SopRunStepState::Failed, answer.deviation_reason)
        };
        let value = Some(answer.value);
        let settle = |step: SopRunStep| {
            let attempts = step.attempts.saturating_add(1);
            SopRunStep { state, value, deviation_reason, meter_replaced, attempts, ..step }
        };
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
