//! Reports: how well procedures are followed, and where people should be shown again how it is done.

use crate::{
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    ids::{AnyId, DealerId, SopVersionId},
    money::BasisPoints,
    time::CivilDate,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The days that are looked back on every night.
pub const TRAINING_DAYS: i64 = 30;

/// Fewer runs say nothing about how people work.
const LEAST_RUNS: u32 = 5;

/// From this share of runs with a missed obligation on, people should be shown again. Our own proposal: one run in five.
const MISSED_FROM_BP: u32 = 2_000;

/// How well procedures were followed, for one dealer, person or version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "runs": 12, "adherence_bp": 9_166, "steps_done": 44,
    "steps_failed": 1, "steps_waived": 3, "obligations_missed": 1, "steps_overdue": 2,
})))]
pub struct SopAdherence {
    /// Whose numbers these are; null for runs without a dealer, and steps that were nobody's.
    pub id: Option<AnyId>,
    /// Runs that were completed.
    pub runs: u32,
    /// The share of the steps that apply and were done to their standard, rounded down.
    pub adherence_bp: BasisPoints,
    /// Steps that were done to their standard.
    pub steps_done: u32,
    /// Steps that missed it.
    pub steps_failed: u32,
    /// Steps that were waived.
    pub steps_waived: u32,
    /// Obligations among those that failed or were waived.
    pub obligations_missed: u32,
    /// Steps that were not settled in time, whatever became of them.
    pub steps_overdue: u32,
}

impl SopAdherence {
    /// The share of `done` among all steps that apply; the whole of it when there is none.
    pub fn share(done: u32, failed: u32, waived: u32) -> BasisPoints {
        let all = done.saturating_add(failed).saturating_add(waived);
        BasisPoints::new(share_bp(done, all).unwrap_or(10_000)).unwrap_or_default()
    }
}

/// The share of `part` in `whole`, rounded down; `None` of nothing.
fn share_bp(part: u32, whole: u32) -> Option<u32> {
    let share = u64::from(part).saturating_mul(10_000).checked_div(u64::from(whole))?;
    u32::try_from(share).ok()
}

/// How often obligations of a version were missed at a dealer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedObligations {
    /// Where.
    pub dealer_id: DealerId,
    /// Of what.
    pub sop_version_id: SopVersionId,
    /// Runs that were completed, and others in which an obligation was missed.
    pub runs: u32,
    /// Those in which an obligation failed or was waived.
    pub missed: u32,
}

impl MissedObligations {
    /// What should be looked at, when obligations are missed in one of five runs or more, of at least five.
    pub fn finding(&self, on: CivilDate) -> Option<FindingDetails> {
        let share_bp = share_bp(self.missed, self.runs)?;
        if self.runs < LEAST_RUNS || share_bp < MISSED_FROM_BP {
            return None;
        }
        let numbers = [
            ("runs", i64::from(self.runs)),
            ("runs_with_missed_obligations", i64::from(self.missed)),
            ("share_bp", i64::from(share_bp)),
            ("days", TRAINING_DAYS),
        ];
        let named = numbers.into_iter().map(|(name, number)| (name.to_owned(), number));
        Some(FindingDetails {
            kind: FindingKind::TrainingNeeded,
            subject: AnyId::of(self.sop_version_id),
            dealer_id: Some(self.dealer_id),
            topic: None,
            period: FindingPeriod::month_of(on),
            evidence: named.collect::<FindingEvidence>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn finding(missed: u32, runs: u32) -> Option<FindingDetails> {
        let (dealer_id, sop_version_id) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let counted = MissedObligations { dealer_id, sop_version_id, runs, missed };
        counted.finding(CivilDate::new(2026, 11, 22)?)
    }

    #[test]
    fn training_is_needed_from_one_run_in_five_on_of_at_least_five() {
        assert!(finding(1, 5).is_some());
        assert!(finding(4, 4).is_none());
        assert!(finding(1, 6).is_none());
        assert!(finding(20, 100).is_some());
        assert!(finding(19, 100).is_none());
        assert!(finding(0, 0).is_none());
        let found = finding(2, 6).unwrap();
        assert_eq!(found.evidence["share_bp"], 3_333);
        assert_eq!(found.period.to_string(), "2026-11");
    }

    #[test]
    fn adherence_is_the_share_of_what_applies() {
        assert_eq!(SopAdherence::share(2, 1, 0).get(), 6_666);
        assert_eq!(SopAdherence::share(0, 0, 0).get(), 10_000);
        assert_eq!(SopAdherence::share(0, 0, 3).get(), 0);
    }
}
