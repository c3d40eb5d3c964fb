//! Enrolments: one sold thing in one plan, and the dates that follow from it.

use super::{
    plans::{PlanTemplate, PlanTemplateState},
    tasks::{CatchUp, PlanTask, PlannedDate},
};
use crate::{
    catalogue::Asset,
    change::Change,
    event::Event,
    ids::{AssetId, CustomerId, DealerId, EnrolmentId, PlanTemplateId, ProductId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far ahead dates are written down: two months, as far as people fill their calendars.
pub const HORIZON_DAYS: i64 = 60;

/// How soon a date that was missed before the asset entered its plan is made up for.
pub const CATCH_UP_DAYS: i64 = 14;

/// A customer's asset in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "enr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "plan_template_id": "pla_01m80t7jx3e9vbq2f4c6d8g0hk", "plan_code": "purifier-care",
    "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "anchor_on": "2026-11-20",
    "enrolled_on": "2026-11-22", "state": "active", "next_due_on": "2027-05-06", "version": 2,
    "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct Enrolment {
    /// Names the enrolment.
    pub id: EnrolmentId,
    /// The version of the plan that it follows, for good.
    pub plan_template_id: PlanTemplateId,
    /// The plan's name for programs.
    pub plan_code: Code,
    /// What is looked after.
    pub asset_id: AssetId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Which dealer looks after it; null while the brand has not said.
    pub dealer_id: Option<DealerId>,
    /// The day from which the plan counts: that of delivery.
    pub anchor_on: CivilDate,
    /// The day on which the asset entered the plan.
    pub enrolled_on: CivilDate,
    /// Whether the plan goes on.
    pub state: EnrolmentState,
    /// When the next date that is not among the occurrences yet will be prepared; null when there is
    /// none left.
    pub next_due_on: Option<CivilDate>,
    /// How often the record was changed; send it as `If-Match`.
    pub version: Version,
    /// When it was written down first.
    pub created_at: Timestamp,
}

/// Whether an enrolment goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentState {
    /// Its dates become visits.
    Active,
    /// It rests: dates that come meanwhile are let go.
    Suspended,
    /// Everything the plan foresaw has had its time.
    Completed,
    /// It was ended early.
    Cancelled,
}

/// What a plan must know of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrollee {
    /// The asset.
    pub asset_id: AssetId,
    /// What it is.
    pub product_id: ProductId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Who looks after it, if that is known.
    pub dealer_id: Option<DealerId>,
    /// When it was delivered, if it was.
    pub delivered_on: Option<CivilDate>,
}

impl Enrollee {
    /// What a plan must know of `asset`, which `dealer_id` looks after.
    pub fn of(asset: &Asset, dealer_id: Option<DealerId>) -> Self {
        Self {
            asset_id: asset.id,
            product_id: asset.details.product_id,
            customer_id: asset.details.customer_id,
            dealer_id,
            delivered_on: asset.details.delivered_on,
        }
    }
}

impl Enrolment {
    /// Puts an asset into a plan on the day `today` of its dealer.
    ///
    /// # Errors
    ///
    /// `plan_not_published`, `plan_for_other_product`, `asset_not_delivered`.
    pub fn begin(
        id: EnrolmentId,
        plan: &PlanTemplate,
        enrollee: &Enrollee,
        today: CivilDate,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let anchor_on = may_enter(plan, enrollee)?;
        let enrolment = Self {
            id,
            plan_template_id: plan.id,
            plan_code: plan.details.code.clone(),
            asset_id: enrollee.asset_id,
            customer_id: enrollee.customer_id,
            dealer_id: enrollee.dealer_id,
            anchor_on,
            enrolled_on: today,
            state: EnrolmentState::Active,
            next_due_on: Some(today),
            version: Version::FIRST,
            created_at: now,
        };
        Ok(Change::created(enrolment).emits(Event::EnrolmentBegan { enrolment: id }))
    }

    /// The dates whose time of preparation had passed when the asset entered the plan, and that still
    /// become visits: each that can still be kept, and of the others the latest of each task, if
    /// the task catches up.
    pub fn overdue(&self, plan: &PlanTemplate) -> Vec<PlannedDate> {
        plan.details.tasks.iter().flat_map(|task| self.overdue_of(task)).collect()
    }

    fn overdue_of(&self, task: &PlanTask) -> Vec<PlannedDate> {
        let today = self.enrolled_on;
        let (mut passed, mut open) = (None, Vec::new());
        let mut dates = task.dates(self.anchor_on).peekable();
        while let Some(date) = dates.next_if(|date| date.prepare_on < today) {
            if date.window_to_on > today {
                open.push(date);
            } else {
                passed = Some(date);
            }
        }
        let next = open.first().or(dates.peek());
        let caught_up = match task.catch_up {
            CatchUp::CreateOne => passed.and_then(|date| caught_up(date, next, today)),
            CatchUp::Skip => None,
        };
        caught_up.into_iter().chain(open).collect()
    }

    /// Looks ahead to the horizon: the dates to write down now, and the enrolment as it is then.
    ///
    /// Looking twice on one day, or after days without a look, misses and doubles nothing.
    pub fn look_ahead(self, plan: &PlanTemplate, today: CivilDate) -> (Self, Vec<PlannedDate>) {
        let horizon_on = today.plus_days(HORIZON_DAYS);
        let dates = match self.next_due_on {
            Some(from_on) => plan.details.dates(self.anchor_on, from_on, horizon_on),
            None => Vec::new(),
        };
        let next_due_on = self.next_due_on.and_then(|from_on| {
            plan.details.next_preparation(self.anchor_on, from_on.max(horizon_on.plus_days(1)))
        });
        (Self { next_due_on, ..self }, dates)
    }

    /// Lets the plan rest.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not active.
    pub fn suspend(self) -> Result<Change<Self>, Refusal> {
        self.must_be(EnrolmentState::Active)?;
        Ok(self.moved_by("suspend", EnrolmentState::Suspended))
    }

    /// Goes on with a plan that rested, from `today`; what came meanwhile is let go.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not suspended.
    pub fn resume(self, plan: &PlanTemplate, today: CivilDate) -> Result<Change<Self>, Refusal> {
        self.must_be(EnrolmentState::Suspended)?;
        let next_due_on = self
            .next_due_on
            .and_then(|from_on| plan.details.next_preparation(self.anchor_on, from_on.max(today)));
        let resumed = Self { next_due_on, ..self };
        Ok(resumed.moved_by("resume", EnrolmentState::Active))
    }

    /// Ends the plan for this asset. Visits that were arranged already stay.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it has ended before.
    pub fn cancel(self) -> Result<Change<Self>, Refusal> {
        match self.state {
            EnrolmentState::Active | EnrolmentState::Suspended => {
                Ok(self.moved_by("cancel", EnrolmentState::Cancelled))
            }
            EnrolmentState::Completed | EnrolmentState::Cancelled => self.refuse(),
        }
    }

    /// Closes a plan that has no dates left, neither to come nor open.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not active.
    pub fn complete(self) -> Result<Change<Self>, Refusal> {
        self.must_be(EnrolmentState::Active)?;
        Ok(self.moved_by("complete", EnrolmentState::Completed))
    }

    fn must_be(&self, state: EnrolmentState) -> Result<(), Refusal> {
        if self.state == state { Ok(()) } else { self.refuse() }
    }

    fn refuse<T>(&self) -> Result<T, Refusal> {
        Err(illegal(self.state, self.state.allowed()))
    }

    fn moved_by(self, action: &'static str, to: EnrolmentState) -> Change<Self> {
        let from = self.state;
        Change::new(action, Self { state: to, ..self }).moved(from, to)
    }
}

/// The day from which `plan` counts for this asset, if the asset may enter it.
fn may_enter(plan: &PlanTemplate, enrollee: &Enrollee) -> Result<CivilDate, Refusal> {
    if plan.state != PlanTemplateState::Published {
        return Err(Refusal::new(&PLAN_NOT_PUBLISHED).with("state", plan.state));
    }
    if let Some(product_id) = plan.details.product_id.filter(|id| *id != enrollee.product_id) {
        return Err(Refusal::new(&OTHER_PRODUCT)
            .with("plan_product_id", product_id)
            .with("asset_product_id", enrollee.product_id)
            .at("/asset_id"));
    }
    enrollee.delivered_on.ok_or_else(|| {
        Refusal::new(&NOT_DELIVERED).with("asset_id", enrollee.asset_id).at("/asset_id")
    })
}

/// A date that was missed, moved to the days after `today`; nothing when the next date of its task
/// comes as soon.
fn caught_up(
    missed: PlannedDate,
    next: Option<&PlannedDate>,
    today: CivilDate,
) -> Option<PlannedDate> {
    let window_to_on = today.plus_days(CATCH_UP_DAYS);
    if next.is_some_and(|next| next.window_from_on <= window_to_on) {
        return None;
    }
    Some(PlannedDate { prepare_on: today, window_from_on: today, window_to_on, ..missed })
}

impl EnrolmentState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["suspend", "cancel"],
            Self::Suspended => &["resume", "cancel"],
            Self::Completed | Self::Cancelled => &[],
        }
    }
}

impl Record for Enrolment {
    type Id = EnrolmentId;

    fn id(&self) -> EnrolmentId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// Says that an asset is in the plan already, be it in another version of it.
pub fn already_enrolled(existing: &Enrolment) -> Refusal {
    Refusal::new(&ALREADY_ENROLLED)
        .with("plan_code", &existing.plan_code)
        .with("enrolment_id", existing.id)
}

/// Only what is in force can be entered.
pub static PLAN_NOT_PUBLISHED: Rule = Rule {
    code: "plan_not_published",
    kind: Kind::Conflict,
    title: Bilingual { en: "The plan is not in force", zh: "该计划未生效" },
    detail: Bilingual {
        en: "The plan is {state}; only a published one can be entered.",
        zh: "该计划状态为 {state}，只有已发布的计划才能加入。",
    },
    advice: Bilingual {
        en: "Publish it, or choose the version that is published.",
        zh: "请发布该计划，或选择已发布的版本。",
    },
};

/// A plan is designed for a product.
pub static OTHER_PRODUCT: Rule = Rule {
    code: "plan_for_other_product",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "The plan is for another product", zh: "该计划适用于其他产品"
    },
    detail: Bilingual {
        en: "The plan is for product {plan_product_id}; the asset is a {asset_product_id}.",
        zh: "该计划适用于产品 {plan_product_id}，而该资产属于产品 {asset_product_id}。",
    },
    advice: Bilingual {
        en: "Choose the plan of the asset's product, or one that names no product.",
        zh: "请选择该产品对应的计划，或未限定产品的计划。",
    },
};

/// The dates of a plan are counted from delivery.
pub static NOT_DELIVERED: Rule = Rule {
    code: "asset_not_delivered",
    kind: Kind::Conflict,
    title: Bilingual { en: "The asset has not been delivered", zh: "该资产尚未交付" },
    detail: Bilingual {
        en: "Asset {asset_id} has no day of delivery to count from.",
        zh: "资产 {asset_id} 没有可作为起算日的交付日期。",
    },
    advice: Bilingual {
        en: "Deliver it first; it enters the plan of its product by itself then.",
        zh: "请先登记交付，之后它会自动加入其产品的计划。",
    },
};

/// An asset is looked after once, whichever version of the plan it is in.
pub static ALREADY_ENROLLED: Rule = Rule {
    code: "already_enrolled",
    kind: Kind::Conflict,
    title: Bilingual { en: "The asset is in the plan already", zh: "该资产已在计划中" },
    detail: Bilingual {
        en: "The asset is in plan {plan_code} already: {enrolment_id}.",
        zh: "该资产已在计划 {plan_code} 中：{enrolment_id}。",
    },
    advice: Bilingual {
        en: "Cancel that enrolment before you begin a new one.",
        zh: "请先取消该加入记录，再重新加入。",
    },
};

#[cfg(test)]
mod tests {
    use super::{
        super::{
            plans::PlanTemplateDetails,
            samples::{at, delivered, details, enrolled, every, id, in_month, on, published, task},
        },
        *,
    };

    fn begin(plan: &PlanTemplate, enrollee: Enrollee) -> Result<Change<Enrolment>, Refusal> {
        let now = at("2026-01-01T00:00:00Z");
        Enrolment::begin(id(1), plan, &enrollee, on("2026-01-10"), now)
    }

    fn refused_as<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    /// Task, number and window of each date.
    fn told(dates: &[PlannedDate]) -> Vec<String> {
        let tell = |date: &PlannedDate| {
            format!("{} {} {}..{}", date.task, date.seq, date.window_from_on, date.window_to_on)
        };
        dates.iter().map(tell).collect()
    }

    #[test]
    fn an_asset_enters_the_plan_of_its_product_once_it_is_delivered() {
        let plan = published(vec![task("filter", every(6))]);
        let ready = delivered("2026-01-08");
        assert!(begin(&plan, ready).is_ok());
        let other = Enrollee { product_id: id(2), ..ready };
        assert_eq!(refused_as(begin(&plan, other)), "plan_for_other_product");
        let underway = Enrollee { delivered_on: None, ..ready };
        assert_eq!(refused_as(begin(&plan, underway)), "asset_not_delivered");
        let retired = plan.retire().unwrap().record;
        assert_eq!(refused_as(begin(&retired, ready)), "plan_not_published");
    }

    #[test]
    fn a_plan_without_a_product_takes_any_asset() {
        let any = PlanTemplateDetails { product_id: None, ..details(vec![task("a", every(6))]) };
        let plan = PlanTemplate { details: any, ..published(vec![task("a", every(6))]) };
        assert!(begin(&plan, Enrollee { product_id: id(9), ..delivered("2026-01-08") }).is_ok());
    }

    #[test]
    fn dates_are_written_down_two_months_ahead_and_once() {
        let plan = published(vec![task("filter", every(2)), task("wall", in_month(3))]);
        let enrolment = enrolled(&plan, "2026-01-10", "2026-01-10");
        let (enrolment, dates) = enrolment.look_ahead(&plan, on("2026-01-10"));
        // 2026-03-10 and 2026-04-10 less two weeks; the horizon is 2026-03-11.
        assert_eq!(told(&dates), ["filter 1 2026-03-03..2026-03-17"]);
        assert_eq!(enrolment.next_due_on, Some(on("2026-03-27")));
        let (enrolment, dates) = enrolment.look_ahead(&plan, on("2026-01-10"));
        assert_eq!(told(&dates), Vec::<String>::new());
        let (_, dates) = enrolment.look_ahead(&plan, on("2026-02-24"));
        assert_eq!(told(&dates), ["wall 1 2026-04-03..2026-04-17"]);
    }

    #[test]
    fn a_plan_of_single_dates_has_an_end() {
        let plan = published(vec![task("wall", in_month(3))]);
        let enrolment = enrolled(&plan, "2026-01-10", "2026-01-10");
        let (enrolment, dates) = enrolment.look_ahead(&plan, on("2026-03-01"));
        assert_eq!((dates.len(), enrolment.next_due_on), (1, None));
        assert_eq!(enrolment.complete().unwrap().record.state, EnrolmentState::Completed);
    }

    #[test]
    fn of_the_dates_that_have_passed_the_latest_is_made_up_for() {
        // Due every half year since July 2023; the next one in January 2026 is far enough away.
        let plan = published(vec![task("filter", every(6)), task("wall", in_month(3))]);
        let enrolment = enrolled(&plan, "2023-01-10", "2025-08-20");
        assert_eq!(
            told(&enrolment.overdue(&plan)),
            ["filter 5 2025-08-20..2025-09-03", "wall 1 2025-08-20..2025-09-03"]
        );
    }

    #[test]
    fn nothing_is_made_up_for_when_the_next_date_is_as_near() {
        let plan = published(vec![task("filter", every(6))]);
        // The window of 2026-01-10 opens on 2026-01-03: 14 days after the first, 15 after the second.
        let near = enrolled(&plan, "2023-01-10", "2025-12-20");
        assert_eq!(told(&near.overdue(&plan)), Vec::<String>::new());
        let far = enrolled(&plan, "2023-01-10", "2025-12-19");
        assert_eq!(told(&far.overdue(&plan)), ["filter 5 2025-12-19..2026-01-02"]);
    }

    #[test]
    fn a_date_that_can_still_be_kept_keeps_its_window() {
        let plan = published(vec![task("filter", every(6))]);
        // The window of 2026-07-10 closes on 2026-07-17: open on the 16th, passed on the 17th.
        let open = enrolled(&plan, "2026-01-10", "2026-07-16");
        assert_eq!(told(&open.overdue(&plan)), ["filter 1 2026-07-03..2026-07-17"]);
        let passed = enrolled(&plan, "2026-01-10", "2026-07-17");
        assert_eq!(told(&passed.overdue(&plan)), ["filter 1 2026-07-17..2026-07-31"]);
    }

    #[test]
    fn a_task_may_let_passed_dates_go() {
        let skips = PlanTask { catch_up: CatchUp::Skip, ..task("filter", every(6)) };
        let plan = published(vec![skips]);
        let enrolment = enrolled(&plan, "2023-01-10", "2025-08-20");
        assert_eq!(told(&enrolment.overdue(&plan)), Vec::<String>::new());
    }

    #[test]
    fn a_plan_that_rested_goes_on_from_today() {
        let plan = published(vec![task("filter", every(2))]);
        let resting = enrolled(&plan, "2026-01-10", "2026-01-10").suspend().unwrap().record;
        assert_eq!(refused_as(resting.clone().suspend()), "illegal_transition");
        let again = resting.resume(&plan, on("2026-06-01")).unwrap().record;
        assert_eq!(again.next_due_on, Some(on("2026-06-26")));
        assert_eq!(refused_as(again.resume(&plan, on("2026-06-01"))), "illegal_transition");
    }

    #[test]
    fn an_enrolment_ends_once() {
        let plan = published(vec![task("filter", every(2))]);
        let ended = enrolled(&plan, "2026-01-10", "2026-01-10").cancel().unwrap().record;
        assert_eq!(refused_as(ended.clone().cancel()), "illegal_transition");
        assert_eq!(refused_as(ended.complete()), "illegal_transition");
    }
}
