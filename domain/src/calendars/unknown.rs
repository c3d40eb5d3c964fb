//! Years of which nobody knows the holidays yet: noticed, and settled when somebody does.

use super::{BusinessCalendar, CalendarStatus};
use crate::{
    change::Change,
    findings::{Finding, FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    ids::AnyId,
    time::{CivilDate, Timestamp},
};
use chrono::{Datelike as _, NaiveDate};
use std::collections::BTreeSet;

/// From which month on the holidays of the next year should be known: the State Council announces them in November.
const ANNOUNCED_FROM_MONTH: u32 = 11;

/// What follows for the findings about a calendar from a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct HolidayFindings {
    /// What is noticed.
    pub noticed: Vec<FindingDetails>,
    /// What is settled.
    pub settled: Vec<Change<Finding>>,
}

impl HolidayFindings {
    /// The years of which the holidays should be known on a day.
    pub fn years_on(on: CivilDate) -> BTreeSet<i32> {
        let is_late = NaiveDate::from(on).month() >= ANNOUNCED_FROM_MONTH;
        let next = is_late.then(|| on.year().saturating_add(1));
        std::iter::once(on.year()).chain(next).collect()
    }

    /// Compares a calendar with the findings about it that are not settled. `told` are the years for which the brand said
    /// anything itself; who does is taken to have said everything.
    pub fn of(
        calendar: &BusinessCalendar,
        told: &BTreeSet<i32>,
        unsettled: Vec<Finding>,
        (on, now): (CivilDate, Timestamp),
    ) -> Self {
        let is_active = match calendar.status {
            CalendarStatus::Active => true,
            CalendarStatus::Retired => false,
        };
        let holidays = calendar.details.holidays;
        let is_unknown = |year: &i32| is_active && !holidays.knows(*year) && !told.contains(year);
        let unknown = Self::years_on(on).into_iter().filter(is_unknown);
        let lacks: Vec<_> = unknown.map(|year| lack(calendar, year)).collect();
        let is_at =
            |finding: &Finding, lack: &FindingDetails| finding.details.period == lack.period;
        let is_known = |lack: &FindingDetails| unsettled.iter().any(|one| is_at(one, lack));
        let noticed = lacks.iter().filter(|lack| !is_known(lack)).cloned().collect();
        let is_over = |finding: &Finding| !lacks.iter().any(|lack| is_at(finding, lack));
        let settled =
            unsettled.into_iter().filter(is_over).filter_map(|finding| finding.resolve(now).ok());
        Self { noticed, settled: settled.collect() }
    }
}

fn lack(calendar: &BusinessCalendar, year: i32) -> FindingDetails {
    FindingDetails {
        kind: FindingKind::HolidaysUnknown,
        subject: AnyId::of(calendar.id),
        dealer_id: None,
        topic: None,
        period: FindingPeriod::year(year),
        evidence: FindingEvidence::from([("year".to_owned(), year.into())]),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{NOW, calendar},
        *,
    };
    use serde_json::json;
    use uuid::Uuid;

    fn looked(
        calendar: &BusinessCalendar,
        on: &str,
        told: &[i32],
        known: Vec<Finding>,
    ) -> HolidayFindings {
        let told = told.iter().copied().collect();
        HolidayFindings::of(calendar, &told, known, (on.parse().unwrap(), NOW.parse().unwrap()))
    }

    fn periods(findings: &HolidayFindings) -> Vec<String> {
        findings.noticed.iter().map(|one| one.period.to_string()).collect()
    }

    #[test]
    fn an_unknown_year_is_noticed_from_november_of_the_year_before() {
        let office = calendar(&json!({}));
        let at = |on| periods(&looked(&office, on, &[], Vec::new()));
        assert_eq!(at("2099-10-31"), ["2099"]);
        assert_eq!(at("2099-11-01"), ["2099", "2100"]);
        assert_eq!(at("2025-11-01"), Vec::<String>::new());
        assert_eq!(periods(&looked(&office, "2099-11-01", &[2099], Vec::new())), ["2100"]);
        let none = calendar(&json!({ "holidays": "none" }));
        assert_eq!(periods(&looked(&none, "2099-11-01", &[], Vec::new())), Vec::<String>::new());
    }

    #[test]
    fn it_is_settled_when_the_brand_says_something_about_that_year() {
        let office = calendar(&json!({}));
        let noticed = looked(&office, "2099-11-01", &[2099], Vec::new()).noticed;
        let finding = |details| {
            Finding::notice(Uuid::from_u128(5).into(), details, NOW.parse().unwrap()).record
        };
        let known: Vec<_> = noticed.into_iter().map(finding).collect();
        let again = looked(&office, "2099-11-02", &[2099], known.clone());
        assert_eq!((again.noticed.len(), again.settled.len()), (0, 0));
        let told = looked(&office, "2099-11-02", &[2099, 2100], known.clone());
        assert_eq!((told.noticed.len(), told.settled.len()), (0, 1));
        let retired = office.retire().unwrap().record;
        assert_eq!(looked(&retired, "2099-11-02", &[2099], known).settled.len(), 1);
    }
}
