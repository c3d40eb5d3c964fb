//! Hands: a manager gives a step to somebody else, and what was whose who is gone becomes a manager's.

use super::{
    ChecklistChange, SopChecklist, SopCircumstances, SopRun, SopRunDetails, SopRunStep,
    runs::require_rank,
};
use crate::{
    change::Change,
    identity::{Actor, Rank, Role, Staff},
    ids::{SopRunStepId, StaffId},
    refusal::{Kind, Refusal, Rule, illegal},
    text::Bilingual,
};
use std::collections::BTreeSet;

/// A step is given to somebody who cannot do it.
pub(super) static STEP_NOT_FOR_THEM: Rule = Rule {
    code: "step_not_for_them",
    kind: Kind::Unfit,
    title: Bilingual { en: "They cannot do this step", zh: "该人员不能执行此步骤" },
    detail: Bilingual {
        en: "Step {position} is for somebody who works at the dealer of the run or for the brand, and is no auditor; {staff_id} is not.",
        zh: "第 {position} 步须由本次执行所属经销商或品牌方的在职人员（审计员除外）完成，{staff_id} 不符合。",
    },
    advice: Bilingual {
        en: "Choose somebody of `GET /v1/staff?status=active&dealer_id=…`.",
        zh: "请从 `GET /v1/staff?status=active&dealer_id=…` 中选择人员。",
    },
};

impl SopChecklist {
    /// Gives a step to somebody else, whoever had it; the time it has does not change, nor who answers for it when it
    /// is late. `None` when the run has no such step.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the run is over, or nothing more is to be done about the step; `sop_rank_too_low`
    /// below the rank of a manager; `step_not_for_them` when they do not work at the run's dealer or for the brand.
    pub fn reassign(
        mut self,
        step: SopRunStepId,
        to: &Staff,
        by: Actor,
    ) -> Result<Option<ChecklistChange>, Refusal> {
        let Some(step) = self.steps.iter_mut().find(|one| one.id == step) else { return Ok(None) };
        self.run.require_going_on()?;
        require_rank(by, Rank::MANAGER)?;
        if !step.is_open() {
            return Err(illegal(step.state, step.state.ways_on()));
        }
        require_fit(&self.run, step, to)?;
        let before = step.staff_id.replace(to.id);
        let run = Change::new("reassign_step", self.run).with("position", step.position);
        let run = run.with("from_staff_id", before).with("staff_id", to.id);
        let changed = vec![step.id];
        Ok(Some(ChecklistChange { run, steps: self.steps, changed }))
    }

    /// Gives what those who are `gone` still had to do to a manager, or to the owner where there is none; where there
    /// is neither it is nobody's, and seen by whoever sees the dealer's runs. What went up to them goes to somebody
    /// else of the same rank. `None` when the run is over, or nothing of it was theirs.
    pub fn hand_over(
        self,
        gone: &BTreeSet<StaffId>,
        mut around: SopCircumstances,
    ) -> Option<ChecklistChange> {
        let Self { run, mut steps } = self;
        run.require_going_on().ok()?;
        let is_gone = |staff: Option<StaffId>| staff.is_some_and(|one| gone.contains(&one));
        let mut changed = Vec::new();
        for step in steps.iter_mut().filter(|step| step.is_open()) {
            if is_gone(step.staff_id) {
                step.staff_id = around.in_charge();
                changed.push(step.id);
            }
            if is_gone(step.escalated_staff_id) {
                step.escalated_staff_id = step.escalated_rank.and_then(|rank| around.of(rank));
                changed.push(step.id);
            }
        }
        let runs = is_gone(run.details.staff_id);
        if changed.is_empty() && !runs {
            return None;
        }
        let details = SopRunDetails {
            staff_id: if runs { around.in_charge() } else { run.details.staff_id },
            ..run.details
        };
        let run = Change::new("hand_over", SopRun { details, ..run }).with("from_staff_ids", gone);
        Some(ChecklistChange { run, steps, changed })
    }
}

impl SopCircumstances {
    /// Who answers for the dealer's work: a manager, or the owner where there is none.
    fn in_charge(&mut self) -> Option<StaffId> {
        self.least_busy(Role::Manager).or_else(|| self.least_busy(Role::Owner))
    }
}

fn require_fit(run: &SopRun, step: &SopRunStep, to: &Staff) -> Result<(), Refusal> {
    if to.may_be_given_work_of(run.details.dealer_id) {
        return Ok(());
    }
    let refusal = Refusal::new(&STEP_NOT_FOR_THEM).with("position", step.position);
    Err(refusal.with("staff_id", to.id).at("/staff_id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::StaffStatus,
        ids::DealerId,
        refusal::ILLEGAL_TRANSITION,
        sops::{SopBeginning, SopPerson, SopRunStepState, runs::SOP_RANK_TOO_LOW, samples},
    };
    use serde_json::json;
    use uuid::Uuid;

    const MANAGER: Actor = Actor::Operator;

    fn staff(number: u128) -> StaffId {
        Uuid::from_u128(number).into()
    }

    fn dealer(number: u128) -> DealerId {
        Uuid::from_u128(number).into()
    }

    fn hired(number: u128, role: Role, dealer_id: Option<DealerId>) -> Staff {
        let details = json!({ "name": "王伟", "role": role, "dealer_id": dealer_id });
        Staff {
            id: staff(number),
            status: StaffStatus::Active,
            details: serde_json::from_value(details).unwrap(),
            version: crate::record::Version::FIRST,
            created_at: "2026-11-22T09:30:00Z".parse().unwrap(),
        }
    }

    /// Two steps of the runner, at a dealer.
    fn begun() -> SopChecklist {
        let details = SopRunDetails {
            sop_id: Uuid::from_u128(1).into(),
            customer_id: None,
            asset_id: None,
            dealer_id: Some(dealer(4)),
            staff_id: Some(staff(9)),
        };
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let in_review = samples::version(1, samples::details(2)).submit().unwrap().record;
        let version = in_review.publish(None, Actor::Operator, now).unwrap().published.record;
        let mut ids = (1_u128..).map(|number| Uuid::from_u128(number).into());
        let beginning = SopBeginning::of(details, SopCircumstances::default());
        let id = Uuid::from_u128(3).into();
        let begun =
            SopRun::start(id, Some(&version), beginning, || ids.next().unwrap(), now).unwrap();
        SopChecklist { run: begun.run.record, steps: begun.steps }
    }

    fn given(list: SopChecklist, to: &Staff, by: Actor) -> Result<ChecklistChange, Refusal> {
        let first = list.steps[0].id;
        list.reassign(first, to, by).map(Option::unwrap)
    }

    #[test]
    fn a_manager_gives_a_step_to_somebody_of_the_dealer_or_of_the_brand() {
        let colleague = hired(7, Role::Clerk, Some(dealer(4)));
        let change = given(begun(), &colleague, MANAGER).unwrap();
        let whose: Vec<_> = change.steps.iter().map(|step| step.staff_id).collect();
        assert_eq!(whose, [Some(staff(7)), Some(staff(9))]);
        assert_eq!(change.changed, [change.steps[0].id]);
        let clerk = Actor::Staff { id: staff(9), rank: Rank::CLERK };
        assert_eq!(given(begun(), &colleague, clerk).unwrap_err().rule, &SOP_RANK_TOO_LOW);
        assert!(given(begun(), &hired(6, Role::BrandAdmin, None), MANAGER).is_ok());
        let gone = Staff { status: StaffStatus::Left, ..colleague };
        let stranger = hired(8, Role::Clerk, Some(dealer(5)));
        for unfit in [gone, stranger, hired(5, Role::Auditor, None)] {
            let refusal = given(begun(), &unfit, MANAGER).unwrap_err();
            assert_eq!(refusal.rule, &STEP_NOT_FOR_THEM, "{:?}", unfit.id);
        }
    }

    #[test]
    fn what_is_settled_or_does_not_wait_yet_is_given_to_nobody() {
        let colleague = hired(7, Role::Clerk, Some(dealer(4)));
        for state in [SopRunStepState::Pending, SopRunStepState::Done, SopRunStepState::Waived] {
            let mut list = begun();
            list.steps[0].state = state;
            let refusal = given(list, &colleague, MANAGER).unwrap_err();
            assert_eq!(refusal.rule, &ILLEGAL_TRANSITION, "{state:?}");
        }
        let none = begun().reassign(Uuid::from_u128(99).into(), &colleague, MANAGER);
        assert_eq!(none, Ok(None));
    }

    #[test]
    fn what_somebody_leaves_behind_is_a_manager_s_then_the_owner_s_then_nobody_s() {
        let person = |number, role| SopPerson {
            staff_id: staff(number),
            role,
            is_relationship_owner: false,
            is_away: false,
            open_steps: 0,
        };
        let (manager, owner) = (person(2, Role::Manager), person(4, Role::Owner));
        let gone = BTreeSet::from([staff(9)]);
        let left_to = |people: &[SopPerson]| {
            let around =
                SopCircumstances { people: people.to_vec(), ..SopCircumstances::default() };
            let mut list = begun();
            list.steps[1].state = SopRunStepState::Done;
            let change = list.hand_over(&gone, around).unwrap();
            assert_eq!(change.steps[1].staff_id, Some(staff(9)), "what they did stays theirs");
            (change.steps[0].staff_id, change.run.record.details.staff_id)
        };
        assert_eq!(left_to(&[owner, manager]), (Some(staff(2)), Some(staff(2))));
        assert_eq!(left_to(&[owner]), (Some(staff(4)), Some(staff(4))));
        assert_eq!(left_to(&[]), (None, None));
        let none = begun().hand_over(&BTreeSet::from([staff(1)]), SopCircumstances::default());
        assert!(none.is_none());
    }
}
