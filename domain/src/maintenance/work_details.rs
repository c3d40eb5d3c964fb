//! What may be said about a visit: its kind, its customer, its days.

use super::{
    availability::Window, numbers::VisitMinutes, occurrences::Occurrence, slots::expect_served,
    tasks::PlanTask,
};
use crate::{
    catalogue::Asset,
    identity::Reach,
    ids::{AssetId, CustomerId, DealerId, SiteId, SopId},
    pushes::check_site,
    refusal::{Kind, Refusal, Rule},
    tenancy::{Dealer, Site},
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
#[schema(examples(json!({
    "kind": "repair", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "site_id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk", "window_from_on": "2027-05-13",
    "window_to_on": "2027-06-03", "preferred_on": "2027-05-20", "duration_minutes": 45,
    "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk", "note": "The housing leaks.",
})))]
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

    /// The details as a caller who sees `reach` of the brand may write them: served by the dealer of
    /// their `site`, else by the caller's own dealer. What is looked after, `asset`, is at the customer's.
    ///
    /// # Errors
    ///
    /// `asset_of_another_customer`; `site_of_another_dealer`; `work_of_another_dealer` when a dealer's person
    /// names another dealer.
    pub fn served_from(
        self,
        asset: Option<&Asset>,
        site: Option<&Site>,
        reach: Reach,
    ) -> Result<Self, Refusal> {
        asset.map_or(Ok(()), |asset| asset.must_be_of(self.customer_id))?;
        let site_dealer = site.map(|site| site.dealer_id);
        let dealer_id = self.dealer_id.or(site_dealer).or(reach.dealer);
        check_site(dealer_id, site_dealer)?;
        if reach.dealer.is_some_and(|own| dealer_id != Some(own)) {
            return Err(Refusal::new(&WORK_OF_ANOTHER_DEALER));
        }
        Ok(Self { dealer_id, ..self })
    }

    /// Expects that the site and the dealer who are to make the visit work.
    ///
    /// # Errors
    ///
    /// `site_closed`, `dealer_closed`.
    pub fn expect_served(
        &self,
        site: Option<&Site>,
        dealer: Option<&Dealer>,
    ) -> Result<(), Refusal> {
        expect_served(site, dealer)
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
            .with("most_days", LONGEST_WINDOW_DAYS)
            .at(if in_order || self.window_to_on < self.window_from_on {
                "/window_to_on"
            } else {
                "/preferred_on"
            }))
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

/// A dealer's people ask for work of their own dealer.
pub static WORK_OF_ANOTHER_DEALER: Rule = Rule {
    code: "work_of_another_dealer",
    kind: Kind::NotYours,
    title: Bilingual { en: "Not the caller's own dealer", zh: "不是本经销商的工作" },
    detail: Bilingual {
        en: "A dealer's people ask for visits of their own dealer only.",
        zh: "经销商人员只能为本经销商安排上门服务。",
    },
    advice: Bilingual {
        en: "Leave `dealer_id` out: it is filled in.",
        zh: "请省略 `dealer_id`，系统会自动补全。",
    },
};

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{at, id, site, visit},
        *,
    };
    use crate::ids::ProductId;

    fn reach(dealer: u128) -> Reach {
        Reach { dealer: Some(id(dealer)), technician: None }
    }

    #[test]
    fn the_dealer_follows_from_the_site_and_the_caller() {
        let unsaid = WorkOrderDetails { dealer_id: None, ..visit() };
        let by_site = unsaid.clone().served_from(None, Some(&site()), Reach::default()).unwrap();
        assert_eq!(by_site.dealer_id, Some(id(1)));
        let by_caller = unsaid.clone().served_from(None, None, reach(2)).unwrap();
        assert_eq!(by_caller.dealer_id, Some(id(2)));
        assert_eq!(unsaid.served_from(None, None, Reach::default()).unwrap().dealer_id, None);
    }

    #[test]
    fn a_dealer_works_for_itself_from_its_own_sites() {
        assert!(visit().served_from(None, Some(&site()), reach(1)).is_ok());
        let other = WorkOrderDetails { dealer_id: Some(id(2)), ..visit() };
        let refusal = other.served_from(None, Some(&site()), Reach::default()).unwrap_err();
        assert_eq!(refusal.rule.code, "site_of_another_dealer");
        let refusal = visit().served_from(None, None, reach(2)).unwrap_err();
        assert_eq!(refusal.rule.code, "work_of_another_dealer");
    }

    #[test]
    fn what_is_looked_after_is_at_the_customer_s() {
        let owned_by = |customer_id: CustomerId| {
            let details =
                serde_json::json!({"customer_id": customer_id, "product_id": id::<ProductId>(1)});
            let details = serde_json::from_value(details).unwrap();
            Asset::create(id(1), details, at("2027-05-05T22:00:00Z")).unwrap().record
        };
        let own = owned_by(visit().customer_id);
        assert!(visit().served_from(Some(&own), None, Reach::default()).is_ok());
        let anothers = owned_by(id(99));
        let refusal = visit().served_from(Some(&anothers), None, Reach::default()).unwrap_err();
        assert_eq!(refusal.rule.code, "asset_of_another_customer");
    }
}
