//! Findings about plans: what the version in force lacks, noticed once in a period and settled by a version that has it.

use super::warnings::{PlanReview, PlanWarningCode};
use crate::{
    change::Change,
    findings::{
        Finding, FindingDetails, FindingEvidence, FindingKind, FindingPeriod, FindingState,
    },
    ids::AnyId,
    maintenance::plans::PlanTemplate,
    money::BasisPoints,
    time::{CivilDate, Timestamp},
};

/// What follows for the findings about a plan from a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFindings {
    /// What is noticed.
    pub noticed: Vec<FindingDetails>,
    /// What is settled, because the version in force has it no more.
    pub settled: Vec<Change<Finding>>,
}

/// What is noticed about plans, with the warning that shows it. The other warnings are hints to who writes a plan.
const LACKS: [(FindingKind, PlanWarningCode); 2] = [
    (FindingKind::ContactlessPlan, PlanWarningCode::ContactlessPlan),
    (FindingKind::PersonalisedShare, PlanWarningCode::TooPersonalised),
];

impl PlanFindings {
    /// The kinds of findings that are about plans.
    pub fn kinds() -> [FindingKind; 2] {
        LACKS.map(|(kind, _)| kind)
    }

    /// Compares the version of a plan that is in force, with what there is to say about it, with the findings that
    /// are `known` about any version of the plan: those that are not settled, and those of the month of `on`.
    ///
    /// Each kind is noticed once for a plan and a month, whichever version it was about. When no version is in force,
    /// everything is settled.
    pub fn of(
        in_force: Option<(&PlanTemplate, &PlanReview)>,
        known: Vec<Finding>,
        on: CivilDate,
        now: Timestamp,
    ) -> Self {
        let period = FindingPeriod::month_of(on);
        let lacks: Vec<FindingDetails> = in_force
            .into_iter()
            .flat_map(|(plan, review)| LACKS.map(|lack| noticed(lack, plan, review, &period)))
            .flatten()
            .collect();
        let is_known = |lack: &FindingDetails| {
            known.iter().any(|Finding { details, state, .. }| {
                // What another version had no more is news when this one has it again.
                let is_news = *state == FindingState::Resolved && details.subject != lack.subject;
                (details.kind, &details.period) == (lack.kind, &lack.period) && !is_news
            })
        };
        let noticed = lacks.iter().filter(|lack| !is_known(lack)).cloned().collect();
        let is_over =
            |finding: &Finding| lacks.iter().all(|lack| lack.kind != finding.details.kind);
        // What is settled already cannot be resolved once more, and stays as it is.
        let settled =
            known.into_iter().filter(is_over).filter_map(|finding| finding.resolve(now).ok());
        Self { noticed, settled: settled.collect() }
    }
}

/// What is noticed about a plan that has the warning.
fn noticed(
    (kind, code): (FindingKind, PlanWarningCode),
    plan: &PlanTemplate,
    review: &PlanReview,
    period: &FindingPeriod,
) -> Option<FindingDetails> {
    let warning = review.warnings.iter().find(|warning| warning.code == code)?;
    let numbers = [
        ("tasks", Some(review.tasks)),
        ("tasks_with_item", Some(review.tasks_with_item)),
        ("personalised_bp", warning.personalised_bp.map(BasisPoints::get)),
        ("most_bp", warning.most_bp.map(BasisPoints::get)),
    ];
    let known = numbers.into_iter().filter_map(|(name, number)| Some((name, number?)));
    let evidence: FindingEvidence =
        known.map(|(name, number)| (name.to_owned(), number.into())).collect();
    let (subject, period) = (AnyId::of(plan.id), period.clone());
    Some(FindingDetails { kind, subject, dealer_id: None, topic: None, period, evidence })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            items::samples::item,
            warnings::samples::{plan, reviewed},
        },
        *,
    };
    use crate::maintenance::plans::PlanTemplateDetails;
    use serde_json::json;
    use uuid::Uuid;

    const NOW: &str = "2026-11-22T09:30:00Z";

    /// Version `number` of a plan, each of whose tasks is a letter for everybody, or a letter for one customer.
    fn version(number: u32, codes: &[&str]) -> (PlanTemplate, PlanReview) {
        let codes: Vec<_> = codes.iter().map(|code| json!(code)).collect();
        let details: PlanTemplateDetails = plan(&codes);
        let silent = json!({ "code": "mail", "contact_mode": "none" });
        let own = json!({ "code": "own", "mode": "personalised" });
        let review = reviewed(&details, &[item(&silent), item(&own)]);
        let id = Uuid::from_u128(number.into()).into();
        (PlanTemplate::draft(id, number, details, NOW.parse().unwrap()).unwrap().record, review)
    }

    fn looked(
        version: Option<&(PlanTemplate, PlanReview)>,
        known: &[Finding],
        on: &str,
    ) -> PlanFindings {
        let in_force = version.map(|(plan, review)| (plan, review));
        PlanFindings::of(in_force, known.to_vec(), on.parse().unwrap(), NOW.parse().unwrap())
    }

    fn written(findings: &PlanFindings) -> Vec<Finding> {
        let id = || Uuid::from_u128(9).into();
        let notice = |details: &FindingDetails| {
            Finding::notice(id(), details.clone(), NOW.parse().unwrap()).record
        };
        findings.noticed.iter().map(notice).collect()
    }

    #[test]
    fn what_a_plan_lacks_is_noticed_with_its_numbers() {
        let silent = looked(Some(&version(1, &["mail", "mail"])), &[], "2026-11-22");
        assert_eq!(silent.noticed.len(), 1);
        let lack = &silent.noticed[0];
        assert_eq!(lack.kind, FindingKind::ContactlessPlan);
        assert_eq!(lack.subject, AnyId::of(version(1, &["mail"]).0.id));
        assert_eq!(json!(lack.evidence), json!({ "tasks": 2, "tasks_with_item": 2 }));
        assert_eq!(lack.period.to_string(), "2026-11");
        let own = looked(Some(&version(1, &["own", "mail", "mail"])), &[], "2026-11-22");
        assert_eq!(own.noticed[0].kind, FindingKind::PersonalisedShare);
        let numbers = json!({
            "tasks": 3, "tasks_with_item": 3, "personalised_bp": 3_334, "most_bp": 3_000,
        });
        assert_eq!(json!(own.noticed[0].evidence), numbers);
    }

    #[test]
    fn the_same_is_noticed_once_for_a_plan_and_a_month() {
        let first = looked(Some(&version(1, &["mail"])), &[], "2026-11-22");
        let known = written(&first);
        let second = version(2, &["mail", "mail"]);
        let again = looked(Some(&second), &known, "2026-11-30");
        assert_eq!(again, PlanFindings { noticed: Vec::new(), settled: Vec::new() });
        let next = looked(Some(&second), &known, "2026-12-01");
        assert_eq!(next.noticed[0].subject, AnyId::of(second.0.id));
        assert_eq!(next.settled, []);
    }

    #[test]
    fn a_version_without_it_settles_it_and_so_does_no_version() {
        let known = written(&looked(Some(&version(1, &["mail"])), &[], "2026-11-22"));
        for in_force in [Some(version(2, &["own"])), None] {
            let looked = looked(in_force.as_ref(), &known, "2026-11-22");
            assert_eq!(looked.settled.len(), 1);
            assert_eq!(looked.settled[0].record.state, FindingState::Resolved);
            let settled = vec![looked.settled[0].record.clone()];
            let again = self::looked(in_force.as_ref(), &settled, "2026-11-22");
            assert_eq!(again.settled, []);
        }
    }

    #[test]
    fn what_is_back_in_a_later_version_of_the_month_is_noticed_again() {
        let known = written(&looked(Some(&version(1, &["mail"])), &[], "2026-11-22"));
        let settled = looked(Some(&version(2, &["own"])), &known, "2026-11-23").settled;
        let settled = [settled[0].record.clone()];
        let third = version(3, &["mail"]);
        let again = looked(Some(&third), &settled, "2026-11-24");
        assert_eq!(again.noticed[0].subject, AnyId::of(third.0.id));
        let same = looked(Some(&version(1, &["mail"])), &settled, "2026-11-24");
        assert_eq!(same.noticed, [], "the same version is told of once");
    }
}
