//! Invitations: one asking each, about one visit or one resolution, of one customer, and why some are not sent.

use super::{Survey, SurveyTrigger};
use crate::{
    change::Change,
    event::Event,
    ids::{ComplaintId, CustomerId, DealerId, InvitationId, StaffId, SurveyId, WorkOrderId},
    invalid::Invalid,
    record::{Record, Version},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// How long a customer who was asked about anything is not asked about a visit: two weeks. The
/// question whether a complaint was put right is always asked.
pub const REST_DAYS: i64 = 14;

/// What a survey is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SurveySubject {
    /// A visit that was carried out.
    WorkOrder {
        /// Which one.
        work_order_id: WorkOrderId,
    },
    /// A complaint that was resolved.
    Complaint {
        /// Which one.
        complaint_id: ComplaintId,
        /// Which resolution of it, from 1: a reopened complaint is asked about again.
        resolution_no: u32,
    },
}

impl fmt::Display for SurveySubject {
    /// The identifier of the subject; behind a complaint's, which resolution: `cmp_…/2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkOrder { work_order_id } => work_order_id.fmt(f),
            Self::Complaint { complaint_id, resolution_no } => {
                write!(f, "{complaint_id}/{resolution_no}")
            }
        }
    }
}

impl FromStr for SurveySubject {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((complaint, number)) = text.split_once('/') else {
            return Ok(Self::WorkOrder { work_order_id: text.parse()? });
        };
        let number = number.parse().map_err(|_| Invalid::new("malformed", "expected a number"))?;
        Ok(Self::Complaint { complaint_id: complaint.parse()?, resolution_no: number })
    }
}

/// Who is asked, and about whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Respondent {
    /// Who is asked.
    pub customer_id: CustomerId,
    /// Whose people served them.
    pub dealer_id: Option<DealerId>,
    /// Who served them, as of now: a later change of staff does not change who was rated.
    pub staff_id: Option<StaffId>,
}

/// How far an asking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It will be sent.
    Scheduled,
    /// The link is with the customer.
    Sent,
    /// The customer has answered.
    Completed,
    /// The customer has not answered in time.
    Expired,
    /// It was not sent; `suppressed_reason` says why.
    Suppressed,
    /// Its subject was taken up again, so there is nothing to ask about.
    Cancelled,
}

/// Why a customer is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The customer has neither a mail address nor a telephone number.
    NoAddress,
    /// The customer was asked something in the last 14 days.
    Frequency,
    /// The customer waits for the answer to a complaint; asking how we do would be a mockery.
    OpenComplaint,
}

/// What has to be known about a customer before asking them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether there is an address to send the link to.
    pub has_address: bool,
    /// When the customer was last asked something.
    pub last_asked_at: Option<Timestamp>,
    /// Whether a complaint of the customer waits for us.
    pub has_open_complaint: bool,
}

/// One asking of one customer about one thing. There is never a second one for the same.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "inv_01m80t7jx3e9vbq2f4c6d8g0hk", "survey_id": "sur_01m80t7jx3e9vbq2f4c6d8g0hk",
    "subject": {"kind": "work_order", "work_order_id": "wor_01m80t7jx3e9vbq2f4c6d8g0hk"},
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "state": "sent", "suppressed_reason": null,
    "scheduled_at": "2026-11-23T09:30:00Z", "sent_at": "2026-11-23T09:30:02Z",
    "expires_at": "2026-11-30T09:30:02Z", "completed_at": null,
    "created_at": "2026-11-22T09:30:00Z", "version": 2})))]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// What is asked.
    pub survey_id: SurveyId,
    /// What it is about.
    pub subject: SurveySubject,
    /// Who is asked.
    pub customer_id: CustomerId,
    /// Whose people are rated.
    pub dealer_id: Option<DealerId>,
    /// Who is rated.
    pub staff_id: Option<StaffId>,
    /// How far it has come.
    pub state: InvitationState,
    /// Why it was not sent.
    pub suppressed_reason: Option<SuppressionReason>,
    /// When it is to be sent.
    pub scheduled_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Until when it can be answered; at this instant it is too late.
    pub expires_at: Option<Timestamp>,
    /// When it was answered.
    pub completed_at: Option<Timestamp>,
    /// When it was planned.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Invitation {
    /// Plans to ask `who` about `subject`, after the survey's delay.
    pub fn schedule(
        id: InvitationId,
        survey: &Survey,
        subject: SurveySubject,
        who: Respondent,
        now: Timestamp,
    ) -> Change<Self> {
        let scheduled_at = now.plus_hours(survey.details.delay_hours.get().into());
        let invitation = Self {
            id,
            survey_id: survey.id,
            subject,
            customer_id: who.customer_id,
            dealer_id: who.dealer_id,
            staff_id: who.staff_id,
            state: InvitationState::Scheduled,
            suppressed_reason: None,
            scheduled_at,
            sent_at: None,
            expires_at: None,
            completed_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        Change::created(invitation).emits_at(Event::InvitationDue { invitation: id }, scheduled_at)
    }

    /// Asks now, or says why not; nothing when it is no longer scheduled. Whoever records it as sent makes
    /// the link in the same transaction: its token is known to the customer alone.
    pub fn ask(
        mut self,
        survey: &Survey,
        around: Circumstances,
        now: Timestamp,
    ) -> Option<Change<Self>> {
        if self.state != InvitationState::Scheduled {
            return None;
        }
        if let Some(reason) = reason_not_to_ask(survey.details.trigger, around, now) {
            self.suppressed_reason = Some(reason);
            let change = self.moved("suppress", InvitationState::Suppressed);
            return Some(change.with("reason", reason).with("last_asked_at", around.last_asked_at));
        }
        let expires_at = now.plus_days(survey.details.expiry_days.get().into());
        self.sent_at = Some(now);
        self.expires_at = Some(expires_at);
        let invitation = self.id;
        let change = self.moved("send", InvitationState::Sent);
        Some(change.emits_at(Event::InvitationExpiryDue { invitation }, expires_at))
    }

    /// Ends an asking that was not answered in time; nothing when it was, or is still open.
    pub fn expire(self, now: Timestamp) -> Option<Change<Self>> {
        let is_over = self.expires_at.is_some_and(|expires_at| now >= expires_at);
        let expires = is_over && self.state == InvitationState::Sent;
        expires.then(|| self.moved("expire", InvitationState::Expired))
    }

    /// Asks no more, because the subject was taken up again; nothing when it was answered, or has
    /// ended otherwise.
    pub fn cancel(self) -> Option<Change<Self>> {
        match self.state {
            InvitationState::Scheduled | InvitationState::Sent => {
                Some(self.moved("cancel", InvitationState::Cancelled))
            }
            InvitationState::Completed
            | InvitationState::Expired
            | InvitationState::Suppressed
            | InvitationState::Cancelled => None,
        }
    }

    pub(super) fn moved(mut self, action: &'static str, to: InvitationState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        Change::new(action, self).moved(from, to)
    }
}

impl Record for Invitation {
    type Id = InvitationId;

    fn id(&self) -> InvitationId {
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

/// The gates, in their order: the first that is shut gives the reason.
fn reason_not_to_ask(
    trigger: SurveyTrigger,
    around: Circumstances,
    now: Timestamp,
) -> Option<SuppressionReason> {
    if !around.has_address {
        return Some(SuppressionReason::NoAddress);
    }
    match trigger {
        SurveyTrigger::ComplaintResolved => return None,
        SurveyTrigger::VisitCompleted => {}
    }
    if around.has_open_complaint {
        return Some(SuppressionReason::OpenComplaint);
    }
    let rests = |asked_at: Timestamp| now < asked_at.plus_days(REST_DAYS);
    around.last_asked_at.is_some_and(rests).then_some(SuppressionReason::Frequency)
}
