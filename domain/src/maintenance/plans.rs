//! Plans: what is to be done for a product, and how often.

use super::tasks::{PlanTask, PlannedDate};
use crate::{
    change::Change,
    event::Event,
    ids::{PlanTemplateId, ProductId, SopId},
    inventory::SERVICE_ITEM_UNKNOWN,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    sops::SOP_NOT_PUBLISHED,
    text::{Bilingual, Code, Name},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most tasks of one plan: more than any service booklet has, and few enough to read at once.
pub const MOST_TASKS: usize = 50;

/// A version of a plan: the services designed for a product over time.
///
/// A draft can be changed; a published version never changes again. Assets that are in the plan
/// stay with the version they began with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "pla_01m80t7jx3e9vbq2f4c6d8g0hk", "number": 1,
    "code": "purifier-care", "name": "Purifier care",
    "product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk", "tasks": [{
        "code": "filter", "title": "Change the filters",
        "trigger": { "kind": "every_months", "months": 6 }, "early_days": 7, "late_days": 14,
        "duration_minutes": 45, "work_lead_days": 7,
        "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "catch_up": "create_one",
    }],
    "state": "published", "published_at": "2026-11-22T09:30:00Z", "version": 2,
    "created_at": "2026-11-22T09:00:00Z",
})))]
pub struct PlanTemplate {
    /// Names this version of the plan.
    pub id: PlanTemplateId,
    /// Which version of the plan with this `code` it is, from 1.
    pub number: u32,
    /// What the brand says about the plan.
    #[serde(flatten)]
    pub details: PlanTemplateDetails,
    /// Whether assets can enter it.
    pub state: PlanTemplateState,
    /// When it was published; null while it is a draft.
    pub published_at: Option<Timestamp>,
    /// How often the record was changed; send it as `If-Match`.
    pub version: Version,
    /// When it was written down first.
    pub created_at: Timestamp,
}

/// What a brand says about a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "purifier-care", "name": "Purifier care",
    "product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk", "tasks": [{
        "code": "filter", "title": "Change the filters",
        "trigger": { "kind": "every_months", "months": 6 }, "early_days": 7, "late_days": 14,
        "duration_minutes": 45, "work_lead_days": 7,
        "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "catch_up": "create_one",
    }],
})))]
pub struct PlanTemplateDetails {
    /// The plan's name for programs; all its versions share it.
    pub code: Code,
    /// The plan's name for people.
    pub name: Name,
    /// Whose assets enter the plan by themselves when they are delivered or paid; null when assets
    /// are enrolled one by one.
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// What is to be done: 1 to 50 tasks, each with a code of its own.
    #[schema(min_items = 1, max_items = 50)]
    pub tasks: Vec<PlanTask>,
}

/// What is missing for a plan to come into force.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanGaps {
    /// The procedures of its tasks that have no published version.
    pub unpublished: Vec<SopId>,
    /// The tasks that name a service item which is not there, or is retired.
    pub unknown_items: Vec<PlanTask>,
}

/// Where a version of a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanTemplateState {
    /// Being written; nothing can enter it.
    Draft,
    /// In force; it never changes again.
    Published,
    /// Replaced or withdrawn: what is in it goes on, nothing new enters.
    Retired,
}

impl PlanTemplateDetails {
    /// All dates to be arranged from `from_on` to `to_on`, both included, in order, for an asset that
    /// was delivered on `anchor_on`.
    pub fn dates(
        &self,
        anchor_on: CivilDate,
        from_on: CivilDate,
        to_on: CivilDate,
    ) -> Vec<PlannedDate> {
        let mut dates: Vec<_> = self
            .tasks
            .iter()
            .flat_map(|task| {
                task.dates(anchor_on)
                    .skip_while(|date| date.prepare_on < from_on)
                    .take_while(|date| date.prepare_on <= to_on)
            })
            .collect();
        dates.sort();
        dates
    }

    /// The first `most` dates for an asset that was delivered on `anchor_on`, in order.
    pub fn first_dates(&self, anchor_on: CivilDate, most: usize) -> Vec<PlannedDate> {
        let mut dates: Vec<_> =
            self.tasks.iter().flat_map(|task| task.dates(anchor_on).take(most)).collect();
        dates.sort();
        dates.truncate(most);
        dates
    }

    /// The first day on or after `from_on` on which a date is to be arranged; nothing when the plan
    /// is at its end.
    pub fn next_preparation(&self, anchor_on: CivilDate, from_on: CivilDate) -> Option<CivilDate> {
        let preparations = self.tasks.iter().filter_map(|task| {
            task.dates(anchor_on).map(|date| date.prepare_on).find(|on| *on >= from_on)
        });
        preparations.min()
    }

    /// The service items that its tasks name, by their codes.
    pub fn service_item_codes(&self) -> BTreeSet<&Code> {
        self.tasks.iter().filter_map(|task| task.service_item_code.as_ref()).collect()
    }

    /// The task with this code.
    pub fn task(&self, code: &Code) -> Option<&PlanTask> {
        self.tasks.iter().find(|task| task.code == *code)
    }

    fn check(&self) -> Result<(), Refusal> {
        let count = self.tasks.len();
        if !(1..=MOST_TASKS).contains(&count) {
            return Err(Refusal::new(&TASK_COUNT)
                .with("count", count)
                .with("most", MOST_TASKS)
                .at("/tasks"));
        }
        let mut codes = BTreeSet::new();
        for (at, task) in (0_u32..).zip(&self.tasks) {
            if !codes.insert(&task.code) {
                return Err(Refusal::new(&DUPLICATE_TASK)
                    .with("task", &task.code)
                    .at(format!("/tasks/{at}/code")));
            }
            task.check_window().map_err(|refusal| refusal.at(format!("/tasks/{at}")))?;
        }
        Ok(())
    }
}

impl PlanTemplate {
    /// Writes version `number` of a plan.
    ///
    /// # Errors
    ///
    /// `plan_task_count`, `duplicate_plan_task` or `plan_window_too_wide`.
    pub fn draft(
        id: PlanTemplateId,
        number: u32,
        details: PlanTemplateDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check()?;
        let state = PlanTemplateState::Draft;
        let version = Version::FIRST;
        let published_at = None;
        Ok(Change::created(Self {
            id,
            number,
            details,
            state,
            published_at,
            version,
            created_at: now,
        }))
    }

    /// Changes a draft.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once it is published, `plan_code_fixed`, and those of [`Self::draft`].
    pub fn revise(self, details: PlanTemplateDetails) -> Result<Change<Self>, Refusal> {
        self.must_be(PlanTemplateState::Draft)?;
        if details.code != self.details.code {
            return Err(Refusal::new(&CODE_FIXED)
                .with("plan_code", &self.details.code)
                .at("/code"));
        }
        details.check()?;
        Ok(Change::edit("revise", &self, |it| it.details = details))
    }

    /// Puts a draft into force, in place of the version that was `in_force` so far.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no draft; `sop_not_published` and `service_item_unknown` for the first of
    /// the `gaps`.
    pub fn publish(
        self,
        in_force: Option<Self>,
        gaps: &PlanGaps,
        now: Timestamp,
    ) -> Result<(Change<Self>, Option<Change<Self>>), Refusal> {
        self.must_be(PlanTemplateState::Draft)?;
        if let Some(sop_id) = gaps.unpublished.first() {
            return Err(Refusal::new(&SOP_NOT_PUBLISHED).with("sop_id", sop_id));
        }
        if let Some(task) = gaps.unknown_items.first() {
            return Err(Refusal::new(&SERVICE_ITEM_UNKNOWN)
                .with("task", &task.code)
                .with("service_item_code", &task.service_item_code));
        }
        let replaced = in_force.map(Self::leave).transpose()?;
        let (plan_template, published) = (self.id, Self { published_at: Some(now), ..self });
        let published = published.moved_by("publish", PlanTemplateState::Published);
        Ok((published.emits(Event::PlanInForceChanged { plan_template }), replaced))
    }

    /// Withdraws a published version: what is in the plan goes on, nothing new enters.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not published.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        let plan_template = self.id;
        Ok(self.leave()?.emits(Event::PlanInForceChanged { plan_template }))
    }

    /// Makes room for another version, or for none.
    fn leave(self) -> Result<Change<Self>, Refusal> {
        self.must_be(PlanTemplateState::Published)?;
        Ok(self.moved_by("retire", PlanTemplateState::Retired))
    }

    fn must_be(&self, state: PlanTemplateState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved_by(self, action: &'static str, to: PlanTemplateState) -> Change<Self> {
        let from = self.state;
        Change::new(action, Self { state: to, ..self }).moved(from, to)
    }
}

impl PlanTemplateState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["revise", "publish"],
            Self::Published => &["retire"],
            Self::Retired => &[],
        }
    }
}

impl Record for PlanTemplate {
    type Id = PlanTemplateId;

    fn id(&self) -> PlanTemplateId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// Says that a plan is being written already; the versions of a plan follow one another.
pub fn draft_exists(draft: &PlanTemplate) -> Refusal {
    Refusal::new(&DRAFT_EXISTS)
        .with("plan_code", &draft.details.code)
        .with("plan_template_id", draft.id)
}

/// A plan without tasks plans nothing, one with very many nobody reads.
pub static TASK_COUNT: Rule = Rule {
    code: "plan_task_count",
    kind: Kind::Unfit,
    title: Bilingual { en: "A plan has 1 to 50 tasks", zh: "计划须包含 1 至 50 项任务" },
    detail: Bilingual {
        en: "The plan has {count} tasks; at least 1 and at most {most} are possible.",
        zh: "该计划有 {count} 项任务；至少 1 项，至多 {most} 项。",
    },
    advice: Bilingual {
        en: "Add a task, or make two plans of it.",
        zh: "请添加任务，或拆分为两个计划。",
    },
};

/// Dates are counted by task, so a task's code must tell it from the others.
pub static DUPLICATE_TASK: Rule = Rule {
    code: "duplicate_plan_task",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two tasks share a code", zh: "任务代码重复" },
    detail: Bilingual {
        en: "The plan has more than one task {task}.",
        zh: "该计划中任务 {task} 出现多次。",
    },
    advice: Bilingual {
        en: "Give each task of the plan a code of its own.",
        zh: "请为计划中的每项任务设置唯一代码。",
    },
};

/// The versions of a plan belong together by their code.
pub static CODE_FIXED: Rule = Rule {
    code: "plan_code_fixed",
    kind: Kind::Unfit,
    title: Bilingual { en: "A plan keeps its code", zh: "计划代码不可更改" },
    detail: Bilingual {
        en: "This is a version of plan {plan_code}; its code cannot be changed.",
        zh: "这是计划 {plan_code} 的一个版本，其代码不可更改。",
    },
    advice: Bilingual {
        en: "Create a plan with the new code instead.",
        zh: "请改用新代码新建计划。",
    },
};

/// One draft at a time, so that publishing has one meaning.
pub static DRAFT_EXISTS: Rule = Rule {
    code: "plan_draft_exists",
    kind: Kind::Conflict,
    title: Bilingual { en: "The plan has a draft already", zh: "该计划已有草稿" },
    detail: Bilingual {
        en: "Plan {plan_code} is being written already: {plan_template_id}.",
        zh: "计划 {plan_code} 已有草稿：{plan_template_id}。",
    },
    advice: Bilingual { en: "Change or publish that draft.", zh: "请修改或发布该草稿。" },
};

#[cfg(test)]
mod tests {
    use super::{
        super::{
            numbers::{LeadDays, Leeway},
            samples::{at, details, every, id, in_month, on, published, task},
        },
        *,
    };
    use proptest::prelude::*;

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn draft(tasks: Vec<PlanTask>) -> Result<PlanTemplate, Refusal> {
        PlanTemplate::draft(id(1), 1, details(tasks), at(NOW)).map(|change| change.record)
    }

    fn refused_as<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    #[test]
    fn a_plan_is_looked_at_before_it_is_published() {
        let plan = details(vec![task("filter", every(6)), task("wall", in_month(3))]);
        let told = |date: &PlannedDate| format!("{} {}", date.task, date.nominal_on);
        let dates: Vec<_> = plan.first_dates(on("2026-08-31"), 3).iter().map(told).collect();
        assert_eq!(dates, ["wall 2026-11-30", "filter 2027-02-28", "filter 2027-08-31"]);
    }

    #[test]
    fn a_plan_has_1_to_50_tasks() {
        let tasks = |count: usize| {
            (0..count).map(|n| task(&format!("t{n}"), in_month(1))).collect::<Vec<_>>()
        };
        assert!(draft(tasks(1)).is_ok());
        assert!(draft(tasks(50)).is_ok());
        assert_eq!(refused_as(draft(tasks(0))), "plan_task_count");
        assert_eq!(refused_as(draft(tasks(51))), "plan_task_count");
    }

    #[test]
    fn tasks_have_codes_of_their_own() {
        assert!(draft(vec![task("a", every(6)), task("b", every(6))]).is_ok());
        let twins = vec![task("a", every(6)), task("a", in_month(3))];
        assert_eq!(refused_as(draft(twins)), "duplicate_plan_task");
    }

    #[test]
    fn windows_of_one_task_never_touch() {
        let monthly = |early: u32, late: u32| PlanTask {
            early_days: Leeway::new(early).unwrap(),
            late_days: Leeway::new(late).unwrap(),
            ..task("check", every(1))
        };
        assert!(draft(vec![monthly(13, 14)]).is_ok());
        assert_eq!(refused_as(draft(vec![monthly(14, 14)])), "plan_window_too_wide");
    }

    #[test]
    fn a_published_plan_never_changes() {
        let plan = published(vec![task("a", every(6))]);
        let other = details(vec![task("b", every(6))]);
        assert_eq!(refused_as(plan.clone().revise(other)), "illegal_transition");
        assert_eq!(
            refused_as(plan.publish(None, &PlanGaps::default(), at(NOW))),
            "illegal_transition"
        );
    }

    #[test]
    fn publishing_retires_the_version_before() {
        let first = published(vec![task("a", every(6))]);
        let second = PlanTemplate { number: 2, ..draft(vec![task("a", every(12))]).unwrap() };
        let (second, first) = second.publish(Some(first), &PlanGaps::default(), at(NOW)).unwrap();
        assert_eq!(second.record.state, PlanTemplateState::Published);
        assert_eq!(first.unwrap().record.state, PlanTemplateState::Retired);
    }

    #[test]
    fn a_procedure_is_published_before_its_plan() {
        let plan = draft(vec![task("a", every(6))]).unwrap();
        let gaps = PlanGaps { unpublished: vec![id(7)], ..PlanGaps::default() };
        assert_eq!(refused_as(plan.publish(None, &gaps, at(NOW))), "sop_not_published");
    }

    #[test]
    fn a_service_item_is_there_before_its_plan() {
        let named =
            PlanTask { service_item_code: Some("call".parse().unwrap()), ..task("a", every(6)) };
        let plan = draft(vec![named]).unwrap();
        let unknown = plan.details.tasks.clone();
        let gaps = PlanGaps { unknown_items: unknown, ..PlanGaps::default() };
        let refusal = plan.clone().publish(None, &gaps, at(NOW)).unwrap_err();
        assert_eq!(refusal.rule.code, "service_item_unknown");
        assert_eq!(
            (&refusal.facts["task"], &refusal.facts["service_item_code"]),
            (&"a".into(), &"call".into())
        );
        assert!(plan.publish(None, &PlanGaps::default(), at(NOW)).is_ok());
    }

    #[test]
    fn the_versions_of_a_plan_share_its_code() {
        let plan = draft(vec![task("a", every(6))]).unwrap();
        let renamed =
            PlanTemplateDetails { code: "other".parse().unwrap(), ..plan.details.clone() };
        assert_eq!(refused_as(plan.clone().revise(renamed)), "plan_code_fixed");
        let more = details(vec![task("a", every(6)), task("b", in_month(3))]);
        assert_eq!(plan.revise(more).unwrap().record.details.tasks.len(), 2);
    }

    fn any_day() -> impl Strategy<Value = CivilDate> {
        (0_i64..73_000).prop_map(|days| on("1950-01-01").plus_days(days))
    }

    fn any_task(code: &'static str) -> impl Strategy<Value = PlanTask> {
        let trigger = prop_oneof![(1_u32..=24).prop_map(every), (1_u32..=24).prop_map(in_month)];
        (trigger, 0_u32..=13, 0_u32..=13, 1_u32..=60).prop_map(
            move |(trigger, early, late, lead)| PlanTask {
                early_days: Leeway::new(early).unwrap(),
                late_days: Leeway::new(late).unwrap(),
                work_lead_days: LeadDays::new(lead).unwrap(),
                ..task(code, trigger)
            },
        )
    }

    proptest! {
        #[test]
        fn looking_in_two_steps_finds_what_one_look_finds(
            a in any_task("a"), b in any_task("b"), anchor_on in any_day(),
            first in 0_i64..800, second in 0_i64..800,
        ) {
            let plan = details(vec![a, b]);
            let middle_on = anchor_on.plus_days(first);
            let end_on = middle_on.plus_days(second);
            let mut steps = plan.dates(anchor_on, anchor_on, middle_on);
            if let Some(next_on) = plan.next_preparation(anchor_on, middle_on.plus_days(1)) {
                steps.extend(plan.dates(anchor_on, next_on, end_on));
            }
            prop_assert_eq!(steps, plan.dates(anchor_on, anchor_on, end_on));
        }

        #[test]
        fn windows_follow_one_another(task in any_task("a"), anchor_on in any_day()) {
            let dates: Vec<_> = task.dates(anchor_on).take(40).collect();
            for (earlier, later) in dates.iter().zip(dates.iter().skip(1)) {
                prop_assert!(earlier.window_to_on < later.window_from_on);
                prop_assert!(later.prepare_on < later.window_from_on);
                prop_assert_eq!(Some(later.seq), earlier.seq.checked_add(1));
            }
            for date in dates {
                prop_assert!(date.window_from_on <= date.nominal_on);
                prop_assert!(date.nominal_on <= date.window_to_on);
                prop_assert!(date.nominal_on > anchor_on);
            }
        }
    }
}
