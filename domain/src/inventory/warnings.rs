//! Warnings: what a plan of services lacks. They never stand in the way.

use super::items::{ContactMode, ServiceItem, ServiceItemStatus, ServiceMode};
use crate::{
    maintenance::plans::PlanTemplateDetails,
    money::{BasisPoints, Minor, WHOLE_BP},
    text::Code,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a plan lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanWarningCode {
    /// No task names a service item, so nothing can be said about them.
    NoServiceItems,
    /// In none of the services the customer meets anybody.
    ContactlessPlan,
    /// Each of the services costs something.
    NoFreeItem,
    /// A larger share of the services is made for one customer than the brand's `personalised_most_bp` says.
    TooPersonalised,
}

/// One thing that a plan lacks, with the numbers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"code": "too_personalised", "personalised_bp": 5000, "most_bp": 3000})))]
pub struct PlanWarning {
    /// What it lacks.
    pub code: PlanWarningCode,
    /// The share of tasks that are made for one customer, among those that name a service item, rounded up; with
    /// `too_personalised` only.
    pub personalised_bp: Option<BasisPoints>,
    /// The most of them that the brand wants; with `too_personalised` only.
    pub most_bp: Option<BasisPoints>,
}

/// What there is to say about a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "tasks": 2, "tasks_with_item": 2,
    "warnings": [{"code": "no_free_item", "personalised_bp": null, "most_bp": null}],
})))]
pub struct PlanReview {
    /// How many tasks the plan has.
    pub tasks: u32,
    /// Those that name a service item that is there and active. The warnings are about these alone.
    pub tasks_with_item: u32,
    /// What the plan lacks; nothing when it is as it should be.
    pub warnings: Vec<PlanWarning>,
}

impl PlanReview {
    /// Looks at a plan, whose tasks name `items`; retired ones count as little as none. `most` is the largest share of
    /// personalised tasks, among those that name an item, that the brand wants; exactly so many are no reason to warn.
    pub fn of(plan: &PlanTemplateDetails, items: &[ServiceItem], most: BasisPoints) -> Self {
        let by_code: BTreeMap<&Code, &ServiceItem> = items
            .iter()
            .filter(|item| is_active(item))
            .map(|item| (&item.details.code, item))
            .collect();
        let named: Vec<&ServiceItem> = plan
            .tasks
            .iter()
            .filter_map(|task| by_code.get(task.service_item_code.as_ref()?).copied())
            .collect();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let tasks_with_item = count(named.len());
        let personalised = count(named.iter().filter(|item| is_personalised(item)).count());
        let plainly = |code| PlanWarning { code, personalised_bp: None, most_bp: None };
        let mut warnings = Vec::new();
        if named.is_empty() {
            warnings.push(plainly(PlanWarningCode::NoServiceItems));
        } else {
            if !named.iter().any(|item| has_contact(item)) {
                warnings.push(plainly(PlanWarningCode::ContactlessPlan));
            }
            if named.iter().all(|item| item.details.est_cost_minor > Minor::ZERO) {
                warnings.push(plainly(PlanWarningCode::NoFreeItem));
            }
        }
        if is_more(personalised, tasks_with_item, most) {
            let code = PlanWarningCode::TooPersonalised;
            let share = share_of(personalised, tasks_with_item);
            let (personalised_bp, most_bp) = (Some(share), Some(most));
            warnings.push(PlanWarning { code, personalised_bp, most_bp });
        }
        Self { tasks: count(plan.tasks.len()), tasks_with_item, warnings }
    }
}

fn is_active(item: &ServiceItem) -> bool {
    match item.status {
        ServiceItemStatus::Active => true,
        ServiceItemStatus::Retired => false,
    }
}

fn has_contact(item: &ServiceItem) -> bool {
    match item.details.contact_mode {
        ContactMode::InPerson | ContactMode::Phone | ContactMode::Chat | ContactMode::Video => true,
        ContactMode::None => false,
    }
}

fn is_personalised(item: &ServiceItem) -> bool {
    match item.details.mode {
        ServiceMode::Personalised => true,
        ServiceMode::Standard => false,
    }
}

/// Whether `part` is a larger share of the `whole` than `most`, compared without rounding.
fn is_more(part: u32, whole: u32, most: BasisPoints) -> bool {
    let (part, whole) = (u64::from(part), u64::from(whole));
    part.saturating_mul(WHOLE_BP.into()) > whole.saturating_mul(most.get().into())
}

/// The share of `part` in the `whole`, which is not empty, rounded up, so that what is more than a limit reads so.
fn share_of(part: u32, whole: u32) -> BasisPoints {
    let share_bp = part.saturating_mul(WHOLE_BP).div_ceil(whole.max(1));
    BasisPoints::new(share_bp).unwrap_or(BasisPoints::WHOLE)
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use serde_json::{Value, json};

    /// A plan whose tasks name these items; null names none.
    pub(in super::super) fn plan(codes: &[Value]) -> PlanTemplateDetails {
        let task = |(number, code): (usize, &Value)| {
            json!({
                "code": format!("t{number}"), "title": "Task", "service_item_code": code,
                "trigger": { "kind": "month_offset", "months": 1 },
            })
        };
        let tasks: Vec<_> = codes.iter().enumerate().map(task).collect();
        serde_json::from_value(json!({ "code": "care", "name": "Care", "tasks": tasks })).unwrap()
    }

    /// What there is to say about a plan when three personalised tasks in ten are the most.
    pub(in super::super) fn reviewed(
        plan: &PlanTemplateDetails,
        items: &[ServiceItem],
    ) -> PlanReview {
        PlanReview::of(plan, items, BasisPoints::new(3_000).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::items::samples::item,
        samples::{plan, reviewed},
        *,
    };
    use serde_json::{Value, json};

    fn warns(codes: &[Value], items: &[ServiceItem]) -> Vec<PlanWarningCode> {
        reviewed(&plan(codes), items).warnings.iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_plan_has_contact_and_something_that_costs_nothing() {
        let silent = json!({ "code": "mail", "contact_mode": "none", "est_cost_minor": 0 });
        let visit = item(&json!({ "code": "visit" }));
        let items = [item(&silent), visit];
        assert_eq!(warns(&[json!("visit"), json!("mail")], &items), []);
        assert_eq!(warns(&[json!("mail")], &items), [PlanWarningCode::ContactlessPlan]);
        assert_eq!(warns(&[json!("visit"), json!(null)], &items), [PlanWarningCode::NoFreeItem]);
    }

    #[test]
    fn a_plan_without_items_is_said_to_have_none() {
        assert_eq!(warns(&[json!(null)], &[]), [PlanWarningCode::NoServiceItems]);
        assert_eq!(warns(&[json!("gone")], &[]), [PlanWarningCode::NoServiceItems]);
        let retired = item(&json!({ "code": "gone" })).retire().unwrap().record;
        assert_eq!(warns(&[json!("gone")], &[retired]), [PlanWarningCode::NoServiceItems]);
    }

    #[test]
    fn a_share_of_personalised_tasks_may_reach_the_limit() {
        let own = json!({ "code": "own", "mode": "personalised", "est_cost_minor": 0 });
        let items = [item(&own), item(&json!({ "code": "visit" }))];
        let with = |own: usize, of: usize| {
            let codes: Vec<_> = (0..of)
                .map(|task| if task < own { json!("own") } else { json!("visit") })
                .collect();
            warns(&codes, &items)
        };
        assert_eq!(with(3, 10), []);
        assert_eq!(with(4, 10), [PlanWarningCode::TooPersonalised]);
        let most = BasisPoints::new(3_000).unwrap();
        let review = PlanReview::of(&plan(&[json!("own"), json!("visit")]), &items, most);
        let told = review.warnings.first().unwrap();
        assert_eq!((told.personalised_bp.unwrap().get(), told.most_bp), (5_000, Some(most)));
    }

    #[test]
    fn a_share_is_one_of_the_tasks_with_items_and_is_not_rounded() {
        let own = json!({ "code": "own", "mode": "personalised", "est_cost_minor": 0 });
        let items = [item(&own), item(&json!({ "code": "visit" }))];
        let share = |codes: &[Value], most: u32| {
            let review = PlanReview::of(&plan(codes), &items, BasisPoints::new(most).unwrap());
            let told = review.warnings.first().copied();
            told.and_then(|warning| warning.personalised_bp).map(BasisPoints::get)
        };
        let third = [json!("own"), json!("visit"), json!("visit")];
        assert_eq!(share(&third, 3_334), None);
        assert_eq!(share(&third, 3_333), Some(3_334));
        // Tasks that name nothing do not make the share of the others any smaller.
        assert_eq!(share(&[json!("own"), json!(null), json!(null)], 5_000), Some(10_000));
    }
}
