//! Follow-ups: what we tell a customer of our own accord, and how it reaches them.

mod notices;

pub use notices::Notice;

use crate::{
    change::Change,
    event::Event,
    ids::{CustomerId, DealerId, MessageId},
    record::{Record, Version},
    text::{Email, Locale, Name, Phone},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageChannel {
    /// By mail.
    Email,
    /// To a telephone.
    Sms,
    /// Not at all: the customer has no address. Somebody has to call or to visit.
    None,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessagePurpose {
    /// About a service that was agreed.
    Service,
    /// To ask how it was.
    Survey,
    /// About a complaint.
    Complaint,
}

/// Whether a message has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits for the worker.
    Queued,
    /// The next system on its way has taken it.
    Sent,
    /// The next system refuses it for good.
    Failed,
    /// It stays here; `reason` says why.
    Kept,
}

/// Why a message has not left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageReason {
    /// Nothing leaves a sandbox.
    Sandbox,
    /// The customer has neither a mail address nor a telephone number.
    NoAddress,
    /// This installation has no way out for the channel.
    NotConfigured,
    /// The receiving side refused it.
    Rejected,
}

/// Whether messages of a brand leave the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// They go out to customers.
    World,
    /// They stay, to be looked at: the brand is a sandbox.
    Sandbox,
}

impl Outlet {
    /// The outlet of a brand that is a sandbox, or is none.
    pub fn of(is_sandbox: bool) -> Self {
        if is_sandbox { Self::Sandbox } else { Self::World }
    }
}

/// Who is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// Which customer.
    pub customer_id: CustomerId,
    /// Whose customer.
    pub dealer_id: Option<DealerId>,
    /// How to address them.
    pub name: Name,
    /// In which language.
    pub locale: Locale,
    /// Where mail reaches them.
    pub email: Option<Email>,
    /// Where calls reach them.
    pub phone: Option<Phone>,
}

impl Recipient {
    /// Whether a message can reach them.
    pub fn has_address(&self) -> bool {
        self.route().0 != MessageChannel::None
    }

    /// The channel and address: mail before telephone, for it holds more and costs nothing.
    fn route(&self) -> (MessageChannel, Option<String>) {
        if let Some(email) = &self.email {
            return (MessageChannel::Email, Some(email.to_string()));
        }
        if let Some(phone) = &self.phone {
            return (MessageChannel::Sms, Some(phone.to_string()));
        }
        (MessageChannel::None, None)
    }
}

/// Who tells.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The brand's name, under which the message is signed.
    pub brand: &'a str,
    /// Whether its messages leave.
    pub outlet: Outlet,
}

/// Something told to a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "msg_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "purpose": "service", "channel": "email",
    "address": "li.na@example.com", "locale": "zh-CN", "headline": "【碧水】上门服务提醒：2026-11-23 09:30",
    "body": "李娜，您好：", "state": "kept", "reason": "sandbox", "sent_at": null,
    "created_at": "2026-11-22T01:30:00Z", "version": 1})))]
pub struct Message {
    /// Its identifier; mail carries it, so that one that is sent twice can be told.
    pub id: MessageId,
    /// Who is told.
    pub customer_id: CustomerId,
    /// Whose customer.
    pub dealer_id: Option<DealerId>,
    /// What it is for.
    pub purpose: MessagePurpose,
    /// How it travels.
    pub channel: MessageChannel,
    /// The mail address or telephone number.
    pub address: Option<String>,
    /// In which language.
    pub locale: Locale,
    /// What it is about, in a line.
    pub headline: String,
    /// The text.
    pub body: String,
    /// Whether it has left.
    pub state: MessageState,
    /// Why it has not left.
    pub reason: Option<MessageReason>,
    /// When it left.
    pub sent_at: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Message {
    /// Writes what `notice` says to `recipient`, in their language. It waits for the worker, unless it
    /// cannot leave.
    pub fn write(
        id: MessageId,
        sender: Sender<'_>,
        recipient: &Recipient,
        notice: &Notice,
        now: Timestamp,
    ) -> Change<Self> {
        let (channel, address) = recipient.route();
        let (headline, body) = notice.words(sender.brand, recipient);
        let reason = match (sender.outlet, channel) {
            (_, MessageChannel::None) => Some(MessageReason::NoAddress),
            (Outlet::Sandbox, MessageChannel::Email | MessageChannel::Sms) => {
                Some(MessageReason::Sandbox)
            }
            (Outlet::World, MessageChannel::Email | MessageChannel::Sms) => None,
        };
        let message = Self {
            id,
            customer_id: recipient.customer_id,
            dealer_id: recipient.dealer_id,
            purpose: notice.purpose(),
            channel,
            address,
            locale: recipient.locale,
            headline,
            body,
            state: if reason.is_some() { MessageState::Kept } else { MessageState::Queued },
            reason,
            sent_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        let is_queued = message.state == MessageState::Queued;
        let change = Change::created(message).with("purpose", notice.purpose());
        if is_queued { change.emits(Event::MessageQueued { message: id }) } else { change }
    }

    /// Notes that the next system has taken it; nothing when it does not wait any more.
    pub fn sent(mut self, now: Timestamp) -> Option<Change<Self>> {
        self.sent_at = Some(now);
        self.moved("send", MessageState::Sent, None)
    }

    /// Notes that this installation cannot send it; nothing when it does not wait any more.
    pub fn keep(self) -> Option<Change<Self>> {
        self.moved("keep", MessageState::Kept, Some(MessageReason::NotConfigured))
    }

    /// Notes that the receiving side refuses it for good; nothing when it does not wait any more.
    pub fn fail(self) -> Option<Change<Self>> {
        self.moved("fail", MessageState::Failed, Some(MessageReason::Rejected))
    }

    fn moved(
        mut self,
        action: &'static str,
        to: MessageState,
        reason: Option<MessageReason>,
    ) -> Option<Change<Self>> {
        let from = self.state;
        if from != MessageState::Queued {
            return None;
        }
        self.state = to;
        self.reason = reason;
        Some(Change::new(action, self).moved(from, to).with("reason", reason))
    }
}

impl Record for Message {
    type Id = MessageId;

    fn id(&self) -> MessageId {
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

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn li_na() -> Recipient {
        Recipient {
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            name: Name::new("李娜").unwrap(),
            locale: Locale::Chinese,
            email: Email::new("li.na@example.com").ok(),
            phone: Phone::new("+8613800000000").ok(),
        }
    }

    fn tell(recipient: &Recipient, outlet: Outlet) -> Change<Message> {
        let sender = Sender { brand: "Clearwater", outlet };
        let notice = Notice::VisitReminder { wall_time: "2026-11-23 09:30".to_owned() };
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        Message::write(Uuid::from_u128(2).into(), sender, recipient, &notice, now)
    }

    #[test]
    fn a_message_waits_for_the_worker() {
        let change = tell(&li_na(), Outlet::World);
        let message = change.record;
        assert_eq!(message.state, MessageState::Queued);
        assert_eq!(message.channel, MessageChannel::Email);
        assert_eq!(message.address.as_deref(), Some("li.na@example.com"));
        assert_eq!(change.events, [(Event::MessageQueued { message: message.id }, None)]);
    }

    #[test]
    fn nothing_leaves_a_sandbox() {
        let change = tell(&li_na(), Outlet::Sandbox);
        assert_eq!(change.record.state, MessageState::Kept);
        assert_eq!(change.record.reason, Some(MessageReason::Sandbox));
        assert_eq!(change.events, []);
    }

    #[test]
    fn a_customer_without_a_mail_address_has_a_telephone_or_nothing() {
        let by_phone = Recipient { email: None, ..li_na() };
        assert_eq!(tell(&by_phone, Outlet::World).record.channel, MessageChannel::Sms);
        let unreachable = Recipient { phone: None, ..by_phone };
        assert!(!unreachable.has_address());
        let message = tell(&unreachable, Outlet::World).record;
        assert_eq!((message.state, message.address), (MessageState::Kept, None));
        assert_eq!(message.reason, Some(MessageReason::NoAddress));
    }

    #[test]
    fn a_message_leaves_once() {
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let sent = tell(&li_na(), Outlet::World).record.sent(now).unwrap().record;
        assert_eq!((sent.state, sent.sent_at), (MessageState::Sent, Some(now)));
        assert_eq!(sent.clone().sent(now), None);
        assert_eq!(sent.clone().keep(), None);
        assert_eq!(sent.fail(), None);
    }

    #[test]
    fn a_message_that_cannot_leave_says_why() {
        let queued = tell(&li_na(), Outlet::World).record;
        let kept = queued.clone().keep().unwrap().record;
        assert_eq!(kept.reason, Some(MessageReason::NotConfigured));
        let failed = queued.fail().unwrap().record;
        assert_eq!(
            (failed.state, failed.reason),
            (MessageState::Failed, Some(MessageReason::Rejected))
        );
    }
}
