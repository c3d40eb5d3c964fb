//! What a customer says to their complaint: with a button, and perhaps with words and photos.

use super::shown::{Again, Followed};
use crate::{
    complaints,
    pages::{
        complaint_words::{MOVED_ON, SAY_SOMETHING, SAY_WHY, TOO_MUCH_SAID},
        form::{Field, Form, prose},
        photos,
    },
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    complaints::{
        AttachmentFile, Complaint, ComplaintClosing, ComplaintMessageDetails,
        ComplaintMessageDirection, ComplaintRefusing, ComplaintReopening, ComplaintState,
        TOO_MANY_MESSAGES,
    },
    refusal::Refusal,
    text::{Bilingual, Prose},
};
use store::{Failure, Tenant};

/// What a customer says with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saying {
    Writes,
    Accepts,
    Refuses,
    Satisfied,
    Unsatisfied,
}

/// What came with a button.
pub(super) struct Said<'a> {
    saying: Saying,
    /// What was seen when the button was pressed.
    seen: &'a str,
    /// What was written beside it, as it was written.
    written: &'a str,
}

/// Why nothing has come of what was said.
pub(super) enum Unheard {
    Mistake((Field, Bilingual)),
    TooLate,
    Failure(Failure),
}

impl From<Failure> for Unheard {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl<'a> Said<'a> {
    /// Reads what came with a button; nothing when no button of ours says so.
    pub(super) fn read(form: &'a Form) -> Option<Self> {
        let word = form.get("say")?;
        let saying = Saying::ALL.into_iter().find(|saying| saying.word() == word)?;
        let written = form.get("text").map_or("", String::as_str);
        Some(Self { saying, seen: form.get("seen")?, written })
    }

    /// Whether photos can come with it.
    pub(super) fn takes_photos(&self) -> bool {
        self.saying == Saying::Writes
    }

    /// Whether the same was heard before: the form was sent twice.
    fn was_heard(&self, complaint: &Complaint) -> bool {
        let same = |reason: &Option<Prose>| reason.is_some() && self.text() == Ok(reason.clone());
        match self.saying {
            Saying::Writes => false,
            Saying::Accepts => complaint.accepted_at.is_some() && self.seen == seen(complaint),
            Saying::Refuses => {
                complaint.state == ComplaintState::Negotiating && same(&complaint.refusal_reason)
            }
            Saying::Satisfied => complaint.customer_satisfied == Some(true),
            Saying::Unsatisfied => {
                complaint.state == ComplaintState::Reopened && same(&complaint.reopen_reason)
            }
        }
    }

    /// Shows the page again with what is wrong.
    pub(super) fn mistaken(&self, mistake: (Field, Bilingual)) -> Again<'a> {
        let said = Some((self.saying, self.written));
        Again { status: StatusCode::UNPROCESSABLE_ENTITY, mistake: Some(mistake), said }
    }

    /// Shows the page as it is by now, with why what was said is refused.
    pub(super) fn refused(&self, refusal: &Refusal) -> Again<'a> {
        if refusal.rule == &TOO_MANY_MESSAGES {
            return self.mistaken((Field::Message, TOO_MUCH_SAID));
        }
        match photos::about_complaint(refusal) {
            Some(says) => self.mistaken((Field::Photos, says)),
            None => self.too_late(),
        }
    }

    /// Shows the page as it is by now, with what was written.
    pub(super) fn too_late(&self) -> Again<'a> {
        let mistake = Some((Field::Form, MOVED_ON));
        let said = Some((self.saying, self.written));
        Again { status: StatusCode::CONFLICT, mistake, said }
    }

    fn text(&self) -> Result<Option<Prose>, (Field, Bilingual)> {
        prose(self.written).map_err(|says| (self.saying.field(), says))
    }

    /// Hears it, with photos that are kept; answers those of them that nothing names, because they were there before.
    pub(super) async fn hear(
        &self,
        tenant: &Tenant,
        followed: &Followed,
        photos: &[AttachmentFile],
    ) -> Result<Vec<AttachmentFile>, Unheard> {
        let complaint = &followed.complaint;
        if self.was_heard(complaint) {
            return Ok(photos.to_vec());
        }
        // A message is never too late; a word on a decision that is another one by now is.
        if self.saying != Saying::Writes && self.seen != seen(complaint) {
            return Err(Unheard::TooLate);
        }
        let text = self.text().map_err(Unheard::Mistake)?;
        let why =
            |text: Option<Prose>| text.ok_or(Unheard::Mistake((self.saying.field(), SAY_WHY)));
        match self.saying {
            Saying::Writes => return self.write(tenant, followed, text, photos).await,
            Saying::Accepts => {
                complaints::accept(tenant, told(tenant, complaint).await?).await?;
            }
            Saying::Refuses => {
                let refusing = ComplaintRefusing { reason: why(text)? };
                complaints::refuse(tenant, told(tenant, complaint).await?, refusing).await?;
            }
            Saying::Satisfied => {
                let closing = ComplaintClosing { customer_satisfied: Some(true) };
                complaints::close(tenant, complaint, closing).await?;
            }
            Saying::Unsatisfied => {
                let reopening = ComplaintReopening { reason: why(text)? };
                complaints::reopen(tenant, complaint, reopening).await?;
            }
        }
        Ok(Vec::new())
    }

    /// Writes down a message and photos. What is there already was sent twice.
    async fn write(
        &self,
        tenant: &Tenant,
        followed: &Followed,
        text: Option<Prose>,
        photos: &[AttachmentFile],
    ) -> Result<Vec<AttachmentFile>, Unheard> {
        if text.is_none() && photos.is_empty() {
            return Err(Unheard::Mistake((Field::Message, SAY_SOMETHING)));
        }
        let (again, new) = photos::part(photos, &followed.attached);
        tenant.attach_photos(&followed.complaint, new).await?;
        let complaint = followed.complaint.clone();
        match text {
            Some(text) if followed.heard_last(&text) => {}
            Some(body) => {
                let direction = ComplaintMessageDirection::FromCustomer;
                let details = ComplaintMessageDetails { direction, body, public: false };
                tenant.say(complaint, details).await?;
            }
            // A photo says it without words.
            None if complaint.waits_for_customer() => {
                let resumed = complaint.resume().map_err(Failure::from)?;
                tenant.record_progress(resumed).await?;
            }
            None => {}
        }
        Ok(again)
    }
}

impl Saying {
    /// Everything that can be said.
    pub(super) const ALL: [Self; 5] =
        [Self::Writes, Self::Accepts, Self::Refuses, Self::Satisfied, Self::Unsatisfied];

    /// What the button says.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Writes => "message",
            Self::Accepts => "accept",
            Self::Refuses => "refuse",
            Self::Satisfied => "satisfied",
            Self::Unsatisfied => "unsatisfied",
        }
    }

    /// Where it is written, and what is wrong with it told.
    pub(super) fn field(self) -> Field {
        match self {
            Self::Writes => Field::Message,
            Self::Accepts | Self::Satisfied => Field::Form,
            Self::Refuses => Field::Refusal,
            Self::Unsatisfied => Field::Comment,
        }
    }
}

/// Whoever says something to a decision has heard it.
async fn told(tenant: &Tenant, complaint: &Complaint) -> Result<Complaint, Failure> {
    let complaint = complaint.clone();
    if !complaint.is_untold() {
        return Ok(complaint);
    }
    tenant.record_progress(complaint.tell(tenant.now())?).await
}

/// What a reader of the page has seen when they press a button: which attempt, and which decision in it. Two decisions
/// may be of one instant, so it is told by what it says.
pub(super) fn seen(complaint: &Complaint) -> String {
    let said = serde_json::to_vec(&complaint.decision).unwrap_or_default();
    let decision = URL_SAFE_NO_PAD.encode(digest(&SHA256, &said));
    format!("{}.{}.{decision}", complaint.resolution_no, complaint.refusals)
}
