//! What may be said about a visit: its kind, its customer, its days.

use super::{
    availability::Window, numbers::VisitMinutes, occurrences::Occurrence, tasks::PlanTask,
};
use crate::{
    ids::{AssetId, CustomerId, DealerId, SiteId, SopId},
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Prose},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest window of a visit: a year. What may wait longer is a plan.
pub const LONGEST_WINDOW_DAYS: i64 = 366;

/// What may be said about a visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkOrderDetails {
    /// What kind of visit it is.
    pub kind: WorkOrderKind,
    /// Who is visited.
    pub customer_id: CustomerId,
    /// What is looked after; null when it is no particular thing.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// Which dealer does it; null while nobody has said.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// From which site a technician is sent; null while nobody has said: nobody is found then.
    #[serde(default)]
    pub site_id: Option<SiteId>,
    /// The first day on which it may be done.
    pub window_from_on: CivilDate,
    /// The last day on which it may be done.
    pub window_to_on: CivilDate,
    /// The day it is best done on.
    pub preferred_on: CivilDate,
    /// How long it takes. An hour when absent.
    #[serde(default)]
    #[schema(default = 60)]
    pub duration_minutes: VisitMinutes,
    /// The standard procedure that the technician follows; null when there is none.
    #[serde(default)]
    pub sop_id: Option<SopId>,
    /// What the technician should know.
    #[serde(default)]
    pub note: Option<Prose>,
}

/// What kind of visit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkOrderKind {
    /// A service that a plan foresees.
    Maintenance,
    /// Something is broken.
    Repair,
    /// Somebody has a look.
    Inspection,
}

impl WorkOrderDetails {
    /// What a due date of a plan asks for, at the site that serves the asset.
    pub fn of(
        occurrence: &Occurrence,
        task: &PlanTask,
        asset_id: AssetId,
        served_by: Option<(DealerId, SiteId)>,
    ) -> Self {
        Self {
            kind: WorkOrderKind::Maintenance,
            customer_id: occurrence.customer_id,
            asset_id: Some(asset_id),
            dealer_id: served_by.map(|(dealer_id, _)| dealer_id).or(occurrence.dealer_id),
            site_id: served_by.map(|(_, site_id)| site_id),
            window_from_on: occurrence.window_from_on,
            window_to_on: occurrence.window_to_on,
            preferred_on: occurrence
                .nominal_on
                .clamp(occurrence.window_from_on, occurrence.window_to_on),
            duration_minutes: task.duration_minutes,
            sop_id: task.sop_id,
            note: None,
        }
    }

    /// The days on which it may be done.
    pub fn window(&self) -> Window {
        Window {
            from_on: self.window_from_on,
            to_on: self.window_to_on,
            preferred_on: self.preferred_on,
        }
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        let days = self.window_to_on.days_since(self.window_from_on);
        let in_order =
            self.window_from_on <= self.preferred_on && self.preferred_on <= self.window_to_on;
        if in_order && days < LONGEST_WINDOW_DAYS {
            return Ok(());
        }
        Err(Refusal::new(&WINDOW_IMPOSSIBLE)
            .with("window_from_on", self.window_from_on)
            .with("preferred_on", self.preferred_on)
            .with("window_to_on", self.window_to_on)
            .with("most_days", LONGEST_WINDOW_DAYS))
    }
}

/// A window begins before it ends, holds the preferred day and is not endless.
pub static WINDOW_IMPOSSIBLE: Rule = Rule {
    code: "window_impossible",
    kind: Kind::Unfit,
    title: Bilingual { en: "The window is not possible", zh: "时间窗不成立" },
    detail: Bilingual {
        en: "A window from {window_from_on} to {window_to_on} with {preferred_on} preferred is not in order, or longer than {most_days} days.",
        zh: "时间窗 {window_from_on} 至 {window_to_on}（首选 {preferred_on}）顺序有误，或超过 {most_days} 天。",
    },
    advice: Bilingual {
        en: "Send `window_from_on`, `preferred_on` and `window_to_on` in this order, at most a year apart.",
        zh: "请按 `window_from_on`、`preferred_on`、`window_to_on` 的先后顺序填写，跨度不超过一年。",
    },
};
