//! Benchmarks: what peers offer, and how yesterday's service becomes today's obligation.

use super::items::{ServiceClass, ServiceItem};
use crate::{
    change::Change,
    event::Event,
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    ids::{AnyId, ItemClassChangeId, ServiceBenchmarkId, ServiceItemId},
    money::BasisPoints,
    pushes::check_day,
    record::Record,
    refusal::Refusal,
    tenancy::ObligationShare,
    text::{Line, Name},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many peers were seen to offer the same. It never changes; the newest one of its territory counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "bmk_01m80t7jx3e9vbq2f4c6d8g0hk", "service_item_id": "svc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "peers_offering_bp": 5500, "observed_on": "2026-11-20", "source": "20 shops in Hangzhou",
    "territory": "杭州", "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct ServiceBenchmark {
    /// Its identifier.
    pub id: ServiceBenchmarkId,
    /// The service item.
    pub service_item_id: ServiceItemId,
    /// What was seen.
    #[serde(flatten)]
    pub details: ServiceBenchmarkDetails,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// What was seen of the peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "peers_offering_bp": 5500, "observed_on": "2026-11-20", "source": "20 shops in Hangzhou", "territory": "杭州",
})))]
pub struct ServiceBenchmarkDetails {
    /// The share of peers that offer it.
    pub peers_offering_bp: BasisPoints,
    /// The day it was seen, which must have begun.
    pub observed_on: CivilDate,
    /// Who looked, and where.
    pub source: Line,
    /// Where it was seen, in the brand's own words; null for everywhere. What is seen in one place is compared with what
    /// was seen there, and with nothing else.
    #[serde(default)]
    pub territory: Option<Name>,
}

/// One change of a service item's class. It is written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "icc_01m80t7jx3e9vbq2f4c6d8g0hk", "service_item_id": "svc_01m80t7jx3e9vbq2f4c6d8g0hk",
    "from_class": "service", "to_class": "obligation", "reason": null,
    "benchmark_id": "bmk_01m80t7jx3e9vbq2f4c6d8g0hk", "changed_at": "2026-11-22T09:30:00Z",
})))]
pub struct ItemClassChange {
    /// Its identifier.
    pub id: ItemClassChangeId,
    /// The service item.
    pub service_item_id: ServiceItemId,
    /// The class it had.
    pub from_class: ServiceClass,
    /// The class it has since.
    pub to_class: ServiceClass,
    /// Why, in the words of who changed it; null when a benchmark did.
    pub reason: Option<Line>,
    /// The benchmark that changed it; null when somebody did by hand.
    pub benchmark_id: Option<ServiceBenchmarkId>,
    /// When.
    pub changed_at: Timestamp,
}

/// A service item in its new class, and the line that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassChange {
    /// The item.
    pub item: Change<ServiceItem>,
    /// The line.
    pub line: ItemClassChange,
}

/// A benchmark, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The benchmark.
    pub benchmark: Change<ServiceBenchmark>,
    /// The change of class, when the peers have caught up.
    pub drift: Option<ClassChange>,
}

impl ServiceBenchmark {
    /// Records what was seen of the peers of `item`.
    ///
    /// When no benchmark of its territory was observed later than this one, and so many peers offer the same as the
    /// brand's `threshold` says, a service becomes an obligation. An obligation stays one: only a person makes it a
    /// service again. `newest_on` is the day of the newest benchmark of the territory so far.
    ///
    /// # Errors
    ///
    /// `day_not_begun` for a day that lies ahead.
    pub fn observe(
        self,
        item: ServiceItem,
        newest_on: Option<CivilDate>,
        threshold: ObligationShare,
        line_id: ItemClassChangeId,
    ) -> Result<Observation, Refusal> {
        let (now, seen) = (self.created_at, &self.details);
        check_day(seen.observed_on, now).map_err(|refusal| refusal.at("/observed_on"))?;
        let is_newest = newest_on.is_none_or(|newest_on| newest_on <= seen.observed_on);
        let caught_up = seen.peers_offering_bp.get() >= threshold.get();
        let is_service = match item.details.class {
            ServiceClass::Service => true,
            ServiceClass::Obligation => false,
        };
        let drift = (is_newest && caught_up && is_service).then(|| {
            let line = ItemClassChange {
                id: line_id,
                service_item_id: item.id,
                from_class: ServiceClass::Service,
                to_class: ServiceClass::Obligation,
                reason: None,
                benchmark_id: Some(self.id),
                changed_at: now,
            };
            let ClassChange { item, line } = item.moved_to(line, "drift");
            ClassChange { item: item.emits(Event::ServiceItemDrifted { benchmark: self.id }), line }
        });
        Ok(Observation { benchmark: Change::created(self), drift })
    }

    /// What is noticed on a day when this has made an obligation of a service: in the month once, with the share of
    /// peers and the brand's `threshold`.
    pub fn drift_finding(&self, threshold: ObligationShare, on: CivilDate) -> FindingDetails {
        let numbers = [
            ("peers_offering_bp", self.details.peers_offering_bp.get()),
            ("obligation_from_bp", threshold.get()),
        ];
        let named = numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into()));
        FindingDetails {
            kind: FindingKind::ClassDrift,
            subject: AnyId::of(self.service_item_id),
            dealer_id: None,
            topic: None,
            period: FindingPeriod::month_of(on),
            evidence: named.collect::<FindingEvidence>(),
        }
    }
}

impl Record for ServiceBenchmark {
    type Id = ServiceBenchmarkId;

    fn id(&self) -> ServiceBenchmarkId {
        self.id
    }
}

impl Record for ItemClassChange {
    type Id = ItemClassChangeId;

    fn id(&self) -> ItemClassChangeId {
        self.id
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::{super::items::samples::item, *};
    use serde_json::json;
    use uuid::Uuid;

    fn on(date: &str) -> CivilDate {
        date.parse().unwrap()
    }

    fn seen(
        class: &str,
        peers_bp: u32,
        observed_on: &str,
        newest_on: Option<&str>,
    ) -> Result<Observation, Refusal> {
        let item = item(&json!({ "class": class }));
        let details = ServiceBenchmarkDetails {
            peers_offering_bp: BasisPoints::new(peers_bp).unwrap(),
            observed_on: on(observed_on),
            source: "20 shops".parse().unwrap(),
            territory: None,
        };
        let benchmark = ServiceBenchmark {
            id: Uuid::from_u128(2).into(),
            service_item_id: item.id,
            details,
            created_at: "2026-11-22T09:30:00Z".parse().unwrap(),
        };
        let threshold = ObligationShare::new(5_000).unwrap();
        benchmark.observe(item, newest_on.map(on), threshold, Uuid::from_u128(3).into())
    }

    #[test]
    fn a_service_becomes_an_obligation_when_the_peers_have_caught_up_and_not_one_point_before() {
        assert_eq!(seen("service", 4_999, "2026-11-20", None).unwrap().drift, None);
        let seen = seen("service", 5_000, "2026-11-20", None).unwrap();
        let (benchmark, drift) = (seen.benchmark.record, seen.drift.unwrap());
        let event = Event::ServiceItemDrifted { benchmark: benchmark.id };
        assert_eq!(drift.item.events, [(event, None)]);
        let finding = benchmark.drift_finding(ObligationShare::default(), on("2026-11-22"));
        let numbers = json!({ "peers_offering_bp": 5_000, "obligation_from_bp": 5_000 });
        assert_eq!(json!(finding.evidence), numbers);
        assert_eq!(drift.item.record.details.class, ServiceClass::Obligation);
        assert_eq!(drift.item.action, "drift");
        assert_eq!(drift.item.facts["benchmark_id"], json!(drift.line.benchmark_id));
        assert_eq!((drift.line.reason, drift.line.to_class), (None, ServiceClass::Obligation));
    }

    #[test]
    fn only_the_newest_benchmark_counts() {
        let older = seen("service", 9_000, "2026-11-19", Some("2026-11-20")).unwrap();
        assert_eq!(older.drift, None);
        let same_day = seen("service", 9_000, "2026-11-20", Some("2026-11-20")).unwrap();
        assert!(same_day.drift.is_some());
    }

    #[test]
    fn an_obligation_stays_one() {
        assert_eq!(seen("obligation", 10_000, "2026-11-20", None).unwrap().drift, None);
        assert_eq!(seen("obligation", 0, "2026-11-20", None).unwrap().drift, None);
    }

    #[test]
    fn nobody_has_seen_tomorrow() {
        assert!(seen("service", 1, "2026-11-22", None).is_ok());
        let refusal = seen("service", 1, "2026-11-24", None).unwrap_err();
        assert_eq!(
            (refusal.rule.code, refusal.place),
            ("day_not_begun", Some("/observed_on".to_owned()))
        );
    }
}
