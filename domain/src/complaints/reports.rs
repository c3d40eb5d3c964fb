//! Reports: what complaints have come to, for whoever answers for many of them.

use super::ComplaintKind;
use crate::{
    ids::{DealerId, ProductId},
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Code},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Complaints whose time is looked at for one report, at most: a second's work.
pub const MOST_TIMED: usize = 20_000;

/// A report is about so many complaints as can be looked at while a caller waits.
pub static REPORT_TOO_LARGE: Rule = Rule {
    code: "report_too_large",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "Too many complaints for one report", zh: "报告涉及的投诉过多"
    },
    detail: Bilingual {
        en: "More than {most} complaints of these days were resolved.",
        zh: "所选日期内已解决的投诉超过 {most} 件。",
    },
    advice: Bilingual {
        en: "Ask for fewer days, for one dealer or for one kind.",
        zh: "请缩短日期范围，或限定经销商或投诉类别。",
    },
};

/// By what complaints are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintsBy {
    /// By whose people answer them.
    #[default]
    Dealer,
    /// By what they are about.
    Kind,
    /// Not at all: the whole brand in one line, or what the caller sees of it.
    Brand,
}

/// What complaints are told apart by, as it stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ComplaintGroup {
    /// Whose people answer them; nobody in particular where it is not asked.
    pub dealer_id: Option<DealerId>,
    /// What they are about; nothing where it is not asked.
    pub kind: Option<ComplaintKind>,
    /// The product of the thing they are about; nothing where there is none, or it is not asked.
    pub product_id: Option<ProductId>,
}

/// How many complaints there were, and what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComplaintCounts {
    /// Those that were received.
    pub received: u32,
    /// Those of which it is decided whether the first answer came in time.
    pub first_answers: u32,
    /// Those of them whose first answer came in time.
    pub first_answers_kept: u32,
    /// Those that were resolved at least once.
    pub resolved: u32,
    /// Those that the customer closed with a yes.
    pub amicable: u32,
    /// Those that were taken up again.
    pub reopened: u32,
}

/// What complaints of one group have come to. All of them were received on the days of the report; whatever came of them
/// until now counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": null, "received": 120,
    "first_answers": 118, "first_answers_kept": 113, "first_answers_kept_bp": 9576, "resolved": 104,
    "resolution_median_seconds": 21_600, "resolution_p90_seconds": 97_200, "amicable": 71, "amicable_bp": 6826,
    "reopened": 6, "reopened_bp": 576})))]
pub struct ComplaintsRow {
    /// Whose people answer them; null for the brand's own, and where they are not told apart by dealer.
    pub dealer_id: Option<DealerId>,
    /// What they are about; null where they are not told apart by kind.
    pub kind: Option<ComplaintKind>,
    /// How many were received.
    pub received: u32,
    /// Of how many it is decided whether the first answer came in time.
    pub first_answers: u32,
    /// Of how many of them it did.
    pub first_answers_kept: u32,
    /// The same as a share, in hundredths of a percent; null when it is decided of none.
    pub first_answers_kept_bp: Option<u32>,
    /// How many were resolved at least once.
    pub resolved: u32,
    /// How many seconds of working time it took until the first resolution, for the one in the middle.
    pub resolution_median_seconds: Option<i64>,
    /// The same for the one that took longer than nine of ten.
    pub resolution_p90_seconds: Option<i64>,
    /// How many the customer closed with a yes.
    pub amicable: u32,
    /// The same as a share of those that were resolved, in hundredths of a percent.
    pub amicable_bp: Option<u32>,
    /// How many were taken up again.
    pub reopened: u32,
    /// The same as a share of those that were resolved, in hundredths of a percent.
    pub reopened_bp: Option<u32>,
}

impl ComplaintsRow {
    /// The line of a group.
    pub fn of(group: ComplaintGroup, counts: ComplaintCounts, times: &ComplaintTimes) -> Self {
        let ComplaintCounts { received, first_answers, resolved, .. } = counts;
        let ComplaintCounts { first_answers_kept, amicable, reopened, .. } = counts;
        Self {
            dealer_id: group.dealer_id,
            kind: group.kind,
            received,
            first_answers,
            first_answers_kept,
            first_answers_kept_bp: share_bp(first_answers_kept, first_answers),
            resolved,
            resolution_median_seconds: times.median(),
            resolution_p90_seconds: times.p90(),
            amicable,
            amicable_bp: share_bp(amicable, resolved),
            reopened,
            reopened_bp: share_bp(reopened, resolved),
        }
    }
}

/// What complaints of one kind about one product have come to at one dealer, beside all dealers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"kind": "quality", "product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "received": 14, "resolved": 12, "amicable": 9, "reopened": 2,
    "resolution_median_seconds": 43_200, "all_median_seconds": 21_600})))]
pub struct ComparisonRow {
    /// What they are about.
    pub kind: ComplaintKind,
    /// The product of the thing they are about; null for those about none.
    pub product_id: Option<ProductId>,
    /// Whose people answer them; null for the brand's own.
    pub dealer_id: Option<DealerId>,
    /// How many were received.
    pub received: u32,
    /// How many were resolved at least once.
    pub resolved: u32,
    /// How many the customer closed with a yes.
    pub amicable: u32,
    /// How many were taken up again.
    pub reopened: u32,
    /// How many seconds of working time it took until the first resolution, for the one in the middle.
    pub resolution_median_seconds: Option<i64>,
    /// The same over all dealers whom the caller sees, for the same kind and product.
    pub all_median_seconds: Option<i64>,
}

/// How often customers complain about the same: what repeats is worth a look at its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"kind": "quality", "product_id": "prd_01m80t7jx3e9vbq2f4c6d8g0hk",
    "cause_code": "seal_loose", "complaints": 31,
    "confirmed_defects": 17, "things": 26, "things_repeated": 4})))]
pub struct RepeatRow {
    /// What they are about.
    pub kind: ComplaintKind,
    /// The product of the thing they are about; null for those about none.
    pub product_id: Option<ProductId>,
    /// What brought them about, as investigations have found; null for those of which that is not known.
    pub cause_code: Option<Code>,
    /// How many complaints were received.
    pub complaints: u32,
    /// In how many the product was found defective, in whichever attempt.
    pub confirmed_defects: u32,
    /// How many sold things they are about.
    pub things: u32,
    /// About how many of them more than one of these complaints is.
    pub things_repeated: u32,
}

/// How long it took, once for each complaint, in seconds of working time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComplaintTimes(Vec<i64>);

impl ComplaintTimes {
    /// These times, in whichever order.
    pub fn of(mut seconds: Vec<i64>) -> Self {
        seconds.sort_unstable();
        Self(seconds)
    }

    /// The one in the middle, of two the lower one; nothing when there is none.
    pub fn median(&self) -> Option<i64> {
        self.reached_by(50)
    }

    /// The lowest that nine of ten do not exceed.
    pub fn p90(&self) -> Option<i64> {
        self.reached_by(90)
    }

    /// The lowest that so many of a hundred do not exceed: one that was measured, and none in between.
    fn reached_by(&self, percent: usize) -> Option<i64> {
        let rank = self.0.len().saturating_mul(percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied()
    }
}

/// Makes sure that a report can be made of so many times.
///
/// # Errors
///
/// `report_too_large`.
pub fn check_timed(found: usize) -> Result<(), Refusal> {
    if found > MOST_TIMED {
        return Err(Refusal::new(&REPORT_TOO_LARGE).with("most", MOST_TIMED).at("from_on"));
    }
    Ok(())
}

/// A share in hundredths of a percent, rounded down; nothing of nothing.
fn share_bp(part: u32, whole: u32) -> Option<u32> {
    let share = u64::from(part).saturating_mul(10_000).checked_div(u64::from(whole))?;
    u32::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(all: &[i64]) -> ComplaintTimes {
        ComplaintTimes::of(all.to_vec())
    }

    #[test]
    fn the_middle_and_the_ninth_of_ten_are_times_that_were_measured() {
        assert_eq!((times(&[]).median(), times(&[]).p90()), (None, None));
        assert_eq!((times(&[7]).median(), times(&[7]).p90()), (Some(7), Some(7)));
        let ten = times(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!((ten.median(), ten.p90()), (Some(5), Some(9)));
        let eleven = times(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!((eleven.median(), eleven.p90()), (Some(6), Some(10)));
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let counts = ComplaintCounts {
            received: 4,
            first_answers: 3,
            first_answers_kept: 2,
            ..ComplaintCounts::default()
        };
        let row = ComplaintsRow::of(ComplaintGroup::default(), counts, &times(&[]));
        assert_eq!((row.first_answers_kept_bp, row.amicable_bp), (Some(6_666), None));
    }

    #[test]
    fn a_report_looks_at_twenty_thousand_and_no_more() {
        assert!(check_timed(MOST_TIMED).is_ok());
        assert_eq!(check_timed(MOST_TIMED + 1).unwrap_err().rule, &REPORT_TOO_LARGE);
    }
}
