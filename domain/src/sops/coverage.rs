//! Coverage: at which moments of the customer's a procedure is in force, and at which nothing says what to do.

use super::Department;
use crate::{ids::SopId, text::Code};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The moments at which nearly every brand meets its customers. A brand's own come beside them, by the
/// procedures that name them.
pub const STANDARD_TOUCHPOINTS: [(Department, &[&str]); 4] = [
    (Department::Sales, &["consultation", "quotation", "order_confirmation"]),
    (Department::Delivery, &["delivery_appointment", "handover", "after_delivery_call"]),
    (Department::CustomerService, &["inquiry", "complaint", "care_call"]),
    (Department::AfterSales, &["annual_visit", "repair", "follow_up_call"]),
];

/// What there is for one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SopStanding {
    /// Nothing, or only what was retired.
    Nothing,
    /// A version is being written or reviewed.
    Drafted,
    /// A version is in force.
    InForce,
}

/// A procedure, as far as it covers a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveringSop {
    /// Which procedure.
    pub id: SopId,
    /// Whose work it describes.
    pub department: Department,
    /// For which moment.
    pub touchpoint: Code,
    /// How far it has come.
    pub standing: SopStanding,
}

/// One moment at which a department meets the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopCoverageCell {
    /// Whose work it is.
    pub department: Department,
    /// The moment.
    pub touchpoint: Code,
    /// Whether nearly every brand has it; the others are those that the brand's procedures name.
    pub is_standard: bool,
    /// What there is for it: the best of its procedures.
    pub standing: SopStanding,
    /// The procedures for it.
    pub sop_ids: Vec<SopId>,
}

/// Which moments are covered, department by department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "in_force": 1, "drafted": 0, "nothing": 1,
    "cells": [
        { "department": "after_sales", "touchpoint": "annual_visit", "is_standard": true,
          "standing": "in_force", "sop_ids": ["sop_01m80t7jx3e9vbq2f4c6d8g0hk"] },
        { "department": "after_sales", "touchpoint": "repair", "is_standard": true,
          "standing": "nothing", "sop_ids": [] },
    ],
    "gaps": [
        { "department": "after_sales", "touchpoint": "repair", "is_standard": true,
          "standing": "nothing", "sop_ids": [] },
    ],
})))]
pub struct SopCoverage {
    /// At how many moments a version is in force.
    pub in_force: usize,
    /// At how many moments one is only being written or reviewed.
    pub drafted: usize,
    /// At how many moments there is nothing.
    pub nothing: usize,
    /// Every moment, by department and then by name.
    pub cells: Vec<SopCoverageCell>,
    /// The moments at which no version is in force.
    pub gaps: Vec<SopCoverageCell>,
}

impl SopCoverage {
    /// What `sops` cover of the standard moments, and of those that they name themselves.
    pub fn of(sops: &[CoveringSop]) -> Self {
        let mut cells = BTreeMap::new();
        for (department, touchpoints) in STANDARD_TOUCHPOINTS {
            for touchpoint in touchpoints.iter().filter_map(|name| Code::new(*name).ok()) {
                cells.insert((department, touchpoint.clone()), cell(department, touchpoint, true));
            }
        }
        for sop in sops {
            let key = (sop.department, sop.touchpoint.clone());
            let empty = || cell(sop.department, sop.touchpoint.clone(), false);
            let cell = cells.entry(key).or_insert_with(empty);
            cell.standing = cell.standing.max(sop.standing);
            cell.sop_ids.push(sop.id);
        }
        let cells: Vec<_> = cells.into_values().collect();
        let count = |standing| cells.iter().filter(|cell| cell.standing == standing).count();
        Self {
            in_force: count(SopStanding::InForce),
            drafted: count(SopStanding::Drafted),
            nothing: count(SopStanding::Nothing),
            gaps: cells
                .iter()
                .filter(|cell| cell.standing != SopStanding::InForce)
                .cloned()
                .collect(),
            cells,
        }
    }
}

/// A moment for which there is nothing yet.
fn cell(department: Department, touchpoint: Code, is_standard: bool) -> SopCoverageCell {
    let (standing, sop_ids) = (SopStanding::Nothing, Vec::new());
    SopCoverageCell { department, touchpoint, is_standard, standing, sop_ids }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn sop(number: u128, touchpoint: &str, standing: SopStanding) -> CoveringSop {
        CoveringSop {
            id: Uuid::from_u128(number).into(),
            department: Department::AfterSales,
            touchpoint: touchpoint.parse().unwrap(),
            standing,
        }
    }

    #[test]
    fn a_brand_without_procedures_has_every_standard_gap() {
        let coverage = SopCoverage::of(&[]);
        assert_eq!((coverage.in_force, coverage.drafted, coverage.nothing), (0, 0, 12));
        assert_eq!(coverage.gaps, coverage.cells);
        assert!(coverage.cells.iter().all(|cell| cell.is_standard));
    }

    #[test]
    fn a_moment_is_covered_by_the_best_of_its_procedures() {
        let coverage = SopCoverage::of(&[
            sop(1, "repair", SopStanding::Drafted),
            sop(2, "repair", SopStanding::InForce),
            sop(3, "annual_visit", SopStanding::Drafted),
            sop(4, "annual_visit", SopStanding::Nothing),
        ]);
        assert_eq!((coverage.in_force, coverage.drafted, coverage.nothing), (1, 1, 10));
        let gap = |name: &str| coverage.gaps.iter().any(|gap| &*gap.touchpoint == name);
        assert_eq!(
            (gap("repair"), gap("annual_visit"), gap("follow_up_call")),
            (false, true, true)
        );
        let repair = coverage.cells.iter().find(|cell| &*cell.touchpoint == "repair").unwrap();
        assert_eq!(repair.sop_ids.len(), 2);
    }

    #[test]
    fn a_moment_that_a_procedure_names_is_expected_too() {
        let coverage = SopCoverage::of(&[sop(1, "filter_change", SopStanding::Nothing)]);
        let own = coverage.gaps.iter().find(|gap| &*gap.touchpoint == "filter_change").unwrap();
        assert_eq!((own.is_standard, own.standing), (false, SopStanding::Nothing));
        assert_eq!(coverage.nothing, 13);
    }

    #[test]
    fn every_standard_moment_has_a_name_that_can_be_written() {
        for (_, touchpoints) in STANDARD_TOUCHPOINTS {
            assert!(touchpoints.iter().all(|name| Code::new(*name).is_ok()), "{touchpoints:?}");
        }
    }
}
