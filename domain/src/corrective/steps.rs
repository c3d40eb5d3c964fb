//! The eight disciplines: steps that are filled in order.

use super::{
    CORRECTIVE_ACTION_UNOWNED, CorrectiveAction, CorrectiveActionState, D_STEP_MISFILLED,
    D_STEP_TOO_EARLY, VERIFICATION_DAYS, VERIFICATION_TOO_SOON,
};
use crate::{
    change::Change,
    event::{Awaited, Event},
    identity::Actor,
    ids::StaffId,
    pushes::check_day,
    refusal::Refusal,
    text::Prose,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A step of the eight disciplines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectiveStep {
    /// Prepare: what happened, and whether it is a matter for this.
    D0,
    /// Who works on it.
    D1,
    /// What the problem is.
    D2,
    /// What keeps customers from more harm until it is solved.
    D3,
    /// Why it happened.
    D4,
    /// Which correction is chosen.
    D5,
    /// How the correction was put into effect.
    D6,
    /// What keeps it from happening again, here and elsewhere.
    D7,
    /// Whom to thank.
    D8,
}

impl CorrectiveStep {
    /// Every step, in its order.
    pub const ALL: [Self; 9] =
        [Self::D0, Self::D1, Self::D2, Self::D3, Self::D4, Self::D5, Self::D6, Self::D7, Self::D8];

    /// Where the action stands once this step is filled; `None` when it stays where it is.
    fn reaches(self) -> Option<CorrectiveActionState> {
        match self {
            Self::D0 => Some(CorrectiveActionState::InProgress),
            Self::D3 => Some(CorrectiveActionState::ContainmentDone),
            Self::D4 => Some(CorrectiveActionState::RootCauseFound),
            Self::D5 => Some(CorrectiveActionState::Implementing),
            Self::D7 => Some(CorrectiveActionState::PendingVerification),
            Self::D1 | Self::D2 | Self::D6 | Self::D8 => None,
        }
    }
}

/// What was filled in, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CorrectiveSteps {
    /// Prepare: what happened, and whether it is a matter for this.
    pub d0: Option<Prose>,
    /// Who works on it.
    pub d1: Option<Prose>,
    /// What the problem is.
    pub d2: Option<Prose>,
    /// What keeps customers from more harm until it is solved.
    pub d3: Option<Prose>,
    /// Why it happened.
    pub d4: Option<Prose>,
    /// Which correction is chosen.
    pub d5: Option<Prose>,
    /// How the correction was put into effect.
    pub d6: Option<Prose>,
    /// What keeps it from happening again, here and elsewhere.
    pub d7: Option<Prose>,
    /// Whom to thank.
    pub d8: Option<Prose>,
}

impl CorrectiveSteps {
    fn get(&self, step: CorrectiveStep) -> Option<&Prose> {
        match step {
            CorrectiveStep::D0 => &self.d0,
            CorrectiveStep::D1 => &self.d1,
            CorrectiveStep::D2 => &self.d2,
            CorrectiveStep::D3 => &self.d3,
            CorrectiveStep::D4 => &self.d4,
            CorrectiveStep::D5 => &self.d5,
            CorrectiveStep::D6 => &self.d6,
            CorrectiveStep::D7 => &self.d7,
            CorrectiveStep::D8 => &self.d8,
        }
        .as_ref()
    }

    fn set(&mut self, step: CorrectiveStep, text: Prose) {
        let place = match step {
            CorrectiveStep::D0 => &mut self.d0,
            CorrectiveStep::D1 => &mut self.d1,
            CorrectiveStep::D2 => &mut self.d2,
            CorrectiveStep::D3 => &mut self.d3,
            CorrectiveStep::D4 => &mut self.d4,
            CorrectiveStep::D5 => &mut self.d5,
            CorrectiveStep::D6 => &mut self.d6,
            CorrectiveStep::D7 => &mut self.d7,
            CorrectiveStep::D8 => &mut self.d8,
        };
        *place = Some(text);
    }

    /// The steps before `end` that are not filled; all that are not, without one.
    pub(super) fn missing_before(&self, end: Option<CorrectiveStep>) -> Vec<CorrectiveStep> {
        let comes_before = |step: &CorrectiveStep| end.is_none_or(|end| *step < end);
        let all = CorrectiveStep::ALL.into_iter().filter(comes_before);
        all.filter(|step| self.get(*step).is_none()).collect()
    }
}

/// What was tried and did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"steps": {"d0": null, "d1": null, "d2": null, "d3": null, "d4": "The seal is too thin.",
    "d5": "A thicker seal.", "d6": "Built in from lot 7 on.", "d7": "Seals are measured on arrival.", "d8": "Thanks to the workshop."},
    "implemented_on": "2026-11-22", "verified_at": "2026-12-23T02:00:00Z",
    "verified_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "verification_note": "Two more leaks."})))]
pub struct CorrectiveAttempt {
    /// What was filled in from the root cause on.
    pub steps: CorrectiveSteps,
    /// The day on which the correction was put into effect.
    pub implemented_on: Option<CivilDate>,
    /// When it was found not to work.
    pub verified_at: Timestamp,
    /// Who found that.
    pub verified_by: StaffId,
    /// What they saw.
    pub verification_note: Prose,
}

/// One step, filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"step": "d1", "text": "Workshop and purchasing.",
    "team_ids": ["stf_01m80t7jx3e9vbq2f4c6d8g0hk"], "implemented_on": null, "verification_due_on": null})))]
pub struct CorrectiveFilling {
    /// Which step. A step that was filled before can be filled anew.
    pub step: CorrectiveStep,
    /// What there is to say.
    pub text: Prose,
    /// Who works on it: with D1, and only then, 1 to 20 people.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub team_ids: Vec<StaffId>,
    /// The day on which the correction was put into effect: with D6, and only then.
    #[serde(default)]
    pub implemented_on: Option<CivilDate>,
    /// The day from which on its effect is verified: with D6, 30 days after `implemented_on` or later; 30 days after
    /// it when left out.
    #[serde(default)]
    pub verification_due_on: Option<CivilDate>,
}

/// People who work on one corrective action, at most: more are a department.
const MOST_IN_TEAM: usize = 20;

impl CorrectiveFilling {
    /// Checks that it says what belongs to its step.
    ///
    /// # Errors
    ///
    /// `d_step_misfilled`.
    pub fn check(&self) -> Result<(), Refusal> {
        let (is_d1, is_d6) = (self.step == CorrectiveStep::D1, self.step == CorrectiveStep::D6);
        let said = [
            ("team_ids", !self.team_ids.is_empty(), is_d1, is_d1),
            ("implemented_on", self.implemented_on.is_some(), is_d6, is_d6),
            ("verification_due_on", self.verification_due_on.is_some(), false, is_d6),
        ];
        let missing = said.iter().filter(|(_, is_said, needs, _)| *needs && !is_said);
        let missing: Vec<_> = missing.map(|(name, ..)| *name).collect();
        let too_many = self.team_ids.len() > MOST_IN_TEAM;
        let unexpected = said.iter().filter(|(name, is_said, _, takes)| {
            *is_said && (!takes || *name == "team_ids" && too_many)
        });
        let unexpected: Vec<_> = unexpected.map(|(name, ..)| *name).collect();
        if missing.is_empty() && unexpected.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(&D_STEP_MISFILLED)
            .with("step", self.step)
            .with("missing_fields", missing)
            .with("unexpected_fields", unexpected))
    }
}

impl CorrectiveAction {
    /// Fills a step; whoever does has worked on it. Days are meant in `zone`.
    ///
    /// # Errors
    ///
    /// `corrective_action_unowned`, `d_step_misfilled`, `d_step_too_early`, `verification_too_soon`,
    /// [`DAY_NOT_BEGUN`](crate::pushes::DAY_NOT_BEGUN); `illegal_transition` when it is closed, and for all but D8 while
    /// its verification is waited for.
    pub fn fill(
        mut self,
        filling: CorrectiveFilling,
        actor: Actor,
        (zone, now): (Zone, Timestamp),
    ) -> Result<Change<Self>, Refusal> {
        self.must("fill")?;
        filling.check()?;
        let step = filling.step;
        if self.owner_id.is_none() {
            return Err(Refusal::new(&CORRECTIVE_ACTION_UNOWNED));
        }
        if self.state == CorrectiveActionState::PendingVerification && step != CorrectiveStep::D8 {
            return Err(self.refuse());
        }
        let missing = self.steps.missing_before(Some(step));
        if !missing.is_empty() {
            return Err(Refusal::new(&D_STEP_TOO_EARLY)
                .with("step", step)
                .with("missing_steps", missing)
                .at("/step"));
        }
        if step == CorrectiveStep::D1 {
            let before = std::mem::replace(&mut self.team_ids, filling.team_ids);
            self.have_worked(before);
        }
        self.have_worked(actor.staff());
        let id = self.id;
        let timer = match filling.implemented_on {
            Some(on) => Some(self.implement(on, filling.verification_due_on, zone, now)?),
            None => None,
        };
        let is_new = self.steps.get(step).is_none();
        self.steps.set(step, filling.text);
        // A step that is filled anew does not lead back.
        let next = step.reaches().filter(|_| is_new).unwrap_or(self.state);
        let change = self.moved("fill", next).with("step", step);
        Ok(match timer {
            Some(due_at) => {
                change.emits_at(Event::AwaitedDue { awaited: Awaited::Verification(id) }, due_at)
            }
            None => change,
        })
    }

    /// Notes the day of the implementation; answers from when on the effect is verified.
    fn implement(
        &mut self,
        on: CivilDate,
        due_on: Option<CivilDate>,
        zone: Zone,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        check_day(on, now)?;
        let earliest_on = on.plus_days(VERIFICATION_DAYS);
        let due_on = due_on.unwrap_or(earliest_on);
        if due_on < earliest_on {
            return Err(Refusal::new(&VERIFICATION_TOO_SOON)
                .with("implemented_on", on)
                .with("earliest_on", earliest_on)
                .with("verification_due_on", due_on)
                .at("/verification_due_on"));
        }
        let due_at = due_on.at(WallTime::MIDNIGHT, zone);
        self.implemented_on = Some(on);
        self.verification_due_at = Some(due_at);
        Ok(due_at)
    }
}
