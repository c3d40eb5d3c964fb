//! Findings: what the service noticed by itself, and somebody should look at.
//!
//! A finding says what was noticed, about which record, in which period, and the numbers behind it. What goes on in
//! the next period is a finding of its own, so that nothing that was settled is quietly open again.

use crate::{
    change::Change,
    ids::{AnyId, DealerId, FindingId},
    invalid::Invalid,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::Line,
    time::{CivilDate, Timestamp},
};
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, ObjectBuilder, RefOr, Schema, Type},
};

/// What was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Obligations of a procedure are missed so often that people should be shown again how it is done.
    TrainingNeeded,
    /// A plan has no service in which anybody meets the customer.
    ContactlessPlan,
    /// Too large a part of a plan is made for one customer alone.
    PersonalisedShare,
    /// A service has become an obligation: so many peers offer it by now.
    ClassDrift,
    /// A moment of the customer's has no procedure.
    SopGap,
    /// The statutory holidays of a year that a calendar counts by are not known, and nobody entered them.
    HolidaysUnknown,
    /// What was due about a complaint or a cancellation was not done in time.
    DeadlineMissed,
    /// Goods that should have come back by now have not, and somebody waits for what is owed to them.
    ReturnOverdue,
    /// It can be looked by now whether a corrective action has worked.
    VerificationDue,
    /// A complaint that is public is passed on by many.
    ComplaintSpreading,
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has looked at it yet.
    Open,
    /// Somebody looks into it.
    Acknowledged,
    /// Something was done about it.
    Resolved,
    /// Nothing needs to be done about it; the reason says why.
    Dismissed,
}

impl FindingState {
    /// What can be done from here.
    fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["acknowledge", "resolve", "dismiss"],
            Self::Acknowledged => &["resolve", "dismiss"],
            Self::Resolved | Self::Dismissed => &[],
        }
    }
}

/// The stretch of time in which something was noticed: `2026`, `2026-11`, `2026-W48` or `2026-11-22`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FindingPeriod(String);

impl FindingPeriod {
    /// The day itself.
    pub fn day_of(date: CivilDate) -> Self {
        Self(date.to_string())
    }

    /// The week of the date (ISO 8601: it begins on Monday, and belongs to the year of its Thursday).
    pub fn week_of(date: CivilDate) -> Self {
        Self(NaiveDate::from(date).format("%G-W%V").to_string())
    }

    /// The year.
    pub fn year(year: i32) -> Self {
        Self(format!("{year:04}"))
    }

    /// The month of the date.
    pub fn month_of(date: CivilDate) -> Self {
        Self(NaiveDate::from(date).format("%Y-%m").to_string())
    }
}

impl fmt::Display for FindingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FindingPeriod {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // A year, a month and a week become a day of theirs, so that the calendar itself says whether they exist.
        let (day, format) = match text.len() {
            4 => (format!("{text}-01-01"), "%Y-%m-%d"),
            7 => (format!("{text}-01"), "%Y-%m-%d"),
            8 => (format!("{text}-1"), "%G-W%V-%u"),
            _ => (text.to_owned(), "%Y-%m-%d"),
        };
        let is_period =
            matches!(text.len(), 4 | 7 | 8 | 10) && NaiveDate::parse_from_str(&day, format).is_ok();
        if is_period {
            return Ok(Self(text.to_owned()));
        }
        let message = "expected a period such as 2026-11, 2026-W48 or 2026-11-22";
        let chinese = "应为期间，例如 2026-11、2026-W48 或 2026-11-22";
        Err(Invalid::new("invalid_period", message).in_chinese(chinese))
    }
}

impl<'de> Deserialize<'de> for FindingPeriod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for FindingPeriod {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?|-W[0-9]{2})?$"))
            .description(Some("A year, a month, a week (ISO 8601) or a day."))
            .examples(["2026-11"])
            .into()
    }
}

impl ToSchema for FindingPeriod {
    fn name() -> Cow<'static, str> {
        "FindingPeriod".into()
    }
}

/// The numbers behind a finding, by name: counts, minor units, basis points. Numbers only, so that nobody's name gets
/// in.
pub type FindingEvidence = BTreeMap<String, i64>;

fn numbers_by_name() -> Object {
    ObjectBuilder::new()
        .description(Some(
            "The numbers behind it, by name: counts, minor units (`_minor`), basis points (`_bp`).",
        ))
        .additional_properties(Some(ObjectBuilder::new().schema_type(Type::Integer)))
        .build()
}

/// What was noticed, before it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingDetails {
    /// What was noticed.
    pub kind: FindingKind,
    /// The record it was noticed about, by its identifier of whatever kind.
    pub subject: AnyId,
    /// The dealer whose people see it; null when it is a matter of the brand alone.
    pub dealer_id: Option<DealerId>,
    /// What of the record it is about, where that is not the whole of it: for a `sop_gap` the department and the moment,
    /// as in `after_sales/repair`.
    pub topic: Option<Line>,
    /// When it was noticed. The same about the same record of the same dealer is noticed once in a period.
    pub period: FindingPeriod,
    /// The numbers behind it, by name: counts, minor units (`_minor`), basis points (`_bp`).
    #[schema(schema_with = numbers_by_name)]
    pub evidence: FindingEvidence,
}

/// Something the service noticed that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "fnd_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "training_needed",
    "subject": "sov_01m80t7jx3e9vbq2f4c6d8g0hk", "topic": null, "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "period": "2026-11", "evidence": { "runs": 12, "runs_with_missed_obligations": 4, "share_bp": 3_333 },
    "state": "open", "reason": null, "settled_at": null,
    "version": 1, "created_at": "2026-11-22T16:00:00Z",
})))]
pub struct Finding {
    /// Its identifier.
    pub id: FindingId,
    /// What was noticed, about what, and when.
    #[serde(flatten)]
    pub details: FindingDetails,
    /// Where it stands.
    pub state: FindingState,
    /// Why nothing needs to be done about it, when it was dismissed.
    pub reason: Option<Line>,
    /// When it was resolved or dismissed.
    pub settled_at: Option<Timestamp>,
    /// How often the record was changed.
    pub version: Version,
    /// When it was noticed.
    pub created_at: Timestamp,
}

impl Record for Finding {
    type Id = FindingId;

    fn id(&self) -> FindingId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

impl Finding {
    /// Something that was noticed just now.
    pub fn notice(id: FindingId, details: FindingDetails, now: Timestamp) -> Change<Self> {
        let (kind, subject) = (details.kind, details.subject.clone());
        let finding = Self {
            id,
            details,
            state: FindingState::Open,
            reason: None,
            settled_at: None,
            version: Version::FIRST,
            created_at: now,
        };
        Change { action: "notice", ..Change::created(finding) }
            .with("kind", kind)
            .with("subject", subject)
    }

    /// Says that somebody looks into it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not open.
    pub fn acknowledge(self) -> Result<Change<Self>, Refusal> {
        self.go("acknowledge", FindingState::Acknowledged)
    }

    /// Says that something was done about it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is settled already.
    pub fn resolve(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        Self { settled_at: Some(now), ..self }.go("resolve", FindingState::Resolved)
    }

    /// Says that nothing needs to be done about it, and why.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is settled already.
    pub fn dismiss(self, reason: Line, now: Timestamp) -> Result<Change<Self>, Refusal> {
        let dismissed = Self { reason: Some(reason), settled_at: Some(now), ..self };
        dismissed.go("dismiss", FindingState::Dismissed)
    }

    fn go(self, verb: &'static str, to: FindingState) -> Result<Change<Self>, Refusal> {
        let from = self.state;
        if !from.ways_on().contains(&verb) {
            return Err(illegal(from, from.ways_on()));
        }
        Ok(Change::new(verb, Self { state: to, ..self }).moved(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::SopVersionId, refusal::ILLEGAL_TRANSITION};
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn on(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn because() -> Line {
        Line::new("The new starters were shown again.").unwrap()
    }

    fn finding() -> Finding {
        let details = FindingDetails {
            kind: FindingKind::TrainingNeeded,
            subject: AnyId::of(SopVersionId::from(Uuid::from_u128(1))),
            dealer_id: None,
            topic: None,
            period: FindingPeriod::month_of(on("2026-11-22")),
            evidence: FindingEvidence::from([("runs".to_owned(), 5)]),
        };
        Finding::notice(Uuid::from_u128(2).into(), details, now()).record
    }

    #[test]
    fn a_period_is_a_year_a_month_a_week_or_a_day() {
        for text in ["2026", "2026-11", "2026-W48", "2026-11-22", "2026-W53"] {
            assert_eq!(text.parse::<FindingPeriod>().unwrap().to_string(), text);
        }
        for text in
            ["", "26", "2026-13", "2026-W54", "2025-W53", "2026-02-29", "2026-11-22T", "二零二六"]
        {
            assert_eq!(text.parse::<FindingPeriod>().unwrap_err().code, "invalid_period", "{text}");
        }
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        assert_eq!(FindingPeriod::week_of(on("2027-01-01")).to_string(), "2026-W53");
        assert_eq!(FindingPeriod::week_of(on("2027-01-04")).to_string(), "2027-W01");
        assert_eq!(FindingPeriod::month_of(on("2027-01-01")).to_string(), "2027-01");
        assert_eq!(FindingPeriod::day_of(on("2027-01-01")).to_string(), "2027-01-01");
    }

    #[test]
    fn a_finding_is_looked_at_and_settled_once() {
        let open = finding();
        assert_eq!(open.state, FindingState::Open);
        let acknowledged = open.clone().acknowledge().unwrap().record;
        assert_eq!(acknowledged.state, FindingState::Acknowledged);
        let refused = acknowledged.clone().acknowledge().unwrap_err();
        assert_eq!(refused.rule, &ILLEGAL_TRANSITION);
        let resolved = acknowledged.clone().resolve(now()).unwrap().record;
        assert_eq!((resolved.state, resolved.settled_at), (FindingState::Resolved, Some(now())));
        let dismissed = acknowledged.dismiss(because(), now()).unwrap().record;
        assert_eq!(
            (dismissed.state, &dismissed.reason),
            (FindingState::Dismissed, &Some(because()))
        );
        for settled in [resolved, dismissed] {
            let refusals = [
                settled.clone().acknowledge().unwrap_err(),
                settled.clone().resolve(now()).unwrap_err(),
                settled.dismiss(because(), now()).unwrap_err(),
            ];
            assert!(refusals.iter().all(|refusal| refusal.rule == &ILLEGAL_TRANSITION));
        }
        assert!(open.clone().resolve(now()).is_ok());
        assert!(open.dismiss(because(), now()).is_ok());
    }
}
