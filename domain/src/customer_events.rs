//! What customers did where only the brand sees it: a check-out, a test ride, a move.

use crate::{
    change::Change,
    event::Event,
    ids::{CustomerEventId, CustomerId, DealerId},
    invalid::Invalid,
    record::Record,
    refusal::{Kind, Refusal, Rule},
    sops::{OWN_EVENTS, SopValue},
    text::{Bilingual, Code, ExternalId, Source},
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeMap;
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Ref},
};

/// The most facts of one event: what conditions ask for, and not a record of its own.
const MOST_FACTS: usize = 20;

/// What a customer did longer ago is their history, which nothing begins by.
const OLDEST_DAYS: i64 = 365;

/// Clocks and time zones of other systems are wrong by up to so much.
const AHEAD_HOURS: i64 = 24;

/// Every rule about what customers did that can say no.
pub static RULES: &[&Rule] = &[&EVENT_KIND_RESERVED, &EVENT_TIME_OUT_OF_RANGE];

/// The brand tells what happened long ago, or has not happened.
static EVENT_TIME_OUT_OF_RANGE: Rule = Rule {
    code: "event_time_out_of_range",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too long ago, or not yet", zh: "事件时间过早或尚未发生" },
    detail: Bilingual {
        en: "It is said to have happened at {happened_at}; that must lie between {earliest_at} and {latest_at}.",
        zh: "事件发生时间为 {happened_at}，应在 {earliest_at} 与 {latest_at} 之间。",
    },
    advice: Bilingual {
        en: "Tell what happened when it has happened; leave out what is older than a year.",
        zh: "请在事件发生后上报，一年以前的事件无需上报。",
    },
};

/// The brand tells what the service sees by itself.
static EVENT_KIND_RESERVED: Rule = Rule {
    code: "event_kind_reserved",
    kind: Kind::Unfit,
    title: Bilingual { en: "The service sees this itself", zh: "该事件由系统自行产生" },
    detail: Bilingual {
        en: "Events of the kind {kind} happen in the service itself and are not told by the brand.",
        zh: "{kind} 类事件由系统自身产生，不由品牌上报。",
    },
    advice: Bilingual {
        en: "Choose another name; those in `reserved` are taken.",
        zh: "请改用其他名称；`reserved` 中的名称已被占用。",
    },
};

/// What a brand tells about something a customer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "kind": "check_out", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "happened_at": "2026-11-22T03:00:00Z", "facts": { "nights": 3, "room": "suite" },
    "source": "pms", "external_id": "stay-88213",
})))]
pub struct CustomerEventDetails {
    /// What happened, in the brand's words: `check_out`, `test_ride`.
    pub kind: Code,
    /// Whose customer it happened to.
    pub customer_id: CustomerId,
    /// When it happened, not more than a year ago and at most a day ahead; what a procedure counts from its `anchor` is
    /// counted from here.
    pub happened_at: Timestamp,
    /// What conditions may ask for, by name: at most 20 numbers, short texts, and yes or no.
    #[serde(default, deserialize_with = "few_facts")]
    #[schema(schema_with = facts_by_name)]
    pub facts: BTreeMap<Code, SopValue>,
    /// The system that `external_id` is from; `api` when left out.
    #[serde(default)]
    pub source: Source,
    /// What that system calls the event, unique in it: the same told again changes nothing.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
}

/// Facts by name, as a schema.
pub(crate) fn facts_by_name() -> Object {
    ObjectBuilder::new()
        .description(Some(
            "What conditions may ask for, by name: numbers, short texts, and yes or no.",
        ))
        .additional_properties(Some(Ref::from_schema_name(SopValue::name())))
        .build()
}

fn few_facts<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<Code, SopValue>, D::Error> {
    let facts = BTreeMap::<Code, SopValue>::deserialize(input)?;
    if facts.len() <= MOST_FACTS {
        return Ok(facts);
    }
    let message = format!("expected at most {MOST_FACTS} facts, not {}", facts.len());
    let chinese = format!("最多 {MOST_FACTS} 项，而不是 {} 项", facts.len());
    Err(D::Error::custom(Invalid::new("too_many_facts", message).in_chinese(chinese)))
}

/// Something a customer did, as the brand told it. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "evn_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "check_out",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "happened_at": "2026-11-22T03:00:00Z", "facts": { "nights": 3, "room": "suite" },
    "source": "pms", "external_id": "stay-88213", "created_at": "2026-11-22T03:00:05Z",
})))]
pub struct CustomerEvent {
    /// Its identifier.
    pub id: CustomerEventId,
    /// What the brand told.
    #[serde(flatten)]
    pub details: CustomerEventDetails,
    /// The dealer who looked after the customer then.
    pub dealer_id: Option<DealerId>,
    /// When it was told.
    pub created_at: Timestamp,
}

impl Record for CustomerEvent {
    type Id = CustomerEventId;

    fn id(&self) -> CustomerEventId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.details.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl CustomerEvent {
    /// Takes down what the brand tells about a customer of `dealer_id`.
    ///
    /// # Errors
    ///
    /// `event_kind_reserved` when the service sees events of this kind itself; `event_time_out_of_range` when it
    /// happened more than a year ago, or more than a day ahead.
    pub fn tell(
        id: CustomerEventId,
        details: CustomerEventDetails,
        dealer_id: Option<DealerId>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if OWN_EVENTS.contains(&&*details.kind) {
            let refusal = Refusal::new(&EVENT_KIND_RESERVED).with("kind", &details.kind);
            return Err(refusal.with("reserved", OWN_EVENTS).at("/kind"));
        }
        let earliest_at = now.plus_days(0_i64.saturating_sub(OLDEST_DAYS));
        let latest_at = now.plus_hours(AHEAD_HOURS);
        if !(earliest_at..=latest_at).contains(&details.happened_at) {
            let refusal = Refusal::new(&EVENT_TIME_OUT_OF_RANGE);
            let refusal = refusal.with("happened_at", details.happened_at);
            let refusal = refusal.with("earliest_at", earliest_at).with("latest_at", latest_at);
            return Err(refusal.at("/happened_at"));
        }
        let kind = details.kind.clone();
        let event = Self { id, details, dealer_id, created_at: now };
        let change = Change { action: "tell", ..Change::created(event) };
        Ok(change.with("kind", kind).emits(Event::CustomerEventTold { customer_event: id }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn told(more: &Value) -> serde_json::Result<CustomerEventDetails> {
        let mut details = json!({
            "kind": "check_out", "customer_id": CustomerId::from(Uuid::from_u128(1)),
            "happened_at": "2026-11-22T03:00:00Z",
        });
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(details)
    }

    #[test]
    fn a_brand_does_not_tell_what_the_service_sees() {
        let now = "2026-11-22T03:00:05Z".parse().unwrap();
        let tell = |kind: &str| {
            let details = told(&json!({ "kind": kind })).unwrap();
            CustomerEvent::tell(Uuid::from_u128(2).into(), details, None, now)
        };
        assert!(tell("check_out").is_ok());
        for kind in OWN_EVENTS {
            assert_eq!(tell(kind).unwrap_err().rule, &EVENT_KIND_RESERVED, "{kind}");
        }
    }

    #[test]
    fn an_event_happened_within_a_year_and_at_most_a_day_ahead() {
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let tell = |happened_at: &str| {
            let details = told(&json!({ "happened_at": happened_at })).unwrap();
            CustomerEvent::tell(Uuid::from_u128(2).into(), details, None, now).map(|_| ())
        };
        assert_eq!(tell("2025-11-22T03:00:00Z"), Ok(()));
        assert_eq!(tell("2026-11-23T03:00:00Z"), Ok(()));
        for beyond in ["2025-11-22T02:59:59Z", "2026-11-23T03:00:01Z"] {
            assert_eq!(tell(beyond).unwrap_err().rule, &EVENT_TIME_OUT_OF_RANGE, "{beyond}");
        }
    }

    #[test]
    fn an_event_has_at_most_20_facts() {
        let facts = |count: usize| {
            let facts: BTreeMap<_, _> = (0..count).map(|one| (format!("f{one}"), one)).collect();
            told(&json!({ "facts": facts }))
        };
        assert_eq!(facts(20).unwrap().facts.len(), 20);
        let message = facts(21).unwrap_err().to_string();
        assert!(message.contains("too_many_facts"), "{message}");
        assert!(told(&json!({ "facts": { "nights": [3] } })).is_err());
    }
}
