//! Tasks: one service of a plan, and the dates on which it is due.

use super::numbers::{LeadDays, Leeway, MonthCount, VisitMinutes};
use crate::{
    ids::SopId,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Code, Name},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most dates of one task: every month for three hundred years, as far as dates reach here.
const MOST_DATES: u32 = 3_600;

/// The days of the shortest month: windows that fit into it never touch.
const SHORTEST_MONTH_DAYS: u32 = 28;

/// One service of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanTask {
    /// The task's name for programs, its own within the plan.
    pub code: Code,
    /// What is done, for people.
    pub title: Name,
    /// When it is due.
    pub trigger: PlanTrigger,
    /// How many days before the due date the visit may take place. A week when absent.
    #[serde(default)]
    #[schema(default = 7)]
    pub early_days: Leeway,
    /// How many days after the due date the visit may take place. A week when absent.
    #[serde(default)]
    #[schema(default = 7)]
    pub late_days: Leeway,
    /// How long the visit takes. An hour when absent.
    #[serde(default)]
    #[schema(default = 60)]
    pub duration_minutes: VisitMinutes,
    /// How many days before the earliest possible day the visit is arranged. A week when absent.
    #[serde(default)]
    #[schema(default = 7)]
    pub work_lead_days: LeadDays,
    /// The standard procedure that the technician follows; null when there is none.
    #[serde(default)]
    pub sop_id: Option<SopId>,
    /// What becomes of dates that had passed when the asset entered the plan.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// The service item that is done, by its code; null when there is none. It must be active when the plan is
    /// published.
    #[serde(default)]
    pub service_item_code: Option<Code>,
}

/// When a task is due, counted from the day the asset was delivered.
///
/// The 31st becomes the last day of a shorter month, and the 31st again in the next longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlanTrigger {
    /// Again and again, every so many months.
    EveryMonths {
        /// How many months lie between two dates.
        months: MonthCount,
    },
    /// Once, so many months after delivery.
    MonthOffset {
        /// How many months after delivery.
        months: MonthCount,
    },
}

/// What becomes of dates that had passed when an asset entered its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The latest of them is made up for within two weeks, unless the next one is as near.
    #[default]
    CreateOne,
    /// They are let go.
    Skip,
}

/// One date that follows from a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct PlannedDate {
    /// When the visit is to be arranged.
    pub prepare_on: CivilDate,
    /// Which task.
    pub task: Code,
    /// Which of its dates, from 1.
    pub seq: u32,
    /// The day it is due.
    pub nominal_on: CivilDate,
    /// The first day on which the visit may take place.
    pub window_from_on: CivilDate,
    /// The last day on which the visit may take place.
    pub window_to_on: CivilDate,
}

impl PlanTask {
    /// How many months after delivery the date `seq` is due; nothing when there is no such date.
    fn months_to(&self, seq: u32) -> Option<u32> {
        match self.trigger {
            PlanTrigger::EveryMonths { months } => seq.checked_mul(months.get()),
            PlanTrigger::MonthOffset { months } => (seq == 1).then_some(months.get()),
        }
    }

    /// All its dates for an asset that was delivered on `anchor_on`, in order.
    pub fn dates(&self, anchor_on: CivilDate) -> impl Iterator<Item = PlannedDate> {
        (1..=MOST_DATES).map_while(move |seq| {
            let nominal_on = anchor_on.plus_months(self.months_to(seq)?);
            let window_from_on =
                nominal_on.plus_days(i64::from(self.early_days.get()).saturating_neg());
            Some(PlannedDate {
                prepare_on: window_from_on
                    .plus_days(i64::from(self.work_lead_days.get()).saturating_neg()),
                task: self.code.clone(),
                seq,
                nominal_on,
                window_from_on,
                window_to_on: nominal_on.plus_days(i64::from(self.late_days.get())),
            })
        })
    }

    /// Refuses a window that reaches into the next one: two visits of one kind could meet.
    pub(super) fn check_window(&self) -> Result<(), Refusal> {
        let PlanTrigger::EveryMonths { months } = self.trigger else { return Ok(()) };
        let window_days =
            self.early_days.get().saturating_add(self.late_days.get()).saturating_add(1);
        let most_days = months.get().saturating_mul(SHORTEST_MONTH_DAYS);
        if window_days <= most_days {
            return Ok(());
        }
        Err(Refusal::new(&WINDOW_WIDER_THAN_RHYTHM)
            .with("task", &self.code)
            .with("window_days", window_days)
            .with("most_days", most_days))
    }
}

/// Windows of one task never touch, so that two visits for the same thing cannot meet.
pub static WINDOW_WIDER_THAN_RHYTHM: Rule = Rule {
    code: "plan_window_too_wide",
    kind: Kind::Unfit,
    title: Bilingual { en: "The window is wider than the rhythm", zh: "时间窗大于周期" },
    detail: Bilingual {
        en: "The window of task {task} is {window_days} days wide; its rhythm leaves {most_days}.",
        zh: "任务 {task} 的时间窗为 {window_days} 天，而其周期只允许 {most_days} 天。",
    },
    advice: Bilingual {
        en: "Lower `early_days` or `late_days`, or let more months pass between two dates.",
        zh: "请减小 `early_days` 或 `late_days`，或延长周期。",
    },
};

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{every, in_month, on, task},
        *,
    };

    fn nominal(task: &PlanTask, anchor_on: &str, count: usize) -> Vec<String> {
        task.dates(on(anchor_on)).take(count).map(|date| date.nominal_on.to_string()).collect()
    }

    #[test]
    fn the_31st_is_clamped_and_comes_back() {
        let monthly = task("check", every(1));
        assert_eq!(
            nominal(&monthly, "2027-12-31", 4),
            ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]
        );
    }

    #[test]
    fn a_task_of_month_three_is_due_once() {
        assert_eq!(nominal(&task("wall", in_month(3)), "2026-11-30", 9), ["2027-02-28"]);
    }

    #[test]
    fn a_window_lies_around_its_date_and_is_prepared_before() {
        let first = task("filter", every(6)).dates(on("2026-01-10")).next().unwrap();
        let expected = PlannedDate {
            prepare_on: on("2026-06-26"),
            task: "filter".parse().unwrap(),
            seq: 1,
            nominal_on: on("2026-07-10"),
            window_from_on: on("2026-07-03"),
            window_to_on: on("2026-07-17"),
        };
        assert_eq!(first, expected);
    }

    #[test]
    fn a_task_says_its_trigger_by_kind() {
        let json = r#"{"code": "wall", "title": "Wall check",
            "trigger": {"kind": "month_offset", "months": 3}, "duration_minutes": 30}"#;
        let task: PlanTask = serde_json::from_str(json).unwrap();
        assert_eq!(task.trigger, in_month(3));
        assert_eq!(task.late_days.get(), 7);
        let unknown = json.replace("\"months\": 3", "\"months\": 3, \"weeks\": 1");
        assert!(serde_json::from_str::<PlanTask>(&unknown).is_err());
    }
}
