//! Publications: a complaint that others read is answered where they read it, and names nobody there.

use super::{
    Complaint, ComplaintMessage, ComplaintMessageDirection, FIRST_ANSWER_HOURS, FirstAnswer,
    PersonalWords, Redaction, Superiors,
};
use crate::{
    change::Change,
    clocks::{SlaClock, SlaHours},
    event::Event,
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    identity::Rank,
    ids::{AnyId, ComplaintId, ComplaintPublicationId, CustomerId, DealerId},
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Line, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// From this level on a complaint that others pass on is a matter of the brand.
pub const SPREADING_FROM: u32 = 2;

whole_numbers! {
    /// How far a public complaint spreads: 0 where it was raised, 1 in a few groups, 2 in many, 3 in the press.
    Virality = 0 to 3, "How far it spreads: 0 where it was raised, 1 in a few groups, 2 in many, 3 in the press.", 2;
}

/// What others will have read.
pub(super) static PUBLISHED_IN_FUTURE: Rule = Rule {
    code: "publication_in_future",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not public yet", zh: "公开时间晚于当前时间" },
    detail: Bilingual {
        en: "It is said to be public since {published_at}; now it is {now}.",
        zh: "公开时间为 {published_at}，而当前时间为 {now}。",
    },
    advice: Bilingual {
        en: "Send when it became public, or leave `published_at` out for now.",
        zh: "请填写实际公开时间；不填 `published_at` 表示此刻公开。",
    },
};

/// A complaint spreads further, or stays.
pub(super) static VIRALITY_NOT_RAISED: Rule = Rule {
    code: "virality_not_raised",
    kind: Kind::Conflict,
    title: Bilingual { en: "It does not spread further", zh: "传播等级未提高" },
    detail: Bilingual {
        en: "It spreads at level {virality}; {wanted} is not more.",
        zh: "当前传播等级为 {virality}，{wanted} 并未提高。",
    },
    advice: Bilingual {
        en: "Name a higher level; levels never fall.",
        zh: "请填写更高的等级；等级不会下降。",
    },
};

/// Whether others can read about a complaint on its dealer's board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicationState {
    /// They can.
    Published,
    /// They cannot any more.
    Withdrawn,
}

/// Where and how a complaint is public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"public_ref": "https://example.com/posts/1", "title": "净水器漏水一周无人处理",
    "text": null, "published_at": "2026-11-22T09:00:00Z", "virality": 0})))]
pub struct ComplaintPublicationDetails {
    /// Where others read it: an address, or the name of a group.
    #[serde(default)]
    pub public_ref: Option<Line>,
    /// What it is about, in a line.
    pub title: Line,
    /// What was raised; the description of the complaint when left out.
    #[serde(default)]
    pub text: Option<Prose>,
    /// When it became public: now, when left out.
    #[serde(default)]
    pub published_at: Option<Timestamp>,
    /// How far it spreads; 0 when left out.
    #[serde(default)]
    pub virality: Option<Virality>,
}

/// Other words for what others read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"title": "净水器漏水", "text": "滤芯外壳漏水。"})))]
pub struct ComplaintRedacting {
    /// What it is about, in a line.
    pub title: Line,
    /// What was raised.
    pub text: Prose,
}

/// How far a complaint spreads by now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"virality": 2})))]
pub struct ViralityRaising {
    /// The level, higher than before.
    pub virality: Virality,
}

/// A complaint as others read it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cpb_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "state": "published", "public_ref": "https://example.com/posts/1", "title": "净水器漏水", "text": "请致电 13800138000。",
    "public_title": "净水器漏水", "public_text": "请致电 ***。", "redactions": [{"kind": "phone", "count": 1}],
    "virality": 0, "published_at": "2026-11-22T09:00:00Z", "first_answer_due_at": "2026-11-22T10:00:00Z",
    "first_answer_at": null, "first_answer": "due", "withdrawn_at": null,
    "created_at": "2026-11-22T09:00:00Z", "version": 1})))]
pub struct ComplaintPublication {
    /// Its identifier.
    pub id: ComplaintPublicationId,
    /// The complaint; it is published once.
    pub complaint_id: ComplaintId,
    /// Who complained. Others do not learn it.
    pub customer_id: CustomerId,
    /// The dealer on whose board it stands.
    pub dealer_id: Option<DealerId>,
    /// Whether others can read it.
    pub state: PublicationState,
    /// Where it was raised.
    pub public_ref: Option<Line>,
    /// What it is about, as it was written. Others read `public_title`.
    pub title: Line,
    /// What was raised, as it was written. Others read `public_text`.
    pub text: Prose,
    /// What it is about, as others read it.
    pub public_title: String,
    /// What was raised, as others read it.
    pub public_text: String,
    /// What was masked in both, each kind once.
    pub redactions: Vec<Redaction>,
    /// How far it spreads.
    pub virality: Virality,
    /// When it became public.
    pub published_at: Timestamp,
    /// By when the first answer must stand where others read it.
    pub first_answer_due_at: Timestamp,
    /// When the first public message to the customer was sent.
    pub first_answer_at: Option<Timestamp>,
    /// Whether that was in time.
    pub first_answer: FirstAnswer,
    /// When it was taken away from others' eyes.
    pub withdrawn_at: Option<Timestamp>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often the record was changed.
    pub version: Version,
}

impl Record for ComplaintPublication {
    type Id = ComplaintPublicationId;

    fn id(&self) -> ComplaintPublicationId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Complaint {
    /// Lets others read about it, with what names a person masked. `promise` is the clock of the first answer with its
    /// hours: where there is one, the first public answer is due as soon after `published_at`, and else within 24 hours.
    ///
    /// # Errors
    ///
    /// `complaint_talk_over` when it is at an end; `publication_in_future`.
    pub fn publish(
        &self,
        id: ComplaintPublicationId,
        details: ComplaintPublicationDetails,
        personal: &PersonalWords,
        (promise, now): (Option<(SlaClock, SlaHours)>, Timestamp),
    ) -> Result<Change<ComplaintPublication>, Refusal> {
        self.require_talk()?;
        let published_at = details.published_at.unwrap_or(now);
        if published_at > now {
            return Err(Refusal::new(&PUBLISHED_IN_FUTURE)
                .with("published_at", published_at)
                .with("now", now)
                .at("/published_at"));
        }
        let promised = promise.and_then(|(clock, hours)| clock.due_from(&hours, published_at));
        let due_at = promised.unwrap_or_else(|| published_at.plus_hours(FIRST_ANSWER_HOURS));
        let text = details.text.unwrap_or_else(|| self.details.description.clone());
        let virality = details.virality.unwrap_or(Virality::LEAST);
        let mut publication = ComplaintPublication {
            id,
            complaint_id: self.id,
            customer_id: self.details.customer_id,
            dealer_id: self.details.dealer_id,
            state: PublicationState::Published,
            public_ref: details.public_ref,
            title: details.title,
            text,
            public_title: String::new(),
            public_text: String::new(),
            redactions: Vec::new(),
            virality,
            published_at,
            first_answer_due_at: due_at,
            first_answer_at: None,
            first_answer: FirstAnswer::Due,
            withdrawn_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        publication.mask(personal);
        Ok(Change { action: "publish", ..Change::created(publication) }
            .with("complaint_id", self.id)
            .with("virality", virality)
            .with("first_answer_due_at", due_at)
            .emits_at(Event::PublicAnswerDue { publication: id, complaint: self.id }, due_at))
    }

    /// Lets the brand answer for it at once, because it spreads. `None` when the brand has it already.
    pub fn spread(mut self, superiors: &Superiors, virality: Virality) -> Option<Change<Self>> {
        if virality.get() < SPREADING_FROM || self.escalated_rank == Some(Rank::BRAND) {
            return None;
        }
        let person = superiors.at(Rank::BRAND);
        self.escalated_rank = Some(Rank::BRAND);
        self.escalated_staff_id = person;
        let change = Change::new("escalate", self).with("virality", virality);
        Some(change.with("rank", Rank::BRAND).with("staff_id", person))
    }
}

impl ComplaintPublication {
    /// Whether others can read it.
    pub fn is_public(&self) -> bool {
        self.state == PublicationState::Published
    }

    /// Says it in other words, which are masked anew.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is withdrawn.
    pub fn redact(
        self,
        redacting: ComplaintRedacting,
        personal: &PersonalWords,
    ) -> Result<Change<Self>, Refusal> {
        self.require_public()?;
        Ok(Change::edit("redact", &self, |it| {
            it.title = redacting.title;
            it.text = redacting.text;
            it.mask(personal);
        }))
    }

    /// Notes that it spreads further.
    ///
    /// # Errors
    ///
    /// `virality_not_raised` when that is no higher level; `illegal_transition` when it is withdrawn.
    pub fn raise_virality(mut self, raising: ViralityRaising) -> Result<Change<Self>, Refusal> {
        self.require_public()?;
        let (from, to) = (self.virality, raising.virality);
        if to <= from {
            let refusal = Refusal::new(&VIRALITY_NOT_RAISED).with("virality", from);
            return Err(refusal.with("wanted", to).at("/virality"));
        }
        self.virality = to;
        Ok(Change::new("raise_virality", self).moved(from, to))
    }

    /// Takes it away from others' eyes.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is withdrawn already.
    pub fn withdraw(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.require_public()?;
        let from = self.state;
        self.state = PublicationState::Withdrawn;
        self.withdrawn_at = Some(now);
        Ok(Change::new("withdraw", self).moved(from, PublicationState::Withdrawn))
    }

    /// Notes the first public answer, which `message` is where it is said to the customer; from `first_answer_due_at` on
    /// it counts as missed. Nothing when there was one.
    pub fn hear(mut self, message: &ComplaintMessage) -> Option<Change<Self>> {
        let is_answer =
            message.public && message.direction == ComplaintMessageDirection::ToCustomer;
        if !is_answer || self.first_answer_at.is_some() {
            return None;
        }
        let now = message.created_at;
        let in_time = self.first_answer == FirstAnswer::Due && now < self.first_answer_due_at;
        self.first_answer = if in_time { FirstAnswer::Kept } else { FirstAnswer::Missed };
        self.first_answer_at = Some(now);
        let first_answer = self.first_answer;
        Some(Change::new("answer_in_public", self).with("first_answer", first_answer))
    }

    /// Notes that the deadline of the first public answer has passed; nothing when there was one, or it was withdrawn
    /// before.
    pub fn miss_first_answer(mut self, now: Timestamp) -> Option<Change<Self>> {
        let is_due = self.first_answer == FirstAnswer::Due && now >= self.first_answer_due_at;
        if !is_due || !self.is_public() {
            return None;
        }
        self.first_answer = FirstAnswer::Missed;
        let due_at = self.first_answer_due_at;
        Some(Change::new("miss_public_answer", self).with("first_answer_due_at", due_at))
    }

    /// What is noticed about a complaint that spreads.
    pub fn finding(&self, complaint: &Complaint, now: Timestamp) -> Option<FindingDetails> {
        (self.virality.get() >= SPREADING_FROM).then(|| FindingDetails {
            kind: FindingKind::ComplaintSpreading,
            subject: AnyId::of(complaint.id),
            dealer_id: self.dealer_id,
            topic: None,
            period: FindingPeriod::day_of(now.date_in(complaint.tz)),
            evidence: FindingEvidence::from([(
                "virality".to_owned(),
                i64::from(self.virality.get()),
            )]),
        })
    }

    fn require_public(&self) -> Result<(), Refusal> {
        if self.is_public() { Ok(()) } else { Err(illegal(self.state, &[])) }
    }

    /// Masks what names a person, or reaches one.
    fn mask(&mut self, personal: &PersonalWords) {
        let (title, text) = (personal.redact(&self.title), personal.redact(&self.text));
        self.public_title = title.text;
        self.public_text = text.text;
        self.redactions = title.redactions;
        for one in text.redactions {
            match self.redactions.iter_mut().find(|known| known.kind == one.kind) {
                Some(known) => known.count = known.count.saturating_add(one.count),
                None => self.redactions.push(one),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        complaints::{ComplaintDetails, ComplaintKind, ComplaintSource, Severity, number},
        identity::Actor,
        refusal::ILLEGAL_TRANSITION,
        text::Name,
        time::Zone,
    };
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn complaint() -> Complaint {
        let details = ComplaintDetails {
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: Some(Uuid::from_u128(4).into()),
            order_id: None,
            asset_id: None,
            work_order_id: None,
            source: ComplaintSource::Group,
            kind: ComplaintKind::Quality,
            severity: Severity::new(3).unwrap(),
            description: Prose::new("李娜：漏水，13800138000。").unwrap(),
            remedy_sought: None,
        };
        let id = Uuid::from_u128(2).into();
        Complaint::receive(id, number(123), details, Zone::UTC, now()).record
    }

    fn personal() -> PersonalWords {
        PersonalWords::of(&Name::new("李娜").unwrap(), None, &[])
    }

    fn title() -> Line {
        Line::new("李娜 13800138000").unwrap()
    }

    fn publish(published_at: Option<Timestamp>) -> Result<Change<ComplaintPublication>, Refusal> {
        let details = ComplaintPublicationDetails {
            public_ref: None,
            title: title(),
            text: None,
            published_at,
            virality: None,
        };
        complaint().publish(Uuid::from_u128(3).into(), details, &personal(), (None, now()))
    }

    fn message(
        direction: ComplaintMessageDirection,
        public: bool,
        at: Timestamp,
    ) -> ComplaintMessage {
        ComplaintMessage {
            id: Uuid::from_u128(5).into(),
            complaint_id: Uuid::from_u128(2).into(),
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            direction,
            written_by: Actor::Worker.to_string(),
            body: Prose::new("Hello").unwrap(),
            public,
            public_body: public.then(|| "Hello".to_owned()),
            redactions: Vec::new(),
            created_at: at,
        }
    }

    #[test]
    fn what_is_masked_twice_is_counted_together() {
        let published = publish(None).unwrap().record;
        assert_eq!(published.public_title, "*** ***");
        assert_eq!(published.public_text, "***：漏水，***。");
        let counts: Vec<_> = published.redactions.iter().map(|one| one.count).collect();
        assert_eq!(counts, [2, 2]);
    }

    #[test]
    fn a_complaint_becomes_public_now_or_earlier() {
        let earlier = publish(Some(now().plus_hours(-30))).unwrap();
        assert_eq!(earlier.record.first_answer_due_at, now().plus_hours(-6));
        assert_eq!(publish(Some(now())).unwrap().record.published_at, now());
        let later = publish(Some(now().plus_seconds(1))).unwrap_err();
        assert_eq!(later.rule, &PUBLISHED_IN_FUTURE);
    }

    #[test]
    fn the_first_public_answer_counts_and_it_counts_once() {
        use ComplaintMessageDirection::{FromCustomer, ToCustomer};
        let published = publish(None).unwrap().record;
        let due_at = published.first_answer_due_at;
        for message in [message(FromCustomer, true, now()), message(ToCustomer, false, now())] {
            assert_eq!(published.clone().hear(&message), None);
        }
        let early = message(ToCustomer, true, due_at.plus_seconds(-1));
        let kept = published.clone().hear(&early).unwrap().record;
        assert_eq!(kept.first_answer, FirstAnswer::Kept);
        assert_eq!(kept.clone().hear(&early), None);
        assert_eq!(kept.miss_first_answer(due_at), None);
        let late = published.clone().hear(&message(ToCustomer, true, due_at)).unwrap().record;
        assert_eq!(late.first_answer, FirstAnswer::Missed);
        assert_eq!(published.clone().miss_first_answer(due_at.plus_seconds(-1)), None);
        let missed = published.miss_first_answer(due_at).unwrap().record;
        assert_eq!(missed.first_answer, FirstAnswer::Missed);
        let mended = missed.hear(&early).unwrap().record;
        assert_eq!(mended.first_answer, FirstAnswer::Missed);
    }

    #[test]
    fn a_complaint_that_spreads_goes_to_the_brand_once() {
        let level = |level| ViralityRaising { virality: Virality::new(level).unwrap() };
        let published = publish(None).unwrap().record;
        let same = published.clone().raise_virality(level(0)).unwrap_err();
        assert_eq!(same.rule, &VIRALITY_NOT_RAISED);
        let few = published.raise_virality(level(1)).unwrap().record;
        assert_eq!(few.finding(&complaint(), now()), None);
        let superiors = Superiors {
            owner_rank: Rank::CLERK,
            people: vec![(Rank::BRAND, Uuid::from_u128(7).into())],
        };
        assert_eq!(complaint().spread(&superiors, few.virality), None);
        let many = few.raise_virality(level(2)).unwrap().record;
        assert!(many.finding(&complaint(), now()).is_some());
        let up = complaint().spread(&superiors, many.virality).unwrap().record;
        assert_eq!(up.escalated_staff_id, Some(Uuid::from_u128(7).into()));
        assert_eq!(up.spread(&superiors, many.virality), None);
    }

    #[test]
    fn what_is_withdrawn_stays_so() {
        let withdrawn = publish(None).unwrap().record.withdraw(now()).unwrap().record;
        let words =
            ComplaintRedacting { title: Line::new("x").unwrap(), text: Prose::new("x").unwrap() };
        let level = ViralityRaising { virality: Virality::MOST };
        let refusals = [
            withdrawn.clone().redact(words, &personal()).unwrap_err(),
            withdrawn.clone().raise_virality(level).unwrap_err(),
            withdrawn.clone().withdraw(now()).unwrap_err(),
        ];
        assert!(refusals.iter().all(|one| one.rule == &ILLEGAL_TRANSITION));
        assert_eq!(withdrawn.clone().miss_first_answer(now().plus_days(9)), None);
    }
}
