//! Gaps: moments of the customer's at which no procedure is in force, as findings.

use super::{Department, SopCoverage, SopCoverageCell, SopDetails, SopStanding};
use crate::{
    change::Change,
    findings::{Finding, FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    ids::{AnyId, TenantId},
    refusal::Refusal,
    text::{Code, Line},
    time::{CivilDate, Timestamp},
};

/// The most gaps that are told of in one night; more are not looked at in a day, and are there for the next night.
const MOST_TOLD: usize = 100;

/// What became of the gaps since somebody looked the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct SopGaps {
    /// Those of which nobody was told yet.
    pub found: Vec<FindingDetails>,
    /// Findings about those that there are no more.
    pub closed: Vec<Change<Finding>>,
}

impl SopDetails {
    /// Which gap a procedure closes, as findings name it: `after_sales/repair`.
    pub fn gap(&self) -> Option<Line> {
        gap(self.department, &self.touchpoint)
    }
}

impl SopCoverage {
    /// Looks over the gaps of a brand, of which `told` are the findings that nobody has settled. A brand that has no
    /// procedure in force has not begun to write any, and need not be told that it has none.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when one of the findings is settled.
    pub fn review(
        &self,
        told: &[Finding],
        brand: TenantId,
        (on, now): (CivilDate, Timestamp),
    ) -> Result<SopGaps, Refusal> {
        let named = |cell: &SopCoverageCell| gap(cell.department, &cell.touchpoint);
        let gaps: Vec<_> = self.gaps.iter().filter_map(|cell| Some((named(cell)?, cell))).collect();
        let is_told = |name: &Line| told.iter().any(|one| one.details.topic.as_ref() == Some(name));
        let new = gaps.iter().filter(|(name, _)| self.in_force > 0 && !is_told(name));
        let found = new
            .take(MOST_TOLD)
            .map(|(name, cell)| FindingDetails {
                kind: FindingKind::SopGap,
                subject: AnyId::of(brand),
                dealer_id: None,
                topic: Some(name.clone()),
                period: FindingPeriod::month_of(on),
                evidence: numbers(cell),
            })
            .collect();
        let is_gone =
            |one: &Finding| !gaps.iter().any(|(name, _)| one.details.topic.as_ref() == Some(name));
        let closed = told.iter().filter(|one| is_gone(one)).cloned();
        let closed = closed.map(|one| one.resolve(now)).collect::<Result<_, _>>()?;
        Ok(SopGaps { found, closed })
    }
}

fn gap(department: Department, touchpoint: &Code) -> Option<Line> {
    let department = match department {
        Department::Sales => "sales",
        Department::Delivery => "delivery",
        Department::CustomerService => "customer_service",
        Department::AfterSales => "after_sales",
    };
    Line::new(format!("{department}/{touchpoint}")).ok()
}

/// The numbers behind a gap: the procedures that name the moment, and whether one is being written.
fn numbers(cell: &SopCoverageCell) -> FindingEvidence {
    let procedures = i64::try_from(cell.sop_ids.len()).unwrap_or(i64::MAX);
    let is_drafted = i64::from(cell.standing == SopStanding::Drafted);
    [("procedures", procedures), ("is_drafted", is_drafted)]
        .map(|(name, number)| (name.to_owned(), number))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::CoveringSop;
    use uuid::Uuid;

    fn brand() -> TenantId {
        Uuid::from_u128(1).into()
    }

    fn when() -> (CivilDate, Timestamp) {
        ("2026-11-22".parse().unwrap(), "2026-11-22T00:00:00Z".parse().unwrap())
    }

    fn covering(touchpoints: &[(&str, SopStanding)]) -> SopCoverage {
        let sops: Vec<_> = touchpoints
            .iter()
            .map(|(touchpoint, standing)| CoveringSop {
                id: Uuid::from_u128(7).into(),
                department: Department::AfterSales,
                touchpoint: touchpoint.parse().unwrap(),
                standing: *standing,
            })
            .collect();
        SopCoverage::of(&sops)
    }

    fn topics(found: &[FindingDetails]) -> Vec<&str> {
        found.iter().filter_map(|one| one.topic.as_deref()).collect()
    }

    #[test]
    fn a_gap_is_told_of_once_and_closed_when_a_procedure_is_in_force() {
        let some =
            covering(&[("repair", SopStanding::InForce), ("annual_visit", SopStanding::Drafted)]);
        let gaps = some.review(&[], brand(), when()).unwrap();
        assert_eq!(gaps.found.len(), 11);
        let visit =
            gaps.found.iter().find(|one| one.topic.as_deref() == Some("after_sales/annual_visit"));
        assert_eq!(visit.unwrap().evidence["is_drafted"], 1);

        let told: Vec<_> = gaps
            .found
            .into_iter()
            .map(|one| Finding::notice(Uuid::from_u128(9).into(), one, when().1).record)
            .collect();
        let same = some.review(&told, brand(), when()).unwrap();
        assert_eq!((same.found.len(), same.closed.len()), (0, 0));
        let more =
            covering(&[("repair", SopStanding::Nothing), ("annual_visit", SopStanding::InForce)]);
        let gaps = more.review(&told, brand(), when()).unwrap();
        assert_eq!(topics(&gaps.found), ["after_sales/repair"]);
        assert_eq!(gaps.closed.len(), 1);
        let closed = &gaps.closed[0].record.details;
        assert_eq!(closed.topic.as_deref(), Some("after_sales/annual_visit"));
    }

    #[test]
    fn a_brand_that_has_not_begun_is_told_nothing() {
        let none = covering(&[("repair", SopStanding::Drafted)]);
        assert!(none.review(&[], brand(), when()).unwrap().found.is_empty());
    }

    #[test]
    fn a_procedure_closes_the_gap_it_is_told_of_as() {
        let details = serde_json::json!({ "code": "a", "name": "A", "department": "after_sales",
            "touchpoint": "repair" });
        let details: SopDetails = serde_json::from_value(details).unwrap();
        assert_eq!(details.gap().as_deref(), Some("after_sales/repair"));
    }
}
