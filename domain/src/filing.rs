//! Filing: the links by which customers file complaints and follow them, without a login.

use crate::{
    change::Change,
    complaints::{
        Complaint, ComplaintDetails, ComplaintKind, ComplaintSource, SOMEBODY_ELSES, Severity,
    },
    customers::Customer,
    ids::{
        AssetId, ComplaintId, ComplaintLinkId, CustomerId, DealerId, FilingId, FilingLinkId,
        WorkOrderId,
    },
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Line, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a link to file complaints can be used where nobody says otherwise: a season, for it stands in messages that
/// are read late.
const USUAL_DAYS: u32 = 90;

/// Complaints filed by one link that may be open at once: a household with more goes on about one thing, or is a script.
pub const MOST_OPEN_FILED: u32 = 5;

/// How long after closing or setting aside the link to a complaint still leads there: well beyond the time in which it can be taken up
/// again, and then what somebody wrote in anger is not left open.
pub const FOLLOWING_DAYS: i64 = 90;

/// What a customer says is bad without being asked how bad, until somebody looks.
const SEVERITY_FILED: u32 = 2;

/// A link files a limited number of complaints at once.
pub static TOO_MANY_OPEN_FILED: Rule = Rule {
    code: "too_many_open_complaints",
    kind: Kind::Conflict,
    title: Bilingual { en: "Too many open complaints", zh: "未结投诉过多" },
    detail: Bilingual {
        en: "{open} complaints filed by this link are open; at most {most} can be at once.",
        zh: "通过此链接提交的投诉有 {open} 件尚未处理完毕，最多同时 {most} 件。",
    },
    advice: Bilingual {
        en: "Write to us about one of those that are open, or wait until one is settled.",
        zh: "请在已有的投诉中补充说明，或等其中一件处理完毕后再提交。",
    },
};

/// The refusals of filing.
pub static RULES: &[&Rule] = &[&TOO_MANY_OPEN_FILED];

whole_numbers! {
    /// For how many days a link to file complaints can be used.
    FilingLinkDays = 1 to 366, "For how many days the link can be used.", 90;
}

impl Default for FilingLinkDays {
    fn default() -> Self {
        Self::new(USUAL_DAYS).unwrap_or(Self::LEAST)
    }
}

/// What a link to file complaints is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "work_order_id": null, "valid_days": 90})))]
pub struct FilingLinkDetails {
    /// The sold thing that complaints filed by it are about; the customer chooses among theirs when left out.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// The visit that complaints filed by it are about.
    #[serde(default)]
    pub work_order_id: Option<WorkOrderId>,
    /// For how many days it can be used.
    #[serde(default)]
    pub valid_days: FilingLinkDays,
}

/// A link by which a customer files complaints. Whoever has it can; it leads to nothing that was filed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FilingLink {
    /// Its identifier.
    pub id: FilingLinkId,
    /// Who complains by it.
    pub customer_id: CustomerId,
    /// Whose customer.
    pub dealer_id: Option<DealerId>,
    /// The sold thing that complaints filed by it are about.
    pub asset_id: Option<AssetId>,
    /// The visit that complaints filed by it are about.
    pub work_order_id: Option<WorkOrderId>,
    /// Until when it can be used; at this instant it is too late.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a customer says in the form.
#[derive(Debug, Clone, PartialEq)]
pub struct FiledForm {
    /// What it is about.
    pub kind: ComplaintKind,
    /// What happened.
    pub description: Prose,
    /// What the customer wishes for.
    pub remedy_sought: Option<Line>,
    /// Which of their things it is about.
    pub asset_id: Option<AssetId>,
}

impl FilingLink {
    /// Makes a link for `customer`. `owners` says whose the named things are, by the field that names them.
    ///
    /// # Errors
    ///
    /// `complaint_about_somebody_elses` when a named thing is another customer's.
    pub fn make(
        id: FilingLinkId,
        customer: &Customer,
        details: FilingLinkDetails,
        owners: &[(&str, CustomerId)],
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if let Some((field, _)) = owners.iter().find(|(_, owner)| *owner != customer.id) {
            return Err(Refusal::new(&SOMEBODY_ELSES).with("field", field));
        }
        let FilingLinkDetails { asset_id, work_order_id, valid_days } = details;
        Ok(Change::created(Self {
            id,
            customer_id: customer.id,
            dealer_id: customer.details.dealer_id,
            asset_id,
            work_order_id,
            expires_at: now.plus_days(valid_days.get().into()),
            created_at: now,
        }))
    }

    /// Whether it can still be used.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What is filed by it as a complaint, while `open` of those that were filed by it are open.
    ///
    /// # Errors
    ///
    /// `too_many_open_complaints` from 5 on.
    pub fn file(&self, form: FiledForm, open: u32) -> Result<ComplaintDetails, Refusal> {
        if open >= MOST_OPEN_FILED {
            return Err(Refusal::new(&TOO_MANY_OPEN_FILED)
                .with("open", open)
                .with("most", MOST_OPEN_FILED));
        }
        Ok(ComplaintDetails {
            customer_id: self.customer_id,
            dealer_id: None,
            order_id: None,
            asset_id: self.asset_id.or(form.asset_id),
            work_order_id: self.work_order_id,
            source: ComplaintSource::Page,
            kind: form.kind,
            severity: Severity::new(SEVERITY_FILED).unwrap_or(Severity::LEAST),
            description: form.description,
            remedy_sought: form.remedy_sought,
        })
    }
}

impl Record for FilingLink {
    type Id = FilingLinkId;

    fn id(&self) -> FilingLinkId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// That a form was sent: a form files one complaint, however often it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filing {
    /// Its identifier.
    pub id: FilingId,
    /// The link by which it came.
    pub filing_link_id: FilingLinkId,
    /// What tells the form from others; it is made with the page.
    pub form: String,
    /// What became of it.
    pub complaint_id: ComplaintId,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people answer the complaint.
    pub dealer_id: Option<DealerId>,
    /// When it was sent.
    pub created_at: Timestamp,
}

impl Filing {
    /// Notes that `form` of `link` has become `complaint`.
    pub fn note(id: FilingId, link: &FilingLink, form: &str, complaint: &Complaint) -> Self {
        Self {
            id,
            filing_link_id: link.id,
            form: form.to_owned(),
            complaint_id: complaint.id,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            created_at: complaint.created_at,
        }
    }
}

impl Record for Filing {
    type Id = FilingId;

    fn id(&self) -> FilingId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// A customer's link to one of their complaints: each message about it carries a token of its own for it. One counts at
/// a time; when it ends, all its tokens do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComplaintLink {
    /// Its identifier.
    pub id: ComplaintLinkId,
    /// Where it leads.
    pub complaint_id: ComplaintId,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people answer the complaint.
    pub dealer_id: Option<DealerId>,
    /// When another one took its place.
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl ComplaintLink {
    /// Makes a link to `complaint`.
    pub fn make(id: ComplaintLinkId, complaint: &Complaint, now: Timestamp) -> Change<Self> {
        Change::created(Self {
            id,
            complaint_id: complaint.id,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            ended_at: None,
            created_at: now,
            version: Version::FIRST,
        })
    }

    /// Ends it, because another one takes its place.
    pub fn end(mut self, now: Timestamp) -> Change<Self> {
        self.ended_at = Some(now);
        Change::new("end", self)
    }

    /// Whether it still leads to `complaint`: until another one takes its place, and for 90 days after the complaint was
    /// closed or set aside.
    pub fn leads(&self, complaint: &Complaint, now: Timestamp) -> bool {
        let ended_at = complaint.closed_at.or(complaint.set_aside_at);
        let followed = ended_at.map(|ended_at| ended_at.plus_days(FOLLOWING_DAYS));
        self.ended_at.is_none() && followed.is_none_or(|until| now < until)
    }
}

impl Record for ComplaintLink {
    type Id = ComplaintLinkId;

    fn id(&self) -> ComplaintLinkId {
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
    use crate::time::Zone;
    use uuid::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn link() -> FilingLink {
        FilingLink {
            id: Uuid::from_u128(1).into(),
            customer_id: Uuid::from_u128(2).into(),
            dealer_id: None,
            asset_id: None,
            work_order_id: None,
            expires_at: at("2026-11-23T00:00:00Z"),
            created_at: at("2026-11-22T00:00:00Z"),
        }
    }

    fn form() -> FiledForm {
        FiledForm {
            kind: ComplaintKind::Quality,
            description: Prose::new("It leaks.").unwrap(),
            remedy_sought: None,
            asset_id: Some(Uuid::from_u128(3).into()),
        }
    }

    #[test]
    fn a_link_is_used_until_it_expires() {
        assert!(link().is_open(at("2026-11-22T23:59:59Z")));
        assert!(!link().is_open(at("2026-11-23T00:00:00Z")));
    }

    #[test]
    fn five_complaints_of_one_link_are_open_at_most() {
        let fifth = link().file(form(), 4).unwrap();
        assert_eq!((fifth.customer_id, fifth.source), (link().customer_id, ComplaintSource::Page));
        let refusal = link().file(form(), 5).unwrap_err();
        assert_eq!((refusal.rule, &refusal.facts["open"]), (&TOO_MANY_OPEN_FILED, &5.into()));
    }

    #[test]
    fn what_the_link_is_about_is_not_the_customers_choice() {
        let chosen = link().file(form(), 0).unwrap();
        assert_eq!(chosen.asset_id, Some(Uuid::from_u128(3).into()));
        let own = Some(Uuid::from_u128(4).into());
        let fixed = FilingLink { asset_id: own, ..link() }.file(form(), 0).unwrap();
        assert_eq!(fixed.asset_id, own);
    }

    #[test]
    fn a_complaint_is_followed_for_ninety_days_after_it_was_closed() {
        let now = at("2026-11-22T00:00:00Z");
        let details = link().file(form(), 0).unwrap();
        let zone: Zone = "Asia/Shanghai".parse().unwrap();
        let id = Uuid::from_u128(5).into();
        let mut complaint =
            Complaint::receive(id, "C-000001".to_owned(), details, zone, now).record;
        let followed = ComplaintLink::make(Uuid::from_u128(6).into(), &complaint, now).record;
        assert!(followed.leads(&complaint, at("2030-01-01T00:00:00Z")));
        complaint.closed_at = Some(now);
        assert!(followed.leads(&complaint, now.plus_days(FOLLOWING_DAYS).plus_seconds(-1)));
        assert!(!followed.leads(&complaint, now.plus_days(FOLLOWING_DAYS)));
        complaint.closed_at = None;
        complaint.set_aside_at = Some(now);
        assert!(followed.leads(&complaint, now.plus_days(FOLLOWING_DAYS).plus_seconds(-1)));
        assert!(!followed.leads(&complaint, now.plus_days(FOLLOWING_DAYS)));
        complaint.set_aside_at = None;
        assert!(!followed.end(now).record.leads(&complaint, now));
    }
}
