//! Messages: what is said about a complaint, by the customer, to them, and among those who answer.

use super::{Complaint, ComplaintState, PersonalWords, Redacted, Redaction, WaitingFor};
use crate::{
    change::Change,
    event::Event,
    identity::Actor,
    ids::{ComplaintId, ComplaintMessageId, CustomerId, DealerId},
    record::Record,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Messages about one complaint between the customer and us, at most, and as many internal notes: who has said so much
/// should meet.
pub const MOST_COMPLAINT_MESSAGES: u32 = 500;

/// A complaint that is at an end is not talked about any more.
pub(super) static TALK_OVER: Rule = Rule {
    code: "complaint_talk_over",
    kind: Kind::Conflict,
    title: Bilingual { en: "The complaint is at an end", zh: "投诉已结束" },
    detail: Bilingual {
        en: "The complaint {number} is {state}; nothing is said or attached any more, but internal notes.",
        zh: "投诉 {number} 的状态为 {state}，除内部备注外不能再发送消息或添加附件。",
    },
    advice: Bilingual {
        en: "Reopen the complaint first (`reopen`), or write an internal note (`direction`: `internal`).",
        zh: "请先重新打开投诉（`reopen`），或改为内部备注（`direction` 为 `internal`）。",
    },
};

/// A complaint has as many messages as it can have.
pub static TOO_MANY_MESSAGES: Rule = Rule {
    code: "too_many_complaint_messages",
    kind: Kind::Conflict,
    title: Bilingual { en: "Too much was said", zh: "消息过多" },
    detail: Bilingual {
        en: "There are {messages} messages of the kind about the complaint; at most {most} are possible.",
        zh: "该投诉已有 {messages} 条此类消息，最多 {most} 条。",
    },
    advice: Bilingual {
        en: "Call the customer or visit them, decide, and note what was agreed in the decision.",
        zh: "请致电或当面与客户沟通，作出决定，并将约定写入处理决定。",
    },
};

/// A note among those who answer is not for others.
pub(super) static PUBLIC_NOTE: Rule = Rule {
    code: "internal_note_public",
    kind: Kind::Unfit,
    title: Bilingual { en: "An internal note is not public", zh: "内部备注不能公开" },
    detail: Bilingual {
        en: "The message is {direction} and asks to be public.",
        zh: "该消息为 {direction}，却要求公开。",
    },
    advice: Bilingual {
        en: "Leave `public` out, or choose `to_customer`.",
        zh: "请不填 `public`，或将 `direction` 改为 `to_customer`。",
    },
};

/// What is said in public belongs to a complaint that is public.
pub(super) static NOT_PUBLISHED: Rule = Rule {
    code: "complaint_not_public",
    kind: Kind::Conflict,
    title: Bilingual { en: "The complaint is not public", zh: "投诉未公开" },
    detail: Bilingual {
        en: "Nobody but the customer and those who answer reads about the complaint {number}.",
        zh: "投诉 {number} 未公开，仅客户和处理人员可见。",
    },
    advice: Bilingual {
        en: "Publish the complaint first (`publish`), or send the message without `public`.",
        zh: "请先公开投诉（`publish`），或在消息中不填 `public`。",
    },
};

/// Who says something to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintMessageDirection {
    /// The customer said it: on their page, by telephone, in a store.
    FromCustomer,
    /// It is said to the customer, who is sent it.
    ToCustomer,
    /// It stays among those who answer.
    Internal,
}

/// What is said about a complaint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"direction": "to_customer",
    "body": "The new housing has arrived. When may we come?", "public": false})))]
pub struct ComplaintMessageDetails {
    /// Who says it to whom.
    pub direction: ComplaintMessageDirection,
    /// What is said, in the words the customer reads or has used.
    pub body: Prose,
    /// Whether others may read it where the complaint is public. Numbers, addresses and the customer's name are masked
    /// there.
    #[serde(default)]
    pub public: bool,
}

/// Something that was said about a complaint. It is never changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cmm_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "direction": "to_customer", "written_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "body": "The new housing has arrived. We call you on 13800138000.", "public": true,
    "public_body": "The new housing has arrived. We call you on ***.",
    "redactions": [{"kind": "phone", "count": 1}], "created_at": "2026-11-22T09:30:00Z"})))]
pub struct ComplaintMessage {
    /// Its identifier.
    pub id: ComplaintMessageId,
    /// The complaint.
    pub complaint_id: ComplaintId,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people answer.
    pub dealer_id: Option<DealerId>,
    /// Who says it to whom.
    pub direction: ComplaintMessageDirection,
    /// Who wrote it down, as the audit log names them: what a customer says by telephone, somebody of the staff writes.
    pub written_by: String,
    /// What is said, as it was written.
    pub body: Prose,
    /// Whether others may read it where the complaint is public.
    pub public: bool,
    /// What others read; null when it is not public.
    pub public_body: Option<String>,
    /// What was masked for others, each kind once.
    pub redactions: Vec<Redaction>,
    /// When it was said.
    pub created_at: Timestamp,
}

impl Record for ComplaintMessage {
    type Id = ComplaintMessageId;

    fn id(&self) -> ComplaintMessageId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// What has to be known of a complaint before more is said about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// How much of the kind was said, to and by the customer or among those who answer: no more messages than there can
    /// be are counted.
    pub messages: u32,
    /// Whether others read about the complaint.
    pub is_public: bool,
    /// What others must not read of the customer.
    pub personal: PersonalWords,
}

/// Something was said.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what is not recorded was not said"]
pub struct Said {
    /// What.
    pub message: Change<ComplaintMessage>,
    /// The complaint, where it goes on by that: we wait for the customer no longer.
    pub complaint: Option<Change<Complaint>>,
}

impl Complaint {
    /// Says something about it. What the customer says ends waiting for them. What is said to them is sent to them.
    ///
    /// # Errors
    ///
    /// `complaint_talk_over` when it is at an end and the message is no internal note; `too_many_complaint_messages`
    /// from the 501st with the customer on, and from the 501st internal note on; `internal_note_public`;
    /// `complaint_not_public` when the message is public and the complaint is not.
    pub fn say(
        &self,
        id: ComplaintMessageId,
        details: ComplaintMessageDetails,
        so_far: &Conversation,
        (by, now): (Actor, Timestamp),
    ) -> Result<Said, Refusal> {
        let ComplaintMessageDetails { direction, body, public } = details;
        let is_internal = direction == ComplaintMessageDirection::Internal;
        if public && is_internal {
            return Err(Refusal::new(&PUBLIC_NOTE).with("direction", direction).at("/public"));
        }
        if !is_internal {
            self.require_talk()?;
        }
        if so_far.messages >= MOST_COMPLAINT_MESSAGES {
            return Err(Refusal::new(&TOO_MANY_MESSAGES)
                .with("messages", so_far.messages)
                .with("most", MOST_COMPLAINT_MESSAGES));
        }
        if public && !so_far.is_public {
            return Err(Refusal::new(&NOT_PUBLISHED).with("number", &self.number).at("/public"));
        }
        let shown = public.then(|| so_far.personal.redact(&body));
        let (public_body, redactions) = match shown {
            Some(Redacted { text, redactions }) => (Some(text), redactions),
            None => (None, Vec::new()),
        };
        let message = Change::created(ComplaintMessage {
            id,
            complaint_id: self.id,
            customer_id: self.details.customer_id,
            dealer_id: self.details.dealer_id,
            direction,
            written_by: by.to_string(),
            body,
            public,
            public_body,
            redactions,
            created_at: now,
        });
        let message = Change { action: "say", ..message }
            .with("complaint_id", self.id)
            .with("direction", direction)
            .with("public", public);
        let waits = self.waiting_for == Some(WaitingFor::Customer);
        Ok(match direction {
            ComplaintMessageDirection::FromCustomer if waits => {
                Said { message, complaint: Some(self.clone().resume()?) }
            }
            ComplaintMessageDirection::FromCustomer | ComplaintMessageDirection::Internal => {
                Said { message, complaint: None }
            }
            ComplaintMessageDirection::ToCustomer => Said {
                message: message.emits(Event::ComplaintAnswered { message: id }),
                complaint: None,
            },
        })
    }

    /// Expects that there is something left to talk about.
    ///
    /// # Errors
    ///
    /// `complaint_talk_over`.
    pub(super) fn require_talk(&self) -> Result<(), Refusal> {
        if !self.is_over() {
            return Ok(());
        }
        let refusal = Refusal::new(&TALK_OVER).with("number", &self.number);
        Err(refusal.with("state", self.state))
    }

    /// Whether it is at an end: the customer waits no longer, and is not being asked either.
    pub fn is_over(&self) -> bool {
        !self.state.is_open() && self.state != ComplaintState::Resolved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        complaints::{
            ComplaintDetails, ComplaintKind, ComplaintSource, ComplaintWaiting, RedactionKind,
            Severity, number,
        },
        text::{Line, Name},
        time::Zone,
    };
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn complaint() -> Complaint {
        let details = ComplaintDetails {
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            order_id: None,
            asset_id: None,
            work_order_id: None,
            source: ComplaintSource::Group,
            kind: ComplaintKind::Quality,
            severity: Severity::new(3).unwrap(),
            description: Prose::new("It leaks.").unwrap(),
            remedy_sought: None,
        };
        let id = Uuid::from_u128(2).into();
        let received = Complaint::receive(id, number(123), details, Zone::UTC, now()).record;
        received.acknowledge(Actor::Worker, now()).unwrap().record
    }

    fn details(direction: ComplaintMessageDirection, public: bool) -> ComplaintMessageDetails {
        let body = Prose::new("李娜，请致电 13800138000。").unwrap();
        ComplaintMessageDetails { direction, body, public }
    }

    fn say(
        complaint: &Complaint,
        details: ComplaintMessageDetails,
        so_far: &Conversation,
    ) -> Result<Said, Refusal> {
        complaint.say(Uuid::from_u128(3).into(), details, so_far, (Actor::Worker, now()))
    }

    fn in_public() -> Conversation {
        let personal = PersonalWords::of(&Name::new("李娜").unwrap(), None, &[]);
        Conversation { messages: 0, is_public: true, personal }
    }

    #[test]
    fn what_others_read_names_nobody_and_what_was_written_stays() {
        let public = details(ComplaintMessageDirection::ToCustomer, true);
        let message = say(&complaint(), public, &in_public()).unwrap().message.record;
        assert_eq!(&*message.body, "李娜，请致电 13800138000。");
        assert_eq!(message.public_body.as_deref(), Some("***，请致电 ***。"));
        let kinds: Vec<_> = message.redactions.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [RedactionKind::Phone, RedactionKind::Name]);
    }

    #[test]
    fn only_the_customer_ends_waiting_for_them() {
        use ComplaintMessageDirection::{FromCustomer, Internal, ToCustomer};
        let reason = Line::new("Which lot?").unwrap();
        let waiting = ComplaintWaiting { waiting_for: WaitingFor::Customer, reason };
        let waiting = complaint().wait(waiting, now()).unwrap().record;
        for (direction, goes_on) in [(FromCustomer, true), (ToCustomer, false), (Internal, false)] {
            let said = say(&waiting, details(direction, false), &Conversation::default()).unwrap();
            assert_eq!(said.complaint.is_some(), goes_on, "{direction:?}");
            let is_sent = direction == ToCustomer;
            assert_eq!(said.message.events.len(), usize::from(is_sent), "{direction:?}");
        }
        let said = say(&complaint(), details(FromCustomer, false), &Conversation::default());
        assert_eq!(said.unwrap().complaint, None);
    }

    #[test]
    fn five_hundred_messages_are_possible() {
        let note = || details(ComplaintMessageDirection::Internal, false);
        let after = |messages| Conversation { messages, ..Conversation::default() };
        assert!(say(&complaint(), note(), &after(MOST_COMPLAINT_MESSAGES - 1)).is_ok());
        let refusal = say(&complaint(), note(), &after(MOST_COMPLAINT_MESSAGES)).unwrap_err();
        assert_eq!(refusal.rule, &TOO_MANY_MESSAGES);
        assert_eq!(refusal.facts["messages"], 500);
    }

    #[test]
    fn a_note_is_not_public_and_what_is_public_belongs_to_a_public_complaint() {
        let note = details(ComplaintMessageDirection::Internal, true);
        assert_eq!(say(&complaint(), note, &in_public()).unwrap_err().rule, &PUBLIC_NOTE);
        let answer = details(ComplaintMessageDirection::ToCustomer, true);
        let refusal = say(&complaint(), answer, &Conversation::default()).unwrap_err();
        assert_eq!(refusal.rule, &NOT_PUBLISHED);
    }
}
